"""Write reference.md from the code: `python docs/reference.py`, or `make golden`.

What a type, a table or a help text says is taken from there. What only people can say (the meaning of a key, of a
reason) stands here, and each such list must name exactly what the code names, or this script ends with a KeyError.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import click
import msgspec

from secgate import config, events, registry
from secgate.cli import cli
from secgate.discover import ci as ci_module
from secgate.document_schema import VERSION, document_schema
from secgate.executors.environment import NETWORK_NAMES
from secgate.model import FINGERPRINT_ALGORITHM, OUTCOME_ORDER, LeftOut, Outcome, Value, Word
from secgate.policy import GAP_REASONS
from secgate.policy.layers import SETS
from secgate.policy.references import FORBIDDEN
from secgate.policy.unequal import UNEQUAL
from secgate.population_records import COLUMNS
from secgate.report import accounts
from secgate.report import document as report_document
from secgate.report.document import SCHEMA, Report

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "docs" / "reference.md"

OUTCOMES = {
    "pass": "every lane that the profile asks for was covered, and the policy allows it",
    "fail": "the policy says no; the output says which rule, which finding, and the shortest way to green",
    "usage-error": "the call or the configuration is wrong; nothing was judged, all faults are listed at once",
    "inconclusive": "a lane that was asked for was not covered, or what is needed to judge is not here",
    "policy-error": "the policy could not decide: a fault in a rule or engine, a missing verdict, a broken element",
    "ledger-error": "the record could not be read or written, is absent where required, or does not verify",
    "internal-error": "a fault of secgate, with where to report it; never 1",
}

VARIABLES = {
    "SECGATE_ENFORCED": "the enforced layer's directory, as `--enforced`",
    "SECGATE_CHECKPOINT_TOKEN": "sent as bearer token to the address at which a checkpoint is kept",
    "SECGATE_NOTIFY_<CHANNEL>_URL": "where a channel of `notify` leads: https, a mail server, a folder, this machine",
    "SECGATE_NOTIFY_<CHANNEL>_SECRET": "what a webhook's messages are signed with, or a mail user's password",
    "SECGATE_VISIBILITY": "who can read the repository, where CI does not tell: `public`, `internal` or `private`",
    "SECGATE_OPA_TOKEN": "the token that the OPA server is asked with; in no file and on no command line",
    "HTTPS_PROXY": "what an OPA server elsewhere is asked through; also passed on to tools that may use the network",
    "SECGATE_SECRET_KEY": "key for codes of secrets: 32 random bytes as hexadecimal or base64 text",
    "SECGATE_STATE_DIR": "absolute folder for ledgers, tool environments and advisories",
    "XDG_STATE_HOME": "else `secgate` in this folder",
    "HOME": "else `.local/state/secgate` in this folder",
    "PATH": "where git, opa and tools that are nowhere else are looked for",
    "SSH_AUTH_SOCK": "the agent that holds your key, for what you sign",
    "SSL_CERT_FILE": "certificates that `secgate advisories update` and `secgate notify` trust",
    "SECGATE_CHILD": "set by secgate in each child process, so that all of them are found and ended",
    "NO_COLOR": "no colour",
    "FORCE_COLOR": "colour though stdout is no terminal",
}

GAPS = {
    "tool-missing": "the tool is not installed",
    "tool-crashed": "the tool ended in another way than its documentation says",
    "tool-timed-out": "the tool was killed at its time limit",
    "output-unreadable": "the tool's output is not of the known form, or names what lies outside the tree",
    "output-truncated": "the tool wrote more than is read",
    "not-selected": "the tool was left out by `--scanner` or by the profile",
    "not-listed": "the tool does not name the file among those it looked at",
    "parse-error": "the tool, or secgate's own parser where the tool does not tell, cannot read the file",
    "too-large": "the file is above the limit of the tool or of the view",
    "not-utf8": "the tool reads UTF-8 only",
    "unreadable": "the file could not be read",
    "unsupported": "no shipped tool looks at files of this kind",
    "unpinned": "a dependency without an exact version",
    "skipped-by-tool": "the tool says that it skipped the file",
    "advisories-missing": "no local advisory database, or what was asked instead did not answer or knows no package",
    "advisories-too-old": "the newest change in the database is older than allowed",
    "no-tool": "no tool of this lane took part",
    "left-out": "the file was not offered to any lane, see below",
    "excluded": "the tree's own `exclude` leaves out every file that the lane would have",
}

LEFT_OUT = {
    "link": "a symbolic link that stays in the tree: its target is scanned under its own name",
    "link-outside": "a symbolic link out of the tree",
    "submodule": "another repository",
    "lfs-pointer": "the file's content is in large file storage and not here",
    "special": "a device, pipe or socket, or a name that cannot be a file",
    "unreadable": "no permission, or not checked out",
    "not-utf8-name": "the name is not valid UTF-8",
    "excluded": "by a pattern of `exclude`, which is named, or a build or vendor folder of a tree without git",
    "too-deep": "below too many folders",
    "too-many": "past the number of files that a run takes",
    "too-large": "above `max_file_bytes`, or the view is full",
    "tool-configuration": "what a tool would take as an order to look away; searched under another name",
}


def reference() -> str:
    """Give the whole text of reference.md."""
    parts = [
        "# Reference\n\nWritten by `docs/reference.py` from the code; `make golden` writes it anew.\n",
        *_commands(),
        *_exit_codes(),
        *_configuration(),
        *_environment(),
        *_scanners(),
        *_lanes(),
        *_coverage(),
        *_formats(),
        *_policy(),
        *_events(),
        *_report(),
    ]
    return "\n".join(parts)


# ------------------------------------------------------------------------------------------------ forms


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"


def _code(text: object) -> str:
    return f"`{text}`"


def _words(found: Iterable[str], words: Mapping[str, str]) -> list[tuple[str, str]]:
    """Give (name, words) for each name found. Raises KeyError where the two differ."""
    names = list(found)
    if set(names) != set(words):
        raise KeyError(f"only in one of code and reference.py: {sorted(set(names) ^ set(words))}")
    return [(name, words[name]) for name in names]


def _sentence(text: str | None) -> str:
    return " ".join((text or "").partition("\n\n")[0].split())


# --------------------------------------------------------------------------------------------- commands


def _commands() -> Iterator[str]:
    yield "## Commands\n"
    for path, command in commands():
        context = click.Context(command, info_name=" ".join(path))
        usage = " ".join(command.collect_usage_pieces(context))
        yield f"### {' '.join(path)}\n"
        yield f"`{' '.join(path)} {usage}`\n"
        paragraphs = (command.help or "").strip().split("\n\n")
        yield "\n\n".join(" ".join(part.split()) for part in paragraphs) + "\n"
        rows = [(_code(name), " ".join(text.split())) for name, text in options(command)]
        if rows:
            yield _table(("option", "meaning"), rows)


def commands() -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Give every command with its words, groups included, in the order of `--help`."""
    yield from _below(("secgate",), cli)


