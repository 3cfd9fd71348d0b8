"""The loopback advisory server: answers pip-audit from the local database for the length of a scan.

It speaks the one form that pip-audit 2.10 sends to an OSV service, `POST {"package": {"name", "ecosystem"},
"version"}`, and nothing else. It listens on the loopback address alone, under a path that nobody can guess, and
writes nothing.
"""

from __future__ import annotations

import contextlib
import hmac
import secrets
import threading
from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec

from secgate.advisories import Database, Match
from secgate.errors import AdvisoryError, UsageError
from secgate.model import Value

MAX_REQUEST_BYTES = 16 * 1024
_IDLE_S = 30.0


class _Package(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    ecosystem: str


class _Query(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    package: _Package
    version: str


class AdvisoryService:
    """A Service that serves the database at a path. Its address ends in `/v1/query`."""

    name = "advisories"

    def __init__(self, path: str) -> None:
        """Serve the database at `path`, which is opened when the service is."""
        self._path = path

    @contextlib.contextmanager
    def open(self) -> Iterator[str]:
        """Serve until the context ends. Raises AdvisoryError without a readable database or a free port."""
        with Database(self._path) as database:
            database.info()
            try:
                server = _Server(database, secrets.token_urlsafe(24))
            except OSError as error:
                raise AdvisoryError(f"no loopback port can be opened: {error.strerror}") from error
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
            thread.start()
            try:
                yield server.address
            finally:
                server.shutdown()
                thread.join()
                server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    # Queries of one pip-audit come one after another; a few scans at once are enough.
    request_queue_size = 16

    def __init__(self, database: Database, token: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.database = database
        self.path = f"/{token}/v1/query"

    @property
    def address(self) -> str:
        """Where queries go."""
        return f"http://127.0.0.1:{self.server_address[1]}{self.path}"

    def server_bind(self) -> None:
        """Bind without asking a name service who we are."""
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Drop a connection that broke: the client then fails loudly, and stderr is not ours to write to."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _IDLE_S
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def do_POST(self) -> None:
        """Answer one query; anything else than the known form is refused."""
        if not hmac.compare_digest(self.path.encode("latin-1", "replace"), self.server.path.encode()):
            self._refuse(HTTPStatus.NOT_FOUND)
            return
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit() and len(length) < 10):
            self._refuse(HTTPStatus.LENGTH_REQUIRED)
            return
        if int(length) > MAX_REQUEST_BYTES:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return
        try:
            query = msgspec.json.decode(self.rfile.read(int(length)), type=_Query)
            matches = self.server.database.query(query.package.ecosystem, query.package.name, query.version)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, UsageError):
            self._refuse(HTTPStatus.BAD_REQUEST)
        except AdvisoryError:
            self._refuse(HTTPStatus.INTERNAL_SERVER_ERROR)
        else:
            self._answer(HTTPStatus.OK, answer(query.package.name, matches))

    def _answer(self, status: HTTPStatus, body: bytes) -> None:
        self.send_response_only(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def _refuse(self, status: HTTPStatus) -> None:
        # What was not read of the request would be taken for the next one.
        self.close_connection = True
        self._answer(status, b'{"message": "refused"}')

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's signature
        """Write nothing."""


def answer(name: str, matches: tuple[Match, ...]) -> bytes:
    """Give the body of an answer: `{}` without matches, else `{"vulns": [...]}` with all fixed versions in one range.

    pip-audit reads the first ECOSYSTEM range of the last matching package alone, and compares names as they stand; so
    each advisory is sent with one package, under the name asked for.
    """
    if not matches:
        return b"{}"
    vulns = [
        {
            "schema_version": "1.0.0",
            "id": match.id,
            "aliases": list(match.aliases),
            "summary": match.title or match.id,
            "affected": [
                {
                    "package": {"name": name, "ecosystem": "PyPI"},
                    "ranges": [
                        {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, *({"fixed": v} for v in match.fixed)]}
                    ],
                }
            ],
        }
        for match in matches
    ]
    return msgspec.json.encode({"vulns": vulns})
