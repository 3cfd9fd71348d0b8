"""`secgate lsp` as an editor sees it: pygls' client against the real process, stand-ins for the scanners."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import IO

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams, JsonRpcInvalidRequest, JsonRpcMethodNotFound

from tests.editor_client import Editor, editing
from tests.product import CLEAN, KEY, WEAK, Product
from tests.unit.conftest import Git

ERROR, WARNING = types.DiagnosticSeverity.Error, types.DiagnosticSeverity.Warning
INFORMATION, HINT = types.DiagnosticSeverity.Information, types.DiagnosticSeverity.Hint


def children(product: Product) -> list[str]:
    """Give the command lines of processes that run a stand-in of this machine."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                command = (entry / "cmdline").read_bytes()
                found += [command.decode()] if os.fsencode(product.state / "tools") in command else []
    return found


async def called(product: Product, tool: str, times: int = 1) -> None:
    """Wait until a stand-in was started so many times."""
    for _ in range(3000):
        if len(product.calls(tool)) >= times:
            return
        await asyncio.sleep(0.02)
    pytest.fail(f"{tool} was never started")


@contextlib.asynccontextmanager
async def scanning(product: Product, root: Path) -> AsyncIterator[Editor]:
    """An editor that has opened app.py and whose server waits for a semgrep that never ends."""
    product.tool("semgrep", "hang")
    async with editing(product, root) as editor:
        editor.open("app.py")
        await called(product, "semgrep")
        yield editor


async def hover(editor: Editor, name: str, place: types.Position) -> str:
    asked = types.HoverParams(types.TextDocumentIdentifier(editor.uri(name)), place)
    said = await editor.client.text_document_hover_async(asked)
    assert said is not None
    assert isinstance(said.contents, types.MarkupContent)
    return said.contents.value


def test_what_is_new_is_an_error_and_what_was_there_is_information(product: Product, git: Git) -> None:
    git.commit({"old.py": WEAK, "new.py": CLEAN})

    async def work() -> None:
        async with editing(product, git.root) as editor:
            editor.open("old.py")
            (known,) = await editor.diagnostics("old.py")
            assert (known.severity, known.range.start.line, known.source) == (INFORMATION, 1, "secgate")
            editor.open("new.py")
            assert await editor.diagnostics("new.py") == []
            git.write({"new.py": WEAK})
            count = len(editor.published)
            editor.save("new.py")
            (found,) = await editor.diagnostics("new.py", after=count)
            assert (found.severity, found.range) == (
                ERROR,
                types.Range(types.Position(1, 11), types.Position(1, 16)),
            )
            assert "Code injection (high, new): blocks:" in found.message
            assert "fix: Do not evaluate input as code." in found.message
            assert isinstance(found.data, str)
            assert len(found.data) == 64
            page = await hover(editor, "new.py", found.range.start)
            assert "new_critical_or_high.rego:10 (shipped layer)" in page
            assert "Ways to green" in page
            assert editor.shown == []
            editor.close("new.py")
            assert await editor.diagnostics("new.py", after=count + 1) == []
            assert await editor.leave() == 0

    asyncio.run(work())
    assert not (git.root / ".git" / "secgate").exists(), "the ledger is read and never written"
    assert not (product.state / "last-runs").exists(), "a save takes no place of a run"


def test_scanners_stand_by_while_somebody_types_and_see_what_was_saved(product: Product, git: Git) -> None:
    git.commit({"app.py": CLEAN})

    async def work() -> None:
        async with editing(product, git.root) as editor:
            editor.open("app.py")
            assert await editor.diagnostics("app.py") == []
            assert len(product.calls("kingfisher")) == len(product.calls("bandit")) == 1
            editor.type("app.py", CLEAN + "#")
            await called(product, "kingfisher", 2)
            await called(product, "bandit", 2)
            editor.type("app.py", WEAK)
            git.write({"app.py": WEAK + f'KEY = "{KEY}"\n'})
            editor.save("app.py")
            found = await editor.diagnostics("app.py", after=1)
            assert [one.severity for one in found] == [ERROR, ERROR]
            assert len(product.calls("kingfisher")) == 2, "the one that stood by, and none more"
            editor.type("app.py", CLEAN)
            await called(product, "kingfisher", 3)
            await called(product, "bandit", 3)
            editor.close("app.py")
            for _ in range(500):
                if not children(product):
                    break
                await asyncio.sleep(0.02)
            assert children(product) == [], "nobody waits for a file that was closed"
            editor.open("app.py")
            await editor.diagnostics("app.py", after=3)
            editor.type("app.py", CLEAN)
            await called(product, "bandit", 4)
            assert await editor.leave() == 0

    asyncio.run(work())
    assert (children(product), list((product.home / "tmp").iterdir())) == ([], [])


