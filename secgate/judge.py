"""Stage judge: facts -> Decision. Rego decides; this stage states the facts, sees that nothing is left out, and joins.

Each layer is evaluated in an engine of its own. Every hole - a fault in a module, a verdict that is missing, an element
that breaks the schema, a sentinel that is not denied - ends the stage with a PolicyError, never with a pass.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
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
from secgate.policy import (
    InputDocument,
    Layer,
    LayerDecision,
    LayerName,
    attribution,
    effective_data,
    layer_data,
    read_profile,
)
from secgate.policy.attribution import with_speech
from secgate.policy.documents import AddedObligation, DocumentFacts
from secgate.policy.facts import JoinedFacts, Lists, RunContext, input_document, recorded, sentinel_finding
from secgate.policy.joining import Ruled, joined_verdicts, outcomes_of
from secgate.policy.parts import joined, split
from secgate.policy.stored import Policies
from secgate.policy.stored import stored as policies_blobs
from secgate.policy.totality import check_agreement, read_total
from secgate.ports import Engine, PolicyModule

QUERY = "data.secgate.main.decision"

IN_PROCESS_FINDINGS = 2_000
"""Past this many findings the shipped layer too is judged by the engine that can be stopped."""

PARTED_FINDINGS = 10_000
"""From this many on, a layer that speaks of one finding at a time is judged in parts."""

FINDINGS_PER_S = 1_000
"""What a slow machine judges: the time that a layer has grows with the findings."""

_LAYER_ORDER = ("shipped", "organisation", "repository")


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
    limit_s: float = 60.0


class Judgement(Struct, frozen=True, kw_only=True):
    """The decision, and the exact document it was made on (without the sentinel), for record and replay."""

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
    document = _document(request)
    evaluation = _Evaluation(
        layers,
        disabled_rules=request.disabled_rules,
        limit_s=request.limit_s,
        engine=engine,
        guarded=guarded,
        references=references,
    )
    ruled = evaluation.ruled(document)
    heads: dict[str, attribution.Heads] = {one.layer.name: evaluation.heads(one, document) for one in ruled}
    stored = msgspec.json.encode(document, order="sorted")
    named, blobs = policies_blobs(Policies(layers=request.layers, disabled_rules=request.disabled_rules))
    decision = _decide(request, document, ruled, data=evaluation.data, stored=stored, evaluated_by=engine)
    decision = msgspec.structs.replace(
        decision,
        verdicts=with_speech(decision.verdicts, ruled, heads=heads, document=document, data=evaluation.data),
        decision_ids=tuple(evaluation.decision_ids),
        policies_digest=named,
        notes=(*decision.notes, *evaluation.notes),
    )
    return Judgement(decision=decision, input_document=stored, policy_blobs=blobs)


def replay(document: InputDocument, policies: Policies, *, engine: Engine, guarded: Engine, limit_s: float) -> Replay:
    """Judge stored facts by other policies; nothing is recorded. Raises PolicyError where they could not decide."""
    evaluation = _Evaluation(
        _layers(policies.layers, policies.disabled_rules),
        disabled_rules=policies.disabled_rules,
        limit_s=limit_s,
        engine=engine,
        guarded=guarded,
    )
    verdicts, _ = joined_verdicts(evaluation.ruled(document), document)
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


def _document(request: JudgeRequest) -> InputDocument:
    return input_document(
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


def _require_accounts(document: InputDocument, lanes: Sequence[str]) -> None:
    """Refuse to judge when the profile's lanes have no account: a lane that was lost would pass in silence."""
    missing = sorted(set(lanes) - {account.lane for account in document.lanes})
    if missing:
        raise PolicyError(
            f"the profile asks for the lane {missing[0]}, and coverage has no account of it", remedy="report this run"
        )


class _Question(Struct, frozen=True, kw_only=True):
    """What one layer is asked with, whatever the document."""

    layer: LayerName
    modules: tuple[PolicyModule, ...]
    data: bytes
    limit_s: float


