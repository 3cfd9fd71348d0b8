"""Only the organisation says what kind of file lies where, in order, and every fault of its file is told at once."""

from __future__ import annotations

import pytest

from secgate.errors import ConfigError, PolicyError
from secgate.path_classes import PathClasses, read_path_classes, require_known

FILE = b"""version = 1
[classes.tests]
paths = ["tests/", "**/test_*.py"]

[classes.web]
paths = ["services/web/"]
repositories = ["git.example.org/acme/*"]
exposure = "internet"

[classes.rest]
paths = ["**"]
exposure = "internal"
"""


@pytest.mark.parametrize(
    ("repository", "path", "name", "exposure"),
    [
        ("git.example.org/acme/shop", "services/web/a.py", "web", "internet"),
        ("git.example.org/acme/shop", "services/web/test_a.py", "tests", "unknown"),
        ("git.example.org/acme/shop", "a.py", "rest", "internal"),
        ("git.example.org/other/shop", "services/web/a.py", "rest", "internal"),
    ],
)
def test_the_first_class_that_fits_counts(repository: str, path: str, name: str, exposure: str) -> None:
    one = PathClasses(read_path_classes(FILE), repository=repository).of(path)
    assert one is not None
    assert (one.name, one.exposure) == (name, exposure)


def test_a_file_may_be_in_none() -> None:
    assert PathClasses(read_path_classes(b"version = 1"), repository="r").of("a.py") is None


def test_every_fault_is_told_with_its_line() -> None:
    file = b'version = 1\n[classes.Web]\npaths = []\n[classes.b]\npaths = ["!a", "[z-a]"]\n'
    with pytest.raises(ConfigError) as caught:
        read_path_classes(file)
    assert [(place, what.split(",")[0]) for place, what, _ in caught.value.faults] == [
        ("path-classes.toml:2", "`Web` is no name of a class"),
        ("path-classes.toml:2", "the class `Web` has no paths"),
        ("path-classes.toml:4", "'!a' is no path pattern"),
        ("path-classes.toml:4", "[z-a] is no class of characters"),
    ]


@pytest.mark.parametrize(
    ("file", "what"),
    [
        (b"[classes.a]\npaths = ['a']", "`version` is missing"),
        (b"version = 1\n[classes.a]\npath = ['a']", "unknown key `classes.a.path`"),
        (b"version = 1\n[classes.a]\npaths = ['a']\nexposure = 'public'", "Invalid enum value 'public'"),
        (b"version = 2", "Invalid enum value 2"),
    ],
)
def test_another_form_is_refused(file: bytes, what: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_path_classes(file)
    assert what in " ".join(fault[1] for fault in caught.value.faults)


def test_limits_for_a_class_that_is_not_there_are_refused() -> None:
    classes = read_path_classes(FILE)
    require_known({"web": "exposed"}, classes)
    with pytest.raises(PolicyError, match="`exposed` name the path class `wep`") as caught:
        require_known({"web": "exposed", "wep": "exposed"}, classes)
    assert caught.value.remedy == "did you mean `web`?"
