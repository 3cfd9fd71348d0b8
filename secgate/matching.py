"""Which finding of now is which finding of then: one to one, in passes from the strictest to the weakest.

    exact     the same fingerprint
    alias     a fingerprint in common, the witnesses' own included; for what was recorded without a place before its
              message counted, the first of those that have its place now
    renamed   in the file that git says it was renamed to: the same weakness, symbol, text and ordinal
    moved     the same weakness and text, another symbol
    rule      the same symbol and text by a rule of another name, where a tool may have been upgraded in between
    carried   the same weakness, symbol and text in another file, and nothing else that it could be; a long text also
              without its symbol, and so do several short ones that left one definition and stand in one other, in
              order; a secret only where its text is the same too
    edited    the same weakness and symbol, a text alike, and no higher severity than before; where no symbol is known,
              also the same neighbourhood
    reworked  the same in another file: the same weakness and symbol, a text much alike, and no higher severity

What has no place is known by its names, and by its message in a renamed file: another message is another weakness. The
only one of its kind has one name whatever it says, so with another message it is edited.

Each pass goes by position and consumes what it pairs, so the outcome depends neither on the order of the input nor on
chance. What is left over on one side is new, on the other absent.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Container, Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from secgate.likeness import ALIKE, LONG, MUCH_ALIKE, alike, joint_word_count, likeness, word_count
from secgate.model import Finding, KnownFinding, Lane, Rename, Severity
from secgate.neighbours import Neighbours
from secgate.parts import Key, every_name, kind_of, merges_and_splits, position_of, renamed, taken_over
from secgate.placeless import is_reworded, is_spoken, is_untold


class Tier(StrEnum):
    """How strong a match is; strongest first."""

    EXACT = "exact"
    ALIAS = "alias"
    RENAMED = "renamed"
    MOVED = "moved"
    RULE = "rule"
    CARRIED = "carried"
    EDITED = "edited"
    REWORKED = "reworked"


class Match(NamedTuple):
    """A pair, by index into the two sequences. `ambiguous`: others would have fitted as well, position decided."""

    now: int
    then: int
    tier: Tier
    ambiguous: bool = False


class Matching(NamedTuple):
    """All pairs; besides, what was merged into, or split off, a pair's finding, as (now, then).

    `taken` are those of now that have taken a witness over from one that they are neither paired with nor part of.
    `unsure` are those of now that were not paired while equal ones were: which of them is new, nothing tells.
    """

    pairs: tuple[Match, ...]
    merged: tuple[tuple[int, int], ...]
    split: tuple[tuple[int, int], ...]
    taken: tuple[tuple[int, int], ...]
    unsure: frozenset[int] = frozenset()


NEAR_LINES = 100
"""How far an edited statement without a symbol may have moved, beyond what its neighbours did, and be the same."""

_Keys = Callable[[KnownFinding], Iterable[Key]]
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
        rules=tuple(dict.fromkeys((witness.scanner, witness.rule) for witness in finding.witnesses)),
        secret_macs=finding.secret_macs,
        sketch=finding.sketch,
        first_seen_epoch_s=finding.first_seen_epoch_s,
        obligations=finding.obligations,
    )


def match(
    now: Sequence[KnownFinding],
    then: Sequence[KnownFinding],
    renames: Sequence[Rename] = (),
    *,
    across_tools: bool = False,
    stands: Callable[[KnownFinding], bool] = lambda _: False,
    unseen: Callable[[KnownFinding], bool] = lambda _: False,
) -> Matching:
    """Pair findings of two times. Fingerprints are expected to be unique on each side.

    `stands` tells of a finding of then whether its definition is still there: then the same text elsewhere is not what
    was moved. `unseen` tells whether it may be where it was, and nobody looked: then it is a copy in another file.

    `across_tools`: the two sides may come from other versions of the tools, so that one weakness may have another
    rule's name. Where both come from the same tools that would hide a second weakness under the first.
    """
    names = {rename.old: rename.new for rename in renames}

    def moved(one: KnownFinding) -> str:
        return names.get(one.path, one.path)

    if names:
        then = [renamed(one, names[one.path]) if one.path in names else one for one in then]
    work = _Work(now, then)
    work.exact()
    if names:
        work.join(
            Tier.RENAMED,
            lambda one: (_whole(one, one.path),),
            lambda one: (_whole(one, names[one.path]),) if one.path in names else (),
        )
    work.join(Tier.ALIAS, every_name, every_name)
    work.join(Tier.ALIAS, lambda one: kind_of(one, is_spoken), lambda one: kind_of(one, is_untold))
    work.join(Tier.MOVED, lambda one: _text(one, one.path), lambda one: [] if stands(one) else _text(one, moved(one)))
    if across_tools and work.left_now and work.left_then:
        here, there = _rules_at(now, _path), _rules_at(then, moved)
        for keys in (_rule, _place):
            work.join_unique(Tier.RULE, _if_new(keys, _path, there), _if_new(keys, moved, here))

    def if_gone(keys: _Keys) -> _Keys:
        return lambda one: [] if stands(one) or unseen(one) else keys(one)

    work.join_unique(Tier.CARRIED, _anywhere, if_gone(_anywhere))
    work.join_unique(Tier.CARRIED, _long_text, if_gone(_long_text))
    work.join_together(Tier.CARRIED, _telling_text, if_gone(_telling_text))
    work.join_alike(Tier.EDITED, lambda one: _within(one, one.path), lambda one: _within(one, moved(one)), ALIKE)
    work.join(
        Tier.EDITED,
        lambda one: _symbol(one, one.path, range(one.severity.rank, _RANKS)),
        lambda one: _symbol(one, moved(one), (one.severity.rank,)) if not one.sketch else [],
    )
    work.join_near(moved)
    work.join_alike(Tier.REWORKED, lambda one: _within(one, ""), if_gone(lambda one: _within(one, "")), MUCH_ALIKE)
    pairs, unsure = _with_twins(now, then, work, moved)
    paired = [(pair.now, pair.then) for pair in work.pairs]
    merged, split = merges_and_splits(now, then, paired, (work.left_now, work.left_then))
    taken = taken_over(now, then, paired, merged, split)
    return Matching(pairs, merged, split, taken, unsure)


# ----------------------------------------------------------------------------------------------------------------- keys


def _whole(one: KnownFinding, path: str) -> Key:
    return path, one.lane, one.weakness, one.symbol, one.anchor, one.ordinal


def _text(one: KnownFinding, path: str) -> list[Key]:
    return [(path, one.weakness, one.anchor)] if _is_code(one) and one.anchor and one.start_line else []


def _place(one: KnownFinding, path: str) -> list[Key]:
    if not (_is_code(one) and one.anchor):
        return []
    return [(path, one.lane, one.symbol, one.anchor, one.ordinal, scanner) for scanner in one.scanners]


def _rule(one: KnownFinding, path: str) -> list[Key]:
    """A place with the last part of the rule's name: packs rename the folders that their rules are in."""
    last = one.weakness.replace(":", ".").rsplit(".", 1)[-1]
    return [(*key, last) for key in _place(one, path)]


