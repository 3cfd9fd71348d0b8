"""What kind of file lies where, and who can reach it: path-classes.toml of the enforced layer, first fit counts.

Only the organisation says so: a header in a file, or a folder's name, is the text of whoever wrote the change. Source:
notes on threats, rule 11.

    version = 1
    [classes.web]
    paths = ["services/web/"]
    repositories = ["git.example.org/acme/*"]
    exposure = "internet"
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec
from msgspec import Struct

from secgate.config import Layer as SettingsLayer
from secgate.config import check_table, parse_file, place_of
from secgate.errors import ConfigError, PolicyError, UsageError, faults_words
from secgate.model import Exposure, Value
from secgate.patterns import PathPattern, first_fit

FILE_NAME = "path-classes.toml"
_NAME = re.compile(r"[a-z][a-z0-9-]{0,63}")


class PathClass(Value, frozen=True, kw_only=True):
    """One class. `repositories` are patterns of repositories' names, () for all of them."""

    name: str
    paths: tuple[str, ...]
    repositories: tuple[str, ...] = ()
    exposure: Exposure = "unknown"


class _Entry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A class's table."""

    paths: list[str]
    repositories: list[str] = []
    exposure: Exposure = "unknown"


class _File(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file."""

    version: Literal[1]
    classes: dict[str, _Entry] = {}


class PathClasses:
    """The classes that count in one repository, in their order."""

    def __init__(self, classes: Sequence[PathClass], *, repository: str) -> None:
        self._classes = [
            (one, tuple(PathPattern(text) for text in one.paths))
            for one in classes
            if not one.repositories or first_fit([PathPattern(text) for text in one.repositories], repository)
        ]
        self._known: dict[str, PathClass | None] = {}

    def of(self, path: str) -> PathClass | None:
        """Give the first class that a file is in, None for a file in none."""
        if path not in self._known:
            fits = (one for one, patterns in self._classes if first_fit(patterns, path) is not None)
            self._known[path] = next(fits, None)
        return self._known[path]


def read_path_classes(data: bytes) -> tuple[PathClass, ...]:
    """Read path-classes.toml. Raises ConfigError with every fault, each with its line."""
    layer = parse_file(data, name=FILE_NAME, trust="enforced")
    if layer is None:
        raise ConfigError("it has no tables", faults=(), place=FILE_NAME, remedy="write [classes.NAME] tables")
    faults: list[tuple[str, str, str]] = []
    check_table(layer, _File, layer.values, (), faults)
    if not faults:
        _check_entries(layer, msgspec.convert(layer.values, _File).classes, faults)
    if faults:
        raise ConfigError(f"{faults_words(len(faults))} in {FILE_NAME}", faults=faults, remedy="mend each")
    return tuple(
        PathClass(name=name, paths=tuple(one.paths), repositories=tuple(one.repositories), exposure=one.exposure)
        for name, one in msgspec.convert(layer.values, _File).classes.items()
    )


def require_known(wanted: Mapping[str, str], classes: Sequence[PathClass]) -> None:
    """Check the classes that limits name, each with its limits' name: for one that no path is in they would not count.

    Raises PolicyError for the first that is not there.
    """
    known = sorted(one.name for one in classes)
    for name in sorted(set(wanted) - set(known)):
        close = difflib.get_close_matches(name, known, n=1)
        remedy = f"did you mean `{close[0]}`?" if close else f"add it, or name one of: {', '.join(known) or 'none'}"
        what = f"limits for `{wanted[name]}` name the path class `{name}`, which {FILE_NAME} does not have"
        raise PolicyError(what, remedy=remedy, place="data/limits.json")


def _check_entries(layer: SettingsLayer, entries: Mapping[str, _Entry], faults: list[tuple[str, str, str]]) -> None:
    for name, one in entries.items():
        place = place_of(layer, ("classes", name))
        if not _NAME.fullmatch(name):
            faults.append((place, f"`{name}` is no name of a class", "small letters, digits and `-`"))
        if not one.paths:
            faults.append((place, f"the class `{name}` has no paths", "give patterns, such as `services/web/`"))
        for text in (*one.paths, *one.repositories):
            try:
                PathPattern(text, source=FILE_NAME).fits("any")
            except UsageError as error:
                faults.append((place, error.what, error.remedy))
