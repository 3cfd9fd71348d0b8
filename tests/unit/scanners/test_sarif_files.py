"""Imports: what a SARIF file may bring, and what it may not claim (threats, rule 7)."""

from __future__ import annotations

import json

import msgspec
import pytest

from secgate.model import Invocation, Lane, Reading, ScanStatus
from secgate.scanners.sarif_files import Import, read_import

COMMIT = "a" * 40
WANTED = Import(name="other", lane=Lane.SAST, is_enforced=True, is_tracked=False)


def log(*, revision: str = COMMIT, succeeded: bool = True, errors: int = 0) -> bytes:
    result = {
        "ruleId": "R1",
        "message": {"text": "weak"},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": "a.go"}, "region": {"startLine": 3}}}],
    }
    run = {
        "tool": {"driver": {"name": "other", "version": "2"}},
        "invocations": [
            {"executionSuccessful": succeeded, "toolExecutionNotifications": [{"level": "error"}] * errors}
        ],
        "versionControlProvenance": [{"repositoryUri": "https://example.com/r", "revisionId": revision}],
        "results": [result],
    }
    return json.dumps({"version": "2.1.0", "runs": [run]}).encode()


def taken(data: bytes, *, commit: str = COMMIT, **changes: bool) -> tuple[Invocation, Reading]:
    wanted = msgspec.structs.replace(WANTED, **changes)
    return read_import(wanted, data, commit=commit, files=("a.go", "b.go"), now_epoch_s=0)


def test_results_come_in_with_their_lane() -> None:
    invocation, reading = taken(log())
    assert [(found.rule, found.path, found.lane) for found in reading.results] == [("R1", "a.go", Lane.SAST)]
    assert (invocation.scanner, invocation.rule_pack) == ("sarif:other", "other 2")


def test_a_file_without_a_run_was_not_scanned() -> None:
    invocation, reading = taken(b'{"version": "2.1.0", "runs": []}')
    assert (invocation.status, "no tool looked" in reading.reason) == (ScanStatus.UNREADABLE, True)


def test_an_enforced_untracked_file_of_this_commit_covers_its_lane() -> None:
    assert {file.path for file in taken(log())[1].files} == {"a.go", "b.go"}


@pytest.mark.parametrize(
    "reading",
    [
        taken(log(), is_enforced=False)[1],
        taken(log(), is_tracked=True)[1],
        taken(log(), commit="")[1],
        taken(log(revision="b" * 40))[1],
        taken(log(errors=1))[1],
    ],
    ids=["not-enforced", "tracked", "dirty", "other-commit", "errors"],
)
def test_any_other_file_covers_nothing_and_says_why(reading: Reading) -> None:
    assert (reading.status, reading.files) == (ScanStatus.COMPLETED, ())
    assert "claims no coverage" in reading.notices[0]


def test_a_claim_of_failure_is_believed() -> None:
    assert taken(log(succeeded=False))[0].status is ScanStatus.CRASHED


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"version": "1.0"}'])
def test_what_is_no_sarif_is_unreadable_not_empty(data: bytes) -> None:
    invocation, reading = taken(data)
    assert invocation.status is reading.status is ScanStatus.UNREADABLE
    assert reading.reason
