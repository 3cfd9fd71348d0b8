"""`secgate downgrade`: ask that a finding count for less, have somebody else approve it, see what holds."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from secgate.cli.help import Group
from secgate.cli.options import machine, moment
from secgate.cli.waiver import moment_of, place_options, speaker_options, speaks, where
from secgate.escape import plain

if TYPE_CHECKING:
    from secgate.downgrades import Standing
    from secgate.statements.downgrades import ListedDowngrades

_SHOWN = 12
_WIDTH = 80


@click.group("downgrade", cls=Group)
def downgrade_command() -> None:
    """Ask for, approve, revoke and list downgrades.

    A downgrade says that a finding is less bad than the tools think. One person asks for it, another approves it before
    the finding is due; both sign with their SSH keys. Its time is then counted anew from when it was first seen, by the
    lower severity; every other duty stays. It is void for the same reasons as a waiver.
    """


@downgrade_command.command(
    "request",
    examples=(
        "secgate downgrade request ab66225c350b --to medium --until 90d \\",
        '    --reason "not reachable" --as ana --key ~/.ssh/ana',
    ),
)
@click.argument("finding")
@click.option(
    "--to", "severity", type=click.Choice(("high", "medium", "low")), required=True, help="What it counts as."
)
@click.option("--reason", required=True, help="Why it is less bad, for whoever reads it in a year.")
@click.option("--until", metavar="DATE|DAYS", required=True, help="When it ends: 2026-12-31, or 30d from now.")
@click.option("--ticket", default="", help="Where it is being worked on.")
@click.option("--run", default="", metavar="RUN", help="The run that shows the finding; the last one by default.")
@place_options
@speaker_options
def request(
    *,
    finding: str,
    severity: str,
    reason: str,
    until: str,
    ticket: str,
    run: str,
    path: str,
    config: str,
    enforced: str,
    person: str,
    key: str,
) -> int:
    """Ask that FINDING (the beginning of its fingerprint) count for less."""
    from secgate import statements
    from secgate.model import Severity

    now = moment()
    made = statements.request_downgrade(
        finding,
        statements.DowngradeWish(
            severity=Severity(severity), reason=reason, expires=moment_of(until, now=now), ticket=ticket
        ),
        speaker=speaks(person, key),
        place=where(path, config, enforced),
        run=run,
        machine=machine(),
        now=now,
    )
    click.echo(made.id)
    click.echo(f"asked for: {plain(made.request.shown)}", err=True)
    click.echo(f"it counts once somebody else says: secgate downgrade approve {made.id[:_SHOWN]}", err=True)
    return 0


@downgrade_command.command(
    "approve",
    examples=("secgate downgrade approve 1f0c22d9 --as ana --key ~/.ssh/ana",),
)
@click.argument("downgrade")
@place_options
@speaker_options
def approve(*, downgrade: str, path: str, config: str, enforced: str, person: str, key: str) -> int:
    """Approve the request DOWNGRADE (the beginning of its id)."""
    from secgate import statements

    made = statements.approve_downgrade(
        downgrade, speaker=speaks(person, key), place=where(path, config, enforced), machine=machine(), now=moment()
    )
    click.echo(made.id)
    click.echo(f"approved by {made.approver}: {plain(made.request.shown)}", err=True)
    return 0


@downgrade_command.command(
    "revoke",
    examples=('secgate downgrade revoke 1f0c22d9 --reason "it is" --as ana --key ~/.ssh/ana',),
)
@click.argument("downgrade")
@click.option("--reason", required=True, help="Why it ends.")
@place_options
@speaker_options
def revoke(*, downgrade: str, reason: str, path: str, config: str, enforced: str, person: str, key: str) -> int:
    """End DOWNGRADE before its time, or take a request back."""
    from secgate import statements

    place = where(path, config, enforced)
    made = statements.revoke_downgrade(
        downgrade, reason, speaker=speaks(person, key), place=place, machine=machine(), now=moment()
    )
    click.echo(made.id)
    click.echo(f"revoked: {plain(made.request.shown)}", err=True)
    return 0


@downgrade_command.command(
    "list",
    examples=("secgate downgrade list --format json",),
)
@click.option("--format", "form", type=click.Choice(("text", "json")), default="text", help="Form of the list.")
@place_options
def list_downgrades(*, form: str, path: str, config: str, enforced: str) -> int:
    """List the downgrades of a repository."""
    from secgate import statements

    _show(statements.listed_downgrades(place=where(path, config, enforced), machine=machine(), now=moment()), form=form)
    return 0


@downgrade_command.command(
    "check",
    examples=("secgate downgrade check",),
)
@place_options
def check(*, path: str, config: str, enforced: str) -> int:
    """Check every downgrade's signatures and time; exit 1 where one does not hold, or counts for nothing."""
    from secgate import statements

    found = statements.listed_downgrades(place=where(path, config, enforced), machine=machine(), now=moment())
    _show(found, form="text")
    return 1 if found.refused or any(one.state != "active" for one in found.standings) else 0


def _show(found: ListedDowngrades, *, form: str) -> None:
    from secgate.hearing import refused_words

    if form == "json":
        click.echo(json.dumps([_plain_form(one) for one in found.standings], indent=2, sort_keys=True))
    else:
        for one in found.standings:
            _lines(one)
        if not found.standings:
            click.echo("no downgrades")
    for told in refused_words(found.refused):
        click.echo(plain(told), err=True)


def _lines(one: Standing) -> None:
    made, asked = one.downgrade, one.downgrade.request
    until = datetime.fromtimestamp(one.until_epoch_s, tz=UTC)
    state = f"{one.state}, until {until:%Y-%m-%d %H:%M} UTC" if one.state == "active" else f"{one.state}: {one.why}"
    by = f"asked for by {asked.requester}" + (f", approved by {made.approver}" if made.approver else "")
    click.echo(f"  {made.id[:_SHOWN]}  {plain(state)}"[:_WIDTH])
    click.echo(f"    from {asked.bound.severity} to {asked.severity}: {plain(asked.shown)}"[:_WIDTH])
    click.echo(f"    {plain(by)}"[:_WIDTH])
    click.echo(f"    {plain(asked.reason)}"[:_WIDTH])


def _plain_form(one: Standing) -> dict[str, object]:
    made, asked = one.downgrade, one.downgrade.request
    return {
        "id": made.id,
        "state": one.state,
        "why": one.why,
        "from_severity": asked.bound.severity,
        "severity": asked.severity,
        "shown": asked.shown,
        "reason": asked.reason,
        "ticket": asked.ticket,
        "requester": asked.requester,
        "approver": made.approver,
        "approved_epoch_s": made.approved_epoch_s,
        "until_epoch_s": one.until_epoch_s,
        "revoked_by": made.revoked_by,
    }
