"""Reports that other tools wrote, in SARIF or in a JSON form of their own, read into one value.

A file's form is recognised by its keys, never by its name:

    SARIF 2.1.0        any tool; what is known of a tool's SARIF is mended (`sarif_quirks`)
    npm audit JSON     `auditReportVersion` and `vulnerabilities`; `error` and `message` are npm's word that it failed
    osv-scanner JSON   `results`, each with a `source` and `packages`
    trivy JSON         `SchemaVersion` and `ArtifactName`
    gitleaks JSON      a list of objects with `RuleID` and `Match`

Anything else is refused as no SARIF. Nothing of these files is a verdict: severities go through the severity table,
suppressions and success are claims, persons named in them are not read, secrets in them are masked (`secrecy`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from io import BytesIO

import msgspec

from secgate import sarif
from secgate.model import RawResult
from secgate.scanners.reports.form import MAX_BYTES, refuse
from secgate.scanners.reports.secrecy import Cleaner

__all__ = ["read_report"]

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_HEAD = 65_536
_SARIF_MARKS = (b'"runs"', b'"$schema"')
"""Where one of these stands in the head of a file it is SARIF or refused as such: large ones are not read twice."""


_FORMS: tuple[tuple[str, frozenset[str]], ...] = (
    ("npm audit", frozenset({"audit_version"})),
    ("npm audit", frozenset({"advisories"})),
    ("npm audit", frozenset({"error", "message"})),
    ("trivy", frozenset({"schema_version", "artifact"})),
    ("osv-scanner", frozenset({"results"})),
)


class _Keys(msgspec.Struct):
    """The keys that tell the forms apart; their values are passed over, not built."""

    version: msgspec.Raw = msgspec.Raw()
    runs: msgspec.Raw = msgspec.Raw()
    results: msgspec.Raw = msgspec.Raw()
    audit_version: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="auditReportVersion")
    advisories: msgspec.Raw = msgspec.Raw()
    error: msgspec.Raw = msgspec.Raw()
    message: msgspec.Raw = msgspec.Raw()
    schema_version: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="SchemaVersion")
    artifact: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="ArtifactName")


def read_report(
    source: bytes | sarif.Readable, *, name: str, files: Sequence[str] = ()
) -> tuple[sarif.ForeignRun, ...]:
    """Give the runs of a report, from its bytes or a stream of them; a stream that begins as SARIF is never held whole.

    `name` is used in messages and, for npm audit, to find the lock file that it means. `files` are the paths that the
    report's lane looks at, () where none are known. Raises UsageError for what is none of the forms, and for a tool's
    own report of an error; OSError as the stream does.
    """
    stream: sarif.Readable = BytesIO(source) if isinstance(source, bytes) else source
    head = _read(stream, _HEAD)
    if not _may_be_another(head.removeprefix(_BYTE_ORDER_MARK)):
        return _sarif(_Joined(head, stream), name)
    data = head + _read(stream, MAX_BYTES + 1 - len(head))
    if len(data) > MAX_BYTES:
        raise refuse(name, "a report", f"larger than {MAX_BYTES} bytes")
    text = data.removeprefix(_BYTE_ORDER_MARK)
    reader = _READERS.get(_form(text))
    if reader is None:
        return _sarif(BytesIO(data), name)
    run = reader(text, name, files)
    cleaner = Cleaner(run)
    return (cleaner.run(msgspec.structs.replace(run, results=tuple(cleaner.results(run.results)))),)


def _sarif(stream: sarif.Readable, name: str) -> tuple[sarif.ForeignRun, ...]:
    from secgate.scanners.reports.sarif_quirks import mended, mender

    def finish(run: sarif.ForeignRun) -> Callable[[Sequence[RawResult]], Iterable[RawResult]]:
        mend, cleaner = mender(run), Cleaner(run)
        return lambda some: cleaner.results([mend(one) for one in some])

    runs = sarif.read(stream, name=name, finish=finish, keeps_claims=False)
    return tuple(Cleaner(run).run(msgspec.structs.replace(run, rules=mended(run.rules, run.tool))) for run in runs)


def _read(stream: sarif.Readable, size: int) -> bytes:
    """Read `size` bytes, less only at the end: a stream may give less than it is asked for."""
    parts: list[bytes] = []
    while size > 0 and (part := stream.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


class _Joined:
    """What was read of a stream, and then the rest of it."""

    def __init__(self, head: bytes, rest: sarif.Readable) -> None:
        self._head, self._rest = BytesIO(head), rest

    def read(self, size: int, /) -> bytes:
        return self._head.read(size) or self._rest.read(size)


def _may_be_another(head: bytes) -> bool:
    """Tell from a file's head whether it may be of another form than SARIF."""
    start = head.lstrip()[:1]
    return start == b"[" or (start == b"{" and not any(mark in head for mark in _SARIF_MARKS))


def _form(data: bytes) -> str:
    """Tell the form by its keys; "" for what must be SARIF, whose reader says where the JSON is broken."""
    if data[:64].lstrip()[:1] == b"[":
        return "gitleaks"
    try:
        keys = msgspec.json.decode(data, type=_Keys)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    there = {name for name in keys.__struct_fields__ if bytes(getattr(keys, name))}
    if there & {"runs", "version"}:
        return ""
    return next((form for form, wanted in _FORMS if there >= wanted), "")


def _gitleaks(data: bytes, name: str, _: Sequence[str]) -> sarif.ForeignRun:
    from secgate.scanners.reports import gitleaks

    return gitleaks.read(data, name=name)


def _npm_audit(data: bytes, name: str, files: Sequence[str]) -> sarif.ForeignRun:
    from secgate.scanners.reports import npm_audit

    return npm_audit.read(data, name=name, files=files)


def _osv_scanner(data: bytes, name: str, _: Sequence[str]) -> sarif.ForeignRun:
    from secgate.scanners.reports import osv_scanner

    return osv_scanner.read(data, name=name)


def _trivy(data: bytes, name: str, _: Sequence[str]) -> sarif.ForeignRun:
    from secgate.scanners.reports import trivy

    return trivy.read(data, name=name)


_READERS: Mapping[str, Callable[[bytes, str, Sequence[str]], sarif.ForeignRun]] = {
    "gitleaks": _gitleaks,
    "npm audit": _npm_audit,
    "osv-scanner": _osv_scanner,
    "trivy": _trivy,
}
"""A form's reader, imported when a file of that form is there."""
