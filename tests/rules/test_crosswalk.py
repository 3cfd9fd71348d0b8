"""The tables of rules/ know every rule of the installed tools, and name no weakness that does not exist."""

import importlib
import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from secgate.crosswalk import load_crosswalk
from secgate.model import Severity

ROOT = Path(__file__).resolve().parents[2]
BANDS = {"info": (0.0, 0.1), "low": (0.1, 4.0), "medium": (4.0, 7.0), "high": (7.0, 9.0), "critical": (9.0, 10.1)}

# bandit loads its plug-ins through stevedore with an argument that stevedore no longer wants.
STEVEDORE = pytest.mark.filterwarnings("ignore:The verify_requirements argument:DeprecationWarning")


@cache
def table(name: str) -> dict[str, Any]:
    """Return one of the JSON tables of rules/."""
    document: dict[str, Any] = json.loads((ROOT / "rules" / name).read_text(encoding="utf-8"))
    return document


def bandit_ids() -> set[str]:
    """Return every test id of the installed bandit, those of its lists of calls and imports included."""
    calls = importlib.import_module("bandit.blacklists.calls")
    imports = importlib.import_module("bandit.blacklists.imports")

    plugins = importlib.metadata.entry_points(group="bandit.plugins")
    ids = {str(plugin.load()._test_id) for plugin in plugins}
    for listed in (calls.gen_blacklist(), imports.gen_blacklist()):
        ids |= {str(item["id"]) for items in listed.values() for item in items}
    return ids


def zizmor_links() -> set[str]:
    """Return the anchors of audit pages that the installed zizmor carries; text that follows one may stick to it."""
    beside = Path(sys.executable).parent / "zizmor"
    found = str(beside) if beside.exists() else shutil.which("zizmor")
    assert found, "zizmor is not installed beside this Python nor on PATH"
    links = re.findall(rb"docs\.zizmor\.sh/audits/#([a-z-]+)", Path(found).read_bytes())
    return {link.decode("ascii") for link in links}


def known(tool: str) -> set[str]:
    """Return the rules of a tool that the crosswalk maps, or leaves out with a reason."""
    return set(table("crosswalk.json")["rules"][tool]) | set(table("crosswalk.json")["unmapped"].get(tool, {}))


def test_tables_have_their_shape() -> None:
    assert set(table("crosswalk.json")) == {"version", "weaknesses", "rules", "unmapped"}
    assert set(table("severity.json")) == {"version", "default", "rules"}
    assert table("crosswalk.json")["version"] == table("severity.json")["version"] == 1


@pytest.mark.parametrize(("name", "key"), [("crosswalk.json", "rules"), ("severity.json", "rules")])
def test_table_is_sorted_with_one_entry_a_line(name: str, key: str) -> None:
    text = (ROOT / "rules" / name).read_text(encoding="utf-8")
    document = json.loads(text)
    entries = [rule for tool in document[key].values() for rule in tool]
    assert json.dumps(document) == json.dumps(document, sort_keys=True)
    assert [rule for rule in entries if text.count(f'\n      "{rule}": ') != 1] == []


@pytest.mark.parametrize("weakness", table("crosswalk.json")["weaknesses"])
def test_weakness_is_described(weakness: str) -> None:
    entry = table("crosswalk.json")["weaknesses"][weakness]
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", weakness)
    assert set(entry) - {"within"} == {"title", "cwes", "family", "remedy"}
    assert entry["remedy"].endswith(".")
    assert all(isinstance(cwe, int) for cwe in entry["cwes"])


def test_a_cwe_leads_to_one_weakness() -> None:
    cwes = Counter(cwe for entry in table("crosswalk.json")["weaknesses"].values() for cwe in entry["cwes"])
    assert [cwe for cwe, times in cwes.items() if times > 1] == []


@pytest.mark.parametrize("tool", table("crosswalk.json")["rules"])
def test_rules_map_to_weaknesses_that_exist(tool: str) -> None:
    mapped = set(table("crosswalk.json")["rules"][tool].values())
    assert mapped <= set(table("crosswalk.json")["weaknesses"])


@pytest.mark.parametrize("tool", table("crosswalk.json")["unmapped"])
def test_a_rule_left_out_has_a_reason_and_no_mapping(tool: str) -> None:
    reasons = table("crosswalk.json")["unmapped"][tool]
    assert not set(reasons) & set(table("crosswalk.json")["rules"][tool])
    assert all(len(reason) > 10 for reason in reasons.values())


