"""What is open and until when, over one or many ledgers, each read whole and verified."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from secgate import queries
from secgate.deadlines import Deadlines
from secgate.errors import LedgerError
from secgate.preparation import Place
from tests.pages import too_wide
from tests.product import CLEAN, DAY, NOW, WEAK, Product
from tests.runs.office import Office
from tests.signing_support import ADA
from tests.unit.conftest import Git, SubprocessRunner

OWNERS = "* @acme/everybody\nweb/ @acme/web\n"


def protected(product: Product, root: Path, days: float = 0) -> None:
    product.run(root, scope="protected", ref="refs/heads/main", now=NOW + days * DAY)


def listed(product: Product, *ledgers: str, root: Path | None = None, days: float = 0) -> Deadlines:
    place = Place(path=str(root or product.home))
    return queries.open_deadlines(ledgers, place=place, machine=product.machine(), now=NOW + days * DAY)


def page(found: Deadlines, form: str = "text", width: int = 80) -> str:
    return queries.render_deadlines(found, form, width=width, colour=False).decode()


def ledger_of(root: Path) -> str:
    return str(root / ".git" / "secgate" / "ledger.sqlite")


@pytest.fixture
def web(product: Product, git: Git) -> Path:
    """A repository whose one weakness is known since NOW, with owners."""
    git.commit({"web/app.py": WEAK, "CODEOWNERS": OWNERS})
    protected(product, git.root)
    return git.root


@pytest.fixture
def billing(product: Product, tmp_path: Path) -> Path:
    """Another repository, whose weakness is a day older."""
    other = Git(tmp_path / "billing", tmp_path / "git-home", SubprocessRunner()).init()
    other.commit({"app.py": WEAK})
    protected(product, other.root, days=-1)
    return other.root


@pytest.mark.parametrize(
    ("seconds", "state", "words"),
    [
        (7 * 86400 - 1, "within", "1 s left"),
        (7 * 86400, "within", "due now"),
        (7 * 86400 + 1, "overdue", "overdue by 1 s"),
    ],
)
def test_it_is_true_to_the_second(product: Product, web: Path, seconds: int, state: str, words: str) -> None:
    found = listed(product, root=web, days=(seconds + 0.001) / 86400)
    (one,) = found.findings
    assert (one.state, one.left_s, words in page(found)) == (state, 7 * 86400 - seconds, True)


def test_a_finding_says_when_why_and_whose(product: Product, web: Path) -> None:
    (one,) = listed(product, root=web).findings
    assert one.why == ("high severity allows 7 d from 2026-03-01 12:00 UTC, so it is due 2026-03-08 12:00 UTC")
    assert (one.owner, one.path, one.start_line) == ("@acme/web", "web/app.py", 2)


def test_whose_it_is_stays_known_where_a_scanner_failed(product: Product, git: Git, web: Path) -> None:
    product.tool("semgrep", "crash")
    git.commit({"web/app.py": CLEAN})
    protected(product, web, days=1)
    (one,) = listed(product, root=web, days=1).findings
    assert (one.owner, one.state) == ("@acme/web", "within")


def test_many_ledgers_and_what_bites_first_is_first(product: Product, web: Path, billing: Path) -> None:
    found = listed(product, ledger_of(web), ledger_of(billing), ledger_of(web))
    assert [one.path for one in found.findings] == ["app.py", "web/app.py"]
    assert [one.open for one in found.ledgers] == [1, 1]
    text = page(found)
    assert not too_wide(text)
    assert text.index("app.py:2") < text.index("web/app.py:2")


def test_the_same_question_has_the_same_answer(product: Product, web: Path, billing: Path) -> None:
    answers = {page(listed(product, ledger_of(web), ledger_of(billing)), form) for form in ("text", "json", "markdown")}
    again = {page(listed(product, ledger_of(web), ledger_of(billing)), form) for form in ("text", "json", "markdown")}
    assert answers == again


def test_a_ledger_under_another_name_counts_once(product: Product, web: Path, tmp_path: Path) -> None:
    copy = shutil.copy(ledger_of(web), tmp_path / "copy.sqlite")
    once = listed(product, ledger_of(web))
    assert once.findings
    again = listed(product, ledger_of(web), str(copy), ledger_of(web / ".git" / ".."))
    assert again == once


@pytest.mark.parametrize("older_first", [True, False])
def test_an_older_copy_of_a_ledger_counts_once(product: Product, web: Path, tmp_path: Path, older_first: bool) -> None:
    older = str(shutil.copy(ledger_of(web), tmp_path / "copy.sqlite"))
    protected(product, web, days=1)
    names = (older, ledger_of(web)) if older_first else (ledger_of(web), older)
    assert listed(product, *names, days=2) == listed(product, ledger_of(web), days=2)


def test_copies_that_have_gone_apart_are_refused(product: Product, web: Path, tmp_path: Path) -> None:
    apart = tmp_path / "apart"
    shutil.copytree(web, apart)
    protected(product, web, days=1)
    protected(product, apart, days=2)
    with pytest.raises(LedgerError, match="began as one and have gone apart since"):
        listed(product, ledger_of(web), ledger_of(apart))


def test_a_ledger_in_git(git: Git, tmp_path: Path) -> None:
    git("init", "--quiet", "--bare", str(tmp_path / "ledger.git"))
    store = {"SECGATE_LEDGER_STORE": "git", "SECGATE_LEDGER_REPOSITORY": str(tmp_path / "ledger.git")}
    git.commit({"app.py": WEAK})
    protected(Product(tmp_path / "one", **store), git.root)
    reader = Product(tmp_path / "two")
    found = listed(reader, f"{tmp_path / 'ledger.git'}#secgate-ledger")
    assert [one.path for one in found.findings] == ["app.py"]


def test_without_a_protected_run_no_clock_runs_and_it_says_what_starts_one(product: Product, git: Git) -> None:
    git.commit({"app.py": WEAK})
    assert product.cli("run", str(git.root)).code == 1
    for command in ("sla", "notify"):
        said = " ".join(product.cli(command, "--path", str(git.root)).out.split())
        assert "no protected run is recorded (`secgate run --scope protected`)" in said
    assert "nothing is open" not in product.cli("sla", "--path", str(git.root)).out


def test_nothing_open_says_so(product: Product, git: Git) -> None:
    git.commit({"app.py": CLEAN})
    protected(product, git.root)
    ended = product.cli("sla", "--path", str(git.root), "--check")
    assert (ended.code, ended.out.splitlines()[0][:16]) == (0, "nothing is open,")


def test_what_was_closed_is_counted(product: Product, git: Git) -> None:
    git.commit({"soon.py": WEAK, "late.py": WEAK})
    protected(product, git.root)
    for days, name in ((1, "soon.py"), (8, "late.py")):
        git.commit({name: CLEAN})
        protected(product, git.root, days=days)
    found = listed(product, root=git.root, days=9)
    assert (found.closed_in_time, found.closed_late) == (1, 1)
    assert "nothing is open, as of 2026-03-10 12:00 UTC; closed before: 1 in time, 1 late" in page(found)


def test_it_is_a_report_and_a_gate_only_when_asked(product: Product, web: Path) -> None:
    # The command line reads the real clock, for which NOW is long ago or still to come: as of the ledger's last entry.
    protected(product, web, days=9000)
    assert product.cli("sla", "--ledger", ledger_of(web)).code == 0
    ended = product.cli("sla", "--ledger", ledger_of(web), "--check")
    assert (ended.code, "1 open, 1 overdue" in ended.out) == (1, True)


def test_json_has_everything(product: Product, web: Path) -> None:
    whole = json.loads(page(listed(product, root=web, days=8), "json"))
    assert whole["format"] == {"name": "secgate-sla", "version": 1}
    (one,) = whole["told"]["findings"]
    assert (one["state"], one["left_s"], one["duties"][0]["basis"]) == ("overdue", -86400, "severity:high")
    assert whole["told"]["overdue"] == 1


def test_a_waived_one_is_overdue_and_bites_when_the_waiver_ends(product: Product, git: Git, tmp_path: Path) -> None:
    office = Office(product, git, tmp_path)
    git.commit({"app.py": WEAK, "b.py": WEAK})
    first = office.run(scope="protected")
    office.waive(next(one.fingerprint for one in first.findings if one.location.path == "app.py"), life=20)
    office.run(1, scope="protected")
    found = listed(product, root=git.root, days=8)
    assert [(one.path, one.state) for one in found.findings] == [("b.py", "overdue"), ("app.py", "waived")]
    assert (found.overdue, found.waived) == (1, 1)
    assert f"until 2026-03-21 12:00 UTC, approved by {ADA}" in " ".join(page(found).split())
    assert [one.state for one in listed(product, root=git.root, days=20).findings] == ["overdue", "overdue"]


def test_markdown_is_a_table_in_which_text_is_text(product: Product, git: Git) -> None:
    name = "a|b`<img src=x>[c](javascript:d)@team.py"
    git.commit({name: WEAK})
    protected(product, git.root)
    text = page(listed(product, root=git.root), "markdown")
    row = text.splitlines()[4]
    assert (row.count(" | "), row.count("|")) == (6, 8)
    assert not any(mark in row for mark in ("`", "<img", "](", "@team"))


def test_an_input_that_was_erased_leaves_owners_untold(product: Product, web: Path) -> None:
    with sqlite3.connect(ledger_of(web)) as database:
        database.execute("DELETE FROM blob")
    database.close()
    (one,) = listed(product, ledger_of(web)).findings
    assert (one.owner, one.state) == ("", "within")


def test_a_ledger_that_was_tampered_with_is_refused(product: Product, web: Path) -> None:
    with sqlite3.connect(ledger_of(web)) as database:
        database.execute("DROP TRIGGER entry_is_kept")
        database.execute("UPDATE entry SET data = CAST(replace(data, 'app.py', 'apt.py') AS BLOB) WHERE sequence = 2")
    database.close()
    ended = product.cli("sla", "--ledger", ledger_of(web))
    assert (ended.code, ended.out) == (5, "")


@pytest.mark.parametrize("name", ["gone.sqlite", "gone.git#main", ".", "--upload-pack=x#main"])
def test_a_ledger_that_is_not_there_is_refused(product: Product, name: str) -> None:
    with pytest.raises(LedgerError):
        listed(product, name)
