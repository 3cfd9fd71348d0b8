"""`secgate tools`: environments of their own for tools whose requirements do not agree with secgate's."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from secgate.cli.help import Group
from secgate.cli.options import machine

if TYPE_CHECKING:
    from secgate.executors.tools import LocalTools


@click.group("tools", cls=Group)
def tools_command() -> None:
    """Install, list and remove tool environments."""


@tools_command.command(
    "install",
    examples=("secgate tools install checkov",),
)
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--upgrade", is_flag=True, help="Make it anew even where the locked list has not changed.")
def install(*, names: tuple[str, ...], upgrade: bool) -> int:
    """Install tools from the hash-locked lists that ship with secgate."""
    with _tools() as tools:
        for name in names:
            click.echo(tools.install(name, upgrade=upgrade))
    return 0


@tools_command.command(
    "list",
    examples=("secgate tools list",),
)
def listing() -> int:
    """List the tool environments, and what could be installed."""
    with _tools() as tools:
        installed = dict(tools.installed())
        for name in sorted({*tools.known(), *installed}):
            click.echo(f"{name:<16} {installed.get(name) or 'not installed'}")
    return 0


@tools_command.command(
    "remove",
    examples=("secgate tools remove checkov",),
)
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
def remove(*, names: tuple[str, ...]) -> int:
    """Remove tool environments."""
    from secgate.errors import UsageError

    with _tools() as tools:
        for name in names:
            if not tools.remove(name):
                raise UsageError(f"no environment of `{name}`", remedy="secgate tools list")
            click.echo(f"{name} removed")
    return 0


@contextlib.contextmanager
def _tools() -> Iterator[LocalTools]:
    from secgate import registry

    here = machine()
    with tempfile.TemporaryDirectory(prefix="secgate-") as scratch:
        executor = registry.executor(here, scratch=scratch, parallel=1)
        yield registry.tools(here, configured={}, executor=executor)
