"""trivy, its JSON of schema version 2: packages, misconfigurations and secrets by target.

- The package of a vulnerability is a field here, which its SARIF has only in prose; its line is in `Packages`.
- `UNKNOWN` is no severity. CVSS scores are by source: the one that gave the severity counts, where it agrees.
- A secret's `Match` is masked, yet its neighbours' lines are quoted in full: `Code` is never read.
- Of a container image, targets are no paths: such results have none.
- `Results` is absent where nothing was found. Licences are passed over and counted.
"""

from __future__ import annotations

import msgspec

from secgate.model import Lane, Package, RawResult, Region, Rule, Severity
from secgate.purl import purl_type
from secgate.sarif import ForeignRun
from secgate.scanners.outputs import cwes_of
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

FORM = "trivy JSON"
_HARD_CODED = 798
_ADVISORIES = ("CVE-", "GHSA-", "PYSEC-", "GO-", "RUSTSEC-")
_TREES = ("filesystem", "repository", "")


class _Lines(msgspec.Struct):
    start: int = msgspec.field(name="StartLine", default=0)
    end: int = msgspec.field(name="EndLine", default=0)


class _Package(msgspec.Struct):
    id: str = msgspec.field(name="ID", default="")
    name: str = msgspec.field(name="Name", default="")
    version: str = msgspec.field(name="Version", default="")
    relationship: str = msgspec.field(name="Relationship", default="")
    indirect: bool = msgspec.field(name="Indirect", default=False)
    dev: bool = msgspec.field(name="Dev", default=False)
    locations: list[_Lines] | None = msgspec.field(name="Locations", default=None)


class _Identifier(msgspec.Struct):
    purl: str = msgspec.field(name="PURL", default="")


class _Cvss(msgspec.Struct):
    v3: float | None = msgspec.field(name="V3Score", default=None)
    v40: float | None = msgspec.field(name="V40Score", default=None)


class _Vulnerability(msgspec.Struct):
    id: str = msgspec.field(name="VulnerabilityID")
    package: str = msgspec.field(name="PkgName")
    version: str = msgspec.field(name="InstalledVersion")
    package_id: str = msgspec.field(name="PkgID", default="")
    path: str = msgspec.field(name="PkgPath", default="")
    identifier: _Identifier = msgspec.field(name="PkgIdentifier", default_factory=_Identifier)
    vendor_ids: list[str] | None = msgspec.field(name="VendorIDs", default=None)
    fixed: str = msgspec.field(name="FixedVersion", default="")
    severity: str = msgspec.field(name="Severity", default="")
    source: str = msgspec.field(name="SeveritySource", default="")
    title: str = msgspec.field(name="Title", default="")
    url: str = msgspec.field(name="PrimaryURL", default="")
    cwes: list[str] | None = msgspec.field(name="CweIDs", default=None)
    cvss: dict[str, _Cvss] | None = msgspec.field(name="CVSS", default=None)


class _Cause(msgspec.Struct):
    resource: str = msgspec.field(name="Resource", default="")
    start: int = msgspec.field(name="StartLine", default=0)
    end: int = msgspec.field(name="EndLine", default=0)


class _Misconfiguration(msgspec.Struct):
    id: str = msgspec.field(name="ID")
    title: str = msgspec.field(name="Title", default="")
    message: str = msgspec.field(name="Message", default="")
    resolution: str = msgspec.field(name="Resolution", default="")
    severity: str = msgspec.field(name="Severity", default="")
    status: str = msgspec.field(name="Status", default="FAIL")
    url: str = msgspec.field(name="PrimaryURL", default="")
    cause: _Cause = msgspec.field(name="CauseMetadata", default_factory=_Cause)


class _Secret(msgspec.Struct):
    rule: str = msgspec.field(name="RuleID")
    title: str = msgspec.field(name="Title", default="")
    severity: str = msgspec.field(name="Severity", default="")
    start: int = msgspec.field(name="StartLine", default=0)
    end: int = msgspec.field(name="EndLine", default=0)


class _Result(msgspec.Struct):
    target: str = msgspec.field(name="Target", default="")
    kind: str = msgspec.field(name="Class", default="")
    type: str = msgspec.field(name="Type", default="")
    packages: list[_Package] | None = msgspec.field(name="Packages", default=None)
    vulnerabilities: list[_Vulnerability] | None = msgspec.field(name="Vulnerabilities", default=None)
    misconfigurations: list[_Misconfiguration] | None = msgspec.field(name="Misconfigurations", default=None)
    secrets: list[_Secret] | None = msgspec.field(name="Secrets", default=None)
    licences: list[msgspec.Raw] | None = msgspec.field(name="Licenses", default=None)


