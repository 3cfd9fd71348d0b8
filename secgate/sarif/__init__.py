"""SARIF 2.1.0: written from a stored run, read from any tool, and exchanged as `sarif_om` objects."""

from typing import TYPE_CHECKING, Any

from secgate.sarif.limits import GITHUB, Limits
from secgate.sarif.line_hash import covered, line_hashes
from secgate.sarif.read import Finish, ForeignRun, read
from secgate.sarif.rules import MAX_TEXT
from secgate.sarif.stream import MAX_BYTES, Readable
from secgate.sarif.write import SCHEMA, Written, write

if TYPE_CHECKING:
    from secgate.sarif.objects import dumps, loads

__all__ = [
    "GITHUB",
    "MAX_BYTES",
    "MAX_TEXT",
    "SCHEMA",
    "Finish",
    "ForeignRun",
    "Limits",
    "Readable",
    "Written",
    "covered",
    "dumps",
    "line_hashes",
    "loads",
    "read",
    "write",
]


def __getattr__(name: str) -> Any:
    """Give `loads` and `dumps` when they are asked for: few need them."""
    if name in ("dumps", "loads"):
        from secgate.sarif import objects

        return getattr(objects, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
