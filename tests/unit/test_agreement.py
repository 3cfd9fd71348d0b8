"""What two people's statements add up to, and which of them count for nothing."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from secgate.agreement import Agreement, Approval, Revocation, about, gather
from secgate.bounds import Bound
from secgate.downgrades import PROCEDURE, DowngradeRequest
from secgate.errors import SignatureError
from secgate.hearing import Refused
from secgate.model import KnownStatement, Severity, encode
from secgate.people import People, Person
from secgate.waivers import FindingSubject, statement_id
from tests.factories import digest

SHOP, OTHER = "example.org/shop", "example.org/other"
PEOPLE = People(
    persons=(Person(id="ada", roles=("approver",)), Person(id="eve"), Person(id="gil", roles=("approver",)))
)


def request(**changes: Any) -> DowngradeRequest:
    repository = changes.pop("repository", SHOP)
    values: dict[str, Any] = {
        "schema": "secgate/downgrade-request/v1",
        "subject": FindingSubject(fingerprint=digest("a"), group=digest("g"), repository=repository),
        "bound": Bound(form="text", values=(digest("t"),), severity=Severity.HIGH, scanners=("semgrep",)),
        "severity": Severity.LOW,
        "reason": "only ever our own text",
        "requester": "eve",
        "requested_epoch_s": 10,
        "expires_epoch_s": 1000,
    }
    return DowngradeRequest(**(values | changes))


def approval(asked: DowngradeRequest | None = None, **changes: Any) -> Approval:
    values: dict[str, Any] = {
        "schema": "secgate/downgrade-approval/v1",
        "request": statement_id(encode(asked or request())),
        "approver": "ada",
        "approved_epoch_s": 20,
    }
    return Approval(**(values | changes))


def revocation(**changes: Any) -> Revocation:
    values: dict[str, Any] = {
        "schema": "secgate/downgrade-revocation/v1",
        "request": statement_id(encode(request())),
        "by": "eve",
        "reason": "no longer so",
        "revoked_epoch_s": 30,
    }
    return Revocation(**(values | changes))


def stated(value: object, by: str, *, at: int = 50, kind: str = "") -> KnownStatement:
    """A statement whose signature is the name of whoever made it."""
    kinds = {DowngradeRequest: "requested", Approval: "approved", Revocation: "revoked"}
    data = value if isinstance(value, bytes) else encode(value)
    kind = kind or f"downgrade-{kinds[type(value)]}"  # type: ignore[index]
    return KnownStatement(sequence=at, type=kind, statement=data.decode(), signature=by, at_epoch_s=at)


def check(one: KnownStatement, namespace: str) -> str:
    assert namespace == PROCEDURE.namespaces[one.type]
    if one.signature == "nobody":
        raise SignatureError("the signature does not verify", remedy="")
    return one.signature


def gathered(*statements: KnownStatement) -> tuple[tuple[Agreement[DowngradeRequest], ...], tuple[Refused, ...]]:
    return gather(statements, PROCEDURE, DowngradeRequest, check=check, people=PEOPLE)


def test_a_request_and_an_approval_make_one() -> None:
    (made,), refused = gathered(stated(request(), "eve"), stated(approval(), "ada", at=60))
    assert refused == ()
    assert (made.id, made.approver, made.approved_epoch_s) == (statement_id(encode(request())), "ada", 60)
    assert (made.until_epoch_s(100), made.until_epoch_s(10_000)) == (160, 1000)


def test_the_ledgers_time_counts_and_the_first_approval() -> None:
    early = stated(approval(approved_epoch_s=1), "ada", at=60)
    late = stated(approval(approver="gil"), "gil", at=70)
    (made,), _ = gathered(stated(request(), "eve"), early, late)
    assert (made.approver, made.approved_epoch_s) == ("ada", 60)


def test_a_revocation_ends_it_and_the_first_one_counts() -> None:
    ends = [stated(revocation(by=name), name, at=at) for name, at in (("eve", 70), ("gil", 80))]
    (made,), _ = gathered(stated(request(), "eve"), stated(approval(), "ada"), *ends)
    assert (made.revoked_by, made.revoked_epoch_s) == ("eve", 70)


ADAS = request(requester="ada")
EXTRA = msgspec.json.decode(encode(request())) | {"approver": "ada"}


@pytest.mark.parametrize(
    ("statements", "told"),
    [
        ([stated(request(), "nobody")], "does not verify"),
        ([stated(request(), "machine:ci")], "nobody of people.toml"),
        ([stated(request(), "gil")], "it names `eve` and `gil` signed it"),
        ([stated(ADAS, "ada"), stated(approval(ADAS), "ada")], "cannot approve"),
        ([stated(request(), "eve"), stated(approval(approver="eve"), "eve")], "cannot approve"),
        ([stated(ADAS, "ada"), stated(approval(ADAS, approver="eve"), "eve")], "the role `approver` is missing"),
        ([stated(request(), "eve"), stated(approval(), "nobody")], "does not verify"),
        ([stated(approval(), "ada")], "there is no request"),
        ([stated(revocation(), "eve")], "there is no request"),
        ([stated(encode(EXTRA), "eve", kind="downgrade-requested")], "unknown field `approver`"),
        ([stated(request(schema="secgate/waiver-request/v1"), "eve")], "it names the schema"),
        ([stated(request(), "eve"), stated(approval(schema="secgate/waiver-approval/v1"), "ada")], "names the schema"),
        ([stated(b"[" * 5000, "eve", kind="downgrade-requested")], "does not read"),
        ([stated(encode(EXTRA | {"approver": None}), "eve", kind="downgrade-requested")], "does not read"),
    ],
)  # fmt: skip
def test_what_counts_for_nothing(statements: list[KnownStatement], told: str) -> None:
    found, refused = gathered(*statements)
    assert told in refused[-1].why
    assert all(not one.approver and not one.revoked_by for one in found)


@pytest.mark.parametrize("severity", ["high", "critical", "info"])
def test_a_statement_that_lowers_nothing_does_not_read(severity: str) -> None:
    data = msgspec.json.decode(encode(request())) | {"severity": severity}
    found, refused = gathered(stated(encode(data), "eve", kind="downgrade-requested"))
    assert found == ()
    assert "is no downgrade of high" in refused[0].why


def test_what_is_said_of_another_repository_is_not_looked_at() -> None:
    foreign = request(repository=OTHER)
    statements = [
        stated(foreign, "eve"),
        stated(approval(foreign), "ada"),
        stated(request(), "eve"),
        stated(b"{", "eve", kind="downgrade-requested"),
        stated(b"{}", "eve", kind="waiver-requested"),
    ]
    assert about(statements, PROCEDURE, repository=SHOP) == tuple(statements[2:4])
