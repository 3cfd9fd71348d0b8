"""A stored run as SARIF 2.1.0: one SARIF run per tool and lane, deterministic bytes for an equal run.

Level, kind and severity are always written, since readers fill gaps in different ways. Columns are UTF-16 code units,
addresses are percent-encoded and relative to the repository's root. What a tool did not look at is a notification, and
its run is then not successful. What GitHub would refuse is left out, said in the file and to the caller.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec

from secgate.model import Gap, Invocation, Lane, Outcome, RunDocument, ScanStatus, Source, Verdict
from secgate.sarif import descriptors, notices
from secgate.sarif.limits import GITHUB, Cuts, Item, Limits, Share, Urgency, compressed_bytes, lighten, limit
from secgate.sarif.results import ROOT, ResultWriter, utc

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
INFORMATION_URI = "https://github.com/secgate/secgate"
REDACTED = "[secret]"
"""What stands for a secret, as `masking` writes it. Source: SARIF 2.1.0, 3.14.28."""
OWN = "secgate"
_OWN_LANE = "gate"
_MAX_TOOL_NAME = 100
_NO_VERSION = "0 (not known)"
"""A version must begin with a number for tools that compare."""
_NO_DECISION = (Outcome.POLICY_ERROR, Outcome.LEDGER_ERROR, Outcome.INTERNAL_ERROR, Outcome.USAGE_ERROR)


class Written(NamedTuple):
    """A SARIF file, and in words what of the run is not in it."""

    data: bytes
    left_out: tuple[str, ...]


def _undescribed(weakness: str) -> None:
    del weakness


def write(
    document: RunDocument, *, describe: descriptors.Describe = _undescribed, limits: Limits | None = GITHUB
) -> Written:
    """Give the run as SARIF 2.1.0 bytes, compact, keys sorted, results ordered by place, rule and fingerprint.

    `describe` gives title and remedy of a canonical weakness. With `limits` the most urgent results that the limits
    allow are written, those of a run with more than GitHub shows in the order of urgency; without, all.
    """
    verdicts = {v.id: v for v in document.decision.verdicts if v.subject == "finding"} if document.decision else {}
    shares = _shares(document)
    for share in shares:
        share.items.sort(key=_place)
    lost: list[str] = []
    urgency = Urgency(verdicts)
    gaps, loose = _gaps(document, shares)
    if limits is not None:
        shares, lost = limit(shares, limits, urgency, reserved=bool(loose) or _is_undecided(document))
        gaps, loose = _gaps(document, shares)
    writer = _Writer(document, verdicts, describe)
    written = writer.file(shares, gaps, loose, lost)
    while limits is not None and (size := compressed_bytes(written.data, enough=limits.compressed_bytes)) > (
        limits.compressed_bytes
    ):
        total = sum(len(share.items) for share in shares)
        if total == 0:
            break
        lighten(shares, total * limits.compressed_bytes * 9 // (size * 10), urgency)
        written = writer.file(shares, gaps, loose, lost)
    return written


def _shares(document: RunDocument) -> list[Share]:
    """Give each tool and lane the results it stands for; a result of a tool without an invocation is not lost.

    A tool that was started in several lanes gets each result where its lane is, else where it was started first.
    """
    shares: dict[tuple[str, str], Share] = {}
    homes: dict[tuple[str, str], Share] = {}
    for one in sorted(document.invocations, key=_start):
        share = shares.setdefault((one.lane, one.scanner), Share(one.scanner, one.lane))
        share.invocations.append(one)
        for name in ("", one.lane, *one.lanes):
            homes.setdefault((one.scanner, name), share)
    # A lane of its own comes before one among several.
    homes |= {(share.scanner, share.lane): share for share in shares.values()}
    # By name first: the hash of a lane is slow, and most tools work in one.
    latest: dict[str, tuple[Lane, Share]] = {}
    for finding in document.findings:
        for witness in finding.witnesses:
            lane, home = latest.get(witness.scanner, (None, None))
            if home is None or lane is not witness.lane:
                home = homes.get((witness.scanner, witness.lane)) or homes.get((witness.scanner, ""))
                if home is None:
                    home = Share(witness.scanner, witness.lane, [_unknown(witness.scanner, witness.lane)])
                    homes[witness.scanner, ""] = shares[witness.lane, witness.scanner] = home
                latest[witness.scanner] = witness.lane, home
            home.items.append(Item(finding, witness))
    return [share for _, share in sorted(shares.items())]


def _is_undecided(document: RunDocument) -> bool:
    return document.decision is not None and document.decision.outcome in _NO_DECISION


def _start(one: Invocation) -> tuple[object, ...]:
    return one.lane, one.scanner, one.started_epoch_s, one.status, one.reason, one.duration_s, one.exit_codes, one.argv


def _unknown(scanner: str, lane: Lane) -> Invocation:
    reason = "the run says nothing of how this tool ended"
    return Invocation(scanner=scanner, lane=lane, tool=None, status=ScanStatus.UNREADABLE, reason=reason)


def _place(item: Item) -> tuple[object, ...]:
    finding, witness = item.finding, item.witness
    region = witness.location.region
    return (
        witness.location.path,
        region.start_line,
        region.start_column,
        witness.rule,
        finding.fingerprint,
        region.end_line,
        region.end_column,
        witness.message,
        witness.advisory,
        witness.location.commit,
        witness.score,
        witness.snippet,
    )


def _gaps(document: RunDocument, shares: Sequence[Share]) -> tuple[list[list[Gap]], list[Gap]]:
    """Give the gaps of each share, and those of no tool that has a run here."""
    homes: dict[tuple[str, str], int] = {}
    for at, share in enumerate(shares):
        for name in ("", share.lane, *(lane for one in share.invocations for lane in one.lanes)):
            homes.setdefault((share.scanner, name), at)
    homes |= {(share.scanner, share.lane): at for at, share in enumerate(shares)}
    found: list[list[Gap]] = [[] for _ in shares]
    loose: list[Gap] = []
    for lane in document.coverage.lanes:
        for gap in lane.gaps:
            home = homes.get((gap.tool, lane.lane), homes.get((gap.tool, "")))
            (loose if home is None else found[home]).append(gap)
    return found, loose


class _Writer:
    """Writes runs of one document."""

    def __init__(self, document: RunDocument, verdicts: Mapping[str, Verdict], describe: descriptors.Describe) -> None:
        self._document, self._describe = document, describe
        self._results = ResultWriter(
            verdicts,
            document.excerpts,
            document.line_hashes,
            {one.fingerprint: one for one in document.waivers if one.fingerprint},
        )

    def file(
        self, shares: Sequence[Share], gaps: Sequence[Sequence[Gap]], loose: Sequence[Gap], lost: Sequence[str]
    ) -> Written:
        """Give the whole file; `lost` are the runs that are not among `shares`, in words."""
        told = list(lost)
        runs = []
        for share, own in zip(shares, gaps, strict=True):
            runs.append(self._run(share, own, told))
        said = [(notices.LEFT_OUT, text) for text in lost]
        if _is_undecided(self._document) and self._document.decision:
            said.append((notices.NO_DECISION, f"the gate could not decide: {self._document.decision.outcome}"))
        held = self._document.decision.override if self._document.decision else None
        if held is not None:
            told_so = f"an override is in force until {utc(held.until_epoch_s)} by {held.by}: {held.reason}"
            said.append((notices.OVERRIDDEN, told_so))
        if loose or said or not runs:
            runs.append(self._own_run(loose, said))
        data = msgspec.json.encode({"$schema": SCHEMA, "version": "2.1.0", "runs": runs}, order="sorted")
        return Written(data, tuple(told))

    def _run(self, share: Share, gaps: Sequence[Gap], told: list[str]) -> dict[str, Any]:
        cuts = Cuts()
        rules, cwes = descriptors.rules(share.invocations, share.items, self._describe, cuts)
        index = {rule["id"]: position for position, rule in enumerate(rules)}
        write_one, is_any = self._results.write, any(map(self._results.is_claimed, share.items))
        results = [
            msgspec.Raw(write_one(item, index[item.witness.rule], cuts, is_any_claimed=is_any)) for item in share.items
        ]
        said = [*share.notices, *cuts.notices(share.title)]
        told += said
        versions = sorted({one.tool.version for one in share.invocations if one.tool and one.tool.version})
        run = self._frame(share.scanner, share.lane, ", ".join(versions) or self._version(share.scanner))
        run["invocations"] = notices.invocations(
            share.invocations, gaps, [(notices.LEFT_OUT, text) for text in said], cuts
        )
        run["results"] = results
        self._describe_run(run, rules, cwes)
        return run

    def _own_run(self, gaps: Sequence[Gap], said: Sequence[tuple[str, str]]) -> dict[str, Any]:
        """The gate's own run: what no tool's run can say. It has no results."""
        times = [one.started_epoch_s for one in self._document.invocations]
        started = Invocation(
            scanner=OWN,
            lane=Lane.SAST,
            tool=None,
            status=ScanStatus.COMPLETED,
            started_epoch_s=min(times) if times else self._evaluated(),
        )
        run = self._frame(OWN, _OWN_LANE, self._document.secgate_version)
        run["invocations"] = notices.invocations([started], gaps, said, Cuts())
        run["results"] = []
        self._describe_run(run, [], [])
        return run

    def _version(self, scanner: str) -> str:
        """The version of what was not found as a tool: a pass of our own has ours."""
        return self._document.secgate_version if scanner.startswith(f"{OWN}-") else _NO_VERSION

    def _evaluated(self) -> int:
        return self._document.decision.evaluated_epoch_s if self._document.decision else 0

    def _frame(self, scanner: str, lane: str, version: str) -> dict[str, Any]:
        document = self._document
        own = f"secgate {document.secgate_version}"
        run: dict[str, Any] = {
            # GitHub takes what stands before the last slash for the category, which must be unique in a file.
            "automationDetails": {"id": f"secgate/{lane}/{_segment(scanner)}/"},
            "columnKind": "utf16CodeUnits",
            "originalUriBaseIds": {ROOT: {"description": {"text": "The root of the repository."}}},
            "properties": {"secgateRun": document.run_id, "secgateVersion": document.secgate_version},
            "redactionTokens": [REDACTED],
            "tool": {
                "driver": {
                    "fullName": own if scanner == OWN else f"{scanner[:_MAX_TOOL_NAME]} under {own}",
                    "informationUri": INFORMATION_URI,
                    "name": _tool_name(scanner),
                    "version": version,
                }
            },
        }
        target = document.target
        if target.commit:
            run["versionControlProvenance"] = [
                {
                    "mappedTo": {"uriBaseId": ROOT},
                    "repositoryUri": _repository_uri(target.repository),
                    # What was scanned is the commit's only where nothing was edited since.
                    **({"revisionId": target.commit} if not target.dirty and target.source is not Source.INDEX else {}),
                }
            ]
        return run

    def _describe_run(self, run: dict[str, Any], rules: list[dict[str, Any]], cwes: Sequence[int]) -> None:
        driver = run["tool"]["driver"]
        driver["rules"] = rules
        used = {note["descriptor"]["id"] for one in run["invocations"] for note in one["toolExecutionNotifications"]}
        if used:
            driver["notifications"] = descriptors.notification_kinds(used, notices.WORDS, Cuts())
        if cwes:
            driver["supportedTaxonomies"] = [{"index": 0, "name": "CWE"}]
            run["taxonomies"] = [descriptors.taxonomy(cwes)]


def _tool_name(scanner: str) -> str:
    """Give the name as a list of results shows it: one line, no more than three words."""
    words = scanner[:_MAX_TOOL_NAME].split()
    return (" " if len(words) <= 3 else "-").join(words) or "unnamed"


def _segment(scanner: str) -> str:
    """Give a name as one segment of an id, no two names the same."""
    text = quote(scanner, safe="-._~ ")
    if len(text) <= _MAX_TOOL_NAME:
        return text
    return f"{text[:_MAX_TOOL_NAME]}-{hashlib.sha256(scanner.encode()).hexdigest()[:16]}"


def _repository_uri(repository: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+(:\d{1,5})?/[^\x00-\x20]+", repository):
        return "https://" + quote(repository, safe="/:.-_~")
    if re.fullmatch(r"[A-Za-z0-9._-]+", repository):
        return f"urn:secgate:{repository}"
    return f"urn:secgate:{hashlib.sha256(repository.encode('utf-8', 'replace')).hexdigest()}"
