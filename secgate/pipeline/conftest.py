"""Policies in Conftest's shape asked about the files that the settings name: what they say is a fact like any other.

Files are read from the scan view in a child that runs nothing of them; each layer's policies are asked in a child of
their own, which is killed at its limit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from secgate.engines.regorus import RegorusChild
from secgate.errors import InternalError, PolicyError
from secgate.infrastructure.forms import Listed, Shaped
from secgate.model import Limits, SourceFile
from secgate.patterns import PathPattern
from secgate.pipeline.looking import Looked
from secgate.policy.conftest import QUERY, ConftestPolicies, load_conftest, question, read_said
from secgate.policy.documents import DocumentFacts
from secgate.preparation import ConftestSet, Prepared, Workshop

LIMIT_S = 60.0
MAX_NOTES = 50
_SUFFIXES = (".yaml", ".yml", ".json")


class Asked(NamedTuple):
    """What the policies say, and what is to be shown of it beside the decision."""

    facts: tuple[DocumentFacts, ...] = ()
    notes: tuple[str, ...] = ()


def asked(prepared: Prepared, head: Looked, shop: Workshop) -> Asked:
    """Ask every set about its files of the view. Raises PolicyError for policies that do not load or do not end."""
    child = RegorusChild(runner=shop.executor, python=shop.machine.python, directory=shop.scratch)
    facts: list[DocumentFacts] = []
    notes = []
    for one in prepared.conftest:
        # Policies are loaded where nothing fits as well: that they would pass in silence is said at once.
        policies = load_conftest(one.files, one.namespaces, layer=one.layer, reader=child)
        files = tuple(_files(one, head))
        if files:
            facts += _said(one, policies, _shaped(files, head, shop), child)
        else:
            patterns = ", ".join(one.patterns)
            notes.append(f"the {one.layer} layer's policies for {patterns} were asked about nothing: no file here fits")
    masker = head.normalised.masker
    told = tuple(
        sorted(
            {msgspec.structs.replace(fact, message=masker.everywhere(fact.message)) for fact in facts},
            key=lambda fact: (fact.path, fact.rule, fact.word, fact.message),
        )
    )
    notes += [f"{fact.path}: {fact.word}: {fact.message} [{fact.rule}]" for fact in told[:MAX_NOTES]]
    if len(told) > MAX_NOTES:
        notes.append(f"and {len(told) - MAX_NOTES} more of policies in Conftest's shape")
    return Asked(facts=told, notes=tuple(notes))


def _files(one: ConftestSet, head: Looked) -> Iterator[Listed]:
    """Give the files of the view that fit, with the shape that each has. Raises PolicyError for one without a shape."""
    patterns = [PathPattern(text) for text in one.patterns]
    for file in sorted(head.files, key=lambda file: file.path):
        if any(pattern.fits(file.path) for pattern in patterns):
            yield Listed(path=file.path, kind=_shape(file))


def _shape(file: SourceFile) -> str:
    if "terraform" in file.kinds:
        return "terraform"
    if "dockerfile" in file.kinds:
        return "dockerfile"
    if file.path.endswith(_SUFFIXES):
        return "data"
    raise PolicyError(
        "no reader gives this file the shape that Conftest's policies know",
        place=file.path,
        remedy="name Terraform, YAML, JSON and Dockerfiles in `conftest.files`",
    )


def _said(
    one: ConftestSet, policies: ConftestPolicies, shaped: Sequence[Shaped], child: RegorusChild
) -> list[DocumentFacts]:
    documents = [(file.path, document) for file in shaped for document in file.documents]
    unread = [
        DocumentFacts(layer=one.layer, rule="", word="unread", path=file.path, message=file.problem)
        for file in shaped
        if file.problem
    ]
    if not documents:
        return unread
    answer = child.evaluate(
        (*policies.modules, question(policies)),
        data=b"{}",
        document=msgspec.json.encode({"documents": [document for _, document in documents]}),
        query=QUERY,
        limit_s=LIMIT_S,
    )
    return [*unread, *read_said(answer.value, policies, paths=[path for path, _ in documents], layer=one.layer)]


def _shaped(files: Sequence[Listed], head: Looked, shop: Workshop) -> list[Shaped]:
    output = shop.executor.run(
        (shop.machine.python, "-I", "-m", "secgate.infrastructure.shapes"),
        cwd=head.view.root,
        stdin=msgspec.json.encode(files),
        limits=Limits(time_s=LIMIT_S),
    )
    if output.exit_code != 0 or output.timed_out or output.truncated or output.problem:
        raise PolicyError(
            f"the files for policies in Conftest's shape could not be read: {output.problem or 'the reader failed'}",
            remedy="name fewer or smaller files in `conftest.files`",
        )
    shaped = msgspec.json.decode(output.stdout, type=list[Shaped])
    if [one.path for one in shaped] != [one.path for one in files]:
        raise InternalError("the reader of infrastructure files tells of others than it was given")
    return shaped
