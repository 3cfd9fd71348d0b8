"""Lines of `allowed_signers` and `revoked`: what they say of each key, and how they read after a change.

Pure text to text; what is not touched stays as it is, comments included. `secgate.trust` says how the files are read.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Literal, TypeAlias

import msgspec

from secgate.errors import UsageError
from secgate.model import Trust, Value
from secgate.trust import MACHINE, AllowedKey, allowed_keys, is_krl, key_fingerprint, revocations

PERSONS_NAMESPACES = ("secgate-*",)
MACHINES_NAMESPACES = ("in-toto", "secgate-checkpoint")
LONGEST_COMMENT = 120

State: TypeAlias = Literal["counts", "not yet", "ended", "revoked"]


class KeyEntry(Value, frozen=True, kw_only=True):
    """One key as the enforced layer has it, and how it stands now.

    `revoked_epoch_s` is from when it counts no more: 0 for always, None for one that is not revoked.
    """

    key: AllowedKey
    state: State
    revoked_epoch_s: int | None

    @property
    def fingerprint(self) -> str:
        """The key's name, as OpenSSH shows it."""
        return key_fingerprint(self.key.blob)


def entries(trust: Trust, *, now_epoch_s: int) -> tuple[KeyEntry, ...]:
    """Give every key of `allowed_signers`, in its order. Raises ConfigError for files that do not read."""
    revoked = revocations(trust)
    return tuple(_entry(key, revoked.since(key.blob), now_epoch_s) for key in allowed_keys(trust))


def _entry(key: AllowedKey, since: int | None, now_epoch_s: int) -> KeyEntry:
    state: State = "counts"
    if since is not None and now_epoch_s >= since:
        state = "revoked"
    elif key.valid_after_epoch_s is not None and now_epoch_s < key.valid_after_epoch_s:
        state = "not yet"
    elif key.valid_before_epoch_s is not None and now_epoch_s > key.valid_before_epoch_s:
        state = "ended"
    return KeyEntry(key=key, state=state, revoked_epoch_s=since)


def allowed_line(key: AllowedKey, *, comment: str = "") -> str:
    """Give a key's line of `allowed_signers`, without its end."""
    options = [f'namespaces="{",".join(key.namespaces)}"']
    if key.valid_after_epoch_s is not None:
        options.append(f'valid-after="{stamp(key.valid_after_epoch_s)}"')
    if key.valid_before_epoch_s is not None:
        options.append(f'valid-before="{stamp(key.valid_before_epoch_s)}"')
    blob = base64.b64encode(key.blob).decode()
    return f"{key.principal} {','.join(options)} {key.kind} {blob} {_one_line(comment)}".rstrip()


def with_line(text: bytes, line: str) -> bytes:
    """Give a file with one more line at its end."""
    kept = text if not text or text.endswith(b"\n") else text + b"\n"
    return kept + line.encode() + b"\n"


def ended(text: bytes, principal: str, *, before_epoch_s: int) -> bytes:
    """Give `allowed_signers` with an end for each key of somebody that has none, or a later one.

    What such a key signed before, by the ledger's time, goes on counting.
    """
    return "".join(_ended(text.decode("utf-8"), principal, before_epoch_s)).encode()


def _ended(text: str, principal: str, before_epoch_s: int) -> Iterator[str]:
    for line in text.splitlines(keepends=True):
        words = line.split()
        if not words or words[0] != principal:
            yield line
            continue
        (key,) = allowed_keys(Trust(allowed_signers=line.encode()))
        if key.valid_before_epoch_s is not None and key.valid_before_epoch_s <= before_epoch_s:
            yield line
            continue
        comment = " ".join(words[words.index(key.kind) + 2 :])
        until = msgspec.structs.replace(key, valid_before_epoch_s=before_epoch_s)
        yield allowed_line(until, comment=comment) + "\n"


def revoked_line(key: AllowedKey, *, since_epoch_s: int, reason: str, now: datetime) -> str:
    """Give a line of `revoked`; `since_epoch_s` 0 means that the key never counted."""
    option = f'from="{stamp(since_epoch_s)}" ' if since_epoch_s else ""
    blob = base64.b64encode(key.blob).decode()
    # The last word is ours: a reason that ends in a fingerprint would be read as the key that is meant.
    return f"{option}{key.kind} {blob} {key.principal}, {_one_line(reason)} (noted {now:%Y-%m-%d})"


def require_list(revoked: bytes) -> None:
    """Raise UsageError for a key revocation list, to which no line can be added."""
    if is_krl(revoked):
        raise UsageError(
            "`revoked` is a key revocation list of OpenSSH",
            place="revoked",
            remedy="add the key with ssh-keygen -k -u -f revoked KEY.pub; it then never counted",
        )


def named(found: Sequence[KeyEntry], which: str) -> tuple[KeyEntry, ...]:
    """Give the keys that are meant: by the beginning of a fingerprint, else all of a person or machine.

    Raises UsageError for none, and for several by one beginning.
    """
    if which.startswith("SHA256:"):
        chosen = {one.key.blob: one for one in found if one.fingerprint.startswith(which)}
        if len(chosen) != 1 or len(which) < len("SHA256:") + 6:
            raise UsageError(f"{len(chosen)} keys begin with `{which}`", remedy="see `secgate keys list`")
        return tuple(chosen.values())
    mine = {one.key.blob: one for one in found if one.key.principal == which}
    if not mine:
        raise UsageError(f"`{which}` has no key here", remedy="see `secgate keys list`")
    return tuple(mine.values())


def namespaces_for(principal: str) -> tuple[str, ...]:
    """Give what a key is for where nothing is said."""
    return MACHINES_NAMESPACES if principal.startswith(MACHINE) else PERSONS_NAMESPACES


def stamp(epoch_s: int) -> str:
    """Give a time as both files have it, in UTC."""
    return datetime.fromtimestamp(epoch_s, tz=UTC).strftime("%Y%m%d%H%M%S")


def _one_line(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:LONGEST_COMMENT]