@pytest.mark.parametrize(("profile", "kept"), [("pre-commit", True), ("release", False)])
def test_threat_08_what_was_looked_at_is_not_looked_at_again_but_where_it_counts(
    product: Product, git: Git, profile: str, kept: bool
) -> None:
    git.commit({"app.py": WEAK})

    async def work() -> None:
        async with editing(product, git.root, "--profile", profile) as editor:
            editor.open("app.py")
            first = await editor.diagnostics("app.py")
            assert len(product.calls("semgrep")) == (1 if kept else 2), "HEAD's is the same"
            editor.save("app.py")
            assert await editor.diagnostics("app.py", after=1) == first
            assert len(product.calls("semgrep")) == (1 if kept else 4)
            git.write({"app.py": "# " + WEAK + WEAK})
            editor.save("app.py")
            found = await editor.diagnostics("app.py", after=2)
            assert [one.range.start.line for one in found if one.code == "stand-in.eval"] != []
            assert len(product.calls("semgrep")) == (2 if kept else 6)

    asyncio.run(work())


def test_a_quick_fix_is_the_scanner_s_edit_of_the_bytes_that_it_saw(product: Product, git: Git) -> None:
    product.tool("semgrep", fix="int(")
    git.commit({"app.py": CLEAN})
    git.write({"app.py": WEAK})

    async def work() -> None:
        async with editing(product, git.root) as editor:
            editor.open("app.py")
            (found,) = await editor.diagnostics("app.py")
            (fix,) = await editor.fixes("app.py", found)
            assert fix.edit is not None
            assert fix.edit.changes is not None
            place = types.Range(types.Position(1, 11), types.Position(1, 15))
            assert fix.edit.changes == {editor.uri("app.py"): (types.TextEdit(place, "int"),)}
            editor.type("app.py", WEAK + "\n")
            assert await editor.fixes("app.py", found) == [], "it was made for other bytes"
            git.write({"app.py": CLEAN})
            editor.type("app.py", CLEAN)
            editor.save("app.py")
            assert await editor.diagnostics("app.py", after=1) == [], "what the fix makes of it"

    asyncio.run(work())


def test_columns_are_utf_16_whatever_the_editor_prefers(product: Product, git: Git) -> None:
    git.commit({"app.py": CLEAN})
    git.write({"app.py": 'def answer(text):\n    return "\U0001f512", eval(text)\n'})

    async def work() -> None:
        async with editing(product, git.root, encodings=("utf-8", "utf-16")) as editor:
            assert editor.hello is not None
            assert editor.hello.capabilities.position_encoding == "utf-16"
            editor.open("app.py")
            (found,) = await editor.diagnostics("app.py")
            assert found.range == types.Range(types.Position(1, 17), types.Position(1, 22))

    asyncio.run(work())


def test_what_is_staged_is_not_what_was_saved(product: Product, git: Git) -> None:
    git.commit({"app.py": CLEAN})
    git.write({"app.py": CLEAN + "# staged\n"})
    git("add", "app.py")
    git.write({"app.py": WEAK})

    async def work() -> None:
        async with editing(product, git.root) as editor:
            editor.open("app.py")
            (found,) = await editor.diagnostics("app.py")
            assert found.severity == ERROR

    asyncio.run(work())


@pytest.mark.parametrize("how", ["crash", "garbage"])
def test_a_lane_that_could_not_look_is_told(product: Product, git: Git, how: str) -> None:
    git.commit({"app.py": CLEAN})
    product.tool("semgrep", how)

    async def work() -> None:
        async with editing(product, git.root) as editor:
            editor.open("app.py")
            (found,) = await editor.diagnostics("app.py")
            assert (found.severity, found.range.start.line) == (WARNING, 0)
            assert found.message.startswith("sast: not looked at: semgrep")
            assert "INCONCLUSIVE: the lane sast" in await hover(editor, "app.py", types.Position(0, 0))
            await editor.until(lambda: bool(editor.shown))
            editor.save("app.py")
            await editor.diagnostics("app.py", after=1)
            assert editor.shown == [f"secgate: {found.message}"], "shown once, however often it is saved"

    asyncio.run(work())