def _path(one: KnownFinding) -> str:
    return one.path


def _rules_at(side: Sequence[KnownFinding], path: Callable[[KnownFinding], str]) -> set[Key]:
    return {(path(one), one.symbol, one.anchor, rule) for one in side for rule in one.rules}


def _if_new(
    keys: Callable[[KnownFinding, str], list[Key]], path: Callable[[KnownFinding], str], others: Container[Key]
) -> _Keys:
    """Give keys to what has no rule that the other side has at its place: one that is there has not been renamed."""

    def given(one: KnownFinding) -> list[Key]:
        own = path(one)
        is_new = all((own, one.symbol, one.anchor, rule) not in others for rule in one.rules)
        return keys(one, own) if is_new else []

    return given


def _anywhere(one: KnownFinding) -> list[Key]:
    """Keys without a path. Text of a secret is masked, so it is known by its codes alone; other text by its symbol."""
    if one.lane is Lane.SECRETS:
        return [(one.weakness, mac) for mac in one.secret_macs]
    return [(one.lane, one.weakness, one.symbol, one.anchor)] if one.symbol and one.anchor else []


def _telling_text(one: KnownFinding) -> list[Key]:
    is_telling = one.lane is not Lane.SECRETS and one.anchor and one.sketch
    return [(one.lane, one.weakness, one.anchor)] if is_telling else []


def _long_text(one: KnownFinding) -> list[Key]:
    return _telling_text(one) if word_count(one.sketch) >= LONG else []


def _definition(one: KnownFinding) -> tuple[str, str]:
    return one.path, one.symbol


