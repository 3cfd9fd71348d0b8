"""Settings from several layers under one schema: enforced layer, command line, environment, a file, defaults.

Every fault of a file is reported at once, with its key and line. Where each value came from is kept. What only the
organisation may set (`mode`, imports that cover a lane, an older advisory database) is refused elsewhere.
"""

from __future__ import annotations

import difflib
import os
import re
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, Struct

from secgate.errors import ConfigError
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


class SarifImport(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A SARIF file of another tool that joins the run. It covers its lane only where the enforced layer says so."""

    file: str
    lane: Lane = Lane.SAST
    covers: bool = False


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings. Keys are those of secgate.toml, or of `[tool.secgate]` in pyproject.toml."""

    version: Literal[1] = 1
    profile: str = "pull-request"
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
    scanners: dict[str, ScannerSettings] = {}
    sarif: list[SarifImport] = []


ENFORCED_ONLY = ("mode", "disabled_rules", "sarif.*.covers")
"""Keys that only the enforced layer may set: each decides what counts against the organisation's own wish."""

OPERATOR_ONLY = (
    *("scope", "scanners.*.path", "advisories.database", "advisories.dump_url"),
    *("ledger.path", "ledger.store", "ledger.repository", "ledger.ref"),
    *("scanners.*.options.packs", "scanners.*.options.rule_cache", "scanners.*.options.source"),
)
"""Keys that a repository's own file may not set: each would let a tree redirect the gate that judges it."""

ADDITIVE = ("exclude", "policies", "sarif")
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
    "SECGATE_ADVISORIES": "advisories.database",
    "SECGATE_ADVISORIES_SOURCE": "advisories.source",
}
"""Environment variables and the keys they set."""


class Layer(Struct, frozen=True, kw_only=True):
    """One source of settings: its name as shown, its text for line numbers, its values as nested mappings."""

    name: str
    values: dict[str, Any]
    text: str = ""
    trust: Trust = "repository"
    prefix: tuple[str, ...] = ()


class Resolved(Struct, frozen=True, kw_only=True):
    """Settings and, for every key that is not a default, the name of the layer that set it."""

    settings: Settings
    sources: dict[str, str]


def parse_file(data: bytes, *, name: str, trust: Trust) -> Layer | None:
    """Give the layer of a configuration file's bytes, or None for a pyproject.toml without `[tool.secgate]`.

    Raises ConfigError for what is not TOML, with its line.
    """
    if len(data) > MAX_CONFIG_BYTES:
        raise ConfigError(f"{name} is larger than {MAX_CONFIG_BYTES} bytes", faults=(), place=name, remedy="shorten it")
    try:
        text = data.decode("utf-8")
        values = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise ConfigError(
            "the file is not UTF-8", faults=(), place=f"{name}: byte {error.start}", remedy="save it as UTF-8"
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            f"not valid TOML: {error}", faults=(), place=name, remedy="mend the line that is named"
        ) from error
    except RecursionError as error:
        raise ConfigError("nested too deeply", faults=(), place=name, remedy="flatten the tables") from error
    if name.rsplit("/", 1)[-1] != PYPROJECT:
        return Layer(name=name, values=values, text=text, trust=trust)
    tool = values.get("tool")
    mine = tool.get("secgate") if isinstance(tool, dict) else None
    if mine is None:
        return None
    if not isinstance(mine, dict):
        raise ConfigError("[tool.secgate] is not a table", faults=(), place=name, remedy="write it as a table")
    return Layer(name=f"{name} [tool.secgate]", values=mine, text=text, trust=trust, prefix=("tool", "secgate"))


_SWITCH = {
    **dict.fromkeys(("1", "true", "yes", "on"), True),
    **dict.fromkeys(("0", "false", "no", "off"), False),
}


def environment_layer(env: Mapping[str, str]) -> Layer:
    """Give the layer that the environment sets; 1, true, yes, on and their opposites switch, numbers are numbers."""
    values: dict[str, Any] = {}
    for variable, key in ENVIRONMENT.items():
        text = env.get(variable)
        if text is None or text == "":
            continue
        value: object = text
        if key in ("offline", "ledger.required"):
            # What is neither is left as it is, and then is a fault: `SECGATE_OFFLINE=maybe` must not mean online.
            value = _SWITCH.get(text.strip().lower(), text)
        elif key == "jobs":
            value = int(text) if text.strip().isdigit() else text
        _put(values, key.split("."), value)
    return Layer(name="environment", values=values, trust="operator")


def option_layer(options: Mapping[str, object]) -> Layer:
    """Give the layer of command-line options: dotted keys to values; None is "not given"."""
    values: dict[str, Any] = {}
    for key, value in options.items():
        if value is not None:
            _put(values, key.split("."), value)
    return Layer(name="command line", values=values, trust="operator")


