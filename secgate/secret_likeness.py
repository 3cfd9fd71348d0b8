"""How far a text that a loose detector marked looks like a credential that somebody uses.

Detectors that go by a key's name or by entropy also mark examples, revisions, checksums and references. Nothing of that
is dropped: it keeps its place in the record with the severity and the confidence that it deserves. Only the text and
the key it stands under count, never the file's name or folder: a credential in a test is as public as any other.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote

from secgate.model import Confidence, Severity


class Likeness(NamedTuple):
    """What replaces a loose detector's own word."""

    severity: Severity
    score: float
    basis: str
    confidence: Confidence


CREDENTIAL = Likeness(Severity.HIGH, 8.0, "scanner: random text under the name of a secret", Confidence.MEDIUM)
EXAMPLE = Likeness(Severity.LOW, 3.1, "scanner: a word that anybody would try", Confidence.LOW)
REFERENCE = Likeness(Severity.INFO, 0.0, "scanner: names a secret, does not hold it", Confidence.LOW)
RANDOM = Likeness(Severity.LOW, 3.1, "scanner: random text, nothing says of what", Confidence.LOW)
PUBLISHED = Likeness(Severity.LOW, 3.1, "scanner: an example that its vendor publishes", Confidence.LOW)
HEADER = Likeness(Severity.INFO, 0.0, "scanner: the first line of a key, no key follows", Confidence.LOW)
CHECKSUM = Likeness(Severity.INFO, 0.0, "scanner: reads as a revision or a checksum", Confidence.LOW)

_HEX_SIZES = frozenset({32, 40, 56, 64, 96, 128})
"""Characters of MD5, SHA-1 and a git revision, SHA-224, SHA-256, SHA-384, SHA-512."""

_SHORT_REVISION_SIZES = range(7, 17)
"""Characters of a revision that is named in short, and of the names that Alembic gives its migrations."""

_HEX = re.compile(r"[0-9a-fA-F]+")
_REVISION_KEY = re.compile(r"(?i)(?:^|[._\-])(?:rev|revision|revises|commit)$")
_INTEGRITY = re.compile(r"sha(?:1|224|256|384|512)[-:=][A-Za-z0-9+/=_\-]+")
_CHECKSUM_KEY = re.compile(
    r"(?i)(?:^|[.:_\-])(?:rev|revision|ref|sha|sha-?1|sha-?224|sha-?256|sha-?384|sha-?512|md5|commit|tree|version|checksum"
    r"|digest|integrity|etag|fingerprint|thumbprint|uses)$"
)
_SECRET_KEY = re.compile(
    r"(?i)(?:passw|pwd|passphrase|secret|token|credential|api_?-?key|access_?-?key|auth$|auth_?-?key|private_?-?key"
    r"|encryption_?-?key|signing_?-?key|account_?-?key|client_?-?key|_key$|bearer)"
)
_NOT_SECRET_KEY = re.compile(r"(?i)(?:csrf|public|nonce|(?:^|[._\-])ids?$|_id$)")
_ABOUT_SECRET_KEY = re.compile(
    r"(?i)(?:tokeni[sz]|tokens?_?(?:count|limit|type|kind)|max_?tokens|num_?tokens|tokens$|[._\-]?(?:length|len|names?|file|path"
    r"|dir|url|uri|endpoint|field|types?|policy|expir\w*|ttl|timeout|age|prompt|label|regex|pattern|rules?|manager"
    r"|provider|store|reset|hint|strength|validator)$)"
)
"""A key that tells something of a secret and holds none."""

# A name that another place fills in: `${PASSWORD}`, `{{ token }}`, `<password>`, `%(pass)s`, `settings.SECRET_KEY`,
# `get_password()`, `os.environ[...]`.
_REFERENCE = re.compile(
    r"\$\{?\w[\w.\-]*\}?|\$\(.*\)|\$\{\{.*\}\}|\{\{.*\}\}|\{[\w.!:]*\}|<[^<>]*>|%\(\w+\)[sr]|%[sr]|%\w+%"
    r"|[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*\(.*|(?:os|self|this|settings|config|process|request|req|args|options|env|event"
    r"|form|data|kwargs|params|props|state|var|local|module|each|secrets|vars|inputs)(?:\.[A-Za-z_]\w*|\[.*\])+[,;)]*"
    # An entry point, `package.module:Name`.
    r"|[a-z_]+(?:\.[a-z_]+)+:[A-Za-z_]+"
)
_PUBLISHED = frozenset(
    {
        # Source: AWS, IAM and Signature Version 4 documentation; both pairs of keys open nothing.
        *("AKIAIOSFODNN7EXAMPLE", "AKIAI44QH8DHBEXAMPLE"),
        *("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY"),
    }
)
_KEY_HEADER = re.compile(r"BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY")
_KEY_MATERIAL = re.compile(r"[A-Za-z0-9+/]{40}|(?=[A-Za-z+/]{0,15}\d)[A-Za-z0-9+/]{16}")
"""A line of a PEM body has 64 characters, of OpenSSH's 70; the shortest key of all, Ed25519's, is one line of 64. In a
program it may stand in shorter pieces: then sixteen characters with a digit among them are no word.

Source: RFC 7468, section 2; RFC 8410, section 10.3.
"""
KEY_BODY_WITHIN = 400
"""Characters after a key's first line in which its body must begin; headers of an encrypted one have about 80."""
_SENTENCE_WORDS = 5
_WORD = re.compile(r"[A-Za-z]+|\d+|[^A-Za-z\d]")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_LEET = str.maketrans("@013$5", "aoiess")
_LONGEST_NUMBER = 4
_SHORTEST = 6
_FEW = 2

