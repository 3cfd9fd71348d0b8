"""Every command answers, and what a script relies on holds: exit codes, streams, formats, colour."""

from __future__ import annotations

import json
import os
import pty
import resource
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from secgate.cli import cli
from secgate.cli.options import write_output
from secgate.errors import UsageError
from tests.pages import too_wide
from tests.product import CLEAN, WEAK, Product, tree
from tests.unit.conftest import Git

DENY = "package secgate.rules.wrong\n\ndeny := 7\n"


def commands(group: click.Group = cli, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name)


@pytest.mark.parametrize("path", list(commands()), ids=" ".join)
def test_every_command_explains_itself(path: tuple[str, ...]) -> None:
    ended = CliRunner().invoke(cli, [*path, "--help"], prog_name="secgate")
    assert (ended.exit_code, ended.output.startswith(f"Usage: {' '.join(('secgate', *path))}")) == (0, True)


@pytest.mark.parametrize("path", list(commands()), ids=" ".join)
def test_every_option_is_explained(path: tuple[str, ...]) -> None:
    context, command = click.Context(cli), cli
    for name in path:
        assert isinstance(command, click.Group)
        found = command.get_command(context, name)
        assert found is not None
        command = found  # type: ignore[assignment]
    assert [p.name for p in command.params if isinstance(p, click.Option) and not p.help] == []


def test_an_unknown_command_is_a_usage_error(product: Product) -> None:
    ended = product.cli("rnu")
    assert (ended.code, ended.out, "No such command 'rnu'. Did you mean run?" in ended.err) == (2, "", True)
    assert "Did you mean" not in product.cli("nonsense").err


def test_exit_0_and_1(product: Product, tmp_path: Path) -> None:
    clean = product.cli("run", str(tree(tmp_path / "clean", {"app.py": CLEAN})))
    weak = product.cli("run", str(tree(tmp_path / "weak", {"app.py": WEAK})))
    assert (clean.code, weak.code) == (0, 1)
    assert ("PASS" in clean.out, "FAIL" in weak.out) == (True, True)


def test_exit_2_lists_every_fault(product: Product, tmp_path: Path) -> None:
    root = tree(tmp_path / "tree", {"secgate.toml": "profil = 1\nmode = 7\n"})
    ended = product.cli("run", str(root))
    assert (ended.code, ended.out) == (2, "")
    assert "secgate.toml:1" in ended.err
    assert "secgate.toml:2" in ended.err


def test_exit_3_names_the_tool_and_how_to_get_it(product: Product, tmp_path: Path) -> None:
    product.tool("semgrep", "crash")
    ended = product.cli("run", str(tree(tmp_path / "tree", {"app.py": CLEAN})))
    assert (ended.code, "semgrep" in ended.out) == (3, True)


def test_exit_4_before_anything_is_scanned(product: Product, tmp_path: Path) -> None:
    policy = tree(tmp_path / "policy", {"a.rego": DENY})
    ended = product.cli("run", str(tree(tmp_path / "tree", {"app.py": CLEAN})), "--policy", str(policy))
    assert (ended.code, product.calls("semgrep")) == (4, [])


def test_exit_5_for_a_damaged_ledger(product: Product, git: Git) -> None:
    git.commit({"app.py": CLEAN})
    product.cli("run", str(git.root))
    (git.root / ".git" / "secgate" / "ledger.sqlite").write_bytes(b"not a ledger" * 100)
    ended = product.cli("run", str(git.root))
    assert (ended.code, "Traceback" in ended.err) == (5, False)


def test_observe_prints_the_outcome_and_exits_0(product: Product, tmp_path: Path) -> None:
    organisation = tree(tmp_path / "organisation", {"enforced.toml": 'mode = "observe"\n'})
    root = tree(tmp_path / "tree", {"app.py": WEAK})
    ended = product.cli("run", str(root), "--enforced", str(organisation))
    assert (ended.code, "FAIL" in ended.out) == (0, True)


def plugin(folder: Path, group: str, text: str) -> Path:
    """Install a third party's package with one plug-in called `boom`."""
    entry = f"[secgate.{group}]\nboom = boom_plugin:Boom\n"
    meta = {"METADATA": "Metadata-Version: 2.1\nName: boom\nVersion: 1\n", "entry_points.txt": entry}
    return tree(folder, {"boom_plugin.py": text, **{f"boom-1.dist-info/{name}": body for name, body in meta.items()}})


