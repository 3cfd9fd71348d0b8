"""Where policies are read from: folders on this machine, folders of a commit; and the layers that they make."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Literal

from secgate.config import ConftestSettings, Machine, Settings
from secgate.engines.regorus import RegorusChild
from secgate.errors import UsageError
from secgate.model import Target, Value
from secgate.policy import Layer, effective_data, load_layer, load_vocabulary
from secgate.policy.layers import LayerName, of_runs
from secgate.ports import ProcessRunner, SyntaxReader
from secgate.preparation.kept import Kept
from secgate.repository import Repository
from secgate.resources import data_dir, files_under
from secgate.scan import LaneTable, load_lane_table

MAX_POLICY_FILE_BYTES = 4 * 1024 * 1024
CONFTEST = "conftest"
"""Folder of an enforced layer that holds its policies in Conftest's shape."""


def guarded_reader(machine: Machine, *, runner: ProcessRunner, scratch: str) -> SyntaxReader:
    """Give the reader of syntax that can be stopped, for layers that are not ours."""
    return RegorusChild(runner=runner, python=machine.python, directory=scratch)


def shipped_files() -> dict[str, bytes]:
    """Give the files of the shipped layer, and its tests."""
    return of_runs(dict(files_under(data_dir("policies"), ".rego", ".json")))


def shipped_lanes() -> LaneTable:
    """Read the lane table as it is shipped. Raises ConfigError where it is damaged."""
    return load_lane_table((data_dir("policies") / "lanes.json").read_bytes())


def policy_layers(
    organisation: dict[str, bytes],
    own: dict[str, bytes],
    *,
    reader: SyntaxReader,
    guarded: SyntaxReader,
    kept: Kept | None = None,
) -> tuple[Layer, ...]:
    """Give the layers that judge, the shipped one first; those that are `kept` are not checked again.

    Raises PolicyError with file and line for a fault in any of them.
    """
    schema = (data_dir("policies") / "schema" / "input.json").read_bytes()
    vocabulary = load_vocabulary(schema)

    def load(name: LayerName, files: dict[str, bytes], shipped: Layer | None = None, data: bytes = b"{}") -> Layer:
        made = partial(
            load_layer,
            *(name, files),
            reader=reader if shipped is None else guarded,
            vocabulary=vocabulary,
            shipped=shipped,
            data=data,
        )
        if kept is None:
            return made()
        ground = shipped.digest if shipped is not None else ""
        told = repr((name, ground, schema, data, sorted(files.items())))
        return kept.layer(hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest(), made)

    shipped = load("shipped", shipped_files())
    layers = [shipped]
    data = effective_data(shipped, None)
    if organisation:
        theirs = load("organisation", organisation, shipped, data)
        layers.append(theirs)
        data = effective_data(shipped, theirs)
    if own:
        layers.append(load("repository", own, shipped, data))
    return tuple(layers)


class ConftestSet(Value, frozen=True, kw_only=True):
    """Policies in Conftest's shape of one layer, and the patterns of the files that they are asked about."""

    layer: Literal["organisation", "repository"]
    files: dict[str, bytes]
    patterns: tuple[str, ...]
    namespaces: tuple[str, ...]


def tree_policies(settings: Settings, target: Target, repository: Repository | None, at: str) -> dict[str, bytes]:
    """Give the Rego files of the folders that the settings name, of the commit `at` where there is a repository."""
    found: dict[str, bytes] = {}
    for folder in settings.policies:
        found |= _tree_folder(folder, target, repository, at, place=f"policies: {folder}")
    return found


def _tree_folder(
    folder: str, target: Target, repository: Repository | None, at: str, *, place: str
) -> dict[str, bytes]:
    prefix = folder.strip("/")
    found: dict[str, bytes] = {}
    if repository is None:
        root = Path(target.root) / prefix
        if Path(target.root).resolve() not in (root.resolve(), *root.resolve().parents):
            raise UsageError("a policy folder leads out of the tree", place=place, remedy="name one inside")
        _refuse_links(root, place=place)
        found = {f"{prefix}/{name}": data for name, data in files_under(root, ".rego")}
    elif at:
        found = policies_at(repository, at, prefix)
    if not found:
        raise UsageError("no policy in a folder that the settings name", place=place, remedy="add one, or remove it")
    return found


def conftest_sets(
    settings: Settings,
    enforced: Mapping[str, bytes],
    named: Sequence[ConftestSettings],
    *,
    target: Target,
    repository: Repository | None,
    at: str,
) -> tuple[ConftestSet, ...]:
    """Give the sets that the settings name, with their files; `named` are the enforced layer's, `enforced` its files.

    Raises UsageError for a folder without Rego files, and for an enforced one that is not below `conftest/`.
    """
    found = []
    for one in settings.conftest:
        place = f"conftest: {one.policies}"
        folder = f"{one.policies.strip('/')}/"
        if one not in named:
            files = _tree_folder(one.policies, target, repository, at, place=place)
        elif not folder.startswith(f"{CONFTEST}/"):
            raise UsageError(f"the folder is not below `{CONFTEST}/`", place=place, remedy="move it there")
        else:
            files = {path: data for path, data in enforced.items() if path.startswith(folder)}
        if not files:
            raise UsageError("no policy in this folder", place=place, remedy="give a folder with .rego files")
        found.append(
            ConftestSet(
                layer="organisation" if one in named else "repository",
                files=files,
                patterns=tuple(one.files),
                namespaces=tuple(one.namespaces),
            )
        )
    return tuple(found)


def policies_at(
    repository: Repository, commit: str, folder: str, suffixes: tuple[str, ...] = (".rego",)
) -> dict[str, bytes]:
    """Give the files of a folder of a commit, by path. Raises UsageError for a link, and for one that is too large."""
    found = {}
    for name, entry in repository.tree_entries(commit).items():
        if not name.startswith(f"{folder}/") or not name.endswith(suffixes):
            continue
        data = repository.file_at(commit, name, max_bytes=MAX_POLICY_FILE_BYTES) if entry.is_regular else None
        if data is None:
            what = f"above {MAX_POLICY_FILE_BYTES} bytes" if entry.is_regular else "a link, and is not followed"
            raise UsageError(f"this policy is {what}", place=name, remedy="have the file itself there, and split it")
        found[name] = data
    return found


def _refuse_links(root: Path, *, place: str) -> None:
    """Refuse a folder of policies that holds a link: passed over, it would be a rule lost in silence."""
    link = next((path for path in sorted(root.rglob("*")) if path.is_symlink()), None)
    if link is not None:
        raise UsageError(
            f"a link stands among the policies, and is not followed: {link.relative_to(root)}",
            place=place,
            remedy="have the file itself there",
        )


def named_policies(folders: Sequence[str], machine: Machine) -> dict[str, bytes]:
    """Give the Rego files of folders named on the command line. Raises UsageError for a folder without any."""
    found: dict[str, bytes] = {}
    for folder in folders:
        root = Path(machine.cwd, folder)
        _refuse_links(root, place=folder)
        here = {f"{folder}/{name}": data for name, data in files_under(root, ".rego")} if root.is_dir() else {}
        if not here:
            raise UsageError("there is no policy in this folder", place=folder, remedy="give a folder with .rego files")
        found |= here
    return found
