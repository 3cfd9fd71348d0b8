"""The semgrep packs find every marked line of their cases, and nothing beside it.

A case file is named for its rule. `ruleid: NAME` marks the next line as one that the rule must report,
`ok: NAME` as one that it must not.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from secgate.languages.parse import parse_ok

ROOT = Path(__file__).resolve().parents[2]
PACKS = ROOT / "rules" / "semgrep"
CASES = ROOT / "rules" / "cases"
SUFFIX = {"python": ".py", "javascript": ".js"}
BANDS = {"low": (0.1, 4.0), "medium": (4.0, 7.0), "high": (7.0, 9.0), "critical": (9.0, 10.1)}
MARK = re.compile(r"\s*(?:#|//) (ruleid|ok): (\S+)$")


@dataclass(frozen=True, kw_only=True)
class Report:
    """What one semgrep run said: lines per file and rule, each rule's metadata, and the edits of its own rule's file.

    An edit is the bytes from one offset to another and what takes their place.
    """

    lines: Mapping[tuple[str, str], list[int]]
    metadata: Mapping[str, Mapping[str, Any]]
    errors: list[Any]
    edits: Mapping[str, list[tuple[int, int, bytes]]]


def semgrep() -> str:
    """Return semgrep's path; it is a dependency of secgate, so its absence is a failure."""
    beside = Path(sys.executable).parent / "semgrep"
    found = str(beside) if beside.exists() else shutil.which("semgrep")
    assert found, "semgrep is not installed beside this Python nor on PATH"
    return found


