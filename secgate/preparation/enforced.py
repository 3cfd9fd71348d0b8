"""The organisation's directory: what it holds that counts, who may act, whose signatures count."""

from __future__ import annotations

import difflib
import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from secgate import config
from secgate.config import Layer as SettingsLayer
from secgate.errors import ConfigError, UsageError, faults_words
from secgate.escape import plain
from secgate.model import Trust, Value
from secgate.path_classes import FILE_NAME as CLASSES_NAME
from secgate.path_classes import PathClass, read_path_classes
from secgate.people import FILE_NAME as PEOPLE_NAME
from secgate.people import People, read_people
from secgate.preparation.policy_files import CONFTEST
from secgate.resources import files_under, first_unreadable
from secgate.retirement import FILE_NAME as RETIRED_NAME
from secgate.retirement import Retirement, read_retirement
from secgate.trust import ALLOWED_NAME, REVOKED_NAME, allowed_keys, revocations

RETIRED_SIGNATURE = f"{RETIRED_NAME}.sig"
AUTHORITIES_NAME = "timestamp-authorities.pem"
CONTROLS_NAME = "controls"
ENFORCED_PARTS = (
    *(config.ENFORCED_NAME, "policies", "data", CONFTEST, CONTROLS_NAME),
    *(ALLOWED_NAME, REVOKED_NAME, PEOPLE_NAME, CLASSES_NAME, RETIRED_NAME, RETIRED_SIGNATURE),
    AUTHORITIES_NAME,
)


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
    for name, data in _files(root, place=path):
        top = name.split("/", 1)[0]
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


def _files(root: Path, *, place: str) -> Iterator[tuple[str, bytes]]:
    """Give each file of the parts, by name, sorted; what else lies beside them is nobody's concern here."""
    try:
        for part in sorted(ENFORCED_PARTS):
            if (root / part).is_file():
                yield part, (root / part).read_bytes()
            else:
                yield from ((f"{part}/{name}", data) for name, data in files_under(root / part))
    except OSError as error:
        raise UsageError(
            f"the enforced layer cannot be read: {error.filename}: {error.strerror}",
            place=place,
            remedy="let the gate read it",
        ) from error


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


def _require_no_stray(root: Path, *, place: str) -> None:
    """Raise UsageError for what is meant to be enforced and is not: a policy beside the parts, a part misspelt."""
    try:
        beside = sorted(one for one in root.iterdir() if one.name not in ENFORCED_PARTS)
    except OSError as error:
        what = f"the enforced layer cannot be read: {error.strerror}"
        raise UsageError(what, place=place, remedy="let the gate read it") from error
    for one in beside:
        if one.suffix == ".rego":
            what = f"`{plain(one.name)}` lies beside policies/ and would judge nothing"
            raise UsageError(what, place=place, remedy=f"move it to policies/, or to {CONFTEST}/NAME/")
        is_folder = one.is_dir()
        alike = [name for name in ENFORCED_PARTS if ("." in name or "_" in name or name == REVOKED_NAME) != is_folder]
        near = difflib.get_close_matches(one.name, alike, n=1, cutoff=0.7 if is_folder else 0.9)
        if near:
            what = f"`{plain(one.name)}` is no part of the enforced layer: nothing in it would count"
            raise UsageError(what, place=place, remedy=f"did you mean `{near[0]}`? else name it otherwise")


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
    _require_no_stray(root, place=place)
    if (root / RETIRED_SIGNATURE).exists() and not (root / RETIRED_NAME).exists():
        raise UsageError(
            f"{RETIRED_SIGNATURE} is there, but {RETIRED_NAME}, which it signs, is not: nothing would be retired",
            place=place,
            remedy=f"put {RETIRED_NAME} back, or take its signature away as well",
        )
    below = [one for part in parts if part.is_dir() and not part.is_symlink() for one in sorted(part.rglob("*"))]
    link = next((one for one in (*parts, *below) if one.is_symlink()), None)
    if link is not None:
        raise UsageError(
            f"the enforced layer holds a link, which is not followed: {link.relative_to(root)}",
            place=place,
            remedy="have the file itself there, or give the directory that the link leads to",
        )
