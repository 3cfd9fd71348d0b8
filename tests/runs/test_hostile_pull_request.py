"""A pull request that edits everything that judges it, run as CI would: it still fails for the weakness it brings."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from secgate.config import Machine
from secgate.errors import ConfigError
from secgate.model import Finding, Outcome, RunDocument, Verdict, Word
from secgate.pipeline import RunRequest, render, run
from secgate.preparation import Silence
from tests.product import NOW, Product, outcome
from tests.runs.test_threats import pull_request
from tests.signing_support import ADA, allowed, enforced_layer, make_key, sign
from tests.unit.conftest import Git

CASE = Path(__file__).parents[1] / "cases" / "hostile_pull_request"
OWN = "data.secgate.rules.house"
THEIRS = "data.secgate.rules.no_injection"
SHIPPED = "data.secgate.rules.new_critical_or_high"
WORKFLOW = """name: gate
on: pull_request
permissions: {}
jobs:
  gate:
    runs-on: ubuntu-24.04
    continue-on-error: true
    steps:
      - run: secgate run --profile pre-commit || true
"""


def files(folder: str) -> dict[str, str]:
    """Give the files of a part of the case under the names that they stand for."""
    root = CASE / folder
    named = {path.relative_to(root): path.read_text() for path in sorted(root.rglob("*")) if path.is_file()}
    return {"/".join(part.replace("dot-", ".", 1) for part in name.parts): text for name, text in named.items()}


class Case:
    """The repository with the pull request checked out, and the organisation, which Mallory cannot write to."""

    def __init__(self, product: Product, git: Git, home: Path) -> None:
        self.product, self.git, self.home = product, git, home
        ada, self.mallory = (make_key(home / "keys", name) for name in ("ada", "mallory"))
        self.organisation = enforced_layer(home / "organisation", allowed(ADA, ada))
        for name, text in files("organisation").items():
            (self.organisation / name).parent.mkdir(parents=True, exist_ok=True)
            (self.organisation / name).write_text(text)
        git.commit(files("base"))
        product.env["SECGATE_ENFORCED"] = str(self.organisation)

    def main(self) -> RunDocument:
        return self.product.run(self.git.root, scope="protected", ref="refs/heads/main")

    def proposes(self, **changes: str) -> None:
        """Check the pull request out, in the CI of the repository."""
        self.git("switch", "--quiet", "-c", "feature")
        key = allowed(ADA, self.mallory)
        signers = dict.fromkeys(("allowed_signers", ".secgate/allowed_signers"), key) | {
            "revoked": "",
            "retired.toml.sig": "",
        }
        self.git.write({**files("head"), **signers, **changes})
        sign(self.git.root / ".secgate/baseline.sarif", self.mallory, "secgate-baseline")
        self.git("add", "--force", "--all")
        self.git("commit", "--quiet", "--message", "tidy up")
        pull_request(self.product, self.git)


@pytest.fixture
def case(product: Product, git: Git, tmp_path: Path) -> Case:
    return Case(product, git, tmp_path)


def brought(document: RunDocument) -> tuple[Finding, Verdict]:
    (finding,) = (one for one in document.findings if one.location.path == "app.py")
    assert document.decision is not None
    return finding, next(one for one in document.decision.verdicts if one.id == finding.fingerprint)


def test_threat_02_a_hostile_pull_request_fails_for_the_finding_it_brings(case: Case) -> None:
    assert outcome(case.main()) is Outcome.PASS
    case.proposes()
    document = case.product.run(case.git.root)
    finding, verdict = brought(document)
    decision = document.decision
    assert decision is not None
    assert (decision.exit_code, decision.mode, decision.profile, document.target.scope.value) == (
        *(1, "enforce", "pull-request"),
        "change",
    )
    assert (verdict.word, verdict.all_rules) == (Word.DENY, (OWN, SHIPPED, THEIRS))
    assert [(one.layer, one.word) for one in verdict.said] == [
        (layer, Word.DENY) for layer in ("organisation", "repository", "shipped")
    ]
    assert (finding.state.value, finding.suppressed_in_source, finding.owner) == ("new", True, "@acme/shop")
    assert [one.id for one in decision.verdicts if one.word is Word.DENY] == [finding.fingerprint]
    assert document.ledger


def test_everything_it_edits_of_the_gate_is_named(case: Case) -> None:
    case.proposes()
    document = case.product.run(case.git.root)
    # In a tree these count for nothing wherever they stand, so an edit of them is no change of the gate.
    idle = {"people.toml", "path-classes.toml", "retired.toml", "revoked"}
    names = set(files("head")) | {
        "allowed_signers",
        ".secgate/allowed_signers",
        ".secgate/baseline.sarif.sig",
        "revoked",
    }
    harmless = {"app.py", "given/clean.sarif", "policies/data/limits.json", "policies/data/profiles.json"}
    assert set(document.target.gate_changes) >= names - harmless - idle
    page = render(document, "text", width=80, colour=False).data.decode()
    assert "this change edits what judges it (reported, not obeyed)" in " ".join(page.split())


def test_the_same_edits_without_the_weakness_pass(case: Case) -> None:
    case.proposes(**{"app.py": files("base")["app.py"] + "\n"})
    assert outcome(case.product.run(case.git.root)) is Outcome.PASS


def test_its_policies_judge_as_they_did_before(case: Case) -> None:
    before = case.main().decision
    case.proposes()
    after = case.product.run(case.git.root).decision
    assert before is not None
    assert after is not None
    assert after.policy_digests == before.policy_digests
    assert after.enforced_digest == before.enforced_digest


def test_nothing_it_brings_can_be_named_on_the_command_line_either(case: Case) -> None:
    case.proposes()
    root = str(case.git.root)
    enforced = case.product.cli("run", root, "--enforced", root)
    assert (enforced.code, "inside the scanned tree" in enforced.err) == (2, True)
    config = case.product.cli("run", root, "--config", f"{root}/mine.toml")
    assert config.code == 2
    policy = case.product.cli("run", root, "--policy", f"{root}/.secgate/policies")
    assert (policy.code, "belongs to the shipped layer alone" in policy.err) == (4, True)
    baseline = case.product.run(case.git.root, baseline=f"{root}/.secgate/baseline.sarif")
    assert outcome(baseline) is Outcome.FAIL
    assert any("baseline.sarif counts nothing" in note for note in baseline.notes)
    name = brought(baseline)[0].fingerprint
    who = ("--as", ADA, "--key", str(case.mallory.path), "--until", "30d", "--reason", "fine", "--kind", "accept")
    waiver = case.product.cli("waiver", "request", name[:12], "--path", root, *who)
    assert waiver.code == 2
    assert outcome(case.product.run(case.git.root)) is Outcome.FAIL


def test_even_merged_it_does_not_silence_the_gate(case: Case) -> None:
    case.proposes()
    with pytest.raises(ConfigError) as refused:
        case.main()
    said = str(refused.value)
    for key in ("mode", "scope", "disabled_rules", "engine", "ledger.store", "scanners.semgrep.path", "sarif.0.covers"):
        assert f"`{key}" in said


def test_with_the_real_scanners(case: Case) -> None:
    case.proposes(**{".github/workflows/gate.yml": WORKFLOW})
    env = {
        **case.product.env,
        "PATH": f"{case.product.env['PATH']}:/usr/bin:/bin",
        "SECGATE_STATE_DIR": f"{case.home}/state",
    }
    machine = Machine(env=env, cwd=str(case.home), python=sys.executable, prefix=sys.prefix, state=f"{case.home}/state")
    document = run(RunRequest(path=str(case.git.root)), machine=machine, now=NOW, observer=Silence())
    finding, verdict = brought(document)
    assert document.decision is not None
    assert document.decision.outcome is Outcome.FAIL
    assert verdict.word is Word.DENY
    assert ".github/workflows/gate.yml" in document.target.gate_changes
    assert {OWN, THEIRS} <= set(verdict.all_rules)
    assert {witness.scanner for witness in finding.witnesses} >= {"bandit", "semgrep"}
    told = json.loads(render(document, "json", width=80, colour=False).data)
    assert finding.fingerprint in [one["id"] for one in told["blocked"]]
