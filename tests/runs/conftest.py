"""A machine and a repository for whole runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.product import Product
from tests.runs.office import Office
from tests.unit.conftest import Git, SubprocessRunner


@pytest.fixture
def product(tmp_path: Path) -> Product:
    return Product(tmp_path / "machine")


@pytest.fixture
def git(tmp_path: Path) -> Git:
    """An empty repository in `tmp_path/shop`."""
    return Git(tmp_path / "shop", tmp_path / "git-home", SubprocessRunner()).init()


@pytest.fixture
def office(product: Product, git: Git, tmp_path: Path) -> Office:
    return Office(product, git, tmp_path)
