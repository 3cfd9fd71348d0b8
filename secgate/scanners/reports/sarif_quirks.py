"""What is known of the SARIF that certain tools write, and how it is met: by the name that the tool gives itself.

- bandit: columns are bytes; regions end on their second line (normalise asks the syntax tree); B105 to B107 quote the
  password in the message.
- checkov and ruff: level error for everything; the severity table gives it. Ruff's columns are code points.
- gitleaks: the snippet is the secret; columns cannot be relied on; no level, so that it would read as medium.
- kingfisher: the snippet is the secret; columns are bytes counted from 0, the last one included; what it did not try at
  the provider has the kind review.
- osv-scanner and trivy: the package stands in the message only; the level of osv-scanner is always warning.
- semgrep: columns are bytes.
- zizmor: rule names begin with `zizmor/`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

import msgspec

from secgate.model import Lane, Package, RawResult, Region, Rule, Severity
from secgate.sarif import ForeignRun
from secgate.scanners.reports.form import advisory_of, band, ecosystem, score_in
from secgate.scanners.reports.gitleaks import HARD_CODED, confidence_of, secrets_of

_QUOTED_PASSWORD = re.compile(r"^Possible hardcoded password: '(.*)'$", re.DOTALL)
_COMMIT = re.compile(r" at commit ([0-9a-f]{40}|[0-9a-f]{64})\.")
_TRIVY_FIELD = re.compile(r"^(Package|Installed Version|Severity|Fixed Version): ?(.*)$", re.MULTILINE)
_RUFF_CODE = re.compile(r"[A-Z]+\d+")
_RUFF_SECURITY = re.compile(r"S\d{3}")
_RUFF_SHELL = frozenset(
    {
        *("S602", "S604", "S605", "subprocess-popen-with-shell-equals-true"),
        *("call-with-shell-equals-true", "start-process-with-a-shell"),
    }
)
_OSV = re.compile(
    r"^Package '(?P<name>.+)@(?P<version>[^@']*)' is vulnerable to '(?P<id>[^']+)'(?P<also>.*)", re.DOTALL
)
_OSV_ALSO = re.compile(r"'([A-Z][A-Za-z0-9]*-[^']+)'")

_Mend = Callable[[RawResult, Rule], RawResult]


def mended(rules: Sequence[Rule], tool: str) -> tuple[Rule, ...]:
    """Give the rules of a tool, by the name it gives itself, with what it is known to get wrong set right."""
    name = _known_name(tool)
    return tuple(_plain(rule, name) for rule in rules) if name in _MENDS else tuple(rules)


def mender(run: ForeignRun) -> Callable[[RawResult], RawResult]:
    """Give what sets a result of the run right and gives it the name that the crosswalk has for its tool.

    What it claims of its past is let go: nothing is decided by it.
    """
    tool = _known_name(run.tool)
    mend = _MENDS.get(tool)
    if mend is None:
        return lambda one: msgspec.structs.replace(one, tool=run.tool)
    rules = {rule.id: rule for rule in run.rules}

    def mend_one(one: RawResult) -> RawResult:
        made = mend(one, rules.get(one.rule) or Rule(id=one.rule))
        return msgspec.structs.replace(made, tool=tool, rule=_plain_name(made.rule, tool))

    return mend_one


def _known_name(tool: str) -> str:
    return _NAMES.get(tool.lower(), tool.lower())


def _plain_name(name: str, tool: str) -> str:
    return name.removeprefix("zizmor/") if tool == "zizmor" else name


def _plain(rule: Rule, tool: str) -> Rule:
    """Give the rule under its own name, and without the help that is about one result of it."""
    rule = msgspec.structs.replace(rule, id=_plain_name(rule.id, tool))
    if tool in _HELP_OF_ONE_RESULT:
        rule = msgspec.structs.replace(rule, help="", full="")
    return rule


def _bandit(one: RawResult, _: Rule) -> RawResult:
    quoted = _QUOTED_PASSWORD.match(one.message)
    return msgspec.structs.replace(one, column_unit="utf-8", secrets=(quoted[1],) if quoted and quoted[1] else ())


def _by_table(one: RawResult, _: Rule) -> RawResult:
    return msgspec.structs.replace(one, severity=None, score=None, severity_basis="")


def _ruff(one: RawResult, _: Rule) -> RawResult:
    """Rules outside of its security set are no weakness; of a shell its words say whether the command is constant."""
    one = msgspec.structs.replace(_by_table(one, _), column_unit="code-point")
    if _RUFF_CODE.fullmatch(one.rule) and not _RUFF_SECURITY.fullmatch(one.rule):
        return msgspec.structs.replace(one, severity=Severity.INFO, severity_basis="ruff: no security rule")
    if one.rule in _RUFF_SHELL:
        severity = Severity.LOW if "seems safe" in one.message else Severity.HIGH
        return msgspec.structs.replace(one, severity=severity, severity_basis="ruff: whether the command is constant")
    return one


def _semgrep(one: RawResult, _: Rule) -> RawResult:
    return msgspec.structs.replace(one, column_unit="utf-8")


def _zizmor(one: RawResult, _: Rule) -> RawResult:
    return one


def _lines(region: Region) -> Region:
    return Region(start_line=region.start_line, end_line=region.end_line)


def _gitleaks(one: RawResult, _: Rule) -> RawResult:
    commit = _COMMIT.search(one.message)
    return msgspec.structs.replace(
        _by_table(one, _),
        region=_lines(one.region),
        cwes=(HARD_CODED,),
        confidence=confidence_of(one.rule),
        secrets=secrets_of(one.snippet),
        snippet="",
        commit=commit[1] if commit else "",
        lane=Lane.SECRETS,
    )


def _kingfisher(one: RawResult, _: Rule) -> RawResult:
    region = one.region
    within = region.end_line == region.start_line and region.end_column > 0
    return msgspec.structs.replace(
        _by_table(one, _),
        # Past one line, where the secret's last line ends is not told.
        region=msgspec.structs.replace(
            region, start_column=region.start_column + 1, end_column=region.end_column + 2 if within else 0
        ),
        column_unit="utf-8",
        severity=Severity.HIGH,
        severity_basis="scanner: a committed credential",
        cwes=(HARD_CODED,),
        secrets=secrets_of(one.snippet),
        snippet="",
        lane=Lane.SECRETS,
    )


def _trivy(one: RawResult, rule: Rule) -> RawResult:
    fields = {match[1]: match[2].strip() for match in _TRIVY_FIELD.finditer(one.message)}
    severity = band(fields.get("Severity", "")) or one.severity
    score = score_in(one.score, severity)
    one = msgspec.structs.replace(one, region=_lines(one.region), severity=severity, score=score)
    if rule.name == "Secret":
        message = f"{rule.short or one.rule} in the source"
        return msgspec.structs.replace(one, message=message, cwes=(HARD_CODED,), snippet="", lane=Lane.SECRETS)
    if rule.name == "Misconfiguration":
        return msgspec.structs.replace(one, lane=Lane.IAC)
    if "Package" not in fields or "PackageVulnerability" not in rule.name:
        return one
    fixed = tuple(sorted({part.strip() for part in fields.get("Fixed Version", "").split(",")} - {""}))
    return _dependency(one, fields["Package"], fields.get("Installed Version", ""), (one.rule,), fixed=fixed)


def _osv(one: RawResult, _: Rule) -> RawResult:
    # Level warning whatever the advisory says: without a score it is no severity.
    one = one if one.score is not None else _by_table(one, _)
    match = _OSV.match(one.message)
    if match is None:
        return one
    names = (match["id"], *_OSV_ALSO.findall(match["also"]), one.rule)
    return _dependency(one, match["name"], match["version"], names)


def _dependency(
    one: RawResult, name: str, version: str, names: tuple[str, ...], *, fixed: tuple[str, ...] = ()
) -> RawResult:
    """Give the result its package. The ecosystem is that of the manifest's name, as far as that tells."""
    advisory, aliases = advisory_of(names)
    region = Region() if (one.region.start_line, one.region.end_line) == (1, 1) else one.region
    return msgspec.structs.replace(
        one,
        region=region,
        package=Package(
            ecosystem=_ecosystem_of(one.path),
            name=name,
            version=version,
            manifest=one.path,
            line=region.start_line,
            fixed_versions=fixed,
        ),
        advisory=advisory,
        aliases=aliases,
        lane=Lane.DEPENDENCIES,
    )


