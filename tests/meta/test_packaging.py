"""A wheel built from the sdist, in a fresh environment, finds the same data as the checkout does."""

import json
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
from pathlib import Path
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


def run(*argv: str | Path, cwd: Path) -> str:
    result = subprocess.run(argv, cwd=cwd, capture_output=True, text=True, check=False, timeout=180)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def tracked() -> set[str]:
    listing = ("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    return {name for name in run(*listing, cwd=ROOT).split("\0") if name and (ROOT / name).is_file()}


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the sdist, and the wheel from it, with the build backend that is installed here."""
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, ROOT, cwd=out)
    return out


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
