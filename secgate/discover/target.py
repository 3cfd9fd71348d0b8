"""Join the answers into a Target."""

from __future__ import annotations

from pathlib import Path

from secgate.discover.change import (
    ChangeSet,
    change_in_ci,
    change_since,
    is_within,
    staged_change,
    within,
    work_tree_changes,
)
from secgate.discover.ci import CIFacts
from secgate.discover.files import Listing, is_directory, list_entries, list_plain, list_work_tree
from secgate.discover.gate import gate_changes
from secgate.discover.named import Named, named, require_listed, saved
from secgate.discover.request import DiscoverRequest
from secgate.errors import TargetError
from secgate.model import Actor, Scope, Source, Target, Value
from secgate.repository import Entry, Repository, escaped


def discover(request: DiscoverRequest, *, repository: Repository | None, ci: CIFacts) -> Target:
    """Give what is judged: the files, the change among them, and the class of the run.

    `repository` is the one opened for `request.path`. Raises TargetError for a path that is no directory or a
    reference that cannot be resolved, IncompleteTargetError when the clone lacks history that judging needs.
    """
    if not is_directory(request.path):
        raise TargetError(
            "is a file, not a tree",
            place=request.path,
            remedy="give its directory; to judge a SARIF file use `secgate check FILE`",
        )
    root = str(Path(request.path).resolve())
    if escaped(root) != root:
        raise TargetError("the path is not valid UTF-8", place=escaped(root), remedy="rename it")
    if repository is None:
        return _plain(request)
    prefix = _prefix(request.path, repository) if request.named is None else ""
    entries = tuple(entry for entry in repository.tracked() if is_within(prefix, entry.path))
    if prefix and not entries and repository.is_ignored(prefix):
        # git lists nothing here, and an empty list must not read as a clean tree.
        return _plain(request)
    return _Git(request, repository, ci, prefix, entries).target()


def _prefix(path: str, repository: Repository) -> str:
    relative = Path(path).resolve().relative_to(Path(repository.root)).as_posix()
    return "" if relative == "." else relative


def _plain(request: DiscoverRequest) -> Target:
    wanted = "--staged" if request.staged else "--changed-since"
    if request.named is not None:
        raise TargetError("a hook judges files of a git repository, and there is none here", place=request.path)
    if request.staged or request.changed_since is not None or request.scope is Scope.CHANGE:
        raise TargetError(
            "there is no git repository here, so no change either",
            place=request.path,
            remedy=f"leave out {wanted} and --scope change, or scan a git work tree",
        )
    root = str(Path(request.path).resolve())
    listing = list_plain(root, excludes=request.excludes, limits=request.limits) if request.listed else Listing()
    return Target(
        root=root,
        kind="plain",
        repository=escaped(Path(root).name) or "tree",
        scope=request.scope or Scope.LOCAL,
        scope_basis=request.scope_source if request.scope else "a plain directory",
        ref=request.ref,
        line=_line(request.ref),
        artifacts=tuple(sorted(set(request.artifacts))),
        files=listing.files,
        left_out=listing.left_out,
    )


_WORDS = {Source.INDEX: "index", Source.WORK_TREE: "work tree", Source.COMMIT: "commit"}


class _Edits(Value, frozen=True, kw_only=True):
    """What the scanned source holds beyond HEAD."""

    paths: tuple[str, ...]
    untracked: tuple[str, ...] = ()


