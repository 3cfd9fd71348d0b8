"""Break-glass through whole runs: one signature, a few hours, loud everywhere, recorded, reviewed."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest

from secgate import pipeline, queries, statements
from secgate.errors import UsageError
from secgate.events import Run, event_of
from secgate.ledgers.sqlite import SqliteLedger
from secgate.model import Outcome, RunDocument
from secgate.overrides import Standing, Word
from secgate.statements import Emergency
from tests.product import WEAK, Ended, outcome
from tests.runs.office import Office
from tests.signing_support import ADA, EVE

HOUR = 1 / 24
WITH_RUNS = ("text", "json", "sarif", "sarif-all", "html", "markdown", "github", "junit")
"""Forms that say something of a run; the others hold findings alone."""


@pytest.fixture
def shop(office: Office) -> Office:
    """Eve may break the glass, Ada may approve; the line `main` has a new high weakness."""
    people = office.folder / "people.toml"
    text = people.read_text().replace('emails = ["eve@example.org"]\n', 'roles = ["break-glass"]\n')
    people.write_text(text)
    office.git.commit({"app.py": WEAK})
    return office


def run(office: Office, days: float = 0, **options: str) -> RunDocument:
    return office.run(days, **{"ref": "refs/heads/main", **options})


def give(office: Office, days: float = 0, *, hours: float = 6, person: str = EVE, **changes: Any) -> Standing:
    emergency = Emergency(
        **{"reason": "the shop is down", "until": office.at(days + hours * HOUR), "line": "main", **changes}
    )
    return statements.give_override(
        emergency,
        speaker=office.speaker(person),
        place=office.place,
        machine=office.product.machine(),
        now=office.at(days),
    ).standing


def look(office: Office, given: Standing, days: float, *, person: str = ADA, word: str = "justified") -> Standing:
    assert word in get_args(Word)
    return statements.review_override(
        given.given.id[:12],
        word,  # type: ignore[arg-type]
        "read the incident",
        speaker=office.speaker(person),
        place=office.place,
        machine=office.product.machine(),
        now=office.at(days),
    )


def runs(office: Office) -> list[Run]:
    ledger = SqliteLedger(str(office.git.root / ".git" / "secgate" / "ledger.sqlite"), read_only=True)
    found = [event_of(entry) for entry in ledger.read()]
    return [event for event in found if isinstance(event, Run)]


def code(document: RunDocument) -> int:
    assert document.decision is not None
    return document.decision.exit_code


def test_what_fails_still_fails_and_exits_0_for_six_hours(shop: Office) -> None:
    assert code(run(shop)) == 1
    given = give(shop)
    under = run(shop, HOUR)
    assert (outcome(under), code(under)) == (Outcome.FAIL, 0)
    assert (runs(shop)[-1].outcome, runs(shop)[-1].mode, runs(shop)[-1].override) == (
        "fail",
        "overridden",
        given.given.id,
    )
    assert code(run(shop, 5.99 * HOUR)) == 0
    assert code(run(shop, 6 * HOUR)) == 1


def test_every_output_says_so(shop: Office) -> None:
    run(shop)
    give(shop, ticket="INC-7")
    document = run(shop, HOUR)
    assert document.decision is not None
    shown = {form: pipeline.render(document, form, width=80, colour=False)[0].decode() for form in WITH_RUNS}
    assert [form for form, text in shown.items() if "overrid" not in text.lower()] == []
    assert [form for form, text in shown.items() if "the shop is down" not in text] == []
    lines = shown["text"].splitlines()
    assert lines[0] == "secgate: FAIL (OVERRIDDEN, NOT ENFORCED)"
    assert lines[1].startswith(f"  OVERRIDDEN until 2026-03-01 18:00:00 UTC by {EVE}: the shop is down")
    story = queries.finding_story(
        document.findings[0].fingerprint,
        place=shop.place,
        machine=shop.product.machine(),
        now=shop.at(1),
    )
    assert b"under the override " in queries.render_story(story, "text", now=shop.at(1), width=80, colour=False)


def test_why_it_blocks_says_who_let_it_pass_and_what_a_second_person_does(shop: Office) -> None:
    run(shop)
    given = give(shop, ticket="INC-7")
    document = run(shop, HOUR)
    for subject in (document.findings[0].fingerprint, "run"):
        told = queries.explanation(
            subject, run="", place=shop.place, machine=shop.product.machine(), now=shop.at(2 * HOUR)
        )
        assert told.override == f"OVERRIDDEN until 2026-03-01 18:00:00 UTC by {EVE}: the shop is down (INC-7)"
        page = queries.render_explanation(told, "text", width=80, colour=False).decode()
        assert told.override in " ".join(page.split())
    (review,) = [way for way in told.ways if way.kind == "override"]
    assert review.command.startswith(f"secgate override review {given.given.id[:12]} --word justified --reason ")


@pytest.mark.parametrize(
    ("changes", "days"), [({"line": "release"}, HOUR), ({"commit": "HEAD~1"}, HOUR), ({}, 7 * HOUR)]
)
def test_what_it_is_not_for_still_blocks(shop: Office, changes: dict[str, Any], days: float) -> None:
    shop.git.commit({"other.py": "x = 1\n"})
    run(shop)
    give(shop, **changes)
    assert code(run(shop, days)) == 1


def test_it_does_not_cover_a_policy_that_cannot_decide(shop: Office) -> None:
    run(shop)
    give(shop)
    (shop.folder / "policies").mkdir()
    (shop.folder / "policies" / "own.rego").write_text("package secgate.rules.own\n\ndeny contains {")
    with pytest.raises(Exception, match=r"own\.rego") as raised:
        run(shop, HOUR)
    assert raised.value.exit_code == 4  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"hours": 24.1}, "24 h at most"),
        ({"hours": -1}, "24 h at most"),
        ({"person": ADA}, "the role `break-glass` is missing"),
        ({"commit": "ffff"}, "there is no commit `ffff`"),
        ({"reason": " "}, "the reason says nothing"),
        ({"line": " "}, "no line is named"),
        ({"ticket": "t" * 201}, "the ticket is too long"),
    ],
)
def test_what_cannot_be_given(shop: Office, changes: dict[str, Any], told: str) -> None:
    run(shop)
    with pytest.raises(UsageError, match=told):
        give(shop, **changes)


def test_a_second_person_reviews_it_or_it_is_a_deviation(shop: Office) -> None:
    run(shop)
    given = give(shop)
    run(shop, HOUR)
    assert "waits for a second person" in " ".join(run(shop, 4).notes)
    assert ": a deviation" in " ".join(run(shop, 5.1).notes)
    with pytest.raises(UsageError, match="gave it and cannot review it"):
        look(shop, given, 6, person=EVE)
    assert look(shop, given, 6).review == "late"
    with pytest.raises(UsageError, match="was reviewed by"):
        look(shop, given, 6)
    listed = statements.listed_overrides(place=shop.place, machine=shop.product.machine(), now=shop.at(7))
    (one,) = listed.overrides
    assert (one.standing.deviation, len(one.runs)) == (True, 1)
    assert "override" not in " ".join(run(shop, 7).notes)


def test_a_run_under_one_whose_key_is_revoked_since_is_told(shop: Office) -> None:
    """The list would say that nothing was ever overridden, and a run passed."""
    run(shop)
    give(shop, HOUR)
    passed = run(shop, 2 * HOUR)
    (shop.folder / "revoked").write_text(f"{shop.keys[EVE].public}\n")
    listed = statements.listed_overrides(place=shop.place, machine=shop.product.machine(), now=shop.at(3 * HOUR))
    assert listed.overrides == ()
    assert [(one.refused.type, one.runs) for one in listed.in_vain] == [("override-given", (passed.run_id,))]
    told = shop.product.cli("override", "list", "--enforced", str(shop.folder), cwd=shop.git.root)
    assert (told.out, f"before: {passed.run_id}\n" in told.err) == ("no overrides\n", True)


def test_a_line_that_no_run_knows_is_asked_about(shop: Office) -> None:
    run(shop)
    who = ("--as", EVE, "--key", str(shop.keys[EVE].path), "--enforced", str(shop.folder))
    words = ("override", "--until", "6h", "--reason", "down", *who)
    asked = [shop.product.cli(*words, "--line", line, cwd=shop.git.root, at=shop.at(HOUR)) for line in ("mian", "main")]
    assert [(one.code, "line mian is recorded yet: is it spelt right?" in one.err) for one in asked] == [
        (0, True),
        (0, False),
    ]


def test_the_command_line(shop: Office) -> None:
    layer = ["--enforced", str(shop.folder)]
    gate = ["run", "--ref", "refs/heads/main", *layer]
    assert shop.product.cli(*gate, cwd=shop.git.root).code == 1

    def said(*arguments: str, person: str = "") -> Ended:
        who = ["--as", person, "--key", str(shop.keys[person].path)] if person else []
        return shop.product.cli("override", *arguments, *layer, *who, cwd=shop.git.root)

    assert said("--until", "6h", person=EVE).code == 2
    given = said("--until", "6h", "--reason", "down", "--line", "main", person=EVE)
    assert given.code == 0, given
    assert given.err.startswith("OVERRIDDEN: ")
    under = shop.product.cli(*gate, "--format", "json=out.json", cwd=shop.git.root)
    assert (under.code, "secgate: OVERRIDDEN until" in under.err) == (0, True)
    whole = json.loads((shop.git.root / "out.json").read_text())
    assert (whole["outcome"], whole["exit_code"], whole["override"]["reason"]) == ("fail", 0, "down")
    (shop.git.root / "out.json").unlink()
    listing = said("list")
    assert "IN FORCE, until" in listing.out
    assert "runs under it: 1" in listing.out
    assert max(map(len, listing.out.splitlines())) <= 80
    assert said("review", given.out[:9], "--word", "justified", "--reason", "ok", person=ADA).code == 0
    assert json.loads(said("list", "--format", "json").out)[0]["review"] == "reviewed"
