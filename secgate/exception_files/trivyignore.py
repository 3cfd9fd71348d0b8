"""trivy's `.trivyignore` (an id a line) and `.trivyignore.yaml`.

Source: trivy, docs/configuration/filtering: `ID exp:YYYY-MM-DD` and `#` comments; in YAML lists of `id`, `paths`,
`purls`, `expired_at`, `statement` under `vulnerabilities`, `misconfigurations`, `secrets` and `licenses`. An entry ends
when its day begins. A comment on the line, or right above it, is its reason.
"""

from __future__ import annotations

from datetime import UTC, datetime

from secgate.errors import UsageError
from secgate.exception_files.entry import Entry, path_in_tree
from secgate.exception_files.words import name, reason
from secgate.infrastructure.data_formats import read_yaml
from secgate.infrastructure.node import Node, Refused, entries, items
from secgate.languages.source import Source
from secgate.purl import PackageUrl, parse

CALLED = "a .trivyignore.yaml"
_LISTS = ("vulnerabilities", "misconfigurations", "secrets", "licenses")
_KEYS = frozenset({"id", "paths", "purls", "expired_at", "statement"})


def read(data: bytes, *, file: str, under: str) -> tuple[Entry, ...]:
    """Give the file's entries; a file name that ends in .yaml or .yml says that it is YAML.

    Raises UsageError for YAML of another form.
    """
    if file.endswith((".yaml", ".yml")):
        return _yaml(data, file=file, under=under)
    return _plain(Source(data))


def _plain(source: Source) -> tuple[Entry, ...]:
    found = []
    above: list[str] = []
    for number in range(1, source.line_count + 1):
        line, mark, beside = source.line(number).partition("#")
        if not line.strip():
            above = [*above, beside] if mark else []
            continue
        known, *fields = line.split()
        dates = [field.removeprefix("exp:") for field in fields if field.startswith("exp:")]
        ends, refused = _day(dates[0]) if dates else (None, "")
        found.append(
            Entry(
                place=f"line {number}",
                shown=name(known),
                reason=reason(beside if beside.strip() else " ".join(above)),
                ends_epoch_s=ends,
                advisories=(name(known),),
                tool="trivy",
                rule=name(known),
                refused=refused,
            )
        )
        above = []
    return tuple(found)


def _yaml(data: bytes, *, file: str, under: str) -> tuple[Entry, ...]:
    source = Source(data)
    try:
        documents = read_yaml(source)
    except Refused as error:
        raise UsageError(str(error), place=file, remedy="mend the file") from error
    if len(documents) > 1 or (documents and not isinstance(documents[0].value, dict | None)):
        raise UsageError(f"not readable as {CALLED}", place=file, remedy=f"one mapping of: {', '.join(_LISTS)}")
    found = []
    for title, listed in entries(documents[0] if documents else None).items():
        if title not in _LISTS or not isinstance(listed.value, list | None):
            what = f"`{name(title)}` is no list that is known"
            raise UsageError(what, place=f"{file}:{listed.line}", remedy=f"one of: {', '.join(_LISTS)}")
        found += [_entry(title, one, file=file, under=under) for one in items(listed)]
    return tuple(found)


def _entry(title: str, one: Node, *, file: str, under: str) -> Entry:
    values = entries(one)
    known = _text(values.get("id"))
    place = f"{file}:{one.line}"
    if not known or set(values) - _KEYS:
        faulty = ", ".join(f"`{name(key)}`" for key in sorted(set(values) - _KEYS))
        raise UsageError(
            f"an entry of `{title}` has {f'unknown keys: {faulty}' if faulty else 'no id'}",
            place=place,
            remedy=f"its keys are: {', '.join(sorted(_KEYS))}",
        )
    patterns, purls = [], []
    refused = "licences are not judged here" if title == "licenses" else ""
    for text in _texts(values.get("paths"), place):
        pattern, why = path_in_tree(text, under=under)
        patterns.append(pattern)
        refused = refused or why
    for text in _texts(values.get("purls"), place):
        package = parse(text)
        refused = refused or ("" if package else f"`{name(text)}` is no package URL")
        purls += [package] if package else []
    ends, why = _day(_text(values["expired_at"])) if "expired_at" in values else (None, "")
    about_advisory = title == "vulnerabilities"
    return Entry(
        place=f"line {one.line}",
        shown=name(known) + _narrower(patterns, purls),
        reason=reason(_text(values.get("statement"))),
        ends_epoch_s=ends,
        advisories=(name(known),) if about_advisory else (),
        packages=tuple(purls),
        tool="trivy",
        rule="" if about_advisory else name(known),
        patterns=tuple(patterns),
        refused=refused or why,
    )


def _narrower(patterns: list[str], purls: list[PackageUrl]) -> str:
    told = [*patterns, *(f"{one.name} {one.version}".strip() for one in purls)]
    return f" ({', '.join(told[:3])}{' and more' if len(told) > 3 else ''})" if told else ""


def _text(node: Node | None) -> str:
    return str(node.value) if node is not None and isinstance(node.value, str | int) else ""


def _texts(node: Node | None, place: str) -> list[str]:
    texts = [one.value for one in items(node) if isinstance(one.value, str)]
    if node is not None and node.value is not None and len(texts) != len(items(node) or [0]):
        raise UsageError("`paths` and `purls` are lists of texts", place=place, remedy="write each after a dash")
    return texts


def _day(text: str) -> tuple[int | None, str]:
    try:
        return int(datetime.strptime(text[:10], "%Y-%m-%d").replace(tzinfo=UTC).timestamp()), ""
    except ValueError:
        return None, f"`{name(text)}` is no day"
