"""`secgate waiver`: ask that something be let pass for a while, have somebody else approve it, see what holds."""

from __future__ import annotations

import json
import textwrap
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from secgate.cli.help import Group
from secgate.cli.options import Command, machine, moment
from secgate.errors import UsageError
from secgate.escape import plain

if TYPE_CHECKING:
    from secgate.model import WaiverAccount
    from secgate.statements import Listed, Place, Speaker
    from secgate.waivers import Waiver

KINDS = ("accept", "false-positive", "not-affected")
_SHOWN = 12
_WIDTH = 80


@click.group("waiver", cls=Group)
def waiver_command() -> None:
    """Ask for, approve, revoke and list waivers.

    A waiver lets a finding, an advisory or a coverage gap pass until a time. One person asks for it, another approves
    it; both sign with their SSH keys. It is void when what it was given for is another: edited code, another version,
    a higher severity, a further tool that sees it. It never moves a clock.
    """


def place_options(command: Command) -> Command:
    """Add the options that say which tree's ledger is meant."""
    for option in (
        click.option(
            "--enforced",
            metavar="DIR",
            default="",
            help="The organisation's enforced layer; SECGATE_ENFORCED by default.",
        ),
        click.option(
            "--config",
            metavar="FILE",
            default="",
            help="Settings instead of the tree's own secgate.toml or pyproject.toml.",
        ),
        click.option(
            "--path", default=".", metavar="DIR", help="The tree whose ledger is meant; the current folder by default."
        ),
    ):
        command = option(command)
    return command


def speaker_options(command: Command) -> Command:
    """Add the options that say who speaks."""
    for option in (
        click.option("--key", metavar="FILE", required=True, help="Your SSH key, or the .pub of one in ssh-agent."),
        click.option("--as", "person", metavar="PERSON", required=True, help="Who you are in people.toml."),
    ):
        command = option(command)
    return command


@waiver_command.command(
    "request",
    examples=(
        "secgate waiver request ab66225c350b --kind accept --until 30d \\",
        '    --reason "fixed in release 5" --as ana --key ~/.ssh/ana',
    ),
)
@click.argument("finding", required=False, default="")
@click.option("--kind", type=click.Choice(KINDS), required=True, help="Accepted risk, or none at all.")
@click.option("--reason", required=True, help="Why it may pass, for whoever reads it in a year.")
@click.option("--until", metavar="DATE|DAYS", required=True, help="When it ends: 2026-12-31, or 30d from now.")
@click.option("--ticket", default="", help="Where it is being worked on.")
@click.option("--run", default="", metavar="RUN", help="The run that shows the finding; the last one by default.")
@click.option("--advisory", default="", metavar="ID", help="Instead of a finding: an advisory, under any of its names.")
@click.option("--package", default="", metavar="[ECOSYSTEM/]NAME", help="The package that the advisory is about.")
@click.option("--version", "versions", multiple=True, metavar="VERSION", help="Resolved versions that it is bound to.")
@click.option("--severity", default="critical", show_default=True, help="Void once the severity is above this.")
@click.option("--repository", "repositories", multiple=True, metavar="NAME", help="Repositories, as runs name them.")
@place_options
@speaker_options
def request(
    *,
    finding: str,
    kind: str,
    reason: str,
    until: str,
    ticket: str,
    run: str,
    advisory: str,
    package: str,
    versions: tuple[str, ...],
    severity: str,
    repositories: tuple[str, ...],
    path: str,
    config: str,
    enforced: str,
    person: str,
    key: str,
) -> int:
    """Ask that FINDING (the beginning of its fingerprint), or an --advisory, be let pass."""
    import msgspec

    from secgate import statements
    from secgate.model import Severity
    from secgate.purl import named_package
    from secgate.waivers import AdvisorySubject

    now = moment()
    place, speaker = statements.Place(path=path, config=config, enforced=enforced), speaks(person, key)
    wish = msgspec.convert(
        {"kind": kind, "reason": reason, "expires": moment_of(until, now=now), "ticket": ticket}, statements.Wish
    )
    if bool(finding) == bool(advisory):
        raise UsageError("give a finding, or --advisory with --package", remedy="secgate waiver request --help")
    if finding:
        made = statements.request_for_finding(
            finding, wish, speaker=speaker, place=place, run=run, machine=machine(), now=now
        )
    else:
        if not package or not repositories:
            raise UsageError("--advisory needs --package and --repository", remedy="secgate waiver request --help")
        if severity not in list(Severity):
            raise UsageError(f"there is no severity `{severity}`", remedy=f"one of: {', '.join(Severity)}")
        ecosystem, name = named_package(package)
        subject = AdvisorySubject(
            advisory=advisory, ecosystem=ecosystem, package=name, repositories=tuple(sorted(set(repositories)))
        )
        made = statements.request_for_advisory(
            subject,
            wish,
            versions=versions,
            severity=Severity(severity),
            speaker=speaker,
            place=place,
            machine=machine(),
            now=now,
        )
    click.echo(made.id)
    click.echo(f"asked for: {plain(made.request.shown)}", err=True)
    click.echo(f"it counts once somebody else says: secgate waiver approve {made.id[:_SHOWN]}", err=True)
    return 0


@waiver_command.command(
    "approve",
    examples=("secgate waiver approve 1f0c22d9 --as ana --key ~/.ssh/ana",),
)
@click.argument("waiver")
@place_options
@speaker_options
def approve(*, waiver: str, path: str, config: str, enforced: str, person: str, key: str) -> int:
    """Approve the request WAIVER (the beginning of its id)."""
    from secgate import statements

    made = statements.approve(
        waiver, speaker=speaks(person, key), place=where(path, config, enforced), machine=machine(), now=moment()
    )
    click.echo(made.id)
    click.echo(f"approved by {made.approver}: {plain(made.request.shown)}", err=True)
    return 0


