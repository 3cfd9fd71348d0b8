"""The frozen values that the stages hand on. Nothing here reads, writes or decides.

Paths are POSIX, relative to the repository's root, unless a field is called `root`. Lines and columns count from 1,
columns in
UTF-16 code units; 0 means "not known". Times in Python are aware UTC datetimes; in stored documents they are integers
that end in
`_epoch_s`. Digests are lower-case hex SHA-256. Text that came from a scanned tree or a scanner is kept as it is, masked
for secrets;
whoever shows it escapes it.
"""

from __future__ import annotations

import enum
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct

DOCUMENT_VERSION = 1
"""Version of the stored run document; grows by minor, additive change only."""

FINGERPRINT_ALGORITHM = "secgate/v1"
"""Name stored with every fingerprint, so that a later algorithm can be introduced by alias events."""

Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
Epoch = Annotated[int, Meta(ge=0, le=100_000_000_000)]
"""Seconds, of a time or a length. What is larger has no date: the two that make a due time, added, still have one."""
Visibility = Literal["unknown", "public", "internal", "private"]
"""Who can read a repository, as CI tells; what is not told counts as public."""
Exposure = Literal["unknown", "internal", "internet"]
"""Who can reach what runs from a file, as far as the organisation says."""


class Severity(enum.StrEnum):
    """Band of a `security-severity` score. Source: CVSS v3.1, section 5."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"

    @classmethod
    def from_score(cls, score: float) -> Severity:
        """Give the band of `score` (0.0 to 10.0): low from 0.1, medium from 4.0, high from 7.0, critical from 9.0."""
        for floor, band in ((9.0, cls.CRITICAL), (7.0, cls.HIGH), (4.0, cls.MEDIUM), (0.1, cls.LOW)):
            if score >= floor:
                return band
        return cls.INFO

    @property
    def rank(self) -> int:
        """0 for info up to 4 for critical."""
        return ("info", "low", "medium", "high", "critical").index(self)

    @property
    def default_score(self) -> float:
        """A score in the band for tools that give only the band."""
        return (0.0, 2.0, 5.5, 8.0, 9.5)[self.rank]


class Confidence(enum.StrEnum):
    """How sure the tool is; apart from severity."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Lane(enum.StrEnum):
    """A kind of weakness that is looked for with tools of its own."""

    SAST = "sast"
    DEPENDENCIES = "dependencies"
    IAC = "iac"
    SECRETS = "secrets"
    WORKFLOWS = "workflows"


class Scope(enum.StrEnum):
    """Class of a run. Only `protected` starts and closes clocks."""

    PROTECTED = "protected"
    CHANGE = "change"
    LOCAL = "local"


class Source(enum.StrEnum):
    """Where the bytes that are scanned come from."""

    WORK_TREE = "work-tree"
    INDEX = "index"
    COMMIT = "commit"


class State(enum.StrEnum):
    """A finding's state against the base. `newly-detectable`: old code, seen only by newer tools or packs."""

    NEW = "new"
    NEWLY_DETECTABLE = "newly-detectable"
    UNCHANGED = "unchanged"
    UPDATED = "updated"
    ABSENT = "absent"


class ScanStatus(enum.StrEnum):
    """How a tool's run ended; only `completed` carries results."""

    COMPLETED = "completed"
    MISSING = "missing"
    CRASHED = "crashed"
    TIMED_OUT = "timed-out"
    UNREADABLE = "unreadable"
    TRUNCATED = "truncated"
    UNAVAILABLE = "unavailable"
    """A service or data that the tool needs is not there, or is too old."""


class FileStatus(enum.StrEnum):
    """What became of one file in one lane."""

    COVERED = "covered"
    FAILED = "failed"
    UNSUPPORTED = "unsupported"


class EvidenceBasis(enum.StrEnum):
    """How it is known that a tool looked at a file."""

    LISTED = "listed"
    COUNTED = "counted"
    INFERRED = "inferred"
    NONE = "none"


class Outcome(enum.StrEnum):
    """What a run says as a whole."""

    PASS = "pass"  # noqa: S105 - an outcome
    FAIL = "fail"
    USAGE_ERROR = "usage-error"
    INCONCLUSIVE = "inconclusive"
    POLICY_ERROR = "policy-error"
    LEDGER_ERROR = "ledger-error"
    INTERNAL_ERROR = "internal-error"

    @property
    def exit_code(self) -> int:
        """The process exit code of this outcome."""
        return {
            "pass": 0,
            "fail": 1,
            "usage-error": 2,
            "inconclusive": 3,
            "policy-error": 4,
            "ledger-error": 5,
            "internal-error": 70,
        }[self.value]


