"""Tries to get an exception that nobody agreed to: each is refused when it is said, and again in each run."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from secgate import statements
from secgate.agreement import Approval as DowngradeApproval
from secgate.downgrades import PROCEDURE, Downgrade
from secgate.errors import UsageError
from secgate.events import to_entry
from secgate.ledgers.sqlite import SqliteLedger
from secgate.memory import Memory
from secgate.model import KnownStatement, Outcome, RunDocument, Scope, Severity, encode
from secgate.overrides import GIVEN, Override
from secgate.overrides import NAMESPACES as OVERRIDE_NAMESPACES
from secgate.record import append_events
from secgate.signed_events import (
    DowngradeApproved,
    DowngradeRequested,
    OverrideGiven,
    SignedEvent,
    WaiverApproved,
    WaiverRequested,
)
from secgate.statements import DowngradeWish, Place, Speaker
from secgate.waivers import APPROVED, NAMESPACES, Approval, Waiver
from tests.product import DAY, NOW, WEAK, Product, outcome
from tests.runs.office import Office
from tests.signing_support import ADA, EVE, Key, allowed, make_key, sign
from tests.unit.conftest import Git, SubprocessRunner

START = int(NOW.timestamp())


@pytest.fixture
def weak(office: Office) -> Office:
    """A high weakness on the line `main`."""
    office.git.commit({"app.py": WEAK})
    run(office)
    return office


def run(office: Office, days: float = 0, **options: str) -> RunDocument:
    return office.run(days, **{"scope": "protected", "ref": "refs/heads/main", **options})


def second_key(office: Office, person: str = ADA) -> Key:
    """Give a person one more key that counts."""
    key = make_key(office.folder.parent / "keys", f"second-{person}")
    office.write(*(allowed(one, held) for one, held in office.keys.items()), allowed(person, key))
    return key


def lower(office: Office, person: str = EVE) -> Downgrade:
    return statements.request_downgrade(
        run(office).findings[0].fingerprint,
        DowngradeWish(severity=Severity.LOW, reason="ours", expires=NOW + 60 * DAY),
        speaker=office.speaker(person),
        place=office.place,
        machine=office.product.machine(),
        now=NOW,
    )


def ledger(office: Office) -> SqliteLedger:
    return SqliteLedger(str(office.git.root / ".git" / "secgate" / "ledger.sqlite"), read_only=False)


def write(office: Office, event: SignedEvent, days: float = 0) -> None:
    """Write to the ledger as somebody does who can, and does not ask secgate."""
    append_events([to_entry(event)], ledger(office), memory=Memory(), now=office.at(days))


def signature(office: Office, statement: bytes, namespace: str, key: Key) -> str:
    file = Path(office.product.home) / "statement"
    file.write_bytes(statement)
    sign(file, key, namespace)
    return file.with_name("statement.sig").read_text()


def said(office: Office) -> list[KnownStatement]:
    memory = Memory()
    memory.catch_up(ledger(office))
    return memory.statements


def refused(office: Office, days: float = 8) -> str:
    """Run when the finding is overdue: it fails, and says what of the ledger counts for nothing."""
    late = run(office, days)
    assert outcome(late) is Outcome.FAIL
    return " ".join(late.notes)


def test_the_second_key_of_one_person_is_no_second_person(weak: Office) -> None:
    key = second_key(weak)
    waiver = weak.ask(run(weak).findings[0].fingerprint, person=ADA)
    downgrade = lower(weak, person=ADA)
    spoken: dict[str, Any] = {
        "speaker": Speaker(person=ADA, key=str(key.path)),
        "place": weak.place,
        "machine": weak.product.machine(),
        "now": NOW,
    }
    for approve, name in ((statements.approve, waiver.id), (statements.approve_downgrade, downgrade.id)):
        with pytest.raises(UsageError, match="cannot approve it"):
            approve(name, **spoken)
    agreed = encode(Approval(request=waiver.id, approver=ADA, approved_epoch_s=START))
    write(weak, WaiverApproved(statement=agreed.decode(), signature=signature(weak, agreed, NAMESPACES[APPROVED], key)))
    lowered = encode(
        DowngradeApproval(
            schema=PROCEDURE.schema("approval"), request=downgrade.id, approver=ADA, approved_epoch_s=START
        )
    )
    namespace = PROCEDURE.namespaces[PROCEDURE.approved]
    write(weak, DowngradeApproved(statement=lowered.decode(), signature=signature(weak, lowered, namespace, key)))
    told = refused(weak)
    assert told.count(f"`{ADA}` asked for it and cannot approve it") == 2


def test_a_signature_for_one_kind_is_none_for_another(weak: Office) -> None:
    waiver = weak.ask(run(weak).findings[0].fingerprint)
    agreed = encode(Approval(request=waiver.id, approver=ADA, approved_epoch_s=START))
    made = signature(weak, agreed, PROCEDURE.namespaces[PROCEDURE.approved], weak.keys[ADA])
    write(weak, WaiverApproved(statement=agreed.decode(), signature=made))
    assert "the signature is for `secgate-downgrade-approval`" in refused(weak)


@pytest.mark.parametrize("change", [{"expires_epoch_s": START + 900 * 86400}, {"reason": "another one"}])
def test_what_is_changed_after_it_was_signed_counts_for_nothing(weak: Office, change: dict[str, Any]) -> None:
    """Stretched or reworded: the signature is for other bytes, and the approval for another request."""
    weak.waive(run(weak).findings[0].fingerprint, life=5)
    (asked, agreed) = said(weak)
    stretched = encode(msgspec.json.decode(asked.statement) | change)
    write(weak, WaiverRequested(statement=stretched.decode(), signature=asked.signature))
    write(weak, WaiverApproved(statement=agreed.statement, signature=agreed.signature))
    told = refused(weak)
    assert "(waiver-requested) counts for nothing: the signature does not verify" in told
    assert "is expired: it ended 2026-03-06" in told


def test_a_statement_with_a_field_too_many_does_not_read(weak: Office) -> None:
    lower(weak)
    (asked,) = said(weak)
    more = encode(msgspec.json.decode(asked.statement) | {"approver": ADA})
    namespace = PROCEDURE.namespaces[PROCEDURE.requested]
    write(weak, DowngradeRequested(statement=more.decode(), signature=signature(weak, more, namespace, weak.keys[EVE])))
    assert "(downgrade-requested) counts for nothing: it does not read" in refused(weak)


def test_what_was_said_of_another_repository_counts_here_for_nothing(weak: Office, tmp_path: Path) -> None:
    """The same weakness in two repositories, and all that people signed for one written into the other's ledger."""
    weak.waive(run(weak).findings[0].fingerprint)
    given = encode(
        Override(
            repository=run(weak).target.repository,
            line="main",
            reason="down",
            by=EVE,
            given_epoch_s=START,
            until_epoch_s=START + 3600,
        )
    )
    made = signature(weak, given, OVERRIDE_NAMESPACES[GIVEN], weak.keys[EVE])
    assert outcome(run(weak, 8)) is Outcome.PASS
    other = Git(tmp_path / "other", tmp_path / "other-home", SubprocessRunner()).init()
    other.commit({"app.py": WEAK})
    there = copy.copy(weak)
    there.git = other
    assert run(there).findings[0].anchor == run(weak, 8).findings[0].anchor
    for one in said(weak):
        kind = WaiverRequested if one.type.endswith("requested") else WaiverApproved
        write(there, kind(statement=one.statement, signature=one.signature))
    write(there, OverrideGiven(statement=given.decode(), signature=made))
    late = run(there, 8)
    assert late.decision is not None
    assert (outcome(late), late.decision.exit_code, late.decision.override) == (Outcome.FAIL, 1, None)
    assert "waiver" not in " ".join(late.notes)


