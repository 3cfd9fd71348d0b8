"""Whose signatures count and until when: the enforced layer's `allowed_signers` and `revoked`, read and checked.

One file and one rule for people and machines. `allowed_signers` is OpenSSH's form (ssh-keygen(1), ALLOWED SIGNERS),
stricter: one principal a line, no patterns in it, no certificate authorities, and every line names its namespaces: a
key without them would be believed for everything. Times are UTC. `revoked` is a list with a public key or its SHA256
fingerprint a line, each optionally after `from="YYYYMMDD[HHMM[SS]]"`, or an OpenSSH KRL. A key in it verifies nothing
from its time on; without a time it never did.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from secgate.errors import ConfigError, faults_words
from secgate.model import Trust, Value

MACHINE = "machine:"
"""Principals of machines begin so; all others are ids of people.toml."""

ALLOWED_NAME = "allowed_signers"
REVOKED_NAME = "revoked"
MAX_BYTES = 4 * 1024 * 1024

_KRL_MAGIC = b"SSHKRL\n\0"
_KRL_CERTIFICATES, _KRL_KEYS, _KRL_SHA1, _KRL_SIGNATURE, _KRL_SHA256 = 1, 2, 3, 4, 5
_PRINCIPAL = re.compile(r"(?:machine:)?[a-z0-9][a-z0-9._-]{0,63}")
_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")
_KEY_TYPE = re.compile(r"(?:sk-)?(?:ssh|ecdsa)-[a-z0-9@.-]+")
_PARTS = {"ssh-rsa": 2, "sk-ssh-ed25519@openssh.com": 2, "sk-ecdsa-sha2-nistp256@openssh.com": 3} | {
    f"ecdsa-sha2-nistp{bits}": 2 for bits in (256, 384, 521)
}
"""Strings of a key behind its type, one where it is not named here.

Source: RFC 4253, 6.6; RFC 5656, 3.1; OpenSSH, PROTOCOL.u2f.
"""
_OPTION = re.compile(r'([a-z-]+)(?:="([^"]*)")?(?:,|$)', re.IGNORECASE)

Fault = tuple[str, str, str]


class AllowedKey(Value, frozen=True, kw_only=True):
    """One line: whose key, for which namespaces (patterns), from when until when (epoch seconds, None for ever)."""

    principal: str
    namespaces: tuple[str, ...]
    kind: str
    blob: bytes
    valid_after_epoch_s: int | None = None
    valid_before_epoch_s: int | None = None

    def allows(self, namespace: str, *, at_epoch_s: int) -> bool:
        """Tell whether the key counts for a namespace at a time."""
        return self.is_valid(at_epoch_s=at_epoch_s) and _matches(self.namespaces, namespace)

    def is_valid(self, *, at_epoch_s: int) -> bool:
        """Tell whether the key counts for anything at a time."""
        after, before = self.valid_after_epoch_s, self.valid_before_epoch_s
        return (after is None or at_epoch_s >= after) and (before is None or at_epoch_s <= before)


class Revocations(Value, frozen=True, kw_only=True):
    """Revoked keys by hex SHA-256 of their blob (SHA-1 for what a KRL has only so), each with its time, 0 for ever."""

    since_epoch_s: Mapping[str, int] = {}

    def since(self, blob: bytes) -> int | None:
        """Give from when a key is revoked, 0 for ever; None for one that is not."""
        names = hashlib.sha256(blob).hexdigest(), hashlib.sha1(blob, usedforsecurity=False).hexdigest()
        return min((self.since_epoch_s[name] for name in names if name in self.since_epoch_s), default=None)

    def reason(self, blob: bytes, *, at_epoch_s: int) -> str:
        """Say why a key verifies nothing at a time, "" where it may."""
        since = self.since(blob)
        if since is None or at_epoch_s < since:
            return ""
        when = datetime.fromtimestamp(since, tz=UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if since else ""
        return f"the key {key_fingerprint(blob)} is revoked" + (f" from {when}" if when else "")


def is_krl(revoked: bytes) -> bool:
    """Tell whether a file `revoked` is a key revocation list of OpenSSH, not a list of lines."""
    return revoked.startswith(_KRL_MAGIC)


def key_fingerprint(blob: bytes) -> str:
    """Give a key's fingerprint as OpenSSH shows it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def allowed_keys(trust: Trust, *, persons: Sequence[str] | None = None) -> tuple[AllowedKey, ...]:
    """Read `allowed_signers`. `persons` are the ids that there are, None for not to be checked.

    Raises ConfigError with every fault.
    """
    faults: list[Fault] = []
    keys: list[AllowedKey] = []
    owners: dict[bytes, str] = {}
    for place, line in _lines(trust.allowed_signers, ALLOWED_NAME, faults):
        key = _allowed(place, line, faults)
        if key is None:
            continue
        if persons is not None and not key.principal.startswith(MACHINE) and key.principal not in persons:
            remedy = (
                "add the person, or `machine:NAME`; to forget a person leave the table "
                f"[people.{key.principal}] with no more than its roles"
            )
            faults.append((place, f"`{key.principal}` is nobody of people.toml", remedy))
        if owners.setdefault(key.blob, key.principal) != key.principal:
            what = f"the key of `{owners[key.blob]}` is given to `{key.principal}` too"
            faults.append((place, what, "one key, one person: have each make a key"))
        keys.append(key)
    if faults:
        raise ConfigError(f"{faults_words(len(faults))} in {ALLOWED_NAME}", faults=faults, remedy="mend each")
    return tuple(keys)


