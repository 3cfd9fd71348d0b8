"""Records become rows, strictly: what is wrong is said with its line, and nobody's name is kept."""

from __future__ import annotations

from typing import Any, cast

import pytest

from secgate import registry
from secgate.errors import ConfigError
from secgate.people import read_people
from secgate.population import (
    Change,
    Deployment,
    Imported,
    PopulationImported,
    joined,
    key_of,
    read_stored,
    stored,
)
from secgate.population_records import Rows, Scope, provided, rows_of
from tests.population_files import COMMIT, DIGEST, EXTRACTED, FILES

PEOPLE = read_people(
    b"""version = 1
[people.p-1]
emails = ["ada@example.org"]
handles = { github = ["Ada"], gitlab = ["ada"] }
[people.p-2]
handles = { github = ["bo"] }
"""
)


def made(form: str, kind: str, data: bytes | None = None, *, scope: Scope | None = None, **given: Any) -> Rows:
    reader = registry.population(form)
    read = reader.read(FILES[(form, kind)] if data is None else data, cast("Any", kind), place="f.csv")
    named = provided(read, given.pop("repositories", ()))
    return rows_of(
        cast("Any", kind),
        named,
        scope=scope or Scope(EXTRACTED),
        people=PEOPLE,
        provider=reader.provider,
        place="f.csv",
        **given,
    )


def faults(form: str, kind: str, data: str, **given: Any) -> list[tuple[str, str, str]]:
    with pytest.raises(ConfigError) as caught:
        made(form, kind, data.encode(), **given)
    assert all(remedy for _, _, remedy in caught.value.faults)
    return list(caught.value.faults)


def deployments(**changes: str) -> str:
    row = {
        "repository": "example.com/shop",
        "id": "d-1",
        "environment": "production",
        "deployed_at": "2026-10-03T14:05:09Z",
        "commit": COMMIT,
    } | changes
    return f"{','.join(row)}\n{','.join(row.values())}\n"


def test_people_are_ids_and_strangers_are_told_apart_within_a_file() -> None:
    rows = cast("tuple[Change, ...]", made("csv", "reviews").rows)
    assert [row.author for row in rows] == ["unknown-1", "unknown-2"]
    assert [one.reviewer for one in rows[0].approvals] == ["unknown-2", "unknown-3"]
    found = made("github", "reviews")
    change = cast("Change", found.rows[0])
    assert change.author == "p-1"
    assert [(one.reviewer, one.machine) for one in change.approvals] == [("p-2", False), ("unknown-1", True)]
    assert found.unknown_people == 1
    assert found.left_out == {"closed, not merged": 1, "review that approves nothing": 1}


@pytest.mark.parametrize("name", ["p-1", "ada@example.org", "github:ADA", "gitlab:ada"])
def test_a_table_names_a_person_in_any_of_their_names(name: str) -> None:
    (row,) = made("csv", "deployments", deployments(actor=name).encode()).rows
    assert cast("Deployment", row).actor == "p-1"


def test_no_name_of_a_source_is_in_what_is_stored() -> None:
    for (form, kind), data in FILES.items():
        rows = made(form, kind, data, repositories=("example.com/shop",)).rows
        kept = stored(cast("Any", kind), rows)
        assert not any(name in kept for name in (b'"ada"', b'"bo"', b'"Bo"', b"merger")), kept
        assert set(read_stored(kept)) == set(rows)


def test_what_interfaces_call_things_is_what_runs_call_them() -> None:
    assert {row.repository for row in made("github", "deployments").rows} == {"github.com/acme/shop"}
    assert {row.repository for row in made("github", "artifacts").rows} == {"git.example.com/acme/shop"}
    assert {row.repository for row in made("gitlab", "reviews").rows} == {"gitlab.example.com/acme/shop"}
    (change,) = made("gitlab", "reviews").rows
    assert cast("Change", change).commit == COMMIT, "a squash that was fast-forwarded has no merge commit"
    (deployed,) = made("gitlab", "deployments", repositories=("gitlab.example.com/acme/shop",)).rows
    assert cast("Deployment", deployed).deployed_epoch_s == 1_791_029_109


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"deployed_at": "2026-10-03T14:05:09"}, "`deployed_at` has no zone"),
        ({"deployed_at": "2026-10-03"}, "`deployed_at` is no time"),
        ({"deployed_at": "03.10.2026 14:05"}, "`deployed_at` is no time"),
        ({"deployed_at": "1791029109"}, "`deployed_at` is no time"),
        ({"deployed_at": "1960-10-03T14:05:09Z"}, "`deployed_at` lies before 1970"),
        ({"deployed_at": ""}, "`deployed_at` is empty"),
        ({"id": "=HYPERLINK(1)"}, "`id` begins with `=`"),
        ({"environment": "@prod"}, "`environment` begins with `@`"),
        ({"environment": "prod\u202e"}, "`environment` holds what cannot be printed"),
        ({"environment": " production"}, "`environment` has white space around it"),
        ({"id": "x" * 301}, "`id` has more than 300 characters"),
        ({"commit": "abc123"}, "`commit` is no object id"),
        ({"commit": COMMIT.upper()}, "`commit` is no object id"),
        ({"commit": ""}, "nothing says what was deployed"),
        ({"artifacts": "md5:00"}, "`artifacts` has what is no digest"),
        ({"repository": "https://example.com/shop.git"}, "`repository` is an address"),
        ({"colour": "red"}, "there is no column `colour`"),
    ],
)
def test_what_is_wrong_with_a_row_is_said_with_its_line(changes: dict[str, str], said: str) -> None:
    found = faults("csv", "deployments", deployments(**changes))
    assert [(place, what.startswith(said)) for place, what, _ in found] == [
        ("f.csv:1" if "colour" in changes else "f.csv:2", True)
    ]


