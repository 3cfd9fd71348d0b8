"""What the entry of a run says of its tools, lanes, findings and verdicts, and when two runs would say the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from hashlib import sha256

import msgspec

from secgate.errors import InternalError
from secgate.events import LaneCount, Run, RunTool
from secgate.model import Digest, Invocation, KnownRun, PastRun, RunDocument, Severity, State, Word, encode


def run_tool(invocation: Invocation, *, evaluated_epoch_s: int) -> RunTool:
    """Give what is recorded of a scanner's part in a run."""
    age_s = invocation.advisories_age_s
    return RunTool(
        scanner=invocation.scanner,
        lanes=tuple(sorted({invocation.lane, *invocation.lanes})),
        status=invocation.status,
        version=invocation.tool.version if invocation.tool else "",
        tool_digest=invocation.tool.digest if invocation.tool else "",
        rule_pack=invocation.rule_pack,
        rule_pack_digest=invocation.rule_pack_digest,
        rule_pack_epoch_s=invocation.rule_pack_epoch_s,
        options_digest=invocation.options_digest,
        advisories_digest=invocation.advisories_digest,
        data_epoch_s=max(0, evaluated_epoch_s - age_s) if age_s is not None else 0,
    )


def tools_digest(invocations: Iterable[Invocation], *, table_digest: str) -> Digest:
    """Give one digest over tools, rule packs, options, advisories and the lane table of a run.

    Equal digests mean that two runs would say the same of the same tree; when they were done does not enter.
    """
    tools = [
        msgspec.structs.replace(run_tool(invocation, evaluated_epoch_s=0), data_epoch_s=0) for invocation in invocations
    ]
    tools.sort(key=lambda tool: (tool.scanner, tool.lanes, tool.options_digest))
    return sha256(encode({"table": table_digest, "tools": tools})).hexdigest()


def lane_counts(document: RunDocument) -> tuple[LaneCount, ...]:
    """Give each lane's coverage in numbers."""
    return tuple(
        LaneCount(
            lane=account.lane,
            asked=account.asked,
            needed=account.needed,
            offered=account.offered,
            covered=account.covered,
            failed=account.failed,
            unsupported=account.unsupported,
            gaps=len(account.gaps),
        )
        for account in document.coverage.lanes
    )


def words(document: RunDocument) -> dict[str, int]:
    """Give how many finding verdicts have each word."""
    verdicts = document.decision.verdicts if document.decision else ()
    return dict(Counter(str(verdict.word) for verdict in verdicts if verdict.subject == "finding"))


def severities(document: RunDocument) -> dict[str, int]:
    """Give how many findings have each severity, every one named."""
    found = dict.fromkeys((severity.value for severity in Severity), 0)
    for finding in document.findings:
        if finding.state is not State.ABSENT:
            found[finding.severity.value] += 1
    return found


def known_run(run: Run) -> KnownRun:
    """Give a recorded run as far as a later one needs it."""
    return KnownRun(
        run_id=run.run_id,
        commit=run.commit,
        line=run.line,
        scope=run.scope,
        complete=run.complete,
        dirty=run.dirty,
        tools_digest=run.tools_digest,
        lanes=run.lanes,
        evaluated_epoch_s=run.evaluated_epoch_s,
        document_digest=run.document_digest,
        override=run.override,
        input_digest=run.input_digest,
        clocked=bool(run.settled),
        ref=run.ref,
        prefix=run.prefix,
        profile=run.profile,
        past=_past_run(run),
    )


def _past_run(run: Run) -> PastRun:
    return PastRun(
        run_id=run.run_id,
        commit=run.commit,
        evaluated_epoch_s=run.evaluated_epoch_s,
        outcome=run.outcome,
        blocking=_blocking(run.words),
        severities=dict(run.severities),
    )


def this_run(document: RunDocument) -> PastRun:
    """Give the same of a run that has just been judged. Raises InternalError for one that was not."""
    if document.decision is None:
        raise InternalError("a run without a decision has no outcome to show")
    return PastRun(
        run_id=document.run_id,
        commit=document.target.commit,
        evaluated_epoch_s=document.decision.evaluated_epoch_s,
        outcome=document.decision.outcome,
        blocking=_blocking(words(document)),
        severities=severities(document),
    )


def _blocking(told: Mapping[str, int]) -> int:
    return told.get(Word.DENY, 0) + told.get(Word.INCONCLUSIVE, 0)
