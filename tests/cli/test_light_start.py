"""What a fresh interpreter loads for the least there is to do."""

from __future__ import annotations

import subprocess
import sys

PROBE = """
import sys
names = sorted(name for name in sys.modules if name.split(".")[0] not in sys.stdlib_module_names)
ours = ("__main__", "_distutils", "_virtualenv", "__editable__")
print([name for name in names if not name.startswith(ours)])
"""
VERSION = """
import sys
sys.argv = ["secgate", "--version"]
from secgate.cli import main
try:
    main()
except SystemExit as ended:
    assert ended.code == 0
"""


def loaded(text: str) -> list[str]:
    """Give the modules outside of the standard library that are there after `text`."""
    done = subprocess.run([sys.executable, "-I", "-c", text + PROBE], capture_output=True, text=True, check=True)
    names: list[str] = eval(done.stdout.splitlines()[-1])  # noqa: S307 - our own list of names
    return names


def test_version_loads_the_command_line_and_click_alone() -> None:
    names = loaded(VERSION)
    assert [name for name in names if name.startswith("secgate")] == [
        "secgate",
        "secgate.cli",
        "secgate.cli.signals",
        "secgate.errors",
        "secgate.version",
    ]
    assert {name.split(".")[0] for name in names} == {"secgate", "click"}
    assert "click.shell_completion" not in names


def test_options_load_nothing_for_a_shell_that_does_not_ask() -> None:
    assert "click.shell_completion" not in loaded("import secgate.cli.run\n")


def test_import_secgate_loads_nothing_else() -> None:
    assert loaded("import secgate\nassert secgate.__version__\n") == ["secgate", "secgate.version"]


def test_run_gate_is_loaded_when_it_is_asked_for() -> None:
    assert "secgate.pipeline" in loaded("from secgate import run_gate\n")


def test_a_run_loads_nothing_that_speaks_http() -> None:
    text = "import sys\nfrom secgate import run_gate\nassert not {'http.client', 'urllib.request'} & set(sys.modules)\n"
    assert "secgate.pipeline" in loaded(text)


def test_scanners_that_are_not_asked_for_are_not_imported() -> None:
    names = loaded("from secgate import run_gate\n")
    shared = {"outputs", "reports", "reports.form", "reports.secrecy", "sarif_files"}
    assert {name for name in names if name.startswith("secgate.scanners.")} == {f"secgate.scanners.{n}" for n in shared}
    assert not {"semgrep", "bandit", "pip_audit", "detect_secrets", "jinja2", "rich"} & {n.split(".")[0] for n in names}