@STEVEDORE
def test_every_bandit_test_is_known() -> None:
    assert bandit_ids() - known("bandit") == set()


@STEVEDORE
def test_no_bandit_test_is_invented() -> None:
    assert known("bandit") - bandit_ids() == set()


def test_every_zizmor_audit_is_known() -> None:
    links = zizmor_links()
    assert len(links) > 30
    assert {link for link in links if not any(link.startswith(audit) for audit in known("zizmor"))} == set()


def test_no_zizmor_audit_is_invented() -> None:
    links = zizmor_links()
    assert {audit for audit in known("zizmor") if not any(link.startswith(audit) for link in links)} == set()


def ruff_rules() -> set[str]:
    """Return code and name of every security rule of the installed ruff, removed ones included."""
    command = [str(Path(sys.executable).parent / "ruff"), "rule", "--all", "--output-format", "json"]
    told = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return {text for rule in told if re.fullmatch(r"S\d{3}", rule["code"] or "") for text in (rule["code"], rule["name"])}


def test_ruff_s_security_rules_are_known_and_none_is_invented() -> None:
    assert known("ruff") == ruff_rules()


def test_ruff_s_security_rules_have_severities_but_where_its_words_say_more() -> None:
    left = {"S602", "S604", "S605", "subprocess-popen-with-shell-equals-true", "call-with-shell-equals-true"}
    assert known("ruff") - set(table("severity.json")["rules"]["ruff"]) == left | {"start-process-with-a-shell"}


def test_ruff_and_bandit_mean_the_same_by_a_number() -> None:
    rules = table("crosswalk.json")["rules"]
    twins = {rule: f"B{rule[1:]}" for rule in rules["ruff"] if re.fullmatch(r"S\d{3}", rule)}
    both = {rule: twin for rule, twin in twins.items() if twin in rules["bandit"]}
    assert len(both) > 60
    assert {rule for rule, twin in both.items() if rules["ruff"][rule] != rules["bandit"][twin]} == set()


def test_our_semgrep_rules_are_known_by_what_they_say_of_themselves() -> None:
    texts = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "rules/semgrep").rglob("*.yaml"))]
    rules = [rule for text in texts for rule in re.split(r"^  - id: ", text, flags=re.MULTILINE)[1:]]
    said = {rule.split("\n", 1)[0].strip(): re.findall(r"\bweakness: ([a-z-]+)", rule)[0] for rule in rules}
    assert table("crosswalk.json")["rules"]["semgrep"] == said


@pytest.mark.parametrize("tool", ["gitleaks", "checkov", "ruff"])
def test_tools_that_give_no_severity_have_a_default(tool: str) -> None:
    assert tool in table("severity.json")["default"]


@pytest.mark.parametrize("tool", ["bandit", "zizmor"])
def test_severities_are_given_to_known_rules_only(tool: str) -> None:
    assert set(table("severity.json")["rules"][tool]) <= known(tool)


def test_every_checkov_check_has_a_severity() -> None:
    assert "checkov" in table("severity.json")["default"]
    assert set(table("crosswalk.json")["rules"]["checkov"]) <= set(table("severity.json")["rules"]["checkov"])


@pytest.mark.parametrize("tool", ["default", *table("severity.json")["rules"]])
def test_severity_agrees_with_its_score_and_has_a_reason(tool: str) -> None:
    entries = table("severity.json")["default"] if tool == "default" else table("severity.json")["rules"][tool]
    for rule, entry in entries.items():
        low, high = BANDS[entry["severity"]]
        assert isinstance(entry["score"], float), rule
        assert low <= entry["score"] < high, rule
        assert len(entry["reason"]) > 10, rule


def test_the_gate_reads_both_tables() -> None:
    files = [(ROOT / "rules" / name).read_bytes() for name in ("crosswalk.json", "severity.json")]
    crosswalk = load_crosswalk(*files)
    assert crosswalk.weakness("bandit", "B608", (), "") == "sql-injection"
    assert crosswalk.weakness("other", "x", (89,), "") == "sql-injection"
    assert crosswalk.severity("bandit", "B324", native=Severity.HIGH, score=None)[:2] == (Severity.MEDIUM, 5.3)
    assert crosswalk.severity("checkov", "CKV_AWS_9999", native=None, score=None)[:2] == (Severity.MEDIUM, 5.0)
