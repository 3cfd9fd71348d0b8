"""`secgate hook`: what pre-commit calls with the names of files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from secgate.cli.help import Command
from secgate.cli.options import hook_options, machine
from secgate.cli.progress import Progress
from secgate.cli.run import gate
from secgate.errors import UsageError


class HookCommand(Command):
    """A command whose file names come from a tree: none of them is ever an option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Refuse what may be either before anything is made of it: a file named `--help` would end in a pass."""
        named = args[: args.index("--")] if "--" in args else args
        here = Path(machine().cwd)
        unclear = [one for one in named if one.startswith("-") and os.path.lexists(here / one)]
        if args.count("--") == 1 and os.path.lexists(here / "--"):
            unclear.append("--")
        if unclear:
            raise UsageError(
                f"there is a file of the name {unclear[0]}, which is an option too, so nothing is judged",
                place=str(here),
                remedy="rename the file, or end `args` of the hook with `--`",
            )
        return super().parse_args(ctx, args)


@click.command(
    "hook",
    cls=HookCommand,
    examples=("secgate hook --profile pre-commit shop/views.py",),
)
@hook_options
def hook_command(*, files: tuple[str, ...], outputs: tuple[str, ...], **options: Any) -> int:
    """Judge FILES as pre-commit names them: staged ones from the index, others as they lie there.

    Where pre-commit names references (a push, --from-ref and --to-ref), what is pushed is judged, from its commits.
    Exit codes are those of `secgate run`. The ledger is read and never written.
    """
    from secgate.pipeline import RunRequest

    env = machine().env
    commit, since = env.get("PRE_COMMIT_TO_REF", ""), env.get("PRE_COMMIT_FROM_REF", "")
    # A push of all there is has no reference that it is compared with, and names its branch alone.
    branch = env.get("PRE_COMMIT_LOCAL_BRANCH", "")
    asked = {key: value for key, value in options.items() if value is not None}
    request = RunRequest(
        named=files,
        commit=commit or branch,
        changed_since=since if commit and since else None,
        ref=branch if branch.startswith("refs/") else "",
        **asked,
    )
    return gate(request, outputs=outputs, progress=Progress(quiet=True))
