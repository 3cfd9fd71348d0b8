"""What a run says of its rules and of the kinds of its notifications, and the CWEs that they refer to.

GitHub reads severity, tags and help of a rule, not of a result: so a rule is as severe as its worst result here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import quote

from secgate.model import Confidence, Invocation, Rule
from secgate.sarif.limits import MAX_NAME, MAX_TAGS, Cuts, Item
from secgate.sarif.results import LEVELS

_MARKDOWN = re.compile(r"[\\`*_{}\[\]<>()#+!|~]")
_PAGE = re.compile(r"(https?://[\w.\-]+(?::\d{1,5})?)([/?][^#]*)?(?:#(.*))?", re.ASCII | re.DOTALL)
_LONE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_PROBLEMS = {"error": "error", "warning": "warning", "note": "recommendation"}


class Description(Protocol):
    """Words of our own on a weakness; `crosswalk.Weakness` is one."""

    @property
    def title(self) -> str:
        """How it is called."""
        ...

    @property
    def remedy(self) -> str:
        """What to do about it."""
        ...


Describe = Callable[[str], Description | None]


class _Use:
    """What the results of one rule have in common: the first of the worst, and all their CWEs."""

    def __init__(self, item: Item) -> None:
        self.worst = item
        self._cwes = {item.witness.cwes}

    def add(self, item: Item) -> None:
        self._cwes.add(item.witness.cwes)
        if item.witness.score > self.worst.witness.score:
            self.worst = item

    @property
    def cwes(self) -> list[int]:
        return sorted(set().union(*self._cwes))


def rules(
    invocations: Iterable[Invocation], items: Sequence[Item], describe: Describe, cuts: Cuts
) -> tuple[list[dict[str, Any]], list[int]]:
    """Give the descriptors of the rules that have results, by id, and the CWEs they refer to, sorted.

    `items` come in an order that depends on nothing but the results.
    """
    described = {rule.id: rule for one in invocations for rule in one.rules}
    uses: dict[str, _Use] = {}
    for item in items:
        use = uses.get(item.witness.rule)
        if use is None:
            uses[item.witness.rule] = _Use(item)
        else:
            use.add(item)
    made = [_rule(described.get(name) or Rule(id=name), use, describe, cuts) for name, use in sorted(uses.items())]
    return made, sorted({cwe for use in uses.values() for cwe in use.cwes})


def _rule(rule: Rule, use: _Use, describe: Describe, cuts: Cuts) -> dict[str, Any]:
    finding, witness = use.worst.finding, use.worst.witness
    own = describe(witness.weakness) or describe(finding.weakness)
    cwes = use.cwes
    level = LEVELS[witness.severity]
    title = own.title if own else " ".join((rule.short or rule.name).split()) or f"Rule {rule.id} of {witness.scanner}"
    tags = ["security", *(f"external/cwe/cwe-{cwe:03d}" for cwe in cwes)]
    cuts.tags += max(len(tags) - MAX_TAGS, 0)
    made: dict[str, Any] = {
        "defaultConfiguration": {"level": level},
        "fullDescription": {"text": _sentence(rule.full or rule.short or title, cuts)},
        "help": _help(rule, cuts.clip(title), own, cwes, cuts),
        "id": rule.id,
        "name": _identifier(rule.name or rule.id, finding.weakness, differs_from=rule.id),
        "properties": {
            "precision": {Confidence.HIGH: "high", Confidence.MEDIUM: "medium", Confidence.LOW: "low"}[
                witness.confidence
            ],
            "problem.severity": _PROBLEMS[level],
            "security-severity": f"{witness.score:.1f}",
            "tags": tags[:MAX_TAGS],
        },
        "shortDescription": {"text": _sentence(rule.short or title, cuts)},
    }
    address = _help_uri(rule.help_uri or witness.help_uri, cwes)
    if address:
        made["helpUri"] = address
    if cwes:
        made["relationships"] = [
            {"kinds": ["superset"], "target": {"id": f"CWE-{cwe}", "toolComponent": {"index": 0, "name": "CWE"}}}
            for cwe in cwes
        ]
    return made


def _help(rule: Rule, title: str, own: Description | None, cwes: Sequence[int], cuts: Cuts) -> dict[str, str]:
    """What the weakness is and what to do: our words, then the tool's on its rule, as text and as Markdown.

    Nothing of a single result is in it, since all of the rule show it.
    """
    theirs = cuts.clip(rule.help or rule.full)
    ours, more = _ended(own.remedy if own else ""), _ended(cuts.clip(rule.remedy))
    if more == ours:
        more = ""
    links = ", ".join(f"[CWE-{cwe}]({_cwe_page(cwe)})" for cwe in cwes)
    numbers = ", ".join(f"CWE-{cwe}" for cwe in cwes)
    advice, shown = f"{ours} {more}".strip(), f"{ours} {escape_markdown(more)}".strip()
    plain = (_ended(title), advice and f"What to do: {advice}", numbers and f"{numbers}.", theirs)
    rich = (
        f"**{escape_markdown(title)}**" + (f" ({links})" if links else ""),
        shown and f"What to do: {shown}",
        escape_markdown(theirs),
    )
    return {"markdown": "\n\n".join(filter(None, rich)), "text": " ".join(filter(None, plain))}


def _ended(text: str) -> str:
    """A text that ends like a sentence."""
    text = text.strip()
    return text if not text or text.endswith((".", "!", "?")) else f"{text}."


def _cwe_page(cwe: int) -> str:
    return f"https://cwe.mitre.org/data/definitions/{cwe}.html"


def _help_uri(address: str, cwes: Sequence[int]) -> str:
    """The tool's own page of the rule, else that of its first CWE. What may not stand in an address is encoded."""
    match = _PAGE.fullmatch(address)
    if match is None:
        return _cwe_page(cwes[0]) if cwes else ""
    server, rest, fragment = match.groups(default="")
    return server + _encoded(rest) + (f"#{_encoded(fragment)}" if fragment else "")


