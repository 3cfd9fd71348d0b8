"""What is done with a ledger as a whole, by the command line: told, proved, copied, brought back."""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import signal
import tarfile
import threading
import time
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from secgate.ledgers.sqlite import SqliteLedger
from secgate.model import Entry
from tests.contracts.test_keepers import Store
from tests.product import Ended, Product
from tests.runs.kept_ledger import DAY_S, EPOCH_S, Kept, standalone
from tests.signing_support import ADA, EVE, KEYGEN
from tests.unit.conftest import Git


@pytest.fixture
def kept(product: Product, git: Git, tmp_path: Path) -> Kept:
    if not KEYGEN:
        pytest.skip("no ssh-keygen")
    made = Kept(product, git, tmp_path)
    made.fill()
    return made


def elsewhere(kept: Kept, *words: str) -> Ended:
    """Run a ledger command on a folder that has no ledger yet."""
    folder = kept.home / "elsewhere"
    folder.mkdir(exist_ok=True)
    return kept.product.cli("ledger", *words, "--path", str(folder), "--enforced", str(kept.layer))


def head(ended: Ended) -> str:
    assert ended.code == 0, ended
    return ended.out.partition("root ")[2][:64]


# ------------------------------------------------------------------------------------------------------------ log


def test_the_log_is_read_at_80_columns(kept: Kept) -> None:
    ended = kept.cli("log")
    lines = ended.out.splitlines()
    assert len(lines) == len(kept.entries())
    assert max(map(len, lines)) <= 80
    assert lines[1].split()[3:6] == ["run", "pass", "protected"]


def test_the_log_tells_the_newest_and_says_what_it_leaves_out(kept: Kept) -> None:
    ended = kept.cli("log", "--last", "2", "--type", "run")
    assert [line.split()[3] for line in ended.out.splitlines()] == ["run", "run"]
    assert "1 earlier entry left out" in ended.err


def test_the_log_as_json_holds_the_entries(kept: Kept) -> None:
    told = json.loads(kept.cli("log", "--last", "0", "--format", "json").data)
    assert [one["entry"] for one in told["entries"]] == [json.loads(row) for row in kept.entries()]


def test_an_unreadable_page_is_never_made_of_what_an_entry_says(kept: Kept) -> None:
    kept.append([Entry(type="made-up", version=1, body=b'{"text":"\\u001b[2J\\u202e::error::"}')], at_s=9 * DAY_S)
    ended = kept.cli("log")
    assert "\x1b" not in ended.out
    assert "\u202e" not in ended.out


def test_an_entry_that_is_no_text_is_named_and_not_told(kept: Kept) -> None:
    kept.append([Entry(type="made-up", version=1, body=b'{"text":"!!"}')], at_s=9 * DAY_S)
    rows = kept.entries()
    kept.rewrite([*rows[:-1], rows[-1].replace(b"!!", b"\xff\xff")])
    for words in (("log",), ("log", "--format", "json"), ("verify",)):
        ended = kept.cli(*words)
        assert (ended.code, f"verify at entry {len(rows) - 1}: " in ended.err) == (5, True), ended


@pytest.mark.parametrize("days", ["nan", "inf", "1e300", "0", "-1", "never"])
def test_what_is_no_length_of_time_is_a_wrong_call(kept: Kept, days: str) -> None:
    ended = kept.cli("verify", "--checkpoint", str(kept.place), "--max-age-days", days)
    assert (ended.code, "--max-age-days" in ended.err) == (2, True), ended


# ---------------------------------------------------------------------------------------------------------- proofs


def test_an_entry_is_proved_of_a_checkpoint_and_checked_offline(kept: Kept) -> None:
    proof = kept.home / "proof.json"
    assert kept.cli("prove", "3", "--checkpoint", str(kept.place), "-o", str(proof)).code == 0
    kept.file.unlink()
    checked = kept.cli("prove", "--check", str(proof), "--checkpoint", str(kept.place))
    assert (checked.code, "entry 3 is one of" in checked.out) == (0, True), checked


def test_a_proof_of_another_head_does_not_pass_for_one_of_the_checkpoint(kept: Kept) -> None:
    proof = kept.home / "proof.json"
    assert kept.cli("prove", "3", "-o", str(proof)).code == 0
    assert kept.cli("prove", "--check", str(proof)).code == 0
    assert kept.cli("prove", "--check", str(proof), "--checkpoint", str(kept.place)).code == 5


