"""`secgate run` and `secgate scan`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from secgate.cli.options import (
    Progress,
    check_apart,
    check_output,
    formats,
    machine,
    moment,
    nothing_stale,
    run_options,
    terminal,
    write_output,
)
from secgate.errors import UsageError


@click.command("run")
@run_options
@click.option("--baseline", metavar="FILE", help="SARIF of another tool that lists known debt, FILE.sig beside it.")
@click.option("--policy", "policies", multiple=True, metavar="DIR", help="More Rego policies; they can only add.")
@click.option("--format", "outputs", multiple=True, metavar="FORMAT[=FILE]", help="text, json, sarif, html and others.")
@click.option("--attest", "attest_to", metavar="FILE", default="", help="Sign what it said, pass or not, into a file.")
@click.option("--attest-key", metavar="FILE", default="", help="The machine's Ed25519 key, without a passphrase.")
@click.option("--quiet", is_flag=True, help="No progress.")
def run_command(*, outputs: tuple[str, ...], attest_to: str, attest_key: str, quiet: bool, **options: Any) -> int:
    """Scan PATH, judge what was found, record it and show it.

    PATH is a git work tree, a folder in one, or a plain folder; the current folder by default.
    """
    from secgate import pipeline, registry
    from secgate.escape import plain
    from secgate.overrides import override_words

    wanted, now = formats(outputs, registry.names("reporters")), moment()
    if attest_to or attest_key:
        check_apart(attest_to, attest_key, *(file for _, file in wanted))
        _check_attest(attest_to, attest_key, now)
    progress = Progress(quiet=quiet)
    with nothing_stale((*(file for _, file in wanted), attest_to)):
        try:
            request = _request({**options, "attested": bool(attest_to)})
            done = pipeline.run(request, machine=machine(), now=now, observer=progress)
        finally:
            progress.close()
    width, colour = terminal()
    for name, file in wanted:
        data = pipeline.render(done, name, width=width if not file else 80, colour=colour and not file)
        write_output(data, file)
    if attest_to:
        from secgate import custody

        with nothing_stale([attest_to]):
            enforced = options["enforced"] or ""
            made = custody.attest(done, key=attest_key, enforced=enforced, machine=machine(), now=now)
        write_output(made.data, attest_to)
    if done.decision is None:
        raise TypeError("a run without a decision")
    if done.decision.override is not None:
        # Whatever the format and wherever it goes, whoever runs it sees this.
        click.echo(f"secgate: {plain(override_words(done.decision))}", err=True)
    return done.decision.exit_code


@click.command("scan")
@run_options
@click.option("-o", "--output", default="-", metavar="FILE", help="Where the SARIF goes; stdout by default.")
@click.option("--quiet", is_flag=True, help="No progress.")
def scan_command(*, output: str, quiet: bool, **options: Any) -> int:
    """Scan PATH and write SARIF: everything up to the findings, no judgement, nothing recorded.

    Exit code 3 when a lane was not covered, else 0.
    """
    from secgate import pipeline

    if output not in ("", "-"):
        check_output(output)
    progress = Progress(quiet=quiet)
    with nothing_stale([output]):
        try:
            done = pipeline.scan_only(_request(options), machine=machine(), now=moment(), observer=progress)
        finally:
            progress.close()
    write_output(pipeline.render(done, "sarif", width=80, colour=False), output)
    gaps = [gap for lane in done.coverage.lanes if lane.asked for gap in lane.gaps]
    for gap in gaps[:20]:
        place = gap.path or gap.lane.value
        click.echo(f"secgate: not covered: {place!r}: {gap.tool}: {gap.detail or gap.reason}", err=True)
    if len(gaps) > 20:
        click.echo(f"secgate: and {len(gaps) - 20} more gaps", err=True)
    return 3 if gaps else 0


def _check_attest(file: str, key: str, now: datetime) -> None:
    """Raise before the work for what could not be written or signed after it."""
    from secgate import custody

    if not file or file == "-" or not key:
        raise UsageError("an attestation needs a file and a key", remedy="give --attest FILE and --attest-key FILE")
    check_output(file)
    custody.require_key(key, machine=machine(), now=now)


def _request(options: dict[str, Any]) -> Any:
    from secgate.pipeline import RunRequest

    return RunRequest(**{key: value for key, value in options.items() if value is not None})
