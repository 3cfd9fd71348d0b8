"""Judged in parts, a large run gets the same decision; a layer that could say otherwise is judged whole."""

from __future__ import annotations

import hashlib
import random
import threading
from collections.abc import Sequence
from itertools import repeat
from operator import attrgetter
from typing import Any

import msgspec
import pytest

from secgate.engines.regorus import RegorusEngine
from secgate.judge import judge
from secgate.model import Confidence, Gap, Lane, Scope, Severity, State, Word
from secgate.policy import Layer, WaiverFacts, layer_data
from secgate.policy.documents import (
    SENTINEL,
    BaselineFacts,
    DowngradeFacts,
    FindingFacts,
    InputDocument,
    InSourceFacts,
    KnownExploited,
    LayerDecision,
    LayerVerdict,
    PackageFacts,
    RecordedObligation,
    read_input,
)
from secgate.policy.evaluation import PARTED_FINDINGS, QUERY, Asked
from secgate.policy.handed import FACTS
from secgate.policy.parts import Stated, joined, split
from secgate.policy.totality import read_total, spelt_out
from secgate.policy.values import effective_data
from secgate.ports import Answer, PolicyModule

Bench = Any
DAY = 86400

LIMITS = {
    "version": 1,
    "severity_s": {"critical": DAY, "high": 7 * DAY, "medium": 30 * DAY, "low": 90 * DAY},
    "new_denied": ["critical", "medium"],
    "epss": {"threshold_ppm": 500_000, "model": "m", "limit_s": DAY},
    "directives": ["bod-26-04"],
}
PLACES = {
    "places": [
        {"name": "edge", "exposures": ["internet"], "severity_s": {"high": DAY, "low": 9 * DAY}},
        {"name": "lab", "path_classes": ["lab"], "severity_s": {"critical": 60 * DAY, "medium": 90 * DAY}},
    ]
}
COMMENTS = {
    "version": 1,
    "let_pass": [
        {
            "comments": ["nosec"],
            "lanes": ["sast"],
            "severities": ["medium", "low"],
            "names_rules": False,
            "reason_characters": 3,
        }
    ],
}
OWN = """package secgate.rules.own

import data.secgate.lib.newness
import data.secgate.lib.place

deny contains {"finding": f.fingerprint, "reason": where} if {
	some f in input.findings
	newness.is_new(f)
	is_odd(f)
	where := place.of(f)
}

is_odd(f) if f.owner == "odd"

obligations contains {"finding": f.fingerprint, "basis": "own", "start_epoch_s": 1, "limit_s": 9} if {
	some f in input.findings
	f.weakness == "w1"
}

exempt contains {"finding": f.fingerprint, "reason": "reviewed", "expires_epoch_s": 4102444800} if {
	some f in input.findings
	f.weakness == "w2"
}

warn contains {"run": true, "reason": "said in every run"} if input.run.complete
"""


RUN = 'warn contains {"run": true, "reason": "r"} if'
ODD = 'deny contains {"finding": f.fingerprint, "reason": "r"} if'


