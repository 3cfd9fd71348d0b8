"""Settings: layers, provenance, and every fault at once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secgate import config
from secgate.config.machine import VARIABLES
from secgate.errors import ConfigError


def layer(text: str, trust: config.Trust = "repository", name: str = "secgate.toml") -> config.Layer:
    parsed = config.parse_file(text.encode(), name=name, trust=trust)
    assert parsed is not None
    return parsed


def faults_of(*layers: config.Layer) -> dict[str, str]:
    with pytest.raises(ConfigError) as caught:
        config.resolve(layers)
    return {place: what for place, what, _ in caught.value.faults}


def test_every_fault_is_reported_with_its_line() -> None:
    found = faults_of(layer('version = 1\nprofil = "x"\njobs = -3\n[ledger]\nstore = "foo"\n'))
    assert set(found) == {"secgate.toml:2", "secgate.toml:3", "secgate.toml:5"}


def test_what_is_sound_of_a_layer_counts_beside_its_faults() -> None:
    text = 'profil = "x"\nprofile = "release"\njobs = -3\n[scanners]\nbandit = 3\nsemgrep = {enabled = false, x = 1}\n'
    looked = config.look_over([layer(text + '[[sarif]]\nfile = "a"\n[[sarif]]\nlane = "sast"\n')])
    assert len(looked.faults) == 5
    assert looked.resolved.settings.profile == "release"
    assert looked.resolved.settings.jobs == 0
    assert looked.resolved.settings.scanners == {"semgrep": config.ScannerSettings(enabled=False)}
    assert [one.file for one in looked.resolved.settings.sarif] == ["a"]


_WORDS = sorted({part for key in config.known_keys() for part in key.split(".")} | {"bandit", "a/b"})
_VALUES = st.recursive(
    st.sampled_from([None, True, 0, 1, "", "auto", "release"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(_WORDS), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.lists(
        st.tuples(
            st.dictionaries(st.sampled_from(_WORDS), _VALUES, max_size=4),
            st.sampled_from(["enforced", "operator", "repository"]),
        ),
        max_size=2,
    )
)
def test_nonsense_of_any_form_is_a_fault_and_what_is_left_is_settings(
    given_layers: list[tuple[dict[str, object], config.Trust]],
) -> None:
    layers = [config.Layer(name=f"{n}", values=values, trust=trust) for n, (values, trust) in enumerate(given_layers)]
    looked = config.look_over(layers)
    again = config.look_over(looked.layers)
    assert again.resolved == looked.resolved
    assert len(again.faults) <= len(looked.faults)


@pytest.mark.parametrize("name", ["secgate.toml", "pyproject.toml"])
def test_a_byte_order_mark_is_no_part_of_the_first_key(name: str) -> None:
    head = "" if name == "secgate.toml" else "[tool.secgate]\n"
    given_bytes = f"\ufeff{head}profile = 'release'\nprofil = 1\n".encode()
    parsed = config.parse_file(given_bytes, name=name, trust="repository")
    assert parsed is not None
    looked = config.look_over([parsed])
    assert looked.resolved.settings.profile == "release"
    assert [place.rpartition(":")[2] for place, _, _ in looked.faults] == ["2" if not head else "3"]


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ('exclude = "tests/"', 'write a list: ["tests/"]'),
        ('exclude = """a\\"b"""', 'write a list: ["a\\"b"]'),
        (f'exclude = "{"x" * 81}"', "give a value of that form"),
        ("exclude = 3", "give a value of that form"),
        ('offline = "no"', "write true or false"),
        ('[ledger]\nstore = "sqlight"', "did you mean `sqlite`?"),
    ],
)
def test_a_value_of_another_form_is_told_how_it_is_written(text: str, remedy: str) -> None:
    assert [one for _, _, one in config.look_over([layer(text, "operator")]).faults] == [remedy]


def test_a_misspelt_key_is_named_with_what_was_meant() -> None:
    with pytest.raises(ConfigError) as caught:
        config.resolve([layer("[scanners.bandit]\ntimeoutt_s = 3\n")])
    assert caught.value.faults[0][2] == "did you mean `timeout_s`?"


def test_lines_in_lists_of_tables_are_those_of_the_right_table() -> None:
    text = '[[sarif]]\nfile = "a"\n[[sarif]]\nfile = 3\n'
    assert list(faults_of(layer(text))) == ["secgate.toml:4"]


@pytest.mark.parametrize("text", ['mode = "observe"', 'disabled_rules = ["x"]', '[[sarif]]\nfile = "a"\ncovers = true'])
@pytest.mark.parametrize("trust", ["repository", "operator"])
def test_threat_02_only_the_enforced_layer_weakens_the_gate(text: str, trust: config.Trust) -> None:
    assert any("enforced layer" in what for what in faults_of(layer(text, trust)).values())
    config.resolve([layer(text, "enforced")])


@pytest.mark.parametrize(
    "text",
    [
        'scope = "protected"',
        '[scanners.bandit]\npath = "/x"',
        '[ledger]\npath = "/x"',
        '[ledger]\nrepository = "https://git.example.org/else.git"',
        '[scanners.semgrep.options]\npacks = ["/etc"]',
        '[scanners.kingfisher.options]\nrule_cache = "/root/.ssh"',
        '[scanners.kingfisher.options]\nrule_cache = "../.ssh"',
        '[[sarif]]\nfile = "/etc/passwd"',
    ],
)
def test_threat_02_a_tree_names_neither_programs_nor_its_scope(text: str) -> None:
    assert faults_of(layer(text))
    config.resolve([layer(text, "operator")])


