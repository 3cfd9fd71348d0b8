"""A finding's story and a comparison of two runs, for a terminal: who reads a log gets the same lines."""

from __future__ import annotations

from collections.abc import Sequence

from secgate.comparison import Changed, Comparison, Difference, RunHead, Side
from secgate.escape import log_text
from secgate.explanation import Explanation
from secgate.fact_words import facts_words
from secgate.gaps import gap_words
from secgate.model import Gap, Severity, Word
from secgate.page import Page
from secgate.sayings import Said
from secgate.sla import length_words, many, standing_words, utc_words
from secgate.story import Clock, Sight, Story
from secgate.summary import short_rule

MOST_LISTED = 100
"""Findings listed by kind; JSON has all."""
MOST_SIGHTS = 60
"""Lines about runs; of more the oldest ones are left out, since JSON has all."""
_BLOCKED = (Word.DENY, Word.INCONCLUSIVE)
_WORD_STYLE = {"deny": "bad", "inconclusive": "unsure", "warn": "unsure", "allow": "good"}
_SEVERITY_STYLE = {Severity.CRITICAL: "bad", Severity.HIGH: "bad", Severity.MEDIUM: "unsure"}


def story_page(story: Story, *, now_epoch_s: int, width: int, colour: bool) -> bytes:
    """Give a finding's story in lines of at most `width` columns. Standing of its clocks is as of `now_epoch_s`."""
    page = Page(width, colour=colour)
    page.heading(story.title or story.weakness, _SEVERITY_STYLE.get(story.severity, "bold"))
    page.labelled("is", f"{story.weakness}, {story.severity.value}, lane {story.lane.value}")
    place = _place(story.path, story.start_line)
    page.labelled("at", place + (f" in {story.symbol}" if story.symbol else ""), whole=place)
    page.labelled("in", story.package)
    page.labelled("advisories", ", ".join(story.advisories))
    page.labelled("id", story.fingerprint)
    page.labelled("also", ", ".join(name[:12] for name in story.names))
    page.labelled("seen by", "; ".join(story.seen_by))
    for clock in story.clocks:
        page.labelled("clock", _clock_words(clock, now_epoch_s))
    if not story.clocks:
        page.labelled("clock", "none: no protected run recorded it")
    if story.waived is not None:
        rule = f"{story.waived.layer}: {short_rule(story.waived.rule)}"
        page.labelled("waiver", f"{story.waived.word.value}: {story.waived.reason or 'no reason told'} [{rule}]")
    elif not story.waivers:
        page.labelled("waiver", "none")
    for said in story.waivers:
        page.labelled("waiver" if said.said == "requested" else "", _said_words(said))
    for said in story.downgrades:
        page.labelled("downgrade" if said.said == "requested" else "", _said_words(said))
    for author in story.authors:
        lines = many(author.lines, "line")
        page.labelled("author", f"{author.name}, {utc_words(author.written_epoch_s)}, {author.commit[:12]}, {lines}")
    page.labelled("author", story.authors_note)
    _sights(page, story)
    return page.data()


def _said_words(one: Said) -> str:
    until = f" until {utc_words(one.expires_epoch_s)}" if one.expires_epoch_s is not None else ""
    reason = f": {one.reason}" if one.reason else ""
    what = f" {one.what}" if one.what else ""
    return f"{one.said}{what} by {one.by}, {utc_words(one.at_epoch_s)}{until} ({one.id[:12]}){reason}"


def _clock_words(clock: Clock, now_epoch_s: int) -> str:
    name = f"{clock.line}: " if clock.line else ""
    episode = f", episode {clock.episode}" if clock.episode > 1 else ""
    since = utc_words(clock.first_seen_epoch_s)
    if clock.closed_epoch_s is not None:
        lasted = length_words(max(clock.closed_epoch_s - clock.first_seen_epoch_s, 0))
        return f"{name}{since} to {utc_words(clock.closed_epoch_s)}, {lasted}{episode}; ended{_how_late(clock)}"
    duties = [
        f"{one.basis} {length_words(one.limit_s)}, due {utc_words(one.due_epoch_s)}"
        + (" (superseded)" if one.superseded else "")
        for one in clock.obligations
    ]
    standing = standing_words(clock.obligations, now_epoch_s=now_epoch_s)
    return "; ".join((f"{name}runs since {since}{episode}", *duties, standing))


