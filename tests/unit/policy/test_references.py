"""Planted misspellings are found where they stand; what is right is let through."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from secgate.engines.opa_eval import OpaEvalEngine
from secgate.errors import PolicyError
from secgate.executors.local import LocalExecutor
from secgate.policy import Layer
from secgate.ports import PolicyModule

Load = Callable[..., Layer]

MODULE = """package secgate.rules.own

import data.secgate.lib.words
import input.run as r

helper(f) := f.path

criticals contains f if {{
	some f in input.findings
	f.severity == "critical"
}}

deny contains {{"finding": f.fingerprint, "reason": "own"}} if {{
	some f in input.findings
	{body}
}}

warn contains {{"finding": f.fingerprint, "reason": "own"}} if some f in criticals
"""

WRONG = {
    "dot": ('f.severty == "high"', "severty"),
    "bracket": ('f["severty"] == "high"', "severty"),
    "constant in a name": ('k := "severty"; f[k] == "high"', "severty"),
    "object.get": ('object.get(f, "severty", "") == "high"', "severty"),
    "object.get with a path": ('object.get(f, ["package", "nam"], "") == "x"', "nam"),
    "object.get of a constant": ('k := "severty"; object.get(f, k, "") == "high"', "severty"),
    "wildcard": ('input.findings[_].severty == "high"', "severty"),
    "index variable": ('some i; input.findings[i].severty == "high"', "severty"),
    "below": ('f.package.nam == "x"', "nam"),
    "of the input": ("input.findngs[0].path == f.path", "findngs"),
    "of the run, on a finding": ('f.scope == "change"', "scope"),
    "import": ('r.scop == "change"', "scop"),
    "negated": ("not f.waved", "waved"),
    "comprehension": ('count([x | some x in input.gaps; x.pth == ""]) > 0', "pth"),
    "in a comprehension's items": ("xs := [g | some g in input.gaps]; some x in xs; x.pth == f.path", "pth"),
    "every": ('every g in input.gaps { g.pth == "" }', "pth"),
    "pattern": ('some {"severty": s} in input.findings; s == f.severity', "severty"),
    "unified pattern": ('{"nam": n} = f.package; n == "x"', "nam"),
    "rule of its own": ('some c in criticals; c.severty == "high"', "severty"),
    "function's argument": ("wrong(f)", "severty"),
    "with": ("count(criticals) > 0 with input.findngs as []", "findngs"),
    "data": ("f.score_x10 > data.limits.severty_s.high", "severty_s"),
    "data below a computed key": ('data.profiles.named[input.run.profile].oldr_gaps == "warn"', "oldr_gaps"),
    "another module": ("words.lenth(f.seconds_open) == f.path", "lenth"),
    "of a text": ("f.severity.high", "high"),
    "of a list": ("input.findings.severity == f.severity", "severity"),
    "wrong choice": ('f.severity == "Critical"', "Critical"),
    "wrong choice, other side": ('"hihg" == f.severity', "hihg"),
    "wrong choice in a set": ('f.severity in {"critical", "hihg"}', "hihg"),
    "wrong choice, not equal": ('f.state != "newly_detectable"', "newly_detectable"),
    "json.filter": ('json.filter(f, ["severty"]) == {}', "severty"),
    "object.subset": ('object.subset(f, {"severty": "high"})', "severty"),
    "wrong choice in a subset": ('object.subset(f, {"severity": "hihg"})', "hihg"),
    "key of an object": ('some k, v in f; k == "severty"; v == "high"', "severty"),
    "key in every": ('every k, v in f { k != "severty"; v != "" }', "severty"),
    "among the keys": ('"severty" in object.keys(f)', "severty"),
    "an input of its own": ('count(criticals) > 0 with input as {"findngs": []}', "findngs"),
}


@pytest.mark.parametrize(("body", "name"), WRONG.values(), ids=WRONG.keys())
def test_misspelt_is_refused_with_its_place(load: Load, body: str, name: str) -> None:
    text = MODULE.format(body=body)
    if "wrong(" in body:
        text += '\nwrong(f) if f.severty == "high"\n'
    with pytest.raises(PolicyError, match=name) as caught:
        load(text)
    file, line, _ = caught.value.place.split(":")
    assert file == "own.rego"
    assert name in text.splitlines()[int(line) - 1]


SAME = {
    "text with a number": "f.severity == 5",
    "number with a text": 'f.line > "30"',
    "with null": "f.symbol == null",
    "not with null": "f.symbol != null",
    "object unified with null": "f.package = null",
    "number in texts": 'f.line in {"30", 31}',
    "text in numbers": '"CWE-78" in f.cwes',
    "item of numbers": 'f.cwes[_] == "CWE-78"',
    "text in a pattern": 'some {"line": "30"} in input.findings',
    "by a name": 'line := f.line; line == "30"',
    "text with a list": 'f.severity == ["high"]',
    "text with a set": 'f.severity == {"high"}',
    "text with an object": 'f.path == {"a": 1}',
    "object with a list": "f.package == []",
}


@pytest.mark.parametrize("body", SAME.values(), ids=SAME.keys())
def test_a_comparison_with_one_answer_is_refused_with_its_place(load: Load, body: str) -> None:
    with pytest.raises(PolicyError, match=r"compared with .* the answer is always the same") as caught:
        load(MODULE.format(body=body))
    assert caught.value.place.startswith("own.rego:15:")


NEVER = {
    "of a set": '{"hihg", "critical"}[f.severity]',
    "of a table": '{"high": 7, "hihg": 9}[f.severity] == f.line',
}


@pytest.mark.parametrize("body", NEVER.values(), ids=NEVER.keys())
def test_a_key_that_is_never_asked_for_is_refused(load: Load, body: str) -> None:
    with pytest.raises(PolicyError, match='"hihg" is not one of'):
        load(MODULE.format(body=body))


def test_fields_without_a_choice_in_common_are_never_the_same(load: Load) -> None:
    with pytest.raises(PolicyError, match=r"one of absent, .* is compared with one of change, .* can never hold"):
        load(MODULE.format(body="f.state == input.run.scope"))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('startwith(f.path, "a")', "no function `startwith` that every engine has"),
        ('io.jwt.decode(f.path)[0] == "x"', "no function `io.jwt.decode` that every engine has"),
        ('words.lenth(f.seconds_open) == ""', "no field `lenth`"),
        ("count(f.cwes, 1, 2)", "`count` takes 1 argument, and 3 are given"),
        ("startswith(f.path)", "`startswith` takes 2 arguments, and 1 are given"),
    ],
)
def test_a_function_that_is_none_is_refused_where_it_is_never_reached_too(load: Load, body: str, said: str) -> None:
    """The embedded engine looks a function up when it calls it, and would pass over this one in silence."""
    with pytest.raises(PolicyError, match=said):
        load(MODULE.format(body=f'f.path == "never"; {body}'))


def test_a_function_like_no_other_has_a_remedy_too(load: Load) -> None:
    with pytest.raises(PolicyError) as caught:
        load(MODULE.format(body="zzzz(f.path)"))
    assert caught.value.remedy == "do without it, or write a function of your own"


def test_a_function_of_another_module_of_the_package_is_called(load: Load) -> None:
    assert load(MODULE.format(body="helper(f) == f.path; count(f.cwes, n); n == 1")).rules == ("own",)


def test_words_have_no_order(load: Load) -> None:
    with pytest.raises(PolicyError, match="compared by their letters"):
        load(MODULE.format(body='f.severity >= "high"'))


RIGHT = (
    'f.line > 30; f.symbol >= "a"; 78 in f.cwes; f.secret == true; f.line in {30, 31}',
    'f.severity == "high"',
    'f["severity"] in {"high", "critical"}',
    'k := "severity"; f[k] == "high"',
    'object.get(f, ["package", "name"], "") == "x"',
    "some i; input.findings[i].package.version == f.package.version",
    "some k, v in f.package; v == k",
    'm := {"mine": 1}; m.mine == 1',
    "f.score_x10 > data.limits.severity_s[f.severity]",
    'every g in input.gaps { g.path == "" }',
    'r.scope == "protected"; words.length(f.seconds_open) != ""',
    "helper(f) == f.path",
    'some {"path": p} in input.gaps; p == f.path',
    'parts := split(f.path, chr); chr := "/"; parts[count(parts) - 1] == f.symbol',
    'regex.match("^a", f.path)',
    'data.profiles.named[input.run.profile].older_gaps == "warn"',
    'object.subset(f, {"severity": "high", "package": {"name": "x"}})',
    'some k, v in f; k in {"severity", "path"}; v == "high"',
    '"severity" in object.keys(f)',
    "count(criticals) > 0 with data.limits as {}",
    'count(criticals) > 0 with input as object.union(input, {"findings": []})',
)


@pytest.mark.parametrize("body", RIGHT)
def test_right_is_let_through(load: Load, body: str) -> None:
    assert load(MODULE.format(body=body)).rules == ("own",)


@pytest.mark.parametrize(
    "body", ["some k in [f.path]; f[k] == 1", "some k in [f.path]; object.get(f, k, 0) == 1", "pick(f)"]
)
def test_computed_field_is_refused(load: Load, body: str) -> None:
    text = MODULE.format(body=body) + "\npick(o) if { some k in [o.path]; o[k] == 1 }\n"
    with pytest.raises(PolicyError, match="computed"):
        load(text)


@pytest.mark.parametrize(
    "name",
    ["time.now_ns()", 'http.send({"url": "x", "method": "get"})', 'rand.intn("a", 2)', "opa.runtime()"],
)
def test_what_is_not_of_the_input_is_refused(load: Load, name: str) -> None:
    with pytest.raises(PolicyError, match=r"not allowed.*function of its input") as caught:
        load(MODULE.format(body=f"{name} == f.line"))
    assert caught.value.place.startswith("own.rego:15:")


@pytest.mark.parametrize("head", ['"x": f.cwes[0]', '"x": helper(f)', '"x": data.limits.severity_s[f.severity]'])
def test_head_that_may_be_undefined_is_refused(load: Load, head: str) -> None:
    text = MODULE.format(body="true").replace('"reason": "own"}', f'"reason": "own", {head}}}', 1)
    with pytest.raises(PolicyError, match="undefined in the rule's head"):
        load(text)


ACCOUNTS = b"""{"accounts": {"version": 1, "listed": [
  {"team": "pay", "budget": {"open": 3}}, {"team": "web", "budget": 7, "lead": {"name": "ada"}}]}}"""
LISTED = """package secgate.rules.own

