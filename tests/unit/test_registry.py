"""Names to plug-ins."""

from __future__ import annotations

from pathlib import Path

import pytest

from secgate import registry
from secgate.errors import PluginError, UsageError
from tests.product import tree


@pytest.mark.parametrize("kind", ["scanners", "engines", "reporters", "signers", "populations"])
def test_every_built_in_can_be_found(kind: registry.Kind) -> None:
    assert [registry.find(kind, name).__name__ for name in registry.BUILTIN[kind]]


@pytest.mark.parametrize("name", sorted(registry.BUILTIN["scanners"]))
def test_every_scanner_is_complete_and_named_as_in_the_table(name: str) -> None:
    assert registry.scanner(name).name == name


@pytest.mark.parametrize("name", sorted(registry.BUILTIN["reporters"]))
def test_every_reporter_is_complete_and_named_as_in_the_table(name: str) -> None:
    assert registry.reporter(name).name == name


def test_an_unknown_name_is_said_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="bandit"):
        registry.scanner("bandid")


def test_a_plug_in_that_lacks_a_member_is_refused_when_loaded() -> None:
    class Half:
        name = "half"

    with pytest.raises(UsageError, match=r"lacks .*plan.*read"):
        registry.checked("scanners", "half", Half())


@pytest.mark.parametrize("kind", ["scanners", "reporters", "notifiers", "populations"])
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("raise RuntimeError('no\\nlicence')", "cannot be loaded: RuntimeError: no licence"),
        ("import sys; sys.exit(0)", "cannot be loaded: SystemExit: 0"),
        ("class Boom(:", "cannot be loaded: SyntaxError"),
        ("import nothing_of_this_name", "cannot be loaded: ModuleNotFoundError"),
        ("", "cannot be loaded: AttributeError"),
        ("class Boom:\n    def __init__(self):\n        1 / 0\n", "cannot be made: ZeroDivisionError"),
        ("class Boom:\n    pass\n", "lacks "),
    ],
)
def test_a_plug_in_of_others_that_cannot_be_had_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: registry.Kind, text: str, told: str
) -> None:
    name = f"boom_{abs(hash((kind, text)))}"
    info = {"METADATA": "Metadata-Version: 2.1\nName: boom\nVersion: 1\n"}
    info["entry_points.txt"] = f"[secgate.{kind}]\nboom = {name}:Boom\n"
    tree(tmp_path, {f"{name}.py": text, **{f"boom-1.dist-info/{file}": body for file, body in info.items()}})
    monkeypatch.syspath_prepend(tmp_path)
    makers = {
        "scanners": registry.scanner,
        "reporters": registry.reporter,
        "notifiers": registry.notifier,
        "populations": registry.population,
    }
    with pytest.raises(UsageError, match=told) as caught:
        makers[kind]("boom")
    assert "`boom`" in caught.value.what
    assert isinstance(caught.value, PluginError) or "lacks" in told


def test_a_plug_in_that_takes_a_name_is_at_fault_and_not_secgate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = {"METADATA": "Metadata-Version: 2.1\nName: taker\nVersion: 1\n"}
    info["entry_points.txt"] = "[secgate.scanners]\nbandit = nothing:Here\n"
    tree(tmp_path, {f"taker-1.dist-info/{file}": body for file, body in info.items()})
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(PluginError, match="`bandit`: nothing:Here") as caught:
        registry.names("scanners")
    assert caught.value.exit_code == 2
