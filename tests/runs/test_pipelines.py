"""The templates for other forges: valid by each forge's own schema, and their shell parts run as that CI would.

What CI sets is faked; git and secgate are real, the scanners are stand-ins, and whatever would install only says so.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema_rs
import pytest
import yaml

from tests.product import CLEAN, WEAK, Product
from tests.unit.conftest import Git

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "pipelines.md").read_text(encoding="utf-8")
SCHEMAS = files("check_jsonschema") / "builtin_schemas" / "vendor"
FILES = {
    "gitlab": (".gitlab-ci.yml", "gitlab-ci"),
    "azure": ("azure-pipelines.yml", "azure-pipelines"),
    "bitbucket": ("bitbucket-pipelines.yml", "bitbucket-pipelines"),
}


def template(ci: str) -> str:
    name = re.escape(FILES[ci][0])
    (body,) = re.findall(rf"^```yaml\n# {name}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    return str(body)


def jenkinsfile() -> str:
    (body,) = re.findall(r"^```groovy\n// Jenkinsfile\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    return str(body)


def validator(name: str) -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8")))


@pytest.mark.parametrize("ci", FILES)
def test_a_template_is_valid_by_its_forges_schema(ci: str) -> None:
    read = yaml.safe_load(template(ci))
    found = validator(FILES[ci][1])
    assert [error.message for error in found.iter_errors(read)] == []
    spoilt = template(ci).replace(*{"bitbucket": ("depth: full", "depth: none")}.get(ci, ("script:", "scripts:")))
    assert spoilt != template(ci)
    assert not found.is_valid(yaml.safe_load(spoilt)), "the schema refuses something"


@pytest.mark.parametrize(
    ("file", "schema"),
    [
        ("action.yml", "github-actions"),
        (".github/workflows/ci.yml", "github-workflows"),
        (".github/workflows/gate.yml", "github-workflows"),
    ],
)
def test_what_github_reads_is_valid_by_its_schema(file: str, schema: str) -> None:
    # `on` is read as true. Source: YAML 1.1, which PyYAML speaks.
    read = {"on" if key is True else key: value for key, value in yaml.safe_load((ROOT / file).read_text()).items()}
    assert [error.message for error in validator(schema).iter_errors(read)] == []


def test_the_jenkinsfile_closes_what_it_opens() -> None:
    bare = re.sub(r"'''.*?'''|'[^'\n]*'|//[^\n]*", "", jenkinsfile(), flags=re.DOTALL)
    opened = []
    for mark in re.findall(r"[(){}\[\]]", bare):
        if mark in "({[":
            opened.append(mark)
        else:
            assert opened.pop() + mark in ("()", "{}", "[]")
    assert opened == []
    assert not re.search(r"['\"]", bare)


# ---------------------------------------------------------------------------------------------------------- shell parts


class Part(NamedTuple):
    """What one CI runs, and the files that it then keeps."""

    script: str
    outputs: tuple[str, ...]


def gitlab() -> Part:
    job = yaml.safe_load(template("gitlab"))["secgate"]
    reports = tuple(job["artifacts"]["reports"].values())
    return Part("\n".join((*job["before_script"], *job["script"])), (*reports, *job["artifacts"]["paths"]))


def azure() -> Part:
    steps = yaml.safe_load(template("azure"))["steps"]
    scripts = [one["script"] for one in steps if "script" in one]
    outputs = [one["publish"] for one in steps if "publish" in one]
    outputs += [one["inputs"]["testResultsFiles"] for one in steps if "PublishTestResults" in one.get("task", "")]
    # Azure puts values in before the shell sees them.
    return Part("\n".join(scripts).replace("$(SECGATE_PACKAGE)", "a.whl"), tuple(outputs))


def jenkins() -> Part:
    (script,) = re.findall(r"sh '''\n(.*?)'''", jenkinsfile(), re.DOTALL)
    outputs = re.findall(r"junit '([^']+)'|pattern: '([^']+)'", jenkinsfile())
    return Part(script, tuple(one or other for one, other in outputs))


def bitbucket() -> Part:
    pipelines = yaml.safe_load(template("bitbucket"))["pipelines"]
    ((on_changes,), (on_main,)) = pipelines["pull-requests"]["**"], pipelines["branches"]["main"]
    assert on_changes == on_main
    step = on_changes["step"]
    return Part("\n".join(step["script"]), (*step["artifacts"], "test-results/secgate.xml"))


PARTS = {"gitlab": gitlab, "azure": azure, "jenkins": jenkins, "bitbucket": bitbucket}
SHIM = """\
#!/bin/sh
echo "$(basename "$0") $*" >> "$CALLS"
case "$(basename "$0") $1" in
  "secgate tools") ;;
  secgate*) PYTHONPATH="{root}" exec "{python}" -m secgate "$@" ;;
  "python3 -m") mkdir -p "$3/bin"; for one in pip secgate; do ln -s "$SHIMS/$one" "$3/bin/$one"; done ;;
