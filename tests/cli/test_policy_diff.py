"""`secgate policy diff` on recorded runs."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.product import CLEAN, WEAK, Ended, Product, tree
from tests.unit.conftest import Git

NO_EVAL = """package secgate.rules.no_eval

deny contains {"finding": f.fingerprint, "reason": "no eval here"} if {
	some f in input.findings
	f.weakness == "code-injection"
}
"""
RARE = NO_EVAL.replace('"code-injection"', '"xpath-injection"')


def gate(product: Product, git: Git, *words: str) -> dict[str, Any]:
    ended = product.cli("run", str(git.root), "--scope=protected", "--ref=refs/heads/main", "--format=json", *words)
    run: dict[str, Any] = json.loads(ended.data)["run"]
    return run


def diff(product: Product, git: Git, old: str, new: str, *words: str) -> Ended:
    return product.cli("policy", "diff", old, new, "--path", str(git.root), *words)


def told(ended: Ended) -> dict[str, Any]:
    assert ended.code == 0, ended
    whole: dict[str, Any] = json.loads(ended.data)["told"]
    return whole


@pytest.fixture
def runs(product: Product, git: Git) -> list[dict[str, Any]]:
    """Two recorded runs: a weakness within its time, then none."""
    git.commit({"app.py": WEAK})
    first = gate(product, git)
    git.commit({"app.py": CLEAN})
    return [first, gate(product, git)]


def test_a_new_rule_changes_the_run_that_it_speaks_of(product: Product, git: Git, runs: list[dict[str, Any]]) -> None:
    weakness = runs[0]["findings"][0]["weakness"]
    tree(product.home / "stricter", {"no_eval.rego": NO_EVAL.replace("code-injection", weakness)})
    found = told(diff(product, git, "current", "stricter", "--format=json"))
    assert (found["runs"], found["untold"]) == (2, [])
    (run,) = found["changed"]
    assert (run["run_id"], run["old"], run["new"]) == (runs[0]["run_id"], "pass", "fail")
    (verdict,) = run["verdicts"]
    assert (verdict["subject"], verdict["old"], verdict["new"]) == ("finding", "allow", "deny")
    assert verdict["id"] == runs[0]["findings"][0]["fingerprint"]
    assert verdict["new_rule"] == "data.secgate.rules.no_eval"
    text = diff(product, git, "current", "stricter").out
    assert "pass -> fail" in text
    assert "allow -> deny: finding " in text
    assert text.rstrip().endswith("1 of 2 would change, 1 of them in their outcome")
    assert max(map(len, text.splitlines())) <= 80


def test_what_was_recorded_is_what_the_same_policies_say_again(
    product: Product, git: Git, runs: list[dict[str, Any]]
) -> None:
    kept = runs[0]["decision"]["policies_digest"]
    for old, new in (("recorded", "current"), ("recorded", kept[:12]), (kept, "current")):
        assert told(diff(product, git, old, new, "--format=json"))["changed"] == []


def test_policies_that_were_kept_judge_again(product: Product, git: Git, runs: list[dict[str, Any]]) -> None:
    weakness = runs[0]["findings"][0]["weakness"]
    tree(product.home / "stricter", {"no_eval.rego": NO_EVAL.replace("code-injection", weakness)})
    strict = gate(product, git, "--policy", str(product.home / "stricter"))["decision"]["policies_digest"]
    found = told(diff(product, git, "recorded", strict, "--format=json"))
    assert [run["run_id"] for run in found["changed"]] == [runs[0]["run_id"]]


@pytest.mark.usefixtures("runs")
def test_a_folder_of_a_commit(product: Product, git: Git) -> None:
    git.commit({"pol/rare.rego": RARE, "org/enforced.toml": 'version = 1\ndisabled_rules = ["gate_changes"]\n'})
    git.commit({"org/policies/all.rego": NO_EVAL.replace('f.weakness == "code-injection"', "f.line > 0")})
    assert told(diff(product, git, "current", "HEAD:pol", "--format=json"))["changed"] == []
    assert len(told(diff(product, git, "current", "HEAD:org", "--format=json"))["changed"]) == 1


def test_runs_before_a_date_are_left_out(product: Product, git: Git, runs: list[dict[str, Any]]) -> None:
    assert told(diff(product, git, "recorded", "current", "--since=2099-01-01", "--format=json"))["runs"] == 0
    assert told(diff(product, git, "recorded", "current", "--since=2020-01-01", "--format=json"))["runs"] == len(runs)


def test_facts_that_were_erased_are_said(product: Product, git: Git, runs: list[dict[str, Any]]) -> None:
    (ledger,) = Path(git.root).rglob("ledger.sqlite")
    with closing(sqlite3.connect(ledger)) as database, database:
        digest = runs[0]["decision"]["input_digest"]
        gone = database.execute("DELETE FROM blob WHERE digest = ?", (digest,))
        assert gone.rowcount == 1
    found = told(diff(product, git, "recorded", "current", "--format=json"))
    assert [one["run_id"] for one in found["untold"]] == [runs[0]["run_id"]]
    assert "is not in the ledger" in found["untold"][0]["reason"]
    assert "1 run could not be judged again" in diff(product, git, "recorded", "current").out


@pytest.mark.usefixtures("runs")
def test_a_side_that_cannot_decide_is_an_outcome(product: Product, git: Git) -> None:
    tree(
        product.home / "org",
        {"enforced.toml": "version = 1\n", "data/profiles.json": json.dumps({"profiles": {"version": 1, "named": {}}})},
    )
    (run, _) = told(diff(product, git, "recorded", "org", "--format=json"))["changed"]
    assert (run["old"], run["new"]) == ("pass", "policy-error")
    assert run["error"].startswith("org: there is no profile")


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("current", "nothing"), 2, "`nothing` names no policies"),
        (("current", "HEAD:nowhere"), 2, "there is no policy in this folder of the commit"),
        (("0" * 64, "current"), 2, "names no policies"),
        (("current", "recorded", "--since=yesterday"), 2, "`yesterday` is no date"),
        (("current", "typo"), 4, "there is no field `weaknes`"),
    ],
)
def test_what_cannot_be_compared_is_said(
    product: Product, git: Git, words: tuple[str, ...], code: int, said: str
) -> None:
    tree(product.home / "typo", {"no_eval.rego": NO_EVAL.replace("f.weakness", "f.weaknes")})
    ended = diff(product, git, *words)
    assert (ended.code, ended.out) == (code, "")
    assert said in ended.err


def test_without_a_run_there_is_nothing_to_compare(product: Product, git: Git) -> None:
    git.commit({"app.py": CLEAN})
    ended = diff(product, git, "recorded", "current")
    assert ended.code == 2
    assert "no run was recorded" in ended.err
