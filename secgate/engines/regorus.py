"""Engine `regorus`: Rego in this process, or in a child of it that can be killed.

regorus holds the interpreter lock and has no timer, and hostile text can exhaust its stack: layers that are not trusted
and large inputs go through `RegorusChild`. A panic inside it is a BaseException of the binding, and is caught as such.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property

import msgspec
from msgspec import Raw, Struct

from secgate.engines import bare
from secgate.errors import PolicyError
from secgate.model import Limits
from secgate.ports import Answer, PolicyModule, ProcessRunner, Reached

DISTRIBUTION = "gordon-to-regorus"

_START = "from secgate.engines.child import main; main()"

_PLACE = re.compile(r"^--> (.+):(\d+):(\d+)$", re.MULTILINE)
_TAB_COLUMNS = 4
_MESSAGE = re.compile(r"^error: (.+)$", re.MULTILINE)
_MAX_MESSAGE = 400


class _Expression(Struct, frozen=True):
    value: Raw


class _Row(Struct, frozen=True):
    expressions: list[_Expression]


class _Answer(Struct, frozen=True):
    result: list[_Row] = []


_ANSWERS = msgspec.json.Decoder(_Answer)
"""Made before there are threads, as in `policy.documents`."""


class _File(Struct, frozen=True):
    path: str
    covered: tuple[int, ...] = ()
    not_covered: tuple[int, ...] = ()


class _Report(Struct, frozen=True):
    files: tuple[_File, ...] = ()


class RegorusEngine:
    """Evaluates in this process: for the shipped layer and small inputs. `limit_s` cannot be kept here."""

    name = "regorus"

    @cached_property
    def version(self) -> str:
        """Looked up when it is asked for, which takes longer than a small decision. Raises PolicyError without one."""
        return installed_version()

    def evaluate(
        self, modules: Sequence[PolicyModule], *, data: bytes, document: bytes, query: str, limit_s: float
    ) -> Answer:
        """See Engine; `limit_s` is not kept (RegorusChild keeps it)."""
        del limit_s
        with _faults_named(texts := _texts(modules)):
            text = bare.evaluated(texts, data=data, document=document.decode(), query=query)[0]
        return Answer(value=_value(text, query))

    def reached(
        self, modules: Sequence[PolicyModule], *, data: bytes, query: str, limit_s: float
    ) -> tuple[Reached, ...]:
        """Evaluate `query` without an input, and give the lines that it comes to; `limit_s` is not kept here."""
        del limit_s
        with _faults_named(texts := _texts(modules)):
            text = bare.covered(texts, data=data, query=query)
        return _lines(text)

    def syntax(self, modules: Sequence[PolicyModule]) -> list[dict[str, object]]:
        """See SyntaxReader."""
        if not modules:
            return []
        with _faults_named(texts := _texts(modules)):
            text = bare.loaded(texts).get_ast_as_json()
        return _trees(text)


def installed_version() -> str:
    """Give the version of the installed distribution. Raises PolicyError when it is not there."""
    from importlib import metadata

    try:
        return metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError as error:
        raise _missing() from error


def _missing() -> PolicyError:
    return PolicyError("regorus is not installed", remedy=f"install {DISTRIBUTION}, or use opa-eval")


def _trees(text: bytes | str) -> list[dict[str, object]]:
    """Read the engine's syntax trees. Raises PolicyError for text nested deeper than can be read."""
    try:
        # The standard decoder reads what regorus nests deepest; the tree's depth is judged by who walks it.
        return msgspec.convert(json.loads(text), list[dict[str, object]])
    except (ValueError, RecursionError, msgspec.ValidationError) as error:
        raise PolicyError("a module is nested too deep to be read", remedy="write it flatter") from error


def _lines(text: bytes | str) -> tuple[Reached, ...]:
    try:
        files = msgspec.json.decode(text, type=_Report).files
    except (msgspec.DecodeError, RecursionError) as error:
        raise PolicyError(f"the engine's report cannot be read: {error}", remedy="report this policy") from error
    return tuple(Reached(path=one.path, lines=one.covered, missed=one.not_covered) for one in files)


def _texts(modules: Sequence[PolicyModule]) -> list[bare.Text]:
    return [(module.path, module.text, module.is_v0) for module in modules]


@contextmanager
def _faults_named(modules: Sequence[bare.Text]) -> Iterator[None]:
    """Turn what the binding raises into a PolicyError: its own errors, and a panic, which is no Exception."""
    try:
        yield
    except BaseException as error:
        if not _is_own(error):
            raise
        # Not kept under a name: in a cycle with its own frame the engine would be freed whenever, by whatever thread.
        raise _fault(error, modules) from error


def told(error: BaseException, modules: Sequence[bare.Text]) -> bytes:
    """Give the reply of a child that came to an error of the engine, b"" for any other error."""
    if not _is_own(error):
        return b""
    fault = _fault(error, modules)
    return msgspec.json.encode({"what": fault.what, "remedy": fault.remedy, "place": fault.place})


