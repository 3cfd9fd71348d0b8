"""Secrets in a text that stands alone: what another tool says, of a file that is not at hand.

No detector of ours looked at such a file, so nothing tells where its secrets are. What can be told is how secrets read:
tokens have forms of their own, keys have headers, addresses carry credentials, and a value that is assigned to a
telling name is one unless it only names another place. Nothing here is a finding, and a text must stay readable: a
plain word behind a colon is left, a word in quotes behind `password =` is not.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Literal

from secgate.secret_likeness import is_everyday, is_reference, may_name_secret

Offsets = tuple[int, int]

_RUN = 15
"""Letters, at least, of the run of them that a token's beginning stands in: most texts have few such runs."""
_RUN_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.+=-"
_RUNS = bytes(0x78 if chr(letter) in _RUN_LETTERS else 0x20 for letter in range(256))
"""Every letter of a run as `x`, and a space in place of any other."""
_LONG = b"x" * _RUN
_MARK = re.compile(
    r"AKIA|ASIA|ABIA|ACCA|A3T|ghp_|gho_|ghu_|ghs_|ghr_|github_pat_|glpat-|gldt-|glrt-|glptt-|glcbt-|"
    r"glsoat-|glft-|glagent-|gloas-|glimt-|GR1348941|xox|xapp-|k_live_|k_test_|eyJ|SG\.|AIza|ya29\.|npm_|"
    r"pypi-Ag|_v1_|hf_|sk-|shp|sq0|hvs\.|hvb\.|ATATT3|ATCTT3|lin_api_|PMAK-|dapi|glsa_|glc_|sntry|"
    r"rubygems_|dckr_pat_|pscale_|nfp_|HRKU-|AGE-SECRET|atlasv1\.|figd_|r8_|gsk_|xai-|nvapi-|sbp_|-us|AA|"
    r"MII|MIG|MC4CAQ|b3BlbnNzaC1rZXktdjE"
)
_RARE = (
    *("AKC", "fm1r_", "fm2_", "whsec_", "MHcCAQ", "PRIVATE KEY", "PuTTY-User-Key-File"),
    *("://", "hooks.slack.com", "api/webhooks/"),
)
"""One of all these stands in every form below, but for those that only their name or their quotes tell."""

_WORDS = (
    *("pass", "pwd", "secret", "token", "credential", "key", "auth", "contrase", "sas", "signature", "sig="),
    *("bearer ", "basic ", "-u ", "--user"),
)
"""One of them, in lower case, stands in every name that a secret is assigned to, or before one."""

