"""Stage 4, what the tools said -> results with places: one form, one set of units, secrets masked, a severity each.

Nothing of a tool's own identity, region or snippet is relied on: the start position is, and the file's own text.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol
from urllib.parse import unquote

import msgspec
from msgspec import Struct

from secgate.crosswalk import Crosswalk
from secgate.fingerprint import Located, Place, digest
from secgate.fixes import offered
from secgate.languages import tokens
from secgate.languages.parse import FileIndex, index_kind
from secgate.languages.spans import Unit
from secgate.masking import Masker
from secgate.model import (
    Confidence,
    Invocation,
    Lane,
    Location,
    Package,
    RawResult,
    Reading,
    Region,
    Result,
    Rule,
    Severity,
    Suppression,
    Value,
    View,
)
from secgate.places.apart import Apart, Asked
from secgate.places.pointing import Pointed, Spot, region_of, spot
from secgate.places.wording import Wording, worded
from secgate.secret_likeness import KEY_BODY_WITHIN, Likeness, certain_likeness, likeness
from secgate.secret_spans import SECRET_CWES, quoted_secrets, secret_key, secret_spans, secret_text

LONGEST_MESSAGE = 2_000
LONGEST_SNIPPET = 4_000
LONGEST_NAME = 500
VULNERABLE_DEPENDENCY = "vulnerable-dependency"
"""Canonical weakness of every advisory on a package; which advisory it is, the fingerprint says."""


class Scanned(Protocol):
    """One scanner's part of a scan, as the scan stage gives it."""

    @property
    def invocation(self) -> Invocation:
        """What was started, and how it ended."""
        ...

    @property
    def readings(self) -> Sequence[Reading]:
        """What was understood of each job's output."""
        ...


class Refusal(Value, frozen=True, kw_only=True):
    """A result that points outside of the view. It must not pass in silence: its lane was not told all."""

    scanner: str
    lane: Lane
    rule: str
    path: str
    reason: str


class Normalised(NamedTuple):
    """Results with their places, file by file; the masker for all that is shown of these files; what was refused."""

    located: tuple[Located, ...]
    masker: Masker
    refused: tuple[Refusal, ...]

    @property
    def results(self) -> tuple[Result, ...]:
        """The results alone, in the same order."""
        return tuple(one.result for one in self.located)


class _Item(Struct, frozen=True, gc=False):
    invocation: Invocation
    tool: str
    rule: Rule
    raw: RawResult
    lane: Lane
    cwes: tuple[int, ...]
    weakness: str


class _File:
    """What is known of one file of the view while its results are normalised."""

    def __init__(
        self,
        path: str,
        items: list[_Item],
        view: View,
        read: Callable[[str], bytes | None],
        kinds: Callable[[str], tuple[str, ...]],
    ) -> None:
        origin = view.origins.get(path)
        self.location = Location(path=origin.path, commit=origin.commit) if origin else Location(path=path)
        # The name of a file that is there is no secret: whoever sees the tree sees it.
        self.is_known = path in view.digests
        self.digest = view.digests.get(path, "")
        self.kinds = kinds(path)
        data = read(path) if self.is_known else None
        self.index = FileIndex(index_kind(self.kinds, self.location.path), data) if data is not None else None
        self.items = items
        # Of each item where there is a text; spans of the few that are about a secret, by their place among all.
        told = items if self.index is not None else ()
        self.pointed = [Pointed(one.raw.region, one.raw.column_unit, one.tool == "bandit") for one in told]
        self.spans: dict[int, tuple[tuple[int, int], ...]] = {}
        self.places: dict[tuple[int, int], Place] = {}
        # Whether no secret is known that could stand in what is said of the file; told when all are known.
        self.is_idle = False


class _Tables(NamedTuple):
    """What all files share."""

    masker: Masker
    crosswalk: Crosswalk
    scores: Callable[[Sequence[str]], float | None]
    words: tokens.Words
    severities: dict[tuple[str, str, Severity | None, float | None, str], tuple[Severity, float, str]]


