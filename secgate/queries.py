"""What starts from the ledger: a run shown again, a finding's story, two runs compared."""

from __future__ import annotations

import contextlib
import hashlib
import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from secgate import registry
from secgate.agenda import agenda_markdown, agenda_page
from secgate.authors import authors_of
from secgate.comparison import Comparison, Ground, compare
from secgate.config import Machine
from secgate.deadlines import Deadlines, Folded, Told, deadlines, told_by
from secgate.errors import LedgerError, UsageError
from secgate.escape import json_text
from secgate.explanation import Explanation, as_of_now, explain_finding, explain_lane, explain_rule, explain_run
from secgate.memory import Memory
from secgate.model import Digest, Head, History, KnownRun, Rename, RunDocument
from secgate.naming import resolve, resolve_in, resolve_of_old, unnamed
from secgate.narration import comparison_page, explanation_page, story_page
from secgate.policy import effective_data
from secgate.ports import Ledger, Rendered
from secgate.preparation import (
    ChosenLedger,
    Opened,
    Place,
    Prepared,
    Silence,
    Workshop,
    advisory_names,
    last_kept,
    named_ledger,
    opened,
    prepared_at,
    workshop,
)
from secgate.recall import recall
from secgate.repository import escaped
from secgate.show import show as show_document
from secgate.story import Story, Teller, chapters, compose, read_document
from secgate.trend import earlier_runs

MOST_TOLD = 20
"""Runs that are asked for an owner, the last ones first: each may hold a hundred megabytes."""


class Recorded(NamedTuple):
    """A recorded run, the tree's ledger that holds it, and what that remembers."""

    document: RunDocument
    desk: Opened
    memory: Memory


def stored_run(run_id: str, *, path: str, config: str, enforced: str, machine: Machine, now: datetime) -> RunDocument:
    """Give the stored document of the run whose id starts with `run_id`, the latest for "".

    Raises LedgerError for a ledger that is not there or does not verify, UsageError for an id that names no run or two.
    """
    place = Place(path=path, config=config, enforced=enforced)
    with recorded_run(run_id, place=place, machine=machine, now=now) as recorded:
        document = recorded.document
        # What a stored document cannot hold: where it lies, and the runs before it.
        earlier = earlier_runs(recorded.memory.runs(document.target.repository), document)
        return msgspec.structs.replace(
            _as_recorded(document, recorded.desk.chosen.ledger, recorded.memory.head), earlier=earlier
        )


@contextlib.contextmanager
def recorded_run(run_id: str, *, place: Place, machine: Machine, now: datetime) -> Iterator[Recorded]:
    """Give the stored document of a run as `stored_run` does, with the ledger that it is in, still open."""
    with opened(place, machine=machine, now=now) as desk:
        asked = _recalled(desk.prepared, desk.chosen, now)
        yield Recorded(_document(desk.chosen.ledger, _run_of(run_id, asked)), desk, asked.memory)


def finding_story(finding: str, *, place: Place, machine: Machine, now: datetime) -> Story:
    """Give everything recorded of a finding: `finding` is a fingerprint, another name of it, or a unique start.

    The authors of its lines come from git and are in no record. Raises LedgerError for a ledger that is not there or
    does not verify, UsageError where no finding is meant, or several.
    """
    wanted = finding.strip()
    with _asked(place, machine=machine, now=now) as asked:
        ledger, lines = asked.chosen.ledger, asked.memory.lines(asked.repository)
        runs = asked.history.runs
        if not runs:
            raise UsageError("no run was recorded", place=ledger.address, remedy="secgate run records one")
        if not wanted:
            last = _document(ledger, runs[-1])
            raise unnamed("no finding was named", "a fingerprint, the start of one or an advisory", last)
        called = advisory_names(wanted, machine=machine, settings=asked.prepared.settings)
        names = resolve(wanted, lines, advisories=called) or resolve_in(
            wanted, (_document(ledger, run) for run in runs), advisories=called
        )
        teller = Teller(names, ledger.blob)
        for chapter in chapters(ledger.read(), repository=asked.repository, names=names):
            teller.tell(chapter)
        authors, note = authors_of(teller, asked.prepared.repository)
        return compose(
            teller,
            names,
            lines=lines,
            repository=asked.repository,
            authors=authors,
            note=note,
            statements=asked.memory.statements,
        )


