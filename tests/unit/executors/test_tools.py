"""Where tools are found: order of places, versions without starting anything, honest failures."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from secgate.errors import UsageError
from secgate.executors.tools import LocalTools
from secgate.model import Limits, Output
from secgate.ports import ToolSpec

SPEC = ToolSpec(name="lint", executable="lint", package="lint-er", tested=">=1,<2")


class Recorder:
    """ProcessRunner that records what is started and answers with a version, or fails."""

    def __init__(self, exit_code: int = 0) -> None:
        self.started: list[tuple[str, ...]] = []
        self.exit_code = exit_code

    def run(
        self,
        argv: Sequence[str],
        *,
        cwd: str,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        limits: Limits | None = None,
        network: bool = False,
    ) -> Output:
        """Record and answer."""
        del cwd, stdin, env, limits, network
        self.started.append(tuple(argv))
        return Output(exit_code=self.exit_code, stdout=b"lint 3.1.4 (x)", stderr=b"no such package")


def environment(root: Path, version: str) -> Path:
    site = root / "lib" / "python3.11" / "site-packages" / f"lint_er-{version}.dist-info"
    site.mkdir(parents=True)
    (site / "METADATA").write_text(f"Metadata-Version: 2.1\nName: Lint_er\nVersion: {version}\n")
    program = root / "bin" / "lint"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho {version}\n")
    program.chmod(0o755)
    return program


def installer(folder: Path) -> Path:
    """Put an installer there that nothing starts: the runner only records."""
    program = folder / "bin" / "uv"
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return program


def tools(tmp_path: Path, runner: Recorder, configured: Mapping[str, str] | None = None) -> LocalTools:
    (tmp_path / "locks").mkdir(exist_ok=True)
    return LocalTools(
        runner=runner,
        prefix=str(tmp_path / "own"),
        interpreter=sys.executable,
        tools_root=str(tmp_path / "tools"),
        locks=str(tmp_path / "locks"),
        path=str(tmp_path / "path" / "bin"),
        configured=configured or {},
    )


def test_nowhere_is_none(tmp_path: Path) -> None:
    assert tools(tmp_path, Recorder()).locate(SPEC) is None


def test_order_is_configured_then_tools_then_own_then_path(tmp_path: Path) -> None:
    runner = Recorder()
    environment(tmp_path / "path", "1.4")
    assert [(t := tools(tmp_path, runner).locate(SPEC)) and t.environment] == ["path"]
    environment(tmp_path / "own", "1.3")
    assert [(t := tools(tmp_path, runner).locate(SPEC)) and t.environment] == ["secgate"]
    environment(tmp_path / "tools" / "lint", "1.2")
    assert [(t := tools(tmp_path, runner).locate(SPEC)) and t.environment] == ["tools"]
    own = environment(tmp_path / "mine", "1.1")
    (tmp_path / "mine" / "pyvenv.cfg").write_text("")
    found = tools(tmp_path, runner, {"lint": str(own)}).locate(SPEC)
    assert found is not None
    assert (found.environment, found.version) == ("configured", "1.1")


def test_a_version_of_a_package_is_read_without_starting_it(tmp_path: Path) -> None:
    runner = Recorder()
    environment(tmp_path / "own", "1.3")
    found = tools(tmp_path, runner).locate(SPEC)
    assert found is not None
    assert (found.version, found.tested, runner.started) == ("1.3", True, [])


def test_a_bare_binary_is_asked_and_an_untested_version_is_said(tmp_path: Path) -> None:
    runner = Recorder()
    program = tmp_path / "path" / "bin" / "lint"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    found = tools(tmp_path, runner).locate(SPEC)
    assert found is not None
    assert (found.version, found.tested, runner.started) == ("3.1.4", False, [(str(program), "--version")])


@pytest.mark.parametrize("path", ["relative/lint", "/no/such/file"])
def test_a_configured_path_that_is_no_file_is_an_error_not_a_fall_back(tmp_path: Path, path: str) -> None:
    environment(tmp_path / "own", "1.3")
    with pytest.raises(UsageError, match="configured path"):
        tools(tmp_path, Recorder(), {"lint": path}).locate(SPEC)


def test_installing_uses_the_locked_list_and_hashes(tmp_path: Path) -> None:
    (tmp_path / "locks").mkdir()
    (tmp_path / "locks" / "lint.txt").write_text("lint-er==1.0 --hash=sha256:00\n")
    (tmp_path / "tools" / ".lint.new").mkdir(parents=True)
    own = installer(tmp_path / "own")

    class Building(Recorder):
        def run(self, argv: Sequence[str], **_: object) -> Output:
            if "venv" in argv:
                environment(Path(argv[-1]), "1.0")
            self.started.append(tuple(argv))
            return Output(exit_code=0, stdout=b"", stderr=b"")

    building = Building()
    maker = tools(tmp_path, building)
    assert maker.install("lint", upgrade=False).startswith("lint")
    assert "--require-hashes" in building.started[1]
    assert {started[0] for started in building.started} == {str(own)}
    assert maker.install("lint", upgrade=False) == "lint is installed already"
    assert len(building.started) == 2


def test_a_failed_installation_leaves_what_was_there(tmp_path: Path) -> None:
    environment(tmp_path / "tools" / "lint", "1.2")
    (tmp_path / "locks").mkdir()
    (tmp_path / "locks" / "lint.txt").write_text("lint-er==1.0 --hash=sha256:00\n")
    installer(tmp_path / "own")
    maker = tools(tmp_path, Recorder(exit_code=1))
    with pytest.raises(UsageError, match="no such package"):
        maker.install("lint", upgrade=True)
    assert (tmp_path / "tools" / "lint" / "bin" / "lint").is_file()
    assert not (tmp_path / "tools" / ".lint.new").exists()


def test_without_an_installer_the_index_is_not_blamed(tmp_path: Path) -> None:
    (tmp_path / "locks").mkdir()
    (tmp_path / "locks" / "lint.txt").write_text("lint-er==1.0 --hash=sha256:00\n")
    runner = Recorder(exit_code=1)
    maker = tools(tmp_path, runner)
    with pytest.raises(UsageError, match=r"^uv, which makes .* nor on PATH") as caught:
        maker.install("lint", upgrade=False)
    assert "pip install uv" in caught.value.remedy
    assert runner.started == []
    elsewhere = installer(tmp_path / "path")
    with pytest.raises(UsageError, match="no such package"):
        maker.install("lint", upgrade=False)
    assert runner.started[0][0] == str(elsewhere)


@pytest.mark.parametrize("name", ["unknown", "../lint", "", "Lint"])
def test_only_listed_names_are_installed_or_removed(tmp_path: Path, name: str) -> None:
    maker = tools(tmp_path, Recorder())
    with pytest.raises(UsageError, match="locked list"):
        maker.install(name, upgrade=False)
    assert maker.remove(name) is False


def test_remove_takes_the_environment_away(tmp_path: Path) -> None:
    environment(tmp_path / "tools" / "lint", "1.2")
    (tmp_path / "tools" / "lint" / "secgate-lock").write_text("x")
    maker = tools(tmp_path, Recorder())
    assert [name for name, _ in maker.installed()] == ["lint"]
    assert maker.remove("lint") is True
    assert maker.installed() == ()
