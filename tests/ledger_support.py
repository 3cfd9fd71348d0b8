"""What the ledger's tests share: a process runner, a counting memory ledger, and a small language for runs."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from secgate.event import Event
from secgate.events import EVENTS, LedgerCreated
from secgate.gate_events import GateChanged
from secgate.ledgers.git import GitLedger
from secgate.ledgers.sqlite import SqliteLedger
from secgate.model import (
    Confidence,
    Coverage,
    Decision,
    Entry,
    Finding,
    History,
    Invocation,
    Lane,
    LaneCoverage,
    Limits,
    Location,
    Obligation,
    Outcome,
    Output,
    Result,
    RunDocument,
    ScanStatus,
    Scope,
    Severity,
    SourceFile,
    Target,
    Tool,
)
from secgate.ports import Ledger
from secgate.recall import recall
from secgate.record import RecordReceipt, RecordRequest, record

EPOCH_S = 1_700_000_000
DIGEST = sha256(b"").hexdigest()


class Runner:
    """A ProcessRunner for tests: no shell, a fixed environment; by default each child is a group of its own."""

    def __init__(self, *, own_group: bool = True) -> None:
        self.calls: list[tuple[str, ...]] = []
        self._own_group = own_group

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
        del network
        self.calls.append(tuple(argv))
        environment = {"PATH": os.environ["PATH"], "HOME": cwd, "LC_ALL": "C", **(env or {})}
        timeout_s = (limits or Limits()).time_s
        try:
            process = subprocess.Popen(
                argv,
                cwd=cwd,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=self._own_group,
            )
        except OSError as error:
            return Output(exit_code=127, stdout=b"", stderr=b"", problem=str(error))
        with process:
            try:
                stdout, stderr = process.communicate(stdin, timeout=timeout_s)
            except subprocess.TimeoutExpired:
                process.kill()
                stdout, stderr = process.communicate()
                return Output(exit_code=-9, stdout=stdout, stderr=stderr, timed_out=True)
        return Output(exit_code=process.returncode, stdout=stdout, stderr=stderr)


def at(epoch_s: int) -> datetime:
    return datetime.fromtimestamp(EPOCH_S + epoch_s, UTC)


def result(scanner: str, rule: str, path: str, severity: Severity) -> Result:
    return Result(
        scanner=scanner,
        lane=Lane.SAST,
        rule=rule,
        message="made for a test",
        location=Location(path=path),
        severity=severity,
        score=severity.default_score,
        severity_basis="rule",
        confidence=Confidence.HIGH,
    )


def finding(
    name: str,
    *,
    severity: Severity = Severity.HIGH,
    path: str = "shop/cart.py",
    scanners: Sequence[str] = ("semgrep",),
    rule: str = "sql",
    previous: str = "",
    lane: Lane = Lane.SAST,
) -> Finding:
    """A finding whose fingerprint is made from `name`."""
    return Finding(
        fingerprint=fingerprint(name),
        lane=lane,
        weakness="sql-injection",
        title="made for a test",
        severity=severity,
        score=severity.default_score,
        severity_basis="rule",
        confidence=Confidence.HIGH,
        location=Location(path=path),
        anchor=DIGEST,
        witnesses=tuple(result(scanner, rule, path, severity) for scanner in scanners),
        previous=fingerprint(previous) if previous else "",
    )


def fingerprint(name: str) -> str:
    return sha256(name.encode()).hexdigest()


def invocation(
    scanner: str = "semgrep",
    *,
    version: str = "1.0",
    options: str = "o1",
    pack: str = "p1",
    status: ScanStatus = ScanStatus.COMPLETED,
    lane: Lane = Lane.SAST,
    age_s: int | None = None,
) -> Invocation:
    tool = Tool(name=scanner, path="", version=version, digest=DIGEST, environment="tools")
    return Invocation(
        scanner=scanner,
        lane=lane,
        tool=tool,
        status=status,
        options_digest=options,
        rule_pack_digest=pack,
        advisories_age_s=age_s,
    )


def account(lane: Lane = Lane.SAST, *, asked: bool = True, failed: Sequence[str] = ()) -> LaneCoverage:
    return LaneCoverage(
        lane=lane,
        asked=asked,
        needed=True,
        offered=1,
        covered=1,
        failed=0,
        unsupported=0,
        tools_failed=tuple(failed),
    )


def document(
    *findings: Finding,
    run: str = "run-1",
    at_s: int = 0,
    invocations: Sequence[Invocation] | None = None,
    lanes: Sequence[LaneCoverage] | None = None,
    obligations: Sequence[Obligation] = (),
    complete: bool = True,
    target: Target | None = None,
) -> RunDocument:
    """A run on the default branch that saw `findings`, `at_s` seconds after the tests' beginning."""
    return RunDocument(
        run_id=run,
        secgate_version="0.1.0",
        target=target or protected(),
        invocations=tuple(invocations if invocations is not None else [invocation()]),
        coverage=Coverage(lanes=tuple(lanes if lanes is not None else [account()])),
        findings=findings,
        decision=Decision(
            outcome=Outcome.PASS,
            all_outcomes=(Outcome.PASS,),
            profile="release",
            verdicts=(),
            obligations=tuple(obligations),
            policy_digests={},
            input_digest=sha256(b"{}").hexdigest(),
            engine="none",
            evaluated_epoch_s=EPOCH_S + at_s,
        ),
        complete=complete,
    )


