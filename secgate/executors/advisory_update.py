"""Fetches an OSV dump, or a list about CVEs, over HTTPS and builds what is kept from it, all or nothing."""

from __future__ import annotations

import contextlib
import http.client
import os
import ssl
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import datetime
from http.client import HTTPMessage
from pathlib import Path
from typing import IO, NamedTuple
from urllib.parse import urlsplit

from secgate.addresses import is_loopback
from secgate.advisories import ImportLimits, ImportReport, Kind, ListInfo, ListLimits, build, build_list
from secgate.errors import AdvisoryError, UsageError
from secgate.requesting import within

_BLOCK = 1 << 18
_REMEDY = "check the address and the network, or fetch it elsewhere and give the file"


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
    fetch = _Fetch(cap=limits.source_bytes, timeout_s=timeout_s, total_timeout_s=total_timeout_s, trusted=certificates)
    with fetch.beside(destination, address) as name:
        return build(name, destination, now=now, limits=limits)


def update_list(
    kind: Kind,
    source: str,
    destination: str,
    *,
    limits: ListLimits,
    timeout_s: float,
    total_timeout_s: float,
    certificates: str = "",
) -> ListInfo:
    """Replace the list at `destination` by the one at `source`, an address or a file.

    Bounds and errors are those of `update`; the old list stays where the new one cannot be had.
    """
    if "://" not in source:
        return build_list(kind, source, destination, limits=limits)
    fetch = _Fetch(cap=limits.source_bytes, timeout_s=timeout_s, total_timeout_s=total_timeout_s, trusted=certificates)
    with fetch.beside(destination, source) as name:
        return build_list(kind, name, destination, limits=limits, shown=source)


def _check(address: str) -> None:
    """Refuse what is neither https nor http to the loopback address. Raises UsageError."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError as error:
        raise UsageError("the address cannot be read", remedy="give an https address") from error
    if parts.scheme == "https" and host:
        return
    if parts.scheme == "http" and is_loopback(host):
        return
    raise UsageError("advisories are fetched over https alone", remedy="give an https address", place=host)


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


class _Fetch(NamedTuple):
    """How something is fetched: at most how much, how long, and whom to trust."""

    cap: int
    timeout_s: float
    total_timeout_s: float
    trusted: str

    @contextlib.contextmanager
    def beside(self, destination: str, address: str) -> Iterator[str]:
        """Give the name of a file with what is at `address`; it is gone afterwards."""
        _check(address)
        folder = Path(destination).parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=".fetched-", suffix=".partial", dir=folder)
        except OSError as error:
            raise AdvisoryError(f"nothing can be written beside {destination}: {error.strerror}") from error
        try:
            with os.fdopen(handle, "wb") as sink:
                self._fetch(address, sink)
            yield name
        finally:
            Path(name).unlink(missing_ok=True)

    def _fetch(self, address: str, sink: IO[bytes]) -> None:
        handlers: list[urllib.request.BaseHandler] = [_Redirects()]
        if is_loopback(urlsplit(address).hostname or ""):
            handlers.append(urllib.request.ProxyHandler({}))
        try:
            context = ssl.create_default_context(cafile=self.trusted or None)
            opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context), *handlers)

            def fetch() -> None:
                with opener.open(address, timeout=self.timeout_s) as response:
                    wanted = response.headers.get("Content-Length")
                    size = _copy(response, sink, cap=self.cap)
                    if wanted is not None and wanted.isdigit() and size != int(wanted):
                        raise AdvisoryError(f"the fetch broke off after {size} of {wanted} bytes", remedy=_REMEDY)

            within(self.total_timeout_s, fetch)
        except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
            reason = getattr(error, "reason", "") or error
            if isinstance(error, urllib.error.HTTPError):
                error.close()
            raise AdvisoryError(f"{address} could not be fetched: {reason}", remedy=_REMEDY) from error


def _copy(response: IO[bytes], sink: IO[bytes], *, cap: int) -> int:
    size = 0
    while block := response.read(_BLOCK):
        size += len(block)
        if size > cap:
            raise AdvisoryError(f"what was fetched is larger than {cap} bytes", remedy=_REMEDY)
        sink.write(block)
    return size
