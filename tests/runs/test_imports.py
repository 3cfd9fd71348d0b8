"""SARIF files of other tools that the settings name, and what they may not claim (threat rule 7)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from secgate.errors import ConfigError
from secgate.model import Lane, Outcome
from tests.product import CLEAN, DAY, NOW, Product, gaps, outcome, tree
from tests.unit.conftest import Git

RANDOM = "q8Zk2mVx7Tn4Rw9Lp3Jc6Hd5"

GO = "package main\n\nfunc main() { run() }\n"


def result(rule: str = "G204", line: int = 3, path: str = "main.go") -> dict[str, object]:
    place = {"artifactLocation": {"uri": path}, "region": {"startLine": line}}
    message = {"text": "a command from input"}
    return {"ruleId": rule, "level": "error", "message": message, "locations": [{"physicalLocation": place}]}


def sarif(revision: str = "", path: str = "main.go", *, findings: int = 1, succeeded: bool = True) -> bytes:
    return report(*[result(path=path)] * findings, revision=revision, succeeded=succeeded)


def report(*results: object, revision: str = "", succeeded: bool = True, version: str = "2") -> bytes:
    run = {
        "tool": {"driver": {"name": "gosec", "version": version}},
        "invocations": [{"executionSuccessful": succeeded}],
        "versionControlProvenance": [{"repositoryUri": "https://example.org/r", "revisionId": revision}],
        "results": results,
    }
    return json.dumps({"version": "2.1.0", "runs": [run]}).encode()


def enforced(folder: Path, file: object, *, covers: bool = True) -> str:
    text = f'[[sarif]]\nfile = "{file}"\nlane = "sast"\ncovers = {str(covers).lower()}\n'
    return str(tree(folder / "organisation", {"enforced.toml": text}))


@pytest.fixture
def git(git: Git) -> Git:
    """A Go program that the shipped tools cannot look at, in a repository that ignores `out/`."""
    git.commit({"main.go": GO, ".gitignore": "out/\n"})
    return git


@pytest.fixture
def commit(git: Git) -> str:
    return git("rev-parse", "HEAD")


def test_go_alone_is_inconclusive(product: Product, git: Git) -> None:
    assert outcome(product.run(git.root)) is Outcome.INCONCLUSIVE


def test_the_organisations_file_of_this_commit_covers_its_lane(product: Product, git: Git, commit: str) -> None:
    tree(git.root, {"out/gosec.sarif": sarif(commit, findings=0)})
    document = product.run(git.root, enforced=enforced(product.home, "out/gosec.sarif"))
    assert (outcome(document), gaps(document)) == (Outcome.PASS, [])
    assert "sarif:out/gosec.sarif" in [one.scanner for one in document.invocations]


def test_its_findings_are_judged_like_any_other(product: Product, git: Git, commit: str) -> None:
    tree(git.root, {"out/gosec.sarif": sarif(commit)})
    document = product.run(git.root, enforced=enforced(product.home, "out/gosec.sarif"))
    assert [(f.location.path, f.severity.value) for f in document.findings] == [("main.go", "high")]
    assert outcome(document) is Outcome.FAIL


def test_findings_named_by_where_the_tree_stands_are_in_the_tree(product: Product, git: Git, commit: str) -> None:
    tree(git.root, {"out/gosec.sarif": sarif(commit, path=(git.root / "main.go").as_uri())})
    document = product.run(git.root, enforced=enforced(product.home, "out/gosec.sarif"))
    assert [f.location.path for f in document.findings] == ["main.go"]


def test_a_file_outside_of_the_tree_can_cover_too(product: Product, git: Git, commit: str) -> None:
    report = tree(product.home / "reports", {"gosec.sarif": sarif(commit, findings=0)}) / "gosec.sarif"
    document = product.run(git.root, enforced=enforced(product.home, report))
    assert outcome(document) is Outcome.PASS
    assert str(product.home) not in repr([one.scanner for one in document.invocations])


def test_threat_07_a_committed_clean_file_never_covers_a_lane(product: Product, git: Git) -> None:
    git.commit({"clean.sarif": sarif("0" * 40, findings=0)})
    tree(git.root, {"clean.sarif": sarif(git("rev-parse", "HEAD"), findings=0)})
    git("update-index", "--assume-unchanged", "clean.sarif")
    document = product.run(git.root, enforced=enforced(product.home, "clean.sarif"))
    assert outcome(document) is Outcome.INCONCLUSIVE
    assert ("claims no coverage: git tracks it",) in [one.notices for one in document.invocations]


@pytest.mark.parametrize(
    ("revision", "covers", "dirty"), [("1" * 40, True, False), ("", False, False), ("", True, True)]
)
def test_threat_07_nor_one_of_another_commit_or_without_the_organisations_word(
    product: Product, git: Git, commit: str, revision: str, *, covers: bool, dirty: bool
) -> None:
    tree(git.root, {"out/gosec.sarif": sarif(revision or commit, findings=0), **({"new.txt": "x"} if dirty else {})})
    document = product.run(git.root, enforced=enforced(product.home, "out/gosec.sarif", covers=covers))
    assert outcome(document) is Outcome.INCONCLUSIVE
    assert any("claims no coverage" in notice for one in document.invocations for notice in one.notices)


def test_threat_07_the_tree_may_not_say_that_it_covers(product: Product, git: Git) -> None:
    git.commit({"secgate.toml": '[[sarif]]\nfile = "out/gosec.sarif"\ncovers = true\n'})
    with pytest.raises(ConfigError, match="covers"):
        product.run(git.root)


def test_the_tree_may_add_findings(product: Product, git: Git) -> None:
    git.commit({"secgate.toml": '[[sarif]]\nfile = "out/gosec.sarif"\n'})
    tree(git.root, {"out/gosec.sarif": sarif()})
    document = product.run(git.root)
    assert document.decision is not None
    assert set(document.decision.all_outcomes) == {Outcome.FAIL, Outcome.INCONCLUSIVE}


@pytest.mark.parametrize("file", ["/etc/hostname", "../outside.sarif", "out/../../x"])
def test_the_tree_names_no_file_outside_of_itself(product: Product, git: Git, file: str) -> None:
    git.commit({"secgate.toml": f'[[sarif]]\nfile = "{file}"\n'})
    with pytest.raises(ConfigError, match="leads out of the tree"):
        product.run(git.root)


def test_a_link_is_not_followed(product: Product, git: Git) -> None:
    git.commit({"secgate.toml": '[[sarif]]\nfile = "out/gosec.sarif"\n'})
    (git.root / "out").mkdir()
    (git.root / "out" / "gosec.sarif").symlink_to("/etc/hostname")
    document = product.run(git.root)
    assert [gap.reason for gap in gaps(document) if gap.tool.startswith("sarif:")] == ["tool-missing"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "tool-missing"),
        (b"not json", "output-unreadable"),
        (sarif(succeeded=False), "tool-crashed"),
        (b'{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "x"}}}]}', "output-unreadable"),
        (sarif(path="gone.go"), "output-unreadable"),
    ],
    ids=["absent", "not-json", "failed", "no-results", "unknown-file"],
)
def test_a_file_that_says_nothing_is_a_gap(
    product: Product, tmp_path: Path, content: bytes | None, reason: str
) -> None:
    root = tree(tmp_path / "plain", {"app.py": CLEAN, "secgate.toml": '[[sarif]]\nfile = "other.sarif"\n'})
    tree(root, {"other.sarif": content} if content is not None else {})
    document = product.run(root)
    assert outcome(document) is Outcome.INCONCLUSIVE
    assert [(gap.lane, gap.reason) for gap in gaps(document)] == [(Lane.SAST, reason)]


def test_results_in_untouched_files_are_passed_over_in_a_change(product: Product, git: Git) -> None:
    git.commit({"secgate.toml": '[[sarif]]\nfile = "out/gosec.sarif"\n'})
    git.commit({"app.py": CLEAN})
    tree(git.root, {"out/gosec.sarif": sarif()})
    document = product.run(git.root, changed_since="HEAD~1")
    assert (outcome(document), document.findings) == (Outcome.PASS, ())
    assert any("1 result lies in files" in notice for one in document.invocations for notice in one.notices)


def test_an_import_that_covers_nothing_closes_no_clock(product: Product, git: Git) -> None:
    git.commit({"main.go": GO, "app.py": CLEAN, "secgate.toml": '[[sarif]]\nfile = "out/gosec.sarif"\n'})
    tree(git.root, {"out/gosec.sarif": sarif(path="app.py")})
    first = product.run(git.root, scope="protected")
    tree(git.root, {"out/gosec.sarif": sarif(findings=0)})
    second = product.run(git.root, scope="protected", now=NOW + DAY)
    assert (len(first.findings), second.absent) == (1, ())


TWO = "def one(x):\n    return danger(x)\n\n\ndef other(y):\n    return risky(y)\n"


def test_a_report_of_a_newer_version_makes_nothing_old_new(product: Product, git: Git) -> None:
    git.commit({"app.py": TWO, "secgate.toml": '[[sarif]]\nfile = "out/gosec.sarif"\n'})

    def states(day: int, version: str, *results: object) -> list[tuple[int, str, bool]]:
        tree(git.root, {"out/gosec.sarif": report(*results, version=version)})
        document = product.run(git.root, scope="protected", now=NOW + day * DAY)
        begun = int(NOW.timestamp())
        return [
            (one.location.region.start_line, one.state.value, one.first_seen_epoch_s == begun)
            for one in document.findings
            if one.witnesses[0].scanner.startswith("sarif:")
        ]

    def at(line: int, rule: str = "G204") -> dict[str, object]:
        return result(rule, line, "app.py")

    assert states(0, "2", at(2)) == [(2, "new", False)]
    assert states(1, "3", at(2, "G999")) == [(2, "unchanged", True)], "a rule renamed by the upgrade"
    assert states(2, "4", at(2, "G999"), at(6)) == [(2, "unchanged", True), (6, "newly-detectable", False)]
    git.commit({"app.py": TWO.replace("danger(x)", "danger(x, 1)") + "\n\ndef fresh(z):\n    return risky(z, z)\n"})
    seen = states(3, "5", at(2, "G999"), at(6), at(10))
    assert seen == [(2, "updated", True), (6, "unchanged", False), (10, "new", False)]


def own_form(folder: Path, data: bytes, lane: str) -> None:
    tree(folder, {"secgate.toml": f'[[sarif]]\nfile = "out/report.json"\nlane = "{lane}"\n', "out/report.json": data})


def test_a_tool_s_own_json_joins_without_code(product: Product, git: Git) -> None:
    git.commit({"keys.py": f'x = 1\nkey = "{RANDOM}"\n'})
    leak = {"RuleID": "github-pat", "Match": "m", "Secret": RANDOM, "File": "keys.py"}
    own_form(Path(git.root), json.dumps([leak | {"StartLine": 2}]).encode(), "secrets")
    git.commit()
    document = product.run(git.root)
    found = [one for one in document.findings if one.location.path == "keys.py"]
    assert "sarif:out/report.json" in {witness.scanner for one in found for witness in one.witnesses}
    assert "gitleaks JSON" in {one.rule_pack for one in document.invocations}
    assert "q8Zk2mVx7Tn4Rw9Lp3Jc6Hd5" not in repr(document)


def test_npm_s_error_is_a_gap_and_no_clean_report(product: Product, git: Git) -> None:
    own_form(Path(git.root), b'{"message": "405", "statusCode": 405, "error": {"summary": ""}}', "dependencies")
    git.commit()
    assert ("sarif:out/report.json", "output-unreadable") in {
        (gap.tool, gap.reason) for lane in product.run(git.root).coverage.lanes for gap in lane.gaps
    }
