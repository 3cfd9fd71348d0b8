"""What a period's evidence is drawn from: ledgers read whole, lists from outside, and whose word counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple, TypeVar

import msgspec

from secgate import registry
from secgate.assertion_facts import CheckpointItem
from secgate.assertions import Period
from secgate.baseline import Debt
from secgate.checkpoint import Sealed, sealed
from secgate.chronicle import Chronicle, Episode, RecordedBinding
from secgate.custody.attested import attestation_of, require_counting
from secgate.custody.verifying import namespace_of, stamps, who_signed
from secgate.downgrades import Downgrade
from secgate.errors import LedgerError, LedgersError, SignatureError, UsageError
from secgate.evidence.superseding import Superseding, supersedings, with_standing
from secgate.hearing import Refused
from secgate.memory import KnownBaseline
from secgate.model import KnownStatement, LedgerEntry, Signed, Trust, encode
from secgate.overrides import Given
from secgate.pipeline import downgraded, exceptions, overriding, testifying
from secgate.pipeline.baselines import recorded_debt
from secgate.policy.values import PolicyLimits
from secgate.population import Imported, Joined, joined, read_stored
from secgate.ports import Ledger, PopulationKind, Signer
from secgate.preparation import Enforced, Prepared, Workshop, choose_keeper
from secgate.sla import many, many_entries, utc_words
from secgate.testimony import Vouched
from secgate.waivers import REVOKED, Revocation, Waiver

One = TypeVar("One")
Made = TypeVar("Made")


class Said(NamedTuple):
    """What people signed in one ledger, checked; `reason` says why nobody's word counts, "" where it does."""

    waivers: tuple[Waiver, ...] = ()
    downgrades: tuple[Downgrade, ...] = ()
    overrides: tuple[Given, ...] = ()
    refused: tuple[Refused, ...] = ()
    testimony: Vouched = Vouched()
    revoked: Mapping[str, int] = MappingProxyType({})
    """When a waiver was revoked, by its id, in the ledger's time."""
    reason: str = ""


class Bindings(NamedTuple):
    """Artefacts that were bound to runs by an attestation that counts; of each that does not, why."""

    counting: tuple[RecordedBinding, ...] = ()
    notes: tuple[str, ...] = ()


class Read(NamedTuple):
    """One ledger, read."""

    ledger: Ledger
    chronicle: Chronicle
    said: Said
    bindings: Bindings
    supersedings: tuple[Superseding, ...]
    episodes: tuple[Episode, ...]
    """As they stood at the period's end, with every duty that was taken back for nothing."""
    shared: frozenset[str] = frozenset()
    """What another of the ledgers holds too: names of repositories, ids of runs and of what people signed."""

    @property
    def repositories(self) -> set[str]:
        """Whatever it holds something of that is named after a repository."""
        runs = {one.run.repository for one in self.chronicle.runs}
        changes = {one.change.repository for one in self.chronicle.changes}
        return runs | changes | {one.repository for one in self.episodes}

    @property
    def ids(self) -> set[str]:
        """Of runs, and of what people signed: one and the same text may have been recorded in two ledgers."""
        said = self.said
        runs = {one.run.run_id for one in self.chronicle.runs}
        exceptions = {one.id for one in said.waivers} | {one.id for one in said.downgrades}
        return runs | exceptions | {one.id for one in said.overrides}

    def named(self, key: str, of: str) -> str:
        """Give the name of something: its key, with the ledger where another one holds the same.

        `of` is its repository, or its own id. The whole id of the ledger, since whoever makes one chooses it, and so
        its beginning too.
        """
        if of not in self.shared:
            return key
        return f"{key} (ledger {self.chronicle.memory.ledger_id or self.chronicle.address})"

    def key_of(self, one: Episode) -> str:
        """Give the name of one of its episodes, which no other of the ledgers has."""
        return self.named(one.key, one.repository)


