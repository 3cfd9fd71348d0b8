"""pip requirements and constraints files, with the files that they refer to.

Lines are joined and split as pip does it, so that nothing pip would install is missed: Unicode line ends split lines,
a backslash joins them, options may be shortened. References are followed inside the view only. Source: pip's
documentation, "Requirements File Format".
"""

from __future__ import annotations

import codecs
import posixpath
import re
import shlex
from collections.abc import Iterator

import msgspec

from secgate.errors import SecgateError
from secgate.manifests.manifest import (
    MAX_BYTES,
    MAX_ENTRIES,
    Entry,
    IndexAddress,
    Manifest,
    ManifestFault,
    Problem,
    Reader,
    clip,
    known_hashes,
    without_credentials,
)
from secgate.manifests.requirement import from_text

MAX_FILES = 200
"""Referenced files of one manifest."""

MAX_REFERENCE_DEPTH = 32
MAX_LINE = 256 * 1024
"""Characters of one logical line; a requirement with two thousand hashes is shorter."""

_ENCODINGS = frozenset({"utf-8", "ascii", "iso8859-1", "iso8859-15", "cp1252", "utf-16", "utf-32"})
"""Encodings that a coding line may ask for; others of Python's are transformations, some of them slow."""

_COMMENT = re.compile(r"(?:^|\s)#.*$")
_HASH = re.compile(r"\s--hash(?:=|\s+)(\S+)")
_OPTION_START = re.compile(r"\s(?=--?[A-Za-z])")
_CODING = re.compile(rb"coding[:=]\s*([-\w.]+)")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_VALUE_OPTIONS = {
    "--requirement": "-r", "--constraint": "-c", "--editable": "-e", "--index-url": "-i",
    "--pypi-url": "-i", "--extra-index-url": "--extra-index-url", "--find-links": "-f",
    "--trusted-host": "--trusted-host", "--no-binary": "", "--only-binary": "", "--use-feature": "",
    "--hash": "", "--global-option": "", "--config-settings": "", "--config-setting": "",
    "--install-option": "", "--uploaded-prior-to": "",
}  # fmt: skip
_FLAGS = ("--no-index", "--pre", "--prefer-binary", "--require-hashes", "--all-releases")
_INDEX_OPTIONS = {"-i": "--index-url", "-f": "--find-links"}


def read(path: str, kind: str, data: bytes, reader: Reader | None) -> Manifest:
    """Read a requirements or constraints file (`kind` tells which) and what it refers to."""
    gathered = _Gathered(reader)
    gathered.file(path, data, constraint=False, stack=())
    entries = _constrained(gathered.entries, gathered.constraints)
    hashed = bool(entries) and all(e.version and e.hashed for e in entries)
    notices: tuple[str, ...] = ()
    if kind == "pip-requirements" and entries and not hashed:
        notices = (f"{path}: no hashes, so packages that its packages need may not be listed in it",)
    return Manifest(
        path=path,
        kind=kind,
        lock=hashed,
        entries=entries,
        constraints=tuple(gathered.constraints),
        indexes=tuple(gathered.indexes),
        references=tuple(sorted(gathered.seen - {path})),
        problems=tuple(gathered.problems),
        notices=notices,
    )


def _constrained(entries: list[Entry], constraints: list[Entry]) -> tuple[Entry, ...]:
    """Give ranges the version that a constraints file pins for them, where it pins exactly one."""
    pins: dict[str, set[str]] = {}
    for constraint in constraints:
        if constraint.version:
            pins.setdefault(constraint.name, set()).add(constraint.version)
    given = []
    for entry in entries:
        versions = pins.get(entry.name, set()) if entry.problem == "range" else set()
        if not versions:
            given.append(entry)
        given += [_pinned(entry, version) for version in sorted(versions)]
    return tuple(given)


def _pinned(entry: Entry, version: str) -> Entry:
    return msgspec.structs.replace(entry, version=version, problem="")


