"""Stage 6, results with places -> findings with identity, history and a state against the base."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from secgate.crosswalk import Crosswalk
from secgate.fingerprint import (
    Located,
    Place,
    advisory_root,
    anchor,
    dependency_fingerprint,
    digest,
    fingerprint,
    package_name,
    secret_fingerprint,
    weakness_fingerprint,
)
from secgate.grouping import Group, advisory_names, group
from secgate.matching import Match, Matching, Tier, known, match
from secgate.model import (
    Confidence,
    Finding,
    Fingerprint,
    History,
    KnownFinding,
    Lane,
    Location,
    Obligation,
    Region,
    Result,
    State,
    Target,
)

LONGEST_TITLE = 160
_CONFIDENCES = (Confidence.HIGH, Confidence.MEDIUM, Confidence.LOW)
_LANES = (Lane.SECRETS, Lane.WORKFLOWS, Lane.DEPENDENCIES, Lane.IAC, Lane.SAST)
"""Where witnesses of several lanes meet, the first of these is the finding's: no path class lowers the first three."""


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
) -> Correlation:
    """Make findings of results and tell each one's state.

    `base` are the findings of the base under the same tools and packs (`to_known`), None where there is nothing to
    compare with. `comparable` tells of something known whether this run looked where it was, with what saw it:
    only then is it absent.
    """
    groups = group(located, commits=target.change_commits, within=crosswalk.within)
    findings, gone = _against_base(_findings(groups, crosswalk), base, target)
    findings, left = _with_history(findings, history, target)
    names = {(one.algorithm, one.fingerprint) for one in findings}
    names |= {(alias.algorithm, alias.value) for one in findings for alias in one.aliases}
    names |= {(one.algorithm, one.previous) for one in findings if one.previous}
    # What the ledger remembers of a finding says more than the base scan: it comes last and stays.
    absent = {
        one.fingerprint: one
        for one in (*gone, *left)
        if comparable(one) and (one.algorithm, one.fingerprint) not in names
    }
    return Correlation(
        tuple(sorted(findings, key=_position)),
        tuple(sorted(absent.values(), key=lambda one: (one.path, one.start_line, one.weakness, one.fingerprint))),
    )


def to_known(findings: Iterable[Finding]) -> tuple[KnownFinding, ...]:
    """Give what a later comparison needs of findings, such as those of a base scan."""
    return tuple(known(finding) for finding in findings)


def _position(one: Finding) -> tuple[object, ...]:
    region = one.location.region
    return one.location.path, region.start_line, region.start_column, one.weakness, one.ordinal, one.fingerprint


# ------------------------------------------------------------------------------------------------------------- identity


class _Draft(NamedTuple):
    """A group with what its identity rests on, before ordinals are given."""

    group: Group
    results: tuple[Result, ...]
    weakness: str
    path: str
    commit: str
    place: Place
    anchored: str


def _findings(groups: Sequence[Group], crosswalk: Crosswalk) -> list[Finding]:
    wider = crosswalk.within
    drafts = [_draft(one, wider) for one in groups]
    ordinals: Counter[tuple[object, ...]] = Counter()
    made = []
    for draft in drafts:
        names = [draft.weakness, *sorted({_rule_name(result) for result in draft.results})]
        numbers: list[int] = []
        for name in names:
            key = _twin_key(draft, name, is_witness=bool(numbers))
            ordinals[key] += 1
            numbers.append(ordinals[key])
        made.append(_finding(draft, names, numbers, crosswalk))
    return _unique(made)


def _draft(one: Group, within: Mapping[str, str]) -> _Draft:
    # All of a unit share one place; of a secret's versions the first is the one that names it.
    home = one.members[0]
    location = home.result.location
    results = tuple(dict.fromkeys(member.result for member in one.members))
    names = {result.weakness for result in results}
    return _Draft(
        group=one,
        results=results,
        weakness=min(names - {within[name] for name in names if name in within}, key=_plainness),
        path=location.path,
        commit=location.commit,
        place=home.place,
        anchored=anchor(home.place.normalised),
    )


def _plainness(weakness: str) -> tuple[int, str]:
    """Order names: of the crosswalk first, then CWE numbers, then tools' rules."""
    return (2 if ":" in weakness else 1 if weakness.startswith("cwe-") else 0, weakness)


def _rule_name(result: Result) -> str:
    return f"{result.scanner}:{result.rule}"


def _twin_key(draft: _Draft, name: str, *, is_witness: bool) -> tuple[object, ...]:
    """Equal for twins, which only their order tells apart."""
    text = "" if draft.group.kind == "secret" else draft.anchored
    return is_witness, draft.group.kind, name, draft.path, draft.commit, draft.place.symbol, text


