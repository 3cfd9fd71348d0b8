"""Where the key for secrets comes from, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from secgate.config import Machine
from secgate.errors import ConfigError
from secgate.preparation.secrets import KEY_NAME, secret_key

_ONE, _OTHER = bytes(range(32)).hex(), bytes(range(1, 33)).hex()


def _machine(key: str = "") -> Machine:
    return Machine(env={"SECGATE_SECRET_KEY": key}, cwd="/", python="", prefix="", state="/")


def test_none_is_none(tmp_path: Path) -> None:
    assert secret_key(_machine(), enforced="") is None
    assert secret_key(_machine(), enforced=str(tmp_path)) is None


def test_the_enforced_layer_comes_before_the_environment(tmp_path: Path) -> None:
    (tmp_path / KEY_NAME).write_text(f"{_ONE}\n")
    enforced, own = (secret_key(_machine(_OTHER), enforced=place) for place in (str(tmp_path), ""))
    assert enforced is not None
    assert own is not None
    assert enforced.id != own.id


@pytest.mark.parametrize("data", [b"", b"ab", b"\xff" * 64, b"0" * 5000])
def test_a_file_that_is_no_key_is_refused_and_not_passed_over(tmp_path: Path, data: bytes) -> None:
    (tmp_path / KEY_NAME).write_bytes(data)
    with pytest.raises(ConfigError, match="key for secrets"):
        secret_key(_machine(_OTHER), enforced=str(tmp_path))


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text(_ONE)
    (tmp_path / KEY_NAME).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match="key for secrets"):
        secret_key(_machine(), enforced=str(tmp_path))
