"""What pip-audit and uv are asked, and for whom: pins and ranges of manifests -> jobs.

Each list holds lines that secgate wrote itself, checked once more before they are handed on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct
from packaging.version import Version

from secgate.errors import InternalError
from secgate.manifests import Entry, Manifest, Problem, Settled
from secgate.model import Job, Limits, Slot
from secgate.ports import PlanRequest
from secgate.scanners.outputs import options

SERVICE = "advisories"
LIST = "requirements.txt"
PLAN = "plan.json"
REMEDY = "lock the packages (uv lock, pip-compile --generate-hashes, poetry lock) and commit the lock"
_PIN_LINE = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?==[A-Za-z0-9.!+]+")
_GAPS = {"too-large": "too-large", "not-utf8": "not-utf8", "reference": "unreadable"}
_NO_SERVICE = "http://127.0.0.1:9/"
"""An address for lists without a package: nothing is asked."""


class Pin(Struct, frozen=True):
    """A version to be asked about, the entry (`path`, `line`) that names it, and the manifest that led there."""

    name: str
    version: str
    path: str
    line: int
    manifest: str
    direct: bool
    development: bool


class Plan(Struct, frozen=True):
    """What `read` needs to know of its job; travels as a blob, so that `read` stays a function of job and output.

    `files` are the manifests that the job speaks for, `failed` those it must call failed with the reason, `asked` the
    entries that a resolver is given, `audited` the pins of the manifest that another job asks about. `resolved` are the
    manifests whose ranges are resolved in this run, at `resolved_epoch_s`.
    """

    step: str
    source: str
    pins: tuple[Pin, ...] = ()
    files: tuple[str, ...] = ()
    failed: tuple[tuple[str, str], ...] = ()
    notices: tuple[str, ...] = ()
    asked: tuple[Entry, ...] = ()
    audited: tuple[tuple[str, str], ...] = ()
    resolved: tuple[str, ...] = ()
    resolved_epoch_s: int = 0


class AuditOptions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What can be chosen about pip-audit."""

    source: Annotated[
        Literal["local", "index", "osv"],
        Meta(description="who is asked about packages; set from `advisories.source`, and `local` offline"),
    ] = "local"
    resolve: Annotated[bool, Meta(description="`false`: ranges without a lock are not resolved, and stay gaps")] = True


def settings(request: PlanRequest) -> tuple[str, bool]:
    """Give source and whether to resolve."""
    chosen = options(request, AuditOptions, scanner="pip-audit")
    return ("local" if request.offline else chosen.source), chosen.resolve and not request.offline


def askable(settled: Settled) -> tuple[Entry, ...]:
    """Entries of a manifest that a resolver can find versions for; a lock is never resolved again."""
    if settled.manifest.lock or settled.manifest.problems:
        return ()
    return tuple(e for e in settled.open if e.problem == "range" and e.name and e.requirement.isprintable())


def audits(
    settled: Sequence[Settled], pending: Mapping[str, Sequence[Entry]], *, source: str, request: PlanRequest
) -> list[Job]:
    """Distribute the pins over lists.

    Each list speaks for the manifests it holds pins of, and a manifest is covered when all of its lists say so; one
    without pins belongs to the first.
    """
    layers: list[dict[str, str]] = [{}]
    layer_of: dict[tuple[str, str], int] = {}
    versions: dict[str, set[str]] = {}
    for pin in (p for s in settled for p in _pins(s)):
        versions.setdefault(pin.name, set()).add(pin.version)
    for name in sorted(versions):
        for number, version in enumerate(sorted(versions[name], key=Version)):
            if number == len(layers):
                layers.append({})
            layers[number][name] = version
            layer_of[name, version] = number
    pins: list[list[Pin]] = [[] for _ in layers]
    files: list[list[str]] = [[] for _ in layers]
    for one in settled:
        own = _pins(one)
        for pin in own:
            pins[layer_of[pin.name, pin.version]].append(pin)
        # A project's ranges are looked at with the lock that stands for them.
        needed = own + [p for other in settled if other.manifest.path == one.lock for p in _pins(other)]
        for number in sorted({layer_of[p.name, p.version] for p in needed} or {0}):
            files[number].append(one.manifest.path)
    failed = [(s.manifest.path, reason) for s in settled if (reason := _failure(s, pending))]
    notices = sorted({n for s in settled for n in _notices(s)})
    plans = [
        Plan(
            step="audit",
            source=source,
            pins=tuple(pins[number]),
            files=tuple(files[number]),
            failed=tuple(f for f in failed if f[0] in files[number]),
            notices=tuple(notices) if number == 0 else (),
            resolved=tuple(path for path in files[number] if path in pending),
            resolved_epoch_s=request.evaluated_epoch_s if pending else 0,
        )
        for number in range(len(layers))
    ]
    return [audit(f"pip-audit:{number}", plan, limits=request.limits) for number, plan in enumerate(plans, 1)]


def _pins(settled: Settled) -> list[Pin]:
    """Give each version that a manifest pins once per file it stands in, with its first line there."""
    found: dict[tuple[str, str, str], Pin] = {}
    for entry in settled.manifest.pinned:
        key = (entry.path, entry.name, entry.version)
        direct = entry.name in settled.direct if settled.direct else entry.direct
        pin = Pin(entry.name, entry.version, entry.path, entry.line, settled.manifest.path, direct, entry.development)
        if key not in found or (found[key].development and not pin.development):
            found[key] = pin
    return list(found.values())


