"""Stage 6, results with places -> findings with identity, history and a state against the base."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from secgate.crosswalk import Crosswalk
from secgate.fingerprint import SCHEMES, Located, Scheme, package_key
from secgate.grouping import group
from secgate.identity import Codes, identify
from secgate.matching import Match, Matching, Tier, known, match
from secgate.model import (
    Finding,
    Fingerprint,
    History,
    KnownFinding,
    Lane,
    Obligation,
    Scope,
    State,
    Target,
)


class Correlation(NamedTuple):
    """Findings sorted by position, and what was known and is gone. No fingerprint is in both."""

    findings: tuple[Finding, ...]
    absent: tuple[KnownFinding, ...]


def correlate(
    located: Sequence[Located],
    *,
    target: Target,
    crosswalk: Crosswalk,
    base: Sequence[KnownFinding] | None,
    history: History | None,
    comparable: Callable[[KnownFinding], bool],
    codes: Codes | None = None,
    schemes: Sequence[Scheme] = SCHEMES,
    defines: Callable[[str, str], bool] = lambda _, __: False,
    unseen: Callable[[KnownFinding], bool] = lambda _: False,
) -> Correlation:
    """Make findings of results and tell each one's state.

    `base` are the findings of the base under the same tools and packs (`to_known`), or the very ones that are open in
    `history`; None where there is nothing to compare with. `comparable` tells of something known whether this run
    looked where it was, with what saw it: only then is it absent. `unseen` tells whether it may still be there, since
    nothing that saw it looked: then a copy elsewhere is not what was moved. `codes` makes codes of secret texts, where
    there is a key. `defines` tells whether a file of now has a definition of that name: what is mended in it and
    written into another one is new, though clocks go on. `schemes` are the algorithm that names findings and those
    whose names are kept as aliases.
    """
    # File by file, each named as soon as it is grouped: of a large run they do not fit into the processor's memory.
    groups = group(located, commits=target.change_commits, within=crosswalk.within)
    findings = identify(groups, crosswalk, schemes=schemes, codes=codes)
    across_tools = history is not None and base is history.open
    gone = _against_base(findings, base, target, across_tools=across_tools, defines=defines, unseen=unseen)
    stands_in = base is None and target.scope is Scope.PROTECTED
    findings, left = _with_history(findings, history, target, stands_in=stands_in, unseen=unseen)
    # What the ledger remembers of a finding says more than the base scan: it comes last and stays.
    lost = {one.fingerprint: one for one in (*gone, *left)}
    here = _names_of(findings) if lost else set()
    absent = {name: one for name, one in lost.items() if name not in here and comparable(one)}
    return Correlation(
        tuple(sorted(findings, key=_position)),
        tuple(sorted(absent.values(), key=lambda one: (one.path, one.start_line, one.weakness, one.fingerprint))),
    )


def _names_of(findings: Iterable[Finding]) -> set[str]:
    """Give every fingerprint that a finding has or is known by."""
    names: set[str] = set()
    for one in findings:
        names.update((one.fingerprint, one.previous, *one.continues, *(alias.value for alias in one.aliases)))
    return names


def to_known(findings: Iterable[Finding]) -> tuple[KnownFinding, ...]:
    """Give what a later comparison needs of findings, such as those of a base scan."""
    return tuple(known(finding) for finding in findings)


def _position(one: Finding) -> tuple[object, ...]:
    region = one.location.region
    return one.location.path, region.start_line, region.start_column, one.weakness, one.ordinal, one.fingerprint


# ----------------------------------------------------------------------------------------------------- against the base


_STATES = {
    Tier.EXACT: (State.UNCHANGED, "in the base"),
    Tier.ALIAS: (State.UNCHANGED, "in the base, under another name of the same weakness"),
    Tier.RENAMED: (State.UNCHANGED, "in the base, in a file that was renamed"),
    Tier.MOVED: (State.UPDATED, "in the base, the same text in another definition"),
    Tier.RULE: (State.UPDATED, "in the base, the same text under another rule of the same tool"),
    Tier.CARRIED: (State.UPDATED, "in the base, the same text in another file"),
    Tier.EDITED: (State.UPDATED, "in the base, with another text in the same definition"),
    Tier.REWORKED: (State.UPDATED, "in the base, much the same text of the same definition in another file"),
}
_AMBIGUOUS = "; several would have fitted, taken in order"
_UNSURE = "; more such statements than in the base, which of them came anew nothing tells"


def _against_base(
    findings: list[Finding],
    base: Sequence[KnownFinding] | None,
    target: Target,
    *,
    across_tools: bool,
    defines: Callable[[str, str], bool],
    unseen: Callable[[KnownFinding], bool],
) -> list[KnownFinding]:
    """Put findings with their states in the place of those without, and give what of the base is not there any more.

    In their place: of a large run a second list of findings is a hundred megabytes.
    """
    known_now = to_known(findings) if base else ()
    names = {rename.old: rename.new for rename in target.renames}

    def stands(one: KnownFinding) -> bool:
        return bool(one.symbol) and defines(names.get(one.path, one.path), one.symbol)

    matching = match(known_now, base or (), target.renames, across_tools=across_tools, stands=stands, unseen=unseen)
    pairs = {pair.now: pair for pair in matching.pairs}
    split = dict(matching.split)
    tiers = {pair.then: pair.tier for pair in matching.pairs} if split else {}
    changed = None if target.changed is None else frozenset(target.changed)
    for at, one in enumerate(findings):
        state, basis = State.NEW, "not in the base" if base is not None else "nothing to compare with"
        then, ambiguous = None, at in matching.unsure
        if base is not None and at in pairs:
            state, basis = _STATES[pairs[at].tier]
            ambiguous = pairs[at].ambiguous
            basis += _AMBIGUOUS if ambiguous else ""
            then = base[pairs[at].then]
        elif base is not None and at in split:
            state, _ = _STATES[tiers[split[at]]]
            basis, then = "in the base, as part of another finding", base[split[at]]
        elif ambiguous:
            basis += _UNSURE
        findings[at] = msgspec.structs.replace(
            one,
            touched=changed is None or bool(one.location.commit) or one.location.path in changed,
            state=state,
            state_basis=basis,
            ambiguous=ambiguous,
            aliases=_with_name(one, then),
            previous=then.fingerprint if then and then.fingerprint != one.fingerprint else "",
            previous_path=then.path if then and then.path != one.location.path else "",
        )
    return _left(base or (), matching)


def _with_name(finding: Finding, then: KnownFinding | None) -> tuple[Fingerprint, ...]:
    """Give the aliases with the name by which it was known, if that is another one."""
    if then is None or (then.algorithm, then.fingerprint) == (finding.algorithm, finding.fingerprint):
        return finding.aliases
    name = Fingerprint(algorithm=then.algorithm, value=then.fingerprint)
    return finding.aliases if name in finding.aliases else (*finding.aliases, name)


def _left(then: Sequence[KnownFinding], matching: Matching) -> list[KnownFinding]:
    """What was not found again; what another finding took in is not gone."""
    found = {pair.then for pair in matching.pairs} | {at for _, at in matching.merged}
    return [one for at, one in enumerate(then) if at not in found]


# --------------------------------------------------------------------------------------------------- with the ledger's


def _with_history(
    findings: Sequence[Finding],
    history: History | None,
    target: Target,
    *,
    stands_in: bool,
    unseen: Callable[[KnownFinding], bool],
) -> tuple[list[Finding], list[KnownFinding]]:
    """Join what the ledger remembers: first sight, obligations, older names; and tell what only newer tools see.

    `stands_in`: there is no base, and the ledger speaks of this very line: what is open in it is not new.
    """
    if history is None:
        return list(findings), []
    made = list(findings)
    matching = match(to_known(findings), history.open, target.renames, across_tools=True, unseen=unseen)
    for pair in matching.pairs:
        made[pair.now] = _remembered(made[pair.now], history.open[pair.then], pair)
        if stands_in:
            state, basis = _STATES[pair.tier]
            basis = f"{basis.replace('in the base', 'in the ledger')}{_AMBIGUOUS if pair.ambiguous else ''}"
            made[pair.now] = msgspec.structs.replace(made[pair.now], state=state, state_basis=basis)
    for at in matching.unsure if stands_in else ():
        basis = f"not in the ledger{_UNSURE.replace('the base', 'it')}"
        made[at] = msgspec.structs.replace(made[at], state_basis=basis, ambiguous=True)
    for now, at in matching.merged:
        made[now] = _remembered(made[now], history.open[at], None)
    for now, at in matching.split:
        part = _remembered(made[now], history.open[at], None)
        made[now] = msgspec.structs.replace(part, continues=(), part_of=history.open[at].fingerprint)
    for now, at in matching.taken:
        one, then = made[now], history.open[at]
        made[now] = msgspec.structs.replace(
            _remembered(one, then, None), continues=one.continues, taken_from=(*one.taken_from, then.fingerprint)
        )
    _with_former_advisories(made, history.open, matching, target)
    seen = {pair.now for pair in matching.pairs} | {now for now, _ in matching.split}
    _seen_before(made, seen, history, target)
    lanes = _lanes_seen_before(history, target)
    for at, one in enumerate(made):
        if at not in seen and one.lane in lanes and one.state in (State.UNCHANGED, State.UPDATED):
            made[at] = msgspec.structs.replace(
                one,
                state=State.NEWLY_DETECTABLE,
                state_basis=f"{one.state_basis}; the recorded runs of this line did not see it",
            )
    return made, _left(history.open, matching)


def _with_former_advisories(
    made: list[Finding], then: Sequence[KnownFinding], matching: Matching, target: Target
) -> None:
    """Let an advisory keep the names that the database does not give it any more, unless another one has them now.

    A record that is withdrawn, being another's twin, takes its name out; who answers for it under that name still does.
    Where its own root is gone it may never have been that one: nobody's word for that is for what is left. What is new
    beside a change's base goes on with nothing.
    """
    both = ((pair.now, pair.then) for pair in matching.pairs if then[pair.then].advisories)
    pairs = [(now, at) for now, at in both if made[now].fingerprint == then[at].fingerprint]
    named = {(_package_key(one), name) for one in made for name in one.advisories} if pairs else set()
    for now, at in pairs:
        one = made[now]
        former = {name for name in then[at].advisories if (_package_key(one), name) not in named}
        if former and not (target.base_commit and one.state is State.NEW):
            made[now] = msgspec.structs.replace(one, advisories=tuple(sorted({*one.advisories, *former})))


def _package_key(one: Finding) -> tuple[str, str]:
    return package_key(one.package.ecosystem, one.package.name) if one.package else ("", "")


def _seen_before(made: list[Finding], seen: set[int], history: History, target: Target) -> None:
    """Give what is back within its episode's window its first sight. Source: SLA semantics, rule 4.

    Only by its names or in a renamed file: another text in the place of what was mended is another weakness.
    """
    rest = [at for at in range(len(made)) if at not in seen] if history.closed else []
    if not rest:
        return
    matching = match(to_known(made[at] for at in rest), history.closed, target.renames)
    for pair in matching.pairs:
        if pair.tier in (Tier.EXACT, Tier.ALIAS, Tier.RENAMED):
            at, then = rest[pair.now], history.closed[pair.then]
            back = _remembered(made[at], then, None)
            basis = f"{back.state_basis}; seen before, and gone for a while"
            made[at] = msgspec.structs.replace(back, state_basis=basis)


def _lanes_seen_before(history: History, target: Target) -> frozenset[Lane]:
    """Lanes of the complete recorded runs at the base; without such a run, of all complete ones of the line.

    Only of those that started clocks on this line: what other runs saw is not among what is open here.
    """
    complete = [
        run for run in history.runs if run.complete and not run.dirty and run.clocked and run.line == target.line
    ]
    at_base = [run for run in complete if target.base_commit and run.commit == target.base_commit]
    return frozenset(lane for run in at_base or complete for lane in run.lanes)


def _remembered(finding: Finding, then: KnownFinding, pair: Match | None) -> Finding:
    """Give the finding its first sight, its obligations and the name that the ledger knows it by."""
    times = [time for time in (finding.first_seen_epoch_s, then.first_seen_epoch_s) if time is not None]
    is_other = (then.algorithm, then.fingerprint) != (finding.algorithm, finding.fingerprint)
    duties = (msgspec.structs.replace(duty, finding=finding.fingerprint) for duty in then.obligations)
    obligations: Mapping[Obligation, None] = dict.fromkeys((*finding.obligations, *duties))
    basis = finding.state_basis
    if pair is not None and (pair.tier is not Tier.EXACT or pair.ambiguous):
        basis = f"{basis}; in the ledger {pair.tier.value}{_AMBIGUOUS if pair.ambiguous else ''}"
    return msgspec.structs.replace(
        finding,
        first_seen_epoch_s=min(times, default=None),
        known_severity=max(
            (one for one in (finding.known_severity, then.severity) if one is not None), key=lambda one: one.rank
        ),
        obligations=tuple(obligations),
        continues=(*finding.continues, then.fingerprint),
        previous=finding.previous or (then.fingerprint if is_other else ""),
        previous_path=finding.previous_path or (then.path if then.path != finding.location.path else ""),
        aliases=_with_name(finding, then),
        state_basis=basis,
        ambiguous=finding.ambiguous or (pair is not None and pair.ambiguous),
    )
