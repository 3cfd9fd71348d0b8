"""JSON read in pieces: a cursor that walks the outer containers of a document and decodes one inner value at a time.

Memory is bounded by the largest single value, whatever the document's size. Keys given twice, values that no JSON
text may hold and numbers past all use are refused: two readers of such a text would not see the same document.
"""

from __future__ import annotations

import codecs
import json
import math
import re
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from typing import Any, NoReturn, Protocol, TypeVar

from secgate.errors import UsageError

MAX_BYTES = 256 * 1024 * 1024
MAX_VALUE = 16 * 1024 * 1024
"""Characters of the largest single value below the outer containers: a result, a rule, an invocation."""
MAX_KEYS = 100_000
"""Properties of one outer object."""
MAX_STEPS = 5_000_000
"""Elements and properties that are walked one by one in a document: all results, rules and artefacts, and whatever is
passed over."""

_CHUNK = 1024 * 1024
_BLOCK = 128 * 1024
"""Characters of elements that are tried at once, at most; where some were not taken, fewer are."""
_LEAST_BLOCK = 4 * 1024
_GUESSES = 4
"""Places of a block that may be the end of an element; the last is, but where parts of elements look like them."""
_MOST_ALONE = 1_024
"""Elements that are read one by one before a block is tried again."""
_EXACT = 1 << 53
# A value cut at the window's end fails at most so far before it: `-Infinity`, an escape, a literal.
_TAIL = 16
# What the file begins with, and what it then is: the first that fits.
_NO_TEXT = (
    (codecs.BOM_UTF32_LE, "encoded in UTF-32; SARIF is UTF-8 (RFC 8259)"),
    (codecs.BOM_UTF32_BE, "encoded in UTF-32; SARIF is UTF-8 (RFC 8259)"),
    *((mark, "encoded in UTF-16; SARIF is UTF-8 (RFC 8259)") for mark in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)),
    *((mark, "encoded in UTF-16; SARIF is UTF-8 (RFC 8259)") for mark in (b"{\0", b"\0{")),
    (b"\x1f\x8b", "compressed by gzip: unpack it first"),
    (b"PK\x03\x04", "a zip archive: unpack it first"),
)
_PLAIN = re.compile(r"[$A-Za-z]{1,40}")
_SPACE = re.compile(r"[ \t\n\r]*")
_BETWEEN = re.compile(r'\}[ \t\n\r]*,[ \t\n\r]*\{[ \t\n\r]*"[$A-Za-z]{1,40}"')

_T = TypeVar("_T")


def shown(key: str) -> str:
    """Give a property's name as a message may show it: the standard's are letters; others may hold anything."""
    return key if _PLAIN.fullmatch(key) else "..."


class Readable(Protocol):
    """Whatever gives bytes when it is asked, and none at its end."""

    def read(self, size: int, /) -> bytes:
        """Give at most `size` bytes."""
        ...


class _RefusedError(ValueError):
    """What the decoder's hooks refuse; the cursor adds the place."""


