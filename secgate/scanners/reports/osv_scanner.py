"""osv-scanner 2, its JSON: packages by lock file, advisories of each in groups of aliases.

- One result a group: the names in it are one vulnerability.
- `max_severity` is a CVSS score in a text, empty where no advisory of the group has one; then GitHub's word counts.
- Paths are absolute. Call analysis, licences and ignored entries are the tool's opinion: not read.
"""

from __future__ import annotations

import msgspec

from secgate.model import Lane, Package, RawResult, Rule
from secgate.sarif import ForeignRun
from secgate.scanners.reports.form import (
    JSON,
    MAX_TEXT,
    advisory_of,
    band,
    decode,
    ecosystem,
    plain_path,
    refuse,
    score_in,
)

FORM = "osv-scanner JSON"


class _Source(msgspec.Struct):
    path: str = ""


class _Name(msgspec.Struct):
    name: str
    version: str = ""
    ecosystem: str = ""


class _Event(msgspec.Struct):
    fixed: str = ""


class _Range(msgspec.Struct):
    type: str = ""
    events: list[_Event] = msgspec.field(default_factory=list)


class _AffectedName(msgspec.Struct):
    name: str = ""


class _Affected(msgspec.Struct):
    package: _AffectedName = msgspec.field(default_factory=_AffectedName)
    ranges: list[_Range] | None = None


class _Rating(msgspec.Struct):
    severity: str | None = None


class _Advisory(msgspec.Struct):
    id: str
    summary: str = ""
    aliases: list[str] | None = None
    affected: list[_Affected] | None = None
    database_specific: _Rating | None = None


class _Group(msgspec.Struct):
    ids: list[str]
    aliases: list[str] | None = None
    max_severity: str = ""


class _Found(msgspec.Struct):
    package: _Name
    groups: list[_Group] | None = None
    vulnerabilities: list[_Advisory] | None = None


class _Result(msgspec.Struct):
    source: _Source
    packages: list[_Found]


class _Report(msgspec.Struct):
    results: list[_Result] | None
    config: msgspec.Raw = msgspec.field(name="experimental_config", default=msgspec.Raw())


def read(data: bytes, *, name: str) -> ForeignRun:
    """Read a report's bytes. Raises UsageError for another form, and for an empty one without the tool's settings."""
    report = decode(data, _Report, name=name, called=FORM)
    if not report.results and not bytes(report.config):
        # Several tools call what they found so, and name neither themselves nor what they looked at.
        raise refuse(
            name,
            FORM,
            "an empty list of results says of no tool that it looked",
            remedy="write the tool's report as SARIF: it names the tool when nothing was found, too",
        )
    results = [
        raw
        for result in report.results or ()
        for found in result.packages
        for raw in _of_package(found, plain_path(result.source.path))
    ]
    titles = {one.rule: one.message for one in results}
    return ForeignRun(
        tool="osv-scanner",
        version=JSON,
        rules=tuple(Rule(id=rule, short=titles[rule]) for rule in sorted(titles)),
        results=tuple(results),
        claimed_success=None,
        unplaced=sum(not one.path for one in results),
    )


def _of_package(found: _Found, path: str) -> list[RawResult]:
    advisories = {one.id: one for one in found.vulnerabilities or ()}
    groups = found.groups or [_Group(ids=[name]) for name in advisories]
    grouped = {name for group in groups for name in group.ids}
    groups = [*groups, *(_Group(ids=[name]) for name in advisories if name not in grouped)]
    return [_raw(found.package, group, [advisories[n] for n in group.ids if n in advisories], path) for group in groups]


def _raw(package: _Name, group: _Group, advisories: list[_Advisory], path: str) -> RawResult:
    names = [*group.ids, *(group.aliases or ()), *(alias for one in advisories for alias in one.aliases or ())]
    advisory, aliases = advisory_of(names)
    bands = [band(one.database_specific.severity or "") for one in advisories if one.database_specific]
    severity = max((one for one in bands if one is not None), key=lambda one: one.rank, default=None)
    score = _number(group.max_severity)
    summary = next((one.summary for one in advisories if one.summary), "known vulnerability")
    return RawResult(
        rule=advisory,
        message=f"{package.name} {package.version}: {summary}"[:MAX_TEXT],
        path=path,
        severity=severity if score is None else None,
        score=score_in(score, None),
        severity_basis="osv-scanner",
        package=Package(
            ecosystem=ecosystem(package.ecosystem),
            name=package.name,
            version=package.version,
            manifest=path,
            fixed_versions=_fixed(package, advisories),
        ),
        advisory=advisory,
        aliases=aliases,
        lane=Lane.DEPENDENCIES,
        help_uri=f"https://osv.dev/{advisory}",
        tool="osv-scanner",
    )


def _fixed(package: _Name, advisories: list[_Advisory]) -> tuple[str, ...]:
    """Give the versions in which the advisories say that this package is mended; commits are left out."""
    return tuple(
        sorted(
            {
                event.fixed
                for one in advisories
                for affected in one.affected or ()
                if affected.package.name == package.name
                for span in affected.ranges or ()
                if span.type != "GIT"
                for event in span.events
                if event.fixed
            }
        )
    )


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
