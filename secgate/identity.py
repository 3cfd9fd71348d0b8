"""From groups of results to findings with their names: one for the canonical weakness, and one for each witness.

A witness's name rests on the place that this tool's rule pointed at, not on the finding's, so it is the same when that
tool is the only one left. Under every further scheme (`SCHEMES`) each name is made once more, as an alias.

What has no place is named by its message where there are several of its kind, and is also known by it where it is the
only one: then it is named without, as the message of a tool changes more often than what it means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal

import msgspec
from msgspec import Struct

from secgate.crosswalk import Crosswalk, Weakness
from secgate.fingerprint import SCHEMES, Located, Place, Scheme, Subject, advisory_root, anchor, digest, package_name
from secgate.grouping import Group, advisory_names
from secgate.model import Confidence, Digest, Finding, Fingerprint, Lane, Location, Package, Region, Result
from secgate.placeless import is_placeless, template

LONGEST_TITLE = 160
_CONFIDENCES = (Confidence.HIGH, Confidence.MEDIUM, Confidence.LOW)
_LANES = (Lane.SECRETS, Lane.WORKFLOWS, Lane.DEPENDENCIES, Lane.IAC, Lane.SAST)
"""Where witnesses of several lanes meet, the first of these is the finding's: no path class lowers the first three."""

Codes = Callable[[Iterable[Digest]], tuple[str, ...]]
"""Gives the codes of secret texts from their digests; see `secret_binding`."""


class _Draft(Struct, frozen=True, gc=False):
    """A group with what its identity rests on."""

    group: Group
    results: tuple[Result, ...]
    weakness: str
    path: str
    commit: str
    place: Place


def identify(
    groups: Iterable[Group], crosswalk: Crosswalk, *, schemes: Sequence[Scheme] = SCHEMES, codes: Codes | None = None
) -> list[Finding]:
    """Give one finding a group, in their order; those of one name, such as an advisory on two lines, are joined.

    `codes` is None where there is no key: then nothing of a secret's text is in a finding.
    """
    names, within = _Names(schemes), crosswalk.within
    return _unique(_finding(_draft(one, within), names, crosswalk, codes) for one in groups)


def _draft(one: Group, within: Mapping[str, str]) -> _Draft:
    # All of a unit share one place; of a secret's versions the first is the one that names it.
    home = one.members[0]
    location = home.result.location
    if len(one.members) == 1:
        return _Draft(one, (home.result,), home.result.weakness, location.path, location.commit, home.place)
    results = tuple([member.result for member in one.members])
    # A whole result takes long to compare; what differs in its message differs.
    if len({result.message for result in results}) < len(results):
        results = tuple(dict.fromkeys(results))
    names = {result.weakness for result in results}
    weakness = min(names - {within[name] for name in names if name in within}, key=_plainness)
    return _Draft(one, results, weakness, location.path, location.commit, home.place)


def _plainness(weakness: str) -> tuple[int, str]:
    """Order names: of the crosswalk first, then CWE numbers, then tools' rules."""
    return (2 if ":" in weakness else 1 if weakness.startswith("cwe-") else 0, weakness)


def _rule_name(result: Result) -> str:
    return f"{result.scanner}:{result.rule}"


# ---------------------------------------------------------------------------------------------------------------- names


class _Named(Struct, frozen=True, gc=False):
    """What the schemes say of a draft."""

    algorithm: str
    fingerprint: str
    aliases: tuple[Fingerprint, ...]
    symbol: str
    anchor: str
    ordinal: int


