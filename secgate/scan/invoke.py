"""Running the scanners: plan, execute, read, for each selected scanner in a thread of its own.

A scanner that is not in the tasks is not touched at all. Whatever goes wrong with one that is becomes the status of its
invocation and the reason of its files; only faults of ours and an interrupt end the stage.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime

import msgspec

from secgate.cache import Outputs, output_key
from secgate.errors import InternalError, OutputError, PluginError, SecgateError
from secgate.model import (
    EvidenceBasis,
    FileReading,
    FileStatus,
    Invocation,
    Job,
    Limits,
    Output,
    Reading,
    Rule,
    ScanStatus,
    Slot,
    SourceFile,
    Target,
    Tool,
    Value,
    View,
)
from secgate.ports import Executor, Observer, PlanRequest, Scanner, Service
from secgate.scan.claims import attach
from secgate.scan.reading import view_reader
from secgate.sla import many

ROUNDS = 4
"""The planned jobs and at most three rounds of follow-ups; a plug-in that plans more is at fault."""

_STATUS_ORDER = (
    ScanStatus.CRASHED,
    ScanStatus.TIMED_OUT,
    ScanStatus.TRUNCATED,
    ScanStatus.UNREADABLE,
    ScanStatus.UNAVAILABLE,
    ScanStatus.MISSING,
    ScanStatus.COMPLETED,
)
"""Of several jobs the first of these is the invocation's status."""

REASONS: Mapping[ScanStatus, str] = {
    ScanStatus.MISSING: "tool-missing",
    ScanStatus.CRASHED: "tool-crashed",
    ScanStatus.TIMED_OUT: "tool-timed-out",
    ScanStatus.UNREADABLE: "output-unreadable",
    ScanStatus.TRUNCATED: "output-truncated",
    ScanStatus.UNAVAILABLE: "advisories-missing",
}
"""The gap's code (model.Gap) of each status that is not `completed`."""


class ScannerTask(Value, frozen=True, kw_only=True):
    """One selected scanner, with what was found and set for it. `remedy` is how its tool is installed."""

    scanner: Scanner
    tool: Tool | None
    settings: Mapping[str, object] = {}
    limits: Limits = Limits()
    rule_pack: str = ""
    rule_pack_digest: str = ""
    rule_pack_epoch_s: int = 0
    remedy: str = ""
    paths: frozenset[str] | None = None
    """The only files that it is given, None for every one that it supports."""
    keepable: bool = False
    """Whether its outputs depend on nothing but the job, the tool, the rule pack and the view."""


class ScanResult(Value, frozen=True, kw_only=True):
    """What one scanner did and found. Only readings with status `completed` are among `readings`."""

    invocation: Invocation
    readings: tuple[Reading, ...] = ()


class _Surroundings(Value, frozen=True, kw_only=True):
    """What every scanner of a run shares."""

    target: Target
    view: View
    files: tuple[SourceFile, ...]
    executor: Executor
    services: Mapping[str, Service]
    rules_root: str
    offline: bool
    parallel: int
    now: datetime
    observer: Observer | None
    kept: Outputs | None
    turn: threading.Lock
    """Held while an output is read: two threads that decode a type for the first time at once can crash msgspec."""


def scan(
    tasks: Sequence[ScannerTask],
    *,
    target: Target,
    view: View,
    executor: Executor,
    services: Mapping[str, Service],
    rules_root: str,
    offline: bool,
    parallel: int,
    now: datetime,
    observer: Observer | None = None,
    files: Sequence[SourceFile] | None = None,
    kept: Outputs | None = None,
    turn: threading.Lock | None = None,
) -> tuple[ScanResult, ...]:
    """Run all tasks side by side and give their results sorted by scanner name.

    `files` are those offered; by default the target's that are in the view. `kept` are outputs of earlier runs of this
    process, and take those of this one. `turn` is what runs beside this one hold too while they read an output. Raises
    ConfigError for settings that a scanner refuses.
    """
    names = [task.scanner.name for task in tasks]
    if len(set(names)) != len(names):
        raise InternalError(f"a scanner is selected twice: {sorted(names)}")
    offered = files if files is not None else [file for file in target.files if file.path in view.digests]
    around = _Surroundings(
        target=target,
        view=view,
        files=tuple(sorted(offered, key=lambda file: file.path)),
        executor=executor,
        services=services,
        rules_root=rules_root,
        offline=offline,
        parallel=parallel,
        now=now,
        observer=observer,
        kept=kept,
        turn=turn or threading.Lock(),
    )
    if not tasks:
        return ()
    with ThreadPoolExecutor(max_workers=len(tasks), thread_name_prefix="secgate-scan") as pool:
        futures = [pool.submit(_one, task, around) for task in sorted(tasks, key=lambda task: task.scanner.name)]
        try:
            return tuple(future.result() for future in futures)
        except BaseException:
            executor.cancel()
            raise


