"""Policies as they are kept beside a decision, so that a run can be judged again by what judged it then.

Each layer is a blob, and one more names them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Literal, TypeVar

import msgspec

from secgate.errors import LedgerError
from secgate.model import Digest, Value
from secgate.policy.layers import Layer, LayerName, load_layer
from secgate.policy.shapes import Vocabulary
from secgate.policy.values import effective_data
from secgate.ports import SyntaxReader

Kept = TypeVar("Kept", "StoredPolicies", "StoredLayer")


class Policies(Value, frozen=True, kw_only=True):
    """What judges: layers, the shipped one first, and the shipped rules that are switched off."""

    layers: tuple[Layer, ...]
    disabled_rules: tuple[str, ...] = ()


class StoredLayer(Value, frozen=True, kw_only=True):
    """One layer's files by path: its modules, and one file for each key of its data."""

    version: Literal[1] = 1
    name: LayerName
    files: dict[str, str]


class StoredPolicies(Value, frozen=True, kw_only=True):
    """The digests of a decision's layers, by name, and what is switched off."""

    version: Literal[1] = 1
    layers: dict[LayerName, Digest]
    disabled_rules: tuple[str, ...]


def stored(policies: Policies) -> tuple[Digest, dict[Digest, bytes]]:
    """Give the digest by which the policies are known, and everything that is kept, by digest."""
    blobs = {}
    named: dict[LayerName, Digest] = {}
    for layer in policies.layers:
        files = {path: data.decode() for path, data in layer.files().items()}
        data = msgspec.json.encode(StoredLayer(name=layer.name, files=files), order="sorted")
        named[layer.name] = _sha256(data)
        blobs[named[layer.name]] = data
    whole = StoredPolicies(layers=named, disabled_rules=tuple(sorted(policies.disabled_rules)))
    data = msgspec.json.encode(whole, order="sorted")
    return _sha256(data), {**blobs, _sha256(data): data}


def restored(
    digest: Digest, *, read: Callable[[Digest], bytes], reader: SyntaxReader, vocabulary: Vocabulary
) -> Policies:
    """Give the policies that `digest` stands for, to judge as they did then.

    What today's checks find wrong with their form is in the layers' `faults`. Raises LedgerError where they are not
    there or cannot be read, PolicyError for what cannot judge again: a text that does not parse, a function whose
    answer is not the input's, a set that the layer may not add to.
    """
    whole = _read(read(digest), StoredPolicies, digest)
    layers: dict[LayerName, Layer] = {}
    for name in _in_order(tuple(whole.layers)):
        kept = _read(read(whole.layers[name]), StoredLayer, whole.layers[name])
        shipped = layers.get("shipped")
        layers[name] = load_layer(
            name,
            {path: text.encode() for path, text in kept.files.items()},
            reader=reader,
            vocabulary=vocabulary,
            shipped=shipped,
            data=effective_data(shipped, layers.get("organisation")) if shipped is not None else b"{}",
            judged_before=True,
        )
    return Policies(layers=tuple(layers.values()), disabled_rules=whole.disabled_rules)


def _in_order(names: Sequence[LayerName]) -> list[LayerName]:
    known: tuple[LayerName, ...] = ("shipped", "organisation", "repository")
    return [name for name in known if name in names]


def _read(data: bytes, kind: type[Kept], digest: Digest) -> Kept:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise LedgerError(
            f"blob {digest[:12]} holds no policies: {error}",
            remedy="use the version of secgate that recorded them, or a newer one",
        ) from error


def _sha256(data: bytes) -> Digest:
    return hashlib.sha256(data).hexdigest()
