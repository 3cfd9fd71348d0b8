"""What moves a fingerprint and what does not, through the whole way from text to finding."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from secgate.fingerprint import advisory_root, dependency_fingerprint, digest, package_name, weakness_fingerprint
from secgate.model import FINGERPRINT_ALGORITHM, Package
from secgate.normalise import Normalised
from tests.unit.identity_kit import findings_of, found_in, normalised, scans_of


def _values(text: str, path: str = "a.py") -> list[str]:
    return sorted(one.fingerprint for one in found_in({path: text}))


_FLASK = Package(ecosystem="PyPI", name="Flask_Login", version="1", manifest="a.txt")
_TEXT = "def f(x):\n    return eval(x, {'a': 1})\n"


@settings(deadline=None)
@given(st.lists(st.text(max_size=3), max_size=4), st.lists(st.text(max_size=3), max_size=4))
def test_digests_tell_lists_apart(one: list[str], other: list[str]) -> None:
    assert (digest(*one) == digest(*other)) == (one == other)


_NAME = st.text(max_size=12)


@settings(deadline=None)
@given(st.tuples(_NAME, _NAME, _NAME, _NAME, _NAME), st.integers(1, 200))
def test_a_weakness_is_named_by_the_digest_of_its_parts(parts: tuple[str, str, str, str, str], ordinal: int) -> None:
    name, path, symbol, anchored, commit = parts
    made = weakness_fingerprint(name, path=path, symbol=symbol, anchored=anchored, ordinal=ordinal, commit=commit)
    assert made == digest(FINGERPRINT_ALGORITHM, "weakness", name, path, symbol, anchored, str(ordinal), commit)


@settings(deadline=None)
@given(st.integers(0, 5), st.sampled_from(["", "  # why", "  # 'x"]), st.sampled_from(["", "\n        ", "  "]))
def test_shift_comment_and_white_space_do_not_count(lines: int, comment: str, space: str) -> None:
    text = "\n" * lines + f'def f(x):\n    return eval({space}x,{space}{{"a": 1}}{space}){comment}\n'
    assert _values(text) == _values(_TEXT)


def test_path_symbol_and_text_count() -> None:
    others = [_TEXT.replace("f(x):", "g(x):"), _TEXT.replace("'a'", "'b'"), _TEXT.replace("eval(x", "eval(y")]
    values = [_values(_TEXT), _values(_TEXT, "b.py"), *(_values(text) for text in others)]
    assert len({value for found in values for value in found}) == len(values)


@settings(deadline=None)
@given(st.randoms(use_true_random=False))
def test_order_of_results_does_not_matter(chance: random.Random) -> None:
    files = {"a.py": "eval(a)\neval(a); run(b)\n[eval(a), eval(a)]\n", "b.py": _TEXT}
    done = normalised(files, scans_of(files, ("alpha", "beta")))
    mixed = list(done.located)
    chance.shuffle(mixed)
    assert findings_of(Normalised(tuple(mixed), done.masker, ())) == findings_of(done)


def test_version_of_the_package_does_not_count() -> None:
    newer = Package(ecosystem="PyPI", name="flask-login", version="2", manifest="a.txt", line=9)
    assert package_name(_FLASK) == "flask-login"
    assert dependency_fingerprint(_FLASK, "CVE-1", manifest="a") == dependency_fingerprint(newer, "cve-1", manifest="a")


def test_advisory_root() -> None:
    assert advisory_root(["PYSEC-1", "GHSA-b", "ghsa-a"]) == "GHSA-A"
    assert advisory_root(["PYSEC-1", "GHSA-b", "CVE-2", "CVE-10"]) == "CVE-10"
    assert advisory_root(["X", ""]) == "X"
