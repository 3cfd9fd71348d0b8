"""Files that are named one by one, as pre-commit names them to a hook: where they are read, and what measures them.

Staged names are read from the index and measured by HEAD. With a commit, that commit is read and measured by where it
left what it goes to. What an editor saved is read in the work tree and measured by HEAD. Other names are read as they
lie in the work tree and judged as they stand: nothing says what was there before them.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from pathlib import Path

import msgspec

from secgate.discover.change import ChangeSet, change_since, everything_at, staged_change
from secgate.discover.files import Listing
from secgate.errors import TargetError
from secgate.model import Source, Value
from secgate.repository import Repository, escaped
from secgate.tree import NotOfferedError, Tree

_SHOWN = 3


class Named(Value, frozen=True, kw_only=True):
    """Names with what they are measured by. `indexed` are those that lie otherwise in the index than in the tree."""

    paths: tuple[str, ...]
    source: Source
    change: ChangeSet
    indexed: tuple[str, ...] = ()


def named(repository: Repository, head: str, names: Iterable[str], *, commit: str, since: str | None) -> Named:
    """Give what absolute `names` stand for; `commit` is "" where none is to be read, and `head` else.

    Raises TargetError for no name at all, one outside the repository, and as `change_since`.
    """
    paths = frozenset(_inside(name, repository.root) for name in names)
    if commit:
        return _of_commit(repository, head, paths, since)
    _require_names(paths, repository)
    staged = staged_change(repository, head)
    own = paths.intersection(repository.staged_changes(head).present)
    if own == paths:
        return _measured(paths, Source.INDEX, staged)
    indexed = own & repository.unstaged_paths()
    whole = ChangeSet(base_commit="", base_ref="", changed=(), deleted=(), renames=())
    return _measured(paths, Source.WORK_TREE, whole, indexed=tuple(sorted(map(escaped, indexed))))


def saved(repository: Repository, head: str, names: Iterable[str]) -> Named:
    """Give what absolute `names` stand for as an editor saved them: the work tree's bytes, measured by HEAD.

    Raises TargetError for no name at all and for one outside the repository.
    """
    paths = frozenset(_inside(name, repository.root) for name in names)
    _require_names(paths, repository)
    change = ChangeSet(base_commit=head, base_ref="HEAD" if head else "", changed=(), deleted=(), renames=())
    return _measured(paths, Source.WORK_TREE, change)


def _require_names(paths: Collection[str], repository: Repository) -> None:
    if not paths:
        raise TargetError(
            "no file is named, so nothing would be judged",
            place=repository.root,
            remedy="name files, or run `pre-commit run --all-files`",
        )


def _of_commit(repository: Repository, head: str, paths: Collection[str], since: str | None) -> Named:
    if since:
        change = change_since(repository, head, since, (), committed=True)
    else:
        change = everything_at(repository, head)
        # pre-commit names what lies in the work tree: of another branch, perhaps.
        paths = frozenset(paths).intersection(repository.tree_entries(head))
    return _measured({*paths, *_not_here(repository.root, change.changed)}, Source.COMMIT, change)


def _not_here(root: str, paths: Iterable[str]) -> set[str]:
    """Give those of a commit's files that pre-commit cannot name, since the work tree does not have them."""
    missing = set()
    with Tree(root) as tree:
        for path in paths:
            try:
                with tree.opened(path):
                    continue
            except (NotOfferedError, OSError):
                missing.add(path)
    return missing


def _measured(paths: Collection[str], source: Source, change: ChangeSet, indexed: tuple[str, ...] = ()) -> Named:
    shown = tuple(sorted(map(escaped, paths)))
    return Named(paths=shown, source=source, change=msgspec.structs.replace(change, changed=shown), indexed=indexed)


def _inside(name: str, root: str) -> str:
    """Give a name as the repository has it: the folders above it may be links, what it names is not followed."""
    folder, _, last = os.path.normpath(name).rpartition("/")
    path = Path(os.path.realpath(folder or "/"), last)
    if not path.is_relative_to(root) or str(path) == root:
        raise TargetError("is not in this repository", place=escaped(name), remedy=f"name files below {root}")
    return path.relative_to(root).as_posix()


def require_listed(asked: Named, listing: Listing, *, where: str) -> None:
    """Raise TargetError for names of which there is no file: what nobody looks at must not pass."""
    known = {file.path for file in listing.files} | {left.path for left in listing.left_out}
    lost = [path for path in asked.paths if path not in known]
    if lost:
        more = f" and {len(lost) - _SHOWN} more" if len(lost) > _SHOWN else ""
        raise TargetError(
            f"there is no such file in {where}: {', '.join(lost[:_SHOWN])}{more}",
            place=lost[0],
            remedy="name files that git knows or would add",
        )
