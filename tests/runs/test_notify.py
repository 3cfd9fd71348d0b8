"""`secgate notify` over made ledgers, with a real server: told once for each stage, and remembered."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from secgate.errors import LedgerError, UsageError
from secgate.memory import Memory
from secgate.model import Severity
from secgate.notifying import Notified, notified_page, notify
from secgate.preparation import Place
from tests.contracts.test_notifiers import SECRET, Receiver
from tests.evidence_support import DAY, START, Made
from tests.pages import too_wide
from tests.product import WEAK, Product
from tests.unit.conftest import Git

WEEK = 7 * DAY


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return Made(tmp_path)


class Teller:
    """Tells of one ledger, at times after the period's beginning."""

    def __init__(self, product: Product, made: Made, address: str) -> None:
        self.product, self.made = product, made
        self.env = {"SECGATE_NOTIFY_SECURITY_URL": address, "SECGATE_NOTIFY_SECURITY_SECRET": SECRET}
        self.enforced = ""
        self.path = str(product.home / "tmp")
        self.ledgers = [str(made.path)]

    def at(self, seconds: float, *, dry_run: bool = False) -> Notified:
        machine = self.product.machine()
        return notify(
            self.ledgers,
            dry_run=dry_run,
            place=Place(path=self.path, enforced=self.enforced),
            machine=type(machine)(**{**_fields(machine), "env": {**machine.env, **self.env}}),
            now=datetime.fromtimestamp(START + seconds, tz=UTC),
        )

    def told(self, seconds: float) -> list[tuple[str, str]]:
        found = self.at(seconds)
        assert not found.failed
        return [(one.stage, one.severity.value) for sent in found.sendings for one in sent.message.notices]


def _fields(machine: Any) -> dict[str, Any]:
    return {name: getattr(machine, name) for name in machine.__struct_fields__}


def organisation(folder: Path, channels: dict[str, str], *, stage: str = "new") -> str:
    """An enforced layer that tells each channel, by its notifier, of high findings at one stage."""
    data = folder / "enforced" / "data"
    data.mkdir(parents=True)
    rule = {"reason": "r", "stages": [stage], "severities": ["high"], "channels": sorted(channels)}
    own = {"version": 1, "escalate_after_s": 1, "channels": channels, "told": [rule]}
    (data / "notifications.json").write_text(json.dumps({"notifications": own}))
    return str(data.parent)


@pytest.fixture
def teller(product: Product, made: Made, receiver: Receiver) -> Teller:
    return Teller(product, made, receiver.address)


def test_each_stage_is_told_once(teller: Teller, made: Made) -> None:
    made.found("one", at=0)
    made.found("small", at=0, severity=Severity.LOW, limit=20 * WEEK)
    assert teller.told(1) == [("new", "high")]
    assert teller.told(WEEK / 2 - 1) == []
    assert teller.told(WEEK / 2) == [("half", "high")]
    assert teller.told(WEEK) == []
    assert teller.told(WEEK + 1) == [("overdue", "high")]
    assert teller.told(2 * WEEK) == []
    assert teller.told(2 * WEEK + 1) == [("escalation", "high")]
    assert teller.told(3 * WEEK) == []


def test_a_ledger_under_two_names_is_told_of_once(teller: Teller, made: Made, tmp_path: Path) -> None:
    made.found("one", at=0)
    other = tmp_path / "other-name"
    other.symlink_to(made.path.parent)
    teller.ledgers.append(str(other / made.path.name))
    assert teller.told(1) == [("new", "high")]


def test_a_stage_that_was_slept_through_is_not_told_later(teller: Teller, made: Made) -> None:
    made.found("one", at=0)
    assert teller.told(WEEK + 1) == [("overdue", "high")]
    assert teller.told(WEEK + 2) == []


def test_a_renamed_finding_is_the_same_and_a_new_episode_is_not(teller: Teller, made: Made) -> None:
    made.found("one", at=0)
    assert teller.told(1) == [("new", "high")]
    made.memory.catch_up(made.ledger)
    made.renamed("one", "other", at=2)
    assert teller.told(3) == []
    made.closed("other", at=4)
    assert teller.told(5) == []
    made.anew("other", at=60 * DAY)
    found = teller.at(60 * DAY + 1)
    ((notice,),) = (sent.message.notices for sent in found.sendings)
    assert (notice.stage, notice.episode) == ("new", 2)
    assert teller.told(60 * DAY + 2) == []


def test_what_is_closed_is_not_told(teller: Teller, made: Made) -> None:
    made.found("one", at=0)
    made.closed("one", at=1)
    assert teller.told(2) == []


def test_a_dry_run_needs_no_address_and_records_nothing(teller: Teller, made: Made, receiver: Receiver) -> None:
    made.found("one", at=0)
    teller.env = {}
    before = made.ledger.head()
    found = teller.at(1, dry_run=True)
    assert [one.state for one in found.sendings] == ["not-sent"]
    assert made.ledger.head() == before
    assert receiver.got == []
    page = notified_page(found, width=80, colour=False).decode()
    assert "security (webhook) would be told of 1 finding" in page
    assert not too_wide(page)