def _one(task: ScannerTask, around: _Surroundings) -> ScanResult:
    started = time.monotonic()
    name = task.scanner.name
    mine = tuple(file for file in around.files if task.paths is None or file.path in task.paths)
    run = _Run(task, around, mine)
    try:
        mine = tuple(file for file in mine if task.scanner.supports(file))
        _tell(around, name, "waiting", many(len(mine), "file"))
        run = _Run(task, around, mine)
        if mine and task.scanner.spec is not None and task.tool is None:
            run.status, run.reason = ScanStatus.MISSING, f"{name} is not installed"
        elif mine:
            _tell(around, name, "running", many(len(mine), "file"))
            run.rounds()
    except PluginError as error:
        run.status, run.reason = ScanStatus.CRASHED, error.what
    result = run.result(time.monotonic() - started)
    invocation = result.invocation
    state = "done" if invocation.status is ScanStatus.COMPLETED else "failed"
    _tell(around, name, state, invocation.reason or many(invocation.executed + invocation.reused, "file"))
    return result


def _tell(around: _Surroundings, name: str, state: str, detail: str) -> None:
    if around.observer is not None:
        around.observer.scanner(name, state, detail)


class _Run:
    """One scanner's rounds; used by one thread."""

    def __init__(self, task: ScannerTask, around: _Surroundings, files: tuple[SourceFile, ...]) -> None:
        self.status = ScanStatus.COMPLETED
        self.reason = "" if files else "no files of its kinds"
        self._task = task
        self._around = around
        self._files = files
        self._jobs: list[Job] = []
        self._outputs: dict[str, Output] = {}
        self._readings: list[tuple[Job, Reading]] = []
        self._lock = threading.Lock()

    def rounds(self) -> None:
        """Plan, run and read until no reading asks for more."""
        jobs = self._checked(self._task.scanner.plan(self._request()))
        with ExitStack() as stack:
            addresses: dict[str, str] = {}
            unavailable: dict[str, str] = {}
            for _ in range(ROUNDS):
                if not jobs:
                    break
                self._open(stack, jobs, addresses, unavailable)
                jobs = self._round(jobs, addresses, unavailable)
        if jobs:
            raise InternalError(f"the scanner {self._task.scanner.name} never stops asking for more jobs")
        ends = [(_STATUS_ORDER.index(reading.status), reading.reason) for _, reading in self._readings]
        if ends:
            order, self.reason = min(ends, key=lambda end: end[0])
            self.status = _STATUS_ORDER[order]

    def _request(self) -> PlanRequest:
        around = self._around
        return PlanRequest(
            target=around.target,
            view=around.view,
            files=self._files,
            settings=self._task.settings,
            rules_root=around.rules_root,
            offline=around.offline,
            parallel=around.parallel,
            read=view_reader(around.view.root),
            limits=self._task.limits,
            evaluated_epoch_s=int(around.now.timestamp()),
        )

    def _checked(self, jobs: Iterable[Job]) -> tuple[Job, ...]:
        """Hold the plug-in to its contract; names must stay unique over all rounds."""
        jobs = tuple(jobs)
        name = self._task.scanner.name
        seen = {job.name for job in self._jobs}
        for job in jobs:
            if not job.name.startswith(name) or job.scanner != name or job.name in seen:
                raise InternalError(f"the scanner {name} planned a job called {job.name!r} for {job.scanner!r}")
            seen.add(job.name)
        self._jobs += jobs
        return jobs

    def _open(
        self, stack: ExitStack, jobs: Sequence[Job], addresses: dict[str, str], unavailable: dict[str, str]
    ) -> None:
        for name in sorted({job.service for job in jobs} - {""} - addresses.keys() - unavailable.keys()):
            service = self._around.services.get(name)
            if service is None:
                unavailable[name] = f"advisories-missing: nothing serves {name}"
                continue
            try:
                addresses[name] = stack.enter_context(service.open())
            except SecgateError as error:
                unavailable[name] = error.what

    def _round(
        self, jobs: Sequence[Job], addresses: Mapping[str, str], unavailable: Mapping[str, str]
    ) -> tuple[Job, ...]:
        keys = {job.name: self._key(job) for job in jobs}
        outputs = self._kept(jobs, keys)
        tools = {self._task.scanner.name: self._task.tool} if self._task.tool else {}
        outputs |= self._around.executor.execute(
            [job for job in jobs if job.service not in unavailable and job.name not in outputs],
            view=self._around.view,
            tools=tools,
            services=addresses,
            rules_root=self._around.rules_root,
            on_end=self._on_end,
        )
        follow_up: list[Job] = []
        for job in jobs:
            if job.service in unavailable:
                reading = Reading(status=ScanStatus.UNAVAILABLE, reason=unavailable[job.service])
            else:
                self._outputs[job.name] = outputs[job.name]
                with self._around.turn:
                    reading = _read(self._task.scanner, job, outputs[job.name])
                reading = self._with_claims(reading)
                if self._around.kept is not None and reading.status is ScanStatus.COMPLETED:
                    self._around.kept.keep(keys[job.name], outputs[job.name])
            self._readings.append((job, reading))
            follow_up += reading.follow_up
        return self._checked(follow_up)

    def _key(self, job: Job) -> bytes:
        around, task = self._around, self._task
        if around.kept is None or not task.keepable:
            return b""
        inputs = (task.rule_pack_digest,)
        return output_key(job, task.tool, view=around.view, rules_root=around.rules_root, inputs=inputs)

    def _kept(self, jobs: Sequence[Job], keys: Mapping[str, bytes]) -> dict[str, Output]:
        find = self._around.kept.find if self._around.kept is not None else lambda _: None
        return {job.name: output for job in jobs if (output := find(keys[job.name])) is not None}

    def _with_claims(self, reading: Reading) -> Reading:
        # Optional attribute: what comments of the scanner's own look like, for tools that do not tell.
        pattern = str(getattr(self._task.scanner, "ignore_comments", ""))
        if not pattern or not reading.results:
            return reading
        inside = [result for result in reading.results if result.path in self._around.view.digests]
        outside = tuple(result for result in reading.results if result.path not in self._around.view.digests)
        marked = attach(inside, pattern, view_reader(self._around.view.root))
        return msgspec.structs.replace(reading, results=marked + outside)

    def _on_end(self, job: Job, output: Output) -> None:
        with self._lock:
            _tell(self._around, self._task.scanner.name, "running", f"{job.name} ended after {output.duration_s:.1f} s")

    def _reused(self) -> set[str]:
        """Give the files that no job looked at now."""
        kept = {job.name for job in self._jobs if job.name in self._outputs and self._outputs[job.name].is_kept}
        looked = {path for job in self._jobs if job.name not in kept for path in job.files}
        return {path for job in self._jobs if job.name in kept for path in job.files} - looked

    def result(self, duration_s: float) -> ScanResult:
        """Make the invocation: one reading per offered file, the set difference included."""
        files = _merge(self._files, self._readings, self.status, self.reason)
        scanner = self._task.scanner
        completed = tuple(reading for _, reading in self._readings if reading.status is ScanStatus.COMPLETED)
        reused = self._reused()
        invocation = Invocation(
            scanner=scanner.name,
            lane=scanner.lanes[0],
            lanes=scanner.lanes,
            tool=self._task.tool,
            status=self.status,
            reason=self.reason,
            rule_pack=self._task.rule_pack,
            rule_pack_digest=self._task.rule_pack_digest,
            rule_pack_epoch_s=self._task.rule_pack_epoch_s,
            options_digest=_options_digest(self._task, self._jobs, offline=self._around.offline),
            argv=_shown(self._jobs[0]) if self._jobs else (),
            exit_codes=tuple(self._outputs[job.name].exit_code for job in self._jobs if job.name in self._outputs),
            started_epoch_s=int(self._around.now.timestamp()),
            duration_s=round(duration_s, 3),
            executed=sum(file.status is FileStatus.COVERED and file.path not in reused for file in files),
            reused=sum(file.status is FileStatus.COVERED and file.path in reused for file in files),
            files=files,
            notices=tuple(sorted({notice for reading in completed for notice in reading.notices})),
            rules=_rules(completed),
        )
        return ScanResult(invocation=invocation, readings=completed)


