"""A period's evidence over made ledgers: what was planted is found, and nothing else."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from secgate.assertions import Evidence
from secgate.errors import ConfigError, LedgerError, LedgersError, PolicyError, UsageError
from secgate.events import Run, event_of
from secgate.evidence import (
    EvidenceWish,
    PeriodEvidence,
    Place,
    evidence_json,
    evidence_page,
    notes_once,
    period_evidence,
)
from secgate.inventory import InventoryStored
from secgate.ledgers.sqlite import SqliteLedger
from secgate.model import Lane, NoticeStage, ScanStatus, Scope, Severity
from secgate.notification import NotificationSent, ToldFinding
from secgate.population import Approval, Change, Deployment, PatchRelease, ReleasedArtifact, RepositoryInScope
from tests.evidence_support import DAY, END, PAY, SHOP, START, Made, commit, count, digest, key, tool
from tests.product import Product, tree

HOUR = 3600


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return Made(tmp_path)


def evidence(product: Product, *ledgers: Made, enforced: str = "", **given: Any) -> PeriodEvidence:
    wish = {
        "start": datetime.fromtimestamp(START, tz=UTC),
        "end": datetime.fromtimestamp(END, tz=UTC),
        "ledgers": tuple(str(one.path) for one in ledgers),
        **given,
    }
    now = datetime.fromtimestamp(END + DAY, tz=UTC)
    place = Place(path=str(product.home / "tmp"), enforced=enforced)
    return period_evidence(EvidenceWish(**wish), place=place, machine=product.machine(), now=now)


def of(found: PeriodEvidence, name: str) -> Evidence:
    return next(one for one in found.assertions if one.assertion == name)


def bad(found: PeriodEvidence, name: str) -> set[tuple[str, str]]:
    return {(one.item, one.exception) for one in of(found, name).deviations}


def deployed(name: str, at: float, **given: Any) -> Deployment:
    known = {"commit": commit(name), **given}
    return Deployment(repository=SHOP, name=name, environment="production", deployed_epoch_s=int(START + at), **known)


# -------------------------------------------------------------------------------------------------------- deployments


def test_deployments_and_runs_are_held_against_each_other(product: Product, made: Made) -> None:
    made.run("passed", at=HOUR)
    made.run("failed", at=2 * HOUR, outcome="fail")
    made.run("unsure", at=3 * HOUR, outcome="inconclusive")
    made.run("watched", at=4 * HOUR, outcome="fail", mode="observe")
    made.run("bound", at=5 * HOUR, artifacts=(digest("one"),))
    made.run("squashed", at=6 * HOUR, commit=commit("before the merge"), tree=commit("tree"))
    made.run("laptop", at=7 * HOUR, scope=Scope.LOCAL)
    made.run("late", at=9 * HOUR)
    rows = [deployed(name, 8 * HOUR) for name in ("passed", "failed", "unsure", "watched", "laptop", "late", "never")]
    rows.append(deployed("bound", 8 * HOUR, artifacts=(digest("two"),)))
    rows.append(deployed("by digest", 8 * HOUR, commit="", artifacts=(digest("one"),)))
    rows.append(deployed("by tree", 8 * HOUR, tree=commit("tree")))
    rows.append(deployed("before the period", -HOUR))
    made.list("deployments", rows, at=29 * DAY)
    found = evidence(product, made)
    assert bad(found, "change.gated") == {
        (f"{SHOP}#failed", "blocked_and_not_overridden"),
        (f"{SHOP}#watched", "blocked_and_not_overridden"),
        (f"{SHOP}#unsure", "inconclusive_and_not_overridden"),
        (f"{SHOP}#laptop", "no_run"),
        (f"{SHOP}#never", "no_run"),
        (f"{SHOP}#late", "run_after_deployment"),
        (f"{SHOP}#bound", "digest_mismatch"),
    }
    gated = of(found, "change.gated")
    assert (gated.population, gated.tested, gated.deviating, gated.result) == (10, 10, 7, "deviation")
    assert gated.unmatched is not None
    assert set(gated.unmatched.left_unmatched) == {f"{SHOP}#laptop", f"{SHOP}#never"}
    assert gated.unmatched.right_unmatched == ()
    assert bad(found, "gate.enforced") == {("watched", "observe_mode")}


def test_a_run_that_no_list_knows_is_listed_on_its_side(product: Product, made: Made) -> None:
    made.run("passed", at=HOUR)
    made.run("unseen", at=2 * HOUR)
    made.list("deployments", [deployed("passed", 8 * HOUR)], at=29 * DAY)
    gated = of(evidence(product, made), "change.gated")
    assert gated.result == "no_deviation"
    assert gated.unmatched is not None
    assert (gated.unmatched.left_unmatched, gated.unmatched.right_unmatched) == ((), ("unseen",))


def test_without_a_list_of_all_the_period_nothing_is_tested(product: Product, made: Made) -> None:
    made.run("passed", at=HOUR)
    assert "no list of deployments was imported" in of(evidence(product, made), "change.gated").reason
    made.list("deployments", [deployed("passed", 8 * HOUR)], at=29 * DAY, to_epoch_s=END - DAY)
    gated = of(evidence(product, made), "change.gated")
    assert (gated.result, gated.population, gated.tested) == ("not_tested", 1, 0)
    assert gated.reason == "no list of deployments holds 2026-01-28 00:00 UTC to 2026-01-29 00:00 UTC"
    made.list("deployments", [], at=29 * DAY, from_epoch_s=END - DAY)
    assert of(evidence(product, made), "change.gated").result == "no_deviation"


def test_a_list_without_rows_is_no_pass(product: Product, made: Made) -> None:
    made.list("deployments", [], at=29 * DAY)
    assert of(evidence(product, made), "change.gated").result == "no_occurrence"


def test_a_row_that_a_later_list_changes_is_told(product: Product, made: Made) -> None:
    made.run("passed", at=HOUR)
    made.list("deployments", [deployed("passed", 8 * HOUR, commit=commit("other"))], at=29 * DAY)
    made.list("deployments", [deployed("passed", 8 * HOUR)], at=29 * DAY)
    gated = of(evidence(product, made), "change.gated")
    assert gated.result == "no_deviation"
    assert f"changed by a later list, 1 row: {SHOP}#passed" in gated.notes


def test_whoever_wrote_it_does_not_review_it(product: Product, made: Made) -> None:
    def merged(name: str, *approvals: tuple[str, float, bool]) -> Change:
        given = tuple(
            Approval(reviewer=who, approved_epoch_s=int(START + at), machine=machine) for who, at, machine in approvals
        )
        return Change(repository=SHOP, name=name, author="p-1", merged_epoch_s=int(START + DAY), approvals=given)

    rows = [
        merged("good", ("p-1", 0, False), ("p-2", DAY, False)),
        merged("none"),
        merged("own", ("p-1", 0, False)),
        merged("late", ("p-2", DAY + 1, False)),
        merged("machine", ("p-3", 0, True)),
    ]
    made.list("reviews", rows, at=29 * DAY)
    found = evidence(product, made)
    assert bad(found, "change.reviewed") == {
        (f"{SHOP}#none", "no_review"),
        (f"{SHOP}#own", "author_is_reviewer"),
        (f"{SHOP}#late", "review_after_merge"),
        (f"{SHOP}#machine", "reviewer_is_a_machine"),
    }


def test_without_inventories_nothing_is_tested_and_artefacts_are_held_against_runs(
    product: Product, made: Made
) -> None:
    made.run("bound", at=HOUR, artifacts=(digest("one"), digest("two")))
    rows = [
        ReleasedArtifact(repository=SHOP, name=name, digest=digest(name), released_epoch_s=int(START + DAY))
        for name in ("one", "three")
    ]
    made.list("artifacts", rows, at=29 * DAY)
    found = of(evidence(product, made), "component.inventory")
    assert (found.result, found.population) == ("not_tested", 2)
    assert found.unmatched is not None
    assert found.unmatched.left_unmatched == (f"{SHOP}#three",)
    assert found.unmatched.right_unmatched == (digest("two"),)


def test_a_released_artefact_needs_an_inventory_of_what_it_was_built_from(product: Product, made: Made) -> None:
    def inventory(run: str, at: float, *, artifact: str = "", keep: bool = True, **given: Any) -> None:
        made.run(run, at=at, artifacts=(digest(artifact),) if artifact else ())
        data = f"inventory of {run}".encode()
        known = {"run_id": run, "repository": SHOP, "line": "main", "prefix": "", "commit": commit(run), "tree": ""}
        event = InventoryStored(
            **{**known, "dirty": False, "components": 1, "manifests": 1, **given},
            inventory_digest=sha256(data).hexdigest(),
        )
        made.say(event, at=at, blobs={event.inventory_digest: data} if keep else {})

    inventory("good", HOUR, artifact="good")
    inventory("other", HOUR, artifact="another build")
    inventory("unbound", HOUR)
    inventory("dirty", HOUR, artifact="dirty", dirty=True)
    inventory("erased", HOUR, artifact="erased", keep=False)
    inventory("late", 2 * DAY, artifact="late")
    names = ("good", "other", "unbound", "dirty", "erased", "late")
    rows = [
        ReleasedArtifact(
            repository=SHOP, name=name, digest=digest(name), commit=commit(name), released_epoch_s=int(START + DAY)
        )
        for name in names
    ]
    made.list("artifacts", rows, at=29 * DAY)
    assert bad(evidence(product, made), "component.inventory") == {
        (f"{SHOP}#other", "digest_mismatch"),
        *((f"{SHOP}#{name}", "no_inventory") for name in ("unbound", "dirty", "erased")),
        (f"{SHOP}#late", "inventory_after_release"),
    }


# --------------------------------------------------------------------------------------------------------------- scans


def scans(product: Product, made: Made) -> PeriodEvidence:
    made.list("repositories", [RepositoryInScope(repository=SHOP)], at=29 * DAY)
    return evidence(product, made)


def test_every_window_of_every_repository_needs_a_whole_run(product: Product, made: Made) -> None:
    made.run("1", at=6 * DAY)
    made.run("2", at=7 * DAY, partial=True)
    made.run("3", at=14 * DAY, tools=(tool(status=ScanStatus.CRASHED), tool("semgrep", rule_pack_epoch_s=START)))
    made.run("4", at=21 * DAY, coverage=(count(gaps=3),))
    found = scans(product, made)
    lane = f"{SHOP}/sast"
    assert bad(found, "scan.ran") == {
        (f"{SHOP}/every lane/2026-01-08", "missing_window"),
        (f"{lane}/2026-01-15", "scanner_error"),
        (f"{lane}/2026-01-22", "files_not_covered"),
        *((f"{SHOP}/{other}/{day}", "missing_window") for other in _OTHERS for day in _RAN),
    }


_OTHERS = ("dependencies", "iac", "secrets", "workflows")
_RAN = ("2026-01-01", "2026-01-15", "2026-01-22")


def whole(made: Made, **given: Any) -> None:
    """One run a week that looked at every lane; only the first of them has files."""
    for week in range(4):
        lanes = (count(), *(count(Lane(name), needed=False) for name in _OTHERS))
        made.run(str(week), at=week * 7 * DAY, coverage=lanes, **given)


@pytest.mark.parametrize(
    ("age", "result", "tested"), [(60, "no_deviation", 4), (90, "deviation", 4), (None, "not_tested", 0)]
)
def test_old_rules_deviate_and_rules_without_a_date_prove_nothing(
    product: Product, made: Made, age: int | None, result: str, tested: int
) -> None:
    whole(made, tools=(tool(rule_pack_epoch_s=START - age * DAY if age is not None else 0),))
    ran = of(scans(product, made), "scan.ran")
    assert (ran.result, ran.population, ran.tested) == (result, 4, tested)
    if age is None:
        assert "scanner.rule_age_days is not known, and must be lte 90" in ran.reason


def test_one_run_with_new_rules_is_enough_in_a_window(product: Product, made: Made) -> None:
    whole(made, tools=(tool(rule_pack_epoch_s=START - 60 * DAY),))
    lanes = (count(), *(count(Lane(name), needed=False) for name in _OTHERS))
    made.run("stale", at=22 * DAY, coverage=lanes, tools=(tool(rule_pack_epoch_s=START - 70 * DAY),))
    made.run("undated", at=23 * DAY, coverage=lanes)
    assert of(scans(product, made), "scan.ran").result == "no_deviation"


def test_repositories_are_held_against_runs(product: Product, made: Made) -> None:
    made.run("other", at=HOUR, repository="example.com/hidden")
    made.list("repositories", [RepositoryInScope(repository=PAY)], at=29 * DAY)
    ran = of(evidence(product, made), "scan.ran")
    assert ran.unmatched is not None
    assert (ran.unmatched.left_unmatched, ran.unmatched.right_unmatched) == ((PAY,), ("example.com/hidden",))


def test_a_list_of_repositories_from_before_the_end_tells_nothing_of_it(product: Product, made: Made) -> None:
    made.list("repositories", [RepositoryInScope(repository=PAY)], at=29 * DAY, extracted_epoch_s=END - 1)
    assert "before the period's end" in of(evidence(product, made), "scan.ran").reason


def test_a_repository_is_looked_for_while_it_is_in_scope(product: Product, made: Made) -> None:
    row = RepositoryInScope(
        repository=PAY, infrastructure=False, from_epoch_s=START + 7 * DAY, until_epoch_s=START + 21 * DAY
    )
    made.list("repositories", [row], at=29 * DAY)
    found = evidence(product, made)
    days = ("2026-01-08", "2026-01-15")
    assert bad(found, "secrets.searched") == {(f"{PAY}/secrets/{day}", "missing_window") for day in days}
    assert of(found, "infrastructure.scanned").result == "no_occurrence"


def test_advisories_have_an_age(product: Product, made: Made) -> None:
    def audit(age: float, known: str = "d") -> dict[str, Any]:
        used = tool("pip-audit", Lane.DEPENDENCIES, data_epoch_s=int(START - age), advisories_digest=known)
        return {"tools": (used,)}

    made.run("new", at=0, **audit(7 * DAY))
    made.run("old", at=1, **audit(7 * DAY))
    made.run("asked", at=2, **audit(START, known=""))
    found = evidence(product, made)
    assert bad(found, "feed.current") == {("old/pip-audit", "feed_too_old")}
    assert [one.item for one in of(found, "feed.current").untested] == ["asked/pip-audit"]


def test_a_run_whose_record_is_gone_is_told(product: Product, made: Made) -> None:
    made.run("kept", at=1)
    made.run("lost", at=2, keep=False)
    assert bad(evidence(product, made), "record.readable") == {("lost", "record_missing")}


# ---------------------------------------------------------------------------------------------------------- weaknesses


def test_each_finding_is_judged_by_its_time(product: Product, made: Made) -> None:
    made.found("old", at=-DAY + 1, limit=DAY - 2)
    made.found("met", at=0)
    made.found("unjudged", at=0, limit=0)
    made.found("judged later", at=0, limit=0)
    made.found("info", at=0, severity=Severity.INFO, limit=0)
    made.found("missed", at=0)
    made.found("open", at=0)
    made.judged("judged later", at=5, start=0, limit=28 * DAY)
    made.closed("met", at=7 * DAY)
    made.closed("missed", at=7 * DAY + 1)
    made.found("not due", at=22 * DAY)
    made.closed("open", at=28 * DAY)
    found = evidence(product, made)
    assert bad(found, "vuln.assessed") == {(key("unjudged"), "no_obligation"), (key("judged later"), "obligation_late")}
    assert bad(found, "vuln.sla") == {
        (key("missed"), "missed"),
        (key("open"), "overdue_open"),
        (key("old"), "overdue_open"),
    }
    sla = of(found, "vuln.sla")
    assert sla.metrics == {
        "due": 4,
        "met": 1,
        "excepted": 0,
        "missed": 1,
        "overdue_open": 2,
        "dismissed": 0,
        "adherence_per_mille": 250,
        "p50_hours": 168,
        "p90_hours": 168,
        "oldest_open_hours": 24 * 29 - 1,
    }
    assert of(found, "breach.notified").population == 3, "what was missed a second before could still be told in it"


def test_a_missed_time_is_told_in_time_late_or_never(product: Product, made: Made) -> None:
    def told(name: str, stage: str, at: float) -> None:
        finding = ToldFinding(
            repository=SHOP, line="main", fingerprint=key_of(name), episode=1, stage=cast("NoticeStage", stage)
        )
        made.say(
            NotificationSent(
                channel="security",
                notifier="webhook",
                message_id=key_of("m"),
                digest=key_of("d"),
                told=(finding,),
                policy_digest=key_of("p"),
                secgate_version="1",
            ),
            at=at,
        )

    for name in ("told", "late", "half only", "never"):
        made.found(name, at=0)
    assert of(evidence(product, made), "breach.notified").result == "not_tested"
    told("half only", "half", 4 * DAY)
    told("told", "overdue", 8 * DAY)
    told("late", "escalation", 8 * DAY + 1)
    assert bad(evidence(product, made), "breach.notified") == {
        (key("late"), "notified_late"),
        (key("half only"), "not_notified"),
        (key("never"), "not_notified"),
    }
    told("never", "overdue", 28 * DAY)
    assert (key("never"), "not_notified") in bad(evidence(product, made), "breach.notified")


def key_of(name: str) -> str:
    return sha256(name.encode()).hexdigest()


def test_what_was_found_again_later_is_another_episode(product: Product, made: Made) -> None:
    made.found("again", at=0)
    made.closed("again", at=7 * DAY + 1)
    made.found("again", at=8 * DAY, limit=DAY)
    found = evidence(product, made)
    assert {item for item, _ in bad(found, "vuln.sla")} == {key("again")}
    assert of(found, "vuln.sla").population == 2


def test_what_is_back_after_the_period_was_closed_in_it(product: Product, made: Made) -> None:
    made.found("back", at=0)
    made.closed("back", at=7 * DAY)
    before = of(evidence(product, made), "vuln.sla")
    made.again("back", at=29 * DAY)
    made.renamed("back", "moved", at=30 * DAY)
    assert of(evidence(product, made), "vuln.sla") == before
    assert before.metrics["met"] == 1


def test_a_patch_without_a_release_date_is_not_tested(product: Product, made: Made) -> None:
    made.found("library", at=0, severity=Severity.CRITICAL, lane=Lane.DEPENDENCIES, limit=DAY)
    made.closed("library", at=DAY)
    found = of(evidence(product, made), "vuln.patch_release")
    assert (found.result, found.population, found.tested, found.deviations) == ("not_tested", 1, 0, ())
    why = "no list of patches was imported: secgate evidence import patches"
    assert found.reason == f"1 of 1 could not be tested: {why}"
    made.list("patches", [patch(at=0, advisory="CVE-2026-2")], at=DAY)
    found = of(evidence(product, made), "vuln.patch_release")
    assert (found.result, found.tested) == ("not_tested", 0)
    assert found.untested[0].reason == "no list of patches says when one came out for it"


def test_a_note_of_several_assertions_is_told_once_and_named_after_that() -> None:
    told = notes_once([("a", ("x", "y", "x")), ("b", ("y", "z", "x")), ("c", ("z",)), ("d", ())])
    assert told == {"a": ("x", "y"), "b": ("z", "2 notes as under a"), "c": ("1 note as under b",), "d": ()}


def patch(*, at: float, advisory: str = "CVE-2026-1", package: str = "library", version: str = "2.0") -> PatchRelease:
    return PatchRelease(
        advisory=advisory, ecosystem="PyPI", package=package, version=version, released_epoch_s=int(START + at)
    )


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([patch(at=-30 * DAY)], set()),
        ([patch(at=-30 * DAY - 1)], {"late"}),
        ([patch(at=-30 * DAY), patch(at=-31 * DAY, version="1.9")], {"late"}),
        ([patch(at=-30 * DAY), patch(at=-31 * DAY, package="other")], set()),
        ([patch(at=-30 * DAY), patch(at=-31 * DAY, advisory="GHSA-1-2-3")], {"late"}),
        ([patch(at=0)], set()),
    ],
)
def test_a_patch_counts_from_when_the_first_one_came_out(
    product: Product, made: Made, rows: list[PatchRelease], words: set[str]
) -> None:
    names = {"advisories": ("CVE-2026-1", "ghsa-1-2-3"), "package": "PyPI/Library@1.0"}
    made.found("library", at=-DAY, severity=Severity.CRITICAL, lane=Lane.DEPENDENCIES, limit=DAY, **names)
    made.closed("library", at=0)
    made.list("patches", rows, at=DAY)
    found = of(evidence(product, made), "vuln.patch_release")
    assert (found.population, found.tested, {one.exception for one in found.deviations}) == (1, 1, words)
    assert found.result == ("deviation" if words else "no_deviation")
    assert all("from elsewhere (all), taken" in note for note in found.notes)


def test_several_ledgers_are_one_period(product: Product, tmp_path: Path) -> None:
    first, second = Made(tmp_path, "first"), Made(tmp_path, "second")
    first.run("a", at=1, mode="observe")
    second.run("b", at=1)
    found = evidence(product, first, second)
    assert of(found, "gate.enforced").population == 2
    assert [one.size for one in found.ledgers] == [2, 2]


def test_of_several_ledgers_every_one_that_does_not_verify_is_named(product: Product, tmp_path: Path) -> None:
    """Whoever has forty would else be told of one a call."""
    whole, first, second = (Made(tmp_path, name) for name in ("whole", "first", "second"))
    for at, one in enumerate((first, second), 1):
        one.run("a", at=1)
        tampered(one.path, entry=at - 1)
    with pytest.raises(LedgersError) as caught:
        evidence(product, whole, first, second)
    assert [(place, what.partition(":")[0]) for place, what, _ in caught.value.faults] == [
        (str(first.path), "the ledger does not verify at entry 0"),
        (str(second.path), "the ledger does not verify at entry 1"),
    ]
    told = str(caught.value)
    assert told.startswith(
        "2 of 3 ledgers are not there or do not verify: nothing is told of any\ntry: mend each, or leave"
    )
    assert all(text in told for text in (str(first.path), str(second.path), "entry 0", "entry 1"))
    assert caught.value.exit_code == LedgerError.exit_code
    with pytest.raises(LedgersError, match="1 of 2 ledgers is not there"):
        evidence(product, whole, first)
    with pytest.raises(LedgerError, match="at entry 0") as alone:
        evidence(product, first)
    assert not isinstance(alone.value, LedgersError)


def test_of_several_ledgers_every_one_that_is_not_there_is_named(product: Product, tmp_path: Path) -> None:
    named = tuple(str(tmp_path / name) for name in ("none", "neither"))
    with pytest.raises(LedgersError, match=r"2 of 2 ledgers are not there") as caught:
        evidence(product, ledgers=named)
    assert tuple(place for place, _, _ in caught.value.faults) == named


def tampered(path: Path, *, entry: int) -> None:
    """Change an entry as whoever holds the file could."""
    with closing(sqlite3.connect(path)) as database, database:
        triggers = database.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            database.execute(f"DROP TRIGGER {name}")
        database.execute("UPDATE entry SET data = CAST(data || ' ' AS BLOB) WHERE sequence = ?", (entry,))
        for _, text in triggers:
            database.execute(text)


def test_a_ledger_and_its_copy_are_not_two(product: Product, made: Made, tmp_path: Path) -> None:
    made.run("a", at=1)
    (tmp_path / "copy").mkdir()
    copied = Made(tmp_path / "copy")
    assert copied.memory.ledger_id == made.memory.ledger_id
    with pytest.raises(UsageError, match=r"this is the ledger that .* is too"):
        evidence(product, made, copied)


def test_a_ledger_that_begins_later_passes_nothing(product: Product, made: Made) -> None:
    found = evidence(product, made, start=datetime.fromtimestamp(START - 2 * DAY, tz=UTC))
    assert {one.result for one in found.assertions} == {"not_tested"}
    assert "after the period's beginning" in of(found, "gate.enforced").reason


# -------------------------------------------------------------------------------------------------- how it is asked for


def test_the_same_ledgers_and_parameters_give_the_same_bytes(product: Product, made: Made) -> None:
    made.run("passed", at=HOUR)
    first, second = (evidence_json(evidence(product, made)) for _ in range(2))
    assert first == second
    whole = json.loads(first)
    assert whole["format"] == {"name": "secgate-evidence", "version": 1}


def test_a_page_fits_and_promises_nothing(product: Product, made: Made) -> None:
    made.run("\x1b[31mred", at=HOUR, mode="observe")
    text = evidence_page(evidence(product, made), width=80).decode()
    assert [line for line in text.splitlines() if len(line) > 80 and not line.startswith("  ledger /")] == []
    assert "\x1b" not in text
    assert not any(word in text.lower() for word in ("compliant", "certified", "soc 2 report"))
    assert "soc2:CC8.1" in text


def test_only_frameworks_that_are_named_are_tested(product: Product, made: Made) -> None:
    found = evidence(product, made, frameworks=("owasp-top10",))
    assert {one.framework for one in found.controls} == {"owasp-top10"}
    assert {one.assertion for one in found.assertions} == {name for one in found.controls for name in one.assertions}
    with pytest.raises(UsageError, match="there is no framework `sox`"):
        evidence(product, made, frameworks=("sox",))


@pytest.mark.parametrize(("start", "end", "said"), [(START, START, "ends before"), (START, END + 2 * DAY, "not over")])
def test_a_period_is_over(product: Product, made: Made, start: int, end: int, said: str) -> None:
    first, last = (datetime.fromtimestamp(at, tz=UTC) for at in (start, end))
    with pytest.raises(UsageError, match=said):
        evidence(product, made, start=first, end=last)


def test_without_a_ledger_there_is_no_evidence(product: Product) -> None:
    with pytest.raises(LedgerError, match="there is no ledger"):
        evidence(product)


# --------------------------------------------------------------------------------------------------- the organisation's

OWN = """package secgate.assertions.night_watch

