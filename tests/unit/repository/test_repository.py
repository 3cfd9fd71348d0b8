"""Repositories of every form, read through a GIT_DIR of our own."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from secgate.errors import IncompleteTargetError, TargetError
from secgate.model import Rename
from secgate.repository import Repository

if TYPE_CHECKING:
    from tests.unit.conftest import Git, SubprocessRunner


def clone(git: Git, directory: str, *options: str) -> Git:
    git("clone", "--quiet", *options, f"file://{git.root}", directory, cwd=git.root.parent)
    return type(git)(git.root.parent / directory, git.scratch, git.runner)


def test_plain_directory_is_no_repository(tmp_path: Path, runner: SubprocessRunner) -> None:
    assert Repository.open(runner, str(tmp_path), str(tmp_path), "git") is None
    assert runner.started == []


def test_head_tree_ref_and_author(git: Git) -> None:
    commit = git.commit({"a.py": "1\n"})
    repository = git.open()
    assert repository.head() == commit
    assert repository.tree(commit) == git("rev-parse", "HEAD^{tree}")
    assert repository.ref() == "refs/heads/main"
    assert repository.author(commit) == "Ada"


def test_repository_without_a_commit(git: Git) -> None:
    git.write({"a.py": "1\n"})
    repository = git.open()
    assert repository.head() == ""
    assert repository.untracked() == ("a.py",)
    assert repository.staged_changes("").is_empty


def test_subdirectory_finds_the_top(git: Git) -> None:
    git.commit({"sub/deep/a.py": "1\n"})
    repository = git.open(git.root / "sub" / "deep")
    assert repository.root == str(git.root)
    assert [entry.path for entry in repository.tracked()] == ["sub/deep/a.py"]


def test_linked_work_tree_has_its_own_head_and_index(git: Git) -> None:
    git.commit({"a.py": "1\n"})
    git("worktree", "add", "--quiet", "-b", "side", "../linked")
    linked = type(git)(git.root.parent / "linked", git.scratch, git.runner)
    commit = linked.commit({"b.py": "2\n"})
    repository = linked.open()
    assert (repository.head(), repository.ref()) == (commit, "refs/heads/side")
    assert [entry.path for entry in repository.tracked()] == ["a.py", "b.py"]
    assert repository.common_directory == str(git.root / ".git")
    assert repository.name == "repo"


def test_sha256_repository(tmp_path: Path, runner: SubprocessRunner) -> None:
    make = type_of_git(tmp_path, runner)
    make("init", "--quiet", "--object-format=sha256")
    first = make.commit({"a.py": "1\n"})
    second = make.commit({"a.py": "2\n"})
    repository = make.open()
    assert repository.head() == second
    assert len(second) == 64
    assert repository.changes("", first).present == ("a.py",)
    assert repository.file_at(first, "a.py") == b"1\n"


def type_of_git(tmp_path: Path, runner: SubprocessRunner) -> Git:
    from tests.unit.conftest import Git

    return Git(tmp_path / "other", tmp_path / "scratch", runner)


def test_shallow_clone_says_so_and_finds_no_base(git: Git) -> None:
    base = git.commit({"a.py": "1\n"})
    git.commit({"a.py": "2\n"})
    shallow = clone(git, "shallow", "--depth=1").open()
    assert shallow.is_shallow
    assert shallow.resolve(base) == ""
    assert shallow.commit_files([shallow.head()])[0].path == "a.py"


def test_alternates_are_followed_to_the_second_step(git: Git) -> None:
    commit = git.commit({"a.py": "1\n"})
    git("clone", "--quiet", "--shared", str(git.root), "borrower", cwd=git.root.parent)
    borrower = type(git)(git.root.parent / "borrower", git.scratch, git.runner)
    assert borrower.open().file_at(commit, "a.py") == b"1\n"


def test_odd_path_of_the_repository(git: Git) -> None:
    git.commit({"a.py": "1\n"})
    odd = git.root.parent / 'od"d\\ \n#é'
    git.root.rename(odd)
    moved = type(git)(odd, git.scratch, git.runner)
    assert moved.open().file_at("HEAD", "a.py") == b"1\n"


def test_partial_clone_names_the_missing_object(git: Git) -> None:
    base = git.commit({"a.py": "1\n" * 50, "b.py": "b\n" * 50})
    git.commit({"a.py": "2\n", "c.py": "b\n" * 49 + "c\n"})
    git("config", "uploadpack.allowFilter", "true")
    partial = clone(git, "partial", "--filter=blob:none").open()
    assert partial.is_partial
    assert partial.changes(base, partial.head()).present == ("a.py", "c.py")
    with pytest.raises(IncompleteTargetError, match="partial clone without object"):
        partial.file_at(base, "a.py")


def test_clone_without_trees_is_incomplete(git: Git) -> None:
    base = git.commit({"sub/a.py": "1\n"})
    git.commit({"sub/a.py": "2\n"})
    git("config", "uploadpack.allowFilter", "true")
    partial = clone(git, "partial", "--filter=tree:0").open()
    with pytest.raises(IncompleteTargetError, match="partial clone") as raised:
        partial.changes(base, partial.head())
    assert "--refetch" in raised.value.remedy


def test_remedy_for_a_partial_clone_works(git: Git) -> None:
    base = git.commit({"a.py": "1\n"})
    git.commit({"a.py": "2\n"})
    git("config", "uploadpack.allowFilter", "true")
    partial = clone(git, "partial", "--filter=blob:none")
    partial("fetch", "--quiet", "--refetch", "--no-filter", "origin")
    assert partial.open().file_at(base, "a.py") == b"1\n"


def test_lost_object_is_an_error(git: Git) -> None:
    git.commit({"a.py": "1\n"})
    blob = git("rev-parse", "HEAD:a.py")
    (git.root / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(TargetError, match="missing"):
        git.open().file_at("HEAD", "a.py")


@pytest.mark.parametrize("name", ["HEAD", "index", "config", "refs/heads/main"])
def test_broken_repository_is_an_error(git: Git, name: str) -> None:
    git.commit({"a.py": "1\n"})
    (git.root / ".git" / name).write_bytes(b"[garbage\xff")
    with pytest.raises(TargetError) as raised:
        git.open().head()
    assert raised.value.remedy


def test_git_file_that_points_nowhere(git: Git) -> None:
    (git.root / "sub").mkdir()
    (git.root / "sub" / ".git").write_text("gitdir: ../nowhere\n")
    with pytest.raises(TargetError, match="does not point"):
        git.open(git.root / "sub")


@pytest.mark.parametrize("place", [".git", ".git/hooks"])
def test_inside_a_git_directory(git: Git, place: str) -> None:
    git.commit({"a.py": "1\n"})
    with pytest.raises(TargetError, match="git directory"):
        git.open(git.root / place)


def test_git_that_is_not_there(git: Git) -> None:
    with pytest.raises(TargetError, match="not found"):
        Repository.open(git.runner, str(git.root), str(git.scratch), "")
    with pytest.raises(TargetError, match="cannot be started"):
        Repository.open(git.runner, str(git.root), str(git.scratch), "/nowhere/git")


def test_foreign_owner_does_not_matter(git: Git) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    commit = git.commit({"a.py": "1\n"})
    for path in (git.root, *git.root.rglob("*")):
        os.chown(path, 12345, 12345)
    assert git.open().head() == commit


def test_renamed_changed_deleted_and_odd_names(git: Git) -> None:
    lines = "".join(f"line {number}\n" for number in range(30))
    base = git.commit({"old.py": lines, "gone.py": "1\n", "new\nline.py": "1\n"})
    (git.root / "old.py").unlink()
    (git.root / "gone.py").unlink()
    head = git.commit({"moved/new.py": lines + "more\n", "new\nline.py": "2\n"})
    changes = git.open().changes(base, head)
    assert changes.present == ("moved/new.py", "new\nline.py")
    assert changes.deleted == ("gone.py",)
    assert changes.renames == (Rename(old="old.py", new="moved/new.py"),)


def test_index_and_work_tree_are_told_apart(git: Git) -> None:
    base = git.commit({"a.py": "1\n", "b.py": "1\n"})
    git.write({"a.py": "staged\n"})
    git("add", "a.py")
    git.write({"a.py": "later\n", "b.py": "later\n"})
    repository = git.open()
    assert repository.staged_changes(base).present == ("a.py",)
    assert repository.work_tree_changes(base).present == ("a.py", "b.py")
    assert repository.unstaged_paths() == {"a.py", "b.py"}
    blob = repository.index_entries()["a.py"].blob
    assert dict(repository.blobs([blob], max_bytes=100)) == {blob: b"staged\n"}


def test_change_in_the_second_of_the_index_is_seen(git: Git) -> None:
    base = git.commit({"a.py": "1\n"})
    stamp = (git.root / "a.py").stat().st_mtime_ns
    git.write({"a.py": "2\n"})
    os.utime(git.root / "a.py", ns=(stamp, stamp))
    # A copy of the index that looks younger than it is would let git trust the old entry.
    time.sleep(1.1)
    assert git.open().work_tree_changes(base).present == ("a.py",)


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_promises_not_to_look_are_taken_back(git: Git, flag: str) -> None:
    base = git.commit({"a.py": "1\n"})
    git("update-index", flag, "a.py")
    git.write({"a.py": "weak\n"})
    assert git.open().work_tree_changes(base).present == ("a.py",)
    assert git("ls-files", "-v") == ("h a.py" if "assume" in flag else "S a.py")


def test_conflict_in_the_index_is_said(git: Git) -> None:
    git.commit({"a.py": "1\n"})
    git("checkout", "--quiet", "-b", "side")
    git.commit({"a.py": "2\n"})
    git("checkout", "--quiet", "main")
    git.commit({"a.py": "3\n"})
    with pytest.raises(Exception, match="non-zero"):
        git("merge", "side")
    with pytest.raises(TargetError, match="in conflict"):
        git.open().index_entries()


def test_split_index(git: Git) -> None:
    git.commit({"a.py": "1\n", "b.py": "1\n"})
    git("update-index", "--split-index")
    git.commit({"c.py": "1\n"})
    assert [entry.path for entry in git.open().tracked()] == ["a.py", "b.py", "c.py"]


def test_sparse_index(git: Git) -> None:
    git.commit({"in/a.py": "1\n", "out/b.py": "1\n"})
    git("sparse-checkout", "set", "--cone", "--sparse-index", "in")
    tags = {entry.path: entry.tag for entry in git.open().tracked()}
    assert tags == {"in/a.py": "H", "out/b.py": "S"}


def test_merge_brings_only_what_no_parent_has(git: Git) -> None:
    git.commit({"a.py": "1\n"})
    git("checkout", "--quiet", "-b", "side")
    git.commit({"b.py": "2\n"})
    git("checkout", "--quiet", "main")
    git.commit({"c.py": "3\n"})
    git("merge", "--quiet", "--no-ff", "--no-commit", "side")
    merge = git.commit({"a.py": "evil\n"})
    files = git.open().commit_files([merge])
    assert [(file.path, file.commit) for file in files] == [("a.py", merge)]


def test_ignored_and_excluded_untracked_files(git: Git) -> None:
    git.commit({".gitignore": "*.log\n"})
    (git.root / ".git" / "info" / "exclude").write_text("mine.py\n")
    git.write({"x.log": "", "mine.py": "", "seen.py": ""})
    assert git.open().untracked() == ("seen.py",)


def test_replaced_objects_are_not_believed(git: Git) -> None:
    git.commit({"a.py": "weak\n", "b.py": "clean\n"})
    git("replace", git("rev-parse", "HEAD:a.py"), git("rev-parse", "HEAD:b.py"))
    assert git("show", "HEAD:a.py") == "clean"
    assert git.open().file_at("HEAD", "a.py") == b"weak\n"


def test_unknown_references_resolve_to_nothing(git: Git) -> None:
    git.commit({"a.py": "1\n"})
    repository = git.open()
    for ref in ("", "nowhere", "--all", "-x", "main\nmain", "HEAD:a.py"):
        assert repository.resolve(ref) == ""


def test_default_branch(git: Git) -> None:
    git.commit({"a.py": "1\n"})
    assert git.open().default_branch() == ""
    assert clone(git, "copy").open().default_branch() == "origin/main"


def test_nothing_is_written_to_the_repository(git: Git) -> None:
    git.commit({"a.py": "1\n"})
    os.utime(git.root / "a.py", (1, 1))
    before = state(git.root / ".git")
    repository = git.open()
    repository.work_tree_changes(repository.head())
    repository.untracked()
    assert state(git.root / ".git") == before


def state(directory: Path) -> dict[str, tuple[int, int]]:
    return {str(path): (path.lstat().st_mtime_ns, path.lstat().st_size) for path in directory.rglob("*")}


def test_scratch_can_go_without_harm(git: Git) -> None:
    commit = git.commit({"a.py": "1\n"})
    git.open()
    shutil.rmtree(git.scratch)
    git.scratch.mkdir()
    assert git("cat-file", "-t", commit) == "commit"
