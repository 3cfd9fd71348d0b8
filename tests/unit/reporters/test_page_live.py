"""The page in a real browser as somebody uses it: narrow down, sort, follow and copy a link, by keyboard, print."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from secgate.model import RunDocument, Severity, Word
from secgate.reporters.html import ON_PAPER, ROWS_ON_PAPER, HtmlReporter, anchor
from tests.chromium import BrowserSession, Tab
from tests.factories import HOSTILE, digest, finding, run_document
from tests.sample_runs import failing_run, hostile_run, large_run

pytestmark = pytest.mark.browser

ROWS = "[...document.querySelectorAll('#list > li')]"
SHOWN = f"{ROWS}.filter(one => !one.hidden).map(one => one.querySelector('h3').textContent)"
SEEN = "[...document.querySelectorAll('.body')].filter(one => one.checkVisibility()).length"
STATUS = "document.getElementById('status').textContent"
FOCUS = "(one => one.id || `${one.tagName} ${one.textContent.trim().slice(0, 30)}`)(document.activeElement)"
RING = """[document.activeElement, document.activeElement.closest('.chip')]
.some(one => one && getComputedStyle(one).outlineStyle === 'solid' && getComputedStyle(one).outlineWidth === '3px')"""
SQL = f"finding-{digest('sql')[:16]}"
SETTLED = "new Promise(done => setTimeout(done, 300))"


def page(document: RunDocument) -> bytes:
    return HtmlReporter().render(document, width=80, colour=False)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserSession]:
    browser = BrowserSession(tmp_path_factory.mktemp("chromium"))
    yield browser
    browser.close()


@pytest.fixture
def tab(session: BrowserSession) -> Iterator[Tab]:
    """The page of the failing run; afterwards nothing was asked of anybody, and nothing went wrong in it."""
    with Tab(session, page(failing_run())) as opened:
        yield opened
        assert opened.requests() == []
        assert opened.complaints() == []


def choose(tab: Tab, name: str, value: str) -> None:
    tab.run(f"document.getElementById('{name}').value = '{value}'")
    tab.run(f"document.getElementById('{name}').dispatchEvent(new Event('change'))")


def write(tab: Tab, text: str) -> None:
    tab.run("document.getElementById('by-text').focus()")
    tab.call("Input.insertText", text=text)
    tab.run(SETTLED)


def test_a_text_narrows_down_and_is_told(tab: Tab) -> None:
    assert tab.run(STATUS) == "8 findings, 5 blocking."
    write(tab, "REQUEST redirect")
    assert tab.run(SHOWN) == ["requests 2.19.0: credentials are sent on after a redirect"]
    assert tab.run(STATUS) == "1 of 8 findings shown."
    write(tab, " nobody says this")
    assert tab.run(STATUS) == "No finding matches: 0 of 8 findings shown."
    tab.run("document.getElementById('reset').click()")
    assert (len(tab.run(SHOWN)), tab.run(STATUS), tab.run(FOCUS)) == (8, "8 findings, 5 blocking.", "by-text")


def test_what_is_behind_a_row_is_found_too(tab: Tab) -> None:
    write(tab, "b608")
    assert tab.run(SHOWN) == ["SQL is put together from the request"]


@pytest.mark.parametrize(
    ("control", "value", "left"),
    [
        ("by-lane", "iac", 1),
        ("by-lane", "sast", 4),
        ("by-state", "blocking", 5),
        ("by-state", "overdue", 1),
        ("by-state", "new", 5),
        ("by-state", "known", 3),
        ("by-state", "waived", 1),
    ],
)
def test_lane_and_state_narrow_down(tab: Tab, control: str, value: str, left: int) -> None:
    choose(tab, control, value)
    assert len(tab.run(SHOWN)) == left
    assert tab.run(STATUS) == f"{left} of 8 findings shown."


def test_severities_add_up_and_other_choices_narrow_them(tab: Tab) -> None:
    for severity in ("critical", "high"):
        tab.run(f"document.querySelector('input[value={severity}]').click()")
    assert len(tab.run(SHOWN)) == 6
    choose(tab, "by-state", "known")
    assert len(tab.run(SHOWN)) == 2


def test_sorting_is_by_the_finding_and_equal_ones_keep_their_order(tab: Tab) -> None:
    first = tab.run(SHOWN)
    choose(tab, "by-order", "byPath")
    places = tab.run("[...document.querySelectorAll('#list > li .place code:first-child')].map(one => one.textContent)")
    assert places == sorted(places)
    assert tab.run(STATUS) == "8 of 8 findings shown, sorted by path."
    choose(tab, "by-order", "bySeverity")
    order = tab.run(f"{ROWS}.map(one => one.dataset.severity)")
    assert order == sorted(order, key=list(Severity).index)
    choose(tab, "by-order", "byDue")
    assert tab.run(SHOWN)[:2] == [first[0], first[4]]
    choose(tab, "by-order", "")
    assert tab.run(SHOWN) == first


def test_a_link_opens_its_finding_and_goes_there(session: BrowserSession) -> None:
    with Tab(session, page(failing_run()), fragment=SQL, height=500) as tab:
        assert tab.run(f"document.getElementById('{SQL}').closest('details').open")
        assert 0 < tab.run(f"document.getElementById('{SQL}').closest('li').getBoundingClientRect().top") < 200
        tab.press("Tab")
        assert tab.run(f"document.activeElement.closest('#{SQL}') !== null")


def test_a_link_shows_what_was_narrowed_away(tab: Tab) -> None:
    choose(tab, "by-lane", "iac")
    tab.run(f"location.hash = '{SQL}'")
    tab.run(SETTLED)
    assert len(tab.run(SHOWN)) == 8
    assert tab.run(f"document.getElementById('{SQL}').closest('details').open")


def test_a_link_opens_its_finding_without_any_script(session: BrowserSession) -> None:
    with Tab(session, page(failing_run()), fragment=SQL, height=500, script=False) as tab:
        tab.call("Emulation.setScriptExecutionDisabled", value=False)  # asked from outside, after it was loaded
        assert tab.run(f"document.getElementById('{SQL}').closest('details').open")
        assert tab.run(f"document.getElementById('{SQL}').getBoundingClientRect().top") < 500
        assert tab.run("document.getElementById('tools').hidden")
        assert tab.run("getComputedStyle(document.querySelector('button.copy')).display") == "none"
        assert len(tab.run(SHOWN)) == 8


def test_a_link_to_a_finding_that_is_not_there_says_so(session: BrowserSession) -> None:
    gone = "The finding of this link is not on this page: it is gone, or one of those without a row."
    with Tab(session, page(failing_run()), fragment=f"finding-{'0' * 16}", height=500) as tab:
        assert tab.run(STATUS) == gone
        assert 0 < tab.run("document.getElementById('status').getBoundingClientRect().top") < 500
        tab.run(f"location.hash = '{SQL}'")
        tab.run(SETTLED)
        assert tab.run(STATUS) == "8 findings, 5 blocking."
        tab.run(f"location.hash = 'finding-{'0' * 16}'")
        tab.run(SETTLED)
        assert (tab.run(STATUS), tab.complaints()) == (gone, [])


def test_no_other_fragment_does_anything(session: BrowserSession) -> None:
    with Tab(session, page(failing_run()), fragment="list%22%3E%3Cscript%3E") as tab:
        assert tab.run("document.querySelectorAll('details[open]').length") == 1
        assert tab.complaints() == []


def test_a_link_is_copied_and_that_is_told(session: BrowserSession, tab: Tab) -> None:
    session.call("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
    tab.call("Page.bringToFront")
    tab.run("document.querySelector('button.copy').click()")
    tab.run(SETTLED)
    assert tab.run(STATUS) == "Link copied"
    copied = tab.run("navigator.clipboard.readText()")
    first = anchor(failing_run().findings[1])
    assert copied == f"{tab.path.as_uri()}#{first}"


def test_where_nothing_can_be_copied_the_address_has_the_link(tab: Tab) -> None:
    tab.run("navigator.clipboard.writeText = () => Promise.reject(new Error('refused'))")
    tab.run("document.querySelector('button.copy').click()")
    tab.run(SETTLED)
    assert tab.run(STATUS) == "The link is in the address bar"
    assert tab.run("location.hash") == f"#{anchor(failing_run().findings[1])}"


def test_a_keyboard_reaches_everything_in_the_order_of_reading(tab: Tab) -> None:
    seen = []
    for _ in range(24):
        tab.press("Tab")
        seen.append(tab.run(FOCUS))
        assert tab.run(RING), f"{seen[-1]} does not show that it is reached"
    assert seen[0].startswith("A Skip")
    for wanted in ("by-text", "by-lane", "by-state", "by-order", "toggle"):
        assert wanted in seen
    assert [one for one in seen if one.startswith("SUMMARY")]
    assert "A Link to this finding" in seen
    assert "BUTTON Copy link" in seen


def test_a_finding_is_opened_by_the_keyboard(tab: Tab) -> None:
    tab.run("document.querySelectorAll('summary')[2].focus()")
    for key in ("Enter", " "):
        before = tab.run("document.querySelectorAll('details')[2].open")
        tab.press(key)
        assert tab.run("document.querySelectorAll('details')[2].open") is not before


def test_all_that_are_shown_open_and_close(tab: Tab) -> None:
    opened = "document.querySelectorAll('details[open]').length"
    choose(tab, "by-state", "known")
    for count in (4, 1):  # the first of all is open, and not among them
        tab.run("document.getElementById('toggle').click()")
        assert tab.run(opened) == count
    assert tab.run("document.getElementById('toggle').textContent") == "Open all"


def test_on_paper_all_is_open_and_no_control_is_left(tab: Tab) -> None:
    tab.media(dark=True, kind="print")
    gone = "['.tools', 'nav', '.links', '#status'].map(one => getComputedStyle(document.querySelector(one)).display)"
    assert tab.run(gone) == ["none"] * 4
    assert tab.run("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    # Without its script too: what is closed on a screen is seen.
    tab.run("document.querySelectorAll('details').forEach(one => one.open = false)")
    assert tab.run(SEEN) == 8
    tab.media(dark=False)
    assert tab.run(SEEN) == 0
    assert tab.printed().startswith(b"%PDF-")
    assert tab.run("document.querySelectorAll('details[open]').length") == 0


def test_of_many_findings_paper_has_those_that_are_open_and_says_so(session: BrowserSession) -> None:
    """Of all 5,300 of a real repository paper had 1,700 pages, after minutes."""
    with Tab(session, page(large_run(ON_PAPER // 2 + 1))) as tab:
        tab.media(dark=False, kind="print")
        told = "getComputedStyle(document.querySelector('.paper')).display"
        assert (tab.run(SEEN), tab.run(told)) == (1, "block")
        tab.run(f"addEventListener('beforeprint', () => {{ window.onPaper = {SEEN} }})")
        assert tab.printed().startswith(b"%PDF-")
        assert tab.run("window.onPaper") == 1
        tab.run(f"{ROWS}[7].querySelector('details').open = true")
        assert tab.run(SEEN) == 2
        # What is narrowed down to few is printed whole.
        choose(tab, "by-state", "blocking")
        assert (tab.run(SEEN), tab.run(told)) == (ON_PAPER // 2 + 1, "none")
        tab.media(dark=False)
        assert tab.run(told) == "none"


def test_thousands_that_are_open_are_printed_in_part_and_paper_says_so(session: BrowserSession) -> None:
    """A browser's time grows faster than its pages: it gave no paper of 2,000 open findings within a minute."""
    count = ROWS_ON_PAPER + 4
    with Tab(session, HtmlReporter(max_full=ON_PAPER + 4).render(large_run(count // 2), width=80, colour=False)) as tab:
        tab.run("document.getElementById('toggle').click()")
        assert tab.run(SEEN) == ON_PAPER + 4
        tab.media(dark=False, kind="print")
        rows = f"{ROWS}.filter(one => one.checkVisibility()).length"
        assert (tab.run(SEEN), tab.run(rows)) == (ON_PAPER, ROWS_ON_PAPER)
        said = tab.run("document.querySelector('.paper').innerText")
        assert "the first 500 at most" in said
        assert "2,000 rows at most" in said
        # What is closed leaves its place to one behind it, and what is narrowed away as well.
        tab.run(f"{ROWS}[0].querySelector('details').open = false")
        tab.run(f"{ROWS}[1].hidden = true")
        assert (tab.run(SEEN), tab.run(rows)) == (ON_PAPER, ROWS_ON_PAPER)
        start = tab.run("performance.now()")
        assert tab.printed().startswith(b"%PDF-")
        assert tab.run("performance.now()") - start < 45_000
        tab.media(dark=False)
        assert tab.run(rows) == count - 1


def test_light_and_dark_are_two(session: BrowserSession) -> None:
    grounds = set()
    for dark in (False, True):
        with Tab(session, page(failing_run()), dark=dark) as tab:
            grounds.add(tab.run("getComputedStyle(document.body).backgroundColor"))
    assert grounds == {"rgb(246, 246, 243)", "rgb(18, 22, 27)"}


def test_hostile_text_is_narrowed_down_to_like_any_other(session: BrowserSession) -> None:
    with Tab(session, page(hostile_run(f"<img src=x onerror=alert(1)>{HOSTILE}"))) as tab:
        write(tab, "<img src=x onerror=alert(1)>")
        assert tab.run(STATUS) == "2 of 2 findings shown."
        assert tab.run("document.images.length") == 0
        assert (tab.requests(), tab.complaints()) == ([], [])


def test_many_findings_are_narrowed_down_at_once(session: BrowserSession) -> None:
    # Hidden list items once had the browser count all others anew, a minute long.
    with Tab(session, page(large_run(1000))) as tab:
        choose(tab, "by-order", "byPath")
        start = tab.run("performance.now()")
        write(tab, "src/m0003")
        assert tab.run(STATUS) == "50 of 2,000 findings shown, sorted by path."
        tab.run("document.getElementById('reset').click()")
        assert len(tab.run(SHOWN)) == 2000
        assert tab.run("performance.now()") - start < 15_000


def test_among_many_findings_the_keyboard_answers_at_once(session: BrowserSession) -> None:
    # Rows that are laid out when they come into sight once took the first Tab eleven seconds with this many.
    with Tab(session, page(large_run(400))) as tab:
        start = tab.run("performance.now()")
        tab.press("Tab")
        assert tab.run("document.activeElement.tagName") == "A"
        assert tab.run("performance.now()") - start < 5_000


def test_without_findings_there_is_nothing_to_narrow_down(session: BrowserSession) -> None:
    with Tab(session, page(run_document())) as tab:
        assert tab.run("document.getElementById('tools')") is None
        assert tab.complaints() == []


def test_one_finding_that_has_no_deadline(session: BrowserSession) -> None:
    only = msgspec.structs.replace(large_run(1), findings=(finding("0"),))
    with Tab(session, page(only)) as tab:
        choose(tab, "by-order", "byDue")
        assert tab.run(STATUS) == "1 of 1 findings shown, sorted by due."
        assert only.decision is not None
        assert only.decision.verdicts[0].word is Word.DENY
