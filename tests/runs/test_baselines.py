"""Known debt: a signed list gives what was there limits of its own, from its day on, and decides nothing else."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from secgate.baseline import NAMESPACE
from secgate.errors import LedgerError, SignatureError, UsageError
from secgate.events import BaselineRecorded, ObligationAdded, ObligationSuperseded
from secgate.evidence import EvidenceWish, Place, period_evidence
from secgate.model import Outcome, RunDocument, Severity
from secgate.pipeline.debts import BaselineRequest, Written, write_baseline
from tests.product import CLEAN, DAY, KEY, NOW, WEAK, Product, outcome, states
from tests.runs.signed_shop import Shop
from tests.signing_support import ADA, EVE, Key, make_key, sign
from tests.unit.conftest import Git


@pytest.fixture
def shop(product: Product, git: Git, tmp_path: Path) -> Shop:
    return Shop(product, git, tmp_path, NAMESPACE)


def write(
    shop: Shop, days: float = 0, *, author: str = ADA, key: Key | None = None, high_days: int = 60, **options: object
) -> Written:
    request = BaselineRequest(
        path=str(shop.git.root),
        enforced=str(shop.layer),
        ref="refs/heads/main",
        author=author,
        key=str((key or shop.ada).path),
        limits_s={Severity.HIGH: high_days * 86400},
        **options,  # type: ignore[arg-type]
    )
    return write_baseline(request, machine=shop.product.machine(), now=NOW + days * DAY)


def outcomes(shop: Shop, *days: float) -> list[Outcome]:
    return [outcome(shop.run(day)) for day in days]


def duties(shop: Shop) -> list[tuple[str, int, int]]:
    return [(one.basis, one.start_epoch_s, one.limit_s) for one in shop.events(ObligationAdded)]


# ------------------------------------------------------------------------------------------------------------ over days


def a_day_for_what_is_high(shop: Shop) -> None:
    limits = {"critical": 3600, "high": 86400, "medium": 2592000, "low": 7776000}
    (shop.layer / "data").mkdir()
    data = {"limits": {"version": 1, "severity_s": limits, "new_denied": ["critical", "high"]}}
    (shop.layer / "data" / "limits.json").write_text(json.dumps(data))


def test_day_one_on_an_old_repository_does_not_make_day_two_all_overdue(shop: Shop) -> None:
    a_day_for_what_is_high(shop)
    shop.git.commit({f"old_{number}.py": WEAK for number in range(5)})
    assert outcomes(shop, 0) == [Outcome.PASS]
    assert write(shop, 0.5).findings == 6
    assert outcomes(shop, 0.6, 1.5, 2, 30, 60.5) == [Outcome.PASS] * 5
    assert outcomes(shop, 60.6) == [Outcome.FAIL]


def test_without_it_day_two_is(shop: Shop) -> None:
    a_day_for_what_is_high(shop)
    assert outcomes(shop, 0, 1.5) == [Outcome.PASS, Outcome.FAIL]


def test_its_limit_holds_to_the_second(shop: Shop) -> None:
    shop.run()
    write(shop, 1, high_days=10)
    second = 1 / 86400
    assert outcomes(shop, 8.5, 11, 11 + second) == [Outcome.PASS, Outcome.PASS, Outcome.FAIL]


def test_its_clock_starts_on_its_day_and_the_severitys_gives_way(shop: Shop) -> None:
    shop.run()
    write(shop, 1)
    shop.run(2)
    day_one = int((NOW + DAY).timestamp())
    assert duties(shop) == [("severity:high", int(NOW.timestamp()), 7 * 86400), ("baseline:high", day_one, 60 * 86400)]
    assert [one.basis for one in shop.events(ObligationSuperseded)] == ["severity:high"]


def test_the_run_that_takes_it_up_shows_the_limit_that_counts(shop: Shop) -> None:
    shop.run()
    write(shop, 1)
    for day in (2, 3):
        (finding,) = shop.run(day).findings
        assert [(one.basis, one.superseded) for one in finding.obligations] == [
            ("severity:high", True),
            ("baseline:high", False),
        ]


def test_what_is_overdue_on_its_day_stays_overdue(shop: Shop) -> None:
    shop.run()
    write(shop, 7.5)
    assert outcomes(shop, 7.6, 8) == [Outcome.FAIL] * 2


def test_a_second_list_gives_no_more_time(shop: Shop) -> None:
    shop.run()
    write(shop, 1, high_days=10)
    shop.run(2)
    write(shop, 9, high_days=60)
    assert outcomes(shop, 10, 12) == [Outcome.PASS, Outcome.FAIL]


def test_no_list_gives_more_than_the_policy_allows(shop: Shop) -> None:
    shop.run()
    write(shop, 1, high_days=4000)
    shop.run(2)
    assert duties(shop)[-1][2] == 180 * 86400


def test_what_comes_after_it_has_the_severitys_time(shop: Shop) -> None:
    shop.run()
    write(shop, 1)
    shop.git.commit({"later.py": WEAK})
    assert outcomes(shop, 2, 9, 9.1) == [Outcome.PASS, Outcome.PASS, Outcome.FAIL]


def test_known_debt_that_moves_keeps_its_limit(shop: Shop) -> None:
    shop.run()
    write(shop, 1)
    shop.git("mv", "app.py", "moved.py")
    shop.git.commit()
    assert outcomes(shop, 2, 20) == [Outcome.PASS] * 2


def test_what_was_fixed_and_comes_back_counts_from_the_day_of_its_list(shop: Shop) -> None:
    shop.run()
    write(shop, 1, high_days=20)
    shop.run(2)
    shop.git.commit({"app.py": CLEAN})
    shop.run(3)
    shop.git.commit({"app.py": WEAK})
    shop.run(40)
    assert duties(shop)[-1][:2] == ("baseline:high", int((NOW + DAY).timestamp()))


# -------------------------------------------------------------------------------------------------------- never newness


def test_a_baseline_never_decides_newness(shop: Shop) -> None:
    shop.run()
    write(shop, 1)
    shop.git.commit({"app.py": CLEAN})
    shop.run(2)
    base = shop.git("rev-parse", "HEAD")
    shop.git.commit({"app.py": WEAK})
    document = shop.product.run(
        shop.git.root, now=NOW + 3 * DAY, scope="change", changed_since=base, enforced=str(shop.layer)
    )
    assert (states(document), outcome(document)) == (["new"], Outcome.FAIL)


# ----------------------------------------------------------------------------------------------------------- whose word


def facts(shop: Shop, document: RunDocument) -> list[bool]:
    assert document.decision is not None
    judged = json.loads(shop.ledger.blob(document.decision.input_digest))
    return [finding["baseline"]["listed"] for finding in judged["findings"]]


def test_the_policy_is_told_and_so_is_the_reader(shop: Shop) -> None:
    shop.run()
    write(shop, 1)
    document = shop.run(2)
    assert facts(shop, document) == [True]
    assert any(note.endswith(f"by {ADA}: counts for 1 of 1 finding") for note in document.notes)


def test_a_list_counts_nothing_without_those_who_may_sign_and_that_is_said(shop: Shop) -> None:
    shop.run()
    write(shop, 1)
    document = shop.run(2, enforced=False)
    assert facts(shop, document) == [False]
    assert any("counts nothing: nobody is allowed to sign" in note for note in document.notes)


def test_a_list_by_a_key_that_is_lost_since_ever_counts_nothing(shop: Shop) -> None:
    shop.run()
    write(shop, 1)
    (shop.layer / "revoked").write_text(f"{shop.ada.public}\n")
    assert outcomes(shop, 2, 8) == [Outcome.PASS, Outcome.FAIL]


def test_a_list_recorded_before_its_key_was_lost_still_counts(shop: Shop) -> None:
    shop.run()
    write(shop, 1)
    (shop.layer / "revoked").write_text(f'from="20260303" {shop.ada.public}\n')
    assert outcomes(shop, 3, 20) == [Outcome.PASS] * 2


@pytest.mark.parametrize("author", [EVE, "p-nobody"])
def test_only_a_person_who_may_can_write_one(shop: Shop, author: str) -> None:
    shop.run()
    with pytest.raises(SignatureError):
        write(shop, 1, author=author, key=shop.eve)
    with pytest.raises(SignatureError):
        write(shop, 1, author=author)
    assert shop.events(BaselineRecorded) == []


def test_nobody_writes_one_in_anothers_name(shop: Shop) -> None:
    shop.run()
    with pytest.raises(SignatureError, match=f"the key is that of `{ADA}`, not of `{EVE}`"):
        write(shop, 1, author=EVE, key=shop.ada)


def test_it_is_taken_from_the_last_run_where_no_clock_runs_yet(shop: Shop) -> None:
    document = shop.product.run(shop.git.root, now=NOW)
    written = write(shop, 1)
    assert written.findings == len(document.findings) == 1
    assert json.loads(written.statement)["run_id"] == document.run_id
    assert outcomes(shop, 2, 30) == [Outcome.PASS] * 2


def test_without_a_run_there_is_nothing_to_list(shop: Shop) -> None:
    with pytest.raises((UsageError, LedgerError)):
        write(shop, 1)


# ---------------------------------------------------------------------------------------------------------------- SARIF


def foreign(folder: Path, *, key: Key | None) -> str:
    """Write another tool's SARIF of the weakness, signed or not."""
    place = {"artifactLocation": {"uri": "app.py"}, "region": {"startLine": 2, "startColumn": 12}}
    result = {
        "ruleId": "no-eval",
        "level": "error",
        "message": {"text": "eval"},
        "locations": [{"physicalLocation": place}],
    }
    rule = {"id": "no-eval", "properties": {"tags": ["external/cwe/cwe-95"], "security-severity": "8.0"}}
    run = {"tool": {"driver": {"name": "Other", "rules": [rule]}}, "results": [result]}
    file = folder / "known.sarif"
    file.write_text(json.dumps({"version": "2.1.0", "runs": [run]}))
    if key is not None:
        sign(file, key, NAMESPACE)
    return str(file)


