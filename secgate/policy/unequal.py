"""Calls that engines answer differently without an error, so that nobody asks one what another would not say.

Found by the conformance cases of OPA, and by asking regorus 0.13 and OPA 1.22 the same of every function that may be
called; `tests/policies/test_unequal.py` asks again. What only hangs on the values of an input is in `docs/policies.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from secgate.policy import tree

UNEQUAL: Mapping[str, str] = {
    "json.match_schema": "do without it",
    "json.verify_schema": "do without it",
    "semver.is_valid": "write `regex.match` with the form that you mean",
    "strings.count": "do without it",
    "strings.replace_n": "write one `replace` in another, in the order that you mean",
    "walk": "do without it",
    "yaml.unmarshal": "keep it as JSON, and read it with `json.unmarshal`",
}
"""Functions by name, each with what to write instead."""

_FOLDERS = '`x/**` at the end, with the delimiters `["/"]`; else `startswith`, `endswith` or `regex.match`'


def unequal_call(
    name: str, parameters: Sequence[object], constant: Callable[[object], str | None]
) -> tuple[str, str] | None:
    """Give what is wrong with a call, and what to write instead; None for one that every engine answers alike.

    `constant` gives the text of an expression where it is known.
    """
    if name in UNEQUAL:
        return f"`{name}` is not allowed: engines answer it differently", UNEQUAL[name]
    if name == "glob.match" and len(parameters) == 3 and _is_unequal_glob(constant(parameters[0]), parameters[1]):
        return "engines answer `**` differently here", _FOLDERS
    return None


def _is_unequal_glob(pattern: str | None, delimiters: object) -> bool:
    if pattern is None or "**" not in pattern or pattern == "**":
        return False
    kind, body = tree.opened(delimiters)
    by_folder = kind == "Array" and [tree.text_of(one) for one in tree.items(body.get("items"))] == ["/"]
    return not (by_folder and pattern.endswith("/**") and "**" not in pattern.removesuffix("/**"))
