"""Form `csv`: a table with a header, comma between cells, as spreadsheets and queries write it."""

from __future__ import annotations

import csv
import io

from secgate.population import KINDS
from secgate.population_records import check_columns
from secgate.population_text import MAX_RECORDS, Faults, text_of
from secgate.ports import PopulationKind, PopulationReading, PopulationRecord


class CsvPopulation:
    """Reads a table; columns are those of the kind, in any order."""

    name = "csv"
    kinds = KINDS
    provider = ""

    def read(self, data: bytes, kind: PopulationKind, *, place: str) -> PopulationReading:
        """See PopulationReader."""
        text = text_of(data, place)
        faults = Faults(place)
        records: list[PopulationRecord] = []
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        header: list[str] = []
        line = 1
        try:
            for cells in reader:
                start, line = line, reader.line_num + 1
                if not header:
                    header = cells
                    check_columns(kind, header, start, faults)
                    if faults:
                        break
                elif len(cells) != len(header):
                    told = f"the row has {len(cells)} cells, and the header {len(header)}"
                    faults.add(start, told, "quote cells that hold a comma, a quote or a line break")
                elif len(records) == MAX_RECORDS:
                    faults.add(start, f"there are more than {MAX_RECORDS} rows", "import it in parts, month by month")
                    break
                else:
                    records.append(PopulationRecord(start, dict(zip(header, cells, strict=True))))
        except csv.Error as error:
            faults.add(line, f"it is no table: {error}", "quote cells as RFC 4180 says")
        faults.raise_any()
        return PopulationReading(tuple(records), len(records))
