"""The command line: the edge where time, environment, signals and exit codes are. No logic lives here.

Data goes to stdout, talk to stderr. Commands are imported when they are used, so that `secgate --version` answers at
once.
"""

from __future__ import annotations

import gc
import importlib
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from secgate.cli.signals import INTERRUPTS, SignalError
from secgate.errors import InterruptedRunError, SecgateError, UsageError
from secgate.version import __version__

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COLLECT_AFTER = 1_000_000
"""Objects made beyond those given back before Python looks for cycles. There are none among the values of a run, nor in
the syntax trees that come and go: with Python's own 700 a tenth of a large run was spent on looking for them, and with
100,000 a fifth of one over large files: the tree of a file of a megabyte has 400,000 objects."""

REPORT_TO = "https://github.com/secgate/secgate/issues"

_COMMANDS = {
    "init": ("secgate.cli.init", "Set up a repository: settings, hooks, a workflow."),
    "run": ("secgate.cli.run", "Scan a tree and decide: pass, fail or could not tell."),
    "hook": ("secgate.cli.hook", "Judge the files that pre-commit names."),
    "lsp": ("secgate.cli.lsp", "Serve an editor: findings of the file that was saved."),
    "scan": ("secgate.cli.run", "Scan a tree and write SARIF; judge nothing."),
    "check": ("secgate.cli.check", "Judge SARIF files made by any tool."),
    "show": ("secgate.cli.show", "Show an earlier run."),
    "history": ("secgate.cli.history", "Tell what is recorded of a finding."),
    "explain": ("secgate.cli.history", "Tell why something blocks, and the ways to green."),
    "diff": ("secgate.cli.history", "Tell what differs between two recorded runs."),
    "sla": ("secgate.cli.sla", "List what is open and until when."),
    "notify": ("secgate.cli.notify", "Tell people of what is open, near its end or overdue."),
    "baseline": ("secgate.cli.baseline", "Give known debt limits of its own, signed."),
    "policy": ("secgate.cli.policy", "Look over, test and compare policies."),
    "doctor": ("secgate.cli.doctor", "Say what is installed and what this tree needs."),
    "config": ("secgate.cli.config", "Look over settings, and show where each value comes from."),
    "completion": ("secgate.cli.completion", "Write the script by which a shell completes."),
    "tools": ("secgate.cli.tools", "Install, list and remove tool environments."),
    "advisories": ("secgate.cli.advisories", "Fill and inspect the local advisory database."),
    "coverage": ("secgate.cli.coverage", "Have a gap in coverage let pass for a while."),
    "waiver": ("secgate.cli.waiver", "Ask for, approve, revoke and list waivers."),
    "override": ("secgate.cli.override", "Break the glass: let a line pass for some hours, loudly."),
    "downgrade": ("secgate.cli.downgrade", "Have a finding count for less, approved by another."),
    "import": ("secgate.cli.imports", "Turn other tools' exceptions into requests for waivers."),
    "evidence": ("secgate.cli.evidence", "Test assertions over a period, with lists from outside."),
    "review": ("secgate.cli.review", "Sign for a review of the gate, and list them."),
    "metrics": ("secgate.cli.metrics", "Count what ledgers hold, for dashboards."),
    "sbom": ("secgate.cli.sbom", "Write a bill of materials in CycloneDX."),
    "report": ("secgate.cli.report", "Write evidence over a period for an auditor to test."),
    "attest": ("secgate.cli.attest", "Sign what a run said, or check what was signed."),
    "keys": ("secgate.cli.keys", "Make, replace, revoke and list keys of people and machines."),
    "ledger": ("secgate.cli.ledger", "Make and verify a ledger."),
    "help": ("secgate.cli.help", "Show how a command is called, as --help behind it does."),
}


class _LazyGroup(click.Group):
    """A group whose commands are imported when they are called; their help lines stand here."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(_COMMANDS[cmd_name][0])
        command = getattr(module, f"{cmd_name}_command")
        if not isinstance(command, click.Command):
            raise TypeError(cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; for an unknown one name those like it, which click looks for where there are none."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from difflib import get_close_matches

            like = get_close_matches(args[0], _COMMANDS)
            if not like or args[0].startswith("-"):
                raise
            raise click.UsageError(f"{error.message.rstrip('.')}. Did you mean {' or '.join(like)}?", ctx) from error

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Offer commands by the lines that stand here: none is imported for that."""
        from click.shell_completion import CompletionItem

        found = [
            CompletionItem(name, help=text) for name, (_, text) in _COMMANDS.items() if name.startswith(incomplete)
        ]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="%(prog)s %(version)s")