def _within(one: KnownFinding, path: str) -> list[Key]:
    """Keys under which a text alike is looked for; older records have no sketch, and secrets never have one."""
    return [(path, one.lane, one.weakness, one.symbol)] if one.symbol and one.sketch else []


def _symbol(one: KnownFinding, path: str, ranks: Iterable[int]) -> list[Key]:
    """Keys under which an edited finding is looked for: nothing that is worse than it was goes for the same one."""
    is_edited = _is_code(one) and one.symbol and not is_spoken(one)
    return [(path, one.weakness, one.symbol, rank) for rank in ranks] if is_edited else []


def _is_code(one: KnownFinding) -> bool:
    """Tell whether text and symbol say anything: an advisory is another one even where the package is the same."""
    return one.lane is not Lane.DEPENDENCIES


# --------------------------------------------------------------------------------------------------------------- passes


class _Work:
    """What is not paired yet, on both sides in order of position."""

    def __init__(self, now: Sequence[KnownFinding], then: Sequence[KnownFinding]) -> None:
        self.now, self.then = now, then
        self.left_now: Sequence[int] = range(len(now))
        self.left_then: Sequence[int] = range(len(then))
        self.pairs: list[Match] = []

    def exact(self) -> None:
        """Pair equal fingerprints; most findings of most runs need no more, so this pass makes nothing for them."""
        waiting = {one.fingerprint: at for at, one in enumerate(self.then)}
        used: set[int] = set()
        left = []
        for at, one in enumerate(self.now):
            other = waiting.get(one.fingerprint, -1)
            if other < 0 or other in used or self.then[other].algorithm != one.algorithm:
                left.append(at)
            else:
                used.add(other)
                self.pairs.append(Match(at, other, Tier.EDITED if is_reworded(one, self.then[other]) else Tier.EXACT))
        self.left_now = sorted(left, key=lambda at: position_of(self.now[at]))
        rest = [at for at in range(len(self.then)) if at not in used]
        self.left_then = sorted(rest, key=lambda at: position_of(self.then[at]))

    def join(self, tier: Tier, now_keys: _Keys, then_keys: _Keys) -> None:
        """Pair what shares a key, first with first, and take it out. Linear in the number of keys."""
        waiting: dict[Key, deque[int]] = {}
        for at in self.left_then:
            for key in then_keys(self.then[at]):
                waiting.setdefault(key, deque()).append(at)
        sizes = {key: len(found) for key, found in waiting.items()}
        wanted = {at: [key for key in now_keys(self.now[at]) if key in waiting] for at in self.left_now}
        asked = Counter(key for keys in wanted.values() for key in keys)
        made: list[Match] = []
        used: set[int] = set()
        for at, keys in wanted.items():
            for key in keys:
                found = waiting[key]
                while found and found[0] in used:
                    found.popleft()
                if found:
                    other = found.popleft()
                    used.add(other)
                    made.append(Match(at, other, tier, sizes[key] > 1 or asked[key] > 1))
                    break
        self._take(made)

    def join_unique(self, tier: Tier, now_keys: _Keys, then_keys: _Keys) -> None:
        """Pair what shares a key that nothing else on either side has."""
        self._take(self._unique(tier, now_keys, then_keys))

    def _unique(self, tier: Tier, now_keys: _Keys, then_keys: _Keys) -> list[Match]:
        here, there = _holders(self.left_now, self.now, now_keys), _holders(self.left_then, self.then, then_keys)
        made: dict[int, Match] = {}
        used: set[int] = set()
        for key, holders in here.items():
            others = there.get(key, ())
            if len(holders) == len(others) == 1 and holders[0] not in made and others[0] not in used:
                made[holders[0]] = Match(holders[0], others[0], tier)
                used.add(others[0])
        return list(made.values())

    def join_together(self, tier: Tier, now_keys: _Keys, then_keys: _Keys) -> None:
        """Pair what shares a key that nothing else has, where several left one definition and stand in one other.

        Each alone says too little; in the same order, and of as many words as a long text has, they say enough.
        """
        moves: dict[Key, list[Match]] = {}
        for pair in self._unique(tier, now_keys, then_keys):
            one, other = self.now[pair.now], self.then[pair.then]
            if one.symbol and other.symbol:
                moves.setdefault((_definition(one), _definition(other)), []).append(pair)
        made: list[Match] = []
        for pairs in moves.values():
            pairs.sort(key=lambda pair: position_of(self.now[pair.now]))
            olds = [position_of(self.then[pair.then]) for pair in pairs]
            words = joint_word_count(self.now[pair.now].sketch for pair in pairs)
            if len(pairs) > 1 and words >= LONG and olds == sorted(olds):
                made += pairs
        self._take(made)

    def join_alike(self, tier: Tier, now_keys: _Keys, then_keys: _Keys, floor: float) -> None:
        """Pair what shares a key and is alike, the most alike first, nothing that is worse than it was."""
        here, there = _holders(self.left_now, self.now, now_keys), _holders(self.left_then, self.then, then_keys)
        made: list[Match] = []
        for key, holders in here.items():
            pairs = alike([self.now[at] for at in holders], [self.then[at] for at in there.get(key, ())], floor)
            made += [Match(holders[one], there[key][other], tier, is_tie) for one, other, is_tie in pairs]
        self._take(made)

    def join_near(self, moved: Callable[[KnownFinding], str]) -> None:
        """Pair edited statements that stand in no definition: between the same neighbours, and near to where they were.

        Without that, whatever was mended in a long file would hide whatever was added to it.
        """
        around = Neighbours(((pair.now, pair.then) for pair in self.pairs), self.now, self.then, moved)
        here: dict[Key, deque[tuple[int, int]]] = {}
        there: dict[Key, list[tuple[int, int]]] = {}
        for at in self.left_now:
            one = self.now[at]
            if _is_code(one) and not one.symbol and not is_spoken(one):
                gap, offset = around.now(one)
                here.setdefault((one.path, one.weakness, gap), deque()).append((offset, at))
        for at in self.left_then:
            one = self.then[at]
            if _is_code(one) and not one.symbol and not is_spoken(one):
                gap, offset = around.then(one)
                there.setdefault((moved(one), one.weakness, gap), []).append((offset, at))
        made: list[Match] = []
        for key, olds in there.items():
            waiting = here.get(key, deque())
            is_one_of_several = len(olds) > 1 or len(waiting) > 1
            for offset, at in olds:
                while waiting and waiting[0][0] < offset - NEAR_LINES:
                    waiting.popleft()
                if waiting and waiting[0][0] <= offset + NEAR_LINES:
                    other = waiting[0][1]
                    if self.now[other].severity.rank <= self.then[at].severity.rank and self._may_be(other, at):
                        waiting.popleft()
                        made.append(Match(other, at, Tier.EDITED, is_one_of_several))
        self._take(made)

    def _may_be(self, now: int, then: int) -> bool:
        one, other = self.now[now].sketch, self.then[then].sketch
        return not (one and other) or likeness(one, other) >= ALIKE

    def _take(self, made: Iterable[Match]) -> None:
        self.pairs += made
        if made:
            used_now, used = {pair.now for pair in made}, {pair.then for pair in made}
            self.left_now = [at for at in self.left_now if at not in used_now]
            self.left_then = [at for at in self.left_then if at not in used]


