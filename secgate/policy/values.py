"""The data that the shipped rules decide by: limits and profiles, checked before a rule may miss a key of them.

What Rego does not find is undefined, and an undefined limit is no limit: so the two files have a closed form.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from secgate.errors import PolicyError, UsageError
from secgate.model import Lane, Severity
from secgate.policy.layers import Layer

Seconds = Annotated[int, Meta(gt=0)]


class SeverityLimits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Time to close a finding in, by severity. `info` has none."""

    critical: Seconds
    high: Seconds
    medium: Seconds
    low: Seconds


class WaiverLimits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The longest life of a waiver by severity, and of one for a coverage gap."""

    critical: Seconds = 90 * 86400
    high: Seconds = 90 * 86400
    medium: Seconds = 90 * 86400
    low: Seconds = 90 * 86400
    info: Seconds = 90 * 86400
    gap: Seconds = 90 * 86400

    def of(self, severity: Severity) -> int:
        """Give the longest life of a waiver for a finding of that severity, in seconds."""
        return {
            Severity.CRITICAL: self.critical,
            Severity.HIGH: self.high,
            Severity.MEDIUM: self.medium,
            Severity.LOW: self.low,
            Severity.INFO: self.info,
        }[severity]


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
    downgrades_s: DowngradeLimits = DowngradeLimits()


class BaselineLimits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """data/baselines.json, version 1: limits for known debt where its list gives none, and the longest it may give."""

    version: Literal[1]
    limit_s: SeverityLimits
    longest_s: SeverityLimits


class Profile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which lanes a run asks for, and how it takes what is not looked at. Never what denies."""

    lanes: tuple[Lane, ...]
    without_tools: tuple[str, ...]
    older_gaps: Literal["warn", "inconclusive"]
    advisories_max_age_s: Seconds
    reference_engines: tuple[str, ...]
    """Engines that judge again where they are present; a difference ends the decision."""


class _Profiles(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    version: Literal[1]
    named: dict[str, Profile]


class _Values(Struct, frozen=True, kw_only=True):
    baselines: BaselineLimits
    limits: PolicyLimits
    profiles: _Profiles


def effective_data(shipped: Layer, organisation: Layer | None = None) -> bytes:
    """Give the data that the shipped rules see: each file of the organisation's replaces the shipped one of its name.

    Raises PolicyError where baselines, limits or profiles lack a key or have one too many.
    """
    merged = msgspec.json.decode(shipped.data, type=dict[str, object])
    if organisation is not None:
        merged |= msgspec.json.decode(organisation.data, type=dict[str, object])
    encoded = msgspec.json.encode(merged, order="sorted")
    _read(encoded)
    return encoded


def layer_data(layer: Layer, effective: bytes) -> bytes:
    """Give the data that a layer's own rules see: the effective data, with its own files in front."""
    merged = msgspec.json.decode(effective, type=dict[str, object])
    return msgspec.json.encode(merged | msgspec.json.decode(layer.data, type=dict[str, object]), order="sorted")


def profile_names(effective: bytes) -> tuple[str, ...]:
    """Give the names of the profiles, sorted."""
    return tuple(sorted(_read(effective).profiles.named))


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


def _read(effective: bytes) -> _Values:
    try:
        return msgspec.json.decode(effective, type=_Values)
    except msgspec.ValidationError as error:
        raise PolicyError(
            f"the policy's data is not of the known form: {error}",
            remedy="write data/NAME.json like the shipped one; it is replaced whole",
        ) from error
