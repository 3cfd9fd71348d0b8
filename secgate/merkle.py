"""The log's arithmetic: an RFC 6962 tree that grows, its proofs, and the exact bytes of an entry.

Pure. Hashes are 32 raw bytes here and lower-case hex in stored documents. An entry is one JSON object with sorted keys
and no white space:

    {"at_epoch_s":N,"body":{...},"previous_root":"HEX","sequence":N,"type":"...","version":N}

Its body is kept as it was given. The leaf hash is taken over exactly these bytes, so nobody ever has to make a
canonical form again to verify one. The tree shows tampering relative to a head that is remembered elsewhere, and claims
no more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from secgate.errors import LedgerError
from secgate.model import Digest, Entry, Epoch, Head, LedgerEntry
from secgate.once import key_given_twice

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").hexdigest()
"""Root of the tree without leaves. Source: RFC 6962, 2.1."""

EMPTY_HEAD = Head(size=0, root=EMPTY_ROOT)

MAX_ENTRY_BYTES = 16 * 1024 * 1024
"""An entry is a few kilobytes; large things are blobs beside it."""

_TYPE = re.compile(r"[a-z][a-z0-9-]{0,63}")
_CONTROL = re.compile(rb"[\x00-\x1f]")


def leaf_hash(data: bytes) -> bytes:
    """Give SHA-256(0x00 || data). Source: RFC 6962, 2.1."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Give SHA-256(0x01 || left || right). Source: RFC 6962, 2.1."""
    return sha256(b"\x01" + left + right).digest()


class Tree:
    """A tree of leaf hashes that only grows.

    Its whole state is `size` and `peaks`, the roots of its perfect subtrees, largest first; appending and giving the
    root each take O(log n).
    """

    __slots__ = ("_peaks", "_size")

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        if size < 0 or len(peaks) != size.bit_count() or any(len(peak) != HASH_BYTES for peak in peaks):
            raise LedgerError(
                f"as many subtree hashes as {len(peaks)} do not make a tree of {size} entries",
                remedy="rebuild it from the entries",
            )
        self._size = size
        self._peaks = list(peaks)

    @property
    def size(self) -> int:
        """Number of leaves."""
        return self._size

    @property
    def peaks(self) -> tuple[bytes, ...]:
        """Roots of the perfect subtrees, largest first."""
        return tuple(self._peaks)

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash at the end."""
        node, rest, peaks = leaf, self._size, self._peaks
        while rest & 1:
            # node_hash, without the call: here and in `root` it is most of what verifying a ledger takes.
            node = sha256(b"\x01" + peaks.pop() + node).digest()
            rest >>= 1
        peaks.append(node)
        self._size += 1

    def root(self) -> bytes:
        """Give the Merkle tree hash of all leaves so far."""
        if not self._peaks:
            return sha256(b"").digest()
        node = self._peaks[-1]
        for peak in self._peaks[-2::-1]:
            node = sha256(b"\x01" + peak + node).digest()
        return node

    def head(self) -> Head:
        """Give size and root as a stored value."""
        return Head(size=self._size, root=self.root().hex())

    def copy(self) -> Tree:
        """Give a tree of its own with the same leaves."""
        return Tree(self._size, self._peaks)


def tree_of(leaves: Iterable[bytes]) -> Tree:
    """Give the tree over `leaves` (leaf hashes, in order)."""
    tree = Tree()
    for leaf in leaves:
        tree.append(leaf)
    return tree


# ------------------------------------------------------------------------------------------- proofs


def _split(size: int) -> int:
    """Give the largest power of two below `size` (at least 2)."""
    return 1 << ((size - 1).bit_length() - 1)


def inclusion_proof(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """Give the audit path of leaf `index` in the tree over `leaves`, lowest first. Source: RFC 6962, 2.1.1.

    Raises LedgerError if there is no such leaf.
    """
    if not 0 <= index < len(leaves):
        raise LedgerError(f"there is no entry {index} in a tree of {len(leaves)}")
    start, end = 0, len(leaves)
    path: list[bytes] = []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(tree_of(leaves[middle:end]).root())
            end = middle
        else:
            path.append(tree_of(leaves[start:middle]).root())
            start = middle
    return tuple(reversed(path))


def verify_inclusion(leaf: bytes, index: int, head: Head, proof: Sequence[bytes]) -> bool:
    """Tell whether `proof` shows that `leaf` is number `index` of the tree `head`. Source: RFC 9162, 2.1.3.2."""
    if not 0 <= index < head.size:
        return False
    place, last, node = index, head.size - 1, leaf
    for step in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            node = node_hash(step, node)
            while not place & 1 and place:
                place >>= 1
                last >>= 1
        else:
            node = node_hash(node, step)
        place >>= 1
        last >>= 1
    return last == 0 and node.hex() == head.root


def consistency_proof(leaves: Sequence[bytes], old_size: int) -> tuple[bytes, ...]:
    """Give the proof that the tree over `leaves` begins with its first `old_size` ones. Source: RFC 6962, 2.1.2.

    Raises LedgerError if `old_size` is not between 1 and the number of leaves.
    """
    if not 1 <= old_size <= len(leaves):
        raise LedgerError(f"a tree of {len(leaves)} entries cannot have grown from one of {old_size}")
    proof: list[bytes] = []
    start, end, whole = 0, len(leaves), True
    while old_size != end:
        middle = start + _split(end - start)
        if old_size <= middle:
            proof.append(tree_of(leaves[middle:end]).root())
            end = middle
        else:
            proof.append(tree_of(leaves[start:middle]).root())
            start, whole = middle, False
    if not whole:
        proof.append(tree_of(leaves[start:end]).root())
    return tuple(reversed(proof))


def verify_consistency(old: Head, new: Head, proof: Sequence[bytes]) -> bool:
    """Tell whether `proof` shows that the tree `new` begins with the tree `old`. Source: RFC 9162, 2.1.4.2."""
    if not 1 <= old.size <= new.size:
        return False
    if old.size == new.size:
        return not proof and old.root == new.root
    path = list(proof)
    if old.size & (old.size - 1) == 0:  # a power of two: its root is the first step
        path.insert(0, bytes.fromhex(old.root))
    if not path:
        return False
    place, last = old.size - 1, new.size - 1
    while place & 1:
        place >>= 1
        last >>= 1
    first = second = path[0]
    for step in path[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            first, second = node_hash(step, first), node_hash(step, second)
            while not place & 1 and place:
                place >>= 1
                last >>= 1
        else:
            second = node_hash(second, step)
        place >>= 1
        last >>= 1
    return last == 0 and first.hex() == old.root and second.hex() == new.root


# ------------------------------------------------------------------------------------------ entries


class Envelope(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an entry's exact bytes say. `body` is the JSON text as it was given, of whatever type and version."""

    at_epoch_s: Epoch
    body: msgspec.Raw
    previous_root: Digest
    sequence: Annotated[int, Meta(ge=0)]
    type: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,63}$")]
    version: Annotated[int, Meta(ge=1)]


