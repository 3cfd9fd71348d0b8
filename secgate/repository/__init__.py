"""A git repository, read without trusting its configuration (threat rule 9)."""

from secgate.repository.changes import Changes, CommitFile, Span
from secgate.repository.entries import Entry, escaped
from secgate.repository.repository import Repository

__all__ = ["Changes", "CommitFile", "Entry", "Repository", "Span", "escaped"]
