"""An inventory as a CycloneDX 1.6 document: equal inventories, subjects and times give equal bytes.

The document is made by CycloneDX's own library, which knows no compositions: these are put into what it wrote. They
never say `complete`, since manifests do not name all that a build takes in: `incomplete` where gaps are known, else
`unknown`. Names and paths come from a scanned tree: what shows nothing, or moves a cursor, stands as its code point.
Source: CycloneDX 1.6, bom-1.6.schema.json and bom-1.6.xsd; notes on threats, rule 12.
"""

from __future__ import annotations

import json
import uuid
import warnings
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from secgate.escape import json_text, plain
from secgate.inventory import Inventory, InventoryComponent
from secgate.model import Value, encode
from secgate.version import __version__

if TYPE_CHECKING:
    from cyclonedx.model import ExternalReference, HashType, Property
    from cyclonedx.model.bom import Bom, BomMetaData
    from cyclonedx.model.component import Component

Form: TypeAlias = Literal["json", "xml"]
LONGEST = 1_000
"""Characters of one text."""
_SUBJECT = "secgate:subject"
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:secgate:bill-of-materials")
_COMPOSITIONS = """
  <compositions>
    <composition>
      <aggregate>{aggregate}</aggregate>
      <assemblies>
        <assembly ref="{subject}"/>
      </assemblies>
      <dependencies>
        <dependency ref="{subject}"/>
      </dependencies>
    </composition>
  </compositions>
"""


class Subject(Value, frozen=True, kw_only=True):
    """What a bill of materials is of: a tree, as a run or as `secgate sbom` found it, or an artefact built from it.

    `run_id` is "" for a tree that is read now. `artifact_digest` is `sha256:HEX` or `sha512:HEX`, "" for none;
    `artifact_name` is "" for one that is known by its digest alone. `bound_by` says whose word it is that it was built
    from this tree: the `run`'s, which named it, that of an `attestation` in the ledger (`secgate attest verify` checks
    it), or that of whoever asked for this `sbom`.
    """

    repository: str
    prefix: str = ""
    line: str = ""
    commit: str = ""
    tree: str = ""
    dirty: bool = False
    run_id: str = ""
    artifact_name: str = ""
    artifact_digest: str = ""
    bound_by: Literal["", "run", "attestation", "sbom"] = ""


def bill_of_materials(inventory: Inventory, subject: Subject, *, at_epoch_s: int, form: Form) -> bytes:
    """Give the document, as of a time that is given."""
    bom = _bom(inventory, subject, at_epoch_s)
    aggregate = "incomplete" if inventory.gaps else "unknown"
    with warnings.catch_warnings():
        # It warns of a graph that is not whole where nobody tells what is asked for: the composition says so.
        warnings.simplefilter("ignore", UserWarning)
        if form == "json":
            from cyclonedx.output.json import JsonV1Dot6

            return _json(JsonV1Dot6(bom).output_as_string(), aggregate)
        from cyclonedx.output.xml import XmlV1Dot6

        return _xml(XmlV1Dot6(bom).output_as_string(indent=2), aggregate)


def _bom(inventory: Inventory, subject: Subject, at_epoch_s: int) -> Bom:
    from cyclonedx.model.bom import Bom

    content = encode([inventory, subject, at_epoch_s, __version__])
    root = _root(subject)
    components = [_component(one) for one in inventory.components]
    bom = Bom(
        serial_number=uuid.uuid5(_NAMESPACE, content.decode()),
        metadata=_metadata(inventory, subject, root, at_epoch_s),
        components=components,
    )
    direct = [made for made, one in zip(components, inventory.components, strict=True) if one.direct]
    bom.register_dependency(root, direct)
    return bom


def _metadata(inventory: Inventory, subject: Subject, root: Component, at_epoch_s: int) -> BomMetaData:
    from cyclonedx.model.bom import BomMetaData
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.model.lifecycle import LifecyclePhase, PredefinedLifecycle
    from cyclonedx.model.tool import ToolRepository

    return BomMetaData(
        timestamp=datetime.fromtimestamp(at_epoch_s, tz=UTC),
        lifecycles=[PredefinedLifecycle(phase=LifecyclePhase.PRE_BUILD)],
        tools=ToolRepository(
            components=[Component(type=ComponentType.APPLICATION, name="secgate", version=__version__)]
        ),
        component=root,
        properties=[*_described(subject), *_told(inventory)],
    )


