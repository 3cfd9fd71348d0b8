"""The real pre-commit runs the hooks that this repository offers: it installs secgate as its users do.

What secgate needs comes from this environment, so that nothing is downloaded; `-m network` installs all of it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
import yaml

from tests.product import CLEAN, KEY, tree
from tests.unit.conftest import Git, SubprocessRunner

ROOT = Path(__file__).parents[2]
PARTS = ("pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml", "secgate", "policies", "rules", "reports")
HOOKS = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))}


def test_threat_14_names_of_files_come_behind_a_mark() -> None:
    assert {name: hook["args"][-1] for name, hook in HOOKS.items()} == {"secgate": "--", "secgate-push": "--"}


@pytest.fixture(scope="session")
def offered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a repository with what an installation needs, as it lies here."""
    home = tmp_path_factory.mktemp("offered")
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", "--", *PARTS],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    names = [name for name in listing.stdout.decode().split("\0") if name and (ROOT / name).is_file()]
    tree(home / "secgate", {name: (ROOT / name).read_bytes() for name in names})
    Git(home / "secgate", home / "git-home", SubprocessRunner()).init().commit()
    return home / "secgate"


class PreCommit:
    """pre-commit on one repository; its environments last for the session."""

    def __init__(self, git: Git, home: Path, *, online: bool) -> None:
        self.git = git
        programs = str(Path(sys.executable).parent)
        self.env = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("PRE_COMMIT", "SECGATE_"))},
            "PRE_COMMIT_HOME": str(home / "environments"),
            "HOME": str(home),
            "SECGATE_STATE_DIR": str(home / "state"),
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        if not online:
            self.env |= {
                "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
                "PYTHONPATH": sysconfig.get_path("purelib"),
                "PIP_NO_INDEX": "1",
                "PIP_NO_DEPS": "1",
                # pip reads this as the value of `--build-isolation`.
                "PIP_NO_BUILD_ISOLATION": "false",
            }

    def __call__(self, *arguments: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "pre_commit", *arguments],
            cwd=self.git.root,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=900,
        )
        return done.returncode, done.stdout


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pre-commit")


@pytest.fixture
def pre_commit(git: Git, home: Path) -> PreCommit:
    return PreCommit(git, home, online=False)


def test_the_hooks_are_what_the_issue_asks_for() -> None:
    assert {name: hook["stages"] for name, hook in HOOKS.items()} == {
        "secgate": ["pre-commit", "pre-merge-commit"],
        "secgate-push": ["pre-push", "manual"],
    }
    assert all(hook.get("pass_filenames", True) for hook in HOOKS.values())


def test_try_repo_blocks_and_then_passes(pre_commit: PreCommit, git: Git, offered: Path) -> None:
    git.write({"app.py": CLEAN, "settings.py": f'key = "{KEY}"\n', "notes.md": "words\n"})
    git("add", "--all")
    code, said = pre_commit("try-repo", str(offered), "secgate")
    assert (code, "secgate: FAIL" in said, "at settings.py:1" in said, KEY in said) == (1, True, True, False), said
    git.write({"settings.py": "key = None\n"})
    git("add", "--all")
    code, said = pre_commit("try-repo", str(offered), "secgate", "--verbose")
    assert (code, "secgate: PASS" in said) == (0, True), said
    assert "files named, from the index" in said


@pytest.fixture
def configured(pre_commit: PreCommit, git: Git, offered: Path) -> PreCommit:
    """Give pre-commit with both hooks in a repository's own configuration, and something on its main branch."""
    revision = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=offered, capture_output=True, text=True, check=True
    ).stdout.strip()
    hooks = [{"id": name} for name in HOOKS]
    config = {"repos": [{"repo": str(offered), "rev": revision, "hooks": hooks}]}
    git.commit({".pre-commit-config.yaml": yaml.safe_dump(config), "old.py": f'key = "{KEY}"\n'})
    return pre_commit


def test_all_files_are_judged_and_so_is_a_span(configured: PreCommit, git: Git) -> None:
    code, said = configured("run", "secgate", "--all-files")
    assert (code, "at old.py:1" in said, "files named, from the work tree" in said) == (1, True, True), said
    base = git("rev-parse", "HEAD")
    git.commit({"app.py": CLEAN})
    code, said = configured("run", "secgate", "--from-ref", base, "--to-ref", "HEAD", "--verbose")
    assert (code, "files named, from the commit" in said) == (0, True), said


def test_a_push_is_stopped_by_what_the_work_tree_does_not_show(configured: PreCommit, git: Git, tmp_path: Path) -> None:
    remote = tmp_path / "remote.git"
    git("init", "--quiet", "--bare", str(remote))
    git("remote", "add", "origin", str(remote))
    git("push", "--quiet", "origin", "main")
    code, said = configured("install", "--hook-type", "pre-push")
    assert code == 0, said
    git("switch", "--quiet", "-c", "feature")
    git.commit({"settings.py": f'other = "{KEY[:-4]}WXYZ"\n'})
    git("switch", "--quiet", "main")
    push = ["git", "push", "--quiet", "origin", "feature"]
    stopped = subprocess.run(push, cwd=git.root, env=configured.env, capture_output=True, text=True, check=False)
    said = stopped.stdout + stopped.stderr
    assert (stopped.returncode, "at settings.py:1" in said) == (1, True), said
    assert git("ls-remote", "--heads", "origin", "feature") == ""


@pytest.mark.network
def test_try_repo_installs_everything_that_it_needs(git: Git, tmp_path: Path, offered: Path) -> None:
    alone = PreCommit(git, tmp_path, online=True)
    git.write({"settings.py": f'key = "{KEY}"\n'})
    git("add", "--all")
    code, said = alone("try-repo", str(offered), "secgate")
    shutil.rmtree(tmp_path / "environments", ignore_errors=True)
    assert (code, "at settings.py:1" in said) == (1, True), said