def test_every_fault_is_told_at_once_and_the_first_fifty_are_shown() -> None:
    rows = "".join(f"example.com/shop,d-{n},production,never\n" for n in range(60))
    with pytest.raises(ConfigError) as caught:
        made("csv", "deployments", f"repository,id,environment,deployed_at\n{rows}".encode())
    assert len(caught.value.faults) == 50
    assert caught.value.what.startswith("120 faults")


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("repository,id\n", "f.csv:1", "the column `deployed_at` is missing"),
        ("repository,id,id,environment,deployed_at\n", "f.csv:1", "the column `id` is there twice"),
        (deployments().replace(",", ";"), "f.csv:1", "its cells are separated by semicolons"),
        (deployments().replace(",", "\t"), "f.csv:1", "its cells are separated by tabs"),
        (f"{deployments()}a,b\n", "f.csv:3", "the row has 2 cells, and the header 5"),
        (f'{deployments()}a,"b\n', "f.csv:3", "it is no table"),
        (deployments() + deployments().splitlines()[1] + "\n", "f.csv:3", "`d-1` is there already, in line 2"),
    ],
)
def test_what_is_wrong_with_a_table_is_said(text: str, place: str, said: str) -> None:
    assert any(one[0] == place and one[1].startswith(said) for one in faults("csv", "deployments", text))


@pytest.mark.parametrize(
    ("form", "text"), [("csv", "repository\nexample.com/shop\n"), ("json", '[{"repository":"example.com/shop"}]')]
)
def test_a_list_of_nothing_but_what_every_row_has_is_taken(form: str, text: str) -> None:
    """One column is no row whose cells another mark separates."""
    assert [row.repository for row in made(form, "repositories", text.encode()).rows] == ["example.com/shop"]


def test_a_row_outside_of_what_the_list_holds_is_refused() -> None:
    at = 1_791_036_309
    spans: list[tuple[Any, ...]] = [(at + 1, at + 9), (at - 9, at), (0, 0, ("example.com/pay",))]
    for said in spans:
        assert len(faults("csv", "deployments", deployments(), scope=Scope(EXTRACTED, *said))) == 1
    assert made("csv", "deployments", deployments().encode(), scope=Scope(EXTRACTED, at, at + 1)).rows


def test_a_patch_is_a_version_of_a_package_by_its_usual_name() -> None:
    found = made("csv", "patches").rows
    assert [key_of(row) for row in found] == [
        "CVE-2026-1001 PyPI/jinja-2@3.1.6",
        "GHSA-ABCD-EFGH-IJKL npm/@acme/left-pad@1.3.0",
    ]
    assert [(row.repository, row.at_epoch_s) for row in found] == [("", 0), ("", 0)]
    assert read_stored(stored("patches", found)) == found


@pytest.mark.parametrize(
    ("patch", "at", "said"),
    [
        ("jinja2==3.1.6", "2026-10-03T14:05:09Z", "`patch` is no version of a package"),
        ("pkg:pypi/jinja2", "2026-10-03T14:05:09Z", "`patch` is no version of a package"),
        ("pkg:docker/debian@12", "2026-10-03T14:05:09Z", "`patch` is no version of a package"),
        ("pkg:pypi/jinja2@3.1.6", "2026-10-03", "`released_at` is no time: 2026-10-03"),
        ("pkg:pypi/jinja2@3.1.6", "2026-11-05T00:00:01Z", "it came out after --extracted-at"),
        ("", "2026-10-03T14:05:09Z", "`patch` is empty"),
    ],
)
def test_what_is_no_release_of_a_patch_is_refused(patch: str, at: str, said: str) -> None:
    text = f"advisory,patch,released_at\nCVE-2026-1,{patch},{at}\n"
    assert [(place, what) for place, what, _ in faults("csv", "patches", text)] == [("f.csv:2", said)]


