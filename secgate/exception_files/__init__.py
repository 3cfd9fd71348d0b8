"""Files in which other tools keep their exceptions, read as entries that could become requests for waivers."""

from secgate.exception_files.entry import Entry
from secgate.exception_files.match import Match, match
from secgate.exception_files.read import FORMS, MAX_BYTES, Form, read

__all__ = ["FORMS", "MAX_BYTES", "Entry", "Form", "Match", "match", "read"]
