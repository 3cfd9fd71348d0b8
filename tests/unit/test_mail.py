"""Mail, against a small real server on this machine."""

from __future__ import annotations

import email
import email.policy
import socketserver
import ssl
import threading
import time
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import quote

import pytest

from secgate.errors import NotificationError, UsageError
from secgate.notifiers.mail import MailNotifier
from tests.contracts.test_notifiers import HOSTILE, NOW, message
from tests.tls_support import Authority

ENDS = "?from=gate@example.org&to=one@example.org&to=two@example.org"


class _Server(socketserver.TCPServer):
    """A server that a client may leave in the middle of a handshake."""

    owner: MailServer

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing."""


class _Handler(socketserver.StreamRequestHandler):
    server: _Server

    def setup(self) -> None:
        if self.server.owner.tls is not None:
            self.request = self.server.owner.tls.wrap_socket(self.request, server_side=True)
        super().setup()

    def finish(self) -> None:
        super().finish()
        self.request.close()

    def handle(self) -> None:
        owner = self.server.owner
        while owner.drips and not owner.is_over.wait(0.05):
            self.wfile.write(b"2")
        self.say("220 ready")
        while line := self.rfile.readline().decode().rstrip("\r\n"):
            owner.commands.append(line)
            verb = line[:4].upper()
            if verb == "QUIT":
                self.say("221 bye")
                return
            if verb == "STAR" and owner.starttls is not None:
                self.say("220 go on")
                self.request = owner.starttls.wrap_socket(self.request, server_side=True)
                super().setup()
                owner.encrypted_from = len(owner.commands)
            else:
                self.say(self.answer(verb, line))

    def answer(self, verb: str, line: str) -> str:
        owner = self.server.owner
        if verb == "EHLO" and owner.starttls is not None:
            return "250-here\r\n250 STARTTLS"
        if verb == "RCPT" and any(one in line for one in owner.refused):
            return "550 nobody"
        if verb == "DATA":
            self.say("354 go on")
            lines = []
            while (part := self.rfile.readline()) != b".\r\n":
                lines.append(part)
            owner.mails.append(b"".join(lines))
        return "250 ok"

    def say(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")


class MailServer:
    """Takes mail, but for the recipients that it is told to refuse, and keeps it.

    With `tls` it speaks that from the beginning, with `starttls` once it is asked to.
    """

    def __init__(self, *, tls: ssl.SSLContext | None = None, starttls: ssl.SSLContext | None = None) -> None:
        self.tls, self.starttls = tls, starttls
        self.refused: set[str] = set()
        self.mails: list[bytes] = []
        self.commands: list[str] = []
        self.encrypted_from = 0
        self.drips = False
        """Whether it greets a byte at a time, for as long as it is there."""
        self.is_over = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.owner = self
        self.at = f"127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self.is_over.set()
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


def test_threat_13_a_mail_server_that_drips_is_given_up_on(server: MailServer) -> None:
    server.drips = True
    start = time.monotonic()
    with pytest.raises(NotificationError, match="TimeoutError"):
        MailNotifier(limit_s=0.3).send(b"x", address=f"smtp://{server.at}/{ENDS}", secret="", at=NOW)
    assert time.monotonic() - start < 8


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


# ----------------------------------------------------------------------------------------------------------------- TLS


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    made = Authority(tmp_path / "authority")
    monkeypatch.setenv("SSL_CERT_FILE", str(made.file))
    return made


def encrypted(scheme: str, authority: Authority, host: str = "127.0.0.1") -> MailServer:
    context = authority.context(host)
    return MailServer(tls=context) if scheme == "smtps" else MailServer(starttls=context)


@pytest.fixture(params=["smtps", "smtp+starttls"])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_an_authority_of_ones_own_is_believed(scheme: str, authority: Authority) -> None:
    server = encrypted(scheme, authority)
    try:
        MailNotifier().send(b"x\n", address=f"{scheme}://{server.at}/{ENDS}", secret="", at=NOW)
    finally:
        server.close()
    assert len(server.mails) == 1
    clear = server.commands[: server.encrypted_from] if scheme == "smtp+starttls" else []
    assert not [line for line in clear if line.upper().startswith(("MAIL", "RCPT", "DATA", "AUTH"))]


def test_an_unknown_authority_is_refused(
    scheme: str, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(Authority(tmp_path / "other", "another").file))
    server = encrypted(scheme, authority)
    try:
        with pytest.raises(NotificationError, match="is not trusted here") as caught:
            MailNotifier().send(b"x", address=f"{scheme}://{server.at}/{ENDS}&user=u", secret="w0rd", at=NOW)
    finally:
        server.close()
    assert "127.0.0.1" not in str(caught.value)
    assert server.mails == []
    assert not [line for line in server.commands if line.upper().startswith(("MAIL", "AUTH"))]


@pytest.mark.parametrize("host", ["127.0.0.2", "mail.example.org"])
def test_a_certificate_of_another_host_is_refused(scheme: str, authority: Authority, host: str) -> None:
    server = encrypted(scheme, authority, host)
    try:
        with pytest.raises(NotificationError, match="for another host"):
            MailNotifier().send(b"x", address=f"{scheme}://{server.at}/{ENDS}", secret="", at=NOW)
    finally:
        server.close()
    assert server.mails == []


def test_what_is_shown_is_what_is_sent(server: MailServer) -> None:
    notifier = MailNotifier()
    body = notifier.body(message())
    address = f"smtp://{server.at}/{ENDS}"
    shown = notifier.shown(body, address=address, at=NOW)
    notifier.send(body, address=address, secret="", at=NOW)
    mail = email.message_from_bytes(server.mails[0], policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    head, _, text = shown.partition("\n\n")
    assert head.splitlines() == [f"{name}: {value}" for name, value in mail.items()]
    assert text.splitlines() == mail.get_content().splitlines()
    assert "To: ***@localhost" in notifier.shown(body, address="", at=NOW)
