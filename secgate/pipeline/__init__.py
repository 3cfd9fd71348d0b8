"""The flow of a run: discover, view, scan, normalise, recall, correlate, judge, record, show.

Stages never call each other; this package hands one's value to the next.
"""

from secgate.pipeline.running import render, require_utc, run, scan_only
from secgate.preparation import RunRequest, advisory_database

__all__ = ["RunRequest", "advisory_database", "render", "require_utc", "run", "scan_only"]