def test_what_nobody_looks_at_is_told(product: Product, git: Git) -> None:
    files = {"go.mod": "module x\n", "main.go": "package main\n", "out/a.py": WEAK, "secgate.toml": SETTINGS}
    git.commit({**files, "requirements.txt": "jinja2==3.1.6\n"})
    (git.root / "link.py").symlink_to("out/a.py")

    async def work() -> None:
        async with editing(product, git.root) as editor:
            for name, code, said in (
                ("main.go", "unsupported", "no shipped rules for Go"),
                ("out/a.py", "left-out", "excluded (out/)"),
                ("link.py", "left-out", "link"),
                ("requirements.txt", "not-asked", "the profile pre-commit does not ask for it"),
            ):
                editor.open(name)
                found = await editor.diagnostics(name)
                assert [one.code for one in found] == [code], name
                assert said in found[0].message

    asyncio.run(work())


SETTINGS = 'version = 1\nexclude = ["out/"]\n'


LOOKED_OVER = """
import sys, threading
from pathlib import Path
from secgate import editor, preparation
from secgate.cli.options import machine, moment

root, before, since = Path(sys.argv[1]), [], []

def met(frame, event, _):
    # What looks a type over when it is met for the first time; the other caller only asks for the names of fields.
    if event == "call" and frame.f_code.co_name == "get_class_annotations" and frame.f_back.f_code.co_name != "fields":
        kind, names = frame.f_locals["obj"].__name__, set()
        while frame := frame.f_back:
            names.add(frame.f_code.co_name)
        (before if "build_types" in names else since).append(kind)

threading.setprofile(met)
sys.setprofile(met)
here, said = machine(), 0
with preparation.Kept(here) as kept:
    gate = editor.Gate(preparation.RunRequest(profile="pull-request"), machine=here, clock=moment, kept=kept)
    for name in sys.argv[2:]:
        said += len(gate.remarks(editor.Asked(path=str(root / name), folder=str(root)), threading.Event()))
sys.setprofile(None)
print(said, len(set(before)), *sorted(set(since)))
"""


