"""`secgate check`: judge SARIF that any tool made."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO

import click

from secgate.cli.help import Command
from secgate.cli.options import FORMAT, POLICY, formats, machine, moment, nothing_stale, terminal, write_output
from secgate.errors import UsageError

_STDIN = ("-", "/dev/stdin", "/dev/fd/0")


@click.command(
    "check",
    cls=Command,
    examples=(
        "secgate check semgrep.sarif codeql.sarif",
        "secgate check - --format json < results.sarif",
    ),
)
@click.argument("files", nargs=-1, required=True, metavar="FILE.sarif...")
@POLICY
@click.option("--enforced", metavar="DIR", help="The organisation's enforced layer; SECGATE_ENFORCED by default.")
@FORMAT
def check_command(
    *, files: tuple[str, ...], policies: tuple[str, ...], enforced: str | None, outputs: tuple[str, ...]
) -> int:
    """Judge SARIF files of any tool; `-` reads stdin.

    A pass covers the findings in the files only: no coverage is claimed, nothing is recorded, no clock starts.
    Exit codes are those of `secgate run`.
    """
    from secgate import pipeline, registry
    from secgate.pipeline.checking import SarifSource, check, memory_words

    if sum(name in _STDIN for name in files) > 1:
        remedy = "name it once; put what else is to be judged into files of its own"
        raise UsageError("stdin is named more than once, and can be read only once", place="FILE.sarif", remedy=remedy)
    wanted = formats(outputs, registry.names("reporters"))
    given = {Path(name).resolve() for name in files if name != "-"}
    with nothing_stale(file for _, file in wanted if Path(file).resolve() not in given):
        done = check(
            [SarifSource(name, partial(_opened, name)) for name in files],
            policies=policies,
            enforced=enforced or "",
            machine=machine(),
            now=moment(),
        )
    if words := memory_words(done, (name for name, _ in wanted)):
        click.echo(f"secgate: {words}", err=True)
    width, colour = terminal()
    for name, file in wanted:
        write_output(pipeline.render(done, name, width=width if not file else 80, colour=colour and not file), file)
    if done.decision is None:
        raise TypeError("a check without a decision")
    return done.decision.exit_code


@contextmanager
def _opened(name: str) -> Iterator[BinaryIO]:
    try:
        if name == "-":
            yield sys.stdin.buffer
        else:
            with Path(name).open("rb") as stream:
                yield stream
    except OSError as error:
        raise UsageError(f"cannot read it: {error.strerror}", place=name, remedy="give a SARIF file") from error
