"""The server in this process, with a gate of the test's own: what a run raises must not end it."""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from secgate.editor.gating import Asked, SupersededError, folder_of
from secgate.editor.remarks import Remark
from secgate.editor.server import LARGE_BYTES, MOST_AT_ONCE, STILL_S, Gating, serve
from secgate.model import Edit, Fix, Region


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

    def expect(self, path: str) -> None:
        self.asked.append(f"expect {Path(path).name}")

    def rest(self) -> None:
        self.asked.append("rest")


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


class Talk:
    """An editor that speaks to a server in this process, message by message."""

    def __init__(self, editor: BinaryIO, told: BinaryIO, root: Path) -> None:
        self._editor = editor
        self._root = root
        self._news = messages(told)
        self.early: tuple[object, int] | None = None
        self.goodbye = True

    def say(self, method: str, **params: Any) -> None:
        send(self._editor, method, **params)

    def put(self, body: bytes) -> None:
        """Send what may be no message at all."""
        self._editor.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self._editor.flush()

    def put_message(self, **message: Any) -> None:
        self.put(json.dumps({"jsonrpc": "2.0", **message}).encode())

    def refused(self) -> tuple[object, int]:
        """Give the id and the code of the next error; an error without an id is none."""
        told = next(one for one in self._news if "error" in one)
        return told["id"], told["error"]["code"]

    def logged(self) -> str:
        told = next(one for one in self._news if one.get("method") == "window/logMessage")
        return str(told["params"]["message"])

    def ask(self, number: int, method: str, **params: Any) -> Any:
        send(self._editor, method, number, **params)
        return next(one for one in self._news if one.get("id") == number).get("result")

    def save(self, name: str) -> None:
        self.say("textDocument/didSave", textDocument={"uri": f"{self._root.as_uri()}/{name}"})

    def published(self) -> dict[str, Any]:
        return next(one for one in self._news if one.get("method") == "textDocument/publishDiagnostics")

    def diagnostics(self) -> list[dict[str, Any]]:
        given: list[dict[str, Any]] = self.published()["params"]["diagnostics"]
        return given


@contextmanager
def talking(gate: Gating, root: Path, first: Sequence[tuple[str, int | None, Any]] = ()) -> Iterator[Talk]:
    """Serve with a gate, say hello, and goodbye at the end; `first` comes before hello, and its last is refused."""
    heard, speak = os.pipe()
    answers, say = os.pipe()
    with (
        ThreadPoolExecutor() as pool,
        os.fdopen(heard, "rb", 0) as stdin,
        os.fdopen(speak, "wb") as editor,
        os.fdopen(answers, "rb") as told,
        os.fdopen(say, "wb") as stdout,
    ):
        ended = pool.submit(serve, gate, stdin=stdin, stdout=stdout, signals=())
        talk = Talk(editor, told, root)
        for method, number, params in first:
            send(editor, method, number, **params)
            talk.early = talk.refused() if number is not None else None
        hello = talk.ask(1, "initialize", processId=None, rootUri=root.as_uri(), capabilities={})
        assert hello["serverInfo"]["name"] == "secgate"
        try:
            yield talk
        except BaseException:
            editor.close()  # or the server would be waited for
            raise
        if talk.goodbye:
            talk.ask(2, "shutdown")
        talk.say("exit")
        assert ended.result(timeout=30) == 0


def test_a_fault_of_a_scan_is_told_and_the_server_lives_on(tmp_path: Path) -> None:
    gate = Odd()
    with talking(gate, tmp_path) as talk:
        found = []
        for _ in range(2):
            talk.say("textDocument/didSave", textDocument={"uri": (tmp_path / "app.py").as_uri()})
            found += talk.diagnostics()
    assert [one["severity"] for one in found] == [1, 4]
    assert "a fault of secgate itself (KeyError)" in found[0]["message"]
    assert "hunter2" not in json.dumps(found)
    assert gate.asked == ["app.py", "app.py"]


PARSE, REQUEST, PARAMS, METHOD, EARLY = -32700, -32600, -32602, -32601, -32002
"""Source: JSON-RPC 2.0, section 5.1; LSP 3.17, ErrorCodes."""
HELLO: dict[str, Any] = {"processId": None, "rootUri": None, "capabilities": {}}