class Counting(RegorusEngine):
    """Counts what it is asked, from any thread."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        self._lock = threading.Lock()

    def evaluate(
        self, modules: Sequence[PolicyModule], *, data: bytes, document: bytes, query: str, limit_s: float
    ) -> Answer:
        with self._lock:
            self.asked += query == QUERY
        return super().evaluate(modules, data=data, document=document, query=query, limit_s=limit_s)


def made_from(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - made data, the same every time


def facts(number: int, chance: random.Random, now: int) -> FindingFacts:
    """Give a finding with anything at all joined to it."""

    def moment() -> int:
        return now - chance.randrange(0, 100 * DAY)

    def duty() -> RecordedObligation:
        basis = chance.choice(
            (
                f"severity:{chance.choice(list(Severity))}",
                "severity:high:edge",
                "baseline:high",
                "own",
                "known-exploited",
            )
        )
        gone = chance.random() < 0.3
        return RecordedObligation(
            basis=basis,
            start_epoch_s=moment(),
            limit_s=chance.choice((DAY, 7 * DAY, 30 * DAY)),
            superseded=gone,
            superseded_by=chance.choice(("", "d1")) if gone else "",
        )

    severity = chance.choice(list(Severity))
    state: Any = chance.choice(("none", "none", "active", "expired", "void"))
    known = chance.random() < 0.8
    package = PackageFacts(name="lib", version="1", fixed_versions=chance.choice(((), ("2",))))
    return FindingFacts(
        fingerprint=f"{chance.getrandbits(256):064x}",
        lane=chance.choice(list(Lane)),
        weakness=f"w{number % 4}",
        cwes=(),
        severity=severity,
        score_x10=50,
        severity_basis="tool",
        confidence=chance.choice(list(Confidence)),
        path="app/views.py",
        symbol="",
        line=chance.choice((0, 7)),
        path_class=chance.choice(("", "lab")),
        state=chance.choice(list(State)),
        touched=chance.random() < 0.5,
        scanners=(),
        witnesses=1,
        advisories=chance.choice(((), ("CVE-1",))),
        package=chance.choice((PackageFacts(), package)),
        fix_available=False,
        secret=chance.random() < 0.2,
        in_history=chance.random() < 0.2,
        suppressed_in_source=True,
        in_source=chance.choice((InSourceFacts(), InSourceFacts(comments=("nosec",), reason="known"))),
        first_seen_known=known,
        first_seen_epoch_s=moment() if known else 0,
        risen=chance.random() < 0.2,
        seconds_open=0,
        waiver=chance.choice(
            (WaiverFacts(), WaiverFacts(state="active", kind="accept", approver="bob", expires_epoch_s=now + DAY))
        ),
        baseline=chance.choice(
            (
                BaselineFacts(),
                BaselineFacts(),
                BaselineFacts(listed=True, date_epoch_s=moment(), severity=severity, limit_s=chance.choice((0, DAY))),
            )
        ),
        downgrade=DowngradeFacts(
            state=state,
            id="d1",
            severity=Severity.LOW,
            from_severity=Severity.CRITICAL,
            approved_epoch_s=moment(),
            ended_epoch_s=moment(),
        )
        if state != "none"
        else DowngradeFacts(),
        known_exploited=chance.choice((KnownExploited(), KnownExploited(listed=True, listed_epoch_s=moment()))),
        epss_ppm=chance.choice((0, 900_000)),
        automatable=chance.choice(("unknown", "yes", "no")),
        impact=chance.choice(("unknown", "partial", "total")),
        exposure=chance.choice(("unknown", "internet", "internal")),
        owner=chance.choice(("", "odd")),
        obligations=tuple(duty() for _ in range(chance.choice((0, 0, 1, 2)))),
    )


def made(bench: Bench, scope: Scope, chance: random.Random, count: int = 60) -> InputDocument:
    """Give a document with as many findings, some gaps, and a base or none."""
    gaps = tuple(
        Gap(path=f"{n}.py", tool="bandit", reason="parse-error", touched=n % 2 == 0, lane=Lane.SAST) for n in range(3)
    )
    coverage = bench.coverage(bench.lane(Lane.SAST, offered=4, failed=3, gaps=gaps))
    target = bench.target(scope, base_commit=chance.choice(("", "b" * 40)))
    judged = bench.judge(scope=scope, coverage=coverage, target=target)
    document = msgspec.json.decode(judged.input_document, type=InputDocument)
    found = [facts(number, chance, document.evaluated_at_epoch_s) for number in range(count)]
    epss = msgspec.structs.replace(document.advisories.epss, used=True, model="m", scored_epoch_s=1)
    return msgspec.structs.replace(
        document,
        findings=tuple(sorted(found, key=lambda one: one.fingerprint)),
        advisories=msgspec.structs.replace(document.advisories, epss=epss),
    )


def organisation(bench: Bench, rules: str = OWN, *, places: bool = False) -> Layer:
    data = {
        "limits": msgspec.json.encode({"limits": LIMITS | (PLACES if places else {})}),
        "suppressions": msgspec.json.encode({"suppressions": COMMENTS}),
    }
    layer: Layer = bench.layer("organisation", rules, **data)
    return layer


def asked(
    bench: Bench, layer: Layer, document: InputDocument, data: bytes, *, facts: frozenset[str] = FACTS
) -> LayerDecision:
    answer = RegorusEngine().evaluate(
        (*bench.shipped.ground(), *layer.rule_modules()),
        data=data,
        document=Asked(document, facts=facts).text,
        query=QUERY,
        limit_s=60,
    )
    return read_total(answer.value, layer=layer.name, document=document)


def in_order(decision: LayerDecision) -> LayerDecision:
    """Sort what has no order of its own; elements have one, since only the first ones are explained."""
    return msgspec.structs.replace(
        decision,
        verdicts=tuple(sorted(spelt_out(decision), key=msgspec.json.encode)),
        alike=(),
        added=tuple(
            msgspec.structs.replace(one, obligations=tuple(sorted(one.obligations, key=msgspec.json.encode)))
            for one in sorted(decision.added, key=attrgetter("rule"))
        ),
        superseded=tuple(sorted(decision.superseded, key=msgspec.json.encode)),
    )


MANY = """
deny contains {"finding": f.fingerprint, "reason": reason, "remedy": remedy} if {
	some f in input.findings
	f.severity in {"high", "low"}
	some reason in ["same", "Zoo", "ärger", "\uffee", "\U0001d11e"]
	some remedy in ["", "b", "a"]
}