FAULTY = """
import sys, types
import click
from secgate.cli import _COMMANDS, main
@click.command("boom")
def boom():
    held = "a value"
    raise {raised}
sys.modules["faulty"] = types.SimpleNamespace(boom_command=boom)
_COMMANDS["boom"] = ("faulty", "A command with a fault.")
sys.argv = ["secgate", "boom"]
main()
"""


@pytest.mark.parametrize("raised", ["KeyError('boom')", "SystemExit(0)", "SystemExit(None)"])
def test_exit_70_for_a_fault_says_where_to_report_it_and_shows_no_values(raised: str) -> None:
    argv = [sys.executable, "-c", FAULTY.format(raised=raised)]
    ended = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (70, "")
    assert "please report it" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "a value" not in ended.stderr


@pytest.mark.parametrize("code", [0, None])
def test_a_plug_in_that_ends_the_process_is_no_pass(product: Product, tmp_path: Path, code: int | None) -> None:
    text = (
        "import sys\nclass Boom:\n    name = 'boom'\n    suffix = '.boom'\n"
        f"    def render(self, document, *, width, colour):\n        sys.exit({code})\n"
    )
    site = plugin(tmp_path / "site", "reporters", text)
    root = tree(tmp_path / "tree", {"app.py": WEAK})
    ended = product.cli("run", str(root), "--format", "boom", PYTHONPATH=f"{Path(__file__).parents[2]}:{site}")
    assert (ended.code, ended.out, "SystemExit" in ended.err) == (2, "", True)


SCANNER = """
from secgate.model import Lane
from secgate.ports import NoOptions
class Boom:
    name = "boom"
    lanes = (Lane.SAST,)
    spec = None
    services = ()
    outgoing = ""
    options = NoOptions
    def supports(self, file): return "shell" in file.kinds
    def plan(self, request): raise SystemExit(0)
    def read(self, job, output): pass
"""


def test_a_scanner_of_others_that_ends_the_process_is_told_and_judges_nothing(product: Product, tmp_path: Path) -> None:
    site = plugin(tmp_path / "site", "scanners", "import sys; sys.exit(0)")
    settings = '[scanners.boom]\nkinds = ["shell"]\n'
    organisation = tree(tmp_path / "organisation", {"enforced.toml": settings})
    root = tree(tmp_path / "tree", {"a.sh": "echo\n", "app.py": CLEAN})
    path = f"{Path(__file__).parents[2]}:{site}"
    ended = product.cli("run", str(root), "--enforced", str(organisation), PYTHONPATH=path)
    assert (ended.code, ended.out) == (2, "")
    assert "the plug-in `boom` (boom_plugin:Boom) cannot be loaded: SystemExit: 0" in " ".join(ended.err.split())
    # Where nobody asks for it, it is not even looked at.
    assert product.cli("run", str(root), PYTHONPATH=path).code != 2


def test_the_lane_of_a_scanner_of_others_that_fails_could_not_tell(product: Product, tmp_path: Path) -> None:
    site = plugin(tmp_path / "site", "scanners", SCANNER)
    organisation = tree(
        tmp_path / "organisation", {"enforced.toml": '[scanners.boom]\nkinds = ["shell"]\ncovers = true\n'}
    )
    root = tree(tmp_path / "tree", {"a.sh": "echo\n"})
    path = f"{Path(__file__).parents[2]}:{site}"
    ended = product.cli("run", str(root), "--enforced", str(organisation), PYTHONPATH=path)
    assert ended.code == 3, ended
    assert "the plug-in `boom` (boom_plugin) cannot plan its jobs" in " ".join(ended.out.split())


def test_data_on_stdout_and_talk_on_stderr(product: Product, tmp_path: Path) -> None:
    ended = product.cli("run", str(tree(tmp_path / "tree", {"app.py": WEAK})), "--format", "json")
    document = json.loads(ended.out)
    assert (ended.code, document["exit_code"], document["all_outcomes"]) == (1, 1, ["fail"])
    assert "semgrep" in ended.err
    assert "\x1b" not in ended.out + ended.err


