"""Replay a repository's real history through the gate, commit by commit, and list what became of each finding.

    python benchmarks/replay.py run GIT_DIR OUT --start COMMIT [--commits 31] [--exclude PATTERN]...
    python benchmarks/replay.py list OUT [--kind KIND]
    python benchmarks/replay.py table OUT docs/replay.tsv

`run` drives the command line as its user would: a clone, a checkout of each commit, `secgate run` in the protected
scope, with a ledger that remembers. The commits are successive ones of the first-parent line that touch a Python file.
`list` gives the transitions between each commit and the next, one a line, those that ask for a look first. `table`
counts them, with the verdicts of whoever looked. Nothing of the repository's text leaves OUT.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
SCANNERS = ("bandit", "semgrep")
KINDS = ("lost", "twice", "new", "absent", "renamed", "updated", "newly-detectable", "moved", "unchanged")
"""Those that ask for a look first. `lost`: neither there nor said to be gone; `twice`: both, which must not be."""


class Transition(NamedTuple):
    """What became of one finding between two successive commits. A place is `path:line`, "" on a side without one."""

    id: str
    kind: str
    weakness: str
    then: str
    now: str
    basis: str
    symbol: str


def main(arguments: Sequence[str]) -> int:
    """Do what the arguments say; give the exit code."""
    parser = argparse.ArgumentParser(description="replay real history through the gate")
    commands = parser.add_subparsers(dest="command", required=True)
    running = commands.add_parser("run")
    running.add_argument("repository", type=Path)
    running.add_argument("out", type=Path)
    running.add_argument("--start", required=True)
    running.add_argument("--commits", type=int, default=31)
    running.add_argument("--branch", default="HEAD")
    running.add_argument("--exclude", action="append", default=[])
    listing = commands.add_parser("list")
    listing.add_argument("out", type=Path)
    listing.add_argument("--kind", choices=KINDS)
    counting = commands.add_parser("table")
    counting.add_argument("out", type=Path)
    counting.add_argument("verdicts", type=Path)
    given = parser.parse_args(arguments)
    if given.command == "run":
        return replay(given)
    found = transitions(given.out)
    if given.command == "list":
        for one in sorted(found, key=lambda one: KINDS.index(one.kind)):
            if given.kind in (None, one.kind):
                print("\t".join(one))
        return 0
    print(table(found, judged(given.verdicts)))
    return 0


# ------------------------------------------------------------------------------------------------------------------ run


def replay(given: argparse.Namespace) -> int:
    """Scan each commit in turn; one that was scanned in an earlier, broken-off call is not scanned again."""
    out: Path = given.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    tree = out / "tree"
    if not tree.exists():
        git(out, "clone", "--quiet", "--shared", "--no-checkout", str(given.repository.resolve()), str(tree))
    enforced = enforce(out / "enforced", given.exclude)
    for number, commit in enumerate(successive(given.repository, given.branch, given.start, given.commits)):
        document = out / f"{number:03}-{commit[:12]}.json"
        if not document.exists():
            git(tree, "checkout", "--quiet", "--force", "--detach", commit)
            gate(tree, enforced, document)
        counts = Counter(str(finding["state"]) for finding in load(document)["findings"])
        print(f"{document.stem}: {dict(sorted(counts.items()))}", flush=True)
    return 0


def successive(repository: Path, branch: str, start: str, count: int) -> list[str]:
    """Give up to `count` commits from `start` on, oldest first."""
    log = git(repository, "log", "--first-parent", "--format=%H", "--reverse", branch, "--", "*.py").split()
    at = next((at for at, commit in enumerate(log) if commit.startswith(start)), None)
    if at is None:
        raise SystemExit(f"{start} is not on the first-parent line of {branch}, or touches no Python file")
    return log[at : at + count]


def enforce(folder: Path, exclude: Sequence[str]) -> Path:
    """Make an organisation's layer whose profile asks for the one lane: a run is then complete with its tools alone."""
    shipped = json.loads((ROOT / "policies" / "data" / "profiles.json").read_bytes())["profiles"]
    profiles = {**shipped, "named": {"replay": {**shipped["named"]["pull-request"], "lanes": ["sast"]}}}
    data = folder / "data" / "profiles.json"
    data.parent.mkdir(parents=True, exist_ok=True)
    data.write_text(json.dumps({"profiles": profiles}), "utf-8")
    settings = f'version = 1\nprofile = "replay"\nexclude = {json.dumps(exclude)}\n'
    (folder / "enforced.toml").write_text(settings, "utf-8")
    return folder


