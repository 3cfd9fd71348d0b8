"""What each adapter understands of its tool's recorded output."""

from __future__ import annotations

import msgspec
import pytest

from secgate.errors import ConfigError, OutputError
from secgate.model import (
    Confidence,
    EvidenceBasis,
    FileStatus,
    Output,
    RawResult,
    Reading,
    Region,
    ScanStatus,
    Severity,
    Source,
    SourceFile,
    View,
)
from secgate.ports import Scanner
from secgate.scanners.bandit import Bandit
from secgate.scanners.checkov import Checkov
from secgate.scanners.detect_secrets import LARGE_BYTES, DetectSecrets
from secgate.scanners.kingfisher import Kingfisher
from secgate.scanners.semgrep import Semgrep
from secgate.scanners.zizmor import Zizmor
from secgate.suppression import comment_in
from tests.contracts.test_scanners import request_for
from tests.recorded import recorded


def read(scanner: Scanner, case: str) -> Reading:
    return scanner.read(*recorded(scanner.name, case))


def one(reading: Reading, path: str, rule: str) -> RawResult:
    (found,) = [result for result in reading.results if (result.path, result.rule) == (path, rule)]
    return found


def statuses(reading: Reading) -> dict[str, str]:
    return {file.path: file.reason.partition(":")[0] or file.status.value for file in reading.files}


def test_semgrep_uses_the_metadata_of_our_rules() -> None:
    found = one(read(Semgrep(), "findings.python-1"), "tests/weak.py", "python-eval")
    assert (found.severity, found.score, found.confidence) == (Severity.HIGH, 8.8, Confidence.MEDIUM)
    assert (found.weakness, found.cwes, found.remedy) == ("code-injection", (95,), "Use literal_eval.")


def test_semgrep_columns_are_utf8_bytes() -> None:
    found = one(read(Semgrep(), "findings.python-1"), "tests/weak.py", "python-shell")
    # `    café = "é"; ` is 17 characters before the call and 19 bytes with its two accents.
    assert (found.region, found.column_unit) == (
        Region(start_line=5, start_column=19, end_line=5, end_column=49),
        "utf-8",
    )


def test_semgrep_looks_into_folders_it_ignores_by_default() -> None:
    assert {"tests/weak.py", "node_modules/deep/a.py", "-dash.py", "odd\nname #.py", "script"} <= {
        result.path for result in read(Semgrep(), "findings.python-1").results
    }


def test_semgrep_calls_a_broken_file_scanned_so_its_word_is_inferred_only() -> None:
    reading = read(Semgrep(), "syntax-error.python-1")
    assert {(file.path, file.status, file.basis) for file in reading.files} == {
        ("bad.py", FileStatus.COVERED, EvidenceBasis.INFERRED),
        ("good.py", FileStatus.COVERED, EvidenceBasis.INFERRED),
    }


def semgrep_report(errors: list[dict[str, object]], scanned: list[str]) -> Reading:
    job, _ = recorded("semgrep", "syntax-error.python-1")
    report = {"version": "1", "results": [], "errors": errors, "paths": {"scanned": scanned}}
    return Semgrep().read(job, Output(exit_code=0, stdout=msgspec.json.encode(report), stderr=b""))


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("Timeout", "tool-timed-out"), (["PartialParsing", []], "parse-error"), ("Out of memory", "skipped-by-tool")],
)
def test_semgrep_errors_fail_their_file(kind: object, reason: str) -> None:
    reading = semgrep_report([{"type": kind, "level": "warn", "path": "./bad.py"}], ["./bad.py", "./good.py"])
    assert statuses(reading) == {"bad.py": reason, "good.py": "covered"}


def test_semgrep_does_not_vouch_for_a_file_it_dropped() -> None:
    assert statuses(semgrep_report([], ["./good.py"])) == {"good.py": "covered"}


