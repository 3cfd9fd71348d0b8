"""What discover is asked."""

from __future__ import annotations

from secgate.model import Scope, Value
from secgate.patterns import PathPattern


class DiscoverLimits(Value, frozen=True, kw_only=True):
    """Past a limit, what is left is named, not forgotten."""

    max_files: int = 200_000
    max_depth: int = 64
    """Folders and name together."""


class DiscoverRequest(Value, frozen=True, kw_only=True):
    """The call, with settings joined. `path` is a directory.

    `changed_since` is a reference, None for the whole tree. `scope` is None unless someone who may say so did:
    `scope_source` tells who (`--scope`, `enforced layer`). `ref` is the name that clocks and records use instead of
    the one checked out. `gate_paths` are further patterns of files that judge the change: policies, baselines and
    signers named in settings.

    `named` are absolute paths of the files that are judged, None for all or what a change touches. With `commit`, a
    reference, they are read there and measured against `changed_since`, "" or None for nothing before it. `saved`
    ones are read in the work tree, whatever is staged, and measured by HEAD. Without `listed` nobody asks for files:
    a target has none then, and its tree is not walked.
    """

    path: str
    changed_since: str | None = None
    staged: bool = False
    named: tuple[str, ...] | None = None
    commit: str = ""
    saved: bool = False
    listed: bool = True
    scope: Scope | None = None
    scope_source: str = "--scope"
    ref: str = ""
    artifacts: tuple[str, ...] = ()
    excludes: tuple[PathPattern, ...] = ()
    gate_paths: tuple[PathPattern, ...] = ()
    limits: DiscoverLimits = DiscoverLimits()
