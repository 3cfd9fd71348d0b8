"""What `secgate init` would write: added to what is there, and nothing of it lost."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from secgate import config
from secgate.proposals import HOOKS, PYPROJECT, SETTINGS, WORKFLOW, Proposal, Sight, changed, hooks, settings, workflow

SIGHT = Sight(
    version="1.2.3",
    forge="github",
    branch="trunk",
    lanes=(("sast", 3, 1), ("iac", 0, 0)),
    copied=("vendor",),
    parts=("apps/a", "apps/b"),
)

OURS = [{"id": "secgate"}, {"id": "secgate-push"}]
LISTS = {
    "indented": "repos:\n  - repo: local\n    hooks: []\n",
    "at the margin": "# ours\nrepos:\n# first\n-   repo: local\n    hooks: []\n# last\n",
    "keys behind": "repos:\n  - repo: local\n    hooks: [] # keep\n\n# about ci\nci:\n  skip: [x]\nfail_fast: true\n",
    "keys before": "default_stages: [pre-commit]\nrepos:\n  - repo: local\n    hooks: []",
    "windows": "repos:\r\n  - repo: local\r\n    hooks: []\r\nfail_fast: true\r\n",
    "at the margin, another key first": "x: &x\n  - {}\nrepos:\n- hooks: []\n  repo: local\n",
    "a block": "repos:\n  - repo: local\n    hooks:\n      - id: x\n        entry: |\n          a\n\n          \nci: 1",
}


@pytest.mark.parametrize("text", LISTS.values(), ids=list(LISTS))
def test_hooks_are_added_and_every_line_stays(text: str) -> None:
    made = hooks(SIGHT, {HOOKS: text})
    before, after = yaml.safe_load(text), yaml.safe_load(made.text)
    assert after["repos"][-1] == {"repo": "https://github.com/secgate/secgate", "rev": "v1.2.3", "hooks": OURS}
    assert {**after, "repos": after["repos"][:-1]} == before
    kept = iter(made.text.splitlines())
    assert all(line in kept for line in text.splitlines()), "each line is there, in its order"
    assert ("\r\n" in text) == ("\r\n" in made.text)
    assert hooks(SIGHT, {HOOKS: made.text}).text == "", "a second time changes nothing"


@pytest.mark.parametrize(
    "text",
    ["repos: [{repo: local, hooks: []}]\n", "- a\n", "repos: 3\n", '"repos": []\n', "repos: []#x\n", "x: 1\n...\n"],
)
def test_what_cannot_be_added_to_is_left_and_said(text: str) -> None:
    made = hooks(SIGHT, {HOOKS: text})
    assert made.text == ""
    assert "make this the last entry" in made.said
    assert "- repo: https://github.com/secgate/secgate" in made.said


@pytest.mark.parametrize("text", ["{", "repos:\n - a\nb: : c\n", "a: *b\n", "repos: [] []\n"])
def test_what_nobody_can_read_is_to_be_mended_first(text: str) -> None:
    made = hooks(SIGHT, {HOOKS: text})
    assert (made.text, "is no YAML" in made.said) == ("", True)


@pytest.mark.parametrize(
    "text", ["", "\n", "# ours", "# ours\r\n", "fail_fast: true", "fail_fast: true\r\n", "repos:\n"]
)
def test_hooks_begin_the_list_of_a_file_without_one(text: str) -> None:
    made = hooks(SIGHT, {HOOKS: text})
    assert made.text.startswith(text)
    assert [one["hooks"] for one in yaml.safe_load(made.text)["repos"]] == [OURS]
    assert ("\r\n" in text) == ("\r\n" in made.text)
    assert hooks(SIGHT, {HOOKS: made.text}).text == ""


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("repos: []\n", "repos:\n"),
        ("repos: [ ]", "repos:\n"),
        ("a: 1\nrepos: []   # none\nb: 2\n", "a: 1\nrepos:   # none\n"),
        ("repos: []\r\nb: 2\r\n", "repos:\r\n"),
    ],
)
def test_an_empty_list_is_begun_where_it_stands(text: str, kept: str) -> None:
    made = hooks(SIGHT, {HOOKS: text})
    before, after = yaml.safe_load(text), yaml.safe_load(made.text)
    assert made.text.startswith(kept)
    assert [one["hooks"] for one in after["repos"]] == [OURS]
    assert {**after, "repos": []} == before
    assert ("\r\n" in text) == ("\r\n" in made.text)
    assert hooks(SIGHT, {HOOKS: made.text}).text == ""


def test_a_byte_order_mark_keeps_nobody_from_adding() -> None:
    toml, yml = "\ufeff[project]\r\nname = 'x'\r\n", "\ufeffrepos:\r\n  - repo: local\r\n    hooks: []\r\n"
    table, entry = settings(SIGHT, {PYPROJECT: toml}, in_pyproject=True), hooks(SIGHT, {HOOKS: yml})
    assert table.text.startswith(toml)
    assert entry.text.startswith(yml)
    layer = config.parse_file(table.text.encode(), name=PYPROJECT, trust="repository")
    assert layer is not None
    assert settings(SIGHT, {PYPROJECT: table.text}, in_pyproject=True).said == "has [tool.secgate]"
    assert hooks(SIGHT, {HOOKS: entry.text}).said == "calls secgate"


def test_hooks_of_a_commit_name_the_commit() -> None:
    sight = Sight(version="1.2.3", commit="a" * 40)
    assert yaml.safe_load(hooks(sight, {}).text)["repos"][0]["rev"] == "a" * 40


def test_settings_are_right_and_say_what_was_seen() -> None:
    made = settings(SIGHT, {}, in_pyproject=False)
    layer = config.parse_file(made.text.encode(), name=SETTINGS, trust="repository")
    assert layer is not None
    assert config.resolve([layer]).settings.profile == "pull-request"
    assert "by lane:\n# sast 3.\n" in made.text
    for text in (made.text, workflow(SIGHT, {}).text):
        # A diff puts a mark before each line.
        assert [line for line in text.splitlines() if len(line) > 79 and "uses: " not in line] == []
    assert "and no pass:\n# sast 1.\n" in made.text
    uncommented = made.text.replace("# exclude", "exclude").replace("# [", "[").replace("# profile =", "profile =")
    layer = config.parse_file(uncommented.encode(), name=SETTINGS, trust="repository")
    assert layer is not None
    resolved = config.resolve([layer]).settings
    assert (resolved.exclude, sorted(resolved.folders)) == (["vendor/"], ["apps/a", "apps/b"])


@pytest.mark.parametrize(
    "text",
    ["", '[project]\nname = "x" # keep\n', "[tool.ruff]\nline-length = 99", "[tool]\nruff = {}\r\n", "[[a]]\nb = 1\n"],
)
def test_a_table_joins_pyproject_and_every_line_stays(text: str) -> None:
    made = settings(SIGHT, {PYPROJECT: text}, in_pyproject=True)
    assert made.text.startswith(text)
    after = tomllib.loads(made.text)
    assert after["tool"].pop("secgate")["version"] == 1
    assert {key: value for key, value in after.items() if value} == {k: v for k, v in tomllib.loads(text).items() if v}
    assert settings(SIGHT, {PYPROJECT: made.text}, in_pyproject=True).text == ""


@pytest.mark.parametrize("text", ["tool = {ruff = {}}\n", "[tool", "tool = 3\n"])
def test_a_pyproject_that_takes_no_table_is_left(text: str) -> None:
    made = settings(SIGHT, {PYPROJECT: text}, in_pyproject=True)
    assert (made.text, "[tool.secgate]" in made.said) == ("", True)


@pytest.mark.parametrize("branch", ["x]\n  workflow_dispatch:", "${{ github.actor }}", "-x", ""])
def test_a_branch_cannot_write_the_workflow(branch: str) -> None:
    made = workflow(Sight(version="1.2.3", forge="github", branch=branch), {})
    assert yaml.safe_load(made.text)[True]["push"] == {"branches": ["main"]}


FROM_COMMIT = Sight(version="1.2.3", forge="github", branch="trunk", commit="a" * 40)


@pytest.mark.parametrize("sight", [SIGHT, FROM_COMMIT], ids=["release", "commit"])
def test_tools_find_nothing_in_the_workflow(sight: Sight, tmp_path: Path) -> None:
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    (tmp_path / ".git").mkdir()
    (folder / "secgate.yml").write_text(workflow(sight, {}).text)
    zizmor: list[str | Path] = [
        Path(sys.executable).with_name("zizmor"),
        "--offline",
        "--no-config",
        "--format",
        "json",
        tmp_path,
    ]
    found = subprocess.run(zizmor, capture_output=True, text=True, check=False, timeout=60)
    assert json.loads(found.stdout) == [], found.stderr
    actionlint = shutil.which("actionlint")
    if actionlint is not None:
        found = subprocess.run([actionlint], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
        assert (found.returncode, found.stdout) == (0, "")


@pytest.mark.parametrize("sight", [SIGHT, FROM_COMMIT], ids=["release", "commit"])
def test_threat_10_the_workflow_has_no_rights_and_runs_no_change_with_the_bases(sight: Sight) -> None:
    document = yaml.safe_load(workflow(sight, {}).text)
    assert set(document[True]) == {"push", "pull_request", "merge_group"}
    assert document["permissions"] == {}
    assert document["jobs"]["secgate"]["permissions"] == {"contents": "read"}
    scripts = "".join(step.get("run", "") for step in document["jobs"]["secgate"]["steps"])
    assert "${{" not in scripts


CALLS = [
    "      - uses: secgate/secgate@0000 # v1\n",
    "      - uses: 'acme/mirror-of-secgate@0000'\n",
    "      - run: secgate run --format text\n",
    '      - run: "$RUNNER_TEMP/secgate/bin/secgate" run\n',
    "      - run: python -m secgate check out.sarif\n",
]
SPEAKS_OF = [
    "# secgate run was here\n",
    "jobs:\n  secgate:\n    steps: []\n",
    "      - run: pip install secgate # secgate run\n",
    "      - uses: acme/secgate-badges@0000 # v1\n",
]


@pytest.mark.parametrize("text", [*CALLS, workflow(SIGHT, {}).text, workflow(FROM_COMMIT, {}).text])
def test_a_workflow_that_calls_secgate_is_enough(text: str) -> None:
    made = workflow(SIGHT, {".github/workflows/ci.yml": text})
    assert (made.path, made.said, made.text) == (".github/workflows/ci.yml", "calls secgate", "")


@pytest.mark.parametrize("text", SPEAKS_OF)
def test_a_workflow_that_only_speaks_of_it_is_not(text: str) -> None:
    assert workflow(SIGHT, {".github/workflows/ci.yml": text}).text
    held = workflow(SIGHT, {WORKFLOW: text})
    assert (held.text, "does not call secgate, and stays as it is" in held.said) == ("", True)


def test_names_of_folders_stay_in_their_comment() -> None:
    sight = Sight(version="1", copied=('a"]\nmode = "observe"\n#',), parts=('b"]\n[x', "c"))
    text = settings(sight, {}, in_pyproject=False).text
    assert tomllib.loads(text) == {"version": 1, "profile": "pull-request"}


def test_what_is_there_stays() -> None:
    flow = ".github/workflows/x.yml"
    made = [
        settings(SIGHT, {SETTINGS: "version = 1\n"}, in_pyproject=False),
        settings(SIGHT, {PYPROJECT: "[tool.secgate]\nversion = 1\n"}, in_pyproject=False),
        workflow(SIGHT, {flow: "run: secgate run\n"}),
        workflow(Sight(version="1"), {}),
        hooks(Sight(version="1", is_git=False), {}),
    ]
    assert changed(made) == ()
    assert changed([Proposal(path=WORKFLOW, text="x")]) != ()
