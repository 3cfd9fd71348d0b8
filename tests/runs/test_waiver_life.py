"""A waiver in its life: spoken of before it ends, when it is void and when it is of no use, and of which kind it is."""

from __future__ import annotations

import json

import pytest

from secgate import statements
from secgate.let_pass import counts
from secgate.model import Outcome, RunDocument, WaiverAccount
from secgate.pipeline import render
from tests.product import WEAK, outcome
from tests.runs.office import Office

TWO = WEAK + "\n\ndef other(text):\n    return eval(text + text)\n"


def only(document: RunDocument) -> WaiverAccount:
    (one,) = document.waivers
    return one


def text(document: RunDocument) -> str:
    return render(document, "text", width=80, colour=False).data.decode()


def waived(office: Office, kind: str = "accept") -> RunDocument:
    """Give the first run of a weakness that is waived now."""
    office.git.commit({"app.py": WEAK})
    first = office.run()
    office.approve(office.ask(first.findings[0].fingerprint, kind=kind))
    return first


def listed(office: Office, days: float = 0) -> WaiverAccount:
    found = statements.listed(place=office.place, machine=office.product.machine(), now=office.at(days))
    (one,) = found.accounts
    return one


@pytest.mark.parametrize(("days", "soon"), [(22.9, False), (23, True), (29.9, True)])
def test_its_end_is_spoken_of_seven_days_before(office: Office, days: float, soon: bool) -> None:
    waived(office)
    late = office.run(days)
    assert only(late).ends_soon is soon
    assert any("ends in" in note for note in late.notes) is soon
    assert listed(office, days).ends_soon is soon


def test_how_long_before_is_the_policy_s_data(office: Office) -> None:
    waived(office)
    data = {"limits": {"version": 1, "severity_s": {}, "new_denied": ["critical", "high"], "notice_s": 86400}}
    data["limits"]["severity_s"] = {"critical": 1, "high": 2, "medium": 3, "low": 4}
    (office.folder / "data").mkdir()
    (office.folder / "data" / "limits.json").write_text(json.dumps(data))
    assert not only(office.run(28.9)).ends_soon
    assert only(office.run(29.1)).ends_soon


@pytest.mark.parametrize("kind", ["accept", "false-positive", "not-affected"])
def test_each_kind_is_told_apart_in_every_form(office: Office, kind: str) -> None:
    waived(office, kind)
    document = office.run()
    assert outcome(document) is Outcome.PASS
    assert [name for name, count in counts(document).items() if count] == [kind]
    words = {"accept": "accepted risk", "false-positive": "false positive", "not-affected": "not affected"}[kind]
    assert f"Let pass: {words} (1 high)" in text(document)
    assert words in render(document, "html", width=80, colour=False).data.decode()
    assert json.loads(render(document, "json", width=80, colour=False).data)["let_pass"][kind] == 1
    sarif = json.loads(render(document, "sarif", width=80, colour=False).data)
    (result,) = [one for run in sarif["runs"] for one in run.get("results", [])]
    (suppression,) = result["suppressions"]
    assert (suppression["kind"], suppression["status"], suppression["properties"]["kind"]) == (
        "external",
        "accepted",
        kind,
    )
    said = {"accept": "risk accepted", "false-positive": "false positive", "not-affected": "not affected"}[kind]
    assert suppression["justification"].startswith(f"behind a login ({said} until ")


def test_one_that_waits_and_one_that_is_void_suppress_nothing(office: Office) -> None:
    office.git.commit({"app.py": WEAK})
    waiver = office.ask(office.run(scope="protected").findings[0].fingerprint)

    def status() -> str:
        document = json.loads(render(office.run(scope="protected"), "sarif", width=80, colour=False).data)
        results = [one for run in document["runs"] for one in run.get("results", [])]
        return str(results[0]["suppressions"][0]["status"])

    assert status() == "underReview"
    office.approve(waiver)
    assert status() == "accepted"
    office.git.commit({"app.py": WEAK.replace("eval(text)", "eval(text + text)")})
    assert status() == "rejected"


def test_a_void_one_says_why_and_what_to_do(office: Office) -> None:
    office.git.commit({"app.py": WEAK})
    office.waive(office.run(scope="protected").findings[0].fingerprint)
    office.git.commit({"app.py": WEAK.replace("eval(text)", "eval(text + text)")})
    document = office.run(scope="protected")
    one = only(document)
    assert (one.state, one.why) == ("void", "its code was edited")
    again = f"ask anew: secgate waiver request {document.findings[0].fingerprint[:12]}"
    assert one.remedy == f"look at it as it is now; fix it, or {again}"
    assert any(note.endswith(one.remedy) for note in document.notes)
    assert (listed(office).state, listed(office).remedy) == ("void", one.remedy)


