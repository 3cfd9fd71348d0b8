"""`secgate run` and `secgate scan`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from secgate.cli.help import Command
from secgate.cli.options import (
    FORMAT,
    POLICY,
    QUIET,
    VERBOSE,
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
from secgate.cli.progress import Progress
from secgate.errors import UsageError

if TYPE_CHECKING:
    from secgate.pipeline import RunRequest


@click.command(
    "run",
    cls=Command,
    examples=(
        "secgate run",
        "secgate run --changed-since main",
        "secgate run --format text --format html=gate.html --format sarif=gate.sarif",
    ),
)
@run_options
@click.option("--baseline", metavar="FILE", help="SARIF of another tool that lists known debt, FILE.sig beside it.")
@POLICY
@FORMAT
@click.option("--attest", "attest_to", metavar="FILE", default="", help="Sign what it said, pass or not, into a file.")
@click.option("--attest-key", metavar="FILE", default="", help="The machine's Ed25519 key, without a passphrase.")
@QUIET
@VERBOSE
def run_command(
    *, outputs: tuple[str, ...], attest_to: str, attest_key: str, quiet: bool, verbose: bool, **options: Any
) -> int:
    """Scan PATH, judge what was found, record it and show it.

    PATH is a git work tree, a folder in one, or a plain folder; the current folder by default.

    Exit codes: 0 pass, 1 fail, 2 usage or configuration error, 3 could not tell, 4 the policy could not decide,
    5 ledger error; where several hold the first of 5, 4, 1, 3. In the organisation's mode `observe`, and under an
    override, 1 and 3 become 0.
    """
    request = _request({**options, "attested": bool(attest_to)})
    wish = Attest(attest_to, attest_key) if attest_to or attest_key else None
    return gate(
        request, outputs=outputs, progress=Progress(quiet=quiet, verbose=verbose, tree=request.path), attest=wish
    )


class Attest(NamedTuple):
    """Where an attestation goes, and the key that signs it."""

    file: str
    key: str


def gate(request: RunRequest, *, outputs: Sequence[str], progress: Progress, attest: Attest | None = None) -> int:
    """Run the gate, show what was asked for, attest it where that is wanted, and give the exit code."""
    from secgate import pipeline, registry
    from secgate.escape import plain
    from secgate.overrides import override_words

    wanted, now = formats(outputs, registry.names("reporters")), moment()
    files = [file for _, file in wanted]
    if attest is not None:
        _check_attest(attest, files, now)
    waiting = [*files, attest.file if attest is not None else ""]
    with nothing_stale(waiting):
        try:
            done = pipeline.run(request, machine=machine(), now=now, observer=progress)
        finally:
            progress.close()
        progress.keep(done)
        width, colour = terminal()
        for name, file in wanted:
            data = pipeline.render(done, name, width=width if not file else 80, colour=colour and not file)
            write_output(data, file)
            waiting.remove(file)  # it is of this run now, whatever comes of the others
        if attest is not None:
            from secgate import custody

            made = custody.attest(done, key=attest.key, enforced=request.enforced, machine=machine(), now=now)
            write_output(made.data, attest.file)
    if done.decision is None:
        raise TypeError("a run without a decision")
    if done.decision.override is not None:
        # Whatever the format and wherever it goes, whoever runs it sees this.
        click.echo(f"secgate: {plain(override_words(done.decision))}", err=True)
    return done.decision.exit_code


@click.command(
    "scan",
    cls=Command,
    examples=("secgate scan --quiet | secgate check -",),
)
@run_options
@click.option("-o", "--output", default="-", metavar="FILE", help="Where the SARIF goes; stdout by default.")
@QUIET
@VERBOSE
def scan_command(*, output: str, quiet: bool, verbose: bool, **options: Any) -> int:
    """Scan PATH and write SARIF: everything up to the findings, no judgement, nothing recorded.

    Exit code 3 when a lane was not covered, else 0.
    """
    from secgate import pipeline

    check_output(output)
    request = _request(options)
    progress = Progress(quiet=quiet, verbose=verbose, tree=request.path)
    with nothing_stale([output]):
        try:
            done = pipeline.scan_only(request, machine=machine(), now=moment(), observer=progress)
        finally:
            progress.close()
    progress.keep(done)
    write_output(pipeline.render(done, "sarif", width=80, colour=False), output)
    gaps = [gap for lane in done.coverage.lanes if lane.asked for gap in lane.gaps]
    for gap in gaps[:20]:
        place = gap.path or gap.lane.value
        click.echo(f"secgate: not covered: {place!r}: {gap.tool}: {gap.detail or gap.reason}", err=True)
    if len(gaps) > 20:
        click.echo(f"secgate: and {len(gaps) - 20} more gaps", err=True)
    return 3 if gaps else 0


def _check_attest(attest: Attest, outputs: Sequence[str], now: datetime) -> None:
    """Raise before the work for what could not be written or signed after it."""
    from secgate import custody

    if attest.file in ("", "-") or not attest.key:
        raise UsageError("an attestation needs a file and a key", remedy="give --attest FILE and --attest-key FILE")
    check_apart(attest.file, attest.key, *outputs)
    check_output(attest.file)
    custody.require_key(attest.key, machine=machine(), now=now)


def _request(options: dict[str, Any]) -> RunRequest:
    from secgate.pipeline import RunRequest

    return RunRequest(**{key: value for key, value in options.items() if value is not None})
