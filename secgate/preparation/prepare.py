"""Before anything is scanned: the repository, whose settings count, the target, the policy layers.

What a change could use against its own judge is read from the merge base in a change, from HEAD in local and staged
runs, and from the enforced layer; a plain folder has nothing but itself.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from secgate import config, registry
from secgate.attest import ARTIFACT
from secgate.config import Layer as SettingsLayer
from secgate.config import Machine, Settings
from secgate.controls import ControlMapping, read_mapping
from secgate.discover import DiscoverRequest, ci_facts, discover, narrowed
from secgate.engines.regorus import RegorusEngine
from secgate.errors import ConfigError, TargetError, UsageError
from secgate.model import Scope, Target
from secgate.path_classes import require_known
from secgate.patterns import PathPattern
from secgate.people import without_names
from secgate.policy import (
    PROFILES_NAME,
    Asking,
    Layer,
    Profile,
    effective_data,
    profile_names,
    profiles_in,
    read_limits,
)
from secgate.ports import Engine, ProcessRunner
from secgate.preparation.choices import asking, folder_notes, for_folder, require_strict
from secgate.preparation.enforced import CONTROLS_NAME, Enforced, read_enforced
from secgate.preparation.kept import Kept
from secgate.preparation.own_settings import draft_words, look_over, own_settings, profile_faults
from secgate.preparation.owners import Ownership, read_owners
from secgate.preparation.policy_files import (
    ConftestSet,
    conftest_sets,
    guarded_reader,
    named_policies,
    policy_layers,
    shipped_files,
    tree_policies,
)
from secgate.preparation.secrets import secret_key
from secgate.repository import Repository
from secgate.resources import data_dir, files_under
from secgate.secret_binding import SecretKey


class RunRequest(Struct, frozen=True, kw_only=True):
    """What a person or a program asks of a run. Empty values mean "not given"."""

    path: str = "."
    changed_since: str | None = None
    staged: bool = False
    named: tuple[str, ...] | None = None
    """The files that are judged, as a hook is given them; None for what the other fields say."""
    commit: str = ""
    """Where `named` are read instead of the work tree."""
    saved: bool = False
    """`named` are what an editor saved: read as they lie, staged or not, measured by HEAD, and nothing is kept."""
    profile: str | None = None
    scanners: tuple[str, ...] = ()
    offline: bool | None = None
    policies: tuple[str, ...] = ()
    enforced: str = ""
    config: str = ""
    ref: str = ""
    scope: str | None = None
    artifacts: tuple[str, ...] = ()
    baseline: str = ""
    """SARIF of another tool that lists known debt, its signature beside it."""
    jobs: int | None = None
    attested: bool = False
    """An attestation of it is wanted: what cannot be attested is refused before it is looked at."""


class Prepared(Struct, frozen=True, kw_only=True):
    """Everything a run needs to know before it looks at a file."""

    target: Target
    repository: Repository | None
    settings: Settings
    settled: tuple[str, ...]
    """Patterns of `settings.exclude` that are the organisation's own."""
    sources: dict[str, str]
    config_digest: str
    profile: Profile
    """The strictest of all that is asked for: which file is asked for what, `asking` tells."""
    asking: Asking
    layers: tuple[Layer, ...]
    conftest: tuple[ConftestSet, ...]
    enforced: Enforced
    engine: Engine
    guarded: Engine
    draft: str
    """What is to be said of settings that lie in the tree and do not count; one of the notes, "" for none."""
    notes: tuple[str, ...]
    secret_key: SecretKey | None
    owners: Ownership
    mapping: ControlMapping
    """The shipped control mapping with what the organisation adds."""


def prepare(
    request: RunRequest,
    *,
    machine: Machine,
    runner: ProcessRunner,
    scratch: str,
    kept: Kept | None = None,
    listed: bool = True,
) -> Prepared:
    """Give what the run is about. Raises UsageError, TargetError, IncompleteTargetError, ConfigError or PolicyError.

    Without `listed` the target has no files: for what asks the tree's ledger and looks at nothing in the tree.
    """
    path = _directory(request.path, machine)
    repository = open_repository(path, machine=machine, runner=runner, scratch=scratch)
    top = repository.root if repository is not None else path
    enforced_at = request.enforced or machine.env.get("SECGATE_ENFORCED", "")
    enforced = read_enforced(enforced_at, tree=top)
    stronger = _stronger_layers(request, machine, enforced)
    first = config.resolve(stronger).settings
    ci = ci_facts(machine.env, read=_read_event)
    target = discover(_question(request, first, path, machine, listed=listed), repository=repository, ci=ci)
    at = target.base_commit if target.scope is Scope.CHANGE or request.changed_since is not None else target.commit
    own, notes = own_settings(request.config, machine, target, repository, at)
    resolved = _resolved(stronger, own, prefix=target.prefix, policies=enforced.policies)
    settings = resolved.settings
    settled = _settled(enforced)
    target = _under(settings, target, settled=settled, enforced=enforced)
    owners = read_owners(target, repository, at, enforced.people)
    engine, guarded = registry.engine(settings.engine, machine=machine, runner=runner, scratch=scratch)
    layers = policy_layers(
        enforced.policies,
        {**tree_policies(settings, target, repository, at), **named_policies(request.policies, machine)},
        reader=RegorusEngine(),
        guarded=guarded_reader(machine, runner=runner, scratch=scratch),
        kept=kept,
    )
    shipped, organisation = layers[0], next((layer for layer in layers if layer.name == "organisation"), None)
    data = effective_data(shipped, organisation)
    require_known(read_limits(data).path_classes, enforced.path_classes)
    known = profile_names(data)
    draft = (
        "" if request.config else draft_words(own, target, repository, at, enforced=enforced.settings, profiles=known)
    )
    asked = asking(settings, data, sources=resolved.sources, stronger=stronger, target=target)
    of_folders = folder_notes(settings, asked, target)
    require_strict(settings, data, sources=resolved.sources)
    return Prepared(
        target=target,
        repository=repository,
        settings=settings,
        settled=settled,
        sources=resolved.sources,
        config_digest=hashlib.sha256(msgspec.json.encode(settings, order="sorted")).hexdigest(),
        profile=asked.whole,
        asking=asked,
        layers=layers,
        conftest=_conftest(settings, enforced, target, repository, at),
        enforced=enforced,
        engine=engine,
        guarded=guarded,
        draft=draft,
        notes=(*ci.notes, *notes, *filter(None, [draft]), *resolved.overruled, *owners.notes, *of_folders),
        owners=owners,
        secret_key=secret_key(machine, enforced=enforced_at),
        mapping=_mapping(enforced),
    )


