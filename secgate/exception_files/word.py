"""What a VEX document says of one advisory in one product, in whatever form it says it."""

from __future__ import annotations

from datetime import UTC, datetime

from secgate.model import Value


class Word(Value, frozen=True, kw_only=True):
    """One word. `ids` are names of the advisory, never (); `part` is what of the product it is about, "" for all of it.

    `product` is the document's name for it and `purl` its package URL, "" where there is none. Texts are its own.
    """

    place: str
    ids: tuple[str, ...]
    product: str = ""
    purl: str = ""
    part: str = ""
    versions: tuple[str, ...] = ()
    status: str
    justification: str = ""
    detail: str = ""
    at_epoch_s: int = 0

    @property
    def pair(self) -> tuple[str, str, str]:
        """What it is about: two words on one pair contradict or repeat each other."""
        return (self.ids[0].upper(), self.purl or self.product, self.part)


def epoch_s(text: str) -> int:
    """Give a document's time; 0 for none and for what is no time with a zone."""
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        return 0
    return int(given.astimezone(UTC).timestamp()) if given.tzinfo is not None and given.year > 1970 else 0
