"""What counts for nothing in a ledger, said in few words however much of it there is."""

from __future__ import annotations

import msgspec

from secgate.hearing import Refused, hear, refused_words
from secgate.model import KnownStatement
from secgate.people import People, Person
from secgate.waivers import APPROVED, NAMESPACES, Approval


def refused(sequence: int, why: str = "the key is revoked") -> Refused:
    return Refused(sequence=sequence, type="waiver-approved", why=why)


def test_one_is_named() -> None:
    told = "ledger entry 7 (waiver-approved) counts for nothing: the key is revoked"
    assert refused_words([refused(7)]) == (told,)


def test_those_of_one_reason_are_one_sentence() -> None:
    (told,) = refused_words(refused(at) for at in range(500))
    names = ", ".join(f"{at} (waiver-approved)" for at in range(4))
    assert told == f"500 ledger entries count for nothing, {names} and 496 more: the key is revoked"


def test_of_many_reasons_the_first_are_told_and_the_rest_counted() -> None:
    told = refused_words(refused(at, why=f"there is no request {at}") for at in range(500))
    assert len(told) == 9
    assert told[7] == "ledger entry 7 (waiver-approved) counts for nothing: there is no request 7"
    assert told[8] == "492 more ledger entries count for nothing, each for another reason, from entry 8 on"


def test_nothing_refused_is_nothing_said() -> None:
    assert refused_words([]) == ()


def test_for_whoever_audits_every_entry_and_every_reason_is_named() -> None:
    told = refused_words([refused(at, why=f"for reason {at % 9}") for at in range(18)], of="ledger.sqlite")
    assert len(told) == 9
    assert told[8] == (
        "2 entries of ledger.sqlite count for nothing, 8 (waiver-approved), 17 (waiver-approved): for reason 8"
    )
    (one,) = refused_words([refused(7)], of="ledger.sqlite")
    assert one == "entry 7 of ledger.sqlite (waiver-approved) counts for nothing: the key is revoked"


def test_what_says_nothing_is_told_in_words() -> None:
    def take(one: KnownStatement, _: str) -> None:
        msgspec.json.decode(one.statement, type=Approval)

    blank, short = (
        KnownStatement(sequence=at, type=APPROVED, statement=text, signature="", at_epoch_s=0)
        for at, text in enumerate((f'{{"request":"{"0" * 64}","approver":" "}}', "{"))
    )
    people = People(persons=(Person(id="eve"),))
    refused = hear([blank, short], take, namespaces=NAMESPACES, check=lambda *_: "eve", people=people)
    assert [one.why for one in refused] == [
        "it does not read: no word is in `$.approver`",
        "it does not read: Input data was truncated",
    ]
