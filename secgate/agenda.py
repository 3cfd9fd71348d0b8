"""What is open and until when, for a terminal and for Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from secgate import sla
from secgate.deadlines import Deadline, Deadlines, Source
from secgate.escape import markdown_text
from secgate.model import Severity
from secgate.page import Page
from secgate.sla import many_entries

MOST_LISTED = 200
"""Findings listed; JSON has all."""
_STYLES = {"overdue": "bad", "waived": "unsure", "within": "good", "no-limit": "dim"}
_SEVERITY_STYLE = {Severity.CRITICAL: "bad", Severity.HIGH: "bad", Severity.MEDIUM: "unsure"}


NO_CLOCKS = "no protected run is recorded (`secgate run --scope protected`), and only those start clocks"


def agenda_page(found: Deadlines, *, width: int, colour: bool) -> bytes:
    """Give what is open in lines of at most `width` columns, what bites first in front."""
    page = Page(width, colour=colour)
    page.heading(headline(found), "bad" if found.overdue else "good")
    for one in found.findings[:MOST_LISTED]:
        page.lines.append("")
        _entry(page, one)
    if len(found.findings) > MOST_LISTED:
        page.title(f"and {len(found.findings) - MOST_LISTED:,} more (--format json has all)")
    page.lines.append("")
    for source in found.ledgers:
        page.labelled("ledger", source_words(source))
    return page.data()


def agenda_markdown(found: Deadlines) -> bytes:
    """Give what is open as a table in Markdown. Text from trees and tools is text there and nothing else."""
    lines = [f"## {markdown_text(headline(found))}", ""]
    if found.findings:
        lines += ["| due | stands | severity | what | where | why | who |", "|---|---|---|---|---|---|---|"]
        lines += ["| " + " | ".join(_cells(one)) + " |" for one in found.findings[:MOST_LISTED]]
        if len(found.findings) > MOST_LISTED:
            lines += ["", f"and {len(found.findings) - MOST_LISTED:,} more (`--format json` has all)"]
        lines.append("")
    lines += [f"- ledger {markdown_text(source_words(source))}" for source in found.ledgers]
    return ("\n".join(lines) + "\n").encode("utf-8", "replace")


def headline(found: Deadlines) -> str:
    """Say how many are open, overdue and waived, and as of when."""
    when = sla.utc_words(found.as_of_epoch_s)
    closed = found.closed_in_time + found.closed_late
    before = f"; closed before: {found.closed_in_time:,} in time, {found.closed_late:,} late" if closed else ""
    if not any(one.clocked for one in found.ledgers):
        return f"no clock runs, as of {when}: {NO_CLOCKS}"
    if not found.findings:
        return f"nothing is open, as of {when}{before}"
    count = len(found.findings)
    waived = f", {found.waived:,} overdue and waived" if found.waived else ""
    return f"{count:,} open, {found.overdue:,} overdue{waived}, as of {when}{before}"


def standing(one: Deadline) -> str:
    """Say how one stands: time left, or by how much it is overdue."""
    if one.left_s is None:
        return "no limit"
    if one.left_s == 0:
        return "due now"
    if one.left_s > 0:
        return f"{sla.length_words(one.left_s)} left"
    return f"overdue by {sla.length_words(-one.left_s)}"


def source_words(one: Source) -> str:
    """Say which ledger was read, how far, and how much it can be relied on."""
    clocks = ", its clocks are provisional" if one.provisional else ""
    return f"{one.address}: {one.open:,} open, {many_entries(one.size)} verified, root {one.root[:12]}{clocks}"


def _entry(page: Page, one: Deadline) -> None:
    head = f"{standing(one)}{', waived' if one.state == 'waived' else ''}"
    page.heading(head, _STYLES[one.state])
    place, style = _place(one), _SEVERITY_STYLE.get(one.severity, "")
    page.wrap(place, 11, first=f"{one.severity.value:>10}", style=style, whole=place)
    page.labelled("what", _what(one))
    page.labelled("why", one.why + _others(one))
    page.labelled("who", one.owner)
    page.labelled("waiver", _waiver(one))
    episode = f", episode {one.episode}" if one.episode > 1 else ""
    page.labelled("in", f"{_home(one)}, first seen {sla.utc_words(one.first_seen_epoch_s)}{episode}")
    page.labelled("id", one.fingerprint)


def _cells(one: Deadline) -> Iterator[str]:
    yield sla.utc_words(one.due_epoch_s) if one.due_epoch_s is not None else ""
    yield f"{standing(one)}{', waived' if one.state == 'waived' else ''}"
    yield one.severity.value
    yield markdown_text(f"{_what(one)} {one.fingerprint[:12]}")
    yield markdown_text(f"{_place(one)} in {_home(one)}")
    waiver = _waiver(one)
    yield markdown_text(f"{one.why}{_others(one)}{f'. Waiver {waiver}' if waiver else ''}")
    yield markdown_text(one.owner)


def _what(one: Deadline) -> str:
    names: Sequence[str] = one.advisories[:3]
    return " ".join(part for part in (one.weakness, one.package, ", ".join(names)) if part)


def _others(one: Deadline) -> str:
    more = len(one.duties) - 1
    return f" ({more} more {'duty' if more == 1 else 'duties'} later)" if more > 0 else ""


def _waiver(one: Deadline) -> str:
    if not one.waived_until_epoch_s:
        return ""
    by = f", approved by {one.waived_by}" if one.waived_by else ""
    return f"until {sla.utc_words(one.waived_until_epoch_s)}{by}, as the last run found; the clock runs on"


def _place(one: Deadline) -> str:
    return f"{one.path}:{one.start_line}" if one.start_line else one.path


def _home(one: Deadline) -> str:
    return f"{one.repository}, line {one.line}" if one.line else one.repository
