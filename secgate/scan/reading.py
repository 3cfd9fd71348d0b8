"""Reading the view on behalf of scanners."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable

from secgate.errors import InternalError


def view_reader(root: str) -> Callable[[str], bytes]:
    """Give a function that reads a path of the view: regular files only, no links, nothing outside `root`."""

    def read(path: str) -> bytes:
        parts = path.split("/")
        if path.startswith("/") or ".." in parts:
            raise InternalError(f"{path!r} is not a path of the view")
        descriptor = os.open(f"{root}/{path}", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise InternalError(f"{path!r} in the view is not a regular file")
            return file.read()

    return read
