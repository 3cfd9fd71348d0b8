"""What came of an attestation that was checked, for people at 80 columns, or as JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Literal

import msgspec

from secgate.attest import GateRun, State, Statement, What
from secgate.custody.attested import Answer
from secgate.escape import json_text, log_line, log_text, plain
from secgate.model import Signed, Value

_WORDS = {0: "PASS", 1: "FAIL", 3: "COULD NOT TELL"}
_MARKS = {"same": "yes", "other": "no", "unknown": "could not tell"}
_COLUMN = 12
_LISTED = 5
_LONGEST_NAME = 60


class MatchTold(Value, frozen=True, kw_only=True):
    """What was held against the statement, whether it is about that, and how it was told."""

    what: What
    state: State
    how: str


class AnswerTold(Value, frozen=True, kw_only=True):
    """An attestation that was checked: who signed it, what it says, and what it was held against."""

    exit_code: Literal[0, 1, 3]
    required: Literal["pass", "valid"]
    signed_by: Signed
    matches: tuple[MatchTold, ...]
    statement: Statement


def answer_page(answer: Answer, *, file: str, width: int) -> bytes:
    """Give a page: the conclusion first, then what it was held against, then what the run said."""
    valid = answer.require == "valid" and answer.exit_code == 0
    lines = [f"{'VALID' if valid else _WORDS[answer.exit_code]}: {log_text(file)}"]
    for what, text in _rows(answer):
        parts = textwrap.wrap(log_text(text), width - _COLUMN, break_on_hyphens=False) or [""]
        heads = (what, *([""] * (len(parts) - 1)))
        lines += [f"  {head:<{_COLUMN - 2}}{log_line(part)}" for head, part in zip(heads, parts, strict=True)]
    return "".join(f"{line.rstrip()}\n" for line in lines).encode()


def answer_json(answer: Answer) -> bytes:
    """Give the same for scripts; `exit_code` is the command's."""
    told = AnswerTold(
        exit_code=answer.exit_code,
        required=answer.require,
        signed_by=answer.signed,
        matches=tuple(MatchTold(what=one.what, state=one.state, how=one.how) for one in answer.matches),
        statement=answer.made.statement,
    )
    whole = {"format": {"name": "secgate-attestation", "version": 1}, "told": told}
    return json_text(msgspec.json.format(msgspec.json.encode(whole, order="sorted"), indent=2)) + b"\n"


def _rows(answer: Answer) -> Iterator[tuple[str, str]]:
    run, signed = answer.made.run, answer.signed
    for one in answer.matches:
        yield one.what.replace("artifact", "artefact"), f"{_MARKS[one.state]}: {one.how}"
    yield "outcome", _outcome(run)
    yield "run", f"{plain(run.run_id)} of {plain(run.repository)}"
    part = ", what a change touches" if run.source.partial else ""
    folder = f", folder {plain(run.source.prefix)}" if run.source.prefix else ""
    yield "of", f"commit {plain(run.source.commit[:12])}, {run.scope} {plain(run.line)}{part}{folder}".rstrip()
    lanes = [f"{one.lane} {one.covered}/{one.offered}" for one in run.lanes if one.asked and one.needed]
    yield "covered", f"{', '.join(lanes) or 'no lane'}; profile {plain(run.profile)}"
    names = [plain(one.name)[:_LONGEST_NAME] for one in answer.made.statement.artifacts]
    if names and not any(one.what == "artifact" for one in answer.matches):
        more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
        yield "artefacts", f"{', '.join(names[:_LISTED])}{more}"
    yield "signed by", f"{plain(signed.principal)} on {run.signed_on:%Y-%m-%d %H:%M} UTC, key {signed.key[:19]}"


def _outcome(run: GateRun) -> str:
    others = [str(one) for one in run.all_outcomes if one is not run.outcome]
    told = f"{run.outcome}{' (also ' + ', '.join(others) + ')' if others else ''}"
    if run.mode == "observe":
        told += "; the gate only observed"
    elif run.mode == "overridden":
        told += f"; let pass by override {plain(run.override[:12])}"
    counts = ", ".join(f"{number} {plain(word)}" for word, number in sorted(run.verdicts.items()))
    return f"{told}; findings: {counts or 'none'}"
