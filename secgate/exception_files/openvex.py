"""OpenVEX. Source: OpenVEX specification 0.2.0; products and vulnerabilities that are plain texts are of 0.0.x."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from secgate.exception_files.entry import decode
from secgate.exception_files.word import Word, epoch_s


class _Component(msgspec.Struct):
    id: str = msgspec.field(name="@id", default="")
    identifiers: dict[str, str] = {}
    subcomponents: list[_Component | str] = []

    @property
    def purl(self) -> str:
        return self.identifiers.get("purl", "") or (self.id if self.id.startswith("pkg:") else "")


class _Vulnerability(msgspec.Struct):
    name: str
    aliases: list[str] = []


class _Statement(msgspec.Struct):
    vulnerability: _Vulnerability | str
    status: str
    products: list[_Component | str] = []
    justification: str = ""
    impact_statement: str = ""
    status_notes: str = ""
    timestamp: str = ""
    last_updated: str = ""


class _Document(msgspec.Struct):
    statements: list[_Statement]
    timestamp: str = ""


def read(data: bytes, *, file: str) -> list[Word]:
    """Give a word for each product, and each part of it, of each statement. Raises UsageError for another form."""
    document = decode(data, _Document, file=file, called="OpenVEX")
    return [
        word
        for at, one in enumerate(document.statements)
        for word in _words(one, place=f"$.statements[{at}]", since=document.timestamp)
    ]


def _words(one: _Statement, *, place: str, since: str) -> Iterator[Word]:
    known = _Vulnerability(name=one.vulnerability) if isinstance(one.vulnerability, str) else one.vulnerability
    for product in [_component(given) for given in one.products] or [_Component()]:
        for part in [_component(given) for given in product.subcomponents] or [_Component()]:
            yield Word(
                place=place,
                ids=(known.name, *known.aliases),
                product=product.id,
                purl=product.purl,
                part=part.purl or part.id,
                status=one.status,
                justification=one.justification,
                detail=one.impact_statement or one.status_notes,
                at_epoch_s=epoch_s(one.last_updated or one.timestamp or since),
            )


def _component(given: _Component | str) -> _Component:
    return _Component(id=given) if isinstance(given, str) else given
