"""What is known of one item of a population: the facts that assertions test, one closed form for each unit.

Every field is there, nothing is null, times are UTC seconds with 0 for never. A form's defaults say that nothing good
is known of an item: such an item must deviate, and every assertion is asked about one.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, TypeAlias

from secgate.model import Value

ReviewWord: TypeAlias = Literal["none", "justified", "not-justified"]
Record: TypeAlias = Literal["missing", "differs", "whole"]


class Item(Value, frozen=True, kw_only=True):
    """Ground of every form. `id` is a stable key that people can look up."""

    id: str = ""


class RunOfDeployment(Value, frozen=True, kw_only=True):
    """A run that looked at what was deployed; `by` says what ties them together.

    `same_artifact` is `no` where both name digests and none is the same, `same_source` where the deployment names
    another commit and nothing says that its tree is the same. `override` is whether the override that it passed under,
    if any, counts.
    """

    run_id: str = ""
    by: Literal["artifact", "commit", "tree"] = "commit"
    decided_epoch_s: int = 0
    outcome: str = ""
    same_artifact: Literal["yes", "no", "unknown"] = "unknown"
    same_source: Literal["yes", "no", "unknown"] = "unknown"
    override: Literal["none", "counts", "void"] = "none"


class DeploymentItem(Item, frozen=True, kw_only=True):
    """A deployment, with every run that looked at the same artefact, commit or tree."""

    environment: str = ""
    deployed_epoch_s: int = 0
    runs: tuple[RunOfDeployment, ...] = ()


class ApprovalOfChange(Value, frozen=True, kw_only=True):
    """One person's word for a change."""

    reviewer: str = ""
    approved_epoch_s: int = 0
    machine: bool = True


class ChangeItem(Item, frozen=True, kw_only=True):
    """A merged change."""

    author: str = ""
    merged_epoch_s: int = 0
    approvals: tuple[ApprovalOfChange, ...] = ()


class OverrideItem(Item, frozen=True, kw_only=True):
    """A break-glass override. `longest_s` is what the policy allows, `review_due_epoch_s` when it must be reviewed."""

    by: str = ""
    authorised: bool = False
    has_reason: bool = False
    given_epoch_s: int = 0
    until_epoch_s: int = 0
    longest_s: int = 0
    reviewer: str = ""
    reviewed_epoch_s: int = 0
    review_due_epoch_s: int = 0
    word: ReviewWord = "none"


class ExceptionItem(Item, frozen=True, kw_only=True):
    """A waiver, dismissal or downgrade that was approved. `why` says why an approval does not count."""

    kind: str = ""
    requester: str = ""
    approver: str = ""
    authorised: bool = False
    why: str = ""
    has_reason: bool = False
    approved_epoch_s: int = 0
    expires_epoch_s: int = 0
    longest_s: int = 0


class ScanItem(Item, frozen=True, kw_only=True):
    """A lane of a repository in a window. Of its whole runs in protected scopes, the best is described.

    `failed` are scanners that did not complete, `gaps` what was not covered. `rule_age_days` is of the oldest rules, -1
    where no scanner tells.
    """

    repository: str = ""
    lane: str = ""
    from_epoch_s: int = 0
    to_epoch_s: int = 0
    runs: int = 0
    run_id: str = ""
    failed: tuple[str, ...] = ()
    gaps: int = 0
    rule_age_days: int = -1


UNKNOWN_BELOW_0 = frozenset({"rule_age_days"})
"""Facts that are below 0 where nobody knows them."""


class EpisodeItem(Item, frozen=True, kw_only=True):
    """A finding's episode. `has_limit`: its severity has a time in the policy. `due_epoch_s` is 0 where no duty stands.

    `covered_until_epoch_s` is how far waivers that were approved by the due time reach from it without a gap,
    `accepted_until_epoch_s` how far those do that accept the risk, alone. `accepting` are their ids, `dismissing` those
    of the others: they say that it is a false positive, or that nothing is affected.
    """

    severity: str = ""
    has_limit: bool = True
    opened_epoch_s: int = 0
    judged_epoch_s: int = 0
    due_epoch_s: int = 0
    closed_epoch_s: int = 0
    covered_until_epoch_s: int = 0
    accepted_until_epoch_s: int = 0
    accepting: tuple[str, ...] = ()
    dismissing: tuple[str, ...] = ()


