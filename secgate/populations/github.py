"""Form `github`: arrays as GitHub's REST interface gives them, pages put together into one array.

deployments: `/repos/O/R/deployments`. repositories: `/orgs/O/repos`. artifacts: `/repos/O/R/releases`, each asset with
its digest. reviews: `/repos/O/R/pulls?state=closed`, and in the same array the objects of `/pulls/N/reviews` of each.
Source: docs.github.com, REST API 2022-11-28.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from secgate.population_records import Asked
from secgate.population_text import Faults, elements, text_of
from secgate.ports import PopulationKind, PopulationReading, PopulationRecord

_ADDRESS = re.compile(r"https?://(?P<host>[^/?#@]+)/(?:api/v3/)?(?:repos/)?(?P<name>[^/?#]+/[^/?#]+)(?:/.*)?")


class GithubPopulation:
    """Reads what GitHub answers; accounts are looked up as `github` handles of people.toml."""

    name = "github"
    kinds: tuple[PopulationKind, ...] = ("deployments", "repositories", "artifacts", "reviews")
    provider = "github"

    def read(self, data: bytes, kind: PopulationKind, *, place: str) -> PopulationReading:
        """See PopulationReader."""
        faults = Faults(place)
        found = [Asked(element, faults) for element in elements(text_of(data, place), place)]
        left_out: Counter[str] = Counter()
        records = _READERS[kind](found, left_out)
        faults.raise_any()
        return PopulationReading(tuple(records), len(found), dict(left_out))


def _deployments(found: Sequence[Asked], left_out: Counter[str]) -> list[PopulationRecord]:
    """GitHub's `created_at` is when it was asked for, before it succeeded or failed: each counts."""
    del left_out
    return [
        one.record(
            repository=_repository(one, "repository_url"),
            id=one.text("id"),
            environment=one.text("environment"),
            commit=one.text("sha"),
            deployed_at=one.text("created_at"),
            actor=one.text("creator", "login", optional=True),
        )
        for one in found
    ]


def _repositories(found: Sequence[Asked], left_out: Counter[str]) -> list[PopulationRecord]:
    records = []
    for one in found:
        if one.flag("archived"):
            left_out["archived"] += 1
        else:
            records.append(one.record(repository=_repository(one, "html_url"), **{"from": one.text("created_at")}))
    return records


def _artifacts(found: Sequence[Asked], left_out: Counter[str]) -> list[PopulationRecord]:
    records = []
    for one in found:
        if one.flag("draft"):
            left_out["draft release"] += 1
            continue
        records += [
            one.record(
                repository=_repository(one, "url"),
                id=f"{one.text('tag_name')}/{asset.text('name')}",
                digest=asset.text("digest"),
                released_at=one.text("published_at"),
            )
            for asset in one.objects("assets")
        ]
    return records


def _reviews(found: Sequence[Asked], left_out: Counter[str]) -> list[PopulationRecord]:
    pulls: dict[str, Asked] = {}
    reviews: dict[str, list[Asked]] = {}
    for one in found:
        owner = one.text("pull_request_url", optional=True)
        if owner:
            reviews.setdefault(owner, []).append(one)
        else:
            pulls[one.text("url")] = one
    for address in sorted(set(reviews) - set(pulls)):
        reviews[address][0].fault("the pull request of this review is not in the array", "put it in too")
    records = []
    for address, pull in pulls.items():
        given = [one for one in reviews.get(address, ()) if one.text("state") == "APPROVED"]
        left_out["review that approves nothing"] += len(reviews.get(address, ())) - len(given)
        if not pull.text("merged_at", optional=True):
            left_out["closed, not merged"] += 1
            left_out["approval of what was not merged"] += len(given)
            continue
        change = {
            "repository": _repository(pull, "url"),
            "id": pull.text("number"),
            "author": pull.text("user", "login"),
            "merged_at": pull.text("merged_at"),
            "commit": pull.text("merge_commit_sha", optional=True),
        }
        records += [
            one.record(
                **change,
                reviewer=one.text("user", "login"),
                approved_at=one.text("submitted_at"),
                machine="yes" if one.text("user", "type", optional=True) == "Bot" else "no",
            )
            for one in given
        ] or [pull.record(**change)]
    for reason in [reason for reason, count in left_out.items() if not count]:
        del left_out[reason]
    return records


def _repository(one: Asked, name: str) -> str:
    """Give host/owner/name as runs know it: that of github.com is not its interface's."""
    address = one.text(name, optional=name == "repository_url")
    match = _ADDRESS.fullmatch(address)
    if match is None:
        if address:
            one.fault(f"`{name}` is no address of a repository", "give the objects as the interface does")
        return ""
    host = match["host"].lower()
    return f"{'github.com' if host == 'api.github.com' else host}/{match['name']}"


_READERS: Mapping[PopulationKind, Callable[[Sequence[Asked], Counter[str]], list[PopulationRecord]]] = MappingProxyType(
    {"deployments": _deployments, "repositories": _repositories, "artifacts": _artifacts, "reviews": _reviews}
)
