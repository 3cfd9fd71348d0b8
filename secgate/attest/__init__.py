"""Attestations of runs: what is said of which commit, tree and artefacts; read strictly; held against what is there.

Pure: who signed one is for signers to say, and when it was signed is its own word.
"""

from secgate.attest.matching import Clone, Match, State, What, artifact_match, commit_match, tree_match
from secgate.attest.reading import MAX_BYTES, Attestation, read
from secgate.attest.statement import (
    ARTIFACT,
    HASHES,
    NAMESPACE,
    PREDICATE_TYPE,
    Artifact,
    Binding,
    GateRun,
    Statement,
    digest_of,
    require_attestable,
    statement_of,
)

__all__ = [
    "ARTIFACT",
    "HASHES",
    "MAX_BYTES",
    "NAMESPACE",
    "PREDICATE_TYPE",
    "Artifact",
    "Attestation",
    "Binding",
    "Clone",
    "GateRun",
    "Match",
    "State",
    "Statement",
    "What",
    "artifact_match",
    "commit_match",
    "digest_of",
    "read",
    "require_attestable",
    "statement_of",
    "tree_match",
]
