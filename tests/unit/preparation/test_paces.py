"""Paces are kept for who watches, and a damaged file costs an estimate alone."""

from __future__ import annotations

from pathlib import Path

from secgate.model import EvidenceBasis, FileReading, FileStatus
from secgate.preparation import keep_paces, known_paces
from tests.factories import invocation
from tests.product import Product

FILES = (FileReading(path="a.py", status=FileStatus.COVERED, basis=EvidenceBasis.LISTED),)


def test_they_come_back_by_tree(tmp_path: Path) -> None:
    machine = Product(tmp_path).machine()
    assert known_paces(tree="/a", machine=machine) == {}
    keep_paces([invocation("semgrep", files=FILES, duration_s=9.0)], tree="/a", machine=machine)
    assert known_paces(tree="/a", machine=machine)["semgrep"].seconds == 9.0
    assert known_paces(tree="/b", machine=machine) == {}
    (kept,) = (Path(machine.state) / "cache" / "paces").iterdir()
    kept.write_text("[{")
    assert known_paces(tree="/a", machine=machine) == {}


def test_a_state_folder_that_cannot_be_written_is_no_fault(tmp_path: Path) -> None:
    product = Product(tmp_path)
    (product.state / "cache").write_text("in the way")
    keep_paces([invocation("semgrep", files=FILES)], tree="/a", machine=product.machine())
    assert known_paces(tree="/a", machine=product.machine()) == {}
