"""Events that are what a person said and signed; what the statement says is for its reader, such as `waivers`."""

from __future__ import annotations

from typing import ClassVar

from secgate.event import Event
from secgate.model import KnownStatement, LedgerEntry


class SignedEvent(Event, frozen=True, kw_only=True):
    """Ground of what a person says: the exact statement, and a detached signature over it by `signer`'s kind of key."""

    statement: str
    signature: str
    signer: str = "sshsig"

    def known(self, entry: LedgerEntry) -> KnownStatement:
        """Give what was said as the ledger has it in `entry`, whose event this is."""
        return KnownStatement(
            sequence=entry.sequence,
            type=self.TYPE,
            statement=self.statement,
            signature=self.signature,
            at_epoch_s=entry.at_epoch_s,
        )


class WaiverRequested(SignedEvent, frozen=True, kw_only=True):
    """Somebody asks that a finding, an advisory or a gap be let pass until a time."""

    TYPE: ClassVar[str] = "waiver-requested"
    VERSION: ClassVar[int] = 1


class WaiversRequested(SignedEvent, frozen=True, kw_only=True):
    """Somebody asks for several waivers at once, under one signature."""

    TYPE: ClassVar[str] = "waivers-requested"
    VERSION: ClassVar[int] = 1


class WaiverApproved(SignedEvent, frozen=True, kw_only=True):
    """Somebody else agrees to a request."""

    TYPE: ClassVar[str] = "waiver-approved"
    VERSION: ClassVar[int] = 1


class WaiverRevoked(SignedEvent, frozen=True, kw_only=True):
    """A waiver ends before its time."""

    TYPE: ClassVar[str] = "waiver-revoked"
    VERSION: ClassVar[int] = 1


class DowngradeRequested(SignedEvent, frozen=True, kw_only=True):
    """Somebody asks that a finding count for less until a time."""

    TYPE: ClassVar[str] = "downgrade-requested"
    VERSION: ClassVar[int] = 1


class DowngradeApproved(SignedEvent, frozen=True, kw_only=True):
    """Somebody else agrees to a downgrade."""

    TYPE: ClassVar[str] = "downgrade-approved"
    VERSION: ClassVar[int] = 1


class DowngradeRevoked(SignedEvent, frozen=True, kw_only=True):
    """A downgrade ends before its time."""

    TYPE: ClassVar[str] = "downgrade-revoked"
    VERSION: ClassVar[int] = 1


class OverrideGiven(SignedEvent, frozen=True, kw_only=True):
    """Break-glass: somebody lets a line of a repository pass for a few hours."""

    TYPE: ClassVar[str] = "override-given"
    VERSION: ClassVar[int] = 1


class OverrideReviewed(SignedEvent, frozen=True, kw_only=True):
    """Somebody else says afterwards whether an override was justified."""

    TYPE: ClassVar[str] = "override-reviewed"
    VERSION: ClassVar[int] = 1


class GateReviewed(SignedEvent, frozen=True, kw_only=True):
    """Somebody signs that they reviewed parts of the gate over a period."""

    TYPE: ClassVar[str] = "gate-reviewed"
    VERSION: ClassVar[int] = 1


class SecretRevoked(SignedEvent, frozen=True, kw_only=True):
    """Somebody signs that a secret which was found was revoked, and where the proof is kept."""

    TYPE: ClassVar[str] = "secret-revoked"
    VERSION: ClassVar[int] = 1


SIGNED_EVENTS: tuple[type[SignedEvent], ...] = (
    WaiverRequested,
    WaiversRequested,
    WaiverApproved,
    WaiverRevoked,
    DowngradeRequested,
    DowngradeApproved,
    DowngradeRevoked,
    OverrideGiven,
    OverrideReviewed,
    GateReviewed,
    SecretRevoked,
)
"""All of them."""
