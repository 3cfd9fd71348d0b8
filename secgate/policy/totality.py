"""A layer's decision leaves nothing out and invents nothing; two engines' decisions are the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

import msgspec

from secgate.errors import PolicyError
from secgate.model import Scope, Severity, State, Word
from secgate.policy.documents import (
    SENTINEL,
    AddedObligation,
    DowngradeFacts,
    FindingFacts,
    InputDocument,
    LayerDecision,
    LayerVerdict,
    Said,
    read_decision,
)
from secgate.policy.layers import SETS
from secgate.sla import basis_of

_SENTINEL_RULE = "data.secgate.rules.sentinel"
_WORDS = {word.value: word for word in Word}
_RANK: dict[str, int] = {word.value: rank for rank, word in enumerate(Word)}


def read_total(value: bytes, *, layer: str, document: InputDocument) -> LayerDecision:
    """Read a decision made on `document` and the sentinel beside it, and give it without the sentinel.

    Every verdict, element and duty is spelt out in it. Raises PolicyError for: a break of the schema, a subject without
    exactly one verdict, an element about nothing, a word that this layer may not say or that is milder than its
    elements, a sentinel that was not denied.
    """
    decision = _spelt_out(read_decision(value, layer=layer), layer, document)
    words = {verdict.id: verdict.word for verdict in decision.verdicts if verdict.subject == "finding"}
    _check_sentinel(decision, layer)
    _check_verdicts(decision, layer, document, words.keys())
    # From here on `words` has what is asked about, and no more.
    _check_elements(decision, layer, document, words)
    _check_additions(decision, layer, document, words)
    _check_taken_back(decision, layer, document)
    return _without_sentinel(decision)


def _spelt_out(decision: LayerDecision, layer: str, document: InputDocument) -> LayerDecision:
    """Give the decision with every verdict among `verdicts`, every element and every duty beside its rule."""
    # What was read has texts of its own: the document's own are kept in their place.
    own = {finding.fingerprint: finding.fingerprint for finding in document.findings}
    decision = msgspec.structs.replace(
        decision,
        elements=(
            *decision.elements,
            *(Said(rule=group.rule, set=group.set, element=one) for group in decision.said for one in group.elements),
        ),
        said=(),
        obligations=(*decision.obligations, *_duties(decision)),
        added=(),
    )
    verdicts = list(decision.verdicts)
    for one in decision.alike:
        word, rule, reason, remedy, all_rules = one.word, one.rule, one.reason, one.remedy, one.all_rules
        verdicts += [
            LayerVerdict(
                subject="finding",
                id=own.get(name, name),
                word=word,
                rule=rule,
                reason=reason,
                remedy=remedy,
                all_rules=all_rules,
            )
            for name in one.ids
        ]
    spoken = _spoken_of(decision) if decision.by_elements else {}
    for name in decision.by_elements:
        said = spoken.get(name)
        if said is None:
            raise _fault(layer, f"the finding {name} is said to have elements, and has none", "report this")
        verdicts.append(_strictest(own.get(name, name), said))
    return msgspec.structs.replace(decision, verdicts=tuple(verdicts), alike=(), by_elements=())


def _duties(decision: LayerDecision) -> Iterator[AddedObligation]:
    for group in decision.added:
        for one in group.obligations:
            yield AddedObligation(
                finding=one.finding,
                basis=one.basis,
                start_epoch_s=one.start_epoch_s,
                limit_s=one.limit_s,
                rule=group.rule,
            )


def _spoken_of(decision: LayerDecision) -> dict[str, list[Said]]:
    found: dict[str, list[Said]] = {}
    for said in decision.elements:
        name = said.element.finding
        if name is None:
            continue
        held = found.get(name)
        if held is None:
            found[name] = [said]
        else:
            held.append(said)
    return found


def _strictest(name: str, said: Sequence[Said]) -> LayerVerdict:
    """Give what the strictest elements of a finding say together, as `secgate.main.spoken` does."""
    first = said[0]
    reason = first.element.reason
    rules: tuple[str, ...] = (first.rule,)
    if len(said) > 1:
        word = min((one.set for one in said), key=_RANK.__getitem__)
        speakers = [one for one in said if one.set == word]
        first = min(speakers, key=lambda one: (one.element.reason, one.element.remedy, one.rule))
        more = f" (and {len(speakers) - 1} more)" if len(speakers) > 1 else ""
        reason, rules = first.element.reason + more, tuple(sorted({one.rule for one in said}))
    return LayerVerdict(
        subject="finding",
        id=name,
        word=_WORDS[first.set],
        rule=first.rule,
        reason=reason,
        remedy=first.element.remedy,
        all_rules=rules,
    )


def _fault(layer: str, what: str, remedy: str) -> PolicyError:
    return PolicyError(f"the {layer} layer's decision is void: {what}", remedy=remedy)


def _check_sentinel(decision: LayerDecision, layer: str) -> None:
    for verdict in decision.verdicts:
        if verdict.id == SENTINEL and verdict.subject == "finding":
            if verdict.word is Word.DENY and _SENTINEL_RULE in verdict.all_rules:
                return
            raise _fault(layer, f"the sentinel got `{verdict.word}`, not deny", "find the rule that hides denies")
    raise _fault(layer, "the sentinel got no verdict", "report this: secgate.main did not judge every finding")


def _check_verdicts(decision: LayerDecision, layer: str, document: InputDocument, given: AbstractSet[str]) -> None:
    findings = {finding.fingerprint for finding in document.findings} | {SENTINEL}
    others = {("lane", account.lane.value) for account in document.lanes if account.asked} | {("run", "run")}
    given_others = {(verdict.subject, verdict.id) for verdict in decision.verdicts if verdict.subject != "finding"}
    if given != findings or given_others != others:
        wanted = {("finding", name) for name in findings} | others
        told = {("finding", name) for name in given} | given_others
        for subject, name in sorted(wanted - told):
            raise _fault(layer, f"the {subject} {name} has no verdict", "report this with the decision's input")
        for subject, name in sorted(told - wanted):
            raise _fault(layer, f"there is a verdict on {subject} {name}, which was not asked", "report this")
    if len(decision.verdicts) != len(given) + len(given_others):
        counts = Counter((verdict.subject, verdict.id) for verdict in decision.verdicts)
        subject, name = min(key for key, count in counts.items() if count != 1)
        raise _fault(layer, f"the {subject} {name} has {counts[subject, name]} verdicts", "report this")


def _check_elements(decision: LayerDecision, layer: str, document: InputDocument, words: Mapping[str, Word]) -> None:
    lanes = {account.lane for account in document.lanes}
    gaps = {gap.id: gap.lane for gap in document.gaps}
    others = {verdict.id: verdict.word for verdict in decision.verdicts if verdict.subject != "finding"}
    for said in decision.elements:
        element = said.element
        if said.set not in SETS[layer]:
            raise _fault(layer, f"{said.rule} adds to `{said.set}`", f"it may add to {', '.join(sorted(SETS[layer]))}")
        if element.finding is not None and element.finding not in words:
            raise _fault(layer, f"{said.rule} speaks of a finding that is not there", "use f.fingerprint as `finding`")
        if element.lane is not None and element.lane not in lanes:
            raise _fault(layer, f"{said.rule} speaks of the lane {element.lane}, which has no account", "ask for it")
        if element.gap is not None and gaps.get(element.gap) is not element.lane:
            raise _fault(layer, f"{said.rule} speaks of a gap that is not there", "use gap.id as `gap`")
        word = words[element.finding] if element.finding is not None else others.get(element.lane or "run")
        # A lane that is not asked for has no verdict; a waiver is checked before the policy sees it.
        if word is not None and word is not Word.WAIVED and _RANK[word] > _RANK[said.set]:
            raise _fault(layer, f"{said.rule} says {said.set}, and the verdict is {word}", "report this")


def _check_additions(decision: LayerDecision, layer: str, document: InputDocument, words: Mapping[str, Word]) -> None:
    for kind, additions in (("obligations", decision.obligations), ("exempt", decision.exemptions)):
        for addition in additions:
            if kind not in SETS[layer]:
                raise _fault(layer, f"{addition.rule} adds to `{kind}`", "only a layer above the repository may")
            if addition.finding not in words:
                raise _fault(layer, f"{addition.rule} speaks of a finding that is not there", "use f.fingerprint")
    waived = {verdict.id for verdict in decision.verdicts if verdict.word is Word.WAIVED}
    for finding in document.findings if waived else ():
        if finding.fingerprint in waived and (
            finding.waiver.state == "active" or _may_pass_by_comment(finding, document)
        ):
            waived.discard(finding.fingerprint)
    for name in sorted(waived):
        raise _fault(layer, f"the finding {name} is waived without a waiver", "report this")


def _may_pass_by_comment(finding: FindingFacts, document: InputDocument) -> bool:
    """Tell whether a comment in the source may count at all, whatever the policy's data says of it."""
    is_settled = document.run.scope is Scope.PROTECTED or (finding.state is State.UNCHANGED and not finding.touched)
    is_mild = finding.severity.rank <= Severity.MEDIUM.rank and not finding.secret
    return bool(finding.in_source.comments) and is_mild and is_settled


