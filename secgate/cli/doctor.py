"""`secgate doctor`: what is installed, what this tree needs, what would be missing."""

from __future__ import annotations

import platform
import textwrap
from typing import TYPE_CHECKING

import click

from secgate.cli.help import Command
from secgate.cli.options import machine, moment
from secgate.version import __version__

if TYPE_CHECKING:
    from secgate.pipeline.diagnosis import Diagnosis


WIDTH, INDENT = 80, 12


@click.command(
    "doctor",
    cls=Command,
    examples=(
        "secgate doctor",
        "secgate doctor --self-test",
    ),
)
@click.argument("path", default=".", type=click.Path())
@click.option("--enforced", metavar="DIR", default="", help="The organisation's enforced layer.")
@click.option("--self-test", is_flag=True, help="Also run every installed scanner on a sample that it must find.")
def doctor_command(*, path: str, enforced: str, self_test: bool) -> int:
    """Say what is installed, which lanes PATH needs and what would be missing.

    Exit code 3 when a run would be inconclusive, or a scanner fails its self-test.
    """
    from secgate.pipeline.diagnosis import diagnose
    from secgate.pipeline.selftest import self_tests

    found = diagnose(path, enforced=enforced, machine=machine(), now=moment())
    _show(found)
    failed = False
    if self_test:
        click.echo("\nself-test")
        for one in self_tests(machine=machine(), now=moment()):
            failed = failed or not one.ok
            click.echo(f"  {one.scanner:<16} {'finds its sample' if one.ok else 'FAILS: ' + one.reason}")
    for problem in found.problems:
        click.echo(f"secgate: {problem}", err=True)
    return 3 if found.problems or failed else 0


def _show(found: Diagnosis) -> None:
    click.echo(f"secgate {__version__}, Python {platform.python_version()}, profile {found.profile}")
    click.echo("\ntools")
    for one in found.tools:
        if one.own:
            state = "part of secgate"
        elif one.tool is None:
            state = "missing"
        else:
            tested = "" if one.tool.tested else ", outside the tested versions"
            state = f"{one.tool.version or 'unknown version'} ({one.tool.environment}){tested}"
        needed = f"  needed for {', '.join(one.needed_for)}" if one.needed_for else ""
        click.echo(f"  {one.scanner:<16} {state:<34}{needed}".rstrip())
    click.echo("\nlanes of this tree")
    for lane in found.lanes:
        files = f"{lane.files} files" if lane.files != 1 else "1 file"
        more = f", {lane.unsupported} unsupported" if lane.unsupported else ""
        asked = "" if lane.asked else "  (not asked by this profile)"
        click.echo(f"  {lane.lane:<16} {files}{more}  {', '.join(lane.tools)}{asked}".rstrip())
    click.echo()
    for name, text in (("advisories", found.advisories), ("ledger", found.ledger)):
        lines = textwrap.wrap(text, WIDTH - INDENT, break_long_words=False, break_on_hyphens=False) or [""]
        for position, line in enumerate(lines):
            click.echo(f"{name if position == 0 else '':<{INDENT}}{line}")