class _Build(msgspec.Struct):
    version: str = msgspec.field(name="Version", default="")


class _Report(msgspec.Struct):
    schema_version: int = msgspec.field(name="SchemaVersion")
    artifact_type: str = msgspec.field(name="ArtifactType", default="")
    trivy: _Build = msgspec.field(name="Trivy", default_factory=_Build)
    results: list[_Result] | None = msgspec.field(name="Results", default=None)


def read(data: bytes, *, name: str) -> ForeignRun:
    """Read a report's bytes. Raises UsageError for another form or schema version."""
    report = decode(data, _Report, name=name, called=FORM)
    if report.schema_version != 2:
        raise refuse(name, FORM, f"SchemaVersion {report.schema_version}; only 2 is read", path="$.SchemaVersion")
    found: list[RawResult] = []
    for result in report.results or ():
        is_path = report.artifact_type.lower() in _TREES and result.kind != "os-pkgs"
        target = plain_path(result.target) if is_path else ""
        known = {one.id or f"{one.name}@{one.version}": one for one in result.packages or ()}
        found += [_vulnerability(one, result, target, known) for one in result.vulnerabilities or ()]
        found += [_misconfiguration(one, target) for one in result.misconfigurations or () if one.status == "FAIL"]
        found += [_secret(one, target) for one in result.secrets or ()]
    titles = {one.rule: one.message for one in found}
    return ForeignRun(
        tool="trivy",
        version=f"{report.trivy.version} {JSON}".strip(),
        rules=tuple(Rule(id=rule, short=titles[rule]) for rule in sorted(titles)),
        results=tuple(found),
        claimed_success=None,
        unplaced=sum(not one.path for one in found),
        informational=sum(len(result.licences or ()) for result in report.results or ()),
    )


def _vulnerability(one: _Vulnerability, result: _Result, target: str, known: dict[str, _Package]) -> RawResult:
    """Make one result; several packages with one CVE stay several."""
    package = known.get(one.package_id or f"{one.package}@{one.version}", _Package())
    lines = (package.locations or [_Lines()])[0]
    path = plain_path(one.path) if one.path and target else target
    advisory, aliases = advisory_of((one.id, *(n for n in one.vendor_ids or () if n.startswith(_ADVISORIES))))
    severity = band(one.severity)
    return RawResult(
        rule=one.id,
        message=f"{one.package} {one.version}: {one.title or 'known vulnerability'}"[:MAX_TEXT],
        path=path,
        region=Region(start_line=max(lines.start, 0), end_line=max(lines.end, lines.start, 0)),
        severity=severity,
        score=_score(one, severity),
        severity_basis="trivy",
        cwes=cwes_of(one.cwes),
        package=Package(
            ecosystem=ecosystem(purl_type(one.identifier.purl) or result.type),
            name=one.package,
            version=one.version,
            manifest=path,
            line=max(lines.start, 0),
            direct=not package.indirect and package.relationship != "indirect",
            development=package.dev,
            fixed_versions=tuple(sorted({part.strip() for part in one.fixed.split(",")} - {""})),
        ),
        advisory=advisory,
        aliases=aliases,
        lane=Lane.DEPENDENCIES,
        help_uri=one.url if one.url.startswith("https://") else "",
        tool="trivy",
    )


def _score(one: _Vulnerability, severity: Severity | None) -> float | None:
    cvss = (one.cvss or {}).get(one.source) or (one.cvss or {}).get("nvd") or _Cvss()
    return score_in(cvss.v40 if cvss.v3 is None else cvss.v3, severity)


def _misconfiguration(one: _Misconfiguration, target: str) -> RawResult:
    start = max(one.cause.start, 0)
    return RawResult(
        rule=one.id,
        message=(one.message or one.title or one.id)[:MAX_TEXT],
        path=target,
        region=Region(start_line=start, end_line=max(one.cause.end, start)),
        severity=band(one.severity),
        severity_basis="trivy",
        resource=one.cause.resource,
        lane=Lane.IAC,
        remedy=one.resolution,
        help_uri=one.url if one.url.startswith("https://") else "",
        tool="trivy",
    )


def _secret(one: _Secret, target: str) -> RawResult:
    start = max(one.start, 0)
    return RawResult(
        rule=one.rule,
        message=f"{one.title or one.rule} in the source",
        path=target,
        region=Region(start_line=start, end_line=max(one.end, start)),
        severity=band(one.severity),
        severity_basis="trivy",
        cwes=(_HARD_CODED,),
        lane=Lane.SECRETS,
        tool="trivy",
    )
