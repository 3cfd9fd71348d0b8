"""Package URLs: `pkg:type/namespace/name@version`. Source: package-url/purl-spec."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, unquote

from secgate.errors import UsageError
from secgate.model import Value

LONGEST = 1_000
ECOSYSTEMS: Mapping[str, str] = {
    "pypi": "PyPI",
    "npm": "npm",
    "golang": "Go",
    "cargo": "crates.io",
    "gem": "RubyGems",
    "maven": "Maven",
    "nuget": "NuGet",
    "composer": "Packagist",
    "pub": "Pub",
    "hex": "Hex",
    "swift": "SwiftURL",
}
"""Types of package URLs whose packages lock files name, with the ecosystem as OSV spells it."""


class PackageUrl(Value, frozen=True, kw_only=True):
    """What a package URL names. `ecosystem` is OSV's name, else the type itself; `version` "" means every version."""

    ecosystem: str
    name: str
    version: str = ""

    @property
    def is_package(self) -> bool:
        """Whether a lock file can name it; an image or a repository is none."""
        return self.ecosystem in ECOSYSTEMS.values()


def purl_type(purl: str) -> str:
    """Give the type of a package URL, "" for none."""
    return purl.removeprefix("pkg:").lstrip("/").partition("/")[0].lower() if purl.startswith("pkg:") else ""


def parse(text: str) -> PackageUrl | None:
    """Give what a package URL names; None for what is none. Qualifiers and subpath are not read."""
    kind = purl_type(text)
    if not kind or len(text) > LONGEST:
        return None
    rest = text.removeprefix("pkg:").lstrip("/").partition("/")[2].partition("#")[0].partition("?")[0]
    head, mark, version = rest.rpartition("@")
    # The `@` of an npm scope that is not encoded, `pkg:npm/@scope/name`, is no version's.
    if not mark or not head or "/" in version:
        head, version = rest, ""
    parts = [unquote(part) for part in head.strip("/").split("/") if part]
    if not parts:
        return None
    mark = ":" if kind == "maven" else "/"
    return PackageUrl(ecosystem=ECOSYSTEMS.get(kind, kind), name=mark.join(parts), version=unquote(version))


def named_package(text: str) -> tuple[str, str]:
    """Give ecosystem and name of a package that somebody names as `[ECOSYSTEM/]NAME`; PyPI where no ecosystem is named.

    Names may have slashes themselves, `npm/@scope/name` or `Go/github.com/owner/name`. Raises UsageError for no name,
    and for what begins with a scope or a host instead of an ecosystem.
    """
    first, mark, name = text.strip().partition("/")
    if not mark:
        first, name = "PyPI", first
    known = {one.lower(): one for one in ECOSYSTEMS.values()}
    is_ecosystem = first.lower() in known or bool(first and not {"@", "."} & set(first))
    if not name.strip() or not is_ecosystem:
        raise UsageError(
            f"`{text}` names no package",
            remedy="write [ECOSYSTEM/]NAME: flask, npm/@scope/name, Go/github.com/owner/name",
        )
    return known.get(first.lower(), first), name


def of_python(name: str, version: str) -> str:
    """Give the package URL of a package of PyPI, both parts normalised; of every version for ""."""
    return f"pkg:pypi/{quote(name, safe='')}" + (f"@{quote(version, safe='')}" if version else "")
