"""What settings leave out of a target, once it is known whose settings count."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from secgate.discover.gate import gate_changes
from secgate.model import LeftOut, Target
from secgate.patterns import PathPattern, first_fit


def narrowed(target: Target, *, excludes: Sequence[PathPattern], gate_paths: Sequence[PathPattern]) -> Target:
    """Give `target` without the files that a stated exclusion names; each is then named in `left_out` with its pattern.

    `gate_paths` are further patterns of files that judge a change: what the change edits among them is reported.
    """
    kept, out = [], []
    for file in target.files:
        pattern = first_fit(excludes, file.path)
        if pattern is None:
            kept.append(file)
        else:
            out.append(LeftOut(path=file.path, reason="excluded", detail=pattern.shown))
    touched = (*(target.changed or ()), *target.deleted)
    changed = None if target.changed is None else tuple(p for p in target.changed if first_fit(excludes, p) is None)
    return msgspec.structs.replace(
        target,
        files=tuple(kept),
        changed=changed,
        left_out=tuple(sorted((*target.left_out, *out), key=lambda one: (one.path, one.reason))),
        gate_changes=tuple(sorted({*target.gate_changes, *gate_changes(touched, gate_paths)})),
    )
