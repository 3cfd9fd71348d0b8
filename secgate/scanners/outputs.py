"""What the adapters share: reading JSON of a known form, cutting long file lists, finding claims in comments."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import TypeVar

import msgspec

from secgate.errors import ConfigError, OutputError
from secgate.model import (
    STANDBY_GATE,
    EvidenceBasis,
    FileReading,
    FileStatus,
    Limits,
    Output,
    Reading,
    ScanStatus,
    Slot,
    Suppression,
)
from secgate.ports import PlanRequest

Form = TypeVar("Form")

ARGUMENT_BYTES = 100_000
"""Most bytes of file names in one job's argument list; Linux takes 2 MiB for all of it and the environment."""

_CWE = re.compile(r"\bCWE-(\d{1,6})\b", re.IGNORECASE)


def decode(data: bytes, form: type[Form], *, tool: str) -> Form:
    """Read JSON as `form`; a byte that is not UTF-8, which tools quote from what they scan, becomes U+FFFD.

    Raises OutputError for empty, cut or differently shaped output; it names the place in it, never the content.
    """
    if not data.strip():
        raise OutputError(f"{tool} wrote no output", remedy=f"run {tool} by hand to see why")
    try:
        return msgspec.json.decode(_text(data), type=form)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise OutputError(
            f"the output of {tool} is not of the form it documents: {error}",
            remedy="use a version in the tested range, see `secgate doctor`",
        ) from error


def _text(data: bytes) -> bytes:
    try:
        data.decode()
    except UnicodeDecodeError:
        return data.decode("utf-8", "replace").encode()
    return data


def crashed(tool: str, output: Output) -> Reading:
    """A reading for a tool that broke off. Its words are not quoted: they may hold secrets."""
    how = f"signal {-output.exit_code}" if output.exit_code < 0 else f"exit code {output.exit_code}"
    return Reading(status=ScanStatus.CRASHED, reason=f"{tool} ended with {how}")


def view_path(name: str) -> str:
    """Give the view's path for a tool's spelling of it: every leading `./` is dropped, nothing else."""
    while name.startswith("./"):
        name = name[2:]
    return name


def argument(path: str) -> str:
    """Spell a view path so that no tool takes it for an option."""
    return f"./{path}"


def chunks(paths: Sequence[str], most: int) -> Iterator[tuple[str, ...]]:
    """Cut `paths` into parts of at most `most` names and ARGUMENT_BYTES bytes, in order."""
    part: list[str] = []
    size = 0
    for path in paths:
        length = len(path.encode("utf-8", "surrogateescape")) + 3
        if part and (len(part) >= most or size + length > ARGUMENT_BYTES):
            yield tuple(part)
            part, size = [], 0
        part.append(path)
        size += length
    if part:
        yield tuple(part)


def covered(paths: Iterable[str], basis: EvidenceBasis, *, reason: str = "") -> Iterator[FileReading]:
    """Readings of files that were looked at."""
    for path in paths:
        yield FileReading(path=path, status=FileStatus.COVERED, basis=basis, reason=reason)


def failed(path: str, reason: str) -> FileReading:
    """A reading of a file that was not looked at; `reason` begins with a code of model.Gap, then `: ` and words."""
    return FileReading(path=path, status=FileStatus.FAILED, basis=EvidenceBasis.NONE, reason=reason)


def in_source(line: str) -> tuple[Suppression, ...]:
    """A claim of the source that a result does not count, as its text says it."""
    return (Suppression(kind="inSource", text=line.strip()[:200]),)


def cwes_of(value: object) -> tuple[int, ...]:
    """Every CWE number named in a text or a list of texts, sorted."""
    texts = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    return tuple(sorted({int(found) for text in texts if isinstance(text, str) for found in _CWE.findall(text)}))


def longest_suffix(place: str, paths: AbstractSet[str]) -> str:
    """Give the path of `paths` that the absolute `place` ends with, the longest where several fit, "" for none."""
    start = 0
    while place[start:] not in paths:
        start = place.find("/", start) + 1
        if start == 0:
            return ""
    return place[start:]


def options(request: PlanRequest, form: type[Form], *, scanner: str) -> Form:
    """Give the options of a request as `form`. Raises ConfigError where whoever planned did not look them over."""
    try:
        return msgspec.convert(dict(request.settings), form)
    except msgspec.ValidationError as error:
        fault = (f"scanners.{scanner}.options", str(error), "see `secgate config schema`")
        raise ConfigError("a setting is wrong", faults=[fault]) from error


def with_time(limits: Limits, seconds: float) -> Limits:
    """Give `limits` with another time limit."""
    return msgspec.structs.replace(limits, time_s=seconds)


_GET_READY = """\
import importlib, runpy, sys
gate, module, imports = sys.argv[1:4]
del sys.argv[1:4]
for name in imports.split():
    importlib.import_module(name)
with open(gate, "rb") as waiting:
    waiting.read()
runpy.run_module(module, run_name="__main__", alter_sys=True)
"""


def gate() -> Slot:
    """Give the place of the gate at which a job that stands by waits."""
    return Slot(name="work", suffix=f"/{STANDBY_GATE}")


def standing_by(argv: Sequence[str | Slot], *, imports: str) -> tuple[str | Slot, ...]:
    """Give `Job.standby` for arguments that begin with `python -I -m MODULE`.

    The modules in `imports` are loaded while it waits: those that do nothing then but define.
    """
    interpreter, isolated, _, module, *rest = argv
    return (interpreter, isolated, "-c", _GET_READY, gate(), module, imports, *rest)
