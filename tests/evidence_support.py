"""Ledgers made event by event, at times of one's choosing, for tests of a period's evidence."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from secgate.event import Event
from secgate.events import (
    FindingAliased,
    FindingClosed,
    FindingOpened,
    FindingSeenAgain,
    LaneCount,
    LedgerCreated,
    ObligationAdded,
    Run,
    RunTool,
    to_entry,
)
from secgate.finding_facts import FindingFacts, Witness
from secgate.ledgers.sqlite import SqliteLedger
from secgate.memory import Memory
from secgate.model import Digest, Fingerprint, Lane, ScanStatus, Scope, Severity, Source
from secgate.population import UNDATED, PopulationImported, Row, stored
from secgate.ports import PopulationKind
from secgate.record import append_events

DAY = 86400
START = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
END = int(datetime(2026, 1, 29, tzinfo=UTC).timestamp())
"""Four weeks."""
SHOP, PAY = "example.com/shop", "example.com/pay"
ZERO = "0" * 64


def commit(name: str) -> str:
    return sha256(name.encode()).hexdigest()[:40]


def digest(name: str) -> str:
    return "sha256:" + sha256(name.encode()).hexdigest()


def tool(
    scanner: str = "bandit", lane: Lane = Lane.SAST, status: ScanStatus = ScanStatus.COMPLETED, **given: Any
) -> RunTool:
    return RunTool(scanner=scanner, lanes=(lane,), status=status, **given)


def count(lane: Lane = Lane.SAST, *, asked: bool = True, needed: bool = True, gaps: int = 0) -> LaneCount:
    return LaneCount(lane=lane, asked=asked, needed=needed, offered=1, covered=1, failed=0, unsupported=0, gaps=gaps)


class Made:
    """A ledger under construction. Times are seconds after the period's beginning, and may not go back."""

    def __init__(self, folder: Path, name: str = "ledger") -> None:
        self.path = folder / f"{name}.sqlite"
        self.ledger = SqliteLedger(str(self.path))
        self.memory = Memory()
        self.ledger.create()
        created = LedgerCreated(ledger_id=sha256(name.encode()).hexdigest(), provisional=False, secgate_version="1")
        self.say(created, at=-DAY)

    def say(self, *events: Event, at: float, blobs: dict[Digest, bytes] | None = None) -> None:
        now = datetime.fromtimestamp(START + at, tz=UTC)
        append_events([to_entry(one) for one in events], self.ledger, memory=self.memory, now=now, blobs=blobs or {})

    def run(self, name: str, *, at: float, keep: bool = True, **given: Any) -> None:
        """A whole run of the protected branch of the shop, which passed; `keep` False loses its document."""
        document = name.encode()
        known: dict[str, Any] = {
            "run_id": name,
            "secgate_version": "1",
            "repository": SHOP,
            "line": "main",
            "scope": Scope.PROTECTED,
            "scope_basis": "given",
            "kind": "git",
            "prefix": "",
            "source": Source.WORK_TREE,
            "ref": "",
            "event": "",
            "provider": "",
            "commit": commit(name),
            "tree": "",
            "base_commit": "",
            "base_ref": "",
            "dirty": False,
            "shallow": False,
            "partial": False,
            "complete": True,
            "provisional": False,
            "lanes": (Lane.SAST,),
            "coverage": (count(),),
            "tools": (tool(rule_pack_epoch_s=START),),
            "tools_digest": ZERO,
            "outcome": "pass",
            "mode": "enforce",
            "document_digest": sha256(document).hexdigest(),
            "evaluated_epoch_s": int(START + at),
        }
        blobs = {known["document_digest"]: document} if keep else {}
        self.say(Run(**{**known, **given}), at=at, blobs=blobs)

    def found(
        self, name: str, *, at: float, severity: Severity = Severity.HIGH, limit: float = 7 * DAY, **given: Any
    ) -> None:
        """A finding that opens, with its duty unless `limit` is 0."""
        facts: dict[str, Any] = {
            "fingerprint": sha256(name.encode()).hexdigest(),
            "algorithm": "secgate/v1",
            "lane": Lane.SAST,
            "weakness": "sql-injection",
            "severity": severity,
            "path": "app.py",
            "witnesses": (Witness(scanner="bandit", rule="B608"),),
        }
        opened = FindingOpened(
            run_id="r",
            repository=SHOP,
            line="main",
            finding=FindingFacts(**{**facts, **given}),
            start_epoch_s=int(START + at),
            state="new",
        )
        self.say(opened, *([self._duty(name, at, severity, limit)] if limit else []), at=at)

    def judged(self, name: str, *, at: float, start: float, limit: float = 7 * DAY) -> None:
        self.say(self._duty(name, start, Severity.HIGH, limit), at=at)

    def closed(self, name: str, *, at: float) -> None:
        event = FindingClosed(
            run_id="r",
            repository=SHOP,
            line="main",
            fingerprint=sha256(name.encode()).hexdigest(),
            algorithm="secgate/v1",
            basis="absent",
            commit="",
        )
        self.say(event, at=at)

    def again(self, name: str, *, at: float) -> None:
        """A finding is back within its episode, with the clock that it had."""
        fingerprint = sha256(name.encode()).hexdigest()
        known = self.memory.line(SHOP, "main").findings[fingerprint]
        event = FindingSeenAgain(
            run_id="r",
            repository=SHOP,
            line="main",
            finding=known.facts,
            start_epoch_s=known.first_seen_epoch_s,
            closed_epoch_s=known.closed_epoch_s or 0,
        )
        self.say(event, at=at)

    def anew(self, name: str, *, at: float, limit: float = 7 * DAY) -> None:
        """A finding is back after the window of its episode: the next one begins, with a clock of its own."""
        known = self.memory.line(SHOP, "main").findings[sha256(name.encode()).hexdigest()]
        opened = FindingOpened(
            run_id="r",
            repository=SHOP,
            line="main",
            episode=known.episode + 1,
            finding=known.facts,
            start_epoch_s=int(START + at),
            state="new",
            previous_closed_epoch_s=known.closed_epoch_s or 0,
        )
        duty = self._duty(name, at, known.facts.severity, limit)
        self.say(opened, msgspec.structs.replace(duty, episode=opened.episode), at=at)

    def renamed(self, name: str, other: str, *, at: float) -> None:
        event = FindingAliased(
            run_id="r",
            repository=SHOP,
            line="main",
            fingerprint=sha256(other.encode()).hexdigest(),
            algorithm="secgate/v1",
            former=Fingerprint(algorithm="secgate/v1", value=sha256(name.encode()).hexdigest()),
            basis="matched",
        )
        self.say(event, at=at)

    def _duty(self, name: str, start: float, severity: Severity, limit: float) -> ObligationAdded:
        return ObligationAdded(
            run_id="r",
            repository=SHOP,
            line="main",
            fingerprint=sha256(name.encode()).hexdigest(),
            algorithm="secgate/v1",
            basis=f"severity:{severity}",
            start_epoch_s=int(START + start),
            limit_s=int(limit),
            policy_digest=ZERO,
        )

    def list(self, kind: PopulationKind, rows: Iterable[Row], *, at: float, **given: Any) -> None:
        """A list from outside that holds the whole period."""
        kept = stored(kind, tuple(rows))
        dated = kind not in UNDATED
        known: dict[str, Any] = {
            "kind": kind,
            "form": "csv",
            "source": "elsewhere",
            "query": "all",
            "extracted_epoch_s": END,
            "from_epoch_s": START if dated else 0,
            "to_epoch_s": END if dated else 0,
            "source_digest": sha256(kept).hexdigest(),
            "rows_digest": sha256(kept).hexdigest(),
            "rows": 1,
            "read": 1,
            "secgate_version": "1",
        }
        event = PopulationImported(**{**known, **given})
        self.say(event, at=at, blobs={event.rows_digest: kept})


def key(name: str, episode: int = 1) -> str:
    """How a finding is named in evidence."""
    return f"{SHOP}/main/{sha256(name.encode()).hexdigest()[:16]}/{episode}"