def normalise(
    scans: Sequence[Scanned],
    *,
    view: View,
    read: Callable[[str], bytes | None],
    kinds: Callable[[str], tuple[str, ...]],
    crosswalk: Crosswalk,
    scores: Callable[[Sequence[str]], float | None],
    keep_outside: bool = False,
    apart: Apart | None = None,
) -> Normalised:
    """Bring the results of all scanners into one form.

    `read` gives the bytes of a path of the view, or None where there is no text (for SARIF of another tree); `kinds`
    its kinds. `scores` gives the highest CVSS score of a group of advisory names. With `keep_outside`, relative paths
    that the view does not hold are kept: for a SARIF file that is judged without its tree. `apart` finds places too.
    """
    found: dict[str, list[_Item]] = {}
    refused: list[Refusal] = []
    masker = Masker()
    given: dict[tuple[str, bool], tuple[str, str]] = {}
    for item in _items(scans, crosswalk):
        raw = item.raw
        # What a scan of the history found may be gone from the tree; its commit says where it is.
        key = raw.path or (raw.package.manifest if raw.package else ""), keep_outside or bool(raw.commit)
        if key not in given:
            given[key] = _view_path(key[0], view, keep_outside=key[1])
        path, reason = given[key]
        if reason:
            refused.append(_refusal(item, reason))
            _tell(masker, "", raw.quoted)
            continue
        found.setdefault(path, []).append(item)
    paths = sorted(found)
    files: dict[str, _File] = {}

    def opened() -> Iterator[Asked]:
        for path in paths:
            file = files[path] = _File(path, found.pop(path), view, read, kinds)
            _find_secrets(file, masker)
            yield _asked(path, file)

    tables = _Tables(masker, crosswalk, scores, tokens.Words(), {})
    done: dict[str, list[Located]] = {}
    for path, spots in apart.each(opened()) if apart is not None else _alone(opened()):
        # A syntax tree is large: each file's goes as soon as its results have their places.
        file = files.pop(path)
        file.is_idle = masker.is_idle(file.location.path)
        done[path] = [_locate(file, at, tables, spots[at] if spots else None) for at in range(len(file.items))]
    located = [one for path in paths for one in done.pop(path)]
    refused = [
        msgspec.structs.replace(one, rule=masker.everywhere(one.rule), path=masker.everywhere(one.path))
        for one in refused
    ]
    refused.sort(key=lambda one: (one.lane, one.scanner, one.path, one.rule))
    return Normalised(tuple(located), masker, tuple(refused))


def _alone(files: Iterable[Asked]) -> Iterator[tuple[str, Sequence[Spot] | None]]:
    """Give every path, once all files are opened."""
    return ((path, None) for path in [one.path for one in files])


def _asked(path: str, file: _File) -> Asked:
    """Give what is asked of a file: nothing where a secret is in it, whose place its tool may not have said."""
    return Asked(path, None if any(file.spans.values()) else file.index, file.pointed)


def _items(scans: Sequence[Scanned], crosswalk: Crosswalk) -> Iterator[_Item]:
    for scan in scans:
        invocation = scan.invocation
        known = {rule.id: rule for rule in invocation.rules}
        for reading in scan.readings:
            rules = known | {rule.id: rule for rule in reading.rules}
            alike: dict[tuple[str, str, tuple[int, ...], str], tuple[str, Rule, tuple[int, ...], str]] = {}
            for raw in reading.results:
                key = (raw.tool, raw.rule, raw.cwes, raw.weakness)
                found = alike.get(key)
                if found is None:
                    rule, tool = rules.get(raw.rule) or Rule(id=raw.rule), raw.tool or invocation.scanner
                    cwes = tuple(sorted(set(raw.cwes or rule.cwes)))
                    name = crosswalk.weakness(tool, raw.rule, cwes, raw.weakness or rule.weakness)
                    found = alike[key] = tool, rule, cwes, name
                tool, rule, cwes, name = found
                weakness = VULNERABLE_DEPENDENCY if raw.advisory and raw.package is not None else name
                yield _Item(invocation, tool, rule, raw, raw.lane or invocation.lane, cwes, weakness)


def _view_path(path: str, view: View, *, keep_outside: bool) -> tuple[str, str]:
    """Give the path in the view, or why there is none. A result without any path is kept as one of the whole tree."""
    if not path:
        return "", ""
    if path in view.digests:
        return path, ""
    if path.startswith("file://"):
        path = unquote(path.removeprefix("file://"))
    path = posixpath.normpath(path.removeprefix(view.root.rstrip("/") + "/"))
    if path in view.digests:
        return path, ""
    if path.startswith(("/", "../")) or path in ("..", ".") or "\0" in path:
        return "", "points outside of what was scanned"
    return (path, "") if keep_outside else ("", "is not among the scanned files")


