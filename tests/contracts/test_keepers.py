"""What every keeper of checkpoints promises."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from secgate.errors import HeadMovedError, LedgerError, UsageError
from secgate.ledgers.keepers import MAX_BYTES, FileKeeper, RefKeeper, UrlKeeper
from secgate.ports import Keeper
from tests.ledger_support import EPOCH_S, GIT, Runner, git

Make = Callable[[], Keeper]


class Store(BaseHTTPRequestHandler):
    """One resource with entity tags; what it is asked for is kept on the server."""

    def do_GET(self) -> None:
        held: bytes | None = self.server.held  # type: ignore[attr-defined]
        self.server.asked.append(dict(self.headers))  # type: ignore[attr-defined]
        self.send_response(404 if held is None else 200)
        body = held or b""
        if held is not None:
            self.send_header("ETag", f'"{sha256(held).hexdigest()}"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_PUT(self) -> None:
        server = self.server
        data = self.rfile.read(int(self.headers["Content-Length"]))
        held: bytes | None = server.held  # type: ignore[attr-defined]
        tag = f'"{sha256(held).hexdigest()}"' if held is not None else ""
        wanted, none = self.headers.get("If-Match"), self.headers.get("If-None-Match")
        refused = server.refuse or (held is not None and none == "*") or (wanted is not None and wanted != tag)  # type: ignore[attr-defined]
        if not refused:
            server.held = data  # type: ignore[attr-defined]
        self.send_response(412 if refused else 204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    made = ThreadingHTTPServer(("127.0.0.1", 0), Store)
    made.held, made.asked, made.refuse = None, [], False  # type: ignore[attr-defined]
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def address(server: ThreadingHTTPServer) -> str:
    return f"http://127.0.0.1:{server.server_address[1]}/shop.json"


def ref_keeper(folder: Path, user: str) -> RefKeeper:
    remote = folder / "remote.git"
    if not remote.exists():
        git("init", "-q", "--bare", str(remote), cwd=folder)
    return RefKeeper(str(remote), "refs/checkpoints/shop", runner=Runner(), caches=str(folder / user), git=GIT)


@pytest.fixture(params=["file", "ref", "url"])
def make(request: pytest.FixtureRequest, tmp_path: Path, server: ThreadingHTTPServer) -> Make:
    match request.param:
        case "file":
            return lambda: FileKeeper(str(tmp_path / "kept.json"))
        case "ref":
            users = iter("abcdef")
            return lambda: ref_keeper(tmp_path, next(users))
        case _:
            return lambda: UrlKeeper(address(server))


def test_nothing_is_kept_at_first(make: Make) -> None:
    assert make().get() is None


def test_what_was_put_is_given_to_others(make: Make) -> None:
    make().put(b"one", expected=None, at_epoch_s=EPOCH_S)
    other = make()
    assert other.get() == b"one"
    other.put(b"two", expected=b"one", at_epoch_s=EPOCH_S + 1)
    assert make().get() == b"two"


@pytest.mark.parametrize("expected", [None, b"other"])
def test_what_somebody_else_put_stays(make: Make, expected: bytes | None) -> None:
    make().put(b"one", expected=None, at_epoch_s=EPOCH_S)
    with pytest.raises(HeadMovedError):
        make().put(b"two", expected=expected, at_epoch_s=EPOCH_S)
    assert make().get() == b"one"


def test_too_much_is_no_checkpoint(make: Make) -> None:
    make().put(b"x" * (MAX_BYTES + 1), expected=None, at_epoch_s=EPOCH_S)
    with pytest.raises(LedgerError, match="too large"):
        make().get()


# ---------------------------------------------------------------------------------------------------- each for itself


def test_every_checkpoint_is_a_commit_of_the_ref(tmp_path: Path) -> None:
    keeper = ref_keeper(tmp_path, "a")
    keeper.put(b"one", expected=None, at_epoch_s=EPOCH_S)
    keeper.put(b"two", expected=b"one", at_epoch_s=EPOCH_S + 1)
    log = git("log", "--format=%ct", "refs/checkpoints/shop", cwd=tmp_path / "remote.git")
    assert log.split() == [str(EPOCH_S + 1), str(EPOCH_S)]


def test_a_ref_that_went_back_is_noticed(tmp_path: Path) -> None:
    keeper = ref_keeper(tmp_path, "a")
    for number, data in enumerate((b"one", b"two")):
        keeper.put(data, expected=keeper.get(), at_epoch_s=EPOCH_S + number)
    git("update-ref", "refs/checkpoints/shop", "refs/checkpoints/shop~1", cwd=tmp_path / "remote.git")
    with pytest.raises(LedgerError, match="was rewritten since"):
        keeper.get()


@pytest.mark.parametrize("kind", ["link", "folder"])
def test_no_link_is_followed(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "kept.json"
    place.symlink_to(tmp_path / "elsewhere") if kind == "link" else place.mkdir()
    (tmp_path / "elsewhere").write_bytes(b"one")
    with pytest.raises(LedgerError):
        FileKeeper(str(place)).get()


@pytest.mark.parametrize("url", ["http://example.com/x", "ftp://127.0.0.1/x", "https:///x", "http://localhost/x"])
def test_addresses_without_secrecy_are_refused(url: str) -> None:
    with pytest.raises(UsageError):
        UrlKeeper(url)


def test_a_name_that_no_server_has_is_an_error() -> None:
    with pytest.raises(LedgerError, match="cannot be fetched"):
        UrlKeeper("https://..../checkpoint").get()


def test_an_address_is_shown_without_what_is_secret_in_it() -> None:
    assert UrlKeeper("https://me:word@example.com:8443/a.json?sig=1").address == "https://example.com:8443/a.json"


def test_the_token_is_sent(server: ThreadingHTTPServer) -> None:
    UrlKeeper(address(server), token="t0ken").get()
    assert server.asked[0]["Authorization"] == "Bearer t0ken"  # type: ignore[attr-defined]


def test_another_that_was_first_at_the_server_wins(server: ThreadingHTTPServer) -> None:
    server.refuse = True  # type: ignore[attr-defined]
    with pytest.raises(HeadMovedError):
        UrlKeeper(address(server)).put(b"one", expected=None, at_epoch_s=EPOCH_S)


def test_a_server_that_is_not_there_is_an_error(server: ThreadingHTTPServer) -> None:
    server.server_close()
    with pytest.raises(LedgerError, match="cannot be fetched"):
        UrlKeeper(address(server), timeout_s=1).get()