class _Names:
    """Gives names; equal places of equal names are told apart by their order, so drafts must come in order.

    Those of one file in one commit stand together, as `group` gives them: what was counted in another is let go of.
    """

    def __init__(self, schemes: Sequence[Scheme]) -> None:
        self._schemes = schemes
        self._home = "", ""
        self._ordinals: dict[tuple[str, str, str, str], int] = {}

    def of(self, draft: _Draft) -> _Named:
        """Name a draft, which must be the next."""
        package = draft.results[0].package
        if draft.group.kind == "dependency" and package is not None:
            return self._dependency(draft, package)
        kind: Literal["secret", "weakness"] = "secret" if draft.group.kind == "secret" else "weakness"
        is_secret = kind == "secret"
        home = draft.path, draft.commit
        if home != self._home:
            self._home, self._ordinals = home, {}
        ordinals = self._ordinals
        made: list[Fingerprint] = []
        ordinal = 1
        for name, place in _subjects(draft):
            text = "" if is_secret else place.anchored
            key = (kind, name, place.symbol, text)
            number = ordinals[key] = ordinals.get(key, 0) + 1
            ordinal = ordinal if made else number
            subject = Subject(kind, name, draft.path, place.symbol, text, number, draft.commit)
            made += [Fingerprint(algorithm=one.algorithm, value=one.name(subject)) for one in self._schemes]
        first, own = made[0], draft.place
        if kind == "weakness" and is_placeless(draft.group.members[0]):
            own = _spoken(draft.group.members[0]).place
        return _Named(first.algorithm, first.value, _others(first, made), own.symbol, own.anchored, ordinal)

    def _dependency(self, draft: _Draft, package: Package) -> _Named:
        ids = sorted({name for member in draft.group.members for name in advisory_names(member)})
        root = advisory_root(ids)
        made = []
        for name in (root, *ids):
            subject = Subject(kind="dependency", name=draft.weakness, path=draft.path, package=package, advisory=name)
            made += [Fingerprint(algorithm=one.algorithm, value=one.name(subject)) for one in self._schemes]
        symbol = package_name(package)
        anchor = digest("package", package.ecosystem.lower(), symbol, root)
        return _Named(made[0].algorithm, made[0].value, _others(made[0], made), symbol, anchor, 1)


def _subjects(draft: _Draft) -> Sequence[tuple[str, Place]]:
    """Give what names are made of, the finding's own first, each with the place that it means."""
    members = draft.group.members
    plain = (draft.weakness, draft.place), *_witnesses(members)
    if draft.group.kind != "weakness" or not is_placeless(members[0]):
        return plain
    spoken = [_spoken(one) for one in members]
    by_message = (draft.weakness, spoken[0].place), *_witnesses(spoken)
    return by_message if draft.group.is_one_of_several else (*plain, *by_message)


def _spoken(one: Located) -> Located:
    """Give a result without a place with its message in place of a text."""
    said = anchor(template(one.result.message))
    return msgspec.structs.replace(one, place=msgspec.structs.replace(one.place, anchored=said))


def _witnesses(members: Sequence[Located]) -> list[tuple[str, Place]]:
    """Give the witnesses' names, each with every place that its rule pointed at, sorted."""
    if len(members) == 1:
        return [(f"witness {_rule_name(members[0].result)}", members[0].place)]
    found: dict[tuple[str, str, str], Place] = {}
    for member in members:
        name = f"witness {_rule_name(member.result)}"
        found.setdefault((name, member.place.symbol, member.place.anchored), member.place)
    return [(key[0], found[key]) for key in sorted(found)]


def _others(first: Fingerprint, made: Sequence[Fingerprint]) -> tuple[Fingerprint, ...]:
    if len(made) == 2 and made[1].value != first.value:
        return (made[1],)
    others = {(one.algorithm, one.value): one for one in made}
    del others[first.algorithm, first.value]
    return tuple(others[key] for key in sorted(others))


# ------------------------------------------------------------------------------------------------------------- findings


