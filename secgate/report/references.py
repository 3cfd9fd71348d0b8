"""Which entries of which ledger an item of a population comes from, so that an auditor finds the raw record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from secgate.evidence.ground import Ground, Read
from secgate.model import KnownStatement
from secgate.population import Imported, key_of
from secgate.report.accounts import EntryReference
from secgate.waivers import requests_in, statement_id


class References:
    """Entries by the names under which items speak of them."""

    def __init__(self, ground: Ground) -> None:
        self._known: dict[str, EntryReference] = {}
        self._rows: dict[str, EntryReference] = {}
        self._ledgers: dict[tuple[int, int, str], str] = {}
        for read in ground.ledgers:
            self._take(read)
        for joined in ground.lists.values():
            for one in joined.imports:
                for row in one.rows:
                    self._rows[key_of(row)] = self.of_list(one)
                    if one.event.kind == "repositories":
                        self._rows[row.repository] = self.of_list(one)

    def of(self, item: str, facts: Mapping[str, object]) -> tuple[EntryReference, ...]:
        """Give the entries of an item: its own, its list's, and those of the runs that it names."""
        runs = facts.get("runs")
        named: list[object] = [facts.get("run_id"), item.rpartition("/")[0]]
        if isinstance(runs, list):
            named += [one.get("run_id") for one in runs if isinstance(one, dict)]
        own = [
            self._rows.get(item),
            self._rows.get(str(facts.get("repository"))),
            self._known.get(item),
            *(self._known.get(str(name)) for name in named if name),
        ]
        return tuple(dict.fromkeys(one for one in own if one is not None))

    def of_list(self, one: Imported) -> EntryReference:
        """Give the entry with which a list came in."""
        ledger_id = self._ledgers.get((one.sequence, one.at_epoch_s, one.event.rows_digest), "")
        return EntryReference(ledger_id=ledger_id, sequence=one.sequence)

    def _take(self, read: Read) -> None:
        chronicle = read.chronicle
        ledger_id = chronicle.memory.ledger_id or ""

        def note(name: str, sequence: int) -> None:
            self._known.setdefault(name, EntryReference(ledger_id=ledger_id, sequence=sequence))

        for run in chronicle.runs:
            note(run.name, run.sequence)
        for episode in read.episodes:
            if episode.opened_sequence:
                note(read.key_of(episode), episode.opened_sequence)
        for one in chronicle.changes:
            note(read.named(one.key, one.change.repository), one.sequence)
        for statement in chronicle.statements:
            note(f"{chronicle.address}#{statement.sequence}", statement.sequence)
            for name in _ids(statement):
                note(read.named(name, name), statement.sequence)
        for known in chronicle.populations:
            self._ledgers[known.sequence, known.at_epoch_s, known.event.rows_digest] = ledger_id


def _ids(one: KnownStatement) -> Iterable[str]:
    try:
        return [statement_id(part) for part in requests_in(one)]
    except msgspec.DecodeError:
        return [statement_id(one.statement.encode())]
