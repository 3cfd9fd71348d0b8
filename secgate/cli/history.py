"""`secgate history`, `explain` and `diff`: what is recorded of one finding, why a run said so, and of two runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from secgate.cli.completing import complete_subject
from secgate.cli.help import Command
from secgate.cli.options import machine, moment, room, write_output

Function = TypeVar("Function", bound=Callable[..., Any])


def _asking(command: Function) -> Function:
    for option in reversed(
        (
            click.option(
                "--path",
                default=".",
                metavar="DIR",
                help="The tree whose ledger is read; the current folder by default.",
            ),
            click.option(
                "--config",
                default="",
                metavar="FILE",
                help="Settings instead of the tree's own secgate.toml or pyproject.toml.",
            ),
            click.option(
                "--enforced",
                default="",
                metavar="DIR",
                help="The organisation's enforced layer; SECGATE_ENFORCED by default.",
            ),
            click.option(
                "--format",
                "form",
                type=click.Choice(("text", "json")),
                default="text",
                help="text by default, or json.",
            ),
            click.option("-o", "--output", default="-", metavar="FILE", help="Where it goes; stdout by default."),
        )
    ):
        command = option(command)
    return command


@click.command(
    "history",
    cls=Command,
    examples=(
        "secgate history ab66225c350b",
        "secgate history CVE-2026-12345 --format json",
    ),
)
@click.argument("finding", default="", metavar="FINDING")
@_asking
def history_command(*, finding: str, path: str, config: str, enforced: str, form: str, output: str) -> int:
    """Tell what is recorded of FINDING: each run, its clocks and duties, its waiver, who wrote its lines.

    FINDING is a fingerprint, any other name of it, an advisory's name, or the unique start of a fingerprint.
    """
    from secgate import queries
    from secgate.preparation import Place

    width, colour = room(output)
    place = Place(path=path, config=config, enforced=enforced)
    now = moment()
    story = queries.finding_story(finding, place=place, machine=machine(), now=now)
    write_output(queries.render_story(story, form, now=now, width=width, colour=colour), output)
    return 0


@click.command(
    "explain",
    cls=Command,
    examples=(
        "secgate explain ab66225c350b",
        "secgate explain sast --run 20261127T0740",
    ),
)
@click.argument("subject", default="", metavar="ID", shell_complete=complete_subject)
@click.option("--run", default="", metavar="RUN", help="The run, by its id or the start of it; the latest by default.")
@_asking
def explain_command(*, subject: str, run: str, path: str, config: str, enforced: str, form: str, output: str) -> int:
    """Tell why ID blocks or passes: rule and line, facts, clock, owner, and the shortest ways to green.

    ID is a finding (a fingerprint, the unique start of one, any other name of it, an advisory), a lane, a rule, or
    `run` for what was said of the run itself.
    """
    from secgate import queries
    from secgate.preparation import Place

    width, colour = room(output)
    place = Place(path=path, config=config, enforced=enforced)
    told = queries.explanation(subject, run=run, place=place, machine=machine(), now=moment())
    write_output(queries.render_explanation(told, form, width=width, colour=colour), output)
    return 0


@click.command(
    "diff",
    cls=Command,
    examples=("secgate diff 20261126T0740 20261127T0740",),
)
@click.argument("then", default="", metavar="RUN")
@click.argument("now", default="", metavar="RUN")
@_asking
def diff_command(*, then: str, now: str, path: str, config: str, enforced: str, form: str, output: str) -> int:
    """Tell what differs from the first RUN to the second: findings, tools, policy and coverage.

    A RUN is a run's id or the unique start of it.
    """
    from secgate import queries
    from secgate.preparation import Place

    width, colour = room(output)
    place = Place(path=path, config=config, enforced=enforced)
    comparison = queries.run_comparison(then, now, place=place, machine=machine(), now=moment())
    write_output(queries.render_comparison(comparison, form, width=width, colour=colour), output)
    return 0
