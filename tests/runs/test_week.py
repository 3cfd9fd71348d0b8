"""A week in a team's life, through the real command line and one ledger: each day's exit codes and words are golden.

What happens on which day is told in tests/cases/week/README.md. Days begin at nine o'clock, UTC.
"""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.pages import too_wide
from tests.product import Ended, Product
from tests.signing_support import ADA, EVE, allowed, make_key
from tests.unit.conftest import Git

CASE = Path(__file__).parents[1] / "cases" / "week"
MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
GATE = "run --quiet --scope protected --ref refs/heads/main"
SLA = "sla --ledger .git/secgate/ledger.sqlite"
NAME = re.compile(r"\b[0-9a-f]{8,64}\b")
"""A digest, or the beginning of one. Some hang on the keys and the folder, which each test makes anew."""
LEDGER = re.compile(r"^    ledger /[^:]*:\s+([^\[]*)", re.MULTILINE)
"""Where a ledger is, in however many lines, and what is told of it."""
PASS, FAIL, USAGE = 0, 1, 2


class Week:
    """The team's repository, its organisation's directory and keys beside it, and what was said on the day."""

    def __init__(self, product: Product, git: Git, home: Path) -> None:
        self.product, self.git, self.home = product, git, home
        product.tool("pip-audit", advisories={"acme-invoice-renderer": ["MADE-2026-0002"]})
        product.env["SECGATE_ENFORCED"] = "../organisation"
        shutil.copytree(CASE / "organisation", home / "organisation")
        shutil.copytree(CASE / "feeds", home / "feeds")
        signers = "".join(allowed(person, make_key(home / "keys", person)) for person in (ADA, EVE))
        (home / "organisation" / "allowed_signers").write_text(signers)
        (home / "organisation" / "revoked").write_text("")
        self.names: dict[str, str] = {}
        self.time, self.said = MONDAY, ""
        self.printed: list[str] = []

    def day(self, number: int, *, hours: int = 0) -> None:
        """Begin the day so many days after Monday, at nine or so many hours later."""
        self.time, self.said = MONDAY + timedelta(days=number, hours=hours), ""
        self.printed.clear()

    def commit(self, folder: str, message: str) -> None:
        """Merge the files of a folder of the case."""
        self.git.seconds = int(self.time.timestamp())
        root = CASE / folder
        files = {f"{path.relative_to(root)}": path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}
        self.git.commit(files, message)
        self.said += f"{self.time:%a %H:%M} $ git commit -m {shlex.quote(message)}\n\n"

    def types(self, line: str, *, code: int) -> Ended:
        """Type a line after `secgate`, a minute after the last one; what is printed joins what the day said."""
        ended = self.product.cli(*shlex.split(line), cwd=self.git.root, at=self.time, COLUMNS="80", NO_COLOR="1")
        assert ended.code == code, ended
        self.printed += ended.out.splitlines()
        self.said += f"{self.time:%a %H:%M} $ secgate {line}\n{ended.out}{ended.err}[exit {ended.code}]\n\n"
        self.time += timedelta(minutes=1)
        return ended

    def signs(self, line: str, person: str, *, code: int = PASS) -> str:
        """Type a line that a person signs, and give the start of the id that it printed."""
        return self.types(f"{line} --as {person} --key ../keys/{person}", code=code).out[:12]

    @property
    def words(self) -> str:
        """What the day said, each name numbered in the order in which the week first said it."""
        text = LEDGER.sub(lambda found: f"    ledger FILE: {' '.join(found[1].split())}\n", self.said)
        return NAME.sub(lambda found: self._number(found[0]), text)

    def _number(self, name: str) -> str:
        """Give a name of the same length, so that no line changes its form."""
        number = self.names.setdefault(name[:8], f"{len(self.names) + 1:03}")
        return number.ljust(len(name), ".")


@pytest.fixture
def week(product: Product, git: Git, tmp_path: Path) -> Week:
    return Week(product, git, tmp_path)


def test_a_week_in_a_team_s_life(week: Week, golden: Callable[[Path, str], None]) -> None:
    def ends(day: str) -> None:
        assert not too_wide("\n".join(week.printed))
        golden(CASE / "expected" / f"{day}.txt", week.words)

    week.day(0)
    week.commit("monday", "sum the till")
    assert week.product.cli("ledger", "init", cwd=week.git.root, at=week.time).code == PASS
    week.types("advisories import ../feeds/advisories", code=PASS)
    week.types(GATE, code=PASS)
    listed = week.types(SLA, code=PASS).out
    ends("1-monday")

    week.day(1, hours=5)
    week.types(GATE, code=FAIL)
    code = first_of(listed)
    wish = "--kind accept --until 14d --reason 'only the till calls it' --ticket SHOP-7"
    waiver = week.signs(f"waiver request {code} {wish}", EVE)
    week.signs(f"waiver approve {waiver}", EVE, code=USAGE)
    week.types(GATE, code=FAIL)
    ends("2-tuesday")

    week.day(2)
    week.signs(f"waiver approve {waiver}", ADA)
    week.types(GATE, code=PASS)
    week.types("waiver list", code=PASS)
    ends("3-wednesday")

    week.day(3)
    week.commit("thursday", "add the tax")
    week.types(GATE, code=FAIL)
    week.types("waiver list", code=PASS)
    ends("4-thursday")

    week.day(4)
    week.types("advisories update --kev ../feeds/known-exploited.json", code=PASS)
    week.types(GATE, code=FAIL)
    week.types("waiver list", code=PASS)
    week.types(f"{SLA} --check", code=FAIL)
    week.types("explain MADE-2026-0002", code=PASS)
    ends("5-friday")

    week.day(5)
    week.types(GATE, code=FAIL)
    override = week.signs("override --until 6h --reason 'no till without it' --ticket INC-12", EVE)
    week.types(GATE, code=PASS)
    week.signs(f"override review {override} --word justified --reason 'it was me'", EVE, code=USAGE)
    week.types("override list", code=PASS)
    ends("6-saturday")

    week.day(6)
    week.types(GATE, code=FAIL)
    week.commit("fixed", "evaluate nothing, upgrade the renderer")
    week.types(GATE, code=PASS)
    week.types(SLA, code=PASS)
    ends("7-sunday")

    week.day(11)
    week.types(f"history {code}", code=PASS)
    week.types("history MADE-2026-0002", code=PASS)
    week.types("override list", code=PASS)
    week.types("waiver list", code=PASS)
    ends("8-the-friday-after")


def first_of(page: str) -> str:
    """Give the start of the fingerprint of what bites first."""
    return page.split("\n        id ", 1)[1][:12]
