"""Who wrote which lines: git's porcelain, and a real repository."""

from __future__ import annotations

import pytest

from secgate.errors import TargetError
from secgate.repository.blame import read_blame
from tests.unit.conftest import Git

ONE = "a" * 40
TWO = "b" * 40


def told(commit: str, line: int, text: bytes = b"x", *rows: bytes) -> bytes:
    head = f"{commit} 1 {line} 1".encode()
    return b"\n".join((head, *rows, b"\t" + text, b""))


def test_a_commit_is_told_once_and_counts_for_all_its_lines() -> None:
    author = (b"author Ada L", b"author-time 7")
    data = told(ONE, 3, b"x", *author) + told(TWO, 4, b"y", b"author Bob", b"author-time 9") + told(ONE, 5)
    assert [(one.line, one.name, one.written_epoch_s) for one in read_blame(data)] == [
        (3, "Ada L", 7),
        (4, "Bob", 9),
        (5, "Ada L", 7),
    ]


def test_a_scanned_line_that_looks_like_a_head_is_text() -> None:
    data = told(ONE, 1, f"{TWO} 1 2 1".encode(), b"author Ada", b"author-time 7")
    assert [one.line for one in read_blame(data)] == [1]


def test_a_commit_without_an_author_is_refused() -> None:
    with pytest.raises(TargetError, match="authors"):
        read_blame(told(ONE, 1))


def test_git_says_who_wrote_a_line_of_a_commit(git: Git) -> None:
    commit = git.commit({"a.py": "one\ntwo\n"})
    git.commit({"a.py": "one\nother\n"})
    found = git.open().line_authors(commit, "a.py", 2, 2)
    assert [(one.line, one.name, one.commit) for one in found] == [(2, "Ada", commit)]
