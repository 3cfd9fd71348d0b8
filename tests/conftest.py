"""What every test may ask for: golden files, the shared test data, and the network only by name."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import opa_server as opa_server_module

ROOT = Path(__file__).parents[1]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--golden", action="store_true", help="write golden files anew")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "network" in config.option.markexpr:
        return
    for item in items:
        if item.get_closest_marker("network"):
            item.add_marker(pytest.mark.skip(reason="needs the network: ask with -m network"))


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Call bytes by their argument's name: archives that are made anew hold times, and two processes must agree."""
    return argname if isinstance(val, bytes) else None


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[Path, str], None]:
    """Compare a text with a golden file, or write that file under `--golden`."""
    rewrite = request.config.getoption("--golden")

    def compare(path: Path, text: str) -> None:
        if rewrite:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="")
        assert path.is_file(), f"no golden file: run `make golden` and look at {path}"
        assert text == path.read_bytes().decode(), f"{path} differs: `make golden` shows how"

    return compare


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Give the folder of real files to test on, or skip where it is absent."""
    folder = Path(os.environ.get("SECGATE_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no test data at {folder}: set SECGATE_TEST_DATA")
    return folder


@pytest.fixture(scope="session")
def opa_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the address of a real OPA server, or skip where there is no opa on PATH."""
    with opa_server_module.running(tmp_path_factory.mktemp("opa")) as address:
        yield address
