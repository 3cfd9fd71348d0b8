"""What a run would have seen, had it been there: before something is called gone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from secgate.model import Coverage, History, Invocation, KnownFinding, Lane, ScanStatus, Target
from secgate.waivers import FindingSubject, GapSubject, Waiver


class Sight(NamedTuple):
    """How far a run looked. `comparable` tells it of a finding that the ledger knows with its place."""

    target: Target
    coverage: Coverage
    invocations: Sequence[Invocation]
    history: History | None
    comparable: Callable[[KnownFinding], bool]

    def would_see(self, waiver: Waiver) -> bool:
        """Tell whether the run looked where the subject of a waiver was, with every tool that saw it."""
        subject = waiver.request.subject
        lanes = {lane.lane: lane for lane in self.coverage.lanes}
        if isinstance(subject, GapSubject):
            return subject.lane in lanes and lanes[subject.lane].asked
        if not set(waiver.request.bound.scanners) <= self._completed:
            return False
        if isinstance(subject, FindingSubject):
            known = self._known(subject.fingerprint)
            if known is not None:
                return self.comparable(known)
            # Where the ledger has no place of it, any gap could hide it.
            return not any(lane.gaps for lane in self.coverage.lanes if lane.asked)
        dependencies = lanes.get(Lane.DEPENDENCIES)
        return dependencies is not None and dependencies.asked and not dependencies.gaps

    @property
    def _completed(self) -> frozenset[str]:
        return frozenset(one.scanner for one in self.invocations if one.status is ScanStatus.COMPLETED)

    def _known(self, fingerprint: str) -> KnownFinding | None:
        for one in self.history.open if self.history is not None else ():
            if fingerprint == one.fingerprint or any(fingerprint == alias.value for alias in one.aliases):
                return one
        return None