def _is_own(error: BaseException) -> bool:
    # pyo3 makes its panic class anew in each extension, so it can be told by its module's name alone.
    return isinstance(error, ImportError | RuntimeError | ValueError) or type(error).__module__ == "pyo3_runtime"


def _fault(error: BaseException, modules: Sequence[bare.Text]) -> PolicyError:
    """Give what the binding raised as an error of ours."""
    if isinstance(error, ImportError):
        return _missing()
    if isinstance(error, RuntimeError | ValueError):
        return _named(str(error), modules)
    return PolicyError(
        f"the engine panicked: {_short(str(error))}",
        remedy="judge with another engine, and report the policy that did this",
    )


def _named(text: str, modules: Sequence[bare.Text]) -> PolicyError:
    place, message = _PLACE.search(text), _MESSAGE.search(text)
    return PolicyError(
        _short(message[1] if message else text),
        remedy="correct the policy, and try it with `test_` rules",
        place=_place(place[1], int(place[2]), int(place[3]), modules) if place else "",
    )


def _place(path: str, row: int, counted: int, modules: Sequence[bare.Text]) -> str:
    """Give `file:line:column` with columns in characters; the engine counts bytes, and four for a tab."""
    text = next((text for name, text, _ in modules if name == path), "")
    line = "".join(text.split("\n")[row - 1 : row])
    column = 1
    for character in line:
        counted -= _TAB_COLUMNS if character == "\t" else len(character.encode("utf-8", "replace"))
        if counted < 1:
            return f"{path}:{row}:{column}"
        column += 1
    return f"{path}:{row}:{column + counted - 1}"


def _short(text: str) -> str:
    """Give the first line, without the engine's stack trace."""
    lines = [line for line in text.partition("Stack backtrace:")[0].splitlines() if line.strip()]
    return (lines[0] if lines else "no message")[:_MAX_MESSAGE]


def _value(answer: bytes | str, query: str) -> bytes:
    """Give the value as the binding wrote it, with the spaces that it writes for people."""
    try:
        rows = _ANSWERS.decode(answer).result
    except (msgspec.DecodeError, RecursionError) as error:
        raise PolicyError(f"the engine's answer cannot be read: {error}", remedy="report this policy") from error
    if len(rows) != 1 or len(rows[0].expressions) != 1:
        raise PolicyError(f"`{query}` is undefined", remedy="load the module that defines it")
    return bytes(rows[0].expressions[0].value)


class _Told(Struct, frozen=True):
    what: str
    remedy: str
    place: str


class RegorusChild:
    """Evaluates in a child process with a time and a memory limit: for other layers and large inputs."""

    name = "regorus"

    def __init__(
        self, *, runner: ProcessRunner, python: str, directory: str, memory_bytes: int = 2 << 30, syntax_s: float = 20.0
    ) -> None:
        """`python` is an interpreter that has secgate; `directory` an existing private one to start in."""
        self.version = installed_version()
        self._runner = runner
        self._python = python
        self._directory = directory
        self._memory_bytes = memory_bytes
        self._syntax_s = syntax_s

    def evaluate(
        self, modules: Sequence[PolicyModule], *, data: bytes, document: bytes, query: str, limit_s: float
    ) -> Answer:
        """See Engine."""
        question = bare.asked("evaluate", _texts(modules), data=data, query=query)
        return Answer(value=_value(self._ask(question + document, limit_s), query))

    def reached(
        self, modules: Sequence[PolicyModule], *, data: bytes, query: str, limit_s: float
    ) -> tuple[Reached, ...]:
        """Evaluate `query` without an input, and give the lines that it comes to. Raises PolicyError as above."""
        return _lines(self._ask(bare.asked("reached", _texts(modules), data=data, query=query), limit_s))

    def syntax(self, modules: Sequence[PolicyModule]) -> list[dict[str, object]]:
        """See SyntaxReader."""
        if not modules:
            return []
        return _trees(self._ask(bare.asked("syntax", _texts(modules), data=b"{}", query=""), self._syntax_s))

    def _ask(self, question: bytes, limit_s: float) -> bytes:
        output = self._runner.run(
            [self._python, "-I", "-c", _START],
            cwd=self._directory,
            stdin=question,
            limits=Limits(time_s=limit_s, memory_bytes=self._memory_bytes),
        )
        if output.timed_out:
            raise PolicyError(
                f"the policy did not come to an end within {limit_s:g} s and was killed",
                remedy="make it linear in findings: iterate once, and look up by key",
            )
        if output.problem or output.exit_code != 0 or output.truncated:
            reason = output.problem or ("too much output" if output.truncated else f"exit code {output.exit_code}")
            raise PolicyError(
                f"the policy's process ended without a decision: {reason}",
                remedy="look for deep recursion or very large values in the policy",
            )
        word, line, text = output.stdout.partition(b"\n")
        if word + line == bare.VALUE and text:
            return text
        try:
            fault = msgspec.json.decode(text if word + line == bare.FAULT else b"", type=_Told)
        except (msgspec.DecodeError, RecursionError) as error:
            raise PolicyError(f"the policy's process gave no readable reply: {error}") from error
        raise PolicyError(fault.what, remedy=fault.remedy, place=fault.place)