esac
"""


class Forge:
    """A checkout on a machine of one CI's."""

    def __init__(self, home: Path, git: Git) -> None:
        self.product = Product(home)
        self.git = git
        self.shims = home / "shims"
        self.shims.mkdir()
        self.calls = home / "calls"
        self.calls.touch()
        for name in ("apt-get", "pip", "python3", "secgate"):
            (self.shims / name).write_text(SHIM.format(root=ROOT, python=sys.executable))
            (self.shims / name).chmod(0o755)
        for name in ("basename", "ln", "mkdir", "sh"):
            (self.shims / name).symlink_to(str(shutil.which(name)))

    def run(self, part: Part, env: Mapping[str, str]) -> tuple[int, str]:
        """Run a script as CI does, the first command that fails ending it."""
        done = subprocess.run(
            ["sh", "-e", "-c", part.script],
            cwd=self.git.root,
            env={
                **self.product.env,
                "PATH": f"{self.shims}:{self.product.env['PATH']}",
                "CALLS": str(self.calls),
                "SHIMS": str(self.shims),
                "SECGATE_PACKAGE": "a.whl",
                "WORKSPACE_TMP": str(self.product.home / "tmp"),
                **env,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=300,
        )
        return done.returncode, done.stdout

    def change(self, ci: str) -> dict[str, str]:
        base, head = self.git("rev-parse", "main"), self.git("rev-parse", "HEAD")
        return {
            "gitlab": {
                "GITLAB_CI": "true",
                "CI_PIPELINE_SOURCE": "merge_request_event",
                "CI_MERGE_REQUEST_IID": "7",
                "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
                "CI_MERGE_REQUEST_DIFF_BASE_SHA": base,
                "CI_MERGE_REQUEST_PROJECT_ID": "1",
                "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "1",
                "CI_COMMIT_SHA": head,
                "CI_DEFAULT_BRANCH": "main",
                "CI_COMMIT_REF_PROTECTED": "false",
            },
            "azure": {
                "TF_BUILD": "True",
                "BUILD_REASON": "PullRequest",
                "SYSTEM_PULLREQUEST_PULLREQUESTID": "7",
                "SYSTEM_PULLREQUEST_TARGETBRANCH": "refs/heads/main",
                "BUILD_SOURCEBRANCH": "refs/pull/7/merge",
                "BUILD_SOURCEVERSION": head,
            },
            "jenkins": {
                "JENKINS_URL": "http://ci",
                "CHANGE_ID": "7",
                "CHANGE_TARGET": "main",
                "CHANGE_BRANCH": "f",
                "BRANCH_NAME": "PR-7",
                "GIT_COMMIT": head,
            },
            "bitbucket": {
                "BITBUCKET_BUILD_NUMBER": "1",
                "BITBUCKET_PR_ID": "7",
                "BITBUCKET_BRANCH": "f",
                "BITBUCKET_PR_DESTINATION_BRANCH": "main",
                "BITBUCKET_COMMIT": head,
            },
        }[ci]

    def pushed(self, ci: str, *, tag: str = "") -> dict[str, str]:
        head = self.git("rev-parse", "HEAD")
        ref = f"refs/tags/{tag}" if tag else "refs/heads/main"
        named = {"CI_COMMIT_TAG": tag} if tag else {"CI_COMMIT_BRANCH": "main"}
        return {
            "gitlab": {
                "GITLAB_CI": "true",
                "CI_PIPELINE_SOURCE": "push",
                "CI_COMMIT_SHA": head,
                **named,
                "CI_DEFAULT_BRANCH": "main",
                "CI_COMMIT_REF_PROTECTED": "true",
            },
            "azure": {
                "TF_BUILD": "True",
                "BUILD_REASON": "IndividualCI",
                "BUILD_SOURCEBRANCH": ref,
                "BUILD_SOURCEVERSION": head,
            },
            "jenkins": {
                "JENKINS_URL": "http://ci",
                "BRANCH_NAME": tag or "main",
                "GIT_COMMIT": head,
                **({"TAG_NAME": tag} if tag else {}),
            },
            "bitbucket": {
                "BITBUCKET_BUILD_NUMBER": "1",
                "BITBUCKET_COMMIT": head,
                **({"BITBUCKET_TAG": tag} if tag else {"BITBUCKET_BRANCH": "main"}),
            },
        }[ci]


@pytest.fixture
def forge(tmp_path: Path, git: Git) -> Forge:
    git.commit({"old.py": WEAK, "app.py": CLEAN})
    return Forge(tmp_path / "machine", git)


@pytest.fixture(params=PARTS)
def ci(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def installed(forge: Forge) -> list[str]:
    return [line for line in forge.calls.read_text().splitlines() if not line.startswith("secgate run")]


def test_a_change_is_blocked_for_what_it_adds_and_every_report_is_there(forge: Forge, ci: str) -> None:
    forge.git("switch", "--quiet", "-c", "f")
    forge.git.commit({"app.py": WEAK})
    part = PARTS[ci]()
    code, said = forge.run(part, forge.change(ci))
    assert (code, "scope change" in said, "Blocking (1)" in said) == (1, True, True), said
    assert len(part.outputs) >= 2
    for name in part.outputs:
        assert (forge.git.root / name).stat().st_size > 0, name
    assert "pip install a.whl" in installed(forge)
    assert "secgate tools install checkov" in installed(forge)


MORE = f"""{WEAK}

def run(text):
    return eval(text + text)
"""


@pytest.mark.parametrize("private", [False, True])
def test_a_log_counts_what_is_older_where_nobody_says_that_it_is_private(forge: Forge, ci: str, private: bool) -> None:
    forge.git("switch", "--quiet", "-c", "f")
    forge.git.commit({"old.py": MORE})
    env = {**forge.change(ci), **({"SECGATE_VISIBILITY": "private"} if private else {})}
    code, said = forge.run(PARTS[ci](), env)
    assert (code, "old.py:6" in said) == (1, True), said
    assert ("old.py:2" in said, "Older, not named in a log that others may read (1 high)" in said) == (
        private,
        not private,
    ), said


def test_a_change_that_adds_nothing_passes_and_starts_no_clock(forge: Forge, ci: str) -> None:
    forge.git("switch", "--quiet", "-c", "f")
    forge.git.commit({"app.py": f"{CLEAN}\n"})
    code, said = forge.run(PARTS[ci](), forge.change(ci))
    assert (code, "scope change" in said) == (0, True), said
    assert "no findings" in said or "Not blocking" in said or "nothing" in said


def test_main_is_protected_and_nothing_of_the_pipeline_is_scanned(forge: Forge, ci: str) -> None:
    code, said = forge.run(PARTS[ci](), forge.pushed(ci))
    assert (code, "scope protected" in said) == (0, True), said
    document = json.loads(forge.product.cli("show", "--format", "json", cwd=forge.git.root).data)
    assert [one["path"] for one in document["run"]["target"]["files"]] == ["app.py", "old.py"]


def test_a_tag_is_judged_by_its_own_name(forge: Forge, ci: str) -> None:
    forge.git("tag", "v1")
    code, said = forge.run(PARTS[ci](), forge.pushed(ci, tag="v1"))
    scope = "protected" if ci == "gitlab" else "local"
    assert (code, f"scope {scope}" in said) == ((0, True) if scope == "protected" else (1, True)), said
    shown: Any = json.loads(forge.product.cli("show", "--format", "json", cwd=forge.git.root).data)
    assert (shown["run"]["target"]["ref"], shown["run"]["target"]["line"]) == ("refs/tags/v1", "v1")


def test_a_shallow_clone_is_no_pass(forge: Forge, ci: str, tmp_path: Path) -> None:
    forge.git("switch", "--quiet", "-c", "f")
    forge.git.commit({"app.py": f"{CLEAN}\n"})
    env = forge.change(ci)
    forge.git("clone", "--quiet", "--depth=1", f"file://{forge.git.root}", str(tmp_path / "shallow"))
    forge.git.root = tmp_path / "shallow"
    code, said = forge.run(PARTS[ci](), env)
    assert (code, "git fetch --unshallow" in said) == (3, True), said


def holds(rule: str, env: Mapping[str, str]) -> bool:
    """Decide a rule of GitLab's of the forms `$A == "text"` and `$A == $B`."""
    parts = [part.strip() for part in rule.split("==")]
    values = [env.get(part[1:], "") if part.startswith("$") else json.loads(part) for part in parts]
    return bool(values[0]) and values[0] == values[1]


def test_gitlab_runs_the_job_for_merge_requests_and_the_default_branch(forge: Forge) -> None:
    rules = [one["if"] for one in yaml.safe_load(template("gitlab"))["secgate"]["rules"]]
    assert any(holds(rule, forge.change("gitlab")) for rule in rules)
    assert any(holds(rule, forge.pushed("gitlab")) for rule in rules)
    assert not any(holds(rule, forge.pushed("gitlab", tag="v1")) for rule in rules)
    other = {"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_BRANCH": "f", "CI_DEFAULT_BRANCH": "main"}
    assert not any(holds(rule, other) for rule in rules), "once for a change, and not for its branch too"
