"""Which advisories a run reads: the source that settings mean, its age, and the scores of what they name."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from secgate import sla
from secgate.config import Machine, Settings
from secgate.errors import AdvisoryError
from secgate.policy import Profile
from secgate.ports import Scanner, Service
from secgate.preparation import advisory_database
from secgate.scan import ScanResult

if TYPE_CHECKING:
    from secgate.advisories import Database, Info

DAY_S = 86_400


class Advice:
    """The advisory source of one run. The database is opened when it is first asked for."""

    def __init__(
        self, settings: Settings, profile: Profile, *, machine: Machine, now: datetime, stack: contextlib.ExitStack
    ) -> None:
        """`stack` closes what is opened here when the run ends."""
        self._stack = stack
        self._database: Database | None = None
        self._path = advisory_database(machine, settings)
        days = settings.advisories.max_age_days
        self._max_age_s = days * DAY_S if days else profile.advisories_max_age_s
        self._now = now
        asked = settings.advisories.source
        if asked == "auto":
            asked = "local" if settings.offline or Path(self._path).is_file() else "index"
        self.source = asked

    def settings(self, scanner: Scanner) -> dict[str, object]:
        """Give what an auditing scanner's adapter is told beyond its own options."""
        return {"source": self.source} if scanner.services else {}

    def services(self) -> Mapping[str, Service]:
        """Give what jobs can ask to be served; each starts when the first job needs it."""
        if self.source != "local":
            return {}
        service = _FreshAdvisories(self._path, max_age_s=self._max_age_s, now=self._now)
        return {service.name: service}

    def noted(self, result: ScanResult) -> ScanResult:
        """Give a scanner's part with the age and digest of the database that it asked."""
        if result.invocation.scanner != "pip-audit" or self.source != "local" or not Path(self._path).is_file():
            return result
        info = _info(self._path)
        noted = msgspec.structs.replace(
            result.invocation, advisories_digest=info.digest, advisories_age_s=info.age_s(self._now)
        )
        return msgspec.structs.replace(result, invocation=noted)

    def scores(self, names: Sequence[str]) -> float | None:
        """Give the highest score that the local database has for any of `names`; the database is opened once."""
        if not names or not Path(self._path).is_file():
            return None
        if self._database is None:
            from secgate.advisories import Database

            self._database = self._stack.enter_context(Database(self._path))
        found = [score.score for score in self._database.scores(names).values() if score.score is not None]
        return max(found, default=None)


class _FreshAdvisories:
    """The loopback service over a database that is there and young enough; else it does not open and says why."""

    name = "advisories"

    def __init__(self, path: str, *, max_age_s: int, now: datetime) -> None:
        self._path = path
        self._max_age_s = max_age_s
        self._now = now

    @contextlib.contextmanager
    def open(self) -> Iterator[str]:
        """Serve. Raises AdvisoryError, its text beginning with the gap's reason."""
        try:
            info = _info(self._path)
        except AdvisoryError as error:
            raise AdvisoryError(f"advisories-missing: {error.what}", remedy=error.remedy) from error
        age_s = info.age_s(self._now)
        if age_s > self._max_age_s:
            raise AdvisoryError(
                f"advisories-too-old: the newest change in the database is {sla.length_words(age_s)} old, "
                f"{sla.length_words(self._max_age_s)} are allowed",
                remedy="secgate advisories update",
            )
        from secgate.executors.advisory_server import AdvisoryService

        with AdvisoryService(self._path).open() as address:
            yield address


def _info(path: str) -> Info:
    from secgate.advisories import Database

    with Database(path) as database:
        return database.info()
