"""Break-glass given, reviewed and listed."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from secgate.config import Machine
from secgate.errors import UsageError
from secgate.hearing import Refused
from secgate.model import Value
from secgate.overrides import (
    GIVEN,
    NAMESPACES,
    REVIEWED,
    Given,
    Override,
    ReviewStatement,
    Standing,
    Word,
    about,
    lacks_role,
    standing,
)
from secgate.pipeline.exceptions import SHOWN
from secgate.pipeline.overriding import checked, override_limits
from secgate.preparation import Place
from secgate.signed_events import OverrideGiven, OverrideReviewed
from secgate.sla import length_words
from secgate.statements.desk import Desk, Speaker, desk_at, say
from secgate.waivers import require_approver, statement_id, time_words

_SEE = "see `secgate override list`"


class Emergency(Value, frozen=True, kw_only=True):
    """What is to pass, until when and why. `line` "" is the tree's own, `commit` "" every commit of it."""

    reason: str
    until: datetime
    line: str = ""
    commit: str = ""
    ticket: str = ""


class ListedOverride(Value, frozen=True, kw_only=True):
    """An override as it stands, and the runs made under it."""

    standing: Standing
    runs: tuple[str, ...]


class VainOverride(NamedTuple):
    """An override that counts for nothing, by the entry that gives it, and the runs that passed under it before."""

    refused: Refused
    runs: tuple[str, ...]


class ListedOverrides(NamedTuple):
    """The overrides of a repository, oldest first, what counts for nothing, and of that what let runs pass."""

    overrides: tuple[ListedOverride, ...]
    refused: tuple[Refused, ...]
    in_vain: tuple[VainOverride, ...]


class GivenOverride(NamedTuple):
    """An override as it stands, and whether a run of its line is recorded."""

    standing: Standing
    known_line: bool


def give_override(
    emergency: Emergency, *, speaker: Speaker, place: Place, machine: Machine, now: datetime
) -> GivenOverride:
    """Let a line of the tree's repository pass until a time. Raises UsageError, SignatureError or LedgerError."""
    with desk_at(place, machine=machine, now=now) as desk:
        lacking = lacks_role(speaker.person, desk.enforced.people)
        if lacking:
            raise UsageError(lacking, remedy="ask one who has it", place="--as")
        at, until = int(desk.now.timestamp()), int(emergency.until.timestamp())
        longest = override_limits(desk.prepared).longest_s
        if not at < until <= at + longest:
            raise UsageError(
                f"an override lasts {length_words(longest)} at most, from {time_words(at)} on",
                remedy="give another; where the ledger's last entry is later than this clock, its time counts",
                place="--until",
            )
        target = desk.prepared.target
        line = emergency.line.removeprefix("refs/heads/") or target.line
        if not line:
            raise UsageError("no line is named, and the tree is on none", remedy="give --line BRANCH")
        said = Override(
            repository=target.repository,
            line=line,
            commit=_commit(emergency.commit, desk),
            reason=emergency.reason,
            by=speaker.person,
            given_epoch_s=at,
            until_epoch_s=until,
            ticket=emergency.ticket,
        )
        statement = say(NAMESPACES[GIVEN], said, OverrideGiven, speaker, desk)
        known = any(run.line == line for run in desk.memory.runs(desk.repository))
        return GivenOverride(_standing(_given(statement_id(statement), desk), desk), known)


def review_override(
    name: str, word: Word, reason: str, *, speaker: Speaker, place: Place, machine: Machine, now: datetime
) -> Standing:
    """Say afterwards whether an override was justified; whoever gave it may not, and it is said once."""
    with desk_at(place, machine=machine, now=now) as desk:
        given = _given(name, desk)
        if given.word is not None:
            raise UsageError(f"override {given.id[:SHOWN]} was reviewed by {given.reviewer} already", remedy=_SEE)
        require_approver(given.said.by, speaker.person, desk.enforced.people, did="gave", verb="review")
        said = ReviewStatement(
            override=given.id,
            by=speaker.person,
            word=word,
            reason=reason,
            reviewed_epoch_s=int(desk.now.timestamp()),
        )
        say(NAMESPACES[REVIEWED], said, OverrideReviewed, speaker, desk)
        return _standing(_given(given.id, desk), desk)


def listed_overrides(*, place: Place, machine: Machine, now: datetime) -> ListedOverrides:
    """Give the overrides of a tree's repository with their reviews, and the runs made under each."""
    with desk_at(place, machine=machine, now=now) as desk:
        given, refused = _overrides(desk)
        under: dict[str, list[str]] = {}
        for run in desk.memory.runs(desk.repository):
            under.setdefault(run.override, []).append(run.run_id)
        found = tuple(ListedOverride(standing=_standing(one, desk), runs=tuple(under.get(one.id, ()))) for one in given)
        names = {one.sequence: statement_id(one.statement.encode()) for one in desk.memory.statements}
        vain = (VainOverride(one, tuple(under.get(names[one.sequence], ()))) for one in refused if one.type == GIVEN)
        return ListedOverrides(found, refused, tuple(one for one in vain if one.runs))


def _commit(name: str, desk: Desk) -> str:
    if not name:
        return ""
    repository = desk.prepared.repository
    found = repository.resolve(name) if repository is not None else ""
    if not found:
        raise UsageError(f"there is no commit `{name}` here", remedy="give one that is", place="--commit")
    return found


def _overrides(desk: Desk) -> tuple[tuple[Given, ...], tuple[Refused, ...]]:
    mine = about(desk.memory.statements, repository=desk.repository)
    return checked(mine, enforced=desk.enforced, signer=desk.signer)


def _given(name: str, desk: Desk) -> Given:
    given, refused = _overrides(desk)
    found = [one for one in given if one.id.startswith(name)]
    if name and len(found) == 1:
        return found[0]
    told = f"{len(found)} overrides begin with `{name}`"
    if refused:
        told += f"; {len(refused)} statements count for nothing, the first: {refused[0].why}"
    raise UsageError(told, remedy=_SEE)


def _standing(given: Given, desk: Desk) -> Standing:
    return standing(given, now_epoch_s=int(desk.now.timestamp()), limits=override_limits(desk.prepared))
