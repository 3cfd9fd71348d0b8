"""Where advisories are, and what else an advisory is called."""

from __future__ import annotations

from pathlib import Path

from secgate.config import Machine, Settings


def advisory_database(machine: Machine, settings: Settings | None = None) -> str:
    """Give the path of the advisory database: the one configured, else the one in the state folder."""
    named = settings.advisories.database if settings is not None else machine.env.get("SECGATE_ADVISORIES", "")
    return str(Path(machine.cwd, named)) if named else f"{machine.state}/advisories/PyPI.sqlite"


def advisory_names(name: str, *, machine: Machine, settings: Settings) -> tuple[str, ...]:
    """Give every name by which the local database knows an advisory, in capitals and sorted; () where it does not.

    Raises AdvisoryError for a database that cannot be read.
    """
    path = advisory_database(machine, settings)
    if "-" not in name or not Path(path).is_file():
        return ()
    from secgate.advisories import Database

    # Databases spell GHSA-... in small letters and all others in capitals.
    spelt = {name, name.upper(), name.lower().replace("ghsa-", "GHSA-", 1)}
    with Database(path) as database:
        return tuple(sorted({one.upper() for case in database.cases(spelt).values() for one in case.names}))
