"""Each kind of faulty import, planted in a copy of the package, is caught by its contract."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINT = "from importlinter.cli import lint_imports_command as lint; lint()"


def plant(package: Path, importer: str, statement: str) -> None:
    """Add `statement`, written lazily, to module `importer` of `package`, made if it is absent."""
    folder, file = package / importer, package / f"{importer}.py"
    target = folder / "__init__.py" if folder.is_dir() else file
    text = target.read_text(encoding="utf-8") if target.is_file() else '"""Planted."""\n'
    target.write_text(f"{text}\n\ndef _planted() -> None:\n    {statement}\n", encoding="utf-8")


def lint(copy: Path, contract: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", LINT, "--no-cache", "--no-logo", "--contract", contract],
        cwd=copy,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    skip = shutil.ignore_patterns("__pycache__", "_data")
    shutil.copytree(ROOT / "secgate", tmp_path / "secgate", ignore=skip)
    return tmp_path


FAULTS = [
    ("layers", "errors", "secgate.model"),
    ("layers", "model", "secgate.sarif"),
    ("layers", "sarif", "secgate.ports"),
    ("layers", "ports", "secgate.resources"),
    ("layers", "resources", "secgate.config"),
    ("layers", "config", "secgate.languages"),
    ("layers", "languages", "secgate.manifests"),
    ("layers", "manifests", "secgate.fingerprint"),
    ("layers", "sla", "secgate.judge"),
    ("layers", "judge", "secgate.record"),
    ("layers", "correlate", "secgate.scanners"),
    ("layers", "engines", "secgate.judge"),
    ("layers", "scanners", "secgate.executors"),
    ("layers", "show", "secgate.registry"),
    ("layers", "registry", "secgate.pipeline"),
    ("layers", "queries", "secgate.pipeline"),
    ("layers", "pipeline", "secgate.cli"),
    ("processes", "scan", "subprocess"),
    ("processes", "ledgers", "multiprocessing"),
    ("click", "registry", "click"),
    ("network", "judge", "http.client"),
    ("network", "model", "socket"),
]


@pytest.mark.parametrize(("contract", "importer", "imported"), FAULTS)
def test_faulty_import_is_caught(copy: Path, contract: str, importer: str, imported: str) -> None:
    if imported.startswith("secgate."):
        plant(copy / "secgate", imported.removeprefix("secgate."), "pass")
    plant(copy / "secgate", importer, f"import {imported}")
    result = lint(copy, contract)
    assert result.returncode == 1, result.stdout + result.stderr
    assert "0 kept, 1 broken" in result.stdout
    assert f"secgate.{importer}" in result.stdout


def test_cycle_is_caught(copy: Path) -> None:
    plant(copy / "secgate", "sla", "import secgate.waivers")
    plant(copy / "secgate", "waivers", "import secgate.sla")
    result = lint(copy, "acyclic")
    assert result.returncode == 1, result.stdout + result.stderr
    assert ".sla -> .waivers" in result.stdout


def test_cycle_inside_a_package_is_caught(copy: Path) -> None:
    package = copy / "secgate" / "notifiers"
    package.mkdir(exist_ok=True)
    (package / "__init__.py").touch()
    plant(package, "planted_one", "from secgate.notifiers import planted_two")
    plant(package, "planted_two", "from secgate.notifiers import planted_one")
    assert "planted_" in lint(copy, "acyclic").stdout.partition("Broken contracts")[2]


def test_module_without_a_place_is_caught(copy: Path) -> None:
    plant(copy / "secgate", "utils", "pass")
    result = lint(copy, "layers")
    assert result.returncode != 0
    assert "utils" in result.stdout + result.stderr


ALLOWED = [
    ("processes", "executors", "subprocess"),
    ("click", "cli", "click"),
    ("network", "engines", "http.client"),
    ("layers", "pipeline", "secgate.judge"),
    ("layers", "waivers", "secgate.sla"),
]


@pytest.mark.parametrize(("contract", "importer", "imported"), ALLOWED)
def test_rightful_import_is_kept(copy: Path, contract: str, importer: str, imported: str) -> None:
    if imported.startswith("secgate."):
        plant(copy / "secgate", imported.removeprefix("secgate."), "pass")
    plant(copy / "secgate", importer, f"import {imported}")
    result = lint(copy, contract)
    assert result.returncode == 0, result.stdout + result.stderr
