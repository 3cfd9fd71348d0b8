"""An untracked folder that may not be read is named: nobody looked at what is in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from secgate.repository.entries import closed_folders

if TYPE_CHECKING:
    from tests.unit.conftest import Git

LOOK = """
import sys
from pathlib import Path
from secgate.discover import CIFacts, DiscoverRequest, discover
from tests.unit.conftest import Git, SubprocessRunner
git = Git(Path(sys.argv[1]), Path(sys.argv[2]), SubprocessRunner())
target = discover(DiscoverRequest(path=sys.argv[1]), repository=git.open(git.root), ci=CIFacts())
print(*(file.path for file in target.files), "left out:", *(f"{one.path} {one.reason}" for one in target.left_out))
"""


def test_what_git_says_is_read_whatever_the_name() -> None:
    talk = b"warning: could not open directory 'a/b c/': Permission denied\nhint: x\n"
    talk += b"warning: could not open directory 'it's\nhere/': Permission denied\n"
    assert closed_folders(talk) == [b"a/b c/", b"it's\nhere/"]
    assert closed_folders(b"warning: something else\n") == []


def test_a_closed_folder_is_left_out_by_name(git: Git) -> None:
    git.commit({"a.py": "1\n"})
    git.write({"closed/b.py": "1\n", "open/c.py": "1\n"})
    argv = [sys.executable, "-c", LOOK, str(git.root), str(git.scratch)]
    if os.getuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("root reads everything, and there is no setpriv")
        argv = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search", *argv]
    folder = git.root / "closed"
    folder.chmod(0)
    try:
        told = subprocess.run(argv, cwd=Path(__file__).parents[3], capture_output=True, text=True, check=True).stdout
    finally:
        folder.chmod(0o755)
    assert told.split() == ["a.py", "open/c.py", "left", "out:", "closed", "unreadable"]
