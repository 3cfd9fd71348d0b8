"""`secgate doctor`: what is installed, what this tree needs, what would be missing."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

import click

from secgate.cli.help import Command
from secgate.cli.options import machine, moment, terminal, write_output
from secgate.version import __version__

if TYPE_CHECKING:
    from secgate.pipeline.diagnosis import Diagnosis


INDENT = 19


@click.command(
    "doctor",
    cls=Command,
    examples=(
        "secgate doctor",
        "secgate doctor --self-test",
    ),
)
@click.argument("path", default=".", type=click.Path())
@click.option(
    "--enforced", metavar="DIR", default="", help="The organisation's enforced layer; SECGATE_ENFORCED by default."
)
@click.option("--self-test", is_flag=True, help="Also run every installed scanner on a sample that it must find.")
def doctor_command(*, path: str, enforced: str, self_test: bool) -> int:
    """Say what is installed, which lanes PATH needs and what would be missing.

    Exit code 3 when a tool is missing that a run would need, or a scanner fails its self-test.
    """
    from secgate.pipeline.diagnosis import diagnose
    from secgate.pipeline.selftest import self_tests

    found = diagnose(path, enforced=enforced, machine=machine(), now=moment())
    write_output(_page(found), "")
    failed = False
    if self_test:
        click.echo("\nself-test")
        for one in self_tests(machine=machine(), now=moment()):
            failed = failed or not one.ok
            click.echo(f"  {one.scanner:<16} {'finds its sample' if one.ok else 'FAILS: ' + one.reason}")
    for problem in found.problems:
        click.echo(f"secgate: {problem}", err=True)
    return 3 if found.problems or failed else 0


def _page(found: Diagnosis) -> bytes:
    from secgate.page import Page
    from secgate.sla import many

    width, colour = terminal()
    page = Page(width, colour=colour)
    page.heading(f"secgate {__version__}, Python {platform.python_version()}, profile {found.profile}", "bold")
    page.title("tools")
    for one in found.tools:
        if one.own:
            state = f"part of {one.origin or 'secgate'}"
        elif one.fault:
            state = f"cannot be loaded, so do not ask for it: {one.fault}; {one.remedy}"
        elif one.tool is None:
            state = "missing"
        else:
            tested = "" if one.tool.tested else ", outside the tested versions"
            state = f"{one.tool.version or 'unknown version'} ({one.tool.environment}){tested}"
        needed = f"  needed for {', '.join(one.needed_for)}" if one.needed_for else ""
        page.wrap(f"{state:<34}{needed}", INDENT, first=f"  {one.scanner}")
    page.title("lanes of this tree")
    for lane in found.lanes:
        more = f", and {lane.unsupported:,} that no tool here reads" if lane.unsupported else ""
        asked = "" if lane.asked else "  (not asked by this profile)"
        page.wrap(f"{many(lane.files, 'file')}{more}  {', '.join(lane.tools)}{asked}", INDENT, first=f"  {lane.lane}")
    page.lines.append("")
    page.wrap(found.advisories, INDENT, first="advisories")
    page.wrap(found.ledger, INDENT, first="ledger")
    unread = [lane.lane.value for lane in found.lanes if lane.asked and lane.unsupported]
    if unread:
        page.lines.append("")
        page.wrap(
            f"a run over all of this tree cannot tell about {', '.join(unread)}, since some files are of a kind "
            "that no tool here reads; after a run, `secgate explain LANE` names them and what can be done",
            0,
        )
    return page.data()
