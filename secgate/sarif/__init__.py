"""SARIF 2.1.0: written from a stored run, read from any tool."""

from secgate.sarif.limits import GITHUB, Limits
from secgate.sarif.line_hash import covered, line_hashes
from secgate.sarif.read import MAX_BYTES, ForeignRun, read
from secgate.sarif.write import Written, write

__all__ = ["GITHUB", "MAX_BYTES", "ForeignRun", "Limits", "Written", "covered", "line_hashes", "read", "write"]
