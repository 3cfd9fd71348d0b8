"""Values for tests: each function makes one, complete and plausible, and takes what a test cares about.

Every time in them is near `NOW`. Whole runs as a reader meets them are in `sample_runs`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec

from secgate.model import (
    Actor,
    Confidence,
    Coverage,
    Decision,
    EvidenceBasis,
    FileReading,
    FileStatus,
    Finding,
    Gap,
    Head,
    Invocation,
    Lane,
    LaneCoverage,
    LeftOut,
    Location,
    Obligation,
    Outcome,
    Region,
    Result,
    Rule,
    RunDocument,
    ScanStatus,
    Scope,
    Severity,
    Target,
    Tool,
    Verdict,
    Word,
)

NOW = 1_767_225_600
"""2026-01-01 00:00:00 UTC, the time at which the runs here are judged."""
HOUR, DAY = 3600, 86400
HOSTILE = (
    "\x1b]0;owned\x07\x1b[31mred\x1b[0m\u202eevil\u2066<script>alert(1)</script><img src=x onerror=alert(2)>"
    "[click](javascript:alert(3))`code`=cmd|' /C calc'!A0\n::error file=a.py::made up\r\n##vso[task.complete]\x9b2J"
)
"""One text with every trick at once: terminal, bidirectional, HTML, Markdown, spreadsheet and CI commands."""


def digest(text: str) -> str:
    """Give a SHA-256 that belongs to `text`."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def location(path: str = "shop/views.py", line: int = 42, **changes: Any) -> Location:
    """A place of one line."""
    region = Region(start_line=line, start_column=5, end_line=line, end_column=60) if line else Region()
    return msgspec.structs.replace(Location(path=path, region=region), **changes)


def result(scanner: str = "semgrep", **changes: Any) -> Result:
    """One witness: SQL built from a request's parameter."""
    plain = Result(
        scanner=scanner,
        lane=Lane.SAST,
        rule=f"{scanner}.sql-injection",
        message="SQL is put together from the request's parameter `name`.",
        location=location(),
        severity=Severity.HIGH,
        score=8.8,
        severity_basis="rule metadata",
        confidence=Confidence.HIGH,
        cwes=(89,),
        weakness="sql-injection",
        snippet="cursor.execute(f\"SELECT * FROM item WHERE name = '{name}'\")",
    )
    return msgspec.structs.replace(plain, **changes)


def finding(name: str = "sql", **changes: Any) -> Finding:
    """One finding, new and high; its fingerprint belongs to `name`."""
    plain = Finding(
        fingerprint=digest(name),
        lane=Lane.SAST,
        weakness="sql-injection",
        title="SQL is put together from the request",
        severity=Severity.HIGH,
        score=8.8,
        severity_basis="rule metadata",
        confidence=Confidence.HIGH,
        location=location(),
        symbol="search",
        witnesses=(result(),),
        remedy="pass the value as a query parameter: cursor.execute(sql, (name,))",
    )
    return msgspec.structs.replace(plain, **changes)


def obligation(name: str = "sql", *, left_s: int, limit_s: int = 7 * DAY, basis: str = "severity") -> Obligation:
    """A duty of the finding `name` that ends `left_s` after NOW."""
    return Obligation(finding=digest(name), basis=basis, start_epoch_s=NOW + left_s - limit_s, limit_s=limit_s)


def verdict(name: str = "sql", word: Word = Word.DENY, **changes: Any) -> Verdict:
    """The policy's word on the finding `name`."""
    plain = Verdict(
        subject="finding",
        id=digest(name),
        word=word,
        rule="data.secgate.rules.change" if word is not Word.ALLOW else "secgate.main",
        reason="new high finding" if word is Word.DENY else "",
    )
    return msgspec.structs.replace(plain, **changes)


def lane_verdict(lane: Lane, word: Word = Word.ALLOW, **changes: Any) -> Verdict:
    """The policy's word on a lane."""
    return verdict(word=word, **{"subject": "lane", "id": lane.value, **changes})


