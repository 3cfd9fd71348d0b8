from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from secgate.checkpoint import Checkpoint, sealed, stamped, statement_of
from secgate.errors import LedgerError

MADE = Checkpoint(at_epoch_s=1, ledger_id="a" * 64, root="b" * 64, size=3)


def file(statement: bytes = statement_of(MADE), **given: Any) -> bytes:
    payload = base64.b64encode(statement).decode()
    whole = {"payload": payload, "payloadType": "x", "signatures": [{"sig": "AAEC", "keyid": "SHA256:k"}], **given}
    return json.dumps(whole).encode()


def test_a_checkpoint_is_taken_apart() -> None:
    told = sealed(file())
    assert (told.checkpoint, told.signature, told.key, told.timestamps) == (MADE, b"\0\1\2", "SHA256:k", ())


def test_the_statement_is_sorted_json() -> None:
    assert statement_of(MADE) == b'{"at_epoch_s":1,"ledger_id":"%b","root":"%b","size":3,"version":1}' % (
        b"a" * 64,
        b"b" * 64,
    )


def test_timestamps_join_without_touching_what_is_signed() -> None:
    told = sealed(stamped(file(), (b"one", b"two")))
    assert (told.timestamps, told.statement, told.signature) == ((b"one", b"two"), statement_of(MADE), b"\0\1\2")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"x" * 2_000_000,
        file(b"{}"),
        file(statement_of(MADE) + b" "),
        file(statement_of(MADE).replace(b'"size":3', b'"size":0')),
        file(statement_of(MADE).replace(b'"version":1', b'"version":2')),
        file(signatures=[]),
        file(signatures=[{"sig": "no base64!"}]),
        file(timestamps=["AA=="] * 9),
        file().replace(b'"keyid":', b'"sig": "AAED", "keyid":'),
    ],
)
def test_what_is_none_is_refused(data: bytes) -> None:
    with pytest.raises(LedgerError, match="this is no checkpoint"):
        sealed(data, place="there")
