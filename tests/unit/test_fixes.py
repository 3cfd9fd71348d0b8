"""Fixes of tools: what fits a text, the least of it, and nothing else. Threat rules 12 and 14."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secgate.fixes import LONGEST_TEXT, MOST_EDITS, bound, upgrade
from secgate.languages.source import ColumnUnit, Source
from secgate.model import Edit, Fix, Package, Region
from tests.fixing import applied

TEXT = "# \u00e9\U0001f512\nrun(debug=True, x=1)\n"
DIGEST = "a" * 64


def region(start_line: int, start_column: int, end_line: int, end_column: int) -> Region:
    return Region(start_line=start_line, start_column=start_column, end_line=end_line, end_column=end_column)


def made(*edits: tuple[Region, str], text: str = TEXT, unit: ColumnUnit = "utf-16", title: str = "t") -> Fix | None:
    fix = Fix(title=title, edits=tuple(Edit(region=place, text=new) for place, new in edits))
    return bound(fix, Source(text.encode()), unit=unit, digest=DIGEST)


def test_it_is_the_least_that_changes_and_bound_to_the_bytes() -> None:
    fix = made((region(2, 1, 2, 21), "run(debug=False, x=1)"))
    assert fix == Fix(title="t", edits=(Edit(region=region(2, 11, 2, 14), text="Fals"),), digest=DIGEST)
    assert applied(TEXT, fix) == TEXT.replace("True", "False")


@pytest.mark.parametrize(("unit", "column"), [("utf-8", 9), ("utf-16", 6), ("code-point", 5)])
def test_columns_of_every_unit(unit: ColumnUnit, column: int) -> None:
    fix = made((region(1, column, 1, column), "!"), unit=unit)
    assert fix is not None
    assert (fix.edits[0].region, applied(TEXT, fix)) == (region(1, 6, 1, 6), TEXT.replace("\U0001f512", "\U0001f512!"))


@pytest.mark.parametrize(
    ("place", "new", "unit"),
    [
        (region(0, 1, 1, 2), "x", "utf-16"),
        (region(1, 0, 1, 2), "x", "utf-16"),
        (region(2, 1, 2, 22), "x", "utf-16"),
        (region(2, 1, 3, 1), "x", "utf-16"),
        (region(2, 1, 99, 1), "x", "utf-16"),
        (region(2, 5, 2, 4), "x", "utf-16"),
        (region(2, 5, 1, 1), "x", "utf-16"),
        (region(1, 5, 1, 6), "x", "utf-16"),
        (region(1, 4, 1, 5), "x", "utf-8"),
        (region(2, 1, 2, 99), "x", "code-point"),
        (region(2, 1, 2, 2), "\x1b[31m", "utf-16"),
        (region(2, 1, 2, 2), "\u202e", "utf-16"),
        (region(2, 1, 2, 2), "\0", "utf-16"),
        (region(2, 1, 2, 2), "x" * (LONGEST_TEXT + 1), "utf-16"),
        (region(2, 1, 2, 4), "run", "utf-16"),
    ],
)
def test_threat_14_what_does_not_fit_the_text_is_no_fix(place: Region, new: str, unit: ColumnUnit) -> None:
    assert made((place, new), unit=unit) is None


def test_threat_14_edits_that_overlap_or_are_too_many_are_no_fix() -> None:
    assert made() is None
    assert made((region(2, 1, 2, 5), "x"), (region(2, 4, 2, 6), "y")) is None
    assert made(*((region(2, 1, 2, 1), "x") for _ in range(MOST_EDITS + 1))) is None
    two = made((region(2, 11, 2, 15), "False"), (region(2, 5, 2, 10), "slow"))
    assert two is not None
    assert applied(TEXT, two) == TEXT.replace("debug=True", "slow=False")


def test_bytes_that_are_no_text_have_no_fix() -> None:
    fix = Fix(title="t", edits=(Edit(region=region(1, 1, 1, 2), text="x"),))
    assert bound(fix, Source(b"a\xff\n"), unit="utf-8", digest=DIGEST) is None
    assert bound(fix, Source(b"a\n"), unit="utf-8", digest="") is None


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30), st.text("ab\n\u00e9", max_size=8), st.data())
def test_an_edit_does_what_the_tool_meant(text: str, new: str, data: st.DataObject) -> None:
    source = Source(text.encode())
    start = data.draw(st.integers(0, len(source.text)))
    end = data.draw(st.integers(start, len(source.text)))
    place = source.region(start, end)
    fix = made((place, new), text=text)
    if fix is not None:
        assert applied(source.text, fix) == source.text[:start] + new + source.text[end:]


PACKAGE = Package(
    ecosystem="pypi", name="jinja2", version="3.1.2", manifest="requirements.txt", line=2,
    fixed_versions=("2.11.9", "3.1.6", "3.1.4"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("jinja2==3.1.2", True),
        ("\U0001f512 jinja2==3.1.2", True),
        ("jinja2>=3", False),
        ("jinja2==3.1.2  # 3.1.2 is old", False),
        ("jinja2==3.1.2 --hash=sha256:00", False),
        ("jinja2==3.1.2 \\", False),
    ],
)
def test_the_lowest_fixed_version_above_takes_the_place_of_the_one_in_use(line: str, offered: bool) -> None:
    text = f"# first\n{line}\n"
    fix = upgrade(PACKAGE, Source(text.encode()), kinds=("pip-requirements",), digest=DIGEST)
    assert (fix is not None) is offered
    if fix is not None:
        assert (fix.title, applied(text, fix)) == ("Upgrade jinja2 to 3.1.4", text.replace("3.1.2", "3.1.4"))


@pytest.mark.parametrize("kind", ["poetry-lock", "uv-lock", "pipfile-lock", "pylock"])
def test_a_lock_is_its_tool_s_to_write(kind: str) -> None:
    source = Source(b'name = "jinja2"\nversion = "3.1.2"\n')
    assert upgrade(PACKAGE, source, kinds=(kind, "toml"), digest=DIGEST) is None
    assert upgrade(PACKAGE, Source(b"one line"), kinds=("pip-requirements",), digest=DIGEST) is None
