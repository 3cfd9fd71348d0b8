"""`secgate advisories`: the local advisory database."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from secgate.cli.options import machine, moment

if TYPE_CHECKING:
    from secgate.advisories import ImportReport


@click.group("advisories")
def advisories_command() -> None:
    """Fill and inspect the local advisory database."""


@advisories_command.command("import")
@click.argument("dump", metavar="DUMP.zip|DIR")
def import_dump(*, dump: str) -> int:
    """Build the database from an OSV dump: a zip archive, or a folder of JSON files."""
    from secgate import advisories, pipeline

    destination = pipeline.advisory_database(machine())
    report = advisories.build(dump, destination, now=moment(), limits=advisories.ImportLimits())
    _say(report, destination)
    return 0


@advisories_command.command("update")
@click.option("--url", metavar="URL", help="Where the dump is fetched from; by default the OSV dump of PyPI.")
def update(*, url: str | None) -> int:
    """Fetch a dump over HTTPS and build the database from it; the old one stays where that fails."""
    from secgate import advisories, pipeline
    from secgate.config import AdvisorySettings
    from secgate.executors.advisory_update import update as fetch

    here = machine()
    destination = pipeline.advisory_database(here)
    report = fetch(
        url or AdvisorySettings().dump_url,
        destination,
        now=moment(),
        limits=advisories.ImportLimits(),
        timeout_s=30.0,
        total_timeout_s=900.0,
        certificates=here.env.get("SSL_CERT_FILE", ""),
    )
    _say(report, destination)
    return 0


@advisories_command.command("info")
def info() -> int:
    """Say what the database holds and how old it is."""
    from secgate import advisories, pipeline, sla

    destination = pipeline.advisory_database(machine())
    with advisories.Database(destination) as database:
        held = database.info()
    newest = datetime.fromtimestamp(held.newest_modified_epoch_s, tz=UTC)
    click.echo(f"database        {destination}")
    click.echo(f"advisories      {held.count} ({', '.join(held.ecosystems)}), {held.withdrawn} withdrawn left out")
    click.echo(f"not matchable   {held.unmatchable} without versions, {held.rejected} could not be read")
    click.echo(f"newest change   {newest:%Y-%m-%d %H:%M UTC} ({sla.length_words(held.age_s(moment()))} ago)")
    click.echo(f"digest          {held.digest}")
    return 0


def _say(report: ImportReport, destination: str) -> None:
    newest = datetime.fromtimestamp(report.newest_modified_epoch_s, tz=UTC)
    click.echo(
        f"{report.count} advisories of {', '.join(report.ecosystems) or 'no ecosystem'}, newest change "
        f"{newest:%Y-%m-%d}, in {Path(destination).name}"
    )
    left = [
        f"{number} {what}"
        for number, what in (
            (report.withdrawn, "withdrawn"),
            (report.unmatchable, "without versions to compare"),
            (report.rejected_count, "unreadable"),
        )
        if number
    ]
    if left:
        click.echo(f"left out: {', '.join(left)}", err=True)
    for name, reason in report.rejected[:5]:
        click.echo(f"  {name!r}: {reason}", err=True)
