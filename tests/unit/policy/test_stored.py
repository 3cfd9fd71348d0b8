"""What is kept beside a decision judges again: policies by digest, facts under the schema they name."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import msgspec
import pytest

from secgate.engines.regorus import RegorusEngine
from secgate.errors import LedgerError, PolicyError
from secgate.policy import Layer, Vocabulary
from secgate.policy.documents import InputDocument, read_input
from secgate.policy.stored import Policies, StoredLayer, StoredPolicies, restored, stored

Load = Callable[..., Layer]

OWN = b"""package secgate.rules.own

deny contains {"run": true, "reason": "frozen"} if input.evaluated_at_epoch_s < data.frozen.until_epoch_s
"""
FROZEN = b'{ "frozen": {"until_epoch_s": 1830297600} }'
INPUT = {
    "schema": {"name": "secgate/input", "version": 1},
    "evaluated_at_epoch_s": 5,
    "run": {
        "scope": "local", "kind": "plain", "repository": "r", "profile": "audit", "mode": "enforce", "event": "",
        "provider": "", "ref": "", "line": "", "commit": "", "dirty": False, "has_base": False, "changed_set": "all",
        "provisional_clocks": True, "complete": True, "claims_coverage": True, "author": "", "actor": "",
        "reviewers": [], "artifacts": [],
    },
    "lanes": [],
    "gaps": [],
    "findings": [],
    "gate_changes": [],
    "advisories": {"used": False, "age_s": 0, "digest": ""},
}  # fmt: skip
"""As the first version with this schema wrote it."""


def test_policies_come_back_as_they_were(shipped: Layer, load: Load, vocabulary: Vocabulary) -> None:
    own = load({"policies/own.rego": OWN, "data/frozen.json": FROZEN})
    digest, blobs = stored(Policies(layers=(shipped, own), disabled_rules=("sla",)))
    back = restored(digest, read=blobs.__getitem__, reader=RegorusEngine(), vocabulary=vocabulary)
    assert back.disabled_rules == ("sla",)
    assert [layer.name for layer in back.layers] == ["shipped", "organisation"]
    for one, other in zip(back.layers, (shipped, own), strict=True):
        assert (one.modules, one.packages, one.data) == (other.modules, other.packages, other.data)
    assert stored(back)[0] == digest


def _kept(shipped: Layer, text: str) -> tuple[str, dict[str, bytes]]:
    """Give policies as a ledger has them from a version of secgate with fewer checks."""
    layer = msgspec.json.encode(StoredLayer(name="organisation", files={"own.rego": text}))
    _, blobs = stored(Policies(layers=(shipped,)))
    names = {"organisation": digest(layer), "shipped": next(key for key in blobs if b'"name":"shipped"' in blobs[key])}
    whole = msgspec.json.encode(StoredPolicies(layers=names, disabled_rules=()))  # type: ignore[arg-type]
    return digest(whole), {**blobs, names["organisation"]: layer, digest(whole): whole}


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


MISSPELT = """package secgate.rules.own

deny contains {"run": true, "raeson": "never"} if input.evaluated_at_epoch_s < 3

deny contains {"run": true, "reason": "frozen"} if input.evaluated_at_epoch_s == 5
"""


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (MISSPELT, "no field `raeson`"),
        (
            MISSPELT.replace('"raeson"', '"reason"').replace("input.evaluated_at_epoch_s < 3", "input.nothing"),
            "nothing",
        ),
    ],
)
def test_what_judged_then_is_taken_with_what_today_would_refuse_it_for(
    shipped: Layer, load: Load, vocabulary: Vocabulary, text: str, fault: str
) -> None:
    with pytest.raises(PolicyError, match=fault):
        load(text)
    name, blobs = _kept(shipped, text)
    back = restored(name, read=blobs.__getitem__, reader=RegorusEngine(), vocabulary=vocabulary)
    assert [(layer.name, len(layer.faults)) for layer in back.layers] == [("shipped", 0), ("organisation", 1)]
    assert fault in back.layers[1].faults[0].what


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (MISSPELT.replace("input.evaluated_at_epoch_s < 3", "time.now_ns() < 3"), "is not allowed"),
        (MISSPELT.replace("package secgate.rules.own", "package secgate.main"), "shipped layer alone"),
        (MISSPELT.replace("deny contains", "superseded contains"), "may not add to"),
        ("package secgate.rules.own\n\ndeny contains {", "EOF|expecting|expected"),
    ],
)
def test_what_no_version_would_have_judged_by_is_refused(
    shipped: Layer, vocabulary: Vocabulary, text: str, fault: str
) -> None:
    name, blobs = _kept(shipped, text)
    with pytest.raises(PolicyError, match=fault):
        restored(name, read=blobs.__getitem__, reader=RegorusEngine(), vocabulary=vocabulary)


def test_another_rule_or_switch_is_another_digest(shipped: Layer, load: Load) -> None:
    own, other = (load({"own.rego": text, "data/frozen.json": FROZEN}) for text in (OWN, OWN + b"# more\n"))
    digests = {
        stored(Policies(layers=layers, disabled_rules=off))[0]
        for layers in ((shipped,), (shipped, own), (shipped, other))
        for off in ((), ("sla",))
    }
    assert len(digests) == 6


@pytest.mark.parametrize("data", [b"", b"{}", b'{"version":2,"layers":{},"disabled_rules":[]}', b"\xff"])
def test_what_holds_no_policies_is_said(data: bytes, vocabulary: Vocabulary) -> None:
    with pytest.raises(LedgerError, match="holds no policies"):
        restored("0" * 64, read=lambda _: data, reader=RegorusEngine(), vocabulary=vocabulary)


def test_facts_of_an_older_minor_version_are_read() -> None:
    document = read_input(msgspec.json.encode(INPUT))
    assert isinstance(document, InputDocument)
    assert not document.advisories.known_exploited.used


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"schema": {"name": "secgate/input", "version": 2}}, "names the schema secgate/input 2"),
        ({"schema": {"name": "secgate/decision", "version": 1}}, "names the schema secgate/decision 1"),
        ({"lanes": 5}, "breaks its schema"),
        ({"later": 1}, "breaks its schema"),
    ],
)
def test_facts_of_another_schema_are_refused(change: dict[str, object], said: str) -> None:
    with pytest.raises(PolicyError, match=said):
        read_input(msgspec.json.encode(INPUT | change))
