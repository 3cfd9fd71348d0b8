"""Every version of every event stays readable: its stored bytes are in tests/fixtures/events, one file a version.

Files are written by hand when a version is made, and never changed after it.
"""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from secgate.custody.verifying import namespace_of
from secgate.errors import LedgerError
from secgate.events import EVENTS, event_of
from secgate.merkle import decode_entry
from secgate.signed_events import SIGNED_EVENTS, SignedEvent

STORED = Path(__file__).parents[1] / "fixtures" / "events"


@pytest.mark.parametrize(("kind", "version"), EVENTS, ids=str)
def test_stored_bytes_of_every_version_are_read(kind: str, version: int) -> None:
    data = (STORED / f"{kind}.{version}.json").read_bytes().rstrip(b"\n")
    envelope = decode_entry(data)
    event = event_of(envelope)
    assert (kind, version) == (type(event).TYPE, type(event).VERSION) if event else False
    read, stored = json.loads(msgspec.json.encode(event)), json.loads(data)["body"]
    assert {name: read.get(name) for name in stored} == stored, "a field was lost, or means another thing"


def test_every_version_has_stored_bytes() -> None:
    assert {path.name for path in STORED.glob("*.json")} == {f"{kind}.{version}.json" for kind, version in EVENTS}


def test_a_known_event_that_does_not_read_is_an_error() -> None:
    data = (STORED / "ledger-adopted.1.json").read_bytes().rstrip(b"\n")
    with pytest.raises(LedgerError, match="does not read"):
        event_of(decode_entry(data.replace(b'"secgate_version":"', b'"secgate_versions":"')))


@pytest.mark.parametrize("event", SIGNED_EVENTS, ids=lambda event: event.TYPE)
def test_every_signed_event_says_what_its_signature_is_for(event: type[SignedEvent]) -> None:
    assert namespace_of(event.TYPE).startswith("secgate-")
