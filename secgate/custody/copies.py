"""Copies of a ledger: the store's own backup, and an export that anybody can verify without secgate.

An export is a folder, or the same as a tar file:

    README.md  verify.py        how to verify it, and the program that does, with nothing of secgate in it
    manifest.json               what it is of, and how much
    terms.json                  how long exceptions may last, and the ids of who may approve them
    entries/000000.jsonl        exact bytes, ten thousand entries a file, one a line
    blobs/ab/cdef...            what entries name, by digest; one that was erased, or changed, is not there
    changed/abcdef...           what stood in the place of one that was changed, by its own digest
    checkpoints/000042.json     what entry 42 says was put elsewhere; given-1.json for those handed in
    allowed_signers             whose keys count, by opaque ids, without the comments

There is no people.toml in it, and nothing else that tells who an id is.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec
from msgspec.structs import asdict

from secgate.checkpoint import Sealed, sealed
from secgate.config import Machine
from secgate.custody.containers import ChangedBlob, Manifest, Sink, Source, manifest_of, rows_of, sink, source
from secgate.custody.survey import Survey, entries_of, survey
from secgate.custody.verifying import check_grown
from secgate.errors import LedgerError
from secgate.merkle import Tree, verified
from secgate.model import Digest, Head, LedgerEntry, Trust, Value, encode
from secgate.pipeline.exceptions import limits_of
from secgate.ports import Ledger
from secgate.preparation import ChosenLedger, Place, Prepared, choose_keeper, opened
from secgate.recall import FORGET, check_growth
from secgate.resources import data_dir
from secgate.sla import many_entries
from secgate.trust import allowed_keys, key_fingerprint, revocations
from secgate.version import __version__
from secgate.waivers import APPROVER

SEGMENT_ENTRIES = 10_000
_DIGEST_CHARACTERS = 64
_OF_BACKUP = "that `secgate ledger backup` wrote; an export is for `secgate ledger import`"


class Terms(Value, frozen=True, kw_only=True):
    """By what exceptions count: longest lives in seconds by severity; who there is, and who may approve, by opaque id.

    None where there is no enforced layer: then nobody says who may. `revoked` are keys by their fingerprint, each with
    the time from which what it signed counts for nothing, 0 for ever.
    """

    format: Literal["secgate-terms"] = "secgate-terms"
    version: Literal[1] = 1
    waivers_s: Mapping[str, int]
    downgrades_s: Mapping[str, int]
    people: tuple[str, ...] | None = None
    approvers: tuple[str, ...] | None = None
    revoked: Mapping[str, int] = {}


class Copied(NamedTuple):
    """A copy that was made: of which ledger, how much, and what people should know.

    `faults` are what is not right with the ledger, though it could be copied without.
    """

    address: str
    head: Head
    blobs: int = 0
    checkpoints: int = 0
    notes: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()


def export(
    place: Place, *, to: str, checkpoints: Sequence[str] = (), with_blobs: bool = True, machine: Machine, now: datetime
) -> Copied:
    """Write an export of a verified ledger to a new folder, or a new file where `to` ends in .tar, .tgz or .tar.gz.

    `checkpoints` are places of further ones that go with it. The same ledger and checkpoints give the same bytes. Of a
    blob that was changed, what stands there now goes with it under its own digest: `faults` and the manifest name both,
    and the export does not verify.
    Raises LedgerError for entries that do not verify or have not grown from a checkpoint, and leaves nothing then.
    """
    with opened(place, machine=machine, now=now) as desk:
        ledger = desk.chosen.ledger
        keepers = [choose_keeper(one, machine=machine, executor=desk.shop.executor) for one in checkpoints]
        given = [(keeper.address, keeper.get()) for keeper in keepers]
        for address, data in given:
            if data is None:
                raise LedgerError("there is no checkpoint", place=address, remedy="name where one is kept")
        kept = {address: sealed(data or b"", place=address) for address, data in given}
        return write_export(
            ledger,
            str(Path(machine.cwd, to)),
            kept=kept,
            with_blobs=with_blobs,
            trust=desk.prepared.enforced.trust,
            terms=terms_of(desk.prepared),
        )


def terms_of(prepared: Prepared) -> Terms:
    """Give the terms that exceptions count by, as the policy and people.toml have them now."""
    limits, people = limits_of(prepared), prepared.enforced.people
    trust = prepared.enforced.trust
    counts, known = bool(trust.allowed_signers), revocations(trust)
    ended = {key_fingerprint(key.blob): known.since(key.blob) for key in allowed_keys(trust)}
    lives = asdict(limits.waivers_s)
    del lives["gap"]
    return Terms(
        waivers_s=lives,
        downgrades_s=asdict(limits.downgrades_s),
        people=people.ids if counts else None,
        approvers=tuple(one.id for one in people.persons if APPROVER in one.roles) if counts else None,
        revoked={name: since for name, since in ended.items() if since is not None},
    )


def write_export(
    ledger: Ledger,
    path: str,
    *,
    trust: Trust,
    kept: Mapping[str, Sealed] | None = None,
    with_blobs: bool = True,
    terms: Terms | None = None,
) -> Copied:
    """Write an export of any ledger; `kept` are further checkpoints by where they were kept. As `export` does."""
    kept = kept or {}
    with sink(path) as out:
        writer = _Writer(out)
        seen = survey(writer.entries(entries_of(ledger)), place=ledger.address)
        for address, one in kept.items():
            check_grown(seen, one, place=address)
        writer.checkpoints(seen, ledger, list(kept.values()))
        if with_blobs:
            writer.blobs(ledger, seen)
        writer.around(seen, trust, terms)
    faults = tuple(map(_changed_words, writer.changed))
    return Copied(ledger.address, seen.head, writer.blob_count, writer.checkpoint_count, tuple(writer.notes), faults)


def import_(place: Place, *, of: str, machine: Machine, now: datetime) -> Copied:
    """Make a tree's ledger, which must not be there, out of an export; entry for entry the same bytes.

    Raises LedgerError for an export that does not verify or contradicts its checkpoints, and makes nothing then.
    """
    with opened(place, machine=machine, now=now) as desk, source(str(Path(machine.cwd, of))) as read:
        ledger = desk.chosen.ledger
        manifest = manifest_of(read)
        checkpoints = [sealed(read.get(name), place=f"{of}: {name}") for name in read.names("checkpoints/")]
        seen = survey(_entries(read), place=read.address)
        _require_whole(seen, manifest, place=read.address)
        for one in checkpoints:
            check_grown(seen, one, place=of)
        names = read.names("blobs/")
        head = ledger.fill(rows_of(read), ((_digest(name), _blob(read, name, seen)) for name in names))
        return Copied(ledger.address, head, len(names), len(checkpoints), _remember(desk.chosen, head))


def _require_whole(seen: Survey, manifest: Manifest, *, place: str) -> None:
    """Raise LedgerError where an export's entries are not those that it says it is of, such as where some are gone."""
    said = Head(size=manifest.size, root=manifest.root)
    if (seen.head, seen.ledger_id) != (said, manifest.ledger_id):
        told = f", and {many_entries(seen.head.size)} are there" if seen.head.size != said.size else ""
        raise LedgerError(
            f"the export is not whole: it says that it is of {many_entries(said.size)} with root {said.root}{told}",
            place=place,
            remedy="export it anew",
        )
    if manifest.changed:
        # Without the blob it would look like a ledger of which one was erased.
        raise LedgerError(
            f"the export is of a ledger that was not whole: {_changed_words(manifest.changed[0])}",
            place=place,
            remedy="restore that ledger from a backup and export it anew",
        )


