"""A period's evidence of what people signed: overrides, exceptions, checkpoints, through whole runs."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec
import pytest

from secgate import custody, statements
from secgate.assertions import Evidence
from secgate.events import LedgerCreated, Run, event_of, to_entry
from secgate.evidence import EvidenceWish, ImportWish, PeriodEvidence, import_population, period_evidence
from secgate.ledgers.sqlite import SqliteLedger
from secgate.memory import Memory
from secgate.model import RunDocument, encode
from secgate.overrides import NAMESPACES, REVIEWED, ReviewStatement, Standing
from secgate.record import append_events
from secgate.signed_events import OverrideGiven, OverrideReviewed
from secgate.statements import Emergency, Wish
from secgate.waivers import Kind
from tests.product import NOW, WEAK, Ended
from tests.runs.office import Office
from tests.signing_support import ADA, EVE, allowed, make_key, sign

HOUR = 1 / 24
END = 14
"""Days of the period."""


@pytest.fixture
def shop(office: Office) -> Office:
    """Eve may break the glass, Ada may approve; the line `main` has a weakness that is due after seven days."""
    people = office.folder / "people.toml"
    people.write_text(people.read_text().replace('emails = ["eve@example.org"]\n', 'roles = ["break-glass"]\n'))
    office.git.commit({"app.py": WEAK})
    return office


def run(office: Office, days: float) -> RunDocument:
    return office.run(days, ref="refs/heads/main", scope="protected")


def evidence(office: Office, *, checkpoints: tuple[str, ...] = (), enforced: bool = True) -> PeriodEvidence:
    place = office.place if enforced else statements.Place(path=office.place.path)
    wish = EvidenceWish(start=NOW, end=office.at(END), checkpoints=checkpoints)
    return period_evidence(wish, place=place, machine=office.product.machine(), now=office.at(END + 1))


def of(found: PeriodEvidence, name: str) -> Evidence:
    return next(one for one in found.assertions if one.assertion == name)


def bad(found: PeriodEvidence, name: str) -> set[tuple[str, str]]:
    return {(one.item, one.exception) for one in of(found, name).deviations}


def give(office: Office, days: float) -> Standing:
    emergency = Emergency(reason="the shop is down", until=office.at(days + 6 * HOUR), line="main")
    return statements.give_override(
        emergency,
        speaker=office.speaker(EVE),
        place=office.place,
        machine=office.product.machine(),
        now=office.at(days),
    ).standing


def review(office: Office, given: Standing, days: float, word: Literal["justified", "not-justified"]) -> None:
    statements.review_override(
        given.given.id,
        word,
        "it was down",
        speaker=office.speaker(ADA),
        place=office.place,
        machine=office.product.machine(),
        now=office.at(days),
    )


def deploy(office: Office, *days: float) -> None:
    """Import deployments of the branch's head at these times."""
    commit = office.git("rev-parse", "HEAD")
    rows = [
        {
            "repository": "shop",
            "id": f"d{day:g}",
            "environment": "production",
            "deployed_at": office.at(day).isoformat(),
            "commit": commit,
        }
        for day in days
    ]
    file = office.product.home / "deployments.json"
    file.write_text(json.dumps(rows))
    wish = ImportWish(
        kind="deployments",
        file=str(file),
        source="deploys",
        query="all",
        extracted=office.at(END),
        start=NOW,
        end=office.at(END),
    )
    import_population(wish, place=office.place, machine=office.product.machine(), now=office.at(END))


def test_overrides_are_approved_and_let_deployments_pass_while_they_hold(shop: Office) -> None:
    run(shop, 0)
    first = give(shop, 8)
    assert run(shop, 8 + HOUR).decision is not None
    second = give(shop, 8.5)
    review(shop, first, 9, "justified")
    run(shop, 9)
    deploy(shop, 1, 8 + 2 * HOUR, 10)
    found = evidence(shop)
    assert bad(found, "change.override_approved") == {(second.given.id, "not_reviewed_in_time")}
    assert of(found, "change.override_approved").population == 2
    assert bad(found, "change.gated") == {("shop#d10", "blocked_and_not_overridden")}


