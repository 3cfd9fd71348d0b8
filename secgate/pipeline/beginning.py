"""A repository looked at for `secgate init`, and its files written whole or not at all."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from importlib import metadata
from pathlib import Path, PurePosixPath

import msgspec
from msgspec import Struct

from secgate import proposals
from secgate.config import MAX_CONFIG_BYTES, Machine
from secgate.errors import UsageError
from secgate.model import Lane, SourceFile
from secgate.pipeline.looking import Tables, load_tables
from secgate.preparation import Prepared, RunRequest, Silence, prepare, workshop
from secgate.proposals import HOOKS, PYPROJECT, SETTINGS, WORKFLOW, WORKFLOWS, Proposal, Sight
from secgate.replacing import replace_file
from secgate.tree import NotOfferedError, Tree
from secgate.version import __version__

_COPIED = ("vendor", "third_party", "node_modules", "external", "bower_components")
_PROJECTS = ("pyproject.toml", "package.json", "setup.py", "go.mod", "pom.xml")
_PARTS = 6
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


class Beginning(Struct, frozen=True, kw_only=True):
    """Where files go, and what is proposed for each."""

    root: str
    is_git: bool
    proposals: tuple[Proposal, ...]


def look(path: str, *, in_pyproject: bool, without: Iterable[str], machine: Machine, now: datetime) -> Beginning:
    """Look at the repository that holds `path`, or at the plain folder, and propose what it lacks.

    Raises UsageError for a file that would be added to and is a link or cannot be read.
    """
    with workshop(machine, now=now, observer=Silence()) as shop:
        prepared = prepare(RunRequest(path=path), machine=machine, runner=shop.executor, scratch=shop.scratch)
        sight = _sight(prepared, load_tables())
    root = prepared.target.root
    left_out = set(without)
    kinds = {
        "settings": PYPROJECT if in_pyproject else SETTINGS,
        "pre-commit": HOOKS,
        "workflow": WORKFLOW,
    }
    own = {place for kind, place in kinds.items() if kind not in left_out}
    names = dict.fromkeys((SETTINGS, PYPROJECT, HOOKS, WORKFLOW, *_workflows(prepared)))
    files = {name: text for name in names if (text := _read(root, name, ours=name in own)) is not None}
    made = []
    if "settings" not in left_out:
        made.append(proposals.settings(sight, files, in_pyproject=in_pyproject))
    if "pre-commit" not in left_out:
        made.append(proposals.hooks(sight, files))
    if "workflow" not in left_out:
        made.append(proposals.workflow(sight, files))
    return Beginning(root=root, is_git=sight.is_git, proposals=tuple(made))


def _workflows(prepared: Prepared) -> list[str]:
    folder = f"{WORKFLOWS}/"
    return [one.path for one in prepared.target.files if one.path.startswith(folder) and one.path.count("/") == 2]


def _read(root: str, name: str, *, ours: bool) -> str | None:
    """Give the text of a file, None for none. What is only looked at and cannot be read counts as none."""
    with Tree(root) as tree:
        try:
            with tree.opened(name) as (descriptor, status):
                data = os.read(descriptor, status.st_size + 1) if status.st_size <= MAX_CONFIG_BYTES else None
        except NotOfferedError as error:
            if not error.reason or not ours:
                return None
            raise UsageError(
                f"it is no regular file of this tree ({error.reason}), so nothing is written",
                place=name,
                remedy="put a file there, or leave it out with --without",
            ) from error
    if data is None and not ours:
        return None
    if data is None:
        raise UsageError(f"larger than {MAX_CONFIG_BYTES} bytes", place=name, remedy="leave it out with --without")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        if not ours:
            return None
        raise UsageError("is not UTF-8", place=f"{name}: byte {error.start}", remedy="save it as UTF-8") from error


def _sight(prepared: Prepared, tables: Tables) -> Sight:
    target = prepared.target
    lanes = []
    for lane in Lane:
        needs = [need for file in target.files if (need := tables.lanes.need(lane, file)) is not None]
        lanes.append((lane.value, sum(bool(need.tools) for need in needs), sum(not need.tools for need in needs)))
    hosts = {"github.com": "github", "gitlab.com": "gitlab"}
    forge = hosts.get(target.repository.partition("/")[0], "")
    if not forge:
        forge = "github" if any(one.path.startswith(".github/") for one in target.files) else ""
    default = prepared.repository.default_branch() if prepared.repository is not None else ""
    return Sight(
        version=__version__,
        is_git=target.kind == "git",
        forge=forge,
        branch=default.removeprefix("origin/") or target.line or "main",
        lanes=tuple(lanes),
        copied=_folders(target.files, _COPIED),
        parts=_parts(target.files),
        commit=installed_commit(),
    )


def _folders(files: Sequence[SourceFile], names: Sequence[str]) -> tuple[str, ...]:
    found: set[str] = set()
    for file in files:
        parts = PurePosixPath(file.path).parts[:-1]
        at = next((at for at, part in enumerate(parts) if part in names), None)
        if at is not None:
            found.add("/".join(parts[: at + 1]))
    return tuple(sorted(found))


def _parts(files: Sequence[SourceFile]) -> tuple[str, ...]:
    found = {str(PurePosixPath(one.path).parent) for one in files if PurePosixPath(one.path).name in _PROJECTS}
    copied = tuple(f"{path}/" for path in _folders(files, _COPIED))
    parts = sorted(path for path in found if path != "." and not f"{path}/".startswith(copied))
    return tuple(parts[:_PARTS]) if len(parts) > 1 else ()


def installed_commit() -> str:
    """Give the commit that secgate was installed from, where its installer noted one. Source: PEP 610."""
    try:
        noted = metadata.distribution("secgate").read_text("direct_url.json")
        document = msgspec.json.decode(noted or "{}")
    except (metadata.PackageNotFoundError, msgspec.DecodeError):
        return ""
    info = document.get("vcs_info") if isinstance(document, dict) else None
    commit = str(info.get("commit_id", "")) if isinstance(info, dict) else ""
    url = str(document.get("url", "")).removesuffix(".git") if commit else ""
    return commit if url == proposals.HOME and _COMMIT.fullmatch(commit) else ""


def write(beginning: Beginning) -> tuple[str, ...]:
    """Write what is proposed, each file whole or not at all, and give the paths.

    Raises UsageError before anything is written where a place is a link, no folder, or cannot be written.
    """
    wanted = proposals.changed(beginning.proposals)
    root = Path(beginning.root)
    for one in wanted:
        _require_place(root, one.path)
    for one in wanted:
        path = root / one.path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, one.text.encode("utf-8"))
        except OSError as error:
            raise UsageError(
                f"cannot write it: {error.strerror}", place=one.path, remedy="make its folder writable"
            ) from error
    return tuple(one.path for one in wanted)


def _require_place(root: Path, name: str) -> None:
    path = root / name
    for folder in (*reversed(path.relative_to(root).parents[:-1]), None):
        here = root / folder if folder is not None else path
        if here.is_symlink() or (here.exists() and here.is_dir() is (folder is None)):
            raise UsageError(
                "a link or something else stands in its place, so nothing is written",
                place=str(here.relative_to(root)),
                remedy="remove it, or leave it out with --without",
            )
    above = next(one for one in path.parents if one.is_dir())
    if not os.access(above, os.W_OK | os.X_OK):
        raise UsageError("its folder cannot be written, so nothing is", place=name, remedy="make it writable")
