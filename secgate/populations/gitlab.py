"""Form `gitlab`: arrays as GitLab's REST interface gives them, pages put together into one array.

deployments: `/projects/ID/deployments`, which does not name its project: name it with --repository. repositories:
`/groups/ID/projects`. reviews: `/projects/ID/merge_requests?state=merged`, and in the same array the object of
`/merge_requests/IID/approvals` of each. Source: docs.gitlab.com, REST API v4.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from secgate.population_records import Asked
from secgate.population_text import Faults, elements, text_of
from secgate.ports import PopulationKind, PopulationReading, PopulationRecord

_ADDRESS = re.compile(r"https?://(?P<host>[^/?#@]+)/(?P<name>[^?#]+?)(?:/-/.*)?")
_MACHINE = re.compile(r"(?:project|group)_\d+_bot.*|service_account_.*")
"""How GitLab names accounts of access tokens and services."""


class GitlabPopulation:
    """Reads what GitLab answers; accounts are looked up as `gitlab` handles of people.toml."""

    name = "gitlab"
    kinds: tuple[PopulationKind, ...] = ("deployments", "repositories", "reviews")
    provider = "gitlab"

    def read(self, data: bytes, kind: PopulationKind, *, place: str) -> PopulationReading:
        """See PopulationReader."""
        faults = Faults(place)
        found = [Asked(element, faults) for element in elements(text_of(data, place), place)]
        left_out: Counter[str] = Counter()
        records = _READERS[kind](found, left_out)
        faults.raise_any()
        return PopulationReading(tuple(records), len(found), dict(left_out))


def _deployments(found: Sequence[Asked], left_out: Counter[str]) -> list[PopulationRecord]:
    records = []
    for one in found:
        status = one.text("status")
        if status in ("created", "blocked", "skipped"):
            left_out[f"never started: {status}"] += 1
            continue
        records.append(
            one.record(
                repository="",
                id=one.text("id"),
                environment=one.text("environment", "name"),
                commit=one.text("sha"),
                deployed_at=one.text("created_at"),
                actor=one.text("user", "username", optional=True),
            )
        )
    return records


def _repositories(found: Sequence[Asked], left_out: Counter[str]) -> list[PopulationRecord]:
    records = []
    for one in found:
        if one.flag("archived"):
            left_out["archived"] += 1
        else:
            records.append(one.record(repository=_repository(one), **{"from": one.text("created_at")}))
    return records


def _reviews(found: Sequence[Asked], left_out: Counter[str]) -> list[PopulationRecord]:
    requests: dict[tuple[str, str], Asked] = {}
    approvals: dict[tuple[str, str], Asked] = {}
    for one in found:
        key = (one.text("project_id"), one.text("iid"))
        (requests if one.text("web_url", optional=True) else approvals)[key] = one
    for key in sorted(set(approvals) - set(requests)):
        approvals[key].fault("the merge request of these approvals is not in the array", "put it in too")
    records = []
    for key, request in requests.items():
        if not request.text("merged_at", optional=True):
            left_out["not merged"] += 1
            continue
        change = {
            "repository": _repository(request),
            "id": request.text("iid"),
            "author": request.text("author", "username"),
            "merged_at": request.text("merged_at"),
            "commit": _merged(request),
        }
        given = approvals[key].objects("approved_by") if key in approvals else ()
        records += [_approval(request, one, change) for one in given] or [request.record(**change)]
    return records


def _merged(request: Asked) -> str:
    """Give the commit that the target branch got: the merge's, else the squash's, else the branch's own last one."""
    names = ("merge_commit_sha", "squash_commit_sha", "sha")
    return next(filter(None, (request.text(name, optional=True) for name in names)), "")


def _approval(request: Asked, one: Asked, change: Mapping[str, str]) -> PopulationRecord:
    reviewer = one.text("user", "username")
    machine = "yes" if _MACHINE.fullmatch(reviewer) else "no"
    at = one.text("approved_at", optional=True)
    if not at:
        one.fault(
            f"nothing says when merge request {request.text('iid')} was approved: older versions of GitLab do not",
            "take the times from its notes, and give the list as csv",
        )
    return request.record(**change, reviewer=reviewer, approved_at=at, machine=machine)


def _repository(one: Asked) -> str:
    match = _ADDRESS.fullmatch(one.text("web_url"))
    if match is None:
        one.fault("`web_url` is no address of a project", "give the objects as the interface does")
        return ""
    return f"{match['host'].lower()}/{match['name']}"


_READERS: Mapping[PopulationKind, Callable[[Sequence[Asked], Counter[str]], list[PopulationRecord]]] = MappingProxyType(
    {"deployments": _deployments, "repositories": _repositories, "reviews": _reviews}
)
