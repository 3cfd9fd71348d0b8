"""Views of a work tree, an index, a base and a change's commits."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from secgate.discover import CIFacts, DiscoverRequest, discover
from secgate.errors import IncompleteTargetError, InternalError
from secgate.model import Origin, Source, SourceFile, Target, View
from secgate.patterns import PathPattern
from secgate.repository import Repository
from secgate.view import (
    TOOL_CONFIGURATION,
    ViewLimits,
    base_files,
    make_base_view,
    make_history_view,
    make_view,
    view_files,
)

if TYPE_CHECKING:
    from tests.unit.conftest import Git

TEXT = "".join(f"line {number}\n" for number in range(30))


def look(git: Git, **asked: object) -> tuple[Target, Repository]:
    repository = git.open()
    request = DiscoverRequest(path=str(git.root), **asked)  # type: ignore[arg-type]
    return discover(request, repository=repository, ci=CIFacts()), repository


def plain(root: Path) -> Target:
    return discover(DiscoverRequest(path=str(root)), repository=None, ci=CIFacts())


def full_view(git: Git, **asked: object) -> tuple[Target, View]:
    target, repository = look(git, **asked)
    directory = str(git.scratch / "view")
    return target, make_view(target, target.files, repository=repository, directory=directory)


def plain_view(root: Path, directory: Path, limits: ViewLimits | None = None) -> View:
    target = plain(root)
    return make_view(target, target.files, repository=None, directory=str(directory), limits=limits)


def contents(view: View) -> dict[str, bytes]:
    root = Path(view.root)
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


# ------------------------------------------------------------------------------------- work tree


def test_only_what_was_asked_for(git: Git) -> None:
    git.commit({"a.py": "1\n", "sub/b.py": "2\n"})
    target, repository = look(git)
    wanted = [file for file in target.files if file.path == "sub/b.py"]
    view = make_view(target, wanted, repository=repository, directory=str(git.scratch / "view"))
    assert contents(view) == {"sub/b.py": b"2\n"}
    assert view.digests == {"sub/b.py": hashlib.sha256(b"2\n").hexdigest()}
    assert (view.left_out, view.origins, view.source) == ((), {}, Source.WORK_TREE)


def test_odd_names_and_bytes(git: Git) -> None:
    files = {"new\nline.py": b"\xff\xfe\0", "-rf": b"", "a b/é'\".py": b"x", "$(touch x)": b"y"}
    git.commit(files)
    _, view = full_view(git)
    assert contents(view) == files


def test_fifty_megabytes_are_copied(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    with (tmp_path / "tree" / "big.bin").open("wb") as file:
        file.truncate(50 * 1024 * 1024)
    view = plain_view(tmp_path / "tree", tmp_path / "view")
    assert (tmp_path / "view" / "big.bin").stat().st_size == 50 * 1024 * 1024
    assert view.left_out == ()


@pytest.mark.parametrize("limits", [ViewLimits(max_file_bytes=9), ViewLimits(max_total_bytes=9)])
def test_too_large_is_named(tmp_path: Path, limits: ViewLimits) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "big.py").write_text("x" * 10)
    (tmp_path / "tree" / "small.py").write_text("x")
    view = plain_view(tmp_path / "tree", tmp_path / "view", limits)
    assert contents(view) == {"small.py": b"x"}
    assert [(left.path, left.reason) for left in view.left_out] == [("big.py", "too-large")]


def test_file_that_went_away_is_named(git: Git) -> None:
    git.commit({"a.py": "1\n"})
    target, repository = look(git)
    (git.root / "a.py").unlink()
    view = make_view(target, target.files, repository=repository, directory=str(git.scratch / "view"))
    assert [(left.path, left.reason, left.detail) for left in view.left_out] == [("a.py", "unreadable", "not there")]


def test_directory_must_be_new(git: Git) -> None:
    git.commit({"a.py": "1\n"})
    (git.scratch / "view").mkdir()
    with pytest.raises(InternalError):
        full_view(git)


def test_disk_that_takes_nothing_is_loud(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("1\n")
    target = plain(tmp_path)
    with pytest.raises(IncompleteTargetError, match="cannot be copied"):
        make_view(target, target.files, repository=None, directory=str(tmp_path / "no" / "view"))


def test_view_does_not_share_bytes_with_the_tree(git: Git) -> None:
    git.commit({"a.py": "1\n"})
    _, view = full_view(git)
    Path(view.root, "a.py").write_text("written by a tool\n")
    assert (git.root / "a.py").read_text() == "1\n"


def test_files_of_a_view_have_kinds(git: Git) -> None:
    git.commit({"run": "#!/usr/bin/python3\n"})
    (git.root / "run").chmod(0o755)
    target, view = full_view(git)
    assert view_files(target, view) == target.files
    assert target.files[0].executable


# ------------------------------------------------------------------------------- index and commits


def test_index_and_not_the_work_tree(git: Git) -> None:
    git.commit({"a.py": "1\n", "b.py": "1\n"})
    git.write({"a.py": "staged\n"})
    git("add", "a.py")
    git.write({"a.py": "later\n", "b.py": "later\n"})
    target, view = full_view(git, staged=True)
    assert contents(view) == {"a.py": b"staged\n", "b.py": b"1\n"}
    assert view.source is Source.INDEX
    assert view_files(target, view) == target.files


def test_equal_files_of_the_index_and_one_too_large(git: Git) -> None:
    git.commit({"a.py": "same\n", "b.py": "same\n", "big.py": "x" * 100})
    target, repository = look(git, staged=True)
    view = make_view(
        target,
        target.files,
        repository=repository,
        directory=str(git.scratch / "view"),
        limits=ViewLimits(max_file_bytes=50),
    )
    assert sorted(contents(view)) == ["a.py", "b.py"]
    assert [(left.path, left.reason) for left in view.left_out] == [("big.py", "too-large")]


def test_base_with_old_names(git: Git) -> None:
    git.commit({"old.py": TEXT, "a.py": "1\n", "other.py": "1\n"})
    (git.root / "old.py").unlink()
    git.commit({"new.py": TEXT + "more\n", "a.py": "2\n", "added.py": "1\n"})
    target, repository = look(git, changed_since="HEAD~1")
    assert target.changed is not None
    assert sorted(base_files(target, target.changed, repository=repository)) == ["a.py", "old.py"]
    directory = str(git.scratch / "base")
    view = make_base_view(target, target.changed, repository=repository, directory=directory)
    assert contents(view) == {"a.py": b"1\n", "old.py": TEXT.encode()}
    assert [file.kinds[0] for file in view_files(target, view)] == ["python", "python"]
    assert view.source is Source.COMMIT


def test_base_of_a_staged_run_and_of_none(git: Git) -> None:
    git.commit({"a.py": "1\n"})
    git.write({"a.py": "2\n"})
    git("add", "a.py")
    target, repository = look(git, staged=True)
    view = make_base_view(target, ["a.py"], repository=repository, directory=str(git.scratch / "base"))
    assert contents(view) == {"a.py": b"1\n"}
    assert base_files(look(git)[0], ["a.py"], repository=repository) == {}


def history(git: Git, **asked: object) -> View:
    target, repository = look(git, changed_since="HEAD~3")
    return make_history_view(
        target,
        repository=repository,
        directory=str(git.scratch / "history"),
        **asked,  # type: ignore[arg-type]
    )


def three_commits(git: Git) -> tuple[str, str, str]:
    git.commit({"a.py": "0\n"})
    first = git.commit({"a.py": "secret\n", "end.py": "stays\n", ".semgrepignore": "x\n"})
    (git.root / ".semgrepignore").unlink()
    second = git.commit({"a.py": "clean\n", "gone.py": "secret\n"})
    (git.root / "gone.py").unlink()
    third = git.commit({"a.py": "secret\n"})
    return first, second, third


def test_history_holds_what_the_end_does_not(git: Git) -> None:
    first, second, _ = three_commits(git)
    git.write({"a.py": "edited\n"})
    view = history(git)
    assert contents(view) == {
        "hist/1/a.py": b"secret\n",
        "hist/2/a.py": b"clean\n",
        "hist/2/gone.py": b"secret\n",
        "secgate-inert/1.txt": b"x\n",
    }
    assert view.origins == {
        "hist/1/a.py": Origin(commit=first, path="a.py"),
        "hist/2/a.py": Origin(commit=second, path="a.py"),
        "hist/2/gone.py": Origin(commit=second, path="gone.py"),
        "secgate-inert/1.txt": Origin(commit=first, path=".semgrepignore"),
    }


def test_history_leaves_out_what_the_end_holds(git: Git) -> None:
    three_commits(git)
    view = history(git, excludes=(PathPattern("gone.py"), PathPattern(".semgrepignore")))
    assert sorted(view.digests) == ["hist/2/a.py"]


def test_history_names_links_and_large_files(git: Git) -> None:
    three_commits(git)
    (git.root / "link").symlink_to("a.py")
    commit = git.commit({"big.py": "x" * 100})
    (git.root / "link").unlink()
    git.commit({"big.py": "1\n"})
    view = history(git, limits=ViewLimits(max_file_bytes=50))
    assert [(left.path, left.reason) for left in view.left_out] == [("big.py", "too-large"), ("link", "link")]
    assert all(commit in left.detail for left in view.left_out)


# ---------------------------------------------------------------------------------------- threats


def test_threat_01_nothing_in_the_view_can_be_run_or_seen_by_others(git: Git) -> None:
    git.commit({"run.sh": "#!/bin/sh\n", ".checkov.yaml": "external-checks-dir: [x]\n"})
    (git.root / "run.sh").chmod(0o777)
    _, view = full_view(git)
    assert not Path(view.root, ".checkov.yaml").exists()
    modes = {stat.S_IMODE(path.stat().st_mode) for path in Path(view.root).rglob("*") if path.is_file()}
    assert modes == {0o600}
    assert stat.S_IMODE(Path(view.root).stat().st_mode) == 0o700


def sample(pattern: str) -> str:
    return "sub/" + (pattern + "x.yml" if pattern.endswith("/") else pattern.replace("*", ".yaml"))


@pytest.mark.parametrize("pattern", [pattern for pattern, _ in TOOL_CONFIGURATION])
def test_threat_06_tool_configuration_keeps_its_bytes_and_loses_its_name(tmp_path: Path, pattern: str) -> None:
    name = sample(pattern)
    (tmp_path / "tree" / name).parent.mkdir(parents=True)
    (tmp_path / "tree" / name).write_text("password\n")
    view = plain_view(tmp_path / "tree", tmp_path / "view")
    ((place, content),) = contents(view).items()
    assert place.startswith("secgate-inert/1.")
    assert content == b"password\n"
    assert view.origins == {place: Origin(commit="", path=name)}
    assert [(left.path, left.reason) for left in view.left_out] == [(name, "tool-configuration")]


def test_threat_06_a_manifest_cannot_hide_as_tool_configuration(git: Git) -> None:
    git.commit({".checkov.yaml": "apiVersion: v1\nkind: Pod\n", "secgate-inert/1.yaml": "x: 1\n"})
    target, view = full_view(git)
    files = {file.path: file.kinds for file in view_files(target, view)}
    assert files["secgate-inert-/1.yaml"] == ("kubernetes", "yaml", "text")
    assert files["secgate-inert/1.yaml"] == ("yaml", "text")


def test_threat_06_files_with_other_uses_stay(git: Git) -> None:
    git.commit({"pyproject.toml": "", "setup.cfg": "", "tox.ini": ""})
    _, view = full_view(git)
    assert sorted(view.digests) == ["pyproject.toml", "setup.cfg", "tox.ini"]


def test_threat_14_a_link_put_in_place_after_listing_leads_nowhere(git: Git) -> None:
    git.commit({"a.py": "1\n", "sub/b.py": "1\n", "pipe.py": "1\n"})
    (git.root.parent / "outside").mkdir()
    (git.root.parent / "outside" / "b.py").write_text("secret\n")
    target, repository = look(git)
    (git.root / "a.py").unlink()
    (git.root / "a.py").symlink_to("/etc/passwd")
    (git.root / "sub").rename(git.root / "moved")
    (git.root / "sub").symlink_to("../outside")
    (git.root / "pipe.py").unlink()
    os.mkfifo(git.root / "pipe.py")
    view = make_view(target, target.files, repository=repository, directory=str(git.scratch / "view"))
    assert contents(view) == {}
    assert {left.path: left.reason for left in view.left_out} == {
        "a.py": "link-outside",
        "pipe.py": "special",
        "sub/b.py": "unreadable",
    }


def tree_object(git: Git, *entries: tuple[str, str, str]) -> str:
    data = b"".join(f"{mode} {name}\0".encode() + bytes.fromhex(blob) for mode, name, blob in entries)
    return git("hash-object", "-t", "tree", "-w", "--literally", "--stdin", stdin=data)


def test_threat_14_objects_made_by_hand_do_not_leave_the_view(git: Git) -> None:
    git.commit({"a.py": "1\n"})
    blob = git("rev-parse", "HEAD:a.py")
    inner = tree_object(git, ("100644", "evil.py", blob))
    top = tree_object(
        git,
        ("40000", "..", inner),
        ("40000", ".GIT", inner),
        ("100644", "a", blob),
        ("40000", "a", inner),
        ("100644", "good.py", blob),
    )
    base = git("commit-tree", top, "-m", "evil")
    target, repository = look(git)
    evil = Target(
        root=target.root,
        kind="git",
        repository="r",
        scope=target.scope,
        scope_basis="test",
        base_commit=base,
    )
    paths = ["../evil.py", ".GIT/evil.py", "a", "a/evil.py", "good.py"]
    directory = git.scratch / "deep" / "view"
    directory.parent.mkdir()
    view = make_base_view(evil, paths, repository=repository, directory=str(directory))
    assert len(contents(view)) == 2
    assert {left.path: left.reason for left in view.left_out}.items() >= {
        "../evil.py": "special",
        ".GIT/evil.py": "special",
    }.items()
    assert sorted(path.name for path in directory.parent.iterdir()) == ["view"]
    assert len(view.left_out) == 3


def test_threat_14_a_path_that_was_not_listed_is_not_followed(git: Git) -> None:
    git.commit({"a.py": "1\n"})
    target, repository = look(git)
    (git.root.parent / "secret.py").write_text("secret\n")
    asked = [SourceFile(path="../secret.py", size_bytes=1), SourceFile(path="/etc/passwd", size_bytes=1)]
    view = make_view(target, asked, repository=repository, directory=str(git.scratch / "view"))
    assert contents(view) == {}
    assert [left.reason for left in view.left_out] == ["special", "special"]
