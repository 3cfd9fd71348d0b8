"""Break-glass: one person lets a line of a repository pass for a few hours, and a second one looks at it afterwards.

An override changes the exit code of a run and nothing else: what the policy said is computed, shown and recorded as
ever, and no clock moves. It is a signed statement of the ledger; whether it is in force, and whether it was reviewed in
time, is worked out anew each time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from secgate.errors import UsageError
from secgate.hearing import Check, Refused, Text, Ticket, hear
from secgate.model import Decision, Digest, Epoch, KnownStatement, Outcome, Overridden, Target, Value
from secgate.people import People
from secgate.waivers import require_approver, same_person, statement_id, time_words

GIVEN, REVIEWED = "override-given", "override-reviewed"
NAMESPACES = {GIVEN: "secgate-override", REVIEWED: "secgate-override-review"}
"""What a signature is for, by the type of the event that carries it."""

BREAK_GLASS = "break-glass"
"""Role of people.toml without which nobody overrides."""
LONGEST_S = 24 * 3600
"""No policy allows more."""
REVIEW_S = 5 * 86400
"""Within this of the override a second person must have looked at it; no policy allows more."""

Review: TypeAlias = Literal["pending", "reviewed", "late", "missing"]
Word: TypeAlias = Literal["justified", "not-justified"]


class Override(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one person says. `commit` is "" where every commit of the line is meant."""

    schema: Literal["secgate/override/v1"] = "secgate/override/v1"
    repository: Text
    line: Text
    commit: Annotated[str, Meta(pattern=r"\A(?:[0-9a-f]{40}|[0-9a-f]{64}|)\Z")] = ""
    reason: Text
    by: Text
    given_epoch_s: Epoch
    until_epoch_s: Epoch
    ticket: Ticket = ""


