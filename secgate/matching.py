"""Which finding of now is which finding of then: one to one, in passes from the strictest to the weakest.

    exact     the same fingerprint
    alias     a fingerprint in common, the witnesses' own included
    renamed   in the file that git says it was renamed to: the same weakness, symbol, text and ordinal
    moved     the same weakness and text, another symbol
    edited    the same weakness and symbol, another text, and no higher severity than before

Each pass goes by position and consumes what it pairs, so the outcome depends neither on the order of the input nor on
chance. What is left over on one side is new, on the other absent.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from secgate.model import Finding, KnownFinding, Lane, Rename, Severity


class Tier(StrEnum):
    """How strong a match is; strongest first."""

    EXACT = "exact"
    ALIAS = "alias"
    RENAMED = "renamed"
    MOVED = "moved"
    EDITED = "edited"


class Match(NamedTuple):
    """A pair, by index into the two sequences. `ambiguous`: others would have fitted as well, position decided."""

    now: int
    then: int
    tier: Tier
    ambiguous: bool = False


class Matching(NamedTuple):
    """All pairs; besides, what an edited crosswalk merged into, or split off, a pair's finding, as (now, then)."""

    pairs: tuple[Match, ...]
    merged: tuple[tuple[int, int], ...]
    split: tuple[tuple[int, int], ...]


_Key = tuple[object, ...]
_Keys = Callable[[KnownFinding], list[_Key]]
_RANKS = len(Severity)


def known(finding: Finding) -> KnownFinding:
    """Give what matching needs of a finding."""
    return KnownFinding(
        fingerprint=finding.fingerprint,
        algorithm=finding.algorithm,
        aliases=finding.aliases,
        lane=finding.lane,
        weakness=finding.weakness,
        severity=finding.severity,
        path=finding.location.path,
        symbol=finding.symbol,
        ordinal=finding.ordinal,
        anchor=finding.anchor,
        start_line=finding.location.region.start_line,
        scanners=tuple(sorted({witness.scanner for witness in finding.witnesses})),
        first_seen_epoch_s=finding.first_seen_epoch_s,
        obligations=finding.obligations,
    )


def match(now: Sequence[KnownFinding], then: Sequence[KnownFinding], renames: Sequence[Rename] = ()) -> Matching:
    """Pair findings of two times. Fingerprints are expected to be unique on each side."""
    names = {rename.old: rename.new for rename in renames}
    work = _Work(now, then)
    work.join(Tier.EXACT, lambda one: _names(one)[:1], lambda one: _names(one)[:1])
    work.join(Tier.ALIAS, _names, _names)
    work.join(
        Tier.RENAMED,
        lambda one: [_whole(one, one.path)],
        lambda one: [_whole(one, names[one.path])] if one.path in names else [],
    )
    work.join(
        Tier.MOVED,
        lambda one: _text(one, one.path),
        lambda one: _text(one, names.get(one.path, one.path)),
    )
    work.join(
        Tier.EDITED,
        lambda one: _symbol(one, one.path, range(one.severity.rank, _RANKS)),
        lambda one: _symbol(one, names.get(one.path, one.path), (one.severity.rank,)),
    )
    return Matching(tuple(sorted(work.pairs)), *_crosswalk_edits(now, then, work))


def _whole(one: KnownFinding, path: str) -> _Key:
    return path, one.lane, one.weakness, one.symbol, one.anchor, one.ordinal


def _text(one: KnownFinding, path: str) -> list[_Key]:
    return [(path, one.weakness, one.anchor)] if _is_code(one) and one.anchor else []


def _symbol(one: KnownFinding, path: str, ranks: Iterable[int]) -> list[_Key]:
    """Keys under which an edited finding is looked for: nothing that is worse than it was goes for the same one."""
    return [(path, one.weakness, one.symbol, rank) for rank in ranks] if _is_code(one) else []


class _Work:
    """What is not paired yet, on both sides in order of position."""

    def __init__(self, now: Sequence[KnownFinding], then: Sequence[KnownFinding]) -> None:
        self.now, self.then = now, then
        self.left_now = sorted(range(len(now)), key=lambda at: _position(now[at]))
        self.left_then = sorted(range(len(then)), key=lambda at: _position(then[at]))
        self.pairs: list[Match] = []

    def join(self, tier: Tier, now_keys: _Keys, then_keys: _Keys) -> None:
        """Pair what shares a key, first with first, and take it out. Linear in the number of keys."""
        waiting: dict[_Key, deque[int]] = {}
        for at in self.left_then:
            for key in then_keys(self.then[at]):
                waiting.setdefault(key, deque()).append(at)
        sizes = {key: len(found) for key, found in waiting.items()}
        wanted = {at: [key for key in now_keys(self.now[at]) if key in waiting] for at in self.left_now}
        asked = Counter(key for keys in wanted.values() for key in keys)
        used: set[int] = set()
        for at, keys in wanted.items():
            for key in keys:
                found = waiting[key]
                while found and found[0] in used:
                    found.popleft()
                if found:
                    other = found.popleft()
                    used.add(other)
                    self.pairs.append(Match(at, other, tier, sizes[key] > 1 or asked[key] > 1))
                    break
        used_now = {pair.now for pair in self.pairs}
        self.left_now = [at for at in self.left_now if at not in used_now]
        self.left_then = [at for at in self.left_then if at not in used]


def _crosswalk_edits(
    now: Sequence[KnownFinding], then: Sequence[KnownFinding], work: _Work
) -> tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]]:
    """Find merges and splits: a witness in common although the canonical weakness differs.

    With the same weakness a common witness is a twin that one of two tools does not see: then it stays new or absent.
    """
    by_name: dict[_Key, int] = {name: pair.now for pair in work.pairs for name in _names(now[pair.now])}
    old_names: dict[_Key, int] = {name: pair.then for pair in work.pairs for name in _names(then[pair.then])}
    merged, split = [], []
    for at in work.left_then:
        homes = sorted({by_name[name] for name in _names(then[at]) if name in by_name})
        homes = [home for home in homes if now[home].weakness != then[at].weakness]
        if homes:
            merged.append((homes[0], at))
    for at in work.left_now:
        origins = sorted({old_names[name] for name in _names(now[at]) if name in old_names})
        origins = [origin for origin in origins if then[origin].weakness != now[at].weakness]
        if origins:
            split.append((at, origins[0]))
    return tuple(merged), tuple(split)


def _names(one: KnownFinding) -> list[_Key]:
    """Every fingerprint of a finding with its algorithm, its own first."""
    names = [(one.algorithm, one.fingerprint), *sorted((alias.algorithm, alias.value) for alias in one.aliases)]
    return list(dict.fromkeys(names))


def _is_code(one: KnownFinding) -> bool:
    """Tell whether text and symbol say anything: an advisory is another one even where the package is the same."""
    return one.lane is not Lane.DEPENDENCIES


def _position(one: KnownFinding) -> tuple[str, int, int, str, str]:
    return one.path, one.start_line, one.ordinal, one.weakness, one.fingerprint