def _check_taken_back(decision: LayerDecision, layer: str, document: InputDocument) -> None:
    """Refuse to lose a duty without an approval: only of severity, in time, and of nothing worse than was approved."""
    if decision.superseded and "superseded" not in SETS[layer]:
        raise _fault(layer, f"{decision.superseded[0].rule} takes a duty back", "only the shipped layer may")
    findings = {finding.fingerprint: finding for finding in document.findings} if decision.superseded else {}
    for taken in decision.superseded:
        finding = findings.get(taken.finding)
        held = finding.obligations if finding is not None else ()
        approved = finding.downgrade if finding is not None else DowngradeFacts()
        kind, level = basis_of(taken.basis)
        is_held = any(
            not one.superseded and (one.basis, one.start_epoch_s, one.limit_s) == _whole(taken) for one in held
        )
        if not is_held or approved.state != "active" or kind != "severity" or level is None:
            raise _fault(layer, f"{taken.rule} takes back {taken.basis} without approval", "report this")
        is_in_time = approved.approved_epoch_s <= taken.start_epoch_s + taken.limit_s
        if not is_in_time or not approved.severity.rank < level.rank <= approved.from_severity.rank:
            raise _fault(layer, f"{taken.rule} takes back {taken.basis}, whatever was approved", "report this")


