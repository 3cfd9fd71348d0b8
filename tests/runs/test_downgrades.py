"""Downgrades through whole runs: asked for, approved by another before the deadline, counted, ended."""

from __future__ import annotations

import json
from typing import Any

import pytest

from secgate import queries, statements
from secgate.agreement import Approval
from secgate.downgrades import Downgrade
from secgate.errors import SecgateError, UsageError
from secgate.event import Event
from secgate.events import ObligationSuperseded, event_of, to_entry
from secgate.ledgers.sqlite import SqliteLedger
from secgate.memory import Memory
from secgate.model import Outcome, RunDocument, Severity, encode
from secgate.record import append_events
from secgate.signed_events import DowngradeApproved, DowngradeRequested
from secgate.statements import DowngradeWish
from tests.product import NOW, WEAK, Ended, outcome
from tests.runs.office import Office
from tests.signing_support import ADA, EVE, allowed, sign

START = int(NOW.timestamp())
EDITED = WEAK.replace("eval(text)", "eval(text + text)")


def run(office: Office, days: float = 0, **options: str) -> RunDocument:
    return office.run(days, **{"scope": "protected", "ref": "refs/heads/main", **options})


def ask(
    office: Office, name: str, *, days: float = 0, life: float = 60, to: str = "medium", person: str = EVE
) -> Downgrade:
    return statements.request_downgrade(
        name,
        DowngradeWish(severity=Severity(to), reason="only ever our own text", expires=office.at(days + life)),
        speaker=office.speaker(person),
        place=office.place,
        machine=office.product.machine(),
        now=office.at(days),
    )


def approve(office: Office, asked: Downgrade, *, days: float = 0, person: str = ADA) -> Downgrade:
    return statements.approve_downgrade(
        asked.id[:12],
        speaker=office.speaker(person),
        place=office.place,
        machine=office.product.machine(),
        now=office.at(days),
    )


def lower(office: Office, *, days: float = 1, life: float = 60, to: str = "medium") -> Downgrade:
    name = run(office, days).findings[0].fingerprint
    return approve(office, ask(office, name, days=days, life=life, to=to), days=days)


def ledger(office: Office, *, read_only: bool = True) -> SqliteLedger:
    return SqliteLedger(str(office.git.root / ".git" / "secgate" / "ledger.sqlite"), read_only=read_only)


def events(office: Office, kind: type[Any]) -> list[Any]:
    found: list[Event | None] = [event_of(entry) for entry in ledger(office).read()]
    return [event for event in found if isinstance(event, kind)]


