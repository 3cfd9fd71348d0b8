"""Names of people stay out of everything that is kept."""

from __future__ import annotations

from secgate.model import Actor, Scope, Target
from secgate.people import People, Person, id_of, without_names

PEOPLE = People(
    persons=(
        Person(id="p-1", handles={"github": ("ada-l",)}),
        Person(id="p-2", emails=("eve@example.org",)),
    )
)


def target(author: str, *reviewers: str) -> Target:
    return Target(
        root="/",
        kind="git",
        repository="r",
        scope=Scope.CHANGE,
        scope_basis="",
        provider="github",
        author=Actor(name=author, source="CI"),
        actor=Actor(name="bot", source="CI"),
        reviewers=tuple(Actor(name=name, source="CI") for name in reviewers),
    )


def names(one: Target) -> list[str]:
    return [actor.name for actor in (one.author, one.actor, *one.reviewers) if actor is not None]


def test_known_people_become_their_ids() -> None:
    assert names(without_names(target("Ada-L", "eve@example.org"), PEOPLE)) == ["p-1", "unknown-1", "p-2"]


def test_strangers_are_equal_where_they_are_the_same() -> None:
    assert names(without_names(target("mallory", "bob", "mallory"), People())) == [
        "unknown-1",
        "unknown-2",
        "unknown-3",
        "unknown-1",
    ]


def test_only_known_people_are_recorded() -> None:
    assert [id_of(Actor(name=name, source="")) for name in ("p-1", "unknown-1")] == ["p-1", ""]
    assert id_of(None) == ""
