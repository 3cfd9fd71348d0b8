"""What several commands share: the machine, the moment, options, progress and output files."""

from __future__ import annotations

import math
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO, TypeVar

import click

from secgate.cli.completing import complete_format, complete_profile, complete_scanner
from secgate.config import Machine, process_environment, this_machine
from secgate.errors import UsageError
from secgate.escape import plain
from secgate.ports import Rendered
from secgate.replacing import replace_file

Command = TypeVar("Command", bound=Callable[..., Any])


class _Days(click.FloatRange):
    """A length of time in days, more than none, that can be taken from a date."""

    def __init__(self) -> None:
        super().__init__(min=0, min_open=True, max=36_500)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Give the number, which `nan` is not."""
        days: float = super().convert(value, param, ctx)
        if math.isnan(days):
            self.fail(f"{value!r} is no number of days.", param, ctx)
        return days


DAYS = _Days()


def machine() -> Machine:
    """Give what commands know of the machine they run on."""
    return this_machine(process_environment())


def moment() -> datetime:
    """Give the one reading of the clock that a command works with."""
    return datetime.now(tz=UTC)


def run_options(command: Command) -> Command:
    """Add the options that `run` and `scan` share."""
    return _with(
        command,
        click.argument("path", default=".", type=click.Path()),
        click.option(
            "--changed-since",
            metavar="REF",
            help="Judge what changed since the merge base with REF: a branch, a tag or a commit.",
        ),
        click.option("--staged", is_flag=True, help="Judge what is staged, from the index."),
        *_JUDGED_BY,
        click.option(
            "--ref", metavar="REF", help="The branch or tag that is judged; by default CI's, else what is checked out."
        ),
        click.option(
            "--scope",
            type=click.Choice(("protected", "change", "local")),
            help="What the run counts as, and so what blocks; by default what CI says, else local.",
        ),
        click.option(
            "--artifact", "artifacts", multiple=True, metavar="DIGEST", help="sha256:… of what was built; repeatable."
        ),
        _JOBS,
    )


def hook_options(command: Command) -> Command:
    """Add the options of a hook, which is told by its caller what is judged."""
    return _with(
        command,
        click.argument("files", nargs=-1, type=click.Path()),
        *_JUDGED_BY,
        POLICY,
        FORMAT,
        _JOBS,
    )


def lsp_options(command: Command) -> Command:
    """Add the options of the language server, which is told by its editor what is judged."""
    return _with(command, _profile("pre-commit"), *_JUDGED_BY[1:], POLICY, _JOBS)


def _profile(default: str) -> Callable[[Command], Command]:
    return click.option(
        "--profile",
        metavar="NAME",
        shell_complete=complete_profile,
        help="Which lanes are asked for: pre-commit, pull-request, release, audit, or one of your own. By default "
        f"{default}.",
    )


def _with(command: Command, *options: Callable[[Command], Command]) -> Command:
    for option in reversed(options):
        command = option(command)
    return command


_JUDGED_BY = (
    _profile("the settings say it"),
    click.option(
        "--scanner",
        "scanners",
        multiple=True,
        metavar="NAME",
        shell_complete=complete_scanner,
        help="Run only this one; repeatable. Lanes still ask for all.",
    ),
    click.option(
        "--offline", is_flag=True, default=None, help="Use no network: advisories come from the local database."
    ),
    click.option("--enforced", metavar="DIR", help="The organisation's enforced layer; SECGATE_ENFORCED by default."),
    click.option("--config", metavar="FILE", help="Settings instead of the tree's own secgate.toml or pyproject.toml."),
)
QUIET = click.option("--quiet", is_flag=True, help="No progress on stderr.")
VERBOSE = click.option("--verbose", is_flag=True, help="Say of each stage and child process when it began and ended.")
_JOBS = click.option(
    "--jobs",
    type=click.IntRange(1, 256),
    metavar="N",
    help="Child processes at a time; as many as there are processors by default.",
)
POLICY = click.option(
    "--policy",
    "policies",
    multiple=True,
    metavar="DIR",
    help="A folder with more Rego policies, which can only add; repeatable.",
)
FORMAT = click.option(
    "--format",
    "outputs",
    multiple=True,
    metavar="FORMAT[=FILE]",
    shell_complete=complete_format,
    help="A form of the result: text (the default), html, json, sarif, junit, csv, markdown, github, gitlab-sast and "
    "more (`--format x` lists them). It goes to FILE, else to stdout; repeatable.",
)


def formats(values: Sequence[str], known: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Give (format, file or "") pairs of `--format` values; at most one may go to stdout.

    Raises UsageError for an unknown format, a file without a name (a variable of a script that is not set), two on
    stdout, or a file that could not be written.
    """
    pairs = []
    for value in values or ("text",):
        name, sign, file = value.partition("=")
        if name not in known:
            raise UsageError(f"unknown format `{name}`", remedy=f"one of: {', '.join(known)}")
        if sign and not file:
            raise UsageError(f"`{value}` names no file", remedy=f"give one, or `{name}` alone for stdout")
        check_output(file)
        pairs.append((name, file))
    if sum(file in ("", "-") for _, file in pairs) > 1:
        raise UsageError("two formats would go to stdout", remedy="give a file: --format sarif=out.sarif")
    return tuple(pairs)


