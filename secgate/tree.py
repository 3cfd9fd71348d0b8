"""Regular files of a tree, opened without following any link (threat rule 14).

Each folder on the way is opened by name inside the folder before it and is never followed, so a link, or one that
is put in place while we read, leads nowhere. Opening never waits: a named pipe is looked at and left.
"""

from __future__ import annotations

import errno
import os
import posixpath
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from secgate.model import LeftOut

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


class NotOfferedError(Exception):
    """A path that is no readable regular file of the tree. `reason` is one of `LeftOut`'s, "" for nothing there."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail

    def left_out(self, path: str) -> LeftOut:
        """Give what coverage says of it."""
        return LeftOut(path=path, reason=self.reason, detail=self.detail)


class Tree:
    """The files below an absolute `root`; leaving the context closes it.

    Raises OSError when the root is no readable directory.
    """

    def __init__(self, root: str) -> None:
        self._root = root
        self._open: list[tuple[str, int]] = []
        self._root_descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close_to(0)
        os.close(self._root_descriptor)

    @contextmanager
    def opened(self, path: str) -> Iterator[tuple[int, os.stat_result]]:
        """Open a regular file for reading and give its descriptor and status. Raises NotOfferedError."""
        *folders, name = path.split("/")
        descriptor = -1
        try:
            if name in ("", ".", ".."):
                raise NotOfferedError("special", "not a file name")
            parent = self._folder(folders)
            status = os.stat(name, dir_fd=parent, follow_symlinks=False)
            self._refuse(path, name, parent, status)
            descriptor = os.open(name, _FILE, dir_fd=parent)
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise NotOfferedError("special", "changed while it was read")
        except OSError as error:
            if descriptor >= 0:
                os.close(descriptor)
            raise _not_offered(error) from None
        except NotOfferedError:
            if descriptor >= 0:
                os.close(descriptor)
            raise
        try:
            yield descriptor, status
        finally:
            os.close(descriptor)

    def names(self, folder: str) -> list[tuple[str, bool]]:
        """Give (name, whether it is a folder) in `folder`, "" for the root, sorted. Raises NotOfferedError."""
        try:
            with os.scandir(self._folder(folder.split("/") if folder else [])) as entries:
                found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
        except OSError as error:
            raise _not_offered(error) from None
        return sorted(found, key=lambda item: os.fsencode(item[0]))

    def has_file(self, path: str) -> bool:
        """Tell whether a readable regular file is at `path`."""
        try:
            with self.opened(path):
                return True
        except NotOfferedError:
            return False

    def _folder(self, folders: list[str]) -> int:
        """Give the descriptor of a folder; those on the way stay open until another way is taken."""
        same = 0
        for (known, _), wanted in zip(self._open, folders, strict=False):
            if known != wanted:
                break
            same += 1
        self._close_to(same)
        for name in folders[same:]:
            if name in ("", ".", ".."):
                raise NotOfferedError("special", "not a folder name")
            parent = self._open[-1][1] if self._open else self._root_descriptor
            self._open.append((name, os.open(name, _FOLDER, dir_fd=parent)))
        return self._open[-1][1] if self._open else self._root_descriptor

    def _close_to(self, count: int) -> None:
        while len(self._open) > count:
            os.close(self._open.pop()[1])

    def _refuse(self, path: str, name: str, parent: int, status: os.stat_result) -> None:
        if stat.S_ISREG(status.st_mode):
            return
        if stat.S_ISDIR(status.st_mode):
            raise NotOfferedError("", "a folder")
        if stat.S_ISLNK(status.st_mode):
            target = os.readlink(name, dir_fd=parent)
            raise link(path, target, root=self._root)
        raise NotOfferedError("special", _kind(status.st_mode))


def link(path: str, target: str, *, root: str = "") -> NotOfferedError:
    """Give why a link is not offered; where it leads is judged from its text alone, nothing is looked up there."""
    place = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    inside = place != ".." and not place.startswith(("../", "/"))
    if root and place.startswith("/"):
        inside = place == root or place.startswith(root.rstrip("/") + "/")
    shown = target.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return NotOfferedError("link" if inside else "link-outside", shown)


def _not_offered(error: OSError) -> NotOfferedError:
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return NotOfferedError("", "not there")
    if error.errno == errno.ELOOP:
        return NotOfferedError("link", "a folder on the way is a link")
    if error.errno in (errno.ENXIO, errno.EWOULDBLOCK):
        return NotOfferedError("special", error.strerror or "")
    return NotOfferedError("unreadable", error.strerror or "")


def _kind(mode: int) -> str:
    kinds = (
        (stat.S_ISFIFO, "named pipe"),
        (stat.S_ISSOCK, "socket"),
        (stat.S_ISBLK, "block device"),
        (stat.S_ISCHR, "character device"),
    )
    return next((name for test, name in kinds if test(mode)), "unknown kind")