_PLACES = (
    # Whole; each begins with letters that only it has, so that a search is quick.
    r"(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Z0-9])",
    r"gh[pousr]_[A-Za-z0-9]{20,255}",
    r"github_pat_\w{22,255}",
    r"gl(?:pat|dt|rt|ptt|cbt|soat|ft|agent|oas|imt)-[\w.\-]{20,300}",
    r"GR1348941[\w\-]{20}",
    r"xox[abeoprs]-[A-Za-z0-9\-]{10,250}",
    r"xapp-\d-[A-Za-z0-9\-]{20,250}",
    r"[srp]k_(?:live|test)_[A-Za-z0-9]{10,250}",
    r"whsec_[A-Za-z0-9+/=]{20,250}",
    r"eyJ[\w\-]{8,2000}\.eyJ[\w\-]{8,4000}(?:\.[\w\-]*)?",
    r"SG\.[\w\-]{16,80}\.[\w\-]{16,}",
    r"AIza[\w\-]{35}",
    r"ya29\.[\w\-]{20,}",
    r"npm_[A-Za-z0-9]{36}",
    r"pypi-Ag[\w\-]{40,}",
    r"do[opr]_v1_[a-f0-9]{64}",
    r"hf_[A-Za-z]{34}",
    r"sk-(?:ant-|proj-|or-|svcacct-|admin-)?[\w\-]{20,250}",
    r"shp(?:at|ss|ca|pa)_[a-fA-F0-9]{32}",
    r"sq0[a-z]{3}-[\w\-]{22,43}",
    r"hv[sb]\.[\w\-]{24,}",
    r"AT[AC]TT3[\w\-=]{20,}",
    r"lin_api_[A-Za-z0-9]{32,}",
    r"PMAK-[a-f0-9]{24}-[a-f0-9]{34}",
    r"dapi[a-f0-9]{32}",
    r"gl(?:sa|c)_[A-Za-z0-9+/=_]{32,}",
    r"sntry[su]_[\w+/=.\-]{40,}",
    r"rubygems_[a-f0-9]{48}",
    r"dckr_pat_[\w\-]{20,}",
    r"fm(?:1r|2)_[\w+/=\-]{40,}",
    r"pscale_\w{2,5}_[\w.\-]{30,}",
    r"nfp_[A-Za-z0-9]{36,}",
    r"HRKU-[\w\-]{36,}",
    r"AGE-SECRET-KEY-1[0-9A-Z]{58}",
    r"[A-Za-z0-9]{14}\.atlasv1\.[\w\-]{60,}",
    r"figd_[\w\-]{40,}",
    r"r8_[A-Za-z0-9]{37}",
    r"gsk_[A-Za-z0-9]{48,}",
    r"xai-[A-Za-z0-9]{70,}",
    r"nvapi-[\w\-]{60,}",
    r"sbp_[a-f0-9]{40}",
    r"AKC[A-Za-z0-9]{10,}",
    r"[0-9a-f]{32}-us\d{1,2}(?!\d)",
    r"\d{8,10}:AA[\w\-]{32,35}",
    # A key without its armour, as a tool quotes one line of it: RSA, PKCS #8, EC, Ed25519, OpenSSH; in a program its
    # lines stand in quotes of their own.
    (
        r"(?:MI[IG][A-Z]|MHcCAQ|MC4CAQ|b3BlbnNzaC1rZXktdjE)[A-Za-z0-9+/]{36,}"
        r"(?:={0,2}(?:\\[nr]|[\s\"'`+,\\])+[A-Za-z0-9+/]{16,}){0,400}={0,2}"
    ),
)
_TOKEN = re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(_PLACES)})")
_BLOCK = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,10}-----|PuTTY-User-Key-File-\d:")
_BLOCK_END = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,10}-----|Private-MAC: *[0-9a-fA-F]*")
_PARTS = (
    # What is one within something else that may be read: its first group.
    re.compile(r"://[^\s/?#\[\]@!$&'()*+,;=:<>\"]{0,300}:([^\s@/<>\"'`]{1,300})@"),
    re.compile(r"://([A-Za-z0-9_\-.~%]{10,300})@"),
    re.compile(r"hooks\.slack\.com/(?:services|workflows)/([A-Za-z0-9/]{20,})"),
    re.compile(r"api/webhooks/(\d{15,22}/[\w\-]{40,})"),
    re.compile(r"\b(?i:bearer|basic) +([A-Za-z0-9+/._~\-]{8,}={0,2})"),
)

_NAME = (
    r"passw(?:or)?d|passwd|passphrase|(?<![a-z])pass(?![a-z])|pwd|secret|token|credential|contrase[nñ]a"
    r"|(?:api|auth|access|account|service|client|private|priv|encryption|signing|master|shared|storage|database|db)"
    r"[_ \-]?key|(?:db|database|key|user|root|admin)[_\-]?pass|[a-z0-9]_key(?![a-z])|authorization"
    r"|(?<![a-z])(?:sig|signature|sas)(?==)"
)
_NAMED = re.compile(_NAME)
_VALUE = re.compile(
    r"([\w.\-]{0,40}(?<!-))(?:\\?[\"'`]?\]?)(?:[ \t]{0,9}:[ \t]{0,9}[\w.\[\]|]{1,40}(?=[ \t]{0,9}=))?"
    r"([ \t]{0,20}(?:=>|:=|={1,3}|!={1,2}|:)[ \t]{0,20}|[ \t]{0,3}(?:,|\(|->)[ \t]{0,9}(?=\\?[\"'])|>"
    r"|[ \t]{1,9}value[ \t]{0,3}=[ \t]{0,3}(?=\\?[\"'])|[ \t]{1,9}(?:(?:is|was|value)[ \t]{0,3}:?[ \t]{0,3})?)"
    r"(?:[rbufRBUF]{0,2}(\\?[\"'`])((?:(?!\3)(?:\\.|[^\n\\])){1,400})(?:\3|\Z)|([^\s\"'`,;<>()\[\]{}]{3,400}))"
)
_OPTION = re.compile(
    r"(?<![\w\-])(?:--?(?:password|passwd|token|secret|api-key) +|(?:-u|--user)[ =]+[\w.@\-]{1,60}:)"
    r"([^\s\"'`\-$<\[{][^\s\"'`]{3,300})"
)
_QUOTED_RANDOM = re.compile(r"([\"'`])([A-Za-z0-9+/\\\-_=]{23,})\1")
_QUOTED = re.compile(r"(?<!\w)\\?([\"'`])((?:(?!\1)[^\n]){1,400})\1(?!\w)")
_BARE = re.compile(r"(?<![\w/.\\\-])[\w+/=!@#$%^&*~\-]{8,400}(?![\w/\\])")

