"""A checkpoint: size and root of a ledger, signed, to be kept where the ledger's holder cannot change it.

One file, a DSSE envelope. Its payload is

    {"at_epoch_s":N,"ledger_id":"HEX","root":"HEX","size":N,"version":1}

and beside the envelope's own members there may be `timestamps`, answers of RFC 3161 authorities (TimeStampResp, DER,
base64) over the first signature's bytes. A reader of DSSE passes over what it does not know. Pure: who signed, and when
it was stamped, is for signers to say.
"""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from secgate.errors import LedgerError
from secgate.model import Digest, Epoch, Head, Value, encode
from secgate.once import require_once

NAMESPACE = "secgate-checkpoint"
MAX_BYTES = 1024 * 1024
MAX_TIMESTAMPS = 8
_REMEDY = "give what `secgate ledger checkpoint` wrote, unchanged"


class Checkpoint(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is signed. `at_epoch_s` is the signer's word for when."""

    at_epoch_s: Epoch
    ledger_id: Digest
    root: Digest
    size: Annotated[int, Meta(ge=1)]
    version: Literal[1] = 1

    @property
    def head(self) -> Head:
        """Size and root."""
        return Head(size=self.size, root=self.root)


class Sealed(Value, frozen=True, kw_only=True):
    """A checkpoint's file, taken apart: `data` is all of it, `statement` what is signed, `signature` the first one."""

    data: bytes
    checkpoint: Checkpoint
    statement: bytes
    signature: bytes
    key: str
    """What the file calls the key, as `SHA256:...`; believed by nobody."""
    timestamps: tuple[bytes, ...] = ()


class _Signature(Struct, frozen=True, kw_only=True):
    sig: str
    keyid: str = ""


class _File(Struct, frozen=True, kw_only=True, rename="camel"):
    payload: str
    signatures: Annotated[list[_Signature], Meta(min_length=1)]
    timestamps: list[str] = []


def statement_of(checkpoint: Checkpoint) -> bytes:
    """Give the exact bytes that are signed."""
    return encode(checkpoint)


def sealed(data: bytes, *, place: str = "") -> Sealed:
    """Take a checkpoint's file apart; nothing of it is believed yet. Raises LedgerError for what is none."""
    try:
        if len(data) > MAX_BYTES:
            raise ValueError("it is too large")
        file = msgspec.json.decode(data, type=_File)
        require_once(data)
        if len(file.timestamps) > MAX_TIMESTAMPS:
            raise ValueError(f"{len(file.timestamps)} timestamps")
        statement = decoded(file.payload)
        checkpoint = msgspec.json.decode(statement, type=Checkpoint)
        if statement_of(checkpoint) != statement:
            raise ValueError("its statement is not in the form in which one is made")
        return Sealed(
            data=data,
            checkpoint=checkpoint,
            statement=statement,
            signature=decoded(file.signatures[0].sig),
            key=file.signatures[0].keyid,
            timestamps=tuple(decoded(one) for one in file.timestamps),
        )
    except (msgspec.DecodeError, UnicodeDecodeError, binascii.Error, ValueError, RecursionError) as error:
        raise LedgerError(f"this is no checkpoint: {error}", place=place, remedy=_REMEDY) from error


def stamped(data: bytes, answers: tuple[bytes, ...]) -> bytes:
    """Give a checkpoint's file with the answers of authorities in place of those that it had."""
    file = msgspec.json.decode(data, type=dict[str, object])
    file["timestamps"] = [base64.b64encode(one).decode() for one in answers]
    return encode(file)


def decoded(text: str) -> bytes:
    """Give what an envelope holds as base64, of either alphabet. Raises ValueError for what is none.

    Source: DSSE protocol 1.0.2, Parameters.
    """
    return base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