def _read(scanner: Scanner, job: Job, output: Output) -> Reading:
    """Read one output. What the executor says of it comes before what it seems to hold."""
    if output.problem:
        return Reading(status=ScanStatus.CRASHED, reason=output.problem)
    if output.timed_out:
        return Reading(status=ScanStatus.TIMED_OUT, reason=f"{job.name} did not end within {job.limits.time_s:g} s")
    if output.truncated:
        return Reading(
            status=ScanStatus.TRUNCATED, reason=f"{job.name} wrote more than {job.limits.output_bytes} bytes"
        )
    try:
        reading = scanner.read(job, output)
    except OutputError as error:
        return Reading(status=ScanStatus.UNREADABLE, reason=error.what)
    if reading.status is not ScanStatus.COMPLETED and (reading.results or reading.follow_up):
        raise InternalError(f"the scanner {scanner.name} gives results of a run it calls {reading.status.value}")
    return reading


def _merge(
    files: Sequence[SourceFile], readings: Sequence[tuple[Job, Reading]], status: ScanStatus, reason: str
) -> tuple[FileReading, ...]:
    """Give one reading per offered file. A failure counts more than any number of successes."""
    told: dict[str, list[FileReading]] = {}
    for job, reading in readings:
        if reading.status is ScanStatus.COMPLETED:
            said = {file.path for file in reading.files}
            for one in (*reading.files, *(_not_listed(path, reading) for path in job.files if path not in said)):
                told.setdefault(one.path, []).append(one)
        else:
            for path in job.files:
                told.setdefault(path, []).append(_failed(path, _coded(reading.status, reading.reason)))
    merged = []
    for file in files:
        mine = [one for one in told.get(file.path, []) if one.reason != _DEFERRED]
        if not mine:
            why = _coded(status, reason) if status is not ScanStatus.COMPLETED else "not-listed: no job looked at it"
            mine = [_failed(file.path, why)]
        merged.append(next((one for one in mine if one.status is not FileStatus.COVERED), mine[0]))
    return tuple(merged)


