"""Pointers of git-lfs: text in a commit that stands for bytes kept elsewhere. Source: git-lfs, docs/spec.md."""

from __future__ import annotations

import hashlib
import os
import re

from secgate.model import Value
from secgate.repository import Repository
from secgate.tree import NotOfferedError, Tree

MAX_BYTES = 1024
"""A pointer is smaller than this. Source: git-lfs, docs/spec.md."""

_POINTER = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v\d+\n(?:ext-\d-\w+ \w+:[0-9a-f]+\n)*"
    rb"oid sha256:(?P<oid>[0-9a-f]{64})\nsize (?P<size>\d{1,19})\n?"
)
_CHUNK_BYTES = 1024 * 1024


class Pointer(Value, frozen=True, kw_only=True):
    """What a pointer stands for."""

    digest: str
    size_bytes: int


def read_pointer(data: bytes) -> Pointer | None:
    """Give the pointer that `data` is, and nothing else, so that no text can hide behind a first line."""
    found = _POINTER.fullmatch(data) if len(data) <= MAX_BYTES else None
    if found is None:
        return None
    return Pointer(digest=found["oid"].decode("ascii"), size_bytes=int(found["size"]))


def filled_in(repository: Repository) -> frozenset[str]:
    """Give the tracked files that hold exactly the bytes for which the index has a pointer.

    git would need its filter to see that they are unchanged, and no filter runs here.
    """
    entries = {entry.path: entry for entry in repository.tracked() if entry.is_regular}
    suspects = {path: entries[path].blob for path in repository.unstaged_paths() if path in entries}
    pointers = {
        blob: pointer
        for blob, data in repository.blobs(suspects.values(), max_bytes=MAX_BYTES)
        if (pointer := read_pointer(data))
    }
    if not pointers:
        return frozenset()
    with Tree(repository.root) as tree:
        return frozenset(
            path for path, blob in suspects.items() if blob in pointers and _holds(tree, path, pointers[blob])
        )


def _holds(tree: Tree, path: str, pointer: Pointer) -> bool:
    digest = hashlib.sha256()
    try:
        with tree.opened(path) as (descriptor, status):
            if status.st_size != pointer.size_bytes:
                return False
            while part := os.read(descriptor, _CHUNK_BYTES):
                digest.update(part)
    except (NotOfferedError, OSError):
        return False  # Then git's word stands: the file differs.
    return digest.hexdigest() == pointer.digest
