"""Policy as values: layers of checked Rego modules, the documents that go in and come out, the data rules decide by."""

from secgate.policy.asking import Asking, FolderProfile
from secgate.policy.documents import (
    DECISION_NAME,
    GAP_REASONS,
    INPUT_NAME,
    SCHEMA_VERSION,
    SENTINEL,
    BaselineFacts,
    InputDocument,
    KnownExploited,
    LayerDecision,
    WaiverFacts,
    read_decision,
)
from secgate.policy.layers import Layer, LayerName, load_layer
from secgate.policy.shapes import Vocabulary, load_vocabulary
from secgate.policy.values import (
    BaselineLimits,
    PolicyLimits,
    Profile,
    effective_data,
    layer_data,
    profile_names,
    read_baseline_limits,
    read_limits,
    read_profile,
    weaker,
)

__all__ = [
    "DECISION_NAME",
    "GAP_REASONS",
    "INPUT_NAME",
    "SCHEMA_VERSION",
    "SENTINEL",
    "Asking",
    "BaselineFacts",
    "BaselineLimits",
    "FolderProfile",
    "InputDocument",
    "KnownExploited",
    "Layer",
    "LayerDecision",
    "LayerName",
    "PolicyLimits",
    "Profile",
    "Vocabulary",
    "WaiverFacts",
    "effective_data",
    "layer_data",
    "load_layer",
    "load_vocabulary",
    "profile_names",
    "read_baseline_limits",
    "read_decision",
    "read_limits",
    "read_profile",
    "weaker",
]
