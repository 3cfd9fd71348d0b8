"""What a manifest says, as values: entries with their lines, indexes it names, and what could not be understood.

A manifest is hostile text. Nothing here is obeyed: an index named in a tree is reported and never used, a reference
is followed only through the reader that the caller hands in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from secgate.model import Value

MAX_BYTES = 32 * 1024 * 1024
"""A larger manifest is not read."""

MAX_DEPTH = 64
"""Deeper nesting of TOML or JSON is not read; the parsers are recursive."""

MAX_ENTRIES = 20_000
"""More entries than this are not read."""

MAX_TEXT = 200
"""Text of a manifest is kept up to this many characters."""

MAX_HASHES = 256
"""Hashes kept of one package; a version with more files than this keeps the first of them."""

_HASH = re.compile(r"sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128}")
_CREDENTIALS = re.compile(r"//[^/@\s]{1,512}@")

Reader = Callable[[str], bytes]
"""Bytes of a path of the view. Raises KeyError, OSError or SecgateError for one that is not there."""

UNPINNED = frozenset({"range", "url", "vcs", "local-path", "editable", "variable", "dynamic"})
"""Reasons why an entry names no version that can be audited."""


class Entry(Value, frozen=True, kw_only=True):
    """One package that a manifest asks for.

    `name` is normalised (PEP 503), "" where the line names none. `version` is a normalised PEP 440 version where the
    entry pins one, else "". `specifier` is PEP 440 text that a resolver understands, "" for any version. `path` is
    the file that the entry stands in, which differs from the manifest's for entries of a referenced file; `line`
    counts from 1. `direct` is true where the format does not tell. `problem` is "" or one of UNPINNED, `invalid`,
    `invalid-version`. `hashed` tells that every file of it has a hash, `hashes` are those that are no weaker than
    SHA-256, as `sha256:HEX`, sorted: any one of these files may be installed.
    """

    name: str
    version: str = ""
    specifier: str = ""
    marker: str = ""
    extras: tuple[str, ...] = ()
    path: str
    line: int = 0
    direct: bool = True
    development: bool = False
    hashed: bool = False
    hashes: tuple[str, ...] = ()
    problem: str = ""
    text: str = ""

    @property
    def requirement(self) -> str:
        """The entry as a requirement line in secgate's own words; only for an entry with a name and no URL."""
        extras = f"[{','.join(self.extras)}]" if self.extras else ""
        specifier = f"=={self.version}" if self.version else self.specifier
        return f"{self.name}{extras}{specifier}" + (f" ; {self.marker}" if self.marker else "")


class IndexAddress(Value, frozen=True, kw_only=True):
    """A package index that the tree names. Reported, never used. `address` has no credentials."""

    path: str
    line: int
    option: str
    address: str


class Problem(Value, frozen=True, kw_only=True):
    """Why a manifest, or a part of it, could not be read.

    `reason` is one of `too-large`, `too-deep`, `too-many`, `not-utf8`, `syntax`, `shape`, `dynamic`, `unknown-option`,
    `reference-cycle`, `reference-outside`, `reference-remote`, `reference-missing`, `reference-limit`.
    """

    path: str
    line: int
    reason: str
    detail: str = ""


class Manifest(Value, frozen=True, kw_only=True):
    """What one manifest file says, with the files that it refers to.

    `lock` tells that the file lists a whole resolved set (also a requirements file in which every entry is pinned
    with hashes). `covers` are the folders, relative to the repository's root, whose projects the lock was made for,
    `own` the names of those projects' packages: they are the tree's own code and no entries. `references` are the
    paths of the view that were read for it.
    """

    path: str
    kind: str
    lock: bool = False
    entries: tuple[Entry, ...] = ()
    constraints: tuple[Entry, ...] = ()
    indexes: tuple[IndexAddress, ...] = ()
    references: tuple[str, ...] = ()
    covers: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    notices: tuple[str, ...] = ()

    @property
    def pinned(self) -> tuple[Entry, ...]:
        """Entries that name one version."""
        return tuple(e for e in self.entries if e.version)

    @property
    def unpinned(self) -> tuple[Entry, ...]:
        """Entries that name no version, whatever the reason."""
        return tuple(e for e in self.entries if not e.version)


class ManifestFault(Exception):  # noqa: N818 - a fault inside this package, turned into a Problem at its door
    """A fault found while one file is read; `read` turns it into a Problem. Never leaves this package."""

    def __init__(self, reason: str, detail: str = "", line: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail
        self.line = line

    def problem(self, path: str) -> Problem:
        """Give the fault as a value for the file at `path`."""
        return Problem(path=path, line=self.line, reason=self.reason, detail=clip(self.detail))


def known_hashes(texts: Iterable[str]) -> tuple[str, ...]:
    """Give those of `texts` that are hashes as `Entry.hashes` has them."""
    return tuple(sorted({one for one in map(str.lower, texts) if _HASH.fullmatch(one)})[:MAX_HASHES])


def clip(text: str) -> str:
    """Give `text` in one line of at most MAX_TEXT characters, credentials of addresses left out."""
    flat = _CREDENTIALS.sub("//", " ".join(text[: 4 * MAX_TEXT].split()))
    return flat if len(flat) <= MAX_TEXT else flat[: MAX_TEXT - 1] + "…"


def without_credentials(address: str) -> str:
    """Give `address` without user, password, query and fragment."""
    head, mark, rest = address.partition("://")
    if not mark:
        return clip(address)
    host, slash, tail = rest.partition("/")
    tail = tail.split("?", 1)[0].split("#", 1)[0]
    return clip(f"{head}://{host.rpartition('@')[2]}{slash}{tail}")