def options(command: click.Command) -> list[tuple[str, str]]:
    """Give each option of a command as its help shows it, `--help` itself left out."""
    context = click.Context(command, **cli.context_settings)
    records = [one.get_help_record(context) for one in command.get_params(context) if one.name != "help"]
    return [record for record in records if record is not None]


def _below(path: tuple[str, ...], command: click.Command) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None:
                yield from _below((*path, name), inner)


def _exit_codes() -> Iterator[str]:
    yield "## Exit codes\n"
    rows = [(name, str(Outcome(name).exit_code), text) for name, text in _words(map(str, Outcome), OUTCOMES)]
    rows.append(("interrupted", "130, 143", "SIGINT or SIGTERM: children are gone, nothing is recorded as complete"))
    rows.append(("reader gone", "141", "stdout was closed; the decision, if any, is in the ledger"))
    yield _table(("outcome", "exit", "meaning"), rows)
    order = ", ".join(str(outcome.exit_code) for outcome in OUTCOME_ORDER)
    yield f"Where several hold, all are listed, and the exit code is the first of {order}.\n"


# ---------------------------------------------------------------------------------------- configuration


def keys() -> list[tuple[str, str, str]]:
    """Give (key, type, default) of every setting, tables gone into."""
    return list(_keys(config.Settings, ()))


