"""Ledger `git`: a ref of any repository, appended by a push that only ever moves it forward.

A runner's disk dies with the job, a ref does not. The tree of the ref's commit holds

    head.json               {"frontier": [...], "root": "...", "size": N, "version": 1}
    entries/000000.jsonl    exact bytes of entries 0 to 999, one a line; then 000001.jsonl ...
    blobs/ab/cdef...        what entries name, by digest

Every append is one commit on the one before it, moved forward as `ref` says. Commits have a fixed author and the
ledger's time. A backup is a bundle of the ref with its whole history.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from itertools import islice
from typing import Literal

import msgspec
from msgspec import Struct

from secgate.errors import HeadMovedError, InternalError, LedgerError
from secgate.ledgers.files import matching_blob, new_place
from secgate.ledgers.ref import RemoteRef
from secgate.merkle import Tree, check_end, decode_entry, extend, leaf_hash, verified
from secgate.model import Digest, Entry, Head, LedgerEntry, encode
from secgate.ports import ProcessRunner

SEGMENT_ENTRIES = 1000
_SEGMENTS_AT_ONCE = 32
_BLOBS_AT_ONCE = 64
_HEAD_FILE = "head.json"

_DIGEST = re.compile(r"[0-9a-f]{64}")


class _HeadFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    frontier: tuple[Digest, ...]
    root: Digest
    size: int
    version: Literal[1]


class GitLedger:
    """A ledger in a ref of a repository."""

    name = "git"

    def __init__(
        self,
        remote: str,
        ref: str,
        *,
        runner: ProcessRunner,
        cache: str,
        git: str,
        env: Mapping[str, str] | None = None,
        read_only: bool = False,
        time_limit_s: float = 120.0,
    ) -> None:
        """`remote`: an absolute path or what git takes as an address. `ref`: a branch, or a full name under `refs/`.

        `cache`: absolute path of a folder for this remote and ref alone, made when missing. `git`: the executable.
        `env`: what reaching the remote takes, such as GIT_SSH_COMMAND. Raises LedgerError for an address or a ref that
        git could take for something else.
        """
        self._at = RemoteRef(
            remote, ref, noun="ledger", runner=runner, cache=cache, git=git, env=env, time_limit_s=time_limit_s
        )
        self.address = self._at.address
        self._read_only = read_only
        self._is_fresh = False

    def exists(self) -> bool:
        """See Ledger. Asks the remote."""
        with self._at.locked():
            tip = self._at.fetch()
        if tip is None:
            return False
        self._head_at(tip)
        self._is_fresh = True
        return True

    def create(self) -> None:
        """See Ledger."""
        self._writable("made")
        with self._at.locked():
            if self._at.fetch() is not None:
                raise self._at.fault("there is a ledger already", remedy="use it, or name another ref")
            self._push_first(
                self._at.commit(None, {_HEAD_FILE: _head_file(Tree())}, said="the ledger is made", at_epoch_s=0)
            )

    def fill(self, rows: Iterable[bytes], blobs: Iterable[tuple[Digest, bytes]]) -> Head:
        """See Ledger. One commit."""
        self._writable("made")
        with self._at.locked():
            if not self._at.is_absent():
                raise self._at.fault("there is a ledger already", remedy="name another ref")
            tree = Tree()
            segments: dict[str, list[bytes]] = {}
            last = b""
            for entry in verified(tree, ((data, None) for data in rows)):
                last = entry.data
                segments.setdefault(_segment_path(entry.sequence // SEGMENT_ENTRIES), []).append(last + b"\n")
            files = {_blob_path(digest): matching_blob(digest, data) for digest, data in blobs}
            files |= {path: b"".join(lines) for path, lines in segments.items()}
            files[_HEAD_FILE] = _head_file(tree)
            at_epoch_s = decode_entry(last).at_epoch_s if last else 0
            self._push_first(
                self._at.commit(None, files, said=f"{tree.size} entries are taken in", at_epoch_s=at_epoch_s)
            )
        return tree.head()

    def backup(self, path: str) -> Head:
        """See Ledger."""
        with self._at.locked():
            tip = self._at.fetch()
            if tip is None:
                raise self._at.fault("there is no ledger", remedy="run `secgate ledger init`, or restore it")
            head = self._checked(tip)
            with new_place(path) as building:
                self._at.bundle(str(building))
        return head

    def restore(self, path: str) -> Head:
        """See Ledger. The whole history of commits, so that every machine's cache goes on."""
        self._writable("made")
        with self._at.locked():
            if not self._at.is_absent():
                raise self._at.fault("there is a ledger already", remedy="restore into a ref that is not there")
            tip = self._at.unbundle(path)
            head = self._checked(tip)
            self._push_first(tip)
        return head

    def _push_first(self, commit: str) -> None:
        try:
            self._at.push(commit)
        except HeadMovedError as error:
            raise self._at.fault("another writer made the ledger first", remedy="use it") from error

    def _checked(self, tip: str) -> Head:
        """Give a commit's head after reading every entry and every blob."""
        for _ in self._read_at(tip, 0):
            pass
        there = self._blobs_at(tip)
        for digest, data in zip(there, self._whole_at(tip, there), strict=True):
            if data is None:
                raise self._at.fault(f"blob {digest} was changed", remedy="restore the ledger from a backup")
        return self._head_at(tip).head()

    def head(self) -> Head:
        """See Ledger."""
        return self._head_at(self._tip()).head()

    def read(self, start: int = 0) -> Iterator[LedgerEntry]:
        """See Ledger. Of one commit, however long it takes; at its end the stored head is checked too."""
        yield from self._read_at(self._tip(), start)

    def _read_at(self, tip: str, start: int) -> Iterator[LedgerEntry]:
        head = self._head_at(tip)
        if start == head.size:
            return
        tree = Tree()
        last_epoch_s = 0
        rows = self._rows(tip, head.size)
        try:
            for data in rows:
                if tree.size == start:
                    yield from verified(tree, _chain(data, rows), last_epoch_s=last_epoch_s)
                    break
                tree.append(leaf_hash(data))
                if tree.size == start:
                    last_epoch_s = decode_entry(data).at_epoch_s
            check_end(tree, head.head())
        except LedgerError as error:
            error.place = error.place or self.address
            raise

    def append(self, expected: Head, entries: Sequence[Entry], *, now: datetime, blobs: Mapping[Digest, bytes]) -> Head:
        """See Ledger."""
        self._writable("written")
        if now.tzinfo is None:
            raise InternalError("a ledger was given a time without a zone")
        files = {_blob_path(digest): matching_blob(digest, data) for digest, data in sorted(blobs.items())}
        if not entries and not blobs:
            return expected
        with self._at.locked():
            tip, tree, segment = self._base(expected)
            last_epoch_s = _last_epoch_s(segment) if tree.size else 0
            at_epoch_s = max(int(now.timestamp()), last_epoch_s)
            files |= _segments(tree, entries, segment, at_epoch_s=at_epoch_s)
            files[_HEAD_FILE] = _head_file(tree)
            said = f"entries {expected.size} to {tree.size - 1}\n\nroot {tree.root().hex()}"
            self._at.push(self._at.commit(tip, files, said=said, at_epoch_s=at_epoch_s))
        return tree.head()

    def check_writable(self) -> None:
        """See Ledger. Asks the remote whether it takes a push from here; what a hook there says shows at a real one."""
        self._writable("written")
        with self._at.locked():
            tip = self._at.fetch()
            if tip is None:
                raise self._at.fault("there is no ledger", remedy="run `secgate ledger init`, or restore it")
            self._at.check_push(tip)

    def blob(self, digest: Digest) -> bytes:
        """See Ledger."""
        path = _blob_path(digest)
        with self._at.locked():
            tip = self._at.cached()
        data = self._at.objects(tip, [path])[0] if tip else None
        if data is None:
            data = self._at.objects(self._tip(), [path])[0]
        if data is None:
            raise self._at.fault(f"blob {digest} is not in the ledger", remedy="restore the ledger from a backup")
        if sha256(data).hexdigest() != digest:
            raise self._at.fault(f"blob {digest} was changed", remedy="restore the ledger from a backup")
        return data

    def stored_blob(self, digest: Digest) -> bytes | None:
        """See Ledger."""
        return self._at.objects(self._tip(), [_blob_path(digest)])[0]

    def whole_blobs(self, digests: Iterable[Digest]) -> Iterator[bytes | None]:
        """See Ledger. Of one commit, some at a time, since each call is a process."""
        yield from self._whole_at(self._tip(), digests)

    def blobs(self) -> Iterator[Digest]:
        """See Ledger."""
        yield from self._blobs_at(self._tip())

    # ------------------------------------------------------------------------------- reading

    def _blobs_at(self, tip: str) -> tuple[Digest, ...]:
        names = [(path, path.removeprefix("blobs/").replace("/", "")) for path in self._at.paths(tip, "blobs/")]
        for path, digest in names:
            if _DIGEST.fullmatch(digest) is None or path != _blob_path(digest):
                raise self._at.fault(f"the ref holds {path[:100]!r}, which is no blob of a ledger")
        return tuple(digest for _, digest in names)

    def _whole_at(self, tip: str, digests: Iterable[Digest]) -> Iterator[bytes | None]:
        wanted = iter(digests)
        while some := list(islice(wanted, _BLOBS_AT_ONCE)):
            found = self._at.objects(tip, [_blob_path(digest) for digest in some])
            for digest, data in zip(some, found, strict=True):
                yield data if data is not None and sha256(data).hexdigest() == digest else None

    def _tip(self) -> str:
        """Give the ref's commit as it is now; without asking again right after `exists` did."""
        with self._at.locked():
            tip = self._at.cached() if self._is_fresh else self._at.fetch()
        self._is_fresh = False
        if tip is None:
            raise self._at.fault("there is no ledger", remedy="run `secgate ledger init`, or restore it")
        return tip

    def _base(self, expected: Head) -> tuple[str, Tree, bytes]:
        """Give commit, tree and last segment to append to. Raises HeadMovedError if its head is not `expected`."""
        tip = self._at.cached()
        if tip is None or self._head_at(tip).head() != expected:
            tip = self._at.fetch()
            if tip is None:
                raise self._at.fault("there is no ledger", remedy="run `secgate ledger init`, or restore it")
        tree = self._head_at(tip)
        if tree.head() != expected:
            raise HeadMovedError(
                f"the ledger has {tree.size} entries, not the {expected.size} that were read", place=self.address
            )
        if tree.size == 0:
            return tip, tree, b""
        number = (tree.size - 1) // SEGMENT_ENTRIES
        segment = self._at.objects(tip, [_segment_path(number)])[0]
        if segment is None or len(_lines(segment)) != tree.size - number * SEGMENT_ENTRIES:
            raise self._at.fault("the ledger's last entries are not those its head was kept for")
        return tip, tree, segment

    def _head_at(self, tip: str) -> Tree:
        data = self._at.objects(tip, [_HEAD_FILE])[0]
        if data is None:
            raise self._at.fault("the ref holds something else than a ledger", remedy="name the ledger's own ref")
        try:
            stored = msgspec.json.decode(data, type=_HeadFile)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise self._at.fault(f"the ledger's head does not read: {error}", remedy="use a later secgate") from error
        tree = Tree(stored.size, [bytes.fromhex(peak) for peak in stored.frontier])
        if tree.root().hex() != stored.root:
            raise self._at.fault("the ledger does not verify: its head contradicts itself")
        return tree

    def _rows(self, tip: str, size: int) -> Iterator[bytes]:
        count = -(-size // SEGMENT_ENTRIES)
        for first in range(0, count, _SEGMENTS_AT_ONCE):
            numbers = range(first, min(first + _SEGMENTS_AT_ONCE, count))
            segments = self._at.objects(tip, [_segment_path(number) for number in numbers])
            for number, segment in zip(numbers, segments, strict=True):
                if segment is None:
                    raise self._at.fault(f"entries from {number * SEGMENT_ENTRIES} on are missing")
                yield from _lines(segment)

    # ------------------------------------------------------------------------------- inside

    def _writable(self, done: str) -> None:
        if self._read_only:
            raise InternalError(f"a ledger opened for reading was to be {done}")


def _head_file(tree: Tree) -> bytes:
    head = tree.head()
    stored = _HeadFile(frontier=tuple(peak.hex() for peak in tree.peaks), root=head.root, size=head.size, version=1)
    return encode(stored) + b"\n"


def _blob_path(digest: Digest) -> str:
    if _DIGEST.fullmatch(digest) is None:
        raise InternalError(f"{digest!r} is no digest")
    return f"blobs/{digest[:2]}/{digest[2:]}"


def _segment_path(number: int) -> str:
    return f"entries/{number:06}.jsonl"


def _lines(segment: bytes) -> list[bytes]:
    return segment.removesuffix(b"\n").split(b"\n")


def _last_epoch_s(segment: bytes) -> int:
    return decode_entry(_lines(segment)[-1]).at_epoch_s


def _segments(tree: Tree, entries: Sequence[Entry], last: bytes, *, at_epoch_s: int) -> dict[str, bytes]:
    """Give the segments that `entries` change, whole, and grow `tree`; `last` is the segment of the last entry."""
    changed: dict[int, list[bytes]] = {}
    if tree.size % SEGMENT_ENTRIES:
        changed[tree.size // SEGMENT_ENTRIES] = [last]
    for entry in extend(tree, entries, at_epoch_s=at_epoch_s):
        changed.setdefault(entry.sequence // SEGMENT_ENTRIES, []).append(entry.data + b"\n")
    return {_segment_path(number): b"".join(parts) for number, parts in changed.items()}


def _chain(first: bytes, rest: Iterator[bytes]) -> Iterator[tuple[bytes, None]]:
    yield first, None
    for data in rest:
        yield data, None
