"""Ask a repository: its head, its files, what changed, and the bytes of its objects.

Every question is one git process in a private GIT_DIR (`directory`). Names are text with surrogate
escapes (`entries`); object names are lower-case hex of SHA-1 or SHA-256.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from secgate.errors import IncompleteTargetError, SecgateError, TargetError
from secgate.model import Limits, Output, Source
from secgate.ports import ProcessRunner
from secgate.repository.address import normalised
from secgate.repository.blame import LineAuthor, read_blame
from secgate.repository.changes import Changes, CommitFile, Span, read_commit_files, read_name_status, read_spans
from secgate.repository.directory import (
    Found,
    Settings,
    environment,
    find,
    make_directory,
    read_settings,
)
from secgate.repository.entries import (
    Entry,
    closed_folders,
    decoded,
    encoded,
    read_index,
    read_tree,
    split_records,
)

_GROUP_BYTES = 64 * 1024 * 1024
_GROUP_COUNT = 5000
_LIMITS = Limits(time_s=300.0, output_bytes=1024 * 1024 * 1024)
_DIFF = (
    "-z",
    "--no-ext-diff",
    "--no-textconv",
    # Anything weaker starts `git status` inside each submodule, with the submodule's configuration.
    "--ignore-submodules=dirty",
)
_REFETCH = "run `git fetch --refetch --no-filter origin`, or clone without --filter"
_EMPTY_BLOBS = frozenset(
    (
        "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
        "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813",
    )
)
"""The empty blob's names: `git add --intent-to-add` puts it into the index and not into the store."""

_EMPTY_TREE = {
    "sha1": "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    "sha256": "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
}


