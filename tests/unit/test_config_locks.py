"""Who may set what: every key is in one of the lists here, and what the organisation locks or sets stands."""

from __future__ import annotations

import pytest

from secgate import config
from secgate.errors import ConfigError
from secgate.model import Lane
from secgate.policy import Profile, weaker

LAYER = {"repository": "secgate.toml", "operator": "command line", "enforced": "enforced.toml"}
SAMPLE = {
    "least_profile": "'release'",
    "locked": "['exclude']",
    "mode": "'observe'",
    "disabled_rules": "['overdue']",
    "scope": "'local'",
    "engine.name": "'opa'",
    "engine.address": "'https://opa.example.org'",
    "engine.ca": "'/ca'",
    "engine.certificate": "'/c'",
    "engine.key": "'/k'",
    "advisories.database": "'/db'",
    "advisories.dump_url": "'https://example.org'",
    "ledger.store": "'none'",
    "ledger.path": "'/ledger'",
    "ledger.repository": "'/ledger.git'",
    "ledger.ref": "'main'",
    "ledger.timestamps_required": "true",
    "scanners.*.path": "'/bin/true'",
    "scanners.*.covers": "true",
    "sarif.*.covers": "true",
}
"""Keys that a tree may not set. Those of ENFORCED_ALONE are the enforced layer's alone."""
ENFORCED_ALONE = {
    *("least_profile", "locked", "mode", "disabled_rules"),
    *("sarif.*.covers", "scanners.*.covers", "ledger.timestamps_required"),
}
FREE = {
    "version": "the form of the file",
    "profile": "chooses among profiles, never below least_profile",
    "line": "names the clock's line; can be locked",
    "offline": "asks less of the network: what is then missing is a gap",
    "jobs": "speed",
    "exclude": "only adds, is listed, can be locked",
    "policies": "only adds deny and warn",
    "max_file_bytes": "what is left out is a gap",
    "ledger.required": "stricter where the enforced layer is silent, and its word counts where it is not",
    "ledger.checkpoint_size": "a checkpoint can only refuse",
    "ledger.checkpoint_root": "a checkpoint can only refuse",
    "advisories.source": "what is then missing is a gap",
    "advisories.max_age_days": "up to seven days",
    "scanners.*.enabled": "what does not run is a gap",
    "scanners.*.kinds": "only adds scanners; that they are enough is for `covers` to say",
    "scanners.*.timeout_s": "what is not finished is a gap",
    "scanners.*.options": "those that lead out of the tree or name packs are refused",
    "sarif.*.file": "a file of the tree; its findings only add",
    "sarif.*.lane": "its findings only add",
    "conftest.*.policies": "a folder of the tree; its policies only add",
    "conftest.*.files": "its policies only add; what matches no file is said",
    "conftest.*.namespaces": "its policies only add; what matches nothing is an error",
    "folders.*.profile": "as profile",
    "folders.*.exclude": "as exclude, below the folder alone",
}
"""Keys that a tree may set, and why that weakens nothing the organisation set."""


def layer(text: str, trust: config.Trust) -> config.Layer:
    made = config.parse_file(text.encode(), name=LAYER[trust], trust=trust)
    assert made is not None
    return made


def toml(key: str, value: str) -> str:
    *tables, name = key.split(".")
    if "*" not in tables:
        return f"{f'[{chr(46).join(tables)}]' if tables else ''}\n{name} = {value}\n"
    lines = f"[[sarif]]\nfile = 'x'\n{name} = {value}\n" if tables[0] == "sarif" else ""
    return lines or f"[{tables[0]}.semgrep]\n{name} = {value}\n"


def faults(*layers: config.Layer) -> str:
    with pytest.raises(ConfigError) as raised:
        config.resolve(layers)
    return str(raised.value)


def test_every_key_has_somebody_who_may_set_it_and_a_reason() -> None:
    assert set(config.known_keys()) == set(SAMPLE) | set(FREE)


