"""Which results are one weakness: same file, same unit, same canonical weakness, whatever tool says so.

One tool that points at two separate places of one unit means two of them, so a second weakness in a statement is
counted as a second; what has no place is told apart by what is said of it. Secrets are grouped by where and how they
read, advisories on a package by the names they share.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec
from msgspec import Struct

from secgate.fingerprint import Located, package_key
from secgate.model import Lane, Region
from secgate.placeless import apart, is_placeless


class Group(Struct, frozen=True, gc=False):
    """Results of one weakness, in order; `slot` counts the weaknesses of one unit from 0.

    `is_one_of_several`: of several without any place, which only what is said of them tells apart.
    """

    kind: str
    members: tuple[Located, ...]
    slot: int = 0
    is_one_of_several: bool = False


def group(
    located: Iterable[Located], *, commits: Sequence[str] = (), within: Mapping[str, str] | None = None
) -> Iterator[Group]:
    """Group all results, file by file; each is in exactly one group. `commits` are those of the change, oldest first.

    `within` names, for a weakness, the wider one that it is a case of: results of both in one unit are one.
    """
    files: dict[str, list[Located]] = {}
    for one in located:
        files.setdefault(one.result.location.path, []).append(one)
    for path in sorted(files):
        yield from _of_file(files.pop(path), commits, within or {})


def _of_file(located: list[Located], commits: Sequence[str], within: Mapping[str, str]) -> list[Group]:
    located.sort(key=_order)
    secrets: list[Located] = []
    packages: list[Located] = []
    others: list[Located] = []
    for one in located:
        (secrets if one.result.secret else packages if _is_advisory(one) else others).append(one)
    found = _secrets(secrets, commits)
    others, found = _joined(others, found)
    groups = [*_weaknesses(others, within), *found, *_advisories(packages)]
    return sorted(groups, key=lambda one: (_order(one.members[0]), one.slot))


def _joined(others: Iterable[Located], secrets: Sequence[Group]) -> tuple[list[Located], list[Group]]:
    """Give what says of a whole unit that a secret is in it to the first secret that is known there by itself."""
    if not secrets:
        return list(others), []
    places: dict[tuple[object, ...], int] = {}
    for at, one in enumerate(secrets):
        for member in one.members:
            places.setdefault((*_unit(member), member.result.weakness), at)
    members = [list(one.members) for one in secrets]
    left = []
    for other in others:
        at = places.get((*_unit(other), other.result.weakness), -1)
        if at < 0:
            left.append(other)
        else:
            members[at].append(other)
    joined = [Group(one.kind, tuple(all_of), one.slot) for one, all_of in zip(secrets, members, strict=True)]
    return left, joined


def _unit(one: Located) -> tuple[object, ...]:
    """Give where a result is: its unit, or its first line where there is no text in which units could be found."""
    location, place = one.result.location, one.place
    return location.path, location.commit, place.region if place.has_text else place.region.start_line


def _is_advisory(one: Located) -> bool:
    return bool(one.result.package is not None and one.result.advisory)


def _order(one: Located) -> tuple[object, ...]:
    """Give what results of one file are ordered by."""
    result, region = one.result, one.result.location.region
    place = one.place.region
    return (
        result.location.commit,
        place.start_line,
        place.start_column,
        region.start_line,
        region.start_column,
        region.end_line,
        region.end_column,
        result.weakness,
        result.scanner,
        result.rule,
        result.advisory,
        result.message,
        result.severity,
        result.lane,
    )


# ------------------------------------------------------------------------------------------------ weaknesses in a unit


def _weaknesses(ordered: Sequence[Located], within: Mapping[str, str]) -> list[Group]:
    narrower = {
        (*_unit(one), one.place.symbol, within[one.result.weakness]): one.result.weakness
        for one in ordered
        if one.result.weakness in within
    }
    units: dict[tuple[object, ...], list[Located]] = {}
    for one in ordered:
        place = (*_unit(one), one.place.symbol, one.result.weakness)
        if narrower and place in narrower:
            place = (*place[:-1], narrower[place])
        units.setdefault(place, []).append(one)
    found: list[Group] = []
    for members in units.values():
        if len(members) == 1:
            found.append(Group("weakness", (members[0],)))
        elif is_placeless(members[0]):
            parts = apart(members)
            several = len(parts) > 1
            found += [Group("weakness", tuple(part), at, is_one_of_several=several) for at, part in enumerate(parts)]
        else:
            found += [Group("weakness", tuple(slot), number) for number, slot in enumerate(_slots(members))]
    return _with_wide_ones(found)


def _with_wide_ones(groups: Sequence[Group]) -> list[Group]:
    """Join what a tool says of several units at once to the first of them that another tool says it of.

    A tool that says both means two weaknesses.
    """
    places: dict[tuple[str, str, str], list[int]] = {}
    for at, one in enumerate(groups):
        result = one.members[0].result
        places.setdefault((result.location.path, result.location.commit, result.weakness), []).append(at)
    joined: dict[int, int] = {}
    for found in places.values():
        wide = [at for at in found if all(map(_is_wide, groups[at].members))] if len(found) > 1 else []
        if wide:
            joined.update(_homes(groups, wide, sorted(set(found).difference(wide))))
    grown: dict[int, list[Located]] = {}
    for at, home in joined.items():
        grown.setdefault(home, list(groups[home].members)).extend(groups[at].members)
    return [
        msgspec.structs.replace(one, members=tuple(grown[at])) if at in grown else one
        for at, one in enumerate(groups)
        if at not in joined
    ]


def _is_wide(one: Located) -> bool:
    """Tell whether a tool's region goes on below the unit that it begins in."""
    return 0 < one.place.region.end_line < one.result.location.region.end_line


