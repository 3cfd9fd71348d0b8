"""Keys made, replaced, revoked and listed: files change only where that is asked for, whole or not at all.

A private key is written for its owner alone, and never into a repository or the enforced layer. The enforced layer's
files are read as every run reads them before they take the place of the old ones.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from secgate.config import Machine
from secgate.errors import SignatureError, UsageError
from secgate.keyring import (
    KeyEntry,
    allowed_line,
    ended,
    entries,
    named,
    namespaces_for,
    require_list,
    revoked_line,
    stamp,
    with_line,
)
from secgate.model import Limits, Trust, Value
from secgate.people import FILE_NAME as PEOPLE_NAME
from secgate.people import People
from secgate.preparation import Silence, read_enforced, workshop
from secgate.replacing import replace_file
from secgate.trust import ALLOWED_NAME, MACHINE, REVOKED_NAME, AllowedKey, allowed_keys, key_fingerprint, revocations

_PRINCIPAL = re.compile(r"(?:machine:)?[a-z0-9][a-z0-9._-]{0,63}")
_NAMESPACE = re.compile(r"[a-z*?!][a-z0-9*?!.-]{0,63}")


class KeyWish(Value, frozen=True, kw_only=True):
    """A key to be made: whose (a person's id, or `machine:NAME`), in which file, for what ("" for what is usual)."""

    principal: str
    file: str
    namespaces: tuple[str, ...] = ()


class KeyMade(Value, frozen=True, kw_only=True):
    """A new key: its name, its line of `allowed_signers`, and whether that was written there.

    `ended` are the keys that it takes the place of, and `ends_epoch_s` when they end.
    """

    fingerprint: str
    line: str
    written: bool
    ended: tuple[str, ...] = ()
    ends_epoch_s: int = 0


def create_key(wish: KeyWish, *, enforced: str = "", machine: Machine, now: datetime) -> KeyMade:
    """Make an Ed25519 key without a passphrase, and put its line into `enforced` where that is given.

    `enforced` may be an empty folder, which becomes a layer by it.
    Raises UsageError for a file that is there, or in a repository, and for somebody whom people.toml does not know.
    """
    people, trust = _layer_to_be(enforced) if enforced else (None, Trust())
    _check(wish, people, enforced)
    _require_place(wish.file, enforced)
    key = _make(wish, wish.namespaces or namespaces_for(wish.principal), after=None, machine=machine, now=now)
    line = allowed_line(key)
    if people is not None:
        with _or_gone(wish.file):
            _put(enforced, ALLOWED_NAME, with_line(trust.allowed_signers, line), people, trust)
    return KeyMade(fingerprint=key_fingerprint(key.blob), line=line, written=bool(enforced))


class KeysRevoked(NamedTuple):
    """The keys that are revoked now, and those that were revoked before, as early or earlier."""

    revoked: tuple[KeyEntry, ...]
    already: tuple[KeyEntry, ...]


def rotate_key(wish: KeyWish, *, overlap_s: int, enforced: str, machine: Machine, now: datetime) -> KeyMade:
    """Make a key that counts from now on, and end all others of its owner after `overlap_s`.

    What they signed until then goes on counting. Raises UsageError where there is nothing to take the place of.
    """
    enforced = _named(enforced, machine)
    people, trust = _layer(enforced)
    _check(wish, people, enforced)
    _require_place(wish.file, enforced)
    at = int(now.timestamp())
    old = [one for one in named(entries(trust, now_epoch_s=at), wish.principal) if one.state in ("counts", "not yet")]
    if not old:
        raise UsageError(f"no key of `{wish.principal}` counts", remedy="make one: secgate keys create")
    purposes = dict.fromkeys(name for one in old for name in one.key.namespaces)
    key = _make(wish, wish.namespaces or tuple(purposes), after=at, machine=machine, now=now)
    line = allowed_line(key)
    changed = ended(trust.allowed_signers, wish.principal, before_epoch_s=at + overlap_s)
    with _or_gone(wish.file):
        _put(enforced, ALLOWED_NAME, with_line(changed, line), people, trust)
    return KeyMade(
        fingerprint=key_fingerprint(key.blob),
        line=line,
        written=True,
        ended=tuple(one.fingerprint for one in old),
        ends_epoch_s=at + overlap_s,
    )


def revoke_keys(
    which: str, *, since: datetime | None, reason: str, enforced: str, machine: Machine, now: datetime
) -> KeysRevoked:
    """Revoke the keys of somebody, or one by its fingerprint, from a time on; None for as if they had never counted.

    Raises UsageError where no key is meant, and without a reason.
    """
    if not any(char.isalnum() for char in reason):
        raise UsageError("the reason says nothing", place="--reason", remedy="say what happened to the key")
    enforced = _named(enforced, machine)
    people, trust = _layer(enforced)
    require_list(trust.revoked)
    since_epoch_s = int(since.timestamp()) if since is not None else 0
    found = named(entries(trust, now_epoch_s=int(now.timestamp())), which)
    already = tuple(one for one in found if one.revoked_epoch_s is not None and one.revoked_epoch_s <= since_epoch_s)
    now_revoked = tuple(one for one in found if one not in already)
    text = trust.revoked
    for one in now_revoked:
        text = with_line(text, revoked_line(one.key, since_epoch_s=since_epoch_s, reason=reason, now=now))
    if now_revoked:
        _put(enforced, REVOKED_NAME, text, people, trust)
    return KeysRevoked(now_revoked, already)


def listed_keys(*, enforced: str, machine: Machine, now: datetime) -> tuple[KeyEntry, ...]:
    """Give every key of the enforced layer, in its order, and how each stands."""
    return entries(_layer(_named(enforced, machine))[1], now_epoch_s=int(now.timestamp()))


# ----------------------------------------------------------------------------------------------------------- machinery


def _named(enforced: str, machine: Machine) -> str:
    """Give the enforced layer that is named, else the environment's. Raises UsageError for none."""
    found = enforced or machine.env.get("SECGATE_ENFORCED", "")
    if not found:
        raise UsageError("no enforced layer is named", remedy="give --enforced DIR, or set SECGATE_ENFORCED")
    return found


def _layer(enforced: str) -> tuple[People, Trust]:
    read = read_enforced(enforced, tree="")
    return read.people, read.trust


def _layer_to_be(enforced: str) -> tuple[People, Trust]:
    """Read the layer, or see an empty one in a folder where nothing is that people would see."""
    folder = Path(enforced)
    if not folder.exists() and not folder.is_symlink():
        remedy = f"make the folder, outside of the trees that are scanned: mkdir {enforced}"
        raise UsageError("there is no enforced layer", place=enforced, remedy=remedy)
    if folder.is_dir() and all(one.name.startswith(".") for one in folder.iterdir()):
        return People(), Trust()
    return _layer(enforced)


def _check(wish: KeyWish, people: People | None, enforced: str) -> None:
    if not _PRINCIPAL.fullmatch(wish.principal):
        raise UsageError(f"`{wish.principal}` is no person's id and no machine", remedy="an id, or machine:NAME")
    is_person = not wish.principal.startswith(MACHINE)
    if people is not None and is_person and people.person(wish.principal) is None:
        name = f'"{wish.principal}"' if "." in wish.principal else wish.principal
        table = f"a line `[people.{name}]`"
        known = f"add {table} there; now: {', '.join(people.ids)}" if people.ids else f"write `version = 1` and {table}"
        raise UsageError(
            f"`{wish.principal}` is nobody of people.toml",
            place=str(Path(enforced, PEOPLE_NAME)),
            remedy=f"{known}; or give machine:NAME for a machine",
        )
    for name in wish.namespaces:
        if not _NAMESPACE.fullmatch(name):
            raise UsageError(f"`{name}` is no namespace", remedy="secgate-waiver-request, secgate-*, in-toto")


def _require_place(file: str, enforced: str) -> None:
    """Raise UsageError for a file where a private key must not be."""
    path = Path(file)
    for one in (path, path.with_name(f"{path.name}.pub")):
        if one.exists() or one.is_symlink():
            raise UsageError(f"{one} is there already", remedy="give another --out; no key is written over")
    if not path.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent}", remedy="make it, for its owner alone")
    folder = path.parent.resolve()
    for one in (folder, *folder.parents):
        if (one / ".git").exists():
            raise UsageError(f"{one} is a repository: no place for private keys", remedy="give --out elsewhere")
        if enforced and one == Path(enforced).resolve():
            raise UsageError("the enforced layer is no place for private keys", remedy="give --out elsewhere")


