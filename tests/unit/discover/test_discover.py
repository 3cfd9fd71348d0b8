"""From a path to a Target."""

from __future__ import annotations

import hashlib
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from secgate.discover import CIFacts, DiscoverLimits, DiscoverRequest, ci_facts, discover
from secgate.errors import IncompleteTargetError, TargetError
from secgate.model import Rename, Scope, Source, Target, encode
from secgate.patterns import PathPattern

if TYPE_CHECKING:
    from tests.unit.conftest import Git

NO_CI = CIFacts()
TEXT = "".join(f"line {number}\n" for number in range(30))


def look(git: Git, *, ci: CIFacts = NO_CI, path: Path | None = None, **asked: object) -> Target:
    where = path or git.root
    request = DiscoverRequest(path=str(where), **asked)  # type: ignore[arg-type]
    return discover(request, repository=git.open(where), ci=ci)


def plain(root: Path, **asked: object) -> Target:
    request = DiscoverRequest(path=str(root), **asked)  # type: ignore[arg-type]
    return discover(request, repository=None, ci=NO_CI)


def paths(target: Target) -> list[str]:
    return [file.path for file in target.files]


def reasons(target: Target) -> dict[str, str]:
    return {left.path: left.reason for left in target.left_out}


# ----------------------------------------------------------------------------------------- files


def test_tracked_and_untracked_but_not_ignored(git: Git) -> None:
    git.commit({".gitignore": "*.log\n", "a.py": "1\n", "gone.py": "1\n"})
    git.write({"x.log": "", "b.py": "2\n"})
    (git.root / "gone.py").unlink()
    target = look(git)
    assert paths(target) == [".gitignore", "a.py", "b.py"]
    assert target.files[1].kinds == ("python", "text")
    assert target.left_out == ()


def test_target_of_a_clean_tree(git: Git) -> None:
    commit = git.commit({"a.py": "1\n"})
    git("remote", "add", "origin", "https://u:p@example.org/team/shop.git")
    target = look(git)
    assert (target.kind, target.commit, target.dirty) == ("git", commit, False)
    assert target.tree == git("rev-parse", "HEAD^{tree}")
    assert (target.ref, target.line) == ("refs/heads/main", "main")
    assert target.repository == "example.org/team/shop"
    assert (target.changed, target.base_commit) == (None, "")
    assert target.author is not None
    assert (target.author.name, target.author.source) == ("Ada", "git")


@pytest.mark.parametrize("name", ["a.py", "new.py"])
def test_dirty_by_edit_or_new_file(git: Git, name: str) -> None:
    git.commit({"a.py": "1\n"})
    git.write({name: "2\n"})
    assert look(git).dirty


def test_subdirectory_keeps_paths_of_the_root(git: Git) -> None:
    git.commit({"sub/a.py": "1\n", "subway/b.py": "1\n", "c.py": "1\n"})
    git.write({"c.py": "2\n"})
    target = look(git, path=git.root / "sub")
    assert (target.root, target.prefix) == (str(git.root), "sub")
    assert paths(target) == ["sub/a.py"]
    assert not target.dirty


def test_ignored_subdirectory_is_not_an_empty_tree(git: Git) -> None:
    git.commit({".gitignore": "out/\n"})
    git.write({"out/a.py": "1\n"})
    target = look(git, path=git.root / "out")
    assert (target.kind, paths(target)) == ("plain", ["a.py"])


def test_no_commit_yet(git: Git) -> None:
    git.write({"a.py": "1\n"})
    target = look(git)
    assert (target.commit, target.tree, target.dirty) == ("", "", True)
    assert paths(target) == ["a.py"]


def test_tree_without_code(git: Git) -> None:
    git.commit()
    target = look(git)
    assert (target.files, target.left_out, target.dirty) == ((), (), False)


def test_names_that_are_legal_and_not(git: Git) -> None:
    git.commit({"new\nline.py": "1\n", "é.py": "1\n"})
    (git.root / os.fsdecode(b"bad\xff.py")).write_text("1\n")
    target = look(git, changed_since="HEAD")
    assert paths(target) == ["new\nline.py", "é.py"]
    assert reasons(target) == {"bad\\xff.py": "not-utf8-name"}
    assert target.changed == ("bad\\xff.py",)
    assert encode(target)


def test_submodule_and_inner_repository(git: Git) -> None:
    commit = git.commit({"a.py": "1\n"})
    git("update-index", "--add", "--cacheinfo", f"160000,{commit},sub")
    type(git)(git.root / "inner", git.scratch, git.runner).init().commit({"x.py": "1\n"})
    target = look(git)
    assert reasons(target) == {"sub": "submodule", "inner": "submodule"}
    assert paths(target) == ["a.py"]


