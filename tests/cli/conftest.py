"""The same machine and repository as whole runs have."""

from tests.runs.conftest import git, product

__all__ = ["git", "product"]