def _whole(duty: AddedObligation) -> tuple[str, int, int]:
    return duty.basis, duty.start_epoch_s, duty.limit_s


def _without_sentinel(decision: LayerDecision) -> LayerDecision:
    return msgspec.structs.replace(
        decision,
        verdicts=tuple(verdict for verdict in decision.verdicts if verdict.id != SENTINEL),
        obligations=tuple(duty for duty in decision.obligations if duty.finding != SENTINEL),
        superseded=tuple(duty for duty in decision.superseded if duty.finding != SENTINEL),
        exemptions=tuple(one for one in decision.exemptions if one.finding != SENTINEL),
        elements=tuple(said for said in decision.elements if said.element.finding != SENTINEL),
    )


def check_agreement(decision: LayerDecision, other: LayerDecision, *, layer: str, engine: str) -> None:
    """Compare two engines' decisions as sets. Raises PolicyError that names the first difference."""
    for part in ("verdicts", "obligations", "superseded", "exemptions", "elements"):
        ours, theirs = _sorted(getattr(decision, part)), _sorted(getattr(other, part))
        for one, two in zip(ours, theirs, strict=False):
            if one != two:
                raise _differ(layer, engine, part, f"{one} and {two}")
        if len(ours) != len(theirs):
            raise _differ(layer, engine, part, f"{len(ours)} and {len(theirs)} of them")


def _sorted(values: Sequence[object]) -> list[str]:
    return sorted(msgspec.json.encode(value, order="sorted").decode() for value in values)


def _differ(layer: str, engine: str, part: str, how: str) -> PolicyError:
    return PolicyError(
        f"the engine {engine} decides the {layer} layer differently, in {part}: {how[:400]}",
        remedy="find the rule whose meaning depends on the engine, and write it otherwise",
    )
