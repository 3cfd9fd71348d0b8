"""The command line at a chosen moment: `python -m tests.clock EPOCH_S ARGUMENTS`. Only the system's clock is a fake."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, tzinfo

from secgate.cli import main, options


class Clock:
    """Stands for `datetime` where the command line reads the time, the one place of secgate that does."""

    def __init__(self, epoch_s: int) -> None:
        self.epoch_s = epoch_s

    def now(self, tz: tzinfo) -> datetime:
        """Give the chosen moment."""
        return datetime.fromtimestamp(self.epoch_s, tz=UTC).astimezone(tz)


if __name__ == "__main__":
    vars(options)["datetime"] = Clock(int(sys.argv.pop(1)))
    main()
