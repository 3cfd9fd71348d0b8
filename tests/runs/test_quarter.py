"""A quarter drawn from a seed: evidence finds every deviation that was planted and invents none.

Two sides say what evidence must say. Whoever plants notes each deviation; the oracle works all of it out from the plan
by arithmetic of its own. They must agree, and evidence with both.
"""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from secgate.ledgers.sqlite import SqliteLedger
from tests.product import Product
from tests.quarter import drawing, judging, oracle, plan, quiet, writing
from tests.quarter.plan import Plan
from tests.quarter.sections import sections
from tests.quarter.writing import Written
from tests.signing_support import KEYGEN, Key

SMALL: dict[str, Any] = {"repositories": 3, "runs": 150, "ledgers": 2}
LISTS = ("", "deployments", "repositories", "reviews", "artifacts", "patches", "notices")


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Key]:
    if not KEYGEN:
        pytest.skip("no ssh-keygen")
    return writing.make_keys(drawing.draw(0, **SMALL), tmp_path_factory.mktemp("keys"))


class Quarter(NamedTuple):
    """A plan, and where it is written down."""

    plan: Plan
    product: Product
    written: Written

    def ask(self, *words: str) -> bytes:
        """Give what a command says of it."""
        ended = self.product.cli(*words, *writing.arguments(self.plan, self.written), at=writing.later(self.plan))
        assert ended.code == 0, ended
        return ended.data

    def evidence(self) -> bytes:
        return self.ask("evidence", "check", "--format", "json")

    def report(self, framework: str) -> bytes:
        folder = self.product.home / framework
        moment = writing.later(self.plan).isoformat()
        self.ask("report", framework, "--generated-at", moment, "--format", "json", "-o", str(folder))
        return (folder / "report.json").read_bytes()


def quarter(made: Plan, product: Product, keys: Mapping[str, Key]) -> Quarter:
    return Quarter(made, product, writing.write(made, product.home / "made", machine=product.machine(), keys=keys))


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory, keys: Mapping[str, Key]) -> Quarter:
    return quarter(drawing.draw(0, **SMALL), Product(tmp_path_factory.mktemp("home")), keys)


@pytest.fixture(scope="module")
def told(first: Quarter) -> bytes:
    return first.evidence()


def test_evidence_finds_what_was_planted_and_invents_nothing(first: Quarter, told: bytes) -> None:
    expected = oracle.expected(first.plan)
    said = judging.of_evidence(told)
    assert set(said) == set(expected)
    assert judging.differences(said, expected, first.written.names) == []


@pytest.mark.parametrize(("seed", "short"), [(1, "deployments"), (2, "repositories")])
def test_evidence_of_other_quarters(seed: int, short: str, product: Product, keys: Mapping[str, Key]) -> None:
    found = quarter(drawing.draw(seed, short=short, **SMALL), product, keys)
    said = judging.of_evidence(found.evidence())
    assert judging.differences(said, oracle.expected(found.plan), found.written.names) == []


MONTHS = {"quiet, but for one": quiet.quiet, "silent": quiet.silent, "alone": quiet.alone}


@pytest.mark.parametrize("name", MONTHS)
def test_evidence_of_a_month_in_which_nothing_deviates(name: str, product: Product, keys: Mapping[str, Key]) -> None:
    found = quarter(MONTHS[name](), product, keys)
    said = judging.of_evidence(found.evidence())
    assert judging.differences(said, oracle.expected(found.plan), found.written.names) == []
    # What nobody told of, and what is still in its time, is not tested: never a pass.
    assert all(one["tested"] == one["population"] > 0 for one in said.values() if one["result"] == "no_deviation")


def test_each_assertion_is_judged_where_it_deviates_where_it_does_not_and_where_nobody_can_tell() -> None:
    """By the plans that are written down here, so that evidence has said each of it."""
    written = [drawing.draw(0, **SMALL), *(make() for make in MONTHS.values())]
    judged = [oracle.expected(one) for one in written]
    for name in judged[0]:
        results = {one[name].result for one in judged}
        assert {"deviation", "no_deviation"} < results, (name, results)
        assert results & {"not_tested", "no_occurrence"}, (name, results)
    assert {name for name, _ in written[0].spared} == set(judged[0])


@pytest.fixture(scope="module")
def reports(first: Quarter) -> Mapping[str, bytes]:
    return {framework: first.report(framework) for framework in ("soc2", "pci-dss")}


def test_reports_find_what_was_planted_and_invent_nothing(first: Quarter, reports: Mapping[str, bytes]) -> None:
    expected, wanted = oracle.expected(first.plan), sections(first.plan)
    seen: set[str] = set()
    for data in reports.values():
        said = judging.of_report(data)
        seen.update(said)
        assert judging.differences(said, expected, first.written.names) == []
        assert judging.section_differences(data, wanted, first.written.names) == []
    assert seen == set(expected)