def test_no_type_is_met_for_the_first_time_where_another_run_may_meet_it(product: Product, git: Git) -> None:
    files = {
        "app.py": WEAK,
        "keys.py": f'KEY = "{KEY}"\n',
        "main.tf": 'resource "aws_s3_bucket" "b" {\n  acl = "public-read"\n}\n',
        "requirements.txt": "requests==2.0.0\n",
        ".github/workflows/ci.yml": "on: push\njobs: {}\n",
    }
    git.init()
    git.commit(files)
    ended = subprocess.run(
        [sys.executable, "-c", LOOKED_OVER, str(git.root), *files],
        env={**product.env, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=True,
    )
    remarks, early, *late = ended.stdout.split()
    assert (int(remarks) > 0, int(early) > 100, late) == (True, True, [])


def test_a_save_ends_the_scan_of_the_same_file(product: Product, git: Git) -> None:
    git.commit({"app.py": CLEAN})

    async def work() -> None:
        async with scanning(product, git.root) as editor:
            (hanging,) = [one for one in children(product) if "semgrep" in one]
            product.tool("semgrep")
            git.write({"app.py": WEAK})
            editor.save("app.py")
            (found,) = await editor.diagnostics("app.py")
            assert found.severity == ERROR
            assert hanging not in children(product)
            assert len(editor.published) == 1, "nothing is said of what was never finished"

    asyncio.run(work())


def test_a_scan_that_takes_long_holds_up_no_other_file(product: Product, git: Git) -> None:
    git.commit({"app.py": CLEAN, "next.py": CLEAN})
    git.write({"next.py": WEAK})

    async def work() -> None:
        async with scanning(product, git.root) as editor:
            product.tool("semgrep")
            editor.save("next.py")
            (found,) = await editor.diagnostics("next.py")
            assert "Code injection" in await hover(editor, "next.py", found.range.start)
            assert [one for one in children(product) if "semgrep" in one], "the other goes on"
            assert await editor.leave() == 0

    asyncio.run(work())
    assert (children(product), list((product.home / "tmp").iterdir())) == ([], [])


def test_closing_a_file_ends_its_scan(product: Product, git: Git) -> None:
    git.commit({"app.py": CLEAN, "next.py": CLEAN})

    async def work() -> None:
        async with scanning(product, git.root) as editor:
            product.tool("semgrep")
            editor.open("next.py")
            editor.close("app.py")
            assert await editor.diagnostics("next.py") == []
            assert [one.uri for one in editor.published] == [editor.uri("next.py")]

    asyncio.run(work())


def test_threat_14_files_outside_of_the_workspace_are_refused(product: Product, git: Git, tmp_path: Path) -> None:
    git.commit({"app.py": CLEAN})
    (outside := tmp_path / "outside").mkdir()
    (outside / "secret.py").write_text(WEAK)
    (git.root / "way-out").symlink_to(outside)

    async def work() -> None:
        async with editing(product, git.root) as editor:
            for uri in (
                (outside / "secret.py").as_uri(),
                editor.uri("way-out/secret.py"),
                f"{git.root.as_uri()}/../outside/secret.py",
                "untitled:Untitled-1",
                "http://127.0.0.1/app.py",
            ):
                count = len(editor.logged)
                document = types.TextDocumentItem(uri, "python", 1, WEAK)
                editor.client.text_document_did_open(types.DidOpenTextDocumentParams(document))
                await editor.until(lambda seen=count: len(editor.logged) > seen)  # type: ignore[misc]
                assert "is no file of this workspace" in editor.logged[-1]
            editor.open("app.py")
            await editor.diagnostics("app.py")
            assert [one.uri for one in editor.published] == [editor.uri("app.py")]

    asyncio.run(work())


def test_settings_that_are_wrong_are_told_and_the_server_lives_on(product: Product, git: Git) -> None:
    git.commit({"app.py": CLEAN, "secgate.toml": "version = 1\nprofil = 1\n"})

    async def work() -> None:
        async with editing(product, git.root) as editor:
            editor.open("app.py")
            (found,) = await editor.diagnostics("app.py")
            assert (found.severity, found.code) == (ERROR, "not-judged")
            assert "profil" in found.message
            git.commit({"secgate.toml": "version = 1\n"})
            editor.save("app.py")
            assert await editor.diagnostics("app.py", after=1) == []

    asyncio.run(work())


def test_threat_12_no_secret_is_told(product: Product, git: Git) -> None:
    git.commit({"app.py": CLEAN})
    git.write({"app.py": f'KEY = "{KEY}"\n'})

    async def work() -> None:
        async with editing(product, git.root) as editor:
            editor.open("app.py")
            found = await editor.diagnostics("app.py")
            assert [one.severity for one in found] == [ERROR]
            page = await hover(editor, "app.py", found[0].range.start)
            assert KEY not in page + found[0].message + "".join(editor.logged + editor.shown)

    asyncio.run(work())


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_the_server_and_its_scan(product: Product, git: Git, number: signal.Signals, code: int) -> None:
    git.commit({"app.py": CLEAN})

    async def work() -> None:
        async with scanning(product, git.root) as editor:
            editor.process.send_signal(number)
            assert await editor.ended() == code

    asyncio.run(work())
    assert (children(product), list((product.home / "tmp").iterdir())) == ([], [])


def test_an_editor_that_is_gone_leaves_nothing_behind(product: Product, git: Git) -> None:
    git.commit({"app.py": CLEAN})

    async def work() -> None:
        async with scanning(product, git.root) as editor:
            assert editor.process.stdin is not None
            assert editor.process.stderr is not None
            editor.process.stdin.close()
            assert (await editor.ended(), await editor.process.stderr.read()) == (1, b"")

    asyncio.run(work())
    assert (children(product), list((product.home / "tmp").iterdir())) == ([], [])


def test_an_editor_that_no_longer_listens_is_gone_though_it_speaks_on(product: Product, git: Git) -> None:
    git.commit({"app.py": CLEAN})
    env = {**product.env, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-m", "secgate", "lsp"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdout.close()
        body = b'{"jsonrpc": "2.0", "id": 1, "method": "textDocument/hover", "params": {}}'
        server.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        server.stdin.flush()
        assert server.wait(60) == 141, "as of any writer into a pipe that nobody reads"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (None, 1)])
