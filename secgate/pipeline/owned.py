"""Who owns what was found, joined to every finding: whether anybody has a waiver for it or not."""

from __future__ import annotations

import msgspec

from secgate.correlate import Correlation
from secgate.owners import opaque
from secgate.preparation import Ownership


def owned(correlation: Correlation, ownership: Ownership) -> tuple[Correlation, tuple[str, ...]]:
    """Give the findings with their owners, and what is to be said where some could not be told."""
    owners = ownership.owners
    if owners is None:
        return correlation, ()
    known: dict[str, str] = {}
    for path in sorted({one.location.path for one in correlation.findings}):
        known[path] = opaque(owners.of(path), owners, ownership.people)
    findings = tuple(msgspec.structs.replace(one, owner=known[one.location.path]) for one in correlation.findings)
    told = (f"{owners.file} has too many patterns for so many paths: not every owner is told",)
    return correlation._replace(findings=findings), told if owners.is_exhausted else ()
