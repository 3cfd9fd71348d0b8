"""What an exception is bound to: what was looked at when it was asked for, and whether that is still so."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Literal, NamedTuple, Protocol, TypeAlias

from secgate.errors import UsageError
from secgate.fingerprint import NO_TEXT
from secgate.model import Finding, Lane, Severity, Value
from secgate.placeless import messages

NO_KEY = "the key for secrets is not here"
"""Why a waiver of a secret is void in a run without the organisation's key."""


Form: TypeAlias = Literal["text", "version", "secret", "nothing"]


class Bound(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was looked at when the waiver was asked for; where it is another now, the waiver is void.

    `form` tells what `values` are: digests of the unit's text, resolved versions, codes of a secret's text, or nothing
    (for gaps). `scanners` are those that saw it, `rules` by which of their rules, as `scanner:rule`: a rule that joins
    ends nothing, but what a later crosswalk splits off is covered where its rules were among them.
    """

    form: Form
    values: tuple[str, ...] = ()
    severity: Severity = Severity.INFO
    scanners: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()


def bound_of(finding: Finding) -> Bound:
    """Give what a waiver of this finding is bound to.

    Raises UsageError for a secret without a code: nothing but its text could bind it, and that is not kept.
    """
    form, values = _form_and_values(finding)
    return Bound(
        form=form,
        values=values,
        severity=finding.severity,
        scanners=tuple(sorted({witness.scanner for witness in finding.witnesses})),
        rules=tuple(sorted(rules_of(finding.witnesses))),
    )


def _form_and_values(finding: Finding) -> tuple[Form, tuple[str, ...]]:
    if finding.package is not None and finding.lane is Lane.DEPENDENCIES:
        return "version", (finding.package.version,)
    if any(witness.secret for witness in finding.witnesses):
        if not finding.secret_macs:
            raise UsageError(
                "a secret can be waived only under the organisation's key for secrets, which binds the waiver",
                remedy="set SECGATE_SECRET_KEY and run again; better: revoke the secret and take it out",
            )
        return "secret", finding.secret_macs
    return "text", messages(finding) or (finding.anchor,)


class SeenBy(Protocol):
    """A witness, of a run or of the ledger."""

    @property
    def scanner(self) -> str:
        """Which tool saw it."""

    @property
    def rule(self) -> str:
        """By which of its rules."""


def rules_of(witnesses: Iterable[SeenBy]) -> frozenset[str]:
    """Give by which rules something is seen, each as `scanner:rule`."""
    return frozenset(f"{one.scanner}:{one.rule}" for one in witnesses)


def names_advisory(bound: Bound, advisories: Iterable[str]) -> bool:
    """Tell whether an advisory was looked at under one of its names: what else it is called is no other finding."""
    looked_at = {rule.partition(":")[2].upper() for rule in bound.rules} if bound.form == "version" else set()
    return not looked_at.isdisjoint(name.upper() for name in advisories)


def not_looked_at(bound: Bound, witnesses: Iterable[SeenBy], apart: Collection[str]) -> dict[str, str]:
    """Give the rules, as `scanner:rule`, that nobody who was bound by this looked at, each with its scanner.

    A rule that joined is its scanner's word, unless it is one of those that stood `apart`, in another finding: whoever
    looked at one of two says nothing of the other.
    """
    scanners = {f"{one.scanner}:{one.rule}": one.scanner for one in witnesses}
    known = set(bound.scanners) or scanners.values()
    return {
        rule: scanner
        for rule, scanner in sorted(scanners.items())
        if rule not in bound.rules and (rule in apart or scanner not in known)
    }


class Lineage(NamedTuple):
    """What an edited crosswalk made of a finding, as `KnownFinding` has both."""

    wholes: Collection[str] = ()
    apart: Collection[str] = ()


def asked_of(
    bound: Bound, name: str, lineage: Lineage, *, fingerprint: str, rules: Collection[str], advisories: Iterable[str]
) -> Collection[str]:
    """Give the rules of a finding that a waiver must have been given for, not its scanners alone.

    `name` is the fingerprint that it names: where that is what this was a part of, they are all of its rules.
    """
    if name in lineage.wholes and name != fingerprint:
        return rules
    return () if names_advisory(bound, advisories) else lineage.apart


def union(bounds: Sequence[Bound]) -> Bound:
    """Give what several bounds of one form are together."""
    return Bound(
        form=bounds[0].form,
        values=tuple(sorted({value for one in bounds for value in one.values})),
        severity=max((one.severity for one in bounds), key=lambda severity: severity.rank),
        scanners=tuple(sorted({scanner for one in bounds for scanner in one.scanners})),
        rules=tuple(sorted({rule for one in bounds for rule in one.rules})),
    )


def values_of(finding: Finding) -> tuple[str, ...]:
    """Give what `Bound.values` of a finding are now, () for a secret without a code."""
    try:
        return _form_and_values(finding)[1]
    except UsageError:
        return ()


def broken(bound: Bound, finding: Finding, apart: Collection[str] = ()) -> str:
    """Say why what was bound does not hold for this finding any more; "" where it does.

    `apart`: rules, as `scanner:rule`, that stood in several findings before an edited crosswalk.
    """
    if finding.severity.rank > bound.severity.rank:
        return f"the severity rose from {bound.severity} to {finding.severity}"
    if unseen := not_looked_at(bound, finding.witnesses, apart):
        joined = sorted(set(unseen.values()) - set(bound.scanners))
        of_another = f"{', '.join(unseen)} was of another finding"
        return f"{', '.join(joined)} sees it now as well" if joined else of_another
    try:
        form, values = _form_and_values(finding)
    except UsageError:
        return NO_KEY
    if bound.form != form or not values:
        return "it is another kind of finding now"
    spoken = messages(finding)
    # What was signed before messages counted holds for the one finding that has its name.
    if not set(values) <= set(bound.values) and not (spoken and bound.values == (NO_TEXT,)):
        return {
            "version": f"the resolved version is {', '.join(values)} now",
            "secret": "it is another secret now",
        }.get(bound.form, "another thing is said of it now" if spoken else "its code was edited")
    return ""
