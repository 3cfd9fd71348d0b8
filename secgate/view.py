"""Stage 2, view. Target -> View: a private directory that holds only the regular files to be scanned.

Bytes come from the work tree (opened without following links), from the index, or from commits. No link, no
special file, no git folder and no file mode of the tree gets in (threat rules 1 and 14). What tools would take
as an order to look away is left out under its own name and kept under an inert one, so that it is still searched
(threat rule 6). Nothing is shared with the tree, since a tool may write.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from secgate.errors import IncompleteTargetError, InternalError, TargetError
from secgate.languages import head_bytes, kinds_of
from secgate.model import LeftOut, Origin, Source, SourceFile, Target, Value, View
from secgate.patterns import PathPattern, first_fit
from secgate.repository import CommitFile, Repository, escaped
from secgate.tree import NotOfferedError, Tree

TOOL_CONFIGURATION = (
    (".bandit", "bandit: tests and paths to skip"),
    (".checkov.baseline", "checkov: results to hide"),
    (".checkov.yaml", "checkov: checks to skip, and Python to run"),
    (".checkov.yml", "checkov: checks to skip, and Python to run"),
    (".gitignore", "kingfisher, zizmor, semgrep: paths to skip"),
    (".gitleaks.toml", "gitleaks: rules and paths to allow"),
    (".gitleaksignore", "gitleaks: results to hide"),
    (".grype.yaml", "grype: results to ignore"),
    (".hadolint.yaml", "hadolint: rules to ignore"),
    (".hadolint.yml", "hadolint: rules to ignore"),
    (".ignore", "kingfisher, zizmor: paths to skip"),
    (".kingfisher*", "kingfisher: rules and paths to skip"),
    (".pip-audit*", "pip-audit: advisories to ignore"),
    (".rgignore", "file walkers: paths to skip"),
    (".secrets.baseline", "detect-secrets: results to hide"),
    (".semgrepignore", "semgrep: paths to skip"),
    (".snyk", "snyk: results to ignore"),
    (".tfsec/", "tfsec: checks to skip"),
    (".trivyignore*", "trivy: results to hide"),
    ("trivy.yaml", "trivy: what to scan"),
    (".zizmor.yaml", "zizmor: results to ignore"),
    (".zizmor.yml", "zizmor: results to ignore"),
    ("osv-scanner.toml", "osv-scanner: advisories to ignore"),
    ("zizmor.yaml", "zizmor: results to ignore"),
    ("zizmor.yml", "zizmor: results to ignore"),
)
"""Files that narrow a scan just by lying there, and what they tell which tool. Files with other uses as well
(`pyproject.toml setup.cfg tox.ini`) stay: the adapters tell their tools not to read them."""

_TOOL_CONFIGURATION = tuple((PathPattern(text), why) for text, why in TOOL_CONFIGURATION)
_INERT_FOLDER = "secgate-inert"
_INERT_SUFFIXES = frozenset((".yaml", ".yml", ".json", ".toml"))
_CHUNK_BYTES = 1024 * 1024


class ViewLimits(Value, frozen=True, kw_only=True):
    """Past a limit a file is left out by name."""

    max_file_bytes: int = 128 * 1024 * 1024
    max_total_bytes: int = 4 * 1024 * 1024 * 1024


def make_view(
    target: Target,
    files: Sequence[SourceFile],
    *,
    repository: Repository | None,
    directory: str,
    limits: ViewLimits | None = None,
) -> View:
    """Copy `files` of the target's own source into the new `directory`.

    Raises IncompleteTargetError when the view cannot be written or an object is not in a partial clone, TargetError
    when the repository has lost an object.
    """
    paths = sorted({file.path for file in files})
    writer = _Writer(directory, paths, target.source, limits or ViewLimits())
    if target.source is Source.WORK_TREE:
        _copy_work_tree(target.root, [path for path in paths if path not in target.indexed], writer)
        paths = [path for path in paths if path in target.indexed]
        if not paths:
            return writer.view()
    if repository is None:
        raise InternalError(f"a view of the {target.source} needs its repository")
    is_commit = target.source is Source.COMMIT
    entries = repository.tree_entries(target.commit) if is_commit else repository.index_entries()
    blobs = {path: entries[path].blob for path in paths if path in entries}
    for path in paths:
        if path not in blobs:
            writer.leave(path, "unreadable", "not in the commit" if is_commit else "not in the index")
    _copy_blobs(repository, blobs, writer)
    return writer.view()


def base_files(target: Target, paths: Iterable[str], *, repository: Repository) -> dict[str, str]:
    """Give the blob at the base for each of the target's `paths` that was a regular file there.

    Keys are paths at the base: a renamed file is found under its old name.
    """
    if not target.base_commit:
        return {}
    entries = repository.tree_entries(target.base_commit)
    old_names = {rename.new: rename.old for rename in target.renames}
    wanted = {old_names.get(path, path) for path in paths}
    return {path: entries[path].blob for path in sorted(wanted) if path in entries and entries[path].is_regular}


def make_base_view(
    target: Target,
    paths: Iterable[str],
    *,
    repository: Repository,
    directory: str,
    limits: ViewLimits | None = None,
) -> View:
    """Copy what the target's `paths` were at its base commit into the new `directory`; see `base_files`.

    Raises as `make_view`. A path that is new since the base is not in the view.
    """
    blobs = base_files(target, paths, repository=repository)
    writer = _Writer(directory, sorted(blobs), Source.COMMIT, limits or ViewLimits())
    _copy_blobs(repository, blobs, writer)
    return writer.view()


def make_history_view(
    target: Target,
    *,
    repository: Repository,
    directory: str,
    excludes: Sequence[PathPattern] = (),
    limits: ViewLimits | None = None,
) -> View:
    """Copy what the commits of the change brought and its end no longer holds, as `hist/NUMBER/PATH`.

    NUMBER counts the change's commits from 1, oldest first; `origins` has commit and path of each. Bytes that came
    by several commits under one path are there once, for the oldest. Raises as `make_view`.
    """
    passing = _passing(target, repository, excludes)
    numbers = {commit: number for number, commit in enumerate(target.change_commits, 1)}
    places = {f"hist/{numbers[file.commit]}/{file.path}": file for file in passing}
    writer = _Writer(directory, sorted(places), Source.COMMIT, limits or ViewLimits())
    blobs = {}
    for place, file in sorted(places.items()):
        writer.stand_for(place, Origin(commit=file.commit, path=escaped(file.path)))
        if file.is_regular:
            blobs[place] = file.blob
        elif file.is_link:
            writer.leave(place, "link")
    _copy_blobs(repository, blobs, writer)
    return writer.view()


def _passing(target: Target, repository: Repository, excludes: Sequence[PathPattern]) -> list[CommitFile]:
    """Give what commits brought that the end does not hold, without repetition."""
    differing = repository.unstaged_paths() if target.source is Source.WORK_TREE else frozenset()
    is_commit = target.source is Source.COMMIT
    held = repository.tree_entries(target.commit).values() if is_commit else repository.tracked()
    end = {(entry.path, entry.blob) for entry in held if entry.path not in differing}
    found = []
    for file in repository.commit_files(target.change_commits):
        inside = not target.prefix or file.path.startswith(f"{target.prefix}/")
        if not inside or (file.path, file.blob) in end or first_fit(excludes, file.path):
            continue
        end.add((file.path, file.blob))
        found.append(file)
    return found


def view_files(target: Target, view: View) -> tuple[SourceFile, ...]:
    """Give the files of a view under their paths there, with the kinds of the files they stand for, sorted."""
    # Bytes of another commit, or of the index beside the work tree, may be of another kind and the same size.
    alike = view.source is target.source and view.source is not Source.COMMIT
    known = {file.path: file for file in target.files if file.path not in target.indexed} if alike else {}
    files = []
    for path in sorted(view.digests):
        name = view.origins[path].path if path in view.origins else path
        with open(f"{view.root}/{path}", "rb") as file:  # noqa: PTH123 - see `_copy`
            size = os.fstat(file.fileno()).st_size
            old = known.get(name)
            # A file that was edited since it was listed may be of another kind now.
            same = old is not None and old.size_bytes == size
            kinds = old.kinds if old and same else kinds_of(name, file.read(head_bytes(name)))
        executable = old is not None and old.executable
        files.append(SourceFile(path=path, size_bytes=size, kinds=kinds, executable=executable))
    return tuple(files)


def _copy_work_tree(root: str, paths: Sequence[str], writer: _Writer) -> None:
    try:
        tree = Tree(root)
    except OSError as error:
        raise TargetError(f"the directory cannot be read: {error.strerror}", place=root) from None
    with tree:
        for path in paths:
            try:
                with tree.opened(path) as (descriptor, _):
                    writer.write(path, _chunks(descriptor))
            except NotOfferedError as error:
                writer.leave(path, error.reason or "unreadable", error.detail)


def _chunks(descriptor: int) -> Iterator[bytes]:
    while True:
        try:
            part = os.read(descriptor, _CHUNK_BYTES)
        except OSError as error:
            raise NotOfferedError("unreadable", error.strerror or "") from None
        if not part:
            return
        yield part


def _copy_blobs(repository: Repository, blobs: Mapping[str, str], writer: _Writer) -> None:
    places: dict[str, list[str]] = {}
    for path, blob in blobs.items():
        places.setdefault(blob, []).append(path)
    max_bytes = writer.limits.max_file_bytes
    copied = set()
    for blob, data in repository.blobs(places, max_bytes=max_bytes):
        copied.add(blob)
        for path in places[blob]:
            writer.write(path, (data,))
    for blob in places.keys() - copied:
        for path in places[blob]:
            writer.leave(path, "too-large", f"more than {max_bytes} bytes")


class _Writer:
    """Writes one view and keeps its account. Every folder in it was made here, so no name in it leads out."""

    def __init__(self, directory: str, paths: Sequence[str], source: Source, limits: ViewLimits) -> None:
        self.limits = limits
        self._root = Path(directory)
        self._source = source
        self._digests: dict[str, str] = {}
        self._left_out: list[LeftOut] = []
        self._origins: dict[str, Origin] = {}
        self._folders = {""}
        self._total = 0
        folder = _INERT_FOLDER
        while any(path.partition("/")[0] == folder for path in paths):
            folder += "-"
        configured = ((path, _tool_order(path)) for path in paths)
        orders = [(path, order) for path, order in configured if order]
        self._inert = {
            path: (f"{folder}/{number}{_inert_suffix(path)}", order) for number, (path, order) in enumerate(orders, 1)
        }
        try:
            self._root.mkdir(mode=0o700)
        except FileExistsError:
            raise InternalError("the directory of a view is there already") from None
        except OSError as error:
            raise _not_written(error) from None

    def stand_for(self, path: str, origin: Origin) -> None:
        """Note what `path` stands for, should it be written."""
        self._origins[path] = origin

    def leave(self, path: str, reason: str, detail: str = "") -> None:
        """Note that a file is not in the view; one of a commit is named by its own path and the commit."""
        origin = self._origins.get(path)
        if origin and origin.commit:
            path, detail = origin.path, f"{detail}; in commit {origin.commit}".removeprefix("; ")
        self._left_out.append(LeftOut(path=escaped(path), reason=reason, detail=detail))

    def write(self, path: str, chunks: Iterable[bytes]) -> None:
        """Write one file, or note why not. Raises IncompleteTargetError when the disk does not take it."""
        if escaped(path) != path:
            self.leave(path, "not-utf8-name")
            return
        if any(part in ("", ".", "..") or part.lower() == ".git" for part in path.split("/")):
            self.leave(path, "special", "a name that git forbids")
            return
        place, order = self._inert.get(path, (path, ""))
        if not self._copy(path, place, chunks):
            return
        if order:
            self.leave(path, "tool-configuration", f"{order}; searched as {place}")
            self._origins[place] = self._origins.get(path) or Origin(commit="", path=path)

    def _copy(self, path: str, place: str, chunks: Iterable[bytes]) -> bool:
        target = f"{self._root}/{place}"
        digest = hashlib.sha256()
        size = 0
        try:
            self._make_folder(place.rpartition("/")[0])
            descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError as error:
            self._refused(path, error)
            return False
        whole = False
        try:
            for chunk in chunks:
                size += len(chunk)
                if size > self.limits.max_file_bytes:
                    self.leave(path, "too-large", f"more than {self.limits.max_file_bytes} bytes")
                    return False
                if self._total + size > self.limits.max_total_bytes:
                    self.leave(path, "too-large", "the view is full")
                    return False
                digest.update(chunk)
                _write_all(descriptor, chunk)
            whole = True
        finally:
            os.close(descriptor)
            if not whole:
                os.unlink(target)  # noqa: PTH108 - a path object for every file costs more than the copy
        self._total += size
        self._digests[place] = digest.hexdigest()
        return True

    def _make_folder(self, folder: str) -> None:
        if folder not in self._folders:
            self._make_folder(folder.rpartition("/")[0])
            (self._root / folder).mkdir(mode=0o700)
            self._folders.add(folder)

    def _refused(self, path: str, error: OSError) -> None:
        if error.errno in (errno.EEXIST, errno.ENOTDIR):
            # Only objects made by hand hold one name twice.
            self.leave(path, "special", "the same name is a file and a folder")
        elif error.errno == errno.ENAMETOOLONG:
            self.leave(path, "too-deep", "longer than this system allows")
        else:
            raise _not_written(error) from None

    def view(self) -> View:
        """Give the view."""
        return View(
            root=str(self._root),
            source=self._source,
            digests=dict(sorted(self._digests.items())),
            left_out=tuple(sorted(self._left_out, key=lambda left: (left.path, left.reason))),
            origins={place: origin for place, origin in sorted(self._origins.items()) if place in self._digests},
        )


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(descriptor, rest) :]
        except OSError as error:
            raise _not_written(error) from None


def _not_written(error: OSError) -> IncompleteTargetError:
    return IncompleteTargetError(
        f"the files to scan cannot be copied: {error.strerror}",
        remedy="free space in the directory for temporary files, or name another one by TMPDIR",
    )


def _tool_order(path: str) -> str:
    """Give what `path` would tell tools, "" for any other file."""
    return next((why for pattern, why in _TOOL_CONFIGURATION if pattern.fits(path)), "")


def _inert_suffix(path: str) -> str:
    """Keep a suffix that decides who can read the file: a manifest may be called `.checkov.yaml` to hide."""
    suffix = PurePosixPath(path).suffix.lower()
    return suffix if suffix in _INERT_SUFFIXES else ".txt"