def explanation(subject: str, *, run: str, place: Place, machine: Machine, now: datetime) -> Explanation:
    """Explain what a run said of `subject`: a finding by any of its names, a lane, a rule, or `run`.

    The run is the one whose id starts with `run`; for "" the latest of this tree, recorded or not. Raises LedgerError
    for a ledger that does not verify, UsageError where nothing or several things are meant.
    """
    wanted = subject.strip()
    with prepared_at(place, machine=machine, now=now) as (prepared, chosen, _):
        asked = _recalled(prepared, chosen, now) if chosen is not None else None
        document = _explained_run(run, asked, last_kept(root=prepared.target.root, machine=machine))
        if not wanted:
            raise unnamed(
                "nothing was named", "a fingerprint, the start of one, an advisory, a lane, a rule or `run`", document
            )
        called = advisory_names(wanted, machine=machine, settings=prepared.settings)
        told = _explained(wanted, document, prepared, asked, called)
    shipped, organisation = prepared.layers[0], next((x for x in prepared.layers if x.name == "organisation"), None)
    digests: dict[str, str] = {layer.name: layer.digest for layer in prepared.layers}
    digests["data"] = hashlib.sha256(effective_data(shipped, organisation)).hexdigest()
    digests["enforced layer"] = prepared.enforced.digest
    owners = prepared.owners.owners
    path = next((one.location.path for one in document.findings if one.fingerprint == told.id), "")
    claims = owners.of(path) if owners is not None and path else ()
    return as_of_now(told, digests, owners=[name for claim in claims for name in claim.names])


def _explained_run(run: str, asked: _Asked | None, kept: RunDocument | None) -> RunDocument:
    """Give the run that is meant: run ids begin with the time, so the greatest is the latest."""
    if kept is not None and run and kept.run_id.startswith(run):
        return kept
    recorded = None
    if asked is not None and (run or asked.history.runs):
        recorded = _document(asked.chosen.ledger, _run_of(run, asked))
        recorded = _as_recorded(recorded, asked.chosen.ledger, asked.memory.head)
    found = [one for one in (recorded, None if run else kept) if one is not None]
    if not found:
        raise UsageError("no run of this tree is known", remedy="secgate run, then ask again; --path names the tree")
    return max(found, key=lambda one: one.run_id)


def _as_recorded(document: RunDocument, ledger: Ledger, head: Head) -> RunDocument:
    """Add that it is in the ledger: a stored document cannot hold the head that it made."""
    return msgspec.structs.replace(document, ledger=ledger.address, ledger_head=head)


def _explained(
    wanted: str, document: RunDocument, prepared: Prepared, asked: _Asked | None, called: Sequence[str]
) -> Explanation:
    lane = next((one for one in document.coverage.lanes if one.lane.value == wanted), None)
    if lane is not None:
        return explain_lane(lane, document)
    if wanted == "run":
        return explain_run(document)
    rule = explain_rule(wanted.removeprefix("data.secgate.rules."), prepared.layers, document)
    if rule is not None:
        return rule
    names: tuple[str, ...] = ()
    if asked is not None:
        names = resolve_of_old(wanted, asked.memory.lines(asked.repository), _earlier(asked), advisories=called)
    earlier = _earlier(asked) if asked is not None else ()
    names = names or resolve_in(wanted, [document], advisories=called, earlier=earlier)
    known = {one.fingerprint: one for one in document.findings}
    mine = next((known[name] for name in names if name in known), None)
    if mine is None:
        raise UsageError(
            f"the run {document.run_id} did not see {names[0][:12]}",
            remedy=f"name another with --run; `secgate history {names[0][:12]}` lists those that did",
        )
    decision = document.decision
    verdicts = decision.verdicts if decision is not None else ()
    verdict = next((one for one in verdicts if (one.subject, one.id) == ("finding", mine.fingerprint)), None)
    return explain_finding(mine, verdict, document)


def _earlier(asked: _Asked) -> Iterator[RunDocument]:
    """Give the recorded runs, the latest first, each read when it is asked for."""
    return (_document(asked.chosen.ledger, run) for run in reversed(asked.history.runs))


def run_comparison(then: str, now_run: str, *, place: Place, machine: Machine, now: datetime) -> Comparison:
    """Give what differs from one recorded run to another, each named by its id or the start of it.

    Raises LedgerError for a ledger that is not there or does not verify, UsageError for an id that names no run or two.
    """
    with _asked(place, machine=machine, now=now) as asked:
        ledger = asked.chosen.ledger
        if not (then.strip() and now_run.strip()):
            raise UsageError(
                "two runs are compared: name the earlier and the later one",
                place=ledger.address,
                remedy=_latest(asked, "give their ids, or the start of each"),
            )
        first, second = (_document(ledger, _run_of(one, asked)) for one in (then, now_run))
        return compare(first, second, _ground(first, second, asked))