def _how_late(clock: Clock) -> str:
    if clock.due_epoch_s is None or clock.closed_epoch_s is None:
        return ""
    late_s = clock.closed_epoch_s - clock.due_epoch_s
    return f" {length_words(late_s)} late" if late_s > 0 else " in time"


def _sights(page: Page, story: Story) -> None:
    page.title(f"Recorded runs ({len(story.sights):,})")
    folds = _folds(story.sights)
    if len(folds) > MOST_SIGHTS:
        page.wrap(f"{len(folds) - MOST_SIGHTS:,} older lines are left out (--format json has all)", 2)
    previous: Sight | None = None
    for first, count, last in folds[-MOST_SIGHTS:]:
        head = f"  {utc_words(first.evaluated_epoch_s)[:16]}  {first.commit[:8] or '-':<9}"
        page.wrap(f"{first.state:<17}{first.word}".rstrip(), len(head), first=head)
        for text in _notes(first, previous):
            page.wrap(text, 20, most=4, whole=_place(first.path, first.start_line))
        if count > 1:
            page.wrap(f"the same in {many(count - 1, 'more run')}, last {utc_words(last.evaluated_epoch_s)}", 20)
        previous = first if first.path else previous
    if story.after:
        page.wrap(f"and {many(story.after, 'later run')} that did not see it", 2)


def _notes(one: Sight, previous: Sight | None) -> list[str]:
    """Give what a reader needs beside state and verdict: where, when that is new, and what happened."""
    scope = f"{one.scope.value} run of {one.line or 'no line'}" + (", with uncommitted changes" if one.dirty else "")
    place = f"at {_place(one.path, one.start_line)}" if one.path else ""
    severity = one.severity.value if one.severity else ""
    found = [scope] if previous is None or (one.scope, one.line) != (previous.scope, previous.line) or one.dirty else []
    same = previous is not None and (one.path, one.start_line) == (previous.path, previous.start_line)
    found += [place] if place and not same else []
    found += [severity] if severity and previous is not None and one.severity is not previous.severity else []
    found += [one.basis] if one.basis and one.state != "unchanged" else []
    found += [f"{one.word}: {one.reason}"] if one.reason and one.word != Word.ALLOW else []
    found += [f"under the override {one.override[:12]}"] if one.override else []
    return [*found, *one.happened]


def _folds(sights: Sequence[Sight]) -> list[tuple[Sight, int, Sight]]:
    """Give (first, number, last) for runs in a row that say the same."""
    folds: list[tuple[Sight, int, Sight]] = []
    for one in sights:
        if folds and not one.happened and _said(one) == _said(folds[-1][0]):
            first, count, _ = folds[-1]
            folds[-1] = (first, count + 1, one)
        else:
            folds.append((one, 1, one))
    return folds


def _said(one: Sight) -> tuple[object, ...]:
    place = one.path, one.start_line
    return one.state, one.line, one.scope, one.dirty, one.severity, *place, one.word, one.reason, one.override


def explanation_page(told: Explanation, *, width: int, colour: bool) -> bytes:
    """Give an explanation in lines of at most `width` columns."""
    page = Page(width, colour=colour)
    page.heading(f"{told.word.upper()}: {log_text(told.title)}", _WORD_STYLE.get(told.word, "bold"))
    page.wrap(told.override, 2, style="bad") if told.override else None
    page.labelled("at", told.place, whole=told.place)
    page.labelled("id", told.id)
    page.labelled("because", told.reason)
    when = f"judged {utc_words(told.evaluated_epoch_s)} " if told.evaluated_epoch_s else ""
    page.labelled("run", f"{when}in {told.run_id}" if told.run_id else "")
    page.labelled("under", f"profile {told.profile}, scope {told.scope}" if told.profile else "")
    page.labelled("owner", told.owner)
    page.labelled("", f"by CODEOWNERS as it is here: {', '.join(told.owners_now)}" if told.owners_now else "")
    for one in told.said:
        page.title(f"{one.word.value}: {log_text(short_rule(one.rule))}")
        page.labelled("written", f"{one.place} ({one.layer} layer)")
        page.labelled("says", one.reason)
        page.labelled("given", facts_words(one.facts))
    if told.facts:
        page.title("Known of it")
        for name, value in told.facts.items():
            page.wrap(value, 15, first=f"  {name}", style="dim")
    _listed(page, "Not looked at", told.gaps[:MOST_LISTED])
    if len(told.gaps) > MOST_LISTED:
        page.wrap(f"and {len(told.gaps) - MOST_LISTED:,} more (--format json has all)", 4, first="  -")
    _listed(page, "Clock", told.clock)
    if told.ways:
        page.title("Ways to green" if told.word in _BLOCKED else "What would end it")
        for way in told.ways:
            page.wrap(way.text, 4, first="  -")
            page.command("", way.command)
    _listed(page, "Also", told.notes)
    changed = [one for one in told.policy if not one.same]
    if changed:
        page.title("The policy is another one now: places and facts are those of the decision")
        for part in changed:
            then, now = part.then[:12] or "none", part.now[:12] or "none"
            page.wrap(f"{part.part}: {then} then, {now} now", 4, first="  -")
    return page.data()


