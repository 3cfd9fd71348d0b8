"""`secgate report` as its users call it."""

from __future__ import annotations

import hashlib
import signal
import time
from pathlib import Path

import pytest

from tests.evidence_support import Made
from tests.product import Ended, Product
from tests.report_support import month

PERIOD = ("--from", "2026-01-01", "--to", "2026-01-29", "--generated-at", "2026-02-01T06:00:00Z")


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return month(tmp_path)


def call(product: Product, made: Made, *more: str, output: str = "out") -> Ended:
    return product.cli("report", "soc2", *PERIOD, "--ledger", str(made.path), *more, "-o", output)


def below(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_is_written_with_digests_of_all_that_is_in_it(product: Product, made: Made) -> None:
    ended = call(product, made)
    assert (ended.code, ended.err) == (0, ""), ended
    assert ended.out.startswith("Evidence for SOC 2, Trust Services Criteria, draft ")
    found = below(product.home / "out")
    sums = dict(line.split("  ")[::-1] for line in found.pop("SHA256SUMS").decode().splitlines())
    assert sums == {name: hashlib.sha256(data).hexdigest() for name, data in found.items()}
    assert "report.json" in found


def test_the_same_call_gives_the_same_bytes(product: Product, made: Made) -> None:
    for output in ("one", "two"):
        assert call(product, made, output=output).code == 0
    assert below(product.home / "one") == below(product.home / "two")


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        (("--to", "2026-02-02"), 2, "--to: the period is not over"),
        (("--to", "2025-02-02"), 2, "--to: the period ends before it begins"),
        (("--generated-at", "2999-01-01"), 2, "--generated-at: that moment lies ahead"),
        (("--generated-at", "now"), 2, "--generated-at: `now` is no time"),
        (("--format", "docx"), 2, "--format: unknown format `docx`"),
        (("--ledger", "absent.sqlite"), 5, "there is no ledger"),
        (("--ledger", "empty"), 5, "empty"),
        (("--checkpoint", "absent.json"), 5, "there is no checkpoint"),
        (("--seed", "a\tb"), 2, "--seed: a seed is"),
        (("--sample", "0"), 2, "--sample: of 1 to"),
        (("--about", "absent.toml"), 2, "absent.toml: it cannot be read"),
        (("-o", "full"), 2, "-o: full is there already"),
        (("-o", "full/x"), 2, "-o: full/x is there already"),
        (("-o", "nowhere/out"), 2, "-o: cannot make nowhere/out"),
        (("-o", "link"), 2, "-o: link is there already"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_written(
    product: Product, made: Made, more: tuple[str, ...], code: int, said: str
) -> None:
    (product.home / "full").mkdir()
    (product.home / "full" / "x").touch()
    (product.home / "empty").touch()
    (product.home / "link").symlink_to("elsewhere")
    before = sorted(product.home.iterdir())
    ended = product.cli("report", "soc2", *PERIOD, "--ledger", str(made.path), "-o", "out", *more)
    assert (ended.code, ended.out) == (code, ""), ended
    assert said in ended.err
    assert sorted(product.home.iterdir()) == before


def test_a_framework_that_nobody_knows_is_refused(product: Product, made: Made) -> None:
    ended = product.cli("report", "soc3", *PERIOD, "--ledger", str(made.path), "-o", "out")
    assert ended.code == 2
    assert "one of: " in ended.err


def test_a_ledger_that_was_changed_gives_no_report(product: Product, made: Made) -> None:
    data = made.path.read_bytes()
    at = data.rindex(b'"outcome":"pass"')
    made.path.write_bytes(data[:at] + b'"outcome":"fail"' + data[at + 16 :])
    ended = call(product, made)
    assert (ended.code, ended.out) == (5, ""), ended
    assert not (product.home / "out").exists()


def test_a_folder_that_is_empty_is_filled(product: Product, made: Made) -> None:
    (product.home / "out").mkdir()
    assert call(product, made).code == 0
    assert (product.home / "out" / "report.json").is_file()


@pytest.mark.parametrize("delay", [0.0, 0.4, 0.9])
def test_whoever_ends_it_finds_all_or_nothing(product: Product, made: Made, delay: float) -> None:
    process = product.start("report", "soc2", *PERIOD, "--ledger", str(made.path), "-o", "out")
    time.sleep(delay)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert process.returncode in (0, 143, -signal.SIGTERM), (out, err)
    is_there = (product.home / "out").exists()
    # The signal may come when all is written and the process has not ended yet.
    assert is_there or process.returncode != 0
    if is_there:
        assert {"SHA256SUMS", "report.html"} <= set(below(product.home / "out"))
    assert not list(product.home.glob(".out*"))
