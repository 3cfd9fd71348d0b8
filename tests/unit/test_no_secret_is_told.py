"""Threat rule 12: what any detector calls a secret is in no field of anything that is stored or shown."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secgate.crosswalk import load_crosswalk
from secgate.model import (
    Invocation,
    Lane,
    Package,
    RawResult,
    Reading,
    Region,
    Rule,
    ScanStatus,
    Source,
    Suppression,
    View,
    encode,
)
from secgate.normalise import normalise
from secgate.scanners.reports import read_report
from tests.unit.identity_kit import Scan, kinds, normalised

SECRETS = st.text(alphabet="abcdefghABCDEFGH0123456789+/_-", min_size=8, max_size=40).filter(
    lambda text: any(c.isdigit() for c in text) and any(c.isalpha() for c in text) and not text.isdigit()
)
RESULT = ("message", "snippet", "resource", "remedy", "help_uri", "rule", "advisory", "aliases", "suppressions")
AROUND = ("package", "path", "rule_help", "rule_full", "rule_short", "rule_tags", "notices")
FIELDS = st.sets(st.sampled_from([*RESULT, *AROUND]))


def telling(secret: str, fields: set[str], path: str) -> tuple[RawResult, Rule, tuple[str, ...]]:
    """Give a result of another tool, its rule and notices, with the secret in the fields."""

    def said(name: str) -> str:
        return f"it says {secret} here" if name in fields else "nothing"

    rule = Rule(
        id=said("rule"),
        full=said("rule_full"),
        help=said("rule_help"),
        short=said("rule_short"),
        tags=(said("rule_tags"),),
    )
    package = Package(ecosystem="PyPI", name="p", version=said("package"), manifest=path)
    raw = RawResult(
        rule=rule.id,
        message=said("message"),
        path=f"out/{secret}.py" if "path" in fields else path,
        region=Region(start_line=1, start_column=1, end_line=1, end_column=3),
        snippet=said("snippet"),
        resource=said("resource"),
        remedy=said("remedy"),
        help_uri=said("help_uri"),
        advisory=said("advisory"),
        aliases=(said("aliases"),),
        suppressions=(Suppression(kind="inSource", text=said("suppressions")),),
        package=package,
    )
    return raw, rule, (said("notices"),)


def scan(tool: str, lane: Lane, raw: RawResult, rules: tuple[Rule, ...], notices: tuple[str, ...] = ()) -> Scan:
    invocation = Invocation(
        scanner=tool, lane=lane, tool=None, status=ScanStatus.COMPLETED, rules=rules, notices=notices
    )
    return Scan(invocation, (Reading(status=ScanStatus.COMPLETED, results=(raw,), rules=rules),))


@settings(deadline=None, max_examples=150)
@given(SECRETS, FIELDS, st.sampled_from(["named", "span", "rule"]), st.sampled_from(["a.py", "b.py"]))
def test_in_no_field_of_any_lane_s_result(secret: str, fields: set[str], how: str, other: str) -> None:
    text = f'x = 1\npassword = "{secret}"\n'
    at = Region(start_line=2, start_column=13, end_line=2, end_column=13 + len(secret))
    known: dict[str, object] = {"rule": "s", "message": "m", "path": "a.py", "region": at}
    ways: dict[str, dict[str, object]] = {
        "named": {"secrets": (secret,)},
        "span": {"secret_spans": (at,)},
        "rule": {"cwes": (798,)},
    }
    known |= ways[how]
    raw, rule, notices = telling(secret, fields, other)
    scans = [
        scan("kingfisher", Lane.SECRETS, RawResult(**known), ()),  # type: ignore[arg-type]
        scan("alpha", Lane.SAST, raw, (rule,), notices),
    ]
    done = normalised({"a.py": text, "b.py": "x = 1\n"}, scans)
    told = [encode(done.masker.told(one.invocation)) for one in scans]
    told += [encode(one) for one in (*done.located, *done.refused)]
    assert len(done.located) + len(done.refused) == 2
    assert not [one for one in told if secret.encode() in one]


CROSSWALK = load_crosswalk(b'{"version": 1}', b'{"version": 1}')


def gitleaks_json(secret: str) -> bytes:
    leak = {"RuleID": "generic-api-key", "Match": f'key = "{secret}"', "Secret": secret, "File": "a.py"}
    return json.dumps([leak | {"StartLine": 2, "EndLine": 2, "Message": secret, "Description": f"d {secret}"}]).encode()


def sarif_of(tool: str, message: str, snippet: str) -> bytes:
    region = {"startLine": 2, "snippet": {"text": snippet}}
    place = {"physicalLocation": {"artifactLocation": {"uri": "a.py"}, "region": region}}
    rule = {"id": "r", "help": {"text": message}, "properties": {"tags": ["external/cwe/cwe-798"]}}
    result = {"ruleId": "r", "message": {"text": message}, "locations": [place], "properties": {"found": message}}
    result["partialFingerprints"] = {"commitMessage": message}
    runs = [{"tool": {"driver": {"name": tool, "rules": [rule]}}, "results": [result]}]
    return json.dumps({"version": "2.1.0", "runs": runs}).encode()


@settings(deadline=None, max_examples=100)
@given(SECRETS, st.sampled_from(["gitleaks json", "gitleaks", "Bandit", "other"]))
def test_of_a_report_without_its_tree(secret: str, form: str) -> None:
    message = f"Possible hardcoded password: '{secret}'"
    snippet = secret if form == "gitleaks" else f'password = "{secret}"'
    data = gitleaks_json(secret) if form == "gitleaks json" else sarif_of(form, message, snippet)
    (run,) = read_report(data, name="r")
    invocation = Invocation(scanner=run.tool, lane=Lane.SAST, tool=None, status=ScanStatus.COMPLETED, rules=run.rules)
    done = normalise(
        [Scan(invocation, (Reading(status=ScanStatus.COMPLETED, results=run.results, rules=run.rules),))],
        view=View(root="", source=Source.WORK_TREE, digests={}),
        read=lambda _path: None,
        kinds=kinds,
        crosswalk=CROSSWALK,
        scores=lambda _names: None,
        keep_outside=True,
    )
    assert len(done.located) == 1
    assert secret.encode() not in encode(done.located[0])
    assert secret.encode() not in encode(done.masker.told(invocation))


@pytest.mark.parametrize("commit", ["", "c" * 40])
def test_leak_of_an_older_commit_is_placed_where_it_still_stands(commit: str) -> None:
    gone, here = "q8Zk2mVx7Tn4Rw9Lp3Jc6Hd5", "Aa1Bb2Cc3Dd4Ee5Ff6Gg7Hh8"
    raws = [
        RawResult(rule="r", message="m", path=path, region=Region(start_line=1), secrets=(secret,), commit=commit)
        for path, secret in (("a.py", here), ("a.py", gone), ("gone.py", gone))
    ]
    scans = [scan("gitleaks", Lane.SECRETS, raw, ()) for raw in raws]
    done = normalised({"a.py": f'x = 1\ny = "{here}"\n'}, scans)
    found = {(one.result.location.path, one.result.location.commit, one.place.symbol) for one in done.located}
    if commit:
        assert found == {("a.py", "", "y"), ("a.py", commit, ""), ("gone.py", commit, "")}
        assert not done.refused
    else:
        assert [one.path for one in done.refused] == ["gone.py"]
