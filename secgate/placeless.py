"""What a tool says of a whole file or tree, without a place: there its message is all the text that there is.

One rule may say several such things at once ("no LICENSE file", "no SECURITY file"): each is a weakness of its own. A
message is compared in two strengths. What it says without its times tells two results of one run apart; without any
number as well, it tells whether a later run says the same: "12 old branches" and "13 old branches" are one weakness
that goes on, and both in one run are two.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from secgate.fingerprint import NO_TEXT, Located, anchor
from secgate.model import Finding, KnownFinding, Lane

_TIME = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?"
    r"|\b\d{1,2}:\d\d(?::\d\d(?:\.\d{1,9})?)?\b"
    r"|\b\d{1,18}(?:\.\d{1,9})? ?(?:ms|s|seconds?|minutes?|hours?|days?|weeks?|months?|years?)\b"
)
_WORD = re.compile(r"\w+")
_NUMBERS = re.compile(r"0(?:[-+.,:/]0)+")


def is_placeless(one: Located) -> bool:
    """Tell whether a result speaks of a whole file or tree: it names no line, and there is no text."""
    return one.place.region.start_line == 0 and not one.place.has_text


def said(message: str) -> str:
    """Give a message without its times and with single spaces: equal for results that say the same in one run."""
    return " ".join(_TIME.sub("0", message).split())


def template(message: str) -> tuple[str, ...]:
    """Give the words of a message with 0 for every one with a digit in it: equal for what runs say of one weakness."""
    words = _WORD.sub(lambda found: "0" if any(map(str.isdecimal, found[0])) else found[0], said(message))
    return tuple(_NUMBERS.sub("0", words).split())


def apart(members: Sequence[Located]) -> list[list[Located]]:
    """Share results without a place out by what they say, in order of it.

    Where no rule says two different things they are one, as different tools put one weakness in different words.
    """
    by_rule: dict[tuple[str, str], set[str]] = {}
    by_text: dict[str, list[Located]] = {}
    for one in members:
        text = said(one.result.message)
        by_rule.setdefault((one.result.scanner, one.result.rule), set()).add(text)
        by_text.setdefault(text, []).append(one)
    if all(len(texts) == 1 for texts in by_rule.values()):
        return [list(members)]
    return [by_text[text] for text in sorted(by_text)]


def messages(finding: Finding) -> tuple[str, ...]:
    """Give what each witness says of what has no place, in the form in which it is hashed; () for what has one.

    Each of them, so that a waiver holds when one of two tools is dropped.
    """
    if finding.location.region.start_line or finding.package is not None or finding.lane in _NAMED_OTHERWISE:
        return ()
    return tuple(sorted({anchor(template(witness.message)) for witness in finding.witnesses}))


def is_spoken(known: KnownFinding) -> bool:
    """Tell whether a finding has no place and is told from others by its message."""
    return _is_unplaced(known) and known.anchor not in ("", NO_TEXT)


def is_untold(known: KnownFinding) -> bool:
    """Tell whether a finding has no place and was recorded before messages counted, or has none."""
    return _is_unplaced(known) and known.anchor == NO_TEXT


def is_reworded(one: KnownFinding, other: KnownFinding) -> bool:
    """Tell whether two findings of one name say different things."""
    return one.anchor != other.anchor and is_spoken(one) and is_spoken(other)


_NAMED_OTHERWISE = (Lane.SECRETS, Lane.DEPENDENCIES)


def _is_unplaced(known: KnownFinding) -> bool:
    return known.start_line == 0 and known.lane not in _NAMED_OTHERWISE
