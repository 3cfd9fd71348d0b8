"""The documents hold together: links lead somewhere, decisions have their form, the site builds without a warning."""

import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
ADRS = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))
LOADED = re.compile(
    r"""(?:<(?:script|img|iframe|link)\b[^>]*?(?:src|href)=|url\(|@import )\s*["']?((?:https?:)?//[^"')>]+)"""
)
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
    for target in ("setup", "gate", "test", "check", "docs", "dist", "bench", "golden", "lock"):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site as `make docs` does, every warning an error."""
    out = tmp_path_factory.mktemp("site")
    words = f"-q -W --keep-going -c docs -d {out}/trees . {out}/html"
    argv = [sys.executable, "-m", "sphinx", *words.split()]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return out / "html"


def test_the_site_has_every_page_and_begins_at_the_front(site: Path) -> None:
    made = {path.relative_to(site).with_suffix("").as_posix() for path in site.rglob("*.html")}
    written = {
        path.relative_to(ROOT).with_suffix("").as_posix() for path in documents() if path.is_relative_to(ROOT / "docs")
    }
    assert {name for name in written - made if "docs/examples/" not in name} == set()
    assert 'url=README.html"' in (site / "index.html").read_text(encoding="utf-8")


def test_the_site_loads_nothing_from_elsewhere(site: Path) -> None:
    assert LOADED.search('<script async src="https://example.org/a.js">')
    files = [path for path in site.rglob("*") if path.suffix in (".html", ".css") and "_downloads" not in path.parts]
    assert {path.name: LOADED.findall(path.read_text(encoding="utf-8")) for path in files} == {
        path.name: [] for path in files
    }


@pytest.mark.browser
def test_the_site_is_searched_without_a_server(site: Path, tmp_path: Path) -> None:
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium on PATH")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}", "--virtual-time-budget=5000"]
    argv = [program, *flags, "--dump-dom", (site / "search.html").as_uri() + "?q=break-glass"]
    dom = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=True).stdout
    assert re.search(r'<a href="docs/overrides\.html"', dom)


def test_the_readme_leads_to_every_page() -> None:
    navigation = runpy.run_path(str(ROOT / "docs" / "conf.py"))["NAVIGATION"]
    listed = set(LINK.findall((ROOT / "README.md").read_text(encoding="utf-8")))
    assert {f"{page}.md" for pages in navigation.values() for page in pages} - listed == {"changes/README.md"}