def test_semgrep_error_of_the_rules_is_a_crash() -> None:
    reading = semgrep_report([{"type": "Rule parse error", "level": "error"}], ["./bad.py", "./good.py"])
    assert reading.status is ScanStatus.CRASHED


@pytest.mark.parametrize("settings", [{"entry": "other"}, {"packs": ["relative"]}, {"rule_timeout_s": 0}])
def test_semgrep_refuses_wrong_settings(settings: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        Semgrep().plan(request_for(Semgrep(), "a.py", settings=settings))


def test_semgrep_takes_further_packs_by_place() -> None:
    (job,) = Semgrep().plan(request_for(Semgrep(), "a.py", settings={"packs": ["/etc/rules"]}))
    assert job.argv[job.argv.index("/etc/rules") - 1] == "--config"


def test_semgrep_has_large_files_apart_and_waits_for_three_late_rules_at_the_most() -> None:
    request = request_for(Semgrep(), "a.py", "big.js", "c.py", "d.js", *(f"{at}.py" for at in range(20)))
    sizes = {"big.js": 3_000_000} | {f"{at}.py": 256 * 1024 + 1 for at in range(20)}
    files = tuple(
        msgspec.structs.replace(
            file,
            size_bytes=sizes.get(file.path, 10),
            kinds=("javascript",) if file.path.endswith(".js") else ("python",),
        )
        for file in request.files
    )
    jobs = Semgrep().plan(msgspec.structs.replace(request, files=files))
    assert [(job.name, len(job.files)) for job in jobs] == [
        ("semgrep:python:1", 2),
        ("semgrep:python:2", 16),
        ("semgrep:python:3", 4),
        ("semgrep:javascript:1", 1),
        ("semgrep:javascript:2", 1),
    ]
    assert jobs[4].files == ("big.js",)
    for job in jobs:
        assert job.argv[job.argv.index("--timeout") + 1] == "10"
        assert job.argv[job.argv.index("--timeout-threshold") + 1] == "3"


def test_semgrep_has_script_names_that_it_does_not_know_apart() -> None:
    paths = ("a.cts", "a.d.ts", "a.js", "a.jsx", "a.min.js", "a.mjs", "a.ts", "a.TS", "a.tsx", "d.ts", "none")
    request = request_for(Semgrep(), *paths)
    files = tuple(msgspec.structs.replace(file, kinds=("typescript",)) for file in request.files)
    known, unknown = Semgrep().plan(msgspec.structs.replace(request, files=files))
    assert unknown.files == ("a.TS", "a.cts", "a.d.ts", "none")
    assert "--scan-unknown-extensions" in unknown.argv
    assert "--scan-unknown-extensions" not in known.argv


def test_semgrep_says_that_it_leaves_minified_scripts_out() -> None:
    job, output = recorded("semgrep", "javascript.javascript-1")
    reading = Semgrep().read(msgspec.structs.replace(job, files=(*job.files, "a.min.js", "z.js")), output)
    (gap,) = (file for file in reading.files if file.path == "a.min.js")
    assert (gap.status.value, gap.reason[:16]) == ("failed", "skipped-by-tool:")
    assert not [file for file in reading.files if file.path == "z.js"]


def test_bandit_says_what_it_could_not_parse() -> None:
    assert statuses(read(Bandit(), "syntax-error.1")) == {
        "bad.py": "parse-error",
        "good.py": "covered",
        "latin.py": "parse-error",
    }


def test_bandit_names_the_password_it_quotes() -> None:
    found = one(read(Bandit(), "findings.1"), "odd\nname #.py", "B105")
    assert found.secrets == ("made-up-password",)
    assert found.secrets[0] in found.message


def test_bandit_finds_the_nosec_comment_again() -> None:
    found = one(read(Bandit(), "findings.1"), "odd\nname #.py", "B307")
    assert [claim.text for claim in found.suppressions] == ["# nosec B307 - looked at"]
    assert found.region == Region(start_line=6, start_column=5, end_line=8, end_column=6)


def test_bandit_maps_severity_confidence_and_cwe() -> None:
    found = one(read(Bandit(), "findings.1"), "odd\nname #.py", "B602")
    assert (found.severity, found.confidence, found.cwes) == (Severity.HIGH, Confidence.HIGH, (78,))


def test_kingfisher_lists_each_file_it_scanned() -> None:
    reading = read(Kingfisher(), "findings.1")
    assert {file.basis for file in reading.files} == {EvidenceBasis.LISTED}
    assert len(reading.files) == 7


def test_kingfisher_tells_equal_secrets_twice_and_names_them() -> None:
    found = [result for result in read(Kingfisher(), "findings.1").results if result.path == "a.py"]
    assert [result.region.start_line for result in found] == [1, 2]
    assert all(result.secrets and result.secrets[0] not in result.message for result in found)


def test_kingfisher_columns_count_bytes_from_one() -> None:
    found = next(result for result in read(Kingfisher(), "findings.1").results if result.path == ".hidden/a.py")
    # `café_token = "` is 15 bytes.
    assert found.region == Region(start_line=1, start_column=16, end_line=1, end_column=56)


@pytest.mark.parametrize(
    ("old", "new"),
    [(b'"scan":{"status":"completed"', b'"scan":{"status":"failed"'), (b'"blobs_scanned":1', b'"blobs_scanned":0')],
)
def test_kingfisher_files_without_a_completed_scan_failed(old: bytes, new: bytes) -> None:
    job, output = recorded("kingfisher", "clean.1")
    reading = Kingfisher().read(job, msgspec.structs.replace(output, stdout=output.stdout.replace(old, new)))
    assert statuses(reading) == {"a.py": "skipped-by-tool"}


def test_kingfisher_wants_an_absolute_rule_cache() -> None:
    with pytest.raises(ConfigError):
        Kingfisher().plan(request_for(Kingfisher(), "a.py", settings={"rule_cache": "here"}))


def test_detect_secrets_maps_copies_back_to_their_files() -> None:
    reading = read(DetectSecrets(), "findings.copies")
    assert {result.path for result in reading.results} == {"latin.txt", "style.css", "wide.txt"}


def test_detect_secrets_runs_on_candidates_and_says_so_of_the_rest() -> None:
    reading = read(DetectSecrets(), "findings.1")
    assert "candidate pass" in next(file.reason for file in reading.files if file.path == "nothing.py")


def test_detect_secrets_asks_for_the_line_to_be_masked() -> None:
    found = one(read(DetectSecrets(), "findings.1"), "-dash.py", "GitHub Token")
    assert found.secret_spans == (Region(start_line=1, end_line=1),)
    assert (found.severity, found.confidence) == (Severity.HIGH, Confidence.HIGH)


def test_detect_secrets_finds_what_a_comment_allows() -> None:
    assert one(read(DetectSecrets(), "findings.1"), "-dash.py", "Secret Keyword").region.start_line == 3


def test_a_nosec_comment_that_names_another_test_is_none() -> None:
    job, output = recorded("bandit", "findings.1")
    other = msgspec.structs.replace(output, stdout=output.stdout.replace(b"nosec B307", b"nosec B602"))
    assert one(Bandit().read(job, other), "odd\nname #.py", "B307").suppressions == ()


def test_zizmor_exit_codes_are_no_verdict() -> None:
    job, output = recorded("zizmor", "findings.1")
    assert (
        Zizmor().read(job, msgspec.structs.replace(output, exit_code=0)).results == Zizmor().read(job, output).results
    )


def test_zizmor_keeps_what_a_comment_ignores_as_a_claim() -> None:
    found = one(read(Zizmor(), "findings.1"), ".github/workflows/ci.yml", "template-injection")
    assert found.suppressions[0].text == "# zizmor: ignore[template-injection]"
    assert found.region.start_line == 9


def test_zizmor_says_what_it_could_not_parse() -> None:
    flows = ".github/workflows"
    expected = {f"{flows}/bad.yml": "parse-error", f"{flows}/ok.yml": "covered", f"{flows}/schema.yml": "parse-error"}
    assert statuses(read(Zizmor(), "syntax-error.1")) == expected
    assert statuses(read(Zizmor(), "only-broken.1")) == {f"{flows}/bad.yml": "parse-error"}


def test_a_finding_of_zizmor_without_a_place_is_an_error_of_its_output() -> None:
    job, output = recorded("zizmor", "findings.1")
    found = msgspec.json.decode(output.stdout)
    found[0]["locations"] = []
    with pytest.raises(OutputError):
        Zizmor().read(job, msgspec.structs.replace(output, stdout=msgspec.json.encode(found)))


def test_zizmor_is_never_given_a_name_that_could_forge_its_log() -> None:
    forged = "a\n INFO audit: zizmor: completed b.yml"
    assert [job.files for job in Zizmor().plan(request_for(Zizmor(), forged, "b.yml"))] == [("b.yml",)]


def test_checkov_keeps_skipped_checks_as_claims() -> None:
    found = one(read(Checkov(), "findings.1"), "main.tf", "CKV_AWS_260")
    assert found.suppressions[0].text == "checkov:skip=CKV_AWS_260:we need it"
    assert (found.resource, found.severity) == ("aws_security_group.open", None)


def test_what_checkov_says_for_want_of_a_reason_is_no_reason() -> None:
    job, output = recorded("checkov", "findings.1")
    assert b"we need it" in output.stdout
    silent = msgspec.structs.replace(output, stdout=output.stdout.replace(b"we need it", b"No comment provided"))
    found = one(Checkov().read(job, silent), "main.tf", "CKV_AWS_260")
    assert found.suppressions[0].text == "checkov:skip=CKV_AWS_260"
    assert comment_in(found.suppressions[0].text) == ("checkov:skip", ("CKV_AWS_260",), "")


def test_checkov_says_what_it_could_not_parse() -> None:
    assert statuses(read(Checkov(), "syntax-error.1")) == {"bad.tf": "parse-error", "main.tf": "covered"}


def test_checkov_looks_into_hidden_folders() -> None:
    assert ".hidden/main.tf" in {result.path for result in read(Checkov(), "findings.1").results}


def test_checkov_bare_summary_must_be_whole() -> None:
    job, _ = recorded("checkov", "clean.1")
    with pytest.raises(OutputError):
        Checkov().read(job, Output(exit_code=0, stdout=b'{"passed": 0}', stderr=b""))


def test_checkov_is_asked_for_the_frameworks_there_are() -> None:
    (job,) = Checkov().plan(request_for(Checkov(), "a.tf"))
    place = job.argv.index("--framework")
    assert job.argv[place + 1 : place + 3] == ("terraform", "--directory")


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("terraform", "MAIN.TF"),
        ("kubernetes", "POD.YAML"),
        ("cloudformation", "c.TEMPLATE"),
        ("dockerfile", "Containerfile"),
        ("dockerfile", "DOCKERFILE"),
    ],
)
def test_checkov_covers_no_file_of_a_name_that_it_passes_over(kind: str, name: str) -> None:
    files = (SourceFile(path=name, size_bytes=1, kinds=(kind, "text")),)
    (job,) = Checkov().plan(msgspec.structs.replace(request_for(Checkov(), name), files=files))
    _, output = recorded("checkov", "clean.1")
    assert statuses(Checkov().read(job, output)) == {name: "not-listed"}


