"""What `secgate init` proposes to write into a repository, as text: settings, hooks, a workflow.

Existing text is only added to, and only where the result, read again, holds everything it held before and the addition
and nothing else. Where that cannot be, the proposal says what to paste.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from secgate.model import Value

HOME = "https://github.com/secgate/secgate"
SETTINGS = "secgate.toml"
PYPROJECT = "pyproject.toml"
HOOKS = ".pre-commit-config.yaml"
WORKFLOWS = ".github/workflows"
WORKFLOW = f"{WORKFLOWS}/secgate.yml"

_CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1"
_PYTHON = "actions/setup-python@5fda3b95a4ea91299a34e894583c3862153e4b97 # v7.0.0"
_SHOWN = 6
_CALLS = re.compile(
    r"""\bsecgate["']?[ \t]+(?:run|check|hook|scan)\b|\buses:[ \t]*["']?[\w./-]*\bsecgate(?=[/@"'\s]|\Z)"""
)
_FIRST_ENTRY = re.compile(r"^(?:\ufeff)?repos[ \t]*:[^\n]*\n(?:[ \t]*(?:#[^\n]*)?\r?\n)*([ ]*)-[ ]", flags=re.MULTILINE)
_COMMENT = re.compile(r"(?:^|[ \t])#.*", flags=re.MULTILINE)
_EMPTY_LIST = re.compile(r"\Arepos\s*:[ \t]*\[[ \t]*\](?=\s*(?:\Z|[ \t]#))")
_BRANCH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]*")


class Sight(Value, frozen=True, kw_only=True):
    """What a look at the repository told. `lanes` are (lane, files that tools read, files that none reads)."""

    version: str
    is_git: bool = True
    forge: str = ""
    """`github`, `gitlab`, or "" where nothing tells."""
    branch: str = "main"
    lanes: tuple[tuple[str, int, int], ...] = ()
    copied: tuple[str, ...] = ()
    """Folders that look like other people's code."""
    parts: tuple[str, ...] = ()
    """Folders with a project file of their own."""
    commit: str = ""
    """The commit that secgate was installed from, "" where its installer did not tell."""


class Proposal(Value, frozen=True, kw_only=True):
    """One file: `text` is all that it would hold, "" where nothing is to be written; `said` is for the person."""

    path: str
    before: str | None = None
    text: str = ""
    said: str = ""


def settings(sight: Sight, files: Mapping[str, str], *, in_pyproject: bool) -> Proposal:
    """Propose settings: a file of their own, or a table at the end of pyproject.toml."""
    if SETTINGS in files:
        return Proposal(path=SETTINGS, said="is there")
    before = files.get(PYPROJECT)
    held = _toml(before) if before is not None else {}
    if held is not None and "secgate" in _table(held, "tool"):
        return Proposal(path=PYPROJECT, said="has [tool.secgate]")
    if not in_pyproject:
        return Proposal(path=SETTINGS, text=_settings_text(sight, ""))
    body = _settings_text(sight, "tool.secgate")
    if before is None:
        return Proposal(path=PYPROJECT, said="is not there: leave out --pyproject")
    text = _joined(before, body)
    after = _toml(text)
    if held is None or after is None or _without_ours(after) != held:
        return Proposal(path=PYPROJECT, said=f"cannot be added to safely; paste this:\n\n{body}")
    return Proposal(path=PYPROJECT, before=before, text=text)


def hooks(sight: Sight, files: Mapping[str, str]) -> Proposal:
    """Propose the entry of pre-commit."""
    if not sight.is_git:
        return Proposal(path=HOOKS, said="needs a git repository")
    before = files.get(HOOKS)
    if before is None:
        return Proposal(path=HOOKS, text="# https://pre-commit.com\nrepos:\n" + _hooks_entry(sight, "  "))
    held = _yaml(before)
    if _calls_us(held):
        return Proposal(path=HOOKS, said="calls secgate")
    if held is None and _COMMENT.sub("", before).strip():
        return Proposal(path=HOOKS, said="is no YAML that pre-commit could read: mend it, then come again")
    indent = _FIRST_ENTRY.search(before)
    entry = _hooks_entry(sight, indent[1] if indent else "  ")
    text = _in_repos(before, entry, begin="repos" not in (held or ()))
    if not _adds_one({} if held is None else held, _yaml(text)):
        return Proposal(path=HOOKS, said=f"cannot be added to safely; make this the last entry of `repos:`\n\n{entry}")
    return Proposal(path=HOOKS, before=before, text=text)


