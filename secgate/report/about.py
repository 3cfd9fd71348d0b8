"""What management says for a report: of whom it is, what is left out and why, its answers to exceptions.

A TOML file beside the ledgers. Nothing of it changes a number or hides a deviation; what it says is marked as said.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from secgate.errors import ConfigError, UsageError
from secgate.masking import clean

MAX_BYTES = 1024 * 1024
Line = Annotated[str, Meta(min_length=1, max_length=300)]
Text = Annotated[str, Meta(min_length=1, max_length=5_000)]


class _Part(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Ground of every part: closed, so that a misspelt key is a fault."""


class LeftOut(_Part, frozen=True, kw_only=True):
    """What the report does not look at."""

    what: Line
    why: Text


class Service(_Part, frozen=True, kw_only=True):
    """A service of somebody else that takes part."""

    name: Line
    what: Text


class NotApplicable(_Part, frozen=True, kw_only=True):
    """An assertion that somebody decided does not apply."""

    assertion: Line
    by: Line
    why: Text


class About(_Part, frozen=True, kw_only=True):
    """All of it. `digest` is of the file, "" for none."""

    version: Literal[1] = 1
    entity: Annotated[str, Meta(max_length=300)] = ""
    systems: tuple[Line, ...] = ()
    excluded: tuple[LeftOut, ...] = ()
    outside: tuple[Service, ...] = ()
    not_applicable: tuple[NotApplicable, ...] = ()
    responses: dict[str, Text] = {}
    """By the id of the exception."""


def read_about(file: str, *, cwd: str) -> tuple[About, str]:
    """Give what a file says, secrets taken out, and its digest; nothing and "" for no file.

    Raises UsageError for a file that cannot be read and ConfigError for one that says what cannot be said.
    """
    if not file:
        return About(), ""
    path = Path(cwd, file)
    try:
        if not path.is_file():
            raise OSError(0, "it is no regular file")
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(
            f"it cannot be read: {error.strerror}", place=file, remedy="name the file that --about means"
        ) from error
    try:
        if len(data) > MAX_BYTES:
            raise ValueError(f"it has more than {MAX_BYTES} bytes")
        read = msgspec.toml.decode(data, type=About)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise ConfigError(
            "it does not read", faults=[(file, str(error), "see docs/reports.md for the form")], place="--about"
        ) from error
    cleaned = msgspec.convert(_cleaned(msgspec.to_builtins(read)), type=About)
    return cleaned, hashlib.sha256(data).hexdigest()


def _cleaned(value: object) -> object:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {key: _cleaned(one) for key, one in value.items()}
    return [_cleaned(one) for one in value] if isinstance(value, list | tuple) else value
