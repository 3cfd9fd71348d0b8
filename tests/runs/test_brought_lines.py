"""Where a note may stand: on lines of a finding that the change brought, and nowhere else."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest

from secgate.model import Finding, Region, Source, State, Target
from secgate.pipeline.lines import MAX_FILES, brought_lines
from tests.factories import finding, location, target
from tests.product import CLEAN, WEAK, Product
from tests.unit.conftest import Git

OLD = "".join(f"line {number}\n" for number in range(1, 11))


@pytest.fixture
def changed(git: Git) -> Git:
    """Lines 3 and 8 of a.py are new."""
    git.commit({"a.py": OLD})
    git.commit({"a.py": OLD.replace("line 3\n", "new\n").replace("line 8\n", "new\n")})
    return git


def at(start: int, end: int = 0, name: str = "sql", path: str = "a.py", **changes: Any) -> Finding:
    place = msgspec.structs.replace(location(path), region=Region(start_line=start, end_line=end))
    return finding(name, location=place, witnesses=(), state=State.NEW, **changes)


def judged(git: Git, **changes: Any) -> Target:
    facts: dict[str, Any] = {"base_commit": git("rev-parse", "HEAD~1"), "commit": git("rev-parse", "HEAD")}
    return target(**{**facts, "source": Source.WORK_TREE, "changed": ("a.py",), "renames": (), **changes})


def lines(git: Git, one: Finding, **changes: Any) -> tuple[int, int] | None:
    return brought_lines([one], judged(git, **changes), git.open()).get(one.fingerprint)


@pytest.mark.parametrize(
    ("start", "end", "wanted"),
    [(3, 3, (3, 3)), (1, 10, (3, 3)), (2, 3, (3, 3)), (4, 7, None), (8, 0, (8, 8)), (11, 12, None), (0, 0, None)],
)
def test_a_note_stands_on_the_first_new_line_of_a_finding(
    changed: Git, start: int, end: int, wanted: tuple[int, int] | None
) -> None:
    assert lines(changed, at(start, end)) == wanted


@pytest.mark.parametrize("state", [State.UNCHANGED, State.NEWLY_DETECTABLE])
def test_what_the_change_did_not_bring_has_no_note(changed: Git, state: State) -> None:
    assert lines(changed, msgspec.structs.replace(at(3), state=state)) is None


def test_text_of_a_commit_that_is_gone_has_no_note(changed: Git) -> None:
    gone = at(3)
    place = msgspec.structs.replace(gone.location, commit="77aa88bb99cc")
    assert lines(changed, msgspec.structs.replace(gone, location=place)) is None


def test_without_a_change_or_a_repository_there_is_no_note(changed: Git) -> None:
    assert lines(changed, at(3), changed=None) is None
    assert brought_lines([at(3)], judged(changed), None) == {}


def test_a_file_that_git_does_not_know_yet_is_new_as_a_whole(changed: Git) -> None:
    changed.write({"b.py": OLD})
    assert lines(changed, at(4, 5, path="b.py"), changed=("a.py", "b.py")) == (4, 5)


def test_many_files_cost_no_more_than_some(changed: Git) -> None:
    many = [at(3, name=str(number), path=f"f{number}.py") for number in range(MAX_FILES + 50)]
    repository = changed.open()
    before = len(changed.runner.started)
    brought_lines(many, judged(changed, changed=tuple(one.location.path for one in many)), repository)
    assert len(changed.runner.started) - before <= MAX_FILES + 1


def test_a_run_keeps_them(product: Product, git: Git) -> None:
    git.commit({"app.py": CLEAN, "old.py": WEAK})
    git("switch", "--quiet", "-c", "f")
    git.commit({"app.py": WEAK, "old.py": WEAK + "\n\n# more\n"})
    git.write({"more.py": WEAK})
    document = product.run(git.root, changed_since="main")
    found = {one.location.path: document.brought_lines.get(one.fingerprint) for one in document.findings}
    assert found == {"app.py": (2, 2), "more.py": (2, 2), "old.py": None}


def test_a_partial_clone_has_fewer_notes_and_the_same_answer(changed: Git, tmp_path: Path) -> None:
    changed("config", "uploadpack.allowFilter", "true")
    place = tmp_path / "partial"
    subprocess.run(["git", "clone", "--quiet", "--filter=blob:none", f"file://{changed.root}", str(place)], check=True)
    partial = Git(place, changed.scratch / "partial", changed.runner)
    assert brought_lines([at(3)], judged(changed), partial.open()) == {}
