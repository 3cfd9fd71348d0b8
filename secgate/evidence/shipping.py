"""Populations from outside that meet runs: deployments, merged changes, released artefacts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal, cast

from secgate.assertion_facts import ApprovalOfChange, ChangeItem, DeploymentItem, ReleaseItem, RunOfDeployment
from secgate.assertions import Population, Unmatched
from secgate.chronicle import RecordedRun
from secgate.controls import Assertion
from secgate.events import Run
from secgate.evidence.ground import Ground
from secgate.memory import KnownInventory
from secgate.model import Scope
from secgate.overrides import Given
from secgate.population import Change, Deployment, ReleasedArtifact, Row, key_of
from secgate.ports import PopulationKind
from secgate.sla import many, utc_words


def deployments(ground: Ground, assertion: Assertion) -> Population:
    """Give each deployment of the period with the runs that looked at the same artefact, commit or tree."""
    del assertion
    rows = cast("list[Deployment]", rows_of(ground, "deployments"))
    runs = _Runs(ground)
    items = [
        DeploymentItem(
            id=key_of(row),
            environment=row.environment,
            deployed_epoch_s=row.deployed_epoch_s,
            runs=tuple(runs.of_deployment(row)),
        )
        for row in rows
        if ground.within(row.deployed_epoch_s)
    ]
    used = {found.run_id for row in rows for found in runs.of_deployment(row)}
    unmatched = Unmatched(
        left="deployments",
        right="runs of protected branches",
        left_unmatched=tuple(item.id for item in items if not item.runs),
        right_unmatched=tuple(
            one.name
            for one in runs.all
            if one.run.scope is Scope.PROTECTED and ground.within(one.at_epoch_s) and one.name not in used
        ),
    )
    return Population(
        tuple(items),
        reason=lacking(ground, "deployments"),
        unmatched=unmatched,
        notes=(*notes_of(ground, "deployments"), *_binding_notes(ground)),
    )


def changes(ground: Ground, assertion: Assertion) -> Population:
    """Give each change that was merged in the period."""
    del assertion
    items = tuple(
        ChangeItem(
            id=key_of(row),
            author=row.author,
            merged_epoch_s=row.merged_epoch_s,
            approvals=tuple(
                ApprovalOfChange(reviewer=one.reviewer, approved_epoch_s=one.approved_epoch_s, machine=one.machine)
                for one in row.approvals
            ),
        )
        for row in cast("list[Change]", rows_of(ground, "reviews"))
        if ground.within(row.merged_epoch_s)
    )
    return Population(items, reason=lacking(ground, "reviews"), notes=notes_of(ground, "reviews"))


def releases(ground: Ground, assertion: Assertion) -> Population:
    """Give each artefact that was released in the period, with when an inventory of its components was bound to it.

    An inventory is of a run; it is bound to what that run named as built, or what was bound to the run by an
    attestation that counts.
    """
    del assertion
    whole = cast("list[ReleasedArtifact]", rows_of(ground, "artifacts"))
    rows = [row for row in whole if ground.within(row.released_epoch_s)]
    built = bound_runs(ground)
    bound = {digest for digests in built.values() for digest in digests}
    known = {row.digest for row in whole}
    of_period = {
        digest
        for one in ground.ledgers
        for run in one.chronicle.runs
        if ground.within(run.at_epoch_s)
        for digest in built[run.name]
    }
    unmatched = Unmatched(
        left="artifacts",
        right="artefacts that runs name",
        left_unmatched=tuple(key_of(row) for row in rows if row.digest not in bound),
        right_unmatched=tuple(sorted(of_period - known)),
    )
    kept = _inventories(ground)
    none = "" if kept else "no run kept an inventory: those of a profile with the dependencies lane do"
    return Population(
        tuple(_release(row, kept, built, until_epoch_s=ground.period.to_epoch_s) for row in rows),
        reason=lacking(ground, "artifacts") or none,
        unmatched=unmatched,
        notes=(*notes_of(ground, "artifacts"), *_binding_notes(ground)),
    )


def _inventories(ground: Ground) -> list[tuple[str, KnownInventory]]:
    """Give the inventories that are still there, each with the name of its run.

    Of a dirty tree or a folder alone none is of what was released.
    """
    found: list[tuple[str, KnownInventory]] = []
    for read in ground.ledgers:
        names = {one.run.run_id: one.name for one in read.chronicle.runs}
        there = frozenset(read.ledger.blobs()) if read.chronicle.memory.inventories else frozenset()
        found += [
            (names.get(one.event.run_id, ""), one)
            for one in read.chronicle.memory.inventories.values()
            if one.event.inventory_digest in there and not one.event.dirty and not one.event.prefix
        ]
    return found


def _release(
    row: ReleasedArtifact,
    kept: Sequence[tuple[str, KnownInventory]],
    built: Mapping[str, Mapping[str, int]],
    *,
    until_epoch_s: int,
) -> ReleaseItem:
    """Take the inventory that was bound to it first; where there is none, one of what else its commit was built into.

    What was bound after the period is not known in it.
    """
    mine, others = [], []
    for name, one in kept:
        digests = built.get(name, {})
        if row.digest in digests:
            mine.append(max(one.at_epoch_s, digests[row.digest]))
        elif digests and row.commit and (one.event.repository, one.event.commit) == (row.repository, row.commit):
            others.append(max(one.at_epoch_s, *digests.values()))
    mine, others = ([at for at in times if at < until_epoch_s] for times in (mine, others))
    return ReleaseItem(
        id=key_of(row),
        released_epoch_s=row.released_epoch_s,
        bound_epoch_s=min(mine or others, default=0),
        same_digest=bool(mine),
    )


class _Runs:
    """Runs by what they looked at. What a laptop, a dirty tree or a part of a tree says does not count."""

    def __init__(self, ground: Ground) -> None:
        self.all = [
            one
            for read in ground.ledgers
            for one in read.chronicle.runs
            if one.run.scope is not Scope.LOCAL and not one.run.dirty and not one.run.prefix
        ]
        self._longest_s = ground.limits.overrides_s.longest
        self._given = _given(ground)
        self._built = bound_runs(ground)
        self._artifacts: dict[str, list[RecordedRun]] = {}
        self._commits: dict[str, list[RecordedRun]] = {}
        self._trees: dict[tuple[str, str], list[RecordedRun]] = {}
        for one in self.all:
            for digest in self._built.get(one.name, {}):
                self._artifacts.setdefault(digest, []).append(one)
            if one.run.commit:
                self._commits.setdefault(one.run.commit, []).append(one)
            if one.run.tree:
                self._trees.setdefault((one.run.repository, one.run.tree), []).append(one)

    def of_deployment(self, row: Deployment) -> Iterable[RunOfDeployment]:
        """Give the runs of a deployment, each once, by the strongest tie: artefact, commit, then tree.

        Squash, rebase and merge queues make a commit anew and leave its tree as it was: the tree of a deployment's
        commit is taken from any run of that commit, where the list does not say it.
        """
        found: dict[str, RunOfDeployment] = {}
        trees = self._trees_of(row)
        for digest in row.artifacts:
            for one in self._artifacts.get(digest, ()):
                if digest not in self._built_by(one, row):
                    continue
                found.setdefault(one.name, self._tied(one, "artifact", row, trees))
        for one in self._commits.get(row.commit, ()) if row.commit else ():
            found.setdefault(one.name, self._tied(one, "commit", row, trees))
        for tree in sorted(trees):
            for one in self._trees.get((row.repository, tree), ()):
                found.setdefault(one.name, self._tied(one, "tree", row, trees))
        return found.values()

    def _trees_of(self, row: Deployment) -> set[str]:
        """Give the tree of a deployment's commit, as the list says it or else as runs of that commit do."""
        trees = {row.tree} if row.tree else {one.run.tree for one in self._commits.get(row.commit, ()) if row.commit}
        return trees - {""}

    def _tied(
        self, one: RecordedRun, by: Literal["artifact", "commit", "tree"], row: Deployment, trees: Collection[str]
    ) -> RunOfDeployment:
        run, built = one.run, self._built_by(one, row)
        both = bool(row.artifacts and built)
        same = bool(set(row.artifacts) & built)
        given = self._given.get(one.name)
        counts = given is not None and _held(given, one, longest_s=self._longest_s)
        overridden = bool(run.override) or run.mode == "overridden"
        return RunOfDeployment(
            run_id=one.name,
            by=by,
            decided_epoch_s=one.at_epoch_s,
            outcome=run.outcome,
            same_artifact="unknown" if not both else "yes" if same else "no",
            same_source=_same_source(one.run, row, trees),
            override="none" if not overridden else "counts" if counts else "void",
        )

    def _built_by(self, one: RecordedRun, row: Deployment) -> set[str]:
        """Give the digests of what a run's commit was built into, as far as that was said before a deployment."""
        built = self._built.get(one.name, {})
        return {digest for digest, at_epoch_s in built.items() if at_epoch_s <= row.deployed_epoch_s}