@pytest.mark.parametrize(("how", "said"), [("normal", "held against run 2026"), ("crash", "held against no run: none")])
def test_the_list_says_what_it_is_held_against(office: Office, how: str, said: str) -> None:
    office.product.tool("bandit", how)
    waived(office)
    ended = office.product.cli(
        "waiver", "list", "--enforced", str(office.folder), cwd=office.git.root, at=office.at(0.01)
    )
    assert (ended.code, said in ended.err) == (0, True), ended


def test_what_is_gone_is_unused_and_the_list_says_so(office: Office) -> None:
    waived(office)
    office.git.commit({"app.py": "x = 1\n"})
    one = only(office.run())
    assert (one.state, one.remedy) == ("unused", f"secgate waiver revoke {one.id[:12]}")
    assert listed(office).state == "unused"


@pytest.mark.parametrize("how", ["crash", "other tool", "part", "gap"])
def test_a_run_that_could_not_see_it_calls_none_unused(office: Office, how: str) -> None:
    waived(office)
    office.git.commit({"app.py": "x = 1\n", "sub/a.py": "x = 1\n", **({"b.py": "x = (\n"} if how == "gap" else {})})
    if how == "crash":
        office.product.tool("semgrep", "crash")
    options = {"other tool": {"scanners": ("bandit",)}, "part": {"changed_since": "HEAD~1"}}.get(how, {})
    document = office.run(**options)  # type: ignore[arg-type]
    assert "unused" not in {one.state for one in document.waivers}
    assert listed(office).state == "active"


def test_what_the_ledger_has_seen_elsewhere_is_judged_by_its_place(office: Office) -> None:
    office.git.commit({"app.py": TWO})
    first = office.run(scope="protected")
    office.waive(first.findings[0].fingerprint)
    # The file of the finding was looked at; another one has a gap.
    office.git.commit({"app.py": "x = 1\n", "b.py": "x = (\n"})
    assert [one.state for one in office.run(scope="protected").waivers] == ["unused"]
    assert "unused" not in {one.state for one in office.run(1, scope="protected").waivers}


@pytest.mark.parametrize("change", [{}, {"b.py": "x = 1\n"}])
def test_a_void_one_is_void_in_later_runs_too(office: Office, change: dict[str, str]) -> None:
    office.git.commit({"app.py": WEAK})
    office.waive(office.run(scope="protected").findings[0].fingerprint)
    office.git.commit({"app.py": WEAK.replace("eval(text)", "eval(text + text)")})
    office.run(scope="protected")
    office.git.commit(change)
    later = only(office.run(scope="protected"))
    assert (later.state, later.why) == ("void", "its code was edited")
    assert (listed(office).state, listed(office).remedy) == ("void", later.remedy)


def test_one_of_a_file_that_was_renamed_holds_in_later_runs_too(office: Office) -> None:
    office.git.commit({"app.py": WEAK})
    office.waive(office.run(scope="protected").findings[0].fingerprint)
    office.git("mv", "app.py", "shop.py")
    office.git.commit()
    assert [only(office.run(scope="protected")).state for _ in range(3)] == ["active"] * 3
    assert listed(office).state == "active"


def test_of_twins_one_whose_waiver_ended_is_let_pass_by_the_one_that_is_left(office: Office) -> None:
    office.git.commit({"app.py": "def answer(text):\n    eval(text)\n    eval(text)\n"})
    first, second = (one.fingerprint for one in office.run().findings)
    short, long = office.waive(first, life=1), office.waive(second, life=30)
    office.git.commit({"app.py": "def answer(text):\n    eval(text)\n"})
    assert [one.id for one in office.run().waivers if one.state == "active"] == [short.id]
    late = office.run(2)
    assert outcome(late) is Outcome.PASS
    assert [(one.id, one.state) for one in late.waivers] == [(long.id, "active")]


def test_one_that_another_counts_before_is_not_called_unused(office: Office) -> None:
    office.git.commit({"app.py": WEAK})
    name = office.run().findings[0].fingerprint
    office.waive(name, life=20)
    longer = office.waive(name, life=30)
    assert [(one.id, one.state) for one in office.run().waivers] == [(longer.id, "active")]


@pytest.mark.parametrize(
    "texts",
    [
        {"copy.py": WEAK},
        {"copy.py": WEAK.replace("eval(text)", "eval(text) or 0")},
        {"app.py": "def answer(text):\n    return int(text)\n\n\ndef reply(text):\n    return eval(text)\n"},
    ],
)
def test_a_change_that_writes_waived_code_once_more_is_not_waived(office: Office, texts: dict[str, str]) -> None:
    office.git.commit({"app.py": WEAK})
    office.waive(office.run(scope="protected").findings[0].fingerprint)
    office.git("switch", "--quiet", "-c", "feature")
    office.git.commit(texts)
    document = office.run(scope="change", changed_since="main")
    assert (outcome(document), [one.state for one in document.findings]) == (Outcome.FAIL, ["new"])
    assert [one.fingerprint for one in document.waivers if one.state == "active" and one.fingerprint] == []
