"""`secgate baseline`: known debt, signed, with limits of its own."""

from __future__ import annotations

import re
from typing import Any

import click

from secgate.cli.help import Group
from secgate.cli.options import check_output, machine, moment, write_output
from secgate.errors import UsageError
from secgate.sla import length_words, many, many_entries

_UNITS = {"h": 3600, "d": 86400, "w": 7 * 86400}
_LIMIT = re.compile(r"(critical|high|medium|low)=([1-9]\d{0,5})([hdw])")


@click.group("baseline", cls=Group)
def baseline_command() -> None:
    """Give known debt limits of its own, signed."""


@baseline_command.command(
    "write",
    examples=("secgate baseline write --author ana --key ~/.ssh/ana --limit high=60d",),
)
@click.argument("path", default=".", type=click.Path())
@click.option("--author", metavar="ID", required=True, help="Your id in people.toml.")
@click.option("--key", metavar="FILE", required=True, help="Your SSH key, or its .pub file when an agent holds it.")
@click.option(
    "--limit",
    "limits",
    multiple=True,
    metavar="SEVERITY=TIME",
    help="Time for known findings, such as high=60d (h, d or w); the policy's own by default.",
)
@click.option(
    "--from",
    "source",
    type=click.Choice(("auto", "ledger", "last-run")),
    default="auto",
    show_default=True,
    help="Open findings of the branch in the ledger, or what the last run found; auto: the first that has any.",
)
@click.option("--reason", metavar="TEXT", default="", help="Why, in a line; signed with the rest.")
@click.option("-o", "--output", metavar="FILE", default="", help="Keep the list in FILE too, and FILE.sig.")
@click.option(
    "--ref", metavar="REF", default="", help="The branch or tag that is meant; the one that is checked out by default."
)
@click.option(
    "--config", metavar="FILE", default="", help="Settings instead of the tree's own secgate.toml or pyproject.toml."
)
@click.option(
    "--enforced", metavar="DIR", default="", help="The organisation's enforced layer; SECGATE_ENFORCED by default."
)
def write(*, limits: tuple[str, ...], output: str, **options: Any) -> int:
    """List what is known of PATH today, sign the list and record it.

    What it names has the list's limits from now on, as far as the policy allows. It is no less new where it is new, and
    what is overdue already stays so.
    """
    from secgate.pipeline.debts import BaselineRequest, write_baseline

    check_output(output)
    request = BaselineRequest(limits_s=_limits(limits), **options)
    written = write_baseline(request, machine=machine(), now=moment())
    if output:
        write_output(written.statement, output)
        write_output(written.signature, f"{output}.sig")
    for severity, limit_s in written.shortened.items():
        click.echo(f"{severity}: the policy allows {length_words(limit_s)} at most, and that is what counts", err=True)
    head = written.head
    click.echo(
        f"{written.address}: {many(written.findings, 'finding')} listed, {many_entries(head.size)}, root {head.root}"
    )
    return 0


def _limits(values: tuple[str, ...]) -> dict[Any, int]:
    from secgate.model import Severity

    found: dict[Any, int] = {}
    for value in values:
        match = _LIMIT.fullmatch(value)
        if match is None or Severity(match[1]) in found:
            raise UsageError(
                f"`{value}` is no limit, or is given twice",
                place="--limit",
                remedy="write high=60d, critical=48h",
            )
        found[Severity(match[1])] = int(match[2]) * _UNITS[match[3]]
    return found