def _holders(left: Iterable[int], side: Sequence[KnownFinding], keys: _Keys) -> dict[Key, list[int]]:
    found: dict[Key, list[int]] = {}
    for at in left:
        for key in keys(side[at]):
            found.setdefault(key, []).append(at)
    return found


# -------------------------------------------------------------------------------------- what is said beside the pairs


def _twins(one: KnownFinding, path: str) -> Key:
    return path, one.lane, one.weakness, one.symbol, one.anchor


def _with_twins(
    now: Sequence[KnownFinding], then: Sequence[KnownFinding], work: _Work, moved: Callable[[KnownFinding], str]
) -> tuple[tuple[Match, ...], frozenset[int]]:
    """Mark the pairs among equal statements whose number changed: which of them came or went, nothing tells."""
    anchors = {one.anchor for side in (now, then) for one in side if one.ordinal > 1 and _is_code(one)}
    here = Counter(_twins(one, one.path) for one in now if one.anchor in anchors) if anchors else Counter()
    there = Counter(_twins(one, moved(one)) for one in then if one.anchor in anchors) if anchors else Counter()
    uneven = {key for key, count in here.items() if there[key] not in (0, count)}
    if not uneven:
        return tuple(sorted(work.pairs)), frozenset()
    marked = [
        pair._replace(ambiguous=True) if _twins(now[pair.now], now[pair.now].path) in uneven else pair
        for pair in work.pairs
    ]
    unsure = frozenset(at for at in work.left_now if _twins(now[at], now[at].path) in uneven)
    return tuple(sorted(marked)), unsure
