"""Every shell block that a page marks with `run` is executed, on a machine of its own with stand-ins for the scanners.

    ```sh run [PLACE] [exit=N] [needs=PROGRAM]

The blocks of a page are run in order in one place, each from the place's first folder. What is quoted (`> `) right
below a block are lines of what it says, in that order.
"""

from __future__ import annotations

import inspect
import itertools
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.cli.test_help import parsed
from tests.meta.test_docs import documents
from tests.meta.test_examples import examples
from tests.product import CLEAN, NOW, WEAK, Ended, Product, tree
from tests.runs.conftest import git, product
from tests.signing_support import ADA, EVE, KEYGEN, allowed, enforced_layer, make_key
from tests.unit.conftest import Git

__all__ = ["git", "product"]

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```sh run([^\n]*)\n(.*?)^```\n+((?:> [^\n]*\n?)*)", flags=re.MULTILINE | re.DOTALL)
PROGRAMS = ("sh", "bash", "cat", "cp", "head", "mkdir", "mv", "rm", "openssl", "opa")


class Block(NamedTuple):
    """A block: the words after `run`, its text, and the lines that are quoted below it."""

    words: tuple[str, ...]
    text: str
    quoted: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        return int(self.option("exit") or 0)

    @property
    def needs(self) -> str:
        return self.option("needs")

    def option(self, name: str) -> str:
        return next((word.partition("=")[2] for word in self.words if word.startswith(f"{name}=")), "")

    @property
    def place(self) -> str:
        return next((word for word in self.words if "=" not in word), "shop")


