"""What of the facts that a rule read a person is told, in words."""

from __future__ import annotations

import msgspec
import pytest

from secgate.fact_words import facts_words
from secgate.policy.documents import FindingFacts, RunFacts


def test_facts_that_are_as_for_most_findings_say_nothing() -> None:
    quiet = {
        "advisories": "none",
        "automatable": "unknown",
        "baseline.listed": "false",
        "downgrade.severity": "info",
        "downgrade.state": "none",
        "epss_ppm": "0",
        "evaluated_at_epoch_s": "1772787660",
        "exposure": "unknown",
        "fingerprint": "0" * 64,
        "known_exploited.listed_epoch_s": "0",
        "limits.severity_s": "critical 86400, high 604800",
        "risen": "false",
        "run.has_base": "true",
    }
    assert facts_words(quiet) == ""


def test_what_speaks_is_said_in_one_order_whatever_the_order_of_the_facts() -> None:
    facts = {
        "run.scope": "protected",
        "epss_ppm": "123450",
        "known_exploited.listed_epoch_s": "1772755200",
        "known_exploited.listed": "true",
        "exposure": "internet",
        "severity": "high",
        "frozen.until_epoch_s": "1772755200",
        "frozen.paths": "web/, till/",
    }
    words = (
        "severity high; exposed to the internet; known to be exploited; listed 2026-03-06 00:00 UTC; EPSS 12.345 %; "
        "in a protected run; frozen.paths web/, till/; frozen.until_epoch_s 2026-03-06 00:00 UTC"
    )
    assert facts_words(facts) == words == facts_words(dict(reversed(facts.items())))


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("epss_ppm", "1", "EPSS 0.0001 %"),
        ("epss_ppm", "1000000", "EPSS 100 %"),
        ("score_x10", "75", "score 7.5"),
        ("cwes", "79, 94", "CWE-79, CWE-94"),
        ("cwes", "none", ""),
        ("fix_available", "false", "no fixed version is known"),
        ("package.direct", "false", "not named by the project itself"),
        ("seconds_open", "86400", "open for 24 h"),
        ("waiver.state", "void", "waiver void"),
        ("run.has_base", "false", "compared with nothing"),
        ("epss_ppm", "many", ""),
        ("seconds_open", "long", ""),
    ],
)
def test_one_fact(name: str, value: str, words: str) -> None:
    assert facts_words({name: value}) == words


def test_every_value_of_a_closed_list_can_be_said() -> None:
    """A word that the schema has and this has none for would be left out in silence."""
    silent = {"unknown", "none", "no", "partial"}
    for facts, prefix in ((FindingFacts, ""), (RunFacts, "run.")):
        for field in msgspec.structs.fields(facts):
            for value in getattr(field.type, "__args__", ()) if not isinstance(field.type, type) else ():
                if isinstance(value, str) and value not in silent and prefix + field.name != "run.changed_set":
                    assert facts_words({prefix + field.name: value}), (field.name, value)