deny contains {"finding": f.fingerprint, "reason": "Zoo"} if {
	some f in input.findings
	f.severity == "high"
}

warn contains {"finding": f.fingerprint, "reason": "aaa", "remedy": "look"} if {
	some f in input.findings
	f.state == "new"
}

inconclusive contains {"finding": f.fingerprint, "reason": "aab"} if {
	some f in input.findings
	f.secret
}
"""


@pytest.mark.parametrize("scope", [Scope.CHANGE, Scope.PROTECTED])
@pytest.mark.parametrize("name", ["shipped", "organisation"])
def test_what_is_said_once_is_spelt_out_as_the_policy_does(bench: Bench, scope: Scope, name: str) -> None:
    document = made(bench, scope, made_from(7))
    own = bench.layer("organisation", MANY)
    data = effective_data(bench.shipped, own)
    layer, values = (bench.shipped, data) if name == "shipped" else (own, layer_data(own, data))
    answer = RegorusEngine().evaluate(
        (*bench.shipped.ground(), *layer.rule_modules()),
        data=values,
        document=Asked(document).text,
        query="data.secgate.main.verdicts",
        limit_s=60,
    )
    expected = [one for one in msgspec.json.decode(answer.value, type=list[LayerVerdict]) if one.id != SENTINEL]
    verdicts = spelt_out(asked(bench, layer, document, values))
    assert sorted(verdicts, key=msgspec.json.encode) == sorted(expected, key=msgspec.json.encode)
    words = {one.word for one in verdicts}
    assert words >= {Word.ALLOW, Word.DENY, Word.WAIVED}
    if name == "organisation":
        assert words >= {Word.INCONCLUSIVE, Word.WARN}
        assert any(one.reason == "Zoo (and 15 more)" and one.remedy == "" for one in verdicts)


@pytest.mark.parametrize("scope", [Scope.CHANGE, Scope.LOCAL, Scope.PROTECTED])
@pytest.mark.parametrize("seed", range(6))
def test_parts_add_up_to_the_whole(bench: Bench, scope: Scope, seed: int) -> None:
    chance = made_from(seed)
    document = made(bench, scope, chance)
    own = organisation(bench, places=seed % 2 == 1)
    data = effective_data(bench.shipped, own)
    for layer, values in ((bench.shipped, data), (own, layer_data(own, data))):
        assert layer.reach is not None
        assert layer.reach.speaks_singly
        whole = asked(bench, layer, document, values)
        parts = split(document, most=chance.choice((1, 9, 20)))
        together = joined([asked(bench, layer, part, values, facts=layer.reach.facts) for part in parts])
        assert together is not None
        assert in_order(together) == in_order(whole)


def test_parts_hold_every_finding_once_and_no_more_than_they_may(bench: Bench) -> None:
    document = made(bench, Scope.CHANGE, made_from(1), count=25)
    parts = split(document, most=10)
    assert [len(part.findings) for part in parts] == [4, 4, 7, 7, 3]
    assert tuple(one for part in parts for one in part.findings) == document.findings
    assert all(part.gaps == document.gaps and part.run == document.run for part in parts)


def test_what_is_read_of_a_part_has_its_texts_from_the_document_and_in_common(bench: Bench) -> None:
    document = made(bench, Scope.CHANGE, made_from(1), count=25)
    own = {one.fingerprint: one.fingerprint for one in document.findings}
    decision = asked(bench, bench.shipped, document, effective_data(bench.shipped, None))
    group = next(one for one in decision.said if one.rule == "data.secgate.rules.new_critical_or_high")
    assert len(group.elements) > 1
    assert all(one.finding is own[one.finding or ""] for one in group.elements)
    assert len({id(one.remedy) for one in group.elements}) == len({one.remedy for one in group.elements})


@pytest.mark.parametrize(
    ("count", "number", "largest"),
    [(17_001, 2, 8_501), (102_000, 8, 17_000), (102_001, 20, 5_667), (200_000, 36, 5_883)],
)
def test_a_very_large_run_has_smaller_parts(bench: Bench, count: int, number: int, largest: int) -> None:
    document = made(bench, Scope.CHANGE, made_from(1), count=1)
    findings = repeat(document.findings[0], count)
    sizes = [len(part.findings) for part in Stated(document, findings, count=count).parts()]
    assert sum(sizes) == count
    assert (len(sizes), max(sizes)) == (number, largest)


def test_what_a_run_is_said_of_for_some_findings_alone_does_not_add_up(bench: Bench) -> None:
    rules = """
