"""A change is judged against its merge base, the same on every machine and however often."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from secgate.model import Outcome, State
from tests.product import CLEAN, KEY, OTHER_KEY, WEAK, Product, outcome, states
from tests.unit.conftest import Git


@pytest.fixture
def change(git: Git) -> Git:
    """A branch on a main line that has an old weakness of its own."""
    git.commit({"old.py": WEAK, "app.py": CLEAN})
    git("switch", "--quiet", "-c", "feature")
    return git


def test_a_new_high_finding_fails_on_the_first_push_and_on_the_second(product: Product, change: Git) -> None:
    change.commit({"app.py": WEAK})
    first = product.run(change.root, changed_since="main")
    change.commit({"note.md": "words\n"})
    second = product.run(change.root, changed_since="main")
    assert [(outcome(one), states(one)) for one in (first, second)] == [(Outcome.FAIL, ["new"])] * 2


def test_the_same_run_twice_fails_twice(product: Product, change: Git) -> None:
    change.commit({"app.py": WEAK})
    assert [outcome(product.run(change.root, changed_since="main")) for _ in range(2)] == [Outcome.FAIL] * 2


def test_fixing_it_passes(product: Product, change: Git) -> None:
    change.commit({"app.py": WEAK})
    product.run(change.root, changed_since="main")
    change.commit({"app.py": CLEAN + "\n"})
    assert outcome(product.run(change.root, changed_since="main")) is Outcome.PASS


def test_a_fresh_machine_without_the_ledger_says_the_same(product: Product, change: Git, tmp_path: Path) -> None:
    change.commit({"app.py": WEAK})
    one = product.run(change.root, changed_since="main")
    shutil.rmtree(change.root / ".git" / "secgate")
    other = Product(tmp_path / "other").run(change.root, changed_since="main")
    assert outcome(other) is Outcome.FAIL
    assert [(f.fingerprint, f.state) for f in one.findings] == [(f.fingerprint, f.state) for f in other.findings]


def test_an_old_finding_in_a_touched_file_is_not_the_changes_fault(product: Product, change: Git) -> None:
    change.commit({"old.py": "import os\n\n\n" + WEAK})
    document = product.run(change.root, changed_since="main")
    assert (outcome(document), states(document)) == (Outcome.PASS, ["unchanged"])


@pytest.mark.parametrize("scope", ["local", "change"])
def test_what_no_clock_was_started_for_is_not_called_newly_detectable(
    product: Product, change: Git, scope: str
) -> None:
    change("switch", "--quiet", "main")
    if scope == "local":
        product.run(change.root, scope="protected")
    change("switch", "--quiet", "feature")
    change.commit({"old.py": "import os\n\n\n" + WEAK})
    documents = [product.run(change.root, changed_since="main", scope=scope) for _ in range(2)]
    assert [states(one) for one in documents] == [["unchanged"]] * 2
    assert [one.findings[0].state_basis for one in documents] == ["in the base"] * 2


MENDED = "def answer(text):\n    return int(text)\n\n\n"
ELSEWHERE = "def reply(text):\n    return eval(text)\n"


@pytest.mark.parametrize("path", ["old.py", "other.py"])
def test_mending_one_definition_buys_no_weakness_in_another(product: Product, change: Git, path: str) -> None:
    texts = {"old.py": MENDED}
    texts[path] = texts.get(path, "") + ELSEWHERE
    change.commit(texts)
    document = product.run(change.root, changed_since="main")
    assert (outcome(document), states(document)) == (Outcome.FAIL, ["new"])


LONG = "def {}(text, a, b, c):\n    return {}(text, one(a), two(b), three(c), four=4, five=5)\n"


@pytest.mark.parametrize(
    "brought",
    [LONG.format("reply", "eval"), LONG.format("answer", "eval"), LONG.format("answer", "eval").replace("5)", "6)")],
    ids=["long text in another definition", "the same definition", "the same one with an edit"],
)
def test_nor_in_another_file_however_much_of_it_is_the_same(product: Product, git: Git, brought: str) -> None:
    git.commit({"old.py": LONG.format("answer", "eval")})
    git("checkout", "--quiet", "-b", "topic")
    git.commit({"old.py": LONG.format("answer", "int"), "new.py": brought})
    document = product.run(git.root, changed_since="main")
    assert (outcome(document), states(document)) == (Outcome.FAIL, ["new"])


@pytest.mark.parametrize("path", ["old.py", "other.py"])
def test_a_definition_that_was_moved_or_renamed_is_not_new(product: Product, change: Git, path: str) -> None:
    (change.root / "old.py").unlink()
    change.commit({path: "import os\n\n\n" + (ELSEWHERE if path == "old.py" else WEAK)})
    document = product.run(change.root, changed_since="main")
    assert (outcome(document), states(document)) in ((Outcome.PASS, ["updated"]), (Outcome.PASS, ["unchanged"]))


def test_an_old_finding_in_a_renamed_file_is_not_new(product: Product, change: Git) -> None:
    change("mv", "old.py", "kept.py")
    change.commit()
    document = product.run(change.root, changed_since="main")
    assert (outcome(document), State.NEW.value in states(document)) == (Outcome.PASS, False)


def test_a_second_copy_of_an_old_finding_is_new(product: Product, change: Git) -> None:
    change.commit({"old.py": WEAK + "\n\ndef more(text):\n    return eval(text)\n"})
    document = product.run(change.root, changed_since="main")
    assert (outcome(document), states(document)) == (Outcome.FAIL, ["new", "unchanged"])


def test_a_newer_tool_makes_nothing_old_new(product: Product, change: Git) -> None:
    change.commit({"old.py": "import os\n" + WEAK + "print(text)\n"})
    product.run(change.root, changed_since="main")
    product.tool("semgrep", version="1.183.0", sees=["eval(", "print("])
    document = product.run(change.root, changed_since="main")
    assert states(document) == ["new", "unchanged"], "only the line that the change adds is new"


def test_edits_that_are_not_committed_count(product: Product, change: Git) -> None:
    change.write({"fresh.py": WEAK})
    document = product.run(change.root, changed_since="main")
    assert (outcome(document), document.target.dirty) == (Outcome.FAIL, True)


def test_a_secret_added_and_removed_inside_a_change_still_fails(product: Product, change: Git) -> None:
    added = change.commit({"settings.py": f'key = "{KEY}"\n'})
    change.commit({"settings.py": 'key = ""\n'})
    document = product.run(change.root, changed_since="main")
    assert outcome(document) is Outcome.FAIL
    assert [(f.location.path, f.location.commit) for f in document.findings] == [("settings.py", added)]


def test_a_rewritten_branch_without_the_secret_passes(product: Product, change: Git) -> None:
    change.commit({"settings.py": f'key = "{KEY}"\n'})
    change("reset", "--quiet", "--hard", "main")
    change.commit({"settings.py": 'key = ""\n'})
    assert outcome(product.run(change.root, changed_since="main")) is Outcome.PASS


def test_a_secret_of_a_subdirectory_elsewhere_does_not_hide(product: Product, change: Git) -> None:
    change.commit({"other/settings.py": f'key = "{KEY}"\n', "service/app.py": CLEAN})
    assert outcome(product.run(change.root / "other", changed_since="main")) is Outcome.FAIL


def test_another_secret_in_the_place_of_an_old_one_is_new(product: Product, git: Git) -> None:
    git.commit({"settings.py": f'key = "{KEY}"\n'})
    git("checkout", "--quiet", "-b", "topic")
    git.commit({"settings.py": f'key = "{OTHER_KEY}"\n'})
    document = product.run(git.root, changed_since="main")
    assert (outcome(document), states(document)) == (Outcome.FAIL, ["new"])


def test_a_change_that_takes_an_old_secret_out_in_two_steps_passes(product: Product, git: Git) -> None:
    git.commit({"settings.py": f'key = "{KEY}"\n'})
    git("checkout", "--quiet", "-b", "topic")
    git.commit({"settings.py": f'key = "{KEY}"\nlimit = 3\n'})
    git.commit({"settings.py": "limit = 3\n"})
    document = product.run(git.root, changed_since="main")
    assert (outcome(document), document.findings) == (Outcome.PASS, ())
