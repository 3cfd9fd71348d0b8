"""Groups, states, history: what becomes one finding and what is said of it."""

from __future__ import annotations

from collections import Counter

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secgate.correlate import Correlation, to_known
from secgate.crosswalk import Crosswalk, Weakness
from secgate.model import (
    Confidence,
    Finding,
    Fingerprint,
    History,
    KnownRun,
    Lane,
    Obligation,
    Origin,
    RawResult,
    Region,
    Scope,
    Severity,
    Source,
    State,
    View,
)
from secgate.normalise import normalise
from tests.unit.identity_kit import (
    advisory,
    compared,
    crosswalk,
    findings_of,
    found_in,
    normalised,
    scan_of,
    scans_of,
    target,
)

_FILES = {"a.py": "def f(x):\n    return eval(x)\n"}
_RUN = KnownRun(
    run_id="1",
    commit="c",
    line="main",
    scope=Scope.PROTECTED,
    complete=True,
    dirty=False,
    tools_digest="t",
    lanes=(Lane.SAST,),
    evaluated_epoch_s=5,
    document_digest="0" * 64,
    clocked=True,
)


def _history(*findings: Finding, runs: tuple[KnownRun, ...] = (_RUN,), **more: object) -> History:
    known = tuple(msgspec.structs.replace(one, first_seen_epoch_s=5, **more) for one in to_known(findings))
    return History(head_size=1, head_root="0" * 64, open=known, runs=runs)


def _secret(line: int, column: int = 0, end: int = 0, **more: object) -> RawResult:
    region = Region(start_line=line, start_column=column, end_line=line, end_column=end)
    fields: dict[str, object] = {"rule": "key", "message": "m", "path": "a.py", "region": region, "cwes": (798,)}
    return RawResult(**(fields | more))  # type: ignore[arg-type]


def test_two_tools_one_finding() -> None:
    (found,) = found_in(_FILES)
    assert [witness.scanner for witness in found.witnesses] == ["alpha", "beta"]
    assert (found.title, found.remedy, found.symbol) == ("Code injection", "Do not evaluate text", "f")
    assert len(found.aliases) == 2
    assert found.location.region == Region(start_line=2, start_column=5, end_line=2, end_column=19)


def test_strictest_severity_counts_once() -> None:
    region = Region(start_line=2, start_column=12)
    raws = [
        RawResult(rule="x", message="m", path="a.py", region=region, cwes=(95,), severity=severity, confidence=sure)
        for severity, sure in [(Severity.LOW, Confidence.HIGH), (Severity.CRITICAL, Confidence.LOW)]
    ]
    scans = [scan_of("one", raws[:1]), scan_of("two", raws[1:])]
    (found,) = findings_of(normalised(_FILES, scans)).findings
    assert (found.severity, found.confidence, found.severity_basis) == ("critical", "high", "tool severity")


def test_nothing_to_compare_with() -> None:
    (found,) = found_in(_FILES)
    assert (found.state, found.state_basis) == (State.NEW, "nothing to compare with")


def test_history_gives_first_sight_and_duties() -> None:
    (then,) = found_in(_FILES)
    duty = Obligation(finding=then.fingerprint, basis="high", start_epoch_s=5, limit_s=9)
    done = findings_of(normalised(_FILES, scans_of(_FILES, ("alpha",))), history=_history(then, obligations=(duty,)))
    assert (done.findings[0].first_seen_epoch_s, done.findings[0].obligations) == (5, (duty,))
    assert not done.absent


def test_history_is_found_through_an_edit() -> None:
    (then,) = found_in(_FILES)
    after = {"a.py": "def f(x):\n    return eval(x + 1)\n"}
    done = findings_of(normalised(after, scans_of(after, ("alpha",))), history=_history(then))
    (found,) = done.findings
    assert (found.first_seen_epoch_s, found.previous) == (5, then.fingerprint)
    assert Fingerprint(algorithm="secgate/v1", value=then.fingerprint) in found.aliases
    assert not done.absent


