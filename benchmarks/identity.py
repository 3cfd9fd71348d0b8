"""CPU time of normalise, fingerprint and correlate on made results: `python benchmarks/identity.py [RESULTS]...`.

The made tree has 200 results a file, two tools on each of 100 places; nine in ten places are in the base too.
"""

from __future__ import annotations

import resource
import sys
import time

from secgate.correlate import correlate, to_known
from secgate.crosswalk import Crosswalk, Weakness
from secgate.model import (
    Invocation,
    Lane,
    RawResult,
    Reading,
    Region,
    ScanStatus,
    Scope,
    Source,
    Target,
    View,
)
from secgate.normalise import normalise

_PLACES = 100


class _Scan:
    def __init__(self, tool: str, results: tuple[RawResult, ...]) -> None:
        self.invocation = Invocation(scanner=tool, lane=Lane.SAST, tool=None, status=ScanStatus.COMPLETED)
        self.readings = (Reading(status=ScanStatus.COMPLETED, results=results),)


def _made(count: int) -> tuple[dict[str, bytes], list[_Scan]]:
    files, found = {}, {"one": [], "two": []}  # type: dict[str, bytes], dict[str, list[RawResult]]
    for number in range(max(count // (2 * _PLACES), 1)):
        path = f"pkg{number % 50}/module{number}.py"
        lines = []
        for at in range(_PLACES):
            lines += [f"def f{at}(x):", f"    y = g(x, {at})", f"    return eval(x + 'a{at}', {{}})  # why", ""]
            region = Region(start_line=at * 4 + 3, start_column=12, end_line=at * 4 + 3, end_column=30)
            for tool, results in found.items():
                message = f"use of eval in f{at} of {path}"
                results.append(RawResult(rule=f"{tool}-eval", message=message, path=path, region=region, cwes=(95,)))
        files[path] = "\n".join(lines).encode()
    return files, [_Scan(tool, tuple(results)) for tool, results in found.items()]


def _measure(count: int) -> None:
    files, scans = _made(count)
    view = View(root="/view", source=Source.WORK_TREE, digests=dict.fromkeys(files, "0" * 64))
    table = Crosswalk(weaknesses={"code-injection": Weakness(title="Code injection", cwes=(95,))}, rules={}, ratings={})
    target = Target(root="/tree", kind="git", repository="made", scope=Scope.CHANGE, scope_basis="made")
    start = time.process_time()
    done = normalise(
        scans,
        view=view,
        read=files.__getitem__,
        kinds=lambda _path: ("python",),
        crosswalk=table,
        scores=lambda _names: None,
    )
    middle = time.process_time()
    first = correlate(
        done.located, target=target, crosswalk=table, base=None, history=None, comparable=lambda _known: True
    )
    end = time.process_time()
    base = [one for at, one in enumerate(to_known(first.findings)) if at % 10]
    again = time.process_time()
    second = correlate(
        done.located, target=target, crosswalk=table, base=base, history=None, comparable=lambda _known: True
    )
    last = time.process_time()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(
        f"{len(done.located):>7} results {len(first.findings):>6} findings  normalise {middle - start:6.2f} s"
        f"  correlate {end - middle:6.2f} s  correlate with base {last - again:6.2f} s"
        f"  new {sum(one.state == 'new' for one in second.findings)}  peak {memory} MB"
    )


if __name__ == "__main__":
    for size in [int(text) for text in sys.argv[1:]] or [1_000, 10_000, 100_000]:
        _measure(size)
