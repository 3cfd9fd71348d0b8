"""Events about the gate and the ledger themselves, and what was built behind the gate."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from secgate.event import Event
from secgate.model import Digest, Epoch


class GateChanged(Event, frozen=True, kw_only=True):
    """Ground of what is another part of the gate than it was in the run before of this line and profile.

    `name` is whose, `part` what of it; "" in `before` for one that was not there.
    """

    run_id: str
    previous_run_id: str
    repository: str
    line: str
    profile: str
    name: str
    part: str
    before: str
    after: str


class PolicyChanged(GateChanged, frozen=True, kw_only=True):
    """A layer's policy has another digest, or the layer came or went: `name` is the layer, `controls` the mapping.

    `enforced layer` is all of the organisation's folder, the people who may approve and the keys that count included.
    """

    TYPE: ClassVar[str] = "policy-changed"
    VERSION: ClassVar[int] = 1


class ScannerChanged(GateChanged, frozen=True, kw_only=True):
    """A scanner has another `version`, `program` (digest of its file) or `options` (digest), or is there at last."""

    TYPE: ClassVar[str] = "scanner-changed"
    VERSION: ClassVar[int] = 1


class RulePackChanged(GateChanged, frozen=True, kw_only=True):
    """A scanner's rules have another digest."""

    TYPE: ClassVar[str] = "rule-pack-changed"
    VERSION: ClassVar[int] = 1


class ModeChanged(GateChanged, frozen=True, kw_only=True):
    """The gate enforces or only observes, otherwise than before."""

    TYPE: ClassVar[str] = "mode-changed"
    VERSION: ClassVar[int] = 1


class CheckpointTaken(Event, frozen=True, kw_only=True):
    """Size and root of the ledger were signed and put elsewhere; the signed file (`checkpoint_digest`) is a blob.

    `place` is where it was put, without credentials; `key` signed it; `timestamps` is how many authorities stamped it.
    """

    TYPE: ClassVar[str] = "checkpoint"
    VERSION: ClassVar[int] = 1

    size: Annotated[int, Meta(ge=1)]
    root: Digest
    place: str
    key: str
    checkpoint_digest: Digest
    timestamps: Epoch = 0


class ArtefactBound(Event, frozen=True, kw_only=True):
    """Something that was built was tied to a run of what it was built from, by the word of whoever signed that.

    `artifact` is its digest, `sha256:HEX`; `name` what it was called. The signed attestation (`statement_digest`) is a
    blob; `key` signed it.
    """

    TYPE: ClassVar[str] = "artefact-bound"
    VERSION: ClassVar[int] = 1

    artifact: str
    name: str
    run_id: str
    repository: str
    commit: str
    tree: str
    key: str
    statement_digest: Digest
    actor: str = ""


GATE_EVENTS: tuple[type[Event], ...] = (
    PolicyChanged,
    ScannerChanged,
    RulePackChanged,
    ModeChanged,
    CheckpointTaken,
    ArtefactBound,
)
"""Every one of them, in the order of the documents."""
