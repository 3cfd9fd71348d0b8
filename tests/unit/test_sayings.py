"""What a ledger has of waivers for one finding."""

from __future__ import annotations

from secgate import agreement, bounds, waivers
from secgate.downgrades import DowngradeRequest
from secgate.model import KnownStatement, Severity, encode
from secgate.sayings import downgrades_said, waivers_said
from tests.ledger_support import fingerprint

REPOSITORY = "example.com/shop"
FINDING = waivers.FindingSubject(fingerprint=fingerprint("a"), group=fingerprint("g"), repository=REPOSITORY)
ADVISORY = waivers.AdvisorySubject(
    advisory="cve-2026-1", ecosystem="pypi", package="django", repositories=(REPOSITORY,)
)


def request(subject: waivers.Subject = FINDING) -> waivers.Request:
    return waivers.Request(
        kind="accept",
        subject=subject,
        bound=bounds.Bound(form="nothing"),
        reason="sample data",
        requester="p-7",
        requested_epoch_s=1,
        expires_epoch_s=900,
    )


def stated(kind: str, value: waivers.Request | waivers.Approval | waivers.Revocation, at: int) -> KnownStatement:
    text = waivers.statement_of(value).decode()
    return KnownStatement(sequence=at, type=kind, statement=text, signature="", at_epoch_s=at)


def told(*statements: KnownStatement) -> list[tuple[str, str, int | None]]:
    found = waivers_said(statements, names={fingerprint("a")}, advisories={"CVE-2026-1"}, repository=REPOSITORY)
    return [(one.said, one.by, one.expires_epoch_s) for one in found]


def test_request_approval_and_end_are_told_in_order() -> None:
    name = waivers.statement_id(waivers.statement_of(request()))
    agreed = waivers.Approval(request=name, approver="p-8", approved_epoch_s=2)
    ended = waivers.Revocation(request=name, by="p-9", reason="mended", revoked_epoch_s=3)
    statements = (
        stated(waivers.REQUESTED, request(), 1),
        stated(waivers.APPROVED, agreed, 2),
        stated(waivers.REVOKED, ended, 3),
    )
    assert told(*statements) == [("requested", "p-7", 900), ("approved", "p-8", None), ("revoked", "p-9", None)]


def test_a_waiver_of_its_advisory_counts() -> None:
    assert told(stated(waivers.REQUESTED, request(ADVISORY), 1)) == [("requested", "p-7", 900)]


def test_a_waiver_of_another_finding_does_not() -> None:
    other = waivers.FindingSubject(fingerprint=fingerprint("b"), group=fingerprint("g"), repository=REPOSITORY)
    name = waivers.statement_id(waivers.statement_of(request(other)))
    agreed = waivers.Approval(request=name, approver="p-8", approved_epoch_s=2)
    assert told(stated(waivers.REQUESTED, request(other), 1), stated(waivers.APPROVED, agreed, 2)) == []


def test_a_statement_that_does_not_read_is_no_story() -> None:
    broken = KnownStatement(sequence=1, type=waivers.REQUESTED, statement="{", signature="", at_epoch_s=1)
    assert told(broken) == []


def downgraded(*parts: str, fingerprint_of: str = "a") -> list[tuple[str, str, str]]:
    asked = DowngradeRequest(
        schema="secgate/downgrade-request/v1",
        subject=waivers.FindingSubject(
            fingerprint=fingerprint(fingerprint_of), group=fingerprint("g"), repository=REPOSITORY
        ),
        bound=bounds.Bound(form="nothing", severity=Severity.HIGH),
        severity=Severity.LOW,
        reason="ours",
        requester="p-7",
        requested_epoch_s=1,
        expires_epoch_s=900,
    )
    name = waivers.statement_id(encode(asked))
    values = {
        "requested": asked,
        "approved": agreement.Approval(schema="s", request=name, approver="p-8", approved_epoch_s=2),
        "revoked": agreement.Revocation(schema="s", request=name, by="p-9", reason="not so", revoked_epoch_s=3),
        "odd": {"request": name},
    }
    statements = [
        KnownStatement(
            sequence=at,
            type=f"downgrade-{'approved' if part == 'odd' else part}",
            statement=encode(values[part]).decode(),
            signature="",
            at_epoch_s=at,
        )
        for at, part in enumerate(parts)
    ]
    found = downgrades_said(statements, names={fingerprint("a")}, repository=REPOSITORY)
    return [(one.said, one.by, one.what or one.reason) for one in found]


def test_downgrades_are_told_in_order_as_far_as_they_read() -> None:
    assert downgraded("requested", "odd", "approved", "revoked") == [
        ("requested", "p-7", "high to low"),
        ("approved", "p-8", ""),
        ("revoked", "p-9", "not so"),
    ]
    assert downgraded("requested", "approved", fingerprint_of="b") == []
