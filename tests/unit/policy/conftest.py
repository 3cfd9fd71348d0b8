"""The shipped policy, read from the checkout."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from secgate.engines.regorus import RegorusEngine
from secgate.policy import Layer, LayerName, Vocabulary, effective_data, load_layer, load_vocabulary

POLICIES = Path(__file__).parents[3] / "policies"

Load = Callable[..., Layer]


@pytest.fixture(scope="session")
def shipped_files() -> dict[str, bytes]:
    return {path.relative_to(POLICIES).as_posix(): path.read_bytes() for path in POLICIES.rglob("*") if path.is_file()}


@pytest.fixture(scope="session")
def vocabulary(shipped_files: dict[str, bytes]) -> Vocabulary:
    return load_vocabulary(shipped_files["schema/input.json"])


@pytest.fixture(scope="session")
def shipped(shipped_files: dict[str, bytes], vocabulary: Vocabulary) -> Layer:
    return load_layer("shipped", shipped_files, reader=RegorusEngine(), vocabulary=vocabulary)


@pytest.fixture
def load(shipped: Layer, vocabulary: Vocabulary) -> Load:
    """Load one module (or several, by path) as a layer of another than the shipped one."""

    def loaded(text: str | dict[str, bytes], name: LayerName = "organisation") -> Layer:
        files = {"own.rego": text.encode()} if isinstance(text, str) else text
        return load_layer(
            name,
            files,
            reader=RegorusEngine(),
            vocabulary=vocabulary,
            shipped=shipped,
            data=effective_data(shipped),
        )

    return loaded
