"""The regression corpus of identity: each case states what stays, appears and vanishes."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from secgate.bounds import bound_of
from secgate.correlate import to_known
from secgate.events import FindingClosed, FindingOpened
from secgate.model import Finding, History, Severity
from secgate.pipeline.exceptions import by_every_name, lineages_of
from secgate.waived import for_findings
from secgate.waivers import Request, Waiver, statement_id, statement_of, subject_of
from tests.ledger_support import EPOCH_S, protected
from tests.unit.identity_kit import Scan, crosswalk, findings_of, normalised, scan_of, scans_of, target
from tests.unit.identity_life import Life

_FILE = Path(__file__).parent.parent / "cases" / "identity" / "cases.toml"
_CASES = tomllib.loads(_FILE.read_text())["case"]


@pytest.mark.parametrize("case", _CASES, ids=lambda case: case["name"])
def test_states(case: dict[str, Any]) -> None:
    tools = ("alpha", "beta")
    then_table, now_table = (crosswalk(**case.get(f"crosswalk_{time}", {})) for time in ("before", "after"))
    before = normalised(case["before"], scans_of(case["before"], tools), table=then_table)
    base = to_known(findings_of(before, table=then_table).findings)
    scans = scans_of(case["after"], case.get("tools_after", tools))
    done = normalised(case["after"], scans, table=now_table)
    now = findings_of(done, base=base, of=target(case.get("renames")), table=now_table)
    states = Counter(finding.state.value for finding in now.findings) + Counter(absent=len(now.absent))
    assert states == Counter(case["expect"])


_LIVES = tomllib.loads((_FILE.parent / "lives.toml").read_text())["life"]
_DAY_S = 86400


def _looked(step: dict[str, Any], files: dict[str, str]) -> list[Scan]:
    """Let the made tools look as the step says."""
    called = step.get("called", {})
    scans = []
    for scan in scans_of(files, step["tools"]):
        found = [raw for raw in scan.readings[0].results if raw.rule not in step.get("blind", ())]
        found = [msgspec.structs.replace(raw, rule=called.get(raw.rule, raw.rule)) for raw in found]
        scans.append(scan_of(scan.invocation.scanner, found * (2 if step.get("twice") else 1)))
    return scans


def _waived(one: Finding, *, day: int = 0) -> Waiver:
    """Give a waiver of a finding as it is now, asked for and approved."""
    asked = Request(
        kind="accept",
        subject=subject_of(one, repository="shop"),
        bound=bound_of(one),
        reason="made",
        requester="p-1",
        requested_epoch_s=EPOCH_S + day * _DAY_S + 1,
        expires_epoch_s=EPOCH_S + 90 * _DAY_S,
    )
    name = statement_id(statement_of(asked))
    return Waiver(id=name, request=asked, approver="p-2", approved_epoch_s=EPOCH_S + day * _DAY_S + 2)


def _standing(findings: Sequence[Finding], waivers: Iterable[Waiver], *, day: int, history: History) -> int:
    """Count the findings that a waiver stands for, as a run of that day does that has `history`."""
    now_epoch_s = EPOCH_S + day * _DAY_S
    found = for_findings(
        waivers,
        by_every_name(findings, history, protected()),
        repository="shop",
        now_epoch_s=now_epoch_s,
        longest_s=lambda _: 90 * _DAY_S,
        lineages=lineages_of(findings, history, protected()),
    )
    return sum(one.state == "active" for one in found.values())


@pytest.mark.parametrize("life", _LIVES, ids=lambda life: life["name"])
def test_lives(life: dict[str, Any], tmp_path: Path) -> None:
    line, waivers = Life(tmp_path), list[Waiver]()
    now: dict[str, Any] = {"tools": ["alpha", "beta"], "files": {}, "version": "1"}
    for day, step in enumerate(life["step"]):
        then, now = now, now | {"twice": False, "waive": False} | step
        other = {key for key in ("version", "blind", "tools") if now.get(key) != then.get(key)}
        history = line.story.history(at_s=day * _DAY_S)
        done, receipt = line.see(
            now["files"],
            _looked(now, now["files"]),
            at_s=day * _DAY_S,
            table=crosswalk(**now.get("crosswalk", {})),
            version=now["version"],
            before=_looked(now, then["files"]) if day and other else None,
        )
        states = Counter(finding.state.value for finding in done.findings) + Counter(absent=len(done.absent))
        kinds = Counter(line.kinds(receipt))
        clocks = {one.fingerprint: one.first_seen_epoch_s for one in line.open()}
        days = sorted((clocks[one.fingerprint] - EPOCH_S) // _DAY_S for one in done.findings)
        counts = {"opened": kinds[FindingOpened], "closed": kinds[FindingClosed], "days": days}
        counts["waived"] = _standing(done.findings, waivers, day=day, history=history)
        told = {**states, **{name: value for name, value in counts.items() if value}}
        assert (day, told) == (day, step["expect"])
        assert all(len(set(one.witnesses)) == len(one.witnesses) for one in done.findings)
        if now["waive"]:
            chosen = done.findings if now["waive"] is True else [done.findings[now["waive"] - 1]]
            waivers = [_waived(one, day=day) for one in chosen]


_APART = crosswalk(**{"beta-eval": "other-injection"})


@pytest.mark.parametrize("half", [0, 1])
def test_a_waiver_of_one_part_says_nothing_of_the_other(half: int, tmp_path: Path) -> None:
    line, files = Life(tmp_path), {"a.py": "def f(x):\n    eval(x)\n"}
    scans = scans_of(files, ("alpha", "beta"))
    line.see(files, scans, at_s=0)
    for day in (1, 2):
        history = line.story.history(at_s=day * _DAY_S)
        done, _ = line.see(files, scans, at_s=day * _DAY_S, table=_APART)
        assert len(lineages_of(done.findings, history, protected())) == 1
        waivers = [_waived(done.findings[half], day=day)]
        assert (len(done.findings), _standing(done.findings, waivers, day=day, history=history)) == (2, 1)


def test_a_scanner_that_joins_a_part_ends_the_waiver_of_the_whole_for_it(tmp_path: Path) -> None:
    line, files = Life(tmp_path), {"a.py": "def f(x):\n    eval(x)\n"}
    scans = scans_of(files, ("alpha", "beta"))
    whole, _ = line.see(files, scans, at_s=0)
    waivers = [_waived(one) for one in whole.findings]
    history = line.story.history(at_s=_DAY_S)
    done, _ = line.see(files, scans, at_s=_DAY_S, table=_APART)
    assert _standing(done.findings, waivers, day=1, history=history) == 2
    part = next(one for one in done.findings if one.part_of)
    rest = [one for one in done.findings if one is not part]
    joined = msgspec.structs.replace(
        part, witnesses=(*part.witnesses, msgspec.structs.replace(part.witnesses[0], scanner="gamma"))
    )
    assert _standing([*rest, joined], waivers, day=1, history=history) == 1
    other = msgspec.structs.replace(part, witnesses=(msgspec.structs.replace(part.witnesses[0], rule="beta-new"),))
    assert _standing([*rest, other], waivers, day=1, history=history) == 1
    risen = msgspec.structs.replace(part, severity=Severity.CRITICAL)
    assert _standing([*rest, risen], waivers, day=1, history=history) == 1


def test_what_was_apart_when_a_waiver_was_asked_for_has_no_part_in_it_later(tmp_path: Path) -> None:
    line, files = Life(tmp_path), {"a.py": "def f(x):\n    eval(x)\n"}
    both = scans_of(files, ("alpha", "beta"))
    second = msgspec.structs.replace(both[1].readings[0].results[0], rule="beta-other")
    all_three = [both[0], scan_of("beta", (*both[1].readings[0].results, second))]
    one_table = crosswalk(**{"beta-other": "code-injection"})
    line.see(files, all_three, at_s=0, table=one_table)
    done, _ = line.see(files, all_three, at_s=_DAY_S)
    looked_at = next(one for one in done.findings if len(one.witnesses) == 2)
    waivers = [_waived(looked_at, day=1)]
    history = line.story.history(at_s=2 * _DAY_S)
    assert _standing(done.findings, waivers, day=2, history=history) == 1
    fewer = [both[0], scan_of("beta", [second])]
    done, _ = line.see(files, fewer, at_s=2 * _DAY_S)
    assert [len(one.witnesses) for one in done.findings] == [1, 1]
    assert _standing(done.findings, waivers, day=2, history=history) == 1


def test_what_takes_another_in_stays_waived_where_both_were(tmp_path: Path) -> None:
    line, files = Life(tmp_path), {"a.py": "def f(x):\n    eval(x)\n"}
    scans = scans_of(files, ("alpha", "beta"))
    apart, _ = line.see(files, scans, at_s=0, table=crosswalk(**{"beta-eval": "other-injection"}))
    waivers = [_waived(one) for one in apart.findings]
    for day in (1, 2):
        history = line.story.history(at_s=day * _DAY_S)
        done, _ = line.see(files, scans, at_s=day * _DAY_S)
        (one,) = done.findings
        assert _standing([one], waivers, day=day, history=history) == 1
        assert [_standing([one], [waiver], day=day, history=history) for waiver in waivers] == [0, 0]
        ended = msgspec.structs.replace(waivers[0], revoked_by="p-3")
        assert _standing([one], [ended, waivers[1]], day=day, history=history) == 0
        edited = msgspec.structs.replace(one, anchor="e" * 64)
        assert _standing([edited], waivers, day=day, history=history) == 0


def test_what_was_signed_before_requests_named_rules_holds_for_what_no_edit_made(tmp_path: Path) -> None:
    line, files = Life(tmp_path), {"a.py": "def f(x):\n    eval(x)\n"}
    scans = scans_of(files, ("alpha", "beta"))
    apart, _ = line.see(files, scans, at_s=0, table=_APART)
    waivers = []
    for one in (_waived(found) for found in apart.findings):
        bound = msgspec.structs.replace(one.request.bound, rules=())
        waivers.append(msgspec.structs.replace(one, request=msgspec.structs.replace(one.request, bound=bound)))
    for day, table, waived in ((1, _APART, 2), (2, crosswalk(), 0), (3, crosswalk(), 0)):
        history = line.story.history(at_s=day * _DAY_S)
        done, _ = line.see(files, scans, at_s=day * _DAY_S, table=table)
        assert _standing(done.findings, waivers, day=day, history=history) == waived
