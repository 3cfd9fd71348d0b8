"""SARIF 2.1.0 of any tool, read as raw results in bounded memory.

Foreign suppressions, baseline states, fingerprints and success flags are claims: they are kept as such and nothing
is decided by them. What is not SARIF 2.1.0 is refused with the file, the JSON path and the reason.
Source: SARIF 2.1.0, sections as cited.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal

import msgspec

from secgate.model import Claims, RawResult, Region, Rule, Severity, Suppression, Value
from secgate.sarif.parts import (
    ArtifactLocation,
    Level,
    LogicalLocation,
    Message,
    Reference,
    ResultPart,
    SuppressionPart,
    cwes_in,
)
from secgate.sarif.places import PlaceTable, Spot
from secgate.sarif.rules import MAX_TEXT, KnownRule, RuleTable
from secgate.sarif.stream import Cursor, Readable
from secgate.sarif.walk import Walk, WalkedRun

MAX_MADE = 256 * 1024 * 1024
"""Characters of a file's messages with arguments and snippets of embedded texts, and the work on them, which its own
size does not bound."""
MAX_NAME = 4_000
"""Characters of a rule's id."""
MAX_FOUND = 100_000
"""Rules remembered by how results name them."""
MAX_CLAIMED = 32
"""Fingerprints kept of a result."""
MAX_CLAIM = 500
"""Characters kept of one."""
_AT_ONCE = 200
"""Results that are finished together."""

_LEVEL_SEVERITY: dict[Level, Severity] = {
    "error": Severity.HIGH,
    "warning": Severity.MEDIUM,
    "note": Severity.LOW,
    "none": Severity.INFO,
}
_LEVEL_BASIS: dict[Level, str] = {level: f"level {level}" for level in _LEVEL_SEVERITY}
# 3.11.5: a brace that is meant as such is written twice.
_PLACEHOLDER = re.compile(r"\{(\d{1,4})\}|\{\{|\}\}")


class ForeignRun(Value, frozen=True, kw_only=True):
    """One run of a foreign file. `claimed_success` is what the file says of itself, None where it says nothing.

    `unplaced` counts results without a usable location in the tree, `cut` those whose place was not followed to its
    end: its bases or containers go on for too long, in a circle, or to one that is not there. `informational` counts
    those that are no finding by their kind and were left out. The rest stay among the results: `undecided` are those
    that the tool left to somebody else to decide (kinds review and open), `suppressed` and `baselined` claim a
    suppression or a baseline state, `misrated` have a severity that cannot be read. `errors` counts notifications of
    level error, by which a tool says that it did not do all of its work.
    """

    tool: str
    version: str
    rules: tuple[Rule, ...]
    results: tuple[RawResult, ...]
    claimed_success: bool | None
    revision: str = ""
    unplaced: int = 0
    cut: int = 0
    informational: int = 0
    undecided: int = 0
    suppressed: int = 0
    baselined: int = 0
    misrated: int = 0
    errors: int = 0

    def remarks(self) -> tuple[str, ...]:
        """Say in words what a reader of the results must know beside them; nothing where all is plain."""
        said = (
            (self.claimed_success is False, "says of itself that it did not succeed"),
            (self.errors, f"errors of its own that it reports: {self.errors}"),
            (self.informational, f"results that say that nothing is wrong: {self.informational}"),
            (self.undecided, f"results left to be reviewed, which count: {self.undecided}"),
            (self.unplaced, f"results that name no place in a tree: {self.unplaced}"),
            (self.cut, f"results placed only as far as their bases or containers could be followed: {self.cut}"),
            (self.suppressed, f"results that claim to be suppressed, and count: {self.suppressed}"),
            (self.baselined, f"results that claim a baseline state, which counts for nothing: {self.baselined}"),
            (self.misrated, f"results judged by level, their score being no number from 0 to 10: {self.misrated}"),
        )
        return tuple(f"{self.tool}: {words}" for holds, words in said if holds)


Finish = Callable[[ForeignRun], Callable[[Sequence[RawResult]], Iterable[RawResult]]]
"""Given a run that lacks its results yet, gives what makes the final ones of some results at a time, in their order."""


def _as_read(_: ForeignRun) -> Callable[[Sequence[RawResult]], Iterable[RawResult]]:
    return list


def read(
    source: bytes | Readable, *, name: str, finish: Finish = _as_read, keeps_claims: bool = True
) -> tuple[ForeignRun, ...]:
    """Give the runs of a SARIF file, from its bytes or a stream of them; `name` is used in messages.

    A stream is read from where it stands and not closed. What is done to all results is done by `finish`, while they
    are read, so that a large run is never held twice. Without `keeps_claims` no result has its fingerprints and its
    baseline state, which are a tenth of the work. Raises UsageError for what is not SARIF 2.1.0, for what stands
    in another file and for what is past a limit, naming the JSON path, and OSError as the stream does.
    """
    cursor = Cursor(source, name=name)
    texts = _Texts(cursor)
    return tuple(_RunReader(run, cursor, texts, keeps_claims=keeps_claims).read(finish) for run in Walk(cursor).runs())


