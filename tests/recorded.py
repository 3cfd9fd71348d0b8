"""Recorded outputs of scanners, for tests."""

from __future__ import annotations

import json
from pathlib import Path

from secgate.model import Job, Output

FIXTURES = Path(__file__).parent / "fixtures"


def recorded(tool: str, case: str) -> tuple[Job, Output]:
    """Give the job and the output of `fixtures/<tool>/<newest version>/<case>.json`."""
    folder = max((FIXTURES / tool).iterdir(), key=lambda place: [int(part) for part in place.name.split(".")])
    told = json.loads((folder / f"{case}.json").read_text(encoding="utf-8"))
    job = Job(
        scanner=tool,
        name=told["job"],
        argv=tuple(told["given"]),
        files=tuple(told["files"]),
        blobs=dict.fromkeys(told["copies"], b""),
    )
    return job, Output(exit_code=told["exit_code"], stdout=told["stdout"].encode(), stderr=told["stderr"].encode())