@pytest.mark.parametrize(("login", "person"), [("eve-n", EVE), ("Ada-L", ADA), ("somebody", "")])
def test_who_wrote_the_change_neither_asks_nor_approves(office: Office, login: str, person: str) -> None:
    """Eve asks and Ada approves; a change by either of them, as CI says, is judged without what they agreed on."""
    people = office.folder / "people.toml"
    people.write_text(people.read_text() + 'handles = { github = ["eve-n"] }\n')
    base = office.git.commit({"app.py": "x = 1\n"})
    head = office.git.commit({"app.py": WEAK})
    first = office.run(changed_since="HEAD~1")
    office.waive(first.findings[0].fingerprint)
    change = {"base": {"ref": "main", "sha": base}, "head": {"ref": "topic", "sha": head, "repo": {"fork": False}}}
    event = office.product.home / "event.json"
    event.write_text(json.dumps({"pull_request": {**change, "user": {"login": login}}}))
    office.product.env.update(
        GITHUB_ACTIONS="true",
        GITHUB_EVENT_NAME="pull_request",
        GITHUB_REPOSITORY="example/shop",
        GITHUB_REF="refs/pull/1/merge",
        GITHUB_BASE_REF="main",
        GITHUB_ACTOR=login,
        GITHUB_EVENT_PATH=str(event),
        GITHUB_SHA=head,
    )
    judged = office.run()
    assert (judged.target.scope, outcome(judged) is Outcome.PASS) == (Scope.CHANGE, not person)
    assert (f"`{person}`, who is in it, wrote the change" in " ".join(judged.notes)) is bool(person)


