"""What a change touches, and what it is measured against."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

from secgate.discover.ci import CIFacts
from secgate.discover.pointers import filled_in
from secgate.errors import IncompleteTargetError, TargetError
from secgate.model import Rename, Value
from secgate.repository import Changes, Repository, escaped


class ChangeSet(Value, frozen=True, kw_only=True):
    """A change. `base_commit` is "" when nothing was committed before it; paths can be shown."""

    base_commit: str
    base_ref: str
    changed: tuple[str, ...]
    deleted: tuple[str, ...]
    renames: tuple[Rename, ...]
    commits: tuple[str, ...] = ()


def staged_change(repository: Repository, head: str) -> ChangeSet:
    """Give what the next commit would change."""
    return _change_set(repository.staged_changes(head), (), base=head, ref="HEAD" if head else "")


def change_since(
    repository: Repository, head: str, ref: str, untracked: Iterable[str], *, committed: bool = False
) -> ChangeSet:
    """Give what changed since HEAD left `ref`: commits, edits, and files not yet added; `committed` for commits alone.

    Raises TargetError for a reference that is not known or not related, IncompleteTargetError when this clone does
    not reach back to where they parted.
    """
    other = repository.resolve(ref)
    if not other:
        if repository.is_shallow:
            raise _incomplete(f"{ref!r} is not in this shallow clone", repository, ref)
        raise TargetError(
            f"there is no commit {ref!r}",
            place=repository.root,
            remedy=f"check its name, or fetch it: `{_fetch(ref, shallow=False)}`",
        )
    return _since(repository, head, other, ref, untracked, committed=committed)


def change_in_ci(repository: Repository, head: str, ci: CIFacts, untracked: Iterable[str]) -> ChangeSet:
    """Give the change that CI says it runs for. Raises as `change_since`; a base that is not here is incomplete."""
    names = _base_names(ci)
    if not names:
        why = f": {'; '.join(ci.notes)}" if ci.notes else ""
        raise IncompleteTargetError(
            f"CI ({ci.provider}) runs for a change and does not say what it goes to{why}",
            place=repository.root,
            remedy="give --changed-since REF, the branch it goes to",
        )
    for name in names:
        other = repository.resolve(name)
        if other:
            return _since(repository, head, other, ci.base_ref or name, untracked)
    raise _incomplete(
        f"the base of this change, {ci.base_ref or ci.base_commit}, is not in this clone",
        repository,
        ci.base_ref,
    )


def _base_names(ci: CIFacts) -> tuple[str, ...]:
    names = [ci.base_commit] if ci.base_commit else []
    if ci.base_ref:
        names += [f"refs/remotes/origin/{ci.base_ref}", f"refs/heads/{ci.base_ref}"]
    return tuple(names)


def _since(
    repository: Repository, head: str, other: str, ref: str, untracked: Iterable[str], *, committed: bool = False
) -> ChangeSet:
    if not head:
        raise TargetError(
            "nothing has been committed yet, so nothing changed since a commit",
            place=repository.root,
            remedy="use --staged, or scan the whole tree",
        )
    base = repository.merge_base(other, head)
    if not base:
        if repository.is_shallow:
            raise _incomplete(f"HEAD and {ref} do not meet in this shallow clone", repository, ref)
        raise TargetError(
            f"HEAD and {ref} have no common history",
            place=repository.root,
            remedy="give a reference that HEAD comes from",
        )
    commits = _commits(repository, base, head, ref)
    changes = repository.changes(base, head) if committed else work_tree_changes(repository, base)
    return _change_set(changes, untracked, base=base, ref=ref, commits=commits)


def everything_at(repository: Repository, commit: str) -> ChangeSet:
    """Give a commit with all that led to it as one change: nothing was there before. Raises as `change_since`."""
    commits = _commits(repository, "", commit, "")
    return _change_set(repository.changes("", commit), (), base="", ref="", commits=commits)


def _commits(repository: Repository, base: str, head: str, ref: str) -> tuple[str, ...]:
    commits = repository.commits(base, head)
    if repository.shallow_commits().intersection(commits):
        # Their parents may belong to the change as well: what they hold would never be searched.
        raise _incomplete("some commits of the change are not in this shallow clone", repository, ref)
    return commits


def work_tree_changes(repository: Repository, commit: str) -> Changes:
    """Give what differs between a commit and the work tree, files that only git-lfs filled in not counted."""
    changes = repository.work_tree_changes(commit)
    unchanged = filled_in(repository) if changes.present else frozenset()
    if not unchanged:
        return changes
    staged = repository.staged_changes(commit).present
    ignored = unchanged.difference(staged)
    return Changes(
        present=tuple(path for path in changes.present if path not in ignored),
        deleted=changes.deleted,
        renames=changes.renames,
    )


def _change_set(
    changes: Changes,
    untracked: Iterable[str],
    *,
    base: str,
    ref: str,
    commits: tuple[str, ...] = (),
) -> ChangeSet:
    present = {escaped(path.rstrip("/")) for path in (*changes.present, *untracked)}
    return ChangeSet(
        base_commit=base,
        base_ref=ref,
        changed=tuple(sorted(present)),
        # Taken out of the index, yet still there as an untracked file.
        deleted=tuple(sorted({escaped(path) for path in changes.deleted} - present)),
        renames=tuple(Rename(old=escaped(rename.old), new=escaped(rename.new)) for rename in changes.renames),
        commits=commits,
    )


def within(prefix: str, change: ChangeSet) -> ChangeSet:
    """Give the part of a change that lies in the folder `prefix`, "" for all of it."""
    if not prefix:
        return change
    return ChangeSet(
        base_commit=change.base_commit,
        base_ref=change.base_ref,
        changed=tuple(path for path in change.changed if is_within(prefix, path)),
        deleted=tuple(path for path in change.deleted if is_within(prefix, path)),
        renames=tuple(rename for rename in change.renames if is_within(prefix, rename.new)),
        commits=change.commits,
    )


def is_within(prefix: str, path: str) -> bool:
    """Tell whether `path` lies in the folder `prefix`, "" for the root."""
    return not prefix or PurePosixPath(path).is_relative_to(prefix)


def _incomplete(what: str, repository: Repository, ref: str) -> IncompleteTargetError:
    return IncompleteTargetError(
        what, place=repository.root, remedy=f"run `{_fetch(ref, shallow=repository.is_shallow)}`"
    )


def _fetch(ref: str, *, shallow: bool) -> str:
    """Give the command that brings `ref` with its history; a shell-safe one, since people paste it."""
    words = ["git", "fetch", *(["--unshallow"] if shallow else []), "origin"]
    branch = ref.removeprefix("refs/remotes/").removeprefix("origin/").removeprefix("refs/heads/")
    is_name = all(character.isalnum() or character in "._/-" for character in branch)
    is_object = all(character in "0123456789abcdef" for character in branch) and len(branch) >= 7
    if branch and is_name and not branch.startswith("-") and not is_object and branch != "HEAD":
        words.append(f"+refs/heads/{branch}:refs/remotes/origin/{branch}")
    return " ".join(words)
