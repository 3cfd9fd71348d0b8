"""CycloneDX as it is written: valid under the official schemas, the same each time, inert."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from secgate.bom import Form, Subject, bill_of_materials
from secgate.inventory import InventoriedManifest, Inventory, InventoryComponent, InventoryGap, InventoryPlace
from secgate.purl import of_python

# CycloneDX's own schemas come with its library, under Apache-2.0.
SCHEMAS = Path(str(resources.files("cyclonedx") / "schema" / "_res"))
AT = 1_772_366_400
DIGESTS = ("sha256:" + "a" * 64, "sha256:" + "b" * 64, "sha512:" + "c" * 128)


def inventory() -> Inventory:
    return Inventory(
        components=(
            InventoryComponent(
                name="flask",
                version="2.0.0",
                purl="pkg:pypi/flask@2.0.0",
                hashes=DIGESTS,
                direct=True,
                places=(InventoryPlace(path="uv.lock", line=10), InventoryPlace(path="requirements.txt", line=0)),
            ),
            InventoryComponent(name="jinja2", version="3.0", purl="pkg:pypi/jinja2@3.0", hashes=DIGESTS[:1]),
            InventoryComponent(name="mine", version="1", source="vcs", development=True),
            InventoryComponent(name="pytz", requested=">=1", purl="pkg:pypi/pytz", conditional=True),
        ),
        manifests=(InventoriedManifest(path="uv.lock", kind="uv-lock", pinned=2, unpinned=0),),
        gaps=(InventoryGap(path="package-lock.json", reason="unsupported", detail="no shipped tool"),),
    )


def subject(**given: Any) -> Subject:
    return Subject(**{"repository": "example.com/shop", "commit": "c" * 40, "tree": "d" * 40, **given})


def written(found: Inventory, about: Subject, form: Form = "json") -> bytes:
    return bill_of_materials(found, about, at_epoch_s=AT, form=form)


def read(found: Inventory, about: Subject) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(written(found, about))
    return document


@pytest.fixture(scope="module")
def valid_json() -> jsonschema_rs.Validator:
    name = "http://cyclonedx.org/schema/"
    parts = ("spdx", "jsf-0.82", "bom-1.6")
    read = {part: json.loads((SCHEMAS / f"{part}.SNAPSHOT.schema.json").read_bytes()) for part in parts}
    registry = jsonschema_rs.Registry([(f"{name}{part}.SNAPSHOT.schema.json", read[part]) for part in parts])
    return jsonschema_rs.Draft7Validator(read["bom-1.6"], registry=registry, validate_formats=True)


@pytest.fixture(scope="module")
def valid_xml() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(SCHEMAS / "bom-1.6.SNAPSHOT.xsd")))


ARTIFACT = {"artifact_name": "shop.whl", "artifact_digest": DIGESTS[0], "bound_by": "sbom"}
CASES = [
    (inventory(), subject(run_id="r-1", **ARTIFACT)),
    (Inventory(), subject(commit="", tree="")),
    (Inventory(components=(InventoryComponent(name="x", purl="pkg:pypi/x"),)), subject(dirty=True, prefix="lib")),
]


@pytest.mark.parametrize(("found", "about"), CASES, ids=["all", "nothing", "none direct"])
def test_it_is_valid_under_the_official_schemas(
    found: Inventory, about: Subject, valid_json: jsonschema_rs.Validator, valid_xml: etree.XMLSchema
) -> None:
    valid_json.validate(read(found, about))
    valid_xml.assertValid(etree.fromstring(written(found, about, "xml")))


def test_the_schemas_refuse_what_is_wrong(valid_json: jsonschema_rs.Validator, valid_xml: etree.XMLSchema) -> None:
    wrong = read(inventory(), subject())
    wrong["compositions"][0]["aggregate"] = "all of it"
    assert not valid_json.is_valid(wrong)
    text = written(inventory(), subject(), "xml").replace(b"incomplete", b"all of it")
    assert not valid_xml.validate(etree.fromstring(text))


@pytest.mark.parametrize("form", ["json", "xml"])
def test_equal_parts_give_equal_bytes_and_anything_else_another_serial_number(form: Form) -> None:
    first = written(inventory(), subject(), form)
    assert first == written(inventory(), subject(), form)
    later = bill_of_materials(inventory(), subject(), at_epoch_s=AT + 1, form=form)
    other = written(inventory(), subject(tree="e" * 40), form)
    serials = {one.partition(b"urn:uuid:")[2][:36] for one in (first, later, other)}
    assert len(serials) == 3
    assert all(serial[14:15] == b"5" for serial in serials), "made from the content"


def test_what_is_known_of_a_component_is_told() -> None:
    document = read(inventory(), subject())
    flask, jinja, mine, pytz = document["components"]
    assert (flask["purl"], flask["version"], flask["scope"]) == ("pkg:pypi/flask@2.0.0", "2.0.0", "required")
    assert [place["location"] for place in flask["evidence"]["occurrences"]] == ["uv.lock", "requirements.txt"]
    assert "hashes" not in flask, "which of its files is installed is not known"
    assert len(flask["externalReferences"][0]["hashes"]) == 3
    assert [one["content"] for one in jinja["hashes"]] == ["a" * 64]
    assert ("purl" not in mine, mine["scope"]) == (True, "excluded")
    assert ("version" not in pytz, pytz["scope"]) == (True, "optional")
    root = next(one for one in document["dependencies"] if one["ref"] == "secgate:subject")
    assert root["dependsOn"] == ["pkg:pypi/flask@2.0.0"]


def test_it_is_never_called_complete() -> None:
    assert read(inventory(), subject())["compositions"][0]["aggregate"] == "incomplete"
    whole = Inventory(components=inventory().components)
    assert read(whole, subject())["compositions"][0]["aggregate"] == "unknown"
    gaps = [
        one["value"] for one in read(inventory(), subject())["metadata"]["properties"] if one["name"] == "secgate:gap"
    ]
    assert gaps == ["package-lock.json: unsupported: no shipped tool"]


def test_the_artifact_is_what_it_is_of() -> None:
    metadata = read(inventory(), subject(**ARTIFACT))["metadata"]
    assert metadata["component"]["name"] == "shop.whl"
    assert metadata["component"]["hashes"] == [{"alg": "SHA-256", "content": "a" * 64}]
    assert {"name": "secgate:artifact:bound-by", "value": "sbom"} in metadata["properties"]


def test_a_dirty_tree_is_not_called_by_its_commit() -> None:
    metadata = read(inventory(), subject(dirty=True))["metadata"]
    assert "version" not in metadata["component"]
    assert {"name": "secgate:dirty", "value": "true"} in metadata["properties"]


HOSTILE = st.text(st.characters(codec="utf-8"), max_size=40) | st.sampled_from(
    ["\x1b[2J", "</bom>", "\n</bom>", "]]>", "&x;", "a\u202eb", "##vso[x]", "'\"<>", "n" * 5_000]
)


@settings(max_examples=60, deadline=None)
@given(name=HOSTILE, path=HOSTILE, version=HOSTILE)
def test_hostile_text_stays_text(
    name: str, path: str, version: str, valid_json: jsonschema_rs.Validator, valid_xml: etree.XMLSchema
) -> None:
    name = f"x{name}"  # nothing without a name is a component
    one = InventoryComponent(
        name=name,
        version=version,
        requested=path,
        purl=of_python(name, version),
        places=(InventoryPlace(path=path, line=1),),
    )
    found = Inventory(components=(one,), gaps=(InventoryGap(path=path, reason="syntax"),))
    about = subject(repository=path or "x")
    document = written(found, about)
    valid_json.validate(json.loads(document))
    assert b"\x1b" not in document
    assert "\u202e" not in document.decode()
    markup = written(found, about, "xml")
    valid_xml.assertValid(etree.fromstring(markup))
    assert "\u202e" not in markup.decode()
