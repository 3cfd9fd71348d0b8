"""`secgate show`: an earlier run from the ledger."""

from __future__ import annotations

import click

from secgate.cli.help import Command
from secgate.cli.options import formats, machine, moment, terminal, write_output


@click.command(
    "show",
    cls=Command,
    examples=(
        "secgate show",
        "secgate show 20261127T0740 --format html -o gate.html",
    ),
)
@click.argument("run", required=False, metavar="[RUN]")
@click.option(
    "--path", default=".", type=click.Path(), help="The tree whose ledger is read; the current folder by default."
)
@click.option("--config", metavar="FILE", help="Settings instead of the tree's own.")
@click.option("--enforced", metavar="DIR", help="The organisation's enforced layer.")
@click.option("--format", "form", default="text", metavar="FORMAT", help="text, json, sarif, html and others.")
@click.option("-o", "--output", default="-", metavar="FILE", help="Where it goes; stdout by default.")
def show_command(
    *, run: str | None, path: str, config: str | None, enforced: str | None, form: str, output: str
) -> int:
    """Show RUN, by its id or the start of it; the latest by default."""
    from secgate import queries, registry

    formats([form], registry.names("reporters"))
    document = queries.stored_run(
        run or "", path=path, config=config or "", enforced=enforced or "", machine=machine(), now=moment()
    )
    width, colour = terminal()
    to_file = output not in ("", "-")
    data = queries.render(document, form, width=80 if to_file else width, colour=colour and not to_file)
    write_output(data, output)
    return 0
