"""Known debt against those who would have more of it: who writes the ledger, edits a list, or brings another's."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from secgate.baseline import NAMESPACE, read_statement
from secgate.errors import UsageError
from secgate.events import BaselineRecorded, to_entry
from secgate.ledgers.sqlite import SqliteLedger
from secgate.memory import Memory
from secgate.model import Outcome, RunDocument
from tests.product import NOW, WEAK, Product, outcome
from tests.runs.signed_shop import Shop
from tests.runs.test_baselines import facts, foreign, write
from tests.signing_support import sign
from tests.unit.conftest import Git


@pytest.fixture
def shop(product: Product, git: Git, tmp_path: Path) -> Shop:
    return Shop(product, git, tmp_path, NAMESPACE)


def smuggle(shop: Shop, statement: bytes, signature: bytes) -> None:
    """Append a list as who writes the ledger's file can, and nobody checks."""
    said = read_statement(statement)
    ledger = SqliteLedger(shop.ledger.address, read_only=False)
    memory = Memory()
    memory.catch_up(ledger)
    real = shop.events(BaselineRecorded)[0]
    event = BaselineRecorded(
        repository=real.repository,
        line=real.line,
        kind="statement",
        author=said.author,
        key="SHA256:made-up",
        statement_digest=hashlib.sha256(statement).hexdigest(),
        signature_digest=hashlib.sha256(signature).hexdigest(),
        limits_s={name.value: limit for name, limit in said.limits_s.items()},
        findings=len(said.findings),
    )
    blobs = {event.statement_digest: statement, event.signature_digest: signature}
    ledger.append(memory.head, [to_entry(event)], now=NOW, blobs=blobs)


def counts_nothing(shop: Shop, document: RunDocument, why: str) -> None:
    assert sorted(facts(shop, document)) == [False, True]
    assert any("counts nothing" in note and why in note for note in document.notes), document.notes


@pytest.fixture
def signed(shop: Shop) -> tuple[bytes, bytes]:
    """A list that Ada signed, its bytes and signature; a weakness more came after it."""
    shop.run()
    written = write(shop, 0.5)
    shop.git.commit({"later.py": WEAK})
    return written.statement, written.signature


def test_an_edited_list_with_the_old_signature_counts_nothing(shop: Shop, signed: tuple[bytes, bytes]) -> None:
    later = next(one for one in shop.run(1).findings if one.location.path == "later.py")
    statement = json.loads(signed[0])
    statement["findings"].append({**statement["findings"][0], "fingerprint": later.fingerprint, "names": []})
    smuggle(shop, json.dumps(statement).encode(), signed[1])
    counts_nothing(shop, shop.run(2), "does not verify")


@pytest.mark.parametrize("field", ["repository", "line"])
def test_a_list_of_another_repository_or_branch_counts_nothing(
    shop: Shop, signed: tuple[bytes, bytes], tmp_path: Path, field: str
) -> None:
    later = next(one for one in shop.run(1).findings if one.location.path == "later.py")
    statement = json.loads(signed[0])
    statement["findings"][0] |= {"fingerprint": later.fingerprint, "names": []}
    file = tmp_path / "other.json"
    file.write_text(json.dumps(statement | {field: "another"}))
    sign(file, shop.ada, NAMESPACE)
    smuggle(shop, file.read_bytes(), file.with_name("other.json.sig").read_bytes())
    counts_nothing(shop, shop.run(2), "another author, repository or line")


def test_a_list_of_our_own_is_no_sarif_file(shop: Shop, signed: tuple[bytes, bytes], tmp_path: Path) -> None:
    file = tmp_path / "known.json"
    file.write_bytes(signed[0])
    file.with_name("known.json.sig").write_bytes(signed[1])
    with pytest.raises(UsageError, match=r"known\.json"):
        shop.run(2, baseline=str(file))


def test_a_file_edited_after_it_was_signed_counts_nothing(shop: Shop, tmp_path: Path) -> None:
    shop.run()
    file = foreign(tmp_path, key=shop.ada)
    Path(file).write_bytes(Path(file).read_bytes() + b"\n")
    document = shop.run(1, baseline=file)
    assert any("known.sarif counts nothing" in note for note in document.notes)
    assert facts(shop, document) == [False]


def test_a_change_that_brings_a_list_of_what_it_brings_is_as_new_as_ever(shop: Shop, tmp_path: Path) -> None:
    shop.git.commit({"later.py": WEAK})
    file = foreign(tmp_path, key=None)
    Path(file).write_text(Path(file).read_text().replace("app.py", "later.py"))
    sign(Path(file), shop.ada, NAMESPACE)
    brought = {f"known.sarif{end}": Path(f"{file}{end}").read_bytes() for end in ("", ".sig")}
    shop.git.commit(brought)
    document = shop.product.run(
        shop.git.root,
        now=NOW,
        enforced=str(shop.layer),
        baseline=str(shop.git.root / "known.sarif"),
        changed_since="HEAD~2",
    )
    assert outcome(document) is Outcome.FAIL
    assert [one.state.value for one in document.findings if one.location.path == "later.py"] == ["new"]