def _encoded(text: str) -> str:
    return quote(_LONE_PERCENT.sub("%25", text), safe="/:?@!$&'()*+,;=%-._~", errors="replace")


def taxonomy(cwes: Sequence[int]) -> dict[str, Any]:
    """Give the CWEs that a run speaks of. DefectDojo reads `CWE-89` and not `89`. Source: SARIF 2.1.0, 3.19.3."""
    return {
        "informationUri": "https://cwe.mitre.org/",
        "isComprehensive": False,
        "name": "CWE",
        "organization": "MITRE",
        "shortDescription": {"text": "The MITRE Common Weakness Enumeration."},
        "taxa": [{"helpUri": _cwe_page(cwe), "id": f"CWE-{cwe}"} for cwe in cwes],
    }


def notification_kinds(names: Iterable[str], words: Mapping[str, str], cuts: Cuts) -> list[dict[str, Any]]:
    """Give the descriptors of the notifications with these ids, sorted."""
    made = []
    for name in sorted(set(names)):
        text = _sentence(words.get(name) or f"Something was not covered: {name.removeprefix('secgate/')}", cuts)
        made.append(
            {
                "fullDescription": {"text": text},
                "help": {"text": f"{text} The notification says what; `secgate run` says what to do about it."},
                "id": name,
                "name": _identifier(name, differs_from=name),
                "shortDescription": {"text": text},
            }
        )
    return made


def _sentence(text: str, cuts: Cuts) -> str:
    return cuts.clip(_ended(" ".join(text.split())))


def _identifier(*texts: str, differs_from: str) -> str:
    """The first text in Pascal case that says something else than the id, as GitHub and the SARIF multitool want it."""
    name = ""
    for text in texts:
        words = "".join(ch if ch.isalnum() and ch.isascii() else " " for ch in text[:MAX_NAME]).split()
        name = "".join(word[:1].upper() + word[1:] for word in words)[: MAX_NAME - len("Rule")]
        if name and not name[0].isdigit() and name.lower() != differs_from.lower():
            return name
    return f"Rule{name}"


def escape_markdown(text: str) -> str:
    """Make text inert in Markdown: it came from a tool, and a tool quotes the tree."""
    return _MARKDOWN.sub(lambda match: "\\" + match.group(), text)
