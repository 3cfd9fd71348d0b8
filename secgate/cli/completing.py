"""What a shell is offered for a value. Nothing leaves the machine, and nothing is imported before it is asked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

MOST = 200
"""Findings that are offered, the worst first."""


def complete_format(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Offer the formats of a run."""
    del ctx, param
    from secgate import registry

    return [name for name in registry.names("reporters") if name.startswith(incomplete)]


def complete_scanner(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Offer the scanners."""
    del ctx, param
    from secgate import registry

    return [name for name in registry.names("scanners") if name.startswith(incomplete)]


def complete_profile(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Offer the shipped profiles."""
    del ctx, param
    from secgate.resources import data_dir

    shipped = json.loads((data_dir("policies") / "data" / "profiles.json").read_bytes())
    return [name for name in sorted(shipped["profiles"]["named"]) if name.startswith(incomplete)]


def complete_subject(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer what can be explained: the run, lanes, and findings of the last run that no ledger holds.

    A ledger is not asked: it would be verified whole for each press of a key.
    """
    del param
    from click.shell_completion import CompletionItem

    from secgate.config import process_environment, this_machine
    from secgate.errors import SecgateError
    from secgate.model import Lane
    from secgate.preparation import last_kept

    names = [CompletionItem(name) for name in ("run", *(lane.value for lane in Lane))]
    start = Path(str(ctx.params.get("path") or ".")).resolve()
    root = next((one for one in (start, *start.parents) if (one / ".git").exists()), start)
    try:
        last = last_kept(root=str(root), machine=this_machine(process_environment()))
    except SecgateError:
        last = None
    found = sorted(last.findings, key=lambda one: -one.score)[:MOST] if last is not None else []
    names += [CompletionItem(one.fingerprint[:12], help=f"{one.severity.value} {one.weakness}") for one in found]
    return [one for one in names if one.value.startswith(incomplete)]


def complete_document(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Offer what `secgate config schema` knows."""
    del ctx, param
    from secgate import document_schema

    return [name for name in ("settings", *document_schema.names()) if name.startswith(incomplete)]
