"""Executor `local`: child processes of this machine. Also the ProcessRunner that every other part is handed.

Each call gets a private directory (empty home, temporary folder, work folder), and whatever it leaves there goes at its
end.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from secgate.errors import InternalError
from secgate.executors.child import run_child
from secgate.executors.environment import SYSTEM_PATH, child_environment
from secgate.executors.standby import Standby, Waiting
from secgate.executors.workplace import Workplaces, arguments, with_files, write_blob
from secgate.model import Job, Limits, Output, Slot, Tool, View

_NOT_STARTED = 127


class LocalExecutor:
    """Runs jobs as child processes, at most `parallel` at a time over all threads that use this executor."""

    name = "local"

    def __init__(
        self,
        *,
        environment: Mapping[str, str],
        python: str,
        parallel: int,
        scratch: str | None = None,
        path: str = SYSTEM_PATH,
        cancelled: threading.Event | None = None,
        standby: Standby | None = None,
        standby_for: str = "",
    ) -> None:
        """`environment` is the operator's, to choose from; `scratch` an existing directory, None for the system's.

        `python` is secgate's own interpreter, `path` what children get as PATH. Whoever holds `cancelled` ends every
        child by setting it, as `cancel` does. `standby` holds children that were started before they were wanted, and
        remembers jobs as those of `standby_for`.
        """
        self._environment = dict(environment)
        self._places = Workplaces(scratch)
        self._standby, self._standby_for = standby, standby_for
        self._python = python
        self._parallel = max(1, parallel)
        self._path = path
        self._turns = threading.BoundedSemaphore(self._parallel)
        self._cancelled = threading.Event()
        # Apart from our own, which any failed run sets: whoever gave it can tell its own word from a failure.
        self._told = cancelled or threading.Event()

    def set_parallel(self, parallel: int) -> None:
        """Allow `parallel` jobs at a time from now on; for before the first one, once the settings are known."""
        self._parallel = max(1, parallel)
        self._turns = threading.BoundedSemaphore(self._parallel)

    def cancel(self) -> None:
        """End every child of this executor and start no more; from any thread or a signal handler, without waiting."""
        self._cancelled.set()

    def _is_cancelled(self) -> bool:
        return self._cancelled.is_set() or self._told.is_set()

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
        """See ProcessRunner. Not counted against `parallel`: short calls of secgate itself never wait for scanners."""
        with self._places.lent() as private:
            return self._start(
                argv, private, cwd=cwd, stdin=stdin, env=env or {}, limits=limits or Limits(), network=network
            )

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
        """See Executor. Any exception, an interrupt too, cancels what runs and waits until it is gone.

        Raises InternalError for two jobs of one name and for blob or output names that are not plain file names.
        """
        names = [job.name for job in jobs]
        if len(set(names)) != len(names):
            raise InternalError(f"two jobs of one name: {sorted({name for name in names if names.count(name) > 1})}")

        def one(job: Job) -> Output:
            waiting = self._waiting(job, tools.get(job.scanner), rules_root=rules_root)
            if waiting is not None:
                # It has done most of its work, and would hold up what has all of it before itself.
                output = waiting.finish(view, is_cancelled=self._is_cancelled)
            else:
                with self._turns:
                    output = self._execute_one(job, view=view, tools=tools, services=services, rules_root=rules_root)
            on_end(job, output)
            return output

        with ThreadPoolExecutor(max_workers=self._parallel, thread_name_prefix="secgate-job") as pool:
            futures = [pool.submit(one, job) for job in jobs]
            try:
                return {job.name: future.result() for job, future in zip(jobs, futures, strict=True)}
            except BaseException:
                self.cancel()
                raise

    def _waiting(self, job: Job, tool: Tool | None, *, rules_root: str) -> Waiting | None:
        if self._standby is None:
            return None
        return self._standby.take(job, tool, rules_root=rules_root, name=self._standby_for)

    def _execute_one(
        self, job: Job, *, view: View, tools: Mapping[str, Tool], services: Mapping[str, str], rules_root: str
    ) -> Output:
        tool = tools.get(job.scanner)
        if job.service and job.service not in services:
            return _refused(f"the service {job.service} is not there")
        if tool is None and any(isinstance(part, Slot) and part.name == "tool" for part in job.argv):
            return _refused(f"no tool was found for {job.scanner}")
        with self._places.own() as private:
            work = private / "work"
            for name, blob in job.blobs.items():
                write_blob(work, name, blob)
            service = services.get(job.service, "")
            output = self._start(
                arguments(job, tool, view=view.root, work=work, python=self._python, rules=rules_root, service=service),
                private,
                cwd=str(work) if job.cwd == "work" else view.root,
                stdin=b"",
                env=job.env,
                limits=job.limits,
                network=job.network,
            )
            return with_files(output, work, job)

    def _start(
        self,
        argv: Sequence[str],
        private: Path,
        *,
        cwd: str,
        stdin: bytes,
        env: Mapping[str, str],
        limits: Limits,
        network: bool,
    ) -> Output:
        if self._is_cancelled():
            return _refused("interrupted")
        environment = child_environment(
            self._environment,
            path=self._path,
            home=str(private / "home"),
            temporary=str(private / "tmp"),
            extra=env,
            network=network,
        )
        return run_child(argv, cwd=cwd, stdin=stdin, env=environment, limits=limits, is_cancelled=self._is_cancelled)


def _refused(problem: str) -> Output:
    return Output(exit_code=_NOT_STARTED, stdout=b"", stderr=b"", problem=problem)
