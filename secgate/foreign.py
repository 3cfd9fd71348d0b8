"""What somebody else's plug-in raises is told as its own fault, by its name: secgate is not what is to be mended.

While it is loaded that is a wrong set-up, and nothing is judged. While a scanner works, its lanes could not tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from secgate.errors import PluginError, SecgateError
from secgate.model import Job, Lane, Output, Reading, ScanStatus, SourceFile
from secgate.ports import PlanRequest, Scanner

LONGEST_WORDS = 300


@contextmanager
def at_fault(plugin: str, doing: str, *, place: str = "") -> Iterator[None]:
    """Turn whatever is raised into a PluginError that names the plug-in; what is raised on purpose stays.

    An exit too: a plug-in that ends the process would end it without a judgement, with an exit code of its choice.
    """
    try:
        yield
    except SecgateError:
        raise
    except (Exception, SystemExit) as error:
        # Nobody knows what code of others raises.
        said = " ".join(str(error).split())[:LONGEST_WORDS]
        told = type(error).__name__ + (f": {said}" if said else "")
        raise PluginError(
            f"the plug-in {plugin} cannot {doing}: {told}",
            remedy="install it again or another version of it, or remove it",
            place=place,
        ) from error


class ForeignScanner:
    """A third party's scanner, held to its answers."""

    def __init__(self, scanner: Scanner, name: str, plugin: str) -> None:
        """`name` is what it is found by, `plugin` names it for people.

        Raises PluginError where it is not what it says.
        """
        self._scanner, self._plugin = scanner, plugin
        with at_fault(plugin, "be used"):
            if scanner.name != name:
                raise ValueError(f"it calls itself {scanner.name!r}")
            if not scanner.lanes or not all(isinstance(lane, Lane) for lane in scanner.lanes):
                raise TypeError("`lanes` names no lane")

    def __getattr__(self, member: str) -> Any:
        """Give every other member as the scanner has it."""
        return getattr(self._scanner, member)

    def supports(self, file: SourceFile) -> bool:
        """See Scanner. Raises PluginError for whatever it raises."""
        with at_fault(self._plugin, "say which files it looks at"):
            return bool(self._scanner.supports(file))

    def plan(self, request: PlanRequest) -> tuple[Job, ...]:
        """See Scanner. Raises PluginError for whatever it raises, and for what are no jobs."""
        with at_fault(self._plugin, "plan its jobs"):
            return self._own(self._scanner.plan(request))

    def read(self, job: Job, output: Output) -> Reading:
        """See Scanner. Raises PluginError for whatever else it raises, and for what is no reading."""
        with at_fault(self._plugin, "read its tool's output"):
            reading = self._scanner.read(job, output)
            if not isinstance(reading, Reading):
                raise TypeError(f"a {type(reading).__name__} is no reading")
            if reading.status is not ScanStatus.COMPLETED and (reading.results or reading.follow_up):
                raise ValueError(f"there are results of what it calls {reading.status.value}")
            self._own(reading.follow_up)
            return reading

    def _own(self, planned: Iterable[object]) -> tuple[Job, ...]:
        jobs = []
        for one in planned:
            if not isinstance(one, Job):
                raise TypeError(f"a {type(one).__name__} is no job")
            if one.scanner != self._scanner.name or not one.name.startswith(one.scanner):
                raise ValueError(f"a job is called {one.name!r}, of the scanner {one.scanner!r}")
            jobs.append(one)
        return tuple(jobs)
