"""How a message is posted: to https or this machine, with no redirect; a server in trouble is tried again."""

from __future__ import annotations

import http.client
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

from secgate.addresses import is_loopback, untrusted
from secgate.errors import NotificationError, UsageError
from secgate.requesting import opener, within

WAITS_S = (1.0, 4.0, 16.0)
"""Before the second attempt and those after it."""
NO_HEADERS: Mapping[str, str] = MappingProxyType({})
_REMEDY = "see that the server is there and takes POST, then run it again"


class Poster:
    """Posts bodies."""

    def __init__(self, *, timeout_s: float = 10.0, pause: Callable[[float], None] = time.sleep) -> None:
        """`timeout_s` is for one attempt as a whole."""
        self._timeout_s = timeout_s
        self._pause = pause

    def post(self, body: bytes, *, address: str, headers: Mapping[str, str] = NO_HEADERS) -> None:
        """Raises UsageError for an address that may not be used, NotificationError where nobody takes it.

        Answers of 429 and from 500 on, and none at all, are tried again; others are final.
        """
        https = urllib.request.HTTPSHandler(context=ssl.create_default_context())
        sender = opener(https, stays_here=is_loopback(host_of(address)))
        whole = {"Content-Type": "application/json", **headers}
        request = urllib.request.Request(address, data=body, headers=whole, method="POST")  # noqa: S310 - checked
        what = ""
        for wait_s in (0.0, *WAITS_S):
            if wait_s:
                self._pause(wait_s)
            what, is_final = self._attempt(sender, request)
            if not what:
                return
            if is_final:
                break
        raise NotificationError(what, remedy=_REMEDY)

    def _attempt(self, sender: urllib.request.OpenerDirector, request: urllib.request.Request) -> tuple[str, bool]:
        """Give what went wrong, "" for nothing, and whether another attempt would be in vain."""
        try:
            within(self._timeout_s, lambda: sender.open(request, timeout=self._timeout_s).close())
        except urllib.error.HTTPError as error:
            with error:
                return f"the server said {error.code}", error.code != 429 and error.code < 500
        except urllib.error.URLError as error:
            if isinstance(error.reason, ssl.SSLCertVerificationError):
                return untrusted(error.reason.verify_code), True
            # The reason may repeat the address, which may be a secret; its kind does not.
            return f"the server cannot be reached: {type(error.reason).__name__}", False
        except (http.client.HTTPException, OSError) as error:
            return f"the server does not answer: {type(error).__name__}", False
        return "", True


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
