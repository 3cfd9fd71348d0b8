"""One finding's story, told by a ledger: its clocks on each line, and what each recorded run said of it.

Pure folds over entries and stored run documents; the same ledger gives the same story. Nothing of it is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

from secgate.comparison import unseen_words
from secgate.errors import LedgerError, UsageError
from secgate.event import Event
from secgate.events import (
    FindingAliased,
    FindingChanged,
    FindingClosed,
    FindingEvent,
    FindingMerged,
    FindingOpened,
    FindingSeenAgain,
    FindingSplit,
    ObligationAdded,
    ObligationSuperseded,
    Run,
    event_of,
)
from secgate.finding_facts import facts_of
from secgate.memory import Line
from secgate.model import (
    Digest,
    Finding,
    KnownFinding,
    KnownStatement,
    Lane,
    LedgerEntry,
    Obligation,
    RunDocument,
    ScanStatus,
    Scope,
    Severity,
    Value,
    Verdict,
    Word,
)
from secgate.remembered import Remembered
from secgate.sayings import Said, downgrades_said, waivers_said
from secgate.sla import due_epoch_s, length_words

FORMAT_VERSION = 1


class Sight(Value, frozen=True, kw_only=True):
    """What one recorded run said of the finding.

    `state` is the finding's against the run's base, or `not-looked` where the run could not have seen it, `not-there`
    where it looked and saw nothing, `unreadable` where the run's document cannot be had. `happened` are the ledger's
    events of that run, in words. `word` is the verdict's, "" for none.
    """

    run_id: str
    evaluated_epoch_s: int
    commit: str
    dirty: bool
    line: str
    scope: Scope
    outcome: str
    state: str
    basis: str = ""
    fingerprint: str = ""
    severity: Severity | None = None
    path: str = ""
    start_line: int = 0
    symbol: str = ""
    word: str = ""
    reason: str = ""
    override: str = ""
    """The override that was in force, "" for none."""
    happened: tuple[str, ...] = ()


class Clock(Value, frozen=True, kw_only=True):
    """The finding's clock on one line. `due_epoch_s` is the earliest of the duties that stand, None for none."""

    line: str
    episode: int
    first_seen_epoch_s: int
    closed_epoch_s: int | None
    obligations: tuple[Obligation, ...]
    due_epoch_s: int | None


class Waived(Value, frozen=True, kw_only=True):
    """What holds the newest judged run's verdict back: a waiver, or an exemption of the organisation's policy."""

    run_id: str
    word: Word
    rule: str
    layer: str
    reason: str


class Author(Value, frozen=True, kw_only=True):
    """Who wrote some of the finding's lines, as git says. Shown, never stored: a ledger holds no names."""

    name: str
    written_epoch_s: int
    commit: str
    lines: int


class Story(Value, frozen=True, kw_only=True):
    """Everything recorded of one finding. `sights` are oldest first; `after` counts later runs that did not see it."""

    version: int = FORMAT_VERSION
    repository: str
    fingerprint: str
    algorithm: str
    names: tuple[str, ...]
    """Other fingerprints that it is or was known by, those of its witnesses included."""
    lane: Lane
    weakness: str
    title: str = ""
    severity: Severity
    path: str
    start_line: int
    symbol: str
    advisories: tuple[str, ...] = ()
    package: str = ""
    seen_by: tuple[str, ...] = ()
    clocks: tuple[Clock, ...] = ()
    waived: Waived | None = None
    waivers: tuple[Said, ...] = ()
    downgrades: tuple[Said, ...] = ()
    authors: tuple[Author, ...] = ()
    authors_note: str = ""
    """Why no author is told, "" where one is."""
    sights: tuple[Sight, ...] = ()
    after: int = 0


class Chapter(Value, frozen=True, kw_only=True):
    """One recorded run with the events that followed from it for the finding."""

    run: Run
    events: tuple[FindingEvent, ...] = ()


# ------------------------------------------------------------------------------------------------------------- chapters


def chapters(entries: Iterable[LedgerEntry], *, repository: str, names: Iterable[str]) -> Iterator[Chapter]:
    """Give the repository's runs, oldest first, each with its events about a finding of these names.

    A run's entry comes before its events, and no other run's between them.
    """
    wanted = set(names)
    run: Run | None = None
    events: list[FindingEvent] = []
    for entry in entries:
        event = event_of(entry)
        if isinstance(event, Run):
            if run is not None:
                yield Chapter(run=run, events=tuple(events))
            run, events = (event if event.repository == repository else None), []
        elif run is not None and isinstance(event, FindingEvent) and _subject(event) in wanted:
            # An event of another run here would be a forged order; it does not belong to this one.
            events += [event] if event.run_id == run.run_id else []
    if run is not None:
        yield Chapter(run=run, events=tuple(events))


def _subject(event: Event) -> str:
    match event:
        case FindingOpened() | FindingSeenAgain() | FindingChanged() | FindingSplit():
            return event.finding.fingerprint
        case FindingClosed() | FindingAliased() | FindingMerged() | ObligationAdded() | ObligationSuperseded():
            return event.fingerprint
    return ""


