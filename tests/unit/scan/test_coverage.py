"""Coverage, and the known false greens: each ends as a gap."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping
from pathlib import Path

import msgspec
import pytest

from secgate.errors import ConfigError
from secgate.languages.parse import MOST_BYTES, misreading
from secgate.model import (
    Coverage,
    EvidenceBasis,
    FileReading,
    FileStatus,
    Gap,
    Invocation,
    Lane,
    LaneCoverage,
    LeftOut,
    Output,
    ScanStatus,
    Source,
    SourceFile,
    Target,
)
from secgate.ports import Scanner
from secgate.registry import BUILTIN
from secgate.scan import LaneTable, ScannerTask, cover, load_lane_table
from secgate.scanners.bandit import Bandit
from secgate.scanners.checkov import Checkov
from secgate.scanners.detect_secrets import DetectSecrets
from secgate.scanners.kingfisher import Kingfisher
from secgate.scanners.semgrep import Semgrep
from secgate.scanners.zizmor import Zizmor
from tests.recorded import recorded
from tests.unit.scan.fakes import CannedExecutor, ended, make_target, make_view, python, replaced, run, tool

TABLE_PATH = Path(__file__).parents[3] / "policies" / "lanes.json"
TREE = {"bad.py": b"def f(:\n", "good.py": b"eval(x)\n"}
FILES = (python("bad.py"), python("good.py"))


@pytest.fixture(scope="module")
def table() -> LaneTable:
    return load_lane_table(TABLE_PATH.read_bytes())


def parse_ok(kinds: tuple[str, ...], _path: str, data: bytes) -> bool | None:
    if "python" not in kinds:
        return None
    try:
        ast.parse(data)
    except SyntaxError:
        return False
    return True


def kinds_of(path: str, _head: bytes) -> tuple[str, ...]:
    return ("python", "text") if path.endswith(".py") else ("text",)


def covered(
    invocations: Collection[Invocation],
    table: LaneTable,
    *,
    files: Collection[SourceFile] = FILES,
    tree: Mapping[str, bytes] = TREE,
    target: Target | None = None,
    left_out: tuple[LeftOut, ...] = (),
    selected: Collection[str] | None = None,
    without_tools: Collection[str] = (),
    settled: Collection[str] = (),
) -> Coverage:
    return cover(
        tuple(invocations),
        target=target or make_target(*files),
        files=tuple(files),
        left_out=left_out,
        table=table,
        asked=tuple(Lane),
        selected=selected,
        without_tools=without_tools,
        remedies={"checkov": "secgate tools install checkov", "bandit": "pip install bandit"},
        read=lambda path: tree[path],
        parse_ok=parse_ok,
        misreading=misreading,
        kinds_of=kinds_of,
        settled=settled,
    )


def lane(coverage: Coverage, name: Lane = Lane.SAST) -> LaneCoverage:
    return next(one for one in coverage.lanes if one.lane is name)


def said(scanner: str, *paths: str, lane: Lane = Lane.SAST, basis: EvidenceBasis = EvidenceBasis.LISTED) -> Invocation:
    """An invocation that completed and vouches for `paths`."""
    readings = tuple(FileReading(path=path, status=FileStatus.COVERED, basis=basis) for path in paths)
    return Invocation(scanner=scanner, lane=lane, lanes=(lane,), tool=None, status=ScanStatus.COMPLETED, files=readings)


def by_tool(coverage: Coverage, name: Lane = Lane.SAST) -> dict[tuple[str, str], str]:
    return {(gap.path, gap.tool): gap.reason for gap in lane(coverage, name).gaps}


BOTH = (said("bandit", "bad.py", "good.py"), said("semgrep", "bad.py", "good.py"))


def excluded(*paths: str, by: str) -> tuple[LeftOut, ...]:
    return tuple(LeftOut(path=path, reason="excluded", detail=by) for path in paths)


def test_a_lane_of_which_the_tree_excludes_every_file_is_a_gap(table: LaneTable) -> None:
    out = excluded("a.py", "b.py", by="*.py")
    coverage = covered((), table, files=(), target=make_target(), left_out=out)
    (gap,) = lane(coverage).gaps
    assert (gap.path, gap.reason, gap.touched) == ("", "excluded", False)
    assert gap.detail == "all of its 2 files are excluded by *.py"
    assert (lane(coverage).needed, lane(coverage).offered, lane(coverage, Lane.WORKFLOWS).gaps) == (True, 0, ())


def test_a_lane_that_has_other_files_has_no_gap_for_those_excluded(table: LaneTable) -> None:
    assert not lane(covered(BOTH, table, left_out=excluded("x/c.py", by="x/"))).gaps


def test_what_the_organisation_excludes_is_no_gap(table: LaneTable) -> None:
    out = excluded("x/a.py", by="x/")
    assert not lane(covered((), table, files=(), target=make_target(), left_out=out, settled=("x/",))).gaps
    both = (*out, *excluded("a.py", by="*.py"))
    (gap,) = lane(covered((), table, files=(), target=make_target(), left_out=both, settled=("x/",))).gaps
    assert gap.detail == "its only file is excluded by *.py"


@pytest.mark.parametrize("changes", [{"named": True}, {"source": Source.INDEX}])
def test_a_run_of_some_files_says_nothing_of_what_is_excluded_from_all(
    table: LaneTable, changes: dict[str, object]
) -> None:
    target = msgspec.structs.replace(make_target(), **changes)
    assert not lane(covered((), table, files=(), target=target, left_out=excluded("a.py", by="**"))).gaps


def test_a_file_larger_than_our_own_parser_takes_is_not_called_broken(table: LaneTable) -> None:
    files = [msgspec.structs.replace(one, size_bytes=MOST_BYTES + 1) for one in FILES]
    inferred = said("semgrep", "bad.py", "good.py", basis=EvidenceBasis.INFERRED)
    gap = only(covered([BOTH[0], inferred], table, files=files), "semgrep")
    assert (gap.path, gap.reason) == ("bad.py", "too-large")
    assert "split the file" in gap.remedy


# ------------------------------------------------------------------------------------------------ the account


def test_a_file_counts_when_every_required_tool_looked(table: LaneTable) -> None:
    account = lane(covered(BOTH, table))
    assert (account.offered, account.covered, account.failed, account.gaps) == (2, 2, 0, ())
    assert account.tools_ran == ("bandit", "semgrep")


def test_one_tool_of_two_is_not_enough(table: LaneTable) -> None:
    account = lane(covered([BOTH[0], said("semgrep", "good.py")], table))
    assert (account.covered, account.failed) == (1, 1)
    assert [(gap.path, gap.tool, gap.reason) for gap in account.gaps] == [("bad.py", "semgrep", "not-listed")]


def test_an_inferred_reading_needs_our_own_parse(table: LaneTable) -> None:
    inferred = said("semgrep", "bad.py", "good.py", basis=EvidenceBasis.INFERRED)
    assert by_tool(covered([BOTH[0], inferred], table)) == {("bad.py", "semgrep"): "parse-error"}


def test_secrets_are_sought_in_what_does_not_parse(table: LaneTable) -> None:
    names = ("bad.py", "good.py")
    some = [
        said(tool, *names, lane=Lane.SECRETS, basis=EvidenceBasis.INFERRED) for tool in ("kingfisher", "detect-secrets")
    ]
    assert lane(covered(some, table), Lane.SECRETS).covered == 2


def test_covered_without_evidence_is_not_covered(table: LaneTable) -> None:
    nothing = said("semgrep", "bad.py", "good.py", basis=EvidenceBasis.NONE)
    assert {gap.reason for gap in lane(covered([BOTH[0], nothing], table)).gaps} == {"not-listed"}


def test_a_tree_without_files_of_a_lane_does_not_need_it(table: LaneTable) -> None:
    account = lane(covered(BOTH, table), Lane.WORKFLOWS)
    assert (account.asked, account.needed, account.gaps) == (True, False, ())


def test_leaving_a_scanner_out_on_the_command_line_narrows_nothing(table: LaneTable) -> None:
    account = lane(covered([BOTH[1]], table, selected={"semgrep"}))
    assert (account.covered, [(gap.tool, gap.reason) for gap in account.gaps]) == (0, [("bandit", "not-selected")])


def test_a_profile_may_do_without_a_tool(table: LaneTable) -> None:
    assert lane(covered([BOTH[1]], table, without_tools={"bandit"})).covered == 2


def test_a_profile_that_does_without_every_tool_covers_nothing(table: LaneTable) -> None:
    account = lane(covered([], table, without_tools={"bandit", "semgrep"}))
    assert (account.covered, {gap.reason for gap in account.gaps}) == (0, {"no-tool"})


def test_a_gap_says_whether_the_change_touches_it(table: LaneTable) -> None:
    target = make_target(*FILES, changed=("good.py",))
    gaps = lane(covered([BOTH[0], said("semgrep")], table, target=target, files=FILES[:1])).gaps
    assert [(gap.path, gap.touched) for gap in gaps] == [("bad.py", False)]


def test_unsupported_kinds_are_named_with_the_reason(table: LaneTable) -> None:
    notebook = SourceFile(path="a.ipynb", size_bytes=1, kinds=("notebook", "json", "text"))
    account = lane(covered([], table, files=[notebook]))
    assert (account.needed, account.unsupported, account.failed) == (True, 1, 0)
    assert (account.gaps[0].reason, bool(account.gaps[0].detail)) == ("unsupported", True)


def test_an_import_that_may_cover_stands_for_the_tools(table: LaneTable) -> None:
    go = SourceFile(path="a.go", size_bytes=1, kinds=("go", "text"))
    account = lane(covered([said("sarif:go", "a.go")], table, files=[go]))
    assert (account.covered, account.gaps, account.tools_ran) == (1, (), ("sarif:go",))


def test_what_was_left_out_is_listed_and_may_be_a_gap(table: LaneTable) -> None:
    outside = (
        LeftOut(path="broken.py", reason="unreadable"),
        LeftOut(path="link", reason="link-outside", detail="/etc"),
        LeftOut(path="model.bin", reason="lfs-pointer"),
        LeftOut(path="sub", reason="submodule"),
    )
    coverage = covered(BOTH, table, left_out=outside)
    assert coverage.left_out == outside
    assert [(gap.path, gap.reason) for gap in lane(coverage).gaps] == [("broken.py", "unreadable")]
    assert [gap.path for gap in lane(coverage, Lane.SECRETS).gaps if gap.reason != "no-tool"] == ["broken.py"]


# ------------------------------------------------------------------------------------------------ false greens


def through(scanner: Scanner, output: Output, tmp_path: Path, *, has_tool: bool = True) -> Invocation:
    """Run a real adapter over the tree, with an executor that answers `output`."""
    task = ScannerTask(scanner=scanner, tool=tool(scanner.name) if has_tool else None)
    view = make_view(tmp_path / scanner.name, TREE)
    (result,) = run(CannedExecutor({"": output}), task, view=view, target=make_target(*FILES))
    return result.invocation


def only(coverage: Coverage, name: str) -> Gap:
    (gap,) = [gap for gap in lane(coverage).gaps if gap.tool == name]
    return gap


WHOLE = replaced(recorded("bandit", "syntax-error.1")[1])


def test_false_green_tool_missing(table: LaneTable, tmp_path: Path) -> None:
    gap = only(covered([through(Bandit(), WHOLE, tmp_path, has_tool=False), BOTH[1]], table), "bandit")
    assert (gap.reason, gap.path, gap.remedy) == ("tool-missing", "", "pip install bandit")


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (replaced(WHOLE, exit_code=-11), "tool-crashed"),
        (replaced(WHOLE, exit_code=2), "tool-crashed"),
        (replaced(WHOLE, timed_out=True), "tool-timed-out"),
        (replaced(WHOLE, truncated=True), "output-truncated"),
        (ended(""), "output-unreadable"),
        (ended(WHOLE.stdout.decode()[:200]), "output-unreadable"),
    ],
)
def test_false_green_tool_broken(table: LaneTable, tmp_path: Path, output: Output, reason: str) -> None:
    coverage = covered([through(Bandit(), output, tmp_path), BOTH[1]], table)
    assert (only(coverage, "bandit").reason, lane(coverage).covered) == (reason, 0)
    assert lane(coverage).tools_failed == ("bandit",)


def test_false_green_bandit_cannot_parse_and_exits_0(table: LaneTable, tmp_path: Path) -> None:
    gap = only(covered([through(Bandit(), replaced(WHOLE, exit_code=0), tmp_path), BOTH[1]], table), "bandit")
    assert (gap.path, gap.reason) == ("bad.py", "parse-error")


def test_false_green_semgrep_calls_a_broken_file_scanned(table: LaneTable, tmp_path: Path) -> None:
    output = recorded("semgrep", "syntax-error.python-1")[1]
    gap = only(covered([BOTH[0], through(Semgrep(), output, tmp_path)], table), "semgrep")
    assert (gap.path, gap.reason) == ("bad.py", "parse-error")


def test_false_green_semgrep_drops_a_file_for_its_size(table: LaneTable, tmp_path: Path) -> None:
    report = msgspec.json.encode({"version": "1", "results": [], "errors": [], "paths": {"scanned": ["./bad.py"]}})
    invocation = through(Semgrep(), ended(report.decode()), tmp_path)
    assert by_tool(covered([BOTH[0], invocation], table))["good.py", "semgrep"] == "not-listed"


def test_false_green_a_lane_asked_for_with_no_tool(table: LaneTable) -> None:
    account = lane(covered([], table))
    assert (account.asked, account.covered) == (True, 0)
    assert {(gap.tool, gap.reason) for gap in account.gaps} == {("bandit", "no-tool"), ("semgrep", "no-tool")}


def test_false_green_a_lock_file_no_tool_can_read(table: LaneTable) -> None:
    lock = SourceFile(path="yarn.lock", size_bytes=1, kinds=("yarn-lock", "text"))
    account = lane(covered([], table, files=[lock]), Lane.DEPENDENCIES)
    assert (account.needed, account.unsupported, account.gaps[0].reason) == (True, 1, "unsupported")


@pytest.mark.parametrize("reason", ["advisories-too-old: 30 days", "unpinned: no lock", "skipped-by-tool: not found"])
def test_false_green_dependencies_not_really_looked_up(table: LaneTable, reason: str) -> None:
    manifest = SourceFile(path="requirements.txt", size_bytes=1, kinds=("pip-requirements", "text"))
    failed = FileReading(path=manifest.path, status=FileStatus.FAILED, basis=EvidenceBasis.NONE, reason=reason)
    invocation = msgspec.structs.replace(said("pip-audit", lane=Lane.DEPENDENCIES), files=(failed,))
    account = lane(covered([invocation], table, files=[manifest]), Lane.DEPENDENCIES)
    assert (account.covered, account.gaps[0].reason) == (0, reason.partition(":")[0])


def test_false_green_zizmor_exits_0_with_findings(tmp_path: Path) -> None:
    job, output = recorded("zizmor", "findings.1")
    path = job.files[0]
    flow = SourceFile(path=path, size_bytes=1, kinds=("github-workflow", "yaml", "text"))
    view = make_view(tmp_path, {path: b"on: push\n"})
    executor = CannedExecutor({"zizmor": replaced(output, exit_code=0)})
    (result,) = run(executor, ScannerTask(scanner=Zizmor(), tool=tool("zizmor")), view=view, target=make_target(flow))
    assert [found.rule for reading in result.readings for found in reading.results]


# ------------------------------------------------------------------------------------------------ the table


def test_every_tool_of_the_table_is_built_in_and_supports_its_kinds(table: LaneTable) -> None:
    adapters = {one.name: one for one in (Bandit(), Checkov(), DetectSecrets(), Kingfisher(), Semgrep(), Zizmor())}
    for needs in table.lanes.values():
        for kind, need in needs.items():
            file = SourceFile(path="a", size_bytes=1, kinds=(kind,))
            assert set(need.tools) <= set(BUILTIN["scanners"])
            assert all(adapters[name].supports(file) for name in need.tools if name in adapters)


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"{", "truncated"),
        (b'{"version": 2, "lanes": {}}', "unknown"),
        (b'{"version": 1, "lanes": {"other": {"tools": {}, "unsupported": {}}}}', "no such lane"),
        (b'{"version": 1, "lanes": {"sast": {"tools": {"go": []}, "unsupported": {}}}}', "no tool"),
        (b'{"version": 1, "lanes": {"sast": {"tools": {"go": ["x"]}, "unsupported": {"go": "y"}}}}', "both"),
        (b'{"version": 1, "lanes": {"sast": {"tools": {}, "unsupported": {"go": ""}}}}', "no reason"),
        (b'{"version": 1, "lanes": {}}', "missing"),
    ],
)
def test_a_wrong_table_is_refused_with_every_fault(data: bytes, fault: str) -> None:
    with pytest.raises(ConfigError) as raised:
        load_lane_table(data)
    assert any(fault in what or fault in place for place, what, _ in raised.value.faults)


def test_the_first_named_kind_of_a_file_counts(table: LaneTable) -> None:
    odd = SourceFile(path="a", size_bytes=1, kinds=("python", "binary"))
    need = table.need(Lane.SECRETS, odd)
    assert need is not None
    assert need.tools == ("kingfisher",)


def test_a_file_that_semgrep_misreads_is_not_covered_by_it(table: LaneTable) -> None:
    tree = {"bad.py": b"# caf\xe9\nopen(request.args['c'])\n", "good.py": b"eval(x)\n"}
    both = (BOTH[0], said("semgrep", "bad.py", "good.py", basis=EvidenceBasis.INFERRED))
    assert by_tool(covered(both, table, tree=tree)) == {("bad.py", "semgrep"): "not-utf8"}
