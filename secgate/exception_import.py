"""Exceptions of other tools become signed requests for waivers: never approvals, and nothing before all is known.

A file's entries are held against a recorded run, one by one. What fits one finding is asked for with the tool's reason
and time, as far as the policy allows; what fits none or several, and what was asked for before, is told with why.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Literal

import msgspec

from secgate import queries, statements
from secgate.bounds import Bound, bound_of, union
from secgate.config import Machine
from secgate.errors import UsageError
from secgate.escape import json_text, plain
from secgate.exception_files import MAX_BYTES, Entry, Form, Match, match, read
from secgate.model import Finding, RunDocument, Severity, Value, WaiverAccount
from secgate.statements import Draft, Listed, Place, Speaker, Wish
from secgate.waivers import AdvisorySubject, Origin, Subject, Waiver, subject_of

_SHOWN = 12
MOST_TOGETHER = 1_000
"""Requests under one signature: more would make a statement that nobody reads."""


class ImportRequest(Value, frozen=True, kw_only=True):
    """Which file, of which form, is held against which run (`run`, "" for the last)."""

    form: Form
    file: str
    run: str = ""
    under: str = ""
    """Folder of the repository that the file's paths are relative to."""
    products: tuple[str, ...] = ()
    """Names by which a VEX document knows this repository."""
    ticket: str = ""


class Line(Value, frozen=True, kw_only=True):
    """What becomes of one entry. `until_epoch_s` is 0 and `why` says why where it is not asked for."""

    place: str
    entry: str
    outcome: Literal["request", "known", "not-turned"]
    why: str = ""
    kind: str = ""
    shown: str = ""
    fingerprints: tuple[str, ...] = ()
    severity: str = ""
    reason: str = ""
    until_epoch_s: int = 0
    until_basis: str = ""
    waiver: str = ""
    """Of one that was asked for: now, or, for a known one, before."""


class Plan(Value, frozen=True, kw_only=True):
    """What a file's entries would become, in the file's order, and the drafts of what would be asked for."""

    file: str
    form: Form
    run_id: str
    partial: bool
    """Whether the run looked at a part of the tree only, so that less was found than there is."""
    lines: tuple[Line, ...]
    drafts: tuple[Draft, ...]

    def count(self, outcome: str) -> int:
        """Give how many entries come to `outcome`."""
        return sum(line.outcome == outcome for line in self.lines)


class ImportTold(Value, frozen=True, kw_only=True):
    """The same for scripts."""

    file: str
    form: Form
    run_id: str
    partial: bool
    lines: tuple[Line, ...]


def import_json(plan: Plan, *, signed: bool) -> bytes:
    """Give a plan for scripts; `signed` is whether what it asks for was asked for."""
    told = ImportTold(file=plan.file, form=plan.form, run_id=plan.run_id, partial=plan.partial, lines=plan.lines)
    whole = {"format": {"name": "secgate-import", "version": 1}, "signed": signed, "told": told}
    return json_text(msgspec.json.format(msgspec.json.encode(whole, order="sorted"), indent=2)) + b"\n"


def planned(request: ImportRequest, *, place: Place, machine: Machine, now: datetime) -> Plan:
    """Read a file and hold it against a run; nothing is signed or written.

    Raises UsageError for a file that cannot be read or a run that there is not, LedgerError for the ledger.
    """
    data = _bytes(request.file, place=place, machine=machine)
    name = PurePosixPath(request.file).name
    entries = read(request.form, data, file=name, under=request.under, products=request.products)
    document = queries.stored_run(
        request.run, path=place.path, config=place.config, enforced=place.enforced, machine=machine, now=now
    )
    known = statements.listed(place=place, machine=machine, now=now)
    planner = _Planner(request, document, known=known, now=now)
    told = [planner.line(one) for one in match(entries, document)]
    return Plan(
        file=plain(name),
        form=request.form,
        run_id=document.run_id,
        partial=document.target.changed is not None or bool(document.target.prefix) or not document.complete,
        lines=tuple(line for line, _ in told),
        drafts=tuple(draft for _, draft in told if draft is not None),
    )


def asked(plan: Plan, *, speaker: Speaker, place: Place, machine: Machine, now: datetime) -> Plan:
    """Sign and record what a plan asks for, with one use of the key for a thousand requests; give it with their ids.

    Raises UsageError, SignatureError or LedgerError.
    """
    made: list[Waiver] = []
    for at in range(0, len(plan.drafts), MOST_TOGETHER):
        part = plan.drafts[at : at + MOST_TOGETHER]
        made += statements.request_together(part, speaker=speaker, place=place, machine=machine, now=now)
    ids = iter(made)
    lines = tuple(
        msgspec.structs.replace(line, waiver=next(ids).id) if line.outcome == "request" else line for line in plan.lines
    )
    return msgspec.structs.replace(plan, lines=lines)


