"""What every ledger promises. A third party's ledger joins by one line in `KINDS`."""

from __future__ import annotations

import os
import random
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from secgate.errors import HeadMovedError, InternalError, LedgerError
from secgate.merkle import EMPTY_HEAD, decode_entry
from secgate.model import Entry, Head
from secgate.ports import Ledger
from tests.ledger_support import EPOCH_S, GIT, KINDS, Place, at, events, git


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest) -> Place:
    kind: str = request.param
    if kind == "git" and not GIT:
        pytest.skip("git is not installed")
    return KINDS[kind]


@pytest.fixture
def ledger(place: Place, tmp_path: Path) -> Ledger:
    made = place(tmp_path)
    made.create()
    return made


def add(ledger: Ledger, *names: str, second: int = 0) -> Head:
    return ledger.append(ledger.head(), events(*names), now=at(second), blobs={})


def bodies(ledger: Ledger, start: int = 0) -> list[str]:
    return [bytes(decode_entry(entry.data).body).decode()[9:-2] for entry in ledger.read(start)]


# ------------------------------------------------------------------------------- there or not


def test_it_is_there_once_it_was_made(place: Place, tmp_path: Path) -> None:
    ledger = place(tmp_path)
    assert not ledger.exists()
    ledger.create()
    assert ledger.exists()
    assert (ledger.head(), list(ledger.read())) == (EMPTY_HEAD, [])


def test_it_is_made_only_once(ledger: Ledger, place: Place, tmp_path: Path) -> None:
    for other in (ledger, place(tmp_path, "b")):
        with pytest.raises(LedgerError, match="there is a ledger already"):
            other.create()


@pytest.mark.parametrize(
    "use",
    [
        lambda it: it.head(),
        lambda it: list(it.read()),
        lambda it: it.append(EMPTY_HEAD, events("x"), now=at(0), blobs={}),
        lambda it: it.check_writable(),
    ],
)
def test_an_absent_one_is_an_error(place: Place, tmp_path: Path, use: Callable[[Ledger], object]) -> None:
    with pytest.raises(LedgerError):
        use(place(tmp_path))


# ------------------------------------------------------------------------------- append and read


def test_what_was_appended_is_read_again(ledger: Ledger) -> None:
    first = add(ledger, "one", "two")
    second = add(ledger, "three", second=5)
    assert bodies(ledger) == ["one", "two", "three"]
    assert bodies(ledger, 1) == ["two", "three"]
    assert (ledger.head(), second.size, first.size) == (second, 3, 2)
    assert [entry.sequence for entry in ledger.read()] == [0, 1, 2]
    assert next(iter(ledger.read(2))).previous_root == first.root


def test_the_same_events_give_the_same_head(place: Place, tmp_path: Path) -> None:
    heads = []
    for name in ("x", "y"):
        ledger = place(tmp_path / name)
        ledger.create()
        add(ledger, "one")
        heads.append(add(ledger, "two", "three", second=9))
    assert heads[0] == heads[1]


def test_both_kinds_hold_the_same_bytes(tmp_path: Path) -> None:
    held = []
    for kind in KINDS.values():
        ledger = kind(tmp_path)
        ledger.create()
        add(ledger, "one", "two")
        held.append([entry.data for entry in ledger.read()])
    assert held[0] == held[1]


def test_many_entries_fill_segments(ledger: Ledger) -> None:
    add(ledger, *(str(number) for number in range(999)))
    add(ledger, "999", "1000")
    add(ledger, *(str(number) for number in range(1001, 2105)))
    assert bodies(ledger) == [str(number) for number in range(2105)]
    assert bodies(ledger, 1999) == [str(number) for number in range(1999, 2105)]


def test_asked_whether_it_can_be_written_it_stays_as_it_is(ledger: Ledger, place: Place, tmp_path: Path) -> None:
    before = add(ledger, "one")
    ledger.check_writable()
    assert (ledger.head(), bodies(ledger)) == (before, ["one"])
    add(place(tmp_path, "b"), "two")
    ledger.check_writable()
    assert bodies(ledger) == ["one", "two"], "another machine may have been first"


def test_an_old_head_is_refused_and_nothing_is_kept(ledger: Ledger) -> None:
    old = ledger.head()
    add(ledger, "one")
    with pytest.raises(HeadMovedError):
        ledger.append(old, events("two"), now=at(0), blobs={sha256(b"b").hexdigest(): b"b"})
    assert bodies(ledger) == ["one"]
    with pytest.raises(LedgerError):
        ledger.blob(sha256(b"b").hexdigest())


