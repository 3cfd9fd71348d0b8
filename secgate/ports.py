"""One Protocol per kind of plug-in or service: what the stages may ask of the outside.

Methods are documented here once; implementations say only what differs. A plug-in is checked against its Protocol when
it is loaded (`registry`), and every kind has one contract suite under tests/contracts/.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from types import MappingProxyType
from typing import Literal, NamedTuple, Protocol, TypeAlias, runtime_checkable

from msgspec import Struct

from secgate.model import (
    Digest,
    Entry,
    Head,
    Job,
    Lane,
    LedgerEntry,
    Limits,
    Message,
    Output,
    Reading,
    RunDocument,
    Signed,
    SourceFile,
    Target,
    Tool,
    Trust,
    Value,
    View,
)


class ProcessRunner(Protocol):
    """Starts one child process and waits for it. Only `executors/` implements it."""

    def run(
        self,
        argv: Sequence[str],
        *,
        cwd: str,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        limits: Limits | None = None,
        network: bool = False,
    ) -> Output:
        """Run `argv` without a shell in its own process group; its environment is an allow-list and `env`, no more.

        Past a limit the whole group is killed and the output says so. A program that cannot be started gives an Output
        with `problem` set; nothing is raised for what the child does.
        """


@runtime_checkable
class Executor(Protocol):
    """Runs scanner jobs, several at a time."""

    name: str

    def execute(
        self,
        jobs: Sequence[Job],
        *,
        view: View,
        tools: Mapping[str, Tool],
        services: Mapping[str, str],
        rules_root: str,
        on_end: Callable[[Job, Output], None],
    ) -> dict[str, Output]:
        """Run all `jobs` and give each one's output by its `Job.name` (unique over the call).

        `tools` are by scanner name, `services` give an address by service name. `on_end` is called once per job, from
        any thread, as it ends. A job whose service is absent is answered with `problem`, never run. May be called by
        several threads at once.
        """

    def cancel(self) -> None:
        """End every child that runs and start no more; from any thread, without waiting."""


class ToolSpec(Value, frozen=True, kw_only=True):
    """What a scanner needs to be found: names, and the versions it was tested with (a PEP 440 specifier)."""

    name: str
    executable: str
    package: str = ""
    """Distribution that carries it on the Python package index; "" when there is none."""
    tested: str = ""
    needs_interpreter: bool = False
    """True for tools started as `python -I -m MODULE` in their own environment."""
    version_argv: tuple[str, ...] = ("--version",)
    version_pattern: str = r"(\d+\.\d+(?:\.\d+)?)"


class ToolLocator(Protocol):
    """Finds tools: configured path, tool environments, secgate's own environment, PATH, in that order."""

    def locate(self, spec: ToolSpec) -> Tool | None:
        """Give the tool, or None when it is nowhere.

        Versions of Python packages are read from metadata, not by starting them.
        """


class PlanRequest(Value, frozen=True, kw_only=True):
    """What a scanner plans from. `files` are those of the view that the scanner supports, sorted by path."""

    target: Target
    view: View
    files: tuple[SourceFile, ...]
    settings: Mapping[str, object]
    """The scanner's options, `[scanners.NAME.options]`, of the form that it declares; what is left out is not there."""
    rules_root: str
    """Absolute path of the rules folder, for reading what a plan depends on; jobs name it by Slot("rules")."""
    offline: bool
    parallel: int
    read: Callable[[str], bytes]
    """Bytes of a path of the view."""
    limits: Limits
    evaluated_epoch_s: int


class NoOptions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The options of a scanner that has none."""


@runtime_checkable
class Scanner(Protocol):
    """A tool adapter: pure. It says what to start and understands what comes back; it starts nothing itself."""

    name: str
    lanes: tuple[Lane, ...]
    spec: ToolSpec | None
    """None for passes of secgate's own."""
    services: tuple[str, ...]
    outgoing: str
    """What the tool would send or fetch over a network, and the option that stops it; shown in the documentation."""
    options: type[Struct]
    """The form of `[scanners.NAME.options]`: a field with a default for each, its meaning in `Meta(description=)`.

    Whatever is not of this form is refused before anything is judged, with its place. `NoOptions` for none.
    """

    def supports(self, file: SourceFile) -> bool:
        """Tell whether this scanner looks at files of this kind."""

    def plan(self, request: PlanRequest) -> tuple[Job, ...]:
        """Give the jobs for `request.files`.

        An empty tuple when there is nothing to do. Job names begin with the scanner's name.
        """

    def read(self, job: Job, output: Output) -> Reading:
        """Understand one job's output.

        A pure function. Raises OutputError for what is not the documented form; never trusts exit codes alone.
        """


