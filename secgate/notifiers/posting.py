"""How a message is posted: to https or this machine, with no redirect; a server in trouble is tried again."""

from __future__ import annotations

import http.client
import re
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.message import Message as Headers
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import urlsplit

from secgate.addresses import is_loopback, untrusted
from secgate.errors import NotificationError, UsageError
from secgate.requesting import opener, within

WAITS_S = (1.0, 4.0, 16.0)
"""Before the second attempt and those after it, where the server does not ask for longer ones."""
LIMIT_S = 60.0
"""For all attempts at one message and the waits between them."""
_ASKS_TO_WAIT = frozenset({429, 503})
_SECONDS = re.compile("[0-9]+")
_DATE = re.compile("[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT")
"""The one form that is written today. Source: RFC 9110, section 5.6.7."""
_LONGEST_WAIT_S = 10**9
NO_HEADERS: Mapping[str, str] = MappingProxyType({})
_REMEDY = "see that the server is there and takes POST, then run it again"
_LATER = "run it again after that: what was not sent stays due"


class _Attempt(NamedTuple):
    """What came of one attempt: what went wrong, "" for nothing; whether another is in vain; how long to leave it."""

    what: str
    is_final: bool = False
    wait_s: float = 0.0


class Poster:
    """Posts bodies."""

    def __init__(
        self, *, timeout_s: float = 10.0, limit_s: float = LIMIT_S, pause: Callable[[float], None] = time.sleep
    ) -> None:
        """`timeout_s` is for one attempt as a whole, `limit_s` for all of them and the waits between."""
        self._timeout_s = timeout_s
        self._limit_s = limit_s
        self._pause = pause

    def post(self, body: bytes, *, address: str, headers: Mapping[str, str] = NO_HEADERS) -> None:
        """Raises UsageError for an address that may not be used, NotificationError where nobody takes it.

        Answers of 429 and from 500 on, and none at all, are tried again; others are final. A server that asks for a
        longer wait gets it, or is left alone where that would be past the limit.
        """
        https = urllib.request.HTTPSHandler(context=ssl.create_default_context())
        sender = opener(https, stays_here=is_loopback(host_of(address)))
        whole = {"Content-Type": "application/json", **headers}
        request = urllib.request.Request(address, data=body, headers=whole, method="POST")  # noqa: S310 - checked
        left_s = self._limit_s
        made = _Attempt("")
        for pause_s in (0.0, *WAITS_S):
            wait_s = max(pause_s, made.wait_s)
            if wait_s >= left_s:
                asked = f", and to come back in {wait_s:.0f} s" if wait_s == made.wait_s else ""
                raise NotificationError(made.what + asked, remedy=_LATER if asked else _REMEDY)
            if wait_s:
                self._pause(wait_s)
            started = time.monotonic()
            made = self._attempt(sender, request, within_s=min(self._timeout_s, left_s - wait_s))
            left_s -= wait_s + time.monotonic() - started
            if not made.what:
                return
            if made.is_final:
                break
        raise NotificationError(made.what, remedy=_REMEDY)

    def _attempt(
        self, sender: urllib.request.OpenerDirector, request: urllib.request.Request, *, within_s: float
    ) -> _Attempt:
        try:
            within(within_s, lambda: sender.open(request, timeout=within_s).close())
        except urllib.error.HTTPError as error:
            with error:
                is_final = error.code != 429 and error.code < 500
                wait_s = _wait_of(error.headers) if error.code in _ASKS_TO_WAIT else 0.0
                return _Attempt(f"the server said {error.code}", is_final, wait_s)
        except urllib.error.URLError as error:
            if isinstance(error.reason, ssl.SSLCertVerificationError):
                return _Attempt(untrusted(error.reason.verify_code), is_final=True)
            # The reason may repeat the address, which may be a secret; its kind does not.
            return _Attempt(f"the server cannot be reached: {type(error.reason).__name__}")
        except (http.client.HTTPException, OSError) as error:
            return _Attempt(f"the server does not answer: {type(error).__name__}")
        return _Attempt("")


def _wait_of(headers: Headers) -> float:
    """Give the seconds that a server asks to be left alone, 0 where it does not say so in a form that there is.

    A date counts from the server's own. Source: RFC 9110, section 10.2.3.
    """
    given = str(headers.get("Retry-After", "")).strip()
    if _SECONDS.fullmatch(given):
        return float(given) if len(given) < 10 else _LONGEST_WAIT_S
    until, now = _date(given), _date(str(headers.get("Date", "")).strip())
    return max(0.0, (until - now).total_seconds()) if until and now else 0.0


def _date(text: str) -> datetime | None:
    if not _DATE.fullmatch(text):
        return None
    try:
        return parsedate_to_datetime(text).replace(tzinfo=UTC)
    except ValueError:
        return None


def shown_post(body: bytes, *, address: str, headers: Mapping[str, str] = NO_HEADERS) -> str:
    """Give a request in text; of the address the host alone, since the rest of it is what lets anybody post."""
    parts = urlsplit(address)
    port = f":{parts.port}" if parts.port else ""
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    where = f"{parts.scheme}://{host}{port}/***" if address else "***"
    head = "".join(f"{name}: {value}\n" for name, value in {"Content-Type": "application/json", **headers}.items())
    return f"POST {where}\n{head}\n{body.decode()}"


def host_of(address: str) -> str:
    """Give the host of an address. Raises UsageError for an address that nothing may be posted to."""
    refused = UsageError(
        "a channel's address is of https, or of http in figures of this machine, with no user, space or line end in it",
        remedy="give https://HOST/PATH",
    )
    if not address.isascii() or not address.isprintable() or " " in address:
        raise refused
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise refused from error
    if not host or parts.username is not None or parts.password is not None:
        raise refused
    if parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host)):
        return host
    raise refused
