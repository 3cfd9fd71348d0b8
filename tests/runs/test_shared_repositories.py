"""One repository in two ledgers: each is counted apart, the items name theirs, and the overlap is said."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from secgate.chronicle import place_name
from secgate.evidence import (
    EvidenceWish,
    MetricsWish,
    PeriodEvidence,
    metrics_json,
    metrics_of,
    period_evidence,
    prometheus_text,
)
from secgate.evidence import Place as EvidencePlace
from secgate.gate_events import ModeChanged
from secgate.model import Severity
from secgate.population import Deployment
from secgate.report import Report
from tests.evidence_support import DAY, END, PAY, SHOP, START, Made, commit, digest, key
from tests.product import Product
from tests.report_support import files, report

Ledgers = tuple[Made, Made]


@pytest.fixture
def ledgers(tmp_path: Path) -> Ledgers:
    """The shop moved: "weak" stays open in the ledger it left and is closed in time in the other, "same" is in both."""
    left, new = Made(tmp_path, "left"), Made(tmp_path, "new")
    for made in (left, new):
        made.run(f"run-{made.path.stem}", at=0)
        made.found("weak", at=0)
        made.found("same", at=0, severity=Severity.CRITICAL, limit=DAY)
    changed = ModeChanged(
        run_id="r",
        previous_run_id="",
        repository=SHOP,
        line="main",
        profile="release",
        name="gate",
        part="mode",
        before="enforce",
        after="observe",
    )
    new.closed("weak", at=2 * DAY)
    for made in (left, new):
        made.closed("same", at=3 * DAY)
        made.say(changed, at=3 * DAY)
    new.run("pay", at=4 * DAY, repository=PAY)
    return left, new


def named(name: str, made: Made) -> str:
    return f"{key(name)} (ledger {made.memory.ledger_id})"


def note(ledgers: Sequence[Made]) -> str:
    places = " and ".join(f"{one.path} ({one.memory.ledger_id})" for one in ledgers)
    return f"{SHOP} is in 2 ledgers, {places}: what each holds is counted in it"


def evidence(product: Product, *ledgers: Made) -> PeriodEvidence:
    wish = EvidenceWish(
        start=datetime.fromtimestamp(START, tz=UTC),
        end=datetime.fromtimestamp(END, tz=UTC),
        ledgers=tuple(str(one.path) for one in ledgers),
    )
    now = datetime.fromtimestamp(END + DAY, tz=UTC)
    return period_evidence(
        wish, place=EvidencePlace(path=str(product.home / "tmp")), machine=product.machine(), now=now
    )


def test_bad_and_good_are_all_and_each_names_its_ledger(product: Product, ledgers: Ledgers) -> None:
    left, new = ledgers
    found = {one.assertion: one for one in evidence(product, left, new).assertions}
    deadlines = found["vuln.sla"]
    assert {(one.item, one.exception) for one in deadlines.deviations} == {
        (named("weak", left), "overdue_open"),
        (named("same", left), "missed"),
        (named("same", new), "missed"),
    }
    assert sorted(deadlines.items) == sorted(named(name, made) for made in ledgers for name in ("weak", "same"))
    numbers = deadlines.metrics
    told = {name: numbers[name] for name in ("due", "met", "excepted", "missed", "overdue_open", "adherence_per_mille")}
    assert told == {
        "due": 4,
        "met": 1,
        "excepted": 0,
        "missed": 2,
        "overdue_open": 1,
        "adherence_per_mille": 250,
    }
    assert (deadlines.population, deadlines.deviating) == (4, 3)
    for name, one in found.items():
        assert len(set(one.items)) == len(one.items), name
    for name in ("vuln.sla", "vuln.assessed", "gate.change_reviewed"):
        assert note(ledgers) in found[name].notes
    assert not any(PAY in text for one in found.values() for text in one.notes)


def test_one_ledger_alone_is_named_as_ever(product: Product, ledgers: Ledgers) -> None:
    found = {one.assertion: one for one in evidence(product, ledgers[1]).assertions}["vuln.sla"]
    assert sorted(found.items) == sorted((key("weak"), key("same")))
    assert found.notes == ()


def test_metrics_count_as_the_evidence_does_and_say_so(product: Product, ledgers: Ledgers) -> None:
    wish = MetricsWish(
        at=datetime.fromtimestamp(END, tz=UTC), window_days=28, ledgers=tuple(str(one.path) for one in ledgers)
    )
    now = datetime.fromtimestamp(END + DAY, tz=UTC)
    place = EvidencePlace(path=str(product.home / "tmp"))
    found = metrics_of(wish, place=place, machine=product.machine(), now=now)
    shop = next(one for one in found.repositories if one.repository == SHOP)
    for one in (found.sla, shop.sla):
        assert (one.due, one.met, one.excepted, one.missed, one.overdue_open) == (4, 1, 0, 2, 1)
    by_severity = {one.severity: (one.due, one.met, one.missed, one.overdue_open) for one in shop.sla_by_severity}
    assert (by_severity[Severity.HIGH], by_severity[Severity.CRITICAL]) == ((2, 1, 0, 1), (2, 0, 2, 0))
    assert found.notes == (note(ledgers),)
    assert SHOP in metrics_json(found).decode().partition('"notes"')[2]
    assert "\nsecgate_repositories_in_several_ledgers 1\n" in prometheus_text(found).decode()


def test_a_report_has_the_same_numbers_and_the_note(product: Product, ledgers: Ledgers) -> None:
    found: Report = report(product, *ledgers)
    for row in found.sla.rows:
        assert row.due == row.met + row.excepted + row.missed + row.overdue_open
    whole = found.sla.rows[-1]
    assert (whole.due, whole.met, whole.missed, whole.overdue_open) == (4, 1, 2, 1)
    section = next(one for one in found.populations if one.assertion == "vuln.sla")
    assert section.notes == (note(ledgers),)
    assert {item.entries[0].ledger_id for item in section.items} == {one.memory.ledger_id for one in ledgers}
    for item in section.items:
        assert f"(ledger {item.entries[0].ledger_id})" in item.id
    written = files(found, "csv")
    assert any(note(ledgers) in data.decode() for data in written.values())
    rows = [row for data in written.values() for row in csv.reader(io.StringIO(data.decode())) if "vuln.sla" in row]
    assert any(named("weak", ledgers[0]) in row for row in rows)


def test_a_run_of_another_ledger_that_took_the_id_of_one_is_another_run(product: Product, tmp_path: Path) -> None:
    """What was built from a commit that nobody gated is bound to a run with the id of one that passed."""
    ours, theirs = Made(tmp_path, "ours"), Made(tmp_path, "theirs")
    ours.run("r", at=0)
    theirs.run("r", at=0, repository=PAY, commit=commit("evil"), outcome="fail", artifacts=(digest("evil"),))
    row = Deployment(
        repository=SHOP,
        name="1",
        environment="production",
        deployed_epoch_s=START + DAY,
        commit=commit("r"),
        artifacts=(digest("evil"),),
    )
    ours.list("deployments", [row], at=DAY)
    found = {one.assertion: one for one in evidence(product, ours, theirs).assertions}
    wrong = {(one.item, one.exception) for one in found["change.gated"].deviations}
    assert wrong == {(f"{SHOP}#1", "blocked_and_not_overridden"), (f"{SHOP}#1", "source_mismatch")}
    for name, one in found.items():
        assert len(set(one.items)) == len(one.items), name


def test_lines_and_repositories_that_read_alike_are_two() -> None:
    assert place_name("a/b", "c") != place_name("a", "b/c")
    assert place_name("a", "b%2Fc") != place_name("a", "b/c")
    assert place_name("example.com/shop", "main") == "example.com/shop/main"
