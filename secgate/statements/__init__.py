"""What people say to the ledger: waivers and downgrades asked for, approved, revoked and listed, each said and signed.

Every statement is checked by the enforced layer before it is written, by the same rules that count later: nothing goes
into the ledger that would be worth nothing there.
"""

from secgate.statements.desk import Place, Speaker
from secgate.statements.downgrades import (
    DowngradeWish,
    approve_downgrade,
    listed_downgrades,
    request_downgrade,
    revoke_downgrade,
)
from secgate.statements.waivers import (
    Draft,
    Listed,
    Wish,
    approve,
    listed,
    request_for_advisory,
    request_for_finding,
    request_for_gap,
    request_together,
    revoke,
)

__all__ = [
    "DowngradeWish",
    "Draft",
    "Listed",
    "Place",
    "Speaker",
    "Wish",
    "approve",
    "approve_downgrade",
    "listed",
    "listed_downgrades",
    "request_downgrade",
    "request_for_advisory",
    "request_for_finding",
    "request_for_gap",
    "request_together",
    "revoke",
    "revoke_downgrade",
]
