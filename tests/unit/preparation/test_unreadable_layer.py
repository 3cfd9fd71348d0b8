"""An enforced layer that the gate's account may read only in part: it would enforce less than it seems to."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

AS_ANOTHER = """
import os, sys
from secgate.errors import UsageError
from secgate.preparation.enforced import read_enforced
os.setgroups([]); os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)
try:
    print("read", *sorted(read_enforced(sys.argv[1], tree="").policies))
except UsageError as error:
    print(error.what)
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize(
    ("closed", "told"),
    [
        ("", "read policies/deep/a.rego"),
        ("notes.txt", "read policies/deep/a.rego"),
        (".", "the enforced layer cannot be read: ."),
        ("policies", "the enforced layer cannot be read: policies"),
        ("policies/deep", "the enforced layer cannot be read: policies/deep"),
        ("enforced.toml", "the enforced layer cannot be read: enforced.toml"),
    ],
)
def test_a_part_that_may_not_be_read_is_never_left_out(closed: str, told: str) -> None:
    # pytest's own folders are closed to others.
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        layer = Path(folder, "organisation")
        (layer / "policies" / "deep").mkdir(parents=True)
        (layer / "policies" / "deep" / "a.rego").write_text("package secgate.rules.a\n")
        (layer / "enforced.toml").write_text("version = 1\n")
        (layer / "notes.txt").write_text("of nobody's concern\n")
        if closed:
            (layer / closed).chmod(0)
        argv = [sys.executable, "-c", AS_ANOTHER, str(layer)]
        child = subprocess.run(argv, capture_output=True, check=True, text=True)
    assert child.stdout.strip() == told
