"""Which lines of a file a change brought, whatever the file's own lines and the tree's attributes say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secgate.model import Source
from secgate.repository.changes import read_spans
from tests.unit.conftest import Git

OLD = "".join(f"line {number}\n" for number in range(1, 11))


def spans(git: Git, path: str, *, source: Source = Source.WORK_TREE, before: str = "") -> list[tuple[int, int]]:
    repository = git.open()
    return list(repository.spans("HEAD~1", path, source=source, new="HEAD", before=before))


@pytest.mark.parametrize("source", [Source.WORK_TREE, Source.COMMIT, Source.INDEX])
def test_lines_that_came_are_told_and_lines_that_went_are_not(git: Git, source: Source) -> None:
    git.commit({"a.py": OLD})
    lines = OLD.splitlines(keepends=True)
    del lines[7]
    git.commit({"a.py": "".join([lines[0], "new\n", "new\n", *lines[1:5], "changed\n", *lines[6:]])})
    assert spans(git, "a.py", source=source) == [(2, 3), (8, 8)]


def test_each_source_is_read_for_itself(git: Git) -> None:
    git.commit({"a.py": OLD})
    git.commit({"a.py": "committed\n" + OLD})
    git.write({"a.py": "committed\n" + OLD + "staged\n"})
    git("add", "a.py")
    git.write({"a.py": "committed\n" + OLD + "staged\nedited\n"})
    assert spans(git, "a.py", source=Source.COMMIT) == [(1, 1)]
    assert spans(git, "a.py", source=Source.INDEX) == [(1, 1), (12, 12)]
    assert spans(git, "a.py") == [(1, 1), (12, 13)]


def test_a_new_file_is_new_from_end_to_end_and_an_old_one_nowhere(git: Git) -> None:
    git.commit({"old.py": OLD})
    git.commit({"new.py": "a\nb\nc"})
    assert (spans(git, "new.py"), spans(git, "old.py"), spans(git, "gone.py")) == ([(1, 3)], [], [])
    assert list(git.open().spans("", "old.py", source=Source.WORK_TREE)) == [(1, 10)]


def test_a_renamed_file_is_new_where_it_was_edited(git: Git) -> None:
    git.commit({"a.py": OLD})
    git("mv", "a.py", "b.py")
    git.commit({"b.py": OLD + "more\n"})
    assert spans(git, "b.py", before="a.py") == [(11, 11)]
    assert spans(git, "b.py", source=Source.COMMIT, before="a.py") == [(11, 11)]


@pytest.mark.parametrize("hostile", ["*.py -diff\n", "*.py binary\n", "*.py diff=evil\n", "*.py text eol=crlf\n"])
def test_what_the_tree_says_of_its_files_hides_no_line(git: Git, hostile: str) -> None:
    git.commit({"a.py": OLD, ".gitattributes": hostile})
    git("config", "diff.evil.textconv", "false")
    git("config", "diff.evil.command", "touch owned")
    git.commit({"a.py": OLD + "more\n"})
    assert spans(git, "a.py") == [(11, 11)]
    assert not (git.root / "owned").exists()


@pytest.mark.parametrize("name", ["*.py", ":(top)a.py", "-x.py", 'qu"o\\te.py', "l\u00e4nge.py", "new\nline.py"])
def test_a_name_is_a_name(git: Git, name: str) -> None:
    git.commit({name: OLD, "other.py": OLD})
    git.commit({name: "more\n" + OLD, "other.py": OLD + "more\n"})
    assert spans(git, name) == [(1, 1)]


LINES = st.sampled_from(
    ["a\n", "@@ -1 +1 @@\n", "--- a/x\n", "+++ b/x\n", "diff --git a/x b/x\n", "\\ No newline at end of file\n", "\r\n"]
)


def patch(was: list[str], now: list[str], start: int) -> bytes:
    """A hunk as git writes it."""
    body = "".join(f"-{line}" for line in was) + "".join(f"+{line}" for line in now)
    head = f"diff --git a/f b/f\n--- a/f\n+++ b/f\n@@ -{start},{len(was)} +{start},{len(now)} @@ @@ -1 +9 @@\n"
    return (head + body).encode()


@given(st.lists(LINES), st.lists(LINES), st.integers(1, 99))
def test_no_line_of_a_file_is_taken_for_a_head(was: list[str], now: list[str], start: int) -> None:
    assert read_spans(patch(was, now, start)) == (((start, start + len(now) - 1),) if now else ())
