"""What of a text alone reads as a secret, and what must stay readable."""

from __future__ import annotations

import re
import sys
import time
from itertools import pairwise
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secgate.secret_forms import found, masked, may_hold, sentences, speaks_of_secrets

RANDOM = "q8Zk2mVx7Tn4Rw9Lp3Jc6Hd5"
LOGIN = "admin:" + RANDOM
HEADER = "-----BEGIN RSA PRIVATE" + " KEY-----"
BODY = "MIIE" + "ogIBAAKCAQEA1b/+" * 4


def told(text: str, about: Literal["", "maybe", "surely"] = "") -> str:
    spans = found(text, about=about)
    assert not spans or about or may_hold(text)
    return masked(text, spans, "*")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Possible hardcoded password: 'hunter2'", "Possible hardcoded password: '*'"),
        ('password = "Passw0rd!"', 'password = "*"'),
        ("DB_PASSWORD=swordfish", "DB_PASSWORD=*"),
        ("see ?token=swordfish&x=1", "see ?token=*"),
        ("Server=x;User Id=sa;Password=swordfish;", "Server=x;User Id=sa;Password=*;"),
        ("password: sw0rdf1sh is set", "password: * is set"),
        ("user: bob\n  password: s3cr3t!\n", "user: bob\n  password: *\n"),
        ('{"password": "letmein1"}', '{"password": "*"}'),
        (r"{\"password\": \"letmein1\"}", r"{\"password\": \"*\"}"),
        ("<password>hunter22</password>", "<password>*</password>"),
        ("curl --password hunter22 x", "curl --password * x"),
        ("self.password: str = 'abc1'", "self.password: str = '*'"),
        ("define('DB_PASSWORD', 'p4ss')", "define('DB_PASSWORD', '*')"),
        ("password 'Sup3r' is bad", "password '*' is bad"),
        (f"secret = {RANDOM}", "secret = *"),
        (f"random '{RANDOM}'", "random '*'"),
        (f"found the password {RANDOM} here", "found the password * here"),
        (f"its secret is: {RANDOM}", "its secret is: *"),
        (f"machine h login u password {RANDOM}", "machine h login u password *"),
        (f"set_password('{RANDOM}')", "set_password('*')"),
        (f"curl -u {LOGIN} http://x", "curl -u admin:* http://x"),
        ('<add key="ApiKey" value="abc-12345"/>', '<add key="ApiKey" value="*"/>'),
        ("$user->password->'abc-12345'", "$user->password->'*'"),
        ('conn("postgres://u:pw@h/db")', 'conn("postgres://u:*@h/db")'),
        (f"git clone https://{RANDOM}@github.com/x", "git clone https://*@github.com/x"),
        ("Authorization: Basic dXNlcjpwYXNz", "Authorization: Basic *"),
        ("\u0130\u0130 PASSWORD = 'hunter2'", "\u0130\u0130 PASSWORD = '*'"),
        (f"{HEADER}\nMIIE", f"{HEADER}*"),
        (
            f"a {HEADER}\nM\n-----END RSA PRIVATE KEY----- b",
            f"a {HEADER}*-----END RSA PRIVATE KEY----- b",
        ),
        (f"'{BODY}", "'*"),
        (f"'{BODY}' +\n  '{RANDOM}/{RANDOM}' + x", "'*' + x"),
        (f'"{BODY}\\n{RANDOM}==\\n" is here', '"*" is here'),
        ("MIIEogIB is how it begins", "MIIEogIB is how it begins"),
    ],
)
def test_a_value_is_masked_and_the_rest_stays(text: str, left: str) -> None:
    assert told(text) == left


TOKENS = [
    "AKIAIOSFODNN7EXAMPLE",
    "ghp_" + "a1B2" * 9,
    "github_pat_" + "A1b2C3d4E5f6G7h8I9j0K1",
    "glpat-" + "a1B2" * 5,
    "xoxb-" + "1" * 12 + "-abcdefabcdef",
    "sk" + "_live_" + "4eC39HqLyjWDarjtT1zdp7dc",
    "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxMjM0In0.abc-_123",
    "SG." + "a1B2" * 5 + "." + "c3D4" * 10,
    "AIza" + "a1B2c" * 7,
    "npm_" + "a1B2" * 9,
    "pypi-Ag" + "a1B2" * 12,
    "hf_" + "aBcDeFgHiJkLmNoPqRsTuVwXyZaBcDeFgH",
    "sk-ant-" + "a1B2" * 8,
    "hvs." + "a1B2" * 8,
    "dapi" + "a1b2c3d4" * 4,
    "12345678:AA" + "a1B2c" * 7,
    "0123456789abcdef" * 2 + "-us12",
    "AGE-SECRET-KEY-1" + "QPZR" * 14 + "QP",
    "fm2_a/" + "a1B2" * 10,
    "whsec_a/" + "a1B2" * 10,
    "sntrys_" + "eyJa" * 12,
    "shpat_" + "0a" * 16,
    "doo_v1_" + "0a" * 32,
    "a1B2c3D4e5F6g7.atlasv1." + "a1B2" * 16,
    "AKC" + "a1B2c3D4e5F6",
    "AKC" + "a1B2c3D4e5",
    "MHcCAQEEI" + "a/1B+" * 8,
    "MC4CAQAwBQYDK2VwBCIEI" + "a/1B+" * 8,
    "b3BlbnNzaC1rZXktdjE" + "a/1B+" * 8,
]


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("around", ["{}", "found {} here", "x='{}'", "{}\n", "({})"])
def test_a_token_has_a_form_of_its_own(token: str, around: str) -> None:
    assert token not in told(around.format(token))


