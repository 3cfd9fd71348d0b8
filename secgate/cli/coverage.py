"""`secgate coverage`: have a gap let pass for a while, by name."""

from __future__ import annotations

import click

from secgate.cli.help import Group
from secgate.cli.options import machine, moment
from secgate.cli.waiver import moment_of, place_options, speaker_options


@click.group("coverage", cls=Group)
def coverage_command() -> None:
    """Say of what nobody looked at that it may pass."""


@coverage_command.command(
    "waive",
    examples=(
        "secgate coverage waive iac unsupported 'charts/**' --until 30d \\",
        '    --reason "read by hand" --as ana --key ~/.ssh/ana',
    ),
)
@click.argument("lane", type=click.Choice(("sast", "dependencies", "iac", "secrets", "workflows")))
@click.argument("reason_of_gap", metavar="REASON")
@click.argument("paths", metavar="[PATHS]", required=False)
@click.option("--reason", required=True, help="Why it may pass, for whoever reads it in a year.")
@click.option("--until", metavar="DATE|DAYS", required=True, help="When it ends: 2026-12-31, or 30d from now.")
@click.option("--ticket", default="", help="Where it is being worked on.")
@place_options
@speaker_options
def waive(
    *,
    lane: str,
    reason_of_gap: str,
    paths: str | None,
    reason: str,
    until: str,
    ticket: str,
    path: str,
    config: str,
    enforced: str,
    person: str,
    key: str,
) -> int:
    """Ask that the gaps of LANE with REASON (`unsupported`, `tool-missing`, ...) under the pattern PATHS may pass.

    Without PATHS, gaps of the whole lane are meant. Another person approves with `secgate waiver approve`. A file that
    a change touches is never let pass.
    """
    from secgate import statements
    from secgate.errors import UsageError
    from secgate.escape import plain
    from secgate.model import Lane

    if paths == "":
        raise UsageError(
            "PATHS is empty", remedy="give a pattern, or none at all: then gaps of the whole lane are meant"
        )

    now = moment()
    made = statements.request_for_gap(
        Lane(lane),
        reason_of_gap,
        paths or "",
        statements.Wish(kind="accept", reason=reason, expires=moment_of(until, now=now), ticket=ticket),
        speaker=statements.Speaker(person=person, key=key),
        place=statements.Place(path=path, config=config, enforced=enforced),
        machine=machine(),
        now=now,
    )
    click.echo(made.id)
    click.echo(f"asked for: {plain(made.request.shown)}", err=True)
    click.echo(f"it counts once somebody else says: secgate waiver approve {made.id[:12]}", err=True)
    return 0