def _finding(draft: _Draft, names: _Names, crosswalk: Crosswalk, codes: Codes | None) -> Finding:
    results = draft.results
    worst, confidence, lane = results[0], results[0].confidence, results[0].lane
    # Most groups of several are what one rule says of one place.
    if len({(one.scanner, one.rule, one.severity, one.score, one.confidence, one.lane) for one in results}) > 1:
        worst = max(results, key=lambda result: (result.severity.rank, result.score, _rule_name(result)))
        confidence = min((result.confidence for result in results), key=_CONFIDENCES.index)
        lane = min((result.lane for result in results), key=_LANES.index)
    named = names.of(draft)
    described = crosswalk.describe(draft.weakness)
    title = _title(draft, described.title if described else worst.message.split("\n", 1)[0], confidence)
    own = {name for result in results for name in (result.advisory, *result.aliases) if name}
    packages = [result.package for result in results if result.package is not None]
    return Finding(
        fingerprint=named.fingerprint,
        algorithm=named.algorithm,
        lane=lane,
        weakness=draft.weakness,
        title=title[:LONGEST_TITLE],
        severity=worst.severity,
        score=worst.score,
        severity_basis=worst.severity_basis,
        confidence=confidence,
        location=Location(path=draft.path, region=_shown_region(draft), commit=draft.commit),
        symbol=named.symbol,
        ordinal=named.ordinal,
        anchor=named.anchor,
        witnesses=results,
        aliases=named.aliases,
        advisories=tuple(sorted(own)),
        package=packages[0] if packages else None,
        remedy=_remedy(draft, described),
        snippet=draft.place.snippet,
        suppressed_in_source=all(map(_is_suppressed, results)),
        sketch=draft.place.sketch if draft.group.kind == "weakness" else "",
        secret_macs=codes(_secret_texts(draft)) if codes is not None and draft.group.kind == "secret" else (),
    )


def _remedy(draft: _Draft, described: Weakness | None) -> str:
    """Give the remedy of a witness of this very weakness, else the weakness's own.

    What ends a wider weakness, which another witness saw, may leave this one: SHA-256 is no hash for a password.
    """
    said = [one for one in draft.results if one.remedy]
    own = [one.remedy for one in said if one.weakness == draft.weakness]
    of_kind = described.remedy if described else ""
    return own[0] if own else of_kind or (said[0].remedy if said else "")


def _title(draft: _Draft, title: str, confidence: Confidence) -> str:
    """Say which package is meant, of a guess that it is one, and what is said of one of several without a place."""
    package = draft.results[0].package
    if draft.group.kind == "dependency" and package is not None:
        name = advisory_root(name for result in draft.results for name in (result.advisory, *result.aliases))
        known = f"{package.name} {package.version}".rstrip()
        return f"{known} has a known vulnerability ({name})"
    if draft.group.kind == "secret" and confidence is Confidence.LOW:
        return f"Possible {title[:1].lower()}{title[1:]}"
    said = draft.results[0].message.split("\n", 1)[0]
    return f"{title}: {said}" if draft.group.is_one_of_several and said != title else title


def _shown_region(draft: _Draft) -> Region:
    """Where a person looks: the unit, but for a secret its own line, since a unit may be a table of hundreds."""
    own = draft.group.members[0].result.location.region
    return own if draft.group.kind == "secret" and own.start_line else draft.place.region


def _is_suppressed(result: Result) -> bool:
    return bool(result.suppressions) and any(one.kind == "inSource" for one in result.suppressions)


def _secret_texts(draft: _Draft) -> set[Digest]:
    """Give the digests of the secret's texts where it stands now; what is said of a whole unit counts for little."""
    here = [one for one in draft.group.members if one.result.location.commit == draft.commit]
    own = [one for one in here if one.result.lane is Lane.SECRETS or len(one.spans) <= 1]
    return {text for one in own or here for text in one.texts}


def _unique(findings: Iterable[Finding]) -> list[Finding]:
    """Join findings of one fingerprint, such as one advisory on two lines of a manifest."""
    found: dict[str, Finding] = {}
    for one in findings:
        first = found.get(one.fingerprint)
        if first is None:
            found[one.fingerprint] = one
            continue
        worst = max(first, one, key=lambda each: (each.severity.rank, each.score))
        found[one.fingerprint] = msgspec.structs.replace(
            first,
            severity=worst.severity,
            score=worst.score,
            severity_basis=worst.severity_basis,
            witnesses=tuple(dict.fromkeys((*first.witnesses, *one.witnesses))),
            aliases=tuple(dict.fromkeys((*first.aliases, *one.aliases))),
            advisories=tuple(sorted({*first.advisories, *one.advisories})),
            secret_macs=tuple(sorted({*first.secret_macs, *one.secret_macs})),
            suppressed_in_source=first.suppressed_in_source and one.suppressed_in_source,
        )
    return list(found.values())