def test_growth_is_proved(kept: Kept) -> None:
    proof = kept.home / "growth.json"
    size = kept.number("checkpoint")
    assert kept.cli("prove", "--since", str(size), "-o", str(proof)).code == 0
    checked = kept.cli("prove", "--check", str(proof), "--checkpoint", str(kept.place))
    assert (checked.code, f"have grown from {size}" in checked.out) == (0, True), checked


@pytest.mark.parametrize("words", [(), ("3", "--since", "2"), ("999",), ("--since", "999"), ("--check", "nothing")])
def test_what_cannot_be_proved_is_a_usage_error(kept: Kept, words: tuple[str, ...]) -> None:
    assert kept.cli("prove", *words).code == 2


# ----------------------------------------------------------------------------------------------------- checkpoints


@pytest.mark.parametrize("key", ["nothing", "kept.json", "/dev/zero"])
def test_without_a_key_no_checkpoint_is_taken(kept: Kept, key: str) -> None:
    size = len(kept.entries())
    ended = kept.cli("checkpoint", "--to", str(kept.home / "new.json"), "--key", str(kept.home / key))
    assert (ended.code, (kept.home / "new.json").exists(), len(kept.entries())) == (2, False, size)


def test_an_address_of_another_kind_is_not_taken_for_a_file(kept: Kept) -> None:
    ended = kept.cli("checkpoint", "--to", "ftp://example.com/kept.json", "--key", str(kept.machine.path))
    assert (ended.code, "https alone" in ended.err) == (2, True), ended


def test_a_checkpoint_of_another_ledger_is_not_written_over(kept: Kept) -> None:
    (kept.home / "elsewhere").mkdir()
    assert elsewhere(kept, "init").code == 0
    before = kept.place.read_bytes()
    ended = elsewhere(kept, "checkpoint", "--to", str(kept.place), "--key", str(kept.machine.path))
    assert (ended.code, kept.place.read_bytes()) == (5, before)
    assert "of another ledger" in ended.err


def test_something_else_is_not_written_over(kept: Kept) -> None:
    (kept.home / "notes").write_text("mine")
    ended = kept.cli("checkpoint", "--to", str(kept.home / "notes"), "--key", str(kept.machine.path))
    assert (ended.code, (kept.home / "notes").read_text()) == (5, "mine")


def test_a_ledger_that_takes_nothing_more_is_found_out_before(kept: Kept) -> None:
    """No file may grow beyond 2,000 bytes: room for a checkpoint, and for nothing that a ledger writes."""
    before, size = kept.place.read_bytes(), len(kept.entries())
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, limits[1]))
    try:
        ended = kept.cli("checkpoint", "--to", str(kept.place), "--key", str(kept.machine.path))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert ended.code == 5, ended
    assert (kept.place.read_bytes(), len(kept.entries())) == (before, size)


def test_a_checkpoint_that_could_not_be_noted_is_said_to_be_there(kept: Kept) -> None:
    """The ledger goes away while the checkpoint is put."""

    class Taking(Store):
        def do_PUT(self) -> None:  # noqa: N802 - the server calls it so
            kept.file.rename(kept.home / "elsewhere.sqlite")
            super().do_PUT()

    with ThreadingHTTPServer(("127.0.0.1", 0), Taking) as server:
        server.held, server.asked, server.refuse = None, [], False  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        place = f"http://127.0.0.1:{server.server_address[1]}/shop.json"
        ended = kept.cli("checkpoint", "--to", place, "--key", str(kept.machine.path))
        server.shutdown()
        thread.join()
        held: bytes | None = server.held  # type: ignore[attr-defined]
    assert (ended.code, f"the checkpoint is at {place} and is good, but no entry" in ended.err) == (5, True), ended
    assert held is not None
    assert "payload" in json.loads(held)


def test_a_checkpoint_is_kept_in_a_ref(kept: Kept) -> None:
    kept.git("init", "--quiet", "--bare", str(kept.home / "heads.git"))
    place = f"{kept.home / 'heads.git'}#refs/checkpoints/shop"
    for _ in range(2):
        assert kept.cli("checkpoint", "--to", place, "--key", str(kept.machine.path)).code == 0
    ended = kept.cli("verify", "--checkpoint", place, "--checkpoint", str(kept.place))
    assert (ended.code, ended.out.count("signed by machine:ci")) == (0, 2), ended


