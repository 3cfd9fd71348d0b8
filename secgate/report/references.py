"""Which entries of which ledger a row of a report comes from, so that an auditor finds the raw record of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from secgate.evidence.ground import Ground, Read
from secgate.model import KnownStatement, Value
from secgate.population import Imported, key_of
from secgate.report.accounts import EntryReference, EntryRow
from secgate.waivers import requests_in, statement_id

_NAMING = ("run_id", "repository", "downgrade", "debt", "revocation", "notice", "review")
"""Facts of an item that name something else that was recorded."""
_NAMING_SEVERAL = ("accepting", "dismissing", "reviews")


class References:
    """Entries by the names under which items speak of them."""

    def __init__(self, ground: Ground) -> None:
        self._known: dict[str, list[EntryReference]] = {}
        self._rows: dict[str, EntryReference] = {}
        self._ledgers: dict[tuple[int, int, str], str] = {}
        self._read = {read.chronicle.memory.ledger_id or "": read for read in ground.ledgers}
        for read in ground.ledgers:
            self._take(read)
        for joined in ground.lists.values():
            for one in joined.imports:
                for row in one.rows:
                    self._rows[key_of(row)] = self.of_list(one)
                    if one.event.kind == "repositories":
                        self._rows[row.repository] = self.of_list(one)

    def of(self, item: str, facts: Mapping[str, object]) -> tuple[EntryReference, ...]:
        """Give the entries of an item: its list's, its own, and those of what it names."""
        lists = (self._rows.get(item), self._rows.get(str(facts.get("repository"))))
        found = [one for one in lists if one is not None]
        for name in (item, item.rpartition("/")[0], *_named(facts)):
            found += self._known.get(name, ())
        size, ledger_size = facts.get("size"), facts.get("ledger_size")
        if isinstance(size, int) and isinstance(ledger_size, int) and 0 < size <= ledger_size:
            # The last entry that a checkpoint is over.
            found.append(EntryReference(ledger_id=str(facts["ledger_id"]), sequence=size - 1))
        return tuple(dict.fromkeys(found))

    def of_list(self, one: Imported) -> EntryReference:
        """Give the entry with which a list came in."""
        ledger_id = self._ledgers.get((one.sequence, one.at_epoch_s, one.event.rows_digest), "")
        return EntryReference(ledger_id=ledger_id, sequence=one.sequence)

    def rows(self, *parts: object) -> tuple[EntryRow, ...]:
        """Give each entry that parts of a report name, with its leaf and what is kept beside it, in order."""
        named = sorted({(one.ledger_id, one.sequence) for part in parts for one in _references_in(part)})
        found = []
        for ledger_id, sequence in named:
            chronicle = self._read[ledger_id].chronicle
            found.append(
                EntryRow(
                    ledger_id=ledger_id,
                    sequence=sequence,
                    type=chronicle.type_of(sequence),
                    leaf=chronicle.leaf(sequence),
                    bodies=chronicle.bodies(sequence),
                )
            )
        return tuple(found)

    def _take(self, read: Read) -> None:
        chronicle = read.chronicle
        ledger_id = chronicle.memory.ledger_id or ""

        def note(name: str, sequence: int) -> None:
            self._known.setdefault(name, []).append(EntryReference(ledger_id=ledger_id, sequence=sequence))

        for run in chronicle.runs:
            note(run.name, run.sequence)
        for episode in read.episodes:
            for sequence in episode.sequences:
                note(read.key_of(episode), sequence)
        for one in read.supersedings:
            note(read.named(one.item.id, one.recorded.event.repository), one.recorded.sequence)
        for change in chronicle.changes:
            note(read.named(change.key, change.change.repository), change.sequence)
        for sent, sequence in chronicle.notices:
            note(sent.message_id, sequence)
        for listed, sequence in chronicle.baselines:
            note(listed.statement_digest, sequence)
        for statement in chronicle.statements:
            for name in (f"{chronicle.address}#{statement.sequence}", *_names(statement, read)):
                note(name, statement.sequence)
        for known_list in chronicle.populations:
            self._ledgers[known_list.sequence, known_list.at_epoch_s, known_list.event.rows_digest] = ledger_id


def _named(facts: Mapping[str, object]) -> Iterator[str]:
    """Give what an item's facts name."""
    for name in _NAMING:
        if facts.get(name):
            yield str(facts[name])
    for name in _NAMING_SEVERAL:
        several = facts.get(name)
        yield from map(str, several) if isinstance(several, list) else ()
    runs = facts.get("runs")
    for one in runs if isinstance(runs, list) else ():
        if isinstance(one, dict) and one.get("run_id"):
            yield str(one["run_id"])


def _references_in(value: object) -> Iterator[EntryReference]:
    """Give the entries that a part of a report names, at any depth."""
    if isinstance(value, EntryReference):
        yield value
    elif isinstance(value, Value):
        for name in value.__struct_fields__:
            yield from _references_in(getattr(value, name))
    elif isinstance(value, tuple):
        for one in value:
            yield from _references_in(one)


class _About(Value, frozen=True, kw_only=True):
    """What a statement speaks of, as far as it is another one."""

    request: str = ""
    override: str = ""


def _names(one: KnownStatement, read: Read) -> Iterator[str]:
    for name in _ids(one):
        yield from dict.fromkeys((name, read.named(name, name)))


def _ids(one: KnownStatement) -> Iterable[str]:
    """Give the ids of a statement, and of the one that it approves, reviews or revokes."""
    try:
        own = [statement_id(part) for part in requests_in(one)]
        about = msgspec.json.decode(one.statement, type=_About)
    except msgspec.DecodeError:
        return [statement_id(one.statement.encode())]
    return [*own, *filter(None, (about.request, about.override))]
