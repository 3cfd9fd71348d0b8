"""Which secrets of the base still stand, and which of a change's came with it."""

from __future__ import annotations

from secgate.fingerprint import Located, Place
from secgate.model import Confidence, Lane, Location, Rename, Result, Severity
from secgate.secret_copies import brought, standing

MOVED = (Rename(old="old.py", new="new.py"),)


def seen(text: str, *, path: str = "a.py", rule: str = "token", at: tuple[int, int] = (0, 9)) -> Located:
    result = Result(
        scanner="kingfisher",
        lane=Lane.SECRETS,
        rule=rule,
        message="a secret",
        location=Location(path=path),
        severity=Severity.HIGH,
        score=8.0,
        severity_basis="rule",
        confidence=Confidence.HIGH,
        weakness="hard-coded-secret",
        secret=True,
    )
    return Located(result=result, place=Place(), spans=(at,), texts=(text,) if text else ())


def test_what_the_head_replaces_stands_no_more() -> None:
    assert standing([seen("one")], [seen("two")], ()) == []


def test_what_the_head_keeps_or_has_no_other_for_stands() -> None:
    base = [seen("one")]
    assert standing(base, [seen("two"), seen("one")], ()) == base
    assert standing(base, [], ()) == base
    assert standing(base, [seen("two", path="b.py", rule="other")], ()) == base


def test_another_secret_in_another_file_is_not_the_old_one_carried_there() -> None:
    base = [seen("one")]
    assert standing(base, [seen("two", path="b.py")], ()) == []
    assert standing(base, [seen("one", path="b.py")], ()) == base


def test_a_first_line_that_all_keys_share_goes_with_the_key() -> None:
    header = seen("BEGIN", rule="header", at=(0, 5))
    base = [header, seen("one", at=(0, 900)), seen("BEGIN", rule="header", at=(950, 955))]
    assert standing(base, [header, seen("two", at=(0, 900))], ()) == base[2:]


def test_a_renamed_file_is_followed() -> None:
    base = [seen("one", path="old.py")]
    assert standing(base, [seen("one", path="new.py")], MOVED) == base
    assert standing(base, [seen("two", path="new.py")], MOVED) == []
    assert brought([seen("one", path="new.py"), seen("one", path="old.py")], base, MOVED) == []


def test_a_result_without_a_text_is_kept() -> None:
    assert standing([seen("")], [seen("two")], ()) == [seen("")]
    assert brought([seen("")], [seen("")], ()) == [seen("")]


def test_only_what_the_base_had_in_that_file_was_not_brought() -> None:
    past = [seen("one"), seen("two"), seen("one", path="b.py"), seen("one", rule="other")]
    assert brought(past, [seen("one")], ()) == past[1:]
