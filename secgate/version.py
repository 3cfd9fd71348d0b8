"""The version of secgate: in a module of its own, so that nothing below needs the package's front door."""

from __future__ import annotations

__version__ = "0.1.0"
