"""One whole run with the real scanners, on a tree that tries what real tools are known to fall for."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from secgate.config import Machine
from secgate.events import FindingClosed, FindingOpened, event_of
from secgate.gate_events import GateChanged
from secgate.ledgers.sqlite import SqliteLedger
from secgate.model import Finding, Outcome, RunDocument
from secgate.pipeline import RunRequest, render, run
from secgate.preparation import Silence
from tests.product import DAY, KEY, NOW, gaps, tree
from tests.unit.conftest import Git

PASSWORD = "hunter2" + "-correct-horse"
FILES = {
    "app.py": 'import subprocess\n\n\ndef run(text):\n    return subprocess.call("ls " + text, shell=True)'
    "  # nosec  # nosemgrep\n",
    "settings.py": f'password = "{PASSWORD}"\naws_access_key_id = "{KEY}"  # pragma: allowlist secret\n',
    "broken.py": "def broken(:\n",
    "bandit.py": "raise SystemExit('the tree was run')\n",
    ".semgrepignore": "*\n",
    ".bandit": "[bandit]\nexclude: app.py,settings.py\n",
    ".github/workflows/ci.yml": "on: pull_request_target\njobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n"
    "      - run: echo ${{ github.event.pull_request.title }}\n",
    ".github/zizmor.yml": "rules:\n  template-injection:\n    disable: true\n",
}


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> RunDocument:
    home = tmp_path_factory.mktemp("machine")
    env = {"PATH": "/usr/bin:/bin", "HOME": str(home), "SECGATE_OFFLINE": "1", "SECGATE_LEDGER_STORE": "none"}
    machine = Machine(env=env, cwd=str(home), python=sys.executable, prefix=sys.prefix, state=str(home / "state"))
    return run(RunRequest(path=str(tree(home / "tree", FILES))), machine=machine, now=NOW, observer=Silence())


def found(document: RunDocument, path: str) -> list[Finding]:
    return [finding for finding in document.findings if finding.location.path == path]


def test_every_scanner_completed_and_two_outcomes_hold(document: RunDocument) -> None:
    assert {one.scanner: one.status.value for one in document.invocations} == dict.fromkeys(
        ("bandit", "detect-secrets", "kingfisher", "semgrep", "zizmor"), "completed"
    )
    assert document.decision is not None
    assert document.decision.all_outcomes == (Outcome.FAIL, Outcome.INCONCLUSIVE)


def test_threat_06_what_comments_and_configuration_would_hide_is_found(document: RunDocument) -> None:
    tools = {witness.scanner for finding in found(document, "app.py") for witness in finding.witnesses}
    assert tools == {"bandit", "semgrep"}
    assert any(finding.suppressed_in_source for finding in found(document, "app.py"))
    secret = {witness.scanner for finding in found(document, "settings.py") for witness in finding.witnesses}
    assert secret >= {"detect-secrets", "bandit"}


def test_a_file_that_no_tool_can_parse_is_a_gap_of_both(document: RunDocument) -> None:
    assert {(gap.path, gap.tool, gap.reason) for gap in gaps(document)} == {
        ("broken.py", "bandit", "parse-error"),
        ("broken.py", "semgrep", "parse-error"),
    }


def test_a_workflow_that_runs_a_strangers_title_fails_the_run(document: RunDocument) -> None:
    assert document.decision is not None
    denied = {verdict.id for verdict in document.decision.verdicts if verdict.word == "deny"}
    assert denied & {finding.fingerprint for finding in found(document, ".github/workflows/ci.yml")}


@pytest.mark.parametrize("form", ["text", "json", "sarif", "html"])
def test_threat_12_no_tool_repeats_a_secret(document: RunDocument, form: str) -> None:
    shown = render(document, form, width=80, colour=False)
    assert (PASSWORD.encode() in shown, KEY.encode() in shown) == (False, False)


def test_a_secret_that_a_tool_for_code_saw_too_is_closed_when_the_last_one_is_gone(git: Git, tmp_path: Path) -> None:
    """Bandit serves another lane than the finding's; with no candidate left, detect-secrets is called otherwise."""
    env = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "SECGATE_OFFLINE": "1"}
    state = str(tmp_path / "state")
    machine = Machine(env=env, cwd=str(tmp_path), python=sys.executable, prefix=sys.prefix, state=state)
    for day, text in enumerate((f'password = "{PASSWORD}"\n', "import sys\n")):
        git.commit({"settings.py": text, **({"page.js": "let a = 1;\n"} if day else {})})
        request = RunRequest(path=str(git.root), scope="protected", ref="refs/heads/main", jobs=1 + day)
        document = run(request, machine=machine, now=NOW + day * DAY, observer=Silence())
        saw = {witness.scanner for one in document.findings for witness in one.witnesses}
        assert saw == (set() if day else {"bandit", "detect-secrets"})
    entries = SqliteLedger(str(git.root / ".git" / "secgate" / "ledger.sqlite")).read()
    clocks = (FindingOpened, FindingClosed, GateChanged)
    assert [type(event) for event in map(event_of, entries) if isinstance(event, clocks)] == [
        FindingOpened,
        FindingClosed,
    ]
