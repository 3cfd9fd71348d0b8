"""Ledger `git`: a ref of any repository, appended by a push that only ever moves it forward.

A runner's disk dies with the job, a ref does not. The tree of the ref's commit holds

    head.json               {"frontier": [...], "root": "...", "size": N, "version": 1}
    entries/000000.jsonl    exact bytes of entries 0 to 999, one a line; then 000001.jsonl ...
    blobs/ab/cdef...        what entries name, by digest

Every append is one commit on the one before it. The push is not forced, so the server takes it only if nobody was
first: that is the compare-and-swap, and a writer killed at any moment has pushed a whole commit or none. Commits have a
fixed author and the ledger's time.

git runs with a bare repository of its own as cache, without hooks, system or user configuration; what a remote needs to
let us in comes through `env`. The cache remembers where the ref was: one that went back, or away, is an error.
"""

from __future__ import annotations

import fcntl
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from secgate.errors import HeadMovedError, InternalError, LedgerError
from secgate.merkle import Tree, check_end, decode_entry, extend, leaf_hash, verified
from secgate.model import Digest, Entry, Head, LedgerEntry, Limits, Output, encode
from secgate.ports import ProcessRunner

SEGMENT_ENTRIES = 1000
_SEGMENTS_AT_ONCE = 32
_TIP = "refs/secgate/ledger"
_NEXT = "refs/secgate/next"
_HEAD_FILE = "head.json"
_COMMITTER = "secgate <secgate@localhost>"

