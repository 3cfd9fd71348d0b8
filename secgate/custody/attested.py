"""An attestation checked, offline: who signed it, what it says, and whether it is about what somebody has."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Literal, NamedTuple

from secgate import registry
from secgate.attest import (
    MAX_BYTES,
    NAMESPACE,
    Attestation,
    Clone,
    Match,
    Statement,
    artifact_match,
    commit_match,
    read,
    tree_match,
)
from secgate.config import Machine
from secgate.custody.measuring import measure
from secgate.errors import SignatureError, TargetError, UsageError
from secgate.escape import plain
from secgate.gate_events import ArtefactBound
from secgate.model import Outcome, Signed, Trust, Value
from secgate.ports import Ledger, Signer
from secgate.preparation import Silence, Workshop, open_repository, read_enforced, workshop
from secgate.repository import Repository, escaped
from secgate.trust import MACHINE, allowed_keys, key_fingerprint, revocations

SKEW = timedelta(minutes=5)
"""By how much the signer's clock may be ahead of ours."""


class Question(Value, frozen=True, kw_only=True):
    """What an attestation is held against. Empty values mean "not asked".

    `commit` is a full id, or any name where a `repository` (a directory in one) resolves it. `require` is `pass`, or
    `valid` for any outcome; then it may be held against nothing.
    """

    file: str
    artifacts: tuple[str, ...] = ()
    commit: str = ""
    tree: str = ""
    repository: str = ""
    prefix: str = ""
    profiles: tuple[str, ...] = ()
    max_age: timedelta | None = None
    require: Literal["pass", "valid"] = "pass"


class Answer(NamedTuple):
    """What an attestation says, who signed it, and what came of each thing that it was held against."""

    made: Attestation
    signed: Signed
    matches: tuple[Match, ...]
    require: Literal["pass", "valid"]

    @property
    def exit_code(self) -> int:
        """0: it is about what was asked for and says what was required; 1: it is not; 3: that could not be told."""
        states = {one.state for one in self.matches}
        outcome = Outcome.PASS if self.require == "valid" else self.made.run.outcome
        if "other" in states or outcome is Outcome.FAIL:
            return 1
        return 0 if "unknown" not in states and outcome is Outcome.PASS else 3


def check_attestation(question: Question, *, enforced: str, machine: Machine, now: datetime) -> Answer:
    """Check an attestation against the enforced layer's signers and against what was asked.

    Raises SignatureError for what is none, or was signed by nobody who counts; UsageError for a question that cannot
    be answered, and TargetError for a repository that cannot be read.
    """
    if question.require == "pass" and not (question.artifacts or question.commit or question.tree):
        raise UsageError(
            "it is held against nothing, so it could be another commit's",
            place=question.file,
            remedy="give --commit, --tree or --artifact; --require valid only reads it",
        )
    made = read(_bytes(question.file, machine), place=question.file)
    with workshop(machine, now=now, observer=Silence()) as shop:
        repository = _repository(question.repository, shop)
        named = enforced or machine.env.get("SECGATE_ENFORCED", "")
        trust = read_enforced(named, tree=repository.root if repository is not None else "").trust
        if not trust.allowed_signers:
            raise UsageError(
                "there is no enforced layer with allowed_signers: nobody's signature would count",
                remedy="give --enforced DIR, or set SECGATE_ENFORCED; docs/signing.md says what it holds",
            )
        signer = registry.signer("dsse", machine=machine, runner=shop.executor, scratch=shop.scratch)
        try:
            signed = signed_by(made, trust=trust, signer=signer, now=now)
        except SignatureError as error:
            raise SignatureError(
                f"the attestation does not count: {error.what}", place=question.file, remedy=error.remedy
            ) from error
        matches = (*_about(question, made.statement, repository, machine), *_limits(question, made, now))
        return Answer(made, signed, matches, question.require)


def signed_by(made: Attestation, *, trust: Trust, signer: Signer, now: datetime) -> Signed:
    """Give the machine that signed. Raises SignatureError for everybody else.

    Its time is its signer's own word. So a key must have counted then, and must not be revoked by now: whoever has a
    stolen key can write any time. Where a ledger noted the attestation, the ledger's time is the one that counts.
    """
    at = made.run.signed_on
    if at > now + SKEW:
        raise SignatureError(
            f"it says that it was signed on {at:%Y-%m-%d %H:%M} UTC, which lies ahead",
            remedy="see which clock is wrong",
        )
    signed = require_counting(made, trust=trust, signer=signer, at=at)
    key = next(one for one in allowed_keys(trust) if key_fingerprint(one.blob) == signed.key)
    reason = revocations(trust).reason(key.blob, at_epoch_s=int(now.timestamp()))
    if reason:
        raise SignatureError(
            f"{reason}, and nothing but its own word says that it was signed before",
            remedy="have `secgate attest emit` sign the recorded run anew",
        )
    return signed


