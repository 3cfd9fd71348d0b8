"""Approved downgrades: two people agree, before a duty is due, that a finding is less bad than the tools say.

A downgrade ends like a waiver and is bound to the same things. It takes back duties of severity and no others; which,
the policy decides (`policies/rego/lib/downgrade.rego`). Source: SLA semantics, rule 7.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from secgate.agreement import Agreement, Asked, Procedure
from secgate.bounds import Bound, broken
from secgate.model import Epoch, Finding, Severity, Value
from secgate.twins import Seen, TwinWaiver, share_out
from secgate.waivers import FindingSubject, State, time_words

PROCEDURE = Procedure("downgrade")


class DowngradeRequest(Asked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody asks for. `bound.severity` is what it is downgraded from: the tools', or a duty's.

    Nothing is downgraded to `info`, which has no limit: a finding that is none is waived as `false-positive`.
    """

    subject: FindingSubject
    bound: Bound
    severity: Severity

    def __post_init__(self) -> None:
        """Refuse what lowers nothing. Raises ValueError, which decoding reports."""
        if not Severity.INFO.rank < self.severity.rank < self.bound.severity.rank:
            raise ValueError(f"{self.severity} is no downgrade of {self.bound.severity}")


Downgrade: TypeAlias = Agreement[DowngradeRequest]


class Standing(Value, frozen=True, kw_only=True):
    """How a downgrade stands towards a finding now. `why` is "" for an active one.

    `ended_epoch_s` is when it ceased to hold, or now where that is only seen now; 0 for one that holds or is asked for.
    """

    downgrade: Downgrade
    state: State
    until_epoch_s: Epoch
    why: str = ""
    ended_epoch_s: Epoch = 0


def standing(downgrade: Downgrade, finding: Finding | None, *, now_epoch_s: int, longest_s: int) -> Standing:
    """Tell how a downgrade stands towards a finding, or by itself for None. At its last second it holds no longer."""
    until = downgrade.until_epoch_s(longest_s) if downgrade.approver else downgrade.request.expires_epoch_s
    state: State = "active"
    why, ended = "", 0
    if downgrade.revoked_by:
        state, why = "void", f"revoked by {downgrade.revoked_by}: {downgrade.revoked_reason}"
        ended = min(downgrade.revoked_epoch_s, until)
    elif not downgrade.approver:
        state, why = "requested", "nobody has approved it yet"
    elif now_epoch_s >= until:
        state, why, ended = "expired", f"it ended {time_words(until)}", until
    elif finding is not None and (why := broken(downgrade.request.bound, finding)):
        state, ended = "void", now_epoch_s
    return Standing(downgrade=downgrade, state=state, until_epoch_s=until, why=why, ended_epoch_s=ended)


def for_findings(
    downgrades: Iterable[Downgrade],
    findings: Sequence[Finding],
    *,
    now_epoch_s: int,
    longest_s: Callable[[Severity], int],
) -> dict[str, Standing]:
    """Give, by fingerprint, the downgrade that counts for each finding that one names: an active one before others.

    Of a group of twins exactly as many are downgraded as there are downgrades of them that hold.
    """

    def stand(one: Downgrade, finding: Finding | None) -> Standing:
        return standing(one, finding, now_epoch_s=now_epoch_s, longest_s=longest_s(one.request.bound.severity))

    ordered = sorted(downgrades, key=lambda one: (*_rank(stand(one, None)), one.id))
    named = [
        TwinWaiver(fingerprint=one.request.subject.fingerprint, group=one.request.subject.group) for one in ordered
    ]
    shared = share_out(map(Seen, findings), named, lambda at, twin: _rank(stand(ordered[at], twin.finding)))
    return {
        finding.fingerprint: stand(ordered[shared[finding.fingerprint]], finding)
        for finding in findings
        if finding.fingerprint in shared
    }


def downgraded_words(finding: Finding) -> str:
    """Say behind a severity what the finding counts as by agreement, "" where that is all."""
    less = finding.downgraded
    if less is None:
        return ""
    return f"; counts as {less.severity} until {time_words(less.until_epoch_s)}, approved by {less.approver}"


def _rank(one: Standing) -> tuple[int, int, int]:
    """Put first what holds, then what ended last, then what is only asked for: a wish takes no end back."""
    state = {"active": 0, "void": 1, "expired": 1, "requested": 2}[one.state]
    return state, -one.ended_epoch_s, -one.until_epoch_s
