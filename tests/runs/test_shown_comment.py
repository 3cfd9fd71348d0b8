"""The comment of a pull request in the README is the one that secgate writes of a change to the bundled example."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from secgate.advisories import ImportLimits, build
from secgate.config import Machine
from secgate.pipeline import RunRequest, render, run
from secgate.preparation import Silence
from tests.product import NOW
from tests.unit.conftest import Git

ROOT = Path(__file__).parents[2]
SHOP = ROOT / "tests" / "cases" / "shop"
BROUGHT = ("shop/invoices.py", "requirements.txt")
SHOWN = re.compile(r"(?<=^> <!-- secgate -->\n)(?:>[^\n]*\n)+", flags=re.MULTILINE)


def proposed(git: Git) -> tuple[str, str]:
    """Make the shop without its invoices, and a branch that brings them; give the commits of both."""
    texts = {name: (SHOP / "tree" / name).read_bytes() for name in BROUGHT}
    shutil.copytree(SHOP / "tree", git.root, dirs_exist_ok=True)
    (git.root / BROUGHT[0]).unlink()
    lines = texts[BROUGHT[1]].splitlines(keepends=True)
    before = git.commit({BROUGHT[1]: b"".join(line for line in lines if b"invoice" not in line)}, "shop")
    git("switch", "--quiet", "--create", "invoices")
    return before, git.commit(texts, "shop: invoices")


def comment(git: Git, home: Path) -> str:
    """Give what is written of that branch, scanned by the real tools as a job of a private repository."""
    before, after = proposed(git)
    state = home / "state"
    state.mkdir(parents=True)
    build(str(SHOP / "advisories"), f"{state}/advisories/PyPI.sqlite", now=NOW, limits=ImportLimits())
    repository = {"full_name": "acme/shop", "default_branch": "main", "private": True}
    sides = {"head": {"sha": after, "ref": "invoices"}, "base": {"sha": before, "ref": "main"}}
    event = {
        "pull_request": {side: {**told, "repo": {"full_name": "acme/shop"}} for side, told in sides.items()},
        "repository": repository,
    }
    (home / "event.json").write_text(json.dumps(event))
    env = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(home),
        "SECGATE_OFFLINE": "1",
        "SECGATE_LEDGER_STORE": "none",
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_EVENT_PATH": str(home / "event.json"),
        "GITHUB_BASE_REF": "main",
        "GITHUB_SHA": after,
    }
    enforced = home / "enforced"
    enforced.mkdir()
    (enforced / "enforced.toml").write_text("version = 1\n[advisories]\nsource = 'local'\nmax_age_days = 36500\n")
    machine = Machine(env=env, cwd=str(home), python=sys.executable, prefix=sys.prefix, state=str(state))
    request = RunRequest(path=str(git.root), enforced=str(enforced))
    document = run(request, machine=machine, now=NOW, observer=Silence())
    return render(document, "comment", width=80, colour=False).data.decode()


def test_the_readme_shows_the_real_comment(git: Git, tmp_path: Path, golden: Callable[[Path, str], None]) -> None:
    written = comment(git, tmp_path / "job")
    head, _, rest = written.partition("\n")
    assert head == "<!-- secgate -->"
    assert "**Command injection**" in rest
    assert "acme-invoice-renderer 1.2.0" in rest
    without_run = rest[: rest.rindex("<sub>")].rstrip("\n")
    quoted = "".join(f"> {line}".rstrip() + "\n" for line in without_run.split("\n"))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert SHOWN.search(readme)
    golden(ROOT / "README.md", SHOWN.sub(lambda _: quoted, readme, count=1))
