"""Outputs of jobs, kept within one process: the same job over the same bytes is not run again.

For a server that looks at the same files again and again. Nothing is read from elsewhere or written anywhere, so nobody
but this process can have put an answer in; a run that counts (ADR 15) is given none. An output is kept under everything
that it depends on: the job with its arguments, blobs and limits, the tool with its version and digest, the digests of
rules, and those of the files it was shown. What needs a service or the network depends on more, and is never kept.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence

import msgspec

from secgate.model import Job, Output, Tool, View

MOST_BYTES = 32 * 1024 * 1024
MOST_OUTPUT_BYTES = 2 * 1024 * 1024


class Outputs:
    """Outputs by what they depend on; those not asked for longest go first. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[bytes, Output] = {}
        self._bytes = 0

    def find(self, key: bytes) -> Output | None:
        """Give what the job gave, marked as kept, None for nothing or for a job without a key (b"")."""
        with self._lock:
            output = self._kept.pop(key, None)
            if output is not None:
                self._kept[key] = output
        return output

    def keep(self, key: bytes, output: Output) -> None:
        """Keep what a job gave that came to its end; a large one is not kept."""
        size = _size(output)
        if not key or output.is_kept or size > MOST_OUTPUT_BYTES:
            return
        with self._lock:
            if key in self._kept:
                return
            self._kept[key] = msgspec.structs.replace(output, stderr=b"", duration_s=0.0, is_kept=True)
            self._bytes += size
            while self._bytes > MOST_BYTES:
                self._bytes -= _size(self._kept.pop(next(iter(self._kept))))


def _size(output: Output) -> int:
    return len(output.stdout) + sum(len(data) for data in output.files.values())


def output_key(job: Job, tool: Tool | None, *, view: View, rules_root: str, inputs: Sequence[str]) -> bytes:
    """Give what the output of a job depends on, b"" where that cannot be told.

    `inputs` are digests of what lies neither in the view nor in the job: the rule pack's. A job whose grain is `tree`
    depends on all of the view.
    """
    if job.service or job.network:
        return b""
    paths = job.files if job.grain == "file" else tuple(sorted(view.digests))
    shown = [(path, view.digests.get(path)) for path in paths]
    if any(found is None for _, found in shown):
        return b""
    # Names need not be UTF-8, so no encoder of documents will do.
    told = repr((job, tool, rules_root, tuple(inputs), shown))
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).digest()
