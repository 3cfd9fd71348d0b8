"""What the entry of a run says of its tools, lanes and verdicts, and when two runs would say the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from hashlib import sha256

import msgspec

from secgate.events import LaneCount, RunTool
from secgate.model import Digest, Invocation, RunDocument, encode


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
