"""The infrastructure checks find every marked line of their cases, and nothing beside it.

`weak*` files hold a mark `# weak: ID`: at the end of a line for that line, alone on a line for the next one. `clean*`
files hold twins in which the check finds nothing.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

import pytest

from secgate.infrastructure import documents
from secgate.infrastructure.check import Pack
from secgate.infrastructure.documents import KINDS
from secgate.infrastructure.forms import Listed, Metadata, Told
from secgate.languages import kinds_of
from secgate.model import Severity
from secgate.resources import files_under

ROOT = Path(__file__).resolve().parents[2]
CASES = ROOT / "rules" / "cases" / "infrastructure"
FILES = sorted(path.relative_to(CASES).as_posix() for path in CASES.rglob("*") if path.is_file())
MARK = re.compile(r"# weak: (IAC-[A-Z0-9-]+)")


@cache
def pack() -> Pack:
    """Load the shipped checks once."""
    return Pack(list(files_under(ROOT / "rules" / "infrastructure", ".rego")))


@cache
def checks() -> dict[str, Metadata]:
    """Metadata by check name."""
    return {check.name: check.metadata for check in pack().checks}


def ask(path: str, data: bytes) -> list[Told]:
    """Give all results of one file, read as every kind that it has."""
    kinds = [kind for kind in kinds_of(path, data) if kind in KINDS]
    assert kinds, f"{path} is of no kind that is read"
    batch = [(Listed(path, kind), documents(path, kind, data)) for kind in kinds]
    assert [part.problem for _, part in batch if part.problem] == []
    return pack().ask(batch)


def marked(text: str, name: str) -> list[int]:
    """Give the lines that the text marks for a check."""
    lines = list(enumerate(text.splitlines(), 1))
    return sorted(
        number + line.lstrip().startswith("#")
        for number, line in lines
        for found in MARK.findall(line)
        if found == name
    )


@pytest.mark.parametrize("file", FILES)
def test_case_is_found_at_its_marks_and_nowhere_else(file: str) -> None:
    name, data = checks()[file.split("/")[0]].id, (CASES / file).read_bytes()
    found = sorted({told.line for told in ask(file, data) if told.id == name})
    expected = marked(data.decode(), name)
    assert found == expected
    assert bool(expected) == Path(file).name.startswith("weak")


def test_every_check_has_a_weak_and_a_clean_case() -> None:
    for name in checks():
        for beginning in ("weak", "clean"):
            assert list((CASES / name).glob(f"{beginning}*")), f"{name} has no {beginning} case"


def test_no_case_is_of_a_check_that_does_not_exist() -> None:
    assert {file.split("/")[0] for file in FILES} == set(checks())


def test_there_are_checks_enough() -> None:
    assert len(checks()) >= 30


def test_severity_is_the_band_of_its_score() -> None:
    wrong = {name for name, data in checks().items() if Severity.from_score(data.score) is not data.severity}
    assert wrong == set()


def test_weaknesses_are_those_of_the_crosswalk() -> None:
    known = json.loads((ROOT / "rules" / "crosswalk.json").read_text(encoding="utf-8"))["weaknesses"]
    assert {data.weakness for data in checks().values()} - set(known) == set()


def test_no_message_repeats_a_secret() -> None:
    for file in FILES:
        for told in ask(file, (CASES / file).read_bytes()):
            assert "made-up" not in told.message
            assert "AKIAMADEUP" not in told.message
