"""The last head of a ledger, as this machine saw it."""

from __future__ import annotations

from pathlib import Path

import pytest

from secgate.errors import LedgerError
from secgate.model import Head
from secgate.preparation.heads import SeenHeads

SHORT, LONG = Head(size=3, root="a" * 64), Head(size=9, root="b" * 64)


def test_what_was_kept_is_given_back_by_address(tmp_path: Path) -> None:
    heads = SeenHeads(str(tmp_path / "heads"))
    assert heads.of("one") is None
    heads.keep("one", LONG)
    assert (heads.of("one"), heads.of("two")) == (LONG, None)


def test_threat_03_a_shorter_head_never_replaces_a_longer_one(tmp_path: Path) -> None:
    heads = SeenHeads(str(tmp_path))
    heads.keep("one", LONG)
    heads.keep("one", SHORT)
    assert heads.of("one") == LONG


def test_a_damaged_note_is_an_error_not_a_first_sight(tmp_path: Path) -> None:
    heads = SeenHeads(str(tmp_path))
    heads.keep("one", LONG)
    next(tmp_path.iterdir()).write_text("{")
    with pytest.raises(LedgerError, match="cannot be read"):
        heads.of("one")


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerError, match="cannot be"):
        SeenHeads(str(tmp_path / "file")).keep("one", LONG)
