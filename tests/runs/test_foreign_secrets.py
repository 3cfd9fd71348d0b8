"""Threat rule 12, end to end: a secret in any text of another tool's SARIF is in nothing that is given out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from secgate import registry
from tests.product import CLEAN, Product, tree
from tests.unit.conftest import Git

RANDOM = "q8Zk2mVx7Tn4Rw9Lp3Jc6Hd5"
SECRETS = (RANDOM, "Winter2026!x", "AKIAIOSFODNN7EXAMPLE", "ghp_" + "a1B2" * 9)
FORMATS = registry.names("reporters")


def said(secret: str) -> str:
    return f'the value password = "{secret}" stands here'


def hostile(path: str = "src/a.py") -> bytes:
    """A file with a secret in every text that the standard has a place for."""
    first, chosen, key, token = SECRETS
    text = {"text": said(chosen)}
    rule = {
        "id": "R1",
        "name": f"rule {key}",
        "shortDescription": {"text": said(first)},
        "fullDescription": text,
        "help": {"text": said(key), "markdown": said(token)},
        "helpUri": f"https://user:{first}@host/x",
        "messageStrings": {"a": {"text": "template {0} " + said(chosen)}},
        "properties": {"tags": [key]},
    }
    region = {"startLine": 1, "snippet": text}
    place = {
        "physicalLocation": {
            "artifactLocation": {"uri": path, "description": text},
            "region": region,
            "contextRegion": region,
        },
        "logicalLocations": [{"fullyQualifiedName": f"token={first}", "decoratedName": key}],
        "message": text,
        "annotations": [{"startLine": 1, "message": text}],
    }
    replacement = {"deletedRegion": {"startLine": 1}, "insertedContent": text}
    fix = {"artifactChanges": [{"artifactLocation": {"uri": path}, "replacements": [replacement]}], "description": text}
    everywhere: dict[str, Any] = {
        "ruleId": "R1",
        "message": {"text": f"bare {chosen} and {first} and " + said(first), "markdown": said(token)},
        "locations": [place],
        "relatedLocations": [place],
        "codeFlows": [{"threadFlows": [{"locations": [{"location": place, "state": {"x": text}}]}], "message": text}],
        "suppressions": [{"kind": "external", "justification": said(key), "status": "accepted"}],
        "fingerprints": {"a": key, token: first},
        "partialFingerprints": {"b": token},
        "properties": {"x": said(first), token: [chosen]},
        "fixes": [fix],
        "webRequest": {"headers": {"Authorization": f"Bearer {first}"}, "body": text},
        "hostedViewerUri": f"https://h/?token={first}",
    }
    results = [
        everywhere,
        {"ruleId": "R1", "message": {"id": "a", "arguments": [token]}, "locations": [place]},
        {"ruleId": key, "message": {"text": "m"}, "locations": [place]},
        {"ruleId": "R3", "message": {"text": "m"}, "locations": [address(f"out/{token}.txt")]},
        {"ruleId": f"R4/{key}", "message": {"text": "m"}, "locations": [address(f"../{token}.txt")]},
        {"ruleId": "R5", "message": {"text": "m"}, "locations": [{"logicalLocations": [{"name": f"x.{key}"}]}]},
    ]
    run = {
        "tool": {"driver": {"name": f"Thing {key}", "version": f"1 {token}", "rules": [rule]}},
        "results": results,
        "artifacts": [{"location": {"uri": path}, "contents": text}],
        "invocations": [{"executionSuccessful": True, "commandLine": said(first), "account": key}],
        "versionControlProvenance": [{"repositoryUri": f"https://{first}@host/r", "revisionId": token}],
    }
    return json.dumps({"version": "2.1.0", "runs": [run]}).encode()


def address(uri: str) -> dict[str, Any]:
    return {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": {"startLine": 1}}}


def outputs(folder: Path) -> list[str]:
    return [f"--format={name}={folder / name}" for name in FORMATS]


def assert_silent(folder: Path, *texts: str) -> None:
    told = [path.read_text() for path in folder.iterdir()]
    assert sum("[secret]" in text for text in told) > len(told) // 2
    for text in (*told, *texts):
        assert not [secret for secret in SECRETS if secret in text]


def test_threat_12_a_check_of_a_tool_that_nobody_knows(product: Product, tmp_path: Path) -> None:
    file = tree(tmp_path / "in", {"x.sarif": hostile()}) / "x.sarif"
    out = tree(tmp_path / "out", {})
    ended = product.cli("check", str(file), *outputs(out))
    assert (ended.code, len([*out.iterdir()])) == (0, len(FORMATS))
    assert_silent(out, ended.err)


@pytest.mark.parametrize("path", ["app.py", "gone.py"])
def test_threat_12_a_run_s_imports(product: Product, git: Git, tmp_path: Path, path: str) -> None:
    git.commit({"secgate.toml": '[[sarif]]\nfile = "out/x.sarif"\n', "app.py": CLEAN, ".gitignore": "out/\n"})
    tree(git.root, {"out/x.sarif": hostile(path)})
    out = tree(tmp_path / "out", {})
    ended = product.cli("run", str(git.root), *outputs(out))
    assert len([*out.iterdir()]) == len(FORMATS)
    assert_silent(out)
    assert not [secret for secret in SECRETS if secret in ended.err]


@pytest.mark.parametrize(
    "data",
    [
        f'{{"version": "2.1.0", "{SECRETS[3]}": {{"a": NaN}}, "runs": []}}',
        f'{{"version": "2.1.0", "{SECRETS[3]}": 1, "{SECRETS[3]}": 1, "runs": []}}',
        f'{{"version": "{SECRETS[2]}", "runs": []}}',
        f'{{"version": "2.1.0", "runs": [{{"tool": {{"driver": {{"name": "t"}}}}, "columnKind": "{SECRETS[3]}"}}]}}',
        f'{{"version": "2.1.0", "runs": [{{"originalUriBaseIds": {{"{SECRETS[3]}": 1}}}}]}}',
        f'{{"version": "2.1.0", "runs": [{{"results": [{{"level": "{SECRETS[2]}"}}]}}]}}',
        f'{{"version": "2.1.0", "runs": [{{"results": [{{"level": "a - at `${SECRETS[2]}"}}]}}]}}',
    ],
)
def test_threat_12_nor_is_one_said_of_a_file_that_is_refused(product: Product, tmp_path: Path, data: str) -> None:
    ended = product.cli("check", str(tree(tmp_path, {"x.sarif": data.encode()}) / "x.sarif"))
    assert (ended.code, "x.sarif" in ended.err) == (2, True)
    assert not [secret for secret in SECRETS if secret in ended.out + ended.err]
