"""A layer's decision leaves nothing out and invents nothing; two engines' decisions are the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

import msgspec

from secgate.errors import PolicyError
from secgate.model import Scope, Severity, State, Word
from secgate.policy.documents import (
    SENTINEL,
    AddedByRule,
    AddedObligation,
    DowngradeFacts,
    Duty,
    Element,
    FindingFacts,
    InputDocument,
    LayerDecision,
    LayerVerdict,
    Said,
    SaidByRule,
    read_decision,
)
from secgate.policy.layers import SETS
from secgate.policy.parts import added_together, said_together
from secgate.sla import basis_of

_SENTINEL_RULE = "data.secgate.rules.sentinel"
_WORDS = {word.value: word for word in Word}
_RANK: dict[str, int] = {word.value: rank for rank, word in enumerate(Word)}


def read_total(value: bytes, *, layer: str, document: InputDocument) -> LayerDecision:
    """Read a decision made on `document` and the sentinel beside it, and give it without the sentinel.

    Every element and every duty stands beside its rule in it, in one group for each rule and set (`said`, `added`), and
    every verdict is among `verdicts` or, where several findings have the same, `alike`. Raises PolicyError for: a break
    of the schema, a subject without exactly one verdict, an element about nothing, a word that this layer may not say
    or that is milder than its elements, a sentinel that was not denied.
    """
    # What was read has texts of its own: the document's own are kept in their place.
    own = {finding.fingerprint: finding.fingerprint for finding in document.findings} | {SENTINEL: SENTINEL}
    decision = _grouped(read_decision(value, layer=layer), layer, own)
    words = {verdict.id: verdict.word for verdict in decision.verdicts if verdict.subject == "finding"}
    for one in decision.alike:
        words |= dict.fromkeys(one.ids, one.word)
    _check_sentinel(decision, layer)
    _check_verdicts(decision, layer, document, given=words.keys(), findings=own.keys())
    # From here on `words` has what is asked about, and no more.
    _check_elements(decision, layer, document, words)
    _check_additions(decision, layer, document, words)
    _check_taken_back(decision, layer, document)
    return _without_sentinel(decision)


def _grouped(decision: LayerDecision, layer: str, own: Mapping[str, str]) -> LayerDecision:
    """Give the decision with elements and duties in groups alone, and the verdicts that elements say spelt out.

    `own` has the texts that stand in place of equal ones.
    """
    decision = msgspec.structs.replace(
        decision,
        elements=(),
        said=said_together((*map(_said_alone, decision.elements), *(_sharing(one, own) for one in decision.said))),
        obligations=(),
        added=added_together((*map(_added_alone, decision.obligations), *decision.added)),
        alike=tuple(
            msgspec.structs.replace(one, ids=tuple(map(own.get, one.ids, one.ids))) for one in decision.alike if one.ids
        ),
    )
    verdicts = list(decision.verdicts)
    spoken = _spoken_of(decision) if decision.by_elements else {}
    alone = {one.rule: (one.rule,) for one in decision.said}
    for name in decision.by_elements:
        heard = spoken.get(name)
        if heard is None:
            raise _fault(layer, f"the finding {name} is said to have elements, and has none", "report this")
        verdicts.append(_strictest(own.get(name, name), heard, alone))
    return msgspec.structs.replace(decision, verdicts=tuple(verdicts), by_elements=())


def _sharing(said: SaidByRule, own: Mapping[str, str]) -> SaidByRule:
    """Give a group whose elements have equal texts in common: a rule asks the same of most findings."""
    remedies: dict[str, str] = {}
    elements = [
        Element(
            finding=one.finding and own.get(one.finding, one.finding),
            lane=one.lane,
            run=one.run,
            gap=one.gap,
            reason=one.reason,
            remedy=remedies.setdefault(one.remedy, one.remedy),
        )
        for one in said.elements
    ]
    return SaidByRule(rule=said.rule, set=said.set, elements=tuple(elements))


def _said_alone(said: Said) -> SaidByRule:
    return SaidByRule(rule=said.rule, set=said.set, elements=(said.element,))


def _added_alone(duty: AddedObligation) -> AddedByRule:
    return AddedByRule(rule=duty.rule, obligations=(duty,))


def _spoken_of(decision: LayerDecision) -> dict[str, list[tuple[SaidByRule, Element]]]:
    found: dict[str, list[tuple[SaidByRule, Element]]] = {}
    for group in decision.said:
        for element in group.elements:
            name = element.finding
            if name is None:
                continue
            held = found.get(name)
            if held is None:
                found[name] = [(group, element)]
            else:
                held.append((group, element))
    return found


def _strictest(name: str, said: Sequence[tuple[SaidByRule, Element]], alone: Mapping[str, tuple[str]]) -> LayerVerdict:
    """Give what the strictest elements of a finding say together, as `secgate.main.spoken` does.

    `alone` has one and the same tuple for each rule that speaks alone: of a large run there are many such findings.
    """
    group, first = said[0]
    reason = first.reason
    rules: tuple[str, ...] = alone[group.rule]
    if len(said) > 1:
        word = min((one.set for one, _ in said), key=_RANK.__getitem__)
        speakers = [one for one in said if one[0].set == word]
        group, first = min(speakers, key=lambda one: (one[1].reason, one[1].remedy, one[0].rule))
        more = f" (and {len(speakers) - 1} more)" if len(speakers) > 1 else ""
        reason, rules = first.reason + more, tuple(sorted({one.rule for one, _ in said}))
    return LayerVerdict(
        subject="finding",
        id=name,
        word=_WORDS[group.set],
        rule=group.rule,
        reason=reason,
        remedy=first.remedy,
        all_rules=rules,
    )


def _fault(layer: str, what: str, remedy: str) -> PolicyError:
    return PolicyError(f"the {layer} layer's decision is void: {what}", remedy=remedy)


def _check_sentinel(decision: LayerDecision, layer: str) -> None:
    for verdict in decision.verdicts:
        if verdict.id == SENTINEL and verdict.subject == "finding":
            if verdict.word is Word.DENY and _SENTINEL_RULE in verdict.all_rules:
                return
            raise _sentinel_fault(layer, verdict.word)
    for one in decision.alike:
        if SENTINEL in one.ids:
            raise _sentinel_fault(layer, one.word)
    raise _fault(layer, "the sentinel got no verdict", "report this: secgate.main did not judge every finding")


def _sentinel_fault(layer: str, word: Word) -> PolicyError:
    return _fault(layer, f"the sentinel got `{word}`, not deny", "find the rule that hides denies")


def _check_verdicts(
    decision: LayerDecision,
    layer: str,
    document: InputDocument,
    *,
    given: AbstractSet[str],
    findings: AbstractSet[str],
) -> None:
    others = {("lane", account.lane.value) for account in document.lanes if account.asked} | {("run", "run")}
    given_others = {(verdict.subject, verdict.id) for verdict in decision.verdicts if verdict.subject != "finding"}
    if given != findings or given_others != others:
        wanted = {("finding", name) for name in findings} | others
        told = {("finding", name) for name in given} | given_others
        for subject, name in sorted(wanted - told):
            raise _fault(layer, f"the {subject} {name} has no verdict", "report this with the decision's input")
        for subject, name in sorted(told - wanted):
            raise _fault(layer, f"there is a verdict on {subject} {name}, which was not asked", "report this")
    if len(decision.verdicts) + sum(len(one.ids) for one in decision.alike) != len(given) + len(given_others):
        counts = Counter((verdict.subject, verdict.id) for verdict in decision.verdicts)
        counts.update(("finding", name) for one in decision.alike for name in one.ids)
        subject, name = min(key for key, count in counts.items() if count != 1)
        raise _fault(layer, f"the {subject} {name} has {counts[subject, name]} verdicts", "report this")


def _check_elements(decision: LayerDecision, layer: str, document: InputDocument, words: Mapping[str, Word]) -> None:
    lanes = {account.lane for account in document.lanes}
    gaps = {gap.id: gap.lane for gap in document.gaps}
    others = {verdict.id: verdict.word for verdict in decision.verdicts if verdict.subject != "finding"}
    for group in decision.said:
        rule, said = group.rule, _WORDS[group.set]
        if group.set not in SETS[layer]:
            raise _fault(layer, f"{rule} adds to `{said}`", f"it may add to {', '.join(sorted(SETS[layer]))}")
        for element in group.elements:
            name = element.finding
            if name is not None and name not in words:
                raise _fault(layer, f"{rule} speaks of a finding that is not there", "use f.fingerprint as `finding`")
            if element.lane is not None and element.lane not in lanes:
                raise _fault(layer, f"{rule} speaks of the lane {element.lane}, which has no account", "ask for it")
            if element.gap is not None and gaps.get(element.gap) is not element.lane:
                raise _fault(layer, f"{rule} speaks of a gap that is not there", "use gap.id as `gap`")
            word = words[name] if name is not None else others.get(element.lane or "run")
            # A lane that is not asked for has no verdict; a waiver is checked before the policy sees it.
            if word is not said and word is not None and word is not Word.WAIVED and _RANK[word] > _RANK[said]:
                raise _fault(layer, f"{rule} says {said}, and the verdict is {word}", "report this")


def _check_additions(decision: LayerDecision, layer: str, document: InputDocument, words: Mapping[str, Word]) -> None:
    kinds = (
        ("obligations", [(group.rule, group.obligations) for group in decision.added]),
        ("exempt", [(one.rule, (one,)) for one in decision.exemptions]),
    )
    for kind, additions in kinds:
        for rule, added in additions:
            if kind not in SETS[layer]:
                raise _fault(layer, f"{rule} adds to `{kind}`", "only a layer above the repository may")
            if any(one.finding not in words for one in added):
                raise _fault(layer, f"{rule} speaks of a finding that is not there", "use f.fingerprint")
    waived = {verdict.id for verdict in decision.verdicts if verdict.word is Word.WAIVED}
    waived.update(name for one in decision.alike if one.word is Word.WAIVED for name in one.ids)
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
    said = [
        msgspec.structs.replace(group, elements=elements)
        for group in decision.said
        if (elements := tuple([one for one in group.elements if one.finding != SENTINEL]))
    ]
    added = [
        msgspec.structs.replace(group, obligations=duties)
        for group in decision.added
        if (duties := tuple([duty for duty in group.obligations if duty.finding != SENTINEL]))
    ]
    return msgspec.structs.replace(
        decision,
        verdicts=tuple([verdict for verdict in decision.verdicts if verdict.id != SENTINEL]),
        added=tuple(added),
        superseded=tuple(duty for duty in decision.superseded if duty.finding != SENTINEL),
        exemptions=tuple(one for one in decision.exemptions if one.finding != SENTINEL),
        said=tuple(said),
    )


def check_agreement(decision: LayerDecision, other: LayerDecision, *, layer: str, engine: str) -> None:
    """Compare two engines' decisions as sets. Raises PolicyError that names the first difference."""
    ours, theirs = _singly(decision), _singly(other)
    for part, own in ours.items():
        for one, two in zip(own, theirs[part], strict=False):
            if one != two:
                raise _differ(layer, engine, part, f"{one} and {two}")
        if len(own) != len(theirs[part]):
            raise _differ(layer, engine, part, f"{len(own)} and {len(theirs[part])} of them")


