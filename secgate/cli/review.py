"""`secgate review`: a named person reviewed the gate over a period, and signs for it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from secgate.cli.evidence import day_or_time
from secgate.cli.help import Group
from secgate.cli.options import machine, moment
from secgate.cli.waiver import place_options, speaker_options, speaks, where
from secgate.escape import plain

if TYPE_CHECKING:
    from secgate.testimony import KnownReview, Reviewed

WHAT = ("results", "gate-settings", "access", "exceptions")
_SHOWN = 12


@click.group("review", cls=Group)
def review_command() -> None:
    """Sign for a review of the gate, and list what was signed.

    Controls ask for a named person who looks at the gate's results, settings, access and exceptions regularly.
    """


@review_command.command(
    "sign",
    examples=(
        "secgate review sign --from 2026-07-01 --to 2026-10-01 --what results \\",
        '    --note "two were late" --as ana --key ~/.ssh/ana',
    ),
)
@click.option("--from", "start", metavar="DATE", required=True, help="The period's first day, or a time with a zone.")
@click.option("--to", "end", metavar="DATE", required=True, help="The day after its last; it must be over.")
@click.option(
    "--what", "what", type=click.Choice(WHAT), multiple=True, required=True, help="What was reviewed; may be repeated."
)
@click.option("--note", required=True, metavar="WORDS", help="What was looked at, and what follows.")
@place_options
@speaker_options
def sign(
    *,
    start: str,
    end: str,
    what: tuple[Reviewed, ...],
    note: str,
    path: str,
    config: str,
    enforced: str,
    person: str,
    key: str,
) -> int:
    """Say that you reviewed the gate over a period, in every repository of the ledger.

    `results` is what a periodic review is of; `gate-settings` are changes of policy, scanners, rules and mode.
    """
    from secgate import statements

    made = statements.sign_review(
        statements.ReviewWish(start=day_or_time(start, "--from"), end=day_or_time(end, "--to"), what=what, note=note),
        speaker=speaks(person, key),
        place=where(path, config, enforced),
        machine=machine(),
        now=moment(),
    )
    click.echo(made.id)
    return 0


@review_command.command(
    "list",
    examples=("secgate review list",),
)
@click.option("--format", "form", type=click.Choice(("text", "json")), default="text", help="Form of the list.")
@place_options
def list_reviews(*, form: str, path: str, config: str, enforced: str) -> int:
    """List every review that counts, oldest first; what counts for nothing is said on stderr."""
    from secgate import statements
    from secgate.hearing import refused_words
    from secgate.testimony import REVIEWED

    found = statements.listed_testimony(place=where(path, config, enforced), machine=machine(), now=moment())
    if form == "json":
        click.echo(json.dumps([_plain_form(one) for one in found.reviews], indent=2, sort_keys=True))
    else:
        for one in found.reviews:
            _lines(one)
        if not found.reviews:
            click.echo("no reviews")
    for told in refused_words(one for one in found.refused if one.type == REVIEWED):
        click.echo(plain(told), err=True)
    return 0


def _lines(one: KnownReview) -> None:
    from secgate.sla import utc_words

    said = one.said
    click.echo(f"{one.id[:_SHOWN]}  {', '.join(said.what)}, by {plain(said.by)}")
    click.echo(f"  {utc_words(said.from_epoch_s)} until before {utc_words(said.to_epoch_s)}")
    click.echo(f"  signed {utc_words(one.at_epoch_s)}: {plain(said.note)}")


def _plain_form(one: KnownReview) -> dict[str, object]:
    said = one.said
    return {
        "id": one.id,
        "what": list(said.what),
        "by": said.by,
        "note": said.note,
        "from_epoch_s": said.from_epoch_s,
        "to_epoch_s": said.to_epoch_s,
        "signed_epoch_s": one.at_epoch_s,
    }
