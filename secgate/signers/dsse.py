"""Signer `dsse`, for machines: a DSSE envelope with Ed25519 signatures, the keys in the same allowed_signers.

Source: DSSE protocol 1.0.2. The payload type is `application/vnd.NAMESPACE+json`, so that the namespace `in-toto` gives
the type that in-toto names. The envelope carries its payload; it must be the statement that is verified, byte for byte.
"""

from __future__ import annotations

import base64
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from secgate.checkpoint import decoded
from secgate.errors import ConfigError, SignatureError
from secgate.model import Signed, Trust
from secgate.once import require_once
from secgate.trust import AllowedKey, allowed_keys, key_fingerprint, revocations, strings_of

KEY_TYPE = "ssh-ed25519"
MAX_SIGNATURES = 16
MAX_KEY_BYTES = 64 * 1024
_FORM = "DSSEv1"


class _Signature(Struct, frozen=True, kw_only=True):
    """One signature of an envelope."""

    sig: str
    keyid: str = ""


class _Envelope(Struct, frozen=True, kw_only=True, rename="camel"):
    """What is signed and by whom."""

    payload: str
    payload_type: str
    signatures: list[_Signature]


class DsseSigner:
    """Signs with an Ed25519 key in a file, PEM or OpenSSH's form, without a passphrase; starts no process."""

    name = "dsse"

    def sign(self, statement: bytes, *, namespace: str, key: str) -> bytes:
        """Give an envelope as JSON. See Signer. `key` is a private key's file."""
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        try:
            with Path(key).open("rb") as file:
                data = file.read(MAX_KEY_BYTES)
            is_ssh = b"OPENSSH PRIVATE KEY" in data
            load = serialization.load_ssh_private_key if is_ssh else serialization.load_pem_private_key
            private = load(data, password=None)
        except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
            what = error.strerror if isinstance(error, OSError) else error
            raise SignatureError(
                f"the key cannot be used: {what}", place=key, remedy="give an Ed25519 key without a passphrase"
            ) from error
        if not isinstance(private, Ed25519PrivateKey):
            raise SignatureError("the key is not Ed25519", place=key, remedy="ssh-keygen -t ed25519 makes one")
        raw = private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        signature = private.sign(_encoding(_type(namespace), statement))
        envelope = _Envelope(
            payload=base64.b64encode(statement).decode(),
            payload_type=_type(namespace),
            signatures=[_Signature(sig=base64.b64encode(signature).decode(), keyid=key_fingerprint(_blob(raw)))],
        )
        return msgspec.json.encode(envelope, order="sorted")

    def verify(self, statement: bytes, signature: bytes, *, namespace: str, trust: Trust, at: datetime) -> Signed:
        """See Signer. Of several signatures the first by a key that counts is enough."""
        envelope = _read(signature)
        if envelope.payload_type != _type(namespace) or _decoded(envelope.payload) != statement:
            raise SignatureError(
                f"the envelope is not for this statement as {_type(namespace)}", remedy="sign exactly these bytes"
            )
        at_epoch_s = int(at.timestamp())
        try:
            keys, revoked = allowed_keys(trust), revocations(trust)
        except ConfigError as error:
            raise SignatureError(error.what, place=error.place, remedy="mend the enforced layer") from error
        message = _encoding(envelope.payload_type, statement)
        reason = "nobody who counts for it made the signature"
        for one in envelope.signatures:
            key = _maker(keys, one, message)
            if key is None:
                continue
            reason = revoked.reason(key.blob, at_epoch_s=at_epoch_s)
            fitting = [same for same in keys if same.blob == key.blob and same.allows(namespace, at_epoch_s=at_epoch_s)]
            if fitting and not reason:
                return Signed(principal=key.principal, key=key_fingerprint(key.blob))
            reason = reason or f"the key of `{key.principal}` does not count for {namespace} at this time"
        raise SignatureError(reason, remedy="the enforced layer's allowed_signers says whose keys count for what")


def _maker(keys: tuple[AllowedKey, ...], one: _Signature, message: bytes) -> AllowedKey | None:
    """Give the key that made a signature. `keyid` is a hint of nobody's, so that it decides nothing."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    value = _decoded(one.sig)
    for key in keys:
        if key.kind != KEY_TYPE:
            continue
        _, raw = strings_of(key.blob)
        try:
            Ed25519PublicKey.from_public_bytes(raw).verify(value, message)
        except (InvalidSignature, ValueError):
            continue
        return key
    return None


def _read(signature: bytes) -> _Envelope:
    try:
        envelope = msgspec.json.decode(signature, type=_Envelope)
        require_once(signature)
    except (ValueError, RecursionError) as error:
        raise SignatureError(f"this is no DSSE envelope: {error}", remedy="give the envelope as JSON") from error
    if not 1 <= len(envelope.signatures) <= MAX_SIGNATURES:
        raise SignatureError(f"an envelope with {len(envelope.signatures)} signatures", remedy="sign it once")
    return envelope


def _decoded(text: str) -> bytes:
    try:
        return decoded(text)
    except ValueError as error:
        raise SignatureError(
            f"the envelope is not base64: {error}", remedy="give the envelope as it was made"
        ) from error


def _type(namespace: str) -> str:
    return f"application/vnd.{namespace}+json"


def _encoding(kind: str, statement: bytes) -> bytes:
    """Give the pre-authentication encoding. Source: DSSE protocol 1.0.2, Signature Definition."""
    return f"{_FORM} {len(kind.encode())} {kind} {len(statement)} ".encode() + statement


def _blob(raw: bytes) -> bytes:
    parts = (KEY_TYPE.encode(), raw)
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)