def test_another_machine_sees_it_and_refuses_an_old_head(ledger: Ledger, place: Place, tmp_path: Path) -> None:
    other = place(tmp_path, "b")
    old = other.head()
    add(ledger, "one")
    with pytest.raises(HeadMovedError):
        other.append(old, events("two"), now=at(0), blobs={})
    add(other, "two")
    assert bodies(ledger) == ["one", "two"]


def test_a_bad_event_leaves_nothing_behind(ledger: Ledger) -> None:
    bad = [*events("one"), Entry(type="made-up", version=1, body=b"[]")]
    with pytest.raises(LedgerError):
        ledger.append(ledger.head(), bad, now=at(0), blobs={})
    assert ledger.head() == EMPTY_HEAD
    add(ledger, "two")
    assert bodies(ledger) == ["two"]


def test_an_unknown_type_and_version_are_kept(ledger: Ledger) -> None:
    unknown = Entry(type="of-the-future", version=7, body=b'{"kept":[1.50,"\xc3\xa4"]}')
    ledger.append(ledger.head(), [unknown], now=at(0), blobs={})
    (entry,) = ledger.read()
    assert (entry.type, entry.version) == ("of-the-future", 7)
    assert unknown.body in entry.data


def test_time_does_not_go_back(ledger: Ledger) -> None:
    add(ledger, "one", second=100)
    add(ledger, "two", second=40)
    assert [decode_entry(entry.data).at_epoch_s for entry in ledger.read()] == [EPOCH_S + 100, EPOCH_S + 100]


def test_a_time_without_zone_is_a_fault_of_ours(ledger: Ledger) -> None:
    with pytest.raises(InternalError):
        ledger.append(ledger.head(), events("one"), now=at(0).replace(tzinfo=None), blobs={})


# ------------------------------------------------------------------------------- blobs


@pytest.mark.parametrize("data", [b"", b"\n", b"short", bytes(range(256)) * 8, b"a" * 100_000], ids=len)
def test_blobs_come_back_as_they_were(ledger: Ledger, data: bytes) -> None:
    digest = sha256(data).hexdigest()
    for name in ("one", "two"):
        ledger.append(ledger.head(), events(name), now=at(0), blobs={digest: data})
    assert ledger.blob(digest) == ledger.stored_blob(digest) == data


def test_a_blob_under_a_wrong_digest_is_refused(ledger: Ledger) -> None:
    with pytest.raises(InternalError, match="not its own"):
        ledger.append(ledger.head(), events("one"), now=at(0), blobs={"0" * 64: b"x"})
    assert ledger.head() == EMPTY_HEAD


def test_a_missing_blob_is_an_error(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="not in the ledger"):
        ledger.blob("0" * 64)
    assert ledger.stored_blob("0" * 64) is None


def test_many_blobs_are_read_in_one_go(ledger: Ledger) -> None:
    given = {sha256(data).hexdigest(): data for data in (b"%d" % number * 300 for number in range(200))}
    ledger.append(ledger.head(), events("one"), now=at(0), blobs=given)
    wanted = [*sorted(given), "0" * 64, *sorted(given)[:1]]
    assert list(ledger.whole_blobs(iter(wanted))) == [given.get(digest) for digest in wanted]
    assert list(ledger.whole_blobs([])) == []


def test_blobs_are_listed_by_digest(ledger: Ledger) -> None:
    given = {sha256(data).hexdigest(): data for data in (b"one", b"two" * 1000)}
    ledger.append(ledger.head(), events("one"), now=at(0), blobs=given)
    assert list(ledger.blobs()) == sorted(given)


# ------------------------------------------------------------------------------- made from another one


def filled(ledger: Ledger) -> dict[str, bytes]:
    """Give the blobs of a ledger that was given some entries and blobs."""
    given = {sha256(data).hexdigest(): data for data in (b"one", b"two" * 1000)}
    add(ledger, *(str(number) for number in range(1003)))
    ledger.append(ledger.head(), events("with blobs"), now=at(9), blobs=given)
    return given


