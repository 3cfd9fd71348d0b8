"""Who owns a path: CODEOWNERS as GitHub and GitLab read it, the last pattern that fits counts.

The two differ. On GitHub a pattern with a slash in it begins at the root, and one that fits a folder fits all that is
in it. On GitLab only a pattern that begins with a slash begins at the root, a folder is written with a slash at its
end, and each section has owners of its own. Sources: GitHub, "About code owners"; GitLab, "Code Owners".

The file is hostile text. No pattern becomes a regular expression, and work is counted, so that none can take long.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from secgate.model import Value
from secgate.people import People

Forge = Literal["github", "gitlab"]

FILE_NAME = "CODEOWNERS"
PLACES: Mapping[str, tuple[str, ...]] = {
    "github": (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"),
    "gitlab": ("CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"),
    "": (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"),
}
"""Where each forge looks, in its order: the first file that is there counts, alone. "" is a forge that is not told."""

MAX_BYTES = 3 * 1024 * 1024
"""A larger file is not read: GitHub's own limit."""
MAX_RULES = 20_000
MAX_PATTERN = 1024
MAX_OWNERS = 50
"""Owners of one line; the rest is not told."""
MAX_WORK = 5_000_000
"""Comparisons of a pattern with a path in one run: past them owners are not told, and that is said. One that can look
back often counts as many as it has characters."""

_HEADER = re.compile(r"\^?\[([^\[\]]{1,255})\](?:\[\d{1,4}\])?(?:\s+(.*))?")
_OWNER = re.compile(r"@{0,2}[\w.+-][\w./+-]{0,254}|[^\s@,<>]{1,64}@[^\s@,<>]{1,189}")
_EVERY = "**"


class Claim(Value, frozen=True, kw_only=True):
    """Who owns a path, as one section of the file says: names as they stand there, and the line (from 1)."""

    names: tuple[str, ...]
    line: int


class _Pattern(NamedTuple):
    """A pattern by its names: `head` are those that are plain text from the root on, `rest` the others."""

    head: tuple[str, ...]
    rest: tuple[str, ...]
    deep: bool
    """Whether it fits all that is in what it fits."""
    weight: int
    """What a comparison with one character of a path costs at most, 0 where it is done in a few steps."""


class _Rule(NamedTuple):
    """One line of a section."""

    line: int
    pattern: _Pattern
    names: tuple[str, ...]


class _Section:
    """The lines of one section, found again by the names that they begin with."""

    def __init__(self) -> None:
        self.rules: dict[tuple[str, ...], list[_Rule]] = {}
        self.excluded: list[_Pattern] = []

    def add(self, rule: _Rule) -> None:
        self.rules.setdefault(rule.pattern.head, []).append(rule)


class Owners:
    """A parsed CODEOWNERS. `skipped` are the lines (from 1) that are not understood and own nothing."""

    def __init__(self, *, file: str, forge: Forge, text: str) -> None:
        self.file = file
        self.forge = forge
        self.skipped: list[int] = []
        self.work_left = MAX_WORK
        self._count = 0
        self._sections: dict[str, _Section] = {}
        self._read(text)

    @property
    def is_exhausted(self) -> bool:
        """Tell whether so many paths were asked for that the last of them got no answer."""
        return self.work_left <= 0

    def of(self, path: str) -> tuple[Claim, ...]:
        """Give who owns a path, one claim a section in the order of the file; () where nobody does."""
        if self.is_exhausted:
            return ()
        parts = tuple(path.split("/"))
        claims = (self._claim(section, parts) for section in self._sections.values())
        return tuple(claim for claim in claims if claim is not None and claim.names)

    def _claim(self, section: _Section, parts: tuple[str, ...]) -> Claim | None:
        if any(self._fits(pattern, parts) for pattern in section.excluded):
            return None
        best: _Rule | None = None
        for length in range(len(parts) + 1):
            for rule in reversed(section.rules.get(parts[:length], ())):
                if best is not None and rule.line < best.line:
                    break
                if self._fits(rule.pattern, parts):
                    best = rule
                    break
        return None if best is None or self.is_exhausted else Claim(names=best.names, line=best.line)

    def _fits(self, pattern: _Pattern, parts: Sequence[str]) -> bool:
        self.work_left -= 1 + pattern.weight * sum(map(len, parts)) if pattern.weight else 1
        if self.is_exhausted or parts[: len(pattern.head)] != pattern.head:
            return False
        below = parts[len(pattern.head) :]
        return _names_fit(pattern.rest, below) or (pattern.deep and _names_fit((*pattern.rest, _EVERY, "*"), below))

    def _read(self, text: str) -> None:
        section, standing = self._sections.setdefault("", _Section()), tuple[str, ...]()
        for number, raw in enumerate(text.split("\n"), 1):
            line = raw.strip()
            if not line or line.startswith("#"):
                continue
            header = _HEADER.fullmatch(line) if self.forge == "gitlab" else None
            if header is not None:
                # Sections of one name are one, however it is written.
                section = self._sections.setdefault(header[1].strip().lower(), _Section())
                standing, _ = _owner_names((header[2] or "").split())
            elif not self._take(line, number, section, standing):
                self.skipped.append(number)

    def _take(self, line: str, number: int, section: _Section, standing: tuple[str, ...]) -> bool:
        """Add a line to its section; False where it is not understood."""
        text, words = _first_word(line)
        excludes = self.forge == "gitlab" and text.startswith("!")
        pattern = _pattern(text.removeprefix("!") if excludes else text, self.forge)
        names, all_known = _owner_names(words)
        if pattern is None or self._count >= MAX_RULES or not (all_known or self.forge == "gitlab"):
            return False
        self._count += 1
        if excludes:
            section.excluded.append(pattern)
        else:
            section.add(_Rule(number, pattern, names or standing))
        return True


