"""Settings from several layers under one schema: enforced layer, command line, environment, a file, defaults.

Every fault of a file is reported at once, with its key and line. Where each value came from is kept. What only the
organisation may set (`mode`, imports that cover a lane, an older advisory database) is refused elsewhere.
"""

from __future__ import annotations

import codecs
import difflib
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

import msgspec
from msgspec import UNSET, Struct

from secgate.config.lines import line_of
from secgate.config.settings import (
    ADDITIVE,
    ENFORCED_ONLY,
    ENVIRONMENT,
    LOCKED_TOO,
    MAX_CONFIG_BYTES,
    OPERATOR_ONLY,
    PYPROJECT,
    SHIPPED_MAX_AGE_DAYS,
    Settings,
    Trust,
)
from secgate.errors import ConfigError, faults_words

_SHOWN = 80
Fault = tuple[str, str, str]
"""Where, what, and what to do about it."""


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
    overruled: tuple[str, ...] = ()
    """What a weaker layer wanted otherwise than the enforced one, in words: it is told, never obeyed."""


def parse_file(data: bytes, *, name: str, trust: Trust) -> Layer | None:
    """Give the layer of a configuration file's bytes, or None for a pyproject.toml without `[tool.secgate]`.

    Raises ConfigError for what is not TOML, with its line.
    """
    if len(data) > MAX_CONFIG_BYTES:
        raise ConfigError(f"{name} is larger than {MAX_CONFIG_BYTES} bytes", faults=(), place=name, remedy="shorten it")
    try:
        # TOML 1.1, section 1: a byte order mark at the beginning is ignored. (`utf-8-sig` would load a codec.)
        text = data.removeprefix(codecs.BOM_UTF8).decode()
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
    looked = look_over(layers)
    require_no(looked.faults)
    return looked.resolved


def require_no(faults: Sequence[Fault], *, remedy: str = "mend each; nothing was judged") -> None:
    """Raise ConfigError where there is any fault of settings."""
    if faults:
        raise ConfigError(f"{faults_words(len(faults))} in the configuration", faults=faults, remedy=remedy)


class LookedOver(NamedTuple):
    """Layers without what is wrong in them, what they come to, and every fault."""

    layers: tuple[Layer, ...]
    resolved: Resolved
    faults: list[Fault]


def look_over(layers: Sequence[Layer]) -> LookedOver:
    """Resolve what is sound of `layers` as `resolve` does, so that more can be asked of it where there are faults."""
    faults: list[Fault] = []
    sound = tuple(_sound(layer, faults) for layer in layers)
    enforced = next((layer for layer in sound if layer.trust == "enforced"), None)
    if enforced is not None:
        faults.extend(_lock_faults(enforced, sound))
    return LookedOver(sound, _resolved(sound, enforced), faults)


def _resolved(layers: Sequence[Layer], enforced: Layer | None) -> Resolved:
    merged: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for layer in reversed(layers):
        _merge(merged, layer.values, layer.name, sources, ())
    overruled = [said for layer in layers for said in _overruled(layer, enforced)] if enforced is not None else []
    return Resolved(
        settings=msgspec.convert(merged, Settings),
        sources=dict(sorted(sources.items())),
        overruled=tuple(dict.fromkeys(overruled)),
    )


def known_keys(kind: Any = Settings, at: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Give every key that can be set, dotted; `*` stands for a name or a position of one's own."""
    found: list[str] = []
    for name, hint in get_type_hints(kind).items():
        arguments = [one for one in get_args(hint) if isinstance(one, type) and issubclass(one, Struct)]
        below = hint if isinstance(hint, type) and issubclass(hint, Struct) else arguments[-1] if arguments else None
        path = (*at, name, *(("*",) if arguments else ()))
        found += known_keys(below, path) if below is not None else [".".join(path)]
    return tuple(found)


def _lock_faults(enforced: Layer, layers: Sequence[Layer]) -> list[Fault]:
    """Give what other layers set although the enforced one has locked it, and locks on what is no key."""
    keys = known_keys()
    faults = []
    for lock in msgspec.convert(enforced.values.get("locked", []), list[str]):
        if not any(key == lock or key.startswith(f"{lock}.") for key in keys):
            close = difflib.get_close_matches(lock, keys, n=1)
            remedy = f"did you mean `{close[0]}`?" if close else "name a key of the reference, `*` for a name"
            faults.append((place_of(enforced, ("locked",)), f"there is no key `{lock}` to lock", remedy))
        for pattern in (lock, *LOCKED_TOO.get(lock, ())):
            for layer in layers:
                for path in _present(layer.values, pattern.split(".")) if layer is not enforced else ():
                    what = f"`{'.'.join(path)}` is locked by the enforced layer"
                    faults.append((place_of(layer, path), what, "remove it here; ask the owner of the enforced layer"))
    return faults


def _overruled(layer: Layer, enforced: Layer) -> list[str]:
    """Say which keys of a layer the enforced one sets otherwise."""
    if layer.trust == "enforced":
        return []
    wanted, counts = dict(_leaves(layer.values)), dict(_leaves(enforced.values))
    return [
        f"{place_of(layer, path)}: `{'.'.join(path)}` counts for nothing, the enforced layer sets it otherwise"
        for path in sorted(wanted.keys() & counts.keys())
        if wanted[path] != counts[path] and path[0] not in ADDITIVE
    ]


def _leaves(values: Mapping[str, Any], at: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], object]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, (*at, key))
        else:
            yield (*at, key), value


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