_BASE64_LIMIT = 4.5
_BARE_LIMIT = 2.75
"""Bits a character; the second only counts where a rule is about secrets."""
_SAID = frozenset({"", "is", "was", "value", "is:", "was:", "value:", "is :", "value :"})
"""What stands between a name and its value in a sentence: there a bare word must be random to be one."""
_SHORTEST_SAID = 8
_STRONG = frozenset("?&;-")
_SHORTEST = 3
_NAME_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"
_LONGEST_FRONT = 60
_TELLING = re.compile(r"(?=.*[A-Za-z])(?=.*\d).{6,}", re.DOTALL)
_KNOWN = re.compile(
    r"(?i)(?:aes|arc|b|base|ckv|col|column|cve|cwe|des|ecdsa|ed|fips|ghsa|h|hmac|http|ipv|iso|java|line|lines|md|node"
    r"|oauth|p|pbkdf|pkcs|python|rc|rfc|rsa|s|sha|ssl|tls|utf|v|version|x)[-_:]{0,2}\d{1,7}(?:[.:_\-]\w{1,8}){0,3}"
)
"""`CWE-798`, `sha256`, `line120`: what has letters and digits and is no secret."""
_NUMERIC = re.compile(r"(?i)pass|pwd|pin\b|secret")
_WORDY = re.compile(r"[A-Za-z]+(?:[-_ .:/][A-Za-z]+)*")
_IDENTIFIER = re.compile(r"[A-Za-z_]+")
_ABOUT = re.compile(
    r"(?i)hard.?coded|\b(?:secrets?|credentials?|passwords?|passphrase|passwd|token)\b|api.?key|"
    r"(?:private|access|encryption|signing|secret).?key"
)


def entropy(text: str) -> float:
    """Give Shannon's entropy of `text` in bits a character."""
    size = len(text)
    return -sum(count / size * math.log2(count / size) for count in Counter(text).values())


def may_hold(text: str) -> bool:
    """Tell, quickly and never wrongly with no, whether `found` could find anything in `text`."""
    return _may_be_token(text) or _is_named(text) or _QUOTED_RANDOM.search(text) is not None


def sentences(texts: Iterable[str]) -> Iterable[str]:
    """Give each sentence of some texts once, for a quick look: what one rule says of many places differs in few.

    Each keeps its mark and the space behind it, so nothing is cut in two of all that the look goes by.
    """
    return dict.fromkeys("\n".join(texts).replace(". ", ". \n").split("\n"))


def _may_be_token(text: str) -> bool:
    if any(mark in text for mark in _RARE):
        return True
    runs = b" ".join(_runs(text.encode("ascii", "replace")))
    return bool(runs) and _MARK.search(runs.decode("ascii")) is not None


def _runs(text: bytes) -> Iterator[bytes]:
    """Give the long runs. Looking for so many `x` takes an eighth of splitting the text, a tenth of a pattern."""
    marked = text.translate(_RUNS) + b" "
    start = marked.find(_LONG)
    while start >= 0:
        end = marked.index(b" ", start)
        yield text[start:end]
        start = marked.find(_LONG, end)


def _is_named(text: str) -> bool:
    lower = text.lower()
    return any(word in lower for word in _WORDS)


def speaks_of_secrets(texts: Iterable[str]) -> bool:
    """Tell whether a rule with these names and words seems to be about secrets in the source."""
    return any(_ABOUT.search(text.replace("_", "-")) for text in texts)


def found(text: str, *, about: Literal["", "maybe", "surely"] = "") -> tuple[Offsets, ...]:
    """Give where secrets stand in `text`, sorted, none within another.

    `about` tells whether it is said by a rule about secrets. Then any random text in it, and any quoted one that reads
    like no word, counts too; and any quoted one at all where it surely is.
    """
    spans: list[Offsets] = []
    is_named = _is_named(text)
    if is_named or _may_be_token(text):
        spans += (match.span() for match in _TOKEN.finditer(text))
        spans += _blocks(text)
        spans += (match.span(1) for pattern in _PARTS for match in pattern.finditer(text) if _is_part(match))
    if is_named:
        spans += _assigned(text)
        spans += (match.span(1) for match in _OPTION.finditer(text) if not is_reference(match[1]))
    spans += (match.span(2) for match in _QUOTED_RANDOM.finditer(text) if _is_random(match[2]))
    if about:
        quoted = (match.span(2) for match in _QUOTED.finditer(text) if about == "surely" or _is_odd(match[2]))
        spans += quoted
        spans += (match.span() for match in _BARE.finditer(text) if _is_telling(match.group()))
    return _outermost(spans)


