"""The whole product for tests: a machine of its own with stand-ins for the scanners, a clock, and ways to run it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from secgate.advisories import ImportLimits, build
from secgate.config import Machine
from secgate.model import Gap, Lane, Outcome, RunDocument
from secgate.pipeline import RunRequest, run
from secgate.ports import Observer
from secgate.preparation import Silence

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
WEAK = "def answer(text):\n    return eval(text)\n"
CLEAN = "def answer(text):\n    return int(text)\n"
KEY = "AKIA" + "Z7QK3VXWLM5TNB2D"
OTHER_KEY = "AKIA" + "Q2HS6RYCJN4WPE7F"
"""Looks like a credential, and is put together only here."""

PACKAGES = {
    "bandit": ("bandit", "1.9.4"),
    "detect-secrets": ("detect-secrets", "1.5.0"),
    "kingfisher": ("kingfisher-bin", "2.14.0"),
    "pip-audit": ("pip-audit", "2.10.1"),
    "semgrep": ("semgrep", "1.182.0"),
}
"""Tool -> the distribution that carries it and a version in the tested range."""


class Product:
    """A machine below one folder. Nothing of the real machine but git and this interpreter is found from it."""

    def __init__(self, home: Path, **env: str) -> None:
        self.home = home
        self.state = home / "state"
        self.empty = home / "empty"
        for folder in (self.state, self.empty, home / "tmp"):
            folder.mkdir(parents=True, exist_ok=True)
        self.env = {
            "PATH": _few_programs(home / "bin"),
            "HOME": str(home),
            "TMPDIR": str(home / "tmp"),
            "SECGATE_STATE_DIR": str(self.state),
            "SECGATE_OFFLINE": "1",
            **env,
        }
        for name in PACKAGES:
            self.tool(name)

    def tool(self, name: str, how: str = "normal", version: str = "", **behaviour: object) -> Path:
        """Install a stand-in as the tool's environment and give its folder."""
        package, tested = PACKAGES[name]
        root = self.state / "tools" / name
        shutil.rmtree(root, ignore_errors=True)
        (root / "bin").mkdir(parents=True)
        (root / "behaviour.json").write_text(json.dumps({"how": how, **behaviour}))
        (root / "calls").touch()
        text = f"#!{sys.executable} -IS\n" + (Path(__file__).parent / "stand_in.py").read_text()
        for program in (name, "python"):
            (root / "bin" / program).write_text(text)
            (root / "bin" / program).chmod(0o755)
        site = (
            root / "lib" / "python3.11" / "site-packages" / f"{package.replace('-', '_')}-{version or tested}.dist-info"
        )
        site.mkdir(parents=True)
        (site / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: {version or tested}\n")
        return root

    def without(self, name: str) -> None:
        """Remove a tool."""
        shutil.rmtree(self.state / "tools" / name)

    def know(self, advisory: str, package: str, *versions: str, at: datetime = NOW, **more: object) -> None:
        """Make the local advisory database anew, of one advisory; `more` are further parts of its record."""
        affected = [{"package": {"ecosystem": "PyPI", "name": package}, "versions": versions}]
        record = {"id": advisory, "modified": at.isoformat(), "affected": affected, **more}
        dump = tree(self.home / "dump", {"a.json": json.dumps(record)})
        build(str(dump), f"{self.state}/advisories/PyPI.sqlite", now=at, limits=ImportLimits())

    def calls(self, name: str) -> list[list[str]]:
        """Give the argument lists that a stand-in was started with."""
        return [json.loads(line) for line in (self.state / "tools" / name / "calls").read_text().splitlines()]

    def machine(self, cwd: Path | None = None) -> Machine:
        """Give this machine as secgate sees it: its own environment holds no tools."""
        return Machine(
            env=self.env,
            cwd=str(cwd or self.home),
            python=sys.executable,
            prefix=str(self.empty),
            state=str(self.state),
        )

    def run(
        self,
        path: Path,
        *,
        now: datetime = NOW,
        observer: Observer | None = None,
        cwd: Path | None = None,
        **options: object,
    ) -> RunDocument:
        """Run the gate as a program that uses the library would; `options` are RunRequest's."""
        request = RunRequest(path=str(path), **options)  # type: ignore[arg-type]
        return run(request, machine=self.machine(cwd), now=now, observer=observer or Silence())

    def start(
        self, *arguments: str, cwd: Path | None = None, at: datetime | None = None, **env: str
    ) -> subprocess.Popen[bytes]:
        """Start the command line on this machine; `at` is the moment it finds, now by default."""
        module = ("tests.clock", str(int(at.timestamp()))) if at else ("secgate",)
        return subprocess.Popen(
            [sys.executable, "-m", *module, *arguments],
            cwd=cwd or self.home,
            env={**self.env, "PYTHONPATH": str(Path(__file__).parents[1]), **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def cli(self, *arguments: str, cwd: Path | None = None, at: datetime | None = None, **env: str) -> Ended:
        """Run the command line to its end."""
        with self.start(*arguments, cwd=cwd, at=at, **env) as process:
            out, err = process.communicate(timeout=120)
        return Ended(process.returncode, out, err)


class Ended:
    """How a command ended; `out` and `err` are text, `data` the bytes of stdout."""

    def __init__(self, code: int, out: bytes, err: bytes) -> None:
        self.code, self.data = code, out
        self.out, self.err = out.decode(), err.decode()

    def __repr__(self) -> str:
        return f"exit {self.code}\n{self.out}\n{self.err}"


def tree(root: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files below `root` and give it."""
    root.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return root


def outcome(document: RunDocument) -> Outcome:
    """Give the outcome; a run that gives a document has decided."""
    assert document.decision is not None
    return document.decision.outcome


def gaps(document: RunDocument) -> list[Gap]:
    """Give every gap, over all lanes."""
    return [gap for lane in document.coverage.lanes for gap in lane.gaps]


def offered(document: RunDocument, lane: Lane = Lane.SAST) -> int:
    """Give how many files a lane was offered."""
    return next(one.offered for one in document.coverage.lanes if one.lane is lane)


def states(document: RunDocument) -> list[str]:
    """Give the findings' states, sorted."""
    return sorted(finding.state.value for finding in document.findings)


def _few_programs(folder: Path) -> str:
    """Make a PATH on which git and ssh-keygen are and nothing else."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("git", "ssh-keygen"):
        program = shutil.which(name, path=os.environ["PATH"])
        assert program, f"{name} is needed for these tests"
        if not (folder / name).exists():
            (folder / name).symlink_to(program)
    return str(folder)
