"""Texts of a file that somebody else wrote, as they may be stored and shown: inert, short, without credentials."""

from __future__ import annotations

from secgate.escape import plain
from secgate.hearing import LONGEST_REASON
from secgate.masking import clean

LONGEST_NAME = 300


def reason(text: str) -> str:
    """Give the reason that an entry names, in one line, "" for none."""
    whole = " ".join(text.split())
    told = plain(clean(whole))
    return told if len(told) <= LONGEST_REASON else f"{told[: LONGEST_REASON - 1]}…"


def name(text: str) -> str:
    """Give an id, a resource or a product as it is compared and shown."""
    return plain(text.strip())[:LONGEST_NAME]