def test_checkov_is_asked_for_terraform_in_json_where_there_is_some() -> None:
    (job,) = Checkov().plan(request_for(Checkov(), "a.tf.json"))
    assert job.argv[job.argv.index("--framework") + 2] == "terraform_json"


@pytest.mark.parametrize(("kind", "name"), [("github-workflow", "CI.YAML"), ("github-action", "Action.yml")])
def test_zizmor_is_not_given_a_name_that_it_breaks_off_at(kind: str, name: str) -> None:
    files = (
        SourceFile(path=name, size_bytes=1, kinds=(kind,)),
        SourceFile(path="a.yml", size_bytes=1, kinds=("github-workflow",)),
    )
    (job,) = Zizmor().plan(msgspec.structs.replace(request_for(Zizmor(), "a.yml"), files=files))
    assert job.files == ("a.yml",)


def test_bandit_leaves_assertions_of_tests_alone() -> None:
    found = {(result.path, result.rule) for result in read(Bandit(), "assertions.1").results}
    assert found == {("latest.py", "B101"), *((name, "B307") for name in ("latest.py", "test_a.py", "tests/a.py"))}


def test_zizmor_says_once_that_a_workflow_lacks_permissions() -> None:
    found = [result for result in read(Zizmor(), "no-permissions.1").results if "permissions" in result.rule]
    flows = ".github/workflows"
    lines = sorted((result.path, result.region.start_line) for result in found)
    assert lines == [(f"{flows}/jobs.yml", 1), (f"{flows}/jobs.yml", 9), (f"{flows}/one.yml", 4)]


