"""Gate the bundled example and judge the gate: exit 0 exactly when it fails as it must, with findings in all five lanes.

The example is copied out of this repository first, so that it is a plain folder like any stranger's.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent.parent
LANES = {"sast", "dependencies", "iac", "secrets", "workflows"}


def secgate(*arguments: str, env: dict[str, str]) -> int:
    """Run secgate of the environment that runs this script; its output goes where ours goes."""
    program = Path(sys.executable).parent / "secgate"
    return subprocess.run([str(program), *arguments], env=env, check=False).returncode


def judge(code: int, result: Path) -> list[str]:
    """Give what is wrong with the gate's answer; nothing when it is as it must be."""
    if not result.is_file():
        return [f"no result was written; exit code {code}"]
    document = json.loads(result.read_bytes())
    wrong = []
    if code != 1 or document["outcome"] != "fail":
        wrong.append(f"exit code {code} and outcome {document['outcome']}, where 1 and fail must be")
    if document["all_outcomes"] != ["fail"]:
        wrong.append(f"outcomes {document['all_outcomes']}: every lane must be covered")
    denied = {v["id"] for v in document["run"]["decision"]["verdicts"] if v["word"] == "deny"}
    seen = {f["lane"] for f in document["run"]["findings"] if f["fingerprint"] in denied}
    wrong.extend(f"nothing denied in lane {lane}" for lane in sorted(LANES - seen))
    return wrong


def main() -> int:
    """Copy, import the made advisories, run, judge."""
    out = ROOT / "out" / "example"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    env = dict(os.environ)
    env["SECGATE_ADVISORIES"] = str(out / "advisories.sqlite")
    env["SECGATE_LEDGER_PATH"] = str(out / "ledger.sqlite")
    with tempfile.TemporaryDirectory() as scratch:
        tree = Path(scratch) / "shop"
        shutil.copytree(HERE / "tree", tree)
        code = secgate("advisories", "import", str(HERE / "advisories"), env=env)
        if code == 0:
            enforced = ("--enforced", str(HERE / "enforced"))
            outputs = ("--format", "text", *(f"--format={name}={out / f'run.{name}'}" for name in ("html", "json", "sarif")))
            code = secgate("run", str(tree), "--offline", *enforced, *outputs, env=env)
    wrong = judge(code, out / "run.json")
    sys.stdout.flush()
    for line in wrong:
        print(f"gate: WRONG: {line}", file=sys.stderr)
    if not wrong:
        print("\ngate: the example failed as it must, with findings in all five lanes")
        print(f"gate: its page is {out / 'run.html'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
