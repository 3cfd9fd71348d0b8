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
        "json": "the whole document, and each population one item a line",
    }
)
"""What each form is. A module of its name here has `render`."""


def form(name: str) -> Form:
    """Give what makes a form's files, imported when it is asked for. Raises KeyError for one that there is not."""
    if name not in FORMS:
        raise KeyError(name)
    render: Form = import_module(f"{__name__}.{name}").render
    return render
