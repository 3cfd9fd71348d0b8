"""What an editor is told of one file, and how that looks in the protocol's words."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import msgspec
import pytest
from lsprotocol import types
from pygls.workspace import TextDocument

from secgate.editor.remarks import MAX_REMARKS, Remark, fault, refusal, remarks
from secgate.editor.speaking import END_OF_LINE, action, diagnostic, page_at
from secgate.errors import ConfigError, PolicyError
from secgate.model import Edit, Fix, Lane, LeftOut, Location, Region, RunDocument, Severity, State, Word
from tests.factories import (
    HOSTILE,
    decision,
    finding,
    gap,
    lane_coverage,
    lane_verdict,
    location,
    result,
    run_document,
    target,
    verdict,
)
from tests.sample_runs import hostile_run

PATH = "shop/views.py"
HERE = types.Position(0, 0)


def judged(word: Word, **changes: Any) -> Remark:
    """Give what is said of one finding with this verdict."""
    one = finding("sql", location=location(PATH), **changes)
    run = run_document(
        target=target(changed=(PATH,)), findings=(one,), decision=decision(verdicts=[verdict("sql", word)])
    )
    (told,) = remarks(run, PATH)
    return told


@pytest.mark.parametrize(
    ("word", "state", "severity", "level"),
    [
        (Word.DENY, State.NEW, Severity.HIGH, "error"),
        (Word.INCONCLUSIVE, State.NEW, Severity.LOW, "error"),
        (Word.WARN, State.UNCHANGED, Severity.LOW, "warning"),
        (Word.ALLOW, State.NEW, Severity.MEDIUM, "warning"),
        (Word.ALLOW, State.NEW, Severity.LOW, "information"),
        (Word.ALLOW, State.UNCHANGED, Severity.CRITICAL, "information"),
        (Word.WAIVED, State.UNCHANGED, Severity.HIGH, "hint"),
        (Word.EXEMPT, State.NEW, Severity.HIGH, "hint"),
    ],
)
def test_how_loud_it_is(word: Word, state: State, severity: Severity, level: str) -> None:
    assert judged(word, state=state, severity=severity).level == level


def test_no_line_for_a_shell_names_a_run_that_nobody_keeps() -> None:
    told = judged(Word.DENY)
    assert "--run" not in told.page
    assert f"`secgate explain {told.fingerprint[:12]}`" in told.page


def test_only_this_file_is_spoken_of() -> None:
    mine = finding("sql", location=location(PATH))
    other = finding("other", location=location("shop/other.py"))
    past = finding("past", location=location(PATH, commit="a" * 40), witnesses=(result(),))
    run = run_document(
        target=target(changed=(PATH,), left_out=(LeftOut(path="shop/link.py", reason="link"),)),
        findings=(mine, other, past),
        decision=decision(verdicts=[verdict("sql"), verdict("other"), verdict("past")]),
    )
    assert [one.fingerprint for one in remarks(run, PATH)] == [mine.fingerprint]
    (left_out,) = remarks(run, "shop/link.py")
    assert (left_out.level, left_out.message) == ("warning", "nobody looked at this file: link")
    assert remarks(run, "")[0].message == "nobody looked at this file: the run did not judge it"


def test_each_gap_is_told_once_and_as_loud_as_it_blocks() -> None:
    def told(word: Word, **changes: Any) -> list[tuple[str, str]]:
        hole = gap(path=PATH, tool="semgrep", reason="tool-missing", detail="semgrep is not installed", **changes)
        lane = lane_coverage(Lane.SAST, asked=True, gaps=(hole, hole, gap(path="other.py")))
        run = run_document(
            target=target(changed=(PATH,)),
            coverage=msgspec.structs.replace(run_document().coverage, lanes=(lane,)),
            decision=decision(verdicts=[lane_verdict(Lane.SAST, word)]),
        )
        return [(one.level, one.message) for one in remarks(run, PATH)]

    said = "sast: not looked at: semgrep is not installed; try: install it"
    assert told(Word.INCONCLUSIVE, remedy="install it") == [("warning", said)]
    assert told(Word.ALLOW, remedy="install it") == [("information", said)]
    assert told(Word.ALLOW, remedy="install it", waived=True)[0][0] == "hint"


def test_many_findings_are_counted() -> None:
    many = tuple(finding(f"f{number}", location=location(PATH)) for number in range(MAX_REMARKS + 3))
    told = remarks(run_document(target=target(changed=(PATH,)), findings=many), PATH)
    assert len(told) == MAX_REMARKS + 1
    assert told[-1].message.startswith("3 more findings in this file")


def test_threat_12_hostile_text_is_inert() -> None:
    told = remarks(hostile_run(), HOSTILE)
    assert len(told) >= 3
    for one in told:
        said = diagnostic(one)
        assert re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u2066]", said.message + str(said.code)) is None
        assert said.code_description is None
        hover = page_at([one], types.Position(max(one.region.start_line - 1, 0), 0))
        if hover is not None:
            assert isinstance(hover.contents, types.MarkupContent)
            assert re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u2066]", hover.contents.value) is None


@pytest.mark.parametrize("text", ["plain", "a ``` b", "```\n# heading\n````js\n[x](y)"])
def test_threat_12_nothing_ends_the_fence_of_a_page(text: str) -> None:
    hover = page_at([Remark(region=Region(), level="error", code="x", message="x", page=text)], HERE)
    assert hover is not None
    assert isinstance(hover.contents, types.MarkupContent)
    lines = hover.contents.value.split("\n")
    fence = lines[-1]
    assert lines[0] == fence + "text"
    assert len(fence) >= 3
    assert all(fence not in line for line in lines[1:-1])


@pytest.mark.parametrize(
    ("link", "shown"),
    [
        ("https://cwe.mitre.org/data/definitions/78.html", True),
        ("http://cwe.mitre.org/", False),
        ("javascript:alert(1)", False),
        ("file:///etc/passwd", False),
        ("https://user@evil.example/", False),
        ("https://[broken", False),
        ("https://x.example/a b", False),
        ("https://x.example/\u202e", False),
        ("https://" + "x" * 600, False),
        ("command:workbench.action.quit", False),
        ("", False),
    ],
)
def test_threat_12_links_lead_to_the_web_alone(link: str, shown: bool) -> None:
    told = judged(Word.DENY, witnesses=(result(help_uri=link, location=location(PATH)),))
    assert told.link == (link if shown else "")


def test_a_refusal_names_every_fault_and_a_fault_tells_no_value() -> None:
    faults = [("secgate.toml:2", "unknown key\n`a`", "did you mean `b`?"), ("secgate.toml:3", "no number", "give one")]
    told = refusal(ConfigError("2 faults", faults=faults))
    assert (told.level, told.region) == ("error", Region())
    assert all(word in told.message for word in ("unknown key\\n`a`", "no number", "did you mean"))
    assert refusal(PolicyError("it did not compile")).message.endswith("it did not compile")
    assert "hunter2" not in fault(KeyError("hunter2")).message


TEXT = "# \U0001f512\nrun(debug=True)\n"
FIX = Fix(
    title="Leave debug off.\x1b[31m",
    edits=(Edit(region=Region(start_line=2, start_column=11, end_line=2, end_column=15), text="False"),),
    digest=hashlib.sha256(TEXT.encode()).hexdigest(),
)


def test_what_a_witness_offers_for_this_file_is_a_fix_and_once() -> None:
    here, there = Location(path=PATH), Location(path="other.py")
    witnesses = (
        result(location=here, fixes=(FIX,)),
        result(location=here, fixes=(msgspec.structs.replace(FIX, title="again"),)),
        result(location=there, fixes=(msgspec.structs.replace(FIX, edits=()),)),
    )
    run = run_document(target=target(changed=(PATH,)), findings=(finding("d", location=here, witnesses=witnesses),))
    (told,) = remarks(run, PATH)
    assert [(fix.edits, "\x1b" in fix.title) for fix in told.fixes] == [(FIX.edits, False)]


@pytest.mark.parametrize(
    ("text", "offered"),
    [(TEXT, True), (TEXT + "\n", False), (TEXT.replace("\n", "\r\n"), False), ("", False), ("\ud800", False)],
)
@pytest.mark.parametrize("is_versioned", [True, False])
def test_a_fix_is_offered_for_its_own_bytes_alone(text: str, offered: bool, is_versioned: bool) -> None:
    document = TextDocument("file:///t/app.py", source=text, version=7)
    made = action(FIX, document, None, is_versioned=is_versioned)
    assert (made is not None) is offered
    if made is None:
        return
    assert made.edit is not None
    if is_versioned:
        assert made.edit.document_changes is not None
        (change,) = made.edit.document_changes
        assert isinstance(change, types.TextDocumentEdit)
        assert (change.text_document.uri, change.text_document.version) == ("file:///t/app.py", 7)
        (edit,) = change.edits
    else:
        assert made.edit.changes is not None
        assert list(made.edit.changes) == ["file:///t/app.py"]
        (edit,) = made.edit.changes["file:///t/app.py"]
    assert isinstance(edit, types.TextEdit)
    assert (edit.range, edit.new_text) == (types.Range(types.Position(1, 10), types.Position(1, 14)), "False")


@pytest.mark.parametrize(
    ("region", "span"),
    [
        (Region(), ((0, 0), (0, END_OF_LINE))),
        (Region(start_line=3), ((2, 0), (2, END_OF_LINE))),
        (Region(start_line=3, start_column=5, end_line=3, end_column=9), ((2, 4), (2, 8))),
        (Region(start_line=3, start_column=5, end_line=3, end_column=5), ((2, 4), (2, END_OF_LINE))),
        (Region(start_line=3, start_column=5, end_line=1, end_column=2), ((2, 4), (2, END_OF_LINE))),
        (Region(start_line=3, start_column=5, end_line=5, end_column=2), ((2, 4), (4, 1))),
    ],
)
def test_spans(region: Region, span: tuple[tuple[int, int], tuple[int, int]]) -> None:
    told = diagnostic(Remark(region=region, level="error", code="x", message="x")).range
    assert ((told.start.line, told.start.character), (told.end.line, told.end.character)) == span


def test_a_page_is_shown_where_its_remark_is() -> None:
    region = Region(start_line=3, start_column=5, end_line=3, end_column=9)
    told = [Remark(region=region, level="error", code="x", message="x", page="why")]
    assert page_at(told, types.Position(2, 3)) is None
    assert page_at(told, types.Position(2, 6)) is not None
    assert page_at(told, types.Position(3, 6)) is None


def test_a_run_without_a_decision_says_so() -> None:
    run: RunDocument = run_document(
        target=target(changed=(PATH,)), findings=(finding("sql", location=location(PATH)),), decision=None
    )
    (told,) = remarks(run, PATH)
    assert (told.level, "not judged" in told.message) == ("error", True)
