"""Threat rules as whole runs: what a tree, a change, a tool or a ledger's holder may try, and what comes of it."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import zlib
from pathlib import Path

import pytest

from secgate.errors import LedgerError
from secgate.model import Outcome, RunDocument, encode
from secgate.pipeline import render
from tests.product import CLEAN, KEY, WEAK, Product, gaps, outcome, tree
from tests.unit.conftest import Git

PULL_REQUEST = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_EVENT_NAME": "pull_request",
    "GITHUB_BASE_REF": "main",
    "GITHUB_REF": "refs/pull/7/merge",
}
DENY_EVERYTHING = """package secgate.rules.frozen

deny contains {"run": true, "reason": "nothing goes out today", "remedy": "wait"} if {
	input.run.scope in {"local", "change", "protected"}
}
"""


def pull_request(product: Product, git: Git, *, fork: bool = False) -> None:
    """Make the machine one that runs for a pull request into main."""
    home = {"repo": {"full_name": "acme/shop"}}
    head = {"repo": {"full_name": "mallory/shop" if fork else "acme/shop"}}
    event = {"pull_request": {"user": {"login": "ada"}, "base": {"ref": "main", **home}, "head": head}}
    path = tree(product.home / "ci", {"event.json": json.dumps(event)}) / "event.json"
    product.env.update(PULL_REQUEST, GITHUB_EVENT_PATH=str(path), GITHUB_SHA=git("rev-parse", "HEAD"))


def notes_of(document: RunDocument) -> str:
    return " ".join(document.notes)


# ---------------------------------------------------------------------------------------------------------------- 1


def test_threat_01_tools_start_isolated_in_the_view(product: Product, tmp_path: Path) -> None:
    product.run(tree(tmp_path / "plain", {"bandit/__main__.py": "raise SystemExit(0)\n", "app.py": CLEAN}))
    assert [call[:3] for call in product.calls("bandit")] == [["-I", "-m", "bandit"]]
    assert [call[:3] for call in product.calls("detect-secrets")] == [["-I", "-m", "detect_secrets"]]


# ---------------------------------------------------------------------------------------------------------------- 2


@pytest.mark.parametrize(
    "settings",
    [
        'exclude = ["*.py"]\n',
        "[scanners.semgrep]\nenabled = false\n",
        "max_file_bytes = 1\n",
        '[ledger]\nstore = "none"\n',
    ],
)
def test_threat_02_a_changes_own_settings_are_not_obeyed(product: Product, git: Git, settings: str) -> None:
    git.commit({"app.py": CLEAN, "secgate.toml": ""})
    git("switch", "--quiet", "-c", "feature")
    git.commit({"app.py": WEAK, "secgate.toml": settings})
    pull_request(product, git)
    document = product.run(git.root)
    assert (outcome(document), document.target.scope.value) == (Outcome.FAIL, "change")
    assert document.target.gate_changes == ("secgate.toml",)
    assert document.ledger


def test_threat_02_a_change_cannot_take_a_policy_away(product: Product, git: Git) -> None:
    git.commit({"secgate.toml": 'policies = ["policy"]\n', "policy/frozen.rego": DENY_EVERYTHING})
    git("switch", "--quiet", "-c", "feature")
    git("rm", "--quiet", "-r", "policy")
    git.commit({"secgate.toml": "", "app.py": CLEAN})
    pull_request(product, git)
    document = product.run(git.root)
    assert outcome(document) is Outcome.FAIL
    assert set(document.target.gate_changes) == {"policy/frozen.rego", "secgate.toml"}
    assert b"this change edits what judges it" in render(document, "text", width=120, colour=False).data


def test_threat_02_a_change_does_not_choose_its_settings_by_option(product: Product, git: Git) -> None:
    git.commit({"app.py": CLEAN})
    git("switch", "--quiet", "-c", "feature")
    git.commit({"app.py": WEAK, "mine.toml": 'exclude = ["*.py"]\n'})
    pull_request(product, git)
    ended = product.cli("run", str(git.root), "--config", str(git.root / "mine.toml"))
    assert (ended.code, "does not choose its own settings" in ended.err) == (2, True)


def test_threat_02_the_enforced_layer_is_never_inside_the_tree(product: Product, git: Git) -> None:
    git.commit({"app.py": WEAK, "org/enforced.toml": 'mode = "observe"\n'})
    ended = product.cli("run", str(git.root), "--enforced", str(git.root / "org"))
    assert (ended.code, "inside the scanned tree" in ended.err) == (2, True)


# ---------------------------------------------------------------------------------------------------------------- 3


@pytest.fixture
def required(product: Product) -> str:
    """An organisation that requires a ledger, at a place of its own."""
    text = f'[ledger]\nrequired = true\npath = "{product.home}/kept/ledger.sqlite"\n'
    return str(tree(product.home / "organisation", {"enforced.toml": text}))


def test_threat_03_an_absent_ledger_is_an_error_where_one_is_required(
    product: Product, git: Git, required: str
) -> None:
    git.commit({"app.py": CLEAN})
    ended = product.cli("run", str(git.root), "--enforced", required)
    assert (ended.code, "secgate ledger init" in ended.err) == (5, True)
    assert not (product.home / "kept" / "ledger.sqlite").exists()


def test_threat_03_init_makes_it_and_runs_record_in_it(product: Product, git: Git, required: str) -> None:
    git.commit({"app.py": CLEAN})
    made = product.cli("ledger", "init", "--path", str(git.root), "--enforced", required)
    document = product.run(git.root, enforced=required)
    again = product.cli("ledger", "init", "--path", str(git.root), "--enforced", required)
    assert (made.code, outcome(document), document.provisional_clocks, again.code) == (0, Outcome.PASS, False, 5)


def test_threat_03_a_ledger_rolled_back_behind_its_checkpoint(product: Product, git: Git, required: str) -> None:
    git.commit({"app.py": WEAK})
    product.cli("ledger", "init", "--path", str(git.root), "--enforced", required)
    early = (product.home / "kept" / "ledger.sqlite").read_bytes()
    head = product.run(git.root, enforced=required, scope="protected").ledger_head
    assert head is not None
    with (Path(required) / "enforced.toml").open("a") as settings:
        settings.write(f'checkpoint_size = {head.size}\ncheckpoint_root = "{head.root}"\n')
    assert outcome(product.run(git.root, enforced=required)) is not Outcome.LEDGER_ERROR
    for leftover in (product.home / "kept").iterdir():
        leftover.unlink()
    (product.home / "kept" / "ledger.sqlite").write_bytes(early)
    with pytest.raises(LedgerError, match=r"had \d+ before"):
        product.run(git.root, enforced=required)


def test_threat_03_a_deleted_ledger_is_an_error_even_if_someone_makes_a_new_one(
    product: Product, git: Git, required: str
) -> None:
    git.commit({"app.py": CLEAN})
    product.run(git.root)
    shutil.copytree(git.root / ".git" / "secgate", product.home / "kept")
    with pytest.raises(LedgerError, match="made at first use"):
        product.run(git.root, enforced=required)


def test_threat_03_a_ledger_in_the_tree_is_refused(product: Product, git: Git) -> None:
    git.commit({"app.py": CLEAN})
    product.env["SECGATE_LEDGER_PATH"] = str(git.root / "ledger.sqlite")
    ended = product.cli("run", str(git.root))
    assert (ended.code, "inside the scanned tree" in ended.err) == (5, True)


def test_threat_03_a_change_cannot_switch_the_required_ledger_off(product: Product, git: Git) -> None:
    git.commit({"app.py": CLEAN, "secgate.toml": "[ledger]\nrequired = true\n"})
    git("switch", "--quiet", "-c", "feature")
    git.commit({"app.py": CLEAN + "\n", "secgate.toml": '[ledger]\nstore = "none"\n'})
    pull_request(product, git)
    with pytest.raises(LedgerError, match="required"):
        product.run(git.root)


def test_threat_03_staged_runs_never_write(product: Product, git: Git) -> None:
    git.commit({"app.py": CLEAN})
    git.write({"more.py": CLEAN})
    git("add", "more.py")
    document = product.run(git.root, staged=True)
    assert not (git.root / ".git" / "secgate").exists()
    assert "nothing was recorded" in notes_of(document)


def test_threat_03_forks_never_write(product: Product, git: Git) -> None:
    git.commit({"app.py": CLEAN})
    before = product.run(git.root).ledger_head
    git("switch", "--quiet", "-c", "feature")
    git.commit({"app.py": CLEAN + "\n"})
    pull_request(product, git, fork=True)
    document = product.run(git.root)
    assert (document.target.fork, document.ledger_head) == (True, before)


def test_threat_03_provisional_clocks_are_said(product: Product, git: Git) -> None:
    git.commit({"app.py": CLEAN})
    assert "clocks are provisional" in product.cli("run", str(git.root)).out


# ---------------------------------------------------------------------------------------------------------------- 4


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ("package secgate.lib.newness\n\nis_new(_) := false\n", "belongs to the shipped layer alone"),
        ("package secgate.main\n\ndecision := {}\n", "belongs to the shipped layer alone"),
        ("package secgate.rules.frozen\n\ndeny := set()\n", "not a set of elements"),
    ],
)
def test_threat_04_a_tree_redefines_nothing(product: Product, git: Git, policy: str, said: str) -> None:
    git.commit({"app.py": WEAK, "policy/a.rego": policy, "secgate.toml": 'policies = ["policy"]\n'})
    ended = product.cli("run", str(git.root))
    assert (ended.code, said in ended.err, "policy/a.rego" in ended.err) == (4, True, True)


def test_threat_04_a_tree_cannot_erase_the_organisations_deny(product: Product, git: Git) -> None:
    organisation = tree(product.home / "organisation", {"policies/frozen.rego": DENY_EVERYTHING})
    same_name = DENY_EVERYTHING.replace("input.run.scope in", "false\n\tinput.run.scope in")
    git.commit({"app.py": CLEAN, "policy/a.rego": same_name, "secgate.toml": 'policies = ["policy"]\n'})
    document = product.run(git.root, enforced=str(organisation))
    assert document.decision is not None
    denies = [(one.layer, one.rule) for one in document.decision.verdicts if one.word == "deny"]
    assert denies == [("organisation", "data.secgate.rules.frozen")]


def test_threat_04_a_tree_can_add_a_deny(product: Product, git: Git) -> None:
    git.commit({"app.py": CLEAN, "policy/a.rego": DENY_EVERYTHING, "secgate.toml": 'policies = ["policy"]\n'})
    assert outcome(product.run(git.root)) is Outcome.FAIL


# ---------------------------------------------------------------------------------------------------------------- 6


def test_threat_06_tool_configuration_and_comments_hide_nothing(product: Product, git: Git) -> None:
    git.commit({"app.py": CLEAN})
    hidden = "def answer(text):\n    return eval(text)  # nosec  # nosemgrep  # pragma: allowlist secret\n"
    git.write({"app.py": hidden, ".semgrepignore": "*\n", ".bandit": "[bandit]\nexclude: /\n"})
    git.write({".secrets.baseline": "{}", "settings.py": f'key = "{KEY}"  # pragma: allowlist secret\n'})
    git.commit()
    document = product.run(git.root, changed_since="HEAD~1")
    assert outcome(document) is Outcome.FAIL
    assert {finding.location.path for finding in document.findings} >= {"app.py", "settings.py"}
    assert [f.suppressed_in_source for f in document.findings if f.location.path == "app.py"] == [True]
    assert set(document.target.gate_changes) == {".bandit", ".secrets.baseline", ".semgrepignore"}


# ---------------------------------------------------------------------------------------------------------------- 8


@pytest.mark.parametrize("profile", ["pull-request", "release", "audit"])
def test_threat_08_every_run_executes_and_reuses_nothing(product: Product, tmp_path: Path, profile: str) -> None:
    root = tree(tmp_path / "plain", {"app.py": CLEAN})
    product.run(root, profile=profile)
    again = product.run(root, profile=profile)
    assert [(one.executed, one.reused) for one in again.invocations] == [(1, 0)] * 4
    assert len(product.calls("semgrep")) == 2


# ---------------------------------------------------------------------------------------------------------------- 9


def test_threat_09_the_trees_git_configuration_runs_nothing(product: Product, git: Git, tmp_path: Path) -> None:
    git.commit({"app.py": CLEAN, ".gitattributes": "*.py filter=evil diff=evil\n"})
    trap = tmp_path / "trap"
    script = tmp_path / "evil.sh"
    script.write_text(f"#!/bin/sh\ntouch {trap}\ncat\n")
    script.chmod(0o755)
    for key in ("core.fsmonitor", "filter.evil.clean", "filter.evil.smudge", "diff.evil.textconv", "diff.external"):
        git("config", key, str(script))
    git.write({"app.py": WEAK})
    assert outcome(product.run(git.root, changed_since="HEAD")) is Outcome.FAIL
    assert not trap.exists()


# --------------------------------------------------------------------------------------------------------------- 12


def stored(folder: Path) -> bytes:
    """Give all bytes of the files of a ledger, and what its compressed blobs hold."""
    parts = [path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()]
    with sqlite3.connect(next(folder.rglob("ledger.sqlite"))) as database:
        for coding, data in database.execute("SELECT coding, data FROM blob"):
            parts.append(zlib.decompress(data) if coding == "zlib" else data)
    database.close()
    return b"\0".join(parts)


def test_threat_12_no_secret_leaves_the_run(product: Product, git: Git) -> None:
    git.commit({"app.py": CLEAN})
    git.commit({"settings.py": f'aws = "{KEY}"\nother = eval("{KEY}")\n', "notes.txt": f"the key is {KEY}\n"})
    forms = [f"--format={form}={product.home}/out.{form}" for form in ("json", "sarif", "html")]
    ended = product.cli("run", str(git.root), "--changed-since", "HEAD~1", "--format", "text", *forms)
    assert ended.code == 1
    assert "settings.py" in ended.out
    written = [(product.home / f"out.{form}").read_text() for form in ("json", "sarif", "html")]
    for text in (ended.out, ended.err, *written):
        assert KEY not in text
    assert KEY.encode() not in stored(git.root / ".git" / "secgate")


def test_threat_12_a_credential_in_the_remotes_address_is_not_kept(product: Product, git: Git) -> None:
    git.commit({"app.py": CLEAN})
    git("remote", "add", "origin", "https://ada:hunter2secret@git.example.org/acme/shop.git")
    document = product.run(git.root)
    assert (document.target.repository, b"hunter2" in encode(document)) == ("git.example.org/acme/shop", False)


def test_threat_12_the_document_names_no_place_on_the_machine(product: Product, git: Git) -> None:
    git.commit({"app.py": WEAK})
    document = product.run(git.root)
    for form in ("json", "sarif", "html"):
        shown = render(document, form, width=80, colour=False).data
        assert str(git.root).encode() not in shown.replace(document.ledger.encode(), b"")


# --------------------------------------------------------------------------------------------------------------- 13


def test_threat_13_an_output_bomb_is_a_gap(product: Product, tmp_path: Path) -> None:
    product.tool("semgrep", "bomb")
    document = product.run(tree(tmp_path / "plain", {"app.py": CLEAN}))
    assert outcome(document) is Outcome.INCONCLUSIVE
    assert [(gap.tool, gap.reason) for gap in gaps(document)] == [("semgrep", "output-truncated")]


def test_threat_13_a_policy_that_eats_the_machine_is_stopped(product: Product, git: Git) -> None:
    hungry = (
        'package secgate.rules.hungry\n\ndeny contains {"run": true, "reason": "x", "remedy": "y"} if {\n'
        "\tnumbers.range(1, 1000000000)[a] == a\n\ta < 0\n}\n"
    )
    git.commit({"app.py": CLEAN, "policy/a.rego": hungry, "secgate.toml": 'policies = ["policy"]\n'})
    ended = product.cli("run", str(git.root))
    assert (ended.code, "without a decision" in ended.err) == (4, True)


# --------------------------------------------------------------------------------------------------------------- 14


def test_threat_14_nothing_outside_is_read_and_each_is_named(product: Product, git: Git, tmp_path: Path) -> None:
    secret = tree(tmp_path / "outside", {"secret.py": WEAK}) / "secret.py"
    git.write({"app.py": CLEAN})
    (git.root / "link.py").symlink_to(secret)
    (git.root / "inside.py").symlink_to("app.py")
    (git.root / "gone.py").symlink_to("nowhere.py")
    git.commit()
    document = product.run(git.root)
    assert document.findings == ()
    named = {one.path: one.reason for one in document.coverage.left_out}
    assert named == {"link.py": "link-outside", "inside.py": "link", "gone.py": "link"}


def test_threat_14_names_with_newlines_and_other_bytes(product: Product, tmp_path: Path) -> None:
    root = tree(tmp_path / "plain", {"a\nb.py": WEAK, "-rf.py": WEAK, "--config=x.py": WEAK})
    (Path(os.fsdecode(os.fsencode(root) + b"/\xff.py"))).write_text(CLEAN)
    document = product.run(root)
    assert {finding.location.path for finding in document.findings} == {"a\nb.py", "-rf.py", "--config=x.py"}
    assert [one.reason for one in document.coverage.left_out] == ["not-utf8-name"]
    assert document.decision is not None
    assert Outcome.INCONCLUSIVE in document.decision.all_outcomes


# --------------------------------------------------------------------------------------------------------------- 15


def test_threat_15_scanners_are_told_to_keep_still(product: Product, tmp_path: Path) -> None:
    product.run(tree(tmp_path / "plain", {"app.py": f'key = "{KEY}"\n'}))
    semgrep, kingfisher = product.calls("semgrep")[0], product.calls("kingfisher")[0]
    assert {"--metrics=off", "--disable-version-check"} <= set(semgrep)
    assert {"--no-validate", "--no-update-check"} <= set(kingfisher)
    assert "--no-verify" in product.calls("detect-secrets")[0]
