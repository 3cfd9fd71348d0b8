"""Who is to be told of which finding now: the stage that it has reached, once for each channel, by policy data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256

from secgate.deadlines import Deadline
from secgate.memory import Memory
from secgate.model import Message, Notice, NoticeStage, encode
from secgate.notification import ToldFinding
from secgate.policy.values import NotificationPolicy
from secgate.sla import utc_words

STAGES: tuple[NoticeStage, ...] = ("new", "half", "overdue", "escalation")
"""In the order in which a finding reaches them."""
MOST_AT_ONCE = 25
"""Findings in one message, as many as a chat shows."""
_SAID = {
    "new": "is open",
    "half": "has used half of its time",
    "overdue": "is overdue",
    "escalation": "is overdue for long",
}
_SAID_OF_MANY = {
    "new": "are open",
    "half": "have used half of their time",
    "overdue": "are overdue",
    "escalation": "are overdue for long",
}
_SHORT = {"new": "new", "half": "half through their time", "overdue": "overdue", "escalation": "overdue for long"}


def stage_of(one: Deadline, *, as_of_epoch_s: int, escalate_after_s: int) -> NoticeStage:
    """Give the furthest stage that an open finding has reached.

    Half of the time counts from the duty that bites first; what a waiver covers is not overdue, and is told as such
    when the waiver ends.
    """
    if one.state == "overdue" and one.bites_epoch_s is not None:
        return "escalation" if as_of_epoch_s > one.bites_epoch_s + escalate_after_s else "overdue"
    first = one.duties[0] if one.duties else None
    if first is not None and 2 * (as_of_epoch_s - first.start_epoch_s) >= first.limit_s:
        return "half"
    return "new"


def messages(
    found: Sequence[Deadline], *, as_of_epoch_s: int, policy: NotificationPolicy, memory: Memory
) -> Iterator[Message]:
    """Give what each channel is to be told of one ledger's open findings, what bites first in front.

    A channel hears of the furthest stage reached that it is told of at all, and never of one before what it heard.
    """
    heard = _heard(memory)
    for channel in sorted(policy.channels):
        due = [
            _notice(one, stage)
            for one in found
            for stage in _news(one, channel, as_of_epoch_s=as_of_epoch_s, policy=policy)
            if STAGES.index(stage) > max((heard.get((channel, *key), -1) for key in _keys(one, memory)), default=-1)
        ]
        for start in range(0, len(due), MOST_AT_ONCE):
            part = tuple(due[start : start + MOST_AT_ONCE])
            yield Message(
                id=sha256(encode([channel, told(part)])).hexdigest(),
                channel=channel,
                as_of_epoch_s=as_of_epoch_s,
                notices=part,
            )


def told(notices: Iterable[Notice]) -> tuple[ToldFinding, ...]:
    """Give as much of notices as is recorded."""
    return tuple(
        ToldFinding(
            repository=one.repository,
            line=one.line,
            fingerprint=one.fingerprint,
            episode=one.episode,
            stage=one.stage,
        )
        for one in notices
    )


def headline(message: Message) -> str:
    """Say how many findings a message is about, by stage: words of ours alone."""
    stages = [one.stage for one in message.notices]
    parts = ", ".join(f"{stages.count(stage)} {_SHORT[stage]}" for stage in STAGES if stage in stages)
    return f"secgate: {parts}"


def standing(stage: NoticeStage, count: int = 1) -> str:
    """Say how far one finding is, or so many are, after what they are called."""
    return (_SAID if count == 1 else _SAID_OF_MANY)[stage]


def notice_words(one: Notice) -> str:
    """Say one in a line; it is still to be escaped for its place."""
    where = f"{one.path}:{one.start_line}" if one.start_line else one.path
    until = f", due {utc_words(one.due_epoch_s)}" if one.due_epoch_s is not None else ""
    what = one.weakness or one.package or one.lane.value
    home = f"{one.repository}, line {one.line}" if one.line else one.repository
    return f"{one.severity.value} {what} {standing(one.stage)}{until}: {where} in {home} ({one.fingerprint[:12]})"


def _news(one: Deadline, channel: str, *, as_of_epoch_s: int, policy: NotificationPolicy) -> Iterator[NoticeStage]:
    """Give the furthest stage reached of those that the channel is told of, if any."""
    reached = stage_of(one, as_of_epoch_s=as_of_epoch_s, escalate_after_s=policy.escalate_after_s)
    wanted = {
        stage
        for rule in policy.told
        if channel in rule.channels and one.severity in rule.severities and (not rule.lanes or one.lane in rule.lanes)
        for stage in rule.stages
    }
    yield from [stage for stage in STAGES[: STAGES.index(reached) + 1] if stage in wanted][-1:]


_Key = tuple[str, str, str, int]


def _heard(memory: Memory) -> Mapping[tuple[str, str, str, str, int], int]:
    """Give the furthest stage that each channel heard of, by finding."""
    furthest: dict[tuple[str, str, str, str, int], int] = {}
    for known in memory.notifications:
        for one in known.event.told:
            key = (known.event.channel, one.repository, one.line, one.fingerprint, one.episode)
            furthest[key] = max(furthest.get(key, -1), STAGES.index(one.stage))
    return furthest


def _keys(one: Deadline, memory: Memory) -> Iterator[_Key]:
    """A finding may have been told of under a former name."""
    yield (one.repository, one.line, one.fingerprint, one.episode)
    known = memory.line(one.repository, one.line).findings.get(one.fingerprint)
    for name in known.names if known is not None else ():
        yield (one.repository, one.line, name.value, one.episode)


def _notice(one: Deadline, stage: NoticeStage) -> Notice:
    return Notice(
        stage=stage,
        repository=one.repository,
        line=one.line,
        fingerprint=one.fingerprint,
        episode=one.episode,
        lane=one.lane,
        weakness=one.weakness,
        severity=one.severity,
        path=one.path,
        start_line=one.start_line,
        package=one.package,
        advisories=one.advisories,
        owner=one.owner,
        due_epoch_s=one.due_epoch_s,
        why=one.why,
    )
