"""What every notifier does, against a real server on this machine."""

from __future__ import annotations

import hmac
import http.server
import json
import re
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest

from secgate import registry
from secgate.errors import NotificationError, UsageError
from secgate.model import Lane, Message, Notice, Severity, Visibility
from secgate.notices import MOST_AT_ONCE
from secgate.notifiers.chat import SlackNotifier, TeamsNotifier
from secgate.notifiers.issues import IssueNotifier
from secgate.notifiers.posting import WAITS_S, Poster
from secgate.notifiers.webhook import WebhookNotifier
from tests.tls_support import Authority

NOW = datetime(2026, 1, 2, tzinfo=UTC)
SECRET = "0123456789abcdef"
POSTING = ("slack", "teams", "webhook")
HOSTILE = "<!channel> <https://evil.example|ok> *b* [a](https://evil.example) @here &amp; \u202e\x1b]0;"


class _Quiet(http.server.HTTPServer):
    """A server that a client may leave in the middle of a handshake."""

    def get_request(self) -> Any:
        try:
            return super().get_request()
        except ssl.SSLError as error:
            raise OSError("no handshake") from error


class Receiver:
    """Answers with the given codes, then with 204, and keeps what it was sent."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.answers: list[int] = []
        self.headers: dict[str, str] = {}
        """Of every answer."""
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.then: Callable[[], object] = lambda: None
        """What happens once something came, before it is answered."""
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                outer.got.append((dict(self.headers), body))
                outer.then()
                code = outer.answers.pop(0) if outer.answers else 204
                self.send_response_only(code)
                if code in (302, 307):
                    self.send_header("Location", f"{outer.address}/elsewhere")
                self.send_header("Content-Length", "0")
                for name, value in outer.headers.items():
                    self.send_header(name, value)
                self.end_headers()

            do_GET = do_POST  # noqa: N815 - the library's name

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = _Quiet(("127.0.0.1", 0), Handler)
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.address = f"{'https' if tls else 'http'}://127.0.0.1:{self._server.server_port}/hook"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
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


DATE = "Fri, 27 Nov 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("asked", "wait_s"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "0"}, 1.0),
        ({"Date": DATE, "Retry-After": "Fri, 27 Nov 2026 12:00:09 GMT"}, 9.0),
        ({"Date": DATE, "Retry-After": "Fri, 27 Nov 2026 11:00:00 GMT"}, 1.0),
        ({"Retry-After": "Fri, 27 Nov 2026 12:00:09 GMT"}, 1.0),
        ({"Date": DATE, "Retry-After": "Fri, 99 Nov 2026 12:00:09 GMT"}, 1.0),
        ({"Date": DATE, "Retry-After": "Fri, 27 Xyz 2026 12:00:09 GMT"}, 1.0),
        ({"Retry-After": "-7"}, 1.0),
        ({"Retry-After": "soon"}, 1.0),
        ({"Retry-After": "7\xb2"}, 1.0),
    ],
)
def test_a_server_that_asks_for_a_wait_gets_it(receiver: Receiver, asked: dict[str, str], wait_s: float) -> None:
    waits: list[float] = []
    receiver.headers = asked
    for notifier, code in ((WebhookNotifier, 429), (SlackNotifier, 503), (TeamsNotifier, 429)):
        receiver.answers = [code]
        notifier(Poster(pause=waits.append)).send(b"{}", address=receiver.address, secret=SECRET, at=NOW)
    assert waits == [wait_s] * 3


def test_only_an_answer_that_may_ask_for_a_wait_is_obeyed(receiver: Receiver) -> None:
    waits: list[float] = []
    receiver.answers, receiver.headers = [500], {"Retry-After": "7"}
    WebhookNotifier(Poster(pause=waits.append)).send(b"{}", address=receiver.address, secret=SECRET, at=NOW)
    assert waits == [1.0]


@pytest.mark.parametrize("asked", ["3600", "60", "9" * 5000])
def test_threat_13_a_wait_past_the_limit_is_told_and_not_taken(receiver: Receiver, asked: str) -> None:
    waits: list[float] = []
    receiver.answers, receiver.headers = [429] * 9, {"Retry-After": asked}
    with pytest.raises(NotificationError, match=r"said 429, and to come back in \d+ s") as caught:
        WebhookNotifier(Poster(pause=waits.append)).send(b"{}", address=receiver.address, secret=SECRET, at=NOW)
    assert (waits, len(receiver.got)) == ([], 1)
    assert "stays due" in caught.value.remedy


def test_threat_13_all_attempts_and_waits_share_one_limit(receiver: Receiver) -> None:
    waits: list[float] = []
    receiver.answers, receiver.headers = [503] * 9, {"Retry-After": "25"}
    with pytest.raises(NotificationError, match="said 503, and to come back in 25 s"):
        WebhookNotifier(Poster(pause=waits.append)).send(b"{}", address=receiver.address, secret=SECRET, at=NOW)
    assert waits == [25.0, 25.0]
    waits.clear()
    receiver.headers = {}
    with pytest.raises(NotificationError, match=r"said 503\n"):
        WebhookNotifier(Poster(limit_s=5.5, pause=waits.append)).send(
            b"{}", address=receiver.address, secret=SECRET, at=NOW
        )
    assert waits == [1.0, 4.0]


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


# ----------------------------------------------------------------------------------------------------------------- TLS


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


@pytest.fixture
def over_tls(authority: Authority) -> Iterator[Receiver]:
    made = Receiver(authority.context("127.0.0.1"))
    yield made
    made.close()


@pytest.mark.parametrize("name", POSTING)
def test_an_authority_of_ones_own_is_believed(
    name: str, over_tls: Receiver, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    notifier = registry.notifier(name)
    body = notifier.body(message())
    notifier.send(body, address=over_tls.address, secret=SECRET, at=NOW)
    assert [got for _, got in over_tls.got] == [body]


def refusal(address: str) -> str:
    waits: list[float] = []
    with pytest.raises(NotificationError) as caught:
        WebhookNotifier(Poster(pause=waits.append)).send(b"{}", address=address, secret=SECRET, at=NOW)
    assert waits == [], "what is not trusted now is not trusted in a second"
    assert "127.0.0.1" not in str(caught.value)
    return caught.value.what


def test_an_unknown_authority_is_refused(over_tls: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "is not trusted here" in refusal(over_tls.address)
    monkeypatch.setenv("SSL_CERT_FILE", str(Authority(tmp_path / "other", "another").file))
    assert "is not trusted here" in refusal(over_tls.address)
    assert over_tls.got == []


@pytest.mark.parametrize("host", ["127.0.0.2", "hooks.example.org"])
def test_a_certificate_of_another_host_is_refused(
    host: str, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    other = Receiver(authority.context(host))
    try:
        assert "for another host" in refusal(other.address)
    finally:
        other.close()
    assert other.got == []


# ------------------------------------------------------------------------------------------------- what would be sent


@pytest.mark.parametrize("name", POSTING)
def test_what_is_shown_is_what_is_sent_without_its_secrets(name: str, receiver: Receiver) -> None:
    notifier = registry.notifier(name)
    body = notifier.body(message())
    shown = notifier.shown(body, address=f"{receiver.address}/T0KEN?key=T0KEN", at=NOW)
    head, _, rest = shown.partition("\n\n")
    assert rest.encode() == body
    assert head.startswith(f"POST {receiver.address.removesuffix('/hook')}/***\n")
    notifier.send(body, address=receiver.address, secret=SECRET, at=NOW)
    got = {key.lower(): value for key, value in receiver.got[0][0].items()}
    for line in head.splitlines()[1:]:
        key, _, value = line.partition(": ")
        assert got[key.lower()].startswith(value.removesuffix("***"))
    assert not {"T0KEN", SECRET} & set(shown.replace("/", " ").split())
    assert "T0KEN" not in notifier.shown(body, address="", at=NOW)


# ------------------------------------------------------------------------------------------------------------ issues


def in_place(visibility: Visibility, *notices: Notice) -> Message:
    return msgspec.structs.replace(message(), visibility=visibility, notices=notices or message().notices)


def written(folder: Path, one: Message) -> dict[str, str]:
    notifier = IssueNotifier()
    notifier.send(notifier.body(one), address=str(folder), secret="", at=NOW)
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_an_issue_for_each_finding_where_the_repository_is_private(tmp_path: Path) -> None:
    (notice,) = message().notices
    other = msgspec.structs.replace(notice, fingerprint="cd" * 32, stage="escalation", start_line=0)
    files = written(tmp_path / "issues", in_place("private", notice, other))
    assert len(files) == 2
    first = next(text for text in files.values() if "abababababab" in text)
    title, _, rest = first.partition("\n")
    assert title == "# secgate: high sql-injection is overdue (abababababab)"
    assert "- place: app.py&#58;3" in rest or "- place: app.py:3" in rest
    assert "- owner: &#64;shop" in rest, "nobody is called"
    assert re.search(r"<!-- secgate-issue [0-9a-f]{16} -->\n$", first)
    assert written(tmp_path / "issues", in_place("private", notice, other)) == files, "who comes again doubles nothing"


@pytest.mark.parametrize("visibility", ["public", "internal", "unknown"])
def test_threat_12_elsewhere_an_issue_says_how_many_and_nothing_of_where(
    tmp_path: Path, visibility: Visibility
) -> None:
    files = written(tmp_path / "issues", in_place(visibility))
    ((_, text),) = files.items()
    assert text.startswith("# secgate: 1 overdue\n")
    assert "- 1 high is overdue" in text
    hidden = ("app.py", "sql-injection", "abababababab", "@shop", "example.com/shop", "high severity")
    assert not [word for word in hidden if word in text]


def test_threat_12_text_of_a_tree_makes_no_markup_and_no_mark_in_an_issue(tmp_path: Path) -> None:
    (notice,) = message(f"{HOSTILE}\n<!-- secgate-issue 0000000000000000 -->\n# title").notices
    hostile = msgspec.structs.replace(notice, weakness="x](http://evil.example) <!--\n# y", owner="@all")
    ((_, text),) = written(tmp_path / "issues", in_place("private", hostile)).items()
    assert len(re.findall("<!--", text)) == 1
    assert [line for line in text.splitlines() if line.startswith("#")] == [text.splitlines()[0]]
    assert not re.search(r"@all|@here|https?://|\]\(", text)


@pytest.mark.parametrize("address", ["issues", "", "../x", "/tmp/../etc", "file:///tmp/x", "/tmp/a\nb"])
def test_a_folder_that_is_not_named_whole_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="absolute path"):
        IssueNotifier().check(address=address, secret="")


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(NotificationError, match="could not be written"):
        written(tmp_path / "file" / "below", message())
    assert (tmp_path / "file").read_text() == "mine"


def test_a_link_in_an_issues_place_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (name,) = written(tmp_path / "first", message())
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "second").mkdir()
    (tmp_path / "second" / name).symlink_to(tmp_path / "mine")
    written(tmp_path / "second", message())
    assert (tmp_path / "mine").read_text() == "mine"
    assert not (tmp_path / "second" / name).is_symlink()
