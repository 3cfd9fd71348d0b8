"""What the readers of the formats give: resources with their places."""

from __future__ import annotations

from typing import NamedTuple

from secgate.infrastructure.node import Node


class Found(NamedTuple):
    """One resource of a file. `id` is its address as the platform writes it; lines and columns count from 1."""

    id: str
    type: str
    name: str
    line: int
    column: int
    end_line: int
    attributes: Node