def _ecosystem_of(path: str) -> str:
    name = path.rpartition("/")[2].lower()
    if name.startswith("requirements") and name.endswith((".txt", ".in")):
        return ecosystem("pypi")
    return ecosystem(_MANIFESTS[name]) if name in _MANIFESTS else ""


_MANIFESTS: Mapping[str, str] = {
    "pipfile.lock": "pypi",
    "poetry.lock": "pypi",
    "uv.lock": "pypi",
    "pylock.toml": "pypi",
    "pdm.lock": "pypi",
    "package-lock.json": "npm",
    "npm-shrinkwrap.json": "npm",
    "yarn.lock": "npm",
    "pnpm-lock.yaml": "npm",
    "bun.lock": "npm",
    "go.mod": "golang",
    "cargo.lock": "cargo",
    "gemfile.lock": "gem",
    "pom.xml": "maven",
    "gradle.lockfile": "maven",
    "packages.lock.json": "nuget",
    "composer.lock": "composer",
    "pubspec.lock": "pub",
    "mix.lock": "hex",
}
_HELP_OF_ONE_RESULT = frozenset({"checkov", "trivy", "osv-scanner"})
_NAMES: Mapping[str, str] = {"semgrep oss": "semgrep"}
_MENDS: Mapping[str, _Mend] = {
    "bandit": _bandit,
    "checkov": _by_table,
    "gitleaks": _gitleaks,
    "kingfisher": _kingfisher,
    "osv-scanner": _osv,
    "ruff": _ruff,
    "semgrep": _semgrep,
    "trivy": _trivy,
    "zizmor": _zizmor,
}
