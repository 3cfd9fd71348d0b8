"""What people say in a plan, as signed statements of the ledger: real keys, real signatures, some by the wrong one."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from secgate import overrides, testimony, waivers
from secgate.agreement import Approval as AgreementApproval
from secgate.agreement import Revocation as AgreementRevocation
from secgate.bounds import Bound
from secgate.downgrades import PROCEDURE, DowngradeRequest
from secgate.model import Severity, encode
from secgate.signed_events import SIGNED_EVENTS, SignedEvent
from secgate.waivers import AdvisorySubject, FindingSubject
from tests.quarter import plan
from tests.quarter.facts import ZERO, Dated
from tests.signing_support import KEYGEN, Key

TYPES = {one.TYPE: one for one in SIGNED_EVENTS}
NAMESPACES = {**waivers.NAMESPACES, **PROCEDURE.namespaces, **overrides.NAMESPACES, **testimony.NAMESPACES}


class Statement(NamedTuple):
    """Something that is to be signed by somebody's key; `name` is what it stands for in the plan."""

    at: int
    type: str
    key: str
    text: bytes
    name: str = ""

    @property
    def id(self) -> str:
        """Digest of its exact bytes."""
        return sha256(self.text).hexdigest()


def exemption_of(one: plan.Exemption) -> Iterator[Statement]:
    """Give the statements of a waiver or a downgrade: request, approvals, revocation."""
    bound = Bound(
        form="version" if one.advisory else "text",
        values=one.values,
        severity=Severity(one.severity),
        scanners=one.scanners,
        rules=tuple(f"{scanner}:R1" for scanner in one.scanners),
    )
    told = {
        "reason": one.reason,
        "requester": one.requester,
        "requested_epoch_s": one.requested,
        "expires_epoch_s": one.expires,
        "bound": bound,
        "shown": f"{one.package} ({one.advisory})" if one.advisory else "SQL built from text in app.py",
    }
    subject: FindingSubject | AdvisorySubject
    subject = FindingSubject(fingerprint=one.finding or ZERO, group=ZERO, repository=one.repository)
    if one.advisory:
        subject = AdvisorySubject(
            advisory=one.advisory, ecosystem="pypi", package=one.package, repositories=(one.repository,)
        )
    if one.lowered_to:
        schema, severity = PROCEDURE.schema("request"), Severity(one.lowered_to)
        request = encode(DowngradeRequest(schema=schema, subject=subject, severity=severity, **told))  # type: ignore[arg-type]
        types = (PROCEDURE.requested, PROCEDURE.approved, PROCEDURE.revoked)
    else:
        request = encode(waivers.Request(kind=one.kind, subject=subject, **told))  # type: ignore[arg-type]
        types = (waivers.REQUESTED, waivers.APPROVED, waivers.REVOKED)
    asked = Statement(one.requested, types[0], one.key, request, f"exemption:{one.name}")
    yield asked
    for number, said in enumerate(one.approvals):
        known = {"request": asked.id, "approver": said.by, "approved_epoch_s": said.at}
        if one.lowered_to:
            text = encode(AgreementApproval(schema=PROCEDURE.schema("approval"), **known))  # type: ignore[arg-type]
        else:
            text = encode(waivers.Approval(**known))  # type: ignore[arg-type]
        yield Statement(said.at, types[1], said.key, text, f"refused:{one.name}/{number}")
    if one.revoked:
        told = {"request": asked.id, "by": one.requester, "reason": "done", "revoked_epoch_s": one.revoked}
        if one.lowered_to:
            ended = encode(AgreementRevocation(schema=PROCEDURE.schema("revocation"), **told))  # type: ignore[arg-type]
        else:
            ended = encode(waivers.Revocation(**told))  # type: ignore[arg-type]
        yield Statement(one.revoked, types[2], one.requester, ended)


def override_of(one: plan.Override) -> Iterator[Statement]:
    """Give the statements of an override: itself, and what others said of it."""
    said = overrides.Override(
        repository=one.repository,
        line=one.line,
        commit=one.commit,
        reason=one.reason,
        by=one.by,
        given_epoch_s=one.given,
        until_epoch_s=one.until,
    )
    given = Statement(one.given, overrides.GIVEN, one.key, encode(said), f"override:{one.name}")
    yield given
    for review in one.reviews:
        word = overrides.ReviewStatement(
            override=given.id,
            by=review.by,
            word="justified" if review.word == "justified" else "not-justified",
            reason="looked at",
            reviewed_epoch_s=review.at,
        )
        yield Statement(review.at, overrides.REVIEWED, review.key, encode(word))


def review_of(one: plan.GateReview, ledger_id: str) -> Statement:
    """Give the statement of a review of the gate."""
    said = testimony.GateReview(
        ledger_id=ledger_id,
        from_epoch_s=one.start,
        to_epoch_s=one.end,
        what=(one.part,),  # type: ignore[arg-type]
        note="looked at",
        by=one.by,
        reviewed_epoch_s=one.at,
    )
    return Statement(one.at, testimony.REVIEWED, one.key, encode(said))


def revocation_of(one: plan.Revocation, ledger_id: str) -> Statement:
    """Give the statement of a revoked secret."""
    said = testimony.SecretRevocation(
        ledger_id=ledger_id,
        repository=one.repository,
        fingerprint=one.fingerprint,
        revoked_epoch_s=one.revoked,
        reference="INC-1",
        by=one.by,
        said_epoch_s=one.at,
    )
    return Statement(one.at, testimony.REVOKED, one.key, encode(said))


def signed(statements: list[Statement], keys: Mapping[str, Key], folder: Path) -> Iterator[Dated]:
    """Sign all of them, those of one key and purpose by one ssh-keygen, and give their events."""
    folder.mkdir()
    files = {one: folder / f"{number}" for number, one in enumerate(statements)}
    for key, namespace in sorted({(one.key, NAMESPACES[one.type]) for one in statements}):
        mine = [one for one in statements if (one.key, NAMESPACES[one.type]) == (key, namespace)]
        for one in mine:
            files[one].write_bytes(one.text)
        argv = [KEYGEN, "-Y", "sign", "-q", "-n", namespace, "-f", str(keys[key].path)]
        subprocess.run([*argv, *(str(files[one]) for one in mine)], check=True, capture_output=True)
    for one in statements:
        signature = files[one].with_name(f"{files[one].name}.sig").read_text()
        event: type[SignedEvent] = TYPES[one.type]
        yield Dated(one.at, 7, event(statement=one.text.decode(), signature=signature), one.name)
