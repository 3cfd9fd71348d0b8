"""Text from a scanned tree or a scanner, made inert for the place it is shown in; templates escape HTML themselves.

What is taken out is always shown as its escaped code point, so that a reader sees that it was there.
"""

from __future__ import annotations

import re
import unicodedata

_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_KEPT_FORMAT = frozenset("\u200d\u200c")
# Letters and marks that show nothing: code and messages hide in them.
_UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\uffa0\U000e0100-\U000e01ef]")
# Commands that a CI reads out of a log: Azure and older GitHub runners anywhere in a line, TeamCity too.
_LOG_COMMAND = re.compile(r"##(?=[A-Za-z]*\[)")
_NOT_RAW_IN_JSON = re.compile(
    "[\x7f-\x9f\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb]"
)
# Of these, the ones that Python calls printable.
_PRINTABLE_UNSEEN = "\u115f\u1160\u3164\uffa0"
_PART = 16_384


LONGEST_TEXT = 2_000
"""Characters of a text that other programs are told, where they take no fewer."""
LONGEST_PATH = 4_096
"""No path that can be opened is longer. Source: PATH_MAX of Linux."""


def cut(text: str, longest: int = LONGEST_TEXT) -> str:
    """Give `text`, its end replaced by an ellipsis where it is longer than `longest` characters.

    Who also escapes cuts first: of a text without end, the rest is not even looked at.
    """
    return text if len(text) <= longest else text[: longest - 1] + "…"


def plain(text: str) -> str:
    """Give one line without control, bidirectional and unseen characters: each becomes its escaped code point."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    if character.isprintable() and character not in _BIDI and not _UNSEEN.match(character):
        return character
    if unicodedata.category(character) == "Cf" and character in _KEPT_FORMAT:
        return character
    code = ord(character)
    if character in "\n\r\t":
        return {"\n": "\\n", "\r": "\\r", "\t": " "}[character]
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"


def inert(text: str) -> str:
    """Give text for a data document that people open in terminals: lines kept, other control characters shown."""
    return "\n".join(plain(line) for line in text.split("\n"))


def log_text(text: str) -> str:
    """Give one plain line that no CI takes for a command when it reads the log: `##vso[` loses its first mark.

    A line may not begin with `::` either, after white space; who breaks lines sees to that with `log_line`.
    """
    return _LOG_COMMAND.sub(r"\\x23#", plain(text))


def log_line(line: str) -> str:
    """Give a line of a log that does not begin with `::`, the mark of a command for GitHub's runners."""
    return "\\x3a" + line[1:] if line.startswith("::") else line


def json_text(document: bytes) -> bytes:
    """Give a JSON document with the same value that shows no control or bidirectional character and no CI command.

    All of them can stand only inside strings, where JSON has an escape for each.
    """
    if document.isascii() and b"##" not in document and b"\x7f" not in document:
        return document
    text = document.decode("utf-8", "surrogatepass")
    if _is_calm(text):
        return document
    # Large documents are calm but for a few places: a comma cannot stand within what is looked for.
    parts, at = [], 0
    while at < len(text):
        end = text.find(",", at + _PART) + 1 or len(text)
        part = text[at:end]
        if not _is_calm(part):
            part = _NOT_RAW_IN_JSON.sub(lambda match: f"\\u{ord(match.group()):04x}", part)
            part = _LOG_COMMAND.sub(r"\\u0023#", part)
        parts.append(part)
        at = end
    return "".join(parts).encode("utf-8", "surrogatepass")


def _is_calm(text: str) -> bool:
    """Tell quickly of most texts that nothing in them needs an escape; JSON of ours breaks lines with LF alone."""
    if "##" in text or "\x7f" in text:
        return False
    if text.isascii():
        return True
    return text.replace("\n", " ").isprintable() and not any(unseen in text for unseen in _PRINTABLE_UNSEEN)


_MARKDOWN = re.compile(
    r"""[\\`*_\[\]<>\#|~&@$]      # markup, HTML, mentions, references and mathematics
    | :(?=[\w+-]+:) | :(?=//)      # emoji, addresses
    | (?<=www)\.                   # addresses without a scheme
    | ^\s*[-+=]                    # lists and headings, which only a line's start can begin
    | ^\s*\d{1,9}(?=[.)](?:\s|$))  # numbered lists: 1. with something behind it or nothing, never 1.5""",
    re.VERBOSE | re.IGNORECASE,
)


def markdown_text(text: str) -> str:
    """Give one line that is nothing but text in GitHub's and GitLab's Markdown: no link, mention, tag, emoji or table.

    What could begin any of them stands as a character reference, which Markdown never reads as markup.
    Source: CommonMark 0.31, 2.5 and 6.2.
    """
    return _MARKDOWN.sub(lambda match: "".join(f"&#{ord(one)};" for one in match.group()), log_text(text))


def command_text(text: str, *, property: bool = False) -> str:  # noqa: A002 - GitHub's word for the part before `::`
    """Give text for a workflow command of GitHub's runners: one line that ends neither the command nor a property.

    Source: actions/toolkit, packages/core, command.ts (escapeData and escapeProperty).
    """
    text = log_text(text).replace("%", "%25")
    return text.replace(":", "%3A").replace(",", "%2C") if property else text


def csv_cell(text: str) -> str:
    """Give a cell that no spreadsheet takes for a formula: one that begins like one gets an apostrophe before it."""
    text = log_text(text)
    return f"'{text}" if text.lstrip().startswith(("=", "+", "-", "@", "|", "%")) else text
