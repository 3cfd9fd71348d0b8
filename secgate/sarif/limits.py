"""What GitHub code scanning takes of a SARIF file, and which results stay where a run has more.

Past a limit a whole upload is refused, so the writer cuts, the least urgent first, and says what it left out.
Source: "About code scanning limits on SARIF results" in GitHub's documentation, 2026.
"""

from __future__ import annotations

import heapq
import zlib
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from secgate.escape import cut
from secgate.model import Finding, Invocation, Result, ScanStatus, Value, Verdict, Word

MAX_TEXT = 1_000
"""Longest text: GitHub shows 1,000 characters of a message and takes 1,024 of a description."""
MAX_NAME = 255
"""Longest name of a rule."""
MAX_TAGS = 10
"""Tags of a rule that are shown; with more than 20 a file is refused."""
MAX_NOTICES = 1_000
"""Notifications of a run. Nobody limits them; a lane of 100,000 files that failed as a whole needs no list."""

_URGENCY = {
    Word.DENY: 0,
    Word.INCONCLUSIVE: 1,
    Word.WARN: 2,
    Word.ALLOW: 3,
    Word.WAIVED: 4,
    Word.EXEMPT: 5,
}


class Limits(Value, frozen=True, kw_only=True):
    """How much a file may hold. A result has one location, so the limit of 1,000 is never met."""

    runs: int = 20
    results_per_run: int = 25_000
    shown_per_run: int = 5_000
    """Of more, GitHub keeps the most severe; such a run is written in the order of urgency."""
    compressed_bytes: int = 10_000_000


GITHUB = Limits()


class Item(Struct, frozen=True, gc=False):
    """One result to be written, with the finding that it is a witness of."""

    finding: Finding
    witness: Result


class Share:
    """One run to be: a tool in a lane, how it was started, and what it found."""

    def __init__(self, scanner: str, lane: str, invocations: Iterable[Invocation] = ()) -> None:
        self.scanner, self.lane = scanner, lane
        self.invocations = list(invocations)
        self.items: list[Item] = []
        self.notices: list[str] = []
        """What was left out, in words, for the run's notifications and for the person."""

    @property
    def title(self) -> str:
        """The tool and its lane, as notes name them."""
        return f"{self.scanner} ({self.lane})"


Order = tuple[int, float, bool, str, int, int, str, str, str]


class Urgency:
    """The order in which results are given up, last first: denied, then severe, then touched by the change."""

    def __init__(self, verdicts: Mapping[str, Verdict]) -> None:
        self._verdicts = verdicts

    def __call__(self, item: Item) -> Order:
        """Give a key that sorts the most urgent first and depends on nothing but the result."""
        finding, witness = item.finding, item.witness
        verdict = self._verdicts.get(finding.fingerprint)
        region = witness.location.region
        return (
            _URGENCY[verdict.word] if verdict is not None else _URGENCY[Word.WARN],
            -witness.score,
            not finding.touched,
            witness.location.path,
            region.start_line,
            region.start_column,
            witness.rule,
            finding.fingerprint,
            witness.message,
        )


def limit(
    shares: Sequence[Share], limits: Limits, urgency: Urgency, *, reserved: bool
) -> tuple[list[Share], list[str]]:
    """Keep as many runs and results as are taken, the most urgent; give the runs and, in words, which were left out.

    The shares' items are changed; each says in its notices what it lost. With `reserved` there will be one run more;
    where runs are left out there is one as well, which says it.
    """
    for share in shares:
        total = len(share.items)
        if total > limits.results_per_run:
            share.items = heapq.nsmallest(limits.results_per_run, share.items, key=urgency)
            share.notices.append(
                f"{share.title}: {_left_out(total - limits.results_per_run, total)}, "
                f"since GitHub refuses a run of more than {limits.results_per_run}"
            )
        if total > limits.shown_per_run:
            share.items.sort(key=urgency)
            share.notices.append(
                f"{share.title}: of {len(share.items)} results, which stand in the order of urgency, GitHub shows "
                f"{limits.shown_per_run}"
            )
    if len(shares) + reserved <= limits.runs:
        return list(shares), []
    kept = sorted(shares, key=lambda share: (*_weight(share, urgency), share.scanner, share.lane))[: limits.runs - 1]
    lost = [share for share in shares if share not in kept]
    return [share for share in shares if share in kept], [
        f"{share.title}: the whole run is left out (results: {len(share.items)}), since GitHub refuses a file of "
        f"more than {limits.runs} runs"
        for share in lost
    ]


def _left_out(count: int, total: int) -> str:
    if count == 1:
        return f"the least urgent of {total} results is left out"
    return f"the {count} least urgent of {total} results are left out"


def _weight(share: Share, urgency: Urgency) -> tuple[bool, int, float]:
    """Runs with results first, by their most urgent one; then those of tools that did not complete."""
    if not share.items:
        return True, all(one.status is ScanStatus.COMPLETED for one in share.invocations), 0.0
    word, score, *_ = min(map(urgency, share.items))
    return False, word, score


def lighten(shares: Sequence[Share], keep: int, urgency: Urgency) -> None:
    """Keep the `keep` most urgent results of all runs together; each run that loses some says so."""
    ranked = heapq.nsmallest(keep, ((urgency(item), at) for at, share in enumerate(shares) for item in share.items))
    borders: list[Order | None] = [None for _ in shares]
    for key, at in ranked:
        borders[at] = key
    for share, border in zip(shares, borders, strict=True):
        total = len(share.items)
        share.items = [item for item in share.items if border is not None and urgency(item) <= border]
        if len(share.items) < total:
            share.notices.append(
                f"{share.title}: {_left_out(total - len(share.items), total)}, since "
                "GitHub refuses a file of more than 10 MB compressed"
            )


def compressed_bytes(data: bytes, *, enough: int) -> int:
    """Give how large `data` is as gzip; the fastest compression is believed where it comes to `enough` or less."""
    if len(data) <= enough:
        return len(data)
    quick = len(zlib.compress(data, 1))
    return quick if quick <= enough else len(zlib.compress(data, 6))


class Cuts:
    """Shortens texts and counts how many, so that the run can say it."""

    def __init__(self) -> None:
        self.texts = 0
        self.tags = 0

    def clip(self, text: str, longest: int = MAX_TEXT) -> str:
        """Give `text`, cut with an ellipsis where it is longer than `longest` characters."""
        if len(text) <= longest:
            return text
        self.texts += 1
        return cut(text, longest)

    def notices(self, title: str) -> list[str]:
        """Say what was cut."""
        told = []
        if self.texts:
            told.append(f"{title}: {self.texts} texts are cut to the {MAX_TEXT} characters that GitHub shows")
        if self.tags:
            told.append(f"{title}: {self.tags} tags of rules beyond the {MAX_TAGS} that GitHub shows are left out")
        return told
