"""The language server: documents that were opened or saved go into a queue, one after the other they are gated.

Nothing is scanned on a key stroke: the first one after an answer has the scanners get ready for the save that will
come. A scan runs in a thread of its own, and the next one waits for its end: but not for long, since a file may take
minutes. A save ends the scan of the same file that is running. What it said of a file stays until the file is gated
again or closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import signal
import stat
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any, BinaryIO, TypeVar
from typing import Protocol as Port

from lsprotocol import types
from pygls.exceptions import JsonRpcException, PyglsError
from pygls.io_ import run_async
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path

from secgate.editor.gating import Asked, SupersededError, folder_of
from secgate.editor.protocol import Protocol
from secgate.editor.remarks import STILL, Remark, fault
from secgate.editor.speaking import action, diagnostic, page_at
from secgate.errors import InterruptedRunError, UsageError
from secgate.escape import plain
from secgate.version import __version__

MAX_HEADER_BYTES = 1 << 16
REST_S = 600.0
"""How long nothing may be wanted before scanners that wait are ended: each holds memory."""
PATIENCE_S = 2.0
"""How long a file waits for the scan of another before its own begins beside it."""
STILL_S = 10.0
"""How long nothing is said of a file that is being looked at: silence reads as no finding."""
LARGE_BYTES = 250_000
"""Of a larger file it is said at once: it takes scanners seconds."""
MOST_AT_ONCE = 3
"""Scans, each of which may hold hundreds of megabytes."""
MOST_UNREAD_BYTES = 1 << 26
"""How much is kept for an editor that does not read; then it counts as gone."""
LAST_WORD_S = 2.0
"""How long such an editor is waited for at the end."""
Given = TypeVar("Given")
_LOG = logging.getLogger(__name__)


class _Server(LanguageServer):
    """What pygls makes of a server, but for faults: they go to the log of the editor and hold no values."""

    def report_server_error(self, error: Exception, source: type[PyglsError | JsonRpcException]) -> None:
        """Log the kind of a fault that no request waits for."""
        del source
        self.window_log_message(
            types.LogMessageParams(type=types.MessageType.Error, message=f"secgate: {type(error).__name__}")
        )


class Gating(Port):
    """What gates a file; `Gate` is the one that does."""

    def remarks(self, asked: Asked, stop: threading.Event) -> tuple[Remark, ...]:
        """See Gate. May raise anything: it costs this file its answer, and the server nothing."""
        ...

    def expect(self, path: str) -> None:
        """See Gate."""
        ...

    def rest(self) -> None:
        """See Gate."""
        ...


class Session:
    """One editor that is served: what waits to be gated, what is being gated, what was said."""

    def __init__(self, gate: Gating) -> None:
        self.server = _Server("secgate", __version__, protocol_cls=Protocol)
        if not isinstance(self.server.protocol, Protocol):
            raise TypeError(self.server.protocol)
        self.protocol = self.server.protocol
        self.said: dict[str, tuple[Remark, ...]] = {}
        self._gate = gate
        self._waiting: dict[str, Asked] = {}
        self._running: dict[asyncio.Task[None], tuple[str, threading.Event]] = {}
        self._still: set[str] = set()
        self._typed: dict[str, str] = {}
        self._expected = ""
        self._failed: BaseException | None = None
        self._wake = asyncio.Event()
        self._told: set[str] = set()

    def want(self, uri: str, *, first: bool) -> None:
        """Queue a document, before the others for `first`; a running scan of the same one is ended."""
        path = to_fs_path(uri) if uri.startswith("file:") else None
        folder = folder_of(path, self._folders()) if path else ""
        if not path or not folder:
            self._tell(
                f"secgate does not look at {plain(uri)}: it is no file of this workspace", types.MessageType.Info
            )
            return
        self._end(uri)
        rest = {name: one for name, one in self._waiting.items() if name != uri}
        mine = {uri: Asked(path=path, folder=folder)}
        self._waiting = {**mine, **rest} if first else {**rest, **mine}
        self._wake.set()

    def expect(self, uri: str) -> None:
        """Hear that a document is being changed: once it was gated, it will be saved."""
        path = to_fs_path(uri)
        if path and uri in self.said and uri != self._expected:
            self._typed = {uri: path}
            self._wake.set()

    def forget(self, uri: str) -> None:
        """Drop a document that was closed, with what was said of it."""
        self._end(uri)
        self._waiting.pop(uri, None)
        self._typed.pop(uri, None)
        if uri == self._expected:
            self._typed = {"": ""}
            self._wake.set()
        if self.said.pop(uri, None) or uri in self._still:
            self._publish(uri, ())

    def end(self) -> None:
        """Drop whatever waits, and end what runs."""
        self._waiting.clear()
        for _, stop in self._running.values():
            stop.set()

    async def work(self, pool: ThreadPoolExecutor) -> None:
        """Gate what waits, and get ready for what will come, for ever."""
        loop = asyncio.get_running_loop()
        while self._failed is None:
            if self._waiting and len(self._running) < MOST_AT_ONCE:
                uri = next(iter(self._waiting))
                self._expected = ""
                gated = self._begun(uri, self._waiting.pop(uri), pool)
                await asyncio.wait({gated}, timeout=PATIENCE_S)
            elif self._waiting:
                await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
            elif self._typed:
                self._expected, path = self._typed.popitem()
                await loop.run_in_executor(pool, partial(self._gate.expect, path) if path else self._gate.rest)
            elif not await self._woken():
                self._expected = ""
                await loop.run_in_executor(pool, self._gate.rest)
        raise self._failed

    async def _woken(self) -> bool:
        """Wait until something is wanted; tell of a long time in which nothing was, where scanners wait."""
        self._wake.clear()
        try:
            await asyncio.wait_for(self._wake.wait(), REST_S if self._expected else None)
        except TimeoutError:
            return False
        return True

    def _begun(self, uri: str, asked: Asked, pool: ThreadPoolExecutor) -> asyncio.Task[None]:
        stop = threading.Event()
        task = asyncio.get_running_loop().create_task(self._gated(uri, asked, stop, pool))
        self._running[task] = (uri, stop)
        task.add_done_callback(self._over)
        return task

    def _over(self, task: asyncio.Task[None]) -> None:
        del self._running[task]
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failed = error
            self._wake.set()

    async def _gated(self, uri: str, asked: Asked, stop: threading.Event, pool: ThreadPoolExecutor) -> None:
        scan = asyncio.get_running_loop().run_in_executor(pool, self._gate.remarks, asked, stop)
        scan.add_done_callback(_taken)  # at the end of the session nobody waits for it
        done, _ = await asyncio.wait({scan}, timeout=0 if _is_large(asked.path) else STILL_S)
        if not done and not stop.is_set():
            self._publish(uri, (STILL, *self.said.get(uri, ())))
        await asyncio.wait({scan})
        error = scan.exception()
        if isinstance(error, SupersededError) or stop.is_set():
            return
        if error is not None:
            _LOG.error("a fault of secgate itself: %s", type(error).__name__, exc_info=error)
        told = scan.result() if error is None else (fault(error),)
        self.said[uri] = told
        self._publish(uri, told)
        for one in told:
            if not one.region.start_line and one.level in ("error", "warning"):
                kind = types.MessageType.Error if one.level == "error" else types.MessageType.Warning
                self._tell(f"secgate: {one.message}", kind)

    def _end(self, uri: str) -> None:
        for running, stop in self._running.values():
            if running == uri:
                stop.set()

    def _folders(self) -> list[str]:
        space = self.server.workspace
        uris = [*space.folders] or ([space.root_uri] if space.root_uri else [])
        return [path for uri in uris if (path := to_fs_path(uri))]

    def _publish(self, uri: str, told: Sequence[Remark]) -> None:
        (self._still.add if STILL in told else self._still.discard)(uri)
        self.server.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(uri=uri, diagnostics=[diagnostic(one) for one in told])
        )

    def _tell(self, text: str, kind: types.MessageType) -> None:
        """Log a message; what is wrong is shown too, once a session, since it would come with every save."""
        self.server.window_log_message(types.LogMessageParams(type=kind, message=text))
        if kind is not types.MessageType.Info and text not in self._told:
            self._told.add(text)
            self.server.window_show_message(types.ShowMessageParams(type=kind, message=text))


def _is_large(path: str) -> bool:
    try:
        return Path(path).stat().st_size > LARGE_BYTES
    except (OSError, ValueError):
        return False  # gone meanwhile, or no name that a file can have: the scan says which


def _session(gate: Gating) -> Session:
    session = Session(gate)
    server = session.server

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def opened(params: types.DidOpenTextDocumentParams) -> None:
        session.want(params.text_document.uri, first=False)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def saved(params: types.DidSaveTextDocumentParams) -> None:
        session.want(params.text_document.uri, first=True)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def changed(params: types.DidChangeTextDocumentParams) -> None:
        session.expect(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: types.DidCloseTextDocumentParams) -> None:
        session.forget(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    def hovered(params: types.HoverParams) -> types.Hover | None:
        return page_at(session.said.get(params.text_document.uri, ()), params.position)

    @server.feature(
        types.TEXT_DOCUMENT_CODE_ACTION, types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix])
    )
    def acted(params: types.CodeActionParams) -> list[types.CodeAction]:
        uri = params.text_document.uri
        document = server.workspace.get_text_document(uri)
        given = {one.data: one for one in params.context.diagnostics if isinstance(one.data, str)}
        able = server.client_capabilities.workspace
        is_versioned = bool(able and able.workspace_edit and able.workspace_edit.document_changes)
        made = [
            action(fix, document, given.get(one.fingerprint), is_versioned=is_versioned)
            for one in session.said.get(uri, ())
            if one.fingerprint in given
            for fix in one.fixes
        ]
        return [one for one in made if one is not None]

    @server.feature(types.SHUTDOWN)
    def ending(params: None) -> None:
        del params
        session.end()

    return session


def serve(gate: Gating, *, stdin: BinaryIO, stdout: BinaryIO, signals: Sequence[signal.Signals]) -> int:
    """Serve one editor until it says so or is gone, and give the exit code: 0, or 1 where it left without a word.

    Raises InterruptedRunError where one of `signals` came, UsageError for a stream that is no pipe. Children are gone
    at the end, however it came.
    """
    try:
        return asyncio.run(_served(gate, stdin, stdout, signals))
    except SystemExit as ended:
        # The protocol's `exit`: 0 after a `shutdown`, else 1. Source: LSP 3.17, Exit Notification.
        return ended.code if isinstance(ended.code, int) else 1


async def _served(gate: Gating, stdin: BinaryIO, stdout: BinaryIO, signals: Sequence[signal.Signals]) -> int:
    loop = asyncio.get_running_loop()
    came: asyncio.Future[signal.Signals] = loop.create_future()
    for number in signals:
        loop.add_signal_handler(number, _note, came, number)
    session = _session(gate)
    reader = asyncio.StreamReader(limit=MAX_HEADER_BYTES)
    try:
        # asyncio takes /dev/null for a pipe, and then waits for it for ever.
        if stat.S_ISCHR(os.fstat(stdin.fileno()).st_mode):
            raise ValueError(stdin)
        pipe, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), stdin)
    except ValueError as error:
        raise UsageError("stdin is no pipe", remedy="an editor starts this, and speaks to it through a pipe") from error
    protocol = session.protocol
    unheard: asyncio.Future[OSError] = loop.create_future()

    def failed(error: OSError) -> None:
        with contextlib.suppress(RuntimeError):  # the session is over meanwhile
            loop.call_soon_threadsafe(_note, unheard, error)

    writer = _Writer(stdout, failed)
    writer.start()
    protocol.set_writer(writer)
    with ThreadPoolExecutor(max_workers=MOST_AT_ONCE + 1, thread_name_prefix="secgate-editor") as pool:
        heard = asyncio.ensure_future(run_async(threading.Event(), reader, protocol, error_handler=protocol.unread))
        heard.add_done_callback(_taken)
        work = asyncio.ensure_future(session.work(pool))
        try:
            await asyncio.wait({heard, work, came, unheard}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            session.end()
            pipe.close()
            if not came.done():
                writer.finish()
    if unheard.done() and not came.done():
        raise unheard.result()
    return _ended(came, heard, work)


def _taken(heard: asyncio.Future[Any]) -> None:
    """Take what ended it, the protocol's `exit` for one, or asyncio complains that nobody did."""
    if not heard.cancelled():
        heard.exception()


