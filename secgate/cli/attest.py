"""`secgate attest`: what a run said, signed; artefacts bound to it; and such a statement checked offline."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import click

from secgate.cli.help import Group
from secgate.cli.options import DAYS, check_apart, check_output, machine, moment, nothing_stale, room, write_output
from secgate.cli.waiver import place_options
from secgate.escape import plain

if TYPE_CHECKING:
    from secgate.preparation import Place

_KEY = click.option("--key", metavar="FILE", required=True, help="The machine's Ed25519 key, without a passphrase.")
_OUTPUT = click.option("-o", "--output", default="-", metavar="FILE", help="Where it goes; stdout by default.")

_BUILT = click.option(
    "--artifact",
    "artifacts",
    metavar="FILE|DIGEST",
    multiple=True,
    required=True,
    help="What was built: a file, or sha256:… of it; may be repeated.",
)


@click.group("attest", cls=Group)
def attest_command() -> None:
    """Sign what a run said, bind artefacts to it, check such a statement.

    An attestation is an in-toto statement in a signed DSSE envelope. It says what the gate decided of which commit,
    tree and artefacts, be that pass, fail or could not tell.
    """


@attest_command.command(
    "emit",
    examples=("secgate attest emit --key ci.pem -o gate.att.json",),
)
@click.argument("run", required=False, default="", metavar="[RUN]")
@_KEY
@_OUTPUT
@place_options
def emit(*, run: str, key: str, output: str, path: str, config: str, enforced: str) -> int:
    """Attest the recorded RUN, by its id or the start of it; the latest by default."""
    from secgate import custody

    place = _place(path, config, enforced, output)
    check_apart(output, key)
    with nothing_stale([output]):
        made = custody.attest_recorded(run, place=place, key=key, machine=machine(), now=moment())
    write_output(made.data, output)
    click.echo(f"run {plain(made.run.run_id)}: {made.run.outcome}", err=True)
    return 0


@attest_command.command(
    "bind",
    examples=("secgate attest bind 20261127T0740 --artifact dist/shop.whl --key ci.pem",),
)
@click.argument("run", metavar="RUN")
@_BUILT
@_KEY
@_OUTPUT
@place_options
def bind(*, run: str, artifacts: tuple[str, ...], key: str, output: str, path: str, config: str, enforced: str) -> int:
    """Say that what was built after the gate was built from the commit of the recorded RUN.

    The ledger notes it, and an attestation is written whose subjects are the artefacts, the commit and its tree. That
    it was built from there is the word of whoever signs.
    """
    from secgate import custody

    place = _place(path, config, enforced, output)
    check_apart(output, key, *artifacts)
    with nothing_stale([output]):
        bound = custody.bind(run, artifacts, place=place, key=key, machine=machine(), now=moment())
    write_output(bound.made.data, output)
    for one in bound.artifacts:
        click.echo(f"bound {plain(one.name or one.digest)} to run {plain(bound.made.run.run_id)}", err=True)
    click.echo(f"noted in {plain(bound.address)}; the run said {bound.made.run.outcome}", err=True)
    return 0


@attest_command.command(
    "statement",
    examples=("secgate attest statement 20261127T0740 --artifact dist/shop.whl -o gate.json",),
)
@click.argument("run", metavar="RUN")
@_BUILT
@_OUTPUT
@place_options
def statement(*, run: str, artifacts: tuple[str, ...], output: str, path: str, config: str, enforced: str) -> int:
    """Write what `bind` would sign, unsigned, for a signer of another kind: a CI's own, a hardware module.

    By itself it proves nothing, so the ledger notes nothing of it.
    """
    from secgate import custody

    place = _place(path, config, enforced, output)
    check_apart(output, *artifacts)
    with nothing_stale([output]):
        data = custody.unsigned(run, artifacts, place=place, machine=machine(), now=moment())
    write_output(data, output)
    return 0


@attest_command.command(
    "verify",
    examples=("secgate attest verify gate.att.json --artifact dist/shop.whl --enforced org",),
)
@click.argument("file", metavar="FILE")
@click.option("--artifact", "artifacts", metavar="FILE|DIGEST", multiple=True, help="It must be about each of these.")
@click.option("--commit", default="", metavar="C", help="It must be about this commit, or one with the same tree.")
@click.option("--tree", default="", metavar="T", help="It must be about this git tree.")
@click.option("--repository", default="", metavar="PATH", help="A clone that tells the tree of --commit.")
@click.option("--prefix", default="", metavar="FOLDER", help="Only this folder of the tree is asked about.")
@click.option(
    "--profile", "profiles", multiple=True, metavar="NAME", help="It must have been judged under one of these."
)
@click.option("--max-age-days", type=DAYS, help="It must not be older.")
@click.option(
    "--require", type=click.Choice(("pass", "valid")), default="pass", help="valid: any outcome. pass by default."
)
@click.option("--format", "form", type=click.Choice(("text", "json")), default="text", help="text by default.")
@_OUTPUT
@click.option("--enforced", metavar="DIR", default="", help="The organisation's enforced layer: whose keys count.")
def verify(
    *,
    file: str,
    artifacts: tuple[str, ...],
    commit: str,
    tree: str,
    repository: str,
    prefix: str,
    profiles: tuple[str, ...],
    max_age_days: float | None,
    require: str,
    form: str,
    output: str,
    enforced: str,
) -> int:
    """Check the attestation in FILE offline: its signature, what it is about, what it says.

    Exit codes: 0 it is about what was asked for, and the gate passed it; 1 it is not, or the gate failed it; 2 nobody
    who counts signed it, or the call is wrong; 3 could not tell, or the gate could not.
    """
    import msgspec

    from secgate import custody

    width, _ = room(output)
    check_apart(output, file, *artifacts)
    asked = {
        "file": file,
        "artifacts": artifacts,
        "commit": commit,
        "tree": tree,
        "repository": repository,
        "prefix": prefix,
        "profiles": profiles,
        "require": require,
        "max_age": timedelta(days=max_age_days) if max_age_days is not None else None,
    }
    question = msgspec.convert(asked, custody.Question)
    with nothing_stale([output]):
        answer = custody.check_attestation(question, enforced=enforced, machine=machine(), now=moment())
    page = custody.answer_json(answer) if form == "json" else custody.answer_page(answer, file=file, width=width)
    write_output(page, output)
    return answer.exit_code


def _place(path: str, config: str, enforced: str, output: str) -> Place:
    from secgate.preparation import Place

    check_output(output)
    return Place(path=path, config=config, enforced=enforced)
