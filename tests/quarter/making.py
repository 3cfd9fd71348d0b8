"""A quiet period drawn from a seed: repositories, runs, findings, lists in which nothing deviates."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from tests.quarter.plan import (
    DAY,
    HOUR,
    LANES,
    MACHINE,
    Approval,
    Binding,
    Change,
    Deployment,
    Duty,
    Exemption,
    Finding,
    GateChange,
    GateReview,
    InScope,
    Look,
    Notice,
    Override,
    Patch,
    Person,
    Release,
    Review,
    Revocation,
    Run,
    Tool,
    key_of,
)

LIMITS = {"critical": DAY, "high": 7 * DAY, "medium": 30 * DAY, "low": 90 * DAY, "info": 0}
BOSS, OTHER_BOSS, CHIEF, DEVELOPERS = "p-ada", "p-bob", "p-eve", ("p-cyn", "p-dan", "p-fay", "p-gus")
PEOPLE = (
    Person(BOSS, ("approver",)),
    Person(OTHER_BOSS, ("approver",)),
    Person(CHIEF, ("break-glass",)),
    *(Person(one) for one in DEVELOPERS),
)
STRANGER = "p-stranger"
"""Has a key, and is nobody of people.toml."""


def digest(text: str) -> str:
    """Give a digest that is made up."""
    return sha256(text.encode()).hexdigest()


class Making:
    """A period under construction: facts are added, deviations and near misses noted as they are planted."""

    def __init__(self, seed: int, *, repositories: Sequence[str], start: datetime, end: datetime) -> None:
        self.random = random.Random(seed)  # noqa: S311 - the same seed gives the same plan
        self.seed = seed
        self.start, self.end = int(start.timestamp()), int(end.timestamp())
        self.repositories = list(repositories)
        self.runs: dict[str, Run] = {}
        self.findings: list[Finding] = []
        self.exemptions: list[Exemption] = []
        self.overrides: list[Override] = []
        self.notices: list[Notice] = []
        self.unsaid: set[str] = set()
        """Names of findings of which people are told as it was planted, and of nothing else."""
        self.bindings: list[Binding] = []
        self.gate_changes: list[GateChange] = []
        self.gate_reviews: list[GateReview] = []
        self.revocations: list[Revocation] = []
        self.deployments: list[Deployment] = []
        self.changes: list[Change] = []
        self.releases: list[Release] = []
        self.patches: list[Patch] = []
        self.scope: list[InScope] = []
        self.planted: set[tuple[str, str, str]] = set()
        self.spared: set[tuple[str, str]] = set()
        self.dismissed: set[tuple[str, str]] = set()
        self._names = 0

    # --------------------------------------------------------------------------------------------------------- chance

    def name(self, word: str) -> str:
        """Give a name that nothing else has."""
        self._names += 1
        return f"{word}-{self._names:05}"

    def some_repository(self) -> str:
        """Give any repository."""
        return self.random.choice(self.repositories)

    def time(self, after: int = 0, before: int = 0) -> int:
        """Give a time in the period, so many seconds from its beginning and its end at least."""
        return self.random.randrange(self.start + after, self.end - before)

    def bad(self, assertion: str, item: str, *exceptions: str) -> None:
        """Note a deviation that is meant."""
        self.planted.update((assertion, item, one) for one in exceptions)

    def near(self, assertion: str, item: str) -> None:
        """Note what comes close to a deviation and is none."""
        self.spared.add((assertion, item))

    def aside(self, one: Finding, *waivers: Exemption) -> None:
        """Note a finding that these waivers dismiss, and nothing else covers."""
        self.dismissed.update((self.key(one), f"exemption:{waiver.name}") for waiver in waivers)
        self.near("vuln.sla", self.key(one))

    # ----------------------------------------------------------------------------------------------------------- facts

    def run(self, at: int, repository: str = "", **given: Any) -> Run:
        """Add a run of the whole protected branch, which passed, with everything new and complete."""
        name = self.name("run")
        known: dict[str, Any] = {
            "commit": digest(name)[:40],
            "tree": digest(f"tree of {name}")[:40],
            "looks": tuple(Look(lane, needed=lane != "workflows" or self.random.random() < 0.5) for lane in LANES),
            "tools": self.tools(at),
        }
        made = Run(name=name, repository=repository or self.some_repository(), at=at, **{**known, **given})
        self.runs[made.name] = made
        return made

    def tools(self, at: int) -> tuple[Tool, ...]:
        """Give scanners as they should be at a time."""

        def age(days: int) -> int:
            return at - self.random.randrange(days * DAY)

        return (
            Tool("bandit", ("sast",), rules=age(80)),
            Tool("semgrep", ("sast",), rules=age(89)),
            Tool("kingfisher", ("secrets",), rules=age(60)),
            Tool("pip-audit", ("dependencies",), data=age(6)),
            Tool("checkov", ("iac",), rules=age(70)),
            Tool("zizmor", ("workflows",), rules=age(70)),
        )

    def deploy(self, at: int, repository: str, **given: Any) -> str:
        """Add a deployment and give its key."""
        made = Deployment(repository=repository, name=self.name("d"), at=at, **given)
        self.deployments.append(made)
        return f"{made.repository}#{made.name}"

    def artifact(self) -> str:
        """Give the digest of something that was built."""
        return f"sha256:{digest(self.name('artefact'))}"

    def release(self, at: int, repository: str, artifact: str, commit: str = "") -> str:
        """Add a released artefact and give its key."""
        made = Release(repository, self.name("r"), artifact, at, commit)
        self.releases.append(made)
        return f"{made.repository}#{made.name}"

    def bind(self, run: Run, at: int, key: str = MACHINE) -> str:
        """Bind an artefact to a run, and give its digest."""
        made = Binding(run=run.name, artifact=self.artifact(), at=at, key=key)
        self.bindings.append(made)
        return made.artifact

    def library(self) -> dict[str, Any]:
        """Give what a finding of a component is of."""
        return {
            "lane": "dependencies",
            "scanners": ("pip-audit",),
            "advisory": f"CVE-2026-{self.random.randrange(1000, 99999)}",
            "package": self.name("library"),
            "version": "1.2.3",
        }

    def patch(self, one: Finding, at: int, **given: Any) -> None:
        """Let a patch come out for a finding of a component."""
        known: dict[str, Any] = {"advisory": one.advisory, "package": one.package, "version": "1.2.4"}
        self.patches.append(Patch(at=at, **{**known, **given}))

    def change(self, at: int, *approvals: tuple[str, int, bool], author: str = DEVELOPERS[0]) -> str:
        """Add a merged change and give its key; an approval is (who, seconds after the merge, whether a machine)."""
        told = tuple((who, at + after, machine) for who, after, machine in approvals)
        made = Change(self.some_repository(), self.name("m"), author, at, told)
        self.changes.append(made)
        return f"{made.repository}#{made.name}"

    def finding(self, opened: int, severity: str = "high", **given: Any) -> Finding:
        """Add a finding with the duty of its severity."""
        name = self.name("finding")
        known: dict[str, Any] = {
            "name": name,
            "repository": self.some_repository(),
            "fingerprint": digest(name),
            "text": digest(f"text of {name}"),
            "duties": self.duty(opened, severity),
        }
        made = Finding(severity=severity, opened=opened, **{**known, **given})
        self.findings.append(made)
        return made

    def duty(self, at: int, severity: str) -> tuple[Duty, ...]:
        """Give the duty of a severity from a time on."""
        limit = LIMITS[severity]
        return (Duty(recorded=at, start=at, limit=limit, basis=f"severity:{severity}"),) if limit else ()

    def waive(self, one: Finding, at: int, until: int, **given: Any) -> Exemption:
        """Add a waiver of a finding that two people signed, approved `at`."""
        requester = self.random.choice(DEVELOPERS)
        subject = {"advisory": one.advisory, "package": one.package} if one.advisory else {"finding": one.fingerprint}
        known: dict[str, Any] = {
            "name": self.name("waiver"),
            "repository": one.repository,
            "requester": requester,
            "key": requester,
            "requested": at - HOUR,
            "expires": until,
            "severity": one.severity,
            "approvals": self.approved(at),
            "values": (one.version or one.text,),
            "scanners": one.scanners,
            **subject,
        }
        made = Exemption(**{**known, **given})
        self.exemptions.append(made)
        return made

    def approved(self, at: int, by: str = BOSS, key: str = "") -> tuple[Approval, ...]:
        """Give an approval as an exemption has it."""
        return (Approval(by, key or by, at),)

    def override(self, at: int, **given: Any) -> Override:
        """Add an override by whom may give one, reviewed in time by whom may do that."""
        known: dict[str, Any] = {
            "name": self.name("glass"),
            "repository": self.some_repository(),
            "by": CHIEF,
            "key": given.get("by", CHIEF),
            "until": at + self.random.randrange(HOUR, DAY),
            "reviews": self.reviewed(at + self.random.randrange(1, 5 * DAY)),
        }
        made = Override(given=at, **{**known, **given})
        self.overrides.append(made)
        return made

    def reviewed(self, at: int, by: str = BOSS, word: str = "justified") -> tuple[Review, ...]:
        """Give a review as an override has it."""
        return (Review(by, by, at, word),)

    def key(self, one: Finding) -> str:
        """Name a finding as evidence of this period does."""
        return key_of(replace(one, fingerprint=one.renamed_to) if 0 < one.renamed < self.end else one)

    # ----------------------------------------------------------------------------------------------------- background

    def windows(self) -> Sequence[int]:
        """Give the beginnings of weeks of the period; what remains belongs to the last."""
        return range(self.start, self.end - 7 * DAY + 1, 7 * DAY)

    def background(self, *, runs: int) -> None:
        """Fill the period with what should be: at least a run a week in every repository, and so on."""
        for repository in self.repositories:
            self.scope.append(InScope(repository, infrastructure=self.random.random() < 0.7))
            for week in self.windows():
                self.run(week + self.random.randrange(7 * DAY), repository)
        while len(self.runs) < runs:
            self._any_run()
        for run in [one for one in self.runs.values() if one.scope == "protected"]:
            if self.random.random() < 0.4:
                self._ship(run)
        for _ in range(runs // 4):
            author, reviewer = self.random.sample(DEVELOPERS, 2)
            self.change(self.time(), (reviewer, -self.random.randrange(3 * DAY), False), author=author)
        for _ in range(runs // 3):
            self._any_finding()
        for _ in range(max(2, runs // 150)):
            what = self.random.choice(("policy-changed", "scanner-changed", "rule-pack-changed", "mode-changed"))
            self.gate_changes.append(GateChange(self.name("gate"), self.some_repository(), self.time(), what))
            debt = self.finding(self.time(9 * DAY, 9 * DAY))
            self.waive(debt, debt.opened + DAY, debt.opened + self.random.randrange(85, 92) * DAY)
            self.override(self.time())

    def _any_run(self) -> None:
        at = self.random.randrange(self.start - 5 * DAY, self.end + 5 * DAY)
        kind = self.random.random()
        if kind < 0.35:
            self.run(at, line="main" if kind < 0.3 else "release")
        elif kind < 0.9:
            outcome = self.random.choice(("pass", "pass", "pass", "fail", "inconclusive"))
            self.run(at, scope="change", outcome=outcome, partial=True, line=self.name("topic"))
        else:
            self.run(at, scope="local", dirty=self.random.random() < 0.5)

    def _ship(self, run: Run) -> None:
        """Deploy what a run looked at, tied to it in one of the three ways; some of it is an artefact of a list."""
        at = run.at + self.random.randrange(8 * HOUR)
        way = self.random.random()
        if way < 0.5:
            self.deploy(at, run.repository, commit=run.commit)
        elif way < 0.75:
            artifact = self.artifact()
            self.runs[run.name] = replace(run, artifacts=(artifact,), inventory="kept")
            self.near("change.gated", self.deploy(at, run.repository, artifacts=(artifact,)))
            if way < 0.7:
                self.near("component.inventory", self.release(at, run.repository, artifact))
        else:
            squashed = digest(f"squashed {run.name}")[:40]
            self.near("change.gated", self.deploy(at, run.repository, commit=squashed, tree=run.tree))

    def _any_finding(self) -> None:
        severity = self.random.choice(("critical", "high", "high", "medium", "medium", "low", "info"))
        opened = self.random.randrange(self.start - 40 * DAY, self.end)
        lane = self.random.choice(("sast", "sast", "dependencies", "secrets"))
        closed = opened + self.random.randrange(1, (LIMITS[severity] or 200 * DAY) + 1)
        of = self.library() if lane == "dependencies" else {"lane": lane}
        found = self.finding(opened, severity, closed=(closed,), **of)
        if found.advisory and severity == "critical":
            self.patch(found, closed - self.random.randrange(30 * DAY))
