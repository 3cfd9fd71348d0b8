"""Positions in TOML and JSON: documents in which each number is the number of its own line."""

from __future__ import annotations

import json as standard
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from secgate.manifests import json, toml

Tree = st.recursive(
    st.none(),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["a", "b-c", "d e", 'q"', "x.y"]), inner, max_size=3),
    ),
    max_leaves=12,
)
COMMENTS = st.sampled_from(["", " # [x] = 1", "\n", "\n  # ]}\n"])


def inline(value: object, line: int) -> str:
    """A value on one line; every leaf is the number of that line."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{standard.dumps(k)} = {inline(v, line)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(inline(v, line) for v in value) + "]"
    return str(line)


def spread(value: object, line: int, comment: str) -> tuple[str, int]:
    """A value over several lines: each element of an array begins a new one."""
    if not isinstance(value, list):
        return inline(value, line), line
    text = "["
    for item in value:
        gap = f"{comment}\n"
        line += gap.count("\n")
        given_text, line = spread(item, line, comment)
        text += gap + given_text + ","
    return text + "\n]", line + 1


def leaves(value: object, key: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], int]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in items:
        if isinstance(inner, int):
            yield (*key, name), inner
        else:
            yield from leaves(inner, (*key, name))


@given(st.lists(st.tuples(st.sampled_from(["", "[t{}]", "[[u]]", "[u.w{}]"]), Tree), max_size=6), COMMENTS)
def test_toml_lines(parts: list[tuple[str, object]], comment: str) -> None:
    lines, line = ["[[u]]"], 1
    for number, (form, value) in enumerate(parts):
        if form.startswith("["):
            lines.append(form.format(number) + comment)
            line += 1 + comment.count("\n")
        text, last = spread(value, line + 1, comment)
        lines.append(f"v{number} = {text}{comment}")
        line = last + comment.count("\n")
    document = toml.parse("\n".join(lines).encode())
    found = list(leaves(document.data))
    assert [(key, document.line(*key)) for key, _ in found] == found


@given(st.dictionaries(st.text(max_size=5), st.dictionaries(st.text(max_size=5), st.integers()), max_size=4))
def test_json_lines(value: dict[str, dict[str, int]]) -> None:
    text = standard.dumps(value, indent=1, ensure_ascii=False)
    document = json.parse(text.encode())
    lines = text.split("\n")
    for section, inner in value.items():
        for key in inner:
            line = lines[document.line(section, key) - 1]
            assert line.lstrip().startswith(standard.dumps(key, ensure_ascii=False))