class _Gathered:
    """What one walk over a file and its references gathers."""

    def __init__(self, reader: Reader | None) -> None:
        self.reader = reader
        self.entries: list[Entry] = []
        self.constraints: list[Entry] = []
        self.indexes: list[IndexAddress] = []
        self.problems: list[Problem] = []
        self.seen: set[str] = set()
        self._read: set[tuple[str, bool]] = set()

    def file(self, path: str, data: bytes, *, constraint: bool, stack: tuple[str, ...]) -> None:
        """Gather one file; `stack` are the files that led to it."""
        if (path, constraint) in self._read:
            return
        self._read.add((path, constraint))
        self.seen.add(path)
        try:
            lines = list(_logical_lines(decode(data)))
        except ManifestFault as fault:
            self.problems.append(fault.problem(path))
            return
        for line, text in lines:
            if len(text) > MAX_LINE:
                self._problem(path, line, "too-large", "a line is too long")
                continue
            if len(self.entries) + len(self.constraints) > MAX_ENTRIES:
                self._problem(path, line, "too-many", f"more than {MAX_ENTRIES} entries")
                return
            self._line(path, line, text, constraint=constraint, stack=(*stack, path))

    def _line(self, path: str, line: int, text: str, *, constraint: bool, stack: tuple[str, ...]) -> None:
        given = _HASH.findall(text)
        requirement, options = _split(text)
        if requirement:
            entry = from_text(requirement, path=path, line=line, hashed=bool(given), hashes=known_hashes(given))
            if entry.problem != "local-path" or not self._is_own_project(path, requirement.partition(";")[0]):
                (self.constraints if constraint else self.entries).append(entry)
        try:
            words = shlex.split(options, comments=False)
        except ValueError:
            self._problem(path, line, "syntax", options)
            return
        for option, value in self._options(path, line, words):
            if option == "-e" and self._is_own_project(path, value):
                continue
            if option == "-e":
                entry = from_text(value, path=path, line=line)
                self.entries.append(_editable(entry))
            elif option in ("-r", "-c"):
                self._reference(path, line, value, constraint=constraint or option == "-c", stack=stack)
            elif option:
                name = _INDEX_OPTIONS.get(option, option)
                address = without_credentials(value)
                self.indexes.append(IndexAddress(path=path, line=line, option=name, address=address))

    def _options(self, path: str, line: int, words: list[str]) -> Iterator[tuple[str, str]]:
        """Give (option, value) for each option of a line that takes a value, options shortened as pip lets one."""
        rest = iter(words)
        for word in rest:
            if not word.startswith("-"):
                continue  # left over from an option that is not known
            name, mark, value = word.partition("=")
            if not word.startswith("--"):
                name, mark, value = word[:2], word[2:], word[2:]
                known = name if name in ("-r", "-c", "-e", "-i", "-f") else None
            else:
                known = _known(name)
            if known is None:
                self._problem(path, line, "unknown-option", word)
                continue
            if known == "flag":
                continue
            yield known, value if mark else next(rest, "")

    def _is_own_project(self, path: str, value: str) -> bool:
        """Tell whether `value` is a folder of this tree with a pyproject.toml: a manifest that is looked at by itself.

        pip takes such a path from where it is started, so the folder of the file and the root are both tried.
        """
        folder = _EXTRAS.sub("", value.strip())
        for origin in dict.fromkeys((path, "")):
            target, reason = resolve(origin, f"{folder}/pyproject.toml" if folder else "")
            if not reason and self._has(target):
                return True
        return False

    def _has(self, target: str) -> bool:
        try:
            return self.reader is not None and self.reader(target) is not None
        except (KeyError, OSError, ValueError, SecgateError):
            return False

    def _reference(self, path: str, line: int, value: str, *, constraint: bool, stack: tuple[str, ...]) -> None:
        target, reason = resolve(path, value)
        if not reason and target in stack:
            reason = "reference-cycle"
        if not reason and (len(stack) > MAX_REFERENCE_DEPTH or len(self.seen) >= MAX_FILES):
            reason = "reference-limit"
        if reason:
            self._problem(path, line, reason, without_credentials(value))
            return
        try:
            data = self.reader(target) if self.reader is not None else None
        except (KeyError, OSError, ValueError, SecgateError):
            data = None
        if data is None:
            self._problem(path, line, "reference-missing", target)
            return
        self.file(target, data, constraint=constraint, stack=stack)

    def _problem(self, path: str, line: int, reason: str, detail: str) -> None:
        self.problems.append(Problem(path=path, line=line, reason=reason, detail=clip(detail)))


