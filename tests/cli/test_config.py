"""`secgate config`: the schema, faults with their lines, and where each value comes from."""

from __future__ import annotations

import json
import tomllib

import jsonschema_rs
import pytest

from secgate import config
from secgate.resources import data_dir
from tests.product import CLEAN, Product, tree
from tests.unit.conftest import Git

FULL = """
version = 1
profile = "release"
exclude = ["a/"]
[ledger]
required = false
[scanners.semgrep]
timeout_s = 12.5
[[sarif]]
file = "x.sarif"
[folders."apps/x"]
exclude = ["b/"]
"""


@pytest.fixture
def schema(product: Product) -> jsonschema_rs.Validator:
    ended = product.cli("config", "schema", at=None)
    assert ended.code == 0
    return jsonschema_rs.validator_for(json.loads(ended.out))


def test_the_schema_takes_what_secgate_takes_and_refuses_what_it_refuses(schema: jsonschema_rs.Validator) -> None:
    assert schema.is_valid(tomllib.loads(FULL))
    for wrong in ("profil = 'x'", "version = 2", "jobs = 900", "[ledger]\nstor = 'x'", "[[sarif]]\nlane = 'sast'"):
        document = tomllib.loads(wrong)
        assert not schema.is_valid(document), wrong
        layer = config.parse_file(wrong.encode(), name="secgate.toml", trust="repository")
        assert layer is not None
        with pytest.raises(config_error()):
            config.resolve([layer])


def config_error() -> type[Exception]:
    from secgate.errors import ConfigError

    return ConfigError


def test_every_key_says_what_it_means() -> None:
    text = json.dumps(config.schema({}))
    assert all(json.dumps(meaning)[1:-1] in text for meaning in config.MEANINGS.values())


def test_check_names_every_fault_with_line_and_suggestion(product: Product, git: Git) -> None:
    git.write({"secgate.toml": 'version = 1\nprofil = "x"\n\n[ledger]\nstor = 1\n[scanners.semgrp]\ntimeout_s = 1\n'})
    ended = product.cli("config", "check", cwd=git.root, at=None)
    assert (ended.code, ended.out) == (2, "")
    for said in ("secgate.toml:2: unknown key `profil`", "did you mean `profile`?", "secgate.toml:5", "`store`"):
        assert said in ended.err
    git.write({"secgate.toml": "[scanners.semgrp]\ntimeout_s = 1\n"})
    ended = product.cli("config", "check", cwd=git.root, at=None)
    assert (ended.code, "did you mean `semgrep`?" in ended.err) == (2, True)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("[scanners.semgrep.options]\nrule_timeout = 5\n", "did you mean `rule_timeout_s`?"),
        ("[scanners.semgrep.options]\nrule_timeout_s = 0\n", "`scanners.semgrep.options.rule_timeout_s`: Expected"),
        ("[scanners.zizmor.options]\npersona = 'loud'\n", "Invalid enum value 'loud'"),
        ("[scanners.bandit.options]\nlevel = 1\n", "unknown key `scanners.bandit.options.level`"),
    ],
)
def test_an_option_that_its_scanner_does_not_know_is_refused_by_every_command(
    product: Product, git: Git, options: str, said: str
) -> None:
    git.commit({"app.py": CLEAN, "secgate.toml": f"jobs = 1\n{options}"})
    for command in (("config", "check"), ("config", "show"), ("run", "--quiet")):
        ended = product.cli(*command, cwd=git.root, at=None)
        assert (ended.code, "secgate.toml:3: " in ended.err, said in ended.err) == (2, True, True), ended.err


def test_the_schema_knows_the_options_of_each_scanner(schema: jsonschema_rs.Validator) -> None:
    assert schema.is_valid({"scanners": {"semgrep": {"options": {"rule_timeout_s": 5}}}})
    assert schema.is_valid({"scanners": {"theirs": {"options": {"a": 1}}}})
    assert not schema.is_valid({"scanners": {"semgrep": {"options": {"rule_timeout": 5}}}})


