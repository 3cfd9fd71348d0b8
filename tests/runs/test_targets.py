"""What can be gated: every kind of tree that people have."""

from __future__ import annotations

from pathlib import Path

import pytest

from secgate.errors import IncompleteTargetError, TargetError
from secgate.model import Lane, Outcome
from secgate.preparation import Place, prepared_at
from tests.product import CLEAN, NOW, WEAK, Product, gaps, offered, outcome, states, tree
from tests.unit.conftest import Git


def test_a_plain_directory(product: Product, tmp_path: Path) -> None:
    document = product.run(tree(tmp_path / "plain", {"app.py": WEAK}))
    assert (outcome(document), states(document)) == (Outcome.FAIL, ["new"])
    assert document.target.kind == "plain"


def test_a_clean_plain_directory_passes(product: Product, tmp_path: Path) -> None:
    document = product.run(tree(tmp_path / "plain", {"app.py": CLEAN}))
    assert (outcome(document), gaps(document)) == (Outcome.PASS, [])


def test_a_git_work_tree(product: Product, git: Git) -> None:
    commit = git.commit({"app.py": WEAK, ".gitignore": "build/\n", "build/made.py": WEAK})
    document = product.run(git.root)
    assert [finding.location.path for finding in document.findings] == ["app.py"]
    assert (document.target.commit, document.target.dirty) == (commit, False)


def test_a_dirty_tree_is_never_recorded_as_its_commit(product: Product, git: Git) -> None:
    git.commit({"app.py": CLEAN})
    git.write({"app.py": WEAK})
    document = product.run(git.root)
    assert (outcome(document), document.target.dirty) == (Outcome.FAIL, True)


def test_a_linked_worktree_shares_its_ledger(product: Product, git: Git, tmp_path: Path) -> None:
    git.commit({"app.py": CLEAN})
    git("worktree", "add", "--quiet", str(tmp_path / "linked"), "-b", "other")
    first, second = product.run(git.root), product.run(tmp_path / "linked")
    assert (outcome(second), second.target.ref) == (Outcome.PASS, "refs/heads/other")
    assert first.ledger == second.ledger
    assert str(git.root / ".git") in second.ledger


def test_a_shallow_clone_says_what_is_missing_and_how_to_fetch_it(product: Product, git: Git, tmp_path: Path) -> None:
    git.commit({"app.py": CLEAN})
    git("switch", "--quiet", "-c", "feature")
    git.commit({"app.py": WEAK})
    git("clone", "--quiet", "--depth=1", "--branch=feature", f"file://{git.root}", str(tmp_path / "shallow"))
    with pytest.raises(IncompleteTargetError) as caught:
        product.run(tmp_path / "shallow", changed_since="main")
    assert caught.value.exit_code == 3
    assert "git fetch --unshallow origin" in caught.value.remedy


def test_a_shallow_clone_is_scanned_whole(product: Product, git: Git, tmp_path: Path) -> None:
    git.commit({"app.py": CLEAN})
    git.commit({"more.py": WEAK})
    git("clone", "--quiet", "--depth=1", f"file://{git.root}", str(tmp_path / "shallow"))
    document = product.run(tmp_path / "shallow")
    assert (outcome(document), document.target.shallow) == (Outcome.FAIL, True)


def test_a_subdirectory_names_paths_from_the_repository_root(product: Product, git: Git) -> None:
    git.commit({"app.py": WEAK, "service/app.py": WEAK})
    document = product.run(git.root / "service")
    assert [finding.location.path for finding in document.findings] == ["service/app.py"]
    assert document.target.prefix == "service"


def test_a_tree_without_code_passes_and_has_its_texts_searched(product: Product, tmp_path: Path) -> None:
    document = product.run(tree(tmp_path / "words", {"README.md": "# words\n"}))
    assert outcome(document) is Outcome.PASS
    assert (offered(document), offered(document, Lane.SECRETS)) == (0, 1)


def test_an_empty_directory_passes_and_starts_no_scanner(product: Product, tmp_path: Path) -> None:
    document = product.run(tree(tmp_path / "empty-tree", {}))
    assert outcome(document) is Outcome.PASS
    assert not any(product.calls(name) for name in ("bandit", "semgrep", "kingfisher", "detect-secrets"))


def test_a_repository_without_a_commit(product: Product, git: Git) -> None:
    git.write({"app.py": WEAK})
    document = product.run(git.root)
    assert (outcome(document), document.target.commit) == (Outcome.FAIL, "")


def test_a_scanner_that_is_not_named_is_never_started(product: Product, tmp_path: Path) -> None:
    document = product.run(tree(tmp_path / "plain", {"app.py": CLEAN}), scanners=("bandit",))
    assert outcome(document) is Outcome.INCONCLUSIVE
    assert {gap.reason for gap in gaps(document)} == {"not-selected"}
    assert (len(product.calls("bandit")), product.calls("semgrep")) == (1, [])


def test_an_empty_changed_set_scans_nothing_and_says_so(product: Product, git: Git) -> None:
    git.commit({"app.py": WEAK})
    document = product.run(git.root, changed_since="HEAD")
    assert (outcome(document), document.target.changed) == (Outcome.PASS, ())
    assert product.calls("semgrep") == []
    ended = product.cli("run", str(git.root), "--changed-since", "HEAD")
    assert (ended.code, "nothing" in ended.out.lower()) == (0, True)


def test_a_reference_that_is_not_there_is_a_usage_error(product: Product, git: Git) -> None:
    git.commit({"app.py": CLEAN})
    with pytest.raises(TargetError, match="there is no commit 'gone'"):
        product.run(git.root, changed_since="gone")


def test_staged_reads_the_index_and_not_the_work_tree(product: Product, git: Git) -> None:
    git.commit({"app.py": CLEAN})
    git.write({"app.py": WEAK})
    git("add", "app.py")
    git.write({"app.py": CLEAN, "more.py": WEAK})
    document = product.run(git.root, staged=True)
    assert (outcome(document), [f.location.path for f in document.findings]) == (Outcome.FAIL, ["app.py"])


def test_staged_does_not_see_what_is_not_staged(product: Product, git: Git) -> None:
    git.commit({"app.py": CLEAN})
    git.write({"note.txt": "x\n"})
    git("add", "note.txt")
    git.write({"app.py": WEAK})
    assert outcome(product.run(git.root, staged=True)) is Outcome.PASS


def test_a_manifest_change_asks_for_the_dependencies_lane(product: Product, git: Git) -> None:
    git.commit({"app.py": CLEAN, "requirements.txt": "made==1.0\n"})
    git.commit({"app.py": CLEAN + "\n"})
    without = product.run(git.root, changed_since="HEAD~1")
    git.commit({"requirements.txt": "made==1.1\n"})
    assert (offered(without, Lane.DEPENDENCIES), product.calls("pip-audit")) == (0, [])
    assert offered(product.run(git.root, changed_since="HEAD~1"), Lane.DEPENDENCIES) == 1


def test_what_asks_the_ledger_alone_lists_no_file_of_the_tree(product: Product, tmp_path: Path) -> None:
    folder = tree(tmp_path / "plain", {"app.py": CLEAN})
    assert outcome(product.run(folder)) is Outcome.PASS
    with prepared_at(Place(path=str(folder)), machine=product.machine(), now=NOW) as (prepared, chosen, _):
        assert (prepared.target.files, prepared.target.left_out) == ((), ())
        assert chosen is not None
        assert chosen.ledger.exists()
    assert "sast         covered         1 of 1 file" in product.cli("show", cwd=folder).out