class Service(Protocol):
    """Something a job needs while it runs, such as the loopback advisory server."""

    name: str

    def open(self) -> AbstractContextManager[str]:
        """Start it and give its address; leaving the context stops it. Raises SecgateError when it cannot serve."""


class PolicyModule(Value, frozen=True, kw_only=True):
    """One Rego file: its path as shown in messages, and its text.

    `is_v0` is for the language before `if` and `contains`; the embedded engine alone reads it.
    """

    path: str
    text: str
    is_v0: bool = False


class Answer(Value, frozen=True, kw_only=True):
    """What an engine answered: the JSON value, and the name that a server gave the decision in its own log."""

    value: bytes
    decision_id: str = ""


@runtime_checkable
class Engine(Protocol):
    """Evaluates Rego."""

    name: str

    @property
    def version(self) -> str:
        """The engine's version; a server may be asked for it. Raises PolicyError when it cannot be told."""

    def evaluate(
        self, modules: Sequence[PolicyModule], *, data: bytes, document: bytes, query: str, limit_s: float
    ) -> Answer:
        """Give the JSON value of `query`, such as `data.secgate.main.decision`; `data` and `document` are JSON bytes.

        Raises PolicyError for a module that does not compile, an evaluation error, an undefined query, a time-out or a
        crash of the engine.
        """


class Reached(Value, frozen=True, kw_only=True):
    """Which lines of a module an evaluation came to, and which hold something that it did not come to."""

    path: str
    lines: tuple[int, ...]
    missed: tuple[int, ...]


class PolicyChecker(Protocol):
    """A compiler of Rego that knows the input's schema, beside our own checks."""

    name: str

    @property
    def version(self) -> str:
        """Its version."""

    def check(self, modules: Sequence[PolicyModule], *, schema: bytes) -> tuple[tuple[str, str, str], ...]:
        """Give each fault as (place, what, remedy). Raises PolicyError where it gives no answer."""


class SyntaxReader(Protocol):
    """Gives the syntax tree of Rego modules, for the vocabulary check."""

    def syntax(self, modules: Sequence[PolicyModule]) -> list[dict[str, object]]:
        """Give one tree per module, in order, with spans.

        Raises PolicyError with file and line for a module that does not parse.
        """


@runtime_checkable
class Ledger(Protocol):
    """An append-only Merkle log with blobs beside it. Exact bytes in, exact bytes out."""

    name: str
    address: str
    """Where it is, as shown to people; never with credentials."""

    def exists(self) -> bool:
        """Tell whether the ledger is there. Raises LedgerError when something else is in its place."""

    def create(self) -> None:
        """Make an empty ledger. Raises LedgerError when one is there already."""

    def fill(self, rows: Iterable[bytes], blobs: Iterable[tuple[Digest, bytes]]) -> Head:
        """Make a ledger that holds entries of exactly these bytes and these blobs, all or nothing; give its head.

        Raises LedgerError when one is there already, or the first entry that does not follow on those before it.
        """

    def backup(self, path: str) -> Head:
        """Write the ledger as it is now into a new file, verified, in a form that `restore` takes; give its head.

        Others may write meanwhile. Raises LedgerError when the file is there already, and then leaves none.
        """

    def restore(self, path: str) -> Head:
        """Make the ledger anew out of what `backup` wrote, verified first, all or nothing; give its head.

        Raises LedgerError when a ledger is there already, or the file is none of a ledger of this kind.
        """

    def head(self) -> Head:
        """Give size and root. Raises LedgerError when absent or unreadable."""

    def read(self, start: int = 0) -> Iterator[LedgerEntry]:
        """Give entries from sequence `start`, in order, each verified against its leaf and previous root."""

    def append(self, expected: Head, entries: Sequence[Entry], *, now: datetime, blobs: Mapping[Digest, bytes]) -> Head:
        """Append all `entries` and `blobs`, or nothing, and give the new head.

        Raises HeadMovedError when the head is no longer `expected`. `now` is aware UTC and may not go back behind the
        last entry's time by more than the recorded clock allows: then the last entry's time is used and the body of the
        next `run` entry says so.
        """

    def check_writable(self) -> None:
        """Raise LedgerError where nothing could be appended now, as far as that shows before it is tried.

        What the ledger holds is the same afterwards. Whoever does what cannot be taken back, and has to record it,
        asks first.
        """

    def blob(self, digest: Digest) -> bytes:
        """Give a blob's bytes. Raises LedgerError when it is not there or its bytes do not have that digest."""

    def stored_blob(self, digest: Digest) -> bytes | None:
        """Give what stands in a blob's place, whatever it is, None for nothing: for whoever looks into a change."""

    def whole_blobs(self, digests: Iterable[Digest]) -> Iterator[bytes | None]:
        """Give many blobs in this order, in one session; None for one that is absent or not what its digest says."""

    def blobs(self) -> Iterator[Digest]:
        """Give the digest of every blob that is there, sorted. Raises LedgerError when absent or unreadable."""


