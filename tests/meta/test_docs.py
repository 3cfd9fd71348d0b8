"""The documents hold together: links lead somewhere, decisions have their form."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
ADRS = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))
HEADINGS = ["Context", "Options", "Decision", "Consequences"]


def documents() -> list[Path]:
    """List the Markdown files of the project, what is scanned in tests left out."""
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", "*.md"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\0")
    left_out = ("tests/cases/", "tests/fixtures/")
    return [ROOT / name for name in names if name and not name.startswith(left_out)]


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    targets = LINK.findall(document.read_text(encoding="utf-8"))
    local = [t.partition("#")[0] for t in targets if "://" not in t and not t.startswith("#")]
    assert [t for t in local if not (document.parent / t).exists()] == []


def test_decisions_are_numbered_without_a_gap() -> None:
    assert [int(adr.name[:4]) for adr in ADRS] == list(range(1, len(ADRS) + 1))


def test_the_index_lists_every_decision_under_its_number() -> None:
    index = (ROOT / "docs" / "adr" / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| \[.+\]\((.+)\) \|$", index, flags=re.MULTILINE)
    assert rows == [(str(int(adr.name[:4])), adr.name) for adr in ADRS]


@pytest.mark.parametrize("adr", ADRS, ids=lambda adr: adr.stem)
def test_decision_has_its_form(adr: Path) -> None:
    lines = adr.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 80
    assert lines[0].startswith(f"# {int(adr.name[:4])}. ")
    assert [line[3:] for line in lines if line.startswith("## ")] == HEADINGS


def test_every_make_target_of_the_contract_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in ("setup", "gate", "test", "check", "bench", "golden", "lock"):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target