class Desk:
    """A machine on which somebody works: programs on its PATH, keys of two persons and a machine, an organisation."""

    def __init__(self, product: Product, git: Git, home: Path) -> None:
        if not KEYGEN:
            pytest.skip("no ssh-keygen")
        self.product, self.git, self.home = product, git, home
        self.start = git.root
        ada, eve = (make_key(product.home / ".ssh", name) for name in (ADA, EVE))
        release = make_key(home, "release")
        self.layer = enforced_layer(
            home / "organisation",
            allowed(ADA, ada),
            allowed(EVE, eve),
            allowed("machine:release", release, 'namespaces="secgate-checkpoint,in-toto"'),
        )
        with (self.layer / "people.toml").open("a", encoding="utf-8") as people:
            people.write('roles = ["break-glass"]\n')
        self.programs = home / "programs"
        self.program("secgate", f'exec "{sys.executable}" -m tests.clock {int(NOW.timestamp())} "$@"')
        self.program("python3", f'exec "{sys.executable}" "$@"')
        for name in PROGRAMS:
            if found := shutil.which(name, path=os.environ["PATH"]):
                (self.programs / name).symlink_to(found)

    def program(self, name: str, text: str) -> None:
        """Put a program on the PATH."""
        path = tree(self.programs, {name: f"#!/bin/sh\n{text}\n"}) / name
        path.chmod(0o755)

    def secgate(self, *words: str) -> Ended:
        """Run a command of secgate in the repository, under the organisation's layer."""
        return self.product.cli(*words, "--enforced", str(self.layer), cwd=self.git.root, at=NOW)

    def run(self, block: Block) -> tuple[int, str]:
        """Give exit code and all that the block says."""
        env = {
            **self.product.env,
            "PATH": f"{self.programs}:{self.product.env['PATH']}",
            "PYTHONPATH": str(ROOT),
            "SECGATE_ENFORCED": str(self.layer),
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        argv = ["bash", "-euo", "pipefail", "-c", block.text]
        done = subprocess.run(
            argv,
            cwd=self.start,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=120,
        )
        return done.returncode, done.stdout.decode()


def shop(desk: Desk) -> None:
    """A repository in which nothing is found."""
    desk.git.commit({"app.py": CLEAN})


def weak(desk: Desk) -> None:
    """A repository with a weakness and a ledger that knows it; a copy of that, and folders to write to, beside it."""
    desk.git.commit({"app.py": WEAK})
    assert desk.secgate("run", "--scope", "protected").code == 0
    for name in ("kept", "elsewhere", "another"):
        (desk.home / name).mkdir()
    shutil.copy(desk.git.root / ".git" / "secgate" / "ledger.sqlite", desk.home / "shop.sqlite")
    desk.git.commit({"secgate.toml": "version = 1\n"})


def policies(desk: Desk) -> None:
    """A repository with the rule of the page and its tests, and a recorded run."""
    shown = examples("policies.md", "rego")
    files = {one.name.partition(": ")[2]: one.text for one in shown if "no_pickle" in one.name}
    desk.git.commit({"app.py": CLEAN, "secgate.toml": 'version = 1\npolicies = [".secgate/policies"]\n', **files})
    assert desk.secgate("run").code == 0


def cookbook(desk: Desk) -> None:
    """An organisation that took every recipe, and a run that was recorded before."""
    shop(desk)
    assert desk.secgate("run").code == 0
    shutil.copytree(ROOT / "docs" / "cookbook", desk.layer, dirs_exist_ok=True)


def auditor(desk: Desk) -> None:
    """What an auditor was given: an export of a ledger with a run, a checkpoint, signers, the program of the page."""
    desk.git.commit({"app.py": f"{WEAK}\n\ndef other(text):\n    return eval(text)\n"})
    desk.start = desk.home / "given"
    desk.start.mkdir()
    assert desk.secgate("run").code == 1
    key = str(desk.home / "release")
    assert desk.secgate("ledger", "checkpoint", "--key", key, "--to", f"{desk.start}/checkpoint.json").code == 0
    assert desk.secgate("ledger", "export", "-o", f"{desk.start}/export").code == 0
    shutil.copy(desk.layer / "allowed_signers", desk.start)
    shutil.copy(ROOT / "docs" / "examples" / "reperform.py", desk.start)


PLACES: dict[str, Callable[[Desk], None]] = {
    "auditor": auditor,
    "cookbook": cookbook,
    "policies": policies,
    "shop": shop,
    "weak": weak,
}


def pages() -> dict[str, list[Block]]:
    """Give the blocks of each page, in order."""
    found: dict[str, list[Block]] = defaultdict(list)
    for path in documents():
        for words, text, quoted in BLOCK.findall(path.read_text(encoding="utf-8")):
            lines = tuple(line.removeprefix("> ") for line in quoted.splitlines())
            found[path.relative_to(ROOT).as_posix()].append(Block(tuple(words.split()), text, lines))
    return dict(found)


PAGES = pages()


@pytest.mark.parametrize("page", PAGES)
def test_the_blocks_of_a_page_do_what_it_says(page: str, product: Product, git: Git, tmp_path: Path) -> None:
    desk = Desk(product, git, tmp_path)
    (place,) = {block.place for block in PAGES[page]}
    PLACES[place](desk)
    for block in PAGES[page]:
        if block.needs and not shutil.which(block.needs):
            continue
        code, said = desk.run(block)
        assert code == block.exit_code, f"{block.text}\n{said}"
        left = iter([" ".join(line.split()) for line in said.splitlines()])
        for line in block.quoted:
            assert " ".join(line.split()) in left, f"{line}\nis not in, or not after the lines before it:\n{said}"


# ----------------------------------------------------------------------------------------------- what is not executed

NETWORK, MAINTAINER, ELSEWHERE = (
    "it needs a network",
    "it is a maintainer's, on the project itself",
    "another test runs it",
)
NAMES = "it stands for what the reader has: names, files and runs of theirs"
NOT_RUN = {
    "CONTRIBUTING.md: make setup": MAINTAINER,
    "README.md: git clone": NETWORK,
    "README.md: make gate": "the whole of .ci/run does it",
    "docs/attestation.md: secgate attest": ELSEWHERE,
    "docs/attestation.md: secgate run": ELSEWHERE,
    "docs/baselines.md: ssh-keygen": "it asks for a passphrase",
    "docs/controls.md: gh": NETWORK,
    "docs/controls.md: npm": NETWORK,
    "docs/controls.md: secgate evidence": NAMES,
    "docs/deadlines.md: secgate advisories": NETWORK,
    "docs/editor.md: pip": NETWORK,
    "docs/first-hour.md: git clone": NETWORK,
    "docs/first-hour.md: secgate advisories": NAMES,
    "docs/inventory.md: secgate sbom": ELSEWHERE,
    "docs/ledger.md: python3": ELSEWHERE,
    "docs/ledger.md: secgate diff": NAMES,
    "docs/metrics.md: secgate ledger": ELSEWHERE,
    "docs/notifications.md: secgate notify": NAMES,
    "docs/pre-commit.md: pre-commit": "it writes hooks; tests/runs/test_pre_commit.py runs the real one",
    "docs/releasing.md: .venv/bin/towncrier": MAINTAINER,
    "docs/releasing.md: gh": NETWORK,
    "docs/releasing.md: git switch": MAINTAINER,
    "docs/releasing.md: git tag": MAINTAINER,
    "docs/releasing.md: secgate advisories": NETWORK,
    "docs/releasing.md: secgate attest": NAMES,
    "docs/releasing.md: secgate coverage": MAINTAINER,
    "docs/releasing.md: secgate keys": MAINTAINER,
    "docs/releasing.md: uv": NETWORK,
    "docs/signing.md: secgate keys": NAMES,
    "docs/signing.md: ssh-keygen": "it asks for a passphrase",
    "docs/trials.md: git clone": NETWORK,
    "reports/export/README.md: python3": ELSEWHERE,
}
"""Blocks that nothing here executes, by page and command, and why."""

FENCED = re.compile(r"^```(\S*)([^\n]*)\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"(?:(?<=\n)|\A)\n((?:[ ]{4}[^\n]*\n)+)")
STARTS = re.compile(
    r"(secgate(?! (?:at|show)\b: )|[.]venv/bin/\w+|pip|git|gh|npm|uv|make|pre-commit|ssh-keygen|python3)(?= [\w.'-])"
)


def left_alone() -> dict[str, list[str]]:
    """Give the shell blocks that are not marked with `run`, by page and command."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in documents():
        text = path.read_text(encoding="utf-8")
        blocks = [
            body for language, words, body in FENCED.findall(text) if language == "sh" and words.split()[:1] != ["run"]
        ]
        blocks += INDENTED.findall(FENCED.sub("", text))
        for block in blocks:
            lines = inspect.cleandoc(block).splitlines()
            if STARTS.match(lines[0]):
                words = lines[0].split()
                named = words[:2] if words[0] in ("secgate", "git", "make") else words[:1]
                found[f"{path.relative_to(ROOT).as_posix()}: {' '.join(named)}"] += lines
    return dict(found)


def test_what_is_not_executed_says_why() -> None:
    assert sorted(left_alone()) == sorted(NOT_RUN)


def test_commands_that_are_not_executed_are_commands_all_the_same() -> None:
    """Each takes the options that it is shown with."""
    checked = 0
    for lines in left_alone().values():
        for line in "\n".join(lines).replace("\\\n", " ").splitlines():
            if not line.startswith("secgate "):
                continue
            words = shlex.split(line, comments=True)[1:]
            parsed(list(itertools.takewhile(lambda word: word not in ("|", ">", "&&"), words)))
            checked += 1
    assert checked >= 20
