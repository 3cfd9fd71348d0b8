"""Which version of a package ends its findings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from secgate.model import Package


def fixed_version(package: Package) -> str:
    """The lowest fixed version above the one in use; the order of the list is the advisory's, not the versions'."""
    above = [version for version in package.fixed_versions if _version(version) > _version(package.version)]
    return min(above, key=_version) if above else package.fixed_versions[-1]


def _version(text: str) -> tuple[int, Any]:
    """A key by PEP 440; what is no such version comes first, in the order of its text."""
    from packaging.version import InvalidVersion, Version

    try:
        return (1, Version(text))
    except InvalidVersion:
        return (0, text)


def upgrades_of(packages: Iterable[Package | None]) -> Mapping[tuple[str, str], str]:
    """Per package and manifest the one version that ends all its findings: the highest of the lowest."""
    best: dict[tuple[str, str], str] = {}
    for package in packages:
        if package is not None and package.fixed_versions:
            key, version = (package.name, package.manifest), fixed_version(package)
            best[key] = max(best.get(key, version), version, key=_version)
    return best
