"""Retired scanners and rules: what only they saw ends, by a signed map of the enforced layer and by nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from secgate.errors import ConfigError, SignatureError
from secgate.events import FindingAliased, FindingClosed, from_envelope
from secgate.ledgers.sqlite import SqliteLedger
from secgate.merkle import envelope_of
from secgate.model import RunDocument
from secgate.retirement import NAMESPACE
from tests.product import DAY, NOW, WEAK, Product, tree
from tests.signing_support import ADA, EVE, Key, allowed, enforced_layer, make_key, sign
from tests.unit.conftest import Git

RULE = 'version = 1\n[[retired]]\nscanner = "semgrep"\nrule = "stand-in.eval"\nreason = "noisy"\ndate = 2026-03-02\n'
SUCCESSOR = RULE + 'successor = "semgrep:stand-in.evaltext"\n'
OTHER_WEAKNESS = "CWE-917: expression language injection"


class Shop:
    """A repository with one weakness, a machine, and an organisation with two persons."""

    def __init__(self, product: Product, git: Git, home: Path) -> None:
        self.product, self.git = product, git
        self.ada, self.eve = (make_key(home / "keys", name) for name in ("ada", "eve"))
        lines = (allowed(ADA, self.ada, f'namespaces="{NAMESPACE}"'), allowed(EVE, self.eve, 'namespaces="other"'))
        self.layer = enforced_layer(home / "organisation", *lines)
        git.commit({"app.py": WEAK})

    def retire(self, text: str, key: Key | None) -> None:
        (self.layer / "retired.toml").write_text(text)
        if key is not None:
            sign(self.layer / "retired.toml", key, NAMESPACE)

    def run(self, days: int = 0) -> RunDocument:
        now = NOW + days * DAY
        layer = str(self.layer)
        return self.product.run(self.git.root, now=now, scope="protected", ref="refs/heads/main", enforced=layer)

    def events(self, kind: type) -> list[object]:
        ledger = SqliteLedger(str(self.git.root / ".git" / "secgate" / "ledger.sqlite"), read_only=True)
        found = [from_envelope(envelope_of(entry)) for entry in ledger.read()]
        return [event for event in found if isinstance(event, kind)]

    def closed(self) -> list[str]:
        return [event.basis for event in self.events(FindingClosed) if isinstance(event, FindingClosed)]

    def upgrade(self, sees: str, cwe: str = "CWE-95: code injection") -> None:
        self.product.tool("semgrep", version="1.183.0", sees=[sees], cwe=cwe)


@pytest.fixture
def shop(product: Product, git: Git, tmp_path: Path) -> Shop:
    return Shop(product, git, tmp_path)


def test_without_a_map_what_a_dropped_rule_saw_stays_open_for_ever(shop: Shop) -> None:
    shop.run()
    shop.upgrade("nothing")
    shop.run(2)
    assert shop.closed() == []


def test_a_finding_whose_every_witness_is_retired_is_closed_and_said(shop: Shop) -> None:
    shop.run()
    shop.upgrade("nothing")
    shop.retire(RULE, shop.ada)
    assert "1 finding(s) closed, since everything that saw them is retired" in shop.run(2).notes
    assert shop.closed() == ["retired"]
    shop.run(3)
    assert shop.closed() == ["retired"]


def test_the_closing_names_the_map_and_the_ledger_keeps_it(shop: Shop) -> None:
    shop.run()
    shop.upgrade("nothing")
    shop.retire(RULE, shop.ada)
    shop.run(2)
    (event,) = shop.events(FindingClosed)
    assert isinstance(event, FindingClosed)
    ledger = SqliteLedger(str(shop.git.root / ".git" / "secgate" / "ledger.sqlite"), read_only=True)
    assert ledger.blob(event.retirement) == RULE.encode()


def test_a_scanner_that_is_gone_leaves_nothing_behind(shop: Shop) -> None:
    shop.run()
    shop.product.without("semgrep")
    shop.retire(RULE.replace('rule = "stand-in.eval"\n', ""), shop.ada)
    shop.run(2)
    assert shop.closed() == ["retired"]


def test_nothing_is_retired_before_its_date(shop: Shop) -> None:
    shop.run()
    shop.upgrade("nothing")
    shop.retire(RULE.replace("2026-03-02", "2026-03-09"), shop.ada)
    shop.run(2)
    assert shop.closed() == []


def test_what_a_retired_rule_still_reports_counts_as_before(shop: Shop) -> None:
    shop.run()
    shop.retire(RULE, shop.ada)
    assert [one.first_seen_epoch_s for one in shop.run(2).findings] == [int(NOW.timestamp())]
    assert shop.closed() == []


def test_a_successor_takes_the_finding_over_with_its_clock(shop: Shop) -> None:
    shop.run()
    shop.upgrade("eval(text", cwe=OTHER_WEAKNESS)
    shop.retire(SUCCESSOR, shop.ada)
    (finding,) = shop.run(2).findings
    assert finding.obligations[0].start_epoch_s == int(NOW.timestamp())
    assert [event.basis for event in shop.events(FindingAliased) if isinstance(event, FindingAliased)] == ["successor"]
    assert shop.closed() == []


def test_without_a_successor_the_other_rule_begins_anew(shop: Shop) -> None:
    shop.run()
    shop.upgrade("eval(text", cwe=OTHER_WEAKNESS)
    shop.retire(RULE, shop.ada)
    (finding,) = shop.run(2).findings
    assert finding.obligations[0].start_epoch_s == int((NOW + 2 * DAY).timestamp())
    assert shop.closed() == ["retired"]


def test_twins_go_over_one_by_one(shop: Shop) -> None:
    twice = {"app.py": "def answer(text):\n    print(eval(text))\n    print(eval(text))\n"}
    shop.git.commit(dict(twice))
    shop.run()
    shop.upgrade("eval(text", cwe=OTHER_WEAKNESS)
    shop.retire(SUCCESSOR, shop.ada)
    findings = shop.run(2).findings
    assert [one.obligations[0].start_epoch_s for one in findings] == [int(NOW.timestamp())] * 2
    assert len(shop.events(FindingAliased)) == 2


@pytest.mark.parametrize("who", ["nobody", "eve", "stranger"])
def test_a_map_that_nobody_signed_who_counts_is_refused(shop: Shop, tmp_path: Path, who: str) -> None:
    shop.run()
    signers = {"nobody": None, "eve": shop.eve, "stranger": make_key(tmp_path / "keys", "stranger")}
    shop.retire(RULE, signers[who])
    with pytest.raises(SignatureError, match="the retirement map does not count"):
        shop.run(2)
    assert shop.closed() == []


def test_a_map_that_was_edited_after_it_was_signed_is_refused(shop: Shop) -> None:
    shop.retire(RULE, shop.ada)
    (shop.layer / "retired.toml").write_text(RULE + "\n")
    with pytest.raises(SignatureError, match="does not verify"):
        shop.run(2)


def test_a_map_by_a_key_that_was_revoked_since_is_refused(shop: Shop) -> None:
    shop.retire(RULE, shop.ada)
    (shop.layer / "revoked").write_text(f'from="20260302" {shop.ada.public}\n')
    with pytest.raises(SignatureError, match="is revoked from 2026-03-02"):
        shop.run(2)


def test_threat_02_a_tree_names_neither_signers_nor_retirements(shop: Shop) -> None:
    shop.run()
    shop.upgrade("nothing")
    tree(shop.git.root, {"retired.toml": RULE, "allowed_signers": allowed(ADA, shop.eve), "people.toml": "version = 1"})
    sign(shop.git.root / "retired.toml", shop.eve, NAMESPACE)
    shop.git.commit()
    shop.run(2)
    assert shop.closed() == []
    shop.retire(RULE, shop.eve)
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
    shop.retire(text, shop.ada)
    with pytest.raises(ConfigError) as caught:
        shop.run()
    assert what in str(caught.value)