_DEFERRED = "deferred"
"""Stands for a file that a follow-up answers for."""


def _not_listed(path: str, reading: Reading) -> FileReading:
    if any(path in job.files for job in reading.follow_up):
        return _failed(path, _DEFERRED)
    return _failed(path, "not-listed: the tool does not tell that it looked at it")


def _failed(path: str, reason: str) -> FileReading:
    return FileReading(path=path, status=FileStatus.FAILED, basis=EvidenceBasis.NONE, reason=reason)


def _coded(status: ScanStatus, reason: str) -> str:
    """Put the status's code before the reason, unless the adapter gave a code of the advisories itself."""
    if status is ScanStatus.UNAVAILABLE and reason.startswith("advisories-"):
        return reason
    return f"{REASONS[status]}: {reason}" if reason else REASONS[status]


def _rules(readings: Sequence[Reading]) -> tuple[Rule, ...]:
    rules = {rule.id: rule for reading in readings for rule in reading.rules}
    return tuple(rules[name] for name in sorted(rules))


def _shown(job: Job) -> tuple[str, ...]:
    """Give the argument list as it may be stored: slots by name, files as a number."""
    shown = [part if isinstance(part, str) else f"{{{part.name}}}{part.suffix}" for part in _without_files(job)]
    return (*shown, f"[{len(job.files)} files]") if len(shown) < len(job.argv) else tuple(shown)


def _without_files(job: Job) -> list[str | Slot]:
    files = {*job.files, *(f"./{path}" for path in job.files), *job.blobs, *(f"./{name}" for name in job.blobs)}
    return [part for part in job.argv if not (isinstance(part, str) and part in files)]


def _options_digest(task: ScannerTask, jobs: Sequence[Job], *, offline: bool) -> str:
    """Digest of all but the files that the result depends on, so that runs over other files, elsewhere, compare."""
    options = {
        "settings": {key: task.settings[key] for key in sorted(task.settings)},
        "argv": sorted({shown for job in jobs if (shown := _shown_options(job))}),
        "offline": offline,
    }
    return hashlib.sha256(msgspec.json.encode(options, order="sorted")).hexdigest()


def _shown_options(job: Job) -> str:
    parts = _without_files(job) if job.compared is None else job.compared
    return "\0".join(part if isinstance(part, str) else f"{{{part.name}}}{part.suffix}" for part in parts)
