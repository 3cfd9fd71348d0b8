"""What a place that others read may name: what a change brings, which its author can see anyway.

A list of open weaknesses is a map for whoever reads it. So older findings are counted wherever CI does not say that
only the owners read the repository.
"""

from __future__ import annotations

from secgate.model import Finding, RunDocument, State


def is_for_owners(document: RunDocument) -> bool:
    """Tell whether CI says that only the owners read the repository, and so what is written beside it."""
    return document.target.visibility == "private"


def is_brought(finding: Finding, document: RunDocument) -> bool:
    """Tell whether the change that was judged brings it. Without a change nothing is."""
    return document.target.changed is not None and finding.state is State.NEW