def _make(
    wish: KeyWish, namespaces: tuple[str, ...], *, after: int | None, machine: Machine, now: datetime
) -> AllowedKey:
    """Have ssh-keygen make a pair in a private folder, and bring it to its place."""
    program = shutil.which("ssh-keygen", path=machine.env.get("PATH", ""))
    if program is None:
        raise SignatureError("ssh-keygen is not on PATH", remedy="install OpenSSH's client (8.9 or later)")
    with workshop(machine, now=now, observer=Silence()) as shop:
        made = Path(shop.scratch) / "key"
        argv = (program, "-q", "-t", "ed25519", "-N", "", "-C", wish.principal, "-f", str(made))
        output = shop.executor.run(argv, cwd=shop.scratch, limits=Limits(time_s=60.0, output_bytes=65_536))
        if output.problem or output.timed_out or output.exit_code:
            told = output.problem or output.stderr.decode("utf-8", "replace").strip()[-200:] or "it was stopped"
            raise SignatureError(f"no key was made: {told}", remedy="run ssh-keygen by hand")
        public = made.with_name("key.pub").read_text(encoding="ascii")
        _place(made.read_bytes(), wish.file, mode=0o600)
        try:
            _place(public.encode(), f"{wish.file}.pub", mode=0o644)
        except UsageError:
            Path(wish.file).unlink()
            raise
    options = f'namespaces="{",".join(namespaces)}"' + (f',valid-after="{stamp(after)}"' if after is not None else "")
    (key,) = allowed_keys(Trust(allowed_signers=f"{wish.principal} {options} {public}".encode()))
    return key


