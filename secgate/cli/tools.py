"""`secgate tools`: environments of their own for tools whose requirements do not agree with secgate's."""

from __future__ import annotations

import click

from secgate.cli.options import machine


@click.group("tools")
def tools_command() -> None:
    """Install, list and remove tool environments."""


@tools_command.command("install")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--upgrade", is_flag=True, help="Make it anew even where the locked list has not changed.")
def install(*, names: tuple[str, ...], upgrade: bool) -> int:
    """Install tools from the hash-locked lists that ship with secgate."""
    from secgate import registry

    tools = registry.tools(machine(), configured={})
    for name in names:
        click.echo(tools.install(name, upgrade=upgrade))
    return 0


@tools_command.command("list")
def listing() -> int:
    """List the tool environments, and what could be installed."""
    from secgate import registry

    tools = registry.tools(machine(), configured={})
    installed = dict(tools.installed())
    for name in sorted({*tools.known(), *installed}):
        click.echo(f"{name:<16} {installed.get(name) or 'not installed'}")
    return 0


@tools_command.command("remove")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
def remove(*, names: tuple[str, ...]) -> int:
    """Remove tool environments."""
    from secgate import registry
    from secgate.errors import UsageError

    tools = registry.tools(machine(), configured={})
    for name in names:
        if not tools.remove(name):
            raise UsageError(f"no environment of `{name}`", remedy="secgate tools list")
        click.echo(f"{name} removed")
    return 0
