"""The tree's own settings: those that count, and a draft of others beside them, which is told and never obeyed.

What a change could use against its own judge is read from the merge base in a change, from HEAD in local and staged
runs (threat rule 2). So a file that was edited and not committed does nothing, and nothing but a word on it says so.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import msgspec

from secgate import config, registry
from secgate.config import Layer as SettingsLayer
from secgate.config import Machine
from secgate.errors import ConfigError, UsageError, faults_words
from secgate.model import Scope, Source, Target
from secgate.preparation.policy_files import shipped_lanes
from secgate.repository import Repository
from secgate.tree import NotOfferedError, Tree

_NAMES = (config.FILE_NAME, config.PYPROJECT)
_MOST = 16 * 1024 * 1024


def own_settings(
    named: str, machine: Machine, target: Target, repository: Repository | None, at: str
) -> tuple[SettingsLayer | None, tuple[str, ...]]:
    """Give the tree's own settings, or those of the file that is `named`, and what is to be said of them.

    `at` is the commit that they are read at, "" for none. Raises ConfigError or UsageError for what cannot be read.
    """
    if named:
        return _named_settings(named, machine, target, repository, at)
    for name in _NAMES:
        data = _bytes_at(name, target, repository, at)
        layer = config.parse_file(data, name=name, trust="repository") if data is not None else None
        if layer is not None:
            return layer, ()
    return None, ()


def draft_words(
    own: SettingsLayer | None,
    target: Target,
    repository: Repository | None,
    at: str,
    *,
    enforced: SettingsLayer | None,
    profiles: Collection[str],
) -> str:
    """Say that the scanned source has other settings than `own`, which count, and what is wrong with those; else "".

    Raises ConfigError for staged ones that are wrong: once committed, no run would get past them.
    """
    if repository is None:
        return ""
    name, layer, fault = _drafted(target, repository)
    if fault is None and layer is not None and (own is None or layer.values != own.values):
        try:
            # By itself: what the command line says today is not what every later run has.
            layers = [*([enforced] if enforced is not None else []), layer]
            require_sound(layers, profiles)
        except ConfigError as error:
            fault = error
    elif fault is None and (own is None or layer is not None):
        return ""
    if fault is not None and target.source is Source.INDEX:
        raise ConfigError(
            f"{faults_words(len(fault.faults) or 1)} in the configuration that is staged",
            faults=fault.faults or ((fault.place or name, fault.what, fault.remedy),),
            remedy="mend each and stage it: once committed, no run would get past them",
        ) from fault
    where = {Source.INDEX: "index", Source.WORK_TREE: "work tree"}.get(target.source, f"commit {target.commit[:12]}")
    since = f"commit {at[:12]}" if at else "any commit"
    if own is None:
        words = f"{name} is not in {since} yet: the shipped defaults count"
    elif not name:
        words = f"{own.name} is not in the {where}: that of {since} still counts"
    else:
        until = "merged" if at != target.commit else "committed"
        words = f"{name} of the {where} is not obeyed: no edit chooses its judge, so {since} counts until it is {until}"
    return words + _wrong(fault, name)


def _drafted(target: Target, repository: Repository) -> tuple[str, SettingsLayer | None, ConfigError | None]:
    """Give the name of the file that would be read, "" for none, its layer, or why there is no layer to be had."""
    for name in _NAMES:
        data = _lying(name, target, repository)
        # A pyproject.toml that concerns other tools alone is not even parsed.
        if data is None or (name == config.PYPROJECT and b"secgate" not in data):
            continue
        try:
            layer = config.parse_file(data, name=name, trust="repository")
        except ConfigError as error:
            return name, None, error
        if layer is not None:
            return layer.name, layer, None
    return "", None, None


def _wrong(fault: ConfigError | None, name: str) -> str:
    if fault is None:
        return ""
    place, what, remedy = fault.faults[0] if fault.faults else (fault.place or name, fault.what, fault.remedy)
    tried = f" (try: {remedy})" if remedy else ""
    more = f", and {faults_words(len(fault.faults) - 1)} more" if len(fault.faults) > 1 else ""
    return f". It is wrong too: {place}: {what}{tried}{more}; `secgate config check` lists every fault"


def _lying(name: str, target: Target, repository: Repository) -> bytes | None:
    """Give the bytes of a file of the tree's root as the scanned source has it, None for no regular file."""
    if target.source is Source.COMMIT:
        return repository.file_at(target.commit, name)
    if target.source is Source.INDEX or name in target.indexed:
        own = [one.blob for one in repository.tracked() if one.path == name and one.is_regular and not one.stage]
        return next((data for _, data in repository.blobs(own, max_bytes=_MOST)), None)
    with Tree(target.root) as tree:
        try:
            with tree.opened(name) as (descriptor, _), os.fdopen(os.dup(descriptor), "rb") as stream:
                return stream.read(config.MAX_CONFIG_BYTES + 1)
        except NotOfferedError:
            return None


