"""Whether not seeing a finding means that it is gone: only a run that could have seen it may close it.

Source: SLA semantics, rule 11 (same scanner, same scope, rules not narrower; failed, partial or narrower runs neither
close nor pause; removing a scanner leaves findings open; a deleted file counts if the run is comparable).
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import PurePosixPath

from secgate.events import RunTool
from secgate.memory import Line, tools_for
from secgate.model import Lane, LaneCoverage, RunDocument, ScanStatus
from secgate.remembered import Remembered
from secgate.retirement import Retirement
from secgate.run_facts import run_tool


def covered_whole(account: LaneCoverage) -> bool:
    """Tell whether a lane was asked for and neither a tool of it nor the lane as a whole failed; files may have."""
    return account.asked and not account.tools_failed and all(gap.path for gap in account.gaps)


class Outlook:
    """What one run looked at, and with what: answers for each finding that it did not see."""

    def __init__(self, document: RunDocument, *, evaluated_epoch_s: int) -> None:
        """`evaluated_epoch_s` is the run's time, from which the age of its advisories counts."""
        target = document.target
        self._is_whole = document.complete and target.changed is None
        self._prefix = target.prefix
        self._files = {file.path for file in target.files}
        self._forms = {_form(path) for path in self._files}
        self._accounts = {account.lane: account for account in document.coverage.lanes}
        self._left_out = {left.path for left in (*target.left_out, *document.coverage.left_out)}
        self._tools: dict[tuple[Lane, str], tuple[RunTool, ...]] = {}
        self._failed: set[str] = set()
        self._rules: dict[str, set[str]] = {}
        for invocation in document.invocations:
            if invocation.status is not ScanStatus.COMPLETED:
                self._failed.add(invocation.scanner)
            self._rules.setdefault(invocation.scanner, set()).update(rule.id for rule in invocation.rules)
            tool = run_tool(invocation, evaluated_epoch_s=evaluated_epoch_s)
            for lane in tool.lanes:
                key = (lane, tool.scanner)
                self._tools[key] = (*self._tools.get(key, ()), tool)

    @property
    def settled(self) -> tuple[Lane, ...]:
        """Lanes whose absent findings this run may close, sorted."""
        if not self._is_whole:
            return ()
        return tuple(sorted(lane for lane, account in self._accounts.items() if covered_whole(account)))

    def ran(self, lane: Lane, scanner: str) -> bool:
        """Tell whether `scanner` completed for `lane`, or for its own where what it saw is of another."""
        return scanner not in self._failed and bool(tools_for(self._tools, lane, scanner))

    def basis_of_absence(
        self, known: Remembered, *, line: Line, gone: Collection[str], retirement: Retirement
    ) -> str | None:
        """Give why a finding that this run did not see is gone, or None where the run could not have seen it.

        `path-gone`: its file is deleted. `absent`: the same tools with the same rules, or their later version that says
        that it still has the rule, looked at its file. `text-gone`: they looked with other rules, and the caller knows
        (`gone`, by fingerprint) that the text it stood on is nowhere in the file. `retired`: nothing that saw it is
        used any more; of several witnesses, those that are retired are not waited for.
        """
        facts = known.facts
        waited_for = tuple(witness for witness in facts.witnesses if not retirement.is_retired(witness))
        if not waited_for:
            return "retired"
        if facts.lane not in self.settled or not self._looked_at(facts.path, facts.lane):
            return None
        scanners = {witness.scanner for witness in waited_for}
        if facts.path not in self._files:
            # With no file of the form left, a scanner for that form has nothing to be started for.
            has_none = _form(facts.path) not in self._forms
            return "path-gone" if all(has_none or self.ran(facts.lane, scanner) for scanner in scanners) else None
        if not all(self.ran(facts.lane, scanner) for scanner in scanners):
            return None
        if all(self._has_same_rules(known, scanner, line) for scanner in scanners):
            return "absent"
        return "text-gone" if facts.fingerprint in gone else None

    def _looked_at(self, path: str, lane: Lane) -> bool:
        if self._prefix and not PurePosixPath(path).is_relative_to(self._prefix):
            return False
        account = self._accounts[lane]
        unlooked = {gap.path for gap in account.gaps} | {left.path for left in account.not_looked} | self._left_out
        places = {path, *(str(parent) for parent in PurePosixPath(path).parents)}
        return places.isdisjoint(unlooked)

    def _has_same_rules(self, known: Remembered, scanner: str, line: Line) -> bool:
        facts = known.facts
        before = line.seen_with(facts.fingerprint, facts.lane, scanner)
        now = tools_for(self._tools, facts.lane, scanner)
        if not before or _age(now) < _age(before):
            return False
        if _settings(before) == _settings(now):
            return True
        rules = {witness.rule for witness in facts.witnesses if witness.scanner == scanner}
        same_options = {tool.options_digest for tool in before} == {tool.options_digest for tool in now}
        return same_options and rules <= self._rules.get(scanner, set())


def _form(path: str) -> str:
    """Give what tells one kind of file from another where only the path is known: suffix, else name."""
    pure = PurePosixPath(path)
    return pure.suffix or pure.name


def _settings(tools: tuple[RunTool, ...]) -> set[tuple[str, str, str]]:
    # The executable's digest is not among them: two machines may hold different builds of one version.
    return {(tool.version, tool.rule_pack_digest, tool.options_digest) for tool in tools}


def _age(tools: tuple[RunTool, ...]) -> int:
    return min(tool.data_epoch_s for tool in tools)
