"""What every event of a ledger is."""

from __future__ import annotations

from typing import ClassVar

from secgate.model import Value


class Event(Value, frozen=True, kw_only=True):
    """Ground of every event's body."""

    TYPE: ClassVar[str]
    VERSION: ClassVar[int]
