"""A file put in the place of another: whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from secgate.replacing import replace_file


def test_a_file_is_replaced_and_keeps_its_permissions(tmp_path: Path) -> None:
    """Whoever narrowed them meant it."""
    path = tmp_path / "a.json"
    path.write_bytes(b"old")
    path.chmod(0o600)
    replace_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_file_gets_the_permissions_of_any_new_file(tmp_path: Path) -> None:
    """Not those of a temporary one, which nobody else could read."""
    beside = tmp_path / "beside"
    beside.touch()
    replace_file(tmp_path / "new", b"x")
    assert (tmp_path / "new").stat().st_mode == beside.stat().st_mode


def test_permissions_that_are_asked_for_count(tmp_path: Path) -> None:
    """Over those that were there, too."""
    path = tmp_path / "a"
    path.touch(mode=0o600)
    replace_file(path, b"x", mode=0o644)
    assert path.stat().st_mode & 0o777 == 0o644


def test_nothing_is_left_and_nothing_lost_where_it_fails(tmp_path: Path) -> None:
    """A folder stands in its place: what is there stays, and no half file beside it."""
    (tmp_path / "place" / "kept").mkdir(parents=True)
    with pytest.raises(IsADirectoryError):
        replace_file(tmp_path / "place", b"x")
    assert list(tmp_path.iterdir()) == [tmp_path / "place"]
    assert (tmp_path / "place" / "kept").is_dir()
