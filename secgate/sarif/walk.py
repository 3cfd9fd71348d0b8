"""Walk a SARIF document once, in whatever order it stands, and keep of each run what its results are resolved with.

Results and artefacts are reduced to the parts that are read and packed: several writers put the results before the
rules that they refer to. Source: SARIF 2.1.0, sections as cited.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from secgate.sarif.parts import (
    Artifact,
    ArtifactLocation,
    Component,
    Descriptor,
    InvocationPart,
    ResultPart,
    Taxon,
    Text,
    VersionControl,
)
from secgate.sarif.several import Several
from secgate.sarif.stream import Cursor, shown

MAX_RUNS = 1_000
MAX_RESULTS = 1_000_000
"""Of all runs of a file."""
MAX_RULES = 200_000
"""Of all runs of a file, entries of taxonomies included."""
MAX_ARTIFACTS = 1_000_000
"""Of a run; likewise the two that follow."""
MAX_INVOCATIONS = 10_000
MAX_COMPONENTS = 1_000
MAX_EMBEDDED = 16 * 1024 * 1024
"""Characters of embedded texts kept of a file; beyond, results have no more of a snippet than they bring."""

_ELSEWHERE = ("results", "driver", "extensions", "invocations", "artifacts")

# A wrong word may be anything; one of letters is worth showing.
_ENUM = re.compile(r"Invalid enum value '(?![A-Za-z]{1,20}'\Z).*", re.DOTALL)
_VERSION = re.compile(r"\d[\d.]{0,10}(?:-(?:csd|rtm|beta)\.[\d.a-z\-]{1,30})?")
_HALF = "a text that is not Unicode (half of a surrogate pair)"

_T = TypeVar("_T")


@dataclass(kw_only=True)
class WalkedRun:
    """One run, its results and artefacts packed; `path` is its JSON path. The driver is the first component.

    Results are packed some at a time, each with its place among all, since those that are none by their kind are left
    out; `embedded` are texts of artefacts by their place.
    """

    path: str
    components: list[Component] = field(default_factory=list)
    taxonomies: list[Component] = field(default_factory=list)
    results: deque[bytes] = field(default_factory=deque)
    artifacts: list[bytes] = field(default_factory=list)
    embedded: dict[int, str] = field(default_factory=dict)
    invocations: list[InvocationPart] = field(default_factory=list)
    bases: dict[str, ArtifactLocation] = field(default_factory=dict)
    version_control: list[VersionControl] = field(default_factory=list)
    column_kind: str = ""
    informational: int = 0


class Walk:
    """A document being walked. Raises UsageError for what breaks the standard's types or a limit."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self._packer = msgspec.msgpack.Encoder()
        self._results_left, self._rules_left, self._embedded_left = MAX_RESULTS, MAX_RULES, MAX_EMBEDDED

    def runs(self) -> Iterator[WalkedRun]:
        """Give each run when it is known whole. Only when all were taken is the document known to be good."""
        cursor = self._cursor
        version: Any = None
        has_runs = False
        for key in cursor.keys("$"):
            if key == "version":
                version = cursor.value("$.version")
                self._check_version(version)
            elif key == "runs" and cursor.peek() != "n":
                has_runs = True
                for path in cursor.elements("$.runs", most=MAX_RUNS):
                    yield self._run(path)
            elif key == "inlineExternalProperties":
                if cursor.value("$.inlineExternalProperties"):
                    cursor.refuse("$.inlineExternalProperties", "parts of runs kept apart from them are not read")
            else:
                cursor.skip(f"$.{shown(key)}")
        cursor.end()
        self._check_version(version)
        if not has_runs:
            cursor.refuse("$.runs", "absent or not a list")

    def _check_version(self, version: Any) -> None:
        if version != "2.1.0":
            said = "absent" if version is None else "not a string"
            if isinstance(version, str):
                said = repr(version) if _VERSION.fullmatch(version) else "of no known form"
            self._cursor.refuse("$.version", f"version {said}; only 2.1.0 is read")

    def _run(self, path: str) -> WalkedRun:
        run = WalkedRun(path=path)
        cursor, scanned = self._cursor, False
        for key in cursor.keys(path):
            place = f"{path}.{shown(key)}"
            if key == "results":
                # 3.14.23: absent or null means that the tool did not look for results; that is not "clean".
                scanned = cursor.peek() != "n"
                if not scanned:
                    cursor.value(place)
                    continue
                self._take_results(run, place)
            elif cursor.peek() == "n":
                cursor.value(place)
            else:
                self._property(run, key, place)
        if not run.components or not run.components[0].name.strip():
            cursor.refuse(f"{path}.tool.driver.name", "absent or empty")
        if not scanned:
            cursor.refuse(f"{path}.results", "absent or null: this run did not scan")
        return run

    def _property(self, run: WalkedRun, key: str, path: str) -> None:
        cursor = self._cursor
        if key == "tool":
            run.components = self._tool(path)
        elif key == "taxonomies":
            run.taxonomies = [self._component(place) for place in cursor.elements(path, most=MAX_COMPONENTS)]
        elif key == "artifacts":
            self._take_artifacts(run, path)
        elif key == "invocations":
            places = cursor.elements(path, most=MAX_INVOCATIONS)
            run.invocations = [self._part(place, InvocationPart) for place in places]
        elif key == "originalUriBaseIds":
            run.bases = self._part(path, dict[str, ArtifactLocation])
            self._pack(run.bases, path)
        elif key == "versionControlProvenance":
            run.version_control = self._part(path, list[VersionControl])
            self._pack(run.version_control, path)
        elif key == "columnKind":
            run.column_kind = cursor.value(path)
            if run.column_kind not in ("utf16CodeUnits", "unicodeCodePoints"):
                cursor.refuse(path, "neither utf16CodeUnits nor unicodeCodePoints")
        elif key == "externalPropertyFileReferences":
            # 3.14.2: what stands elsewhere was not looked at, so that the rest says too little.
            given = self._part(path, dict[str, Any])
            for name in _ELSEWHERE:
                if given.get(name):
                    cursor.refuse(f"{path}.{name}", "kept in another file, which is not read")
        else:
            cursor.skip(path)

    def _take_results(self, run: WalkedRun, path: str) -> None:
        cursor, many = self._cursor, Several(ResultPart)
        for first, several in cursor.several(path, many.read, most=MAX_RESULTS):
            parts = several or [self._part(f"{path}[{first}]", ResultPart)]
            kept = [(at, part) for at, part in enumerate(parts, first) if not _is_informational(part)]
            run.informational += len(parts) - len(kept)
            self._results_left -= len(kept)
            if self._results_left < 0:
                cursor.refuse(path, f"more than {MAX_RESULTS} results")
            if kept:
                run.results.append(self._pack_results(kept, path))

    def _pack_results(self, parts: list[tuple[int, ResultPart]], path: str) -> bytes:
        try:
            return self._packer.encode(parts)
        except (UnicodeEncodeError, OverflowError):
            for at, part in parts:
                self._pack(part, f"{path}[{at}]")
            raise

    def _tool(self, path: str) -> list[Component]:
        cursor = self._cursor
        driver, extensions = Component(), list[Component]()
        for key in cursor.keys(path):
            place = f"{path}.{shown(key)}"
            if key == "driver":
                driver = self._component(place)
            elif key == "extensions" and cursor.peek() != "n":
                extensions = [self._component(one) for one in cursor.elements(place, most=MAX_COMPONENTS)]
            else:
                cursor.skip(place)
        return [driver, *extensions]

    def _component(self, path: str) -> Component:
        cursor = self._cursor
        small: dict[str, Any] = {}
        rules: list[Descriptor] = []
        taxa: list[Taxon] = []
        strings: dict[str, Text] = {}
        for key in cursor.keys(path):
            place = f"{path}.{shown(key)}"
            if cursor.peek() == "n":
                cursor.value(place)
            elif key in ("name", "version", "semanticVersion", "guid"):
                small[key] = cursor.value(place)
            elif key == "rules":
                rules = list(self._descriptors(place, Descriptor))
            elif key == "taxa":
                taxa = list(self._descriptors(place, Taxon))
            elif key == "globalMessageStrings":
                strings = self._part(place, dict[str, Text])
            else:
                cursor.skip(place)
        known = self._convert(small, Component, path)
        self._pack((known, strings), path)
        return msgspec.structs.replace(known, rules=rules, taxa=taxa, strings=strings)

    def _descriptors(self, path: str, kind: type[_T]) -> Iterator[_T]:
        for place in self._cursor.elements(path, most=MAX_RULES):
            self._rules_left -= 1
            if self._rules_left < 0:
                self._cursor.refuse(path, f"more than {MAX_RULES} rules")
            part = self._part(place, kind)
            self._pack(part, place)
            yield part

    def _take_artifacts(self, run: WalkedRun, path: str) -> None:
        for at, place in enumerate(self._cursor.elements(path, most=MAX_ARTIFACTS)):
            part = self._part(place, Artifact)
            text = part.contents.text if part.contents else None
            run.artifacts.append(self._pack(msgspec.structs.replace(part, contents=None), place))
            if text and len(text) <= self._embedded_left:
                self._pack(text, place)
                self._embedded_left -= len(text)
                run.embedded[at] = text

    def _part(self, path: str, kind: type[_T]) -> _T:
        return self._convert(self._cursor.value(path), kind, path)

    def _convert(self, value: Any, kind: type[_T], path: str) -> _T:
        """Read a JSON value as a part, or refuse it at the place where its type is wrong."""
        try:
            return msgspec.convert(value, kind)
        except UnicodeEncodeError:
            self._cursor.refuse(path, _HALF)
        except msgspec.ValidationError as error:
            front, mark, inner = str(error).rpartition(" - at `$")
            reason = _ENUM.sub("not one of the standard's words", front if mark else inner)
            self._cursor.refuse(path + (inner.rstrip("`") if mark else ""), reason)

    def _pack(self, part: Any, path: str) -> bytes:
        """Give a part as bytes: a fraction of its size, and proof that its texts are Unicode."""
        try:
            return self._packer.encode(part)
        except UnicodeEncodeError:
            self._cursor.refuse(path, _HALF)
        except OverflowError:
            self._cursor.refuse(path, "a number of too many digits")


def _is_informational(part: ResultPart) -> bool:
    return part.kind in ("pass", "notApplicable", "informational") and part.level in (None, "none")
