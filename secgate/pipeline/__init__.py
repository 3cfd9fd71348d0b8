"""The flow of a run: discover, view, scan, normalise, recall, correlate, judge, record, show.

Stages never call each other; this package hands one's value to the next.
"""

from secgate.pipeline.advice import advisory_database
from secgate.pipeline.running import render, require_utc, run, scan_only
from secgate.preparation import RunRequest

__all__ = ["RunRequest", "advisory_database", "render", "require_utc", "run", "scan_only"]
