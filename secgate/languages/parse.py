"""Parse a file once and answer, for positions in it, which unit they are in.

`FileIndex` keeps what it parsed for as long as the caller keeps it; the two functions are for single questions.
"""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import tree_sitter

from secgate.languages import dockerfile, javascript, json, lines, python, terraform, tokens, yaml
from secgate.languages.source import Source
from secgate.languages.spans import Span, SpanTree, Unit
from secgate.model import Region

MOST_BYTES = 4 * 1024 * 1024
"""Larger files are not parsed: a gate must not be stopped by one generated file."""

_YAML = frozenset({"kubernetes", "compose", "cloudformation", "github-workflow", "github-action", "gitlab-ci", "yaml"})
_JSON = frozenset({"json", "npm-lock", "pipfile-lock"})
_LINES = frozenset({"pip-requirements", "pip-constraints"})
_SCRIPTS = frozenset({"javascript", "typescript", "tsx"})
_PARSED = frozenset({"python", "terraform", "dockerfile"}) | _SCRIPTS | _YAML | _JSON
_INDEXED = _PARSED | _LINES


class Parsed(NamedTuple):
    """What a parser says: `ok` None means that there is no parser for the file's kind; `reason` says why not True."""

    ok: bool | None
    reason: str


class FileIndex:
    """One file's text, its syntax tree and its units, each made when it is first asked for.

    `kind` is one of the names of `kinds_of`; CloudFormation is told apart as JSON or YAML by its first character.
    """

    def __init__(self, kind: str, data: bytes) -> None:
        self.kind = kind
        self.source = Source(data)
        self._size = len(data)
        # Many results fall on one unit: each is made once, however long its text is.
        self._units: dict[Span, Unit] = {}
        self._lines: dict[tuple[int, str], Unit] = {}
        self._by_lines: dict[tuple[int, int, int, int], tuple[int, int] | None] = {}
        self._literals: dict[tuple[int, int], tuple[tuple[int, int], ...]] = {}

    @property
    def has_parser(self) -> bool:
        """Tell whether files of this kind are parsed at all."""
        return self.kind in _PARSED

    @cached_property
    def parsed(self) -> Parsed:
        """Whether the file parses, and if not, why."""
        if not self.has_parser:
            return Parsed(None, f"no parser for {self.kind}")
        if self._size > MOST_BYTES:
            return Parsed(ok=False, reason=f"larger than {MOST_BYTES} bytes")
        return self._parse[1]

    def unit(self, line: int, column: int = 0) -> Unit:
        """Give the smallest unit at a position; column 0 means the line's first character.

        A position that is in no statement (a comment, a blank line, a file that does not parse) gives its line, with
        the symbol it stands in. Never raises; positions are clamped.
        """
        return self.unit_at(self.source.offset(line, column))

    def unit_at(self, offset: int) -> Unit:
        """Give the smallest unit at an offset."""
        span = self._tree.at(offset)
        if span is None or (offset >= span.head and self._is_below(span, offset)):
            symbol = span.inner if span else ""
            key = (self.source.position(offset)[0], symbol)
            if key not in self._lines:
                self._lines[key] = self._unit(lines.line_span(self.source, offset, symbol))
            return self._lines[key]
        if span not in self._units:
            self._units[span] = self._unit(span)
        return self._units[span]

    def first_unit(self, start: int, end: int) -> Unit:
        """Give the smallest unit at `start`, or where that is in none, the first one that begins before `end`.

        Tools give a whole file from its first line on, and a comment that is put above everything moves nothing. Of
        programs only what is at `start` counts: there a tool means the statement that it names.
        """
        tree = self._tree
        if isinstance(tree, SpanTree) and tree.at(start) is None:
            first = tree.next_start(start)
            if first is not None and first < end:
                return self.unit_at(first)
        return self.unit_at(start)

    @property
    def symbols(self) -> frozenset[str]:
        """Names of all definitions of the file; those of a file that does not parse are not known."""
        return self._tree.symbols

    def _is_below(self, span: Span, offset: int) -> bool:
        """Tell whether an offset is on a later line than the end of the span's header."""
        return self.source.position(offset)[0] > self.source.position(span.head)[0]

    def _unit(self, span: Span) -> Unit:
        text = self.source.text[span.start : span.head].rstrip()
        end = span.start + len(text)
        return Unit(self.source.region(span.start, end), span.start, end, span.symbol)

    def node_region(self, line: int, start_byte: int, end_byte: int, last_line: int) -> Region:
        """Give the region of the smallest Python node that has these byte columns (from 0) and contains `line`.

        bandit 1.9 mixes the line of a keyword with the columns of the node around it. Without such a node: `line` up
        to the end of `last_line`.
        """
        if self._statements is not None:
            fitting = self._statements.with_columns(line, start_byte, end_byte)
            if fitting:
                return self.source.region(*min(fitting, key=_by_length))
        start = self.source.offset(line, 0)
        return self.source.region(start, max(start, self.source.line_bounds(max(line, last_line))[1]))

    def lines_region(self, first_line: int, last_line: int, columns: tuple[int, int] = (-1, -1)) -> Region:
        """Give the region of the smallest Python node that begins on one line and ends on another.

        Of several, one with these byte columns (from 0) stands first: an argument may reach over the same lines as its
        call. Known by lines alone it is, of several statements on its first line, the one that goes on. Without such a
        node: all of these lines.
        """
        key = (first_line, last_line, *columns)
        if key not in self._by_lines:
            fitting = self._statements.with_lines(first_line, last_line) if self._statements is not None else []
            exact = set(self._statements.with_columns(first_line, *columns)) if self._statements is not None else set()
            self._by_lines[key] = min(exact.intersection(fitting) or fitting, key=_by_length, default=None)
        smallest = self._by_lines[key]
        if smallest is not None:
            return self.source.region(*smallest)
        start = self.source.offset(first_line, 0)
        return self.source.region(start, self.source.line_bounds(max(first_line, last_line))[1])

    def literals(self, start: int, end: int) -> tuple[tuple[int, int], ...]:
        """Give the bodies of the string literals between two offsets, as offsets of the file."""
        key = (start, end)
        if key not in self._literals:
            found = tokens.literals(self.kind, self.source.text[start:end])
            self._literals[key] = tuple((start + at, start + to) for at, to in found if at < to)
        return self._literals[key]

    @cached_property
    def _statements(self) -> python.Statements | None:
        if self.kind != "python" or self._size > MOST_BYTES:
            return None
        tree = self._parse[0]
        return python.Statements(self.source, tree) if isinstance(tree, python.Tree) else None

    @cached_property
    def _tree(self) -> SpanTree | python.Statements | javascript.Statements:
        if self._size > MOST_BYTES:
            return SpanTree([])
        if self.kind in _SCRIPTS and isinstance(self._parse[0], tree_sitter.Tree):
            return javascript.Statements(self.source, self._parse[0])
        return self._statements or SpanTree(self._spans)

    @cached_property
    def _parse(self) -> tuple[object, Parsed]:
        """Parse, and give the tree and what is to be said of it; spans are made only when a place is asked for."""
        if self.kind == "python":
            tree, reason = python.parse(self.source)
            return tree, Parsed(ok=tree is not None, reason=reason)
        if self.kind in _LINES:
            return None, Parsed(None, "read by line")
        if self._is_json or self.kind == "dockerfile":
            read = json.problem if self._is_json else dockerfile.problem
            reason = read(self.source)
            return None, Parsed(not reason, reason)
        if self.kind in _YAML and yaml.is_too_deep(self.source.text):
            return None, Parsed(ok=False, reason="blocks stand in one another too often")
        return self._grown() if self.has_parser else (None, Parsed(None, f"no parser for {self.kind}"))

    def _grown(self) -> tuple[tree_sitter.Tree, Parsed]:
        from secgate.languages import grammars

        names = {"terraform": "hcl"} | dict.fromkeys(_YAML, "yaml")
        grown = grammars.parse(names.get(self.kind, self.kind), self.source.encoded + b"\n")
        text = yaml.eased(self.source.text) if grown.root_node.has_error and self.kind in _YAML else None
        if text is not None:
            return grammars.parse("yaml", text.encode() + b"\n"), Parsed(ok=True, reason="")
        ok = not grown.root_node.has_error
        return grown, Parsed(ok, "" if ok else "the parser met a syntax error")

    @property
    def _is_json(self) -> bool:
        return self.kind in _JSON or (self.kind == "cloudformation" and self.source.text.lstrip().startswith("{"))

    @cached_property
    def _spans(self) -> list[Span]:
        tree = self._parse[0]
        if self.kind in _LINES:
            return lines.spans(self.source)
        if self._is_json:
            return json.spans(self.kind, self.source)
        if self.kind == "dockerfile":
            return dockerfile.spans(self.source)
        if not isinstance(tree, tree_sitter.Tree):
            return []
        if self.kind == "terraform":
            return terraform.spans(self.source, tree)
        return yaml.spans(self.kind, self.source, tree)


