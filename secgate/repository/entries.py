"""What git's NUL-separated listings say: names are bytes, kept as text with surrogate escapes.

git writes names as bytes in no certain encoding. They are decoded as UTF-8 with `surrogateescape`, so
that any name survives the way to the file system and back; `escaped` gives the form that can be shown.
"""

from __future__ import annotations

from secgate.errors import TargetError
from secgate.model import Value

LINK = "120000"
SUBMODULE = "160000"
EXECUTABLE = "100755"


class Entry(Value, frozen=True, kw_only=True):
    """One name in an index or in a commit's tree. `mode` is git's octal mode as text."""

    path: str
    mode: str
    blob: str
    stage: int = 0
    """Above 0 for a path in conflict."""
    tag: str = "H"
    """git's letter: `S` not checked out, lower case "assume unchanged"."""

    @property
    def is_link(self) -> bool:
        """Tell whether the blob is a symbolic link's target."""
        return self.mode == LINK

    @property
    def is_submodule(self) -> bool:
        """Tell whether the object is another repository's commit."""
        return self.mode == SUBMODULE

    @property
    def is_executable(self) -> bool:
        """Tell whether it is a regular file that may be run."""
        return self.mode == EXECUTABLE

    @property
    def is_regular(self) -> bool:
        """Tell whether the blob is a regular file's bytes."""
        return self.mode.startswith("100")


def decoded(name: bytes) -> str:
    """Decode a name so that `os.fsencode`-like encoding gives the same bytes again."""
    return name.decode("utf-8", "surrogateescape")


def encoded(name: str) -> bytes:
    """Give back the bytes of a `decoded` name."""
    return name.encode("utf-8", "surrogateescape")


def escaped(name: str) -> str:
    r"""Give a name that is valid UTF-8: undecodable bytes as `\xNN`, everything else as it is."""
    return encoded(name).decode("utf-8", "backslashreplace")


def is_text_name(name: str) -> bool:
    """Tell whether a `decoded` name was valid UTF-8."""
    return escaped(name) == name


def split_records(data: bytes) -> list[bytes]:
    """Split NUL-ended records; raises TargetError when the last one has no end."""
    if not data:
        return []
    if not data.endswith(b"\0"):
        raise TargetError("git's listing ends in the middle of a record", remedy="run it again")
    return data[:-1].split(b"\0")


def closed_folders(talk: bytes) -> list[bytes]:
    """Give the folders that `git ls-files` could not go into, each with a slash: it says so, and lists the rest."""
    _, *told = talk.split(b"warning: could not open directory '")
    return [one.partition(b"/': ")[0] + b"/" for one in told]


def read_index(data: bytes) -> tuple[Entry, ...]:
    """Read `git ls-files -v -s -z`: tag, mode, blob, stage, then a tab and the name."""
    entries = []
    for record in split_records(data):
        facts, _, name = record.partition(b"\t")
        tag, mode, blob, stage = facts.decode("ascii").split()
        entries.append(Entry(path=decoded(name), mode=mode, blob=blob, stage=int(stage), tag=tag))
    return tuple(entries)


def read_tree(data: bytes) -> tuple[Entry, ...]:
    """Read `git ls-tree -r -z`: mode, type, object, then a tab and the name."""
    entries = []
    for record in split_records(data):
        facts, _, name = record.partition(b"\t")
        mode, _, blob = facts.decode("ascii").split()
        entries.append(Entry(path=decoded(name), mode=mode, blob=blob))
    return tuple(entries)
