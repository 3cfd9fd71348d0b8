"""Values of any type in any place neither end the infrastructure checks nor hide what stands beside them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from typing import Any

import pytest

from secgate.infrastructure import documents
from secgate.infrastructure.documents import KINDS, Parsed
from secgate.infrastructure.forms import Listed, Told
from secgate.languages import kinds_of
from tests.rules.test_infrastructure import CASES, FILES, ROOT, pack

# Stages of Dockerfiles are left out: their form is our own, no text can change it.
BATCH = [
    (Listed(file, kind), documents(file, kind, data))
    for file in FILES
    for data in [(CASES / file).read_bytes()]
    for kind in kinds_of(file, data)
    if kind in KINDS and kind != "dockerfile"
]
JUNK: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1.5, 10**15, "", "x", "*", "0.0.0.0/0", "a:b", "1-2-3", "${x}"),
    *([], {}, [1], [[["x"]]], [{}], ["a", None, {}], {"a": 1}, {"AWS": {"x": 1}}, {"Statement": "x"}),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Give the path of every value below `value`, outer ones last."""
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(below):
        yield from places(inner, (*path, key))
        yield (*path, key)


def at(value: Any, path: tuple[Any, ...]) -> Any:
    """Give the value at a path."""
    for key in path:
        value = value[key]
    return value


def told(batch: list[tuple[Listed, Parsed]]) -> set[Told]:
    """Give what all checks say."""
    return set(pack().ask(batch))


@cache
def expected() -> set[Told]:
    """Give what is said of the cases as they are."""
    return told(BATCH)


@pytest.mark.parametrize("seed", range(3))
def test_a_wrong_type_anywhere_hides_nothing_of_other_resources(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a test that must be the same each time
    broken = []
    for file, part in BATCH:
        resources = deepcopy(part.resources)
        for resource in resources:
            for path in places(resource["attributes"]):
                if chance.random() < 0.3:
                    at(resource["attributes"], path[:-1])[path[-1]] = deepcopy(chance.choice(JUNK))
        broken.append((Listed(f"broken/{file.path}", file.kind), _moved(part, resources, "broken/")))
    assert {one for one in told(broken + BATCH) if not one.path.startswith("broken/")} == expected()


@pytest.mark.parametrize("junk", JUNK, ids=repr)
def test_one_more_item_in_every_list_hides_nothing(junk: Any) -> None:
    longer = []
    for file, part in BATCH:
        resources = deepcopy(part.resources)
        for resource in resources:
            for path in places(resource["attributes"]):
                value = at(resource["attributes"], path)
                if isinstance(value, list):
                    value.append(deepcopy(junk))
        longer.append((file, Parsed(resources, "")))
    assert expected() - told(longer) == set()


def test_no_rule_builds_a_value_in_its_head() -> None:
    """An undefined call or reference in the head of a partial rule ends that whole rule in regorus."""
    for path in sorted((ROOT / "rules" / "infrastructure").rglob("*.rego")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if not line.startswith(("\t", "#", " ")) and " contains " in line:
                assert line.split(" contains ")[1].removesuffix(" if {").isidentifier(), f"{path.name}: {line}"


def _moved(part: Parsed, resources: tuple[Any, ...], folder: str) -> Parsed:
    return Parsed(tuple({**one, "path": f"{folder}{one['path']}"} for one in resources), part.problem)
