"""What the holder of a ledger could do to it, found by secgate and by the program that every export carries."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import tarfile
from pathlib import Path

import pytest

from secgate.events import to_entry
from secgate.gate_events import CheckpointTaken
from secgate.signed_events import WaiverRequested
from secgate.waivers import REQUESTED
from tests.ledger_support import at
from tests.product import Ended, Product
from tests.runs.kept_ledger import DAY_S, Kept, Tamper, chained, rewrite_export, standalone
from tests.signing_support import ADA, KEYGEN
from tests.unit.conftest import Git

AT = 3


@pytest.fixture
def kept(product: Product, git: Git, tmp_path: Path) -> Kept:
    if not KEYGEN:
        pytest.skip("no ssh-keygen")
    made = Kept(product, git, tmp_path)
    made.fill()
    return made


def both(kept: Kept, folder: Path, *, earlier: Path | None = None) -> tuple[Ended, Ended]:
    """Verify the ledger by secgate and the export by its own program, against the checkpoint kept elsewhere."""
    before = ("--earlier", str(earlier)) if earlier else ()
    mine = kept.cli("verify", "--checkpoint", str(kept.place), *before)
    signers = str(kept.layer / "allowed_signers")
    return mine, standalone(folder, "--checkpoint", str(kept.place), "--signers", signers, *before)


def refused(ended: tuple[Ended, Ended], entry: int | None, said: str = "") -> None:
    mine, theirs = ended
    assert (mine.code, theirs.code) == (5, 1), ended
    assert said in mine.err, mine
    if entry is not None:
        assert f"verify at entry {entry}:" in mine.err, mine
        assert f"first bad entry: {entry}\n" in theirs.out, theirs


def test_what_nobody_touched_holds(kept: Kept) -> None:
    mine, theirs = both(kept, kept.export())
    assert (mine.code, theirs.code) == (0, 0), (mine, theirs)
    assert "signed by machine:ci" in mine.out
    assert "4 statements and 2 checkpoints" in theirs.out


def test_what_a_checkpoint_does_not_reach_is_told(kept: Kept) -> None:
    """A tail that was cut off behind it cannot be told, so nobody is to think that it could."""
    mine, theirs = both(kept, kept.export())
    behind = kept.ledger.head().size - kept.number("checkpoint")
    assert behind > 1
    assert f"  {behind} entries behind: for these nothing but the ledger vouches\n" in mine.out
    assert f"vouches for the {behind} behind them" in theirs.out


def edit(rows: list[bytes]) -> list[bytes]:
    return [*rows[:AT], rows[AT].replace(b'"severity":"high"', b'"severity":"info"'), *rows[AT + 1 :]]


PLAIN: dict[str, tuple[Tamper, int]] = {
    "edit": (edit, AT),
    "delete": (lambda rows: rows[:AT] + rows[AT + 1 :], AT),
    "insert": (lambda rows: rows[:AT] + chained(rows[: AT + 1])[AT:] + rows[AT:], AT + 1),
    "reorder": (lambda rows: [*rows[:AT], rows[AT + 1], rows[AT], *rows[AT + 2 :]], AT),
    "delete the first": (lambda rows: rows[1:], 0),
    "another time": (lambda rows: [*rows[:AT], rows[AT].replace(b"1700000000", b"1700000001", 1), *rows[AT + 1 :]], AT),
}


@pytest.mark.parametrize(("tamper", "entry"), PLAIN.values(), ids=PLAIN)
def test_the_first_bad_entry_is_named(kept: Kept, tamper: Tamper, entry: int) -> None:
    rows, folder = kept.entries(), kept.export()
    changed = tamper(rows)
    assert changed != rows
    kept.rewrite(changed)
    rewrite_export(folder, changed)
    refused(both(kept, folder), entry)


def test_a_cut_tail_is_told_by_the_checkpoint(kept: Kept) -> None:
    folder = kept.export()
    shorter = kept.entries()[: kept.number("checkpoint") - 1]
    kept.rewrite(shorter)
    rewrite_export(folder, shorter)
    refused(both(kept, folder), len(shorter), "its tail was cut off")


def test_a_past_that_was_made_to_fit_is_told_by_the_checkpoint(kept: Kept) -> None:
    folder = kept.export()
    changed = chained(edit(kept.entries()))
    kept.rewrite(changed)
    rewrite_export(folder, changed)
    shutil.rmtree(folder / "checkpoints")
    mine, theirs = both(kept, folder)
    # The entry that notes the checkpoint says another root than the entries before it now have.
    refused((mine, theirs), kept.number("checkpoint"), "the head that it says was signed")


def test_a_past_without_a_note_of_the_checkpoint_is_told_by_the_checkpoint(kept: Kept) -> None:
    folder = kept.export()
    changed = chained([row for row in edit(kept.entries()) if b'"type":"checkpoint"' not in row])
    kept.rewrite(changed)
    rewrite_export(folder, changed)
    shutil.rmtree(folder / "checkpoints")
    refused(both(kept, folder), None, "made to fit")


def test_a_note_of_another_head_is_found_though_nothing_follows_it(kept: Kept) -> None:
    rows, folder = kept.entries(), kept.export()
    changed = [*rows, chained([*rows, rows[kept.number("checkpoint")]])[-1].replace(b'"size":', b'"size":1')]
    kept.rewrite(changed)
    rewrite_export(folder, changed)
    refused(both(kept, folder), len(rows), "the head that it says was signed")


@pytest.mark.parametrize("stored", [True, False])
def test_a_noted_checkpoint_that_was_swapped_is_found(kept: Kept, stored: bool) -> None:
    """Either the file alone, or one that nobody signed who counts under a note that fits it."""
    note = json.loads(kept.entries()[kept.number("checkpoint")])["body"]
    forged = json.loads(kept.ledger.blob(note["checkpoint_digest"]))
    forged["signatures"][0]["sig"] = base64.b64encode(bytes(64)).decode()
    data = json.dumps(forged).encode()
    if stored:
        kept.change_blob(note["checkpoint_digest"], data)
        number, said = kept.number("checkpoint"), "was changed"
    else:
        event = CheckpointTaken(**{**note, "checkpoint_digest": hashlib.sha256(data).hexdigest()})
        number, said = len(kept.entries()), "does not count"
        kept.ledger.append(
            kept.ledger.head(), [to_entry(event)], now=at(5 * DAY_S), blobs={event.checkpoint_digest: data}
        )
    mine = kept.cli("verify")
    assert (mine.code, f"verify at entry {number}:" in mine.err, said in mine.err) == (5, True, True), mine
    if not stored:
        theirs = standalone(kept.export(), "--signers", str(kept.layer / "allowed_signers"))
        assert (theirs.code, f"first bad entry: {number}\n" in theirs.out) == (1, True), theirs


def test_an_earlier_export_names_the_entry_of_a_past_that_was_made_to_fit(kept: Kept) -> None:
    earlier, folder = kept.export("earlier"), kept.export()
    changed = chained(edit(kept.entries()))
    kept.rewrite(changed)
    rewrite_export(folder, changed)
    refused(both(kept, folder, earlier=earlier), AT)


def test_a_swapped_signature_is_found_even_where_all_else_was_made_to_fit(kept: Kept) -> None:
    rows = kept.entries()
    first, second = (kept.number("waiver-approved", which) for which in (0, 1))
    signatures = [json.loads(rows[at])["body"]["signature"].encode() for at in (first, second)]
    escaped = [signature.replace(b"\n", b"\\n") for signature in signatures]
    rows[second] = rows[second].replace(escaped[1], escaped[0])
    folder = kept.export()
    changed = chained(rows)
    kept.rewrite(changed)
    rewrite_export(folder, changed)
    refused(both(kept, folder), second, "its signature as a waiver-approved does not count")


@pytest.mark.parametrize("which", [0, 1])
def test_a_forged_waiver_is_found(kept: Kept, which: int) -> None:
    forged = {("requester", "approver")[which]: kept.stranger}
    kept.waive("three", at_s=5 * DAY_S, **forged)
    kind = ("waiver-requested", "waiver-approved")[which]
    refused(both(kept, kept.export()), kept.number(kind, 2), f"its signature as a {kind} does not count")


def test_an_override_and_its_review_hold(kept: Kept) -> None:
    kept.override(at_s=5 * DAY_S)
    mine, theirs = both(kept, kept.export())
    assert (mine.code, theirs.code) == (0, 0), (mine, theirs)
    assert "6 statements" in theirs.out


@pytest.mark.parametrize("which", [0, 1])
def test_a_forged_override_or_review_is_found(kept: Kept, which: int) -> None:
    kept.override(at_s=5 * DAY_S, **{("by", "reviewer")[which]: kept.stranger})
    kind = ("override-given", "override-reviewed")[which]
    refused(both(kept, kept.export()), kept.number(kind), f"its signature as a {kind} does not count")


def test_what_people_testified_holds(kept: Kept) -> None:
    kept.testify(at_s=5 * DAY_S)
    mine, theirs = both(kept, kept.export())
    assert (mine.code, theirs.code) == (0, 0), (mine, theirs)
    assert "6 statements" in theirs.out


def test_a_forged_review_of_the_gate_is_found(kept: Kept) -> None:
    kept.testify(at_s=5 * DAY_S, by=kept.stranger)
    refused(both(kept, kept.export()), kept.number("gate-reviewed"), "its signature as a gate-reviewed does not count")


def test_nobody_reviews_their_own_override_in_the_export(kept: Kept) -> None:
    kept.override(at_s=5 * DAY_S, reviewer=kept.ada)
    _, theirs = both(kept, kept.export())
    # As to secgate it is no fault of the ledger: it counts for nothing, and is said to.
    assert theirs.code == 0
    assert f"  entry {kept.number('override-reviewed')}, override-reviewed, counts for nothing: " in theirs.out
    assert "a second person must" in theirs.out


def test_an_old_checkpoint_that_was_put_back_is_found(kept: Kept) -> None:
    old = kept.place.read_bytes()
    kept.checkpoint()
    folder = kept.export()
    newest = kept.number("checkpoint", 1)
    kept.place.write_bytes(old)
    (folder / "checkpoints" / f"{newest:06}.json").write_bytes(old)
    mine, theirs = both(kept, folder)
    refused((mine, theirs), None, f"entry {newest} says that one of")
    assert f"first bad entry: {newest}\n" in theirs.out


def test_an_old_checkpoint_after_a_cut_is_told_by_its_age(kept: Kept) -> None:
    old = kept.place.read_bytes()
    kept.checkpoint()
    shorter = kept.entries()[: kept.number("checkpoint", 1)]
    kept.place.write_bytes(old)
    kept.rewrite(shorter)
    assert kept.cli("verify", "--checkpoint", str(kept.place)).code == 0
    aged = kept.cli("verify", "--checkpoint", str(kept.place), "--max-age-days", "0.000001")
    assert (aged.code, "older than was asked for" in aged.err) == (5, True)
    late = ("--newer-than", "2999-01-01")
    assert standalone(kept.export(), *late).code == 1


def test_an_old_checkpoint_that_was_put_back_under_another_name_is_told_of(kept: Kept) -> None:
    old = kept.place.read_bytes()
    kept.checkpoint()
    kept.place.write_bytes(old)
    link = kept.home / "link"
    link.symlink_to(kept.home)
    assert "an old one was put back" in kept.cli("verify", "--checkpoint", str(link / "kept.json")).err
    (kept.home / "copy.json").write_bytes(old)
    told = kept.cli("verify", "--checkpoint", str(kept.home / "copy.json"))
    assert told.code == 0
    note = f"was put at {kept.place}, says entry {kept.number('checkpoint', 1)}"
    assert note in told.out
    assert note in standalone(kept.export(), "--checkpoint", str(kept.home / "copy.json")).out


def test_a_person_s_key_makes_no_checkpoint(kept: Kept) -> None:
    """Whoever may sign for people and write to the ledger could else vouch for what they rewrote."""
    ended = kept.cli("checkpoint", "--to", str(kept.place), "--key", str(kept.ada.path))
    assert (ended.code, "only machines sign checkpoints" in ended.err) == (2, True), ended
    signers = kept.layer / "allowed_signers"
    signers.write_text(signers.read_text().replace("machine:ci", ADA))
    assert kept.cli("verify").code == 0, "what a version before noted is no fault"
    mine, theirs = both(kept, kept.export())
    assert (mine.code, theirs.code) == (2, 1), (mine, theirs)
    assert "kept.json: nobody who counts for it signed this checkpoint" in theirs.out


def test_a_checkpoint_by_nobody_who_counts_is_refused(kept: Kept) -> None:
    before = kept.place.read_bytes()
    ended = kept.cli("checkpoint", "--to", str(kept.place), "--key", str(kept.stranger.path))
    assert (ended.code, "would not count" in ended.err, kept.place.read_bytes()) == (2, True, before)
    folder = kept.export()
    forged = json.loads(before)
    forged["signatures"][0]["sig"] = base64.b64encode(bytes(64)).decode()
    kept.place.write_text(json.dumps(forged))
    mine, theirs = both(kept, folder)
    assert (mine.code, theirs.code) == (2, 1)
    assert "the checkpoint does not count" in mine.err
    assert "nobody who counts" in theirs.out


@pytest.mark.parametrize(("since", "codes"), [("20260101", (2, 1)), ("20990101", (0, 0))])
def test_a_revoked_key_counts_for_what_was_noted_and_for_nothing_that_is_handed_in(
    kept: Kept, since: str, codes: tuple[int, int]
) -> None:
    (kept.layer / "revoked").write_text(f'from="{since}" {kept.machine.public}\n')
    folder = kept.export()
    mine, theirs = both(kept, folder)
    assert (mine.code, theirs.code) == codes, (mine, theirs)
    if codes != (0, 0):
        assert ("is revoked" in mine.err, "nobody who counts for it signed" in theirs.out) == (True, True)
        alone = kept.cli("verify"), standalone(folder, "--signers", str(kept.layer / "allowed_signers"))
        assert [one.code for one in alone] == [0, 0], alone


def test_a_note_under_which_another_checkpoint_lies_is_found(kept: Kept) -> None:
    """A good one, signed by whom it should be, of fewer entries than the note says."""
    old = kept.place.read_bytes()
    head = kept.ledger.head()
    digest = hashlib.sha256(old).hexdigest()
    event = CheckpointTaken(
        size=head.size, root=head.root, place="elsewhere", key="", checkpoint_digest=digest, timestamps=0
    )
    kept.ledger.append(head, [to_entry(event)], now=at(5 * DAY_S), blobs={})
    mine, theirs = kept.cli("verify"), standalone(kept.export())
    refused((mine, theirs), head.size, "is of other entries")


def test_a_noted_checkpoint_is_looked_for_among_the_blobs_too(kept: Kept) -> None:
    folder = kept.export()
    number = kept.number("checkpoint")
    (folder / "checkpoints" / f"{number:06}.json").unlink()
    assert "checkpoints  1," in standalone(folder).out


def test_a_changed_blob_is_found(kept: Kept) -> None:
    folder = kept.export()
    run = next(json.loads(row) for row in kept.entries() if b'"type":"run"' in row)
    name = run["body"]["document_digest"]
    (folder / "blobs" / name[:2] / name[2:]).write_bytes(b"{}")
    ended = standalone(folder)
    assert (ended.code, f"first bad entry: {run['sequence']}\n" in ended.out) == (1, True)
    kept.change_blob(name, b"{}")
    mine = kept.cli("verify")
    assert (mine.code, f"verify at entry {run['sequence']}: the blob {name}" in mine.err) == (5, True), mine
    assert kept.cli("backup", "-o", str(kept.home / "backup")).code == 5
    assert not (kept.home / "backup").exists()
    other = kept.product.cli("ledger", "import", str(folder), "--path", str(kept.home / "organisation"))
    assert (other.code, "was changed" in other.err) == (5, True)


def test_a_ledger_with_a_changed_blob_is_exported_and_does_not_look_whole(kept: Kept) -> None:
    """An auditor gets all that is left, and is told loudly; what was changed is no blob that somebody erased."""
    run = next(json.loads(row) for row in kept.entries() if b'"type":"run"' in row)
    name = run["body"]["document_digest"]
    before = kept.export("before")
    kept.change_blob(name, b"{}")
    ended = kept.cli("export", "-o", str(kept.home / "after"))
    assert (ended.code, f"DOES NOT VERIFY: the blob {name} that entry {run['sequence']} names" in ended.err) == (
        5,
        True,
    )
    after = kept.home / "after"
    found = hashlib.sha256(b"{}").hexdigest()
    told = {"digest": name, "entry": run["sequence"], "found": found}
    assert json.loads((after / "manifest.json").read_bytes())["changed"] == [told]
    lost, new = (
        {str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file()} for folder in (before, after)
    )
    assert (lost - new, new - lost) == ({f"blobs/{name[:2]}/{name[2:]}"}, {f"changed/{found}"})
    assert (after / "changed" / found).read_bytes() == b"{}"
    theirs = standalone(after)
    assert (theirs.code, f"first bad entry: {run['sequence']}\n" in theirs.out) == (1, True), theirs
    # The figures are of the entries, which hold; they come before the end.
    line = f"  CHANGED in the ledger: {name}, named by entry {run['sequence']}; changed/{found} stood in its place\n"
    assert line in theirs.out
    runs = [line for line in standalone(before).out.splitlines() if line.startswith("runs")]
    assert runs
    assert set(runs) <= set(theirs.out.splitlines())
    (after / "changed" / found).write_bytes(b"{ }")
    ended = standalone(after)
    assert f"what stood in the place of the blob {name} is not what the manifest says" in ended.out
    other = kept.product.cli("ledger", "import", str(after), "--path", str(kept.home / "organisation"))
    assert (other.code, "of a ledger that was not whole" in other.err) == (5, True)


def test_blobs_that_were_changed_to_the_same_are_carried_once(kept: Kept) -> None:
    runs = [json.loads(row) for row in kept.entries() if b'"type":"run"' in row]
    for run in runs[:2]:
        kept.change_blob(run["body"]["document_digest"], b"")
    folder = kept.home / "export.tar"
    assert kept.cli("export", "-o", str(folder)).code == 5
    with tarfile.open(folder) as archive:
        names = [name for name in archive.getnames() if name.startswith("changed/")]
        archive.extractall(kept.home / "unpacked", filter="data")
    assert names == [f"changed/{hashlib.sha256(b'').hexdigest()}"]
    theirs = standalone(kept.home / "unpacked")
    assert (theirs.code, f"first bad entry: {runs[0]['sequence']}\n" in theirs.out) == (1, True), theirs
    assert theirs.out.count("CHANGED in the ledger") == 2


def twice(rows: list[bytes]) -> list[bytes]:
    said = rows[AT].replace(b'"severity":"high"', rb'"\u0073everity":"info","severity":"high"')
    assert said != rows[AT]
    return chained([*rows[:AT], said, *rows[AT + 1 :]])


def test_a_key_that_is_given_twice_is_refused_though_all_was_made_to_fit(kept: Kept) -> None:
    rows, folder = twice(kept.entries()), kept.export()
    kept.rewrite(rows)
    rewrite_export(folder, rows)
    refused(both(kept, folder), AT)
    assert "gives the key 'severity' twice" in kept.cli("verify").err


def test_a_key_that_a_signed_statement_gives_twice_is_refused(kept: Kept) -> None:
    """Eve may sign what she likes: what Ada approved would be another thing to another reader."""
    folder, head = kept.export(), kept.ledger.head()
    said = json.loads(kept.entries()[kept.number("waiver-requested")])["body"]["statement"]
    statement = said.replace('"kind":', '"kind":"false-positive","kind":', 1).encode()
    signature = kept.sign(statement, kept.eve, REQUESTED)
    event = WaiverRequested(statement=statement.decode(), signature=signature)
    kept.append([to_entry(event)], at_s=5 * DAY_S)
    rewrite_export(folder, kept.entries())
    refused(both(kept, folder), head.size, "it gives the key 'kind' twice")


def test_a_checkpoint_with_another_payload_beside_its_own_is_refused(kept: Kept) -> None:
    folder, data = kept.export(), kept.place.read_bytes()
    kept.place.write_bytes(data.replace(b'{"payload":', b'{"payload":"e30=","payload":', 1))
    refused(both(kept, folder), None, "it gives the key 'payload' twice")


@pytest.mark.parametrize("name", ["manifest.json", "terms.json"])
def test_an_export_that_says_a_thing_of_itself_twice_is_refused(kept: Kept, name: str) -> None:
    folder = kept.export()
    file = folder / name
    file.write_bytes(file.read_bytes().replace(b"{", b'{"version":1,', 1))
    ended = standalone(folder)
    assert (ended.code, "a key is given twice" in ended.out) == (1, True), ended
    if name == "manifest.json":
        other = kept.product.cli("ledger", "import", str(folder), "--path", str(kept.home / "organisation"))
        assert (other.code, "it gives the key 'version' twice" in other.err) == (5, True), other


def test_a_cut_ledger_never_replaces_its_checkpoint(kept: Kept) -> None:
    before = kept.place.read_bytes()
    kept.rewrite(kept.entries()[: kept.number("checkpoint") - 1])
    ended = kept.cli("checkpoint", "--to", str(kept.place), "--key", str(kept.machine.path))
    assert (ended.code, kept.place.read_bytes()) == (5, before)


def test_a_waiver_of_a_key_that_was_revoked_since_is_no_fault_of_the_ledger(kept: Kept) -> None:
    from_day = f'from="{at(int(2.5 * DAY_S)):%Y%m%d%H%M%S}" {kept.ada.public}\n'
    (kept.layer / "revoked").write_text(from_day)
    mine, theirs = both(kept, kept.export())
    assert (mine.code, theirs.code) == (0, 0), (mine, theirs)
    assert "by revoked keys, and so for nothing: 1" in mine.out
    # What she approved before that time counts as ever, in both.
    told = [line for line in theirs.out.splitlines() if "counts for nothing" in line]
    assert told == [
        f"  entry {kept.number('waiver-approved', 1)}, waiver-approved, counts for nothing: its key was revoked"
    ]
