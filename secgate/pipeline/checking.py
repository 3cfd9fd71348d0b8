"""SARIF of any tool, judged: findings only, no coverage claimed, nothing recorded."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec
from msgspec import Struct

from secgate import config, registry
from secgate.config import Machine
from secgate.correlate import correlate
from secgate.engines.regorus import RegorusEngine
from secgate.judge import Judgement, JudgeRequest, judge
from secgate.model import (
    Coverage,
    Finding,
    Gap,
    Invocation,
    Lane,
    LaneCoverage,
    RawResult,
    Reading,
    RunDocument,
    ScanStatus,
    Scope,
    Source,
    Target,
    View,
)
from secgate.normalise import Refusal, normalise
from secgate.pipeline.circumstances import with_classes, with_exploitation
from secgate.pipeline.looking import Tables, load_tables
from secgate.preparation import (
    Enforced,
    Silence,
    advisory_database,
    guarded_reader,
    named_policies,
    policy_layers,
    read_enforced,
    workshop,
)
from secgate.sarif import ForeignRun
from secgate.scanners.reports import read_report
from secgate.version import __version__

MANY_RESULTS = 100_000
"""Results from which on it is said what memory JSON takes."""
_JSON_KB = 4
"""Kilobytes a result, measured: `benchmarks/README.md`."""


class SarifSource(NamedTuple):
    """A file to judge: the name that messages use, and how to open it, once, when its turn comes."""

    name: str
    opened: Callable[[], AbstractContextManager[BinaryIO]]


class _Import(Struct, frozen=True, kw_only=True):
    """A foreign run in the form that the scan stage gives."""

    invocation: Invocation
    readings: tuple[Reading, ...]


def check(
    files: Sequence[SarifSource],
    *,
    policies: Sequence[str],
    enforced: str,
    machine: Machine,
    now: datetime,
) -> RunDocument:
    """Judge the findings in `files` as if all were new. A file whose tool says that it failed leaves a gap.

    Raises UsageError for what cannot be read or is not SARIF 2.1.0, PolicyError where the policy could not decide.
    """
    organisation = read_enforced(enforced or machine.env.get("SECGATE_ENFORCED", ""), tree="")
    stronger = [*([organisation.settings] if organisation.settings else []), config.environment_layer(machine.env)]
    settings = config.resolve(stronger).settings
    tables = load_tables()
    taken = _Taken(known=tables.crosswalk.tools, home=machine.cwd)
    for source in files:
        taken.take(source)
    target = Target(
        root="",
        kind="plain",
        repository=Path(files[0].name).name if len(files) == 1 else f"{len(files)} files",
        scope=Scope.LOCAL,
        scope_basis="SARIF files, no tree",
    )
    findings, refused, invocations = _findings(taken.imports, target, tables)
    gaps = (*taken.gaps, *(_refused(one) for one in refused))
    told = with_exploitation(
        with_classes({}, findings, target=target, classes=organisation.path_classes),
        findings,
        database=advisory_database(machine, settings),
        now=now,
    )
    coverage = Coverage(lanes=tuple(_account(lane, gaps) for lane in Lane), table_digest=tables.lanes.digest)
    request = JudgeRequest(
        target=target,
        findings=findings,
        coverage=coverage,
        invocations=invocations,
        layers=(),
        profile=settings.profile,
        now=now,
        mode=settings.mode,
        joined=told.joined,
        lists=told.lists,
        disabled_rules=tuple(settings.disabled_rules),
        enforced_digest=organisation.digest,
        provisional_clocks=True,
        claims_coverage=False,
        keeps_input=False,
    )
    judgement = _judged(
        request, organisation, named_policies(policies, machine), settings=settings.engine, machine=machine
    )
    return RunDocument(
        run_id=f"{now:%Y%m%dT%H%M%S.%fZ}-{taken.digest()[:8]}",
        secgate_version=__version__,
        target=target,
        invocations=request.invocations,
        coverage=coverage,
        findings=findings,
        decision=judgement.decision,
        notes=(*taken.notes, *(f"{one.scanner}: {one.rule} at {one.path!r}: {one.reason}" for one in refused)),
    )


def memory_words(document: RunDocument, forms: Iterable[str]) -> str:
    """Say what JSON of very many results takes, since it is the one form that holds them all at once; "" for few."""
    results = sum(len(one.witnesses) for one in document.findings)
    if results <= MANY_RESULTS or "json" not in forms:
        return ""
    return (
        f"JSON of {results:,} results takes about {results * _JSON_KB // 1000:,} MB of memory; "
        "text takes none beyond what judging took"
    )


def _findings(
    imports: list[_Import], target: Target, tables: Tables
) -> tuple[tuple[Finding, ...], tuple[Refusal, ...], tuple[Invocation, ...]]:
    """Give findings, what was refused, and who said it all. `imports` are let go of as soon as they are normalised.

    A large file needs the room for its findings, and to be judged in.
    """
    normalised = normalise(
        imports,
        view=View(root="", source=Source.WORK_TREE, digests={}),
        read=lambda _: None,
        kinds=lambda _: (),
        crosswalk=tables.crosswalk,
        scores=lambda _: None,
        keep_outside=True,
    )
    invocations = tuple(normalised.masker.told(one.invocation) for one in imports)
    imports.clear()
    findings = correlate(
        normalised.located,
        target=target,
        crosswalk=tables.crosswalk,
        base=None,
        history=None,
        comparable=lambda _: False,
    ).findings
    return findings, normalised.refused, invocations


def _judged(
    request: JudgeRequest,
    organisation: Enforced,
    own: dict[str, bytes],
    *,
    settings: config.EngineSettings,
    machine: Machine,
) -> Judgement:
    with workshop(machine, now=request.now, observer=Silence()) as shop:
        engine, guarded = registry.engine(settings, machine=machine, runner=shop.executor, scratch=shop.scratch)
        reader = guarded_reader(machine, runner=shop.executor, scratch=shop.scratch)
        layers = policy_layers(organisation.policies, own, reader=RegorusEngine(), guarded=reader)
        return judge(msgspec.structs.replace(request, layers=layers), engine=engine, guarded=guarded)


class _Taken:
    """What was read of the files, one after the other."""

    def __init__(self, *, known: frozenset[str], home: str) -> None:
        """`home` is the folder that absolute paths are looked for below: the one that secgate was called from."""
        self._known, self._home = known, f"{home.rstrip('/')}/"
        self._digest = hashlib.sha256()
        self.imports: list[_Import] = []
        self.notes: list[str] = []
        self.gaps: list[Gap] = []

    def digest(self) -> str:
        """Give the hex SHA-256 of all files, one after the other."""
        return self._digest.hexdigest()

    def take(self, source: SarifSource) -> None:
        """Read one file."""
        with source.opened() as stream:
            runs = read_report(_Digesting(stream, self._digest.update), name=source.name)
        if not runs:
            self.gaps.append(_nothing(source.name))
        for run in runs:
            self.notes += (f"{source.name}: {note}" for note in run.remarks())
            if run.claimed_success is False:
                self.gaps.append(_gap(source.name, run))
            invocation = Invocation(
                scanner=_name(run.tool, self._known),
                lane=Lane.SAST,
                tool=None,
                status=ScanStatus.COMPLETED,
                rules=run.rules,
            )
            results = tuple(_relative(one, self._home) for one in run.results)
            reading = Reading(status=ScanStatus.COMPLETED, rules=run.rules, results=results)
            self.imports.append(_Import(invocation=invocation, readings=(reading,)))


class _Digesting:
    """A stream that is digested as it is read."""

    def __init__(self, stream: BinaryIO, update: Callable[[bytes], None]) -> None:
        self._stream, self._update = stream, update

    def read(self, size: int, /) -> bytes:
        data = self._stream.read(size)
        self._update(data)
        return data


def _relative(one: RawResult, home: str) -> RawResult:
    """Give a result without the place of another machine's tree: there is no tree here that could tell its root."""
    if not one.path.startswith("/"):
        return one
    package = one.package
    if package is not None:
        package = msgspec.structs.replace(package, manifest=package.manifest.removeprefix(home).lstrip("/"))
    return msgspec.structs.replace(one, path=one.path.removeprefix(home).lstrip("/"), package=package)


