"""The workflow of a release: who may sign what (threat rule 10), and its shell steps run with faked files."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from secgate.attest import PREDICATE_TYPE

ROOT = Path(__file__).parents[2]
RELEASE = yaml.safe_load((ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8"))
BUILD, SIGN = (RELEASE["jobs"][name] for name in ("build", "sign"))
WHEEL, SDIST = "secgate-0.2.0-py3-none-any.whl", "secgate-0.2.0.tar.gz"


def step(job: Mapping[str, Any], name: str) -> dict[str, Any]:
    (found,) = [one for one in job["steps"] if one.get("name") == name]
    return dict(found)


def run(one: Mapping[str, Any], folder: Path, **env: str) -> tuple[int, str]:
    """Run a step as GitHub's runner does where no shell is named."""
    done = subprocess.run(
        ["bash", "-e", "-c", one["run"]],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), **env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=120,
    )
    return done.returncode, done.stdout


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


# ------------------------------------------------------------------------------------------------------- who may sign


def test_threat_10_what_signs_runs_nothing_of_the_repository() -> None:
    used = [one["uses"].partition("@")[0] for one in SIGN["steps"] if "uses" in one]
    assert sorted(set(used)) == ["actions/attest", "actions/download-artifact", "actions/upload-artifact"]
    scripts = [one["run"] for one in SIGN["steps"] if "run" in one]
    assert not any("${{" in script for script in [*scripts, *(one.get("run", "") for one in BUILD["steps"])])
    assert "id-token" not in BUILD["permissions"]


def test_threat_10_only_a_protected_tag_is_signed() -> None:
    # `on` is read as true. Source: YAML 1.1, which PyYAML speaks.
    assert RELEASE[True] == {"push": {"tags": ["v*"]}}
    assert (SIGN["needs"], SIGN["environment"]) == ("build", "release")
    first, *_ = BUILD["steps"]
    assert run(first, ROOT, PROTECTED="true") == (0, "")
    for told in ("false", ""):
        code, said = run(first, ROOT, PROTECTED=told)
        assert (code, said.startswith("::error title=release::")) == (1, True)


def test_everything_that_was_built_is_signed_three_times() -> None:
    built, listed, judged = (one["with"] for one in SIGN["steps"] if one.get("uses", "").startswith("actions/attest@"))
    assert built == {"subject-checksums": "dist/SHA256SUMS"}
    assert listed == {"subject-path": "dist/*.whl", "sbom-path": "evidence/secgate.cdx.json"}
    assert judged == {**built, "predicate-type": PREDICATE_TYPE, "predicate-path": "gate-run.json"}


def test_what_anybody_may_fetch_names_no_finding() -> None:
    """Threat rule 12: the artefacts of a public repository's workflow are public."""
    kept = [one["with"]["path"] for one in BUILD["steps"] if one.get("uses", "").startswith("actions/upload-artifact@")]
    assert kept == ["out/evidence/secgate.cdx.json\nout/evidence/secgate.statement.json\n", "dist"]


# ----------------------------------------------------------------------------------------------- the build, step by ste


def test_the_handbook_names_what_the_organisation_excludes() -> None:
    own = tomllib.loads((ROOT / "secgate.toml").read_text())["exclude"]
    (block,) = re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / "releasing.md").read_text(), re.DOTALL)
    assert tomllib.loads(block)["exclude"] == own


