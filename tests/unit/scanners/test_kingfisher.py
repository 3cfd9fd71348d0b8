"""kingfisher over a whole view: its one number is believed only when it is exact."""

from __future__ import annotations

import json

import pytest

from secgate.model import EvidenceBasis, FileStatus, Job, Output, Slot
from secgate.scanners.kingfisher import Kingfisher


def audit(blobs: int) -> Output:
    stats = {"blobs_scanned": blobs, "bytes_scanned": 1, "findings": 0}
    one = {"key": "local:/v", "repository": "/v", "scan": {"status": "completed"}, "stats": stats}
    return Output(
        exit_code=0, stdout=json.dumps({"findings": [], "audit": {"repositories": [one]}}).encode(), stderr=b""
    )


def whole_job(count: int = 50) -> Job:
    names = tuple(f"f{number}.txt" for number in range(count))
    return Job(scanner="kingfisher", name="kingfisher:whole", argv=(Slot(name="tool"), "scan", "."), files=names)


def test_a_whole_view_whose_count_is_exact_is_covered_by_count() -> None:
    reading = Kingfisher().read(whole_job(), audit(50))
    assert {(one.status, one.basis) for one in reading.files} == {(FileStatus.COVERED, EvidenceBasis.COUNTED)}
    assert (len(reading.files), reading.follow_up) == (50, ())


@pytest.mark.parametrize("blobs", [0, 49, 51])
def test_any_other_count_names_the_files_one_by_one_after_all(blobs: int) -> None:
    reading = Kingfisher().read(whole_job(), audit(blobs))
    assert reading.files == ()
    assert [job.files for job in reading.follow_up] == [whole_job().files]
    assert reading.follow_up[0].argv[-1] == "./f49.txt"


def found_at(*places: str) -> Output:
    findings = [
        {"rule": {"id": "aws"}, "finding": {"path": place, "line": 1, "column_start": 0, "column_end": 4}}
        for place in places
    ]
    audit = {
        "repositories": [
            {"key": f"local:/v/{name}", "scan": {"status": "completed"}, "stats": {"blobs_scanned": 1}}
            for name in ("a.zip", "b.sqlite", "c!d.txt", "e.zip")
        ]
    }
    return Output(exit_code=200, stdout=json.dumps({"findings": findings, "audit": audit}).encode(), stderr=b"")


def named_job(closed: str = "{}") -> Job:
    blobs = {"unopened.json": closed.encode()}
    files = ("a.zip", "b.sqlite", "c!d.txt", "e.zip")
    return Job(scanner="kingfisher", name="kingfisher:1", argv=(Slot(name="tool"), "scan"), files=files, blobs=blobs)


def test_what_is_found_in_an_archive_belongs_to_the_archive() -> None:
    output = found_at("./a.zip!n.zip!in.txt", "./b.sqlite/dump.sql", "./c!d.txt", "./other.zip!in.txt")
    results = Kingfisher().read(named_job(), output).results
    assert [(one.path, one.region.start_line) for one in results] == [("a.zip", 0), ("b.sqlite", 0), ("c!d.txt", 1)]
    assert results[0].message.endswith("in the archive at n.zip!in.txt")


def test_an_archive_that_the_tool_does_not_open_is_not_covered() -> None:
    reading = Kingfisher().read(named_job('{"3": "it is encrypted"}'), found_at())
    shut = {one.path: one.reason for one in reading.files if one.status is FileStatus.FAILED}
    assert shut == {"e.zip": "skipped-by-tool: the archive is not searched, since it is encrypted"}