def _homes(groups: Sequence[Group], wide: Sequence[int], narrow: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Give, for each wide group, the first narrow one inside of all its regions that only other tools speak of.

    A file may have thousands of both, so those inside are looked up, apart for each set of tools.
    """
    by_tools: dict[frozenset[str], list[tuple[tuple[object, ...], int]]] = {}
    for at in narrow:
        by_tools.setdefault(_tools(groups[at]), []).append((_order(groups[at].members[0]), at))
    tables = [(tools, sorted(found)) for tools, found in by_tools.items()]
    starts = [[groups[at].members[0].place.region.start_line for _, at in found] for _, found in tables]
    for at in wide:
        regions = [member.result.location.region for member in groups[at].members]
        first, last = max(one.start_line for one in regions), min(one.end_line for one in regions)
        fitting = []
        for (tools, found), lines in zip(tables, starts, strict=True):
            if tools.isdisjoint(_tools(groups[at])):
                inside = (found[index] for index in range(bisect_left(lines, first), bisect_right(lines, last)))
                # What begins inside and ends outside holds what comes next: few do, one inside of the other.
                one = next((one for one in inside if groups[one[1]].members[0].place.region.end_line <= last), None)
                fitting += [one] if one is not None else []
        if fitting:
            yield at, min(fitting)[1]


def _tools(one: Group) -> frozenset[str]:
    return frozenset(member.result.scanner for member in one.members)


def _slots(members: Sequence[Located]) -> list[list[Located]]:
    """Share results of one unit out on as many weaknesses as the one rule that sees most of them sees apart."""
    region = members[0].result.location.region
    if _start(region) < _end(region) and all(one.result.location.region == region for one in members):
        return [list(members)]
    by_rule: dict[tuple[str, str], list[Region]] = {}
    for one in members:
        by_rule.setdefault((one.result.scanner, one.result.rule), []).append(one.result.location.region)
    apart = [_apart(regions) for _, regions in sorted(by_rule.items())]
    seeds = max(apart, key=len)
    if len(seeds) == 1:
        return [list(members)]
    starts, ends = [_start(seed) for seed in seeds], [_end(seed) for seed in seeds]
    slots: list[list[Located]] = [[] for _ in seeds]
    for one in members:
        slots[_nearest(starts, ends, _start(one.result.location.region))].append(one)
    return [slot for slot in slots if slot]


def _apart(regions: Iterable[Region]) -> list[Region]:
    """Give the regions that do not overlap one before; those that nest are one."""
    found: list[Region] = []
    for region in sorted(regions, key=_start):
        if not found or _start(region) >= _end(found[-1]):
            found.append(region)
        elif _end(region) > _end(found[-1]):
            last = found[-1]
            found[-1] = Region(
                start_line=last.start_line,
                start_column=last.start_column,
                end_line=region.end_line,
                end_column=region.end_column,
            )
    return found


_Point = tuple[int, int]


def _start(region: Region) -> _Point:
    return region.start_line, region.start_column


def _end(region: Region) -> _Point:
    """End of a region; one without an end covers its start alone."""
    return max(_start(region), (region.end_line, region.end_column or 1 << 30)) if region.end_line else _start(region)


def _nearest(starts: Sequence[_Point], ends: Sequence[_Point], point: _Point) -> int:
    """Give the seed that holds a point, else the first of those that start nearest, by lines, then by columns.

    Seeds rise and do not overlap; there may be thousands in one unit, so only the neighbours are looked at.
    """
    line, column = point
    behind = bisect_right(starts, point)
    if behind and point < ends[behind - 1]:
        return behind - 1
    near: set[int] = set()
    for row in {starts[at][0] for at in (behind - 1, behind) if 0 <= at < len(starts)}:
        after = bisect_left(starts, (row, column))
        near.update(bisect_left(starts, starts[at]) for at in (after - 1, after) if 0 <= at < len(starts))
    return min(near, key=lambda at: (abs(starts[at][0] - line), abs(starts[at][1] - column), at))


# -------------------------------------------------------------------------------------------------------------- secrets


def _secrets(ordered: Iterable[Located], commits: Sequence[str]) -> list[Group]:
    """Group by overlapping spans; a copy in a commit of the change joins the file's own, else the first commit's."""
    files: dict[str, list[Located]] = {}
    for one in ordered:
        files.setdefault(one.result.location.path, []).append(one)
    age = {commit: number for number, commit in enumerate(commits, 1)}
    found: list[Group] = []
    for members in files.values():
        clusters = _by_span(members)
        # "" is the end of the change: what stands there comes before all commits.
        clusters.sort(key=lambda one: age.get(_commit(one[0]), len(age) + 1) if _commit(one[0]) else 0)
        homes: dict[str, list[Located]] = {}
        kept: list[list[Located]] = []
        for cluster in clusters:
            texts = [text for one in cluster for text in one.texts]
            home = next((homes[text] for text in texts if text in homes), None) if _commit(cluster[0]) else None
            if home is None:
                home = cluster
                kept.append(cluster)
            else:
                home += cluster
            for text in texts:
                homes.setdefault(text, home)
        found += [Group("secret", tuple(cluster)) for cluster in kept]
    return found


def _commit(one: Located) -> str:
    return one.result.location.commit


def _by_span(members: Sequence[Located]) -> list[list[Located]]:
    """Join what overlaps in one version of a file; results without a span join by their line.

    What another lane says of a unit with several texts belongs to the first secret among them: it joins no two.
    """
    versions: dict[str, list[Located]] = {}
    for one in members:
        versions.setdefault(_commit(one), []).append(one)
    clusters: list[list[Located]] = []
    for version in versions.values():
        found = _overlapping([one for one in version if not _is_of_unit(one)])
        left: list[Located] = []
        for one in version:
            if _is_of_unit(one):
                home = next((known for known in found if any(_meet(one, other) for other in known)), None)
                home = left if home is None else home
                home.append(one)
        clusters += [*found, *_overlapping(left)]
    return clusters


def _is_of_unit(one: Located) -> bool:
    return len(one.spans) > 1 and one.result.lane is not Lane.SECRETS


def _meet(one: Located, other: Located) -> bool:
    return any(start < to and at < end for start, end in one.spans for at, to in other.spans)


def _overlapping(version: Sequence[Located]) -> list[list[Located]]:
    clusters: list[list[Located]] = []
    reach, line = -1, -1
    for one in sorted(version, key=lambda one: (one.spans[:1] or ((1 << 60, 0),), _order(one))):
        start, end = (one.spans[0][0], one.spans[-1][1]) if one.spans else (-1, -1)
        at = one.result.location.region.start_line
        joins = start < reach if one.spans else at == line
        if joins and clusters:
            clusters[-1].append(one)
            reach = max(reach, end)
        else:
            clusters.append([one])
            reach = end
        line = at
    return clusters


# ----------------------------------------------------------------------------------------------------------- advisories


def _advisories(ordered: Iterable[Located]) -> list[Group]:
    """Group what speaks of one package in one manifest under names that are connected by their aliases."""
    packages: dict[tuple[str, str, str], list[Located]] = {}
    for one in ordered:
        package = one.result.package
        if package is not None:
            key = (one.result.location.path, *package_key(package.ecosystem, package.name))
            packages.setdefault(key, []).append(one)
    return [Group("dependency", tuple(members)) for found in packages.values() for members in _connected(found)]


def _connected(members: Sequence[Located]) -> list[list[Located]]:
    """Give the connected components of the results by shared advisory names."""
    leaders: dict[str, int] = {}
    groups: dict[int, list[int]] = {}
    for at, one in enumerate(members):
        names = advisory_names(one)
        joined = sorted({leaders[name] for name in names if name in leaders})
        home = joined[0] if joined else at
        groups.setdefault(home, []).append(at)
        for other in joined[1:]:
            groups[home] += groups.pop(other)
            leaders.update({name: home for name, leader in leaders.items() if leader == other})
        leaders.update(dict.fromkeys(names, home))
    return [[members[at] for at in sorted(group)] for _, group in sorted(groups.items())]


def advisory_names(one: Located) -> tuple[str, ...]:
    """Give every name of an advisory, in upper case."""
    return tuple(sorted({name.strip().upper() for name in (one.result.advisory, *one.result.aliases) if name.strip()}))
