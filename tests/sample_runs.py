"""Whole run documents for tests, as a reader meets them: failing, inconclusive, hostile, large."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from secgate.model import (
    Coverage,
    Finding,
    KnownFinding,
    Lane,
    LeftOut,
    Location,
    Outcome,
    Package,
    Result,
    RunDocument,
    ScanStatus,
    Scope,
    Severity,
    State,
    Suppression,
    Word,
)
from secgate.summary import pinpoint
from tests.factories import (
    DAY,
    HOSTILE,
    HOUR,
    decision,
    digest,
    finding,
    gap,
    invocation,
    lane_coverage,
    lane_verdict,
    location,
    obligation,
    result,
    run_document,
    target,
    verdict,
)


def failing_run(**changes: Any) -> RunDocument:
    """A change that fails on five findings in as many lanes, with some that do not block, and one gap."""
    findings = tuple(
        msgspec.structs.replace(
            one, witnesses=tuple(msgspec.structs.replace(seen, weakness=one.weakness) for seen in one.witnesses)
        )
        for one in _blocking_findings() + _other_findings()
    )
    names = ("sql", "requests", "bucket", "key", "template")
    verdicts = [verdict(name) for name in names]
    verdicts[1] = verdict("requests", reason="new critical finding")
    verdicts[3] = verdict("key", reason="secret in a commit of the change", rule="data.secgate.rules.secrets")
    verdicts += [
        verdict("random", Word.WARN, reason="medium finding", rule="data.secgate.rules.report"),
        verdict("old", Word.WAIVED, reason="waived until 2026-03-01 by grace", rule="data.secgate.rules.waivers"),
        verdict("info", Word.ALLOW),
        *(lane_verdict(lane) for lane in Lane if lane is not Lane.SAST),
        lane_verdict(Lane.SAST, Word.WARN, reason="1 older gap", rule="data.secgate.rules.coverage"),
    ]
    lanes = [lane_coverage(lane, tools_ran=tools) for lane, tools in _TOOLS.items()]
    lanes[0] = lane_coverage(covered=11, failed=1, tools_ran=("bandit", "semgrep"), gaps=(gap(touched=False),))
    outcome = decision(Outcome.FAIL, verdicts, notes=("the organisation switched off the rule `licences`",))
    base = run_document(
        findings=findings,
        decision=outcome,
        coverage=Coverage(lanes=tuple(lanes), left_out=run_document().coverage.left_out),
        invocations=tuple(invocation(tool, lane) for lane, tools in _TOOLS.items() for tool in tools),
        brought_lines=on_their_lines(findings),
        excerpts={
            digest(
                "sql"
            ): "39\tdef search(request):\n40\t    name = request.GET['name']\n41\t    cursor = db.cursor()\n"
            "42\t    cursor.execute(f\"SELECT * FROM item WHERE name = '{name}'\")\n43\t    return cursor.fetchall()",
            digest("key"): '6\tREGION = "eu-west-1"\n7\tACCESS_KEY = "[secret]"\n8\t',
        },
        absent=(
            KnownFinding(
                fingerprint=digest("gone"),
                algorithm="secgate/v1",
                lane=Lane.SAST,
                weakness="weak-hash",
                severity=Severity.MEDIUM,
                path="shop/tokens.py",
                symbol="digest",
                start_line=12,
            ),
        ),
    )
    return msgspec.structs.replace(base, **changes)


def on_their_lines(findings: Iterable[Finding]) -> dict[str, tuple[int, int]]:
    """Give what a run keeps where the change brought every line of its new findings."""
    regions = {
        one.fingerprint: pinpoint(one).region
        for one in findings
        if one.state in (State.NEW, State.UPDATED) and not one.location.commit
    }
    return {name: (one.start_line, max(one.start_line, one.end_line)) for name, one in regions.items()}


_TOOLS = {
    Lane.SAST: ("bandit", "semgrep"),
    Lane.DEPENDENCIES: ("pip-audit",),
    Lane.IAC: ("checkov", "secgate-iac"),
    Lane.SECRETS: ("detect-secrets", "kingfisher"),
    Lane.WORKFLOWS: ("zizmor",),
}


def _witness(scanner: str, lane: Lane, rule: str, place: Location, **changes: Any) -> Result:
    message = f"{scanner} says what it saw at line {place.region.start_line}."
    return result(scanner, lane=lane, rule=rule, location=place, message=message, **changes)


def _blocking_findings() -> tuple[Finding, ...]:
    lock, terraform = location("requirements.txt", 3), location("infra/storage.tf", 11)
    settings, workflow = (
        location("shop/settings.py", 7, commit="77aa88bb99cc"),
        location(".github/workflows/ci.yml", 19),
    )
    package = Package(
        ecosystem="PyPI",
        name="requests",
        version="2.19.0",
        manifest="requirements.txt",
        line=3,
        fixed_versions=("2.31.0", "2.20.0"),
    )
    return (
        finding(
            witnesses=(result(), result("bandit", rule="B608", severity_basis="bandit severity")),
            obligations=(obligation(left_s=6 * DAY + 3 * HOUR),),
        ),
        finding(
            "requests",
            lane=Lane.DEPENDENCIES,
            weakness="vulnerable-dependency",
            title="requests 2.19.0: credentials are sent on after a redirect",
            severity=Severity.CRITICAL,
            score=9.8,
            severity_basis="CVSS 3.1 of CVE-2018-18074",
            location=lock,
            symbol="",
            package=package,
            advisories=("CVE-2018-18074", "PYSEC-2018-28"),
            witnesses=(
                _witness("pip-audit", Lane.DEPENDENCIES, "PYSEC-2018-28", lock, cwes=(522,), advisory="PYSEC-2018-28"),
            ),
            obligations=(obligation("requests", left_s=-2 * DAY, limit_s=DAY),),
            remedy="",
        ),
        finding(
            "bucket",
            lane=Lane.IAC,
            weakness="public-storage",
            title="The bucket `aws_s3_bucket.logs` can be read by everybody",
            location=terraform,
            symbol="aws_s3_bucket.logs",
            witnesses=(
                _witness(
                    "secgate-iac", Lane.IAC, "storage_public", terraform, resource="aws_s3_bucket.logs", cwes=(732,)
                ),
            ),
            remedy='set acl = "private"',
            state=State.UPDATED,
        ),
        finding(
            "key",
            lane=Lane.SECRETS,
            weakness="hardcoded-credential",
            title="AWS access key in the source",
            severity=Severity.CRITICAL,
            score=9.5,
            severity_basis="default of the lane",
            location=settings,
            symbol="",
            witnesses=(_witness("kingfisher", Lane.SECRETS, "kingfisher.aws.1", settings, cwes=(798,), secret=True),),
            remedy="revoke the key at its provider, then rewrite the branch without it",
        ),
        finding(
            "template",
            lane=Lane.WORKFLOWS,
            weakness="template-injection",
            title="The title of an issue is run by the shell",
            location=workflow,
            symbol="jobs.greet.steps.0",
            witnesses=(_witness("zizmor", Lane.WORKFLOWS, "zizmor/template-injection", workflow, cwes=(78,)),),
            remedy="pass the title through env: and quote it",
            suppressed_in_source=True,
        ),
    )


def _other_findings() -> tuple[Finding, ...]:
    claim = Suppression(kind="inSource", text="# nosec: not for tokens")
    return (
        finding(
            "random",
            title="random.random is not for secrets",
            weakness="weak-random",
            severity=Severity.MEDIUM,
            score=5.5,
            state=State.NEWLY_DETECTABLE,
            location=location("shop/coupons.py", 17),
            witnesses=(result("bandit", rule="B311", location=location("shop/coupons.py", 17), suppressions=(claim,)),),
        ),
        finding(
            "old",
            title="MD5 is broken",
            weakness="weak-hash",
            state=State.UNCHANGED,
            location=location("shop/tokens.py", 30),
        ),
        finding(
            "info",
            title="assert is removed when Python optimises",
            weakness="assert-used",
            severity=Severity.INFO,
            score=0.0,
            location=location("shop/checks.py", 5),
        ),
    )


def inconclusive_run(**changes: Any) -> RunDocument:
    """A protected run without checkov and with a file nobody could parse; no finding blocks."""
    missing = gap(
        Lane.IAC,
        path="",
        tool="checkov",
        reason="tool-missing",
        detail="checkov is not installed",
        remedy="secgate tools install checkov",
    )
    lanes = [lane_coverage(lane, tools_ran=tools) for lane, tools in _TOOLS.items()]
    lanes[0] = lane_coverage(covered=11, failed=1, tools_ran=("bandit", "semgrep"), gaps=(gap(),))
    lanes[2] = lane_coverage(
        Lane.IAC, covered=0, failed=12, tools_ran=("secgate-iac",), tools_failed=("checkov",), gaps=(missing,)
    )
    lanes[4] = lane_coverage(Lane.WORKFLOWS, needed=False, offered=0, covered=0, tools_ran=())
    rule = "data.secgate.rules.coverage"
    verdicts = [
        lane_verdict(
            Lane.SAST, Word.INCONCLUSIVE, rule=rule, reason="bandit did not look at shop/legacy.py: parse-error"
        ),
        lane_verdict(Lane.IAC, Word.INCONCLUSIVE, rule=rule, reason="checkov did not look at anything: tool-missing"),
        *(lane_verdict(lane) for lane in (Lane.DEPENDENCIES, Lane.SECRETS, Lane.WORKFLOWS)),
    ]
    failed = invocation(
        "checkov", Lane.IAC, tool=None, status=ScanStatus.MISSING, reason="not installed", exit_codes=()
    )
    base = run_document(
        target=target(scope=Scope.PROTECTED, scope_basis="--scope", changed=None, base_commit=""),
        coverage=Coverage(lanes=tuple(lanes)),
        decision=decision(Outcome.INCONCLUSIVE, verdicts, profile="release"),
        invocations=(invocation(), failed),
        provisional_clocks=True,
    )
    return msgspec.structs.replace(base, **changes)


def policy_error_run(**changes: Any) -> RunDocument:
    """A run whose policy could not decide."""
    note = "the layer organisation has a module that does not compile: data/limits.rego:3: unexpected token"
    return msgspec.structs.replace(run_document(decision=decision(Outcome.POLICY_ERROR, notes=(note,))), **changes)


def unnamed_run() -> RunDocument:
    """A run whose findings stand nowhere, the first of them with ten million characters of all that a tool may say."""
    document = failing_run()
    nowhere = Location(path="")
    said = ["\x00\x1b[2J\u202e\ufffe]]><&=" * 800_000, *(one.title for one in document.findings[1:])]
    findings = tuple(
        msgspec.structs.replace(
            one,
            location=nowhere,
            symbol="",
            witnesses=tuple(msgspec.structs.replace(seen, message=text, location=nowhere) for seen in one.witnesses),
        )
        for one, text in zip(document.findings, said, strict=True)
    )
    return msgspec.structs.replace(document, findings=findings)


def hostile_run(text: str = HOSTILE, **changes: Any) -> RunDocument:
    """A run in which everything that a scanned tree or a tool can name says `text`."""
    place = location(text, 3)
    package = Package(ecosystem=text, name=text, version=text, manifest=text, fixed_versions=(text,))
    witness = result(
        text, rule=text, message=text, location=place, snippet=text, resource=text, severity_basis=text, advisory=text,
        suppressions=(Suppression(kind="inSource", text=text),),
    )  # fmt: skip
    evil = finding(
        "evil", title=text, location=place, symbol=text, severity_basis=text, package=package, remedy=text,
        witnesses=(witness,), weakness=text, advisories=(text,), previous_path=text,
        obligations=(obligation("evil", left_s=5, basis=text),),
    )  # fmt: skip
    calm = msgspec.structs.replace(evil, fingerprint=digest("calm"))
    hole = gap(path=text, tool=text, reason=text, detail=text, remedy=text)
    verdicts = [
        verdict("evil", reason=text, remedy=text, rule=text),
        verdict("calm", Word.WARN, reason=text, rule=text),
        lane_verdict(Lane.SAST, Word.INCONCLUSIVE, reason=text, remedy=text),
    ]
    bad = invocation(text, rule_pack=text, reason=text, status=ScanStatus.CRASHED, notices=(text,), argv=(text,))
    base = run_document(
        target=target(repository=text, ref=text, scope_basis=text, gate_changes=(text,), prefix=text, changed=(text,)),
        coverage=Coverage(
            lanes=(lane_coverage(gaps=(hole,), covered=11, failed=1, tools_ran=(text,)),),
            left_out=(LeftOut(path=text, reason="excluded", detail=text),),
        ),
        findings=(evil, calm),
        brought_lines=on_their_lines((evil, calm)),
        decision=decision(Outcome.FAIL, verdicts, notes=(text,), all_outcomes=(Outcome.FAIL, Outcome.INCONCLUSIVE)),
        invocations=(bad,),
        excerpts={digest("evil"): "3\t" + text.replace("\n", " ").replace("\r", " ")},
        notes=(text,),
        ledger=text,
        run_id="01HOSTILE",
    )
    return msgspec.structs.replace(base, **changes)


def large_run(count: int) -> RunDocument:
    """A run with `count` findings that block and as many that do not."""
    findings = [finding(str(n), location=location(f"src/m{n // 50:04}.py", n % 50 + 1)) for n in range(2 * count)]
    verdicts = [verdict(str(n), Word.DENY if n < count else Word.WARN) for n in range(2 * count)]
    return run_document(
        findings=tuple(findings),
        decision=decision(Outcome.FAIL, verdicts),
        brought_lines=on_their_lines(findings),
    )
