"""`secgate sbom` as its users call it, and the inventory that each run keeps."""

from __future__ import annotations

import hashlib
import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from secgate.events import to_entry
from secgate.gate_events import ArtefactBound
from secgate.inventory import InventoryStored, read_inventory
from secgate.ledgers.sqlite import SqliteLedger
from secgate.memory import Memory
from secgate.record import append_events
from tests.product import NOW, Product, tree
from tests.unit.conftest import Git

FILES: dict[str, str | bytes] = {
    "requirements.txt": "flask==2.0.0\n-r more/common.deps\n",
    "more/common.deps": "jinja2==3.0\n",
    "package-lock.json": "{}\n",
}


@pytest.fixture
def shop(product: Product, git: Git) -> Path:
    """A repository with manifests, and two recorded runs of it: the second saw another version."""
    git.commit(dict(FILES))
    product.run(git.root, now=NOW, artifacts=("sha256:" + "a" * 64,))
    git.commit({"requirements.txt": "flask==2.0.1\n"})
    product.run(git.root, now=NOW + timedelta(hours=1))
    return git.root


def ledger_of(root: Path) -> tuple[SqliteLedger, Memory]:
    ledger = SqliteLedger(str(root / ".git" / "secgate" / "ledger.sqlite"), read_only=True)
    memory = Memory()
    memory.catch_up(ledger)
    return ledger, memory


def kept(root: Path) -> list[InventoryStored]:
    return [known.event for known in ledger_of(root)[1].inventories.values()]


def read(data: bytes) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(data)
    return document


def names(document: dict[str, Any]) -> list[str]:
    return [one["bom-ref"] for one in document.get("components", ())]


def test_each_run_keeps_what_its_manifests_name(shop: Path) -> None:
    first, second = kept(shop)
    ledger, memory = ledger_of(shop)
    assert [run.run_id for run in memory.runs(first.repository)] == [first.run_id, second.run_id]
    assert (first.components, first.manifests, first.artifacts) == (2, 1, ("sha256:" + "a" * 64,))
    assert dict(first.gaps) == {"no-lock": 1, "unsupported": 1}
    inventory = read_inventory(ledger.blob(first.inventory_digest))
    assert [one.purl for one in inventory.components] == ["pkg:pypi/flask@2.0.0", "pkg:pypi/jinja2@3.0"]
    assert inventory.components[1].places[0].path == "more/common.deps", "a referenced file of any name is read"
    assert inventory.digest == first.inventory_digest != second.inventory_digest


def test_a_change_keeps_the_whole_tree_s(product: Product, git: Git) -> None:
    git.commit(dict(FILES))
    git.commit({"app.py": "x = 1\n"})
    product.run(git.root, changed_since="HEAD~1")
    assert [one.components for one in kept(git.root)] == [2]


def test_a_run_that_looks_at_no_dependencies_keeps_none(product: Product, git: Git) -> None:
    git.commit(dict(FILES))
    product.run(git.root, profile="pre-commit", scope="local")
    assert kept(git.root) == []


def test_the_tree_as_it_is(product: Product, shop: Path) -> None:
    (shop / "requirements.txt").write_text("flask==3.0\n")
    ended = product.cli("sbom", "-o", "-", "--path", str(shop), at=NOW)
    assert (ended.code, ended.err) == (0, "")
    document = read(ended.data)
    assert names(document) == ["pkg:pypi/flask@3.0"]
    assert document["metadata"]["timestamp"] == "2026-03-01T12:00:00+00:00"
    assert "version" not in document["metadata"]["component"], "it is no commit"
    assert product.cli("sbom", "-o", "-", "--path", str(shop), at=NOW).data == ended.data


def test_a_run_s_own(product: Product, shop: Path) -> None:
    first, second = kept(shop)
    place = ("--path", str(shop))
    then = read(product.cli("sbom", "--run", first.run_id, "-o", "-", *place).data)
    assert names(then) == ["pkg:pypi/flask@2.0.0", "pkg:pypi/jinja2@3.0"]
    assert then["metadata"]["component"]["version"] == first.commit
    address = str(shop / ".git" / "secgate" / "ledger.sqlite")
    last = product.cli("sbom", "--ledger", address, "-o", str(product.home / "bom.json"))
    assert last.code == 0, last
    document = read((product.home / "bom.json").read_bytes())
    assert names(document) == ["pkg:pypi/flask@2.0.1"]
    assert {"name": "secgate:run", "value": second.run_id} in document["metadata"]["properties"]


def test_the_artifact_is_bound_by_its_digest(product: Product, shop: Path) -> None:
    wheel = product.home / "shop.whl"
    wheel.write_bytes(b"wheel")
    run = ("--run", kept(shop)[0].run_id, "--path", str(shop), "-o", "-")
    by_file = read(product.cli("sbom", *run, "--artifact", "shop.whl").data)["metadata"]
    assert by_file["component"]["name"] == "shop.whl"
    assert by_file["component"]["hashes"][0]["content"] == hashlib.sha256(b"wheel").hexdigest()
    by_run = read(product.cli("sbom", *run, "--artifact", "sha256:" + "a" * 64).data)["metadata"]
    said = {one["name"]: one["value"] for one in by_run["properties"]}
    assert said["secgate:artifact:bound-by"] == "run"


