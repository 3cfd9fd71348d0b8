"""`secgate init`: settings, hooks and a workflow for a repository, shown before they are written."""

from __future__ import annotations

import difflib
import sys
from typing import TYPE_CHECKING

import click

from secgate.cli.help import Command
from secgate.cli.options import machine, moment
from secgate.errors import UsageError
from secgate.sla import many

if TYPE_CHECKING:
    from secgate.pipeline.beginning import Beginning
    from secgate.proposals import Proposal


@click.command(
    "init",
    cls=Command,
    examples=(
        "secgate init --dry-run",
        "secgate init --yes --without workflow",
    ),
)
@click.argument("path", default=".", type=click.Path())
@click.option("--pyproject", is_flag=True, help="Settings as [tool.secgate] in pyproject.toml.")
@click.option(
    "--without",
    multiple=True,
    type=click.Choice(("settings", "pre-commit", "workflow")),
    help="Leave one out; more than one can be given.",
)
@click.option("--baseline", is_flag=True, help="Also sign a list of what is known today; needs --author and --key.")
@click.option("--author", metavar="ID", default="", help="Your id in people.toml, for --baseline.")
@click.option("--key", metavar="FILE", default="", help="Your SSH key, or its .pub file, for --baseline.")
@click.option("--enforced", metavar="DIR", default="", help="The organisation's enforced layer, for --baseline.")
@click.option("--dry-run", is_flag=True, help="Show what would be written, and write nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def init_command(
    *,
    path: str,
    pyproject: bool,
    without: tuple[str, ...],
    baseline: bool,
    author: str,
    key: str,
    enforced: str,
    dry_run: bool,
    yes: bool,
) -> int:
    """Set up PATH: settings, pre-commit's entry, a workflow. Shows the difference, then asks.

    Existing files are only added to; what is there already stays as it is, so a second call changes nothing.
    """
    from secgate.pipeline.beginning import look, write
    from secgate.proposals import changed

    if baseline and not (author and key):
        raise UsageError("--baseline is signed", place="--baseline", remedy="give --author ID and --key FILE")
    begun = look(path, in_pyproject=pyproject, without=without, machine=machine(), now=moment())
    wanted = changed(begun.proposals)
    _show(begun)
    if wanted and not dry_run:
        if not yes:
            _ask()
        for name in write(begun):
            click.echo(f"wrote {name}", err=True)
    elif not wanted:
        click.echo("nothing to write", err=True)
    if baseline and not dry_run:
        _sign(path, author=author, key=key, enforced=enforced)
    if wanted and not dry_run:
        _next(begun)
    return 0


def _next(begun: Beginning) -> None:
    from secgate.proposals import HOOKS, changed

    click.echo("next: look at them" + (", commit them" if begun.is_git else "") + ", then `secgate run`", err=True)
    if any(one.path == HOOKS for one in changed(begun.proposals)):
        click.echo("hooks start with `pre-commit install --hook-type pre-commit --hook-type pre-push`", err=True)


def _show(begun: Beginning) -> None:
    from secgate.escape import inert, plain

    for one in begun.proposals:
        if one.text:
            click.echo(inert("".join(_difference(one))), nl=False)
        else:
            first, _, rest = one.said.partition("\n")
            click.echo(f"{plain(one.path)}: {plain(first)}", err=True)
            if rest:
                click.echo(inert(rest), err=True)


def _difference(one: Proposal) -> list[str]:
    told = difflib.unified_diff(
        _seen(one.before or ""),
        _seen(one.text),
        f"a/{one.path}" if one.before is not None else "/dev/null",
        f"b/{one.path}",
    )
    return [line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in told]


def _seen(text: str) -> list[str]:
    """Give the lines of a text as an editor shows them: what is kept of its ends and its mark is nothing to read."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n").splitlines(keepends=True)


def _ask() -> None:
    """Ask on a terminal. Raises UsageError where there is nobody to ask, and click's Abort for a no."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("nothing was written: there is no terminal to ask on", remedy="give --yes, or --dry-run")
    click.confirm("write this?", abort=True, err=True)


def _sign(path: str, *, author: str, key: str, enforced: str) -> None:
    from secgate.pipeline.debts import BaselineRequest, first_baseline

    request = BaselineRequest(path=path, author=author, key=key, enforced=enforced)
    written = first_baseline(request, machine=machine(), now=moment())
    if written is None:
        click.echo("a baseline of this line is recorded already: nothing was signed", err=True)
    else:
        click.echo(f"baseline: {many(written.findings, 'finding')} listed in {written.address}", err=True)
