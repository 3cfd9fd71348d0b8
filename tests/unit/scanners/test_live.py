"""The adapters with the tools themselves: the two entries of semgrep, and nothing that leaves the machine."""

from __future__ import annotations

import shutil
import socket
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from secgate.executors.local import LocalExecutor
from secgate.executors.standby import Standby, Waiting
from secgate.model import Job, Limits, Scope, Source, SourceFile, Target, Tool, View
from secgate.ports import PlanRequest, Scanner
from secgate.scan import ScannerTask, ScanResult, scan
from secgate.scanners.bandit import Bandit
from secgate.scanners.detect_secrets import DetectSecrets
from secgate.scanners.kingfisher import Kingfisher
from secgate.scanners.semgrep import Semgrep
from secgate.scanners.zizmor import Zizmor

SCRIPTS = Path(sys.executable).parent
TOKEN = "ghp_" + "wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx"
TREE = {
    ".bandit": ("[bandit]\nskips: B307\n", ()),
    ".github/workflows/ci.yml": (
        "on: pull_request_target\njobs: {a: {runs-on: x, steps: [{uses: actions/checkout@v4}]}}\n",
        ("github-workflow", "yaml"),
    ),
    ".semgrepignore": ("*.py\n", ()),
    "tests/a.py": (f"eval(x)  # nosec # nosemgrep\ntoken = '{TOKEN}'\n", ("python",)),
    "tests/b.js": ("eval(x)\n", ("javascript",)),
    "tests/c.py": (f"token = '{TOKEN}'  # kingfisher:ignore # pragma: allowlist secret\n", ("python",)),
    ".github/workflows/quiet.yml": (
        (
            "on: push\njobs: {a: {runs-on: x, steps: [\n"
            "  {uses: actions/checkout@v4}  # zizmor: ignore[unpinned-uses] ours\n]}}\n"
        ),
        ("github-workflow", "yaml"),
    ),
}
PACK = "rules:\n- {id: LANG-eval, languages: [LANG], severity: ERROR, message: eval, pattern: eval(...)}\n"
ADAPTERS = (Bandit, DetectSecrets, Kingfisher, Semgrep, Zizmor)


def tool_of(scanner: Scanner) -> Tool:
    assert scanner.spec is not None
    place = shutil.which(scanner.spec.executable, path=str(SCRIPTS))
    if place is None:
        pytest.skip(f"{scanner.name} is not beside the interpreter")
    interpreter = sys.executable if scanner.spec.needs_interpreter else ""
    return Tool(
        name=scanner.name, path=place, version="0", digest="0" * 64, environment="secgate", interpreter=interpreter
    )