_WORDS = frozenset(
    re.findall(
        r"\w+",
        """
        a abc abcd abcde abcdef access account actual admin administrator alice an and api app apple application auth
        authorization backend bad bar base base64 basic baz bearer bob bogus by bytes change changed changeit changeme
        cipher client code coded config correct credential credentials current custom customer data database db default
        demo dev developer development digest do dummy elastic email empty encoded encrypted enter example expected
        exposed exposure fake false field first fizz foo foobar for forgot from get good guess guest hard hash hello
        here hidden hunter id ignored in incorrect input insecure insert invalid is it kafka key keys letmein like
        local leak leaked localhost login long longer made magic main manager may me minio missing mock mongo mongodb
        my mypass mypassword mysecret mysql name new next no none not null of old on one or oracle other p pass
        passphrase passw passwd password passwords phrase placeholder plain please postgres postgresql private prod
        production provided public pw pwd quux qux qwerty rabbit rabbitmq random raw real redacted redis remove replace
        replaceme request required reset role root s sa safe salt same sample save second secret secrets secure service
        session set shared short should some something staging string strong super supersecret system temp template
        test tester testing testpass testpassword text that the there third this to todo token tokens top true two type
        undefined unknown unsafe unused up update use used user username users valid value values var variable very was
        weak webhook welcome with word world wrong x xx xxx xxxx y you your yourself z
        """,
    )
)


def likeness(value: str, *, key: str, is_random: bool) -> Likeness | None:
    """Judge `value`, assigned to `key` ("" where nothing tells). None: what the detector said stands.

    `is_random` says that it was marked for its entropy alone.
    """
    text = _bare(value)
    if is_reference(text):
        return REFERENCE
    is_named = bool(_SECRET_KEY.search(key)) and not _NOT_SECRET_KEY.search(key)
    if _INTEGRITY.fullmatch(text) or (_is_checksum(text) and _CHECKSUM_KEY.search(key)) or _is_revision(text, key):
        return CHECKSUM
    if _is_guessable(text):
        return EXAMPLE
    if is_random:
        return CREDENTIAL if is_named else RANDOM
    return None


def certain_likeness(value: str, *, after: str) -> Likeness | None:
    """Judge a text whose very form tells that it is a credential. None: it is one.

    Three are none all the same: an example that its vendor publishes, what names a credential that stands elsewhere,
    and the first line of a private key without any key. `after` is the text from the beginning of `value` on,
    `KEY_BODY_WITHIN` characters of it.
    """
    if _bare(value) in _PUBLISHED:
        return PUBLISHED
    if is_reference(value):
        return REFERENCE
    if _KEY_HEADER.search(value) and not _KEY_MATERIAL.search(after[:KEY_BODY_WITHIN]):
        return HEADER
    return None


def is_reference(value: str) -> bool:
    """Tell whether a text only names what another place fills in."""
    text = _bare(value)
    return not text or _REFERENCE.fullmatch(text) is not None


def _bare(value: str) -> str:
    return unquote(value.strip().strip("\"'`"))


def may_name_secret(key: str) -> bool:
    """Tell whether a key in whose name a secret's kind stands may hold one, and not the name or the length of one."""
    return not (_NOT_SECRET_KEY.search(key) or _ABOUT_SECRET_KEY.search(key))


def is_everyday(text: str) -> bool:
    """Tell whether a text is a word that so many sentences have that it cannot be looked for in them."""
    return text.lower() in _WORDS


def _is_checksum(text: str) -> bool:
    return len(text) in _HEX_SIZES and _HEX.fullmatch(text) is not None


def _is_revision(text: str, key: str) -> bool:
    is_short = len(text) in _SHORT_REVISION_SIZES and _HEX.fullmatch(text) is not None
    return is_short and _REVISION_KEY.search(key) is not None


def _is_guessable(text: str) -> bool:
    """Tell whether a text has so little in it that its publication gives nothing away.

    A sentence, too short, one character over and over, letters or digits in the order of the keyboard, or words that
    everybody writes, with at most a small number.
    """
    if _is_sentence(text):
        return True
    if len(text) < _SHORTEST and (text.isalpha() or text.isdigit() or not text.isalnum()):
        return True
    if len(set(text)) <= _FEW or _is_row(text):
        return True
    return any(map(_is_words, (text, text.translate(_LEET), text.lower().translate(_LEET))))


def _is_sentence(text: str) -> bool:
    """Tell whether at least five words stand there, most of them of letters alone."""
    words = text.split()
    plain = sum(word.strip(",.:;!?()\"'").isalpha() for word in words)
    return len(words) >= _SENTENCE_WORDS and 2 * plain > len(words)


def _is_words(text: str) -> bool:
    parts = [part for part in _WORD.findall(_CAMEL.sub(" ", text)) if part.isalnum()]
    numbers = [part for part in parts if part.isdigit()]
    words = [part.lower() for part in parts if not part.isdigit()]
    if any(len(number) > _LONGEST_NUMBER and not _is_row(number) for number in numbers) or len(numbers) > _FEW:
        return False
    if sum(len(word) == 1 for word in words) > 1:
        return False
    return bool(words or numbers) and all(word in _WORDS or _is_repeated(word) for word in words)


def _is_repeated(word: str) -> bool:
    return len(word) > _FEW and len(set(word)) == 1


_ROWS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789",
    "98765432109876543210",
    "qwertyuiop",
    "0123456789abcdef" * 2,
)


def _is_row(text: str) -> bool:
    return len(text) > _FEW and any(text.lower() in row for row in _ROWS)
