"""A server that answers a byte at a time holds nobody for longer than the whole exchange may take."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from secgate.advisories import ImportLimits
from secgate.errors import AdvisoryError, LedgerError, NotificationError, SecgateError, SignatureError
from secgate.executors.advisory_update import update
from secgate.ledgers.keepers import UrlKeeper
from secgate.notifiers.posting import Poster
from secgate.requesting import within
from secgate.signers.timestamps import Timestamps
from tests.ledger_support import Runner, at

LIMIT_S = 0.3
STEP_S = 0.05
"""Between two bytes: the limit of one wait is never met."""


class Dripping(BaseHTTPRequestHandler):
    """Answers a byte at a time: from its first line on, or the body alone."""

    def answer(self) -> None:
        head, body = b"HTTP/1.0 200 OK\r\nContent-Length: 200\r\n\r\n", b" " * 200
        slow, quick = (head + body, b"") if self.path == "/head" else (body, head)
        try:
            self.wfile.write(quick)
            for at_byte in range(len(slow)):
                if self.server.is_over.wait(STEP_S):  # type: ignore[attr-defined]
                    return
                self.wfile.write(slow[at_byte : at_byte + 1])
                self.wfile.flush()
        except OSError:
            return

    def do_GET(self) -> None:
        self.answer()

    def do_POST(self) -> None:
        self.answer()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Dripping)
    server.is_over = threading.Event()  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.is_over.set()  # type: ignore[attr-defined]
    server.shutdown()
    thread.join()
    server.server_close()


def fetch_checkpoint(address: str, _: Path) -> None:
    UrlKeeper(address, timeout_s=LIMIT_S).get()


def ask_for_a_timestamp(address: str, folder: Path) -> None:
    stamps = Timestamps(runner=Runner(), executable="", directory=str(folder), timeout_s=LIMIT_S)
    stamps.ask(address, b"m", nonce=bytes(8))


def fetch_advisories(address: str, folder: Path) -> None:
    place = str(folder / "db")
    update(address, place, now=at(0), limits=ImportLimits(), timeout_s=10.0, total_timeout_s=LIMIT_S)


def post(address: str, _: Path) -> None:
    Poster(timeout_s=LIMIT_S, pause=lambda _: None).post(b"{}", address=address)


CLIENTS: list[tuple[Callable[[str, Path], None], type[SecgateError], str]] = [
    (fetch_checkpoint, LedgerError, "/body"),
    (fetch_checkpoint, LedgerError, "/head"),
    (ask_for_a_timestamp, SignatureError, "/body"),
    (ask_for_a_timestamp, SignatureError, "/head"),
    (fetch_advisories, AdvisoryError, "/body"),
    (fetch_advisories, AdvisoryError, "/head"),
    (post, NotificationError, "/head"),
]


@pytest.mark.parametrize(("client", "error", "path"), CLIENTS)
def test_threat_13_a_server_that_drips_is_given_up_on(
    address: str, tmp_path: Path, client: Callable[[str, Path], None], error: type[SecgateError], path: str
) -> None:
    start = time.monotonic()
    with pytest.raises(error) as told:
        client(address + path, tmp_path)
    assert time.monotonic() - start < 8
    assert "it took longer than 0.3 s" in told.value.what or "TimeoutError" in told.value.what
    assert not list(tmp_path.iterdir())


def test_what_was_done_or_failed_is_given_on() -> None:
    held = {"there": 7}
    assert within(5.0, lambda: held["there"]) == 7
    with pytest.raises(KeyError, match="gone"):
        within(5.0, lambda: held["gone"])
