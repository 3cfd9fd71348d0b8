"""What a process that gates again and again keeps from one run to the next: a server's, never a single run's.

Each part knows everything that it depends on and is made anew where that differs, so nothing is shown that a run of its
own would not show.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from secgate import registry
from secgate.cache import Outputs
from secgate.config import Machine
from secgate.policy import Layer

MOST_LAYERS = 12


class Kept:
    """Policy layers that were checked, outputs of jobs, and scanners that stand by. To be closed at the end.

    Safe for threads: runs of several names may go on at a time.
    """

    name = ""
    """Of whoever it is kept for: its scanners stand by under it."""

    def __init__(self, machine: Machine) -> None:
        self.outputs = Outputs()
        self.standby = registry.standby(machine)
        self.turn = threading.Lock()
        """Held by whichever run reads a scanner's output: a plug-in's types are looked over when they are met."""
        self._layers: dict[str, Layer] = {}
        self._lock = threading.Lock()

    def of(self, name: str) -> Kept:
        """Give the same, for a run of `name`."""
        mine = copy.copy(self)
        mine.name = name
        return mine

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.standby.end()

    def layer(self, key: str, load: Callable[[], Layer]) -> Layer:
        """Give the layer of a digest, loading it where it is new. What `load` raises is not kept."""
        with self._lock:
            if key not in self._layers:
                self._layers[key] = load()
                while len(self._layers) > MOST_LAYERS:
                    del self._layers[next(iter(self._layers))]
            return self._layers[key]
