"""Stage 1, discover. A path and what CI tells -> Target: what is judged, file by file."""

from secgate.discover.change import is_within
from secgate.discover.ci import CIFacts, ci_facts
from secgate.discover.gate import gate_changes
from secgate.discover.narrow import narrowed
from secgate.discover.request import DiscoverLimits, DiscoverRequest
from secgate.discover.target import discover

__all__ = [
    "CIFacts",
    "DiscoverLimits",
    "DiscoverRequest",
    "ci_facts",
    "discover",
    "gate_changes",
    "is_within",
    "narrowed",
]
