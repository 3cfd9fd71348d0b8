"""Policies, keys and servers that somebody means harm with, as a person meets them: exit code, message, remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from secgate.errors import PolicyError
from tests import opa_server as server
from tests.product import CLEAN, WEAK, Ended, Product, tree
from tests.signing_support import ADA, KEYGEN, PEOPLE, allowed, make_key

RULE = 'package secgate.rules.own\n\ndeny contains {"run": true, "reason": "x"} if input.run.scope == "protected"\n'
ENDLESS = """package secgate.rules.own

r := numbers.range(1, 4000)

deny contains {"run": true, "reason": "never"} if {
	count([1 | some a in r; some b in r; some c in r; some d in r; a + b + c + d < 0]) > 0
}
"""
SEE_SERVER = "see that `engine.address` leads to an OPA server"


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    return tree(tmp_path / "plain", {"app.py": WEAK})


def refused(ended: Ended, code: int, *words: str) -> None:
    """Check that nothing was judged: one message with its remedy, no traceback, and no outcome on stdout."""
    told = " ".join(ended.err.split())
    assert [one for one in ("secgate: ", *words, "try: ") if one not in told] == [], ended
    assert (ended.code, ended.out, "Traceback" in told) == (code, "", False), ended


@pytest.mark.parametrize("where", ["repository", "organisation"])
@pytest.mark.parametrize("link", ["file", "folder"])
def test_a_folder_of_policies_with_a_link_out(
    product: Product, plain: Path, tmp_path: Path, where: str, link: str
) -> None:
    outside = tree(tmp_path / "outside", {"own.rego": RULE})
    folder = tree(tmp_path / "layer", {"policies/a.rego": RULE})
    (folder / "policies" / "b.rego").symlink_to(outside / "own.rego" if link == "file" else outside)
    options = {"repository": ["--policy", str(folder / "policies")], "organisation": ["--enforced", str(folder)]}
    refused(product.cli("run", str(plain), *options[where]), 2, "b.rego", "link", "not followed")


@pytest.mark.parametrize("option", ["--policy", "--enforced"])
def test_a_module_of_a_megabyte(product: Product, plain: Path, tmp_path: Path, option: str) -> None:
    text = RULE + "# a comment that goes on\n" * 42_000
    folder = tree(tmp_path / "layer", {"policies/big.rego": text})
    named = folder if option == "--enforced" else folder / "policies"
    refused(product.cli("run", str(plain), option, str(named)), 4, "big.rego", f"{len(text)} bytes, and 262144")


def test_a_policy_that_never_ends(
    product: Product, plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("secgate.pipeline.running.JUDGE_LIMIT_S", 2.0)
    folder = tree(tmp_path / "layer", {"own.rego": ENDLESS})
    with pytest.raises(PolicyError, match=r"did not come to an end within 2\.001 s and was killed") as caught:
        product.run(plain, policies=(str(folder),))
    assert (caught.value.exit_code, caught.value.remedy.startswith("make it linear")) == (4, True)


def test_a_server_that_is_down(product: Product, plain: Path) -> None:
    address = f"127.0.0.1:{server.free_port()}"
    ended = product.cli("run", str(plain), SECGATE_ENGINE="opa", SECGATE_OPA_ADDRESS=f"http://{address}")
    refused(ended, 4, address, "nobody answers there: Connection refused", "see that it runs")


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (server.dripping, "the server did not answer within 10 s"),
        (server.replying(b"<html>login</html>"), "no answer that can be read"),
        (server.replying(b"", status=302, headers={"Location": "http://127.0.0.1:1/"}), "sends to another address"),
        (server.replying(b'{"code": "unauthorized", "message": "no"}', status=401), "could not decide: no"),
        (server.replying(b"{}"), "HTTP status 200 and an empty JSON object"),
        (server.with_version(server.replying(b"{}")), "`data.secgate.main.decision` is undefined"),
        (server.with_version(server.replying(b'{"result": {"allow": true}}')), SEE_SERVER),
        (server.with_version(server.replying(b'{"result": {}}')), SEE_SERVER),
        (server.with_version(server.replying(b'{"result": []}')), SEE_SERVER),
        (
            server.with_version(
                server.replying(
                    b'{"result": {"schema": {"name": "secgate-decision", "version": 2}, "verdicts": [], "elements": [],'
                    b' "obligations": [], "exemptions": [], "superseded": []}}'
                )
            ),
            "names the schema",
        ),
    ],
    ids=[
        "slow",
        "html",
        "elsewhere",
        "no-token",
        "no-version",
        "undefined",
        "another-policy",
        "nothing",
        "a-list",
        "version-2",
    ],
)
def test_a_server_that_is_none_of_ours(product: Product, plain: Path, reply: server.Reply, words: str) -> None:
    with server.answering(reply) as address:
        refused(product.cli("run", str(plain), SECGATE_ENGINE="opa", SECGATE_OPA_ADDRESS=address), 4, words)


@pytest.mark.skipif(not KEYGEN, reason="no ssh-keygen")
@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{key} for everything", "names no namespaces"),
        ("nobody of the list", "mallory"),
        ("cut short", "the key cannot be read"),
        ("no key at all", "allowed_signers:1"),
    ],
)
def test_a_list_of_signers_that_nobody_answers_for(
    product: Product, plain: Path, tmp_path: Path, line: str, words: str
) -> None:
    key = make_key(tmp_path / "keys", "mallory")
    lines = {
        "{key} for everything": f"{ADA} {key.public}\n",
        "nobody of the list": allowed("mallory", key),
        "cut short": f'{ADA} namespaces="secgate-*" {key.public[:-20]}\n',
        "no key at all": "mallory was here\n",
    }
    layer = tree(tmp_path / "layer", {"people.toml": PEOPLE, "allowed_signers": lines[line]})
    refused(
        product.cli("run", str(plain), "--enforced", str(layer)), 2, "allowed_signers:1", words, "nothing was judged"
    )


@pytest.mark.parametrize("place", ["secgate", "."])
def test_a_layer_that_the_tree_brings_along(product: Product, tmp_path: Path, place: str) -> None:
    """Who could edit the tree could add a signer: what lies in it enforces nothing."""
    files = {"app.py": CLEAN, f"{place}/people.toml": PEOPLE, f"{place}/allowed_signers": ""}
    root = tree(tmp_path / "plain", files)
    refused(product.cli("run", str(root), "--enforced", str(root / place)), 2, "lies inside the scanned tree")
