"""What an attestation says: an in-toto Statement v1 whose predicate is a run of the gate, passed or not.

Its subjects are the commit, the commit's tree (so that a squash or a rebase can be known again) and artefacts. The
predicate holds numbers and digests, no finding and no name of a person: it may go where findings may not. Its fields
and times are written as in-toto's own predicates write theirs. Source: in-toto attestation framework, Statement v1,
DigestSet (`gitCommit`, `gitTree`) and predicate conventions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Annotated, Literal, NamedTuple

from msgspec import Meta, field

from secgate.errors import UsageError
from secgate.escape import plain
from secgate.events import LaneCount
from secgate.model import Outcome, RunDocument, ScanStatus, Scope, Source, Target, Value
from secgate.run_facts import lane_counts, run_tool, words

NAMESPACE = "in-toto"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_NAME = "https://github.com/secgate/secgate/gate-run"
PREDICATE_TYPE = f"{PREDICATE_NAME}/v1"
COMMIT, TREE = "gitCommit", "gitTree"
HASHES: Mapping[str, int] = MappingProxyType({"sha256": 64, "sha512": 128})
"""What artefacts are compared by: algorithm and number of hex digits."""

ARTIFACT = re.compile("|".join(f"{name}:[0-9a-f]{{{size}}}" for name, size in HASHES.items()))
_LONGEST_NAME = 255
_MOST_SUBJECTS = 1_000

Moment = Annotated[datetime, Meta(tz=True)]


class Artifact(NamedTuple):
    """Something that was built: its digest as `sha256:HEX`, and what it is called, "" for nothing."""

    digest: str
    name: str = ""


class Subject(Value, frozen=True, kw_only=True):
    """One thing that a statement is about: digests by algorithm. Its name tells people apart from the others."""

    name: str
    digest: Mapping[str, str]


class Verifier(Value, frozen=True, kw_only=True):
    """The program that decided."""

    id: str = "secgate"
    version: str


class GitSource(Value, frozen=True, kw_only=True, rename="camel"):
    """What was looked at. `partial`: only what a change touches, the rest judged when it was merged.

    `prefix` is the folder that the run was of, "" for the whole tree; `base_commit` what newness was judged against.
    """

    commit: str
    tree: str
    ref: str
    base_commit: str
    partial: bool
    prefix: str


class ToolSaid(Value, frozen=True, kw_only=True, rename="camel"):
    """A scanner's part."""

    name: str
    version: str
    status: ScanStatus
    rule_pack_digest: str


class PolicySaid(Value, frozen=True, kw_only=True, rename="camel"):
    """What it was judged by. `input_digest` is of the document that was judged: a ledger keeps both, to judge again."""

    engine: str
    digests: Mapping[str, str]
    enforced_digest: str
    input_digest: str
    policies_digest: str


class Binding(Value, frozen=True, kw_only=True):
    """That the artefacts were bound to the run after it. `actor` is the id of whoever did, "" for nobody known."""

    actor: str


class GateRun(Value, frozen=True, kw_only=True, rename="camel"):
    """The predicate `gate-run/v1`.

    `mode` is how the gate acted on the outcome: a `fail` in `observe` or `overridden` mode let pass, and is no pass.
    `verdicts` are numbers of findings by verdict. A version never changes its meaning; it may gain fields.
    """

    verifier: Verifier
    run_id: str
    repository: str
    scope: Scope
    line: str
    profile: str
    source: GitSource
    outcome: Outcome
    all_outcomes: tuple[Outcome, ...]
    mode: Literal["enforce", "observe", "overridden"]
    override: str
    verdicts: Mapping[str, int]
    lanes: tuple[LaneCount, ...]
    tools: tuple[ToolSaid, ...]
    policy: PolicySaid
    evaluated_on: Moment
    signed_on: Moment
    binding: Binding | None


class Statement(Value, frozen=True, kw_only=True, rename="camel"):
    """An in-toto Statement v1 with that predicate."""

    type: Literal["https://in-toto.io/Statement/v1"] = field(default="https://in-toto.io/Statement/v1", name="_type")
    subject: Annotated[tuple[Subject, ...], Meta(min_length=1, max_length=_MOST_SUBJECTS)]
    predicate_type: Literal["https://github.com/secgate/secgate/gate-run/v1"] = (
        "https://github.com/secgate/secgate/gate-run/v1"
    )
    predicate: GateRun

    @property
    def artifacts(self) -> tuple[Subject, ...]:
        """The subjects that are neither commit nor tree."""
        return tuple(one for one in self.subject if not {COMMIT, TREE} & one.digest.keys())


