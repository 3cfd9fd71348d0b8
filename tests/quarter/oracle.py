"""What evidence of a made period must say, worked out from the plan alone: no code of secgate, no file, no ledger.

The numbers are those of the docs: windows of seven days, rules of 90, advisories of 7, waivers of 90, overrides of 24
hours that are reviewed within five days.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tests.quarter.plan import (
    DAY,
    HOUR,
    LANES,
    MACHINE,
    Binding,
    Change,
    Deployment,
    Duty,
    Exemption,
    Finding,
    Import,
    InScope,
    Look,
    Override,
    Patch,
    Plan,
    Release,
    Review,
    Row,
    Run,
    Tool,
)

RANKS = ("info", "low", "medium", "high", "critical")
WINDOW, RULES, ADVISORIES, WAIVER = 7 * DAY, 90, 7 * DAY, 90 * DAY
OVERRIDE, REVIEWED_WITHIN, SIGNED_WITHIN = 24 * HOUR, 5 * DAY, 31 * DAY
PATCH = 30 * DAY
TOLD_WITHIN = DAY

Bad = set[tuple[str, str]]


@dataclass(frozen=True)
class Expected:
    """What one assertion must come to."""

    result: str
    population: frozenset[str]
    tested: int
    deviations: frozenset[tuple[str, str]]
    untested: frozenset[str]
    left: frozenset[str] = frozenset()
    right: frozenset[str] = frozenset()
    metrics: dict[str, int] = field(default_factory=dict)


def expected(plan: Plan) -> dict[str, Expected]:
    """Give what every assertion must come to."""
    return Oracle(plan).all()


def _trees(row: Deployment, looked: Mapping[str, Sequence[Run]]) -> set[str]:
    """Give the tree of a deployment's commit: the list's, else that of runs of the same commit."""
    return {row.tree} if row.tree else {run.tree for run in looked.get(f"commit {row.commit}", ())}


class Oracle:
    """The plan, looked at from all sides."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.roles = {person.id: person.roles for person in plan.people}
        self.overrides = {one.name: one for one in plan.overrides}
        self.built = {run.name: dict.fromkeys(run.artifacts, 0) for run in plan.runs}
        """By run what it was built into, and since when that is known."""
        runs = {run.name: run for run in plan.runs}
        for one in plan.bindings:
            if self._ties(one, runs[one.run]):
                self.built[one.run].setdefault(one.artifact, one.at)

    def all(self) -> dict[str, Expected]:
        """Give the twenty of them."""
        return {
            "change.gated": self._deployments(),
            "change.reviewed": self._reviews(),
            "change.override_approved": self._overrides(),
            "exception.governed": self._exceptions(),
            "scan.ran": self._scans(LANES),
            "secrets.searched": self._scans(("secrets",)),
            "infrastructure.scanned": self._scans(("iac", "workflows")),
            "vuln.assessed": self._assessed(),
            "vuln.sla": self.deadlines(lambda _: True),
            "vuln.superseded": self._superseded(),
            "vuln.patch_release": self._patches(),
            "secret.response": self._secrets(),
            "breach.notified": self._breaches(),
            "component.inventory": self._inventories(),
            "feed.current": self._feeds(),
            "gate.enforced": self._enforced(),
            "gate.change_reviewed": self._gate_changes(),
            "review.periodic": self._months(),
            "record.readable": self._records(),
            "ledger.integrity": self._checkpoints(),
        }

    # ------------------------------------------------------------------------------------------------------- results

    def _said(
        self,
        population: Iterable[str],
        bad: Bad,
        *,
        untested: Iterable[str] = (),
        lacking: bool = False,
        left: Iterable[str] = (),
        right: Iterable[str] = (),
        metrics: dict[str, int] | None = None,
    ) -> Expected:
        items = frozenset(population)
        unknown = frozenset() if lacking else frozenset(untested)
        if lacking:
            result = "not_tested"
        elif bad:
            result = "deviation"
        elif self.plan.begun > self.plan.start:
            result = "not_tested"
        elif not items:
            result = "no_occurrence"
        else:
            result = "not_tested" if unknown else "no_deviation"
        return Expected(
            result=result,
            population=items,
            tested=0 if lacking else len(items) - len(unknown),
            deviations=frozenset() if lacking else frozenset(bad),
            untested=unknown,
            left=frozenset(left),
            right=frozenset(right),
            metrics=metrics or {},
        )

    def within(self, at: int) -> bool:
        """Tell whether a time lies in the period."""
        return self.plan.start <= at < self.plan.end

    def asked(self, at: int, due: int, done: int) -> bool:
        """Tell whether this period must say what followed: it began here, or was still to do at the start."""
        waits = at < self.plan.start <= due and (done == 0 or done >= self.plan.start)
        return waits or self.within(at)

    # --------------------------------------------------------------------------------------------------------- lists

    def _imports(self, kind: str) -> list[Import]:
        return [one for one in self.plan.imports if one.kind == kind]

    def rows(self, kind: str) -> list[Row]:
        """Give the rows of a kind of list; of one key the last one counts."""
        rows: dict[tuple[str, ...], Row] = {}
        for one in self._imports(kind):
            for row in one.rows:
                if isinstance(row, Patch):
                    rows[row.advisory, row.package, row.version] = row
                else:
                    rows[row.repository, "" if isinstance(row, InScope) else row.name] = row
        return list(rows.values())

    def _lacks(self, kind: str) -> bool:
        """Tell whether no list is there, or not of every second of the period."""
        imports = self._imports(kind)
        if not imports:
            return True
        if kind == "repositories":
            return max(one.extracted for one in imports) < self.plan.end
        at = self.plan.start
        for start, end in sorted((one.start, one.end) for one in imports):
            if start <= at:
                at = max(at, end)
        return at < self.plan.end

    # --------------------------------------------------------------------------------------------------- deployments

    def _deployments(self) -> Expected:
        rows = [row for row in self.rows("deployments") if isinstance(row, Deployment)]
        looked = [run for run in self.plan.runs if run.scope != "local" and not run.dirty and not run.folder]
        by_name: dict[str, list[Run]] = {}
        for run in looked:
            names = [f"artifact {one}" for one in self.built[run.name]]
            names += [f"commit {run.commit}"] if run.commit else []
            names += [f"tree {run.repository} {run.tree}"] if run.tree else []
            for name in names:
                by_name.setdefault(name, []).append(run)
        bad: Bad = set()
        used: set[str] = set()
        alone = []
        for row in rows:
            runs = self._tied(row, by_name)
            used.update(run.name for run in runs)
            if self.within(row.at):
                name = f"{row.repository}#{row.name}"
                bad.update((name, word) for word in self._wrong(row, runs, _trees(row, by_name)))
                if not runs:
                    alone.append(name)
        right = [
            run.name for run in looked if run.scope == "protected" and self.within(run.at) and run.name not in used
        ]
        population = [f"{row.repository}#{row.name}" for row in rows if self.within(row.at)]
        lacking = self._lacks("deployments")
        return self._said(population, bad, lacking=lacking, left=alone, right=right)

    def _tied(self, row: Deployment, looked: Mapping[str, Sequence[Run]]) -> list[Run]:
        """Give the runs of the same artefact, commit or tree; `looked` has them by each of these names."""
        same = looked.get(f"commit {row.commit}", ())
        found = {run.name: run for run in same}
        for artifact in row.artifacts:
            told = (run for run in looked.get(f"artifact {artifact}", ()) if artifact in self._built_by(run, row))
            found |= {run.name: run for run in told}
        for tree in _trees(row, looked):
            found |= {run.name: run for run in looked.get(f"tree {row.repository} {tree}", ())}
        return list(found.values())

    def _wrong(self, row: Deployment, runs: list[Run], trees: set[str]) -> Iterator[str]:
        before = [run for run in runs if run.at <= row.at]
        if not runs:
            yield "no_run"
        elif not before:
            yield "run_after_deployment"
        built = [run for run in before if self._built_by(run, row) & set(row.artifacts)]
        if row.commit and built and not any(run.commit == row.commit or run.tree in trees for run in built):
            yield "source_mismatch"
        latest = max((run.at for run in before), default=0)
        for run in before:
            if run.at != latest:
                continue
            known = self._built_by(run, row)
            if known and row.artifacts and not known & set(row.artifacts):
                yield "digest_mismatch"
            if run.outcome != "pass" and not self._was_overridden(run):
                unsure = run.outcome in ("inconclusive", "")
                yield "inconclusive_and_not_overridden" if unsure else "blocked_and_not_overridden"

    def _built_by(self, run: Run, row: Deployment) -> set[str]:
        """Give what a run was built into, as far as that was known before a deployment."""
        return {artifact for artifact, at in self.built[run.name].items() if at <= row.at}

    def _ties(self, one: Binding, run: Run) -> bool:
        """Tell whether a binding counts: signed by the machine, and still in its ledger."""
        ledger = next(name for name, mine in self.plan.ledgers.items() if run.repository in mine)
        is_lost = ledger == self.plan.cut and one.at >= self.plan.end
        return one.key == MACHINE and not is_lost

    def _was_overridden(self, run: Run) -> bool:
        given = self.overrides.get(run.override)
        return (
            given is not None
            and self.is_given(given)
            and "break-glass" in self.roles[given.by]
            and given.repository == run.repository
            and given.line == run.line
            and (not given.commit or given.commit == run.commit)
            and given.given <= run.at < given.until
            and run.at < given.given + OVERRIDE
        )

    def is_given(self, one: Override) -> bool:
        """Tell whether an override counts as one: it is signed, and says why."""
        return self.is_signed(one.by, one.key) and bool(one.reason.strip())

    def is_asked(self, one: Exemption) -> bool:
        """Tell whether an exemption was asked for: it is signed, and says why."""
        return self.is_signed(one.requester, one.key) and bool(one.reason.strip())

    def is_signed(self, person: str, key: str) -> bool:
        """Tell whether a person whom people.toml knows signed with the own key."""
        return person == key and person in self.roles

    # ------------------------------------------------------------------------------------------------------- changes

    def _reviews(self) -> Expected:
        rows = [row for row in self.rows("reviews") if isinstance(row, Change) and self.within(row.at)]
        bad: Bad = set()
        for row in rows:
            name = f"{row.repository}#{row.name}"
            if not row.approvals:
                bad.add((name, "no_review"))
            good = [who for who, at, machine in row.approvals if who != row.author and at <= row.at and not machine]
            if good:
                continue
            for who, at, machine in row.approvals:
                words = {
                    "author_is_reviewer": who == row.author,
                    "review_after_merge": at > row.at,
                    "reviewer_is_a_machine": machine,
                }
                bad.update((name, word) for word, holds in words.items() if holds)
        population = [f"{row.repository}#{row.name}" for row in rows]
        return self._said(population, bad, lacking=self._lacks("reviews"))

    def _inventories(self) -> Expected:
        rows = [row for row in self.rows("artifacts") if isinstance(row, Release)]
        bound = {digest for digests in self.built.values() for digest in digests}
        of_period = {digest for run in self.plan.runs if self.within(run.at) for digest in self.built[run.name]}
        here = [row for row in rows if self.within(row.at)]
        kept = [run for run in self.plan.runs if run.inventory == "kept" and not run.dirty and not run.folder]
        bad = {(f"{row.repository}#{row.name}", word) for row in here for word in self._uninventoried(row, kept)}
        return self._said(
            [f"{row.repository}#{row.name}" for row in here],
            bad,
            lacking=self._lacks("artifacts") or not any(run.inventory for run in self.plan.runs),
            left=[f"{row.repository}#{row.name}" for row in here if row.digest not in bound],
            right=of_period - {row.digest for row in rows},
        )

    def _uninventoried(self, row: Release, kept: Sequence[Run]) -> Iterator[str]:
        mine, others = [], []
        for run in kept:
            known = self.built[run.name]
            if row.digest in known:
                mine.append(max(run.at, known[row.digest]))
            elif known and row.commit and (row.repository, row.commit) == (run.repository, run.commit):
                others.append(max(run.at, *known.values()))
        mine, others = ([at for at in times if at < self.plan.end] for times in (mine, others))
        if not mine and not others:
            yield "no_inventory"
        elif not mine:
            yield "digest_mismatch"
        if min(mine or others, default=0) > row.at:
            yield "inventory_after_release"

    # ------------------------------------------------------------------------------------------- what people answer for

    def _overrides(self) -> Expected:
        bad: Bad = set()
        here = []
        for one in self.plan.overrides:
            counts, own = self._words_on(one)
            done = next((said.at for said in counts or own), 0)
            if self.is_given(one) and self.asked(one.given, one.given + REVIEWED_WITHIN, done):
                here.append(one)
        for one in here:
            bad.update((f"override:{one.name}", word) for word in self._wrong_override(one))
        fine = {one.name for one in here} - {item.partition(":")[2] for item, _ in bad}
        waiting = [f"override:{one.name}" for one in here if one.name in fine and not any(self._words_on(one))]
        return self._said([f"override:{one.name}" for one in here], bad, untested=waiting)

    def _words_on(self, one: Override) -> tuple[list[Review], list[Review]]:
        """Give what was said of an override in time order: by whoever may, and by whoever gave it.

        A tail that was cut off holds none of it.
        """
        ledger = next(name for name, mine in self.plan.ledgers.items() if one.repository in mine)
        kept = (said for said in one.reviews if ledger != self.plan.cut or said.at < self.plan.end)
        signed = sorted((said for said in kept if self.is_signed(said.by, said.key)), key=lambda said: said.at)
        counts = [said for said in signed if said.by != one.by and "approver" in self.roles[said.by]]
        return counts, [said for said in signed if said.by == one.by]

    def _wrong_override(self, one: Override) -> Iterator[str]:
        if "break-glass" not in self.roles[one.by]:
            yield "not_authorised"
        if not one.until:
            yield "no_expiry"
        if one.until > one.given + OVERRIDE:
            yield "too_long"
        counts, own = self._words_on(one)
        due = one.given + REVIEWED_WITHIN
        told = (counts or own)[:1]
        if told and not counts:
            yield "self_reviewed"
        if counts and counts[0].word == "not-justified":
            yield "not_justified"
        if (told and told[0].at > due) or (not told and due < self.plan.end):
            yield "not_reviewed_in_time"

    def _exceptions(self) -> Expected:
        bad: Bad = set()
        items: list[str] = []
        for one in self.plan.exemptions:
            given = self.approved(one)
            for number, said in enumerate(one.approvals):
                if not self.within(said.at):
                    continue
                if said.at == given:
                    name = f"exemption:{one.name}"
                    bad.update((name, word) for word in self._wrong_exemption(one, given))
                elif self._counts(one, said.by, said.key):
                    continue  # Somebody agreed to what was agreed to already.
                else:
                    name = f"refused:{one.name}/{number}"
                    own = self.is_asked(one) and said.by == one.requester
                    bad.add((name, "self_approved" if own else "approver_not_authorised"))
                    if not one.reason.strip():
                        bad.add((name, "no_reason"))
                items.append(name)
        return self._said(items, bad)

    def _wrong_exemption(self, one: Exemption, given: int) -> Iterator[str]:
        if not one.expires:
            yield "no_expiry"
        if one.expires > given + WAIVER:
            yield "too_long"

    def _counts(self, one: Exemption, by: str, key: str) -> bool:
        return self.is_asked(one) and self.is_signed(by, key) and by != one.requester and "approver" in self.roles[by]

    def approved(self, one: Exemption) -> int:
        """Give when it was approved first by somebody who may, 0 for never."""
        return min((said.at for said in one.approvals if self._counts(one, said.by, said.key)), default=0)

    # --------------------------------------------------------------------------------------------------------- scans

    def _windows(self) -> list[tuple[int, int]]:
        start, end = self.plan.start, self.plan.end
        count = max(1, (end - start) // WINDOW)
        ends = [start + WINDOW * (at + 1) for at in range(count - 1)]
        return list(zip([start, *ends], [*ends, end], strict=True))

    def _scans(self, lanes: tuple[str, ...]) -> Expected:
        rows = [row for row in self.rows("repositories") if isinstance(row, InScope)]
        protected = [run for run in self.plan.runs if run.scope == "protected" and self.within(run.at)]
        bad: Bad = set()
        items: list[str] = []
        unknown: list[str] = []
        for row in rows:
            whole = [
                run
                for run in protected
                if run.repository == row.repository and not (run.dirty or run.partial or run.folder)
            ]
            for start, end in self._windows():
                if row.start > start or (row.until and row.until < end):
                    continue
                runs = [run for run in whole if start <= run.at < end]
                for lane, words in self._window(row, runs, lanes):
                    item = f"{row.repository}/{lane}/{datetime.fromtimestamp(start, tz=UTC):%Y-%m-%d}"
                    items.append(item)
                    bad.update((item, word) for word in words if word != "unknown")
                    if words == ["unknown"]:
                        unknown.append(item)
        ran = {run.repository for run in protected}
        of_period = [
            row.repository
            for row in rows
            if row.start < self.plan.end and (not row.until or row.until > self.plan.start)
        ]
        return self._said(
            items,
            bad,
            untested=unknown,
            lacking=self._lacks("repositories"),
            left=set(of_period) - ran,
            right=ran - {row.repository for row in rows},
        )

    def _window(self, row: InScope, runs: list[Run], lanes: tuple[str, ...]) -> Iterator[tuple[str, list[str]]]:
        """Give what is wrong with each lane that was to be looked at. Only where all are asked, rules have an age."""
        if not runs:
            if lanes == LANES:
                yield "every lane", ["missing_window"]
            elif row.infrastructure or "iac" not in lanes:
                yield from ((lane, ["missing_window"]) for lane in lanes)
            return
        for lane in lanes:
            looks = [(run, look) for run in runs for look in run.looks if look.lane == lane]
            if not looks:
                yield lane, ["missing_window"]
                continue
            needed = [(run, look) for run, look in looks if look.needed]
            if needed:
                yield lane, self._best(needed, ages=lanes == LANES)

    def _best(self, looks: list[tuple[Run, Look]], *, ages: bool) -> list[str]:
        """Give what is wrong with the best of them: a run that is right in all is enough."""
        judged = []
        for run, look in looks:
            tools = [tool for tool in run.tools if look.lane in tool.lanes]
            broken = sum(tool.status != "completed" for tool in tools)
            dates = [date for tool in tools if (date := tool.rules or tool.data)]
            age = math.ceil((run.at - min(dates)) / DAY) if dates else -1
            judged.append((broken, look.gaps, age < 0, age))
        broken, gaps, undated, age = min(judged)
        words = []
        if broken:
            words.append("scanner_error")
        if gaps:
            words.append("files_not_covered")
        if ages and not undated and age > RULES:
            words.append("rules_too_old")
        return words or (["unknown"] if ages and undated else [])

    def _feeds(self) -> Expected:
        bad: Bad = set()
        items: list[str] = []
        unknown: list[str] = []
        for run, tool in self._audits():
            name = f"{run.name}/{tool.scanner}"
            items.append(name)
            if not tool.data and not tool.named:
                unknown.append(name)
            elif not tool.data:
                bad.add((name, "feed_missing"))
            elif run.at - tool.data > ADVISORIES:
                bad.add((name, "feed_too_old"))
        return self._said(items, bad, untested=unknown)

    def _audits(self) -> Iterator[tuple[Run, Tool]]:
        for run in self.plan.runs:
            if run.scope == "protected" and self.within(run.at):
                for tool in run.tools:
                    if "dependencies" in tool.lanes and tool.status == "completed":
                        yield run, tool

    def _enforced(self) -> Expected:
        here = [run for run in self.plan.runs if run.scope == "protected" and self.within(run.at)]
        bad = {(run.name, "observe_mode") for run in here if run.mode == "observe"}
        bad |= {(run.name, "no_decision") for run in here if not run.outcome}
        return self._said([run.name for run in here], bad)

    def _records(self) -> Expected:
        here = [run for run in self.plan.runs if self.within(run.at)]
        words = {"missing": "record_missing", "differs": "record_differs"}
        bad = {(run.name, words[run.record]) for run in here if run.record in words}
        return self._said([run.name for run in here], bad)

    def _checkpoints(self) -> Expected:
        bad: Bad = set()
        for one in self.plan.checkpoints:
            name = f"checkpoint:{one.name}"
            if one.ledger == self.plan.cut:
                bad.add((name, "shorter_than_checkpoint"))
            elif one.ledger == self.plan.rewritten:
                bad.add((name, "inconsistent_root"))
            if one.signer != MACHINE:
                bad.add((name, "bad_signature"))
        items = [f"checkpoint:{one.name}" for one in self.plan.checkpoints]
        return self._said(items, bad, lacking=not items)

    def _first_review(self, ledger: str, part: str, start: int, end: int) -> int:
        """Give when reviews of a ledger were first, together, of all of a time, 0 for never.

        A tail that was cut off holds none.
        """
        kept = [
            said
            for said in self.plan.gate_reviews
            if (said.ledger, said.part) == (ledger, part)
            and self.is_signed(said.by, said.key)
            and not (ledger == self.plan.cut and said.at >= self.plan.end)
        ]
        for at in sorted(said.at for said in kept):
            reached = start
            for said in sorted((said for said in kept if said.at <= at), key=lambda said: said.start):
                if said.start <= reached:
                    reached = max(reached, said.end)
            if reached >= end:
                return at
        return 0

    def _gate_changes(self) -> Expected:
        bad: Bad = set()
        items: list[str] = []
        waiting = []
        for one in self.plan.gate_changes:
            ledger = next(name for name, mine in self.plan.ledgers.items() if one.repository in mine)
            at = self._first_review(ledger, "gate-settings", one.at, one.at + 1)
            if not self.asked(one.at, one.at + SIGNED_WITHIN, at):
                continue
            items.append(f"change:{one.name}")
            if at > one.at + SIGNED_WITHIN:
                bad.add((items[-1], "reviewed_late"))
            elif not at and one.at + SIGNED_WITHIN < self.plan.end:
                bad.add((items[-1], "not_reviewed"))
            elif not at:
                waiting.append(items[-1])
        return self._said(items, bad, untested=waiting)

    def _months(self) -> Expected:
        days = range(self.plan.start, self.plan.end, DAY)  # The period begins at midnight.
        begins = [at for at in days if at == self.plan.start or datetime.fromtimestamp(at, tz=UTC).day == 1]
        bad: Bad = set()
        items: list[str] = []
        waiting = []
        spans = [*self._months_before(), *zip(begins, [*begins[1:], self.plan.end], strict=True)]
        for start, end in spans:
            told = [self._first_review(ledger, "results", *span) for ledger, span in self._looked_at(start, end)]
            if not self.asked(end - 1, end + SIGNED_WITHIN, max(told) if all(told) else 0):
                continue
            # A month before the period is named by its first day, though nobody had to look before its first run.
            day = "%Y-%m-01" if start < self.plan.start else "%Y-%m-%d"
            items.append(datetime.fromtimestamp(start, tz=UTC).strftime(day))
            if all(told) and max(told) > end + SIGNED_WITHIN:
                bad.add((items[-1], "review_late"))
            elif not all(told) and end + SIGNED_WITHIN < self.plan.end:
                bad.add((items[-1], "no_review"))
            elif not all(told):
                waiting.append(items[-1])
        return self._said(items, bad, untested=waiting)

    def _looked_at(self, start: int, end: int) -> Iterator[tuple[str, tuple[int, int]]]:
        """Give the ledgers to be reviewed for a month; before the period those with runs, from the first on."""
        for ledger, mine in self.plan.ledgers.items():
            runs = [run.at for run in self.plan.runs if run.repository in mine and start <= run.at < end]
            if start >= self.plan.start:
                yield ledger, (start, end)
            elif runs:
                yield ledger, (min(runs), end)

    def _months_before(self) -> list[tuple[int, int]]:
        """Give the months before the period that had runs."""
        days = [datetime.fromtimestamp(run.at, tz=UTC) for run in self.plan.runs if run.at < self.plan.start]
        found = []
        for year, month in sorted({(day.year, day.month) for day in days}):
            begin, end = (datetime(year + at // 12, at % 12 + 1, 1, tzinfo=UTC) for at in (month - 1, month))
            found.append((int(begin.timestamp()), min(int(end.timestamp()), self.plan.start)))
        return found

    # ------------------------------------------------------------------------------------------------------ weaknesses

    def _assessed(self) -> Expected:
        here = [one for one in self.known() if self.within(one.opened)]
        bad: Bad = set()
        for one in here:
            recorded = min((duty.recorded for duty in self._duties(one)), default=0)
            if self.severity(one) == "info":
                continue
            if not recorded:
                bad.add((self.key(one), "no_obligation"))
            elif recorded > one.opened:
                bad.add((self.key(one), "obligation_late"))
        return self._said(map(self.key, here), bad)

    def deadlines(self, is_asked: Callable[[Finding], bool]) -> Expected:
        """Give what became of the findings that are asked for and were due in the period, or overdue in it."""
        end = self.plan.end
        bad: Bad = set()
        items: list[str] = []
        lengths, open_for = [], []
        met = excepted = dismissed = 0
        for one in self.known():
            due, closed = self.due(one), self.closed(one)
            if not is_asked(one) or not self._was_due(one):
                continue
            items.append(self.key(one))
            if self.dismissing(one):
                dismissed += 1
                continue
            if closed:
                lengths.append(closed - one.opened)
            else:
                open_for.append(end - one.opened)
            if closed and closed <= due:
                met += 1
            elif self._covered(one, due) >= (closed or end):
                excepted += 1
            else:
                bad.add((self.key(one), "missed" if closed else "overdue_open"))
        metrics = {
            "due": len(items) - dismissed,
            "met": met,
            "excepted": excepted,
            "missed": sum(word == "missed" for _, word in bad),
            "overdue_open": sum(word == "overdue_open" for _, word in bad),
            "dismissed": dismissed,
        }
        if metrics["due"]:
            metrics["adherence_per_mille"] = 1000 * met // metrics["due"]
        if lengths:
            lengths.sort()
            for percent in (50, 90):
                metrics[f"p{percent}_hours"] = lengths[math.ceil(len(lengths) * percent / 100) - 1] // HOUR
        if open_for:
            metrics["oldest_open_hours"] = max(open_for) // HOUR
        return self._said(items, bad, metrics=metrics)

    def _was_due(self, one: Finding) -> bool:
        """Tell whether it was due in the period, or overdue at any time in it."""
        due, closed = self.due(one), self.closed(one)
        was_over = due < self.plan.start and closed and closed <= max(due, self.plan.start)
        return 0 < due < self.plan.end and not was_over

    def dismissed(self) -> frozenset[tuple[str, str]]:
        """Give what was dismissed, with each waiver that says so."""
        due = filter(self._was_due, self.known())
        return frozenset((self.key(one), f"exemption:{name}") for one in due for name in self.dismissing(one))

    def _superseded(self) -> Expected:
        bad: Bad = set()
        items = []
        for one in self.plan.findings:
            for duty in one.duties if not one.split else ():
                if self.within(duty.taken_back):
                    name = one.renamed_to if 0 < one.renamed <= duty.taken_back else one.fingerprint
                    key = f"{one.repository}/{one.line}/{name[:16]}/{one.episode}/{duty.basis}/{duty.taken_back}"
                    items.append(key)
                    bad.update((key, word) for word in self._unbacked(one, duty))
        return self._said(items, bad)

    def _unbacked(self, one: Finding, duty: Duty) -> Iterator[str]:
        """Say what is wrong with a duty that was taken back; nothing for what people agreed on in time."""
        known = {said.name: said for said in self.plan.exemptions if said.lowered_to}
        said = known.get(duty.taken_by)
        given = self.approved(said) if said is not None else 0
        if said is None or not given:
            yield "not_agreed"
            return
        text = one.edited_to if 0 < one.edited <= duty.taken_back else one.text
        level = RANKS.index(duty.basis.partition(":")[2])
        is_of_it = (
            said.repository == one.repository
            and said.finding in (one.fingerprint, one.renamed_to)
            and text in said.values
            and RANKS.index(one.severity) <= RANKS.index(said.severity)
            and RANKS.index(said.lowered_to) < level <= RANKS.index(said.severity)
        )
        if not is_of_it:
            yield "of_something_else"
        if given > duty.start + duty.limit:
            yield "approved_late"
        ended = min(said.expires, given + WAIVER, said.revoked or said.expires)
        if not given <= duty.taken_back < ended:
            yield "not_in_force"

    def _patches(self) -> Expected:
        def plain(name: str) -> str:
            return name.lower().replace("_", "-")

        first: dict[tuple[str, str], int] = {}
        for row in self.rows("patches"):
            if isinstance(row, Patch):
                name = (row.advisory.lower(), plain(row.package))
                first[name] = min(row.at, first.get(name, row.at))
        bad: Bad = set()
        items, unknown = [], []
        for one in self.known():
            closed = self.closed(one)
            is_critical = one.lane == "dependencies" and self.severity(one) == "critical"
            if not is_critical or 0 < closed < self.plan.start:
                continue
            items.append(self.key(one))
            name = (one.advisory.lower(), plain(one.package))
            if name not in first:
                unknown.append(items[-1])
            elif (closed or self.plan.end) > first[name] + PATCH:
                bad.add((items[-1], "late" if closed else "open_and_late"))
            elif not closed:
                unknown.append(items[-1])
        return self._said(items, bad, untested=unknown)

    def _secrets(self) -> Expected:
        bad: Bad = set()
        items: list[str] = []
        waiting = []
        for one in self.known():
            if one.lane != "secrets":
                continue
            told = [
                (said.revoked, said.at)
                for said in self.plan.revocations
                if (said.repository, said.fingerprint) == (one.repository, one.fingerprint)
                and said.at < self.plan.end
                and self.is_signed(said.by, said.key)
            ]
            revoked, at = min(told, default=(0, 0))
            if one.opened < self.plan.start and 0 < at < self.plan.start:
                continue
            items.append(self.key(one))
            if revoked > one.opened + DAY:
                bad.add((items[-1], "late"))
            elif not revoked and one.opened + DAY < self.plan.end:
                bad.add((items[-1], "no_revocation_evidence"))
            elif not revoked:
                waiting.append(items[-1])
        return self._said(items, bad, untested=waiting)

    def _breaches(self) -> Expected:
        bad: Bad = set()
        items: list[str] = []
        waiting = []
        for one in self.known():
            due, closed = self.due(one), self.closed(one)
            passed = max(due, self._covered(one, due))
            told = self._told(one)
            if not due or not self.asked(passed, passed + TOLD_WITHIN, told) or 0 < closed <= passed:
                continue
            items.append(self.key(one))
            if told > passed + TOLD_WITHIN:
                bad.add((items[-1], "notified_late"))
            elif not told and passed + TOLD_WITHIN < self.plan.end:
                bad.add((items[-1], "not_notified"))
            elif not told:
                waiting.append(items[-1])
        is_known = any(said.at < self.plan.end for said in self.plan.notices)
        return self._said(items, bad, untested=waiting, lacking=not is_known)

    def _told(self, one: Finding) -> int:
        """Give when somebody was first told by any of its names that it was overdue, 0 for never in time to tell."""
        names = {name for part in self._parts(one) for name in (part.fingerprint, self._name(part))}
        return min(
            (
                said.at
                for said in self.plan.notices
                if (said.repository, said.line, said.episode) == (one.repository, one.line, one.episode)
                and said.fingerprint in names
                and said.stage in ("overdue", "escalation")
                and said.at < self.plan.end
            ),
            default=0,
        )

    def known(self) -> list[Finding]:
        """Give what was found, or told apart, before the period's end, and was no part of something else by then."""
        end = self.plan.end
        return [one for one in self.plan.findings if max(one.opened, one.split) < end and not 0 < one.merged < end]

    def _duties(self, one: Finding) -> list[Duty]:
        return [duty for duty in one.duties if duty.recorded < self.plan.end]

    def _parts(self, one: Finding) -> list[Finding]:
        """Give a finding and all that became a part of it by the period's end."""
        return [
            one,
            *(part for part in self.plan.findings if part.into == one.name and 0 < part.merged < self.plan.end),
        ]

    def due(self, one: Finding) -> int:
        """Give the earliest time that no downgrade has taken back, 0 where there is none."""
        standing = [
            duty
            for part in self._parts(one)
            for duty in self._duties(part)
            if not 0 < duty.taken_back < self.plan.end or any(self._unbacked(part, duty))
        ]
        return min((duty.start + duty.limit for duty in standing), default=0)

    def closed(self, one: Finding) -> int:
        """Give when it was closed as of the period's end, 0 where it was open then."""
        told = sorted([(at, 1) for at in one.closed] + [(at, 0) for at in one.again])
        told = [(at, word) for at, word in told if at < self.plan.end]
        return told[-1][0] if told and told[-1][1] else 0

    def severity(self, one: Finding) -> str:
        """Give how bad it was last found to be."""
        return one.raised_to if 0 < one.raised < self.plan.end else one.severity

    def key(self, one: Finding) -> str:
        """Name a finding as evidence names it."""
        return f"{one.repository}/{one.line}/{self._name(one)[:16]}/{one.episode}"

    def _name(self, one: Finding) -> str:
        return one.renamed_to if 0 < one.renamed < self.plan.end else one.fingerprint

    def _covered(self, one: Finding, due: int) -> int:
        """Give how far waivers reach that somebody approved by the due time: each of them begins before it."""
        return max((until for _, until in self._holding(one, due)), default=0)

    def _holding(self, one: Finding, due: int) -> Iterator[tuple[Exemption, int]]:
        for waiver in self.plan.exemptions:
            given = self.approved(waiver)
            if not waiver.lowered_to and 0 < given <= due and self._is_of(waiver, one):
                until = min(waiver.expires, given + WAIVER, waiver.revoked or waiver.expires)
                if until > due:
                    yield waiver, until

    def dismissing(self, one: Finding) -> list[str]:
        """Name the waivers that dismiss a finding which was not closed in time, [] where that is not its state."""
        due, until = self.due(one), self.closed(one) or self.plan.end
        if until <= due:
            return []
        holding = list(self._holding(one, due))
        risk = [end for waiver, end in holding if waiver.kind == "accept"]
        none = {waiver.name: end for waiver, end in holding if waiver.kind != "accept"}
        needed = max(none.values(), default=0) >= until > max(risk, default=0)
        return sorted(none) if needed else []

    def _is_of(self, waiver: Exemption, one: Finding) -> bool:
        if waiver.advisory:
            about = (waiver.advisory, waiver.package) == (one.advisory, one.package)
        else:
            names = {name for part in self._parts(one) for name in (part.fingerprint, self._name(part))}
            about = waiver.finding in names
        text = one.version or (one.edited_to if 0 < one.edited < self.plan.end else one.text)
        return (
            about
            and waiver.repository == one.repository
            and text in waiver.values
            and RANKS.index(self.severity(one)) <= RANKS.index(waiver.severity)
            and set(one.scanners) <= set(waiver.scanners)
        )