def standing(document: RunDocument) -> list[tuple[str, int]]:
    """Give basis and start of the duties that stand, in days from the first run."""
    duties = document.findings[0].obligations
    return sorted((one.basis, (one.start_epoch_s - START) // 86400) for one in duties if not one.superseded)


@pytest.fixture
def weak(office: Office) -> Office:
    """A high weakness, first seen on day 0: due after 7 days."""
    office.git.commit({"app.py": WEAK})
    assert run(office).findings[0].severity is Severity.HIGH
    return office


def test_its_time_is_counted_anew_from_first_seen(weak: Office) -> None:
    made = lower(weak, days=6)
    late = run(weak, 8)
    assert outcome(late) is Outcome.PASS
    assert standing(late) == [("severity:medium", 0)]
    (taken,) = events(weak, ObligationSuperseded)
    assert (taken.basis, taken.downgrade, taken.approved_epoch_s) == ("severity:high", made.id, START + 6 * 86400)
    assert standing(run(weak, 9)) == [("severity:medium", 0)]
    assert len(events(weak, ObligationSuperseded)) == 1


def test_the_explanation_says_in_words_what_two_people_agreed(weak: Office) -> None:
    made = lower(weak, days=6)
    name = run(weak, 8).findings[0].fingerprint
    told = queries.explanation(name, run="", place=weak.place, machine=weak.product.machine(), now=weak.at(9))
    (note,) = [note for note in told.notes if note.startswith("downgrade ")]
    assert note.startswith(f"downgrade {made.id[:12]}: two people agreed that it counts as medium until ")
    assert note.endswith(f"approved by {ADA}; the tools say high, and only the clock of the severity moved")
    assert any(
        "severity:high: " in line and line.endswith("superseded by an approved downgrade") for line in told.clock
    )


def test_a_request_alone_changes_nothing(weak: Office) -> None:
    ask(weak, run(weak, 1).findings[0].fingerprint, days=1)
    assert outcome(run(weak, 8)) is Outcome.FAIL


def test_it_is_overdue_by_the_lower_severity_too(weak: Office) -> None:
    lower(weak, days=6, life=80)
    assert outcome(run(weak, 30)) is Outcome.PASS
    assert outcome(run(weak, 30.01)) is Outcome.FAIL


def test_after_the_deadline_none_is_approved(weak: Office) -> None:
    asked = ask(weak, run(weak, 6).findings[0].fingerprint, days=6)
    with pytest.raises(UsageError, match="moves nothing"):
        approve(weak, asked, days=7.01)
    run(weak, 8)
    with pytest.raises(UsageError, match="moves nothing"):
        approve(weak, asked, days=6.5)  # the clock was put back


def test_one_approved_after_the_deadline_by_another_way_moves_nothing_and_that_is_said(weak: Office) -> None:
    asked = ask(weak, run(weak, 6).findings[0].fingerprint, days=6)
    said = Approval(schema="secgate/downgrade-approval/v1", request=asked.id, approver=ADA, approved_epoch_s=START)
    say(weak, encode(said), "secgate-downgrade-approval", ADA, DowngradeApproved, days=7.01)
    late = run(weak, 8)
    assert outcome(late) is Outcome.FAIL
    assert "came too late for severity:high, due 2026-03-08 12:00:00 UTC, which stands" in " ".join(late.notes)
    assert events(weak, ObligationSuperseded) == []


@pytest.mark.parametrize(
    ("ends", "why", "since"),
    [
        ("expires", "is expired: it ended 2026-03-18", 17),
        ("is edited", "is void: its code was edited", 16),
        ("is revoked", f"is void: revoked by {EVE}: no longer so", 16),
    ],
)
def test_when_it_ends_the_duty_counts_from_then(weak: Office, ends: str, why: str, since: int) -> None:
    made = lower(weak, days=6, life=11)
    assert outcome(run(weak, 8)) is Outcome.PASS
    if ends == "is edited":
        weak.git.commit({"app.py": EDITED})
    elif ends == "is revoked":
        statements.revoke_downgrade(
            made.id,
            "no longer so",
            speaker=weak.speaker(EVE),
            place=weak.place,
            machine=weak.product.machine(),
            now=weak.at(16),
        )
    after = run(weak, 16.9 if ends == "is edited" else 18)
    assert outcome(after) is Outcome.PASS
    assert why in " ".join(after.notes)
    assert standing(after) == [("severity:high", since), ("severity:medium", 0)]
    assert standing(run(weak, 19)) == standing(after)
    assert outcome(run(weak, 26)) is Outcome.FAIL


def test_one_of_a_file_that_was_renamed_counts_in_later_runs_too(weak: Office) -> None:
    made = lower(weak)
    weak.git("mv", "app.py", "shop.py")
    weak.git.commit()
    later = [run(weak, days).findings[0].downgraded for days in (2, 3, 20)]
    assert [one and one.id for one in later] == [made.id] * 3


def test_a_key_that_never_should_have_counted_takes_its_approvals_with_it(weak: Office) -> None:
    lower(weak, days=6)
    assert outcome(run(weak, 8)) is Outcome.PASS
    weak.write(*(allowed(person, key) for person, key in weak.keys.items()), revoked=weak.keys[ADA].public + "\n")
    after = run(weak, 9)
    assert outcome(after) is Outcome.FAIL
    assert "(downgrade-approved) counts for nothing" in " ".join(after.notes)
    assert standing(after) == [("severity:high", 0), ("severity:medium", 0)]


def test_a_change_is_judged_by_what_it_counts_as(office: Office) -> None:
    office.git.commit({"app.py": "x = 1\n"})
    office.git.commit({"app.py": WEAK})
    first = office.run(changed_since="HEAD~1")
    assert outcome(first) is Outcome.FAIL
    approve(office, ask(office, first.findings[0].fingerprint))
    assert outcome(office.run(changed_since="HEAD~1")) is Outcome.PASS


LIMITS = {
    "version": 1,
    "severity_s": {"critical": 86400, "high": 604800, "medium": 2592000, "low": 7776000},
    "new_denied": ["critical", "high"],
    "downgrades_s": {"critical": 86400, "high": 5 * 86400, "medium": 86400},
}


def test_the_agenda_says_why_a_finding_has_more_time_than_its_severity_allows(weak: Office) -> None:
    made = lower(weak)
    run(weak, 2)
    ended = weak.product.cli("sla", "--format", "json", "--enforced", str(weak.folder), cwd=weak.git.root)
    (why,) = [one["why"] for one in json.loads(ended.out)["told"]["findings"]]
    assert why.startswith("medium severity allows 30 d from ")
    assert why.endswith(f"; the downgrade {made.id[:12]} took severity:high back")


def test_none_lives_longer_than_the_policy_allows_for_its_severity(weak: Office) -> None:
    lower(weak, days=1, life=50)
    (weak.folder / "data").mkdir()
    (weak.folder / "data" / "limits.json").write_text(json.dumps({"limits": LIMITS}))
    with pytest.raises(UsageError, match=r"from high lasts 5 d at most \(`downgrades_s.high` in data/limits.json\)"):
        ask(weak, run(weak, 1).findings[0].fingerprint, days=1, life=50)
    assert "ends in 2 h 24 min" in " ".join(run(weak, 5.9).notes)
    assert "is expired: it ended 2026-03-07 12:00:00 UTC" in " ".join(run(weak, 6.1).notes)


# -------------------------------------------------------------------------------------------------------- hostile tries


def say(office: Office, statement: bytes, namespace: str, person: str, event: Any, *, days: float = 1) -> None:
    """Write what somebody signed to the ledger as somebody would who does not ask secgate to check it."""
    file = office.git.root.parent / "statement"
    file.write_bytes(statement)
    sign(file, office.keys[person], namespace)
    signature = file.with_name("statement.sig").read_text()
    entry = to_entry(event(statement=statement.decode(), signature=signature))
    append_events([entry], ledger(office, read_only=False), memory=Memory(), now=office.at(days))


def test_nobody_approves_what_they_asked_for(weak: Office) -> None:
    asked = ask(weak, run(weak).findings[0].fingerprint, person=ADA)
    with pytest.raises(UsageError, match="cannot approve it"):
        approve(weak, asked)


def test_an_approver_has_the_role(weak: Office) -> None:
    asked = ask(weak, run(weak).findings[0].fingerprint, person=ADA)
    with pytest.raises(UsageError, match="the role `approver` is missing"):
        approve(weak, asked, person=EVE)


@pytest.mark.parametrize(
    ("change", "error", "what"),
    [
        ({"to": "high"}, UsageError, "the finding counts as high: high is not less"),
        ({"to": "info"}, UsageError, "nothing is downgraded to info"),
        ({"life": -1}, UsageError, "would have ended already"),
        ({"name": "ffff"}, UsageError, "0 findings of run"),
        ({"person": "p-none"}, SecgateError, "p-none"),
    ],
)
def test_what_cannot_be_asked_for(weak: Office, change: dict[str, Any], error: type[SecgateError], what: str) -> None:
    weak.keys["p-none"] = weak.keys[EVE]
    name = change.pop("name", run(weak).findings[0].fingerprint)
    with pytest.raises(error, match=what):
        ask(weak, name, **change)
    assert events(weak, DowngradeRequested) == []


def test_the_command_line_from_request_to_check(weak: Office) -> None:
    layer = ["--enforced", str(weak.folder)]
    assert weak.product.cli("run", "--scope", "protected", *layer, cwd=weak.git.root).code == 1

    def said(*arguments: str, person: str = "") -> Ended:
        who = ["--as", person, "--key", str(weak.keys[person].path)] if person else []
        return weak.product.cli("downgrade", *arguments, *layer, *who, cwd=weak.git.root)

    shown = weak.product.cli("show", "--format", "json", cwd=weak.git.root).out
    name = json.loads(shown)["run"]["findings"][0]["fingerprint"][:16]
    asked = said("request", name, "--to", "medium", "--reason", "ours", "--until", "30d", person=EVE)
    assert asked.code == 0, asked
    assert said("check").code == 1
    late = said("approve", asked.out[:10], person=ADA)
    assert (late.code, "moves nothing" in late.err) == (2, True)
    listing = said("list")
    assert "from high to medium: " in listing.out
    assert max(map(len, listing.out.splitlines())) <= 80
    assert json.loads(said("list", "--format", "json").out)[0]["state"] == "requested"
    assert said("revoke", asked.out[:10], "--reason", "never mind", person=ADA).code == 0
    assert "void: revoked by" in said("list").out