def _same_source(run: Run, row: Deployment, trees: Collection[str]) -> Literal["yes", "no", "unknown"]:
    """Tell whether a deployment, whose commit has one of `trees`, is of the source of a run, as far as both say."""
    if (row.commit and row.commit == run.commit) or run.tree in trees:
        return "yes"
    differs = (row.commit and run.commit) or (row.tree and run.tree)
    return "no" if differs else "unknown"


def bound_runs(ground: Ground) -> dict[str, dict[str, int]]:
    """Give, by a run's name, the digests of artefacts that it named or that were bound to it, and when each was noted.

    What a run named counts whenever: it was built before. A binding counts only where its attestation does, and for the
    very commit of that run.
    """
    found: dict[str, dict[str, int]] = {}
    for read in ground.ledgers:
        names: dict[tuple[str, str, str, str], str] = {}
        for one in read.chronicle.runs:
            names[one.run.run_id, one.run.repository, one.run.commit, one.run.tree] = one.name
            found[one.name] = dict.fromkeys(one.run.artifacts, 0)
        for tie in read.bindings.counting:
            bound = tie.bound
            name = names.get((bound.run_id, bound.repository, bound.commit, bound.tree))
            if name is not None:
                found[name].setdefault(bound.artifact, tie.at_epoch_s)
    return found


