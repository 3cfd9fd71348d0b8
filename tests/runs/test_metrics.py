"""Numbers of made ledgers: what is counted, what is not, and the forms that they are given in."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import jsonschema_rs
import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from secgate.document_schema import document_schema
from secgate.errors import LedgerError, UsageError
from secgate.evidence import (
    EvidenceWish,
    Metrics,
    MetricsWish,
    Place,
    metrics_json,
    metrics_of,
    period_evidence,
    prometheus_text,
)
from secgate.evidence.metrics import RepositoryMetrics, SlaCount
from secgate.model import Lane, Scope, Severity
from tests.evidence_support import DAY, END, PAY, SHOP, START, Made, count
from tests.product import WEAK, Product
from tests.runs.office import Office

HOUR = 3600

Sample = tuple[str, frozenset[tuple[str, str]]]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return Made(tmp_path)


def metrics(product: Product, *ledgers: Made, at: float = END - START, window_days: int = 28) -> Metrics:
    wish = MetricsWish(
        at=datetime.fromtimestamp(START + at, tz=UTC),
        window_days=window_days,
        ledgers=tuple(str(one.path) for one in ledgers),
    )
    now = datetime.fromtimestamp(END + DAY, tz=UTC)
    return metrics_of(wish, place=Place(path=str(product.home / "tmp")), machine=product.machine(), now=now)


def shop(found: Metrics) -> RepositoryMetrics:
    return next(one for one in found.repositories if one.repository == SHOP)


def samples(found: Metrics) -> dict[Sample, float]:
    """Every sample, by name and labels, as a parser that is not ours reads them."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(prometheus_text(found).decode())
        for sample in family.samples
    }


def value(found: Metrics, name: str, **labels: str) -> float | None:
    return samples(found).get((name, frozenset(labels.items())))


def test_deadlines_are_counted_as_a_period_s_evidence_counts_them(product: Product, made: Made) -> None:
    made.found("met", at=0)
    made.found("missed", at=0)
    made.found("open", at=DAY)
    made.closed("met", at=3 * DAY)
    made.closed("missed", at=9 * DAY)
    made.found("later", at=20 * DAY, limit=30 * DAY)
    found = metrics(product, made)
    period = EvidenceWish(
        start=datetime.fromtimestamp(END - 28 * DAY, tz=UTC),
        end=datetime.fromtimestamp(END + 1, tz=UTC),
        frameworks=("soc2",),
        ledgers=(str(made.path),),
    )
    now = datetime.fromtimestamp(END + DAY, tz=UTC)
    checked = period_evidence(period, place=Place(path=str(product.home / "tmp")), machine=product.machine(), now=now)
    numbers = next(one.metrics for one in checked.assertions if one.assertion == "vuln.sla")
    told = msgspec.to_builtins(found.sla)
    assert {name: told[name] for name in told} == {name: numbers[name] for name in told}
    assert (found.sla.due, found.sla.met, found.sla.missed, found.sla.overdue_open) == (3, 1, 1, 1)
    assert value(found, "secgate_sla_adherence_ratio", repository=SHOP) == 0.333
    assert value(found, "secgate_sla_findings", repository=SHOP, severity="high", result="missed") == 1


def test_an_empty_ledger_has_no_numbers_and_no_hundred_per_cent(product: Product, made: Made) -> None:
    found = metrics(product, made)
    assert (found.sla.adherence_per_mille, found.repositories, found.waivers) == (None, (), ())
    assert {name for name, _ in samples(found)} == {
        "secgate_as_of_timestamp_seconds",
        "secgate_window_seconds",
        "secgate_ledger_entries",
        "secgate_ledger_last_entry_timestamp_seconds",
        "secgate_ledger_signatures_checked",
    }


def test_a_repository_where_nothing_was_due_has_no_adherence(product: Product, made: Made) -> None:
    made.run("one", at=HOUR, coverage=(count(), msgspec.structs.replace(count(Lane.IAC), offered=0, covered=0)))
    found = metrics(product, made)
    assert shop(found).sla.adherence_per_mille is None
    names = {name for name, _ in samples(found)}
    assert "secgate_sla_adherence_ratio" not in names
    assert "secgate_remediation_mean_seconds" not in names
    assert value(found, "secgate_lane_coverage_ratio", repository=SHOP, lane="sast") == 1
    assert value(found, "secgate_lane_coverage_ratio", repository=SHOP, lane="iac") is None, "nothing was offered"


