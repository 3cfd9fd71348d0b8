"""Whether a statement is about what somebody has: an artefact, a commit, a tree, and how it was told.

A squash or rebase merge and a merge queue make a commit that was never gated itself; what it holds was, where its tree
is that of the gated commit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple, TypeAlias

from secgate.attest.statement import Statement, Subject
from secgate.escape import plain

State: TypeAlias = Literal["same", "other", "unknown"]
What: TypeAlias = Literal["artifact", "commit", "tree", "folder", "profile", "age", "repository"]
"""What a statement may be held against."""
_SHOWN = 12
_LISTED = 3
_LONGEST_NAME = 40


class Match(NamedTuple):
    """What was held against the statement, whether it is about that, and how it was told."""

    what: What
    state: State
    how: str


class Clone(NamedTuple):
    """What a repository tells of a commit that was asked for and of the one that was gated.

    `commit` and `tree` are "" where the clone does not hold it. `differing` are paths in which both differ, None where
    the clone lacks the gated commit; `descends` is whether the gated one is among its ancestors.
    """

    name: str
    commit: str = ""
    tree: str = ""
    has_gated: bool = False
    descends: bool = False
    differing: tuple[str, ...] = ()
    shallow: bool = False


def artifact_match(statement: Statement, name: str, digests: Mapping[str, str]) -> Match:
    """Hold an artefact, `digests` by algorithm, against the subjects.

    A subject with several digests is the artefact only if all that are known here agree.
    """
    comparable = False
    for subject in statement.artifacts:
        known = {key: value for key, value in subject.digest.items() if key in digests}
        comparable = comparable or bool(known)
        if known and all(digests[key] == value for key, value in known.items()):
            key, value = next(iter(known.items()))
            return Match("artifact", "same", f"{name}: {key} {value[:_SHOWN]} is its subject {_called(subject)}")
    if not statement.artifacts:
        return Match("artifact", "other", f"{name}: it speaks of no artefact, only of a commit")
    if not comparable:
        used = sorted({key for one in statement.artifacts for key in one.digest})
        told = plain(", ".join(used))[:80]
        return Match("artifact", "other", f"{name}: none of its subjects has {' or '.join(digests)}, only {told}")
    others = ", ".join(map(_called, statement.artifacts[:_LISTED]))
    more = f" and {len(statement.artifacts) - _LISTED} more" if len(statement.artifacts) > _LISTED else ""
    return Match("artifact", "other", f"{name}: it is of other artefacts: {others}{more}")


def _called(subject: Subject) -> str:
    return f"`{plain(subject.name)[:_LONGEST_NAME]}`"


def tree_match(statement: Statement, tree: str) -> Match:
    """Hold the id of a git tree against the subject."""
    gated = statement.predicate.source.tree
    if tree == gated:
        return Match("tree", "same", f"the same tree {tree[:_SHOWN]}")
    return Match("tree", "other", f"the gated tree is {plain(gated[:_SHOWN])}, not {tree[:_SHOWN]}")


def commit_match(statement: Statement, asked: str, clone: Clone | None) -> Match:
    """Hold a commit against the subjects: itself, else its tree, as far as a clone tells it.

    `asked` is the full id, or any name that the clone resolved.
    """
    source = statement.predicate.source
    gated = plain(source.commit[:_SHOWN])
    commit = clone.commit if clone is not None and clone.commit else asked
    if commit == source.commit:
        return Match("commit", "same", f"the same commit {gated}")
    if clone is None:
        return Match(
            "commit",
            "unknown",
            f"the gated commit is {gated}, not {commit[:_SHOWN]}; whether their trees are the same tells --repository",
        )
    if not clone.commit:
        told = "a shallow clone" if clone.shallow else "this clone"
        return Match("commit", "unknown", f"{plain(asked)[:40]} is not in {told}: fetch it, then ask again")
    if clone.name != statement.predicate.repository:
        return Match(
            "repository",
            "other",
            f"it is of {plain(statement.predicate.repository)}, and this is {plain(clone.name)}: a tree counts only in "
            "its own repository",
        )
    if clone.tree != source.tree:
        return Match("commit", "other", _why_other(clone, gated))
    return Match("commit", "same", _how_same(clone, gated))


def _how_same(clone: Clone, gated: str) -> str:
    short = clone.commit[:_SHOWN]
    told = f"the same tree {clone.tree[:_SHOWN]}: {short} holds exactly what {gated} held, which was gated"
    if not clone.has_gated:
        return f"{told}; that commit is not in this clone, as after a squash or rebase whose branch is gone"
    if clone.descends:
        return f"{told}; it is one of its ancestors, and nothing but that was merged"
    if clone.shallow:
        return f"{told}; this clone is shallow and does not tell how one became the other"
    return f"{told}; it is none of its ancestors: made anew by a squash, a rebase or a merge queue"


def _why_other(clone: Clone, gated: str) -> str:
    short = clone.commit[:_SHOWN]
    if not clone.has_gated:
        return f"{short} has another tree than {gated}, which was gated and is not in this clone"
    listed = ", ".join(plain(path) for path in clone.differing[:_LISTED])
    more = f" and {len(clone.differing) - _LISTED} more" if len(clone.differing) > _LISTED else ""
    return f"{short} differs from {gated}, which was gated, in {listed}{more}: gate what is there now"
