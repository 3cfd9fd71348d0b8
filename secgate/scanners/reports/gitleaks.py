"""gitleaks 8, its JSON: one object a leak, with the secret itself unless it was told to redact.

- Columns are bytes, and one too many on every line but a file's first: they are not read. The place is found again by
  the text; where the text is redacted, by the line.
- Author, address, date and message of the commit are personal data and no part of a finding: they are not read.
- `Fingerprint` holds commit and line, so it is not read either.
- A leak that a scan of the history found may be gone from the file: its commit is kept, and normalise looks whether the
  text is still there.
- No severity: the severity table gives it.
"""

from __future__ import annotations

import re

import msgspec

from secgate.model import Confidence, Lane, RawResult, Region, Rule
from secgate.sarif import ForeignRun
from secgate.scanners.reports.form import JSON, decode, plain_path, refuse

FORM = "gitleaks JSON"
HARD_CODED = 798
_LOOSE = frozenset(
    {
        *("generic-api-key", "curl-auth-user", "curl-auth-header", "kubernetes-secret-yaml"),
        *("hashicorp-tf-password", "nuget-config-password"),
    }
)
_REDACTED = "REDACTED"
_PARTLY = re.compile(r"\.\.\.$")


class _Leak(msgspec.Struct):
    rule: str = msgspec.field(name="RuleID")
    match: str = msgspec.field(name="Match")
    file: str = msgspec.field(name="File")
    line: int = msgspec.field(name="StartLine")
    last_line: int = msgspec.field(name="EndLine", default=0)
    description: str = msgspec.field(name="Description", default="")
    secret: str = msgspec.field(name="Secret", default="")
    commit: str = msgspec.field(name="Commit", default="")


def read(data: bytes, *, name: str) -> ForeignRun:
    """Read a report's bytes. Raises UsageError for another list, an empty one included: it names no tool."""
    leaks = decode(data, list[_Leak], name=name, called=FORM)
    if not leaks:
        raise refuse(
            name,
            FORM,
            "an empty list says of no tool that it looked",
            remedy="write gitleaks' report with `--report-format sarif`: it names the tool when nothing was found, too",
        )
    described = {leak.rule: leak.description for leak in leaks}
    return ForeignRun(
        tool="gitleaks",
        version=JSON,
        rules=tuple(Rule(id=rule, short=described[rule], cwes=(HARD_CODED,)) for rule in sorted(described)),
        results=tuple(_raw(leak) for leak in leaks),
        claimed_success=None,
    )


def _raw(leak: _Leak) -> RawResult:
    return RawResult(
        rule=leak.rule,
        message=leak.description or f"{leak.rule} in the source",
        path=plain_path(leak.file),
        region=Region(start_line=max(leak.line, 0), end_line=max(leak.last_line, leak.line, 0)),
        confidence=confidence_of(leak.rule),
        cwes=(HARD_CODED,),
        secrets=secrets_of(leak.secret, leak.match),
        commit=leak.commit,
        lane=Lane.SECRETS,
        tool="gitleaks",
    )


def confidence_of(rule: str) -> Confidence:
    """Most patterns fit one kind of credential only; the others fit any text behind a telling name."""
    return Confidence.MEDIUM if rule in _LOOSE else Confidence.HIGH


def secrets_of(*texts: str) -> tuple[str, ...]:
    """Give the secret, and what else the tool quotes around it only where it names no secret; () if redacted."""
    for text in texts:
        if text and _REDACTED not in text and not _PARTLY.search(text):
            return (text,)
    return ()