def scan(pack: str, folder: Path) -> Report:
    """Run the pack over `folder` once, without network and without suppressions."""
    argv = [semgrep(), "scan", "--experimental", "--metrics=off", "--disable-version-check", "--disable-nosem"]
    argv += ["--no-git-ignore", "--json", "--config", str(PACKS / pack), str(folder)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    lines: dict[tuple[str, str], list[int]] = {}
    metadata = {}
    edits: dict[str, list[tuple[int, int, bytes]]] = {}
    for result in document["results"]:
        rule = result["check_id"].rsplit(".", 1)[-1]
        if "fix" in result["extra"] and Path(result["path"]).stem == rule:
            span = (result["start"]["offset"], result["end"]["offset"])
            edits.setdefault(rule, []).append((*span, result["extra"]["fix"].encode()))
        lines.setdefault((Path(result["path"]).stem, rule), []).append(result["start"]["line"])
        metadata[rule] = result["extra"]["metadata"] | {"level": result["extra"]["severity"]}
    return Report(lines=lines, metadata=metadata, errors=document["errors"], edits=edits)


@cache
def report(language: str) -> Report:
    """Return the one run over all cases of a language; TypeScript runs the JavaScript cases under its own names."""
    if language != "typescript":
        return scan(language, CASES / language)
    with TemporaryDirectory() as name:
        for case in (CASES / "javascript").iterdir():
            target = ".tsx" if "react" in case.stem else ".ts"
            shutil.copy(case, Path(name) / (case.stem + target))
        return scan("javascript", Path(name))


def rule_texts(language: str) -> Iterator[tuple[str, str]]:
    """Yield each rule's name and text, in the order of the files."""
    for pack in sorted((PACKS / language).glob("*.yaml")):
        for text in pack.read_text(encoding="utf-8").split("\n  - id: ")[1:]:
            yield text.split("\n", 1)[0], text


def marked(case: Path, kind: str) -> list[int]:
    """Return the numbers of the lines that follow a mark of this kind."""
    rows = case.read_text(encoding="utf-8").splitlines()
    found = [(number, MARK.match(row)) for number, row in enumerate(rows, start=1)]
    assert all(match[2] == case.stem for _, match in found if match), f"{case.name} marks another rule"
    return [number + 1 for number, match in found if match and match[1] == kind]


RULES = [(language, rule) for language in SUFFIX for rule, _ in rule_texts(language)]


@pytest.mark.parametrize("language", ["python", "javascript", "typescript"])
def test_rules_and_cases_are_read_without_errors(language: str) -> None:
    assert report(language).errors == []


@pytest.mark.parametrize(("language", "least"), [("python", 30), ("javascript", 10)])
def test_pack_has_the_promised_size(language: str, least: int) -> None:
    names = [rule for rule, _ in rule_texts(language)]
    assert len(names) == len(set(names)) >= least


def test_python_pack_has_a_dozen_taint_rules() -> None:
    assert sum("\n    mode: taint\n" in text for _, text in rule_texts("python")) >= 12


@pytest.mark.parametrize("language", SUFFIX)
def test_every_case_belongs_to_a_rule(language: str) -> None:
    cases = {case.name for case in (CASES / language).iterdir()}
    assert cases == {rule + SUFFIX[language] for rule, _ in rule_texts(language)}


@pytest.mark.parametrize(("language", "rule"), RULES)
def test_rule_reports_the_marked_lines_and_no_others(language: str, rule: str) -> None:
    case = CASES / language / (rule + SUFFIX[language])
    wanted = marked(case, "ruleid")
    assert len(wanted) >= 2, "a rule needs two true cases"
    assert len(marked(case, "ok")) >= 2, "a rule needs two clean cases"
    assert sorted(report(language).lines.get((rule, rule), [])) == wanted


@pytest.mark.parametrize("rule", [rule for rule, _ in rule_texts("javascript")])
def test_javascript_rule_holds_for_typescript(rule: str) -> None:
    assert report("typescript").lines.get((rule, rule)) == report("javascript").lines.get((rule, rule))


@pytest.mark.parametrize(("language", "rule"), RULES)
def test_rule_says_what_it_means(language: str, rule: str) -> None:
    weaknesses = json.loads((ROOT / "rules" / "crosswalk.json").read_text(encoding="utf-8"))["weaknesses"]
    metadata = report(language).metadata[rule]
    said = metadata["secgate"]
    assert set(said) == {"weakness", "severity", "score", "confidence", "remedy"}
    assert said["weakness"] in weaknesses
    assert said["confidence"] in {"high", "medium", "low"}
    assert len(said["remedy"]) > 20
    assert metadata["references"]
    assert all(re.match(r"CWE-\d+: [A-Z]", cwe) for cwe in metadata["cwe"])


@pytest.mark.parametrize(("language", "rule"), RULES)
def test_score_lies_in_the_band_of_the_severity(language: str, rule: str) -> None:
    metadata = report(language).metadata[rule]
    severity, score = metadata["secgate"]["severity"], metadata["secgate"]["score"]
    low, high = BANDS[severity]
    assert isinstance(score, str)
    assert low <= float(score) < high
    assert metadata["level"] == {"low": "INFO", "medium": "WARNING"}.get(severity, "ERROR")


def section(text: str, start: str, end: str) -> str:
    """Return the part of a rule between two of its keys."""
    return text.split(f"    {start}:\n", 1)[1].split(f"    {end}:\n", 1)[0]


def test_web_sources_are_the_same_in_every_rule_that_has_them() -> None:
    texts = [text for _, text in rule_texts("python") if "from flask import $IMPORTED" in text]
    sources = {section(text, "pattern-sources", "pattern-sanitizers") for text in texts}
    assert len(texts) >= 12
    assert len(sources) == 1


def test_server_sources_are_the_same_in_every_javascript_rule_that_has_them() -> None:
    texts = [text for _, text in rule_texts("javascript") if "pattern: ctx.params" in text]
    assert len(texts) >= 9
    assert len({section(text, "pattern-sources", "pattern-sanitizers") for text in texts}) == 1


FIXED = {
    "python-csrf-protection-off": 2,
    "python-django-debug": 2,
    "python-flask-debug": 2,
    "python-insecure-cookie": 1,
    "python-jinja2-autoescape-off": 1,
    "python-request-without-timeout": 2,
    "python-short-rsa-key": 2,
    "python-ssl-unverified-context": 1,
    "python-tls-verification-off": 3,
    "python-weak-tls-version": 1,
    "python-yaml-load": 1,
    "javascript-insecure-cookie": 1,
    "javascript-tls-verification-off": 1,
}
"""Rules with a fix, and how many of their true cases it ends; it leaves the others as they are."""


@pytest.mark.parametrize("language", SUFFIX)
def test_a_fix_ends_its_finding_and_the_file_still_parses(language: str, tmp_path: Path) -> None:
    fixed: dict[str, int] = {}
    for rule, edits in report(language).edits.items():
        case = CASES / language / (rule + SUFFIX[language])
        data = case.read_bytes()
        for start, end, new in sorted(edits, reverse=True):
            fixed[rule] = fixed.get(rule, 0) + (data[start:end] != new)
            data = data[:start] + new + data[end:]
        assert parse_ok((language,), case.name, data), rule
        (tmp_path / case.name).write_bytes(data)
    assert fixed == {rule: count for rule, count in FIXED.items() if rule.startswith(language)}
    after = scan(language, tmp_path)
    assert after.errors == []
    left = {rule: len(after.lines.get((rule, rule), [])) for rule in fixed}
    assert left == {rule: len(report(language).lines[rule, rule]) - count for rule, count in fixed.items()}
    others = {name for name in after.lines if name not in report(language).lines}
    assert others == set(), "a fix that makes another finding is none"
