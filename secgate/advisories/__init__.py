"""Advisories about packages: a local database in OSV form, scores by CVSS, ages, and lists of what is exploited."""

from secgate.advisories.build import ImportLimits, ImportReport, build
from secgate.advisories.cvss import base_score
from secgate.advisories.database import Case, Database, Info, Match, Score
from secgate.advisories.lists import ADDRESSES, CveList, Kind, ListInfo, ListLimits, build_list, list_path

__all__ = [
    "ADDRESSES",
    "Case",
    "CveList",
    "Database",
    "ImportLimits",
    "ImportReport",
    "Info",
    "Kind",
    "ListInfo",
    "ListLimits",
    "Match",
    "Score",
    "base_score",
    "build",
    "build_list",
    "list_path",
]
