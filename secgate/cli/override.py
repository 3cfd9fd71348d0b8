"""`secgate override`: break-glass, its review afterwards, and what became of each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from secgate.cli.help import Group
from secgate.cli.options import machine, moment
from secgate.cli.waiver import moment_of, place_options, speaker_options, speaks, where
from secgate.errors import UsageError
from secgate.escape import plain

if TYPE_CHECKING:
    from secgate.statements.overrides import ListedOverride, ListedOverrides

_SHOWN = 12
_WIDTH = 80


@click.group("override", cls=Group, invoke_without_command=True)
@click.option("--until", metavar="TIME", default="", help="When it ends, 24 h from now at most: 6h, 2026-12-31T06:00Z.")
@click.option("--reason", default="", help="Why it cannot wait.")
@click.option("--line", default="", metavar="BRANCH", help="The branch that may pass; the tree's own by default.")
@click.option("--commit", default="", help="Only this commit of it.")
@click.option("--ticket", default="", help="The incident.")
@click.option("--as", "person", metavar="PERSON", default="", help="Who you are in people.toml.")
@click.option("--key", metavar="FILE", default="", help="Your SSH key, or the .pub of one in ssh-agent.")
@place_options
@click.pass_context
def override_command(
    context: click.Context,
    *,
    until: str,
    reason: str,
    line: str,
    commit: str,
    ticket: str,
    person: str,
    key: str,
    path: str,
    config: str,
    enforced: str,
) -> int:
    """Break the glass: let a line pass for a few hours though the gate says no.

    One signature of a person with the role `break-glass` is enough. Every output says so, what the policy said is still
    computed and recorded, and no clock moves. Errors of the policy, of the ledger and of secgate still block. A second
    person reviews it within 5 days, else it is a deviation.
    """
    given = {"--until": until, "--reason": reason, "--as": person, "--key": key}
    if context.invoked_subcommand is not None:
        if any((*given.values(), line, commit, ticket)):
            raise UsageError("options of an override stand before a command", remedy="put them behind it")
        return 0
    missing = [name for name, value in given.items() if not value]
    if missing:
        raise UsageError(f"an override needs {', '.join(missing)}", remedy="secgate override --help")
    from secgate import statements

    now = moment()
    emergency = statements.Emergency(
        reason=reason, until=moment_of(until, now=now), line=line, commit=commit, ticket=ticket
    )
    made = statements.give_override(
        emergency, speaker=speaks(person, key), place=where(path, config, enforced), machine=machine(), now=now
    )
    stands, said = made.standing, made.standing.given.said
    click.echo(stands.given.id)
    told = f"OVERRIDDEN: {plain(said.repository)}, line {plain(said.line)}, until {_time(stands.until_epoch_s)}"
    click.echo(told, err=True)
    if not made.known_line:
        click.echo(f"no run of the line {plain(said.line)} is recorded yet: is it spelt right?", err=True)
    click.echo(f"have somebody else say by {_time(stands.review_due_epoch_s)}:", err=True)
    click.echo(f"  secgate override review {stands.given.id[:_SHOWN]} --word justified --reason ...", err=True)
    return 0


@override_command.command(
    "review",
    examples=(
        "secgate override review 1f0c22d9 --word justified \\",
        '    --reason "the outage was real" --as ana --key ~/.ssh/ana',
    ),
)
@click.argument("override")
@click.option("--word", type=click.Choice(("justified", "not-justified")), required=True, help="Was it?")
@click.option("--reason", required=True, help="What was looked at, and what follows.")
@place_options
@speaker_options
def review(
    *, override: str, word: str, reason: str, path: str, config: str, enforced: str, person: str, key: str
) -> int:
    """Say as a second person whether OVERRIDE (the beginning of its id) was justified."""
    from secgate import statements

    made = statements.review_override(
        override,
        "justified" if word == "justified" else "not-justified",
        reason,
        speaker=speaks(person, key),
        place=where(path, config, enforced),
        machine=machine(),
        now=moment(),
    )
    click.echo(made.given.id)
    click.echo(f"reviewed: {word}{', too late: a deviation' if made.review == 'late' else ''}", err=True)
    return 0


@override_command.command(
    "list",
    examples=("secgate override list",),
)
@click.option("--format", "form", type=click.Choice(("text", "json")), default="text", help="Form of the list.")
@place_options
def list_overrides(*, form: str, path: str, config: str, enforced: str) -> int:
    """List every override of a repository, with its review and the runs made under it; deviations are marked."""
    from secgate import statements

    _show(statements.listed_overrides(place=where(path, config, enforced), machine=machine(), now=moment()), form=form)
    return 0


def _show(found: ListedOverrides, *, form: str) -> None:
    from secgate.hearing import refused_words
    from secgate.sla import many

    if form == "json":
        click.echo(json.dumps([_plain_form(one) for one in found.overrides], indent=2, sort_keys=True))
    else:
        for one in found.overrides:
            _lines(one)
        if not found.overrides:
            click.echo("no overrides")
    for told in refused_words(found.refused):
        click.echo(plain(told), err=True)
    for vain in found.in_vain:
        passed = f"{many(len(vain.runs), 'run')} passed under entry {vain.refused.sequence} before"
        click.echo(plain(f"{passed}: {', '.join(vain.runs)}"), err=True)


def _lines(one: ListedOverride) -> None:
    stands = one.standing
    given, said = stands.given, stands.given.said
    state = "void" if given.void else "IN FORCE" if stands.in_force else "ended"
    mark = "  DEVIATION" if stands.deviation else ""
    reviewed = f"reviewed by {given.reviewer}: {given.word}" if given.word else f"review {stands.review}"
    due = f", due {_time(stands.review_due_epoch_s)}" if given.word is None else ""
    commit = f" at {said.commit[:_SHOWN]}" if said.commit else ""
    for text in (
        f"{given.id[:_SHOWN]}  {state}, until {_time(stands.until_epoch_s)}{mark}",
        f"  {said.line}{commit}, by {said.by}; runs under it: {len(one.runs)}",
        f"  {reviewed}{due}",
        f"  {given.void or said.reason}",
    ):
        click.echo(f"  {plain(text)}"[:_WIDTH])


def _time(epoch_s: int) -> str:
    from secgate.sla import utc_words

    return utc_words(epoch_s)


def _plain_form(one: ListedOverride) -> dict[str, object]:
    stands = one.standing
    given, said = stands.given, stands.given.said
    return {
        "id": given.id,
        "repository": said.repository,
        "line": said.line,
        "commit": said.commit,
        "by": said.by,
        "reason": said.reason,
        "ticket": said.ticket,
        "given_epoch_s": given.given_epoch_s,
        "until_epoch_s": stands.until_epoch_s,
        "in_force": stands.in_force,
        "void": given.void,
        "review": stands.review,
        "review_due_epoch_s": stands.review_due_epoch_s,
        "reviewer": given.reviewer,
        "word": given.word or "",
        "review_reason": given.review_reason,
        "reviewed_epoch_s": given.reviewed_epoch_s,
        "deviation": stands.deviation,
        "runs": list(one.runs),
    }