@pytest.fixture(scope="module")
def rule_cache(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Compiled rules of kingfisher, made once: it takes them several seconds."""
    return str(tmp_path_factory.mktemp("rules"))


@pytest.fixture
def view(tmp_path: Path) -> View:
    for language in ("python", "javascript"):
        folder = tmp_path / "rules" / "semgrep" / language
        folder.mkdir(parents=True)
        (folder / "pack.yaml").write_text(PACK.replace("LANG", language))
    for path, (text, _) in TREE.items():
        (tmp_path / "view" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "view" / path).write_text(text)
    (tmp_path / "scratch").mkdir()
    return View(root=str(tmp_path / "view"), source=Source.WORK_TREE, digests=dict.fromkeys(TREE, "0" * 64))


def target() -> Target:
    files = tuple(
        SourceFile(path=path, size_bytes=len(text), kinds=(*kinds, "text")) for path, (text, kinds) in TREE.items()
    )
    return Target(root="/t", kind="plain", repository="r", scope=Scope.LOCAL, scope_basis="test", files=files)


def executor(tmp_path: Path, standby: Standby | None = None) -> LocalExecutor:
    return LocalExecutor(
        environment={}, scratch=str(tmp_path / "scratch"), python=sys.executable, parallel=2, standby=standby
    )


def own_settings(make: type[Scanner], rule_cache: str) -> dict[str, Any]:
    return {"rule_cache": rule_cache} if make is Kingfisher else {}


def scanned(
    scanner: Scanner, view: View, tmp_path: Path, *, standby: Standby | None = None, **settings: object
) -> ScanResult:
    task = ScannerTask(scanner=scanner, tool=tool_of(scanner), settings=settings, limits=Limits(time_s=240))
    (result,) = scan(
        [task],
        target=target(),
        view=view,
        executor=executor(tmp_path, standby),
        services={},
        rules_root=str(tmp_path / "rules"),
        offline=True,
        parallel=1,
        now=datetime(2026, 5, 1, tzinfo=UTC),
    )
    return result


@pytest.mark.parametrize("make", ADAPTERS, ids=lambda make: make.name)
def test_the_tool_finds_the_weakness_whatever_the_tree_tells_it(
    make: type[Scanner], view: View, tmp_path: Path, rule_cache: str
) -> None:
    result = scanned(make(), view, tmp_path, **own_settings(make, rule_cache))
    assert [reading.results for reading in result.readings if reading.results], result.invocation
    assert {file.status.value for file in result.invocation.files} == {"covered"}


def test_the_two_entries_of_semgrep_are_equal(view: View, tmp_path: Path) -> None:
    native, python = (scanned(Semgrep(), view, tmp_path, entry=entry) for entry in ("native", "python"))
    assert native.readings
    assert [reading.results for reading in native.readings] == [reading.results for reading in python.readings]
    assert native.invocation.files == python.invocation.files


def test_a_nosemgrep_comment_becomes_a_claim(view: View, tmp_path: Path) -> None:
    results = [found for reading in scanned(Semgrep(), view, tmp_path).readings for found in reading.results]
    assert {found.path: [claim.text for claim in found.suppressions] for found in results} == {
        "tests/a.py": ["nosemgrep"],
        "tests/b.js": [],
    }


@pytest.mark.parametrize("make", [Bandit, DetectSecrets, Kingfisher], ids=lambda make: make.name)
def test_a_tool_that_stood_by_opens_no_file_before_the_gate_and_says_the_same(
    make: type[Scanner], view: View, tmp_path: Path, rule_cache: str
) -> None:
    """Fails for a tool that looks at a file as it comes up: then the file is there, and empty."""
    standby = Standby(environment={}, python=sys.executable)
    settings = own_settings(make, rule_cache)
    cold = scanned(make(), view, tmp_path, standby=standby, **settings)
    standby.prepare("")
    try:
        (waiting,) = standby._waiting.values()
        # It has come as far as it will when it takes no more of the processor.
        assert _is_idle_soon(waiting)
        ready = scanned(make(), view, tmp_path, standby=standby, **settings)
        assert standby._waiting == {}, "it was taken"
    finally:
        standby.end()
    assert cold.readings == ready.readings
    assert cold.invocation.options_digest == ready.invocation.options_digest
    assert any(reading.results for reading in ready.readings)


def _is_idle_soon(waiting: Waiting) -> bool:
    spent = -1
    for _ in range(100):
        time.sleep(0.3)
        fields = Path(f"/proc/{waiting.process_id}/stat").read_text().rpartition(")")[2].split()
        if int(fields[11]) + int(fields[12]) == spent and fields[0] == "S":
            return True
        spent = int(fields[11]) + int(fields[12])
    return False


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (Bandit, "# nosec # nosemgrep"),
        (DetectSecrets, "pragma: allowlist secret"),
        (Kingfisher, "kingfisher:ignore # pragma: allowlist secret"),
        (Semgrep, "nosemgrep"),
        (Zizmor, "# zizmor: ignore[unpinned-uses] ours"),
    ],
    ids=lambda one: getattr(one, "name", None),
)
def test_threat_06_each_tool_s_own_comment_hides_nothing_and_is_told(
    make: type[Scanner], text: str, view: View, tmp_path: Path, rule_cache: str
) -> None:
    result = scanned(make(), view, tmp_path, **own_settings(make, rule_cache))
    assert text in {c.text for reading in result.readings for one in reading.results for c in one.suppressions}


# ------------------------------------------------------------------------------------------------ nothing goes out


class Trap:
    """A listener on the loopback interface that counts who comes."""

    def __init__(self) -> None:
        self.callers = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                caller, _ = self._socket.accept()
            except OSError:
                return
            self.callers += 1
            caller.close()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)


@pytest.fixture
def trap() -> Iterator[Trap]:
    trap = Trap()
    yield trap
    trap.close()


def with_trap(job: Job, trap: Trap) -> Job:
    names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
    return msgspec.structs.replace(job, env={**job.env, **dict.fromkeys(names, trap.address)})


def run_jobs(scanner: Scanner, jobs: list[Job], view: View, tmp_path: Path) -> list[int]:
    outputs = executor(tmp_path).execute(
        jobs,
        view=view,
        tools={scanner.name: tool_of(scanner)},
        services={},
        rules_root=str(tmp_path / "rules"),
        on_end=lambda _job, _output: None,
    )
    return [output.exit_code for output in outputs.values()]


def planned(scanner: Scanner, view: View, tmp_path: Path, rule_cache: str) -> list[Job]:
    request = PlanRequest(
        target=target(),
        view=view,
        files=tuple(file for file in target().files if scanner.supports(file)),
        settings=own_settings(type(scanner), rule_cache),
        rules_root=str(tmp_path / "rules"),
        offline=True,
        parallel=1,
        read=lambda path: (Path(view.root) / path).read_bytes(),
        limits=Limits(time_s=240),
        evaluated_epoch_s=0,
    )
    return list(scanner.plan(request))


@pytest.mark.parametrize("make", ADAPTERS, ids=lambda make: make.name)
def test_nothing_is_sent(make: type[Scanner], view: View, tmp_path: Path, trap: Trap, rule_cache: str) -> None:
    jobs = [with_trap(job, trap) for job in planned(make(), view, tmp_path, rule_cache)]
    assert jobs
    run_jobs(make(), jobs, view, tmp_path)
    assert trap.callers == 0


def test_the_trap_catches_kingfisher_once_its_options_are_taken_away(
    view: View, tmp_path: Path, trap: Trap, rule_cache: str
) -> None:
    (job,) = planned(Kingfisher(), view, tmp_path, rule_cache)
    talking = tuple(part for part in job.argv if part not in {"--no-validate", "--no-update-check"})
    run_jobs(Kingfisher(), [with_trap(msgspec.structs.replace(job, argv=talking), trap)], view, tmp_path)
    assert trap.callers > 0
