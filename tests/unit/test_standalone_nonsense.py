"""What an export's program says of nonsense: the first bad entry is named, no fault of the program's own is shown."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from secgate import resources
from secgate.custody.copies import write_export
from secgate.custody.survey import survey
from secgate.errors import LedgerError
from secgate.events import EVENTS, LedgerCreated, to_entry
from secgate.ledgers.sqlite import SqliteLedger
from secgate.merkle import Tree, leaf_hash, verified
from secgate.model import Trust
from tests.ledger_support import EPOCH_S, Story, at, finding, sqlite_at
from tests.runs.kept_ledger import rewrite_export


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> SqliteLedger:
    made = sqlite_at(tmp_path_factory.mktemp("ledger"))
    made.create()
    event = LedgerCreated(ledger_id="a" * 64, provisional=False, secgate_version="0")
    made.append(made.head(), [to_entry(event)], now=at(-1), blobs={})
    Story(made).run(finding("one"), at_s=0)
    return made


@pytest.fixture
def export(ledger: SqliteLedger, tmp_path: Path) -> Path:
    write_export(ledger, str(tmp_path / "out"), trust=Trust())
    return tmp_path / "out"


def run(export: Path, *words: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-I", str(export / "verify.py"), *words]
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)


def behind(ledger: SqliteLedger, kind: str, body: bytes, at_epoch_s: int = EPOCH_S) -> list[bytes]:
    """Give the ledger's rows and one more that follows on them, whatever its body."""
    rows = [entry.data for entry in ledger.read()]
    tree = Tree()
    for row in rows:
        tree.append(leaf_hash(row))
    form = b'{"at_epoch_s":%d,"body":%b,"previous_root":"%b","sequence":%d,"type":"%b","version":1}'
    return [*rows, form % (at_epoch_s, body, tree.root().hex().encode(), len(rows), kind.encode())]


MADE_UP = {
    "a list for a name": ("finding-closed", b'{"fingerprint":{"a":1},"repository":[],"line":1}'),
    "a list for a digest": ("run", b'{"document_digest":["x"],"run_id":"q"}'),
    "a run of nothing": ("run", b'{"a":1}'),
    "a size in letters": ("checkpoint", b'{"size":"x","root":1}'),
    "a size below nothing": ("checkpoint", b'{"size":-1,"root":"%s"}' % (b"a" * 64)),
    "a path for a digest": ("artefact-bound", b'{"statement_digest":"../../etc/passwd","run_id":"q"}'),
    "no statement": ("waiver-requested", b'{"a":1}'),
    "no JSON": ("waiver-requested", b'{"statement":"x","signature":"y"}'),
    "a list": ("waiver-requested", b'{"statement":"[]","signature":"y"}'),
    "nobody": ("waiver-approved", b'{"statement":"{}","signature":"y"}'),
    "nothing is bound": ("waiver-requested", b'{"statement":"{\\"requester\\":\\"p\\"}","signature":"y"}'),
    "half a character": ("waiver-requested", b'{"statement":"\\ud800","signature":"\\ud800"}'),
}


@pytest.mark.parametrize(("kind", "body"), MADE_UP.values(), ids=MADE_UP)
def test_an_entry_that_says_nonsense_is_named(ledger: SqliteLedger, export: Path, kind: str, body: bytes) -> None:
    rows = behind(ledger, kind, body)
    rewrite_export(export, rows)
    ended = run(export)
    assert (ended.returncode, ended.stderr) == (1, ""), ended
    assert f"first bad entry: {len(rows) - 1}\n" in ended.stdout


@pytest.mark.parametrize("kind", ["finding-closed", "run", "checkpoint", "waiver-requested"])
def test_secgate_names_it_too(ledger: SqliteLedger, kind: str) -> None:
    rows = behind(ledger, kind, b'{"a":1}')
    with pytest.raises(LedgerError, match=f"not verify at entry {len(rows) - 1}: as a `{kind}` event") as caught:
        survey(verified(Tree(), ((row, None) for row in rows)), place="here")
    assert caught.value.place == "here"


OTHER_FORMS = {
    "a version with a point": (b'"version":1}', b'"version":1.0}'),
    "a number with a point": (b'"sequence":', b'"sequence":0.0e1'),
    "a type in capitals": (b'"type":"made-up"', b'"type":"Made-Up"'),
    "a root in capitals": (b'"previous_root":"', b'"previous_root":"A'),
    "a key twice": (b'"version":1}', b'"version":1,"version":1}'),
    "white space": (b'"version":1}', b'"version":1 }'),
    "no JSON": (b'"body":{}', b'"body":{"a":}'),
    "no object": (b'"body":{}', b'"body":{},{}'),
    "not UTF-8": (b'"body":{}', b'"body":{"a":"\xff"}'),
    "a time that has no date": (b'"at_epoch_s":', b'"at_epoch_s":99999'),
}