def program(folder: Path, name: str, text: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


def test_a_tag_that_names_another_version_ends_the_release(tmp_path: Path) -> None:
    program(tmp_path, ".venv/bin/secgate", "echo secgate 0.2.0")
    names = step(BUILD, "The tag names the version")
    assert run(names, tmp_path, TAG="v0.2.0") == (0, "")
    assert run(names, tmp_path, TAG="v0.2.1")[0] == 1
    assert run(names, tmp_path, TAG="v0.2.0; true")[0] == 1


def test_two_builds_that_differ_end_the_release(tmp_path: Path) -> None:
    twice = step(BUILD, "Two builds give the same bytes")
    make = 'd=dist; for a; do case "$a" in DIST=*) d="${a#DIST=}";; esac; done; mkdir -p "$d"; '
    program(tmp_path, "bin/make", make + 'echo built > "$d/secgate.whl"')
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    assert run(twice, tmp_path, PATH=path) == (0, "")
    program(tmp_path, "bin/make", make + 'echo "$d" > "$d/secgate.whl"')
    code, said = run(twice, tmp_path, PATH=path)
    assert (code, "diff -r dist" in said) == (1, True)


@pytest.mark.parametrize(("outcome", "code"), [("pass", 0), ("inconclusive", 0), ("fail", 1)])
def test_a_finding_that_blocks_ends_the_release_and_a_gap_does_not(tmp_path: Path, outcome: str, code: int) -> None:
    said = json.dumps({"outcome": outcome})
    program(tmp_path, "bin/make", f"mkdir -p out/evidence; echo '{said}' > out/evidence/gate.json")
    program(tmp_path, ".venv/bin/python", 'exec python3 "$@"')
    told = step(BUILD, "What the gate says, and what is in it")
    assert run(told, tmp_path, PATH=f"{tmp_path / 'bin'}:{os.environ['PATH']}")[0] == code


# ------------------------------------------------------------------------------------------------------------- signing


class Signing:
    """What the job that signs downloads: what was built, the statement about it, and the bill of materials."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.files = {WHEEL: b"wheel", SDIST: b"sdist"}
        for name in ("dist", "evidence"):
            (home / name).mkdir()
        for name, data in self.files.items():
            (home / "dist" / name).write_bytes(data)
        self.sums = "".join(f"{digest(data)}  {name}\n" for name, data in self.files.items())
        (home / "dist" / "SHA256SUMS").write_text(self.sums)
        self.evidence([digest(one) for one in self.files.values()], [digest(self.files[WHEEL])])

    def evidence(self, judged: list[str], listed: list[str]) -> None:
        subjects = [{"name": "commit", "digest": {"gitCommit": "0" * 40}}]
        subjects += [{"name": "built", "digest": {"sha256": one}} for one in judged]
        statement = {"subject": subjects, "predicate": {"outcome": "pass"}}
        (self.home / "evidence" / "secgate.statement.json").write_text(json.dumps(statement))
        bill = {"metadata": {"component": {"hashes": [{"alg": "SHA-256", "content": one} for one in listed]}}}
        (self.home / "evidence" / "secgate.cdx.json").write_text(json.dumps(bill))

    def check(self) -> tuple[int, str]:
        return run(step(SIGN, "What is signed is what was built, judged and listed"), self.home)


@pytest.fixture
def signing(tmp_path: Path) -> Signing:
    return Signing(tmp_path)


def test_what_is_signed_is_what_was_built_judged_and_listed(signing: Signing) -> None:
    assert signing.check()[0] == 0
    assert json.loads((signing.home / "gate-run.json").read_text()) == {"outcome": "pass"}


@pytest.mark.parametrize("what", ["changed", "beside", "not judged", "judged too much", "not listed", "another listed"])
def test_threat_10_nothing_else_is_signed(signing: Signing, what: str) -> None:
    wheel, sdist = (digest(signing.files[name]) for name in (WHEEL, SDIST))
    if what == "changed":
        (signing.home / "dist" / WHEEL).write_bytes(b"another")
    elif what == "beside":
        (signing.home / "dist" / "other.whl").write_bytes(b"other")
    elif what == "not judged":
        signing.evidence([wheel], [wheel])
    elif what == "judged too much":
        signing.evidence([wheel, sdist, digest(b"other")], [wheel])
    elif what == "not listed":
        signing.evidence([wheel, sdist], [])
    else:
        signing.evidence([wheel, sdist], [digest(b"other")])
    code, said = signing.check()
    assert (code, bool(said)) == (1, True)
    assert not (signing.home / "gate-run.json").exists()


def test_each_signature_is_kept_and_none_may_be_missing(tmp_path: Path) -> None:
    keep = step(SIGN, "Keep the signatures beside what they are of")
    bundles = [tmp_path / f"made {number}.json" for number in range(3)]
    for number, bundle in enumerate(bundles):
        bundle.write_text(str(number))
    listing = tmp_path / "created_attestation_paths.txt"
    for count, code in ((3, 0), (2, 1)):
        listing.write_text("".join(f"{one}\n" for one in bundles[:count]))
        folder = tmp_path / str(count)
        folder.mkdir()
        assert run(keep, folder, RUNNER_TEMP=str(tmp_path))[0] == code
    kept = sorted((tmp_path / "3" / "signatures").iterdir())
    assert [(one.name, one.read_text()) for one in kept] == [(f"{n + 1}.sigstore.json", str(n)) for n in range(3)]
