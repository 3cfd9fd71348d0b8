"""npm audit, its JSON of npm 7 and later.

- A registry that answers the audit with an error makes npm write {statusCode, error, message} and exit 1, the code for
  "vulnerable" too: the keys tell them apart, and an error is refused, never read as "no findings".
- `via` holds advisories, and names of packages that are vulnerable only through others: these are reported there.
- The report names neither lock file nor installed version. The lock file is the one of the lane, if there is one only,
  else the one beside the report, and the affected range stands in the message.
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

import msgspec

from secgate.model import Lane, Package, RawResult, Rule
from secgate.sarif import ForeignRun
from secgate.scanners.outputs import cwes_of
from secgate.scanners.reports.form import JSON, advisory_of, band, decode, ghsa_of, refuse, score_in

FORM = "npm audit JSON"
_LOCKS = ("package-lock.json", "npm-shrinkwrap.json")


class _Cvss(msgspec.Struct):
    score: float | None = None


class _Advisory(msgspec.Struct):
    title: str = ""
    url: str = ""
    severity: str = ""
    range: str = ""
    source: int | str = ""
    cwe: list[str] | str | None = None
    cvss: _Cvss = msgspec.field(default_factory=_Cvss)


class _Fix(msgspec.Struct):
    name: str
    version: str
    is_major: bool = msgspec.field(name="isSemVerMajor", default=False)


class _Vulnerable(msgspec.Struct):
    name: str
    via: list[_Advisory | str]
    is_direct: bool = msgspec.field(name="isDirect", default=False)
    fix: _Fix | bool = msgspec.field(name="fixAvailable", default=False)


class _Report(msgspec.Struct):
    version: int = msgspec.field(name="auditReportVersion", default=0)
    vulnerabilities: dict[str, _Vulnerable] | None = None
    status_code: int | None = msgspec.field(name="statusCode", default=None)
    error: msgspec.Raw = msgspec.Raw()


def read(data: bytes, *, name: str, files: Sequence[str]) -> ForeignRun:
    """Read a report's bytes. Raises UsageError for another form and for the error of a registry."""
    report = decode(data, _Report, name=name, called=FORM)
    if report.vulnerabilities is None:
        if bytes(report.error) or report.status_code is not None:
            # Its message may quote the registry's address with a token in it.
            code = f" with status {report.status_code}" if report.status_code is not None else ""
            raise refuse(
                name,
                FORM,
                f"npm says that the audit failed{code}: it looked at nothing",
                remedy="run `npm audit --json` against a registry that answers it",
            )
        raise refuse(name, FORM, "no `vulnerabilities`: the form of npm 6 is not read", remedy="use npm 7 or later")
    if report.version != 2:
        raise refuse(name, FORM, f"auditReportVersion {report.version}; only 2 is read", path="$.auditReportVersion")
    manifest = _lock_file(name, files)
    results = [
        _raw(package, one, manifest)
        for _, package in sorted(report.vulnerabilities.items())
        for one in package.via
        if isinstance(one, _Advisory)
    ]
    titles = {one.rule: one.message for one in results}
    return ForeignRun(
        tool="npm audit",
        version=JSON,
        rules=tuple(Rule(id=rule, short=titles[rule]) for rule in sorted(titles)),
        results=tuple(results),
        claimed_success=None,
    )


def _lock_file(name: str, files: Sequence[str]) -> str:
    locks = [path for path in files if posixpath.basename(path) in _LOCKS]
    if len(locks) == 1:
        return locks[0]
    beside = posixpath.join(posixpath.dirname(name), _LOCKS[0])
    return next((path for path in locks if posixpath.dirname(path) == posixpath.dirname(name)), beside)


def _raw(package: _Vulnerable, one: _Advisory, manifest: str) -> RawResult:
    advisory, aliases = advisory_of((ghsa_of(one.url), f"npm-advisory-{one.source}" if one.source != "" else ""))
    severity = band(one.severity)
    fix = package.fix
    fixed = (fix.version,) if isinstance(fix, _Fix) and fix.name == package.name else ()
    affected = f" (affected: {one.range})" if one.range else ""
    return RawResult(
        rule=advisory or "npm-advisory",
        message=f"{package.name}: {one.title or 'known vulnerability'}{affected}",
        path=manifest,
        severity=severity,
        score=score_in(one.cvss.score, severity) if one.cvss.score else None,
        severity_basis="npm audit",
        cwes=cwes_of(one.cwe),
        package=Package(
            ecosystem="npm",
            name=package.name,
            version="",
            manifest=manifest,
            direct=package.is_direct,
            fixed_versions=fixed,
        ),
        advisory=advisory or "npm-advisory",
        aliases=aliases,
        lane=Lane.DEPENDENCIES,
        remedy=_remedy(package),
        help_uri=one.url if one.url.startswith("https://") else "",
        tool="npm-audit",
    )


def _remedy(package: _Vulnerable) -> str:
    fix = package.fix
    if isinstance(fix, _Fix):
        major = ", a major version" if fix.is_major else ""
        return f"Update {fix.name} to {fix.version}{major}."
    return "Run npm audit fix." if fix else "No fixed version is known; replace the package, or waive with a reason."