def _changed_words(one: ChangedBlob) -> str:
    named = f" that entry {one.entry} names" if one.entry >= 0 else ", which no entry names,"
    found = f": {_place_of(one)} is what stands there now" if one.found else ""
    return f"the blob {one.digest}{named} was changed{found}"


def _place_of(one: ChangedBlob) -> str:
    """Give the name of what stood in a blob's place: never the one that the blob itself would have."""
    return f"changed/{one.found}"


def back_up(place: Place, *, to: str, machine: Machine, now: datetime) -> Copied:
    """Write the store's own copy of a ledger to a new file. Raises LedgerError for one that does not verify."""
    with opened(place, machine=machine, now=now) as desk:
        entries_of(desk.chosen.ledger)
        return Copied(desk.chosen.ledger.address, desk.chosen.ledger.backup(str(Path(machine.cwd, to))))


def restore(place: Place, *, of: str, machine: Machine, now: datetime) -> Copied:
    """Make a tree's ledger, which must not be there, out of a backup. Raises LedgerError where it does not verify."""
    with opened(place, machine=machine, now=now) as desk:
        file = Path(machine.cwd, of)
        if not file.is_file():
            raise LedgerError("there is no backup", place=of, remedy=f"give a file {_OF_BACKUP}")
        try:
            head = desk.chosen.ledger.restore(str(file))
        except LedgerError as error:
            if error.place != str(file):
                raise
            raise LedgerError(
                f"this is no backup that can be restored: {error.what}",
                place=of,
                remedy=f"give another {_OF_BACKUP}",
            ) from error
        return Copied(desk.chosen.ledger.address, head, notes=_remember(desk.chosen, head))


def _remember(chosen: ChosenLedger, head: Head) -> tuple[str, ...]:
    """Note a head that was brought back; say so where it falls behind what was known."""
    if chosen.remembered is not None:
        try:
            check_growth(chosen.ledger, chosen.remembered, head=head)
        except LedgerError as error:
            lost = f"{error.what}: what was recorded after it is lost"
            return (f"{lost}; runs stop here until a newer backup is restored. If it was meant, {FORGET}",)
    chosen.seen.keep(chosen.ledger.address, head)
    return ()