deny contains {{"finding": f.fingerprint, "reason": "own"}} if {{
	some f in input.findings
	some one in data.accounts.listed
	{body}
}}
"""


@pytest.mark.parametrize(
    "body",
    [
        "one.team == f.owner",
        "one.budget.open < f.line",
        'one.lead.name == ""',
        "data.accounts.listed[0].team != f.owner",
    ],
)
def test_fields_of_data_in_a_list_may_be_read(load: Load, body: str) -> None:
    load({"own.rego": LISTED.format(body=body).encode(), "data/accounts.json": ACCOUNTS})


@pytest.mark.parametrize("body", ["one.taem == f.owner", "one.budget.opn < f.line", "one.lead.nme == f.owner"])
def test_fields_that_no_item_of_a_list_has_are_refused(load: Load, body: str) -> None:
    with pytest.raises(PolicyError, match="there is no field") as caught:
        load({"own.rego": LISTED.format(body=body).encode(), "data/accounts.json": ACCOUNTS})
    assert caught.value.place.startswith("own.rego:6:")


@pytest.mark.parametrize(("start", "end"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_data_that_is_nested_very_deep_is_only_not_known_below(load: Load, start: bytes, end: bytes) -> None:
    deep = b'{"accounts": {"listed": [], "deep": ' + start * 800 + b"1" + end * 800 + b"}}"
    layer = load({"own.rego": LISTED.format(body="one.rule == f.owner").encode(), "data/accounts.json": deep})
    assert layer.sources


def test_all_faults_are_said_at_once(load: Load) -> None:
    with pytest.raises(PolicyError, match=r"and 1 more.*symbl"):
        load(MODULE.format(body='f.severty == "high"; f.symbl == ""'))


OURS_ALONE = {
    "constant in a name",
    "object.get",
    "object.get with a path",
    "object.get of a constant",
    "function's argument",
    "data",
    "data below a computed key",
    "every",
    "with",
    "wrong choice",
    "wrong choice, other side",
    "wrong choice in a set",
    "wrong choice, not equal",
    "json.filter",
    "object.subset",
    "wrong choice in a subset",
    "key of an object",
    "key in every",
    "among the keys",
    "an input of its own",
}
"""What `opa check` lets through: it follows no names, calls and data, and knows no choices."""


@pytest.fixture
def opa_check(shipped: Layer, shipped_files: dict[str, bytes], tmp_path: Path) -> Callable[[str], list[str]]:
    """Give what tells the places at which `opa check` sees a fault in a module."""
    opa = shutil.which("opa")
    if opa is None:
        pytest.skip("no opa on PATH")
    runner = LocalExecutor(environment={}, scratch=str(tmp_path), python=sys.executable, parallel=1)
    engine = OpaEvalEngine(runner=runner, executable=opa, version="", directory=str(tmp_path))

    def places(text: str) -> list[str]:
        modules = [*shipped.ground(), PolicyModule(path="own.rego", text=text)]
        return [place for place, _, _ in engine.check(modules, schema=shipped_files["schema/input.json"])]

    return places


@pytest.mark.parametrize(("name", "case"), WRONG.items(), ids=WRONG.keys())
def test_opa_check_agrees(opa_check: Callable[[str], list[str]], name: str, case: tuple[str, str]) -> None:
    body, word = case
    text = MODULE.format(body=body) + ('\nwrong(f) if f.severty == "high"\n' if "wrong(" in body else "")
    for line, use in (("import data.secgate.lib.words\n", "words."), ("import input.run as r\n", "r.scop")):
        # An import that is not used is a fault of its own to `--strict`.
        text = text if use in body else text.replace(line, "")
    faults = opa_check(text)
    if name in OURS_ALONE:
        # When opa learns to see one of these, the list above gets shorter.
        assert not faults
    else:
        assert faults
        rows = [text.splitlines()[int(place.split(":")[1]) - 1] for place in faults]
        assert any(word in row for row in rows)


READ = (
    ("import input.run as r", 'bad(s) if r.scope == s', "`input.run`"),
    ("import input.run as r", 'bad(s) := r.scope if s == ""', "`input.run`"),
    ("import input.run as r", 'bad(s) if count([1 | r.scope == s]) > 0', "`input.run`"),
    ("import input.findings", "bad(s) if some f in findings", "`input.findings`"),
    ("import data.limits", "bad(s) if data.limits.severity_s[s] > limits.severity_s.low", "`data.limits`"),
)  # fmt: skip


@pytest.mark.parametrize(("line", "function", "whole"), READ)
def test_an_import_that_a_function_reads_is_refused(load: Load, line: str, function: str, whole: str) -> None:
    deny = 'deny contains {"run": true, "reason": "x"} if bad("a")'
    text = f"package secgate.rules.own\n\n{line}\n\n{function}\n\n{deny}\n"
    with pytest.raises(PolicyError, match="is read in a function") as caught:
        load(text)
    assert caught.value.place.startswith("own.rego:5:")
    assert whole in caught.value.remedy


@pytest.mark.parametrize(
    "function",
    ["bad(s) if words.length(5) == s", "bad(r) if r == 5", "bad(s) if input.run.scope == s; x if r.dirty"],
)
def test_calls_arguments_and_rules_may_use_an_import(load: Load, function: str) -> None:
    lines = function.replace("; ", "\n\n")
    head = "package secgate.rules.own\n\nimport data.secgate.lib.words\nimport input.run as r\n\n"
    assert load(head + lines + '\n\ndeny contains {"run": true, "reason": "x"} if bad("a")\n').rules == ("own",)
