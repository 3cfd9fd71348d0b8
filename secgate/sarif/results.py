"""One witness of a finding as the bytes of one SARIF result.

The structures below list their fields in the order of their JSON names, so that a result needs no sorting: at 100,000
results that is most of the time. A test holds the order.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote

import msgspec
from msgspec import Raw, Struct

from secgate.model import Finding, Fix, Lane, Location, Result, Severity, State, Verdict, WaiverAccount, Word
from secgate.sarif.limits import Cuts, Item

ROOT = "%SRCROOT%"
LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}
_BASELINE = {
    State.NEW: "new",
    State.NEWLY_DETECTABLE: "new",
    State.UNCHANGED: "unchanged",
    State.UPDATED: "updated",
    State.ABSENT: "absent",
}
_NAMESPACE = uuid.UUID("7f0c3f0e-3d0b-5c52-9a55-0d3a6a0f6d0e").bytes
_LAST_DATE_EPOCH_S = 253_402_300_799
"""The end of the year 9999: SARIF's times have four digits of year."""
# 3.11.6: `[text](target)` in a message is a link. Text that came from a tree must not make one.
_LINK = re.compile(r"\[(?=[^\]\n]*\]\()")


class _Node(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True, rename="camel"):
    """Ground of what is written: absent where a field has its default."""


class _Text(_Node, frozen=True, kw_only=True, gc=False):
    text: str


class _Region(_Node, frozen=True, kw_only=True, gc=False):
    end_column: int = 0
    end_line: int = 0
    snippet: _Text | None = None
    start_column: int = 0
    start_line: int = 0


_NOWHERE = _Region(start_line=1, start_column=1, end_line=1, end_column=1)
"""Where no line is known: the empty place at a file's start, since GitHub refuses a result without a line."""


class _Placeholder(_Node, frozen=True, kw_only=True, gc=False):
    region_is: str


_PLACEHOLDER = _Placeholder(region_is="a placeholder: no line is known")


class _Physical(_Node, frozen=True, kw_only=True, gc=False):
    artifact_location: Raw
    context_region: _Region | None = None
    properties: _Placeholder | None = None
    region: _Region


class _Logical(_Node, frozen=True, kw_only=True, gc=False):
    fully_qualified_name: str
    kind: str


class _Location(_Node, frozen=True, kw_only=True, gc=False):
    logical_locations: tuple[_Logical, ...] = ()
    physical_location: _Physical


class _Suppression(_Node, frozen=True, kw_only=True, gc=False):
    justification: str = ""
    kind: str
    properties: dict[str, str] | None = None
    status: str


class _Properties(_Node, frozen=True, kw_only=True, gc=False):
    advisories: list[str] | None = None
    downgraded: dict[str, str] | None = None
    due: str = ""
    lane: Lane
    security_severity: str = msgspec.field(name="security-severity")
    severity: Severity
    severity_basis: str
    state: State
    verdict: Word | None = None
    verdict_rule: str = ""
    weakness: str
    witnesses: list[str]


class _Line(_Node, frozen=True, kw_only=True, gc=False):
    primary_location_line_hash: str


class _Replacement(_Node, frozen=True, kw_only=True, gc=False):
    deleted_region: _Region
    inserted_content: _Text | None = None


class _Change(_Node, frozen=True, kw_only=True, gc=False):
    artifact_location: Raw
    replacements: tuple[_Replacement, ...]


class _Fix(_Node, frozen=True, kw_only=True, gc=False):
    artifact_changes: tuple[_Change, ...]
    description: _Text
    properties: dict[str, str]


class _Result(_Node, frozen=True, kw_only=True, gc=False):
    baseline_state: str
    correlation_guid: str
    fingerprints: dict[str, str]
    fixes: tuple[_Fix, ...] = ()
    kind: str
    level: str
    locations: tuple[_Location, ...]
    message: _Text
    partial_fingerprints: _Line | None = None
    properties: _Properties
    rule_id: str
    rule_index: int
    suppressions: list[_Suppression] | None = None


class _Facts(Struct, frozen=True, gc=False):
    """What all witnesses of a finding share."""

    finding: Finding
    verdict: Verdict | None
    due: str
    witnesses: list[str]
    guid: str