_DIGEST = re.compile(r"[0-9a-f]{64}")
_PLAIN_REF = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")
_SCP_LIKE = re.compile(r"[A-Za-z0-9._-]+(@[A-Za-z0-9._-]+)?:[^:]")
_CREDENTIALS = re.compile(r"(?<=://)[^/@]*@")
_MOVED = re.compile(
    r"fetch first|non-fast-forward|stale info|cannot lock ref|failed to (update|lock)|unable to (lock|update)"
    r"|incorrect old value|already exists|reference changed",
    re.IGNORECASE,
)
_NO_REF = "couldn't find remote ref"


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
        self.address = f"{_CREDENTIALS.sub('', remote)}#{ref}"
        is_address = "://" in remote or Path(remote).is_absolute() or _SCP_LIKE.match(remote)
        if remote.startswith("-") or "::" in remote.split("/", 1)[0] or not is_address:
            raise self._fault("this is no address of a repository", remedy="give an absolute path or a URL")
        if not _PLAIN_REF.fullmatch(ref) or ".." in ref or "//" in ref or ref.endswith(("/", ".", ".lock")):
            raise self._fault("this is no name of a ref", remedy="give a branch, or a full name under refs/")
        self._remote = remote
        self._ref = ref if ref.startswith("refs/") else f"refs/heads/{ref}"
        self._runner = runner
        self._cache = Path(cache)
        self._git_path = git
        self._env = dict(env or {})
        self._read_only = read_only
        self._time_limit_s = time_limit_s
        self._is_fresh = False

    def exists(self) -> bool:
        """See Ledger. Asks the remote."""
        with self._locked():
            tip = self._fetch()
        if tip is None:
            return False
        self._head_at(tip)
        self._is_fresh = True
        return True

    def create(self) -> None:
        """See Ledger."""
        self._writable("made")
        with self._locked():
            if self._fetch() is not None:
                raise self._fault("there is a ledger already", remedy="use it, or name another ref")
            commit = self._commit(None, {_HEAD_FILE: _head_file(Tree())}, said="the ledger is made", at_epoch_s=0)
            try:
                self._push(commit)
            except HeadMovedError as error:
                raise self._fault("another writer made the ledger first", remedy="use it") from error

    def head(self) -> Head:
        """See Ledger."""
        return self._head_at(self._tip()).head()

    def read(self, start: int = 0) -> Iterator[LedgerEntry]:
        """See Ledger. Of one commit, however long it takes; at its end the stored head is checked too."""
        tip = self._tip()
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
        for digest, data in blobs.items():
            if sha256(data).hexdigest() != digest:
                raise InternalError(f"a blob was given under a digest that is not its own: {digest}")
        if not entries and not blobs:
            return expected
        with self._locked():
            tip, tree, segment = self._base(expected)
            last_epoch_s = _last_epoch_s(segment) if tree.size else 0
            at_epoch_s = max(int(now.timestamp()), last_epoch_s)
            files = {f"blobs/{digest[:2]}/{digest[2:]}": data for digest, data in sorted(blobs.items())}
            files |= _segments(tree, entries, segment, at_epoch_s=at_epoch_s)
            files[_HEAD_FILE] = _head_file(tree)
            said = f"entries {expected.size} to {tree.size - 1}\n\nroot {tree.root().hex()}"
            self._push(self._commit(tip, files, said=said, at_epoch_s=at_epoch_s))
        return tree.head()

    def blob(self, digest: Digest) -> bytes:
        """See Ledger."""
        path = f"blobs/{digest[:2]}/{digest[2:]}"
        if _DIGEST.fullmatch(digest) is None:
            raise InternalError(f"{digest!r} is no digest")
        with self._locked():
            tip = self._cached()
        data = self._objects(tip, [path])[0] if tip else None
        if data is None:
            data = self._objects(self._tip(), [path])[0]
        if data is None:
            raise self._fault(f"blob {digest} is not in the ledger", remedy="restore the ledger from a backup")
        if sha256(data).hexdigest() != digest:
            raise self._fault(f"blob {digest} was changed", remedy="restore the ledger from a backup")
        return data

    # ------------------------------------------------------------------------------- reading

    def _tip(self) -> str:
        """Give the ref's commit as it is now; without asking again right after `exists` did."""
        with self._locked():
            tip = self._cached() if self._is_fresh else self._fetch()
        self._is_fresh = False
        if tip is None:
            raise self._fault("there is no ledger", remedy="run `secgate ledger init`, or restore it")
        return tip

    def _base(self, expected: Head) -> tuple[str, Tree, bytes]:
        """Give commit, tree and last segment to append to. Raises HeadMovedError if its head is not `expected`."""
        tip = self._cached()
        if tip is None or self._head_at(tip).head() != expected:
            tip = self._fetch()
            if tip is None:
                raise self._fault("there is no ledger", remedy="run `secgate ledger init`, or restore it")
        tree = self._head_at(tip)
        if tree.head() != expected:
            raise HeadMovedError(
                f"the ledger has {tree.size} entries, not the {expected.size} that were read", place=self.address
            )
        if tree.size == 0:
            return tip, tree, b""
        number = (tree.size - 1) // SEGMENT_ENTRIES
        segment = self._objects(tip, [_segment_path(number)])[0]
        if segment is None or len(_lines(segment)) != tree.size - number * SEGMENT_ENTRIES:
            raise self._fault("the ledger's last entries are not those its head was kept for")
        return tip, tree, segment

    def _head_at(self, tip: str) -> Tree:
        data = self._objects(tip, [_HEAD_FILE])[0]
        if data is None:
            raise self._fault("the ref holds something else than a ledger", remedy="name the ledger's own ref")
        try:
            stored = msgspec.json.decode(data, type=_HeadFile)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise self._fault(f"the ledger's head does not read: {error}", remedy="use a later secgate") from error
        tree = Tree(stored.size, [bytes.fromhex(peak) for peak in stored.frontier])
        if tree.root().hex() != stored.root:
            raise self._fault("the ledger does not verify: its head contradicts itself")
        return tree

    def _rows(self, tip: str, size: int) -> Iterator[bytes]:
        count = -(-size // SEGMENT_ENTRIES)
        for first in range(0, count, _SEGMENTS_AT_ONCE):
            numbers = range(first, min(first + _SEGMENTS_AT_ONCE, count))
            segments = self._objects(tip, [_segment_path(number) for number in numbers])
            for number, segment in zip(numbers, segments, strict=True):
                if segment is None:
                    raise self._fault(f"entries from {number * SEGMENT_ENTRIES} on are missing")
                yield from _lines(segment)

    def _objects(self, tip: str, paths: Sequence[str]) -> list[bytes | None]:
        """Give the bytes of files of a commit, None for one that is not there."""
        names = "".join(f"{tip}:{path}\n" for path in paths)
        rest = self._git("cat-file", "--batch", stdin=names.encode()).stdout
        found: list[bytes | None] = []
        for _ in paths:
            line, _, rest = rest.partition(b"\n")
            words = line.split()
            if words[-1:] == [b"missing"]:
                found.append(None)
                continue
            if len(words) != 3 or words[1] != b"blob":
                raise self._fault("the ref holds something else than a ledger", remedy="name the ledger's own ref")
            size = int(words[2])
            found.append(rest[:size])
            rest = rest[size + 1 :]
        return found

    # ------------------------------------------------------------------------------- writing

    def _commit(self, parent: str | None, files: Mapping[str, bytes], *, said: str, at_epoch_s: int) -> str:
        """Make one commit in the cache and give its name. One process, whatever the number of files."""
        message = f"secgate: {said}\n".encode()
        parts = [f"reset {_NEXT}\n\n".encode()] if parent is None else []
        parts += [f"commit {_NEXT}\nmark :1\ncommitter {_COMMITTER} {at_epoch_s} +0000\n".encode()]
        parts += [b"data %d\n" % len(message), message]
        if parent is not None:
            parts += [f"from {parent}\n".encode()]
        for path, data in files.items():
            parts += [f"M 100644 inline {path}\n".encode(), b"data %d\n" % len(data), data, b"\n"]
        parts += [b"\nget-mark :1\ndone\n"]
        output = self._git("fast-import", "--quiet", "--done", "--force", "--date-format=raw", stdin=b"".join(parts))
        return output.stdout.decode("ascii", "replace").strip()

    def _push(self, commit: str) -> None:
        """Move the remote's ref forward to `commit`. Raises HeadMovedError if it has moved meanwhile."""
        argv = ["push", "--porcelain", "--no-verify", "--no-follow-tags", "--quiet"]
        if self._is_local:
            argv.append(f"--receive-pack={self._git_path} -c core.hooksPath={os.devnull} receive-pack")
        output = self._git(*argv, "--", self._remote, f"{commit}:{self._ref}", network=True, may_fail=True)
        if output.exit_code == 0 and not output.timed_out:
            self._git("update-ref", _TIP, commit)
            return
        said = "\n".join(_text(part) for part in (output.stdout, output.stderr))
        rejected = next((line for line in said.splitlines() if line.startswith("!")), "")
        if _MOVED.search(rejected):
            raise HeadMovedError(
                f"another writer appended first ({_shown(rejected)})", place=self.address, remedy="read it again"
            )
        raise self._git_fault("the ledger could not be pushed", output, rejected)

    def _fetch(self) -> str | None:
        """Bring the cache to where the remote's ref is and give its commit; None if the remote has no such ref."""
        self._prepare()
        output = self._git(
            "fetch",
            "--no-progress",
            "--no-tags",
            "--no-write-fetch-head",
            "--",
            self._remote,
            f"{self._ref}:{_TIP}",
            network=True,
            may_fail=True,
        )
        if output.exit_code == 0 and not output.timed_out:
            return self._cached()
        said = _text(output.stderr)
        remedy = f"restore it from a backup; if that was on purpose, remove {self._cache}"
        if _NO_REF in said:
            if self._cached() is None:
                return None
            raise self._fault("the ledger was there before and is gone", remedy=remedy)
        if "non-fast-forward" in said:
            raise self._fault("the ledger was rewritten since this machine last saw it", remedy=remedy)
        raise self._git_fault("the ledger could not be fetched", output)

    def _cached(self) -> str | None:
        self._prepare()
        output = self._git("rev-parse", "--verify", "--quiet", f"{_TIP}^{{commit}}", may_fail=True)
        return output.stdout.decode("ascii", "replace").strip() or None

    def _prepare(self) -> None:
        """Make the cache where it is missing or was half made; clear away what a killed git left locked."""
        ready = self._cache / "secgate-ready"
        if not ready.exists():
            named = _text(self._git("ls-remote", "--quiet", "--", self._remote, network=True).stdout).split()
            form = "sha256" if named and len(named[0]) == 64 else "sha1"
            self._git("init", "--quiet", "--bare", "--template=", f"--object-format={form}", str(self._cache))
            ready.touch()
        for lock in (*self._cache.glob("refs/secgate/*.lock"), *self._cache.glob("*.lock")):
            if lock.name != "secgate.lock":
                lock.unlink(missing_ok=True)

    # ------------------------------------------------------------------------------- inside

    @property
    def _is_local(self) -> bool:
        return Path(self._remote).is_absolute() or self._remote.startswith("file://")

    def _writable(self, done: str) -> None:
        if self._read_only:
            raise InternalError(f"a ledger opened for reading was to be {done}")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the cache against other runs of this machine; the lock ends with the process, however that ends."""
        try:
            self._cache.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self._cache / "secgate.lock", os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise self._fault(
                f"the ledger's cache cannot be used: {error}", remedy="name a folder that may be written"
            ) from error
        try:
            deadline = time.monotonic() + self._time_limit_s
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError as error:
                    if time.monotonic() > deadline:
                        raise self._fault(
                            "another run of this machine holds the ledger's cache", remedy="run it again later"
                        ) from error
                    time.sleep(0.01)
            yield
        finally:
            os.close(descriptor)

    def _git(self, *args: str, stdin: bytes = b"", network: bool = False, may_fail: bool = False) -> Output:
        # Rule 9 of the threats: nothing but our own repository's configuration, and no program named in any other.
        argv = [self._git_path, "-c", f"core.hooksPath={os.devnull}", "-c", "gc.auto=0", "-c", "maintenance.auto=false"]
        output = self._runner.run(
            [*argv, *args],
            cwd=str(self._cache),
            stdin=stdin,
            env={
                **self._env,
                "GIT_DIR": str(self._cache),
                "GIT_CONFIG_NOSYSTEM": "1",
                "GIT_CONFIG_GLOBAL": os.devnull,
                "GIT_NO_REPLACE_OBJECTS": "1",
                "GIT_TERMINAL_PROMPT": "0",
                "GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh",
                "LC_ALL": "C",
            },
            limits=Limits(time_s=self._time_limit_s),
            network=network,
        )
        is_bad = output.exit_code != 0 or output.timed_out or output.truncated
        if output.problem or output.truncated or (is_bad and not may_fail):
            raise self._git_fault(f"git {args[0]} did not end well", output)
        return output

    def _git_fault(self, what: str, output: Output, said: str = "") -> LedgerError:
        reason = said or output.problem or ("no answer in time" if output.timed_out else _text(output.stderr))
        return self._fault(
            f"{what}: {_shown(reason)}", remedy="see that the repository can be reached and may be written"
        )

    def _fault(self, what: str, *, remedy: str = "restore the ledger from a backup") -> LedgerError:
        return LedgerError(what, place=self.address, remedy=remedy)


def _head_file(tree: Tree) -> bytes:
    head = tree.head()
    stored = _HeadFile(frontier=tuple(peak.hex() for peak in tree.peaks), root=head.root, size=head.size, version=1)
    return encode(stored) + b"\n"


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


def _shown(said: str) -> str:
    """Give what git said in one line of plain text, without credentials."""
    return "".join(part if part.isprintable() else " " for part in _CREDENTIALS.sub("", " ".join(said.split())))[:500]


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
