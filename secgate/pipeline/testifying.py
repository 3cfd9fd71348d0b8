"""What people testified to a ledger, checked by the enforced layer."""

from __future__ import annotations

from collections.abc import Sequence

from secgate import testimony
from secgate.model import KnownStatement
from secgate.pipeline.exceptions import check_of
from secgate.ports import Signer
from secgate.preparation import Enforced
from secgate.testimony import Vouched


def checked(statements: Sequence[KnownStatement], *, enforced: Enforced, signer: Signer, ledger_id: str) -> Vouched:
    """Give what counts, by the enforced layer at the ledger's time, and what does not."""
    return testimony.gather(statements, check=check_of(enforced, signer), people=enforced.people, ledger_id=ledger_id)