def pointer(more: str = "") -> str:
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 12345\n{more}"


def test_lfs_pointer_and_what_only_begins_like_one(git: Git) -> None:
    git.commit({"big.bin": pointer(), "hidden.py": pointer("password = 'x'\n")})
    target = look(git)
    assert reasons(target) == {"big.bin": "lfs-pointer"}
    assert "12345 bytes" in target.left_out[0].detail
    assert paths(target) == ["hidden.py"]


def test_file_filled_in_by_lfs_is_unchanged(git: Git) -> None:
    big = b"x" * 5000
    text = f"version https://git-lfs.github.com/spec/v1\noid sha256:{hashlib.sha256(big).hexdigest()}\nsize 5000\n"
    base = git.commit({"big.bin": text})
    git.write({"big.bin": big})
    target = look(git, changed_since=base)
    assert (target.dirty, target.changed) == (False, ())
    assert [(file.path, file.size_bytes) for file in target.files] == [("big.bin", 5000)]
    git.write({"big.bin": b"y" * 5000})
    assert look(git).dirty


def test_changed_pointer_that_lfs_filled_in_is_changed(git: Git) -> None:
    base = git.commit({"big.bin": pointer()})
    test_file_filled_in_by_lfs_is_unchanged(git)
    assert look(git, changed_since=base).changed == ("big.bin",)


def test_excludes_name_their_pattern(git: Git) -> None:
    git.commit({"tests/cases/a.py": "1\n", "a.py": "1\n"})
    target = look(git, excludes=(PathPattern("tests/cases/", source="secgate.toml"),))
    assert paths(target) == ["a.py"]
    (left,) = target.left_out
    assert (left.path, left.reason, left.detail) == (
        "tests/cases/a.py",
        "excluded",
        "tests/cases/ (secgate.toml)",
    )


def test_files_past_the_limits_are_named(git: Git) -> None:
    git.commit({"a.py": "", "b.py": "", "c.py": "", "d/e/f.py": ""})
    target = look(git, limits=DiscoverLimits(max_files=1, max_depth=2))
    assert paths(target) == ["a.py"]
    assert reasons(target) == {"b.py": "too-many", "d/e/f.py": "too-deep"}
    assert "1 more" in target.left_out[0].detail


def test_sparse_checkout_names_what_is_not_here(git: Git) -> None:
    git.commit({"in/a.py": "1\n", "out/b.py": "1\n"})
    git("sparse-checkout", "set", "in")
    target = look(git)
    assert paths(target) == ["in/a.py"]
    assert reasons(target) == {"out/b.py": "unreadable"}


def test_a_change_whose_base_ci_does_not_name_says_why_and_what_to_give(git: Git) -> None:
    base = git.commit({"a.py": "1\n"})
    git.commit({"a.py": "2\n"})
    env = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "pull_request", "GITHUB_EVENT_PATH": "/nowhere/event.json"}
    facts = ci_facts(env, read=lambda path: Path(path).read_bytes())
    with pytest.raises(IncompleteTargetError) as caught:
        look(git, ci=facts)
    assert "CI (github) runs for a change and does not say what it goes to: the event file" in caught.value.what
    assert "No such file" in caught.value.what
    assert "--changed-since REF" in caught.value.remedy
    assert look(git, ci=facts, changed_since=base).changed == ("a.py",)


# ----------------------------------------------------------------------------------------- plain


def test_plain_directory_without_vendored_folders(tmp_path: Path) -> None:
    for name in ("a.py", "node_modules/x.js", "src/build/y.py", "env/lib/z.py", "src/b.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1\n")
    (tmp_path / "env" / "pyvenv.cfg").write_text("")
    target = plain(tmp_path)
    assert (target.kind, target.commit, target.changed) == ("plain", "", None)
    assert paths(target) == ["a.py", "src/b.py"]
    assert reasons(target) == {"env": "excluded", "node_modules": "excluded", "src/build": "excluded"}
    assert target.repository == tmp_path.name


def test_a_tree_whose_files_nobody_asks_for_is_not_walked(tmp_path: Path, git: Git) -> None:
    (tmp_path / "a.py").write_text("1\n")
    assert paths(plain(tmp_path)) == ["a.py"]
    folder = plain(tmp_path, listed=False)
    assert (folder.kind, folder.files, folder.left_out) == ("plain", (), ())
    commit = git.commit({"a.py": "1\n"})
    git.write({"b.py": "2\n", "a.py": "3\n"})
    tree = look(git, listed=False)
    assert (tree.files, tree.left_out, tree.commit, tree.dirty) == ((), (), commit, True)


