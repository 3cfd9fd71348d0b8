"""The real pip-audit and uv, started as the adapter says, against loopback servers alone."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from secgate.advisories import ImportLimits, build
from secgate.executors.advisory_server import AdvisoryService
from secgate.model import FileStatus, Job, Limits, Output, Reading, Scope, Slot, Source, SourceFile, Target, View
from secgate.ports import PlanRequest
from secgate.scanners.pip_audit import PipAudit

pytestmark = pytest.mark.skipif(importlib.util.find_spec("pip_audit") is None, reason="pip-audit is not installed")

MADE = {
    "id": "PYSEC-2026-1",
    "modified": "2026-01-01T00:00:00Z",
    "aliases": ["CVE-2026-0001"],
    "summary": "A made weakness.",
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "made-package"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.2"}]}],
        }
    ],
}
CODE = "import pathlib\npathlib.Path({marker!r}).write_text('ran')\n"
Trap = tuple[str, list[str]]


@pytest.fixture
def trap() -> Iterator[Trap]:
    """A loopback server that remembers each request and serves nothing: a proxy, or an index of an attacker."""
    heard: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def handle_one_request(self) -> None:
            heard.append(self.rfile.readline().decode("latin-1").strip())
            self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", heard
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def database(tmp_path: Path) -> str:
    (tmp_path / "dump").mkdir()
    (tmp_path / "dump" / "a.json").write_text(json.dumps(MADE))
    now = datetime(2026, 1, 2, tzinfo=UTC)
    build(str(tmp_path / "dump"), str(tmp_path / "db"), now=now, limits=ImportLimits())
    return str(tmp_path / "db")


Start = Callable[..., Output]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Start a job as an executor does, with the variables in `env` beside the job's own."""

    def run(job: Job, *, service: str = "", env: dict[str, str] | None = None) -> Output:
        work = tmp_path / job.name.replace(":", "-")
        work.mkdir()
        for name, blob in job.blobs.items():
            (work / name).write_bytes(blob)
        places = {"work": str(work), "python": sys.executable, "service": service, "view": str(tmp_path / "view")}
        argv = [part if isinstance(part, str) else places[part.name] + part.suffix for part in job.argv]
        assert Slot(name="tool") not in job.argv
        variables = {"PATH": "/usr/bin:/bin", "HOME": str(work), **(env or {}), **job.env}
        place = work if job.cwd == "work" else places["view"]
        done = subprocess.run(argv, cwd=place, env=variables, capture_output=True, check=False, timeout=120)
        return Output(exit_code=done.returncode, stdout=done.stdout, stderr=done.stderr)

    return run


def plan(root: Path, files: dict[str, str], *, offline: bool = True, **settings: object) -> tuple[Job, ...]:
    """Write `files` to the view and plan for its requirements files."""
    for path, text in files.items():
        (root / "view" / path).parent.mkdir(parents=True, exist_ok=True)
        (root / "view" / path).write_text(text)
    request = PlanRequest(
        target=Target(root="/t", kind="plain", repository="t", scope=Scope.LOCAL, scope_basis="test"),
        view=View(root=str(root / "view"), source=Source.WORK_TREE, digests={}),
        files=tuple(
            SourceFile(path=p, size_bytes=len(t), kinds=("pip-requirements",))
            for p, t in sorted(files.items())
            if p.endswith(".txt")
        ),
        settings=settings,
        rules_root="/r",
        offline=offline,
        parallel=2,
        read=lambda path: (root / "view" / path).read_bytes(),
        limits=Limits(),
        evaluated_epoch_s=1_770_000_000,
    )
    return PipAudit().plan(request)


def summary(reading: Reading) -> tuple[list[tuple[str, str, int]], dict[str, FileStatus]]:
    results = [(r.advisory, r.path, r.region.start_line) for r in reading.results]
    return results, {f.path: f.status for f in reading.files}


def through(address: str) -> dict[str, str]:
    return {
        name: address for scheme in ("http", "https", "all") for name in (f"{scheme}_proxy", f"{scheme}_proxy".upper())
    }


def test_an_audit_through_the_loopback_server_contacts_nobody_else(
    tmp_path: Path, start: Start, database: str, trap: Trap
) -> None:
    (job,) = plan(tmp_path, {"a.txt": "# head\nMade_Package==1.0\nother==1.0\n"})
    with AdvisoryService(database).open() as address:
        output = start(job, service=address, env=through(trap[0]))
    wanted = [("PYSEC-2026-1", "a.txt", 2)], {"a.txt": FileStatus.COVERED}
    assert summary(PipAudit().read(job, output)) == wanted
    assert trap[1] == []


def test_the_trap_would_have_heard_it(tmp_path: Path, start: Start, trap: Trap) -> None:
    (job,) = plan(tmp_path, {"a.txt": "made-package==1.0\n"}, offline=False, source="index")
    assert start(job, env=through(trap[0])).exit_code != 0
    assert trap[1]