def workflow(sight: Sight, files: Mapping[str, str]) -> Proposal:
    """Propose a workflow for GitHub; for other forges say where the template is."""
    if sight.forge != "github":
        where = f"{HOME}/blob/{_revision(sight)}/docs/pipelines.md"
        return Proposal(path=WORKFLOW, said=f"left out, since nothing here says GitHub; for other forges: {where}")
    for path, text in sorted(files.items()):
        if path.startswith(f"{WORKFLOWS}/") and _CALLS.search(_COMMENT.sub("", text)):
            return Proposal(path=path, said="calls secgate")
    if WORKFLOW in files:
        where = f"{HOME}/blob/{_revision(sight)}/docs/github.md"
        return Proposal(
            path=WORKFLOW, said=f"is there, does not call secgate, and stays as it is; what to add: {where}"
        )
    return Proposal(path=WORKFLOW, text=_workflow_text(sight))


# ------------------------------------------------------------------------------------------------ texts


def _settings_text(sight: Sight, table: str) -> str:
    lines = [
        "# How secgate judges this repository. An edit counts once it is committed,",
        "# for a change once it is merged. What the keys mean: `secgate config schema`;",
        "# what counts, and from where: `secgate config show`.",
    ]
    if table:
        lines.append(f"[{table}]")
    lines += ["version = 1", "", "# Which lanes are asked for: pre-commit, pull-request, release or audit."]
    lines += ['profile = "pull-request"', ""]
    read = [f"{lane} {count}" for lane, count, _ in sight.lanes if count]
    unread = [f"{lane} {count}" for lane, _, count in sight.lanes if count]
    lines += ["# Files that tools read, by lane:", f"# {', '.join(read) or 'none'}."]
    if unread:
        lines += ["# Files that no shipped tool reads, which are gaps, and no pass:", f"# {', '.join(unread)}."]
    lines += ["", "# Paths left out of every lane; each is named in coverage."]
    copied = ", ".join(_quoted(f"{path}/") for path in sight.copied[:_SHOWN])
    if copied:
        lines.append("# This looks like other people's code:")
    lines.append(f"# exclude = [{copied or _quoted('tests/fixtures/')}]")
    if sight.parts:
        head = f"{table}.folders" if table else "folders"
        lines += ["", "# A folder can have a profile of its own, and paths that are left out below it:"]
        for path in sight.parts[:_SHOWN]:
            lines += [f"# [{head}.{_quoted(path)}]", '# profile = "release"']
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """Give a TOML string; what could end a comment line or the string is left out of it."""
    return '"' + "".join(one for one in text if one.isprintable() and one not in '"\\') + '"'


def _revision(sight: Sight) -> str:
    return sight.commit or f"v{sight.version}"


def _hooks_entry(sight: Sight, indent: str) -> str:
    lines = [f"- repo: {HOME}", f"  rev: {_revision(sight)}", "  hooks:", "    - id: secgate", "    - id: secgate-push"]
    return "".join(f"{indent}{line}\n" for line in lines)


def _workflow_text(sight: Sight) -> str:
    branch = sight.branch if _BRANCH.fullmatch(sight.branch) else "main"
    return f"""\
# A change can edit this file: the branch's protection must require `secgate`.
name: secgate

on:
  push:
    branches: [{branch}]
  # Never pull_request_target: it runs a change's code with the base's rights.
  pull_request:
  merge_group:

permissions: {{}}

concurrency:
  group: secgate-${{{{ github.ref }}}}
  cancel-in-progress: ${{{{ github.event_name == 'pull_request' }}}}

jobs:
  secgate:
    name: secgate
    runs-on: ubuntu-24.04
    timeout-minutes: 30
    permissions:
      contents: read # to check out
    steps:
      # The whole history: the merge base says what is new.
      - uses: {_CHECKOUT}
        with:
          persist-credentials: false
          fetch-depth: 0
{_gate_steps(sight)}"""


