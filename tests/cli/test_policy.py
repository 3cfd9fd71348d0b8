"""`secgate policy lint`, `list` and `test` as their users call them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.product import Ended, Product, tree

RULE = """package secgate.rules.no_pickle

deny contains {"finding": f.fingerprint, "reason": "no pickles"} if {
	some f in input.findings
	f.weakness == "unsafe-deserialisation"
}
"""
TESTS = """package secgate.tests.no_pickle

import data.secgate.rules.no_pickle
import data.secgate.tests.facts

given(weakness) := facts.document({}, {"findings": [facts.finding({"weakness": weakness})]})

test_denies if count(no_pickle.deny) == 1 with input as given("unsafe-deserialisation")

test_allows if count(no_pickle.deny) == 0 with input as given("sql-injection")
"""
WARN = '\nwarn contains {"run": true, "reason": "dirty"} if input.run.dirty\n'
GOOD = {"no_pickle.rego": RULE, "no_pickle_test.rego": TESTS}


@pytest.fixture
def own(product: Product) -> Path:
    return tree(product.home / "own", GOOD)


def told(ended: Ended, code: int) -> dict[str, Any]:
    assert ended.code == code, ended
    whole: dict[str, Any] = json.loads(ended.data)["told"]
    return whole


def with_opa(product: Product) -> None:
    opa = shutil.which("opa")
    if opa is None:
        pytest.skip("no opa on PATH")
    Path(product.env["PATH"].split(":")[0], "opa").symlink_to(opa)


def test_what_is_right_has_no_fault(product: Product, own: Path) -> None:
    ended = product.cli("policy", "lint", own.name)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("no fault: repository layer, 2 modules, by secgate with regorus ")


def test_every_fault_is_given_with_its_place_and_a_remedy(product: Product, own: Path) -> None:
    wrong = RULE.replace("f.weakness", "f.weaknes") + "\ndney contains 1 if input.run.drty\n"
    tree(own, {"no_pickle.rego": wrong})
    faults = told(product.cli("policy", "lint", "own", "--format=json"), 4)["faults"]
    assert [(one["place"], one["by"]) for one in faults] == [
        ("own/no_pickle.rego:5:4", "secgate"),
        ("own/no_pickle.rego:8:1", "secgate"),
        ("own/no_pickle.rego:8:30", "secgate"),
    ]
    assert [one["remedy"] for one in faults] == [
        "did you mean `weakness`?",
        "did you mean `deny`?",
        "did you mean `dirty`?",
    ]
    text = product.cli("policy", "lint", "own").out
    assert max(map(len, text.splitlines())) <= 80
    assert "try: did you mean `weakness`?" in text


def test_what_the_engine_would_not_take_is_told_without_opa(product: Product, own: Path) -> None:
    tree(own, {"no_pickle.rego": RULE.replace("f.weakness", "weakness")})
    (fault,) = told(product.cli("policy", "lint", "own", "--format=json"), 4)["faults"]
    assert (fault["place"].rpartition(":")[0], fault["by"]) == ("own/no_pickle.rego:5", "secgate")
    assert "undefined variable `weakness`" in fault["what"]


def test_lint_names_our_limit_for_a_module_that_is_too_large(product: Product, own: Path) -> None:
    (own / "large.rego").write_text(RULE.replace("no_pickle", "large") + "#" * 1_100_000)
    (fault,) = told(product.cli("policy", "lint", "own", "--format=json"), 4)["faults"]
    assert (fault["place"], "bytes, and 262144 are allowed" in fault["what"]) == ("own/large.rego", True)


def test_every_module_that_does_not_parse_is_told(product: Product, own: Path) -> None:
    tree(own, {"a.rego": "package secgate.rules.a\ndeny contains {\n", "b_test.rego": "package\n"})
    faults = told(product.cli("policy", "lint", "own", "--format=json"), 4)["faults"]
    assert [one["place"].split(":")[0] for one in faults] == ["own/a.rego", "own/b_test.rego"]


def test_opa_looks_too_where_it_is(product: Product, own: Path) -> None:
    with_opa(product)
    assert " and opa-eval 1." in product.cli("policy", "lint", "own").out.replace("\n", " ")
    tree(own, {"no_pickle.rego": RULE.replace("f.weakness", "f.weaknes")})
    faults = told(product.cli("policy", "lint", "own", "--format=json"), 4)["faults"]
    assert {one["by"] for one in faults} == {"secgate", "opa"}
    assert {one["place"].rpartition(":")[0] for one in faults} == {"own/no_pickle.rego:5"}


@pytest.mark.usefixtures("own")
def test_tests_pass_and_every_rule_is_tested(product: Product) -> None:
    done = told(product.cli("policy", "test", "own", "--format=json"), 0)
    assert [(one["name"], one["passed"]) for one in done["tests"]] == [
        ("data.secgate.tests.no_pickle.test_allows", True),
        ("data.secgate.tests.no_pickle.test_denies", True),
    ]
    (rule,) = done["rules"]
    assert (rule["place"], rule["lines"], rule["reached"], rule["tested"]) == ("own/no_pickle.rego:3", 3, 3, True)


def test_a_test_that_fails_is_exit_1_with_its_place(product: Product, own: Path) -> None:
    tree(own, {"no_pickle_test.rego": TESTS.replace("== 0", "== 1")})
    ended = product.cli("policy", "test", "own")
    assert ended.code == 1
    assert "FAIL  secgate.tests.no_pickle.test_allows\n        own/no_pickle_test.rego:10:1" in ended.out


def test_a_rule_that_no_test_would_miss_is_exit_1(product: Product, own: Path) -> None:
    looks = '\ntest_looks if count(no_pickle.warn) >= 0 with input as facts.document({"dirty": true}, {})\n'
    tree(own, {"no_pickle.rego": RULE + WARN, "no_pickle_test.rego": TESTS + looks})
    done = told(product.cli("policy", "test", "own", "--format=json"), 1)
    assert [(one["word"], one["reached"] > 0, one["tested"]) for one in done["rules"]] == [
        ("deny", True, True),
        ("warn", True, False),
    ]
    assert "UNTESTED no_pickle warn" in product.cli("policy", "test", "own").out


def test_no_test_at_all_is_exit_1(product: Product, own: Path) -> None:
    (own / "no_pickle_test.rego").unlink()
    ended = product.cli("policy", "test", "own")
    assert ended.code == 1
    assert "FAILED: there is no test" in ended.out


def test_one_that_cannot_be_evaluated_takes_no_other_with_it(product: Product, own: Path) -> None:
    tree(own, {"no_pickle_test.rego": TESTS + '\ntest_breaks if to_number("x") == 1\n'})
    done = told(product.cli("policy", "test", "own", "--format=json"), 1)
    assert {one["name"].rpartition(".")[2]: one["passed"] for one in done["tests"]} == {
        "test_allows": True,
        "test_breaks": False,
        "test_denies": True,
    }
    assert all(one["tested"] for one in done["rules"])


def test_policies_that_do_not_load_are_exit_4(product: Product, own: Path) -> None:
    tree(own, {"no_pickle.rego": RULE.replace("f.weakness", "f.weaknes")})
    ended = product.cli("policy", "test", "own")
    assert (ended.code, ended.out) == (4, "")
    assert "own/no_pickle.rego:5:4: there is no field `weaknes` here" in ended.err


@pytest.mark.usefixtures("own")
def test_tests_run_in_other_engines(product: Product, opa_server: str) -> None:
    with_opa(product)
    every = [f"--engine={name}" for name in ("regorus", "opa-eval", "opa")]
    ended = product.cli("policy", "test", "own", *every, "--format=json", SECGATE_OPA_ADDRESS=opa_server)
    done = told(ended, 0)
    assert [one["engine"] for one in done["tests"]] == [
        name for name in ("regorus", "opa-eval", "opa") for _ in range(2)
    ]


def test_an_organisations_layer_is_known_by_its_settings(product: Product) -> None:
    data = json.dumps({"frozen": {"paths": ["billing/"]}})
    rule = RULE.replace('f.weakness == "unsafe-deserialisation"', "f.path in data.frozen.paths")
    tree(
        product.home / "org", {"enforced.toml": "version = 1\n", "policies/frozen.rego": rule, "data/frozen.json": data}
    )
    ended = product.cli("policy", "lint", "org")
    assert ended.code == 0, ended
    assert ended.out.startswith("no fault: organisation layer, 1 module")


@pytest.mark.usefixtures("own")
def test_without_a_folder_the_settings_say_which(product: Product) -> None:
    assert product.cli("policy", "lint").code == 2
    tree(product.home, {"secgate.toml": 'version = 1\npolicies = ["own"]\n'})
    assert product.cli("policy", "lint").code == 0
    assert product.cli("policy", "test").code == 0


def test_the_shipped_layer_passes_its_own_tests(product: Product) -> None:
    done = told(product.cli("policy", "test", "--layer=shipped", "--format=json"), 0)
    assert all(one["tested"] for one in done["rules"])
    assert {one["word"] for one in done["rules"]} >= {"deny", "inconclusive", "warn", "obligations"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("lint", "nowhere"), "there is no policy in this folder"),
        (("test", "bare"), "there is no policy in this folder"),
        (("lint", "own", "--layer=shipped"), "the shipped layer has no folder of yours"),
        (("lint", "linked"), "a link stands among the policies"),
        (("test", "own", "--engine=opa-eval"), "there is no opa on PATH"),
    ],
)
def test_what_cannot_be_looked_at_is_said(product: Product, own: Path, words: tuple[str, ...], said: str) -> None:
    (product.home / "bare").mkdir()
    (product.home / "linked").mkdir()
    (product.home / "linked" / "out.rego").symlink_to(own / "no_pickle.rego")
    ended = product.cli("policy", *words)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err


@pytest.mark.usefixtures("own")
def test_list_says_what_judges_and_what_is_off(product: Product) -> None:
    tree(product.home / "org", {"enforced.toml": 'version = 1\ndisabled_rules = ["secrets_in_change"]\n'})
    tree(product.home / "tree", {"secgate.toml": 'version = 1\npolicies = ["pol"]\n', "pol/no_pickle.rego": RULE})
    words = ("policy", "list", "--path=tree", "--enforced=org")
    listed = told(product.cli(*words, "--format=json"), 0)
    assert [layer["name"] for layer in listed["layers"]] == ["shipped", "repository"]
    off = [rule["package"] for layer in listed["layers"] for rule in layer["rules"] if rule["off"]]
    assert off == ["secgate.rules.secrets_in_change"]
    assert listed["data"]["limits"] == "shipped"
    assert "SWITCHED OFF by the enforced layer" in product.cli(*words).out
