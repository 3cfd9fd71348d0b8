"""Which ledger a tree has: where it lies, whether one is required, and whether it may be written."""

from __future__ import annotations

import hashlib
from pathlib import Path

from msgspec import Struct

from secgate.config import LedgerSettings, Machine
from secgate.errors import LedgerError, UsageError
from secgate.executors.local import LocalExecutor
from secgate.ledgers.git import GitLedger
from secgate.ledgers.sqlite import SqliteLedger
from secgate.model import Head, Target
from secgate.ports import Keeper, Ledger
from secgate.preparation.heads import SeenHeads
from secgate.repository import Repository

_REMOTE_ENV = ("GIT_SSH_COMMAND", "GIT_SSH", "SSH_AUTH_SOCK", "GIT_ASKPASS", "SSH_ASKPASS", "HOME")
"""What reaching a remote may take: the operator's keys and helpers, never the tree's."""


class ChosenLedger(Struct, frozen=True, kw_only=True):
    """The ledger of a run.

    `remembered` is the head it must have grown from: the settings' checkpoint or, where a ledger is required, the head
    that this machine saw last, whichever is longer; None where none is kept.
    """

    ledger: Ledger
    required: bool
    read_only: bool
    remembered: Head | None
    seen: SeenHeads


def choose_ledger(
    settings: LedgerSettings,
    *,
    target: Target,
    repository: Repository | None,
    machine: Machine,
    executor: LocalExecutor,
    read_only: bool,
) -> ChosenLedger | None:
    """Give the ledger that the settings mean, None for `store = "none"`.

    Raises LedgerError for a ledger that is required and switched off, lies inside the scanned tree or is tracked by
    git,
    and UsageError for settings that name none.
    """
    if settings.store == "none":
        if settings.required:
            raise LedgerError(
                "a ledger is required here and `store` is none", remedy="name a store", place="ledger.store"
            )
        return None
    remembered = None
    if settings.checkpoint_size:
        remembered = Head(size=settings.checkpoint_size, root=settings.checkpoint_root)
    ledger: Ledger
    if settings.store == "git":
        if not settings.repository:
            raise UsageError(
                "the git ledger needs a repository", remedy="set ledger.repository", place="ledger.repository"
            )
        ledger = _git_ledger(settings.repository, settings.ref, machine=machine, executor=executor, read_only=read_only)
    else:
        path = _sqlite_path(settings, target=target, repository=repository, machine=machine)
        _check_place(path, target=target, repository=repository)
        ledger = SqliteLedger(path, read_only=read_only)
    seen = SeenHeads(f"{machine.state}/heads")
    last = seen.of(ledger.address) if settings.required else None
    if last is not None and (remembered is None or last.size > remembered.size):
        remembered = last
    return ChosenLedger(
        ledger=ledger, required=settings.required, read_only=read_only, remembered=remembered, seen=seen
    )


def named_ledger(name: str, *, machine: Machine, executor: LocalExecutor, read_only: bool = True) -> Ledger:
    """Give the ledger that a person names: a file, or `REPOSITORY#REF` for one in git.

    Raises LedgerError where there is none, or the name could not be one.
    """
    repository, mark, ref = name.rpartition("#")
    ledger: Ledger
    if mark and not Path(machine.cwd, name).exists():
        here = Path(machine.cwd, repository)
        place = str(here) if here.exists() else repository
        ledger = _git_ledger(place, ref, machine=machine, executor=executor, read_only=read_only)
    else:
        ledger = SqliteLedger(str(Path(machine.cwd, name)), read_only=read_only)
    if not ledger.exists():
        raise LedgerError(
            "there is no ledger", place=ledger.address, remedy="name a ledger's file, or REPOSITORY#REF for one in git"
        )
    return ledger


def _git_ledger(repository: str, ref: str, *, machine: Machine, executor: LocalExecutor, read_only: bool) -> GitLedger:
    cache = hashlib.sha256(f"{repository}\0{ref}".encode()).hexdigest()[:24]
    return GitLedger(
        repository,
        ref,
        runner=executor,
        cache=f"{machine.state}/ledgers/{cache}",
        git=_git(machine),
        env=_remote_env(machine),
        read_only=read_only,
    )


def choose_keeper(place: str, *, machine: Machine, executor: LocalExecutor) -> Keeper:
    """Give where a checkpoint is kept: REPOSITORY#REF, an address of http(s), or a file.

    Raises UsageError or LedgerError for what is none of them.
    """
    # Only who asks for a checkpoint pays for what speaks HTTP.
    from secgate.ledgers.keepers import FileKeeper, RefKeeper, UrlKeeper

    repository, mark, ref = place.rpartition("#")
    if mark:
        if not ("://" in repository or ":" in repository.split("/", 1)[0]):
            repository = str(Path(machine.cwd, repository).resolve())
        return RefKeeper(
            repository,
            ref,
            runner=executor,
            caches=f"{machine.state}/ledgers",
            git=_git(machine),
            env=_remote_env(machine),
        )
    if "://" in place:
        return UrlKeeper(place, token=machine.env.get("SECGATE_CHECKPOINT_TOKEN", ""))
    if not place:
        raise UsageError("no place for the checkpoint is given", remedy="give a file, REPOSITORY#REF, or an address")
    return FileKeeper(_one_name(place, machine))


def _one_name(place: str, machine: Machine) -> str:
    """Give a file's name from the root, the same however it is given: heads and checkpoints are known by it.

    The file itself is not followed, since a link in its place is refused.
    """
    file = Path(machine.cwd, place)
    return str(file.parent.resolve() / file.name)


def _remote_env(machine: Machine) -> dict[str, str]:
    return {name: machine.env[name] for name in _REMOTE_ENV if name in machine.env}


def _sqlite_path(settings: LedgerSettings, *, target: Target, repository: Repository | None, machine: Machine) -> str:
    if settings.path:
        return _one_name(settings.path, machine)
    if repository is not None:
        return str(Path(repository.common_directory) / "secgate" / "ledger.sqlite")
    name = hashlib.sha256(target.root.encode()).hexdigest()[:24]
    return f"{machine.state}/ledgers/{name}.sqlite"


def _check_place(path: str, *, target: Target, repository: Repository | None) -> None:
    """A ledger in the tree could be committed, rolled back or deleted by the change that it judges (threat rule 3)."""
    root, place = Path(target.root).resolve(), Path(path).resolve()
    if root not in place.parents:
        return
    if repository is not None and Path(repository.common_directory).resolve() in place.parents:
        return
    raise LedgerError(
        "the ledger lies inside the scanned tree, where a change could roll it back",
        place=path,
        remedy="keep it outside: name another folder with ledger.path, or with SECGATE_STATE_DIR",
    )


def _git(machine: Machine) -> str:
    import shutil

    git = shutil.which("git", path=machine.env.get("PATH", ""))
    if git is None:
        raise UsageError("a ledger or checkpoint in git needs git on PATH", remedy="install git", place="ledger.store")
    return git
