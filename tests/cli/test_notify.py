"""`secgate notify` as its users call it, with a server on this machine and with a third party's notifier."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cli.test_commands import plugin
from tests.contracts.test_notifiers import SECRET, Receiver
from tests.evidence_support import START, Made
from tests.product import Ended, Product
from tests.runs.test_notify import organisation

AT = datetime.fromtimestamp(START + 60, tz=UTC)
TO_A_FILE = """
import pathlib

from secgate.errors import NotificationError, UsageError


class Boom:
    name = "boom"
    needs_secret = False

    def body(self, message):
        return message.id.encode()

    def check(self, *, address, secret):
        if not address.startswith("file:"):
            raise UsageError("only files are written", remedy="give file:NAME")

    def shown(self, body, *, address, at):
        return f"{address}: {body.decode()}"

    def send(self, body, *, address, secret, at):
        try:
            pathlib.Path(address.removeprefix("file:")).write_bytes(body)
        except OSError as error:
            raise NotificationError("the file cannot be written", remedy="make its folder") from error
"""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def made(tmp_path: Path) -> Made:
    found = Made(tmp_path)
    found.found("one", at=0)
    return found


def call(product: Product, made: Made, *words: str, **env: str) -> Ended:
    return product.cli("notify", "--ledger", str(made.path), *words, cwd=product.home / "tmp", at=AT, **env)


def test_people_are_told_once(product: Product, made: Made, receiver: Receiver) -> None:
    env = {"SECGATE_NOTIFY_SECURITY_URL": receiver.address, "SECGATE_NOTIFY_SECURITY_SECRET": SECRET}
    dry = call(product, made, "--dry-run")
    assert (dry.code, dry.err, receiver.got) == (0, "", [])
    assert dry.out.startswith("security (webhook) would be told of 1 finding\n")
    told = call(product, made, "--format", "json", **env)
    assert (told.code, told.err) == (0, "")
    document = json.loads(told.data)
    assert document["format"] == {"name": "secgate-notified", "version": 1}
    (sending,) = document["told"]["sendings"]
    assert (sending["state"], sending["notifier"]) == ("sent", "webhook")
    assert json.loads(receiver.got[0][1])["told"] == sending["message"]
    again = call(product, made, **env)
    assert (again.code, again.out.rstrip()) == (0, "nobody is to be told anything new")
    assert len(receiver.got) == 1


def test_exit_1_where_somebody_could_not_be_told(product: Product, made: Made, receiver: Receiver) -> None:
    receiver.answers = [403]
    ended = call(
        product,
        made,
        SECGATE_NOTIFY_SECURITY_URL=receiver.address,
        SECGATE_NOTIFY_SECURITY_SECRET=SECRET,
    )
    assert ended.code == 1
    assert ended.out.startswith("security (webhook) could not be told of 1 finding\n")
    assert "the server said 403" in ended.out
    assert receiver.address not in ended.out + ended.err


def test_exit_2_for_a_channel_that_may_not_be_used(product: Product, made: Made) -> None:
    ended = call(
        product,
        made,
        SECGATE_NOTIFY_SECURITY_URL="http://example.org/T0KEN",
        SECGATE_NOTIFY_SECURITY_SECRET=SECRET,
    )
    assert (ended.code, ended.out) == (2, "")
    assert "channel security: nobody was told" in ended.err
    assert "T0KEN" not in ended.err


def test_a_third_party_s_notifier_takes_part(product: Product, made: Made, tmp_path: Path) -> None:
    site = plugin(tmp_path / "site", "notifiers", TO_A_FILE)
    path = f"{Path(__file__).parents[2]}:{site}"
    words = ("--enforced", organisation(tmp_path, {"security": "boom"}), "--format", "json")
    file = tmp_path / "told"
    refused = call(product, made, *words, PYTHONPATH=path, SECGATE_NOTIFY_SECURITY_URL=str(file))
    assert (refused.code, "only files are written" in refused.err) == (2, True)
    ended = call(product, made, *words, PYTHONPATH=path, SECGATE_NOTIFY_SECURITY_URL=f"file:{file}")
    assert (ended.code, ended.err) == (0, "")
    (sending,) = json.loads(ended.data)["told"]["sendings"]
    assert (sending["state"], sending["notifier"]) == ("sent", "boom")
    assert file.read_text() == sending["message"]["id"]


def test_a_third_party_s_notifier_that_lacks_a_part_is_refused(product: Product, made: Made, tmp_path: Path) -> None:
    site = plugin(tmp_path / "site", "notifiers", TO_A_FILE.replace("def check(", "def checked("))
    path = f"{Path(__file__).parents[2]}:{site}"
    ended = call(
        product, made, "--enforced", organisation(tmp_path, {"security": "boom"}), "--dry-run", PYTHONPATH=path
    )
    assert (ended.code, ended.out) == (2, "")
    assert "the notifier `boom` lacks check" in ended.err