class Repository:
    """One repository as it was when it was opened: HEAD and index are copies, so answers agree with each other."""

    def __init__(self, *, runner: ProcessRunner, git: str, found: Found, settings: Settings, directory: str) -> None:
        self._runner = runner
        self._git = git
        self._found = found
        self._settings = settings
        self._directory = directory
        self._environment = environment(directory, found.top)
        self._entries: tuple[Entry, ...] = ()

    @classmethod
    def open(cls, runner: ProcessRunner, path: str, scratch: str, git: str, *, index: str = "") -> Repository | None:
        """Open the repository that holds the directory `path`; None when there is none.

        The private GIT_DIR is made in `scratch`, which the caller removes. `git` is the program's absolute path, ""
        when it was not found; `index` is what git names its hooks in GIT_INDEX_FILE, "" for the usual one. Raises
        TargetError when there is a repository that cannot be read.
        """
        found = find(path)
        if found is None:
            return None
        if not git:
            raise TargetError("this is a git work tree, and git was not found", place=path, remedy="install git")
        settings = read_settings(runner, git, found, scratch)
        repository = cls(
            runner=runner,
            git=git,
            found=found,
            settings=settings,
            directory=make_directory(found, settings, scratch, index=index),
        )
        repository._read_index()
        return repository

    # ------------------------------------------------------------------------------ where and what

    @property
    def root(self) -> str:
        """Absolute path of the work tree's top."""
        return self._found.top

    @property
    def common_directory(self) -> str:
        """Absolute path of the git directory that all linked work trees share."""
        return self._found.common

    @property
    def name(self) -> str:
        """Stable name: the remote's host and path, else the name of the main work tree's directory."""
        remotes = self._settings.remotes
        for remote in ("origin", *sorted(remotes)):
            name = normalised(remotes.get(remote, ""))
            if name:
                return name
        common = Path(self._found.common)
        return common.parent.name if common.name == ".git" else common.name.removesuffix(".git")

    @property
    def object_format(self) -> str:
        """`sha1` or `sha256`."""
        return self._settings.object_format

    @property
    def is_partial(self) -> bool:
        """Tell whether objects may be missing by intent (`git clone --filter`)."""
        return self._settings.partial

    @property
    def is_shallow(self) -> bool:
        """Tell whether history is cut off."""
        return bool(self.shallow_commits())

    def shallow_commits(self) -> frozenset[str]:
        """Give the commits whose parents are not in this clone."""
        path = Path(self._directory) / "shallow"
        return frozenset(path.read_text("ascii").split()) if path.is_file() else frozenset()

    # ------------------------------------------------------------------------------------- commits

    def head(self) -> str:
        """Give the commit that is checked out, "" before the first one. Raises TargetError when it is broken."""
        name = self._ask("rev-parse", "--quiet", "--verify", "HEAD", codes=(0, 1, 128))
        if not name:
            ref = self.ref()
            if ref and not (Path(self.common_directory) / ref).exists():
                return ""
            raise self._broken("HEAD names no commit")
        return self._ask("rev-parse", "--verify", "HEAD^{commit}")

    def ref(self) -> str:
        """Give the full name of the branch that is checked out, "" for a detached HEAD."""
        return self._ask("symbolic-ref", "--quiet", "HEAD", codes=(0, 1))

    def tree(self, commit: str) -> str:
        """Give the tree of a commit."""
        return self._ask("rev-parse", "--verify", f"{commit}^{{tree}}")

    def author(self, commit: str) -> str:
        """Give the name, without the address, of a commit's author."""
        return self._ask("log", "-1", "--format=%an", commit, "--")

    def resolve(self, ref: str) -> str:
        """Give the commit that a reference, tag or object name stands for, "" when there is none."""
        if not ref or ref.startswith("-") or not ref.isprintable():
            return ""
        return self._ask("rev-parse", "--quiet", "--verify", f"{ref}^{{commit}}", codes=(0, 1, 128))

    def merge_base(self, one: str, other: str) -> str:
        """Give the best common ancestor of two commits, "" when this clone holds none."""
        return self._ask("merge-base", one, other, codes=(0, 1))

    def commits(self, base: str, head: str) -> tuple[str, ...]:
        """Give the commits of `base..head`, each after its parents; all that lead to `head` where `base` is ""."""
        span = f"{base}..{head}" if base else head
        listing = self._ask("rev-list", "--reverse", "--topo-order", span, "--")
        return tuple(listing.split())

    def default_branch(self) -> str:
        """Guess the default branch, as `origin/NAME`: what origin said, else main or master; "" for none."""
        name = self._ask("symbolic-ref", "--quiet", "refs/remotes/origin/HEAD", codes=(0, 1, 128))
        if name and self.resolve(name):
            return name.removeprefix("refs/remotes/")
        for guess in ("origin/main", "origin/master"):
            if self.resolve(f"refs/remotes/{guess}"):
                return guess
        return ""

    # --------------------------------------------------------------------------------------- files

    def tracked(self) -> tuple[Entry, ...]:
        """Give every entry of the index, conflicts included, sorted by name."""
        return self._entries

    def index_entries(self) -> dict[str, Entry]:
        """Give the index by name. Raises TargetError while there are conflicts, naming the first."""
        conflicts = sorted({entry.path for entry in self._entries if entry.stage})
        if conflicts:
            raise TargetError(
                f"the index has paths in conflict, {len(conflicts)} in all, first {conflicts[0]!a}",
                place=self.root,
                remedy="resolve them and `git add` the result",
            )
        return {entry.path: entry for entry in self._entries}

    def untracked(self) -> tuple[str, ...]:
        """Give what is not in the index and not ignored.

        A repository inside this one ends in a slash, and so does a folder that git may not read.
        """
        output = self._run("ls-files", "-z", "--others", "--exclude-standard")
        return tuple(
            sorted({*map(decoded, split_records(output.stdout)), *map(decoded, closed_folders(output.stderr))})
        )

    def is_ignored(self, path: str) -> bool:
        """Tell whether git ignores `path` of the work tree."""
        # This command knows no literal names; `./` keeps a leading colon from being magic.
        output = self._run(
            *("check-ignore", "--quiet", "--", f"./{path}"),
            codes=(0, 1),
            variables={"GIT_LITERAL_PATHSPECS": "0"},
        )
        return output.exit_code == 0

    def tree_entries(self, commit: str) -> dict[str, Entry]:
        """Give every file of a commit by name."""
        output = self._run("ls-tree", "-r", "-z", "--full-tree", commit)
        return {entry.path: entry for entry in read_tree(output.stdout)}

    def file_at(self, commit: str, path: str, *, max_bytes: int = 16 * 1024 * 1024) -> bytes | None:
        """Give the bytes of one regular file of a commit; None when it is not there or is larger than `max_bytes`."""
        return self.files_at(commit, [path], max_bytes=max_bytes).get(path)

    def files_at(self, commit: str, paths: Sequence[str], *, max_bytes: int) -> dict[str, bytes | None]:
        """Give the bytes of those of `paths` that are regular files of a commit; None for one above `max_bytes`."""
        output = self._run("ls-tree", "-z", "--full-tree", commit, "--", *paths)
        names = {entry.path: entry.blob for entry in read_tree(output.stdout) if entry.is_regular}
        held = dict(self.blobs(names.values(), max_bytes=max_bytes))
        return {path: held.get(blob) for path, blob in names.items() if path in paths}

    def line_authors(self, commit: str, path: str, first: int, last: int) -> tuple[LineAuthor, ...]:
        """Give who wrote the lines `first` to `last`, from 1, of a file of a commit.

        Raises TargetError where the commit has no such lines.
        """
        span = f"-L{first},{max(first, last)}"
        output = self._run("blame", "--porcelain", "--no-textconv", span, commit, "--", path)
        return read_blame(output.stdout)

    # ------------------------------------------------------------------------------------- changes

    def changes(self, old: str, new: str) -> Changes:
        """Give what differs between two commits; "" stands for no commit yet."""
        return self._diff("diff-tree", "-r", old or self._nothing, new or self._nothing)

    def staged_changes(self, old: str) -> Changes:
        """Give what differs between a commit ("" for none) and the index."""
        return self._diff("diff", "--cached", old or self._nothing)

    def work_tree_changes(self, old: str) -> Changes:
        """Give what differs between a commit ("" for none) and the tracked files of the work tree."""
        return self._diff("diff", old or self._nothing)

    def spans(self, old: str, path: str, *, source: Source, new: str = "", before: str = "") -> tuple[Span, ...]:
        """Give the first and last line of each part of a file that the commit `old` ("" for none) does not have.

        The file is that of `source`, of the commit `new` for Source.COMMIT; `before` is its name in `old` where that
        was another. What the tree says of how files differ does not count.
        """
        ends = {
            Source.INDEX: ("diff", "--cached"),
            Source.WORK_TREE: ("diff",),
            Source.COMMIT: ("diff-tree", "-r", "-p"),
        }
        options = ("--unified=0", "--text", "--no-color", "-M", *_DIFF[1:])
        sides = (old or self._nothing, *([new] if source is Source.COMMIT else []))
        names = (path, *([before] if before else []))
        return read_spans(self._run(*ends[source], *options, *sides, "--", *names).stdout)

    def unstaged_paths(self) -> frozenset[str]:
        """Give the tracked paths whose file in the work tree is not the index's blob."""
        changes = self._diff("diff")
        old_names = (rename.old for rename in changes.renames)
        return frozenset((*changes.present, *changes.deleted, *old_names))

    def commit_files(self, commits: Sequence[str]) -> tuple[CommitFile, ...]:
        """Give, in the order of `commits`, the files that each one brought; a merge only what no parent has."""
        output = self._run(
            *("diff-tree", "--stdin", "-r", "-c", "--root", "-z", "--no-renames", "--no-ext-diff"),
            stdin="".join(f"{commit}\n" for commit in commits).encode("ascii"),
        )
        return read_commit_files(output.stdout)

    # --------------------------------------------------------------------------------------- bytes

    def sizes(self, blobs: Iterable[str]) -> dict[str, int]:
        """Give the size in bytes of each blob.

        Raises IncompleteTargetError for one that a partial clone does not hold, TargetError for one that is lost.
        """
        wanted = sorted(set(blobs))
        if not wanted:
            return {}
        output = self._run("cat-file", "--batch-check", stdin=_lines(wanted))
        sizes = {}
        for line in output.stdout.decode("ascii").splitlines():
            name, kind, *size = line.split()
            if name in _EMPTY_BLOBS:
                kind, size = "blob", ["0"]
            if kind != "blob" or not size:
                raise self._missing(name)
            sizes[name] = int(size[0])
        return sizes

    def blobs(self, blobs: Iterable[str], *, max_bytes: int) -> Iterator[tuple[str, bytes]]:
        """Give (object name, bytes) of each blob of at most `max_bytes`, a bounded amount in memory at a time.

        Raises as `sizes` does.
        """
        group: list[str] = []
        held = 0
        for name, size in sorted(self.sizes(blobs).items()):
            if name in _EMPTY_BLOBS:
                yield name, b""
            if name in _EMPTY_BLOBS or size > max_bytes:
                continue
            if group and (held + size > _GROUP_BYTES or len(group) >= _GROUP_COUNT):
                yield from self._group(group)
                group, held = [], 0
            group.append(name)
            held += size
        if group:
            yield from self._group(group)

    def _group(self, names: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        data = self._run("cat-file", "--batch", stdin=_lines(names)).stdout
        position = 0
        for name in names:
            end = data.find(b"\n", position)
            words = data[position:end].split()
            if end < 0 or len(words) != 3 or words[0].decode("ascii", "replace") != name:
                raise self._missing(name)
            start = end + 1
            position = start + int(words[2]) + 1
            if position > len(data):
                raise self._broken(f"object {name} was cut short")
            yield name, data[start : position - 1]

    # ------------------------------------------------------------------------------------ processes

    @property
    def _nothing(self) -> str:
        return _EMPTY_TREE[self._settings.object_format]

    def _read_index(self) -> None:
        """Read the index and take back promises not to look: a file marked unchanged may well be changed."""
        self._entries = self._list_index()
        unchanged = [entry.path for entry in self._entries if entry.tag.islower()]
        present = [
            entry.path for entry in self._entries if entry.tag in "sS" and os.path.lexists(Path(self.root) / entry.path)
        ]
        for option, paths in (
            ("--no-assume-unchanged", unchanged),
            ("--no-skip-worktree", present),
        ):
            if paths:
                names = b"".join(encoded(path) + b"\0" for path in paths)
                self._run("update-index", option, "-z", "--stdin", stdin=names)
        if unchanged or present:
            self._entries = self._list_index()

    def _list_index(self) -> tuple[Entry, ...]:
        return read_index(self._run("ls-files", "-v", "-s", "-z").stdout)

    def _diff(self, command: str, *arguments: str) -> Changes:
        options = (*_DIFF, "--name-status")
        try:
            output = self._run(command, *options, "-M", *arguments, "--")
        except IncompleteTargetError:
            if not self._settings.partial:
                raise
            # Likeness needs the bytes of both sides; equal bytes can be told from the names of objects.
            output = self._run(command, *options, "-M100%", *arguments, "--")
        return read_name_status(output.stdout)

    def _ask(self, *arguments: str, codes: Sequence[int] = (0,)) -> str:
        output = self._run(*arguments, codes=codes)
        return output.stdout.decode("utf-8", "backslashreplace").strip() if not output.exit_code else ""

    def _run(
        self,
        *arguments: str,
        stdin: bytes = b"",
        codes: Sequence[int] = (0,),
        variables: Mapping[str, str] = MappingProxyType({}),
    ) -> Output:
        output = self._runner.run(
            [self._git, "--no-pager", *arguments],
            cwd=self.root,
            stdin=stdin,
            env={**self._environment, **variables},
            limits=_LIMITS,
        )
        if output.problem:
            raise TargetError(f"git cannot be started: {output.problem}", remedy="install git")
        if output.timed_out or output.truncated:
            raise IncompleteTargetError(
                f"git {arguments[0]} did not end within its limits",
                place=self.root,
                remedy="run `git gc`, or scan a part of the tree",
            )
        if output.exit_code not in codes:
            raise self._broken(_first_line(output.stderr) or f"git {arguments[0]} failed")
        return output

    def _broken(self, what: str) -> SecgateError:
        if self._settings.partial:
            return IncompleteTargetError(
                f"git cannot read this partial clone: {what}", place=self.root, remedy=_REFETCH
            )
        return TargetError(
            f"git cannot read the repository: {what}",
            place=self.root,
            remedy="run `git fsck` there; where objects are lost, clone again",
        )

    def _missing(self, name: str) -> SecgateError:
        if self._settings.partial:
            return IncompleteTargetError(
                f"this is a partial clone without object {name}",
                place=self.root,
                remedy=_REFETCH,
            )
        return self._broken(f"object {name} is missing")


def _lines(names: Sequence[str]) -> bytes:
    return "".join(f"{name}\n" for name in names).encode("ascii")


def _first_line(stderr: bytes) -> str:
    lines = stderr.decode("utf-8", "backslashreplace").splitlines()
    text = next((line for line in lines if line.strip()), "")
    return "".join(character if character.isprintable() else "?" for character in text)[:300]
