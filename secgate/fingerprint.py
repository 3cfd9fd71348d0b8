"""Identity of a finding, algorithm `secgate/v1`, and what it rests on.

A fingerprint is SHA-256 over a length-prefixed encoding of named parts, so that no two lists of parts give the same
bytes. Line numbers, columns and the tool's own region are never part of it. What makes each kind:

    weakness    canonical weakness, path, symbol, normalised text of the unit, ordinal among equals
    secret      rule family, path, symbol with the key it is assigned to, ordinal; never any text
    dependency  ecosystem, package without version, advisory root, path of the manifest

Each witness has a fingerprint of its own, with `tool:rule` in place of the canonical weakness: it is kept as an alias,
so that an edited crosswalk or a dropped tool loses neither clock nor waiver.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from typing import Literal, NamedTuple

from msgspec import Struct

from secgate.model import FINGERPRINT_ALGORITHM, Digest, Fingerprint, Package, Region, Result, Value

_ADVISORY_ORDER = ("CVE-", "GHSA-", "PYSEC-")
_NAME_MARKS = re.compile(r"[-_.]+")


def digest(*parts: str) -> str:
    """Give the hex SHA-256 of `parts`, each with its length in code points and a colon before it."""
    text = _encoded(parts)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _encoded(parts: Iterable[str]) -> str:
    return "".join([f"{len(part)}:{part}" for part in parts])


_WEAKNESS = _encoded((FINGERPRINT_ALGORITHM, "weakness"))


def anchor(normalised: Iterable[str]) -> str:
    """Give the digest of a normalised text: the tier of identity without path, symbol and ordinal."""
    return digest(FINGERPRINT_ALGORITHM, "anchor", *normalised)


NO_TEXT = anchor(())
"""The anchor of what has no text; of all without a place, in what older versions recorded."""


class Place(Value, frozen=True, kw_only=True, gc=False):
    """Where secgate itself found a result to be: the unit's region, symbol and masked source.

    `anchored` is the anchor of its normalised text, `sketch` how much alike it is to others; see `places.wording`.
    """

    region: Region = Region()
    symbol: str = ""
    anchored: Digest = NO_TEXT
    sketch: str = ""
    snippet: str = ""

    @property
    def has_text(self) -> bool:
        """Tell whether there is any text in which units could be found."""
        return self.anchored != NO_TEXT


class Located(Value, frozen=True, kw_only=True, gc=False):
    """A result with its place; lives between normalise and correlate only, and is never stored.

    `spans` are the secret's offsets in the file; `texts` are equal exactly where secret texts are, also between the
    results of several calls of normalise (a change's end and its commits).
    """

    result: Result
    place: Place
    spans: tuple[tuple[int, int], ...] = ()
    texts: tuple[Digest, ...] = ()


class Subject(Struct, frozen=True, gc=False):
    """What a fingerprint is made of, for a finding or for one witness of it.

    `name` is the canonical weakness, or `witness tool:rule`; `anchored` the anchor of its text. `commit` is set only
    for text that stands in a commit of the change but not in its end.
    """

    kind: Literal["weakness", "secret", "dependency"]
    name: str
    path: str
    symbol: str = ""
    anchored: str = ""
    ordinal: int = 1
    commit: str = ""
    package: Package | None = None
    advisory: str = ""


class Scheme(NamedTuple):
    """One algorithm, and how it names a subject."""

    algorithm: str
    name: Callable[[Subject], str]


def weakness_fingerprint(name: str, *, path: str, symbol: str, anchored: str, ordinal: int, commit: str = "") -> str:
    """Give the fingerprint of a weakness in code; `name` is the canonical weakness, or `witness tool:rule`.

    `commit` is given only for text that stands in a commit of the change but not in its end.
    """
    number = str(ordinal)
    # This is `digest`, written out: it is done twice for each finding of a run.
    text = (
        f"{_WEAKNESS}{len(name)}:{name}{len(path)}:{path}{len(symbol)}:{symbol}{len(anchored)}:{anchored}"
        f"{len(number)}:{number}{len(commit)}:{commit}"
    )
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def secret_fingerprint(name: str, *, path: str, symbol: str, ordinal: int, commit: str = "") -> str:
    """Give the fingerprint of a secret, in which no text of it has a part."""
    return digest(FINGERPRINT_ALGORITHM, "secret", name, path, symbol, str(ordinal), commit)


def dependency_fingerprint(package: Package, advisory: str, *, manifest: str) -> str:
    """Give the fingerprint of an advisory on a package, whatever version of it is resolved."""
    name = package_name(package)
    return digest(FINGERPRINT_ALGORITHM, "dependency", package.ecosystem.lower(), name, advisory.upper(), manifest)


def name_v1(subject: Subject) -> str:
    """Give the fingerprint of a subject under `secgate/v1`."""
    one = subject
    if one.kind == "dependency" and one.package is not None:
        return dependency_fingerprint(one.package, one.advisory, manifest=one.path)
    if one.kind == "secret":
        return secret_fingerprint(one.name, path=one.path, symbol=one.symbol, ordinal=one.ordinal, commit=one.commit)
    return weakness_fingerprint(
        one.name, path=one.path, symbol=one.symbol, anchored=one.anchored, ordinal=one.ordinal, commit=one.commit
    )


SCHEMES = (Scheme(FINGERPRINT_ALGORITHM, name_v1),)
"""The algorithm that findings are named by, then those that ledgers may still hold names of: these become aliases."""


def package_key(ecosystem: str, name: str) -> tuple[str, str]:
    """Give what is equal for equal packages; names of the Python index as they are compared. Source: PEP 503."""
    ecosystem = ecosystem.lower()
    return ecosystem, _NAME_MARKS.sub("-", name).lower() if ecosystem == "pypi" else name


def package_name(package: Package) -> str:
    """Give a package's name in one form."""
    return package_key(package.ecosystem, package.name)[1]


def advisory_root(ids: Iterable[str]) -> str:
    """Give the one name of a group of aliases: its smallest CVE, else GHSA, else PYSEC, else the smallest of all.

    A group that learns a better name later gets another root; each name of the group is an alias of the finding, so
    its identity is found again.
    """
    names = sorted({name.strip().upper() for name in ids if name.strip()})
    for prefix in _ADVISORY_ORDER:
        for name in names:
            if name.startswith(prefix):
                return name
    return names[0] if names else ""


def fingerprint(value: str) -> Fingerprint:
    """Give a digest together with the algorithm's name."""
    return Fingerprint(algorithm=FINGERPRINT_ALGORITHM, value=value)