@pytest.mark.parametrize(("is_unseen", "first_seen"), [(True, None), (False, 5)])
def test_a_copy_is_no_move_where_the_original_was_not_looked_at(is_unseen: bool, first_seen: int | None) -> None:
    (then,) = found_in(_FILES)
    files = {"b.py": _FILES["a.py"]}
    done = findings_of(
        normalised(files, scans_of(files, ("alpha",))), history=_history(then), is_comparable=False, is_unseen=is_unseen
    )
    assert [one.first_seen_epoch_s for one in done.findings] == [first_seen]


@pytest.mark.parametrize(("is_comparable", "expected"), [(True, 1), (False, 0)])
def test_absent_only_where_this_run_looked(is_comparable: bool, expected: int) -> None:
    (then,) = found_in(_FILES)
    done = findings_of(normalised({}, []), base=to_known([then]), history=_history(then), is_comparable=is_comparable)
    assert len(done.absent) == expected
    assert all(one.first_seen_epoch_s == 5 for one in done.absent)


@pytest.mark.parametrize(
    ("runs", "state"),
    [
        ((_RUN,), State.NEWLY_DETECTABLE),
        ((), State.UNCHANGED),
        ((msgspec.structs.replace(_RUN, complete=False),), State.UNCHANGED),
        ((msgspec.structs.replace(_RUN, lanes=(Lane.IAC,)),), State.UNCHANGED),
        ((msgspec.structs.replace(_RUN, line="other"),), State.UNCHANGED),
        ((msgspec.structs.replace(_RUN, clocked=False),), State.UNCHANGED),
    ],
)
def test_newly_detectable(runs: tuple[KnownRun, ...], state: State) -> None:
    base = to_known(found_in(_FILES))
    done = findings_of(normalised(_FILES, scans_of(_FILES, ("alpha",))), base=base, history=_history(runs=runs))
    assert done.findings[0].state is state


def test_merged_names_keep_the_earliest_clock() -> None:
    scans = scans_of(_FILES, ("alpha", "beta"))
    apart = crosswalk(**{"beta-eval": "other"})
    then = findings_of(normalised(_FILES, scans, table=apart), table=apart).findings
    done = findings_of(normalised(_FILES, scans), base=to_known(then), history=_history(*then))
    assert len(then) == 2
    assert [one.first_seen_epoch_s for one in done.findings] == [5]
    assert not done.absent


def test_advisories_merge_by_names_in_common() -> None:
    raws = [
        advisory("PYSEC-1", "CVE-1"),
        advisory("GHSA-1", "CVE-1"),
        advisory("CVE-2"),
        advisory("CVE-1", package="x"),
    ]
    done = normalised({"requirements.txt": "flask==1.0\n"}, [scan_of("pip-audit", raws, Lane.DEPENDENCIES)])
    found = findings_of(done).findings
    assert sorted((one.symbol, one.advisories) for one in found) == [
        ("flask", ("CVE-1", "GHSA-1", "PYSEC-1")),
        ("flask", ("CVE-2",)),
        ("x", ("CVE-1",)),
    ]


def test_advisory_keeps_its_identity_when_it_learns_a_name() -> None:
    files = {"requirements.txt": "flask==1.0\n"}
    then, now = (
        normalised(files, [scan_of("pip-audit", [raw], Lane.DEPENDENCIES)])
        for raw in (advisory("PYSEC-1"), advisory("PYSEC-1", "CVE-1", version="1.1"))
    )
    done = findings_of(now, base=to_known(findings_of(then).findings))
    assert [one.state for one in done.findings] == [State.UNCHANGED]


_KEYS = 'A = "key-0001"\nB = "key-0002"\n'


