"""`from secgate import run_gate` and the rest of the library: the same gate in a program of one's own."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

import secgate
from secgate import GateResult, Ledger, Outcome, Policy, SecgateError, check_sarif, errors, render, run_gate
from secgate.errors import ConfigError, LedgerError, TargetError, UsageError
from tests.product import CLEAN, NOW, WEAK, Product, tree

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"
SARIF = json.dumps(
    {
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {"name": "other", "rules": [{"id": "r", "properties": {"security-severity": "9.8"}}]}
                },
                "results": [
                    {
                        "ruleId": "r",
                        "level": "error",
                        "message": {"text": "bad"},
                        "locations": [
                            {
                                "physicalLocation": {
                                    "artifactLocation": {"uri": "a.py"},
                                    "region": {"startLine": 1},
                                }
                            }
                        ],
                    }
                ],
            }
        ],
    }
).encode()


def test_what_is_public_is_what_is_promised() -> None:
    promised = {
        *("__version__", "GateResult", "Ledger", "Outcome", "Policy"),
        *("SecgateError", "check_sarif", "render", "run_gate"),
    }
    assert set(secgate.__all__) == promised
    assert promised <= set(dir(secgate))
    for name in promised - {"__version__"}:
        thing = getattr(secgate, name)
        assert inspect.getdoc(thing), name
        calls = (
            [member for _, member in inspect.getmembers(thing, inspect.isfunction)]
            if inspect.isclass(thing)
            else [thing]
        )
        for call in calls:
            if call.__qualname__.partition(".")[0] in promised and not call.__name__.startswith("_"):
                assert "return" in call.__annotations__, call
    with pytest.raises(AttributeError, match="no attribute 'pipeline_of_old'"):
        _ = secgate.pipeline_of_old


def test_it_gives_the_decision_and_prints_nothing(
    product: Product, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    result = run_gate(tree(tmp_path / "weak", {"app.py": WEAK}), now=NOW, env=product.env)
    assert isinstance(result, GateResult)
    assert (result.outcome, result.exit_code) == (Outcome.FAIL, 1)
    assert [finding.location.path for finding in result.findings] == ["app.py"]
    assert result.decision.evaluated_epoch_s == int(NOW.timestamp())
    assert capfd.readouterr() == ("", "")


def test_it_is_deterministic(product: Product, tmp_path: Path) -> None:
    root = tree(tmp_path / "weak", {"app.py": WEAK, "more.py": WEAK})
    first, second = (run_gate(root, now=NOW, env={**product.env, "SECGATE_LEDGER_STORE": "none"}) for _ in range(2))
    assert first.decision == second.decision
    assert render(first, "sarif") != render(first, "html")


def test_a_result_is_shown_in_every_format(product: Product, tmp_path: Path) -> None:
    result = run_gate(tree(tmp_path / "weak", {"app.py": WEAK}), now=NOW, env=product.env)
    assert json.loads(render(result, "json").data)["outcome"] == "fail"
    assert render(result, "text", width=60).data.startswith(b"secgate: FAIL")
    with pytest.raises(UsageError, match="unknown reporter `pdf`"):
        render(result, "pdf")


def test_errors_are_raised_and_know_their_exit_code(product: Product) -> None:
    with pytest.raises(TargetError) as caught:
        run_gate("/nowhere", now=NOW, env=product.env)
    assert (isinstance(caught.value, SecgateError), caught.value.exit_code) == (True, 2)


def test_the_tree_of_errors_is_told_as_it_is() -> None:
    kinds = {
        name: kind
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, SecgateError) and kind is not SecgateError
    }
    told = re.findall(r"^([| ]*)\+- (\w+) +(\d+)? ", errors.__doc__ or "", flags=re.MULTILINE)
    assert {name for _, name, _ in told} == set(kinds)
    parent = SecgateError
    for depth, name, code in told:
        assert kinds[name].__bases__ == (parent if depth else SecgateError,), name
        assert code in ("", str(kinds[name].exit_code)), name
        parent = parent if depth else kinds[name]


@pytest.mark.parametrize("now", [NOW.replace(tzinfo=None), NOW.astimezone(timezone(timedelta(hours=1)))])
def test_only_aware_utc_is_a_time(product: Product, tmp_path: Path, now: datetime) -> None:
    root = tree(tmp_path / "clean", {"app.py": CLEAN})
    for call in (
        lambda: run_gate(root, now=now, env=product.env),
        lambda: check_sarif([SARIF], now=now, env=product.env),
        lambda: Ledger(root, env=product.env).verify(now=now),
        lambda: Ledger(root, env=product.env).entries(now=now),
        lambda: Policy(root, env=product.env).lint(now=now),
    ):
        with pytest.raises(UsageError, match="aware UTC"):
            call()


def test_a_wrong_option_is_a_usage_error(product: Product, tmp_path: Path) -> None:
    root = tree(tmp_path / "clean", {"app.py": CLEAN})
    with pytest.raises(UsageError, match="scanners"):
        run_gate(root, now=NOW, env=product.env, scanners="semgrep")
    with pytest.raises(ConfigError, match="scope"):
        run_gate(root, now=NOW, env=product.env, scope="everything")


@pytest.mark.parametrize("now", [datetime(9999, 12, 31, tzinfo=UTC), datetime(1969, 12, 31, tzinfo=UTC)])
def test_a_time_that_no_record_can_hold_is_refused_before_it_is_recorded(
    product: Product, tmp_path: Path, now: datetime
) -> None:
    root = tree(tmp_path / "clean", {"app.py": CLEAN})
    run_gate(root, now=NOW, env=product.env)
    ledger = Ledger(root, env=product.env)
    before = ledger.verify(now=NOW)
    for call in (lambda: run_gate(root, now=now, env=product.env), lambda: ledger.verify(now=now)):
        with pytest.raises(UsageError, match="no record can hold"):
            call()
    assert ledger.verify(now=NOW) == before


def test_what_a_caller_without_a_type_checker_gives_is_an_error_of_the_one_tree(
    product: Product, tmp_path: Path
) -> None:
    root = tree(tmp_path / "clean", {"app.py": CLEAN})
    result = run_gate(root, now=NOW, env=product.env)
    wrong: Any = {"now": "2026-01-01", "bytes": b"/tmp", "env": {"HOME": 3}, "result": result.document, "number": "80"}
    ledger = Ledger(root, env=product.env)
    policy = Policy(root, env=product.env)
    calls: dict[str, Callable[[], object]] = {
        "now": lambda: run_gate(root, now=wrong["now"], env=product.env),
        "path": lambda: run_gate(wrong["bytes"], now=NOW, env=product.env),
        "PATH": lambda: run_gate("", now=NOW, env=product.env),
        "config_file": lambda: Ledger(root, config_file="a\0b", env=product.env),
        "policies": lambda: run_gate(root, now=NOW, env=product.env, policies="policies"),
        "policies[0]": lambda: check_sarif([SARIF], now=NOW, env=product.env, policies=[wrong["bytes"]]),
        "env": lambda: run_gate(root, now=NOW, env=wrong["now"]),
        "env['HOME']": lambda: Ledger(root, env=wrong["env"]),
        "files[1]": lambda: check_sarif([SARIF, wrong["number"], wrong["env"]][::2], now=NOW, env=product.env),
        "files[0]": lambda: check_sarif(["a\0b"], now=NOW, env=product.env),
        "width": lambda: render(result, "text", width=wrong["number"]),
        "result": lambda: render(wrong["result"], "text"),
        "layer": lambda: Policy(root, layer=wrong["now"], env=product.env),
        "engines": lambda: policy.test(now=NOW, engines=()),
        "last": lambda: ledger.entries(now=NOW, last=-1),
        "types": lambda: ledger.entries(now=NOW, types="run"),
        "checkpoints": lambda: ledger.verify(now=NOW, checkpoints="place"),
        "max_age": lambda: ledger.verify(now=NOW, max_age=wrong["number"]),
    }
    for place, call in calls.items():
        with pytest.raises(UsageError) as caught:
            call()
        assert (caught.value.place, bool(caught.value.remedy)) == (place, True)


def test_an_error_about_the_environment_does_not_tell_its_values(product: Product) -> None:
    given: Any = {**product.env, "TOKEN": b"made-up-token"}
    with pytest.raises(UsageError) as caught:
        run_gate(".", now=NOW, env=given)
    assert str(caught.value) == "env['TOKEN']: not text but a bytes\ntry: give text"


def test_a_path_is_text_or_a_path_wherever_one_is_asked_for(product: Product, tmp_path: Path) -> None:
    root = tree(tmp_path / "clean", {"app.py": CLEAN, "secgate.toml": "version = 1\n"})
    rule = "package secgate.rules.own\n\ndeny contains said if {\n\tsome f in input.findings\n"
    rule += '\tf.severity == "low"\n\tsaid := {"finding": f.fingerprint, "reason": "low"}\n}\n'
    policies = tree(tmp_path / "policies", {"own.rego": rule})
    enforced = tree(tmp_path / "enforced", {"enforced.toml": "version = 1\n"})
    result = run_gate(
        root, now=NOW, env=product.env, enforced=enforced, config_file=root / "secgate.toml", policies=[policies]
    )
    decision = result.decision
    assert (decision.outcome, "repository" in decision.policy_digests) == (Outcome.PASS, True)
    assert decision.enforced_digest != run_gate(root, now=NOW, env=product.env).decision.enforced_digest
    ledger = Ledger(root, config_file=root / "secgate.toml", enforced=enforced, env=product.env)
    assert ledger.verify(now=NOW).head.size


def test_it_reads_the_environment_it_is_given_and_no_other(product: Product, tmp_path: Path) -> None:
    root = tree(tmp_path / "clean", {"app.py": CLEAN})
    assert run_gate(root, now=NOW, env={**product.env, "SECGATE_PROFILE": "audit"}).decision.profile == "audit"
    with pytest.raises(ConfigError, match="state"):
        run_gate(root, now=NOW, env={})


def test_it_runs_in_a_thread_without_signals(product: Product, tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    roots = [tree(tmp_path / f"tree-{number}", {"app.py": WEAK}) for number in range(3)]
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda root: run_gate(root, now=datetime.now(tz=UTC), env=product.env), roots))
    assert [result.outcome for result in found] == [Outcome.FAIL] * 3


def test_sarif_is_judged_from_bytes_and_from_files(product: Product, tmp_path: Path) -> None:
    (tmp_path / "one.sarif").write_bytes(SARIF)
    for source in (SARIF, tmp_path / "one.sarif", str(tmp_path / "one.sarif")):
        result = check_sarif([source], now=NOW, env=product.env)
        assert (result.outcome, [one.severity.value for one in result.findings]) == (Outcome.FAIL, ["critical"])
    with pytest.raises(UsageError) as caught:
        check_sarif([SARIF, b"{"], now=NOW, env=product.env)
    assert caught.value.place.startswith("files[1]")
    wrong: tuple[Any, ...] = (SARIF, "one.sarif", None, {"one.sarif": "two.sarif"})
    for files in wrong:
        with pytest.raises(UsageError, match="not a list"):
            check_sarif(files, now=NOW, env=product.env)
    with pytest.raises(UsageError, match="no SARIF file"):
        check_sarif([], now=NOW, env=product.env)
    assert check_sarif((one for one in [SARIF]), now=NOW, env=product.env).exit_code == 1  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="No such file"):
        check_sarif([tmp_path / "none.sarif"], now=NOW, env=product.env)


def test_a_policy_is_looked_over_and_tested(product: Product, tmp_path: Path) -> None:
    rule = (
        "package secgate.rules.own\n\ndeny contains said if {\n\tsome f in input.findings\n\tsaid := f.fingerprnt\n}\n"
    )
    folder = tree(tmp_path / "policies", {"own.rego": rule})
    (fault, *_) = Policy(folder, env=product.env).lint(now=NOW).faults
    assert ("own.rego:5" in fault.place, "fingerprnt" in fault.what) == (True, True)
    with pytest.raises(SecgateError):
        Policy(folder, env=product.env).test(now=NOW)
    with pytest.raises(UsageError):
        Policy(tmp_path / "nowhere", env=product.env).lint(now=NOW)


def test_a_ledger_is_made_read_and_verified(product: Product, tmp_path: Path) -> None:
    root = tree(tmp_path / "weak", {"app.py": WEAK})
    ledger = Ledger(root, env=product.env)
    address = ledger.make(now=NOW)
    run_gate(root, now=NOW, env=product.env)
    entries = ledger.entries(now=NOW)
    assert [entry.type for entry in ledger.entries(now=NOW, types=["run"])] == ["run"]
    assert ledger.entries(now=NOW, last=1) == entries[-1:]
    checked = ledger.verify(now=NOW)
    assert (checked.address, checked.head.size) == (address, len(entries))
    with pytest.raises(LedgerError):
        Ledger(tree(tmp_path / "other", {"app.py": CLEAN}), env=product.env).entries(now=NOW)


def test_the_example_that_gates_from_a_program(product: Product, tmp_path: Path) -> None:
    root = tree(tmp_path / "weak", {"app.py": WEAK})
    page = tmp_path / "page.html"
    argv = [sys.executable, str(EXAMPLES / "gate.py"), str(root), str(page)]
    done = subprocess.run(argv, env=product.env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout == "high     app.py:2 Code injection\n"
    assert page.read_bytes().startswith(b"<!DOCTYPE html>")
    argv[2] = str(tmp_path / "nowhere")
    done = subprocess.run(argv, env=product.env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.splitlines()[-1][:5]) == (2, "try: ")


def test_the_lines_of_the_page_run_as_they_stand(product: Product, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "library.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", page, flags=re.MULTILINE | re.DOTALL)
    tree(tmp_path / "path/to/checkout", {"app.py": CLEAN})
    program = "\n".join(blocks).replace(', changed_since="main"', "")
    tree(tmp_path, {"semgrep.sarif": SARIF.decode(), "path/to/policies/a.rego": "package secgate.rules.a\n"})
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=product.env, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "fail 1" in done.stdout
    assert "'ledger-created', 'run'" in done.stdout


@pytest.fixture
def acme(tmp_path: Path) -> str:
    """Give PYTHONPATH with the example's package as pip would install it: its modules and its entry points."""
    plugin = EXAMPLES / "plugin"
    project = tomllib.loads((plugin / "pyproject.toml").read_text())["project"]
    points = project["entry-points"]["secgate.scanners"]
    text = "[secgate.scanners]\n" + "".join(f"{name} = {where}\n" for name, where in points.items())
    meta = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    site = tree(
        tmp_path / "site",
        {"acme_shell-1.0.dist-info/METADATA": meta, "acme_shell-1.0.dist-info/entry_points.txt": text},
    )
    return f"{ROOT}:{site}:{plugin}"


