"""One child process, from its start until its whole group is gone.

The calling thread itself feeds standard input, collects both outputs, watches the clock and ends the child, so a child
that floods, hangs or leaves grandchildren behind holds up nothing but its own call. Rules kept here:

- output is capped while it is read, and past the cap the group is killed;
- past the time limit the group gets SIGTERM, two seconds later SIGKILL;
- a descendant that left the group (`setsid`) is found by a variable of its environment and killed too;
- the group is killed before its leader is reaped, so its number cannot have been given to anybody else.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import resource
import secrets
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from secgate.model import Limits, Output

GRACE_S = 2.0
"""Between SIGTERM and SIGKILL."""
DRAIN_S = 1.0
"""How long outputs may stay open after the child itself has ended; then whoever holds them is killed."""
TICK_S = 0.05
"""How long a wait may last before clock and cancellation are looked at again."""
MARK = "SECGATE_CHILD"
"""Variable by which descendants are known."""
_CHUNK_BYTES = 1 << 20
"""Each turn may have to wait for another thread of this process, so there are to be few of them."""
_HUNTS = 5


def run_child(
    argv: Sequence[str],
    *,
    cwd: str,
    stdin: bytes,
    env: Mapping[str, str],
    limits: Limits,
    is_cancelled: Callable[[], bool],
) -> Output:
    """Run `argv` and give what came of it; raises nothing for what the child does or that it cannot be started."""
    child = start_child(argv, cwd=cwd, stdin=stdin, env=env, limits=limits)
    return child if isinstance(child, Output) else child.finish(is_cancelled)


def start_child(
    argv: Sequence[str], *, cwd: str, stdin: bytes, env: Mapping[str, str], limits: Limits
) -> Child | Output:
    """Start `argv` and give the child, or the output that says why it cannot be started.

    Whoever is given a child calls `finish`, or `end` where nobody wants it any more.
    """
    mark = secrets.token_hex(16)
    try:
        with _as_file(stdin) as file:
            process = subprocess.Popen(
                list(argv),
                cwd=cwd,
                env={**env, MARK: mark},
                stdin=file if file is not None else subprocess.PIPE if stdin else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
    except (OSError, ValueError) as error:
        # ValueError: a NUL byte in an argument. Only the name is told: the path is a machine's own.
        program = Path(argv[0]).name if argv else ""
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return Output(exit_code=127, stdout=b"", stderr=b"", problem=f"cannot start {program}: {reason}")
    _set_caps(process.pid, limits)
    return Child(process, mark, stdin, limits)


@contextlib.contextmanager
def _as_file(stdin: bytes) -> Iterator[int | None]:
    """Give a long input as a file in memory, where the system has such, and None for a short one.

    A child reads it at its own speed, even while other threads keep the one that would have to feed it waiting.
    """
    if len(stdin) <= _CHUNK_BYTES or not hasattr(os, "memfd_create"):
        yield None
        return
    descriptor = os.memfd_create("stdin")
    try:
        left = memoryview(stdin)
        while left:
            left = left[os.write(descriptor, left) :]
        os.lseek(descriptor, 0, os.SEEK_SET)
        yield descriptor
    finally:
        os.close(descriptor)


def _set_caps(pid: int, limits: Limits) -> None:
    """Cap memory, where the system can do it for another process, and keep a crash from writing a core file."""
    if not hasattr(resource, "prlimit"):
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        resource.prlimit(pid, resource.RLIMIT_CORE, (0, 0))
        if limits.memory_bytes:
            resource.prlimit(pid, resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))


class Child:
    """The state of one running child; used by one thread at a time."""

    def __init__(self, process: subprocess.Popen[bytes], mark: str, stdin: bytes, limits: Limits) -> None:
        self.stdout = bytearray()
        self.stderr = bytearray()
        self.timed_out = False
        self.truncated = False
        self.cancelled = False
        self._started = time.monotonic()
        self._process = process
        self._mark = mark
        self._limits = limits
        self._to_write = memoryview(stdin)
        self._kill_at: float | None = None
        self._killed = False
        self._ended_at: float | None = None
        self._selector = selectors.DefaultSelector()
        self._watch_pipes()

    def _watch_pipes(self) -> None:
        for pipe, events, act in (
            (self._process.stdout, selectors.EVENT_READ, self._collect_stdout),
            (self._process.stderr, selectors.EVENT_READ, self._collect_stderr),
            (self._process.stdin, selectors.EVENT_WRITE, self._feed),
        ):
            if pipe is not None:
                os.set_blocking(pipe.fileno(), False)
                _widen(pipe.fileno())
                self._selector.register(pipe, events, act)

    @property
    def process_id(self) -> int:
        """Number of the process, which is its group's too."""
        return self._process.pid

    def finish(self, is_cancelled: Callable[[], bool], *, since: float | None = None) -> Output:
        """Wait for the end and give what came of it; time counts from `since` (monotonic), the start by default."""
        started = self._started if since is None else since
        try:
            self._watch(started + self._limits.time_s, is_cancelled)
        finally:
            self.end()
        return Output(
            exit_code=self._process.returncode,
            stdout=bytes(self.stdout),
            stderr=bytes(self.stderr),
            timed_out=self.timed_out,
            truncated=self.truncated,
            problem="interrupted" if self.cancelled else "",
            duration_s=time.monotonic() - started,
        )

    def _watch(self, deadline: float, is_cancelled: Callable[[], bool]) -> None:
        """Wait for the end: outputs closed and the child gone, or nothing more to wait for."""
        while True:
            now = time.monotonic()
            self._judge_time(now, deadline, is_cancelled)
            if self._ended_at is None and self.has_exited():
                self._ended_at = now
            if self._ended_at is not None and self._is_drained(now, self._ended_at):
                return
            waiting_for_exit_alone = not self._selector.get_map()
            for key, _ in self._selector.select(0.002 if waiting_for_exit_alone else TICK_S):
                key.data(key.fd)

    def _judge_time(self, now: float, deadline: float, is_cancelled: Callable[[], bool]) -> None:
        if self._kill_at is None:
            self.cancelled = is_cancelled()
            self.timed_out = not self.cancelled and self._ended_at is None and now >= deadline
            if self.cancelled or self.timed_out or self.truncated:
                self._signal_group(signal.SIGTERM)
                self._kill_at = now + GRACE_S
        elif now >= self._kill_at and not self._killed:
            self._kill_everything()

    def _is_drained(self, now: float, ended_at: float) -> bool:
        readers = [key for key in self._selector.get_map().values() if key.events == selectors.EVENT_READ]
        if not readers:
            return True
        if now < ended_at + DRAIN_S:
            return False
        if not self._killed:
            # The child is gone and somebody it left behind still holds its outputs.
            self._kill_everything()
            self._ended_at = now
            return False
        return True

    def _feed(self, descriptor: int) -> None:
        try:
            written = os.write(descriptor, self._to_write[:_CHUNK_BYTES])
        except BlockingIOError:
            return
        except BrokenPipeError:
            written = len(self._to_write)  # the child does not want the rest
        self._to_write = self._to_write[written:]
        if not self._to_write:
            self._selector.unregister(descriptor)
            if self._process.stdin is not None:
                self._process.stdin.close()  # the child's end of input; nothing is buffered in ours

    def _collect_stdout(self, descriptor: int) -> None:
        self._collect(descriptor, self.stdout)

    def _collect_stderr(self, descriptor: int) -> None:
        self._collect(descriptor, self.stderr)

    def _collect(self, descriptor: int, into: bytearray) -> None:
        try:
            data = os.read(descriptor, _CHUNK_BYTES)
        except BlockingIOError:
            return
        if not data:
            self._selector.unregister(descriptor)
            return
        room = self._limits.output_bytes - len(self.stdout) - len(self.stderr)
        into.extend(data[: max(room, 0)])
        if len(data) > room:
            self.truncated = True

    def has_exited(self) -> bool:
        """Tell whether the child has ended, without reaping it: until then its group's number stays taken."""
        return os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def _signal_group(self, number: signal.Signals) -> None:
        # PermissionError: on some systems the answer for a group of which only a zombie is left.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    def _kill_everything(self) -> None:
        self._killed = True
        self._signal_group(signal.SIGKILL)
        kill_marked(self._mark)

    def end(self) -> None:
        """Leave nothing behind: kill what is left of the group, reap the child, close the pipes."""
        interrupted = self._ended_at is None
        self._signal_group(signal.SIGKILL)
        if interrupted or self._kill_at is not None:
            kill_marked(self._mark)
        self._process.wait()
        self._selector.close()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()


def _widen(descriptor: int) -> None:
    """Have a pipe hold a whole chunk, where the system can do that and allows it."""
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        with contextlib.suppress(OSError):
            fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _CHUNK_BYTES)


def kill_marked(mark: str) -> None:
    """Kill every process whose environment carries `mark`; does nothing where there is no `/proc`.

    Repeated until none is found, since what is hunted may fork meanwhile.
    """
    wanted = f"{MARK}={mark}".encode()
    for _ in range(_HUNTS):
        found = [pid for pid in _process_ids() if wanted in _environment_of(pid).split(b"\0")]
        if not found:
            return
        for pid in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)


def _process_ids() -> list[int]:
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208 (names alone are wanted)
    except FileNotFoundError:
        return []


def _environment_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""  # gone meanwhile, or not ours
