"""Which texts detect-secrets could find anything in: the cheap pass that spares it the rest.

A word or a token's beginning that a detector needs is looked for as it stands; where such words are common, or there
is none, the detector's own condition is repeated in full (both entropy detectors, with the tool's limits). So a text
that is let go cannot give a result, but for forms of the tool that this module does not know: see the measurement in
`detect_secrets`.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from pathlib import PurePosixPath

BASE64_LIMIT = 4.5
HEX_LIMIT = 3.0
"""Bits a character; the tool's own defaults. A text of n characters has at most log2(n): 23 and 9 are the shortest."""

# Sought in lower case: what KeywordDetector and the assignment detectors need.
_WORDS = (
    *("apikey", "api_key", "authkey", "auth_key", "servicekey", "service_key", "accountkey", "account_key"),
    *("dbkey", "db_key", "databasekey", "database_key", "privkey", "priv_key", "privatekey", "private_key"),
    *("clientkey", "client_key", "dbpass", "db_pass", "databasepass", "database_pass", "keypass", "key_pass"),
    *("password", "passwd", "pwd", "secret", "contraseña", "contrasena"),
    *("cloudant", "softlayer", "hooks.slack.com", "aws"),
)
# Sought as they are: beginnings that only tokens have.
_MARKS = (
    *("A3T", "ABIA", "ACCA", "AKIA", "ASIA", "AKC", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "GR1348941", "glimt-"),
    *("glpat-", "gldt-", "glft-", "glsoat-", "glrt-", "glcbt-", "glptt-", "glagent-", "gloas-", "eyJ", "_authToken"),
    *("T3BlbkFJ", "PRIVATE KEY", "PuTTY-User-Key-File", "pypi-Ag", "SG.", "sq0csp", "k_live_", "xox", "XOX"),
)
_PATTERNS = (
    re.compile(r"://[^\s/?#\[\]@!$&'()*+,;=:]{1,300}:[^\s@]{1,300}@"),
    re.compile(r"\bAP[0-9A-F][A-Za-z0-9]{8,}"),
    re.compile(r"[0-9a-z]{32}-us[0-9]"),
    re.compile(r"\d{8}:[0-9A-Za-z_-]{35}"),
    re.compile(r"(?:AC|SK)[a-z0-9]{32}"),
    re.compile(r"[MNO][a-zA-Z\d_-]{23,25}\.[a-zA-Z\d_-]{6}\."),
    re.compile(r"[A-Za-z0-9_-]{44}"),  # the assignment detectors of cloud keys: values of 44, 48 and 64 characters
    re.compile(r"[A-Za-z0-9+/\\\-_=]{128}"),  # longer than what is measured below
)
_QUOTED_BASE64 = re.compile(r"""(["'])([A-Za-z0-9+/\\\-_=]{23,})\1""")
_QUOTED_HEX = re.compile(r"""(["'])([0-9a-fA-F]{9,})\1""")
# In YAML, INI and unknown forms a value needs no quotes. Bounded, since `=` begins a value and is a part of others: a
# file full of them must not cost the square of its length.
_BARE_BASE64 = re.compile(r"(?:^|[\s:=])([A-Za-z0-9+/\\\-_=]{23,128})(?=[ \t]*(?:[#;]|$))", re.MULTILINE)
_BARE_HEX = re.compile(r"(?:^|[\s:=])([0-9a-fA-F]{9,})(?=[ \t]*(?:[#;]|$))", re.MULTILINE)
_QUOTED_ONLY = frozenset(
    {".cls", ".go", ".java", ".js", ".m", ".php", ".py", ".pyi", ".swift", ".tf", ".cs", ".c", ".cpp"}
)


def may_hold_secrets(path: str, text: str) -> bool:
    """Tell whether detect-secrets has to look at `text`; of `path` only the extension counts."""
    lower = text.lower()
    return (
        any(word in lower for word in _WORDS)
        or any(mark in text for mark in _MARKS)
        or any(pattern.search(text) for pattern in _PATTERNS)
        or _is_random(text, _QUOTED_BASE64, 2, BASE64_LIMIT)
        or _is_random(text, _QUOTED_HEX, 2, HEX_LIMIT)
        or (
            PurePosixPath(path).suffix not in _QUOTED_ONLY
            and (_is_random(text, _BARE_BASE64, 1, BASE64_LIMIT) or _is_random(text, _BARE_HEX, 1, HEX_LIMIT))
        )
    )


def _is_random(text: str, pattern: re.Pattern[str], group: int, limit: float) -> bool:
    return any(entropy(found[group]) > limit for found in pattern.finditer(text))


def entropy(text: str) -> float:
    """Give Shannon's entropy of `text` in bits a character."""
    size = len(text)
    return -sum(count / size * math.log2(count / size) for count in Counter(text).values())
