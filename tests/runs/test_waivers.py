"""Waivers through whole runs: asked for, approved by another, bound to what they were given for, ended."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from secgate import statements
from secgate.bounds import Bound
from secgate.errors import LedgerError, SecgateError, SignatureError, UsageError
from secgate.events import to_entry
from secgate.ledgers.sqlite import SqliteLedger
from secgate.memory import Memory
from secgate.model import Lane, Outcome, RunDocument, Word
from secgate.record import append_events
from secgate.signed_events import WaiverApproved, WaiverRequested
from secgate.statements import Wish
from secgate.statements.desk import desk_at, say
from secgate.waivers import NAMESPACES, REQUESTED, Approval, GapSubject, Request, Waiver, statement_of
from tests.product import DAY, NOW, WEAK, Ended, gaps, outcome
from tests.runs.office import Office
from tests.signing_support import ADA, EVE, allowed

POLICIES = Path(__file__).parents[2] / "policies"
TWINS = "def one(text):\n    eval(text)\n    eval(text)\n    eval(text)\n"


def words(document: RunDocument) -> list[Word]:
    assert document.decision is not None
    return sorted(one.word for one in document.decision.verdicts if one.subject == "finding")


def test_a_waiver_of_two_people_lets_a_finding_pass_and_says_so(office: Office) -> None:
    office.git.commit({"app.py": WEAK})
    first = office.run()
    assert outcome(first) is Outcome.FAIL
    waiver = office.ask(first.findings[0].fingerprint[:16])
    assert outcome(office.run()) is Outcome.FAIL
    office.approve(waiver)
    waived = office.run()
    assert outcome(waived) is Outcome.PASS
    assert words(waived) == [Word.WAIVED]
    assert waived.decision is not None
    reasons = [one.reason for one in waived.decision.verdicts if one.subject == "finding"]
    assert reasons == [f"risk accepted until 2026-03-31 12:00:00 UTC, approved by {ADA}"]


@pytest.mark.parametrize(("days", "result"), [(29.9, Outcome.PASS), (30, Outcome.FAIL)])
def test_it_ends_to_the_second(office: Office, days: float, result: Outcome) -> None:
    office.git.commit({"app.py": WEAK})
    office.waive(office.run().findings[0].fingerprint)
    late = office.run(days)
    assert outcome(late) is result
    told = "ends in 2 h" if result is Outcome.PASS else "is expired: it ended 2026-03-31 12:00:00 UTC"
    assert told in " ".join(late.notes)


def test_none_is_asked_for_beyond_what_the_policy_allows(office: Office) -> None:
    office.git.commit({"app.py": WEAK, "old/tool.sh": "echo\n"})
    found = office.run().findings[0]
    limit = re.escape(f"a waiver of a {found.severity} finding lasts 90 d at most (`waivers_s.{found.severity}` in")
    with pytest.raises(UsageError, match=limit):
        office.ask(found.fingerprint, life=91)
    with pytest.raises(UsageError, match=re.escape("a waiver of a gap lasts 90 d at most (`waivers_s.gap` in")):
        ask_for_gap(office, "unsupported", "old/", life=91)
    assert statements.listed(place=office.place, machine=office.product.machine(), now=NOW).waivers == ()
    assert office.ask(found.fingerprint, life=90).request.reason


def test_none_lives_longer_than_the_policy_allows(office: Office) -> None:
    office.git.commit({"app.py": WEAK})
    office.waive(office.run().findings[0].fingerprint, life=60)
    (office.folder / "data").mkdir()
    days = dict.fromkeys(("critical", "high", "medium", "low", "info", "gap"), 30 * 86400)
    shipped = json.loads((POLICIES / "data" / "limits.json").read_text())["limits"]
    (office.folder / "data" / "limits.json").write_text(json.dumps({"limits": {**shipped, "waivers_s": days}}))
    assert outcome(office.run(29)) is Outcome.PASS
    assert outcome(office.run(30)) is Outcome.FAIL


def test_it_moves_no_clock(office: Office) -> None:
    office.git.commit({"app.py": WEAK})
    office.run(scope="protected")
    office.waive(office.run(scope="protected").findings[0].fingerprint, life=20)
    assert outcome(office.run(19, scope="protected")) is Outcome.PASS
    late = office.run(21, scope="protected")
    assert outcome(late) is Outcome.FAIL
    assert {duty.start_epoch_s for duty in late.findings[0].obligations} == {int(NOW.timestamp())}


def test_editing_the_code_voids_it(office: Office) -> None:
    office.git.commit({"app.py": WEAK})
    office.run(scope="protected")
    office.waive(office.run(scope="protected").findings[0].fingerprint)
    office.git.commit({"app.py": WEAK.replace("eval(text)", "eval(text + text)")})
    edited = office.run(8, scope="protected")
    assert outcome(edited) is Outcome.FAIL
    assert "is void: its code was edited" in " ".join(edited.notes)


GROUP = """\
resource "aws_security_group" "shop" {
  name        = "shop"
  description = "the shop"

  ingress {
    from_port   = 22
    to_port     = 22
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
}
"""


@pytest.mark.parametrize(
    ("edited", "holds"),
    [
        (GROUP.replace("the shop", "the shop and its cellar"), False),
        (GROUP.replace("to_port     = 22", "to_port     = 2222"), False),
        (GROUP + 'resource "aws_eip" "shop" {\n}\n', True),
        ("# all of it\n" + GROUP, True),
    ],
)
def test_of_infrastructure_the_whole_resource_is_bound(office: Office, edited: str, holds: bool) -> None:
    office.git.commit({"main.tf": GROUP})
    (one,) = [finding for finding in office.run().findings if "aws_security_group.shop" in finding.symbol][:1]
    office.waive(one.fingerprint)
    office.git.commit({"main.tf": edited})
    assert (Word.WAIVED in words(office.run())) is holds


def test_moving_the_code_does_not(office: Office) -> None:
    office.git.commit({"app.py": WEAK})
    office.waive(office.run().findings[0].fingerprint)
    office.git.commit({"app.py": "import os\n\n\n" + WEAK})
    assert outcome(office.run()) is Outcome.PASS


def test_of_twins_as_many_are_waived_as_there_are_waivers(office: Office) -> None:
    office.git.commit({"app.py": TWINS})
    findings = office.run().findings
    assert len(findings) == 3
    office.waive(findings[1].fingerprint)
    office.waive(findings[2].fingerprint)
    assert words(office.run()) == [Word.DENY, Word.WAIVED, Word.WAIVED]
    office.git.commit({"app.py": TWINS.replace("    eval(text)\n", "", 1)})
    assert words(office.run()) == [Word.WAIVED, Word.WAIVED]
    office.git.commit({"app.py": TWINS + "    eval(text)\n"})
    assert words(office.run()) == [Word.DENY, Word.DENY, Word.WAIVED, Word.WAIVED]


def revoke(office: Office, waiver: Waiver, reason: str, person: str = EVE) -> Waiver:
    speaker, machine = office.speaker(person), office.product.machine()
    return statements.revoke(waiver.id[:12], reason, speaker=speaker, place=office.place, machine=machine, now=NOW)


def test_revoking_ends_it(office: Office) -> None:
    office.git.commit({"app.py": WEAK})
    waiver = office.waive(office.run().findings[0].fingerprint)
    revoke(office, waiver, "the login is gone")
    with pytest.raises(UsageError, match=f"is revoked already, by {EVE}: the login is gone"):
        revoke(office, waiver, "once more", person=ADA)
    after = office.run()
    assert outcome(after) is Outcome.FAIL
    assert f"is void: revoked by {EVE}: the login is gone" in " ".join(after.notes)


def test_what_it_was_for_is_gone(office: Office) -> None:
    office.git.commit({"app.py": WEAK})
    office.waive(office.run().findings[0].fingerprint)
    office.git.commit({"app.py": "x = 1\n"})
    assert "is unused: " in " ".join(office.run().notes)


# ------------------------------------------------------------------------------------------------------------ who may


def test_nobody_approves_what_they_asked_for(office: Office) -> None:
    office.git.commit({"app.py": WEAK})
    waiver = office.ask(office.run().findings[0].fingerprint, person=ADA)
    with pytest.raises(UsageError, match="cannot approve it"):
        office.approve(waiver, person=ADA)


def test_an_approver_has_the_role(office: Office) -> None:
    office.git.commit({"app.py": WEAK})
    waiver = office.ask(office.run().findings[0].fingerprint, person=ADA)
    with pytest.raises(UsageError, match="the role `approver` is missing"):
        office.approve(waiver, person=EVE)


def test_nobody_speaks_with_anothers_key(office: Office) -> None:
    office.git.commit({"app.py": WEAK})
    waiver = office.ask(office.run().findings[0].fingerprint)
    office.keys[ADA] = office.keys[EVE]
    with pytest.raises(SignatureError, match=f"the key is `{EVE}`'s"):
        office.approve(waiver)


def test_who_writes_the_ledger_alone_approves_nothing(office: Office) -> None:
    office.git.commit({"app.py": WEAK})
    waiver = office.ask(office.run().findings[0].fingerprint)
    forged = Approval(request=waiver.id, approver=ADA, approved_epoch_s=int(NOW.timestamp()))
    event = WaiverApproved(statement=statement_of(forged).decode(), signature="none")
    ledger = SqliteLedger(str(office.git.root / ".git" / "secgate" / "ledger.sqlite"), read_only=False)
    append_events([to_entry(event)], ledger, memory=Memory(), now=NOW)
    after = office.run()
    assert outcome(after) is Outcome.FAIL
    assert "(waiver-approved) counts for nothing" in " ".join(after.notes)


def test_a_revoked_key_counts_from_then_on_no_more(office: Office) -> None:
    office.git.commit({"app.py": WEAK})
    office.waive(office.run().findings[0].fingerprint)
    lines = [allowed(person, key) for person, key in office.keys.items()]
    office.write(*lines, revoked=f'from="20270101" {office.keys[ADA].public}\n')
    assert outcome(office.run()) is Outcome.PASS
    verify = ("ledger", "verify", "--enforced", str(office.folder))
    assert "2 signed statements; every signature counts\n" in office.product.cli(*verify, cwd=office.git.root).out
    office.write(*lines, revoked=office.keys[ADA].public + "\n")
    assert outcome(office.run()) is Outcome.FAIL
    ended = office.product.cli(*verify, cwd=office.git.root)
    told = "2 signed statements; every signature is right; by revoked keys, and so for nothing: 1\n"
    assert (ended.code, told in ended.out) == (0, True), ended


def test_without_an_enforced_layer_no_waiver_counts(office: Office) -> None:
    office.git.commit({"app.py": WEAK})
    office.waive(office.run().findings[0].fingerprint)
    alone = office.product.run(office.git.root)
    assert outcome(alone) is Outcome.FAIL
    assert "nobody's signature counts" in " ".join(alone.notes)


@pytest.mark.parametrize(
    ("change", "error", "what"),
    [
        ({"name": "ffff"}, UsageError, "0 findings of run"),
        ({"person": "p-none"}, SecgateError, "p-none"),
        ({"life": -1}, UsageError, "would have ended already"),
    ],
)
def test_what_cannot_be_asked_for(
    office: Office, change: dict[str, object], error: type[SecgateError], what: str
) -> None:
    office.git.commit({"app.py": WEAK})
    fingerprint = office.run().findings[0].fingerprint
    office.keys["p-none"] = office.keys[EVE]
    with pytest.raises(error, match=what):
        office.ask(**{"name": fingerprint, **change})  # type: ignore[arg-type]


def test_without_a_ledger_there_is_nobody_to_say_it_to(office: Office) -> None:
    office.git.commit({"app.py": WEAK})
    with pytest.raises((LedgerError, UsageError)):
        office.ask("ab")


# --------------------------------------------------------------------------------------------------------------- gaps


def ask_for_gap(office: Office, reason: str, path: str, life: float = 30) -> Waiver:
    return statements.request_for_gap(
        Lane.SAST,
        reason,
        path,
        Wish(kind="accept", reason="not shipped", expires=NOW + life * DAY),
        speaker=office.speaker(EVE),
        place=office.place,
        machine=office.product.machine(),
        now=NOW,
    )


def test_a_gap_is_waived_for_the_whole_tree_and_never_for_a_change(office: Office) -> None:
    office.git.commit({"app.py": "x = 1\n", "old/tool.sh": "echo\n"})
    first = office.run()
    assert outcome(first) is Outcome.INCONCLUSIVE
    (gap,) = gaps(first)
    asked = ask_for_gap(office, gap.reason, "old/")
    assert outcome(office.run()) is Outcome.INCONCLUSIVE
    office.approve(asked)
    assert outcome(office.run()) is Outcome.PASS
    office.git.commit({"old/tool.sh": "echo 2\n"})
    assert outcome(office.run(changed_since="HEAD~1")) is Outcome.INCONCLUSIVE


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("revoked", f"is void: revoked by {EVE}: shipped again; fix it, or ask anew: secgate coverage waive"),
        ("ended", "is expired: it ended 2026-03-31 12:00:00 UTC; fix it, or ask anew: secgate coverage waive"),
        ("asked for", "is requested: nobody has approved it yet; have a second person say: secgate waiver approve"),
    ],
)
def test_a_gap_whose_waiver_does_not_hold_is_told_which(office: Office, how: str, told: str) -> None:
    office.git.commit({"app.py": "x = 1\n", "old/tool.sh": "echo\n", "old/other.sh": "echo\n"})
    office.run()
    waiver = ask_for_gap(office, "unsupported", "old/")
    if how != "asked for":
        office.approve(waiver)
    if how == "revoked":
        revoke(office, waiver, "shipped again")
    after = office.run(31 if how == "ended" else 0)
    assert outcome(after) is Outcome.INCONCLUSIVE
    name = f"waiver {waiver.id[:12]} of sast: unsupported old/ "
    assert [one.removeprefix(name)[: len(told)] for one in after.notes if one.startswith(name)] == [told]


@pytest.mark.parametrize(
    ("reason", "path", "what"),
    [
        ("tool-mising", "old/", "`tool-mising` is no reason of a gap"),
        ("unsupported", "!old/", "'!old/' is no path pattern"),
        ("unsupported", "old/[z-a]", "is no class of characters"),
        ("unsupported", "./old/", "fits no file"),
        ("unsupported", "../old/", "fits no file"),
        ("unsupported", "a" * 1001, "it has 1,001 characters, and 1,000 are allowed"),
    ],
)
def test_a_waiver_that_no_gap_can_ever_have_is_not_asked_for(office: Office, reason: str, path: str, what: str) -> None:
    office.git.commit({"old/tool.sh": "echo\n"})
    office.run()
    with pytest.raises(UsageError, match=re.escape(what)):
        ask_for_gap(office, reason, path)
    machine = office.product.machine()
    assert statements.listed(place=office.place, machine=machine, now=NOW).waivers == ()


@pytest.mark.parametrize("path", ["!old/", "old/[z-a]"])
def test_a_pattern_that_is_none_counts_for_nothing_and_stops_no_run(office: Office, path: str) -> None:
    office.git.commit({"app.py": "x = 1\n", "old/tool.sh": "echo\n"})
    before = office.run()
    subject = GapSubject(lane=Lane.SAST, reason="unsupported", path=path, repository=before.target.repository)
    epoch_s = int(NOW.timestamp())
    asked = Request(
        kind="accept",
        subject=subject,
        bound=Bound(form="nothing"),
        reason="not shipped",
        requester=EVE,
        requested_epoch_s=epoch_s,
        expires_epoch_s=epoch_s + 86400,
    )
    with desk_at(office.place, machine=office.product.machine(), now=NOW) as desk:
        say(NAMESPACES[REQUESTED], asked, WaiverRequested, office.speaker(EVE), desk)
    after = office.run()
    assert outcome(after) is Outcome.INCONCLUSIVE
    assert any("(waiver-requested) counts for nothing: " in note for note in after.notes), after.notes


def test_an_empty_pattern_is_not_the_whole_lane(office: Office) -> None:
    office.git.commit({"app.py": WEAK})
    who = ("--as", EVE, "--key", str(office.keys[EVE].path), "--enforced", str(office.folder))
    words = ("coverage", "waive", "sast", "unsupported", "", "--until", "1d", "--reason", "x", *who)
    ended = office.product.cli(*words, cwd=office.git.root)
    assert (ended.code, ended.err.splitlines()[0]) == (2, "secgate: PATHS is empty")


# ------------------------------------------------------------------------------------------------------- command line


def test_the_command_line_from_request_to_check(office: Office) -> None:
    office.git.commit({"app.py": WEAK})
    layer = ["--enforced", str(office.folder)]
    office.product.cli("run", *layer, cwd=office.git.root)

    def say(*arguments: str, person: str = "") -> Ended:
        who = ["--as", person, "--key", str(office.keys[person].path)] if person else []
        return office.product.cli("waiver", *arguments, *layer, *who, cwd=office.git.root)

    shown = office.product.cli("show", "--format", "json", cwd=office.git.root).out
    fingerprint = json.loads(shown)["run"]["findings"][0]["fingerprint"][:16]
    asked = say(
        "request", fingerprint, "--kind", "false-positive", "--reason", "input is ours", "--until", "30d", person=EVE
    )
    assert asked.code == 0, asked
    assert say("check").code == 1
    assert say("approve", asked.out[:10], person=ADA).code == 0
    listing = say("list")
    assert "false-positive: 1\n" in listing.out
    assert f"asked for by {EVE}, approved by {ADA}" in listing.out
    assert max(map(len, listing.out.splitlines())) <= 80
    assert say("check").code == 0
    assert office.product.cli("run", *layer, cwd=office.git.root).code == 0
