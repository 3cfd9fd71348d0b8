"""`secgate explain` on whole runs: why, where it is written, on what, whose it is, and how to get to green."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest

from tests.cli.test_history import ask, gate, told
from tests.product import CLEAN, KEY, WEAK, Product, tree
from tests.unit.conftest import Git

FROZEN = """# Nothing weak goes out in winter.
package secgate.rules.frozen

warn contains {"run": true, "reason": "it is cold"} if input.run.scope == "protected"

deny contains {"finding": f.fingerprint, "reason": "frozen", "remedy": "wait for spring"} if {
	some f in input.findings
	f.lane == "sast"
}
"""


def change(product: Product, git: Git, files: dict[str, str]) -> dict[str, Any]:
    """Run for a change that brings these files, and give its stored document."""
    git.commit({"base.py": CLEAN, "CODEOWNERS": "*.py @acme/shop ada@example.org\n"})
    git("switch", "--quiet", "-c", "feature")
    git.commit(files)
    ended = product.cli("run", str(git.root), "--changed-since", "main", "--format=json")
    whole: dict[str, Any] = json.loads(ended.data)
    return whole


def test_a_denied_finding(product: Product, git: Git) -> None:
    whole = change(product, git, {"app.py": WEAK})
    name = whole["run"]["findings"][0]["fingerprint"]
    page = ask(product, git, "explain", name[:9])
    assert page.code == 0
    for words in (
        "DENY: ",
        "app.py:2",
        "written policies/rego/rules/new_critical_or_high.rego:",
        "given severity high; new; in a local run; the limits deny new critical, high",
        "owner @acme/shop CODEOWNERS:1",
        "as it is here: @acme/shop, ada@example.org",
        "no clock runs: only protected runs start clocks",
        f"secgate waiver request {name[:12]} --kind accept --run \\",
    ):
        assert words in " ".join(page.out.split()), page.out
    assert max(map(len, page.out.splitlines())) <= 80
    found = told(ask(product, git, "explain", name, "--format=json"))
    assert (found["version"], found["word"], found["profile"], found["owner"]) == (
        *(1, "deny", "pull-request"),
        "@acme/shop CODEOWNERS:1",
    )
    assert {part["part"]: part["same"] for part in found["policy"]} == {"data": True, "shipped": True}
    (blocked,) = whole["blocked"]
    assert {key: found[key] for key in ("id", "said", "ways", "clock")} == {
        key: blocked[key] for key in ("id", "said", "ways", "clock")
    }


def test_the_waiver_line_is_taken_by_the_shell_and_by_secgate(product: Product, git: Git) -> None:
    whole = change(product, git, {"app.py": WEAK})
    (command,) = [way["command"] for way in whole["blocked"][0]["ways"] if way["command"]]
    words = shlex.split(command)
    assert words[:3] == ["secgate", "waiver", "request"]
    ended = product.cli(*words[1:], cwd=git.root)
    # The line itself is understood: what is missing is somebody who may speak.
    assert (ended.code, "Usage:" in ended.err, "people.toml" in ended.err) == (2, False, True), ended


def test_the_clock_in_words(product: Product, git: Git, weak_run: dict[str, Any]) -> None:
    found = told(ask(product, git, "explain", weak_run["findings"][0]["fingerprint"], "--format=json"))
    gate(product, git)
    duty, standing = found["clock"]
    assert duty.startswith("severity:high: ")
    assert " + 7 d = " in duty
    assert standing.endswith(("7 d of 7 d left", "6 d 23 h of 7 d left"))
    assert found["word"] == "allow"
    again = told(ask(product, git, "explain", weak_run["findings"][0]["fingerprint"], "--format=json"))
    assert again["clock"][0].startswith("first seen ")
    assert again["clock"][1] == duty


@pytest.fixture
def weak_run(product: Product, git: Git) -> dict[str, Any]:
    git.commit({"app.py": WEAK})
    return gate(product, git)


def test_what_the_latest_run_did_not_see_is_told_apart_from_what_nobody_knows(
    product: Product, git: Git, weak_run: dict[str, Any]
) -> None:
    name = weak_run["findings"][0]["fingerprint"]
    git.commit({"app.py": CLEAN})
    later = gate(product, git)
    ended = ask(product, git, "explain", name[:10])
    assert (ended.code, f"the run {later['run_id']} did not see" in ended.err) == (2, True)
    assert ask(product, git, "explain", name[:10], "--run", weak_run["run_id"]).code == 0


def test_nor_is_what_only_an_earlier_run_without_a_clock_saw_known_to_nobody(product: Product, git: Git) -> None:
    git.commit({"app.py": WEAK, "sub/a.py": CLEAN})
    product.cli("run", str(git.root))
    (finding,) = json.loads(ask(product, git, "show", "--format=json").data)["run"]["findings"]
    product.cli("run", str(git.root / "sub"))
    ended = ask(product, git, "explain", finding["fingerprint"][:10])
    assert (ended.code, f"did not see {finding['fingerprint'][:12]}" in ended.err) == (2, True)
    assert "no recorded finding" in ask(product, git, "explain", "zz").err


def test_another_policy_than_the_one_that_decided_is_said(product: Product, git: Git) -> None:
    git.commit({"app.py": WEAK})
    organisation = tree(product.home / "organisation", {"policies/frozen.rego": FROZEN})
    words = ("--enforced", str(organisation))
    product.cli("run", str(git.root), *words)
    before = ask(product, git, "explain", "frozen", *words)
    assert "Nothing weak goes out in winter." in before.out
    assert "deny: policies/frozen.rego:6 (organisation layer)" in before.out
    (organisation / "policies/frozen.rego").write_text(FROZEN.replace('"sast"', '"iac"'))
    name = json.loads(ask(product, git, "show", "--format=json", *words).data)["run"]["findings"][0]["fingerprint"]
    page = ask(product, git, "explain", name, *words)
    assert "wait for spring" in page.out
    assert "The policy is another one now" in page.out
    parts = {part["part"]: part["same"] for part in told(ask(product, git, "explain", name, "--format=json"))["policy"]}
    assert (parts["organisation"], parts["enforced layer"], parts["shipped"]) == (False, False, True)


def test_a_lane_that_is_not_covered_says_what_closes_it(product: Product, git: Git) -> None:
    git.commit({"app.py": CLEAN, "b.py": CLEAN})
    product.without("semgrep")
    product.run(git.root)
    page = ask(product, git, "explain", "sast")
    assert "INCONCLUSIVE: the lane sast" in page.out
    assert "semgrep" in page.out
    assert "coverage.rego:" in page.out
    assert "Not looked at\n  - semgrep is not installed" in page.out
    found = told(ask(product, git, "explain", "sast", "--format=json"))
    assert [way["command"].split()[:3] for way in found["ways"] if way["kind"] == "waiver"] == [
        ["secgate", "coverage", "waive"]
    ]


def test_names_of_files_cannot_break_out_of_a_command(product: Product, git: Git) -> None:
    git.commit({"$(touch pwned) '*.py": "def a(:\n", "a\nb.py": "def b(:\n", "c.py": CLEAN})
    product.run(git.root)
    ways = told(ask(product, git, "explain", "sast", "--format=json"))["ways"]
    commands = [shlex.split(way["command"]) for way in ways if way["command"]]
    assert [words[-1] for words in commands] == ["$(touch pwned) '\\*.py"]
    assert any("no command can show" in way["text"] for way in ways)


def test_a_secret_without_the_organisations_key_has_no_waiver_line(product: Product, git: Git) -> None:
    whole = change(product, git, {"settings.py": f'key = "{KEY}"\n'})
    (found,) = whole["blocked"]
    assert [way for way in found["ways"] if way["command"]] == []
    assert any("SECGATE_SECRET_KEY" in way["text"] for way in found["ways"])


def test_a_staged_run_is_explained_although_no_ledger_holds_it(product: Product, git: Git) -> None:
    git.commit({"app.py": CLEAN})
    git.write({"app.py": WEAK})
    git("add", "app.py")
    run = json.loads(product.cli("run", str(git.root), "--staged", "--format=json").data)["run"]
    found = told(ask(product, git, "explain", run["findings"][0]["fingerprint"][:8], "--format=json"))
    assert (found["word"], found["run_id"]) == ("deny", run["run_id"])
    assert any("in no ledger" in way["text"] for way in found["ways"])
    kept = next((product.state / "last-runs").iterdir())
    assert kept.stat().st_mode & 0o077 == 0


def test_without_a_ledger_the_last_run_is_explained(product: Product, git: Git) -> None:
    git.commit({"app.py": WEAK})
    product.env["SECGATE_LEDGER_STORE"] = "none"
    product.cli("run", str(git.root))
    assert told(ask(product, git, "explain", "run", "--format=json"))["word"] == "allow"


@pytest.mark.parametrize("word", ["", "zz", "nothing-like-it"])
def test_nonsense_is_a_clear_message(product: Product, git: Git, weak_run: dict[str, Any], word: str) -> None:
    ended = ask(product, git, "explain", word)
    assert (ended.code, "try: " in ended.err, weak_run["run_id"] in ended.out) == (2, True, False)


def test_before_any_run_it_says_so(product: Product, git: Git) -> None:
    git.commit({"app.py": CLEAN})
    ended = ask(product, git, "explain", "sast")
    assert (ended.code, "no run of this tree is known" in ended.err) == (2, True)
