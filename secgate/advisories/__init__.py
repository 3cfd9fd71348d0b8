"""Advisories about packages: a local database in OSV form, its scores by CVSS, and its age."""

from secgate.advisories.build import ImportLimits, ImportReport, build
from secgate.advisories.cvss import base_score
from secgate.advisories.database import Database, Info, Match, Score

__all__ = ["Database", "ImportLimits", "ImportReport", "Info", "Match", "Score", "base_score", "build"]
