"""Whole runs judged by an OPA server: the same decision, and no decision where the server cannot be asked."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest

from secgate.errors import ConfigError, PolicyError, UsageError
from secgate.model import Decision, RunDocument
from tests.opa_server import free_port
from tests.product import CLEAN, WEAK, Product, tree


def said(document: RunDocument) -> Decision:
    """Give a decision without what names the engine."""
    assert document.decision is not None
    return msgspec.structs.replace(document.decision, engine="", engine_version="", decision_ids=())


@pytest.mark.parametrize("text", [WEAK, CLEAN])
@pytest.mark.parametrize("engine", ["opa", "opa-eval"])
def test_other_engines_decide_the_same(
    product: Product, tmp_path: Path, opa_server: str, engine: str, text: str
) -> None:
    place = tree(tmp_path / "plain", {"app.py": text})
    here = product.run(place)
    opa = shutil.which("opa")
    assert opa is not None
    Path(product.env["PATH"].split(":")[0], "opa").symlink_to(opa)
    product.env.update(SECGATE_ENGINE=engine, SECGATE_OPA_ADDRESS=opa_server)
    there = product.run(place)
    assert there.decision is not None
    assert there.decision.engine == engine
    assert there.decision.engine_version.count(".") == 2
    assert said(there) == said(here)


def test_a_server_that_is_down_is_no_pass(product: Product, tmp_path: Path) -> None:
    product.env.update(SECGATE_ENGINE="opa", SECGATE_OPA_ADDRESS=f"http://127.0.0.1:{free_port()}")
    with pytest.raises(PolicyError, match="nobody answers there"):
        product.run(tree(tmp_path / "plain", {"app.py": CLEAN}))


@pytest.mark.parametrize(
    ("variables", "what"),
    [
        ({"SECGATE_ENGINE": "opa"}, "none is named"),
        ({"SECGATE_ENGINE": "opa-eval"}, "no opa on PATH"),
        ({"SECGATE_ENGINE": "rego"}, "unknown engine"),
    ],
)
def test_an_engine_that_is_not_there_is_said(
    product: Product, tmp_path: Path, variables: dict[str, str], what: str
) -> None:
    product.env.update(variables)
    with pytest.raises(UsageError, match=what):
        product.run(tree(tmp_path / "plain", {"app.py": CLEAN}))


def test_a_tree_does_not_choose_who_judges_it(product: Product, tmp_path: Path) -> None:
    settings = 'version = 1\n[engine]\nname = "opa"\naddress = "https://mallory.example"\n'
    place = tree(tmp_path / "plain", {"app.py": WEAK, "secgate.toml": settings})
    with pytest.raises(ConfigError, match="`engine` may be set by the enforced layer, the command line"):
        product.run(place)
