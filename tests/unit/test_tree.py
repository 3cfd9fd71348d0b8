"""Opening files without following anything."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secgate.tree import NotOfferedError, Tree, link


def read(tree: Tree, path: str) -> bytes:
    with tree.opened(path) as (descriptor, _):
        return os.read(descriptor, 100)


def reason(tree: Tree, path: str) -> str:
    with pytest.raises(NotOfferedError) as raised:
        read(tree, path)
    return raised.value.reason


def test_files_in_any_order_of_folders(tmp_path: Path) -> None:
    for name in ("a/b/1", "a/c/2", "3", "d/4"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    with Tree(str(tmp_path)) as tree:
        for name in ("a/c/2", "3", "a/b/1", "d/4", "a/b/1"):
            assert read(tree, name) == name.encode()


@pytest.mark.parametrize("path", ["../x", "a/../x", "", ".", "..", "a//x", "/etc/passwd", "a/"])
def test_threat_14_no_way_out_by_name(tmp_path: Path, path: str) -> None:
    (tmp_path / "x").write_text("outside")
    (tmp_path / "root" / "a").mkdir(parents=True)
    (tmp_path / "root" / "a" / "x").write_text("inside")
    with Tree(str(tmp_path / "root")) as tree:
        assert reason(tree, path) == "special"


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "x").write_text("1")
    (tmp_path / "a" / "l").symlink_to("b")
    os.mkfifo(tmp_path / "p")
    before = len(list(Path("/proc/self/fd").iterdir()))
    with Tree(str(tmp_path)) as tree:
        read(tree, "a/b/x")
        assert [reason(tree, path) for path in ("a/l", "p", "a/l/x", "a", "no/x")] == ["link", "special", "", "", ""]
        assert tree.names("a") == [("b", True), ("l", False)]
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.parametrize(
    ("path", "target", "reason"),
    [
        ("a/l", "b", "link"),
        ("a/l", "../b", "link"),
        ("a/l", "../../b", "link-outside"),
        ("l", "..", "link-outside"),
        ("l", "/etc", "link-outside"),
        ("l", "/tree/x", "link"),
        ("l", "/tree2/x", "link-outside"),
        ("l", "/tree/../etc", "link-outside"),
    ],
)
def test_where_a_link_leads(path: str, target: str, reason: str) -> None:
    assert link(path, target, root="/tree").reason == reason


@given(st.text(alphabet="ab./", max_size=12))
def test_a_link_called_inside_is_inside(target: str) -> None:
    if link("x/l", target).reason == "link":
        assert os.path.normpath(f"/root/x/{target}").startswith("/root")
