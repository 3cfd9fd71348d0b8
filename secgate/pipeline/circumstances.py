"""What is known of a finding beside the finding: where its file lies, who can reach it, whether it is exploited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from secgate.model import Finding, Target
from secgate.path_classes import PathClass, PathClasses
from secgate.policy.documents import KnownExploited, ListFacts, ScoreFacts
from secgate.policy.facts import JoinedFacts, Lists

if TYPE_CHECKING:
    from secgate.advisories import Case, CveList


class Exploitation(NamedTuple):
    """Facts by fingerprint, and the lists that told them."""

    joined: dict[str, JoinedFacts]
    lists: Lists


def with_classes(
    joined: Mapping[str, JoinedFacts], findings: Sequence[Finding], *, target: Target, classes: Sequence[PathClass]
) -> dict[str, JoinedFacts]:
    """Give the facts of findings with the class and the exposure of the file that each is in."""
    found = dict(joined)
    places = PathClasses(classes, repository=target.repository)
    for finding in findings:
        one = places.of(finding.location.path)
        if one is not None:
            facts = found.get(finding.fingerprint, JoinedFacts())
            found[finding.fingerprint] = msgspec.structs.replace(facts, path_class=one.name, exposure=one.exposure)
    return found


def with_exploitation(
    joined: Mapping[str, JoinedFacts], findings: Sequence[Finding], *, database: str, now: datetime
) -> Exploitation:
    """Give the facts of findings with what the lists beside the advisory database, and itself, say of their advisories.

    An advisory is looked up under every name that the database knows for it. Raises AdvisoryError for a list or a
    database that is there and cannot be read.
    """
    from secgate.advisories import CveList, list_path

    named = {name for finding in findings for name in finding.advisories}
    cases = _cases(named, database)
    cves = {cve for name in named for cve in _cves(name, cases)}
    listed: Mapping[str, int] = {}
    scores: Mapping[str, int] = {}
    lists = Lists()
    if Path(list_path("known-exploited", database)).is_file():
        with CveList("known-exploited", database) as one:
            listed = one.values(cves)
            lists = msgspec.structs.replace(lists, known_exploited=_list_facts(one, now))
    if Path(list_path("epss", database)).is_file():
        with CveList("epss", database) as one:
            scores = one.values(cves)
            lists = msgspec.structs.replace(lists, epss=_score_facts(one, now))
    found = dict(joined)
    for finding in findings:
        if finding.advisories:
            facts = found.get(finding.fingerprint, JoinedFacts())
            found[finding.fingerprint] = _told(facts, finding, cases=cases, listed=listed, scores=scores)
    return Exploitation(found, lists)


def _cases(names: set[str], database: str) -> Mapping[str, Case]:
    if not names or not Path(database).is_file():
        return {}
    from secgate.advisories import Database

    with Database(database) as opened:
        return opened.cases(names)


def _cves(name: str, cases: Mapping[str, Case]) -> set[str]:
    """Give every name of an advisory, as lists about CVEs write them."""
    return {name.upper(), *(other.upper() for other in (cases[name].names if name in cases else ()))}


def _told(
    facts: JoinedFacts,
    finding: Finding,
    *,
    cases: Mapping[str, Case],
    listed: Mapping[str, int],
    scores: Mapping[str, int],
) -> JoinedFacts:
    """Give the worst of what is said of a finding's advisories: the earliest listing, the highest score."""
    cves = {cve for name in finding.advisories for cve in _cves(name, cases)}
    since = [listed[cve] for cve in cves if cve in listed]
    mine = [cases[name] for name in finding.advisories if name in cases]
    return msgspec.structs.replace(
        facts,
        known_exploited=KnownExploited(listed=bool(since), listed_epoch_s=min(since, default=0)),
        epss_ppm=max((scores[cve] for cve in cves if cve in scores), default=0),
        automatable=max((one.automatable for one in mine), key=("unknown", "no", "yes").index, default="unknown"),
        impact=max((one.impact for one in mine), key=("unknown", "partial", "total").index, default="unknown"),
    )


def _list_facts(one: CveList, now: datetime) -> ListFacts:
    return ListFacts(used=True, age_s=one.info.age_s(now), digest=one.info.digest)


def _score_facts(one: CveList, now: datetime) -> ScoreFacts:
    info = one.info
    return ScoreFacts(
        used=True,
        age_s=info.age_s(now),
        digest=info.digest,
        model=info.model,
        scored_epoch_s=info.published_epoch_s,
    )
