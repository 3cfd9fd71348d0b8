"""Forms of the report: each says the same, says nothing that is not so, and shows text as text."""

from __future__ import annotations

import csv
import gc
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import zlib
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest

from secgate.assertions import Deviation
from secgate.errors import InternalError, UsageError
from secgate.report import Report
from secgate.report.accounts import DismissedRow
from secgate.report.forms import FORMS, form
from secgate.report.forms.html import MAX_KEYS
from secgate.report.forms.oscal import NAME, check_references
from secgate.report.testing import exception_id
from secgate.report.words import facts_of
from tests.evidence_support import DAY, SHOP, Made
from tests.product import KEY, Product
from tests.report_support import files, month, report

PHRASE = "correct-horse-9-staple"
PDFTOTEXT = shutil.which("pdftotext") or ""
TEXTS = tuple(name for name in FORMS if name != "pdf")
SECTIONS = ("scope", "system", "populations", "tests", "exceptions", "deadlines", "waivers", "outages", "changes")
NEVER = (
    r"compliant",
    r"compliance score",
    r"soc 2 report",
    r"\bpass(?:ed)?\b.{0,20}\bcontrol",
    r"control.{0,20}\bis met",
)
ALLOWED = re.compile(r"Whether a control is met is for an auditor to say|no control is said to be met", re.IGNORECASE)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Report:
    folder = tmp_path_factory.mktemp("report")
    return report(Product(folder / "machine"), month(folder), seed="auditor 7", size=5)


@pytest.mark.parametrize("name", TEXTS)
def test_no_form_says_what_only_an_auditor_may(found: Report, name: str) -> None:
    for file, data in files(found, name).items():
        text = ALLOWED.sub("", data.decode())
        for word in NEVER:
            assert not re.search(word, text, re.IGNORECASE), f"{file}: {word}"


@pytest.mark.parametrize("name", TEXTS)
def test_every_form_is_the_same_again(found: Report, name: str) -> None:
    again = msgspec.json.decode(msgspec.json.encode(found), type=Report)
    assert files(found, name) == files(again, name)


def test_there_is_no_form_of_another_name() -> None:
    with pytest.raises(KeyError):
        form("docx")


def test_an_age_that_nobody_knows_is_no_number(found: Report) -> None:
    windows = next(one for one in found.populations if one.assertion == "scan.ran")
    ages = {item.id: item.facts["rule_age_days"] for item in windows.items}
    unseen = next(item.id for item in windows.items if not item.facts["runs"])
    assert ages[unseen] is None
    assert min(age for age in ages.values() if age is not None) >= 0
    rows = csv.DictReader(io.StringIO(files(found, "csv")["csv/population-scan.ran.csv"].decode()))
    assert {row["id"]: row["rule age days"] for row in rows} == {
        name: "" if age is None else str(age) for name, age in ages.items()
    }
    shown = next(one for one in found.exceptions if one.item == unseen)
    assert ("rule age days", "not known") in facts_of(dict(shown.facts))


# ---------------------------------------------------------------------------------------------------------------- page


