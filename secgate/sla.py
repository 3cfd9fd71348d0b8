"""Duties and their time: which one bites first, how it stands in words, and what a decision really adds.

Calendar time in UTC seconds. Equal to the due time is within it, one second later is overdue. Duties are added, never
loosened: only a recorded, approved downgrade marks one as superseded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal

from secgate.model import Obligation, Severity

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_LAST_DATE_EPOCH_S = 253_402_300_799
"""The end of the year 9999: later times have no calendar date in Python."""


def earliest(obligations: Iterable[Obligation]) -> Obligation | None:
    """Give the duty that counts: the earliest due among those not superseded; None where there is none.

    Among equals the one with the smaller basis, so that the answer does not depend on order.
    """
    standing = [duty for duty in obligations if not duty.superseded]
    return min(standing, key=lambda duty: (duty.due_epoch_s, duty.basis), default=None)


def basis_of(basis: str) -> tuple[str, Severity | None]:
    """Give what a duty of this basis rests on, and the severity that it was made for: None for one that has none.

    `severity:high`, `severity:high:PLACE` and `baseline:high` are for high, `known-exploited` is for none.
    """
    kind, _, rest = basis.partition(":")
    name = rest.partition(":")[0]
    return kind, Severity(name) if kind in ("severity", "baseline") and name in tuple(Severity) else None


def due_epoch_s(obligations: Iterable[Obligation]) -> int | None:
    """Give the second until which a finding is within its time; None where no duty stands."""
    duty = earliest(obligations)
    return None if duty is None else duty.due_epoch_s


def left_s(obligations: Iterable[Obligation], *, now_epoch_s: int) -> int | None:
    """Give the seconds left, negative when overdue; None where no duty stands."""
    due = due_epoch_s(obligations)
    return None if due is None else due - now_epoch_s


def is_overdue(obligations: Iterable[Obligation], *, now_epoch_s: int) -> bool:
    """Tell whether the earliest standing duty is past its due time; equal is within."""
    left = left_s(obligations, now_epoch_s=now_epoch_s)
    return left is not None and left < 0


def closing(
    obligations: Iterable[Obligation], *, closed_epoch_s: int, waived: Iterable[tuple[int, int]]
) -> Literal["met", "excepted", "missed"]:
    """Tell how a finding was closed: in time, late and excepted, or late.

    `waived` are (approved, until) of its waivers. Excepted takes waivers that were approved by the deadline and reach
    from it to the closing without a gap: each next one is approved before the one before it ends. Source: SLA
    semantics, rule 10.
    """
    due = due_epoch_s(obligations)
    if due is None or closed_epoch_s <= due:
        return "met"
    reached = due
    for approved, until in sorted(waived):
        if approved <= reached:
            reached = max(reached, until)
    return "excepted" if reached >= closed_epoch_s else "missed"


def length_words(seconds: int) -> str:
    """Give a length of time in its two largest units, rounded down: `2 d 3 h`, `19 h`, `5 min 7 s`, `0 s`.

    Whole days begin at two, so that a limit of one day reads `24 h`. Raises ValueError for a negative length.
    """
    if seconds < 0:
        raise ValueError("a length of time is not negative")
    if seconds >= 2 * _DAY:
        parts = ((seconds // _DAY, "d"), (seconds % _DAY // _HOUR, "h"))
    elif seconds >= _HOUR:
        parts = ((seconds // _HOUR, "h"), (seconds % _HOUR // _MINUTE, "min"))
    else:
        parts = ((seconds // _MINUTE, "min"), (seconds % _MINUTE, "s"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 s"


def many(count: int, one: str, more: str = "") -> str:
    """Give a number with its noun, as in `1 entry` and `1,200 entries`; `more` is `one` with an s where it is ""."""
    return f"{count:,} {one if count == 1 else more or one + 's'}"


def many_entries(count: int) -> str:
    """Give a number of a ledger's entries with its noun."""
    return many(count, "entry", "entries")


def utc_words(epoch_s: int) -> str:
    """Give a time as `2026-01-31 23:59 UTC`."""
    if not 0 <= epoch_s <= _LAST_DATE_EPOCH_S:
        return f"{epoch_s} s after 1970"
    return datetime.fromtimestamp(epoch_s, tz=UTC).strftime("%Y-%m-%d %H:%M UTC")


def standing_words(obligations: Iterable[Obligation], *, now_epoch_s: int) -> str:
    """Say how a finding stands: `19 h of 24 h left`, `due now`, `overdue by 2 d 3 h`, or `no limit`.

    A duty that has not begun yet (its start is after now) says `starts in 2 h`.
    """
    duty = earliest(obligations)
    if duty is None:
        return "no limit"
    left = duty.due_epoch_s - now_epoch_s
    if left < 0:
        return f"overdue by {length_words(-left)}"
    if left == 0:
        return "due now"
    if now_epoch_s < duty.start_epoch_s:
        return f"starts in {length_words(duty.start_epoch_s - now_epoch_s)}"
    return f"{length_words(left)} of {length_words(duty.limit_s)} left"


def added(decided: Sequence[Obligation], *, recorded: Mapping[str, Sequence[Obligation]]) -> tuple[Obligation, ...]:
    """Give the duties of a decision that the ledger does not hold yet, sorted by finding and basis.

    `recorded` gives what is held, by fingerprint. A basis that is held already, superseded or not, is never new: a
    changed limit applies to duties made after it. Of several on one basis the earliest due is kept.
    """
    best: dict[tuple[str, str], Obligation] = {}
    for duty in decided:
        key = (duty.finding, duty.basis)
        if key not in best or duty.due_epoch_s < best[key].due_epoch_s:
            best[key] = duty
    held = {(finding, duty.basis) for finding, duties in recorded.items() for duty in duties}
    return tuple(best[key] for key in sorted(best) if key not in held)
