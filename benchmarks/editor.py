"""How long an editor waits for a saved file: the real `secgate lsp` over a small made project, spoken to by a client.

    python benchmarks/editor.py [--saves 9]

For each kind of file: the first answer after it was opened, the answer to a save without a key stroke before it (the
scanners start then), and to a save after some typing (they stand by). Processor time is that of the server and of all
that it started, from the save before to this one, what waits included.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lsprotocol import types
from pygls.lsp.client import LanguageClient

MODULE = '"""Queries."""\n\nimport json\n\n\n' + "".join(
    f"def get_{number}(folder, name):\n    found = (folder / name).read_text()\n"
    "    return json.loads(found) if found else None\n\n\n"
    for number in range(15)
)
SCRIPT = "const app = require('express')()\n" + "".join(
    f"app.get('/x{number}', (req, res) => {{ res.json({{ ok: {number} }}) }})\n" for number in range(60)
)
FILES = {
    "clean.py": MODULE,
    "weak.py": MODULE + "def answer(text):\n    return eval(text)\n",
    "app.js": SCRIPT,
    "weak.ts": SCRIPT + "app.get('/weak', (req, res) => { res.send(eval(req.query.a)) })\n",
    "main.tf": 'resource "aws_s3_bucket" "a" {\n  bucket = "x"\n  acl = "public-read"\n}\n',
    ".github/workflows/ci.yml": (
        "on: [push, pull_request_target]\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n"
        "      - uses: actions/checkout@v4\n      - run: echo ${{ github.event.pull_request.title }}\n"
    ),
    "requirements.txt": "flask==0.12\njinja2==2.10\n",
    **{f"shop/m{number}.py": MODULE for number in range(30)},
}
MEASURED = ("clean.py", "weak.py", "app.js", "weak.ts", "main.tf", ".github/workflows/ci.yml", "requirements.txt")
COMMENT = {".js": "//", ".ts": "//"}


class Editor:
    """A client of one server, and what it hears."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.client = LanguageClient("benchmark", "1")
        self._told: asyncio.Queue[int] = asyncio.Queue()

        @self.client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)  # type: ignore[untyped-decorator] # pygls leaves it so
        def published(params: types.PublishDiagnosticsParams) -> None:
            self._told.put_nowait(len(params.diagnostics))

    async def start(self, *arguments: str) -> None:
        """Start the server and say hello."""
        await self.client.start_io(sys.executable, "-m", "secgate", "lsp", *arguments, cwd=str(self.root))
        folder = types.WorkspaceFolder(uri=self.root.as_uri(), name="tree")
        hello = types.InitializeParams(capabilities=types.ClientCapabilities(), workspace_folders=[folder])
        await self.client.initialize_async(hello)
        self.client.initialized(types.InitializedParams())

    def processor_s(self) -> float:
        """Give the processor time of the server and of what it waited for."""
        server = self.client._server  # noqa: SLF001 - pygls has no other word for it
        if server is None:
            raise SystemExit("the server is gone")
        fields = Path(f"/proc/{server.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")

    async def answer(self, say: str, name: str, number: int = 0) -> float:
        """Open or save a file and give the seconds until something is published."""
        uri = (self.root / name).as_uri()
        begun = time.monotonic()
        if say == "open":
            text = (self.root / name).read_text()
            document = types.TextDocumentItem(uri, "text", 1, text)
            self.client.text_document_did_open(types.DidOpenTextDocumentParams(document))
        else:
            with (self.root / name).open("a") as file:
                file.write(f"{COMMENT.get(Path(name).suffix, '#')} {number}\n")
            begun = time.monotonic()
            self.client.text_document_did_save(types.DidSaveTextDocumentParams(types.TextDocumentIdentifier(uri)))
        await self._told.get()
        return time.monotonic() - begun

    def type(self, name: str, number: int) -> None:
        """Change a file in the editor alone."""
        document = types.VersionedTextDocumentIdentifier(version=number, uri=(self.root / name).as_uri())
        change = types.TextDocumentContentChangeWholeDocument(text="")
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(document, [change]))


async def measure(root: Path, saves: int, typing_s: float) -> None:
    """Print a row for each kind of file."""
    editor = Editor(root)
    await editor.start("--offline")
    await editor.answer("open", "README.md")
    print("| file | opened | saved, no key before | saved after typing | processor a save |")
    for name in MEASURED:
        opened = await editor.answer("open", name)
        plain = [await editor.answer("save", name, number) for number in range(saves)]
        ready, spent = [], []
        for number in range(saves):
            before = editor.processor_s()
            editor.type(name, number + 2)
            await asyncio.sleep(typing_s)
            ready.append(await editor.answer("save", name, number + saves))
            spent.append(editor.processor_s() - before)
        cells = [f"{statistics.median(one):.2f} s" for one in (plain, ready, spent)]
        print(f"| {name} | {opened:.2f} s | {' | '.join(cells)} |", flush=True)
    await editor.client.shutdown_async(None)
    editor.client.exit(None)
    await editor.client.stop()  # type: ignore[no-untyped-call] # pygls leaves it so


def main() -> None:
    """Make the project and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--saves", type=int, default=9)
    parser.add_argument("--typing-s", type=float, default=1.5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name).resolve() / "shop"
        for path, text in {**FILES, "README.md": "# shop\n"}.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        git = shutil.which("git") or "git"
        identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        for arguments in (("init", "-q"), ("add", "-A"), (*identity, "commit", "-qm", "first")):
            subprocess.run([git, "-C", str(root), *arguments], check=True)
        print(f"load {os.getloadavg()[0]:.1f} before", file=sys.stderr)
        asyncio.run(measure(root, given.saves, given.typing_s))
        print(f"load {os.getloadavg()[0]:.1f} after", file=sys.stderr)


if __name__ == "__main__":
    main()
