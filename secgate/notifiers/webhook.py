"""A webhook: the message as JSON, signed with a shared secret."""

from __future__ import annotations

import hmac
from datetime import datetime

import msgspec

from secgate.errors import UsageError
from secgate.escape import json_text
from secgate.model import Message
from secgate.notifiers.posting import Poster, host_of, shown_post

LEAST_SECRET_CHARACTERS = 16


class WebhookNotifier:
    """Posts a message in a format of our own."""

    name = "webhook"
    needs_secret = True

    def __init__(self, poster: Poster | None = None) -> None:
        self._poster = poster or Poster()

    def body(self, message: Message) -> bytes:
        """See Notifier. The format is `secgate-notification`, version 1."""
        whole = {"format": {"name": "secgate-notification", "version": message.version}, "told": message}
        return json_text(msgspec.json.encode(whole, order="sorted"))

    def check(self, *, address: str, secret: str) -> None:
        """See Notifier."""
        host_of(address)
        if len(secret) < LEAST_SECRET_CHARACTERS:
            raise UsageError(
                f"the secret of a webhook has at least {LEAST_SECRET_CHARACTERS} characters",
                remedy="make one with `openssl rand -hex 32`",
            )

    def shown(self, body: bytes, *, address: str, at: datetime) -> str:
        """See Notifier."""
        headers = {"X-Secgate-Timestamp": str(int(at.timestamp())), "X-Secgate-Signature": "sha256=***"}
        return shown_post(body, address=address, headers=headers)

    def send(self, body: bytes, *, address: str, secret: str, at: datetime) -> None:
        """See Notifier.

        `X-Secgate-Signature` is `sha256=` and the HMAC-SHA256, in hex, of the seconds in `X-Secgate-Timestamp`, a full
        stop, and the body.
        """
        self.check(address=address, secret=secret)
        stamp = str(int(at.timestamp()))
        mac = hmac.new(secret.encode(), stamp.encode() + b"." + body, "sha256").hexdigest()
        headers = {"X-Secgate-Timestamp": stamp, "X-Secgate-Signature": f"sha256={mac}"}
        self._poster.post(body, address=address, headers=headers)
