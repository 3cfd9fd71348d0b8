"""What each CI tells."""

from __future__ import annotations

import json

import pytest

from secgate.discover import CIFacts, ci_facts
from secgate.model import Actor

PULL = {
    "pull_request": {
        "user": {"login": "ada"},
        "base": {"ref": "main", "sha": "b" * 40},
        "requested_reviewers": [{"login": "zoe"}, {"login": "bob"}],
    },
    "repository": {"default_branch": "main"},
}


def unreadable(path: str) -> bytes:
    raise FileNotFoundError(2, "No such file or directory", path)


def github(event: object = None, **more: str) -> CIFacts:
    env = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_PATH": "/event.json",
        "GITHUB_SHA": "c" * 40,
        "GITHUB_ACTOR": "eve",
        **more,
    }
    return ci_facts(env, read=lambda _: json.dumps(event or {}).encode())


def test_no_ci() -> None:
    assert ci_facts({"GITHUB_REF_PROTECTED": "true", "CI": "true"}, read=unreadable) == CIFacts()


def test_github_pull_request() -> None:
    facts = github(PULL, GITHUB_EVENT_NAME="pull_request", GITHUB_BASE_REF="main", GITHUB_REF="refs/pull/1/merge")
    assert facts.is_change
    assert (facts.base_ref, facts.base_commit, facts.ref) == ("main", "b" * 40, "refs/pull/1/merge")
    assert facts.author == Actor(name="ada", source="github")
    assert facts.actor == Actor(name="eve", source="github")
    assert [reviewer.name for reviewer in facts.reviewers] == ["bob", "zoe"]
    assert {reviewer.source for reviewer in facts.reviewers} == {"github:review-requested"}


def test_github_review_says_what_the_reviewer_did() -> None:
    event = PULL | {"review": {"user": {"login": "bob"}, "state": "approved"}}
    facts = github(event, GITHUB_EVENT_NAME="pull_request_review")
    assert Actor(name="bob", source="github:approved") in facts.reviewers


def test_github_merge_queue() -> None:
    event = {"merge_group": {"base_sha": "d" * 40, "base_ref": "refs/heads/main"}}
    facts = github(event, GITHUB_EVENT_NAME="merge_group", GITHUB_REF_PROTECTED="true")
    assert (facts.is_change, facts.is_protected, facts.base_ref) == (True, False, "main")


@pytest.mark.parametrize(
    ("event", "word", "protected"),
    [
        ("push", "true", True),
        ("schedule", "true", True),
        ("push", "false", False),
        ("push", "", False),
        ("pull_request", "true", False),
        ("pull_request_target", "true", False),
        ("workflow_run", "true", False),
        ("issue_comment", "true", False),
    ],
)
def test_github_protected(event: str, word: str, *, protected: bool) -> None:
    facts = github(GITHUB_EVENT_NAME=event, GITHUB_REF_PROTECTED=word, GITHUB_REF="refs/heads/main")
    assert facts.is_protected is protected


@pytest.mark.parametrize("data", [b"not json", b"[]", b'{"pull_request": 1}', b'{"pull_request": {"base": []}}'])
def test_github_event_that_is_not_one_is_said(data: bytes) -> None:
    env = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_PATH": "/x", "GITHUB_EVENT_NAME": "pull_request"}
    facts = ci_facts(env | {"GITHUB_BASE_REF": "main"}, read=lambda _: data)
    assert facts.notes
    assert (facts.is_change, facts.base_ref) == (True, "main")


def test_github_event_file_that_is_gone_is_said() -> None:
    env = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_PATH": "/x", "GITHUB_EVENT_NAME": "push"}
    assert "No such file" in ci_facts(env, read=unreadable).notes[0]


def test_gitlab_merge_request_on_a_protected_branch_is_a_change() -> None:
    env = {
        "GITLAB_CI": "true",
        "CI_PIPELINE_SOURCE": "merge_request_event",
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": "b" * 40,
        "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "side",
        "CI_MERGE_REQUEST_ASSIGNEES": "zoe, bob and ann",
        "CI_COMMIT_REF_PROTECTED": "true",
        "CI_COMMIT_AUTHOR": "Ada L <ada@example.org>",
        "GITLAB_USER_LOGIN": "eve",
    }
    facts = ci_facts(env, read=unreadable)
    assert (facts.is_change, facts.is_protected, facts.base_ref) == (True, False, "main")
    assert (facts.ref, facts.base_commit) == ("refs/heads/side", "b" * 40)
    assert facts.author == Actor(name="Ada L", source="gitlab:commit")
    assert [reviewer.name for reviewer in facts.reviewers] == ["ann", "bob", "zoe"]


def test_gitlab_push_to_a_protected_branch() -> None:
    env = {"GITLAB_CI": "true", "CI_PIPELINE_SOURCE": "push", "CI_COMMIT_BRANCH": "main"}
    facts = ci_facts(env | {"CI_COMMIT_REF_PROTECTED": "true"}, read=unreadable)
    assert (facts.is_protected, facts.ref) == (True, "refs/heads/main")
    assert not ci_facts(env, read=unreadable).is_protected


@pytest.mark.parametrize(
    ("env", "provider", "ref"),
    [
        (
            {
                "TF_BUILD": "True",
                "BUILD_REASON": "PullRequest",
                "SYSTEM_PULLREQUEST_TARGETBRANCH": "refs/heads/main",
                "BUILD_SOURCEBRANCH": "refs/pull/3/merge",
            },
            "azure",
            "refs/pull/3/merge",
        ),
        (
            {
                "BITBUCKET_BUILD_NUMBER": "1",
                "BITBUCKET_PR_ID": "3",
                "BITBUCKET_PR_DESTINATION_BRANCH": "main",
                "BITBUCKET_BRANCH": "side",
            },
            "bitbucket",
            "refs/heads/side",
        ),
        (
            {"JENKINS_URL": "x", "CHANGE_ID": "3", "CHANGE_TARGET": "main", "CHANGE_BRANCH": "side"},
            "jenkins",
            "refs/heads/side",
        ),
    ],
)
def test_changes_elsewhere(env: dict[str, str], provider: str, ref: str) -> None:
    facts = ci_facts(env, read=unreadable)
    assert (facts.provider, facts.is_change, facts.base_ref, facts.ref) == (provider, True, "main", ref)
    assert not facts.is_protected


def test_jenkins_tells_a_fork() -> None:
    change = {"JENKINS_URL": "x", "CHANGE_ID": "3", "CHANGE_TARGET": "main"}
    assert not ci_facts(change, read=unreadable).is_fork
    assert ci_facts({**change, "CHANGE_FORK": "someone"}, read=unreadable).is_fork
    assert not ci_facts({"JENKINS_URL": "x", "CHANGE_FORK": "someone"}, read=unreadable).is_fork
