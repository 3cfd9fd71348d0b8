"""`secgate hook`: what pre-commit calls with the names of files."""

from __future__ import annotations

from typing import Any

import click

from secgate.cli.help import Command
from secgate.cli.options import hook_options, machine
from secgate.cli.progress import Progress
from secgate.cli.run import gate


@click.command(
    "hook",
    cls=Command,
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
