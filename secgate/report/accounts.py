"""Parts of the report: exceptions, deadlines, waivers, outages, changes, integrity, how it was made, samples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from secgate.assertions import Result
from secgate.model import Value

Standing: TypeAlias = Literal["tested", "deviating", "untested"]


class EntryReference(Value, frozen=True, kw_only=True):
    """An entry of a ledger: what `secgate ledger log` and `secgate ledger prove` take."""

    ledger_id: str
    sequence: int


class EntryRow(Value, frozen=True, kw_only=True):
    """An entry that a row of the report names. `leaf` is its hash in the ledger's tree: SHA-256(0x00 || its bytes).

    `bodies` are the digests of what it names and the ledger keeps beside it: a run's document, a list's rows, a
    signature. An export has them below `blobs/`.
    """

    ledger_id: str
    sequence: int
    type: str
    leaf: str
    bodies: tuple[str, ...]


# ------------------------------------------------------------------------------------ 6, 7, 8: exceptions, SLA, waivers


class ExceptionRow(Value, frozen=True, kw_only=True):
    """A deviation. `response` is management's, "" where it gave none; `facts` are those of the item."""

    id: str
    assertion: str
    controls: tuple[str, ...]
    item: str
    exception: str
    detail: str
    reason: str
    """What whoever asked for or gave it wrote, "" for what has no such reason."""
    facts: Mapping[str, Any]
    entries: tuple[EntryReference, ...]
    response: str


class SlaRow(Value, frozen=True, kw_only=True):
    """Deadlines of a severity, or of `all`. Adherence is in thousandths, hours are rounded down; None for no such."""

    severity: str
    due: int
    met: int
    excepted: int
    missed: int
    overdue_open: int
    adherence_per_mille: int | None
    p50_hours: int | None
    p90_hours: int | None
    oldest_open_hours: int | None
    dismissed: int = 0
    """Beside due, and in no other number."""


class DismissedRow(Value, frozen=True, kw_only=True):
    """A finding that was dismissed, once for each waiver that called it no weakness. `closed_epoch_s` is 0 if open."""

    item: str
    severity: str
    due_epoch_s: int
    closed_epoch_s: int
    waiver: str
    kind: str
    requester: str
    approver: str
    approved_epoch_s: int
    reason: str


class NotDue(Value, frozen=True, kw_only=True):
    """A finding that was open at the period's end and due later: in neither number of the formula."""

    item: str
    severity: str
    opened_epoch_s: int
    due_epoch_s: int


class SlaSection(Value, frozen=True, kw_only=True):
    """Deadlines. `assertion` is "" where no control of the frameworks cites one on deadlines."""

    assertion: str
    result: Result
    reason: str
    formula: tuple[str, ...]
    rows: tuple[SlaRow, ...]
    not_due: tuple[NotDue, ...]
    dismissed: tuple[DismissedRow, ...] = ()


class WaiverRow(Value, frozen=True, kw_only=True):
    """A waiver, dismissal or downgrade that held or was asked for in the period, as of its end."""

    id: str
    kind: str
    subject: str
    severity: str
    requester: str
    requested_epoch_s: int
    approver: str
    approved_epoch_s: int
    until_epoch_s: int
    revoked_by: str
    revoked_epoch_s: int
    state: Literal["requested", "active", "expired", "revoked"]
    age_days: int
    renews: str
    """Id of the one before for the same subject, "" for the first."""
    reason: str
    ticket: str
    ledger_id: str


class RefusedRow(Value, frozen=True, kw_only=True):
    """A signed statement that counts for nothing, and why."""

    entry: EntryReference
    type: str
    why: str


class WaiverSection(Value, frozen=True, kw_only=True):
    """Waivers. `reason` says why nobody's word could be checked, "" where it could."""

    opened: int
    approved: int
    renewed: int
    expired: int
    revoked: int
    active: int
    rows: tuple[WaiverRow, ...]
    refused: tuple[RefusedRow, ...]
    reason: str


# ------------------------------------------------------------------------------------------- 9, 10: outages and changes


class SilentSpan(Value, frozen=True, kw_only=True):
    """A time in which no complete run of a protected branch of a repository was recorded."""

    repository: str
    from_epoch_s: int
    to_epoch_s: int


class WindowGap(Value, frozen=True, kw_only=True):
    """A lane of a listed repository that no complete run looked at in a window of the assertion."""

    repository: str
    lane: str
    from_epoch_s: int
    to_epoch_s: int
    what: str


