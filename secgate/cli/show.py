"""`secgate show`: an earlier run from the ledger."""

from __future__ import annotations

import click

from secgate.cli.help import Command
from secgate.cli.options import FORMAT, check_output, formats, machine, moment, terminal, write_output
from secgate.errors import UsageError


@click.command(
    "show",
    cls=Command,
    examples=(
        "secgate show",
        "secgate show 20261127T0740 --format html=gate.html --format sarif=gate.sarif",
    ),
)
@click.argument("run", required=False, metavar="[RUN]")
@click.option(
    "--path", default=".", type=click.Path(), help="The tree whose ledger is read; the current folder by default."
)
@click.option("--config", metavar="FILE", help="Settings instead of the tree's own secgate.toml or pyproject.toml.")
@click.option("--enforced", metavar="DIR", help="The organisation's enforced layer; SECGATE_ENFORCED by default.")
@FORMAT
@click.option("-o", "--output", default="-", metavar="FILE", help="Where one format goes; stdout by default.")
def show_command(
    *, run: str | None, path: str, config: str | None, enforced: str | None, outputs: tuple[str, ...], output: str
) -> int:
    """Show RUN, by its id or the start of it; the latest by default.

    It exits 0 whatever the run said.
    """
    from secgate import queries, registry

    pairs = formats(outputs, registry.names("reporters"))
    if output not in ("", "-"):
        if len(pairs) > 1 or pairs[0][1]:
            raise UsageError("-o is for one format without a file of its own", remedy="--format html=FILE --format ...")
        check_output(output)
        pairs = ((pairs[0][0], output),)
    document = queries.stored_run(
        run or "", path=path, config=config or "", enforced=enforced or "", machine=machine(), now=moment()
    )
    width, colour = terminal()
    for form, file in pairs:
        to_file = file not in ("", "-")
        data = queries.render(document, form, width=80 if to_file else width, colour=colour and not to_file)
        write_output(data, file)
    return 0