class ResultWriter:
    """Writes the results of a document; holds what they share, and counts the texts that it had to cut."""

    def __init__(
        self,
        verdicts: Mapping[str, Verdict],
        excerpts: Mapping[str, str],
        line_hashes: Mapping[str, Mapping[str, str]],
        waivers: Mapping[str, WaiverAccount],
    ) -> None:
        self._verdicts, self._excerpts, self._line_hashes = verdicts, excerpts, line_hashes
        self._waivers = waivers
        self._facts: dict[str, _Facts] = {}
        self._addresses: dict[str, Raw] = {}
        self._encoder = msgspec.json.Encoder()

    def is_claimed(self, item: Item) -> bool:
        """Tell whether anything claims that a result does not count."""
        name = item.finding.fingerprint
        account, waived = self._waivers.get(name), _is_waived(self._verdicts.get(name))
        told = account is not None and waived is (account.state == "active")
        return waived or told or bool(item.witness.suppressions)

    def write(self, item: Item, rule_index: int, cuts: Cuts, *, is_any_claimed: bool) -> bytes:
        """Give one result as JSON, compact, its keys sorted. Only finding and verdict of one fingerprint are kept.

        `is_any_claimed` tells whether any result of its run is: the lists of claims of a run are all there, or none.
        Source: SARIF 2.1.0, 3.27.23.
        """
        finding, witness = item.finding, item.witness
        facts = self._facts.get(finding.fingerprint)
        if facts is None or facts.finding is not finding:
            facts = self._facts[finding.fingerprint] = self._shared(finding)
        return self._encoder.encode(
            _Result(
                baseline_state=_BASELINE[finding.state],
                correlation_guid=facts.guid,
                fingerprints={finding.algorithm: finding.fingerprint},
                fixes=tuple(self._fix(fix, witness.location.path) for fix in witness.fixes),
                kind="fail",
                level=LEVELS[witness.severity],
                locations=(self._location(finding, witness, cuts),),
                message=_Text(text=_message(witness, cuts)),
                partial_fingerprints=self._line(witness.location) if self._line_hashes else None,
                properties=_properties(facts, witness),
                rule_id=witness.rule,
                rule_index=rule_index,
                suppressions=_suppressions(witness, facts.verdict, self._waivers.get(finding.fingerprint), cuts)
                if is_any_claimed
                else None,
            )
        )

    def _shared(self, finding: Finding) -> _Facts:
        due = ""
        if finding.obligations:
            times = [one.due_epoch_s for one in finding.obligations if not one.superseded]
            due = utc(min(times)) if times else ""
        names = [one.scanner for one in finding.witnesses]
        if len(names) > 1:
            names = sorted(set(names))
        return _Facts(finding, self._verdicts.get(finding.fingerprint), due, names, _guid(finding.fingerprint))

    def _line(self, location: Location) -> _Line | None:
        """The hash that GitHub would compute; a text that stands only in a commit is not in its checkout."""
        hashes = self._line_hashes.get(location.path)
        value = hashes.get(str(location.region.start_line)) if hashes and not location.commit else None
        return _Line(primary_location_line_hash=value) if value else None

    def _address(self, path: str) -> Raw:
        found = self._addresses.get(path)
        if found is None:
            found = self._addresses[path] = Raw(self._encoder.encode({"uri": uri(path), "uriBaseId": ROOT}))
        return found

    def _fix(self, fix: Fix, path: str) -> _Fix:
        """Write a fix, with the SHA-256 of the bytes that it was made for. Source: SARIF 2.1.0, 3.55."""
        replacements = tuple(
            _Replacement(
                deleted_region=_Region(
                    start_line=edit.region.start_line,
                    start_column=edit.region.start_column,
                    end_line=edit.region.end_line,
                    end_column=edit.region.end_column,
                ),
                inserted_content=_Text(text=edit.text) if edit.text else None,
            )
            for edit in fix.edits
        )
        change = _Change(artifact_location=self._address(path), replacements=replacements)
        return _Fix(artifact_changes=(change,), description=_Text(text=fix.title), properties={"sha256": fix.digest})

    def _location(self, finding: Finding, witness: Result, cuts: Cuts) -> _Location:
        location = witness.location
        excerpt = self._excerpts.get(finding.fingerprint, "") if finding.location.path == location.path else ""
        physical = _Physical(
            artifact_location=self._address(location.path),
            context_region=_context(location, excerpt) if excerpt else None,
            properties=None if location.region.start_line > 0 else _PLACEHOLDER,
            region=_region(witness),
        )
        if not witness.resource:
            return _Location(physical_location=physical)
        logical = _Logical(fully_qualified_name=cuts.clip(witness.resource), kind="resource")
        return _Location(logical_locations=(logical,), physical_location=physical)


def uri(path: str) -> str:
    """Give a path as a relative address; the whole tree, "", is `.`, since GitHub refuses an empty one."""
    return quote(path, safe="/-._~", errors="replace") or "."


