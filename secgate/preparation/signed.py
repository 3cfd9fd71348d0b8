"""What counts only when it is signed: statements of the enforced layer and of files, held against its signers."""

from __future__ import annotations

from datetime import datetime

from secgate.errors import SignatureError
from secgate.model import Signed
from secgate.people import People
from secgate.ports import Signer
from secgate.preparation.enforced import Enforced
from secgate.retirement import FILE_NAME, NAMESPACE, Retirement


def signed_by_a_person(
    statement: bytes, signature: bytes, *, namespace: str, enforced: Enforced, signer: Signer, at: datetime
) -> Signed:
    """Give who signed a statement that only people may. Raises SignatureError for everybody else."""
    if not signature:
        raise SignatureError("it is not signed", remedy=f"ssh-keygen -Y sign -n {namespace} -f KEY FILE")
    signed = signer.verify(statement, signature, namespace=namespace, trust=enforced.trust, at=at)
    require_person(signed, enforced.people)
    return signed


def require_person(signed: Signed, people: People) -> None:
    """Raise SignatureError unless the signer is a person of people.toml."""
    if people.person(signed.principal) is None:
        raise SignatureError(
            f"`{signed.principal}` is nobody of people.toml", remedy="a person signs this, with a key of their own"
        )


def verified_retirement(enforced: Enforced, *, signer: Signer, at: datetime) -> Retirement:
    """Give what is retired at `at`. Raises SignatureError for a map that nobody signed who counts."""
    if not enforced.retirement.digest:
        return Retirement()
    try:
        signed_by_a_person(
            enforced.retired, enforced.retired_signature, namespace=NAMESPACE, enforced=enforced, signer=signer, at=at
        )
    except SignatureError as error:
        raise SignatureError(
            f"the retirement map does not count: {error.what}", place=FILE_NAME, remedy=error.remedy
        ) from error
    return enforced.retirement.at(int(at.timestamp()))
