"""The canonical weakness of each tool's rule, and the severity of rules whose tool gives none: data of `rules/`.

`rules/crosswalk.json` has the form {"version": 1, "weaknesses": {name: {"title", "cwes", "remedy", "family"}},
"rules": {tool: {rule: name}}}; `rules/severity.json` {"version": 1, "rules": {tool: {rule: {"severity", "score",
"reason"}}}, "default": {tool: {...}}}. Keys that are not known here are left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated

import msgspec

from secgate.errors import ConfigError
from secgate.model import Severity, Value


class Weakness(Value, frozen=True, kw_only=True):
    """One canonical weakness: how it is called and what to do about it."""

    title: str
    cwes: tuple[int, ...] = ()
    remedy: str = ""
    family: str = ""
    within: str = ""
    """The wider weakness that this one is a case of: where both are reported of one unit, only this one counts."""


class Rating(Value, frozen=True, kw_only=True):
    """A severity with its reason. Without a score, the band's default counts."""

    severity: Severity
    score: Annotated[float, msgspec.Meta(ge=0, le=10)] | None = None
    reason: str = ""


class _CrosswalkFile(Value, frozen=True, kw_only=True):
    version: int
    weaknesses: dict[str, Weakness] = msgspec.field(default_factory=dict)
    rules: dict[str, dict[str, str]] = msgspec.field(default_factory=dict)


class _SeverityFile(Value, frozen=True, kw_only=True):
    version: int
    rules: dict[str, dict[str, Rating]] = msgspec.field(default_factory=dict)
    default: dict[str, Rating] = msgspec.field(default_factory=dict)


class Crosswalk:
    """Answers for a tool's rule: which weakness, how severe. Built once from the two files; reads nothing itself."""

    def __init__(
        self,
        *,
        weaknesses: Mapping[str, Weakness],
        rules: Mapping[str, Mapping[str, str]],
        ratings: Mapping[str, Mapping[str, Rating]],
        defaults: Mapping[str, Rating] | None = None,
    ) -> None:
        """`ratings` are by tool and rule; `defaults` by tool, for its rules that no one has rated."""
        self._weaknesses = dict(weaknesses)
        self._rules = {tool: dict(names) for tool, names in rules.items()}
        self._ratings = {tool: dict(names) for tool, names in ratings.items()}
        self._defaults = dict(defaults or {})
        by_cwe: dict[int, set[str]] = {}
        for name, weakness in self._weaknesses.items():
            for cwe in weakness.cwes:
                by_cwe.setdefault(cwe, set()).add(name)
        self._by_cwe = by_cwe

    def weakness(self, tool: str, rule: str, cwes: Iterable[int], named: str) -> str:
        """Give the canonical weakness of a rule.

        In this order: the rule's entry, the name that the rule itself gives (our own packs), the one weakness that its
        CWEs stand for, `cwe-N` with the smallest, `tool:rule`.
        """
        listed = self._rules.get(tool, {}).get(rule)
        if listed or named:
            return listed or named
        numbers = sorted(set(cwes))
        names = set().union(*(self._by_cwe.get(cwe, set()) for cwe in numbers))
        if len(names) == 1:
            return names.pop()
        return f"cwe-{numbers[0]}" if numbers else f"{tool}:{rule}"

    @property
    def within(self) -> Mapping[str, str]:
        """Weaknesses that are a case of another, with that other one."""
        return {name: weakness.within for name, weakness in self._weaknesses.items() if weakness.within}

    @property
    def tools(self) -> frozenset[str]:
        """Names of the tools whose rules are listed, as our adapters are called."""
        return frozenset(self._rules) | frozenset(self._ratings)

    def describe(self, weakness: str) -> Weakness | None:
        """Give title and remedy of a canonical weakness; None for one that the crosswalk does not list."""
        return self._weaknesses.get(weakness)

    def severity(
        self, tool: str, rule: str, *, native: Severity | None, score: float | None, basis: str = ""
    ) -> tuple[Severity, float, str]:
        """Give severity, score and basis.

        In this order: the rule's entry in our table, the tool's score, the tool's band, our table's default for the
        tool, else high with basis `unscored`.
        """
        rating = self._ratings.get(tool, {}).get(rule)
        if rating is None and native is None and not _is_score(score):
            rating = self._defaults.get(tool)
        if rating is not None:
            own = rating.severity.default_score if rating.score is None else rating.score
            return rating.severity, own, "severity table"
        if score is not None and _is_score(score):
            return Severity.from_score(score), score, basis or "tool score"
        if native is not None:
            return native, native.default_score, basis or "tool severity"
        return Severity.HIGH, Severity.HIGH.default_score, "unscored"


def _is_score(score: float | None) -> bool:
    return score is not None and 0.0 <= score <= 10.0


def load_crosswalk(crosswalk: bytes, severity: bytes) -> Crosswalk:
    """Read the two files. Raises ConfigError with every fault, a name that is not among the weaknesses included."""
    faults: list[tuple[str, str, str]] = []
    names, ratings = _CrosswalkFile(version=1), _SeverityFile(version=1)
    try:
        names = msgspec.json.decode(crosswalk, type=_CrosswalkFile)
    except msgspec.DecodeError as error:
        faults.append(("crosswalk.json", str(error), "restore the file that was shipped, or mend it"))
    try:
        ratings = msgspec.json.decode(severity, type=_SeverityFile, strict=False)
    except msgspec.DecodeError as error:
        faults.append(("severity.json", str(error), "restore the file that was shipped, or mend it"))
    for file, version in (("crosswalk.json", names.version), ("severity.json", ratings.version)):
        if version != 1:
            faults.append((file, f"version {version} is not known", "use the files of one release together"))
    for tool, rules in sorted(names.rules.items()):
        faults += [
            (f"crosswalk.json: rules.{tool}.{rule}", f"there is no weakness {name}", "name one under weaknesses")
            for rule, name in sorted(rules.items())
            if name not in names.weaknesses
        ]
    faults += [
        (
            f"crosswalk.json: weaknesses.{name}.within",
            f"{one.within} is no widest weakness",
            "name one, or leave it out",
        )
        for name, one in sorted(names.weaknesses.items())
        if one.within and names.weaknesses.get(one.within, one).within
    ]
    if faults:
        raise ConfigError("the weakness data cannot be used", faults=faults)
    return Crosswalk(weaknesses=names.weaknesses, rules=names.rules, ratings=ratings.rules, defaults=ratings.default)
