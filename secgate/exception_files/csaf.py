"""CSAF VEX. Source: CSAF 2.0, profile 5: `product_tree`, `product_status`, `flags` and `threats` as justification."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from secgate.exception_files.entry import decode
from secgate.exception_files.word import Word, epoch_s

_STATUSES = {
    "known_not_affected": "not_affected",
    "known_affected": "affected",
    "under_investigation": "under_investigation",
    "fixed": "fixed",
    "first_fixed": "fixed",
    "first_affected": "affected",
    "last_affected": "affected",
}


class _Helper(msgspec.Struct):
    purl: str = ""


class _Product(msgspec.Struct):
    product_id: str
    helper: _Helper = msgspec.field(name="product_identification_helper", default_factory=_Helper)


class _Branch(msgspec.Struct):
    branches: list[_Branch] = []
    product: _Product | None = None


class _Relationship(msgspec.Struct):
    full_product_name: _Product
    product_reference: str
    relates_to_product_reference: str


class _Tree(msgspec.Struct):
    branches: list[_Branch] = []
    full_product_names: list[_Product] = []
    relationships: list[_Relationship] = []


class _Flag(msgspec.Struct):
    label: str
    product_ids: list[str] = []


class _Threat(msgspec.Struct):
    category: str
    details: str = ""
    product_ids: list[str] = []


class _Id(msgspec.Struct):
    text: str = ""


class _Vulnerability(msgspec.Struct):
    cve: str = ""
    ids: list[_Id] = []
    product_status: dict[str, list[str]] = {}
    flags: list[_Flag] = []
    threats: list[_Threat] = []


class _Tracking(msgspec.Struct):
    current_release_date: str = ""


class _Head(msgspec.Struct):
    tracking: _Tracking = msgspec.field(default_factory=_Tracking)


class _Document(msgspec.Struct):
    document: _Head
    vulnerabilities: list[_Vulnerability] = []
    product_tree: _Tree = msgspec.field(default_factory=_Tree)


def read(data: bytes, *, file: str) -> list[Word]:
    """Give a word for each product of each status of each vulnerability. Raises UsageError for another form."""
    document = decode(data, _Document, file=file, called="CSAF")
    purls = {one.product_id: one.helper.purl for one in document.product_tree.full_product_names}
    left = list(document.product_tree.branches)
    while left:
        one = left.pop()
        left += one.branches
        if one.product is not None:
            purls[one.product.product_id] = one.product.helper.purl
    parts = {one.full_product_name.product_id: one for one in document.product_tree.relationships}
    at_epoch_s = epoch_s(document.document.tracking.current_release_date)
    return [
        msgspec.structs.replace(word, at_epoch_s=at_epoch_s)
        for at, one in enumerate(document.vulnerabilities)
        for word in _words(one, place=f"$.vulnerabilities[{at}]", purls=purls, parts=parts)
    ]


def _words(
    one: _Vulnerability, *, place: str, purls: dict[str, str], parts: dict[str, _Relationship]
) -> Iterator[Word]:
    ids = tuple(known for known in (one.cve, *(known.text for known in one.ids)) if known) or ("no id",)
    for status, products in sorted(one.product_status.items()):
        for product in products:
            relation = parts.get(product)
            whole = relation.relates_to_product_reference if relation is not None else product
            part = relation.product_reference if relation is not None else ""
            yield Word(
                place=f"{place}.product_status.{status}" if status in _STATUSES else place,
                ids=ids,
                product=whole,
                purl=purls.get(whole, ""),
                part=purls.get(part, "") or part,
                status=_STATUSES.get(status, status),
                justification=next((flag.label for flag in one.flags if product in flag.product_ids), ""),
                detail=next(
                    (
                        threat.details
                        for threat in one.threats
                        if threat.category == "impact" and product in threat.product_ids
                    ),
                    "",
                ),
            )
