"""What can be set: the values of secgate.toml, who may set which, and the variables that set some."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from secgate.model import Lane

FILE_NAME = "secgate.toml"
PYPROJECT = "pyproject.toml"
ENFORCED_NAME = "enforced.toml"
MAX_CONFIG_BYTES = 1024 * 1024

Positive = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(gt=0, le=86_400)]


class ScannerSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of one scanner. `options` go to its adapter, which says what it knows."""

    enabled: bool = True
    timeout_s: Seconds = 600.0
    path: str = ""
    kinds: list[str] = []
    """Kinds of files that it is asked about besides those of the lane table, in each of its lanes."""
    covers: bool = False
    """Whether it is enough where no other tool looks at such a kind; only the enforced layer says so."""
    options: dict[str, str | int | float | bool | list[str]] = {}


class LedgerSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which ledger remembers. `auto` is sqlite in the git common directory, else in the state directory."""

    store: Literal["auto", "sqlite", "git", "none"] = "auto"
    path: str = ""
    repository: str = ""
    ref: str = "refs/heads/secgate-ledger"
    required: bool = False
    checkpoint_size: int = 0
    """Smallest size the ledger must have, from the last checkpoint kept elsewhere."""
    checkpoint_root: str = ""
    timestamps_required: bool = False
    """A checkpoint counts only with a timestamp of an authority that the enforced layer knows."""


class AdvisorySettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where advisories come from.

    `local` is the imported database, `index` the package index's own service, `osv` an OSV service.

    `auto` is `local` where a database has been imported or the run is offline, else `index`.
    """

    source: Literal["auto", "local", "index", "osv"] = "auto"
    database: str = ""
    max_age_days: Annotated[int, Meta(ge=0)] = 0
    """0 is the profile's own: 7 days in the shipped ones."""
    dump_url: str = "https://osv-vulnerabilities.storage.googleapis.com/PyPI/all.zip"


class EngineSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What evaluates the policy: `regorus` in this process, `opa-eval` a local program, `opa` a server.

    The address is https, or http on this machine. The server's token is in the variable SECGATE_OPA_TOKEN alone.
    """

    name: str = "regorus"
    address: str = ""
    ca: str = ""
    """File with the certificates that the server's is checked against; "" for those of the system."""
    certificate: str = ""
    """File with the client's own certificate, for servers that ask for one."""
    key: str = ""
    """File with the key of `certificate`; "" where that file holds it."""


class SarifImport(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A SARIF file of another tool that joins the run. It covers its lane only where the enforced layer says so."""

    file: str
    lane: Lane = Lane.SAST
    covers: bool = False


class ConftestSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Policies in Conftest's shape, and the files of the tree that each is asked about, one document at a time."""

    policies: str
    """A folder of the tree; in the enforced layer one below its `conftest/`."""
    files: list[str]
    """Path patterns, in the form of .gitignore."""
    namespaces: list[str] = msgspec.field(default_factory=lambda: ["main"])


class FolderSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one folder of a tree chooses for itself: the profile of runs of that folder, and paths below it left out."""

    profile: str = ""
    exclude: list[str] = []


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings. Keys are those of secgate.toml, or of `[tool.secgate]` in pyproject.toml."""

    version: Literal[1] = 1
    profile: str = "pull-request"
    least_profile: str = ""
    locked: list[str] = []
    mode: Literal["enforce", "observe"] = "enforce"
    scope: Literal["", "protected", "change", "local"] = ""
    line: str = ""
    offline: bool = False
    jobs: Annotated[int, Meta(ge=0, le=256)] = 0
    exclude: list[str] = []
    policies: list[str] = []
    disabled_rules: list[str] = []
    max_file_bytes: Positive = 64 * 1024 * 1024
    ledger: LedgerSettings = LedgerSettings()
    advisories: AdvisorySettings = AdvisorySettings()
    engine: EngineSettings = EngineSettings()
    scanners: dict[str, ScannerSettings] = {}
    sarif: list[SarifImport] = []
    conftest: list[ConftestSettings] = []
    folders: dict[str, FolderSettings] = {}


ENFORCED_ONLY = (
    "least_profile",
    "locked",
    "mode",
    "disabled_rules",
    "sarif.*.covers",
    "scanners.*.covers",
    "ledger.timestamps_required",
)
"""Keys that only the enforced layer may set: each decides what counts against the organisation's own wish."""

OPERATOR_ONLY = (
    *("scope", "scanners.*.path", "advisories.database", "advisories.dump_url"),
    *("ledger.path", "ledger.store", "ledger.repository", "ledger.ref"),
    *("engine",),
    *("scanners.*.options.packs", "scanners.*.options.rule_cache", "scanners.*.options.source"),
)
"""Keys that a repository's own file may not set: each would let a tree redirect the gate that judges it."""

LOCKED_TOO = {"profile": ("folders.*.profile",), "exclude": ("folders.*.exclude",)}
"""What a lock on a key locks besides: the same choice, made for a folder."""

ADDITIVE = ("exclude", "policies", "sarif", "conftest")
"""Lists of which every layer's elements count together."""

SHIPPED_MAX_AGE_DAYS = 7
"""Oldest advisory database that anyone but the enforced layer can allow."""

Trust = Literal["enforced", "operator", "repository"]

ENVIRONMENT = {
    "SECGATE_PROFILE": "profile",
    "SECGATE_OFFLINE": "offline",
    "SECGATE_JOBS": "jobs",
    "SECGATE_LEDGER_STORE": "ledger.store",
    "SECGATE_LEDGER_PATH": "ledger.path",
    "SECGATE_LEDGER_REPOSITORY": "ledger.repository",
    "SECGATE_LEDGER_REF": "ledger.ref",
    "SECGATE_LEDGER_REQUIRED": "ledger.required",
    "SECGATE_ENGINE": "engine.name",
    "SECGATE_OPA_ADDRESS": "engine.address",
    "SECGATE_OPA_CA": "engine.ca",
    "SECGATE_OPA_CERTIFICATE": "engine.certificate",
    "SECGATE_OPA_KEY": "engine.key",
    "SECGATE_ADVISORIES": "advisories.database",
    "SECGATE_ADVISORIES_SOURCE": "advisories.source",
}
"""Environment variables and the keys they set."""
