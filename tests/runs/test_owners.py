"""Whole runs: who owns what was found, by the CODEOWNERS that the change cannot edit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from secgate.owners import MAX_BYTES
from secgate.pipeline import render
from tests.product import WEAK, Product, tree
from tests.unit.conftest import Git

PEOPLE = 'version = 1\n[people.p-1]\nemails = ["ada@example.org"]\nroles = ["approver"]\n'


def owner(product: Product, root: Path, **options: Any) -> list[str]:
    return [finding.owner for finding in product.run(root, **options).findings]


@pytest.mark.parametrize("place", [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"])
def test_every_place_is_read(product: Product, git: Git, place: str) -> None:
    git.commit({"app.py": WEAK, place: "*.py @acme/shop\n"})
    assert owner(product, git.root) == ["@acme/shop"]


def test_the_first_place_counts_alone(product: Product, git: Git) -> None:
    git.commit({"app.py": WEAK, "CODEOWNERS": "*.py @acme/shop\n", ".github/CODEOWNERS": "*.js @acme/web\n"})
    assert owner(product, git.root) == [""]


def test_a_finding_shows_its_owner_in_every_form_without_a_waiver_or_a_ledger(product: Product, git: Git) -> None:
    git.commit({"app.py": WEAK, "CODEOWNERS": "* @acme/all\n*.py @acme/shop ada@example.org bo@example.org\n"})
    organisation = tree(product.home / "organisation", {"people.toml": PEOPLE, "enforced.toml": "version = 1\n"})
    product.env["SECGATE_LEDGER_STORE"] = "none"
    document = product.run(git.root, enforced=str(organisation))
    said = "@acme/shop p-1 CODEOWNERS:2"
    for form in ("text", "json", "html"):
        shown = render(document, form, width=80, colour=False).data.decode()
        assert (said in shown, "example.org" in shown) == (True, False)


def test_threat_02_a_change_does_not_choose_its_owners(product: Product, git: Git) -> None:
    git.commit({"CODEOWNERS": "*.py @acme/shop\n"})
    git("switch", "--quiet", "-c", "feature")
    git.commit({"app.py": WEAK, "CODEOWNERS": "*.py @mallory/me\n", ".github/CODEOWNERS": "*.py @mallory/me\n"})
    assert owner(product, git.root, changed_since="main") == ["@acme/shop"]
    assert owner(product, git.root, staged=False, scope="local") == ["@mallory/me"]


def test_an_edit_that_is_not_committed_names_nobody(product: Product, git: Git) -> None:
    git.commit({"app.py": WEAK})
    git.write({"CODEOWNERS": "*.py @mallory/me\n"})
    assert owner(product, git.root) == [""]


def test_a_policy_decides_by_owner(product: Product, git: Git) -> None:
    policy = (
        "package secgate.rules.unowned\n\n"
        'deny contains {"finding": f.fingerprint, "reason": "nobody owns it"} if {\n'
        '\tsome f in input.findings\n\tf.owner == ""\n}\n'
    )
    organisation = tree(product.home / "organisation", {"policies/unowned.rego": policy})
    git.commit({"a.py": WEAK, "b.py": WEAK, "CODEOWNERS": "/a.py @acme/shop\n"})
    decision = product.run(git.root, enforced=str(organisation)).decision
    assert decision is not None
    denied = [one for one in decision.verdicts if "data.secgate.rules.unowned" in one.all_rules]
    assert len(denied) == 1


def test_what_is_not_understood_or_too_large_is_said(product: Product, git: Git) -> None:
    git.commit({"app.py": WEAK, "CODEOWNERS": "*.py somebody\n"})
    assert any("not understood, and so nobody's, line 1" in note for note in product.run(git.root).notes)
    git.commit({"CODEOWNERS": "#" * (MAX_BYTES + 1)})
    assert any("nobody is known to own anything" in note for note in product.run(git.root).notes)


def test_threat_14_a_plain_folder_reads_no_link(product: Product, tmp_path: Path) -> None:
    outside = tree(tmp_path / "outside", {"CODEOWNERS": "* @mallory/me\n"})
    root = tree(tmp_path / "plain", {"app.py": WEAK})
    (root / ".github").symlink_to(outside)
    (root / "CODEOWNERS").symlink_to(outside / "CODEOWNERS")
    assert owner(product, root) == [""]
    tree(root, {"docs/CODEOWNERS": "* @acme/shop\n"})
    assert owner(product, root) == ["@acme/shop"]
