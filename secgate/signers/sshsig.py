"""Signer `sshsig`, for people: OpenSSH's detached signatures, made and verified by `ssh-keygen -Y`.

Source: OpenSSH, PROTOCOL.sshsig; ssh-keygen(1). The key may be a file, a hardware key, or the public half of one that
an agent holds. ssh-keygen does the cryptography and reads allowed_signers; secgate reads it too, stricter, and applies
the revocation rule that all signers share (`secgate.trust`).
"""

from __future__ import annotations

import base64
import binascii
import re
import struct
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from secgate.errors import ConfigError, SignatureError
from secgate.model import Limits, Output, Signed, Trust
from secgate.ports import ProcessRunner
from secgate.sla import utc_words
from secgate.trust import AllowedKey, allowed_keys, key_fingerprint, revocations, strings_of

MAX_SIGNATURE_BYTES = 64 * 1024
_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
_GOOD = re.compile(r'^Good "[^"]*" signature for (\S+) with \S+ key (SHA256:[A-Za-z0-9+/]{43})$', re.MULTILINE)


class SshSigner:
    """Signs and verifies through ssh-keygen."""

    name = "sshsig"

    def __init__(
        self, *, runner: ProcessRunner, executable: str, directory: str, env: Mapping[str, str] | None = None
    ) -> None:
        """`executable` is ssh-keygen, "" where there is none; `directory` is private. `env` may name the agent."""
        self._runner = runner
        self._executable = executable
        self._directory = directory
        self._env = {"TZ": "UTC", **(env or {})}

    def sign(self, statement: bytes, *, namespace: str, key: str) -> bytes:
        """Give an armoured SSHSIG. See Signer. `key` is a private key's file, or a public one's that an agent holds."""
        if not Path(key).is_file():
            raise SignatureError("there is no key", place=key, remedy="give the file of your SSH key")
        output = self._run(("-Y", "sign", "-q", "-f", key, "-n", namespace), statement, time_s=120.0)
        if output.exit_code or not output.stdout.startswith(_BEGIN.encode()):
            raise SignatureError(
                f"nothing was signed: {_told(output)}",
                place=key,
                remedy="load a key with a passphrase into ssh-agent, and give its .pub file; others cannot read it",
            )
        return output.stdout

    def verify(self, statement: bytes, signature: bytes, *, namespace: str, trust: Trust, at: datetime) -> Signed:
        """See Signer."""
        blob = _key_of(signature, namespace=namespace)
        at_epoch_s = int(at.timestamp())
        try:
            keys, revoked = allowed_keys(trust), revocations(trust)
        except ConfigError as error:
            raise SignatureError(error.what, place=error.place, remedy="mend the enforced layer") from error
        reason = revoked.reason(blob, at_epoch_s=at_epoch_s)
        if reason:
            raise SignatureError(reason, remedy="have it signed again with a key that counts")
        if not keys:
            raise SignatureError(
                "nobody is allowed to sign", remedy="give the enforced layer, with allowed_signers and people.toml"
            )
        principal = _principal(keys, blob, namespace=namespace, at_epoch_s=at_epoch_s)
        with tempfile.TemporaryDirectory(prefix="signature-", dir=self._directory) as name:
            allowed, armour = Path(name, "allowed_signers"), Path(name, "signature")
            allowed.write_bytes(trust.allowed_signers)
            armour.write_bytes(signature)
            when = f"verify-time={at.astimezone(UTC):%Y%m%d%H%M%S}"
            files = ("-f", str(allowed), "-s", str(armour), "-O", when)
            output = self._run(("-Y", "verify", "-I", principal, "-n", namespace, *files), statement)
        good = _GOOD.search(output.stdout.decode("utf-8", "replace"))
        if output.exit_code or good is None or good.groups() != (principal, key_fingerprint(blob)):
            raise SignatureError(
                # Where the list lay for this call is nobody's concern, and another place each time.
                f"the signature does not verify for `{principal}` in {namespace}: "
                f"{_told(output).replace(str(allowed), allowed.name)}",
                remedy="sign exactly these bytes, with a key that allowed_signers has for this at this time",
            )
        return Signed(principal=principal, key=key_fingerprint(blob))

    def _run(self, arguments: Sequence[str], stdin: bytes, *, time_s: float = 20.0) -> Output:
        if not self._executable:
            raise SignatureError("ssh-keygen is not on PATH", remedy="install OpenSSH's client (8.9 or later)")
        limits = Limits(time_s=time_s, output_bytes=1024 * 1024)
        argv = (self._executable, *arguments)
        output = self._runner.run(argv, cwd=self._directory, stdin=stdin, env=self._env, limits=limits)
        if output.problem or output.timed_out or output.truncated:
            raise SignatureError(
                f"ssh-keygen did not work: {output.problem or 'it was stopped at its limit'}",
                remedy="run it by hand; a key with a passphrase belongs into ssh-agent",
            )
        return output


