"""The parts of a SARIF document that are read, with the types that the schema gives them.

Whatever has another type is refused by name of its place. Null counts as absent, as several writers mean it; the one
place where that is not so, `results`, the reader sees to. Source: SARIF 2.1.0, sections as cited.
"""

from __future__ import annotations

import re
from typing import Any, Literal

from msgspec import Struct, field

Level = Literal["none", "note", "warning", "error"]
Kind = Literal["notApplicable", "pass", "fail", "review", "open", "informational"]
BaselineState = Literal["new", "unchanged", "updated", "absent"]

_CWE = re.compile(r"cwe[-_/ ]?0*(\d{1,5})", re.IGNORECASE)


class Part(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True, gc=False):
    """Ground of the parts: what is not named is passed over."""


class Text(Part, frozen=True):
    """A message string or an artefact's content, 3.12 and 3.3; `markdown` is kept for want of a text."""

    text: str | None = None
    markdown: str | None = None


class Bag(Part, frozen=True):
    """The properties that large consumers agreed on. What is in a bag has no type by the standard."""

    tags: Any = None
    cwe: Any = None
    precision: Any = None
    security_severity: Any = field(name="security-severity", default=None)

    def texts(self) -> list[str]:
        """Give the tags and what stands under `cwe`, as far as they are texts."""
        found = []
        for value in (self.tags, self.cwe):
            found += [text for text in (value if isinstance(value, list) else [value]) if isinstance(text, str)]
        return found

    def score(self) -> float | None:
        """Give `security-severity` where it is a number from 0 to 10, as text or not."""
        value = self.security_severity
        if not isinstance(value, str | int | float) or isinstance(value, bool):
            return None
        try:
            score = float(value)
        except (ValueError, OverflowError):
            return None
        return score if 0.0 <= score <= 10.0 else None

    def is_misrated(self) -> bool:
        """Tell whether `security-severity` is given and is no number from 0 to 10."""
        return self.security_severity is not None and self.score() is None


class ComponentReference(Part, frozen=True):
    """3.54: names a tool component by its place among the extensions, its GUID or its name."""

    name: str | None = None
    index: int | None = None
    guid: str | None = None


class Reference(Part, frozen=True):
    """3.52: names a descriptor of a component."""

    id: str | None = None
    index: int | None = None
    guid: str | None = None
    tool_component: ComponentReference | None = None


class Relationship(Part, frozen=True):
    """3.53: a rule's tie to another descriptor, for instance to a weakness."""

    target: Reference | None = None


class Configuration(Part, frozen=True):
    """3.50: what a rule is set to."""

    level: Level | None = None


class Descriptor(Part, frozen=True):
    """3.49: a rule."""

    id: str | None = None
    guid: str | None = None
    name: str | None = None
    short_description: Text | None = None
    full_description: Text | None = None
    help: Text | None = None
    help_uri: str | None = None
    default_configuration: Configuration | None = None
    message_strings: dict[str, Text] | None = None
    relationships: list[Relationship] | None = None
    properties: Bag | None = None


class Taxon(Part, frozen=True):
    """3.49: an entry of a taxonomy; only its name is used."""

    id: str | None = None
    guid: str | None = None


class ArtifactLocation(Part, frozen=True):
    """3.4: an address, whole, below a base, or the place of an artefact in the run's list."""

    uri: str | None = None
    uri_base_id: str | None = None
    index: int | None = None


class Artifact(Part, frozen=True):
    """3.24: a file that the tool looked at, perhaps with its text, perhaps inside of another."""

    location: ArtifactLocation | None = None
    parent_index: int | None = None
    contents: Text | None = None


class Span(Part, frozen=True):
    """3.30, region: by lines and columns or by characters, both from the standard's own origin (1 and 0)."""

    start_line: int | None = None
    start_column: int | None = None
    end_line: int | None = None
    end_column: int | None = None
    char_offset: int | None = None
    char_length: int | None = None
    snippet: Text | None = None


class PhysicalLocation(Part, frozen=True):
    """3.29."""

    artifact_location: ArtifactLocation | None = None
    region: Span | None = None


class LogicalLocation(Part, frozen=True):
    """3.33: a place that is no file, or not only one."""

    fully_qualified_name: str | None = None
    name: str | None = None


class Place(Part, frozen=True):
    """3.28, location."""

    physical_location: PhysicalLocation | None = None
    logical_locations: list[LogicalLocation] | None = None


class Message(Part, frozen=True):
    """3.11."""

    text: str | None = None
    markdown: str | None = None
    id: str | None = None
    arguments: list[str] | None = None


class SuppressionPart(Part, frozen=True):
    """3.35. `state` is what one object model and early drafts write for `status`."""

    kind: str | None = None
    status: str | None = None
    state: str | None = None
    justification: str | None = None


class Provenance(Part, frozen=True):
    """3.48: which invocation a result came from."""

    invocation_index: int | None = None


class ResultPart(Part, frozen=True):
    """3.27."""

    rule_id: str | None = None
    rule_index: int | None = None
    rule: Reference | None = None
    kind: Kind | None = None
    level: Level | None = None
    message: Message | None = None
    locations: list[Place] | None = None
    analysis_target: ArtifactLocation | None = None
    suppressions: list[SuppressionPart] | None = None
    baseline_state: BaselineState | None = None
    fingerprints: dict[str, str] | None = None
    partial_fingerprints: dict[str, str] | None = None
    taxa: list[Reference] | None = None
    provenance: Provenance | None = None
    properties: Bag | None = None


class Override(Part, frozen=True):
    """3.51: what an invocation set a rule to."""

    descriptor: Reference | None = None
    configuration: Configuration | None = None


class Notification(Part, frozen=True):
    """3.58: what the tool says of its own work. Absent means warning."""

    level: Level | None = None


class InvocationPart(Part, frozen=True):
    """3.20."""

    execution_successful: bool | None = None
    rule_configuration_overrides: list[Override] | None = None
    tool_execution_notifications: list[Notification] | None = None
    tool_configuration_notifications: list[Notification] | None = None


class VersionControl(Part, frozen=True):
    """3.23, versionControlDetails."""

    revision_id: str | None = None
    mapped_to: ArtifactLocation | None = None


class Component(Part, frozen=True):
    """3.19: a driver, an extension or a taxonomy; `strings` are its global message strings."""

    name: str = ""
    version: str = ""
    semantic_version: str = ""
    guid: str = ""
    rules: list[Descriptor] = []
    taxa: list[Taxon] = []
    strings: dict[str, Text] = {}


def cwes_in(texts: list[str]) -> set[int]:
    """Give the numbers of the weaknesses that texts such as `CWE-79: ...` or `external/cwe/cwe-079` name."""
    return {int(found.group(1)) for text in texts if (found := _CWE.search(text))}