def test_without_an_address_nobody_is_told(teller: Teller, made: Made, receiver: Receiver) -> None:
    made.found("one", at=0)
    del teller.env["SECGATE_NOTIFY_SECURITY_SECRET"]
    with pytest.raises(UsageError, match="SECGATE_NOTIFY_SECURITY_SECRET"):
        teller.at(1)
    assert receiver.got == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"SECGATE_NOTIFY_SECURITY_URL": "http://example.org/T0KEN"}, "https"),
        ({"SECGATE_NOTIFY_SECURITY_URL": "https://T0KEN:x@example.org/"}, "https"),
        ({"SECGATE_NOTIFY_SECURITY_SECRET": "T0KEN"}, "16 characters"),
    ],
)
def test_one_channel_that_may_not_be_used_keeps_all_from_being_told(
    teller: Teller, made: Made, receiver: Receiver, wrong: dict[str, str], said: str
) -> None:
    made.found("one", at=0)
    teller.enforced = organisation(made.path.parent, {"chat": "slack", "security": "webhook"})
    teller.env |= {"SECGATE_NOTIFY_CHAT_URL": receiver.address, **wrong}
    before = made.ledger.head()
    with pytest.raises(UsageError, match=f"nobody was told: .*{said}") as caught:
        teller.at(1)
    assert caught.value.place == "channel security"
    assert "T0KEN" not in str(caught.value)
    assert (receiver.got, made.ledger.head()) == ([], before)


def test_what_could_not_be_sent_stays_due(teller: Teller, made: Made, receiver: Receiver) -> None:
    made.found("one", at=0)
    receiver.answers = [403]
    before = made.ledger.head()
    failed = teller.at(1)
    assert (failed.failed, failed.sendings[0].what) == (True, "the server said 403")
    assert made.ledger.head() == before
    assert teller.told(2) == [("new", "high")]
    ids = [json.loads(body)["told"]["id"] for _, body in receiver.got]
    assert ids[0] == ids[1]


def test_a_channel_that_is_down_is_left_alone(teller: Teller, made: Made, receiver: Receiver) -> None:
    for number in range(60):
        made.found(f"f{number}", at=0)
    receiver.answers = [204, 403]
    found = teller.at(1)
    assert [one.state for one in found.sendings] == ["sent", "failed", "failed"]
    assert [one.what for one in found.sendings] == ["", *["the server said 403"] * 2]
    assert len(receiver.got) == 2
    assert len(teller.told(2)) == 35


def test_threat_12_the_ledger_holds_no_address_and_no_secret(teller: Teller, made: Made, receiver: Receiver) -> None:
    made.found("one", at=0)
    teller.at(1)
    memory = Memory()
    memory.catch_up(made.ledger)
    (known,) = memory.notifications
    assert (known.event.channel, known.event.notifier, known.at_epoch_s) == ("security", "webhook", START + 1)
    stored = b"".join(entry.data for entry in made.ledger.read(0))
    assert SECRET.encode() not in stored
    assert receiver.address.encode() not in stored


def test_the_organisation_says_who_is_told(teller: Teller, made: Made, tmp_path: Path) -> None:
    made.found("one", at=0)
    teller.enforced = organisation(tmp_path, {"security": "webhook"}, stage="overdue")
    assert teller.told(1) == []
    assert teller.told(WEEK + 1) == [("overdue", "high")]


def test_messages_hold_as_many_as_a_chat_shows(teller: Teller, made: Made, receiver: Receiver) -> None:
    for number in range(26):
        made.found(f"f{number}", at=0)
    assert len(teller.told(1)) == 26
    assert [len(json.loads(body)["told"]["notices"]) for _, body in receiver.got] == [25, 1]
    assert teller.told(2) == []


def test_a_chat_needs_an_address_alone(teller: Teller, made: Made, tmp_path: Path, receiver: Receiver) -> None:
    made.found("one", at=0)
    teller.enforced = organisation(tmp_path, {"security": "slack"})
    del teller.env["SECGATE_NOTIFY_SECURITY_SECRET"]
    assert teller.told(1) == [("new", "high")]
    assert json.loads(receiver.got[0][1])["text"] == "secgate: 1 new"


# ---------------------------------------------------------------------------------------------- what may go wrong first


def test_where_a_ledger_is_named_no_tree_and_no_other_ledger_is_looked_at(teller: Teller, made: Made, git: Git) -> None:
    made.found("one", at=0)
    git.commit({"secgate.toml": "profil = 1\n[ledger]\nstore = 'git'\nrepository = '/nowhere'\nrequired = true\n"})
    (git.root / ".git" / "HEAD").write_text("nonsense\n")
    teller.path = str(git.root)
    before = sorted(git.root.rglob("*"))
    assert teller.told(1) == [("new", "high")]
    assert sorted(git.root.rglob("*")) == before
    assert not (teller.product.state / "ledgers").exists()


