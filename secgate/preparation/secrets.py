"""The organisation's key for codes of secrets: a file of the enforced layer, else a variable of the environment."""

from __future__ import annotations

import os
from pathlib import Path

from secgate.config import Machine
from secgate.errors import ConfigError
from secgate.secret_binding import PLACE, SecretKey, read_secret_key

KEY_NAME = "secret-key"
_MOST_BYTES = 4096


def secret_key(machine: Machine, *, enforced: str) -> SecretKey | None:
    """Give the key, None without one. `enforced` is the layer's directory, "" for none.

    Its bytes are in no digest, document or log. Raises ConfigError for one that cannot be read or is too weak.
    """
    path = Path(enforced) / KEY_NAME
    if not enforced or not os.path.lexists(path):
        return read_secret_key(machine.env.get(PLACE, ""))
    try:
        if path.is_symlink() or path.stat().st_size > _MOST_BYTES:
            raise ConfigError(
                "the key for secrets cannot be used",
                faults=[(KEY_NAME, "it is a link, or too large for a key", "have the key itself there, and no more")],
            )
        text = path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            "the key for secrets cannot be used",
            faults=[(KEY_NAME, f"it does not read: {type(error).__name__}", "write it as hexadecimal text")],
        ) from error
    key = read_secret_key(text)
    if key is None:
        raise ConfigError(
            "the key for secrets cannot be used",
            faults=[(KEY_NAME, "it is empty", "write the key into it, or remove it")],
        )
    return key
