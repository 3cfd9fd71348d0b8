"""From what tools said to one form: paths, columns, masks, severities."""

from __future__ import annotations

import hashlib

import msgspec
import pytest

from secgate.languages.source import ColumnUnit
from secgate.model import (
    Confidence,
    Edit,
    Fix,
    Lane,
    Origin,
    RawResult,
    Reading,
    Region,
    Result,
    Rule,
    ScanStatus,
    Severity,
    Source,
    Suppression,
    View,
    encode,
)
from secgate.normalise import normalise
from tests.fixing import applied
from tests.unit.identity_kit import Scan, advisory, crosswalk, kinds, normalised, scan_of

WORD = "zP4q8Lw1"
SENTENCE = "key for the codes of secrets: 32 random bytes, as text of one of two forms, said to nobody"


def _at(line: int, column: int = 0, end_column: int = 0, end_line: int = 0) -> Region:
    return Region(start_line=line, start_column=column, end_line=end_line or line, end_column=end_column)


def _one(text: str, raw: RawResult, tool: str = "alpha", lane: Lane = Lane.SAST) -> Result:
    (result,) = normalised({"a.py": text}, [scan_of(tool, [raw], lane)]).results
    return result


def _raw(**more: object) -> RawResult:
    fields: dict[str, object] = {"rule": "r", "message": "m", "path": "a.py", "region": _at(1, 1, 2)}
    return RawResult(**(fields | more))  # type: ignore[arg-type]


@pytest.mark.parametrize("path", ["a.py", "./a.py", "x/../a.py", "/view/a.py", "file:///view/a.py"])
def test_path_is_the_repository_s(path: str) -> None:
    assert _one("x = 1\n", _raw(path=path)).location.path == "a.py"


@pytest.mark.parametrize("path", ["../a.py", "/etc/passwd", "b.py", "x/../../a.py", "file:///etc/a.py", ".."])
def test_path_outside_is_refused_and_said(path: str) -> None:
    done = normalised({"a.py": ""}, [scan_of("alpha", [_raw(path=path)])])
    assert not done.located
    assert [(one.scanner, one.lane, one.path) for one in done.refused] == [("alpha", Lane.SAST, path)]


def test_sarif_of_another_tree_keeps_relative_paths() -> None:
    scans = [scan_of("alpha", [_raw(path=path) for path in ("src/b.py", "../b.py")])]
    done = normalise(
        scans,
        view=View(root="/view", source=Source.WORK_TREE, digests={}),
        read=lambda _path: None,
        kinds=kinds,
        crosswalk=crosswalk(),
        scores=lambda _names: None,
        keep_outside=True,
    )
    assert [one.location.path for one in done.results] == ["src/b.py"]
    assert [one.path for one in done.refused] == ["../b.py"]


def test_origin_gives_commit_and_path() -> None:
    origins = {"0/a.py": Origin(commit="c1", path="a.py")}
    done = normalised({"0/a.py": "x\n"}, [scan_of("alpha", [_raw(path="0/a.py")])], origins=origins)
    assert (done.results[0].location.path, done.results[0].location.commit) == ("a.py", "c1")


@pytest.mark.parametrize(("unit", "column"), [("utf-8", 13), ("code-point", 9), ("utf-16", 10)])
def test_columns_become_utf16(unit: ColumnUnit, column: int) -> None:
    raw = _raw(region=_at(1, column, column + 4), column_unit=unit)
    region = _one("x = 'é😀';eval(1)\n", raw).location.region
    assert (region.start_column, region.end_column) == (10, 14)


def test_region_outside_of_the_file_is_clamped() -> None:
    region = _one("ab\n", _raw(region=_at(7, 9, 3, end_line=99))).location.region
    assert region == _at(1, 3, 3)


def test_bandit_region_is_put_on_its_node() -> None:
    raw = _raw(region=_at(2, 1, 22), column_unit="utf-8")
    region = _one("call(a,\n    b=12, shell=True)\n", raw, tool="bandit").location.region
    assert region == _at(1, 1, 22, end_line=2)


def test_bandit_region_over_lines_is_its_node_not_an_argument_of_the_same_lines() -> None:
    text = 'é = run(f"""\n    {a}""" + b)\n'
    outer = _one(text, _raw(region=_at(1, 6, 16, end_line=2), column_unit="utf-8"), tool="bandit")
    assert outer.location.region == _at(1, 5, 16, end_line=2)
    assert outer.snippet == 'run(f"""\n    {a}""" + b)'
    # Columns that fit no node, or none: the smallest node of these lines.
    for columns in ((1, 3), (0, 0)):
        inner = _one(text, _raw(region=_at(1, *columns, end_line=2), column_unit="utf-8"), tool="bandit")
        assert inner.location.region == _at(1, 9, 11, end_line=2)


_LEAK = 'def f():\n    password = "hunter22"; eval(password, "hunter22")\n'


