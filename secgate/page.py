"""Lines of text that fit a width, for terminals and logs: folded, clipped, in a few styles."""

from __future__ import annotations

from collections.abc import Iterator

from secgate.escape import log_line, log_text

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

    def wrap(self, text: str, indent: int, *, first: str = "", style: str = "", most: int = MAX_LINES) -> None:
        """Add a text over as many lines as it needs, up to `most`; `first` stands in the first line's indent."""
        room = self.width - indent
        # What no line can hold is not even escaped.
        for position, line in enumerate(folded(log_text(text[: room * most + 1]), room, most)):
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

    def labelled(self, label: str, text: str) -> None:
        """Add a text behind its label; nothing for an empty one."""
        if text:
            self.wrap(text, 11, first=f"{label:>10}", style="dim", most=4)

    def command(self, label: str, words: str) -> None:
        """Add a line for a shell behind its label; folded, its lines end in a backslash, so that it can be pasted."""
        indent = 11
        lines = list(folded(words, self.width - indent - 2, MAX_LINES))
        if words and (log_text(words) != words or " ".join(lines) != words):
            # A word is longer than a line, or holds what a page cannot show: it stands alone, whole.
            self.wrap(words, indent, first=f"{label:>10}", style="dim")
            return
        for position, line in enumerate(lines if words else ()):
            head = f"{label:>10} " if position == 0 else " " * indent
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


def clipped_left(text: str, room: int) -> str:
    """Give the end of a text that fits, since the end of a path says most."""
    return text if cells(text) <= room else "…" + start_of(text[::-1], max(room - 1, 1))[::-1]


def folded(text: str, room: int, most: int) -> Iterator[str]:
    """Give the text in lines of at most `room` columns and not more than `most` lines; a word too long is cut."""
    lines: list[str] = []
    # A text longer than its lines can hold is cut first, so that a hostile one costs no time.
    rest = log_line(text[: room * most + 1].strip())
    while rest and len(lines) <= most:
        line = start_of(rest, room)
        if len(line) < len(rest):
            space = line.rfind(" ") if rest[len(line)] != " " else len(line)
            line = line[:space] if space > room // 3 else line
        rest = rest[len(line) :].lstrip()
        lines.append(log_line(line.rstrip()))
        rest = log_line(rest)
    if len(lines) > most:
        lines[most - 1 :] = [clipped(lines[most - 1] + " " * room, room).rstrip(" …") + "…"]
    yield from lines or [""]