def test_secret_seen_by_three_tools_is_one() -> None:
    scans = [
        scan_of("kingfisher", [_secret(1, 6, 14, secrets=("key-0001",))], Lane.SECRETS),
        scan_of("detect-secrets", [_secret(1)], Lane.SECRETS),
        scan_of("bandit", [_secret(1, 5, 15)]),
    ]
    (found,) = findings_of(normalised({"a.py": _KEYS}, scans)).findings
    assert (found.lane, found.symbol, len(found.witnesses)) == (Lane.SECRETS, "A", 3)


def test_other_secret_in_the_same_place_keeps_the_identity_and_no_text_is_hashed() -> None:
    texts = (_KEYS, _KEYS.replace("0001", "9999"))
    values = [
        findings_of(normalised({"a.py": text}, [scan_of("k", [_secret(1)], Lane.SECRETS)])).findings for text in texts
    ]
    assert (values[0][0].fingerprint, values[0][0].anchor) == (values[1][0].fingerprint, values[1][0].anchor)


def test_secret_in_a_commit_joins_its_copy_or_stands_for_itself() -> None:
    files = {"a.py": 'A = "key-0001"\n', "1/a.py": _KEYS, "2/a.py": _KEYS}
    origins = {f"{number}/a.py": Origin(commit=f"c{number}", path="a.py") for number in (1, 2)}
    raws = [_secret(1), *(_secret(line, path=f"{number}/a.py") for number in (1, 2) for line in (1, 2))]
    done = normalised(files, [scan_of("k", raws, Lane.SECRETS)], origins=origins)
    found = findings_of(done, of=target(change_commits=("c2", "c1"), changed=())).findings
    assert [(one.symbol, one.location.commit, one.touched) for one in found] == [("A", "", False), ("B", "c2", True)]
    assert [len(one.witnesses) for one in found] == [3, 2]


def test_other_secret_of_a_commit_is_not_taken_for_the_file_s_own() -> None:
    origins = {"1/a.py": Origin(commit="c1", path="a.py")}
    head = normalised({"a.py": _KEYS}, [scan_of("k", [_secret(1)], Lane.SECRETS)])
    past = normalised({"1/a.py": _KEYS}, [scan_of("k", [_secret(2, path="1/a.py")], Lane.SECRETS)], origins=origins)
    both = head._replace(located=head.located + past.located)
    found = findings_of(both, of=target(change_commits=("c1",))).findings
    assert [(one.symbol, one.location.commit) for one in found] == [("A", ""), ("B", "c1")]


_PIECES = st.lists(
    st.sampled_from(["eval(a)", "eval(b)", "run(a)", "[eval(a), eval(a)]", "x = 1", "def g(a): eval(a)"]), max_size=7
)


def _text(pieces: list[str]) -> dict[str, str]:
    return {"a.py": "\n".join(pieces) + "\n"}


@settings(deadline=None)
@given(_PIECES, _PIECES)
def test_no_finding_is_new_and_absent(before: list[str], after: list[str]) -> None:
    done = compared(_text(before), _text(after))
    assert not {one.fingerprint for one in done.findings} & {one.fingerprint for one in done.absent}
    assert len({one.fingerprint for one in done.findings}) == len(done.findings)
    known = Counter(one.state is not State.NEW for one in done.findings)[True]
    assert known + len(done.absent) == len(found_in(_text(before)))


@settings(deadline=None)
@given(_PIECES)
def test_the_same_tree_again_changes_nothing(pieces: list[str]) -> None:
    done: Correlation = compared(_text(pieces), _text(pieces))
    assert {one.state for one in done.findings} <= {State.UNCHANGED}
    assert not done.absent


@settings(deadline=None)
@given(_PIECES, st.integers(0, 6), st.sampled_from(["eval(a)", "run(a)"]))
def test_one_more_is_one_new(pieces: list[str], at: int, piece: str) -> None:
    done = compared(_text(pieces), _text([*pieces[:at], piece, *pieces[at:]]))
    assert Counter(one.state for one in done.findings)[State.NEW] == 1
    assert not done.absent


