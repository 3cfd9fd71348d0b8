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
from typing import TYPE_CHECKING

import msgspec
from msgspec import Raw, Struct

from secgate.errors import PolicyError
from secgate.model import Limits
from secgate.ports import Answer, PolicyModule, ProcessRunner, Reached

if TYPE_CHECKING:
    import regorus

DISTRIBUTION = "gordon-to-regorus"

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


class _File(Struct, frozen=True):
    path: str
    covered: tuple[int, ...] = ()
    not_covered: tuple[int, ...] = ()


class _Report(Struct, frozen=True):
    files: tuple[_File, ...] = ()


class RegorusEngine:
    """Evaluates in this process: for the shipped layer and small inputs. `limit_s` cannot be kept here."""

    name = "regorus"

    def __init__(self, *, ends: bool = False) -> None:
        """With `ends` the process ends with the answer, and gives back at once what would take long value by value."""
        self._kept: list[object] | None = [] if ends else None

    @cached_property
    def version(self) -> str:
        """Looked up when it is asked for, which takes longer than a small decision. Raises PolicyError without one."""
        return installed_version()

    def evaluate(
        self, modules: Sequence[PolicyModule], *, data: bytes, document: bytes, query: str, limit_s: float
    ) -> Answer:
        """See Engine; `limit_s` is not kept (RegorusChild keeps it)."""
        del limit_s
        with _faults_named(modules):
            engine = _engine(modules)
            engine.add_data_json(data.decode())
            engine.set_input_json(document.decode())
            # Text and values of a large run are hundreds of megabytes each: neither outlives its use.
            del document
            answer = engine.eval_query_as_json(query)
            if self._kept is not None:
                self._kept.append(engine)
            del engine
        return Answer(value=_value(answer, query))

    def reached(
        self, modules: Sequence[PolicyModule], *, data: bytes, query: str, limit_s: float
    ) -> tuple[Reached, ...]:
        """Evaluate `query` without an input, and give the lines that it comes to; `limit_s` is not kept here."""
        del limit_s
        with _faults_named(modules):
            engine = _engine(modules)
            engine.set_enable_coverage(True)
            engine.add_data_json(data.decode())
            engine.eval_query_as_json(query)
            text = engine.get_coverage_report_as_json()
        files = msgspec.json.decode(text, type=_Report).files
        return tuple(Reached(path=one.path, lines=one.covered, missed=one.not_covered) for one in files)

    def syntax(self, modules: Sequence[PolicyModule]) -> list[dict[str, object]]:
        """See SyntaxReader."""
        if not modules:
            return []
        with _faults_named(modules):
            text = _engine(modules).get_ast_as_json()
        return read_trees(text.encode())


def installed_version() -> str:
    """Give the version of the installed distribution. Raises PolicyError when it is not there."""
    from importlib import metadata

    try:
        return metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError as error:
        raise _missing() from error


def _missing() -> PolicyError:
    return PolicyError("regorus is not installed", remedy=f"install {DISTRIBUTION}, or use opa-eval")


def read_trees(text: bytes) -> list[dict[str, object]]:
    """Read the engine's syntax trees. Raises PolicyError for text nested deeper than can be read."""
    try:
        # The standard decoder reads what regorus nests deepest; the tree's depth is judged by who walks it.
        return msgspec.convert(json.loads(text), list[dict[str, object]])
    except (ValueError, RecursionError, msgspec.ValidationError) as error:
        raise PolicyError("a module is nested too deep to be read", remedy="write it flatter") from error


def _engine(modules: Sequence[PolicyModule]) -> regorus.Engine:
    try:
        import regorus
    except ImportError as error:
        raise _missing() from error
    engine = regorus.Engine()
    engine.set_gather_prints(True)
    for module in modules:
        engine.set_rego_v0(module.is_v0)
        engine.add_policy(module.path, module.text)
    return engine


@contextmanager
def _faults_named(modules: Sequence[PolicyModule]) -> Iterator[None]:
    """Turn what the binding raises into a PolicyError: its own errors, and a panic, which is no Exception."""
    try:
        yield
    except (RuntimeError, ValueError) as error:
        raise _named(str(error), modules) from error
    except BaseException as error:
        # pyo3 makes its panic class anew in each extension, so it can be told by its module's name alone.
        if type(error).__module__ != "pyo3_runtime":
            raise
        raise PolicyError(
            f"the engine panicked: {_short(str(error))}",
            remedy="judge with another engine, and report the policy that did this",
        ) from error


def _named(text: str, modules: Sequence[PolicyModule]) -> PolicyError:
    place, message = _PLACE.search(text), _MESSAGE.search(text)
    return PolicyError(
        _short(message[1] if message else text),
        remedy="correct the policy, and try it with `test_` rules",
        place=_place(place[1], int(place[2]), int(place[3]), modules) if place else "",
    )


def _place(path: str, row: int, counted: int, modules: Sequence[PolicyModule]) -> str:
    """Give `file:line:column` with columns in characters; the engine counts bytes, and four for a tab."""
    text = next((module.text for module in modules if module.path == path), "")
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


def _value(answer: str, query: str) -> bytes:
    try:
        rows = msgspec.json.decode(answer, type=_Answer).result
    except (msgspec.DecodeError, RecursionError) as error:
        raise PolicyError(f"the engine's answer cannot be read: {error}", remedy="report this policy") from error
    if len(rows) != 1 or len(rows[0].expressions) != 1:
        raise PolicyError(f"`{query}` is undefined", remedy="load the module that defines it")
    # The binding writes for people: without the spaces it is half of it.
    return msgspec.json.format(bytes(rows[0].expressions[0].value), indent=-1)


def _on_one_line(data: bytes) -> Raw:
    """Give JSON without line feeds: there they are always spaces between two parts."""
    return Raw(data.replace(b"\n", b" "))


class _Reply(Struct, frozen=True):
    value: Raw = Raw(b"")
    what: str = ""
    remedy: str = ""
    place: str = ""


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
        question = msgspec.json.encode({"modules": modules, "data": _on_one_line(data), "query": query})
        return Answer(value=self._ask(b"\n".join((question, document)), limit_s))

    def reached(
        self, modules: Sequence[PolicyModule], *, data: bytes, query: str, limit_s: float
    ) -> tuple[Reached, ...]:
        """Evaluate `query` without an input, and give the lines that it comes to. Raises PolicyError as above."""
        question = {"modules": modules, "data": _on_one_line(data), "query": query, "coverage": True}
        return msgspec.json.decode(self._ask(msgspec.json.encode(question), limit_s), type=tuple[Reached, ...])

    def syntax(self, modules: Sequence[PolicyModule]) -> list[dict[str, object]]:
        """See SyntaxReader."""
        question = msgspec.json.encode({"modules": modules})
        return read_trees(self._ask(question, self._syntax_s)) if modules else []

    def _ask(self, question: bytes, limit_s: float) -> bytes:
        output = self._runner.run(
            [self._python, "-I", "-m", "secgate.engines.child"],
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
        try:
            reply = msgspec.json.decode(output.stdout, type=_Reply)
        except (msgspec.DecodeError, RecursionError) as error:
            raise PolicyError(f"the policy's process gave no readable reply: {error}") from error
        if reply.what:
            raise PolicyError(reply.what, remedy=reply.remedy, place=reply.place)
        if not bytes(reply.value):
            raise PolicyError("the policy's process gave an empty reply")
        return bytes(reply.value)