def _named_settings(
    name: str, machine: Machine, target: Target, repository: Repository | None, at: str
) -> tuple[SettingsLayer | None, tuple[str, ...]]:
    """A file that the change could edit is read from where the change cannot."""
    path = Path(machine.cwd, name).resolve()
    root = Path(target.root)
    if repository is not None and target.scope is Scope.CHANGE and root in path.parents:
        relative = path.relative_to(root).as_posix()
        data = repository.file_at(at, relative) if at else None
        if data is None:
            raise UsageError(
                f"{name} is not in the merge base, and a change does not choose its own settings",
                remedy="merge the file first, or keep it outside the tree",
                place="--config",
            )
        return config.parse_file(data, name=relative, trust="repository"), (f"{relative} is read at {at[:12]}",)
    try:
        data = _capped(path)
    except OSError as error:
        raise UsageError(f"cannot read {name}: {error.strerror}", remedy="give a file", place="--config") from error
    return config.parse_file(data, name=name, trust="operator"), ()


def _bytes_at(name: str, target: Target, repository: Repository | None, at: str) -> bytes | None:
    if repository is not None:
        return repository.file_at(at, name, max_bytes=config.MAX_CONFIG_BYTES) if at else None
    path = Path(target.root) / name
    return _capped(path) if path.is_file() and not path.is_symlink() else None


def _capped(path: Path) -> bytes:
    """Give no more of a file than shows that it is too large to be settings."""
    with path.open("rb") as file:
        return file.read(config.MAX_CONFIG_BYTES + 1)


def require_sound(layers: Sequence[SettingsLayer], profiles: Collection[str]) -> config.Resolved:
    """Resolve `layers`. Raises ConfigError with every fault of them, `profiles` being those that there are."""
    found = look_over(layers)
    config.require_no([*found.faults, *profile_faults(found, profiles)])
    return found.resolved


def look_over(layers: Sequence[SettingsLayer]) -> config.LookedOver:
    """Look over form and scanners: one, a kind or an option that is not there would say something and do nothing."""
    found = config.look_over(layers)
    return found._replace(faults=[*found.faults, *_scanner_faults(found.resolved, found.layers)])


def _scanner_faults(resolved: config.Resolved, layers: Sequence[SettingsLayer]) -> list[config.Fault]:
    known = registry.names("scanners")
    kinds = shipped_lanes().kinds()
    faults: list[config.Fault] = []
    for layer, name, table in ((each, *one) for each in layers for one in _scanner_tables(each)):
        at = ("scanners", name)
        if name not in known:
            what = f"there is no scanner `{name}`: `{'.'.join(at)}`"
            faults.append((config.place_of(layer, at), what, config.one_of(name, known)))
        elif "options" in table:
            form = registry.scanner_options(name)
            config.check_table(layer, form, table["options"], (*at, "options"), faults)
        faults += [
            (config.place_of(layer, (*at, "kinds")), f"there is no kind `{one}`", config.one_of(one, kinds))
            for one in sorted({*msgspec.convert(table.get("kinds", []), list[str])} - kinds)
        ]
    for name, own in resolved.settings.scanners.items():
        place = resolved.sources.get(f"scanners.{name}.covers", "")
        if own.covers and resolved.sources.get(f"scanners.{name}.kinds") != place:
            # Else a tree could choose what the organisation's word covers.
            what = f"`scanners.{name}.covers` without the kinds that it is about"
            faults.append((place, what, f"set `scanners.{name}.kinds` beside it"))
    return faults


def _scanner_tables(layer: SettingsLayer) -> list[tuple[str, Mapping[str, object]]]:
    """Give each scanner's table of a layer that has been looked over: its form is known to be right."""
    return sorted(layer.values.get("scanners", {}).items())


def profile_faults(found: config.LookedOver, known: Collection[str]) -> list[config.Fault]:
    """Give a fault for each profile that is not there, the tree's or a folder's."""
    resolved, layers = found.resolved, found.layers
    named: dict[tuple[str, ...], str]
    named = {("profile",): resolved.settings.profile, ("least_profile",): resolved.settings.least_profile}
    named |= {("folders", folder, "profile"): one.profile for folder, one in resolved.settings.folders.items()}
    by_name = {layer.name: layer for layer in layers}
    faults = []
    for path, name in named.items():
        if name and name not in known:
            key = ".".join(path)
            layer = by_name.get(resolved.sources.get(key, ""))
            place = config.place_of(layer, path) if layer is not None else "configuration"
            faults.append((place, f"there is no profile `{name}`: `{key}`", config.one_of(name, known)))
    return faults