def render_story(story: Story, form: str, *, now: datetime, width: int, colour: bool) -> bytes:
    """Give a story as `text` or `json`."""
    if form == "json":
        return _json("secgate-history", story)
    return story_page(story, now_epoch_s=int(now.timestamp()), width=width, colour=colour)


def render_explanation(told: Explanation, form: str, *, width: int, colour: bool) -> bytes:
    """Give an explanation as `text` or `json`."""
    return _json("secgate-explanation", told) if form == "json" else explanation_page(told, width=width, colour=colour)


def render_comparison(comparison: Comparison, form: str, *, width: int, colour: bool) -> bytes:
    """Give a comparison as `text` or `json`."""
    return (
        _json("secgate-diff", comparison) if form == "json" else comparison_page(comparison, width=width, colour=colour)
    )


def open_deadlines(names: Sequence[str], *, place: Place, machine: Machine, now: datetime) -> Deadlines:
    """Give every open finding of the ledgers that are named, or of the tree's own for none, what bites first in front.

    Each is read whole and verified; a copy of one, older ones too, counts once. Owners and waivers are as
    the last recorded run of each line was told. Raises LedgerError for a ledger that is not there or does not verify.
    """
    if not names:
        with _asked(place, machine=machine, now=now) as asked:
            if not asked.chosen.ledger.exists():
                raise LedgerError(
                    "there is no ledger",
                    place=asked.chosen.ledger.address,
                    remedy="secgate run makes one, or name one with --ledger",
                )
            own = folded_ledger(asked.chosen.ledger, asked.memory)
            return deadlines([own], now_epoch_s=int(now.timestamp()))
    with workshop(machine, now=now, observer=Silence()) as shop:
        folded = [folded_ledger(ledger, memory) for ledger, memory in named_memories(names, shop)]
        return deadlines(folded, now_epoch_s=int(now.timestamp()))


def named_memories(names: Sequence[str], shop: Workshop, *, read_only: bool = True) -> list[tuple[Ledger, Memory]]:
    """Give ledgers by name, each read whole and verified; of copies of one ledger the one with the most entries.

    Raises LedgerError for one that is not there or does not verify, and for copies that have gone apart.
    """
    found: list[tuple[Ledger, Memory]] = []
    for name in dict.fromkeys(names):
        ledger = named_ledger(name, machine=shop.machine, executor=shop.executor, read_only=read_only)
        memory = Memory()
        memory.catch_up(ledger)
        twin = next((at for at, (_, one) in enumerate(found) if one.ledger_id == memory.ledger_id is not None), None)
        if twin is None:
            found.append((ledger, memory))
        else:
            found[twin] = _longer(found[twin], (ledger, memory))
    return found


def _longer(first: tuple[Ledger, Memory], second: tuple[Ledger, Memory]) -> tuple[Ledger, Memory]:
    """Give of two that began as one ledger the one that grew from the other. Raises LedgerError where neither did."""
    long, short = (second, first) if second[1].head.size > first[1].head.size else (first, second)
    then, now = short[1].head, long[1].head
    if then.root != (now.root if now.size == then.size else next(iter(long[0].read(then.size))).previous_root):
        raise LedgerError(
            f"this ledger and {first[0].address} began as one and have gone apart since",
            place=second[0].address,
            remedy="find out which of them counts, and name that one alone",
        )
    return long


def folded_ledger(ledger: Ledger, memory: Memory) -> Folded:
    """Give a ledger that was read into `memory`, with what its runs were told of owners and waivers."""

    def told(repository: str, line: str, wanted: Collection[str]) -> Mapping[str, Told]:
        """Of the last run that started and closed clocks here; an input that was erased tells nothing.

        What that run did not see, as a scanner failed, has the owner that an earlier one found, and no waiver: one may
        have been revoked since.
        """
        runs = [one for one in memory.runs(repository) if one.line == line and one.clocked and one.input_digest]
        found: dict[str, Told] = {}
        for number, run in enumerate(reversed(runs[-MOST_TOLD:])):
            if number and found.keys() >= set(wanted):
                break
            for name, one in _told_by(run.input_digest).items():
                found.setdefault(name, Told(owner=one.owner) if number else one)
        return found

    def _told_by(digest: Digest) -> Mapping[str, Told]:
        try:
            return told_by(ledger.blob(digest))
        except LedgerError as error:
            logging.getLogger(__name__).info("%s", error.what)
            return {}
        except msgspec.DecodeError as error:
            raise LedgerError(f"a run's input cannot be read: {error}", place=ledger.address) from error

    return Folded(address=ledger.address, memory=memory, told=told)


