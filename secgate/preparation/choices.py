"""What a tree chooses among what the organisation allows: the profile of a folder, and none below the least."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from secgate import config
from secgate.config import Layer as SettingsLayer
from secgate.config import Settings
from secgate.errors import ConfigError
from secgate.model import Target
from secgate.policy import Asking, FolderProfile, read_profile, weaker


def for_folder(resolved: config.Resolved, prefix: str, *, stronger: Sequence[SettingsLayer]) -> config.Resolved:
    """Give the settings with what the tree's folders choose.

    The innermost folder that holds `prefix`, the part that is scanned, chooses the profile, where nobody stronger has.
    What any folder leaves out is left out of every run, below that folder alone.
    """
    settings, sources = resolved.settings, dict(resolved.sources)
    folders = {name.strip("/"): one for name, one in settings.folders.items()}
    excludes = [f"/{name}/{_below(text)}" for name, one in sorted(folders.items()) for text in one.exclude]
    profile = settings.profile
    around = [name for name, one in folders.items() if one.profile and f"{prefix}/".startswith(f"{name}/")]
    if around and sources.get("profile") not in {layer.name for layer in stronger}:
        innermost = max(around, key=len)
        profile = folders[innermost].profile
        sources["profile"] = f"folder {innermost}"
    chosen = msgspec.structs.replace(settings, profile=profile, exclude=[*settings.exclude, *excludes])
    return msgspec.structs.replace(resolved, settings=chosen, sources=sources)


def asking(
    settings: Settings, data: bytes, *, sources: Mapping[str, str], stronger: Sequence[SettingsLayer], target: Target
) -> Asking:
    """Give the run's profile with those of folders below what is scanned that hold a part of it.

    None of them counts where somebody stronger chose the profile. Raises UsageError for a profile that is not there.
    """
    run = read_profile(data, settings.profile)
    if sources.get("profile") in {layer.name for layer in stronger}:
        return Asking(run=run)
    paths = [*(file.path for file in target.files), *(one.path for one in target.left_out)]
    inside = f"{target.prefix}/" if target.prefix else ""
    named = {name.strip("/"): one.profile for name, one in settings.folders.items() if one.profile}
    return Asking(
        run=run,
        folders=tuple(
            FolderProfile(folder=folder, name=name, profile=read_profile(data, name))
            for folder, name in sorted(named.items())
            if f"{folder}/".startswith(inside)
            and folder != target.prefix
            and any(path.startswith(f"{folder}/") for path in paths)
        ),
    )


def folder_notes(settings: Settings, asked: Asking, target: Target) -> tuple[str, ...]:
    """Say which folders ask for more than the run, and which of them the whole tree has no file in."""
    paths = [*(file.path for file in target.files), *(one.path for one in target.left_out)]
    whole = target.changed is None and not target.prefix
    lost = tuple(
        f"no file lies in the folder {name}, for which the settings name the profile {one.profile}"
        for name, one in sorted(settings.folders.items())
        if whole and one.profile and not any(path.startswith(f"{name.strip('/')}/") for path in paths)
    )
    return lost + tuple(
        f"the folder {one.folder} is held to the profile {one.name} as well"
        for one in asked.folders
        if weaker(asked.run, one.profile)
    )


def _below(pattern: str) -> str:
    """Give a path pattern as it reads from the folder above: without a slash inside it fits at any depth."""
    return pattern.lstrip("/") if "/" in pattern.rstrip("/") else f"**/{pattern}"


def require_strict(settings: Settings, data: bytes, *, sources: Mapping[str, str]) -> None:
    """Raise ConfigError where the profile asks for less than the enforced layer's least one."""
    if not settings.least_profile:
        return
    told = weaker(read_profile(data, settings.profile), read_profile(data, settings.least_profile))
    if told:
        by = sources.get("profile", "the shipped default")
        raise ConfigError(
            f"the profile `{settings.profile}` ({by}) is weaker than `{settings.least_profile}`: {'; '.join(told)}",
            faults=(),
            place="profile",
            remedy=f"choose `{settings.least_profile}` or a stricter one: the enforced layer allows nothing less",
        )
