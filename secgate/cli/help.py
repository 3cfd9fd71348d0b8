"""How commands explain themselves: what they do, options, and at the end examples that a test holds against them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_FILE = re.compile(r"\b(?:FILE|FOLDER|DUMP)\b")
_DIR = re.compile(r"\bDIR\b")


class _Place(click.types.StringParamType):
    """Text that names a file or a folder, which a shell completes; whether it is there, the command says."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Leave it to the shell."""
        del ctx, param
        from click.shell_completion import CompletionItem

        return [CompletionItem(incomplete, type=self.kind)]


def _completes_as(metavar: str) -> str:
    return "file" if _FILE.search(metavar) else "dir" if _DIR.search(metavar) else ""


class Command(click.Command):
    """A command with examples, one line of a shell each. A value that its help calls FILE or DIR completes as one."""

    def __init__(self, *args: Any, examples: Sequence[str] = (), **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.examples = tuple(examples)
        for one in self.params:
            if one.type is click.STRING and (kind := _completes_as(one.metavar or "")):
                one.type = _Place(kind)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what it does, and with which code it ends where its own words say nothing of that."""
        super().format_help_text(ctx, formatter)
        if not re.search(r"\b[Ee]xit", self.help or ""):
            formatter.write_paragraph()
            with formatter.indentation():
                formatter.write_text(
                    "It exits 0 once that is done. Other codes are errors: `secgate --help` lists them."
                )

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples as they are to be typed."""
        super().format_epilog(ctx, formatter)
        if self.examples:
            with formatter.section("Examples"):
                for line in self.examples:
                    formatter.write(f"{'':>{formatter.current_indent}}{line}\n")


class Group(click.Group):
    """A group whose list says of each command what its own help begins with, whole."""

    command_class = Command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands with their first sentence, over as many lines as it needs."""
        found = ((name, self.get_command(ctx, name)) for name in self.list_commands(ctx))
        with formatter.section("Commands"):
            formatter.write_dl([(name, _first(one)) for name, one in found if one is not None])


@click.command("help", cls=Command, examples=("secgate help run", "secgate help waiver request"))
@click.argument("names", metavar="[COMMAND]...", nargs=-1)
@click.pass_context
def help_command(context: click.Context, names: tuple[str, ...]) -> int:
    """Show how COMMAND is called, as --help behind it does, or without one which there are."""
    here = context.find_root()
    for name in names:
        if not isinstance(here.command, click.Group):
            raise click.UsageError(f"No such command '{name}': `{here.command_path}` has none.", here)
        _, command, _ = here.command.resolve_command(here, [name])
        if command is not None:
            here = click.Context(command, info_name=name, parent=here)
    click.echo(here.get_help())
    return 0


def _first(command: click.Command) -> str:
    return " ".join((command.help or "").partition("\n\n")[0].split())
