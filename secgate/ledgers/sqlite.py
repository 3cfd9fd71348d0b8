"""Ledger `sqlite`: one file on one machine, in WAL mode, with one transaction per append.

Table `entry` holds the exact bytes and the leaf hash, `blob` what entries name by digest (compressed where that helps),
and `frontier` the tree's peaks, which the entries give again at any time. Triggers refuse to change or remove an entry:
they stop slips, not an attacker with the file in hand, against whom only a head kept elsewhere helps.

A blob may be erased on purpose (a person's right to it) without harm to the tree; an entry may not.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from secgate.errors import HeadMovedError, InternalError, LedgerError
from secgate.ledgers.files import matching_blob, new_place, unwritable
from secgate.ledgers.packing import Packed, packed, unpacked, whole
from secgate.merkle import HASH_BYTES, Tree, check_end, decode_entry, extend, tree_of, unfinished, verified
from secgate.model import Digest, Entry, Head, LedgerEntry

APPLICATION_ID = 0x53474C31
"""`SGL1` in the file's header: tells a ledger from any other SQLite file."""

SCHEMA_VERSION = 1

_SCHEMA = """
CREATE TABLE entry (
    sequence INTEGER PRIMARY KEY,
    data BLOB NOT NULL,
    leaf BLOB NOT NULL CHECK (length(leaf) = 32)
) STRICT;
CREATE TABLE blob (
    digest TEXT PRIMARY KEY,
    coding TEXT NOT NULL CHECK (coding IN ('raw', 'zlib')),
    size INTEGER NOT NULL CHECK (size >= 0),
    data BLOB NOT NULL
) STRICT;
CREATE TABLE frontier (
    id INTEGER PRIMARY KEY CHECK (id = 0),
    size INTEGER NOT NULL CHECK (size >= 0),
    peaks BLOB NOT NULL
) STRICT;
INSERT INTO frontier VALUES (0, 0, x'');
CREATE TRIGGER entry_is_next BEFORE INSERT ON entry
    WHEN NEW.sequence <> (SELECT coalesce(max(sequence) + 1, 0) FROM entry)
    BEGIN SELECT raise(ABORT, 'an entry is appended at the end'); END;
CREATE TRIGGER entry_is_kept BEFORE UPDATE ON entry
    BEGIN SELECT raise(ABORT, 'an entry is never changed'); END;
CREATE TRIGGER entry_stays BEFORE DELETE ON entry
    BEGIN SELECT raise(ABORT, 'an entry is never removed'); END;
CREATE TRIGGER blob_is_kept BEFORE UPDATE ON blob
    BEGIN SELECT raise(ABORT, 'a blob is never changed'); END;
"""

_ROWS = 1000

_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_UNWRITABLE = (
    *(sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM),
    *(sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_TRUNCATE),
)
"""What SQLite says where a new file cannot be written."""


