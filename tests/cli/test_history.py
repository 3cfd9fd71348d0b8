"""`secgate history` and `secgate diff` on whole runs."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import Any

import pytest

from tests.pages import too_wide
from tests.product import CLEAN, WEAK, Ended, Product
from tests.unit.conftest import Git


def gate(product: Product, git: Git) -> dict[str, Any]:
    ended = product.cli("run", str(git.root), "--scope=protected", "--ref=refs/heads/main", "--format=json")
    run: dict[str, Any] = json.loads(ended.data)["run"]
    return run


def ask(product: Product, git: Git, *words: str) -> Ended:
    return product.cli(*words, "--path", str(git.root))


@pytest.fixture
def weak(product: Product, git: Git) -> dict[str, Any]:
    """One recorded run with one weakness."""
    git.commit({"app.py": WEAK})
    return gate(product, git)


def told(ended: Ended) -> dict[str, Any]:
    assert ended.code == 0, ended
    whole: dict[str, Any] = json.loads(ended.data)["told"]
    return whole


def test_history_tells_clock_duty_author_and_each_run(product: Product, git: Git, weak: dict[str, Any]) -> None:
    git.commit({"app.py": "\n\n" + WEAK})
    gate(product, git)
    story = told(ask(product, git, "history", weak["findings"][0]["fingerprint"][:10], "--format=json"))
    assert [sight["state"] for sight in story["sights"]] == ["new", "unchanged"]
    assert [(one["name"], one["lines"]) for one in story["authors"]] == [("Ada", 1)]
    assert story["clocks"][0]["due_epoch_s"] == story["clocks"][0]["first_seen_epoch_s"] + 7 * 86400
    assert (story["waived"], story["start_line"]) == (None, 4)


def test_history_follows_a_renamed_file_by_its_old_fingerprint(
    product: Product, git: Git, weak: dict[str, Any]
) -> None:
    git("mv", "app.py", "moved.py")
    git.commit()
    gate(product, git)
    story = told(ask(product, git, "history", weak["findings"][0]["fingerprint"], "--format=json"))
    assert [sight["path"] for sight in story["sights"]] == ["app.py", "moved.py"]
    assert len(story["clocks"]) == 1


def test_no_name_of_an_author_is_in_an_entry_of_the_ledger(product: Product, git: Git, weak: dict[str, Any]) -> None:
    git("commit", "--amend", "--quiet", "--no-edit", "--author=Grace Zebulon <g@example.org>")
    gate(product, git)
    page = ask(product, git, "history", weak["findings"][0]["fingerprint"]).out
    with closing(sqlite3.connect(git.root / ".git" / "secgate" / "ledger.sqlite")) as ledger:
        entries = b"".join(row[0] for row in ledger.execute("SELECT data FROM entry"))
    assert ("Grace Zebulon" in page, b"Zebulon" in entries, len(entries) > 1000) == (True, False, True)


def test_a_finding_of_a_local_run_has_a_history_and_no_clock(product: Product, git: Git) -> None:
    git.commit({"app.py": WEAK})
    product.cli("run", str(git.root))
    run = json.loads(ask(product, git, "show", "--format=json").data)["run"]
    page = ask(product, git, "history", run["findings"][0]["fingerprint"][:8])
    assert (page.code, "none: no protected run recorded it" in page.out) == (0, True)


def test_diff_tells_new_and_gone(product: Product, git: Git, weak: dict[str, Any]) -> None:
    git.commit({"app.py": CLEAN, "other.py": "def other(words):\n    return eval(words)\n"})
    after = gate(product, git)
    ended = ask(product, git, "diff", weak["run_id"], after["run_id"], "--format=json")
    found = told(ended)
    assert [one["now"]["path"] for one in found["new"]] == ["other.py"]
    assert [one["then"]["path"] for one in found["gone"]] == ["app.py"]


def test_diff_tells_that_a_tool_was_renewed(product: Product, git: Git, weak: dict[str, Any]) -> None:
    product.tool("bandit", version="1.9.5")
    after = gate(product, git)
    found = told(ask(product, git, "diff", weak["run_id"], after["run_id"], "--format=json"))
    assert ("bandit version", "1.9.4", "1.9.5") in [(one["what"], one["then"], one["now"]) for one in found["tools"]]
    assert (found["unchanged"], found["new"], found["gone"]) == (1, [], [])


def test_both_pages_fit_80_columns(product: Product, git: Git, weak: dict[str, Any]) -> None:
    git.commit({"app.py": CLEAN, f"{'deep/' * 20}other.py": WEAK})
    after = gate(product, git)
    pages = [ask(product, git, "diff", weak["run_id"], after["run_id"])]
    pages += [ask(product, git, "history", run["findings"][0]["fingerprint"]) for run in (weak, after)]
    assert [page.code for page in pages] == [0, 0, 0]
    assert [too_wide(page.out) for page in pages] == [[], [], []]


@pytest.mark.parametrize("words", [("history", "zz"), ("history", " "), ("diff", "1999", "1998")])
def test_what_is_not_there_is_a_usage_error_with_a_remedy(
    product: Product, git: Git, weak: dict[str, Any], words: tuple[str, ...]
) -> None:
    assert weak["findings"]
    ended = ask(product, git, *words)
    assert (ended.code, ended.out, "try: " in ended.err) == (2, "", True)


def test_without_a_name_each_says_what_can_be_named(product: Product, git: Git, weak: dict[str, Any]) -> None:
    known = weak["findings"][0]["fingerprint"][:12]
    for words in (("history",), ("explain",), ("history", " "), ("explain", "")):
        ended = ask(product, git, *words)
        assert (ended.code, ended.out, "give a fingerprint" in ended.err, known in ended.err) == (2, "", True, True)
    for words in (("diff",), ("diff", weak["run_id"])):
        ended = ask(product, git, *words)
        assert (ended.code, ended.out, f"the latest are: {weak['run_id']}" in ended.err) == (2, "", True)


def test_a_start_of_two_runs_is_refused(product: Product, git: Git, weak: dict[str, Any]) -> None:
    gate(product, git)
    ended = ask(product, git, "diff", weak["run_id"][:2], weak["run_id"])
    assert (ended.code, "2 runs start with" in ended.err) == (2, True)


def test_without_a_ledger_both_say_how_to_get_one(product: Product, git: Git) -> None:
    git.commit({"app.py": WEAK})
    for words in (("history", "aa"), ("history",), ("diff", "2", "3"), ("diff",)):
        ended = ask(product, git, *words)
        assert (ended.code, "secgate run records one" in ended.err) == (2, True)


def test_a_damaged_ledger_is_exit_5(product: Product, git: Git, weak: dict[str, Any]) -> None:
    (git.root / ".git" / "secgate" / "ledger.sqlite").write_bytes(b"not a ledger" * 100)
    assert ask(product, git, "history", weak["findings"][0]["fingerprint"]).code == 5


def test_output_goes_to_a_file(product: Product, git: Git, weak: dict[str, Any]) -> None:
    file = product.home / "story.txt"
    ended = ask(product, git, "history", weak["findings"][0]["fingerprint"], "-o", str(file))
    assert (ended.code, ended.out, "Recorded runs (1)" in file.read_text()) == (0, "", True)
