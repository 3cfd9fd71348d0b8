"""The project's own workflows hold no rights that they do not need, and run nobody's moving tag."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "github.md"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_are_pinned_by_commit(workflow: Path) -> None:
    used = re.findall(r"uses: (.+)", workflow.read_text(encoding="utf-8"))
    assert used
    others = [line for line in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v[\d.]+", line)]
    assert [line for line in others if line != "./judge # zizmor: ignore[self-repository]"] == []


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_no_rights_by_default(workflow: Path) -> None:
    content = yaml.safe_load(workflow.read_text(encoding="utf-8"))
    assert content["permissions"] == {}
    # What signs may sign and no more: it neither reads the repository nor runs anything of it.
    signs = {"attestations": "write", "id-token": "write"}
    assert {name: job["permissions"] for name, job in content["jobs"].items()} == {
        name: signs if (workflow.stem, name) == ("release", "sign") else {"contents": "read"}
        for name in content["jobs"]
    }


def test_zizmor_finds_nothing() -> None:
    zizmor = Path(sys.executable).with_name("zizmor")
    result = subprocess.run(
        [
            zizmor,
            "--offline",
            "--no-config",
            "--format",
            "json",
            "--persona",
            "pedantic",
            ROOT / ".github",
            ROOT / "action.yml",
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert json.loads(result.stdout) == [], result.stderr


def shown_workflows() -> dict[str, str]:
    """Give the workflows that the documents show, by their file names."""
    shown = re.findall(
        r"^```yaml\n(# \.github/workflows/(\S+)\n.*?)^```", DOCUMENT.read_text(), flags=re.MULTILINE | re.DOTALL
    )
    assert len(shown) == 2
    return {name: text for text, name in shown}


def test_actionlint_finds_nothing(tmp_path: Path) -> None:
    """It reads the workflows here, and those that the documents show, as they would lie beside the action."""
    actionlint = shutil.which("actionlint")
    if actionlint is None:
        pytest.skip("no actionlint on PATH: .ci/run builds it where there is Go")
    shown = shown_workflows()
    project = tmp_path / "project"
    (project / ".git").mkdir(parents=True)
    (project / ".github" / "workflows").mkdir(parents=True)
    shutil.copy(ROOT / "action.yml", project)
    for name, text in shown.items():
        local = re.sub(r"uses: secgate/secgate@\S+.*", "uses: ./", text)
        assert (local != text) is (name == "secgate.yml")
        (project / ".github" / "workflows" / name).write_text(local)
    for workflow in WORKFLOWS:
        shutil.copy(workflow, project / ".github" / "workflows")
    result = subprocess.run(
        [actionlint, "-no-color"], cwd=project, capture_output=True, text=True, check=False, timeout=60
    )
    assert (result.returncode, result.stdout) == (0, ""), result.stderr


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_threat_10_no_workflow_runs_a_change_with_the_bases_rights(workflow: Path) -> None:
    # `on` is read as true. Source: YAML 1.1, which PyYAML speaks.
    content = yaml.safe_load(workflow.read_text(encoding="utf-8"))
    assert set(content[True]) <= {"push", "pull_request", "merge_group", "schedule", "workflow_dispatch"}
    assert "secrets." not in workflow.read_text(encoding="utf-8")


def test_threat_10_a_change_is_gated_by_the_gate_that_stands() -> None:
    """The action is that of the commit that the change goes to, and nothing of the change is started."""
    steps = yaml.safe_load((ROOT / ".github/workflows/gate.yml").read_text(encoding="utf-8"))["jobs"]["gate"]["steps"]
    checkouts = {one["with"]["path"]: one["with"] for one in steps if one["uses"].startswith("actions/checkout@")}
    bases = ("github.event.pull_request.base.sha", "github.event.merge_group.base_sha", "github.sha")
    assert checkouts["judge"]["ref"] == f"${{{{ {' || '.join(bases)} }}}}"
    assert "ref" not in checkouts["head"]
    (gate,) = [one for one in steps if one["uses"].startswith("./")]
    assert (gate["uses"], gate["with"]["path"]) == ("./judge", "head")
    assert not [one for one in steps if "run" in one]


PINNED = re.compile(r"(?:uses: |= \")([\w-]+/[\w./-]+)@([0-9a-f]{40}) # (v[\d.]+)")


def test_an_action_is_pinned_to_one_commit_wherever_it_is_named() -> None:
    places = [ROOT / "action.yml", ROOT / "secgate" / "proposals.py", *WORKFLOWS, *sorted((ROOT / "docs").glob("*.md"))]
    found: dict[str, dict[tuple[str, str], list[str]]] = {}
    for place in places:
        for action, commit, version in PINNED.findall(place.read_text(encoding="utf-8")):
            owner = "/".join(action.split("/")[:2])
            found.setdefault(owner, {}).setdefault((commit, version), []).append(place.name)
    assert {"actions/checkout", "actions/setup-python", "actions/cache"} <= set(found)
    assert len({name for pins in found.values() for names in pins.values() for name in names}) >= 5
    assert {owner: pins for owner, pins in found.items() if len(pins) > 1} == {}
