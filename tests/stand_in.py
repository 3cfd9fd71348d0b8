"""A stand-in for a scanner: it reads the files it is given and answers in the form of the tool it stands for.

It is copied, under an interpreter's line, to where the tool or the tool's interpreter would be, and is found there
like any other tool. `behaviour.json` above its folder says what it does: `how` is one of `normal`, `crash`, `hang`,
`empty`, `truncated`, `garbage`, `bomb`, `silent` (looks at nothing), `skip`; `sees` are the texts that it calls weak.
"""

import ast
import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Answer = tuple[dict[str, Any], int]
Texts = list[tuple[str, str]]

KEY = re.compile(r"AKIA[0-9A-Z]{16}")
FIXED = "9.9"
"""The version of every package in which every advisory is fixed."""


def given(names: list[str]) -> Texts:
    """The files at the end of the arguments, each with its text."""
    return [(name, Path(name).read_text(encoding="latin-1")) for name in names if name.startswith("./")]


def places(files: Texts, wanted: list[str]) -> Iterator[tuple[str, int, int, str]]:
    """Name, line, column and text of each place that holds one of the texts."""
    for name, text in files:
        for number, line in enumerate(text.split("\n"), 1):
            for one in wanted:
                if one in line:
                    yield name, number, line.index(one) + 1, one


def semgrep(arguments: list[str], behaviour: dict[str, Any]) -> Answer:
    files = given(arguments)
    results = [
        {
            "check_id": f"stand-in.{re.sub('[^a-z]', '', found)}",
            "path": name,
            "start": {"line": line, "col": column, "offset": 0},
            "end": {"line": line, "col": column + len(found), "offset": 0},
            "extra": {
                "message": f"{found} of a value",
                "severity": behaviour.get("severity", "ERROR"),
                **({"fix": behaviour["fix"]} if "fix" in behaviour else {}),
                "metadata": {"cwe": [behaviour.get("cwe", "CWE-95: code injection")], "confidence": "HIGH"},
            },
        }
        for name, line, column, found in places(files, behaviour.get("sees", ["eval("]))
    ]
    paths = {"scanned": [] if behaviour["how"] == "silent" else [name for name, _ in files]}
    return {"version": "1.182.0", "results": results, "errors": [], "paths": paths}, 0


def bandit(arguments: list[str], behaviour: dict[str, Any]) -> Answer:
    errors: list[dict[str, str]] = []
    metrics = {"_totals": {"loc": 0}}
    for name, text in given(arguments):
        metrics[name] = {"loc": text.count("\n")}
        try:
            ast.parse(text)
        except (SyntaxError, ValueError):
            errors.append({"filename": name, "reason": "syntax error while parsing AST from file"})
    lines = {name: text.split("\n") for name, text in given(arguments)}
    results = [
        {
            "filename": name,
            "test_id": "B307",
            "test_name": "blacklist",
            "issue_text": f"{found} of a value",
            "issue_severity": behaviour.get("severity", "MEDIUM"),
            "issue_confidence": "HIGH",
            "line_number": line,
            "line_range": [line],
            "col_offset": column - 1,
            "end_col_offset": column - 1 + len(found),
            "code": f"{line} {lines[name][line - 1]}\n",
        }
        for name, line, column, found in places(given(arguments), behaviour.get("sees", []))
    ]
    return {"errors": errors, "metrics": metrics, "results": results}, int(bool(results))


def detect_secrets(arguments: list[str], behaviour: dict[str, Any]) -> Answer:
    del behaviour
    results = {}
    for name, text in given(arguments):
        found = [
            {"type": "AWS Access Key", "filename": name, "line_number": number}
            for number, line in enumerate(text.split("\n"), 1)
            if KEY.search(line)
        ]
        if found:
            results[name] = found
    return {"version": "1.5.0", "results": results}, 0


def kingfisher(arguments: list[str], behaviour: dict[str, Any]) -> Answer:
    del behaviour
    findings: list[dict[str, Any]] = []
    repositories = []
    for name, text in given(arguments):
        repositories.append(
            {"key": f"local:{Path(name).resolve()}", "scan": {"status": "completed"}, "stats": {"blobs_scanned": 1}}
        )
        for number, line in enumerate(text.split("\n"), 1):
            for match in KEY.finditer(line):
                place = {"path": name, "line": number, "column_start": match.start(), "column_end": match.end() - 1}
                finding = {**place, "snippet": match.group(), "confidence": "high"}
                findings.append({"rule": {"id": "kingfisher.aws.1", "name": "AWS key"}, "finding": finding})
    return {"findings": findings, "audit": {"repositories": repositories}}, 200 if findings else 0


def pip_audit(arguments: list[str], behaviour: dict[str, Any]) -> Answer:
    pins = Path(arguments[arguments.index("-r") + 1]).read_text().split()
    answers: list[dict[str, Any]] = []
    for name, version in (pin.split("==") for pin in pins if "==" in pin):
        if behaviour["how"] == "skip":
            answers.append({"name": name, "skip_reason": "Dependency not found on the index"})
        else:
            known = behaviour.get("advisories", {}).get(name, []) if version != FIXED else []
            also = behaviour.get("aliases", {})
            vulns = [
                {"id": one, "aliases": also.get(one, []), "fix_versions": [FIXED], "description": "a fault"}
                for one in known
            ]
            answers.append({"name": name, "version": version, "vulns": vulns})
    return {"dependencies": answers, "fixes": []}, int(any(one.get("vulns") for one in answers))


TOOLS: dict[str, Callable[[list[str], dict[str, Any]], Answer]] = {
    "bandit": bandit,
    "detect-secrets": detect_secrets,
    "kingfisher": kingfisher,
    "pip-audit": pip_audit,
    "semgrep": semgrep,
}


def main() -> int:
    """Answer as the tool that the folder is named after."""
    root = Path(sys.argv[0]).parent.parent
    behaviour = json.loads((root / "behaviour.json").read_text())
    with (root / "calls").open("a") as calls:
        calls.write(json.dumps(sys.argv[1:]) + "\n")
    for name in sys.argv[1:]:
        if name.endswith("/gate"):
            Path(name).read_bytes()  # it stands by
    if behaviour["how"] == "crash":
        return 9
    if behaviour["how"] == "empty":
        return 0
    while behaviour["how"] == "hang":
        time.sleep(0.1)
    while behaviour["how"] == "bomb":
        sys.stdout.write("[" * 65536)
    answer, code = TOOLS[root.name](sys.argv[1:], behaviour)
    text = json.dumps(answer)
    sys.stdout.write(text[: len(text) // 2] if behaviour["how"] == "truncated" else text)
    if behaviour["how"] == "garbage":
        sys.stdout.write("}} Segmentation fault")
    return code


if __name__ == "__main__":
    sys.exit(main())
