"""E-mail through SMTP: plain text, to every recipient of a channel or to none.

The address is `smtps://HOST:PORT/?from=A&to=B&to=C&user=NAME` and has no password in it. `smtp+starttls` begins in the
clear and goes on encrypted or not at all; `smtp` alone is for this machine, in figures.
"""

from __future__ import annotations

import re
import smtplib
import ssl
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from hashlib import sha256
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from secgate.addresses import is_loopback, untrusted
from secgate.errors import NotificationError, UsageError
from secgate.escape import plain
from secgate.model import Message
from secgate.notices import headline, notice_words
from secgate.requesting import within

_MAILBOX = re.compile(r"[A-Za-z0-9._%+=-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
_TAKEN = frozenset({250, 251})
_REMEDY = "see that the mail server takes mail from here to them, then run it again"


class _Route(NamedTuple):
    scheme: str
    host: str
    port: int
    sender: str
    recipients: tuple[str, ...]
    user: str


class MailNotifier:
    """Sends one mail a message. Nobody tries again here: what was not taken is due at the next call."""

    name = "mail"
    needs_secret = False

    def __init__(self, *, timeout_s: float = 20.0, limit_s: float = 60.0) -> None:
        """`timeout_s` is for one answer, `limit_s` for all that is said."""
        self._timeout_s = timeout_s
        self._limit_s = limit_s

    def body(self, message: Message) -> bytes:
        """See Notifier. The first line becomes the subject; it has words of ours alone."""
        lines = [plain(notice_words(one)) for one in message.notices]
        return "\n".join([headline(message), "", *lines, "", f"message {message.id}", ""]).encode()

    def check(self, *, address: str, secret: str) -> None:
        """See Notifier."""
        _checked(address, secret)

    def shown(self, body: bytes, *, address: str, at: datetime) -> str:
        """See Notifier. What people read, its coding for the way taken back."""
        route = _route(address) if address else _Route("smtp", "", 0, "***@localhost", ("***@localhost",), "")
        mail = _mail(body, route, at)
        head = "".join(f"{name}: {value}\n" for name, value in mail.items())
        return f"{head}\n{mail.get_content()}"

    def send(self, body: bytes, *, address: str, secret: str, at: datetime) -> None:
        """See Notifier. `secret` is the password of the address's user."""
        route = _checked(address, secret)
        mail = _mail(body, route, at).as_bytes()

        def said() -> None:
            with self._connected(route) as server:
                if route.user:
                    server.login(route.user, secret)
                _deliver(server, route, mail)

        try:
            within(self._limit_s, said)
        except ssl.SSLCertVerificationError as error:
            raise NotificationError(untrusted(error.verify_code), remedy=_REMEDY) from error
        except smtplib.SMTPResponseException as error:
            raise NotificationError(f"the mail server said {error.smtp_code}", remedy=_REMEDY) from error
        except (smtplib.SMTPException, OSError) as error:
            # Their words may repeat addresses; their kinds do not.
            raise NotificationError(f"the mail could not be sent: {type(error).__name__}", remedy=_REMEDY) from error

    def _connected(self, route: _Route) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if route.scheme == "smtps":
            return smtplib.SMTP_SSL(route.host, route.port, timeout=self._timeout_s, context=context)
        server = smtplib.SMTP(route.host, route.port, timeout=self._timeout_s)
        if route.scheme == "smtp+starttls":
            try:
                server.starttls(context=context)
            except BaseException:
                server.close()
                raise
        return server


def _deliver(server: smtplib.SMTP, route: _Route, mail: bytes) -> None:
    """Hand it over for all recipients, or for none: whoever had it would get it again at the next attempt."""
    server.ehlo_or_helo_if_needed()
    for code, _ in [server.mail(route.sender), *(server.rcpt(one) for one in route.recipients)]:
        if code not in _TAKEN:
            raise NotificationError(f"the mail server said {code}", remedy=_REMEDY)
    code, _ = server.data(mail)
    if code not in _TAKEN:
        raise NotificationError(f"the mail server said {code}", remedy=_REMEDY)


def _mail(body: bytes, route: _Route, at: datetime) -> EmailMessage:
    text = body.decode()
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"] = route.sender, ", ".join(route.recipients)
    mail["Subject"] = text.partition("\n")[0]
    mail["Date"] = at
    mail["Message-ID"] = f"<{sha256(body).hexdigest()}@{route.sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text, cte="quoted-printable")
    return mail


def _checked(address: str, secret: str) -> _Route:
    route = _route(address)
    if route.user and not secret:
        raise UsageError("the mail server's user has no password", remedy="set the channel's _SECRET, or no user")
    if not (route.user + secret).isascii():
        raise UsageError("a mail server takes a user and password of ASCII alone", remedy="give it another password")
    return route


def _route(address: str) -> _Route:
    """Read an address. Raises UsageError, which does not repeat it."""
    refused = UsageError(
        "a mail channel's address is smtps or smtp+starttls, or smtp in figures of this machine, with from and to",
        remedy="give smtps://HOST:465/?from=A@B&to=C@D",
    )
    if not address.isascii() or not address.isprintable() or " " in address:
        raise refused
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
        given = parse_qs(parts.query, strict_parsing=True)
    except ValueError as error:
        raise refused from error
    senders, recipients, users = given.pop("from", []), given.pop("to", []), given.pop("user", [""])
    addresses = [*senders, *recipients]
    is_odd = given or len(senders) != 1 or len(users) != 1 or not recipients or not host or "@" in parts.netloc
    if is_odd or parts.path not in ("", "/") or not all(_MAILBOX.fullmatch(one) for one in addresses):
        raise refused
    if parts.scheme not in _PORTS or (parts.scheme == "smtp" and not is_loopback(host)):
        raise refused
    return _Route(parts.scheme, host, port or _PORTS[parts.scheme], senders[0], tuple(recipients), users[0])