class ReviewStatement(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a second person says of an override afterwards."""

    schema: Literal["secgate/override-review/v1"] = "secgate/override-review/v1"
    override: Digest
    by: Text
    word: Word
    reason: Text
    reviewed_epoch_s: Epoch


class Given(Value, frozen=True, kw_only=True):
    """An override whose signature holds, and what was said of it since. Times are the ledger's.

    `void` says why it never let anything pass, "" where it may.
    """

    id: Digest
    said: Override
    given_epoch_s: Epoch
    void: str = ""
    reviewer: str = ""
    word: Word | None = None
    review_reason: str = ""
    reviewed_epoch_s: Epoch = 0
    own_review_epoch_s: Epoch = 0
    """When whoever gave it said first that they reviewed it themselves, which counts for nothing; 0 for never."""


class Limits(Value, frozen=True, kw_only=True):
    """How long an override lasts at most, and how soon it must be reviewed, in seconds."""

    longest_s: int = LONGEST_S
    review_s: int = REVIEW_S


class Standing(Value, frozen=True, kw_only=True):
    """How an override stands now. `deviation`: nobody looked at it in time, or whoever did found it wrong."""

    given: Given
    until_epoch_s: Epoch
    in_force: bool
    review: Review
    review_due_epoch_s: Epoch
    deviation: bool


class _Outline(Value, frozen=True, kw_only=True):
    repository: str = ""
    override: str = ""


def about(statements: Sequence[KnownStatement], *, repository: str) -> tuple[KnownStatement, ...]:
    """Give what is said of a repository's overrides, unchecked; what does not read is kept, to be refused aloud."""
    kept: list[KnownStatement] = []
    mine: set[str] = set()
    for one in statements:
        if one.type not in NAMESPACES:
            continue
        try:
            said = msgspec.json.decode(one.statement, type=_Outline)
        except msgspec.DecodeError:
            kept.append(one)
            continue
        if one.type == GIVEN and said.repository == repository:
            mine.add(statement_id(one.statement.encode()))
            kept.append(one)
        elif one.type == REVIEWED and said.override in mine:
            kept.append(one)
    return tuple(kept)


def gather(
    statements: Sequence[KnownStatement], *, check: Check, people: People
) -> tuple[tuple[Given, ...], tuple[Refused, ...]]:
    """Give the overrides that the ledger's statements add up to, in their order, and what of them counts for nothing.

    One by a person without the role `break-glass` is kept as void: it lets nothing pass, and is not forgotten. A review
    counts when the person that it names signed it, did not override, and has the role `approver`; the first one counts.
    """
    found: dict[str, Given] = {}

    def take(one: KnownStatement, signer: str) -> None:
        _take(one, signer, found, people)

    refused = hear(statements, take, namespaces=NAMESPACES, check=check, people=people)
    return tuple(found.values()), refused


def _take(one: KnownStatement, signer: str, found: dict[str, Given], people: People) -> None:
    data = one.statement.encode()
    if one.type == GIVEN:
        said = msgspec.json.decode(data, type=Override)
        same_person(said.by, signer)
        name = statement_id(data)
        found.setdefault(name, Given(id=name, said=said, given_epoch_s=one.at_epoch_s, void=lacks_role(signer, people)))
        return
    review = msgspec.json.decode(data, type=ReviewStatement)
    same_person(review.by, signer)
    given = found.get(review.override)
    if given is None:
        raise UsageError(f"there is no override {review.override[:12]}", remedy="see `secgate override list`")
    if signer == given.said.by and not given.own_review_epoch_s:
        found[given.id] = msgspec.structs.replace(given, own_review_epoch_s=one.at_epoch_s)
    require_approver(given.said.by, signer, people, did="gave", verb="review")
    if given.word is None:
        found[given.id] = msgspec.structs.replace(
            given,
            reviewer=signer,
            word=review.word,
            review_reason=review.reason,
            reviewed_epoch_s=one.at_epoch_s,
        )


def lacks_role(person: str, people: People) -> str:
    """Say why a person may not override, "" for one who may."""
    known = people.person(person)
    if known is not None and BREAK_GLASS in known.roles:
        return ""
    return f"`{person}` may not override: the role `{BREAK_GLASS}` is missing in people.toml"


def standing(given: Given, *, now_epoch_s: int, limits: Limits) -> Standing:
    """Tell how an override stands. At its last second it is in force no longer; a review at the last is in time."""
    until = min(given.said.until_epoch_s, given.given_epoch_s + limits.longest_s)
    due = given.given_epoch_s + limits.review_s
    review: Review
    if given.word is not None:
        review = "reviewed" if given.reviewed_epoch_s <= due else "late"
    else:
        review = "pending" if now_epoch_s <= due else "missing"
    return Standing(
        given=given,
        until_epoch_s=until,
        in_force=not given.void and now_epoch_s < until,
        review=review,
        review_due_epoch_s=due,
        deviation=not given.void and (review in ("late", "missing") or given.word == "not-justified"),
    )


def in_force(standings: Iterable[Standing], target: Target) -> Standing | None:
    """Give the override that lets a run of this target pass: the one that lasts longest; None for none.

    It holds for its line and its commit alone; never for a fork, whose change nobody here has seen, and where it names
    a commit, never for a tree with changes of its own.
    """
    fits = [
        one
        for one in standings
        if one.in_force
        and not target.fork
        and (one.given.said.repository, one.given.said.line) == (target.repository, target.line)
        and (not one.given.said.commit or (one.given.said.commit == target.commit and not target.dirty))
    ]
    return max(fits, key=lambda one: (one.until_epoch_s, one.given.id), default=None)


def overridden(decision: Decision, standing: Standing) -> Decision:
    """Give the decision as it is under an override: what was decided stays, `mode` and with it the exit code change."""
    said = standing.given.said
    return msgspec.structs.replace(
        decision,
        mode="overridden",
        override=Overridden(
            id=standing.given.id,
            by=said.by,
            reason=said.reason,
            ticket=said.ticket,
            until_epoch_s=standing.until_epoch_s,
        ),
    )


def mode_words(decision: Decision) -> str:
    """Say behind an outcome's word why it does not block, "" where it does, or needs no saying."""
    if decision.override is not None and decision.outcome is Outcome.PASS:
        return " (AN OVERRIDE IS IN FORCE)"
    if decision.exit_code == decision.outcome.exit_code:
        return ""
    return " (OVERRIDDEN, NOT ENFORCED)" if decision.override is not None else " (OBSERVED, NOT ENFORCED)"


def override_words(decision: Decision | None) -> str:
    """Say who overrides, until when and why, and what that does to this outcome; "" without an override."""
    held = decision.override if decision is not None else None
    if decision is None or held is None:
        return ""
    ticket = f" ({held.ticket})" if held.ticket else ""
    who = f"until {time_words(held.until_epoch_s)} by {held.by}: {held.reason}{ticket}"
    if decision.outcome is Outcome.PASS:
        return f"an override is in force and was not needed, {who}"
    if decision.exit_code:
        return f"an override is in force and does not cover this, {who}"
    return f"OVERRIDDEN {who}"