SCRIPT = "#!/bin/sh\nset -e\ncurl -fsSL https://get.example.org/tool | sudo sh\n"
ASKED = '[scanners.acme-shell]\nkinds = ["shell"]\n'


def test_the_example_of_a_plug_in_looks_at_what_no_shipped_tool_does(
    product: Product, tmp_path: Path, acme: str
) -> None:
    organisation = tree(tmp_path / "organisation", {"enforced.toml": f"{ASKED}covers = true\n"})
    root = tree(tmp_path / "tree", {"install.sh": SCRIPT, "fine.sh": "#!/bin/sh\necho hello\n"})
    ended = product.cli(
        "run", str(root), "--quiet", "--format", "json", "--enforced", str(organisation), PYTHONPATH=acme
    )
    document = json.loads(ended.out)
    sast = next(lane for lane in document["run"]["coverage"]["lanes"] if lane["lane"] == "sast")
    assert (ended.code, sast["covered"], sast["tools_ran"], sast["gaps"]) == (1, 2, ["acme-shell"], [])
    (found,) = document["run"]["findings"]
    assert (found["location"]["path"], found["location"]["region"]["start_line"], found["severity"]) == (
        "install.sh",
        3,
        "high",
    )


def test_doctor_says_who_brings_a_plug_in_and_that_one_cannot_be_loaded(
    product: Product, tmp_path: Path, acme: str
) -> None:
    organisation = tree(tmp_path / "organisation", {"enforced.toml": f"{ASKED}covers = true\n"})
    root = tree(tmp_path / "tree", {"install.sh": SCRIPT})
    broken = tree(
        tmp_path / "broken",
        {
            "broken-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: broken\nVersion: 1\n",
            "broken-1.dist-info/entry_points.txt": "[secgate.scanners]\nbroken = broken:Boom\n",
            "broken.py": "raise RuntimeError('no licence')\n",
        },
    )
    ended = product.cli("doctor", str(root), "--enforced", str(organisation), PYTHONPATH=f"{acme}:{broken}")
    said = " ".join(ended.out.split())
    assert ("acme-shell part of acme-shell 1.0 needed for sast" in said, "secgate-iac part of secgate " in said) == (
        True,
        True,
    ), ended.err
    assert "broken cannot be loaded, so do not ask for it: the plug-in `broken` (broken:Boom)" in said
    assert "no licence" in said


