"""Project files, and which lock stands for their ranges."""

from __future__ import annotations

import pytest

from secgate import manifests
from secgate.manifests.requirement import poetry_specifier

PROJECT = b"""[project]
name = "app"
dependencies = [
    "flask<1",  # kept
    # "commented==1"
    "six==1.0", "app[extra]",
]

[project.optional-dependencies]
extra = ["jinja2>=2"]

[dependency-groups]
test = [{include-group = "lint"}, "pytest"]
lint = ["ruff==0.1"]

[build-system]
requires = ["hatchling"]

[tool.uv.sources]
Jinja2 = { git = "https://h/jinja2" }

[[tool.uv.index]]
url = "https://me:secret@index.test/simple"
"""


def test_every_list_with_its_lines() -> None:
    manifest = manifests.read("pyproject.toml", "pyproject", PROJECT)
    assert [(e.name, e.version, e.line, e.development, e.problem) for e in manifest.entries] == [
        ("flask", "", 4, False, "range"),
        ("six", "1.0", 6, False, ""),
        ("jinja2", "", 10, False, "vcs"),
        ("pytest", "", 13, True, "range"),
        ("ruff", "0.1", 14, True, ""),
    ]
    assert [(i.address, i.line) for i in manifest.indexes] == [("https://index.test/simple", 23)]
    assert manifest.notices == ("pyproject.toml: packages of build-system.requires are not audited",)


def test_poetry_tables() -> None:
    text = b"""[tool.poetry.dependencies]
python = "^3.9"
django = "^1.2.3"
both = [{version = "<2", python = "<3"}, {version = "2.0", python = ">=3"}]
lib = {path = "../lib"}
[tool.poetry.group.dev.dependencies]
pytest = "*"
"""
    manifest = manifests.read("pyproject.toml", "pyproject", text)
    assert [(e.name, e.specifier, e.line, e.development, e.problem) for e in manifest.entries] == [
        ("django", "<2,>=1.2.3", 3, False, "range"),
        ("both", "<2", 4, False, "range"),
        ("both", "==2.0", 4, False, ""),
        ("lib", "", 5, False, "local-path"),
        ("pytest", "", 7, True, "range"),
    ]


@pytest.mark.parametrize(
    ("constraint", "wanted"),
    [
        ("^1.2.3", "<2,>=1.2.3"),
        ("^0.2.3", "<0.3,>=0.2.3"),
        ("^0.0.3", "<0.0.4,>=0.0.3"),
        ("^0", "<1,>=0"),
        ("~1.2.3", "<1.3,>=1.2.3"),
        ("~1", "<2,>=1"),
        ("~=1.2", "~=1.2"),
        ("1.2.3", "==1.2.3"),
        ("=1.2", "==1.2"),
        ("1.*", "==1.*"),
        ("*", ""),
        (">= 1, < 2", "<2,>=1"),
        ("^1 || ^2", None),
    ],
)
def test_poetry_constraints(constraint: str, wanted: str | None) -> None:
    assert poetry_specifier(constraint) == wanted


def test_dynamic_dependencies_are_read_from_the_files_setuptools_reads() -> None:
    text = b"""[project]
dynamic = ["dependencies"]
[tool.setuptools.dynamic]
dependencies = {file = ["req.txt", "../up.txt"]}
"""
    manifest = manifests.read("sub/pyproject.toml", "pyproject", text, reader={"sub/req.txt": b"a==1"}.__getitem__)
    assert [(e.name, e.path) for e in manifest.pinned] == [("a", "sub/req.txt")]
    assert [(p.reason, p.line) for p in manifest.problems] == [("reference-missing", 2)]


def test_other_dynamic_dependencies_are_unknown() -> None:
    manifest = manifests.read("pyproject.toml", "pyproject", b"[project]\ndynamic = ['version', 'dependencies']\n")
    assert [(e.problem, e.line) for e in manifest.entries] == [("dynamic", 2)]


def project(*wanted: str, path: str = "pyproject.toml") -> manifests.Manifest:
    lines = ",".join(f"'{w}'" for w in wanted)
    return manifests.read(path, "pyproject", f"[project]\nname='app'\ndependencies=[{lines}]".encode())


def uv_lock(*packages: tuple[str, str], path: str = "uv.lock", member: str = ".") -> manifests.Manifest:
    text = f"version = 1\n[[package]]\nname = 'app'\nsource = {{editable = '{member}'}}\n"
    for name, version in packages:
        text += f"[[package]]\nname = '{name}'\nversion = '{version}'\nsource = {{registry = 'https://i/'}}\n"
    return manifests.read(path, "uv-lock", text.encode())


def test_a_lock_stands_for_the_ranges_it_satisfies() -> None:
    settled, of_lock = manifests.settle([project("flask<1", "six"), uv_lock(("flask", "0.12"), ("six", "1.0"))])
    assert (settled.lock, settled.open) == ("uv.lock", ())
    assert of_lock.direct == {"flask", "six"}


def test_a_stale_lock_leaves_open_what_it_does_not_hold() -> None:
    settled, _ = manifests.settle([project("flask<1", "six", "new"), uv_lock(("flask", "1.2"), ("six", "1.0"))])
    assert [e.name for e in settled.open] == ["flask", "new"]


def test_of_two_locks_the_one_that_leaves_nothing_open_stands() -> None:
    poetry = b"[[package]]\nname='flask'\nversion='0.12'\n[metadata]\n"
    locks = [uv_lock(), manifests.read("poetry.lock", "poetry-lock", poetry)]
    assert manifests.settle([project("flask"), *locks])[0].lock == "poetry.lock"


def test_a_lock_elsewhere_stands_only_for_projects_it_names() -> None:
    inner = project("flask", path="packages/app/pyproject.toml")
    named = uv_lock(("flask", "0.12"), member="packages/app")
    assert manifests.settle([inner, named])[0].lock == "uv.lock"
    assert manifests.settle([inner, uv_lock(("flask", "0.12"))])[0].lock == ""


def test_a_broken_lock_stands_for_nothing() -> None:
    broken = manifests.read("uv.lock", "uv-lock", b"version = 1\n[[package")
    assert [e.name for e in manifests.settle([project("flask"), broken])[0].open] == ["flask"]


def test_compiled_requirements_stand_for_their_source() -> None:
    source = manifests.read("req.in", "pip-requirements", b"flask\nsix\n")
    compiled = manifests.read("req.txt", "pip-requirements", b"flask==0.12\n")
    settled = manifests.settle([source, compiled])
    assert [e.name for e in settled[0].open] == ["six"]


def test_ranges_in_constraints_ask_for_nothing() -> None:
    (settled,) = manifests.settle([manifests.read("c.txt", "pip-constraints", b"a<2\nb==1\n")])
    assert settled.open == ()
