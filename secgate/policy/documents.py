"""The two documents of a judgement as values: what policies/schema/{input,decision}.json say, field by field.

The input is total: every field is present, nothing is null, numbers are integers. What Rego cannot find is silently
undefined, so a fact that is not known has a value of its own (`""`, 0 beside a boolean, `unknown`), never an absence.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from secgate.errors import PolicyError
from secgate.model import Confidence, Exposure, Lane, Scope, Severity, State, Word

INPUT_NAME = "secgate/input"
DECISION_NAME = "secgate/decision"
SCHEMA_VERSION = 1

SENTINEL = "secgate:sentinel"
"""Fingerprint of the finding that every evaluation must deny; a real fingerprint is hexadecimal."""

GAP_REASONS = frozenset(
    {
        "tool-missing",
        "tool-crashed",
        "tool-timed-out",
        "output-unreadable",
        "output-truncated",
        "not-selected",
        "not-listed",
        "parse-error",
        "too-large",
        "not-utf8",
        "unreadable",
        "unsupported",
        "unpinned",
        "skipped-by-tool",
        "advisories-missing",
        "advisories-too-old",
        "no-tool",
        "left-out",
        "excluded",
    }
)
"""Closed list of the reasons a gap may have; the same as in the input's schema."""

Count = Annotated[int, Meta(ge=0)]
Text = Annotated[str, Meta(min_length=1)]
WaiverState = Literal["none", "active", "expired", "void"]
WaiverKind = Literal["none", "accept", "false-positive", "not-affected"]
Automatable = Literal["unknown", "yes", "no"]
Impact = Literal["unknown", "partial", "total"]


class Document(Struct, frozen=True, kw_only=True, gc=False, forbid_unknown_fields=True):
    """Ground of every part: closed, so that a field too many is found as surely as one too few."""


class SchemaName(Document, frozen=True, kw_only=True):
    """Which schema a document obeys; a stored one is replayed under the schema it names."""

    name: str
    version: int = SCHEMA_VERSION


class RunFacts(Document, frozen=True, kw_only=True):
    """Of the run as a whole."""

    scope: Scope
    kind: Literal["git", "plain"]
    repository: str
    profile: str
    mode: Literal["enforce", "observe"]
    event: str
    provider: str
    ref: str
    line: str
    commit: str
    dirty: bool
    has_base: bool
    changed_set: Literal["all", "some", "empty"]
    provisional_clocks: bool
    complete: bool
    claims_coverage: bool
    author: str
    actor: str
    reviewers: tuple[str, ...]
    artifacts: tuple[str, ...]


class LaneFacts(Document, frozen=True, kw_only=True):
    """One lane's account in numbers."""

    lane: Lane
    asked: bool
    needed: bool
    offered: Count
    covered: Count
    failed: Count
    unsupported: Count
    gaps_total: Count
    gaps_touched: Count
    gaps_older: Count
    gaps_waived: Count
    tools_ran: tuple[str, ...]
    tools_failed: tuple[str, ...]


class GapFacts(Document, frozen=True, kw_only=True):
    """One gap. `id` is unique in the document and stable for equal facts."""

    id: str
    lane: Lane
    path: str
    tool: str
    reason: str
    remedy: str
    touched: bool
    waived: bool
    profile: str = ""
    """Of the folder that the file lies in, where it chose one of its own; "" for none."""


class PackageFacts(Document, frozen=True, kw_only=True):
    """The package a finding is about; `name` is "" when it is about none."""

    ecosystem: str = ""
    name: str = ""
    version: str = ""
    direct: bool = False
    development: bool = False
    fix_available: bool = False
    fixed_versions: tuple[str, ...] = ()


class WaiverFacts(Document, frozen=True, kw_only=True):
    """The waiver that names a finding, already checked: signatures, persons, bound value and expiry."""

    state: WaiverState = "none"
    kind: WaiverKind = "none"
    id: str = ""
    requester: str = ""
    approver: str = ""
    expires_epoch_s: Count = 0


class BaselineFacts(Document, frozen=True, kw_only=True):
    """The signed list of known debt that names a finding, already verified; how bad it was then, and its limit."""

    listed: bool = False
    id: str = ""
    author: str = ""
    date_epoch_s: Count = 0
    severity: Severity = Severity.INFO
    limit_s: Count = 0


class DowngradeFacts(Document, frozen=True, kw_only=True):
    """The approved downgrade of a finding, already checked: signatures, persons, bound value and expiry.

    `ended_epoch_s` is when it ceased to hold, for `void` when it was seen not to.
    """

    state: WaiverState = "none"
    id: str = ""
    severity: Severity = Severity.INFO
    from_severity: Severity = Severity.INFO
    requester: str = ""
    approver: str = ""
    approved_epoch_s: Count = 0
    expires_epoch_s: Count = 0
    ended_epoch_s: Count = 0


