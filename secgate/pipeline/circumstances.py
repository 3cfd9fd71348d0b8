"""What is known of a finding beside the finding: where its file lies, who can reach it, whether it is exploited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from secgate.model import Finding, Target
from secgate.path_classes import PathClass, PathClasses
from secgate.policy.facts import JoinedFacts


def with_classes(
    joined: Mapping[str, JoinedFacts], findings: Sequence[Finding], *, target: Target, classes: Sequence[PathClass]
) -> dict[str, JoinedFacts]:
    """Give the facts of findings with the class and the exposure of the file that each is in."""
    found = dict(joined)
    places = PathClasses(classes, repository=target.repository)
    for finding in findings:
        one = places.of(finding.location.path)
        if one is not None:
            facts = found.get(finding.fingerprint, JoinedFacts())
            found[finding.fingerprint] = msgspec.structs.replace(facts, path_class=one.name, exposure=one.exposure)
    return found