def protected(
    *,
    scope: Scope = Scope.PROTECTED,
    dirty: bool = False,
    files: Sequence[str] = ("shop/cart.py", "shop/pay.py"),
    changed: tuple[str, ...] | None = None,
    prefix: str = "",
    line: str = "main",
    commit: str = "c" * 40,
) -> Target:
    return Target(
        root="",
        kind="git",
        repository="example.com/shop",
        scope=scope,
        scope_basis="given",
        line=line,
        commit=commit,
        dirty=dirty,
        changed=changed,
        prefix=prefix,
        files=tuple(SourceFile(path=path, size_bytes=1) for path in files),
    )


# ------------------------------------------------------------------------------- ledgers

GIT = shutil.which("git") or ""


def git(*args: str, cwd: Path, stdin: bytes = b"") -> str:
    env = {"PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "LC_ALL": "C"}
    env |= {f"GIT_{who}_{what}": "t@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    return subprocess.run([GIT, *args], cwd=cwd, env=env, input=stdin, check=True, capture_output=True).stdout.decode()


def sqlite_at(folder: Path, user: str = "a") -> SqliteLedger:
    del user
    return SqliteLedger(str(folder / "ledger.sqlite"))


def git_at(folder: Path, user: str = "a") -> GitLedger:
    """The ledger as `user` sees it: every user is a machine with a cache of its own.

    Killing the process group of the user `killed` ends git as well, wherever it is.
    """
    remote = folder / "remote.git"
    if not remote.exists():
        folder.mkdir(parents=True, exist_ok=True)
        git("init", "-q", "--bare", str(remote), cwd=folder)
    return GitLedger(
        str(remote), "ledger", runner=Runner(own_group=user != "killed"), cache=str(folder / f"cache-{user}"), git=GIT
    )


Place = Callable[..., Ledger]
KINDS: dict[str, Place] = {"sqlite": sqlite_at, "git": git_at}


def events(*names: str) -> list[Entry]:
    return [Entry(type="made-up", version=1, body=b'{"name":"%b"}' % name.encode()) for name in names]


class Story:
    """Runs of one repository, one after another, on one ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.count = 0

    def run(self, *findings: Finding, at_s: int, gone: Sequence[str] = (), **given: Any) -> RecordReceipt:
        """Record a run `at_s` seconds after the tests' beginning; `given` as in `document`."""
        self.count += 1
        request = RecordRequest(
            document=document(*findings, run=f"run-{self.count}", at_s=at_s, **given),
            decision_input=b"{}",
            now=at(at_s),
            required=False,
            read_only=False,
            gone=frozenset(fingerprint(name) for name in gone),
        )
        return record(request, self.ledger)

    def history(self, *, at_s: int = 0, line: str = "main") -> History:
        return recall(
            self.ledger, repository="example.com/shop", line=line, now=at(at_s), required=False, read_only=False
        )

    def events(self, receipt: RecordReceipt) -> list[Event]:
        """The events of a receipt, without the ledger's creation and what changed of the gate."""
        return [event for event in _read(receipt) if not isinstance(event, LedgerCreated | GateChanged)]

    def gate_changes(self, receipt: RecordReceipt) -> list[GateChanged]:
        """What a receipt says to have changed of the gate."""
        return [event for event in _read(receipt) if isinstance(event, GateChanged)]


def _read(receipt: RecordReceipt) -> list[Event]:
    return [msgspec.json.decode(entry.body, type=EVENTS[(entry.type, entry.version)]) for entry in receipt.entries]
