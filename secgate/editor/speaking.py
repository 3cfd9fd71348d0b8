"""Remarks in the words of the Language Server Protocol. Its lines and columns count from 0, in UTF-16 code units."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from lsprotocol import types
from pygls.workspace import TextDocument

from secgate.editor.remarks import Remark
from secgate.model import Fix, Region

SOURCE = "secgate"
END_OF_LINE = (1 << 31) - 1
"""A column past the end of a line stands for its end. Source: LSP 3.17, Position."""
_SEVERITY = {
    "error": types.DiagnosticSeverity.Error,
    "warning": types.DiagnosticSeverity.Warning,
    "information": types.DiagnosticSeverity.Information,
    "hint": types.DiagnosticSeverity.Hint,
}


def diagnostic(remark: Remark) -> types.Diagnostic:
    """Give a remark as a diagnostic; its `data` is the fingerprint."""
    return types.Diagnostic(
        range=_range(remark.region),
        message=remark.message,
        severity=_SEVERITY[remark.level],
        code=remark.code,
        code_description=types.CodeDescription(href=remark.link) if remark.link else None,
        source=SOURCE,
        data=remark.fingerprint or None,
    )


def page_at(told: Sequence[Remark], position: types.Position) -> types.Hover | None:
    """Give the explanations of what is said at a position, None for nothing."""
    here = [one for one in told if one.page and _holds(_range(one.region), position)]
    if not here:
        return None
    text = "\n\n".join(one.page.rstrip("\n") for one in here)
    # A fence that is longer than any run of its sign in the text cannot be closed by it. Source: CommonMark 0.31, 4.5.
    fence = "`" * max([3, *(len(run) + 1 for run in re.findall("`+", text))])
    return types.Hover(
        contents=types.MarkupContent(kind=types.MarkupKind.Markdown, value=f"{fence}text\n{text}\n{fence}"),
        range=_range(here[0].region),
    )


def action(
    fix: Fix, document: TextDocument, given: types.Diagnostic | None, *, is_versioned: bool
) -> types.CodeAction | None:
    """Give the edits that may end a finding, None where the editor's text is another than they were made for.

    `is_versioned` tells that the client holds edits against the document's version.
    """
    if hashlib.sha256(document.source.encode("utf-8", "surrogatepass")).hexdigest() != fix.digest:
        return None
    edits = [types.TextEdit(range=_span(edit.region), new_text=edit.text) for edit in fix.edits]
    if is_versioned:
        name = types.OptionalVersionedTextDocumentIdentifier(uri=document.uri, version=document.version)
        edit = types.WorkspaceEdit(document_changes=[types.TextDocumentEdit(text_document=name, edits=edits)])
    else:
        edit = types.WorkspaceEdit(changes={document.uri: edits})
    return types.CodeAction(
        title=fix.title,
        kind=types.CodeActionKind.QuickFix,
        diagnostics=[given] if given is not None else None,
        edit=edit,
    )


def _span(region: Region) -> types.Range:
    return types.Range(
        start=types.Position(line=region.start_line - 1, character=region.start_column - 1),
        end=types.Position(line=region.end_line - 1, character=region.end_column - 1),
    )


def _range(region: Region) -> types.Range:
    """Give the span; of what has no line the first, of what has no column the whole line."""
    line = max(region.start_line - 1, 0)
    last = max(region.end_line - 1, line)
    start = types.Position(line=line, character=max(region.start_column - 1, 0))
    end_column = region.end_column - 1 if region.end_column > 0 else END_OF_LINE
    end = types.Position(line=last, character=end_column)
    if (end.line, end.character) <= (start.line, start.character):
        end = types.Position(line=line, character=END_OF_LINE)
    return types.Range(start=start, end=end)


def _holds(span: types.Range, position: types.Position) -> bool:
    start, end = span.start, span.end
    here = (position.line, position.character)
    return (start.line, start.character) <= here <= (end.line, end.character)
