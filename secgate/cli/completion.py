"""`secgate completion`: the script by which a shell completes. What is offered for values is in `completing`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from secgate.cli.help import Command

SHELLS = ("bash", "zsh", "fish")
VARIABLE = "_SECGATE_COMPLETE"


@click.command(
    "completion",
    cls=Command,
    examples=(
        "secgate completion bash > ~/.local/share/bash-completion/completions/secgate",
        "secgate completion zsh > ~/.zfunc/_secgate",
        "secgate completion fish > ~/.config/fish/completions/secgate.fish",
    ),
)
@click.argument("shell", type=click.Choice(SHELLS))
def completion_command(*, shell: str) -> int:
    """Write the script by which SHELL completes commands, options and values."""
    kind = get_completion_class(shell)
    if kind is None:
        raise TypeError(shell)
    made = kind(click.get_current_context().find_root().command, {}, "secgate", VARIABLE)
    # Not `source()`, which starts a bash to ask for its version. In fish click's script cuts a description at its first
    # comma, and many have one.
    template = made.source_template.replace('string split ","', 'string split --max 1 ","')
    click.echo(template % made.source_vars())
    return 0
