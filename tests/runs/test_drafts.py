"""Settings that were edited and are not committed: never obeyed, and never passed over in silence (threat rule 2)."""

from __future__ import annotations

import pytest

from secgate.pipeline import RunRequest
from secgate.pipeline.configuring import shown_settings
from tests.product import CLEAN, NOW, WEAK, Product
from tests.unit.conftest import Git


def notes(product: Product, git: Git) -> str:
    """Give what `secgate config show` says beside the settings."""
    shown = shown_settings(RunRequest(path=str(git.root)), machine=product.machine(), now=NOW)
    return "\n".join(shown.notes)


COUNTS = "is not obeyed: no edit chooses its judge, so commit "


@pytest.mark.parametrize("form", ["text", "json"])
def test_an_edit_is_told_before_anything_is_scanned_and_in_the_run(product: Product, git: Git, form: str) -> None:
    git.commit({"app.py": WEAK, "secgate.toml": "jobs = 3\n"})
    git.write({"secgate.toml": 'exclude = ["app.py"]\n'})
    ended = product.cli("run", "--format", form, cwd=git.root, at=None)
    said, *rest = ended.err.splitlines()
    assert said.startswith(f"secgate: secgate.toml of the work tree {COUNTS}")
    assert said.endswith("counts until it is committed")
    assert rest, "progress comes after it"
    assert "It is wrong" not in ended.err
    assert "no edit chooses its judge" in ended.out
    assert "app.py" in ended.out, "the edit is not obeyed"


def test_a_wrong_edit_is_told_with_place_and_remedy_and_judged_all_the_same(product: Product, git: Git) -> None:
    git.commit({"app.py": CLEAN, "secgate.toml": "jobs = 3\n"})
    git.write({"secgate.toml": 'jobs = 3\nprofil = "x"\nmode = "observe"\n'})
    ended = product.cli("run", "--format", "json", cwd=git.root, at=None)
    assert ended.code == 0
    said = next(line for line in ended.err.splitlines() if COUNTS in line)
    assert "It is wrong too: secgate.toml:2: unknown key `profil` (try: did you mean `profile`?), and 1 fault" in said
    git.write({"secgate.toml": "jobs = [\n"})
    assert "It is wrong too: secgate.toml: not valid TOML" in product.cli("run", cwd=git.root, at=None).err


@pytest.mark.parametrize(
    ("committed", "lying", "said"),
    [
        ({"secgate.toml": "jobs = 3\n"}, {"secgate.toml": "# why\njobs = 3\n"}, ""),
        ({"pyproject.toml": "[project]\n"}, {"pyproject.toml": "[project]\nname = 'x'\n"}, ""),
        ({"pyproject.toml": "[tool.ruff]\n"}, {"pyproject.toml": "no TOML"}, ""),
        ({}, {"secgate.toml": "jobs = 3\n"}, "secgate.toml is not in commit "),
        ({}, {"secgate.toml": "jbs = 3\n"}, "did you mean `jobs`?"),
        (
            {"pyproject.toml": "[tool.secgate]\njobs = 3\n"},
            {"pyproject.toml": "[tool.secgate]\njobs = 4\n"},
            f"pyproject.toml [tool.secgate] of the work tree {COUNTS}",
        ),
        (
            {"pyproject.toml": "[tool.secgate]\njobs = 3\n"},
            {"pyproject.toml": "[tool.secgate]\n"},
            f"pyproject.toml [tool.secgate] of the work tree {COUNTS}",
        ),
    ],
)
def test_what_says_the_same_is_not_told(
    product: Product, git: Git, committed: dict[str, str], lying: dict[str, str], said: str
) -> None:
    git.commit({"app.py": CLEAN, **committed})
    git.write(dict(lying))
    told = notes(product, git)
    assert (said in told) if said else told == ""


def test_settings_that_are_gone_or_a_link_still_count(product: Product, git: Git) -> None:
    git.commit({"app.py": CLEAN, "secgate.toml": "jobs = 3\n"})
    (git.root / "secgate.toml").unlink()
    assert "still counts" in notes(product, git)
    (git.root / "secgate.toml").symlink_to("/etc/passwd")
    told = notes(product, git)
    assert ("still counts" in told, "root" in told) == (True, False)


@pytest.mark.parametrize("command", [("run", "--staged"), ("hook", "--profile", "pre-commit", "secgate.toml")])
def test_wrong_settings_are_not_committed_past_a_hook(product: Product, git: Git, command: tuple[str, ...]) -> None:
    git.commit({"app.py": CLEAN})
    git.write({"secgate.toml": 'profile = "relaese"\n'})
    git("add", "--all")
    git.write({"secgate.toml": "jobs = 3\n"})
    ended = product.cli(*command, cwd=git.root, at=None)
    assert ended.code == 2, "what is staged counts, not what lies there"
    assert "1 fault in the configuration that is staged" in ended.err
    assert "there is no profile `relaese`" in ended.err
    assert "did you mean `release`?" in ended.err
    git("add", "--all")
    ended = product.cli(*command, cwd=git.root, at=None)
    assert (ended.code, "secgate.toml is not in commit" in ended.out) == (0, True), ended


def test_a_change_hears_that_its_settings_would_be_wrong(product: Product, git: Git) -> None:
    base = git.commit({"app.py": CLEAN, "secgate.toml": "jobs = 3\n"})
    git("switch", "--quiet", "-c", "feature")
    git.commit({"secgate.toml": "jobs = -1\n"})
    ended = product.cli("run", "--changed-since", "main", cwd=git.root, at=None)
    assert f"so commit {base[:12]} counts until it is merged. It is wrong too: secgate.toml:1: `jobs`" in ended.err
