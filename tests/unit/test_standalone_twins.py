"""Waivers among twins: an export's program gives them to the same findings as the gate."""

from __future__ import annotations

import random
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secgate.bounds import Bound
from secgate.finding_facts import facts_of
from secgate.model import Finding, Fingerprint, Severity
from secgate.twins import Seen, TwinWaiver, share_out, twin_group
from tests.ledger_support import DIGEST, finding, fingerprint

VERIFY = Path(__file__).parents[2] / "reports" / "export" / "verify.py"
TOOLS = (("semgrep",), ("bandit", "semgrep"))
LEVELS = (Severity.MEDIUM, Severity.HIGH)


@pytest.fixture(scope="module")
def program() -> ModuleType:
    spec = spec_from_file_location("standalone", VERIFY)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def made_twins(chance: random.Random) -> list[Finding]:
    """Give one to four statements that nothing but their order tells apart; the first may have had another name."""
    found = []
    for number in range(chance.randint(1, 4)):
        one = finding(f"f{number}", severity=chance.choice(LEVELS), scanners=chance.choice(TOOLS))
        former = chance.sample(["g0", "g1"], chance.choice([0, 0, 1])) if number == 0 else []
        aliases = tuple(Fingerprint(algorithm=one.algorithm, value=fingerprint(old)) for old in former)
        found.append(msgspec.structs.replace(one, ordinal=number + 1, aliases=aliases))
    return found


@settings(deadline=None, max_examples=400)
@given(st.randoms(use_true_random=False))
def test_waivers_are_shared_out_as_the_gate_does(program: ModuleType, chance: random.Random) -> None:
    """Own and former names, names that are gone, several waivers of one name, and some that fit some twins alone."""
    kin = made_twins(chance)
    names = [*(one.fingerprint for one in kin), *map(fingerprint, ("g0", "g1", "g2"))]
    group = twin_group(kin[0])
    waivers = [TwinWaiver(fingerprint=chance.choice(names), group=group) for _ in range(chance.randint(1, 4))]
    bounds = [
        Bound(form="text", values=(DIGEST,), severity=chance.choice(LEVELS), scanners=chance.choice(TOOLS))
        for _ in waivers
    ]
    facts: list[Any] = [msgspec.to_builtins(facts_of(one)) for one in kin]

    def rank(at: int, twin: Seen) -> tuple[int, int]:
        fits = program.holds(msgspec.to_builtins(bounds[at]), facts[kin.index(twin.finding)])
        return 0 if fits else 1, at

    gate = share_out(map(Seen, kin), waivers, rank)
    found = ((one, gate[one.fingerprint]) for one in kin if one.fingerprint in gate)
    by_gate = {one.fingerprint: waivers[at].fingerprint for one, at in found if rank(at, Seen(one))[0] == 0}
    rows = [
        {
            "facts": told,
            "called": {seen.fingerprint, *(one.value for one in seen.aliases)},
            "group": group,
            "wholes": set(),
            "apart": set(),
        }
        for told, seen in zip(facts, kin, strict=True)
    ]
    said = [
        {"said": {"subject": {"type": "finding", **msgspec.to_builtins(one)}, "bound": msgspec.to_builtins(bound)}}
        for one, bound in zip(waivers, bounds, strict=True)
    ]
    held = {kin[at].fingerprint: name for name, at in program.share_out(rows, said).items()}
    assert held == by_gate
