"""What only this ledger can suffer: a file in the wrong place, of the wrong kind, cut off, or on a full disk."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from secgate.errors import InternalError, LedgerError
from secgate.ledgers.sqlite import SqliteLedger
from tests.ledger_support import at, events

ROOT = Path(__file__).parents[3]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    place = tmp_path / "ledger.sqlite"
    ledger = SqliteLedger(str(place))
    ledger.create()
    data = b"blob " * 1000
    names = [f"{number:0100}" for number in range(200)]
    ledger.append(ledger.head(), events(*names), now=at(0), blobs={sha256(data).hexdigest(): data})
    return place


def change(path: Path, *statements: str) -> None:
    database = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        database.execute(statement)
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()


def test_it_is_durable_and_says_what_it_is(path: Path) -> None:
    database = sqlite3.connect(path)
    pragmas = [database.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "user_version")]
    database.close()
    assert pragmas == ["wal", 1]
    assert path.read_bytes()[68:72] == b"SGL1"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entry SET data = x'00' WHERE sequence = 3",
        "DELETE FROM entry WHERE sequence = 199",
        "INSERT INTO entry VALUES (500, x'00', zeroblob(32))",
        "INSERT OR REPLACE INTO entry VALUES (3, x'00', zeroblob(32))",
        "UPDATE blob SET data = x'00'",
    ],
)
def test_the_file_itself_refuses_slips(path: Path, statement: str) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        change(path, statement)


HALF_MADE = """
import os, sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("PRAGMA cache_size = 1")
database.execute("BEGIN IMMEDIATE")
database.execute("CREATE TABLE entry (data BLOB)")
database.execute("INSERT INTO entry VALUES (zeroblob(1000000))")
os._exit(9)
"""


def test_killed_while_it_was_made_it_is_not_there_and_can_be_made(tmp_path: Path) -> None:
    place = tmp_path / "ledger.sqlite"
    subprocess.run([sys.executable, "-c", HALF_MADE, str(place)], check=False)
    assert place.stat().st_size
    assert place.with_name("ledger.sqlite-journal").stat().st_size, "a hot journal"
    ledger = SqliteLedger(str(place))
    assert not ledger.exists()
    ledger.create()
    assert ledger.head().size == 0


def replaced(path: Path) -> None:
    path.write_bytes(b"not a database at all, and long enough to have a header" * 20)


def foreign(path: Path) -> None:
    path.unlink()
    change(path, "CREATE TABLE t (x)")


def linked(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def linked_wal(path: Path) -> None:
    path.with_name(f"{path.name}-wal").unlink(missing_ok=True)
    path.with_name(f"{path.name}-wal").symlink_to("anything")


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def cut(path: Path) -> None:
    change(path)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (replaced, "not a database"),
        (foreign, "something else"),
        (linked, "a link stands in the place of"),
        (linked_wal, "a link stands in the place of"),
        (folder, "a folder stands in the place of"),
        (cut, "damaged or cut off"),
        (lambda path: change(path, "PRAGMA user_version = 2"), "form 2"),
        (lambda path: change(path, "DROP TRIGGER entry_stays"), "triggers"),
        (
            lambda path: change(
                path, "DROP TRIGGER entry_stays", "CREATE TRIGGER entry_stays BEFORE DELETE ON blob BEGIN SELECT 1; END"
            ),
            "triggers",
        ),
        (
            lambda path: change(path, "UPDATE frontier SET size = 199"),
            "at entry 199: 200 entries are there, and the head was kept for 199",
        ),
        (lambda path: change(path, "DELETE FROM frontier"), "its head is gone"),
        (lambda path: change(path, "UPDATE frontier SET peaks = zeroblob(96)"), "its head was kept for others"),
    ],
    ids=[
        "text",
        "foreign",
        "link",
        "linked wal",
        "folder",
        "cut",
        "later form",
        "trigger dropped",
        "trigger idle",
        "frontier",
        "no frontier",
        "other frontier",
    ],
)
def test_what_is_not_a_whole_ledger_is_refused(path: Path, harm: Callable[[Path], None], said: str) -> None:
    harm(path)
    with pytest.raises(LedgerError, match=said) as caught:
        list(SqliteLedger(str(path)).read())
    assert (caught.value.place, bool(caught.value.remedy)) == (str(path), True)


@pytest.mark.parametrize("harm", [replaced, linked, folder], ids=["text", "link", "folder"])
def test_nothing_is_made_over_something_else(path: Path, harm: Callable[[Path], None]) -> None:
    harm(path)
    with pytest.raises(LedgerError):
        SqliteLedger(str(path)).create()


def test_a_changed_blob_is_found(path: Path) -> None:
    digest = sha256(b"blob " * 1000).hexdigest()
    change(path, "DROP TRIGGER blob_is_kept", "UPDATE blob SET data = x'789c030000000001'")
    change(
        path,
        "CREATE TRIGGER blob_is_kept BEFORE UPDATE ON blob BEGIN SELECT raise(ABORT, 'a blob is never changed'); END",
    )
    assert list(SqliteLedger(str(path)).whole_blobs([digest])) == [None]
    # It unpacks to something else than its size says, so that it is told as it stands there.
    assert SqliteLedger(str(path)).stored_blob(digest) == bytes.fromhex("789c030000000001")
    with pytest.raises(LedgerError, match="was changed"):
        SqliteLedger(str(path)).blob(digest)


def test_an_erased_blob_leaves_the_entries_whole(path: Path) -> None:
    digest = sha256(b"blob " * 1000).hexdigest()
    change(path, "DELETE FROM blob")
    SqliteLedger(str(path)).check_file()
    with pytest.raises(LedgerError, match="may have been erased"):
        SqliteLedger(str(path)).blob(digest)


def test_a_damaged_page_is_found(path: Path) -> None:
    change(path)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 64] = bytes(64)
    path.write_bytes(data)
    with pytest.raises(LedgerError):
        SqliteLedger(str(path)).check_file()


def test_an_empty_file_is_no_ledger_yet(tmp_path: Path) -> None:
    place = tmp_path / "ledger.sqlite"
    place.touch()
    ledger = SqliteLedger(str(place))
    assert not ledger.exists()
    ledger.create()
    assert ledger.exists()


def test_a_reader_never_writes(path: Path) -> None:
    reader = SqliteLedger(str(path), read_only=True)
    assert reader.head().size == 200
    with pytest.raises(InternalError):
        reader.append(reader.head(), events("x"), now=at(0), blobs={})
    with pytest.raises(InternalError):
        reader.create()


def test_a_held_ledger_is_waited_for_and_then_said(path: Path) -> None:
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    ledger = SqliteLedger(str(path), busy_timeout_s=0.05)
    with pytest.raises(LedgerError, match="another process holds"):
        ledger.append(ledger.head(), events("x"), now=at(0), blobs={})
    holder.close()
    ledger.append(ledger.head(), events("x"), now=at(0), blobs={})


FULL = """
import resource, signal, sys
from secgate.errors import LedgerError
from secgate.ledgers.sqlite import SqliteLedger
from tests.ledger_support import at, events
ledger = SqliteLedger(sys.argv[1])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))
try:
    ledger.append(ledger.head(), events(*("x" * 1000 for _ in range(500))), now=at(0), blobs={})
