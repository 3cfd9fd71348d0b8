"""The library: what programs of one's own call. It prints nothing, ends no process, and reads no clock.

Times are aware UTC datetimes that the caller gives; `env` stands for this process's environment, which is read where it
is None. Everything raises SecgateError (see `errors`): each error knows its exit code, its place and what to try.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import BinaryIO, NamedTuple, TypeVar, get_args

import msgspec

from secgate import config, custody, pipeline
from secgate.errors import InternalError, UsageError
from secgate.model import Decision, Finding, LedgerEntry, Outcome, RunDocument
from secgate.pipeline.checking import SarifSource, check
from secgate.pipeline.policies import PolicySource, lint_policies, try_policies
from secgate.policy import LayerName
from secgate.policy.accounts import PolicyLint, PolicyTests
from secgate.ports import Rendered
from secgate.preparation import RunRequest, Silence

T = TypeVar("T")

__all__ = ["GateResult", "Ledger", "Policy", "check_sarif", "render", "run_gate"]


class GateResult(NamedTuple):
    """What was decided, and the whole document of it, which `render` shows."""

    decision: Decision
    document: RunDocument

    @property
    def outcome(self) -> Outcome:
        """Pass, fail, inconclusive, policy error or ledger error."""
        return self.decision.outcome

    @property
    def exit_code(self) -> int:
        """What `secgate run` would have ended with."""
        return self.decision.exit_code

    @property
    def findings(self) -> tuple[Finding, ...]:
        """One for each weakness, in order of path and place."""
        return self.document.findings


def run_gate(
    path: str | Path = ".",
    *,
    now: datetime,
    env: Mapping[str, str] | None = None,
    changed_since: str | None = None,
    staged: bool = False,
    profile: str | None = None,
    scanners: Sequence[str] = (),
    offline: bool | None = None,
    policies: Sequence[str | Path] = (),
    enforced: str | Path = "",
    config_file: str | Path = "",
    ref: str = "",
    scope: str | None = None,
    artifacts: Sequence[str] = (),
    baseline: str | Path = "",
    jobs: int | None = None,
) -> GateResult:
    """Gate the tree at `path`: scan, judge, record.

    `now` is the only clock that clocks and policies read. The other parameters are the options of `secgate run`, None
    or empty for "not given" (`config_file` is --config).
    """
    options = {
        "path": _path(path, "path"),
        "changed_since": changed_since,
        "staged": staged,
        "profile": profile,
        "scanners": scanners,
        "offline": offline,
        "policies": _several(policies, "policies"),
        "enforced": _path(enforced, "enforced"),
        "config": _path(config_file, "config_file"),
        "ref": ref,
        "scope": scope,
        "artifacts": artifacts,
        "baseline": _path(baseline, "baseline"),
        "jobs": jobs,
    }
    try:
        request = msgspec.convert(options, RunRequest)
    except msgspec.ValidationError as error:
        raise UsageError(f"an option is wrong: {error}", remedy="see the parameters of run_gate") from error
    return _result(pipeline.run(request, machine=_machine(env), now=now, observer=Silence()))


def check_sarif(
    files: Sequence[str | Path | bytes],
    *,
    now: datetime,
    env: Mapping[str, str] | None = None,
    policies: Sequence[str | Path] = (),
    enforced: str | Path = "",
) -> GateResult:
    """Judge SARIF 2.1.0 of any tool, given as paths or as the bytes themselves.

    No coverage is claimed, nothing recorded: a pass covers the findings in the files only. Errors name bytes by their
    place in the list, `files[0]`.
    """
    pipeline.require_utc(now)
    sources = [
        SarifSource(f"files[{number}]" if isinstance(one, bytes) else str(one), partial(_opened, one))
        for number, one in enumerate(_sarif_files(files))
    ]
    return _result(
        check(
            sources,
            policies=_several(policies, "policies"),
            enforced=_path(enforced, "enforced"),
            machine=_machine(env),
            now=now,
        )
    )


def render(result: GateResult, form: str, *, width: int = 80, colour: bool = False) -> Rendered:
    """Give a result in one of the formats of `secgate run --format`, by name: its bytes, and in words what it left out.

    `width` is in columns, 40 at least, and counts for text alone, as does `colour` (ANSI escapes).
    """
    document = _given(result, GateResult, "result").document
    return pipeline.render(document, form, width=_given(width, int, "width"), colour=colour)


class Policy:
    """A folder of Rego policies as its authors work on it; `run_gate(policies=[folder])` judges by it."""

    def __init__(
        self,
        folder: str | Path,
        *,
        layer: LayerName | None = None,
        enforced: str | Path = "",
        env: Mapping[str, str] | None = None,
    ) -> None:
        """Name a folder. `layer` is told from it where it is None: the organisation's has an `enforced.toml`."""
        if layer not in (None, *get_args(LayerName)):
            remedy = f"one of: {', '.join(get_args(LayerName))}"
            raise UsageError(f"there is no layer `{layer}`", place="layer", remedy=remedy)
        self.source = PolicySource(folder=_path(folder, "folder"), layer=layer, enforced=_path(enforced, "enforced"))
        self._machine = _machine(env)

    def lint(self, *, now: datetime) -> PolicyLint:
        """Give every fault with its file and line; none where `faults` is empty."""
        pipeline.require_utc(now)
        return lint_policies(self.source, machine=self._machine, now=now)

    def test(self, *, now: datetime, engines: Sequence[str] = ("regorus",)) -> PolicyTests:
        """Run its `test_` rules in each engine; see `passed`, which wants every deny tested as well."""
        pipeline.require_utc(now)
        chosen = _several(engines, "engines")
        if not chosen:
            raise UsageError("no engine is named", place="engines", remedy="leave it out, or name one")
        return try_policies(self.source, engines=chosen, machine=self._machine, now=now)


