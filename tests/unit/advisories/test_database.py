"""The advisory database: what it takes in, what it answers, how old it says it is."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from packaging.version import Version

from secgate.advisories import Database, ImportLimits, ImportReport, build
from secgate.advisories.osv import Event, Range, is_affected
from secgate.errors import AdvisoryError, UsageError

NOW = datetime(2026, 2, 1, tzinfo=UTC)
Record = dict[str, Any]


def advisory(identifier: str, *, fixed: str = "1.2", name: str = "Made_Package", **more: object) -> Record:
    """An OSV record that affects `name` before `fixed`."""
    events = [{"introduced": "0"}, {"fixed": fixed}]
    affected = {
        "package": {"ecosystem": "PyPI", "name": name},
        "ranges": [
            {"type": "GIT", "repo": "x", "events": [{"introduced": "0"}]},
            {"type": "ECOSYSTEM", "events": events},
        ],
    }
    return {"id": identifier, "modified": "2026-01-01T00:00:00Z", "affected": [affected], **more}


Import = Callable[..., ImportReport]


@pytest.fixture
def take_in(tmp_path: Path) -> Import:
    """Write records to a folder and build the database `tmp_path/db` from it."""

    def take(*records: Record, limits: ImportLimits | None = None) -> ImportReport:
        folder = tmp_path / "dump"
        folder.mkdir(exist_ok=True)
        for number, record in enumerate(records):
            (folder / f"{number:04}.json").write_text(json.dumps(record))
        return build(str(folder), str(tmp_path / "db"), now=NOW, limits=limits or ImportLimits())

    return take


CRITICAL = {"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}
MEDIUM = {"type": "CVSS_V3", "score": "CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N"}
V4 = {"type": "CVSS_V4", "score": "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"}


def snapshot() -> Path:
    """The shared snapshot of real advisories, or a skip that says where it was looked for."""
    default = Path(__file__).parents[3].parent / "shared" / "data"
    path = Path(os.environ.get("SECGATE_TEST_DATA", default)) / "advisories" / "PyPI-all.zip"
    if not path.is_file():
        pytest.skip(f"no test data at {path}; set SECGATE_TEST_DATA")
    return path


def ids(path: Path, version: str, name: str = "made.package") -> list[str]:
    with Database(str(path / "db")) as database:
        return [m.id for m in database.query("PyPI", name, version)]


def test_names_and_versions_are_compared_normalised(tmp_path: Path, take_in: Import) -> None:
    take_in(advisory("A-1"))
    assert ids(tmp_path, "1.1.post1") == ["A-1"]
    assert ids(tmp_path, "1.2") == ids(tmp_path, "1.2.0") == ids(tmp_path, "1.0", "other") == []
    assert ids(tmp_path, "1.2rc1") == ["A-1"]


@pytest.mark.parametrize(
    ("events", "affected", "clean"),
    [
        ([("introduced", "0"), ("fixed", "2")], ["0.1", "1.9"], ["2", "2.0.1"]),
        ([("introduced", "1"), ("last_affected", "2")], ["1", "2"], ["0.9", "2.0.1"]),
        ([("introduced", "3"), ("fixed", "4"), ("introduced", "0"), ("fixed", "2")], ["1", "3"], ["2.5", "4"]),
        ([("introduced", "1")], ["1", "99"], ["0.1"]),
        ([("introduced", "0"), ("limit", "2")], ["1"], ["2", "3"]),
        ([("introduced", "odd"), ("fixed", "odder")], ["0.1", "99"], []),
        ([], [], ["1"]),
    ],
)
def test_ranges(events: list[tuple[str, str]], affected: list[str], clean: list[str]) -> None:
    ranges = [Range(type="ECOSYSTEM", events=tuple(Event(**{kind: at}) for kind, at in events))]
    assert all(is_affected(Version(v), (), ranges) for v in affected)
    assert not any(is_affected(Version(v), (), ranges) for v in clean)


def test_listed_versions_count_beside_ranges_and_with_local_parts() -> None:
    assert is_affected(Version("1.0+cpu"), ["1.0.0"], [])
    assert not is_affected(Version("1.1"), ["1.0.0"], [Range(type="GIT", events=(Event(introduced="0"),))])


def test_the_highest_score_of_an_alias_group_counts_for_all_its_names(tmp_path: Path, take_in: Import) -> None:
    take_in(
        advisory("PYSEC-1", aliases=["CVE-1"]),
        advisory("GHSA-1", aliases=["CVE-1", "OTHER-1"], severity=[MEDIUM]),
        advisory("OTHER-1", severity=[CRITICAL, V4]),
        advisory("NEW-1", severity=[V4]),
        advisory("BARE-1", severity=[{"type": "CVSS_V3", "score": "wat"}]),
    )
    with Database(str(tmp_path / "db")) as database:
        scores = database.scores(["PYSEC-1", "CVE-1", "NEW-1", "BARE-1", "UNKNOWN"])
    assert {n: (s.score, s.basis) for n, s in scores.items()} == {
        "PYSEC-1": (9.8, "cvss-3.1"),
        "CVE-1": (9.8, "cvss-3.1"),
        "NEW-1": (None, "unscored-v4"),
        "BARE-1": (None, "unscored"),
    }


def test_fixed_versions_are_sorted_as_versions(tmp_path: Path, take_in: Import) -> None:
    record = advisory("A-1", fixed="1.10")
    record["affected"] = [advisory("x", fixed=version)["affected"][0] for version in ("1.10", "1.9")]
    take_in(record)
    with Database(str(tmp_path / "db")) as database:
        assert database.query("PyPI", "made-package", "1.0")[0].fixed == ("1.9", "1.10")


def test_withdrawn_and_unmatchable_records_are_counted(take_in: Import) -> None:
    git = {"id": "G-1", "modified": "2026-01-01T00:00:00Z", "affected": [{"ranges": []}]}
    report = take_in(advisory("A-1"), advisory("A-2", withdrawn="2026-01-01T00:00:00Z"), git)
    assert (report.count, report.withdrawn, report.unmatchable) == (2, 1, 1)


def test_of_two_records_with_one_id_the_later_counts(tmp_path: Path, take_in: Import) -> None:
    take_in(advisory("A-1", fixed="3", modified="2026-01-02T00:00:00Z"), advisory("A-1", fixed="2"))
    assert ids(tmp_path, "2.5") == ["A-1"]


def test_age_is_from_the_newest_believable_modified(tmp_path: Path, take_in: Import) -> None:
    take_in(
        advisory("A-1"),
        advisory("A-2", modified="2099-01-01T00:00:00Z"),
        advisory("A-3", modified="0001-01-01T00:00:00Z"),
    )
    with Database(str(tmp_path / "db")) as database:
        assert database.info().age_s(NOW) == 31 * 86400


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"id": "A"},
        {"id": "", "modified": "2026-01-01T00:00:00Z"},
        {"id": "A", "modified": "2026-01-01T00:00:00"},
        {"id": "A", "modified": "2026-01-01T00:00:00Z", "affected": {}},
        {"id": "A", "modified": "2026-01-01T00:00:00Z", "schema_version": "2.0.0"},
        {"id": "A\u0000", "modified": "2026-01-01T00:00:00Z"},
    ],
)
def test_a_record_that_breaks_the_schema_is_named(take_in: Import, broken: dict[str, object]) -> None:
    report = take_in(broken, advisory("A-1"), limits=ImportLimits(rejected_share=0.5))
    assert report.rejected_count == 1
    assert report.rejected[0][0] == "0000.json"


def test_too_many_broken_records_refuse_the_dump_and_keep_the_old(tmp_path: Path, take_in: Import) -> None:
    take_in(advisory("A-1"))
    with pytest.raises(UsageError, match="cannot be read, first 0000"):
        take_in({}, advisory("A-2"))
    assert ids(tmp_path, "1.0") == ["A-1"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["db", "dump"]


def archive(path: Path, files: dict[str, bytes]) -> str:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name, data in files.items():
            target.writestr(name, data)
    return str(path)


def test_a_zip_is_read_without_its_other_files(tmp_path: Path) -> None:
    source = archive(tmp_path / "d.zip", {"x/A-1.json": json.dumps(advisory("A-1")).encode(), "README": b"no record"})
    report = build(source, str(tmp_path / "db"), now=NOW, limits=ImportLimits())
    assert report.count == 1
    assert len(report.digest) == 64
    assert ids(tmp_path, "1.0") == ["A-1"]


@pytest.mark.parametrize(
    ("files", "limits", "said"),
    [
        ({"a.json": b" " * 5_000_000}, ImportLimits(entry_bytes=1000), "'a.json' has more than 1000"),
        ({f"{i}.json": b" " * 900 for i in range(9)}, ImportLimits(total_bytes=5000), "the dump has more than 5000"),
        ({f"{i}.json": b"{}" for i in range(9)}, ImportLimits(entries=5), "count of files is more than 5"),
        ({"a.json": os.urandom(9999)}, ImportLimits(source_bytes=5000), "larger than 5000"),
        ({"a.json": b"[" * 100_000}, ImportLimits(), "cannot be read"),
        ({"a.json": b'{"x":' * 100_000}, ImportLimits(), "cannot be read"),
        ({"README": b""}, ImportLimits(), "holds no advisories"),
    ],
)
def test_bombs_end_at_their_caps(tmp_path: Path, files: dict[str, bytes], limits: ImportLimits, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        build(archive(tmp_path / "d.zip", files), str(tmp_path / "db"), now=NOW, limits=limits)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["d.zip"]


@pytest.mark.parametrize("data", [b"", b"not a zip", b"PK\x03\x04" + b"\0" * 100])
def test_what_is_no_archive_is_said(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "d.zip").write_bytes(data)
    with pytest.raises(UsageError, match="not a readable zip"):
        build(str(tmp_path / "d.zip"), str(tmp_path / "db"), now=NOW, limits=ImportLimits())


def test_an_absent_dump_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not there"):
        build(str(tmp_path / "gone.zip"), str(tmp_path / "db"), now=NOW, limits=ImportLimits())


@pytest.mark.parametrize("data", [None, b"", b"not a database" * 100])
def test_a_database_that_is_none_is_said(tmp_path: Path, data: bytes | None) -> None:
    if data is not None:
        (tmp_path / "db").write_bytes(data)
    with pytest.raises(AdvisoryError, match="database"):
        Database(str(tmp_path / "db"))


def test_other_ecosystems_and_odd_versions_are_refused(tmp_path: Path, take_in: Import) -> None:
    take_in(advisory("A-1"))
    with Database(str(tmp_path / "db")) as database:
        with pytest.raises(UsageError, match="npm"):
            database.query("npm", "x", "1")
        with pytest.raises(UsageError, match="not a version"):
            database.query("PyPI", "x", "wat")


def test_the_real_snapshot(tmp_path: Path) -> None:
    report = build(str(snapshot()), str(tmp_path / "db"), now=NOW, limits=ImportLimits())
    assert (report.count, report.withdrawn, report.rejected, report.unmatchable) == (2651, 10, (), 0)
    assert datetime.fromtimestamp(report.newest_modified_epoch_s, UTC).date().isoformat() == "2024-10-10"
    counts = [
        len(ids(tmp_path, v, n))
        for n, v in (("flask", "0.12"), ("Jinja2", "2.10"), ("requests", "2.19.0"), ("urllib3", "1.24"))
    ]
    assert counts == [3, 2, 2, 7]


def test_an_alias_group_tells_its_names_and_its_worst(tmp_path: Path, take_in: Import) -> None:
    take_in(
        advisory("A-1", aliases=["CVE-1"], severity=[MEDIUM]),
        advisory("B-1", aliases=["CVE-1", "CVE-2"], severity=[CRITICAL]),
        advisory("C-1"),
    )
    with Database(str(tmp_path / "db")) as database:
        cases = database.cases(["A-1", "CVE-2", "C-1", "unheard-of"])
    assert cases["A-1"] == cases["CVE-2"]
    assert (cases["A-1"].names, cases["A-1"].automatable, cases["A-1"].impact) == (
        ("A-1", "B-1", "CVE-1", "CVE-2"),
        "yes",
        "total",
    )
    assert (cases["C-1"].names, cases["C-1"].automatable, cases["C-1"].impact) == (("C-1",), "unknown", "unknown")
    assert "unheard-of" not in cases
