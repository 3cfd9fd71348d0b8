"""`secgate config`: the schema of settings, settings looked over, settings with where they come from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from secgate.cli.completing import complete_document
from secgate.cli.help import Group
from secgate.cli.options import machine, moment, run_options, terminal
from secgate.errors import UsageError

if TYPE_CHECKING:
    from secgate.pipeline.configuring import Shown

_SETTING = 58
"""Columns of a setting; where a terminal has no room for its source beside it, that stands below."""


@click.group("config", cls=Group)
def config_command() -> None:
    """Look over settings, and show where each value comes from."""


@config_command.command(
    "schema",
    examples=(
        "secgate config schema > secgate.schema.json",
        "secgate config schema run > run.schema.json",
    ),
)
@click.argument("name", default="settings", shell_complete=complete_document)
def schema(*, name: str) -> int:
    """Write the JSON Schema of NAME: of the settings, by default, or of what a command writes as JSON.

    NAME is `settings` (`secgate.toml` and `enforced.toml`, for editors), or a command: run, explain, history, diff,
    sla, notify, import, attest (of `attest verify`), evidence (of `evidence check`) or metrics. Within a version a
    form only gets additions.
    """
    from secgate import document_schema
    from secgate.pipeline.configuring import settings_schema

    known = ("settings", *document_schema.names())
    if name not in known:
        raise UsageError(f"there is no schema of `{name}`", remedy=f"one of: {', '.join(known)}", place="NAME")
    made = settings_schema() if name == "settings" else document_schema.document_schema(name)
    click.echo(json.dumps(made, indent=2))
    return 0


@config_command.command(
    "check",
    examples=(
        "secgate config check",
        "secgate config check /etc/secgate/organisation/enforced.toml",
    ),
)
@click.argument("files", nargs=-1, type=click.Path())
@click.option("--enforced", metavar="DIR", default="", help="The organisation's enforced layer, for what it locks.")
def check(*, files: tuple[str, ...], enforced: str) -> int:
    """Look over FILES as they lie there, by default the settings of the current folder.

    `enforced.toml` is read as the organisation's, every other file as a tree's. All faults are listed, each with its
    line and a remedy; exit code 2 where there are any.
    """
    from secgate.escape import plain
    from secgate.pipeline.configuring import checked

    here = machine()
    for said in checked(files, enforced=enforced or here.env.get("SECGATE_ENFORCED", ""), machine=here):
        for line in said.splitlines():
            click.echo(plain(line))
    return 0


@config_command.command(
    "show",
    examples=("secgate config show --profile release",),
)
@run_options
@click.option("--format", "form", type=click.Choice(("text", "json")), default="text", help="text by default.")
def show(*, form: str, **options: Any) -> int:
    """Show the settings that `secgate run` would have with the same options, and where each comes from.

    Strongest first: enforced layer, command line, environment, the tree's own settings, shipped defaults. The tree's
    are read where a run reads them: at HEAD, or at the merge base of a change.
    """
    import msgspec

    from secgate.escape import json_text
    from secgate.pipeline import RunRequest
    from secgate.pipeline.configuring import shown_settings

    request = RunRequest(**{key: value for key, value in options.items() if value is not None})
    shown = shown_settings(request, machine=machine(), now=moment())
    if form == "json":
        click.echo(json_text(msgspec.json.format(msgspec.json.encode(shown), indent=2)))
        return 0
    _lines(shown)
    return 0


def _lines(shown: Shown) -> None:
    from secgate.escape import plain
    from secgate.pipeline.configuring import toml_key

    beside = _SETTING if terminal()[0] >= 80 else 0
    for one in shown.settings:
        text = plain(f"{toml_key(one.key)} = {json.dumps(one.value, ensure_ascii=False)}")
        source = plain(one.source)
        if len(text) <= beside:
            click.echo(f"{text:<{_SETTING}}  {source}")
        else:
            # A setting stays in one line: it can be copied into a file.
            click.echo(f"{text}\n{'':<{beside or 2}}  {source}")
    for note in shown.notes:
        click.echo(f"secgate: {plain(note)}", err=True)
