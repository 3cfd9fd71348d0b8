"""Which secrets of the base still stand, and which of a change's secrets came with the base.

A secret's identity has no text in it, so another secret in the place of an old one has the old one's name. Its text
tells them apart: by digests that live in memory only, between two looks of one run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from secgate.fingerprint import Located
from secgate.model import Rename

_Rule = tuple[str, str, str]


def standing(base: Sequence[Located], head: Iterable[Located], renames: Iterable[Rename]) -> list[Located]:
    """Give the base's results without those of secrets that the head has replaced by others.

    Replaced: a rule that sees a text there finds others in that file of the head and not this one, or others in any
    file and this one in none. What overlaps it goes with it, since one tool may know the whole of a key and another its
    first line only.
    """
    now = list(head)
    here, anywhere = _texts(now, {}), _texts(now, {one.result.location.path: "" for one in now})
    names = {rename.old: rename.new for rename in renames}

    def is_replaced(one: Located) -> bool:
        path, scanner, rule = _rule(one, names)
        found = (here.get((path, scanner, rule), set()), anywhere.get(("", scanner, rule), set()))
        return _is_told(one) and any(texts and texts.isdisjoint(one.texts) for texts in found)

    gone = [one for one in base if is_replaced(one)]
    return [one for one in base if not any(_overlap(one, other) for other in gone)]


def brought(past: Sequence[Located], base: Iterable[Located], renames: Iterable[Rename]) -> list[Located]:
    """Give results in the change's commits without those of secrets that the same rule sees in the base's file.

    A commit that only touches such a file did not bring them, and one that takes them out must be able to pass.
    """
    before = _texts(base, {rename.old: rename.new for rename in renames})
    before_by_old_name = _texts(base, {})
    return [
        one
        for one in past
        if not _is_told(one)
        or not any(set(one.texts) <= known.get(_rule(one, {}), set()) for known in (before, before_by_old_name))
    ]


def _is_told(one: Located) -> bool:
    return one.result.secret and bool(one.texts)


def _rule(one: Located, names: Mapping[str, str]) -> _Rule:
    path = one.result.location.path
    return names.get(path, path), one.result.scanner, one.result.rule


def _texts(located: Iterable[Located], names: Mapping[str, str]) -> dict[_Rule, set[str]]:
    found: dict[_Rule, set[str]] = {}
    for one in located:
        if _is_told(one):
            found.setdefault(_rule(one, names), set()).update(one.texts)
    return found


def _overlap(one: Located, other: Located) -> bool:
    """Tell whether two results of one look are about the same text."""
    if one is other:
        return True
    if not one.result.secret or one.result.location.path != other.result.location.path:
        return False
    return any(start < to and at < end for start, end in one.spans for at, to in other.spans)
