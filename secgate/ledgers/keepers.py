"""Keepers of checkpoints: a file, a ref of a repository, or an address that takes PUT.

Each is meant to be somewhere that the ledger's holder cannot write alone. What is kept is replaced whole or not at all,
and only where it still is what was read before.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import ssl
import stat
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from secgate.addresses import is_loopback
from secgate.errors import HeadMovedError, LedgerError, UsageError
from secgate.ledgers.ref import RemoteRef
from secgate.ports import ProcessRunner
from secgate.replacing import replace_file
from secgate.requesting import opener, within

MAX_BYTES = 1024 * 1024
_FILE = "checkpoint.json"
_UNREACHED = (urllib.error.URLError, http.client.HTTPException, OSError, UnicodeError)
"""What comes of asking a server; UnicodeError of a name that no server has."""


class FileKeeper:
    """Keeps it in a file, best on another machine's disk."""

    def __init__(self, path: str) -> None:
        """`path` is absolute."""
        self.address = path
        self._path = Path(path)

    def get(self) -> bytes | None:
        """See Keeper."""
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with os.fdopen(descriptor, "rb") as file:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    raise self._fault("it is no regular file")
                data = file.read(MAX_BYTES + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._fault(f"it cannot be read: {error.strerror}") from error
        return _small(data, self.address)

    def put(self, data: bytes, *, expected: bytes | None, at_epoch_s: int) -> None:
        """See Keeper."""
        del at_epoch_s
        if self.get() != expected:
            raise HeadMovedError("another checkpoint was put there first", place=self.address, remedy="run it again")
        try:
            replace_file(self._path, data, mode=0o644)
        except OSError as error:
            raise self._fault(f"it cannot be written: {error.strerror}") from error

    def _fault(self, what: str) -> LedgerError:
        return LedgerError(what, place=self.address, remedy="name a file that may be read and written")


class RefKeeper:
    """Keeps it in a ref of a repository, one commit each: the history of the ref is the list of all of them."""

    def __init__(
        self,
        remote: str,
        ref: str,
        *,
        runner: ProcessRunner,
        caches: str,
        git: str,
        env: Mapping[str, str] | None = None,
    ) -> None:
        """`caches`: absolute path of a folder for caches of repositories; else as for `RemoteRef`."""
        name = hashlib.sha256(f"{remote}\0{ref}".encode()).hexdigest()[:24]
        cache = str(Path(caches, f"checkpoints-{name}"))
        self._at = RemoteRef(
            remote,
            ref,
            noun="checkpoint",
            runner=runner,
            cache=cache,
            git=git,
            env=env,
        )
        self.address = self._at.address

    def get(self) -> bytes | None:
        """See Keeper. A ref that went back since this machine saw it is an error."""
        with self._at.locked():
            tip = self._at.fetch()
            return self._held(tip)

    def put(self, data: bytes, *, expected: bytes | None, at_epoch_s: int) -> None:
        """See Keeper."""
        with self._at.locked():
            tip = self._at.fetch()
            if self._held(tip) != expected:
                raise HeadMovedError(
                    "another checkpoint was put there first", place=self.address, remedy="run it again"
                )
            self._at.push(self._at.commit(tip, {_FILE: data}, said="a checkpoint", at_epoch_s=at_epoch_s))

    def _held(self, tip: str | None) -> bytes | None:
        if tip is None:
            return None
        data = self._at.objects(tip, [_FILE])[0]
        if data is None:
            raise self._at.fault("the ref holds something else than checkpoints", remedy="name a ref of its own")
        return _small(data, self.address)


class UrlKeeper:
    """Keeps it at an address that answers GET and takes PUT: https, or http on this machine."""

    def __init__(self, url: str, *, token: str = "", timeout_s: float = 30.0) -> None:
        """`token` goes into `Authorization: Bearer`, `timeout_s` is for one exchange as a whole.

        Raises UsageError for another kind of address.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError as error:
            raise UsageError("the address of the checkpoint does not read", remedy="give an https address") from error
        self._is_loopback = is_loopback(host)
        if not host or not (parts.scheme == "https" or (parts.scheme == "http" and self._is_loopback)):
            raise UsageError("checkpoints are sent over https alone", remedy="give an https address", place=host)
        shown = f"[{host}]" if ":" in host else host
        self.address = urlunsplit((parts.scheme, f"{shown}:{port}" if port else shown, parts.path, "", ""))
        self._url, self._token, self._timeout_s = url, token, timeout_s
        self._tag = ""

    def get(self) -> bytes | None:
        """See Keeper."""
        self._tag = ""
        try:
            data, self._tag = self._answer(urllib.request.Request(self._url))  # noqa: S310 - the scheme was checked
            return _small(data, self.address)
        except urllib.error.HTTPError as error:
            with error:
                if error.code in (404, 410):
                    return None
            raise self._fault(f"the server said {error.code}") from error
        except _UNREACHED as error:
            raise self._fault(f"it cannot be fetched: {getattr(error, 'reason', '') or error}") from error

    def put(self, data: bytes, *, expected: bytes | None, at_epoch_s: int) -> None:
        """See Keeper. A server that knows If-Match makes it safe against others; with another the last wins."""
        del at_epoch_s
        if self.get() != expected:
            raise HeadMovedError("another checkpoint was put there first", place=self.address, remedy="run it again")
        request = urllib.request.Request(self._url, data=data, method="PUT")  # noqa: S310 - the scheme was checked
        request.add_header("Content-Type", "application/json")
        if expected is None:
            request.add_header("If-None-Match", "*")
        elif self._tag:
            request.add_header("If-Match", self._tag)
        try:
            self._answer(request)
        except urllib.error.HTTPError as error:
            with error:
                if error.code == 412:
                    raise HeadMovedError(
                        "another checkpoint was put there first", place=self.address, remedy="run it again"
                    ) from error
            raise self._fault(f"the server said {error.code}") from error
        except _UNREACHED as error:
            raise self._fault(f"it cannot be sent: {getattr(error, 'reason', '') or error}") from error

    def _answer(self, request: urllib.request.Request) -> tuple[bytes, str]:
        """Give what a server answers, as far as it is read, and its tag."""
        if self._token:
            request.add_unredirected_header("Authorization", f"Bearer {self._token}")
        https = urllib.request.HTTPSHandler(context=ssl.create_default_context())
        sender = opener(https, stays_here=self._is_loopback)

        def ask() -> tuple[bytes, str]:
            with sender.open(request, timeout=self._timeout_s) as answer:
                return answer.read(MAX_BYTES + 1), answer.headers.get("ETag", "")

        return within(self._timeout_s, ask)

    def _fault(self, what: str) -> LedgerError:
        return LedgerError(what, place=self.address, remedy="see that the server can be reached and takes GET and PUT")


def _small(data: bytes, place: str) -> bytes:
    if len(data) > MAX_BYTES:
        raise LedgerError("what is kept there is too large for a checkpoint", place=place, remedy="name another place")
    return data
