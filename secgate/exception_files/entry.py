"""One exception of another tool: what it lets pass there, why, and until when."""

from __future__ import annotations

import hashlib
import re
from typing import TypeVar

import msgspec

from secgate.errors import UsageError
from secgate.exception_files.words import name
from secgate.model import Digest, Value, encode
from secgate.purl import PackageUrl
from secgate.waivers import Kind

Form = TypeVar("Form")

_DRIVE = re.compile(r"[A-Za-z]:")


class Entry(Value, frozen=True, kw_only=True):
    """One entry of a file. Texts are masked and inert; paths only serve comparison, none is ever opened.

    It is about advisories (`advisories`, `packages` of which one must fit, () for any), about a tool's rule (`rule`,
    `resource`, `path`), or, where the file does not tell, about whichever of the two there is. `refused` says why it
    cannot become a request, whatever is found.
    """

    place: str
    """Line or JSON path in the file."""
    shown: str
    kind: Kind = "accept"
    reason: str = ""
    ends_epoch_s: int | None = None
    advisories: tuple[str, ...] = ()
    packages: tuple[PackageUrl, ...] = ()
    tool: str = ""
    rule: str = ""
    resource: str = ""
    path: str = ""
    patterns: tuple[str, ...] = ()
    """Of which one must fit the path; () for any."""
    line: int = 0
    code: str = ""
    """The line that it is about, without white space around it."""
    refused: str = ""

    @property
    def digest(self) -> Digest:
        """Tell the entry from others of its form by what it says, wherever in the file it stands now."""
        return hashlib.sha256(encode(msgspec.structs.replace(self, place="", line=0, refused=""))).hexdigest()


def path_in_tree(text: str, *, under: str) -> tuple[str, str]:
    """Give a path relative to the repository's root, or "" and why it can be none. `under` is what it is relative to.

    Only its text is looked at.
    """
    path = text.replace("\\", "/")
    if path.startswith("/") or _DRIVE.match(path):
        return "", "its path is absolute, and the machine that wrote it is another"
    parts = [part for part in f"{under}/{path}".split("/") if part not in ("", ".")]
    if ".." in parts:
        return "", "its path leads out of the tree"
    return name("/".join(parts)), ""


def decode(data: bytes, form: type[Form], *, file: str, called: str) -> Form:
    """Read JSON as `form`. Raises UsageError that names the place in the JSON, never its content."""
    try:
        return msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"), type=form)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        why, _, place = str(error).partition(" - at ")
        raise UsageError(
            f"not readable as {called}: {why}",
            place=f"{file}: {place.strip('`') or '$'}",
            remedy="give the file as the tool wrote it, or name its form",
        ) from error
