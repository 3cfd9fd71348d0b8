"""One line of a repository through several runs: made tools, the real way from text to ledger and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from secgate.correlate import Correlation, correlate, to_known
from secgate.crosswalk import Crosswalk
from secgate.events import Run
from secgate.fingerprint import SCHEMES, Scheme
from secgate.model import KnownFinding, Obligation, Rename
from secgate.record import RecordReceipt
from tests.ledger_support import EPOCH_S, Story, account, invocation, protected, sqlite_at
from tests.unit.identity_kit import Scan, crosswalk, normalised

_ONE = crosswalk()


class Life:
    """One line of a repository: each `see` is a complete run on it."""

    def __init__(self, folder: Path) -> None:
        self.story = Story(sqlite_at(folder))
        self._files: Mapping[str, str] = {}

    def see(
        self,
        files: Mapping[str, str],
        scans: Sequence[Scan],
        *,
        at_s: int,
        table: Crosswalk = _ONE,
        schemes: Sequence[Scheme] = SCHEMES,
        duty_s: int = 0,
        version: str = "1",
        before: Sequence[Scan] | None = None,
        renames: Mapping[str, str] | None = None,
    ) -> tuple[Correlation, RecordReceipt]:
        """Look, record, and give both; `before` is what these very tools see in the tree of the run before.

        Without it the tools are those of the run before, so what is open stands for the base. `renames` are git's, from
        the old path to the new one.
        """
        pairs = tuple(Rename(old=old, new=new) for old, new in (renames or {}).items())
        here = replace(protected(files=tuple(files)), renames=pairs)
        history = self.story.history(at_s=at_s)
        base: Sequence[KnownFinding] | None = history.open if history.runs else None
        if before is not None:
            old = correlate(
                normalised(self._files, before, table=table).located,
                target=protected(),
                crosswalk=table,
                base=None,
                history=None,
                comparable=lambda _: False,
            )
            base = to_known(old.findings)
        self._files = files
        ran = {scan.invocation.scanner for scan in scans}
        done = correlate(
            normalised(files, scans, table=table).located,
            target=here,
            crosswalk=table,
            base=base,
            history=history,
            comparable=lambda known: set(known.scanners) <= ran,
            schemes=schemes,
        )
        duties = [
            Obligation(finding=one.fingerprint, basis="severity", start_epoch_s=EPOCH_S + at_s, limit_s=duty_s)
            for one in done.findings
            if duty_s
        ]
        lanes = sorted({scan.invocation.lane for scan in scans})
        receipt = self.story.run(
            *done.findings,
            at_s=at_s,
            obligations=duties,
            target=here,
            lanes=[account(lane) for lane in lanes],
            invocations=[
                invocation(scan.invocation.scanner, lane=scan.invocation.lane, version=version) for scan in scans
            ],
        )
        return done, receipt

    def kinds(self, receipt: RecordReceipt) -> list[type]:
        return [type(event) for event in self.story.events(receipt) if not isinstance(event, Run)]

    def open(self) -> Any:
        return self.story.history(at_s=10**6).open
