"""Before anything is scanned: the repository, whose settings count, the target, the policy layers.

What a change could use against its own judge is read from the merge base in a change, from HEAD in local and staged
runs, and from the
enforced layer; a plain folder has nothing but itself.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
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
from secgate.errors import ConfigError, TargetError, UsageError, faults_words
from secgate.model import Scope, Target, Trust, Value
from secgate.path_classes import FILE_NAME as CLASSES_NAME
from secgate.path_classes import PathClass, read_path_classes, require_known
from secgate.patterns import PathPattern
from secgate.people import FILE_NAME as PEOPLE_NAME
from secgate.people import People, read_people, without_names
from secgate.policy import (
    Asking,
    Layer,
    Profile,
    effective_data,
    profile_names,
    read_limits,
)
from secgate.ports import Engine, ProcessRunner
from secgate.preparation.choices import asking, folder_notes, for_folder, require_strict
from secgate.preparation.kept import Kept
from secgate.preparation.own_settings import check_scanners, draft_words, own_settings
from secgate.preparation.owners import Ownership, read_owners
from secgate.preparation.policy_files import (
    CONFTEST,
    ConftestSet,
    conftest_sets,
    guarded_reader,
    named_policies,
    policy_layers,
    tree_policies,
)
from secgate.preparation.secrets import secret_key
from secgate.repository import Repository
from secgate.resources import data_dir, files_under, first_unreadable
from secgate.retirement import FILE_NAME as RETIRED_NAME
from secgate.retirement import Retirement, read_retirement
from secgate.secret_binding import SecretKey
from secgate.trust import ALLOWED_NAME, REVOKED_NAME, allowed_keys, revocations

RETIRED_SIGNATURE = f"{RETIRED_NAME}.sig"
AUTHORITIES_NAME = "timestamp-authorities.pem"
CONTROLS_NAME = "controls"
ENFORCED_PARTS = (
    *(config.ENFORCED_NAME, "policies", "data", CONFTEST, CONTROLS_NAME),
    *(ALLOWED_NAME, REVOKED_NAME, PEOPLE_NAME, CLASSES_NAME, RETIRED_NAME, RETIRED_SIGNATURE),
    AUTHORITIES_NAME,
)


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


class Enforced(Value, frozen=True, kw_only=True):
    """The organisation's directory, read once. `digest` covers every file of it that counts.

    `people` and `trust` say who may act and whose signatures count: without a directory nobody, and no tree can add to
    them.
    """

    settings: SettingsLayer | None
    policies: dict[str, bytes]
    digest: str
    controls: Mapping[str, bytes] = {}
    """Frameworks and assertions of its own, and their tests, by path."""
    conftest: Mapping[str, bytes] = {}
    people: People = People()
    trust: Trust = Trust()
    retired: bytes = b""
    retired_signature: bytes = b""
    authorities: bytes = b""
    """Root certificates (PEM) of the RFC 3161 authorities whose timestamps on checkpoints count, b"" for none."""
    retirement: Retirement = Retirement()
    """What the map says; it counts for nothing before `verified_retirement` has seen its signature."""
    path_classes: tuple[PathClass, ...] = ()


class Prepared(Struct, frozen=True, kw_only=True):
    """Everything a run needs to know before it looks at a file."""

    target: Target
    repository: Repository | None
    settings: Settings
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
    request: RunRequest, *, machine: Machine, runner: ProcessRunner, scratch: str, kept: Kept | None = None
) -> Prepared:
    """Give what the run is about. Raises UsageError, TargetError, IncompleteTargetError, ConfigError or PolicyError."""
    path = _directory(request.path, machine)
    repository = open_repository(path, machine=machine, runner=runner, scratch=scratch)
    top = repository.root if repository is not None else path
    enforced_at = request.enforced or machine.env.get("SECGATE_ENFORCED", "")
    enforced = read_enforced(enforced_at, tree=top)
    stronger = _stronger_layers(request, machine, enforced)
    first = config.resolve(stronger).settings
    ci = ci_facts(machine.env, read=_read_event)
    target = discover(_question(request, first, path, machine), repository=repository, ci=ci)
    at = target.base_commit if target.scope is Scope.CHANGE or request.changed_since is not None else target.commit
    own, notes = own_settings(request.config, machine, target, repository, at)
    resolved = for_folder(config.resolve([*stronger, *([own] if own else [])]), target.prefix, stronger=stronger)
    settings = resolved.settings
    check_scanners(resolved)
    target = narrowed(
        target,
        excludes=tuple(PathPattern(text) for text in settings.exclude),
        gate_paths=tuple(PathPattern(text) for text in _gate_folders(settings)),
    )
    target = without_names(target, enforced.people)
    if settings.line and target.scope is Scope.PROTECTED:
        target = msgspec.structs.replace(target, line=settings.line)
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
    require_strict(settings, data, sources=resolved.sources)
    return Prepared(
        target=target,
        repository=repository,
        settings=settings,
        sources=resolved.sources,
        config_digest=hashlib.sha256(msgspec.json.encode(settings, order="sorted")).hexdigest(),
        profile=asked.whole,
        asking=asked,
        layers=layers,
        conftest=conftest_sets(
            settings,
            enforced.conftest,
            config.resolve([enforced.settings]).settings.conftest if enforced.settings else (),
            target=target,
            repository=repository,
            at=at,
        ),
        enforced=enforced,
        engine=engine,
        guarded=guarded,
        draft=draft,
        notes=(*ci.notes, *notes, *filter(None, [draft]), *resolved.overruled, *owners.notes, *folder_notes(asked)),
        owners=owners,
        secret_key=secret_key(machine, enforced=enforced_at),
        mapping=_mapping(enforced),
    )


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


def read_enforced(path: str, *, tree: str) -> Enforced:
    """Read the organisation's directory.

    `path` "" is none. Raises UsageError for one inside the scanned tree or without its parts.
    """
    if not path:
        return Enforced(settings=None, policies={}, digest="")
    root = Path(path).resolve()
    if not root.is_dir():
        raise UsageError(
            "the enforced layer is not a directory", place=path, remedy="give the organisation's directory"
        )
    # Where it is called from counts as well as where it lies: a link in the tree is the tree's to turn elsewhere.
    named = Path(os.path.abspath(path))  # noqa: PTH100 - the name before links are followed
    if tree and any(Path(tree).resolve() in (one, *one.parents) for one in (root, named, named.parent.resolve())):
        raise UsageError(
            "the enforced layer lies inside the scanned tree, which could edit it",
            place=path,
            remedy="keep it in a repository or folder of its own",
        )
    _require_parts(root, place=path)
    settings = None
    total = hashlib.sha256()
    policies: dict[str, bytes] = {}
    controls: dict[str, bytes] = {}
    conftest: dict[str, bytes] = {}
    parts: dict[str, bytes] = {}
    for name, data in files_under(root):
        top = name.split("/", 1)[0]
        if top not in ENFORCED_PARTS:
            continue
        total.update(f"{len(name.encode())}:{name}:{len(data)}:".encode() + data)
        if name == config.ENFORCED_NAME:
            settings = config.parse_file(data, name=name, trust="enforced")
        elif (top == "policies" and name.endswith(".rego")) or (top == "data" and name.endswith(".json")):
            policies[name] = data
        elif top == CONTROLS_NAME and name.endswith((".json", ".rego")):
            controls[name] = data
        elif top == CONFTEST and name.endswith(".rego"):
            conftest[name] = data
        elif name in ENFORCED_PARTS:
            parts[name] = data
    people, trust = _who_counts(parts)
    retired = parts.get(RETIRED_NAME, b"")
    digest = hashlib.sha256(retired).hexdigest()
    return Enforced(
        settings=settings,
        policies=policies,
        controls=controls,
        conftest=conftest,
        digest=total.hexdigest(),
        people=people,
        trust=trust,
        retired=retired,
        retired_signature=parts.get(RETIRED_SIGNATURE, b""),
        authorities=parts.get(AUTHORITIES_NAME, b""),
        retirement=read_retirement(retired, digest=digest) if RETIRED_NAME in parts else Retirement(),
        path_classes=read_path_classes(parts[CLASSES_NAME]) if CLASSES_NAME in parts else (),
    )


def _who_counts(files: dict[str, bytes]) -> tuple[People, Trust]:
    """Read who there is and whose keys count. Raises ConfigError with the faults of all three files at once."""
    people = People()
    trust = Trust(allowed_signers=files.get(ALLOWED_NAME, b""), revoked=files.get(REVOKED_NAME, b""))
    faults: list[tuple[str, str, str]] = []
    persons: tuple[str, ...] | None = None
    try:
        people = read_people(files[PEOPLE_NAME]) if PEOPLE_NAME in files else people
        persons = people.ids
    except ConfigError as error:
        faults.extend(error.faults or ((error.place, error.what, error.remedy),))
    for read in (lambda: allowed_keys(trust, persons=persons), lambda: revocations(trust)):
        try:
            read()
        except ConfigError as error:
            faults.extend(error.faults)
    if faults:
        what = f"{faults_words(len(faults))} in what says whose signatures count"
        raise ConfigError(what, faults=faults, remedy="mend each in the enforced layer; nothing was judged")
    return people, trust


def _require_parts(root: Path, *, place: str) -> None:
    """Raise UsageError for a directory that would enforce nothing, or less than it seems to."""
    if unread := first_unreadable(root, sorted(ENFORCED_PARTS)):
        raise UsageError(f"the enforced layer cannot be read: {unread}", place=place, remedy="let the gate read it")
    parts = [root / name for name in ENFORCED_PARTS if (root / name).exists() or (root / name).is_symlink()]
    if not parts:
        raise UsageError(
            "the enforced layer is empty: it would enforce nothing",
            place=place,
            remedy=f"give the directory that holds {config.ENFORCED_NAME}, policies/ or data/",
        )
    below = [one for part in parts if part.is_dir() and not part.is_symlink() for one in sorted(part.rglob("*"))]
    link = next((one for one in (*parts, *below) if one.is_symlink()), None)
    if link is not None:
        raise UsageError(
            f"the enforced layer holds a link, which is not followed: {link.relative_to(root)}",
            place=place,
            remedy="have the file itself there, or give the directory that the link leads to",
        )


def _directory(path: str, machine: Machine) -> str:
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


def _question(request: RunRequest, first: Settings, path: str, machine: Machine) -> DiscoverRequest:
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
        scope=Scope(first.scope) if first.scope else None,
        scope_source=source,
        ref=request.ref,
        artifacts=request.artifacts,
    )
