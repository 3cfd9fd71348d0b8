"""Path patterns fit what git's ignore rules would fit."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secgate.errors import UsageError
from secgate.patterns import PathPattern, first_fit

PATHS = (
    "a.py",
    "b/a.py",
    "b/c/a.py",
    "b/c/d/x.txt",
    "x/b/c.py",
    "a[1].py",
    "a1.py",
    "new\nline.py",
    "build/lib/x.py",
    "x/build",
    "*.py/x",
)
PATTERNS = (
    *("a.py", "/a.py", "*.py", "b/", "b/c", "/b/**", "**/c", "b/**/a.py", "build/", "build"),
    *("a[0-9].py", "a[!0-9]*.py", "a\\[1].py", "?.py", "**/a.py", "b/*/a.py", "x/**/c.py", "[ab]", "a**.py"),
    *("\\*.py", "new*", "b/c/d/x.txt/", "x/*"),
)


@pytest.fixture(scope="module")
def ignoring(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("ignoring")
    subprocess.run(["git", "init", "--quiet", str(root)], check=True)
    for path in PATHS:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("")
    return root


@pytest.mark.parametrize("text", PATTERNS)
def test_same_as_git(ignoring: Path, text: str) -> None:
    (ignoring / ".gitignore").write_text(text + "\n")
    done = subprocess.run(
        ["git", "check-ignore", "--no-index", "-z", "--stdin"],
        cwd=ignoring,
        input="\0".join(PATHS).encode(),
        capture_output=True,
        check=False,
    )
    ours = {path for path in PATHS if PathPattern(text).fits(path)}
    assert ours == set(done.stdout.decode().split("\0")) - {""}


def test_first_fit_and_its_source() -> None:
    patterns = (PathPattern("*.js"), PathPattern("tests/", source="secgate.toml"))
    found = first_fit(patterns, "tests/a.py")
    assert found is not None
    assert found.shown == "tests/ (secgate.toml)"
    assert first_fit(patterns, "src/a.py") is None


@pytest.mark.parametrize("text", ["", "/", " ", "!a.py", "a\0"])
def test_refused(text: str) -> None:
    with pytest.raises(UsageError):
        PathPattern(text)


@given(st.text(alphabet="ab/*?[]!-^\\&~|.", min_size=1), st.text(alphabet="ab/.", max_size=20))
def test_any_pattern_is_refused_or_answers(text: str, path: str) -> None:
    try:
        answer = PathPattern(text).fits(path)
    except UsageError:
        return
    assert answer in (True, False)