class Page(HTMLParser):
    """What a page holds, as far as tests ask for it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [given for name, given in self.tags if name == tag]


@pytest.fixture(scope="module")
def page(found: Report) -> Page:
    return Page(files(found, "html")["report.html"].decode())


def test_the_page_needs_nothing_from_elsewhere(page: Page) -> None:
    names = {tag for tag, _ in page.tags}
    assert names.isdisjoint({"script", "link", "img", "iframe", "object", "base", "form"})
    for tag, given in page.tags:
        assert not any(name.startswith("on") or name in ("style", "src") for name in given), (tag, given)
        assert (given.get("href") or "#").startswith("#")
    policy = next(one["content"] for one in page.all("meta") if one.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'sha256-")


def test_the_contents_lead_to_every_section_and_ids_are_there_once(page: Page) -> None:
    ids = [str(given["id"]) for _, given in page.tags if "id" in given]
    assert len(ids) == len(set(ids))
    links = [str(one["href"])[1:] for one in page.all("a")]
    assert set(links) <= set(ids)
    assert links[1:15] == ["cover", *SECTIONS, "integrity", "making", "samples", "limits"]
    for _, given in page.tags:
        for name in str(given.get("aria-labelledby") or "").split():
            assert name in ids


def test_tables_have_captions_and_heads_with_a_scope(page: Page) -> None:
    assert len(page.all("table")) == len(page.all("caption"))
    assert {one.get("scope") for one in page.all("th")} == {"col", "row"}


def test_charts_have_words_and_patterns(page: Page) -> None:
    charts = page.all("svg")
    assert len(charts) == 4
    assert all(one["role"] == "img" for one in charts)
    assert len(page.all("desc")) == len(charts)
    fills = {str(one.get("fill")) for one in page.all("rect")}
    assert any(fill.endswith("-cross)") for fill in fills)
    assert "critical: 0 met, 0 excepted, 1 missed, 0 open" in "".join(page.text)


def test_every_exception_has_its_place_and_an_empty_field(found: Report, page: Page) -> None:
    ids = {given.get("id") for _, given in page.tags}
    assert {one.id for one in found.exceptions} <= ids
    assert [given.get("class") for _, given in page.tags].count("response") == len(found.exceptions)


def test_the_numbers_of_the_document_are_on_the_page(found: Report, page: Page) -> None:
    text = " ".join("".join(page.text).split())
    for one in found.tests.results:
        assert one.assertion in text
    for ledger in found.integrity.ledgers:
        assert ledger.root in text
    assert found.making.command in text


def with_dismissal(found: Report) -> Report:
    """Add a finding that two people called a false positive."""
    row = DismissedRow(
        item="shop/main/f00d/1",
        severity="high",
        due_epoch_s=DAY,
        closed_epoch_s=0,
        waiver="e" * 64,
        kind="false-positive",
        requester="p-eve",
        approver="p-ada",
        approved_epoch_s=DAY,
        reason="a constant of ours",
    )
    return msgspec.structs.replace(found, sla=msgspec.structs.replace(found.sla, dismissed=(row,)))


@pytest.mark.parametrize("name", ["html", "json", "csv", "markdown"])
def test_what_was_dismissed_is_listed_with_who_approved_it_and_why(found: Report, name: str) -> None:
    words = ("shop/main/f00d/1", "e" * 12, "p-eve", "p-ada", "a constant of ours")
    for told, is_there in ((found, False), (with_dismissal(found), True)):
        text = "".join(data.decode() for data in files(told, name).values())
        assert [word in text for word in words] == [is_there] * len(words)


def test_the_page_has_notes_of_every_population_and_says_how_many_are_cut(found: Report) -> None:
    listed = next(one for one in found.populations if one.lists)
    notes = tuple(f"note {number} of it" for number in range(MAX_KEYS + 3))
    told = msgspec.structs.replace(found, populations=(msgspec.structs.replace(listed, notes=notes),))
    page = files(told, "html")["report.html"].decode()
    assert [note in page for note in notes] == [True] * MAX_KEYS + [False] * 3
    assert "3 notes more in report.json." in page
    markdown = files(told, "markdown")["report.md"].decode()
    assert all(f"- {note}\n" in markdown for note in notes)
    rows = list(csv.reader(io.StringIO(files(told, "csv")["csv/notes.csv"].decode())))
    assert rows == [["assertion", "note"], *([listed.assertion, note] for note in notes)]
    whole = tuple(told.populations[0] if one.assertion == listed.assertion else one for one in found.populations)
    observations = json.loads(files(msgspec.structs.replace(found, populations=whole), "oscal")[NAME])
    (result,) = observations["assessment-results"]["results"]
    assert {"\n".join(notes)} == {
        one.get("remarks") for one in result["observations"] if one["title"] == listed.assertion
    }


def test_an_exception_keeps_its_id_in_whatever_words_it_is_told() -> None:
    one = Deviation(item="a", exception="late", detail="closed 2 h after it was due")
    assert exception_id("vuln.sla", one) == exception_id("vuln.sla", msgspec.structs.replace(one, detail="late by 2 h"))
    ids = {exception_id(name, msgspec.structs.replace(one, about=about)) for name in ("x", "y") for about in ("", "r")}
    assert len(ids) == 4


# ------------------------------------------------------------------------------------------------- tables and Markdown


def read(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode(), newline="")))


def test_tables_hold_every_row(found: Report) -> None:
    tables = files(found, "csv")
    assert len(read(tables["csv/exceptions.csv"])) == 1 + len(found.exceptions)
    assert [row[0] for row in read(tables["csv/deadlines.csv"])] == ["severity", "critical", "high", "all"]
    for one in found.populations:
        rows = read(tables[f"csv/population-{one.assertion}.csv"])
        assert [row[0] for row in rows[1:]] == [item.id for item in one.items]
        assert len({len(row) for row in rows}) == 1
    unmatched = read(tables["csv/unmatched.csv"])
    assert ["change.gated", "deployments", f"{SHOP}#d17"] in unmatched
    assert all(data.endswith(b"\r\n") for data in tables.values())


def test_markdown_has_every_section_and_exception(found: Report) -> None:
    text = files(found, "markdown")["report.md"].decode()
    assert re.findall(r"^## (\d+)\.", text, flags=re.MULTILINE) == [str(number) for number in range(2, 15)]
    assert all(f"### {one.id}: " in text for one in found.exceptions)
    widths = [line.count("|") for line in text.splitlines() if line.startswith("|")]
    assert min(widths) >= 3


# --------------------------------------------------------------------------------------------------------------- OSCAL


@pytest.fixture(scope="module")
def oscal(found: Report) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(files(found, "oscal")[NAME])
    return document


def test_oscal_is_of_its_schema(found: Report, oscal: dict[str, Any]) -> None:
    data = Path(os.environ.get("SECGATE_TEST_DATA", Path(__file__).parents[2].parent / "shared" / "data"))
    path = data / "schemas" / "oscal-assessment-results-1.2.1.json"
    if not path.is_file():
        pytest.skip(f"no schema of OSCAL at {path}; set SECGATE_TEST_DATA")
    import jsonschema_rs

    schema = json.loads(path.read_bytes())
    validator = jsonschema_rs.validator_for(schema, validate_formats=True)
    assert [f"{list(one.instance_path)}: {one.message[:200]}" for one in validator.iter_errors(oscal)] == []
    nobody = msgspec.structs.replace(
        found.tests, controls=tuple(one for one in found.tests.controls if not one.assertions)
    )
    assert validator.is_valid(json.loads(files(msgspec.structs.replace(found, tests=nobody), "oscal")[NAME]))
    broken = json.loads(json.dumps(oscal))
    broken["assessment-results"]["results"][0]["findings"][0]["target"]["status"]["state"] = "not_tested"
    assert not validator.is_valid(broken)


def test_only_what_was_tested_has_a_finding(found: Report, oscal: dict[str, Any]) -> None:
    (result,) = oscal["assessment-results"]["results"]
    states = {one["target"]["target-id"]: one["target"]["status"]["state"] for one in result["findings"]}
    tested = {"no_deviation": "satisfied", "deviation": "not-satisfied"}
    assert states == {one.assertion: tested[one.result] for one in found.tests.results if one.result in tested}
    assert len(states) < len(result["observations"]) == len(found.tests.results)


def test_a_control_that_no_assertion_speaks_for_is_said_to_be_not_tested(found: Report, oscal: dict[str, Any]) -> None:
    (left,) = (one for one in found.tests.controls if not one.assertions)
    assert left.label == "soc2:CC7.5"
    (result,) = oscal["assessment-results"]["results"]
    (selection,) = result["reviewed-controls"]["control-selections"]
    reviewed = {one["control-id"] for one in selection["include-controls"]}
    assert reviewed == {one.id for one in found.tests.controls} - {left.id}
    assert [one["value"] for one in result["reviewed-controls"]["props"]] == [left.id]
    for name in ("html", "markdown"):
        text = re.sub(r"<[^>]+>", "", next(iter(files(found, name).values())).decode()).lower()
        row = next(line for line in text.splitlines() if "cc7.5" in line and "register" in line)
        assert "not tested: no assertion speaks for it" in row


def test_references_of_oscal_are_checked(oscal: dict[str, Any]) -> None:
    check_references(oscal)
    dangling = json.loads(json.dumps(oscal))
    observation = dangling["assessment-results"]["results"][0]["observations"][0]
    observation["uuid"] = "00000000-0000-5000-8000-000000000000"
    with pytest.raises(InternalError, match="leads nowhere"):
        check_references(dangling)
    observation["uuid"] = dangling["assessment-results"]["uuid"]
    with pytest.raises(InternalError, match="twice"):
        check_references(dangling)


def test_populations_of_oscal_are_named_by_their_digest(found: Report) -> None:
    written = files(found, "oscal")
    resources = json.loads(written[NAME])["assessment-results"]["back-matter"]["resources"]
    links = [link for one in resources for link in one.get("rlinks", ())]
    assert len(links) == len(found.populations)
    for link in links:
        assert hashlib.sha256(written[link["href"]]).hexdigest() == link["hashes"][0]["value"]


def test_an_exception_is_three_blocks_and_no_text_in_it_begins_a_line(found: Report) -> None:
    """Of hundreds each box counts when they are laid out; a line in an item would pass for one of the report's own."""
    odd = "item\nEntries: 1 (0000000000000000)"
    listed = [msgspec.structs.replace(one, item=odd, reason="it\nwas so") for one in found.exceptions]
    text = files(msgspec.structs.replace(found, exceptions=listed), "html")["report.html"].decode()
    section = text[text.index('<section id="exceptions"') : text.index('<section id="deadlines"')]
    tags = [name for name, _ in Page(section).tags]
    assert len(listed) > 1
    assert tags[:4] == ["section", "h2", "span", "p"]
    assert tags[4:] == ["h3", "p", "p"] * len(listed)
    for one in listed:
        start = section.index(f'<h3 id="{one.id}">')
        lines = section[start : section.index('<p class="response">', start)].splitlines()[1:]
        assert [line.partition(":")[0] for line in lines[-2:]] == ["Reason given", "Entries"]
        assert lines[0].startswith("<p>item\\nEntries: 1 (0000000000000000): ")
        assert len(lines) == (4 if facts_of(dict(one.facts)) else 3)


