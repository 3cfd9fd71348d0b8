"""`secgate evidence`: lists from outside taken in, and assertions tested over a period."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from secgate.cli.help import Group
from secgate.cli.options import machine, moment, room, write_output
from secgate.cli.waiver import place_options, speaker_options, speaks, where
from secgate.errors import UsageError
from secgate.escape import plain

if TYPE_CHECKING:
    from secgate.evidence import ImportReceipt

KINDS = ("deployments", "repositories", "artifacts", "reviews", "patches")


@click.group("evidence", cls=Group)
def evidence_command() -> None:
    """Take in lists from outside, and test assertions over a period.

    What comes out is evidence for an audit. Whether a control is met is for an auditor to say.
    """


@evidence_command.command(
    "import",
    examples=(
        'secgate evidence import deployments deploys.csv --source "the CD system" \\',
        '    --query "all of production" --extracted-at 2026-10-01T06:00:00Z',
    ),
)
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("file")
@click.option("--form", metavar="FORM", default="", help="csv, json, github or gitlab; by the file's name otherwise.")
@click.option("--source", required=True, metavar="WORDS", help="The system that the list comes from.")
@click.option("--query", required=True, metavar="WORDS", help="How it was asked for it, filters included.")
@click.option("--extracted-at", "extracted", required=True, metavar="TIME", help="When: 2026-10-01T06:00:00Z.")
@click.option("--from", "start", metavar="DATE", default="", help="It holds everything from then on,")
@click.option("--to", "end", metavar="DATE", default="", help="and before then. A day is its midnight in UTC.")
@click.option(
    "--repository", "repositories", multiple=True, metavar="NAME", help="It holds these alone: host/owner/name."
)
@click.option("--environment", "environments", multiple=True, metavar="NAME", help="Take only deployments to these.")
@place_options
def import_(
    *,
    kind: str,
    file: str,
    form: str,
    source: str,
    query: str,
    extracted: str,
    start: str,
    end: str,
    repositories: tuple[str, ...],
    environments: tuple[str, ...],
    path: str,
    config: str,
    enforced: str,
) -> int:
    """Take the list in FILE into the ledger of a tree, people as the opaque ids of people.toml.

    Every fault of the file is given with its line, and nothing is imported unless all of it is right. The same file
    again changes nothing; a later list adds rows and replaces those of the same key, and takes none away.
    """
    import msgspec

    from secgate import evidence

    wish = msgspec.convert(
        {
            "kind": kind,
            "file": file,
            "form": form,
            "source": source,
            "query": query,
            "extracted": day_or_time(extracted, "--extracted-at"),
            "start": day_or_time(start, "--from") if start else None,
            "end": day_or_time(end, "--to") if end else None,
            "repositories": repositories,
            "environments": environments,
        },
        evidence.ImportWish,
    )
    place = evidence.Place(path=path, config=config, enforced=enforced)
    for line in _imported(evidence.import_population(wish, place=place, machine=machine(), now=moment())):
        click.echo(line)
    return 0


@evidence_command.command(
    "revoked",
    examples=(
        "secgate evidence revoked ab66225c350b --at 2026-10-01T06:00:00Z \\",
        "    --reference SEC-7 --as ana --key ~/.ssh/ana",
    ),
)
@click.argument("finding")
@click.option("--at", required=True, metavar="TIME", help="When it was revoked: 2026-10-01T06:00:00Z.")
@click.option("--reference", required=True, metavar="TICKET", help="Where the proof of it is kept.")
@place_options
@speaker_options
def revoked(
    *, finding: str, at: str, reference: str, path: str, config: str, enforced: str, person: str, key: str
) -> int:
    """Say that the secret FINDING was revoked where it was good for something, and sign for it.

    FINDING is a fingerprint or the start of one. Taking a secret out of the text revokes nothing.
    """
    from secgate import statements

    made = statements.tell_revocation(
        finding,
        day_or_time(at, "--at"),
        reference,
        speaker=speaks(person, key),
        place=where(path, config, enforced),
        machine=machine(),
        now=moment(),
    )
    click.echo(made.id)
    return 0


@evidence_command.command(
    "check",
    examples=("secgate evidence check --from 2026-07-01 --to 2026-10-01",),
)
@click.option("--from", "start", metavar="DATE", required=True, help="The period's first day, or a time with a zone.")
@click.option("--to", "end", metavar="DATE", required=True, help="The day after its last: 2026-07-01 to 2026-10-01.")
@click.option("--framework", "frameworks", multiple=True, metavar="KEY", help="soc2, iso27001 ...; all by default.")
@click.option(
    "--ledger",
    "ledgers",
    multiple=True,
    metavar="L",
    help="A ledger's file, or REPOSITORY#REF for one in git; may be repeated. By default the tree's own.",
)
@click.option(
    "--checkpoint", "checkpoints", multiple=True, metavar="FILE|REPOSITORY#REF|URL", help="Where a checkpoint is kept."
)
@click.option("--format", "form", type=click.Choice(("text", "json")), default="text", help="text by default, or json.")
@click.option("-o", "--output", default="-", metavar="FILE", help="Where it goes; stdout by default.")
@place_options
def check(
    *,
    start: str,
    end: str,
    frameworks: tuple[str, ...],
    ledgers: tuple[str, ...],
    checkpoints: tuple[str, ...],
    form: str,
    output: str,
    path: str,
    config: str,
    enforced: str,
) -> int:
    """Test each assertion over a period, and list what deviates, what was not tested and what stands on one side only.

    It is evidence and no gate: it exits 0 whatever it finds. The period must be over. A day begins at midnight UTC.
    """
    from secgate import evidence

    width, _ = room(output)
    wish = evidence.EvidenceWish(
        start=day_or_time(start, "--from"),
        end=day_or_time(end, "--to"),
        frameworks=frameworks,
        ledgers=ledgers,
        checkpoints=checkpoints,
    )
    place = evidence.Place(path=path, config=config, enforced=enforced)
    found = evidence.period_evidence(wish, place=place, machine=machine(), now=moment())
    page = evidence.evidence_json(found) if form == "json" else evidence.evidence_page(found, width=width)
    write_output(page, output)
    return 0


def _imported(receipt: ImportReceipt) -> list[str]:
    from secgate.sla import many

    event = receipt.event
    told = "there already" if receipt.again else "imported"
    lines = [f"{event.kind}: {many(event.rows, 'row')} {told}"]
    lines.append(f"  into {plain(receipt.address)}, rows {event.rows_digest[:12]}, file {event.source_digest[:12]}")
    lines += [f"  left out: {count} {plain(reason)}" for reason, count in sorted(event.left_out.items())]
    if event.unknown_people:
        told = "two of them may be one person: add them to people.toml"
        unknown = many(event.unknown_people, "person is", "people are")
        lines.append(f"  {unknown} unknown to people.toml{f'; {told}' if event.unknown_people > 1 else ''}")
    return lines


def day_or_time(text: str, option: str) -> datetime:
    """Give an aware time: of a day its first second in UTC. Raises UsageError for a time without a zone."""
    try:
        given = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"`{text}` is no time", place=option, remedy="write 2026-10-01, or 2026-10-01T06:00:00Z"
        ) from error
    if len(text) == len("2026-10-01"):
        return given.replace(tzinfo=UTC)
    if given.tzinfo is None:
        raise UsageError(f"`{text}` has no zone", place=option, remedy="end it in Z for UTC")
    return given.astimezone(UTC)