def _given(ground: Ground) -> dict[str, Given]:
    """Give, by a run's name, the override that it names, of those in its own ledger."""
    found: dict[str, Given] = {}
    for read in ground.ledgers:
        given = {one.id: one for one in read.said.overrides}
        found |= {one.name: given[one.run.override] for one in read.chronicle.runs if one.run.override in given}
    return found


def _held(given: Given, one: RecordedRun, *, longest_s: int) -> bool:
    """Tell whether an override held for a run. What the run says is not believed: it is of its line and its commit."""
    said, run = given.said, one.run
    return (
        not given.void
        and (said.repository, said.line) == (run.repository, run.line)
        and said.commit in ("", run.commit)
        and given.given_epoch_s <= one.at_epoch_s < min(said.until_epoch_s, given.given_epoch_s + longest_s)
    )


def _binding_notes(ground: Ground) -> tuple[str, ...]:
    return tuple(note for read in ground.ledgers for note in read.bindings.notes)


def rows_of(ground: Ground, kind: PopulationKind) -> list[Row]:
    """Give the rows of a kind of list, [] where none was imported."""
    return list(ground.lists[kind].rows) if kind in ground.lists else []


def lacking(ground: Ground, kind: PopulationKind) -> str:
    """Say why a list cannot be tested on: nobody gave it, or not of all the period; "" where it can."""
    if kind not in ground.lists:
        return f"no list of {kind} was imported: secgate evidence import {kind}"
    known = ground.lists[kind]
    if kind == "repositories":
        newest = max(one.event.extracted_epoch_s for one in known.imports)
        early = newest < ground.period.to_epoch_s
        return f"the list of repositories is as of {utc_words(newest)}, before the period's end" if early else ""
    missing = known.missing(ground.period.from_epoch_s, ground.period.to_epoch_s)
    if not missing:
        return ""
    name, start, end = missing[0]
    of = f" of {name}" if name else ""
    more = f", and {len(missing) - 1} more gaps" if len(missing) > 1 else ""
    return f"no list of {kind}{of} holds {utc_words(start)} to {utc_words(end)}{more}"


def notes_of(ground: Ground, kind: PopulationKind) -> tuple[str, ...]:
    """Say where a list comes from, and what is to be known of it."""
    if kind not in ground.lists:
        return ()
    known = ground.lists[kind]
    notes = []
    for one in known.imports:
        event = one.event
        held = f", {utc_words(event.from_epoch_s)} to {utc_words(event.to_epoch_s)}" if event.to_epoch_s else ""
        read = many(event.read, "record")
        taken = f"{event.rows:,} of {read}" if event.left_out else many(event.rows, "record")
        notes.append(
            f"{taken} from {event.source} ({event.query}){held}, taken {utc_words(event.extracted_epoch_s)}, "
            f"file {event.source_digest[:12]}, entry {one.sequence}"
        )
        for what, names in (("repositories", event.repositories), ("environments", event.environments)):
            if names:
                notes.append(f"it holds these {what} alone: {', '.join(names)}")
        notes += [f"left out of it: {count} {reason}" for reason, count in sorted(event.left_out.items())]
        if event.unknown_people:
            unknown = many(event.unknown_people, "person", "people")
            notes.append(f"of {unknown} in it people.toml knows nothing; two may be one person")
    if known.changed:
        notes.append(f"changed by a later list, {many(len(known.changed), 'row')}: {', '.join(known.changed[:20])}")
    return tuple(notes)