class SqliteLedger:
    """A ledger in one SQLite file."""

    name = "sqlite"

    def __init__(self, path: str, *, read_only: bool = False, busy_timeout_s: float = 20.0) -> None:
        """`path` is absolute; nothing is opened or made before it is asked for."""
        self.address = path
        self._path = Path(path)
        self._read_only = read_only
        self._busy_timeout_s = busy_timeout_s

    def exists(self) -> bool:
        """See Ledger. An empty file, left by a run killed while making one, is no ledger yet."""
        if not self._is_there():
            return False
        with self._reading():
            return True

    def create(self) -> None:
        """See Ledger. All in one transaction: killed at any moment, the ledger is there or it is not."""
        self.fill((), ())

    def fill(self, rows: Iterable[bytes], blobs: Iterable[tuple[Digest, bytes]]) -> Head:
        """See Ledger. All in one transaction."""
        self._writable("made")
        self._is_there()
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise self._fault(f"its folder cannot be made: {error.strerror}", remedy=_ELSEWHERE) from error
        with self._faults(), closing(self._connect("rwc")) as database:
            database.execute("PRAGMA synchronous = FULL")
            database.execute("BEGIN IMMEDIATE")
            if database.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
                database.execute("ROLLBACK")
                self._check(database)
                raise LedgerError("there is a ledger already", place=self.address, remedy="use it")
            for statement in _statements(_SCHEMA):
                database.execute(statement)
            database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            database.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            tree = Tree()
            self._insert(database, verified(tree, ((data, None) for data in rows)), tree)
            _insert_blobs(database, blobs)
            database.execute("COMMIT")
            database.execute("PRAGMA journal_mode = WAL")
        return tree.head()

    def backup(self, path: str) -> Head:
        """See Ledger. By SQLite's online backup: others may write meanwhile."""
        with new_place(path) as building:
            with self._reading() as database, _writing(path), closing(sqlite3.connect(building)) as copy:
                database.backup(copy)
                copy.execute("PRAGMA journal_mode = DELETE")
            written = SqliteLedger(str(building), read_only=True)
            try:
                written.check_file()
            except LedgerError as error:
                # It is what the ledger is.
                error.place = self.address
                raise
            return written.head()

    def restore(self, path: str) -> Head:
        """See Ledger."""
        source = SqliteLedger(str(Path(path).absolute()), read_only=True)
        source.check_file()
        there = tuple(source.blobs())
        found = zip(there, source.whole_blobs(there), strict=True)
        # Asked for alone, one that is not whole says why.
        blobs = ((digest, source.blob(digest) if data is None else data) for digest, data in found)
        return self.fill((entry.data for entry in source.read()), blobs)

    def head(self) -> Head:
        """See Ledger."""
        with self._reading() as database:
            return self._frontier(database).head()

    def read(self, start: int = 0) -> Iterator[LedgerEntry]:
        """See Ledger. One snapshot, however long it takes; at its end the stored head is checked too."""
        with self._reading() as database:
            frontier = self._frontier(database)
            before = database.execute("SELECT leaf FROM entry WHERE sequence < ? ORDER BY sequence", (start,))
            tree = tree_of(leaf for (leaf,) in before)
            rows = database.execute("SELECT data, leaf FROM entry WHERE sequence >= ? ORDER BY sequence", (start,))
            rows.arraysize = _ROWS
            last_epoch_s = self._last_epoch_s(database, before=start)
            yield from verified(tree, rows, last_epoch_s=last_epoch_s)
            check_end(tree, frontier.head())

    def append(self, expected: Head, entries: Sequence[Entry], *, now: datetime, blobs: Mapping[Digest, bytes]) -> Head:
        """See Ledger."""
        self._writable("written")
        if now.tzinfo is None:
            raise InternalError("a ledger was given a time without a zone")
        self._must_be_there()
        with self._faults(), closing(self._connect("rw")) as database:
            self._check(database)
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = FULL")
            database.execute("BEGIN IMMEDIATE")
            try:
                head = self._append(database, expected, entries, now=now)
                _insert_blobs(database, sorted(blobs.items()))
                database.execute("COMMIT")
            finally:
                if database.in_transaction:
                    database.execute("ROLLBACK")
        return head

    def check_writable(self) -> None:
        """See Ledger. Writes the frontier as it is, which takes the lock, and room on the disk, as an entry does."""
        self._writable("written")
        self._must_be_there()
        with self._faults(), closing(self._connect("rw")) as database:
            self._check(database)
            database.execute("UPDATE frontier SET size = size")

    def blob(self, digest: Digest) -> bytes:
        """See Ledger."""
        with self._reading() as database:
            row = _blob_row(database, digest)
        if row is None:
            raise LedgerError(
                f"blob {digest} is not in the ledger", place=self.address, remedy="it may have been erased"
            )
        data = whole(row, digest)
        if data is None:
            raise LedgerError(
                f"blob {digest} was changed", place=self.address, remedy="restore the ledger from a backup"
            )
        return data

    def stored_blob(self, digest: Digest) -> bytes | None:
        """See Ledger."""
        with self._reading() as database:
            row = _blob_row(database, digest)
        return None if row is None else unpacked(row)

    def whole_blobs(self, digests: Iterable[Digest]) -> Iterator[bytes | None]:
        """See Ledger. Of one moment, however long it takes."""
        with self._reading() as database:
            for digest in digests:
                row = _blob_row(database, digest)
                yield None if row is None else whole(row, digest)

    def blobs(self) -> Iterator[Digest]:
        """See Ledger. Of one moment, however long it takes."""
        with self._reading() as database:
            for (digest,) in database.execute("SELECT digest FROM blob ORDER BY digest"):
                yield digest

    def check_file(self) -> None:
        """Check the whole file: SQLite's own structure, every entry and blob, the frontier. Raises LedgerError."""
        with self._reading() as database:
            problems = [str(row[0]) for row in database.execute("PRAGMA integrity_check(3)")]
        if problems != ["ok"]:
            raise self._fault(f"the file is damaged: {'; '.join(problems)}")
        for _ in self.read():
            pass
        there = tuple(self.blobs())
        for digest, data in zip(there, self.whole_blobs(there), strict=True):
            if data is None:
                # Asked for alone, it says why.
                self.blob(digest)

    # ------------------------------------------------------------------------------- inside

    def _append(self, database: sqlite3.Connection, expected: Head, entries: Sequence[Entry], *, now: datetime) -> Head:
        tree = self._frontier(database)
        if tree.head() != expected:
            raise HeadMovedError(
                f"the ledger has {tree.size} entries, not the {expected.size} that were read", place=self.address
            )
        at_epoch_s = max(int(now.timestamp()), self._last_epoch_s(database, before=tree.size))
        self._insert(database, extend(tree, entries, at_epoch_s=at_epoch_s), tree)
        return tree.head()

    @staticmethod
    def _insert(database: sqlite3.Connection, entries: Iterable[LedgerEntry], tree: Tree) -> None:
        """Insert entries that grow `tree` as they are taken, and the tree as it then is."""
        database.executemany(
            "INSERT INTO entry VALUES (?, ?, ?)",
            ((entry.sequence, entry.data, bytes.fromhex(entry.leaf)) for entry in entries),
        )
        database.execute("UPDATE frontier SET size = ?, peaks = ?", (tree.size, b"".join(tree.peaks)))

    def _frontier(self, database: sqlite3.Connection) -> Tree:
        """Give the stored tree; raises LedgerError if it is for another number of entries than there are."""
        row = database.execute("SELECT size, peaks FROM frontier").fetchone()
        if row is None:
            raise self._fault("the ledger does not verify at its end: its head is gone")
        size, peaks = row
        last = database.execute("SELECT max(sequence) FROM entry").fetchone()[0]
        count = 0 if last is None else last + 1
        if count != size:
            raise unfinished(count, size)
        return Tree(size, [peaks[at : at + HASH_BYTES] for at in range(0, len(peaks), HASH_BYTES)])

    def _last_epoch_s(self, database: sqlite3.Connection, *, before: int) -> int:
        row = database.execute("SELECT data FROM entry WHERE sequence = ?", (before - 1,)).fetchone()
        return decode_entry(row[0]).at_epoch_s if row else 0

    def _is_there(self) -> bool:
        """Tell whether something is in its place; raises LedgerError unless that is a regular file."""
        journal = self._beside("-journal")
        for path in (self._path, self._beside("-wal"), journal):
            try:
                mode = path.lstat().st_mode
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                raise self._fault(f"it cannot be looked at: {error.strerror}") from error
            if not stat.S_ISREG(mode):
                kind = "a link" if stat.S_ISLNK(mode) else "a folder" if stat.S_ISDIR(mode) else "a device or a pipe"
                raise self._fault(f"{kind} stands in the place of {path.name}", remedy="name the ledger's own path")
        try:
            if self._path.stat().st_size and journal.exists():
                self._take_back()
            return self._path.stat().st_size > 0
        except (FileNotFoundError, NotADirectoryError):
            return False

    def _take_back(self) -> None:
        """Undo what a run left that was killed while making the ledger: whoever opens it only to read cannot."""
        with self._faults(), closing(self._connect("rw")) as database:
            database.execute("SELECT count(*) FROM sqlite_schema").fetchone()

    def _beside(self, ending: str) -> Path:
        return self._path.with_name(f"{self._path.name}{ending}")

    def _must_be_there(self) -> None:
        if not self._is_there():
            raise self._fault("there is no ledger", remedy="run `secgate ledger init`, or restore it")

    def _writable(self, done: str) -> None:
        if self._read_only:
            raise InternalError(f"a ledger opened for reading was to be {done}")

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        self._must_be_there()
        with self._faults(), closing(self._connect("ro")) as database:
            self._check(database)
            database.execute("BEGIN")
            yield database

    def _connect(self, mode: str) -> sqlite3.Connection:
        uri = f"file:{quote(str(self._path))}?mode={mode}"
        if mode == "ro" and not os.access(self._path.parent, os.W_OK) and not self._beside("-wal").exists():
            uri += "&immutable=1"  # nobody who reads here could make the files that WAL needs beside it
        database = sqlite3.connect(uri, uri=True, timeout=self._busy_timeout_s, isolation_level=None)
        # A file made by somebody else may carry views and triggers of its own.
        database.execute("PRAGMA trusted_schema = OFF")
        return database

    def _check(self, database: sqlite3.Connection) -> None:
        """Raise LedgerError unless the file is a ledger of this form with its triggers in place."""
        application = database.execute("PRAGMA application_id").fetchone()[0]
        version = database.execute("PRAGMA user_version").fetchone()[0]
        if application != APPLICATION_ID:
            raise self._fault("the file is a database of something else", remedy="name the ledger's own path")
        if version != SCHEMA_VERSION:
            raise self._fault(
                f"the ledger has form {version}, this secgate reads form {SCHEMA_VERSION}", remedy="use a later secgate"
            )
        found = database.execute("SELECT sql FROM sqlite_schema WHERE type = 'trigger' ORDER BY name").fetchall()
        if [_words(text) for (text,) in found] != _triggers():
            raise self._fault("the triggers that keep its entries are not those it was made with")

    @contextmanager
    def _faults(self) -> Iterator[None]:
        """Turn what SQLite says into errors of ours."""
        try:
            yield
        except LedgerError as error:
            error.place = error.place or self.address
            raise
        except sqlite3.Error as error:
            raise self._fault(_said(error), remedy=_remedy(error)) from error

    def _fault(self, what: str, *, remedy: str = "restore the ledger from a backup") -> LedgerError:
        return LedgerError(what, place=self.address, remedy=remedy)