def resolve(layers: Sequence[Layer]) -> Resolved:
    """Merge `layers`, strongest first, over the defaults.

    Tables merge key by key, lists are replaced whole, except those of ADDITIVE, which a weaker layer may only add to.
    Raises ConfigError with every fault of every layer.
    """
    faults: list[tuple[str, str, str]] = []
    for layer in layers:
        faults.extend(_faults(layer))
    if faults:
        raise ConfigError(
            f"{len(faults)} fault(s) in the configuration", faults=faults, remedy="mend each; nothing was judged"
        )
    merged: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for layer in reversed(layers):
        _merge(merged, layer.values, layer.name, sources, ())
    return Resolved(settings=msgspec.convert(merged, Settings), sources=dict(sorted(sources.items())))


class Machine(Struct, frozen=True, kw_only=True):
    """What secgate knows of where it runs.

    environment, working directory, its interpreter and prefix, its state folder.
    """

    env: dict[str, str]
    cwd: str
    python: str
    prefix: str
    state: str


def this_machine(env: Mapping[str, str]) -> Machine:
    """Give the machine this process runs on, with `env` for its environment.

    Raises ConfigError without a state folder.
    """
    return Machine(env=dict(env), cwd=str(Path.cwd()), python=sys.executable, prefix=sys.prefix, state=state_dir(env))


def process_environment() -> dict[str, str]:
    """Give a copy of this process's environment: the one place outside `cli/` that reads it."""
    return dict(os.environ)


def state_dir(env: Mapping[str, str]) -> str:
    """Give the absolute folder for ledgers, tool environments and advisories of this user.

    SECGATE_STATE_DIR, else XDG_STATE_HOME/secgate, else HOME/.local/state/secgate. Raises ConfigError when none is set
    or the first is relative.
    """
    for variable, tail in (
        ("SECGATE_STATE_DIR", ""),
        ("XDG_STATE_HOME", "/secgate"),
        ("HOME", "/.local/state/secgate"),
    ):
        value = env.get(variable, "")
        if value.startswith("/"):
            return value.rstrip("/") + tail
        if value and not tail:
            what = f"{variable} is not an absolute path: {value}"
            raise ConfigError(what, faults=(), place="environment", remedy="give an absolute path")
    raise ConfigError(
        "no folder for secgate's state: none of SECGATE_STATE_DIR, XDG_STATE_HOME and HOME is an absolute path",
        faults=(),
        place="environment",
        remedy="set SECGATE_STATE_DIR to an absolute path",
    )


def schema() -> dict[str, Any]:
    """Give the JSON Schema of the configuration file."""
    return msgspec.json.schema(Settings)


def _put(values: dict[str, Any], path: Sequence[str], value: object) -> None:
    for part in path[:-1]:
        values = values.setdefault(part, {})
    values[path[-1]] = value


def _merge(
    into: dict[str, Any], values: Mapping[str, Any], name: str, sources: dict[str, str], at: tuple[str, ...]
) -> None:
    for key, value in values.items():
        path = (*at, key)
        if isinstance(value, Mapping):
            _merge(into.setdefault(key, {}), value, name, sources, path)
        elif key in ADDITIVE and not at and isinstance(value, list):
            into[key] = [*into.get(key, []), *[item for item in value if item not in into.get(key, [])]]
            sources[key] = f"{sources[key]}, {name}" if key in sources else name
        else:
            into[key] = value
            sources[".".join(path)] = name


def _faults(layer: Layer) -> list[tuple[str, str, str]]:
    faults: list[tuple[str, str, str]] = []
    check_table(layer, Settings, layer.values, (), faults)
    if layer.trust == "enforced":
        return faults
    reserved = [(pattern, "the enforced layer only") for pattern in ENFORCED_ONLY]
    if layer.trust == "repository":
        reserved += [
            (pattern, "the enforced layer, the command line or the environment only") for pattern in OPERATOR_ONLY
        ]
    for pattern, who in reserved:
        for path in _present(layer.values, pattern.split(".")):
            what = f"`{'.'.join(path)}` may be set by {who}"
            faults.append((place_of(layer, path), what, "remove it here; ask the owner of the enforced layer"))
    if layer.trust == "repository":
        faults.extend(_leading_out(layer))
    advisories = layer.values.get("advisories")
    age = advisories.get("max_age_days", 0) if isinstance(advisories, dict) else 0
    if isinstance(age, int) and age > SHIPPED_MAX_AGE_DAYS:
        what = f"`advisories.max_age_days` above {SHIPPED_MAX_AGE_DAYS} may be set by the enforced layer only"
        faults.append(
            (place_of(layer, ("advisories", "max_age_days")), what, "update the database, or ask for it there")
        )
    return faults


