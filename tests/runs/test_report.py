"""The report over a made month: every section says what was planted, and nothing that was not."""

from __future__ import annotations

import hashlib
import itertools
import json
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from secgate.errors import ConfigError, LedgerError, UsageError
from secgate.report import Report
from tests.evidence_support import DAY, END, PAY, SHOP, START, Made, key
from tests.product import Product
from tests.report_support import BROKEN, HOUR, OBSERVED, files, month, report

SCANS = ("scan.ran", "secrets.searched", "infrastructure.scanned")


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return month(tmp_path)


def result(found: Report, name: str) -> str:
    return next(one.result for one in found.tests.results if one.assertion == name)


def test_the_cover_says_what_it_is_and_of_when(product: Product, made: Made) -> None:
    cover = report(product, made).cover
    assert cover.title == "Evidence for SOC 2, Trust Services Criteria"
    assert (cover.period.from_epoch_s, cover.period.to_epoch_s) == (START, END)
    assert (cover.status, cover.entity, cover.generated_epoch_s) == ("draft", "", END + DAY)
    assert len(cover.generator_digest) == 64


def test_scope_has_both_sides_and_what_is_left_out(product: Product, made: Made) -> None:
    scope = report(product, made).scope
    assert [(one.repository, one.listed, one.protected_runs, one.other_runs) for one in scope.repositories] == [
        (PAY, True, 0, 0),
        (SHOP, True, 19, 1),
    ]
    assert [(one.name, one.deployments) for one in scope.environments] == [("production", 3)]
    assert ("2 records of a list of deployments", "another environment") in [
        (one.what, one.why) for one in scope.excluded
    ]


def test_modes_cover_the_period_without_a_gap(product: Product, made: Made) -> None:
    modes = report(product, made).system.modes
    assert [one.mode for one in modes] == ["unknown", "enforce", "observe", "enforce"]
    assert (modes[0].from_epoch_s, modes[-1].to_epoch_s) == (START, END)
    assert all(one.to_epoch_s == other.from_epoch_s for one, other in itertools.pairwise(modes))
    assert modes[2].from_epoch_s == START + OBSERVED * DAY + HOUR


def test_every_deviation_is_an_exception_with_room_for_an_answer(product: Product, made: Made) -> None:
    found = report(product, made)
    told = {(one.assertion, one.item, one.exception) for one in found.exceptions}
    assert {one for one in told if one[0] not in SCANS} == {
        ("change.gated", f"{SHOP}#d{BROKEN}", "inconclusive_and_not_overridden"),
        ("change.gated", f"{SHOP}#d17", "no_run"),
        ("change.reviewed", f"{SHOP}#c-p-1", "author_is_reviewer"),
        ("gate.enforced", f"r{OBSERVED}", "observe_mode"),
        ("vuln.sla", key("hasty"), "missed"),
        ("vuln.sla", key("late"), "overdue_open"),
    }
    assert len(found.exceptions) == len(told) == len({one.id for one in found.exceptions})
    assert {one.response for one in found.exceptions} == {""}
    late = next(one for one in found.exceptions if one.item == key("late"))
    assert "soc2:CC7.1" in late.controls
    assert late.entries


def test_deadlines_add_up_for_each_severity(product: Product, made: Made) -> None:
    sla = report(product, made).sla
    assert {row.severity: (row.due, row.met, row.missed, row.overdue_open) for row in sla.rows} == {
        "critical": (1, 0, 1, 0),
        "high": (2, 1, 0, 1),
        "all": (3, 1, 1, 1),
    }
    assert [row.adherence_per_mille for row in sla.rows] == [0, 500, 333]
    assert [one.item for one in sla.not_due] == [key("young")]
    assert any("met / due" in line for line in sla.formula)


def test_silence_and_errors_are_told(product: Product, made: Made) -> None:
    outages = report(product, made).outages
    assert [(one.repository, one.from_epoch_s, one.to_epoch_s) for one in outages.silent] == [
        (PAY, START, END),
        (SHOP, START + 13 * DAY + HOUR, START + 23 * DAY + HOUR),
    ]
    assert [(one.run_id, one.outcome, one.failed) for one in outages.runs] == [
        (f"r{BROKEN}", "inconclusive", ("bandit (crashed)",))
    ]
    assert {one.repository for one in outages.windows} >= {PAY}


def test_changes_of_the_gate_are_told(product: Product, made: Made) -> None:
    changes = report(product, made).changes
    first = changes.changes[0]
    assert (first.type, first.before, first.after) == ("mode-changed", "enforce", "observe")
    assert any(one.what == "enforced layer" and one.runs == 19 for one in changes.versions)


def test_without_a_checkpoint_a_ledger_was_not_tested(product: Product, made: Made) -> None:
    (ledger,) = report(product, made).integrity.ledgers
    assert (ledger.size, ledger.result, ledger.checkpoints) == (made.memory.head.size, "not_tested", ())
    assert ledger.root == made.memory.head.root


def test_each_of_many_ledgers_is_told_apart(product: Product, made: Made, tmp_path: Path) -> None:
    other = Made(tmp_path, "other")
    other.run("elsewhere", at=HOUR, repository=PAY)
    found = report(product, made, other)
    assert [one.ledger_id for one in found.integrity.ledgers] == [made.memory.ledger_id, other.memory.ledger_id]
    assert len(found.scope.repositories) == 2


