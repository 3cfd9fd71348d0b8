"""Histories of one finding: events by the second, each a run that is judged by the shipped Rego and recorded.

A case says what happened and how the finding must stand at `now`. Times are seconds after `base`, 2026-01-01 in UTC
where none is given. The facts that a run would find elsewhere (a listing, a waiver whose signature holds) are joined as
a run joins them; fold, policy and ledger are the real ones.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from secgate import sla
from secgate.bounds import bound_of
from secgate.deadlines import Folded, deadlines
from secgate.downgrades import PROCEDURE, Downgrade, DowngradeRequest
from secgate.downgrades import for_findings as downgrades_for
from secgate.judge import Judgement, JudgeRequest, judge
from secgate.memory import Memory
from secgate.model import (
    Finding,
    Invocation,
    Lane,
    ScanStatus,
    Scope,
    Severity,
    Word,
)
from secgate.policy import Layer, effective_data, read_limits
from secgate.policy.documents import (
    BaselineFacts,
    DowngradeFacts,
    KnownExploited,
    ListFacts,
    ScoreFacts,
    WaiverFacts,
)
from secgate.policy.facts import JoinedFacts, Lists
from secgate.ports import Engine, Ledger
from secgate.recall import recall
from secgate.record import RecordRequest, record
from secgate.remembered import Remembered
from secgate.waived import for_findings as waivers_for
from secgate.waivers import Request, Waiver, subject_of
from tests import ledger_support as kit

BASE = "2026-01-01T00:00:00+00:00"
MODEL = "v2026.06.15"
REPOSITORY = "example.com/shop"
Case = Mapping[str, Any]


class History:
    """One case as it is lived through."""

    def __init__(self, case: Case, *, ledger: Ledger, layers: tuple[Layer, ...], engine: Engine) -> None:
        self.base = int(datetime.fromisoformat(case.get("base", BASE)).timestamp())
        self._case, self._ledger, self._layers, self._engine = case, ledger, layers, engine
        self._limits = read_limits(effective_data(layers[0], layers[1] if len(layers) > 1 else None))
        self._memory = Memory()
        self._facts: dict[str, Any] = {}
        self._waivers: list[Waiver] = []
        self._downgrades: list[Downgrade] = []
        self._severity = Severity.INFO
        self._lane = Lane(case.get("lane", "sast"))
        self._count = 0

    def live(self) -> None:
        """Let every event happen, in its order."""
        for event in self._case["events"]:
            getattr(self, f"_{event['kind']}")(event["at"], event)

    @property
    def remembered(self) -> Remembered:
        """The finding as the ledger has it in the end."""
        self._memory.catch_up(self._ledger)
        (found,) = self._memory.line(REPOSITORY, "main").findings.values()
        return found

    def standing(self, now: int) -> str:
        """Give how the finding stands at `now`, by the policy and by what `secgate sla` lists: both must agree."""
        if not self.remembered.is_open:
            return "closed"
        judgement = self._run(now, seen=True)
        words = {verdict.word for verdict in judgement.decision.verdicts if verdict.subject == "finding"}
        at = max(self.base + now, self._memory.last_epoch_s)
        waiver = self._joined(self._finding(at), at).waiver
        status = "breached" if Word.DENY in words else "waived" if Word.WAIVED in words else "within"
        listed = deadlines([Folded(address="", memory=self._memory, told=lambda *_: {})], now_epoch_s=at).findings[0]
        overdue = sla.is_overdue(self.remembered.obligations, now_epoch_s=at)
        assert (listed.state == "overdue") == overdue
        assert (status == "breached") == (overdue and waiver.state != "active")
        return "waived-overdue" if status == "waived" and overdue else "within" if status == "waived" else status

    def missed(self) -> int:
        """Count the deadlines that were missed when it was closed."""
        closed = self.remembered.closed_epoch_s
        assert closed is not None
        lives = self._limits.waivers_s.of(self._severity)
        spans = [(one.approved_epoch_s, one.until_epoch_s(lives)) for one in self._waivers]
        return int(sla.closing(self.remembered.obligations, closed_epoch_s=closed, waived=spans) == "missed")

    # ------------------------------------------------------------------------------------------------------- events

    def _seen(self, at: int, event: Case) -> None:
        self._severity = Severity(event["sev"])
        self._facts |= {name: event[name] for name in ("exposure", "path_class") if name in event}
        self._run(at, seen=True)

    def _absent(self, at: int, event: Case) -> None:
        self._run(at, seen=False, pack="p1" if event.get("comparable", True) else "p2")

    def _scan_failed(self, at: int, _: Case) -> None:
        self._run(at, seen=False, status=ScanStatus.CRASHED)

    def _broken_off(self, at: int, _: Case) -> None:
        self._run(at, seen=False, complete=False)

    def _change(self, at: int, event: Case) -> None:
        self._severity = Severity(event["sev"])
        self._run(at, seen=True, scope=Scope(event.get("scope", "change")))

    def _dirty(self, at: int, event: Case) -> None:
        self._severity = Severity(event["sev"])
        self._run(at, seen=True, dirty=True)

    def _kev(self, at: int, event: Case) -> None:
        # The histories name the window that a listing opens: three days are those of what anybody can reach.
        if event.get("window") == self._limits.exploited_s.exposed:
            self._facts["exposure"] = "internet"
        listed = self.base + event.get("listed", at)
        self._facts["known_exploited"] = KnownExploited(listed=True, listed_epoch_s=max(0, listed))
        self._run(at, seen=True)

    def _delisted(self, at: int, _: Case) -> None:
        self._facts["known_exploited"] = KnownExploited()
        self._run(at, seen=True)

    def _exposed(self, at: int, event: Case) -> None:
        self._facts["exposure"] = event["to"]
        self._run(at, seen=True)

    def _epss(self, at: int, event: Case) -> None:
        self._facts |= {"epss_ppm": event["ppm"], "scored": self.base + event.get("scored", at)}
        self._facts["model"] = event.get("model", MODEL)
        self._run(at, seen=True)

    def _listed(self, at: int, event: Case) -> None:
        self._facts["baseline"] = BaselineFacts(
            listed=True,
            id="d" * 64,
            author="p-1",
            date_epoch_s=self.base + at,
            severity=Severity(event["sev"]),
            limit_s=event["limit"],
        )
        self._run(at, seen=True)

    def _waiver(self, at: int, event: Case) -> None:
        finding = self._finding(self.base + at)
        request = Request(
            kind="accept",
            subject=subject_of(finding, repository=REPOSITORY),
            bound=bound_of(finding),
            reason="made for a test",
            requester="p-1",
            requested_epoch_s=self.base + at,
            expires_epoch_s=self.base + event["until"],
        )
        name = hashlib.sha256(f"waiver {len(self._waivers)}".encode()).hexdigest()
        self._waivers.append(Waiver(id=name, request=request, approver="p-2", approved_epoch_s=self.base + at))
        self._run(at, seen=True)

    def _downgrade_approved(self, at: int, event: Case) -> None:
        finding = self._finding(self.base + at)
        request = DowngradeRequest(
            schema=PROCEDURE.schema("request"),
            subject=subject_of(finding, repository=REPOSITORY),
            bound=bound_of(finding),
            severity=Severity(event["sev"]),
            reason="made for a test",
            requester="p-1",
            requested_epoch_s=self.base + at,
            expires_epoch_s=self.base + event.get("until", at + 80 * 86400),
        )
        name = hashlib.sha256(f"downgrade {len(self._downgrades)}".encode()).hexdigest()
        self._downgrades.append(Downgrade(id=name, request=request, approver="p-2", approved_epoch_s=self.base + at))
        self._run(at, seen=True)

    # --------------------------------------------------------------------------------------------------------- a run

    def _run(
        self,
        at: int,
        *,
        seen: bool,
        scope: Scope = Scope.PROTECTED,
        status: ScanStatus = ScanStatus.COMPLETED,
        pack: str = "p1",
        complete: bool = True,
        dirty: bool = False,
    ) -> Judgement:
        now = datetime.fromtimestamp(self.base + at, tz=UTC)
        self._memory.catch_up(self._ledger) if self._ledger.exists() else None
        # As a run does: a clock that was put back does not count.
        judged = max(self.base + at, self._memory.last_epoch_s)
        finding = self._finding(judged)
        self._count += 1
        invocations: list[Invocation] = [kit.invocation(status=status, pack=pack, lane=self._lane)]
        target = kit.protected(scope=scope, dirty=dirty)
        accounts = [kit.account(lane) for lane in Lane]
        joined = {finding.fingerprint: self._joined(finding, judged)} if seen else {}
        document = kit.document(
            *([finding] if seen else []),
            run=f"run-{self._count}",
            invocations=invocations,
            lanes=accounts,
            target=target,
            complete=complete,
        )
        judgement = judge(
            JudgeRequest(
                target=target,
                findings=document.findings,
                coverage=document.coverage,
                invocations=document.invocations,
                layers=self._layers,
                profile="pull-request",
                now=datetime.fromtimestamp(judged, tz=UTC),
                joined=joined,
                lists=self._lists(),
            ),
            engine=self._engine,
            guarded=self._engine,
        )
        request = RecordRequest(
            document=msgspec.structs.replace(document, decision=judgement.decision),
            decision_input=judgement.input_document,
            now=now,
            required=False,
            read_only=False,
        )
        record(request, self._ledger, memory=self._memory)
        self._memory.catch_up(self._ledger)
        return judgement

    def _finding(self, now_epoch_s: int) -> Finding:
        """Give the finding with what the ledger remembers, as correlate joins it."""
        plain = kit.finding("one", severity=self._severity, lane=self._lane)
        if not self._ledger.exists():
            return plain
        now = datetime.fromtimestamp(now_epoch_s, tz=UTC)
        history = recall(self._ledger, repository=REPOSITORY, line="main", now=now, required=False, read_only=True)
        for known in (*history.open, *history.closed):
            return msgspec.structs.replace(
                plain,
                first_seen_epoch_s=known.first_seen_epoch_s,
                known_severity=known.severity,
                obligations=known.obligations,
            )
        return plain

    def _joined(self, finding: Finding, now_epoch_s: int) -> JoinedFacts:
        found = {name: value for name, value in self._facts.items() if name not in ("scored", "model")}
        waived = waivers_for(
            self._waivers,
            [finding],
            repository=REPOSITORY,
            now_epoch_s=now_epoch_s,
            longest_s=self._limits.waivers_s.of,
        ).get(finding.fingerprint)
        if waived is not None and waived.state == "active":
            found["waiver"] = WaiverFacts(
                state="active", kind="accept", id=waived.waiver.id, expires_epoch_s=waived.until_epoch_s
            )
        less = downgrades_for(
            self._downgrades, [finding], now_epoch_s=now_epoch_s, longest_s=self._limits.downgrades_s.of
        ).get(finding.fingerprint)
        if less is not None:
            found["downgrade"] = DowngradeFacts(
                state="active" if less.state == "active" else "expired" if less.state == "expired" else "void",
                id=less.downgrade.id,
                severity=less.downgrade.request.severity,
                from_severity=less.downgrade.request.bound.severity,
                approved_epoch_s=less.downgrade.approved_epoch_s,
                expires_epoch_s=less.until_epoch_s,
                ended_epoch_s=less.ended_epoch_s,
            )
        return JoinedFacts(**found)

    def _lists(self) -> Lists:
        scored = self._facts.get("scored", 0)
        epss = ScoreFacts(used=bool(scored), model=self._facts.get("model", ""), scored_epoch_s=scored)
        return Lists(known_exploited=ListFacts(used="known_exploited" in self._facts), epss=epss)


def read_cases(path: Path) -> list[dict[str, Any]]:
    """Give the cases of a file."""
    found: list[dict[str, Any]] = json.loads(path.read_bytes())["cases"]
    return found
