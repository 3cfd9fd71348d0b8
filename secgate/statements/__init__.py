"""What people say to the ledger: waivers, downgrades, overrides, reviews, revoked secrets: each of it signed.

Every statement is checked by the enforced layer before it is written, by the same rules that count later: nothing goes
into the ledger that would be worth nothing there.
"""

from secgate.preparation import Place
from secgate.statements.desk import Speaker
from secgate.statements.downgrades import (
    DowngradeWish,
    approve_downgrade,
    listed_downgrades,
    request_downgrade,
    revoke_downgrade,
)
from secgate.statements.overrides import Emergency, give_override, listed_overrides, review_override
from secgate.statements.testimony import ReviewWish, listed_testimony, sign_review, tell_revocation
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
    "Emergency",
    "Listed",
    "Place",
    "ReviewWish",
    "Speaker",
    "Wish",
    "approve",
    "approve_downgrade",
    "give_override",
    "listed",
    "listed_downgrades",
    "listed_overrides",
    "listed_testimony",
    "request_downgrade",
    "request_for_advisory",
    "request_for_finding",
    "request_for_gap",
    "request_together",
    "review_override",
    "revoke",
    "revoke_downgrade",
    "sign_review",
    "tell_revocation",
]
