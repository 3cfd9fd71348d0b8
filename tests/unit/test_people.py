"""people.toml: who there is."""

from __future__ import annotations

import pytest

from secgate.errors import ConfigError
from secgate.people import read_people
from tests.signing_support import ADA, EVE, PEOPLE


def test_people_are_found_by_id_handle_and_address() -> None:
    people = read_people(PEOPLE.encode())
    assert people.ids == (ADA, EVE)
    for person in (people.person(ADA), people.by_handle("GitHub", "Ada-L"), people.by_email(" ADA@example.org")):
        assert person is not None
        assert person.id == ADA


def test_a_stranger_is_nobody() -> None:
    people = read_people(PEOPLE.encode())
    assert people.person("p-0") is people.by_handle("gitlab", "ada-l") is people.by_email("") is None


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('version = 1\n[people."ada@example.org"]\n', "is no id"),
        ('version = 1\n[people.p-1]\nroles = ["Big Boss"]\n', "is no role"),
        ("version = 1\n[people.p-1]\nhandles = { GitHub = [] }\n", "is no provider"),
        ("version = 1\n[people.p-1]\nemail = []\n", "did you mean `emails`"),
        ("version = 2\n", "`version`"),
        ("[people.p-1]\n", "`version` is missing"),
        ('version = 1\n[people.p-1]\nemails = [" "]\n', "an empty e-mail"),
        ("version = ", "not valid TOML"),
    ],
)
def test_what_is_wrong_is_said(text: str, what: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_people(text.encode())
    assert what in str(caught.value)


def test_one_account_is_one_person_and_every_fault_is_told() -> None:
    text = 'version = 1\n[people.p-1]\nemails = ["A@b"]\nhandles = { github = ["x"] }\n'
    text += '[people.p-2]\nemails = ["a@B"]\nhandles = { github = ["X"] }\n'
    with pytest.raises(ConfigError) as caught:
        read_people(text.encode())
    assert len(caught.value.faults) == 2
    assert all(place == "people.toml:5" for place, _, _ in caught.value.faults)
