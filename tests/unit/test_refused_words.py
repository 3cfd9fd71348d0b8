"""What counts for nothing in a ledger, said in few words however much of it there is."""

from __future__ import annotations

from secgate.waivers import Refused, refused_words


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