def test_the_sarif_of_another_tool_lists_known_debt(shop: Shop, tmp_path: Path) -> None:
    shop.run()
    file = foreign(tmp_path, key=shop.ada)
    document = shop.run(1, baseline=file)
    assert [one.kind for one in shop.events(BaselineRecorded)] == ["sarif"]
    assert any("counts for 1 of 1 finding" in note for note in document.notes)
    assert [basis for basis, _, _ in duties(shop)] == ["severity:high", "baseline:high"]
    assert outcomes(shop, 8, 30) == [Outcome.PASS] * 2


def by_digest(file: str, key: Key) -> None:
    """Write the line of `sha256sum` beside a file, signed."""
    line = Path(f"{file}.sha256")
    line.write_text(f"{sha256(Path(file).read_bytes()).hexdigest()}  known.sarif\n")
    sign(line, key, NAMESPACE)


def test_by_its_digest_it_can_be_checked_again_from_the_ledger(shop: Shop, tmp_path: Path) -> None:
    shop.run()
    file = foreign(tmp_path, key=None)
    by_digest(file, shop.ada)
    for day in (1, 2):
        document = shop.run(day, baseline=file)
        assert any("counts for 1 of 1 finding" in note for note in document.notes)
    (event,) = shop.events(BaselineRecorded)
    assert (event.kind, shop.ledger.blob(event.statement_digest)) == (
        "sarif-digest",
        Path(f"{file}.sha256").read_bytes(),
    )
    assert [basis for basis, _, _ in duties(shop)] == ["severity:high", "baseline:high"]
    assert taken_back(shop) == ("no_deviation", 1, 1)


