"""What of the gate itself is other than it was in the run before: policy, enforced layer, scanners, rule packs, mode.

Only protected runs of a clean tree that reached a decision are compared, each with the one before it of the same
repository, line and profile. A scanner that did not complete says nothing of itself: it is as it was last known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from secgate.events import Run
from secgate.gate_events import GateChanged, ModeChanged, PolicyChanged, RulePackChanged, ScannerChanged
from secgate.model import ScanStatus, Scope, Value


class ScannerState(Value, frozen=True, kw_only=True):
    """A scanner as a run used it; of several invocations with unlike options or packs all digests, joined by `+`."""

    version: str
    program: str
    options: str
    pack: str


class GateState(Value, frozen=True, kw_only=True):
    """The gate as it was last known, and in which run."""

    run_id: str
    mode: str
    policies: Mapping[str, str]
    mapping: str = ""
    """Digest of the control mapping; "" where no run has said it yet."""
    enforced: str = ""
    """Digest of the enforced layer, where people, their roles and their keys stand too; "" where there was none."""
    scanners: Mapping[str, ScannerState]


def is_gating(run: Run) -> bool:
    """Tell whether a run shows the gate as it stands for its line."""
    return run.scope is Scope.PROTECTED and not run.dirty and bool(run.outcome)


def state_after(before: GateState | None, run: Run) -> GateState:
    """Give the gate as it is known after `run`, a gating one."""
    known = before.scanners if before is not None else {}
    return GateState(
        run_id=run.run_id,
        mode=run.mode,
        policies=dict(run.policy_digests),
        mapping=run.mapping_digest or (before.mapping if before is not None else ""),
        enforced=run.enforced_digest,
        scanners={**known, **_scanners(run)},
    )


def changes_of_gate(before: GateState | None, run: Run) -> tuple[GateChanged, ...]:
    """Give what changed, policies first, then scanners by name, then the mode; () for the first run and others."""
    if before is None or not is_gating(run):
        return ()
    return tuple(_changes(before, run))


def _changes(before: GateState, run: Run) -> Iterator[GateChanged]:
    def made(event: type[GateChanged], name: str, part: str, old: str, new: str) -> Iterator[GateChanged]:
        if old != new:
            yield event(
                run_id=run.run_id,
                previous_run_id=before.run_id,
                repository=run.repository,
                line=run.line,
                profile=run.profile,
                name=name,
                part=part,
                before=old,
                after=new,
            )

    for layer in sorted({*before.policies, *run.policy_digests}):
        old, new = before.policies.get(layer, ""), run.policy_digests.get(layer, "")
        yield from made(PolicyChanged, layer, "digest", old, new)
    if before.mapping and run.mapping_digest:
        yield from made(PolicyChanged, "controls", "mapping", before.mapping, run.mapping_digest)
    # Who may approve, override or sign is in no policy's digest.
    yield from made(PolicyChanged, "enforced layer", "digest", before.enforced, run.enforced_digest)
    nothing = ScannerState(version="", program="", options="", pack="")
    for name, now in sorted(_scanners(run).items()):
        was = before.scanners.get(name, nothing)
        yield from made(ScannerChanged, name, "version", was.version, now.version)
        if was.version == now.version:
            yield from made(ScannerChanged, name, "program", was.program, now.program)
        yield from made(ScannerChanged, name, "options", was.options, now.options)
        yield from made(RulePackChanged, name, "digest", was.pack, now.pack)
    yield from made(ModeChanged, "gate", "mode", before.mode, run.mode)


def _scanners(run: Run) -> dict[str, ScannerState]:
    found: dict[str, ScannerState] = {}
    for name in sorted({tool.scanner for tool in run.tools if tool.status is ScanStatus.COMPLETED}):
        used = [tool for tool in run.tools if tool.scanner == name and tool.status is ScanStatus.COMPLETED]
        found[name] = ScannerState(
            version=_joined(tool.version for tool in used),
            program=_joined(tool.tool_digest for tool in used),
            options=_joined(tool.options_digest for tool in used),
            pack=_joined(tool.rule_pack_digest for tool in used),
        )
    return found


def _joined(values: Iterator[str]) -> str:
    return "+".join(sorted(set(values)))
