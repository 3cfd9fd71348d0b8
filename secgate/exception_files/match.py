"""Entries of another tool held against the findings of a run, one by one: one finding each, or none and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from secgate.errors import UsageError
from secgate.exception_files.entry import Entry
from secgate.fingerprint import package_key
from secgate.model import Finding, Lane, Package, Result, RunDocument
from secgate.patterns import PathPattern
from secgate.purl import PackageUrl

_IMPORTED = "sarif:"
_MOST_STARS = 4
"""More `**` in one pattern could make its search slow, and no real pattern has them."""


class Match(NamedTuple):
    """An entry with what it is about: several findings only where one advisory of one package has several manifests.

    `why` is "" then; else it says why it is about none.
    """

    entry: Entry
    findings: tuple[Finding, ...]
    why: str = ""

    @property
    def is_advisory(self) -> bool:
        """Whether the entry spoke of an advisory of a package, and not of a place in the tree."""
        return bool(self.findings) and self.findings[0].lane is Lane.DEPENDENCIES


def match(entries: Sequence[Entry], document: RunDocument) -> tuple[Match, ...]:
    """Hold each entry against a run. What one entry took no other takes."""
    taken: dict[str, str] = {}
    found = []
    for entry in entries:
        one = _match(entry, document)
        earlier = next((taken[finding.fingerprint] for finding in one.findings if finding.fingerprint in taken), "")
        if earlier:
            one = Match(entry, (), f"{earlier} is about the same")
        taken.update((finding.fingerprint, entry.place) for finding in one.findings)
        found.append(one)
    return tuple(found)


def _match(entry: Entry, document: RunDocument) -> Match:
    if entry.refused:
        return Match(entry, (), entry.refused)
    try:
        patterns = _patterns(entry)
    except UsageError as error:
        return Match(entry, (), error.what)
    placed = [one for one in document.findings if _is_placed(one, entry, patterns)]
    advised = [one for one in placed if _is_advised(one, entry)]
    if advised:
        return _one_package(entry, advised)
    ruled = [one for one in placed if _witness(one, entry) is not None]
    if not ruled:
        return Match(entry, (), _nothing(entry, document))
    if len(ruled) > 1 or entry.line or entry.code:
        return _narrowed(entry, ruled, document.excerpts)
    return Match(entry, tuple(ruled))


def _patterns(entry: Entry) -> list[PathPattern]:
    if any(text.count("**") > _MOST_STARS for text in entry.patterns):
        raise UsageError(f"a path of it has more than {_MOST_STARS} `**`")
    patterns = [PathPattern(f"/{text}") for text in entry.patterns]
    for one in patterns:
        one.fits("")  # a faulty class of characters is told here, and not of the first finding that it meets
    return patterns


def _is_placed(finding: Finding, entry: Entry, patterns: Sequence[PathPattern]) -> bool:
    path = finding.location.path
    if entry.path and path != entry.path:
        return False
    return not patterns or any(pattern.fits(path) for pattern in patterns)


def _is_advised(finding: Finding, entry: Entry) -> bool:
    if finding.package is None or finding.lane is not Lane.DEPENDENCIES or not entry.advisories:
        return False
    if not {one.upper() for one in entry.advisories} & {one.upper() for one in finding.advisories}:
        return False
    return not entry.packages or any(_is_package(finding.package, one) for one in entry.packages)


def _is_package(package: Package, wanted: PackageUrl) -> bool:
    same = package_key(package.ecosystem, package.name) == package_key(wanted.ecosystem, wanted.name)
    return same and wanted.version in ("", package.version)


def _one_package(entry: Entry, advised: Sequence[Finding]) -> Match:
    packages = {package_key(one.package.ecosystem, one.package.name): one for one in advised if one.package is not None}
    if len(packages) > 1:
        told = ", ".join(sorted(f"{name} ({ecosystem})" for ecosystem, name in packages))
        return Match(entry, (), f"it fits {len(packages)} packages: {told}")
    return Match(entry, tuple(advised))


def _witness(finding: Finding, entry: Entry) -> Result | None:
    """Give the result by which a finding is the rule's that the entry names."""
    if not entry.rule:
        return None
    rule = _bare(entry.rule)
    for one in finding.witnesses:
        is_tool = one.scanner == entry.tool or one.scanner.startswith(_IMPORTED)
        if is_tool and _bare(one.rule) == rule and entry.resource in ("", one.resource):
            return one
    return None


def _bare(rule: str) -> str:
    """Give a rule's id as it is compared: trivy writes `AVD-DS-0002` and `DS-0002` for one check."""
    return rule.upper().removeprefix("AVD-")


def _narrowed(entry: Entry, ruled: Sequence[Finding], excerpts: Mapping[str, str]) -> Match:
    """Tell findings of one rule in one file apart: by the line's code, and among equal code by the line."""
    if not entry.line and not entry.code:
        return Match(entry, (), f"it fits {len(ruled)} findings: {_places(ruled)}")
    left = list(ruled)
    if entry.code:
        left = [one for one in ruled if entry.code in _flagged(one, entry, excerpts)]
        if not left:
            return Match(entry, (), f"the code there is another now, or is not kept: {_places(ruled)}")
    if len(left) > 1 or not entry.code:
        by_line = [one for one in left if entry.line in _span(one, entry)]
        if not by_line and not entry.code:
            return Match(entry, (), f"nothing is found in that line: {_places(left)}")
        if len(by_line) != 1:
            return Match(entry, (), f"it fits {len(left)} findings: {_places(left)}")
        left = by_line
    return Match(entry, tuple(left))


def _span(finding: Finding, entry: Entry) -> range:
    witness = _witness(finding, entry)
    region = witness.location.region if witness is not None else finding.location.region
    return range(region.start_line, max(region.end_line, region.start_line) + 1)


def _flagged(finding: Finding, entry: Entry, excerpts: Mapping[str, str]) -> set[str]:
    lines = _span(finding, entry)
    numbered = (line.partition("\t") for line in excerpts.get(finding.fingerprint, "").split("\n"))
    return {text.strip() for number, _, text in numbered if number.isdecimal() and int(number) in lines}


def _places(findings: Sequence[Finding]) -> str:
    told = [one.location.words for one in findings]
    return ", ".join(told[:3]) + (f" and {len(told) - 3} more" if len(told) > 3 else "")


def _nothing(entry: Entry, document: RunDocument) -> str:
    """Say what of an entry is not in the run."""
    wanted = {one.upper() for one in entry.advisories}
    versions = sorted(
        f"{one.package.name} {one.package.version}"
        for one in document.findings
        if one.package is not None and wanted & {known.upper() for known in one.advisories}
    )
    if versions:
        return f"the advisory is found in {', '.join(versions[:3])} only"
    if wanted and not entry.rule:
        return "no finding has this advisory"
    there = any(_bare(one.rule) == _bare(entry.rule) for finding in document.findings for one in finding.witnesses)
    where = f" at {entry.path}" if there and entry.path else " there" if there else ""
    return f"no finding {'has this id' if wanted else f'of {entry.tool} has this rule'}{where}"