def _listed(page: Page, title: str, lines: Sequence[str]) -> None:
    if lines:
        page.title(title)
        for line in lines:
            page.wrap(line, 4, first="  -")


def comparison_page(comparison: Comparison, *, width: int, colour: bool) -> bytes:
    """Give what differs between two runs in lines of at most `width` columns."""
    page = Page(width, colour=colour)
    page.heading("What changed between two runs", "bold")
    page.labelled("from", _run_words(comparison.then))
    page.labelled("to", _run_words(comparison.now))
    for title, style, found in (
        ("New", "bad", comparison.new),
        ("Gone", "good", comparison.gone),
        ("Updated", "unsure", comparison.updated),
        ("Newly detectable", "unsure", comparison.newly_detectable),
        ("Not looked at", "unsure", comparison.not_seen),
    ):
        page.lines.append("")
        page.heading(f"{title} ({len(found):,})", style if found else "dim")
        for one in found[:MOST_LISTED]:
            _difference(page, one)
        if len(found) > MOST_LISTED:
            page.wrap(f"and {len(found) - MOST_LISTED:,} more (--format json has all)", 2)
    page.lines.append("")
    page.heading(f"Unchanged ({comparison.unchanged:,})", "dim")
    for name, facts in (("Tools", comparison.tools), ("Policy", comparison.policy), ("Coverage", comparison.coverage)):
        _facts(page, name, facts)
    _gaps(page, "Gaps that are new", comparison.gaps_new)
    _gaps(page, "Gaps that are gone", comparison.gaps_gone)
    return page.data()


def _run_words(one: RunHead) -> str:
    dirty = " with uncommitted changes" if one.dirty else ""
    commit = f"commit {one.commit[:12]}{dirty}" if one.commit else "no commit"
    line = f", line {one.line}" if one.line else ""
    when = utc_words(one.evaluated_epoch_s) if one.evaluated_epoch_s else "not judged"
    return f"{when}, {commit}{line}, {one.scope.value}: {one.outcome or 'no decision'}; run {one.run_id}"


def _difference(page: Page, one: Difference) -> None:
    side = one.now or one.then
    if side is None:
        return
    place = _side_words(side)
    text = f"{place}  {one.weakness}  {side.fingerprint[:12]}"
    page.wrap(text, 11, first=f"  {side.severity.value}", most=3, whole=place)
    for text in (one.basis, "; ".join(one.changes)):
        page.wrap(text, 11, most=3) if text else None


def _side_words(side: Side) -> str:
    return _place(side.path, side.start_line)


def _facts(page: Page, name: str, facts: Sequence[Changed]) -> None:
    if not facts:
        page.labelled(name.lower(), "the same")
        return
    page.title(f"{name} ({len(facts)} changed)")
    for one in facts[:MOST_LISTED]:
        page.wrap(f"{one.what}: {one.then or 'none'} -> {one.now or 'none'}", 4, first="  -", most=3)


def _gaps(page: Page, title: str, gaps: Sequence[Gap]) -> None:
    if gaps:
        page.title(f"{title} ({len(gaps):,})")
        for text in gap_words(gaps)[:MOST_LISTED]:
            page.wrap(text, 4, first="  -", most=3)


def _place(path: str, line: int) -> str:
    return f"{path}:{line}" if line else path
