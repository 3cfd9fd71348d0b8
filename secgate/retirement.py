"""Scanners and rules that are no longer used: the signed map that lets what only they saw come to an end.

    version = 1
    [[retired]]
    scanner = "bandit"
    rule = "B307"                    # without it: everything of the scanner
    reason = "covered by our own rule"
    date = 2026-03-01                # from then on, 00:00 UTC
    successor = "semgrep:our-eval"   # what sees the same now, as `scanner:rule`

It is `retired.toml` of the enforced layer, with `retired.toml.sig` beside it. A retired witness is not waited for: a
finding whose every witness is retired is closed, unless a successor sees the same text; then it goes on under the
successor's name with its clock. What a retired rule still reports counts as before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from secgate.config import Layer as SettingsLayer
from secgate.config import check_table, parse_file, place_of
from secgate.errors import ConfigError, faults_words
from secgate.finding_facts import Witness
from secgate.model import History, KnownFinding, Value
from secgate.parts import names_of

FILE_NAME = "retired.toml"
NAMESPACE = "secgate-retirement"
_RULE = re.compile(r"[^:\s]+:\S+")


class _Entry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One table of the file."""

    scanner: str
    reason: str
    date: date
    rule: str = ""
    successor: str = ""


class _File(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file."""

    version: Literal[1]
    retired: list[_Entry] = []


class Retired(Value, frozen=True, kw_only=True):
    """A scanner, or one rule of it, that is not waited for from a second on."""

    scanner: str
    rule: str
    since_epoch_s: int
    reason: str
    successor: str = ""

    def means(self, witness: Witness) -> bool:
        """Tell whether a witness is meant."""
        return self.scanner == witness.scanner and self.rule in ("", witness.rule)


class Retirement(Value, frozen=True, kw_only=True):
    """What is retired at the time of a run; nothing, unless the map's signature was verified."""

    entries: tuple[Retired, ...] = ()
    digest: str = ""
    """SHA-256 of the signed map; "" for none."""

    def at(self, epoch_s: int) -> Retirement:
        """Give what is retired by then."""
        return replace(self, entries=tuple(one for one in self.entries if one.since_epoch_s <= epoch_s))

    def is_retired(self, witness: Witness) -> bool:
        """Tell whether nobody waits for a witness any more."""
        return any(one.means(witness) for one in self.entries)

    def successors(self, witnesses: Iterable[Witness]) -> frozenset[str]:
        """Give what sees the same now as the retired among `witnesses` did, as `scanner:rule`."""
        all_of = list(witnesses)
        return frozenset(
            one.successor for one in self.entries if one.successor and any(one.means(seen) for seen in all_of)
        )

    def applied(self, history: History) -> History:
        """Give the memory without the retired, and each finding also under the names its successors would give it."""
        if not self.entries:
            return history
        return replace(
            history,
            open=tuple(self._renamed(one) for one in history.open),
            closed=tuple(self._renamed(one) for one in history.closed),
        )

    def _renamed(self, known: KnownFinding) -> KnownFinding:
        witnesses = [Witness(scanner=scanner, rule=rule) for scanner, rule in known.rules]
        if not any(self.is_retired(one) for one in witnesses):
            return known
        kept = tuple(sorted({one.scanner for one in witnesses if not self.is_retired(one)}))
        names = {alias.value: alias for alias in known.aliases}
        names |= {one.value: one for one in names_of(known, self.successors(witnesses), path=known.path)}
        return replace(known, scanners=kept, aliases=tuple(names[value] for value in sorted(names)))


def read_retirement(data: bytes, *, digest: str) -> Retirement:
    """Read the map; whether it counts is for its signature to say. Raises ConfigError with every fault."""
    layer = parse_file(data, name=FILE_NAME, trust="enforced")
    if layer is None:
        raise ConfigError("there is nothing in it", faults=(), place=FILE_NAME, remedy="write [[retired]] tables")
    faults: list[tuple[str, str, str]] = []
    check_table(layer, _File, layer.values, (), faults)
    read = _File(version=1)
    if not faults:
        read = msgspec.convert(layer.values, _File)
        _check_entries(layer, read, faults)
    if faults:
        raise ConfigError(f"{faults_words(len(faults))} in {FILE_NAME}", faults=faults, remedy="mend and sign it again")
    return Retirement(
        digest=digest,
        entries=tuple(
            Retired(
                scanner=one.scanner,
                rule=one.rule,
                since_epoch_s=int(datetime(one.date.year, one.date.month, one.date.day, tzinfo=UTC).timestamp()),
                reason=one.reason,
                successor=one.successor,
            )
            for one in sorted(read.retired, key=lambda one: (one.scanner, one.rule))
        ),
    )


def _check_entries(layer: SettingsLayer, read: _File, faults: list[tuple[str, str, str]]) -> None:
    gone = {(one.scanner, one.rule) for one in read.retired}
    seen: set[tuple[str, str]] = set()
    for index, one in enumerate(read.retired):
        place = place_of(layer, ("retired", str(index), "scanner"))
        name = f"{one.scanner}:{one.rule}" if one.rule else one.scanner
        if not one.scanner or not one.reason.strip():
            faults.append((place, f"`{name}` has no scanner or no reason", "say which, and why it is retired"))
        if (one.scanner, one.rule) in seen:
            faults.append((place, f"`{name}` is retired twice", "remove one"))
        seen.add((one.scanner, one.rule))
        if not one.successor:
            continue
        scanner, _, rule = one.successor.partition(":")
        if not one.rule:
            faults.append((place, f"all of `{name}` has one successor", "retire its rules, each with its own"))
        elif not _RULE.fullmatch(one.successor):
            faults.append((place, f"`{one.successor}` is no rule", "write scanner:rule"))
        elif (scanner, "") in gone or (scanner, rule) in gone:
            faults.append((place, f"the successor `{one.successor}` is retired itself", "name what sees it now"))
