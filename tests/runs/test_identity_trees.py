"""The identity corpus under the real scanners: every edit once, in one tree, on a protected branch with a ledger."""

from __future__ import annotations

import shutil
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

import pytest

from secgate.config import Machine
from secgate.model import Finding, KnownFinding, RunDocument, State
from secgate.pipeline import RunRequest, run
from secgate.preparation import Silence
from tests.product import DAY, NOW
from tests.unit.conftest import Git, SubprocessRunner

_TREES = Path(__file__).parents[1] / "cases" / "identity" / "trees"
_EXPECTED = tomllib.loads((_TREES / "expected.toml").read_text())
_START = int(NOW.timestamp())


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunDocument, RunDocument]:
    """The runs on both sides, a day apart."""
    home = tmp_path_factory.mktemp("identity")
    git = Git(home / "tree", home / "git-home", SubprocessRunner()).init()
    env = {"PATH": "/usr/bin:/bin", "HOME": str(home), "SECGATE_OFFLINE": "1"}
    machine = Machine(env=env, cwd=str(home), python=sys.executable, prefix=sys.prefix, state=str(home / "state"))
    made = []
    for days, side in enumerate(("before", "after")):
        for case in _EXPECTED:
            shutil.rmtree(git.root / case, ignore_errors=True)
            shutil.copytree(_TREES / case / side, git.root / case)
        git.commit()
        request = RunRequest(path=str(git.root), scope="protected", ref="refs/heads/main")
        made.append(run(request, machine=machine, now=NOW + days * DAY, observer=Silence()))
    return made[0], made[1]


def _named(case: str, found: Iterable[Finding | KnownFinding]) -> list[str]:
    names = []
    for one in found:
        path = one.location.path if isinstance(one, Finding) else one.path
        if path.startswith(f"{case}/"):
            names.append(f"{path.removeprefix(f'{case}/')} {one.symbol or '-'} {one.weakness}")
    return sorted(names)


@pytest.mark.parametrize("case", sorted(_EXPECTED))
def test_tree(documents: tuple[RunDocument, RunDocument], case: str) -> None:
    document, expected = documents[1], _EXPECTED[case]
    states = {"stays": State.UNCHANGED, "updated": State.UPDATED, "appears": State.NEW}
    for word, state in states.items():
        found = [one for one in document.findings if one.state is state]
        assert _named(case, found) == expected.get(word, []), word
        assert {one.first_seen_epoch_s for one in found} <= {None if state is State.NEW else _START}
    assert _named(case, document.absent) == expected.get("vanishes", [])


def test_every_folder_is_expected_and_every_scanner_looked(documents: tuple[RunDocument, RunDocument]) -> None:
    assert {folder.name for folder in _TREES.iterdir() if folder.is_dir()} == set(_EXPECTED)
    for document in documents:
        ended = {one.scanner: one.status.value for one in document.invocations}
        assert {ended[name] for name in ("bandit", "semgrep", "secgate-iac")} == {"completed"}


def test_where_twins_were_added_it_is_said(documents: tuple[RunDocument, RunDocument]) -> None:
    twins = [one for one in documents[1].findings if one.location.path.startswith("twin-below/")]
    assert [one.ambiguous for one in twins] == [True, True]
