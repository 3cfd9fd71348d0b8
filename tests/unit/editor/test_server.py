"""The server in this process, with a gate of the test's own: what a run raises must not end it."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from secgate.editor.gating import Asked, folder_of
from secgate.editor.remarks import Remark
from secgate.editor.server import serve
from secgate.model import Region


class Odd:
    """A gate that fails the first time, as no gate should."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def remarks(self, asked: Asked, stop: threading.Event) -> tuple[Remark, ...]:
        assert not stop.is_set()
        self.asked.append(Path(asked.path).name)
        if len(self.asked) == 1:
            raise KeyError("hunter2")
        return (Remark(region=Region(start_line=1), level="hint", code="x", message="well"),)


def send(stream: BinaryIO, method: str, number: int | None = None, **params: Any) -> None:
    message = {"jsonrpc": "2.0", "method": method, "params": params or None}
    body = json.dumps(message if number is None else {**message, "id": number}).encode()
    stream.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
    stream.flush()


def messages(stream: BinaryIO) -> Iterator[dict[str, Any]]:
    while header := stream.readline():
        length = int(header.split(b":")[1])
        while stream.readline().strip():
            pass
        yield json.loads(stream.read(length))


def test_a_fault_of_a_scan_is_told_and_the_server_lives_on(tmp_path: Path) -> None:
    heard, speak = os.pipe()
    answers, say = os.pipe()
    gate = Odd()
    uri = (tmp_path / "app.py").as_uri()
    with (
        ThreadPoolExecutor() as pool,
        os.fdopen(heard, "rb", 0) as stdin,
        os.fdopen(speak, "wb") as editor,
        os.fdopen(answers, "rb") as told,
        os.fdopen(say, "wb") as stdout,
    ):
        ended = pool.submit(serve, gate, stdin=stdin, stdout=stdout, signals=())
        news = messages(told)
        send(editor, "initialize", 1, processId=None, rootUri=tmp_path.as_uri(), capabilities={})
        assert next(news)["result"]["serverInfo"]["name"] == "secgate"
        found = []
        for _ in range(2):
            send(editor, "textDocument/didSave", textDocument={"uri": uri})
            one = next(news)
            while one["method"] != "textDocument/publishDiagnostics":
                one = next(news)
            found += one["params"]["diagnostics"]
        assert [one["severity"] for one in found] == [1, 4]
        assert "a fault of secgate itself (KeyError)" in found[0]["message"]
        assert "hunter2" not in json.dumps(found)
        assert gate.asked == ["app.py", "app.py"]
        send(editor, "shutdown", 2)
        while next(news).get("id") != 2:
            pass
        send(editor, "exit")
        assert ended.result(timeout=30) == 0


def test_the_innermost_folder_that_holds_a_file(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "a")
    folders = [str(tmp_path / "a"), str(tmp_path / "a" / "b")]
    assert folder_of(str(tmp_path / "a" / "b" / "x.py"), folders) == folders[1]
    assert folder_of(str(tmp_path / "a" / "x.py"), folders) == folders[0]
    assert folder_of(str(tmp_path / "link" / "x.py"), folders) == folders[0], "by where it lies"
    assert folder_of(str(tmp_path / "a" / ".." / "x.py"), folders) == ""
    assert folder_of(str(tmp_path / "ab" / "x.py"), folders) == ""
    assert folder_of(str(tmp_path / "a" / "x.py"), []) == ""


@pytest.mark.parametrize("name", ["a.py", "b/a.py"])
def test_a_workspace_behind_a_link_is_a_workspace(tmp_path: Path, name: str) -> None:
    (tmp_path / "real" / "b").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert folder_of(str(tmp_path / "link" / name), [str(tmp_path / "link")]) == str(tmp_path / "link")