def _finding(draft: _Draft, names: Sequence[str], numbers: Sequence[int], crosswalk: Crosswalk) -> Finding:
    worst = max(draft.results, key=lambda result: (result.severity.rank, result.score, _rule_name(result)))
    value, others, symbol, anchored = _identity(draft, names, numbers)
    described = crosswalk.describe(draft.weakness)
    confidence = min((result.confidence for result in draft.results), key=_CONFIDENCES.index)
    title = _title(draft, described.title if described else worst.message.split("\n", 1)[0], confidence)
    own = {name for result in draft.results for name in (result.advisory, *result.aliases) if name}
    return Finding(
        fingerprint=value,
        lane=min((result.lane for result in draft.results), key=_LANES.index),
        weakness=draft.weakness,
        title=title[:LONGEST_TITLE],
        severity=worst.severity,
        score=worst.score,
        severity_basis=worst.severity_basis,
        confidence=confidence,
        location=Location(path=draft.path, region=_shown_region(draft), commit=draft.commit),
        symbol=symbol,
        ordinal=numbers[0],
        anchor=anchored,
        witnesses=draft.results,
        aliases=tuple(fingerprint(other) for other in sorted(set(others) - {value})),
        advisories=tuple(sorted(own)),
        package=next((result.package for result in draft.results if result.package is not None), None),
        remedy=next(
            (result.remedy for result in draft.results if result.remedy), described.remedy if described else ""
        ),
        snippet=draft.place.snippet,
        suppressed_in_source=all(_is_suppressed(result) for result in draft.results),
    )


def _title(draft: _Draft, title: str, confidence: Confidence) -> str:
    """Say which package is meant, and of a guess that it is one."""
    package = draft.results[0].package
    if draft.group.kind == "dependency" and package is not None:
        name = advisory_root(name for result in draft.results for name in (result.advisory, *result.aliases))
        known = f"{package.name} {package.version}".rstrip()
        return f"{known} has a known vulnerability ({name})"
    if draft.group.kind == "secret" and confidence is Confidence.LOW:
        return f"Possible {title[:1].lower()}{title[1:]}"
    return title


def _shown_region(draft: _Draft) -> Region:
    """Where a person looks: the unit, but for a secret its own line, since a unit may be a table of hundreds."""
    own = draft.group.members[0].result.location.region
    return own if draft.group.kind == "secret" and own.start_line else draft.place.region


def _is_suppressed(result: Result) -> bool:
    return any(one.kind == "inSource" for one in result.suppressions)


def _identity(draft: _Draft, names: Sequence[str], numbers: Sequence[int]) -> tuple[str, list[str], str, str]:
    """Give fingerprint, those of the witnesses, symbol and anchor."""
    package = draft.results[0].package
    symbol, path, commit = draft.place.symbol, draft.path, draft.commit
    if draft.group.kind == "dependency" and package is not None:
        ids = sorted({name for member in draft.group.members for name in advisory_names(member)})
        root = advisory_root(ids)
        others = [dependency_fingerprint(package, name, manifest=path) for name in ids]
        symbol = package_name(package)
        anchored = digest("package", package.ecosystem.lower(), symbol, root)
        return dependency_fingerprint(package, root, manifest=path), others, symbol, anchored
    made: list[str] = []
    for name, ordinal in zip(names, numbers, strict=True):
        kind = "" if not made else "witness "
        if draft.group.kind == "secret":
            made.append(secret_fingerprint(kind + name, path=path, symbol=symbol, ordinal=ordinal, commit=commit))
        else:
            made.append(
                weakness_fingerprint(
                    kind + name, path=path, symbol=symbol, anchored=draft.anchored, ordinal=ordinal, commit=commit
                )
            )
    return made[0], made[1:], symbol, draft.anchored


def _unique(findings: Sequence[Finding]) -> list[Finding]:
    """Join findings of one fingerprint, such as one advisory on two lines of a manifest."""
    found: dict[str, Finding] = {}
    for one in findings:
        first = found.get(one.fingerprint)
        if first is None:
            found[one.fingerprint] = one
            continue
        worst = max(first, one, key=lambda each: (each.severity.rank, each.score))
        found[one.fingerprint] = msgspec.structs.replace(
            first,
            severity=worst.severity,
            score=worst.score,
            severity_basis=worst.severity_basis,
            witnesses=tuple(dict.fromkeys((*first.witnesses, *one.witnesses))),
            aliases=tuple(dict.fromkeys((*first.aliases, *one.aliases))),
            advisories=tuple(sorted({*first.advisories, *one.advisories})),
            suppressed_in_source=first.suppressed_in_source and one.suppressed_in_source,
        )
    return list(found.values())


# ---------------------------------------------------------------------------------------------------------------- state


