"""What is there before two runs may go on at a time: the types that any of them reads or writes.

msgspec looks a type over when it meets it for the first time, and two threads that meet one at the same moment can
crash the interpreter. A single run has its decoders made before it starts threads, or takes turns; runs beside each
other meet types wherever they come to, so all are looked over before the first of them.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator

import msgspec

from secgate import registry

_LATE = ("secgate.advisories",)
"""Packages with types that a run imports as it goes, beside plug-ins."""


def build_types() -> None:
    """Import what runs import as they go, and have msgspec look over every type of ours. Once is enough."""
    registry.load_builtin("scanners", "engines", "signers")
    for name in _LATE:
        importlib.import_module(name)
    for kind in _below(msgspec.Struct):
        if kind.__module__.partition(".")[0] == "secgate":
            try:
                msgspec.json.Decoder(kind)
            except TypeError:
                # It holds what has no form in JSON, so that nobody reads it.
                continue


def _below(kind: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    for one in kind.__subclasses__():
        yield one
        yield from _below(one)
