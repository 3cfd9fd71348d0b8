"""Which events follow from a run on what a ledger holds. Pure: the same run on the same memory gives the same events.

Source: SLA semantics, rules 3 to 7, 11 and 14. The `run` entry comes first, then what changed of the gate since the run
before, then the findings sorted by fingerprint, each with its alias before its facts and its facts before its duties.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from secgate.absence import Outlook, covered_whole
from secgate.baseline import gives_way
from secgate.event import Event
from secgate.events import (
    FindingAliased,
    FindingChanged,
    FindingClosed,
    FindingOpened,
    FindingSeenAgain,
    ObligationAdded,
    ObligationSuperseded,
    Run,
    to_entry,
)
from secgate.finding_facts import FindingFacts, facts_of
from secgate.gate_changes import changes_of_gate
from secgate.lineage import About, split_off, taken_in, taken_over
from secgate.memory import Memory
from secgate.model import (
    Digest,
    Entry,
    Finding,
    Fingerprint,
    Obligation,
    RunDocument,
    ScanStatus,
    Scope,
    State,
    Value,
)
from secgate.remembered import Remembered
from secgate.retirement import Retirement
from secgate.run_facts import lane_counts, run_tool, severities, tools_digest, words
from secgate.sla import many


class Stamp(Value, frozen=True, kw_only=True):
    """What the `run` entry says beyond the run document. People are opaque ids."""

    document_digest: Digest
    input_digest: str = ""
    config_digest: str = ""
    mapping_versions: tuple[str, ...] = ()
    mapping_digest: str = ""
    actor: str = ""
    author: str = ""
    reviewers: tuple[str, ...] = ()


class Following(Value, frozen=True, kw_only=True):
    """The entries that follow, and what was asked for and refused."""

    entries: tuple[Entry, ...]
    notes: tuple[str, ...] = ()


def follow(
    document: RunDocument,
    *,
    memory: Memory,
    now_epoch_s: int,
    gone: frozenset[str],
    retirement: Retirement,
    episode_window_s: int,
    stamp: Stamp,
) -> Following:
    """Give the entries that follow from a run at `now_epoch_s`, or at the ledger's last time if that is later."""
    step = _Step(
        document,
        memory=memory,
        now_epoch_s=now_epoch_s,
        gone=gone,
        retirement=retirement,
        episode_window_s=episode_window_s,
    )
    events = list(step.findings()) if is_clocked(document) else []
    run = step.run(stamp)
    changes = changes_of_gate(memory.gate(run.repository, run.line, run.profile), run)
    return Following(entries=tuple(to_entry(event) for event in (run, *changes, *events)), notes=tuple(step.notes))


def is_clocked(document: RunDocument) -> bool:
    """Tell whether a run may start and end clocks: protected, of a clean tree, and not broken off."""
    target = document.target
    return target.scope is Scope.PROTECTED and not target.dirty and document.complete


def is_complete(document: RunDocument) -> bool:
    """Tell whether a run may stand for its commit: all of it was looked at, by every tool that was asked."""
    return (
        document.complete
        and document.target.changed is None
        and all(invocation.status is ScanStatus.COMPLETED for invocation in document.invocations)
        and all(covered_whole(account) for account in document.coverage.lanes if account.asked)
    )


