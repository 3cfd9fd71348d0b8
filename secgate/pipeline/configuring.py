"""Settings looked over, and shown with where each value comes from: `secgate config`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from secgate import config, registry
from secgate.addresses import without_credentials
from secgate.config import Machine, Settings
from secgate.errors import ConfigError, UsageError
from secgate.model import Value
from secgate.policy import PROFILES_NAME, profiles_in
from secgate.preparation import (
    Enforced,
    RunRequest,
    Silence,
    look_over,
    prepare,
    profile_faults,
    read_enforced,
    shipped_files,
    workshop,
)

_BARE = re.compile(r"[A-Za-z0-9_-]+")


class Setting(Value, frozen=True, kw_only=True):
    """One value as it counts. `source` is a layer's name, a variable in brackets after it, or `default`."""

    key: str
    value: Any
    source: str


class Shown(Value, frozen=True, kw_only=True):
    """Every setting of a run, in the order of the reference, and what is to be said of them."""

    settings: tuple[Setting, ...]
    notes: tuple[str, ...]
    version: int = 1


def shown_settings(request: RunRequest, *, machine: Machine, now: datetime) -> Shown:
    """Give the settings that a run of `request` would have. Raises as a run does before it looks at a file."""
    with workshop(machine, now=now, observer=Silence()) as shop:
        prepared = prepare(request, machine=machine, runner=shop.executor, scratch=shop.scratch)
    variables = {key: name for name, key in config.ENVIRONMENT.items()}
    found = []
    for key, value in _leaves(msgspec.to_builtins(prepared.settings), ()):
        source = prepared.sources.get(key, "default")
        if source == "environment":
            source = f"environment ({variables[key]})"
        found.append(
            Setting(
                key=key,
                value=without_credentials(value, instead="...@") if isinstance(value, str) else value,
                source=source,
            )
        )
    return Shown(settings=tuple(found), notes=prepared.notes)


def _leaves(values: Mapping[str, Any], at: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        path = (*at, str(key))
        if isinstance(value, dict):
            yield from _leaves(value, path)
        else:
            yield ".".join(path), value


def settings_schema() -> dict[str, Any]:
    """Give the JSON Schema of settings, with the options of every scanner that is here, a third party's too."""
    return config.schema({name: registry.scanner_options(name) for name in registry.names("scanners")})


def toml_key(key: str) -> str:
    """Give a dotted key as one writes it in TOML."""
    return ".".join(part if _BARE.fullmatch(part) else msgspec.json.encode(part).decode() for part in key.split("."))


def checked(names: tuple[str, ...], *, enforced: str, machine: Machine) -> tuple[str, ...]:
    """Read settings as they lie there and give a line about each file.

    `names` () are those of the current folder. A file is read as what its name says: `enforced.toml` as the
    organisation's, all others as a tree's. Raises ConfigError with every fault of all of them, UsageError for a file
    that cannot be read.
    """
    told = read_enforced(enforced, tree=machine.cwd)
    chosen = names or tuple(name for name in (config.FILE_NAME, config.PYPROJECT) if Path(machine.cwd, name).is_file())
    said: list[str] = []
    faults: list[config.Fault] = []
    counted = ""
    for name in chosen:
        try:
            lines, counts = _checked(name, told, machine)
        except ConfigError as error:
            faults += error.faults or [(error.place or name, error.what, error.remedy)]
            continue
        if counts and counted and not names:
            lines = f"{name}: [tool.secgate] counts for nothing beside {counted}"
        counted = counted or (name if counts else "")
        said.append(lines)
    config.require_no(faults, remedy="mend each")
    return tuple(said) or ("no settings here: the shipped defaults count",)


def _folder_faults(settings: Settings, layer: config.Layer, root: Path) -> list[config.Fault]:
    """Give a fault for each folder that a tree's settings name and that is not there: nothing is held to it.

    What leads out of the tree is not looked at; names that do so on their face are a fault already.
    """
    faults = []
    for folder in settings.folders:
        if not _within(root, folder):
            continue
        above = (root / folder).parent
        if not (root / folder).is_dir():
            near = [path.relative_to(root).as_posix() for path in above.glob("*/")] if above.is_dir() else []
            remedy = config.one_of(folder, near) if near else "name one that is there"
            faults.append((config.place_of(layer, ("folders", folder)), f"there is no folder `{folder}`", remedy))
    for folder in settings.policies:
        if _within(root, folder) and not any((root / folder).rglob("*.rego")):
            place = config.place_of(layer, ("policies",))
            faults.append((place, f"there is no policy in `{folder}`", "add one, or remove it"))
    return faults


def _within(root: Path, folder: str) -> bool:
    return (root / folder).resolve().is_relative_to(root.resolve())


def _checked(name: str, enforced: Enforced, machine: Machine) -> tuple[str, bool]:
    try:
        data = Path(machine.cwd, name).read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read it: {error.strerror}", place=name, remedy="give a file") from error
    trust: config.Trust = "enforced" if Path(name).name == config.ENFORCED_NAME else "repository"
    layer = config.parse_file(data, name=name, trust=trust)
    if layer is None:
        return f"{name}: no [tool.secgate]", False
    above = enforced.settings if trust != "enforced" else None
    found = look_over([*([above] if above is not None else []), layer])
    resolved, faults = found.resolved, list(found.faults)
    if trust != "enforced":
        # The organisation's profiles may be of its own making, in a folder that nobody has named.
        faults += profile_faults(found, profiles_in({**shipped_files(), **enforced.policies}[PROFILES_NAME]))
    if Path(name).name in (config.FILE_NAME, config.PYPROJECT):
        faults += _folder_faults(resolved.settings, layer, Path(machine.cwd, name).parent)
    config.require_no(faults)
    count = sum(source == layer.name for source in resolved.sources.values())
    lines = [f"{name}: {count} setting{'' if count == 1 else 's'}, no fault", *resolved.overruled]
    return "\n".join(lines), True
