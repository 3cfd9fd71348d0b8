"""A document judged by layers, each in an engine of its own: what each of them decides, total and of the schema.

A large run is judged in parts where that is the same; see `policy.parts` and `policy.singly`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from functools import cached_property
from io import BytesIO

import msgspec
from msgspec import Struct, structs

from secgate.errors import PolicyError
from secgate.model import Digest, Scope, Verdict
from secgate.policy import attribution
from secgate.policy.documents import InputDocument, LayerDecision, RecordedObligation
from secgate.policy.facts import sentinel_finding
from secgate.policy.handed import FACTS, handed_over
from secgate.policy.joining import Ruled
from secgate.policy.layers import Layer, LayerName
from secgate.policy.parts import Stated, joined, split
from secgate.policy.totality import check_agreement, read_total
from secgate.policy.values import effective_data, layer_data, read_profile
from secgate.ports import Engine, PolicyModule

QUERY = "data.secgate.main.decision"

IN_PROCESS_FINDINGS = 2_000
"""Past this many findings the shipped layer too is judged by the engine that can be stopped."""

PARTED_FINDINGS = 10_000
"""From this many on, a layer that speaks of one finding at a time is judged in parts."""

FINDINGS_PER_S = 1_000
"""What a slow machine judges: the time that a layer has grows with the findings."""

_PIECE_FINDINGS = 1_000

_LAYER_ORDER: tuple[LayerName, ...] = ("shipped", "organisation", "repository")
_ASKING_ORDER: tuple[LayerName, ...] = ("organisation", "shipped", "repository")
"""What the organisation's rules add counts at once: a duty may be past its time on the day it is made."""


class _Question(Struct, frozen=True, kw_only=True):
    """What one layer is asked with, whatever the document."""

    layer: LayerName
    modules: tuple[PolicyModule, ...]
    data: bytes
    limit_s: float
    facts: frozenset[str] = FACTS
    """Facts of findings that a part is handed over with."""


class Recorded(Struct, frozen=True, kw_only=True):
    """The text that a document is recorded as, b"" where nobody keeps it, and the text's SHA-256 in either case."""

    digest: Digest
    text: bytes


class _Part(Struct, frozen=True, kw_only=True):
    """What each layer decided on a part, and what they say together where none of them failed."""

    decisions: dict[LayerName, LayerDecision]
    told: list[Verdict]


class Asked:
    """A document, and its text as an engine sees it, which is written once for all engines that are asked.

    With `facts` its findings have no others in the text. Checked against the document is what was made of the text.
    """

    def __init__(self, document: InputDocument, *, facts: frozenset[str] = FACTS) -> None:
        self.document = document
        self._facts = facts

    @cached_property
    def text(self) -> bytes:
        """The finding that must be denied is among its own."""
        document = self.document
        findings = (*document.findings, sentinel_finding(document.evaluated_at_epoch_s))
        if self._facts == FACTS:
            return msgspec.json.encode(structs.replace(document, findings=findings))
        shown = structs.asdict(document) | {"findings": handed_over(findings, self._facts)}
        return msgspec.json.encode(shown)