OUTCOME_ORDER = (
    Outcome.INTERNAL_ERROR,
    Outcome.USAGE_ERROR,
    Outcome.LEDGER_ERROR,
    Outcome.POLICY_ERROR,
    Outcome.FAIL,
    Outcome.INCONCLUSIVE,
    Outcome.PASS,
)
"""Where several hold, the first of these is the outcome."""


class Word(enum.StrEnum):
    """A verdict's word. Strictest first in this order."""

    DENY = "deny"
    INCONCLUSIVE = "inconclusive"
    WARN = "warn"
    WAIVED = "waived"
    EXEMPT = "exempt"
    ALLOW = "allow"


class Value(Struct, frozen=True, kw_only=True, gc=False, forbid_unknown_fields=False, omit_defaults=False):
    """Ground of all values: frozen, keyword-only, compared by value."""


# --------------------------------------------------------------------------------------------------------- discover


class SourceFile(Value, frozen=True, kw_only=True):
    """One regular file that the run offers to its lanes.

    `kinds` are names used in policies/lanes.json, most special first.
    """

    path: str
    size_bytes: int
    kinds: tuple[str, ...] = ()
    executable: bool = False


class LeftOut(Value, frozen=True, kw_only=True):
    """A path that is not offered, and why.

    `reason` is one of `link`, `link-outside`, `submodule`, `lfs-pointer`, `special`, `unreadable`, `not-utf8-name`,
    `excluded`, `too-deep`, `too-many`, `too-large`, `tool-configuration`. `excluded` carries the pattern that excluded
    it in
    `detail`.
    """

    path: str
    reason: str
    detail: str = ""


class Actor(Value, frozen=True, kw_only=True):
    """Who, as CI or git tells. Opaque to policy except for equality; never a secret."""

    name: str
    source: str


class Rename(Value, frozen=True, kw_only=True):
    """A file that git says was renamed between base and head."""

    old: str
    new: str


