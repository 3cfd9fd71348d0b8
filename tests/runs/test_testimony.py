"""What people testify to a ledger: reviews of the gate and revoked secrets, and the evidence that rests on them."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from secgate import statements
from secgate.assertions import Evidence
from secgate.errors import ConfigError, SecgateError, UsageError
from secgate.events import to_entry
from secgate.evidence import EvidenceWish, PeriodEvidence, period_evidence
from secgate.ledgers.sqlite import SqliteLedger
from secgate.memory import Memory
from secgate.model import Lane, RunDocument
from secgate.record import append_events
from secgate.signed_events import GateReviewed
from secgate.testimony import KnownReview, Reviewed, Vouched
from tests.product import KEY, NOW, Ended
from tests.runs.office import Office
from tests.signing_support import ADA, EVE

HOUR = 1 / 24
END = 31
"""Days of the period: March of 2026 from noon of its first day on."""


@pytest.fixture
def shop(office: Office) -> Office:
    office.git.commit({"app.py": f'key = "{KEY}"\n'})
    return office


def run(office: Office, days: float) -> RunDocument:
    return office.run(days, ref="refs/heads/main", scope="protected")


def sign(
    office: Office, days: float, *, start: float = -1, end: float = END, what: Reviewed = "results", person: str = ADA
) -> KnownReview:
    wish = statements.ReviewWish(start=office.at(start), end=office.at(end), what=(what,), note="all of it was read")
    return statements.sign_review(
        wish,
        speaker=office.speaker(person),
        place=office.place,
        machine=office.product.machine(),
        now=office.at(days),
    )


def revoke(office: Office, finding: str, *, at: float, days: float, reference: str = "INC-1") -> None:
    statements.tell_revocation(
        finding,
        office.at(at),
        reference,
        speaker=office.speaker(EVE),
        place=office.place,
        machine=office.product.machine(),
        now=office.at(days),
    )


def listed(office: Office) -> Vouched:
    return statements.listed_testimony(place=office.place, machine=office.product.machine(), now=office.at(90))


def evidence(office: Office, *, end: float = END, at: float = 90, enforced: bool = True) -> PeriodEvidence:
    place = office.place if enforced else statements.Place(path=office.place.path)
    wish = EvidenceWish(start=NOW, end=office.at(end))
    return period_evidence(wish, place=place, machine=office.product.machine(), now=office.at(at))


def of(found: PeriodEvidence, name: str) -> Evidence:
    return next(one for one in found.assertions if one.assertion == name)


def bad(found: PeriodEvidence, name: str) -> set[str]:
    return {one.exception for one in of(found, name).deviations}


# ----------------------------------------------------------------------------------------------------- periodic review


def test_a_month_that_somebody_signed_for_is_reviewed(shop: Office) -> None:
    run(shop, 0)
    before = of(evidence(shop, end=70), "review.periodic")
    told = {(one.item, one.exception) for one in before.deviations}
    assert told == {("2026-03-01", "no_review")}, "April and May have time to be reviewed yet"
    sign(shop, 35)
    found = of(evidence(shop, end=70), "review.periodic")
    assert (found.result, found.tested, found.population) == ("not_tested", 1, 3)
    waiting = "nobody signed for it yet, and its time was not over at the period's end"
    assert [(one.item, one.reason) for one in found.untested] == [("2026-04-01", waiting), ("2026-05-01", waiting)]


@pytest.mark.parametrize(
    ("days", "end", "what", "said"),
    [(70, END, "results", {"review_late"}), (35, 20, "results", {"no_review"}), (35, END, "access", {"no_review"})],
    ids=["late", "not all of it", "of something else"],
)
def test_a_review_counts_for_what_it_is_of(
    shop: Office, days: float, end: float, what: Reviewed, said: set[str]
) -> None:
    run(shop, 0)
    sign(shop, days, end=end, what=what)
    assert bad(evidence(shop, end=END, at=90), "review.periodic") | said == said
    wish = EvidenceWish(start=NOW, end=shop.at(70))
    found = period_evidence(wish, place=shop.place, machine=shop.product.machine(), now=shop.at(90))
    assert {one.exception for one in of(found, "review.periodic").deviations if one.item == "2026-03-01"} == said


def between(shop: Office, start: float, end: float, name: str) -> Evidence:
    wish = EvidenceWish(start=shop.at(start), end=shop.at(end))
    return of(period_evidence(wish, place=shop.place, machine=shop.product.machine(), now=shop.at(200)), name)


def items(found: Evidence) -> tuple[set[str], set[str]]:
    return {one.item for one in found.deviations}, {one.item for one in found.untested}


def test_a_month_that_could_still_be_reviewed_is_told_in_the_period_in_which_its_time_ends(shop: Office) -> None:
    """Else nobody who asks month by month would ever hear of it: March could be reviewed until 2 May."""
    run(shop, 0)
    march, april, may, june = (-0.5, 30.5), (30.5, 60.5), (60.5, 91.5), (91.5, 121.5)
    assert items(between(shop, *march, "review.periodic")) == (set(), {"2026-03-01"})
    assert items(between(shop, *april, "review.periodic")) == (set(), {"2026-03-01", "2026-04-01"})
    assert "2026-03-01" in items(between(shop, *may, "review.periodic"))[0]
    assert "2026-03-01" not in set().union(*items(between(shop, *june, "review.periodic")))


def test_a_month_that_was_reviewed_in_parts_is_reviewed(shop: Office) -> None:
    run(shop, 0)
    sign(shop, 15, end=10, what="results")
    sign(shop, 40, start=10, end=30.5, what="results")
    assert items(between(shop, 30.5, 61.5, "review.periodic"))[0] == set()
    assert between(shop, 30.5, 61.5, "review.periodic").tested == 1


def test_a_change_of_the_gate_is_reviewed_by_whoever_signs_for_the_settings(shop: Office) -> None:
    run(shop, -1)
    (shop.folder / "policies").mkdir()
    (shop.folder / "policies" / "more.rego").write_text(
        'package secgate.rules.more\n\ndeny contains x if { x := {"run": true, "reason": "r"}; false }\n'
    )
    run(shop, 1)
    assert bad(evidence(shop, end=70), "gate.change_reviewed") == {"not_reviewed"}
    sign(shop, 20, end=10, what="results")
    assert bad(evidence(shop, end=70), "gate.change_reviewed") == {"not_reviewed"}
    sign(shop, 21, end=20, what="gate-settings")
    found = of(evidence(shop, end=70), "gate.change_reviewed")
    assert (found.result, found.population > 0) == ("no_deviation", True)
    assert between(shop, 2, 30, "gate.change_reviewed").result == "no_deviation", "it had time, and was reviewed then"
    assert between(shop, 22, 30, "gate.change_reviewed").population == 0, "it was told of before"


def test_a_review_of_a_time_to_come_or_of_no_time_is_refused(shop: Office) -> None:
    run(shop, -1)
    with pytest.raises(UsageError, match="the period is not over"):
        sign(shop, 5, end=6)
    with pytest.raises(UsageError, match="ends before it begins"):
        sign(shop, 5, start=3, end=2)
    assert listed(shop).reviews == ()


def test_a_stranger_s_word_counts_for_nothing(shop: Office) -> None:
    run(shop, -1)
    with pytest.raises(SecgateError, match="the key is"):
        statements.sign_review(
            statements.ReviewWish(start=NOW, end=shop.at(1), what=("results",), note="fine"),
            speaker=statements.Speaker(person=ADA, key=str(shop.keys[EVE].path)),
            place=shop.place,
            machine=shop.product.machine(),
            now=shop.at(2),
        )


def test_a_review_of_another_ledger_counts_for_nothing_here(shop: Office) -> None:
    run(shop, -1)
    sign(shop, 35)
    ledger, memory = _ledger(shop)
    (known,) = memory.statements
    other = known.statement.replace(memory.ledger_id or "", "0" * 64)
    said = GateReviewed(statement=other, signature=known.signature)
    append_events([to_entry(said)], ledger, memory=memory, now=shop.at(36))
    found = listed(shop)
    assert (len(found.reviews), len(found.refused)) == (1, 1)


def test_without_an_enforced_layer_reviews_are_not_tested(shop: Office) -> None:
    run(shop, -1)
    sign(shop, 35)
    found = of(evidence(shop, enforced=False), "review.periodic")
    assert (found.result, "nobody's signature counts" in found.reason) == ("not_tested", True)


# ------------------------------------------------------------------------------------------------------ leaked secrets


def _ledger(office: Office) -> tuple[SqliteLedger, Memory]:
    ledger = SqliteLedger(str(office.git.root / ".git" / "secgate" / "ledger.sqlite"))
    memory = Memory()
    memory.catch_up(ledger)
    return ledger, memory


def leaked(office: Office) -> str:
    run(office, -1)
    document = run(office, 1)
    return next(one.fingerprint for one in document.findings if one.lane is Lane.SECRETS)


@pytest.mark.parametrize(
    ("at", "said"), [(0.5, set()), (3, {"late"}), (None, {"no_revocation_evidence"})], ids=["in time", "late", "never"]
)
def test_a_leaked_secret_is_revoked_in_time_or_it_deviates(office: Office, at: float | None, said: set[str]) -> None:
    office.git.commit({"app.py": "x = 1\n"})
    run(office, -1)
    office.git.commit({"app.py": f'key = "{KEY}"\n'})
    document = run(office, 0.1)
    name = next(one.fingerprint for one in document.findings if one.lane is Lane.SECRETS)
    if at is not None:
        revoke(office, name[:16], at=at, days=4)
    found = of(evidence(office), "secret.response")
    assert {one.exception for one in found.deviations} == said
    assert found.population >= 1
    if at == 0.5:
        assert any("told after it was due" in note and "INC-1" in note for note in found.notes)


def test_what_is_no_secret_or_still_to_come_is_refused(office: Office) -> None:
    office.git.commit({"app.py": f'key = "{KEY}"\n\n\ndef answer(text):\n    return eval(text)\n'})
    document = run(office, -1)
    secret = next(one.fingerprint for one in document.findings if one.lane is Lane.SECRETS)
    weak = next(one.fingerprint for one in document.findings if one.lane is Lane.SAST)
    with pytest.raises(UsageError, match="is no secret"):
        revoke(office, weak, at=0, days=1)
    with pytest.raises(UsageError, match="knows no finding"):
        revoke(office, "ffffffffffff", at=0, days=1)
    with pytest.raises(UsageError, match="still to come"):
        revoke(office, secret, at=2, days=1)
    with pytest.raises(UsageError, match="would count for nothing"):
        revoke(office, secret, at=0, days=1, reference="")


# -------------------------------------------------------------------------------------------------------- command line


def test_the_commands(shop: Office) -> None:
    name = leaked(shop)
    office: Callable[..., Ended] = lambda *words: shop.product.cli(  # noqa: E731 - the same place each time
        *words, "--path", str(shop.git.root), "--enforced", str(shop.folder), at=shop.at(40)
    )
    who = ("--as", ADA, "--key", str(shop.keys[ADA].path))
    period = ("--from", "2026-03-01", "--to", "2026-04-01")
    ended = office("review", "sign", *period, "--what", "results", "--what", "access", "--note", "read it", *who)
    assert ended.code == 0, ended
    shown = office("review", "list")
    assert shown.out.startswith(f"{ended.out.strip()[:12]}  access, results, by {ADA}\n")
    (told,) = json.loads(office("review", "list", "--format", "json").out)
    assert (told["id"], told["what"], told["note"]) == (ended.out.strip(), ["access", "results"], "read it")
    ended = office("evidence", "revoked", name[:12], "--at", "2026-03-03T10:00:00Z", "--reference", "INC-7", *who)
    assert ended.code == 0, ended
    assert [one.said.reference for one in listed(shop).revocations] == ["INC-7"]
    verified = office("ledger", "verify")
    assert (verified.code, "2 signed statements; every signature counts" in verified.out) == (0, True), verified
    ended = office("review", "sign", *period, "--what", "results", "--note", "x", "--as", "nobody", *who[2:])
    assert (ended.code, "is nobody of people.toml" in ended.err) == (2, True), ended


# ------------------------------------------------------------------------------------------------------ not applicable


def declare(office: Office, **given: str) -> None:
    known = {"assertion": "component.inventory", "reason": "nothing is released", "person": ADA}
    head = {"schema": "secgate/not-applicable", "version": 1, "mapping_version": "acme-1"}
    (office.folder / "controls").mkdir(exist_ok=True)
    file = office.folder / "controls" / "not-applicable.json"
    file.write_text(json.dumps({**head, "not_applicable": [{**known, "decided_on": "2026-01-05", **given}]}))


def test_what_an_organisation_says_does_not_apply_is_shown_with_who_and_why(shop: Office) -> None:
    run(shop, -1)
    assert of(evidence(shop), "component.inventory").result == "not_tested"
    declare(shop)
    found = of(evidence(shop), "component.inventory")
    assert (found.result, found.population) == ("not_applicable", 0)
    assert found.reason == f"nothing is released (decided by {ADA} on 2026-01-05)"


@pytest.mark.parametrize(
    ("given", "result", "why"),
    [
        ({"assertion": "review.periodic"}, "deviation", "since there is something of it"),
        ({"decided_on": "2026-05-20"}, "not_tested", "since that was after the period"),
    ],
)
def test_a_decision_hides_nothing_that_is_there_and_does_not_reach_back(
    shop: Office, given: dict[str, str], result: str, why: str
) -> None:
    run(shop, -1)
    declare(shop, **given)
    found = of(evidence(shop, end=70), given.get("assertion", "component.inventory"))
    assert found.result == result
    assert any(why in note for note in found.notes)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"assertion": "review.never"}, "which is said not to apply, nobody wrote"),
        ({"person": "p-0000"}, "is nobody of people.toml"),
        ({"decided_on": "2026-02-30"}, "there is no day 2026-02-30"),
        ({"decided_on": "yesterday"}, "does not read"),
    ],
)
def test_what_is_wrong_with_it_is_said(shop: Office, given: dict[str, str], said: str) -> None:
    declare(shop, **given)
    with pytest.raises(ConfigError) as caught:
        run(shop, -1)
    assert said in " ".join(text for fault in caught.value.faults for text in fault)
