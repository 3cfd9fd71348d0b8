"""A run from beginning to end, and the same without judgement."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec

from secgate import registry
from secgate.attest import require_attestable
from secgate.config import Machine
from secgate.correlate import Correlation
from secgate.errors import LedgerError, UsageError
from secgate.inventory import Inventory
from secgate.judge import Judgement, JudgeRequest, judge
from secgate.memory import Memory
from secgate.model import (
    Coverage,
    Decision,
    Digest,
    Epoch,
    History,
    Invocation,
    RunDocument,
    Target,
    WaiverAccount,
)
from secgate.pipeline.account import covered, joined
from secgate.pipeline.baselines import KnownDebt, known_debt, require_list, with_debt
from secgate.pipeline.circumstances import with_classes, with_exploitation
from secgate.pipeline.comparing import Reach, base_of, renames_of
from secgate.pipeline.conftest import Asked, asked
from secgate.pipeline.downgraded import lowered
from secgate.pipeline.exceptions import excepted
from secgate.pipeline.lines import brought_lines
from secgate.pipeline.looking import Looked, Looker, load_tables
from secgate.pipeline.overriding import Broken, broken_glass, under
from secgate.pipeline.owned import owned
from secgate.pipeline.shown import (
    failed_record,
    noted,
    shown_excerpts,
    shown_hashes,
    shown_notices,
    with_obligations,
)
from secgate.pipeline.stocktaking import inventory_blobs, inventory_events, run_inventory
from secgate.policy.documents import DocumentFacts
from secgate.policy.facts import JoinedFacts, Lists
from secgate.ports import Adviser, Engine, Observer, Rendered
from secgate.preparation import (
    ChosenLedger,
    Kept,
    Prepared,
    RunRequest,
    Workshop,
    advisory_database,
    choose_ledger,
    keep_last,
    prepare,
    verified_retirement,
    workshop,
)
from secgate.recall import recall
from secgate.record import RecordRequest, record
from secgate.retirement import Retirement
from secgate.show import show as show_document
from secgate.succession import is_clocked
from secgate.trend import earlier_runs
from secgate.version import __version__

JUDGE_LIMIT_S = 60.0
"""What a layer has to decide in, beside the time that grows with the findings."""


class _Seen(NamedTuple):
    """What a run found out, before anyone judged it."""

    prepared: Prepared
    looked: tuple[Looked, ...]
    correlation: Correlation
    coverage: Coverage
    invocations: tuple[Invocation, ...]
    history: History | None
    chosen: ChosenLedger | None
    memory: Memory
    retirement: Retirement
    debt: KnownDebt
    reach: Reach
    joined: Mapping[str, JoinedFacts] = {}
    glass: Broken = Broken(None, ())
    lists: Lists = Lists()
    documents: tuple[DocumentFacts, ...] = ()
    inventory: Inventory | None = None
    notes: tuple[str, ...] = ()
    waivers: tuple[WaiverAccount, ...] = ()


def run(
    request: RunRequest,
    *,
    machine: Machine,
    now: datetime,
    observer: Observer,
    cancelled: threading.Event | None = None,
    kept: Kept | None = None,
) -> RunDocument:
    """Run the gate and give the stored document. Raises SecgateError where nothing could be judged.

    Setting `cancelled`, from any thread, ends the children: what then comes of the run says nothing about the tree.
    `kept` is what a server keeps between runs; a run that counts is given none.
    """
    require_utc(now)
    with workshop(machine, now=now, observer=observer, jobs=request.jobs or 0, cancelled=cancelled, kept=kept) as shop:
        seen = _with_exceptions(_see(request, shop, with_ledger=True), shop)
        observer.stage("judge", seen.prepared.settings.profile)
        references = _references(seen.prepared, shop)
        judgement = _judge(seen, shop, references)
        judgement = msgspec.structs.replace(judgement, decision=under(judgement.decision, seen.glass))
        document = _document(seen, shop, decision=judgement.decision)
        if seen.prepared.profile.reference_engines:
            again = ", ".join(f"{one.name} {one.version}" for one in references)
            document = noted(document, f"judged again by {again}" if again else "opa is not on PATH: judged once only")
        observer.stage("record", "")
        told = _record(document, judgement, seen, shop)
        if not request.saved and (told.ledger_head is None or (seen.chosen is not None and seen.chosen.read_only)):
            # So that `secgate explain` has it; that it cannot be kept changes nothing about what was decided.
            is_kept = keep_last(told, root=seen.prepared.target.root, machine=machine)
            told = (
                told
                if is_kept
                else noted(told, "the state folder cannot be written, so this run cannot be explained later")
            )
        return told


def scan_only(request: RunRequest, *, machine: Machine, now: datetime, observer: Observer) -> RunDocument:
    """Go as far as the findings: nothing is judged, recorded or compared with a ledger."""
    require_utc(now)
    with workshop(machine, now=now, observer=observer, jobs=request.jobs or 0) as shop:
        return _document(_see(request, shop, with_ledger=False), shop, decision=None)


def render(document: RunDocument, form: str, *, width: int, colour: bool) -> Rendered:
    """Give the document in a format by name, and what of it the format has no room for."""
    return show_document(document, registry.reporter(form), width=width, colour=colour)


def require_utc(now: object) -> None:
    """Raise UsageError unless a time is aware UTC and one that a record can hold, from 1970 on (`model.Epoch`)."""
    if not isinstance(now, datetime) or now.utcoffset() != timedelta():
        raise UsageError("`now` is not an aware UTC datetime", remedy="pass datetime.now(tz=UTC)", place="now")
    try:
        msgspec.convert(int(now.timestamp()), Epoch)
    except msgspec.ValidationError as error:
        what = f"no record can hold the time {now.isoformat()}"
        raise UsageError(what, remedy="pass datetime.now(tz=UTC)", place="now") from error


def _see(request: RunRequest, shop: Workshop, *, with_ledger: bool) -> _Seen:
    shop.observer.stage("discover", request.path)
    prepared = prepare(request, machine=shop.machine, runner=shop.executor, scratch=shop.scratch, kept=shop.kept)
    if prepared.draft and isinstance(shop.observer, Adviser):
        shop.observer.said(prepared.draft)
    if request.attested:
        require_attestable(prepared.target)
    if request.baseline:
        require_list(request.baseline, shop.machine)
    chosen = _choose(prepared, shop) if with_ledger else None
    memory = Memory()
    history = _recall(prepared, chosen, memory, shop)
    retirement = verified_retirement(
        prepared.enforced,
        signer=registry.signer("sshsig", machine=shop.machine, runner=shop.executor, scratch=shop.scratch),
        at=_evaluated(memory, shop),
    )
    history = retirement.applied(history) if history is not None else None
    tables = load_tables(prepared.settings)
    looker = Looker(shop, prepared, tables, only=request.scanners)
    head = looker.head()
    past = looker.history()
    looked: tuple[Looked, ...] = (head, past) if past is not None else (head,)
    coverage = covered(looked, prepared=prepared, tables=tables, only=request.scanners, remedies=looker.remedies)
    reach = Reach(prepared, coverage, head)
    base = None
    if prepared.target.changed is not None or (history is not None and history.runs):
        first = looker.correlate(looked, base=None, history=None, comparable=lambda _: False)
        looker.renames = renames_of(prepared, history, first)
        before = base_of(prepared, looker, first, looked, history)
        if before is not None:
            base = before.known
            looked = (head, *(looker.brought(part, before) for part in looked[1:]))
    found = looker.correlate(looked, base=base, history=history, comparable=reach.covers, unseen=reach.misses)
    correlation, notes = owned(found, prepared.owners)
    invocations = joined(looked)
    told = asked(prepared, head, shop) if with_ledger else Asked()
    debt = known_debt(
        request.baseline,
        findings=correlation.findings,
        prepared=prepared,
        head=head,
        tables=tables,
        memory=memory,
        ledger=chosen.ledger if chosen is not None else None,
        shop=shop,
        now=_evaluated(memory, shop),
    )
    return _Seen(
        prepared,
        looked,
        correlation,
        coverage,
        invocations,
        history,
        chosen,
        memory,
        retirement,
        debt,
        reach,
        documents=told.facts,
        inventory=run_inventory(prepared, chosen, shop, lanes=tables.shipped_lanes),
        notes=(*notes, *told.notes),
    )


def _with_exceptions(seen: _Seen, shop: Workshop) -> _Seen:
    found = excepted(
        seen.correlation.findings,
        seen.coverage,
        invocations=seen.invocations,
        comparable=seen.reach.covers,
        history=seen.history,
        prepared=seen.prepared,
        shop=shop,
        now=_evaluated(seen.memory, shop),
    )
    joined = with_classes(
        with_debt(found.joined, seen.debt),
        seen.correlation.findings,
        target=seen.prepared.target,
        classes=seen.prepared.enforced.path_classes,
    )
    told = with_exploitation(
        joined,
        seen.correlation.findings,
        database=advisory_database(shop.machine, seen.prepared.settings),
        now=_evaluated(seen.memory, shop),
    )
    less = lowered(
        seen.correlation.findings,
        told.joined,
        history=seen.history,
        prepared=seen.prepared,
        shop=shop,
        now=_evaluated(seen.memory, shop),
    )
    glass = broken_glass(history=seen.history, prepared=seen.prepared, shop=shop, now=_evaluated(seen.memory, shop))
    return seen._replace(
        correlation=seen.correlation._replace(findings=less.findings),
        joined=less.joined,
        lists=told.lists,
        coverage=found.coverage,
        glass=glass,
        notes=(*seen.notes, *found.notes, *less.notes, *glass.notes),
        waivers=found.accounts,
    )


def _choose(prepared: Prepared, shop: Workshop) -> ChosenLedger | None:
    return choose_ledger(
        prepared.settings.ledger,
        target=prepared.target,
        repository=prepared.repository,
        machine=shop.machine,
        executor=shop.executor,
        read_only=prepared.target.only_reads,
    )


def _recall(prepared: Prepared, chosen: ChosenLedger | None, memory: Memory, shop: Workshop) -> History | None:
    if chosen is None:
        return None
    return recall(
        chosen.ledger,
        repository=prepared.target.repository,
        line=prepared.target.line,
        now=shop.now,
        required=chosen.required,
        read_only=chosen.read_only,
        remembered=chosen.remembered,
        memory=memory,
    )


def _judge(seen: _Seen, shop: Workshop, references: Sequence[Engine]) -> Judgement:
    prepared = seen.prepared
    return judge(
        JudgeRequest(
            target=prepared.target,
            findings=seen.correlation.findings,
            coverage=seen.coverage,
            invocations=seen.invocations,
            layers=prepared.layers,
            profile=prepared.settings.profile,
            now=_evaluated(seen.memory, shop),
            mode=prepared.settings.mode,
            joined=seen.joined,
            lists=seen.lists,
            documents=seen.documents,
            limit_s=JUDGE_LIMIT_S,
            disabled_rules=tuple(prepared.settings.disabled_rules),
            enforced_digest=prepared.enforced.digest,
            provisional_clocks=seen.history.provisional if seen.history is not None else True,
        ),
        engine=prepared.engine,
        guarded=prepared.guarded,
        references=references,
    )


def _evaluated(memory: Memory, shop: Workshop) -> datetime:
    """The time of judgement: this machine's, never before the ledger's last entry, or a clock put back ends a delay."""
    return max(shop.now, datetime.fromtimestamp(memory.last_epoch_s, tz=UTC))


def _references(prepared: Prepared, shop: Workshop) -> list[Engine]:
    """Give the engines that judge again, as far as they are here: release and audit ask for them."""
    found = []
    for name in prepared.profile.reference_engines:
        engine = registry.reference_engine(
            name,
            settings=prepared.settings.engine,
            machine=shop.machine,
            runner=shop.executor,
            scratch=shop.scratch,
        )
        if engine is not None:
            found.append(engine)
    return found


def _document(seen: _Seen, shop: Workshop, *, decision: Decision | None) -> RunDocument:
    prepared = seen.prepared
    findings = with_obligations(seen.correlation.findings, decision)
    return RunDocument(
        run_id=_run_id(prepared.target, shop),
        secgate_version=__version__,
        target=msgspec.structs.replace(prepared.target, root=""),
        invocations=seen.invocations,
        coverage=seen.coverage,
        findings=findings,
        absent=seen.correlation.absent,
        decision=decision,
        waivers=seen.waivers,
        excerpts=shown_excerpts(seen.looked, findings),
        line_hashes=shown_hashes(prepared.target, seen.looked[0], findings),
        brought_lines=brought_lines(findings, prepared.target, prepared.repository),
        provisional_clocks=seen.history.provisional if seen.history is not None else True,
        settings_sources=tuple(f"{key}: {name}" for key, name in prepared.sources.items()),
        notes=(*prepared.notes, *seen.notes, *shown_notices(seen.invocations, seen.memory, shop), *seen.debt.notes),
    )


def _run_id(target: Target, shop: Workshop) -> str:
    """Sortable, and apart for two machines in the same microsecond."""
    moment = shop.now.strftime("%Y%m%dT%H%M%S.%fZ")
    apart = hashlib.sha256(f"{target.root}\0{target.commit}\0{shop.scratch}".encode()).hexdigest()[:8]
    return f"{moment}-{apart}"


def _record(document: RunDocument, judgement: Judgement, seen: _Seen, shop: Workshop) -> RunDocument:
    """Record the run and give the document with where it went.

    A ledger that cannot be written is an outcome of its own, beside what was decided; where one is required it is the
    outcome of the run.
    """
    chosen = seen.chosen
    if chosen is None:
        return noted(document, "nothing was recorded: the ledger is switched off")
    request = RecordRequest(
        document=document,
        decision_input=judgement.input_document,
        now=shop.now,
        required=chosen.required,
        read_only=chosen.read_only,
        config_digest=seen.prepared.config_digest,
        mapping_versions=seen.prepared.mapping.versions,
        mapping_digest=seen.prepared.mapping.digest,
        retirement=seen.retirement,
        blobs={**judgement.policy_blobs, **_signed_blobs(seen), **inventory_blobs(seen.inventory)},
        events=(*(seen.debt.events if is_clocked(document) else ()), *inventory_events(seen.inventory, document)),
    )
    try:
        receipt = record(request, chosen.ledger, memory=seen.memory)
        if receipt.entries:
            chosen.seen.keep(chosen.ledger.address, receipt.head)
    except LedgerError as error:
        return failed_record(document, error)
    told = (
        document
        if not chosen.read_only
        else noted(document, "nothing was recorded: staged runs, hooks and forks only read")
    )
    return msgspec.structs.replace(
        told,
        ledger=chosen.ledger.address,
        ledger_head=receipt.head,
        earlier=earlier_runs(seen.memory.runs(document.target.repository), document),
        provisional_clocks=receipt.provisional,
        notes=(*told.notes, *receipt.notes),
    )


def _signed_blobs(seen: _Seen) -> dict[Digest, bytes]:
    """Keep what a person signed, with the signature, beside the events that rest on it."""
    enforced = seen.prepared.enforced
    kept = (enforced.retired, enforced.retired_signature) if seen.retirement.entries else ()
    return {hashlib.sha256(data).hexdigest(): data for data in kept} | dict(seen.debt.blobs)