def _refusal(item: _Item, reason: str) -> Refusal:
    return Refusal(
        scanner=item.invocation.scanner,
        lane=item.lane,
        rule=item.raw.rule[:LONGEST_NAME],
        path=item.raw.path[:LONGEST_NAME],
        reason=reason,
    )


def _find_secrets(file: _File, masker: Masker) -> None:
    """Tell the masker of every secret that any lane's result of this file is about, before anything is made of it."""
    path, commit = file.location.path, file.location.commit
    for at, item in enumerate(file.items):
        _tell(masker, path, item.raw.quoted)
        if not _is_about_secret(item):
            continue
        _tell(masker, path, item.raw.secrets)
        index = _index(file, item.raw)
        if index is None:
            _tell(masker, path, quoted_secrets(item.raw))
            continue
        region = index.source.offsets(region_of(index, file.pointed[at]))
        is_rule = not SECRET_CWES.isdisjoint(item.cwes)
        spans = secret_spans(index, item.raw, region, lane=item.lane, is_rule=is_rule)
        masker.add(path, index.source, spans, commit=commit)
        file.spans[at] = spans


def _is_about_secret(item: _Item) -> bool:
    is_rule = item.lane is Lane.SECRETS or not SECRET_CWES.isdisjoint(item.cwes)
    return is_rule or bool(item.raw.secrets or item.raw.secret_spans)


def _tell(masker: Masker, path: str, texts: Sequence[str]) -> None:
    for text in texts:
        masker.add_text(path, text)


def _index(file: _File, raw: RawResult) -> FileIndex | None:
    """Give the text that a result speaks of; None where there is none, or where it is only in an older commit."""
    if file.index is None or not raw.commit:
        return file.index
    return file.index if any(text in file.index.source.text for text in raw.secrets) else None


def _locate(file: _File, at: int, tables: _Tables, known: Spot | None) -> Located:
    masker = tables.masker
    item, index, path = file.items[at], _index(file, file.items[at].raw), file.location.path
    spans = file.spans.get(at, ())
    is_secret = item.lane is Lane.SECRETS or not SECRET_CWES.isdisjoint(item.cwes)
    region, snippet = item.raw.region, ""
    if index is None:
        own = item.raw.resource if file.is_idle else masker.own(path, item.raw.resource)
        place = Place(region=region, symbol=own[:LONGEST_NAME])
        if not is_secret:
            snippet = item.raw.snippet if file.is_idle else masker.text(path, item.raw.snippet)
    else:
        found = known or spot(index, file.pointed[at])
        region, start, end, unit = found.region, found.start, found.end, found.unit
        if is_secret and spans and unit is not None:
            unit = index.unit_at(spans[0][0])
        place = _place(file, tables, index, unit, found.wording if unit is found.unit else None)
        if is_secret and spans:
            place = _keyed(place, secret_key(index, spans[0]))
        cut = masker.cut(path, index.source, start, min(end, start + LONGEST_SNIPPET), commit=file.location.commit)
        snippet = masker.text(path, cut)
    result = _result(item, file, region, tables, snippet=snippet, is_secret=is_secret)
    if item.raw.commit and index is None and not file.location.commit:
        location = msgspec.structs.replace(result.location, commit=item.raw.commit[:LONGEST_NAME])
        result = msgspec.structs.replace(result, location=location)
    if index is not None and (item.raw.fixes or item.raw.package) and not is_secret and not file.location.commit:
        fixes = offered(item.raw, index.source, file.kinds, file.digest, lambda text: masker.text(path, text))
        result = msgspec.structs.replace(result, fixes=fixes)
    looks = _looks(item, index) if index is not None and is_secret else None
    if looks is not None:
        severity, score, basis, confidence = looks
        result = msgspec.structs.replace(
            result, severity=severity, score=score, severity_basis=basis, confidence=confidence
        )
    texts = _texts(item.raw, index, spans if is_secret else ()) if is_secret or item.raw.secrets else ()
    return Located(result=result, place=place, spans=spans if is_secret else (), texts=texts)


def _texts(raw: RawResult, index: FileIndex | None, spans: Sequence[tuple[int, int]]) -> tuple[str, ...]:
    """Give digests that live only until results are grouped: copies of a secret are known by them."""
    texts = {digest(text.strip()) for text in raw.secrets}
    if index is not None:
        texts.update(digest(index.source.text[one:other].strip()) for one, other in spans)
    return tuple(sorted(texts))


