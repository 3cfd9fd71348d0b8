"""From a run's document to what an editor shows of one file. Nothing here knows the protocol.

Every text is one plain line (`escape.plain`), or a page of such lines: what came from the file or from a scanner
can neither move a cursor nor be taken for markup.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from secgate.errors import SecgateError
from secgate.escape import plain
from secgate.explanation import SHOWN, Explanation, explain_finding, explain_lane, explain_run
from secgate.gaps import gap_words
from secgate.model import (
    Finding,
    Fix,
    Gap,
    LaneCoverage,
    Region,
    Result,
    RunDocument,
    Severity,
    State,
    Value,
    Verdict,
    Word,
)
from secgate.narration import explanation_page
from secgate.summary import fix_of, pinpoint, short_rule, worst_first

PAGE_COLUMNS = 76
MAX_REMARKS = 500
"""Of one file, the worst first; how many more there are is a remark of its own."""
MAX_LINK = 500

Level = Literal["error", "warning", "information", "hint"]
"""error: it blocks. warning: it is new, or nobody could tell. information: known or let be. hint: waived."""

_BLOCKING = (Word.DENY, Word.INCONCLUSIVE)


class Remark(Value, frozen=True, kw_only=True):
    """One thing that is said of a file. Lines and columns count from 1 as in `model.Region`; line 0 is the file."""

    region: Region
    level: Level
    code: str
    message: str
    page: str = ""
    """The whole explanation, lines of at most `PAGE_COLUMNS` columns."""
    link: str = ""
    fingerprint: str = ""
    fixes: tuple[Fix, ...] = ()


STILL = Remark(
    region=Region(),
    level="information",
    code="still-looking",
    message="secgate is still looking at this file: what is said of it besides is of an earlier save",
)


def remarks(document: RunDocument, path: str) -> tuple[Remark, ...]:
    """Give what a run says of one file: first of the file as a whole, then of its lines, the worst first."""
    verdicts = {(one.subject, one.id): one for one in document.decision.verdicts} if document.decision else {}
    found = [one for one in document.findings if one.location.path == path and not pinpoint(one).commit]
    found.sort(key=worst_first)
    told = [
        *_of_run(verdicts.get(("run", "run")), document),
        *_left_out(document, path),
        *(
            remark
            for lane in document.coverage.lanes
            for remark in _of_lane(lane, path, verdicts.get(("lane", lane.lane.value)), document)
        ),
    ]
    told += (_of_finding(one, verdicts.get(("finding", one.fingerprint)), document) for one in found[:MAX_REMARKS])
    if len(found) > MAX_REMARKS:
        more = f"{len(found) - MAX_REMARKS} more findings in this file: `secgate run` lists them"
        told.append(_whole("warning", "more", more))
    return tuple(told)


def refusal(error: SecgateError) -> Remark:
    """Give what is said of a file that could not be judged: nothing is known of it, so it is no pass."""
    said = "; ".join(plain(line) for line in error.diagnostics())
    return _whole("error", "not-judged", f"secgate could not judge this file: {said}")


def fault(error: BaseException) -> Remark:
    """Give what is said where secgate itself failed. Values could hold secrets of the file: only the kind is told."""
    return _whole(
        "error", "not-judged", f"secgate could not judge this file: a fault of secgate itself ({type(error).__name__})"
    )


def _whole(level: Level, code: str, message: str, page: str = "") -> Remark:
    return Remark(region=Region(), level=level, code=plain(code), message=message, page=page)


def _of_run(verdict: Verdict | None, document: RunDocument) -> Iterator[Remark]:
    if verdict is not None and verdict.word in _BLOCKING:
        message = f"blocks: {plain(verdict.reason)} [{plain(short_rule(verdict.rule))}]"
        yield _whole("error", "run", message, _page(explain_run(document)))


def _left_out(document: RunDocument, path: str) -> Iterator[Remark]:
    whys = [f"{one.reason} ({one.detail})".replace(" ()", "") for one in document.target.left_out if one.path == path]
    if path not in (document.target.changed or ()) and not whys:
        whys = ["the run did not judge it"]
    for why in whys:
        yield _whole("warning", "left-out", f"nobody looked at this file: {plain(why)}")


def _of_lane(lane: LaneCoverage, path: str, verdict: Verdict | None, document: RunDocument) -> Iterator[Remark]:
    """Say what nobody looked at: a lane that could not look is never silence."""
    if not lane.asked and lane.needed:
        profile = document.decision.profile if document.decision else ""
        yield _whole("hint", "not-asked", f"{lane.lane.value}: the profile {plain(profile)} does not ask for it")
    if not lane.asked:
        return
    blocks = verdict is not None and verdict.word in _BLOCKING
    for gap in _gaps(lane, path):
        why = " ".join(gap_words([msgspec.structs.replace(gap, path="")]))
        message = f"{lane.lane.value}: not looked at: {plain(why)}"
        if gap.remedy:
            message += f"; try: {plain(gap.remedy)}"
        level: Level = "hint" if gap.waived else "warning" if blocks else "information"
        yield _whole(level, gap.reason, message, _page(explain_lane(lane, document)))


def _gaps(lane: LaneCoverage, path: str) -> list[Gap]:
    """Give those of a file and of the whole lane, each once."""
    return list({(gap.tool, gap.reason): gap for gap in lane.gaps if gap.path in ("", path)}.values())


def _of_finding(finding: Finding, verdict: Verdict | None, document: RunDocument) -> Remark:
    witness = _closest(finding)
    told = explain_finding(finding, verdict, document)
    fix = fix_of(finding, verdict)
    lines = [f"{plain(finding.title)} ({finding.severity.value}, {finding.state.value}): {_words(verdict)}"]
    if fix:
        lines.append(f"fix: {plain(fix)}")
    return Remark(
        region=pinpoint(finding).region,
        level=_level(finding, verdict),
        code=plain(witness.rule),
        message="\n".join(lines),
        page=_page(told),
        link=_link(witness.help_uri),
        fingerprint=finding.fingerprint,
        fixes=_fixes(finding),
    )


def _closest(finding: Finding) -> Result:
    """Give the witness that named the place which is shown."""
    place = pinpoint(finding)
    return next((one for one in finding.witnesses if one.location == place), finding.witnesses[0])


def _words(verdict: Verdict | None) -> str:
    if verdict is None:
        return "not judged"
    said = {Word.DENY: "blocks", Word.INCONCLUSIVE: "blocks", Word.WARN: "does not block, but"}
    head = said.get(verdict.word, verdict.word.value)
    reason = f": {plain(verdict.reason)} [{plain(short_rule(verdict.rule))}]" if verdict.reason else ""
    return head + reason


def _level(finding: Finding, verdict: Verdict | None) -> Level:
    word = verdict.word if verdict is not None else Word.INCONCLUSIVE
    if word in _BLOCKING:
        return "error"
    if word in (Word.WAIVED, Word.EXEMPT):
        return "hint"
    is_new = finding.state is State.NEW and finding.severity.rank >= Severity.MEDIUM.rank
    return "warning" if word is Word.WARN or is_new else "information"


def _link(text: str) -> str:
    """Give an address that may be opened: https alone, since a scanner's or a rule's author chose it."""
    if len(text) > MAX_LINK or plain(text) != text or not text.isascii() or " " in text:
        return ""
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    return text if parts.scheme == "https" and parts.hostname and "@" not in parts.netloc else ""


def _fixes(finding: Finding) -> tuple[Fix, ...]:
    """Give what any witness offers for this file, each edit once."""
    made = {
        fix.edits: fix for one in finding.witnesses if one.location.path == finding.location.path for fix in one.fixes
    }
    return tuple(msgspec.structs.replace(fix, title=plain(fix.title)) for fix in made.values())


def _page(told: Explanation) -> str:
    """Give the explanation without lines for a shell that name this run, of which nothing is kept."""
    ways = tuple(msgspec.structs.replace(way, command="") for way in told.ways if way.kind != "waiver")
    notes = (
        *told.notes,
        f"`secgate explain {told.id[:SHOWN]}` has all of it, and how to ask for a waiver, after a run",
    )
    shown = msgspec.structs.replace(told, ways=ways, notes=notes, run_id="", evaluated_epoch_s=0)
    return explanation_page(shown, width=PAGE_COLUMNS, colour=False).decode()
