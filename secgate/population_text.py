"""Text of a file with a population: read as what it is or not at all, and JSON with the line of each element."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import NamedTuple

from secgate.errors import ConfigError, faults_words

MAX_BYTES = 64 * 1024 * 1024
MAX_RECORDS = 200_000
MAX_FAULTS = 50
_MARKS = {b"\xef\xbb\xbf": "UTF-8", b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


class Element(NamedTuple):
    """One object of a JSON array, and the line that it begins in."""

    line: int
    fields: dict[str, object]


class Faults:
    """What is wrong with a file, in its order. Past the first fifty only their number is kept."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._found: list[tuple[str, str, str]] = []
        self._count = 0

    def add(self, line: int, what: str, remedy: str) -> None:
        """Note a fault of a line."""
        self._count += 1
        if len(self._found) < MAX_FAULTS:
            self._found.append((f"{self._place}:{line}" if line else self._place, what, remedy))

    def __bool__(self) -> bool:
        return self._count > 0

    def raise_any(self) -> None:
        """Raise ConfigError with all of them, if there are any."""
        if self._count:
            shown = "" if self._count <= MAX_FAULTS else f", the first {MAX_FAULTS} of them here"
            raise ConfigError(
                f"{faults_words(self._count)} in the file{shown}: nothing was imported",
                faults=self._found,
                place=self._place,
                remedy="export it again with each mended",
            )


def text_of(data: bytes, place: str) -> str:
    """Give a file's text. Raises ConfigError for what is too large, empty, or not plain UTF-8."""

    def refused(what: str, remedy: str) -> ConfigError:
        return ConfigError("the file cannot be read", faults=[(place, what, remedy)], place=place)

    if len(data) > MAX_BYTES:
        raise refused(f"it has {len(data)} bytes, and {MAX_BYTES} are allowed", "import it in parts, month by month")
    for mark, name in _MARKS.items():
        if data.startswith(mark):
            raise refused(f"it begins with a byte-order mark of {name}", "save it as UTF-8 without one")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise refused(f"line {line} is not UTF-8", "save it as UTF-8") from error
    if "\0" in text:
        raise refused("it holds a zero byte", "export it as text, UTF-8")
    if not text.strip():
        raise refused("it is empty", "an export without rows has its header, or is the empty array `[]`")
    return text


def elements(text: str, place: str) -> list[Element]:
    """Give the objects of a JSON array. Raises ConfigError with the line where it is none, or says a thing twice."""
    faults = Faults(place)
    try:
        found = list(_elements(text, faults))
    except RecursionError:
        faults.add(1, "it is nested too deep", "give the array as the interface answers it")
        found = []
    except json.JSONDecodeError as error:
        faults.add(error.lineno, f"it is no JSON: {error.msg}", "export it again, whole")
        found = []
    faults.raise_any()
    return found


def _elements(text: str, faults: Faults) -> Iterator[Element]:
    decoder = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_constant)
    at = _skip(text, 0)
    if text[at : at + 1] != "[":
        faults.add(1, "it is no JSON array", "give the array itself, `[...]`, not an object around it")
        return
    at = _skip(text, at + 1)
    line, counted = 1, 0
    number = 0
    while text[at : at + 1] != "]":
        line, counted = line + text.count("\n", counted, at), at
        number += 1
        if number > MAX_RECORDS:
            faults.add(line, f"it has more than {MAX_RECORDS} elements", "import it in parts, month by month")
            return
        try:
            value, at = decoder.raw_decode(text, at)
        except json.JSONDecodeError:
            raise
        except ValueError as error:
            faults.add(line, str(error), "export it again, whole")
            return
        if isinstance(value, dict):
            yield Element(line, value)
        else:
            faults.add(line, "an element is no object", "each element is one row")
        at = _skip(text, at)
        if text[at : at + 1] == ",":
            at = _skip(text, at + 1)
            if text[at : at + 1] != "]":
                continue
        elif text[at : at + 1] == "]":
            continue
        raise json.JSONDecodeError("an element or the array's end is missing", text, at)
    end = _skip(text, at + 1)
    if end != len(text):
        raise json.JSONDecodeError("something follows after the array", text, end)


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key `{twice[:60]}` is there twice in one object")
    return found


def _no_constant(name: str) -> object:
    raise ValueError(f"`{name}` is no number of JSON")