@pytest.mark.parametrize(
    ("body", "number", "code"),
    [
        (b'{"jsonrpc": "2.0", "id": 5, "meth', None, PARSE),
        (b"\xff\xfe\xff{}", None, PARSE),
        (b"[" * 100_000, None, PARSE),
        (b'{"jsonrpc": "2.0", "id": %s}' % (b"9" * 5000), None, PARSE),
        (b"[]", None, REQUEST),
        (b"null", None, REQUEST),
        (b"5", None, REQUEST),
        (b"{}", None, REQUEST),
        (b'{"id": 5, "method": "textDocument/hover"}', 5, REQUEST),
        (b'{"jsonrpc": "1.0", "id": "a", "method": "textDocument/hover"}', "a", REQUEST),
        (b'{"jsonrpc": "2.0", "id": 5, "method": []}', 5, REQUEST),
        (b'{"jsonrpc": "2.0", "id": {}, "method": "textDocument/hover"}', None, REQUEST),
        (b'{"jsonrpc": "2.0", "id": true, "method": "textDocument/hover"}', None, REQUEST),
        (b'{"jsonrpc": "2.0", "id": 5, "method": "no/such", "params": {}}', 5, METHOD),
        (b'{"jsonrpc": "2.0", "id": 5, "method": "textDocument/hover"}', 5, PARAMS),
        (b'{"jsonrpc": "2.0", "id": 5, "method": "textDocument/hover", "params": [1]}', 5, PARAMS),
        (b'{"jsonrpc": "2.0", "id": 5, "method": "textDocument/hover", "params": {"jsonrpc": "2.0"}}', 5, PARAMS),
        (b'{"jsonrpc": "2.0", "id": 5, "method": "workspace/executeCommand", "params": {"command": "x"}}', 5, PARAMS),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_has_an_error_and_the_server_lives_on(
    tmp_path: Path, body: bytes, number: object, code: int
) -> None:
    with talking(Odd(), tmp_path) as talk:
        talk.put(body)
        assert talk.refused() == (number, code)


def test_what_nobody_waits_for_is_told_to_the_log_alone(tmp_path: Path) -> None:
    with talking(Odd(), tmp_path) as talk:
        talk.put_message(method="textDocument/didSave", params={"hunter2": 1})
        assert talk.logged() == "secgate: JsonRpcInvalidParams"
        talk.put_message(id=77, error=5)
        assert talk.logged() == "secgate: JsonRpcInvalidParams"
        talk.put_message(id=[1], result=None)
        assert talk.logged() == "secgate: JsonRpcInvalidRequest"
        talk.put(b'{"id": 1, "result": null}')
        assert talk.logged() == "secgate: JsonRpcInvalidRequest"
        talk.put_message(method="textDocument/didSave", params={"textDocument": {"uri": "file://[::"}})
        assert talk.logged() == "secgate: JsonRpcInternalError"
        talk.put_message(id=78, result=None)
        talk.put_message(id=5, method="no/such")
        assert talk.refused() == (5, METHOD), "the first error of all"


def test_a_request_comes_after_hello_and_before_goodbye_and_hello_once(tmp_path: Path) -> None:
    gate = Odd()
    saved = {"textDocument": {"uri": f"{tmp_path.as_uri()}/app.py"}}
    with talking(gate, tmp_path, first=[("textDocument/didSave", None, saved), ("no/such", 7, {})]) as talk:
        assert talk.early == (7, EARLY)
        talk.put_message(id=5, method="initialize", params=HELLO)
        assert talk.refused() == (5, REQUEST)
        talk.ask(6, "shutdown")
        talk.put_message(method="textDocument/didSave", params=saved)
        talk.put_message(id=8, method="textDocument/hover", params={})
        assert talk.refused() == (8, REQUEST)
        talk.goodbye = False
    assert gate.asked == []


def test_scanners_get_ready_for_a_file_that_was_gated_and_rest_when_nobody_wants_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("secgate.editor.server.REST_S", 2.0)
    gate = Odd()
    uri = (tmp_path / "app.py").as_uri()
    with talking(gate, tmp_path) as talk:

        def type_it() -> None:
            talk.say("textDocument/didChange", textDocument={"uri": uri, "version": 2}, contentChanges=[{"text": "x"}])

        document = {"uri": uri, "languageId": "python", "version": 1, "text": "x"}
        talk.say("textDocument/didOpen", textDocument=document)
        talk.diagnostics()
        assert gate.asked == ["app.py"], "nothing gets ready before somebody types"
        type_it()
        type_it()
        until(lambda: gate.asked == ["app.py", "expect app.py", "rest"])
        type_it()
        until(lambda: gate.asked[3:] == ["expect app.py"])
        talk.say("textDocument/didClose", textDocument={"uri": uri})
        until(lambda: gate.asked[3:] == ["expect app.py", "rest"])


class Slow(Odd):
    """A gate that takes until it is told for a file whose name begins with `big`."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()
        self.ended: list[str] = []

    def remarks(self, asked: Asked, stop: threading.Event) -> tuple[Remark, ...]:
        name = Path(asked.path).name
        self.asked.append(name)
        while name.startswith("big") and not self.go.wait(0.02):
            if stop.is_set():
                self.ended.append(name)
                raise SupersededError("superseded")
        return (Remark(region=Region(start_line=1), level="hint", code=name, message="well"),)


@pytest.fixture
def slow() -> Iterator[Slow]:
    made = Slow()
    yield made
    made.go.set()


def codes(told: dict[str, Any]) -> tuple[str, list[str]]:
    return told["params"]["uri"].rpartition("/")[2], [one["code"] for one in told["params"]["diagnostics"]]


def test_a_file_that_takes_long_holds_up_neither_requests_nor_the_next_save(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slow: Slow
) -> None:
    monkeypatch.setattr("secgate.editor.server.PATIENCE_S", 0.1)
    with talking(slow, tmp_path) as talk:
        talk.save("big.py")
        until(lambda: slow.asked == ["big.py"])
        place = {"textDocument": {"uri": (tmp_path / "big.py").as_uri()}, "position": {"line": 0, "character": 0}}
        assert talk.ask(3, "textDocument/hover", **place) is None
        talk.save("small.py")
        assert codes(talk.published()) == ("small.py", ["small.py"])
        slow.go.set()
        assert codes(talk.published()) == ("big.py", ["big.py"])
    assert slow.ended == [], "it was not begun anew"


def test_only_so_many_scans_run_at_a_time_and_a_save_of_the_same_file_ends_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slow: Slow
) -> None:
    monkeypatch.setattr("secgate.editor.server.PATIENCE_S", 0.05)
    names = [f"big{number}.py" for number in range(MOST_AT_ONCE)]
    with talking(slow, tmp_path) as talk:
        for name in names:
            talk.save(name)
            until(lambda name=name: name in slow.asked)  # type: ignore[misc]
        talk.save("small.py")
        time.sleep(0.3)
        assert slow.asked == names
        talk.save(names[1])
        until(lambda: slow.asked[len(names) :] == [names[1]])
        assert slow.ended == [names[1]]
        slow.go.set()
        told = [codes(talk.published())[0] for _ in range(MOST_AT_ONCE + 1)]
        assert sorted(told) == sorted([*names, "small.py"])


def test_what_takes_long_is_said_meanwhile_and_gone_with_the_answer_or_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slow: Slow
) -> None:
    monkeypatch.setattr("secgate.editor.server.STILL_S", 0.05)
    with talking(slow, tmp_path) as talk:
        talk.save("big.py")
        told = talk.published()
        assert codes(told) == ("big.py", ["still-looking"])
        (one,) = told["params"]["diagnostics"]
        assert (one["severity"], one["range"]["start"]["line"]) == (3, 0)
        assert "still looking" in one["message"]
        slow.go.set()
        assert codes(talk.published()) == ("big.py", ["big.py"])
        slow.go.clear()
        talk.save("big.py")
        assert codes(talk.published()) == ("big.py", ["still-looking", "big.py"])
        talk.say("textDocument/didClose", textDocument={"uri": (tmp_path / "big.py").as_uri()})
        assert codes(talk.published()) == ("big.py", [])


def test_of_a_large_file_it_is_said_at_once(tmp_path: Path, slow: Slow) -> None:
    (tmp_path / "big.py").write_bytes(b"#" * (LARGE_BYTES + 1))
    (tmp_path / "small.py").write_bytes(b"#" * LARGE_BYTES)
    with talking(slow, tmp_path) as talk:
        begun = time.monotonic()
        talk.save("big.py")
        assert codes(talk.published()) == ("big.py", ["still-looking"])
        assert time.monotonic() - begun < STILL_S
        slow.go.set()
        assert codes(talk.published()) == ("big.py", ["big.py"])
        talk.save("small.py")
        assert codes(talk.published()) == ("small.py", ["small.py"])


def until(ready: Callable[[], bool]) -> None:
    for _ in range(500):
        if ready():
            return
        time.sleep(0.02)
    pytest.fail("it never came")


class Fixing(Odd):
    """A gate that has a fix for the second line."""

    def remarks(self, asked: Asked, stop: threading.Event) -> tuple[Remark, ...]:
        del asked, stop
        region = Region(start_line=2, start_column=9, end_line=2, end_column=14)
        digest = hashlib.sha256(b"# pinned\njinja2==3.1.2\n").hexdigest()
        fix = Fix(title="Upgrade jinja2 to 3.1.6", edits=(Edit(region=region, text="3.1.6"),), digest=digest)
        return (Remark(region=region, level="error", code="x", message="old", fingerprint="f" * 64, fixes=(fix,)),)


def test_a_quick_fix_is_offered_where_the_text_is_the_one_it_was_made_for(tmp_path: Path) -> None:
    uri = (tmp_path / "requirements.txt").as_uri()
    document = {"uri": uri, "languageId": "pip", "version": 1, "text": "# pinned\njinja2==3.1.2\n"}
    span = {"start": {"line": 1, "character": 0}, "end": {"line": 1, "character": 0}}
    with talking(Fixing(), tmp_path) as talk:
        talk.say("textDocument/didOpen", textDocument=document)
        context = {"diagnostics": talk.diagnostics()}
        asked = {"textDocument": {"uri": uri}, "range": span, "context": context}
        (fix,) = talk.ask(3, "textDocument/codeAction", **asked)
        assert (fix["title"], fix["kind"]) == ("Upgrade jinja2 to 3.1.6", "quickfix")
        (edit,) = fix["edit"]["changes"][uri]
        assert (edit["newText"], edit["range"]["start"]) == ("3.1.6", {"line": 1, "character": 8})
        change = {"range": {**span, "end": {"line": 2, "character": 0}}, "text": "jinja2\n"}
        talk.say("textDocument/didChange", textDocument={"uri": uri, "version": 2}, contentChanges=[change])
        assert talk.ask(4, "textDocument/codeAction", **asked) == []
        assert talk.ask(5, "textDocument/codeAction", **{**asked, "context": {"diagnostics": []}}) == []


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