class SupersedingItem(Item, frozen=True, kw_only=True):
    """A duty that was taken back. `agreed`: people who count signed what it names; `covers`: that is of this duty.

    `downgrade` is the id of what it names, `debt` the digest of the list of known debt that took its place. `why` says
    why not. `until_epoch_s` is when what they agreed ended, 0 for what has no end.
    """

    basis: str = ""
    due_epoch_s: int = 0
    superseded_epoch_s: int = 0
    downgrade: str = ""
    debt: str = ""
    agreed: bool = False
    covers: bool = False
    why: str = ""
    approved_epoch_s: int = 0
    until_epoch_s: int = 0


class PatchItem(Item, frozen=True, kw_only=True):
    """A critical finding of a component, and when its patch, `patch`, was released."""

    patch: str = ""
    released_epoch_s: int = 0
    closed_epoch_s: int = 0


class SecretItem(Item, frozen=True, kw_only=True):
    """A secret that was found, and when it was shown to be revoked, by the signed `revocation`."""

    opened_epoch_s: int = 0
    revoked_epoch_s: int = 0
    revocation: str = ""


class BreachItem(Item, frozen=True, kw_only=True):
    """A finding that passed its time, and when somebody was told. `due_epoch_s`: when no waiver covered it any more."""

    due_epoch_s: int = 0
    notified_epoch_s: int = 0
    notice: str = ""
    """Id of the message."""


class ReleaseItem(Item, frozen=True, kw_only=True):
    """A released artefact. `bound_epoch_s` is when an inventory was bound to what was built there."""

    released_epoch_s: int = 0
    bound_epoch_s: int = 0
    same_digest: bool = False


class FeedItem(Item, frozen=True, kw_only=True):
    """Advisories as a scanner of a run used them; `data_epoch_s` is how new they were, 0 for none."""

    scanner: str = ""
    evaluated_epoch_s: int = 0
    data_epoch_s: int = 0


class ProtectedRunItem(Item, frozen=True, kw_only=True):
    """A run in a protected scope."""

    mode: str = ""
    outcome: str = ""


class GateChangeItem(Item, frozen=True, kw_only=True):
    """A change of the gate, and when somebody signed that they reviewed it, by the statement `review`."""

    changed_epoch_s: int = 0
    reviewed_epoch_s: int = 0
    review: str = ""


class ReviewWindowItem(Item, frozen=True, kw_only=True):
    """A month of the period, and when a review of it was signed; `reviews` are the statements, one a ledger."""

    to_epoch_s: int = 0
    reviewed_epoch_s: int = 0
    reviews: tuple[str, ...] = ()


class RunItem(Item, frozen=True, kw_only=True):
    """A run, and whether its record is still what its entry names."""

    record: Record = "missing"


class CheckpointItem(Item, frozen=True, kw_only=True):
    """A checkpoint from outside, held against its ledger. `stamp_required`: the settings ask for a timestamp.

    `stamped`: it has one by an authority that counts; `why_not` says why not. `unchecked`: nobody says which count.
    """

    ledger_id: str = ""
    size: int = 1
    ledger_size: int = 0
    signed: bool = False
    same_root: bool = False
    stamp_required: bool = False
    stamped: bool = False
    unchecked: bool = False
    why_not: str = ""


UNITS: Mapping[str, type[Item]] = MappingProxyType(
    {
        "deployment": DeploymentItem,
        "change": ChangeItem,
        "override": OverrideItem,
        "exception": ExceptionItem,
        "repository_scanner_window": ScanItem,
        "finding_episode": EpisodeItem,
        "superseding": SupersedingItem,
        "patch": PatchItem,
        "secret_finding": SecretItem,
        "breach": BreachItem,
        "release": ReleaseItem,
        "feed_use": FeedItem,
        "protected_run": ProtectedRunItem,
        "gate_change": GateChangeItem,
        "review_window": ReviewWindowItem,
        "run": RunItem,
        "checkpoint": CheckpointItem,
    }
)
"""The form of each unit that an assertion may name."""
