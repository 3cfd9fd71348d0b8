"""Merge, split and another algorithm, from text to ledger and back: the earliest clock and all duties go on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from secgate.events import FindingAliased, FindingMerged, FindingOpened, FindingSplit
from secgate.fingerprint import SCHEMES, Scheme, Subject, digest
from secgate.model import Lane, RawResult
from tests.ledger_support import EPOCH_S
from tests.unit.identity_kit import Scan, advisory, crosswalk, scan_of, scans_of
from tests.unit.identity_life import Life

_FILES = {"a.py": "def f(x):\n    return eval(x)\n"}
_APART = crosswalk(**{"beta-eval": "other-injection"})
_ONE = crosswalk()


@pytest.fixture
def life(tmp_path: Path) -> Life:
    return Life(tmp_path)


def _both(files: Mapping[str, str] = _FILES) -> list[Scan]:
    return scans_of(files, ("alpha", "beta"))


def test_what_an_edited_crosswalk_merges_keeps_the_earlier_clock_and_all_duties(life: Life) -> None:
    life.see(_FILES, scans_of(_FILES, ("beta",)), at_s=0, table=_APART, duty_s=9)
    life.see(_FILES, _both(), at_s=50, table=_APART, duty_s=99)
    done, receipt = life.see(_FILES, _both(), at_s=100)
    assert FindingMerged in life.kinds(receipt)
    assert not done.absent
    (known,) = life.open()
    assert known.first_seen_epoch_s == EPOCH_S
    assert {(duty.finding, duty.limit_s) for duty in known.obligations} == {
        (known.fingerprint, 9),
        (known.fingerprint, 99),
    }


def test_after_a_merge_nothing_happens_any_more(life: Life) -> None:
    life.see(_FILES, _both(), at_s=0, table=_APART)
    life.see(_FILES, _both(), at_s=50)
    done, receipt = life.see(_FILES, _both(), at_s=100)
    assert life.kinds(receipt) == []
    assert [one.first_seen_epoch_s for one in done.findings] == [EPOCH_S]


def test_what_an_edited_crosswalk_splits_keeps_the_clock_in_both_parts(life: Life) -> None:
    life.see(_FILES, _both(), at_s=0, duty_s=9)
    done, receipt = life.see(_FILES, _both(), at_s=50, table=_APART)
    assert FindingSplit in life.kinds(receipt)
    assert FindingOpened not in life.kinds(receipt)
    assert [one.first_seen_epoch_s for one in done.findings] == [EPOCH_S, EPOCH_S]
    assert [one.first_seen_epoch_s for one in life.open()] == [EPOCH_S, EPOCH_S]
    assert [(duty.finding == one.fingerprint, duty.limit_s) for one in life.open() for duty in one.obligations] == [
        (True, 9),
        (True, 9),
    ]


def test_a_waiver_of_what_was_split_is_found_under_both_parts(life: Life) -> None:
    (whole,) = life.see(_FILES, _both(), at_s=0)[0].findings
    life.see(_FILES, _both(), at_s=50, table=_APART)
    later, _ = life.see(_FILES, _both(), at_s=100, table=_APART)
    for one in later.findings:
        known = next(known for known in life.open() if known.fingerprint == one.fingerprint)
        assert whole.fingerprint in {known.fingerprint, *(name.value for name in known.aliases)}


def test_split_and_merged_again_is_one_with_its_first_clock(life: Life) -> None:
    for at_s, table in ((0, _ONE), (50, _APART), (100, _ONE)):
        done, receipt = life.see(_FILES, _both(), at_s=at_s, table=table)
    assert FindingOpened not in life.kinds(receipt)
    assert [one.first_seen_epoch_s for one in done.findings] == [EPOCH_S]
    assert [one.first_seen_epoch_s for one in life.open()] == [EPOCH_S]


def test_advisories_that_turn_out_to_be_one_keep_the_earlier_clock(life: Life) -> None:
    files = {"requirements.txt": "flask==1.0\n"}

    def scans(*found: RawResult) -> list[Scan]:
        return [scan_of("pip-audit", found, Lane.DEPENDENCIES)]

    life.see(files, scans(advisory("PYSEC-1")), at_s=0)
    life.see(files, scans(advisory("PYSEC-1"), advisory("CVE-1")), at_s=50)
    done, receipt = life.see(files, scans(advisory("PYSEC-1", "CVE-1")), at_s=100)
    assert FindingMerged in life.kinds(receipt)
    assert ([one.first_seen_epoch_s for one in done.findings], done.absent) == ([EPOCH_S], ())
    assert [one.first_seen_epoch_s for one in life.open()] == [EPOCH_S]


def _name_v0(subject: Subject) -> str:
    return digest("v0", *(str(part) for part in msgspec.structs.astuple(subject)))


_V0 = Scheme("secgate/v0", _name_v0)


def test_another_algorithm_renames_every_finding_and_starts_no_clock(life: Life) -> None:
    files = {"a.py": "def f(x):\n    eval(x)\n    eval(x)\n    run(x)\n"}
    life.see(files, _both(files), at_s=0, schemes=(_V0,), duty_s=9)
    done, receipt = life.see(files, _both(files), at_s=50, schemes=(*SCHEMES, _V0))
    aliased = [event for event in life.story.events(receipt) if isinstance(event, FindingAliased)]
    assert [event.basis for event in aliased] == ["algorithm"] * 3
    assert FindingOpened not in life.kinds(receipt)
    assert {one.state.value for one in done.findings} == {"unchanged"}
    assert {(one.algorithm, one.first_seen_epoch_s) for one in life.open()} == {("secgate/v1", EPOCH_S)}
    assert all(duty.finding == one.fingerprint for one in life.open() for duty in one.obligations)