def test_secret_is_shown_on_its_own_line() -> None:
    text = 'TABLE = {\n    "a": 1,\n    "token": "q8Zk2pLw",\n}\n'
    (found,) = findings_of(normalised({"a.py": text}, [scan_of("s", [_secret(3)], Lane.SECRETS)])).findings
    assert (found.location.region.start_line, found.title) == (3, "Secret in the source")


def test_a_guess_is_called_one() -> None:
    raw = _secret(1, confidence=Confidence.LOW)
    (found,) = findings_of(normalised({"a.py": 'x = "q8Zk2pLw"\n'}, [scan_of("s", [raw], Lane.SECRETS)])).findings
    assert found.title == "Possible secret in the source"


def test_title_names_package_and_advisory() -> None:
    raw = advisory("PYSEC-1", "CVE-2024-1")
    (found,) = findings_of(
        normalised({"requirements.txt": "a==1\n"}, [scan_of("s", [raw], Lane.DEPENDENCIES)])
    ).findings
    assert raw.package is not None
    assert found.title == f"{raw.package.name} {raw.package.version} has a known vulnerability (CVE-2024-1)"


def test_narrower_weakness_takes_in_the_wider_one_of_its_unit() -> None:
    weaknesses = {"weak": Weakness(title="W"), "weak-password": Weakness(title="P", within="weak")}
    table = Crosswalk(weaknesses=weaknesses, rules={}, ratings={})
    region = Region(start_line=2, start_column=12)
    scans = [
        scan_of(tool, [RawResult(rule=tool, message="m", path="a.py", region=region, weakness=name)])
        for tool, name in (("one", "weak"), ("two", "weak-password"))
    ]
    (found,) = findings_of(normalised(_FILES, scans, table=table), table=table).findings
    assert (found.weakness, found.title, len(found.witnesses)) == ("weak-password", "P", 2)


@pytest.mark.parametrize(
    ("narrow", "listed", "remedy"),
    [("argon2", "scrypt", "argon2"), ("", "scrypt", "scrypt"), ("", "", "sha-256")],
)
def test_the_remedy_is_the_narrower_weakness_s_own(narrow: str, listed: str, remedy: str) -> None:
    weaknesses = {"weak": Weakness(title="W"), "weak-password": Weakness(title="P", remedy=listed, within="weak")}
    table = Crosswalk(weaknesses=weaknesses, rules={}, ratings={})
    region = Region(start_line=2, start_column=12)
    scans = [
        scan_of(tool, [RawResult(rule=tool, message="m", path="a.py", region=region, weakness=name, remedy=said)])
        for tool, name, said in (("one", "weak", "sha-256"), ("two", "weak-password", narrow))
    ]
    (found,) = findings_of(normalised(_FILES, scans, table=table), table=table).findings
    assert found.remedy == remedy


def test_what_says_it_of_the_whole_unit_joins_the_secret_in_it() -> None:
    region = Region(start_line=1, start_column=1)
    whole = RawResult(rule="c", message="m", path="a.py", region=region, weakness="hardcoded-credential")
    scans = [scan_of("s", [_secret(1)], Lane.SECRETS), scan_of("checkov", [whole], Lane.IAC)]
    (found,) = findings_of(normalised({"a.py": 'x = "q8Zk2pLw"\n'}, scans)).findings
    assert (found.lane, len(found.witnesses)) == (Lane.SECRETS, 2)


def test_what_is_said_of_a_unit_joins_no_two_secrets() -> None:
    text = 'keys(\n    one="q8Zk2pLw",\n    two="w9Xv4rTm",\n)\n'
    raws = [_secret(line, secrets=(secret,)) for line, secret in ((2, "q8Zk2pLw"), (3, "w9Xv4rTm"))]
    region = Region(start_line=1, end_line=4)
    whole = RawResult(rule="c", message="m", path="a.py", region=region, cwes=(798,))
    scans = [scan_of("s", raws, Lane.SECRETS), scan_of("iac", [whole], Lane.IAC)]
    found = findings_of(normalised({"a.py": text}, scans)).findings
    assert [(one.location.region.start_line, len(one.witnesses)) for one in found] == [(2, 2), (3, 1)]