class Cursor:
    """A place in one JSON document. Every method that takes `path` uses it in refusals only."""

    def __init__(self, source: bytes | Readable, *, name: str) -> None:
        self._name = name
        self._stream: Readable = BytesIO(source) if isinstance(source, bytes) else source
        # Drops one byte-order mark and no other.
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._decode = _decoder(_counted).raw_decode
        self._text, self._at = "", 0
        self._before = self._bytes = 0
        self._steps = 0
        self._ended = False
        self._more()

    def refuse(self, path: str, reason: str) -> NoReturn:
        """Raise the UsageError that names the file, the JSON path and the reason."""
        raise UsageError(
            f"not readable as SARIF: {reason}",
            place=f"{self._name}: {path}",
            remedy="write the file again with a tool that gives SARIF 2.1.0",
        )

    def peek(self) -> str:
        """Give the next character that is no white space, "" at the end."""
        found = self._text[self._at : self._at + 1]
        if found and found not in " \t\n\r":
            return found
        while True:
            match = _SPACE.match(self._text, self._at)
            self._at = match.end() if match else self._at
            if self._at < len(self._text) or self._ended:
                return self._text[self._at : self._at + 1]
            self._more()

    def value(self, path: str) -> Any:
        """Decode the value that begins here, whole."""
        if not self.peek():
            self.refuse(path, "not JSON: the file ends here")
        while True:
            try:
                value, end = self._decode(self._text, self._at)
            except json.JSONDecodeError as error:
                self._wait(path, error.msg, error.pos)
            except RecursionError:
                self.refuse(path, "nested too deeply")
            except _RefusedError as error:
                self.refuse(path, str(error))
            except ValueError:
                # CPython refuses to read integers of more than 4,300 digits.
                self.refuse(path, "a number of too many digits")
            else:
                # A number that ends with the window, or with the first part of `.5` or `e+5`, may go on behind it.
                rest = self._text[end : end + 3]
                is_whole = self._text[end - 1] in '"}]' or (rest and (rest[0] not in ".eE" or len(rest) == 3))
                if is_whole or self._ended:
                    self._at = end
                    return value
                self._more()

    def keys(self, path: str) -> Iterator[str]:
        """Walk an object; whoever takes a key must read its value before the next one."""
        self._open("{", path, "not an object")
        seen: set[str] = set()
        while self.peek() != "}":
            if seen:
                self._pass(",", path)
            if self.peek() != '"':
                self.refuse(path, f"not JSON: {self._here('a property was expected')}")
            key = self.value(path)
            if key in seen:
                self.refuse(path, f"property {shown(key)!r} is given twice")
            if len(seen) >= MAX_KEYS:
                self.refuse(path, f"more than {MAX_KEYS} properties")
            seen.add(key)
            self._step(path)
            self._pass(":", path)
            yield key
        self._at += 1

    def elements(self, path: str, *, most: int) -> Iterator[str]:
        """Walk an array, giving the path of each element, which must be read before the next one."""
        return (f"{path}[{at}]" for at, _ in self.several(path, None, most=most))

    def several(
        self, path: str, read: Callable[[str], Sequence[_T]] | None, *, most: int
    ) -> Iterator[tuple[int, Sequence[_T]]]:
        """Walk an array, giving the place of an element, to be read before the next one, or of several and them.

        `read` gives several: it is shown a text that may be whole elements with commas between them. Where it is not,
        or where it would say anything else than `value` says of each, it must give none.
        """
        self._open("[", path, "not a list")
        count, size, alone, rest, between = 0, _BLOCK, 8, 0, ""
        while True:
            if read is not None and not between:
                mark = _BETWEEN.match(self._text, max(self._at - 1, 0))
                between = mark.group() if mark else ""
            if self.peek() == "]":
                break
            if count:
                self._pass(",", path)
                if self.peek() == "]":
                    self.refuse(path, f"not JSON: {self._here('a value was expected')}")
            if count >= most:
                self.refuse(path, f"more than {most} elements")
            found: Sequence[_T] = ()
            if read is not None and between and rest <= 0:
                found = self._block(size, between, read, min(most - count, MAX_STEPS - self._steps))
                size = min(2 * size, _BLOCK) if found else max(size // 4, _LEAST_BLOCK)
                alone = 8 if found else min(2 * alone, _MOST_ALONE)
                rest = 0 if found else alone
            rest -= 1
            self._step(path, max(len(found), 1))
            yield count, found
            count += max(len(found), 1)
        self._at += 1

    def _block(self, size: int, between: str, read: Callable[[str], Sequence[_T]], most: int) -> Sequence[_T]:
        """Pass over elements in the next `size` characters, of which `read` says what they are; none where it does not.

        Where one ends is guessed, by what stood `between` two before. A wrong guess is in the midst of an element:
        then the text has brackets or quotes that are not closed, and is no list of elements.
        """
        if len(self._text) - self._at < size and not self._ended:
            self._more()
        end = self._at + size
        for _ in range(_GUESSES):
            end = self._text.rfind(between, self._at, end)
            if end < 0:
                break
            found = read(self._text[self._at : end + 1])
            if 0 < len(found) <= most:
                self._at = end + 1
                return found
        return ()

    def skip(self, path: str) -> None:
        """Pass over a value that nothing is wanted of; its elements are checked one by one."""
        start = self.peek()
        if start == "[":
            for place in self.elements(path, most=MAX_BYTES):
                self.value(place)
        elif start == "{":
            for key in self.keys(path):
                self.value(f"{path}.{shown(key)}")
        else:
            self.value(path)

    def end(self) -> None:
        """Refuse what follows the document."""
        if self.peek():
            self.refuse("$", f"not JSON: {self._here('the document ended before')}")

    def _open(self, bracket: str, path: str, reason: str) -> None:
        found = self.peek()
        if found != bracket:
            # So that broken JSON is called that.
            self.value(path)
            self.refuse(path, reason)
        self._at += 1

    def _step(self, path: str, count: int = 1) -> None:
        self._steps += count
        if self._steps > MAX_STEPS:
            self.refuse(path, f"more than {MAX_STEPS} elements in all")

    def _pass(self, mark: str, path: str) -> None:
        if self.peek() != mark:
            self.refuse(path, f"not JSON: {self._here(f'{mark!r} was expected')}")
        self._at += 1

    def _here(self, what: str) -> str:
        return f"{what} (character {self._before + self._at})"

    def _wait(self, path: str, fault: str, at: int) -> None:
        """Read on where the fault may only be that the window ends, refuse where it cannot be."""
        is_cut = at >= len(self._text) - _TAIL or fault.startswith("Unterminated string")
        if self._ended or not is_cut:
            self.refuse(path, f"not JSON: {fault} (character {self._before + at})")
        if len(self._text) - self._at > MAX_VALUE:
            self.refuse(path, f"one value of more than {MAX_VALUE} characters")
        self._more()

    def _more(self) -> None:
        """Take in more, at least as much again as is waiting, so that a long value is not tried too often."""
        kept = self._text[self._at :]
        chunk = self._stream.read(max(_CHUNK, len(kept)))
        if not self._bytes:
            for beginning, what in _NO_TEXT:
                if chunk.startswith(beginning):
                    self.refuse("$", what)
        self._bytes += len(chunk)
        if self._bytes > MAX_BYTES:
            self.refuse("$", f"larger than {MAX_BYTES} bytes")
        self._ended = not chunk
        try:
            text = self._decoder.decode(chunk, final=self._ended)
        except UnicodeDecodeError as error:
            self.refuse("$", f"not UTF-8: {error.reason} near byte {self._bytes - len(chunk) + error.start}")
        self._before += self._at
        self._text, self._at = kept + text, 0


def decode(data: bytes, *, name: str) -> Any:
    """Decode a document whole, under the same rules, for a caller who holds it in memory anyway.

    Raises UsageError, naming the file.
    """
    try:
        return _decoder(_finite).decode(data.decode("utf-8-sig"))
    except RecursionError:
        reason = "nested too deeply"
    except UnicodeDecodeError as error:
        reason = f"not UTF-8: {error.reason} at byte {error.start}"
    except json.JSONDecodeError as error:
        reason = f"not JSON: {error.msg} (character {error.pos})"
    except ValueError as error:
        reason = str(error) if isinstance(error, _RefusedError) else "a number of too many digits"
    raise UsageError(
        f"not readable as SARIF: {reason}",
        place=f"{name}: $",
        remedy="write the file again with a tool that gives SARIF 2.1.0",
    )


def _decoder(number: Callable[[str], float]) -> json.JSONDecoder:
    return json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_constant, parse_float=number)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise _RefusedError(f"property {twice[:80]!r} is given twice")
    return found


def _constant(text: str) -> NoReturn:
    raise _RefusedError(f"not JSON: {text}")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise _RefusedError(f"a number past all use: {text[:80]}")
    return number


def _counted(text: str) -> float:
    """Give `3.0` as the integer that it is to JSON Schema: some writers know no other numbers. Draft 7, 6.1.1."""
    number = _finite(text)
    return int(number) if number.is_integer() and abs(number) < _EXACT else number