class _Git:
    """One discovery in a git work tree."""

    def __init__(
        self,
        request: DiscoverRequest,
        repository: Repository,
        ci: CIFacts,
        prefix: str,
        entries: tuple[Entry, ...],
    ) -> None:
        self._request = request
        self._repository = repository
        self._ci = ci
        self._prefix = prefix
        self._entries = entries
        self._head = self._judged()
        self._named = self._names()
        self._source = self._named.source if self._named else Source.INDEX if request.staged else Source.WORK_TREE

    def target(self) -> Target:
        """Give the target."""
        request, repository = self._request, self._repository
        scope, basis = self._scope()
        edits = self._edits()
        change = self._change(scope, edits)
        part = within(self._prefix, change) if change else None
        ref = request.ref or self._ci.ref or repository.ref()
        listing = self._listing(edits)
        if self._named:
            require_listed(self._named, listing, where=request.commit or f"the {_WORDS[self._source]}")
        return Target(
            root=repository.root,
            prefix=escaped(self._prefix),
            kind="git",
            repository=repository.name,
            source=self._source,
            scope=scope,
            scope_basis=basis,
            ref=ref,
            line=_line(change.base_ref if change and scope is Scope.CHANGE else ref),
            event=self._ci.event,
            provider=self._ci.provider,
            visibility=self._ci.visibility,
            named=self._named is not None,
            indexed=self._named.indexed if self._named else (),
            fork=self._ci.is_fork,
            commit=self._head,
            tree=repository.tree(self._head) if self._head else "",
            base_commit=change.base_commit if change else "",
            base_ref=change.base_ref if change else "",
            dirty=any(is_within(self._prefix, path) for path in edits.paths),
            shallow=repository.is_shallow,
            author=self._author(),
            actor=self._ci.actor,
            reviewers=self._ci.reviewers,
            artifacts=tuple(sorted(set(request.artifacts))),
            files=listing.files,
            left_out=listing.left_out,
            changed=part.changed if part else None,
            deleted=part.deleted if part else (),
            renames=part.renames if part else (),
            change_commits=part.commits if part else (),
            gate_changes=gate_changes(_all_paths(None if self._stands_alone else change, edits), request.gate_paths),
        )

    @property
    def _stands_alone(self) -> bool:
        """Tell whether files are judged as they lie there: that one is named does not say that it was edited."""
        return self._named is not None and self._source is Source.WORK_TREE

    def _judged(self) -> str:
        """Give the commit that is judged, or that the edits are on. Raises TargetError for one that is not there."""
        if not self._request.commit:
            return self._repository.head()
        commit = self._repository.resolve(self._request.commit)
        if not commit:
            raise TargetError(f"there is no commit {self._request.commit!r}", place=self._repository.root)
        return commit

    def _names(self) -> Named | None:
        request = self._request
        if request.named is None:
            return None
        if request.staged:
            raise TargetError("names and --staged exclude each other", remedy="give one of them")
        if request.saved:
            return saved(self._repository, self._head, request.named)
        return named(self._repository, self._head, request.named, commit=request.commit, since=request.changed_since)

    def _scope(self) -> tuple[Scope, str]:
        """Give the run's class and who said so. Only an option, CI or the enforced layer makes it protected."""
        request, ci = self._request, self._ci
        if request.scope is not None:
            return request.scope, request.scope_source
        said = f"{ci.provider}: {ci.event}".rstrip(": ")
        if self._named or request.staged:
            return Scope.LOCAL, f"files named, from the {_WORDS[self._source]}" if self._named else "--staged"
        if ci.is_change:
            return Scope.CHANGE, said
        if ci.is_protected and self._head and ci.head_commit == self._head:
            return Scope.PROTECTED, f"{said} on a protected reference"
        if ci.is_protected:
            return Scope.LOCAL, f"{said}: HEAD is not the commit that CI runs on"
        return Scope.LOCAL, f"{said}: no protected reference" if said else "no CI"

    def _edits(self) -> _Edits:
        repository = self._repository
        untracked: tuple[str, ...] = ()
        if self._source is Source.COMMIT:
            return _Edits(paths=())
        if self._source is Source.INDEX:
            changes = repository.staged_changes(self._head)
        else:
            changes = work_tree_changes(repository, self._head)
            untracked = repository.untracked()
        old_names = (rename.old for rename in changes.renames)
        return _Edits(
            paths=tuple(sorted({*changes.present, *changes.deleted, *old_names, *untracked})),
            untracked=untracked,
        )

    def _change(self, scope: Scope, edits: _Edits) -> ChangeSet | None:
        request, repository = self._request, self._repository
        if self._named:
            return self._named.change
        if request.staged:
            if request.changed_since is not None:
                raise TargetError("--staged and --changed-since exclude each other", remedy="give one of them")
            return staged_change(repository, self._head)
        if request.changed_since is not None:
            return change_since(repository, self._head, request.changed_since, edits.untracked)
        if scope is not Scope.CHANGE:
            return None
        if self._ci.is_change:
            return change_in_ci(repository, self._head, self._ci, edits.untracked)
        base = repository.default_branch()
        if not base:
            raise TargetError(
                "a change needs something that it is measured against",
                place=repository.root,
                remedy="give --changed-since REF",
            )
        return change_since(repository, self._head, base, edits.untracked)

    def _listing(self, edits: _Edits) -> Listing:
        request, repository = self._request, self._repository
        if not request.listed:
            return Listing()
        if self._source is not Source.WORK_TREE:
            is_commit = self._source is Source.COMMIT
            known = repository.tree_entries(self._head) if is_commit else repository.index_entries()
            entries = {path: entry for path, entry in known.items() if is_within(self._prefix, path)}
            return list_entries(repository, entries=entries, excludes=request.excludes, limits=request.limits)
        return list_work_tree(
            repository,
            tracked=self._entries,
            untracked=[path for path in edits.untracked if is_within(self._prefix, path)],
            excludes=request.excludes,
            limits=request.limits,
        )

    def _author(self) -> Actor | None:
        if self._ci.author is not None or not self._head:
            return self._ci.author
        return Actor(name=self._repository.author(self._head), source="git")


def _all_paths(change: ChangeSet | None, edits: _Edits) -> set[str]:
    if change is None:
        return {escaped(path) for path in edits.paths}
    old_names = (rename.old for rename in change.renames)
    return {*change.changed, *change.deleted, *old_names}


def _line(ref: str) -> str:
    """Give the branch or deployment that clocks belong to, from a reference."""
    for start in ("refs/heads/", "refs/tags/", "refs/remotes/origin/", "origin/"):
        if ref.startswith(start):
            return ref.removeprefix(start)
    return ref