def require_counting(made: Attestation, *, trust: Trust, signer: Signer, at: datetime) -> Signed:
    """Give the machine whose signature counts at a time. Raises SignatureError for everybody else, persons included."""
    signed = signer.verify(made.payload, made.data, namespace=NAMESPACE, trust=trust, at=at)
    if not signed.principal.startswith(MACHINE):
        raise SignatureError(
            f"`{signed.principal}` is a person, and only machines attest runs", remedy=f"sign it as {MACHINE}NAME"
        )
    return signed


def attestation_of(event: ArtefactBound, ledger: Ledger) -> Attestation:
    """Give the attestation that an entry rests on, signed by whomever.

    Raises SignatureError where it does not say what the entry says, and LedgerError where it is not there.
    """
    made = read(ledger.blob(event.statement_digest))
    run, (kind, _, value) = made.run, event.artifact.partition(":")
    said = (run.run_id, run.repository, run.source.commit, run.source.tree)
    is_subject = any(one.digest.get(kind) == value for one in made.statement.artifacts)
    if not is_subject or said != (event.run_id, event.repository, event.commit, event.tree):
        raise SignatureError("it does not say what the entry says", remedy="bind the artefact again")
    return made


def _bytes(name: str, machine: Machine) -> bytes:
    try:
        with Path(machine.cwd, name).open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        what = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"it cannot be read: {what}", place=plain(name), remedy="give an attestation") from error


def _repository(path: str, shop: Workshop) -> Repository | None:
    if not path:
        return None
    where = Path(shop.machine.cwd, path)
    if not where.is_dir():
        raise TargetError("there is no such directory", place=path, remedy="give a clone's")
    found = open_repository(str(where), machine=shop.machine, runner=shop.executor, scratch=shop.scratch)
    if found is None:
        raise TargetError("this is in no git repository", place=path, remedy="give a clone's directory")
    return found


def _about(
    question: Question, statement: Statement, repository: Repository | None, machine: Machine
) -> Iterator[Match]:
    for name in question.artifacts:
        measured = measure(name, cwd=machine.cwd)
        yield artifact_match(statement, plain(measured.name or name)[:80], measured.digests)
    if question.commit:
        clone = _clone(question.commit, statement, repository) if repository is not None else None
        if clone is None and not _is_object(question.commit):
            raise UsageError(
                f"`{plain(question.commit[:80])}` is no full id of a commit",
                place="--commit",
                remedy="give all its hex digits, or --repository to look it up in",
            )
        yield commit_match(statement, question.commit, clone)
    if question.tree:
        if not _is_object(question.tree):
            raise UsageError(
                f"`{plain(question.tree[:80])}` is no full id of a tree",
                place="--tree",
                remedy="git rev-parse 'HEAD^{tree}' gives one",
            )
        yield tree_match(statement, question.tree)


def _is_object(text: str) -> bool:
    return len(text) in (40, 64) and set(text) <= set("0123456789abcdef")


def _clone(asked: str, statement: Statement, repository: Repository) -> Clone:
    """Ask a repository for what tells two commits apart."""
    source = statement.predicate.source
    commit = repository.resolve(asked)
    found = Clone(name=repository.name, commit=commit, shallow=repository.is_shallow)
    if not commit:
        return found
    gated = repository.resolve(source.commit) if _is_object(source.commit) else ""
    tree = repository.tree(commit)
    if gated != source.commit:
        return found._replace(tree=tree)
    changes = repository.changes(gated, commit) if tree != source.tree else None
    paths = (*changes.present, *changes.deleted) if changes is not None else ()
    return found._replace(
        tree=tree,
        has_gated=True,
        descends=repository.merge_base(gated, commit) == gated,
        differing=tuple(sorted(map(escaped, paths))),
    )


def _limits(question: Question, made: Attestation, now: datetime) -> Iterator[Match]:
    run = made.run
    looked, asked = (PurePosixPath(one) for one in (run.source.prefix, question.prefix))
    if looked != asked and looked not in asked.parents:
        told = plain(run.source.prefix)
        yield Match("folder", "unknown", f"only {told} was looked at; --prefix {told} asks for no more")
    if question.profiles:
        state: Literal["same", "other"] = "same" if run.profile in question.profiles else "other"
        told = f"judged under {plain(run.profile)}"
        others = " or ".join(map(plain, question.profiles))
        yield Match("profile", state, told if state == "same" else f"{told}, not {others}")
    if question.max_age is not None and now - run.evaluated_on > question.max_age:
        yield Match("age", "other", f"judged on {run.evaluated_on:%Y-%m-%d %H:%M} UTC, longer ago than was asked for")
