"""Addresses that requests go to: which never leave this machine, whose servers are not trusted, who a user is.

Every run shows addresses and few send anything, so what sends is in `requesting`: loading that takes a while.
"""

from __future__ import annotations

import ipaddress
import re

_OTHER_HOST = (62, 64)
"""X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH."""
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


def untrusted(verify_code: int) -> str:
    """Say why a certificate is refused, by OpenSSL's code: its words name the host, which is not to be repeated."""
    if verify_code in _OTHER_HOST:
        return "the server's certificate is for another host"
    return f"the server's certificate is not trusted here (OpenSSL {verify_code})"