def test_it_is_filled_with_exactly_the_bytes_of_another(ledger: Ledger, place: Place, tmp_path: Path) -> None:
    blobs = filled(ledger)
    other = place(tmp_path / "other")
    head = other.fill((entry.data for entry in ledger.read()), iter(blobs.items()))
    assert head == other.head() == ledger.head()
    assert [entry.data for entry in other.read()] == [entry.data for entry in ledger.read()]
    assert {digest: other.blob(digest) for digest in other.blobs()} == blobs
    add(other, "goes on")


def test_it_is_filled_only_where_none_is(ledger: Ledger) -> None:
    add(ledger, "one")
    with pytest.raises(LedgerError, match="there is a ledger already"):
        ledger.fill([], [])
    assert bodies(ledger) == ["one"]


@pytest.mark.parametrize("spoil", [lambda rows: rows[1:], lambda rows: [rows[0], rows[0]], lambda rows: [b"{}", *rows]])
def test_what_does_not_verify_fills_nothing(
    ledger: Ledger, place: Place, tmp_path: Path, spoil: Callable[[list[bytes]], list[bytes]]
) -> None:
    add(ledger, "one", "two", "three")
    other = place(tmp_path / "other")
    with pytest.raises(LedgerError, match="does not verify at entry"):
        other.fill(spoil([entry.data for entry in ledger.read()]), [])
    assert not other.exists()


def test_a_wrong_blob_fills_nothing(place: Place, tmp_path: Path) -> None:
    with pytest.raises(InternalError, match="not its own"):
        place(tmp_path).fill([], [("0" * 64, b"x")])
    assert not place(tmp_path).exists()


def test_a_backup_is_restored_whole(ledger: Ledger, place: Place, tmp_path: Path) -> None:
    blobs = filled(ledger)
    saved = str(tmp_path / "saved")
    head = ledger.backup(saved)
    add(ledger, "later")
    other = place(tmp_path / "other")
    assert other.restore(saved) == head == other.head()
    assert [entry.data for entry in other.read()] == [entry.data for entry in ledger.read()][: head.size]
    assert {digest: other.blob(digest) for digest in other.blobs()} == blobs
    add(other, "goes on")


def test_a_backup_is_written_over_nothing(ledger: Ledger, tmp_path: Path) -> None:
    (tmp_path / "saved").write_bytes(b"an older backup")
    with pytest.raises(LedgerError, match="there is something already"):
        ledger.backup(str(tmp_path / "saved"))
    assert (tmp_path / "saved").read_bytes() == b"an older backup"


