"""What differs between two recorded runs: findings, and the tools, the policy and the coverage behind them.

Pure: two stored documents in, one value out. What only one run could have seen is never called new or gone without
saying so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from secgate.matching import Tier, known, match
from secgate.model import (
    Coverage,
    Decision,
    Finding,
    Fingerprint,
    Gap,
    KnownFinding,
    Rename,
    RunDocument,
    ScanStatus,
    Scope,
    Severity,
    State,
    Value,
)
from secgate.run_facts import run_tool

FORMAT_VERSION = 1


class RunHead(Value, frozen=True, kw_only=True):
    """What tells one run from another. `outcome` is "" for a run without a decision."""

    run_id: str
    evaluated_epoch_s: int
    commit: str
    dirty: bool
    line: str
    scope: Scope
    outcome: str
    secgate_version: str


class Side(Value, frozen=True, kw_only=True):
    """A finding as one of the runs has it."""

    fingerprint: str
    severity: Severity
    path: str
    start_line: int
    symbol: str


class Difference(Value, frozen=True, kw_only=True):
    """One finding on both sides; None where it is not. `changes` names what differs, `basis` says how it is known."""

    weakness: str
    title: str
    then: Side | None
    now: Side | None
    basis: str = ""
    changes: tuple[str, ...] = ()


class Changed(Value, frozen=True, kw_only=True):
    """A fact of the runs that differs, in words; "" on a side that does not have it."""

    what: str
    then: str
    now: str


class Comparison(Value, frozen=True, kw_only=True):
    """All differences, each finding in exactly one list. `not_seen`: known before, and the later run could not see it.

    `unchanged` counts what is the same on another line too; a changed severity, text, symbol, file or verdict is
    `updated`.
    """

    version: int = FORMAT_VERSION
    then: RunHead
    now: RunHead
    new: tuple[Difference, ...] = ()
    gone: tuple[Difference, ...] = ()
    updated: tuple[Difference, ...] = ()
    newly_detectable: tuple[Difference, ...] = ()
    not_seen: tuple[Difference, ...] = ()
    unchanged: int = 0
    tools: tuple[Changed, ...] = ()
    policy: tuple[Changed, ...] = ()
    coverage: tuple[Changed, ...] = ()
    gaps_new: tuple[Gap, ...] = ()
    gaps_gone: tuple[Gap, ...] = ()


class Ground(Value, frozen=True, kw_only=True):
    """What is known beside the two documents. `told` is whether git could compare the two commits.

    `touched` are the paths that differ between the commits. `names` gives other fingerprints that the ledger knows a
    finding by.
    """

    renames: tuple[Rename, ...] = ()
    told: bool = False
    touched: frozenset[str] = frozenset()
    names: Mapping[str, tuple[Fingerprint, ...]] = {}


def compare(then: RunDocument, now: RunDocument, ground: Ground) -> Comparison:
    """Give what differs from the run `then` to the run `now`; the lists are sorted by place."""
    before, after = _known(then, ground), _known(now, ground)
    matching = match(after, before, ground.renames)
    pairs = {pair.now: pair for pair in matching.pairs}
    joined = dict(matching.split)
    taken = {pair.then for pair in matching.pairs} | {at for _, at in matching.merged}
    lists: dict[str, list[Difference]] = {name: [] for name in ("new", "gone", "updated", "newly", "not-seen")}
    unchanged = 0
    for at, one in enumerate(now.findings):
        if at in pairs or at in joined:
            origin = then.findings[pairs[at].then if at in pairs else joined[at]]
            basis = _pair_words(pairs[at].tier) if at in pairs else "was part of another finding"
            changes = _changes(then, now, origin, one)
            if changes:
                lists["updated"].append(_difference(origin, one, basis=basis, changes=changes))
            else:
                unchanged += 1
        else:
            name, basis = _why_here(one, then, now, ground)
            lists[name].append(_difference(None, one, basis=basis))
    for home, at in matching.merged:
        merged = _difference(then.findings[at], now.findings[home], basis="part of another finding now")
        lists["updated"].append(msgspec.structs.replace(merged, changes=("merged",)))
    for at, one in enumerate(then.findings):
        if at not in taken:
            basis = unseen_words(one, now)
            lists["not-seen" if basis else "gone"].append(_difference(one, None, basis=basis))
    return Comparison(
        then=head_of(then),
        now=head_of(now),
        new=_sorted(lists["new"]),
        gone=_sorted(lists["gone"]),
        updated=_sorted(lists["updated"]),
        newly_detectable=_sorted(lists["newly"]),
        not_seen=_sorted(lists["not-seen"]),
        unchanged=unchanged,
        tools=tools_changed(then, now),
        policy=policy_changed(then, now),
        coverage=coverage_changed(then.coverage, now.coverage),
        gaps_new=_gaps_only(now.coverage, then.coverage),
        gaps_gone=_gaps_only(then.coverage, now.coverage),
    )


def head_of(document: RunDocument) -> RunHead:
    """Give what tells this run from another."""
    target, decision = document.target, document.decision
    return RunHead(
        run_id=document.run_id,
        evaluated_epoch_s=decision.evaluated_epoch_s if decision else 0,
        commit=target.commit,
        dirty=target.dirty,
        line=target.line,
        scope=target.scope,
        outcome=decision.outcome.value if decision else "",
        secgate_version=document.secgate_version,
    )


# ------------------------------------------------------------------------------------------------------------ findings


def _known(document: RunDocument, ground: Ground) -> list[KnownFinding]:
    """Give the findings as matching needs them, under every name that the ledger knows."""
    return [
        msgspec.structs.replace(
            known(one), aliases=tuple(dict.fromkeys((*one.aliases, *ground.names.get(one.fingerprint, ()))))
        )
        for one in document.findings
    ]


def _pair_words(tier: Tier) -> str:
    words = {
        Tier.EXACT: "same fingerprint",
        Tier.ALIAS: "same under another name",
        Tier.RENAMED: "its file was renamed",
    }
    return words.get(tier, f"{tier.value} in its file")


def _changes(then: RunDocument, now: RunDocument, origin: Finding, one: Finding) -> tuple[str, ...]:
    sides = (
        ("severity", origin.severity.value, one.severity.value),
        ("path", origin.location.path, one.location.path),
        ("symbol", origin.symbol, one.symbol),
        ("weakness", origin.weakness, one.weakness),
        ("verdict", _word(then.decision, origin), _word(now.decision, one)),
    )
    told = [f"{name}: {old or '-'} -> {new or '-'}" for name, old, new in sides if old != new]
    if origin.anchor != one.anchor:
        told.append("text")
    return tuple(told)


def _word(decision: Decision | None, one: Finding) -> str:
    verdicts = decision.verdicts if decision is not None else ()
    return next((verdict.word.value for verdict in verdicts if verdict.id == one.fingerprint), "")


def _why_here(one: Finding, then: RunDocument, now: RunDocument, ground: Ground) -> tuple[str, str]:
    """Tell new from newly detectable: text that both commits have was there before, whatever saw it first."""
    unseen = unseen_words(one, then)
    path = one.location.path
    same_commit = bool(now.target.commit) and then.target.commit == now.target.commit
    clean = not (then.target.dirty or now.target.dirty)
    same_text = clean and (same_commit or (ground.told and path not in ground.touched))
    if one.state is State.NEWLY_DETECTABLE:
        return "newly", one.state_basis
    if same_text:
        return "newly", unseen or "its file is the same in both commits"
    return "new", f"may be older: in the earlier run {unseen}" if unseen else ""


def unseen_words(one: Finding, other: RunDocument) -> str:
    """Say why the run `other` could not have seen a finding, "" where it could."""
    path = one.location.path
    target = other.target
    if target.changed is not None and path not in target.changed:
        return "only what a change touches was looked at"
    if target.prefix and not path.startswith(f"{target.prefix}/"):
        return f"only {target.prefix} was looked at"
    lane = next((account for account in other.coverage.lanes if account.lane is one.lane), None)
    if lane is None or not lane.asked:
        return f"the lane {one.lane.value} was not asked for"
    gap = next((gap for gap in lane.gaps if gap.path in ("", path)), None)
    if gap is not None:
        return f"{gap.tool or 'the lane'} did not look: {gap.detail or gap.reason}"
    if any(left.path == path for left in target.left_out):
        return "its file was left out"
    here = any(file.path == path for file in target.files)
    ran = {part.scanner for part in other.invocations if part.status is ScanStatus.COMPLETED}
    missing = sorted({witness.scanner for witness in one.witnesses} - ran) if here else []
    return f"{missing[0]} did not run" if missing else ""


def _difference(then: Finding | None, now: Finding | None, *, basis: str, changes: Sequence[str] = ()) -> Difference:
    one = now or then
    return Difference(
        weakness=one.weakness if one else "",
        title=one.title if one else "",
        then=_side(then),
        now=_side(now),
        basis=basis,
        changes=tuple(changes),
    )


def _side(one: Finding | None) -> Side | None:
    if one is None:
        return None
    return Side(
        fingerprint=one.fingerprint,
        severity=one.severity,
        path=one.location.path,
        start_line=one.location.region.start_line,
        symbol=one.symbol,
    )


def _sorted(found: Iterable[Difference]) -> tuple[Difference, ...]:
    """The most severe first, then by place."""

    def order(one: Difference) -> tuple[object, ...]:
        side = one.now or one.then
        return () if side is None else (-side.severity.rank, side.path, side.start_line, one.weakness, side.fingerprint)

    return tuple(sorted(found, key=order))


# ------------------------------------------------------------------------------------------- tools, policy and coverage


def tools_changed(then: RunDocument, now: RunDocument) -> tuple[Changed, ...]:
    """Give what of each scanner differs, sorted by scanner."""
    return _changed(_tools(then), _tools(now))


def _tools(document: RunDocument) -> dict[str, str]:
    facts: dict[str, list[str]] = {}
    for part in document.invocations:
        tool = run_tool(part, evaluated_epoch_s=0)
        told = {
            "status": tool.status.value,
            "version": tool.version,
            "rule pack": tool.rule_pack_digest[:12],
            "options": tool.options_digest[:12],
            "advisories": tool.advisories_digest[:12],
        }
        for name, text in told.items():
            if text:
                facts.setdefault(f"{tool.scanner} {name}", []).append(text)
    return {name: ", ".join(sorted(set(texts))) for name, texts in facts.items()}


def policy_changed(then: RunDocument, now: RunDocument) -> tuple[Changed, ...]:
    """Give what of the policy and of secgate itself differs."""
    return _changed(_policy(then), _policy(now))


def _policy(document: RunDocument) -> dict[str, str]:
    decision = document.decision
    facts = {"secgate": document.secgate_version, "lane table": document.coverage.table_digest[:12]}
    if decision is not None:
        facts |= {"engine": f"{decision.engine} {decision.engine_version}".strip(), "profile": decision.profile}
        facts |= {"mode": decision.mode, "enforced layer": decision.enforced_digest[:12]}
        facts |= {f"policy of layer {name}": value[:12] for name, value in decision.policy_digests.items()}
    return facts


def coverage_changed(then: Coverage, now: Coverage) -> tuple[Changed, ...]:
    """Give the lanes whose account differs."""
    return _changed(_coverage(then), _coverage(now))


def _coverage(coverage: Coverage) -> dict[str, str]:
    return {
        lane.lane.value: f"{lane.covered} of {lane.offered} files covered, {lane.failed} failed, "
        f"{lane.unsupported} unsupported"
        if lane.asked
        else "not asked for"
        for lane in coverage.lanes
    }


def _changed(then: Mapping[str, str], now: Mapping[str, str]) -> tuple[Changed, ...]:
    return tuple(
        Changed(what=name, then=then.get(name, ""), now=now.get(name, ""))
        for name in sorted({*then, *now})
        if then.get(name, "") != now.get(name, "")
    )


def _gaps_only(here: Coverage, there: Coverage) -> tuple[Gap, ...]:
    """Gaps that only one side has; whether a change touched their file is no difference."""
    key: Callable[[Gap], tuple[str, str, str, str]] = lambda gap: (gap.lane.value, gap.path, gap.tool, gap.reason)  # noqa: E731
    known_there = {key(gap) for lane in there.lanes for gap in lane.gaps}
    only = {key(gap): gap for lane in here.lanes for gap in lane.gaps if key(gap) not in known_there}
    return tuple(only[name] for name in sorted(only))
