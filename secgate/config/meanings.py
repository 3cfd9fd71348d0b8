"""What each setting means, who may set it, and the JSON Schema that says so to editors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from secgate.config.settings import ENFORCED_ONLY, OPERATOR_ONLY, Settings

SCHEMA_ID = "https://secgate.invalid/schema/configuration-1.json"
"""A name, not a place: nothing is fetched from there."""

MEANINGS = {
    "version": "version of this file's form",
    "profile": "which lanes are asked for, and how older gaps count",
    "least_profile": "the weakest profile that anyone may choose; a weaker one is refused; empty: any",
    "locked": "keys that nobody but the enforced layer may set, such as `exclude`, `scanners` or `folders.*.profile`",
    "mode": "`observe` prints and records the outcome and exits 0 for fail and inconclusive",
    "scope": "class of the run; empty: CI's word that a reference is protected, `change` with a change, else `local`",
    "line": "the branch or deployment that clocks belong to in a protected run; empty: the branch",
    "offline": "no network: advisories come from the local database, ranges are not resolved",
    "jobs": "child processes at a time; 0 for as many as there are processors",
    "exclude": "paths left out of every lane; each is listed in coverage with its pattern. Layers only add",
    "policies": "folders of the tree with Rego rules of the repository's own layer. Layers only add",
    "disabled_rules": "shipped rules switched off, by name; printed and recorded",
    "max_file_bytes": "a larger file is left out by name, which is a gap",
    "ledger.store": "`auto` is `sqlite`: in the git common directory, else in the state folder; `none` records nothing",
    "ledger.path": "file of the sqlite ledger, outside the scanned tree",
    "ledger.repository": "address or absolute path of the repository of the git ledger",
    "ledger.ref": "branch, or full name under `refs/`, of the git ledger",
    "ledger.required": "an absent or provisional ledger is then exit 5; make it with `secgate ledger init`",
    "ledger.checkpoint_size": "number of entries that the ledger must have grown from; 0 for no checkpoint",
    "ledger.checkpoint_root": "its root at that size",
    "ledger.timestamps_required": "a checkpoint counts, and is taken, only with a timestamp that counts",
    "advisories.source": "`auto`: `local` where a database was imported or the run is offline, else `index`",
    "advisories.database": "file of the local database; empty: `advisories/PyPI.sqlite` in the state folder",
    "advisories.max_age_days": "oldest database believed; 0: the profile's own; above 7 the enforced layer only",
    "advisories.dump_url": "where a dump is fetched from",
    "engine.name": "`regorus`, `opa-eval` (the program `opa`), `opa` (a server), or a plug-in's name",
    "engine.address": "the OPA server: `https://HOST:PORT`, or http on this machine",
    "engine.ca": "file with the certificates that the server's is checked against; empty: the system's",
    "engine.certificate": "file with the client's certificate, for a server that asks for one",
    "engine.key": "file with its key; empty where the certificate's file holds it",
    "scanners.NAME.covers": "whether it is enough for its `kinds` where no other tool looks at them",
    "scanners.NAME.enabled": "`false` does not start it; the lane still asks for it, so that is a gap",
    "scanners.NAME.timeout_s": "time limit of each of its child processes, in seconds",
    "scanners.NAME.path": "absolute path of its program",
    "scanners.NAME.kinds": "kinds of files that it is asked about besides those that the lane table names it for",
    "scanners.NAME.options": "options that its adapter knows; any other is refused",
    "conftest.N.policies": "folder with policies in Conftest's shape; the enforced layer's are below its `conftest/`",
    "conftest.N.files": "path patterns of the files that they are asked about",
    "conftest.N.namespaces": "packages whose `deny`, `violation` and `warn` rules count",
    "sarif.N.file": "a SARIF file of another tool that joins the run",
    "sarif.N.lane": "its lane",
    "folders.NAME.profile": "profile of runs of this folder of the tree or one below it; the innermost counts",
    "folders.NAME.exclude": "paths left out below this folder, in every run; listed in coverage",
    "sarif.N.covers": "whether it covers its lane; it must also be untracked and name this commit",
}
"""Meaning of every key. `NAME` stands for a name of one's own, `N` for one of several tables."""


def who_may_set(key: str) -> str:
    """Give who may set a key of MEANINGS: `anyone`, `enforced, operator` or `enforced`."""
    for patterns, who in ((ENFORCED_ONLY, "enforced"), (OPERATOR_ONLY, "enforced, operator")):
        for pattern in patterns:
            if re.fullmatch(re.escape(pattern).replace(r"\*", r"[^.]+"), key):
                return who
    return "anyone"


def schema(options: Mapping[str, type[Struct]]) -> dict[str, Any]:
    """Give the JSON Schema (2020-12) of `secgate.toml` and `enforced.toml`, with what each key means.

    `options` are the forms of the options of scanners, by the scanner's name.
    """
    (top, *forms), parts = msgspec.json.schema_components((Settings, *options.values()), ref_template="#/$defs/{name}")
    document: dict[str, Any] = {**top, "$defs": parts}
    _describe(document, document["$ref"], "")
    scanners = parts["Settings"]["properties"]["scanners"]
    scanners["properties"] = {
        name: {"allOf": [scanners["additionalProperties"], {"properties": {"options": form}}]}
        for name, form in zip(options, forms, strict=True)
    }
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA_ID, "title": "secgate.toml"}
    return {**head, **document}


def _describe(document: dict[str, Any], ref: str, at: str) -> None:
    """Write the meaning of each key below `at` into the definition that `ref` names."""
    for name, field in document["$defs"][ref.rpartition("/")[2]]["properties"].items():
        key = f"{at}{name}"
        inner, step = field, ""
        if "additionalProperties" in field and isinstance(field["additionalProperties"], dict):
            inner, step = field["additionalProperties"], ".NAME"
        elif "items" in field:
            inner, step = field["items"], ".N"
        below = inner.get("$ref") or next((one["$ref"] for one in inner.get("anyOf", ()) if "$ref" in one), "")
        if below and f"{key}{step}" not in MEANINGS and _is_table(document, below):
            _describe(document, below, f"{key}{step}.")
            continue
        who = who_may_set(key)
        field["description"] = MEANINGS[key] + ("" if who == "anyone" else f" (may be set by: {who})")


def _is_table(document: dict[str, Any], ref: str) -> bool:
    return "properties" in document["$defs"][ref.rpartition("/")[2]]