@pytest.mark.parametrize("parent", ["nowhere", "file"])
def test_a_backup_that_cannot_be_written_blames_its_own_place(ledger: Ledger, tmp_path: Path, parent: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    saved = str(tmp_path / parent / "saved")
    with pytest.raises(LedgerError) as caught:
        ledger.backup(saved)
    assert (caught.value.place, caught.value.what[:24]) == (saved, "it cannot be written: No")


def test_a_disk_that_is_full_is_the_backups(ledger: Ledger, tmp_path: Path) -> None:
    """What a limit on a file's size does to a writer is what a full disk does."""
    filled(ledger)
    add(ledger, random.Random(7).randbytes(200_000).hex())  # noqa: S311 - not a secret
    (tmp_path / "out").mkdir()
    saved = str(tmp_path / "out" / "saved")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(LedgerError, match="it cannot be written: ") as caught:
            ledger.backup(saved)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (caught.value.place, list((tmp_path / "out").iterdir())) == (saved, [])


def test_a_backup_is_restored_over_nothing(ledger: Ledger, tmp_path: Path) -> None:
    ledger.backup(str(tmp_path / "saved"))
    add(ledger, "later")
    with pytest.raises(LedgerError, match="there is a ledger already"):
        ledger.restore(str(tmp_path / "saved"))
    assert bodies(ledger) == ["later"]


@pytest.mark.parametrize("spoil", [lambda data: data[:-700], lambda _: b"", lambda _: b"# v2 git bundle\n"])
def test_a_spoilt_backup_restores_nothing(
    ledger: Ledger, place: Place, tmp_path: Path, spoil: Callable[[bytes], bytes]
) -> None:
    filled(ledger)
    saved = tmp_path / "saved"
    ledger.backup(str(saved))
    saved.write_bytes(spoil(saved.read_bytes()))
    other = place(tmp_path / "other")
    with pytest.raises(LedgerError):
        other.restore(str(saved))
    assert not other.exists()


def test_of_an_absent_ledger_no_backup_is_left(place: Place, tmp_path: Path) -> None:
    tmp_path.joinpath("out").mkdir()
    with pytest.raises(LedgerError):
        place(tmp_path / "none").backup(str(tmp_path / "out" / "saved"))
    assert list((tmp_path / "out").iterdir()) == []


# ------------------------------------------------------------------------------- at once


def write_many(ledger: Ledger, writer: str, count: int) -> None:
    for number in range(count):
        for _ in range(1000):
            try:
                add(ledger, f"{writer}-{number}")
                break
            except HeadMovedError:
                time.sleep(random.uniform(0, 0.02))  # noqa: S311 - not a secret
        else:
            raise AssertionError("never got through")


def test_writers_at_once_lose_and_double_nothing(ledger: Ledger, place: Place, tmp_path: Path) -> None:
    writers = [
        threading.Thread(target=write_many, args=(place(tmp_path, f"w{number}"), str(number), 10))
        for number in range(4)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    written = bodies(ledger)
    assert sorted(written) == sorted(f"{writer}-{number}" for writer in range(4) for number in range(10))
    assert [name for name in written if name.startswith("0-")] == [f"0-{number}" for number in range(10)]


def test_eight_writers_on_one_bare_repository_lose_and_double_nothing(tmp_path: Path) -> None:
    if not GIT:
        pytest.skip("git is not installed")
    KINDS["git"](tmp_path).create()
    writers = [
        threading.Thread(target=write_many, args=(KINDS["git"](tmp_path, f"w{number}"), str(number), 25))
        for number in range(8)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    written = bodies(KINDS["git"](tmp_path, "auditor"))
    assert len(written) == 200
    for which in range(8):
        mine = [name for name in written if name.startswith(f"{which}-")]
        assert mine == [f"{which}-{number}" for number in range(25)]


CHILD = """
import sys
from pathlib import Path
from tests.ledger_support import KINDS, at, events
from hashlib import sha256
ledger = KINDS[sys.argv[1]](Path(sys.argv[2]), sys.argv[3])
number = 0
while True:
    data = b"x" * 5000 + b"%d" % number
    names = [f"{number}/{part}" for part in range(3)]
    ledger.append(ledger.head(), events(*names), now=at(0), blobs={sha256(data).hexdigest(): data})
    number += 1
    print("appended", flush=True)
"""


@pytest.mark.parametrize("kind", KINDS)
def test_killed_at_any_moment_it_is_whole(kind: str, tmp_path: Path) -> None:
    ledger = KINDS[kind](tmp_path)
    ledger.create()
    kills = 5
    for kill in range(kills):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, kind, str(tmp_path), "killed"],
            cwd=Path(__file__).parents[2],
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        with child:
            assert child.stdout is not None
            assert child.stdout.readline() == b"appended\n"
            time.sleep(random.Random(kill).uniform(0, 0.15))  # noqa: S311 - not a secret
            os.killpg(child.pid, signal.SIGKILL)
        # git's own server was killed too, at any moment: its owner clears its lock, as git says to.
        (tmp_path / "remote.git" / "refs" / "heads" / "ledger.lock").unlink(missing_ok=True)
        names = bodies(ledger)
        assert len(names) == ledger.head().size
        assert len(names) % 3 == 0, "an append is there whole or not at all"
        assert [name.split("/")[1] for name in names] == ["0", "1", "2"] * (len(names) // 3)
    assert names
    # The killed writer's own machine goes on as well.
    add(KINDS[kind](tmp_path, "killed"), "after", "the", "kill")
    assert bodies(ledger)[-3:] == ["after", "the", "kill"]


WHOLE = """
import sys
from pathlib import Path
from tests.ledger_support import KINDS
kind, how, source, target, saved = sys.argv[1:]
ledger = KINDS[kind](Path(source), "killed")
print("begins", flush=True)
match how:
    case "fill":
        KINDS[kind](Path(target), "killed").fill((entry.data for entry in ledger.read()), [])
    case "restore":
        KINDS[kind](Path(target), "killed").restore(saved)
    case _:
        ledger.backup(saved)
print("done", flush=True)
"""


@pytest.mark.parametrize("how", ["fill", "backup", "restore"])
@pytest.mark.parametrize("kind", KINDS)
def test_killed_at_any_moment_a_copy_is_whole_or_not_there(kind: str, how: str, tmp_path: Path) -> None:
    ledger = KINDS[kind](tmp_path / "source")
    ledger.create()
    add(ledger, *(str(number) for number in range(3000)))
    ready = tmp_path / "ready"
    ledger.backup(str(ready))
    for kill in range(6):
        target, saved = tmp_path / f"target-{kill}", tmp_path / f"saved-{kill}" if how == "backup" else ready
        KINDS[kind](target)
        argv = [sys.executable, "-c", WHOLE, kind, how, str(tmp_path / "source"), str(target), str(saved)]
        with subprocess.Popen(
            argv, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, start_new_session=True
        ) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == b"begins\n"
            time.sleep(random.Random(kill).uniform(0, 0.4))  # noqa: S311 - not a secret
            os.killpg(child.pid, signal.SIGKILL)
        if how == "backup":
            made = KINDS[kind](target)
            if saved.exists():
                assert made.restore(str(saved)) == ledger.head()
            continue
        (target / "remote.git" / "refs" / "heads" / "ledger.lock").unlink(missing_ok=True)
        made = KINDS[kind](target, "later")
        if made.exists():
            assert [entry.data for entry in made.read()] == [entry.data for entry in ledger.read()]
        else:
            made.create()


# ------------------------------------------------------------------------------- tampering

Tamper = Callable[[list[bytes]], list[bytes]]


def flip(lines: list[bytes]) -> list[bytes]:
    lines[3] = lines[3].replace(b'"name":"3"', b'"name":"4"')
    return lines


TAMPERINGS: dict[str, Tamper] = {
    "edit": flip,
    "edit the last": lambda lines: [*lines[:-1], lines[-1].replace(b'"name":"5"', b'"name":"6"')],
    "delete": lambda lines: lines[:2] + lines[3:],
    "swap": lambda lines: [*lines[:2], lines[3], lines[2], *lines[4:]],
    "double": lambda lines: [*lines, lines[-1]],
    "cut": lambda lines: lines[:-1],
    "nothing left": lambda _: [],
}


def tamper_sqlite(folder: Path, tamper: Tamper) -> None:
    """Change the stored bytes as somebody with the file in hand can, leaving the triggers as they were."""
    with sqlite3.connect(folder / "ledger.sqlite") as database:
        triggers = [row[0] for row in database.execute("SELECT sql FROM sqlite_schema WHERE type = 'trigger'")]
        names = [row[0] for row in database.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'")]
        for name in names:
            database.execute(f"DROP TRIGGER {name}")
        lines = [row[0] for row in database.execute("SELECT data FROM entry ORDER BY sequence")]
        database.execute("DELETE FROM entry")
        for number, line in enumerate(tamper(lines)):
            leaf = sha256(b"\x00" + line).digest()
            database.execute("INSERT INTO entry VALUES (?, ?, ?)", (number, line, leaf))
        for trigger in triggers:
            database.execute(trigger)
    database.close()


def tamper_git(folder: Path, tamper: Tamper) -> None:
    """Push a commit that holds other entries on top of the right one."""
    tree = folder / "tree"
    git("clone", "-q", "-b", "ledger", str(folder / "remote.git"), str(tree), cwd=folder)
    segment = tree / "entries" / "000000.jsonl"
    segment.write_bytes(b"".join(line + b"\n" for line in tamper(segment.read_bytes().splitlines())))
    git("commit", "-qam", "tampered", cwd=tree)
    git("push", "-q", "origin", "ledger", cwd=tree)


TAMPER = {"sqlite": tamper_sqlite, "git": tamper_git}


@pytest.mark.parametrize("tamper", TAMPERINGS.values(), ids=TAMPERINGS)
@pytest.mark.parametrize("kind", KINDS)
def test_tampering_is_found(kind: str, tamper: Tamper, tmp_path: Path) -> None:
    ledger = KINDS[kind](tmp_path)
    ledger.create()
    add(ledger, *(str(number) for number in range(6)))
    TAMPER[kind](tmp_path, tamper)
    with pytest.raises(LedgerError):
        list(KINDS[kind](tmp_path, "auditor").read())


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_appended_behind_a_cut_tail(kind: str, tmp_path: Path) -> None:
    ledger = KINDS[kind](tmp_path)
    ledger.create()
    head = add(ledger, "0", "1", "2")
    TAMPER[kind](tmp_path, TAMPERINGS["cut"])
    with pytest.raises(LedgerError):
        KINDS[kind](tmp_path, "b").append(head, events("3"), now=at(0), blobs={})