def forge_of(file: str, text: str, *, provider: str, repository: str) -> Forge:
    """Give whose syntax a file is in: its folder tells, else CI, else the repository's host, else its sections."""
    folder = file.partition("/")[0].removeprefix(".")
    if folder == "github" or (provider == "github" and folder != "gitlab"):
        return "github"
    if "gitlab" in (folder, provider) or "gitlab" in repository.split("/", 1)[0]:
        return "gitlab"
    return "gitlab" if any(_HEADER.fullmatch(line.strip()) for line in text.split("\n")) else "github"


def opaque(claims: Iterable[Claim], owners: Owners, people: People) -> str:
    """Give owners in one text that can be kept for ever: no name of a person, since no record of ours holds one.

    Ids of people.toml stand for those whom it knows. Teams (`@acme/payments`) and roles (`@@maintainer`) stay as they
    are. For anybody else the line that names them is given, `CODEOWNERS:12`.
    """
    told: list[str] = []
    for claim in claims:
        for name in claim.names:
            person = people.by_handle(owners.forge, name.lstrip("@")) if name.startswith("@") else people.by_email(name)
            kept = name if name.startswith("@@") or (name.startswith("@") and "/" in name) else ""
            told.append(person.id if person else kept or f"{owners.file}:{claim.line}")
    return " ".join(dict.fromkeys(told))


def _first_word(line: str) -> tuple[str, list[str]]:
    r"""Give the pattern, in which `\ ` is a space, and the words behind it up to a comment."""
    end = 0
    while end < len(line) and not line[end].isspace():
        end += 2 if line[end] == "\\" else 1
    words = line[end:].split()
    comment = next((at for at, word in enumerate(words) if word.startswith("#")), len(words))
    return line[:end], words[:comment]


def _owner_names(words: Sequence[str]) -> tuple[tuple[str, ...], bool]:
    """Give the words that name an owner, and whether all do."""
    names = [word for word in words[:MAX_OWNERS] if "@" in word and _OWNER.fullmatch(word)]
    return tuple(dict.fromkeys(names)), len(names) == len(words[:MAX_OWNERS])


def _pattern(text: str, forge: Forge) -> _Pattern | None:
    """Give a pattern; None for one that the forge does not take."""
    body = text.strip("/")
    refused = forge == "github" and (text.startswith(("!", "\\#")) or "[" in text)
    if not body or refused or len(text) > MAX_PATTERN or "\0" in text:
        return None
    parts = [part for part in body.split("/") if part]
    anchored = text.startswith("/") or (forge == "github" and len(parts) > 1)
    is_folder = text.endswith("/") or parts[-1] == _EVERY
    while parts and parts[-1] == _EVERY:
        parts.pop()
    if is_folder:
        parts += [_EVERY, "*"]
    if not anchored:
        parts.insert(0, _EVERY)
    plain = next((at for at, part in enumerate(parts) if any(sign in part for sign in "*?[\\")), len(parts))
    deep = forge == "github" and parts[-1] != "*"
    rest = tuple(parts[plain:])
    hard = rest.count(_EVERY) > 2 or any(name.count("*") > 1 for name in rest if name != _EVERY)
    return _Pattern(head=tuple(parts[:plain]), rest=rest, deep=deep, weight=len(text) if hard else 0)


def _names_fit(wanted: Sequence[str], parts: Sequence[str]) -> bool:
    """Tell whether all of `parts` fit; `**` is any number of names. One look back suffices, as with one star."""
    at = place = 0
    star, resume = -1, 0
    while at < len(parts):
        if place < len(wanted) and wanted[place] == _EVERY:
            star, resume, place = place, at, place + 1
        elif place < len(wanted) and _name_fits(wanted[place], parts[at]):
            at, place = at + 1, place + 1
        elif star >= 0:
            resume, place = resume + 1, star + 1
            at = resume
        else:
            return False
    return all(name == _EVERY for name in wanted[place:])


def _name_fits(wanted: str, name: str) -> bool:
    r"""Tell whether one name fits: `*` any characters, `?` one, `[a-z]` one of these, `\x` is x."""
    if wanted in ("*", name):
        return bool(name)
    at = place = 0
    star, resume = -1, 0
    while at < len(name):
        end = _character_fits(wanted, place, name[at])
        if wanted[place : place + 1] == "*":
            star, resume, place = place, at, place + 1
        elif end:
            at, place = at + 1, end
        elif star >= 0:
            resume, place = resume + 1, star + 1
            at = resume
        else:
            return False
    return not wanted[place:].strip("*")


def _character_fits(wanted: str, place: int, character: str) -> int:
    """Give where the pattern goes on once its part at `place` fitted the character; 0 where it does not fit."""
    sign = wanted[place : place + 1]
    if sign == "?":
        return place + 1
    if sign == "\\" and place + 1 < len(wanted):
        return place + 2 if wanted[place + 1] == character else 0
    closed = wanted.find("]", place + 2) if sign == "[" else -1
    if closed > 0:
        return closed + 1 if _is_in_class(wanted[place + 1 : closed], character) else 0
    return place + 1 if sign == character else 0


def _is_in_class(members: str, character: str) -> bool:
    negated = members[:1] in ("!", "^")
    members = members[1:] if negated else members
    at, found = 0, False
    while at < len(members):
        if members[at + 1 : at + 2] == "-" and at + 2 < len(members):
            found = found or members[at] <= character <= members[at + 2]
            at += 3
        else:
            found = found or members[at] == character
            at += 1
    return found is not negated