def test_plain_deep_tree_ends(tmp_path: Path) -> None:
    deep = tmp_path
    for _ in range(100):
        deep /= "d"
        deep.mkdir()
    (deep / "a.py").write_text("")
    target = plain(tmp_path)
    assert [left.reason for left in target.left_out] == ["too-deep"]


def test_empty_plain_directory(tmp_path: Path) -> None:
    target = plain(tmp_path)
    assert (target.files, target.left_out, target.scope) == ((), (), Scope.LOCAL)


@pytest.mark.parametrize("asked", [{"staged": True}, {"changed_since": "main"}, {"scope": Scope.CHANGE}])
def test_plain_directory_has_no_change(tmp_path: Path, asked: dict[str, object]) -> None:
    with pytest.raises(TargetError, match="no git repository"):
        plain(tmp_path, **asked)


def test_missing_path_and_file(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("")
    with pytest.raises(TargetError, match="No such file"):
        plain(tmp_path / "nowhere")
    with pytest.raises(TargetError, match="not a tree") as raised:
        plain(tmp_path / "a.py")
    assert "secgate check" in raised.value.remedy


# ---------------------------------------------------------------------------------------- change


def branch(git: Git) -> str:
    """Leave HEAD on `side`, one commit ahead of where it left main, which has moved on."""
    base = git.commit({"a.py": "1\n", "gone.py": "1\n", "old.py": TEXT})
    git("checkout", "--quiet", "-b", "side")
    (git.root / "gone.py").unlink()
    (git.root / "old.py").rename(git.root / "new.py")
    git.commit({"b.py": "2\n"})
    git("checkout", "--quiet", "main")
    git.commit({"other.py": "3\n"})
    git("checkout", "--quiet", "side")
    return base


def test_changed_since_counts_commits_edits_and_new_files(git: Git) -> None:
    base = branch(git)
    git.write({"a.py": "edited\n", "untracked.py": "4\n"})
    target = look(git, changed_since="main")
    assert target.changed == ("a.py", "b.py", "new.py", "untracked.py")
    assert target.deleted == ("gone.py",)
    assert target.renames == (Rename(old="old.py", new="new.py"),)
    assert (target.base_commit, target.base_ref) == (base, "main")
    assert target.change_commits == (git("rev-parse", "HEAD"),)
    assert (target.scope, target.scope_basis) == (Scope.LOCAL, "no CI")


def test_commits_of_the_change_oldest_first(git: Git) -> None:
    git.commit({"a.py": "1\n"})
    commits = [git.commit({"a.py": f"{number}\n"}) for number in (2, 3)]
    assert look(git, changed_since="HEAD~2").change_commits == tuple(commits)


def test_nothing_changed_is_not_everything(git: Git) -> None:
    git.commit({"a.py": "1\n"})
    assert look(git, changed_since="HEAD").changed == ()
    assert look(git, staged=True).changed == ()


def test_only_a_deletion(git: Git) -> None:
    git.commit({"a.py": "1\n", "b.py": "1\n"})
    git("rm", "--quiet", "b.py")
    git.commit()
    target = look(git, changed_since="HEAD~1")
    assert (target.changed, target.deleted) == ((), ("b.py",))


def test_change_outside_of_the_subdirectory(git: Git) -> None:
    git.commit({"sub/a.py": "1\n"})
    git.commit({"b.py": "1\n", "secgate.toml": "x\n"})
    target = look(git, path=git.root / "sub", changed_since="HEAD~1")
    assert target.changed == ()
    assert target.gate_changes == ("secgate.toml",)


def test_unknown_reference(git: Git) -> None:
    git.commit({"a.py": "1\n"})
    with pytest.raises(TargetError, match="no commit 'nowhere'") as raised:
        look(git, changed_since="nowhere")
    assert raised.value.remedy


def test_no_common_history(git: Git) -> None:
    git.commit({"a.py": "1\n"})
    git("checkout", "--quiet", "--orphan", "island")
    git.commit({"b.py": "1\n"})
    with pytest.raises(TargetError, match="no common history"):
        look(git, changed_since="main")


def test_change_before_the_first_commit(git: Git) -> None:
    git.write({"a.py": "1\n"})
    git("add", "a.py")
    assert look(git, staged=True).changed == ("a.py",)
    with pytest.raises(TargetError, match="there is no commit 'main'"):
        look(git, changed_since="main")


def test_staged_reads_the_index(git: Git) -> None:
    head = git.commit({"a.py": "1\n", "same.yaml": "x: 1\n"})
    git.write({"a.py": "22\n", "run": "#!/bin/sh\n"})
    git("add", "--all")
    git.write({"a.py": "later\n", "untracked.py": "3\n", "run": "#!/usr/bin/python\n"})
    target = look(git, staged=True)
    assert target.source is Source.INDEX
    assert [(file.path, file.size_bytes) for file in target.files] == [
        ("a.py", 3),
        ("run", 10),
        ("same.yaml", 5),
    ]
    assert target.files[1].kinds == ("shell", "text")
    assert (target.changed, target.base_commit, target.dirty) == (("a.py", "run"), head, True)
    assert target.scope is Scope.LOCAL


def test_staged_links_submodules_and_promised_files(git: Git) -> None:
    commit = git.commit({"a.py": "1\n"})
    (git.root / "out").symlink_to("/etc/passwd")
    (git.root / "in").symlink_to("a.py")
    git("add", "--all")
    git("update-index", "--add", "--cacheinfo", f"160000,{commit},sub")
    git.write({"later.py": "1\n"})
    git("add", "--intent-to-add", "later.py")
    target = look(git, staged=True)
    assert reasons(target) == {"in": "link", "out": "link-outside", "sub": "submodule"}
    assert paths(target) == ["a.py", "later.py"]


def test_staged_and_changed_since_exclude_each_other(git: Git) -> None:
    git.commit({"a.py": "1\n"})
    with pytest.raises(TargetError, match="exclude each other"):
        look(git, staged=True, changed_since="HEAD")


# --------------------------------------------------------------------------------- shallow clones


def shallow(git: Git, depth: int) -> Git:
    git("clone", "--quiet", f"--depth={depth}", "--branch=side", f"file://{git.root}", "../shallow")
    return type(git)(git.root.parent / "shallow", git.scratch, git.runner)


@pytest.mark.parametrize("ref", ["origin/main", "main"])
def test_shallow_clone_says_how_to_fetch_and_that_works(git: Git, ref: str) -> None:
    base = branch(git)
    cut = shallow(git, depth=1)
    with pytest.raises(IncompleteTargetError) as raised:
        look(cut, changed_since=ref)
    _, command, _ = raised.value.remedy.split("`")
    cut(*command.split()[1:])
    assert look(cut, changed_since="origin/main").base_commit == base


def test_shallow_clone_in_ci(git: Git) -> None:
    base = branch(git)
    cut = shallow(git, depth=1)
    ci = CIFacts(provider="github", event="pull_request", is_change=True, base_ref="main", base_commit=base)
    with pytest.raises(IncompleteTargetError, match="base of this change, main") as raised:
        look(cut, ci=ci)
    assert "git fetch --unshallow origin +refs/heads/main:refs/remotes/origin/main" in raised.value.remedy


def test_change_whose_first_commits_were_cut_off(git: Git) -> None:
    git.commit({"a.py": "1\n"})
    git("checkout", "--quiet", "-b", "side")
    git.commit({"b.py": "password\n"})
    git.commit({"b.py": "clean\n"})
    git("checkout", "--quiet", "-b", "merged", "main")
    git("merge", "--quiet", "--no-ff", "--message", "merge", "side")
    git("branch", "--quiet", "--force", "side")
    cut = shallow(git, depth=2)
    with pytest.raises(IncompleteTargetError, match="some commits of the change"):
        look(cut, changed_since="HEAD^1")


# ----------------------------------------------------------------------------------------- scope


def on(commit: str, *, protected: bool = True) -> CIFacts:
    return CIFacts(provider="github", event="push", head_commit=commit, is_protected=protected)


def test_ci_pull_request_is_a_change(git: Git) -> None:
    base = branch(git)
    ci = CIFacts(provider="github", event="pull_request", is_change=True, base_ref="main", base_commit=base)
    target = look(git, ci=ci)
    assert (target.scope, target.scope_basis) == (Scope.CHANGE, "github: pull_request")
    assert (target.base_commit, target.base_ref, target.line) == (base, "main", "main")
    assert target.changed == ("b.py", "new.py")


def test_ci_base_by_branch_name(git: Git) -> None:
    base = branch(git)
    ci = CIFacts(provider="jenkins", event="change", is_change=True, base_ref="main")
    assert look(git, ci=ci).base_commit == base


def test_ci_change_without_a_base_is_never_everything(git: Git) -> None:
    git.commit({"a.py": "1\n"})
    with pytest.raises(IncompleteTargetError, match="does not say what it goes to"):
        look(git, ci=CIFacts(provider="github", event="pull_request", is_change=True))


def test_protected_by_the_word_of_ci(git: Git) -> None:
    target = look(git, ci=on(git.commit({"a.py": "1\n"})))
    assert (target.scope, target.scope_basis) == (
        Scope.PROTECTED,
        "github: push on a protected reference",
    )


def test_word_of_ci_holds_for_its_commit_only(git: Git) -> None:
    git.commit({"a.py": "1\n"})
    target = look(git, ci=on("f" * 40))
    assert (target.scope, target.scope_basis) == (
        Scope.LOCAL,
        "github: push: HEAD is not the commit that CI runs on",
    )


def test_a_laptop_is_local_on_every_branch(git: Git) -> None:
    git.commit({"a.py": "1\n"})
    assert look(git).scope is Scope.LOCAL


def test_unprotected_push_is_local(git: Git) -> None:
    commit = git.commit({"a.py": "1\n"})
    assert look(git, ci=on(commit, protected=False)).scope is Scope.LOCAL


def test_option_and_enforced_layer_say_scope(git: Git) -> None:
    git.commit({"a.py": "1\n"})
    target = look(git, scope=Scope.PROTECTED, scope_source="enforced layer", ref="release/1")
    assert (target.scope, target.scope_basis) == (Scope.PROTECTED, "enforced layer")
    assert (target.ref, target.line) == ("release/1", "release/1")


def test_scope_change_by_option_needs_a_base(git: Git) -> None:
    base = branch(git)
    with pytest.raises(TargetError, match="measured against"):
        look(git, scope=Scope.CHANGE)
    git("update-ref", "refs/remotes/origin/main", base)
    target = look(git, scope=Scope.CHANGE)
    assert (target.base_ref, target.line, target.base_commit) == ("origin/main", "main", base)


# ------------------------------------------------------------------------------------------ gate


def test_changes_of_what_judges_are_named(git: Git) -> None:
    files = ("secgate.toml", ".github/workflows/x.yml", "a/.semgrepignore", "rules/own.rego", "a.py")
    git.commit({"a.py": "0\n", "allowed_signers": "1\n"})
    git("rm", "--quiet", "allowed_signers")
    git.commit(dict.fromkeys(files, "1\n"))
    target = look(git, changed_since="HEAD~1", gate_paths=(PathPattern("/rules/"),))
    assert target.gate_changes == (
        ".github/workflows/x.yml",
        "a/.semgrepignore",
        "allowed_signers",
        "rules/own.rego",
        "secgate.toml",
    )


def test_edits_of_what_judges_are_named_without_a_change(git: Git) -> None:
    git.commit({"a.py": "0\n", "secgate.toml": "1\n"})
    git.write({"secgate.toml": "2\n", "a.py": "1\n"})
    assert look(git).gate_changes == ("secgate.toml",)


# ---------------------------------------------------------------------------------------- threats


def test_threat_14_links_and_special_files_in_git(git: Git) -> None:
    git.commit({"a.py": "1\n", "pipe.py": "1\n", "folder/b.py": "1\n"})
    (git.root / "out").symlink_to("/etc/passwd")
    (git.root / "up").symlink_to("../../etc")
    (git.root / "in").symlink_to("a.py")
    (git.root / "broken").symlink_to("nowhere")
    (git.root / "pipe.py").unlink()
    os.mkfifo(git.root / "pipe.py")
    (git.root / "folder").rename(git.root / "moved")
    (git.root / "folder").symlink_to("/etc")
    target = look(git)
    assert paths(target) == ["a.py", "moved/b.py"]
    assert reasons(target) == {
        "broken": "link",
        "folder": "link-outside",
        "in": "link",
        "out": "link-outside",
        "pipe.py": "special",
        "up": "link-outside",
    }


def test_threat_14_links_and_special_files_in_a_plain_directory(tmp_path: Path) -> None:
    (tmp_path / "out").symlink_to("/etc")
    (tmp_path / "loop").symlink_to(".")
    os.mkfifo(tmp_path / "pipe.py")
    with socket.socket(socket.AF_UNIX) as server:
        place = os.open(tmp_path, os.O_RDONLY)
        server.bind(f"/proc/self/fd/{place}/s.py")
        os.close(place)
        target = plain(tmp_path)
    assert paths(target) == []
    assert reasons(target) == {"loop": "link", "out": "link-outside", "pipe.py": "special", "s.py": "special"}


def test_threat_14_unreadable_file_is_named(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root reads everything")
    (tmp_path / "a.py").write_text("1\n")
    (tmp_path / "a.py").chmod(0)
    (tmp_path / "locked").mkdir(mode=0)
    assert reasons(plain(tmp_path)) == {"a.py": "unreadable", "locked": "unreadable"}