_ENVELOPE = msgspec.json.Decoder(Envelope)


def _join(*, at_epoch_s: int, body: bytes, previous_root: str, sequence: int, kind: str, version: int) -> bytes:
    return b'{"at_epoch_s":%d,"body":%b,"previous_root":"%b","sequence":%d,"type":"%b","version":%d}' % (
        at_epoch_s,
        body,
        previous_root.encode(),
        sequence,
        kind.encode(),
        version,
    )


def encode_entry(entry: Entry, *, at_epoch_s: int, sequence: int, previous_root: str) -> bytes:
    """Give the exact bytes of an entry. Raises LedgerError if type, version or body cannot be kept."""
    if _TYPE.fullmatch(entry.type) is None or entry.version < 1 or at_epoch_s < 0:
        raise LedgerError(f"an event of type {entry.type!r}, version {entry.version}, cannot be recorded")
    # One whole JSON object, or it could close the envelope and write keys of its own.
    if _CONTROL.search(entry.body) or not isinstance(_json(entry.body), dict):
        raise LedgerError(f"the body of a {entry.type!r} event is not one JSON object without line breaks")
    data = _join(
        at_epoch_s=at_epoch_s,
        body=entry.body,
        previous_root=previous_root,
        sequence=sequence,
        kind=entry.type,
        version=entry.version,
    )
    if len(data) > MAX_ENTRY_BYTES:
        raise LedgerError(
            f"a {entry.type!r} event of {len(data)} bytes is too large", remedy="store the large part as a blob"
        )
    return data


def _json(body: bytes) -> object:
    try:
        said = msgspec.json.decode(body)
        key = key_given_twice(body, said)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise LedgerError(f"an event's body is not JSON: {error}") from error
    if key:
        raise LedgerError(f"an event's body gives the key {key!r} twice: what it says would be the reader's choice")
    return said


