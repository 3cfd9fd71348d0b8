"""The page: well formed, self-contained, readable by everybody, and made of nothing that a tree has said."""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secgate.model import LeftOut, PastRun, RunDocument
from secgate.reporters.html import HtmlReporter, anchor
from secgate.resources import data_dir
from tests.factories import HOSTILE, digest, finding, run_document
from tests.sample_runs import failing_run, hostile_run, inconclusive_run, large_run, policy_error_run

GOLDENS = Path(__file__).parents[2] / "goldens" / "html"
RUNS = [failing_run, inconclusive_run, policy_error_run, hostile_run, run_document]
PAST = tuple(
    PastRun(
        run_id=f"r{at}", commit=digest(f"c{at}")[:40], evaluated_epoch_s=1_767_000_000 + at * 86_400, outcome=outcome,
        blocking=blocking, severities=found,
    )
    for at, (outcome, blocking, found) in enumerate(
        [
            ("fail", 4, {}),
            ("inconclusive", 0, {"critical": 0, "high": 3, "medium": 8, "low": 1, "info": 0}),
            ("pass", 0, {"critical": 0, "high": 0, "medium": 0, "low": 0, "info": 0}),
        ]
    )
)  # fmt: skip
VOID = {"meta", "br", "input", "path", "rect"}
TAGS = VOID | {"html", "head", "title", "style", "body", "a", "header", "div", "p", "span", "h1", "h2", "h3"}
TAGS |= {"ul", "ol", "li"}
TAGS |= {"nav", "main", "section", "footer", "pre", "code", "dl", "dt", "dd", "strong"}
TAGS |= {"details", "summary", "label", "select", "option", "fieldset", "legend", "button", "script"}
TAGS |= {"figure", "svg", "desc", "text"}
TAGS |= {"table", "caption", "thead", "tbody", "tr", "th", "td"}


