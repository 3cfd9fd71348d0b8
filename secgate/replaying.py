"""Past runs judged again: which of their decisions would be others under other policies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from secgate import config
from secgate.config import Machine
from secgate.errors import LedgerError, PolicyError, UsageError
from secgate.judge import replay
from secgate.model import Decision, KnownRun, Outcome, RunDocument, Verdict
from secgate.policy import InputDocument, LayerName, load_vocabulary
from secgate.policy.accounts import ChangedRun, ChangedVerdict, PolicyDiff, PolicyFault, UntoldRun
from secgate.policy.documents import read_input
from secgate.policy.stored import Policies, restored
from secgate.ports import Engine
from secgate.preparation import (
    Opened,
    Place,
    guarded_reader,
    named_policies,
    opened,
    policies_at,
    policy_layers,
    read_enforced,
)
from secgate.recall import recall
from secgate.resources import data_dir
from secgate.story import read_document

CURRENT, RECORDED = "current", "recorded"
REPLAY_LIMIT_S = 60.0
_DIGEST_LENGTHS = range(8, 65)


class _Said(NamedTuple):
    """What one side says of a run; `error` where it could not decide."""

    outcome: Outcome
    verdicts: tuple[Verdict, ...]
    error: str = ""


class _Side:
    """One of the two: policies to judge by, or what was decided then."""

    def __init__(self, name: str, policies: Policies | None, engine: Engine) -> None:
        self.name = name
        self.warnings = tuple(_warnings(name, policies)) if policies is not None else ()
        self._policies = policies
        self._engine = engine
        self._known: dict[str, _Said] = {}

    def said(self, decision: Decision, document: InputDocument) -> _Said:
        """Give what this side says; equal facts are judged once."""
        if self._policies is None:
            return _Said(decision.outcome, decision.verdicts)
        known = self._known.get(decision.input_digest)
        if known is None:
            known = self._known[decision.input_digest] = self._judged(document, self._policies)
        return known

    def _judged(self, document: InputDocument, policies: Policies) -> _Said:
        try:
            found = replay(document, policies, engine=self._engine, guarded=self._engine, limit_s=REPLAY_LIMIT_S)
        except (PolicyError, UsageError) as error:
            return _Said(Outcome.POLICY_ERROR, (), error=f"{self.name}: {error.what}")
        return _Said(found.all_outcomes[0], found.verdicts)


def _warnings(name: str, policies: Policies) -> Iterator[PolicyFault]:
    """Give what today's checks would refuse of policies that are judged by all the same."""
    for layer in policies.layers:
        for one in layer.faults:
            what = f"{one.what} ({layer.name} layer of {name})"
            yield PolicyFault(place=one.place, what=what, remedy=one.remedy, by="secgate")


def policy_diff(
    old: str, new: str, *, since: datetime | None, place: Place, machine: Machine, now: datetime
) -> PolicyDiff:
    """Judge the recorded runs of a tree by two sets of policies, and give those of which they say different things.

    A side is `current` (what a run here would judge by), `recorded` (what was decided then), the digest of policies
    that the ledger keeps, a folder, or `REF:FOLDER` of git; a folder with enforced.toml stands for the organisation's
    layer of the current policies, any other for the repository's. Raises UsageError for a side that is none of these,
    PolicyError for policies that do not load, LedgerError for a ledger that is not there or does not verify.
    """
    with opened(place, machine=machine, now=now) as found:
        runs = tuple(_runs(found, since, now=now))
        sides = (_side(old, found, runs), _side(new, found, runs))
        changed, untold = [], []
        for run in runs:
            try:
                decision, document = _facts(found, run)
            except (LedgerError, PolicyError) as error:
                untold.append(UntoldRun(run_id=run.run_id, reason=error.what))
                continue
            then, other = (side.said(decision, document) for side in sides)
            if (one := _changed(run, then, other, document)) is not None:
                changed.append(one)
        return PolicyDiff(
            old=old,
            new=new,
            since_epoch_s=int(since.timestamp()) if since is not None else 0,
            runs=len(runs),
            changed=tuple(changed),
            untold=tuple(untold),
            warnings=tuple(dict.fromkeys(one for side in sides for one in side.warnings)),
        )


def _runs(found: Opened, since: datetime | None, *, now: datetime) -> Iterator[KnownRun]:
    """Give the tree's recorded runs, oldest first."""
    target = found.prepared.target
    history = recall(
        found.chosen.ledger,
        repository=target.repository,
        line=target.line,
        now=now,
        required=False,
        read_only=True,
        remembered=found.chosen.remembered,
    )
    if not history.runs:
        raise UsageError("no run was recorded", place=found.chosen.ledger.address, remedy="secgate run records one")
    first = since.timestamp() if since is not None else 0
    return (run for run in history.runs if run.evaluated_epoch_s >= first)


def _facts(found: Opened, run: KnownRun) -> tuple[Decision, InputDocument]:
    """Give what was decided, and the facts it was decided on. Raises LedgerError for what is not there any more."""
    document: RunDocument = read_document(found.chosen.ledger.blob(run.document_digest))
    if document.decision is None:
        raise LedgerError("nothing was decided")
    facts = found.chosen.ledger.blob(document.decision.input_digest)
    return document.decision, read_input(facts)


