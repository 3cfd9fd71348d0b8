"""Make page.png, the picture in the README, of the page that `make gate` has written: `make picture`.

Light, 1,100 pixels wide, its upper part; a palette of 64 colours keeps it small. Letters look as the machine's fonts.
"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

from PIL import Image

from tests.chromium import BrowserSession, Tab

HERE = Path(__file__).resolve().parent
PAGE = HERE.parents[1] / "out" / "example" / "run.html"
WIDTH, HEIGHT, MAX_BYTES = 1100, 1750, 200_000


def main() -> None:
    """Write the picture. Raises ValueError where it is too large for a README."""
    with tempfile.TemporaryDirectory() as folder:
        browser = BrowserSession(Path(folder))
        with Tab(browser, PAGE.read_bytes(), width=WIDTH, height=HEIGHT) as tab:
            taken = tab.picture()
        browser.close()
    target = HERE / "page.png"
    Image.open(io.BytesIO(taken)).convert("RGB").quantize(64).save(target, optimize=True)
    if target.stat().st_size > MAX_BYTES:
        raise ValueError(f"{target} has {target.stat().st_size:,} bytes, more than {MAX_BYTES:,}")


if __name__ == "__main__":
    main()
