"""What a ledger has of waivers for one finding."""

from __future__ import annotations

from secgate import waivers
from secgate.model import KnownStatement
from secgate.sayings import waivers_said
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
        bound=waivers.Bound(form="nothing"),
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