def test_an_editor_that_does_not_read_holds_up_no_end(
    product: Product, number: signal.Signals | None, code: int
) -> None:
    env = {**product.env, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-m", "secgate", "lsp"]
    body = b'{"jsonrpc": "2.0", "id": 1, "method": "textDocument/hover", "params": {}}'
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        room = fcntl.fcntl(server.stdout, fcntl.F_GETPIPE_SZ)
        server.stdin.write((b"Content-Length: %d\r\n\r\n" % len(body) + body) * (room // 100))
        server.stdin.flush()
        while full(server.stdout) < room - select.PIPE_BUF:
            time.sleep(0.02)
        if number is None:
            server.stdin.close()
        else:
            server.send_signal(number)
        try:
            assert server.wait(60) == code
        finally:
            server.kill()


def full(pipe: IO[bytes]) -> int:
    """Give how many bytes wait in a pipe to be read."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, b"1234"), sys.byteorder)


def test_a_name_that_no_file_can_have_costs_its_own_answer_alone(product: Product, git: Git) -> None:
    git.commit({"app.py": CLEAN})

    async def work() -> None:
        async with editing(product, git.root) as editor:
            odd = types.DidSaveTextDocumentParams(types.TextDocumentIdentifier(f"{editor.uri('a')}%00b"))
            editor.client.text_document_did_save(odd)
            await editor.until(lambda: bool(editor.published))
            (told,) = editor.published[0].diagnostics
            assert told.severity == ERROR
            editor.open("app.py")
            assert await editor.diagnostics("app.py") == []
            assert await editor.leave() == 0

    asyncio.run(work())


def test_a_client_hears_what_it_did_wrong(product: Product, git: Git) -> None:
    git.commit({"app.py": CLEAN})

    async def refused(editor: Editor, method: str, params: object) -> int:
        with pytest.raises(JsonRpcException) as raised:
            await asyncio.wait_for(editor.client.protocol.send_request_async(method, params), 60)
        return raised.value.code

    async def work() -> None:
        async with editing(product, git.root) as editor:
            assert await refused(editor, "no/such", {}) == JsonRpcMethodNotFound.CODE
            document = types.TextDocumentIdentifier(editor.uri("app.py"))
            odd = types.ExecuteCommandParams("no-such")
            assert await refused(editor, "workspace/executeCommand", odd) == JsonRpcInvalidParams.CODE
            editor.open("app.py")
            assert await editor.diagnostics("app.py") == []
            await editor.client.shutdown_async(None)
            asked = types.HoverParams(document, types.Position(0, 0))
            assert await refused(editor, "textDocument/hover", asked) == JsonRpcInvalidRequest.CODE
            editor.client.exit(None)
            assert await editor.ended() == 0

    asyncio.run(work())


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        (b"", 1, ""),
        (b"nonsense\r\n\r\n", 1, ""),
        (b"Content-Length: 999\r\n\r\n{}", 1, ""),
        (b"x" * 200_000, 2, "secgate: stdin: what came is not the Language Server Protocol\n"),
    ],
)
def test_nonsense_ends_without_a_fault(product: Product, given: bytes, code: int, said: str) -> None:
    command = [sys.executable, "-m", "secgate", "lsp"]
    env = {**product.env, "PYTHONPATH": str(Path(__file__).parents[2])}
    ended = subprocess.run(command, input=given, capture_output=True, env=env, check=False, timeout=60)
    assert (ended.returncode, ended.stdout, ended.stderr.decode()) == (code, b"", said)


def test_without_the_extra_it_says_what_to_install(product: Product) -> None:
    text = "import sys; sys.modules['pygls'] = None; sys.argv[1:] = ['lsp']; from secgate.cli import main; main()"
    env = {**product.env, "PYTHONPATH": str(Path(__file__).parents[2])}
    ended = subprocess.run([sys.executable, "-c", text], input="", capture_output=True, env=env, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert (
        ended.stderr
        == "secgate: the extra `lsp` is not installed\n  try: pip install '.[lsp]' in the clone of secgate\n"
    )