def _leading_out(layer: Layer) -> list[tuple[str, str, str]]:
    """A tree names files of its own only: another's content would come out in the report, or be written over."""
    faults = []
    for path in (at for pattern in _PATHS for at in _present(layer.values, pattern)):
        value: Any = layer.values
        for key in path:
            value = value[int(key)] if isinstance(value, list) else value[key]
        texts = [text for text in (value if isinstance(value, list) else [value]) if isinstance(text, str)]
        if any(text.startswith("/") or ".." in text.split("/") for text in texts):
            what = f"`{'.'.join(path)}` leads out of the tree: {', '.join(texts)}"
            faults.append((place_of(layer, path), what, "name a file of the tree, or ask for it in the enforced layer"))
    return faults


_PATHS = (("sarif", "*", "file"), ("scanners", "*", "options", "*"))


def _present(values: object, pattern: Sequence[str], at: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if not pattern:
        return [at]
    head, rest = pattern[0], pattern[1:]
    found: list[tuple[str, ...]] = []
    if isinstance(values, Mapping):
        keys = list(values) if head == "*" else [head] if head in values else []
        for key in keys:
            found.extend(_present(values[key], rest, (*at, key)))
    elif isinstance(values, list) and head == "*":
        for index, item in enumerate(values):
            found.extend(_present(item, rest, (*at, str(index))))
    return found


def check_table(
    layer: Layer, kind: Any, value: object, at: tuple[str, ...], faults: list[tuple[str, str, str]]
) -> None:
    """Walk a value of `layer` beside its type `kind` and add every fault to `faults`, not just the first."""
    if isinstance(kind, type) and issubclass(kind, Struct):
        if not isinstance(value, Mapping):
            faults.append((place_of(layer, at), f"`{'.'.join(at)}` is not a table", "write it as a table"))
            return
        hints = get_type_hints(kind, include_extras=True)
        for key, item in value.items():
            path = (*at, str(key))
            if key not in hints:
                close = difflib.get_close_matches(str(key), hints, n=1)
                remedy = f"did you mean `{close[0]}`?" if close else f"known here: {', '.join(sorted(hints))}"
                faults.append((place_of(layer, path), f"unknown key `{'.'.join(path)}`", remedy))
            else:
                check_table(layer, hints[key], item, path, faults)
        faults.extend(
            (place_of(layer, at), f"`{'.'.join((*at, field.name))}` is missing", "add it")
            for field in msgspec.structs.fields(kind)
            if field.required and field.name not in value
        )
        return
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is dict and isinstance(value, Mapping):
        for key, item in value.items():
            check_table(layer, arguments[1], item, (*at, str(key)), faults)
        return
    if origin is list and isinstance(value, list):
        for index, item in enumerate(value):
            check_table(layer, arguments[0], item, (*at, str(index)), faults)
        return
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        faults.append((place_of(layer, at), f"`{'.'.join(at)}`: {error}", "give a value of that form"))


def place_of(layer: Layer, path: Sequence[str]) -> str:
    """Give where the key `path` of a layer is, for messages: `FILE:LINE`."""
    line = line_of(layer.text, (*layer.prefix, *path)) if layer.text else 0
    return f"{layer.name}:{line}" if line else layer.name


_HEADER = re.compile(r"^\s*\[{1,2}\s*([^\]]+?)\s*\]{1,2}\s*(?:#.*)?$")
_KEY = re.compile(r"""^\s*((?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+))*)\s*=""")


def line_of(text: str, path: Sequence[str]) -> int:
    """Give the line (from 1) of the TOML key `path`, or of the closest enclosing key that is written out.

    0 when none is.

    List positions are digits in `path`. Good for messages: tomllib keeps no positions.
    """
    wanted = [part for part in path if not part.isdigit()]
    counts: dict[tuple[str, ...], int] = {}
    index_of = {
        tuple(p for p in path[:at] if not p.isdigit()): int(part) for at, part in enumerate(path) if part.isdigit()
    }
    table: list[str] = []
    skipped = False
    best, best_depth = 0, 0
    for number, line in enumerate(text.split("\n"), 1):
        header = _HEADER.match(line)
        if header and not _KEY.match(line):
            table = _split(header.group(1))
            key = tuple(table)
            if line.lstrip().startswith("[["):
                counts[key] = counts.get(key, -1) + 1
            skipped = key in index_of and counts.get(key, 0) != index_of[key]
            full = table
        else:
            match = _KEY.match(line)
            if not match:
                continue
            full = [*table, *_split(match.group(1))]
        if not skipped and full == wanted[: len(full)] and len(full) > best_depth:
            best, best_depth = number, len(full)
    return best


def _split(dotted: str) -> list[str]:
    return [part.strip().strip("\"'") for part in re.findall(r"""\s*("[^"]*"|'[^']*'|[^.]+)\s*""", dotted)]
