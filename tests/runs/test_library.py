"""`from secgate import run_gate`: the same gate in a program of one's own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from secgate import run_gate
from secgate.errors import ConfigError, SecgateError, TargetError, UsageError
from secgate.model import Decision, Outcome
from tests.product import CLEAN, NOW, WEAK, Product, tree


def test_it_gives_the_decision_and_prints_nothing(
    product: Product, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    decision = run_gate(str(tree(tmp_path / "weak", {"app.py": WEAK})), now=NOW, env=product.env)
    assert isinstance(decision, Decision)
    assert (decision.outcome, decision.exit_code) == (Outcome.FAIL, 1)
    assert decision.evaluated_epoch_s == int(NOW.timestamp())
    assert capfd.readouterr() == ("", "")


def test_it_is_deterministic(product: Product, tmp_path: Path) -> None:
    root = str(tree(tmp_path / "weak", {"app.py": WEAK, "more.py": WEAK}))
    first, second = (run_gate(root, now=NOW, env={**product.env, "SECGATE_LEDGER_STORE": "none"}) for _ in range(2))
    assert first == second


def test_errors_are_raised_and_know_their_exit_code(product: Product) -> None:
    with pytest.raises(TargetError) as caught:
        run_gate("/nowhere", now=NOW, env=product.env)
    assert (isinstance(caught.value, SecgateError), caught.value.exit_code) == (True, 2)


@pytest.mark.parametrize("now", [NOW.replace(tzinfo=None), NOW.astimezone(timezone(timedelta(hours=1)))])
def test_only_aware_utc_is_a_time(product: Product, tmp_path: Path, now: datetime) -> None:
    with pytest.raises(UsageError, match="aware UTC"):
        run_gate(str(tree(tmp_path / "clean", {"app.py": CLEAN})), now=now, env=product.env)


def test_a_wrong_option_is_a_usage_error(product: Product, tmp_path: Path) -> None:
    root = str(tree(tmp_path / "clean", {"app.py": CLEAN}))
    with pytest.raises(UsageError, match="scanners"):
        run_gate(root, now=NOW, env=product.env, scanners="semgrep")
    with pytest.raises(ConfigError, match="scope"):
        run_gate(root, now=NOW, env=product.env, scope="everything")


def test_it_reads_the_environment_it_is_given_and_no_other(product: Product, tmp_path: Path) -> None:
    root = str(tree(tmp_path / "clean", {"app.py": CLEAN}))
    assert run_gate(root, now=NOW, env={**product.env, "SECGATE_PROFILE": "audit"}).profile == "audit"
    with pytest.raises(ConfigError, match="state"):
        run_gate(root, now=NOW, env={})


def test_it_runs_in_a_thread_without_signals(product: Product, tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    roots = [str(tree(tmp_path / f"tree-{number}", {"app.py": WEAK})) for number in range(3)]
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda root: run_gate(root, now=datetime.now(tz=UTC), env=product.env), roots))
    assert [decision.outcome for decision in found] == [Outcome.FAIL] * 3