class _Writer:
    """Writes the parts of an export, each once."""

    def __init__(self, out: Sink) -> None:
        self._out = out
        self.blob_count = self.checkpoint_count = 0
        self.notes: list[str] = []
        self.changed: list[ChangedBlob] = []

    def entries(self, entries: Iterable[LedgerEntry]) -> Iterator[LedgerEntry]:
        """Write entries as they pass."""
        lines: list[bytes] = []
        number = 0
        for entry in entries:
            lines.append(entry.data)
            if len(lines) == SEGMENT_ENTRIES:
                self._segment(number, lines)
                number, lines = number + 1, []
            yield entry
        if lines:
            self._segment(number, lines)

    def _segment(self, number: int, lines: list[bytes]) -> None:
        self._out.put(f"entries/{number:06}.jsonl", b"\n".join(lines) + b"\n")

    def checkpoints(self, seen: Survey, ledger: Ledger, given: Sequence[Sealed]) -> None:
        """Write what the ledger's entries say was put elsewhere, then what was handed in."""
        for sequence, event in seen.checkpoints:
            try:
                data = ledger.blob(event.checkpoint_digest)
            except LedgerError as error:
                self.notes.append(f"the checkpoint of entry {sequence} is not in the export: {error.what}")
                continue
            self._out.put(f"checkpoints/{sequence:06}.json", data)
            self.checkpoint_count += 1
        for number, one in enumerate(given, start=1):
            self._out.put(f"checkpoints/given-{number}.json", one.data)
            self.checkpoint_count += 1

    def blobs(self, ledger: Ledger, seen: Survey) -> None:
        """Write every blob that is there and whole, and apart from them what stands in the place of the others."""
        there = tuple(ledger.blobs())
        for digest, data in zip(there, ledger.whole_blobs(there), strict=True):
            if data is None:
                self._changed(digest, ledger.stored_blob(digest), entry=seen.named.get(digest, -1))
                continue
            self._out.put(f"blobs/{digest[:2]}/{digest[2:]}", data)
            self.blob_count += 1

    def _changed(self, digest: Digest, data: bytes | None, *, entry: int) -> None:
        """Note a blob that is not what it is called, and write what stands there, once where it stands for several."""
        one = ChangedBlob(digest=digest, entry=entry, found="" if data is None else sha256(data).hexdigest())
        if data is not None and one.found not in {other.found for other in self.changed}:
            self._out.put(_place_of(one), data)
        self.changed.append(one)

    def around(self, seen: Survey, trust: Trust, terms: Terms | None) -> None:
        """Write what is not the ledger: the program, the text, whose keys count, the manifest."""
        folder = data_dir("reports") / "export"
        for name in ("README.md", "verify.py"):
            self._out.put(name, (folder / name).read_bytes())
        if trust.allowed_signers:
            self._out.put("allowed_signers", "".join(_signer_lines(trust)).encode())
        if terms is not None:
            self._out.put("terms.json", msgspec.json.format(encode(terms), indent=2) + b"\n")
        manifest = Manifest(
            ledger_id=seen.ledger_id,
            size=seen.head.size,
            root=seen.head.root,
            first_epoch_s=seen.first_epoch_s,
            last_epoch_s=seen.last_epoch_s,
            blobs=self.blob_count,
            changed=tuple(self.changed),
            checkpoints=self.checkpoint_count,
            secgate_version=__version__,
        )
        self._out.put(Manifest.NAME, msgspec.json.format(encode(manifest), indent=2) + b"\n")


def _signer_lines(trust: Trust) -> Iterator[str]:
    """Give allowed_signers anew: comments may say who somebody is."""
    for key in allowed_keys(trust):
        options = [f'namespaces="{",".join(key.namespaces)}"']
        for name, at in (("valid-after", key.valid_after_epoch_s), ("valid-before", key.valid_before_epoch_s)):
            if at is not None:
                options.append(f'{name}="{datetime.fromtimestamp(at, tz=UTC):%Y%m%d%H%M%S}Z"')
        yield f"{key.principal} {','.join(options)} {key.kind} {base64.b64encode(key.blob).decode()}\n"


def _entries(read: Source) -> Iterator[LedgerEntry]:
    try:
        yield from verified(Tree(), ((data, None) for data in rows_of(read)))
    except LedgerError as error:
        error.place = error.place or read.address
        raise


def _digest(name: str) -> Digest:
    return name.removeprefix("blobs/").replace("/", "")


def _blob(read: Source, name: str, seen: Survey) -> bytes:
    data, digest = read.get(name), _digest(name)
    if sha256(data).hexdigest() != digest:
        told = f"blob {digest[:_DIGEST_CHARACTERS]} was changed"
        if digest in seen.named:
            told += f", which entry {seen.named[digest]} names"
        raise LedgerError(told, place=read.address, remedy="export it anew")
    return data