def _root(subject: Subject) -> Component:
    from cyclonedx.model.component import Component, ComponentType

    digest = subject.artifact_digest
    return Component(
        type=ComponentType.APPLICATION,
        name=_text(subject.artifact_name or subject.repository),
        version=subject.commit if subject.commit and not subject.dirty else None,
        bom_ref=_SUBJECT,
        hashes=_hashes([digest] if digest else []),
    )


def _described(subject: Subject) -> Iterator[Property]:
    told = {
        "repository": subject.repository,
        "folder": subject.prefix,
        "line": subject.line,
        "commit": subject.commit,
        "tree": subject.tree,
        "dirty": "true" if subject.dirty else "",
        "run": subject.run_id,
        "artifact:bound-by": subject.bound_by,
    }
    return (_property(name, value) for name, value in told.items() if value)


def _told(inventory: Inventory) -> Iterator[Property]:
    yield _property("inventory", f"sha256:{inventory.digest}")
    for manifest in inventory.manifests:
        pins = f"{manifest.pinned} pinned, {manifest.unpinned} not"
        lock = f", {manifest.lock} stands for its ranges" if manifest.lock else ""
        yield _property("manifest", f"{manifest.path}: {manifest.kind}, {pins}{lock}")
    for gap in inventory.gaps:
        place = f"{gap.path}:{gap.line}: " if gap.line else f"{gap.path}: " if gap.path else ""
        yield _property("gap", f"{place}{gap.reason}" + (f": {gap.detail}" if gap.detail else ""))


def _component(one: InventoryComponent) -> Component:
    from cyclonedx.model.component import Component, ComponentScope
    from cyclonedx.model.component_evidence import ComponentEvidence, Occurrence
    from packageurl import PackageURL

    scope = ComponentScope.REQUIRED
    if one.development:
        scope = ComponentScope.EXCLUDED
    elif one.conditional:
        scope = ComponentScope.OPTIONAL
    hashes = _hashes(one.hashes)
    reference = one.purl or _text(f"{one.source}:{one.name}@{one.version}")
    return Component(
        name=_text(one.name),
        version=_text(one.version) or None,
        bom_ref=reference,
        purl=PackageURL.from_string(one.purl) if one.purl else None,
        scope=scope,
        # A lock names every file of a version: only where there is one, it is certain what will be installed.
        hashes=hashes if len(hashes) == 1 else [],
        external_references=_files(one, hashes) if len(hashes) > 1 else [],
        evidence=ComponentEvidence(
            # The library sorts them by reference, and by their place in memory where they have none.
            occurrences=[
                Occurrence(bom_ref=f"{reference}#{number:02}", location=_text(place.path), line=place.line or None)
                for number, place in enumerate(one.places, 1)
            ]
        ),
        properties=[
            *([_property("requested", one.requested)] if one.requested else []),
            *([_property("source", one.source)] if not one.purl else []),
        ],
    )


def _files(one: InventoryComponent, hashes: Sequence[HashType]) -> list[ExternalReference]:
    from cyclonedx.model import ExternalReference, ExternalReferenceType, XsUri

    told = "the files that a lock allows; one of them is installed"
    url = XsUri(one.purl or f"urn:secgate:{one.source}")
    return [ExternalReference(type=ExternalReferenceType.DISTRIBUTION, url=url, comment=told, hashes=hashes)]


def _hashes(texts: Sequence[str]) -> list[HashType]:
    from cyclonedx.model import HashAlgorithm, HashType

    named = {"sha256": HashAlgorithm.SHA_256, "sha384": HashAlgorithm.SHA_384, "sha512": HashAlgorithm.SHA_512}
    parts = (one.partition(":") for one in texts)
    return [HashType(alg=named[algorithm], content=content) for algorithm, _, content in parts]


def _property(name: str, value: str) -> Property:
    from cyclonedx.model import Property

    return Property(name=f"secgate:{name}", value=_text(value))


def _text(text: str) -> str:
    shown = plain(text)
    return shown if len(shown) <= LONGEST else shown[: LONGEST - 1] + "…"


def _json(document: str, aggregate: str) -> bytes:
    read: dict[str, Any] = json.loads(document)
    read["compositions"] = [{"aggregate": aggregate, "assemblies": [_SUBJECT], "dependencies": [_SUBJECT]}]
    return json_text(json.dumps(read, indent=2, sort_keys=True, ensure_ascii=False).encode()) + b"\n"


def _xml(document: str, aggregate: str) -> bytes:
    # They are the last part of a `bom` that has no properties, vulnerabilities or annotations of its own.
    return document.replace("\n</bom>", f"{_COMPOSITIONS.format(aggregate=aggregate, subject=_SUBJECT)}</bom>").encode()
