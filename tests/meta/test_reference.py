"""docs/reference.md is what the code says, and README's help is the real one."""

from __future__ import annotations

import ast
import re
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from secgate import config, events, registry
from secgate.model import Outcome
from secgate.policy import GAP_REASONS

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference.md"
SCRIPT: dict[str, Any] = runpy.run_path(str(ROOT / "docs" / "reference.py"))
Golden = Callable[[Path, str], None]


def test_reference_is_what_the_code_says(golden: Golden) -> None:
    golden(REFERENCE, SCRIPT["reference"]())


def test_the_schema_of_the_report_is_what_the_code_says(golden: Golden) -> None:
    golden(ROOT / "reports" / "report-v1.schema.json", SCRIPT["report_schema"]())


def test_the_schemas_of_documents_are_what_the_code_says(golden: Golden) -> None:
    made = SCRIPT["document_schemas"]()
    for file, text in made.items():
        golden(ROOT / "reports" / "schema" / file, text)
    assert {path.name for path in (ROOT / "reports" / "schema").iterdir()} == set(made)


def test_readme_shows_the_real_help(golden: Golden) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    program = Path(sys.executable).with_name("secgate")
    said = subprocess.run([program, "--help"], capture_output=True, text=True, check=True, env={"COLUMNS": "80"}).stdout
    block = "    $ secgate --help\n" + "".join(f"    {line}".rstrip() + "\n" for line in said.splitlines())
    shown = re.compile(r"^    \$ secgate --help\n(?:    [^\n]*\n|\n(?=    ))*", flags=re.MULTILINE)
    golden(ROOT / "README.md", shown.sub(lambda _: block, readme, count=1))
    assert shown.search(readme)


def documented() -> str:
    return REFERENCE.read_text(encoding="utf-8").replace("\\|", "|")


def test_every_command_and_option() -> None:
    text = documented()
    for path, command in SCRIPT["commands"]():
        section = text.partition(f"\n### {' '.join(path)}\n")[2].partition("\n#")[0]
        names = [name for parameter in command.params for name in parameter.opts if name.startswith("-")]
        assert [name for name in names if name not in section] == [], path


def keys_of(kind: Any, at: str = "") -> set[str]:
    """Walk the JSON schema of the settings, apart from how the script walks their types."""
    schema = msgspec.json.schema(kind)

    def walk(part: dict[str, Any], at: str) -> set[str]:
        part = schema["$defs"][part["$ref"].rpartition("/")[2]] if "$ref" in part else part
        if part.get("properties"):
            return {key for name, one in part["properties"].items() for key in walk(one, f"{at}.{name}")}
        for word, step in (("additionalProperties", "NAME"), ("items", "N")):
            if isinstance(part.get(word), dict) and "$ref" in part[word]:
                return walk(part[word], f"{at}.{step}")
        if "anyOf" in part:
            return set().union(*(walk(one, at) for one in part["anyOf"]))
        return {at.removeprefix(".")}

    return walk(schema, at)


def test_every_key_of_the_configuration() -> None:
    text = documented()
    assert [key for key in sorted(keys_of(config.Settings)) if f"| `{key}` |" not in text] == []


def test_every_environment_variable() -> None:
    text = documented()
    named = {
        word
        for path in (ROOT / "secgate").rglob("*.py")
        for word in re.findall(r"[\"'](SECGATE_[A-Z_]+)[\"']", path.read_text(encoding="utf-8"))
    }
    assert named >= set(config.ENVIRONMENT)
    assert [name for name in sorted(named) if f"`{name}`" not in text] == []


@pytest.mark.parametrize("kind", ["scanners", "reporters", "engines", "populations"])
def test_every_plug_in(kind: registry.Kind) -> None:
    text = documented()
    assert [name for name in registry.names(kind) if f"\n| {name} | " not in text] == []


def test_every_exit_code() -> None:
    text, readme = documented(), (ROOT / "README.md").read_text(encoding="utf-8")
    for outcome in Outcome:
        assert f"| {outcome} | {outcome.exit_code} |" in text
        assert re.search(rf"^\| [a-z -]+ \| {outcome.exit_code} \|", readme, flags=re.MULTILINE)


def left_out_in_code() -> set[str]:
    """Give the reasons that the code gives for leaving a path out."""
    found = set()
    for path in (ROOT / "secgate").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            reason = {"leave": 1, "NotOfferedError": 0}.get(name)
            if reason is not None and len(node.args) > reason:
                found |= {one.value for one in ast.walk(node.args[reason]) if isinstance(one, ast.Constant)}
            found |= {
                one.value.value
                for one in node.keywords
                if name == "LeftOut" and one.arg == "reason" and isinstance(one.value, ast.Constant)
            }
    return {str(reason) for reason in found if reason}


def test_every_reason_of_gaps_and_paths_left_out() -> None:
    text = documented()
    assert len(left_out_in_code()) > 8
    assert [one for one in sorted(GAP_REASONS | left_out_in_code()) if f"\n| `{one}` | " not in text] == []


def test_every_shipped_rule_profile_and_event() -> None:
    text = documented()
    rules = [path.stem for path in (ROOT / "policies/rego/rules").glob("*.rego")]
    profiles = msgspec.json.decode((ROOT / "policies/data/profiles.json").read_bytes())["profiles"]["named"]
    names = [*rules, *profiles, *(kind for kind, _ in events.EVENTS)]
    assert [name for name in names if f"\n| `{name}` | " not in text] == []
