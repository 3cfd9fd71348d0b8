"""What is released: the same bytes wherever it is built, and a wheel that works in a fresh environment."""

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ["policies", "rules", "reports"]
ASK = """
import json, secgate
from secgate.resources import data_dir, folder_digest
print(json.dumps({
    "version": secgate.__version__,
    "where": {f: str(data_dir(f)) for f in ("policies", "rules", "reports")},
    "digest": {f: folder_digest(data_dir(f)) for f in ("policies", "rules", "reports")},
}))
"""


def run(*argv: str | Path, cwd: Path, env: Mapping[str, str] | None = None, code: int = 0, umask: int = -1) -> str:
    result = subprocess.run(
        argv, cwd=cwd, capture_output=True, text=True, check=False, timeout=180, env=env, umask=umask
    )
    assert result.returncode == code, result.stdout + result.stderr
    return result.stdout


def tracked() -> set[str]:
    listing = ("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    return {name for name in run(*listing, cwd=ROOT).split("\0") if name and (ROOT / name).is_file()}


EPOCH = 1_767_225_600


def build(tree: Path, out: Path, *, umask: int = -1, **environment: str) -> Path:
    """Build the sdist, and the wheel from it, with the build backend that is installed here, as `make dist` does."""
    env = os.environ | {"SOURCE_DATE_EPOCH": str(EPOCH)} | environment
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, tree, cwd=out, env=env, umask=umask)
    return out


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT, tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def installed(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an environment of its own with the wheel in it, and the dependencies of this one behind it."""
    home = tmp_path_factory.mktemp("installed")
    venv.create(home, with_pip=False, symlinks=True)
    python = home / "bin" / "python"
    (wheel,) = dist.glob("*.whl")
    uv = Path(sys.executable).with_name("uv")
    run(uv, "pip", "install", "--offline", "--no-deps", "--python", python, wheel, cwd=home)
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=home).strip())
    # A path file in a folder that is on the path only by another one is not read: no editable secgate here.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return home


def test_wheel_finds_the_same_data(installed: Path) -> None:
    wheel = json.loads(run(installed / "bin" / "python", "-I", "-c", ASK, cwd=installed))
    checkout = json.loads(run(sys.executable, "-I", "-c", ASK, cwd=installed))
    assert wheel["digest"] == checkout["digest"]
    assert checkout["where"] == {folder: str(ROOT / folder) for folder in FOLDERS}
    for folder, where in wheel["where"].items():
        assert Path(where).is_relative_to(installed)
        assert where.endswith(f"secgate/_data/{folder}")


def test_version_is_said_once(installed: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert (
        json.loads(run(installed / "bin" / "python", "-I", "-c", ASK, cwd=installed))["version"] == project["version"]
    )


def test_sdist_is_complete(dist: Path) -> None:
    (sdist,) = dist.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        held = {member.name.partition("/")[2] for member in archive.getmembers() if member.isfile()}
    assert {name for name in tracked() - held if not name.startswith((".github/", ".ci/"))} == set()


def test_wheel_holds_the_package_and_its_data_alone(dist: Path) -> None:
    (wheel,) = dist.glob("*.whl")
    names = {n for n in ZipFile(wheel).namelist() if not n.endswith("/") and ".dist-info/" not in n}
    shipped = {f"secgate/_data/{name}" for name in tracked() if name.split("/")[0] in FOLDERS}
    assert names == shipped | {name for name in tracked() if name.startswith("secgate/")}


def test_another_machine_builds_the_same_bytes(dist: Path, tmp_path: Path) -> None:
    """Another folder, another owner's habits with modes, another day, place and order of hashes."""
    tree, out = tmp_path / "elsewhere", tmp_path / "out"
    out.mkdir()
    for name in sorted(tracked(), reverse=True):
        copy = tree / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, copy)
        copy.chmod(0o700 if os.access(ROOT / name, os.X_OK) else 0o600)
    build(tree, out, umask=0o077, TZ="Pacific/Auckland", LC_ALL="C", PYTHONHASHSEED="7")
    assert [one.name for one in sorted(dist.iterdir())] == [one.name for one in sorted(out.iterdir())]
    assert {one.name: digest(one) for one in dist.iterdir()} == {one.name: digest(one) for one in out.iterdir()}
    (wheel,) = out.glob("*.whl")
    assert {one.date_time for one in ZipFile(wheel).infolist()} == {datetime.fromtimestamp(EPOCH, UTC).timetuple()[:6]}