class Target(Value, frozen=True, kw_only=True):
    """What is judged. `changed` None means everything; an empty tuple means nothing changed, so nothing is scanned.

    `root` is absolute. `prefix` is the scanned subdirectory relative to `root`, "" for all. `commit` is "" without git;
    a dirty tree is
    never recorded as its commit: `dirty` is then true. `base_commit` is the commit newness is judged against, "" for
    none.
    """

    root: str
    prefix: str = ""
    kind: Literal["git", "plain"]
    repository: str
    """Stable name: the normalised remote address without credentials, else the directory's name."""
    source: Source = Source.WORK_TREE
    scope: Scope
    scope_basis: str
    ref: str = ""
    line: str = ""
    """Branch or deployment that clocks belong to."""
    event: str = ""
    provider: str = ""
    visibility: Visibility = "unknown"
    named: bool = False
    """Whether files were named one by one, as a hook is given them: such a run reads the ledger and never writes."""
    indexed: tuple[str, ...] = ()
    """Paths of a work tree whose bytes are those of the index."""
    fork: bool = False
    """Whether CI says that the change comes from another repository: such a run reads the ledger and never writes."""
    commit: str = ""
    tree: str = ""
    base_commit: str = ""
    base_ref: str = ""
    dirty: bool = False
    shallow: bool = False
    author: Actor | None = None
    actor: Actor | None = None
    reviewers: tuple[Actor, ...] = ()
    artifacts: tuple[str, ...] = ()
    files: tuple[SourceFile, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    changed: tuple[str, ...] | None = None
    deleted: tuple[str, ...] = ()
    renames: tuple[Rename, ...] = ()
    change_commits: tuple[str, ...] = ()
    """Commits of the change, oldest first; the secrets lane searches every one."""
    gate_changes: tuple[str, ...] = ()
    """Paths of configuration, policies, baselines, signers or workflows that the change edits:

    reported, never obeyed.
    """

    @property
    def only_reads(self) -> bool:
        """Tell whether a run of it leaves the ledger as it is (threat rule 3)."""
        return self.source is Source.INDEX or self.named or self.fork

    def is_touched(self, path: str) -> bool:
        """Tell whether the run's change touches `path`; without a change, everything is touched."""
        return self.changed is None or path in self.changed


# --------------------------------------------------------------------------------------------------------- view and
# scan


class Origin(Value, frozen=True, kw_only=True):
    """The commit and path that a file of a history view was taken from."""

    commit: str
    path: str


class View(Value, frozen=True, kw_only=True):
    """A private directory that holds only the regular files to be scanned, at their relative paths.

    `root` is absolute and holds nothing but the view. `digests` maps each path in the view to the SHA-256 of its bytes.
    """

    root: str
    source: Source
    digests: dict[str, Digest]
    left_out: tuple[LeftOut, ...] = ()
    origins: dict[str, Origin] = {}
    """View path -> what it stands for, for files that are not at their own path:

    those of a change's commits, and tool configuration,
    which is there under a name that no tool takes orders from (`commit` is then "" unless the view is one of
    commits)."""


class Slot(Value, frozen=True, kw_only=True, tag=True):
    """A place in an argument list that only the executor can fill, followed by `suffix`.

    `view`: the view's root. `work`: the job's private writable directory. `tool`: the tool's executable. `python`: the
    interpreter of secgate itself, or the tool's own when the tool was found with one (ToolSpec.needs_interpreter).
    `service`: the address of the service that `Job.service` names. `rules`: the rules folder.
    """

    name: Literal["view", "work", "tool", "python", "service", "rules"]
    suffix: str = ""


class Limits(Value, frozen=True, kw_only=True):
    """What a child process may use; past a cap the scan is incomplete, never clean."""

    time_s: float = 300.0
    output_bytes: int = 256 * 1024 * 1024
    memory_bytes: int = 0
    """0 for no cap."""


STANDBY_GATE = "gate"
"""File of a job's work directory that a child which stands by reads to its end before it opens anything of the view."""


class Job(Value, frozen=True, kw_only=True):
    """One child process of a scanner.

    `files` are the paths of the view that this job is asked to look at. `blobs` are written into the work directory
    before the start (name
    without a slash -> bytes). `outputs` are file names read back from the work directory. `env` names extra variables
    with fixed values.
    `cache_inputs` are digests, besides tool, argv, blobs and files, that the result depends on.
    """

    scanner: str
    name: str
    argv: tuple[str | Slot, ...]
    files: tuple[str, ...]
    blobs: dict[str, bytes] = {}
    outputs: tuple[str, ...] = ()
    env: dict[str, str] = {}
    service: str = ""
    cwd: Literal["view", "work"] = "view"
    """Where the child is started; `work` for tools that write where they stand."""
    limits: Limits = Limits()
    grain: Literal["file", "tree"] = "tree"
    cache_inputs: tuple[str, ...] = ()
    network: bool = False
    """Whether the job may use the network (proxies and certificate bundles are then passed on)."""
    standby: tuple[str | Slot, ...] = ()
    """Arguments under which it does the very same, but gets ready first and then waits at `STANDBY_GATE`; () for none.

    `files` are there, and empty, until the gate opens."""
    compared: tuple[str | Slot, ...] | None = None
    """What of `argv` says how a scanner looks, the same whatever files there are and whichever machine it is.

    Runs are compared by it, so that what is gone from one with other files can be told to be gone. None: all of `argv`
    but the files; (): nothing."""


class Output(Value, frozen=True, kw_only=True):
    """What a child process gave back. `exit_code` is negative for a signal. `problem` is "" unless it never started."""

    exit_code: int
    stdout: bytes
    stderr: bytes
    files: dict[str, bytes] = {}
    timed_out: bool = False
    truncated: bool = False
    problem: str = ""
    duration_s: float = 0.0
    is_kept: bool = False
    """From an earlier run of the same job over the same bytes, not of now."""


class Tool(Value, frozen=True, kw_only=True):
    """A found tool.

    `environment`: configured, tools, secgate, path. `tested` tells whether the version is in the tested range.
    """

    name: str
    path: str
    version: str
    digest: Digest
    environment: str
    tested: bool = True
    interpreter: str = ""


class Region(Value, frozen=True, kw_only=True):
    """A span as a tool gives it; see the module's text for units once normalised."""

    start_line: int = 0
    start_column: int = 0
    end_line: int = 0
    end_column: int = 0


class Location(Value, frozen=True, kw_only=True):
    """Where a result is. `commit` is set when the text is in a commit of the change but not in its end."""

    path: str
    region: Region = Region()
    commit: str = ""

    @property
    def words(self) -> str:
        """Give `path:line`, the path alone for a whole file, and words for what has no place."""
        if not self.path:
            return "the whole tree"
        return f"{self.path}:{self.region.start_line}" if self.region.start_line else self.path


class Package(Value, frozen=True, kw_only=True):
    """A resolved dependency and the manifest entry that brings it in."""

    ecosystem: str
    name: str
    version: str
    manifest: str
    line: int = 0
    direct: bool = True
    development: bool = False
    fixed_versions: tuple[str, ...] = ()


class Suppression(Value, frozen=True, kw_only=True):
    """A claim, by the tool or in the source, that a result does not count.

    Never trusted alone. Source: SARIF 2.1.0, 3.35.
    """

    kind: Literal["inSource", "external"]
    text: str = ""
    status: str = ""


class Claims(Value, frozen=True, kw_only=True):
    """What a foreign file says of a result's past: its baseline state and its fingerprints, as (name, value).

    Never relied on, and never stored: some tools put secrets, names of people or constants into fingerprints.
    """

    baseline_state: Literal["", "new", "unchanged", "updated", "absent"] = ""
    fingerprints: tuple[tuple[str, str], ...] = ()


class Rule(Value, frozen=True, kw_only=True):
    """What a tool says of one of its rules. Source: SARIF 2.1.0, 3.49 reportingDescriptor."""

    id: str
    name: str = ""
    short: str = ""
    full: str = ""
    help: str = ""
    help_uri: str = ""
    cwes: tuple[int, ...] = ()
    weakness: str = ""
    """Canonical weakness when the rule itself names one (our own packs)."""
    score: float | None = None
    confidence: Confidence | None = None
    remedy: str = ""
    tags: tuple[str, ...] = ()


class Edit(Value, frozen=True, kw_only=True):
    """One replacement in the file of a result: what `region` holds, to its end, becomes `text`."""

    region: Region
    text: str


class Fix(Value, frozen=True, kw_only=True):
    """What may end a result: edits of the file that it is in, apart and in order, all of them or none.

    A scanner gives them in its own columns and without a digest. Normalised, columns are UTF-16, and `digest` is that
    of the bytes they were made for: in any other text they mean nothing.
    """

    title: str
    edits: tuple[Edit, ...]
    digest: Digest = ""


class RawResult(Value, frozen=True, kw_only=True):
    """One result as a scanner's `read` understood it, before normalising.

    paths are the view's, columns in `column_unit`.
    """

    rule: str
    message: str
    path: str
    region: Region = Region()
    column_unit: Literal["utf-8", "utf-16", "code-point"] = "utf-16"
    severity: Severity | None = None
    score: float | None = None
    severity_basis: str = ""
    confidence: Confidence | None = None
    cwes: tuple[int, ...] = ()
    weakness: str = ""
    snippet: str = ""
    secrets: tuple[str, ...] = ()
    """Secret texts that the tool named: normalise masks each in every field and then forgets them."""
    secret_spans: tuple[Region, ...] = ()
    quoted: tuple[str, ...] = ()
    """Secrets that were found, and masked, in the texts of another tool: normalise masks them wherever else they are
    quoted, and takes the result for no more about secrets than before."""
    secret_sha1: str = ""
    """Hex SHA-1 of a secret's text, for a tool that tells no more than that and the line."""
    package: Package | None = None
    advisory: str = ""
    aliases: tuple[str, ...] = ()
    resource: str = ""
    commit: str = ""
    lane: Lane | None = None
    """None means the scanner's own lane."""
    suppressions: tuple[Suppression, ...] = ()
    claims: Claims | None = None
    remedy: str = ""
    help_uri: str = ""
    fixes: tuple[Fix, ...] = ()
    tool: str = ""
    """Name by which the crosswalk knows the tool, for a result of a file that others wrote; "" is the scanner's."""


class FileReading(Value, frozen=True, kw_only=True):
    """What a tool said of one file: looked at (and how that is known) or failed, and why."""

    path: str
    status: FileStatus
    basis: EvidenceBasis
    reason: str = ""


class Reading(Value, frozen=True, kw_only=True):
    """What `read` made of one job's output. A status other than completed carries no results."""

    status: ScanStatus
    reason: str = ""
    rules: tuple[Rule, ...] = ()
    results: tuple[RawResult, ...] = ()
    files: tuple[FileReading, ...] = ()
    counted: int | None = None
    notices: tuple[str, ...] = ()
    follow_up: tuple[Job, ...] = ()
    """Jobs that could only be planned from this output (a resolver's list for an audit)."""


class Invocation(Value, frozen=True, kw_only=True):
    """One scanner's part in a run, stored. `argv` shows slots by name, never a machine path."""

    scanner: str
    lane: Lane
    lanes: tuple[Lane, ...] = ()
    tool: Tool | None
    status: ScanStatus
    reason: str = ""
    rule_pack: str = ""
    rule_pack_digest: str = ""
    rule_pack_epoch_s: int = 0
    options_digest: str = ""
    advisories_digest: str = ""
    advisories_age_s: int | None = None
    argv: tuple[str, ...] = ()
    exit_codes: tuple[int, ...] = ()
    started_epoch_s: Epoch = 0
    duration_s: float = 0.0
    executed: int = 0
    """Files really looked at now."""
    reused: int = 0
    """Files whose result came from a cache."""
    files: tuple[FileReading, ...] = ()
    notices: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()


# --------------------------------------------------------------------------------------------------------- results and
# findings


class Result(Value, frozen=True, kw_only=True):
    """One normalised result: masked, UTF-16 columns, repository paths, a severity with its basis."""

    scanner: str
    lane: Lane
    rule: str
    message: str
    location: Location
    severity: Severity
    score: float
    severity_basis: str
    confidence: Confidence
    cwes: tuple[int, ...] = ()
    weakness: str = ""
    """Canonical weakness by the crosswalk: its name, else `cwe-N`, else `tool:rule`."""
    snippet: str = ""
    package: Package | None = None
    advisory: str = ""
    aliases: tuple[str, ...] = ()
    resource: str = ""
    suppressions: tuple[Suppression, ...] = ()
    remedy: str = ""
    help_uri: str = ""
    secret: bool = False
    fixes: tuple[Fix, ...] = ()
    """None for a result about a secret, and none that a secret stands in."""


class Fingerprint(Value, frozen=True, kw_only=True):
    """An identity and the algorithm that made it."""

    algorithm: str
    value: str


class Obligation(Value, frozen=True, kw_only=True):
    """One duty with its time.

    `due` is start + limit and is never stored. Source: notes on SLA semantics, rules 5 and 14.
    """

    finding: str
    basis: str
    start_epoch_s: Epoch
    limit_s: Epoch
    policy_digest: str = ""
    superseded: bool = False
    superseded_by: str = ""
    """The downgrade that took it back; "" for known debt, and for a duty that stands."""
    superseded_epoch_s: Epoch = 0
    """When that downgrade was approved, by the ledger's time."""

    @property
    def due_epoch_s(self) -> int:
        """Start plus limit."""
        return self.start_epoch_s + self.limit_s


class Downgraded(Value, frozen=True, kw_only=True):
    """What two people agreed that a finding counts as, and until when; `severity` of the finding stays the tools'."""

    id: str
    severity: Severity
    approver: str
    until_epoch_s: Epoch


class Finding(Value, frozen=True, kw_only=True):
    """One weakness over time, of at least one result. Dropping one witness keeps it."""

    fingerprint: str
    algorithm: str = FINGERPRINT_ALGORITHM
    lane: Lane
    weakness: str
    title: str
    severity: Severity
    score: float
    severity_basis: str
    confidence: Confidence
    location: Location
    """Smallest enclosing statement, resource, step or manifest entry that secgate found itself."""
    symbol: str = ""
    ordinal: int = 1
    anchor: str = ""
    """Digest of the normalised text that identity rests on; equal digest = equal text."""
    witnesses: tuple[Result, ...]
    aliases: tuple[Fingerprint, ...] = ()
    advisories: tuple[str, ...] = ()
    package: Package | None = None
    secret_macs: tuple[str, ...] = ()
    """Codes of a secret's text, `KEY:HEX` under a key that only the organisation has, sorted; () without a key."""
    sketch: str = ""
    """What `likeness` compares where the text was edited; "" for what has no text of its own, such as a secret."""
    state: State = State.NEW
    state_basis: str = ""
    ambiguous: bool = False
    """Whether others would have fitted as well where it was known again or called new: position decided."""
    continues: tuple[str, ...] = ()
    """Fingerprints by which the ledger knows what it is: the one it goes on with, then those it has taken in."""
    part_of: str = ""
    """Fingerprint by which the ledger knows the finding that it was split off from."""
    taken_from: tuple[str, ...] = ()
    """Fingerprints by which the ledger knows findings that go on, and of which it has taken a witness over."""
    previous: str = ""
    """Fingerprint under which the base or the ledger knew it, when that differs."""
    previous_path: str = ""
    first_seen_epoch_s: Epoch | None = None
    known_severity: Severity | None = None
    """How bad it was when the ledger last recorded it; None for what it does not know."""
    touched: bool = True
    obligations: tuple[Obligation, ...] = ()
    remedy: str = ""
    snippet: str = ""
    suppressed_in_source: bool = False
    owner: str = ""
    """Who owns the place by CODEOWNERS: ids, teams, or the line that names somebody, between spaces; "" for nobody."""
    downgraded: Downgraded | None = None


# --------------------------------------------------------------------------------------------------------- coverage


class Gap(Value, frozen=True, kw_only=True):
    """Something that a lane should have looked at and did not. `path` is "" when the whole lane is meant.

    `reason` is one of: `tool-missing`, `tool-crashed`, `tool-timed-out`, `output-unreadable`, `output-truncated`,
    `not-selected`,
    `not-listed`, `parse-error`, `too-large`, `not-utf8`, `unreadable`, `unsupported`, `unpinned`, `skipped-by-tool`,
    `advisories-missing`,
    `advisories-too-old`, `no-tool`, `left-out`, `excluded`.
    """

    lane: Lane
    path: str
    tool: str
    reason: str
    detail: str = ""
    remedy: str = ""
    touched: bool = True
    waived: bool = False
    profile: str = ""
    """The profile of a folder that the file is held to beside the run's, "" for none."""


class LaneCoverage(Value, frozen=True, kw_only=True):
    """One lane's account.

    A file is counted once, and is covered only when every tool that the table requires looked at it.
    """

    lane: Lane
    asked: bool
    needed: bool
    """Whether the tree (or the change) has files of this lane at all."""
    offered: int
    covered: int
    failed: int
    unsupported: int
    tools_ran: tuple[str, ...] = ()
    tools_failed: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()
    not_looked: tuple[LeftOut, ...] = ()


class Coverage(Value, frozen=True, kw_only=True):
    """Every lane's account and what was left out of all of them."""

    lanes: tuple[LaneCoverage, ...]
    left_out: tuple[LeftOut, ...] = ()
    table_digest: str = ""


# --------------------------------------------------------------------------------------------------------- memory


class KnownFinding(Value, frozen=True, kw_only=True):
    """A finding as the ledger or a base scan remembers it, with what matching needs."""

    fingerprint: str
    algorithm: str
    aliases: tuple[Fingerprint, ...] = ()
    lane: Lane
    weakness: str
    severity: Severity
    path: str
    symbol: str = ""
    ordinal: int = 1
    anchor: str = ""
    start_line: int = 0
    scanners: tuple[str, ...] = ()
    rules: tuple[tuple[str, str], ...] = ()
    """Scanner and rule of each witness, where the ledger tells."""
    secret_macs: tuple[str, ...] = ()
    advisories: tuple[str, ...] = ()
    sketch: str = ""
    wholes: tuple[str, ...] = ()
    """Every fingerprint that what it was split off from is or was known by then."""
    apart: tuple[str, ...] = ()
    """Rules, as `scanner:rule`, of what it was split off from, or of both where it has taken another in."""
    first_seen_epoch_s: Epoch | None = None
    closed_epoch_s: Epoch | None = None
    obligations: tuple[Obligation, ...] = ()


class PastRun(Value, frozen=True, kw_only=True):
    """A run as a later one shows it: what came of it, and its open findings by severity.

    `severities` names every one; {} for a run from before it was recorded. `outcome` is "" for one not judged.
    """

    run_id: str
    commit: str
    evaluated_epoch_s: Epoch
    outcome: str
    blocking: int
    severities: dict[str, int] = {}


class KnownRun(Value, frozen=True, kw_only=True):
    """A recorded run, as far as a later one needs it.

    `tools_digest` covers tools, packs, options and lane table together.
    """

    run_id: str
    commit: str
    line: str
    scope: Scope
    complete: bool
    dirty: bool
    tools_digest: str
    lanes: tuple[Lane, ...]
    evaluated_epoch_s: Epoch
    document_digest: Digest
    override: str = ""
    """The override that was in force, "" for none."""
    input_digest: str = ""
    clocked: bool = False
    """Whether it started and closed clocks, in one lane at least."""
    ref: str = ""
    prefix: str = ""
    profile: str = ""
    past: PastRun | None = None


class KnownStatement(Value, frozen=True, kw_only=True):
    """A signed statement as the ledger has it: exact text, signature, and the ledger's time of it."""

    sequence: int
    type: str
    """The event's type, which tells what the signature has to be for."""
    statement: str
    signature: str
    at_epoch_s: Epoch


class History(Value, frozen=True, kw_only=True):
    """What the ledger remembers of this repository and line. Read-only."""

    head_size: int
    head_root: Digest
    open: tuple[KnownFinding, ...] = ()
    closed: tuple[KnownFinding, ...] = ()
    statements: tuple[KnownStatement, ...] = ()
    """Signed statements of the whole ledger, whatever repository they are about; nobody has checked them yet."""
    runs: tuple[KnownRun, ...] = ()
    provisional: bool = False
    """True where the ledger was made at first use and nothing requires it."""
    read_only: bool = False


class Entry(Value, frozen=True, kw_only=True):
    """An event to be recorded. `body` is JSON text in bytes, exactly as it will be kept."""

    type: str
    version: int
    body: bytes


class LedgerEntry(Value, frozen=True, kw_only=True):
    """A recorded event.

    `data` are the exact stored bytes, a JSON object {at_epoch_s, body, previous_root, sequence, type, version}.

    `body` is the part of `data` that says what happened. `leaf` is SHA-256(0x00 || data), `previous_root` the RFC 6962
    root over all entries before this one, and `root` that with this one. Source: RFC 6962, 2.1.
    """

    sequence: int
    type: str
    version: int
    at_epoch_s: Epoch
    body: msgspec.Raw
    data: bytes
    leaf: Digest
    previous_root: Digest
    root: Digest


class Head(Value, frozen=True, kw_only=True):
    """Size and RFC 6962 root of a ledger."""

    size: int
    root: Digest


# --------------------------------------------------------------------------------------------------------- signatures


class Trust(Value, frozen=True, kw_only=True):
    """Whose signatures count, from the enforced layer only: the exact bytes of its two files, b"" for none.

    `allowed_signers` is OpenSSH's form, its principals are ids of people.toml or `machine:NAME`. `revoked` is a list of
    keys or an OpenSSH KRL; see `secgate.trust`.
    """

    allowed_signers: bytes = b""
    revoked: bytes = b""


class Signed(Value, frozen=True, kw_only=True):
    """Who signed: the person's id (or `machine:NAME`), and the key, as `SHA256:...`."""

    principal: str
    key: str


# --------------------------------------------------------------------------------------------------------- decision


class Spoken(Value, frozen=True, kw_only=True):
    """What one rule said of a subject: where it is written, and the facts that its text reads."""

    rule: str
    layer: str
    word: Word
    place: str
    """`file:line` in the layer; several, with ` or ` between them, where it cannot be told which one spoke."""
    reason: str
    remedy: str = ""
    facts: dict[str, str] = {}
    """Name -> value in a short text, such as `severity` -> `high`, `run.scope`, `limits.new_denied`."""


class Verdict(Value, frozen=True, kw_only=True):
    """One word on one finding, one asked lane, or the run."""

    subject: Literal["finding", "lane", "run"]
    id: str
    """Fingerprint, lane name, or "run"."""
    word: Word
    rule: str
    """Full Rego path of the rule, `data.secgate.rules.NAME`, or `secgate.main` for allow."""
    layer: str = "shipped"
    reason: str = ""
    remedy: str = ""
    all_rules: tuple[str, ...] = ()
    said: tuple[Spoken, ...] = ()
    """Every rule that spoke of the subject, of every layer, the strictest first."""


class Overridden(Value, frozen=True, kw_only=True):
    """The override that a run was made under: who answers for it, why, and until when."""

    id: Digest
    by: str
    reason: str
    until_epoch_s: Epoch
    ticket: str = ""


class Decision(Value, frozen=True, kw_only=True):
    """What the run decided. `outcome` is the first of OUTCOME_ORDER among `all_outcomes`."""

    outcome: Outcome
    all_outcomes: tuple[Outcome, ...]
    mode: Literal["enforce", "observe", "overridden"] = "enforce"
    override: Overridden | None = None
    profile: str
    verdicts: tuple[Verdict, ...]
    obligations: tuple[Obligation, ...] = ()
    policy_digests: dict[str, Digest]
    """Per layer: modules and data together."""
    policies_digest: str = ""
    """Of the blob that names everything it was judged by; "" where that was not kept."""
    advisory_digests: dict[str, Digest] = {}
    """Of what told about advisories: the database, and the lists `known-exploited` and `epss`."""
    enforced_digest: str = ""
    input_digest: Digest
    engine: str
    engine_version: str = ""
    decision_ids: tuple[str, ...] = ()
    """Names that a server gave its part of this decision in its own log, in the order of evaluation."""
    evaluated_epoch_s: Epoch
    claims_coverage: bool = True
    notes: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 in observe mode and under an override where a decision was reached; else the outcome's."""
        if self.mode in ("observe", "overridden") and self.outcome in (Outcome.FAIL, Outcome.INCONCLUSIVE):
            return 0
        return self.outcome.exit_code


class WaiverAccount(Value, frozen=True, kw_only=True):
    """How one waiver stood in a run. `fingerprint` is the finding it was laid beside, "" for a gap and where unused.

    Of what does not hold, `why` says why and `remedy` what to do. Who reads the ledger later checks it anew.
    """

    id: Digest
    kind: Literal["accept", "false-positive", "not-affected"]
    state: Literal["active", "requested", "expired", "void", "unused"]
    fingerprint: str = ""
    shown: str = ""
    reason: str = ""
    ticket: str = ""
    requester: str = ""
    approver: str = ""
    until_epoch_s: Epoch = 0
    ends_soon: bool = False
    why: str = ""
    remedy: str = ""


class RunDocument(Value, frozen=True, kw_only=True):
    """The whole of a run as it is stored and shown. Secrets are masked; machine paths are not in it."""

    version: int = DOCUMENT_VERSION
    run_id: str
    secgate_version: str
    target: Target
    invocations: tuple[Invocation, ...]
    coverage: Coverage
    findings: tuple[Finding, ...]
    absent: tuple[KnownFinding, ...] = ()
    decision: Decision | None
    waivers: tuple[WaiverAccount, ...] = ()
    excerpts: dict[str, str] = {}
    """Fingerprint -> a few masked source lines, each `NUMBER<TAB>TEXT`."""
    line_hashes: dict[str, dict[str, str]] = {}
    """Path -> line in digits -> `primaryLocationLineHash` as GitHub computes it.

    There is none where the text that it covers holds a secret."""
    brought_lines: dict[str, tuple[int, int]] = {}
    """Fingerprint -> first and last of its lines that the change brought; () of a run without a change."""
    ledger: str = ""
    ledger_head: Head | None = None
    earlier: tuple[PastRun, ...] = ()
    """Runs before it that it can be compared with, oldest first; read from the ledger each time, not stored with it."""
    provisional_clocks: bool = False
    settings_sources: tuple[str, ...] = ()
    complete: bool = True
    notes: tuple[str, ...] = ()


NoticeStage: TypeAlias = Literal["new", "half", "overdue", "escalation"]
"""What somebody is told of an open finding: that it is there, that half of its time is gone, that all of it is, and
that it was so for long."""


class Notice(Value, frozen=True, kw_only=True):
    """One finding as somebody outside is told of it: where, what and until when, and nothing of the file's text."""

    stage: NoticeStage
    repository: str
    line: str
    fingerprint: str
    episode: int
    lane: Lane
    weakness: str
    severity: Severity
    path: str
    start_line: int
    package: str
    advisories: tuple[str, ...]
    owner: str
    due_epoch_s: int | None
    why: str


class Message(Value, frozen=True, kw_only=True):
    """What one channel is told at once.

    `id` is the same for the same findings at the same stages: a message that is sent again can be known again.
    """

    version: int = 1
    id: Digest
    channel: str
    as_of_epoch_s: int
    visibility: Visibility = "unknown"
    """Who can read where secgate was called from, as CI tells: what is as public names no finding."""
    notices: tuple[Notice, ...]


def encode(value: object) -> bytes:
    """Give deterministic JSON bytes of a value: sorted keys, no white space, UTF-8."""
    return msgspec.json.encode(value, order="sorted")
