"""pip-audit: known vulnerabilities of Python packages, from lists that secgate pins itself.

Traps, each with a test on recorded output (pip-audit 2.10):

- It runs `python -m pip` where it stands, so a tree with a folder `pip` would run: it is started in the work
  directory, never in the view.
- Given a tree's own requirements file it may install from it: it only gets lines of the form `name==version` that
  secgate wrote, with `--no-deps --disable-pip`.
- Packages it could not ask about are `skip_reason` entries beside "No known vulnerabilities found" and exit 0: such a
  package fails its manifest here, and so does one that the answer leaves out.
- It refuses a list that holds two versions of one package: such pins go into lists of their own.
- Where its source cannot be reached it ends in a traceback, with the exit code of a finding and nothing on stdout. The
  cause is told in words of our own: an address in its text can carry a proxy's password.
- It gives no severity: results are `high` with basis `unscored` until the scores of the advisory database are joined
  (`Database.scores`).

Ranges without a lock are resolved by uv from the operator's index, without building anything, and audited in a second
job.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime

import msgspec
from msgspec import Struct
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from secgate import manifests
from secgate.errors import OutputError
from secgate.manifests import Entry
from secgate.model import (
    EvidenceBasis,
    FileReading,
    FileStatus,
    Job,
    Lane,
    Output,
    Package,
    RawResult,
    Reading,
    Region,
    Rule,
    ScanStatus,
    Severity,
    SourceFile,
)
from secgate.ports import PlanRequest, ToolSpec
from secgate.scanners.audit_plan import (
    PLAN,
    SERVICE,
    AuditOptions,
    Pin,
    Plan,
    askable,
    audit,
    audits,
    resolution,
    settings,
    unpinned,
)
from secgate.sla import many

_ENDS_IN_NAME = re.compile(r": \S+ \(\S+\)$")
_VIA = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==[^#]*#\s*via\s+(?P<via>.*)$")
_ENDED = (0, 1)
_SHOWN = 3
"""How many packages without an answer a gap names."""
_LONGEST = 400
_UNREACHED = (
    (b"_service.interface.ServiceError", "it answered with an error"),
    (
        b"CERTIFICATE_VERIFY_FAILED",
        "its certificate is not trusted here; REQUESTS_CA_BUNDLE names a file of authorities that are",
    ),
    (b"requests.exceptions.ProxyError", "the proxy that HTTPS_PROXY names let nothing through"),
    (b"requests.exceptions.", "there was no connection to it"),
    (b"ERROR:pip_audit._cli:Tip: your network", "there was no connection to it"),
)
"""What pip-audit says on stderr where nobody answered, and what that means; the first that fits."""


class _Vulnerability(Struct, frozen=True):
    id: str
    fix_versions: list[str]
    aliases: list[str] = []
    description: str = ""


class _Dependency(Struct, frozen=True):
    name: str
    version: str = ""
    vulns: list[_Vulnerability] | None = None
    skip_reason: str = ""


class _Report(Struct, frozen=True):
    dependencies: list[_Dependency]
    fixes: list[object]


class PipAudit:
    """Adapter of pip-audit; see the module's text."""

    name = "pip-audit"
    lanes = (Lane.DEPENDENCIES,)
    spec: ToolSpec | None = ToolSpec(
        name="pip-audit", executable="pip-audit", package="pip-audit", tested=">=2.10,<3", needs_interpreter=True
    )
    services: tuple[str, ...] = (SERVICE,)
    outgoing = (
        "names and versions of packages to the advisory source; with `source = local` that is a loopback address. "
        "uv asks the operator's index about packages without a lock; `resolve = false` or `--offline` stops it"
    )
    options: type[Struct] = AuditOptions

    def supports(self, file: SourceFile) -> bool:
        """Manifests of Python packages."""
        return any(kind in manifests.KINDS for kind in file.kinds)

    def plan(self, request: PlanRequest) -> tuple[Job, ...]:
        """One job per list without two versions of a package, and one per manifest to be resolved first."""
        if not request.files:
            return ()
        source, resolve = settings(request)
        read = [
            manifests.read(file.path, kind, request.read(file.path), reader=request.read)
            for file in request.files
            for kind in [next(k for k in file.kinds if k in manifests.KINDS)]
        ]
        settled = manifests.settle(read)
        pending = {s.manifest.path: asked for s in settled if resolve and (asked := askable(s))}
        jobs = audits(settled, pending, source=source, request=request)
        for number, one in enumerate((s for s in settled if s.manifest.path in pending), 1):
            jobs.append(resolution(number, one, source=source, request=request))
        return tuple(jobs)

    def read(self, job: Job, output: Output) -> Reading:
        """See Scanner."""
        plan = msgspec.json.decode(job.blobs[PLAN], type=Plan)
        if output.problem:
            absent = bool(job.service) and job.service in output.problem
            return Reading(
                status=ScanStatus.UNAVAILABLE if absent else ScanStatus.MISSING,
                reason="the advisory database is not there" if absent else output.problem,
            )
        if plan.step == "resolve":
            return _read_resolution(job, plan, output)
        return _without_report(job, output) or _read_audit(plan, _decode(output.stdout))


