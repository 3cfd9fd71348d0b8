"""What somebody else's plug-in raises is told as its own fault, by its name: secgate is not what is to be mended.

While it is loaded that is a wrong set-up, and nothing is judged. While it works the outcome is that of its kind: lanes
of a scanner could not tell, an engine could not decide, a signature does not count, a channel was not told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar

from secgate.errors import NotificationError, PluginError, PolicyError, SecgateError, SignatureError
from secgate.model import Job, Lane, Message, Output, Reading, RunDocument, ScanStatus, Signed, SourceFile, Trust
from secgate.ports import (
    Answer,
    Engine,
    Notifier,
    PartialReporter,
    PlanRequest,
    PolicyModule,
    PopulationKind,
    PopulationReader,
    PopulationReading,
    Rendered,
    Reporter,
    Scanner,
    Signer,
)

LONGEST_WORDS = 300
Plugin = TypeVar("Plugin")


@contextmanager
def at_fault(
    plugin: str,
    doing: str,
    *,
    place: str = "",
    error: type[SecgateError] = PluginError,
    silent: bool = False,
) -> Iterator[None]:
    """Turn whatever is raised into an `error` that names the plug-in; what is raised on purpose stays.

    `silent` leaves out what the plug-in says, which may hold an operator's secret. An exit is turned too: a plug-in
    that ends the process would end it without a judgement, with an exit code of its choice.
    """
    try:
        yield
    except SecgateError:
        raise
    except BaseException as raised:
        # Nobody knows what code of others raises; pyo3 makes a panic of Rust a class outside of Exception.
        if not isinstance(raised, Exception | SystemExit) and type(raised).__module__ != "pyo3_runtime":
            raise
        said = "" if silent else " ".join(str(raised).split())[:LONGEST_WORDS]
        told = type(raised).__name__ + (f": {said}" if said else "")
        raise error(
            f"the plug-in {plugin} cannot {doing}: {told}",
            remedy="install it again or another version of it, or remove it",
            place=place,
        ) from raised


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


class _Foreign(Generic[Plugin]):
    """Somebody else's plug-in of another kind."""

    members: ClassVar[tuple[str, ...]] = ("name",)
    """What it has beside what it does."""

    def __init__(self, made: Plugin, plugin: str) -> None:
        """`plugin` names it for people. Raises PluginError where it cannot even say what it is."""
        self._made, self._plugin = made, plugin
        with at_fault(plugin, "be used"):
            # On this object itself: a Protocol is looked for there.
            vars(self).update((member, getattr(made, member)) for member in self.members)


class ForeignEngine(_Foreign[Engine]):
    """A third party's engine: where it fails there is no decision."""

    name: str

    @property
    def version(self) -> str:
        """See Engine. Raises PolicyError for whatever it raises."""
        with self._at_fault("tell its version"):
            return _of(str, self._made.version)

    def evaluate(
        self, modules: Sequence[PolicyModule], *, data: bytes, document: bytes, query: str, limit_s: float
    ) -> Answer:
        """See Engine. Raises PolicyError for whatever else it raises, and for what is no answer."""
        with self._at_fault("decide"):
            answer = self._made.evaluate(modules, data=data, document=document, query=query, limit_s=limit_s)
            _of(bytes, _of(Answer, answer).value)
            _of(str, answer.decision_id)
            return answer

    def _at_fault(self, doing: str) -> AbstractContextManager[None]:
        return at_fault(self._plugin, doing, place="engine.name", error=PolicyError)


class ForeignReporter(_Foreign[Reporter]):
    """A third party's reporter: where it fails there is no rendering, whatever the run said."""

    members = ("name", "suffix")
    name: str
    suffix: str

    def render(self, document: RunDocument, *, width: int, colour: bool) -> bytes:
        """See Reporter. Raises PluginError for whatever it raises, and for what are no bytes."""
        with at_fault(self._plugin, "render the run", place="--format"):
            return _of(bytes, self._made.render(document, width=width, colour=colour))


class ForeignPartialReporter(ForeignReporter):
    """One whose format may not hold the whole run."""

    _made: PartialReporter

    def rendered(self, document: RunDocument) -> Rendered:
        """See PartialReporter. Raises PluginError for whatever it raises, and for what is no rendering."""
        with at_fault(self._plugin, "render the run", place="--format"):
            rendered = _of(Rendered, self._made.rendered(document))
            _of(bytes, rendered.data)
            return rendered


class ForeignSigner(_Foreign[Signer]):
    """A third party's signer: what it fails on is not signed."""

    name: str

    def sign(self, statement: bytes, *, namespace: str, key: str) -> bytes:
        """See Signer. Raises SignatureError for whatever it raises, and for what are no bytes."""
        with at_fault(self._plugin, "sign", error=SignatureError, silent=True):
            return _of(bytes, self._made.sign(statement, namespace=namespace, key=key))

    def verify(self, statement: bytes, signature: bytes, *, namespace: str, trust: Trust, at: datetime) -> Signed:
        """See Signer. Raises SignatureError for whatever it raises, and for what names nobody."""
        with at_fault(self._plugin, "check a signature", error=SignatureError):
            return _of(Signed, self._made.verify(statement, signature, namespace=namespace, trust=trust, at=at))


class ForeignPopulation(_Foreign[PopulationReader]):
    """A third party's reader of populations: what it fails on is not taken over."""

    members = ("name", "kinds", "provider")
    name: str
    kinds: tuple[PopulationKind, ...]
    provider: str

    def read(self, data: bytes, kind: PopulationKind, *, place: str) -> PopulationReading:
        """See PopulationReader. Raises PluginError for whatever else it raises, and for what is no reading."""
        with at_fault(self._plugin, "read the list", place=place):
            return _of(PopulationReading, self._made.read(data, kind, place=place))


class ForeignNotifier(_Foreign[Notifier]):
    """A third party's notifier. What it says is left out of every error: addresses and secrets are an operator's."""

    members = ("name", "needs_secret")
    name: str
    needs_secret: bool

    def body(self, message: Message) -> bytes:
        """See Notifier. Raises NotificationError for whatever it raises, and for what are no bytes."""
        with self._at_fault("write a message"):
            return _of(bytes, self._made.body(message))

    def check(self, *, address: str, secret: str) -> None:
        """See Notifier. Raises PluginError, a UsageError, for whatever else it raises."""
        with at_fault(self._plugin, "check its address", silent=True):
            self._made.check(address=address, secret=secret)

    def shown(self, body: bytes, *, address: str, at: datetime) -> str:
        """See Notifier. Raises NotificationError for whatever it raises, and for what is no text."""
        with self._at_fault("show a message"):
            return _of(str, self._made.shown(body, address=address, at=at))

    def send(self, body: bytes, *, address: str, secret: str, at: datetime) -> None:
        """See Notifier. Raises NotificationError for whatever else it raises."""
        with self._at_fault("tell its channel"):
            self._made.send(body, address=address, secret=secret, at=at)

    def _at_fault(self, doing: str) -> AbstractContextManager[None]:
        return at_fault(self._plugin, doing, error=NotificationError, silent=True)


def _of(kind: type[Plugin], value: object) -> Plugin:
    if not isinstance(value, kind):
        raise TypeError(f"a {type(value).__name__} is no {kind.__name__}")
    return value
