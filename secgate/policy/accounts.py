"""What is told of a policy to those who write it: faults, what it holds, what came of its tests."""

from __future__ import annotations

from secgate.model import Epoch, Outcome, Scope, Value, Word
from secgate.policy.layers import LayerName


class PolicyFault(Value, frozen=True, kw_only=True):
    """One thing wrong: `place` is `file:line:column`, `by` who found it (`secgate` or `opa`)."""

    place: str
    what: str
    remedy: str
    by: str


class PolicyLint(Value, frozen=True, kw_only=True):
    """What was found in a layer. `checked_by` are the checkers with their versions."""

    version: int = 1
    layer: LayerName
    modules: int
    faults: tuple[PolicyFault, ...]
    checked_by: tuple[str, ...]


class ListedRule(Value, frozen=True, kw_only=True):
    """One rule package of a layer, what it adds to, and whether the enforced layer switches it off."""

    package: str
    paths: tuple[str, ...]
    sets: tuple[str, ...]
    off: bool = False


class ListedLayer(Value, frozen=True, kw_only=True):
    """One layer, with the names of the data files it brings."""

    name: LayerName
    digest: str
    rules: tuple[ListedRule, ...]
    data: tuple[str, ...]
    libraries: tuple[str, ...]


class PolicyList(Value, frozen=True, kw_only=True):
    """What a run of a tree would judge by. `data` gives the layer that each data file comes from."""

    version: int = 1
    engine: str
    profile: str
    layers: tuple[ListedLayer, ...]
    data: dict[str, str]
    enforced_digest: str


class CaseResult(Value, frozen=True, kw_only=True):
    """One test in one engine. `error` is why it could not be evaluated, "" where it could."""

    name: str
    place: str
    engine: str
    passed: bool
    error: str = ""


class RuleResult(Value, frozen=True, kw_only=True):
    """One rule of a set: how many of its lines the tests come to, and whether one fails without it."""

    package: str
    word: str
    place: str
    lines: int
    reached: int
    tested: bool


class PolicyTests(Value, frozen=True, kw_only=True):
    """What came of a layer's tests."""

    version: int = 1
    layer: LayerName
    digest: str
    engines: tuple[str, ...]
    tests: tuple[CaseResult, ...]
    rules: tuple[RuleResult, ...]

    @property
    def passed(self) -> bool:
        """Whether every test passes in every engine and no rule is untested."""
        return bool(self.tests) and all(one.passed for one in self.tests) and all(one.tested for one in self.rules)


class ChangedVerdict(Value, frozen=True, kw_only=True):
    """A word that other policies would say. `subject` and `id` are the verdict's, `about` is it in words.

    `old` or `new` is None where only one of the two judges the subject.
    """

    subject: str
    id: str
    about: str
    old: Word | None
    new: Word | None
    old_rule: str
    new_rule: str
    reason: str
    """The new one's."""


class ChangedRun(Value, frozen=True, kw_only=True):
    """A run of which other policies would say something else. `error` is why one of them could not decide."""

    run_id: str
    evaluated_epoch_s: Epoch
    scope: Scope
    line: str
    commit: str
    old: Outcome
    new: Outcome
    verdicts: tuple[ChangedVerdict, ...]
    error: str = ""


class UntoldRun(Value, frozen=True, kw_only=True):
    """A run that could not be judged again, and why."""

    run_id: str
    reason: str


class PolicyDiff(Value, frozen=True, kw_only=True):
    """Which past decisions would be others. `old` and `new` are what was asked for, `since` 0 for all runs.

    `warnings` are faults of kept policies that today's checks see, and that did not keep them from judging then.
    """

    version: int = 1
    old: str
    new: str
    since_epoch_s: Epoch = 0
    runs: int
    changed: tuple[ChangedRun, ...]
    untold: tuple[UntoldRun, ...]
    warnings: tuple[PolicyFault, ...] = ()
