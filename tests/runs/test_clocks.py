"""Clocks: they start in protected runs, survive machines and tool upgrades, and deny when they are overdue."""

from __future__ import annotations

from pathlib import Path

from secgate.ledgers.sqlite import SqliteLedger
from secgate.model import Entry, Outcome, RunDocument
from tests.product import CLEAN, DAY, NOW, WEAK, Product, outcome, states
from tests.unit.conftest import Git


def protected(product: Product, git: Git, days: int = 0) -> RunDocument:
    return product.run(git.root, scope="protected", ref="refs/heads/main", now=NOW + days * DAY)


def starts(document: RunDocument) -> list[int]:
    return [duty.start_epoch_s for finding in document.findings for duty in finding.obligations]


def test_a_protected_run_starts_a_clock_and_passes(product: Product, git: Git) -> None:
    git.commit({"app.py": WEAK})
    document = protected(product, git)
    assert (outcome(document), starts(document)) == (Outcome.PASS, [int(NOW.timestamp())])


def test_a_local_run_starts_none(product: Product, git: Git) -> None:
    git.commit({"app.py": WEAK})
    product.run(git.root, now=NOW - 30 * DAY)
    assert starts(protected(product, git)) == [int(NOW.timestamp())]


def test_high_findings_have_seven_days_and_not_a_second_more(product: Product, git: Git) -> None:
    git.commit({"app.py": WEAK})
    outcomes = [outcome(protected(product, git, days)) for days in (0, 7, 8)]
    assert outcomes == [Outcome.PASS, Outcome.PASS, Outcome.FAIL]


def test_putting_the_machines_clock_back_gives_no_time(product: Product, git: Git) -> None:
    git.commit({"app.py": WEAK})
    protected(product, git)
    assert outcome(protected(product, git, 8)) is Outcome.FAIL
    late = protected(product, git, 1)
    assert outcome(late) is Outcome.FAIL
    assert "clock: this machine's is 7 d behind the ledger's last entry, whose time counts" in late.notes


def test_what_a_newer_secgate_recorded_and_this_one_cannot_read_is_said(product: Product, git: Git) -> None:
    """Else a duty that it does not know of would be none, and nobody would hear of it."""
    git.commit({"app.py": WEAK})
    assert not [note for note in protected(product, git).notes if note.startswith("ledger:")]
    ledger = SqliteLedger(str(Path(git.root) / ".git" / "secgate" / "ledger.sqlite"))
    ledger.append(ledger.head(), [Entry(type="obligation", version=2, body=b"{}")], now=NOW + DAY, blobs={})
    (note,) = [note for note in protected(product, git, 2).notes if note.startswith("ledger:")]
    assert note.startswith("ledger: it has 1 entry of a type or version that this secgate does not know")


def test_moving_the_weakness_does_not_restart_its_clock(product: Product, git: Git) -> None:
    git.commit({"app.py": WEAK})
    protected(product, git)
    git("mv", "app.py", "moved.py")
    git.commit()
    assert starts(protected(product, git, 3)) == [int(NOW.timestamp())]


def test_moving_it_while_a_scanner_is_broken_does_not_either(product: Product, git: Git) -> None:
    git.commit({"app.py": WEAK})
    protected(product, git)
    product.tool("semgrep", "crash")
    git("mv", "app.py", "moved.py")
    git.commit()
    protected(product, git, 1)
    product.tool("semgrep")
    git.commit({"note.md": "words\n"})
    assert starts(protected(product, git, 2)) == [int(NOW.timestamp())]


def test_moving_it_with_a_tool_upgrade_does_not_either(product: Product, git: Git) -> None:
    git.commit({"app.py": WEAK})
    protected(product, git)
    product.tool("semgrep", version="1.183.0")
    git("mv", "app.py", "moved.py")
    git.commit()
    document = protected(product, git, 1)
    assert (starts(document), states(document)) == ([int(NOW.timestamp())], ["unchanged"])


def test_moving_it_out_of_a_file_while_one_of_its_two_scanners_is_broken_does_not_either(
    product: Product, git: Git
) -> None:
    git.commit({"app.py": WEAK})
    protected(product, git)
    product.tool("bandit", "crash")
    git.commit({"app.py": "x = 1\n", "moved.py": "import os\n\n\n" + WEAK})
    assert starts(protected(product, git, 1)) == [int(NOW.timestamp())]


def test_putting_a_link_in_its_place_does_not_either(product: Product, git: Git) -> None:
    git.commit({"app.py": WEAK})
    protected(product, git)
    git.commit({"moved.py": "import os\n\n\n" + WEAK})
    (git.root / "app.py").unlink()
    (git.root / "app.py").symlink_to("moved.py")
    git.commit()
    document = protected(product, git, 1)
    assert ([one.location.path for one in document.findings], document.absent) == (["moved.py"], ())
    assert starts(document) == [int(NOW.timestamp())]


