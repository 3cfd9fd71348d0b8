"""Stage judge: facts -> Decision. Rego decides; this stage states the facts, sees that nothing is left out, and joins.

Each layer is evaluated in an engine of its own. Every hole - a fault in a module, a verdict that is missing, an element
that breaks the schema, a sentinel that is not denied - ends the stage with a PolicyError, never with a pass.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal

import msgspec
from msgspec import Struct

from secgate import sla
from secgate.errors import PolicyError
from secgate.model import (
    OUTCOME_ORDER,
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
    Word,
)
from secgate.policy import InputDocument, Layer, LayerDecision, attribution, effective_data, layer_data, read_profile
from secgate.policy.attribution import Ruled
from secgate.policy.documents import AddedObligation, Exemption, GapFacts, LayerVerdict
from secgate.policy.facts import JoinedFacts, Lists, RunContext, input_document, recorded, sentinel_finding
from secgate.policy.totality import check_agreement, read_total
from secgate.ports import Engine

QUERY = "data.secgate.main.decision"

IN_PROCESS_FINDINGS = 2_000
"""Past this many findings the shipped layer too is judged by the engine that can be stopped."""

_STRICTEST = {word: rank for rank, word in enumerate(Word)}
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


def judge(request: JudgeRequest, *, engine: Engine, guarded: Engine, references: Sequence[Engine] = ()) -> Judgement:
    """Judge a run. `engine` serves the shipped layer, `guarded` (which can be stopped) other layers and large inputs.

    Each of `references` judges again, and a difference is an error. Raises PolicyError where the policy could not
    decide, and UsageError for a profile that is not there.
    """
    layers = _layers(request)
    shipped, organisation = layers["shipped"], layers.get("organisation")
    data = effective_data(shipped, organisation)
    document = _document(request)
    if request.claims_coverage:
        _require_accounts(document, read_profile(data, request.profile).lanes)
    evaluation = _Evaluation(request, layers=layers, data=data, engine=engine, guarded=guarded, references=references)
    ruled = []
    seen = document
    if organisation is not None:
        ruled.append(evaluation.rule(organisation, document))
        # What the organisation's rules add counts at once: a duty may be past its time on the day it is made.
        seen = _with_obligations(document, ruled[-1].decision)
    ruled.append(evaluation.rule(shipped, seen))
    if "repository" in layers:
        ruled.append(evaluation.rule(layers["repository"], document))
    stored = msgspec.json.encode(document, order="sorted")
    decision = _decide(request, document, ruled, data=data, stored=stored, evaluated_by=engine)
    decision = msgspec.structs.replace(
        decision, decision_ids=tuple(evaluation.decision_ids), notes=(*decision.notes, *evaluation.notes)
    )
    return Judgement(decision=decision, input_document=stored)


def _layers(request: JudgeRequest) -> dict[str, Layer]:
    layers: dict[str, Layer] = {layer.name: layer for layer in request.layers}
    if len(layers) != len(request.layers) or "shipped" not in layers:
        raise PolicyError(
            "the policy needs the shipped layer, and at most one of each other", remedy="reinstall secgate"
        )
    shipped = layers["shipped"]
    unknown = sorted(set(request.disabled_rules) - set(shipped.rules))
    if unknown:
        raise PolicyError(
            f"there is no shipped rule `{unknown[0]}` to switch off", remedy=f"rules: {', '.join(shipped.rules)}"
        )
    if len(layers) == 1 and not set(shipped.rules) - set(request.disabled_rules):
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
        ),
    )


def _require_accounts(document: InputDocument, lanes: Sequence[str]) -> None:
    """Refuse to judge when the profile's lanes have no account: a lane that was lost would pass in silence."""
    missing = sorted(set(lanes) - {account.lane for account in document.lanes})
    if missing:
        raise PolicyError(
            f"the profile asks for the lane {missing[0]}, and coverage has no account of it", remedy="report this run"
        )


