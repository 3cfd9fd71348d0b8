"""Policies as their authors work on them: a layer looked over, listed, and tested, with nothing scanned or judged."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from secgate import config, registry
from secgate.config import Machine
from secgate.engines.regorus import RegorusChild, RegorusEngine
from secgate.errors import PolicyError, UsageError
from secgate.model import Value
from secgate.policy import Layer, LayerName, effective_data, layer_data, load_layer, load_vocabulary, tree
from secgate.policy.accounts import (
    CaseResult,
    ListedLayer,
    ListedRule,
    PolicyFault,
    PolicyLint,
    PolicyList,
    PolicyTests,
    RuleResult,
)
from secgate.policy.layers import MAX_MODULE_BYTES, SETS
from secgate.policy.testing import (
    QUESTION,
    TEST_SUFFIX,
    RegoTest,
    SetRule,
    find_tests,
    question,
    set_rules,
    without,
)
from secgate.policy.tree import Module
from secgate.ports import Engine, PolicyModule, SyntaxReader
from secgate.preparation import (
    RunRequest,
    Silence,
    Workshop,
    guarded_reader,
    named_policies,
    policy_layers,
    prepare,
    read_enforced,
    shipped_files,
    workshop,
)
from secgate.resources import data_dir

FACTS = "tests/facts_test.rego"
"""The shipped documents for tests, `data.secgate.tests.facts`, which the tests of other layers may import."""
TEST_LIMIT_S = 60.0
_TESTED_SETS = frozenset().union(*SETS.values())


class PolicySource(Value, frozen=True, kw_only=True):
    """Which policies are meant.

    `folder` "" is what the settings of the tree name. `layer` "" is the organisation's where the folder is an enforced
    layer (it holds enforced.toml), else the repository's; `shipped` needs no folder.
    """

    folder: str = ""
    layer: LayerName | None = None
    enforced: str = ""


def lint_policies(source: PolicySource, *, machine: Machine, now: datetime) -> PolicyLint:
    """Give every fault of a layer. Raises UsageError where there is no policy, PolicyError where nothing can look."""
    with workshop(machine, now=now, observer=Silence()) as shop:
        name, files = _files(source, machine)
        reader = guarded_reader(machine, runner=shop.executor, scratch=shop.scratch)
        faults = _unread(_modules(files), reader)
        if not faults:
            try:
                _compiled(name, files, *_layers(name, files, source, shop), shop=shop)
            except PolicyError as error:
                told = error.faults or ((error.place, error.what, error.remedy),)
                faults += [
                    PolicyFault(place=place, what=what, remedy=remedy, by="secgate") for place, what, remedy in told
                ]
        checked = [f"secgate with regorus {RegorusEngine().version}"]
        checker = registry.policy_checker(machine=machine, runner=shop.executor, scratch=shop.scratch)
        if checker is not None:
            checked.append(f"{checker.name} {checker.version}")
            schema = (data_dir("policies") / "schema" / "input.json").read_bytes()
            theirs = checker.check((*_support(name), *_modules(files)), schema=schema)
            faults += [_fault(one, "opa") for one in theirs]
        return PolicyLint(layer=name, modules=len(_modules(files)), faults=tuple(faults), checked_by=tuple(checked))


def list_policies(path: str, *, enforced: str, machine: Machine, now: datetime) -> PolicyList:
    """Give what a run of the tree at `path` would judge by. Raises what such a run would."""
    with workshop(machine, now=now, observer=Silence()) as shop:
        request = RunRequest(path=path, enforced=enforced)
        prepared = prepare(request, machine=machine, runner=shop.executor, scratch=shop.scratch)
        off = frozenset(prepared.settings.disabled_rules)
        return PolicyList(
            engine=f"{prepared.engine.name} {prepared.engine.version}",
            profile=prepared.settings.profile,
            layers=tuple(_listed(layer, off) for layer in prepared.layers),
            data={
                name: layer.name
                for layer in prepared.layers
                if layer.name != "repository"
                for name in msgspec.json.decode(layer.data, type=dict[str, object])
            },
            enforced_digest=prepared.enforced.digest,
        )


def _listed(layer: Layer, off: frozenset[str]) -> ListedLayer:
    paths: dict[str, list[str]] = {}
    for module, package in zip(layer.modules, layer.packages, strict=True):
        paths.setdefault(package, []).append(module.path)
    rules = []
    for package in sorted(paths):
        if package.startswith("secgate.rules."):
            sets = tuple(sorted(SETS[layer.name] & set(layer.exported[package])))
            is_off = layer.name == "shipped" and package.rpartition(".")[2] in off
            rules.append(ListedRule(package=package, paths=tuple(paths[package]), sets=sets, off=is_off))
    return ListedLayer(
        name=layer.name,
        digest=layer.digest,
        rules=tuple(rules),
        data=tuple(sorted(msgspec.json.decode(layer.data, type=dict[str, object]))),
        libraries=tuple(sorted(package for package in paths if not package.startswith("secgate.rules."))),
    )


def try_policies(source: PolicySource, *, engines: Sequence[str], machine: Machine, now: datetime) -> PolicyTests:
    """Run a layer's tests in each engine, and see which rules they would miss, in the embedded one.

    Raises UsageError where there is no policy or no such engine, PolicyError where a module does not load.
    """
    with workshop(machine, now=now, observer=Silence()) as shop:
        name, files = _files(source, machine)
        layer, data = _layers(name, files, source, shop)
        child = RegorusChild(runner=shop.executor, python=machine.python, directory=shop.scratch)
        written = tuple(module for module in _modules(files) if module.path.endswith(TEST_SUFFIX))
        tests = find_tests(_parsed(written, child))
        modules = (*_support(name), *layer.modules, *written)
        results: list[CaseResult] = []
        names = []
        for chosen in engines:
            engine = _engine(chosen, shop)
            names.append(f"{engine.name} {engine.version}")
            results += _results(tests, modules, data=data, engine=engine)
        rules = set_rules(_parsed(layer.rule_modules(), child), _TESTED_SETS)
        return PolicyTests(
            layer=name,
            digest=layer.digest,
            engines=tuple(names),
            tests=tuple(results),
            rules=_rules(rules, tests, modules, data=data, child=child),
        )


def _files(source: PolicySource, machine: Machine) -> tuple[LayerName, dict[str, bytes]]:
    """Give the layer that is meant and its files, tests included."""
    folder = source.folder
    if source.layer == "shipped":
        if folder:
            raise UsageError("the shipped layer has no folder of yours", place="--layer", remedy="leave the folder out")
        return "shipped", shipped_files()
    if folder and (source.layer == "organisation" or Path(machine.cwd, folder, config.ENFORCED_NAME).is_file()):
        return "organisation", read_enforced(str(Path(machine.cwd, folder)), tree="").policies
    return "repository", named_policies((folder,) if folder else _named_folders(machine), machine)


def _named_folders(machine: Machine) -> tuple[str, ...]:
    """Give the policy folders that the settings in the current folder name, as they stand there."""
    for name in (config.FILE_NAME, config.PYPROJECT):
        path = Path(machine.cwd, name)
        layer = config.parse_file(path.read_bytes(), name=name, trust="repository") if path.is_file() else None
        if layer is not None and (folders := config.resolve([layer]).settings.policies):
            return tuple(folders)
    raise UsageError(
        "no folder was named, and no settings here name one",
        remedy="give a folder with .rego files, or `--layer shipped`",
    )


def _modules(files: dict[str, bytes]) -> tuple[PolicyModule, ...]:
    """Give every module, tests included, as text. Raises PolicyError for one that is none."""
    found = []
    for path in sorted(files):
        if path.endswith(".rego"):
            try:
                found.append(PolicyModule(path=path, text=files[path].decode()))
            except UnicodeDecodeError as error:
                raise PolicyError("the module is not UTF-8 text", remedy="save it as UTF-8", place=path) from error
    return tuple(found)


def _layers(name: LayerName, files: dict[str, bytes], source: PolicySource, shop: Workshop) -> tuple[Layer, bytes]:
    """Load the layer and give it with the data that its rules see. Raises PolicyError for a fault in it."""
    enforced = read_enforced(source.enforced or shop.machine.env.get("SECGATE_ENFORCED", ""), tree="")
    reader = guarded_reader(shop.machine, runner=shop.executor, scratch=shop.scratch)
    if name == "shipped":
        vocabulary = load_vocabulary(files["schema/input.json"])
        layer = load_layer("shipped", files, reader=reader, vocabulary=vocabulary)
        return layer, effective_data(layer)
    organisation = files if name == "organisation" else enforced.policies
    own = files if name == "repository" else {}
    layers = {layer.name: layer for layer in policy_layers(organisation, own, reader=reader, guarded=reader)}
    effective = effective_data(layers["shipped"], layers.get("organisation"))
    return layers[name], layer_data(layers[name], effective)


_LOOKED_OVER = PolicyModule(path="lint.rego", text="package secgate.lint\n\nlooked_over := true\n")


def _compiled(name: LayerName, files: dict[str, bytes], layer: Layer, data: bytes, *, shop: Workshop) -> None:
    """Have the embedded engine take every module, tests too. Raises PolicyError for what it would not, as in a run."""
    child = RegorusChild(runner=shop.executor, python=shop.machine.python, directory=shop.scratch)
    written = (module for module in _modules(files) if module.path.endswith(TEST_SUFFIX))
    modules = (*_support(name), *layer.modules, *written, _LOOKED_OVER)
    child.evaluate(modules, data=data, document=b"{}", query="data.secgate.lint.looked_over", limit_s=TEST_LIMIT_S)


def _support(name: LayerName) -> tuple[PolicyModule, ...]:
    """Give what an engine of another layer than the shipped one holds beside its own, and the documents for tests."""
    if name == "shipped":
        return ()
    return tuple(
        PolicyModule(path=f"shipped:{path}", text=data.decode())
        for path, data in shipped_files().items()
        if path.endswith(".rego")
        if path == FACTS or not path.startswith(("rego/rules/", "tests/"))
    )


def _fault(told: tuple[str, str, str], by: str) -> PolicyFault:
    place, what, remedy = told
    return PolicyFault(place=place, what=what, remedy=remedy, by=by)


def _unread(modules: Sequence[PolicyModule], reader: SyntaxReader) -> list[PolicyFault]:
    """Give a fault for each module that does not parse; one that is too large is left to whoever loads the layer."""
    modules = [module for module in modules if len(module.text.encode()) <= MAX_MODULE_BYTES]
    try:
        reader.syntax(modules)
    except PolicyError:
        faults = []
        for module in modules:
            try:
                reader.syntax([module])
            except PolicyError as error:
                place = error.place or module.path
                faults.append(_fault((place, error.what, error.remedy), "secgate"))
        return faults
    return []


def _parsed(modules: Sequence[PolicyModule], reader: SyntaxReader) -> list[Module]:
    return [
        tree.read_module(node, path=module.path, text=module.text)
        for module, node in zip(modules, reader.syntax(modules), strict=True)
    ]


def _engine(name: str, shop: Workshop) -> Engine:
    """Give an engine by name, one that can be stopped; what it needs is read from the environment."""
    settings = config.resolve([config.environment_layer(shop.machine.env)]).settings.engine
    chosen = msgspec.structs.replace(settings, name=name)
    return registry.engine(chosen, machine=shop.machine, runner=shop.executor, scratch=shop.scratch)[1]


def _results(
    tests: Sequence[RegoTest], modules: Sequence[PolicyModule], *, data: bytes, engine: Engine
) -> list[CaseResult]:
    """Ask for all tests at once; where one cannot be evaluated, for each by itself, so that the others are told."""
    try:
        passed = _passing(tests, modules, data=data, engine=engine)
    except PolicyError as error:
        if len(tests) == 1:
            said = f"{error.place}: {error.what}" if error.place else error.what
            only = tests[0]
            return [CaseResult(name=only.name, place=only.place, engine=engine.name, passed=False, error=said)]
        return [one for test in tests for one in _results([test], modules, data=data, engine=engine)]
    return [
        CaseResult(name=test.name, place=test.place, engine=engine.name, passed=test.name in passed) for test in tests
    ]


def _passing(
    tests: Sequence[RegoTest], modules: Sequence[PolicyModule], *, data: bytes, engine: Engine
) -> frozenset[str]:
    if not tests:
        return frozenset()
    asked = (*modules, question(tests))
    answer = engine.evaluate(asked, data=data, document=b"{}", query=QUESTION, limit_s=TEST_LIMIT_S)
    return frozenset(msgspec.json.decode(answer.value, type=dict[str, bool]))


def _rules(
    rules: Sequence[SetRule],
    tests: Sequence[RegoTest],
    modules: Sequence[PolicyModule],
    *,
    data: bytes,
    child: RegorusChild,
) -> tuple[RuleResult, ...]:
    """Take each rule away in turn and see whether a test that passed no longer does."""
    good = [
        test for test, one in zip(tests, _results(tests, modules, data=data, engine=child), strict=True) if one.passed
    ]
    asked = (*modules, question(good))
    came = {}
    if good:
        came = {one.path: one for one in child.reached(asked, data=data, query=QUESTION, limit_s=TEST_LIMIT_S)}
    found = []
    for rule in rules:
        lines = range(rule.line, rule.last_line + 1)
        here = came.get(rule.path)
        hit = sum(line in lines for line in here.lines) if here else 0
        missed = sum(line in lines for line in here.missed) if here else 0
        left = _results(good, without(modules, rule), data=data, engine=child)
        found.append(
            RuleResult(
                package=rule.package,
                word=rule.word,
                place=rule.place,
                lines=hit + missed,
                reached=hit,
                tested=not all(one.passed for one in left),
            )
        )
    return tuple(found)
