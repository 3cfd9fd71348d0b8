"""The adapter of our own infrastructure pass, on recorded outputs and through the executor."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pytest

from secgate.errors import OutputError
from secgate.executors.local import LocalExecutor
from secgate.executors.standby import Standby
from secgate.model import FileStatus, Limits, Reading, Scope, Severity, Source, SourceFile, Target, View
from secgate.ports import PlanRequest
from secgate.scanners.infrastructure import Infrastructure
from tests.recorded import recorded

RULES = Path(__file__).parents[3] / "rules"


def scan(root: Path, *kinds: tuple[str, str], standby: Standby | None = None) -> Reading:
    """Plan for the files below `root`, run the job, and read what came out."""
    view = root / "view"
    request = PlanRequest(
        target=Target(root=str(view), kind="plain", repository="r", scope=Scope.LOCAL, scope_basis="test"),
        view=View(root=str(view), source=Source.WORK_TREE, digests={}),
        files=tuple(SourceFile(path=path, size_bytes=1, kinds=(kind, "text")) for path, kind in kinds),
        settings={},
        rules_root=str(RULES),
        offline=True,
        parallel=1,
        read=lambda path: (view / path).read_bytes(),
        limits=Limits(time_s=120),
        evaluated_epoch_s=0,
    )
    (job,) = Infrastructure().plan(request)
    (root / "scratch").mkdir(exist_ok=True)
    executor = LocalExecutor(
        environment={}, scratch=str(root / "scratch"), python=sys.executable, parallel=1, standby=standby
    )
    outputs = executor.execute(
        [job], view=request.view, tools={}, services={}, rules_root=str(RULES), on_end=lambda _job, _output: None
    )
    return Infrastructure().read(job, outputs[job.name])


def test_the_pass_runs_as_a_job_and_obeys_no_module_of_the_tree(tmp_path: Path) -> None:
    view = tmp_path / "view"
    (view / "secgate").mkdir(parents=True)
    for name in ("secgate/__init__.py", "regorus.py", "yaml.py", "sitecustomize.py"):
        (view / name).write_text("raise SystemExit('the tree ran')\n")
    (view / "compose.yaml").write_text("services:\n  web:\n    image: a\n    privileged: true\n")
    (view / "bad.yaml").write_text("services: [\n")
    reading = scan(tmp_path, ("compose.yaml", "compose"), ("bad.yaml", "compose"))
    assert [(one.rule, one.region.start_line, one.resource) for one in reading.results] == [
        ("IAC-COMPOSE-PRIVILEGED", 4, "services.web")
    ]
    assert {file.path: file.status for file in reading.files} == {
        "bad.yaml": FileStatus.FAILED,
        "compose.yaml": FileStatus.COVERED,
    }


def test_the_pass_stands_by_until_its_files_are_there(tmp_path: Path) -> None:
    (tmp_path / "view").mkdir()
    standby = Standby(environment={}, python=sys.executable)
    try:
        told = []
        for text in ("privileged: false", "privileged: true"):
            (tmp_path / "view" / "compose.yaml").write_text(f"services:\n  web:\n    image: a\n    {text}\n")
            told.append(scan(tmp_path, ("compose.yaml", "compose"), standby=standby))
            assert standby._waiting == {}
            standby.prepare("")
            assert len(standby._waiting) == 1
    finally:
        standby.end()
    assert [[one.rule for one in reading.results] for reading in told] == [[], ["IAC-COMPOSE-PRIVILEGED"]]


def test_a_result_says_what_its_check_says() -> None:
    reading = Infrastructure().read(*recorded("secgate-iac", "findings.1"))
    found = next(one for one in reading.results if one.rule == "IAC-AWS-S3-PUBLIC-ACL")
    assert (found.resource, found.region.start_line, found.severity) == ("aws_s3_bucket.data", 3, Severity.HIGH)
    assert (found.weakness, found.cwes, found.score) == ("public-storage", (732,), 8.6)
    assert found.remedy
    assert {rule.id for rule in reading.rules} >= {one.rule for one in reading.results}


def test_a_file_that_cannot_be_parsed_failed_and_its_reason_is_a_code() -> None:
    reading = Infrastructure().read(*recorded("secgate-iac", "syntax-error.1"))
    told = {file.path: (file.status, file.reason.partition(":")[0]) for file in reading.files}
    assert told["bad.tf"] == (FileStatus.FAILED, "parse-error")
    assert told["latin.tf"] == (FileStatus.FAILED, "not-utf8")
    assert told["main.tf"] == (FileStatus.COVERED, "")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"version":1', b'"version":2'),
        (b'"schema":"secgate/infrastructure-report",', b""),
        (b'"id":"IAC-COMPOSE-ROOT","resource"', b'"id":"IAC-OTHER-ID","resource"'),
        (b'"path":"main.tf","kind"', b'"path":"other.tf","kind"'),
        (b'"line":3', b'"line":0'),
        (b'"severity":"high"', b'"severity":"grave"'),
        (b'"problem":""', b'"problem":"","more":1'),
    ],
)
def test_a_report_of_another_form_is_an_error(old: bytes, new: bytes) -> None:
    job, output = recorded("secgate-iac", "findings.1")
    assert old in output.stdout
    with pytest.raises(OutputError):
        Infrastructure().read(job, msgspec.structs.replace(output, stdout=output.stdout.replace(old, new, 1)))