def _failure(settled: Settled, pending: Mapping[str, Sequence[Entry]]) -> str:
    """Say why a manifest is not covered, "" where it is: what cannot be read first, then what names no version."""
    manifest = settled.manifest
    for problem in manifest.problems:
        code = next((gap for start, gap in _GAPS.items() if problem.reason.startswith(start)), "parse-error")
        return f"{code}: {_where(manifest, problem)}: {problem.reason} {problem.detail}".rstrip()
    for entry in settled.open:
        if entry.problem.startswith("invalid"):
            return f"parse-error: {_where(manifest, entry)}: {entry.problem} requirement"
    asked = set(pending.get(manifest.path, ()))
    return unpinned([e for e in settled.open if e not in asked])


def _where(manifest: Manifest, one: Problem | Entry) -> str:
    """Give the line, with the file where that is not the manifest's own, which stands beside it."""
    return f"line {one.line}" if one.path == manifest.path else f"{one.path}:{one.line}"


def unpinned(entries: Sequence[Entry]) -> str:
    """Give the reason of a manifest with `entries` that name no version, "" without any."""
    if not entries:
        return ""
    shown = [f"{e.name or e.text} ({e.path}:{e.line}, {e.problem})" for e in entries[:5]]
    more = f" and {len(entries) - 5} more" if len(entries) > 5 else ""
    return f"unpinned: {', '.join(shown)}{more}; {REMEDY}"


def _notices(settled: Settled) -> Iterable[str]:
    yield from settled.manifest.notices
    manifest = settled.manifest
    if manifest.lock and manifest.indexes:
        shown = ", ".join(sorted({index.address for index in manifest.indexes})[:5])
        yield f"{manifest.path}: its packages come from {shown}; they are audited by the advisories of PyPI"
        return
    for index in manifest.indexes:
        yield f"{index.path}:{index.line}: the tree names an index ({index.option} {index.address}); it is not used"


def audit(name: str, plan: Plan, *, limits: Limits) -> Job:
    """Give the job that asks about the pins of `plan`. Raises InternalError if a line were anything but a pin."""
    lines = sorted({f"{pin.name}=={pin.version}" for pin in plan.pins})
    for line in lines:
        if not _PIN_LINE.fullmatch(line):
            raise InternalError(f"not a pin: {line!r}")
    local = plan.source == "local"
    fixed: tuple[str | Slot, ...] = (
        *(Slot(name="python"), "-I", "-m", "pip_audit", "-r", Slot(name="work", suffix=f"/{LIST}")),
        *("--no-deps", "--disable-pip", "-f", "json", "--desc", "on", "--aliases", "on"),
        *("--progress-spinner", "off", "--timeout", "15", "--cache-dir", Slot(name="work", suffix="/cache")),
        *("-s", "pypi" if plan.source == "index" else "osv"),
        *(("--osv-url",) if local else ()),
    )
    address: tuple[str | Slot, ...] = (Slot(name="service") if lines else _NO_SERVICE,) if local else ()
    return Job(
        scanner="pip-audit",
        name=name,
        argv=(*fixed, *address),
        compared=fixed,
        files=tuple(sorted(plan.files)),
        blobs={LIST: "".join(f"{line}\n" for line in lines).encode(), PLAN: _encode(plan)},
        env={"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"} if local else {},
        service=SERVICE if local and lines else "",
        cwd="work",
        limits=limits,
        network=not local,
    )


def resolution(number: int, settled: Settled, *, source: str, request: PlanRequest) -> Job:
    """Give the job in which uv finds versions for the ranges of one manifest, its pins held."""
    manifest = settled.manifest
    asked = askable(settled)
    known = [e for e in manifest.pinned if e.requirement.isprintable()]
    plan = Plan(
        step="resolve",
        source=source,
        files=(manifest.path,),
        failed=tuple((manifest.path, r) for r in [_failure(settled, {manifest.path: asked})] if r),
        asked=asked,
        audited=tuple(sorted({(e.name, e.version) for e in manifest.pinned})),
        resolved_epoch_s=request.evaluated_epoch_s,
    )
    lines = sorted({e.requirement for e in (*known, *asked)})
    return Job(
        scanner="pip-audit",
        name=f"pip-audit:resolve:{number}",
        argv=(
            *(Slot(name="python"), "-I", "-m", "uv", "pip", "compile", Slot(name="work", suffix=f"/{LIST}")),
            *("--no-config", "--no-build", "--no-sources", "--universal", "--no-python-downloads"),
            *("--python", Slot(name="python"), "--cache-dir", Slot(name="work", suffix="/uv")),
            *("--no-header", "--annotation-style", "line", "--color", "never", "--no-progress"),
        ),
        compared=(),
        files=(manifest.path,),
        blobs={LIST: "".join(f"{line}\n" for line in lines).encode(), PLAN: _encode(plan)},
        cwd="work",
        limits=request.limits,
        network=True,
    )


def _encode(plan: Plan) -> bytes:
    return msgspec.json.encode(plan, order="sorted")