class TroubledRun(Value, frozen=True, kw_only=True):
    """A run of a protected branch in which a scanner did not complete, or that could not decide."""

    run_id: str
    repository: str
    line: str
    at_epoch_s: int
    outcome: str
    failed: tuple[str, ...]
    gaps: int
    entry: EntryReference


class StaleFeed(Value, frozen=True, kw_only=True):
    """Runs whose advisories were too old, missing, or of an age that nothing tells."""

    scanner: str
    what: str
    runs: int
    first_epoch_s: int
    last_epoch_s: int


class OutageSection(Value, frozen=True, kw_only=True):
    """What was not looked at. `longest_s` is the time after which silence is listed."""

    longest_s: int
    silent: tuple[SilentSpan, ...]
    windows: tuple[WindowGap, ...]
    runs: tuple[TroubledRun, ...]
    feeds: tuple[StaleFeed, ...]


class DigestSpan(Value, frozen=True, kw_only=True):
    """A version of something that judges, from the first run of the period that used it until the last one.

    `runs` and `repositories` are how many used it.
    """

    what: str
    digest: str
    first_epoch_s: int
    last_epoch_s: int
    runs: int
    repositories: int


class GateChangeRow(Value, frozen=True, kw_only=True):
    """A change of policy, mapping, scanner, rule pack or mode."""

    at_epoch_s: int
    type: str
    repository: str
    line: str
    profile: str
    name: str
    part: str
    before: str
    after: str
    entry: EntryReference


class OverrideRow(Value, frozen=True, kw_only=True):
    """A break-glass override. `runs` are those that name it; `void` says why it never let anything pass."""

    id: str
    repository: str
    line: str
    commit: str
    by: str
    given_epoch_s: int
    until_epoch_s: int
    reason: str
    ticket: str
    reviewer: str
    reviewed_epoch_s: int
    word: str
    review_reason: str
    void: str
    runs: tuple[str, ...]


class ChangeSection(Value, frozen=True, kw_only=True):
    """What judges, and how it changed. `versions` are those of the enforced layer, the mapping and the program."""

    changes: tuple[GateChangeRow, ...]
    overrides: tuple[OverrideRow, ...]
    versions: tuple[DigestSpan, ...]


# ---------------------------------------------------------------------------------- 11, 12, 13: integrity, IPE, samples


class CheckpointProof(Value, frozen=True, kw_only=True):
    """A checkpoint from outside, held against the ledger."""

    place: str
    size: int
    root: str
    at_epoch_s: int
    signed: bool
    same_root: bool
    timestamps: int
    """Answers of authorities that it carries; `secgate ledger verify` checks them."""


class LedgerProof(Value, frozen=True, kw_only=True):
    """A ledger by itself: read from its first entry, every leaf and root computed anew.

    `result` is `not_tested` without a checkpoint from outside: whoever holds a ledger could have made it anew.
    """

    ledger_id: str
    address: str
    size: int
    root: str
    first_epoch_s: int
    last_epoch_s: int
    provisional: bool
    unknown_entries: int
    statements: int
    refused: int
    checkpoints: tuple[CheckpointProof, ...]
    result: Result
    reason: str


class IntegritySection(Value, frozen=True, kw_only=True):
    """Each ledger, and how anybody verifies one without secgate."""

    ledgers: tuple[LedgerProof, ...]
    how: tuple[str, ...]


class Parameter(Value, frozen=True, kw_only=True):
    """A parameter of the command, as it was given."""

    name: str
    value: str


class Input(Value, frozen=True, kw_only=True):
    """Something that was read: its digest, how many rows it had and how many of them count in the period."""

    what: str
    name: str
    digest: str
    rows_in: int
    rows_out: int


class MakingSection(Value, frozen=True, kw_only=True):
    """How the report was made, so that anybody can make it again."""

    command: str
    parameters: tuple[Parameter, ...]
    versions: tuple[Parameter, ...]
    inputs: tuple[Input, ...]
    filters: tuple[str, ...]
    again: str


class SampleRow(Value, frozen=True, kw_only=True):
    """An item that was drawn: `digest` is what it was ranked by."""

    rank: int
    item: str
    digest: str
    standing: Standing
    entries: tuple[EntryReference, ...]


class Sample(Value, frozen=True, kw_only=True):
    """Items drawn from one population."""

    assertion: str
    population: int
    rows: tuple[SampleRow, ...]


class SamplingSection(Value, frozen=True, kw_only=True):
    """A kit to draw samples with. `seed` is the auditor's; "" where none was given, and nothing was drawn."""

    seed: str
    size: int
    method: tuple[str, ...]
    samples: tuple[Sample, ...]
