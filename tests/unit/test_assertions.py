"""Assertions are tested completely or not at all, and what came of them is said in one word that promises nothing."""

from __future__ import annotations

from typing import Any

import pytest

from secgate.assertion_facts import UNITS, Item, ProtectedRunItem
from secgate.assertions import (
    Deviation,
    Module,
    Period,
    Population,
    Unmatched,
    conclude,
    evaluate,
    read_library,
    read_modules,
    require_modules,
    undecided,
)
from secgate.controls import Assertion, Guard, read_mapping
from secgate.engines.regorus import RegorusEngine
from secgate.errors import PolicyError
from secgate.evidence.checking import POPULATIONS
from secgate.model import encode
from secgate.ports import PolicyModule
from secgate.resources import data_dir, files_under

PERIOD = Period(from_epoch_s=1_767_225_600, to_epoch_s=1_769_644_800)
CONTROLS = data_dir("policies") / "controls"
MAPPING = read_mapping(dict(files_under(CONTROLS, ".json")))
WORDS = "rego/lib/words.rego"
LIBRARY = read_library({WORDS: (data_dir("policies") / WORDS).read_bytes()}, reader=RegorusEngine())
SHIPPED = (
    *LIBRARY,
    *read_modules(
        dict(files_under(CONTROLS, ".rego")),
        MAPPING.assertions.values(),
        reader=RegorusEngine(),
        is_ours=True,
        library=LIBRARY,
    ),
)


def assertion(**changes: Any) -> Assertion:
    import msgspec

    return msgspec.structs.replace(MAPPING.assertions["gate.enforced"], **changes)


def module(body: str, package: str = "secgate.assertions.gate_enforced") -> dict[str, bytes]:
    return {"own.rego": f"package {package}\n\n{body}\n".encode()}


def read(body: str, *, package: str = "secgate.assertions.gate_enforced") -> tuple[Module, ...]:
    own = read_modules(module(body, package), [assertion()], reader=RegorusEngine(), is_ours=False, library=LIBRARY)
    return (*LIBRARY, *own)


def said(body: str, *items: Item) -> tuple[Deviation, ...]:
    return evaluate(assertion(), items, PERIOD, modules=read(body), engine=RegorusEngine())


GOOD = """deviation contains {"item": r.id, "exception": "no_decision", "detail": "none"} if {
	some r in input.items
	r.outcome == ""
}"""


@pytest.mark.parametrize("name", sorted(MAPPING.assertions))
def test_every_shipped_assertion_finds_fault_with_what_nothing_is_known_of_and_names_all_it_says(name: str) -> None:
    one = MAPPING.assertions[name]
    assert one.population.origin in POPULATIONS
    assert evaluate(one, (), PERIOD, modules=SHIPPED, engine=RegorusEngine()) == ()
    require_modules([one], SHIPPED)


@pytest.mark.parametrize("unit", sorted(UNITS))
def test_facts_are_total_and_plain(unit: str) -> None:
    data = encode(UNITS[unit]())
    assert b"null" not in data
    assert b"." not in data


def test_only_what_deviates_is_said() -> None:
    bad, good = ProtectedRunItem(id="a"), ProtectedRunItem(id="b", outcome="pass", mode="enforce")
    assert said(GOOD, good, bad) == (Deviation(item="a", exception="no_decision", detail="none"),)


SEVERAL = """import data.secgate.lib.words

deviation contains {"item": r.id, "exception": "no_decision", "about": about, "detail": detail} if {
	some r in input.items
	r.outcome == ""
	some about, length in {"x": 3600, "y": 86400}
	some detail in {words.length(length), words.counted(1, "time"), words.counted(2, "time")}
}"""


