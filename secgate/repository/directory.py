"""Where a repository is, and a private GIT_DIR that stands for it (threat rule 9).

The private directory holds an empty object store that borrows the real one, links to the real
references, copies of HEAD, the index and the shallow boundary, and a configuration of our own. Of the
repository's configuration only the facts in `Settings` are read, as plain text, by `git config --file`,
which follows no include and starts nothing. So no hook, filter, monitor, text conversion, pager or
credential program that the tree or its clone names can run, and who owns the tree does not matter.

Not carried over: replacement objects, grafts, commit graphs, references of one work tree only. `info/exclude`
is, since it is the repository's word on what to ignore; the person's own excludes file is not, so that two
machines list the same files.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from secgate.errors import TargetError
from secgate.model import Limits, Value
from secgate.ports import ProcessRunner

_POINTER_BYTES = 8192
_EXCLUDE_BYTES = 1024 * 1024

CONFIGURATION = """\
[core]
\tbare = false
\tsymlinks = true
\tignoreCase = false
\tprecomposeUnicode = false
\tquotePath = false
\thooksPath = /dev/null
\tfsmonitor = false
\tuntrackedCache = false
\tcommitGraph = false
\texcludesFile = /dev/null
\tattributesFile = /dev/null
\taskPass = /bin/false
\tpager = cat
\tlogAllRefUpdates = false
\tsparseCheckout = false
[diff]
\trenames = true
\trenameLimit = 1000
\tmnemonicPrefix = false
[log]
\tmailmap = false
\tshowSignature = false
[protocol]
\tallow = never
[gc]
\tauto = 0
[submodule]
\trecurse = false
"""
"""Settings that never come from the repository. `protocol.allow` ends every attempt to fetch."""

_CARRIED = {
    "core.filemode": re.compile(r"true|false"),
    "core.autocrlf": re.compile(r"true|false|input"),
    "core.eol": re.compile(r"lf|crlf|native"),
}
"""Settings that decide whether a file of the work tree equals its blob, with the values allowed."""


class Found(Value, frozen=True, kw_only=True):
    """A repository on disk. `common` is where objects and references are; for a linked tree it is elsewhere."""

    top: str
    directory: str
    common: str


class Settings(Value, frozen=True, kw_only=True):
    """What is taken from the repository's configuration."""

    object_format: str = "sha1"
    partial: bool = False
    """True for a partial clone: objects may be missing by intent."""
    carried: dict[str, str]
    remotes: dict[str, str]
    """Address by remote name, as written: it may hold credentials."""


def find(path: str) -> Found | None:
    """Give the repository that holds the directory `path`, or None for a plain directory.

    Raises TargetError for a path inside a git directory, a bare repository, or a `.git` file that points nowhere.
    """
    start = Path(path).resolve()
    for top in (start, *start.parents):
        if _is_git_directory(top):
            raise TargetError(
                "this is a git directory or a bare repository, not a tree of files",
                place=path,
                remedy="check it out with `git worktree add DIR` and give DIR",
            )
        marker = top / ".git"
        if marker.is_dir() and _is_git_directory(marker):
            return _found(top, marker)
        if marker.is_file():
            return _found(top, _pointed(marker))
    return None


def _is_git_directory(path: Path) -> bool:
    head = path / "HEAD"
    if not (head.is_file() or head.is_symlink()):
        return False
    shared = (path / "objects").is_dir() and (path / "refs").is_dir()
    return shared or (path / "commondir").is_file()


def _pointed(marker: Path) -> Path:
    text = _pointer(marker).removeprefix(b"gitdir:").strip()
    target = marker.parent / os.fsdecode(text)
    if not text or b"\0" in text or not _is_git_directory(target):
        raise TargetError(
            "the `.git` file does not point to a git directory",
            place=str(marker),
            remedy="run `git worktree repair` in the main work tree, or `git submodule update --init`",
        )
    return target.resolve()


def _found(top: Path, directory: Path) -> Found:
    common = directory
    pointer = directory / "commondir"
    if pointer.is_file():
        common = (directory / os.fsdecode(_pointer(pointer))).resolve()
    if not (common / "objects").is_dir():
        raise TargetError(
            "the repository has no object store",
            place=str(common),
            remedy="run `git fsck`, or clone again",
        )
    return Found(top=str(top), directory=str(directory), common=str(common))


def _pointer(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_POINTER_BYTES).strip()
    except OSError as error:
        raise TargetError(f"cannot be read: {error.strerror}", place=str(path)) from None


def environment(directory: str, top: str) -> Mapping[str, str]:
    """Give the variables of every git process: an explicit repository and no configuration but ours."""
    return {
        "GIT_DIR": directory,
        "GIT_WORK_TREE": top,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_SYSTEM": "/dev/null",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_COUNT": "0",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "/bin/false",
        "GIT_PAGER": "cat",
        "GIT_LITERAL_PATHSPECS": "1",
        "HOME": directory,
        "XDG_CONFIG_HOME": directory,
        "LC_ALL": "C",
    }


