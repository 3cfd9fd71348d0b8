"""What every scanner must keep to, a third party's too: run over recorded outputs and over broken ones."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from secgate.errors import OutputError
from secgate.model import FileStatus, Job, Limits, Output, ScanStatus, Scope, Slot, Source, SourceFile, Target, View
from secgate.ports import PlanRequest, Scanner
from secgate.scanners.bandit import Bandit
from secgate.scanners.checkov import Checkov
from secgate.scanners.detect_secrets import DetectSecrets
from secgate.scanners.infrastructure import Infrastructure
from secgate.scanners.kingfisher import Kingfisher
from secgate.scanners.semgrep import Semgrep
from secgate.scanners.zizmor import Zizmor
from tests.recorded import FIXTURES, recorded

SCANNERS: tuple[Callable[[], Scanner], ...] = (
    Bandit,
    Checkov,
    DetectSecrets,
    Infrastructure,
    Kingfisher,
    Semgrep,
    Zizmor,
)
KINDS = {
    "checkov": ("terraform", "text"),
    "secgate-iac": ("terraform", "text"),
    "zizmor": ("github-workflow", "yaml", "text"),
}
NAMES = ("-option.py", "a\nb.py", "a b#c.py", "{view}", "deep/a.py", "é.py", os.fsdecode(b"\xff.py"))

scanners = pytest.mark.parametrize("make", SCANNERS, ids=lambda make: make.name)


def cases(scanner: Scanner) -> list[str]:
    return sorted(place.stem for place in (FIXTURES / scanner.name).glob("*/*.json"))


def request_for(scanner: Scanner, *names: str, settings: dict[str, object] | None = None) -> PlanRequest:
    kinds = KINDS.get(scanner.name, ("python", "text"))
    return PlanRequest(
        target=Target(root="/t", kind="plain", repository="r", scope=Scope.LOCAL, scope_basis="test"),
        view=View(root="/view", source=Source.WORK_TREE, digests={}),
        files=tuple(SourceFile(path=name, size_bytes=1, kinds=kinds) for name in sorted(names)),
        settings=settings or {},
        rules_root="/rules",
        offline=True,
        parallel=2,
        read=lambda _path: b"password = 'made-up-pass1'\n",
        limits=Limits(time_s=7),
        evaluated_epoch_s=0,
    )


def plan(scanner: Scanner, *names: str) -> tuple[Job, ...]:
    return scanner.plan(request_for(scanner, *names))


@scanners
def test_has_every_member_of_the_protocol(make: Callable[[], Scanner]) -> None:
    scanner = make()
    assert isinstance(scanner, Scanner)
    assert scanner.lanes
    assert scanner.outgoing


@scanners
def test_declares_options_that_may_all_be_left_out(make: Callable[[], Scanner]) -> None:
    form = make().options
    assert form() is not None
    assert form.__struct_config__.forbid_unknown_fields
    described = msgspec.json.schema(form)["$defs"][form.__name__]["properties"]
    assert all(one["description"] for one in described.values())


@scanners
def test_plans_nothing_for_nothing(make: Callable[[], Scanner]) -> None:
    assert plan(make()) == ()


@scanners
def test_plan_is_the_same_twice(make: Callable[[], Scanner]) -> None:
    assert plan(make(), "a.py", "b.py") == plan(make(), "a.py", "b.py")


@scanners
def test_every_file_is_some_jobs_task(make: Callable[[], Scanner]) -> None:
    names = [f"deep/folder/{number}.py" for number in range(5000)]
    jobs = plan(make(), *names)
    assert {path for job in jobs for path in job.files} == set(names)
    assert len({job.name for job in jobs}) == len(jobs)
    assert all(job.name.startswith(make().name) and job.scanner == make().name for job in jobs)


@scanners
def test_limits_are_passed_on_and_nothing_uses_the_network(make: Callable[[], Scanner]) -> None:
    for job in plan(make(), "a.py"):
        assert (job.limits.time_s, job.network) == (7, False)


@scanners
def test_no_file_name_can_be_an_option_or_a_place(make: Callable[[], Scanner]) -> None:
    for job in plan(make(), *NAMES):
        given = [part for part in job.argv if isinstance(part, str)]
        assert not set(NAMES) & set(given)
        assert all(not isinstance(part, Slot) or "/view" not in part.suffix for part in job.argv)


@scanners
def test_argument_lists_stay_under_the_systems_limit(make: Callable[[], Scanner]) -> None:
    for job in plan(make(), *(f"{'d' * 200}/{number}.py" for number in range(3000))):
        assert sum(len(os.fsencode(part)) for part in job.argv if isinstance(part, str)) < 131_072


@scanners
def test_reads_recorded_outputs_the_same_twice(make: Callable[[], Scanner]) -> None:
    for case in cases(make()):
        job, output = recorded(make().name, case)
        assert make().read(job, output) == make().read(job, output)


@scanners
def test_a_clean_tree_is_covered_and_without_results(make: Callable[[], Scanner]) -> None:
    case = next(case for case in cases(make()) if case.startswith("clean"))
    job, output = recorded(make().name, case)
    reading = make().read(job, output)
    assert (reading.status, reading.results) == (ScanStatus.COMPLETED, ())
    assert {file.path for file in reading.files if file.status is FileStatus.COVERED} == set(job.files)


@scanners
def test_findings_are_found(make: Callable[[], Scanner]) -> None:
    case = next(case for case in cases(make()) if case.startswith("findings"))
    job, output = recorded(make().name, case)
    reading = make().read(job, output)
    assert reading.results
    assert {result.path for result in reading.results} <= set(job.files)
    assert {result.rule for result in reading.results} <= {rule.id for rule in reading.rules}
    assert all(result.region.start_line >= 1 for result in reading.results)


@scanners
@pytest.mark.parametrize("output", [b"", b"\n", b"{", b"[]x", b"null", b'"text"', b"\xff\xfe", b"[" * 100_000])
def test_broken_output_is_an_error_though_the_tool_exits_0(make: Callable[[], Scanner], output: bytes) -> None:
    job, _ = recorded(make().name, cases(make())[0])
    with pytest.raises(OutputError):
        make().read(job, Output(exit_code=0, stdout=output, stderr=b""))


@scanners
def test_output_cut_anywhere_is_an_error(make: Callable[[], Scanner]) -> None:
    job, output = recorded(make().name, next(case for case in cases(make()) if case.startswith("findings")))
    text = output.stdout.rstrip()
    for end in range(1, len(text), max(1, len(text) // 40)):
        with pytest.raises(OutputError):
            make().read(job, msgspec.structs.replace(output, stdout=text[:end]))


@scanners
@pytest.mark.parametrize("code", [-9, -15, 2, 70, 127])
def test_a_broken_off_run_is_a_crash_whatever_it_wrote(make: Callable[[], Scanner], code: int) -> None:
    job, output = recorded(make().name, next(case for case in cases(make()) if case.startswith("findings")))
    reading = make().read(job, msgspec.structs.replace(output, exit_code=code))
    assert reading.status is ScanStatus.CRASHED
    assert (reading.results, reading.files) == ((), ())


@scanners
def test_secrets_stand_only_where_they_are_named(make: Callable[[], Scanner]) -> None:
    """Normalise masks `secrets` in every field of the result; nothing else of a reading may hold one."""
    for case in cases(make()):
        job, output = recorded(make().name, case)
        reading = make().read(job, output)
        secrets = {secret for result in reading.results for secret in result.secrets}
        rest = repr((reading.rules, reading.files, reading.notices, reading.reason))
        assert not [secret for secret in secrets if secret in rest]


@scanners
def test_recordings_name_no_place_of_a_machine(make: Callable[[], Scanner]) -> None:
    for place in (FIXTURES / make().name).glob("*/*.json"):
        text = Path(place).read_text(encoding="utf-8")
        assert "/tmp/" not in text
        assert "/root/" not in text