def test_check_reads_what_lies_there_as_what_it_is_called(product: Product, git: Git) -> None:
    assert "shipped defaults count" in product.cli("config", "check", cwd=git.root, at=None).out
    git.write({"apps/x/app.py": CLEAN})
    git.write(
        {"secgate.toml": FULL, "pyproject.toml": "[tool.secgate]\nversion = 1\n", "enforced.toml": "mode = 'observe'"}
    )
    ended = product.cli("config", "check", cwd=git.root, at=None)
    assert ended.code == 0
    assert ended.out.splitlines() == [
        "secgate.toml: 7 settings, no fault",
        "pyproject.toml: [tool.secgate] counts for nothing beside secgate.toml",
    ]
    assert product.cli("config", "check", "enforced.toml", cwd=git.root, at=None).code == 0
    git.write({"secgate.toml": "mode = 'observe'\n"})
    ended = product.cli("config", "check", cwd=git.root, at=None)
    assert (ended.code, "the enforced layer only" in ended.err) == (2, True)
    assert product.cli("config", "check", "nowhere.toml", cwd=git.root, at=None).code == 2


def test_check_knows_profiles_those_of_the_organisation_too(product: Product, git: Git) -> None:
    git.write({"secgate.toml": 'profile = "relaese"\n[folders."shop"]\nprofile = "mine"\n'})
    ended = product.cli("config", "check", cwd=git.root, at=None)
    assert ended.code == 2
    assert "there is no profile `relaese`: `profile`\n      try: did you mean `release`?" in ended.err
    assert "there is no profile `mine`: `folders.shop.profile`" in ended.err
    profiles = json.loads((data_dir("policies") / "data" / "profiles.json").read_bytes())
    profiles["profiles"]["named"]["mine"] = profiles["profiles"]["named"]["release"]
    enforced = tree(product.home / "organisation", {"data/profiles.json": json.dumps(profiles)})
    git.write({"secgate.toml": 'profile = "mine"\n'})
    assert product.cli("config", "check", "--enforced", str(enforced), cwd=git.root, at=None).code == 0


def test_check_and_run_tell_all_faults_at_once(product: Product, git: Git) -> None:
    text = (
        'profil = "x"\nprofile = "relaese"\n[scanners.semgrp]\nenabled = false\n[folders.nowhere]\nprofile = "mine"\n'
    )
    git.commit({"app.py": CLEAN, "secgate.toml": text})
    told = ["unknown key `profil`", "no scanner `semgrp`", "no profile `relaese`", "no profile `mine`"]
    for command, more in ((("config", "check"), ["no folder `nowhere`"]), (("run",), [])):
        ended = product.cli(*command, cwd=git.root, at=None)
        assert ended.code == 2
        assert f"secgate: {len(told + more)} faults in the configuration" in ended.err
        assert [one for one in told + more if one not in ended.err] == []


def test_check_finds_what_every_run_would_refuse_or_pass_over(product: Product, git: Git) -> None:
    git.write({"apps/pay/a.py": CLEAN, ".rego/a.txt": ""})
    for text, line, said, remedy in (
        ('[folders."apps/pya"]\nprofile = "release"\n', 1, "there is no folder `apps/pya`", "did you mean `apps/pay`?"),
        ('[folders."x/y"]\nprofile = "release"\n', 1, "there is no folder `x/y`", "name one that is there"),
        ('version = 1\npolicies = [".rego"]\n', 2, "there is no policy in `.rego`", "add one, or remove it"),
        ('[scanners.semgrep]\nkinds = ["pithon"]\n', 2, "there is no kind `pithon`", "did you mean `python`?"),
        ('[[sarif]]\nfile = "x"\nlane = "sastt"\n', 3, "`sarif.0.lane`", "did you mean `sast`?"),
        ('[ledger]\nstore = "redis"\n', 2, "`ledger.store`", "one of: auto, git, none, sqlite"),
        ('version = 1\nprofile = "release "\n', 2, "there is no profile `release `", "did you mean `release`?"),
    ):
        git.write({"secgate.toml": text})
        ended = product.cli("config", "check", cwd=git.root, at=None)
        place, _, told = next(one for one in ended.err.splitlines() if said in one).strip().partition(": ")
        assert (ended.code, place, told.startswith(said)) == (2, f"secgate.toml:{line}", True)
        assert f"try: {remedy}" in ended.err
    git.write({"secgate.toml": '[folders."apps/pay/"]\nprofile = "release"\n'})
    assert product.cli("config", "check", cwd=git.root, at=None).code == 0


