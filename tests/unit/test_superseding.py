"""A time that a list of known debt took back is gone only for what the list names, signed by whoever counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from secgate.baseline import Debt, DebtEntry
from secgate.chronicle import Chronicle
from secgate.errors import SignatureError
from secgate.events import BaselineRecorded, ObligationAdded, ObligationSuperseded
from secgate.evidence.superseding import NO_FILE, DebtCheck, Superseding, supersedings
from secgate.memory import KnownBaseline
from secgate.model import Severity
from secgate.policy.values import DowngradeLimits
from tests.evidence_support import DAY, SHOP, START, ZERO, Made
from tests.factories import digest

MONTH = 30 * DAY


def listed(folder: Path, check: DebtCheck, kind: str = "statement") -> Superseding:
    """Judge a duty of the finding `old` that a list of the second day took back."""
    made = Made(folder)
    made.found("old", at=0)
    known: dict[str, Any] = {
        "run_id": "r",
        "repository": SHOP,
        "line": "main",
        "fingerprint": digest("old"),
        "algorithm": "secgate/v1",
    }
    at = START + DAY
    list_of_debt = BaselineRecorded(
        repository=SHOP,
        line="main",
        kind=kind,
        author="p-1",
        key="SHA256:x",
        statement_digest=digest("list"),
        signature_digest=digest("signature"),
        limits_s={"high": MONTH},
        findings=1,
        list_digest=digest("what it lists") if kind == "sarif" else "",
    )
    told: dict[str, Any] = {"start_epoch_s": at, "limit_s": MONTH, "policy_digest": ZERO}
    longer = ObligationAdded(**known, episode=1, basis="baseline:high", **told)
    held: dict[str, Any] = {"start_epoch_s": START, "limit_s": 7 * DAY, "policy_digest": ZERO}
    gone = ObligationSuperseded(**known, episode=1, basis="severity:high", **held)
    made.say(list_of_debt, longer, gone, at=DAY)
    chronicle = Chronicle("ledger").read(made.ledger.read())
    (found,) = supersedings(chronicle, (), limits=DowngradeLimits(), check=check, reason="")
    return found


def debt(*names: str) -> Debt:
    entries = [DebtEntry(fingerprint=one, algorithm="secgate/v1", severity=Severity.HIGH) for one in names]
    return Debt(
        digest=digest("list"),
        author="p-1",
        date_epoch_s=START + DAY,
        limits_s={Severity.HIGH: MONTH},
        entries=tuple(entries),
    )


def test_a_list_that_names_the_finding_takes_its_time_back(tmp_path: Path) -> None:
    found = listed(tmp_path, lambda _: debt(digest("another"), digest("old")))
    assert (found.counts, found.item.agreed, found.item.covers, found.item.debt) == (True, True, True, digest("list"))


def test_a_list_that_names_others_takes_nothing_back(tmp_path: Path) -> None:
    found = listed(tmp_path, lambda _: debt(digest("another")))
    assert (found.counts, found.item.agreed, found.item.covers) == (False, True, False)
    assert found.item.why == "the list of known debt does not name this finding"


def test_a_list_that_nobody_signed_takes_nothing_back(tmp_path: Path) -> None:
    def check(_: KnownBaseline) -> Debt:
        raise SignatureError("nobody who counts has the key", remedy="")

    found = listed(tmp_path, check)
    assert (found.counts, found.item.agreed) == (False, False)
    assert found.item.why == "the list of known debt counts nothing: nobody who counts has the key"


def test_a_file_of_another_tool_cannot_be_checked(tmp_path: Path) -> None:
    found = listed(tmp_path, lambda _: pytest.fail("there is nothing to check"), kind="sarif")
    assert (found.counts, found.untested) == (True, NO_FILE)
