"""Who wrote the lines of a finding, by git, as far as this clone can tell."""

from __future__ import annotations

from collections import Counter

from secgate.errors import IncompleteTargetError, TargetError
from secgate.repository import Repository
from secgate.story import Author, Teller


def authors_of(teller: Teller, repository: Repository | None) -> tuple[tuple[Author, ...], str]:
    """Give who wrote the finding's lines in the newest commit that a run saw it in, and why nobody is told.

    The newest writer comes first. Names are shown and never recorded.
    """
    if teller.last_clean is None:
        return (), "not told: no recorded run saw it in a commit"
    document, finding = teller.last_clean
    location = finding.location
    commit, region = location.commit or document.target.commit, location.region
    if repository is None or not repository.resolve(commit):
        return (), f"not told: commit {commit[:12]} is not in this clone"
    if not region.start_line:
        return (), "not told: the finding has no line"
    try:
        lines = repository.line_authors(commit, location.path, region.start_line, region.end_line)
    except (TargetError, IncompleteTargetError) as error:
        return (), f"not told: {error.what}"
    counts = Counter((one.name, one.written_epoch_s, one.commit) for one in lines)
    authors = [Author(name=key[0], written_epoch_s=key[1], commit=key[2], lines=counts[key]) for key in counts]
    return tuple(sorted(authors, key=lambda one: (-one.written_epoch_s, one.name, one.commit))), ""