class _Step:
    """One run on one memory; made anew for each attempt."""

    def __init__(
        self,
        document: RunDocument,
        *,
        memory: Memory,
        now_epoch_s: int,
        gone: frozenset[str],
        retirement: Retirement,
        episode_window_s: int,
    ) -> None:
        self._document = document
        self._memory = memory
        self._now_epoch_s = max(now_epoch_s, memory.last_epoch_s)
        self._clock_back_s = self._now_epoch_s - now_epoch_s
        self._gone = gone
        self._retirement = retirement
        self._window_s = episode_window_s
        decision = document.decision
        self._evaluated_epoch_s = decision.evaluated_epoch_s if decision else now_epoch_s
        self._outlook = Outlook(document, evaluated_epoch_s=self._evaluated_epoch_s)
        self._line = memory.line(document.target.repository, document.target.line)
        self._unseen: list[str] = []
        self.notes: list[str] = []

    def run(self, stamp: Stamp) -> Run:
        """Give the run's own entry; after `findings`, which finds out what was not seen."""
        document, target, decision = self._document, self._document.target, self._document.decision
        return Run(
            run_id=document.run_id,
            secgate_version=document.secgate_version,
            repository=target.repository,
            line=target.line,
            scope=target.scope,
            scope_basis=target.scope_basis,
            kind=target.kind,
            prefix=target.prefix,
            source=target.source,
            ref=target.ref,
            event=target.event,
            provider=target.provider,
            commit=target.commit,
            tree=target.tree,
            base_commit=target.base_commit,
            base_ref=target.base_ref,
            dirty=target.dirty,
            shallow=target.shallow,
            partial=target.changed is not None,
            artifacts=target.artifacts,
            actor=stamp.actor,
            author=stamp.author,
            reviewers=stamp.reviewers,
            complete=is_complete(document),
            provisional=self._memory.provisional,
            lanes=tuple(sorted(account.lane for account in document.coverage.lanes if account.asked)),
            coverage=lane_counts(document),
            tools=tuple(
                run_tool(invocation, evaluated_epoch_s=self._evaluated_epoch_s) for invocation in document.invocations
            ),
            tools_digest=tools_digest(document.invocations, table_digest=document.coverage.table_digest),
            outcome=decision.outcome if decision else "",
            outcomes=decision.all_outcomes if decision else (),
            mode=decision.mode if decision else "",
            override=decision.override.id if decision and decision.override else "",
            profile=decision.profile if decision else "",
            words=words(document),
            severities=severities(document),
            engine=f"{decision.engine} {decision.engine_version}".strip() if decision else "",
            policy_digests=decision.policy_digests if decision else {},
            enforced_digest=decision.enforced_digest if decision else "",
            config_digest=stamp.config_digest,
            mapping_versions=stamp.mapping_versions,
            mapping_digest=stamp.mapping_digest,
            input_digest=stamp.input_digest,
            document_digest=stamp.document_digest,
            evaluated_epoch_s=self._evaluated_epoch_s,
            clock_back_s=self._clock_back_s,
            settled=self._outlook.settled if is_clocked(document) else (),
            unseen=tuple(sorted(self._unseen)),
        )

    def findings(self) -> Iterator[Event]:
        """Give the events of every finding, seen and unseen."""
        seen = self._match()
        claimed = {known.facts.fingerprint for _, known in seen if known is not None}
        for finding, known in seen:
            origin = self._origin(finding) if known is None else None
            absorbed = self._absorbed(finding, claimed)
            yield from self._split(finding, origin) if origin is not None else self._seen(finding, known, absorbed)
            for other in absorbed:
                claimed.add(other.facts.fingerprint)
                yield taken_in(finding, other, self._about(known.episode if known is not None else 1), known)
            before = known or origin
            for other in filter(None, map(self._line.findings.get, finding.taken_from)):
                if before is not None and other.is_open:
                    yield from taken_over(finding, other, self._about(before.episode))
        settled = set(self._outlook.settled)
        retired = 0
        for fingerprint, known in sorted(self._line.findings.items()):
            if not known.is_open or fingerprint in claimed:
                continue
            basis = self._outlook.basis_of_absence(known, line=self._line, gone=self._gone, retirement=self._retirement)
            if basis is not None:
                yield self._closed(known, basis)
                retired += basis == "retired"
            elif known.facts.lane in settled:
                self._unseen.append(fingerprint)
        if retired:
            self.notes.append(f"{many(retired, 'finding')} closed, since everything that saw them is retired")

    def _match(self) -> list[tuple[Finding, Remembered | None]]:
        """Pair each finding, sorted by fingerprint, with what is known of it.

        By its own name first, then by what correlate says that it goes on with, then by its other names: the ledger may
        have grown since it was asked. What correlate says to be part of another is known by its own name only.
        """
        present = {finding.fingerprint: finding for finding in self._document.findings}
        findings = [present[name] for name in sorted(present) if present[name].state is not State.ABSENT]
        known = {name: self._line.findings[name] for name in present if name in self._line.findings}
        claimed = set(known)
        for finding in findings:
            if finding.fingerprint in known or finding.part_of:
                continue
            own = [*finding.continues[:1], finding.previous]
            names = [*own, *(alias.value for alias in finding.aliases), finding.fingerprint]
            other = self._line.find(name for name in names if name)
            if other is not None and other.facts.fingerprint not in claimed:
                claimed.add(other.facts.fingerprint)
                known[finding.fingerprint] = other
        return [(finding, known.get(finding.fingerprint)) for finding in findings]

    def _seen(self, finding: Finding, known: Remembered | None, absorbed: Sequence[Remembered]) -> Iterator[Event]:
        kept = [known] if known is not None and known.is_open else []
        facts = self._with_lost_witnesses(facts_of(finding), [one.facts for one in (*kept, *absorbed)])
        if known is None:
            yield self._opened(finding, facts, known)
            yield from self._duties(facts, episode=1, recorded=())
            return
        if known.facts.fingerprint != facts.fingerprint:
            yield self._aliased(facts, known)
        if known.closed_epoch_s is None:
            changes = _changes(known.facts, facts)
            if changes:
                yield FindingChanged(
                    **self._about(known.episode), finding=facts, changes=changes, previous_severity=known.facts.severity
                )
        elif self._now_epoch_s - known.closed_epoch_s <= self._window_s:
            yield FindingSeenAgain(
                **self._about(known.episode),
                finding=facts,
                start_epoch_s=known.first_seen_epoch_s,
                closed_epoch_s=known.closed_epoch_s,
            )
        else:
            yield self._opened(finding, facts, known)
            yield from self._duties(facts, episode=known.episode + 1, recorded=())
            return
        yield from self._duties(facts, episode=known.episode, recorded=known.obligations)

    def _origin(self, finding: Finding) -> Remembered | None:
        """Give the open finding that this one is a part of."""
        origin = self._line.find([finding.part_of]) if finding.part_of else None
        return origin if origin is not None and origin.is_open else None

    def _split(self, finding: Finding, origin: Remembered) -> Iterator[Event]:
        facts = facts_of(finding)
        yield split_off(facts, origin, self._about(origin.episode))
        yield from self._duties(facts, episode=origin.episode, recorded=origin.obligations)

    def _absorbed(self, finding: Finding, claimed: set[str]) -> list[Remembered]:
        """Give the open findings that are part of this one now, and of no other."""
        names = [name for name in dict.fromkeys(finding.continues[1:]) if name not in claimed]
        others = [self._line.findings[name] for name in names if name in self._line.findings]
        return [other for other in others if other.is_open]

    def _about(self, episode: int) -> About:
        target = self._document.target
        return {
            "run_id": self._document.run_id,
            "repository": target.repository,
            "line": target.line,
            "episode": episode,
        }

    def _opened(self, finding: Finding, facts: FindingFacts, known: Remembered | None) -> FindingOpened:
        return FindingOpened(
            **self._about(known.episode + 1 if known else 1),
            finding=facts,
            start_epoch_s=self._now_epoch_s,
            state=finding.state,
            previous_closed_epoch_s=(known.closed_epoch_s or 0) if known else 0,
        )

    def _aliased(self, facts: FindingFacts, known: Remembered) -> FindingAliased:
        return FindingAliased(
            **self._about(known.episode),
            fingerprint=facts.fingerprint,
            algorithm=facts.algorithm,
            former=Fingerprint(algorithm=known.facts.algorithm, value=known.facts.fingerprint),
            basis=self._alias_basis(facts, known.facts),
        )

    def _alias_basis(self, facts: FindingFacts, before: FindingFacts) -> str:
        if facts.algorithm != before.algorithm:
            return "algorithm"
        successors = self._retirement.successors(before.witnesses)
        is_successor = any(f"{witness.scanner}:{witness.rule}" in successors for witness in facts.witnesses)
        return "successor" if is_successor else "matched"

    def _closed(self, known: Remembered, basis: str) -> FindingClosed:
        return FindingClosed(
            **self._about(known.episode),
            fingerprint=known.facts.fingerprint,
            algorithm=known.facts.algorithm,
            basis=basis,
            commit=self._document.target.commit,
            retirement=self._retirement.digest if basis == "retired" else "",
        )

    def _with_lost_witnesses(self, facts: FindingFacts, before: Sequence[FindingFacts]) -> FindingFacts:
        """Keep witnesses whose tool did not run: that a scanner was taken away does not mean that it sees nothing."""
        lost = {
            witness
            for one in before
            for witness in one.witnesses
            if not self._outlook.ran(one.lane, witness.scanner) and not self._retirement.is_retired(witness)
        }
        # A run without the key knows no codes; that does not make it another secret.
        codes = facts.secret_macs or next((one.secret_macs for one in before if one.secret_macs), ())
        return replace(facts, witnesses=tuple(sorted(lost.union(facts.witnesses))), secret_macs=codes)

    def _duties(self, facts: FindingFacts, *, episode: int, recorded: Sequence[Obligation]) -> Iterator[Event]:
        decision = self._document.decision
        decided = [duty for duty in decision.obligations if duty.finding == facts.fingerprint] if decision else []
        held = list(recorded)
        for duty in sorted(decided, key=lambda duty: (duty.due_epoch_s, duty.basis)):
            if duty.superseded:
                yield from self._superseded(duty, facts, episode=episode, held=recorded)
                continue
            # Policies know the run's time only; the ledger's is the one that counts.
            starts_now = duty.start_epoch_s >= self._evaluated_epoch_s
            duty = replace(duty, start_epoch_s=self._now_epoch_s if starts_now else duty.start_epoch_s)  # noqa: PLW2901
            # What a downgrade took back counts again only if the decision says so, and then anew.
            if any(_stands_for(other, duty) for other in held if not other.superseded_by):
                continue
            held.append(duty)
            yield ObligationAdded(
                **self._about(episode),
                fingerprint=facts.fingerprint,
                algorithm=facts.algorithm,
                basis=duty.basis,
                start_epoch_s=max(duty.start_epoch_s, 0),
                limit_s=duty.limit_s,
                policy_digest=duty.policy_digest,
            )
            for other in recorded:
                if gives_way(other, duty):
                    yield self._supersedes(other, facts, episode=episode, by=duty)

    def _superseded(
        self, duty: Obligation, facts: FindingFacts, *, episode: int, held: Sequence[Obligation]
    ) -> Iterator[Event]:
        for other in held:
            if other.superseded or (other.basis, other.start_epoch_s) != (duty.basis, duty.start_epoch_s):
                continue
            if duty.superseded_epoch_s > other.due_epoch_s:
                self.notes.append(
                    f"{facts.fingerprint}: the duty {other.basis} was due before it was to be superseded; it stands"
                )
                continue
            yield self._supersedes(other, facts, episode=episode, by=duty)

    def _supersedes(
        self, other: Obligation, facts: FindingFacts, *, episode: int, by: Obligation
    ) -> ObligationSuperseded:
        return ObligationSuperseded(
            **self._about(episode),
            fingerprint=facts.fingerprint,
            algorithm=facts.algorithm,
            basis=other.basis,
            start_epoch_s=other.start_epoch_s,
            limit_s=other.limit_s,
            policy_digest=by.policy_digest,
            downgrade=by.superseded_by,
            approved_epoch_s=by.superseded_epoch_s,
        )


