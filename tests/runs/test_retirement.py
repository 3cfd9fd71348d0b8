"""Retired scanners and rules: what only they saw ends, by a signed map of the enforced layer and by nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from secgate.errors import ConfigError, SignatureError
from secgate.events import FindingAliased, FindingClosed
from secgate.retirement import NAMESPACE
from tests.product import DAY, NOW, Product, tree
from tests.runs.signed_shop import Shop
from tests.signing_support import ADA, Key, allowed, make_key, sign
from tests.unit.conftest import Git

RULE = 'version = 1\n[[retired]]\nscanner = "semgrep"\nrule = "stand-in.eval"\nreason = "noisy"\ndate = 2026-03-02\n'
SUCCESSOR = RULE + 'successor = "semgrep:stand-in.evaltext"\n'
OTHER_WEAKNESS = "CWE-917: expression language injection"


def retire(shop: Shop, text: str, key: Key | None) -> None:
    (shop.layer / "retired.toml").write_text(text)
    if key is not None:
        sign(shop.layer / "retired.toml", key, NAMESPACE)


def closed(shop: Shop) -> list[str]:
    return [event.basis for event in shop.events(FindingClosed)]


def upgrade(shop: Shop, sees: str, cwe: str = "CWE-95: code injection") -> None:
    shop.product.tool("semgrep", version="1.183.0", sees=[sees], cwe=cwe)


@pytest.fixture
def shop(product: Product, git: Git, tmp_path: Path) -> Shop:
    return Shop(product, git, tmp_path, NAMESPACE)


def test_without_a_map_what_a_dropped_rule_saw_stays_open_for_ever(shop: Shop) -> None:
    shop.run()
    upgrade(shop, "nothing")
    shop.run(2)
    assert closed(shop) == []


def test_a_finding_whose_every_witness_is_retired_is_closed_and_said(shop: Shop) -> None:
    shop.run()
    upgrade(shop, "nothing")
    retire(shop, RULE, shop.ada)
    assert "1 finding closed, since everything that saw them is retired" in shop.run(2).notes
    assert closed(shop) == ["retired"]
    shop.run(3)
    assert closed(shop) == ["retired"]


def test_the_closing_names_the_map_and_the_ledger_keeps_it(shop: Shop) -> None:
    shop.run()
    upgrade(shop, "nothing")
    retire(shop, RULE, shop.ada)
    shop.run(2)
    (event,) = shop.events(FindingClosed)
    assert shop.ledger.blob(event.retirement) == RULE.encode()


def test_a_scanner_that_is_gone_leaves_nothing_behind(shop: Shop) -> None:
    shop.run()
    shop.product.without("semgrep")
    retire(shop, RULE.replace('rule = "stand-in.eval"\n', ""), shop.ada)
    shop.run(2)
    assert closed(shop) == ["retired"]


def test_nothing_is_retired_before_its_date(shop: Shop) -> None:
    shop.run()
    upgrade(shop, "nothing")
    retire(shop, RULE.replace("2026-03-02", "2026-03-09"), shop.ada)
    shop.run(2)
    assert closed(shop) == []


def test_what_a_retired_rule_still_reports_counts_as_before(shop: Shop) -> None:
    shop.run()
    retire(shop, RULE, shop.ada)
    assert [one.first_seen_epoch_s for one in shop.run(2).findings] == [int(NOW.timestamp())]
    assert closed(shop) == []


def test_a_successor_takes_the_finding_over_with_its_clock(shop: Shop) -> None:
    shop.run()
    upgrade(shop, "eval(text", cwe=OTHER_WEAKNESS)
    retire(shop, SUCCESSOR, shop.ada)
    (finding,) = shop.run(2).findings
    assert finding.obligations[0].start_epoch_s == int(NOW.timestamp())
    assert [event.basis for event in shop.events(FindingAliased)] == ["successor"]
    assert closed(shop) == []


def test_without_a_successor_the_other_rule_begins_anew(shop: Shop) -> None:
    shop.run()
    upgrade(shop, "eval(text", cwe=OTHER_WEAKNESS)
    retire(shop, RULE, shop.ada)
    (finding,) = shop.run(2).findings
    assert finding.obligations[0].start_epoch_s == int((NOW + 2 * DAY).timestamp())
    assert closed(shop) == ["retired"]


def test_twins_go_over_one_by_one(shop: Shop) -> None:
    twice = {"app.py": "def answer(text):\n    print(eval(text))\n    print(eval(text))\n"}
    shop.git.commit(dict(twice))
    shop.run()
    upgrade(shop, "eval(text", cwe=OTHER_WEAKNESS)
    retire(shop, SUCCESSOR, shop.ada)
    findings = shop.run(2).findings
    assert [one.obligations[0].start_epoch_s for one in findings] == [int(NOW.timestamp())] * 2
    assert len(shop.events(FindingAliased)) == 2


@pytest.mark.parametrize("who", ["nobody", "eve", "stranger"])
def test_a_map_that_nobody_signed_who_counts_is_refused(shop: Shop, tmp_path: Path, who: str) -> None:
    shop.run()
    signers = {"nobody": None, "eve": shop.eve, "stranger": make_key(tmp_path / "keys", "stranger")}
    retire(shop, RULE, signers[who])
    with pytest.raises(SignatureError, match="the retirement map does not count"):
        shop.run(2)
    assert closed(shop) == []


def test_a_map_that_was_edited_after_it_was_signed_is_refused(shop: Shop) -> None:
    retire(shop, RULE, shop.ada)
    (shop.layer / "retired.toml").write_text(RULE + "\n")
    with pytest.raises(SignatureError, match="does not verify"):
        shop.run(2)


def test_a_map_by_a_key_that_was_revoked_since_is_refused(shop: Shop) -> None:
    retire(shop, RULE, shop.ada)
    (shop.layer / "revoked").write_text(f'from="20260302" {shop.ada.public}\n')
    with pytest.raises(SignatureError, match="is revoked from 2026-03-02"):
        shop.run(2)


def test_threat_02_a_tree_names_neither_signers_nor_retirements(shop: Shop) -> None:
    shop.run()
    upgrade(shop, "nothing")
    tree(shop.git.root, {"retired.toml": RULE, "allowed_signers": allowed(ADA, shop.eve), "people.toml": "version = 1"})
    sign(shop.git.root / "retired.toml", shop.eve, NAMESPACE)
    shop.git.commit()
    shop.run(2)
    assert closed(shop) == []
    retire(shop, RULE, shop.eve)
    with pytest.raises(SignatureError):
        shop.run(2)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("version = 1\n[[retired]]\nscanner = 'a'\n", "`retired.0.reason` is missing"),
        (RULE + RULE.removeprefix("version = 1\n"), "retired twice"),
        (RULE + 'successor = "semgrep:stand-in.eval"\n', "retired itself"),
        (RULE + 'successor = "semgrep"\n', "is no rule"),
        (RULE.replace('rule = "stand-in.eval"\n', "") + 'successor = "a:b"\n', "one successor"),
        (RULE.replace("noisy", " "), "no reason"),
        (RULE.replace("2026-03-02", '"soon"'), "date"),
    ],
)
def test_a_map_that_does_not_read_is_a_fault_of_the_layer(shop: Shop, text: str, what: str) -> None:
    retire(shop, text, shop.ada)
    with pytest.raises(ConfigError) as caught:
        shop.run()
    assert what in str(caught.value)