def test_several_of_one_kind_are_told_apart_and_ways_to_say_one_are_put_together() -> None:
    told = [(one.about, one.detail) for one in said(SEVERAL, ProtectedRunItem(id="a"))]
    assert told == [("x", "1 h; 1 time; 2 times"), ("y", "1 time; 2 times; 24 h")]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (GOOD.replace('r.outcome == ""', 'r.outcome == "pass"'), "it finds nothing in an item of which nothing is"),
        (GOOD.replace("no_decision", "sloth"), "it says `sloth`, which is none of its exceptions"),
        (GOOD.replace("r.id", '"c"'), "it speaks of `c`, which is no item"),
        (GOOD.replace('"detail": "none"', '"detail": ""'), "an element is not of the form"),
        (GOOD.replace('"detail": "none"', '"detail": "none", "reason": "more"'), "an element is not of the form"),
        ('deviation contains "a" if input.period.to_epoch_s > 0', "an element is not of the form"),
    ],
)
def test_an_answer_that_cannot_be_trusted_is_void(body: str, why: str) -> None:
    with pytest.raises(PolicyError) as caught:
        said(body, ProtectedRunItem(id="a"))
    assert why in caught.value.what
    assert caught.value.place == "own.rego"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (GOOD.replace("r.outcome", "r.outcomes"), "outcomes"),
        (SEVERAL.replace("words.length", "words.duration"), "duration"),
        (SEVERAL.replace("lib.words", "lib.clock"), "clock"),
        (GOOD.replace("input.items", "input.item"), "item"),
        (GOOD.replace('r.outcome == ""', "r.outcome == input.params.limit"), "limit"),
        (GOOD.replace("deviation", "deviations"), "it says nothing"),
        (GOOD.replace('r.outcome == ""', "http.send({})"), "http.send"),
        ("deviation contains {", "own.rego"),
    ],
)
def test_a_module_that_refers_to_nothing_does_not_load(body: str, why: str) -> None:
    with pytest.raises(PolicyError) as caught:
        read(body)
    assert why in str(caught.value)
    assert "own.rego:" in str(caught.value)


@pytest.mark.parametrize(
    ("package", "why"),
    [("secgate.rules.gate_enforced", "call it"), ("secgate.assertions.other", "no assertion is tested by")],
)
def test_a_module_belongs_to_an_assertion(package: str, why: str) -> None:
    with pytest.raises(PolicyError, match=why):
        read(GOOD, package=package)


def test_a_package_is_there_once_and_every_assertion_has_one() -> None:
    twice = {**module(GOOD), "again.rego": module(GOOD)["own.rego"]}
    with pytest.raises(PolicyError, match="is there twice"):
        read_modules(twice, [assertion()], reader=RegorusEngine(), is_ours=True)
    with pytest.raises(PolicyError, match="has no module"):
        require_modules([assertion()], ())


@pytest.mark.parametrize("data", [b"\xff", b"#" * (64 * 1024 + 1)])
def test_what_is_no_module_is_refused(data: bytes) -> None:
    with pytest.raises(PolicyError):
        read_modules({"own.rego": data}, [assertion()], reader=RegorusEngine(), is_ours=True)


STILL = 'pending contains {"item": r.id, "detail": "not yet"} if {\n\tsome r in input.items\n\tr.outcome == "pass"\n}'


def waiting(pending: str, *items: Item) -> dict[str, str]:
    return dict(undecided(assertion(), items, PERIOD, modules=read(f"{GOOD}\n\n{pending}"), engine=RegorusEngine()))


def test_what_is_still_in_its_time_is_named_and_nothing_else() -> None:
    asked = ProtectedRunItem(id="a", outcome="pass"), ProtectedRunItem(id="b", outcome="fail")
    assert waiting(STILL, *asked) == {"a": "not yet, and its time was not over at the period's end"}
    assert waiting("", *asked) == {}