def test_what_is_built_is_dated_by_its_commit() -> None:
    told = run("make", "--dry-run", "--always-make", "dist", cwd=ROOT)
    assert 'SOURCE_DATE_EPOCH="$(git log -1 --format=%ct)"' in told


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


# ------------------------------------------------------------------------------- in a fresh environment of each Python


def interpreter(version: str) -> Path:
    """Give the Python of a version that is on PATH or among pyenv's; skip where there is none."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    named = shutil.which(f"python{version}")
    for one in (*([Path(named)] if named else []), *sorted(pyenv.glob(f"versions/{version}.*/bin/python{version}"))):
        said = subprocess.run(
            [one, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
        )
        if (said.returncode, said.stdout.strip()) == (0, version):
            return one
    pytest.skip(f"no Python {version} on PATH or among pyenv's")


class Fresh:
    """An environment with the wheel and what its lock names, each by its hash; it sees nothing of the checkout."""

    def __init__(self, python: Path, dist: Path, home: Path) -> None:
        (self.wheel,) = dist.glob("*.whl")
        self.home = home
        uv = Path(sys.executable).with_name("uv")
        run(uv, "venv", "--no-python-downloads", "--no-project", "--python", python, home / "env", cwd=home)
        own = home / "secgate.txt"
        own.write_text(f"secgate @ {self.wheel.as_uri()} --hash=sha256:{digest(self.wheel)}\n", encoding="utf-8")
        locks = ("--require-hashes", "--requirement", own, "--requirement", ROOT / "requirements" / "run.txt")
        run(uv, "pip", "install", "--python", home / "env" / "bin" / "python", *locks, cwd=home)

    def secgate(self, *words: str | Path, cwd: Path, code: int = 0) -> str:
        """Run the command as a new user's shell does, and give what it wrote to stdout."""
        env = {"HOME": str(self.home), "PATH": os.defpath, "LANG": "C.UTF-8"}
        return run(self.home / "env" / "bin" / "secgate", *words, cwd=cwd, env=env, code=code)


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_the_wheel_gates_on_each_python(version: str, dist: Path, tmp_path: Path) -> None:
    fresh = Fresh(interpreter(version), dist, tmp_path)
    tree = tmp_path / "tree"
    tree.mkdir()
    assert fresh.secgate("--version", cwd=tree) == f"secgate {dist_version(fresh.wheel)}\n"
    (tree / "app.py").write_text("import subprocess\nimport sys\n\nsubprocess.run(sys.argv[1], shell=True)\n")
    told = json.loads(fresh.secgate("run", "--quiet", "--offline", "--format", "json", cwd=tree, code=1))
    assert told["outcome"] == "fail"
    ended = {one["scanner"]: one["status"] for one in told["run"]["invocations"]}
    assert ended == dict.fromkeys(("bandit", "semgrep", "detect-secrets", "kingfisher"), "completed")
    assert {one["location"]["path"] for one in told["run"]["findings"]} == {"app.py"}


def dist_version(wheel: Path) -> str:
    return wheel.name.split("-")[1]


