"""What a layer may be made of, and what is refused before anything is judged."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from secgate.engines.regorus import RegorusEngine
from secgate.errors import PolicyError
from secgate.policy import Layer, Vocabulary, load_layer, tree
from secgate.policy.layers import MAX_MODULE_BYTES, MAX_MODULES

Load = Callable[..., Layer]

DENY = 'deny contains {"finding": f.fingerprint, "reason": "r"} if some f in input.findings\n'
OWN = "package secgate.rules.own\n" + DENY


def test_shipped_rules(shipped: Layer) -> None:
    assert shipped.rules == (
        *("coverage", "documents", "exploitation", "gate_changes", "new_critical_or_high", "overdue"),
        *("secrets_in_change", "sla"),
    )


def test_digest_covers_modules_and_data_alone(load: Load) -> None:
    one = load({"a.rego": OWN.encode(), "readme.md": b"x", "a_test.rego": b"broken {"})
    assert one.digest == load({"a.rego": OWN.encode()}).digest
    assert one.digest != load({"b.rego": OWN.encode()}).digest
    assert one.digest != load({"a.rego": OWN.encode(), "data/x.json": b'{"x": 1}'}).digest


def test_an_organisation_may_bring_data_alone(load: Load) -> None:
    assert load({"data/limits.json": b'{"limits": {}}'}).rules == ()


@pytest.mark.parametrize("files", [{}, {"a.txt": b""}, {"own_test.rego": OWN.encode()}])
def test_no_rule_is_refused(load: Load, files: dict[str, bytes]) -> None:
    with pytest.raises(PolicyError, match="organisation layer has no rule"):
        load(files)


@pytest.mark.parametrize(
    "package",
    [
        "main",
        "secgate.rule.own",
        "secgate.rules",
        "secgate.rules.a.b",
        "secgate.rules.Own",
        "policy",
        "secgate.rules.own_é",
    ],
)
def test_wrong_package_is_refused(load: Load, package: str) -> None:
    with pytest.raises(PolicyError) as caught:
        load(f"package {package}\n{DENY}")
    assert caught.value.place.startswith("own.rego:1")


@pytest.mark.parametrize("package", ["secgate.main", "secgate.lib.clock", "secgate.lib.mine", "secgate.rules.sentinel"])
@pytest.mark.parametrize("name", ["organisation", "repository"])
def test_what_judges_belongs_to_the_shipped_layer(load: Load, package: str, name: str) -> None:
    with pytest.raises(PolicyError, match="belongs to the shipped layer alone"):
        load(f"package {package}\n{DENY}", name)


def test_syntax_error_has_its_place(load: Load) -> None:
    with pytest.raises(PolicyError) as caught:
        load(OWN + "deny contains { if\n")
    assert caught.value.place.startswith("own.rego:3:")


@pytest.mark.parametrize(
    ("name", "word"),
    [("repository", "inconclusive"), ("repository", "obligations"), ("repository", "exempt"), ("shipped", "exempt")],
)
def test_sets_that_a_layer_may_not_add_to(load: Load, name: str, word: str) -> None:
    with pytest.raises(PolicyError, match=f"the {name} layer may not add to `{word}`"):
        load(OWN + f'{word} contains {{"finding": "x", "reason": "r"}}\n', name)


@pytest.mark.parametrize(
    "rule", ["deny := set()", "deny if true", "default deny := false", "deny(x) if x", "deny.x contains 1"]
)
def test_deny_that_is_no_set_is_refused(load: Load, rule: str) -> None:
    with pytest.raises(PolicyError, match="`deny` is not a set of elements here"):
        load(OWN.replace("secgate.rules.own", "secgate.rules.other") + rule + "\n")


def test_set_that_nothing_reads_is_refused(load: Load) -> None:
    with pytest.raises(PolicyError, match="nothing reads the set `dney`"):
        load(OWN + 'dney contains {"finding": "x", "reason": "r"}\n')


def test_package_without_a_word_is_refused(load: Load) -> None:
    with pytest.raises(PolicyError, match="adds to none of"):
        load({"a.rego": OWN.encode(), "b.rego": b"package secgate.rules.b\nx := 1\n"})


def test_too_much_is_refused(load: Load) -> None:
    with pytest.raises(PolicyError, match="bytes, and"):
        load(OWN + "#" * MAX_MODULE_BYTES)
    with pytest.raises(PolicyError, match="modules, and"):
        load({f"{number}.rego": b"" for number in range(MAX_MODULES + 1)})


def test_deep_tree_is_refused() -> None:
    deep: dict[str, object] = {}
    for _ in range(tree.MAX_DEPTH):
        deep = {"Array": deep}
    with pytest.raises(PolicyError, match="nested too deep"):
        tree.read_module({"ast": deep}, path="a.rego", text="")


def test_not_utf8_is_refused(load: Load) -> None:
    with pytest.raises(PolicyError, match="not UTF-8"):
        load({"a.rego": b"package secgate.rules.a\n# \xff"})


@pytest.mark.parametrize("data", [b"{", b"[]", b'{"other": 1}', b'{"x": 1, "y": 2}', b"\xff"])
def test_data_of_another_form_is_refused(load: Load, data: bytes) -> None:
    with pytest.raises(PolicyError) as caught:
        load({"a.rego": OWN.encode(), "data/x.json": data})
    assert caught.value.place == "data/x.json"


def test_own_data_can_be_read(load: Load) -> None:
    rule = OWN.replace('"r"}', '"r"}').replace(
        "some f in input.findings", "{\n\tsome f in input.findings\n\tf.owner in data.teams.names\n}"
    )
    layer = load({"a.rego": rule.encode(), "data/teams.json": b'{"teams": {"names": ["red"]}}'})
    assert layer.data == b'{"teams":{"names":["red"]}}'
    with pytest.raises(PolicyError, match="teams"):
        load({"a.rego": rule.encode()})


def test_shipped_layer_without_rules_is_refused(shipped_files: dict[str, bytes], vocabulary: Vocabulary) -> None:
    without = {path: text for path, text in shipped_files.items() if not path.startswith("rego/rules/")}
    with pytest.raises(PolicyError, match="shipped layer has no rule"):
        load_layer("shipped", without, reader=RegorusEngine(), vocabulary=vocabulary)