def masked(text: str, spans: Iterable[Offsets], mask: str) -> str:
    """Give `text` with `mask` in the place of each span."""
    parts, at = [], 0
    for start, end in spans:
        parts += [text[at:start], mask]
        at = end
    return "".join([*parts, text[at:]])


def is_worth_seeking(text: str) -> bool:
    """Tell whether a secret's text is worth masking wherever it stands: a word of every sentence is not."""
    return not is_everyday(text)


def _outermost(spans: list[Offsets]) -> tuple[Offsets, ...]:
    kept: list[Offsets] = []
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        if kept and start < kept[-1][1]:
            kept[-1] = (kept[-1][0], max(end, kept[-1][1]))
        elif start < end:
            kept.append((start, end))
    return tuple(kept)


def _blocks(text: str) -> list[Offsets]:
    """A key in its armour, from the first line to the last; to the end of the text where that is cut off."""
    spans: list[Offsets] = []
    for match in _BLOCK.finditer(text):
        if spans and match.start() < spans[-1][1]:
            continue
        end = _BLOCK_END.search(text, match.end())
        spans.append((match.end(), end.start() if end else len(text)))
    return spans


def _is_part(match: re.Match[str]) -> bool:
    value = match[1]
    if match.re is _PARTS[0]:
        return not is_reference(value)
    if match.re is _PARTS[1]:
        return bool(_TELLING.fullmatch(value)) and "." not in value
    if match.re is _PARTS[4]:
        return not _WORDY.fullmatch(value) or (value != value.lower() and value[1:] != value[1:].lower())
    return True


def _assigned(text: str) -> Iterator[Offsets]:
    # The only letter that is longer in lower case would move all that follow.
    lower = text.replace("\u0130", "i").lower()
    at = 0
    while named := _NAMED.search(lower, at):
        at = named.end()
        match = _VALUE.match(text, at)
        if match is not None and _is_assigned(match, text, named.start()):
            yield match.span(match.lastindex or 0)
            at = match.end()


def _is_assigned(match: re.Match[str], text: str, start: int) -> bool:
    """Tell whether what stands behind a telling name is a value, and not a word of a sentence or another name.

    The telling part of the name begins at `start`.
    """
    before = text[max(start - _LONGEST_FRONT, 0) : start]
    front = before[len(before.rstrip(_NAME_LETTERS)) :]
    mark = before[: len(before) - len(front)][-1:]
    name, operator, quoted = front + text[start : match.end(1)], match[2].strip(), match[4]
    if not may_name_secret(name) or (operator == ">" and mark != "<"):
        return False
    if quoted is not None:
        # Behind a name alone, as in `password 'x'` or `("password", "x")`, a plain word is more likely a name.
        is_plain = operator in _SAID or operator in (",", "(")
        is_value = any(letter.isalnum() for letter in quoted) and not is_reference(quoted)
        return is_value and not (is_plain and _WORDY.fullmatch(quoted))
    value = match[5].rstrip(".:!?")
    if len(value) < _SHORTEST or is_reference(value) or value.startswith(("$", "%", "//")):
        return False
    if operator in _SAID:
        return _is_telling(value) and len(value) >= _SHORTEST_SAID
    if operator == ":":
        return _is_telling_value(value) or (_is_whole_line(match, text, start) and not _WORDY.fullmatch(value))
    # Where a bare word stands, it is a value in an address, a connection's settings or an environment, else a name.
    is_strong = operator == ">" or (match[2] == "=" and ((mark and mark in _STRONG) or name.isupper()))
    is_number = value.isdigit() and not _NUMERIC.search(name)
    return is_strong or not (is_number or _IDENTIFIER.fullmatch(value))


def _is_whole_line(match: re.Match[str], text: str, start: int) -> bool:
    """Tell whether nothing but the name and its value is on the line, as in YAML."""
    first = text.rfind("\n", 0, start) + 1
    end = text.find("\n", match.end())
    rest = text[match.end() : end if end >= 0 else len(text)]
    return not text[first:start].rstrip(_NAME_LETTERS).strip(" \t-\"'") and not rest.strip()


def _is_telling_value(value: str) -> bool:
    return _TELLING.fullmatch(value) is not None and not _KNOWN.fullmatch(value)


def _is_random(value: str) -> bool:
    return entropy(value) > _BASE64_LIMIT and not re.fullmatch(r"sha\d{1,3}[-:].*|[0-9a-f]+", value)


def _is_odd(value: str) -> bool:
    return not _WORDY.fullmatch(value) and not _KNOWN.fullmatch(value) and not is_reference(value)


def _is_telling(value: str) -> bool:
    return _is_telling_value(value) and entropy(value) > _BARE_LIMIT and "://" not in value
