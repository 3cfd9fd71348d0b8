"""Time and peak memory of reading and of checking a made SARIF file, beside `json.load`.

    python benchmarks/reading.py [MB] [SHAPE]...

Each reader runs in a process of its own, in turns; of `secgate check`, which starts others, the largest one counts.
Shapes: `flat` results of about 490 bytes, some twelve of a finding; `flows` of about 2,300 bytes, most of it a code
flow; `distinct` of about 990 bytes, each in a file of its own and so a finding of its own, and all of them blocking.
The results stand before the rules, as several tools write them.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROUNDS = 3
SHAPES = ("flat", "flows", "distinct")
_TOLD = (
    "The value comes from the request and reaches eval, so that whoever sends one has code of his own run by the "
    "server it goes to. "
)
_READERS = {
    "secgate.sarif.read": "from secgate.sarif import read\ncount = len(read(stream, name='made')[0].results)",
    "secgate check": (
        "import subprocess\n"
        "command = [sys.executable, '-m', 'secgate', 'check', sys.argv[1], '--format=text=/dev/null']\n"
        "count = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode"
    ),
    "json.load": "import json\ncount = len(json.load(stream)['runs'][0]['results'])",
}
_PROBE = """
import resource, sys, time
start = time.perf_counter()
with open(sys.argv[1], "rb") as stream:
{body}
both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
processor = sum(one.ru_utime + one.ru_stime for one in both)
print(count, time.perf_counter() - start, processor, max(one.ru_maxrss for one in both) // 1024)
"""


def _result(at: int, shape: str) -> dict[str, Any]:
    path = f"src/pkg{at % 50}/module{at if shape == 'distinct' else at % 4000}.py"
    line = at % 900 + 1
    region = {"startLine": line, "startColumn": 5, "endLine": line, "endColumn": 40}
    place = {
        "artifactLocation": {"uri": path, "uriBaseId": "%SRCROOT%"},
        "region": {**region, "snippet": {"text": f"    value = eval(request.args['k{at}'])"}},
    }
    result: dict[str, Any] = {
        "ruleId": f"rule-{at % 300}",
        "message": {"text": f"use of eval on a value of the request in function f{at} of {path}"},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"primaryLocationLineHash": f"{at * 2654435761 % 2**64:016x}:1"},
    }
    if shape == "distinct":
        result["message"]["text"] += ". " + _TOLD * 4
    if shape == "flows":
        steps = [{"location": {"physicalLocation": place, "message": {"text": f"step {step}"}}} for step in range(6)]
        result["codeFlows"] = [{"threadFlows": [{"locations": steps}]}]
    return result


def _write(file: Path, shape: str, size: int) -> None:
    bag: dict[str, Any] = {"tags": ["external/cwe/cwe-095"]}
    if shape == "distinct":
        bag["security-severity"] = "8.1"
    rules = [{"id": f"rule-{at}", "defaultConfiguration": {"level": "error"}, "properties": bag} for at in range(300)]
    tool = json.dumps({"driver": {"name": "made", "rules": rules}})
    with file.open("w") as stream:
        written = stream.write('{"version": "2.1.0", "runs": [{"results": [')
        at = 0
        while written < size:
            written += stream.write((", " if at else "") + json.dumps(_result(at, shape)))
            at += 1
        stream.write(f'], "tool": {tool}}}]}}')


def _measure(reader: str, file: Path) -> tuple[int, float, float, int]:
    body = "\n".join(f"    {line}" for line in _READERS[reader].splitlines())
    command = [sys.executable, "-c", _PROBE.format(body=body), str(file)]
    count, wall, cpu, peak = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return int(count), float(wall), float(cpu), int(peak)


def main(megabytes: int, shapes: Sequence[str]) -> None:
    """Print, for each shape, the medians of each reader."""
    with tempfile.TemporaryDirectory() as folder:
        for shape in shapes:
            file = Path(folder, f"{shape}.sarif")
            _write(file, shape, megabytes * 1_000_000)
            rounds = [{reader: _measure(reader, file) for reader in _READERS} for _ in range(ROUNDS)]
            file.unlink()
            middle = {
                reader: [statistics.median(one[reader][at] for one in rounds) for at in range(4)] for reader in _READERS
            }
            results = middle["json.load"][0]
            for reader, (count, wall, cpu, peak) in middle.items():
                what = f"{count:>9.0f} results" if count == results else f"     exit {count:.0f}       "
                ratio = wall / middle["json.load"][1]
                print(
                    f"{megabytes} MB {shape:8} {what}  {reader:18}"
                    f"  wall {wall:6.2f} s  processor {cpu:6.2f} s  peak {peak:5.0f} MB  ratio {ratio:.2f}"
                )


if __name__ == "__main__":
    numbers = [int(one) for one in sys.argv[1:] if one.isdigit()]
    main(numbers[0] if numbers else 200, [one for one in sys.argv[1:] if one in SHAPES] or SHAPES)
