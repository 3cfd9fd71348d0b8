"""Comments in the source through whole runs: nothing as shipped, something where the organisation says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from secgate.model import Outcome, RunDocument, Word
from tests.product import DAY, NOW, Product, outcome
from tests.unit.conftest import Git

COMMENTED = "def answer(text):\n    return eval(text)  # nosemgrep: eval -- the text is our own\n"
ALLOWED = {
    "comments": ["nosemgrep"],
    "lanes": ["sast"],
    "severities": ["medium"],
    "names_rules": True,
    "reason_characters": 10,
}


@pytest.fixture
def organisation(product: Product, tmp_path: Path) -> Path:
    product.tool("semgrep", severity="WARNING")
    folder = tmp_path / "organisation"
    (folder / "data").mkdir(parents=True)
    (folder / "enforced.toml").write_text("version = 1\n")
    data = {"suppressions": {"version": 1, "let_pass": [ALLOWED]}}
    (folder / "data" / "suppressions.json").write_text(json.dumps(data))
    return folder


def late(product: Product, git: Git, enforced: str) -> RunDocument:
    """Give a run on the protected branch when everything mild is overdue."""
    product.run(git.root, scope="protected", enforced=enforced)
    return product.run(git.root, scope="protected", enforced=enforced, now=NOW + 60 * DAY)


def test_as_shipped_what_is_overdue_stays_so(product: Product, git: Git, organisation: Path) -> None:
    (organisation / "data" / "suppressions.json").unlink()
    git.commit({"app.py": COMMENTED})
    assert outcome(late(product, git, str(organisation))) is Outcome.FAIL


def test_the_organisation_s_data_lets_it_pass_and_the_clock_runs_on(
    product: Product, git: Git, organisation: Path
) -> None:
    git.commit({"app.py": COMMENTED})
    document = late(product, git, str(organisation))
    assert outcome(document) is Outcome.PASS
    assert document.decision is not None
    (verdict,) = [one for one in document.decision.verdicts if one.subject == "finding"]
    assert (verdict.word, verdict.reason) == (
        Word.WAIVED,
        "waived by `nosemgrep` in the source: the text is our own",
    )
    assert document.findings[0].obligations[0].start_epoch_s == int(NOW.timestamp())


def test_threat_06_a_repository_cannot_say_so_itself(product: Product, git: Git) -> None:
    product.tool("semgrep", severity="WARNING")
    data = json.dumps({"suppressions": {"version": 1, "let_pass": [ALLOWED]}})
    rule = 'package secgate.rules.own\nwarn contains {"run": true, "reason": "seen"} if input.run.dirty\n'
    git.commit({"app.py": COMMENTED, "secgate.toml": 'policies = ["policy"]\n'})
    git.commit({"policy/a.rego": rule, "policy/data/suppressions.json": data, "policy/suppressions.json": data})
    assert outcome(late(product, git, "")) is Outcome.FAIL