def read_settings(runner: ProcessRunner, git: str, found: Found, scratch: str) -> Settings:
    """Read the allowed facts from the repository's configuration without following its includes.

    Raises TargetError when it cannot be read, or for reference storage other than files.
    """
    path = Path(found.common) / "config"
    if not path.is_file():
        return Settings(carried={}, remotes={})
    output = runner.run(
        [git, "config", "--file", str(path), "--no-includes", "--null", "--list"],
        cwd=scratch,
        env=environment(str(Path(scratch) / "no-repository"), scratch),
        limits=Limits(time_s=30.0, output_bytes=4 * 1024 * 1024),
    )
    if output.problem:
        raise TargetError(f"git cannot be started: {output.problem}", remedy="install git, or give its path")
    if output.exit_code or output.timed_out or output.truncated:
        raise TargetError(
            "the repository's configuration cannot be read",
            place=str(path),
            remedy="run `git config --list` there and mend what it names",
        )
    return _settings(output.stdout, str(path))


def _settings(listing: bytes, place: str) -> Settings:
    values: dict[str, str] = {}
    for record in listing.split(b"\0"):
        key, _, value = record.decode("utf-8", "replace").partition("\n")
        values[key] = value
    storage = values.get("extensions.refstorage", "files")
    if storage != "files":
        raise TargetError(
            f"references are stored as {storage!r}, which secgate cannot read",
            place=place,
            remedy="run `git refs migrate --ref-format=files`",
        )
    object_format = values.get("extensions.objectformat", "sha1")
    if object_format not in ("sha1", "sha256"):
        raise TargetError(f"the object format {object_format!r} is not known", place=place)
    partial = "extensions.partialclone" in values or any(
        key.startswith("remote.") and key.endswith((".promisor", ".partialclonefilter")) for key in values
    )
    return Settings(
        object_format=object_format,
        partial=partial,
        carried={
            key: values[key].lower()
            for key, allowed in _CARRIED.items()
            if allowed.fullmatch(values.get(key, "").lower())
        },
        remotes={
            key.removeprefix("remote.").removesuffix(".url"): value
            for key, value in values.items()
            if key.startswith("remote.") and key.endswith(".url")
        },
    )


def make_directory(found: Found, settings: Settings, scratch: str, *, index: str = "") -> str:
    """Make the private GIT_DIR in `scratch` and give its path.

    `index` is the index that git told its hook to read: it counts where it lies in this repository's own git directory,
    as those do with which `git commit -a` and `git commit FILE` work.

    Raises TargetError when HEAD or the index cannot be copied.
    """
    own = Path(tempfile.mkdtemp(prefix="git-", dir=scratch))
    theirs, common = Path(found.directory), Path(found.common)
    named = Path(found.top, index)
    told = index != "" and named.resolve().parent == theirs.resolve()
    (own / "config").write_text(_configuration(settings), encoding="utf-8")
    (own / "objects" / "info").mkdir(parents=True)
    (own / "objects" / "pack").mkdir()
    (own / "objects" / "info" / "alternates").write_bytes(_quoted(common / "objects") + b"\n")
    (own / "refs").symlink_to(common / "refs")
    if (common / "packed-refs").is_file():
        (own / "packed-refs").symlink_to(common / "packed-refs")
    try:
        _copy_head(theirs / "HEAD", own / "HEAD")
        copies = {"index": named if told else theirs / "index"} | {
            one.name: one for one in theirs.glob("sharedindex.*")
        }
        for name, source in copies.items():
            if source.is_file():
                # The time must stay: git mistrusts entries that are younger than their index.
                shutil.copy2(source, own / name)
        if (common / "shallow").is_file():
            shutil.copyfile(common / "shallow", own / "shallow")
        _copy_exclude(common / "info" / "exclude", own / "info")
    except OSError as error:
        raise TargetError(f"the repository cannot be read: {error.strerror}", place=str(error.filename)) from None
    return str(own)


def _configuration(settings: Settings) -> str:
    lines = [CONFIGURATION, "[core]\n"]
    if settings.object_format == "sha1":
        lines.append("\trepositoryFormatVersion = 0\n")
    else:
        lines.append("\trepositoryFormatVersion = 1\n")
        lines.append(f"[extensions]\n\tobjectFormat = {settings.object_format}\n[core]\n")
    lines += [f"\t{key.removeprefix('core.')} = {value}\n" for key, value in sorted(settings.carried.items())]
    return "".join(lines)


def _quoted(path: Path) -> bytes:
    """Quote a path for `objects/info/alternates`, where a line may be a C string."""
    plain = (chr(byte) if 0x20 <= byte < 0x7F and byte not in b'"\\' else f"\\{byte:03o}" for byte in os.fsencode(path))
    return f'"{"".join(plain)}"'.encode("ascii")


def _copy_head(source: Path, target: Path) -> None:
    if source.is_symlink():  # The form of old repositories: a link to the reference.
        target.write_bytes(b"ref: " + os.fsencode(source.readlink()) + b"\n")
    else:
        target.write_bytes(_pointer(source) + b"\n")


def _copy_exclude(source: Path, folder: Path) -> None:
    folder.mkdir()
    if source.is_file() and source.stat().st_size <= _EXCLUDE_BYTES:
        shutil.copyfile(source, folder / "exclude")
