"""Files named one by one: staged ones from the index, those of a push from its commits, others as they lie there."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from secgate.discover import CIFacts, DiscoverRequest, discover
from secgate.errors import IncompleteTargetError, TargetError
from secgate.model import Scope, Source, Target
from secgate.repository import Repository
from secgate.view import make_view

if TYPE_CHECKING:
    from tests.unit.conftest import Git


def look(git: Git, *names: str, commit: str = "", since: str | None = None, **asked: object) -> Target:
    request = DiscoverRequest(
        path=str(git.root),
        named=tuple(str(git.root / name) for name in names),
        commit=commit,
        changed_since=since,
        **asked,  # type: ignore[arg-type]
    )
    return discover(request, repository=git.open(), ci=CIFacts())


def read(git: Git, target: Target, folder: Path) -> dict[str, bytes]:
    offered = [file for file in target.files if target.is_touched(file.path)]
    view = make_view(target, offered, repository=git.open(), directory=str(folder / "view"))
    return {path: (Path(view.root) / path).read_bytes() for path in view.digests}


def test_staged_names_are_read_from_the_index_and_measured_by_head(git: Git, tmp_path: Path) -> None:
    head = git.commit({"a.py": "old\n", "b.py": "1\n"})
    git.write({"a.py": "staged\n"})
    git("add", "a.py")
    git.write({"a.py": "edited\n"})
    target = look(git, "a.py")
    assert (target.source, target.base_commit, target.changed) == (Source.INDEX, head, ("a.py",))
    assert read(git, target, tmp_path) == {"a.py": b"staged\n"}
    assert (target.scope, target.scope_basis) == (Scope.LOCAL, "files named, from the index")
    assert target.only_reads


def test_other_names_are_judged_as_they_lie_there(git: Git, tmp_path: Path) -> None:
    git.commit({"a.py": "old\n", "b.py": "old\n", "secgate.toml": "version = 1\n", "c.py": "1\n"})
    git.write({"b.py": "edited\n", "new.py": "untracked\n"})
    target = look(git, "a.py", "b.py", "new.py", "secgate.toml")
    assert (target.source, target.base_commit) == (Source.WORK_TREE, "")
    assert target.changed == ("a.py", "b.py", "new.py", "secgate.toml")
    assert target.gate_changes == (), "a file that is named was not edited for that"
    assert read(git, target, tmp_path)["b.py"] == b"edited\n"
    assert (target.scope_basis, target.only_reads) == ("files named, from the work tree", True)


def test_a_staged_name_among_others_is_still_read_from_the_index(git: Git, tmp_path: Path) -> None:
    git.commit({"a.py": "old\n", "b": "old\n"})
    git.write({"b": "#!/bin/sh\n1\n"})
    git("add", "b")
    git.write({"b": "#!/bin/py\n1\n"})
    target = look(git, "a.py", "b")
    assert (target.source, target.indexed, target.base_commit) == (Source.WORK_TREE, ("b",), "")
    assert read(git, target, tmp_path) == {"a.py": b"old\n", "b": b"#!/bin/sh\n1\n"}


def test_what_was_saved_is_read_as_it_lies_and_measured_by_head(git: Git, tmp_path: Path) -> None:
    head = git.commit({"a.py": "old\n", "b.py": "old\n"})
    git.write({"a.py": "staged\n"})
    git("add", "a.py")
    git.write({"a.py": "edited\n", "new.py": "untracked\n"})
    for name, text in (("a.py", b"edited\n"), ("b.py", b"old\n"), ("new.py", b"untracked\n")):
        target = look(git, name, saved=True)
        assert (target.source, target.base_commit, target.changed) == (Source.WORK_TREE, head, (name,))
        assert (target.indexed, target.only_reads) == ((), True)
        (folder := tmp_path / f"of-{name}").mkdir()
        assert read(git, target, folder) == {name: text}
    with pytest.raises(TargetError, match="no file is named"):
        look(git, saved=True)


def test_a_push_is_read_from_its_commits_whatever_is_checked_out(git: Git, tmp_path: Path) -> None:
    base = git.commit({"a.py": "old\n", "b.py": "1\n"})
    git("switch", "--quiet", "-c", "feature")
    first = git.commit({"a.py": "feature\n"})
    tip = git.commit({"only-there.py": "feature\n"})
    git("switch", "--quiet", "main")
    git.write({"a.py": "edited\n"})
    git("add", "a.py")
    target = look(git, "a.py", commit=tip, since="main")
    assert (target.source, target.commit, target.base_commit) == (Source.COMMIT, tip, base)
    assert (target.change_commits, target.dirty) == ((first, tip), False)
    # pre-commit leaves out what the work tree does not have; it is pushed all the same.
    assert target.changed == ("a.py", "only-there.py")
    assert read(git, target, tmp_path) == {"a.py": b"feature\n", "only-there.py": b"feature\n"}
    assert look(git, commit="feature", since=base).changed == ("only-there.py",)


def test_a_push_of_all_there_is_has_nothing_before_it(git: Git) -> None:
    first = git.commit({"a.py": "1\n"})
    second = git.commit({"b.py": "1\n"})
    git("switch", "--quiet", "--orphan", "other")
    git.commit({"elsewhere.py": "1\n"})
    target = look(git, "elsewhere.py", commit="refs/heads/main")
    assert (target.base_commit, target.changed) == ("", ("a.py", "b.py"))
    assert target.change_commits == (first, second)


def test_kinds_are_those_of_the_commit_not_of_the_work_tree(git: Git) -> None:
    git.commit({"run": "#!/bin/sh\n1\n"})
    git("switch", "--quiet", "-c", "feature")
    git.commit({"run": "#!/bin/zs\n1\n"})
    git.commit({"run": "#!/usr/bin/python\n"})
    git("switch", "--quiet", "main")
    (file,) = look(git, "run", commit="feature", since="main").files
    assert "python" in file.kinds


def test_nothing_named_is_no_pass(git: Git) -> None:
    git.commit({"a.py": "1\n"})
    with pytest.raises(TargetError, match="no file is named"):
        look(git)


@pytest.mark.parametrize("name", ["gone.py", "ignored.log", "folder", "../outside.py", ".", ""])
def test_a_name_that_nobody_would_look_at_is_refused(git: Git, name: str) -> None:
    git.commit({"a.py": "1\n", ".gitignore": "*.log\n", "folder/b.py": "1\n"})
    git.write({"ignored.log": "1\n"})
    with pytest.raises(TargetError):
        look(git, "a.py", name)


def test_a_name_that_the_commit_does_not_hold_is_refused(git: Git) -> None:
    base = git.commit({"a.py": "1\n"})
    git.commit({"b.py": "1\n"})
    git.write({"c.py": "1\n"})
    with pytest.raises(TargetError, match=r"c\.py"):
        look(git, "c.py", commit="HEAD", since=base)
    with pytest.raises(TargetError, match="no commit"):
        look(git, "b.py", commit="--output=x", since=base)
    with pytest.raises(TargetError, match="no commit"):
        look(git, "b.py", commit="HEAD", since="nowhere")


def test_links_are_named_in_what_is_left_out(git: Git) -> None:
    git.commit({"a.py": "1\n"})
    (git.root / "link.py").symlink_to("/etc/hostname")
    git("add", "link.py")
    target = look(git, "link.py")
    assert [(left.path, left.reason) for left in target.left_out] == [("link.py", "link-outside")]
    (git.root / "elsewhere").symlink_to(git.root.parent)
    with pytest.raises(TargetError, match="not in this repository"):
        look(git, "elsewhere/x.py")


def test_a_shallow_clone_says_what_is_missing(git: Git, tmp_path: Path) -> None:
    git.commit({"a.py": "1\n"})
    git.commit({"a.py": "2\n"})
    git("clone", "--quiet", "--depth=1", f"file://{git.root}", str(tmp_path / "shallow"))
    shallow = type(git)(tmp_path / "shallow", git.scratch, git.runner)
    with pytest.raises(IncompleteTargetError, match="shallow"):
        look(shallow, "a.py", commit="refs/heads/main")


def test_the_index_that_git_names_its_hook_counts(git: Git, tmp_path: Path) -> None:
    git.commit({"a.py": "1\n"})
    git.write({"a.py": "2\n"})
    # What `git commit -a` does: the index that will be is beside the one that is.
    (git.root / ".git" / "next.lock").write_bytes((git.root / ".git" / "index").read_bytes())
    git("update-index", "a.py", cwd=git.root)
    staged = (git.root / ".git" / "index").read_bytes()
    (git.root / ".git" / "index").write_bytes((git.root / ".git" / "next.lock").read_bytes())
    (git.root / ".git" / "next.lock").write_bytes(staged)
    (tmp_path / "index").write_bytes(staged)

    def seen(index: str) -> tuple[str, ...]:
        repository = Repository.open(
            git.runner, str(git.root), str(git.scratch), shutil.which("git") or "", index=index
        )
        assert repository is not None
        return repository.staged_changes(repository.head()).present

    assert seen(".git/next.lock") == seen(str(git.root / ".git/next.lock")) == ("a.py",)
    assert seen("") == ()
    assert seen(str(tmp_path / "index")) == (), "an index of another repository is not this one's"