class Release:
    """A small repository, an organisation that has a release key, and `make evidence` with the wheel's own program."""

    def __init__(self, fresh: Fresh, dist: Path, home: Path) -> None:
        self.fresh, self.dist = fresh, dist
        self.tree, self.layer, self.evidence = home / "tree", home / "organisation", home / "evidence"
        self.key = home / "release"
        self.tree.mkdir()
        self.layer.mkdir()
        (self.layer / "enforced.toml").write_text('version = 1\nadvisories = { source = "local" }\n', encoding="utf-8")
        fresh.secgate("keys", "create", "machine:release", "--out", self.key, "--enforced", self.layer, cwd=home)
        run("git", "init", "--quiet", cwd=self.tree)

    def commit(self, **files: str) -> None:
        for name, text in files.items():
            (self.tree / name).write_text(text, encoding="utf-8")
        author = ("-c", "user.name=A", "-c", "user.email=a@example.org")
        for words in (["add", "."], [*author, "commit", "--quiet", "--message", "one"]):
            run("git", *words, cwd=self.tree)

    def make(self, *, code: int) -> str:
        signed = (f"ENFORCED={self.layer}", f"KEY={self.key}")
        folders = (f"BIN={self.fresh.home}/env/bin", f"DIST={self.dist}", f"EVIDENCE={self.evidence}")
        env = {"HOME": str(self.fresh.home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8", "SECGATE_OFFLINE": "1"}
        words = ("make", "--file", ROOT / "Makefile", "evidence", "ARGS=--quiet", *folders, *signed)
        return run(*words, cwd=self.tree, env=env, code=code)

    def verify(self, *about: str | Path, code: int) -> str:
        attested = self.evidence / "secgate.intoto.json"
        return self.fresh.secgate(
            "attest", "verify", attested, *about, "--enforced", self.layer, cwd=self.evidence, code=code
        )


def test_a_release_is_attested_as_it_was_judged(dist: Path, tmp_path: Path) -> None:
    """`make evidence` on a small scale: a pass, and a commit of whose packages nobody can tell here."""
    if not shutil.which("ssh-keygen"):
        pytest.skip("no ssh-keygen")
    release = Release(Fresh(Path(sys.executable), dist, tmp_path), dist, tmp_path)
    release.commit(**{"version.py": '__version__ = "1"\n'})
    assert "\nPASS: " in release.make(code=0)
    (wheel,), (sdist,) = dist.glob("*.whl"), dist.glob("*.tar.gz")
    both = ("--artifact", wheel, "--artifact", sdist)
    assert release.verify(*both, "--profile", "release", code=0).startswith("PASS: ")
    release.verify("--artifact", sdist, "--profile", "audit", code=1)
    release.verify("--artifact", ROOT / "Makefile", code=1)
    bom = json.loads((release.evidence / "secgate.cdx.json").read_text())
    assert bom["metadata"]["component"]["hashes"] == [{"alg": "SHA-256", "content": digest(wheel)}]
    bound = [one["value"] for one in bom["metadata"]["properties"] if one["name"] == "secgate:artifact:bound-by"]
    assert bound == ["attestation"]

    release.commit(**{"requirements.txt": "demo==1.0\n"})
    told = release.make(code=2)  # make's own word for any command that did not end with 0
    assert "\nCOULD NOT TELL: " in told
    assert json.loads((release.evidence / "gate.json").read_text())["outcome"] == "inconclusive"
    release.verify(*both, code=3)
    release.verify(*both, "--require", "valid", code=0)
    (lane,) = [one for one in predicate(release.evidence)["lanes"] if one["lane"] == "dependencies"]
    assert (lane["offered"], lane["covered"]) == (1, 0)


def test_without_a_key_nothing_is_attested_and_that_is_said(dist: Path, tmp_path: Path) -> None:
    told = run("make", "--dry-run", "evidence", f"DIST={dist}", f"EVIDENCE={tmp_path}", cwd=ROOT)
    assert "attest bind" not in told
    assert "attest verify" not in told
    assert "no attestation" in told
    assert told.count("/secgate attest statement ") == 1
    assert told.count("/secgate run --profile release") == told.count("/secgate sbom --run ") == 1
    run("make", "evidence", f"DIST={tmp_path}", f"EVIDENCE={tmp_path}/evidence", cwd=ROOT, code=2)
    assert list(tmp_path.iterdir()) == []


def predicate(evidence: Path) -> dict[str, Any]:
    envelope = json.loads((evidence / "secgate.intoto.json").read_text())
    told: dict[str, Any] = json.loads(base64.b64decode(envelope["payload"]))["predicate"]
    return told
