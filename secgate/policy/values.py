"""The data that the shipped rules decide by: limits and profiles, checked before a rule may miss a key of them.

What Rego does not find is undefined, and an undefined limit is no limit: so the two files have a closed form.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from secgate.errors import PolicyError, UsageError
from secgate.model import Exposure, Lane, NoticeStage, Severity
from secgate.policy.layers import Layer

CommentName = Literal["nosec", "nosemgrep", "checkov:skip", "zizmor: ignore"]
"""Comments of `secgate.suppression` that do not speak of secrets."""

PROFILES_NAME = "data/profiles.json"

Seconds = Annotated[int, Meta(gt=0)]


class SeverityLimits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Time to close a finding in, by severity. `info` has none."""

    critical: Seconds
    high: Seconds
    medium: Seconds
    low: Seconds

    def of(self, severity: Severity) -> int:
        """Give the limit of a severity in seconds, 0 for none."""
        return int(getattr(self, severity.value, 0))


GUARDED = frozenset({Lane.SECRETS, Lane.WORKFLOWS, Lane.DEPENDENCIES})
"""Lanes in which where a file lies never gives more time. Source: notes on threats, rule 11."""


class PlaceLimits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits of their own for findings of some lanes, path classes and exposures; an empty list names them all."""

    name: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,63}$")]
    lanes: tuple[Lane, ...] = ()
    path_classes: tuple[Annotated[str, Meta(min_length=1)], ...] = ()
    exposures: tuple[Exposure, ...] = ()
    severity_s: Annotated[dict[Literal["critical", "high", "medium", "low"], Seconds], Meta(min_length=1)]

    def __post_init__(self) -> None:
        """Refuse a place that is everywhere. Raises ValueError."""
        if not (self.lanes or self.path_classes or self.exposures):
            raise ValueError(f"`{self.name}` names no lane, path class or exposure; that is what severity_s is for")


class ExploitedLimits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Time to close in what is listed as exploited, and what is so where anybody can reach it."""

    listed: Seconds = 14 * 86400
    exposed: Seconds = 3 * 86400


class PredictionLimits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Time to close in what is likely to be exploited soon: from a score on, of the model that it was set for.

    `threshold_ppm` is in parts per million, 0 for never.
    """

    threshold_ppm: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    model: str = ""
    limit_s: Seconds = 7 * 86400

    def __post_init__(self) -> None:
        """Refuse a threshold without the model that it is for. Raises ValueError."""
        if self.threshold_ppm and not self.model:
            raise ValueError("`threshold_ppm` counts for one model: name it as `model`, such as v2026.06.15")


class WaiverLimits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The longest life of a waiver by severity, and of one for a coverage gap."""

    critical: Seconds = 90 * 86400
    high: Seconds = 90 * 86400
    medium: Seconds = 90 * 86400
    low: Seconds = 90 * 86400
    info: Seconds = 90 * 86400
    gap: Seconds = 90 * 86400

    def longest(self, severity: Severity, *, of_gap: bool) -> int:
        """Give the longest life of a waiver in seconds: of one for a gap, else for a finding of that severity."""
        return self.gap if of_gap else self.of(severity)

    def of(self, severity: Severity) -> int:
        """Give the longest life of a waiver for a finding of that severity, in seconds."""
        return {
            Severity.CRITICAL: self.critical,
            Severity.HIGH: self.high,
            Severity.MEDIUM: self.medium,
            Severity.LOW: self.low,
            Severity.INFO: self.info,
        }[severity]


class OverrideLimits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long an override lasts at most, and how soon it must be reviewed; a policy may only be stricter."""

    longest: Annotated[int, Meta(gt=0, le=86400)] = 86400
    review: Annotated[int, Meta(gt=0, le=5 * 86400)] = 5 * 86400


class DowngradeLimits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The longest life of a downgrade by the severity that it is approved from."""

    critical: Seconds = 90 * 86400
    high: Seconds = 90 * 86400
    medium: Seconds = 90 * 86400

    def of(self, severity: Severity) -> int:
        """Give the longest life of a downgrade from that severity, in seconds; nothing is downgraded from low."""
        lives = {Severity.CRITICAL: self.critical, Severity.HIGH: self.high, Severity.MEDIUM: self.medium}
        return lives.get(severity, 0)


