"""What continuous integration tells of a run, from its variables alone.

Variables come from the process that called secgate, so nothing in the tree can forge them. A fact that is
not told is "" or empty: nothing is guessed here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from secgate.errors import UsageError
from secgate.model import Actor, Value, Visibility

_EVENT_BYTES = 16 * 1024 * 1024

_GITHUB_CHANGES = ("pull_request", "pull_request_target", "pull_request_review", "merge_group")
_GITHUB_FOREIGN = ("workflow_run", "issue_comment", "issues", "pull_request_review_comment")
"""Events that run on the default branch while the code that is checked out may be anybody's."""


class CIFacts(Value, frozen=True, kw_only=True):
    """What CI says. `provider` is "" outside CI: `github gitlab azure bitbucket jenkins`.

    `is_change`: this run is for a proposed change. `is_protected`: CI itself says that the reference is protected.
    `base_commit` and `base_ref` say what the change wants to go into; `head_commit` what CI says it runs on.
    """

    provider: str = ""
    event: str = ""
    ref: str = ""
    base_ref: str = ""
    base_commit: str = ""
    head_commit: str = ""
    default_branch: str = ""
    is_change: bool = False
    is_protected: bool = False
    is_fork: bool = False
    """The change comes from another repository."""
    actor: Actor | None = None
    author: Actor | None = None
    reviewers: tuple[Actor, ...] = ()
    """`source` says whether they were asked for a review or gave one."""
    visibility: Visibility = "unknown"
    notes: tuple[str, ...] = ()


class _User(msgspec.Struct):
    login: str = ""


class _Home(msgspec.Struct):
    full_name: str = ""


class _Branch(msgspec.Struct):
    ref: str = ""
    sha: str = ""
    repo: _Home | None = None


class _PullRequest(msgspec.Struct):
    user: _User | None = None
    base: _Branch | None = None
    head: _Branch | None = None
    requested_reviewers: tuple[_User, ...] = ()


class _Review(msgspec.Struct):
    user: _User | None = None
    state: str = ""


class _MergeGroup(msgspec.Struct):
    base_sha: str = ""
    base_ref: str = ""


class _Repository(msgspec.Struct):
    default_branch: str = ""
    visibility: str = ""
    private: bool | None = None


class _Event(msgspec.Struct):
    """What is used of a webhook payload. Source: GitHub, "Webhook events and payloads"."""

    pull_request: _PullRequest | None = None
    review: _Review | None = None
    merge_group: _MergeGroup | None = None
    repository: _Repository | None = None


def ci_facts(env: Mapping[str, str], *, read: Callable[[str], bytes]) -> CIFacts:
    """Give what CI tells in `env`. `read` gives the bytes of GitHub's event file and may raise OSError.

    Who can read the repository is what `SECGATE_VISIBILITY` says where CI does not tell; raises UsageError where that
    is not a word for it.
    """
    told = CIFacts()
    if env.get("GITHUB_ACTIONS") == "true":
        told = _github(env, read)
    elif env.get("GITLAB_CI") == "true":
        told = _gitlab(env)
    elif env.get("TF_BUILD", "").lower() == "true":
        told = _azure(env)
    elif env.get("BITBUCKET_BUILD_NUMBER"):
        told = _bitbucket(env)
    elif env.get("JENKINS_URL"):
        told = _jenkins(env)
    return _stated(told, env)


def _stated(told: CIFacts, env: Mapping[str, str]) -> CIFacts:
    """Give the facts with what the operator says of who can read the repository, where CI does not tell."""
    said = env.get("SECGATE_VISIBILITY", "")
    if not said or told.visibility != "unknown":
        return told
    if _visibility(said) == "unknown":
        raise UsageError(
            "SECGATE_VISIBILITY is none of public, internal, private", remedy="correct it, or leave it out"
        )
    return msgspec.structs.replace(told, visibility=_visibility(said))


