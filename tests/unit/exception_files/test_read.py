"""Each form of another tool's exceptions, read; what is of another form, hostile or past a cap, refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from secgate.errors import UsageError
from secgate.exception_files import MAX_BYTES, Entry, Form, read
from secgate.exception_files.read import MOST_ENTRIES
from secgate.purl import PackageUrl
from tests.factories import HOSTILE

KEY = "ghp_" + "Zq7Kd93LmX0p" * 3
PHRASE = "rwKq83hTz"
"""Looks like a token, and is put together only here."""


def given(form: Form, value: object, *, file: str = "file", **options: Any) -> tuple[Entry, ...]:
    data = value if isinstance(value, bytes) else value.encode() if isinstance(value, str) else json.dumps(value)
    return read(form, data if isinstance(data, bytes) else data.encode(), file=file, **options)


# --------------------------------------------------------------------------------------------------------- trivyignore


def test_a_plain_trivyignore_has_an_id_a_line_with_its_end_and_its_comment() -> None:
    above = "# Accepted by the board\n# in May\nCVE-2024-0001\n\n# not of the next\n"
    first, second = given("trivyignore", f"{above}\nAVD-DS-0002 exp:2027-01-01 # by root\n")
    assert (first.place, first.advisories, first.reason, first.ends_epoch_s) == (
        "line 3",
        ("CVE-2024-0001",),
        "Accepted by the board in May",
        None,
    )
    assert (second.rule, second.reason, second.ends_epoch_s) == ("AVD-DS-0002", "by root", 1_798_761_600)


def test_a_yaml_trivyignore_has_paths_packages_and_statements() -> None:
    text = """
vulnerabilities:
  - id: CVE-2024-0001
    purls: ["pkg:pypi/Flask@1.0", "pkg:npm/%40scope/name"]
    expired_at: 2027-01-01
    statement: the parser is never called
misconfigurations:
  - id: AVD-DS-0002
    paths: ["docker/**"]
secrets:
  - id: aws-key
licenses:
  - id: GPL-3.0