def test_on_a_protected_line_the_ledger_stands_in_for_a_base() -> None:
    """Where no earlier run was complete there is no base; what is open in the ledger is not new for that."""
    (then,) = found_in(_FILES)
    after = {"a.py": "def f(x):\n    return eval(x)\n    run(x)\n"}
    done = normalised(after, scans_of(after, ("alpha", "beta")))
    states = {
        scope: {one.weakness: one.state.value for one in findings_of(done, history=_history(then), of=line).findings}
        for scope in (Scope.PROTECTED, Scope.LOCAL)
        for line in [target(scope=scope)]
    }
    assert states[Scope.PROTECTED] == {"code-injection": "unchanged", "command-injection": "new"}
    assert states[Scope.LOCAL] == {"code-injection": "new", "command-injection": "new"}


@settings(deadline=None)
@given(_PIECES, _PIECES, _PIECES)
def test_with_a_ledger_no_name_is_in_what_is_there_and_in_what_is_gone(
    known: list[str], before: list[str], after: list[str]
) -> None:
    base, history = to_known(found_in(_text(before))), _history(*found_in(_text(known)))
    done = normalised(_text(after), scans_of(_text(after), ("alpha", "beta")))
    told = findings_of(done, base=base, history=history)
    names = {one.fingerprint for one in told.findings} | {name for one in told.findings for name in one.continues}
    names |= {
        alias.value for one in told.findings for alias in one.aliases if alias.value in {b.fingerprint for b in base}
    }
    assert not names & {one.fingerprint for one in told.absent}
    taken = [name for one in told.findings for name in one.continues]
    assert len(taken) == len(set(taken))


def _raw(first: int, last: int, tool: str) -> RawResult:
    return RawResult(rule=tool, message="m", path="a.py", region=Region(start_line=first, end_line=last), cwes=(95,))


def test_what_a_tool_says_of_the_whole_function_is_what_another_says_of_its_statement() -> None:
    files = {"a.py": "def f(x):\n    y = 1\n    eval(x)\n    eval(y)\n"}
    scans = [scan_of("wide", [_raw(1, 4, "wide")]), scan_of("narrow", [_raw(3, 3, "narrow"), _raw(4, 4, "narrow")])]
    found = findings_of(normalised(files, scans)).findings
    assert [(one.location.region.start_line, len(one.witnesses)) for one in found] == [(3, 2), (4, 1)]
    (alone,) = findings_of(normalised(files, scans[:1]), base=to_known(found)).findings
    assert alone.state is State.UNCHANGED


def test_a_tool_that_says_both_means_two() -> None:
    files = {"a.py": "def f(x):\n    y = 1\n    eval(x)\n"}
    done = normalised(files, [scan_of("one", [_raw(1, 3, "one"), _raw(3, 3, "one")])])
    assert len(findings_of(done).findings) == 2


def test_without_the_tree_one_line_is_one_unit() -> None:
    scans = [
        scan_of(
            tool,
            [RawResult(rule=tool, message="m", path="a.py", region=Region(start_line=3, start_column=at), cwes=(95,))],
        )
        for tool, at in (("one", 5), ("two", 12))
    ]
    view = View(root="", source=Source.WORK_TREE, digests={})
    done = normalise(
        scans,
        view=view,
        read=lambda _: None,
        kinds=lambda _: (),
        crosswalk=crosswalk(),
        scores=lambda _: None,
        keep_outside=True,
    )
    (found,) = findings_of(done).findings
    assert [witness.scanner for witness in found.witnesses] == ["one", "two"]
