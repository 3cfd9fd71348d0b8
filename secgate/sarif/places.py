"""Where the results of one run are: addresses below bases, artefacts by index, artefacts inside of others, their texts.

What leads out of the tree has no path; a file address that no root of the run covers stays absolute, for the caller
to say whose it is.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from posixpath import normpath
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import msgspec

from secgate.model import Region
from secgate.sarif.parts import Artifact, ArtifactLocation, Span

LONGEST_PATH = 4_096
"""Characters; no file of a tree has a longer one."""
_DEEPEST = 16
"""Bases below each other, or containers inside of each other."""
_CACHED = 100_000
"""Locations remembered; a file may have one for each of its results."""
_ROOTS = ("%SRCROOT%", "SRCROOT", "PROJECTROOT")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_LINE_END = re.compile(r"\r\n|\n|\r")


class Spot(NamedTuple):
    """A file's path, "" where there is none, and the place inside of it where it is a container.

    Without a path `inner` is the address as far as it is known, "" where there is none. `is_cut` says that it was
    followed no further: bases or containers go on for too long, in a circle, or lead to one that is not there.
    """

    path: str
    inner: str = ""
    is_cut: bool = False


class _Address(NamedTuple):
    """The whole address, "" where it has no absolute base, and what of it is below that base."""

    whole: str
    below: str
    is_cut: bool = False


_NOWHERE = Spot("")


class _Embedded(NamedTuple):
    text: str
    starts: array[int]


class PlaceTable:
    """The addresses of a run. `artifacts` are packed, the texts of some are `embedded`, by index.

    `roots` are what its version control maps to. Source: 3.4, 3.14.14, 3.23.7.
    """

    def __init__(
        self,
        bases: Mapping[str, ArtifactLocation],
        artifacts: Sequence[bytes],
        embedded: Mapping[int, str],
        roots: Sequence[ArtifactLocation],
    ) -> None:
        self._bases, self._artifacts, self._texts = bases, artifacts, embedded
        self._artifact_decoder = msgspec.msgpack.Decoder(Artifact)
        self._spots: dict[tuple[str | None, str | None, int | None], Spot] = {}
        self._embedded: dict[int, _Embedded] = {}
        conventional = [ArtifactLocation(uri_base_id=name) for name in _ROOTS if name in bases]
        addresses = [self._address(one.uri or "", one.uri_base_id) for one in [*roots, *conventional]]
        self._roots = tuple(_folder(one.whole) for one in addresses if one.whole)
        self._lacks_root = any(one.is_cut for one in addresses)

    def spot(self, location: ArtifactLocation | None) -> Spot:
        """Give where an artefact is. A nested one is at its outermost container: that is the file of the tree."""
        if location is None:
            return _NOWHERE
        key = (location.uri, location.uri_base_id, location.index)
        spot = self._spots.get(key)
        if spot is None:
            if len(self._spots) >= _CACHED:
                self._spots.clear()
            spot = self._spots[key] = self._spot(location)
        return spot

    def region(self, location: ArtifactLocation | None, span: Span, *, longest: int) -> tuple[Region, str]:
        """Give a region and its text, both helped out by the artefact's embedded text where the file gives none.

        `longest` is the length in characters to which a text is cut.
        """
        start = _number(span.start_line)
        region = _region(span, start) if start else Region()
        snippet = (span.snippet.text or "")[:longest] if span.snippet else ""
        index = location.index if location else None
        if index is None or (start and snippet):
            return region, snippet
        embedded = self._text(index)
        if embedded is None:
            return region, snippet
        if not start and span.char_offset is not None and 0 <= span.char_offset <= len(embedded.text):
            # Lines only: how wide a character is where columns are counted is another matter.
            start = bisect_right(embedded.starts, span.char_offset)
            last = max(span.char_offset + max(span.char_length or 0, 0) - 1, span.char_offset)
            region = Region(start_line=start, end_line=bisect_right(embedded.starts, last))
        return region, snippet or _lines(embedded, region, longest)

    def _spot(self, location: ArtifactLocation) -> Spot:
        inner: list[str] = []
        artifact = self._artifact(location.index)
        while artifact and _is_nested(artifact) and len(inner) < _DEEPEST:
            container = self._artifact(artifact.parent_index)
            if container is None or container == artifact:
                break
            inner.append((artifact.location.uri or "") if artifact.location else "")
            artifact = container
        is_cut = artifact is not None and _is_nested(artifact)
        if artifact and artifact.location and (inner or not location.uri):
            location = artifact.location
        uri = location.uri or ""
        address = self._address(uri, location.uri_base_id) if uri else _Address("", "")
        path, is_of_a_root = self._path(address)
        # What no root covers may be below one that was not followed to its end.
        is_cut = is_cut or address.is_cut or (self._lacks_root and bool(address.whole) and not is_of_a_root)
        if not path and uri:
            # A page of a server or a file of no tree: no place to go to, but one result's is not another's.
            return Spot("", (address.whole or address.below)[:LONGEST_PATH], is_cut)
        return Spot(path, "/".join(part.strip("/") for part in reversed(inner))[:LONGEST_PATH], is_cut)

    def _path(self, address: _Address) -> tuple[str, bool]:
        """Give the path in the tree, "" where there is none, and whether a root of the run covers it."""
        for root in self._roots:
            if address.whole.startswith(root):
                return _relative(address.whole.removeprefix(root)), True
        # The topmost base is the machine's own folder: what is below it is the path in the tree.
        return _relative(address.below), False

    def _address(self, uri: str, base: str | None) -> _Address:
        seen: set[str] = set()
        below = uri
        if _SCHEME.match(uri):
            return _Address(uri, uri)
        while base and base in self._bases and base not in seen and len(seen) < _DEEPEST:
            seen.add(base)
            prefix = (self._bases[base].uri or "")[: LONGEST_PATH + 1]
            if _SCHEME.match(prefix):
                return _Address(_folder(prefix) + below, below)
            below = _folder(prefix) + below
            base = self._bases[base].uri_base_id
        # A base of which nothing is said is the reader's to know.
        return _Address("", below, bool(base) and base in self._bases)

    def _artifact(self, index: int | None) -> Artifact | None:
        if index is None or not 0 <= index < len(self._artifacts):
            return None
        return self._artifact_decoder.decode(self._artifacts[index])

    def _text(self, index: int) -> _Embedded | None:
        if index not in self._texts:
            return None
        if index not in self._embedded:
            text = self._texts[index]
            starts = array("L", [0])
            starts.extend(match.end() for match in _LINE_END.finditer(text))
            self._embedded[index] = _Embedded(text, starts)
        return self._embedded[index]


def _region(span: Span, start: int) -> Region:
    """Give a region by lines; one that ends before it begins ends with its first line."""
    end = _number(span.end_line) or start
    first, last = _number(span.start_column), _number(span.end_column)
    if end < start or (end == start and 0 < last < first):
        end, last = start, 0
    return Region(start_line=start, start_column=first, end_line=end, end_column=last)


def _lines(embedded: _Embedded, region: Region, longest: int) -> str:
    if not 0 < region.start_line <= len(embedded.starts):
        return ""
    end = max(region.end_line, region.start_line)
    stop = embedded.starts[end] if end < len(embedded.starts) else len(embedded.text)
    start = embedded.starts[region.start_line - 1]
    return embedded.text[start : min(stop, start + longest)].rstrip("\r\n")


def _is_nested(artifact: Artifact) -> bool:
    """Say whether it names a container; -1 is the standard's own word for none."""
    return artifact.parent_index is not None and artifact.parent_index >= 0


def _folder(uri: str) -> str:
    return uri if not uri or uri.endswith("/") else f"{uri}/"


def _relative(uri: str) -> str:
    if len(uri) > LONGEST_PATH:
        return ""
    try:
        split = urlsplit(uri)
    except ValueError:
        return ""
    if split.scheme not in ("", "file") or split.netloc not in (("", "localhost") if split.scheme else ("",)):
        return ""
    # A `#` in a name that nobody encoded reads as a fragment; two tools do that. So does `?`.
    path = split.path + (f"?{split.query}" if split.query else "") + (f"#{split.fragment}" if split.fragment else "")
    path = unquote(path)
    if "\0" in path:
        return ""
    # Some writers on Windows leave their own separators in.
    path = path.replace("\\", "/") if "/" not in path else path
    if split.scheme == "file" or path.startswith("/"):
        return normpath(path) if path.startswith("/") else ""
    clean = normpath(path) if path else ""
    return "" if clean in ("", ".", "..") or clean.startswith("../") else clean


def _number(value: int | None) -> int:
    return value if value is not None and 0 < value < 2**31 else 0