def taken_back(shop: Shop) -> tuple[str, int, int]:
    """Give what evidence says of the times that lists took back: result, population, tested."""
    wish = EvidenceWish(start=NOW, end=NOW + 3 * DAY)
    place = Place(path=str(shop.git.root), enforced=str(shop.layer))
    found = period_evidence(wish, place=place, machine=shop.product.machine(), now=NOW + 4 * DAY)
    (one,) = (one for one in found.assertions if one.assertion == "vuln.superseded")
    return one.result, one.population, one.tested


def test_evidence_looks_at_whoever_signed_a_list_that_took_a_time_back(shop: Shop) -> None:
    shop.run()
    write(shop, 1)
    shop.run(2)
    assert taken_back(shop) == ("no_deviation", 1, 1)


def test_evidence_cannot_look_at_whoever_signed_a_file_that_is_not_kept(shop: Shop, tmp_path: Path) -> None:
    shop.run()
    shop.run(1, baseline=foreign(tmp_path, key=shop.ada))
    assert taken_back(shop) == ("not_tested", 1, 0)


def test_the_digest_of_another_file_counts_nothing(shop: Shop, tmp_path: Path) -> None:
    shop.run()
    file = foreign(tmp_path, key=shop.ada)
    by_digest(file, shop.ada)
    Path(file).write_text(Path(file).read_text() + "\n")
    document = shop.run(1, baseline=file)
    assert any("known.sarif.sha256 does not name its digest" in note for note in document.notes)
    assert facts(shop, document) == [False]


def test_a_signature_of_a_digest_that_is_not_there_is_said(shop: Shop, tmp_path: Path) -> None:
    shop.run()
    file = foreign(tmp_path, key=shop.ada)
    by_digest(file, shop.ada)
    Path(f"{file}.sha256").unlink()
    document = shop.run(1, baseline=file)
    assert any("known.sarif.sha256.sig is there, but known.sarif.sha256" in note for note in document.notes)
    assert facts(shop, document) == [False]


