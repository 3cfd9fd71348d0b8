"""The ledger's entries told one a line, for people at 80 columns, or as JSON."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from secgate.config import Machine
from secgate.custody.survey import entries_of
from secgate.errors import LedgerError, UsageError
from secgate.escape import json_text, plain
from secgate.events import EVENTS, event_of
from secgate.model import LedgerEntry
from secgate.preparation import Place, opened
from secgate.sla import length_words, many

_SHOWN = 12
_LINE = 2000


class Told(NamedTuple):
    """Entries in order, and how many before them were left out."""

    address: str
    entries: tuple[LedgerEntry, ...]
    left_out: int


def log(place: Place, *, types: Sequence[str] = (), last: int = 0, machine: Machine, now: datetime) -> Told:
    """Give the last `last` entries (0 for all) of the given types ((), for all) of a ledger that verifies.

    Raises LedgerError for one that is not there or does not, and UsageError for types that nobody knows.
    """
    with opened(place, machine=machine, now=now) as desk:
        ledger = desk.chosen.ledger
        kept: deque[LedgerEntry] = deque(maxlen=last or None)
        count = 0
        for entry in entries_of(ledger):
            try:
                event_of(entry)
            except LedgerError as error:
                error.place = ledger.address
                raise
            if not types or entry.type in types:
                kept.append(entry)
                count += 1
        unknown = sorted(set(types) - {kind for kind, _ in EVENTS})
        if unknown and not count:
            raise UsageError(
                f"no entry is of type `{unknown[0]}`",
                place="--type",
                remedy=f"one of: {', '.join(sorted({kind for kind, _ in EVENTS}))}",
            )
        return Told(ledger.address, tuple(kept), count - len(kept))


def log_page(told: Told, form: str, *, width: int) -> bytes:
    """Give entries as `text`, one a line of at most `width` columns, or as `json`."""
    if form == "json":
        return b"".join(_json(told))
    columns = max((len(entry.type) for entry in told.entries), default=0)
    lines = [_line(entry, columns)[:width].rstrip() for entry in told.entries]
    return "".join(f"{line}\n" for line in lines).encode()


def _json(told: Told) -> Iterator[bytes]:
    """One entry a line, with its exact bytes as they were stored in `entry`."""
    yield b'{"format":{"name":"secgate-log","version":1},"entries":[\n'
    for at, entry in enumerate(told.entries):
        whole = {"entry": msgspec.Raw(entry.data), "leaf": entry.leaf}
        yield (b",\n" if at else b"") + json_text(msgspec.json.encode(whole))
    yield b"\n]}\n"


def _line(entry: LedgerEntry, columns: int) -> str:
    at = datetime.fromtimestamp(entry.at_epoch_s, tz=UTC)
    body = msgspec.json.decode(entry.body)
    said = plain(_said(entry.type, body)[:_LINE])
    return f"{entry.sequence:>6}  {at:%Y-%m-%d %H:%M}  {entry.type:<{columns}}  {said}"


def _said(kind: str, body: dict[str, Any]) -> str:
    """Give what an entry says in a few words; of a type that is not known here, its first plain values."""
    finding = body.get("finding")
    parts: tuple[object, ...]
    match kind:
        case "run":
            parts = (body.get("outcome") or "undecided", body.get("scope"), body.get("line"), _short(body, "commit"))
        case "checkpoint":
            parts = (body.get("size"), "entries, at", body.get("place"))
        case "artefact-bound":
            parts = (
                str(body.get("artifact"))[: _SHOWN + len("sha256:")],
                body.get("name"),
                "of run",
                body.get("run_id"),
            )
        case "population-imported":
            parts = (body.get("kind"), many(int(body.get("rows") or 0), "row"), "of", body.get("source"))
        case "policy-changed" | "scanner-changed" | "rule-pack-changed" | "mode-changed":
            parts = (body.get("name"), body.get("part"), _short(body, "before") or "none", "to", _short(body, "after"))
        case "obligation" | "obligation-superseded":
            parts = (_short(body, "fingerprint"), body.get("basis"), _length(body.get("limit_s")))
        case _ if isinstance(statement := body.get("statement"), str):
            parts = _stated(statement)
        case _ if isinstance(finding, dict):
            parts = (_short(finding, "fingerprint"), *(finding.get(name) for name in ("severity", "weakness", "path")))
        case _ if "fingerprint" in body:
            parts = (_short(body, "fingerprint"), body.get("basis"))
        case _:
            parts = tuple(value for _, value in sorted(body.items()) if isinstance(value, str | int))
    return " ".join(str(part) for part in parts if part not in (None, ""))


def _stated(statement: str) -> tuple[object, ...]:
    """Give who signed a statement, what of and why, as it says itself; nothing of it is checked here."""
    try:
        said = msgspec.json.decode(statement, type=dict[str, Any])
    except msgspec.DecodeError:
        return ("a statement that does not read",)
    requests = said.get("requests")
    several = many(len(requests), "request") if isinstance(requests, list) else ""
    first = next((one for one in requests if isinstance(one, dict)), said) if isinstance(requests, list) else said
    who = next((said[name] for name in ("approver", "by") if name in said), first.get("requester"))
    of = _short(said, "request") or _short(said, "override") or _short(said, "fingerprint")
    return (who, several, first.get("kind"), said.get("word"), of and f"of {of}", said.get("line"), first.get("reason"))


def _length(seconds: object) -> str:
    return length_words(seconds) if isinstance(seconds, int) and seconds >= 0 else str(seconds)


def _short(body: dict[str, Any], name: str) -> str:
    return str(body.get(name) or "")[:_SHOWN]
