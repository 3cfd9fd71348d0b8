"""What a ledger remembers of what people were told: of which findings, at which stage, by which channel, and when."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from secgate.event import Event
from secgate.model import Digest, NoticeStage, Value


class ToldFinding(Value, frozen=True, kw_only=True):
    """A finding that somebody was told of, by the fingerprint that it had then."""

    repository: str
    line: str
    fingerprint: str
    episode: Annotated[int, Meta(ge=1)]
    stage: NoticeStage


class NotificationSent(Event, frozen=True, kw_only=True):
    """A channel took a message. `channel` is its name in the policy and `notifier` how it was sent, never an address.

    `digest` is the SHA-256 of the bytes that were sent; `message_id` tells one sent twice.
    """

    TYPE: ClassVar[str] = "notification-sent"
    VERSION: ClassVar[int] = 1

    channel: str
    notifier: str
    message_id: Digest
    digest: Digest
    told: tuple[ToldFinding, ...]
    policy_digest: Digest
    secgate_version: str


class KnownNotification(Value, frozen=True, kw_only=True):
    """A message as it was recorded, and when."""

    event: NotificationSent
    at_epoch_s: int


NOTIFICATION_EVENTS: tuple[type[Event], ...] = (NotificationSent,)
"""Every one of them, in the order of the documents."""
