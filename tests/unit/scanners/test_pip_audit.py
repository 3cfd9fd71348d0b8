"""pip-audit's adapter: what it asks, for whom, and what it makes of recorded answers."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from secgate.errors import ConfigError, OutputError
from secgate.manifests import KINDS
from secgate.model import (
    FileStatus,
    Job,
    Limits,
    Output,
    Reading,
    ScanStatus,
    Scope,
    Severity,
    Slot,
    Source,
    SourceFile,
    Target,
    View,
)
from secgate.ports import PlanRequest, Scanner
from secgate.scanners.pip_audit import PipAudit

RECORDED = Path(__file__).parents[2] / "fixtures" / "pip-audit" / "2.10.1"
FOUR = b"flask==0.12\njinja2==2.10\n\nrequests==2.19.0\nurllib3==1.24\n"


def request(
    files: dict[str, tuple[str, bytes]], *, offline: bool = True, settings: dict[str, object] | None = None
) -> PlanRequest:
    return PlanRequest(
        target=Target(root="/t", kind="plain", repository="t", scope=Scope.LOCAL, scope_basis="test"),
        view=View(root="/v", source=Source.WORK_TREE, digests={}),
        files=tuple(
            SourceFile(path=path, size_bytes=len(data), kinds=(kind, "text"))
            for path, (kind, data) in sorted(files.items())
            if kind in KINDS
        ),
        settings=settings or {},
        rules_root="/r",
        offline=offline,
        parallel=2,
        read=lambda path: files[path][1],
        limits=Limits(),
        evaluated_epoch_s=1_770_000_000,
    )


def plan(data: bytes, *, offline: bool = True, **settings: object) -> tuple[Job, ...]:
    files = {"requirements.txt": ("pip-requirements", data)}
    return PipAudit().plan(request(files, offline=offline, settings=settings))


def recorded(name: str, *, exit_code: int = 0) -> Output:
    return Output(exit_code=exit_code, stdout=(RECORDED / name).read_bytes(), stderr=b"")


def answer(*dependencies: dict[str, object]) -> Output:
    return Output(exit_code=0, stdout=json.dumps({"dependencies": dependencies, "fixes": []}).encode(), stderr=b"")


def asked(job: Job) -> list[str]:
    return job.blobs["requirements.txt"].decode().splitlines()


def statuses(reading: Reading) -> dict[str, tuple[FileStatus, str]]:
    return {f.path: (f.status, f.reason.split(":")[0]) for f in reading.files}


def test_it_is_a_scanner() -> None:
    assert isinstance(PipAudit(), Scanner)


def test_four_vulnerable_packages_are_fourteen_results_at_their_lines() -> None:
    (job,) = plan(FOUR)
    reading = PipAudit().read(job, recorded("four-vulnerable.json", exit_code=1))
    assert reading.status is ScanStatus.COMPLETED
    assert statuses(reading) == {"requirements.txt": (FileStatus.COVERED, "")}
    lines = [(r.package.name, r.region.start_line) for r in reading.results if r.package]
    assert len(lines) == 14
    assert sorted(set(lines)) == [("flask", 1), ("jinja2", 2), ("requests", 4), ("urllib3", 5)]
    assert {(r.severity, r.severity_basis, r.score) for r in reading.results} == {(Severity.HIGH, "unscored", None)}


def test_a_result_names_advisory_aliases_fixes_and_remedy() -> None:
    (job,) = plan(b"made-package==1.0\nother==1.0")
    (result,) = PipAudit().read(job, recorded("made.json", exit_code=1)).results
    assert (result.rule, result.advisory, result.aliases) == ("CVE-2026-0001", "CVE-2026-0001", ("MADE-2026-1",))
    assert result.package is not None
    assert result.package.fixed_versions == ("1.2", "2.1")
    assert result.remedy == "upgrade made-package to 1.2 or later"
    assert "A made weakness." in result.message


def test_no_known_vulnerabilities_with_everything_skipped_is_not_clean() -> None:
    (job,) = plan(b"flask==0.12\njinja2==2.10\n")
    reading = PipAudit().read(job, recorded("all-skipped.json"))
    assert b"No known vulnerabilities found" in (RECORDED / "all-skipped.stderr").read_bytes()
    assert statuses(reading) == {"requirements.txt": (FileStatus.FAILED, "advisories-missing")}
    reason = reading.files[0].reason
    assert reason.startswith("advisories-missing: no answer for 2 of 2 packages: flask 0.12, jinja2 2.10: ")
    assert reason.endswith("could not be audited")


_PROXY = (RECORDED / "proxy-refused.stderr").read_bytes()
_HELD = b"requests.exceptions.HTTPError: 503 Server Error\n\npip_audit._service.interface.ServiceError\n"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (_PROXY, "the proxy that HTTPS_PROXY names let nothing through"),
        (b"requests.exceptions.SSLError: (Caused by SSLError('[SSL: CERTIFICATE_VERIFY_FAILED]", "REQUESTS_CA_BUNDLE"),
        (
            b"requests.exceptions.ConnectionError: HTTPSConnectionPool(host='u:pw@proxy')",
            "there was no connection to it",
        ),
        (b"ERROR:pip_audit._cli:Tip: your network may be blocking this service.", "there was no connection to it"),
        (_HELD, "it answered with an error"),
    ],
)
def test_a_source_that_nobody_reaches_is_not_a_report_that_cannot_be_read(said: bytes, why: str) -> None:
    (job,) = plan(FOUR, offline=False)
    reading = PipAudit().read(job, Output(exit_code=1, stdout=b"", stderr=said))
    assert reading.status is ScanStatus.UNAVAILABLE
    assert reading.reason.startswith("the source of advisories could not be asked: ")
    assert why in reading.reason
    assert "pw" not in reading.reason


def test_no_report_for_another_cause_stays_unreadable() -> None:
    (job,) = plan(FOUR)
    with pytest.raises(OutputError, match="pip-audit wrote no report"):
        PipAudit().read(job, Output(exit_code=1, stdout=b"", stderr=b"ERROR:pip_audit._cli:invalid requirements input"))


def test_packages_that_nobody_knows_are_counted_and_what_is_known_of_the_others_stays() -> None:
    unknown = [f"own-{number}" for number in range(5)]
    (job,) = plan("\n".join(f"{name}==1" for name in ["demo", *unknown]).encode())
    told: list[dict[str, object]] = [{"name": name, "skip_reason": "not on the index"} for name in unknown]
    leak = {"id": "MADE-1", "fix_versions": ["2"], "aliases": [], "description": ""}
    reading = PipAudit().read(job, answer({"name": "demo", "version": "1", "vulns": [leak]}, *told))
    (file,) = reading.files
    assert file.reason == (
        "skipped-by-tool: no answer for 5 of 6 packages: own-0 1, own-1 1, own-2 1 and 2 more: not on the index"
    )
    assert [result.advisory for result in reading.results] == ["MADE-1"]


def test_a_package_that_the_answer_leaves_out_fails_its_manifest_alone() -> None:
    files = {
        "a/req.txt": ("pip-requirements", b"six==1.16.0"),
        "b/req.txt": ("pip-requirements", b"gone==1\nclick==8.1.7"),
    }
    (job,) = PipAudit().plan(request(files))
    reading = PipAudit().read(job, recorded("clean.json"))
    assert statuses(reading) == {
        "a/req.txt": (FileStatus.COVERED, ""),
        "b/req.txt": (FileStatus.FAILED, "skipped-by-tool"),
    }


@pytest.mark.parametrize("exit_code", [0, 1])
def test_exit_codes_alone_decide_nothing(exit_code: int) -> None:
    (job,) = plan(b"six==1.16.0\nclick==8.1.7")
    reading = PipAudit().read(job, recorded("clean.json", exit_code=exit_code))
    assert (reading.status, reading.results) == (ScanStatus.COMPLETED, ())


@pytest.mark.parametrize(
    "stdout",
    [
        (RECORDED / "two-versions.json").read_bytes(),
        b"",
        b"\n",
        b"{}",
        b'{"dependencies": []}',
        (RECORDED / "clean.json").read_bytes()[:-20],
        b"[" * 100_000,
        b'{"dependencies": [{"name": "stranger", "version": "1", "vulns": []}], "fixes": []}',
        b'{"dependencies": [{"name": "six", "version": "wat", "vulns": []}], "fixes": []}',
    ],
    ids=lambda value: value[:12],
)
def test_empty_cut_or_other_output_is_an_error(stdout: bytes) -> None:
    (job,) = plan(b"six==1.16.0")
    with pytest.raises(OutputError):
        PipAudit().read(job, Output(exit_code=0, stdout=stdout, stderr=b""))


@pytest.mark.parametrize(
    ("output", "status"),
    [
        (Output(exit_code=-9, stdout=b"", stderr=b"", timed_out=True), ScanStatus.TIMED_OUT),
        (Output(exit_code=0, stdout=b"{", stderr=b"", truncated=True), ScanStatus.TRUNCATED),
        (Output(exit_code=2, stdout=b"", stderr=b""), ScanStatus.CRASHED),
        (Output(exit_code=-11, stdout=b"{}", stderr=b""), ScanStatus.CRASHED),
        (Output(exit_code=1, stdout=b"", stderr=b"", problem="no service advisories"), ScanStatus.UNAVAILABLE),
        (Output(exit_code=1, stdout=b"", stderr=b"", problem="no such file"), ScanStatus.MISSING),
    ],
)
def test_a_run_that_did_not_end_well_says_how(output: Output, status: ScanStatus) -> None:
    (job,) = plan(b"six==1.16.0")
    reading = PipAudit().read(job, output)
    assert (reading.status, reading.results, reading.files) == (status, (), ())


def test_two_versions_of_one_package_are_asked_in_lists_of_their_own() -> None:
    first, second = plan(b"a==1.10\na==1.9 ; python_version<'3'\nb==2\n")
    assert (asked(first), asked(second)) == (["a==1.9", "b==2"], ["a==1.10"])
    ok: list[dict[str, object]] = [
        {"name": "a", "version": "1.9", "vulns": []},
        {"name": "b", "version": "2", "vulns": []},
    ]
    assert statuses(PipAudit().read(first, answer(*ok))) == {"requirements.txt": (FileStatus.COVERED, "")}
    assert statuses(PipAudit().read(first, answer(*ok[1:]))) == {
        "requirements.txt": (FileStatus.FAILED, "skipped-by-tool")
    }
    last = PipAudit().read(second, answer({"name": "a", "version": "1.10", "vulns": []}))
    assert statuses(last) == {"requirements.txt": (FileStatus.COVERED, "")}


def test_a_file_without_packages_is_covered_without_a_database() -> None:
    (job,) = plan(b"# nothing\n")
    assert job.service == ""
    assert Slot(name="service") not in job.argv
    reading = PipAudit().read(job, recorded("empty-list.json"))
    assert statuses(reading) == {"requirements.txt": (FileStatus.COVERED, "")}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"a>=1\n", "unpinned"),
        (b"-e .\n", "unpinned"),
        (b"git+https://h/x\n", "unpinned"),
        (b"wat wat\n", "parse-error"),
        (b"-r ../x\n", "unreadable"),
        (b"a==1 \xff\n", "not-utf8"),
    ],
)
def test_what_is_not_asked_about_fails_its_manifest(data: bytes, code: str) -> None:
    (job,) = plan(data)
    assert statuses(PipAudit().read(job, recorded("empty-list.json"))) == {
        "requirements.txt": (FileStatus.FAILED, code)
    }


def test_a_lock_stands_for_the_project_file_beside_it() -> None:
    lock = b"version = 1\n[[package]]\nname='six'\nversion='1.16.0'\nsource={registry='https://index.test/simple'}\n"
    lock += b"[[package]]\nname='click'\nversion='8.1.7'\nsource={registry='https://index.test/simple'}\n"
    project = b"[project]\nname='app'\ndependencies=['six>1']\n"
    (job,) = PipAudit().plan(request({"pyproject.toml": ("pyproject", project), "uv.lock": ("uv-lock", lock)}))
    reading = PipAudit().read(job, recorded("clean.json"))
    assert {status for status, _ in statuses(reading).values()} == {FileStatus.COVERED}
    pins = msgspec.json.decode(job.blobs["plan.json"])["pins"]
    assert {p["name"]: p["direct"] for p in pins} == {"six": True, "click": False}


def test_indexes_of_the_tree_are_reported_and_in_no_argument() -> None:
    (job,) = plan(b"--extra-index-url https://me:secret@evil.test/simple\nsix==1.16.0\nclick==8.1.7\n")
    assert "evil" not in repr(job.argv) + repr(job.env) + job.blobs["requirements.txt"].decode()
    notices = PipAudit().read(job, recorded("clean.json")).notices
    assert any("https://evil.test/simple" in n and "not used" in n for n in notices)
    assert not any("secret" in n for n in notices)


def test_jobs_are_the_same_each_time() -> None:
    assert plan(FOUR, offline=False) == plan(FOUR, offline=False)


def test_only_lines_that_secgate_wrote_reach_a_tool() -> None:
    requirements = b"-e .\n./setup.py\n-r evil.txt\nok==1 --global-option=x\na[b] ; os_name=='x'\n"
    project = (
        b"[project]\ndependencies = [\"q ; os_name == 'x\\n-e .\\n'\", 'r>1']\n"
        b"[tool.poetry.dependencies]\n\"s\\n-e .\" = '^1'\nt = {version = '^1', extras = [\"u]\\n-e .\"]}\n"
    )
    hostile = {
        "requirements.txt": ("pip-requirements", requirements),
        "evil.txt": ("text", b"--index-url http://evil.test/\nfile:///etc/passwd\nc==2\n"),
        "poetry.lock": ("poetry-lock", b"[[package]]\nname = \"x\\n-e .\\ny\"\nversion = '1'\n[metadata]\n"),
        "uv.lock": ("uv-lock", b'version = 1\n[[package]]\nname = "x"\nversion = "1\\n-e ."\n'),
        "pyproject.toml": ("pyproject", project),
    }
    jobs = PipAudit().plan(request(hostile, offline=False))
    lines = [line for job in jobs for line in asked(job)]
    assert set(lines) == {'a[b] ; os_name == "x"', "c==2", "ok==1", "r>1"}
    assert all(job.cwd == "work" for job in jobs)
    assert all({"--no-deps", "--disable-pip"} <= set(job.argv) for job in jobs if "pip_audit" in job.argv)


@pytest.mark.parametrize(
    ("source", "wanted", "network"),
    [("local", "--osv-url", False), ("index", "pypi", True), ("osv", "osv", True)],
)
def test_sources(source: str, wanted: str, network: bool) -> None:
    (job,) = plan(b"a==1", offline=False, source=source)
    assert wanted in job.argv
    assert (job.network, bool(job.service), Slot(name="service") in job.argv) == (network, not network, not network)


def test_offline_only_the_local_database_is_asked() -> None:
    (job,) = plan(b"a==1\nb>1", offline=True, source="osv")
    assert (job.network, job.service) == (False, "advisories")


def test_nothing_is_planned_with_a_wrong_setting() -> None:
    """Whoever plans has looked them over and named all of them: `preparation.own_settings`."""
    with pytest.raises(ConfigError) as caught:
        plan(b"a==1", source="elsewhere", resolve="maybe")
    assert [place for place, _, _ in caught.value.faults] == ["scanners.pip-audit.options"]


RESOLVED = b"flask==0.12.5             # via -r requirements.txt\njinja2==2.10 ; os_name == 'x'    # via flask\n"


def test_ranges_are_resolved_and_then_audited() -> None:
    audit, resolve = plan(b"six==1.16.0\n\nflask<1\n", offline=False)
    assert asked(audit) == ["six==1.16.0"]
    assert asked(resolve) == ["flask<1", "six==1.16.0"]
    assert {"--no-build", "--no-config", "--no-sources"} <= set(resolve.argv)
    first = PipAudit().read(audit, answer({"name": "six", "version": "1.16.0", "vulns": []}))
    assert first.files[0].reason == "resolved at 2026-02-02T02:40:00Z"
    assert resolve.files == ("requirements.txt",)  # so that the manifest fails when this job does
    (job,) = PipAudit().read(resolve, Output(exit_code=0, stdout=RESOLVED + b"six==1.16.0\n", stderr=b"")).follow_up
    assert asked(job) == ["flask==0.12.5", "jinja2==2.10"]
    vulnerable: dict[str, object] = {"id": "X-1", "fix_versions": [], "aliases": [], "description": ""}
    reading = PipAudit().read(
        job,
        answer(
            {"name": "flask", "version": "0.12.5", "vulns": []},
            {"name": "jinja2", "version": "2.10", "vulns": [vulnerable]},
        ),
    )
    assert [(f.status, f.reason) for f in reading.files] == [(FileStatus.COVERED, "resolved at 2026-02-02T02:40:00Z")]
    (result,) = reading.results
    assert result.package is not None
    assert (result.path, result.region.start_line, result.package.direct) == ("requirements.txt", 3, False)


@pytest.mark.parametrize(
    "output",
    [
        Output(exit_code=1, stdout=b"", stderr=b"No solution found"),
        Output(exit_code=0, stdout=b"", stderr=b""),
        Output(exit_code=0, stdout=RESOLVED, stderr=b"", truncated=True),
        Output(exit_code=-9, stdout=RESOLVED, stderr=b"", timed_out=True),
    ],
)
def test_what_cannot_be_resolved_stays_unpinned(output: Output) -> None:
    resolve = plan(b"flask<1\n", offline=False)[1]
    reading = PipAudit().read(resolve, output)
    assert statuses(reading) == {"requirements.txt": (FileStatus.FAILED, "unpinned")}
    assert (reading.follow_up, "lock the packages" in reading.files[0].reason) == ((), True)


def test_what_no_resolver_can_pin_stays_failed_beside_what_it_can() -> None:
    resolve = plan(b"flask<1\n-e .\n", offline=False)[1]
    assert asked(resolve) == ["flask<1"]
    (job,) = PipAudit().read(resolve, Output(exit_code=0, stdout=b"flask==0.12.5\n", stderr=b"")).follow_up
    reading = PipAudit().read(job, answer({"name": "flask", "version": "0.12.5", "vulns": []}))
    assert statuses(reading) == {"requirements.txt": (FileStatus.FAILED, "unpinned")}


def test_a_project_is_spoken_for_with_its_lock() -> None:
    lock = b"version = 1\n" + b"".join(
        b"[[package]]\nname='a'\nversion='%d'\nsource={registry='https://index.test/simple'}\n" % n for n in (1, 2)
    )
    project = b"[project]\nname='app'\ndependencies=['a']\n"
    first, last = PipAudit().plan(request({"pyproject.toml": ("pyproject", project), "uv.lock": ("uv-lock", lock)}))
    for number, job in enumerate((first, last), 1):
        reading = PipAudit().read(job, answer({"name": "a", "version": str(number), "vulns": []}))
        assert job.files == tuple(f.path for f in reading.files) == ("pyproject.toml", "uv.lock")


@pytest.mark.parametrize("stdout", [b"other==1\n", b"flask>=1\n", b"flask @ https://evil.test/x.whl\n", b"\xff"])
def test_a_resolver_that_answers_something_else_is_an_error(stdout: bytes) -> None:
    resolve = plan(b"flask<1\n", offline=False)[1]
    with pytest.raises(OutputError):
        PipAudit().read(resolve, Output(exit_code=0, stdout=stdout, stderr=b""))
