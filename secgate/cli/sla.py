"""`secgate sla`: every open finding over one or many ledgers, what bites first in front."""

from __future__ import annotations

import click

from secgate.cli.help import Command
from secgate.cli.options import machine, moment, room, write_output


@click.command(
    "sla",
    cls=Command,
    examples=(
        "secgate sla",
        "secgate sla --check --ledger shop.sqlite --ledger pay.sqlite",
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
@click.option("--check", is_flag=True, help="Exit 1 where something is overdue that no waiver covers.")
@click.option(
    "--format",
    "form",
    type=click.Choice(("text", "json", "markdown")),
    default="text",
    help="text by default, json or markdown.",
)
@click.option("-o", "--output", default="-", metavar="FILE", help="Where it goes; stdout by default.")
def sla_command(
    *, ledgers: tuple[str, ...], path: str, config: str, enforced: str, check: bool, form: str, output: str
) -> int:
    """List every open finding: when it is due, how much time is left, why, and whose it is.

    It is a report and no gate: it exits 0 whatever it lists, and 1 for what is overdue only where --check is given.
    """
    from secgate import queries
    from secgate.preparation import Place

    width, colour = room(output)
    place = Place(path=path, config=config, enforced=enforced)
    found = queries.open_deadlines(ledgers, place=place, machine=machine(), now=moment())
    write_output(queries.render_deadlines(found, form, width=width, colour=colour), output)
    return int(check and found.overdue > 0)