# ----------------------------------------------------------------------------------------------------------------- PDF


def test_a_pdf_that_cannot_be_made_is_told_before_the_report_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    monkeypatch.delitem(sys.modules, "secgate.report.forms.pdf", raising=False)
    with pytest.raises(UsageError, match="needs WeasyPrint") as found:
        form("pdf")
    assert ".[pdf]" in found.value.remedy


def test_pdf_is_the_page_on_numbered_sheets(found: Report) -> None:
    few = found.sampling.samples[:1]
    found = msgspec.structs.replace(
        found,
        exceptions=found.exceptions[:2],
        populations=found.populations[:2],
        tests=msgspec.structs.replace(found.tests, controls=found.tests.controls[:2]),
        outages=msgspec.structs.replace(found.outages, windows=found.outages.windows[:2]),
        sampling=msgspec.structs.replace(found.sampling, samples=few),
    )
    try:
        made = files(found, "pdf")["report.pdf"]
    except UsageError as error:
        pytest.skip(f"no PDF here: {error.what}")
    assert made.startswith(b"%PDF-")
    parts = re.findall(rb"stream\n(.*?)\nendstream", made, flags=re.DOTALL)
    inside = b"".join(zlib.decompress(part) for part in parts if part.startswith(b"x"))
    assert b"/MarkInfo" in inside
    assert b"Evidence for SOC 2" in inside
    # Laying it out again, the collector rests, and then it does not; without that it would start hundreds of times.
    collections: list[str] = []

    def heard(phase: str, _: object) -> None:
        collections.append(phase)

    gc.callbacks.append(heard)
    try:
        again = files(found, "pdf")["report.pdf"]
    finally:
        gc.callbacks.remove(heard)
    assert len(collections) < 10
    assert gc.isenabled()
    assert made == again


