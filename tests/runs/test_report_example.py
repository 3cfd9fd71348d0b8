"""The report that the docs show: a made-up month, the same bytes each time, and right by the oracle."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.product import Product
from tests.quarter import judging, oracle, writing
from tests.quarter.example import ABOUT, example
from tests.quarter.sections import sections
from tests.signing_support import KEYGEN

HERE = Path("/proc/self/cwd")
"""Each process's own folder, under one name: the report names files by their whole path."""
SHOWN = "/srv/audit"
DOCS = Path(__file__).parents[2] / "docs" / "examples" / "report.html"


def test_the_docs_show_a_report(
    product: Product, tmp_path: Path, golden: Callable[[Path, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a program is made of differs with each change of it, and is left out; `make golden` writes the page anew."""
    if not KEYGEN:
        pytest.skip("no ssh-keygen")
    made = example()
    monkeypatch.chdir(tmp_path)
    keys = writing.make_keys(made, tmp_path / "keys")
    written = writing.write(made, HERE, machine=product.machine(), keys=keys)
    Path("about.toml").write_text(ABOUT)
    argv = ["report", "soc2", "--from", "2026-09-01", "--to", "2026-10-01", "--about", "about.toml", "--path", "tree"]
    argv += ["--generated-at", "2026-10-20T08:00:00Z", "--seed", "given by the auditor", "--sample", "3"]
    argv += ["--enforced", "organisation", "--format", "html", "--format", "json", "-o", "report"]
    argv += [word for one in written.ledgers for word in ("--ledger", one)]
    argv += [word for one in written.checkpoints for word in ("--checkpoint", one)]
    ended = product.cli(*argv, cwd=tmp_path, at=writing.later(made))
    assert ended.code == 0, ended
    data = Path("report/report.json").read_bytes()
    assert judging.differences(judging.of_report(data), oracle.expected(made), written.names) == []
    assert judging.section_differences(data, sections(made), written.names) == []
    page = Path("report/report.html").read_text(encoding="utf-8")
    assert str(tmp_path) not in page
    program = json.loads(data)["cover"]["generator_digest"]
    golden(DOCS, page.replace(str(HERE), SHOWN).replace(program, "0" * len(program)))