class Ground(NamedTuple):
    """Everything that populations are made of."""

    period: Period
    ledgers: tuple[Read, ...]
    lists: Mapping[PopulationKind, Joined]
    limits: PolicyLimits
    checkpoints: tuple[CheckpointItem, ...]

    def within(self, epoch_s: int) -> bool:
        """Tell whether a time lies in the period."""
        return self.period.from_epoch_s <= epoch_s < self.period.to_epoch_s

    def concerns(self, since_epoch_s: int, due_epoch_s: int, done_epoch_s: int) -> bool:
        """Tell whether what has to follow on something of `since` is to be told in this period.

        It is where that was in the period; and where that was before, still had time when the period began, and was
        not done by then (0 for never): the report before could only say that it was not tested, and no later one
        would tell.
        """
        if self.within(since_epoch_s):
            return True
        start = self.period.from_epoch_s
        return since_epoch_s < start <= due_epoch_s and not 0 < done_epoch_s < start

    def reach(self, read: Read) -> int:
        """Give how many entries of a ledger are those of a checkpoint from outside that somebody signed who counts."""
        own = read.chronicle.memory.ledger_id
        return max((one.size for one in self.checkpoints if one.ledger_id == own and one.signed), default=0)

    def overlaps(self) -> tuple[str, ...]:
        """Say which repositories several ledgers hold: one finding may be an item of each, and end in one alone."""
        places: dict[str, list[str]] = {}
        for read in self.ledgers:
            for name in read.shared & read.repositories:
                places.setdefault(name, []).append(_place(read))
        return tuple(
            f"{name} is in {len(places[name])} ledgers, {' and '.join(places[name])}: what each holds is counted in it"
            for name in sorted(places)
        )


class Kept(NamedTuple):
    """A checkpoint from outside: where it was, and what it says."""

    address: str
    sealed: Sealed


def fetch_checkpoints(places: Sequence[str], shop: Workshop) -> tuple[Kept, ...]:
    """Give the checkpoints that are kept elsewhere. Raises LedgerError where there is none.

    A file is named as it was given, from the root: links, which differ from machine to machine, would change a report.
    """
    from secgate.ledgers.keepers import FileKeeper

    found = []
    for place in dict.fromkeys(places):
        keeper = choose_keeper(place, machine=shop.machine, executor=shop.executor)
        data = keeper.get()
        if data is None:
            raise LedgerError("there is no checkpoint", place=keeper.address, remedy="name where one is kept")
        address = str(Path(shop.machine.cwd, place)) if isinstance(keeper, FileKeeper) else keeper.address
        found.append(Kept(address, sealed(data, place=keeper.address)))
    return tuple(found)


def read_ground(
    ledgers: Sequence[Ledger],
    *,
    period: Period,
    prepared: Prepared,
    shop: Workshop,
    kept: Sequence[Kept],
    known_until_epoch_s: int | None = None,
) -> Ground:
    """Read every ledger from its first entry; nothing counts that was recorded after `known_until_epoch_s`.

    Raises LedgerError naming every one that does not verify, UsageError for one that is another's.
    """
    sizes = [one.sealed.checkpoint.size for one in kept]
    found: list[Read] = []

    def read(ledger: Ledger) -> None:
        entries = _until(ledger.read(), known_until_epoch_s)
        chronicle = Chronicle(ledger.address, roots_of=sizes, until_epoch_s=period.to_epoch_s).read(entries)
        said = _said(chronicle, prepared.enforced, shop)
        _require_another(chronicle, found)
        bound = _bindings(ledger, chronicle, prepared.enforced, shop)
        judged = _supersedings(ledger, chronicle, said, prepared, shop)
        found.append(Read(ledger, chronicle, said, bound, judged, with_standing(chronicle.episodes(), judged)))

    of_each(ledgers, read)
    return Ground(
        period=period,
        ledgers=told_apart(found),
        lists=_lists(found),
        limits=exceptions.limits_of(prepared),
        checkpoints=tuple(_checkpoint(one, found, prepared, shop) for one in kept),
    )


def of_each(many: Sequence[One], take: Callable[[One], Made]) -> tuple[Made, ...]:
    """Give what is made of each ledger. Raises LedgerError, of all that cannot be told of where several are meant."""
    made: list[Made] = []
    failed: list[LedgerError] = []
    for one in many:
        try:
            made.append(take(one))
        except LedgerError as error:
            failed.append(error)
    if failed and len(many) == 1:
        raise failed[0]
    if failed:
        raise LedgersError(failed, of=len(many))
    return tuple(made)