def _by_length(bounds: tuple[int, int]) -> tuple[int, int]:
    """Order stretches by their length, then by where they begin."""
    return bounds[1] - bounds[0], bounds[0]


def index_kind(kinds: tuple[str, ...], path: str) -> str:
    """Give the kind that decides how a file is parsed: the first of `kinds` with a parser, else the first.

    A `.tsx` file has a grammar of its own.
    """
    kind = kinds[0] if kinds else "text"
    if kind not in _INDEXED:
        kind = next((kind for kind in kinds if kind in _INDEXED), kind)
    return "tsx" if kind == "typescript" and path.endswith(".tsx") else kind


def enclosing(kind: str, data: bytes, line: int, column: int = 0) -> Unit:
    """Give the smallest unit at a position of a file; see `FileIndex.unit`."""
    return FileIndex(kind, data).unit(line, column)


def parse_check(kind: str, data: bytes) -> Parsed:
    """Tell whether a file parses, with the reason when it does not."""
    return FileIndex(kind, data).parsed


def parse_ok(kinds: tuple[str, ...], path: str, data: bytes) -> bool | None:
    """Tell whether a file of these kinds parses: True, False for syntax errors, None without a parser for any."""
    return parse_check(index_kind(kinds, path), data).ok


def misreading(kind: str, data: bytes) -> str:
    """Say why tools that give no list of what they parsed may have read another text than the file's, "" where not."""
    return python.misreading(data) if kind == "python" else ""
