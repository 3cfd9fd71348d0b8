"""`secgate import`: exceptions of other tools become signed requests for waivers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from secgate.cli.help import Command
from secgate.cli.options import machine, moment, write_output
from secgate.cli.waiver import place_options
from secgate.errors import UsageError
from secgate.escape import plain

if TYPE_CHECKING:
    from secgate.exception_import import Line, Plan

FORMS = ("trivyignore", "checkov-baseline", "bandit-baseline", "vex")
_SHOWN = 12
_TITLES = {"request": "asked for", "known": "asked for before", "not-turned": "not asked for"}


@click.command(
    "import",
    cls=Command,
    examples=(
        "secgate import trivyignore .trivyignore --dry-run",
        "secgate import vex vex.json --as ana --key ~/.ssh/ana",
    ),
)
@click.argument("form", type=click.Choice(FORMS))
@click.argument("file")
@click.option("--dry-run", is_flag=True, help="Show what would be asked for; sign and write nothing.")
@click.option("--key", metavar="FILE", default="", help="Your SSH key, or the .pub of one in ssh-agent.")
@click.option("--as", "person", metavar="PERSON", default="", help="Who you are in people.toml.")
@click.option("--run", default="", metavar="RUN", help="The run whose findings are meant; the last one by default.")
@click.option("--under", default="", metavar="DIR", help="Folder of the repository that the file's paths begin in.")
@click.option("--product", "products", multiple=True, metavar="NAME", help="A VEX document's name for this repository.")
@click.option("--ticket", default="", help="Where it is being worked on.")
@click.option("--format", "output", type=click.Choice(("text", "json")), default="text", help="Form of the account.")
@place_options
def import_command(
    *,
    form: str,
    file: str,
    dry_run: bool,
    key: str,
    person: str,
    run: str,
    under: str,
    products: tuple[str, ...],
    ticket: str,
    output: str,
    path: str,
    config: str,
    enforced: str,
) -> int:
    """Ask for waivers of what FILE lets pass in another tool; FORM says which tool's it is.

    Each entry that fits one finding of the last recorded run becomes a request, with the file's reason and time as far
    as the policy allows. Nothing is approved by it. One signature covers all requests, and an entry that was asked for
    before is not asked for again.
    """
    import msgspec

    from secgate import exception_import
    from secgate.statements import Place, Speaker

    if not dry_run and not (key and person):
        raise UsageError("nobody is named who asks", remedy="give --as and --key, or look first with --dry-run")
    wanted = msgspec.convert(
        {"form": form, "file": file, "run": run, "under": under, "products": products, "ticket": ticket},
        exception_import.ImportRequest,
    )
    now, place = moment(), Place(path=path, config=config, enforced=enforced)
    plan = exception_import.planned(wanted, place=place, machine=machine(), now=now)
    if output == "text":
        _show(plan)
    if not dry_run and plan.drafts:
        speaker = Speaker(person=person, key=key)
        plan = exception_import.asked(plan, speaker=speaker, place=place, machine=machine(), now=now)
        if output == "text":
            click.echo("\nwaivers, each for a second person to approve:")
            for line in plan.lines:
                if line.outcome == "request":
                    click.echo(f"  {line.waiver[:_SHOWN]}  {plain(line.shown)}")
    if output == "json":
        write_output(exception_import.import_json(plan, signed=not dry_run), "-")
    if plan.partial:
        click.echo("that run did not look at the whole tree: name one that did with --run", err=True)
    _conclude(plan, dry_run=dry_run)
    return 0


def _conclude(plan: Plan, *, dry_run: bool) -> None:
    if not plan.drafts:
        click.echo("nothing new to ask for; nothing was written", err=True)
    elif dry_run:
        click.echo("a dry run: nothing was signed or written", err=True)
    else:
        click.echo(f"{len(plan.drafts)} asked for; see `secgate waiver list`, `secgate waiver approve`", err=True)


def _show(plan: Plan) -> None:
    count = len(plan.lines)
    entries = "1 entry" if count == 1 else f"{count} entries"
    click.echo(f"{plan.file}: {entries}, held against run {plan.run_id}")
    for outcome, title in _TITLES.items():
        lines = [line for line in plan.lines if line.outcome == outcome]
        if lines:
            click.echo(f"\n{title} ({len(lines)})")
        for line in lines:
            _show_line(line)


def _show_line(line: Line) -> None:
    click.echo(f"  {line.place}: {line.entry}")
    if line.outcome == "request":
        until = datetime.fromtimestamp(line.until_epoch_s, tz=UTC)
        click.echo(f"    {line.severity} {plain(line.shown)}")
        click.echo(f"    {line.kind}, until {until:%Y-%m-%d} ({line.until_basis})")
        click.echo(f"    reason: {line.reason}")
    else:
        waiver = f"waiver {line.waiver[:_SHOWN]}: " if line.waiver else ""
        click.echo(f"    {waiver}{plain(line.why)}")