def _without_report(job: Job, output: Output) -> Reading | None:
    """Say how an audit ended that wrote no whole report; None for one that may have."""
    if output.timed_out:
        return Reading(status=ScanStatus.TIMED_OUT, reason=f"pip-audit took longer than {job.limits.time_s:g} s")
    if output.truncated:
        return Reading(status=ScanStatus.TRUNCATED, reason="pip-audit wrote more than the cap")
    if output.exit_code not in _ENDED:
        return Reading(status=ScanStatus.CRASHED, reason=f"pip-audit ended with exit code {output.exit_code}")
    if why := _unreached(output):
        return Reading(status=ScanStatus.UNAVAILABLE, reason=f"the source of advisories could not be asked: {why}")
    return None


def _unreached(output: Output) -> str:
    """Say why nobody answered pip-audit, "" where it wrote a report or failed otherwise."""
    if output.stdout.strip():
        return ""
    return next((why for sign, why in _UNREACHED if sign in output.stderr), "")


def _decode(stdout: bytes) -> _Report:
    """Read the report. Raises OutputError for empty, cut or differently shaped output."""
    remedy = "use a version in the tested range, see `secgate doctor`"
    if not stdout.strip():
        raise OutputError("pip-audit wrote no report", remedy="run it by hand to see why")
    try:
        return msgspec.json.decode(stdout, type=_Report)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise OutputError(f"the report of pip-audit is not of the form it documents: {error}", remedy=remedy) from error


def _read_audit(plan: Plan, report: _Report) -> Reading:
    """Hold the answer against what was asked: a package without an answer fails every manifest that pins it."""
    asked = {(pin.name, pin.version) for pin in plan.pins}
    skipped, answered = _answers(report)
    strangers = answered.keys() - asked
    if strangers or skipped.keys() - {name for name, _ in asked}:
        raise OutputError("pip-audit answers for packages that it was not asked about", remedy="report this")
    failures = {**dict(_unanswered(plan, skipped, answered.keys())), **dict(plan.failed)}
    # Two manifests that refer to one file bring in its entries twice.
    results = {
        (pin.path, pin.line, pin.name, pin.version, found.id): _result(pin, found)
        for pin in plan.pins
        for found in answered.get((pin.name, pin.version), ())
    }
    with_pins = {pin.manifest for pin in plan.pins}
    resolved = _time(plan.resolved_epoch_s)
    return Reading(
        status=ScanStatus.COMPLETED,
        rules=tuple(_rule(found) for found in _unique(answered)),
        results=tuple(results[key] for key in sorted(results)),
        files=tuple(
            _failed(path, failures[path])
            if path in failures
            else FileReading(
                path=path,
                status=FileStatus.COVERED,
                basis=EvidenceBasis.LISTED if path in with_pins else EvidenceBasis.INFERRED,
                reason=resolved if path in plan.resolved else "",
            )
            for path in sorted(plan.files)
        ),
        counted=len(answered),
        notices=plan.notices,
    )


