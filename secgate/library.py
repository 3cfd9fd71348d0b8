"""The library: what programs of one's own call. It prints nothing, ends no process, and reads no clock.

Times are aware UTC datetimes that the caller gives; `env` stands for this process's environment, which is read where it
is None. Everything raises SecgateError (see `errors`): each error knows its exit code, its place and what to try.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import BinaryIO, NamedTuple

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
    policies: Sequence[str] = (),
    enforced: str = "",
    config_file: str = "",
    ref: str = "",
    scope: str | None = None,
    artifacts: Sequence[str] = (),
    baseline: str = "",
    jobs: int | None = None,
) -> GateResult:
    """Gate the tree at `path`: scan, judge, record.

    `now` is the only clock that clocks and policies read. The other parameters are the options of `secgate run`, None
    or empty for "not given" (`config_file` is --config).
    """
    options = {
        "path": str(path),
        "changed_since": changed_since,
        "staged": staged,
        "profile": profile,
        "scanners": scanners,
        "offline": offline,
        "policies": policies,
        "enforced": enforced,
        "config": config_file,
        "ref": ref,
        "scope": scope,
        "artifacts": artifacts,
        "baseline": baseline,
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
    policies: Sequence[str] = (),
    enforced: str = "",
) -> GateResult:
    """Judge SARIF 2.1.0 of any tool, given as paths or as the bytes themselves.

    No coverage is claimed, nothing recorded: a pass covers the findings in the files only. Errors name bytes by their
    place in the list, `files[0]`.
    """
    if isinstance(files, str | bytes) or not files:
        raise UsageError("files: not a list of SARIF files", remedy="give a list of paths or of bytes", place="files")
    pipeline.require_utc(now)
    sources = [
        SarifSource(f"files[{number}]", partial(_opened, one))
        if isinstance(one, bytes)
        else SarifSource(str(one), partial(_opened, one))
        for number, one in enumerate(files)
    ]
    return _result(check(sources, policies=tuple(policies), enforced=enforced, machine=_machine(env), now=now))


def render(result: GateResult, form: str, *, width: int = 80, colour: bool = False) -> Rendered:
    """Give a result in one of the formats of `secgate run --format`, by name: its bytes, and in words what it left out.

    `width` is in columns and counts for text alone, as does `colour` (ANSI escapes).
    """
    return pipeline.render(result.document, form, width=width, colour=colour)


class Policy:
    """A folder of Rego policies as its authors work on it; `run_gate(policies=[folder])` judges by it."""

    def __init__(
        self,
        folder: str | Path,
        *,
        layer: LayerName | None = None,
        enforced: str = "",
        env: Mapping[str, str] | None = None,
    ) -> None:
        """Name a folder. `layer` is told from it where it is None: the organisation's has an `enforced.toml`."""
        self.source = PolicySource(folder=str(folder), layer=layer, enforced=enforced)
        self._machine = _machine(env)

    def lint(self, *, now: datetime) -> PolicyLint:
        """Give every fault with its file and line; none where `faults` is empty."""
        pipeline.require_utc(now)
        return lint_policies(self.source, machine=self._machine, now=now)

    def test(self, *, now: datetime, engines: Sequence[str] = ("regorus",)) -> PolicyTests:
        """Run its `test_` rules in each engine; see `passed`, which wants every deny tested as well."""
        pipeline.require_utc(now)
        return try_policies(self.source, engines=tuple(engines), machine=self._machine, now=now)


class Ledger:
    """The ledger of a tree, as its settings name it. Reading verifies; nothing is written but by `make`."""

    def __init__(
        self,
        path: str | Path = ".",
        *,
        config_file: str = "",
        enforced: str = "",
        env: Mapping[str, str] | None = None,
    ) -> None:
        """Name the tree whose ledger is meant. Nothing is opened yet."""
        self.place = custody.Place(path=str(path), config=config_file, enforced=enforced)
        self._machine = _machine(env)

    def make(self, *, now: datetime) -> str:
        """Make the ledger, or make the provisional one the one that counts, and give its address."""
        pipeline.require_utc(now)
        address, _ = custody.make(self.place, machine=self._machine, now=now)
        return address

    def verify(
        self, *, now: datetime, checkpoints: Sequence[str] = (), max_age: timedelta | None = None
    ) -> custody.Checked:
        """Read and verify every entry and signature, and hold the ledger against checkpoints kept at these places.

        Raises LedgerError naming the first entry that does not verify.
        """
        pipeline.require_utc(now)
        asked = custody.Asked(places=tuple(checkpoints), max_age=max_age)
        return custody.verify(self.place, asked, machine=self._machine, now=now)

    def entries(self, *, now: datetime, types: Sequence[str] = (), last: int = 0) -> tuple[LedgerEntry, ...]:
        """Give the last `last` entries (0 for all) of these types (() for all), oldest first, once it verifies."""
        pipeline.require_utc(now)
        return custody.log(self.place, types=tuple(types), last=last, machine=self._machine, now=now).entries


def _machine(env: Mapping[str, str] | None) -> config.Machine:
    return config.this_machine(env if env is not None else config.process_environment())


def _result(document: RunDocument) -> GateResult:
    if document.decision is None:
        raise InternalError("a run without a decision")
    return GateResult(document.decision, document)


@contextlib.contextmanager
def _opened(source: str | Path | bytes) -> Iterator[BinaryIO]:
    if isinstance(source, bytes):
        yield io.BytesIO(source)
        return
    try:
        with Path(source).open("rb") as stream:
            yield stream
    except OSError as error:
        raise UsageError(f"cannot read it: {error.strerror}", place=str(source), remedy="give a SARIF file") from error
