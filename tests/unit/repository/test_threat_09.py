"""Threat rule 9: the tree's git configuration runs nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from secgate.errors import SecgateError
from secgate.repository import Repository

if TYPE_CHECKING:
    from tests.unit.conftest import Git

ATTRIBUTES = "*.py filter=evil diff=evil text\n"


def arm(config: Path, mark: Path, *, hooks: Path) -> None:
    """Name `mark` in every setting of git that starts a program."""
    run = f"touch {mark}"
    hooks.mkdir(exist_ok=True)
    for hook in ("post-index-change", "pre-commit", "reference-transaction", "fsmonitor-watchman"):
        (hooks / hook).write_text(f"#!/bin/sh\n{run}\n")
        (hooks / hook).chmod(0o755)
    (config.parent / "included").write_text(f'[core]\n\tfsmonitor = "{run}"\n')
    with config.open("a") as file:
        file.write(
            f'[core]\n\tfsmonitor = "{run}"\n\thooksPath = {hooks}\n\tpager = "{run}"\n'
            f'\tsshCommand = "{run}"\n\taskPass = "{run}"\n\tgitProxy = "{run}"\n'
            f'[filter "evil"]\n\tclean = "{run}; cat"\n\tsmudge = "{run}; cat"\n'
            f'[diff]\n\texternal = "{run}"\n[diff "evil"]\n\ttextconv = "{run}; cat"\n'
            f'\tcommand = "{run}"\n[credential]\n\thelper = "!{run}"\n[log]\n\tshowSignature = true\n'
            f'[gpg]\n\tprogram = "{run}"\n[include]\n\tpath = included\n'
            f'[alias]\n\tls-files = "!{run}"\n[remote "origin"]\n\turl = "ext::sh -c {run}"\n'
            "\tpromisor = true\n\tuploadpack = evil\n"
        )


def ask_everything(repository: Repository) -> None:
    head = repository.head()
    repository.author(head)
    repository.untracked()
    repository.is_ignored("a.py")
    repository.changes("", head)
    repository.staged_changes(head)
    repository.work_tree_changes(head)
    repository.unstaged_paths()
    repository.commit_files(repository.commits(repository.resolve("HEAD~1"), head))
    repository.file_at(head, "a.py")
    repository.tree_entries(head)


def armed(git: Git) -> Path:
    git.commit({"a.py": "1\n", ".gitattributes": ATTRIBUTES})
    git.commit({"a.py": "2\n"})
    mark = git.root.parent / "ran"
    arm(git.root / ".git" / "config", mark, hooks=git.root.parent / "hooks")
    git.write({"a.py": "3\n", "new.py": "4\n"})
    return mark


def test_threat_09_the_trap_works(git: Git) -> None:
    mark = armed(git)
    git("status")
    assert mark.exists()


def test_threat_09_configuration_runs_nothing(git: Git) -> None:
    mark = armed(git)
    repository = git.open()
    ask_everything(repository)
    assert not mark.exists()
    assert repository.work_tree_changes(repository.head()).present == ("a.py",)


def test_threat_09_submodule_configuration_runs_nothing(git: Git) -> None:
    inner = type(git)(git.root.parent / "inner", git.scratch, git.runner).init()
    inner.commit({"a.py": "1\n", ".gitattributes": ATTRIBUTES})
    git.commit({"a.py": "1\n"})
    git("-c", "protocol.file.allow=always", "submodule", "add", "--quiet", str(inner.root), "sub")
    git.commit()
    mark = git.root.parent / "ran"
    arm(git.root / ".git/modules/sub/config", mark, hooks=git.root.parent / "hooks")
    (git.root / "sub" / "a.py").write_text("changed\n")
    ask_everything(git.open())
    assert not mark.exists()
    git("status")
    assert mark.exists()


def test_threat_09_a_lost_object_is_not_fetched(git: Git) -> None:
    mark = armed(git)
    blob = git("rev-parse", "HEAD~1:a.py")
    mark.unlink(missing_ok=True)
    (git.root / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(SecgateError, match="partial clone"):
        git.open().file_at("HEAD~1", "a.py")
    assert not mark.exists()