def _github(env: Mapping[str, str], read: Callable[[str], bytes]) -> CIFacts:
    event, notes = _github_event(env.get("GITHUB_EVENT_PATH", ""), read)
    name = env.get("GITHUB_EVENT_NAME", "")
    pull = event.pull_request or _PullRequest()
    base = pull.base or _Branch()
    group = event.merge_group or _MergeGroup()
    reviewers = [_actor(user.login, "github:review-requested") for user in pull.requested_reviewers]
    if event.review and event.review.user and event.review.state:
        reviewers.append(_actor(event.review.user.login, f"github:{event.review.state}"))
    is_change = name in _GITHUB_CHANGES
    return CIFacts(
        provider="github",
        event=name,
        ref=env.get("GITHUB_REF", ""),
        base_ref=_branch(env.get("GITHUB_BASE_REF") or base.ref or group.base_ref) if is_change else "",
        base_commit=(base.sha or group.base_sha) if is_change else "",
        head_commit=env.get("GITHUB_SHA", ""),
        default_branch=event.repository.default_branch if event.repository else "",
        is_change=is_change,
        is_protected=(env.get("GITHUB_REF_PROTECTED") == "true" and not is_change and name not in _GITHUB_FOREIGN),
        is_fork=is_change and _home(pull.head) != _home(pull.base),
        actor=_actor(env.get("GITHUB_ACTOR", ""), "github"),
        author=_actor(pull.user.login if pull.user else "", "github"),
        reviewers=_people(reviewers),
        visibility=_github_visibility(event.repository),
        notes=notes,
    )


def _github_visibility(repository: _Repository | None) -> Visibility:
    """Give who can read the repository; older servers tell only whether it is private."""
    if repository is None:
        return "unknown"
    told = _visibility(repository.visibility)
    if told != "unknown" or repository.private is None:
        return told
    return "private" if repository.private else "public"


def _visibility(text: str) -> Visibility:
    told: dict[str, Visibility] = {"public": "public", "internal": "internal", "private": "private"}
    return told.get(text, "unknown")


def _home(branch: _Branch | None) -> str:
    """Give the repository of a branch; "" where it is gone, which differs from every other."""
    return branch.repo.full_name if branch is not None and branch.repo is not None else ""


def _github_event(path: str, read: Callable[[str], bytes]) -> tuple[_Event, tuple[str, ...]]:
    if not path:
        return _Event(), ("GITHUB_EVENT_PATH is not set",)
    try:
        data = read(path)
        if len(data) > _EVENT_BYTES:
            return _Event(), ("the event file of GitHub is too large",)
        return msgspec.json.decode(data, type=_Event), ()
    except OSError as error:
        return _Event(), (f"the event file of GitHub cannot be read: {error.strerror}",)
    except msgspec.DecodeError as error:
        return _Event(), (f"the event file of GitHub is not what it should be: {error}",)


def _gitlab(env: Mapping[str, str]) -> CIFacts:
    event = env.get("CI_PIPELINE_SOURCE", "")
    is_change = event == "merge_request_event" or bool(env.get("CI_MERGE_REQUEST_IID"))
    branch, tag = env.get("CI_COMMIT_BRANCH", ""), env.get("CI_COMMIT_TAG", "")
    ref = f"refs/tags/{tag}" if tag else _full(branch)
    if is_change:
        ref = env.get("CI_MERGE_REQUEST_REF_PATH", "") or _full(env.get("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", ""))
    assigned = env.get("CI_MERGE_REQUEST_ASSIGNEES", "").replace(" and ", ",").split(",")
    return CIFacts(
        provider="gitlab",
        event=event,
        ref=ref,
        base_ref=env.get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "") if is_change else "",
        base_commit=env.get("CI_MERGE_REQUEST_DIFF_BASE_SHA", "") if is_change else "",
        head_commit=env.get("CI_COMMIT_SHA", ""),
        default_branch=env.get("CI_DEFAULT_BRANCH", ""),
        is_change=is_change,
        is_protected=env.get("CI_COMMIT_REF_PROTECTED") == "true" and not is_change,
        is_fork=is_change and env.get("CI_MERGE_REQUEST_SOURCE_PROJECT_ID") != env.get("CI_MERGE_REQUEST_PROJECT_ID"),
        actor=_actor(env.get("GITLAB_USER_LOGIN", ""), "gitlab"),
        author=_actor(env.get("CI_COMMIT_AUTHOR", "").partition("<")[0].strip(), "gitlab:commit"),
        reviewers=_people([_actor(name.strip(), "gitlab:assigned") for name in assigned]),
        visibility=_visibility(env.get("CI_PROJECT_VISIBILITY", "")),
    )


