"""Stage judge: facts -> Decision. Rego decides; this stage states the facts, sees that nothing is left out, and joins.

Each layer is evaluated in an engine of its own. Every hole - a fault in a module, a verdict that is missing, an element
that breaks the schema, a sentinel that is not denied - ends the stage with a PolicyError, never with a pass.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

import msgspec
from msgspec import Struct

from secgate import sla
from secgate.errors import PolicyError
from secgate.model import (
    Coverage,
    Decision,
    Digest,
    Finding,
    Invocation,
    Obligation,
    Outcome,
    Scope,
    Target,
    Verdict,
)
from secgate.policy import InputDocument, Layer, attribution
from secgate.policy.attribution import with_speech
from secgate.policy.documents import AddedObligation, DocumentFacts
from secgate.policy.evaluation import Evaluation
from secgate.policy.facts import JoinedFacts, Lists, RunContext, stated
from secgate.policy.joining import Ruled, outcomes_of, settled
from secgate.policy.parts import Stated
from secgate.policy.stored import Policies
from secgate.policy.stored import stored as policies_blobs
from secgate.ports import Engine


class JudgeRequest(Struct, frozen=True, kw_only=True):
    """What is judged, by what, and when. `layers` hold the shipped one and at most one of each other."""

    target: Target
    findings: tuple[Finding, ...]
    coverage: Coverage
    invocations: tuple[Invocation, ...]
    layers: tuple[Layer, ...]
    profile: str
    now: datetime
    """Aware UTC; the only clock that a policy sees."""
    mode: Literal["enforce", "observe"] = "enforce"
    joined: Mapping[str, JoinedFacts] = {}
    """By fingerprint; what is not there is not known."""
    lists: Lists = Lists()
    documents: tuple[DocumentFacts, ...] = ()
    """What policies in Conftest's shape say."""
    disabled_rules: tuple[str, ...] = ()
    """Shipped rules that the enforced layer switches off, by name."""
    enforced_digest: str = ""
    provisional_clocks: bool = False
    complete: bool = True
    claims_coverage: bool = True
    """False where findings are judged alone: then no lane is asked for."""
    keeps_input: bool = True
    """False where nobody records the document: its digest is told all the same."""
    limit_s: float = 60.0


class Judgement(Struct, frozen=True, kw_only=True):
    """The decision, and the exact document it was made on (without the sentinel), for record and replay.

    The document is b"" where the request does not keep it.
    """

    decision: Decision
    input_document: bytes
    policy_blobs: Mapping[Digest, bytes]
    """Everything it was judged by, as `policy.stored` keeps it."""


class Replay(Struct, frozen=True, kw_only=True):
    """What stored facts are judged to be by given policies."""

    all_outcomes: tuple[Outcome, ...]
    verdicts: tuple[Verdict, ...]


def judge(request: JudgeRequest, *, engine: Engine, guarded: Engine, references: Sequence[Engine] = ()) -> Judgement:
    """Judge a run. `engine` serves the shipped layer, `guarded` (which can be stopped) other layers and large inputs.

    Each of `references` judges again, and a difference is an error. Raises PolicyError where the policy could not
    decide, and UsageError for a profile that is not there.
    """
    layers = _layers(request.layers, request.disabled_rules)
    facts = _stated(request)
    evaluation = Evaluation(
        layers,
        disabled_rules=request.disabled_rules,
        limit_s=request.limit_s,
        engine=engine,
        guarded=guarded,
        references=references,
        keeps_text=request.keeps_input,
    )
    ruled = evaluation.ruled(facts)
    document = facts.whole
    heads: dict[str, attribution.Heads] = {one.layer.name: evaluation.heads(one, document) for one in ruled}
    recorded = evaluation.recorded(document)
    named, blobs = policies_blobs(Policies(layers=request.layers, disabled_rules=request.disabled_rules))
    verdicts, exempted = settled(evaluation.told(ruled), ruled, document)
    decision = _decide(
        request,
        document,
        ruled,
        with_speech(verdicts, ruled, heads=heads, document=document, data=evaluation.data),
        data=evaluation.data,
        input_digest=recorded.digest,
        evaluated_by=engine,
    )
    decision = msgspec.structs.replace(
        decision,
        decision_ids=tuple(evaluation.decision_ids),
        policies_digest=named,
        notes=(*_standing_notes(request), *exempted, *decision.notes, *evaluation.notes),
    )
    return Judgement(decision=decision, input_document=recorded.text, policy_blobs=blobs)


def replay(document: InputDocument, policies: Policies, *, engine: Engine, guarded: Engine, limit_s: float) -> Replay:
    """Judge stored facts by other policies; nothing is recorded. Raises PolicyError where they could not decide."""
    evaluation = Evaluation(
        _layers(policies.layers, policies.disabled_rules),
        disabled_rules=policies.disabled_rules,
        limit_s=limit_s,
        engine=engine,
        guarded=guarded,
    )
    ruled = evaluation.ruled(Stated(document, document.findings, count=len(document.findings)))
    verdicts, _ = settled(evaluation.told(ruled), ruled, document)
    return Replay(all_outcomes=outcomes_of(verdicts), verdicts=tuple(verdicts))


