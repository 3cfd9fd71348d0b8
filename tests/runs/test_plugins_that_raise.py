"""Whole runs with plug-ins of others that raise: told by their name, and never as a fault of secgate."""

from __future__ import annotations

import os
from pathlib import Path

from tests.product import CLEAN, Product, tree

BOOM = """class Engine:
    name = version = "boom"

    def evaluate(self, modules, *, data, document, query, limit_s):
        raise KeyError("severity")


class Reporter:
    name, suffix = "boom", "txt"

    def render(self, document, *, width, colour):
        raise SystemExit(0)
"""


def test_a_run_with_them_ends_as_it_must(product: Product, tmp_path: Path) -> None:
    points = "[secgate.engines]\nboom = of_others:Engine\n\n[secgate.reporters]\nboom = of_others:Reporter\n"
    info = {"METADATA": "Metadata-Version: 2.1\nName: boom\nVersion: 1\n", "entry_points.txt": points}
    files = {f"boom-1.dist-info/{name}": text for name, text in info.items()}
    tree(tmp_path / "site", {"of_others.py": BOOM, **files})
    found = f"{tmp_path / 'site'}{os.pathsep}{Path(__file__).parents[2]}"
    place = tree(tmp_path / "plain", {"app.py": CLEAN})
    ended = product.cli("run", str(place), "--format", "boom", PYTHONPATH=found)
    assert (ended.code, "`boom` (of_others) cannot render the run: SystemExit: 0" in ended.err) == (2, True)
    ended = product.cli("run", str(place), PYTHONPATH=found, SECGATE_ENGINE="boom")
    assert (ended.code, "`boom` (of_others) cannot decide: KeyError: 'severity'" in ended.err) == (4, True)
