"""CycloneDX vulnerabilities with an analysis. Source: CycloneDX 1.6, `vulnerabilities[].analysis` and `affects`."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from secgate.exception_files.entry import decode
from secgate.exception_files.word import Word, epoch_s

_STATUSES = {
    "exploitable": "affected",
    "in_triage": "under_investigation",
    "resolved": "fixed",
    "resolved_with_pedigree": "fixed",
}


class _Component(msgspec.Struct):
    ref: str = msgspec.field(name="bom-ref", default="")
    purl: str = ""
    components: list[_Component] = []


class _Analysis(msgspec.Struct):
    state: str = ""
    justification: str = ""
    detail: str = ""
    updated: str = msgspec.field(name="lastUpdated", default="")
    issued: str = msgspec.field(name="firstIssued", default="")


class _Version(msgspec.Struct):
    version: str = ""
    range: str = ""


class _Affected(msgspec.Struct):
    ref: str
    versions: list[_Version] = []


class _Reference(msgspec.Struct):
    id: str = ""


class _Vulnerability(msgspec.Struct):
    id: str
    references: list[_Reference] = []
    analysis: _Analysis = msgspec.field(default_factory=_Analysis)
    affects: list[_Affected] = []


class _Metadata(msgspec.Struct):
    component: _Component | None = None


class _Document(msgspec.Struct):
    vulnerabilities: list[_Vulnerability] = []
    components: list[_Component] = []
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)


def read(data: bytes, *, file: str) -> list[Word]:
    """Give a word for each thing that a vulnerability affects. Raises UsageError for another form."""
    document = decode(data, _Document, file=file, called="CycloneDX")
    purls: dict[str, str] = {}
    left = [*document.components, *([document.metadata.component] if document.metadata.component else [])]
    while left:
        one = left.pop()
        purls.setdefault(one.ref, one.purl)
        left += one.components
    return [
        word
        for at, one in enumerate(document.vulnerabilities)
        for word in _words(one, place=f"$.vulnerabilities[{at}]", purls=purls)
    ]


def _words(one: _Vulnerability, *, place: str, purls: dict[str, str]) -> Iterator[Word]:
    for affected in one.affects or [_Affected(ref="")]:
        # A reference may lead into another document, `urn:cdx:SERIAL/VERSION#REF`; its end is the component's.
        ref = affected.ref.rpartition("#")[2] if affected.ref.startswith("urn:cdx:") else affected.ref
        ranges = [given.range for given in affected.versions if given.range]
        yield Word(
            place=place,
            ids=(one.id, *(reference.id for reference in one.references if reference.id)),
            product=ref,
            purl=purls.get(ref, "") or (ref if ref.startswith("pkg:") else ""),
            versions=tuple(given.version for given in affected.versions if given.version),
            status="not read: a range of versions"
            if ranges
            else _STATUSES.get(one.analysis.state, one.analysis.state or "not analysed"),
            justification=one.analysis.justification,
            detail=one.analysis.detail,
            at_epoch_s=epoch_s(one.analysis.updated or one.analysis.issued),
        )