def test_one_and_the_same_text_in_two_ledgers_is_judged_in_each(shop: Office, tmp_path: Path) -> None:
    """An override that was reviewed, and the same signed text in another ledger, where nobody reviewed it."""
    run(shop, 0)
    given = give(shop, 8)
    run(shop, 8 + HOUR)
    review(shop, given, 9, "justified")
    own = SqliteLedger(str(shop.git.root / ".git" / "secgate" / "ledger.sqlite"))
    (said,) = [event_of(one) for one in own.read() if one.type == OverrideGiven.TYPE]
    assert isinstance(said, OverrideGiven)
    other, memory = SqliteLedger(str(tmp_path / "other.sqlite")), Memory()
    other.create()
    created = LedgerCreated(ledger_id="e" * 64, provisional=False, secgate_version="1")
    append_events([to_entry(created), to_entry(said)], other, memory=memory, now=shop.at(8), blobs={})
    wish = EvidenceWish(start=NOW, end=shop.at(END), ledgers=(own.address, other.address))
    now = shop.at(END + 1)
    found = period_evidence(wish, place=shop.place, machine=shop.product.machine(), now=now)
    told = of(found, "change.override_approved")
    assert len(set(told.items)) == told.population == 2
    assert bad(found, "change.override_approved") == {
        (f"{given.given.id} (ledger {'e' * 64})", "not_reviewed_in_time"),
    }


def test_an_override_that_was_found_wrong_deviates(shop: Office) -> None:
    run(shop, 0)
    given = give(shop, 8)
    review(shop, given, 9, "not-justified")
    assert bad(evidence(shop), "change.override_approved") == {(given.given.id, "not_justified")}


def test_whoever_overrides_does_not_review_it(shop: Office) -> None:
    run(shop, 0)
    given = give(shop, 8)
    said = ReviewStatement(by=EVE, override=given.given.id, word="justified", reason="fine", reviewed_epoch_s=0)
    file = shop.product.home / "review.json"
    file.write_bytes(encode(said))
    sign(file, shop.keys[EVE], NAMESPACES[REVIEWED])
    event = OverrideReviewed(statement=file.read_text(), signature=Path(f"{file}.sig").read_text())
    ledger = SqliteLedger(str(Path(shop.git.root) / ".git" / "secgate" / "ledger.sqlite"))
    append_events([to_entry(event)], ledger, memory=Memory(), now=shop.at(9))
    assert bad(evidence(shop), "change.override_approved") == {(given.given.id, "self_reviewed")}


def test_an_override_of_another_line_lets_no_deployment_pass(shop: Office) -> None:
    run(shop, 0)
    given = give(shop, 8)
    run(shop, 8 + HOUR)
    ledger = SqliteLedger(str(Path(shop.git.root) / ".git" / "secgate" / "ledger.sqlite"))
    events = [event_of(entry) for entry in ledger.read()]
    last = [event for event in events if isinstance(event, Run)][-1]
    assert last.override == given.given.id
    other = msgspec.structs.replace(last, run_id="other", line="release")
    append_events([to_entry(other)], ledger, memory=Memory(), now=shop.at(8 + 2 * HOUR))
    deploy(shop, 8 + 1.5 * HOUR, 8 + 3 * HOUR)
    assert bad(evidence(shop), "change.gated") == {("shop#d8.125", "blocked_and_not_overridden")}


def test_a_forged_override_lets_no_deployment_pass_and_is_noted(shop: Office) -> None:
    run(shop, 0)
    given = give(shop, 8)
    run(shop, 8 + HOUR)
    deploy(shop, 8 + 2 * HOUR)
    shop.write(allowed(ADA, shop.keys[ADA]), allowed(EVE, make_key(shop.folder.parent / "keys", "other")))
    found = evidence(shop)
    assert bad(found, "change.gated") == {("shop#d8.08333", "blocked_and_not_overridden")}
    overrides = of(found, "change.override_approved")
    assert (overrides.result, overrides.population) == ("no_occurrence", 0)
    assert len(overrides.notes) == 1
    assert OverrideGiven.TYPE in overrides.notes[0]
    assert given.given.id not in overrides.items


def test_without_an_enforced_layer_what_people_signed_is_not_tested(shop: Office) -> None:
    run(shop, 0)
    give(shop, 8)
    found = of(evidence(shop, enforced=False), "change.override_approved")
    assert (found.result, found.tested) == ("not_tested", 0)
    assert "nobody's signature counts" in found.reason