class _Evaluation:
    """Evaluates one layer at a time, in an engine of its own."""

    def __init__(
        self,
        layers: Mapping[str, Layer],
        *,
        disabled_rules: Sequence[str],
        limit_s: float,
        engine: Engine,
        guarded: Engine,
        references: Sequence[Engine] = (),
    ) -> None:
        self._layers = layers
        self._shipped = layers["shipped"]
        self.data = effective_data(self._shipped, layers.get("organisation"))
        self._disabled_rules = disabled_rules
        self._limit_s = limit_s
        self._engine = engine
        self._guarded = guarded
        self._references = references
        self.decision_ids: list[str] = []
        self.notes: list[str] = []

    def ruled(self, document: InputDocument) -> list[Ruled]:
        """Give every layer's decision. Raises UsageError for a profile that the data does not have."""
        if document.run.claims_coverage:
            _require_accounts(document, read_profile(self.data, document.run.profile).lanes)
        ruled = []
        seen = document
        if (organisation := self._layers.get("organisation")) is not None:
            ruled.append(self.rule(organisation, document))
            # What the organisation's rules add counts at once: a duty may be past its time on the day it is made.
            seen = _with_obligations(document, ruled[-1].decision)
        ruled.append(self.rule(self._shipped, seen))
        if (repository := self._layers.get("repository")) is not None:
            ruled.append(self.rule(repository, document))
        return sorted(ruled, key=lambda one: _LAYER_ORDER.index(one.layer.name))

    def rule(self, layer: Layer, document: InputDocument) -> Ruled:
        """Give the layer's decision, total and of the schema, the sentinel already taken out."""
        own = layer.name == "shipped"
        modules = (*self._shipped.ground(), *layer.rule_modules(without=self._disabled_rules if own else ()))
        question = _Question(
            layer=layer.name,
            modules=modules,
            data=self.data if own else layer_data(layer, self.data),
            limit_s=self._limit_s + len(document.findings) / FINDINGS_PER_S,
        )
        trusted = own and len(document.findings) <= IN_PROCESS_FINDINGS
        decision = self._in_parts(question, document) if layer.speaks_singly else None
        if decision is None:
            decision = self._asked(question, document, self._engine if trusted else self._guarded)
        for engine in self._references:
            other = self._asked(question, document, engine)
            check_agreement(decision, other, layer=layer.name, engine=engine.name)
        return Ruled(layer=layer, decision=decision)

    def _asked(self, question: _Question, document: InputDocument, engine: Engine) -> LayerDecision:
        answer = engine.evaluate(
            question.modules,
            data=question.data,
            document=_with_sentinel(document),
            query=QUERY,
            limit_s=question.limit_s,
        )
        if answer.decision_id:
            self.decision_ids.append(answer.decision_id)
        return read_total(answer.value, layer=question.layer, document=document)

    def _in_parts(self, question: _Question, document: InputDocument) -> LayerDecision | None:
        """Judge a large run in parts, two at a time; None where the parts do not add up to what the whole would be.

        Only a guarded engine that is one of its own is asked by two threads. A fault in a part ends nothing: what the
        layer says of the whole is then asked for, and is what counts.
        """
        if len(document.findings) < PARTED_FINDINGS or self._guarded is self._engine:
            return None
        with ThreadPoolExecutor(max_workers=2, thread_name_prefix="secgate-judge") as pool:
            asked = [pool.submit(self._asked, question, part, self._guarded) for part in split(document)]
            try:
                return joined([one.result() for one in asked])
            except PolicyError:
                return None
            finally:
                pool.shutdown(cancel_futures=True)

    def heads(self, one: Ruled, document: InputDocument) -> attribution.Heads:
        """Find out which of several rules of a set spoke. It decides nothing, so where it fails that is only said."""
        layer = one.layer
        wanted = attribution.unclear(layer, one.decision)
        if not wanted:
            return {}
        own = layer.name == "shipped"
        modules = attribution.apart(layer, wanted, without=self._disabled_rules if own else ())
        small = attribution.about(document, one.decision, wanted)
        try:
            answer = (self._engine if own else self._guarded).evaluate(
                (*self._shipped.ground(), *modules),
                data=self.data if own else layer_data(layer, self.data),
                document=msgspec.json.encode(small, order="sorted"),
                query=attribution.QUERY,
                limit_s=self._limit_s,
            )
            return attribution.spoken_by(layer, answer.value)
        except PolicyError as error:
            self.notes.append(f"which of several rules of the {layer.name} layer spoke is not told: {error.what}")
            return {}


