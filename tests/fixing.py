"""What an editor does with a fix: its edits, from the last to the first."""

from __future__ import annotations

from secgate.languages.source import Source
from secgate.model import Fix


def applied(text: str, fix: Fix) -> str:
    """Give the text with all edits of a fix made."""
    source = Source(text.encode())
    for edit in reversed(fix.edits):
        start, end = source.offsets(edit.region)
        text = text[:start] + edit.text + text[end:]
    return text