warn contains {"run": true, "reason": "somebody owns a thing"} if {
	some f in input.findings
	f.owner == "odd"
}
"""
    layer = bench.layer("organisation", rules)
    assert layer.reach is not None
    assert layer.reach.speaks_singly
    document = made(bench, Scope.CHANGE, made_from(2), count=2)
    one, two = document.findings
    changed = (msgspec.structs.replace(one, owner="odd"), msgspec.structs.replace(two, owner=""))
    document = msgspec.structs.replace(document, findings=changed)
    data = layer_data(layer, effective_data(bench.shipped, layer))
    assert joined([asked(bench, layer, part, data) for part in split(document, most=1)]) is None


@pytest.mark.parametrize(
    ("rules", "calls"),
    [
        # Each layer in two parts.
        (
            'deny contains {"finding": f.fingerprint, "reason": "r"} if { some f in input.findings; f.owner == "odd" }',
            {4},
        ),
        # A rule that counts is asked about the whole.
        (f"{ODD} {{ some f in input.findings; count(input.findings) > 10000 }}", {3}),
        # What is said of the run differs between the parts: the whole counts, and the shipped layer's parts with it.
        (RUN + f' {{ some f in input.findings; f.fingerprint == "{1:064x}" }}', {7}),
        # One that a part refuses, since the finding is in another: the whole counts. The shipped layer was asked about
        # the part that did not, or it was known by then that it would not count.
        (f'deny contains {{"finding": "{1:064x}", "reason": "r"}} if {{ input.run.complete }}', {5, 6}),
    ],
)
def test_a_large_run_is_judged_in_parts_where_that_is_the_same(bench: Bench, rules: str, calls: set[int]) -> None:
    layer = bench.layer("organisation", rules)
    findings = [
        bench.finding(number, state=State.NEW if number % 3 else State.UNCHANGED, owner="odd" if number % 5 else "")
        for number in range(1, PARTED_FINDINGS + 3)
    ]
    engine, guarded = Counting(), Counting()
    parted = judge(bench.request(*findings, and_layers=(layer,)), engine=engine, guarded=guarded)
    assert engine.asked == 0
    assert (asked := guarded.asked) in calls
    plain = tuple(msgspec.structs.replace(one, reach=None) for one in (bench.shipped, layer))
    request = msgspec.structs.replace(bench.request(*findings), layers=plain)
    whole = judge(request, engine=engine, guarded=guarded)
    assert guarded.asked == asked + 2
    assert parted.decision == whole.decision


@pytest.mark.parametrize("count", [0, 1, 3, 1_001])
def test_a_document_that_nobody_keeps_has_the_same_digest(bench: Bench, count: int) -> None:
    findings = [
        bench.finding(number, weakness='quoted "findings":[] \\', owner='"findings":[]') for number in range(count)
    ]
    request = bench.request(*findings)
    engine = RegorusEngine()
    kept = judge(request, engine=engine, guarded=engine)
    spared = judge(msgspec.structs.replace(request, keeps_input=False), engine=engine, guarded=engine)
    assert spared.input_document == b""
    assert spared.decision == kept.decision
    # Written in pieces, it is what it would be in one go.
    document = read_input(kept.input_document)
    assert kept.input_document == msgspec.json.encode(document, order="sorted")
    assert len(document.findings) == count
    assert hashlib.sha256(kept.input_document).hexdigest() == kept.decision.input_digest