"""
    one, two, three, four = given("trivyignore", text, file=".trivyignore.yaml", under="web")
    assert one.packages == (
        PackageUrl(ecosystem="PyPI", name="Flask", version="1.0"),
        PackageUrl(ecosystem="npm", name="@scope/name"),
    )
    assert (one.place, one.reason, one.rule) == ("line 3", "the parser is never called", "")
    assert (two.advisories, two.patterns) == ((), ("web/docker/**",))
    assert three.rule == "aws-key"
    assert four.refused == "licences are not judged here"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("vulnerabilities:\n  - idd: CVE-1\n", "unknown keys: `idd`"),
        ("vulnerabilities:\n  - statement: x\n", "no id"),
        ("vulnerabilities:\n  - id: x\n    paths: a\n", "lists of texts"),
        ("vulnerability:\n  - id: x\n", "`vulnerability` is no list that is known"),
        ("- id: x\n", "not readable as"),
        ("a: 1\n---\nb: 2\n", "not readable as"),
        ("vulnerabilities: [", "not YAML"),
        ("vulnerabilities: *nowhere\n", "names nothing complete"),
        ("[" * 100 + "]" * 100, "nested deeper"),
    ],
)
def test_yaml_of_another_form_is_refused_with_its_place(text: str, what: str) -> None:
    with pytest.raises(UsageError, match=what) as error:
        given("trivyignore", text, file=".trivyignore.yaml")
    assert ".trivyignore.yaml" in error.value.place


def test_a_yaml_bomb_ends_at_the_cap() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    with pytest.raises(UsageError, match="aliases followed"):
        given("trivyignore", "\n".join(lines), file="x.yaml")


def test_an_anchor_stands_for_what_it_names_and_nothing_is_made_of_a_tag() -> None:
    text = "vulnerabilities:\n  - &a {id: CVE-1}\n  - *a\nsecrets:\n  - id: !!python/object/apply:os.system [x]\n"
    with pytest.raises(UsageError, match="no id"):
        given("trivyignore", text, file="x.yaml")
    assert len(given("trivyignore", text.partition("secrets")[0], file="x.yaml")) == 2


@pytest.mark.parametrize("day", ["2027-13-01", "soon", "0000-00-00"])
def test_a_day_that_is_none_turns_nothing(day: str) -> None:
    (entry,) = given("trivyignore", f"CVE-1 exp:{day}\n")
    assert entry.refused == f"`{day}` is no day"


# ------------------------------------------------------------------------------------------------------------ baselines


def test_a_checkov_baseline_has_an_entry_for_each_check_of_a_resource() -> None:
    baseline = {
        "failed_checks": [
            {"file": "/main.tf", "findings": [{"resource": "aws_s3_bucket.b", "check_ids": ["CKV_AWS_18", "CKV_2"]}]}
        ]
    }
    first, second = given("checkov-baseline", baseline, under="infra")
    assert (first.path, first.resource, first.rule) == ("infra/main.tf", "aws_s3_bucket.b", "CKV_AWS_18")
    assert second.place == "$.failed_checks[0].findings[0].check_ids[1]"


def test_a_bandit_baseline_gives_the_line_that_each_result_is_about() -> None:
    code = "6 \n7     eval(text)\n8     return 1\n"
    results = [{"filename": "./app.py", "test_id": "B307", "line_number": 7, "code": code}]
    (entry,) = given("bandit-baseline", {"results": results})
    assert (entry.path, entry.rule, entry.line, entry.code) == ("app.py", "B307", 7, "eval(text)")


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/srv/app.py", "absolute"),
        ("C:\\app.py", "absolute"),
        ("a/../../etc/passwd", "out of the tree"),
        ("..\\x", "out of the tree"),
    ],
)
def test_a_path_that_is_not_in_the_tree_turns_nothing(path: str, why: str) -> None:
    (entry,) = given("bandit-baseline", {"results": [{"filename": path, "test_id": "B307", "line_number": 7}]})
    assert why in entry.refused
    assert entry.path == ""


# ------------------------------------------------------------------------------------------------------------------ VEX

PRODUCT = "pkg:oci/shop@sha256:1"


def openvex(*statements: dict[str, object]) -> dict[str, object]:
    return {"@context": "https://openvex.dev/ns/v0.2.0", "timestamp": "2026-01-01T00:00:00Z", "statements": statements}


def said(status: str = "not_affected", **more: object) -> dict[str, object]:
    return {
        "vulnerability": {"name": "CVE-2024-0001", "aliases": ["GHSA-a"]},
        "products": [{"@id": "pkg:pypi/flask@1.0"}],
        "status": status,
        "justification": "vulnerable_code_not_present",
        "impact_statement": "built without it",
        **more,
    }


def test_openvex_that_gives_a_justification_is_not_affected() -> None:
    (entry,) = given("vex", openvex(said()))
    assert (entry.kind, entry.refused) == ("not-affected", "")
    assert entry.advisories == ("CVE-2024-0001", "GHSA-a")
    assert entry.packages == (PackageUrl(ecosystem="PyPI", name="flask", version="1.0"),)
    assert entry.reason == "vulnerable_code_not_present: built without it"


@pytest.mark.parametrize("status", ["affected", "fixed", "under_investigation", "<b>"])
def test_every_other_status_is_told_and_lets_nothing_pass(status: str) -> None:
    (entry,) = given("vex", openvex(said(status)))
    assert entry.refused == f"its status is `{status}`, which lets nothing pass"


def test_openvex_without_a_justification_turns_nothing() -> None:
    (entry,) = given("vex", openvex(said(justification="")))
    assert entry.refused == "it gives no justification"


def test_the_latest_word_on_a_pair_holds() -> None:
    newer = said("affected", timestamp="2026-02-01T00:00:00Z")
    for statements in ((newer, said()), (said(), newer)):
        refused = {entry.refused for entry in given("vex", openvex(*statements))}
        assert refused == {
            "a later word on the same says `affected`",
            "its status is `affected`, which lets nothing pass",
        }


def test_another_product_counts_only_where_it_is_said_to_be_this_repository() -> None:
    product = {"@id": PRODUCT, "subcomponents": [{"@id": "pkg:npm/left-pad@1.3.0"}]}
    document = openvex(said(products=[product]))
    (entry,) = given("vex", document)
    assert f"add --product {PRODUCT}" in entry.refused
    (entry,) = given("vex", document, products=("pkg:oci/shop",))
    assert (entry.refused, entry.packages) == ("", (PackageUrl(ecosystem="npm", name="left-pad", version="1.3.0"),))
    (entry,) = given("vex", openvex(said(products=[PRODUCT])), products=(PRODUCT,))
    assert (entry.refused, entry.packages) == ("", ())


def test_cyclonedx_names_components_by_reference() -> None:
    document = {
        "bomFormat": "CycloneDX",
        "components": [{"bom-ref": "a", "components": [{"bom-ref": "b", "purl": "pkg:pypi/flask@1.0"}]}],
        "vulnerabilities": [
            {
                "id": "CVE-2024-0001",
                "analysis": {"state": state, "justification": "code_not_reachable", "detail": "off"},
                "affects": [{"ref": "urn:cdx:f08a6ccd-4dce-4759-bd84-c626675d60a7/1#b"}],
            }
            for state in ("not_affected",)
        ],
    }
    (entry,) = given("vex", document)
    assert (entry.refused, entry.reason) == ("", "code_not_reachable: off")
    assert entry.packages == (PackageUrl(ecosystem="PyPI", name="flask", version="1.0"),)
    document["vulnerabilities"][0]["analysis"]["state"] = "false_positive"  # type: ignore[index]
    assert given("vex", document)[0].kind == "false-positive"
    document["vulnerabilities"][0]["affects"][0]["versions"] = [{"range": "<2"}]  # type: ignore[index]
    assert "a range of versions" in given("vex", document)[0].refused


def test_csaf_joins_status_flag_and_package_url() -> None:
    document = {
        "document": {"category": "csaf_vex", "csaf_version": "2.0"},
        "product_tree": {
            "branches": [
                {
                    "branches": [
                        {
                            "product": {
                                "product_id": "P1",
                                "product_identification_helper": {"purl": "pkg:pypi/flask@1.0"},
                            }
                        }
                    ]
                }
            ]
        },
        "vulnerabilities": [
            {
                "cve": "CVE-2024-0001",
                "product_status": {"known_not_affected": ["P1"], "fixed": ["P2"]},
                "flags": [{"label": "vulnerable_code_not_present", "product_ids": ["P1"]}],
                "threats": [{"category": "impact", "details": "not built", "product_ids": ["P1"]}],
            }
        ],
    }
    entries = {entry.refused: entry for entry in given("vex", document)}
    assert entries[""].reason == "vulnerable_code_not_present: not built"
    assert entries[""].packages == (PackageUrl(ecosystem="PyPI", name="flask", version="1.0"),)
    assert len(entries) == 2


# -------------------------------------------------------------------------------------------------------------- hostile


@pytest.mark.parametrize("form", ["trivyignore", "checkov-baseline", "bandit-baseline", "vex"])
@pytest.mark.parametrize(
    "data", [b"\xff\xfe{\x00}\x00", b"\x00\xff", b"a" * (MAX_BYTES + 1)], ids=["utf16", "bytes", "large"]
)
def test_what_is_no_text_of_a_fair_size_is_refused(form: Form, data: bytes) -> None:
    with pytest.raises(UsageError, match=r"not UTF-8|larger than"):
        read(form, data, file="f")


@pytest.mark.parametrize("form", ["checkov-baseline", "bandit-baseline", "vex"])
@pytest.mark.parametrize(
    "text",
    ["", "null", "[]", '{"results": null}', "{", "[" * 100_000, '{"failed_checks": {}}'],
    ids=lambda one: one[:9],
)
def test_json_of_another_form_is_refused(form: Form, text: str) -> None:
    with pytest.raises(UsageError, match=r"not readable|neither") as error:
        given(form, text)
    assert error.value.place in ("file", "file: $", "file: $.results", "file: $.failed_checks")


def test_a_byte_order_mark_is_no_fault() -> None:
    assert given("bandit-baseline", b'\xef\xbb\xbf{"results": []}') == ()
    assert given("trivyignore", b"\xef\xbb\xbfCVE-1\r\n")[0].advisories == ("CVE-1",)


def test_too_many_entries_are_refused() -> None:
    with pytest.raises(UsageError, match="more than 10000"):
        given("trivyignore", "CVE-1\n" * (MOST_ENTRIES + 1))


def test_credentials_and_control_characters_of_a_reason_are_not_kept() -> None:
    text = f"CVE-1 # see {KEY}, password='{PHRASE}'; {HOSTILE.splitlines()[0]}\n"
    (entry,) = given("trivyignore", text)
    assert KEY not in entry.reason
    assert PHRASE not in entry.reason
    assert entry.reason.count("[secret]") == 2
    assert entry.reason.isprintable()


@pytest.mark.parametrize(
    "text",
    [
        "see https://tracker.example.org/browse/SEC-1234 and CVE-2024-12345",
        "commit 0123456789abcdef0123456789abcdef01234567, GHSA-2345-6789-cfgh",
        "the token is taken from ${TOKEN}; password: changeme",
    ],
)
def test_what_is_no_credential_stays_readable(text: str) -> None:
    assert given("trivyignore", f"CVE-1 # {text}\n")[0].reason == text


def test_an_entry_is_the_same_wherever_it_stands() -> None:
    (one,) = given("trivyignore", "CVE-1 # why\n")
    _, two = given("trivyignore", "CVE-0\n\n\nCVE-1 # why\n")
    (three,) = given("trivyignore", "CVE-1 # why not\n")
    assert one.digest == two.digest != three.digest
