"""What every notifier does, against a real server on this machine."""

from __future__ import annotations

import hmac
import http.server
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest

from secgate import registry
from secgate.errors import NotificationError, UsageError
from secgate.model import Lane, Message, Notice, Severity
from secgate.notices import MOST_AT_ONCE
from secgate.notifiers.chat import SlackNotifier, TeamsNotifier
from secgate.notifiers.posting import WAITS_S, Poster
from secgate.notifiers.webhook import WebhookNotifier

NOW = datetime(2026, 1, 2, tzinfo=UTC)
SECRET = "0123456789abcdef"
POSTING = ("slack", "teams", "webhook")
HOSTILE = "<!channel> <https://evil.example|ok> *b* [a](https://evil.example) @here &amp; \u202e\x1b]0;"


class Receiver:
    """Answers with the given codes, then with 204, and keeps what it was sent."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.got: list[tuple[dict[str, str], bytes]] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                outer.got.append((dict(self.headers), body))
                code = outer.answers.pop(0) if outer.answers else 204
                self.send_response(code)
                if code in (302, 307):
                    self.send_header("Location", f"{outer.address}/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_POST  # noqa: N815 - the library's name

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}/hook"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


def message(path: str = "app.py") -> Message:
    notice = Notice(
        stage="overdue",
        repository="example.com/shop",
        line="main",
        fingerprint="ab" * 32,
        episode=1,
        lane=Lane.SAST,
        weakness="sql-injection",
        severity=Severity.HIGH,
        path=path,
        start_line=3,
        package="",
        advisories=(),
        owner="@shop",
        due_epoch_s=5,
        why="high severity",
    )
    return Message(id=sha256(b"m").hexdigest(), channel="security", as_of_epoch_s=9, notices=(notice,))


@pytest.mark.parametrize("name", sorted(registry.BUILTIN["notifiers"]))
def test_equal_messages_are_equal_bytes_that_hide_nothing(name: str) -> None:
    notifier = registry.notifier(name)
    hostile = "a\u202eb\x1b]0;##vso[x]\r\nX-Evil: 1"
    body = notifier.body(message(hostile))
    assert notifier.name == name
    assert body == notifier.body(message(hostile))
    assert b"\r" not in body
    assert not {"\u202e", "\x1b"} & set(body.decode())


def test_a_webhook_is_signed_over_time_and_body(receiver: Receiver) -> None:
    notifier = WebhookNotifier()
    body = notifier.body(message())
    notifier.send(body, address=receiver.address, secret=SECRET, at=NOW)
    ((headers, got),) = receiver.got
    stamp = headers["X-Secgate-Timestamp"]
    mac = hmac.new(SECRET.encode(), f"{stamp}.".encode() + got, "sha256").hexdigest()
    assert (got, stamp) == (body, str(int(NOW.timestamp())))
    assert headers["X-Secgate-Signature"] == f"sha256={mac}"
    assert json.loads(got)["format"] == {"name": "secgate-notification", "version": 1}
    assert json.loads(got)["told"]["notices"][0]["path"] == "app.py"


def test_a_server_in_trouble_is_tried_again_and_a_refusal_is_final(receiver: Receiver) -> None:
    waits: list[float] = []
    notifier = WebhookNotifier(Poster(pause=waits.append))
    receiver.answers = [500, 429, 503]
    notifier.send(b"{}", address=receiver.address, secret=SECRET, at=NOW)
    assert (len(receiver.got), tuple(waits)) == (4, WAITS_S)
    receiver.answers = [503] * 9
    with pytest.raises(NotificationError, match="said 503"):
        notifier.send(b"{}", address=receiver.address, secret=SECRET, at=NOW)
    assert len(receiver.got) == 8
    receiver.answers = [404]
    with pytest.raises(NotificationError, match="said 404"):
        notifier.send(b"{}", address=receiver.address, secret=SECRET, at=NOW)
    assert len(receiver.got) == 9


@pytest.mark.parametrize("code", [302, 307])
@pytest.mark.parametrize("name", POSTING)
def test_threat_12_a_redirect_is_not_followed(receiver: Receiver, name: str, code: int) -> None:
    receiver.answers = [code]
    with pytest.raises(NotificationError, match=f"said {code}"):
        registry.notifier(name).send(b"{}", address=receiver.address, secret=SECRET, at=NOW)
    assert len(receiver.got) == 1


def test_nobody_there_is_said_without_the_address(receiver: Receiver) -> None:
    receiver.close()
    with pytest.raises(NotificationError) as caught:
        WebhookNotifier(Poster(pause=lambda _: None)).send(
            b"{}", address=f"{receiver.address}/T0KEN", secret=SECRET, at=NOW
        )
    assert "T0KEN" not in str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        "http://example.com/hook",
        "http://localhost/hook",
        "http://169.254.169.254/latest",
        "https://user:word@example.com/",
        "https:///nowhere",
        "https://example.com:port/",
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
        "https://example.com/\r\nX: 1",
        "https://example.com/a b",
        "https://[::1/",
    ],
)
@pytest.mark.parametrize("name", POSTING)
def test_threat_12_an_address_elsewhere_is_refused_and_not_repeated(name: str, address: str) -> None:
    notifier = registry.notifier(name)
    with pytest.raises(UsageError) as caught:
        notifier.send(b"{}", address=address, secret=SECRET, at=NOW)
    with pytest.raises(UsageError) as checked:
        notifier.check(address=address, secret=SECRET)
    assert str(caught.value) == str(checked.value)
    assert address not in str(caught.value)


def test_a_short_secret_is_refused(receiver: Receiver) -> None:
    with pytest.raises(UsageError, match="16 characters"):
        WebhookNotifier().send(b"{}", address=receiver.address, secret="short", at=NOW)
    with pytest.raises(UsageError, match="16 characters"):
        WebhookNotifier().check(address=receiver.address, secret="short")
    assert receiver.got == []


@pytest.mark.parametrize("name", POSTING)
def test_what_may_be_used_passes_the_check_and_nothing_is_sent(receiver: Receiver, name: str) -> None:
    registry.notifier(name).check(address=receiver.address, secret=SECRET)
    assert receiver.got == []


def test_threat_12_slack_reads_nothing_from_a_tree_as_markup(receiver: Receiver) -> None:
    notifier = SlackNotifier()
    notifier.send(notifier.body(message(HOSTILE)), address=receiver.address, secret="", at=NOW)
    post = json.loads(receiver.got[0][1])
    assert post["text"] == "secgate: 1 overdue"
    assert [(one["type"], one["text"]["type"]) for one in post["blocks"]] == [
        ("header", "plain_text"),
        ("section", "plain_text"),
    ]
    assert "<!channel>" in post["blocks"][1]["text"]["text"]
    assert not {"\u202e", "\x1b"} & set(post["blocks"][1]["text"]["text"])


def test_threat_12_teams_reads_nothing_from_a_tree_as_markup(receiver: Receiver) -> None:
    notifier = TeamsNotifier()
    notifier.send(notifier.body(message(HOSTILE)), address=receiver.address, secret="", at=NOW)
    (attachment,) = json.loads(receiver.got[0][1])["attachments"]
    blocks = attachment["content"]["body"]
    assert {one["type"] for one in blocks} == {"RichTextBlock"}
    assert {run["type"] for one in blocks for run in one["inlines"]} == {"TextRun"}
    assert "[a](https://evil.example)" in blocks[1]["inlines"][0]["text"]


@pytest.mark.parametrize("name", ["slack", "teams"])
def test_a_full_message_fits_a_chat(name: str) -> None:
    one = message("\U0001f600" * 4000)
    full = Message(id=one.id, channel="security", as_of_epoch_s=9, notices=one.notices * MOST_AT_ONCE)
    body = registry.notifier(name).body(full)
    assert len(body) < 28_000
    assert len(json.loads(body).get("blocks", ())) <= 50
