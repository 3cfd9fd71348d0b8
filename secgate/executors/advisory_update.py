"""Fetches an OSV dump over HTTPS and builds the advisory database from it, all or nothing."""

from __future__ import annotations

import http.client
import ipaddress
import os
import ssl
import tempfile
import time
import urllib.error
import urllib.request
from datetime import datetime
from http.client import HTTPMessage
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from secgate.advisories import ImportLimits, ImportReport, build
from secgate.errors import AdvisoryError, UsageError

_BLOCK = 1 << 18
_REMEDY = "check the address and the network, or import a dump with `secgate advisories import`"


def update(
    address: str,
    destination: str,
    *,
    now: datetime,
    limits: ImportLimits,
    timeout_s: float,
    total_timeout_s: float,
    certificates: str = "",
) -> ImportReport:
    """Fetch the dump at `address` and replace the database at `destination`.

    `timeout_s` bounds each wait on the network, `total_timeout_s` the whole fetch; `certificates` names a bundle to
    trust instead of the system's. Only https, also after redirects; http is for the loopback address. Raises
    UsageError for another address or a dump that is none, AdvisoryError when the fetch fails. The old database stays
    in every such case.
    """
    _check(address)
    folder = Path(destination).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".dump-", suffix=".partial", dir=folder)
    except OSError as error:
        raise AdvisoryError(f"the dump cannot be written: {error.strerror}") from error
    try:
        with os.fdopen(handle, "wb") as sink:
            _fetch(
                address,
                sink,
                cap=limits.source_bytes,
                timeout_s=timeout_s,
                total_timeout_s=total_timeout_s,
                certificates=certificates,
            )
        return build(name, destination, now=now, limits=limits)
    finally:
        Path(name).unlink(missing_ok=True)


def _check(address: str) -> None:
    """Refuse what is neither https nor http to the loopback address. Raises UsageError."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError as error:
        raise UsageError("the address of the dump cannot be read", remedy="give an https address") from error
    if parts.scheme == "https" and host:
        return
    if parts.scheme == "http" and is_loopback(host):
        return
    raise UsageError("advisories are fetched over https alone", remedy="give an https address", place=host)


def is_loopback(host: str) -> bool:
    """Tell whether `host` is a loopback address in figures; a name could mean anything."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects only to where a first request could go."""

    max_redirections = 5

    def redirect_request(  # noqa: PLR0917 - the library's signature
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        """Check the new address as the first one was; a downgrade from https to the loopback address is refused too."""
        _check(newurl)
        if urlsplit(req.full_url).scheme == "https" and urlsplit(newurl).scheme != "https":
            raise UsageError("the fetch was sent on from https to http", remedy="give an https address")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _fetch(
    address: str, sink: IO[bytes], *, cap: int, timeout_s: float, total_timeout_s: float, certificates: str
) -> None:
    handlers: list[urllib.request.BaseHandler] = [_Redirects()]
    if is_loopback(urlsplit(address).hostname or ""):
        handlers.append(urllib.request.ProxyHandler({}))
    try:
        context = ssl.create_default_context(cafile=certificates or None)
        opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context), *handlers)
        end = time.monotonic() + total_timeout_s
        with opener.open(address, timeout=timeout_s) as response:
            wanted = response.headers.get("Content-Length")
            size = _copy(response, sink, cap=cap, end=end)
            if wanted is not None and wanted.isdigit() and size != int(wanted):
                raise AdvisoryError(f"the dump broke off after {size} of {wanted} bytes", remedy=_REMEDY)
    except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
        reason = getattr(error, "reason", "") or error
        raise AdvisoryError(f"the dump could not be fetched: {reason}", remedy=_REMEDY) from error


def _copy(response: IO[bytes], sink: IO[bytes], *, cap: int, end: float) -> int:
    size = 0
    while block := response.read(_BLOCK):
        size += len(block)
        if size > cap:
            raise AdvisoryError(f"the dump is larger than {cap} bytes", remedy=_REMEDY)
        if time.monotonic() > end:
            raise AdvisoryError("the fetch took too long", remedy=_REMEDY)
        sink.write(block)
    return size