def happened(events: Iterable[FindingEvent]) -> tuple[str, ...]:
    """Say in words what the events of one run mean for the finding."""
    return tuple(text for event in events if (text := _event_words(event)))


def _event_words(event: FindingEvent) -> str:
    text = ""
    match event:
        case FindingOpened():
            text = "clock starts" if event.episode == 1 else f"clock starts anew: episode {event.episode}"
        case FindingSeenAgain():
            text = "back: its first clock goes on"
        case FindingChanged():
            was = event.previous_severity
            severity = f" (severity was {was.value})" if was is not event.finding.severity else ""
            text = f"changed: {', '.join(event.changes)}{severity}"
        case FindingClosed():
            text = f"clock ends: {event.basis}"
        case FindingAliased():
            text = f"known as {event.former.value[:12]} before: {event.basis}"
        case FindingMerged():
            text = f"takes in {event.absorbed.value[:12]}: the earlier clock counts"
        case FindingSplit():
            text = f"was part of {event.origin.value[:12]}: its clock goes on"
        case ObligationAdded():
            text = f"{event.basis}: {length_words(event.limit_s)}"
        case ObligationSuperseded():
            by = f": downgrade {event.downgrade[:12]}" if event.downgrade else ""
            text = f"{event.basis} counts no longer{by}"
    return text


# --------------------------------------------------------------------------------------------------------------- sights


class Teller:
    """Goes through the runs in their order and keeps what each said of one finding."""

    def __init__(self, names: Iterable[str], read: Callable[[Digest], bytes]) -> None:
        """`read` gives a stored document's bytes and raises LedgerError where it is gone."""
        self._names = set(names)
        self._read = read
        self._pending: list[Sight] = []
        """Runs that did not see it: they belong to the story only if a later one does."""
        self.sights: list[Sight] = []
        self.last: tuple[RunDocument, Finding] | None = None
        """The newest run that saw it, a protected one before all others: a branch may have it elsewhere."""
        self.last_clean: tuple[RunDocument, Finding] | None = None
        """The same among runs of a commit."""
        self.waived: Waived | None = None

    @property
    def names(self) -> frozenset[str]:
        """Every fingerprint that a run had it by."""
        return frozenset(self._names)

    @property
    def after(self) -> int:
        """Number of runs after the last that says something of it."""
        return len(self._pending)

    def tell(self, chapter: Chapter) -> None:
        """Take in the next run."""
        sight = self._sight(chapter)
        seen = sight.state not in ("not-looked", "not-there", "unreadable")
        if seen or sight.happened:
            self.sights += [*self._pending, sight]
            self._pending.clear()
        elif self.sights:
            self._pending.append(sight)

    def _sight(self, chapter: Chapter) -> Sight:
        run, told = chapter.run, happened(chapter.events)
        plain = Sight(
            run_id=run.run_id,
            evaluated_epoch_s=run.evaluated_epoch_s,
            commit=run.commit,
            dirty=run.dirty,
            line=run.line,
            scope=run.scope,
            outcome=run.outcome,
            state="not-looked" if run.partial or self._names.intersection(run.unseen) else "not-there",
            override=run.override,
            happened=told,
        )
        try:
            data = self._read(run.document_digest)
        except LedgerError as error:
            return msgspec.structs.replace(plain, state="unreadable", basis=error.what)
        # Most runs of most findings say nothing: bytes tell so without reading the document.
        if not any(name.encode() in data for name in self._names):
            return self._not_seen(plain, run, data)
        document = read_document(data)
        one = self._find(document)
        if one is not None:
            return self._seen(plain, document, one)
        gone = next((known for known in document.absent if known.fingerprint in self._names), None)
        return _absent(plain, gone) if gone is not None else plain

    def _not_seen(self, plain: Sight, run: Run, data: bytes) -> Sight:
        """Tell whether a run that does not name it could have seen it. Its document is read only where it may tell."""
        if self.last is None or run.partial or _looked_everywhere(run, self.last[1]):
            return plain
        why = unseen_words(self.last[1], read_document(data))
        return msgspec.structs.replace(plain, state="not-looked", basis=why) if why else plain

    def _find(self, document: RunDocument) -> Finding | None:
        """Give the run's finding of these names: by its own fingerprint, else by a former, else by a witness's."""
        asked: tuple[Callable[[Finding], bool], ...] = (
            lambda one: one.fingerprint in self._names,
            lambda one: one.previous in self._names,
            lambda one: any(alias.value in self._names for alias in one.aliases),
        )
        for fits in asked:
            for one in document.findings:
                if fits(one):
                    self._names.add(one.fingerprint)
                    return one
        return None

    def _seen(self, plain: Sight, document: RunDocument, one: Finding) -> Sight:
        verdict = _verdict(document, one.fingerprint)
        self.last = _preferred(self.last, (document, one))
        if document.target.commit and not document.target.dirty:
            self.last_clean = _preferred(self.last_clean, (document, one))
        if verdict is not None:
            self.waived = _waived(document.run_id, verdict)
        return msgspec.structs.replace(
            plain,
            state=one.state.value,
            basis=one.state_basis,
            fingerprint=one.fingerprint,
            severity=one.severity,
            path=one.location.path,
            start_line=one.location.region.start_line,
            symbol=one.symbol,
            word=verdict.word.value if verdict else "",
            reason=verdict.reason if verdict else "",
        )


