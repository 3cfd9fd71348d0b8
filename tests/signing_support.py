"""Real keys for tests, made on the spot, and the enforced layer that lets them count."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from secgate.model import Trust

KEYGEN = shutil.which("ssh-keygen") or ""
ADA, EVE = "p-4f2a", "p-9c01"
"""Two persons, as opaque as they should be."""


class Key(NamedTuple):
    """A key pair in two files."""

    path: Path

    @property
    def public(self) -> str:
        """Type and base64, as in an allowed-signers line."""
        return " ".join(self.path.with_name(f"{self.path.name}.pub").read_text().split()[:2])


def make_key(folder: Path, name: str, kind: str = "ed25519") -> Key:
    """Make a key pair without a passphrase."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    subprocess.run([KEYGEN, "-q", "-t", kind, "-N", "", "-C", name, "-f", str(path)], check=True, capture_output=True)
    return Key(path)


def allowed(principal: str, key: Key, options: str = 'namespaces="secgate-*"') -> str:
    """Give a line of allowed_signers."""
    return f"{principal} {options} {key.public}\n"


def trust(*lines: str, revoked: str | bytes = b"") -> Trust:
    """Give a trust of lines."""
    return Trust(
        allowed_signers="".join(lines).encode(), revoked=revoked.encode() if isinstance(revoked, str) else revoked
    )


def krl(folder: Path, *keys: Key) -> bytes:
    """Make a key revocation list of public keys."""
    file = folder / "krl"
    publics = [f"{key.path}.pub" for key in keys]
    subprocess.run([KEYGEN, "-q", "-k", "-f", str(file), *publics], check=True, capture_output=True)
    return file.read_bytes()


PEOPLE = f"""\
version = 1
[people.{ADA}]
name = "Ada"
emails = ["ada@example.org"]
handles = {{ github = ["ada-l"] }}
roles = ["approver"]
[people.{EVE}]
emails = ["eve@example.org"]
"""


def enforced_layer(folder: Path, *lines: str, settings: str = "", revoked: str = "") -> Path:
    """Write an organisation's directory with two persons and the allowed signers `lines`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "enforced.toml").write_text(f"version = 1\n{settings}")
    (folder / "people.toml").write_text(PEOPLE)
    (folder / "allowed_signers").write_text("".join(lines))
    (folder / "revoked").write_text(revoked)
    return folder


def sign(file: Path, key: Key, namespace: str) -> None:
    """Sign a file as a person does by hand; the signature is beside it."""
    signature = file.with_name(f"{file.name}.sig")
    signature.unlink(missing_ok=True)
    subprocess.run(
        [KEYGEN, "-Y", "sign", "-q", "-n", namespace, "-f", str(key.path), str(file)], check=True, capture_output=True
    )