def _layers(given: Sequence[Layer], disabled_rules: Sequence[str]) -> dict[str, Layer]:
    layers: dict[str, Layer] = {layer.name: layer for layer in given}
    if len(layers) != len(given) or "shipped" not in layers:
        raise PolicyError(
            "the policy needs the shipped layer, and at most one of each other", remedy="reinstall secgate"
        )
    shipped = layers["shipped"]
    unknown = sorted(set(disabled_rules) - set(shipped.rules))
    if unknown:
        raise PolicyError(
            f"there is no shipped rule `{unknown[0]}` to switch off", remedy=f"rules: {', '.join(shipped.rules)}"
        )
    if len(layers) == 1 and not set(shipped.rules) - set(disabled_rules):
        raise PolicyError("every rule is switched off, so nothing can be judged", remedy="leave a rule on")
    return layers


def _stated(request: JudgeRequest) -> Stated:
    return stated(
        target=request.target,
        findings=request.findings,
        coverage=request.coverage,
        invocations=request.invocations,
        joined=request.joined,
        context=RunContext(
            profile=request.profile,
            mode=request.mode,
            provisional_clocks=request.provisional_clocks,
            complete=request.complete,
            claims_coverage=request.claims_coverage,
            evaluated_at_epoch_s=int(request.now.timestamp()),
            lists=request.lists,
            documents=request.documents,
        ),
    )


def _decide(
    request: JudgeRequest,
    document: InputDocument,
    ruled: Sequence[Ruled],
    verdicts: tuple[Verdict, ...],
    *,
    data: bytes,
    input_digest: Digest,
    evaluated_by: Engine,
) -> Decision:
    outcomes = outcomes_of(verdicts)
    digests = {one.layer.name: one.layer.digest for one in ruled} | {"data": _sha256(data)}
    obligations, notes = _obligations(request, ruled, digests)
    return Decision(
        outcome=outcomes[0],
        all_outcomes=outcomes,
        mode=request.mode,
        profile=request.profile,
        verdicts=verdicts,
        obligations=obligations,
        policy_digests=dict(sorted(digests.items())),
        enforced_digest=request.enforced_digest,
        advisory_digests=_advisory_digests(document),
        input_digest=input_digest,
        engine=evaluated_by.name,
        engine_version=evaluated_by.version,
        evaluated_epoch_s=document.evaluated_at_epoch_s,
        claims_coverage=request.claims_coverage,
        notes=tuple(notes),
    )


def _advisory_digests(document: InputDocument) -> dict[str, Digest]:
    found = document.advisories
    digests = {
        "advisories": found.digest,
        "epss": found.epss.digest,
        "known-exploited": found.known_exploited.digest,
    }
    return {name: digest for name, digest in digests.items() if digest}


def _standing_notes(request: JudgeRequest) -> list[str]:
    notes = [f"the enforced layer switches off the shipped rule {name}" for name in sorted(request.disabled_rules)]
    if not request.claims_coverage:
        notes.append("findings only, no coverage claimed; nothing is recorded, no clock starts")
    elif request.provisional_clocks:
        notes.append("clocks are provisional: nothing requires this ledger, and without it each starts anew")
    if request.mode == "observe":
        notes.append("observe mode: the outcome is recorded and does not stop anything")
    return notes


def _obligations(
    request: JudgeRequest, ruled: Sequence[Ruled], digests: Mapping[str, str]
) -> tuple[tuple[Obligation, ...], list[str]]:
    """Give the duties that are really new, with the digest of the policy that made them."""
    governing = {name: digest for name, digest in digests.items() if name != "repository"}
    governing["disabled"] = " ".join(sorted(request.disabled_rules))
    digest = _sha256(msgspec.json.encode(governing, order="sorted"))
    decided = [
        Obligation(
            finding=duty.finding,
            basis=duty.basis,
            start_epoch_s=duty.start_epoch_s,
            limit_s=duty.limit_s,
            policy_digest=digest,
        )
        for one in ruled
        for group in one.decision.added
        for duty in group.obligations
    ]
    if request.target.scope is not Scope.PROTECTED:
        names = sorted({group.rule for one in ruled for group in one.decision.added})
        return (), [f"{name} adds obligations, and only a protected scope starts clocks" for name in names]
    added = sla.added(decided, recorded={f.fingerprint: _held(f, request) for f in request.findings if f.obligations})
    taken = [_taken_back(duty, request, digest=digest) for one in ruled for duty in one.decision.superseded]
    return (*added, *sorted(taken, key=lambda duty: (duty.finding, duty.basis, duty.start_epoch_s))), []


def _held(finding: Finding, request: JudgeRequest) -> tuple[Obligation, ...]:
    """Give the duties that cannot be new: all that are recorded, but those whose downgrade holds no longer."""
    joined = request.joined.get(finding.fingerprint)
    if joined is not None and joined.downgrade.state == "active":
        return finding.obligations
    return tuple(duty for duty in finding.obligations if not duty.superseded_by)


def _taken_back(taken: AddedObligation, request: JudgeRequest, *, digest: str) -> Obligation:
    approved = request.joined[taken.finding].downgrade
    return Obligation(
        finding=taken.finding,
        basis=taken.basis,
        start_epoch_s=taken.start_epoch_s,
        limit_s=taken.limit_s,
        policy_digest=digest,
        superseded=True,
        superseded_by=approved.id,
        superseded_epoch_s=approved.approved_epoch_s,
    )


def _sha256(data: bytes) -> Digest:
    return hashlib.sha256(data).hexdigest()
