"""What tests ask of text for a terminal."""

from __future__ import annotations


def too_wide(text: str, width: int = 80) -> list[str]:
    """Give the lines over `width` columns but those that run over in a path or an address: these are never broken."""
    return [line for line in text.splitlines() if len(line) > width and "/" not in max(line.split(), key=len)]