class Keeper(Protocol):
    """Keeps a ledger's checkpoint, somewhere that the ledger's holder cannot change alone."""

    address: str
    """Where it is, as shown and recorded; never with credentials."""

    def get(self) -> bytes | None:
        """Give what is kept, None for nothing. Raises LedgerError when it cannot be read or is too large for one."""

    def put(self, data: bytes, *, expected: bytes | None, at_epoch_s: int) -> None:
        """Keep `data` in place of `expected`, what `get` gave, whole or not at all.

        Raises HeadMovedError when something else is kept by now, LedgerError when it cannot be written.
        """


@runtime_checkable
class Reporter(Protocol):
    """Renders a stored run."""

    name: str
    suffix: str

    def render(self, document: RunDocument, *, width: int, colour: bool) -> bytes:
        """Give deterministic bytes for equal input. `width` and `colour` matter to terminal formats only."""


@runtime_checkable
class Signer(Protocol):
    """Makes and verifies detached signatures over the exact bytes of a statement, each for one purpose only.

    A `namespace` is that purpose, one per kind of statement, such as `secgate-baseline`: a signature for one is worth
    nothing for another.
    """

    name: str

    def sign(self, statement: bytes, *, namespace: str, key: str) -> bytes:
        """Sign with the key in the file `key`.

        Raises SignatureError for a key that is not there, cannot be read or used.
        """

    def verify(self, statement: bytes, signature: bytes, *, namespace: str, trust: Trust, at: datetime) -> Signed:
        """Give who signed, as `trust` knows them for `namespace` at the aware time `at`.

        Raises SignatureError unless the signature is over these bytes and this namespace, by a key that is allowed for
        it, valid at that time and not revoked by then. A key that is revoked without a time verifies nothing, ever.
        """


PopulationKind: TypeAlias = Literal["deployments", "repositories", "artifacts", "reviews", "patches"]
"""What a list from outside may be of."""


class PopulationRecord(NamedTuple):
    """One record: the line that it begins in, and its texts by the names of its kind, "" for what it does not say."""

    line: int
    fields: Mapping[str, str]


class PopulationReading(NamedTuple):
    """What a form gave: its records, how many there were in all, and those left out, by reason."""

    records: tuple[PopulationRecord, ...]
    read: int
    left_out: Mapping[str, int] = MappingProxyType({})


@runtime_checkable
class PopulationReader(Protocol):
    """Understands one form in which populations come from outside. Pure: it is given bytes."""

    name: str
    kinds: tuple[PopulationKind, ...]
    """The kinds of population that this form can hold."""
    provider: str
    """Whose account names its people have, as in people.toml; "" where rows say it themselves."""

    def read(self, data: bytes, kind: PopulationKind, *, place: str) -> PopulationReading:
        """Give the records of a file that is called `place`.

        Raises ConfigError with every fault, each with its line.
        """


@runtime_checkable
class Notifier(Protocol):
    """Tells a channel of findings. An address and a secret are an operator's, and in no error's words."""

    name: str
    needs_secret: bool

    def body(self, message: Message) -> bytes:
        """Give what is sent, the same bytes for the same message."""

    def check(self, *, address: str, secret: str) -> None:
        """Raises UsageError for what may not be used; asked for every channel before anybody is told of anything."""

    def shown(self, body: bytes, *, address: str, at: datetime) -> str:
        """Give what `send` would send, what goes before the body too, for people: each secret as `***`.

        `address` passed `check`, or is "" where none is known yet.
        """

    def send(self, body: bytes, *, address: str, secret: str, at: datetime) -> None:
        """Raises NotificationError where nobody takes it, and what `check` raises."""


class Rendered(NamedTuple):
    """A rendering, and in words what of the run it has no room for: whoever asked for it is told."""

    data: bytes
    left_out: tuple[str, ...] = ()


@runtime_checkable
class PartialReporter(Reporter, Protocol):
    """A reporter whose format may not hold the whole run."""

    def rendered(self, document: RunDocument) -> Rendered:
        """Give what `render` gives, with what was left out."""


@runtime_checkable
class Adviser(Protocol):
    """What an Observer may be as well: it is told at once what whoever started a run should know before its end."""

    def said(self, text: str) -> None:
        """One sentence about the run, which its notes have too. It may hold text of the tree: escape it."""


class Observer(Protocol):
    """Hears how a run goes on; a library user may pass one, nobody must."""

    def stage(self, name: str, detail: str) -> None:
        """A stage begins."""

    def scanner(self, name: str, state: str, detail: str) -> None:
        """A scanner is `waiting`, `running`, `done` or `failed`. May be called from any thread."""