def _stands_for(held: Obligation, duty: Obligation) -> bool:
    """Tell whether `duty` adds nothing to `held`: the same duty again, or the same one begun later.

    A limit that a policy changed applies to duties made after it, so another limit from the same start is no new duty.
    """
    if held.basis != duty.basis:
        return False
    same_start = held.start_epoch_s == duty.start_epoch_s
    return same_start or (held.limit_s == duty.limit_s and held.start_epoch_s <= duty.start_epoch_s)


def _changes(before: FindingFacts, after: FindingFacts) -> tuple[str, ...]:
    """Name what is other than it was. A line number alone is no change: it moves with every edit above it."""
    # Texts that two algorithms name cannot be compared by those names.
    is_same_scheme = before.algorithm == after.algorithm
    changes = {
        "algorithm": not is_same_scheme,
        "severity-raised": after.severity.rank > before.severity.rank,
        "severity-lowered": after.severity.rank < before.severity.rank,
        "moved": (before.path, before.symbol, before.ordinal) != (after.path, after.symbol, after.ordinal),
        "text": is_same_scheme and before.anchor != after.anchor,
        "weakness": (before.lane, before.weakness) != (after.lane, after.weakness),
        "witnesses": before.witnesses != after.witnesses,
        "advisories": before.advisories != after.advisories,
        "package": before.package != after.package,
        "aliases": not set(after.aliases) <= set(before.aliases),
        "secret": before.secret_macs != after.secret_macs,
    }
    return tuple(name for name, is_so in changes.items() if is_so)