def revocations(trust: Trust) -> Revocations:
    """Read `revoked`, of either form. Raises ConfigError with every fault: what is not read is not revoked."""
    faults: list[Fault] = []
    found: dict[str, int] = {}
    if is_krl(trust.revoked):
        try:
            found = dict.fromkeys(_krl(trust.revoked), 0)
        except (ValueError, struct.error) as error:
            faults.append((REVOKED_NAME, f"the KRL cannot be read: {error}", "make it with ssh-keygen -k, of keys"))
    else:
        for place, line in _lines(trust.revoked, REVOKED_NAME, faults):
            name, since_epoch_s = _revoked(place, line, faults)
            if name:
                found[name] = min(since_epoch_s, found.get(name, since_epoch_s))
    if faults:
        raise ConfigError(f"{faults_words(len(faults))} in {REVOKED_NAME}", faults=faults, remedy="mend each")
    return Revocations(since_epoch_s=found)


def strings_of(data: bytes) -> Iterator[bytes]:
    """Give the length-prefixed strings that `data` is made of. Source: RFC 4251, 5. Raises ValueError if it is not."""
    at = 0
    while at < len(data):
        if at + 4 > len(data):
            raise ValueError("it ends within a length")
        (size,) = struct.unpack_from(">I", data, at)
        if at + 4 + size > len(data):
            raise ValueError("it ends within a string")
        yield data[at + 4 : at + 4 + size]
        at += 4 + size


def _lines(data: bytes, name: str, faults: list[Fault]) -> Iterator[tuple[str, str]]:
    if len(data) > MAX_BYTES:
        faults.append((name, f"it is larger than {MAX_BYTES} bytes", "shorten it"))
        return
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        faults.append((f"{name}: byte {error.start}", "the file is not UTF-8", "save it as UTF-8"))
        return
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield f"{name}:{number}", line.strip()


def _allowed(place: str, line: str, faults: list[Fault]) -> AllowedKey | None:
    before = len(faults)
    principal, *others = line.split(None, 1)
    if not _PRINCIPAL.fullmatch(principal):
        what = f"`{principal}` is not one person's id or `machine:NAME`"
        faults.append((place, what, "name one, without patterns, lists or quotes"))
    options, kind, blob = _key_after_options(place, "".join(others), faults)
    if not blob:
        return None
    faults.extend(
        (place, f"the option `{name}` is not taken here", "name the key itself, with namespaces")
        for name in sorted(set(options) - {"namespaces", "valid-after", "valid-before"})
    )
    namespaces = tuple(part for part in options.get("namespaces", "").split(",") if part)
    if not namespaces:
        what = "the line names no namespaces, so the key would count for everything"
        faults.append((place, what, 'add namespaces="secgate-baseline" or what it is for'))
    after = _time(place, options.get("valid-after"), faults)
    until = _time(place, options.get("valid-before"), faults)
    if len(faults) > before:
        return None
    return AllowedKey(
        principal=principal,
        namespaces=namespaces,
        kind=kind,
        blob=blob,
        valid_after_epoch_s=after,
        valid_before_epoch_s=until,
    )