def gate(tree: Path, enforced: Path, document: Path) -> None:
    """Run the gate on the checked-out commit and keep its document, written in one piece."""
    partial = document.with_suffix(".partial")
    command = [sys.executable, "-m", "secgate", "run", str(tree), "--scope", "protected", "--ref", "replayed"]
    command += ["--enforced", str(enforced), "--quiet", "--format", f"json={partial}"]
    command += [part for name in SCANNERS for part in ("--scanner", name)]
    environment = {**os.environ, "SECGATE_STATE_DIR": str(document.parent / "state")}
    done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    if done.returncode not in (0, 1, 3):
        raise SystemExit(f"{document.stem}: exit {done.returncode}: {done.stderr}")
    partial.replace(document)


def git(folder: Path, *arguments: str) -> str:
    """Ask git."""
    return subprocess.run(
        ["git", "-C", str(folder), *arguments],  # noqa: S607 - git is found on PATH by intent
        check=True,
        capture_output=True,
        text=True,
        errors="replace",
    ).stdout


# --------------------------------------------------------------------------------------------------------- transitions


def load(document: Path) -> dict[str, Any]:
    """Give the stored run of one commit."""
    run: dict[str, Any] = json.loads(document.read_bytes())["run"]
    return run


def transitions(out: Path) -> list[Transition]:
    """Give what became of each finding between each commit and the next, in the order of the commits."""
    documents = sorted(out.glob("[0-9]*.json"))
    found: list[Transition] = []
    then = load(documents[0])
    for document in documents[1:]:
        now = load(document)
        found.extend(between(then, now, step=document.stem))
        then = now
    return found


def between(then: dict[str, Any], now: dict[str, Any], *, step: str) -> Iterator[Transition]:
    """Give the transitions of one step; each finding of either side is in exactly one, or it is an error of ours."""
    before = {one["fingerprint"]: one for one in then["findings"]}
    gone = {one["fingerprint"] for one in now["absent"]}
    kept: set[str] = set()
    for one in now["findings"]:
        known = one["previous"] or one["fingerprint"]
        origin = before.get(known)
        if one["state"] != "new" and origin is not None:
            kept.add(known)
        kind = "twice" if {known, one["fingerprint"]} & gone else kind_of(one, origin)
        yield transition(step, kind, origin, one, basis=str(one["state_basis"]))
    for fingerprint, one in sorted(before.items()):
        if fingerprint in gone:
            yield transition(step, "absent", one, None, basis="")
        elif fingerprint not in kept:
            yield transition(step, "lost", one, None, basis="neither found again nor said to be gone")


def kind_of(one: dict[str, Any], origin: dict[str, Any] | None) -> str:
    """Give the kind of a finding that is there now; `moved` is unchanged on another line."""
    if one["state"] != "unchanged":
        return str(one["state"])
    if one["previous_path"]:
        return "renamed"
    return "moved" if origin is not None and line_of(one) != line_of(origin) else "unchanged"


def transition(
    step: str, kind: str, then: dict[str, Any] | None, now: dict[str, Any] | None, *, basis: str
) -> Transition:
    """Give one transition; its id names the step and both fingerprints."""
    one = now or then or {}
    prints = "".join(str(side["fingerprint"]) if side else "-" for side in (then, now))
    return Transition(
        id=f"{step}/{sha256(prints.encode()).hexdigest()[:10]}",
        kind=kind,
        weakness=str(one["weakness"]),
        then=place(then),
        now=place(now),
        basis=basis,
        symbol=str(one["symbol"]),
    )


def line_of(one: dict[str, Any]) -> int:
    """Give the finding's first line."""
    return int(one["location"]["region"]["start_line"])


def place(one: dict[str, Any] | None) -> str:
    """Give `path:line`, "" for a side that is not there."""
    return f"{one['location']['path']}:{line_of(one)}" if one else ""


# --------------------------------------------------------------------------------------------------------------- table


def judged(verdicts: Path) -> dict[str, bool]:
    """Give, by the transition's id, whether the gate was right; of other repositories too."""
    with verdicts.open(encoding="utf-8", newline="") as lines:
        return {row["transition"]: row["verdict"] == "right" for row in csv.DictReader(lines, delimiter="\t")}


def table(found: Sequence[Transition], verdicts: Mapping[str, bool]) -> str:
    """Give one Markdown row a kind: how many there are, how many were judged, how many of those were wrong."""
    rows = ["| kind | transitions | judged | wrong |", "|---|---|---|---|"]
    for kind in KINDS:
        mine = [one.id for one in found if one.kind == kind]
        told = [verdicts[one] for one in mine if one in verdicts]
        if mine:
            rows.append(f"| {kind} | {len(mine)} | {len(told)} | {told.count(False)} |")
    return "\n".join(rows)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
