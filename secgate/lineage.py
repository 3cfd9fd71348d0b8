"""Events that say what an edited crosswalk made of recorded findings: parts, and what became one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypedDict

from msgspec.structs import replace

from secgate.events import FindingMerged, FindingSplit
from secgate.finding_facts import FindingFacts, facts_of
from secgate.fingerprint import digest
from secgate.model import Finding, Fingerprint
from secgate.remembered import Remembered


class About(TypedDict):
    """What every event of a finding says."""

    run_id: str
    repository: str
    line: str
    episode: int


def split_off(facts: FindingFacts, origin: Remembered, about: About) -> FindingSplit:
    """Say that this was a part of `origin`."""
    return FindingSplit(
        **about,
        finding=facts,
        origin=Fingerprint(algorithm=origin.facts.algorithm, value=origin.facts.fingerprint),
        start_epoch_s=origin.first_seen_epoch_s,
    )


def taken_in(finding: Finding, other: Remembered, about: About, known: Remembered | None) -> FindingMerged:
    """Say that another one is part of this now, which was `known`."""
    starts = [one.first_seen_epoch_s for one in (known, other) if one is not None]
    return FindingMerged(
        **about,
        fingerprint=finding.fingerprint,
        algorithm=finding.algorithm,
        absorbed=Fingerprint(algorithm=other.facts.algorithm, value=other.facts.fingerprint),
        start_epoch_s=min(starts),
    )


def taken_over(finding: Finding, other: Remembered, about: About) -> Iterator[FindingSplit | FindingMerged]:
    """Say that a witness of a finding that goes on is this one's now: a part is split off there, and taken in here.

    The part has a name that nothing else has; `about` is of what takes it in.
    """
    facts = facts_of(finding)
    witnesses = tuple(one for one in facts.witnesses if one in other.facts.witnesses)
    name = digest(facts.algorithm, "taken over", other.facts.fingerprint, facts.fingerprint)
    yield split_off(
        replace(facts, fingerprint=name, aliases=(), witnesses=witnesses), other, {**about, "episode": other.episode}
    )
    yield FindingMerged(
        **about,
        fingerprint=facts.fingerprint,
        algorithm=facts.algorithm,
        absorbed=Fingerprint(algorithm=facts.algorithm, value=name),
        start_epoch_s=other.first_seen_epoch_s,
    )
