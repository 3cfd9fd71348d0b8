"""What a result that points into a file means there: the stretch of its text, and the unit that this begins with."""

from __future__ import annotations

from msgspec import Struct

from secgate.languages.parse import FileIndex
from secgate.languages.source import ColumnUnit
from secgate.languages.spans import Unit
from secgate.model import Region
from secgate.places.wording import Wording


class Pointed(Struct, frozen=True, array_like=True, gc=False):
    """A region as a tool gives it. With `is_node` it mixes the lines and the byte columns of nodes of Python's tree."""

    region: Region
    columns: ColumnUnit
    is_node: bool


class Spot(Struct, frozen=True, gc=False):
    """The region in UTF-16 columns, its start and end offset, and its first unit; without a line no unit.

    `wording` is that of the unit as it stands in the file, where it is known already.
    """

    region: Region
    start: int
    end: int
    unit: Unit | None
    wording: Wording | None = None


def region_of(index: FileIndex, pointed: Pointed) -> Region:
    """Give the region in UTF-16 columns, inside of the file; an empty one where no line is pointed at."""
    raw, source = pointed.region, index.source
    if raw.start_line <= 0:
        return Region()
    if pointed.is_node and raw.end_line > raw.start_line:
        return index.lines_region(raw.start_line, raw.end_line, (raw.start_column - 1, raw.end_column - 1))
    if pointed.is_node and raw.start_column > 0 and raw.end_column > 0:
        return index.node_region(raw.start_line, raw.start_column - 1, raw.end_column - 1, raw.end_line)
    last = max(source.line_count, 1)
    start_line = min(raw.start_line, last)
    end_line = min(max(raw.end_line, start_line), last)
    start = source.utf16_column(start_line, raw.start_column, pointed.columns)
    end = source.utf16_column(end_line, raw.end_column, pointed.columns)
    if (start_line, start, end_line, end) == (raw.start_line, raw.start_column, raw.end_line, raw.end_column):
        return raw
    if start_line == end_line and 0 < end < start:
        end = start
    return Region(start_line=start_line, start_column=start, end_line=end_line, end_column=end)


def spot(index: FileIndex, pointed: Pointed) -> Spot:
    """Give what is pointed at. The file is parsed where it was not yet."""
    region = region_of(index, pointed)
    if not region.start_line:
        return Spot(region, 0, 0, None)
    start, end = index.source.offsets(region)
    return Spot(region, start, end, index.first_unit(start, end))
