"""Entries held against findings: one each, or none and why."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from secgate.exception_files import Entry, match
from secgate.model import Finding, Lane, Package, RunDocument
from secgate.purl import PackageUrl
from tests.factories import finding, location, result, run_document


def dependency(name: str, package: str = "flask", version: str = "1.0", ecosystem: str = "PyPI") -> Finding:
    return finding(
        name,
        lane=Lane.DEPENDENCIES,
        advisories=("CVE-2024-0001", "GHSA-AAAA"),
        package=Package(ecosystem=ecosystem, name=package, version=version, manifest=f"{name}.txt"),
        location=location(f"{name}.txt", 3),
    )


def weak(name: str, line: int, path: str = "app.py", **changes: Any) -> Finding:
    witness = result("bandit", rule="B307", location=location(path, line))
    return finding(name, location=location(path, line), witnesses=(msgspec.structs.replace(witness, **changes),))


def run(*findings: Finding, **code: str) -> RunDocument:
    texts = {one.fingerprint: code[name] for name in code for one in findings if one == weak(name, one_line(one))}
    return run_document(findings=findings, excerpts=texts)


def one_line(one: Finding) -> int:
    return one.location.region.start_line


def advised(**changes: Any) -> Entry:
    plain = Entry(place="line 1", shown="x", advisories=("cve-2024-0001",))
    return msgspec.structs.replace(plain, **changes)


def ruled(line: int = 0, code: str = "", **changes: Any) -> Entry:
    plain = Entry(place="line 1", shown="x", tool="bandit", rule="B307", path="app.py", line=line, code=code)
    return msgspec.structs.replace(plain, **changes)


def told(entry: Entry, document: RunDocument) -> str | list[str]:
    (one,) = match([entry], document)
    return one.why or [found.location.path for found in one.findings]


def test_an_advisory_of_one_package_is_one_thing_in_all_its_manifests() -> None:
    assert told(advised(), run(dependency("a"), dependency("b", version="1.1"))) == ["a.txt", "b.txt"]


def test_an_advisory_of_two_packages_is_told() -> None:
    assert told(advised(), run(dependency("a"), dependency("b", "werkzeug"))) == (
        "it fits 2 packages: flask (pypi), werkzeug (pypi)"
    )


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (PackageUrl(ecosystem="PyPI", name="Flask"), ["a.txt"]),
        (PackageUrl(ecosystem="PyPI", name="flask", version="1.0"), ["a.txt"]),
        (PackageUrl(ecosystem="PyPI", name="flask", version="0.9"), "the advisory is found in flask 1.0 only"),
        (PackageUrl(ecosystem="npm", name="flask"), "the advisory is found in flask 1.0 only"),
    ],
)
def test_a_package_url_fits_name_ecosystem_and_version(wanted: PackageUrl, found: str | list[str]) -> None:
    assert told(advised(packages=(wanted,)), run(dependency("a"))) == found


def test_an_advisory_that_nothing_has_is_told() -> None:
    assert told(advised(advisories=("CVE-1",)), run(dependency("a"))) == "no finding has this advisory"


def test_one_finding_is_taken_once() -> None:
    first, second = match([advised(), advised(place="line 2", reason="again")], run(dependency("a")))
    assert first.findings
    assert second.why == "line 1 is about the same"


def test_of_several_in_a_file_the_code_tells() -> None:
    document = run(weak("a", 3), weak("b", 9), a="3\t  eval(one)", b="9\t  eval(two)")
    (one,) = match([ruled(3, "eval(two)")], document)
    assert [one_line(found) for found in one.findings] == [9]


def test_other_code_is_no_match_though_rule_and_file_fit() -> None:
    document = run(weak("a", 3), a="3\t  eval(mask)")
    assert told(ruled(3, "eval(two)"), document) == "the code there is another now, or is not kept: app.py:3"


def test_equal_code_is_told_apart_by_the_line() -> None:
    document = run(weak("a", 3), weak("b", 9), a="3\teval(x)", b="9\teval(x)")
    (one,) = match([ruled(9, "eval(x)")], document)
    assert [one_line(found) for found in one.findings] == [9]
    assert told(ruled(5, "eval(x)"), document) == "it fits 2 findings: app.py:3, app.py:9"


def test_without_code_only_the_line_itself_fits() -> None:
    assert told(ruled(3), run(weak("a", 3))) == ["app.py"]
    assert told(ruled(4), run(weak("a", 3))) == "nothing is found in that line: app.py:3"


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        (ruled(rule="B101"), "no finding of bandit has this rule"),
        (ruled(path="else.py"), "no finding of bandit has this rule at else.py"),
        (ruled(resource="a.b"), "no finding of bandit has this rule at app.py"),
        (ruled(refused="because"), "because"),
        (ruled(path="", patterns=("**/**/**/**/**/x",)), "a path of it has more than 4 `**`"),
        (ruled(path="", patterns=("[b-a]",)), "[b-a] is no class of characters"),
    ],
)
def test_what_fits_nothing_is_told_with_why(entry: Entry, why: str) -> None:
    assert told(entry, run(weak("a", 3))) == why


def test_a_resource_tells_checks_of_one_file_apart() -> None:
    parts = [
        finding(name, witnesses=(result("checkov", rule="CKV_1", resource=name, location=location("m.tf", line)),))
        for line, name in enumerate(("aws.a", "aws.b"), 1)
    ]
    placed = [msgspec.structs.replace(one, location=location("m.tf", at)) for at, one in enumerate(parts, 1)]
    entry = Entry(place="$", shown="x", tool="checkov", rule="CKV_1", resource="aws.b", path="m.tf")
    (one,) = match([entry], run(*placed))
    assert [one_line(found) for found in one.findings] == [2]


def test_another_tools_rule_of_the_same_name_is_another() -> None:
    document = run(weak("a", 3, scanner="ruff"))
    assert told(ruled(3), document) == "no finding of bandit has this rule at app.py"
    assert told(ruled(3), run(weak("a", 3, scanner="sarif:bandit"))) == ["app.py"]
