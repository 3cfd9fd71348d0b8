"""A file that may be an attestation, taken apart; nothing of it is believed yet.

Stricter than JSON: a key that is there twice is read differently by different readers, so it is refused, in the
envelope and in the payload. Fields that are not known are passed over, as in-toto's parsing rules ask.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple, NoReturn

import msgspec

from secgate.attest.statement import COMMIT, PREDICATE_NAME, PREDICATE_TYPE, STATEMENT_TYPE, TREE, GateRun, Statement
from secgate.checkpoint import decoded
from secgate.errors import SignatureError
from secgate.escape import plain
from secgate.model import OUTCOME_ORDER
from secgate.once import require_once

MAX_BYTES = 4 * 1024 * 1024
PAYLOAD_TYPE = "application/vnd.in-toto+json"
_SHOWN = 120


class Attestation(NamedTuple):
    """An envelope's bytes, the bytes that are signed, and what they say.

    `key` is what the file calls the first signature's key, as `SHA256:...`; believed by nobody.
    """

    data: bytes
    payload: bytes
    statement: Statement
    key: str

    @property
    def run(self) -> GateRun:
        """The predicate."""
        return self.statement.predicate


def read(data: bytes, *, place: str = "") -> Attestation:
    """Take an attestation apart. Raises SignatureError for what is none, or of a version that is not known."""
    try:
        if len(data) > MAX_BYTES:
            raise ValueError(f"it is larger than {MAX_BYTES} bytes")
        envelope = _object(data)
        kind = envelope.get("payloadType")
        if kind != PAYLOAD_TYPE:
            raise ValueError(f"its payload is {_told(kind)}, not {PAYLOAD_TYPE}")
        signatures = envelope.get("signatures")
        if not isinstance(signatures, list) or not signatures or not isinstance(signatures[0], dict):
            raise ValueError("nobody signed it")
        payload = decoded(str(envelope.get("payload", "")))
        _require_kind(_object(payload))
        statement = msgspec.json.decode(payload, type=Statement)
        _require_consistent(statement)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise SignatureError(
            f"this is no attestation of a run: {error}",
            place=place,
            remedy="give what `secgate run --attest` or `secgate attest` wrote, unchanged",
        ) from error
    return Attestation(data, payload, statement, str(signatures[0].get("keyid", "")))


def _object(data: bytes) -> dict[str, Any]:
    # Decoded first: json reads UTF-16 too, and others do not.
    found = json.loads(data.decode("utf-8"), parse_constant=_no_number)
    require_once(data)
    if not isinstance(found, dict):
        raise ValueError("it is no JSON object")
    return found


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")


def _require_kind(payload: dict[str, Any]) -> None:
    """Tell another kind or version by its name before its fields are looked at."""
    if payload.get("_type") != STATEMENT_TYPE:
        raise ValueError(f"its payload is {_told(payload.get('_type'))}, not {STATEMENT_TYPE}")
    kind = payload.get("predicateType")
    if kind == PREDICATE_TYPE:
        return
    if isinstance(kind, str) and kind.startswith(f"{PREDICATE_NAME}/"):
        raise ValueError(f"this version of secgate reads {PREDICATE_TYPE} alone, and it is {_told(kind)}")
    raise ValueError(f"it says {_told(kind)}, not {PREDICATE_TYPE}")


def _require_consistent(statement: Statement) -> None:
    """Refuse one that says two things: of another commit than its subject, or an outcome that its list denies."""
    run = statement.predicate
    for name, said in ((COMMIT, run.source.commit), (TREE, run.source.tree)):
        held = [one.digest[name] for one in statement.subject if name in one.digest]
        if held != [said]:
            raise ValueError(f"its subjects and its predicate name different {name}")
    if next((one for one in OUTCOME_ORDER if one in run.all_outcomes), None) is not run.outcome:
        raise ValueError("its outcome is not the first of all its outcomes")
    if run.signed_on < run.evaluated_on:
        raise ValueError("it was signed before the run")


def _told(value: object) -> str:
    return f"`{plain(value[:_SHOWN])}`" if isinstance(value, str) else "nothing"
