"""What identity rests on of a unit's text: a digest of its words, and how alike it is to others."""

from __future__ import annotations

from msgspec import Struct

from secgate.fingerprint import anchor
from secgate.languages import tokens
from secgate.likeness import sketch
from secgate.model import Digest


class Wording(Struct, frozen=True, array_like=True, gc=False):
    """The anchor of a text's words, and the sketch of them."""

    anchored: Digest
    sketch: str


def worded(kind: str, text: str, known: tokens.Words) -> Wording:
    """Give the wording of a text of a file's kind; `known` remembers words for the next one."""
    words = tokens.normalised(kind, text, known)
    return Wording(anchor(words), sketch(words))
