"""Limits by place through whole runs: what the organisation says of paths counts, what a tree says does not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from secgate.errors import ConfigError, PolicyError
from secgate.model import Outcome, RunDocument
from tests.product import DAY, NOW, WEAK, Product, outcome
from tests.unit.conftest import Git

CLASSES = 'version = 1\n[classes.web]\npaths = ["web/"]\nexposure = "internet"\n[classes.tests]\npaths = ["tests/"]\n'
EXPOSED = {"name": "exposed", "exposures": ["internet"], "severity_s": {"high": 86400}}
TESTS = {"name": "tests", "path_classes": ["tests"], "severity_s": {"high": 60 * 86400}}


class House:
    """A repository, and an organisation that says what lies where."""

    def __init__(self, product: Product, git: Git, folder: Path) -> None:
        self.product, self.git, self.folder = product, git, folder / "organisation"
        self.write(CLASSES, EXPOSED, TESTS)

    def write(self, classes: str, *places: object) -> None:
        (self.folder / "data").mkdir(parents=True, exist_ok=True)
        (self.folder / "path-classes.toml").write_text(classes)
        limits = {"critical": 86400, "high": 604800, "medium": 2592000, "low": 7776000}
        data = {"limits": {"version": 1, "severity_s": limits, "new_denied": [], "places": places}}
        (self.folder / "data" / "limits.json").write_text(json.dumps(data))

    def run(self, days: float = 0) -> RunDocument:
        return self.product.run(
            self.git.root,
            now=NOW + days * DAY,
            scope="protected",
            ref="refs/heads/main",
            enforced=str(self.folder),
        )


@pytest.fixture
def house(product: Product, git: Git, tmp_path: Path) -> House:
    return House(product, git, tmp_path)


def duties(document: RunDocument) -> set[tuple[str, int, int]]:
    start = int(NOW.timestamp())
    return {
        (duty.basis, (duty.start_epoch_s - start) // 86400, duty.limit_s // 86400)
        for finding in document.findings
        for duty in finding.obligations
    }


def test_each_place_has_its_limit(house: House) -> None:
    house.git.commit({"web/app.py": WEAK, "tests/app.py": WEAK, "app.py": WEAK})
    assert duties(house.run()) == {
        ("severity:high:exposed", 0, 1),
        ("severity:high:tests", 0, 60),
        ("severity:high", 0, 7),
    }
    second = 1 / 86400
    assert [outcome(house.run(days)) for days in (1, 1 + second)] == [Outcome.PASS, Outcome.FAIL]


def test_what_moves_to_a_stricter_place_counts_from_then(house: House) -> None:
    house.git.commit({"tests/app.py": WEAK})
    house.run()
    house.git("mv", "tests", "web")
    house.git.commit()
    assert duties(house.run(3)) == {("severity:high:tests", 0, 60), ("severity:high:exposed", 3, 1)}
    assert [outcome(house.run(days)) for days in (4, 4.1)] == [Outcome.PASS, Outcome.FAIL]


def test_what_moves_to_a_milder_place_gains_nothing(house: House) -> None:
    house.git.commit({"web/app.py": WEAK})
    house.run()
    house.git("mv", "web", "tests")
    house.git.commit()
    assert duties(house.run(0.5)) == {("severity:high:exposed", 0, 1)}


def test_a_tree_cannot_say_what_lies_where(house: House) -> None:
    loud = 'version = 1\n[classes.tests]\npaths = ["**"]\n'
    house.git.commit({"path-classes.toml": loud, "app.py": "# generated code, do not edit\n" + WEAK})
    assert duties(house.run()) == {("severity:high", 0, 7)}


def test_another_repositorys_classes_do_not_count(house: House) -> None:
    house.write(CLASSES.replace('"internet"', '"internet"\nrepositories = ["git.example.org/other/*"]'), EXPOSED)
    house.git.commit({"web/app.py": WEAK})
    assert duties(house.run()) == {("severity:high", 0, 7)}


def test_a_class_that_is_not_there_ends_the_run(house: House) -> None:
    house.write("version = 1\n", TESTS)
    house.git.commit({"app.py": WEAK})
    with pytest.raises(PolicyError, match="name the path class `tests`"):
        house.run()


def test_a_faulty_file_ends_the_run(house: House) -> None:
    house.write("version = 1\n[classes.a]\npaths = 3\n")
    house.git.commit({"app.py": WEAK})
    with pytest.raises(ConfigError, match=r"path-classes\.toml"):
        house.run()
