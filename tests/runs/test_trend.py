"""What a page tells of the runs before: read from the ledger when it is shown, and again by `secgate show`."""

from __future__ import annotations

import re

from secgate.reporters.html import HtmlReporter
from tests.product import CLEAN, DAY, NOW, WEAK, Product
from tests.unit.conftest import Git


def test_a_page_shows_the_runs_before_and_show_gives_them_again(product: Product, git: Git) -> None:
    documents = []
    for day, text in enumerate((WEAK, CLEAN, WEAK)):
        git.commit({"app.py": text})
        documents.append(product.run(git.root, scope="protected", ref="refs/heads/main", now=NOW + day * DAY))
    first, second, third = documents
    assert (first.earlier, [one.run_id for one in second.earlier]) == ((), [first.run_id])
    assert [(one.outcome, one.severities["high"]) for one in third.earlier] == [("pass", 1), ("pass", 0)]
    for document in documents:
        page = HtmlReporter().render(document, width=80, colour=False).decode()
        shown = product.cli("show", document.run_id, "--format", "html", cwd=git.root, at=NOW + 9 * DAY)
        assert shown.code == 0
        trend = [re.findall(r'<section id="trend".*?</section>', text, re.DOTALL) for text in (page, shown.out)]
        assert trend[0] == trend[1]
    assert "The last 3 runs of main that the ledger holds" in trend[0][0]


def test_runs_of_a_branch_are_no_past_of_another(product: Product, git: Git) -> None:
    git.commit({"app.py": WEAK})
    product.run(git.root, scope="protected", ref="refs/heads/main")
    other = product.run(git.root, scope="protected", ref="refs/heads/release", now=NOW + DAY)
    assert other.earlier == ()


def test_a_laptop_has_a_past_too(product: Product, git: Git) -> None:
    git.commit({"app.py": WEAK})
    product.run(git.root)
    again = product.run(git.root, now=NOW + DAY)
    assert [one.blocking for one in again.earlier] == [1]
