"""Fetching a dump: over https alone, within caps, all or nothing."""

from __future__ import annotations

import io
import json
import threading
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from secgate.advisories import CveList, Database, ImportLimits, ImportReport, ListInfo, ListLimits, list_path
from secgate.errors import AdvisoryError, SecgateError, UsageError
from secgate.executors.advisory_update import update, update_list

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def dump(identifier: str) -> bytes:
    affected = [{"package": {"ecosystem": "PyPI", "name": "x"}, "versions": ["1"]}]
    record = {"id": identifier, "modified": "2026-01-01T00:00:00Z", "affected": affected}
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as target:
        target.writestr("a.json", json.dumps(record))
    return data.getvalue()


class Handler(BaseHTTPRequestHandler):
    """Serves what its server's `answer` says: status, headers, body."""

    def do_GET(self) -> None:
        status, headers, body = self.server.answer  # type: ignore[attr-defined]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's signature
        """Write nothing."""


Serve = Callable[..., str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()

    def answer(body: bytes, *, status: int = 200, headers: dict[str, str] | None = None) -> str:
        server.answer = (status, headers or {}, body)  # type: ignore[attr-defined]
        return f"http://127.0.0.1:{server.server_address[1]}/all.zip"

    yield answer
    server.shutdown()
    thread.join()
    server.server_close()


def fetch(address: str, tmp_path: Path, *, limits: ImportLimits | None = None) -> ImportReport:
    destination = str(tmp_path / "db")
    return update(address, destination, now=NOW, limits=limits or ImportLimits(), timeout_s=5.0, total_timeout_s=20.0)


def holds(tmp_path: Path) -> list[str]:
    with Database(str(tmp_path / "db")) as database:
        return [m.id for m in database.query("PyPI", "x", "1")]


def test_a_dump_replaces_the_database(tmp_path: Path, serve: Serve) -> None:
    for name in ("A-1", "A-2"):
        fetch(serve(dump(name)), tmp_path)
        assert holds(tmp_path) == [name]
    assert [p.name for p in tmp_path.iterdir()] == ["db"]


@pytest.mark.parametrize(
    ("body", "status", "headers"),
    [
        (b"", 404, {}),
        (b"", 500, {}),
        (b"not a zip", 200, {}),
        (dump("A-2")[:50], 200, {}),
        (dump("A-2")[:50], 200, {"Content-Length": "400"}),
        (b"", 302, {"Location": "http://192.0.2.1/all.zip"}),
        (b"", 302, {"Location": "ftp://192.0.2.1/all.zip"}),
        (b"", 302, {"Location": "file:///etc/passwd"}),
        (b"", 302, {"Location": "/all.zip"}),
    ],
)
def test_a_failed_fetch_keeps_the_old(
    tmp_path: Path, serve: Serve, body: bytes, status: int, headers: dict[str, str]
) -> None:
    fetch(serve(dump("A-1")), tmp_path)
    with pytest.raises(SecgateError):
        fetch(serve(body, status=status, headers=headers), tmp_path)
    assert holds(tmp_path) == ["A-1"]
    assert [p.name for p in tmp_path.iterdir()] == ["db"]


def test_a_dump_past_the_cap_is_not_kept(tmp_path: Path, serve: Serve) -> None:
    with pytest.raises(AdvisoryError, match="larger than 100"):
        fetch(serve(dump("A-1")), tmp_path, limits=ImportLimits(source_bytes=100))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "address",
    [
        "http://example.test/all.zip",
        "http://localhost/all.zip",
        "file:///etc/passwd",
        "ftp://x/",
        "all.zip",
        "https://",
        "http://[/",
    ],
)
def test_other_addresses_are_refused_before_anything_is_sent(tmp_path: Path, address: str) -> None:
    with pytest.raises(UsageError):
        fetch(address, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_nobody_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(AdvisoryError, match="could not be fetched"):
        fetch("http://127.0.0.1:9/all.zip", tmp_path)


def test_an_operators_proxy_does_not_see_the_loopback_address(
    tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9/")
    fetch(serve(dump("A-1")), tmp_path)
    assert holds(tmp_path) == ["A-1"]


# --------------------------------------------------------------------------------------------------------------- lists

CATALOGUE = b'{"count": 1, "vulnerabilities": [{"cveID": "CVE-2026-12345", "dateAdded": "2026-01-01"}]}'


def fetch_list(source: str, tmp_path: Path, *, cap: int = 1000) -> ListInfo:
    destination = list_path("known-exploited", str(tmp_path / "PyPI.sqlite"))
    return update_list(
        "known-exploited",
        source,
        destination,
        limits=ListLimits(source_bytes=cap),
        timeout_s=5.0,
        total_timeout_s=20.0,
    )


def listed(tmp_path: Path) -> list[str]:
    with CveList("known-exploited", str(tmp_path / "PyPI.sqlite")) as one:
        return sorted(one.values(["CVE-2026-12345"]))


def test_a_list_is_fetched(tmp_path: Path, serve: Serve) -> None:
    assert fetch_list(serve(CATALOGUE), tmp_path).count == 1
    assert listed(tmp_path) == ["CVE-2026-12345"]
    assert [p.name for p in tmp_path.iterdir()] == ["known-exploited.sqlite"]


def test_a_list_is_taken_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "kev.json").write_bytes(CATALOGUE)
    assert fetch_list(str(tmp_path / "kev.json"), tmp_path).count == 1


@pytest.mark.parametrize(
    ("body", "status", "headers"),
    [(b"", 404, {}), (b"<html>", 200, {}), (CATALOGUE[:40], 200, {}), (CATALOGUE, 200, {"Content-Length": "900"})],
)
def test_a_list_that_cannot_be_had_leaves_the_old_one(
    tmp_path: Path, serve: Serve, body: bytes, status: int, headers: dict[str, str]
) -> None:
    fetch_list(serve(CATALOGUE), tmp_path)
    address = serve(body, status=status, headers=headers)
    with pytest.raises(SecgateError) as caught:
        fetch_list(address, tmp_path)
    assert listed(tmp_path) == ["CVE-2026-12345"]
    assert str(tmp_path) not in caught.value.what


def test_a_list_past_the_cap_is_not_kept(tmp_path: Path, serve: Serve) -> None:
    with pytest.raises(AdvisoryError, match="larger than 20 bytes"):
        fetch_list(serve(CATALOGUE), tmp_path, cap=20)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("address", ["http://example.test/kev.json", "ftp://x/kev.json", "file:///etc/passwd"])
def test_lists_are_fetched_over_https_alone(tmp_path: Path, address: str) -> None:
    with pytest.raises(UsageError):
        fetch_list(address, tmp_path)
