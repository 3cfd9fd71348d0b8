"""The repository speaks of the project alone, and keeps the house's measures."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Names lack their end or beginning here, so that this file may be searched too.
MACHINE = re.compile(r"(?<![\w.-])/(?:work/[\w.]|root/\.(?:cache|pyenv|cargo|local)|tmp/(?:bash|pytest-of)|home/\w+/)")
HOSTS = re.compile(
    r"\b(?:pypi\.org|pythonhosted\.org|registry\.npmjs\.org|proxy\.golang\.org|static\.crates\.io|deb\.debian\.org)"
)
# Where an address is data: what a tool wrote, what a lock of somebody's project looks like, a tool's own default.
HOSTS_ALLOWED = ("tests/fixtures/", "tests/cases/", "tests/unit/manifests/", "secgate/scanners/pip_audit.py")
VAGUE = {"utils", "util", "common", "helpers", "helper", "core", "base", "manager", "misc"}
LONGEST_FILE, LONGEST_FUNCTION = 450, 70
# The values of every stage in one file: declarations, no logic.
LONG_FILES_ALLOWED = {"secgate/model.py"}


def tracked() -> Iterator[tuple[str, str]]:
    """Give (name, text) of the files of the repository, those with other content than UTF-8 left out."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    for name in sorted(filter(None, names)):
        path = ROOT / name
        if path.is_symlink() or not path.is_file():
            continue
        try:
            yield name, path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def modules() -> list[Path]:
    return sorted((ROOT / "secgate").rglob("*.py"))


def lines_that_match(pattern: re.Pattern[str], allowed: tuple[str, ...]) -> list[str]:
    return [
        f"{name}:{number}: {line.strip()[:100]}"
        for name, text in tracked()
        if not (allowed and name.startswith(allowed))
        for number, line in enumerate(text.split("\n"), start=1)
        if pattern.search(line)
    ]


def test_no_path_of_a_machine() -> None:
    assert lines_that_match(MACHINE, allowed=()) == []


def test_no_host_of_an_index() -> None:
    assert lines_that_match(HOSTS, allowed=HOSTS_ALLOWED) == []


@pytest.mark.parametrize("text", ["see /" + "work/main", "HOME=/" + "home/me/x", "/" + "root/.cache/uv"])
def test_path_of_a_machine_is_seen(text: str) -> None:
    assert MACHINE.search(text)


@pytest.mark.parametrize("text", ["https://" + "pypi" + ".org/simple", "files." + "pythonhosted" + ".org"])
def test_host_of_an_index_is_seen(text: str) -> None:
    assert HOSTS.search(text)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_module_keeps_its_measure(path: Path) -> None:
    assert path.stem not in VAGUE
    assert path.parent.name not in VAGUE
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= LONGEST_FILE or path.relative_to(ROOT).as_posix() in LONG_FILES_ALLOWED
    functions = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    long = {f.name: f.end_lineno - f.lineno + 1 for f in functions if f.end_lineno}
    assert {name: length for name, length in long.items() if length > LONGEST_FUNCTION} == {}
