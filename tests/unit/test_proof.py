"""Proofs as files: every entry of every tree up to 128 leaves, and every earlier size."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from secgate.errors import LedgerError
from secgate.merkle import Tree, extend
from secgate.model import Entry
from secgate.proof import Consistency, Inclusion, check, prove_consistency, prove_inclusion, read, written

SIZES = 128
ENTRIES = list(
    extend(Tree(), [Entry(type="made-up", version=1, body=b'{"n":%d}' % n) for n in range(SIZES)], at_epoch_s=1)
)
LEAVES = [bytes.fromhex(entry.leaf) for entry in ENTRIES]
VERIFY = Path(__file__).parents[2] / "reports" / "export" / "verify.py"


def altered(proof: Inclusion | Consistency, **given: object) -> bytes:
    return json.dumps({**json.loads(written(proof)), **given}).encode()


@pytest.mark.parametrize("size", range(1, SIZES + 1))
def test_every_entry_and_every_earlier_tree_is_proved(size: int) -> None:
    leaves = LEAVES[:size]
    for index in range(size):
        check(read(written(prove_inclusion(leaves, ENTRIES[index].data, sequence=index))))
        check(read(written(prove_consistency(leaves, index + 1))))


def wrong() -> dict[str, bytes]:
    inclusion = prove_inclusion(LEAVES[:100], ENTRIES[37].data, sequence=37)
    growth = prove_consistency(LEAVES[:100], 37)
    other = {"size": 100, "root": "0" * 64}
    return {
        "another entry": altered(inclusion, entry=ENTRIES[38].data.decode()),
        "an edited entry": altered(inclusion, entry=ENTRIES[37].data.decode().replace('"n":37', '"n":38')),
        "another place": altered(inclusion, sequence=36),
        "another root": altered(inclusion, head=other),
        "a shorter path": altered(inclusion, path=inclusion.path[:-1]),
        "another new root": altered(growth, new=other),
        "another old root": altered(growth, old={"size": 37, "root": "0" * 64}),
        "another old size": altered(growth, old={"size": 36, "root": growth.old.root}),
        "no path": altered(growth, path=[]),
    }


@pytest.mark.parametrize("data", wrong().values(), ids=wrong())
def test_what_is_wrong_does_not_hold(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="does not hold"):
        check(read(data))
    (tmp_path / "proof.json").write_bytes(data)
    assert standalone(tmp_path / "proof.json") == 1


@pytest.mark.parametrize(
    "proof",
    [prove_inclusion(LEAVES[:77], ENTRIES[at].data, sequence=at) for at in (0, 64, 76)]
    + [prove_consistency(LEAVES[:77], size) for size in (1, 64, 65, 77)],
)
def test_the_standalone_program_takes_them(proof: Inclusion | Consistency, tmp_path: Path) -> None:
    (tmp_path / "proof.json").write_bytes(written(proof))
    assert standalone(tmp_path / "proof.json") == 0


TWICE = written(prove_inclusion(LEAVES[:77], ENTRIES[9].data, sequence=9)).replace(b"{", b'{"sequence":8,', 1)


@pytest.mark.parametrize("data", [b"", b"{}", b'{"format":"secgate-inclusion"}', b"[" * 100_000, TWICE])
def test_what_is_no_proof_is_said_so(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="this is no proof"):
        read(data)
    (tmp_path / "proof.json").write_bytes(data)
    assert standalone(tmp_path / "proof.json") == 1


def standalone(file: Path) -> int:
    return subprocess.run([sys.executable, "-I", str(VERIFY), "--proof", str(file)], check=False).returncode
