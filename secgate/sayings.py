"""What people signed of waivers and downgrades of one finding, as a ledger has it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from secgate import agreement, waivers
from secgate.downgrades import PROCEDURE, DowngradeRequest
from secgate.model import Digest, KnownStatement, Value
from secgate.waivers import about


class Said(Value, frozen=True, kw_only=True):
    """A signed statement on a waiver or downgrade, as recorded: whether that holds, the newest run tells.

    `id` is the waiver's or downgrade's; `said` is `requested`, `approved` or `revoked`; `by` a person's id; `what` says
    what is asked for beside its subject. The signature is checked in every run, not here.
    """

    id: Digest
    said: str
    by: str
    at_epoch_s: int
    expires_epoch_s: int | None = None
    reason: str = ""
    what: str = ""


def waivers_said(
    statements: Sequence[KnownStatement], *, names: Collection[str], advisories: Collection[str], repository: str
) -> tuple[Said, ...]:
    """Give what people signed of waivers for the finding of these names or advisories, in the ledger's order."""
    found: list[Said] = []
    mine: set[str] = set()
    for one in about(statements, repository=repository):
        try:
            match one.type:
                case waivers.REQUESTED | waivers.REQUESTED_TOGETHER:
                    asked = _asked(one, names=names, advisories=advisories)
                    mine.update(said.id for said in asked)
                    found += asked
                case waivers.APPROVED:
                    word = msgspec.json.decode(one.statement, type=waivers.Approval)
                    found.append(Said(id=word.request, said="approved", by=word.approver, at_epoch_s=one.at_epoch_s))
                case waivers.REVOKED:
                    end = msgspec.json.decode(one.statement, type=waivers.Revocation)
                    said = Said(id=end.request, said="revoked", by=end.by, at_epoch_s=one.at_epoch_s)
                    found.append(msgspec.structs.replace(said, reason=end.reason))
        except msgspec.DecodeError:
            # Refused aloud by the run that would rest on it; a story tells what can be read.
            continue
    return tuple(one for one in found if one.id in mine)


def downgrades_said(
    statements: Sequence[KnownStatement], *, names: Collection[str], repository: str
) -> tuple[Said, ...]:
    """Give what people signed of downgrades of the finding of these names, in the ledger's order."""
    found: list[Said] = []
    mine: set[str] = set()
    for one in agreement.about(statements, PROCEDURE, repository=repository):
        try:
            if one.type == PROCEDURE.requested:
                asked = msgspec.json.decode(one.statement, type=DowngradeRequest)
                if asked.subject.fingerprint in names:
                    mine.add(waivers.statement_id(one.statement.encode()))
                    found.append(_asked_less(one, asked))
            elif one.type == PROCEDURE.approved:
                word = msgspec.json.decode(one.statement, type=agreement.Approval)
                found.append(Said(id=word.request, said="approved", by=word.approver, at_epoch_s=one.at_epoch_s))
            else:
                end = msgspec.json.decode(one.statement, type=agreement.Revocation)
                said = Said(id=end.request, said="revoked", by=end.by, at_epoch_s=one.at_epoch_s)
                found.append(msgspec.structs.replace(said, reason=end.reason))
        except msgspec.DecodeError:
            continue  # as above
    return tuple(one for one in found if one.id in mine)


def _asked_less(one: KnownStatement, asked: DowngradeRequest) -> Said:
    return Said(
        id=waivers.statement_id(one.statement.encode()),
        said="requested",
        by=asked.requester,
        at_epoch_s=one.at_epoch_s,
        expires_epoch_s=asked.expires_epoch_s,
        reason=asked.reason,
        what=f"{asked.bound.severity} to {asked.severity}",
    )


def _asked(one: KnownStatement, *, names: Collection[str], advisories: Collection[str]) -> list[Said]:
    found = []
    for part in waivers.requests_in(one):
        asked = msgspec.json.decode(part, type=waivers.Request)
        subject = asked.subject
        is_finding = isinstance(subject, waivers.FindingSubject) and subject.fingerprint in names
        if is_finding or (isinstance(subject, waivers.AdvisorySubject) and subject.advisory.upper() in advisories):
            found.append(
                Said(
                    id=waivers.statement_id(part),
                    said="requested",
                    by=asked.requester,
                    at_epoch_s=one.at_epoch_s,
                    expires_epoch_s=asked.expires_epoch_s,
                    reason=asked.reason,
                )
            )
    return found
