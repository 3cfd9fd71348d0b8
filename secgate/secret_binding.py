"""Codes of secret texts: they link the copies of a secret and bind a waiver to it, and tell nobody what it is.

A code is an HMAC under a key that only the organisation has, with the key's id before it. A plain hash would do
neither: passwords are guessed, and a hash tells when the guess was right. Without a key there are no codes, and a
waiver of a secret has nothing that it could be bound to.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Iterable, Mapping

from secgate.errors import ConfigError
from secgate.model import Digest

SHORTEST_KEY = 32
"""Bytes; a key that can be guessed would be no better than none."""
PLACE = "SECGATE_SECRET_KEY"
"""Where a key is looked for first; else in the enforced layer's file `secret-key`."""
_REMEDY = "make one with `openssl rand -hex 32` and keep it where other keys are kept"
_ID_LENGTH = 16


class SecretKey:
    """A key; its bytes show up nowhere. Keys with the same bytes have the same `id`."""

    __slots__ = ("_material", "id")

    def __init__(self, material: bytes) -> None:
        """Take the key's bytes. Raises ConfigError if they are too few, or all alike."""
        if len(material) < SHORTEST_KEY or len(set(material)) < SHORTEST_KEY // 4:
            raise ConfigError(
                "the key for secrets cannot be used",
                faults=[(PLACE, f"it is too weak: {SHORTEST_KEY} random bytes are needed", _REMEDY)],
            )
        self._material = material
        self.id = self._mac("key id", "")[:_ID_LENGTH]

    def __repr__(self) -> str:
        return f"SecretKey({self.id})"

    def codes(self, texts: Iterable[Digest]) -> tuple[str, ...]:
        """Give the codes of secret texts, of which only the digests come in here, sorted."""
        return tuple(sorted({f"{self.id}:{self._mac('secret text', text)}" for text in texts}))

    def _mac(self, purpose: str, text: str) -> str:
        return hmac.digest(self._material, f"secgate {purpose}\0{text}".encode(), "sha256").hex()


def read_secret_key(text: str) -> SecretKey | None:
    """Read a key from hexadecimal or base64 text, None for an empty one. Raises ConfigError for anything else."""
    text = text.strip()
    if not text:
        return None
    try:
        material = bytes.fromhex(text)
    except ValueError:
        try:
            material = base64.b64decode(text, validate=True)
        except binascii.Error as error:
            raise ConfigError(
                "the key for secrets cannot be used",
                faults=[(PLACE, "it is neither hexadecimal nor base64", _REMEDY)],
            ) from error
    return SecretKey(material)


def is_bound(waived: Iterable[str], now: Iterable[str]) -> bool:
    """Tell whether a waiver given for a secret with the codes `waived` still holds for one with the codes `now`.

    Every text that tools see now must have been there then: a tool less changes nothing, another text does. Without
    codes on either side, or under another key, it cannot be told, so it does not hold.
    """
    found = set(now)
    return bool(found) and found <= set(waived)


def copies(codes: Mapping[str, Iterable[str]]) -> tuple[tuple[str, ...], ...]:
    """Give the groups of two or more fingerprints, in `codes` with their codes, that stand for one text, sorted."""
    leaders: dict[str, str] = {}
    groups: dict[str, set[str]] = {}
    for fingerprint in sorted(codes):
        own = sorted(set(codes[fingerprint]))
        joined = {leaders[code] for code in own if code in leaders}
        home = min(joined, default=fingerprint)
        members = {fingerprint}.union(*(groups.pop(leader) for leader in joined))
        groups[home] = members
        leaders.update({code: home for code, leader in leaders.items() if leader in joined})
        leaders.update(dict.fromkeys(own, home))
    return tuple(sorted(tuple(sorted(group)) for group in groups.values() if len(group) > 1))
