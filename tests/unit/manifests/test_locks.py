"""Lock files: every package with its own line, groups, sources and what is directly asked for."""

from __future__ import annotations

import pytest

from secgate import manifests
from secgate.manifests import Manifest

UV = b"""version = 1

[[package]]
name = "app"
version = "0.1"
source = { virtual = "." }
dependencies = [{ name = "flask" }]

[package.dev-dependencies]
dev = [{ name = "pytest" }]

[[package]]
name = "flask"
version = "0.12"
source = { registry = "https://me:secret@index.test/simple" }
dependencies = [{ name = "Jinja2" }]
wheels = [{ url = "https://x/f.whl", hash = "sha256:aa" }]

[[package]]
name = "jinja2"
version = "2.10"
source = { registry = "https://me:secret@index.test/simple" }

[[package]]
name = "pytest"
version = "8.0"
source = { git = "https://h/pytest" }

[[package]]
name = "member"
version = "1"
source = { editable = "packages/member" }

[[package]]
name = "outside"
version = "1"
source = { editable = "../outside" }
"""

POETRY = b"""[[package]]
name = "Flask"
version = "0.12"
description = '''
[[package]]
name = "not-a-package"
'''
groups = ["main"]
files = [
    {file = "f.whl", hash = "sha256:aa"},
]

[package.dependencies]
Jinja2 = ">=2.4"

[[package]]
name = "jinja2"
version = "2.10"
groups = ["dev"]
files = []

[[package]]
name = "local"
version = "1"

[package.source]
type = "directory"
url = "../local"

[metadata]
lock-version = "2.1"
"""

PYLOCK = b"""lock-version = "1.0"
created-by = "x"
[[packages]]
name = "flask"
version = "0.12"
index = "https://index.test/simple"
dependencies = [{name = "jinja2"}]
wheels = [{name = "f.whl", url = "https://x/f.whl", hashes = {sha256 = "aa"}}]
[[packages]]
name = "jinja2"
version = "2.10"
marker = "'dev' in dependency_groups"
[[packages]]
name = "tree"
directory = {path = "."}
"""

PIPFILE = b"""{
    "_meta": {"sources": [{"name": "x", "url": "https://${USER}:secret@index.test/simple"}]},
    "default": {
        "flask": {
            "hashes": ["sha256:aa"],
            "version": "==0.12"
        },
        "mine": {"editable": true, "path": "."}
    },
    "develop": {
        "jinja2": {"version": "==2.10", "markers": "python_version > '3'"},
        "forked": {"git": "https://h/x", "ref": "main"}
    }
}
"""


def table(manifest: Manifest) -> dict[str, tuple[str, int, bool, bool, str]]:
    return {e.name: (e.version, e.line, e.direct, e.development, e.problem) for e in manifest.entries}


def test_uv_lock() -> None:
    manifest = manifests.read("uv.lock", "uv-lock", UV)
    assert table(manifest) == {
        "flask": ("0.12", 13, True, False, ""),
        "jinja2": ("2.10", 20, False, False, ""),
        "pytest": ("", 25, True, True, "vcs"),
        "outside": ("", 35, False, False, "local-path"),
    }
    assert manifest.covers == ("", "packages/member")
    assert manifest.own == ("app", "member")
    assert [(i.address, i.line) for i in manifest.indexes] == [("https://index.test/simple", 15)]
    assert [e.hashed for e in manifest.entries] == [True, False, False, False]


def test_poetry_lock_is_not_fooled_by_text_that_looks_like_a_package() -> None:
    assert table(manifests.read("poetry.lock", "poetry-lock", POETRY)) == {
        "flask": ("0.12", 2, True, False, ""),
        "jinja2": ("2.10", 17, False, True, ""),
        "local": ("", 23, True, False, "local-path"),
    }


def test_pylock() -> None:
    manifest = manifests.read("pylock.toml", "pylock", PYLOCK)
    assert table(manifest) == {
        "flask": ("0.12", 4, True, False, ""),
        "jinja2": ("2.10", 10, False, True, ""),
        "tree": ("", 14, True, False, "local-path"),
    }
    assert [e.hashed for e in manifest.entries] == [True, False, False]


def test_pipfile_lock() -> None:
    manifest = manifests.read("Pipfile.lock", "pipfile-lock", PIPFILE)
    assert table(manifest) == {
        "flask": ("0.12", 4, True, False, ""),
        "mine": ("", 8, True, False, "editable"),
        "jinja2": ("2.10", 11, True, True, ""),
        "forked": ("", 12, True, True, "vcs"),
    }
    assert manifest.indexes[0].address == "https://index.test/simple"


