"""Mail, against a small real server on this machine."""

from __future__ import annotations

import email
import email.policy
import socketserver
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from urllib.parse import quote

import pytest

from secgate.errors import NotificationError, UsageError
from secgate.notifiers.mail import MailNotifier
from tests.contracts.test_notifiers import HOSTILE, NOW, message

ENDS = "?from=gate@example.org&to=one@example.org&to=two@example.org"


class MailServer:
    """Takes mail, but for the recipients that it is told to refuse, and keeps it."""

    def __init__(self) -> None:
        self.refused: set[str] = set()
        self.mails: list[bytes] = []
        self.commands: list[str] = []
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self.say("220 ready")
                while line := self.rfile.readline().decode().rstrip("\r\n"):
                    outer.commands.append(line)
                    verb = line[:4].upper()
                    if verb == "QUIT":
                        self.say("221 bye")
                        return
                    self.say(self.answer(verb, line))

            def answer(self, verb: str, line: str) -> str:
                if verb == "RCPT" and any(one in line for one in outer.refused):
                    return "550 nobody"
                if verb == "DATA":
                    self.say("354 go on")
                    lines = []
                    while (part := self.rfile.readline()) != b".\r\n":
                        lines.append(part)
                    outer.mails.append(b"".join(lines))
                return "250 ok"

            def say(self, text: str) -> None:
                self.wfile.write(text.encode() + b"\r\n")

        self._server = socketserver.TCPServer(("127.0.0.1", 0), Handler)
        self.at = f"127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def server() -> Iterator[MailServer]:
    made = MailServer()
    yield made
    made.close()


def test_a_mail_is_plain_text_to_all(server: MailServer) -> None:
    notifier = MailNotifier()
    notifier.send(notifier.body(message(HOSTILE)), address=f"smtp://{server.at}/{ENDS}", secret="", at=NOW)
    (raw,) = server.mails
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    assert (mail["From"], mail["To"]) == ("gate@example.org", "one@example.org, two@example.org")
    assert (mail["Subject"], mail.get_content_type()) == ("secgate: 1 overdue", "text/plain")
    assert "<!channel>" in mail.get_content()
    assert not {"\u202e", "\x1b"} & set(mail.get_content())


def test_threat_12_text_of_a_tree_makes_no_header_and_ends_no_mail(server: MailServer) -> None:
    notifier = MailNotifier()
    body = notifier.body(message("a\r\n.\r\nRCPT TO:<thief@example.com>\r\nBcc: thief@example.com"))
    notifier.send(body, address=f"smtp://{server.at}/{ENDS}", secret="", at=NOW)
    assert [line for line in server.commands if line.startswith("rcpt")] == [
        "rcpt TO:<one@example.org>",
        "rcpt TO:<two@example.org>",
    ]
    assert email.message_from_bytes(server.mails[0])["Bcc"] is None


def test_all_recipients_or_none(server: MailServer) -> None:
    server.refused = {"two@example.org"}
    with pytest.raises(NotificationError, match="said 550"):
        MailNotifier().send(b"x", address=f"smtp://{server.at}/{ENDS}", secret="", at=NOW)
    assert server.mails == []


def test_what_asks_for_encryption_is_not_sent_without(server: MailServer) -> None:
    with pytest.raises(NotificationError, match="SMTPNotSupportedError"):
        MailNotifier().send(b"x", address=f"smtp+starttls://{server.at}/{ENDS}", secret="", at=NOW)
    assert server.mails == []


def test_nobody_there_is_said_without_the_address(server: MailServer) -> None:
    server.close()
    with pytest.raises(NotificationError) as caught:
        MailNotifier().send(b"x", address=f"smtp://{server.at}/{ENDS}", secret="", at=NOW)
    assert "example.org" not in str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        "smtp://mail.example.org/?from=gate@example.org&to=one@example.org",
        "smtp://localhost/?from=gate@example.org&to=one@example.org",
        "smtps://user:word@mail.example.org/?from=gate@example.org&to=one@example.org",
        "smtps://mail.example.org/?from=gate@example.org",
        "smtps://mail.example.org/?from=gate@example.org&to=one@example.org%0d%0aBcc:x@example.com",
        "smtps://mail.example.org/?from=gate@example.org&to=one@example.org&bcc=x@example.com",
        "smtps://mail.example.org/",
        "https://mail.example.org/?from=gate@example.org&to=one@example.org",
    ],
)
def test_threat_12_a_mail_address_of_another_form_is_refused(address: str) -> None:
    with pytest.raises(UsageError) as caught:
        MailNotifier().send(b"x", address=address, secret="", at=NOW)
    with pytest.raises(UsageError) as checked:
        MailNotifier().check(address=address, secret="")
    assert str(checked.value) == str(caught.value)
    assert "mail.example.org" not in str(caught.value)


@pytest.mark.parametrize(
    ("user", "secret", "said"),
    [("gate", "", "no password"), ("gate", "g\u00e9heim", "ASCII alone"), ("t\u00fcr", "w0rt", "ASCII alone")],
)
def test_a_user_needs_a_password_that_can_be_sent(server: MailServer, user: str, secret: str, said: str) -> None:
    address = f"smtp://{server.at}/{ENDS}&user={quote(user)}"
    with pytest.raises(UsageError, match=said) as caught:
        MailNotifier().send(b"x", address=address, secret=secret, at=NOW)
    with pytest.raises(UsageError, match=said):
        MailNotifier().check(address=address, secret=secret)
    assert not secret or secret not in str(caught.value)
    assert server.commands == []


def test_what_may_be_used_passes_the_check_and_nothing_is_sent(server: MailServer) -> None:
    MailNotifier().check(address=f"smtp://{server.at}/{ENDS}&user=gate", secret="word")
    assert server.commands == []