def _refused(one: Refusal) -> Gap:
    """A result that cannot be placed is one that nobody judges: that is said aloud, never passed over."""
    return Gap(
        lane=one.lane,
        path="",
        tool=one.scanner,
        reason="output-unreadable",
        detail=f"{one.rule} at {one.path!r}: {one.reason}",
        remedy="make the file anew, with paths relative to the root of the tree",
    )


def _gap(name: str, run: ForeignRun) -> Gap:
    """Say that findings may be missing: a claim of success is not believed, a claim of failure is."""
    return Gap(
        lane=Lane.SAST,
        path="",
        tool=run.tool,
        reason="tool-crashed",
        detail=f"{name}: the file says that its tool did not succeed",
        remedy="make the file anew with a run of the tool that succeeds",
    )


def _nothing(name: str) -> Gap:
    """Say that a file holds no run: no tool looked at anything, and that is no clean report."""
    return Gap(
        lane=Lane.SAST,
        path="",
        tool=name,
        reason="no-tool",
        detail="the file holds no run, so no tool looked at anything",
        remedy="make the file anew with a run of the tool, or leave it out",
    )


def _name(tool: str, known: frozenset[str]) -> str:
    """Give the name by which the crosswalk knows a tool: bandit calls itself Bandit."""
    return tool.lower() if tool.lower() in known else tool


def _account(lane: Lane, gaps: Sequence[Gap]) -> LaneCoverage:
    """Give a lane's account, in which nothing was asked for but that the files are whole."""
    mine = tuple(gap for gap in gaps if gap.lane is lane)
    return LaneCoverage(
        lane=lane, asked=bool(mine), needed=bool(mine), offered=0, covered=0, failed=0, unsupported=0, gaps=mine
    )