def _keys(kind: type[msgspec.Struct], at: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    hints = get_type_hints(kind, include_extras=True)
    for field in msgspec.structs.fields(kind):
        path = (*at, field.name)
        inner, steps = _inner(hints[field.name])
        if inner is not None:
            yield from _keys(inner, (*path, *steps))
            continue
        default = "required" if field.required else _default(field)
        yield ".".join(path), _type(hints[field.name]), default


def _inner(hint: Any) -> tuple[type[msgspec.Struct] | None, tuple[str, ...]]:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is dict:
        found, steps = _inner(arguments[1])
        return found, ("NAME", *steps)
    if origin is list:
        found, steps = _inner(arguments[0])
        return found, ("N", *steps)
    return (hint, ()) if isinstance(hint, type) and issubclass(hint, msgspec.Struct) else (None, ())


def _default(field: msgspec.structs.FieldInfo) -> str:
    value = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    return _code(json.dumps(value))


def _type(hint: Any) -> str:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _type(arguments[0])
    if origin is Literal:
        return ", ".join(_code(json.dumps(value)) for value in arguments)
    if origin in (list, dict):
        return f"list of {_type(arguments[0])}" if origin is list else "table"
    if isinstance(hint, type) and issubclass(hint, str) and hint is not str:
        return ", ".join(_code(json.dumps(str(value))) for value in hint)  # type: ignore[attr-defined]
    return {str: "text", bool: "true or false", int: "integer", float: "number"}[hint]


def _configuration() -> Iterator[str]:
    yield "## Configuration\n"
    yield (
        f"Keys of `{config.FILE_NAME}`, of `[tool.secgate]` in `{config.PYPROJECT}`, and of the enforced layer's "
        f"`{config.ENFORCED_NAME}`. *Operator* is the command line, the environment, or a file given by `--config`; "
        "why, is in [configuration.md](configuration.md). `NAME` is a scanner's name, `N` one of several "
        "`[[sarif]]` tables.\n"
    )
    variables = {key: name for name, key in config.ENVIRONMENT.items()}
    found = {key: (kind, default) for key, kind, default in keys()}
    rows = [
        (
            _code(key),
            found[key][0],
            found[key][1],
            config.who_may_set(key),
            _code(variables[key]) if key in variables else "",
            text,
        )
        for key, text in _words(found, config.MEANINGS)
    ]
    yield _table(("key", "value", "default", "who may set it", "variable", "meaning"), rows)
    yield "Options of scanners, under `[scanners.NAME.options]`:\n"
    yield _table(("option", "value", "default", "meaning"), list(scanner_options()))


def scanner_options() -> Iterator[tuple[str, str, str, str]]:
    """Give a row about each option that a shipped scanner declares."""
    for name in sorted(registry.BUILTIN["scanners"]):
        form = registry.scanner_options(name)
        hints = get_type_hints(form, include_extras=True)
        for field in msgspec.structs.fields(form):
            kind, meta = get_args(hints[field.name])
            yield _code(f"{name}.{field.name}"), _type(kind), _default(field), meta.description


def _environment() -> Iterator[str]:
    yield "## Environment\n"
    rows = [(_code(name), f"sets `{key}`") for name, key in config.ENVIRONMENT.items()]
    rows += [(_code(name), text) for name, text in VARIABLES.items()]
    yield _table(("variable", "meaning"), rows)
    network = ", ".join(_code(name) for name in sorted(NETWORK_NAMES))
    yield (
        "A child process gets an environment of its own. These are passed on to children that may use the network, "
        f"and never logged: {network}.\n"
    )
    yield "Read from CI, and believed because the tree cannot set them:\n"
    yield _table(
        ("CI", "variables"), [(name, ", ".join(map(_code, variables))) for name, variables in ci_variables().items()]
    )


def ci_variables() -> dict[str, list[str]]:
    """Give the variables that each CI's reader asks for, in its order, as its source shows them."""
    tree = ast.parse(Path(ci_module.__file__).read_text(encoding="utf-8"))
    names = {"ci_facts": "which one"} | {f"_{ci}": ci for ci in ("github", "gitlab", "azure", "bitbucket", "jenkins")}
    found: dict[str, list[str]] = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name in names:
            calls = [one for one in ast.walk(node) if isinstance(one, ast.Call) and _is_env_get(one.func)]
            calls.sort(key=lambda call: (call.lineno, call.col_offset))
            asked = [argument.value for call in calls if isinstance(argument := call.args[0], ast.Constant)]
            found[names[node.name]] = list(dict.fromkeys(map(str, asked)))
    return found


def _is_env_get(function: ast.expr) -> bool:
    return isinstance(function, ast.Attribute) and function.attr == "get" and ast.unparse(function.value) == "env"


# ------------------------------------------------------------------------------------ scanners and lanes


def _scanners() -> Iterator[str]:
    yield "## Scanners\n"
    yield (
        "Each is a child process that gets the scan view and never the tree. A tool is looked for on the configured "
        "path, in the tool environments, in secgate's own environment, on `PATH`, in this order. A scanner that no "
        "file needs is never imported, looked for or started.\n"
    )
    installable = {path.stem for path in (ROOT / "rules" / "tools").glob("*.txt")}
    rows = []
    for name in registry.names("scanners"):
        scanner = registry.scanner(name)
        source = "secgate" if name not in installable else f"`secgate tools install {name}`"
        tested = _code(scanner.spec.tested) if scanner.spec is not None else "part of secgate"
        rows.append((name, ", ".join(scanner.lanes), source, tested, scanner.outgoing))
    yield _table(("scanner", "lanes", "comes with", "tested versions", "would send or fetch (and what stops it)"), rows)
    yield (
        "A SARIF file named in the configuration joins as `sarif:` and its name. Licences and sizes are in "
        "[ADR 11](adr/0011-dependencies.md).\n"
    )


def _lanes() -> Iterator[str]:
    yield "## Lanes\n"
    yield (
        "`policies/lanes.json`: a file of a kind is covered in a lane when every tool named here looked at it. Kinds "
        "marked `unsupported` are gaps by nature.\n"
    )
    table = json.loads((ROOT / "policies" / "lanes.json").read_bytes())
    rows = []
    for lane, account in table["lanes"].items():
        rows += [(lane, kind, ", ".join(tools)) for kind, tools in account["tools"].items()]
        rows += [(lane, kind, f"unsupported: {why}") for kind, why in account["unsupported"].items()]
    yield _table(("lane", "kind of file", "tools"), rows)


def _coverage() -> Iterator[str]:
    from secgate.scan import coverage

    yield "## Reasons of gaps\n"
    yield "A gap is something that a lane should have looked at and did not.\n"
    remedies = coverage._REMEDIES  # noqa: SLF001 - shown as it is
    rows = [
        (_code(name), text, remedies.get(name, "install it, as the output says" if name == "tool-missing" else ""))
        for name, text in sorted(_words(GAP_REASONS, GAPS))
    ]
    yield _table(("reason", "meaning", "remedy"), rows)
    yield "## Reasons of paths left out\n"
    gaps = coverage._LEFT_OUT_GAPS  # noqa: SLF001 - as above
    rows = [
        (_code(name), text, f"`{gaps[name]}`, in lanes whose files go by such a name" if name in gaps else "")
        for name, text in _words(left_out_reasons(), LEFT_OUT)
    ]
    yield _table(("reason", "meaning", "is a gap"), rows)


def left_out_reasons() -> list[str]:
    """Give the closed list of reasons that `model.LeftOut` documents."""
    listed = (LeftOut.__doc__ or "").partition("is one of")[2].partition(". ")[0]
    return re.findall(r"`([a-z0-9-]+)`", listed)


def _formats() -> Iterator[str]:
    yield "## Formats and engines\n"
    rows = [(name, _sentence(registry.find("reporters", name).__doc__)) for name in registry.names("reporters")]
    yield _table(("format", "what"), rows)
    rows = [(name, _sentence(registry.find("engines", name).__doc__)) for name in registry.names("engines")]
    yield _table(("engine", "what"), rows)
    yield "Forms of lists from outside, for `secgate evidence import`, and the columns of a table of each kind:\n"
    forms = {name: registry.population(name) for name in registry.names("populations")}
    rows = [(name, f"{_sentence(type(form).__doc__)} Kinds: {', '.join(form.kinds)}.") for name, form in forms.items()]
    yield _table(("form", "what"), rows)
    kinds = [
        (kind, ", ".join(map(_code, one.needed)), ", ".join(map(_code, one.allowed))) for kind, one in COLUMNS.items()
    ]
    yield _table(("kind", "every row has", "a row may have"), kinds)


# ----------------------------------------------------------------------------------------------- policy


def _policy() -> Iterator[str]:
    yield "## Shipped policy\n"
    rows = [(_code(name), ", ".join(map(_code, sets)), text) for name, sets, text in rules()]
    yield _table(("rule", "adds to", "what it says"), rows)
    limits = json.loads((ROOT / "policies/data/limits.json").read_bytes())["limits"]
    yield "Limits (`policies/data/limits.json`): a finding of a protected line is to be closed within\n"
    yield _table(("severity", "seconds", "that is"), [(k, str(v), _span(v)) for k, v in limits["severity_s"].items()])
    yield f"and a change is denied for new findings of: {', '.join(limits['new_denied'])}.\n"
    listed, exposed, epss = limits["exploited_s"]["listed"], limits["exploited_s"]["exposed"], limits["epss"]["limit_s"]
    yield (
        f"What is listed as exploited: {_span(listed)}, and {_span(exposed)} where anybody can reach it "
        f"(`exploited_s`). What EPSS scores high: {_span(epss)} from `epss.threshold_ppm` on, which is off at 0. "
        "Limits by place, and what each duty rests on: [deadlines.md](deadlines.md).\n"
    )
    yield "### BOD 26-04\n"
    table = json.loads((ROOT / "policies/data/bod_26_04.json").read_bytes())["bod_26_04"]
    yield f"`directives` in `limits.json` switches it on. Source: {table['source']}.\n"
    yield _table(
        ("known exploited", "exposed", "automatable", "impact", "within", "and"),
        [
            (
                *case.split(","),
                _span(limit) if limit else "the next upgrade",
                "forensics" if case in table["forensics"] else "",
            )
            for case, limit in table["limits_s"].items()
        ],
    )
    yield "### Profiles\n"
    yield "A profile selects lanes and how older gaps count, never what denies.\n"
    named = json.loads((ROOT / "policies/data/profiles.json").read_bytes())["profiles"]["named"]
    yield _table(
        ("profile", "lanes", "without", "older gaps", "advisories at most", "judged again by"),
        [
            (
                _code(name),
                ", ".join(one["lanes"]),
                ", ".join(one["without_tools"]),
                one["older_gaps"],
                _span(one["advisories_max_age_s"]),
                ", ".join(one["reference_engines"]),
            )
            for name, one in named.items()
        ],
    )
    yield "### Sets, words, functions\n"
    yield _table(
        ("layer", "may add to"), [(layer, ", ".join(map(_code, sorted(sets)))) for layer, sets in SETS.items()]
    )
    yield f"A verdict is one of, strictest first: {', '.join(_code(str(word)) for word in Word)}.\n"
    yield f"Functions that no policy may call: {', '.join(map(_code, sorted(FORBIDDEN | UNEQUAL.keys())))}.\n"
    yield "### The input\n"
    yield (
        "`policies/schema/input.json`, version 1. Every field is there, nothing is null, numbers are integers. `[]` is "
        "any element of a list.\n"
    )
    yield _table(("field", "value", "meaning"), [(_code(name), kind, text) for name, kind, text in vocabulary()])


def _span(seconds: int) -> str:
    return f"{seconds // 86400} days" if seconds % 86400 == 0 and seconds > 86400 else f"{seconds // 3600} hours"


def rules() -> list[tuple[str, tuple[str, ...], str]]:
    """Give (name, sets, comment) of every shipped rule module, sorted."""
    found = []
    for path in sorted((ROOT / "policies/rego/rules").glob("*.rego")):
        text = path.read_text(encoding="utf-8")
        comment = " ".join(line[1:].strip() for line in text.partition("\npackage ")[0].splitlines())
        package = re.search(r"^package secgate\.rules\.(\w+)$", text, flags=re.MULTILINE)
        if package is None:
            raise KeyError(path.name)
        sets = sorted(set(re.findall(r"^(\w+) contains", text, flags=re.MULTILINE)) & SETS["organisation"])
        found.append((package[1], tuple(sets), comment))
    return found


def vocabulary() -> list[tuple[str, str, str]]:
    """Give (path, value, meaning) of every field of the input's schema."""
    schema = json.loads((ROOT / "policies/schema/input.json").read_bytes())
    return list(_fields(schema, schema, "input"))


def _fields(schema: dict[str, Any], part: dict[str, Any], at: str) -> Iterator[tuple[str, str, str]]:
    part = _resolved(schema, part)
    for name, item in part.get("properties", {}).items():
        value = _resolved(schema, item)
        path = f"{at}.{name}"
        text = item.get("description", value.get("description", ""))
        if value["type"] == "array":
            inner = _resolved(schema, value["items"])
            if inner["type"] == "object":
                yield path, "list", text
                yield from _fields(schema, inner, f"{path}[]")
            else:
                yield path, f"list of {_value(inner)}", text
        elif value["type"] == "object":
            yield from _fields(schema, value, path)
        else:
            yield path, _value(value), text


def _resolved(schema: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    name = part.get("$ref", "").rpartition("/")[2]
    return schema["$defs"][name] if name else part


def _value(part: dict[str, Any]) -> str:
    if "const" in part:
        return _code(json.dumps(part["const"]))
    return ", ".join(_code(choice) for choice in part["enum"]) if "enum" in part else str(part["type"])


# ----------------------------------------------------------------------------------------------- ledger


def _events() -> Iterator[str]:
    yield "## Ledger events\n"
    yield (
        "A version never changes its meaning: it may gain optional fields, anything else is a new version. Types and "
        f"versions that a reader does not know are kept and skipped. Fingerprints are `{FINGERPRINT_ALGORITHM}`.\n"
    )
    rows = [
        (
            _code(kind),
            str(version),
            _sentence(event.__doc__),
            ", ".join(_code(field.name) for field in msgspec.structs.fields(event)),
        )
        for (kind, version), event in events.EVENTS.items()
    ]
    yield _table(("type", "version", "meaning", "fields of the body"), rows)


def _report() -> Iterator[str]:
    yield "## The report\n"
    yield (
        f"`{SCHEMA}`: `report.json` of `secgate report`. JSON Schema: "
        "[`reports/report-v1.schema.json`](../reports/report-v1.schema.json). Times are UTC seconds, 0 for never.\n"
    )
    rows = [
        (
            _code(part.__name__),
            _sentence(part.__doc__),
            ", ".join(_code(field.name) for field in msgspec.structs.fields(part)),
        )
        for part in _report_parts()
    ]
    yield _table(("part", "meaning", "fields"), rows)


def _report_parts() -> list[type[Value]]:
    """Give every part of the report, in the order of the code."""
    named = {**vars(accounts), **vars(report_document)}
    own = (accounts.__name__, report_document.__name__)
    return [one for one in named.values() if isinstance(one, type) and issubclass(one, Value) and one.__module__ in own]


def report_schema() -> str:
    """Give the JSON Schema of the report."""
    schema = msgspec.json.schema(Report)
    return json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}, indent=2) + "\n"


KEPT = ("run", "attest", "evidence", "import", "metrics")
"""Whose schemas are kept in the repository; `secgate config schema` prints every one."""


def document_schemas() -> dict[str, str]:
    """Give the JSON Schemas of what is kept or handed on as JSON, by the name of the file."""
    return {f"{name}-{VERSION}.schema.json": json.dumps(document_schema(name), indent=2) + "\n" for name in KEPT}


if __name__ == "__main__":
    TARGET.write_text(reference(), encoding="utf-8")
