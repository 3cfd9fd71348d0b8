"""What is planted into a quiet period: every kind of deviation, and what comes closest to one and is none.

Each function adds facts of its own, and notes what an honest report must say of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tests.quarter.making import CHIEF, DEVELOPERS, STRANGER, Making, digest
from tests.quarter.plan import DAY, HOUR, Deployment, Run

GATED, REVIEWED, GLASS = "change.gated", "change.reviewed", "change.override_approved"
ENFORCED, RECORD, FEED = "gate.enforced", "record.readable", "feed.current"
BLOCKED, UNSURE = "blocked_and_not_overridden", "inconclusive_and_not_overridden"

Plant = Callable[[Making], None]

# --------------------------------------------------------------------------------------------------------- deployments


def bypasses(make: Making) -> None:
    """Deployments that no run, or none that counts, looked at."""
    repository = make.some_repository()
    make.bad(GATED, make.deploy(make.time(), repository, commit=digest(make.name("commit"))[:40]), "no_run")
    for given in ({"scope": "local"}, {"dirty": True}, {"folder": "part/of/it"}):
        run = make.run(make.time(before=DAY), **given)
        make.bad(GATED, make.deploy(run.at + HOUR, run.repository, commit=run.commit), "no_run")
    run = make.run(make.time(before=DAY))
    other = f"{run.repository}-fork"
    make.bad(GATED, make.deploy(run.at + HOUR, other, commit=digest(make.name("c"))[:40], tree=run.tree), "no_run")
    late = make.run(make.time(after=DAY))
    make.bad(GATED, make.deploy(late.at - 1, late.repository, commit=late.commit), "run_after_deployment")
    timely = make.run(make.time())
    make.near(GATED, make.deploy(timely.at, timely.repository, commit=timely.commit))
    for at in (make.start - 1, make.end):
        make.near(GATED, make.deploy(at, repository, commit=digest(make.name("commit"))[:40]))


def refusals(make: Making) -> None:
    """Deployments of what the gate refused, was unsure of, only watched, or saw another artefact of."""
    for given, word in (
        ({"outcome": "fail"}, BLOCKED),
        ({"outcome": "inconclusive"}, UNSURE),
        ({"outcome": ""}, UNSURE),
        ({"outcome": "fail", "mode": "observe"}, BLOCKED),
        ({"outcome": "fail", "scope": "change", "partial": True}, BLOCKED),
    ):
        run = make.run(make.time(before=DAY), **given)
        make.bad(GATED, make.deploy(run.at + HOUR, run.repository, commit=run.commit), word)
        if not run.outcome:
            make.bad(ENFORCED, run.name, "no_decision")
        if run.mode == "observe":
            make.bad(ENFORCED, run.name, "observe_mode")
    first, second = (f"sha256:{digest(make.name('artefact'))}" for _ in range(2))
    bound = make.run(make.time(before=DAY), artifacts=(first,))
    key = make.deploy(bound.at + HOUR, bound.repository, commit=bound.commit, artifacts=(second,))
    make.bad(GATED, key, "digest_mismatch")
    make.near(GATED, make.deploy(bound.at + HOUR, bound.repository, commit=bound.commit, artifacts=(second, first)))
    other = digest(make.name("commit"))[:40]
    told = make.deploy(bound.at + HOUR, bound.repository, artifacts=(first,), commit=other)
    make.bad(GATED, told, "source_mismatch")
    squashed = make.deploy(bound.at + HOUR, bound.repository, artifacts=(first,), commit=other, tree=bound.tree)
    make.near(GATED, squashed)
    make.near(GATED, make.deploy(bound.at + HOUR, bound.repository, artifacts=(first,), commit=bound.commit))
    _twice(make, ("pass", "fail"))
    _twice(make, ("fail", "pass"))


def _twice(make: Making, outcomes: tuple[str, str]) -> None:
    """The last run before a deployment counts."""
    run = make.run(make.time(before=2 * DAY), outcome=outcomes[0])
    make.run(run.at + HOUR, run.repository, commit=run.commit, tree=run.tree, outcome=outcomes[1])
    make.run(run.at + 3 * HOUR, run.repository, commit=run.commit, tree=run.tree, outcome="fail")
    key = make.deploy(run.at + 2 * HOUR, run.repository, commit=run.commit)
    if outcomes[1] == "fail":
        make.bad(GATED, key, BLOCKED)
    else:
        make.near(GATED, key)


def corrected(make: Making) -> None:
    """A row whose commit a later list puts right; the assembly splits the two over two lists."""
    run = make.run(make.time(before=DAY))
    name = make.name("d")
    for commit in (digest(make.name("wrong"))[:40], run.commit):
        make.deployments.append(Deployment(run.repository, name, run.at + HOUR, commit))
    make.near(GATED, f"{run.repository}#{name}")


def glass(make: Making) -> None:
    """Overrides that let a deployment pass, and those that do not: lapsed, of another line or commit, by nobody."""
    for after, holds in ((0, True), (6 * HOUR - 1, True), (6 * HOUR, False)):
        given = make.override(make.time(before=2 * DAY))
        make.overrides[-1] = given = replace(given, until=given.given + 6 * HOUR)
        _under(make, given.name, given.repository, given.given + after, holds=holds)
    given = make.override(make.time(before=2 * DAY), line="release")
    _under(make, given.name, given.repository, given.given, holds=False)
    given = make.override(make.time(before=2 * DAY), commit=digest(make.name("commit"))[:40])
    _under(make, given.name, given.repository, given.given, holds=False)
    given = make.override(make.time(before=2 * DAY), by=DEVELOPERS[0])
    make.bad(GLASS, f"override:{given.name}", "not_authorised")
    _under(make, given.name, given.repository, given.given, holds=False)
    given = make.override(make.time(before=2 * DAY), by=CHIEF, key=STRANGER)
    _under(make, given.name, given.repository, given.given, holds=False)
    given = make.override(make.time(before=3 * DAY))
    make.overrides[-1] = given = replace(given, until=given.given + 30 * HOUR)
    make.bad(GLASS, f"override:{given.name}", "too_long")
    _under(make, given.name, given.repository, given.given + 25 * HOUR, holds=False)
    _under(make, make.name("never-given"), make.some_repository(), make.time(before=DAY), holds=False)


def _under(make: Making, override: str, repository: str, at: int, *, holds: bool) -> None:
    run = make.run(at, repository, outcome="fail", mode="overridden", override=override)
    key = make.deploy(at + HOUR, repository, commit=run.commit)
    if holds:
        make.near(GATED, key)
    else:
        make.bad(GATED, key, BLOCKED)


def changes(make: Making) -> None:
    """Changes that nobody looked at, or only those who do not count, or too late."""
    author, other = DEVELOPERS[0], DEVELOPERS[1]
    make.bad(REVIEWED, make.change(make.time()), "no_review")
    make.bad(REVIEWED, make.change(make.time(), (author, -HOUR, False)), "author_is_reviewer")
    make.bad(REVIEWED, make.change(make.time(), (other, 1, False)), "review_after_merge")
    make.bad(REVIEWED, make.change(make.time(), (other, -HOUR, True)), "reviewer_is_a_machine")
    both = make.change(make.time(), (author, 5, False), (other, -HOUR, True))
    make.bad(REVIEWED, both, "author_is_reviewer", "review_after_merge", "reviewer_is_a_machine")
    make.near(REVIEWED, make.change(make.time(), (other, 0, False)))
    make.near(REVIEWED, make.change(make.time(), (author, -HOUR, False), (other, -HOUR, False)))
    make.near(REVIEWED, make.change(make.time(), (author, 9, False), (other, 0, False), (other, -9, True)))
    for at in (make.start - 1, make.end):
        make.near(REVIEWED, make.change(at))


# ------------------------------------------------------------------------------------------------------------ overrides


def reviews(make: Making) -> None:
    """Overrides that nobody reviewed in time, and those that somebody just did."""

    def given(at: int, *exceptions: str, **more: object) -> None:
        made = make.override(at, **more)
        if exceptions:
            make.bad(GLASS, f"override:{made.name}", *exceptions)
        else:
            make.near(GLASS, f"override:{made.name}")

    def early() -> int:
        return make.time(before=6 * DAY)

    at = early()
    given(at, "not_reviewed_in_time", reviews=())
    given(at := early(), "not_reviewed_in_time", reviews=make.reviewed(at + 5 * DAY + 1))
    given(at := early(), reviews=make.reviewed(at + 5 * DAY))
    given(at := early(), "self_reviewed", reviews=make.reviewed(at + DAY, by=CHIEF))
    given(at := early(), "self_reviewed", "not_reviewed_in_time", reviews=make.reviewed(at + 6 * DAY, by=CHIEF))
    given(at := early(), reviews=(*make.reviewed(at + DAY, by=CHIEF), *make.reviewed(at + 2 * DAY)))
    given(at := early(), "not_reviewed_in_time", reviews=make.reviewed(at + DAY, by=DEVELOPERS[0]))
    given(at := early(), "not_justified", reviews=make.reviewed(at + DAY, word="not-justified"))
    given(early(), reason=" ")
    given(early(), "no_expiry", until=0)
    given(at := early(), "too_long", until=at + DAY + 1)
    given(at := early(), until=at + DAY)
    given(make.end - 5 * DAY, reviews=())
    given(make.end - 5 * DAY - 1, "not_reviewed_in_time", reviews=())
    given(make.end - 2 * DAY, reviews=make.reviewed(make.end + 3 * DAY))
    given(make.start - 1, "not_reviewed_in_time", reviews=())
    given(make.start - 5 * DAY, "not_reviewed_in_time", reviews=())
    given(make.start - 5 * DAY - 1, reviews=())
    given(make.start - 2 * DAY, reviews=make.reviewed(make.start - DAY))
    given(make.start - 2 * DAY, reviews=make.reviewed(make.start + DAY))
    forged = make.override(early(), key=STRANGER, reviews=())
    make.near(GLASS, f"override:{forged.name}")


# ------------------------------------------------------------------------------------------------- runs by themselves


def runs(make: Making) -> None:
    """Runs that could not block, that lost their record, or judged by advisories that were old or of no date."""
    make.bad(ENFORCED, make.run(make.time(), mode="observe").name, "observe_mode")
    make.near(ENFORCED, make.run(make.time(), mode="observe", scope="change").name)
    make.bad(RECORD, make.run(make.time(), scope="change", record="missing").name, "record_missing")
    make.bad(RECORD, make.run(make.time(), record="differs").name, "record_differs")
    make.near(RECORD, make.run(make.start - 1, record="missing").name)
    for age, word in ((7 * DAY + 1, "feed_too_old"), (7 * DAY, "")):
        run = make.run(make.time())
        _audited(make, run, data=run.at - age, word=word)
    _audited(make, make.run(make.time()), data=0, word="feed_missing")


def _audited(make: Making, run: Run, *, data: int, word: str) -> None:
    tools = tuple(replace(one, data=data) if one.scanner == "pip-audit" else one for one in run.tools)
    # Changes of its own line only, so that a window is judged by its other runs.
    make.runs[run.name] = replace(run, tools=tools, folder="part", commit="", tree="")
    item = f"{run.name}/pip-audit"
    if word:
        make.bad(FEED, item, word)
    else:
        make.near(FEED, item)


DEPLOYMENTS: tuple[Plant, ...] = (bypasses, refusals, corrected, glass, changes, reviews, runs)
"""All of this file."""
