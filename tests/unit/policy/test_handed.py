"""Which facts of a finding a layer is handed in parts: those that it names, and all where it uses one as a whole."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from secgate.policy import Layer
from secgate.policy.documents import FindingFacts
from secgate.policy.facts import sentinel_finding
from secgate.policy.handed import FACTS, handed_over
from secgate.policy.reach import Reach

Load = Callable[..., Layer]

HEAD = 'deny contains {"finding": f.fingerprint, "reason": "r"} if '
GROUND = {"fingerprint", "in_source", "lane", "obligations", "secret", "severity", "state", "touched", "waiver"}
"""What `secgate.main`, the sentinel and what they call come to, whatever a layer's rules are."""


def reach(layer: Layer) -> Reach:
    assert layer.reach is not None
    return layer.reach


@pytest.mark.parametrize(
    ("rules", "facts"),
    [
        (HEAD + '{ some f in input.findings; f.severity == "high" }', set()),
        (HEAD + '{ some f in input.findings; f["owner"] == ""; startswith(f.path, "a/") }', {"owner", "path"}),
        (HEAD + '{ some f in input.findings; is_odd(f) }\nis_odd(f) if f.owner == ""', {"owner"}),
        (HEAD + "{ some f in input.findings; a(f) }\na(f) if b(1, f)\nb(_, g) if g.risen", {"risen"}),
        (HEAD + '{ some f in input.findings; object.get(f.package, "name", "") == "x" }', {"package"}),
        (HEAD + '{ some f in input.findings; f.package == {"name": "x"} }', {"package"}),
        (HEAD + "{ some f in input.findings; some c in f.cwes; c > 7 }", {"cwes"}),
        (HEAD + "{ some f in input.findings; every c in f.cwes { c > f.line } }", {"cwes", "line"}),
        (
            "import data.secgate.lib.place\n" + HEAD + '{ some f in input.findings; place.of(f) == "a.py" }',
            {"package", "path", "line"},
        ),
        ("import data.secgate.lib.newness as n\n" + HEAD + "{ some f in input.findings; n.is_new(f) }", set()),
    ],
)
def test_a_layer_is_handed_what_it_names(load: Load, rules: str, facts: set[str]) -> None:
    layer = load({"own.rego": f"package secgate.rules.own\n{rules}".encode()})
    assert reach(layer).speaks_singly
    assert reach(layer).facts == GROUND | facts


@pytest.mark.parametrize(
    "rules",
    [
        HEAD + "{ some f in input.findings; count(f) > 3 }",
        HEAD + '{ some f in input.findings; g := f; g.owner == "" }',
        HEAD + '{ some f in input.findings; [g] := [f]; g.owner == "" }',
        HEAD + '{ some f in input.findings; f in [{"fingerprint": "a"}] }',
        HEAD + '{ some f in input.findings; object.get(f, "owner", "") == "" }',
        HEAD + '{ some f in input.findings; some key, _ in f; startswith(key, "a") }',
        HEAD + "{ some f in input.findings; every x in f { x } }",
        HEAD + '{ some f in input.findings; contains(sprintf("%v", [f]), "odd") }',
        HEAD + '{ some f in input.findings; contains(json.marshal(f), "odd") }',
        HEAD + "{ some f in input.findings; is_odd(f) }\nis_odd(f) if count(f) > 3",
        HEAD + "{ some f in input.findings; is_odd(f) }\nis_odd(f) if same(f) == 1\nsame(f) := f",
        HEAD + '{ some f in input.findings; is_odd(f) }\nis_odd({"owner": x}) if x == "x"',
        HEAD + "{ some f in input.findings; is_odd(f) }\nis_odd(f) if f.secret\nis_odd(f) if f == {}",
        HEAD + '{ some f in input.findings; max([g | g := f]).owner == "" }',
        'deny contains {"finding": f.fingerprint, "reason": json.marshal(f)} if { some f in input.findings; f.secret }',
        'deny contains {"finding": g, "reason": "r"} if { some {"fingerprint": g} in input.findings }',
    ],
)
def test_a_layer_that_uses_a_finding_as_a_whole_is_handed_all_of_it(load: Load, rules: str) -> None:
    layer = load({"own.rego": f"package secgate.rules.own\n{rules}".encode()})
    assert reach(layer).facts == FACTS


def test_the_shipped_rules_pass_findings_on_in_lists_alone(shipped: Layer) -> None:
    """A new line here must be read by a person: nothing may compare, count or print what such a list holds."""
    texts = {module.path: module.text.splitlines() for module in shipped.modules}
    found = [place.split(":") for one in reach(shipped).handlings.values() for place in one.wholes]
    lines = {texts[path][int(line) - 1].strip() for path, line, _ in found}
    assert lines == {"held := [f |", "risen := [f |", "listed := [f |", "lowered := [f |", "unseen := [f |"}


def test_fewer_facts_are_written_like_the_finding_itself() -> None:
    finding = sentinel_finding(7)
    every = {name: getattr(finding, name) for name in FindingFacts.__struct_fields__}
    kept = {name: every[name] for name in ("fingerprint", "waiver", "severity")}
    (fewer,) = handed_over([finding], kept)
    assert msgspec.json.decode(msgspec.json.encode(fewer)) == msgspec.json.decode(msgspec.json.encode(kept))
