"""What people say in a ledger: which of its signed statements count for themselves, and which count for nothing.

What those that count add up to is for each kind to say: `waivers`, `agreement`, `overrides`, `testimony`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

from secgate.errors import SignatureError, UsageError
from secgate.model import KnownStatement, Value
from secgate.people import People
from secgate.sla import many

LONGEST_REASON = 2_000
_A_WORD = r"\w"
Text = Annotated[str, Meta(pattern=_A_WORD, max_length=LONGEST_REASON)]
"""Says something: blanks and marks alone are no reason, and name nobody."""
Ticket = Annotated[str, Meta(max_length=200)]
Check: TypeAlias = Callable[[KnownStatement, str], str]
"""Checks a statement's signature in a namespace and gives the name of the key that made it, or raises SignatureError.

A key counts by the time at which the ledger was told, which nobody's own word sets.
"""


class Refused(Value, frozen=True, kw_only=True):
    """A statement of the ledger that counts for nothing, and why."""

    sequence: int
    type: str
    why: str


def hear(
    statements: Iterable[KnownStatement],
    take: Callable[[KnownStatement, str], None],
    *,
    namespaces: Mapping[str, str],
    check: Check,
    people: People,
) -> tuple[Refused, ...]:
    """Give those of `namespaces`, by their type, that a person of people.toml signed to `take`, with who that was.

    Gives back what counts for nothing, in the ledger's order: where the signature or the person does not count, where
    `take` raises UsageError or SignatureError, and where it cannot decode the statement.
    """
    refused: list[Refused] = []
    for one in statements:
        if one.type not in namespaces:
            continue
        try:
            signer = check(one, namespaces[one.type])
            if people.person(signer) is None:
                raise SignatureError(f"`{signer}` is nobody of people.toml", remedy="")
            take(one, signer)
        except (SignatureError, UsageError) as error:
            refused.append(Refused(sequence=one.sequence, type=one.type, why=error.what))
        except msgspec.DecodeError as error:
            refused.append(Refused(sequence=one.sequence, type=one.type, why=_unread(error)))
    return tuple(refused)


def _unread(error: msgspec.DecodeError) -> str:
    """Say why a statement does not read: in words where it is a `Text` without any, else as the decoder does."""
    what, asked, place = str(error).partition(f" matching regex {_A_WORD!r} - at ")
    return f"it does not read: no word is in {place}" if asked else f"it does not read: {what}"


_REASONS_SHOWN = 8
_ENTRIES_SHOWN = 4


def refused_words(refused: Iterable[Refused], *, of: str = "") -> tuple[str, ...]:
    """Say what counts for nothing, a sentence for each reason: who can write the ledger floods no output with it.

    With the address of a ledger it is for whoever audits: every reason and every entry `of` that ledger is named.
    """
    by_why: dict[str, list[Refused]] = {}
    for one in refused:
        by_why.setdefault(one.why, []).append(one)
    told = [_refused_for(why, found, of) for why, found in by_why.items()]
    left = [] if of else [one for found in list(by_why.values())[_REASONS_SHOWN:] for one in found]
    if left:
        more = f"{many(len(left), 'more ledger entry counts', 'more ledger entries count')} for nothing"
        told[_REASONS_SHOWN:] = [f"{more}, each for another reason, from entry {left[0].sequence} on"]
    return tuple(told)


def _refused_for(why: str, found: Sequence[Refused], of: str) -> str:
    if len(found) == 1:
        name = f"entry {found[0].sequence} of {of}" if of else f"ledger entry {found[0].sequence}"
        return f"{name} ({found[0].type}) counts for nothing: {why}"
    shown = found if of else found[:_ENTRIES_SHOWN]
    names = ", ".join(f"{one.sequence} ({one.type})" for one in shown)
    more = f" and {len(found) - len(shown)} more" if len(found) > len(shown) else ""
    entries = f"{len(found)} entries of {of}" if of else f"{len(found)} ledger entries"
    return f"{entries} count for nothing, {names}{more}: {why}"
