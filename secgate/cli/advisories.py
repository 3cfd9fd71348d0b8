"""`secgate advisories`: the local advisory database."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from secgate.cli.help import Group
from secgate.cli.options import machine, moment

if TYPE_CHECKING:
    from secgate.advisories import ImportReport, ListInfo


@click.group("advisories", cls=Group)
def advisories_command() -> None:
    """Fill and inspect the local advisory database."""


@advisories_command.command(
    "import",
    examples=("secgate advisories import PyPI-all.zip",),
)
@click.argument("dump", metavar="DUMP.zip|DIR")
def import_dump(*, dump: str) -> int:
    """Build the database from an OSV dump: a zip archive, or a folder of JSON files."""
    from secgate import advisories, pipeline

    destination = pipeline.advisory_database(machine())
    report = advisories.build(dump, destination, now=moment(), limits=advisories.ImportLimits())
    _say(report, destination)
    return 0


@advisories_command.command(
    "update",
    examples=(
        "secgate advisories update",
        "secgate advisories update --kev --epss",
    ),
)
@click.option("--url", metavar="URL", help="Where the dump is fetched from; by default the OSV dump of PyPI.")
@click.option(
    "--kev",
    is_flag=False,
    flag_value="published",
    metavar="[FILE|URL]",
    help="The list of known-exploited vulnerabilities, JSON or CSV; without a value, as CISA publishes it.",
)
@click.option(
    "--epss",
    is_flag=False,
    flag_value="published",
    metavar="[FILE|URL]",
    help="EPSS scores, CSV or gzip of it; without a value, as FIRST publishes them.",
)
def update(*, url: str | None, kev: str | None, epss: str | None) -> int:
    """Fetch a dump over HTTPS and build the database from it; the old one stays where that fails.

    With --kev or --epss those lists are read and, unless --url is given too, no dump. Each replaces the one before.
    """
    from secgate import advisories, pipeline
    from secgate.config import AdvisorySettings
    from secgate.executors.advisory_update import update as fetch
    from secgate.executors.advisory_update import update_list

    here = machine()
    destination = pipeline.advisory_database(here)
    certificates = here.env.get("SSL_CERT_FILE", "")
    sources: dict[advisories.Kind, str | None] = {"known-exploited": kev, "epss": epss}
    if url or not any(sources.values()):
        report = fetch(
            url or AdvisorySettings().dump_url,
            destination,
            now=moment(),
            limits=advisories.ImportLimits(),
            timeout_s=30.0,
            total_timeout_s=900.0,
            certificates=certificates,
        )
        _say(report, destination)
    for kind, source in sources.items():
        if source:
            info = update_list(
                kind,
                advisories.ADDRESSES[kind] if source == "published" else source,
                advisories.list_path(kind, destination),
                limits=advisories.ListLimits(),
                timeout_s=30.0,
                total_timeout_s=300.0,
                certificates=certificates,
            )
            click.echo(f"{kind}: {_list_words(info)}")
            if info.rejected:
                click.echo(f"left out: {info.rejected} unreadable", err=True)
    return 0


@advisories_command.command(
    "info",
    examples=("secgate advisories info",),
)
def info() -> int:
    """Say what the database and the lists beside it hold, and how old they are."""
    from secgate import advisories, pipeline, sla

    destination = pipeline.advisory_database(machine())
    kinds = [kind for kind in advisories.ADDRESSES if Path(advisories.list_path(kind, destination)).is_file()]
    now = moment()
    if Path(destination).is_file() or not kinds:
        with advisories.Database(destination) as database:
            held = database.info()
        newest = datetime.fromtimestamp(held.newest_modified_epoch_s, tz=UTC)
        click.echo(f"database        {destination}")
        click.echo(f"advisories      {held.count} ({', '.join(held.ecosystems)}), {held.withdrawn} withdrawn left out")
        click.echo(f"not matchable   {held.unmatchable} without versions, {held.rejected} could not be read")
        click.echo(f"newest change   {newest:%Y-%m-%d %H:%M UTC} ({sla.length_words(held.age_s(now))} ago)")
        click.echo(f"digest          {held.digest}")
    for kind in kinds:
        with advisories.CveList(kind, destination) as one:
            click.echo(f"{kind:<15} {_list_words(one.info)} ({sla.length_words(one.info.age_s(now))} ago)")
            click.echo(f"digest          {one.info.digest}")
    return 0


def _list_words(info: ListInfo) -> str:
    published = datetime.fromtimestamp(info.published_epoch_s, tz=UTC)
    model = f" of model {info.model}" if info.model else ""
    return f"{info.count:,} {'entry' if info.count == 1 else 'entries'}{model}, published {published:%Y-%m-%d}"


def _say(report: ImportReport, destination: str) -> None:
    newest = datetime.fromtimestamp(report.newest_modified_epoch_s, tz=UTC)
    what = "advisory" if report.count == 1 else "advisories"
    click.echo(
        f"{report.count} {what} of {', '.join(report.ecosystems) or 'no ecosystem'}, newest change "
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