deviation contains {"item": r.id, "exception": "unwatched", "detail": "nobody was there"} if {
	some r in input.items
	r.mode != "enforce"
}
"""


def layer(home: Path, **changes: Any) -> str:
    control = {
        "id": "acme-1",
        "label": "acme:1",
        "title": "Ours",
        "strength": "supporting",
        "assertions": ["night.watch"],
        "not_enough": ["a"],
        "outside": ["b"],
        "auditor_test": "c",
    }
    ours = {
        "id": "night.watch",
        "statement": "Somebody was there.",
        "population": {"unit": "protected_run", "source": "ledger", "from": "protected_runs"},
        "test": "night_watch",
        "exception_when": ["unwatched"],
        **changes,
    }
    framework = {"key": "acme", "name": "Acme", "edition": "1", "source": "Acme"}
    head = {"version": 1, "mapping_version": "acme-1"}
    files = {
        "controls/acme.json": {"schema": "secgate/controls", **head, "framework": framework, "controls": [control]},
        "controls/own.json": {"schema": "secgate/assertions", **head, "assertions": [ours]},
    }
    tree(home, {"enforced.toml": "version = 1\n", "controls/night_watch.rego": OWN})
    return str(tree(home, {name: json.dumps(value) for name, value in files.items()}))


def test_an_organisation_adds_assertions_of_its_own(product: Product, made: Made, tmp_path: Path) -> None:
    made.run("watched", at=HOUR)
    made.run("observed", at=2 * HOUR, mode="observe")
    found = evidence(product, made, enforced=layer(tmp_path / "acme"), frameworks=("acme",))
    assert bad(found, "night.watch") == {("observed", "unwatched")}
    assert found.mapping_versions == ("2026.11.0", "acme-1")


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"exception_when": ["asleep"]}, PolicyError, "it says `unwatched`, which is none"),
        ({"test": "day_watch"}, PolicyError, "no assertion is tested by"),
        ({"population": {"unit": "soup", "source": "ledger", "from": "runs"}}, PolicyError, "a unit that nobody knows"),
        ({"population": {"unit": "run", "source": "ledger", "from": "soup"}}, UsageError, "from a population that"),
        ({"population": {"unit": "run", "source": "ledger", "from": "runs"}}, PolicyError, "mode"),
        ({"id": "scan.ran"}, ConfigError, "the assertion `scan.ran` is there 2 times"),
    ],
)
def test_what_an_organisation_gets_wrong_is_said(
    product: Product, made: Made, changes: Any, error: type[Exception], said: str
) -> None:
    made.run("observed", at=2 * HOUR, mode="observe")
    with pytest.raises(error, match=said):
        evidence(product, made, enforced=layer(made.path.parent / "acme", **changes), frameworks=("acme",))


def test_a_shipped_test_cannot_be_replaced(product: Product, made: Made, tmp_path: Path) -> None:
    folder = layer(tmp_path / "acme")
    text = OWN.replace("night_watch", "gate_enforced").replace("unwatched", "observe_mode")
    tree(Path(folder), {"controls/gate_enforced.rego": text})
    with pytest.raises(PolicyError, match="is shipped, and cannot be replaced"):
        evidence(product, made, enforced=folder)


def test_a_run_says_which_mapping_there_was(product: Product, tmp_path: Path) -> None:
    root = tree(tmp_path / "shop", {"app.py": "x = 1\n"})
    product.run(root)
    product.run(root, enforced=layer(tmp_path / "acme"))
    ledgers = [SqliteLedger(str(path), read_only=True) for path in product.state.rglob("*.sqlite")]
    events = [event_of(entry) for ledger in ledgers for entry in ledger.read()]
    first, second = (event for event in events if isinstance(event, Run))
    assert first.mapping_versions == ("2026.11.0",)
    assert second.mapping_versions == ("2026.11.0", "acme-1")
    assert "" != first.mapping_digest != second.mapping_digest


def test_a_run_does_not_begin_under_a_mapping_that_is_wrong(product: Product, tmp_path: Path) -> None:
    root = tree(tmp_path / "shop", {"app.py": "x = 1\n"})
    with pytest.raises(ConfigError, match="the control mapping is wrong"):
        product.run(root, enforced=layer(tmp_path / "acme", id="another"))


def test_every_value_of_the_evidence_can_be_read_back(product: Product, made: Made) -> None:
    made.run("passed", at=HOUR)
    found = evidence(product, made)
    told = msgspec.json.decode(evidence_json(found), type=dict[str, msgspec.Raw])
    assert msgspec.json.decode(told["evidence"], type=PeriodEvidence) == found
