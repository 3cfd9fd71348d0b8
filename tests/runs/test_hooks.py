"""Hooks through whole runs: what pre-commit and git tell a hook decides what is judged, and nothing else does."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.product import CLEAN, KEY, WEAK, Ended, Product
from tests.unit.conftest import Git

SECRET = f'key = "{KEY}"\n'


def hook(product: Product, git: Git, *arguments: str, **env: str) -> Ended:
    return product.cli("hook", *arguments, cwd=git.root, at=None, **env)


def report(ended: Ended) -> dict[str, object]:
    found = json.loads(ended.out)["run"]
    assert isinstance(found, dict)
    return found


def test_staged_files_block_and_pass(product: Product, git: Git) -> None:
    git.commit({"old.py": WEAK})
    git.write({"app.py": WEAK, "old.py": WEAK + "\n"})
    git("add", "--all")
    blocked = hook(product, git, "app.py", "--profile", "pre-commit", "--offline")
    assert (blocked.code, "app.py:2" in blocked.out, "compared with" in blocked.out) == (1, True, True)
    assert hook(product, git, "old.py").code == 0, "an old finding in a staged file is not the commit's"
    assert not (git.root / ".git" / "secgate").exists(), "hooks write no ledger"


def test_all_files_are_judged_as_they_stand(product: Product, git: Git) -> None:
    git.commit({"old.py": WEAK, "app.py": CLEAN})
    ended = hook(product, git, "old.py", "app.py", "--format", "json")
    assert ended.code == 1, "what was committed long ago does not pass on nothing"
    assert [finding["state"] for finding in report(ended)["findings"]] == ["new"]  # type: ignore[attr-defined]


def test_a_push_is_judged_from_its_commits(product: Product, git: Git) -> None:
    git.commit({"app.py": CLEAN})
    git("switch", "--quiet", "-c", "feature")
    git.commit({"settings.py": SECRET})
    git.commit({"settings.py": "key = 1\n", "app.py": CLEAN + "\n"})
    git("switch", "--quiet", "main")
    refs = {"PRE_COMMIT_FROM_REF": "main", "PRE_COMMIT_TO_REF": "feature"}
    ended = hook(product, git, "app.py", **refs)
    assert (ended.code, "settings.py" in ended.out) == (1, True), "a secret between the commits is pushed as well"
    git("switch", "--quiet", "-c", "clean")
    git.commit({"fine.py": CLEAN})
    ended = hook(product, git, PRE_COMMIT_FROM_REF="main", PRE_COMMIT_TO_REF="clean")
    assert (ended.code, "scope local (files named, from the commit)" in ended.out) == (0, True)


def test_a_push_of_all_there_is(product: Product, git: Git) -> None:
    git.commit({"settings.py": SECRET})
    git.commit({"settings.py": "key = 1\n"})
    ended = hook(product, git, "settings.py", PRE_COMMIT_LOCAL_BRANCH="refs/heads/main")
    assert (ended.code, "settings.py" in ended.out) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "env", "said"),
    [
        ((), {}, "no file is named"),
        (("nowhere.py",), {}, "no such file in the work tree: nowhere.py"),
        (("app.py",), {"PRE_COMMIT_FROM_REF": "gone", "PRE_COMMIT_TO_REF": "HEAD"}, "no commit 'gone'"),
        (("app.py",), {"PRE_COMMIT_FROM_REF": "HEAD", "PRE_COMMIT_TO_REF": "gone"}, "no commit 'gone'"),
        (("/etc/passwd",), {}, "not in this repository"),
    ],
)
def test_what_cannot_be_judged_is_said_and_no_pass(
    product: Product, git: Git, arguments: tuple[str, ...], env: dict[str, str], said: str
) -> None:
    git.commit({"app.py": CLEAN})
    ended = hook(product, git, *arguments, **env)
    assert (ended.code, ended.out, said in ended.err) == (2, "", True), ended


@pytest.mark.parametrize("name", ["--help", "-h", "--offline", "--profile=pre-commit", "--enforced=x", "-dash.py"])
def test_threat_14_a_name_of_a_file_is_no_option(product: Product, git: Git, name: str) -> None:
    git.write({"app.py": WEAK, f"./{name}": "x\n"})
    git("add", "--all")
    ended = hook(product, git, name, "app.py")
    assert (ended.code, ended.out, f"a file of the name {name}" in ended.err) == (2, "", True), ended
    ended = hook(product, git, "--profile", "pre-commit", "--", name, "app.py")
    assert (ended.code, "app.py:2" in ended.out) == (1, True), "behind `--` both are files"


def test_threat_14_a_file_that_is_named_like_the_mark_before_files(product: Product, git: Git) -> None:
    git.write({"app.py": CLEAN, "./--": "x\n"})
    git("add", "--all")
    assert hook(product, git, "app.py", "--help").code == 0, "what is no file is an option"
    assert hook(product, git, "--", "app.py").code == 2
    assert hook(product, git, "--", "--", "app.py").code == 0


def test_a_plain_folder_has_no_hook(product: Product, tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    assert product.cli("hook", "x.py", cwd=tmp_path / "plain").code == 2


@pytest.mark.parametrize("words", [("--all",), ("app.py",)])
def test_a_hook_of_git_sees_what_the_commit_will_hold(product: Product, git: Git, words: tuple[str, ...]) -> None:
    """`git commit -a` and `git commit FILE` work with an index of their own, which only GIT_INDEX_FILE names."""
    git.commit({"app.py": CLEAN})
    script = git.root / ".git" / "hooks" / "pre-commit"
    script.parent.mkdir(exist_ok=True)
    env = " ".join(f"{name}='{value}'" for name, value in product.env.items())
    root = Path(__file__).parents[2]
    script.write_text(f"#!/bin/sh\nexec env {env} PYTHONPATH='{root}' {sys.executable} -m secgate run --staged\n")
    script.chmod(0o755)
    git.write({"app.py": WEAK})
    with pytest.raises(subprocess.CalledProcessError) as caught:
        git("commit", "--quiet", "--message", "weak", *words)
    assert b"Blocking (1)" in caught.value.stderr + caught.value.stdout
    git.write({"app.py": CLEAN + "\n"})
    git("commit", "--quiet", "--message", "fine", *words)