_EXTRAS = re.compile(r"\[[\w\s,.-]*\]$")


def _editable(entry: Entry) -> Entry:
    return msgspec.structs.replace(entry, problem="editable", version="")


def _known(name: str) -> str | None:
    """Give the short name of a long option, `flag` for one without a value, None for an unknown or ambiguous one."""
    if name in _VALUE_OPTIONS:
        return _VALUE_OPTIONS[name]
    if name in _FLAGS:
        return "flag"
    full = [o for o in (*_VALUE_OPTIONS, *_FLAGS) if o.startswith(name) and len(name) > 2]
    if len(full) != 1:
        return None
    return _VALUE_OPTIONS.get(full[0], "flag")


def resolve(path: str, reference: str) -> tuple[str, str]:
    """Give the view path that `reference`, standing in `path`, means, or ("", the reason why none)."""
    if "://" in reference or reference.lower().startswith("file:"):
        return "", "reference-remote"
    if not reference or "\0" in reference or "${" in reference:
        return "", "reference-missing"
    if reference.startswith(("/", "~", "\\")):
        return "", "reference-outside"
    target = posixpath.normpath(posixpath.join(posixpath.dirname(path), reference))
    if target == ".." or target.startswith("../"):
        return "", "reference-outside"
    return target, ""


def _split(text: str) -> tuple[str, str]:
    """Cut a logical line in requirement and options; options begin at the first word that begins with a dash."""
    stripped = text.strip()
    if stripped.startswith("-"):
        return "", stripped
    found = _OPTION_START.search(stripped)
    if found is None:
        return stripped, ""
    return stripped[: found.start()].strip(), stripped[found.start() :].strip()


def decode(data: bytes) -> str:
    """Decode a requirements file: by byte-order mark, by a coding line, else UTF-8. Raises ManifestFault."""
    if len(data) > MAX_BYTES:
        raise ManifestFault("too-large", f"{len(data)} bytes, the cap is {MAX_BYTES}")
    encoding = "utf-8"
    for mark, name in _BOMS:
        if data.startswith(mark):
            data, encoding = data[len(mark) :], name
            break
    else:
        for head in data.split(b"\n", 2)[:2]:
            found = _CODING.search(head) if head.startswith(b"#") else None
            if found is not None:
                encoding = found.group(1).decode("ascii")
    try:
        if codecs.lookup(encoding).name.removesuffix("-le").removesuffix("-be") not in _ENCODINGS:
            raise ManifestFault("not-utf8", f"encoding {encoding} is not read")
        return data.decode(encoding)
    except (UnicodeDecodeError, LookupError) as error:
        raise ManifestFault("not-utf8", f"not readable as {encoding}") from error


def _physical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Give (line number, line).

    More kinds of ends split a line than count one, since editors count only LF, CR and CRLF.
    """
    number = 1
    for piece in text.splitlines(keepends=True):
        yield number, piece.splitlines()[0]
        number += piece.endswith(("\n", "\r"))


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Join continued lines, drop comments and empty lines; a logical line has the number of its first physical one.

    A comment line ends a continuation, and its own backslash continues nothing.
    """
    start, parts = 0, []
    for number, line in _physical_lines(text):
        is_comment = line.lstrip().startswith("#")
        start = start or number
        if line.endswith("\\") and not is_comment:
            parts.append(line.rstrip("\\"))
            continue
        parts.append(f" {line}" if is_comment else line)
        yield from _uncommented(start, "".join(parts))
        start, parts = 0, []
    if parts:
        yield from _uncommented(start, "".join(parts))


def _uncommented(number: int, line: str) -> Iterator[tuple[int, str]]:
    text = _COMMENT.sub("", line).strip()
    if text:
        yield number, text