class _Texts:
    """What may still be made of a file's templates and embedded texts."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor, self._left = cursor, MAX_MADE

    def made(self, length: int, path: str) -> None:
        """Take a length off. Raises UsageError where nothing is left."""
        self._left -= length
        if self._left < 0:
            self._cursor.refuse(path, f"messages and snippets of more than {MAX_MADE} characters")


class _RunReader:
    """Resolves the packed results of one run with what its results share."""

    def __init__(self, run: WalkedRun, cursor: Cursor, texts: _Texts, *, keeps_claims: bool) -> None:
        self._run, self._cursor, self._texts = run, cursor, texts
        self._keeps_claims = keeps_claims
        self._rules = RuleTable(run.components, run.taxonomies, run.invocations)
        roots = [one.mapped_to for one in run.version_control if one.mapped_to]
        self._places = PlaceTable(run.bases, run.artifacts, run.embedded, roots)
        # 3.14.27: when absent, the unit is up to the tool; UTF-16 is what the large producers mean.
        self._unit: Literal["utf-16", "code-point"] = (
            "code-point" if run.column_kind == "unicodeCodePoints" else "utf-16"
        )
        self._shared: dict[str, str] = {}
        self._found: dict[tuple[str | None, int | None], tuple[str, KnownRule | None]] = {}
        self._unplaced = self._cut = self._undecided = self._suppressed = self._baselined = self._misrated = 0

    def read(self, finish: Finish) -> ForeignRun:
        """Resolve all results, dropping each packed one."""
        head = self._head()
        finished = finish(head)
        results: list[RawResult] = []
        while self._run.results:
            results += finished([*self._some()])
        return msgspec.structs.replace(
            head,
            results=tuple(results),
            unplaced=self._unplaced,
            cut=self._cut,
            undecided=self._undecided,
            suppressed=self._suppressed,
            baselined=self._baselined,
            misrated=self._misrated,
        )

    def _some(self) -> Iterator[RawResult]:
        """Resolve the next results."""
        packed, decoder = self._run.results, msgspec.msgpack.Decoder(list[tuple[int, ResultPart]])
        some: list[tuple[int, ResultPart]] = []
        while packed and len(some) < _AT_ONCE:
            some += decoder.decode(packed.popleft())
        for at, part in some:
            result = self._result(part, at)
            if not result.path:
                self._unplaced += 1
            if part.kind in ("review", "open"):
                self._undecided += 1
            if part.suppressions:
                self._suppressed += 1
            if part.baseline_state is not None:
                self._baselined += 1
            yield result

    def _head(self) -> ForeignRun:
        """Give what the run says besides its results."""
        run, driver = self._run, self._run.components[0]
        claims = [one.execution_successful for one in run.invocations]
        notified = (
            note.level == "error"
            for one in run.invocations
            for notes in (one.tool_execution_notifications, one.tool_configuration_notifications)
            for note in notes or []
        )
        return ForeignRun(
            tool=driver.name,
            version=driver.semantic_version or driver.version,
            rules=self._rules.rules(),
            results=(),
            claimed_success=all(claim is True for claim in claims) if claims else None,
            revision=next((one.revision_id for one in run.version_control if one.revision_id), ""),
            informational=run.informational,
            errors=sum(notified),
        )

    def _result(self, part: ResultPart, at: int) -> RawResult:
        identity, known = self._rule(part, at)
        spot, region, snippet, resource = self._place(part, at)
        self._cut += spot.is_cut
        rule, bag = known.rule if known else Rule(id=identity), part.properties
        score = bag.score() if bag else None
        score = rule.score if score is None else score
        if score is None and ((bag is not None and bag.is_misrated()) or (known is not None and known.is_misrated)):
            self._misrated += 1
        level = self._rules.level(part, identity, known)
        cwes = rule.cwes
        if bag or part.taxa:
            own = (cwes_in(bag.texts()) if bag else set()) | self._rules.cwes(part.taxa or [])
            cwes = tuple(sorted(own.union(cwes)))
        return RawResult(
            rule=identity,
            message=self._message(part.message, known, at) if part.message else "",
            path=self._share(spot.path),
            region=region,
            column_unit=self._unit,
            severity=Severity.from_score(score) if score is not None else _LEVEL_SEVERITY[level],
            score=score,
            severity_basis="security-severity" if score is not None else _LEVEL_BASIS[level],
            confidence=rule.confidence,
            cwes=cwes,
            snippet=snippet,
            resource=self._share(resource),
            suppressions=tuple(map(_suppression, part.suppressions)) if part.suppressions else (),
            claims=_claims(part) if self._keeps_claims else None,
        )

    def _rule(self, part: ResultPart, at: int) -> tuple[str, KnownRule | None]:
        """3.27.5 to 3.27.7: ruleId, else rule.id, else the rule at ruleIndex of the component that `rule` names."""
        key = (part.rule_id, part.rule_index)
        found = self._found.get(key) if part.rule is None else None
        if found is not None:
            return found
        reference = part.rule or Reference()
        index = part.rule_index if part.rule_index is not None and part.rule_index >= 0 else reference.index
        given = part.rule_id or reference.id
        identity, known = self._rules.find(msgspec.structs.replace(reference, id=given, index=index))
        if not identity:
            self._cursor.refuse(f"{self._where(at)}.ruleId", "no rule: neither ruleId nor a ruleIndex that exists")
        if len(identity) > MAX_NAME:
            self._cursor.refuse(f"{self._where(at)}.ruleId", f"longer than {MAX_NAME} characters")
        identity = self._share(identity)
        if part.rule is None and len(self._found) < MAX_FOUND:
            self._found[key] = identity, known
        return identity, known

    def _place(self, part: ResultPart, at: int) -> tuple[Spot, Region, str, str]:
        """Give the first location that is in a file, else the file that was looked at, and what lies inside of it.

        For want of a file the name or the first address tells one result's place from another's.
        """
        location: ArtifactLocation | None = part.analysis_target
        spot: Spot | None = None
        span = None
        address = ""
        logical: list[LogicalLocation] = []
        for one in part.locations or ():
            logical = logical or one.logical_locations or []
            physical = one.physical_location
            if physical is None:
                continue
            there = self._places.spot(physical.artifact_location)
            if there.path:
                location, spot, span = physical.artifact_location, there, physical.region
                break
            address = address or there.inner
        spot = spot or self._places.spot(location)
        resource = spot.inner
        if not spot.path:
            name = (logical[0].fully_qualified_name or logical[0].name or "") if logical else ""
            resource = name or address or resource
        if span is None:
            return spot, Region(), "", resource
        region, snippet = self._places.region(location, span, longest=MAX_TEXT)
        if not (span.snippet and span.snippet.text):
            self._texts.made(len(snippet), self._where(at))
        # A line of what a container holds is no line of the container.
        return spot, Region() if spot.inner else region, snippet, resource

    def _message(self, message: Message, known: KnownRule | None, at: int) -> str:
        text = message.text or (self._rules.string(message.id, known) if message.id else "") or message.markdown or ""
        text = text[:MAX_TEXT]
        if not message.arguments:
            # Without arguments a text is no template to most writers, and its braces are its own.
            return text
        filled = _filled(text, message.arguments)
        # What looking for braces costs counts too: a short argument may stand in a long template, very often.
        work = len(text) // 4 + 32 * (text.count("{") + text.count("}"))
        self._texts.made(len(filled) + work, self._where(at))
        return filled

    def _where(self, at: int) -> str:
        """Give the JSON path of a result."""
        return f"{self._run.path}.results[{at}]"

    def _share(self, text: str) -> str:
        """Give one and the same string for equal ones: paths and rules come back in most results."""
        return self._shared.setdefault(text, text)


def _filled(text: str, arguments: list[str]) -> str:
    """Put arguments in for `{0}`, in one pass: an argument is never itself a template, and the result is bounded."""
    parts: list[str] = []
    room, at = MAX_TEXT, 0
    for match in _PLACEHOLDER.finditer(text):
        number = match.group(1)
        if number is None:
            filled = match.group()[0]
        else:
            filled = arguments[int(number)] if int(number) < len(arguments) else match.group()
        for part in (text[at : match.start()], filled):
            parts.append(part[:room])
            room -= len(parts[-1])
        at = match.end()
        if room == 0:
            break
    return "".join(parts) + text[at:][:room]


def _suppression(part: SuppressionPart) -> Suppression:
    return Suppression(
        kind="inSource" if part.kind == "inSource" else "external",
        text=(part.justification or "")[:MAX_TEXT],
        status=part.status or part.state or "",
    )


def _claims(part: ResultPart) -> Claims | None:
    if not part.fingerprints and not part.partial_fingerprints and part.baseline_state is None:
        return None
    given = {**(part.partial_fingerprints or {}), **(part.fingerprints or {})}
    names = sorted(given)[:MAX_CLAIMED]
    return Claims(
        baseline_state=part.baseline_state or "",
        fingerprints=tuple((name[:MAX_CLAIM], given[name][:MAX_CLAIM]) for name in names),
    )
