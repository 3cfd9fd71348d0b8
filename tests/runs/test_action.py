"""The action for GitHub: what stands in it, and its shell steps run for real with the runner's files faked."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from secgate.notifiers.issues import IssueNotifier
from tests.contracts.test_notifiers import message
from tests.product import CLEAN, KEY, WEAK, Product
from tests.unit.conftest import Git

ROOT = Path(__file__).parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
SAME_REPOSITORY = "github.event.pull_request.head.repo.full_name == github.repository"
EXPRESSION = re.compile(r"\$\{\{\s*([\w.-]+)\s*\}\}")


def step(name: str) -> dict[str, Any]:
    return next(one for one in STEPS if one.get("name") == name)


def test_threat_10_the_action_runs_nothing_that_an_input_or_event_says() -> None:
    scripts = [one["run"] for one in STEPS if "run" in one]
    assert len(scripts) == 5
    assert not any("${{" in script for script in scripts), "values go through the environment"
    assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", one["uses"]) for one in STEPS if "uses" in one)
    assert not re.search(r"pull_request_target\b|secrets\.", (ROOT / "action.yml").read_text(encoding="utf-8"))


def test_threat_10_a_fork_writes_neither_comment_nor_sarif() -> None:
    for name in ("Comment", "Upload to code scanning"):
        condition = " ".join(step(name)["if"].split())
        assert "always()" in condition
        assert SAME_REPOSITORY in condition


def test_threat_08_runs_that_count_most_read_no_cache_and_others_write_none() -> None:
    caches = [one for one in STEPS if "cache" in one.get("uses", "")]
    wanted = {"actions/cache/restore": "!github.ref_protected", "actions/cache/save": "github.ref_protected"}
    for one in caches:
        parts = re.sub(r"[${}]", "", one["if"]).split("&&")
        assert wanted[one["uses"].partition("@")[0]] in [part.strip() for part in parts]
    kept = [[line.rpartition("/secgate/")[2] for line in one["with"]["path"].splitlines()] for one in caches]
    tools, advisories = ["venv", "state/tools"], ["state/advisories"]
    assert kept == [tools, tools, advisories, advisories], "neither a ledger nor a result"


def test_every_output_is_set_by_the_gate() -> None:
    names = {EXPRESSION.fullmatch(one["value"])[1].rpartition(".")[2] for one in ACTION["outputs"].values()}  # type: ignore[index]
    assert names == set(re.findall(r"printf '([a-z-]+)=", step("Gate")["run"]))
    assert names == set(ACTION["outputs"])


class Runner:
    """A runner of GitHub's: its files, its variables, and the steps that it has run."""

    def __init__(self, home: Path, git: Git) -> None:
        self.temp = home / "temp"
        self.product = Product(self.temp / "secgate")
        self.git = git
        self.files = {name: home / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_EVENT_PATH")}
        for file in self.files.values():
            file.touch()
        self.programs = home / "programs"
        self.programs.mkdir()
        for name in ("bash", "cat", "date", "head", "mkdir", "rm", "sha256sum", "python3"):
            program = shutil.which(name)
            assert program
            (self.programs / name).symlink_to(program)
        self.env = {
            **{name: value for name, value in self.product.env.items() if name != "SECGATE_STATE_DIR"},
            "PATH": f"{self.programs}{os.pathsep}{self.product.env['PATH']}",
            "RUNNER_TEMP": str(self.temp),
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_ACTIONS": "true",
            "GITHUB_REPOSITORY": "acme/shop",
            **{name: str(file) for name, file in self.files.items()},
        }
        self.known: dict[str, str] = {
            **{f"inputs.{name}": str(one["default"]) for name, one in ACTION["inputs"].items()},
            "inputs.token": "a-token",
        }
        self._installed()

    def _installed(self) -> None:
        """Give what the cache would: an environment with everything that secgate needs, and checkov's."""
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", self.temp / "secgate/venv"], check=True)
        (site,) = (self.temp / "secgate/venv/lib").glob("python*/site-packages")
        (site / "here.pth").write_text(f"{ROOT}\n{sysconfig.get_path('purelib')}\n")

    def event(self, name: str, payload: Mapping[str, Any], **env: str) -> None:
        self.files["GITHUB_EVENT_PATH"].write_text(json.dumps(payload))
        self.env |= {"GITHUB_EVENT_NAME": name, **env}

    def change(self, *, visibility: str = "private") -> None:
        repository = {"full_name": "acme/shop"}
        base = {"ref": "main", "sha": self.git("rev-parse", "main"), "repo": repository}
        pull = {"number": 7, "user": {"login": "ada"}, "base": base, "head": {"ref": "f", "repo": repository}}
        payload = {"pull_request": pull, "repository": {"default_branch": "main", "visibility": visibility}}
        self.event("pull_request", payload, GITHUB_BASE_REF="main", GITHUB_SHA=self.git("rev-parse", "HEAD"))
        self.known["github.event.pull_request.number"] = "7"

    def run(self, name: str) -> tuple[int, str]:
        """Run a step as the runner does, and take in what it says with `GITHUB_OUTPUT`."""
        one = step(name)
        asked = {
            key: EXPRESSION.sub(lambda match: self.known[match[1]], text) for key, text in one.get("env", {}).items()
        }
        argv = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", one["run"]]
        done = subprocess.run(
            argv,
            cwd=self.git.root,
            env={**self.env, **asked},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=300,
        )
        for line in self.files["GITHUB_OUTPUT"].read_text().splitlines():
            key, _, value = line.partition("=")
            self.known[f"steps.{one.get('id', '')}.outputs.{key}"] = value
        self.files["GITHUB_OUTPUT"].write_text("")
        return done.returncode, done.stdout

    def output(self, name: str) -> str:
        return self.known.get(f"steps.gate.outputs.{name}", "")

    @property
    def summary(self) -> str:
        return self.files["GITHUB_STEP_SUMMARY"].read_text()


@pytest.fixture
def runner(tmp_path: Path, git: Git) -> Runner:
    git.commit({"old.py": WEAK, "app.py": CLEAN})
    git("switch", "--quiet", "-c", "f")
    return Runner(tmp_path / "runner", git)


@pytest.fixture
def _home(tmp_path: Path) -> None:
    (tmp_path / "runner").mkdir()


pytestmark = pytest.mark.usefixtures("_home")


def test_a_change_is_blocked_and_told_in_every_place(runner: Runner) -> None:
    runner.git.commit({"app.py": WEAK, "old.py": WEAK + "\n\n# more\n"})
    runner.change()
    code, said = runner.run("Gate")
    assert (code, runner.output("exit-code"), runner.output("outcome")) == (1, "1", "fail"), said
    annotations = [line for line in said.splitlines() if line.startswith(("::error", "::warning"))]
    assert [line for line in annotations if "file=app.py,line=2" in line], said
    assert not [line for line in annotations if "old.py" in line], "what is older is on no changed line"
    assert runner.summary.startswith("<!-- secgate -->\n")
    for name in ("sarif", "json", "html", "comment"):
        assert Path(runner.output(name)).stat().st_size > 0
    assert "scope change (github: pull_request)" in said


@pytest.mark.parametrize("visibility", ["public", "internal", "unknown", "private"])
def test_threat_12_older_findings_are_named_to_owners_alone(runner: Runner, visibility: str) -> None:
    runner.git.commit({"app.py": CLEAN + "\n", "old.py": WEAK + "\n"})
    runner.change(visibility=visibility)
    assert runner.run("Gate")[0] == 0
    assert ("old.py" in runner.summary) is (visibility == "private")
    assert "Older findings: 1" in runner.summary or visibility == "private"


def test_inputs_are_words_and_nothing_else(runner: Runner) -> None:
    runner.git.commit({"app.py": CLEAN + "\n"})
    runner.change()
    runner.known["inputs.profile"] = "x; touch $RUNNER_TEMP/owned; $(touch $RUNNER_TEMP/owned)"
    runner.known["inputs.path"] = "-h"
    code, said = runner.run("Gate")
    assert (code, runner.output("outcome"), (runner.temp / "owned").exists()) == (2, "", False), said
    assert "decided nothing: exit 2" in runner.summary
    assert runner.output("sarif") == ""


def test_what_an_earlier_step_decided_is_not_told_again(runner: Runner) -> None:
    runner.git.commit({"app.py": CLEAN + "\n"})
    runner.change()
    assert runner.run("Gate")[0] == 0
    assert (runner.output("outcome"), "PASS" in runner.summary) == ("pass", True)
    runner.files["GITHUB_STEP_SUMMARY"].write_text("")
    for name in ("outcome", "sarif", "comment"):
        runner.known.pop(f"steps.gate.outputs.{name}")
    runner.known["inputs.profile"] = "no-such-profile"
    code, said = runner.run("Gate")
    assert (code, runner.output("exit-code"), runner.output("outcome"), runner.output("comment")) == (2, "2", "", "")
    assert runner.summary == "secgate decided nothing: exit 2, see the log.\n", said


def test_a_shallow_clone_is_told_and_no_pass(runner: Runner, tmp_path: Path) -> None:
    runner.git.commit({"app.py": CLEAN + "\n"})
    runner.change()
    runner.git("clone", "--quiet", "--depth=1", f"file://{runner.git.root}", str(tmp_path / "shallow"))
    runner.git.root = tmp_path / "shallow"
    code, said = runner.run("Gate")
    assert (code, "git fetch --unshallow" in said) == (3, True), said


def test_a_merge_queue_is_judged_against_what_it_goes_to(runner: Runner) -> None:
    base = runner.git("rev-parse", "main")
    runner.git.commit({"app.py": WEAK})
    runner.event("merge_group", {"merge_group": {"base_sha": base, "base_ref": "refs/heads/main"}})
    code, said = runner.run("Gate")
    assert (code, "scope change (github: merge_group)" in said, "Blocking (1)" in said) == (1, True, True), said


GH = """\
#!{python}
import json, os, pathlib, sys
calls = pathlib.Path(os.environ["RUNNER_TEMP"], "gh")
body = [word.partition("=@")[2] for word in sys.argv if word.startswith("body=@")]
with calls.open("a") as stream:
    stream.write(json.dumps([sys.argv[1:], os.environ["GH_TOKEN"], pathlib.Path(body[0]).read_text() if body else ""]))
    stream.write("\\n")
if "--jq" in sys.argv:
    print(os.environ.get("KNOWN", ""))
sys.exit(int(os.environ.get("REFUSED", "0")))
"""


@pytest.mark.parametrize(
    ("known", "refused", "method", "place"),
    [
        ("", "0", "POST", "repos/acme/shop/issues/7/comments"),
        ("41", "0", "PATCH", "repos/acme/shop/issues/comments/41"),
        ("x; rm", "0", "POST", "repos/acme/shop/issues/7/comments"),
        ("", "1", "POST", "repos/acme/shop/issues/7/comments"),
    ],
)
def test_one_comment_is_kept_up_to_date(runner: Runner, known: str, refused: str, method: str, place: str) -> None:
    (runner.programs / "gh").write_text(GH.format(python=sys.executable))
    (runner.programs / "gh").chmod(0o755)
    runner.env |= {"KNOWN": known, "REFUSED": refused}
    runner.git.commit({"app.py": f'key = "{KEY}"\n'})
    runner.change()
    assert runner.run("Gate")[0] == 1
    code, said = runner.run("Comment")
    calls = [json.loads(line) for line in (runner.temp / "gh").read_text().splitlines()]
    (argv, token, body) = calls[-1]
    assert (len(calls), code, token) == (2, 0, "a-token")
    assert (argv[argv.index("--method") + 1], place in argv) == (method, True)
    assert body.startswith("<!-- secgate -->")
    assert KEY not in body
    assert ("::warning" in said) is (refused == "1"), "what was decided stands"


def test_the_first_steps_name_the_tools_and_install_nothing_of_the_checkout(runner: Runner) -> None:
    runner.git.write({"secgate.py": "raise SystemExit(9)\n", "sitecustomize.py": "raise SystemExit(9)\n"})
    assert runner.run("Name the tools by what their locks say")[0] == 0
    assert re.fullmatch(r"[0-9a-f]{64}", runner.known["steps.tools.outputs.digest"])
    assert runner.known["steps.tools.outputs.day"] == datetime.now(UTC).date().isoformat()
    checkov = runner.product.state / "tools" / "checkov"
    lock = next((Path(os.environ["HOME"]) / ".local/state/secgate/tools").glob("checkov"), None)
    if lock is None:
        pytest.skip("checkov's environment is not here: secgate tools install checkov")
    checkov.symlink_to(lock)
    code, said = runner.run("Install secgate and its tools")
    assert (code, "checkov is installed already" in said) == (0, True), said


PIP = """\
import json, os, pathlib, sys
calls = pathlib.Path(os.environ["RUNNER_TEMP"], "pip")
calls.write_text(json.dumps(sys.argv[1:]))
if os.environ.get("REFUSED"):
    sys.exit("THESE PACKAGES DO NOT MATCH THE HASHES")
site = pathlib.Path(__file__).parents[1]
(site / "here.pth").write_text(os.environ["HERE"] + "\\n")
"""
PYTHON = """\
#!/bin/bash
# `python3 -m venv` that downloads nothing: its pip only says what it was asked for.
[ "$1 $2" = "-m venv" ] || exit 9
"{python}" -m venv --without-pip "$3"
for site in "$3"/lib/python*/site-packages; do mkdir "$site/pip"; printf '%s' "$PIP" > "$site/pip/__main__.py"; done
"""


@pytest.fixture
def bare(runner: Runner) -> Runner:
    """A runner for which no cache held anything."""
    shutil.rmtree(runner.temp / "secgate" / "venv")
    (runner.programs / "python3").unlink()
    (runner.programs / "python3").write_text(PYTHON.format(python=sys.executable))
    (runner.programs / "python3").chmod(0o755)
    runner.env |= {"PIP": PIP, "HERE": sysconfig.get_path("purelib")}
    return runner


def test_without_a_cache_the_lock_is_installed_by_its_hashes_and_nothing_else(bare: Runner) -> None:
    bare.git.write({"requirements/run.txt": "evil\n", "pip.conf": "[global]\nindex-url = http://evil.example\n"})
    code, said = bare.run("Install secgate and its tools")
    asked = json.loads((bare.temp / "pip").read_text())
    assert asked == [
        *("install", "--quiet", "--disable-pip-version-check", "--require-hashes"),
        *("-r", f"{ROOT}/requirements/run.txt"),
    ]
    (site,) = (bare.temp / "secgate/venv/lib").glob("python*/site-packages")
    assert (site / "secgate.pth").read_text() == f"{ROOT}\n"
    # It starts this action's own secgate, which misses what the faked pip did not bring.
    assert (code, "uv, which makes the environments of tools, is neither at" in said) == (2, True), said


def test_a_package_that_is_not_the_locked_one_ends_the_job(bare: Runner) -> None:
    bare.env["REFUSED"] = "1"
    code, said = bare.run("Install secgate and its tools")
    assert (code, "DO NOT MATCH THE HASHES" in said) == (1, True)
    (site,) = (bare.temp / "secgate/venv/lib").glob("python*/site-packages")
    assert not (site / "secgate.pth").exists()


def test_advisories_that_cannot_be_fetched_are_said_and_the_gate_goes_on(runner: Runner) -> None:
    runner.env |= dict.fromkeys(("HTTPS_PROXY", "https_proxy"), "http://127.0.0.1:9")
    code, said = runner.run("Fetch advisories")
    assert code == 0, said
    assert "::warning title=secgate::the advisories could not be fetched" in said


def test_a_change_of_a_fork_is_judged_and_its_ledger_only_read(runner: Runner) -> None:
    runner.git.commit({"app.py": WEAK})
    runner.change()
    event = json.loads(runner.files["GITHUB_EVENT_PATH"].read_text())
    event["pull_request"]["head"]["repo"]["full_name"] = "mallory/shop"
    runner.event("pull_request", event)
    code, said = runner.run("Gate")
    assert (code, "only read" in said) == (1, True), said
    assert not (runner.git.root / ".git" / "secgate").exists()


def test_a_merge_queue_that_adds_nothing_passes(runner: Runner) -> None:
    base = runner.git("rev-parse", "main")
    runner.git.commit({"app.py": CLEAN + "\n"})
    runner.event("merge_group", {"merge_group": {"base_sha": base, "base_ref": "refs/heads/main"}})
    code, said = runner.run("Gate")
    assert (code, runner.output("outcome")) == (0, "pass"), said


def test_a_shallow_queue_is_told_and_no_pass(runner: Runner, tmp_path: Path) -> None:
    base = runner.git("rev-parse", "main")
    runner.git.commit({"app.py": CLEAN + "\n"})
    runner.event("merge_group", {"merge_group": {"base_sha": base, "base_ref": "refs/heads/main"}})
    runner.git("clone", "--quiet", "--depth=1", f"file://{runner.git.root}", str(tmp_path / "shallow"))
    runner.git.root = tmp_path / "shallow"
    code, said = runner.run("Gate")
    assert (code, "git fetch --unshallow" in said) == (3, True), said


def test_annotations_stand_on_changed_lines_alone(runner: Runner) -> None:
    """By git's own account of the difference, read apart from ours."""
    old = runner.git("show", "HEAD:old.py")
    runner.git.commit({"app.py": "# moved down\n\n" + WEAK + WEAK.replace("answer", "other"), "old.py": f"\n\n{old}\n"})
    runner.change()
    _, said = runner.run("Gate")
    patch = runner.git("diff", "-U0", "main", "HEAD", "--", "app.py")
    spans = re.findall(r"^@@ \S+ \+(\d+)(?:,(\d+))? @@", patch, flags=re.MULTILINE)
    new = {int(start) + at for start, count in spans for at in range(int(count or 1))}
    told = re.findall(r"^::(?:error|warning) file=([^,]+),line=(\d+),endLine=(\d+)", said, flags=re.MULTILINE)
    assert told
    assert {path for path, _, _ in told} == {"app.py"}
    assert {int(line) for _, first, last in told for line in (first, last)} <= new


# ------------------------------------------------------------------------------------ an issue for each overdue finding

GH_ISSUES = """\
#!{python}
import json, os, pathlib, re, sys
kept = pathlib.Path(os.environ["RUNNER_TEMP"], "issues.json")
issues = json.loads(kept.read_text()) if kept.exists() else []
if sys.argv[1:3] == ["issue", "list"]:
    word = re.fullmatch('"(.*)" in:body', sys.argv[sys.argv.index("--search") + 1])[1].strip()
    print(sum(word in body for _, body in issues))
elif sys.argv[1:3] == ["issue", "create"]:
    issues.append([sys.argv[sys.argv.index("--title") + 1], sys.stdin.read()])
    kept.write_text(json.dumps(issues))
else:
    sys.exit(9)
"""


def filing() -> str:
    """Give the step that the documents show."""
    text = (ROOT / "docs" / "github.md").read_text()
    start = r"# \.github/workflows/secgate-issues\.yml\n"
    (shown,) = re.findall(rf"^```yaml\n({start}.*?)^```", text, re.MULTILINE | re.DOTALL)
    steps = yaml.safe_load(shown)["jobs"]["tell"]["steps"]
    (script,) = [one["run"] for one in steps if one.get("name") == "File them"]
    return str(script)


def filed(runner: Runner, folder: Path, cwd: Path) -> None:
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", filing()],
        cwd=cwd,
        env={**runner.env, "ISSUES": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_an_issue_is_filed_once_for_each_finding(runner: Runner, tmp_path: Path) -> None:
    folder = tmp_path / "issues"
    notifier = IssueNotifier()
    (notice,) = message("$(touch owned).py").notices
    others = tuple(msgspec.structs.replace(notice, fingerprint=f"{n}{n}" * 32) for n in range(2))
    told = msgspec.structs.replace(message(), visibility="private", notices=others)
    notifier.send(notifier.body(told), address=str(folder), secret="", at=datetime.now(UTC))
    (runner.programs / "tail").symlink_to(str(shutil.which("tail")))
    (runner.programs / "gh").write_text(GH_ISSUES.format(python=sys.executable))
    (runner.programs / "gh").chmod(0o755)
    for _ in range(2):
        filed(runner, folder, tmp_path)
    issues = sorted(json.loads((runner.temp / "issues.json").read_text()))
    assert [title for title, _ in issues] == [f"secgate: high sql-injection is overdue ({n * 12})" for n in "01"]
    assert all(f"- finding: {n * 64}" in body for (_, body), n in zip(issues, "01", strict=True))
    assert not (tmp_path / "owned").exists()


def test_without_anything_to_tell_no_issue_is_filed(runner: Runner, tmp_path: Path) -> None:
    filed(runner, tmp_path / "nowhere", tmp_path)
    assert not (runner.temp / "issues.json").exists()