class PolicyLimits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """data/limits.json, version 1."""

    version: Literal[1]
    severity_s: SeverityLimits
    new_denied: tuple[Severity, ...]
    waivers_s: WaiverLimits = WaiverLimits()
    notice_s: Seconds = 7 * 86400
    """How long before its end a run begins to speak of a waiver or a downgrade."""
    downgrades_s: DowngradeLimits = DowngradeLimits()
    overrides_s: OverrideLimits = OverrideLimits()
    places: tuple[PlaceLimits, ...] = ()
    """In order: the first that a finding is in, and that has a limit for its severity, counts."""
    exploited_s: ExploitedLimits = ExploitedLimits()
    epss: PredictionLimits = PredictionLimits()
    directives: tuple[Literal["bod-26-04"], ...] = ()
    """Tables of others that count as well; each is data of its own."""

    def __post_init__(self) -> None:
        """Refuse what would count for nothing, or against threat rule 11. Raises ValueError."""
        names = [place.name for place in self.places]
        double = sorted({name for name in names if names.count(name) > 1})
        if double:
            raise ValueError(f"two places are called `{double[0]}`")
        for place in self.places:
            guarded = sorted(GUARDED.intersection(place.lanes))
            if not guarded or not (place.path_classes or place.exposures):
                continue
            for name, limit_s in place.severity_s.items():
                if limit_s > self.severity_s.of(Severity(name)):
                    raise ValueError(
                        f"`{place.name}` gives more time for {name} findings of the lane {guarded[0]}: where a file "
                        "lies never does that for secrets, workflows and dependencies"
                    )

    @property
    def path_classes(self) -> dict[str, str]:
        """Every path class that limits are for, with the name of those limits."""
        return {name: place.name for place in reversed(self.places) for name in place.path_classes}


class BaselineLimits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """data/baselines.json, version 1: limits for known debt where its list gives none, and the longest it may give."""

    version: Literal[1]
    limit_s: SeverityLimits
    longest_s: SeverityLimits


_YES, _IMPACT = ("no", "yes"), ("partial", "total")
BOD_26_04_CASES = frozenset(f"{k},{e},{a},{i}" for k in _YES for e in _YES for a in _YES for i in _IMPACT)
"""Known exploited, exposed, automatable, technical impact."""


class AssumedFacts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What counts where a fact of a case is not known."""

    exposed: Literal["yes", "no"]
    automatable: Literal["yes", "no"]
    impact: Literal["partial", "total"]


class DirectiveTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """data/bod_26_04.json, version 1: time by case, 0 for the next upgrade; and which cases ask for more than a fix."""

    version: Literal[1]
    source: str
    unknown: AssumedFacts
    limits_s: dict[str, Annotated[int, Meta(ge=0)]]
    forensics: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a table that leaves a case out: it would have no limit in silence. Raises ValueError."""
        odd = sorted(BOD_26_04_CASES.symmetric_difference(self.limits_s)) or sorted(
            set(self.forensics) - BOD_26_04_CASES
        )
        if odd:
            raise ValueError(f"the case `{odd[0]}` is missing, or is none of the 16")