def test_open_findings_by_severity_and_age(product: Product, made: Made) -> None:
    made.found("old", at=0, severity=Severity.LOW, limit=90 * DAY)
    made.found("late", at=10 * DAY, severity=Severity.CRITICAL, limit=DAY)
    made.found("closed", at=11 * DAY)
    made.closed("closed", at=12 * DAY)
    made.found("new", at=28 * DAY - HOUR, severity=Severity.CRITICAL, limit=DAY)
    found = metrics(product, made)
    counts = {(one.severity.value, one.age): one.count for one in shop(found).open if one.count}
    assert counts == {("low", "7d-to-30d"): 1, ("critical", "7d-to-30d"): 1, ("critical", "under-1d"): 1}
    overdue = {one.severity.value: one.overdue for one in shop(found).overdue if one.overdue}
    assert overdue == {"critical": 1}
    assert value(found, "secgate_findings_open", repository=SHOP, severity="high", age="over-90d") == 0


def test_time_to_remediate_is_the_mean_of_the_window(product: Product, made: Made) -> None:
    made.found("before", at=0)
    made.closed("before", at=DAY)
    made.found("one", at=20 * DAY)
    made.found("two", at=20 * DAY)
    made.closed("one", at=22 * DAY)
    made.closed("two", at=24 * DAY)
    found = metrics(product, made, window_days=10)
    high = next(one for one in shop(found).remediation if one.severity is Severity.HIGH)
    assert (high.closed, high.mean_s) == (2, 3 * DAY)
    assert value(found, "secgate_remediation_mean_seconds", repository=SHOP, severity="high") == 3 * DAY


def test_as_of_a_time_what_came_later_is_not_known(product: Product, made: Made) -> None:
    made.run("one", at=HOUR)
    made.found("weak", at=DAY)
    made.run("two", at=2 * DAY, outcome="fail")
    made.closed("weak", at=3 * DAY)
    then = metrics(product, made, at=2 * DAY)
    assert sum(one.count for one in shop(then).open) == 1
    assert [(one.outcome, one.count) for one in shop(then).runs] == [("fail", 1), ("pass", 1)]
    assert then.ledgers[0].entries == metrics(product, made).ledgers[0].entries - 1
    assert metrics(product, made, at=DAY).repositories[0].runs[0].count == 1


def test_coverage_is_of_the_last_whole_run_of_a_protected_branch(product: Product, made: Made) -> None:
    wide = msgspec.structs.replace(count(gaps=3), offered=8, covered=6, failed=2)
    made.run("whole", at=HOUR, coverage=(wide, count(Lane.SECRETS, asked=False)))
    made.run("part", at=2 * HOUR, partial=True)
    made.run("dirty", at=3 * HOUR, dirty=True)
    made.run("laptop", at=4 * HOUR, scope=Scope.LOCAL, outcome="")
    found = metrics(product, made)
    assert value(found, "secgate_lane_coverage_ratio", repository=SHOP, lane="sast") == 0.75
    assert value(found, "secgate_lane_gaps", repository=SHOP, lane="sast") == 3
    assert value(found, "secgate_lane_gaps", repository=SHOP, lane="secrets") is None
    assert value(found, "secgate_last_protected_run_timestamp_seconds", repository=SHOP) == START + HOUR
    labels = {"repository": SHOP, "scope": "local", "mode": "enforce", "outcome": "undecided"}
    assert value(found, "secgate_runs_total", **labels) == 1


def test_several_ledgers_stand_beside_each_other(product: Product, made: Made, tmp_path: Path) -> None:
    other = Made(tmp_path, "other")
    made.run("one", at=HOUR)
    made.found("weak", at=0)
    other.run("two", at=HOUR, repository=PAY)
    found = metrics(product, made, other)
    assert [one.repository for one in found.repositories] == [PAY, SHOP]
    assert [one.entries for one in found.ledgers] == [2 + 2, 2]


def test_what_is_read_is_typed_and_bounded(product: Product, made: Made) -> None:
    evil = 'a"} 1\\nsecgate_evil 1\n\u202e' + "x" * 500
    made.run("one", at=HOUR, repository=evil)
    made.found("weak", at=0)
    text = prometheus_text(metrics(product, made)).decode()
    families = list(text_string_to_metric_families(text))
    assert "secgate_evil" not in {sample.name for family in families for sample in family.samples}
    assert "\u202e" not in text
    for family in families:
        assert family.documentation, family.name
        assert family.type == ("counter" if family.name in ("secgate_runs", "secgate_overrides") else "gauge")
        for sample in family.samples:
            assert not any(len(label) > 200 for label in sample.labels.values())
            assert "weak" not in sample.labels.values()
    assert len({(s.name, tuple(sorted(s.labels.items()))) for f in families for s in f.samples}) == len(
        [s for f in families for s in f.samples]
    ), "a series is there twice"


