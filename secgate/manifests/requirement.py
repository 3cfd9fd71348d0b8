"""One requirement's text -> an Entry: pins, ranges and everything that cannot be pinned."""

from __future__ import annotations

import re

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from secgate.manifests.manifest import Entry, clip

MAX_REQUIREMENT = 16 * 1024
"""A longer requirement is invalid; packaging's marker parser is recursive."""

_VCS = re.compile(r"^(git|hg|svn|bzr)\+", re.IGNORECASE)
_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*:")
_EGG = re.compile(r"[#&]egg=([A-Za-z0-9][A-Za-z0-9._-]*)")
_VARIABLE = re.compile(r"\$\{[A-Z0-9_]+\}")
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,200}[A-Za-z0-9])?")
_ARCHIVES = (".whl", ".zip", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar")
_CARET_PART = re.compile(r"^(\^|~)(?!=)\s*(\d+(?:\.\d+)*)((?:[-.]?(?:a|b|rc|alpha|beta|dev|post)\.?\d*)?)$")
_BARE = re.compile(r"^[0-9][0-9A-Za-z.!+_-]*$")


def name_text(text: str) -> str:
    """Give the normalised PEP 503 form of `text`, or "" when it is not a name.

    Names of lock files are free text there, and go into lists that a tool reads line by line.
    """
    return str(canonicalize_name(text)) if _NAME.fullmatch(text) else ""


def version_text(text: str) -> str:
    """Give the normalised PEP 440 form of `text`, or "" when it is not a version."""
    if len(text) > 200:
        return ""
    try:
        return str(Version(text))
    except InvalidVersion:
        return ""


def pin_of(specifiers: SpecifierSet) -> str:
    """Give the one version that `specifiers` allow, or "" for a range.

    `==1.*` is a range. Two different pins allow nothing and are a range too: no version can be audited for them.
    """
    pins = {
        version_text(s.version) if not s.version.endswith(".*") else ""
        for s in specifiers
        if s.operator in ("==", "===")
    }
    pins.discard("")
    return next(iter(pins)) if len(pins) == 1 else ""


def from_text(
    text: str, *, path: str, line: int, development: bool = False, hashed: bool = False, hashes: tuple[str, ...] = ()
) -> Entry:
    """Read one PEP 508 requirement, path or address.

    What is not understood becomes an entry with a problem, never an error.
    """

    def entry(problem: str, name: str = "") -> Entry:
        return Entry(
            name=name,
            path=path,
            line=line,
            development=development,
            hashed=hashed,
            hashes=hashes,
            problem=problem,
            text=clip(text),
        )

    text = text.strip()
    egg = _EGG.search(text)
    name = str(canonicalize_name(egg.group(1))) if egg else ""
    elsewhere = _elsewhere(text)
    if elsewhere:
        return entry(elsewhere, name)
    try:
        requirement = Requirement(text)
    except (InvalidRequirement, RecursionError):
        return entry("invalid")
    return from_requirement(
        requirement, path=path, line=line, development=development, hashed=hashed, hashes=hashes, text=text
    )


def _elsewhere(text: str) -> str:
    """Tell by its form why `text` is no requirement of an index, "" where it may be one."""
    if _VARIABLE.search(text):
        return "variable"
    if len(text) > MAX_REQUIREMENT or not text.replace("\t", " ").isprintable():
        return "invalid"  # packaging lets line ends into the text of markers
    if _VCS.match(text):
        return "vcs"
    if _is_path(text) or text.lower().startswith("file:"):
        return "local-path"
    return "url" if _SCHEME.match(text) and " @ " not in text else ""


def _is_path(text: str) -> bool:
    head = text.split(";", 1)[0].split(" #", 1)[0].strip()
    if head.startswith((".", "/", "\\", "~")):
        return True
    bare = head.split("[", 1)[0]
    if " " in head or "://" in head or "@" in head:
        return False
    return "/" in bare or "\\" in bare or bare.lower().endswith(_ARCHIVES)


def from_requirement(
    requirement: Requirement,
    *,
    path: str,
    line: int,
    development: bool,
    hashed: bool,
    text: str,
    hashes: tuple[str, ...] = (),
) -> Entry:
    """Give the entry of a parsed requirement."""
    name = str(canonicalize_name(requirement.name))
    version, problem = "", ""
    if requirement.url is not None:
        address = requirement.url
        if _VCS.match(address):
            problem = "vcs"
        else:
            problem = "local-path" if address.lower().startswith("file:") else "url"
    else:
        version = pin_of(requirement.specifier)
        problem = "" if version else "range"
        if any(s.operator == "===" and not version_text(s.version) for s in requirement.specifier):
            problem = "invalid-version"
    return Entry(
        name=name,
        version=version,
        specifier=str(requirement.specifier),
        marker=str(requirement.marker) if requirement.marker is not None else "",
        extras=tuple(sorted(str(canonicalize_name(e)) for e in requirement.extras)),
        path=path,
        line=line,
        development=development,
        hashed=hashed,
        hashes=hashes,
        problem=problem,
        text=clip(text),
    )


def locked(
    name: str,
    version: str,
    *,
    path: str,
    line: int,
    source: str = "",
    direct: bool = True,
    development: bool = False,
    hashed: bool = False,
    hashes: tuple[str, ...] = (),
    marker: str = "",
) -> Entry:
    """Give the entry of a lock file's package. `source` is "" for one from an index, else a problem such as `vcs`.

    A package from elsewhere than an index has a version in the lock, yet no advisory speaks of it under that version
    for sure: it stays unpinned with its reason.
    """
    normal, known = version_text(version), name_text(name)
    problem = "" if known else "invalid"
    problem = problem or source or ("" if normal else ("invalid-version" if version else "range"))
    return Entry(
        name=known,
        version="" if problem else normal,
        specifier=f"=={normal}" if normal else "",
        marker=clip(marker),
        path=path,
        line=line,
        direct=direct,
        development=development,
        hashed=hashed,
        hashes=hashes,
        problem=problem,
        text=clip(f"{name} {version}"),
    )


def poetry_specifier(constraint: str) -> str | None:
    """Give PEP 440 text for a Poetry constraint such as `^1.2`, `~1.2`, `1.*` or `>=1,<2`.

    None for what has no such form (`a || b`).
    """
    parts = []
    for raw in constraint.split(","):
        part = raw.strip()
        found = _CARET_PART.match(part)
        if part in ("", "*"):
            continue
        if found:
            parts.append(_caret(found.group(1), found.group(2), found.group(3)))
        elif _BARE.match(part) or part.endswith(".*"):
            parts.append(part if part.startswith(("=", "!")) else f"=={part}")
        elif part.startswith("=") and not part.startswith("=="):
            parts.append(f"=={part[1:].strip()}")
        else:
            parts.append(part.replace(" ", ""))
    try:
        return str(SpecifierSet(",".join(parts)))
    except InvalidSpecifier:
        return None


def _caret(sign: str, release: str, suffix: str) -> str:
    """Give the range of `^release` (first non-zero part fixed) or `~release` (minor part fixed)."""
    numbers = [int(n) for n in release.split(".")]
    if sign == "~":
        keep = 1 if len(numbers) == 1 else 2
    else:
        keep = next((i + 1 for i, n in enumerate(numbers) if n), len(numbers))
    upper = [*numbers[: keep - 1], numbers[keep - 1] + 1]
    return f">={release}{suffix},<{'.'.join(str(n) for n in upper)}"