@pytest.mark.parametrize("name", ["packs", "rule_cache", "source"])
def test_a_tree_names_no_rules_and_no_source_of_its_own(name: str) -> None:
    assert "may be set by" in faults(layer(f"[scanners.semgrep.options]\n{name} = 'x'\n", "repository"))


@pytest.mark.parametrize("key", sorted(SAMPLE))
def test_a_tree_is_refused_what_is_not_its_own(key: str) -> None:
    said = faults(layer(toml(key, SAMPLE[key]), "repository"))
    assert "may be set by" in said
    assert "secgate.toml:" in said


@pytest.mark.parametrize("key", sorted(SAMPLE))
def test_so_is_whoever_starts_the_run_where_it_is_the_organisations(key: str) -> None:
    mine = layer(toml(key, SAMPLE[key]), "operator")
    if key in ENFORCED_ALONE:
        assert "the enforced layer only" in faults(mine)
    else:
        config.resolve([mine])
    config.resolve([layer(toml(key, SAMPLE[key]), "enforced")])


@pytest.mark.parametrize(
    ("lock", "text"),
    [
        ("exclude", "exclude = ['*.py']\n"),
        ("exclude", "[folders.'apps/old']\nexclude = ['*.py']\n"),
        ("profile", "profile = 'pre-commit'\n"),
        ("profile", "[folders.apps]\nprofile = 'pre-commit'\n"),
        ("scanners", "[scanners.semgrep]\nenabled = false\n"),
        ("scanners.*.enabled", "[scanners.semgrep]\nenabled = false\n"),
        ("ledger", "[ledger]\nrequired = false\n"),
        ("line", "line = 'another'\n"),
        ("max_file_bytes", "max_file_bytes = 1\n"),
    ],
)
@pytest.mark.parametrize("trust", ["repository", "operator"])
def test_what_is_locked_nobody_below_sets(lock: str, text: str, trust: config.Trust) -> None:
    organisation = layer(f"locked = ['{lock}']\n", "enforced")
    assert "is locked by the enforced layer" in faults(organisation, layer(text, trust))
    config.resolve([organisation, layer("jobs = 2\n", trust)])


def test_a_lock_on_nothing_is_a_fault_and_not_an_open_door() -> None:
    said = faults(layer("locked = ['exlude']\n", "enforced"))
    assert ("no key `exlude`" in said, "did you mean `exclude`?" in said) == (True, True)


@pytest.mark.parametrize("trust", ["repository", "operator"])
def test_what_counts_for_nothing_is_said_with_its_line(trust: config.Trust) -> None:
    organisation = layer("profile = 'release'\n[ledger]\nrequired = true\n", "enforced")
    resolved = config.resolve([organisation, layer("profile = 'audit'\n[ledger]\nrequired = false\n", trust)])
    assert (resolved.settings.profile, resolved.settings.ledger.required) == ("release", True)
    place = LAYER[trust]
    assert [said.partition(" counts")[0] for said in resolved.overruled] == [
        f"{place}:3: `ledger.required`",
        f"{place}:1: `profile`",
    ]
    assert config.resolve([organisation, layer("profile = 'release'\n", trust)]).overruled == ()


@pytest.mark.parametrize("name", ["/etc", "../up", "a/../b", "a//b", "."])
def test_a_folder_is_one_of_the_tree(name: str) -> None:
    assert "no folder of the tree" in faults(layer(f"[folders.'{name}']\nprofile = 'audit'\n", "repository"))


def test_weaker_says_in_what() -> None:
    strict = Profile(
        lanes=(Lane.SAST, Lane.IAC),
        without_tools=(),
        older_gaps="inconclusive",
        advisories_max_age_s=10,
        reference_engines=("opa",),
    )
    loose = Profile(
        lanes=(Lane.SAST,), without_tools=("checkov",), older_gaps="warn", advisories_max_age_s=11, reference_engines=()
    )
    assert (weaker(strict, strict), weaker(strict, loose)) == ((), ())
    assert weaker(loose, strict) == (
        "it does not ask for iac",
        "it does without checkov",
        "it lets older gaps pass",
        "it believes older advisories",
        "it is not judged again by opa",
    )
