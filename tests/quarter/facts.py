"""A plan's facts as the events that secgate would have recorded, each with its time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import NamedTuple

from secgate.attest import Binding as AttestedBinding
from secgate.attest import GateRun, Statement
from secgate.attest.statement import COMMIT, TREE, GitSource, PolicySaid, Subject, Verifier
from secgate.event import Event
from secgate.events import (
    FindingAliased,
    FindingChanged,
    FindingClosed,
    FindingMerged,
    FindingOpened,
    FindingSeenAgain,
    FindingSplit,
    LaneCount,
    ObligationAdded,
    ObligationSuperseded,
    Run,
    RunTool,
)
from secgate.finding_facts import FindingFacts, Witness
from secgate.gate_events import GATE_EVENTS, ArtefactBound, GateChanged
from secgate.inventory import Inventory, InventoryComponent, InventoryStored
from secgate.model import Fingerprint, Lane, Outcome, ScanStatus, Scope, Severity, Source, encode
from secgate.notification import NotificationSent, ToldFinding
from tests.quarter import plan

ALGORITHM = "secgate/v1"
ZERO = "0" * 64
CHANGES = {one.TYPE: one for one in GATE_EVENTS if issubclass(one, GateChanged)}


class Dated(NamedTuple):
    """An event at its time; `order` tells those of one second apart, `name` is whom it stands for in the plan."""

    at: int
    order: int
    event: Event
    name: str = ""


def document_of(run: plan.Run, *, size: int) -> bytes:
    """Give what stands for a run's document: of a size, and no more alike from run to run than real ones are."""
    lines = [sha256(f"{run.name} {number}".encode()).hexdigest() for number in range(size // 200)]
    return encode({"run": run.name, "commit": run.commit, "results": [{"at": one, "text": "x" * 120} for one in lines]})


def run_of(run: plan.Run, *, override: str, document: bytes) -> Dated:
    """Give the event of a run."""
    asked = tuple(Lane(one.lane) for one in run.looks)
    whole = not run.partial and all(one.status == "completed" for one in run.tools)
    event = Run(
        run_id=run.name,
        secgate_version="1",
        repository=run.repository,
        line=run.line,
        scope=Scope(run.scope),
        scope_basis="given",
        kind="git",
        prefix=run.folder,
        source=Source.WORK_TREE,
        ref="",
        event="",
        provider="",
        commit=run.commit,
        tree=run.tree,
        base_commit="",
        base_ref="",
        dirty=run.dirty,
        shallow=False,
        partial=run.partial,
        artifacts=run.artifacts,
        complete=whole,
        provisional=False,
        lanes=asked,
        coverage=tuple(
            LaneCount(
                lane=Lane(one.lane),
                asked=True,
                needed=one.needed,
                offered=9,
                covered=9 - one.gaps,
                failed=one.gaps,
                unsupported=0,
                gaps=one.gaps,
            )
            for one in run.looks
        ),
        tools=tuple(map(_tool, run.tools)),
        tools_digest=ZERO,
        outcome=run.outcome,
        mode=run.mode,
        override=override,
        policy_digests={"shipped": sha256(b"policy").hexdigest()},
        document_digest=sha256(document).hexdigest(),
        evaluated_epoch_s=run.at,
    )
    return Dated(run.at, 9, event)


def _tool(tool: plan.Tool) -> RunTool:
    audits = "dependencies" in tool.lanes
    return RunTool(
        scanner=tool.scanner,
        lanes=tuple(map(Lane, tool.lanes)),
        status=ScanStatus(tool.status),
        rule_pack_epoch_s=tool.rules,
        data_epoch_s=tool.data,
        advisories_digest=ZERO if audits and tool.named else "",
    )


def inventory_of(run: plan.Run) -> tuple[Dated, bytes]:
    """Give the event that an inventory was taken of a run's tree, and the inventory."""
    found = Inventory(
        components=(
            InventoryComponent(name="flask", version="3.1.0"),
            InventoryComponent(name=run.name, version="1"),
        )
    )
    event = InventoryStored(
        run_id=run.name,
        repository=run.repository,
        line=run.line,
        prefix=run.folder,
        commit=run.commit,
        tree=run.tree,
        dirty=run.dirty,
        artifacts=run.artifacts,
        inventory_digest=found.digest,
        components=2,
        manifests=1,
    )
    return Dated(run.at, 10, event), found.stored


def statement_of(one: plan.Binding, run: plan.Run) -> Statement:
    """Give what an attestation says that ties an artefact to a run."""
    kind, _, value = one.artifact.partition(":")
    at = datetime.fromtimestamp(one.at, tz=UTC)
    digests = {"commit": {COMMIT: run.commit}, "tree": {TREE: run.tree}, "built": {kind: value}}
    return Statement(
        subject=tuple(Subject(name=name, digest=digest) for name, digest in digests.items()),
        predicate=GateRun(
            verifier=Verifier(version="1"),
            run_id=run.name,
            repository=run.repository,
            scope=Scope(run.scope),
            line=run.line,
            profile="release",
            source=GitSource(
                commit=run.commit, tree=run.tree, ref="", base_commit="", partial=run.partial, prefix=run.folder
            ),
            outcome=Outcome.PASS,
            all_outcomes=(Outcome.PASS,),
            mode="enforce",
            override="",
            verdicts={},
            lanes=(),
            tools=(),
            policy=PolicySaid(engine="", digests={}, enforced_digest="", input_digest="", policies_digest=""),
            evaluated_on=datetime.fromtimestamp(run.at, tz=UTC),
            signed_on=at,
            binding=AttestedBinding(actor=""),
        ),
    )


def binding_of(one: plan.Binding, run: plan.Run, attestation: bytes) -> Dated:
    """Give the event that ties an artefact to a run by an attestation."""
    event = ArtefactBound(
        artifact=one.artifact,
        name="built",
        run_id=run.name,
        repository=run.repository,
        commit=run.commit,
        tree=run.tree,
        key=one.key,
        statement_digest=sha256(attestation).hexdigest(),
    )
    return Dated(one.at, 11, event)


def notice_of(one: plan.Notice) -> Dated:
    """Give the event of a message."""
    told = ToldFinding(
        repository=one.repository,
        line=one.line,
        fingerprint=one.fingerprint,
        episode=one.episode,
        stage=one.stage,  # type: ignore[arg-type]  # a plan knows words, not ours
    )
    text = sha256(f"{one}".encode()).hexdigest()
    event = NotificationSent(
        channel="security",
        notifier="webhook",
        message_id=text,
        digest=text,
        told=(told,),
        policy_digest=ZERO,
        secgate_version="1",
    )
    return Dated(one.at, 12, event)


def change_of(change: plan.GateChange) -> Dated:
    """Give the event of a change of the gate."""
    event = CHANGES[change.what](
        run_id="r",
        previous_run_id="q",
        repository=change.repository,
        line="main",
        profile="pull-request",
        name="shipped",
        part="digest",
        before="1",
        after="2",
    )
    return Dated(change.at, 8, event, f"change:{change.name}")


def finding_of(one: plan.Finding, known: Mapping[str, plan.Finding], ids: Mapping[str, str]) -> Iterator[Dated]:
    """Give the events of a finding. `known` has all findings by name, `ids` the statements of exemptions."""
    at = one.opened
    if one.split:
        origin = Fingerprint(algorithm=ALGORITHM, value=known[one.origin].fingerprint)
        part = FindingSplit(**_about(one), finding=_facts(one, one.split), origin=origin, start_epoch_s=at)  # type: ignore[arg-type]
        yield Dated(one.split, 1, part)
    else:
        opened = FindingOpened(**_about(one), finding=_facts(one, at), start_epoch_s=at, state="new")  # type: ignore[arg-type]
        yield Dated(at, 0, opened)
    if one.merged:
        into = known[one.into]
        absorbed = Fingerprint(algorithm=ALGORITHM, value=one.fingerprint)
        named = {"fingerprint": into.fingerprint, "algorithm": ALGORITHM, "start_epoch_s": min(at, into.opened)}
        yield Dated(one.merged, 2, FindingMerged(**_about(one), **named, absorbed=absorbed))  # type: ignore[arg-type]
    if one.renamed:
        former = Fingerprint(algorithm=ALGORITHM, value=one.fingerprint)
        named = {"fingerprint": one.renamed_to, "algorithm": ALGORITHM}
        yield Dated(one.renamed, 2, FindingAliased(**_about(one), **named, former=former, basis="matched"))  # type: ignore[arg-type]
    for at, what in ((one.edited, "anchor"), (one.raised, "severity")):
        if at:
            facts = _facts(one, at)
            before = Severity(one.severity)
            changed = FindingChanged(**_about(one), finding=facts, changes=(what,), previous_severity=before)  # type: ignore[arg-type]
            yield Dated(at, 3, changed)
    for duty in one.duties if not one.split else ():
        told = {"basis": duty.basis, "start_epoch_s": duty.start, "limit_s": duty.limit, "policy_digest": ZERO}
        added = ObligationAdded(**_about(one), **_named(one, duty.recorded), **told)  # type: ignore[arg-type]
        yield Dated(duty.recorded, 4, added)
        if duty.taken_back:
            by = {"downgrade": ids.get(duty.taken_by, sha256(b"made up").hexdigest())}
            ended = ObligationSuperseded(**_about(one), **_named(one, duty.taken_back), **told, **by)  # type: ignore[arg-type]
            yield Dated(duty.taken_back, 5, ended)
    for at in one.closed:
        yield Dated(at, 6, FindingClosed(**_about(one), **_named(one, at), basis="absent", commit=""))  # type: ignore[arg-type]
    for at in one.again:
        last = max(then for then in one.closed if then < at)
        seen = FindingSeenAgain(
            **_about(one),  # type: ignore[arg-type]
            finding=_facts(one, at),
            start_epoch_s=one.opened,
            closed_epoch_s=last,
        )
        yield Dated(at, 1, seen)


def _about(one: plan.Finding) -> dict[str, object]:
    return {"run_id": "r", "repository": one.repository, "line": one.line, "episode": one.episode}


def _named(one: plan.Finding, at: int) -> dict[str, object]:
    return {"fingerprint": fingerprint_at(one, at), "algorithm": ALGORITHM}


def fingerprint_at(one: plan.Finding, at: int) -> str:
    """Give what a finding was called then."""
    return one.renamed_to if 0 < one.renamed <= at else one.fingerprint


def _facts(one: plan.Finding, at: int) -> FindingFacts:
    return FindingFacts(
        fingerprint=fingerprint_at(one, at),
        algorithm=ALGORITHM,
        lane=Lane(one.lane),
        weakness="known-vulnerability" if one.package else "sql-injection",
        severity=Severity(one.raised_to if 0 < one.raised <= at else one.severity),
        path="app.py",
        anchor=one.edited_to if 0 < one.edited <= at else one.text,
        witnesses=tuple(Witness(scanner=scanner, rule="R1") for scanner in one.scanners),
        advisories=(one.advisory,) if one.advisory else (),
        package=f"pypi/{one.package}@{one.version}" if one.package else "",
    )
