"""Why a thing blocks or passes, and the shortest ways to green: for one finding, one lane, or the run itself.

Everything here is in the stored run, so an explanation is the same today and in a year; who asks later adds what is
known then. Nothing is escaped for a page, but commands are safe to be pasted into a shell, or they are not given.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Literal

import msgspec

from secgate import sla
from secgate.escape import plain
from secgate.gaps import gap_words, named
from secgate.model import (
    Decision,
    Finding,
    Gap,
    LaneCoverage,
    Obligation,
    RunDocument,
    Scope,
    Severity,
    Spoken,
    Value,
    Verdict,
    Word,
)
from secgate.overrides import override_words
from secgate.policy import Layer
from secgate.policy.attribution import places
from secgate.sla import utc_words
from secgate.summary import fix_of, pinpoint, short_rule, worst_first

VERSION = 1
"""Version of the JSON form; it grows by additions only."""
SHOWN = 12
"""Hexadecimal digits by which a fingerprint is named to a person."""
MAX_WAYS = 8
"""Ways that are told of one lane; the run lists every gap."""

_BLOCKING = (Word.DENY, Word.INCONCLUSIVE)
_PLACEHOLDERS = ("--until", "30d", "--reason", "WHY-IT-MAY-PASS", "--as", "YOUR-ID", "--key", "YOUR-KEY-FILE")
_REVIEW = ("--word", "justified", "--reason", "WHAT-YOU-LOOKED-AT", "--as", "YOUR-ID", "--key", "YOUR-KEY-FILE")
_PATTERN_SIGN = re.compile(r"([\\*?\[\]])")

Subject = Literal["finding", "lane", "run", "rule"]
WayKind = Literal["fix", "remedy", "gap", "waiver", "override", "none"]


class Way(Value, frozen=True, kw_only=True):
    """One way to green. `command` is a line for a shell, "" for none; words in capitals are to be filled in."""

    kind: WayKind
    text: str
    command: str = ""


class Policy(Value, frozen=True, kw_only=True):
    """A part of what decided, by its digest then and now; `now` is "" where nobody looked, or where it is gone."""

    part: str
    then: str
    now: str = ""
    same: bool = True


class Explanation(Value, frozen=True, kw_only=True):
    """The whole answer. `word` is the verdict's, or `not judged` or `not asked`."""

    version: int = VERSION
    subject: Subject
    id: str
    title: str
    place: str = ""
    severity: Severity | None = None
    word: str = ""
    rule: str = ""
    layer: str = ""
    reason: str = ""
    said: tuple[Spoken, ...] = ()
    facts: Mapping[str, str] = msgspec.field(default_factory=dict)
    """What is known of the subject besides, where no rule spoke."""
    clock: tuple[str, ...] = ()
    owner: str = ""
    owners_now: tuple[str, ...] = ()
    """Names as CODEOWNERS has them where it was asked for: told, and never recorded."""
    ways: tuple[Way, ...] = ()
    gaps: tuple[str, ...] = ()
    """What of a lane nobody looked at and why, a line for all files of one reason."""
    notes: tuple[str, ...] = ()
    profile: str = ""
    scope: str = ""
    override: str = ""
    """Who lets the run pass all the same, until when and why; "" where no override was in force."""
    run_id: str = ""
    evaluated_epoch_s: int = 0
    policy: tuple[Policy, ...] = ()


def explain_finding(finding: Finding, verdict: Verdict | None, document: RunDocument) -> Explanation:
    """Explain the verdict on a finding of a run."""
    line = pinpoint(finding).region.start_line
    told = Explanation(
        subject="finding",
        id=finding.fingerprint,
        title=finding.title,
        place=finding.location.path + (f":{line}" if line else ""),
        severity=finding.severity,
        facts=_facts(finding),
        clock=tuple(clock_words(finding, document)),
        owner=finding.owner,
        ways=tuple(_ways(finding, verdict, document)),
        notes=tuple(_notes(finding, verdict)),
    )
    return _judged(told, verdict, document)