def test_other_environments_are_left_out_and_counted() -> None:
    found = made("csv", "deployments", scope=Scope(EXTRACTED, environments=("production",)))
    assert len(found.rows) == 1
    assert found.left_out == {"another environment": 1}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("example.com/shop,12,bo,2026-10-03T14:05:09Z,cy,2026-10-03T13:30:00Z", "another author, time or commit"),
        ("example.com/shop,12,ada,2026-10-03T14:05:09Z,bo,2026-10-03T13:00:00Z", "it says again what line 2 says"),
        ("example.com/shop,12,ada,2026-10-03T14:05:09Z,,", "it says again what line 2 says"),
        ("example.com/shop,14,ada,2026-10-03T14:05:09Z,bo,", "`approved_at` is empty"),
        ("example.com/shop,14,ada,2026-10-03T14:05:09Z,,2026-10-03T13:00:00Z", "`approved_at` without a `reviewer`"),
    ],
)
def test_approvals_of_one_change_agree(row: str, said: str) -> None:
    head = "repository,id,author,merged_at,reviewer,approved_at\n"
    first = "example.com/shop,12,ada,2026-10-03T14:05:09Z,bo,2026-10-03T13:00:00Z\n"
    (fault,) = faults("csv", "reviews", f"{head}{first}{row}\n")
    assert fault[0] == "f.csv:3"
    assert fault[1].startswith(said)


@pytest.mark.parametrize(
    ("form", "drop", "said"),
    [
        ("github", 0, "the pull request of this review is not in the array"),
        ("gitlab", 0, "the merge request of these approvals is not in the array"),
    ],
)
def test_reviews_of_what_is_not_there_are_refused(form: str, drop: int, said: str) -> None:
    import json

    objects = json.loads(FILES[(form, "reviews")])
    del objects[drop]
    assert said in [what for _, what, _ in faults(form, "reviews", json.dumps(objects))]


def test_an_approval_without_a_time_is_a_fault_that_says_what_to_do() -> None:
    data = FILES["gitlab", "reviews"].decode().replace("approved_at", "earlier_versions_do_not_say")
    (fault,) = [fault for fault in faults("gitlab", "reviews", data) if "when merge request 5 was approved" in fault[1]]
    assert fault[2] == "take the times from its notes, and give the list as csv"


def test_a_list_of_one_repository_says_how_to_name_it() -> None:
    (fault,) = faults("gitlab", "deployments", FILES["gitlab", "deployments"].decode())
    assert fault[1:] == ("`repository` is empty", "name it with --repository, where all are of one")


def test_what_an_interface_leaves_out_is_a_fault_and_no_guess() -> None:
    found = faults("github", "deployments", '[\n{"id": 7,\n "environment": {}}]')
    assert {(place, what) for place, what, _ in found} >= {
        ("f.csv:2", "`sha` is missing"),
        ("f.csv:2", "`environment` is no text"),
        ("f.csv:2", "`created_at` is missing"),
    }


# --------------------------------------------------------------------------------------------------------- put together


def imported(rows: tuple[Deployment, ...], start: int, end: int, *repositories: str, sequence: int = 1) -> Imported:
    event = PopulationImported(
        kind="deployments",
        form="csv",
        source="a",
        query="b",
        extracted_epoch_s=end,
        from_epoch_s=start,
        to_epoch_s=end,
        repositories=repositories,
        source_digest="0" * 64,
        rows_digest="0" * 64,
        rows=len(rows),
        read=len(rows),
        secgate_version="1",
    )
    return Imported(event, sequence, 0, rows)


def deployed(name: str, at: int) -> Deployment:
    return Deployment(
        repository="r", name=name, environment="p", commit=COMMIT, artifacts=(DIGEST,), deployed_epoch_s=at
    )


def test_later_lists_add_and_replace_and_take_nothing_away() -> None:
    whole = joined(
        [imported((deployed("1", 5), deployed("2", 6)), 0, 10), imported((deployed("2", 7), deployed("3", 8)), 5, 20)]
    )
    assert [(row.name, row.at_epoch_s) for row in whole.rows] == [("1", 5), ("2", 7), ("3", 8)]
    assert whole.changed == ("r#2",)


@pytest.mark.parametrize(
    ("imports", "missing"),
    [
        ([(0, 30)], ()),
        ([(10, 20)], ()),
        ([(15, 20), (10, 15)], ()),
        ([(10, 14), (16, 20)], (("", 14, 16),)),
        ([(0, 5)], (("", 10, 20),)),
        ([(11, 19)], (("", 10, 11), ("", 19, 20))),
        ([(10, 20, "a"), (10, 15, "b")], (("b", 15, 20),)),
        ([(10, 20, "a"), (10, 15)], (("", 15, 20),)),
    ],
)
def test_what_of_a_period_nobody_gave_is_told(imports: list[tuple[Any, ...]], missing: tuple[Any, ...]) -> None:
    whole = joined([imported((), *one) for one in imports])
    assert whole.missing(10, 20) == missing
