"""Which finding a person means by a fingerprint, the start of one, a former name, or an advisory."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet

from secgate.errors import UsageError
from secgate.memory import Line
from secgate.model import Finding, RunDocument
from secgate.remembered import Remembered

_MOST_NAMED = 5
_MOST_OFFERED = 3


def resolve(wanted: str, lines: Mapping[str, Line], *, advisories: Collection[str] = ()) -> tuple[str, ...]:
    """Give every name of the one finding that `wanted` means, its present fingerprint first; () for none.

    `wanted` is a fingerprint, a former one, a witness's, an advisory, or the start of a fingerprint. `lines` are a
    repository's, `advisories` other names of the advisory, in capitals. Raises UsageError where several findings fit.
    """
    found: dict[str, Remembered] = {}
    best = 9
    for name in sorted(lines):
        for known in lines[name].findings.values():
            rank = _rank(wanted, known, {wanted.upper(), *advisories})
            if rank < best:
                best, found = rank, {}
            if rank == best < 9:
                found.setdefault(known.facts.fingerprint, known)
    if len(found) > 1:
        raise _ambiguous(wanted, [_told(one) for one in found.values()])
    for fingerprint, known in found.items():
        every = (found_on for line in lines.values() if (found_on := line.findings.get(fingerprint)))
        names = {name.value for one in (known, *every) for name in one.names}
        return (fingerprint, *sorted(names - {fingerprint}))
    return ()


def resolve_of_old(
    wanted: str, lines: Mapping[str, Line], earlier: Iterable[RunDocument], *, advisories: Collection[str]
) -> tuple[str, ...]:
    """Give what `resolve` does, and for an advisory that it does not know, the finding that a run named so.

    A scanner that once said an advisory's other name may do so no longer. `earlier` are read only where needed.
    """
    names = resolve(wanted, lines, advisories=advisories)
    if names or "-" not in wanted:
        return names
    called = {wanted.upper(), *advisories}
    seen = (one for document in earlier for one in document.findings)
    known = next((one.fingerprint for one in seen if not called.isdisjoint(one.advisories)), "")
    return resolve(known, lines) if known else ()


def resolve_in(
    wanted: str,
    documents: Iterable[RunDocument],
    *,
    advisories: Collection[str] = (),
    earlier: Iterable[RunDocument] = (),
) -> tuple[str, ...]:
    """Give the names of the one finding of runs that no clock is kept for; as `resolve`.

    `earlier` are looked at only where `documents` have none. Raises UsageError where none or several fit.
    """
    called = {wanted.upper(), *advisories}
    found = _fitting(wanted, documents, called) or _fitting(wanted, earlier, called)
    if wanted in found:
        found = {wanted: found[wanted]}
    if len(found) > 1:
        raise _ambiguous(wanted, [_place(one.fingerprint, one.weakness, one.location.path) for one in found.values()])
    for fingerprint, one in found.items():
        return (fingerprint, *sorted({alias.value for alias in one.aliases} - {fingerprint}))
    raise UsageError(
        f"no recorded finding is known as `{wanted}`",
        remedy="`secgate show --format json` lists a run's fingerprints; --path names the tree whose ledger is read",
    )


def _fitting(wanted: str, documents: Iterable[RunDocument], called: AbstractSet[str]) -> dict[str, Finding]:
    found: dict[str, Finding] = {}
    for document in documents:
        for one in document.findings:
            names = (one.fingerprint, *(alias.value for alias in one.aliases))
            if any(name.startswith(wanted) for name in names) or not called.isdisjoint(one.advisories):
                found[one.fingerprint] = one
    return found


def unnamed(told: str, kinds: str, document: RunDocument) -> UsageError:
    """Give the error for want of a name: what can be named, and the worst findings of a run as examples."""
    worst = sorted(document.findings, key=lambda one: (-one.score, one.fingerprint))[:_MOST_OFFERED]
    examples = ", ".join(_place(one.fingerprint, one.weakness, one.location.path) for one in worst)
    last = f"; the worst of the last run are: {examples}" if examples else "; the last run found nothing"
    return UsageError(told, remedy=f"give {kinds}{last}; `secgate show --format json` lists them all")


def _rank(wanted: str, known: Remembered, called: AbstractSet[str]) -> int:
    """0 for its fingerprint, 1 for another name, 2 for an advisory, 3 for the start of its fingerprint, 4 of a name.

    9 for something else.
    """
    if known.facts.fingerprint == wanted:
        return 0
    names = [name.value for name in known.names]
    if wanted in names:
        return 1
    if not called.isdisjoint(known.facts.advisories):
        return 2
    if known.facts.fingerprint.startswith(wanted):
        return 3
    return 4 if any(name.startswith(wanted) for name in names) else 9


def _told(known: Remembered) -> str:
    return _place(known.facts.fingerprint, known.facts.weakness, known.facts.path)


def _place(fingerprint: str, weakness: str, path: str) -> str:
    return f"{fingerprint[:12]} ({weakness} in {path})"


def _ambiguous(wanted: str, told: list[str]) -> UsageError:
    listed = ", ".join(sorted(told)[:_MOST_NAMED])
    return UsageError(f"{len(told)} findings are known as `{wanted}`: {listed}", remedy="give more of the fingerprint")
