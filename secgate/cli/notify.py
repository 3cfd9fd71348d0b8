"""`secgate notify`: tell people of what is open, near its end or overdue."""

from __future__ import annotations

import click

from secgate.cli.help import Command
from secgate.cli.options import machine, moment, room, write_output


@click.command(
    "notify",
    cls=Command,
    examples=(
        "secgate notify --dry-run",
        "secgate notify --ledger shop.sqlite",
    ),
)
@click.option(
    "--ledger",
    "ledgers",
    multiple=True,
    metavar="L",
    help="A ledger's file, or REPOSITORY#REF for one in git; may be repeated. By default the tree's own.",
)
@click.option("--path", default=".", metavar="DIR", help="The tree whose ledger is read, where none is named.")
@click.option(
    "--config", default="", metavar="FILE", help="Settings instead of the tree's own secgate.toml or pyproject.toml."
)
@click.option(
    "--enforced", default="", metavar="DIR", help="The organisation's enforced layer; SECGATE_ENFORCED by default."
)
@click.option("--dry-run", is_flag=True, help="Show what would be sent; send and record nothing.")
@click.option("--format", "form", type=click.Choice(("text", "json")), default="text", help="text by default, or json.")
@click.option("-o", "--output", default="-", metavar="FILE", help="Where it goes; stdout by default.")
def notify_command(
    *, ledgers: tuple[str, ...], path: str, config: str, enforced: str, dry_run: bool, form: str, output: str
) -> int:
    """Tell each channel of open findings that are new, half through their time, overdue, or overdue for long.

    Each is told once for each stage, and the ledger remembers it. Who is told of what is data of the policy; where a
    channel leads is in the environment. It decides nothing: it exits 0, and 1 where somebody could not be told.
    """
    from secgate.notifying import notified_json, notified_page, notify
    from secgate.preparation import Place

    width, colour = room(output)
    place = Place(path=path, config=config, enforced=enforced)
    found = notify(ledgers, dry_run=dry_run, place=place, machine=machine(), now=moment())
    write_output(notified_json(found) if form == "json" else notified_page(found, width=width, colour=colour), output)
    return int(found.failed)