class InSourceFacts(Document, frozen=True, kw_only=True):
    """What comments in the source say of a finding, where every witness has one: a claim that nobody approved.

    `comments` are names of `secgate.suppression`, () where a witness has none, or one that only its tool knows;
    `reason` is the shortest that any of them gives.
    """

    comments: tuple[str, ...] = ()
    names_rules: bool = False
    reason: str = ""


class KnownExploited(Document, frozen=True, kw_only=True):
    """Whether, and since when, an advisory of the finding is listed as exploited."""

    listed: bool = False
    listed_epoch_s: Count = 0


class RecordedObligation(Document, frozen=True, kw_only=True):
    """A duty as the ledger has it."""

    basis: str
    start_epoch_s: Count
    limit_s: Count
    superseded: bool
    superseded_by: str = ""
    """The downgrade that took it back, "" for a baseline."""


class FindingFacts(Document, frozen=True, kw_only=True):
    """One finding with everything joined to it that a rule may ask for."""

    fingerprint: str
    lane: Lane
    weakness: str
    cwes: tuple[int, ...]
    severity: Severity
    score_x10: Annotated[int, Meta(ge=0, le=100)]
    severity_basis: str
    confidence: Confidence
    path: str
    symbol: str
    line: Count
    path_class: str
    state: State
    touched: bool
    scanners: tuple[str, ...]
    witnesses: Count
    advisories: tuple[str, ...]
    package: PackageFacts
    fix_available: bool
    secret: bool
    in_history: bool
    suppressed_in_source: bool
    in_source: InSourceFacts = InSourceFacts()
    first_seen_known: bool
    first_seen_epoch_s: Count
    risen: bool = False
    seconds_open: Count
    waiver: WaiverFacts
    baseline: BaselineFacts = BaselineFacts()
    downgrade: DowngradeFacts = DowngradeFacts()
    known_exploited: KnownExploited
    epss_ppm: Annotated[int, Meta(ge=0, le=1_000_000)]
    automatable: Automatable = "unknown"
    impact: Impact = "unknown"
    exposure: Exposure
    owner: str
    obligations: tuple[RecordedObligation, ...]


class ListFacts(Document, frozen=True, kw_only=True):
    """A list that facts of findings came from: how old it is, and the digest of the file it was read from."""

    used: bool = False
    age_s: Count = 0
    digest: str = ""


class ScoreFacts(ListFacts, frozen=True, kw_only=True):
    """A list of scores: the model that made them, and of when they are."""

    model: str = ""
    scored_epoch_s: Count = 0


class AdvisoryFacts(Document, frozen=True, kw_only=True):
    """The advisory database that the run used, the oldest where several were; and what is known of exploitation."""

    used: bool = False
    age_s: Count = 0
    digest: str = ""
    known_exploited: ListFacts = ListFacts()
    epss: ScoreFacts = ScoreFacts()


class DocumentFacts(Document, frozen=True, kw_only=True):
    """What a policy in Conftest's shape says of one file; `unread` where the file could not be read in full."""

    layer: Literal["organisation", "repository"]
    rule: str
    word: Literal["deny", "warn", "unread"]
    path: str
    message: Text


class InputDocument(Document, frozen=True, kw_only=True):
    """policies/schema/input.json, version 1."""

    schema: SchemaName = SchemaName(name=INPUT_NAME)
    evaluated_at_epoch_s: Count
    run: RunFacts
    lanes: tuple[LaneFacts, ...]
    gaps: tuple[GapFacts, ...]
    findings: tuple[FindingFacts, ...]
    gate_changes: tuple[str, ...]
    advisories: AdvisoryFacts
    documents: tuple[DocumentFacts, ...] = ()


class Element(Document, frozen=True, kw_only=True):
    """What a rule puts into deny, warn or inconclusive: exactly one subject, and why."""

    finding: Text | None = None
    lane: Lane | None = None
    run: Literal[True] | None = None
    gap: Text | None = None
    reason: Text
    remedy: str = ""

    def __post_init__(self) -> None:
        """Refuse what names no subject, or several. Raises ValueError, which decoding reports with its place."""
        if [self.finding, self.lane, self.run].count(None) != 2:
            raise ValueError("exactly one of `finding`, `lane` and `run` is needed")
        if self.gap is not None and self.lane is None:
            raise ValueError("`gap` stands only beside `lane`")


