"""Who there is: people.toml of the enforced layer, opaque ids with names, addresses, handles and roles.

Only the ids go into the ledger; this table stays outside of it, so that a person can be forgotten (GDPR art. 17).

    version = 1
    [people.p-4f2a]
    name = "..."
    emails = ["..."]
    roles = ["approver"]
    handles = { github = ["..."] }
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

import msgspec
from msgspec import Struct

from secgate.config import Layer as SettingsLayer
from secgate.config import check_table, parse_file, place_of
from secgate.errors import ConfigError, faults_words
from secgate.model import Actor, Target, Value

FILE_NAME = "people.toml"
_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_WORD = re.compile(r"[a-z][a-z0-9-]{0,31}")


class Person(Value, frozen=True, kw_only=True):
    """One person. `handles` are account names by provider, such as `github`."""

    id: str
    name: str = ""
    emails: tuple[str, ...] = ()
    handles: Mapping[str, tuple[str, ...]] = {}
    roles: tuple[str, ...] = ()


class _Entry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person's table."""

    name: str = ""
    emails: list[str] = []
    handles: dict[str, list[str]] = {}
    roles: list[str] = []


class _File(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file."""

    version: Literal[1]
    people: dict[str, _Entry] = {}


class People(Value, frozen=True, kw_only=True):
    """Everybody who may act, sorted by id. Who is not in it can neither request nor approve."""

    persons: tuple[Person, ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        """Every id, sorted."""
        return tuple(person.id for person in self.persons)

    def person(self, name: str) -> Person | None:
        """Give the person whose id is `name`."""
        return next((one for one in self.persons if one.id == name), None)

    def by_handle(self, provider: str, handle: str) -> Person | None:
        """Give the person with an account of that name at a provider; upper and lower case are the same."""
        wanted = handle.lower()
        for one in self.persons:
            if wanted in (name.lower() for name in one.handles.get(provider.lower(), ())):
                return one
        return None

    def by_email(self, address: str) -> Person | None:
        """Give the person with a mail address; upper and lower case are the same."""
        wanted = address.strip().lower()
        return next((one for one in self.persons if wanted in (mail.lower() for mail in one.emails)), None)


UNKNOWN = "unknown-"
"""Begins the names of those whom people.toml does not know: equal in one run where they are the same, and no longer."""


def without_names(target: Target, people: People) -> Target:
    """Give the target with ids in place of names: what is stored, and what policies see, can then be kept for ever.

    Whoever people.toml does not know is `unknown-1`, `unknown-2` and so on, in the order of author, actor, reviewers.
    """
    strangers: dict[str, str] = {}

    def opaque(actor: Actor) -> Actor:
        person = people.by_handle(target.provider, actor.name) or people.by_email(actor.name)
        name = person.id if person else strangers.setdefault(actor.name, f"{UNKNOWN}{len(strangers) + 1}")
        return Actor(name=name, source=actor.source)

    return msgspec.structs.replace(
        target,
        author=opaque(target.author) if target.author else None,
        actor=opaque(target.actor) if target.actor else None,
        reviewers=tuple(opaque(one) for one in target.reviewers),
    )


def id_of(actor: Actor | None) -> str:
    """Give the id of somebody whom people.toml knows, "" for everybody else."""
    return actor.name if actor is not None and not actor.name.startswith(UNKNOWN) else ""


def read_people(data: bytes) -> People:
    """Read people.toml. Raises ConfigError with every fault, each with its line."""
    layer = parse_file(data, name=FILE_NAME, trust="enforced")
    if layer is None:
        raise ConfigError("people.toml has no tables", faults=(), place=FILE_NAME, remedy="write [people.ID] tables")
    faults: list[tuple[str, str, str]] = []
    check_table(layer, _File, layer.values, (), faults)
    if not faults:
        read = msgspec.convert(layer.values, _File)
        _check_entries(layer, read, faults)
    if faults:
        raise ConfigError(f"{faults_words(len(faults))} in {FILE_NAME}", faults=faults, remedy="mend each")
    return People(
        persons=tuple(
            Person(
                id=key,
                name=one.name,
                emails=tuple(one.emails),
                handles={provider: tuple(names) for provider, names in sorted(one.handles.items())},
                roles=tuple(sorted(set(one.roles))),
            )
            for key, one in sorted(read.people.items())
        )
    )


def _check_entries(layer: SettingsLayer, read: _File, faults: list[tuple[str, str, str]]) -> None:
    owners: dict[tuple[str, str], str] = {}
    for key, one in read.people.items():
        place = place_of(layer, ("people", key))
        if not _ID.fullmatch(key):
            remedy = "small letters, digits, `.`, `_`, `-`: it goes into the ledger for ever, so let it say nothing"
            faults.append((place, f"`{key}` is no id", remedy))
        faults.extend(
            (place, f"`{word}` is no {what}", "small letters, digits and `-`")
            for what, words in (("role", one.roles), ("provider", one.handles))
            for word in words
            if not _WORD.fullmatch(word)
        )
        names = [("e-mail", mail.strip()) for mail in one.emails]
        names += [(provider, handle.strip()) for provider, handles in one.handles.items() for handle in handles]
        for kind, name in names:
            if not name:
                faults.append((place, f"an empty {kind} of `{key}`", "remove it"))
            elif owners.setdefault((kind, name.lower()), key) != key:
                what = f"the {kind} `{name}` belongs to `{owners[(kind, name.lower())]}` too"
                faults.append((place, what, "one account, one person"))