def test_threat_14_check_looks_at_nothing_outside_the_tree(product: Product, git: Git) -> None:
    outside = git.root.parent / "outside"
    (outside / "apps").mkdir(parents=True)
    (outside / "a.rego").write_text("package secgate.rules.a\n")
    git.write({"a.py": CLEAN})
    (git.root / "link").symlink_to(outside)
    for text, said in (
        ('policies = ["../outside"]\n', "`policies` leads out of the tree: ../outside"),
        (f'policies = ["{outside}"]\n', f"`policies` leads out of the tree: {outside}"),
        ('[folders."../outside/app"]\nprofile = "release"\n', "`folders.../outside/app` is no folder of the tree"),
    ):
        git.write({"secgate.toml": text})
        ended = product.cli("config", "check", cwd=git.root, at=None)
        assert (ended.code, said in ended.err) == (2, True)
        assert "1 fault in the configuration" in ended.err
    git.write({"secgate.toml": '[folders."link/app"]\nprofile = "release"\n'})
    ended = product.cli("config", "check", cwd=git.root, at=None)
    assert "apps" not in ended.err


def test_a_kind_that_is_not_there_is_told_with_its_line_by_a_run(product: Product, git: Git) -> None:
    git.commit({"app.py": CLEAN, "secgate.toml": '[scanners.semgrep]\nkinds = ["pithon"]\n'})
    ended = product.cli("run", "--quiet", cwd=git.root)
    assert (ended.code, "secgate.toml:2: there is no kind `pithon`" in ended.err) == (2, True)


def test_a_run_of_the_whole_tree_says_of_a_folder_that_nothing_is_in_it(product: Product, git: Git) -> None:
    git.commit({"apps/pay/app.py": CLEAN, "secgate.toml": '[folders."apps/pya"]\nprofile = "release"\n'})
    said = "no file lies in the folder apps/pya, for which the settings name the profile release"
    ended = product.cli("run", "--quiet", cwd=git.root)
    assert said in " ".join(ended.out.split())
    ended = product.cli("run", "--quiet", "apps/pay", cwd=git.root)
    assert "no file lies in the folder" not in ended.out


def test_check_knows_what_the_organisation_locks(product: Product, git: Git) -> None:
    enforced = tree(product.home / "organisation", {"enforced.toml": "locked = ['exclude']\njobs = 3\n"})
    git.write({"secgate.toml": "exclude = ['a/']\n"})
    ended = product.cli("config", "check", "--enforced", str(enforced), cwd=git.root, at=None)
    assert (ended.code, "`exclude` is locked by the enforced layer" in ended.err) == (2, True)
    git.write({"secgate.toml": "jobs = 4\n"})
    ended = product.cli("config", "check", "--enforced", str(enforced), cwd=git.root, at=None)
    assert (ended.code, "`jobs` counts for nothing" in ended.out) == (0, True)


def test_show_says_where_each_value_comes_from_strongest_first(product: Product, git: Git) -> None:
    enforced = tree(product.home / "organisation", {"enforced.toml": "max_file_bytes = 5\n"})
    settings = "max_file_bytes = 9\njobs = 8\nprofile = 'audit'\noffline = false\nexclude = ['a/']\n"
    git.commit({"app.py": CLEAN, "secgate.toml": settings})
    git.write({"secgate.toml": "jobs = 1\n"})
    ended = product.cli(
        *("config", "show", "--profile", "release", "--enforced", str(enforced), "--format", "json"),
        cwd=git.root,
        at=None,
        SECGATE_JOBS="7",
        SECGATE_LEDGER_REPOSITORY="https://user:hidden@git.example.org/l.git",
    )
    assert ended.code == 0, ended
    shown = {one["key"]: (one["value"], one["source"]) for one in json.loads(ended.out)["settings"]}
    assert shown["max_file_bytes"] == (5, "enforced.toml")
    assert shown["profile"] == ("release", "command line")
    assert shown["jobs"] == (7, "environment (SECGATE_JOBS)")
    assert shown["exclude"] == (["a/"], "secgate.toml")
    assert shown["ledger.store"] == ("auto", "default")
    assert shown["ledger.repository"][0] == "https://...@git.example.org/l.git"
    assert any("`max_file_bytes` counts for nothing" in note for note in json.loads(ended.out)["notes"])


def test_show_is_text_that_can_be_read(product: Product, git: Git) -> None:
    git.commit({"apps/x y/app.py": CLEAN, "secgate.toml": '[folders."apps/x y"]\nprofile = "release"\n'})
    ended = product.cli("config", "show", cwd=git.root, at=None)
    assert 'folders."apps/x y".profile = "release"                      secgate.toml' in ended.out.splitlines()
    assert ended.err == "secgate: the folder apps/x y is held to the profile release as well\n"
