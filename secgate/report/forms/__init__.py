"""Forms of the report: each makes files, by name, from the document and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import TypeAlias

from secgate.report.document import Report

Files: TypeAlias = Mapping[str, bytes]
Form: TypeAlias = Callable[[Report], Files]

FORMS: Mapping[str, str] = MappingProxyType(
    {
        "html": "one page that opens offline and prints, with charts, no script and nothing from elsewhere",
        "pdf": "the same page on numbered sheets; needs the extra `secgate[pdf]`",
        "markdown": "the sections as Markdown, for places that show it",
        "csv": "one table a section or population, no cell a formula",
        "oscal": "OSCAL assessment results, a finding only for what was tested, and the populations",
        "json": "the whole document, and each population one item a line",
    }
)
"""What each form is. A module of its name here has `render`."""


def form(name: str) -> Form:
    """Give what makes a form's files, imported when it is asked for.

    Raises KeyError for one that there is not, UsageError where what it needs is not on the machine.
    """
    if name not in FORMS:
        raise KeyError(name)
    render: Form = import_module(f"{__name__}.{name}").render
    return render
