"""`secgate ledger`: made on purpose, verified on demand."""

from __future__ import annotations

import click

from secgate.cli.options import machine, moment


@click.group("ledger")
def ledger_command() -> None:
    """Make and verify a ledger."""


def _options(command: click.Command) -> click.Command:
    for option in (
        click.Option(["--path"], default=".", help="The tree whose ledger is meant; the current folder by default."),
        click.Option(["--config"], metavar="FILE", default="", help="Settings instead of the tree's own."),
        click.Option(["--enforced"], metavar="DIR", default="", help="The organisation's enforced layer."),
    ):
        command.params.append(option)
    return command


@ledger_command.command("init")
def init(*, path: str, config: str, enforced: str) -> int:
    """Make the ledger, or make the provisional one that is there the one that counts."""
    from secgate import queries

    address, head = queries.make_ledger(path=path, config=config, enforced=enforced, machine=machine(), now=moment())
    click.echo(f"{address}: {head.size} entries, root {head.root}")
    return 0


@ledger_command.command("verify")
def verify(*, path: str, config: str, enforced: str) -> int:
    """Read every entry and check leaf, previous root and the tree; say size and root."""
    from secgate import queries

    address, head = queries.verify_ledger(path=path, config=config, enforced=enforced, machine=machine(), now=moment())
    click.echo(f"{address}: whole; {head.size} entries, root {head.root}")
    click.echo("tamper-evident relative to a head kept elsewhere: keep size and root", err=True)
    return 0


for _command in (init, verify):
    _options(_command)
