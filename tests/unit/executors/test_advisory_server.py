"""The loopback advisory server answers the one form that pip-audit sends, and nobody else."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from secgate.advisories import ImportLimits, build
from secgate.errors import AdvisoryError
from secgate.executors.advisory_server import AdvisoryService

RECORD = {
    "id": "MADE-1",
    "modified": "2026-01-01T00:00:00Z",
    "aliases": ["CVE-1"],
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "Made_Package"},
            "ranges": [
                {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.2"}]},
                {"type": "ECOSYSTEM", "events": [{"introduced": "2"}, {"fixed": "2.1"}, {"fixed": "odd"}]},
            ],
        }
    ],
}


@pytest.fixture
def database(tmp_path: Path) -> str:
    (tmp_path / "dump").mkdir()
    (tmp_path / "dump" / "a.json").write_text(json.dumps(RECORD))
    now = datetime(2026, 1, 2, tzinfo=UTC)
    build(str(tmp_path / "dump"), str(tmp_path / "db"), now=now, limits=ImportLimits())
    return str(tmp_path / "db")


@pytest.fixture
def address(database: str) -> Iterator[str]:
    with AdvisoryService(database).open() as given:
        yield given


def ask(address: str, body: bytes, *, method: str = "POST", path: str = "", **headers: str) -> tuple[int, object]:
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.netloc, timeout=5)
    try:
        connection.request(method, path or parts.path, body=body, headers=headers)
        response = connection.getresponse()
        text = response.read()
        return response.status, json.loads(text) if text.startswith(b"{") else None
    finally:
        connection.close()


def query(name: str, version: str, ecosystem: str = "PyPI") -> bytes:
    return json.dumps({"package": {"name": name, "ecosystem": ecosystem}, "version": version}).encode()


def test_it_answers_with_all_fixed_versions_under_the_name_asked_for(address: str) -> None:
    status, body = ask(address, query("made-package", "1.0"))
    assert status == 200
    assert isinstance(body, dict)
    (found,) = body["vulns"]
    assert (found["id"], found["aliases"], found["affected"][0]["package"]["name"]) == (
        "MADE-1",
        ["CVE-1"],
        "made-package",
    )
    assert found["affected"][0]["ranges"][0]["events"] == [{"introduced": "0"}, {"fixed": "1.2"}, {"fixed": "2.1"}]


def test_nothing_known_is_an_empty_object(address: str) -> None:
    assert ask(address, query("made-package", "1.2")) == (200, {})


def test_it_listens_on_the_loopback_address_under_a_path_nobody_can_guess(database: str) -> None:
    with AdvisoryService(database).open() as one, AdvisoryService(database).open() as other:
        assert urlsplit(one).hostname == "127.0.0.1"
        assert len(urlsplit(one).path) > 40
        assert urlsplit(one).path != urlsplit(other).path


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"[]", 400),
        (b"[" * 10_000, 400),
        (query("x", "not a version"), 400),
        (query("x", "1", ecosystem="npm"), 400),
        (b'{"package": {"name": "x", "ecosystem": "PyPI"}, "version": "1", "more": 1}', 400),
        (b'{"package": {"name": 1, "ecosystem": "PyPI"}, "version": "1"}', 400),
        (b" " * 20_000, 413),
    ],
)
def test_other_forms_are_refused(address: str, body: bytes, status: int) -> None:
    assert ask(address, body)[0] == status


def test_other_paths_and_methods_are_refused(address: str) -> None:
    assert ask(address, query("made-package", "1.0"), path="/v1/query")[0] == 404
    assert ask(address, b"", method="GET")[0] == 501
    assert ask(address, b"", **{"Content-Length": "-1"})[0] == 411


def test_it_stops_with_its_context_and_leaves_no_thread(database: str) -> None:
    before = threading.active_count()
    with AdvisoryService(database).open() as address:
        ask(address, query("x", "1"))
    with pytest.raises(ConnectionRefusedError):
        ask(address, query("x", "1"))
    assert threading.active_count() <= before + 1  # the last connection's thread may still be closing


def test_it_writes_nothing(address: str, capfd: pytest.CaptureFixture[str]) -> None:
    ask(address, query("made-package", "1.0"))
    ask(address, b"wat")
    assert capfd.readouterr() == ("", "")


def test_without_a_database_it_does_not_open(tmp_path: Path) -> None:
    with pytest.raises(AdvisoryError, match="no advisory database"), AdvisoryService(str(tmp_path / "gone")).open():
        pass