@pytest.mark.parametrize(
    ("lane", "more"),
    [
        (Lane.SECRETS, {"secrets": ("hunter22",), "region": _at(2)}),
        (Lane.SECRETS, {"secret_spans": (_at(2, 17, 25),), "region": _at(2, 5, 30)}),
        (Lane.SECRETS, {"region": _at(2, 17, 25)}),
        (Lane.SECRETS, {"region": _at(2)}),
        (Lane.SAST, {"cwes": (259,), "region": _at(2, 16, 26)}),
        (Lane.SAST, {"cwes": (798,), "region": _at(2, 5, 26)}),
    ],
)
def test_secret_is_masked_in_every_field_of_every_lane(lane: Lane, more: dict[str, object]) -> None:
    found = _raw(message="Possible hardcoded password: 'hunter22'", snippet=_LEAK, resource="hunter22", **more)
    other = _raw(
        region=_at(2, 29, 40),
        message="eval of hunter22",
        snippet='eval("hunter22")',
        suppressions=(Suppression(kind="inSource", text="hunter22"),),
    )
    done = normalised({"a.py": _LEAK}, [scan_of("kingfisher", [found], lane), scan_of("alpha", [other])])
    assert len(done.located) == 2
    assert not any(b"hunter22" in encode(one) for one in done.located)
    assert any(one.secret for one in done.results)


def test_secret_symbol_names_its_key() -> None:
    raws = [_raw(secrets=("hunter22",), region=_at(2)), _raw(secrets=("hunter33",), region=_at(1))]
    text = 'db(passwd="hunter33")\nAPI = {"user": "u", "token": "hunter22"}\n'
    done = normalised({"a.py": text}, [scan_of("kingfisher", raws, Lane.SECRETS)])
    assert [one.place.symbol for one in done.located] == ["token", "passwd"]


_BY_HASH = {
    "region": _at(1),
    "secret_spans": (_at(1),),
    "severity": Severity.HIGH,
    "confidence": Confidence.MEDIUM,
}


@pytest.mark.parametrize(
    ("line", "text", "snippet", "confidence"),
    [
        (f'login(user="u", password="{WORD}")', WORD, 'login(user="u", password="[secret]")', "medium"),
        ('login(user="u", password="changeme")', "changeme", 'login(user="u", password="[secret]")', "low"),
        (f'url = "https://u:{WORD}@example.org/"', WORD, 'url = "[secret]"', "medium"),
        ("zP4q 8Lw1", "elsewhere", "[secret]", "medium"),
        (f'{{"SECRET_KEY": "{SENTENCE}"}}', SENTENCE, '{"SECRET_KEY": "[secret]"}', "low"),
    ],
)
def test_secret_known_by_its_hash_is_found_on_its_line(line: str, text: str, snippet: str, confidence: str) -> None:
    sha1 = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
    raw = _raw(secret_sha1=sha1, **_BY_HASH)
    done = normalised({"a.py": f"{line}\n"}, [scan_of("detect-secrets", [raw], Lane.SECRETS)])
    (one,) = done.located
    assert (one.place.snippet, one.result.confidence) == (snippet, confidence)


def test_line_without_a_literal_is_masked_behind_its_key() -> None:
    done = normalised(
        {".env": "# x\nTOKEN=abcd1234\n"}, [scan_of("ds", [_raw(path=".env", region=_at(2))], Lane.SECRETS)]
    )
    assert (done.located[0].place.snippet, done.located[0].place.symbol) == ("TOKEN=[secret]", "TOKEN")


def test_very_long_literal_is_masked_by_region() -> None:
    text = 'x = "' + "s3cr3t" * 5_000 + '"\n'
    assert "s3cr3t" not in _one(text, _raw(cwes=(798,), region=_at(1, 5, 30_007))).snippet


def test_lengths_are_capped() -> None:
    result = _one("x" * 9_000, _raw(message="m" * 9_000, region=_at(1, 1, 9_001)))
    assert (len(result.message), len(result.snippet)) == (2_000, 4_000)


def test_severity_and_confidence_of_the_rule() -> None:
    rule = Rule(id="r", score=9.1, confidence=Confidence.LOW, cwes=(95,), short="short")
    scan = scan_of("alpha", [])
    readings = (Reading(status=ScanStatus.COMPLETED, results=(_raw(message=""),), rules=(rule,)),)
    (result,) = normalised({"a.py": "x"}, [Scan(scan.invocation, readings)]).results
    assert (result.severity, result.score, result.severity_basis) == (Severity.CRITICAL, 9.1, "tool score")
    assert (result.confidence, result.weakness, result.message) == (Confidence.LOW, "code-injection", "short")


@pytest.mark.parametrize(
    ("scores", "expected"),
    [({"CVE-1": 5.0, "GHSA-1": 9.8}, (Severity.CRITICAL, 9.8, "cvss")), ({}, (Severity.HIGH, 8.0, "unscored"))],
)
def test_severity_of_an_advisory(scores: dict[str, float], expected: tuple[Severity, float, str]) -> None:
    files = {"requirements.txt": "flask==1.0\n"}
    scans = [scan_of("pip-audit", [advisory("CVE-1", "GHSA-1")], Lane.DEPENDENCIES)]
    (result,) = normalised(files, scans, scores=scores).results
    assert (result.severity, result.score, result.severity_basis) == expected
    assert result.weakness == "vulnerable-dependency"


