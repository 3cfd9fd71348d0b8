"""What was not looked at, in words: gaps of lanes, and files that were offered to none."""

from __future__ import annotations

from collections.abc import Iterable

from secgate import sla
from secgate.model import Gap, LeftOut

_GAP_WORDS = {
    "tool-missing": "is not installed",
    "tool-crashed": "crashed",
    "tool-timed-out": "took too long and was ended",
    "output-unreadable": "wrote something that cannot be read",
    "output-truncated": "wrote more than the cap",
    "not-selected": "was not selected for this run",
    "not-listed": "did not say that it looked",
    "parse-error": "cannot be parsed",
    "too-large": "is larger than the tool reads",
    "not-utf8": "is not UTF-8",
    "unreadable": "cannot be read",
    "unsupported": "is of a kind that no tool reads",
    "unpinned": "names versions that are not pinned",
    "skipped-by-tool": "was skipped by the tool",
    "advisories-missing": "has no advisories",
    "advisories-too-old": "has an advisory database that is too old",
    "no-tool": "has no tool",
    "left-out": "was left out",
    "excluded": "is excluded by the tree itself",
}
_LEFT_OUT_WORDS = {
    "link": "link",
    "link-outside": "link out of the tree",
    "submodule": "submodule",
    "lfs-pointer": "pointer to large file storage",
    "special": "file of a special kind",
    "unreadable": "file that cannot be read",
    "not-utf8-name": "name that is not UTF-8",
    "too-deep": "file too deep in folders",
    "too-many": "file past the most that a run takes",
    "too-large": "file that is too large",
}
_NOT_OBEYED = "tool-configuration"
_NAMED_PATHS = 3


def gap_words(gaps: Iterable[Gap]) -> tuple[str, ...]:
    """Say what was not looked at and why, one line for all files with the same reason, sorted."""
    groups: dict[tuple[str, str], list[str]] = {}
    for gap in gaps:
        mark = " (waived)" if gap.waived else "" if gap.touched or not gap.path else " (older than the change)"
        text = gap.detail or _GAP_WORDS.get(gap.reason, gap.reason)
        tool = "" if not gap.tool or text.startswith(gap.tool) else f"{gap.tool}: "
        groups.setdefault((tool, text + mark), []).append(gap.path)
    return tuple(sorted(f"{named(sorted(paths), 'more file')}{tool}{text}" for (tool, text), paths in groups.items()))


def named(names: Iterable[str], noun: str) -> str:
    """Name the first few and count the rest, with a colon behind; "" for none."""
    known = [name for name in names if name]
    if not known:
        return ""
    more = f" and {sla.many(len(known) - _NAMED_PATHS, noun)}" if len(known) > _NAMED_PATHS else ""
    return f"{', '.join(known[:_NAMED_PATHS])}{more}: "


def left_out_words(items: Iterable[LeftOut]) -> tuple[str, ...]:
    """Say what was not offered to any lane, a phrase for each reason, sorted by reason."""
    groups: dict[tuple[str, str], list[str]] = {}
    for item in items:
        groups.setdefault((item.reason, item.detail if item.reason == "excluded" else ""), []).append(item.path)
    return tuple(
        f"{len(paths):,} excluded by {pattern}"
        if reason == "excluded"
        else f"{_many(len(paths), reason)} ({named(paths, 'more path')[:-2]})"
        for (reason, pattern), paths in sorted(groups.items())
        if reason != _NOT_OBEYED
    )


def excluded(items: Iterable[LeftOut]) -> tuple[LeftOut, ...]:
    """Give what was really left out: settings of tools are searched like any other file, and not obeyed."""
    return tuple(item for item in items if item.reason != _NOT_OBEYED)


def not_obeyed_words(items: Iterable[LeftOut]) -> str:
    """Name the files that a tool would take as an order to look away; "" for none."""
    return named((one.path for one in items if one.reason == _NOT_OBEYED), "more file")[:-2]


def _many(count: int, reason: str) -> str:
    """Count what was left out: in `file that is too large` the first word is the one that grows an s."""
    noun, _, rest = _LEFT_OUT_WORDS.get(reason, reason).partition(" ")
    return " ".join(filter(None, (sla.many(count, noun), rest)))