def _azure(env: Mapping[str, str]) -> CIFacts:
    event = env.get("BUILD_REASON", "")
    is_change = event == "PullRequest" or bool(env.get("SYSTEM_PULLREQUEST_PULLREQUESTID"))
    return CIFacts(
        provider="azure",
        event=event,
        ref=env.get("BUILD_SOURCEBRANCH", ""),
        base_ref=_branch(env.get("SYSTEM_PULLREQUEST_TARGETBRANCH", "")),
        head_commit=env.get("BUILD_SOURCEVERSION", ""),
        is_change=is_change,
        is_fork=env.get("SYSTEM_PULLREQUEST_ISFORK", "").lower() == "true",
        actor=_actor(env.get("BUILD_REQUESTEDFOR", ""), "azure"),
        author=_actor(env.get("BUILD_SOURCEVERSIONAUTHOR", ""), "azure:commit"),
    )


def _bitbucket(env: Mapping[str, str]) -> CIFacts:
    is_change = bool(env.get("BITBUCKET_PR_ID"))
    tag = env.get("BITBUCKET_TAG", "")
    return CIFacts(
        provider="bitbucket",
        event="pull-request" if is_change else "push",
        ref=f"refs/tags/{tag}" if tag else _full(env.get("BITBUCKET_BRANCH", "")),
        base_ref=env.get("BITBUCKET_PR_DESTINATION_BRANCH", ""),
        base_commit=env.get("BITBUCKET_PR_DESTINATION_COMMIT", ""),
        head_commit=env.get("BITBUCKET_COMMIT", ""),
        is_change=is_change,
        actor=_actor(env.get("BITBUCKET_STEP_TRIGGERER_UUID", ""), "bitbucket"),
    )


def _jenkins(env: Mapping[str, str]) -> CIFacts:
    is_change = bool(env.get("CHANGE_ID"))
    tag = env.get("TAG_NAME", "")
    branch = env.get("CHANGE_BRANCH", "") or env.get("BRANCH_NAME", "")
    return CIFacts(
        provider="jenkins",
        event="change" if is_change else "build",
        ref=f"refs/tags/{tag}" if tag else _full(branch),
        base_ref=env.get("CHANGE_TARGET", ""),
        head_commit=env.get("GIT_COMMIT", ""),
        is_change=is_change,
        is_fork=is_change and bool(env.get("CHANGE_FORK")),
        actor=_actor(env.get("BUILD_USER_ID", ""), "jenkins"),
        author=_actor(env.get("CHANGE_AUTHOR", ""), "jenkins"),
    )


def _actor(name: str, source: str) -> Actor | None:
    return Actor(name=name, source=source) if name else None


def _people(actors: list[Actor | None]) -> tuple[Actor, ...]:
    known = {(actor.name, actor.source): actor for actor in actors if actor}
    return tuple(known[key] for key in sorted(known))


def _branch(ref: str) -> str:
    return ref.removeprefix("refs/heads/")


def _full(branch: str) -> str:
    return f"refs/heads/{branch}" if branch and not branch.startswith("refs/") else branch