class Ledger:
    """The ledger of a tree, as its settings name it. Reading verifies; nothing is written but by `make`."""

    def __init__(
        self,
        path: str | Path = ".",
        *,
        config_file: str | Path = "",
        enforced: str | Path = "",
        env: Mapping[str, str] | None = None,
    ) -> None:
        """Name the tree whose ledger is meant. Nothing is opened yet."""
        self.place = custody.Place(
            path=_path(path, "path"), config=_path(config_file, "config_file"), enforced=_path(enforced, "enforced")
        )
        self._machine = _machine(env)

    def make(self, *, now: datetime) -> str:
        """Make the ledger, or make the provisional one the one that counts, and give its address."""
        pipeline.require_utc(now)
        address, _ = custody.make(self.place, machine=self._machine, now=now)
        return address

    def verify(
        self, *, now: datetime, checkpoints: Sequence[str | Path] = (), max_age: timedelta | None = None
    ) -> custody.Checked:
        """Read and verify every entry and signature, and hold the ledger against checkpoints kept at these places.

        Raises LedgerError naming the first entry that does not verify.
        """
        pipeline.require_utc(now)
        age = None if max_age is None else _given(max_age, timedelta, "max_age")
        asked = custody.Asked(places=_several(checkpoints, "checkpoints"), max_age=age)
        return custody.verify(self.place, asked, machine=self._machine, now=now)

    def entries(self, *, now: datetime, types: Sequence[str] = (), last: int = 0) -> tuple[LedgerEntry, ...]:
        """Give the last `last` entries (0 for all) of these types (() for all), oldest first, once it verifies."""
        pipeline.require_utc(now)
        if _given(last, int, "last") < 0:
            raise UsageError(f"{last} is no number of entries", place="last", remedy="give 0 for all, or how many")
        kinds = _several(types, "types")
        return custody.log(self.place, types=kinds, last=last, machine=self._machine, now=now).entries


def _machine(env: Mapping[str, str] | None) -> config.Machine:
    return config.this_machine(config.process_environment() if env is None else _environment(env))


# What a caller without a type checker gives is looked at here, so that what is wrong is an error of the one tree. Its
# type is named and never its value, which may be a secret.


def _environment(env: object) -> dict[str, str]:
    if not isinstance(env, Mapping):
        raise _not(env, "a mapping of text to text", "env")
    for name, value in env.items():
        for one in (name, value):
            if not isinstance(one, str):
                raise _not(one, "text", f"env[{name!r}]")
    return dict(env)


def _given(value: object, kind: type[T], place: str) -> T:
    if not isinstance(value, kind):
        raise _not(value, f"a value of type {kind.__name__}", place)
    return value


def _path(value: object, place: str) -> str:
    """Give it as text; "" stays what it is, which is "not given" wherever a path can be left out."""
    if not isinstance(value, str | Path):
        raise _not(value, "a path", place)
    if "\0" in str(value):
        raise UsageError("no path holds a NUL", place=place, remedy="give a path")
    return str(value)


def _several(values: object, place: str) -> tuple[str, ...]:
    if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
        raise _not(values, "a list", place)
    return tuple(_path(one, f"{place}[{number}]") for number, one in enumerate(values))


def _sarif_files(files: object) -> list[str | bytes]:
    if isinstance(files, str | bytes | Mapping) or not isinstance(files, Iterable):
        raise _not(files, "a list of SARIF files", "files")
    given = [one if isinstance(one, bytes) else _path(one, f"files[{number}]") for number, one in enumerate(files)]
    if not given:
        raise UsageError("no SARIF file is named", place="files", remedy="give a list of paths or of bytes")
    return given


def _not(value: object, wanted: str, place: str) -> UsageError:
    return UsageError(f"not {wanted} but a {type(value).__name__}", place=place, remedy=f"give {wanted}")


def _result(document: RunDocument) -> GateResult:
    if document.decision is None:
        raise InternalError("a run without a decision")
    return GateResult(document.decision, document)


@contextlib.contextmanager
def _opened(source: str | bytes) -> Iterator[BinaryIO]:
    if isinstance(source, bytes):
        yield io.BytesIO(source)
        return
    try:
        with Path(source).open("rb") as stream:
            yield stream
    except OSError as error:
        raise UsageError(f"cannot read it: {error.strerror}", place=str(source), remedy="give a SARIF file") from error
