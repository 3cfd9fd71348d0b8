"""Lines that fit a width: what is folded, what never is."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secgate.page import LONGEST_WORD, Page

DEEP = "services/" + "shop-of-many-things/" * 6 + "views.py"


def lines(text: str, *, width: int = 60, whole: str = "") -> list[str]:
    page = Page(width, colour=False)
    page.wrap(text, 4, first="  -", whole=whole)
    return page.data().decode().splitlines()


@pytest.mark.parametrize(
    "text", [f"{DEEP}: bandit: line 3: no", f"see {DEEP}:12, then go on", f"https://example.org/{DEEP}"]
)
@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_a_path_or_an_address_is_never_broken(text: str, width: int) -> None:
    found = lines(text, width=width)
    assert any(DEEP in line for line in found)
    assert " ".join(line.removeprefix("  -").strip() for line in found) == text


def test_a_path_with_white_space_is_whole_where_it_is_named() -> None:
    path = DEEP.replace("-", " ")
    assert any(f"{path}:7" in line for line in lines(f"at {path}:7 in search", whole=path))
    assert not any(f"{path}:7" in line for line in lines(f"at {path}:7 in search"))


def test_a_name_without_a_slash_is_whole_where_it_is_named() -> None:
    name = "a_module_with_a_name_that_nobody_should_give_to_a_module_of_theirs.py"
    assert lines(name, whole=name) == [f"  - {name}"]


@pytest.mark.parametrize("text", ["x" * 500, "漢字" * 200, "/" + "x" * LONGEST_WORD, "/x" * LONGEST_WORD])
def test_what_is_no_path_is_broken(text: str) -> None:
    assert max(len(line) for line in lines(text)) <= 60


def test_what_is_left_out_behind_a_path_is_marked() -> None:
    found = lines(" ".join([DEEP] * 9))
    assert len(found) == 6
    assert found[-1].endswith(f"{DEEP} …")


@pytest.mark.parametrize("width", [40, 80])
def test_a_command_is_never_folded_within_quotes(width: int) -> None:
    words = [
        "secgate",
        "coverage",
        "waive",
        "--",
        "iac",
        "too-large",
        "other people's code of old/a b.py",
        DEEP,
        "",
        "x" * 90,
    ]
    page = Page(width, colour=False)
    page.command("waive", shlex.join(words))
    text = page.data().decode()
    assert shlex.split(text.replace("\\\n", ""))[1:] == words


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(st.sampled_from("ab'\" \\$/x"), max_size=30), max_size=9))
def test_every_command_can_be_pasted(words: list[str]) -> None:
    page = Page(40, colour=False)
    page.command("waive", shlex.join(["secgate", *words]))
    assert shlex.split(page.data().decode().replace("\\\n", ""))[1:] == ["secgate", *words]
