"""SIGINT and SIGTERM: remembered, raised once, and never lost.

What a handler raises can be swallowed where it happens to come up, in a callback of the import system for one. So it is
remembered too: progress asks at every stage, and the command line at the end.
"""

from __future__ import annotations

import signal
from types import FrameType
from typing import NoReturn

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class SignalError(BaseException):
    """A signal ended the work. No Exception, since code that goes on after any Exception must not go on after this."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Interrupts:
    """Which signal came, 0 for none."""

    def __init__(self) -> None:
        self.received = 0

    def install(self) -> None:
        """Take over the signals; only the main thread may."""
        for number in SIGNALS:
            signal.signal(number, self._came)

    def check(self) -> None:
        """Raise SignalError if a signal came and whoever was at work did not let it through."""
        if self.received:
            raise SignalError(self.received)

    def _came(self, number: int, frame: FrameType | None) -> NoReturn:
        del frame
        self.received = number
        # Once is enough: a second one would cut the cleaning up short and leave children or files behind.
        for one in SIGNALS:
            signal.signal(one, signal.SIG_IGN)
        raise SignalError(number)


INTERRUPTS = Interrupts()
"""Those of this process: there is one set of signals, so there is one of these."""