def test_labels_of_a_block_are_no_secrets() -> None:
    text = f'resource "cloud_machine" "web" {{\n  password = "{WORD}"\n}}\n'
    raw = _raw(path="a.tf", region=_at(1, end_line=3), cwes=(798,))
    (one,) = normalised({"a.tf": text}, [scan_of("checkov", [raw], Lane.IAC)]).located
    assert one.place.snippet == 'resource "cloud_machine" "web" {\n  password = "[secret]"\n}'


DEBUG = "app.run(key, debug=True)\n"


def _fixed(text: str, new: str, **more: object) -> tuple[Fix, ...]:
    edit = Edit(region=_at(1, 1, 25), text=new)
    return _one(text, _raw(region=_at(1, 1, 25), fixes=(Fix(title="Leave debug off.", edits=(edit,)),), **more)).fixes


def test_a_fix_is_the_least_that_changes_and_bound_to_the_file() -> None:
    (fix,) = _fixed(DEBUG, "app.run(key, debug=False)")
    assert (fix.title, fix.digest) == ("Leave debug off.", "0" * 64)
    assert applied(DEBUG, fix) == "app.run(key, debug=False)\n"


def test_threat_12_no_fix_holds_or_writes_a_secret() -> None:
    assert _fixed(DEBUG, "app.run(other, debug=True)") != ()
    assert _fixed(DEBUG, "app.run(hunter2x, debug=True)", quoted=("hunter2x",)) == ()
    assert _fixed(DEBUG, "app.run(other, debug=True)", cwes=(798,)) == ()
    text = "app.run(hunter2x, debug=True)\n"
    edit = Edit(region=_at(1, 1, 30), text="app.run(hunter2x, debug=False)")
    (kept,) = _one(text, _raw(fixes=(Fix(title="hunter2x", edits=(edit,)),), quoted=("hunter2x",))).fixes
    assert "hunter2x" not in str(kept)
    assert applied(text, kept) == text.replace("True", "False")


def test_threat_14_a_fix_of_another_file_or_past_the_end_is_none() -> None:
    far = Fix(title="t", edits=(Edit(region=_at(1, 1, 999), text=""),))
    assert _one(DEBUG, _raw(fixes=(far,))).fixes == ()
    gone = Fix(title="t", edits=(Edit(region=_at(1, 1, 2), text=""),))
    scans = [scan_of("alpha", [_raw(path="0/a.py", fixes=(gone,))])]
    done = normalised({"0/a.py": "x\n"}, scans, origins={"0/a.py": Origin(commit="c1", path="a.py")})
    assert done.results[0].fixes == (), "what a commit held is nobody's to edit"


@pytest.mark.parametrize(
    ("text", "secret", "severity"),
    [
        ("k = 'AKIAIOSFODNN7EXAMPLE'\n", "AKIAIOSFODNN7EXAMPLE", "low"),
        ("k = 'AKIA" + "Q4RT7ZK2MX9PL3EX'\n", "AKIA" + "Q4RT7ZK2MX9PL3EX", "high"),
        ("BEGIN = '-----BEGIN RSA PRIVATE" + " KEY-----'\n", "BEGIN RSA PRIVATE KEY", "info"),
        ("-----BEGIN RSA PRIVATE" + " KEY-----\n" + "aB3d" * 16 + "\n", "BEGIN RSA PRIVATE KEY", "high"),
        ("k = '-----BEGIN RSA PRIVATE" + " KEY-----' '" + "aB3d" * 5 + "' '", "BEGIN RSA PRIVATE KEY", "high"),
    ],
)
def test_a_detector_that_is_certain_is_wrong_about_two_forms_alone(text: str, secret: str, severity: str) -> None:
    sha1 = hashlib.sha1(secret.encode(), usedforsecurity=False).hexdigest()
    raw = _raw(secret_sha1=sha1, **_BY_HASH | {"confidence": Confidence.HIGH})
    done = normalised({"a.py": text}, [scan_of("detect-secrets", [raw], Lane.SECRETS)])
    (result,) = done.results
    assert result.severity == severity
    assert secret not in result.snippet


def test_the_fixed_version_of_a_dependency_is_a_fix() -> None:
    raw = advisory("CVE-1", version="0.12")
    assert raw.package is not None
    raw = msgspec.structs.replace(raw, package=msgspec.structs.replace(raw.package, fixed_versions=("3.0",)))
    done = normalise(
        [scan_of("pip-audit", [raw], Lane.DEPENDENCIES)],
        view=View(root="/view", source=Source.WORK_TREE, digests={"requirements.txt": "0" * 64}),
        read=lambda _path: b"flask==0.12\n",
        kinds=lambda _path: ("pip-requirements", "text"),
        crosswalk=crosswalk(),
        scores=lambda _names: None,
    )
    (fix,) = done.results[0].fixes
    assert (fix.title, applied("flask==0.12\n", fix)) == ("Upgrade flask to 3.0", "flask==3.0\n")