def test_a_waiver_from_before_it_is_due_covers_a_finding_and_a_later_one_does_not(shop: Office) -> None:
    (finding,) = run(shop, 0).findings
    early = shop.waive(finding.fingerprint, days=1, life=30)
    found = evidence(shop)
    assert of(found, "vuln.sla").metrics["excepted"] == 1
    assert bad(found, "vuln.sla") == set()
    governed = of(found, "exception.governed")
    assert (governed.result, governed.items) == ("no_deviation", (early.id,))


@pytest.mark.parametrize("kind", ["false-positive", "not-affected"])
def test_what_somebody_called_no_weakness_is_told_apart_until_that_is_revoked(shop: Office, kind: Kind) -> None:
    (finding,) = run(shop, 0).findings
    token = f"ghp_{'a1B2' * 9}"
    wish = Wish(kind=kind, reason=f"tried it with {token}, nothing came", expires=shop.at(30))
    machine = shop.product.machine()
    asked = statements.request_for_finding(
        finding.fingerprint, wish, speaker=shop.speaker(EVE), place=shop.place, machine=machine, now=shop.at(1)
    )
    shop.approve(asked, days=1)
    sla = of(evidence(shop), "vuln.sla")
    assert (sla.result, sla.population, sla.deviating) == ("no_deviation", 1, 0)
    told = {"due": 0, "met": 0, "excepted": 0, "missed": 0, "overdue_open": 0, "dismissed": 1}
    assert sla.metrics == told, "no adherence, and nothing open for long"
    (note,) = sla.dismissed
    assert f"was dismissed as {kind.replace('-', ' ')}, approved by {ADA} " in note
    assert note.endswith(f"({asked.id[:12]}): tried it with [secret], nothing came")
    statements.revoke(
        asked.id, "it was one", speaker=shop.speaker(ADA), place=shop.place, machine=machine, now=shop.at(10)
    )
    found = of(evidence(shop), "vuln.sla")
    assert {one.exception for one in found.deviations} == {"overdue_open"}
    assert (found.metrics["due"], found.metrics["dismissed"], found.dismissed) == (1, 0, ())


@pytest.mark.parametrize(("days", "life"), [(8, 30), (1, 10)])
def test_a_waiver_that_comes_late_or_ends_early_removes_no_miss(shop: Office, days: float, life: float) -> None:
    (finding,) = run(shop, 0).findings
    shop.waive(finding.fingerprint, days=days, life=life)
    assert {word for _, word in bad(evidence(shop), "vuln.sla")} == {"overdue_open"}


def test_a_waiver_that_was_revoked_covers_until_then(shop: Office) -> None:
    (finding,) = run(shop, 0).findings
    waiver = shop.waive(finding.fingerprint, days=1, life=30)
    statements.revoke(
        waiver.id,
        "done",
        speaker=shop.speaker(ADA),
        place=shop.place,
        machine=shop.product.machine(),
        now=shop.at(10),
    )
    assert {word for _, word in bad(evidence(shop), "vuln.sla")} == {"overdue_open"}


def test_an_approver_who_lost_the_role_makes_an_approval_deviate(shop: Office) -> None:
    (finding,) = run(shop, 0).findings
    shop.waive(finding.fingerprint, days=1)
    people = shop.folder / "people.toml"
    people.write_text(people.read_text().replace('roles = ["approver"]\n', ""))
    assert {word for _, word in bad(evidence(shop), "exception.governed")} == {"approver_not_authorised"}


def test_the_ledger_is_held_against_checkpoints_from_outside(shop: Office, tmp_path: Path) -> None:
    run(shop, 0)
    key = make_key(tmp_path / "keys", "machine")
    with (shop.folder / "allowed_signers").open("a") as signers:
        signers.write(allowed("machine:ci", key))
    kept = tmp_path / "kept.json"
    custody.take_checkpoint(shop.place, to=str(kept), key=str(key.path), machine=shop.product.machine(), now=shop.at(1))
    assert of(evidence(shop), "ledger.integrity").result == "not_tested"
    assert of(evidence(shop, checkpoints=(str(kept),)), "ledger.integrity").result == "no_deviation"
    shop.write(*(allowed(person, one) for person, one in shop.keys.items()))
    found = evidence(shop, checkpoints=(str(kept),))
    assert {word for _, word in bad(found, "ledger.integrity")} == {"bad_signature"}