# ----------------------------------------------------------------------------------------------------------- copies


def test_an_export_says_what_happened(kept: Kept) -> None:
    folder = kept.export()
    out = kept.home / "figures.json"
    end = "--to", "2023-12-31"
    assert standalone(folder, "--json", str(out), *end).code == 0
    told = json.loads(out.read_text())
    assert told["runs"] == {"pass": 3}
    assert told["entries"]["waiver-approved"] == 2


def test_an_export_holds_nobodys_name(kept: Kept) -> None:
    signers = kept.layer / "allowed_signers"
    signers.write_text("".join(f"{line} ada@example.org\n" for line in signers.read_text().splitlines()))
    folder = kept.export()
    held = b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())
    assert (ADA.encode() in held, b"Ada" in held, b"example.org" in held) == (True, False, False)


def test_the_same_ledger_gives_the_same_export(kept: Kept) -> None:
    files = [kept.home / name for name in ("a.tar.gz", "b.tgz")]
    for file in files:
        assert kept.cli("export", "-o", str(file)).code == 0
    assert files[0].read_bytes() == files[1].read_bytes()
    with tarfile.open(files[0]) as archive:
        archive.extractall(kept.home / "unpacked", filter="data")
    assert standalone(kept.home / "unpacked").code == 0


@pytest.mark.parametrize("name", ["out", "out.tar", "out.tar.gz"])
def test_an_export_is_imported_byte_for_byte(kept: Kept, name: str) -> None:
    assert kept.cli("export", "-o", str(kept.home / name)).code == 0
    ended = elsewhere(kept, "import", str(kept.home / name))
    assert head(ended) == kept.ledger.head().root
    (made,) = (kept.product.state / "ledgers").glob("*.sqlite")
    other = SqliteLedger(str(made))
    assert [entry.data for entry in other.read()] == kept.entries()
    assert list(other.blobs()) == list(kept.ledger.blobs())
    assert elsewhere(kept, "import", str(kept.home / name)).code == 5


@pytest.mark.parametrize("spoil", ["cut", "no tar", "link", "nothing"])
def test_a_spoilt_export_makes_no_ledger(kept: Kept, spoil: str) -> None:
    folder = kept.export()
    segment = folder / "entries" / "000000.jsonl"
    match spoil:
        case "cut":
            segment.write_bytes(segment.read_bytes()[:-40])
        case "no tar":
            folder = segment
        case "link":
            segment.rename(kept.home / "moved.jsonl")
            segment.symlink_to(kept.home / "moved.jsonl")
        case _:
            folder = kept.home / "nothing"
    ended = elsewhere(kept, "import", str(folder))
    assert ended.code == 5, ended
    assert elsewhere(kept, "verify").code == 5


def test_a_backup_is_restored(kept: Kept) -> None:
    assert head(kept.cli("backup", "-o", str(kept.home / "saved"))) == kept.ledger.head().root
    rows = kept.entries()
    for file in kept.file.parent.glob("ledger.sqlite*"):
        file.unlink()
    assert kept.cli("restore", str(kept.home / "saved")).code == 0
    assert kept.entries() == rows
    assert kept.cli("restore", str(kept.home / "saved")).code == 5


def test_a_backup_that_lost_entries_says_so_where_a_ledger_is_required(kept: Kept) -> None:
    (kept.layer / "enforced.toml").write_text("version = 1\n[ledger]\nrequired = true\n")
    assert kept.cli("backup", "-o", str(kept.home / "saved")).code == 0
    kept.checkpoint()
    for file in kept.file.parent.glob("ledger.sqlite*"):
        file.unlink()
    ended = kept.cli("restore", str(kept.home / "saved"))
    assert (ended.code, "what was recorded after it is lost" in ended.err) == (0, True), ended


@pytest.mark.parametrize("words", [("export", "-o"), ("backup", "-o")])
def test_nothing_is_written_over(kept: Kept, words: tuple[str, ...]) -> None:
    (kept.home / "there").write_text("mine")
    assert kept.cli(*words, str(kept.home / "there")).code == 5
    assert (kept.home / "there").read_text() == "mine"