def test_repositories_without_end_are_counted_together(
    product: Product, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("secgate.evidence.metrics.MAX_REPOSITORIES", 2)
    for name in ("a", "b", "c", "d"):
        made.run(name, at=HOUR, repository=name)
    found = metrics(product, made)
    assert [(one.repository, sum(run.count for run in one.runs)) for one in found.repositories] == [
        ("(others)", 2),
        ("a", 1),
        ("b", 1),
    ]


def test_json_is_as_its_schema_says(product: Product, made: Made) -> None:
    made.run("one", at=HOUR)
    made.found("weak", at=0)
    document = json.loads(metrics_json(metrics(product, made)))
    validator = jsonschema_rs.validator_for(document_schema("metrics"))
    validator.validate(document)
    document["metrics"]["sla"]["met"] = -1
    assert not validator.is_valid(document)
    assert metrics_json(metrics(product, made)) == metrics_json(metrics(product, made))


def test_a_time_to_come_and_a_ledger_that_is_not_there_are_refused(product: Product, made: Made) -> None:
    with pytest.raises(UsageError, match="still to come"):
        metrics(product, made, at=END - START + 2 * DAY)
    made.path.unlink()
    with pytest.raises(LedgerError, match="there is no ledger"):
        metrics(product, made)


def test_waivers_by_how_they_stand(office: Office) -> None:
    office.git.commit({name: WEAK.replace("answer", name[0]) for name in ("a.py", "b.py", "c.py")})
    names = [one.fingerprint for one in office.run(ref="refs/heads/main", scope="protected").findings]
    assert len(names) == 3
    office.ask(names[0], days=1)
    office.waive(names[1], days=1, life=5)
    office.waive(names[2], days=1, life=30)

    def counted(days: float, *, enforced: bool = True) -> Metrics:
        place = office.place if enforced else Place(path=office.place.path)
        wish = MetricsWish(at=office.at(days))
        return metrics_of(wish, place=place, machine=office.product.machine(), now=office.at(40))

    found = {one.state: one.count for one in counted(10).waivers or ()}
    assert found == {"pending": 1, "expired": 1, "active": 1}
    assert {one.state: one.count for one in counted(2).waivers or ()} == {"pending": 1, "active": 2}
    assert value(counted(10), "secgate_waivers", kind="accept", state="active") == 1
    unknown = counted(10, enforced=False)
    assert unknown.waivers is None
    names_of = {name for name, _ in samples(unknown)}
    assert "secgate_waivers" not in names_of
    assert {
        number for (name, _), number in samples(unknown).items() if name == "secgate_ledger_signatures_checked"
    } == {0}


def test_what_was_dismissed_stands_beside_what_was_due(office: Office) -> None:
    office.git.commit({name: WEAK.replace("answer", name[0]) for name in ("a.py", "b.py", "c.py")})
    names = [one.fingerprint for one in office.run(ref="refs/heads/main", scope="protected").findings]
    office.waive(names[0], days=1, life=30)
    office.approve(office.ask(names[1], days=1, life=30, kind="false-positive"), days=1)
    found = metrics_of(
        MetricsWish(at=office.at(20)), place=office.place, machine=office.product.machine(), now=office.at(40)
    )
    assert found.sla == SlaCount(due=2, excepted=1, overdue_open=1, dismissed=1, adherence_per_mille=0)
    labels = {"repository": found.repositories[0].repository, "severity": "high"}
    assert value(found, "secgate_sla_dismissed_findings", **labels) == 1
    results = [
        number
        for (name, given), number in samples(found).items()
        if name == "secgate_sla_findings" and ("severity", "high") in given
    ]
    assert sum(results) == 2


def test_the_command(product: Product, made: Made, tmp_path: Path) -> None:
    made.run("one", at=HOUR)
    at = ("--ledger", str(made.path), "--at", "2026-02-01")
    ended = product.cli("metrics", "--format", "prometheus", *at)
    assert (ended.code, ended.err) == (0, "")
    assert "# TYPE secgate_runs_total counter" in ended.out
    out = tmp_path / "metrics.json"
    assert product.cli("metrics", "--format", "json", *at, "-o", str(out)).code == 0
    assert json.loads(out.read_bytes())["format"] == {"name": "secgate-metrics", "version": 1}
    ended = product.cli("metrics", "--format", "json", "--ledger", str(made.path), "--at", "soon")
    assert (ended.code, "is no time" in ended.err) == (2, True)
