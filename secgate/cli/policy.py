"""`secgate policy`: look over, list and test policies, and see what they would have decided."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from secgate.cli.help import Group
from secgate.cli.options import Command, check_output, machine, moment, room, write_output
from secgate.errors import UsageError

if TYPE_CHECKING:
    from secgate.pipeline.policies import PolicySource
    from secgate.pipeline.policy_words import Told

ENGINES = ("regorus", "opa-eval", "opa")
LAYERS = ("shipped", "organisation", "repository")


@click.group("policy", cls=Group)
def policy_command() -> None:
    """Look over, list and test policies; see which past decisions other ones would change.

    DIR is a folder with Rego files, or an organisation's enforced layer (it holds enforced.toml). Without it, the
    folders that `policies` in the settings of the current folder names are meant.
    """


def _source_options(command: Command) -> Command:
    for option in (
        click.option("-o", "--output", default="-", metavar="FILE", help="Where it goes; stdout by default."),
        click.option(
            "--format", "form", type=click.Choice(("text", "json")), default="text", help="text by default, or json."
        ),
        click.option("--enforced", default="", metavar="DIR", help="The enforced layer whose data the rules see."),
        click.option("--layer", type=click.Choice(LAYERS), help="Whose layer it is; `shipped` needs no DIR."),
        click.argument("folder", metavar="[DIR]", default="", required=False),
    ):
        command = option(command)
    return command


def _source(folder: str, layer: str | None, enforced: str) -> PolicySource:
    import msgspec

    from secgate.pipeline.policies import PolicySource

    return msgspec.convert({"folder": folder, "layer": layer, "enforced": enforced}, PolicySource)


def _write(told: Told, form: str, output: str) -> None:
    from secgate.pipeline.policy_words import policy_told

    width, colour = room(output)
    write_output(policy_told(told, form, width=width, colour=colour), output)


@policy_command.command(
    "lint",
    examples=("secgate policy lint policies/organisation",),
)
@_source_options
def lint(*, folder: str, layer: str | None, enforced: str, form: str, output: str) -> int:
    """Give every fault of a layer, with its place and what to write instead; judge nothing.

    Checks what every run checks when it loads a layer, and asks `opa check --strict` with the input's schema where
    there is an `opa` on PATH. Exit code 4 for any fault.
    """
    from secgate.pipeline.policies import lint_policies

    check_output(output)
    found = lint_policies(_source(folder, layer, enforced), machine=machine(), now=moment())
    _write(found, form, output)
    return 4 if found.faults else 0


@policy_command.command(
    "list",
    examples=("secgate policy list --enforced /etc/secgate/organisation",),
)
@click.option("--path", default=".", metavar="DIR", help="The tree; the current folder by default.")
@click.option(
    "--enforced", default="", metavar="DIR", help="The organisation's enforced layer; SECGATE_ENFORCED by default."
)
@click.option("--format", "form", type=click.Choice(("text", "json")), default="text", help="text by default, or json.")
@click.option("-o", "--output", default="-", metavar="FILE", help="Where it goes; stdout by default.")
def list_(*, path: str, enforced: str, form: str, output: str) -> int:
    """Say what a run of a tree would judge by: layers, rules, what they add to, data, and what is switched off."""
    from secgate.pipeline.policies import list_policies

    check_output(output)
    _write(list_policies(path, enforced=enforced, machine=machine(), now=moment()), form, output)
    return 0


@policy_command.command(
    "test",
    examples=(
        "secgate policy test policies/organisation",
        "secgate policy test --engine regorus --engine opa-eval",
    ),
)
@click.option(
    "--engine",
    "engines",
    type=click.Choice(ENGINES),
    multiple=True,
    default=("regorus",),
    show_default=True,
    help="Run them in this engine; may be given several times.",
)
@_source_options
def test(*, folder: str, layer: str | None, enforced: str, engines: tuple[str, ...], form: str, output: str) -> int:
    """Run the `test_` rules of a layer's `*_test.rego` files, and say which rules no test would miss.

    A rule counts as tested when a test fails without it. Tests may import data.secgate.tests.facts, which makes
    documents as complete as real ones. Exit code 1 for a test that fails, a rule that is untested or no test at all, 4
    for policies that do not load.
    """
    from secgate.pipeline.policies import try_policies

    check_output(output)
    source = _source(folder, layer, enforced)
    found = try_policies(source, engines=tuple(dict.fromkeys(engines)), machine=machine(), now=moment())
    _write(found, form, output)
    return 0 if found.passed else 1


@policy_command.command(
    "diff",
    examples=("secgate policy diff current policies/organisation --since 2026-11-01",),
)
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@click.option(
    "--since", metavar="DATE", default="", help="Only runs from then on: 2026-11-01, or with T12:00:00 (UTC)."
)
@click.option(
    "--path", default=".", metavar="DIR", help="The tree whose ledger is read; the current folder by default."
)
@click.option(
    "--config", default="", metavar="FILE", help="Settings instead of the tree's own secgate.toml or pyproject.toml."
)
@click.option(
    "--enforced", default="", metavar="DIR", help="The organisation's enforced layer; SECGATE_ENFORCED by default."
)
@click.option("--format", "form", type=click.Choice(("text", "json")), default="text", help="text by default, or json.")
@click.option("-o", "--output", default="-", metavar="FILE", help="Where it goes; stdout by default.")
def diff(*, old: str, new: str, since: str, path: str, config: str, enforced: str, form: str, output: str) -> int:
    """Judge recorded runs again by OLD and by NEW, and show which decisions would be others.

    A side is `current` (what a run here would judge by), `recorded` (what was decided then), the `policies_digest` of a
    recorded decision, a folder, or REF:FOLDER of git. A folder with enforced.toml takes the place of the organisation's
    layer, any other of the repository's; the other layers are the current ones. Nothing is recorded. Exit code 0,
    whatever differs.
    """
    from secgate.preparation import Place
    from secgate.replaying import policy_diff

    check_output(output)
    place = Place(path=path, config=config, enforced=enforced)
    found = policy_diff(old, new, since=_since(since), place=place, machine=machine(), now=moment())
    _write(found, form, output)
    return 0


def _since(text: str) -> datetime | None:
    if not text:
        return None
    try:
        given = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"`{text}` is no date", place="--since", remedy="write it like 2026-11-01") from error
    return given.astimezone(UTC) if given.tzinfo is not None else given.replace(tzinfo=UTC)
