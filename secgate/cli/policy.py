"""`secgate policy`: look over, list and test policies before anything is judged by them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from secgate.cli.options import Command, check_output, machine, moment, terminal, write_output

if TYPE_CHECKING:
    from secgate.pipeline.policies import PolicySource
    from secgate.pipeline.policy_words import Told

ENGINES = ("regorus", "opa-eval", "opa")
LAYERS = ("shipped", "organisation", "repository")


@click.group("policy")
def policy_command() -> None:
    """Look over, list and test policies.

    DIR is a folder with Rego files, or an organisation's enforced layer (it holds enforced.toml). Without it, the
    folders that `policies` in the settings of the current folder names are meant.
    """


def _source_options(command: Command) -> Command:
    for option in (
        click.option("-o", "--output", default="-", metavar="FILE", help="Where it goes; stdout by default."),
        click.option("--format", "form", type=click.Choice(("text", "json")), default="text", help="text or json."),
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

    width, colour = terminal() if output in ("", "-") else (80, False)
    write_output(policy_told(told, form, width=width, colour=colour), output)


@policy_command.command("lint")
@_source_options
def lint(*, folder: str, layer: str | None, enforced: str, form: str, output: str) -> int:
    """Give every fault of a layer, with its place and what to write instead; judge nothing.

    Checks what every run checks when it loads a layer, and asks `opa check --strict` with the input's schema where
    there is an `opa` on PATH. Exit code 4 for any fault.
    """
    from secgate.pipeline.policies import lint_policies

    if output not in ("", "-"):
        check_output(output)
    found = lint_policies(_source(folder, layer, enforced), machine=machine(), now=moment())
    _write(found, form, output)
    return 4 if found.faults else 0


@policy_command.command("list")
@click.option("--path", default=".", metavar="DIR", help="The tree; the current folder by default.")
@click.option("--enforced", default="", metavar="DIR", help="The organisation's enforced layer.")
@click.option("--format", "form", type=click.Choice(("text", "json")), default="text", help="text or json.")
@click.option("-o", "--output", default="-", metavar="FILE", help="Where it goes; stdout by default.")
def list_(*, path: str, enforced: str, form: str, output: str) -> int:
    """Say what a run of a tree would judge by: layers, rules, what they add to, data, and what is switched off."""
    from secgate.pipeline.policies import list_policies

    if output not in ("", "-"):
        check_output(output)
    _write(list_policies(path, enforced=enforced, machine=machine(), now=moment()), form, output)
    return 0


@policy_command.command("test")
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

    if output not in ("", "-"):
        check_output(output)
    source = _source(folder, layer, enforced)
    found = try_policies(source, engines=tuple(dict.fromkeys(engines)), machine=machine(), now=moment())
    _write(found, form, output)
    return 0 if found.passed else 1