def explain_lane(lane: LaneCoverage, document: RunDocument) -> Explanation:
    """Explain a lane: what nobody looked at, what was said of that, and what closes each gap."""
    verdict = _verdict(document.decision, "lane", lane.lane.value)
    facts = {
        name: str(getattr(lane, name)).lower()
        for name in ("asked", "needed", "offered", "covered", "failed", "unsupported")
    }
    facts["gaps"] = str(len(lane.gaps))
    facts["gaps waived"] = str(sum(gap.waived for gap in lane.gaps))
    told = Explanation(
        subject="lane",
        id=lane.lane.value,
        title=f"the lane {lane.lane.value}",
        facts=facts,
        gaps=gap_words(lane.gaps),
        ways=tuple(_lane_ways(lane, verdict, document)),
    )
    return _judged(told, verdict, document)


def explain_run(document: RunDocument) -> Explanation:
    """Explain what was said of the run itself."""
    verdict = _verdict(document.decision, "run", "run")
    ways = [Way(kind="remedy", text=one.remedy) for one in (verdict.said if verdict else ()) if one.remedy]
    held = document.decision.override if document.decision is not None else None
    if held is not None:
        review = shlex.join(("secgate", "override", "review", held.id[:SHOWN], *_REVIEW))
        ways.append(Way(kind="override", text="a second person has to look at the override", command=review))
    told = Explanation(subject="run", id="run", title="the run itself", ways=tuple(dict.fromkeys(ways)))
    return _judged(told, verdict, document)


def blocked(document: RunDocument, *, most: int) -> tuple[Explanation, ...]:
    """Explain everything that blocks a run: the run, lanes, and at most `most` findings, the worst first."""
    decision = document.decision
    if decision is None:
        return ()
    verdicts = {(one.subject, one.id): one for one in decision.verdicts if one.word in _BLOCKING}
    lanes = [lane for lane in document.coverage.lanes if ("lane", lane.lane.value) in verdicts]
    found = [one for one in document.findings if ("finding", one.fingerprint) in verdicts]
    found.sort(key=worst_first)
    return (
        *([explain_run(document)] if ("run", "run") in verdicts else []),
        *(explain_lane(lane, document) for lane in lanes),
        *(explain_finding(one, verdicts["finding", one.fingerprint], document) for one in found[:most]),
    )


def clock_words(finding: Finding, document: RunDocument) -> Iterator[str]:
    """Say what each duty of a finding allows from when to when, which of them counts, and how it stands."""
    decision = document.decision
    now = decision.evaluated_epoch_s if decision else 0
    duties = sorted(finding.obligations, key=lambda duty: (duty.due_epoch_s, duty.basis))
    if finding.first_seen_epoch_s is not None:
        yield f"first seen {utc_words(finding.first_seen_epoch_s)}"
    yield from (_duty_words(duty) for duty in duties)
    counting = sla.earliest(finding.obligations)
    if counting is not None:
        which = f"{counting.basis} is due first, and counts" if len(duties) > 1 else "that counts"
        yield f"{which}; judged {utc_words(now)}: {sla.standing_words(finding.obligations, now_epoch_s=now)}"
    elif duties:
        yield "none of them stands any more"
    elif document.target.scope is not Scope.PROTECTED:
        yield "no clock runs: only protected runs start clocks"
    elif decision is not None:
        yield f"no rule gives a limit to a finding of severity {finding.severity.value} here"


def _duty_words(duty: Obligation) -> str:
    length = sla.length_words(duty.limit_s)
    gone = "; superseded by an approved downgrade" if duty.superseded else ""
    start, due = utc_words(duty.start_epoch_s), utc_words(duty.due_epoch_s)
    return f"{duty.basis}: {start} + {length} = {due}{gone}"


def waiver_command(finding: Finding, document: RunDocument) -> str:
    """Give the line that asks for a waiver of a finding; "" where none can be asked for.

    It names this run where a ledger has it; of another it would say that there is none.
    """
    is_secret = any(witness.secret for witness in finding.witnesses)
    if not re.fullmatch(r"[0-9a-f]{8,}", finding.fingerprint) or (is_secret and not finding.secret_macs):
        return ""
    kind = ("--kind", "accept")
    run = ("--run", document.run_id) if is_recorded(document) else ()
    return shlex.join(("secgate", "waiver", "request", finding.fingerprint[:SHOWN], *kind, *run, *_PLACEHOLDERS))


