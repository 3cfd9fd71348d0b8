"""Which advisories a run reads: the source that settings mean, its age, and the scores of what they name."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from secgate.advisories import Database, Info
from secgate.config import Machine, Settings
from secgate.errors import AdvisoryError
from secgate.executors.advisory_server import AdvisoryService
from secgate.ports import Scanner
from secgate.scan import ScannerTask

DAY_S = 86_400


def advisory_database(machine: Machine, settings: Settings | None = None) -> str:
    """Give the path of the advisory database: the one configured, else the one in the state folder."""
    named = settings.advisories.database if settings is not None else machine.env.get("SECGATE_ADVISORIES", "")
    return str(Path(machine.cwd, named)) if named else f"{machine.state}/advisories/PyPI.sqlite"


class Advice:
    """The advisory source of one run. The database is opened when it is first asked for."""

    def __init__(self, settings: Settings, *, machine: Machine, now: datetime) -> None:
        self._path = advisory_database(machine, settings)
        self._max_age_s = settings.advisories.max_age_days * DAY_S
        self._now = now
        asked = settings.advisories.source
        if asked == "auto":
            asked = "local" if settings.offline or Path(self._path).is_file() else "index"
        self.source = asked
        self._info: Info | None = None
        self._problem = ""
        self._known = False

    @property
    def age_s(self) -> int | None:
        """Seconds since the newest advisory changed; None for a source that is not local or not there."""
        info = self._look()
        return info.age_s(self._now) if info is not None else None

    @property
    def digest(self) -> str:
        """Digest of the dump behind the local database; "" for another source."""
        info = self._look()
        return info.digest if info is not None else ""

    @property
    def max_age_s(self) -> int:
        """The oldest that the settings allow."""
        return self._max_age_s

    def settings(self, scanner: Scanner) -> dict[str, object]:
        """Give what an auditing scanner's adapter is told beyond its own options."""
        return {"source": self.source} if scanner.services else {}

    def services(self, stack: contextlib.ExitStack, tasks: Sequence[ScannerTask]) -> dict[str, str]:
        """Start what the tasks need for as long as `stack` is open; a database that is not there starts nothing."""
        if self.source != "local" or not any(task.scanner.services for task in tasks) or self._look() is None:
            return {}
        service = AdvisoryService(self._path)
        return {service.name: stack.enter_context(service.open())}

    def scores(self, names: Sequence[str]) -> float | None:
        """Give the highest score that the local database has for any of `names`."""
        if not Path(self._path).is_file():
            return None
        with Database(self._path) as database:
            found = [score.score for score in database.scores(names).values() if score.score is not None]
        return max(found, default=None)

    def _look(self) -> Info | None:
        if self.source != "local":
            return None
        if not self._known:
            self._known = True
            try:
                with Database(self._path) as database:
                    self._info = database.info()
            except AdvisoryError as error:
                self._problem = error.what
        return self._info