@pytest.mark.parametrize(
    "words", [("export", "-o", "OUT"), ("export", "-o", "OUT.tgz"), ("checkpoint", "--to", "OUT", "--key", "KEY")]
)
def test_killed_at_any_moment_what_leaves_is_whole_or_not_there(kept: Kept, words: tuple[str, ...]) -> None:
    for kill in range(4):
        out = kept.home / f"out-{kill}"
        named = [word.replace("OUT", str(out)).replace("KEY", str(kept.machine.path)) for word in words]
        with kept.product.start("ledger", *named, "--path", str(kept.git.root)) as process:
            time.sleep(random.Random(kill).uniform(0.2, 0.9))  # noqa: S311 - not a secret
            process.kill()
            process.communicate()
        made = Path(named[2])
        if words[0] == "checkpoint":
            if made.exists():
                assert kept.cli("verify", "--checkpoint", str(made)).code == 0
        elif made.exists():
            shutil.rmtree(kept.home / "elsewhere", ignore_errors=True)
            for file in (kept.product.state / "ledgers").glob("*.sqlite*"):
                file.unlink()
            assert elsewhere(kept, "import", str(made)).code == 0
    assert kept.cli("verify").code == 0


def test_a_person_is_forgotten_and_the_ledger_stays_whole(kept: Kept) -> None:
    people = kept.layer / "people.toml"
    before = kept.cli("verify").out
    text = people.read_text()
    people.write_text(f'version = 1\n[people.{ADA}]\nroles = ["approver"]\n' + text[text.index("[people.p-9c01]") :])
    assert kept.cli("verify").out == before
    held = b"".join(file.read_bytes() for file in kept.layer.iterdir())
    assert b"Ada" not in held + b"".join(kept.entries())


REPORT = ("--from", "2023-11-01", "--to", "2023-12-01", "--generated-at", "2025-06-01T00:00:00Z")


def reported(kept: Kept, name: str) -> dict[str, Any]:
    """Make a report of the month in which everything was, and give what it says without what names the call."""
    out = kept.home / name
    words = ("--ledger", str(kept.file), "--enforced", str(kept.layer), "--format", "json", "-o", str(out))
    made = kept.product.cli("report", "soc2", *REPORT, *words)
    assert made.code == 0, made
    whole: dict[str, Any] = json.loads((out / "report.json").read_bytes())
    return whole


def test_of_a_person_who_was_forgotten_everything_is_told_by_the_id(kept: Kept) -> None:
    """What Ada approved holds; who she was is nowhere, and the report is of the same waivers, tests and exceptions."""
    people, folder = kept.layer / "people.toml", kept.export()
    before = reported(kept, "before")
    assert ADA in {one["approver"] for one in before["waivers"]["rows"]}
    text = people.read_text()
    people.write_text(f'version = 1\n[people.{ADA}]\nroles = ["approver"]\n' + text[text.index("[people.p-9c01]") :])
    after = reported(kept, "after")
    assert "Ada" not in json.dumps(after)
    for part in ("tests", "exceptions", "waivers", "sla"):
        assert after[part] == before[part]
    assert standalone(folder, "--signers", str(kept.layer / "allowed_signers")).code == 0


def test_a_person_who_was_taken_out_while_their_keys_stand_is_not_taken_for_a_forgery(kept: Kept) -> None:
    """Nothing is judged, and what to do instead is said: the table stays, empty."""
    people = kept.layer / "people.toml"
    text = people.read_text()
    people.write_text("version = 1\n" + text[text.index("[people.p-9c01]") :])
    ended = kept.cli("verify")
    assert (ended.code, f"`{ADA}` is nobody of people.toml" in ended.err) == (2, True), ended
    assert f"to forget a person leave the table [people.{ADA}] with no more than its roles" in " ".join(
        ended.err.split()
    )