def _sound(layer: Layer, faults: list[Fault]) -> Layer:
    """Give a layer without what is wrong in it, and add every fault to `faults`."""
    values = check_table(layer, Settings, layer.values, (), faults)
    if layer.trust != "enforced":
        faults.extend(_beyond_it(layer))
    return Layer(name=layer.name, values=values, text=layer.text, trust=layer.trust, prefix=layer.prefix)


def _beyond_it(layer: Layer) -> list[Fault]:
    """Give what is not for this layer to set."""
    faults: list[Fault] = []
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


def _leading_out(layer: Layer) -> list[Fault]:
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
    folders = layer.values.get("folders")
    for name in folders if isinstance(folders, Mapping) else ():
        if not name.strip("/") or name.startswith("/") or {"", ".", ".."} & set(name.strip("/").split("/")):
            what = f"`folders.{name}` is no folder of the tree"
            faults.append((place_of(layer, ("folders", name)), what, "name one as `apps/shop`"))
    return faults


_PATHS = (("policies",), ("sarif", "*", "file"), ("conftest", "*", "policies"), ("scanners", "*", "options", "*"))


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


def check_table(layer: Layer, kind: Any, value: object, at: tuple[str, ...], faults: list[Fault]) -> Any:
    """Walk a value of `layer` beside its type `kind` and add every fault to `faults`, not just the first.

    Gives what of it is sound, UNSET for nothing.
    """
    if isinstance(kind, type) and issubclass(kind, Struct):
        if not isinstance(value, Mapping):
            faults.append((place_of(layer, at), f"`{'.'.join(at)}` is not a table", "write it as a table"))
            return UNSET
        hints = get_type_hints(kind, include_extras=True)
        sound: dict[str, Any] = {}
        for key, item in value.items():
            path = (*at, str(key))
            if key not in hints:
                close = difflib.get_close_matches(str(key), hints, n=1)
                remedy = f"did you mean `{close[0]}`?" if close else f"known here: {', '.join(sorted(hints))}"
                faults.append((place_of(layer, path), f"unknown key `{'.'.join(path)}`", remedy))
            else:
                sound[key] = check_table(layer, hints[key], item, path, faults)
        required = [field.name for field in msgspec.structs.fields(kind) if field.required]
        faults.extend(
            (place_of(layer, at), f"`{'.'.join((*at, name))}` is missing", "add it")
            for name in required
            if name not in value
        )
        whole = all(sound.get(name, UNSET) is not UNSET for name in required)
        return _set(sound) if whole else UNSET
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is dict and isinstance(value, Mapping):
        return _set({key: check_table(layer, arguments[1], one, (*at, str(key)), faults) for key, one in value.items()})
    if origin is list and isinstance(value, list):
        kept = [check_table(layer, arguments[0], one, (*at, str(index)), faults) for index, one in enumerate(value)]
        return [one for one in kept if one is not UNSET]
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        faults.append((place_of(layer, at), f"`{'.'.join(at)}`: {error}", _other_form(kind, value)))
        return UNSET
    return value


def _set(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not UNSET}


def _other_form(kind: Any, value: object) -> str:
    """Say how a value is written that is of another form than its key's."""
    if _choices(kind):
        return one_of(str(value), _choices(kind))
    if get_origin(kind) is list and isinstance(value, str) and len(value) <= _SHOWN:
        return f"write a list: {msgspec.json.encode([value]).decode()}"
    return "write true or false" if kind is bool else "give a value of that form"


def _choices(kind: Any) -> tuple[str, ...]:
    """Give the words of a key that takes one of some, () for any other."""
    if isinstance(kind, type) and issubclass(kind, Enum):
        return tuple(str(one.value) for one in kind)
    return tuple(map(str, get_args(kind))) if get_origin(kind) is Literal else ()


def one_of(given: str, known: Collection[str]) -> str:
    """Give the remedy for a word that is none of the `known`: the one that it is like, else all of them."""
    close = difflib.get_close_matches(given, known, n=1)
    words = sorted(one for one in known if one)
    return f"did you mean `{close[0]}`?" if close else f"one of: {', '.join(words)}"


def place_of(layer: Layer, path: Sequence[str]) -> str:
    """Give where the key `path` of a layer is, for messages: `FILE:LINE`."""
    """Give where the key `path` of a layer is, for messages: `FILE:LINE`."""
    line = line_of(layer.text, (*layer.prefix, *path)) if layer.text else 0
    return f"{layer.name}:{line}" if line else layer.name
