"""`secgate ledger`: made on purpose, verified and told on demand; checkpoints, proofs and copies that leave it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from secgate.cli.help import Group
from secgate.cli.options import DAYS, machine, moment, terminal, write_output
from secgate.cli.waiver import place_options
from secgate.errors import LedgerError, UsageError
from secgate.escape import plain
from secgate.sla import many, many_entries, utc_words

if TYPE_CHECKING:
    from secgate.custody import Checked, Copied

_WHERE = "FILE|REPOSITORY#REF|URL"


@click.group("ledger", cls=Group)
def ledger_command() -> None:
    """Make, verify and read a ledger, and what leaves it: checkpoints, proofs, copies."""


@ledger_command.command(
    "init",
    examples=("secgate ledger init",),
)
@place_options
def init(*, path: str, config: str, enforced: str) -> int:
    """Make the ledger, or make the provisional one that is there the one that counts."""
    from secgate import custody

    place = custody.Place(path=path, config=config, enforced=enforced)
    address, head = custody.make(place, machine=machine(), now=moment())
    click.echo(f"{address}: {many_entries(head.size)}, root {head.root}")
    return 0


@ledger_command.command(
    "verify",
    examples=("secgate ledger verify --checkpoint /mnt/elsewhere/shop.checkpoint",),
)
@click.option("--checkpoint", "checkpoints", metavar=_WHERE, multiple=True, help="Where a checkpoint of it is kept.")
@click.option("--max-age-days", type=DAYS, help="An older checkpoint is a fault.")
@click.option("--earlier", metavar="DIR|FILE", default="", help="An export that was made before.")
@place_options
def verify(
    *, checkpoints: tuple[str, ...], max_age_days: float | None, earlier: str, path: str, config: str, enforced: str
) -> int:
    """Read every entry, check leaf, previous root, tree and signatures; hold it against checkpoints."""
    from secgate import custody

    asked = custody.Asked(checkpoints, timedelta(days=max_age_days) if max_age_days is not None else None, earlier)
    place = custody.Place(path=path, config=config, enforced=enforced)
    checked = custody.verify(place, asked, machine=machine(), now=moment())
    for line in _verified(checked):
        click.echo(line)
    if not checked.held:
        click.echo("tamper-evident relative to a head kept elsewhere: keep size and root", err=True)
    return 0


def _verified(checked: Checked) -> list[str]:
    seen = checked.survey
    lines = [f"{plain(checked.address)}: whole; {many_entries(checked.head.size)}, root {checked.head.root}"]
    if checked.head.size:
        lines.append(f"  from {utc_words(seen.first_epoch_s)} to {utc_words(seen.last_epoch_s)}")
    if checked.earlier:
        lines.append(f"  the first {checked.earlier:,} are those of the earlier export")
    if seen.unknown:
        told = f"of a type or version that this secgate does not know, from entry {seen.unknown[0]} on: in no answer"
        lines.append(f"  {len(seen.unknown):,} {told}")
    if checked.blobs or checked.missing:
        gone = f"; {checked.missing:,} that entries name not there, erased or left out" if checked.missing else ""
        lines.append(f"  {many(checked.blobs, 'blob')}, each what it is called{gone}")
    if seen.statements:
        told = "nobody's signature was checked: no enforced layer" if checked.unchecked else "every signature counts"
        if checked.revoked:
            told = f"every signature is right; by revoked keys, and so for nothing: {checked.revoked}"
        lines.append(f"  {many(len(seen.statements), 'signed statement')}; {told}")
    if seen.bindings:
        told = "nobody's signature was checked: no enforced layer" if checked.unchecked else "every signature counts"
        gone = f"; the attestations of {checked.erased} were erased" if checked.erased else ""
        lines.append(f"  {many(len(seen.bindings), 'bound artefact')}; {told}{gone}")
    for one in checked.held:
        checkpoint = one.sealed.checkpoint
        lines.append(f"  grown from {plain(one.address)}:")
        made = utc_words(checkpoint.at_epoch_s)
        lines.append(f"    {many_entries(checkpoint.size)}, signed by {plain(one.signed.principal)} on {made}")
        lines += [f"    stamped on {at:%Y-%m-%d %H:%M} UTC" for at in one.stamped]
        lines += [f"    {plain(note)}" for note in one.notes]
    behind = checked.head.size - max((one.sealed.checkpoint.size for one in checked.held), default=checked.head.size)
    if behind:
        lines.append(f"  {many_entries(behind)} behind: for these nothing but the ledger vouches")
    return lines


@ledger_command.command(
    "log",
    examples=("secgate ledger log --type run --last 10",),
)
@click.option("--type", "types", metavar="TYPE", multiple=True, help="Only entries of this type; more than once.")
@click.option(
    "--last", type=click.IntRange(0, 10**12), default=50, help="How many, the newest; 0 for all. 50 by default."
)
@click.option("--format", "form", type=click.Choice(("text", "json")), default="text", help="text by default.")
@click.option("-o", "--output", metavar="FILE", default="", help="Write to a file.")
@place_options
def log(*, types: tuple[str, ...], last: int, form: str, output: str, path: str, config: str, enforced: str) -> int:
    """List entries, one a line, oldest first, once the ledger verifies."""
    from secgate import custody

    place = custody.Place(path=path, config=config, enforced=enforced)
    told = custody.log(place, types=types, last=last, machine=machine(), now=moment())
    width = 120 if output not in ("", "-") else terminal()[0]
    write_output(custody.log_page(told, form, width=width), output)
    if told.left_out:
        click.echo(f"{many(told.left_out, 'earlier entry', 'earlier entries')} left out; --last 0 lists all", err=True)
    return 0


@ledger_command.command(
    "checkpoint",
    examples=("secgate ledger checkpoint --to /mnt/elsewhere/shop.checkpoint --key ci.pem",),
)
@click.option("--to", metavar=_WHERE, required=True, help="Where it is kept: not with the ledger's own holder.")
@click.option("--key", metavar="FILE", required=True, help="An Ed25519 key, PEM or OpenSSH's form, no passphrase.")
@click.option("--timestamp", "authorities", metavar="URL", multiple=True, help="Have an RFC 3161 authority stamp it.")
@place_options
def checkpoint(*, to: str, key: str, authorities: tuple[str, ...], path: str, config: str, enforced: str) -> int:
    """Sign size and root, keep them elsewhere, and note that in the ledger.

    What is kept there already must be a checkpoint that the ledger has grown from.
    """
    from secgate import custody

    place = custody.Place(path=path, config=config, enforced=enforced)
    taken = custody.take_checkpoint(place, to=to, key=key, authorities=authorities, machine=machine(), now=moment())
    made = taken.sealed.checkpoint
    click.echo(f"{plain(taken.address)}: {many_entries(made.size)}, root {made.root}")
    return 0


@ledger_command.command(
    "prove",
    examples=(
        "secgate ledger prove 17 -o proof.json",
        "secgate ledger prove --check proof.json",
    ),
)
@click.argument("entry", type=click.IntRange(min=0), required=False)
@click.option("--since", type=click.IntRange(min=1), metavar="SIZE", help="Prove growth from this many entries.")
@click.option("--check", "file", metavar="FILE", help="Check a proof instead; no ledger is needed.")
@click.option("--checkpoint", "against", metavar=_WHERE, default="", help="Prove for this one, not the present head.")
@click.option("-o", "--output", metavar="FILE", default="", help="Write to a file.")
@place_options
def prove(
    *,
    entry: int | None,
    since: int | None,
    file: str | None,
    against: str,
    output: str,
    path: str,
    config: str,
    enforced: str,
) -> int:
    """Prove that ENTRY is in the ledger, or with --since that it has grown; as JSON, to be checked offline."""
    from secgate import custody, proof

    if sum(one is not None for one in (entry, since, file)) != 1:
        raise UsageError("it is not clear what is to be proved", remedy="give one of ENTRY, --since SIZE, --check FILE")
    place = custody.Place(path=path, config=config, enforced=enforced)
    if file is not None:
        data = _read(file, proof.MAX_BYTES)
        told = custody.check_proof(data, file=file, against=against, place=place, machine=machine(), now=moment())
        click.echo(f"{plain(file)}: {told}")
        if not against:
            click.echo("it is worth as much as its head: compare that with a checkpoint", err=True)
        return 0
    if entry is not None:
        made: proof.Inclusion | proof.Consistency = custody.prove_entry(
            entry, place, against=against, machine=machine(), now=moment()
        )
    else:
        made = custody.prove_growth(since or 0, place, against=against, machine=machine(), now=moment())
    write_output(proof.written(made), output)
    return 0


@ledger_command.command(
    "export",
    examples=("secgate ledger export -o shop-ledger.tar.gz",),
)
@click.option("-o", "--output", metavar="DIR|FILE", required=True, help="New folder, or new .tar, .tgz or .tar.gz.")
@click.option("--checkpoint", "checkpoints", metavar=_WHERE, multiple=True, help="A further one that goes with it.")
@click.option("--no-blobs", is_flag=True, help="Leave out run documents, decision inputs and statements.")
@place_options
def export(*, output: str, checkpoints: tuple[str, ...], no_blobs: bool, path: str, config: str, enforced: str) -> int:
    """Write entries, blobs and checkpoints, with a program that verifies them without secgate.

    Of a blob that was changed the export has what stands there now, under another name. Both are named here and in the
    manifest, the export does not verify, and the exit code is 5.
    """
    from secgate import custody

    place = custody.Place(path=path, config=config, enforced=enforced)
    copied = custody.export(
        place, to=output, checkpoints=checkpoints, with_blobs=not no_blobs, machine=machine(), now=moment()
    )
    code = _told(copied, output)
    if not copied.faults:
        return code
    for fault in copied.faults:
        click.echo(f"secgate: {plain(copied.address)}: THE LEDGER DOES NOT VERIFY: {fault}", err=True)
    click.echo(f"  {plain(output)} has all else, and its manifest.json and verify.py name this", err=True)
    click.echo("  try: find out who could write to the ledger; restore it from a backup and export it anew", err=True)
    return LedgerError.exit_code


@ledger_command.command(
    "import",
    examples=("secgate ledger import shop-ledger.tar.gz",),
)
@click.argument("exported", metavar="DIR|FILE")
@place_options
def import_(*, exported: str, path: str, config: str, enforced: str) -> int:
    """Make the ledger, which must not be there, out of an export; byte for byte the same entries."""
    from secgate import custody

    place = custody.Place(path=path, config=config, enforced=enforced)
    copied = custody.import_(place, of=exported, machine=machine(), now=moment())
    return _told(copied, copied.address)


@ledger_command.command(
    "backup",
    examples=("secgate ledger backup -o shop-ledger.backup",),
)
@click.option("-o", "--output", metavar="FILE", required=True, help="A new file.")
@place_options
def backup(*, output: str, path: str, config: str, enforced: str) -> int:
    """Write a verified copy in the store's own form; others may write meanwhile."""
    from secgate import custody

    place = custody.Place(path=path, config=config, enforced=enforced)
    return _told(custody.back_up(place, to=output, machine=machine(), now=moment()), output)


@ledger_command.command(
    "restore",
    examples=("secgate ledger restore shop-ledger.backup",),
)
@click.argument("file", metavar="FILE")
@place_options
def restore(*, file: str, path: str, config: str, enforced: str) -> int:
    """Make the ledger, which must not be there, out of a backup, verified first."""
    from secgate import custody

    place = custody.Place(path=path, config=config, enforced=enforced)
    copied = custody.restore(place, of=file, machine=machine(), now=moment())
    return _told(copied, copied.address)


def _told(copied: Copied, where: str) -> int:
    """Say what was copied; notes go to stderr."""
    parts = [f"{many_entries(copied.head.size)}, root {copied.head.root}"]
    parts += [many(copied.blobs, "blob")] if copied.blobs else []
    parts += [many(copied.checkpoints, "checkpoint")] if copied.checkpoints else []
    click.echo(f"{plain(where)}: {'; '.join(parts)}")
    for note in copied.notes:
        click.echo(f"secgate: {plain(note)}", err=True)
    return 0


def _read(file: str, cap: int) -> bytes:
    try:
        with Path(file).open("rb") as opened:
            return opened.read(cap + 1)
    except OSError as error:
        raise UsageError(f"it cannot be read: {error.strerror}", place=file, remedy="give a file") from error
