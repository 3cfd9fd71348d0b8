"""Exceptions of other tools become requests for waivers, signed once, and never more than requests."""

from __future__ import annotations

import json
import os

import jsonschema_rs
import pytest

from secgate import exception_import, statements
from secgate.advisories import ImportLimits, build
from secgate.document_schema import document_schema
from secgate.errors import UsageError
from secgate.exception_import import ImportRequest, Line, Plan
from secgate.ledgers.sqlite import SqliteLedger
from secgate.model import Outcome
from tests.product import DAY, NOW, WEAK, outcome, tree
from tests.runs.office import Office
from tests.signing_support import ADA, EVE

PURL = "pkg:pypi/flask@1.0"
CVE = "CVE-2024-0001"


@pytest.fixture
def debts(office: Office) -> Office:
    """A repository with a weakness that bandit sees, and one in a dependency; both deny."""
    office.product.tool("semgrep", sees=[])
    office.product.tool("bandit", sees=["eval("], severity="HIGH")
    office.product.tool("pip-audit", advisories={"flask": [CVE]})
    advisory = {"id": CVE, "modified": NOW.isoformat(), "affected": []}
    folder = tree(office.product.home / "feed", {f"{CVE}.json": json.dumps(advisory)})
    build(str(folder), f"{office.product.state}/advisories/PyPI.sqlite", now=NOW, limits=ImportLimits())
    office.git.commit({"app.py": WEAK, "requirements.txt": "flask==1.0\n"})
    assert outcome(office.run()) is Outcome.FAIL
    return office


def entry(line: int = 2, code: str = "return eval(text)", **more: object) -> dict[str, object]:
    return {"filename": "./app.py", "test_id": "B307", "line_number": line, "code": f"{line}     {code}\n", **more}


def put(office: Office, name: str, value: object) -> str:
    path = office.product.home / name
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return str(path)


def plan(office: Office, form: str, file: str, *, sign: bool = True, **options: object) -> Plan:
    request = ImportRequest(form=form, file=file, **options)  # type: ignore[arg-type]
    machine = office.product.machine(office.git.root)
    made = exception_import.planned(request, place=office.place, machine=machine, now=NOW)
    if not (sign and made.drafts):
        return made
    return exception_import.asked(made, speaker=office.speaker(EVE), place=office.place, machine=machine, now=NOW)


def test_what_is_asked_for_names_the_rules_that_saw_it(debts: Office) -> None:
    """By them it stays waived, whatever a later crosswalk makes of it."""
    made = plan(debts, "bandit-baseline", put(debts, "bandit.json", {"results": [entry()]}), sign=False)
    assert [draft.bound.rules for draft in made.drafts] == [("bandit:B307",)]


def said(office: Office) -> list[str]:
    ledger = SqliteLedger(str(office.git.root / ".git" / "secgate" / "ledger.sqlite"), read_only=True)
    return [json.loads(one.data)["type"] for one in ledger.read() if b'"type":"waiver' in one.data]


def asked(made: Plan) -> list[Line]:
    return [line for line in made.lines if line.outcome == "request"]


def test_a_baseline_and_a_vex_document_lead_to_green_once_a_second_person_approves(debts: Office) -> None:
    made = [*asked(plan(debts, "bandit-baseline", put(debts, "bandit.json", {"results": [entry()]})))]
    vex = {
        "@context": "https://openvex.dev/ns/v0.2.0",
        "statements": [
            {
                "vulnerability": {"name": CVE},
                "products": [{"@id": PURL}],
                "status": "not_affected",
                "justification": "vulnerable_code_not_in_execute_path",
            }
        ],
    }
    made += asked(plan(debts, "vex", put(debts, "vex.json", vex)))
    assert [line.kind for line in made] == ["accept", "not-affected"]
    assert outcome(debts.run()) is Outcome.FAIL
    for line in made:
        statements.approve(
            line.waiver, speaker=debts.speaker(ADA), place=debts.place, machine=debts.product.machine(), now=NOW
        )
    waived = debts.run()
    assert outcome(waived) is Outcome.PASS
    assert waived.decision is not None
    reasons = " ".join(one.reason for one in waived.decision.verdicts)
    assert "not affected until" in reasons
    assert "risk accepted until" in reasons


def test_a_request_says_where_it_comes_from_and_ends_with_the_policy(debts: Office) -> None:
    text = f"# the parser is off\n{CVE} exp:2099-01-01\n"
    (line,) = asked(plan(debts, "trivyignore", put(debts, ".trivyignore", text)))
    known = statements.listed(place=debts.place, machine=debts.product.machine(), now=NOW)
    ((waiver,), (account,)) = known.waivers, known.accounts
    request = waiver.request
    assert request.expires_epoch_s == int((NOW + 90 * DAY).timestamp()) == line.until_epoch_s
    assert line.until_basis == "the policy's longest for high; the file says 2099-01-01"
    assert request.reason == "the parser is off"
    assert request.origin is not None
    assert (request.origin.form, request.origin.file, request.origin.place) == ("trivyignore", ".trivyignore", "line 2")
    assert account.state == "requested"