class Evaluation:
    """Evaluates one layer at a time, in an engine of its own.

    `engine` serves the shipped layer, `guarded` (which can be stopped) other layers and large inputs. Each of
    `references` judges again, and a difference is an error.
    """

    def __init__(
        self,
        layers: Mapping[str, Layer],
        *,
        disabled_rules: Sequence[str],
        limit_s: float,
        engine: Engine,
        guarded: Engine,
        references: Sequence[Engine] = (),
        keeps_text: bool = True,
    ) -> None:
        self._layers = layers
        self._shipped = layers["shipped"]
        self.data = effective_data(self._shipped, layers.get("organisation"))
        self._disabled_rules = disabled_rules
        self._limit_s = limit_s
        self._engine = engine
        self._guarded = guarded
        self._references = references
        self._whole: set[LayerName] = set()
        self._told: list[Verdict] = []
        self._keeps_text = keeps_text
        self._recorded: tuple[InputDocument, Recorded] | None = None
        self.decision_ids: list[str] = []
        self.notes: list[str] = []

    def ruled(self, stated: Stated) -> list[Ruled]:
        """Give every layer's decision. Raises UsageError for a profile that the data does not have."""
        frame = stated.frame
        if frame.run.claims_coverage:
            _require_accounts(frame, read_profile(self.data, frame.run.profile).lanes)
        ruled = []
        layers = [self._layers[name] for name in _ASKING_ORDER if name in self._layers]
        parted = self._in_parts(layers, stated, ((part, part) for part in stated.parts()))
        document = seen = stated.whole
        for layer in layers:
            asked = seen if layer.name == "shipped" else document
            ruled.append(self._rule(layer, asked, parted.get(layer.name)))
            if layer.name == "organisation" and (self._references or "shipped" not in parted):
                seen = with_obligations(document, ruled[-1].decision)
                parted = parted or self._in_parts(layers[1:], stated, zip(split(document), split(seen), strict=True))
        return sorted(ruled, key=lambda one: _LAYER_ORDER.index(one.layer.name))

    def told(self, ruled: Sequence[Ruled]) -> list[Verdict]:
        """Give what `attribution.told` gives of what `ruled` gave: for a run judged in parts it is there already."""
        return self._told or attribution.told(ruled)

    def recorded(self, document: InputDocument) -> Recorded:
        """Give what is recorded of a document, without the sentinel; worked out once."""
        if self._recorded is None or self._recorded[0] is not document:
            self._recorded = document, _recorded(document, keeps_text=self._keeps_text)
        return self._recorded[1]

    def _rule(self, layer: Layer, document: InputDocument, parted: LayerDecision | None) -> Ruled:
        """Give the layer's decision, total and of the schema, the sentinel already taken out."""
        question = self._question(layer, len(document.findings))
        asked = Asked(document)
        decision = parted
        if decision is None:
            trusted = layer.name == "shipped" and len(document.findings) <= IN_PROCESS_FINDINGS
            decision = self._ask(question, asked, self._engine if trusted else self._guarded)
        for engine in self._references:
            other = self._ask(question, asked, engine)
            check_agreement(decision, other, layer=layer.name, engine=engine.name)
        return Ruled(layer=layer, decision=decision)

    def _question(self, layer: Layer, findings: int) -> _Question:
        own = layer.name == "shipped"
        return _Question(
            layer=layer.name,
            modules=(*self._shipped.ground(), *layer.rule_modules(without=self._disabled_rules if own else ())),
            data=self.data if own else layer_data(layer, self.data),
            limit_s=self._limit_s + findings / FINDINGS_PER_S,
        )

    def _ask(self, question: _Question, asked: Asked, engine: Engine) -> LayerDecision:
        answer = engine.evaluate(
            question.modules, data=question.data, document=asked.text, query=QUERY, limit_s=question.limit_s
        )
        if answer.decision_id:
            self.decision_ids.append(answer.decision_id)
        return read_total(answer.value, layer=question.layer, document=asked.document)

    def _in_parts(
        self, layers: Sequence[Layer], stated: Stated, parts: Iterable[tuple[InputDocument, InputDocument]]
    ) -> dict[LayerName, LayerDecision]:
        """Judge a large run in parts, two at a time, each by all layers that speak of one finding at a time.

        `parts` are taken one after the other, with what the shipped layer sees of each: the later ones are stated while
        the first are judged.

        A layer is not there where its parts do not add up to what the whole would be, and where a part ended in an
        error: what it says of the whole is then asked for, and is what counts. No layer is there where that is so of
        the organisation's, whose duties the shipped one sees.

        Only a guarded engine that is one of its own is asked by two threads.
        """
        if stated.count < PARTED_FINDINGS or self._guarded is self._engine:
            return {}
        self._whole |= {layer.name for layer in layers if layer.reach is None or not layer.reach.speaks_singly}
        asked = {
            layer.name: structs.replace(self._question(layer, stated.count), facts=layer.reach.facts)
            for layer in layers
            if layer.name not in self._whole and layer.reach is not None
        }
        if not asked or (layers[0].name == "organisation" and "organisation" in self._whole):
            return {}
        with ThreadPoolExecutor(max_workers=2, thread_name_prefix="secgate-judge") as pool:
            started = [pool.submit(self._part, asked, *one) for one in parts]
            # This thread has nothing else to do, and the first children have their text by then.
            wait(started, return_when=FIRST_COMPLETED)
            self.recorded(stated.whole)
            judged = [one.result() for one in started]
        found: dict[LayerName, LayerDecision] = {}
        for name in asked:
            whole = joined([part.decisions[name] for part in judged]) if name not in self._whole else None
            if whole is None:
                self._whole.add(name)
                if name == "organisation":
                    return {}
            else:
                found[name] = whole
        if found.keys() == self._layers.keys():
            # Findings are in order, and of lanes and of the run every part says the same.
            others = [verdict for verdict in judged[0].told if verdict.subject != "finding"]
            self._told = [verdict for part in judged for verdict in part.told if verdict.subject == "finding"] + others
        return found

    def _part(self, questions: Mapping[LayerName, _Question], document: InputDocument, seen: InputDocument) -> _Part:
        """Give what each layer decides on a part, one after the other; one that failed anywhere is not asked again.

        What the layers say together is put together here too, while other parts are judged.
        """
        found: dict[LayerName, LayerDecision] = {}
        for name, question in questions.items():
            if name in self._whole or "organisation" in self._whole & questions.keys():
                continue
            try:
                asked = Asked(seen if name == "shipped" else document, facts=question.facts)
                found[name] = self._ask(question, asked, self._guarded)
            except PolicyError:
                self._whole.add(name)
                continue
            if name == "organisation":
                seen = with_obligations(document, found[name])
        told = []
        if found.keys() == self._layers.keys():
            told = attribution.told(
                [Ruled(layer=self._layers[name], decision=found[name]) for name in _LAYER_ORDER if name in found]
            )
        return _Part(decisions=found, told=told)

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


