"""Takes secrets out of what a report's texts say, since no detector of ours looked at the files it speaks of.

Each is masked where it stands, and is handed on with the result, so that normalise finds it wherever else it is quoted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal

import msgspec

from secgate.masking import MASK
from secgate.model import Package, RawResult, Rule, Suppression
from secgate.sarif import MAX_TEXT, ForeignRun
from secgate.secret_forms import found, is_worth_seeking, masked, may_hold, sentences, speaks_of_secrets
from secgate.secret_spans import SECRET_CWES

_REMEMBERED = 10_000
"""Texts of a run whose answer is kept: a rule says the same of most of its results."""

_LONGEST_TOKEN = 400

_About = Literal["", "maybe", "surely"]


class Cleaner:
    """Masks every secret that the texts of a run themselves tell. The run may not have its results yet."""

    def __init__(self, run: ForeignRun) -> None:
        self._rules = {rule.id: rule for rule in run.rules}
        self._tool = run.tool
        self._about: dict[str, bool] = {}
        self._known: dict[tuple[str, _About], tuple[str, tuple[str, ...]]] = {}
        self._plain: set[str] = set()

    def run(self, run: ForeignRun) -> ForeignRun:
        """Give a run with its own texts and its rules clean; its results are as they were."""
        return msgspec.structs.replace(
            run,
            tool=self._text(run.tool),
            version=self._text(run.version),
            rules=tuple(self._rule(rule) for rule in run.rules),
        )

    def results(self, part: Sequence[RawResult]) -> Iterable[RawResult]:
        """Give some results clean, the same objects where nothing was found.

        Their texts are looked over together: most files have no secret, and one look at much is quick.
        """
        tool = self._text(self._tool)
        about = {key: self._is_about(*key) for key in {(one.rule, one.cwes) for one in part}}
        if tool != self._tool:
            part = [msgspec.structs.replace(one, tool=tool) for one in part]
        elif not any(about.values()) and self._is_plain(part):
            return part
        is_about = [about[one.rule, one.cwes] for one in part]
        return [
            self._result(one, is_about=about) if about or any(map(may_hold, _texts(one))) else one
            for one, about in zip(part, is_about, strict=True)
        ]

    def _is_plain(self, part: Sequence[RawResult]) -> bool:
        """Tell whether nothing can be found in some results; what most of them have from others is looked at once."""
        names = {name for one in part for name in (one.rule, one.path, one.resource)}
        names -= self._plain
        said = sentences([one.message for one in part])
        shown = (one.snippet for one in part)
        if may_hold("\n".join([*names, *said, *shown, *(text for one in part for text in _further(one))])):
            return False
        if len(self._plain) >= _REMEMBERED:
            self._plain.clear()
        self._plain |= names
        return True

    def _is_about(self, name: str, cwes: tuple[int, ...]) -> bool:
        """Tell whether a result's rule seems to be about secrets, by its weaknesses, its name or its words."""
        if not SECRET_CWES.isdisjoint(cwes):
            return True
        if name not in self._about:
            rule = self._rules.get(name) or Rule(id=name)
            is_named = speaks_of_secrets((rule.id, rule.name, rule.short, *rule.tags))
            self._about[name] = is_named or not SECRET_CWES.isdisjoint(rule.cwes)
        return self._about[name]

    def _result(self, one: RawResult, *, is_about: bool) -> RawResult:
        about: _About = "maybe" if is_about else ""
        # A rule that is surely about secrets quotes one, or the snippet shows it.
        is_sure = not SECRET_CWES.isdisjoint(one.cwes) and not one.snippet.strip()
        quoted: list[str] = []

        def clean(text: str, about: _About = "") -> str:
            told, secrets = self._look(text, about)
            quoted.extend(secrets)
            return told

        # Not masked here: the name of a file that is there is no secret.
        clean(one.path)
        return msgspec.structs.replace(
            one,
            rule=clean(one.rule),
            message=clean(one.message, "surely" if is_sure else about),
            snippet=clean(one.snippet, about),
            resource=clean(one.resource, about),
            package=one.package and _package(one.package, clean),
            advisory=clean(one.advisory),
            aliases=tuple(map(clean, one.aliases)),
            suppressions=tuple(
                Suppression(kind=given.kind, text=clean(given.text, about), status=given.status)
                for given in one.suppressions
            ),
            remedy=clean(one.remedy),
            help_uri=clean(one.help_uri),
            quoted=tuple(sorted({text for text in quoted if is_worth_seeking(text)})),
        )

    def _rule(self, rule: Rule) -> Rule:
        clean = self._text
        return msgspec.structs.replace(
            rule,
            id=clean(rule.id),
            name=clean(rule.name),
            short=clean(rule.short),
            full=clean(rule.full),
            help=clean(rule.help),
            help_uri=clean(rule.help_uri),
            remedy=clean(rule.remedy),
            tags=tuple(map(clean, rule.tags)),
        )

    def _text(self, text: str) -> str:
        return self._look(text, "")[0]

    def _look(self, text: str, about: _About) -> tuple[str, tuple[str, ...]]:
        """Give a text without its secrets, and them."""
        key = (text, about)
        if key not in self._known:
            if not about and not may_hold(text):
                return text, ()
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            whole = _whole(text)
            spans = found(whole, about=about)
            self._known[key] = masked(whole, spans, MASK), tuple(whole[start:end] for start, end in spans)
        return self._known[key]


def _whole(text: str) -> str:
    """Give a text without the word that a reader's limit cut in two: half of a token has its form no more."""
    if len(text) < MAX_TEXT:
        return text
    last = text.rsplit(maxsplit=1)[-1]
    return text[: -min(len(last), _LONGEST_TOKEN)]


def _texts(one: RawResult) -> Iterator[str]:
    """Give every text of a result that may be stored."""
    yield from (one.message, one.snippet, one.rule, one.path, one.resource)
    yield from _further(one)


def _further(one: RawResult) -> Iterable[str]:
    """Give the texts that few results have."""
    texts = [text for text in (one.advisory, *one.aliases, one.remedy, one.help_uri) if text]
    if one.package is not None:
        texts += (one.package.name, one.package.version, *one.package.fixed_versions)
    if one.suppressions:
        texts += (given.text for given in one.suppressions)
    return texts


def _package(package: Package, clean: Callable[[str], str]) -> Package:
    return msgspec.structs.replace(
        package,
        name=clean(package.name),
        version=clean(package.version),
        fixed_versions=tuple(map(clean, package.fixed_versions)),
    )