def cli() -> None:
    """Gate a tree: scan it, judge it with Rego policies, keep the evidence.

    Exit codes: 0 pass, 1 fail, 2 usage or configuration error, 3 could not tell (a lane was not covered), 4 the policy
    could not decide, 5 ledger error, 70 a fault of secgate, 130 or 143 interrupted.
    """
    try:
        Path.cwd()
    except FileNotFoundError as error:
        raise UsageError("the current folder is gone", remedy="change to one that is there") from error


def main() -> NoReturn:
    """Run the command line and end the process with the exit code of what happened."""
    gc.set_threshold(COLLECT_AFTER)
    _fill_closed()
    INTERRUPTS.install()
    try:
        code = _guarded()
    except OSError:
        from secgate.cli.options import let_go

        # stderr takes nothing either, so nobody can be told: not by 1, which would read as the policy's no.
        let_go(sys.stderr)
        code = 70
    sys.exit(code)


def _fill_closed() -> None:
    """Put the void where a standard stream is closed: the next file, a ledger maybe, would get its number."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            void = os.open(os.devnull, os.O_RDWR)
            os.dup2(void, number)
            if void != number:
                os.close(void)
            setattr(sys, name, open(number, "w" if number else "r", encoding="utf-8", closefd=False))  # noqa: SIM115 - a standard stream stays open


def _guarded() -> int:
    try:
        code = cli.main(standalone_mode=False)
        sys.stdout.flush()
        INTERRUPTS.check()
    except (click.exceptions.Exit, click.ClickException, click.Abort) as error:
        return _of_click(error)
    except SignalError as error:
        return _interrupted(error.number)
    except SecgateError as error:
        return _say(error, error.exit_code)
    except BrokenPipeError:
        return _reader_gone()
    except SystemExit as ended:
        # click ends the process with 1 when a reader went away, which would read as the policy's no, and when a shell
        # asked for completions. Whatever else ends it, somebody's plug-in for one, decides nothing.
        gone = isinstance(ended.__context__, BrokenPipeError)
        code = _reader_gone() if gone else ended.code if "_SECGATE_COMPLETE" in os.environ else _fault(ended)
    except Exception as error:  # noqa: BLE001 - the outermost edge: a fault of ours is exit 70, never 1, never silent
        return _unforeseen(error)
    return code if isinstance(code, int) else 0 if code is None else 70


def _reader_gone() -> int:
    """Keep the interpreter from complaining at its end, and give the code of a process that SIGPIPE ended."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 141


def _unforeseen(error: Exception) -> int:
    """Tell a stdout that takes nothing, on a full disk for one, from a fault of ours, by who wrote when it failed."""
    if INTERRUPTS.received:
        return _interrupted(INTERRUPTS.received)
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    writing = at is not None and at.tb_frame.f_code in (click.echo.__code__, _guarded.__code__)
    if not (writing and isinstance(error, OSError)):
        return _fault(error)
    from secgate.cli.options import let_go, unwritable

    let_go(sys.stdout)
    return _say(unwritable(error), UsageError.exit_code)


def _of_click(error: click.exceptions.Exit | click.ClickException | click.Abort) -> int:
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, click.ClickException):
        error.show(sys.stderr)
        return 2
    return _interrupted(INTERRUPTS.received or signal.SIGINT)


def _interrupted(number: int) -> int:
    return _say(InterruptedRunError(number), 128 + number)


def _say(error: SecgateError, code: int) -> int:
    from secgate.cli.options import said_on_stderr

    for position, line in enumerate(error.diagnostics()):
        said_on_stderr(line, head="secgate: " if position == 0 else "  ")
    return code


def _fault(error: BaseException) -> int:
    import traceback

    from secgate.escape import plain

    click.echo(f"secgate: a fault of secgate itself: {type(error).__name__}: {plain(str(error))}", err=True)
    click.echo(f"  nothing was decided; please report it at {REPORT_TO} with the lines below", err=True)
    for frame in traceback.extract_tb(error.__traceback__)[-8:]:
        # Names and lines of our own code only: values could hold secrets of the scanned tree.
        place = "/".join(Path(frame.filename).parts[-2:])
        click.echo(f"    {place}:{frame.lineno} {frame.name}", err=True)
    return 70