class _Planner:
    """Makes a line, and a draft where one is asked for, of each entry."""

    def __init__(
        self,
        request: ImportRequest,
        document: RunDocument,
        *,
        known: Listed,
        now: datetime,
    ) -> None:
        self._request, self._now, self._limits = request, now, known.limits
        self._name = plain(PurePosixPath(request.file).name)
        self._repository = document.target.repository
        self._before = _by_entry(known)

    def line(self, one: Match) -> tuple[Line, Draft | None]:
        """Tell what becomes of an entry."""
        entry = one.entry
        plain_line = Line(place=entry.place, entry=entry.shown, outcome="not-turned", why=one.why)
        if one.why:
            return plain_line, None
        try:
            bound = _bound(one.findings)
        except UsageError as error:
            return msgspec.structs.replace(plain_line, why=error.what), None
        longest_s = self._limits.of(bound.severity)
        until, basis = self._until(entry, bound.severity, longest_s)
        if until <= int(self._now.timestamp()):
            return msgspec.structs.replace(plain_line, why=f"it ended {_day(until)}"), None
        subject = self._subject(one)
        line = Line(
            place=entry.place,
            entry=entry.shown,
            outcome="request",
            kind=entry.kind,
            shown=_shown(one.findings),
            fingerprints=tuple(finding.fingerprint for finding in one.findings),
            severity=bound.severity,
            reason=entry.reason or f"taken over from {self._name}, which gives no reason",
            until_epoch_s=until,
            until_basis=basis,
        )
        before = next((held for held in self._before.get(entry.digest, ()) if _is_about(held[0], one, subject)), None)
        if before is not None:
            account = before[1]
            state = f"asked for before, and it is {account.state}" + (f": {account.why}" if account.why else "")
            return msgspec.structs.replace(line, outcome="known", why=state, waiver=account.id), None
        wish = Wish(
            kind=entry.kind,
            reason=line.reason,
            expires=datetime.fromtimestamp(until, tz=UTC),
            ticket=self._request.ticket,
        )
        origin = Origin(form=self._request.form, file=self._name, place=entry.place, entry=entry.digest)
        return line, Draft(wish=wish, subject=subject, bound=bound, shown=line.shown, origin=origin)

    def _until(self, entry: Entry, severity: Severity, longest_s: int) -> tuple[int, str]:
        latest = int(self._now.timestamp()) + longest_s
        if entry.ends_epoch_s is not None and entry.ends_epoch_s <= latest:
            return entry.ends_epoch_s, "the file's"
        given = "the file gives none" if entry.ends_epoch_s is None else f"the file says {_day(entry.ends_epoch_s)}"
        return latest, f"the policy's longest for {severity}; {given}"

    def _subject(self, one: Match) -> Subject:
        first = one.findings[0]
        if not one.is_advisory or first.package is None:
            return subject_of(first, repository=self._repository)
        wanted = {name.upper() for name in one.entry.advisories}
        return AdvisorySubject(
            advisory=next(name for name in sorted(first.advisories) if name.upper() in wanted),
            ecosystem=first.package.ecosystem,
            package=first.package.name,
            repositories=(self._repository,),
        )


def _by_entry(known: Listed) -> dict[str, list[tuple[Waiver, WaiverAccount]]]:
    found: dict[str, list[tuple[Waiver, WaiverAccount]]] = {}
    for waiver, account in zip(known.waivers, known.accounts, strict=True):
        if waiver.request.origin is not None:
            found.setdefault(waiver.request.origin.entry, []).append((waiver, account))
    return found


def _is_about(held: Waiver, one: Match, subject: Subject) -> bool:
    """Tell whether an earlier request is about the same, by any name that the finding has."""
    before = held.request.subject
    if before == subject:
        return True
    names = {alias.value for finding in one.findings for alias in finding.aliases}
    names |= {finding.previous for finding in one.findings}
    return getattr(before, "fingerprint", "") in names - {""}


def _bound(findings: Sequence[Finding]) -> Bound:
    """Give what a waiver of all of them is bound to: each version that was seen, the highest severity."""
    return union([bound_of(one) for one in findings])


def _shown(findings: Sequence[Finding]) -> str:
    places = [one.location.words for one in findings]
    more = f" and {len(places) - 1} more" if len(places) > 1 else ""
    return f"{findings[0].title} ({places[0]}{more})"


def _day(epoch_s: int) -> str:
    return datetime.fromtimestamp(epoch_s, tz=UTC).strftime("%Y-%m-%d")


def _bytes(file: str, *, place: Place, machine: Machine) -> bytes:
    """Read a regular file. A link of the tree that leads out of it is refused: the tree chose what would be read."""
    path = Path(machine.cwd, file)
    try:
        whole, root = path.resolve(strict=True), Path(machine.cwd, place.path).resolve()
        lexical = Path(os.path.normpath(path.parent.absolute() / path.name))
        if lexical.is_relative_to(root) and not whole.is_relative_to(root):
            raise UsageError(f"{plain(file)} leads out of the tree", remedy="name the file that it leads to")
        handle = os.open(whole, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
        with os.fdopen(handle, "rb") as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise UsageError(f"{plain(file)} is no regular file", remedy="give the tool's file")
            return stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"cannot read {plain(file)}: {error.strerror}", remedy="give the tool's file") from error
