"""`secgate metrics`: numbers of one or many ledgers for dashboards."""

from __future__ import annotations

import click

from secgate.cli.evidence import day_or_time
from secgate.cli.help import Command
from secgate.cli.options import check_output, machine, moment, write_output
from secgate.cli.waiver import place_options


@click.command(
    "metrics",
    cls=Command,
    examples=("secgate metrics --format prometheus -o secgate.prom",),
)
@click.option(
    "--format", "form", type=click.Choice(("prometheus", "json")), required=True, help="prometheus (its text) or json."
)
@click.option(
    "--ledger",
    "ledgers",
    multiple=True,
    metavar="L",
    help="A ledger's file, or REPOSITORY#REF for one in git; may be repeated. By default the tree's own.",
)
@click.option("--at", metavar="TIME", default="", help="As of when, 2026-10-01T06:00:00Z; now by default.")
@click.option(
    "--window",
    "window_days",
    type=click.IntRange(1, 3_660),
    default=90,
    metavar="DAYS",
    help="How many days before it count; 90 by default.",
)
@click.option("-o", "--output", default="-", metavar="FILE", help="Where it goes; stdout by default.")
@place_options
def metrics_command(
    *,
    form: str,
    ledgers: tuple[str, ...],
    at: str,
    window_days: int,
    output: str,
    path: str,
    config: str,
    enforced: str,
) -> int:
    """Count what ledgers hold: deadlines, open findings, time to remediate, coverage, waivers, outcomes.

    Each ledger is read whole and verified. Where nothing was counted there is no number: nothing due is not 100 %.
    """
    from secgate import evidence

    check_output(output)
    now = moment()
    wish = evidence.MetricsWish(at=day_or_time(at, "--at") if at else now, window_days=window_days, ledgers=ledgers)
    place = evidence.Place(path=path, config=config, enforced=enforced)
    found = evidence.metrics_of(wish, place=place, machine=machine(), now=now)
    write_output(evidence.metrics_json(found) if form == "json" else evidence.prometheus_text(found), output)
    return 0