class Said(Document, frozen=True, kw_only=True):
    """An element with the rule that gave it and the set it stands in."""

    rule: str
    set: Literal["deny", "inconclusive", "warn"]
    element: Element


class SaidByRule(Document, frozen=True, kw_only=True):
    """All elements that one rule's set holds."""

    rule: str
    set: Literal["deny", "inconclusive", "warn"]
    elements: tuple[Element, ...]


class LayerVerdict(Document, frozen=True, kw_only=True):
    """One word of one layer."""

    subject: Literal["finding", "lane", "run"]
    id: Text
    word: Word
    rule: Text
    reason: Text
    remedy: str
    all_rules: tuple[str, ...]


class Alike(Document, frozen=True, kw_only=True):
    """One verdict that is each of several findings'."""

    ids: tuple[Text, ...]
    word: Word
    rule: Text
    reason: Text
    remedy: str
    all_rules: tuple[str, ...]


class Duty(Document, frozen=True, kw_only=True):
    """A duty as a rule's own set holds it; what it says of its rule's name is not heard."""

    finding: Text
    basis: Text
    start_epoch_s: Count
    limit_s: Count
    rule: str = ""


class AddedObligation(Duty, frozen=True, kw_only=True):
    """A duty that a rule adds, or takes back."""

    rule: str


class AddedByRule(Document, frozen=True, kw_only=True):
    """All duties that one rule adds."""

    rule: str
    obligations: tuple[Duty, ...]


class Exemption(Document, frozen=True, kw_only=True):
    """A deny that the organisation's layer takes back until a time; counted as a waiver."""

    finding: Text
    reason: Text
    expires_epoch_s: Count
    rule: str


class LayerDecision(Document, frozen=True, kw_only=True):
    """policies/schema/decision.json, version 1: what one layer's `data.secgate.main.decision` is."""

    schema: SchemaName
    verdicts: tuple[LayerVerdict, ...]
    alike: tuple[Alike, ...] = ()
    by_elements: tuple[Text, ...] = ()
    """Findings whose verdict is the strictest of the elements that speak of them."""
    obligations: tuple[AddedObligation, ...]
    added: tuple[AddedByRule, ...] = ()
    """More obligations, by the rule that adds them."""
    superseded: tuple[AddedObligation, ...] = ()
    """Recorded duties that an approved downgrade takes back; each is named whole."""
    exemptions: tuple[Exemption, ...]
    elements: tuple[Said, ...]
    said: tuple[SaidByRule, ...] = ()
    """More elements, by the rule and the set that they stand in."""


class _Named(Struct, frozen=True):
    schema: SchemaName


def read_input(data: bytes) -> InputDocument:
    """Read a stored input under the schema it names. What a minor version added since has the value that it then had.

    Raises PolicyError for another schema, and for a document that breaks its own.
    """
    try:
        named = msgspec.json.decode(data, type=_Named).schema
        if named != SchemaName(name=INPUT_NAME):
            raise PolicyError(
                f"the stored input names the schema {named.name} {named.version}",
                remedy=f"this version of secgate reads {INPUT_NAME} {SCHEMA_VERSION}",
            )
        return msgspec.json.decode(data, type=InputDocument)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise PolicyError(
            f"the stored input breaks its schema: {error}",
            remedy="use the version of secgate that recorded it, or a newer one",
        ) from error


_DECISIONS = msgspec.json.Decoder(LayerDecision)  # before there are threads: two that meet a type at once crash it
_NOT_OURS = "the shipped policies say no such thing: see that `engine.address` leads to an OPA server, or report it"
_ELEMENTS = "give each element one of `finding`, `lane`, `run`, and a `reason`: see schema/decision.json"


def read_decision(value: bytes, *, layer: str) -> LayerDecision:
    """Read one layer's decision strictly. Raises PolicyError naming the place of the first fault."""
    try:
        decision = _DECISIONS.decode(value)
    except (msgspec.DecodeError, RecursionError) as error:
        # msgspec.ValidationError is a DecodeError; its text ends in the path of the fault, `$.said[0].elements[0]...`.
        raise PolicyError(
            f"the {layer} layer's decision breaks the schema: {error}",
            remedy=_NOT_OURS if layer == "shipped" else _ELEMENTS,
        ) from error
    if decision.schema != SchemaName(name=DECISION_NAME):
        raise PolicyError(
            f"the {layer} layer's decision names the schema {decision.schema.name} {decision.schema.version}",
            remedy=f"this version of secgate reads {DECISION_NAME} {SCHEMA_VERSION}",
        )
    return decision
