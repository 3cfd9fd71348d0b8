"""Chats: a message as the incoming webhooks of Slack and Microsoft Teams take it. The address is all of their secret.

Text from trees and tools stands where neither of them reads markup: no link, mention or call of a channel can begin.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from secgate.escape import json_text, plain
from secgate.model import Message
from secgate.notices import headline, notice_words
from secgate.notifiers.posting import Poster, host_of, shown_post

LONGEST = 250
"""Characters of one line, so that a full message stays below the 28 kB that Teams takes."""


class _Chat:
    """What posts to an address that is the whole of its secret."""

    needs_secret = False

    def __init__(self, poster: Poster | None = None) -> None:
        self._poster = poster or Poster()

    def check(self, *, address: str, secret: str) -> None:
        """See Notifier."""
        del secret
        host_of(address)

    def shown(self, body: bytes, *, address: str, at: datetime) -> str:
        """See Notifier."""
        del at
        return shown_post(body, address=address)

    def send(self, body: bytes, *, address: str, secret: str, at: datetime) -> None:
        """See Notifier."""
        del secret, at
        self._poster.post(body, address=address)


class SlackNotifier(_Chat):
    """Posts blocks of plain text, which Slack never reads as its markup."""

    name = "slack"

    def body(self, message: Message) -> bytes:
        """See Notifier."""
        blocks = [
            {"type": kind, "text": {"type": "plain_text", "text": text, "emoji": False}}
            for kind, text in [("header", headline(message)), *(("section", line) for line in _lines(message))]
        ]
        # `text` is what a notification shows, and is read as markup: it has words of ours alone.
        post = {"text": headline(message), "blocks": blocks, "unfurl_links": False, "unfurl_media": False}
        return json_text(msgspec.json.encode(post, order="sorted"))


class TeamsNotifier(_Chat):
    """Posts an Adaptive Card, version 1.4, of text runs: unlike text blocks they know no Markdown."""

    name = "teams"

    def body(self, message: Message) -> bytes:
        """See Notifier."""
        head = {"type": "RichTextBlock", "inlines": [_run(headline(message)) | {"weight": "Bolder"}]}
        rest = [{"type": "RichTextBlock", "inlines": [_run(line)]} for line in _lines(message)]
        card = {
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "type": "AdaptiveCard",
            "version": "1.4",
            "body": [head, *rest],
        }
        attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
        return json_text(msgspec.json.encode({"type": "message", "attachments": [attachment]}, order="sorted"))


def _lines(message: Message) -> list[str]:
    lines = [plain(notice_words(one)) for one in message.notices]
    return [line if len(line) <= LONGEST else line[: LONGEST - 1] + "…" for line in lines]


def _run(text: str) -> dict[str, str]:
    return {"type": "TextRun", "text": text}
