"""Section 11: each ledger by itself, and checkpoints that its holder cannot change."""

from __future__ import annotations

from secgate.assertion_facts import CheckpointItem
from secgate.assertions import Result
from secgate.evidence import Examined
from secgate.evidence.agreements import UNCOVERED
from secgate.evidence.ground import Kept, Read
from secgate.report.accounts import CheckpointProof, IntegritySection, LedgerProof

HOW = (
    "secgate ledger export -o DIR writes the entries byte for byte, with a program that checks them.",
    "python3 DIR/verify.py needs Python 3.9 and nothing of secgate: it computes leaves, tree (RFC 6962) and figures.",
    "python3 DIR/verify.py --signers SIGNERS --checkpoint FILE checks signatures, and growth from it.",
    "Take SIGNERS and FILE from where whoever holds the ledger could not change them.",
    "What this shows is tamper-evident relative to such a checkpoint, and no more.",
)
"""How anybody verifies a ledger without secgate."""


def integrity(examined: Examined) -> IntegritySection:
    """Give each ledger with the checkpoints that are of it."""
    items = dict(zip(examined.kept, examined.ground.checkpoints, strict=True))
    return IntegritySection(ledgers=tuple(_proof(read, items, examined) for read in examined.ground.ledgers), how=HOW)


def _proof(read: Read, items: dict[Kept, CheckpointItem], examined: Examined) -> LedgerProof:
    chronicle, memory = read.chronicle, read.chronicle.memory
    ledger_id = memory.ledger_id or ""
    own = {kept: item for kept, item in items.items() if kept.sealed.checkpoint.ledger_id == ledger_id}
    result, reason = _result(own)
    if result == "no_deviation" and examined.ground.reach(read) < chronicle.size_then:
        result, reason = "not_tested", f"{UNCOVERED}: {examined.ground.reach(read)} to {chronicle.size_then - 1}"
    return LedgerProof(
        ledger_id=ledger_id,
        address=chronicle.address,
        size=memory.head.size,
        root=memory.head.root,
        first_epoch_s=chronicle.first_epoch_s,
        last_epoch_s=memory.last_epoch_s,
        provisional=memory.provisional,
        unknown_entries=memory.skipped,
        statements=len(chronicle.statements),
        refused=len(read.said.refused),
        checkpoints=tuple(_checkpoint(kept, item) for kept, item in own.items()),
        result=result,
        reason=reason,
    )


def _result(own: dict[Kept, CheckpointItem]) -> tuple[Result, str]:
    if not own:
        return "not_tested", "no checkpoint that is kept elsewhere was named: its holder could have made it anew"
    bad = [item for item in own.values() if not item.same_root or item.ledger_size < item.size]
    if bad:
        return "deviation", f"it has not grown from {bad[0].id}"
    unsigned = [item for item in own.values() if not item.signed]
    if unsigned:
        return "deviation", f"nobody who counts signed {unsigned[0].id}"
    unstamped = [item for item in own.values() if item.stamp_required and not item.stamped]
    if unstamped and all(item.unchecked for item in unstamped):
        return "not_tested", unstamped[0].why_not
    if unstamped:
        return "deviation", f"a timestamp is required, and none counts on {unstamped[0].id}: {unstamped[0].why_not}"
    return "no_deviation", "it has grown from every checkpoint that was named"


def _checkpoint(kept: Kept, item: CheckpointItem) -> CheckpointProof:
    said = kept.sealed.checkpoint
    return CheckpointProof(
        place=kept.address,
        size=said.size,
        root=said.root,
        at_epoch_s=said.at_epoch_s,
        signed=item.signed,
        same_root=item.same_root,
        timestamps=len(kept.sealed.timestamps),
    )
