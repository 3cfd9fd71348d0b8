"""A period's evidence in words and as JSON. It says what was tested, never that a control is met."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from secgate.assertions import Evidence
from secgate.escape import json_text, plain
from secgate.evidence.checking import PeriodEvidence
from secgate.sla import many, many_entries, utc_words

RESULTS = {
    "no_deviation": "no deviation",
    "deviation": "DEVIATION",
    "not_tested": "NOT TESTED",
    "no_occurrence": "no occurrence",
    "not_applicable": "not applicable",
}
SHOWN = 20
"""Items of a list that a page shows; JSON has all of them."""


def evidence_json(found: PeriodEvidence) -> bytes:
    """Give all of it as JSON, the same bytes for the same evidence."""
    whole = {"format": {"name": "secgate-evidence", "version": found.version}, "evidence": found}
    return json_text(msgspec.json.format(msgspec.json.encode(whole, order="sorted"), indent=2)) + b"\n"


def evidence_page(found: PeriodEvidence, *, width: int) -> bytes:
    """Give it as a page of text: how it was made, each assertion, each control with what it cites."""
    lines = [*_head(found), *_assertions(found.assertions, width), *_controls(found, width), *_tail(found, width)]
    return ("\n".join(lines) + "\n").encode()


def notes_once(notes: Iterable[tuple[str, Sequence[str]]]) -> dict[str, tuple[str, ...]]:
    """Give each assertion's notes, and of those that one before it has too only how many, and where they are."""
    first: dict[str, str] = {}
    found = {}
    for name, mine in notes:
        new = [one for one in dict.fromkeys(mine) if first.setdefault(one, name) == name]
        again = Counter(first[one] for one in mine if first[one] != name)
        found[name] = (*new, *(f"{many(count, 'note')} as under {other}" for other, count in again.items()))
    return found


def _head(found: PeriodEvidence) -> Iterator[str]:
    yield f"Evidence of {utc_words(found.period.from_epoch_s)} until before {utc_words(found.period.to_epoch_s)}"
    for one in found.ledgers:
        yield f"  ledger {plain(one.address)}"
        yield f"    {many_entries(one.size)}, {utc_words(one.first_epoch_s)} to {utc_words(one.last_epoch_s)}"
        yield f"    root {one.root}"
        if one.skipped:
            yield f"    {many_entries(one.skipped)} of a type that this version does not know"
    yield f"  mapping {', '.join(map(plain, found.mapping_versions))}, {found.mapping_digest[:12]}; by {found.engine}"
    yield ""


def _assertions(found: Sequence[Evidence], width: int) -> Iterator[str]:
    notes = notes_once((one.assertion, one.notes) for one in found)
    for one in found:
        yield f"{one.assertion}: {RESULTS[one.result]}"
        yield from _wrapped(one.statement, width, "  ")
        counts = f"tested {one.tested}, deviating {one.deviating}"
        yield from _wrapped(f"population {one.population} ({one.unit}, {one.source}), {counts}", width, "  ")
        if one.reason:
            yield from _wrapped(one.reason, width, "  because ")
        yield from _listed([f"{bad.item}: {bad.exception}: {bad.detail}" for bad in one.deviations], "- ", width)
        if one.result != "not_tested":
            yield from _listed([f"{left.item}: not tested: {left.reason}" for left in one.untested], "? ", width)
        if one.unmatched is not None:
            sides = (
                (one.unmatched.left, one.unmatched.left_unmatched),
                (one.unmatched.right, one.unmatched.right_unmatched),
            )
            for side, keys in sides:
                yield f"  only among {side}: {len(keys)}"
                yield from _listed(keys, "~ ", width)
        if one.metrics:
            told = ", ".join(f"{name} {number}" for name, number in sorted(one.metrics.items()))
            yield from _wrapped(told, width, "  ")
        for note in (*one.dismissed, *notes[one.assertion]):
            yield from _wrapped(note, width, "  note: ")
        yield ""


def _controls(found: PeriodEvidence, width: int) -> Iterator[str]:
    results = {one.assertion: RESULTS[one.result] for one in found.assertions}
    framework = ""
    for one in found.controls:
        if one.framework != framework:
            framework = one.framework
            yield f"Controls of {plain(framework)}"
        yield from _wrapped(f"{one.label} {one.title} ({one.strength})", width, "  ")
        for name in one.assertions:
            yield f"    {name}: {results[name]}"
        if not one.assertions:
            yield "    not tested: no assertion speaks for it"
        yield from _wrapped("; ".join(one.not_enough), width, "    not enough: ")
        yield from _wrapped("; ".join(one.outside), width, "    outside: ")
    yield ""


def _tail(found: PeriodEvidence, width: int) -> Iterator[str]:
    counts = [
        f"{count} {word.lower()}"
        for result, word in RESULTS.items()
        if (count := sum(one.result == result for one in found.assertions))
    ]
    yield from _wrapped(f"Assertions: {', '.join(counts)}.", width, "")
    yield from _wrapped(
        "A control has no result of its own: these are test results for whoever audits it, with what they do not show.",
        width,
        "",
    )


def _listed(texts: Iterable[str], mark: str, width: int) -> Iterator[str]:
    whole = list(texts)
    for text in whole[:SHOWN]:
        yield from _wrapped(text, width, f"  {mark}")
    if len(whole) > SHOWN:
        yield f"  {mark}and {len(whole) - SHOWN} more: --format json has all"


def _wrapped(text: str, width: int, first: str) -> list[str]:
    indent = " " * (len(first) if len(first) <= 12 else 6)
    return textwrap.wrap(
        plain(text), width, initial_indent=first, subsequent_indent=indent, break_on_hyphens=False
    ) or [first.rstrip()]
