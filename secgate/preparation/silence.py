"""An Observer for those who do not listen."""

from __future__ import annotations


class Silence:
    """Hears everything and says nothing."""

    def stage(self, name: str, detail: str) -> None:
        """Hear a stage."""

    def scanner(self, name: str, state: str, detail: str) -> None:
        """Hear a scanner."""