def invocation(scanner: str = "semgrep", lane: Lane = Lane.SAST, **changes: Any) -> Invocation:
    """A tool's completed part in a run."""
    plain = Invocation(
        scanner=scanner,
        lane=lane,
        lanes=(lane,),
        tool=Tool(
            name=scanner, path=f"TOOLS/{scanner}", version="1.182.0", digest=digest(scanner), environment="secgate"
        ),
        status=ScanStatus.COMPLETED,
        rule_pack="python 2026.1",
        rule_pack_digest=digest(f"{scanner} pack"),
        argv=(scanner, "{view}"),
        exit_codes=(0,),
        started_epoch_s=NOW - 9,
        duration_s=2.25,
        executed=12,
        files=(FileReading(path="shop/views.py", status=FileStatus.COVERED, basis=EvidenceBasis.LISTED),),
        rules=(
            Rule(
                id=f"{scanner}.sql-injection",
                name="sql-injection",
                short="SQL from user input",
                full="A query is put together from text that a user controls.",
                help_uri="https://example.org/sql",
                cwes=(89,),
            ),
        ),
    )
    return msgspec.structs.replace(plain, **changes)


def lane_coverage(lane: Lane = Lane.SAST, **changes: Any) -> LaneCoverage:
    """A lane in which every file was looked at."""
    plain = LaneCoverage(
        lane=lane, asked=True, needed=True, offered=12, covered=12, failed=0, unsupported=0, tools_ran=("semgrep",)
    )
    return msgspec.structs.replace(plain, **changes)


def gap(lane: Lane = Lane.SAST, **changes: Any) -> Gap:
    """A file that bandit could not parse."""
    plain = Gap(
        lane=lane,
        path="shop/legacy.py",
        tool="bandit",
        reason="parse-error",
        detail="line 3: invalid syntax",
        remedy="make shop/legacy.py parse with Python 3.11 or later, or exclude it",
    )
    return msgspec.structs.replace(plain, **changes)


def target(**changes: Any) -> Target:
    """A change of two files on a branch."""
    plain = Target(
        root="/src/shop",
        kind="git",
        repository="git.example.org/acme/shop",
        scope=Scope.CHANGE,
        scope_basis="GitHub pull request",
        ref="refs/pull/7/merge",
        line="main",
        event="pull_request",
        provider="github",
        commit="4f3c1d2b5a69788796a5b4c3d2e1f00112233445",
        base_commit="91b2c3d4e5f60718293a4b5c6d7e8f9001122334",
        base_ref="main",
        author=Actor(name="ada", source="github"),
        actor=Actor(name="ada", source="github"),
        changed=("shop/views.py", "requirements.txt"),
    )
    return msgspec.structs.replace(plain, **changes)


def decision(outcome: Outcome = Outcome.PASS, verdicts: Sequence[Verdict] = (), **changes: Any) -> Decision:
    """What the policy decided at NOW."""
    plain = Decision(
        outcome=outcome,
        all_outcomes=(outcome,),
        profile="pull-request",
        verdicts=tuple(verdicts),
        policy_digests={"shipped": digest("shipped"), "organisation": digest("organisation")},
        input_digest=digest("input"),
        engine="regorus",
        engine_version="0.13.2",
        evaluated_epoch_s=NOW,
    )
    return msgspec.structs.replace(plain, **changes)


def run_document(**changes: Any) -> RunDocument:
    """A run that passes: every lane covered, nothing found."""
    plain = RunDocument(
        run_id="01JGFJJZ00V7S3GATE0000TEST",
        secgate_version="0.1.0",
        target=target(),
        invocations=(invocation(),),
        coverage=Coverage(
            lanes=tuple(lane_coverage(lane) for lane in Lane),
            left_out=(
                LeftOut(path="tests/rules/bad.py", reason="excluded", detail="tests/rules/"),
                LeftOut(path="vendor/lib", reason="submodule"),
                LeftOut(path="latest", reason="link-outside"),
            ),
            table_digest=digest("lanes"),
        ),
        findings=(),
        decision=decision(verdicts=[lane_verdict(lane) for lane in Lane]),
        ledger="sqlite in the git folder",
        ledger_head=Head(size=118, root=digest("root")),
    )
    return msgspec.structs.replace(plain, **changes)