@contextlib.contextmanager
def _or_gone(file: str) -> Iterator[None]:
    """Take a new key away again where its line could not be written: it would count for nothing."""
    try:
        yield
    except BaseException:
        for one in (file, f"{file}.pub"):
            Path(one).unlink(missing_ok=True)
        raise


def _place(data: bytes, file: str, *, mode: int) -> None:
    """Write a file that must not be there, whole or not at all."""
    path = Path(file)
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
                os.fchmod(stream.fileno(), mode)
            os.link(temporary, path)
        finally:
            Path(temporary).unlink()
    except OSError as error:
        raise UsageError(f"cannot write {file}: {error.strerror}", remedy="give another --out") from error


def _put(enforced: str, name: str, data: bytes, people: People, before: Trust) -> None:
    """Put a changed file into the enforced layer. Raises ConfigError, and changes nothing, for what would not read."""
    is_revoked = name == REVOKED_NAME
    old = before.revoked if is_revoked else before.allowed_signers
    after = Trust(
        allowed_signers=before.allowed_signers if is_revoked else data, revoked=data if is_revoked else before.revoked
    )
    allowed_keys(after, persons=people.ids)
    revocations(after)
    path = Path(enforced).resolve() / name
    try:
        if (path.read_bytes() if path.exists() else b"") != old:
            raise UsageError(f"{path} was changed in between", remedy="say it again")
        replace_file(path, data)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}", remedy="nothing was changed there") from error