def told_apart(found: Sequence[Read]) -> tuple[Read, ...]:
    """Give ledgers that know of each other what they share: a repository that moved, or two that it writes to."""
    held = [read.repositories | read.ids for read in found]
    times = Counter(name for names in held for name in names)
    apart = tuple(
        read._replace(shared=frozenset(name for name in names if times[name] > 1))
        for read, names in zip(found, held, strict=True)
    )
    for read in apart:
        read.chronicle.name_runs(read.named)
    return apart


def _place(read: Read) -> str:
    ledger_id = read.chronicle.memory.ledger_id
    return f"{read.chronicle.address} ({ledger_id})" if ledger_id else read.chronicle.address


def _require_another(chronicle: Chronicle, found: Sequence[Read]) -> None:
    """Raise UsageError for a ledger that was read before, under another name or from a copy: all would count twice."""
    for one in found:
        if one.chronicle.memory.ledger_id and one.chronicle.memory.ledger_id == chronicle.memory.ledger_id:
            raise UsageError(
                f"this is the ledger that {one.chronicle.address} is too",
                place=chronicle.address,
                remedy="name it once",
            )


def _until(entries: Iterable[LedgerEntry], until_epoch_s: int | None) -> Iterator[LedgerEntry]:
    """Give the entries until a time; those after it are read, and so verified, all the same."""
    for entry in entries:
        if until_epoch_s is None or entry.at_epoch_s <= until_epoch_s:
            yield entry


def _said(chronicle: Chronicle, enforced: Enforced, shop: Workshop) -> Said:
    if not chronicle.statements:
        return Said()
    if not enforced.trust.allowed_signers:
        return Said(reason="without an enforced layer nobody's signature counts: give --enforced")
    signer = _Checked(_signer("sshsig", shop))
    signer.look_at(chronicle.statements, enforced, at_once=shop.parallel)
    waivers, first = exceptions.checked(chronicle.statements, enforced=enforced, signer=signer)
    downgrades, second = downgraded.checked(chronicle.statements, enforced=enforced, signer=signer)
    overrides, third = overriding.checked(chronicle.statements, enforced=enforced, signer=signer)
    told = testifying.checked(
        chronicle.statements, enforced=enforced, signer=signer, ledger_id=chronicle.memory.ledger_id or ""
    )
    ended = {one.id for one in waivers if one.revoked_by}
    revoked: dict[str, int] = {}
    for one in chronicle.statements:
        if one.type == REVOKED and one.sequence not in {refused.sequence for refused in first}:
            name = msgspec.json.decode(one.statement, type=Revocation).request
            if name in ended:
                revoked.setdefault(name, one.at_epoch_s)
    refused = (*first, *second, *third, *told.refused)
    return Said(waivers, downgrades, overrides, refused, told, revoked)


def _bindings(ledger: Ledger, chronicle: Chronicle, enforced: Enforced, shop: Workshop) -> Bindings:
    """Check each by the ledger's time of it, as what people signed is."""
    if not chronicle.bindings:
        return Bindings()
    if not enforced.trust.allowed_signers:
        count = len(chronicle.bindings)
        told = f"{many(count, 'artefact')} bound by an attestation that counts for nobody: give --enforced"
        return Bindings(notes=(told,))
    signer, there = _signer("dsse", shop), frozenset(ledger.blobs())
    runs = {(one.run.run_id, one.run.repository, one.run.commit, one.run.tree) for one in chronicle.runs}
    counting, notes = [], []
    for one in chronicle.bindings:
        at = datetime.fromtimestamp(one.at_epoch_s, tz=UTC)
        bound = one.bound
        try:
            if bound.statement_digest not in there:
                raise SignatureError("its attestation was erased")
            if (bound.run_id, bound.repository, bound.commit, bound.tree) not in runs:
                raise SignatureError("no run of the ledger was of the commit that it names")
            require_counting(attestation_of(bound, ledger), trust=enforced.trust, signer=signer, at=at)
            counting.append(one)
        except SignatureError as error:
            told = f"entry {one.sequence} of {chronicle.address} ({bound.TYPE}) counts for nothing"
            notes.append(f"{told}: {error.what}")
    return Bindings(tuple(counting), tuple(notes))


