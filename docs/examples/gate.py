"""Gate a tree from a program. Usage: python gate.py TREE PAGE.html."""

import sys
from datetime import UTC, datetime
from pathlib import Path

from secgate import Outcome, SecgateError, render, run_gate


def main(tree: str, page: str) -> int:
    """Give the exit code; write the page whatever was decided."""
    try:
        result = run_gate(tree, now=datetime.now(UTC))
    except SecgateError as error:
        print(*error.diagnostics(), sep="\n", file=sys.stderr)
        return error.exit_code
    Path(page).write_bytes(render(result, "html").data)
    if result.outcome is Outcome.INCONCLUSIVE:
        for lane in result.document.coverage.lanes:
            for gap in lane.gaps:
                print(f"not looked at: {gap.path or lane.lane.value}: {gap.detail or gap.reason}", file=sys.stderr)
    for finding in result.findings:
        place = finding.location
        print(f"{finding.severity.value:8} {place.path}:{place.region.start_line} {finding.title}")
    return result.exit_code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