def test_every_row_leads_to_entries_and_to_what_is_kept_beside_them(
    first: Quarter, reports: Mapping[str, bytes]
) -> None:
    ledgers = {}
    for place in first.written.ledgers:
        ledger = SqliteLedger(place)
        lines = [entry.data for entry in ledger.read()]
        ledgers[json.loads(lines[0])["body"]["ledger_id"]] = lines, frozenset(ledger.blobs())
    for data in reports.values():
        report = json.loads(data)
        rows = {(one["ledger_id"], one["sequence"]): one for one in report["entries"]}
        for (ledger_id, sequence), row in rows.items():
            lines, kept = ledgers[ledger_id]
            assert sha256(b"\0" + lines[sequence]).hexdigest() == row["leaf"]
            assert json.loads(lines[sequence])["type"] == row["type"]
            lost = set(row["bodies"]) - kept
            assert not lost or row["type"] in ("run", "inventory-stored"), row
        for population in report["populations"]:
            for item in population["items"]:
                types = [rows[one["ledger_id"], one["sequence"]]["type"] for one in item["entries"]]
                missing = _NAMED.get(population["assertion"], set()) - {*types, *_unsaid(item["facts"])}
                assert types or population["assertion"] in _MAY_BE_NOBODYS, item
                assert not missing or "finding-split" in types, (item, missing)


_MAY_BE_NOBODYS = ("review.periodic", "ledger.integrity")
"""A month without a review, and a checkpoint over more than the ledger has."""
_NAMED = {
    "vuln.sla": {"obligation", "finding-closed"},
    "vuln.superseded": {"obligation-superseded"},
    "breach.notified": {"notification-sent"},
    "secret.response": {"secret-revoked"},
    "change.override_approved": {"override-given"},
}
"""Types of entries that an item's facts come from."""


def _unsaid(facts: Mapping[str, Any]) -> Iterator[str]:
    """Give types of which an item's own facts say that there is none."""
    for name, kind in (
        ("closed_epoch_s", "finding-closed"),
        ("notified_epoch_s", "notification-sent"),
        ("revoked_epoch_s", "secret-revoked"),
    ):
        if not facts.get(name):
            yield kind


@pytest.mark.parametrize("short", LISTS)
@pytest.mark.parametrize("seed", range(12))
def test_whoever_plants_and_the_oracle_agree(seed: int, short: str) -> None:
    made = drawing.draw(seed, short=short, **SMALL)
    expected = oracle.expected(made)
    decided = {name for name, one in expected.items() if one.tested}
    found = {(name, item, word) for name, one in expected.items() for item, word in one.deviations}
    assert found == {one for one in made.planted if one[0] in decided}
    assert made.spared & {(name, item) for name, item, _ in found} == set()
    assert oracle.Oracle(made).dismissed() == made.dismissed
    assert len(made.dismissed) > len({item for item, _ in made.dismissed}) > 0


def test_every_exception_of_what_can_be_tested_is_planted() -> None:
    made = drawing.draw(1, **SMALL), drawing.draw(4, **SMALL)
    planted = {(name, word) for one in made for name, _, word in one.planted}
    # Without a reason it is no override, which a note says, and what passed under it deviates.
    never = {("change.override_approved", "no_reason"), ("ledger.integrity", "no_timestamp")}
    mapping = json.loads((Path(__file__).parents[2] / "policies" / "controls" / "assertions.json").read_bytes())
    named = {(one["id"], word) for one in mapping["assertions"] for word in one["exception_when"]}
    assert planted == named - never


def test_quarters_differ_in_what_no_quarter_can_be_at_once() -> None:
    """A ledger in git or none, patches that were late or none: those that are written down have each of them."""
    made = {seed: drawing.draw(seed, **SMALL) for seed in (0, 1, 2)}
    assert {seed: one.in_git for seed, one in made.items()} == {0: "", 1: "ledger-1", 2: ""}
    told = {seed: oracle.expected(one)["vuln.patch_release"].result for seed, one in made.items()}
    assert told == {0: "deviation", 1: "deviation", 2: "not_tested"}


def test_a_seed_gives_one_plan() -> None:
    assert drawing.draw(3, **SMALL) == drawing.draw(3, **SMALL)
    assert drawing.draw(3, **SMALL) != drawing.draw(4, **SMALL)


@pytest.mark.parametrize("name", ["change.gated", "vuln.sla", "scan.ran", "exception.governed", "ledger.integrity"])
def test_what_hides_or_invents_a_deviation_is_caught(first: Quarter, told: bytes, name: str) -> None:
    expected = oracle.expected(first.plan)
    said = json.loads(json.dumps(judging.of_evidence(told)))
    hidden = said[name]["deviations"].pop()
    assert judging.differences(said, expected, first.written.names)[0].startswith(f"{name}: deviations: it misses 1:")
    said[name]["deviations"] += [hidden, {**hidden, "item": said[name]["items"][0], "exception": "made up"}]
    assert judging.differences(said, expected, first.written.names)[0].startswith(f"{name}: deviations: it invents 1:")


@pytest.mark.parametrize("module", [oracle, plan, judging])
def test_the_oracle_knows_nothing_of_secgate(module: Any) -> None:
    """It and all that it imports: the standard library, and files of which the same is true."""
    seen: set[str] = set()
    waiting = [module.__name__]
    while waiting:
        name = waiting.pop()
        seen.add(name)
        file = Path(__file__).parents[2].joinpath(*name.split(".")).with_suffix(".py")
        for node in ast.walk(ast.parse(file.read_text())):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            ours = {one for one in names if one.partition(".")[0] not in sys.stdlib_module_names}
            assert all(one.startswith("tests.quarter.") for one in ours), (name, ours)
            waiting += sorted(ours - seen)
    assert seen <= {f"tests.quarter.{one}" for one in ("oracle", "plan", "judging", "sections")}
