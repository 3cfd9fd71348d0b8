"""A finding as the ledger keeps it: what matching, clocks and auditors need of it, and nothing of its text."""

from __future__ import annotations

from secgate.model import Finding, Fingerprint, Lane, Severity, Value


class Witness(Value, frozen=True, kw_only=True, order=True):
    """A tool and the rule by which it saw a finding."""

    scanner: str
    rule: str


class FindingFacts(Value, frozen=True, kw_only=True):
    """A finding as it was last recorded: identity, what matching needs, and how bad it is."""

    fingerprint: str
    algorithm: str
    aliases: tuple[Fingerprint, ...] = ()
    lane: Lane
    weakness: str
    severity: Severity
    path: str
    symbol: str = ""
    ordinal: int = 1
    anchor: str = ""
    start_line: int = 0
    witnesses: tuple[Witness, ...]
    advisories: tuple[str, ...] = ()
    package: str = ""
    """`ecosystem/name@version`, "" for none."""
    secret_macs: tuple[str, ...] = ()
    """Codes of a secret's text under the organisation's key; () without one."""
    sketch: str = ""
    """Hashes of some words of the text, to tell an edited text from another one; "" where not told."""


def facts_of(finding: Finding) -> FindingFacts:
    """Give what is recorded of a finding of a run."""
    package = finding.package
    return FindingFacts(
        fingerprint=finding.fingerprint,
        algorithm=finding.algorithm,
        aliases=tuple(sorted(set(finding.aliases), key=lambda alias: (alias.algorithm, alias.value))),
        lane=finding.lane,
        weakness=finding.weakness,
        severity=finding.severity,
        path=finding.location.path,
        symbol=finding.symbol,
        ordinal=finding.ordinal,
        anchor=finding.anchor,
        start_line=finding.location.region.start_line,
        witnesses=tuple(sorted({Witness(scanner=result.scanner, rule=result.rule) for result in finding.witnesses})),
        advisories=tuple(sorted(set(finding.advisories))),
        secret_macs=finding.secret_macs,
        sketch=finding.sketch,
        package=f"{package.ecosystem}/{package.name}@{package.version}" if package else "",
    )
