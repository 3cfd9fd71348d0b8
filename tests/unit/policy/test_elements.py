"""What a rule writes into a set has the set's form, or the policy is refused before any run."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from secgate.errors import PolicyError
from secgate.policy import Layer
from secgate.policy.elements import FORMS
from secgate.policy.layers import SETS

Load = Callable[..., Layer]

HEAD = "package secgate.rules.own\n\n"
BODY = ' if {\n\tsome f in input.findings\n\tf.severity == "high"\n}\n'

WRONG = {
    "a field misspelt": ('deny contains {"finding": f.fingerprint, "raeson": "x"}', "no field `raeson`", "`reason`"),
    "a field of another set": (
        'warn contains {"finding": f.fingerprint, "limit_s": 3}',
        "no field `limit_s`",
        "it may",
    ),
    "a reason missing": ('deny contains {"finding": f.fingerprint}', "lacks `reason`", "add it"),
    "no subject": ('inconclusive contains {"reason": "x"}', "names no subject", "exactly one"),
    "a subject that is null": ('deny contains {"finding": null, "reason": "x"}', "names no subject", "exactly one"),
    "two subjects": (
        'deny contains {"run": true, "finding": f.fingerprint, "reason": "x"}',
        "names finding and run",
        "exactly one",
    ),
    "a gap without its lane": (
        'deny contains {"finding": f.fingerprint, "gap": "g", "reason": "x"}',
        "`gap` stands only beside `lane`",
        "lane",
    ),
    "a whole finding": ('deny contains {"finding": f, "reason": "x"}', "`finding` of an element is a text", "decision"),
    "an empty reason": ('deny contains {"finding": f.fingerprint, "reason": ""}', "length >= 1", "decision"),
    "a number for a text": (
        'deny contains {"finding": f.fingerprint, "reason": f.score_x10}',
        "`reason` of an element is a text, not an integer",
        "decision",
    ),
    "a list for a text": (
        'deny contains {"finding": f.fingerprint, "reason": f.advisories}',
        "`reason` of an element is a text, not a list",
        "decision",
    ),
    "a lane that is none": ('deny contains {"lane": "sats", "reason": "x"}', "Invalid enum value 'sats'", "decision"),
    "a run that is not": ('deny contains {"run": false, "reason": "x"}', "`run` of an element of `deny`", "decision"),
    "a text alone": ('deny contains sprintf("%s", [f.path])', "is an object, not a text", '{"finding"'),
    "a fact": ("deny contains f", "is an object, not a fact", '{"finding"'),
    "a plain fact": ("deny contains f.path", "is an object, not a plain value", '{"finding"'),
    "a limit in words": (
        'obligations contains {"finding": f.fingerprint, "basis": "b", "start_epoch_s": 1, "limit_s": "3 days"}',
        "`limit_s` of an element of `obligations`: Expected `int`",
        "decision",
    ),
    "an end misspelt": (
        'exempt contains {"finding": f.fingerprint, "reason": "b", "expires": 5}',
        "no field `expires`",
        "`expires_epoch_s`",
    ),
}


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG.keys())
def test_an_element_of_a_wrong_form_is_refused_with_its_place(load: Load, case: tuple[str, str, str]) -> None:
    head, what, remedy = case
    with pytest.raises(PolicyError) as caught:
        load(HEAD + head + BODY)
    assert (caught.value.place[:11], what in caught.value.what) == ("own.rego:3:", True), caught.value.what
    assert remedy in caught.value.remedy


def test_an_element_that_the_body_names_is_followed(load: Load) -> None:
    body = BODY.replace("}\n", '\te := d\n\td := {"finding": f.fingerprint, "msg": "x"}\n}\n')
    with pytest.raises(PolicyError, match=r"own.rego:7:\d+: an element of `deny` has no field `msg`"):
        load(HEAD + "deny contains e" + body)


@pytest.mark.parametrize(
    "head",
    [
        'deny contains {"finding": f.fingerprint, "reason": sprintf("%s", [f.path]), "remedy": ""}',
        'deny contains {"lane": f.lane, "reason": "x"}',
        'deny contains {"run": true, "reason": "x"}',
        'deny contains object.union({"finding": f.fingerprint}, {"reason": "x"})',
        'exempt contains {"finding": f.fingerprint, "reason": "x", "expires_epoch_s": input.evaluated_at_epoch_s}',
        'obligations contains {"finding": f.fingerprint, "basis": "b", "start_epoch_s": 1, "limit_s": 3 * 86400}',
        'obligations contains {"finding": f.fingerprint, "basis": "b", "start_epoch_s": 1, "limit_s": 1, "rule": "x"}',
    ],
)
def test_what_may_be_right_is_let_through(load: Load, head: str) -> None:
    assert load(HEAD + head + BODY).rules == ("own",)


def test_every_set_has_a_form() -> None:
    assert set(FORMS) == set().union(*SETS.values())


CALLED = {
    "a field misspelt": ('{"finding": f.fingerprint, "raeson": why}', "no field `raeson`"),
    "a reason missing": ('{"finding": f.fingerprint}', "lacks `reason`"),
    "a number for a text": ('{"finding": f.fingerprint, "reason": 3}', "Expected `str`"),
    "a text alone": ('"why"', "is an object, not a text"),
    "through a name": ("made", "no field `raeson`"),
    "through another function": ("deeper(f, why)", "no field `raeson`"),
}


def _called(functions: str) -> str:
    body = BODY.replace("{\n", "{\n\tmade_here := element(f, f.path)\n", 1)
    return f"{HEAD}{functions}\ndeny contains made_here{body}"


@pytest.mark.parametrize("case", CALLED)
def test_what_a_function_writes_out_has_the_form_too(load: Load, case: str) -> None:
    value, what = CALLED[case]
    function = f'element(f, why) := {value} if {{\n\tmade := {{"finding": f.fingerprint, "raeson": why}}\n\tmade\n}}\n'
    deeper = 'deeper(f, why) := {"finding": f.fingerprint, "raeson": why}\n'
    with pytest.raises(PolicyError, match=what):
        load(_called(f"{function}\n{deeper}"))


RIGHT = {
    "right": 'element(f, why) := {"finding": f.fingerprint, "reason": why}\n',
    "two definitions": (
        'element(f, why) := {"finding": f.fingerprint, "reason": why} if why != ""\n\n'
        'element(f, why) := {"other": f.fingerprint} if why == ""\n'
    ),
    "two values": (
        'element(f, why) := {"finding": f.fingerprint, "reason": why} if {\n\twhy != ""\n} else := {"other": why}\n'
    ),
    "made by a library": 'element(f, why) := object.union({"finding": f.fingerprint}, {"reason": why})\n',
}


@pytest.mark.parametrize("case", RIGHT)
def test_what_a_function_may_write_out_is_let_be(load: Load, case: str) -> None:
    load(_called(RIGHT[case]))


def test_a_function_that_goes_on_in_another_module_is_let_be(load: Load) -> None:
    rule = _called('element(f, "a") := {"other": f.path}\n')
    more = f'{HEAD}element(f, why) := {{"finding": f.fingerprint, "reason": why}} if why != "a"\n'
    load({"a.rego": rule.encode(), "b.rego": more.encode()})
    with pytest.raises(PolicyError, match="no field `other`"):
        load(rule)