def _gate_steps(sight: Sight) -> str:
    """Give the steps behind the checkout: the action, or what is the same without the commit that would name it."""
    if sight.commit:
        action = HOME.partition("://")[2].partition("/")[2]
        return f"""\
      # With `comment` and `upload-sarif` it does more and needs rights for it: docs/github.md.
      - uses: {action}@{sight.commit} # v{sight.version}
"""
    return f"""\
      - uses: {_PYTHON}
        with:
          python-version: "3.12"
      - name: Install secgate
        run: |
          python -m venv "$RUNNER_TEMP/secgate"
          "$RUNNER_TEMP/secgate/bin/pip" install "secgate=={sight.version}"
          "$RUNNER_TEMP/secgate/bin/secgate" tools install checkov
      - name: Gate the change, or the branch after a merge
        run: |
          "$RUNNER_TEMP/secgate/bin/secgate" run --format log \\
            --format "markdown=$RUNNER_TEMP/secgate.md"
      # What the change adds; what is older is counted alone.
      - name: Summary
        if: always()
        run: |
          if [ -f "$RUNNER_TEMP/secgate.md" ]; then
            cat "$RUNNER_TEMP/secgate.md" >> "$GITHUB_STEP_SUMMARY"
          fi
"""


# ------------------------------------------------------------------------------------------ safe adding


def _joined(before: str, more: str) -> str:
    newline = "\r\n" if "\r\n" in before else "\n"
    return _ended(before) + newline + more.replace("\n", newline)


def _ended(text: str, newline: str = "\n") -> str:
    """Give text whose last line has an end."""
    return text if not text or text.endswith("\n") else text + newline


def _in_repos(before: str, entry: str, *, begin: bool) -> str:
    """Put an entry behind the last one of `repos:`, before what follows at the left margin.

    To `begin` is to write the list at the end.
    """
    newline = "\r\n" if "\r\n" in before else "\n"
    lines = _ended(before, newline).splitlines(keepends=True)
    start = next((at for at, line in enumerate(lines) if re.match(r"\ufeff?repos\s*:", line)), None)
    if start is None:
        return before if not begin else "".join([*lines, f"repos:{newline}", entry.replace("\n", newline)])
    lines[start] = _EMPTY_LIST.sub("repos:", lines[start])
    last = start
    for at in range(start + 1, len(lines)):
        line = lines[at]
        if re.match(r"[^\s#-]", line):
            break
        if line.strip() and not line.lstrip().startswith("#"):
            last = at
    return "".join([*lines[: last + 1], entry.replace("\n", newline), *lines[last + 1 :]])


def _adds_one(before: Any, after: Any) -> bool:
    """Tell whether `after` is `before` with one more entry of ours at the end of `repos`, and nothing else."""
    if not isinstance(before, dict) or not isinstance(after, dict):
        return False
    repos = after.get("repos")
    if not isinstance(repos, list) or not repos or not _calls_us({"repos": repos[-1:]}):
        return False
    return {**after, "repos": repos[:-1]} == {**before, "repos": before.get("repos") or []}


def _calls_us(document: Any) -> bool:
    repos = document.get("repos") if isinstance(document, dict) else None
    found = [one for one in repos if isinstance(one, dict)] if isinstance(repos, list) else []
    listed = [one["hooks"] for one in found if isinstance(one.get("hooks"), list)]
    return any(
        isinstance(hook, dict) and str(hook.get("id", "")).startswith("secgate") for some in listed for hook in some
    )


def _yaml(text: str) -> Any:
    """Read YAML that people write for pre-commit; None for what is none."""
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError):
        return None


def _toml(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text.removeprefix("\ufeff"))  # so does whoever reads settings
    except (tomllib.TOMLDecodeError, RecursionError):
        return None


def _table(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = document.get(name)
    return found if isinstance(found, dict) else {}


def _without_ours(document: dict[str, Any]) -> dict[str, Any]:
    tools = {name: value for name, value in _table(document, "tool").items() if name != "secgate"}
    rest = {name: value for name, value in document.items() if name != "tool"}
    return {**rest, "tool": tools} if tools else rest


def changed(proposals: Sequence[Proposal]) -> tuple[Proposal, ...]:
    """Give the proposals that would write something."""
    return tuple(one for one in proposals if one.text)
