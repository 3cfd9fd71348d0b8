"""Dockerfiles as the builder reads them: continued lines, comments inside, here-documents, stages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secgate.languages.dockerfile import WORDS, instructions, problem, spans
from secgate.languages.source import Source


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "FROM x\nARG A=\nENV KEY several words\n",
            [("FROM", "x", 1, 1), ("ARG", "A=", 2, 2), ("ENV", "KEY several words", 3, 3)],
        ),
        ("# syntax=docker/dockerfile:1\n\n  from x", [("FROM", "x", 3, 3)]),
        ("RUN a \\\n\n  # why\n  && b\nUSER u", [("RUN", "a && b", 1, 4), ("USER", "u", 5, 5)]),
        ("RUN a \\\r\n b\r\nUSER u\r\n", [("RUN", "a b", 1, 2), ("USER", "u", 3, 3)]),
        (
            "# escape=`\nRUN a `\n b\nRUN dir c:\\\nUSER u",
            [("RUN", "a b", 2, 3), ("RUN", "dir c:\\", 4, 4), ("USER", "u", 5, 5)],
        ),
        ("RUN echo \\\\\nUSER u", [("RUN", "echo \\\\", 1, 1), ("USER", "u", 2, 2)]),
        ("RUN a \\\n", [("RUN", "a", 1, 1)]),
        ("RUN\nUSER u", [("RUN", "", 1, 1), ("USER", "u", 2, 2)]),
        (
            "RUN <<A sh && <<-'B' cat\n1\nA\n2\n\tB\nUSER u",
            [("RUN", "<<A sh && <<-'B' cat\n1\n2", 1, 5), ("USER", "u", 6, 6)],
        ),
        ("ONBUILD RUN <<A\nFROM y\nA\n", [("ONBUILD", "RUN <<A\nFROM y", 1, 3)]),
        ("COPY <<a.txt /x\nUSER u\na.txt", [("COPY", "<<a.txt /x\nUSER u", 1, 3)]),
    ],
)
def test_instructions(text: str, expected: list[tuple[str, str, int, int]]) -> None:
    assert list(instructions(Source(text.encode()))) == expected


@pytest.mark.parametrize(
    "line",
    [
        'RUN echo "<<A"',
        "RUN echo 'x <<A'",
        "RUN echo \\<<A",
        "RUN cat <<<A",
        "RUN echo $((1<<A))",
        "CMD cat <<A",
        "LABEL a=<<A",
        "RUN cat <<B",
    ],
)
def test_nothing_is_hidden_behind_what_only_looks_like_a_here_document(line: str) -> None:
    found = list(instructions(Source(f"{line}\nUSER root\nA\n".encode())))
    assert [one.word for one in found[:2]] == [line.split(maxsplit=1)[0], "USER"]


@pytest.mark.parametrize(
    ("rest", "stage"),
    [
        ("x", "x"),
        ("x:1", "x"),
        ("x@sha256:00", "x"),
        ("registry:5000/a/b:1 as Build", "build"),
        ("registry:5000/a/b:1", "registry:5000/a/b"),
        ("--platform=$P x/y:1", "x/y"),
        ("${BASE:-python:3}", "${BASE:-python:3}"),
        ("${BASE:-python}:3", "${BASE:-python}"),
        ("$BASE", "$BASE"),
        ("", "stage"),
    ],
)
def test_a_stage_is_named_by_its_alias_or_its_image(rest: str, stage: str) -> None:
    assert [one.symbol for one in spans(Source(f"FROM {rest}\nUSER u".encode()))] == [stage, stage]


def test_stages_of_one_image_are_told_apart() -> None:
    assert [one.symbol for one in spans(Source(b"FROM x\nFROM x:2\nFROM y"))] == ["x", "x#2", "y"]


def test_what_is_no_instruction_is_told_by_its_line() -> None:
    assert problem(Source(b"FROM x\n{{ if y }}\n")) == "no instruction is called `{{` (line 2)"
    assert problem(Source(b"")) == ""


_PIECES = ("RUN ", "FROM x", "<<A", "<<-'A'", "A", "\tA", "\\", "\n", " ", "#", '"', "'", "é😀", "USER u", "\r\n", "x")


@given(st.lists(st.sampled_from(_PIECES), max_size=30))
def test_instructions_follow_each_other_and_units_are_inside_the_text(pieces: list[str]) -> None:
    source = Source("".join(pieces).encode())
    found = list(instructions(source))
    ends = [0, *(one.last for one in found)]
    assert all(before < one.line <= one.last <= source.line_count for before, one in zip(ends, found, strict=False))
    assert len(spans(source)) == sum(one.word in WORDS for one in found)
    assert all(0 <= one.start <= one.head <= len(source.text) for one in spans(source))