def test_detect_secrets_gives_a_large_text_a_job_of_its_own() -> None:
    request = request_for(DetectSecrets(), "a.txt", "b.txt")
    files = (request.files[0], msgspec.structs.replace(request.files[1], size_bytes=LARGE_BYTES + 1))
    jobs = DetectSecrets().plan(msgspec.structs.replace(request, files=files))
    assert [job.files for job in jobs] == [("a.txt",), ("b.txt",)]


COMPARED: dict[type[Scanner], tuple[tuple[dict[str, bytes], str], ...]] = {
    Bandit: (({"a.py": b"x"}, "python"), ({"b.py": b"x", "c.py": b"y"}, "python")),
    Checkov: (({"a.tf": b"x"}, "terraform"), ({"Dockerfile": b"x"}, "dockerfile"), ({"a.tf.json": b"x"}, "terraform")),
    DetectSecrets: (
        ({"a.py": b"nothing here"}, "python"),
        ({"a.py": b"password = 'made-up-pass1'"}, "python"),
        ({"poetry.lock": b"password = 'made-up-pass1'"}, "lock"),
        ({"a.css": b"password = 'made-up-pass1'"}, "css"),
    ),
    Kingfisher: (({"a.py": b"x"}, "python"), ({f"{at}.py": b"x" for at in range(60)}, "python")),
    Semgrep: (({"a.py": b"x"}, "python"), ({"a.js": b"x"}, "javascript"), ({"a": b"x"}, "python")),
    Zizmor: (({"a.yml": b"x"}, "github-workflow"), ({"b.yml": b"x", "c.yml": b"x"}, "github-workflow")),
}


@pytest.mark.parametrize("scanner", COMPARED, ids=lambda scanner: scanner.__name__)
def test_what_runs_are_compared_by_is_the_same_over_other_files_on_another_machine(scanner: type[Scanner]) -> None:
    """Else what was mended could not be told from what nobody looked for: its clock would run for ever."""
    seen = set()
    for parallel in (1, 4):
        for files, kind in COMPARED[scanner]:
            request = msgspec.structs.replace(
                request_for(scanner(), *files),
                files=tuple(SourceFile(path=path, size_bytes=9, kinds=(kind, "text")) for path in sorted(files)),
                view=View(root="/view", source=Source.WORK_TREE, digests=dict.fromkeys(files, "0" * 64)),
                parallel=parallel,
                read=files.__getitem__,
            )
            jobs = scanner().plan(request)
            assert jobs
            for job in jobs:
                argv = job.compared
                if argv is None:
                    argv = tuple(part for part in job.argv if str(part).removeprefix("./") not in job.files)
                seen.add(argv)
    assert len(seen) == 1, seen
