"""Bad input at the library: each is one clear error or a named gap, never a traceback of ours or a silent pass."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from secgate.errors import ConfigError, PolicyError, TargetError, UsageError
from secgate.model import Lane, Outcome
from tests.product import CLEAN, WEAK, Product, gaps, offered, outcome, tree
from tests.unit.conftest import Git

needs_permissions = pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")


def test_a_missing_path(product: Product) -> None:
    with pytest.raises(TargetError, match="there is no such path"):
        product.run(product.home / "nowhere")


def test_a_file_instead_of_a_tree(product: Product, tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="is a file, not a tree"):
        product.run(tree(tmp_path / "plain", {"app.py": CLEAN}) / "app.py")


def test_every_fault_of_a_configuration_at_once(product: Product, tmp_path: Path) -> None:
    text = 'version = 2\nprofil = "x"\nmode = "observe"\n\n[scanners.semgrep]\ntimeout_s = "long"\n'
    with pytest.raises(ConfigError) as caught:
        product.run(tree(tmp_path / "plain", {"secgate.toml": text}))
    places = {place for place, _, _ in caught.value.faults}
    assert places == {"secgate.toml:1", "secgate.toml:2", "secgate.toml:3", "secgate.toml:6"}
    assert "did you mean `profile`?" in str(caught.value)


@pytest.mark.parametrize("data", [b"profile = \n", b"\xff\xfe", b"a = " + b"[" * 5000], ids=["toml", "bytes", "deep"])
def test_a_configuration_that_is_no_toml(product: Product, tmp_path: Path, data: bytes) -> None:
    with pytest.raises(ConfigError, match=r"secgate\.toml"):
        product.run(tree(tmp_path / "plain", {"secgate.toml": data}))


def test_a_profile_that_is_not_there(product: Product, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="profile"):
        product.run(tree(tmp_path / "plain", {"app.py": CLEAN}), profile="relase")


@pytest.mark.parametrize("digest", ["", "latest", "sha256:abc", "sha256:" + "Z" * 64])
def test_an_artifact_that_is_no_digest(product: Product, tmp_path: Path, digest: str) -> None:
    with pytest.raises(UsageError, match="not a digest"):
        product.run(tree(tmp_path / "plain", {"app.py": CLEAN}), artifacts=(digest,))


def test_a_scanner_that_is_not_there(product: Product, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown scanner `semgrp`"):
        product.run(tree(tmp_path / "plain", {"app.py": CLEAN}), scanners=("semgrp",))


def test_settings_for_a_scanner_that_is_not_there(product: Product, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="semgrp"):
        product.run(tree(tmp_path / "plain", {"secgate.toml": "[scanners.semgrp]\nenabled = false\n"}))


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SECGATE_OFFLINE", "perhaps"),
        ("SECGATE_LEDGER_REQUIRED", "sure"),
        ("SECGATE_JOBS", "many"),
        ("SECGATE_LEDGER_STORE", "mysql"),
        ("SECGATE_STATE_DIR", "relative/folder"),
    ],
)
def test_a_variable_that_says_nothing(product: Product, tmp_path: Path, variable: str, value: str) -> None:
    product.env[variable] = value
    ended = product.cli("run", str(tree(tmp_path / "plain", {"app.py": CLEAN})))
    assert (ended.code, ended.out, "environment" in ended.err) == (2, "", True)


@needs_permissions
def test_an_unreadable_file(product: Product, tmp_path: Path) -> None:
    root = tree(tmp_path / "plain", {"app.py": CLEAN, "locked.py": CLEAN})
    (root / "locked.py").chmod(0)
    document = product.run(root)
    assert outcome(document) is Outcome.INCONCLUSIVE
    assert {gap.path for gap in gaps(document)} == {"locked.py"}


def test_a_file_of_fifty_megabytes(product: Product, tmp_path: Path) -> None:
    for name in ("kingfisher", "detect-secrets"):
        product.tool(name)
    root = tree(tmp_path / "plain", {"app.py": CLEAN})
    with (root / "data.bin").open("wb") as stream:
        stream.truncate(50 * 1024 * 1024)
    document = product.run(root)
    assert (outcome(document), offered(document, Lane.SECRETS)) == (Outcome.PASS, 2)


def test_content_that_is_not_utf8(product: Product, tmp_path: Path) -> None:
    latin = b"# -*- coding: latin-1 -*-\ndef answer(text):\n    return eval('\xe9' + text)\n"
    document = product.run(tree(tmp_path / "plain", {"app.py": latin, "notes.txt": b"\xff\xfe\x00"}))
    assert [finding.location.path for finding in document.findings] == ["app.py"]


def test_a_deep_tree(product: Product, tmp_path: Path) -> None:
    deep = "/".join(["d"] * 150) + "/app.py"
    document = product.run(tree(tmp_path / "plain", {deep: WEAK, "app.py": WEAK}))
    seen = {finding.location.path for finding in document.findings}
    named = {one.path for one in document.coverage.left_out}
    assert outcome(document) is Outcome.FAIL
    assert deep in seen or any(deep.startswith(path) for path in named)


def test_a_broken_link(product: Product, tmp_path: Path) -> None:
    root = tree(tmp_path / "plain", {"app.py": CLEAN})
    (root / "gone").symlink_to("nowhere")
    document = product.run(root)
    assert (outcome(document), [one.path for one in document.coverage.left_out]) == (Outcome.PASS, ["gone"])


def test_special_files(product: Product, tmp_path: Path) -> None:
    root = tree(tmp_path / "plain", {"app.py": CLEAN})
    os.mkfifo(root / "pipe.py")
    document = product.run(root)
    assert [(one.path, one.reason) for one in document.coverage.left_out] == [("pipe.py", "special")]


def test_a_damaged_repository(product: Product, git: Git) -> None:
    git.commit({"app.py": CLEAN})
    (git.root / ".git" / "HEAD").write_text("nonsense\n")
    ended = product.cli("run", str(git.root))
    assert ended.code in (2, 3)
    assert "Traceback" not in ended.err


def test_a_lost_object(product: Product, git: Git) -> None:
    git.commit({"app.py": CLEAN})
    git.commit({"app.py": WEAK})
    blob = git("rev-parse", "HEAD~1:app.py")
    (git.root / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    ended = product.cli("run", str(git.root), "--changed-since", "HEAD~1")
    assert ended.code not in (0, 70)
    assert "Traceback" not in ended.err


HEAD = "package secgate.rules.a\n\ndeny contains "


@pytest.mark.parametrize(
    ("files", "error", "said"),
    [
        ({}, UsageError, "no policy"),
        ({"readme.md": "words"}, UsageError, "no policy"),
        ({"a.rego": HEAD + "{\n"}, PolicyError, "a.rego:"),
        ({"a.rego": "package secgate.rules.a\n"}, PolicyError, "a.rego"),
        ({"a.rego": "package wrong\n\ndeny contains {} if true\n"}, PolicyError, "wrong"),
        (
            {"a.rego": HEAD + '{"finding": f.fingerprnt} if some f in input.findings\n'},
            PolicyError,
            "fingerprnt",
        ),
        (
            {"a.rego": HEAD + '{"run": true, "reason": "x"} if input.run.scop == "x"\n'},
            PolicyError,
            "scop",
        ),
        ({"a.rego": b"\xff\xfe"}, PolicyError, "a.rego"),
    ],
    ids=["empty", "no-rego", "syntax", "no-rule", "package", "element", "field", "bytes"],
)
def test_policies_that_cannot_decide(
    product: Product, tmp_path: Path, files: dict[str, str | bytes], error: type[Exception], said: str
) -> None:
    folder = tree(tmp_path / "policy", files)
    with pytest.raises(error, match=said):
        product.run(tree(tmp_path / "plain", {"app.py": CLEAN}), policies=(str(folder),))


def test_an_element_that_breaks_the_schema(product: Product, tmp_path: Path) -> None:
    text = HEAD + '{"run": true, "reason": 7, "remedy": "x"} if input.run.scope == "local"\n'
    folder = tree(tmp_path / "policy", {"a.rego": text})
    with pytest.raises(PolicyError, match="reason"):
        product.run(tree(tmp_path / "plain", {"app.py": CLEAN}), policies=(str(folder),))


@pytest.mark.parametrize("in_git", [False, True])
def test_a_policy_that_is_a_link_is_refused(product: Product, git: Git, tmp_path: Path, in_git: bool) -> None:
    outside = tree(tmp_path / "outside", {"own.rego": "package secgate.rules.own\n"}) / "own.rego"
    root = tree(git.root if in_git else tmp_path / "plain", {"secgate.toml": 'version = 1\npolicies = ["pol"]\n'})
    (root / "pol").mkdir()
    (root / "pol" / "own.rego").symlink_to(outside)
    if in_git:
        git.commit({"app.py": CLEAN})
    with pytest.raises(UsageError, match="a link"):
        product.run(root)


def test_a_policy_of_a_megabyte_is_refused(product: Product, tmp_path: Path) -> None:
    text = "package secgate.rules.own\n\n" + "# a comment that goes on\n" * 42_000
    root = tree(tmp_path / "plain", {"secgate.toml": 'version = 1\npolicies = ["pol"]\n', "pol/own.rego": text})
    with pytest.raises(PolicyError, match="bytes, and") as caught:
        product.run(root)
    assert (caught.value.place, len(text) > 1_000_000) == ("pol/own.rego", True)
