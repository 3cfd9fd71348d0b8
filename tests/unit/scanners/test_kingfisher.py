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
