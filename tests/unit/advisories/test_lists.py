"""Lists about CVEs as they are published: what is read, what is refused, and that an old one stays."""

from __future__ import annotations

import gzip
import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from secgate.advisories import CveList, Kind, ListInfo, ListLimits, build_list, list_path
from secgate.errors import AdvisoryError, UsageError

NOW = datetime(2026, 11, 26, tzinfo=UTC)
ITEM = {
    "cveID": "CVE-2026-12345",
    "vendorProject": "Made",
    "product": "Package",
    "vulnerabilityName": "Made Package Code Injection",
    "dateAdded": "2026-11-20",
    "dueDate": "",
    "knownRansomwareCampaignUse": "Unknown",
    "notes": "",
    "cwes": [],
}
HEAD = "#model_version:v2026.06.15,score_date:2026-11-25T12:00:22Z\ncve,epss,percentile\n"


def kev(*items: object, **more: object) -> bytes:
    whole = {"title": "t", "catalogVersion": "2026.11.20", "dateReleased": "2026-11-20T16:00:00.1234Z", **more}
    return json.dumps({"count": len(items), **whole, "vulnerabilities": items}).encode()


def kev_csv(*rows: str) -> bytes:
    head = "cveID,vendorProject,product,vulnerabilityName,dateAdded,shortDescription,requiredAction,dueDate,notes"
    return "\r\n".join([head, *rows, ""]).encode()


def epss(*rows: str) -> bytes:
    return gzip.compress((HEAD + "".join(f"{row}\n" for row in rows)).encode())


