"""A repository's stable name, from the address of its remote."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_SCP = re.compile(r"(?:[^/@:]+@)?(?P<host>\[[0-9a-fA-F:.]+\]|[^/:@]{2,}):(?P<path>(?!//).+)")
_USUAL_PORTS = {"http": 80, "https": 443, "ssh": 22, "git": 9418}


def normalised(address: str) -> str:
    """Give `host/path` of a remote address, without user, password, query, usual port or `.git`; "" for none.

    A path on this machine gives its last part only: where it lies is nobody's business.
    """
    text = "".join(character for character in address.strip() if character.isprintable())
    if "://" in text:
        return _from_url(text)
    scp = _SCP.fullmatch(text)
    if scp:
        return _joined(scp["host"].lower(), scp["path"])
    return _last(text)


def _from_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    if parts.scheme == "file" or not host:
        return _last(parts.path)
    if port is not None and port != _USUAL_PORTS.get(parts.scheme):
        host = f"{host}:{port}"
    return _joined(host, parts.path)


def _joined(host: str, path: str) -> str:
    return f"{host}/{_trimmed(path)}".rstrip("/")


def _trimmed(path: str) -> str:
    return re.split("[?#]", path, maxsplit=1)[0].strip("/").removesuffix(".git").rstrip("/")


def _last(path: str) -> str:
    return _trimmed(path).rpartition("/")[2]
