"""Which CODEOWNERS counts: the one of the merge base in a change, of HEAD else, of the folder itself without git."""

from __future__ import annotations

import os
from typing import NamedTuple

from secgate.model import Target
from secgate.owners import MAX_BYTES, PLACES, Owners, forge_of
from secgate.people import People
from secgate.repository import Repository
from secgate.tree import NotOfferedError, Tree


class Ownership(NamedTuple):
    """The file that counts, None for none, who people.toml knows, and what is to be said of the file."""

    owners: Owners | None
    people: People
    notes: tuple[str, ...] = ()


def read_owners(target: Target, repository: Repository | None, at: str, people: People) -> Ownership:
    """Give who owns what as the commit `at` says, or the folder itself without git."""
    places = PLACES.get(target.provider, PLACES[""])
    if repository is not None:
        found = repository.files_at(at, places, max_bytes=MAX_BYTES) if at else {}
    else:
        found = _in_folder(target.root, places)
    file = next((name for name in places if name in found), "")
    data = found.get(file)
    if data is None:
        too_large = f"{file} has more than {MAX_BYTES} bytes: nobody is known to own anything"
        return Ownership(None, people, (too_large,) if file else ())
    text = data.decode("utf-8", "replace")
    forge = forge_of(file, text, provider=target.provider, repository=target.repository)
    owners = Owners(file=file, forge=forge, text=text)
    return Ownership(owners, people, _skipped(owners))


def _skipped(owners: Owners) -> tuple[str, ...]:
    lines = owners.skipped
    if not lines:
        return ()
    shown = ", ".join(map(str, lines[:5])) + (f" and {len(lines) - 5} more" if len(lines) > 5 else "")
    return (f"{owners.file}, read as {owners.forge}'s: not understood, and so nobody's, line {shown}",)


def _in_folder(root: str, places: tuple[str, ...]) -> dict[str, bytes | None]:
    found: dict[str, bytes | None] = {}
    with Tree(root) as tree:
        for place in places:
            try:
                with tree.opened(place) as (descriptor, status):
                    large = status.st_size > MAX_BYTES
                    found[place] = None if large else _read(descriptor)
            except NotOfferedError:
                continue
    return found


def _read(descriptor: int) -> bytes:
    with os.fdopen(os.dup(descriptor), "rb") as stream:
        return stream.read(MAX_BYTES)
