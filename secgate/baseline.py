"""Known debt: a list of a day, signed by a person, that gives what was there limits of its own.

It starts clocks and never decides newness. The date that counts is the ledger's, of the entry that recorded the list,
not the one that its author wrote. What a list names is found by fingerprint, then by any other name, one to one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from secgate import sla
from secgate.errors import UsageError
from secgate.model import Epoch, Obligation, Severity, Value, encode
from secgate.once import require_once

NAMESPACE = "secgate-baseline"
MAX_BYTES = 64 * 1024 * 1024


class DebtEntry(Value, frozen=True, kw_only=True):
    """One finding that is known: every fingerprint it has, its own first, and how bad it was."""

    fingerprint: str
    algorithm: str
    severity: Severity
    weakness: str = ""
    path: str = ""
    names: tuple[str, ...] = ()


class Statement(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `secgate baseline write` has signed; stored byte for byte. `limits_s` are by severity."""

    schema: Literal["secgate/baseline"] = "secgate/baseline"
    version: Literal[1] = 1
    repository: str
    line: str
    author: str
    date_epoch_s: Epoch
    run_id: str = ""
    commit: str = ""
    reason: str = ""
    limits_s: dict[Severity, Annotated[int, Meta(ge=1)]]
    findings: tuple[DebtEntry, ...]


class Debt(Value, frozen=True, kw_only=True):
    """A list whose signature was verified. `digest` is that of the bytes that were signed."""

    digest: str
    author: str
    date_epoch_s: int
    limits_s: Mapping[Severity, int]
    entries: tuple[DebtEntry, ...]


class Listed(Value, frozen=True, kw_only=True):
    """What a list says of one finding of a run."""

    digest: str
    author: str
    date_epoch_s: int
    severity: Severity
    limit_s: int


def encode_statement(statement: Statement) -> bytes:
    """Give the bytes to be signed, with a line's end."""
    return encode(statement) + b"\n"


def read_statement(data: bytes) -> Statement:
    """Read a statement. Raises UsageError for anything else."""
    try:
        if len(data) > MAX_BYTES:
            raise msgspec.ValidationError(f"it has more than {MAX_BYTES} bytes")
        said = msgspec.json.decode(data, type=Statement)
        require_once(data.rstrip(b"\n"), said)
        return said
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f"this is no baseline: {error}", remedy="`secgate baseline write` makes one, of what a run found"
        ) from error


def as_bad_as_ever(severity: Severity, duties: Iterable[Obligation]) -> Severity:
    """Give the highest of a severity and those of the duties that stand: a list lowers none."""
    found = [severity]
    for duty in duties:
        kind, level = sla.basis_of(duty.basis)
        if kind == "severity" and level is not None and not duty.superseded:
            found.append(level)
    return max(found, key=lambda one: one.rank)


def gives_way(held: Obligation, duty: Obligation) -> bool:
    """Tell whether a duty that a baseline brings takes the place of one that is held.

    Only of a severity's, begun by the baseline's day and not overdue on it, and of nothing worse than was listed: an
    approved downgrade of all that was known on one day. Source: SLA semantics, rules 3 and 7.
    """
    (kind, level), (listed_kind, as_listed) = sla.basis_of(held.basis), sla.basis_of(duty.basis)
    if held.superseded or (kind, listed_kind) != ("severity", "baseline") or level is None or as_listed is None:
        return False
    is_in_time = held.start_epoch_s <= duty.start_epoch_s <= held.due_epoch_s
    return is_in_time and level.rank <= as_listed.rank


def listed(findings: Sequence[tuple[str, Sequence[str]]], debts: Sequence[Debt]) -> dict[str, Listed]:
    """Give what the lists say of findings, given as (fingerprint, its other names).

    Each entry stands for one finding at most: its own fingerprint goes first, then the others in order. Of several
    lists the oldest counts. A severity without a limit is not listed.
    """
    found: dict[str, Listed] = {}
    for debt in sorted(debts, key=lambda one: (one.date_epoch_s, one.digest)):
        left = dict(enumerate(one for one in debt.entries if debt.limits_s.get(one.severity)))
        for by_own in (True, False):
            index: dict[str, list[int]] = {}
            for at, entry in left.items():
                for name in [entry.fingerprint] if by_own else [entry.fingerprint, *entry.names]:
                    index.setdefault(name, []).append(at)
            for fingerprint, others in sorted(findings):
                if fingerprint in found:
                    continue
                names = [fingerprint] if by_own else [fingerprint, *sorted(others)]
                at_once = [at for name in names for at in index.get(name, ()) if at in left]
                if at_once:
                    found[fingerprint] = _listed(debt, left.pop(at_once[0]))
    return found


def _listed(debt: Debt, entry: DebtEntry) -> Listed:
    return Listed(
        digest=debt.digest,
        author=debt.author,
        date_epoch_s=debt.date_epoch_s,
        severity=entry.severity,
        limit_s=debt.limits_s[entry.severity],
    )
