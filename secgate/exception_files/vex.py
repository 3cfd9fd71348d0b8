"""VEX in three forms - OpenVEX, CycloneDX, CSAF - as words on one advisory and one product each.

A product that a lock file can name is the package itself. Every other product is taken for this repository only where
the caller says that it is: then what it is made of counts. Of several words on one pair the latest holds.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from secgate.errors import UsageError
from secgate.exception_files import csaf, cyclonedx, openvex
from secgate.exception_files.entry import Entry, decode
from secgate.exception_files.word import Word
from secgate.exception_files.words import name, reason
from secgate.purl import PackageUrl, parse

CALLED = "VEX"


class _Marks(msgspec.Struct):
    """What tells the forms apart."""

    context: str = msgspec.field(name="@context", default="")
    format: str = msgspec.field(name="bomFormat", default="")
    document: dict[str, msgspec.Raw] | None = None


def read(data: bytes, *, file: str, products: Sequence[str]) -> tuple[Entry, ...]:
    """Give an entry for each word. Raises UsageError for a document of none of the three forms."""
    marks = decode(data, _Marks, file=file, called=CALLED)
    if marks.context.startswith("https://openvex.dev/ns"):
        words = openvex.read(data, file=file)
    elif marks.format == "CycloneDX":
        words = cyclonedx.read(data, file=file)
    elif marks.document and "csaf_version" in marks.document:
        words = csaf.read(data, file=file)
    else:
        raise UsageError(
            "neither OpenVEX, CycloneDX nor CSAF", place=file, remedy="give a VEX document in JSON of one of the three"
        )
    # Words of equal time hold in the order of the document.
    latest: dict[tuple[str, str, str], int] = {}
    for at in sorted(range(len(words)), key=lambda one: (words[one].at_epoch_s, one)):
        latest[words[at].pair] = at
    return tuple(
        _entry(word, products, outdated=words[last].status if (last := latest[word.pair]) != at else "")
        for at, word in enumerate(words)
    )


def _entry(word: Word, products: Sequence[str], *, outdated: str) -> Entry:
    packages, refused = _packages(word, products)
    if outdated:
        refused = f"a later word on the same says `{outdated}`"
    elif word.status == "not_affected" and not word.justification:
        refused = "it gives no justification"
    elif word.status == "false_positive" and not word.detail.strip():
        refused = "it gives no reason"
    elif word.status not in ("not_affected", "false_positive"):
        refused = f"its status is `{name(word.status)}`, which lets nothing pass"
    about = name(word.part or word.product)
    return Entry(
        place=word.place,
        shown=f"{name(word.ids[0])} of {about}" if about else name(word.ids[0]),
        kind="false-positive" if word.status == "false_positive" else "not-affected",
        reason=reason(": ".join(text for text in (word.justification, word.detail.strip()) if text)),
        advisories=tuple(name(one) for one in word.ids),
        packages=packages,
        refused=refused,
    )


def _packages(word: Word, products: Sequence[str]) -> tuple[tuple[PackageUrl, ...], str]:
    """Give the packages that a word is about, () for whichever has the advisory; and why it is about none here."""
    product = parse(word.purl or word.product)
    is_ours = any(_is_same(word, one) for one in products)
    if product is not None and product.is_package and not word.part and not is_ours:
        return _versions(product, word.versions), ""
    if not is_ours:
        told = name(word.purl or word.product) or "no product"
        return (), f"it is about {told}; if that is this repository, add --product {told}"
    if not word.part:
        return (), ""
    part = parse(word.part)
    if part is None or not part.is_package:
        return (), f"`{name(word.part)}` names no package that a lock file could"
    return (part,), ""


def _versions(product: PackageUrl, versions: Sequence[str]) -> tuple[PackageUrl, ...]:
    if not versions:
        return (product,)
    return tuple(msgspec.structs.replace(product, version=one) for one in versions)


def _is_same(word: Word, given: str) -> bool:
    """Tell whether a word's product is the given one; one given without a version stands for every version."""
    if given in (word.product, word.purl):
        return True
    ours, theirs = parse(given), parse(word.purl or word.product)
    if ours is None or theirs is None:
        return False
    return (ours.ecosystem, ours.name) == (theirs.ecosystem, theirs.name) and ours.version in ("", theirs.version)