def _changed(run: KnownRun, old: _Said, new: _Said, document: InputDocument) -> ChangedRun | None:
    verdicts = () if old.error or new.error else tuple(_verdicts(old, new, document))
    if old.outcome is new.outcome and not verdicts and old.error == new.error:
        return None
    return ChangedRun(
        run_id=run.run_id,
        evaluated_epoch_s=run.evaluated_epoch_s,
        scope=run.scope,
        line=run.line,
        commit=run.commit,
        old=old.outcome,
        new=new.outcome,
        verdicts=verdicts,
        error="; ".join(filter(None, (old.error, new.error))),
    )


def _verdicts(old: _Said, new: _Said, document: InputDocument) -> Iterator[ChangedVerdict]:
    facts = {finding.fingerprint: finding for finding in document.findings}
    then, other = ({(one.subject, one.id): one for one in said.verdicts} for said in (old, new))
    for subject, name in sorted(then.keys() | other.keys()):
        was, would = then.get((subject, name)), other.get((subject, name))
        if was is not None and would is not None and was.word is would.word:
            continue
        about = name
        if (finding := facts.get(name)) is not None:
            line = f":{finding.line}" if finding.line else ""
            about = f"{finding.severity.value} {finding.weakness} in {finding.path}{line}"
        yield ChangedVerdict(
            subject=subject,
            id=name,
            about=about,
            old=was.word if was else None,
            new=would.word if would else None,
            old_rule=was.rule if was else "",
            new_rule=would.rule if would else "",
            reason=would.reason if would else "",
        )


def _side(name: str, found: Opened, runs: tuple[KnownRun, ...]) -> _Side:
    prepared, machine = found.prepared, found.shop.machine
    current = Policies(layers=prepared.layers, disabled_rules=tuple(prepared.settings.disabled_rules))
    if name == RECORDED:
        return _Side(name, None, prepared.guarded)
    if name == CURRENT:
        return _Side(name, current, prepared.guarded)
    if Path(machine.cwd, name).is_dir():
        return _Side(name, _with_folder(name, current, found), prepared.guarded)
    ref, colon, folder = name.partition(":")
    if colon and prepared.repository is not None and (commit := prepared.repository.resolve(ref)):
        files = policies_at(prepared.repository, commit, folder.strip("/"), (".rego", ".json", config.ENFORCED_NAME))
        if not files:
            raise UsageError("there is no policy in this folder of the commit", place=name, remedy="see git ls-tree")
        return _Side(name, _with_files(files, folder.strip("/"), current, found), prepared.guarded)
    if (digest := _digest(name, found, runs)) is not None:
        policies = restored(
            digest,
            read=found.chosen.ledger.blob,
            reader=guarded_reader(machine, runner=found.shop.executor, scratch=found.shop.scratch),
            vocabulary=load_vocabulary((data_dir("policies") / "schema" / "input.json").read_bytes()),
        )
        return _Side(name, policies, prepared.guarded)
    raise UsageError(
        f"`{name}` names no policies",
        remedy="current, recorded, a folder, REF:FOLDER, or the `policies_digest` of a recorded decision",
    )


def _digest(name: str, found: Opened, runs: tuple[KnownRun, ...]) -> str | None:
    """Give the digest of kept policies that starts with `name`. Raises UsageError where two do."""
    if len(name) not in _DIGEST_LENGTHS:
        return None
    digests = set()
    for run in runs:
        with suppress(LedgerError):
            decision = read_document(found.chosen.ledger.blob(run.document_digest)).decision
            if decision is not None and decision.policies_digest.startswith(name):
                digests.add(decision.policies_digest)
    if len(digests) > 1:
        raise UsageError(f"{len(digests)} kept policies start with `{name}`", remedy="give more of the digest")
    return next(iter(digests), None)


def _with_folder(name: str, current: Policies, found: Opened) -> Policies:
    """Give the current policies with a layer from a folder of this machine."""
    machine = found.shop.machine
    if not Path(machine.cwd, name, config.ENFORCED_NAME).is_file():
        return _with_layer("repository", named_policies((name,), machine), current, found)
    enforced = read_enforced(str(Path(machine.cwd, name)), tree="")
    settings = config.resolve([enforced.settings] if enforced.settings else []).settings
    kept = msgspec.structs.replace(current, disabled_rules=tuple(settings.disabled_rules))
    return _with_layer("organisation", enforced.policies, kept, found)


def _with_files(files: dict[str, bytes], folder: str, current: Policies, found: Opened) -> Policies:
    """Give the current policies with a layer from a folder of a commit."""
    settings = files.get(f"{folder}/{config.ENFORCED_NAME}")
    if settings is None:
        rego = {path: data for path, data in files.items() if path.endswith(".rego")}
        return _with_layer("repository", rego, current, found)
    layer = config.parse_file(settings, name=config.ENFORCED_NAME, trust="enforced")
    off = config.resolve([layer] if layer else []).settings.disabled_rules
    below = {path.removeprefix(f"{folder}/"): data for path, data in files.items()}
    policies = {path: data for path, data in below.items() if path.startswith(("policies/", "data/"))}
    kept = msgspec.structs.replace(current, disabled_rules=tuple(off))
    return _with_layer("organisation", policies, kept, found)


def _with_layer(name: LayerName, files: dict[str, bytes], current: Policies, found: Opened) -> Policies:
    """Give the current policies, the layer `name` made of `files`; an organisation's may have none."""
    reader = guarded_reader(found.shop.machine, runner=found.shop.executor, scratch=found.shop.scratch)
    held = {layer.name: layer.files() for layer in current.layers} | {name: files}
    layers = policy_layers(held.get("organisation", {}), held.get("repository", {}), reader=reader, guarded=reader)
    return msgspec.structs.replace(current, layers=layers)
