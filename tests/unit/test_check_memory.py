"""What `secgate check` says of memory before it holds every result at once."""

from __future__ import annotations

import pytest

from secgate.pipeline.checking import MANY_RESULTS, memory_words
from tests.factories import finding, result, run_document


@pytest.mark.parametrize(
    ("count", "forms", "says"),
    [
        (MANY_RESULTS, ("json",), False),
        (MANY_RESULTS + 1, ("text", "json"), True),
        (MANY_RESULTS + 1, ("text",), False),
    ],
)
def test_json_of_very_many_results_is_announced(count: int, forms: tuple[str, ...], says: bool) -> None:
    document = run_document(findings=(finding(witnesses=(result(),) * count),))
    words = memory_words(document, forms)
    assert (bool(words), "about 400 MB" in words) == (says, says)