def utc(epoch_s: int) -> str:
    """Give a time as SARIF writes it. Source: SARIF 2.1.0, 3.9."""
    return datetime.fromtimestamp(min(epoch_s, _LAST_DATE_EPOCH_S), tz=UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _guid(fingerprint: str) -> str:
    """Give the UUID of version 5 for a fingerprint; `uuid` makes the same in three times the time. RFC 9562, 5.5."""
    text = hashlib.sha1(_NAMESPACE + fingerprint.encode(), usedforsecurity=False).hexdigest()
    return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-{'89ab'[int(text[16], 16) & 3]}{text[17:20]}-{text[20:32]}"


def _properties(facts: _Facts, witness: Result) -> _Properties:
    finding, verdict = facts.finding, facts.verdict
    return _Properties(
        advisories=sorted({witness.advisory, *witness.aliases}) if witness.advisory else None,
        downgraded=_downgraded(finding),
        due=facts.due,
        lane=finding.lane,
        security_severity=f"{witness.score:.1f}",
        severity=witness.severity,
        severity_basis=witness.severity_basis,
        state=finding.state,
        verdict=verdict.word if verdict is not None else None,
        verdict_rule=verdict.rule if verdict is not None else "",
        weakness=finding.weakness,
        witnesses=facts.witnesses,
    )


def _downgraded(finding: Finding) -> dict[str, str] | None:
    less = finding.downgraded
    if less is None:
        return None
    return {"approver": less.approver, "id": less.id, "severity": less.severity, "until": utc(less.until_epoch_s)}


def _suppressions(
    witness: Result, verdict: Verdict | None, account: WaiverAccount | None, cuts: Cuts
) -> list[_Suppression]:
    """Give what claims that a result does not count, and what became of each claim.

    A comment in the source is under review, unless the finding is let pass: readers take a result for suppressed only
    where nothing of it is under review or rejected. Source: SARIF 2.1.0, 3.27.23, 3.35.3.
    """
    waived = _is_waived(verdict)
    # Two claims in the same words are one: no two of the list may be equal (3.27.23).
    claims = dict.fromkeys((one.kind, cuts.clip(one.text)) for one in witness.suppressions)
    claimed = "accepted" if waived else "underReview"
    made = [_Suppression(kind=kind, status=claimed, justification=text) for kind, text in claims]
    reason = verdict.reason or verdict.rule if verdict is not None else ""
    if account is not None and waived is (account.state == "active"):
        status = _STATUSES[account.state]
        told = f"{account.reason} ({reason if waived else f'{account.state}: {account.why}'})"
        made.append(
            _Suppression(kind="external", status=status, justification=cuts.clip(told), properties=_waiver(account))
        )
    elif waived and not made:
        made.append(_Suppression(kind="external", status="accepted", justification=cuts.clip(reason)))
    return made


def _is_waived(verdict: Verdict | None) -> bool:
    return verdict is not None and verdict.word in (Word.WAIVED, Word.EXEMPT)


_STATUSES = {
    "active": "accepted",
    "requested": "underReview",
    "expired": "rejected",
    "void": "rejected",
    "unused": "rejected",
}


def _waiver(account: WaiverAccount) -> dict[str, str]:
    """Accepted risk apart from what is no risk: SARIF has no field for that."""
    told = {"approver": account.approver, "id": account.id, "kind": account.kind, "until": utc(account.until_epoch_s)}
    return {name: value for name, value in told.items() if value}


def _region(witness: Result) -> _Region:
    region = witness.location.region
    if region.start_line <= 0:
        return _NOWHERE
    has_end = region.end_line >= region.start_line
    has_columns = has_end and region.end_column > 0 and region.start_column > 0
    backwards = region.end_line == region.start_line and region.end_column <= region.start_column
    return _Region(
        start_line=region.start_line,
        start_column=max(region.start_column, 0),
        end_line=region.end_line if has_end else 0,
        end_column=region.end_column if has_columns and not backwards else 0,
        snippet=_Text(text=witness.snippet) if witness.snippet else None,
    )


def _context(location: Location, excerpt: str) -> _Region | None:
    """The masked lines around a result, where they hold all of it. Source: SARIF 2.1.0, 3.29.5."""
    numbered = [line.partition("\t") for line in excerpt.split("\n")]
    if location.region.start_line <= 0 or not all(number.isdecimal() for number, _, _ in numbered):
        return None
    first, last = int(numbered[0][0]), int(numbered[-1][0])
    start, end = location.region.start_line, max(location.region.end_line, location.region.start_line)
    whole = last - first + 1 == len(numbered)
    if not whole or not first <= start <= end <= last or (first, last) == (start, end):
        return None
    return _Region(start_line=first, end_line=last, snippet=_Text(text="\n".join(text for _, _, text in numbered)))


def _message(witness: Result, cuts: Cuts) -> str:
    text = witness.message or witness.rule
    if "](" in text:
        text = _LINK.sub(r"\\[", text)
    if witness.location.commit:
        text = f"{text} (in commit {witness.location.commit[:12]} of the change)"
    return cuts.clip(text)
