"""A month of a made shop with one of each kind of trouble, for tests of the report."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from secgate.gate_events import ModeChanged, PolicyChanged
from secgate.model import Lane, ScanStatus, Scope, Severity
from secgate.population import Approval, Change, Deployment, RepositoryInScope
from secgate.report import Place, Report, ReportWish, make_report
from secgate.report.forms import form
from tests.evidence_support import DAY, END, PAY, SHOP, START, ZERO, Made, commit, tool
from tests.product import Product

HOUR = 3600
FAILED = tool(status=ScanStatus.CRASHED, rule_pack_epoch_s=START)
OBSERVED, BROKEN, SILENT = 4, 9, range(14, 23)
"""Days on which the gate only watched, a scanner crashed, and nothing ran."""


def month(folder: Path) -> Made:
    """Give a ledger: one run a day, a week of silence, findings closed in time, late and not at all, and lists."""
    made = Made(folder)
    found: Mapping[int, tuple[tuple[str, Severity, int], ...]] = {
        0: (("early", Severity.HIGH, 7), ("hasty", Severity.CRITICAL, 1)),
        5: (("late", Severity.HIGH, 7), ("young", Severity.MEDIUM, 30)),
    }
    closed = {3: "early", 6: "hasty"}
    for day in range(28):
        if day in SILENT:
            continue
        given: dict[str, Any] = {"policy_digests": {"shipped": ZERO}, "enforced_digest": ZERO}
        given |= {"mode": "observe"} if day == OBSERVED else {}
        given |= {"outcome": "inconclusive", "complete": False, "tools": (FAILED,)} if day == BROKEN else {}
        made.run(f"r{day}", at=day * DAY + HOUR, **given)
        for name, severity, limit in found.get(day, ()):
            made.found(name, at=day * DAY + HOUR, severity=severity, limit=limit * DAY)
        if day in closed:
            made.closed(closed[day], at=day * DAY + HOUR)
        if day == OBSERVED:
            _changed(made, day)
    made.run("laptop", at=28 * DAY - HOUR, scope=Scope.LOCAL)
    _lists(made)
    return made


def _changed(made: Made, day: int) -> None:
    known = {"run_id": f"r{day}", "previous_run_id": "", "repository": SHOP, "line": "main", "profile": "release"}
    made.say(
        ModeChanged(**known, name="gate", part="mode", before="enforce", after="observe"),
        PolicyChanged(**known, name="organisation", part="policy", before="", after=ZERO),
        at=day * DAY + HOUR,
    )


def _lists(made: Made) -> None:
    made.list("repositories", [RepositoryInScope(repository=name) for name in (SHOP, PAY)], at=29 * DAY)
    rows = [
        Deployment(
            repository=SHOP,
            name=f"d{day}",
            environment="production",
            commit=commit(f"r{day}"),
            deployed_epoch_s=START + day * DAY + 2 * HOUR,
        )
        for day in (1, BROKEN, 17)
    ]
    made.list("deployments", rows, at=29 * DAY, read=5, left_out={"another environment": 2})
    changes = [
        Change(
            repository=SHOP,
            name=f"c-{who}",
            author="p-1",
            merged_epoch_s=START + DAY,
            approvals=(Approval(reviewer=who, approved_epoch_s=START + HOUR),),
        )
        for who in ("p-1", "p-2")
    ]
    made.list("reviews", changes, at=29 * DAY, unknown_people=1)


def report(product: Product, *ledgers: Made, enforced: str = "", **given: Any) -> Report:
    """Make a report over the four weeks, a day after their end."""
    wish = {
        "framework": "soc2",
        "start": datetime.fromtimestamp(START, tz=UTC),
        "end": datetime.fromtimestamp(END, tz=UTC),
        "generated": datetime.fromtimestamp(END + DAY, tz=UTC),
        "ledgers": tuple(str(one.path) for one in ledgers),
        **given,
    }
    place = Place(path=str(product.home / "tmp"), enforced=enforced)
    now = datetime.fromtimestamp(END + 2 * DAY, tz=UTC)
    return make_report(ReportWish(**wish), place=place, machine=product.machine(), now=now)


def files(made: Report, *names: str) -> dict[str, bytes]:
    """Give the files of some forms."""
    found: dict[str, bytes] = {}
    for name in names:
        found |= form(name)(made)
    return found


__all__ = [
    "BROKEN",
    "DAY",
    "END",
    "HOUR",
    "OBSERVED",
    "PAY",
    "SHOP",
    "SILENT",
    "START",
    "Lane",
    "files",
    "month",
    "report",
]