def test_a_copy_has_a_clock_of_its_own_where_the_original_is_not_looked_at(product: Product, git: Git) -> None:
    git.commit({"kept/app.py": WEAK, "part/app.py": CLEAN})
    protected(product, git)
    git.commit({"part/copy.py": "import os\n\n\n" + WEAK})
    part = product.run(git.root / "part", scope="protected", ref="refs/heads/main", now=NOW + DAY)
    assert starts(part) == [int((NOW + DAY).timestamp())]
    whole = protected(product, git, 2)
    assert sorted(starts(whole)) == [int(NOW.timestamp()), int((NOW + DAY).timestamp())]


def test_a_copy_of_what_is_left_out_has_a_clock_of_its_own(product: Product, git: Git) -> None:
    git.commit({"app.py": WEAK})
    protected(product, git)
    git.commit({"secgate.toml": 'exclude = ["app.py"]\n', "copy.py": "import os\n\n\n" + WEAK})
    document = protected(product, git, 1)
    assert (starts(document), document.absent) == ([int((NOW + DAY).timestamp())], ())


def test_moving_it_where_the_clone_ends_at_one_commit_does_not_either(git: Git, tmp_path: Path) -> None:
    ledger = {"SECGATE_LEDGER_PATH": str(tmp_path / "kept" / "ledger.sqlite")}
    git.commit({"app.py": WEAK})
    runner = Product(tmp_path / "runner", **ledger)
    for days in (0, 1):
        copy = tmp_path / f"job-{days}" / "shop"
        git("clone", "--quiet", "--depth=1", f"file://{git.root}", str(copy))
        git("remote", "set-url", "origin", "https://git.example.org/acme/shop.git", cwd=copy)
        document = runner.run(copy, scope="protected", ref="refs/heads/main", now=NOW + days * DAY)
        git("mv", "app.py", "moved.py") if not days else None
        git.commit()
    assert [finding.location.path for finding in document.findings] == ["moved.py"]
    assert starts(document) == [int(NOW.timestamp())]


def test_a_fix_in_time_closes_the_clock(product: Product, git: Git) -> None:
    git.commit({"app.py": WEAK})
    protected(product, git)
    git.commit({"app.py": CLEAN})
    document = protected(product, git, 5)
    assert (outcome(document), len(document.absent)) == (Outcome.PASS, 1)


def test_a_tool_that_did_not_run_closes_nothing(product: Product, git: Git) -> None:
    git.commit({"app.py": WEAK})
    protected(product, git)
    product.tool("semgrep", "crash")
    document = protected(product, git, 1)
    assert (outcome(document), document.absent) == (Outcome.INCONCLUSIVE, ())
    product.tool("semgrep")
    assert starts(protected(product, git, 2)) == [int(NOW.timestamp())]


def test_a_newer_tool_on_the_same_commit_brings_newly_detectable(product: Product, git: Git) -> None:
    git.commit({"app.py": WEAK + "    print(text)\n"})
    protected(product, git)
    product.tool("semgrep", version="1.183.0", sees=["eval(", "print("])
    document = protected(product, git, 6)
    assert states(document) == ["newly-detectable", "unchanged"]
    assert sorted(starts(document)) == [int(NOW.timestamp()), int((NOW + 6 * DAY).timestamp())]


def test_two_machines_that_share_only_a_git_ledger_keep_one_clock(git: Git, tmp_path: Path) -> None:
    git.commit({"app.py": WEAK})
    git("init", "--quiet", "--bare", str(tmp_path / "ledger.git"))
    git("clone", "--quiet", str(git.root), str(tmp_path / "second" / "shop"))
    shared = {"SECGATE_LEDGER_STORE": "git", "SECGATE_LEDGER_REPOSITORY": str(tmp_path / "ledger.git")}
    machines = [Product(tmp_path / name, **shared) for name in ("one", "two")]
    for copy in (git.root, tmp_path / "second" / "shop"):
        git("remote", "remove", "origin", cwd=copy) if copy != git.root else None
        git("remote", "add", "origin", "https://git.example.org/acme/shop.git", cwd=copy)
    one, two = (
        machine.run(copy, scope="protected", ref="refs/heads/main", now=NOW + days * DAY)
        for machine, copy, days in zip(machines, (git.root, tmp_path / "second" / "shop"), (0, 8), strict=True)
    )
    assert (outcome(one), outcome(two)) == (Outcome.PASS, Outcome.FAIL)
    assert starts(two) == starts(one) == [int(NOW.timestamp())]