@pytest.mark.parametrize(("old", "new"), OTHER_FORMS.values(), ids=OTHER_FORMS)
def test_another_form_than_that_of_entries_is_named_by_both(
    ledger: SqliteLedger, export: Path, old: bytes, new: bytes
) -> None:
    rows = behind(ledger, "made-up", b"{}")
    rows[-1] = rows[-1].replace(old, new)
    with pytest.raises(LedgerError, match=f"not verify at entry {len(rows) - 1}: "):
        survey(verified(Tree(), ((row, None) for row in rows)), place="here")
    rewrite_export(export, rows)
    ended = run(export)
    assert (ended.returncode, f"first bad entry: {len(rows) - 1}\n" in ended.stdout) == (1, True), ended


@pytest.mark.parametrize(("kind", "version"), [("run", 2), ("obligation", 9), ("made-up", 1)])
def test_an_entry_of_a_kind_that_is_not_known_is_told_of_by_both(
    ledger: SqliteLedger, export: Path, kind: str, version: int
) -> None:
    """No fault, since newer ones write it; but nobody is to think that it was counted."""
    rows = behind(ledger, kind, b"{}")
    rows[-1] = rows[-1].replace(b'"version":1}', b'"version":%d}' % version)
    seen = survey(verified(Tree(), ((row, None) for row in rows)), place="here")
    assert seen.unknown == (len(rows) - 1,)
    rewrite_export(export, rows)
    ended = run(export)
    told = f"unknown      1 of another type or version, from entry {len(rows) - 1} on: in no figure\n"
    assert (ended.returncode, ended.stderr, told in ended.stdout) == (0, "", True), ended


def test_the_program_of_an_export_knows_every_type_that_secgate_writes() -> None:
    known = runpy.run_path(str(resources.data_dir("reports") / "export" / "verify.py"))["KNOWN"]
    assert {(kind, 1) for kind in known} == set(EVENTS)


def test_a_time_that_has_no_date_is_no_time_of_an_entry(ledger: SqliteLedger) -> None:
    rows = behind(ledger, "made-up", b"{}", at_epoch_s=10**17)
    with pytest.raises(LedgerError, match=f"at entry {len(rows) - 1}: the bytes are not those of an entry"):
        survey(verified(Tree(), ((row, None) for row in rows)), place="here")


def test_what_an_entry_says_is_nothing_that_a_terminal_obeys(ledger: SqliteLedger, export: Path) -> None:
    body = b'{"run_id":"q","repository":"r","commit":"c","tree":"t","outcome":"\\u001b[2J\\ud800"}'
    rewrite_export(export, behind(ledger, "run", body))
    ended = run(export)
    assert (ended.returncode, "\x1b" in ended.stdout, "?[2J?" in ended.stdout) == (0, False, True)


@pytest.mark.parametrize("option", ["--checkpoint", "--signers", "--earlier", "--terms", "--proof", "--authorities"])
def test_a_file_that_is_not_there_or_none_is_said(export: Path, tmp_path: Path, option: str) -> None:
    ended = run(export, option, str(tmp_path / "nothing"))
    assert (ended.returncode, "Traceback" in ended.stderr) == (2, False), ended
    deep = tmp_path / "deep"
    deep.write_text("[" * 100_000)
    ended = run(export, option, str(deep))
    wanted = 2 if option == "--earlier" else 0 if option in ("--signers", "--authorities") else 1
    assert (ended.returncode, "Traceback" in ended.stderr) == (wanted, False), ended


@pytest.mark.parametrize("words", [("--from", "2026-05-01", "--to", "2026-01-01"), ("--to", "never")])
def test_no_time_is_a_wrong_call(export: Path, words: tuple[str, ...]) -> None:
    assert run(export, *words).returncode == 2


def test_the_time_that_duties_are_judged_at_is_the_entries_own(export: Path, tmp_path: Path) -> None:
    """Else whoever holds the export could have it that nothing was due yet."""
    told = []
    for last in (EPOCH_S, 0, 10**30):
        manifest = json.loads((export / "manifest.json").read_bytes())
        (export / "manifest.json").write_text(json.dumps({**manifest, "last_epoch_s": last}))
        assert run(export, "--json", str(tmp_path / "told.json")).returncode == 0
        told.append(json.loads((tmp_path / "told.json").read_bytes())["to_epoch_s"])
    assert told == [EPOCH_S + 1] * 3


@pytest.mark.parametrize("name", ["blobs/ab/pipe", "checkpoints/given-1.json", "terms.json", "entries/000001.jsonl"])
def test_what_never_ends_is_not_waited_for(export: Path, name: str) -> None:
    (export / name).parent.mkdir(parents=True, exist_ok=True)
    (export / name).unlink(missing_ok=True)
    os.mkfifo(export / name)
    ended = run(export)
    assert (ended.returncode, "is no file" in ended.stdout) == (1, True), ended


def test_an_export_without_its_last_entry_names_it(ledger: SqliteLedger, export: Path) -> None:
    rows = [entry.data for entry in ledger.read()]
    file = export / "entries" / "000000.jsonl"
    file.write_bytes(b"".join(row + b"\n" for row in rows[:-1]))
    assert f"first bad entry: {len(rows) - 1}\n" in run(export).stdout
    file.write_bytes(b"")
    assert "first bad entry: 0\n" in run(export).stdout
    changed = rows[-1].replace(b'"version":1}', b'"version":2}')
    file.write_bytes(b"".join(row + b"\n" for row in (*rows[:-1], changed)))
    assert f"first bad entry: {len(rows) - 1}\n" in run(export).stdout