def _unanswered(
    plan: Plan, skipped: Mapping[str, str], answered: AbstractSet[tuple[str, str]]
) -> Iterator[tuple[str, str]]:
    """Say for each manifest how many of its packages got no answer, which, and what the tool says of the first.

    A source that has no answer at all knows nothing: that is another gap than a package of one's own, and a waiver for
    the one must not let the other pass.
    """
    code = "skipped-by-tool" if answered else "advisories-missing"
    pins: dict[str, dict[tuple[str, str], None]] = {}
    for pin in plan.pins:
        pins.setdefault(pin.manifest, {})[pin.name, pin.version] = None
    for manifest, asked in pins.items():
        silent = [package for package in asked if package not in answered]
        if not silent:
            continue
        shown = ", ".join(" ".join(package) for package in silent[:_SHOWN])
        more = f" and {len(silent) - _SHOWN} more" if len(silent) > _SHOWN else ""
        why = skipped.get(silent[0][0], "left out")
        yield (
            manifest,
            f"{code}: no answer for {len(silent)} of {many(len(asked), 'package')}: {shown}{more}: {why}"[:_LONGEST],
        )


def _answers(report: _Report) -> tuple[dict[str, str], dict[tuple[str, str], list[_Vulnerability]]]:
    """Give reasons of skipped packages by name, and vulnerabilities by (name, version), both normalised."""
    skipped: dict[str, str] = {}
    answered: dict[tuple[str, str], list[_Vulnerability]] = {}
    for dependency in report.dependencies:
        name = str(canonicalize_name(dependency.name))
        if dependency.skip_reason or dependency.vulns is None:
            # Its sentence ends in name and version once more.
            said = _ENDS_IN_NAME.sub("", " ".join((dependency.skip_reason or "").split()))
            skipped[name] = said or "no answer for it"
            continue
        try:
            version = str(Version(dependency.version))
        except InvalidVersion as error:
            raise OutputError("pip-audit answers for something that is no version") from error
        answered[name, version] = dependency.vulns
    return skipped, answered


def _unique(answered: Mapping[tuple[str, str], Sequence[_Vulnerability]]) -> list[_Vulnerability]:
    found = {one.id: one for vulns in answered.values() for one in vulns}
    return [found[name] for name in sorted(found)]


def _result(pin: Pin, found: _Vulnerability) -> RawResult:
    fixed = _upgrades(pin.version, found.fix_versions)
    about = " ".join(found.description.split())[:500]
    return RawResult(
        rule=found.id,
        message=f"{pin.name} {pin.version} has the known vulnerability {found.id}: {about}".rstrip(": "),
        path=pin.path,
        region=Region(start_line=pin.line, end_line=pin.line),
        severity=Severity.HIGH,
        severity_basis="unscored",
        package=Package(
            ecosystem="PyPI",
            name=pin.name,
            version=pin.version,
            manifest=pin.path,
            line=pin.line,
            direct=pin.direct,
            development=pin.development,
            fixed_versions=fixed,
        ),
        advisory=found.id,
        aliases=tuple(sorted(set(found.aliases) - {found.id})),
        remedy=f"upgrade {pin.name} to {fixed[0]} or later" if fixed else f"no fixed version of {pin.name} is known",
        help_uri=f"https://osv.dev/vulnerability/{found.id}",
    )


def _upgrades(version: str, fixed: Sequence[str]) -> tuple[str, ...]:
    """Give the fixed versions above `version`, lowest first."""
    known = set()
    for text in fixed:
        try:
            known.add(Version(text))
        except InvalidVersion:
            continue
    return tuple(str(v) for v in sorted(known) if v > Version(version))


