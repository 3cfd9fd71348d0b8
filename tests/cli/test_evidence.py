"""`secgate evidence` as its users call it."""

from __future__ import annotations

from pathlib import Path

import pytest

from secgate.ledgers.sqlite import SqliteLedger
from secgate.memory import Memory
from secgate.population import read_stored
from tests.population_files import FILES
from tests.product import Ended, Product
from tests.unit.conftest import Git

WORDS = ("--source", "deploy service", "--query", "all of production", "--extracted-at", "2026-11-01T06:00:00Z")
PERIOD = ("--from", "2026-10-01", "--to", "2026-11-01")


@pytest.fixture
def lists(product: Product, git: Git) -> Path:
    """A repository with a ledger, and lists in the folder that commands are called in."""
    git.commit({"app.py": "x = 1\n"})
    assert product.cli("ledger", "init", "--path", str(git.root)).code == 0
    for (form, kind), data in FILES.items():
        (product.home / f"{form}-{kind}.{'csv' if form == 'csv' else 'json'}").write_bytes(data)
    return git.root


def take(product: Product, root: Path, kind: str, file: str, *more: str) -> Ended:
    return product.cli("evidence", "import", kind, file, *WORDS, *more, "--path", str(root))


def memory(root: Path) -> tuple[SqliteLedger, Memory]:
    ledger = SqliteLedger(str(root / ".git" / "secgate" / "ledger.sqlite"), read_only=True)
    found = Memory()
    found.catch_up(ledger)
    return ledger, found


def test_a_list_is_kept_with_where_it_comes_from(product: Product, lists: Path) -> None:
    ended = take(product, lists, "deployments", "csv-deployments.csv", *PERIOD, "--environment", "production")
    assert ended.code == 0, ended
    assert ended.out.startswith("deployments: 1 row imported\n")
    assert "left out: 1 another environment" in ended.out
    assert "1 person is unknown to people.toml" in ended.out
    ledger, found = memory(lists)
    (known,) = found.populations
    assert (known.event.source, known.event.query) == ("deploy service", "all of production")
    assert (known.event.read, known.event.rows, known.event.environments) == (2, 1, ("production",))
    (row,) = read_stored(ledger.blob(known.event.rows_digest))
    assert (row.repository, row.name) == ("example.com/shop", "d-1")


def test_the_same_file_again_changes_nothing(product: Product, lists: Path) -> None:
    take(product, lists, "repositories", "csv-repositories.csv")
    before = memory(lists)[1].head
    ended = take(product, lists, "repositories", "csv-repositories.csv")
    assert ended.code == 0
    assert ended.out.startswith("repositories: 2 rows there already\n")
    assert memory(lists)[1].head == before


@pytest.mark.parametrize("form", ["github", "gitlab"])
def test_answers_of_forges_are_taken(product: Product, lists: Path, form: str) -> None:
    ended = take(product, lists, "reviews", f"{form}-reviews.json", "--form", form, *PERIOD)
    assert (ended.code, ended.err) == (0, ""), ended
    assert len(memory(lists)[1].populations) == 1


@pytest.mark.parametrize(
    ("file", "more", "said"),
    [
        ("absent.csv", PERIOD, "absent.csv: it cannot be read: No such file"),
        (".", (*PERIOD, "--form", "csv"), "this is no regular file"),
        ("list.txt", PERIOD, "the file's name does not tell its form"),
        ("csv-deployments.csv", (), "nothing says which period the list holds"),
        ("csv-deployments.csv", ("--from", "2026-10-05", "--to", "2026-10-01"), "ends before it begins"),
        ("csv-deployments.csv", ("--from", "2026-10-01", "--to", "2026-12-01"), "taken before the"),
        ("csv-deployments.csv", ("--from", "2026-10-01T00:00", "--to", "2026-11-01"), "has no zone"),
        ("csv-deployments.csv", ("--from", "yesterday", "--to", "2026-11-01"), "is no time"),
        ("csv-deployments.csv", ("--from", "2026-10-04", "--to", "2026-11-01"), ".csv:2: its time is"),
        ("csv-repositories.csv", PERIOD, "repositories are as of --extracted-at"),
        ("csv-artifacts.csv", (*PERIOD, "--environment", "production"), "artifacts have none"),
        ("csv-artifacts.csv", (*PERIOD, "--form", "gitlab"), "the form gitlab has no artifacts"),
        ("csv-artifacts.csv", (*PERIOD, "--form", "xlsx"), "there is no form `xlsx`"),
        ("csv-artifacts.csv", (*PERIOD, "--query", "https://a:b@example.com"), "looks like a credential"),
        ("csv-artifacts.csv", (*PERIOD, "--query", "by ada@example.org"), "looks like a credential"),
        ("csv-artifacts.csv", (*PERIOD, "--extracted-at", "2999-01-01"), "it lies ahead"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_written(
    product: Product, lists: Path, file: str, more: tuple[str, ...], said: str
) -> None:
    kind = file.removeprefix("csv-").removesuffix(".csv") if file.startswith("csv-") else "deployments"
    before = memory(lists)[1].head
    ended = take(product, lists, kind, file, *more)
    assert (ended.code, ended.out) == (2, ""), ended
    assert said in ended.err
    assert "try: " in ended.err
    assert memory(lists)[1].head == before


def test_without_a_ledger_there_is_nothing_to_keep_it_in(product: Product, git: Git) -> None:
    git.commit({"app.py": "x = 1\n"})
    (product.home / "r.csv").write_bytes(FILES["csv", "repositories"])
    ended = take(product, git.root, "repositories", "r.csv")
    assert ended.code == 5
    assert "there is no ledger to keep it in" in ended.err
