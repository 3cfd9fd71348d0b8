"""What the readers of reports share: refusing, decoding a documented form, naming advisories and ecosystems."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TypeVar

import msgspec

from secgate.errors import UsageError
from secgate.model import Severity
from secgate.purl import ECOSYSTEMS

Form = TypeVar("Form")

JSON = "JSON"
"""Stands for, or behind, the version of a run that was read from a tool's own form; what is shown of it says so."""

MAX_BYTES = 256 * 1024 * 1024
MAX_TEXT = 20_000
"""Characters kept of a message."""

_GHSA = re.compile(r"\bGHSA(?:-[23456789cfghjmpqrvwx]{4}){3}\b", re.IGNORECASE)
_BANDS = {
    "critical": Severity.CRITICAL,
    "high": Severity.HIGH,
    "moderate": Severity.MEDIUM,
    "medium": Severity.MEDIUM,
    "low": Severity.LOW,
    "info": Severity.INFO,
}
_ECOSYSTEMS = {
    **ECOSYSTEMS,
    "pip": "PyPI",
    "pipenv": "PyPI",
    "poetry": "PyPI",
    "uv": "PyPI",
    "pylock": "PyPI",
    "python-pkg": "PyPI",
    "node-pkg": "npm",
    "yarn": "npm",
    "pnpm": "npm",
    "bun": "npm",
    "gomod": "Go",
    "gobinary": "Go",
    "rust-binary": "crates.io",
    "bundler": "RubyGems",
    "gemspec": "RubyGems",
    "pom": "Maven",
    "jar": "Maven",
    "gradle": "Maven",
}
"""A tool's word for a kind of package, and types of package URLs."""


def refuse(name: str, form: str, reason: str, *, remedy: str = "", path: str = "$") -> UsageError:
    """Give the error for a file that is not what its keys promise, or that reports a failure."""
    return UsageError(
        f"not readable as {form}: {reason}",
        place=f"{name}: {path}",
        remedy=remedy or "write the file again with a version of the tool that gives the documented form",
    )


def decode(data: bytes, form: type[Form], *, name: str, called: str) -> Form:
    """Read JSON as `form`. Raises UsageError that names the place in the JSON, never its content."""
    try:
        return msgspec.json.decode(data, type=form)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        reason, _, place = str(error).partition(" - at ")
        raise refuse(name, called, reason, path=place.strip("`") or "$") from error


def band(text: str) -> Severity | None:
    """Give the severity that a tool's word stands for; None for `unknown` and the like."""
    return _BANDS.get(text.lower())


def score_in(score: float | None, severity: Severity | None) -> float | None:
    """Give a score that agrees with the band beside it; a band that stands alone keeps its own."""
    if score is None or not 0.0 <= score <= 10.0:
        return None
    return score if severity is None or Severity.from_score(score) is severity else None


def ecosystem(word: str) -> str:
    """Give the name of an ecosystem as OSV spells it, for a package URL's type or a tool's word."""
    return _ECOSYSTEMS.get(word.lower(), word)


def ghsa_of(text: str) -> str:
    """Give the GitHub advisory that an address names, in its own spelling, "" for none."""
    match = _GHSA.search(text)
    return "GHSA" + match.group()[4:].lower() if match else ""


def advisory_of(names: Iterable[str]) -> tuple[str, tuple[str, ...]]:
    """Give the first name of an advisory and the other ones, sorted."""
    found = list(dict.fromkeys(name for name in names if name))
    return (found[0], tuple(sorted(found[1:]))) if found else ("", ())


def plain_path(path: str) -> str:
    """Give a path with forward slashes and without leading `./`."""
    path = path.replace("\\", "/") if "/" not in path else path
    while path.startswith("./"):
        path = path[2:]
    return path
