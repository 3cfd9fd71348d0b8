"""Known false greens: each is a run that looks clean and was not looked at; each comes out as inconclusive."""

from __future__ import annotations

from pathlib import Path

import pytest

from secgate.model import Outcome, RunDocument
from tests.product import CLEAN, DAY, NOW, WEAK, Product, gaps, outcome, tree

PINS = "made==1.0\n"


def inconclusive(document: RunDocument) -> set[tuple[str, str, str]]:
    """Give (lane, tool, reason) of the gaps of a run that must be inconclusive; each says what to do."""
    assert document.decision is not None
    assert (outcome(document), document.decision.exit_code) == (Outcome.INCONCLUSIVE, 3)
    assert all(gap.remedy for gap in gaps(document))
    return {(gap.lane.value, gap.tool, gap.reason) for gap in gaps(document)}


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    return tree(tmp_path / "clean", {"app.py": CLEAN})


def test_the_tree_is_green_with_every_tool(product: Product, clean: Path) -> None:
    assert outcome(product.run(clean)) is Outcome.PASS


@pytest.mark.parametrize("name", ["bandit", "semgrep"])
def test_tool_missing(product: Product, clean: Path, name: str) -> None:
    product.without(name)
    assert inconclusive(product.run(clean)) == {("sast", name, "tool-missing")}


@pytest.mark.parametrize(("version", "words"), [("1.9.0", "1.9.0"), ("odd", "odd")])
def test_a_version_that_nobody_tested_is_said(product: Product, clean: Path, version: str, words: str) -> None:
    product.tool("semgrep", version=version)
    assert f"semgrep: {words} is outside the tested versions" in product.run(clean).notes


@pytest.mark.parametrize("name", ["kingfisher", "detect-secrets"])
def test_one_of_two_secret_scanners_missing(product: Product, clean: Path, name: str) -> None:
    product.without(name)
    assert inconclusive(product.run(clean)) == {("secrets", name, "tool-missing")}


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("crash", "tool-crashed"),
        ("empty", "output-unreadable"),
        ("truncated", "output-unreadable"),
        ("garbage", "output-unreadable"),
    ],
)
@pytest.mark.parametrize("name", ["bandit", "semgrep", "kingfisher", "detect-secrets"])
def test_tool_that_breaks(product: Product, clean: Path, name: str, how: str, reason: str) -> None:
    product.tool(name, how)
    lane = "sast" if name in ("bandit", "semgrep") else "secrets"
    assert inconclusive(product.run(clean)) == {(lane, name, reason)}


@pytest.mark.parametrize("name", ["semgrep", "bandit"])
def test_tool_times_out(product: Product, clean: Path, name: str) -> None:
    product.tool(name, "hang")
    tree(clean, {"secgate.toml": f"[scanners.{name}]\ntimeout_s = 1.0\n"})
    assert inconclusive(product.run(clean)) == {("sast", name, "tool-timed-out")}


def test_a_tool_that_looks_at_nothing_and_says_that_all_is_well(product: Product, clean: Path) -> None:
    product.tool("semgrep", "silent")
    assert inconclusive(product.run(clean)) == {("sast", "semgrep", "not-listed")}


def test_a_file_that_no_tool_can_parse(product: Product, clean: Path) -> None:
    tree(clean, {"broken.py": "def broken(:\n"})
    assert inconclusive(product.run(clean)) == {("sast", name, "parse-error") for name in ("bandit", "semgrep")}


def test_a_broken_tool_does_not_hide_what_another_one_found(product: Product, tmp_path: Path) -> None:
    product.tool("bandit", "crash")
    document = product.run(tree(tmp_path / "weak", {"app.py": WEAK}))
    assert document.decision is not None
    assert document.decision.all_outcomes == (Outcome.FAIL, Outcome.INCONCLUSIVE)


def test_a_scanner_switched_off_in_the_settings(product: Product, clean: Path) -> None:
    tree(clean, {"secgate.toml": "[scanners.bandit]\nenabled = false\n"})
    assert {(lane, tool) for lane, tool, _ in inconclusive(product.run(clean))} == {("sast", "bandit")}


def test_a_language_without_a_tool(product: Product, tmp_path: Path) -> None:
    document = product.run(tree(tmp_path / "go", {"main.go": "package main\n"}))
    assert inconclusive(document) == {("sast", "", "unsupported")}


def test_a_file_over_the_size_limit(product: Product, clean: Path) -> None:
    tree(clean, {"secgate.toml": "max_file_bytes = 2000\n", "large.py": CLEAN + "#" * 3000 + "\n"})
    found = inconclusive(product.run(clean))
    assert ("sast", "", "too-large") in found


# ------------------------------------------------------------------------------------------------------- dependencies


@pytest.fixture
def pinned(product: Product, tmp_path: Path) -> Path:
    """A tree with one pinned package, and a database that knows of nothing wrong with it."""
    product.know("MADE-1", "other", "1.0", published=NOW.isoformat())
    return tree(tmp_path / "pinned", {"requirements.txt": PINS})


def test_pinned_packages_and_fresh_advisories_are_green(product: Product, pinned: Path) -> None:
    document = product.run(pinned)
    assert (outcome(document), gaps(document)) == (Outcome.PASS, [])


def test_a_package_that_pip_audit_skips(product: Product, pinned: Path) -> None:
    product.tool("pip-audit", "skip")
    assert inconclusive(product.run(pinned)) == {("dependencies", "pip-audit", "advisories-missing")}


@pytest.mark.parametrize("how", ["crash", "empty", "truncated"])
def test_a_pip_audit_that_breaks(product: Product, pinned: Path, how: str) -> None:
    product.tool("pip-audit", how)
    assert {lane for lane, _, _ in inconclusive(product.run(pinned))} == {"dependencies"}


def test_advisories_that_are_too_old(product: Product, pinned: Path) -> None:
    assert outcome(product.run(pinned, now=NOW + 7 * DAY)) is Outcome.PASS
    document = product.run(pinned, now=NOW + 8 * DAY)
    assert inconclusive(document) == {("dependencies", "pip-audit", "advisories-too-old")}


def test_no_advisories_at_all(product: Product, tmp_path: Path) -> None:
    document = product.run(tree(tmp_path / "pinned", {"requirements.txt": PINS}))
    assert inconclusive(document) == {("dependencies", "pip-audit", "advisories-missing")}


@pytest.mark.parametrize("name", ["poetry.lock", "uv.lock", "Pipfile.lock", "pylock.toml"])
def test_a_lock_file_that_cannot_be_read(product: Product, pinned: Path, name: str) -> None:
    (pinned / "requirements.txt").unlink()
    tree(pinned, {name: "<<<<<<< HEAD\n[[package\n"})
    assert {lane for lane, _, _ in inconclusive(product.run(pinned))} == {"dependencies"}


def test_a_range_without_a_lock(product: Product, pinned: Path) -> None:
    tree(pinned, {"requirements.txt": "made>=1.0\n"})
    assert inconclusive(product.run(pinned)) == {("dependencies", "pip-audit", "unpinned")}


def test_a_lock_of_a_language_without_advisories(product: Product, pinned: Path) -> None:
    tree(pinned, {"package-lock.json": "{}\n"})
    assert ("dependencies", "", "unsupported") in inconclusive(product.run(pinned))
