"""Texts of a file that somebody else wrote, as they may be stored and shown: inert, short, without credentials."""

from __future__ import annotations

import re

from secgate.escape import plain
from secgate.masking import MASK
from secgate.secret_likeness import likeness
from secgate.waivers import LONGEST_REASON

LONGEST_NAME = 300

_NAME = re.compile(r"(?i)passw|passphrase|pwd|secret|token|credential|api_?-?key|access_?-?key|private_?-?key|bearer")
_ASSIGNED = re.compile(r"([\w.\-]{2,40})\s?[:=]\s?[\"'`]?([^\s\"'`,;]{4,})")
_RUN = re.compile(r"[A-Za-z0-9+=_\-]{16,}")
_PUBLIC = re.compile(
    r"(?:CVE|GHSA|PYSEC|OSV|AVD|CKV|CWE)[0-9A-Z_\-]*-[0-9A-Za-z_\-]+|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
)
"""Advisories, rules and UUIDs: random to look at, and public."""
_FEW_DIGITS = 2


def reason(text: str) -> str:
    """Give the reason that an entry names, in one line, "" for none."""
    told = without_secrets(plain(" ".join(text.split())))
    return told if len(told) <= LONGEST_REASON else f"{told[: LONGEST_REASON - 1]}…"


def name(text: str) -> str:
    """Give an id, a resource or a product as it is compared and shown."""
    return plain(text.strip())[:LONGEST_NAME]


def without_secrets(text: str) -> str:
    """Mask what reads like a credential, in a text that no detector looked at.

    That is a long run of letters and digits that is no checksum, no advisory and no words, and what is assigned to a
    name of a secret, unless anybody would try it.
    """
    named = _ASSIGNED.sub(_unassigned, text)
    return _RUN.sub(lambda found: MASK if _is_random(found[0]) else found[0], named)


def _unassigned(found: re.Match[str]) -> str:
    if not _NAME.search(found[1]) or likeness(found[2], key=found[1], is_random=False) is not None:
        return found[0]
    return found[0].replace(found[2], MASK)


def _is_random(text: str) -> bool:
    digits = sum(one.isdigit() for one in text)
    if digits < _FEW_DIGITS or digits == len(text) or _PUBLIC.fullmatch(text):
        return False
    return likeness(text, key="rev", is_random=False) is None
