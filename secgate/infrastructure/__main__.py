"""secgate's own infrastructure pass: `python -I -m secgate.infrastructure FILES RULES`, started in the view's root.

FILES is a JSON list of {"path", "kind"}; RULES the folder of Rego. Results go to stdout as one JSON document. Nothing
but the listed files is read of the view, no link is followed, and nothing is written.
"""

from __future__ import annotations

import sys
from pathlib import Path

from secgate.infrastructure.check import run

if __name__ == "__main__":
    sys.stdout.buffer.write(run(Path(sys.argv[1]).read_bytes(), root=".", rules=Path(sys.argv[2])))