@pytest.mark.parametrize(
    ("kind", "data", "reason"),
    [
        ("uv-lock", b"version = 2\n", "shape"),
        ("uv-lock", b"version = 1\npackage = 3\n", "shape"),
        ("uv-lock", b"version = 1\n[[package]]\nversion = '1'\n", "shape"),
        ("pylock", b"lock-version = '2.0'\npackages = []", "shape"),
        ("pylock", b"lock-version = '1.0'\n", "shape"),
        ("poetry-lock", b"", "shape"),
        ("poetry-lock", b"[[package]\n", "syntax"),
        ("poetry-lock", b"a = '\xff'", "not-utf8"),
        ("pipfile-lock", b"[]", "shape"),
        ("pipfile-lock", b"{}", "shape"),
        ("pipfile-lock", b'{"_meta": {}, "default": 3}', "shape"),
        ("pipfile-lock", b'{"_meta": {', "syntax"),
        ("pipfile-lock", b'{"a": "' + b'\\"' * 400_000, "syntax"),
        ("pipfile-lock", b'{"a":' * 100_000, "too-deep"),
        ("pipfile-lock", b'{"a":' + b"[" * 100_000, "too-deep"),
        ("pyproject", b"a = " + b"[" * 100_000, "too-deep"),
        ("pyproject", b"a = " + b"{b=" * 100_000, "too-deep"),
        ("pyproject", b".".join([b"a"] * 100_000) + b" = 1", "too-deep"),
        ("pyproject", b'a = """' + b'\\"""' * 400_000, "syntax"),
        ("pyproject", b'a = "' + b'\\"' * 400_000, "syntax"),
        ("pyproject", b"a = 1" + b"0" * 10_000, "syntax"),
    ],
    ids=lambda value: value[:24] if isinstance(value, bytes) else value,
)
def test_a_broken_lock_is_a_named_failure(kind: str, data: bytes, reason: str) -> None:
    manifest = manifests.read("x", kind, data)
    assert [p.reason for p in manifest.problems] == [reason]
    assert manifest.entries == ()


def test_a_lock_past_the_size_cap_is_not_read() -> None:
    manifest = manifests.read("uv.lock", "uv-lock", b" " * (32 * 1024 * 1024 + 1))
    assert [p.reason for p in manifest.problems] == ["too-large"]


PIPFILE_LOCK = b'{"_meta": {}, "default": {"jinja2": {"version": "==2.10"}}, "develop": {}}'


@pytest.mark.parametrize(
    ("path", "kind", "data"),
    [
        ("Pipfile", "pipfile", b"[packages]\njinja2 = '*'\n"),
        ("setup.cfg", "setup-cfg", b"[options]\ninstall_requires =\n  jinja2\n"),
        ("setup.py", "setup-py", b"setup(install_requires=['jinja2'])\n"),
    ],
)
def test_a_project_file_that_is_not_read_is_open_unless_a_lock_stands_beside_it(
    path: str, kind: str, data: bytes
) -> None:
    project = manifests.read(path, kind, data)
    lock = manifests.read("Pipfile.lock", "pipfile-lock", PIPFILE_LOCK)
    assert [entry.problem for entry in manifests.settle([project])[0].open] == ["dynamic"]
    assert manifests.settle([project, lock])[0].lock == "Pipfile.lock"


@pytest.mark.parametrize("data", [b"setup(**meta)\n", b"setup(**{'install' + '_requires': DEPS})\n"])
def test_a_setup_program_may_name_packages_in_other_ways(data: bytes) -> None:
    assert [entry.problem for entry in manifests.read("setup.py", "setup-py", data).entries] == ["dynamic"]


def test_a_setup_program_that_names_a_python_alone_asks_for_no_packages() -> None:
    assert manifests.read("setup.py", "setup-py", b"setup(python_requires='>=3.11')\n").entries == ()


HASHED = b"six==1.16.0 --hash=sha256:" + b"0" * 64 + b"\n"


@pytest.mark.parametrize(
    ("path", "data", "stands"),
    [
        ("requirements.txt", HASHED, True),
        ("requirements.txt", b"six==1.16.0\n", False),
        ("requirements-lint.txt", HASHED, False),
    ],
)
def test_pins_beside_a_project_say_nothing_of_what_its_build_asks_for(path: str, data: bytes, stands: bool) -> None:
    project = manifests.read("setup.py", "setup-py", b"setup(install_requires=read())\n")
    pins = manifests.read(path, "pip-requirements", data)
    assert (manifests.settle([project, pins])[0].open == ()) is stands


def test_a_pipfile_is_locked_by_its_own_lock_alone() -> None:
    project = manifests.read("Pipfile", "pipfile", b"[packages]\nflask = '*'\n")
    assert manifests.settle([project, manifests.read("uv.lock", "uv-lock", UV)])[0].open != ()