class Shelf:
    """A folder with an advisory database's place in it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.database = folder / "advisories", str(folder / "advisories" / "PyPI.sqlite")
        self.file = folder / "published"

    def take(self, kind: Kind, data: bytes, limits: ListLimits | None = None) -> ListInfo:
        self.file.write_bytes(data)
        return build_list(kind, str(self.file), list_path(kind, self.database), limits=limits or ListLimits())

    def values(self, kind: Kind, *names: str) -> dict[str, int]:
        with CveList(kind, self.database) as one:
            return one.values(names)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def test_the_catalogue_in_json(shelf: Shelf) -> None:
    info = shelf.take("known-exploited", kev(ITEM))
    assert (info.count, info.rejected, info.published_epoch_s) == (1, 0, at("2026-11-20T16:00:00+00:00"))
    assert info.digest == hashlib.sha256(shelf.file.read_bytes()).hexdigest()
    assert info.age_s(NOW) == 5 * 86400 + 8 * 3600
    found = shelf.values("known-exploited", "CVE-2026-12345", "CVE-2026-1", "PYSEC-1")
    assert found == {"CVE-2026-12345": at("2026-11-20T00:00:00+00:00")}


def test_the_catalogue_in_csv(shelf: Shelf) -> None:
    text = '"with, a comma\nand a line"'
    info = shelf.take(
        "known-exploited",
        b"\xef\xbb\xbf" + kev_csv(f"CVE-2026-1111,a,b,{text},2026-11-19,s,r,,", "cve-2026-2222,a,b,c,2026-11-21,s,r,,"),
    )
    assert (info.count, info.published_epoch_s) == (2, at("2026-11-21T00:00:00+00:00"))
    assert set(shelf.values("known-exploited", "CVE-2026-1111", "CVE-2026-2222")) == {"CVE-2026-1111", "CVE-2026-2222"}


def test_of_two_listings_the_earlier_counts(shelf: Shelf) -> None:
    shelf.take("known-exploited", kev(ITEM, ITEM | {"dateAdded": "2026-01-02"}))
    assert shelf.values("known-exploited", "CVE-2026-12345") == {"CVE-2026-12345": at("2026-01-02T00:00:00+00:00")}


@pytest.mark.parametrize("squeezed", [True, False])
def test_scores(shelf: Shelf, squeezed: bool) -> None:
    data = epss("CVE-1999-0001,0.03351,0.88243", "CVE-2021-44228,0.94358,0.9996", "CVE-2000-0001,1,1")
    info = shelf.take("epss", data if squeezed else gzip.decompress(data))
    assert (info.count, info.model, info.published_epoch_s) == (3, "v2026.06.15", at("2026-11-25T12:00:22+00:00"))
    wanted = ("CVE-1999-0001", "CVE-2021-44228", "CVE-2000-0001")
    assert shelf.values("epss", *wanted) == dict(zip(wanted, (33510, 943580, 1000000), strict=True))


def test_a_score_date_without_a_zone_is_in_utc(shelf: Shelf) -> None:
    old = HEAD.replace("2026-11-25T12:00:22Z", "2026-11-25T00:00:00+0000") + "CVE-1999-0001,0.5,0.5\n"
    assert shelf.take("epss", old.encode()).published_epoch_s == at("2026-11-25T00:00:00+00:00")
    bare = HEAD.replace("2026-11-25T12:00:22Z", "2026-11-25") + "CVE-1999-0001,0.5,0.5\n"
    assert shelf.take("epss", bare.encode()).published_epoch_s == at("2026-11-25T00:00:00+00:00")


def test_many_names_are_asked_for_in_parts(shelf: Shelf) -> None:
    names = [f"CVE-2026-{number:05}" for number in range(1201)]
    shelf.take("epss", epss(*(f"{name},0.5,0.5" for name in names)))
    assert len(shelf.values("epss", *names)) == 1201


def test_a_few_odd_rows_are_counted_and_left_out(shelf: Shelf) -> None:
    good = [f"CVE-2026-{number:05},0.5,0.5" for number in range(500)]
    info = shelf.take("epss", epss(*good, "CVE-2026-1,0.5,0.5", "CVE-2026-99999,nan,0", "CVE-2026-99998"))
    assert (info.count, info.rejected) == (500, 3)


@pytest.mark.parametrize(
    ("kind", "data", "what"),
    [
        ("known-exploited", b"", "no column cveID"),
        ("known-exploited", b"<html>", "no column cveID"),
        ("known-exploited", b"{}", "missing required field"),
        ("known-exploited", b"{" * 100_000, "."),
        ("known-exploited", kev(), "there is no entry in it"),
        ("known-exploited", kev(ITEM | {"dateAdded": "soon"}), "1 of 1 entries"),
        ("known-exploited", kev(ITEM | {"cveID": 7}), "1 of 1 entries"),
        ("known-exploited", kev(ITEM | {"dateAdded": None}), "1 of 1 entries"),
        ("known-exploited", kev(ITEM, count=900), "says that it has 900 entries, and has 1"),
        ("known-exploited", kev(ITEM, dateReleased="yesterday"), "isoformat"),
        ("known-exploited", kev(ITEM)[:-30], "truncated"),
        ("known-exploited", kev_csv("CVE-2026-1111,a,b,c,2026-11-19,s") + b"\xff,", "decode"),
        ("epss", b"", "does not name model and date"),
        ("epss", b"cve,epss,percentile\nCVE-1999-0001,0.5,0.5\n", "does not name model and date"),
        ("epss", epss("CVE-1999-0001,0.5,0.5")[:-12], "."),
        ("epss", b"\x1f\x8bnot gzip", "."),
        ("epss", epss("CVE-1999-0001,1.5,0.5"), "1 of 1 entries"),
        ("epss", epss("CVE-1999-0001,-0.1,0.5"), "1 of 1 entries"),
        ("epss", epss("CVE-1999-0001,inf,0.5"), "1 of 1 entries"),
        ("epss", HEAD.replace("epss", "score").encode(), "no column epss"),
        ("epss", b"\xff\xfe\x00", "decode"),
    ],
)
def test_what_is_no_such_list_is_refused_and_the_old_one_stays(
    shelf: Shelf, kind: Kind, data: bytes, what: str
) -> None:
    shelf.take("known-exploited", kev(ITEM))
    shelf.take("epss", epss("CVE-2026-12345,0.5,0.5"))
    with pytest.raises(UsageError, match=what):
        shelf.take(kind, data)
    assert set(shelf.values(kind, "CVE-2026-12345")) == {"CVE-2026-12345"}
    assert sorted(path.name for path in shelf.folder.iterdir()) == ["epss.sqlite", "known-exploited.sqlite"]


@pytest.mark.parametrize(
    ("limits", "what"),
    [
        (ListLimits(source_bytes=10), "larger than 10 bytes"),
        (ListLimits(text_bytes=50), "text is larger than 50 bytes"),
        (ListLimits(entries=1), "more than 1 entries"),
    ],
)
def test_past_a_cap_nothing_is_taken_in(shelf: Shelf, limits: ListLimits, what: str) -> None:
    with pytest.raises(UsageError, match=what):
        shelf.take("epss", epss("CVE-1999-0001,0.5,0.5", "CVE-1999-0002,0.5,0.5"), limits)
    assert [path.name for path in shelf.folder.parent.rglob("*") if path.is_file()] == ["published"]


def test_a_bomb_ends_at_the_cap(shelf: Shelf) -> None:
    bomb = gzip.compress(HEAD.encode() + b"CVE-1999-0001,0.5,0.5\n" * 3_000_000)
    assert len(bomb) < 200_000
    with pytest.raises(UsageError, match="text is larger than 2000000 bytes"):
        shelf.take("epss", bomb, ListLimits(text_bytes=2_000_000))


def test_so_does_a_line_without_end(shelf: Shelf) -> None:
    with pytest.raises(UsageError, match="a line of more than 1048576 bytes"):
        shelf.take("epss", gzip.compress(HEAD.encode() + b"A" * 50_000_000))


def test_a_file_that_is_not_there(shelf: Shelf) -> None:
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        build_list("epss", "gone", list_path("epss", shelf.database), limits=ListLimits())


@pytest.mark.parametrize("content", [None, b"", b"not a database" * 100])
def test_a_list_that_is_not_there_or_damaged_is_said(shelf: Shelf, content: bytes | None) -> None:
    if content is not None:
        shelf.folder.mkdir()
        Path(list_path("epss", shelf.database)).write_bytes(content)
    with pytest.raises(AdvisoryError) as caught:
        CveList("epss", shelf.database)
    assert caught.value.remedy == "run `secgate advisories update --epss`"