def test_an_option_of_a_plug_in_counts_and_one_that_it_does_not_know_is_refused(
    product: Product, tmp_path: Path, acme: str
) -> None:
    chosen = f'{ASKED}covers = true\n[scanners.acme-shell.options]\ncommands = ["fetch"]\n'
    organisation = tree(tmp_path / "organisation", {"enforced.toml": chosen})
    root = tree(tmp_path / "tree", {"install.sh": SCRIPT})
    given = ("run", str(root), "--quiet", "--enforced", str(organisation))
    assert product.cli(*given, PYTHONPATH=acme).code == 0
    tree(organisation, {"enforced.toml": chosen.replace("commands", "comands")})
    ended = product.cli(*given, PYTHONPATH=acme)
    said = ("enforced.toml:5: unknown key `scanners.acme-shell.options.comands`", "did you mean `commands`?")
    assert (ended.code, [one in ended.err for one in said]) == (2, [True, True]), ended.err
    schema = json.loads(product.cli("config", "schema", PYTHONPATH=acme).out)
    assert "programs that download" in json.dumps(schema["$defs"])


def test_a_plug_in_that_the_tree_alone_names_is_asked_and_covers_nothing(
    product: Product, tmp_path: Path, acme: str
) -> None:
    root = tree(tmp_path / "tree", {"install.sh": SCRIPT, "secgate.toml": ASKED})
    document = json.loads(product.cli("run", str(root), "--quiet", "--format", "json", PYTHONPATH=acme).out)
    sast = next(lane for lane in document["run"]["coverage"]["lanes"] if lane["lane"] == "sast")
    assert (sast["covered"], sast["unsupported"], [gap["reason"] for gap in sast["gaps"]]) == (0, 1, ["unsupported"])
    assert [one["location"]["path"] for one in document["run"]["findings"]] == ["install.sh"]