def test_an_empty_population_is_never_a_pass(product: Product, tmp_path: Path) -> None:
    bare = Made(tmp_path, "bare")
    bare.say(at=-HOUR)
    bare.list("deployments", [], at=29 * DAY)
    found = report(product, bare)
    assert {one.result for one in found.tests.results if not one.population} <= {"no_occurrence", "not_tested"}
    assert result(found, "change.gated") == "no_occurrence"
    assert "No run was recorded in the period." in found.limits


def test_a_population_file_is_what_its_digest_says(product: Product, made: Made) -> None:
    found = report(product, made)
    written = files(found, "json")
    for one in found.populations:
        assert hashlib.sha256(written[one.file]).hexdigest() == one.digest
        assert [json.loads(line)["id"] for line in written[one.file].splitlines()] == [row.id for row in one.items]
    assert msgspec.json.decode(written["report.json"], type=Report) == found


def test_a_sample_can_be_drawn_again_by_hand(product: Product, made: Made) -> None:
    found = report(product, made, seed="auditor 7", size=3)
    keys = [row.id for one in found.populations if one.assertion == "gate.enforced" for row in one.items]
    by_hand = sorted(keys, key=lambda name: hashlib.sha256(f"auditor 7\n{name}".encode()).hexdigest())[:3]
    (sample,) = [one for one in found.sampling.samples if one.assertion == "gate.enforced"]
    assert [row.item for row in sample.rows] == by_hand
    assert sample.population == len(keys) == 19
    assert report(product, made, seed="another", size=3).sampling.samples != found.sampling.samples
    assert report(product, made).sampling.samples == ()


def test_the_same_ledger_and_parameters_give_the_same_bytes(product: Product, made: Made) -> None:
    assert files(report(product, made), "json") == files(report(product, made), "json")
    later = report(product, made, generated=datetime.fromtimestamp(END + DAY + 1, tz=UTC))
    assert later.cover.report_id != report(product, made).cover.report_id


ABOUT = """
version = 1
entity = "Example Shop Ltd"
systems = ["web shop"]
[[excluded]]
what = "the mobile app"
why = "built elsewhere, password = 'hunter2-hunter2'"
[[outside]]
name = "Example Cloud"
what = "runs the containers"
[[not_applicable]]
assertion = "component.inventory"
by = "p-2"
why = "nothing is given out"
[[not_applicable]]
assertion = "change.gated"
by = "p-2"
why = "we would rather not"
"""


def test_management_says_its_part_and_hides_nothing(product: Product, made: Made) -> None:
    (product.home / "about.toml").write_text(ABOUT)
    found = report(product, made, about="about.toml")
    assert (found.cover.entity, found.scope.systems) == ("Example Shop Ltd", ("web shop",))
    assert "hunter2" not in files(found, "json")["report.json"].decode()
    assert result(found, "component.inventory") == "not_applicable"
    assert result(found, "change.gated") == "deviation"
    name = found.exceptions[0].id
    (product.home / "about.toml").write_text(f'{ABOUT}\n[responses]\n"{name}" = "it was mended"\n')
    answered = report(product, made, about="about.toml")
    assert answered.exceptions[0].response == "it was mended"
    (product.home / "about.toml").write_text('[responses]\n"EX-0" = "?"\n')
    with pytest.raises(ConfigError, match=r"responses\.EX-0"):
        report(product, made, about="about.toml")


def test_what_does_not_apply_is_so_in_every_section(product: Product, tmp_path: Path) -> None:
    empty = Made(tmp_path)
    empty.run("r1", at=HOUR)
    (product.home / "about.toml").write_text(
        '[[not_applicable]]\nassertion = "vuln.sla"\nby = "p-2"\nwhy = "nothing has a time"\n'
    )
    found = report(product, empty, about="about.toml")
    assert result(found, "vuln.sla") == "not_applicable"
    assert (found.sla.result, found.sla.reason) == ("not_applicable", "nothing has a time")


@pytest.mark.parametrize("text", ["entitty = 'x'", "version = 2", "= 1", "entity = 3"])
def test_what_management_cannot_say_is_refused(product: Product, made: Made, text: str) -> None:
    (product.home / "about.toml").write_text(text)
    with pytest.raises(ConfigError, match=r"about\.toml"):
        report(product, made, about="about.toml")
    with pytest.raises(UsageError, match="cannot be read"):
        report(product, made, about="absent.toml")


def test_what_cannot_be_is_refused(product: Product, made: Made, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not over"):
        report(product, made, generated=datetime.fromtimestamp(END - 1, tz=UTC))
    with pytest.raises(UsageError, match="lies ahead"):
        report(product, made, generated=datetime.fromtimestamp(END + 3 * DAY, tz=UTC))
    with pytest.raises(UsageError, match="no framework"):
        report(product, made, framework="soc3")
    with pytest.raises(UsageError, match="seed"):
        report(product, made, seed="two\nlines")
    with pytest.raises(UsageError, match="1 to"):
        report(product, made, size=0)
    empty = Made(tmp_path, "empty")
    empty.path.unlink()
    empty.ledger = type(empty.ledger)(str(empty.path))
    empty.ledger.create()
    with pytest.raises(LedgerError, match="no entries"):
        report(product, empty)
