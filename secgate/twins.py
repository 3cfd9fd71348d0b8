"""Twins: equal statements of one weakness in one definition, which nothing but their order tells apart.

A waiver of one of them cannot mean that very one after the next edit: it means one of them. So in a group of twins
exactly as many are waived as there are waivers, those first whose own waiver it is, then in order of position.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from secgate.fingerprint import digest
from secgate.model import Finding, Lane, Value


class TwinWaiver(Value, frozen=True, kw_only=True):
    """What a waiver says of its finding: the fingerprint, and the group that it was in when it was given."""

    fingerprint: str
    group: str


def twin_group(finding: Finding) -> str:
    """Give the name of the group of twins that a finding is in; equal for no others."""
    # A secret's text is masked, so two secrets may look like twins: each stands for itself. So does an advisory.
    alone = finding.fingerprint if finding.lane in (Lane.SECRETS, Lane.DEPENDENCIES) else ""
    place = (finding.location.path, finding.symbol, finding.anchor, finding.location.commit)
    return digest(finding.algorithm, "twins", finding.weakness, *place, alone)


def share_out(findings: Iterable[Finding], waivers: Sequence[TwinWaiver]) -> dict[str, int]:
    """Give which waiver, as an index, counts for which finding, by fingerprint.

    A waiver counts for one finding at most, and of two for the same fingerprint only the first. First come findings
    whose own name, or an older one, a waiver has; what is left over of waivers goes to twins of what they were given
    for, in order of position. Neither the order of the findings nor chance has a part in it.
    """
    ordered = sorted(findings, key=_position)
    free: dict[str, int] = {}
    for number, waiver in enumerate(waivers):
        free.setdefault(waiver.fingerprint, number)
    given: dict[str, int] = {}
    for names in (_own_name, _older_names):
        for one in ordered:
            name = next((name for name in names(one) if name in free), "")
            if name and one.fingerprint not in given:
                given[one.fingerprint] = free.pop(name)
    spare: dict[str, list[int]] = {}
    for number in sorted(free.values(), reverse=True):
        spare.setdefault(waivers[number].group, []).append(number)
    for one in ordered:
        left = spare.get(twin_group(one)) if spare and one.fingerprint not in given else None
        if left:
            given[one.fingerprint] = left.pop()
    return given


def _own_name(one: Finding) -> Iterable[str]:
    return (one.fingerprint,)


def _older_names(one: Finding) -> Iterable[str]:
    return sorted(alias.value for alias in one.aliases)


def _position(one: Finding) -> tuple[str, int, int, int, str]:
    region = one.location.region
    return one.location.path, region.start_line, region.start_column, one.ordinal, one.fingerprint