def test_the_files_own_end_counts_where_it_is_sooner_and_what_has_ended_is_told(debts: Office) -> None:
    (line,) = asked(plan(debts, "trivyignore", put(debts, "a", f"{CVE} exp:2026-03-20\n"), sign=False))
    assert line.until_basis == "the file's"
    (ended,) = plan(debts, "trivyignore", put(debts, "b", f"{CVE} exp:2026-03-01\n"), sign=False).lines
    assert (ended.outcome, ended.why) == ("not-turned", "it ended 2026-03-01")


def test_the_same_file_again_asks_for_nothing(debts: Office) -> None:
    file = put(debts, "bandit.json", {"results": [entry()]})
    (first,) = plan(debts, "bandit-baseline", file).lines
    again = plan(debts, "bandit-baseline", put(debts, "moved.json", {"results": [entry(1, "x = 1"), entry(2)]}))
    assert [line.outcome for line in again.lines] == ["not-turned", "known"]
    assert again.lines[1].waiver == first.waiver
    assert said(debts) == ["waivers-requested"]
    statements.revoke(
        first.waiver,
        "no",
        speaker=debts.speaker(ADA),
        place=debts.place,
        machine=debts.product.machine(),
        now=NOW,
    )
    (refused,) = plan(debts, "bandit-baseline", file).lines
    assert refused.why == f"asked for before, and it is void: revoked by {ADA}: no"


def test_a_hundred_entries_are_one_statement_and_one_signature(office: Office) -> None:
    office.product.tool("semgrep", sees=[])
    office.product.tool("bandit", sees=["eval("], severity="HIGH")
    office.git.commit({"app.py": "".join(f"def f{n}(text):\n    return eval(text + '{n}')\n" for n in range(100))})
    office.run()
    results = [entry(2 * n + 2, f"return eval(text + '{n}')") for n in range(100)]
    made = plan(office, "bandit-baseline", put(office, "bandit.json", {"results": results}))
    assert len({line.waiver for line in asked(made)}) == 100
    assert said(office) == ["waivers-requested"]


def test_a_link_of_the_tree_that_leads_out_of_it_is_not_followed(debts: Office) -> None:
    secret = put(debts, "outside", "top\n")
    (debts.git.root / ".trivyignore").symlink_to(secret)
    for file in (".trivyignore", "/dev/zero", "nowhere", str(debts.git.root)):
        with pytest.raises(UsageError, match=r"leads out|no regular file|cannot read"):
            plan(debts, "trivyignore", file, sign=False)
    os.mkfifo(debts.git.root / "pipe")
    with pytest.raises(UsageError, match="no regular file"):
        plan(debts, "trivyignore", "pipe", sign=False)


def test_the_command_shows_first_and_writes_only_when_it_may(debts: Office) -> None:
    file = put(debts, ".trivyignore", f"{CVE} # behind a login\nCVE-1\n")
    layer = ["--enforced", str(debts.folder)]
    shown = debts.product.cli("import", "trivyignore", file, "--dry-run", *layer, cwd=debts.git.root)
    assert shown.code == 0, shown
    assert "asked for (1)\n" in shown.out
    assert "not asked for (1)\n  line 2: CVE-1\n    no finding has this id\n" in shown.out
    assert shown.err == "a dry run: nothing was signed or written\n"
    assert said(debts) == []
    for missing in (["--as", EVE], ["--key", str(debts.keys[EVE].path)]):
        assert debts.product.cli("import", "trivyignore", file, *missing, *layer, cwd=debts.git.root).code == 2
    wrong = ["--as", EVE, "--key", str(debts.keys[ADA].path)]
    assert debts.product.cli("import", "trivyignore", file, *wrong, *layer, cwd=debts.git.root).code == 2
    assert said(debts) == []
    right = ["--as", EVE, "--key", str(debts.keys[EVE].path), "--format", "json"]
    done = debts.product.cli("import", "trivyignore", file, *right, *layer, cwd=debts.git.root)
    document = json.loads(done.out)
    jsonschema_rs.validator_for(document_schema("import")).validate(document)
    told = document["told"]["lines"]
    assert [line["outcome"] for line in told] == ["request", "not-turned"]
    assert (document["signed"], bool(told[0]["waiver"])) == (True, True)
    assert said(debts) == ["waivers-requested"]
