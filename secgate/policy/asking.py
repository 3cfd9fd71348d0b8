"""What is asked for where: a run's profile, and what folders of the tree ask for beside it.

A folder only adds. Where the whole tree is scanned, a file is held to both profiles, and in everything the stricter
word counts, so a folder can be told to be stricter than the rest and never to be weaker.
"""

from __future__ import annotations

from msgspec import Struct

from secgate.policy.values import Profile


class FolderProfile(Struct, frozen=True, kw_only=True):
    """The profile that a folder chose, by its name; `folder` is a path in the tree, without a slash at its end."""

    folder: str
    name: str
    profile: Profile


class Asking(Struct, frozen=True, kw_only=True):
    """A run's profile, and those of folders below what is scanned: of several that hold a file the innermost counts."""

    run: Profile
    folders: tuple[FolderProfile, ...] = ()

    @property
    def whole(self) -> Profile:
        """The strictest of all: what tools, advisories and engines of the run are chosen by."""
        whole = self.run
        for one in self.folders:
            whole = stricter(whole, one.profile)
        return whole

    def folder(self, path: str) -> FolderProfile | None:
        """Give the folder whose profile counts beside the run's for a file, None for none."""
        around = [one for one in self.folders if path.startswith(f"{one.folder}/")]
        return max(around, key=lambda one: len(one.folder), default=None)

    def of(self, path: str) -> Profile:
        """Give what is asked of a file; "" is what is asked of none in particular."""
        found = self.folder(path)
        return stricter(self.run, found.profile) if found is not None else self.run if path else self.whole


def stricter(one: Profile, other: Profile) -> Profile:
    """Give the profile that asks for what either asks for, and does without what both do without."""
    both = [tool for tool in one.without_tools if tool in other.without_tools]
    return Profile(
        lanes=(*one.lanes, *(lane for lane in other.lanes if lane not in one.lanes)),
        without_tools=tuple(both),
        older_gaps="inconclusive" if "inconclusive" in (one.older_gaps, other.older_gaps) else "warn",
        advisories_max_age_s=min(one.advisories_max_age_s, other.advisories_max_age_s),
        reference_engines=tuple(dict.fromkeys((*one.reference_engines, *other.reference_engines))),
    )
