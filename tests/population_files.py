"""One good file of each form and kind of population, as their sources write them."""

from __future__ import annotations

import json

COMMIT, OTHER = "a" * 40, "b" * 40
DIGEST = "sha256:" + "c" * 64
EXTRACTED = 1793836800
"""Second of 2026-11-05, when all of them were taken."""


def _json(*objects: dict[str, object]) -> bytes:
    return json.dumps(list(objects), indent=1).encode()


_CSV = {
    "deployments": f"""\
repository,id,environment,deployed_at,commit,tree,artifacts,actor
example.com/shop,d-1,production,2026-10-03T14:05:09Z,{COMMIT},,{DIGEST},ada
example.com/shop,d-2,staging,2026-10-03 16:05:09+02:00,{OTHER},,,"bo"
""",
    "repositories": "repository,infrastructure,from\nexample.com/shop,no,\nexample.com/pay,,2026-10-05T00:00:00Z\n",
    "artifacts": f"repository,id,digest,released_at\nexample.com/shop,1.0/shop.whl,{DIGEST},2026-10-03T14:05:09Z\n",
    "reviews": """\
repository,id,author,merged_at,reviewer,approved_at,machine
example.com/shop,12,ada,2026-10-03T14:05:09Z,bo,2026-10-03T13:00:00Z,
example.com/shop,12,ada,2026-10-03T14:05:09Z,cy,2026-10-03T13:30:00Z,no
example.com/shop,13,bo,2026-10-04T14:05:09Z,,,
""",
    "patches": """\
advisory,patch,released_at
CVE-2026-1001,pkg:pypi/Jinja_2@3.1.6,2026-10-03T14:05:09Z
GHSA-abcd-efgh-ijkl,pkg:npm/%40acme/left-pad@1.3.0,2026-10-04T00:00:00+02:00
""",
}

_USER = {"login": "ada", "id": 1, "type": "User"}
_PULL = {
    "url": "https://api.github.com/repos/acme/shop/pulls/12",
    "number": 12,
    "state": "closed",
    "user": _USER,
    "merged_at": "2026-10-03T14:05:09Z",
    "merge_commit_sha": COMMIT,
}
_REVIEW = {
    "id": 80,
    "user": {"login": "Bo", "type": "User"},
    "state": "APPROVED",
    "submitted_at": "2026-10-03T13:00:00Z",
    "pull_request_url": _PULL["url"],
}
_GITHUB = {
    "deployments": _json(
        {
            "id": 7,
            "sha": COMMIT,
            "ref": "main",
            "environment": "production",
            "created_at": "2026-10-03T14:05:09Z",
            "creator": _USER,
            "repository_url": "https://api.github.com/repos/acme/shop",
        }
    ),
    "repositories": _json(
        {"html_url": "https://github.com/acme/shop", "archived": False, "created_at": "2020-01-01T00:00:00Z"},
        {"html_url": "https://github.com/acme/old", "archived": True, "created_at": "2020-01-01T00:00:00Z"},
    ),
    "artifacts": _json(
        {
            "url": "https://git.example.com/api/v3/repos/acme/shop/releases/1",
            "tag_name": "1.0",
            "draft": False,
            "published_at": "2026-10-03T14:05:09Z",
            "assets": [{"name": "shop.whl", "digest": DIGEST}],
        }
    ),
    "reviews": _json(
        _PULL,
        _REVIEW,
        {**_REVIEW, "id": 81, "state": "COMMENTED"},
        {**_REVIEW, "id": 82, "user": {"login": "merger[bot]", "type": "Bot"}},
        {**_PULL, "url": "https://api.github.com/repos/acme/shop/pulls/13", "number": 13, "merged_at": None},
    ),
}

_MERGE_REQUEST = {
    "project_id": 3,
    "iid": 5,
    "web_url": "https://gitlab.example.com/acme/shop/-/merge_requests/5",
    "author": {"username": "ada"},
    "merged_at": "2026-10-03T14:05:09.123Z",
    "merge_commit_sha": None,
    "squash_commit_sha": COMMIT,
    "sha": "b" * 40,
}
_GITLAB = {
    "deployments": _json(
        {
            "id": 41,
            "sha": COMMIT,
            "status": "success",
            "created_at": "2026-10-03T14:05:09.123+02:00",
            "environment": {"name": "production"},
            "user": {"username": "ada"},
        },
        {"id": 42, "sha": COMMIT, "status": "blocked", "created_at": "2026-10-03T14:05:09Z"},
    ),
    "repositories": _json(
        {"web_url": "https://gitlab.example.com/acme/shop", "archived": False, "created_at": "2020-01-01T00:00:00Z"}
    ),
    "reviews": _json(
        _MERGE_REQUEST,
        {
            "id": 9,
            "project_id": 3,
            "iid": 5,
            "approved_by": [{"user": {"username": "bo"}, "approved_at": "2026-10-03T13:00:00Z"}],
        },
    ),
}

_OWN = {
    "deployments": _json(
        {
            "repository": "example.com/shop",
            "id": 1,
            "environment": "production",
            "deployed_at": "2026-10-03T14:05:09Z",
            "artifacts": [DIGEST],
        }
    ),
    "repositories": _json({"repository": "example.com/shop", "infrastructure": False}),
    "artifacts": _json(
        {"repository": "example.com/shop", "id": "1.0", "digest": DIGEST, "released_at": "2026-10-03T14:05:09Z"}
    ),
    "reviews": _json(
        {"repository": "example.com/shop", "id": "12", "author": "ada", "merged_at": "2026-10-03T14:05:09Z"}
    ),
    "patches": _json(
        {"advisory": "CVE-2026-1001", "patch": "pkg:pypi/jinja2@3.1.6", "released_at": "2026-10-03T14:05:09Z"}
    ),
}

FILES: dict[tuple[str, str], bytes] = {
    **{("csv", kind): text.encode() for kind, text in _CSV.items()},
    **{("github", kind): data for kind, data in _GITHUB.items()},
    **{("gitlab", kind): data for kind, data in _GITLAB.items()},
    **{("json", kind): data for kind, data in _OWN.items()},
}
