"""`secgate report`: the evidence over a period, as files in a folder."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from secgate.cli.evidence import day_or_time
from secgate.cli.help import Command
from secgate.cli.options import check_folder, machine, moment, write_folder
from secgate.cli.waiver import place_options
from secgate.errors import UsageError
from secgate.escape import plain
from secgate.sla import many

if TYPE_CHECKING:
    from secgate.report import Report

DEFAULT_FORMATS = ("html", "json")


@click.command(
    "report",
    cls=Command,
    examples=(
        "secgate report soc2 --from 2026-07-01 --to 2026-10-01 \\",
        "    --generated-at 2026-10-02T09:00:00Z -o soc2-q3",
    ),
)
@click.argument("framework")
@click.option("--from", "start", metavar="DATE", required=True, help="The period's first day, or a time with a zone.")
@click.option("--to", "end", metavar="DATE", required=True, help="The day after its last: 2026-07-01 to 2026-10-01.")
@click.option(
    "--generated-at", "generated", metavar="TIME", required=True, help="The moment that the report bears, not ahead."
)
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
@click.option("--about", metavar="FILE", default="", help="What management says: entity, scope, responses (TOML).")
@click.option("--seed", metavar="TEXT", default="", help="The auditor's seed; items are drawn from each population.")
@click.option("--sample", "size", type=int, default=25, metavar="N", show_default=True, help="How many are drawn.")
@click.option("--final", is_flag=True, help="Mark it as final; it is a draft otherwise.")
@click.option(
    "--format", "formats", multiple=True, metavar="FORMAT", help="html, pdf, markdown, json, oscal, csv; repeatable."
)
@click.option("-o", "--output", required=True, metavar="DIR", help="A folder that is not there yet, or is empty.")
@place_options
def report_command(
    *,
    framework: str,
    start: str,
    end: str,
    generated: str,
    ledgers: tuple[str, ...],
    checkpoints: tuple[str, ...],
    about: str,
    seed: str,
    size: int,
    final: bool,
    formats: tuple[str, ...],
    output: str,
    path: str,
    config: str,
    enforced: str,
) -> int:
    """Write evidence for FRAMEWORK over a period: soc2, iso27001, pci-dss, gdpr, ssdf, owasp-top10, or your own.

    It holds results of tests with what they were made from, and says of no control that it is met: an auditor does. It
    is no gate: it exits 0 whatever it finds. The same ledgers and parameters give the same bytes. The folder is written
    whole or not at all.
    """
    from secgate import report
    from secgate.report.forms import FORMS, form

    for name in formats:
        if name not in FORMS:
            raise UsageError(f"unknown format `{name}`", place="--format", remedy=f"one of: {', '.join(FORMS)}")
    chosen = [(name, form(name)) for name in dict.fromkeys(formats or DEFAULT_FORMATS)]
    check_folder(output)
    wish = report.ReportWish(
        framework=framework,
        start=day_or_time(start, "--from"),
        end=day_or_time(end, "--to"),
        generated=day_or_time(generated, "--generated-at"),
        ledgers=ledgers,
        checkpoints=checkpoints,
        about=about,
        seed=seed,
        size=size,
        final=final,
    )
    place = report.Place(path=path, config=config, enforced=enforced)
    made = report.make_report(wish, place=place, machine=machine(), now=moment())
    files: dict[str, bytes] = {}
    for _, render in chosen:
        files |= render(made)
    files["SHA256SUMS"] = _sums(files)
    write_folder(files, output)
    for line in _told(made, files, output):
        click.echo(line)
    return 0


def _sums(files: Mapping[str, bytes]) -> bytes:
    """Give what `sha256sum -c` takes."""
    return "".join(f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files)).encode()


def _told(made: Report, files: Mapping[str, bytes], output: str) -> list[str]:
    from secgate.report.document import RESULT_WORDS

    counts = Counter(one.result for one in made.tests.results)
    results = ", ".join(f"{counts[name]} {word}" for name, word in RESULT_WORDS.items() if counts[name])
    lines = [f"{made.cover.title}, {made.cover.status} {made.cover.report_id}"]
    lines.append(f"  assertions: {results}; exceptions: {len(made.exceptions)}")
    lines.append(f"  {many(len(files), 'file')} in {plain(output)}")
    return lines