def check_output(file: str) -> None:
    """Raise UsageError for a file that could not be written: said before the work, not after it.

    "" and "-" are no files.
    """
    if file in ("", "-"):
        return
    path = Path(file)
    if path.is_dir():
        raise UsageError(f"cannot write {file}: it is a folder", remedy="give a file")
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK | os.X_OK):
        raise UsageError(
            f"cannot write {file}: its folder is not there or not writable",
            remedy="give a file in a folder that exists",
        )


def check_apart(output: str, *inputs: str) -> None:
    """Raise UsageError for an output that would take the place of what is read."""
    if output not in ("", "-") and Path(output).resolve() in {Path(one).resolve() for one in inputs if one}:
        raise UsageError(f"{output} would be written over, and it is read", remedy="give another file for the output")


@contextmanager
def nothing_stale(files: Iterable[str]) -> Iterator[None]:
    """Take away what an earlier command left in `files` where this one ends without an answer of its own.

    Whoever reads them later would take the earlier answer, a pass perhaps, for this one's.
    """
    try:
        yield
    except BaseException:
        for file in files:
            if file not in ("", "-") and Path(file).is_file():
                with suppress(OSError):
                    Path(file).unlink()
        raise


def write_output(output: bytes | Rendered, file: str) -> None:
    """Write `output` to a file, whole or not at all, or to stdout for "" and "-", as far as somebody reads it.

    What a rendering leaves out is said on stderr. Raises UsageError when it cannot be written.
    """
    data, left_out = (output, ()) if isinstance(output, bytes) else output
    for note in left_out:
        click.echo(f"secgate: left out of {plain(file or 'the output')}: {plain(note)}", err=True)
    if file in ("", "-"):
        try:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            # Who reads does not change what was decided: the exit code stays the run's.
            let_go(sys.stdout)
        except OSError as error:
            let_go(sys.stdout)
            raise unwritable(error) from error
        return
    path = Path(file).resolve()
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(data)  # a device or a pipe is written into, never replaced
            return
        replace_file(path, data)
    except OSError as error:
        raise UsageError(
            f"cannot write {file}: {error.strerror}", remedy="give a file in a folder that exists"
        ) from error


def said_on_stderr(text: str, *, head: str) -> None:
    """Say a line on stderr, folded where that is a terminal: between words, and never within a path or an address."""
    line = plain(f"{head}{text}")
    if not sys.stderr.isatty():
        click.echo(line, err=True)
        return
    from secgate.page import folded

    width, begin = max(columns(sys.stderr), 40), len(line) - len(line.lstrip(" "))
    indent = begin + 2
    for position, part in enumerate(folded(line, width - indent, len(line) + 1)):
        click.echo(" " * (indent if position else begin) + part, err=True)


def unwritable(error: OSError) -> UsageError:
    """Give what is said of a stdout that takes nothing."""
    return UsageError(
        f"cannot write to stdout: {error.strerror}", remedy="make room where it leads, or send it to another place"
    )


def check_folder(folder: str) -> None:
    """Raise UsageError for a folder that could not be made: it is there with something in it, or may not be written."""
    path = Path(folder)
    try:
        if path.is_symlink() or (path.exists() and (not path.is_dir() or any(path.iterdir()))):
            raise UsageError(f"{folder} is there already", place="-o", remedy="name a folder that is not, or is empty")
        if not path.resolve().parent.is_dir() or not os.access(path.resolve().parent, os.W_OK | os.X_OK):
            raise UsageError(
                f"cannot make {folder}: the folder around it is not there or not writable",
                place="-o",
                remedy="name a folder in one that exists",
            )
    except OSError as error:
        raise UsageError(f"cannot make {folder}: {error.strerror}", place="-o", remedy="name another folder") from error


def write_folder(files: Mapping[str, bytes], folder: str) -> None:
    """Write files by their relative names into a new folder, whole or not at all.

    Raises UsageError when it cannot be written; what was begun beside it is taken away.
    """
    check_folder(folder)
    path = Path(folder).resolve()
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as temporary:
            made = Path(temporary, "made")
            made.mkdir()
            for name, data in files.items():
                (made / name).parent.mkdir(parents=True, exist_ok=True)
                (made / name).write_bytes(data)
            made.replace(path)
    except OSError as error:
        raise UsageError(
            f"cannot write {folder}: {error.strerror}", place="-o", remedy="name another folder"
        ) from error


def let_go(stream: TextIO) -> None:
    """Send what is still to be written to a stream that nobody reads into the void, at the interpreter's end too."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def obeys(stream: TextIO) -> bool:
    """Say whether it is a terminal that knows colours and movements; TERM says where it does not, as in an editor."""
    return stream.isatty() and os.environ.get("TERM") not in ("dumb", "unknown")


def columns(stream: TextIO) -> int:
    """Give how wide a terminal is; one that does not know its size says 0, and has 80 like what is no terminal."""
    return (os.get_terminal_size(stream.fileno()).columns if stream.isatty() else 0) or 80


def terminal() -> tuple[int, bool]:
    """Give (columns, colour) for stdout.

    80 and none unless it is a terminal, of which 40 to 120 columns are used; NO_COLOR and FORCE_COLOR are respected.
    """
    colour = (obeys(sys.stdout) or bool(os.environ.get("FORCE_COLOR"))) and not os.environ.get("NO_COLOR")
    return min(max(columns(sys.stdout), 40), 120), colour


def room(output: str) -> tuple[int, bool]:
    """Give (columns, colour) for a page that goes to `output`: a file gets 80 and none.

    Raises UsageError for a file that could not be written.
    """
    check_output(output)
    return terminal() if output in ("", "-") else (80, False)