def test_an_attestation_of_the_ledger_binds_it_too(product: Product, shop: Path) -> None:
    first, second = kept(shop)
    ledger, memory = SqliteLedger(str(shop / ".git" / "secgate" / "ledger.sqlite")), Memory()
    bound = ArtefactBound(
        artifact="sha256:" + "b" * 64,
        name="shop.whl",
        run_id=second.run_id,
        repository=second.repository,
        commit=second.commit,
        tree=second.tree,
        key="machine:ci",
        statement_digest="0" * 64,
    )
    append_events([to_entry(bound)], ledger, memory=memory, now=NOW + timedelta(hours=2))
    for run, said in ((second.run_id, "attestation"), (first.run_id, "sbom")):
        words = ("--run", run, "--path", str(shop), "-o", "-", "--artifact", bound.artifact)
        metadata = read(product.cli("sbom", *words).data)["metadata"]
        assert {"name": "secgate:artifact:bound-by", "value": said} in metadata["properties"]


def test_xml(product: Product, shop: Path) -> None:
    ended = product.cli("sbom", "--format", "xml", "-o", "-", "--path", str(shop))
    assert ended.out.startswith('<?xml version="1.0" ?>\n<bom xmlns="http://cyclonedx.org/schema/bom/1.6"')


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--run", "1999"), 2, "no run that begins with `1999` kept an inventory"),
        (("--run", "2026"), 2, "2 runs begin with `2026`"),
        (("--ledger", "nothing.sqlite"), 5, "there is no ledger"),
        (("--artifact", "nothing"), 2, "nothing: it cannot be read: No such file"),
        (("--artifact", "sha256:aa"), 2, "not a digest: `sha256:aa`"),
        (("--artifact", "."), 2, "it is no regular file"),
    ],
)
def test_what_is_wrong_is_said(product: Product, shop: Path, words: tuple[str, ...], code: int, said: str) -> None:
    ended = product.cli("sbom", "-o", "-", "--path", str(shop), *words)
    assert (ended.code, ended.data) == (code, b""), ended
    assert said in ended.err


def test_an_artefact_is_a_regular_file_and_is_not_written_over(product: Product, shop: Path) -> None:
    wheel = product.home / "shop.whl"
    wheel.write_bytes(b"wheel")
    (product.home / "link.whl").symlink_to(wheel)
    os.mkfifo(product.home / "pipe.whl")
    for name, output, said in (
        ("link.whl", "-", "it is a link"),
        ("pipe.whl", "-", "it is no regular file"),
        ("shop.whl", "./shop.whl", "would be written over"),
    ):
        ended = product.cli("sbom", "--path", str(shop), "--artifact", name, "-o", output)
        assert (ended.code, ended.data) == (2, b""), ended
        assert said in ended.err
    assert wheel.read_bytes() == b"wheel"


def test_nothing_to_read_is_an_empty_inventory(product: Product) -> None:
    root = tree(product.home / "plain", {"readme.txt": "nothing\n"})
    document = read(product.cli("sbom", "-o", "-", "--path", str(root)).data)
    assert names(document) == []
    assert document["compositions"][0]["aggregate"] == "unknown"


def test_hostile_manifests_are_gaps_and_no_link_is_followed(product: Product) -> None:
    root = tree(
        product.home / "hostile",
        {
            "requirements.txt": b"-r ../../etc/passwd\n-r https://me:pw@h/x.txt\n\x1b[2Jevil==1\nflask==1.0\x1b[0m\n",
            "poetry.lock": '[[package]]\nname = "a\\u001b[2J</name>"\nversion = "1"\n[metadata]\n',
            "uv.lock": "[" * 5_000,
            "sub/pylock.toml": b"\xff\xfe",
        },
    )
    (root / "Pipfile.lock").symlink_to("/etc/passwd")
    ended = product.cli("sbom", "-o", "-", "--path", str(root))
    assert ended.code == 0, ended
    document = read(ended.data)
    gaps = [one["value"] for one in document["metadata"]["properties"] if one["name"] == "secgate:gap"]
    assert [gap for gap in gaps if gap.startswith("requirements.txt:1:")] == ["requirements.txt:1: reference-outside"]
    assert any(gap.startswith("Pipfile.lock: link") for gap in gaps), gaps
    assert {"uv.lock", "sub/pylock.toml", "poetry.lock"} <= {gap.partition(":")[0] for gap in gaps}
    assert b"\x1b" not in ended.data
    assert b"pw" not in ended.data
    assert names(document) == []
