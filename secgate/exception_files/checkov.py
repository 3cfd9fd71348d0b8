"""checkov's `.checkov.baseline`: failed checks by file and resource.

{"failed_checks": [{"file": "/main.tf", "findings": [{"resource": R, "check_ids": [ID, ...]}]}]}. It gives no reasons.
Source: checkov, docs/2.Basics/Suppressing and Skipping Policies, `--create-baseline`.
"""

from __future__ import annotations

import msgspec

from secgate.exception_files.entry import Entry, decode, path_in_tree
from secgate.exception_files.words import name

CALLED = "a checkov baseline"


class _Finding(msgspec.Struct):
    resource: str
    check_ids: list[str]


class _File(msgspec.Struct):
    file: str
    findings: list[_Finding]


class _Baseline(msgspec.Struct):
    failed_checks: list[_File]


def read(data: bytes, *, file: str, under: str) -> tuple[Entry, ...]:
    """Give an entry for each check of each resource. Raises UsageError for another form."""
    baseline = decode(data, _Baseline, file=file, called=CALLED)
    entries = []
    for at, one in enumerate(baseline.failed_checks):
        # checkov writes paths from the folder that it scanned, with a slash in front.
        path, refused = path_in_tree(one.file.lstrip("/"), under=under)
        for inner, finding in enumerate(one.findings):
            for number, check in enumerate(finding.check_ids):
                entries.append(
                    Entry(
                        place=f"$.failed_checks[{at}].findings[{inner}].check_ids[{number}]",
                        shown=f"{name(check)} of {name(finding.resource)} in {path or name(one.file)}",
                        tool="checkov",
                        rule=name(check),
                        resource=name(finding.resource),
                        path=path,
                        refused=refused,
                    )
                )
    return tuple(entries)