def _statements(script: str) -> Iterator[str]:
    """Give the statements one by one, since `executescript` would commit before the first."""
    statement = ""
    for line in script.splitlines():
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _triggers() -> list[str]:
    """Give the text of each trigger, sorted by its name."""
    return sorted(_words(one) for one in _statements(_SCHEMA) if one.startswith("CREATE TRIGGER"))


def _words(statement: str) -> str:
    return " ".join(statement.split()).rstrip(";")


def _blob_row(database: sqlite3.Connection, digest: Digest) -> Packed | None:
    row: Packed | None = database.execute("SELECT coding, size, data FROM blob WHERE digest = ?", (digest,)).fetchone()
    return row


def _insert_blobs(database: sqlite3.Connection, blobs: Iterable[tuple[Digest, bytes]]) -> None:
    rows = ((digest, *packed(matching_blob(digest, data))) for digest, data in blobs)
    database.executemany("INSERT OR IGNORE INTO blob VALUES (?, ?, ?, ?)", rows)


@contextmanager
def _writing(path: str) -> Iterator[None]:
    """Tell what keeps a copy from being written from what is wrong with the ledger that is copied."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0)
        if code & 0xFF in _UNWRITABLE or code in _UNWRITABLE:
            raise unwritable(path, str(error)) from error
        raise


_ELSEWHERE = "see that file and folder may be read and written, or name another file with SECGATE_LEDGER_PATH"


def _said(error: sqlite3.Error) -> str:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_NOTADB:
        return "the file is not a database"
    if code == sqlite3.SQLITE_CORRUPT:
        return "the file is damaged or cut off"
    if code in _BUSY:
        return "another process holds the ledger"
    return f"the ledger cannot be used: {error}"


def _remedy(error: sqlite3.Error) -> str:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _BUSY:
        return "run it again when the other one has ended"
    if code == sqlite3.SQLITE_FULL:
        return "free some space on its disk; nothing of this run was recorded"
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH):
        return _ELSEWHERE
    if code == sqlite3.SQLITE_IOERR:
        return "see to its disk; nothing of this run was recorded"
    return "restore the ledger from a backup"