def render_deadlines(found: Deadlines, form: str, *, width: int, colour: bool) -> bytes:
    """Give what is open as `text`, `json` or `markdown`."""
    if form == "json":
        return _json("secgate-sla", found)
    return agenda_markdown(found) if form == "markdown" else agenda_page(found, width=width, colour=colour)


def _json(name: str, value: Story | Comparison | Deadlines | Explanation) -> bytes:
    whole = {"format": {"name": name, "version": value.version}, "told": value}
    return json_text(msgspec.json.format(msgspec.json.encode(whole, order="sorted"), indent=2)) + b"\n"


def render(document: RunDocument, form: str, *, width: int, colour: bool) -> Rendered:
    """Give the document in a format by name, and what of it the format has no room for."""
    return show_document(document, registry.reporter(form), width=width, colour=colour)


class _Asked(NamedTuple):
    """A tree with its verified ledger, and what that remembers."""

    prepared: Prepared
    chosen: ChosenLedger
    memory: Memory
    history: History

    @property
    def repository(self) -> str:
        return self.prepared.target.repository


@contextlib.contextmanager
def _asked(place: Place, *, machine: Machine, now: datetime) -> Iterator[_Asked]:
    """Give what a query reads. Raises LedgerError for a ledger that does not verify."""
    with opened(place, machine=machine, now=now) as (prepared, chosen, _):
        yield _recalled(prepared, chosen, now)


def _recalled(prepared: Prepared, chosen: ChosenLedger, now: datetime) -> _Asked:
    memory = Memory()
    history = recall(
        chosen.ledger,
        repository=prepared.target.repository,
        line=prepared.target.line,
        now=now,
        required=False,
        read_only=True,
        remembered=chosen.remembered,
        memory=memory,
    )
    return _Asked(prepared, chosen, memory, history)


def _run_of(run_id: str, asked: _Asked) -> KnownRun:
    """Give the run whose id starts with `run_id`, the latest for "". Raises UsageError for none, or several."""
    place = asked.chosen.ledger.address
    runs = [run for run in asked.history.runs if run.run_id.startswith(run_id)]
    if not runs:
        told = f"no run starts with `{run_id}`" if run_id else "no run was recorded"
        raise UsageError(told, place=place, remedy=_latest(asked))
    exact = [run for run in runs if run.run_id == run_id]
    if run_id and len(runs) > 1 and not exact:
        ids = ", ".join(run.run_id for run in runs[:5])
        raise UsageError(f"{len(runs)} runs start with `{run_id}`: {ids}", remedy="give more of the id")
    return (exact or runs)[-1]


def _latest(asked: _Asked, *first: str) -> str:
    """Give a remedy that names the latest runs, behind other words."""
    known = ", ".join(run.run_id for run in asked.history.runs[-3:])
    return "; ".join((*first, f"the latest are: {known}")) if known else "secgate run records one"


def _document(ledger: Ledger, run: KnownRun) -> RunDocument:
    try:
        return read_document(ledger.blob(run.document_digest))
    except LedgerError as error:
        raise LedgerError(error.what, place=error.place or ledger.address, remedy=error.remedy) from error


def _ground(then: RunDocument, now: RunDocument, asked: _Asked) -> Ground:
    """Give what git and the ledger know beside the two documents; without the commits less is told, nothing wrong."""
    names = {
        fingerprint: known.names
        for line in asked.memory.lines(asked.repository).values()
        for fingerprint, known in line.findings.items()
    }
    repository, old, new = asked.prepared.repository, then.target.commit, now.target.commit
    if repository is None or not (repository.resolve(old) and repository.resolve(new)):
        return Ground(names=names)
    changes = repository.changes(old, new)
    renames = tuple(Rename(old=escaped(one.old), new=escaped(one.new)) for one in changes.renames)
    touched = {*changes.present, *changes.deleted, *(one.old for one in changes.renames)}
    return Ground(renames=renames, told=True, touched=frozenset(map(escaped, touched)), names=names)
