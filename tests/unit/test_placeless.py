"""What is said of a whole file or tree: each thing is a weakness of its own, and its numbers make no churn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secgate.bounds import Bound, bound_of, broken
from secgate.correlate import Correlation, to_known
from secgate.events import FindingAliased, FindingOpened, FindingSplit
from secgate.fingerprint import NO_TEXT, weakness_fingerprint
from secgate.model import Finding, History, KnownFinding, Location, RawResult, Region, Scope, State
from secgate.placeless import template
from secgate.waivers import subject_of
from tests.ledger_support import EPOCH_S
from tests.unit.identity_kit import Scan, crosswalk, findings_of, normalised, scan_of, target
from tests.unit.identity_life import Life

_LICENSE, _SECURITY, _CONTRIBUTING = "no LICENSE file", "no SECURITY file", "no CONTRIBUTING file"


def _scan(*messages: str, tool: str = "alpha", rule: str = "alpha-files", path: str = "") -> Scan:
    return scan_of(tool, [RawResult(rule=rule, message=one, path=path) for one in messages])


def _found(*scans: Scan, base: Sequence[KnownFinding] | None = None, history: History | None = None) -> Correlation:
    of = target() if history is None else target(scope=Scope.PROTECTED)
    return findings_of(normalised({}, scans, table=_TABLE), base=base, history=history, of=of, table=_TABLE)


_TABLE = crosswalk(**{"alpha-files": "files-missing", "beta-files": "files-missing"})


def _said(found: Correlation) -> dict[str, Finding]:
    return {one.witnesses[0].message: one for one in found.findings}


def _compared(before: Sequence[str], after: Sequence[str]) -> Correlation:
    return _found(_scan(*after), base=to_known(_found(_scan(*before)).findings))


def _as_once_recorded(finding: Finding) -> KnownFinding:
    """Give a finding as a ledger has it from before messages counted."""
    (known,) = to_known([finding])
    names = [
        weakness_fingerprint(f"witness {one.scanner}:{one.rule}", path="", symbol="", anchored=NO_TEXT, ordinal=1)
        for one in finding.witnesses
    ]
    aliases = tuple(alias for alias in known.aliases if alias.value in names)
    return msgspec.structs.replace(known, anchor=NO_TEXT, aliases=aliases, first_seen_epoch_s=5)


def _history(*known: KnownFinding) -> History:
    return History(head_size=1, head_root="0" * 64, open=known, runs=())


def test_each_thing_that_a_rule_says_is_a_finding() -> None:
    found = _found(_scan(_LICENSE, _SECURITY, _LICENSE)).findings
    assert sorted(one.witnesses[0].message for one in found) == [_LICENSE, _SECURITY]
    assert len({one.fingerprint for one in found}) == 2


def test_the_only_one_is_named_as_it_always_was() -> None:
    (found,) = _found(_scan(_LICENSE)).findings
    assert found.fingerprint == weakness_fingerprint("files-missing", path="", symbol="", anchored=NO_TEXT, ordinal=1)


def test_two_tools_with_one_thing_each_are_one_finding() -> None:
    assert len(_found(_scan(_LICENSE), _scan("License missing", tool="beta", rule="beta-files")).findings) == 1


@pytest.mark.parametrize(
    ("before", "after", "new", "absent"),
    [
        ([_LICENSE], [_LICENSE, _CONTRIBUTING], [_CONTRIBUTING], []),
        ([_LICENSE], [_LICENSE, _SECURITY], [_SECURITY], []),
        ([_LICENSE, _SECURITY], [_SECURITY], [], [1]),
        ([_LICENSE, _SECURITY], [_LICENSE, _CONTRIBUTING], [_CONTRIBUTING], [1]),
        ([_LICENSE, _SECURITY], [_CONTRIBUTING], [_CONTRIBUTING], [1, 1]),
        (["12 old branches"], ["13 old branches"], [], []),
        (["12 old branches", _LICENSE], [_LICENSE, "13 old branches"], [], []),
        (["seen at 2026-11-27T10:00:00Z: " + _LICENSE], ["seen at 2026-11-28T11:30:00Z: " + _LICENSE], [], []),
        (["CVE-2024-1234 in curl"], ["CVE-2024-1234 in curl", "CVE-2025-9 in curl"], ["CVE-2025-9 in curl"], []),
    ],
)
def test_what_comes_is_new_and_what_goes_is_absent(
    before: list[str], after: list[str], new: list[str], absent: list[int]
) -> None:
    done = _compared(before, after)
    assert [one.witnesses[0].message for one in done.findings if one.state is State.NEW] == new
    assert len(done.absent) == len(absent)


def test_the_only_one_with_another_message_is_edited() -> None:
    done = _compared([_LICENSE], [_SECURITY])
    assert [one.state for one in done.findings] == [State.UPDATED]
    assert not done.absent


def test_the_same_at_two_times_is_one() -> None:
    assert len(_found(_scan(f"at 10:00:00 {_LICENSE}", f"at 10:00:07 {_LICENSE}")).findings) == 1


@settings(max_examples=25)
@given(st.permutations([_LICENSE, _SECURITY, "12 branches", "13 branches", ""]))
def test_order_of_results_has_no_part_in_it(messages: list[str]) -> None:
    names = {message: one.fingerprint for message, one in _said(_found(_scan(*messages))).items()}
    assert names == {m: one.fingerprint for m, one in _said(_found(_scan(*sorted(messages)))).items()}
    assert len(set(names.values())) == 5


def test_a_second_tool_s_words_stay_part_of_what_they_were() -> None:
    beta = _scan("License missing", tool="beta", rule="beta-files")
    before = _found(_scan(_LICENSE), beta)
    done = _found(_scan(_LICENSE, _SECURITY), beta, base=to_known(before.findings))
    assert [one.witnesses[0].message for one in done.findings if one.state is State.NEW] == [_SECURITY]
    again = _found(_scan(_LICENSE), beta, base=to_known(done.findings))
    assert [one.state for one in again.findings] == [State.UNCHANGED]
    assert len(again.absent) == 1


def test_a_message_about_another_resource_is_no_move() -> None:
    def about(name: str) -> Scan:
        return scan_of("alpha", [RawResult(rule="alpha-files", message="is public", path="", resource=name)])

    done = _found(about("bucket.b"), base=to_known(_found(about("bucket.a")).findings))
    assert [one.state for one in done.findings] == [State.NEW]


def test_it_is_shown_as_what_it_is_of() -> None:
    assert _found(_scan(_LICENSE)).findings[0].location.words == "the whole tree"
    assert Location(path="a.py").words == "a.py"
    assert Location(path="a.py", region=Region(start_line=3)).words == "a.py:3"


# -------------------------------------------------------------------------------------------------------------- ledgers


def test_what_a_ledger_has_as_one_goes_on_in_all_of_its_parts() -> None:
    whole = _as_once_recorded(_found(_scan(_LICENSE)).findings[0])
    done = _found(_scan(_LICENSE, _SECURITY), history=_history(whole))
    assert [one.first_seen_epoch_s for one in done.findings] == [5, 5]
    assert sorted(one.part_of for one in done.findings) == ["", whole.fingerprint]
    assert all(whole.fingerprint in {alias.value for alias in one.aliases} for one in done.findings)
    assert not done.absent


def test_the_only_one_of_an_older_ledger_goes_on() -> None:
    whole = _as_once_recorded(_found(_scan(_LICENSE)).findings[0])
    (found,) = _found(_scan(_LICENSE), history=_history(whole)).findings
    assert (found.first_seen_epoch_s, found.state, found.part_of) == (5, State.UNCHANGED, "")


def test_a_second_one_renames_the_first_and_starts_a_clock_of_its_own(tmp_path: Path) -> None:
    life = Life(tmp_path)
    life.see({}, [_scan(_LICENSE)], at_s=0, table=_TABLE, duty_s=9)
    done, receipt = life.see({}, [_scan(_LICENSE, _CONTRIBUTING)], at_s=50, table=_TABLE, duty_s=9)
    assert {FindingAliased, FindingOpened} <= set(life.kinds(receipt))
    assert FindingSplit not in life.kinds(receipt)
    first = {message: one.first_seen_epoch_s for message, one in _said(done).items()}
    assert first[_LICENSE] == EPOCH_S
    done, receipt = life.see({}, [_scan(_LICENSE)], at_s=90, table=_TABLE, duty_s=9)
    assert [one.first_seen_epoch_s for one in done.findings] == [EPOCH_S]
    assert FindingOpened not in life.kinds(receipt)


# -------------------------------------------------------------------------------------------------------------- waivers


def test_a_waiver_is_of_what_was_said() -> None:
    (alone,) = _found(_scan(_LICENSE)).findings
    bound = bound_of(alone)
    both = _said(_found(_scan(_LICENSE, _SECURITY)))
    assert broken(bound, both[_LICENSE]) == ""
    assert broken(bound, both[_SECURITY]) == "another thing is said of it now"
    assert broken(bound, _found(_scan(_SECURITY)).findings[0]) != ""
    assert subject_of(both[_LICENSE], repository="r").group != subject_of(both[_SECURITY], repository="r").group


def test_a_waiver_holds_when_a_number_changes_or_one_of_two_tools_goes() -> None:
    assert not broken(bound_of(_found(_scan("12 branches")).findings[0]), _found(_scan("13 branches")).findings[0])
    beta = _scan("License missing", tool="beta", rule="beta-files")
    bound = bound_of(_found(_scan(_LICENSE), beta).findings[0])
    assert not broken(bound, _found(_scan(_LICENSE)).findings[0])
    assert not broken(bound, _found(beta).findings[0])


def test_a_waiver_of_what_one_tool_says_hides_nothing_that_another_says_of_the_same_weakness() -> None:
    beta = _scan(_SECURITY, tool="beta", rule="beta-files")
    (alone,) = _found(_scan(_LICENSE)).findings
    (both,) = _found(_scan(_LICENSE), beta).findings
    assert {one.message for one in both.witnesses} == {_LICENSE, _SECURITY}
    assert broken(bound_of(alone), both) == "beta sees it now as well"
    (left,) = _found(beta).findings
    assert broken(bound_of(alone), left) != ""
    assert broken(bound_of(both), left) == ""


def test_a_waiver_from_before_messages_counted_holds() -> None:
    (found,) = _found(_scan(_LICENSE)).findings
    assert broken(Bound(form="text", values=(NO_TEXT,), severity=found.severity, scanners=("alpha",)), found) == ""


# ------------------------------------------------------------------------------------------------------------- template


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("took 3.2 s at 10:00", ("took", "0", "at", "0")),
        ("v1.2.3 of 2026-11-27", ("0", "of", "0")),
        ("commit 3fa9c12  of k8s", ("commit", "0", "of", "0")),
        ("no number", ("no", "number")),
    ],
)
def test_template(message: str, words: tuple[str, ...]) -> None:
    assert template(message) == words
