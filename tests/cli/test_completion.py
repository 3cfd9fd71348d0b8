"""Completion in real shells, from the scripts that `secgate completion` writes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from secgate.cli import _COMMANDS
from tests.product import WEAK, Product
from tests.unit.conftest import Git

PROGRAMS = Path(sys.executable).parent
BASH = """
source <(secgate completion bash)
COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_secgate_completion secgate
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


def offered(product: Product, words: str, cwd: Path | None = None) -> list[str]:
    """Give what a real bash offers for the last of `words`."""
    env = {**product.env, "PATH": f"{PROGRAMS}:{os.environ['PATH']}"}
    command = ["bash", "--norc", "-c", BASH.format(words=words)]
    done = subprocess.run(command, env=env, cwd=cwd, capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("secgate ''", set(_COMMANDS)),
        ("secgate wai", {"waiver"}),
        ("secgate ledger ex", {"export"}),
        ("secgate run --form", {"--format"}),
        ("secgate run --format sa", {"sarif", "sarif-all"}),
        ("secgate run --profile p", {"pre-commit", "pull-request"}),
        ("secgate run --scanner zi", {"zizmor"}),
        ("secgate run --scope l", {"local"}),
        ("secgate explain se", {"secrets"}),
        ("secgate completion ''", {"bash", "zsh", "fish"}),
        ("secgate config schema ex", {"explain"}),
        ("secgate run --profile zzz", set()),
    ],
)
def test_bash_offers(product: Product, words: str, wanted: set[str]) -> None:
    assert {one for one in offered(product, words) if one not in ("plain", "file")} == wanted


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("secgate check on", "file"),
        ("secgate run --baseline on", "file"),
        ("secgate run --enforced on", "dir"),
        ("secgate advisories import on", "file"),
        ("secgate ledger log --path on", "dir"),
        ("secgate run --format sarif", "plain"),
    ],
)
def test_files_and_folders_are_left_to_the_shell(product: Product, words: str, kind: str) -> None:
    last = words.rsplit(maxsplit=1)[-1]
    asked = {"_SECGATE_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}
    done = subprocess.run(
        [PROGRAMS / "secgate"], env={**product.env, **asked}, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.splitlines()[0] == f"{kind},{last}"


def test_bash_offers_findings_of_the_last_run(product: Product, git: Git) -> None:
    git.commit({"README": "x\n"})
    git.write({"app.py": WEAK})
    git("add", "app.py")
    assert product.cli("run", "--staged", "--quiet", cwd=git.root).code == 1
    (git.root / "below").mkdir()
    found = [one for one in offered(product, "secgate explain ''", cwd=git.root / "below") if len(one) == 12]
    assert len([one for one in found if set(one) <= set("0123456789abcdef")]) == 1


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_takes_its_script(product: Product, shell: str) -> None:
    script = product.cli("completion", shell)
    assert (script.code, script.err) == (0, "")
    assert "_SECGATE_COMPLETE" in script.out
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell} here")
    subprocess.run([shell, "-n"], input=script.out, text=True, check=True, timeout=60)


def test_fish_shows_descriptions_whole(product: Product, tmp_path: Path) -> None:
    fish = shutil.which("fish")
    script = product.cli("completion", "fish").out
    assert 'string split --max 1 ","' in script
    if fish is None:
        pytest.skip("there is no fish here")
    (tmp_path / "secgate.fish").write_text(script)
    env = {**product.env, "PATH": f"{PROGRAMS}:{os.environ['PATH']}"}
    command = [fish, "--no-config", "-c", f"source {tmp_path}/secgate.fish; complete -C 'secgate run --prof'"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.startswith("--profile\tWhich lanes are asked for: pre-commit, pull-request, release, audit, or ")
    assert done.stdout.rstrip().endswith("By default the settings say it.")


def test_completion_is_offline_and_light(product: Product) -> None:
    text = (
        "import os, sys; os.environ.update(_SECGATE_COMPLETE='bash_complete', COMP_WORDS='secgate ', COMP_CWORD='1');"
        "sys.argv = ['secgate']\nfrom secgate.cli import main\n"
        "try:\n    main()\nexcept SystemExit as ended:\n    assert ended.code == 0\n"
        "print(sorted(name for name in sys.modules if name.startswith('secgate.')))"
    )
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True, env=product.env)
    ours = ["cli", "cli.signals", "errors", "version"]
    assert done.stdout.splitlines()[-1] == str([f"secgate.{name}" for name in ours])
