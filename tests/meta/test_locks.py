"""Every lock pins by hash, names no index, and stands within the ranges of the metadata."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCKS = [*sorted(ROOT.glob("requirements/*.txt")), *sorted(ROOT.glob("rules/tools/*.txt"))]
HASHED = re.compile(r"(?P<requirement>[^\\]+?)(?: \\\n {4}--hash=sha256:[0-9a-f]{64})+")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
RANGES = {
    "run": PROJECT["dependencies"],
    "dev": [
        *PROJECT["dependencies"],
        *(name for extra in ("dev", "docs", "lsp", "pdf") for name in PROJECT["optional-dependencies"][extra]),
    ],
    "uv": ["uv"],
    "checkov": ["checkov"],
}


def pins(lock: Path) -> dict[str, str]:
    """Read the versions of a lock by name; refuse a line that is not one pin with hashes."""
    found: dict[str, str] = {}
    for entry in re.split(r"\n(?=\S)", lock.read_text(encoding="utf-8").rstrip("\n")):
        match = HASHED.fullmatch(entry)
        assert match, f"{lock.name}: not a pin with hashes: {entry.splitlines()[0]}"
        requirement = Requirement(match["requirement"])
        (pin,) = requirement.specifier
        assert pin.operator == "=="
        found[canonicalize_name(requirement.name)] = pin.version
    return found


def test_every_lock_is_known() -> None:
    assert {lock.stem for lock in LOCKS} == set(RANGES)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_lock_names_no_address(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    assert not re.search(r"://|--index|--extra-index|--find-links|--trusted-host|@ ", text)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_lock_is_within_the_ranges(lock: Path) -> None:
    pinned = pins(lock)
    for requirement in map(Requirement, RANGES[lock.stem]):
        version = pinned[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), f"{requirement} does not admit {version}"


@pytest.mark.parametrize("lock", ["dev", "uv"])
def test_locks_agree(lock: str) -> None:
    run = pins(ROOT / "requirements" / "run.txt")
    other = pins(ROOT / "requirements" / f"{lock}.txt")
    assert {name: other[name] for name in run.keys() & other.keys()} == {
        name: run[name] for name in run.keys() & other.keys()
    }


@pytest.mark.parametrize(
    "entry",
    [
        "click==8.4.2",
        "click>=8 \\\n    --hash=sha256:" + "0" * 64,
        "--index-url https://example.org/simple",
        "click==8.4.2 \\\n    --hash=md5:" + "0" * 32,
    ],
)
def test_lock_reader_refuses(tmp_path: Path, entry: str) -> None:
    (lock := tmp_path / "lock.txt").write_text(entry + "\n", encoding="utf-8")
    with pytest.raises((AssertionError, ValueError)):
        pins(lock)
