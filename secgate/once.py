"""JSON in which each object gives a key once: of the same bytes one reader takes the first, another the last.

Asked of whatever is signed or hashed, since what it says would else be the reader's choice.
"""

from __future__ import annotations

import json
from collections import Counter

import msgspec

_CANONICAL = msgspec.json.Encoder(order="sorted")
"""Makes what `model.encode` does, in two thirds of the time: every entry that is read goes through it."""


def key_given_twice(data: bytes, said: object = None) -> str:
    """Give a key that an object has twice, "" for none; `said` is what `data` was read as, None where it was not.

    Where `said` makes the same bytes again there is none; else it is looked for. Raises ValueError for no JSON, and
    RecursionError for what is nested too deep.
    """
    if said is not None and _CANONICAL.encode(said) == data:
        return ""
    twice: list[str] = []

    def once(pairs: list[tuple[str, object]]) -> None:
        twice.extend(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)

    # Numbers are not looked at, and may be longer than Python reads.
    json.loads(data, object_pairs_hook=once, parse_int=str, parse_float=str)
    return min(twice, default="")[:64]


def require_once(data: bytes, said: object = None) -> None:
    """Raise ValueError where `key_given_twice` finds one."""
    if key := key_given_twice(data, said):
        raise ValueError(f"it gives the key {key!r} twice")
