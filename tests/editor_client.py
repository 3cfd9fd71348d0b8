"""An editor for tests: pygls' own client, over the pipes of a real `secgate lsp`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from lsprotocol import types
from pygls.lsp.client import LanguageClient

from tests.product import Product

WAIT_S = 60.0


class Editor:
    """What an editor knows: the diagnostics of each document as published, and what it was told."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.client = LanguageClient("tests", "1")
        self.published: list[types.PublishDiagnosticsParams] = []
        self.shown: list[str] = []
        self.logged: list[str] = []
        self.hello: types.InitializeResult | None = None
        self._news = asyncio.Event()

        @self.client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)  # type: ignore[untyped-decorator] # so does pygls leave it
        def published(params: types.PublishDiagnosticsParams) -> None:
            self.published.append(params)
            self._news.set()

        @self.client.feature(types.WINDOW_SHOW_MESSAGE)  # type: ignore[untyped-decorator] # so does pygls leave it
        def shown(params: types.ShowMessageParams) -> None:
            self.shown.append(params.message)
            self._news.set()

        @self.client.feature(types.WINDOW_LOG_MESSAGE)  # type: ignore[untyped-decorator] # so does pygls leave it
        def logged(params: types.LogMessageParams) -> None:
            self.logged.append(params.message)
            self._news.set()

    def uri(self, name: str) -> str:
        """Give the address of a file of the workspace."""
        return (self.root / name).as_uri()

    async def initialise(self, encodings: Sequence[str]) -> None:
        """Say hello, with one workspace folder, and the columns that this editor would rather have."""
        wanted = [types.PositionEncodingKind(one) for one in encodings]
        general = types.GeneralClientCapabilities(position_encodings=wanted) if wanted else None
        folder = types.WorkspaceFolder(uri=self.root.as_uri(), name="tree")
        hello = types.InitializeParams(
            capabilities=types.ClientCapabilities(general=general),
            root_uri=self.root.as_uri(),
            workspace_folders=[folder],
        )
        self.hello = await asyncio.wait_for(self.client.initialize_async(hello), WAIT_S)
        self.client.initialized(types.InitializedParams())

    def open(self, name: str) -> None:
        """Open a file as it lies on the disk."""
        text = (self.root / name).read_text()
        self.client.text_document_did_open(
            types.DidOpenTextDocumentParams(types.TextDocumentItem(self.uri(name), "python", 1, text))
        )

    def save(self, name: str) -> None:
        """Say that a file was saved."""
        self.client.text_document_did_save(
            types.DidSaveTextDocumentParams(types.TextDocumentIdentifier(self.uri(name)))
        )

    def type(self, name: str, text: str) -> None:
        """Change a file in the editor, not on the disk."""
        document = types.VersionedTextDocumentIdentifier(version=2, uri=self.uri(name))
        change = types.TextDocumentContentChangeWholeDocument(text=text)
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(document, [change]))

    def close(self, name: str) -> None:
        """Close a file."""
        self.client.text_document_did_close(
            types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(self.uri(name)))
        )

    async def fixes(self, name: str, found: types.Diagnostic) -> list[types.CodeAction]:
        """Ask for the quick fixes of what was published."""
        document = types.TextDocumentIdentifier(self.uri(name))
        asked = types.CodeActionParams(document, found.range, types.CodeActionContext([found]))
        said = await self.client.text_document_code_action_async(asked)
        return [one for one in said or () if isinstance(one, types.CodeAction)]

    async def until(self, ready: Callable[[], bool]) -> None:
        """Wait until something has come."""

        async def come() -> None:
            while not ready():
                self._news.clear()
                await self._news.wait()

        await asyncio.wait_for(come(), WAIT_S)

    async def diagnostics(self, name: str, *, after: int = 0) -> list[types.Diagnostic]:
        """Give what was published of a file last, once more than `after` messages about anything have come."""
        mine: list[types.PublishDiagnosticsParams] = []

        def come() -> bool:
            mine[:] = [one for one in self.published[after:] if one.uri == self.uri(name)]
            return bool(mine)

        await self.until(come)
        return list(mine[-1].diagnostics)

    async def leave(self) -> int:
        """Say goodbye as the protocol wants it and give the exit code."""
        await asyncio.wait_for(self.client.shutdown_async(None), WAIT_S)
        self.client.exit(None)
        return await self.ended()

    async def ended(self) -> int:
        """Wait until the server is gone and give its exit code."""
        server = self.process
        return await asyncio.wait_for(server.wait(), WAIT_S)

    @property
    def process(self) -> asyncio.subprocess.Process:
        """The server's process."""
        server = self.client._server
        assert server is not None
        return server


@asynccontextmanager
async def editing(
    product: Product, root: Path, *arguments: str, encodings: Sequence[str] = (), **env: str
) -> AsyncIterator[Editor]:
    """Start a server on a machine and say hello; whatever happens, it is gone at the end."""
    editor = Editor(root)
    await editor.client.start_io(
        sys.executable,
        *("-m", "secgate", "lsp", *arguments),
        cwd=product.home,
        env={**product.env, "PYTHONPATH": str(Path(__file__).parents[1]), **env},
    )
    try:
        await editor.initialise(encodings)
        yield editor
    finally:
        if editor.process.returncode is None:
            editor.process.kill()
        stopped = editor.client.stop()  # type: ignore[no-untyped-call] # so does pygls leave it
        await asyncio.wait_for(stopped, WAIT_S)
