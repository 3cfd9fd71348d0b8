"""`secgate sbom`: what a tree's manifests name, as CycloneDX."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from secgate.cli.help import Command
from secgate.cli.options import check_apart, check_output, machine, moment, write_output
from secgate.cli.waiver import place_options

if TYPE_CHECKING:
    from secgate.bom import Form


@click.command(
    "sbom",
    cls=Command,
    examples=(
        "secgate sbom -o bom.json",
        "secgate sbom --format xml -o -",
    ),
)
@click.option("--run", default="", metavar="RUN", help="The inventory that a run kept, by its id or the start of it.")
@click.option("--ledger", default="", metavar="L", help="A ledger's file, or REPOSITORY#REF: of its run, or its last.")
@click.option(
    "--artifact",
    default="",
    metavar="FILE|DIGEST",
    help="What was built from it: a file, or sha256: and 64 hex digits.",
)
@click.option("--format", "form", type=click.Choice(("json", "xml")), default="json", help="json by default, or xml.")
@click.option("-o", "--output", required=True, metavar="FILE", help="Where it goes; - for stdout.")
@place_options
def sbom_command(
    *, run: str, ledger: str, artifact: str, form: Form, output: str, path: str, config: str, enforced: str
) -> int:
    """Write a bill of materials in CycloneDX 1.6: what the tree's manifests name, and what of it could not be read.

    Without --run and --ledger the tree is read as it is now. The same inventory, subject and time give the same bytes.
    """
    from secgate import bills
    from secgate.preparation import Place

    check_output(output)
    check_apart(output, artifact)
    name, digest = _artifact(artifact)
    wish = bills.BomWish(form=form, run=run, ledger=ledger, artifact_name=name, artifact_digest=digest)
    place = Place(path=path, config=config, enforced=enforced)
    write_output(bills.bom_of(wish, place=place, machine=machine(), now=moment()), output)
    return 0


def _artifact(text: str) -> tuple[str, str]:
    """Give the name of a file, "" for a digest, and the digest."""
    if not text:
        return "", ""
    from secgate import custody

    measured = custody.measure(text, cwd=machine().cwd, algorithms=(custody.ARTIFACT_HASH,))
    ((kind, value),) = measured.digests.items()
    return measured.name, f"{kind}:{value}"
