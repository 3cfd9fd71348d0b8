"""Sphinx reads the project's pages where they stand, so that a link leads to the same page on a forge and in the site.

`make docs` builds them, every warning an error. The pages know nothing of Sphinx: what belongs where in the site is
said here alone, and a page that is said nowhere stops the build.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
FRONT, DECISIONS = "README", "docs/adr/README"

NAVIGATION = {
    "Start": [
        "docs/first-hour",
        "docs/concepts",
        "docs/page",
        "docs/explain",
        "docs/what-it-is-not",
    ],
    "Integrations": [
        "docs/pre-commit",
        "docs/editor",
        "docs/github",
        "docs/pipelines",
        "docs/notifications",
        "docs/library",
        "docs/plugins",
    ],
    "Policies": [
        "docs/policies",
        "docs/cookbook",
        "docs/deadlines",
        "docs/waivers",
        "docs/downgrades",
        "docs/baselines",
        "docs/overrides",
        "docs/rules",
        "docs/infrastructure",
    ],
    "Evidence": [
        "docs/auditors",
        "docs/ledger",
        "docs/signing",
        "docs/attestation",
        "docs/controls",
        "docs/reports",
        "docs/metrics",
        "docs/inventory",
    ],
    "Reference": [
        "docs/reference",
        "docs/configuration",
        "docs/sarif",
    ],
    "Project": [
        "docs/architecture",
        DECISIONS,
        "docs/threats",
        "docs/trials",
        "docs/replay",
        "benchmarks/README",
        "benchmarks/history",
        "CONTRIBUTING",
        "docs/releasing",
        "SECURITY",
        "CHANGELOG",
        "changes/README",
    ],
}

project = "secgate"
project_copyright = "the secgate authors, Apache-2.0"
root_doc = FRONT
include_patterns = [f"{FRONT}.md", "docs/**.md", *(f"{page}.md" for pages in NAVIGATION.values() for page in pages)]
# Folders that are not walked: none of them has a page, and some are large.
exclude_patterns = [".*", "build", "dist", "out", "secgate", "tests"]

extensions = ["myst_parser"]
myst_heading_anchors = 4
# Blocks that name no language are what a terminal shows.
highlight_language = "none"

html_theme = "furo"
html_title = "secgate"
html_copy_source = False
html_show_sphinx = False
html_additional_pages = {"index": "front.html"}
templates_path = ["site"]
# No form of Sphinx that a reader would have to load from elsewhere.
html_use_opensearch = ""


def tree(pages: list[str], caption: str = "") -> str:
    """Give a table of contents that is in the navigation and not on the page."""
    head = ["```{toctree}", ":hidden:", *([f":caption: {caption}"] if caption else [])]
    return "\n".join(["", *head, *(f"/{page}" for page in pages), "```", ""])


def add_navigation(_app: object, page: str, source: list[str]) -> None:
    """Put the navigation below the two pages that others hang from."""
    if page == FRONT:
        source[0] += "".join(tree(pages, caption) for caption, pages in NAVIGATION.items())
    elif page == DECISIONS:
        decisions = sorted((ROOT / DECISIONS).parent.glob("[0-9]*.md"))
        source[0] += tree([f"docs/adr/{decision.stem}" for decision in decisions])


def setup(app: Any) -> dict[str, bool]:
    """Hang the navigation in; pages may be read at the same time."""
    app.connect("source-read", add_navigation)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
