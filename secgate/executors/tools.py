"""Where tools are found, and environments of their own made for them.

Looked for in this order: the configured path, the tool environments, secgate's own environment, PATH. Versions of
Python packages are
read from their metadata, so that finding a tool starts nothing; only a bare binary on PATH is asked for its version.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from secgate.errors import UsageError
from secgate.model import Limits, Tool
from secgate.ports import ProcessRunner, ToolSpec

ENVIRONMENTS = ("configured", "tools", "secgate", "path")


class LocalTools:
    """ToolLocator over this machine, and the maker of tool environments.

    `prefix` is the environment secgate itself runs in (sys.prefix), `tools_root` the folder of tool environments,
    `locks` the folder of
    the hash-locked lists that ship with secgate, `path` the operator's PATH, `configured` maps a tool's name to a path.
    """

    def __init__(
        self,
        *,
        runner: ProcessRunner,
        prefix: str,
        interpreter: str,
        tools_root: str,
        locks: str,
        path: str,
        configured: Mapping[str, str],
    ) -> None:
        self._runner = runner
        self._prefix = Path(prefix)
        self._interpreter = interpreter
        self._tools = Path(tools_root)
        self._locks = Path(locks)
        self._path = path
        self._configured = dict(configured)

    def locate(self, spec: ToolSpec) -> Tool | None:
        """Give the tool, or None.

        A configured path that is not there is an error, never a silent fall back: UsageError.
        """
        configured = self._configured.get(spec.name)
        if configured:
            found = Path(configured)
            if not found.is_absolute() or not found.is_file():
                raise UsageError(
                    f"the configured path of {spec.name} is not a file: {configured}",
                    remedy="give an absolute path, or remove the setting",
                    place=f"scanners.{spec.name}.path",
                )
            return self._tool(spec, found, "configured", self._site_of(found))
        for environment, root in (("tools", self._tools / spec.name), ("secgate", self._prefix)):
            found = root / "bin" / spec.executable
            if found.is_file():
                return self._tool(spec, found, environment, root)
        on_path = shutil.which(spec.executable, path=self._path)
        return self._tool(spec, Path(on_path), "path", self._site_of(Path(on_path))) if on_path else None

    def install(self, name: str, *, upgrade: bool) -> str:
        """Make the environment of tool `name` from its hash-locked list and give the version installed.

        The environment is built beside its place and moved there when whole, so that a killed install leaves nothing
        half made.
        Raises UsageError for a tool without a list, where there is no uv, and for an installation that fails, with the
        end of what the installer said.
        """
        lock = self._locks / f"{name}.txt"
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", name) or not lock.is_file():
            raise UsageError(f"there is no locked list for `{name}`", remedy=f"one of: {', '.join(self.known())}")
        target, building = self._tools / name, self._tools / f".{name}.new"
        stamp = hashlib.sha256(lock.read_bytes()).hexdigest()
        if not upgrade and (target / "secgate-lock").is_file() and (target / "secgate-lock").read_text() == stamp:
            return f"{name} is installed already"
        shutil.rmtree(building, ignore_errors=True)
        self._tools.mkdir(parents=True, exist_ok=True)
        uv = self._installer()
        python = building / "bin" / "python"
        # Built under the final path's name is not possible while an old one serves; uv's environments are relocatable
        # on request.
        for argv in (
            (uv, "venv", "--quiet", "--no-config", "--relocatable", "--python", self._interpreter, str(building)),
            (
                uv,
                "pip",
                "install",
                "--quiet",
                "--no-config",
                "--python",
                str(python),
                "--require-hashes",
                "-r",
                str(lock),
            ),
        ):
            output = self._runner.run(argv, cwd=str(self._tools), limits=Limits(time_s=1800.0), network=True)
            if output.problem or output.exit_code != 0:
                shutil.rmtree(building, ignore_errors=True)
                said = output.problem or output.stderr.decode("utf-8", "replace").strip()[-600:]
                raise UsageError(
                    f"{name} could not be installed: {said}", remedy="check the package index and try again"
                )
        (building / "secgate-lock").write_text(stamp)
        shutil.rmtree(target, ignore_errors=True)
        building.rename(target)
        version = self._metadata_version(name, target)
        return f"{name} {version} installed"

    def _installer(self) -> str:
        """Give uv of secgate's own environment, else of PATH. Raises UsageError without either."""
        own = self._prefix / "bin" / "uv"
        found = str(own) if own.is_file() else shutil.which("uv", path=self._path)
        if not found:
            raise UsageError(
                f"uv, which makes the environments of tools, is neither at {own} nor on PATH",
                remedy="install secgate anew with what it depends on, or uv alone: pip install uv",
            )
        return found

    def remove(self, name: str) -> bool:
        """Remove the environment of tool `name`; False when there was none."""
        target = self._tools / name
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", name) or not target.is_dir():
            return False
        shutil.rmtree(target)
        return True

    def known(self) -> tuple[str, ...]:
        """Names of the tools that have a locked list."""
        return tuple(sorted(path.stem for path in self._locks.glob("*.txt")))

    def installed(self) -> tuple[tuple[str, str], ...]:
        """(name, version) of each tool environment."""
        if not self._tools.is_dir():
            return ()
        found = (path for path in sorted(self._tools.iterdir()) if (path / "secgate-lock").is_file())
        return tuple((path.name, self._metadata_version(path.name, path)) for path in found)

    def _tool(self, spec: ToolSpec, found: Path, environment: str, site: Path | None) -> Tool:
        version = self._metadata_version(spec.package, site) if spec.package and site is not None else ""
        if not version:
            version = self._asked_version(spec, found)
        interpreter = site / "bin" / "python" if site is not None else None
        return Tool(
            name=spec.name,
            path=str(found),
            version=version,
            digest=_digest(found),
            environment=environment,
            tested=_within(version, spec.tested),
            interpreter=str(interpreter) if interpreter is not None and interpreter.exists() else "",
        )

    def _site_of(self, found: Path) -> Path | None:
        root = found.resolve().parent.parent
        return root if (root / "pyvenv.cfg").is_file() else None

    def _metadata_version(self, package: str, root: Path) -> str:
        found = next(iter(metadata.distributions(name=package, path=_site_packages(root))), None)
        return found.version if found is not None else ""

    def _asked_version(self, spec: ToolSpec, found: Path) -> str:
        output = self._runner.run((str(found), *spec.version_argv), cwd=str(found.parent), limits=Limits(time_s=30.0))
        match = re.search(spec.version_pattern, (output.stdout + output.stderr).decode("utf-8", "replace"))
        return match.group(1) if match else ""


def _site_packages(root: Path) -> list[str]:
    return [str(path) for path in sorted(root.glob("lib/python3*/site-packages"))]


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _within(version: str, tested: str) -> bool:
    if not tested:
        return True
    try:
        return Version(version) in SpecifierSet(tested)
    except InvalidVersion:
        return False