def test_an_override_that_could_still_be_reviewed_is_told_in_the_next_period(shop: Office) -> None:
    run(shop, 0)
    given = give(shop, END - 1)
    name = "change.override_approved"
    assert [one.item for one in of(evidence(shop), name).untested] == [given.given.id]
    wish = EvidenceWish(start=shop.at(END), end=shop.at(2 * END))
    after = period_evidence(wish, place=shop.place, machine=shop.product.machine(), now=shop.at(30))
    assert bad(after, name) == {(given.given.id, "not_reviewed_in_time")}


def test_what_no_checkpoint_is_of_is_not_tested(shop: Office, tmp_path: Path) -> None:
    """A true checkpoint of the first entries shows nothing of what was recorded since."""
    run(shop, 0)
    key = make_key(tmp_path / "keys", "machine")
    with (shop.folder / "allowed_signers").open("a") as signers:
        signers.write(allowed("machine:ci", key))
    kept = tmp_path / "kept.json"
    machine = shop.product.machine()
    first = custody.take_checkpoint(shop.place, to=str(kept), key=str(key.path), machine=machine, now=shop.at(1))
    size = first.sealed.checkpoint.size
    run(shop, 2)
    found = of(evidence(shop, checkpoints=(str(kept),)), "ledger.integrity")
    assert (found.result, found.population, found.tested) == ("not_tested", 2, 1)
    assert f"(entries {size} to " in found.untested[0].item
    run(shop, END + 1)
    custody.take_checkpoint(shop.place, to=str(kept), key=str(key.path), machine=machine, now=shop.at(END + 2))
    run(shop, END + 3)
    wish = EvidenceWish(start=NOW, end=shop.at(END), checkpoints=(str(kept),))
    later = period_evidence(wish, place=shop.place, machine=machine, now=shop.at(END + 4))
    assert of(later, "ledger.integrity").result == "no_deviation", "what is behind the period is no part of it"


def test_a_ledger_that_was_cut_off_is_shorter_than_its_checkpoint(shop: Office, tmp_path: Path) -> None:
    run(shop, 0)
    file = Path(shop.git.root) / ".git" / "secgate" / "ledger.sqlite"
    before = file.read_bytes()
    run(shop, 1)
    kept = tmp_path / "kept.json"
    key = make_key(tmp_path / "keys", "machine")
    # By a key that counts for nobody, which only a place without an enforced layer signs with.
    place = statements.Place(path=shop.place.path)
    custody.take_checkpoint(place, to=str(kept), key=str(key.path), machine=shop.product.machine(), now=shop.at(1))
    for path in file.parent.glob("ledger.sqlite*"):
        path.unlink()
    file.write_bytes(before)
    assert SqliteLedger(str(file), read_only=True).head().size
    words = {word for _, word in bad(evidence(shop, checkpoints=(str(kept),)), "ledger.integrity")}
    assert words == {"shorter_than_checkpoint", "bad_signature"}


def test_the_command_gives_a_page_and_json(shop: Office) -> None:
    run(shop, 0)

    def check(*more: str) -> Ended:
        return shop.product.cli(
            *("evidence", "check", "--from", "2026-03-01T12:00:00Z", "--to", "2026-03-15", "--framework", "soc2"),
            *("--path", shop.place.path, "--enforced", str(shop.folder), *more),
        )

    ended = check()
    assert (ended.code, ended.err) == (0, ""), ended
    assert ended.out.startswith("Evidence of 2026-03-01 12:00 UTC until before 2026-03-15 00:00 UTC\n")
    assert "\nchange.gated: NOT TESTED\n" in ended.out
    told = json.loads(check("--format", "json").data)["evidence"]
    assert told["period"]["to_epoch_s"] == int(datetime(2026, 3, 15, tzinfo=UTC).timestamp())
    assert check("--to", "2999-01-01").code == 2
    assert check("--framework", "sox").code == 2
    assert check("--ledger", "nowhere").code == 5