def with_obligations(document: InputDocument, decision: LayerDecision) -> InputDocument:
    """Give the document with what a layer adds shown as recorded."""
    if document.run.scope is not Scope.PROTECTED or not decision.added:
        return document
    added: dict[str, list[RecordedObligation]] = {}
    for group in decision.added:
        for duty in group.obligations:
            added.setdefault(duty.finding, []).append(
                RecordedObligation(
                    basis=duty.basis, start_epoch_s=duty.start_epoch_s, limit_s=duty.limit_s, superseded=False
                )
            )
    findings = list(document.findings)
    for number, finding in enumerate(findings):
        if finding.fingerprint in added:
            held = {duty.basis for duty in finding.obligations}
            fresh = [duty for duty in added[finding.fingerprint] if duty.basis not in held]
            findings[number] = structs.replace(finding, obligations=(*finding.obligations, *fresh))
    return structs.replace(document, findings=tuple(findings))


def _recorded(document: InputDocument, *, keeps_text: bool) -> Recorded:
    """Give the text or, where nobody keeps it, its digest alone: of a large run it has hundreds of megabytes."""
    digest, written = hashlib.sha256(), BytesIO()
    for piece in _pieces(document):
        digest.update(piece)
        if keeps_text:
            written.write(piece)
    return Recorded(digest=digest.hexdigest(), text=written.getvalue())


def _pieces(document: InputDocument) -> Iterator[bytes | memoryview]:
    """Give the text in turn. In one go the threads that wait for the parts would be held up for as long as it takes."""
    around = msgspec.json.encode(structs.replace(document, findings=()), order="sorted")
    # No text within it reads like this, since a quotation mark in a text stands behind a backslash.
    head, _, tail = around.partition(b'"findings":[]')
    yield head + b'"findings":['
    for start in range(0, len(document.findings), _PIECE_FINDINGS):
        if start:
            yield b","
        findings = msgspec.json.encode(document.findings[start : start + _PIECE_FINDINGS], order="sorted")
        yield memoryview(findings)[1:-1]
    yield b"]" + tail


def _require_accounts(document: InputDocument, lanes: Sequence[str]) -> None:
    """Refuse to judge when the profile's lanes have no account: a lane that was lost would pass in silence."""
    missing = sorted(set(lanes) - {account.lane for account in document.lanes})
    if missing:
        raise PolicyError(
            f"the profile asks for the lane {missing[0]}, and coverage has no account of it", remedy="report this run"
        )