def test_an_earlier_answer_is_gone_where_this_one_could_not_be_written(product: Product, tmp_path: Path) -> None:
    root = tree(tmp_path / "tree", {"app.py": CLEAN})
    written, late = tmp_path / "written.json", tmp_path / "late.txt"
    late.write_text("secgate: PASS of yesterday")
    outputs = (f"json={written}", "json=/dev/full", f"text={late}")
    ended = product.cli("run", str(root), "--quiet", *(f"--format={one}" for one in outputs))
    assert (ended.code, "cannot write /dev/full" in ended.err) == (2, True), ended.err
    assert (written.is_file(), late.exists()) == (True, False)


def test_nothing_of_a_file_is_left_that_could_not_be_written_whole(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("before")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
    try:
        with pytest.raises(UsageError, match="cannot write"):
            write_output(b"longer than ten bytes", str(tmp_path / "page.html"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("page.html", "before")]


def test_several_formats_at_once(product: Product, tmp_path: Path) -> None:
    root = tree(tmp_path / "tree", {"app.py": WEAK})
    files = {form: tmp_path / f"out.{form}" for form in ("json", "sarif", "html")}
    ended = product.cli("run", str(root), "--quiet", "--format=text", *(f"--format={n}={f}" for n, f in files.items()))
    assert (ended.code, ended.err) == (1, "")
    assert json.loads(files["sarif"].read_bytes())["version"] == "2.1.0"
    assert files["html"].read_text().startswith("<!doctype html>".casefold()) or "<html" in files["html"].read_text()
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


@pytest.mark.parametrize(
    ("formats", "said"),
    [
        (["text", "json"], "two formats would go to stdout"),
        (["json=-", "text"], "two formats would go to stdout"),
        (["xml"], "unknown format `xml`"),
        (["text", "html="], "`html=` names no file"),
        (["json=/nowhere/out.json"], "cannot write /nowhere/out.json"),
        (["json=/"], "it is a folder"),
    ],
)
def test_formats_that_cannot_be_had_are_refused_before_the_run(
    product: Product, tmp_path: Path, formats: list[str], said: str
) -> None:
    root = tree(tmp_path / "tree", {"app.py": WEAK})
    ended = product.cli("run", str(root), *(f"--format={one}" for one in formats))
    assert (ended.code, said in ended.err, product.calls("semgrep")) == (2, True, [])


def on_a_terminal(product: Product, *arguments: str, **env: str) -> str:
    """Run a command with stdout on a terminal and give what the terminal got."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "secgate", *arguments],
        cwd=product.home,
        env={**product.env, "PYTHONPATH": str(Path(__file__).parents[2]), "TERM": "xterm", **env},
        stdin=subprocess.DEVNULL,
        stdout=slave,
        stderr=subprocess.DEVNULL,
    )
    os.close(slave)
    got = b""
    while process.poll() is None or select.select([master], [], [], 0)[0]:
        if select.select([master], [], [], 0.1)[0]:
            try:
                got += os.read(master, 65536)
            except OSError:
                break
    os.close(master)
    process.wait(timeout=60)
    return got.decode()


def test_no_color_is_respected_on_a_terminal(product: Product, tmp_path: Path) -> None:
    root = tree(tmp_path / "tree", {"app.py": WEAK})
    coloured, plain = (on_a_terminal(product, "run", str(root), **env) for env in ({}, {"NO_COLOR": "1"}))
    assert ("\x1b[" in coloured, "\x1b[" in plain, "FAIL" in plain) == (True, False, True)


def test_the_table_fits_80_columns(product: Product, tmp_path: Path) -> None:
    deep = "/".join(["a-folder-with-a-long-name"] * 6) + "/app.py"
    ended = product.cli("run", str(tree(tmp_path / "tree", {deep: WEAK})))
    assert not too_wide(ended.out)
    assert f"at {deep}:2\n" in ended.out


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_reader_that_goes_away_changes_no_decision(product: Product, tmp_path: Path, stream: str) -> None:
    process = product.start("run", str(tree(tmp_path / "tree", {"app.py": CLEAN})))
    assert process.stdout is not None
    assert process.stderr is not None
    gone, read = (process.stdout, process.stderr) if stream == "stdout" else (process.stderr, process.stdout)
    gone.close()
    text = read.read().decode()
    read.close()
    assert (process.wait(timeout=60), "Traceback" in text, "Exception" in text) == (0, False, False)


def test_a_reader_that_goes_away_is_no_policys_no(product: Product) -> None:
    process = product.start("tools", "list")
    assert process.stdout is not None
    process.stdout.close()
    process.communicate(timeout=60)
    assert process.returncode == 141


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("--version >/dev/full", 2),
        ("config schema >/dev/full", 2),
        ("show --format json >/dev/full", 2),
        ("config schema >/dev/full 2>/dev/full", 70),
        ("--version >&-", 0),
        ("show <&- >&- 2>&-", 0),
        ("check - <&-", 2),
        ("lsp </dev/null", 2),
        ("lsp <&-", 2),
    ],
)
def test_streams_that_are_full_or_closed_are_no_fault(product: Product, git: Git, line: str, code: int) -> None:
    git.commit({"app.py": CLEAN})
    assert product.cli("run", "--quiet", cwd=git.root).code == 0
    done = subprocess.run(
        ["/bin/sh", "-c", f'exec "{sys.executable}" -m secgate {line}'],
        cwd=git.root,
        env={**product.env, "PYTHONPATH": str(Path(__file__).parents[2])},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout, "fault" in done.stderr, "Traceback" in done.stderr) == (
        code,
        "",
        False,
        False,
    )
    assert ("cannot write to stdout: No space left on device" in done.stderr) == (
        line.endswith(">/dev/full") and code == 2
    )


def test_a_folder_that_is_gone_is_said(product: Product, tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    script = f'cd "{tmp_path}/gone" && /bin/rmdir "{tmp_path}/gone" && exec "{sys.executable}" -m secgate run'
    env = {**product.env, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(["/bin/sh", "-c", script], env=env, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, "secgate: the current folder is gone")


def test_help_is_a_command_too(product: Product) -> None:
    for words in ((), ("run",), ("waiver", "request")):
        assert product.cli("help", *words).out == product.cli(*words, "--help").out
    assert product.cli("help").code == 0
    for words, said in (
        (("rnu",), "Did you mean run?"),
        (("run", "x"), "No such command 'x'"),
        (("waiver", "x"), "'x'"),
    ):
        ended = product.cli("help", *words)
        assert (ended.code, ended.out, said in ended.err) == (2, "", True)


def test_scan_writes_sarif_and_judges_and_records_nothing(product: Product, git: Git, tmp_path: Path) -> None:
    git.commit({"app.py": WEAK})
    out = tmp_path / "out.sarif"
    ended = product.cli("scan", str(git.root), "-o", str(out))
    assert (ended.code, len(json.loads(out.read_bytes())["runs"]) > 0) == (0, True)
    assert not (git.root / ".git" / "secgate").exists()


def test_scan_says_what_was_not_covered(product: Product, tmp_path: Path) -> None:
    product.tool("semgrep", "crash")
    ended = product.cli("scan", str(tree(tmp_path / "tree", {"app.py": CLEAN})))
    assert (ended.code, "not covered" in ended.err) == (3, True)


def test_check_judges_the_sarif_of_a_scan_and_claims_no_coverage(product: Product, tmp_path: Path) -> None:
    out = tmp_path / "out.sarif"
    weak, clean = (tree(tmp_path / name, {"app.py": text}) for name, text in (("weak", WEAK), ("clean", CLEAN)))
    product.cli("scan", str(weak), "-o", str(out))
    judged = product.cli("check", str(out))
    product.cli("scan", str(clean), "-o", str(out))
    passed = product.cli("check", str(out))
    assert (judged.code, passed.code) == (1, 0)
    assert "findings only, no coverage claimed; nothing is recorded, no clock starts" in " ".join(passed.out.split())
    assert "provisional" not in passed.out
    # Nothing is recorded that a waiver could be asked for, and there is no base that could be named.
    assert [words for words in ("waiver request", "--changed-since") if words in judged.out] == []


@pytest.mark.parametrize("data", [b"", b"nonsense", b"{}", b"[" * 100_000, b'{"version": "1.0", "runs": []}', b"\xff"])
def test_check_refuses_what_is_no_sarif(product: Product, tmp_path: Path, data: bytes) -> None:
    ended = product.cli("check", str(tree(tmp_path, {"x.sarif": data}) / "x.sarif"))
    assert (ended.code, ended.out, "x.sarif" in ended.err) == (2, "", True)


@pytest.mark.parametrize(("succeeded", "code"), [(True, 0), (False, 3)])
def test_check_cannot_tell_where_a_tool_says_that_it_failed(
    product: Product, tmp_path: Path, succeeded: bool, code: int
) -> None:
    run = {
        "tool": {"driver": {"name": "other"}},
        "invocations": [{"executionSuccessful": succeeded}],
        "results": [],
    }
    data = json.dumps({"version": "2.1.0", "runs": [run]}).encode()
    ended = product.cli("check", str(tree(tmp_path, {"x.sarif": data}) / "x.sarif"))
    assert (ended.code, "did not succeed" in ended.out) == (code, not succeeded)


EMPTY = b'{"version": "2.1.0", "runs": []}'
CLEAN_FILE = b'{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "x"}}, "results": []}]}'


@pytest.mark.parametrize(
    ("files", "code"), [([CLEAN_FILE], 0), ([EMPTY], 3), ([CLEAN_FILE, EMPTY], 3), ([CLEAN_FILE, CLEAN_FILE], 0)]
)
def test_check_takes_a_file_without_a_run_for_no_clean_report(
    product: Product, tmp_path: Path, files: list[bytes], code: int
) -> None:
    folder = tree(tmp_path, {f"{at}.sarif": data for at, data in enumerate(files)})
    ended = product.cli("check", *(str(folder / f"{at}.sarif") for at in range(len(files))))
    assert (ended.code, "holds no run" in " ".join(ended.out.split())) == (code, code == 3)


@pytest.mark.parametrize(
    "run", [b"{}", b'{"results": null}', b'{"results": [], "errors": []}', b'{"results": []}', b"[]"]
)
def test_check_takes_nothing_for_no_clean_report(product: Product, tmp_path: Path, run: bytes) -> None:
    assert product.cli("check", str(tree(tmp_path, {"x.json": run}) / "x.json")).code == 2


@pytest.mark.parametrize("names", [("-", "-"), ("-", "/dev/stdin")])
def test_check_reads_stdin_once(product: Product, names: tuple[str, ...]) -> None:
    ended = product.cli("check", *names)
    assert (ended.code, ended.out) == (2, "")
    assert "stdin is named more than once" in ended.err


def test_check_tells_results_in_no_tree_apart(product: Product, tmp_path: Path) -> None:
    places = [{"physicalLocation": {"artifactLocation": {"uri": f"https://shop.example/{at}"}}} for at in (1, 2)]
    results = [{"ruleId": "xss", "message": {"text": "m"}, "level": "error", "locations": [one]} for one in places]
    data = json.dumps({"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "dast"}}, "results": results}]})
    ended = product.cli("check", str(tree(tmp_path, {"x.sarif": data.encode()}) / "x.sarif"))
    assert "the policy blocks 2 findings" in ended.out
    assert "https://shop.example/1" in ended.out


def test_show_gives_an_earlier_run_again(product: Product, git: Git) -> None:
    git.commit({"app.py": WEAK})
    first = json.loads(product.cli("run", str(git.root), "--format=json").out)["run"]
    git.commit({"app.py": CLEAN})
    product.cli("run", str(git.root))
    again = product.cli("show", first["run_id"], "--format=json", "--path", str(git.root))
    last = product.cli("show", "--path", str(git.root))
    assert json.loads(again.out)["run"]["findings"] == first["findings"]
    assert (again.code, last.code, "PASS" in last.out) == (0, 0, True)


def test_show_says_that_the_run_is_recorded_and_writes_several_formats(product: Product, git: Git) -> None:
    git.commit({"app.py": WEAK})
    product.cli("run", str(git.root))
    ended = product.cli(
        "show", "--format", "json=run.json", "--format", "html=run.html", "--format", "text", cwd=git.root
    )
    assert (ended.code, ended.out.startswith("secgate: FAIL")) == (0, True)
    assert json.loads((git.root / "run.json").read_bytes())["run"]["ledger_head"]["size"] == 3
    page = (git.root / "run.html").read_text()
    assert ("have it accepted for a while" in page, "this run is in no ledger" in page) == (True, False)
    both = product.cli("show", "--format", "json=run.json", "-o", "run.txt", cwd=git.root)
    assert (both.code, "-o is for one format" in both.err) == (2, True)


def test_show_of_a_run_that_is_not_there(product: Product, git: Git) -> None:
    git.commit({"app.py": CLEAN})
    assert product.cli("show", "--path", str(git.root)).code == 2
    product.cli("run", str(git.root))
    assert product.cli("show", "1999", "--path", str(git.root)).code == 2


def test_the_ledger_verifies(product: Product, git: Git) -> None:
    git.commit({"app.py": CLEAN})
    product.cli("run", str(git.root))
    ended = product.cli("ledger", "verify", "--path", str(git.root))
    assert (ended.code, "whole; 3 entries" in ended.out) == (0, True)


def test_doctor_tells_what_a_run_would_miss(product: Product, tmp_path: Path) -> None:
    root = tree(tmp_path / "tree", {"app.py": CLEAN, "main.tf": "", "Dockerfile": "FROM scratch\n"})
    ended = product.cli("doctor", str(root))
    assert (ended.code, "secgate tools install checkov" in ended.err) == (3, True)
    assert "cannot tell" not in ended.out


def test_doctor_tells_of_files_that_no_tool_reads(product: Product, tmp_path: Path) -> None:
    root = tree(tmp_path / "tree", {"app.py": CLEAN, "go.sh": "#!/bin/sh\necho\n"})
    ended = product.cli("doctor", str(root))
    assert (ended.code, "1 file, and 1 that no tool here reads  bandit, semgrep" in ended.out) == (0, True)
    assert "a run over all of this tree cannot tell about sast" in ended.out
    assert max(map(len, ended.out.splitlines())) <= 80


def test_tools_and_advisories_answer_on_an_empty_machine(product: Product) -> None:
    listed, info = product.cli("tools", "list"), product.cli("advisories", "info")
    assert (listed.code, "not installed" in listed.out) == (0, True)
    assert (info.code, "secgate advisories import" in info.err) == (3, True)


def test_lists_about_exploitation_are_taken_in_and_told(product: Product, tmp_path: Path) -> None:
    kev = '{"dateReleased": "2026-01-02T00:00:00Z", "vulnerabilities": [{"cveID": "CVE-2026-1234", "dateAdded": "%s"}]}'
    scores = "#model_version:v2026.06.15,score_date:2026-01-03T12:00:00Z\ncve,epss,percentile\nCVE-2026-1234,0.5,0.9\n"
    tree(tmp_path, {"kev.json": kev % "2026-01-01", "epss.csv": scores})
    ended = product.cli("advisories", "update", "--kev", "kev.json", "--epss", "epss.csv", cwd=tmp_path)
    assert ended.out.splitlines() == [
        "known-exploited: 1 entry, published 2026-01-02",
        "epss: 1 entry of model v2026.06.15, published 2026-01-03",
    ]
    info = product.cli("advisories", "info")
    assert (info.code, "epss            1 entry of model v2026.06.15, published 2026-01-03 (" in info.out) == (
        0,
        True,
    )


def test_a_list_that_is_none_is_said_with_the_remedy(product: Product, tmp_path: Path) -> None:
    ended = product.cli("advisories", "update", "--kev", str(tree(tmp_path, {"a.json": "{}"}) / "a.json"))
    assert (ended.code, ended.out) == (2, "")
    assert "try: give CISA's catalogue as it is published, JSON or CSV" in ended.err


def test_a_run_without_an_answer_leaves_no_earlier_one_behind(product: Product, tmp_path: Path) -> None:
    root, wrong = str(tree(tmp_path / "clean", {"app.py": CLEAN})), str(tree(tmp_path / "wrong", {"a.rego": DENY}))
    outputs = [tmp_path / "out.json", tmp_path / "out.sarif"]
    formats = [f"--format={one.suffix[1:]}={one}" for one in outputs]
    assert (product.cli("run", root, *formats).code, [one.is_file() for one in outputs]) == (0, [True, True])
    assert (product.cli("run", root, "--policy", wrong, *formats).code, list(tmp_path.glob("out.*"))) == (4, [])


def test_a_pipe_is_written_into_and_not_replaced(product: Product, tmp_path: Path) -> None:
    root, pipe = tree(tmp_path / "clean", {"app.py": CLEAN}), tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    assert product.cli("run", str(root), f"--format=text={pipe}").code == 0
    assert (os.read(reader, 13), pipe.is_fifo()) == (b"secgate: PASS", True)
    os.close(reader)