def _with_sentinel(document: InputDocument) -> bytes:
    """Give the document as a layer sees it, the finding that must be denied among its own."""
    sentinel = sentinel_finding(document.evaluated_at_epoch_s)
    return msgspec.json.encode(msgspec.structs.replace(document, findings=(*document.findings, sentinel)))


def _with_obligations(document: InputDocument, decision: LayerDecision) -> InputDocument:
    """Give the document with what a layer adds shown as recorded."""
    if document.run.scope is not Scope.PROTECTED or not decision.obligations:
        return document
    added: dict[str, list[Obligation]] = {}
    for duty in decision.obligations:
        added.setdefault(duty.finding, []).append(
            _obligation(duty.finding, duty.basis, duty.start_epoch_s, duty.limit_s)
        )
    findings = []
    for finding in document.findings:
        held = {duty.basis for duty in finding.obligations}
        fresh = tuple(recorded(duty) for duty in added.get(finding.fingerprint, ()) if duty.basis not in held)
        findings.append(
            msgspec.structs.replace(finding, obligations=(*finding.obligations, *fresh)) if fresh else finding
        )
    return msgspec.structs.replace(document, findings=tuple(findings))


def _obligation(finding: str, basis: str, start_epoch_s: int, limit_s: int, *, policy_digest: str = "") -> Obligation:
    return Obligation(
        finding=finding, basis=basis, start_epoch_s=start_epoch_s, limit_s=limit_s, policy_digest=policy_digest
    )


def _decide(
    request: JudgeRequest,
    document: InputDocument,
    ruled: Sequence[Ruled],
    *,
    data: bytes,
    stored: bytes,
    evaluated_by: Engine,
) -> Decision:
    verdicts, notes = joined_verdicts(ruled, document)
    outcomes = outcomes_of(verdicts)
    digests = {one.layer.name: one.layer.digest for one in ruled} | {"data": _sha256(data)}
    obligations, more = _obligations(request, ruled, digests)
    return Decision(
        outcome=outcomes[0],
        all_outcomes=outcomes,
        mode=request.mode,
        profile=request.profile,
        verdicts=tuple(verdicts),
        obligations=obligations,
        policy_digests=dict(sorted(digests.items())),
        enforced_digest=request.enforced_digest,
        advisory_digests=_advisory_digests(document),
        input_digest=_sha256(stored),
        engine=evaluated_by.name,
        engine_version=evaluated_by.version,
        evaluated_epoch_s=document.evaluated_at_epoch_s,
        claims_coverage=request.claims_coverage,
        notes=(*_standing_notes(request), *notes, *more),
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
        notes.append("findings only, no coverage claimed")
    if request.provisional_clocks:
        notes.append("clocks are provisional: nothing requires this ledger")
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
        _obligation(duty.finding, duty.basis, duty.start_epoch_s, duty.limit_s, policy_digest=digest)
        for one in ruled
        for duty in one.decision.obligations
    ]
    if request.target.scope is not Scope.PROTECTED:
        names = sorted({duty.rule for one in ruled for duty in one.decision.obligations})
        return (), [f"{name} adds obligations, and only a protected scope starts clocks" for name in names]
    added = sla.added(decided, recorded={f.fingerprint: _held(f, request) for f in request.findings})
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