def decode_entry(data: bytes) -> Envelope:
    """Give what an entry's bytes say. Raises LedgerError if they are not exactly in the form of `encode_entry`."""
    if len(data) > MAX_ENTRY_BYTES:
        raise LedgerError(f"an entry of {len(data)} bytes is too large to be one of ours")
    try:
        envelope = _ENVELOPE.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise LedgerError(f"the bytes are not those of an entry: {error}") from error
    again = _join(
        at_epoch_s=envelope.at_epoch_s,
        body=bytes(envelope.body),
        previous_root=envelope.previous_root,
        sequence=envelope.sequence,
        kind=envelope.type,
        version=envelope.version,
    )
    if again != data or not bytes(envelope.body).startswith(b"{"):
        raise LedgerError(
            "the bytes are not those of an entry: keys out of order, white space, or a body that is no object"
        )
    return envelope


def extend(tree: Tree, entries: Sequence[Entry], *, at_epoch_s: int) -> Iterator[LedgerEntry]:
    """Give `entries` as they follow on `tree`, which grows by each as it is taken.

    Raises LedgerError as `encode_entry` does.
    """
    root = tree.root().hex()
    for entry in entries:
        sequence, previous_root = tree.size, root
        data = encode_entry(entry, at_epoch_s=at_epoch_s, sequence=sequence, previous_root=previous_root)
        leaf = leaf_hash(data)
        tree.append(leaf)
        root = tree.root().hex()
        yield LedgerEntry(
            sequence=sequence,
            type=entry.type,
            version=entry.version,
            at_epoch_s=at_epoch_s,
            body=msgspec.Raw(entry.body),
            data=data,
            leaf=leaf.hex(),
            previous_root=previous_root,
            root=root,
        )


def verified(tree: Tree, rows: Iterable[tuple[bytes, bytes | None]], *, last_epoch_s: int = 0) -> Iterator[LedgerEntry]:
    """Give the entries whose exact bytes, each with its stored leaf hash or None, are `rows`; grow `tree` by each.

    `tree` stands for what is before the first row, `last_epoch_s` is the time of the entry before it. Raises
    LedgerError, naming the first bad entry, if bytes and leaf differ, a number is missing or there twice, the root
    before it is another one, or time goes back.
    """
    root = tree.root().hex()
    for data, stored in rows:
        sequence, previous_root = tree.size, root
        try:
            envelope = decode_entry(data)
        except LedgerError as error:
            raise unverified(sequence, error.what) from error
        leaf = leaf_hash(data)
        if stored is not None and stored != leaf:
            raise unverified(sequence, "its bytes do not have the hash stored beside them")
        if envelope.sequence != sequence:
            raise unverified(sequence, f"entry {envelope.sequence} stands in its place")
        if envelope.previous_root != previous_root:
            if not sequence:
                raise unverified(sequence, "it was not written as the first one")
            raise unverified(sequence - 1, f"it is not what it was when entry {sequence} was written")
        if envelope.at_epoch_s < last_epoch_s:
            raise unverified(sequence, "its time lies before that of the entry before it")
        last_epoch_s = envelope.at_epoch_s
        tree.append(leaf)
        root = tree.root().hex()
        yield LedgerEntry(
            sequence=sequence,
            type=envelope.type,
            version=envelope.version,
            at_epoch_s=envelope.at_epoch_s,
            body=envelope.body,
            data=data,
            leaf=leaf.hex(),
            previous_root=previous_root,
            root=root,
        )


def unverified(sequence: int, why: str) -> LedgerError:
    """Give the error that names the first bad entry, and why it is one."""
    return LedgerError(
        f"the ledger does not verify at entry {sequence}: {why}",
        remedy="compare it with a backup or a remembered head; do not record on top of it",
    )


def check_end(tree: Tree, stored: Head) -> None:
    """Raise LedgerError if `tree`, grown over all entries, is not the head stored beside them."""
    if tree.size != stored.size:
        raise unfinished(tree.size, stored.size)
    if tree.head() != stored:
        raise unverified(
            tree.size - 1, "its head was kept for others: it is not what it was, or what is before it is not"
        )


def unfinished(size: int, stored: int) -> LedgerError:
    """Give the error for another number of entries than the head is of, naming the first that is missing or new."""
    return unverified(min(size, stored), f"{size} entries are there, and the head was kept for {stored}")
