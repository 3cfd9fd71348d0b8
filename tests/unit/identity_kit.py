"""Made scanners that see `eval(`, `run(` and the like in any text, and the way from readings to findings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from secgate.correlate import Correlation, correlate, to_known
from secgate.crosswalk import Crosswalk, Weakness
from secgate.identity import Codes
from secgate.model import (
    Finding,
    History,
    Invocation,
    KnownFinding,
    Lane,
    Origin,
    Package,
    RawResult,
    Reading,
    Region,
    Rename,
    ScanStatus,
    Scope,
    Source,
    Target,
    View,
)
from secgate.normalise import Normalised, normalise
from secgate.places.apart import Apart

_KINDS = {"py": "python", "js": "javascript", "ts": "typescript", "tf": "terraform", "yaml": "yaml", "json": "json"}
_SIGNS = {
    "alpha": {r"eval\(": "alpha-eval", r"run\(": "alpha-run", r'acl = "public-read"': "alpha-acl"},
    "gamma": {r"eval\(": "gamma-eval"},
    "delta": {r"eval\(": "delta-eval", r"(?<=e)val\(": "delta-call"},
    "beta": {r"eval\(": "beta-eval", r"exec\(": "beta-exec", r"compile\(": "beta-compile"},
}


class Scan(NamedTuple):
    invocation: Invocation
    readings: tuple[Reading, ...]


def crosswalk(**rules: str) -> Crosswalk:
    names = {f"{tool}-eval": "code-injection" for tool in _SIGNS} | {"alpha-run": "command-injection"} | rules
    tables: dict[str, dict[str, str]] = {tool: {} for tool in _SIGNS}
    for rule, name in names.items():
        tables[rule.split("-", maxsplit=1)[0]][rule.replace("_", "-")] = name
    weaknesses = {
        "code-injection": Weakness(title="Code injection", cwes=(95,), remedy="Do not evaluate text"),
        "command-injection": Weakness(title="Command injection", cwes=(78,)),
        "hardcoded-credential": Weakness(title="Secret in the source", cwes=(798, 259)),
    }
    return Crosswalk(weaknesses=weaknesses, rules=tables, ratings={})


def kinds(path: str) -> tuple[str, ...]:
    return (_KINDS.get(path.rsplit(".", 1)[-1], "text"),)


def scan_of(tool: str, results: Iterable[RawResult], lane: Lane = Lane.SAST) -> Scan:
    invocation = Invocation(scanner=tool, lane=lane, tool=None, status=ScanStatus.COMPLETED)
    return Scan(invocation, (Reading(status=ScanStatus.COMPLETED, results=tuple(results)),))


def scans_of(files: Mapping[str, str], tools: Sequence[str]) -> list[Scan]:
    """Let each made tool point at the start of each of its signs, with a region of a width of its own."""
    scans = []
    for width, tool in enumerate(tools):
        found = []
        for path, text in files.items():
            for sign, rule in _SIGNS[tool].items():
                for match in re.finditer(sign, text):
                    line = text.count("\n", 0, match.start()) + 1
                    column = match.start() - (text.rfind("\n", 0, match.start()) + 1) + 1
                    end = column + 3 + width
                    region = Region(start_line=line, start_column=column, end_line=line, end_column=end)
                    found.append(RawResult(rule=rule, message=f"{rule} found", path=path, region=region))
        scans.append(scan_of(tool, found))
    return scans


def normalised(
    files: Mapping[str, str],
    scans: Sequence[Scan],
    *,
    table: Crosswalk | None = None,
    origins: Mapping[str, Origin] | None = None,
    scores: Mapping[str, float] | None = None,
    apart: Apart | None = None,
) -> Normalised:
    view = View(
        root="/view", source=Source.WORK_TREE, digests=dict.fromkeys(files, "0" * 64), origins=dict(origins or {})
    )
    known = scores or {}
    return normalise(
        scans,
        view=view,
        read=lambda path: files[path].encode(),
        kinds=kinds,
        crosswalk=table or crosswalk(),
        scores=lambda names: max((known[name] for name in names if name in known), default=None),
        apart=apart,
    )


def target(renames: Mapping[str, str] | None = None, **more: object) -> Target:
    pairs = tuple(Rename(old=old, new=new) for old, new in (renames or {}).items())
    made = Target(
        root="/tree", kind="git", repository="shop", scope=Scope.CHANGE, scope_basis="test", line="main", renames=pairs
    )
    return msgspec.structs.replace(made, **more)


def findings_of(
    done: Normalised,
    *,
    base: Sequence[KnownFinding] | None = None,
    history: History | None = None,
    of: Target | None = None,
    table: Crosswalk | None = None,
    is_comparable: bool = True,
    is_unseen: bool = False,
    codes: Codes | None = None,
) -> Correlation:
    return correlate(
        done.located,
        target=of or target(),
        crosswalk=table or crosswalk(),
        base=base,
        history=history,
        comparable=lambda _known: is_comparable,
        codes=codes,
        unseen=lambda _known: is_unseen,
    )


def found_in(files: Mapping[str, str], tools: Sequence[str] = ("alpha", "beta")) -> tuple[Finding, ...]:
    return findings_of(normalised(files, scans_of(files, tools))).findings


def compared(
    before: Mapping[str, str], after: Mapping[str, str], renames: Mapping[str, str] | None = None
) -> Correlation:
    """Findings of `after` with `before` as the base, both tools in both."""
    done = normalised(after, scans_of(after, ("alpha", "beta")))
    return findings_of(done, base=to_known(found_in(before)), of=target(renames))


def advisory(name: str, *aliases: str, version: str = "1.0", package: str = "flask") -> RawResult:
    return RawResult(
        rule=name,
        message=f"{package} {version}: {name}",
        path="requirements.txt",
        region=Region(start_line=1),
        advisory=name,
        aliases=aliases,
        package=Package(ecosystem="PyPI", name=package, version=version, manifest="requirements.txt", line=1),
    )
