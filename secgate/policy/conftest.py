"""Policies in Conftest's shape: a package of one's own, `deny`, `violation` and `warn` rules that give messages.

They know nothing of findings. Each is asked about one document at a time, as `input`; what it says becomes a fact that
the policy judges. Conftest passes in silence where a namespace is misspelt (its issue 298): here that is an error, and
so is a rule that no namespace reads. Source: Conftest's documentation, "Policies" and "Options: namespace".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec import Struct

from secgate.errors import PolicyError
from secgate.model import Value
from secgate.policy import tree
from secgate.policy.documents import DocumentFacts
from secgate.policy.faults import Fault, raise_faults
from secgate.policy.layers import MAX_MODULE_BYTES, MAX_MODULES, is_module
from secgate.policy.recursion import recursion_faults
from secgate.policy.references import answers_alike
from secgate.policy.tree import Module
from secgate.ports import PolicyModule, SyntaxReader

QUERY = "data.secgate_conftest.said"
MAX_SAID = 10_000
"""Messages of one set of policies; past it the run has no decision."""
MAX_MESSAGE = 1_000

_RULE = re.compile(r"(deny|violation|warn)(?:_[A-Za-z0-9_]+)?")
_EXCEPTION = re.compile(r"exception(?:_[A-Za-z0-9_]+)?")
_NAMESPACE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*")


class ConftestRule(Value, frozen=True, kw_only=True):
    """One rule by its full name, `main.deny_public`, and what it means."""

    name: str
    denies: bool


class ConftestPolicies(Value, frozen=True, kw_only=True):
    """A checked set of policies."""

    modules: tuple[PolicyModule, ...]
    rules: tuple[ConftestRule, ...]


class _Said(Struct, frozen=True, kw_only=True):
    document: int
    rule: str
    message: object


def load_conftest(
    files: Mapping[str, bytes], namespaces: Sequence[str], *, layer: str, reader: SyntaxReader
) -> ConftestPolicies:
    """Check a set's files. Raises PolicyError, with file and line, for what would pass in silence or differ by engine.

    That is: a text that does not parse in Rego of today or of before, a namespace without a rule, a rule in a package
    that is no namespace, an `exception` (a waiver has an end and an approver), and a function that is not allowed.
    """
    modules = _modules(files, reader)
    parsed = [
        tree.read_module(node, path=module.path, text=module.text)
        for module, node in zip(modules, reader.syntax(modules), strict=True)
    ]
    wrong = [name for name in namespaces if _NAMESPACE.fullmatch(name) is None]
    if wrong:
        raise PolicyError(f"`{wrong[0]}` is no namespace", place="conftest.namespaces", remedy="write it as `main`")
    rules, faults = _rules(parsed, frozenset(namespaces))
    named: dict[str, set[str]] = {}
    for module in parsed:
        named.setdefault(module.package, set()).update(map(tree.rule_name, module.rules))
    unequal = (fault for module in parsed for fault in answers_alike(module, frozenset(named[module.package])))
    raise_faults([*faults, *unequal, *recursion_faults(parsed)], layer=layer)
    speaking = {rule.name.rpartition(".")[0] for rule in rules}
    for name in namespaces:
        if name not in speaking:
            packages = ", ".join(sorted({module.package for module in parsed})) or "none"
            raise PolicyError(
                f"nothing in the namespace `{name}` denies or warns, so it would pass everything ({layer} layer)",
                place=min(files, default=""),
                remedy=f"add a `deny` rule to it, or name another; packages here: {packages}",
            )
    return ConftestPolicies(modules=modules, rules=rules)


def _modules(files: Mapping[str, bytes], reader: SyntaxReader) -> tuple[PolicyModule, ...]:
    paths = sorted(filter(is_module, files))
    if len(paths) > MAX_MODULES or any(len(files[path]) > MAX_MODULE_BYTES for path in paths):
        raise PolicyError(
            f"more than {MAX_MODULES} modules, or one above {MAX_MODULE_BYTES} bytes",
            place=paths[0],
            remedy="keep fewer and smaller modules in the folder",
        )
    return tuple(_read(path, files[path], reader) for path in paths)


def _read(path: str, data: bytes, reader: SyntaxReader) -> PolicyModule:
    """Give a module, read as Rego of today, else of before `if` and `contains`."""
    try:
        module = PolicyModule(path=path, text=data.decode())
    except UnicodeDecodeError as error:
        raise PolicyError("the module is not UTF-8 text", remedy="save it as UTF-8", place=path) from error
    try:
        reader.syntax([module])
    except PolicyError as error:
        older = msgspec.structs.replace(module, is_v0=True)
        try:
            reader.syntax([older])
        except PolicyError as older_error:
            # The language that the module is in is the one that was read further.
            raise max(error, older_error, key=_position) from None
        return older
    return module


def _position(error: PolicyError) -> list[int]:
    return [int(number) for number in error.place.split(":")[-2:] if number.isdecimal()]


def _rules(parsed: Iterable[Module], namespaces: frozenset[str]) -> tuple[tuple[ConftestRule, ...], list[Fault]]:
    found: dict[str, ConftestRule] = {}
    faults = []
    for module in parsed:
        for rule in module.rules:
            word = tree.rule_name(rule)
            place = module.place(tree.head(rule)[1].get("span"))
            if _EXCEPTION.fullmatch(word):
                faults.append(Fault(place, "an `exception` lets pass without an end or an approver", "take it out"))
            if (kind := _RULE.fullmatch(word)) is None:
                continue
            if module.package not in namespaces:
                names = ", ".join(sorted(namespaces))
                faults.append(
                    Fault(
                        place, f"no namespace reads `{module.package}.{word}`", f"move it to {names}, or name its own"
                    )
                )
            name = f"{module.package}.{word}"
            found[name] = ConftestRule(name=name, denies=kind[1] != "warn")
    return tuple(found[name] for name in sorted(found)), faults


def question(policies: ConftestPolicies) -> PolicyModule:
    """Give the module whose `said` holds what every rule says of every document of `input.documents`."""
    lines = ["package secgate_conftest", ""]
    for rule in policies.rules:
        lines += [
            f'said contains {{"document": at, "rule": "{rule.name}", "message": message}} if {{',
            "\tsome at, document in input.documents",
            f"\tfound := data.{rule.name} with input as document",
            "\tsome message in given(found)",
            "}",
            "",
        ]
    # `deny[msg]` of today's Rego is an object with the messages as keys.
    lines += [
        "given(found) := found if is_set(found)",
        "",
        "given(found) := object.keys(found) if is_object(found)",
        "",
    ]
    lines += ["given(found) := {found} if {", "\tnot is_set(found)", "\tnot is_object(found)", "}", ""]
    return PolicyModule(path="secgate_conftest.rego", text="\n".join(lines))


def read_said(
    answer: bytes, policies: ConftestPolicies, *, paths: Sequence[str], layer: str
) -> tuple[DocumentFacts, ...]:
    """Give what was said as facts, sorted; `paths` are those of the documents. Raises PolicyError for another form."""
    denies = {rule.name: rule.denies for rule in policies.rules}
    try:
        said = msgspec.json.decode(answer, type=list[_Said])
    except (msgspec.DecodeError, RecursionError) as error:
        raise PolicyError(f"what the policies said cannot be read: {error}", remedy="report this policy") from error
    if len(said) > MAX_SAID:
        raise PolicyError(f"more than {MAX_SAID} messages ({layer} layer)", remedy="say one thing a document and rule")
    found = {
        DocumentFacts(
            layer="organisation" if layer == "organisation" else "repository",
            rule=one.rule,
            word="deny" if denies[one.rule] else "warn",
            path=paths[one.document],
            message=_message(one),
        )
        for one in said
    }
    return tuple(sorted(found, key=lambda one: (one.path, one.rule, one.word, one.message)))


def _message(said: _Said) -> str:
    message = said.message.get("msg") if isinstance(said.message, dict) else said.message
    if not isinstance(message, str) or not message.strip():
        raise PolicyError(
            f"`{said.rule}` gives no message",
            remedy='give a text, or an object with the text in `msg`: `deny contains {"msg": ...}`',
        )
    return " ".join(message.split())[:MAX_MESSAGE]
