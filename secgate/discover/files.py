"""Which files there are, and why each of the others is not offered."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping, Sequence

from secgate.discover.pointers import MAX_BYTES, read_pointer
from secgate.discover.request import DiscoverLimits
from secgate.errors import TargetError
from secgate.languages import head_bytes, kinds_of
from secgate.model import LeftOut, SourceFile, Value
from secgate.patterns import PathPattern, first_fit
from secgate.repository import Entry, Repository, escaped
from secgate.tree import NotOfferedError, Tree, link

VENDORED = (
    (".bzr", "history of another system"),
    (".eggs", "build tools"),
    (".git", "history"),
    (".gradle", "build cache"),
    (".hg", "history"),
    (".mypy_cache", "cache"),
    (".nox", "test environments"),
    (".pytest_cache", "cache"),
    (".ruff_cache", "cache"),
    (".svn", "history"),
    (".terraform", "downloaded modules"),
    (".tox", "test environments"),
    (".venv", "installed packages"),
    ("__pycache__", "compiled code"),
    ("bower_components", "installed packages"),
    ("build", "build output"),
    ("dist", "build output"),
    ("node_modules", "installed packages"),
    ("site-packages", "installed packages"),
    ("target", "build output"),
    ("vendor", "copied packages"),
    ("venv", "installed packages"),
)
"""Folders left out of a tree without git, and what is usually in them. With git its ignore rules decide."""

_VENDORED = dict(VENDORED)
_BLOB_BYTES = 128 * 1024 * 1024


class Listing(Value, frozen=True, kw_only=True):
    """Files offered and left out, each sorted by path."""

    files: tuple[SourceFile, ...] = ()
    left_out: tuple[LeftOut, ...] = ()


class _Collector:
    """Applies what holds for every path, wherever it was listed: name, depth, count, excludes."""

    def __init__(self, excludes: Sequence[PathPattern], limits: DiscoverLimits) -> None:
        self._excludes = excludes
        self._limits = limits
        self._files: list[SourceFile] = []
        self._left_out: list[LeftOut] = []
        self._over: list[str] = []

    def accepts(self, path: str) -> bool:
        """Tell whether the file at `path` is to be looked at; if not, it is noted why."""
        shown = escaped(path)
        if shown != path:
            self.leave(path, "not-utf8-name", "rename it to valid UTF-8")
        elif path.count("/") >= self._limits.max_depth:
            self.leave(path, "too-deep", f"more than {self._limits.max_depth} levels")
        elif pattern := first_fit(self._excludes, path):
            self.leave(path, "excluded", pattern.shown)
        elif len(self._files) >= self._limits.max_files:
            self._over.append(path)
        else:
            return True
        return False

    def leave(self, path: str, reason: str, detail: str = "") -> None:
        """Note that `path` is not offered."""
        self._left_out.append(LeftOut(path=escaped(path), reason=reason, detail=detail))

    def leave_folder(self, tree: Tree, path: str) -> None:
        """Note that a folder is not gone into: it may not be read, or is a repository of its own."""
        try:
            tree.names(path)
        except NotOfferedError as error:
            if error.reason:
                self._left_out.append(error.left_out(escaped(path)))
                return
        self.leave(path, "submodule", "a repository inside this one")

    def add(self, path: str, *, size_bytes: int, head: bytes, executable: bool) -> None:
        """Offer a file, unless it is a pointer that stands for bytes kept elsewhere."""
        pointer = read_pointer(head) if size_bytes <= MAX_BYTES else None
        if pointer:
            detail = f"{pointer.size_bytes} bytes are not here: `git lfs pull`"
            self.leave(path, "lfs-pointer", detail)
            return
        kinds = kinds_of(path, head)
        self._files.append(SourceFile(path=path, size_bytes=size_bytes, kinds=kinds, executable=executable))

    def add_from(self, tree: Tree, path: str) -> None:
        """Offer a file of the work tree, or note why not. A path where nothing is, is not there."""
        try:
            with tree.opened(path) as (descriptor, status):
                head = _read_head(descriptor, head_bytes(path))
        except NotOfferedError as error:
            if error.reason:
                self._left_out.append(error.left_out(escaped(path)))
            return
        except OSError as error:
            self.leave(path, "unreadable", error.strerror or "")
            return
        executable = bool(status.st_mode & 0o111)
        self.add(path, size_bytes=status.st_size, head=head, executable=executable)

    def listing(self) -> Listing:
        """Give what was collected."""
        if self._over:
            self.leave(
                min(self._over),
                "too-many",
                f"this and {len(self._over) - 1} more, past {self._limits.max_files} files",
            )
        return Listing(
            files=tuple(sorted(self._files, key=lambda file: file.path)),
            left_out=tuple(sorted(self._left_out, key=lambda left: (left.path, left.reason))),
        )


def list_work_tree(
    repository: Repository,
    *,
    tracked: Iterable[Entry],
    untracked: Iterable[str],
    excludes: Sequence[PathPattern],
    limits: DiscoverLimits,
) -> Listing:
    """Give the files of the work tree behind the `tracked` entries and `untracked` names."""
    collector = _Collector(excludes, limits)
    entries = {entry.path: entry for entry in tracked}
    names = sorted({*entries, *untracked})
    with _opened(repository.root) as tree:
        for path in names:
            entry = entries.get(path)
            if path.endswith("/"):
                collector.leave_folder(tree, path.rstrip("/"))
            elif entry is not None and entry.is_submodule:
                collector.leave(path, "submodule", f"at commit {entry.blob}")
            elif entry is not None and entry.tag in "sS":
                collector.leave(path, "unreadable", "not checked out (sparse checkout)")
            elif collector.accepts(path):
                collector.add_from(tree, path)
    return collector.listing()


def list_entries(
    repository: Repository,
    *,
    entries: Mapping[str, Entry],
    excludes: Sequence[PathPattern],
    limits: DiscoverLimits,
) -> Listing:
    """Give the files of the index or of a commit; the work tree is only a quick way to the same bytes."""
    collector = _Collector(excludes, limits)
    regular: dict[str, Entry] = {}
    links: dict[str, Entry] = {}
    for path, entry in sorted(entries.items()):
        if entry.is_submodule:
            collector.leave(path, "submodule", f"at commit {entry.blob}")
        elif entry.is_link:
            links[path] = entry
        elif collector.accepts(path):
            regular[path] = entry
    sizes = repository.sizes(entry.blob for entry in regular.values())
    heads = _work_tree_heads(repository, regular, sizes)
    rest = [*links.values(), *(entry for path, entry in regular.items() if path not in heads)]
    blobs: dict[str, bytes] = {}
    for name, data in repository.blobs((entry.blob for entry in rest), max_bytes=_BLOB_BYTES):
        blobs[name] = data[: head_bytes("x.yaml")]
    for path, entry in links.items():
        target = os.fsdecode(blobs.get(entry.blob, b""))
        collector.leave(path, link(path, target).reason, escaped(target))
    for path, entry in regular.items():
        head = heads.get(path, blobs.get(entry.blob, b"")[: head_bytes(path)])
        size = sizes[entry.blob]
        collector.add(path, size_bytes=size, head=head, executable=entry.is_executable)
    return collector.listing()


def _work_tree_heads(
    repository: Repository, entries: Mapping[str, Entry], sizes: Mapping[str, int]
) -> dict[str, bytes]:
    """Read heads from files that git says are as in the index, and that are of its size (no filter between)."""
    differing = repository.unstaged_paths()
    indexed = {entry.path: entry.blob for entry in repository.tracked()}
    heads = {}
    with _opened(repository.root) as tree:
        for path, entry in entries.items():
            if path in differing or indexed.get(path) != entry.blob:
                continue
            try:
                with tree.opened(path) as (descriptor, status):
                    if status.st_size == sizes[entry.blob]:
                        heads[path] = _read_head(descriptor, head_bytes(path))
            except (NotOfferedError, OSError):
                continue  # Then the blob itself is read.
    return heads


def list_plain(root: str, *, excludes: Sequence[PathPattern], limits: DiscoverLimits) -> Listing:
    """Give the files below `root`, without the folders in `VENDORED`."""
    collector = _Collector(excludes, limits)
    with _opened(root) as tree:
        # Depth first, so that the tree keeps only one way of folders open.
        waiting = [""]
        while waiting:
            waiting.extend(reversed(_walk_folder(tree, waiting.pop(), collector, limits)))
    return collector.listing()


def _walk_folder(tree: Tree, folder: str, collector: _Collector, limits: DiscoverLimits) -> list[str]:
    """Collect the files of one folder and give the folders in it that are to be walked."""
    try:
        names = tree.names(folder)
    except NotOfferedError as error:
        collector.leave(folder or ".", error.reason or "unreadable", error.detail)
        return []
    folders = []
    for name, is_folder in names:
        path = f"{folder}/{name}" if folder else name
        if not is_folder:
            if collector.accepts(path):
                collector.add_from(tree, path)
            continue
        usual = _VENDORED.get(name)
        if usual:
            collector.leave(path, "excluded", f"{name}/ (built in: {usual})")
        elif path.count("/") + 1 >= limits.max_depth:
            collector.leave(path, "too-deep", f"more than {limits.max_depth} levels")
        elif tree.has_file(f"{path}/pyvenv.cfg"):
            collector.leave(path, "excluded", "pyvenv.cfg (built in: installed packages)")
        else:
            folders.append(path)
    return folders


def _opened(root: str) -> Tree:
    try:
        return Tree(root)
    except OSError as error:
        raise TargetError(
            f"the directory cannot be read: {error.strerror}", place=root, remedy="check its permissions"
        ) from None


def _read_head(descriptor: int, size: int) -> bytes:
    parts = []
    while size > 0 and (part := os.read(descriptor, size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def is_directory(path: str) -> bool:
    """Tell whether `path` is a directory, following links. Raises TargetError where nothing is."""
    try:
        return stat.S_ISDIR(os.stat(path).st_mode)  # noqa: PTH116 - the path may hold any bytes
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no path"
        raise TargetError(f"cannot be read: {reason}", place=path) from None
