"""The machine that secgate runs on: the one place outside `cli/` that reads this process's environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from secgate.errors import ConfigError


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

    Raises ConfigError without a state folder.
    """
    return Machine(env=dict(env), cwd=str(Path.cwd()), python=sys.executable, prefix=sys.prefix, state=state_dir(env))


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