def test_an_older_advisory_database_is_the_enforced_layers_to_allow() -> None:
    text = "[advisories]\nmax_age_days = 30\n"
    assert faults_of(layer(text, "operator"))
    assert config.resolve([layer(text, "enforced")]).settings.advisories.max_age_days == 30


def test_the_strongest_layer_wins_and_is_named() -> None:
    resolved = config.resolve(
        [
            layer('profile = "release"', "enforced", "enforced.toml"),
            config.option_layer({"profile": "audit", "offline": True, "jobs": None}),
            layer('profile = "pre-commit"\njobs = 2'),
        ]
    )
    assert (resolved.settings.profile, resolved.settings.offline, resolved.settings.jobs) == ("release", True, 2)
    assert resolved.sources == {"profile": "enforced.toml", "offline": "command line", "jobs": "secgate.toml"}


def test_exclusions_add_up() -> None:
    resolved = config.resolve([layer('exclude = ["a"]', "enforced", "enforced.toml"), layer('exclude = ["b", "a"]')])
    assert resolved.settings.exclude == ["b", "a"]


def test_the_environment_is_a_layer() -> None:
    env = {"SECGATE_OFFLINE": "yes", "SECGATE_JOBS": "3", "SECGATE_LEDGER_STORE": "git", "SECGATE_PROFILE": ""}
    settings = config.resolve([config.environment_layer(env)]).settings
    assert (settings.offline, settings.jobs, settings.ledger.store, settings.profile) == (
        True,
        3,
        "git",
        "pull-request",
    )


def test_a_number_in_the_environment_that_is_none_is_a_fault() -> None:
    assert "environment" in faults_of(config.environment_layer({"SECGATE_JOBS": "many"}))


def test_pyproject_without_our_table_is_no_layer() -> None:
    assert config.parse_file(b"[tool.other]\nx = 1\n", name="pyproject.toml", trust="repository") is None


def test_pyproject_faults_carry_the_line_of_the_file() -> None:
    text = '[project]\nname = "x"\n\n[tool.secgate]\noffline = "maybe"\n'
    assert list(faults_of(layer(text, name="pyproject.toml"))) == ["pyproject.toml [tool.secgate]:5"]


@pytest.mark.parametrize("data", [b"\xff\xfe", b"a = ", b"[" * 50_000, b"#" * (config.MAX_CONFIG_BYTES + 1)])
def test_what_is_not_toml_is_one_clear_error(data: bytes) -> None:
    with pytest.raises(ConfigError) as caught:
        config.parse_file(data, name="secgate.toml", trust="repository")
    assert caught.value.exit_code == 2
    assert caught.value.place.startswith("secgate.toml")


def test_a_table_where_a_value_belongs_and_the_reverse() -> None:
    found = faults_of(layer('ledger = "sqlite"\n[profile]\nname = "x"\n'))
    assert set(found) == {"secgate.toml:1", "secgate.toml:2"}


@pytest.mark.parametrize(
    ("env", "folder"),
    [
        ({"SECGATE_STATE_DIR": "/a/"}, "/a"),
        ({"XDG_STATE_HOME": "/b", "HOME": "/c"}, "/b/secgate"),
        ({"HOME": "/c", "XDG_STATE_HOME": "relative"}, "/c/.local/state/secgate"),
    ],
)
def test_the_state_folder(env: dict[str, str], folder: str) -> None:
    assert config.state_dir(env) == folder


def test_no_state_folder_is_said() -> None:
    with pytest.raises(ConfigError, match="SECGATE_STATE_DIR"):
        config.state_dir({"HOME": ""})


def test_the_schema_knows_every_key() -> None:
    schema = config.schema({})
    assert set(schema["$defs"]["Settings"]["properties"]) >= {"profile", "exclude", "ledger", "advisories", "scanners"}


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("SECGATE_PROFLE", "SECGATE_PROFILE"),
        ("SECGATE_ENFORCE", "SECGATE_ENFORCED"),
        ("SECGATE_OFF_LINE", "SECGATE_OFFLINE"),
        ("SECGATE_SECRETS_KEY", "SECGATE_SECRET_KEY"),
        ("SECGATE_LEDGER_REQUIRE", "SECGATE_LEDGER_REQUIRED"),
    ],
)
def test_a_misspelt_variable_is_named_with_what_was_meant(wrong: str, meant: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config.this_machine({"HOME": "/home/a", wrong: "x"})
    ((place, what, remedy),) = caught.value.faults
    assert (place, what) == ("environment", f"there is no variable {wrong}")
    assert remedy.startswith(f"did you mean {meant}?")


def test_variables_that_are_somebody_elses_are_left_alone() -> None:
    theirs = ("SECGATE_PACKAGE", "SECGATE_VERSION", "SECGATE_NOTIFY_SECURITY_URL", "SECGATE_TEST_DATA", "SECGATED")
    machine = config.this_machine({"HOME": "/home/a", **dict.fromkeys(theirs, "x")})
    assert set(theirs) <= machine.env.keys()


def test_every_variable_of_the_reference_is_known_and_no_other() -> None:
    reference = (Path(__file__).parents[2] / "docs" / "reference.md").read_text(encoding="utf-8")
    written = set(re.findall(r"^\| `(SECGATE_[A-Z_]+)` \|", reference, flags=re.MULTILINE))
    assert written == set(VARIABLES)