def test_nothing_of_the_tree_runs(tmp_path: Path, start: Start, database: str) -> None:
    marker = str(tmp_path / "ran")
    code = CODE.format(marker=marker)
    names = (
        "setup.py",
        "sitecustomize.py",
        "pip/__main__.py",
        "pip/__init__.py",
        "pip_audit.py",
        "uv/__main__.py",
        "json.py",
    )
    tree = dict.fromkeys(names, code)
    (job,) = plan(tmp_path, {"a.txt": "-e .\n./\nmade-package==1.0\n", "pip.conf": "", **tree})
    with AdvisoryService(database).open() as address:
        output = start(job, service=address)
    results, statuses = summary(PipAudit().read(job, output))
    assert not Path(marker).exists()
    assert (len(results), statuses) == (1, {"a.txt": FileStatus.FAILED})


def test_a_server_that_is_gone_is_no_clean_answer(tmp_path: Path, start: Start) -> None:
    (job,) = plan(tmp_path, {"a.txt": "made-package==1.0\n"})
    output = start(job, service="http://127.0.0.1:9/v1/query")
    assert (output.exit_code, output.stdout) == (1, b"")


def wheel(folder: Path, name: str, version: str, *requires: str) -> None:
    """Write a wheel that holds metadata alone, and its page of a simple index."""
    file = f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
    page = folder / "simple" / name
    page.mkdir(parents=True)
    with zipfile.ZipFile(page / file, "w") as target:
        lines = [
            "Metadata-Version: 2.1",
            f"Name: {name}",
            f"Version: {version}",
            *(f"Requires-Dist: {r}" for r in requires),
        ]
        info = f"{name}-{version}.dist-info"
        target.writestr(f"{info}/METADATA", "\n".join(lines) + "\n")
        target.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        target.writestr(f"{info}/RECORD", "")
    (page / "index.html").write_text(f'<a href="{file}">{file}</a>')


def sdist(folder: Path, name: str, version: str, code: str) -> None:
    """Write a source distribution whose setup.py is `code`, and its page of a simple index."""
    import io
    import tarfile

    file = f"{name}-{version}.tar.gz"
    page = folder / "simple" / name
    page.mkdir(parents=True)
    with tarfile.open(page / file, "w:gz") as target:
        info = tarfile.TarInfo(f"{name}-{version}/setup.py")
        info.size = len(code)
        target.addfile(info, io.BytesIO(code.encode()))
    (page / "index.html").write_text(f'<a href="{file}">{file}</a>')


@pytest.fixture
def index(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """An operator's package index on the loopback address, and its folder."""
    from functools import partial
    from http.server import SimpleHTTPRequestHandler

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's signature
            """Write nothing."""

    folder = tmp_path / "index"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_address[1]}/simple"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.skipif(importlib.util.find_spec("uv") is None, reason="uv is not installed")
def test_ranges_are_resolved_from_the_operators_index_and_audited(
    tmp_path: Path, start: Start, database: str, index: tuple[Path, str], trap: Trap
) -> None:
    wheel(index[0], "app-lib", "2.0", "made-package<1.2")
    wheel(index[0], "made-package", "1.1")
    text = f"--extra-index-url {trap[0]}/simple\n--find-links {trap[0]}/links\napp-lib>=1\n"
    _, resolve = plan(tmp_path, {"a.txt": text, "uv.toml": f'index-url = "{trap[0]}"\n'}, offline=False)
    reading = PipAudit().read(resolve, start(resolve, env={"UV_DEFAULT_INDEX": index[1]}))
    (job,) = reading.follow_up
    with AdvisoryService(database).open() as address:
        found = PipAudit().read(job, start(job, service=address))
    assert summary(found) == ([("PYSEC-2026-1", "a.txt", 3)], {"a.txt": FileStatus.COVERED})
    assert trap[1] == []


@pytest.mark.skipif(importlib.util.find_spec("uv") is None, reason="uv is not installed")
def test_resolving_builds_nothing(tmp_path: Path, start: Start, index: tuple[Path, str]) -> None:
    marker = str(tmp_path / "ran")
    sdist(index[0], "evil", "1.0", CODE.format(marker=marker))
    _, resolve = plan(tmp_path, {"a.txt": "evil\n"}, offline=False)
    reading = PipAudit().read(resolve, start(resolve, env={"UV_DEFAULT_INDEX": index[1]}))
    assert not Path(marker).exists()
    assert summary(reading) == ([], {"a.txt": FileStatus.FAILED})


def test_the_real_snapshot_gives_fourteen_advisories(tmp_path: Path, start: Start) -> None:
    data = Path(os.environ.get("SECGATE_TEST_DATA", Path(__file__).parents[3].parent / "shared" / "data"))
    source = data / "advisories" / "PyPI-all.zip"
    if not source.is_file():
        pytest.skip(f"no test data at {source}; set SECGATE_TEST_DATA")
    build(str(source), str(tmp_path / "db"), now=datetime(2026, 1, 2, tzinfo=UTC), limits=ImportLimits())
    (job,) = plan(tmp_path, {"a.txt": "flask==0.12\njinja2==2.10\nrequests==2.19.0\nurllib3==1.24\n"})
    with AdvisoryService(str(tmp_path / "db")).open() as address:
        results, statuses = summary(PipAudit().read(job, start(job, service=address)))
    assert (len(results), statuses) == (14, {"a.txt": FileStatus.COVERED})
