"""What docs/releasing.md says of this repository: made-up secrets in its tests need no waiver to be released."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_no_made_up_secret_of_ours_blocks_a_release(tmp_path: Path) -> None:
    options = ["--profile", "release", "--offline", "--scanner", "detect-secrets", "--scanner", "kingfisher"]
    done = subprocess.run(
        [sys.executable, "-m", "secgate", "run", *options, "--quiet", "--format", "json", str(ROOT)],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "SECGATE_LEDGER_STORE": "none"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    run = json.loads(done.stdout)["run"]
    lane = next(one for one in run["coverage"]["lanes"] if one["lane"] == "secrets")
    assert (lane["covered"] > 1000, lane["gaps"]) == (True, []), done.stderr
    denied = {one["id"] for one in run["decision"]["verdicts"] if one["word"] == "deny"}
    places = [one["location"] for one in run["findings"] if one["fingerprint"] in denied]
    assert [f"{one['path']}:{one['region']['start_line']}" for one in places] == []
