"""Whole runs: who chooses the profile, what a folder may choose, and what nobody below the organisation weakens."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from secgate.errors import ConfigError, UsageError
from secgate.model import Lane, Outcome, RunDocument
from secgate.pipeline import render
from tests.product import CLEAN, WEAK, Product, outcome, tree
from tests.unit.conftest import Git

PROFILE = {"without_tools": [], "older_gaps": "warn", "advisories_max_age_s": 604800, "reference_engines": []}
OWN = {
    "profiles": {
        "version": 1,
        "named": {
            "quick": {**PROFILE, "lanes": ["secrets"]},
            "code": {**PROFILE, "lanes": ["sast", "secrets"]},
            "strict": {**PROFILE, "lanes": [lane.value for lane in Lane], "older_gaps": "inconclusive"},
        },
    }
}


def organisation(product: Product, settings: str) -> str:
    files = {"enforced.toml": settings, "data/profiles.json": json.dumps(OWN)}
    return str(tree(product.home / "organisation", files))


def asked(document: RunDocument) -> list[str]:
    return [lane.lane.value for lane in document.coverage.lanes if lane.asked]


@pytest.mark.parametrize(
    ("name", "lanes"),
    [
        ("pre-commit", ["iac", "sast", "secrets", "workflows"]),
        ("pull-request", ["dependencies", "iac", "sast", "secrets", "workflows"]),
        ("release", ["dependencies", "iac", "sast", "secrets", "workflows"]),
        ("audit", ["dependencies", "iac", "sast", "secrets", "workflows"]),
    ],
)
def test_the_shipped_profiles_and_the_outcome_prints_which(
    product: Product, git: Git, name: str, lanes: list[str]
) -> None:
    git.commit({"app.py": CLEAN, "secgate.toml": f'profile = "{name}"\n'})
    document = product.run(git.root)
    assert (sorted(asked(document)), outcome(document)) == (lanes, Outcome.PASS)
    for form in ("text", "html"):
        assert f"profile {name}, scope local" in render(document, form, width=80, colour=False).data.decode()


def test_a_tree_chooses_among_the_organisations_profiles(product: Product, git: Git) -> None:
    git.commit({"app.py": CLEAN, "secgate.toml": 'profile = "strict"\n'})
    enforced = organisation(product, 'least_profile = "code"\n')
    document = product.run(git.root, enforced=enforced)
    assert document.decision is not None
    assert (document.decision.profile, len(asked(document))) == ("strict", 5)


@pytest.mark.parametrize("settings", ['profile = "quick"\n', '[folders."app"]\nprofile = "quick"\n'])
def test_a_weaker_profile_than_the_least_is_refused_and_says_in_what(product: Product, git: Git, settings: str) -> None:
    git.commit({"app/app.py": WEAK, "secgate.toml": settings})
    enforced = organisation(product, 'least_profile = "code"\n')
    with pytest.raises(ConfigError, match="does not ask for sast"):
        product.run(git.root / "app", enforced=enforced)


def test_so_is_one_from_the_command_line_and_a_least_one_that_is_not_there(product: Product, git: Git) -> None:
    git.commit({"app.py": WEAK})
    enforced = organisation(product, 'least_profile = "code"\n')
    with pytest.raises(ConfigError, match="command line"):
        product.run(git.root, enforced=enforced, profile="quick")
    with pytest.raises(UsageError, match="no profile `gone`"):
        product.run(git.root, enforced=organisation(product, 'least_profile = "gone"\n'), profile="code")


def test_what_the_organisation_sets_stands_and_the_attempt_is_said(product: Product, git: Git) -> None:
    git.commit({"app.py": WEAK, "secgate.toml": 'jobs = 2\nprofile = "quick"\n'})
    document = product.run(git.root, enforced=organisation(product, 'profile = "code"\n'))
    assert (outcome(document), sorted(asked(document))) == (Outcome.FAIL, ["sast", "secrets"])
    said = "secgate.toml:2: `profile` counts for nothing, the enforced layer sets it otherwise"
    assert said in document.notes


def test_a_lock_refuses_what_would_hide_a_file(product: Product, git: Git) -> None:
    enforced = organisation(product, 'profile = "code"\nlocked = ["exclude"]\n')
    for settings in ('exclude = ["app.py"]\n', '[folders.lib]\nexclude = ["*"]\n'):
        git.commit({"app.py": WEAK, "lib/a.py": WEAK, "secgate.toml": settings})
        ended = product.cli("run", str(git.root), "--enforced", enforced)
        assert (ended.code, "is locked by the enforced layer" in ended.err) == (2, True)


def test_the_innermost_folder_chooses_the_profile_of_its_runs(product: Product, git: Git) -> None:
    settings = '[folders.apps]\nprofile = "release"\n[folders."apps/pay"]\nprofile = "audit"\n'
    git.commit({"apps/pay/app.py": CLEAN, "apps/shop/app.py": CLEAN, "appsend/a.py": CLEAN, "secgate.toml": settings})
    chosen = {}
    for folder in ("apps/pay", "apps/shop", "appsend", "."):
        decision = product.run(git.root / folder).decision
        assert decision is not None
        chosen[folder] = decision.profile
    assert chosen == {"apps/pay": "audit", "apps/shop": "release", "appsend": "pull-request", ".": "pull-request"}
    by_hand = product.run(git.root / "apps/pay", profile="pre-commit").decision
    assert by_hand is not None
    assert by_hand.profile == "pre-commit"


def test_what_a_folder_leaves_out_is_below_it_alone(product: Product, git: Git) -> None:
    git.commit({"secgate.toml": '[folders.lib]\nexclude = ["gen.py", "old/*.py"]\n'})
    git.commit(dict.fromkeys(("gen.py", "lib/gen.py", "lib/a/gen.py", "lib/old/b.py", "lib/a/old/b.py"), WEAK))
    document = product.run(git.root)
    out = {one.path for one in document.coverage.left_out if one.reason == "excluded"}
    assert out == {"lib/gen.py", "lib/a/gen.py", "lib/old/b.py"}


@pytest.mark.parametrize(
    ("settings", "profile", "told"),
    [
        ('exclude = ["**"]\n', "pull-request", Outcome.INCONCLUSIVE),
        ('[folders.lib]\nexclude = ["*"]\n', "pull-request", Outcome.PASS),
        ('exclude = ["*.py"]\n', "pull-request", Outcome.PASS),
        ('exclude = ["*.py"]\n', "release", Outcome.INCONCLUSIVE),
    ],
)
def test_a_gate_that_the_tree_tells_to_look_at_nothing_says_so(
    product: Product, git: Git, settings: str, profile: str, told: Outcome
) -> None:
    git.commit({"lib/app.py": WEAK, "secgate.toml": settings})
    document = product.run(git.root, profile=profile)
    (sast,) = [one for one in document.coverage.lanes if one.lane is Lane.SAST]
    assert (outcome(document), [gap.reason for gap in sast.gaps]) == (told, ["excluded"])
    assert "excluded by" in render(document, "text", width=80, colour=False).data.decode()
    own = f'profile = "code"\n{settings}'
    document = product.run(git.root, profile="code", enforced=organisation(product, own))
    assert outcome(document) is Outcome.PASS


def test_threat_02_a_change_does_not_choose_for_its_folder(product: Product, git: Git) -> None:
    git.commit({"lib/a.py": CLEAN, "secgate.toml": ""})
    git("switch", "--quiet", "-c", "feature")
    git.commit({"lib/a.py": WEAK, "secgate.toml": '[folders.lib]\nexclude = ["*"]\nprofile = "pre-commit"\n'})
    document = product.run(git.root / "lib", changed_since="main")
    assert (outcome(document), document.decision and document.decision.profile) == (Outcome.FAIL, "pull-request")
    assert document.target.gate_changes == ("secgate.toml",)


def test_a_folder_that_is_none_is_a_fault_with_its_line(product: Product, tmp_path: Path) -> None:
    root = tree(tmp_path / "plain", {"a.py": CLEAN, "secgate.toml": 'version = 1\n[folders."../up"]\n'})
    ended = product.cli("run", str(root))
    assert (ended.code, "secgate.toml:2" in ended.err, "no folder of the tree" in ended.err) == (2, True, True)


POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 12\n"


def held(product: Product, git: Git, settings: str, *, root: str = "pull-request", enforced: str = "") -> RunDocument:
    """Judge a change in a tree whose folder `pay` may be held to more; in each folder is a file that is not there."""
    settings = f'profile = "{root}"\n{settings}'
    git.commit({"pay/a.py": POINTER, "shop/a.py": POINTER, "secgate.toml": settings})
    git.commit({"note.txt": settings})
    return product.run(git.root, changed_since="HEAD~1", enforced=enforced)


def gaps(document: RunDocument) -> set[tuple[str, str]]:
    return {(gap.path, gap.profile) for lane in document.coverage.lanes if lane.asked for gap in lane.gaps}


PAY = '[folders.pay]\nprofile = "release"\n'
BOTH = {("pay/a.py", ""), ("shop/a.py", "")}


def test_a_folder_is_held_to_its_profile_where_the_whole_tree_is_scanned(product: Product, git: Git) -> None:
    alike = held(product, git, "")
    assert (outcome(alike), gaps(alike)) == (Outcome.PASS, BOTH)
    document = held(product, git, PAY)
    assert (outcome(document), gaps(document)) == (Outcome.INCONCLUSIVE, {("pay/a.py", "release"), ("shop/a.py", "")})
    assert document.decision is not None
    assert document.decision.profile == "pull-request"
    reasons = [said.reason for one in document.decision.verdicts for said in one.said if said.word == "inconclusive"]
    assert [("pay/a.py" in reason, "shop/a.py" in reason) for reason in reasons] == [(True, False)] * len(reasons)
    assert reasons
    assert "the folder pay is held to the profile release as well" in document.notes


def test_a_folder_cannot_ask_for_less_than_the_run(product: Product, git: Git) -> None:
    weaker = '[folders.pay]\nprofile = "pull-request"\n'
    document = held(product, git, weaker, root="release")
    assert outcome(document) is Outcome.INCONCLUSIVE
    by_the_organisation = organisation(product, 'profile = "strict"\n')
    document = held(product, git, '[folders.pay]\nprofile = "quick"\n', enforced=by_the_organisation)
    assert (outcome(document), gaps(document)) == (Outcome.INCONCLUSIVE, BOTH)


def test_lanes_that_a_folder_adds_are_asked_for_there_alone(product: Product, git: Git) -> None:
    enforced = organisation(product, "")
    git.commit(
        {"pay/a.py": WEAK, "shop/a.py": WEAK, "secgate.toml": 'profile = "quick"\n[folders.pay]\nprofile = "code"\n'}
    )
    document = product.run(git.root, enforced=enforced)
    assert sorted(asked(document)) == ["sast", "secrets"]
    offered = {lane.lane: lane.offered for lane in document.coverage.lanes}
    assert (offered[Lane.SAST], offered[Lane.SECRETS]) == (1, 3)
    assert [one.location.path for one in document.findings] == ["pay/a.py"]
    assert outcome(document) is Outcome.FAIL


def test_a_profile_of_a_folder_that_is_not_there_is_said_before_anything_is_judged(product: Product, git: Git) -> None:
    git.commit({"pay/a.py": CLEAN, "secgate.toml": '[folders.pay]\nprofile = "strct"\n'})
    with pytest.raises(UsageError, match="no profile `strct`"):
        product.run(git.root)
