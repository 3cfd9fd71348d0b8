"""Artefacts that were bound to runs, as a period's evidence counts them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from secgate.assertions import Evidence
from secgate.events import event_of
from secgate.evidence import EvidenceWish, ImportWish, import_population, period_evidence
from secgate.gate_events import ArtefactBound
from secgate.ledgers.sqlite import SqliteLedger
from secgate.model import RunDocument
from tests import evidence_support
from tests.attest_support import MACHINE, Pipeline
from tests.evidence_support import Made
from tests.product import DAY, NOW, Product
from tests.signing_support import allowed
from tests.unit.conftest import Git

DIGEST = "sha256:" + "a" * 64
END = 14


@pytest.fixture
def pipeline(product: Product, git: Git, tmp_path: Path) -> Pipeline:
    return Pipeline(product, git, tmp_path)


def gated(pipeline: Pipeline, days: float) -> RunDocument:
    options: dict[str, Any] = {"scope": "protected", "ref": "refs/heads/main", "enforced": str(pipeline.layer)}
    return pipeline.product.run(pipeline.git.root, now=NOW + days * DAY, **options)


def deployed(pipeline: Pipeline, *rows: tuple[str, str, float], commit: str = "") -> None:
    """Import deployments: name, digest, and how many days after the first run."""
    head = "repository,id,environment,deployed_at,commit,artifacts\n"
    lines = [
        f"{pipeline.git.root.name},{name},production,{NOW + days * DAY:%Y-%m-%dT%H:%M:%SZ},{commit},{digest}\n"
        for name, digest, days in rows
    ]
    file = pipeline.home / "deployments.csv"
    file.write_text(head + "".join(lines))
    wish = ImportWish(
        kind="deployments",
        file=str(file),
        source="deploy service",
        query="all",
        extracted=NOW + END * DAY,
        start=NOW,
        end=NOW + END * DAY,
    )
    import_population(wish, place=pipeline.place, machine=pipeline.product.machine(), now=NOW + END * DAY)


def change_gated(pipeline: Pipeline) -> Evidence:
    wish = EvidenceWish(start=NOW, end=NOW + END * DAY)
    now = NOW + (END + 1) * DAY
    found = period_evidence(wish, place=pipeline.place, machine=pipeline.product.machine(), now=now)
    return next(one for one in found.assertions if one.assertion == "change.gated")


def bad(evidence: Evidence) -> set[tuple[str, str]]:
    return {(one.item.partition("#")[2], one.exception) for one in evidence.deviations}


def test_a_deployment_is_tied_to_its_run_by_what_was_bound_before_it(pipeline: Pipeline) -> None:
    gated(pipeline, 0)
    pipeline.bind(DIGEST, days=2)
    deployed(pipeline, ("after", DIGEST, 3), ("before", DIGEST, 1), ("never", "sha256:" + "b" * 64, 3))
    told = change_gated(pipeline)
    assert bad(told) == {("before", "no_run"), ("never", "no_run")}
    assert (told.population, told.tested) == (3, 3)


@pytest.mark.parametrize("why", ["stranger", "revoked", "nobody", "erased"])
def test_a_binding_that_does_not_count_ties_nothing(pipeline: Pipeline, why: str) -> None:
    gated(pipeline, 0)
    pipeline.bind(DIGEST, days=2)
    deployed(pipeline, ("one", DIGEST, 3))
    line = allowed(MACHINE, pipeline.key, 'namespaces="in-toto"')
    match why:
        case "stranger":
            pipeline.trust(allowed(MACHINE, pipeline.stranger, 'namespaces="in-toto"'))
        case "revoked":
            pipeline.trust(line, revoked=f'from="20260302120000" {pipeline.key.public} stolen\n')
        case "nobody":
            pipeline.trust()
        case _:
            erase(pipeline)
    told = change_gated(pipeline)
    assert bad(told) == {("one", "no_run")}
    assert [note for note in told.notes if "for nobody" in note or "for nothing" in note]


def test_a_key_that_was_revoked_later_ended_nothing_that_the_ledger_had(pipeline: Pipeline) -> None:
    gated(pipeline, 0)
    pipeline.bind(DIGEST, days=2)
    deployed(pipeline, ("one", DIGEST, 3))
    line = allowed(MACHINE, pipeline.key, 'namespaces="in-toto"')
    pipeline.trust(line, revoked=f'from="20260310120000" {pipeline.key.public} stolen\n')
    assert bad(change_gated(pipeline)) == set()


def test_another_artefact_of_a_commit_whose_artefacts_are_known_is_a_mismatch(pipeline: Pipeline) -> None:
    gated(pipeline, 0)
    pipeline.bind(DIGEST, days=2)
    other = "sha256:" + "b" * 64
    deployed(pipeline, ("mine", DIGEST, 3), ("other", other, 3), ("early", other, 1), commit=pipeline.commit)
    assert bad(change_gated(pipeline)) == {("other", "digest_mismatch")}


def test_a_binding_to_a_run_that_the_ledger_does_not_have_is_noted_and_ties_nothing(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    gated(pipeline, 0)
    bound = pipeline.bind(DIGEST, days=2)
    ledger = SqliteLedger(str(pipeline.git.root / ".git" / "secgate" / "ledger.sqlite"), read_only=True)
    (event,) = [one for entry in ledger.read() if isinstance(one := event_of(entry), ArtefactBound)]
    made = Made(tmp_path, "another")
    made.say(event, at=0, blobs={event.statement_digest: bound.made.data})
    start, end = (datetime.fromtimestamp(at, tz=UTC) for at in (evidence_support.START, evidence_support.END))
    wish = EvidenceWish(start=start, end=end, ledgers=(str(made.path),))
    found = period_evidence(wish, place=pipeline.place, machine=pipeline.product.machine(), now=end)
    told = next(one for one in found.assertions if one.assertion == "change.gated")
    why = "no run of the ledger was of the commit that it names"
    assert told.notes == (f"entry 1 of {made.path} (artefact-bound) counts for nothing: {why}",)


def erase(pipeline: Pipeline) -> None:
    """Take the attestation's blob out of the store, as whoever may erase does."""
    import sqlite3

    file = pipeline.git.root / ".git" / "secgate" / "ledger.sqlite"
    ledger = SqliteLedger(str(file), read_only=True)
    digest = next(one for one in ledger.blobs() if ledger.blob(one).startswith(b'{"payload"'))
    with sqlite3.connect(file) as database:
        database.execute("DELETE FROM blob WHERE digest = ?", (digest,))
    database.close()