def require_attestable(target: Target) -> None:
    """Raise UsageError for what no attestation can name: what is not exactly the content of a commit."""
    if target.kind != "git" or not target.commit:
        raise UsageError(
            "only a commit can be attested, and here is none",
            place="--attest",
            remedy="run on a git work tree with a commit",
        )
    if target.source is Source.INDEX or target.dirty:
        raise UsageError(
            f"what is here is not what commit {target.commit[:12]} holds, so an attestation of it would be untrue",
            place="--attest",
            remedy="commit it, or take it away; write outputs outside the tree, or where git ignores them",
        )


def digest_of(text: str) -> str:
    """Give a digest as it was written, "" for what does not look like one. Raises UsageError for one that is wrong."""
    if ARTIFACT.fullmatch(text):
        return text
    if re.fullmatch(r"[A-Za-z0-9+._-]{2,16}:[0-9A-Fa-f]*", text):
        known = ", ".join(f"{name}: and {size} lower-case hex digits" for name, size in HASHES.items())
        raise UsageError(f"not a digest: `{plain(text[:80])}`", place="--artifact", remedy=f"{known}; or ./FILE")
    return ""


def statement_of(
    document: RunDocument, *, artifacts: Sequence[Artifact] = (), binding: Binding | None = None, signed: datetime
) -> Statement:
    """Give what is said of a run, and of artefacts beside those that the run itself named.

    `signed` is aware. Raises UsageError for a run that cannot be attested, or has too many artefacts.
    """
    target, decision = document.target, document.decision
    require_attestable(target)
    if decision is None or not decision.claims_coverage:
        raise UsageError("the run decided nothing of a whole tree", place=document.run_id, remedy="use `secgate run`")
    subjects = _subjects(target, artifacts)
    return Statement(
        subject=subjects,
        predicate=GateRun(
            verifier=Verifier(version=document.secgate_version),
            run_id=document.run_id,
            repository=target.repository,
            scope=target.scope,
            line=target.line,
            profile=decision.profile,
            source=GitSource(
                commit=target.commit,
                tree=target.tree,
                ref=target.ref,
                base_commit=target.base_commit,
                partial=target.changed is not None,
                prefix=target.prefix,
            ),
            outcome=decision.outcome,
            all_outcomes=decision.all_outcomes,
            mode=decision.mode,
            override=decision.override.id if decision.override else "",
            verdicts=words(document),
            lanes=lane_counts(document),
            tools=_tools(document),
            policy=PolicySaid(
                engine=f"{decision.engine} {decision.engine_version}".strip(),
                digests=decision.policy_digests,
                enforced_digest=decision.enforced_digest,
                input_digest=decision.input_digest,
                policies_digest=decision.policies_digest,
            ),
            evaluated_on=datetime.fromtimestamp(decision.evaluated_epoch_s, tz=UTC),
            signed_on=max(signed, datetime.fromtimestamp(decision.evaluated_epoch_s, tz=UTC)).replace(microsecond=0),
            binding=binding,
        ),
    )


def _tools(document: RunDocument) -> tuple[ToolSaid, ...]:
    tools = [run_tool(one, evaluated_epoch_s=0) for one in document.invocations]
    return tuple(
        ToolSaid(name=one.scanner, version=one.version, status=one.status, rule_pack_digest=one.rule_pack_digest)
        for one in tools
    )


def _subjects(target: Target, artifacts: Sequence[Artifact]) -> tuple[Subject, ...]:
    """Give commit, tree and artefacts, each once, under names that differ."""
    where = plain(target.repository)
    found = [
        Subject(name=f"{where} commit", digest={COMMIT: target.commit}),
        Subject(name=f"{where} tree", digest={TREE: target.tree}),
    ]
    names = {one.name for one in found}
    known: set[str] = set()
    for one in (*(Artifact(digest) for digest in target.artifacts), *artifacts):
        if one.digest in known:
            continue
        known.add(one.digest)
        algorithm, _, value = one.digest.partition(":")
        name = plain(one.name)[:_LONGEST_NAME]
        name = one.digest if not name or name in names else name
        names.add(name)
        found.append(Subject(name=name, digest={algorithm: value}))
    if len(found) > _MOST_SUBJECTS:
        raise UsageError(
            f"{len(found)} subjects, and one statement holds {_MOST_SUBJECTS}",
            place="--artifact",
            remedy="bind them in parts",
        )
    return tuple(found)