def _ways(finding: Finding, verdict: Verdict | None, document: RunDocument) -> Iterator[Way]:
    fix = fix_of(finding, verdict)
    has_fix = finding.package is not None and bool(finding.package.fixed_versions)
    if fix:
        yield Way(kind="fix" if has_fix else "remedy", text=fix)
    texts = [finding.remedy, *(one.remedy for one in (verdict.said if verdict is not None else ()))]
    yield from (Way(kind="remedy", text=text) for text in dict.fromkeys(texts) if text and not fix.startswith(text))
    if verdict is None or verdict.word in (Word.WAIVED, Word.EXEMPT, Word.ALLOW):
        return
    if verdict.word is Word.INCONCLUSIVE:
        yield Way(kind="none", text="a waiver does not help: it cannot make known what could not be told")
        return
    if not _has_tree(document):
        yield Way(kind="none", text="a waiver is asked for in the run of the tree: nothing of these files is recorded")
        return
    command = waiver_command(finding, document)
    if not command:
        yield Way(
            kind="none", text="it can be waived only under the organisation's key for secrets: SECGATE_SECRET_KEY"
        )
        return
    yield Way(kind="waiver", text=_waiver_words(document), command=command)


def _has_tree(document: RunDocument) -> bool:
    """Tell whether a tree was judged, and not files alone, of which nothing is kept that a waiver could be about."""
    return document.decision is None or document.decision.claims_coverage


def is_recorded(document: RunDocument) -> bool:
    """Tell whether a ledger has this run: hooks, staged runs and forks only read one."""
    return document.ledger_head is not None and not document.target.only_reads


def _waiver_words(document: RunDocument) -> str:
    text = "have it accepted for a while; somebody else approves"
    if document.decision is not None and not document.decision.enforced_digest:
        text += "; it counts only under an enforced layer that knows you both"
    if not is_recorded(document):
        text += "; this run is in no ledger, so run it once where it is recorded"
    return text


def _lane_ways(lane: LaneCoverage, verdict: Verdict | None, document: RunDocument) -> Iterator[Way]:
    left = [gap for gap in lane.gaps if not gap.waived]
    remedies: dict[str, list[str]] = {}
    for gap in left:
        if gap.remedy:
            remedies.setdefault(gap.remedy, []).append(gap.path)
    told: dict[Way, None] = {}
    for one in verdict.said if verdict is not None else ():
        if one.remedy and one.remedy not in remedies:
            told[Way(kind="gap", text=one.remedy)] = None
    for remedy, paths in remedies.items():
        told[Way(kind="gap", text=f"{named(dict.fromkeys(paths), 'more file')}{remedy}")] = None
    for gap in left if _has_tree(document) else ():
        told[_gap_waiver(gap, document)] = None
    yield from list(told)[:MAX_WAYS]
    if len(told) > MAX_WAYS:
        more = sla.many(len(told) - MAX_WAYS, "more way")
        yield Way(kind="none", text=f"{more}: the run in JSON lists every gap")


def _gap_waiver(gap: Gap, document: RunDocument) -> Way:
    """Give the line that asks for a waiver of a gap: what a change touches is never let pass."""
    what = gap.path or f"what {gap.tool or 'the lane'} did not look at"
    if gap.touched and document.target.changed is not None:
        return Way(kind="none", text=f"{what} is touched by the change, so no waiver lets it pass")
    if plain(gap.path) != gap.path:
        return Way(kind="none", text=f"the name of {gap.path} has characters that no command can show: rename it")
    paths = ("--", gap.lane.value, gap.reason, _PATTERN_SIGN.sub(r"\\\1", gap.path)) if gap.path else ()
    words = ("secgate", "coverage", "waive", *_PLACEHOLDERS, *(paths or (gap.lane.value, gap.reason)))
    return Way(kind="waiver", text=f"or let {what} pass for a while; somebody else approves", command=shlex.join(words))


def _notes(finding: Finding, verdict: Verdict | None) -> Iterator[str]:
    if finding.state_basis:
        yield f"{finding.state.value}: {finding.state_basis}"
    if (less := finding.downgraded) is not None:
        until = utc_words(less.until_epoch_s)
        yield (
            f"downgrade {less.id[:SHOWN]}: two people agreed that it counts as {less.severity.value} until {until}, "
            f"approved by {less.approver}; the tools say {finding.severity.value}, "
            "and only the clock of the severity moved"
        )
    if finding.suppressed_in_source:
        yield "a comment in the source asks to ignore this; the policy decides"
    if finding.ambiguous:
        yield "known again by its order among equals"
    if verdict is not None and verdict.word is Word.ALLOW and not verdict.said:
        yield "no rule of any layer speaks against it under these facts"


