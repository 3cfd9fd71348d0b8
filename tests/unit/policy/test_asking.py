"""What is asked for where: a folder only adds, and of several the innermost counts."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from secgate.model import Lane
from secgate.policy import Asking, FolderProfile, Profile, weaker
from secgate.policy.asking import stricter

PROFILES = st.builds(
    Profile,
    lanes=st.lists(st.sampled_from(list(Lane)), unique=True).map(tuple),
    without_tools=st.lists(st.sampled_from(["bandit", "checkov", "semgrep"]), unique=True).map(tuple),
    older_gaps=st.sampled_from(["warn", "inconclusive"]),
    advisories_max_age_s=st.integers(1, 100),
    reference_engines=st.lists(st.sampled_from(["opa", "opa-eval"]), unique=True).map(tuple),
)


@given(PROFILES, PROFILES)
def test_of_two_neither_asks_for_more_than_both_together(one: Profile, other: Profile) -> None:
    both = stricter(one, other)
    assert (weaker(both, one), weaker(both, other)) == ((), ())
    assert stricter(both, one) == both


@given(PROFILES, st.lists(st.tuples(st.sampled_from(["a", "a/b", "ab", "c"]), PROFILES), unique_by=lambda one: one[0]))
def test_no_folder_takes_anything_from_the_run(run: Profile, chosen: list[tuple[str, Profile]]) -> None:
    asking = Asking(run=run, folders=tuple(FolderProfile(folder=at, name=at, profile=one) for at, one in chosen))
    for path in ("", "x.py", "a/x.py", "a/b/x.py", "ab/x.py"):
        assert weaker(asking.of(path), run) == ()
        assert weaker(asking.whole, asking.of(path)) == ()


def test_the_innermost_folder_counts_and_a_name_is_no_beginning_of_another() -> None:
    run = Profile(lanes=(), without_tools=(), older_gaps="warn", advisories_max_age_s=9, reference_engines=())
    strict = msgspec.structs.replace(run, older_gaps="inconclusive")
    folders = [("apps", strict), ("apps/old", run), ("app", strict)]
    asking = Asking(run=run, folders=tuple(FolderProfile(folder=at, name=at, profile=one) for at, one in folders))
    paths = ("apps/a.py", "apps/old/a.py", "appsend/a.py", "a.py")
    assert [asking.of(path).older_gaps for path in paths] == ["inconclusive", "warn", "warn", "warn"]