def test_giving_it_again_does_not_start_it_again(shop: Shop, tmp_path: Path) -> None:
    file = foreign(tmp_path, key=shop.ada)
    for day in (0, 3, 6):
        shop.run(day, baseline=file)
    assert len(shop.events(BaselineRecorded)) == 1
    assert [start for _, start, _ in duties(shop)] == [int(NOW.timestamp())]


def test_threat_12_what_it_says_beside_is_not_stored(shop: Shop, tmp_path: Path) -> None:
    file = Path(foreign(tmp_path, key=None))
    file.write_text(file.read_text().replace('"text": "eval"', f'"text": "eval beside {KEY}"'))
    sign(file, shop.ada, NAMESPACE)
    shop.run(baseline=str(file))
    (event,) = shop.events(BaselineRecorded)
    with pytest.raises(LedgerError):
        shop.ledger.blob(event.statement_digest)
    assert KEY.encode() not in (shop.git.root / ".git" / "secgate" / "ledger.sqlite").read_bytes()
    assert [one["path"] for one in json.loads(shop.ledger.blob(event.list_digest))] == ["app.py"]


def test_it_lists_only_what_it_names(shop: Shop, tmp_path: Path) -> None:
    shop.git.commit({"later.py": WEAK})
    shop.run(0, baseline=foreign(tmp_path, key=shop.ada))
    assert sorted(basis for basis, _, _ in duties(shop)) == ["baseline:high", "severity:high"]


@pytest.mark.parametrize("who", ["nobody", "eve", "stranger"])
def test_unsigned_it_counts_nothing_and_that_is_said(shop: Shop, tmp_path: Path, who: str) -> None:
    shop.run()
    signers = {"nobody": None, "eve": shop.eve, "stranger": make_key(tmp_path / "keys", "stranger")}
    document = shop.run(1, baseline=foreign(tmp_path, key=signers[who]))
    assert any(note.startswith("the baseline known.sarif counts nothing") for note in document.notes)
    assert facts(shop, document) == [False]
    assert outcomes(shop, 8) == [Outcome.FAIL]


def test_a_change_run_records_none(shop: Shop, tmp_path: Path) -> None:
    file = foreign(tmp_path, key=shop.ada)
    shop.product.run(shop.git.root, now=NOW, enforced=str(shop.layer), baseline=file)
    assert shop.events(BaselineRecorded) == []


@pytest.mark.parametrize("content", [None, "{}", "no json"])
def test_what_is_no_sarif_is_refused(shop: Shop, tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "known.sarif"
    if content is not None:
        file.write_text(content)
        sign(file, shop.ada, NAMESPACE)
    with pytest.raises(UsageError):
        shop.run(baseline=str(file))


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, None])
def test_what_is_no_file_is_refused_before_anything_is_scanned(
    shop: Shop, tmp_path: Path, make: Callable[[Path], object] | None
) -> None:
    if make is not None:
        make(tmp_path / "known.sarif")
    ended = shop.product.cli("run", str(shop.git.root), "--baseline", str(tmp_path / "known.sarif"))
    assert (ended.code, "--baseline: " in ended.err, "semgrep" in ended.err) == (2, True, False)


# --------------------------------------------------------------------------------------------------------- command line


def test_the_command_line_writes_one_and_keeps_a_copy(shop: Shop, tmp_path: Path) -> None:
    shop.run()
    out = tmp_path / "debt.json"
    arguments = ("--author", ADA, "--key", str(shop.ada.path), "--limit", "high=30d", "--ref", "refs/heads/main")
    where = ("baseline", "write", str(shop.git.root), "--enforced", str(shop.layer))
    ended = shop.product.cli(*where, *arguments, "-o", str(out), "--reason", "the first day")
    assert ended.code == 0, ended
    assert "1 finding listed" in ended.out
    statement = json.loads(out.read_text())
    assert (statement["author"], statement["limits_s"]["high"], statement["reason"]) == (ADA, 2592000, "the first day")
    assert Path(f"{out}.sig").read_text().startswith("-----BEGIN SSH SIGNATURE-----")
    assert "at most" not in ended.err
    longer = shop.product.cli(*where, *arguments, "--limit", "low=9999d")
    assert (longer.code, longer.err) == (0, "low: the policy allows 730 d at most, and that is what counts\n")


@pytest.mark.parametrize("limit", ["high", "high=0d", "info=3d", "high=1y"])
def test_a_limit_that_is_none_is_refused(shop: Shop, limit: str) -> None:
    ended = shop.product.cli("baseline", "write", "--author", ADA, "--key", "k", "--limit", limit, cwd=shop.git.root)
    assert (ended.code, "is no limit" in ended.err) == (2, True)
