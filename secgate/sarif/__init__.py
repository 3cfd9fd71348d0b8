"""SARIF 2.1.0: written from a stored run, read from any tool."""

from secgate.sarif.read import MAX_BYTES, ForeignRun, read
from secgate.sarif.write import write

__all__ = ["MAX_BYTES", "ForeignRun", "read", "write"]
