"""The inventory of a tree: what manifests name, merged, and what is known to be missing."""

from __future__ import annotations

import json

import pytest

from secgate import manifests
from secgate.inventory import (
    MAX_GAPS,
    Inventory,
    InventoryComponent,
    InventoryGap,
    InventoryPlace,
    gap_counts,
    read_inventory,
    take_inventory,
)

ONE, TWO = "sha256:" + "1" * 64, "sha256:" + "2" * 64
LOCK = f"""version = 1
[[package]]
name = "app"
version = "0.1"
source = {{ virtual = "." }}
dependencies = [{{ name = "flask" }}]
[package.dev-dependencies]
dev = [{{ name = "pytest" }}]
[[package]]
name = "Flask"
version = "2.0.0"
source = {{ registry = "https://index.test/simple" }}
dependencies = [{{ name = "jinja2" }}]
wheels = [{{ url = "https://x/f.whl", hash = "{TWO}" }}]
sdist = {{ url = "https://x/f.tgz", hash = "{ONE}" }}
[[package]]
name = "jinja2"
version = "3.0"
source = {{ registry = "https://index.test/simple" }}
[[package]]
name = "pytest"
version = "8.0"
source = {{ git = "https://me:secret@h/pytest" }}
"""
PROJECT = '[project]\nname = "app"\ndependencies = ["flask>=1"]\n[dependency-groups]\ndev = ["pytest"]\n'


def taken(*files: tuple[str, str, str], unread: tuple[InventoryGap, ...] = ()) -> Inventory:
    known = {path: text.encode() for path, _, text in files}
    read = [manifests.read(path, kind, known[path], reader=known.__getitem__) for path, kind, _ in files if kind]
    return take_inventory(manifests.settle(read), unread)


def component(found: Inventory, name: str) -> InventoryComponent:
    return next(one for one in found.components if one.name == name)


def test_a_lock_gives_versions_hashes_and_who_asks() -> None:
    found = taken(("pyproject.toml", "pyproject", PROJECT), ("uv.lock", "uv-lock", LOCK))
    assert [(one.name, one.version, one.direct, one.development) for one in found.components] == [
        ("flask", "2.0.0", True, False),
        ("jinja2", "3.0", False, False),
        ("pytest", "8.0", True, True),
    ]
    flask, pytest_ = component(found, "flask"), component(found, "pytest")
    assert (flask.purl, flask.hashes) == ("pkg:pypi/flask@2.0.0", (ONE, TWO))
    assert (pytest_.purl, pytest_.source) == ("", "vcs"), "a package of another origin is none of the index"
    assert [(one.path, one.lock) for one in found.manifests] == [("pyproject.toml", "uv.lock"), ("uv.lock", "")]
    assert found.gaps == ()
    assert b"secret" not in found.stored


def test_what_nothing_pins_is_there_without_a_version_and_is_a_gap() -> None:
    found = taken(("requirements.txt", "pip-requirements", "flask>=2,<3\n-e git+https://h/x.git\nnot a requirement\n"))
    assert component(found, "flask") == InventoryComponent(
        name="flask",
        requested="<3,>=2",
        purl="pkg:pypi/flask",
        direct=True,
        places=(InventoryPlace(path="requirements.txt", line=1),),
    )
    assert [(gap.line, gap.reason) for gap in found.gaps] == [
        (0, "no-lock"),
        (1, "unpinned-range"),
        (2, "unpinned-editable"),
        (3, "unpinned-invalid"),
    ]


def test_one_package_in_two_manifests_is_one_component() -> None:
    asked = ("dev.txt", "pip-requirements", 'flask==2.0.0 ; python_version < "3.9"\n')
    found = taken(asked, ("uv.lock", "uv-lock", LOCK))
    flask = component(found, "flask")
    assert [place.path for place in flask.places] == ["dev.txt", "uv.lock"]
    assert (flask.direct, flask.conditional, flask.hashes) == (True, False, (ONE, TWO))


def test_a_constraints_file_asks_for_nothing() -> None:
    found = taken(("constraints.txt", "pip-constraints", "flask==2.0.0\n"))
    assert (found.components, len(found.manifests)) == ((), 1)


def test_what_cannot_be_read_is_named() -> None:
    unread = InventoryGap(path="package-lock.json", reason="unsupported", detail="no shipped tool")
    found = taken(("poetry.lock", "poetry-lock", "[[package\n"), unread=(unread,))
    assert found.gaps[0] == unread
    assert gap_counts(found) == {"syntax": 1, "unsupported": 1}


def test_gaps_without_end_are_counted() -> None:
    unread = tuple(InventoryGap(path=f"{number:05}/go.sum", reason="unsupported") for number in range(MAX_GAPS + 7))
    found = taken(unread=unread)
    assert len(found.gaps) == MAX_GAPS + 1
    assert (found.gaps[0].reason, found.gaps[0].detail) == ("too-many", "and 7 more gaps")


def test_equal_manifests_in_another_order_give_equal_bytes() -> None:
    files = [("a.txt", "pip-requirements", "x==1\n"), ("b.txt", "pip-requirements", "x==1\ny==2\n")]
    one, other = taken(*files), taken(*reversed(files))
    assert (one.stored, one.digest) == (other.stored, other.digest)
    assert read_inventory(one.stored) == one


HASHED = {
    "pip-requirements": f"flask==2.0.0 --hash={TWO} --hash=sha256:{'1' * 64} --hash=md5:aa\n",
    "poetry-lock": f"""
[[package]]
name = "flask"
version = "2.0.0"
files = [{{hash = "{TWO}"}}, {{hash = "{ONE}"}}, {{hash = "sha256:short"}}]
[metadata]
""",
    "pylock": f"""
lock-version = "1.0"
[[packages]]
name = "flask"
version = "2.0.0"
wheels = [{{hashes = {{sha256 = "{"2" * 64}"}}}}]
sdist = {{hashes = {{sha256 = "{"1" * 64}"}}}}
""",
    "pipfile-lock": json.dumps(
        {"_meta": {}, "default": {"flask": {"version": "==2.0.0", "hashes": [TWO, ONE]}}},
    ),
}


@pytest.mark.parametrize("kind", HASHED)
def test_hashes_of_every_format_that_has_some(kind: str) -> None:
    assert component(taken(("lock", kind, HASHED[kind])), "flask").hashes == (ONE, TWO)
