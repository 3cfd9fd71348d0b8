"""Form `json`: an array of objects with the names that the columns of a table have, every value a text."""

from __future__ import annotations

from secgate.population import KINDS
from secgate.population_records import check_columns
from secgate.population_text import Faults, elements, text_of
from secgate.ports import PopulationKind, PopulationReading, PopulationRecord


class JsonPopulation:
    """Reads an array of rows; `artifacts` may be an array of texts, and yes or no `true` or `false`."""

    name = "json"
    kinds = KINDS
    provider = ""

    def read(self, data: bytes, kind: PopulationKind, *, place: str) -> PopulationReading:
        """See PopulationReader."""
        faults = Faults(place)
        records: list[PopulationRecord] = []
        for element in elements(text_of(data, place), place):
            check_columns(kind, list(element.fields), element.line, faults)
            fields: dict[str, str] = {}
            for name, value in element.fields.items():
                text = _text(name, value)
                if text is None:
                    faults.add(
                        element.line, f"`{name[:60]}` is no text", "write it in quotes; leave out what is not known"
                    )
                else:
                    fields[name] = text
            records.append(PopulationRecord(element.line, fields))
        faults.raise_any()
        return PopulationReading(tuple(records), len(records))


def _text(name: str, value: object) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, bool) and name in ("machine", "infrastructure"):
        return "yes" if value else "no"
    if name == "id" and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if name == "artifacts" and isinstance(value, list) and all(isinstance(one, str) for one in value):
        return " ".join(value)
    return None