@pytest.mark.skipif(not PDFTOTEXT, reason="no pdftotext")
def test_no_heading_of_a_table_is_cut_within_a_word(found: Report, tmp_path: Path) -> None:
    """Cells of digests may be broken anywhere, and left `Repositorie` and `s` above the numbers beside them."""
    try:
        (tmp_path / "report.pdf").write_bytes(files(found, "pdf")["report.pdf"])
    except UsageError as error:
        pytest.skip(f"no PDF here: {error.what}")
    page = files(found, "html")["report.html"].decode()
    headings = set(re.findall(r"\w{6,}", " ".join(re.findall(r"<th scope=\"col\"[^>]*>(.*?)</th>", page, re.DOTALL))))
    assert "Repositories" in headings
    argv = [PDFTOTEXT, str(tmp_path / "report.pdf"), "-"]
    told = subprocess.run(argv, capture_output=True, check=True, timeout=60).stdout.decode()
    known = set(re.findall(r"\w+", re.sub(r"<[^>]*>", " ", page)))
    parts = {word for word in re.findall(r"\b[A-Z]\w{4,}", told) if word not in known}
    assert [word for word in sorted(parts) if any(one.startswith(word) for one in headings)] == []


# ------------------------------------------------------------------------------------------------------------- threats

POISON = "=cmd|' /C calc'!A0<script>alert(1)</script>\x1b[31m\u202e[x](https://evil.example)\n##vso[task.x]@all \x07"
OURS = {"schema", "status", "time_zone", "result", "said_by", "state", "standing", "digest", "report_id"}
"""Fields that hold nothing but words of ours."""