@pytest.mark.parametrize(
    "case",
    [
        ("tree", f"{ASKED}covers = true\n", "scanners.acme-shell.covers"),
        ("enforced", "[scanners.acme-shell]\ncovers = true\n", "without the kinds that it is about"),
        ("tree", '[scanners.acme-shell]\nkinds = ["shel"]\n', "did you mean `shell`?"),
    ],
)
def test_who_may_say_that_a_plug_in_covers(
    product: Product, tmp_path: Path, acme: str, case: tuple[str, str, str]
) -> None:
    where, text, said = case
    organisation = tree(tmp_path / "organisation", {"enforced.toml": text if where == "enforced" else ""})
    root = tree(tmp_path / "tree", {"install.sh": SCRIPT, "secgate.toml": text if where == "tree" else ASKED})
    ended = product.cli("run", str(root), "--quiet", "--enforced", str(organisation), PYTHONPATH=acme)
    assert (ended.code, said in ended.err) == (2, True), ended.err


def test_a_tree_that_switches_the_organisations_plug_in_off_is_not_covered(
    product: Product, tmp_path: Path, acme: str
) -> None:
    organisation = tree(tmp_path / "organisation", {"enforced.toml": f"{ASKED}covers = true\n"})
    files = {"install.sh": "#!/bin/sh\necho hello\n", "secgate.toml": "[scanners.acme-shell]\nenabled = false\n"}
    root = tree(tmp_path / "tree", files)
    ended = product.cli("run", str(root), "--quiet", "--enforced", str(organisation), PYTHONPATH=acme)
    assert (ended.code, "acme-shell" in ended.out) == (3, True), ended.out