def test_entries_of_more_than_a_year_ago_are_read_as_any(kept: Kept) -> None:
    kept.story.run(at_s=500 * DAY_S)
    first = json.loads(kept.entries()[0])["at_epoch_s"]
    assert first < EPOCH_S
    assert json.loads(kept.entries()[-1])["at_epoch_s"] - first > 365 * DAY_S
    ended = kept.cli("verify")
    assert (ended.code, "from 2023-11-14" in ended.out) == (0, True), ended
    kept.checkpoint()
    folder = kept.export()
    alone = standalone(folder, "--signers", str(kept.layer / "allowed_signers"), "--checkpoint", str(kept.place))
    assert (alone.code, "nothing but itself vouches for the 1 behind" in alone.out) == (0, True), alone
    found = reported(kept, "late")
    assert found["integrity"]["ledgers"][0]["size"] == kept.ledger.head().size
    assert found["waivers"]["rows"][0]["approver"] == ADA


def test_an_interrupted_export_leaves_nothing_or_all_of_it(kept: Kept) -> None:
    with kept.product.start("ledger", "export", "-o", str(kept.home / "out"), "--path", str(kept.git.root)) as process:
        time.sleep(0.5)
        os.kill(process.pid, signal.SIGINT)
        process.communicate()
    left = [file.name for file in kept.home.glob("*out*")]
    # The interrupt may come after the last name was given, when there is nothing to take back.
    assert left == ["out"] or (process.returncode and not left), left
    if left:
        assert standalone(kept.home / "out").code == 0


# -------------------------------------------------------------------------------------------------------- nonsense


def test_what_is_no_export_is_taken_for_none(kept: Kept) -> None:
    (kept.home / "nothing").mkdir()
    for wrong in ("nothing", "organisation", "people.txt"):
        assert kept.cli("verify", "--earlier", str(kept.home / wrong)).code == 5
    for wrong in ("nothing", "/dev/null", "/dev/zero"):
        ended = elsewhere(kept, "import", str(kept.home / wrong))
        assert (ended.code, "export" in ended.err, ended.err.count("\n")) == (5, True, 2), ended
    assert elsewhere(kept, "verify").code == 5
    assert "there is no ledger" in elsewhere(kept, "verify").err


def test_an_export_that_lost_its_tail_makes_no_ledger(kept: Kept) -> None:
    folder = kept.export()
    rows = (folder / "entries" / "000000.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "entries" / "000000.jsonl").write_bytes(b"".join(rows[:-1]))
    ended = elsewhere(kept, "import", str(folder))
    assert (ended.code, f"and {len(rows) - 1} entries are there" in ended.err) == (5, True), ended
    assert standalone(folder).out.endswith(f"first bad entry: {len(rows) - 1}\n")


def test_an_earlier_export_that_is_held_against_is_said_to_be(kept: Kept) -> None:
    earlier = kept.export()
    ended = kept.cli("verify", "--earlier", str(earlier))
    assert f"the first {len(kept.entries())} are those of the earlier export" in ended.out


def test_another_kind_of_archive_is_not_written_as_a_folder(kept: Kept) -> None:
    assert kept.cli("export", "-o", str(kept.home / "out.tar.xz")).code == 5
    assert not (kept.home / "out.tar.xz").exists()


def test_what_is_no_backup_is_said_to_be_none(kept: Kept) -> None:
    ended = elsewhere(kept, "restore", str(kept.layer / "people.toml"))
    assert (ended.code, "this is no backup" in ended.err) == (5, True), ended


def test_a_type_that_nobody_knows_is_not_listed_as_nothing(kept: Kept) -> None:
    ended = kept.cli("log", "--type", "nothing")
    assert (ended.code, "waiver-approved" in ended.err) == (2, True)


def test_the_log_says_who_signed_what(kept: Kept) -> None:
    line = kept.cli("log", "--type", "waiver-requested").out.splitlines()[0]
    assert line.split()[3:6] == ["waiver-requested", EVE, "accept"]


def test_nothing_is_said_to_a_ledger_that_lost_its_tail(kept: Kept) -> None:
    (kept.layer / "enforced.toml").write_text("[ledger]\nrequired = true\n")
    kept.checkpoint()
    rows = kept.entries()
    kept.rewrite(rows[:-2])
    said = ("--until", "6h", "--reason", "fire", "--as", ADA, "--key", str(kept.ada.path))
    ended = kept.product.cli("override", *said, "--path", str(kept.git.root), "--enforced", str(kept.layer))
    assert (ended.code, "its tail was cut off" in ended.err) == (5, True), ended
    kept.file.unlink()
    ended = kept.cli("init")
    assert (ended.code, kept.file.exists(), "and had" in ended.err) == (5, False, True), ended