def _revoked(place: str, line: str, faults: list[Fault]) -> tuple[str, int]:
    if _FINGERPRINT.fullmatch(line.rsplit(maxsplit=1)[-1]) or _FINGERPRINT.fullmatch(line.split(maxsplit=1)[0]):
        parts = line.split()
        index = 0 if _FINGERPRINT.fullmatch(parts[0]) else len(parts) - 1
        options = _options(place, " ".join(parts[:index]), faults)
        digest = base64.b64decode(parts[index].removeprefix("SHA256:") + "=").hex()
    else:
        options, _, blob = _key_after_options(place, line, faults)
        digest = hashlib.sha256(blob).hexdigest() if blob else ""
    faults.extend(
        (place, f"the option `{name}` is not known", 'only from="YYYYMMDD[HHMM[SS]]"')
        for name in sorted(set(options) - {"from"})
    )
    return digest, _time(place, options.get("from"), faults) or 0


def _key_after_options(place: str, text: str, faults: list[Fault]) -> tuple[dict[str, str], str, bytes]:
    """Give options, type and blob of `[options] type base64 [comment]`."""
    words = text.split()
    at = next((index for index, word in enumerate(words) if _KEY_TYPE.fullmatch(word)), -1)
    if at < 0 or at + 1 >= len(words):
        faults.append((place, "there is no public key in this line", "give its type and its base64"))
        return {}, "", b""
    options = _options(place, " ".join(words[:at]), faults)
    try:
        blob = base64.b64decode(words[at + 1], validate=True)
        # To its end: one that lost its tail would revoke a key that nobody has.
        inner, *rest = [part.decode("ascii", "replace") for part in strings_of(blob)] or [""]
        if len(rest) < _PARTS.get(inner, 1):
            raise ValueError("it ends before the key")
    except (binascii.Error, ValueError) as error:
        faults.append((place, f"the key cannot be read: {error}", "copy it again from the .pub file"))
        return options, "", b""
    if inner != words[at]:
        faults.append((place, f"the key says that it is `{inner}`", "copy it again from the .pub file"))
    return options, words[at], blob


def _options(place: str, text: str, faults: list[Fault]) -> dict[str, str]:
    found: dict[str, str] = {}
    at = 0
    while at < len(text):
        match = _OPTION.match(text, at)
        if match is None or match.group(1).lower() in found:
            faults.append(
                (place, f"the options do not read: `{text[at : at + 40]}`", 'write name="value",name="value"')
            )
            break
        found[match.group(1).lower()] = match.group(2) or ""
        at = match.end()
    return found


def _time(place: str, text: str | None, faults: list[Fault]) -> int | None:
    if text is None:
        return None
    plain = text.removesuffix("Z")
    for form, length in (("%Y%m%d", 8), ("%Y%m%d%H%M", 12), ("%Y%m%d%H%M%S", 14)):
        if len(plain) == length and plain.isdigit():
            try:
                return int(datetime.strptime(plain, form).replace(tzinfo=UTC).timestamp())
            except ValueError:
                break
    faults.append((place, f"`{text}` is no time", "write YYYYMMDD, YYYYMMDDHHMM or YYYYMMDDHHMMSS, in UTC"))
    return None


def _matches(patterns: Sequence[str], name: str) -> bool:
    """Match as OpenSSH's pattern lists do: `*` and `?`, and `!` before a pattern that refuses."""
    met = False
    for pattern in patterns:
        plain = pattern.removeprefix("!")
        expression = "".join(".*" if one == "*" else "." if one == "?" else re.escape(one) for one in plain)
        if re.fullmatch(expression, name):
            if plain != pattern:
                return False
            met = True
    return met


def _krl(data: bytes) -> Iterator[str]:
    """Give the hex digests of the keys in a KRL. Source: OpenSSH, PROTOCOL.krl.

    Raises ValueError for certificates: they are not taken as signers either.
    """
    version, _, _, flags = struct.unpack_from(">IQQQ", data, 8)
    if version != 1 or flags:
        raise ValueError(f"version {version}, flags {flags}")
    at = 8 + 28
    for _ in range(2):  # reserved, comment
        (size,) = struct.unpack_from(">I", data, at)
        at += 4 + size
    if at > len(data):
        raise ValueError("it ends within its head")
    while at < len(data):
        kind, size = struct.unpack_from(">BI", data, at)
        body = data[at + 5 : at + 5 + size]
        if len(body) != size:
            raise ValueError("it ends within a section")
        at += 5 + size
        if kind == _KRL_SIGNATURE:
            return
        if kind not in (_KRL_KEYS, _KRL_SHA1, _KRL_SHA256):
            raise ValueError("it revokes certificates" if kind == _KRL_CERTIFICATES else f"section {kind} is unknown")
        for one in strings_of(body):
            yield hashlib.sha256(one).hexdigest() if kind == _KRL_KEYS else one.hex()
