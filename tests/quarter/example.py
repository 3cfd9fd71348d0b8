"""A month of a small shop, of which the docs show a report: one of each thing that an auditor would ask about."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from tests.quarter.drawing import plan_of
from tests.quarter.making import CHIEF, DEVELOPERS, Making, digest
from tests.quarter.plan import DAY, HOUR, InScope, Plan
from tests.quarter.telling import plant_notices
from tests.quarter.windows import Weeks, broken, with_rules

SHOP, BILLING, SITE = (f"git.example.com/acme/{name}" for name in ("shop", "billing", "site"))
ABOUT = """\
version = 1
entity = "Acme Shop (made up)"
systems = ["the web shop", "billing"]

[[excluded]]
what = "the mobile app"
why = "built and released by another company"

[[outside]]
name = "a cloud"
what = "runs the containers"
"""


def example() -> Plan:
    """Give the plan of September 2026."""
    start, end = (datetime(2026, month, 1, tzinfo=UTC) for month in (9, 10))
    make = Making(11, repositories=(SHOP, BILLING), start=start, end=end)
    make.background(runs=26)
    _deployments(make)
    _weaknesses(make)
    author, other = DEVELOPERS[:2]
    make.bad("change.reviewed", make.change(make.time(), author=author), "no_review")
    make.bad("change.reviewed", make.change(make.time(), (other, 2 * HOUR, False), author=author), "review_after_merge")
    make.bad("gate.enforced", make.run(make.time(), BILLING, mode="observe").name, "observe_mode")
    weeks = Weeks(make)
    cell = weeks.next()
    weeks.change(cell, lambda run: broken(run, "bandit"))
    weeks.bad(cell, "sast", "scanner_error")
    cell = weeks.next()
    weeks.change(cell, lambda run: with_rules(run, "semgrep", 120 * DAY))
    weeks.bad(cell, "sast", "rules_too_old")
    make.scope.append(InScope(SITE, infrastructure=False))
    for week in make.windows():
        make.bad("scan.ran", weeks.item((SITE, week), "every lane"), "missing_window")
        make.bad("secrets.searched", weeks.item((SITE, week), "secrets"), "missing_window")
    dismissed = make.finding(make.time(before=15 * DAY), repository=SHOP)
    said = {"kind": "false-positive", "reason": "the text is a constant of ours"}
    make.aside(dismissed, make.waive(dismissed, dismissed.opened + DAY, dismissed.opened + 60 * DAY, **said))
    plant_notices(make, times=0)
    return plan_of(make, ledgers=2)


def _deployments(make: Making) -> None:
    """One past the gate, one that it refused, one under an override, and an override that nobody looked at."""
    gated = "change.gated"
    make.bad(gated, make.deploy(make.time(), SHOP, commit=digest("hotfix by hand")[:40]), "no_run")
    run = make.run(make.time(before=DAY), SHOP, outcome="fail")
    make.bad(gated, make.deploy(run.at + HOUR, SHOP, commit=run.commit), "blocked_and_not_overridden")
    given = make.override(make.time(before=8 * DAY), repository=SHOP)
    run = make.run(given.given + HOUR // 2, SHOP, outcome="fail", mode="overridden", override=given.name)
    make.near(gated, make.deploy(run.at + HOUR, SHOP, commit=run.commit))
    alone = make.override(make.time(before=8 * DAY), repository=BILLING, reviews=())
    make.bad("change.override_approved", f"override:{alone.name}", "not_reviewed_in_time")
    own = make.override(make.time(before=8 * DAY), repository=BILLING, reviews=())
    make.overrides[-1] = own = replace(own, reviews=make.reviewed(own.given + DAY, by=CHIEF))
    make.bad("change.override_approved", f"override:{own.name}", "self_reviewed")


def _weaknesses(make: Making) -> None:
    """One closed late, one open of which nobody was told, one that a waiver covers, and a waiver given to oneself."""
    sla = "vuln.sla"
    at = make.time(before=12 * DAY)
    make.bad(sla, make.key(make.finding(at, repository=SHOP, closed=(at + 9 * DAY,))), "missed")
    still = make.finding(make.time(before=9 * DAY), repository=SHOP)
    make.bad(sla, make.key(still), "overdue_open")
    make.unsaid.add(still.name)
    make.bad("breach.notified", make.key(still), "not_notified")
    waived = make.finding(make.time(before=15 * DAY), repository=BILLING)
    make.waive(waived, waived.opened + DAY, waived.opened + 60 * DAY)
    make.near(sla, make.key(waived))
    given = make.waive(waived, waived.opened + 2 * HOUR, waived.opened + 30 * DAY)
    make.exemptions[-1] = replace(given, approvals=make.approved(waived.opened + 3 * HOUR, by=given.requester))
    make.bad("exception.governed", f"refused:{given.name}/0", "self_approved")
