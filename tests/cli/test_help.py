"""`--help` of every command: a sentence, options, examples that the command takes, in 80 columns."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from secgate.cli import cli
from secgate.cli.help import Command


def leaves(group: click.Group = cli, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        assert command is not None
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from leaves(command, (*path, name))


EVERY = [pytest.param(path, command, id=" ".join(path)) for path, command in leaves()]


def parsed(words: list[str]) -> tuple[str, ...]:
    """Give the command that these words name, once it has taken the rest of them."""
    command: click.Command = cli
    context = click.Context(cli, info_name="secgate")
    path: tuple[str, ...] = ()
    while isinstance(command, click.Group) and words and command.get_command(context, words[0]) is not None:
        found = command.get_command(context, words[0])
        assert found is not None
        command, path, words = found, (*path, words[0]), words[1:]
    command.make_context(path[-1], list(words), parent=context)
    return path


@pytest.mark.parametrize(("path", "command"), EVERY)
def test_examples_are_taken_by_their_command(path: tuple[str, ...], command: click.Command) -> None:
    if isinstance(command, click.Group):
        return
    assert isinstance(command, Command)
    text = "\n".join(command.examples).replace("\\\n", " ")
    lines = [shlex.split(re.split(r"\s[<>|]\s", line)[0]) for line in text.split("\n")]
    assert lines[0][0] == "secgate"
    assert {parsed(line[1:]) for line in lines} == {path}


def test_an_example_that_is_wrong_is_found() -> None:
    with pytest.raises(click.UsageError):
        parsed(["run", "--no-such-option"])
    with pytest.raises(click.UsageError):
        parsed(["waiver", "approve", "1f0c22d9"])


@pytest.mark.parametrize(("path", "command"), EVERY)
def test_help_fits_and_has_its_parts_in_order(path: tuple[str, ...], command: click.Command) -> None:
    text = CliRunner().invoke(cli, [*path, "--help"], prog_name="secgate", terminal_width=80).output
    assert max(map(len, text.splitlines())) <= 80
    parts = re.findall(r"^(Usage|Options|Examples|Commands):", text, flags=re.MULTILINE)
    assert parts == ["Usage", "Options", "Commands" if isinstance(command, click.Group) else "Examples"]
    first = (command.help or "").partition("\n\n")[0]
    assert first.endswith(".")
    assert isinstance(command, click.Group) or re.search(r"\b[Ee]xit", text), "with which code does it end?"
    assert "..." not in text.partition("Commands:")[2].replace(" ...)", ")"), "a list says the whole of each command"


def test_the_editors_profile_is_the_one_that_its_help_names() -> None:
    text = CliRunner().invoke(cli, ["lsp", "--help"], prog_name="secgate", terminal_width=80).output
    assert "By default pre-commit." in " ".join(text.split())
    assert "the settings say it" not in text