def _rule(found: _Vulnerability) -> Rule:
    about = " ".join(found.description.split())[:500]
    return Rule(id=found.id, name=found.id, short=about, help_uri=f"https://osv.dev/vulnerability/{found.id}")


def _failed(path: str, reason: str) -> FileReading:
    return FileReading(path=path, status=FileStatus.FAILED, basis=EvidenceBasis.NONE, reason=reason)


def _time(epoch_s: int) -> str:
    if not epoch_s:
        return ""
    return f"resolved at {datetime.fromtimestamp(epoch_s, UTC).isoformat().replace('+00:00', 'Z')}"


def _read_resolution(job: Job, plan: Plan, output: Output) -> Reading:
    """Turn uv's list into the audit that follows. Without a whole list, the manifest stays unpinned."""
    path = plan.files[0]
    if output.exit_code != 0 or output.timed_out or output.truncated or not output.stdout.strip():
        said = " ".join(output.stderr.decode("utf-8", "replace").split())[:300]
        how = "took too long" if output.timed_out else said or "no list"
        reason = f"{unpinned(plan.asked)}; uv could not resolve them: {how}"
        return Reading(status=ScanStatus.COMPLETED, files=(_failed(path, reason),))
    found = manifests.read("resolved.txt", "pip-requirements", output.stdout)
    names = {e.name for e in found.entries}
    missing = [e for e in plan.asked if e.name not in names and not e.marker]
    if found.problems or found.unpinned or missing:
        raise OutputError("uv's list is not a list of pins", remedy="use a version in the tested range")
    roots = _roots(output.stdout.decode("utf-8", "replace"), plan.asked)
    pins = []
    for entry in found.entries:
        if (entry.name, entry.version) not in plan.audited:
            root = roots.get(entry.name, plan.asked[0])
            direct = any(e.name == entry.name for e in plan.asked)
            pins.append(Pin(entry.name, entry.version, root.path, root.line, path, direct, root.development))
    layers: list[dict[tuple[str, str], Pin]] = [{}]
    for pin in sorted(pins, key=lambda p: (p.name, Version(p.version))):
        number = sum(1 for layer in layers if any(name == pin.name for name, _ in layer))
        if number == len(layers):
            layers.append({})
        layers[number][pin.name, pin.version] = pin
    jobs = [
        audit(
            f"{job.name}:{number}",
            Plan(
                step="audit",
                source=plan.source,
                pins=tuple(layer.values()),
                files=plan.files,
                failed=plan.failed,
                resolved=plan.files,
                resolved_epoch_s=plan.resolved_epoch_s,
            ),
            limits=job.limits,
        )
        for number, layer in enumerate(layers, 1)
    ]
    return Reading(status=ScanStatus.COMPLETED, follow_up=tuple(jobs))


def _roots(text: str, asked: Sequence[Entry]) -> dict[str, Entry]:
    """Give for each package the entry that brings it in, by uv's `# via` notes.

    A production entry before a development one.
    """
    brought_by: dict[str, list[str]] = {}
    for line in text.splitlines():
        found = _VIA.match(line)
        if found:
            via = [str(canonicalize_name(n.strip())) for n in found["via"].split(",") if " " not in n.strip()]
            brought_by[str(canonicalize_name(found["name"]))] = via
    entries = {e.name: e for e in sorted(asked, key=lambda e: (not e.development, -e.line))}
    roots: dict[str, Entry] = {}
    for name in brought_by:
        seen, todo, reached = {name}, [name], list[Entry]()
        while todo:
            current = todo.pop()
            if current in entries:
                reached.append(entries[current])
            todo += [above for above in brought_by.get(current, ()) if above not in seen]
            seen.update(todo)
        if reached:
            roots[name] = min(reached, key=lambda e: (e.name != name, e.development, e.path, e.line))
    return roots