@waiver_command.command(
    "revoke",
    examples=('secgate waiver revoke 1f0c22d9 --reason "mended" --as ana --key ~/.ssh/ana',),
)
@click.argument("waiver")
@click.option("--reason", required=True, help="Why it ends.")
@place_options
@speaker_options
def revoke(*, waiver: str, reason: str, path: str, config: str, enforced: str, person: str, key: str) -> int:
    """End WAIVER before its time, or take a request back."""
    from secgate import statements

    place = where(path, config, enforced)
    made = statements.revoke(waiver, reason, speaker=speaks(person, key), place=place, machine=machine(), now=moment())
    click.echo(made.id)
    click.echo(f"revoked: {plain(made.request.shown)}", err=True)
    return 0


@waiver_command.command(
    "list",
    examples=("secgate waiver list --kind accept",),
)
@click.option("--format", "form", type=click.Choice(("text", "json")), default="text", help="Form of the list.")
@click.option("--kind", type=click.Choice(KINDS), help="Only of this kind.")
@place_options
def list_waivers(*, form: str, kind: str | None, path: str, config: str, enforced: str) -> int:
    """List the waivers of a repository: accepted risk apart from what is no risk."""
    from secgate import statements

    found = statements.listed(place=where(path, config, enforced), machine=machine(), now=moment())
    _show(found, form=form, kind=kind)
    return 0


@waiver_command.command(
    "check",
    examples=("secgate waiver check",),
)
@click.option("--kind", type=click.Choice(KINDS), help="Only of this kind.")
@place_options
def check(*, kind: str | None, path: str, config: str, enforced: str) -> int:
    """Check every waiver's signatures and time; exit 1 where one does not hold, or counts for nothing."""
    from secgate import statements

    found = statements.listed(place=where(path, config, enforced), machine=machine(), now=moment())
    _show(found, form="text", kind=kind)
    bad = [one for _, one in _of_kind(found, kind) if one.state not in ("active", "unused")]
    return 1 if bad or found.refused else 0


def where(path: str, config: str, enforced: str) -> Place:
    """Give the tree that is meant."""
    from secgate import statements

    return statements.Place(path=path, config=config, enforced=enforced)


def speaks(person: str, key: str) -> Speaker:
    """Give who speaks."""
    from secgate import statements

    return statements.Speaker(person=person, key=key)


def moment_of(text: str, *, now: datetime) -> datetime:
    """Give the moment that is meant: `30d` or `6h` from now, a day (its end, in UTC), or an ISO time with a zone."""
    try:
        if text[-1:] in ("d", "h") and text[:-1].isdigit():
            return now + timedelta(**{"days" if text.endswith("d") else "hours": int(text[:-1])})
        if len(text) == len("2026-12-31"):
            return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC) + timedelta(days=1)
        given = datetime.fromisoformat(text)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"`{text}` is no time", remedy="write 30d, 6h, 2026-12-31, or 2026-12-31T12:00Z") from error
    if given.tzinfo is None:
        raise UsageError(f"`{text}` has no zone", remedy="end it in Z for UTC")
    return given.astimezone(UTC)


def _of_kind(found: Listed, kind: str | None) -> list[tuple[Waiver, WaiverAccount]]:
    pairs = zip(found.waivers, found.accounts, strict=True)
    return [(waiver, one) for waiver, one in pairs if kind in (None, one.kind)]


def _show(found: Listed, *, form: str, kind: str | None) -> None:
    from secgate.hearing import refused_words

    pairs = _of_kind(found, kind)
    if form == "json":
        click.echo(json.dumps([_plain_form(waiver, one) for waiver, one in pairs], indent=2, sort_keys=True))
    else:
        for name in KINDS:
            of_name = [one for _, one in pairs if one.kind == name]
            if of_name:
                click.echo(f"{name}: {len(of_name)}")
            for one in of_name:
                _line(one)
        if not pairs:
            click.echo("no waivers")
    if pairs:
        whole = f"run {found.run_id}" if found.run_id else "no run: none that is recorded looked at the whole tree"
        click.echo(f"held against {whole}", err=True)
    for told in refused_words(found.refused):
        click.echo(plain(told), err=True)


def _line(one: WaiverAccount) -> None:
    until = datetime.fromtimestamp(one.until_epoch_s, tz=UTC)
    state = f"{one.state}, {'ends soon, ' if one.ends_soon else ''}until {until:%Y-%m-%d %H:%M} UTC"
    if one.state != "active":
        state = f"{one.state}: {one.why}"
    click.echo(f"  {one.id[:_SHOWN]}  {plain(state)}"[:_WIDTH])
    click.echo(f"    {plain(one.shown)}"[:_WIDTH])
    by = f"asked for by {one.requester}"
    by += f", approved by {one.approver}" if one.approver else ""
    click.echo(f"    {plain(by)}"[:_WIDTH])
    click.echo(f"    {plain(one.reason)}"[:_WIDTH])
    if one.remedy:
        click.echo(
            textwrap.fill(
                plain(one.remedy),
                _WIDTH,
                initial_indent="    to do: ",
                subsequent_indent=" " * 11,
                break_long_words=False,
                break_on_hyphens=False,
            )
        )


def _plain_form(waiver: Waiver, one: WaiverAccount) -> dict[str, object]:
    import msgspec

    more = {"approved_epoch_s": waiver.approved_epoch_s, "revoked_by": waiver.revoked_by}
    return {**msgspec.to_builtins(one), **more}