def _supersedings(
    ledger: Ledger, chronicle: Chronicle, said: Said, prepared: Prepared, shop: Workshop
) -> tuple[Superseding, ...]:
    """Judge what took duties back, by the enforced layer as it is now."""
    signer = _signer("sshsig", shop)

    checked: dict[bytes, Debt] = {}

    def check(one: KnownBaseline) -> Debt:
        name = encode(one)
        if name not in checked:
            checked[name] = recorded_debt(one, ledger, prepared, signer)
        return checked[name]

    limits = exceptions.limits_of(prepared).downgrades_s
    return supersedings(chronicle, said.downgrades, limits=limits, check=check, reason=said.reason)


class _Checked:
    """A signer that has looked at everything beforehand, some at once: each look is a process of its own."""

    def __init__(self, signer: Signer) -> None:
        self.name = signer.name
        self._signer = signer
        self._known: dict[tuple[bytes, bytes, str, datetime], Signed | SignatureError] = {}

    def look_at(self, statements: Sequence[KnownStatement], enforced: Enforced, *, at_once: int) -> None:
        """Check what people signed by the enforced layer, at the ledger's time of each."""

        def look(one: KnownStatement) -> None:
            at = datetime.fromtimestamp(one.at_epoch_s, tz=UTC)
            key = (one.statement.encode(), one.signature.encode(), namespace_of(one.type), at)
            try:
                self._known[key] = self._signer.verify(key[0], key[1], namespace=key[2], trust=enforced.trust, at=at)
            except SignatureError as error:
                self._known[key] = error

        with ThreadPoolExecutor(max_workers=at_once, thread_name_prefix="secgate-signature") as pool:
            for done in [pool.submit(look, one) for one in statements]:
                done.result()

    def verify(self, statement: bytes, signature: bytes, *, namespace: str, trust: Trust, at: datetime) -> Signed:
        """See Signer."""
        known = self._known.get((statement, signature, namespace, at))
        if known is None:
            return self._signer.verify(statement, signature, namespace=namespace, trust=trust, at=at)
        if isinstance(known, SignatureError):
            raise known
        return known

    def sign(self, statement: bytes, *, namespace: str, key: str) -> bytes:
        """See Signer."""
        return self._signer.sign(statement, namespace=namespace, key=key)


def _signer(name: str, shop: Workshop) -> Signer:
    return registry.signer(name, machine=shop.machine, runner=shop.executor, scratch=shop.scratch)


def _lists(found: Sequence[Read]) -> dict[PopulationKind, Joined]:
    imports: dict[PopulationKind, list[Imported]] = {}
    for one in found:
        for known in one.chronicle.populations:
            try:
                rows = read_stored(one.ledger.blob(known.event.rows_digest))
            except msgspec.DecodeError as error:
                raise LedgerError(
                    f"the rows of entry {known.sequence} do not read: {error}",
                    place=one.ledger.address,
                    remedy="compare the ledger with a backup",
                ) from error
            taken = Imported(known.event, known.sequence, known.at_epoch_s, rows)
            imports.setdefault(known.event.kind, []).append(taken)
    return {kind: joined(sorted(of_kind, key=lambda one: one.at_epoch_s)) for kind, of_kind in imports.items()}


def _checkpoint(kept: Kept, found: Sequence[Read], prepared: Prepared, shop: Workshop) -> CheckpointItem:
    enforced = prepared.enforced
    checkpoint = kept.sealed.checkpoint
    chronicle = next((one.chronicle for one in found if one.chronicle.memory.ledger_id == checkpoint.ledger_id), None)
    if chronicle is None:
        raise LedgerError(
            "the checkpoint is of none of these ledgers", place=kept.address, remedy="name its ledger too, or leave it"
        )
    signed = True
    times, notes = stamps(kept.sealed, enforced.authorities, shop)
    try:
        who_signed(kept.sealed, times, trust=enforced.trust, signer=_signer("dsse", shop))
    except SignatureError:
        signed = False
    return CheckpointItem(
        id=f"{kept.address} ({many_entries(checkpoint.size)}, {utc_words(checkpoint.at_epoch_s)})",
        ledger_id=checkpoint.ledger_id,
        size=checkpoint.size,
        ledger_size=chronicle.memory.head.size,
        signed=signed,
        same_root=chronicle.roots.get(checkpoint.size) == checkpoint.root,
        stamp_required=prepared.settings.ledger.timestamps_required,
        stamped=bool(times),
        unchecked=bool(kept.sealed.timestamps) and not enforced.authorities,
        why_not="" if times else "; ".join(notes) or "there is no timestamp on it",
    )