@pytest.mark.parametrize(
    "text",
    [
        "Use of weak password hash md5",
        "password: must be at least 8 characters",
        "Unexpected token: '}'",
        "token = get_token()",
        "password = os.environ['X']",
        "connect(password=password, token=token)",
        "password = user_input",
        "max_tokens=1024, tokens: 12",
        "secret_name: my-secret-1",
        "Hard-coded secret in `config.py`",
        "the key 'name' is missing, the token 'foo' unexpected",
        "password: required",
        "secrets.GITHUB_TOKEN and ${{ secrets.GITHUB_TOKEN }}",
        "token: ${{ secrets.GITHUB_TOKEN }}",
        "password: ${PASSWORD}",
        "Basic authentication over http, Bearer tokens are",
        "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "uses: actions/checkout@8ade135a41bc03ea155e62e844d188df1ea18608",
        "private key is too short: 1024 bits",
        "password=None, csrf_token = 'x'",
        "The token value is compared with ==, the password is sent in clear, pass the secret by value",
        "call set_password('password') and get_token(\"name\")",
        "Passwords are hashed by sha256, tokens by pbkdf2_sha256 and python3.11, see CVE-2021-44228",
        "https://example.com/a?b=c and git@github.com:a/b",
    ],
)
def test_a_sentence_stays(text: str) -> None:
    assert told(text) == text


def test_a_rule_about_secrets_quotes_them() -> None:
    said = "Detected hunter2xyz9 by CWE-798 in config.py, value 'Tr0ub4dor&3', key 'db_password'"
    assert told(said, "maybe") == "Detected * by CWE-798 in config.py, value '*', key 'db_password'"
    assert told("The value 'swordfish' isn't safe, 'tis", "surely") == "The value '*' isn't safe, 'tis"
    assert told("The value 'swordfish'") == "The value 'swordfish'"


@pytest.mark.parametrize(
    ("name", "is_about"),
    [
        ("hardcoded-credentials", True),
        ("generic-api-key", True),
        ("B105", False),
        ("SECRET_KEY", True),
        ("eval", False),
    ],
)
def test_a_rule_about_secrets_is_known_by_its_name(name: str, *, is_about: bool) -> None:
    assert speaks_of_secrets([name]) is is_about


@given(st.text(alphabet="pasword:='\"ghp_123 \n\\/@ken.AK", max_size=60))
def test_the_quick_look_never_says_no_wrongly(text: str) -> None:
    spans = found(text)
    assert not spans or may_hold(text)
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert all(one[1] <= other[0] for one, other in pairwise(spans))


@given(st.lists(st.sampled_from(["a" * 14, "b", "é", " ", "\n", "/", "\ud800", "ghp_", "=-", "AKIA", "0" * 16])))
def test_the_quick_look_sees_every_mark_in_a_long_run(parts: list[str]) -> None:
    text = "".join(parts)
    runs = re.findall(r"[A-Za-z0-9_.+=\-]{15,}", text)
    assert may_hold(text) is any("ghp_" in run or "AKIA" in run for run in runs)


@given(
    st.lists(
        st.sampled_from([14 * "a", ".", ". ", " ", "ghp_", "-u ", "--user", "bearer ", "'", "PRIVATE KEY", "sig="])
    )
)
def test_a_look_at_every_sentence_once_is_a_look_at_all(parts: list[str]) -> None:
    text = "".join(parts)
    assert may_hold("\n".join(sentences([text, text]))) is may_hold(text)
    assert may_hold("\n".join(sentences(["a. b", text, "b. a"]))) is may_hold(text)


def test_a_sentence_is_looked_at_once() -> None:
    told = "Anybody can read this. Close it."
    assert list(sentences([f"a.py is open. {told}", f"b.py is open. {told}"])) == [
        *("a.py is open. ", "Anybody can read this. ", "Close it.", "b.py is open. ")
    ]


def test_only_one_letter_grows_in_lower_case() -> None:
    assert [chr(at) for at in range(sys.maxunicode + 1) if len(chr(at).lower()) != 1] == ["\u0130"]


@pytest.mark.parametrize(
    "part",
    [
        *("password", "password=", "password: a|", "://a:", "'", "-eyJaaaaaaaa", "SG.aaaaaaaaaaaaaaaaa-", "a", "A1-"),
        *("-----BEGIN PRIVATE KEY-----", " ", 'token="\\', "password:" + " " * 200, "<token>", "token,", "https://u"),
        *(BODY, BODY + "\n", BODY + "+" * 40, "MIIA+++++"),
    ],
)
def test_no_text_takes_long(part: str) -> None:
    text = 'password="' + part * (20_000 // len(part))
    start = time.process_time()
    found(text, about="maybe")
    assert time.process_time() - start < 1.0
