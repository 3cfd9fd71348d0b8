"""`secgate lsp`: a language server for editors."""

from __future__ import annotations

import sys
from typing import Any

import click

from secgate.cli.help import Command
from secgate.cli.options import lsp_options, machine, moment
from secgate.cli.signals import SIGNALS, SignalError
from secgate.errors import InterruptedRunError, UsageError


@click.command(
    "lsp",
    cls=Command,
    examples=("secgate lsp --profile pull-request",),
)
@lsp_options
def lsp_command(**options: Any) -> int:
    """Serve an editor over stdin and stdout: gate each file that is opened or saved, and show what it holds.

    It speaks the Language Server Protocol. A file is measured by HEAD: what is new and would stop a commit is an
    error, what was there before is information. The profile is pre-commit unless another is named. The ledger is read
    and never written, and nothing is sent anywhere.

    It needs the extra `lsp`: pip install '.[lsp]' in its clone. It exits 0 after the protocol's shutdown, and 1 where
    the editor went away without one.
    """
    try:
        from secgate import editor
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("lsprotocol", "pygls"):
            raise
        raise UsageError(
            "the extra `lsp` is not installed", remedy="pip install '.[lsp]' in the clone of secgate"
        ) from error
    from secgate.preparation import Kept, RunRequest

    if sys.stdin.isatty():
        raise UsageError(
            "stdin is a terminal", remedy="let an editor start it: docs/editor.md says how; `secgate run` is for people"
        )
    given = {key: value for key, value in options.items() if value is not None}
    request = RunRequest(**{"profile": "pre-commit", **given})
    here = machine()
    try:
        with Kept(here) as kept:
            gate = editor.Gate(request, machine=here, clock=moment, kept=kept)
            return editor.serve(gate, stdin=sys.stdin.buffer, stdout=sys.stdout.buffer, signals=SIGNALS)
    except InterruptedRunError as error:
        raise SignalError(error.signal_number) from error
