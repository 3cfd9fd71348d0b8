"""What a tree chooses among what the organisation allows: the profile of a folder, and none below the least."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from secgate import config
from secgate.config import Layer as SettingsLayer
from secgate.config import Settings
from secgate.errors import ConfigError
from secgate.policy import read_profile, weaker


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
