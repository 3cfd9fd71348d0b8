"""Facts that a rule read, as a person says them: what speaks for its word, and nothing that every finding shows anyway.

A rule reads, through its helpers, many facts that are as they are for most findings. Those say nothing here; all of
them stay in the stored run and in JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from secgate.sla import length_words, utc_words

_Words: TypeAlias = Callable[[str], str]

_SILENT = frozenset(("", "none", "unknown", "false", "no", "0"))
"""Values that say nothing: as if the fact were not there."""


def _as(form: str) -> _Words:
    return lambda value: "" if value in _SILENT else form.format(value)


def _if(value: str, words: str) -> _Words:
    return lambda found: words if found == value else ""


def _one_of(**words: str) -> _Words:
    return lambda value: words.get(value, "")


def _share(value: str) -> str:
    """Parts per million as a percentage without needless zeros."""
    return f"EPSS {int(value) / 10_000:.4f}".rstrip("0").rstrip(".") + " %" if value.isdigit() and int(value) else ""


def _unsaid(_: str) -> str:
    return ""


def _since(form: str) -> _Words:
    return lambda value: form.format(utc_words(int(value))) if value.isdigit() and int(value) else ""


_KNOWN: Mapping[str, _Words] = {
    "severity": _as("severity {}"),
    "score_x10": lambda value: f"score {int(value) / 10:.1f}" if value.isdigit() else "",
    "downgrade.state": _as("downgrade {}"),
    "downgrade.severity": _unsaid,
    "risen": _if("true", "its severity rose"),
    "state": lambda value: value,
    "weakness": _as("weakness {}"),
    "cwes": lambda value: "" if value in _SILENT else ", ".join(f"CWE-{one}" for one in value.split(", ")),
    "lane": _as("lane {}"),
    "confidence": _as("confidence {}"),
    "scanners": _as("seen by {}"),
    "secret": _if("true", "a secret"),
    "in_history": _if("true", "in a commit of the change"),
    "touched": _if("true", "touched by the change"),
    "path_class": _as("path class {}"),
    "exposure": _one_of(internet="exposed to the internet", internal="exposed inside only"),
    "advisories": _as("{}"),
    "known_exploited.listed": _if("true", "known to be exploited"),
    "known_exploited.listed_epoch_s": _since("listed {}"),
    "epss_ppm": _share,
    "automatable": _if("yes", "an attack can be automated"),
    "impact": _if("total", "impact total"),
    "fix_available": _one_of(true="a fixed version is known", false="no fixed version is known"),
    "package.fix_available": _one_of(true="a fixed version is known", false="no fixed version is known"),
    "package.direct": _one_of(true="named by the project itself", false="not named by the project itself"),
    "package.development": _if("true", "for development only"),
    "suppressed_in_source": _if("true", "a comment asks to ignore it"),
    "baseline.listed": _if("true", "listed as known debt"),
    "waiver.state": _as("waiver {}"),
    "seconds_open": lambda value: f"open for {length_words(int(value))}" if value.isdigit() and int(value) else "",
    "run.scope": _one_of(change="in a change", local="in a local run", protected="in a protected run"),
    "run.has_base": _if("false", "compared with nothing"),
    "run.changed_set": _one_of(all="every file counts as touched", empty="the change touches no file"),
    "run.profile": _as("profile {}"),
    "run.complete": _if("false", "the run did not come to its end"),
    "limits.new_denied": _as("the limits deny new {}"),
    "limits.directives": _as("directive {} in force"),
}
"""By name, in the order in which they are said."""

_BESIDE = frozenset(
    (
        *("fingerprint", "path", "line", "symbol", "owner", "first_seen_known", "first_seen_epoch_s"),
        *("evaluated_at_epoch_s", "package.name", "package.version", "package.fixed_versions"),
        *("limits.severity_s", "limits.places", "profiles.named", "advisories.epss.model", "baselines.longest_s"),
    )
)
"""What is shown where the words stand, or is a table of the policy."""
_TABLES = ("limits.exploited_s.", "limits.epss.", "bod_26_04.", "advisories.epss.", "baseline.", "downgrade.")
"""Beginnings of names whose outcome is told by another fact, or by the duty that it led to."""


def facts_words(facts: Mapping[str, str]) -> str:
    """Give facts as `severity high; new; in a change`; "" where none says anything.

    What only a policy of somebody's own knows is said by its name, after what is known here.
    """
    told = [words(facts[name]) for name, words in _KNOWN.items() if name in facts]
    told += [
        f"{name} {_value(name, value)}"
        for name, value in sorted(facts.items())
        if name not in _KNOWN and name not in _BESIDE and not name.startswith(_TABLES) and value not in _SILENT
    ]
    return "; ".join(dict.fromkeys(words for words in told if words))


def _value(name: str, value: str) -> str:
    return utc_words(int(value)) if name.endswith("_epoch_s") and value.isdigit() else value
