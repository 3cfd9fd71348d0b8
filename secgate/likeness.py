"""How much alike two statements are, told from a few hashes of the words in each.

A sketch holds the smallest hashes of a statement's distinct words, so that two sketches can be compared without either
text: what was edited shares most words with what it was, another statement of the same function shares few. Measured on
real history, edited statements share two words in five or more, others at most one in four.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from struct import pack
from zlib import crc32

from secgate.model import KnownFinding

MOST_WORDS = 16
"""Hashes in a sketch; of a longer statement a sample, the same whatever is around it."""
DIGITS = 4
ALIKE = 1 / 3
"""From here on a statement in the same place counts as edited; below, as another one."""
MUCH_ALIKE = 0.6
"""The same for a statement in another file."""
MOST_COMPARED = 40
"""How many statements of one definition an edited one is compared with, by order."""
LONG = 8
"""Distinct words from which equal text says enough without a symbol."""

_WORD = re.compile(r"\w+")
_PLAIN_WORD = re.compile(rb"\w+")


def sketch(normalised: Iterable[str]) -> str:
    """Give the sketch of a normalised text, up to sixteen hashes of four hexadecimal digits, rising."""
    text = "\n".join(normalised)
    # This is done for each finding of a run: what is plain is read as bytes.
    words = _PLAIN_WORD.findall(text.encode()) if text.isascii() else _words(text)
    hashes = sorted({crc32(word) & 0xFFFF for word in words})[:MOST_WORDS]
    return pack(f">{len(hashes)}H", *hashes).hex()


def _words(text: str) -> list[bytes]:
    return [word.encode("utf-8", "surrogatepass") for word in _WORD.findall(text)]


def likeness(one: str, other: str) -> float:
    """Give the share of words in common, 0.0 to 1.0, of two sketches; 0.0 where one of them is empty."""
    return _share(_hashes(one), _hashes(other))


def _share(mine: frozenset[str], others: frozenset[str]) -> float:
    if not mine or not others:
        return 0.0
    # Of both texts together a sketch would hold no more than this many: larger hashes one side may just not tell.
    sample = sorted(mine | others)[:MOST_WORDS]
    return len((mine & others).intersection(sample)) / len(sample)


def word_count(one: str) -> int:
    """Give how many distinct words a sketch tells of, at most sixteen."""
    return len(one) // DIGITS


def joint_word_count(sketches: Iterable[str]) -> int:
    """Give how many distinct words several sketches tell of together."""
    return len(frozenset[str]().union(*map(_hashes, sketches)))


def alike(now: Sequence[KnownFinding], then: Sequence[KnownFinding], floor: float) -> list[tuple[int, int, bool]]:
    """Pair, by index, what is alike by `floor` at least and no worse than it was, the most alike first.

    The last of each triple: another was as much alike, and order decided. Work is linear in the length of the lists.
    """
    found = []
    hashes = [_hashes(known.sketch) for known in then]
    for at, one in enumerate(now):
        mine = _hashes(one.sketch)
        start = max(at - MOST_COMPARED // 2, 0)
        for other, known in enumerate(then[start : at + MOST_COMPARED // 2], start):
            degree = _share(mine, hashes[other])
            if degree >= floor and one.severity.rank <= known.severity.rank:
                found.append((-degree, abs(at - other), at, other))
    ties = Counter(key for degree, _, at, other in found for key in ((degree, "now", at), (degree, "then", other)))
    pairs: list[tuple[int, int, bool]] = []
    used_now: set[int] = set()
    used: set[int] = set()
    for degree, _, at, other in sorted(found):
        if at not in used_now and other not in used:
            used_now.add(at)
            used.add(other)
            pairs.append((at, other, ties[degree, "now", at] > 1 or ties[degree, "then", other] > 1))
    return pairs


def _hashes(one: str) -> frozenset[str]:
    return frozenset(one[at : at + DIGITS] for at in range(0, len(one), DIGITS))
