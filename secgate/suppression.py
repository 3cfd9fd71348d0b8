"""Comments that ask a tool to say nothing: which, for which of its rules, and with what reason.

Nothing is hidden for them; what they say is a fact that a policy may weigh. Sources: the manuals of bandit (`nosec`),
semgrep (`nosemgrep`), checkov (`checkov:skip`), zizmor (`zizmor: ignore`), detect-secrets (`pragma: allowlist secret`)
and kingfisher (`kingfisher:ignore`, and what it knows of others).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

NAMES = (
    "nosec",
    "nosemgrep",
    "checkov:skip",
    "zizmor: ignore",
    "pragma: allowlist secret",
    "kingfisher:ignore",
    "gitleaks:allow",
    "trufflehog:ignore",
)
"""What each comment is called here and in policies."""

_FORMS = (
    ("nosec", r"\bnosec\b:?(?P<nosec>(?:[\s,]*(?:B\d{3}\b|[a-z0-9]+(?:_[a-z0-9]+)+\b))*)"),
    ("nosemgrep", r"\bnosem(?:grep)?\b(?:\s*:\s*(?P<nosemgrep>[\w.\-]+(?:\s*,\s*[\w.\-]+)*))?"),
    ("checkov:skip", r"\bcheckov:skip=(?P<checkov>[\w\-]+):?"),
    ("zizmor: ignore", r"\bzizmor:\s*ignore\[(?P<zizmor>[^\]]*)\]"),
    ("pragma: allowlist secret", r"\bpragma: ?(?:allow|white)list (?:next ?line )?secret"),
    ("kingfisher:ignore", r"\bkingfisher:ignore"),
    ("gitleaks:allow", r"\bgitleaks:allow"),
    ("trufflehog:ignore", r"\btrufflehog:ignore"),
)
_COMMENT = re.compile("|".join(f"(?P<n{at}>{form})" for at, (_, form) in enumerate(_FORMS)), re.IGNORECASE)
_LISTS = ("nosec", "nosemgrep", "checkov", "zizmor")
_END = re.compile(r"\s*(?:\*/|-->|#.*)?\s*$", re.DOTALL)
_BETWEEN = " \t-:—,;.#"


class Comment(NamedTuple):
    """One comment. `rules` are those that it names, () for every rule; `reason` is what else it says."""

    name: str
    rules: tuple[str, ...]
    reason: str

    def is_about(self, *rules: str) -> bool:
        """Tell whether a tool would have taken it for one of `rules`, which are names of the same rule."""
        return not self.rules or any(_is_named(one, rule) for one in self.rules for rule in rules)


def comment_in(text: str) -> Comment | None:
    """Give the first comment in a text; None where there is none that is known."""
    found = _COMMENT.search(text)
    if found is None:
        return None
    name = next(name for at, (name, _) in enumerate(_FORMS) if found[f"n{at}"] is not None)
    listed = next((found[one] for one in _LISTS if found[one]), "")
    rules = tuple(part for part in re.split(r"[\s,]+", listed) if part)
    rest = text[found.end() :]
    other = _COMMENT.search(rest)
    reason = _END.sub("", rest[: other.start()] if other is not None else rest)
    return Comment(name, rules, reason.strip(_BETWEEN))


def is_about(text: str, rules: Iterable[str]) -> bool:
    """Tell whether the comment in `text` is about a rule, given all its names; so is a text without a known one."""
    found = comment_in(text)
    return found is None or found.is_about(*rules)


def _is_named(named: str, rule: str) -> bool:
    """Tell whether a comment names a rule: by its whole id, or by the end of one that has folders before it."""
    named, rule = named.lower(), rule.lower()
    return rule == named or rule.endswith(f".{named}")