def test_a_clock_that_is_put_back_ends_nothing_later(weak: Office) -> None:
    weak.waive(run(weak).findings[0].fingerprint, life=9)
    assert outcome(run(weak, 10)) is Outcome.FAIL
    back = run(weak, 8)
    assert outcome(back) is Outcome.FAIL
    assert "is expired" in " ".join(back.notes)


def test_what_is_approved_with_the_clock_put_back_has_the_ledgers_time(weak: Office) -> None:
    waiver = weak.ask(run(weak, 6).findings[0].fingerprint, days=6)
    assert weak.approve(waiver, days=1).approved_epoch_s == START + 6 * 86400


def test_a_list_of_signers_in_the_tree_adds_nobody(weak: Office, product: Product) -> None:
    """Nobody signs the list of signers: it counts because of where it lies, and a tree cannot choose that."""
    mallory = make_key(weak.folder.parent / "keys", "mallory")
    tree = {name: (weak.folder / name).read_text() for name in ("people.toml", "enforced.toml", "revoked")}
    tree["allowed_signers"] = allowed(ADA, mallory)
    weak.git.commit({**tree, **{f".secgate/{name}": text for name, text in tree.items()}})
    weak.git("config", "gpg.ssh.allowedSignersFile", str(weak.git.root / "allowed_signers"))
    waiver: Waiver = weak.ask(run(weak).findings[0].fingerprint)
    agreed = encode(Approval(request=waiver.id, approver=ADA, approved_epoch_s=START))
    made = signature(weak, agreed, NAMESPACES[APPROVED], mallory)
    write(weak, WaiverApproved(statement=agreed.decode(), signature=made))
    assert "nobody who counts has the key" in refused(weak)
    inside = Place(path=str(weak.git.root), enforced=str(weak.git.root / ".secgate"))
    with pytest.raises(UsageError, match="lies inside the scanned tree"):
        statements.approve(
            waiver.id,
            speaker=Speaker(person=ADA, key=str(mallory.path)),
            place=inside,
            machine=product.machine(),
            now=NOW,
        )


@pytest.mark.parametrize("reason", ["", " \u200b.", "y" * 2_001])
def test_what_no_later_reading_would_take_is_not_said(weak: Office, reason: str) -> None:
    name = run(weak).findings[0].fingerprint
    waiver = weak.waive(name)
    before = said(weak)
    given: dict[str, Any] = {
        "speaker": weak.speaker(EVE),
        "place": weak.place,
        "machine": weak.product.machine(),
        "now": NOW,
    }
    wish = statements.Wish(kind="accept", reason=reason, expires=NOW + 9 * DAY)
    less = DowngradeWish(severity=Severity.LOW, reason=reason, expires=NOW + 9 * DAY)
    attempts: list[tuple[Any, tuple[object, ...]]] = [
        (statements.request_for_finding, (name, wish)),
        (statements.revoke, (waiver.id, reason)),
        (statements.request_downgrade, (name, less)),
    ]
    for say, words in attempts:
        with pytest.raises(UsageError, match="it would count for nothing"):
            say(*words, **given)
    assert said(weak) == before