def _under(settings: Settings, target: Target, *, settled: Sequence[str], enforced: Enforced) -> Target:
    """Give a target as it is under the settings that count."""
    # What the organisation excludes as well, it excludes.
    excludes = _patterns((*settled, *settings.exclude))
    kept = narrowed(target, excludes=excludes, gate_paths=_patterns(_gate_folders(settings)))
    named = without_names(kept, enforced.people)
    if settings.line and named.scope is Scope.PROTECTED:
        return msgspec.structs.replace(named, line=settings.line)
    return named


def _conftest(
    settings: Settings, enforced: Enforced, target: Target, repository: Repository | None, at: str
) -> tuple[ConftestSet, ...]:
    own = config.resolve([enforced.settings]).settings.conftest if enforced.settings else ()
    return conftest_sets(settings, enforced.conftest, own, target=target, repository=repository, at=at)


def _mapping(enforced: Enforced) -> ControlMapping:
    """Give the control mapping that a run is recorded with. Raises ConfigError with every fault of it."""
    shipped = dict(files_under(data_dir("policies") / CONTROLS_NAME, ".json"))
    own = {name: data for name, data in enforced.controls.items() if name.endswith(".json")}
    mapping = read_mapping(shipped, own)
    faults = [
        (
            CONTROLS_NAME,
            f"`{one.person}`, who decided that {one.assertion} does not apply, is nobody of people.toml",
            "",
        )
        for one in mapping.not_applicable.values()
        if enforced.people.person(one.person) is None
    ]
    if faults:
        raise ConfigError("the control mapping is wrong", faults=faults, place=CONTROLS_NAME)
    return mapping


def _gate_folders(settings: Settings) -> tuple[str, ...]:
    return (*settings.policies, *(one.policies for one in settings.conftest))


def open_repository(path: str, *, machine: Machine, runner: ProcessRunner, scratch: str) -> Repository | None:
    """Give the repository that holds `path`, None for a plain folder. Raises TargetError where git is missing."""
    git = shutil.which("git", path=machine.env.get("PATH", "")) or ""
    return Repository.open(runner, path, scratch, git, index=machine.env.get("GIT_INDEX_FILE", ""))


def _resolved(
    stronger: Sequence[SettingsLayer], own: SettingsLayer | None, *, prefix: str, policies: Mapping[str, bytes]
) -> config.Resolved:
    """`policies` are the files of the organisation's layer."""
    layers = [*stronger, *([own] if own is not None else [])]
    found = look_over(layers)
    if found.faults:
        # Else the policy's data says so once it has been read.
        known = profiles_in({**shipped_files(), **policies}[PROFILES_NAME])
        config.require_no([*found.faults, *profile_faults(found, known)])
    return for_folder(found.resolved, prefix, stronger=stronger)


def _patterns(texts: Sequence[str]) -> tuple[PathPattern, ...]:
    return tuple(map(PathPattern, dict.fromkeys(texts)))


def _settled(enforced: Enforced) -> tuple[str, ...]:
    if enforced.settings is None:
        return ()
    return tuple(for_folder(config.resolve([enforced.settings]), "", stronger=()).settings.exclude)


def _directory(path: str, machine: Machine) -> str:
    if not path:
        # As an unset variable gives it: what lies here is not what was meant.
        raise TargetError("the path of the tree is empty", place="PATH", remedy="give a directory; `.` is this one")
    full = Path(machine.cwd, path)
    if not full.exists():
        raise TargetError("there is no such path", place=path, remedy="give the directory of a tree")
    return str(full)


def _read_event(path: str) -> bytes:
    return Path(path).read_bytes()


def _stronger_layers(request: RunRequest, machine: Machine, enforced: Enforced) -> list[SettingsLayer]:
    options = config.option_layer(
        {"profile": request.profile, "offline": request.offline, "jobs": request.jobs, "scope": request.scope}
    )
    return [*([enforced.settings] if enforced.settings else []), options, config.environment_layer(machine.env)]


def _question(request: RunRequest, first: Settings, path: str, machine: Machine, *, listed: bool) -> DiscoverRequest:
    for artifact in request.artifacts:
        if not ARTIFACT.fullmatch(artifact):
            raise UsageError(f"not a digest: `{artifact}`", remedy="sha256: and 64 hex digits", place="--artifact")
    source = "--scope" if request.scope == first.scope else "enforced layer"
    return DiscoverRequest(
        path=path,
        changed_since=request.changed_since,
        staged=request.staged,
        named=None if request.named is None else tuple(str(Path(machine.cwd, name)) for name in request.named),
        commit=request.commit,
        saved=request.saved,
        listed=listed,
        scope=Scope(first.scope) if first.scope else None,
        scope_source=source,
        ref=request.ref,
        artifacts=request.artifacts,
    )