except LedgerError as error:
    print(error)
"""


def test_a_full_disk_is_said_and_nothing_is_half_there(path: Path) -> None:
    child = subprocess.run(
        [sys.executable, "-c", FULL, str(path)], cwd=ROOT, capture_output=True, check=True, text=True
    )
    assert "nothing of this run was recorded" in child.stdout
    assert len(list(SqliteLedger(str(path)).read())) == 200


UNPRIVILEGED = """
import os, sys
from secgate.errors import LedgerError
from secgate.ledgers.sqlite import SqliteLedger
from tests.ledger_support import at, events
os.setuid(65534)
ledger = SqliteLedger(sys.argv[1])
print(len(list(ledger.read())))
try:
    ledger.append(ledger.head(), events("x"), now=at(0), blobs={})
except LedgerError as error:
    print(error)
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_without_rights_it_is_read_but_not_written(path: Path) -> None:
    change(path)
    # pytest's own folders are closed to others.
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        copy = shutil.copy(path, folder)
        Path(copy).chmod(0o644)
        child = subprocess.run(
            [sys.executable, "-c", UNPRIVILEGED, copy], cwd=ROOT, capture_output=True, check=True, text=True
        )
    assert child.stdout.splitlines()[0] == "200"
    assert "may be read and written" in child.stdout


def test_a_place_that_takes_no_ledger_is_told_with_another(tmp_path: Path) -> None:
    (tmp_path / "full").write_text("a file where the folder would be")
    with pytest.raises(LedgerError, match="its folder cannot be made") as caught:
        SqliteLedger(str(tmp_path / "full" / "ledger.sqlite")).create()
    assert "SECGATE_LEDGER_PATH" in caught.value.remedy
    assert "backup" not in caught.value.remedy
