"""Real git repositories for the tests, and the smallest runner of processes."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from secgate.model import Limits, Output
from secgate.repository import Repository


class SubprocessRunner:
    """A ProcessRunner without isolation; it remembers what it started."""

    def __init__(self) -> None:
        self.started: list[tuple[str, ...]] = []

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
        self.started.append(tuple(argv))
        begin = time.monotonic()
        variables = {"PATH": os.environ["PATH"], **(env or {})}
        limit_s = limits.time_s if limits else None
        try:
            done = subprocess.run(
                argv, cwd=cwd, input=stdin, env=variables, capture_output=True, check=False, timeout=limit_s
            )
        except OSError as error:
            return Output(exit_code=127, stdout=b"", stderr=b"", problem=str(error))
        return Output(
            exit_code=done.returncode,
            stdout=done.stdout,
            stderr=done.stderr,
            duration_s=time.monotonic() - begin,
        )


class Git:
    """A repository under construction."""

    def __init__(self, root: Path, scratch: Path, runner: SubprocessRunner) -> None:
        self.root = root
        self.scratch = scratch
        self.runner = runner
        self.seconds = 1_700_000_000
        root.mkdir(parents=True, exist_ok=True)
        scratch.mkdir(parents=True, exist_ok=True)

    def __call__(self, *arguments: str, stdin: bytes = b"", cwd: Path | None = None) -> str:
        self.seconds += 1
        date = f"{self.seconds} +0000"
        done = subprocess.run(
            ["git", *arguments],
            cwd=cwd or self.root,
            input=stdin,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.scratch),
                "GIT_CONFIG_NOSYSTEM": "1",
                "GIT_AUTHOR_NAME": "Ada",
                "GIT_AUTHOR_EMAIL": "ada@example.org",
                "GIT_COMMITTER_NAME": "Ada",
                "GIT_COMMITTER_EMAIL": "ada@example.org",
                "GIT_AUTHOR_DATE": date,
                "GIT_COMMITTER_DATE": date,
                "GIT_ALLOW_PROTOCOL": "file",
            },
            capture_output=True,
            check=True,
        )
        return done.stdout.decode("utf-8", "replace").strip()

    def init(self, *options: str) -> Git:
        self("init", "--quiet", "--initial-branch=main", *options)
        return self

    def write(self, files: Mapping[str, str | bytes]) -> None:
        for name, content in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)

    def commit(self, files: Mapping[str, str | bytes] | None = None, message: str = "change") -> str:
        self.write(files or {})
        self("add", "--all")
        self("commit", "--quiet", "--allow-empty", "--no-verify", "--message", message)
        return self("rev-parse", "HEAD")

    def open(self, path: Path | None = None) -> Repository:
        program = shutil.which("git")
        assert program
        repository = Repository.open(self.runner, str(path or self.root), str(self.scratch), program)
        assert repository is not None
        return repository


@pytest.fixture
def runner() -> SubprocessRunner:
    return SubprocessRunner()


@pytest.fixture
def git(tmp_path: Path, runner: SubprocessRunner) -> Git:
    """An empty repository in `tmp_path/repo`, with scratch space beside it."""
    return Git(tmp_path / "repo", tmp_path / "scratch", runner).init()