def _note(came: asyncio.Future[Given], what: Given) -> None:
    if not came.done():
        came.set_result(what)


def _ended(came: asyncio.Future[signal.Signals], heard: asyncio.Future[None], work: asyncio.Future[None]) -> int:
    """Give the exit code of what ended first. Raises what went wrong; an editor that is gone is nothing wrong."""
    if came.done():
        raise InterruptedRunError(came.result())
    error = heard.exception() if heard.done() else work.exception()
    if isinstance(error, ValueError):
        raise UsageError("what came is not the Language Server Protocol", place="stdin") from error
    if error is not None and not isinstance(error, asyncio.IncompleteReadError | BrokenPipeError):
        raise error
    return 1


class _Writer(threading.Thread):
    """Standard output, by a thread of its own: an editor that does not read holds up neither signals nor answers."""

    def __init__(self, stream: BinaryIO, failed: Callable[[OSError], object]) -> None:
        # No process lives on for an editor that never reads.
        super().__init__(name="secgate-writer", daemon=True)
        self._descriptor = stream.fileno()
        self._failed = failed
        self._messages: SimpleQueue[bytes] = SimpleQueue()
        self._unread = 0
        self._lock = threading.Lock()

    def write(self, data: bytes) -> None:
        """Write one message, soon. Raises BrokenPipeError where the editor has not read for long."""
        with self._lock:
            self._unread += len(data)
            if self._unread > MOST_UNREAD_BYTES:
                raise BrokenPipeError(errno.EPIPE, "the editor does not read")
        self._messages.put(data)

    def close(self) -> None:
        """Leave the stream open: it is not the protocol's to close."""

    def run(self) -> None:
        """Write what there is, until there is an end or nobody who reads."""
        while data := self._messages.get():
            left = memoryview(data)
            try:
                while left:
                    left = left[os.write(self._descriptor, left) :]
            except OSError as error:
                self._failed(error)
                return
            with self._lock:
                self._unread -= len(data)

    def finish(self) -> None:
        """Wait for the last message, but not for an editor that does not read."""
        self._messages.put(b"")
        self.join(LAST_WORD_S)