def spelt_out(decision: LayerDecision) -> list[LayerVerdict]:
    """Give every verdict by itself."""
    alike = [
        LayerVerdict(
            subject="finding",
            id=name,
            word=one.word,
            rule=one.rule,
            reason=one.reason,
            remedy=one.remedy,
            all_rules=one.all_rules,
        )
        for one in decision.alike
        for name in one.ids
    ]
    return [*decision.verdicts, *alike]


def _singly(decision: LayerDecision) -> dict[str, list[str]]:
    """Give everything that a decision says one by one, in words and sorted."""
    said: dict[str, Sequence[object]] = {
        "verdicts": spelt_out(decision),
        "obligations": [_of_rule(more.rule, duty) for more in decision.added for duty in more.obligations],
        "superseded": decision.superseded,
        "exemptions": decision.exemptions,
        "elements": [
            Said(rule=one.rule, set=one.set, element=element) for one in decision.said for element in one.elements
        ],
    }
    return {
        part: sorted(msgspec.json.encode(value, order="sorted").decode() for value in values)
        for part, values in said.items()
    }


def _of_rule(rule: str, duty: Duty) -> AddedObligation:
    return AddedObligation(
        rule=rule, finding=duty.finding, basis=duty.basis, start_epoch_s=duty.start_epoch_s, limit_s=duty.limit_s
    )


def _differ(layer: str, engine: str, part: str, how: str) -> PolicyError:
    return PolicyError(
        f"the engine {engine} decides the {layer} layer differently, in {part}: {how[:400]}",
        remedy="find the rule whose meaning depends on the engine, and write it otherwise",
    )
