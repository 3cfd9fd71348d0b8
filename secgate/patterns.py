"""Path patterns, in the form of .gitignore without its exceptions. Source: gitignore(5), PATTERN FORMAT."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property

from secgate.errors import UsageError


class PathPattern:
    r"""One pattern and where it was written.

    A pattern without a slash before its end fits a name at any depth; else it is relative to the root. `*` and
    `?` stay within a name, `**` spans any number of folders, `[...]` is one character, `\` takes the next one
    as it is. A pattern that fits a folder fits all that is in it; one that ends in a slash fits folders only.
    """

    def __init__(self, text: str, *, source: str = "") -> None:
        self.text = text
        self.source = source
        if not text.strip("/ ") or text.startswith("!") or "\0" in text:
            raise UsageError(
                f"{text!r} is no path pattern",
                place=source,
                remedy="give one such as `tests/cases/` or `**/generated/*.py`; exceptions (`!`) are not supported",
            )

    def __repr__(self) -> str:
        return f"PathPattern({self.text!r}, source={self.source!r})"

    @property
    def shown(self) -> str:
        """The pattern with where it was written, for coverage."""
        return f"{self.text} ({self.source})" if self.source else self.text

    def fits(self, path: str) -> bool:
        """Tell whether `path`, or a folder that it is in, fits."""
        return self._expression.fullmatch(path) is not None

    @cached_property
    def _expression(self) -> re.Pattern[str]:
        body = self.text.strip("/")
        is_anchored = "/" in self.text.rstrip("/")
        inside = "/.+" if self.text.endswith("/") else "(?:/.+)?"
        start = "" if is_anchored else "(?:.*/)?"
        return re.compile(start + _translated(body) + inside, re.DOTALL)


def first_fit(patterns: Sequence[PathPattern], path: str) -> PathPattern | None:
    """Give the first of `patterns` that fits `path`, or None."""
    return next((pattern for pattern in patterns if pattern.fits(path)), None)


def _translated(body: str) -> str:
    parts = body.split("/")
    out = []
    for position, part in enumerate(parts):
        is_last = position == len(parts) - 1
        if part == "**":
            # At the end: everything inside; else: any number of folders, or none.
            out.append(".+" if is_last else "(?:.+/)?")
        else:
            out.append(_name(part) + ("" if is_last else "/"))
    return "".join(out)


def _name(part: str) -> str:
    out: list[str] = []
    position = 0
    while position < len(part):
        character = part[position]
        position += 1
        if character == "*":
            # One run of stars is one star: two would only make the search slow.
            if not (out and out[-1] == "[^/]*"):
                out.append("[^/]*")
        elif character == "?":
            out.append("[^/]")
        elif character == "\\" and position < len(part):
            out.append(re.escape(part[position]))
            position += 1
        elif character == "[" and (end := part.find("]", position + 1)) > 0:
            out.append(_class(part[position:end]))
            position = end + 1
        else:
            out.append(re.escape(character))
    return "".join(out)


def _class(members: str) -> str:
    negated = members[0] in "!^"
    ranges = re.sub(r"([\\\[\]&~|^])", r"\\\1", members[1:] if negated else members)
    text = f"[{'^' if negated else ''}{ranges}]"
    try:
        re.compile(text)
    except re.error:
        raise UsageError(f"[{members}] is no class of characters") from None
    return f"(?:(?!/){text})"