class _Evaluation:
    """Evaluates one layer at a time, in an engine of its own."""

    def __init__(
        self,
        request: JudgeRequest,
        *,
        layers: Mapping[str, Layer],
        data: bytes,
        engine: Engine,
        guarded: Engine,
        references: Sequence[Engine],
    ) -> None:
        self._request = request
        self._shipped = layers["shipped"]
        self._data = data
        self._engine = engine
        self._guarded = guarded
        self._references = references
        self.decision_ids: list[str] = []
        self.notes: list[str] = []

    def rule(self, layer: Layer, document: InputDocument) -> Ruled:
        """Give the layer's decision, total and of the schema, the sentinel already taken out."""
        own = layer.name == "shipped"
        modules = (
            *self._shipped.ground(),
            *layer.rule_modules(without=self._request.disabled_rules if own else ()),
        )
        data = self._data if own else layer_data(layer, self._data)
        encoded = _with_sentinel(document)
        trusted = own and len(document.findings) <= IN_PROCESS_FINDINGS
        decisions = []
        for engine in (self._engine if trusted else self._guarded, *self._references):
            answer = engine.evaluate(modules, data=data, document=encoded, query=QUERY, limit_s=self._request.limit_s)
            decisions.append(read_total(answer.value, layer=layer.name, document=document))
            if answer.decision_id:
                self.decision_ids.append(answer.decision_id)
        for engine, other in zip(self._references, decisions[1:], strict=True):
            check_agreement(decisions[0], other, layer=layer.name, engine=engine.name)
        heads = self._heads(layer, decisions[0], document, data=data, trusted=trusted)
        return Ruled(layer=layer, decision=decisions[0], heads=heads)

    def _heads(
        self, layer: Layer, decision: LayerDecision, document: InputDocument, *, data: bytes, trusted: bool
    ) -> attribution.Heads:
        """Find out which of several rules of a set spoke. It decides nothing, so where it fails that is only said."""
        wanted = attribution.unclear(layer, decision)
        if not wanted:
            return {}
        off = self._request.disabled_rules if layer.name == "shipped" else ()
        modules = (*self._shipped.ground(), *attribution.apart(layer, wanted, without=off))
        engine = self._engine if trusted else self._guarded
        asked = msgspec.json.encode(attribution.about(document, decision, wanted), order="sorted")
        try:
            answer = engine.evaluate(
                modules, data=data, document=asked, query=attribution.QUERY, limit_s=self._request.limit_s
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
    ruled = sorted(ruled, key=lambda one: _LAYER_ORDER.index(one.layer.name))
    verdicts = _close_gaps(_join(ruled), ruled, document)
    verdicts, notes = _exempt(verdicts, ruled, now_epoch_s=document.evaluated_at_epoch_s)
    verdicts = attribution.with_speech(verdicts, ruled, document=document, data=data)
    words = {verdict.word for verdict in verdicts}
    held = {
        Outcome.FAIL: Word.DENY in words,
        Outcome.INCONCLUSIVE: Word.INCONCLUSIVE in words,
        Outcome.PASS: not words & {Word.DENY, Word.INCONCLUSIVE},
    }
    outcomes = tuple(outcome for outcome in OUTCOME_ORDER if held.get(outcome, False))
    digests = {one.layer.name: one.layer.digest for one in ruled} | {"data": _sha256(data)}
    obligations, more = _obligations(request, ruled, digests)
    return Decision(
        outcome=outcomes[0],
        all_outcomes=outcomes,
        mode=request.mode,
        profile=request.profile,
        verdicts=tuple(sorted(verdicts, key=lambda verdict: (verdict.subject, verdict.id))),
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


def _join(ruled: Sequence[Ruled]) -> list[Verdict]:
    """Give one verdict per subject: the strictest word of any layer, and every rule that spoke."""
    strictest: dict[tuple[str, str], tuple[LayerVerdict, str]] = {}
    rules: dict[tuple[str, str], set[str]] = {}
    for one in ruled:
        for said in one.decision.verdicts:
            key = said.subject, said.id
            held = strictest.get(key)
            if held is None or _STRICTEST[said.word] < _STRICTEST[held[0].word]:
                strictest[key] = said, one.layer.name
            if said.all_rules:
                rules.setdefault(key, set()).update(said.all_rules)
    return [
        Verdict(
            subject=said.subject,
            id=said.id,
            word=said.word,
            rule=said.rule,
            layer=layer,
            reason=said.reason,
            remedy=said.remedy,
            all_rules=tuple(sorted(rules.get(key, ()))),
        )
        for key, (said, layer) in strictest.items()
    ]


def _close_gaps(verdicts: Sequence[Verdict], ruled: Sequence[Ruled], document: InputDocument) -> list[Verdict]:
    """Make a lane inconclusive for gaps that no policy speaks of; a repository's layer cannot speak for them."""
    spoken = {said.element.gap for one in ruled if one.layer.name != "repository" for said in one.decision.elements}
    open_gaps: dict[str, list[GapFacts]] = {}
    for gap in document.gaps:
        if gap.id not in spoken:
            open_gaps.setdefault(gap.lane, []).append(gap)
    return [
        _closed(verdict, open_gaps[verdict.id]) if verdict.subject == "lane" and verdict.id in open_gaps else verdict
        for verdict in verdicts
    ]


def _closed(verdict: Verdict, gaps: Sequence[GapFacts]) -> Verdict:
    if _STRICTEST[verdict.word] <= _STRICTEST[Word.INCONCLUSIVE]:
        return verdict
    first = gaps[0]
    return msgspec.structs.replace(
        verdict,
        word=Word.INCONCLUSIVE,
        rule="secgate.main",
        layer="shipped",
        reason=f"no policy speaks of {len(gaps)} of its gaps; the first: {first.reason} {first.path}".rstrip(),
        remedy=first.remedy,
    )


def _exempt(
    verdicts: Sequence[Verdict], ruled: Sequence[Ruled], *, now_epoch_s: int
) -> tuple[list[Verdict], list[str]]:
    """Turn the joined denies that the organisation exempts into `exempt`, and say each."""
    valid: dict[str, Exemption] = {}
    notes = []
    for exemption in sorted(
        (e for one in ruled for e in one.decision.exemptions), key=lambda e: (e.finding, e.expires_epoch_s, e.rule)
    ):
        if exemption.expires_epoch_s > now_epoch_s:
            valid[exemption.finding] = exemption
        else:
            notes.append(f"the exemption of {exemption.finding} by {exemption.rule} has expired: {exemption.reason}")
    kept = []
    for verdict in verdicts:
        found = valid.get(verdict.id) if verdict.subject == "finding" and verdict.word is Word.DENY else None
        if found is None:
            kept.append(verdict)
        else:
            kept.append(_exempted(verdict, found))
            notes.append(f"{found.rule} exempts {verdict.id}: {kept[-1].reason}")
    return kept, notes


def _exempted(verdict: Verdict, exemption: Exemption) -> Verdict:
    until = datetime.fromtimestamp(exemption.expires_epoch_s, tz=UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return msgspec.structs.replace(
        verdict,
        word=Word.EXEMPT,
        rule=exemption.rule,
        layer="organisation",
        reason=f"exempt until {until}: {exemption.reason} (else: {verdict.reason})",
        all_rules=tuple(sorted({*verdict.all_rules, exemption.rule})),
    )


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