class Page(HTMLParser):
    """A page taken apart: elements with attributes in order, and text; a tag that is not closed in turn is an error."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


def source(document: RunDocument) -> str:
    return HtmlReporter().render(document, width=80, colour=True).decode()


@pytest.fixture(scope="module", params=RUNS, ids=lambda make: make.__name__)
def page(request: pytest.FixtureRequest) -> Page:
    return Page(source(request.param()))


def test_golden(golden: Callable[[Path, str], None]) -> None:
    bare = re.sub(r"<(style|script)>.*?</\1>", r"<\1></\1>", source(failing_run(earlier=PAST)), flags=re.DOTALL)
    golden(GOLDENS / "failing_run.html", re.sub(r"sha256-[\w+/=]+", "sha256-DIGEST", bare))


def test_only_known_elements_and_no_address_outside(page: Page) -> None:
    assert {tag for tag, _ in page.elements} <= TAGS
    names = {name for _, attributes in page.elements for name in attributes}
    assert not names & {"src", "srcset", "style", "action", "background", "data", "poster"}
    assert not {name for name in names if name.startswith("on")}
    assert all(link["href"].startswith("#") for link in page.all("a"))


def test_every_link_has_its_place_and_every_id_is_one(page: Page) -> None:
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {link["href"][1:] for link in page.all("a")} <= set(ids)
    labels = {a["aria-labelledby"] for _, a in page.elements if "aria-labelledby" in a}
    assert labels <= set(ids)


def test_landmarks_headings_and_tables(page: Page) -> None:
    assert [len(page.all(tag)) for tag in ("h1", "main", "nav", "header", "footer")] == [1, 1, 1, 1, 1]
    assert page.all("html") == [{"lang": "en"}]
    assert all(head["scope"] in ("col", "row") for head in page.all("th"))
    levels = [int(tag[1]) for tag, _ in page.elements if tag in ("h1", "h2", "h3")]
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_the_policy_allows_its_style_and_its_script_and_nothing_else() -> None:
    text = source(failing_run())
    style, script = (
        "'sha256-" + base64.b64encode(hashlib.sha256(found.encode()).digest()).decode() + "'"
        for name in ("style", "script")
        for found in re.findall(rf"<{name}>(.*?)</{name}>", text, flags=re.DOTALL)
    )
    (meta,) = [m for m in Page(text).all("meta") if m.get("http-equiv") == "Content-Security-Policy"]
    assert meta["content"] == (
        f"default-src 'none'; style-src {style}; script-src {script}; require-trusted-types-for 'script'; "
        "base-uri 'none'; form-action 'none'"
    )


def test_the_script_is_the_same_for_every_run_and_reaches_nothing() -> None:
    scripts = {source(make()).partition("<script>")[2].partition("</script>")[0] for make in RUNS}
    assert scripts == {(data_dir("reports") / "run.js").read_text(encoding="utf-8")}
    (script,) = scripts
    reaching = ("fetch", "XMLHttp", "WebSocket", "import(", "innerHTML", "outerHTML", "eval", "Function", "cookie")
    assert not [word for word in (*reaching, "Storage", "document.write", "insertAdjacent") if word in script]


def test_the_policy_stands_before_anything_it_governs() -> None:
    tags = [tag for tag, _ in Page(source(run_document())).elements]
    assert tags[:4] == ["html", "head", "meta", "meta"]


@pytest.fixture(scope="module")
def calm() -> list[str]:
    """The elements of a page whose every text is a letter."""
    return [tag for tag, _ in Page(source(hostile_run("x"))).elements]


@settings(max_examples=20, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200))
def test_no_text_becomes_markup(calm: list[str], text: str) -> None:
    assert [tag for tag, _ in Page(source(hostile_run(text))).elements] == calm


def test_hostile_text_is_shown_and_inert() -> None:
    text = source(hostile_run())
    assert "<script>alert(1)</script>" in Page(text).text
    assert "##vso[" not in text
    assert all(line.isprintable() for line in text.split("\n"))
    assert not set(text) & set(HOSTILE) & set("\x1b\x07\x9b\u202e\u2066")


def test_a_text_of_any_length_is_cut_and_says_so() -> None:
    text = source(hostile_run("x" * 1_000_000))
    assert len(text) < 200_000
    assert "more characters in the JSON format" in text


def test_bytes_are_the_same_every_time() -> None:
    assert source(failing_run()) == source(failing_run())


def test_a_finding_is_shown_with_all_that_is_asked_of_it() -> None:
    text = " ".join(Page(source(failing_run())).text.split())
    for wanted in (
        "FAIL The policy blocks 5 findings",
        "critical 9.8, basis: CVSS 3.1 of CVE-2018-18074",
        "2025-12-30 00:00 UTC: overdue by 2 d (limit by severity)",
        "42▶finding: cursor.execute(f\"SELECT * FROM item WHERE name = '{name}'\")",
        "new critical finding (rule change)",
        "bandit B608 CWE-89",
        "of commit 77aa88bb99cc: gone at the end of the change, and still in that commit",
        "upgrade requests to 2.20.0 or later in requirements.txt",
        digest("input"),
        "Exit code1: fail",
    ):
        assert wanted in text


def test_flagged_lines_are_those_of_the_finding() -> None:
    lines = [a["class"] for a in Page(source(failing_run())).all("span") if a.get("class", "").startswith("line")]
    assert lines.count("line flagged") == 2
    assert len(lines) == 8


def test_an_anchor_depends_on_the_fingerprint_alone() -> None:
    moved = finding(title="other", ordinal=9)
    assert anchor(finding()) == anchor(moved) == f"finding-{digest('sql')[:16]}"
    assert re.fullmatch(r"finding-[0-9a-f]{16}", anchor(finding(fingerprint='"><script>')))


def test_a_large_run_says_what_it_does_not_show() -> None:
    page = Page(HtmlReporter(max_full=3, max_listed=6).render(large_run(5), width=80, colour=False).decode())
    text = " ".join(page.text.split())
    assert len(page.all("details")) == 3
    assert len([a for a in page.all("li") if "item" in a.get("class", "").split()]) == 6
    assert "Of these, 3 are told in full, what matters most" in text
    assert "4 findings more not shown here: the JSON format lists all 10." in text
    assert "Findings (10)" in text


def test_a_small_run_leaves_nothing_out_and_says_nothing_of_it() -> None:
    text = Page(source(failing_run())).text
    assert "not shown here" not in text
    assert "told in full" not in text


def rows(document: RunDocument) -> list[dict[str, str]]:
    """The attributes of each finding's row, by which the page narrows down and sorts."""
    return [a for a in Page(source(document)).all("li") if "item" in a.get("class", "").split()]


