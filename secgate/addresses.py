"""Addresses that requests go to: which of them never leave this machine, and that a server sends nobody elsewhere."""

from __future__ import annotations

import ipaddress
import re
import urllib.request

_CREDENTIALS = re.compile(r"(?<=://)[^/?#\s]*@")


def without_credentials(text: str, *, instead: str = "") -> str:
    """Give a text, each address in it without its user and password; `instead` stands for them."""
    return _CREDENTIALS.sub(instead, text)


def is_loopback(host: str) -> bool:
    """Tell whether `host` is a loopback address in figures; a name could mean anything."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """Where something is sent is the operator's choice, not a server's."""

    def redirect_request(self, *_: object) -> None:
        """Follow none."""
