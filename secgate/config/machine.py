"""The machine that secgate runs on: the one place outside `cli/` that reads this process's environment."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from secgate.config.settings import ENVIRONMENT
from secgate.errors import ConfigError, faults_words

_PREFIX = "SECGATE_"
VARIABLES = (
    *ENVIRONMENT,
    *("SECGATE_CHECKPOINT_TOKEN", "SECGATE_CHILD", "SECGATE_ENFORCED", "SECGATE_OPA_TOKEN", "SECGATE_SECRET_KEY"),
    *("SECGATE_STATE_DIR", "SECGATE_VISIBILITY"),
)
"""Every variable of secgate's own but those of the channels of `notify`, which people name."""

_NEAR = 0.8
"""How alike a name must be to one of ours to be a slip of the pen; others that begin like ours are somebody's own."""


class Machine(Struct, frozen=True, kw_only=True):
    """What secgate knows of where it runs.

    environment, working directory, its interpreter and prefix, its state folder.
    """

    env: dict[str, str]
    cwd: str
    python: str
    prefix: str
    state: str


def this_machine(env: Mapping[str, str]) -> Machine:
    """Give the machine this process runs on, with `env` for its environment.

    Raises ConfigError without a state folder, and for a name that is all but one of ours: SECGATE_ENFORCE must not mean
    that no enforced layer was named.
    """
    _require_spelling(env)
    return Machine(env=dict(env), cwd=str(Path.cwd()), python=sys.executable, prefix=sys.prefix, state=state_dir(env))


def _require_spelling(env: Mapping[str, str]) -> None:
    ours = {name.removeprefix(_PREFIX): name for name in VARIABLES}
    faults = [
        (
            "environment",
            f"there is no variable {name}",
            f"did you mean {ours[near[0]]}? What is your own has another name",
        )
        for name in sorted(env)
        if name.startswith(_PREFIX) and name not in VARIABLES
        if (near := difflib.get_close_matches(name.removeprefix(_PREFIX), ours, n=1, cutoff=_NEAR))
    ]
    if faults:
        raise ConfigError(
            f"{faults_words(len(faults))} in the environment", faults=faults, remedy="mend each; nothing was judged"
        )


def process_environment() -> dict[str, str]:
    """Give a copy of this process's environment: the one place outside `cli/` that reads it."""
    return dict(os.environ)


def state_dir(env: Mapping[str, str]) -> str:
    """Give the absolute folder for ledgers, tool environments and advisories of this user.

    SECGATE_STATE_DIR, else XDG_STATE_HOME/secgate, else HOME/.local/state/secgate. Raises ConfigError when none is set
    or the first is relative.
    """
    for variable, tail in (
        ("SECGATE_STATE_DIR", ""),
        ("XDG_STATE_HOME", "/secgate"),
        ("HOME", "/.local/state/secgate"),
    ):
        value = env.get(variable, "")
        if value.startswith("/"):
            return value.rstrip("/") + tail
        if value and not tail:
            what = f"{variable} is not an absolute path: {value}"
            raise ConfigError(what, faults=(), place="environment", remedy="give an absolute path")
    raise ConfigError(
        "no folder for secgate's state: none of SECGATE_STATE_DIR, XDG_STATE_HOME and HOME is an absolute path",
        faults=(),
        place="environment",
        remedy="set SECGATE_STATE_DIR to an absolute path",
    )