def _looked_everywhere(run: Run, one: Finding) -> bool:
    """Tell whether a run looked at the whole tree in a finding's lane, with everything that saw it."""
    whole = any(count.lane is one.lane and count.asked and not count.gaps for count in run.coverage)
    completed = {tool.scanner for tool in run.tools if tool.status is ScanStatus.COMPLETED}
    return whole and not run.prefix and completed.issuperset(witness.scanner for witness in one.witnesses)


def _preferred(
    held: tuple[RunDocument, Finding] | None, newer: tuple[RunDocument, Finding]
) -> tuple[RunDocument, Finding]:
    was_protected = held is not None and held[0].target.scope is Scope.PROTECTED
    return held if held and was_protected and newer[0].target.scope is not Scope.PROTECTED else newer


def compose(
    teller: Teller,
    names: Sequence[str],
    *,
    lines: Mapping[str, Line],
    repository: str,
    authors: Sequence[Author] = (),
    note: str = "",
    statements: Sequence[KnownStatement] = (),
) -> Story:
    """Give the story that `teller` gathered of the finding of these names, with its clocks on `lines`.

    Raises UsageError where no stored run and no line holds it.
    """
    known = {name: one for name in sorted(lines) if (one := lines[name].find(names)) is not None}
    open_first = sorted(known.values(), key=lambda one: (not one.is_open, -one.first_seen_epoch_s))
    facts = open_first[0].facts if open_first else None
    if teller.last is not None and (facts is None or facts.fingerprint == teller.last[1].fingerprint):
        # Clocks do not note on which line a finding stands; the run does.
        facts = facts_of(teller.last[1])
    if facts is None:
        raise UsageError(f"no stored run holds {names[0][:12]}", remedy="the runs that saw it were erased")
    every = {*names, *(alias.value for alias in facts.aliases), *teller.names} - {facts.fingerprint}
    return Story(
        repository=repository,
        fingerprint=facts.fingerprint,
        algorithm=facts.algorithm,
        names=tuple(sorted(every)),
        lane=facts.lane,
        weakness=facts.weakness,
        title=teller.last[1].title if teller.last else "",
        severity=facts.severity,
        path=facts.path,
        start_line=facts.start_line,
        symbol=facts.symbol,
        advisories=facts.advisories,
        package=facts.package,
        seen_by=tuple(f"{one.scanner} ({one.rule})" for one in facts.witnesses),
        clocks=tuple(_clock(name, one) for name, one in known.items()),
        waived=teller.waived,
        waivers=waivers_said(
            statements, names={facts.fingerprint, *every}, advisories=set(facts.advisories), repository=repository
        ),
        downgrades=downgrades_said(statements, names={facts.fingerprint, *every}, repository=repository),
        authors=tuple(authors),
        authors_note=note,
        sights=tuple(teller.sights),
        after=teller.after,
    )


def _clock(line: str, known: Remembered) -> Clock:
    return Clock(
        line=line,
        episode=known.episode,
        first_seen_epoch_s=known.first_seen_epoch_s,
        closed_epoch_s=known.closed_epoch_s,
        obligations=known.obligations,
        due_epoch_s=due_epoch_s(known.obligations),
    )


def read_document(data: bytes) -> RunDocument:
    """Give a stored run. Raises LedgerError for what this version cannot read."""
    try:
        return msgspec.json.decode(data, type=RunDocument)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise LedgerError(
            f"the stored run cannot be read: {error}",
            remedy="use the version of secgate that recorded it, or a newer one",
        ) from error


def _absent(plain: Sight, gone: KnownFinding) -> Sight:
    return msgspec.structs.replace(
        plain,
        state="absent",
        fingerprint=gone.fingerprint,
        severity=gone.severity,
        path=gone.path,
        start_line=gone.start_line,
        symbol=gone.symbol,
    )


def _verdict(document: RunDocument, fingerprint: str) -> Verdict | None:
    decision = document.decision
    verdicts = decision.verdicts if decision is not None else ()
    return next((one for one in verdicts if one.subject == "finding" and one.id == fingerprint), None)


def _waived(run_id: str, verdict: Verdict) -> Waived | None:
    if verdict.word not in (Word.WAIVED, Word.EXEMPT):
        return None
    return Waived(run_id=run_id, word=verdict.word, rule=verdict.rule, layer=verdict.layer, reason=verdict.reason)