def test_an_own_ledger_is_asked_where_none_is_named(product: Product, git: Git, receiver: Receiver) -> None:
    git.commit({"app.py": WEAK})
    product.env |= {"SECGATE_NOTIFY_SECURITY_URL": receiver.address, "SECGATE_NOTIFY_SECURITY_SECRET": SECRET}
    assert product.cli("run", "--scope", "protected", cwd=git.root).code == 0
    ended = product.cli("notify", cwd=git.root)
    assert (ended.code, len(receiver.got)) == (0, 1), ended
    assert product.cli("notify", cwd=git.root).out.rstrip() == "nobody is to be told anything new"


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (8, 8))
from secgate.cli import main
main()
"""


def test_a_ledger_that_takes_nothing_is_noticed_before_anybody_is_told(
    product: Product, made: Made, receiver: Receiver
) -> None:
    made.found("one", at=0)
    env = {"SECGATE_NOTIFY_SECURITY_URL": receiver.address, "SECGATE_NOTIFY_SECURITY_SECRET": SECRET}
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, "notify", "--ledger", str(made.path)],
        cwd=product.home / "tmp",
        env={**product.env, **env, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, receiver.got) == (5, []), done.stderr
    assert str(made.path) in done.stderr.replace("\n", "")


def test_what_was_told_and_not_recorded_is_said(teller: Teller, made: Made, receiver: Receiver) -> None:
    made.found("one", at=0)
    teller.enforced = organisation(made.path.parent, {"a": "slack", "b": "slack"})
    teller.env |= {"SECGATE_NOTIFY_A_URL": receiver.address, "SECGATE_NOTIFY_B_URL": receiver.address}
    receiver.then = made.path.unlink
    with pytest.raises(LedgerError, match="channel a was told, and the ledger does not know it") as caught:
        teller.at(1)
    assert "the next call tells it again" in caught.value.remedy
    assert len(receiver.got) == 1, "nobody else is told what cannot be recorded"


def test_a_dry_run_shows_what_would_be_sent(teller: Teller, made: Made, receiver: Receiver) -> None:
    made.found("one", at=0)
    (dry,) = teller.at(1, dry_run=True).sendings
    page = notified_page(teller.at(1, dry_run=True), width=80, colour=False).decode()
    (sent,) = teller.at(1).sendings
    assert dry.shown.partition("\n\n")[2].encode() == receiver.got[0][1]
    assert (dry.what, sent.shown) == ("", "")
    shown = page.partition("secrets as ***\n")[2]
    assert "".join(line[4:] for line in shown.splitlines()).startswith("POST http://127.0.0.1:")
    assert "".join(line[4:] for line in shown.splitlines()).endswith(receiver.got[0][1].decode())
    assert SECRET not in page + dry.shown


@pytest.mark.parametrize(
    ("address", "said"), [("", "SECGATE_NOTIFY_SECURITY_URL is not set"), ("http://example.org/T0KEN", "of https")]
)
def test_a_dry_run_says_what_would_stand_in_the_way(teller: Teller, made: Made, address: str, said: str) -> None:
    made.found("one", at=0)
    teller.env["SECGATE_NOTIFY_SECURITY_URL"] = address
    (dry,) = teller.at(1, dry_run=True).sendings
    assert said in dry.what
    assert "T0KEN" not in dry.what + dry.shown
    assert dry.shown.startswith("POST ***\n")


# ------------------------------------------------------------------------------------------------------------- issues


@pytest.mark.parametrize(("visibility", "names"), [("private", True), ("public", False), ("", False)])
def test_threat_12_an_issue_names_a_finding_in_a_private_repository_alone(
    teller: Teller, made: Made, tmp_path: Path, visibility: str, names: bool
) -> None:
    made.found("one", at=0)
    event = tmp_path / "event"
    event.write_text(json.dumps({"repository": {"visibility": visibility}}))
    issues = tmp_path / "issues"
    teller.enforced = organisation(tmp_path, {"issues": "issues"}, stage="overdue")
    teller.env |= {"SECGATE_NOTIFY_ISSUES_URL": str(issues), "GITHUB_ACTIONS": "true", "GITHUB_EVENT_PATH": str(event)}
    assert teller.told(1) == []
    assert teller.told(WEEK + 1) == [("overdue", "high")]
    (text,) = [path.read_text() for path in issues.iterdir()]
    assert ("- finding: " in text) is names
    assert ("1 high is overdue" in text) is not names


def test_threat_12_what_is_said_of_visibility_never_overrules_ci(teller: Teller, made: Made, tmp_path: Path) -> None:
    made.found("one", at=0)
    teller.enforced = organisation(tmp_path, {"issues": "issues"})
    event = tmp_path / "event"
    event.write_text(json.dumps({"repository": {"visibility": "public"}}))
    teller.env |= {"SECGATE_VISIBILITY": "private"}
    assert teller.at(1, dry_run=True).sendings[0].message.visibility == "private"
    teller.env |= {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_PATH": str(event)}
    assert teller.at(1, dry_run=True).sendings[0].message.visibility == "public"
    teller.env = {**teller.env, "SECGATE_VISIBILITY": "secret", "GITHUB_ACTIONS": ""}
    with pytest.raises(UsageError, match="SECGATE_VISIBILITY"):
        teller.at(1, dry_run=True)