def poisoned(value: Any, name: str = "") -> Any:
    """Put hostile text before every text of a document that somebody else may have written."""
    if isinstance(value, str):
        return value if name in OURS or name.endswith("digest") else POISON + value
    if isinstance(value, dict):
        return {key: poisoned(one, key) for key, one in value.items()}
    return [poisoned(one, name) for one in value] if isinstance(value, list | tuple) else value


@pytest.fixture(scope="module")
def hostile(found: Report) -> Report:
    told: dict[str, Any] = poisoned(msgspec.to_builtins(with_dismissal(found)))
    return msgspec.convert(told, type=Report)


def calm(text: str, kept: str = "\n") -> bool:
    return all(one.isprintable() or one in kept for one in text) and "\u202e" not in text and "##vso[" not in text


def test_threat_12_a_report_shows_text_as_nothing_but_text(hostile: Report) -> None:
    shown = files(hostile, "html")["report.html"].decode()
    assert calm(shown)
    assert {tag for tag, _ in Page(shown).tags}.isdisjoint({"script", "img"})
    assert "<script" not in shown
    markdown = files(hostile, "markdown")["report.md"].decode()
    assert calm(markdown)
    assert not re.search(r"<script|\]\(|(?<!&)@all", markdown)
    for name in ("json", "oscal"):
        assert all(calm(data.decode()) for data in files(hostile, name).values())


def test_threat_12_no_cell_of_a_report_is_a_formula(hostile: Report) -> None:
    for name, data in files(hostile, "csv").items():
        assert calm(data.decode(), kept="\r\n"), name
        for row in read(data):
            assert all(not cell.lstrip().startswith(("=", "+", "@", "|", "%")) for cell in row), name
            assert all(re.fullmatch(r"-\d+", cell) for cell in row if cell.startswith("-")), name


def test_threat_12_no_secret_is_in_a_report(product: Product, tmp_path: Path) -> None:
    made = Made(tmp_path)
    made.run("r", at=DAY)
    made.list("deployments", [], at=29 * DAY, source=f"with {KEY}", query=f"password = '{PHRASE}'")
    for name in TEXTS:
        for file, data in files(report(product, made), name).items():
            assert KEY not in data.decode(), file
            assert PHRASE not in data.decode(), file


def walk(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from walk(one)
    elif isinstance(value, list):
        for one in value:
            yield from walk(one)


def test_hostile_text_is_still_there_to_be_read(hostile: Report) -> None:
    assert any(POISON in text for text in walk(json.loads(files(hostile, "json")["report.json"])))
