"""secgate's own infrastructure pass: `python -I -m secgate.infrastructure FILES RULES [GATE]`.

It is started in the view's root. FILES is a JSON list of {"path", "kind"}; RULES the folder of Rego. GATE is read to
its end once the rules are loaded, before any file of the view is opened. Results go to stdout as one JSON document.
Nothing but the listed files is read of the view, no link is followed, and nothing is written.
"""

from __future__ import annotations

import sys
from pathlib import Path

from secgate.infrastructure.check import load, run


def _main(listed: str, rules: str, gate: str = "") -> None:
    pack = load(Path(rules))
    if gate:
        Path(gate).read_bytes()
    sys.stdout.buffer.write(run(Path(listed).read_bytes(), root=".", pack=pack))


if __name__ == "__main__":
    _main(*sys.argv[1:])