class SourceComments(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Comments in the source that let findings pass by themselves: which, of what lanes and severities, and how.

    There is no end to one and nobody approves it, so critical, high and secrets are never among them.
    """

    comments: Annotated[tuple[CommentName, ...], Meta(min_length=1)]
    lanes: Annotated[tuple[Literal["sast", "iac", "workflows"], ...], Meta(min_length=1)]
    severities: Annotated[tuple[Literal["medium", "low", "info"], ...], Meta(min_length=1)]
    names_rules: bool
    """Whether each must name the rule that it is about."""
    reason_characters: Annotated[int, Meta(ge=1, le=150)]
    """How long the reason in each has to be."""


class SourcePolicy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """data/suppressions.json, version 1: which comments in the source count, by themselves; none as shipped."""

    version: Literal[1]
    let_pass: tuple[SourceComments, ...]


ChannelName = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9]{0,31}$")]
"""Part of the name of an environment variable, so of letters and digits alone."""


class Telling(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is told of findings of some severities that reach some stages, and why."""

    reason: Annotated[str, Meta(min_length=1, max_length=300)]
    stages: Annotated[tuple[NoticeStage, ...], Meta(min_length=1)]
    severities: Annotated[tuple[Severity, ...], Meta(min_length=1)]
    lanes: tuple[Lane, ...] = ()
    """() for all."""
    channels: Annotated[tuple[ChannelName, ...], Meta(min_length=1)]


class NotificationPolicy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """data/notifications.json, version 1: channels with the notifier of each, and what each is told.

    No rule of the gate reads it. Where a channel leads is in the environment of whoever sends, never here.
    """

    version: Literal[1]
    escalate_after_s: Seconds
    """How long after the gate began to say no a finding is told again, as `escalation`."""
    channels: dict[ChannelName, Annotated[str, Meta(min_length=1)]]
    told: tuple[Telling, ...]

    def __post_init__(self) -> None:
        """Refuse a channel that leads nowhere. Raises ValueError."""
        unknown = sorted({name for one in self.told for name in one.channels} - set(self.channels))
        if unknown:
            raise ValueError(f"`{unknown[0]}` is told of findings and is not in `channels`")


class Profile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which lanes a run asks for, and how it takes what is not looked at. Never what denies."""

    lanes: tuple[Lane, ...]
    without_tools: tuple[str, ...]
    older_gaps: Literal["warn", "inconclusive"]
    advisories_max_age_s: Seconds
    reference_engines: tuple[str, ...]
    """Engines that judge again where they are present; a difference ends the decision."""


def weaker(profile: Profile, least: Profile) -> tuple[str, ...]:
    """Say in what a profile asks for less than another; () where it is at least as strict in everything."""
    told = []
    if missing := [lane.value for lane in least.lanes if lane not in profile.lanes]:
        told.append(f"it does not ask for {', '.join(missing)}")
    if without := sorted(set(profile.without_tools) - set(least.without_tools)):
        told.append(f"it does without {', '.join(without)}")
    if least.older_gaps == "inconclusive" and profile.older_gaps != "inconclusive":
        told.append("it lets older gaps pass")
    if profile.advisories_max_age_s > least.advisories_max_age_s:
        told.append("it believes older advisories")
    if lost := [name for name in least.reference_engines if name not in profile.reference_engines]:
        told.append(f"it is not judged again by {', '.join(lost)}")
    return tuple(told)


class _Profiles(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    version: Literal[1]
    named: dict[str, Profile]


class _ProfilesFile(Struct, frozen=True, kw_only=True):
    profiles: _Profiles


class _Values(Struct, frozen=True, kw_only=True):
    baselines: BaselineLimits
    limits: PolicyLimits
    profiles: _Profiles
    suppressions: SourcePolicy
    notifications: NotificationPolicy
    bod_26_04: DirectiveTable


def effective_data(shipped: Layer, organisation: Layer | None = None) -> bytes:
    """Give the data that the shipped rules see: each file of the organisation's replaces the shipped one of its name.

    What a file may leave out is filled in, since a rule would find it undefined. Raises PolicyError where baselines,
    limits, profiles, suppressions, notifications or a directive's table lack a key or have one too many.
    """
    merged = msgspec.json.decode(shipped.data, type=dict[str, object])
    if organisation is not None:
        merged |= msgspec.json.decode(organisation.data, type=dict[str, object])
    return _filled(merged)


def layer_data(layer: Layer, effective: bytes) -> bytes:
    """Give the data that a layer's own rules see: the effective data, with its own files in front.

    Raises PolicyError as `effective_data` does.
    """
    merged = msgspec.json.decode(effective, type=dict[str, object])
    return _filled(merged | msgspec.json.decode(layer.data, type=dict[str, object]))


def profile_names(effective: bytes) -> tuple[str, ...]:
    """Give the names of the profiles, sorted."""
    return tuple(sorted(_read(effective).profiles.named))


def profiles_in(data: bytes) -> tuple[str, ...]:
    """Give the names of the profiles of a layer's `data/profiles.json`. Raises PolicyError for one that is none."""
    try:
        return tuple(sorted(msgspec.json.decode(data, type=_ProfilesFile).profiles.named))
    except msgspec.DecodeError as error:
        raise PolicyError(
            f"the profiles cannot be read: {error}", place=PROFILES_NAME, remedy="mend the file"
        ) from error


def read_profile(effective: bytes, name: str) -> Profile:
    """Give a profile of the effective data. Raises UsageError for a name that is not there."""
    profiles = _read(effective).profiles.named
    if name not in profiles:
        raise UsageError(f"there is no profile `{name}`", remedy=f"choose one of: {', '.join(sorted(profiles))}")
    return profiles[name]


def read_limits(effective: bytes) -> PolicyLimits:
    """Give the limits of the effective data."""
    return _read(effective).limits


def read_baseline_limits(effective: bytes) -> BaselineLimits:
    """Give the limits of baselines of the effective data."""
    return _read(effective).baselines


def read_notifications(effective: bytes) -> NotificationPolicy:
    """Give who is told of what by the effective data."""
    return _read(effective).notifications


def _filled(merged: dict[str, object]) -> bytes:
    read = _read(msgspec.json.encode(merged))
    closed = {name: getattr(read, name) for name in read.__struct_fields__}
    return msgspec.json.encode(merged | closed, order="sorted")


def _read(effective: bytes) -> _Values:
    try:
        return msgspec.json.decode(effective, type=_Values)
    except msgspec.ValidationError as error:
        raise PolicyError(
            f"the policy's data is not of the known form: {error}",
            remedy="write data/NAME.json like the shipped one; it is replaced whole",
        ) from error
