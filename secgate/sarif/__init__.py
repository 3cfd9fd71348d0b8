"""SARIF 2.1.0: written from a stored run, read from any tool."""

from secgate.sarif.read import ForeignRun, read
from secgate.sarif.stream import Readable
from secgate.sarif.write import write

__all__ = ["ForeignRun", "Readable", "read", "write"]