def _principal(keys: Sequence[AllowedKey], blob: bytes, *, namespace: str, at_epoch_s: int) -> str:
    """Give whose key it is at a time. One key is one person's, so that ssh-keygen need not be asked for it first.

    Raises SignatureError, which says whether the key, its time or what it is for is the matter.
    """
    lines = [key for key in keys if key.blob == blob]
    valid = [key for key in lines if key.is_valid(at_epoch_s=at_epoch_s)]
    for key in valid:
        if key.allows(namespace, at_epoch_s=at_epoch_s):
            return key.principal
    told = f"nobody who counts has the key {key_fingerprint(blob)}"
    if valid:
        purposes = ", ".join(name for key in valid for name in key.namespaces)
        told = f"the key {key_fingerprint(blob)} of `{valid[0].principal}` is not for {namespace}: it is for {purposes}"
    elif lines:
        told += f" at {utc_words(at_epoch_s)}: that of `{lines[-1].principal}` counts {_span(lines[-1])}"
    raise SignatureError(told, remedy="the enforced layer's allowed_signers and people.toml say who does")


def _span(key: AllowedKey) -> str:
    after, before = key.valid_after_epoch_s, key.valid_before_epoch_s
    words = [f"from {utc_words(after)}"] if after is not None else []
    words += [f"until {utc_words(before)}"] if before is not None else []
    return " ".join(words)


def _key_of(signature: bytes, *, namespace: str) -> bytes:
    """Give the public key that a signature names. Raises SignatureError for what is no SSHSIG of the namespace."""
    try:
        if len(signature) > MAX_SIGNATURE_BYTES:
            raise ValueError("it is too long")
        lines = signature.decode("ascii").strip().splitlines()
        if len(lines) < 3 or lines[0] != _BEGIN or lines[-1] != _END:
            raise ValueError("it is not armoured")
        data = base64.b64decode("".join(lines[1:-1]), validate=True)
        magic, version = struct.unpack_from(">6sI", data)
        if (magic, version) != (b"SSHSIG", 1):
            raise ValueError("it is of another form")
        blob, made_for, *_ = strings_of(data[10:])
    except (binascii.Error, ValueError, struct.error) as error:
        raise SignatureError(
            f"this is no SSH signature: {error}", remedy=f"ssh-keygen -Y sign -n {namespace} -f KEY FILE"
        ) from error
    if made_for != namespace.encode():
        raise SignatureError(
            f"the signature is for `{made_for.decode('utf-8', 'replace')}`, not for `{namespace}`",
            remedy=f"ssh-keygen -Y sign -n {namespace} -f KEY FILE",
        )
    return blob


def _told(output: Output) -> str:
    text = (output.stderr or output.stdout).decode("utf-8", "replace").strip().splitlines()
    return text[-1][:200] if text else f"ssh-keygen ended with {output.exit_code}"
