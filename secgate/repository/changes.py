"""What differs between two states of a repository, and what each commit of a range brought."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeAlias

from secgate.errors import TargetError
from secgate.model import Rename, Value
from secgate.repository.entries import LINK, decoded, split_records

_OBJECT = re.compile(rb"[0-9a-f]{40}(?:[0-9a-f]{24})?")


Span: TypeAlias = tuple[int, int]
"""The first and the last line of a part of a file, from 1."""
_HUNK = re.compile(rb"@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


class Changes(Value, frozen=True, kw_only=True):
    """Paths that differ. `present` exist at the end: added, modified, of another type, new names."""

    present: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    """Gone at the end; old names of renames are not among them."""
    renames: tuple[Rename, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing differs."""
        return not (self.present or self.deleted)


class CommitFile(Value, frozen=True, kw_only=True):
    """One file as one commit left it, where the commit differs from all of its parents."""

    commit: str
    path: str
    mode: str
    blob: str

    @property
    def is_link(self) -> bool:
        """Tell whether the blob is a symbolic link's target."""
        return self.mode == LINK

    @property
    def is_regular(self) -> bool:
        """Tell whether the blob is a regular file's bytes."""
        return self.mode.startswith("100")


def read_name_status(data: bytes) -> Changes:
    """Read `git diff --name-status -z -M`: a status, then one name, or two for a rename."""
    fields = iter(split_records(data))
    present: set[str] = set()
    deleted: set[str] = set()
    renames: set[Rename] = set()
    for status in fields:
        name = _next_name(fields)
        match status[:1]:
            case b"D":
                deleted.add(name)
            case b"R":
                new = _next_name(fields)
                present.add(new)
                renames.add(Rename(old=name, new=new))
            case b"A" | b"M" | b"T" | b"U":
                present.add(name)
            case _:
                raise TargetError(f"git told a state of a file that is not known: {status!r}")
    # A path in conflict is told twice, once as unmerged.
    return Changes(
        present=tuple(sorted(present)),
        deleted=tuple(sorted(deleted - present)),
        renames=tuple(sorted(renames, key=lambda rename: (rename.new, rename.old))),
    )


def read_spans(patch: bytes) -> tuple[tuple[int, int], ...]:
    """Read a patch of one file, without context lines: the first and last line of each part that its end has anew.

    Lines of the file are skipped by the counts in front of them: whatever they hold, they are no heads.
    """
    found = []
    rest = 0
    for line in patch.split(b"\n"):
        if rest:
            rest -= not line.startswith(b"\\")
            continue
        head = _HUNK.match(line)
        if head is None:
            continue
        gone, start, came = (int(one) if one else 1 for one in head.groups())
        rest = gone + came
        if came:
            found.append((start, start + came - 1))
    return tuple(found)


def _next_name(fields: Iterator[bytes]) -> str:
    try:
        return decoded(next(fields))
    except StopIteration:
        raise TargetError("git's listing ends before a name", remedy="run it again") from None


def read_commit_files(data: bytes) -> tuple[CommitFile, ...]:
    """Read `git diff-tree --stdin -r -c -z`: a commit, then raw records with their names.

    A raw record starts with one colon per parent and holds the modes and objects of the parents, then
    those of the commit. Removed files are left out: nothing of them is in the commit.
    """
    found = []
    commit = ""
    fields = iter(split_records(data))
    for field in fields:
        if _OBJECT.fullmatch(field):
            commit = field.decode("ascii")
            continue
        if not field.startswith(b":") or not commit:
            raise TargetError("git's list of a commit's files cannot be read")
        parents = len(field) - len(field.lstrip(b":"))
        words = field.lstrip(b":").decode("ascii").split()
        mode, blob = words[parents], words[2 * parents + 1]
        name = _next_name(fields)
        if mode != "000000":
            found.append(CommitFile(commit=commit, path=name, mode=mode, blob=blob))
    return tuple(found)
