"""Lines of text that fit a width, for terminals and logs: folded, clipped, in a few styles.

Paths and addresses are never broken: they are copied, and terminals make links of them. One that no line can hold runs
over the width.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from secgate.escape import LONGEST_PATH, cut, log_line, log_text

_SHELL_WORD = re.compile(r"""(?:'[^']*'|"[^"]*"|[^\s'"])+""")
_RESET = "\x1b[0m"
_STYLES = {
    "bad": "\x1b[1;31m",
    "unsure": "\x1b[1;33m",
    "good": "\x1b[1;32m",
    "dim": "\x1b[2m",
    "bold": "\x1b[1m",
}
NARROWEST = 40
MAX_LINES = 6
"""Lines that one text may take; what is longer ends in `…`."""
LONGEST_WORD = 1_024
"""Characters of a word with a slash that is taken for a path or an address; a longer one is data, and broken."""


class Page:
    """The lines so far, `width` columns wide (40 where it is less).

    Everything that came from outside passes `log_text` before it is added.
    """

    def __init__(self, width: int, *, colour: bool) -> None:
        self.width = max(width, NARROWEST)
        self.colour = colour
        self.lines: list[str] = []

    def style(self, text: str, name: str) -> str:
        """Give the text in a style by name, as it is where there are no colours."""
        return f"{_STYLES[name]}{text}{_RESET}" if self.colour and name in _STYLES else text

    def wrap(
        self, text: str, indent: int, *, first: str = "", style: str = "", most: int = MAX_LINES, whole: str = ""
    ) -> None:
        """Add a text over as many lines as it needs, up to `most`; `first` stands in the first line's indent.

        `whole` is a part of the text that is not broken, a path with white space in it.
        """
        room = self.width - indent
        # What no line can hold is not even escaped.
        shown = log_text(cut(text, _longest(room, most)))
        for position, line in enumerate(folded(shown, room, most, whole=log_text(cut(whole, LONGEST_PATH)))):
            head = first.ljust(indent) if position == 0 else " " * indent
            self.lines.append((self.style(head, style) + line).rstrip())

    def verbatim(self, text: str, indent: int) -> None:
        """Add a text with nothing left out: its lines as they are, cut where the page ends."""
        room = self.width - indent
        for line in text.split("\n"):
            rest = log_text(line)
            while True:
                part = start_of(rest, room)
                self.lines.append(f"{' ' * indent}{part}".rstrip() if part == rest else f"{' ' * indent}{part}")
                rest = rest[len(part) :]
                if not rest:
                    break

    def title(self, text: str) -> None:
        """Begin a part."""
        self.lines.append("")
        self.heading(text, "bold")

    def heading(self, text: str, style: str) -> None:
        """Add a line of our own words in one style; a narrow terminal gets it in several."""
        self.lines.extend(self.style(line, style) for line in folded(text, self.width, MAX_LINES))

    def labelled(self, label: str, text: str, *, whole: str = "") -> None:
        """Add a text behind its label; nothing for an empty one. `whole` as for `wrap`."""
        if text:
            self.wrap(text, 11, first=f"{label:>10}", style="dim", most=4, whole=whole)

    def command(self, label: str, words: str) -> None:
        """Add a line for a shell behind its label; folded, its lines end in a backslash, so that it can be pasted.

        It is never folded within quotes, where a backslash would be part of the word.
        """
        indent = 11
        parts = _SHELL_WORD.findall(words)
        if log_text(words) != words or " ".join(parts) != words:
            # It holds what a page cannot show: nobody could paste it.
            self.wrap(words, indent, first=f"{label:>10}", style="dim")
            return
        lines: list[str] = []
        for word in parts:
            longer = f"{lines[-1]} {word}" if lines else word
            lines[-1:] = [longer] if not lines or cells(longer) <= self.width - indent - 2 else [lines[-1], word]
        for position, line in enumerate(lines):
            # A word that has no room at the indent, the name of a run for one, begins further left.
            head = f"{label:>10} " if position == 0 else " " * min(indent, max(2, self.width - 2 - cells(line)))
            more = " \\" if position < len(lines) - 1 else ""
            self.lines.append(self.style(head, "dim") + line + more)

    def data(self) -> bytes:
        """Give the whole in UTF-8."""
        return ("\n".join(self.lines) + "\n").encode("utf-8", "replace")


def cells(text: str) -> int:
    """Give the columns that a text takes in a terminal: wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def start_of(text: str, room: int) -> str:
    """Give the longest start of a text that fits `room` columns, at least one character."""
    if len(text) <= room and cells(text) <= room:
        return text
    end = min(len(text), room)
    while end > 1 and cells(text[:end]) > room:
        end -= 1
    return text[:end]


def clipped(text: str, room: int) -> str:
    """Give the start of a text that fits, with a mark where something is missing."""
    fits = len(text) <= room and cells(text) <= room
    return text if fits else start_of(text, max(room - 1, 1)) + "…"


def folded(text: str, room: int, most: int, *, whole: str = "") -> Iterator[str]:
    """Give the text in lines of at most `room` columns and not more than `most` lines; a word too long is cut.

    A word with a slash and what is `whole` are not: what is longer than a line stands in one of its own, as it is.
    """
    lines: list[str] = []
    # A text longer than its lines can hold is cut first, so that a hostile one costs no time.
    rest = log_line(cut(text.strip(), _longest(room, most)))
    broken: list[bool] = [False]
    while rest and len(lines) <= most:
        line = start_of(rest, room)
        if len(line) < len(rest):
            begin, end = _unbroken(rest, len(line), whole)
            space = line.rfind(" ") if rest[len(line)] != " " else len(line)
            if end and (begin or not broken[-1]):
                line = rest[: begin or end]
            elif space > room // 3:
                line = line[:space]
        broken.append(not line.endswith(" ") and rest[len(line) : len(line) + 1] not in ("", " "))
        rest = log_line(rest[len(line) :].lstrip())
        lines.append(log_line(line.rstrip()))
    if len(lines) > most:
        lines[most - 1 :] = [_unfinished(lines[most - 1], room, broken=broken[most])]
    yield from lines or [""]


def _longest(room: int, most: int) -> int:
    """Give the most characters of a text that are looked at."""
    return room * most + LONGEST_PATH


def _unbroken(text: str, at: int, whole: str) -> tuple[int, int]:
    """Give where the part that may not be cut before `at` begins and ends, (0, 0) where it may be cut there."""
    begin, end = at, at
    found = text.find(whole, max(at - len(whole) + 1, 0), at + len(whole) - 1) if len(whole) > 1 else -1
    known = 0 <= found < at
    if known:
        begin, end = found, found + len(whole)
    begin = text.rfind(" ", 0, begin) + 1
    end = text.find(" ", end) if " " in text[end:] else len(text)
    kept = known or ("/" in text[begin:end] and end - begin <= LONGEST_WORD)
    return (begin, end) if kept and begin < at < end else (0, 0)


def _unfinished(line: str, room: int, *, broken: bool) -> str:
    """Give a last line with the mark of what is missing; a path before the mark stays whole."""
    if cells(line) < room:
        return f"{line}…"
    may_be_cut = broken or "/" not in line.rpartition(" ")[2]
    return clipped(line + " ", room).rstrip(" …") + "…" if may_be_cut else f"{line} …"
