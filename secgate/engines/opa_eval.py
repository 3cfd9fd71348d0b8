"""Engine `opa-eval`: a local `opa` binary as a child process, the reference for other engines.

Started without the network; built-in errors are errors, as they are in the other engines.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec import Raw, Struct

from secgate.errors import PolicyError
from secgate.model import Limits, Output
from secgate.ports import Answer, PolicyModule, ProcessRunner

_CHECK_S = 60.0
_REMEDY = "correct the policy, and try it with `test_` rules"


class _Place(Struct, frozen=True):
    file: str = ""
    row: int = 0
    col: int = 0


class _Error(Struct, frozen=True):
    message: str = ""
    location: _Place = _Place()


class _Expression(Struct, frozen=True):
    value: Raw


class _Row(Struct, frozen=True):
    expressions: list[_Expression]


class _Answer(Struct, frozen=True):
    result: list[_Row] = []
    errors: list[_Error] = []


_ANSWERS = msgspec.json.Decoder(_Answer)
"""Made before there are threads, as in `policy.documents`."""


class OpaEvalEngine:
    """Evaluates with `opa eval`."""

    name = "opa-eval"

    def __init__(self, *, runner: ProcessRunner, executable: str, version: str, directory: str) -> None:
        """`directory` is an existing private one; modules and data are written below it for the length of a call."""
        self.version = version
        self._runner = runner
        self._executable = executable
        self._directory = directory

    def evaluate(
        self, modules: Sequence[PolicyModule], *, data: bytes, document: bytes, query: str, limit_s: float
    ) -> Answer:
        """See Engine."""
        with tempfile.TemporaryDirectory(dir=self._directory, prefix="opa-") as place:
            arguments = ["eval", "--format=json", "--strict-builtin-errors", "--stdin-input"]
            shown = _written(modules, place)
            arguments += [part for path in shown for part in ("--data", path)]
            values = Path(place, "data.json")
            values.write_bytes(data)
            output = self._runner.run(
                [self._executable, *arguments, "--data", str(values), query],
                cwd=place,
                stdin=document,
                limits=Limits(time_s=limit_s),
            )
        return Answer(value=_read(output, query=query, limit_s=limit_s, shown=shown))

    def check(self, modules: Sequence[PolicyModule], *, schema: bytes) -> tuple[tuple[str, str, str], ...]:
        """See PolicyChecker: `opa check --strict`, every reference below `input` held against the schema."""
        with tempfile.TemporaryDirectory(dir=self._directory, prefix="opa-") as place:
            shown = _written(modules, place)
            known = Path(place, "schema.json")
            known.write_bytes(schema)
            argv = [self._executable, "check", "--strict", "--format=json", "--schema", str(known), *shown]
            output = self._runner.run(argv, cwd=place, limits=Limits(time_s=_CHECK_S))
        told = _answer(output, limit_s=_CHECK_S)
        if not told.errors and output.exit_code != 0:
            raise PolicyError(
                f"opa check ended with exit code {output.exit_code}", remedy="use a tested version of opa"
            )
        return tuple((*_said(one, shown), _REMEDY) for one in told.errors)


def _written(modules: Sequence[PolicyModule], place: str) -> dict[str, str]:
    """Write the modules below a private folder; give what each is called in messages, by its path there."""
    shown = {}
    for number, module in enumerate(modules):
        path = Path(place, f"{number:05d}.rego")
        path.write_text(module.text, encoding="utf-8")
        shown[str(path)] = module.path
    return shown


def _said(error: _Error, shown: Mapping[str, str]) -> tuple[str, str]:
    """Give (place, what) of an error, in the names of the modules as they were given."""
    file = shown.get(error.location.file, error.location.file)
    message = " ".join(error.message.split())
    for path, name in shown.items():
        message = message.replace(path, name)
    return f"{file}:{error.location.row}:{error.location.col}" if file else "", message


def _answer(output: Output, *, limit_s: float) -> _Answer:
    if output.timed_out:
        raise PolicyError(f"opa did not come to an end within {limit_s:g} s and was killed")
    if output.problem or output.truncated:
        raise PolicyError(f"opa gave no answer: {output.problem or 'too much output'}", remedy="see `secgate doctor`")
    try:
        # `opa check` writes its errors to stderr, and {} to stdout where there are none.
        return _ANSWERS.decode(output.stdout.strip() or output.stderr.strip() or b"{}")
    except (msgspec.DecodeError, RecursionError) as error:
        raise PolicyError(f"opa's answer cannot be read: {error}", remedy="use a tested version of opa") from error


def _read(output: Output, *, query: str, limit_s: float, shown: Mapping[str, str]) -> bytes:
    answer = _answer(output, limit_s=limit_s)
    if answer.errors:
        place, message = _said(answer.errors[0], shown)
        raise PolicyError(message, remedy=_REMEDY, place=place)
    if output.exit_code != 0:
        raise PolicyError(f"opa ended with exit code {output.exit_code}", remedy="use a tested version of opa")
    if len(answer.result) != 1 or len(answer.result[0].expressions) != 1:
        raise PolicyError(f"`{query}` is undefined", remedy="load the module that defines it")
    return bytes(answer.result[0].expressions[0].value)