_STATES = {
    Tier.EXACT: (State.UNCHANGED, "in the base"),
    Tier.ALIAS: (State.UNCHANGED, "in the base, under another name of the same weakness"),
    Tier.RENAMED: (State.UNCHANGED, "in the base, in a file that was renamed"),
    Tier.MOVED: (State.UPDATED, "in the base, the same text in another definition"),
    Tier.EDITED: (State.UPDATED, "in the base, with another text in the same definition"),
}
_AMBIGUOUS = "; several would have fitted, taken in order"


def _against_base(
    findings: Sequence[Finding], base: Sequence[KnownFinding] | None, target: Target
) -> tuple[list[Finding], list[KnownFinding]]:
    """Give states, and what of the base is not there any more."""
    matching = match(to_known(findings), base or (), target.renames)
    pairs = {pair.now: pair for pair in matching.pairs}
    split = dict(matching.split)
    changed = None if target.changed is None else frozenset(target.changed)
    made = []
    for at, one in enumerate(findings):
        state, basis = State.NEW, "not in the base" if base is not None else "nothing to compare with"
        then = None
        if base is not None and at in pairs:
            state, basis = _STATES[pairs[at].tier]
            basis += _AMBIGUOUS if pairs[at].ambiguous else ""
            then = base[pairs[at].then]
        elif base is not None and at in split:
            state, basis, then = State.UNCHANGED, "in the base, as part of another finding", base[split[at]]
        made.append(
            msgspec.structs.replace(
                one,
                touched=changed is None or bool(one.location.commit) or one.location.path in changed,
                state=state,
                state_basis=basis,
                previous=then.fingerprint if then and then.fingerprint != one.fingerprint else "",
                previous_path=then.path if then and then.path != one.location.path else "",
            )
        )
    return made, _left(base or (), matching)


def _left(then: Sequence[KnownFinding], matching: Matching) -> list[KnownFinding]:
    """What was not found again; what another finding took in is not gone."""
    found = {pair.then for pair in matching.pairs} | {at for _, at in matching.merged}
    return [one for at, one in enumerate(then) if at not in found]


def _with_history(
    findings: Sequence[Finding], history: History | None, target: Target
) -> tuple[list[Finding], list[KnownFinding]]:
    """Join what the ledger remembers: first sight, obligations, older names; and tell what only newer tools see."""
    if history is None:
        return list(findings), []
    made = list(findings)
    # What the base calls by another name is looked for under that name too.
    asked = [
        msgspec.structs.replace(one, aliases=(*one.aliases, fingerprint(one.previous))) if one.previous else one
        for one in findings
    ]
    matching = match(to_known(asked), history.open, target.renames)
    for pair in matching.pairs:
        made[pair.now] = _remembered(made[pair.now], history.open[pair.then], pair)
    for now, at in (*matching.merged, *matching.split):
        made[now] = _remembered(made[now], history.open[at], None)
    seen = {pair.now for pair in matching.pairs} | {now for now, _ in matching.split}
    lanes = _lanes_seen_before(history, target)
    for at, one in enumerate(made):
        if at not in seen and one.lane in lanes and one.state in (State.UNCHANGED, State.UPDATED):
            made[at] = msgspec.structs.replace(
                one,
                state=State.NEWLY_DETECTABLE,
                state_basis=f"{one.state_basis}; the recorded runs of this line did not see it",
            )
    return made, _left(history.open, matching)


def _lanes_seen_before(history: History, target: Target) -> frozenset[Lane]:
    """Lanes of the complete recorded runs at the base; without such a run, of all complete ones of the line."""
    complete = [run for run in history.runs if run.complete and not run.dirty]
    at_base = [run for run in complete if target.base_commit and run.commit == target.base_commit]
    return frozenset(lane for run in at_base or complete for lane in run.lanes)


def _remembered(finding: Finding, then: KnownFinding, pair: Match | None) -> Finding:
    """Give the finding its first sight, its obligations and the name that the ledger knows it by."""
    times = [time for time in (finding.first_seen_epoch_s, then.first_seen_epoch_s) if time is not None]
    is_other = (then.algorithm, then.fingerprint) != (finding.algorithm, finding.fingerprint)
    older = Fingerprint(algorithm=then.algorithm, value=then.fingerprint)
    obligations: dict[Obligation, None] = dict.fromkeys((*finding.obligations, *then.obligations))
    basis = finding.state_basis
    if pair is not None and pair.tier is not Tier.EXACT:
        basis = f"{basis}; in the ledger {pair.tier.value}{_AMBIGUOUS if pair.ambiguous else ''}"
    return msgspec.structs.replace(
        finding,
        first_seen_epoch_s=min(times, default=None),
        obligations=tuple(obligations),
        previous=finding.previous or (then.fingerprint if is_other else ""),
        previous_path=finding.previous_path or (then.path if then.path != finding.location.path else ""),
        aliases=tuple(dict.fromkeys((*finding.aliases, older))) if is_other else finding.aliases,
        state_basis=basis,
    )
