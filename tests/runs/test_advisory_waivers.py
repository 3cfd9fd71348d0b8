"""A waiver of an advisory through whole runs: one signature for a package in several repositories, under any name."""

from __future__ import annotations

from typing import Any

import pytest

from secgate import statements
from secgate.errors import UsageError
from secgate.model import Outcome, RunDocument, Severity
from secgate.statements import Wish
from secgate.waivers import AdvisorySubject, Waiver
from tests.product import DAY, NOW, outcome
from tests.runs.office import Office
from tests.signing_support import ADA, EVE

ADVISORY, CVE = "PYSEC-2026-7", "CVE-2026-12345"
ELSEWHERE = "example.org/elsewhere"


@pytest.fixture
def shop(office: Office) -> Office:
    """A repository with one weak package, whose advisory has two names."""
    severity = [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:N"}]
    office.product.know(ADVISORY, "flask", "1.0", "1.1", aliases=[CVE], severity=severity)
    office.product.tool("pip-audit", advisories={"flask": [ADVISORY]}, aliases={ADVISORY: [CVE]})
    office.git.commit({"requirements.txt": "flask==1.0\n"})
    return office


def asked(office: Office, *repositories: str, name: str = CVE, versions: tuple[str, ...] = ("1.0",)) -> Waiver:
    return statements.request_for_advisory(
        AdvisorySubject(advisory=name, ecosystem="PyPI", package="flask", repositories=repositories),
        Wish(kind="accept", reason="the parser is never called", expires=NOW + 30 * DAY),
        versions=versions,
        severity=Severity.CRITICAL,
        speaker=office.speaker(EVE),
        place=office.place,
        machine=office.product.machine(),
        now=NOW,
    )


def own(office: Office) -> str:
    """Give the repository's name, as the refusal of another's waiver says it."""
    with pytest.raises(UsageError, match="not among the repositories") as told:
        asked(office, ELSEWHERE)
    return str(told.value).split("this tree is ")[1].split(",")[0]


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"repositories": ("r",) * 5001}, "5,001 repositories are named, and 5,000 are allowed"),
        ({"repositories": ("r" * 1001,)}, "--repository: it has 1,001 characters"),
        ({"name": "C" * 1001}, "--advisory: it has 1,001 characters"),
        ({"versions": ("1",) * 201}, "201 versions are given, and 200 are allowed"),
    ],
)
def test_what_nobody_reads_before_signing_is_refused(shop: Office, changes: dict[str, Any], what: str) -> None:
    given = {"repositories": (ELSEWHERE,), **changes}
    with pytest.raises(UsageError, match=what):
        asked(shop, *given.pop("repositories"), **given)


def test_one_signature_holds_under_the_other_name_and_only_for_the_version(shop: Office) -> None:
    assert outcome(shop.run()) is Outcome.FAIL
    waiver = asked(shop, own(shop), ELSEWHERE)
    assert outcome(shop.run()) is Outcome.FAIL
    shop.approve(waiver)
    waived = shop.run()
    assert waived.decision is not None
    assert f"approved by {ADA}" in " ".join(one.reason for one in waived.decision.verdicts)
    assert outcome(waived) is Outcome.PASS
    shop.git.commit({"requirements.txt": "flask==1.1\n"})
    other = shop.run()
    assert outcome(other) is Outcome.FAIL
    assert "version" in " ".join(other.notes)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"versions": ()}, "no version is given"),
        ({"versions": ("1.0", "")}, "`` is no version of one package"),
        ({"versions": ("*",)}, r"`\*` is no version of one package"),
        ({"versions": (">=1.0",)}, "`>=1.0` is no version of one package"),
        ({"name": " "}, "no advisory is named"),
        ({"more": ""}, "a repository has no name"),
    ],
)
def test_what_could_be_of_no_package_is_not_asked_for(shop: Office, changes: dict[str, Any], told: str) -> None:
    shop.run()
    here, more = own(shop), changes.pop("more", ELSEWHERE)
    with pytest.raises(UsageError, match=told):
        asked(shop, here, more, **changes)


def test_its_words_count_repositories_as_people_do(shop: Office) -> None:
    shop.run()
    assert [asked(shop, own(shop), *more).request.shown for more in ((), (ELSEWHERE,))] == [
        f"{CVE} of flask in 1 repository",
        f"{CVE} of flask in 2 repositories",
    ]


def test_it_is_not_asked_for_where_it_could_never_be_approved(shop: Office) -> None:
    """A signature that nobody can find again would be in the ledger for ever."""
    shop.run()
    before = statements.listed(place=shop.place, machine=shop.product.machine(), now=NOW)
    own(shop)
    after = statements.listed(place=shop.place, machine=shop.product.machine(), now=NOW)
    assert after == before
    assert (after.waivers, after.refused) == ((), ())


def test_it_holds_where_the_database_forgets_the_name_and_not_for_another_that_has_it(shop: Office) -> None:
    """Records are withdrawn as another's twin, and what they were called is then no alias of what stays."""
    other = "GHSA-aaaa-bbbb-cccc"
    severity = [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:N"}]

    def know(*known: str) -> None:
        shop.product.tool("pip-audit", advisories={"flask": list(known)}, aliases={CVE: [other]})
        shop.product.know(CVE, "flask", "1.0", "1.1", aliases=[other], severity=severity)

    shop.run(scope="protected")
    shop.approve(asked(shop, own(shop), name=ADVISORY))
    assert outcome(shop.run(days=2, scope="protected")) is Outcome.PASS
    know(CVE)
    for day in (3, 4):
        run = shop.run(days=day, scope="protected")
        assert outcome(run) is Outcome.PASS
        assert [one.advisories for one in run.findings] == [tuple(sorted((CVE, other, ADVISORY)))]
        assert not [one for one in run.waivers if one.state != "active"]
    know(CVE, ADVISORY)
    apart = shop.run(days=5, scope="protected")
    assert {one.advisories: one.fingerprint in _waived(apart) for one in apart.findings} == {
        (CVE, other): False,
        (ADVISORY,): True,
    }


def _waived(run: RunDocument) -> set[str]:
    return {one.fingerprint for one in run.waivers if one.state == "active"}
