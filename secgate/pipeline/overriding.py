"""Break-glass: the ledger's overrides, checked, laid beside a run's decision."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from secgate import overrides, registry, sla
from secgate.hearing import Refused, refused_words
from secgate.model import Decision, History, KnownStatement
from secgate.overrides import Given, Limits, Standing
from secgate.pipeline.exceptions import SHOWN, check_of, limits_of
from secgate.ports import Signer
from secgate.preparation import Enforced, Prepared, Workshop
from secgate.waivers import time_words


class Broken(NamedTuple):
    """The override that is in force for a run, None for none, and what people should know of the others."""

    override: Standing | None
    notes: tuple[str, ...]


def broken_glass(*, history: History | None, prepared: Prepared, shop: Workshop, now: datetime) -> Broken:
    """Give what overrides the ledger holds for a run that is judged at `now`."""
    statements = history.statements if history is not None else ()
    mine = overrides.about(statements, repository=prepared.target.repository)
    if not mine:
        return Broken(None, ())
    if not prepared.enforced.trust.allowed_signers:
        told = "the ledger holds overrides, and without an enforced layer nobody's signature counts: none is applied"
        return Broken(None, (told,))
    signer = registry.signer("sshsig", machine=shop.machine, runner=shop.executor, scratch=shop.scratch)
    given, refused = checked(mine, enforced=prepared.enforced, signer=signer)
    at = int(now.timestamp())
    limits = override_limits(prepared)
    stand = [overrides.standing(one, now_epoch_s=at, limits=limits) for one in given]
    notes = [*refused_words(refused)]
    notes += [text for one in stand if (text := _note(one, now_epoch_s=at))]
    return Broken(overrides.in_force(stand, prepared.target), tuple(notes))


def checked(
    statements: Sequence[KnownStatement], *, enforced: Enforced, signer: Signer
) -> tuple[tuple[Given, ...], tuple[Refused, ...]]:
    """Give the overrides whose signatures hold, by the enforced layer at the ledger's time, and what does not count."""
    return overrides.gather(statements, check=check_of(enforced, signer), people=enforced.people)


def override_limits(prepared: Prepared) -> Limits:
    """Give the limits of overrides that the policy sets."""
    found = limits_of(prepared).overrides_s
    return Limits(longest_s=found.longest, review_s=found.review)


def under(decision: Decision, broken: Broken) -> Decision:
    """Give the decision as it counts, with an override or without."""
    return decision if broken.override is None else overrides.overridden(decision, broken.override)


def _note(one: Standing, *, now_epoch_s: int) -> str:
    """Say what is not as it should be with an override."""
    said = one.given.said
    name = f"override {one.given.id[:SHOWN]} of {said.line}, {time_words(one.given.given_epoch_s)} by {said.by}"
    if one.given.void:
        return f"{name} is void: {one.given.void}" if now_epoch_s < one.until_epoch_s else ""
    if one.review == "pending":
        left = sla.length_words(one.review_due_epoch_s - now_epoch_s)
        return f"{name} waits for a second person: secgate override review, within {left}"
    if one.review == "missing":
        return f"{name} was reviewed by nobody until {time_words(one.review_due_epoch_s)}: a deviation"
    return ""