def test_settings_of_tools_are_searched_and_not_left_out() -> None:
    left_out = (
        LeftOut(path="vendor/big.js", reason="excluded", detail="vendor/"),
        LeftOut(path=".semgrepignore", reason="tool-configuration"),
    )
    document = failing_run()
    coverage = msgspec.structs.replace(document.coverage, left_out=left_out)
    text = source(msgspec.structs.replace(document, coverage=coverage))
    table = text[text.index("Left out of every lane") :].partition("</table>")[0]
    assert ("vendor/big.js" in table, ".semgrepignore" in table) == (True, False)
    assert "not obeyed, since they are settings of tools: .semgrepignore." in text
    coverage = msgspec.structs.replace(document.coverage, left_out=left_out[1:])
    assert "Nothing was left out." in source(msgspec.structs.replace(document, coverage=coverage))


def test_rows_carry_what_is_narrowed_down_to_and_sorted_by() -> None:
    found = rows(failing_run())
    assert [row["data-states"] for row in found] == [
        "new blocking overdue", "new blocking", "new blocking", "known blocking", "new blocking", "known",
        "known waived", "new",
    ]  # fmt: skip
    assert [row["data-lane"] for row in found[:2]] == ["dependencies", "secrets"]
    assert sorted(int(row["data-by-path"]) for row in found) == list(range(8))
    assert int(found[0]["data-by-due"]) < int(found[4]["data-by-due"]) < int(found[1]["data-by-due"])
    assert [row["data-by-severity"] for row in found] == ["0", "0", "1", "1", "1", "2", "1", "4"]


def test_choices_are_those_that_leave_something() -> None:
    options = re.findall(r"<option value=\"\w+\">([^<]+)</option>", source(failing_run()))
    assert options[:5] == ["dependencies (1)", "iac (1)", "sast (4)", "secrets (1)", "workflows (1)"]
    assert options[5:10] == ["blocking (5)", "overdue (1)", "new (5)", "known before (3)", "let pass (1)"]


@pytest.mark.parametrize(("blocking", "opened"), [(0, 0), (1, 1), (3, 3), (4, 1)])
def test_few_that_block_are_open_and_of_many_the_first(blocking: int, opened: int) -> None:
    details = Page(source(large_run(blocking))).all("details")
    assert [("open" in one) for one in details] == [True] * opened + [False] * (len(details) - opened)


def contrast(one: str, two: str) -> float:
    """The ratio of two colours. Source: WCAG 2.2, relative luminance and contrast ratio."""

    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(two)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


PAIRS = [
    *((ink, ground) for ink in ("ink", "quiet", "link") for ground in ("ground", "surface", "code")),
    *((tone, f"{tone}-ground") for tone in ("bad", "unsure", "good", "neutral")),
    *((tone, "surface") for tone in ("bad", "unsure", "good", "neutral")),
    *(("quiet", f"{tone}-ground") for tone in ("bad", "unsure", "good", "neutral")),
    ("ink", "flag"),
    ("quiet", "flag"),
    ("bad", "flag"),
]


@pytest.mark.parametrize("scheme", [0, 1, 2], ids=["light", "dark", "print"])
@pytest.mark.parametrize("pair", PAIRS, ids="-on-".join)
def test_text_can_be_read(scheme: int, pair: tuple[str, str]) -> None:
    style = (data_dir("reports") / "style.css").read_text(encoding="utf-8")
    blocks = re.findall(r":root \{(.*?)\}", style, flags=re.DOTALL)
    colours: dict[str, Any] = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6})", blocks[scheme]))
    full = {name: c if len(c) == 7 else "#" + "".join(2 * digit for digit in c[1:]) for name, c in colours.items()}
    assert contrast(full[pair[0]], full[pair[1]]) >= 4.5
