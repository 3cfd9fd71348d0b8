"""Threat rule 12 on the texts of files that others wrote: what reads as a secret leaves no trace."""

from __future__ import annotations

import json
from typing import Any

import pytest

from secgate.model import encode
from secgate.sarif import MAX_TEXT, ForeignRun
from secgate.scanners.reports import read_report

TOKEN = "ghp_" + "a1B2" * 9
CHOSEN = "Winter2026!x"


def run_of(*results: dict[str, Any], **driver: Any) -> ForeignRun:
    tool = {"driver": {"name": "unheard-of", **driver}}
    document = {"version": "2.1.0", "runs": [{"tool": tool, "results": list(results)}]}
    return read_report(json.dumps(document).encode(), name="f")[0]


def result(message: str = "m", snippet: str = "", rule: str = "r", **more: Any) -> dict[str, Any]:
    region = {"startLine": 1, "snippet": {"text": snippet}}
    place = {"physicalLocation": {"artifactLocation": {"uri": "a.py"}, "region": region}}
    return {"ruleId": rule, "message": {"text": message}, "locations": [place], **more}


def test_a_secret_is_handed_on_once_found() -> None:
    found = run_of(result(f"it is {CHOSEN}", f'password = "{CHOSEN}"'), result(f"token {TOKEN}")).results
    assert [one.quoted for one in found] == [(CHOSEN,), (TOKEN,)]
    assert [(one.message, one.snippet) for one in found] == [
        (f"it is {CHOSEN}", 'password = "[secret]"'),
        ("token [secret]", ""),
    ]


def test_a_word_of_every_sentence_is_masked_where_it_stands_only() -> None:
    (one,) = run_of(result('password = "test", a test')).results
    assert (one.message, one.quoted) == ('password = "[secret]", a test', ())


@pytest.mark.parametrize(
    "driver",
    [
        {"name": f"tool {TOKEN}"},
        {"version": TOKEN},
        {"rules": [{"id": f"x/{TOKEN}"}]},
        {"rules": [{"id": "r", "name": TOKEN}]},
        {"rules": [{"id": "r", "shortDescription": {"text": f"password='{TOKEN}'"}}]},
        {"rules": [{"id": "r", "fullDescription": {"markdown": TOKEN}}]},
        {"rules": [{"id": "r", "help": {"text": f"secret: {TOKEN}"}}]},
        {"rules": [{"id": "r", "helpUri": f"https://u:{TOKEN}@h/"}]},
    ],
)
def test_nor_does_a_tool_or_its_rules_say_it(driver: dict[str, Any]) -> None:
    run = run_of(result(), **driver)
    assert TOKEN not in repr(run)
    assert "[secret]" in repr(run)


def test_rules_and_results_keep_each_other() -> None:
    run = run_of(result(rule=f"x/{TOKEN}"), rules=[{"id": f"x/{TOKEN}", "shortDescription": {"text": "short"}}])
    assert [one.rule for one in run.results] == [one.id for one in run.rules] == ["x/[secret]"]


@pytest.mark.parametrize(
    ("rule", "tags", "message", "shown"),
    [
        ("hardcoded-secret", [], "found hunter2xyz9 in it", "found [secret] in it"),
        ("r", ["external/cwe/cwe-798"], "the value 'swordfish' is hard coded", "the value '[secret]' is hard coded"),
        ("r", ["external/cwe/cwe-079"], "the value 'swordfish' is shown", "the value 'swordfish' is shown"),
    ],
)
def test_a_rule_about_secrets_says_one(rule: str, tags: list[str], message: str, shown: str) -> None:
    (one,) = run_of(result(message, rule=rule), rules=[{"id": rule, "properties": {"tags": tags}}]).results
    assert one.message == shown


def test_half_a_token_at_the_end_of_what_is_read_is_not_shown() -> None:
    text = "x " * ((MAX_TEXT - 20) // 2) + TOKEN
    (one,) = run_of(result(text)).results
    assert "ghp_" not in one.message


def test_what_holds_no_secret_is_the_same_object() -> None:
    run = run_of(*(result(f"plain {at}") for at in range(450)), result(TOKEN))
    assert [one.message for one in run.results] == [*(f"plain {at}" for at in range(450)), "[secret]"]


def test_a_package_s_address_and_a_suppression_s_reason_are_looked_at() -> None:
    data = {"Results": [], "SchemaVersion": 2, "ArtifactName": "a"}
    package = {"VulnerabilityID": "CVE-1", "PkgName": "p", "InstalledVersion": f"git+https://u:{TOKEN}@h/p"}
    data["Results"] = [{"Target": "go.mod", "Class": "lang-pkgs", "Type": "gomod", "Vulnerabilities": [package]}]
    (run,) = read_report(json.dumps(data).encode(), name="f")
    assert len(run.results) == 1
    reason = result(suppressions=[{"kind": "external", "justification": f"token={TOKEN}"}])
    for one in (*run.results, *run_of(reason).results):
        assert TOKEN.encode() not in encode(msg_without_quotes(one))


def msg_without_quotes(one: Any) -> Any:
    """The result as normalise stores it: what it was told to look for is forgotten."""
    import msgspec

    return msgspec.structs.replace(one, quoted=())