def _facts(finding: Finding) -> dict[str, str]:
    package = finding.package
    told = {
        "lane": finding.lane.value,
        "weakness": finding.weakness,
        "severity": f"{finding.severity.value} {finding.score:.1f} ({finding.severity_basis or 'basis not told'})",
        "confidence": finding.confidence.value,
        "seen by": ", ".join(sorted({witness.scanner for witness in finding.witnesses})),
    }
    if package is not None:
        told["package"] = f"{package.name} {package.version} in {package.manifest}"
        told["fixed in"] = ", ".join(package.fixed_versions) or "no known version"
    if finding.advisories:
        told["advisories"] = ", ".join(finding.advisories)
    return told


def _verdict(decision: Decision | None, subject: str, name: str) -> Verdict | None:
    verdicts = decision.verdicts if decision is not None else ()
    return next((one for one in verdicts if (one.subject, one.id) == (subject, name)), None)


def _judged(told: Explanation, verdict: Verdict | None, document: RunDocument) -> Explanation:
    """Add what follows from the verdict and its run."""
    decision = document.decision
    if decision is None:
        return msgspec.structs.replace(told, word="not judged", run_id=document.run_id)
    digests = {**decision.policy_digests, "enforced layer": decision.enforced_digest}
    return msgspec.structs.replace(
        told,
        word=verdict.word.value if verdict is not None else "not asked",
        rule=verdict.rule if verdict is not None else "",
        layer=verdict.layer if verdict is not None else "",
        reason=verdict.reason if verdict is not None else "",
        said=verdict.said if verdict is not None else (),
        profile=decision.profile,
        scope=document.target.scope.value,
        override=override_words(decision),
        run_id=document.run_id,
        evaluated_epoch_s=decision.evaluated_epoch_s,
        policy=tuple(Policy(part=part, then=digest) for part, digest in sorted(digests.items()) if digest),
    )


def explain_rule(name: str, layers: Sequence[Layer], document: RunDocument) -> Explanation | None:
    """Explain a rule by its short name: what its module says of itself, where it is written, what it said in the run.

    None for a name that no layer and no verdict has.
    """
    notes = []
    about = ""
    for layer in layers:
        for head in layer.sources:
            if short_rule(head.rule) == name:
                notes.append(f"{head.set}: {places(layer, [head])} ({layer.name} layer)")
                about = about or _comment(next(one.text for one in layer.modules if one.path == head.path))
    said = rules_of(document).get(name, [])
    if not notes and not said:
        return None
    for verdict, one in said[:MAX_WAYS]:
        notes.append(f"said {one.word.value} of {verdict.subject} {verdict.id[:SHOWN]}: {one.reason}")
    if len(said) > MAX_WAYS:
        notes.append(f"and {sla.many(len(said) - MAX_WAYS, 'more time')}")
    told = Explanation(subject="rule", id=name, title=f"the rule {name}", notes=tuple(notes))
    word = "no word" if not said else min((one.word for _, one in said), key=list(Word).index).value
    return msgspec.structs.replace(_judged(told, None, document), word=word, reason=about)


def _comment(text: str) -> str:
    """Give the comment that a module begins with."""
    lines = takewhile(lambda line: line.startswith("#"), text.split("\n"))
    return " ".join(line.strip("# ") for line in lines)


def as_of_now(told: Explanation, digests: Mapping[str, str], *, owners: Sequence[str] = ()) -> Explanation:
    """Add what is known where it is asked: whether the policy is still the one that decided, and who owns the place."""
    parts = tuple(
        msgspec.structs.replace(one, now=digests.get(one.part, ""), same=digests.get(one.part, "") == one.then)
        for one in told.policy
    )
    known = {one.part for one in parts}
    added = (Policy(part=part, then="", now=now, same=False) for part, now in sorted(digests.items()))
    fresh = tuple(one for one in added if one.part not in known and one.now)
    return msgspec.structs.replace(told, policy=(*parts, *fresh), owners_now=tuple(owners))


def rules_of(document: RunDocument) -> dict[str, list[tuple[Verdict, Spoken]]]:
    """Give what each rule said in a run, by its short name."""
    found: dict[str, list[tuple[Verdict, Spoken]]] = {}
    for verdict in document.decision.verdicts if document.decision else ():
        for one in verdict.said:
            found.setdefault(short_rule(one.rule), []).append((verdict, one))
    return found
