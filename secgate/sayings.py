"""What people signed of waivers for one finding, as a ledger has it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from secgate import waivers
from secgate.model import Digest, KnownStatement, Value
from secgate.waivers import about


class Said(Value, frozen=True, kw_only=True):
    """A signed statement on a waiver of the finding, as recorded: whether it holds, the newest verdict tells.

    `said` is `requested`, `approved` or `revoked`; `by` a person's id. Its signature is checked in every run, not here.
    """

    waiver: Digest
    said: str
    by: str
    at_epoch_s: int
    expires_epoch_s: int | None = None
    reason: str = ""


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
                    mine.update(said.waiver for said in asked)
                    found += asked
                case waivers.APPROVED:
                    word = msgspec.json.decode(one.statement, type=waivers.Approval)
                    found.append(
                        Said(waiver=word.request, said="approved", by=word.approver, at_epoch_s=one.at_epoch_s)
                    )
                case waivers.REVOKED:
                    end = msgspec.json.decode(one.statement, type=waivers.Revocation)
                    said = Said(waiver=end.request, said="revoked", by=end.by, at_epoch_s=one.at_epoch_s)
                    found.append(msgspec.structs.replace(said, reason=end.reason))
        except msgspec.DecodeError:
            # Refused aloud by the run that would rest on it; a story tells what can be read.
            continue
    return tuple(one for one in found if one.waiver in mine)


def _asked(one: KnownStatement, *, names: Collection[str], advisories: Collection[str]) -> list[Said]:
    found = []
    for part in waivers.requests_in(one):
        asked = msgspec.json.decode(part, type=waivers.Request)
        subject = asked.subject
        is_finding = isinstance(subject, waivers.FindingSubject) and subject.fingerprint in names
        if is_finding or (isinstance(subject, waivers.AdvisorySubject) and subject.advisory.upper() in advisories):
            found.append(
                Said(
                    waiver=waivers.statement_id(part),
                    said="requested",
                    by=asked.requester,
                    at_epoch_s=one.at_epoch_s,
                    expires_epoch_s=asked.expires_epoch_s,
                    reason=asked.reason,
                )
            )
    return found
