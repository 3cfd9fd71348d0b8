"""What is planted into weeks of repositories, once all runs are there: outages, gaps, old rules, nobody looking."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

from tests.quarter.making import Making
from tests.quarter.plan import DAY, LANES, InScope, Run

RAN, SEARCHED, DECLARED = "scan.ran", "secrets.searched", "infrastructure.scanned"
ALSO = {"secrets": SEARCHED, "iac": DECLARED, "workflows": DECLARED}
"""Which lanes a second assertion is about."""


class Weeks:
    """Weeks of repositories, each given out once."""

    def __init__(self, make: Making) -> None:
        self.make = make
        self._free = [(one.repository, week) for one in make.scope for week in make.windows()]
        make.random.shuffle(self._free)

    def next(self) -> tuple[str, int]:
        """Give a week that nothing was planted into."""
        return self._free.pop()

    def whole(self, repository: str, week: int) -> Iterator[Run]:
        """Give the runs that could speak for a week."""
        weeks = self.make.windows()
        end = self.make.end if week == weeks[-1] else week + 7 * DAY
        for run in list(self.make.runs.values()):
            counts = run.scope == "protected" and not (run.dirty or run.partial or run.folder)
            if counts and run.repository == repository and week <= run.at < end:
                yield run

    def change(self, cell: tuple[str, int], how: Callable[[Run], Run]) -> None:
        """Change every run that could speak for a week."""
        for run in self.whole(*cell):
            self.make.runs[run.name] = how(run)

    def item(self, cell: tuple[str, int], lane: str) -> str:
        """Name a lane of a week as evidence does."""
        return f"{cell[0]}/{lane}/{datetime.fromtimestamp(cell[1], tz=UTC):%Y-%m-%d}"

    def bad(self, cell: tuple[str, int], lane: str, word: str) -> None:
        """Note that a lane of a week deviates, under each assertion that is about it."""
        self.make.bad(RAN, self.item(cell, lane), word)
        if lane in ALSO and word != "rules_too_old":
            self.make.bad(ALSO[lane], self.item(cell, lane), word)

    def near(self, cell: tuple[str, int], lane: str) -> None:
        """Note that a lane of a week comes close to a deviation, under each assertion that is about it."""
        self.make.near(RAN, self.item(cell, lane))
        if lane in ALSO:
            self.make.near(ALSO[lane], self.item(cell, lane))


def broken(run: Run, scanner: str, status: str = "crashed") -> Run:
    """Give a run whose scanner did not complete."""
    return replace(
        run, tools=tuple(replace(one, status=status) if one.scanner == scanner else one for one in run.tools)
    )


def with_gaps(run: Run, lane: str, count: int) -> Run:
    """Give a run that left files out of a lane."""
    return replace(run, looks=tuple(replace(one, gaps=count) if one.lane == lane else one for one in run.looks))


def with_rules(run: Run, scanner: str, age: int) -> Run:
    """Give a run whose rules were so many seconds old; -1 for no date at all."""
    date = run.at - age if age >= 0 else 0
    return replace(run, tools=tuple(replace(one, rules=date) if one.scanner == scanner else one for one in run.tools))


def plant_windows(make: Making, weeks: Weeks) -> None:
    """Plant one week of each kind, and what comes close."""
    for scanner, lane, status in (
        ("bandit", "sast", "crashed"),
        ("kingfisher", "secrets", "timed-out"),
        ("checkov", "iac", "missing"),
        ("pip-audit", "dependencies", "unavailable"),
    ):
        cell = weeks.next()
        weeks.change(cell, lambda run, scanner=scanner, status=status: broken(run, scanner, status))  # type: ignore[misc]
        weeks.bad(cell, lane, "scanner_error")
        cell = weeks.next()
        weeks.change(cell, lambda run, lane=lane: with_gaps(run, lane, 2))  # type: ignore[misc]
        weeks.bad(cell, lane, "files_not_covered")
    for age, word in ((90 * DAY + 1, "rules_too_old"), (90 * DAY, "")):
        cell = weeks.next()
        weeks.change(cell, lambda run, age=age: with_rules(run, "semgrep", age))  # type: ignore[misc]
        if word:
            weeks.bad(cell, "sast", word)
        else:
            weeks.near(cell, "sast")
    _one_good_run(make, weeks)
    _never_whole(make, weeks)


def _one_good_run(make: Making, weeks: Weeks) -> None:
    """Weeks in which everything went wrong but once, or only that was old whose age is not asked for."""
    spoils: tuple[tuple[str, Callable[[Run], Run]], ...] = (
        ("sast", lambda run: broken(run, "bandit")),
        ("sast", lambda run: with_gaps(run, "sast", 9)),
        ("sast", lambda run: with_rules(run, "semgrep", 400 * DAY)),
        ("sast", lambda run: with_rules(with_rules(run, "semgrep", -1), "bandit", -1)),
        ("secrets", lambda run: broken(run, "kingfisher")),
        ("iac", lambda run: with_gaps(run, "iac", 9)),
    )
    for lane, spoil in spoils:
        cell = weeks.next()
        weeks.change(cell, spoil)
        make.run(cell[1] + make.random.randrange(7 * DAY), cell[0])
        weeks.near(cell, lane)
    cell = weeks.next()
    weeks.change(cell, lambda run: with_rules(run, "kingfisher", 90 * DAY + 1))
    weeks.bad(cell, "secrets", "rules_too_old")
    make.near(SEARCHED, weeks.item(cell, "secrets"))


def _never_whole(make: Making, weeks: Weeks) -> None:
    """Weeks without a whole run, without a lane, or whose rules have no date, and repositories in the dark."""
    cell = weeks.next()
    weeks.change(cell, lambda run: replace(run, partial=True))
    _dark(make, weeks, cell, make.scope)
    cell = weeks.next()
    weeks.change(cell, lambda run: replace(run, looks=tuple(one for one in run.looks if one.lane != "secrets")))
    weeks.bad(cell, "secrets", "missing_window")
    cell = weeks.next()
    weeks.change(cell, lambda run: with_rules(run, "kingfisher", -1))
    weeks.near(cell, "secrets")
    weeks_of_period = list(make.windows())
    never, archived, leaving, coming, far = (
        InScope(f"git.example.com/made/{make.name(word)}", infrastructure=False, start=start, until=until)
        for word, start, until in (
            ("never", 0, 0),
            ("archived", 0, make.start),
            ("leaving", 0, weeks_of_period[1]),
            ("coming", weeks_of_period[-1], 0),
            ("later", make.end, 0),
        )
    )
    make.scope += [never, archived, leaving, coming, far]
    for week in weeks_of_period:
        _dark(make, weeks, (never.repository, week), [never])
        make.near(RAN, weeks.item((archived.repository, week), "every lane"))
        make.near(RAN, weeks.item((far.repository, week), "every lane"))
        for row, kept in ((leaving, week == weeks_of_period[0]), (coming, week == weeks_of_period[-1])):
            if kept:
                _dark(make, weeks, (row.repository, week), [row])
            else:
                make.near(RAN, weeks.item((row.repository, week), "every lane"))


def _dark(make: Making, weeks: Weeks, cell: tuple[str, int], rows: list[InScope]) -> None:
    """Note a week in which nothing looked: as one item of all lanes, and by the lanes of the other assertions."""
    infrastructure = next(row.infrastructure for row in rows if row.repository == cell[0])
    make.bad(RAN, weeks.item(cell, "every lane"), "missing_window")
    for lane in LANES:
        if lane in ALSO and (infrastructure or ALSO[lane] != DECLARED):
            make.bad(ALSO[lane], weeks.item(cell, lane), "missing_window")
