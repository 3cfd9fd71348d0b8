"""SARIF 2.1.0 of any tool, read as raw results.

Foreign suppressions, baseline states, fingerprints and success flags are claims: suppressions are kept as such, success
is reported and
never trusted, the others are dropped. What is not SARIF 2.1.0 is refused with the file, the JSON path and the reason.
Source: SARIF 2.1.0, sections as cited.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from posixpath import normpath
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

import msgspec

from secgate.errors import UsageError
from secgate.model import (
    Confidence,
    RawResult,
    Region,
    Rule,
    Severity,
    Suppression,
    Value,
)

MAX_BYTES = 256 * 1024 * 1024
MAX_RUNS = 1_000
MAX_RESULTS = 1_000_000
MAX_TEXT = 20_000
"""Characters kept of a message or a snippet, its arguments filled in."""

_LEVEL_SEVERITY = {"error": Severity.HIGH, "warning": Severity.MEDIUM, "note": Severity.LOW, "none": Severity.INFO}
_PLACEHOLDER = re.compile(r"\{(\d{1,4})\}")
_CWE = re.compile(r"cwe[-_/ ]?0*(\d{1,5})", re.IGNORECASE)


class ForeignRun(Value, frozen=True, kw_only=True):
    """One run of a foreign file. `claimed_success` is what the file says of itself, None where it says nothing.

    `unplaced` counts results without a usable location in the tree; `informational` those whose kind is not `fail`.
    """

    tool: str
    version: str
    rules: tuple[Rule, ...]
    results: tuple[RawResult, ...]
    claimed_success: bool | None
    revision: str = ""
    unplaced: int = 0
    informational: int = 0


def read(data: bytes, *, name: str) -> tuple[ForeignRun, ...]:
    """Give the runs of a SARIF file's bytes; `name` is used in messages.

    Raises UsageError for what is not SARIF 2.1.0, naming the JSON path.
    """
    if len(data) > MAX_BYTES:
        raise _refuse(name, "$", f"larger than {MAX_BYTES} bytes")
    text = data[3:] if data.startswith(b"\xef\xbb\xbf") else data
    if text[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise _refuse(name, "$", "encoded in UTF-16; SARIF is UTF-8 (RFC 8259)")
    try:
        log = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _refuse(name, "$", f"not JSON: {error}") from error
    if not isinstance(log, dict):
        raise _refuse(name, "$", "not a JSON object")
    version = log.get("version")
    if version != "2.1.0":
        shown = repr(version[:40]) if isinstance(version, str) else "absent" if version is None else "not a string"
        raise _refuse(name, "$.version", f"version {shown}; only 2.1.0 is read")
    runs = log.get("runs")
    if not isinstance(runs, list):
        raise _refuse(name, "$.runs", "absent or not a list")
    if len(runs) > MAX_RUNS:
        raise _refuse(name, "$.runs", f"more than {MAX_RUNS} runs")
    return tuple(_run(run, name, f"$.runs[{position}]") for position, run in enumerate(runs))


def _refuse(name: str, path: str, reason: str) -> UsageError:
    return UsageError(
        f"not readable as SARIF: {reason}",
        place=f"{name}: {path}",
        remedy="write the file again with a tool that gives SARIF 2.1.0",
    )


def _run(run: Any, name: str, path: str) -> ForeignRun:
    if not isinstance(run, dict):
        raise _refuse(name, path, "not an object")
    tool = run.get("tool")
    driver = tool.get("driver") if isinstance(tool, dict) else None
    if not isinstance(driver, dict) or not isinstance(driver.get("name"), str) or not driver["name"].strip():
        raise _refuse(name, f"{path}.tool.driver.name", "absent or not a string")
    results = run.get("results")
    if results is None:
        # 3.14.23: absent or null means that the tool did not look for results; that is not "clean".
        raise _refuse(name, f"{path}.results", "absent or null: this run did not scan")
    if not isinstance(results, list):
        raise _refuse(name, f"{path}.results", "not a list")
    if len(results) > MAX_RESULTS:
        raise _refuse(name, f"{path}.results", f"more than {MAX_RESULTS} results")
    reader = _RunReader(run, tool if isinstance(tool, dict) else {}, name, path)
    raw: list[RawResult] = []
    unplaced = informational = 0
    for position, result in enumerate(results):
        if not isinstance(result, dict):
            raise _refuse(name, f"{path}.results[{position}]", "not an object")
        kind = result.get("kind", "fail")
        if kind not in ("fail", "review", "open"):
            informational += 1
            continue
        read_result = reader.result(result, f"{path}.results[{position}]")
        unplaced += read_result.path == ""
        raw.append(read_result)
    return ForeignRun(
        tool=driver["name"],
        version=_string(driver.get("semanticVersion")) or _string(driver.get("version")),
        rules=tuple(reader.rules[key] for key in sorted(reader.rules)),
        results=tuple(raw),
        claimed_success=_success(run),
        revision=_revision(run),
        unplaced=unplaced,
        informational=informational,
    )


class _RunReader:
    """What is shared by the results of one run: rules by id and index, artefacts, base addresses, column kind."""

    def __init__(self, run: Mapping[str, Any], tool: Mapping[str, Any], name: str, path: str) -> None:
        self._name, self._path = name, path
        components = [tool.get("driver"), *_list(tool.get("extensions"))]
        self._components: list[Mapping[str, Any]] = [c for c in components if isinstance(c, dict)]
        self.rules: dict[str, Rule] = {}
        self._raw: dict[str, Mapping[str, Any]] = {}
        for component in self._components:
            for rule in _list(component.get("rules")):
                if isinstance(rule, dict) and isinstance(rule.get("id"), str):
                    self._raw.setdefault(rule["id"], rule)
                    self.rules.setdefault(rule["id"], _rule(rule))
        self._artifacts = _list(run.get("artifacts"))
        bases = run.get("originalUriBaseIds")
        self._bases: Mapping[str, Any] = bases if isinstance(bases, dict) else {}
        # 3.14.27: when absent, the unit is up to the tool; UTF-16 is what the large producers mean.
        unit: Literal["utf-16", "code-point"] = (
            "code-point" if run.get("columnKind") == "unicodeCodePoints" else "utf-16"
        )
        self._unit = unit
        self._overrides = _overrides(run)

    def result(self, result: Mapping[str, Any], path: str) -> RawResult:
        """Read one result. Raises UsageError for a message or rule that cannot be had."""
        identity, rule = self._rule_of(result, path)
        message = self._message(result, rule)
        locations = [item for item in _list(result.get("locations")) if isinstance(item, dict)]
        place, region, snippet = self._place(locations[0]) if locations else ("", Region(), "")
        score = _score(result.get("properties"))
        if score is None:
            score = _score(rule.get("properties"))
        level = self._level(result, rule, identity)
        cwes = sorted({*_cwes(rule), *_cwes(result)})
        return RawResult(
            rule=identity,
            message=message,
            path=place,
            region=region,
            column_unit=self._unit,
            severity=Severity.from_score(score) if score is not None else _LEVEL_SEVERITY[level],
            score=score,
            severity_basis="security-severity" if score is not None else f"level {level}",
            confidence=_confidence(rule),
            cwes=tuple(cwes),
            snippet=snippet,
            suppressions=tuple(_suppressions(result)),
        )

    def _rule_of(self, result: Mapping[str, Any], path: str) -> tuple[str, Mapping[str, Any]]:
        """3.27.5 to 3.27.7: ruleId, else rule.id, else the rule at ruleIndex of the component that `rule` names."""
        reference = result.get("rule")
        reference = reference if isinstance(reference, dict) else {}
        identity = _string(result.get("ruleId")) or _string(reference.get("id"))
        index = result.get("ruleIndex", reference.get("index"))
        component: Mapping[str, Any] = self._components[0] if self._components else {}
        named = reference.get("toolComponent")
        if (
            isinstance(named, dict)
            and isinstance(named.get("index"), int)
            and 0 <= named["index"] < len(self._components) - 1
        ):
            component = self._components[named["index"] + 1]
        rules = _list(component.get("rules"))
        if isinstance(index, int) and not isinstance(index, bool) and 0 <= index < len(rules):
            rule = rules[index]
            if isinstance(rule, dict):
                return identity or _string(rule.get("id")) or f"rule-{index}", rule
        if not identity:
            raise _refuse(self._name, f"{path}.ruleId", "no rule: neither ruleId nor a ruleIndex that exists")
        # 3.52.4: an id may be hierarchical, and the descriptor's is then a prefix.
        known = identity
        while known not in self._raw and "/" in known:
            known = known.rsplit("/", 1)[0]
        return identity, self._raw.get(known, {})

    def _message(self, result: Mapping[str, Any], rule: Mapping[str, Any]) -> str:
        message = result.get("message")
        message = message if isinstance(message, dict) else {}
        text = _string(message.get("text"))
        if not text and isinstance(message.get("id"), str):
            strings = rule.get("messageStrings")
            entry = strings.get(message["id"]) if isinstance(strings, dict) else None
            text = _string(entry.get("text")) if isinstance(entry, dict) else ""
        arguments = _list(message.get("arguments"))
        if arguments:
            text = _filled(text[:MAX_TEXT], arguments)
        return (text or _string(message.get("markdown")))[:MAX_TEXT]

    def _level(self, result: Mapping[str, Any], rule: Mapping[str, Any], identity: str) -> str:
        """3.27.10: the result's own, else an override of the invocation, else the rule's default, else warning."""
        for candidate in (result.get("level"), self._overrides.get(identity), _default_level(rule)):
            if isinstance(candidate, str) and candidate in _LEVEL_SEVERITY:
                return candidate
        return "warning"

    def _place(self, location: Mapping[str, Any]) -> tuple[str, Region, str]:
        physical = location.get("physicalLocation")
        if not isinstance(physical, dict):
            return "", Region(), ""
        region = physical.get("region")
        region = region if isinstance(region, dict) else {}
        snippet = region.get("snippet")
        start = _number(region.get("startLine"))
        return (
            self._uri(physical.get("artifactLocation")),
            Region(
                start_line=start,
                start_column=_number(region.get("startColumn")),
                end_line=_number(region.get("endLine")) or start,
                end_column=_number(region.get("endColumn")),
            ),
            _string(snippet.get("text"))[:MAX_TEXT] if isinstance(snippet, dict) else "",
        )

    def _uri(self, location: Any) -> str:
        """Give a path relative to the root, or "" for an address that leads out of it. 3.4.4: base ids may chain."""
        if not isinstance(location, dict):
            return ""
        index = location.get("index")
        uri = _string(location.get("uri"))
        if not uri and isinstance(index, int) and 0 <= index < len(self._artifacts):
            artifact = self._artifacts[index]
            inner = artifact.get("location") if isinstance(artifact, dict) else None
            if isinstance(inner, dict):
                location, uri = inner, _string(inner.get("uri"))
        base = location.get("uriBaseId")
        seen: set[str] = set()
        parts = [uri]
        while isinstance(base, str) and base not in seen and isinstance(self._bases.get(base), dict):
            seen.add(base)
            prefix = _string(self._bases[base].get("uri"))
            # The topmost base is the machine's own folder: what is below it is the path in the tree.
            base = self._bases[base].get("uriBaseId")
            if isinstance(base, str) and not urlsplit(prefix).scheme:
                parts.insert(0, prefix)
        return _relative("".join(parts))


def _filled(text: str, arguments: list[Any]) -> str:
    """Put arguments in for `{0}`, in one pass: an argument is never itself a template, and the result is bounded."""
    parts: list[str] = []
    room, at = MAX_TEXT, 0
    for match in _PLACEHOLDER.finditer(text):
        position = int(match.group(1))
        filled = _string(arguments[position]) if position < len(arguments) else match.group()
        for part in (text[at : match.start()], filled):
            parts.append(part[:room])
            room -= len(parts[-1])
        at = match.end()
        if room == 0:
            break
    return "".join(parts) + text[at:][:room]


def _relative(uri: str) -> str:
    try:
        split = urlsplit(uri)
    except ValueError:
        return ""
    if split.scheme not in ("", "file") or (split.scheme == "" and split.netloc):
        return ""
    # A `#` in a name that nobody encoded reads as a fragment; two tools do that.
    path = unquote(split.path + (f"#{split.fragment}" if split.fragment else ""))
    if split.scheme == "file" or path.startswith("/"):
        return path if path.startswith("/") else ""
    clean = normpath(path) if path else ""
    return "" if clean in ("", ".", "..") or clean.startswith("../") or "\0" in clean else clean


def _rule(rule: Mapping[str, Any]) -> Rule:
    return Rule(
        id=_string(rule.get("id")),
        name=_string(rule.get("name")),
        short=_text(rule.get("shortDescription")),
        full=_text(rule.get("fullDescription")),
        help=_text(rule.get("help")),
        help_uri=_string(rule.get("helpUri")),
        cwes=tuple(sorted(_cwes(rule))),
        score=_score(rule.get("properties")),
    )


def _cwes(item: Mapping[str, Any]) -> set[int]:
    properties = item.get("properties")
    found: set[int] = set()
    if isinstance(properties, dict):
        texts = [*_list(properties.get("tags")), *_list(properties.get("cwe")), properties.get("cwe")]
        found.update(int(m.group(1)) for text in texts if isinstance(text, str) and (m := _CWE.search(text)))
    for relation in _list(item.get("relationships")):
        target = relation.get("target") if isinstance(relation, dict) else None
        component = target.get("toolComponent") if isinstance(target, dict) else None
        identity = _string(target.get("id")) if isinstance(target, dict) else ""
        if isinstance(component, dict) and "cwe" in _string(component.get("name")).lower():
            digits = re.search(r"(\d{1,5})", identity)
            if digits:
                found.add(int(digits.group(1)))
    for taxon in _list(item.get("taxa")):
        if isinstance(taxon, dict) and (
            match := re.fullmatch(r"(?:CWE-)?(\d{1,5})", _string(taxon.get("id")), re.IGNORECASE)
        ):
            found.add(int(match.group(1)))
    return found


def _score(properties: Any) -> float | None:
    value = properties.get("security-severity") if isinstance(properties, dict) else None
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        return None
    try:
        score = float(value)
    except (ValueError, OverflowError):
        return None
    return score if 0.0 <= score <= 10.0 else None


def _confidence(rule: Mapping[str, Any]) -> Confidence | None:
    properties = rule.get("properties")
    precision = properties.get("precision") if isinstance(properties, dict) else None
    return {
        "very-high": Confidence.HIGH,
        "high": Confidence.HIGH,
        "medium": Confidence.MEDIUM,
        "low": Confidence.LOW,
    }.get(precision if isinstance(precision, str) else "")


def _suppressions(result: Mapping[str, Any]) -> list[Suppression]:
    kept = []
    for item in _list(result.get("suppressions")):
        if isinstance(item, dict):
            kind: Literal["inSource", "external"] = "inSource" if item.get("kind") == "inSource" else "external"
            # `state` is what sarif-om and early drafts wrote for `status`.
            status = _string(item.get("status")) or _string(item.get("state"))
            kept.append(Suppression(kind=kind, text=_string(item.get("justification")), status=status))
    return kept


def _overrides(run: Mapping[str, Any]) -> dict[str, str]:
    levels: dict[str, str] = {}
    for invocation in _list(run.get("invocations")):
        for item in _list(invocation.get("ruleConfigurationOverrides")) if isinstance(invocation, dict) else []:
            descriptor = item.get("descriptor") if isinstance(item, dict) else None
            configuration = item.get("configuration") if isinstance(item, dict) else None
            if isinstance(descriptor, dict) and isinstance(configuration, dict):
                levels[_string(descriptor.get("id"))] = _string(configuration.get("level"))
    return levels


def _default_level(rule: Mapping[str, Any]) -> str:
    configuration = rule.get("defaultConfiguration")
    return _string(configuration.get("level")) if isinstance(configuration, dict) else ""


def _success(run: Mapping[str, Any]) -> bool | None:
    claims = [i.get("executionSuccessful") for i in _list(run.get("invocations")) if isinstance(i, dict)]
    return all(claim is True for claim in claims) if claims else None


def _revision(run: Mapping[str, Any]) -> str:
    for item in _list(run.get("versionControlProvenance")):
        if isinstance(item, dict) and isinstance(item.get("revisionId"), str):
            return str(item["revisionId"])
    return ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _text(value: Any) -> str:
    return _string(value.get("text")) if isinstance(value, dict) else ""


def _number(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**31 else 0
