"""`secgate keys`: whose signatures count, made, replaced, taken back and shown."""

from __future__ import annotations

import json
import textwrap
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from secgate.cli.help import Group
from secgate.cli.options import machine, moment
from secgate.cli.waiver import moment_of
from secgate.errors import UsageError
from secgate.escape import plain

if TYPE_CHECKING:
    from secgate.keyring import KeyEntry
    from secgate.keys import KeyMade

_WIDTH = 80


@click.group("keys", cls=Group)
def keys_command() -> None:
    """Make, replace, revoke and list keys of people and machines.

    WHO is a person's id of people.toml, or machine:NAME. Nothing is written but the file of --out, and allowed_signers
    or revoked of the enforced layer, which is named by --enforced or SECGATE_ENFORCED; `create` writes to it only where
    --enforced is given.
    """


@keys_command.command(
    "create",
    examples=(
        "secgate keys create ana --out ~/.ssh/secgate",
        "secgate keys create machine:ci --out ci.pem --enforced org",
    ),
)
@click.argument("who")
@click.option("--out", "file", metavar="FILE", required=True, help="The private key; FILE.pub is beside it.")
@click.option("--namespace", "namespaces", multiple=True, metavar="NAME", help="What it counts for; may be repeated.")
@click.option("--enforced", metavar="DIR", default="", help="Add its line to allowed_signers there.")
def create(*, who: str, file: str, namespaces: tuple[str, ...], enforced: str) -> int:
    """Make an Ed25519 key for WHO and give its line for allowed_signers.

    It counts for secgate-* (people), or for in-toto and secgate-checkpoint (machines), where no namespace is given, and
    has no passphrase yet.
    """
    from secgate import keys

    wish = keys.KeyWish(principal=who, file=file, namespaces=namespaces)
    made = keys.create_key(wish, enforced=enforced, machine=machine(), now=moment())
    _made(made, file)
    return 0


@keys_command.command(
    "rotate",
    examples=("secgate keys rotate ana --out ~/.ssh/secgate-2 --enforced org",),
)
@click.argument("who")
@click.option("--out", "file", metavar="FILE", required=True, help="The new private key; FILE.pub is beside it.")
@click.option("--namespace", "namespaces", multiple=True, metavar="NAME", help="Else what the old ones count for.")
@click.option("--overlap", metavar="DAYS", default="7d", show_default=True, help="How long the old ones still count.")
@click.option("--enforced", metavar="DIR", default="", help="The enforced layer whose allowed_signers changes.")
def rotate(*, who: str, file: str, namespaces: tuple[str, ...], overlap: str, enforced: str) -> int:
    """Make a new key for WHO, and end the old ones; what they signed before goes on counting."""
    from secgate import keys
    from secgate.sla import utc_words

    now = moment()
    overlap_s = int((moment_of(overlap, now=now) - now) / timedelta(seconds=1))
    if overlap_s < 0:
        raise UsageError("the old keys would have ended already", remedy="give a later --overlap; or revoke them")
    wish = keys.KeyWish(principal=who, file=file, namespaces=namespaces)
    made = keys.rotate_key(wish, overlap_s=overlap_s, enforced=enforced, machine=machine(), now=now)
    _made(made, file)
    for old in made.ended:
        click.echo(f"{old} ends {utc_words(made.ends_epoch_s)}", err=True)
    return 0


@keys_command.command(
    "revoke",
    examples=(
        'secgate keys revoke ana --reason "laptop stolen" --from 2026-03-01T12:00Z \\',
        "    --enforced org",
    ),
)
@click.argument("which", metavar="WHO|SHA256:...")
@click.option("--from", "since", metavar="TIME", default="", help="When others may have had it: 2026-03-01T12:00Z.")
@click.option("--never", is_flag=True, help="Instead of --from: nothing that it ever signed counts.")
@click.option("--reason", required=True, help="What happened to it.")
@click.option("--enforced", metavar="DIR", default="", help="The enforced layer whose revoked changes.")
def revoke(*, which: str, since: str, never: bool, reason: str, enforced: str) -> int:
    """Revoke every key of WHO, or one by its fingerprint."""
    from secgate import keys

    if bool(since) == never:
        raise UsageError(
            "say from when it may have been in other hands",
            remedy="--from TIME, or --never: nothing that it signed counts",
        )
    now = moment()
    # A day means its end where something ends by it, and its beginning here: whoever had the key had it from then on.
    begins = f"{since}T00:00Z" if len(since) == len("2026-03-01") else since
    when = None if never else moment_of(begins, now=now)
    if when is not None and when > now:
        raise UsageError("a key is not revoked from a day to come", remedy="give a time that is past, or rotate it")
    done = keys.revoke_keys(which, since=when, reason=reason, enforced=enforced, machine=machine(), now=now)
    for one in done.revoked:
        click.echo(one.fingerprint)
    for one in done.already:
        click.echo(f"{one.fingerprint} is {_revoked_words(one)} already: left as it is", err=True)
    click.echo("see what it signed: secgate waiver list, secgate override list, secgate ledger verify", err=True)
    return 0


@keys_command.command(
    "list",
    examples=("secgate keys list --enforced org",),
)
@click.option(
    "--enforced", metavar="DIR", default="", help="The organisation's enforced layer; SECGATE_ENFORCED by default."
)
@click.option("--format", "form", type=click.Choice(("text", "json")), default="text", help="Form of the list.")
def list_keys(*, enforced: str, form: str) -> int:
    """List whose keys count, for what and until when."""
    from secgate import keys

    found = keys.listed_keys(enforced=enforced, machine=machine(), now=moment())
    if form == "json":
        click.echo(json.dumps([_plain_form(one) for one in found], indent=2, sort_keys=True))
        return 0
    for one in found:
        _lines(one)
    if not found:
        click.echo("no keys")
    return 0


def _made(made: KeyMade, file: str) -> None:
    click.echo(made.line)
    told = "added to allowed_signers" if made.written else "give the line above to who keeps the enforced layer"
    click.echo(f"{made.fingerprint} in {plain(file)}: {told}", err=True)
    click.echo(f"it has no passphrase: ssh-keygen -p -f {plain(file)}, then ssh-add", err=True)


def _lines(one: KeyEntry) -> None:
    from secgate.sla import utc_words

    key = one.key
    parts = [f"from {utc_words(key.valid_after_epoch_s)}"] if key.valid_after_epoch_s is not None else []
    parts += [f"until {utc_words(key.valid_before_epoch_s)}"] if key.valid_before_epoch_s is not None else []
    state = _revoked_words(one) if one.state == "revoked" else one.state
    for indent, text in (
        (2, f"{plain(key.principal)}  {state}{': ' if parts else ''}{', '.join(parts)}"),
        (4, f"{one.fingerprint} ({key.kind})"),
        (4, f"for {plain(', '.join(key.namespaces))}"),
    ):
        click.echo(textwrap.indent(textwrap.fill(text, _WIDTH - 4, break_on_hyphens=False), " " * indent))


def _revoked_words(one: KeyEntry) -> str:
    from secgate.sla import utc_words

    since = one.revoked_epoch_s
    return f"revoked from {utc_words(since)}" if since else "revoked, and never counted"


def _plain_form(one: KeyEntry) -> dict[str, object]:
    key = one.key
    return {
        "principal": key.principal,
        "fingerprint": one.fingerprint,
        "kind": key.kind,
        "namespaces": list(key.namespaces),
        "valid_after_epoch_s": key.valid_after_epoch_s,
        "valid_before_epoch_s": key.valid_before_epoch_s,
        "revoked_epoch_s": one.revoked_epoch_s,
        "state": one.state,
    }