def _looks(item: _Item, index: FileIndex) -> Likeness | None:
    """Judge the text that a detector marked; None where what it said stands, or where it names no text."""
    if item.raw.score is not None:
        return None
    confidence = item.raw.confidence or item.rule.confidence or Confidence.MEDIUM
    start, text, key = secret_text(index, item.raw)
    if not text:
        return None
    if confidence is Confidence.HIGH:
        return certain_likeness(text, after=index.source.text[start : start + KEY_BODY_WITHIN])
    return likeness(text, key=key, is_random=confidence is Confidence.LOW)


def _place(file: _File, tables: _Tables, index: FileIndex, unit: Unit | None, wording: Wording | None) -> Place:
    """Give the place that the unit is in which a result starts; results of one unit share it."""
    if unit is None:
        return Place()
    key = (unit.start, unit.end)
    if key not in file.places:
        masker, path, commit = tables.masker, file.location.path, file.location.commit
        text = masker.cut(path, index.source, unit.start, unit.end, commit=commit)
        if wording is None or text != index.source.text[unit.start : unit.end]:
            wording = worded(index.kind, text, tables.words)
        file.places[key] = Place(
            region=unit.region,
            symbol=masker.own(path, unit.symbol),
            anchored=wording.anchored,
            sketch=wording.sketch,
            snippet=masker.text(path, text[:LONGEST_SNIPPET]),
        )
    return file.places[key]


def _keyed(place: Place, key: str) -> Place:
    """Add the name that a secret is assigned to, unless the symbol ends in it already."""
    if not key or place.symbol.rsplit(".", 1)[-1] == key:
        return place
    symbol = f"{place.symbol}.{key}" if place.symbol else key
    return msgspec.structs.replace(place, symbol=symbol)


def _result(item: _Item, file: _File, region: Region, tables: _Tables, *, snippet: str, is_secret: bool) -> Result:
    raw, rule, path = item.raw, item.rule, file.location.path
    severity, score, basis = _severity(item, tables)
    if file.is_idle:
        clean = _cut
    else:

        def clean(text: str, longest: int) -> str:
            return tables.masker.text(path, text)[:longest]

    return Result(
        scanner=item.invocation.scanner,
        lane=item.lane,
        rule=clean(raw.rule, LONGEST_NAME),
        message=clean(raw.message or rule.short or rule.id, LONGEST_MESSAGE),
        location=Location(
            path=path if file.is_known else clean(path, LONGEST_NAME), region=region, commit=file.location.commit
        ),
        severity=severity,
        score=score,
        severity_basis=basis,
        confidence=raw.confidence or rule.confidence or Confidence.MEDIUM,
        cwes=item.cwes,
        weakness=clean(item.weakness, LONGEST_NAME),
        snippet=snippet[:LONGEST_SNIPPET],
        package=_package(raw.package, clean) if raw.package else None,
        advisory=clean(raw.advisory, LONGEST_NAME),
        aliases=tuple(sorted({clean(name, LONGEST_NAME) for name in raw.aliases})) if raw.aliases else (),
        resource=clean(raw.resource, LONGEST_NAME),
        suppressions=tuple(
            Suppression(kind=one.kind, text=clean(one.text, LONGEST_MESSAGE), status=one.status)
            for one in raw.suppressions
        )
        if raw.suppressions
        else (),
        remedy=clean(raw.remedy or rule.remedy, LONGEST_MESSAGE),
        help_uri=clean(raw.help_uri or rule.help_uri, LONGEST_MESSAGE),
        secret=is_secret,
    )


def _cut(text: str, longest: int) -> str:
    return text[:longest]


def _package(package: Package, clean: Callable[[str, int], str]) -> Package:
    """Mask a package: a version may be an address with credentials in it."""
    return msgspec.structs.replace(
        package,
        name=clean(package.name, LONGEST_NAME),
        version=clean(package.version, LONGEST_NAME),
        fixed_versions=tuple(clean(version, LONGEST_NAME) for version in package.fixed_versions),
    )


def _severity(item: _Item, tables: _Tables) -> tuple[Severity, float, str]:
    raw = item.raw
    score = raw.score if raw.score is not None else item.rule.score
    if raw.advisory:
        highest = tables.scores((raw.advisory, *raw.aliases))
        if highest is not None:
            return Severity.from_score(highest), highest, "cvss"
    key = (item.tool, raw.rule, raw.severity, score, raw.severity_basis)
    found = tables.severities.get(key)
    if found is None:
        found = tables.severities[key] = tables.crosswalk.severity(
            item.tool, raw.rule, native=raw.severity, score=score, basis=raw.severity_basis
        )
    return found
