"""The program of an export works out the same deadlines as a report, over a quarter drawn from a seed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.product import Product
from tests.quarter import drawing, writing
from tests.quarter.plan import Plan
from tests.quarter.writing import Written
from tests.runs.kept_ledger import standalone
from tests.signing_support import KEYGEN

COUNTS = {name: name for name in ("due", "met", "excepted", "missed", "dismissed")} | {"overdue": "overdue_open"}


def standalone_figures(made: Plan, written: Written, product: Product) -> dict[str, dict[str, int]]:
    """Export every ledger, and add up what each export's program says of the period, by severity."""
    first, last = (datetime.fromtimestamp(at, tz=UTC).date().isoformat() for at in (made.start, made.end))
    signers = str(Path(written.enforced, "allowed_signers"))
    counts: dict[str, dict[str, int]] = {}
    for number, ledger in enumerate(written.ledgers):
        folder, told = product.home / f"export-{number}", product.home / f"figures-{number}.json"
        place = "--path", written.tree, "--enforced", written.enforced
        export = "ledger", "export", "-o", str(folder), "--no-blobs"
        assert product.cli(*export, *place, at=writing.later(made), SECGATE_LEDGER_PATH=ledger).code == 0
        ended = standalone(folder, "--from", first, "--to", last, "--signers", signers, "--json", str(told))
        # Somebody whose key counts for nobody signed some of what was planted: that is found, and counts for nothing.
        assert (ended.code, "by nobody who counts for it" in ended.out) == (1, True), ended
        for severity, row in json.loads(told.read_text())["severities"].items():
            line = counts.setdefault(severity, dict.fromkeys(COUNTS, 0))
            for name in COUNTS:
                line[name] += row[name]
    return {severity: line for severity, line in counts.items() if any(line.values())}


@pytest.mark.parametrize("seed", [0, 3])
def test_an_export_counts_as_the_report_does(product: Product, tmp_path: Path, seed: int) -> None:
    if not KEYGEN:
        pytest.skip("no ssh-keygen")
    made = drawing.draw(seed, repositories=3, runs=120, ledgers=2)
    keys = writing.make_keys(made, tmp_path / "keys")
    written = writing.write(made, tmp_path / "made", machine=product.machine(), keys=keys)
    argv = "report", "soc2", "--generated-at", writing.later(made).isoformat(), "--format", "json", "-o", "report"
    ended = product.cli(*argv, *writing.arguments(made, written), cwd=tmp_path, at=writing.later(made))
    assert ended.code == 0, ended
    rows = json.loads((tmp_path / "report" / "report.json").read_bytes())["sla"]["rows"]
    told = {row["severity"]: {name: row[field] for name, field in COUNTS.items()} for row in rows}
    del told["all"]
    assert standalone_figures(made, written, product) == told
    assert min(sum(row[name] for row in told.values()) for name in COUNTS) > 0