@pytest.mark.parametrize(
    ("pending", "why"),
    [
        (STILL.replace('"pass"', '""'), "it leaves an item of which nothing is known undecided"),
        (STILL.replace("r.id", '"c"'), "it leaves `c`, no item, undecided"),
        (STILL.replace('"not yet"', '""'), "an element of `pending` is not of the form"),
        (STILL.replace('"detail"', '"exception": "x", "detail"'), "an element of `pending` is not of the form"),
    ],
)
def test_a_module_that_leaves_too_much_undecided_is_void(pending: str, why: str) -> None:
    with pytest.raises(PolicyError, match=why):
        waiting(pending, ProtectedRunItem(id="a", outcome="pass"))


def test_an_engine_that_answers_nothing_is_no_pass() -> None:
    class Silent:
        name = version = "silent"

        def evaluate(self, *_: object, **__: object) -> Any:
            from secgate.ports import Answer

            return Answer(value=b"[]")

    modules = (Module(PolicyModule(path="own.rego", text=""), "secgate.assertions.gate_enforced", is_ours=True),)
    with pytest.raises(PolicyError, match="it finds nothing"):
        evaluate(assertion(), (), PERIOD, modules=modules, engine=Silent())


# ------------------------------------------------------------------------------------------------------------- conclude

A, B = ProtectedRunItem(id="a"), ProtectedRunItem(id="b")
BAD = Deviation(item="a", exception="no_decision", detail="none")
GUARD = Guard(input="age", op="lte", value=7)


def test_nothing_there_is_no_pass() -> None:
    found = conclude(assertion(), Population(), ())
    assert (found.result, found.population, found.tested) == ("no_occurrence", 0, 0)


def test_all_tested_and_none_deviates() -> None:
    found = conclude(assertion(), Population((A, B)), ())
    assert (found.result, found.population, found.tested, found.items) == ("no_deviation", 2, 2, ("a", "b"))


def test_deviating_counts_items_and_not_words() -> None:
    found = conclude(assertion(), Population((A, B)), (BAD, Deviation(item="a", exception="observe_mode", detail="x")))
    assert (found.result, found.deviating, len(found.deviations)) == ("deviation", 1, 2)


def test_a_reason_leaves_all_untested() -> None:
    found = conclude(assertion(), Population((A, B), reason="no list"), ())
    assert (found.result, found.reason, found.population, found.tested) == ("not_tested", "no list", 2, 0)


@pytest.mark.parametrize(
    ("facts", "result", "tested"),
    [
        ({"a": {"age": 7}, "b": {"age": 7}}, "no_deviation", 2),
        ({"a": {"age": 7}, "b": {"age": 8}}, "not_tested", 1),
        ({"a": {"age": 7}}, "not_tested", 1),
        ({"a": {"age": 7}, "b": {"age": "7"}}, "not_tested", 1),
    ],
)
def test_where_a_guard_does_not_hold_nothing_was_tested(facts: Any, result: str, tested: int) -> None:
    found = conclude(assertion(requires=(GUARD,)), Population((A, B), item_facts=facts), ())
    assert (found.result, found.tested) == (result, tested)


def test_what_deviates_deviates_whatever_its_guards_say() -> None:
    found = conclude(assertion(requires=(GUARD,)), Population((A, B)), (BAD,))
    assert (found.result, found.tested, [one.item for one in found.untested]) == ("deviation", 1, ["b"])
    assert found.untested[0].reason == "age is not known, and must be lte 7"


def test_what_no_ledger_can_tell_is_no_pass_and_hides_nothing() -> None:
    assert conclude(assertion(), Population((A,)), (), blind="begins later").result == "not_tested"
    assert conclude(assertion(), Population(), (), blind="begins later").result == "not_tested"
    assert conclude(assertion(), Population((A,)), (BAD,), blind="begins later").result == "deviation"


def test_lists_are_told_apart_only_where_the_assertion_asks_for_it() -> None:
    told = Unmatched(left="l", right="r", left_unmatched=("a",))
    assert conclude(assertion(), Population((A,), unmatched=told), ()).unmatched is None
    asked = assertion(reconcile=MAPPING.assertions["change.gated"].reconcile)
    assert conclude(asked, Population((A,), unmatched=told), ()).unmatched == told
