"""Where the embedded engine says that something is wrong, in the columns that people count."""

from __future__ import annotations

import pytest

from secgate.engines.regorus import RegorusEngine
from secgate.errors import PolicyError
from secgate.ports import PolicyModule

HEAD = "package x\n\np if {\n"


@pytest.mark.parametrize(
    "line",
    [
        "\ta := 1; foo bar",
        "    a := 1; foo bar",
        " a := 1;\t\tfoo bar",
        '\ta := "é";\tfoo bar',
        '\ta := "\U0001f600"; foo bar',
    ],
)
def test_a_column_counts_characters_and_a_tab_is_one(line: str) -> None:
    with pytest.raises(PolicyError) as caught:
        RegorusEngine().syntax([PolicyModule(path="x.rego", text=f"{HEAD}{line}\n}}\n")])
    assert caught.value.place == f"x.rego:4:{line.index('bar') + 1}"


def test_a_fault_of_an_evaluation_has_such_a_column_too() -> None:
    line = '\ta := "é";\tto_number("x") == 2'
    with pytest.raises(PolicyError) as caught:
        RegorusEngine().evaluate(
            [PolicyModule(path="x.rego", text=f"{HEAD}{line}\n}}\n")],
            data=b"{}",
            document=b"{}",
            query="data.x.p",
            limit_s=5,
        )
    assert caught.value.place.startswith("x.rego:4:")
    assert line[int(caught.value.place.rpartition(":")[2]) - 1 :].startswith(('"x"', 'x"', "to_number"))
