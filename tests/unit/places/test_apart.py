"""What children say of places is what is found here, and whatever they do not say is found here."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secgate.executors.local import LocalExecutor
from secgate.languages.parse import MOST_BYTES, FileIndex
from secgate.languages.tokens import Words
from secgate.model import Lane, Limits, Output, RawResult, Region
from secgate.places.answers import answer
from secgate.places.apart import Apart, Asked
from secgate.places.pointing import Pointed, Spot, spot
from secgate.places.wording import worded
from tests.unit.identity_kit import normalised, scan_of

_TEXTS: dict[str, tuple[str, bytes]] = {
    "a.py": ("python", b'class K:\n    def f(self):\n        return eval(\n            "x")  # y\n\n\nx = 1; y = 2\n'),
    "bom.py": ("python", b"\xef\xbb\xbf\xef\xbb\xbfx = 1\n"),
    "broken.py": ("python", b"def f(:\n    eval(x)\n"),
    "cr.py": ("python", b"x = 1\ry = 2\r\nz = 3"),
    "deep.py": ("python", b"x = " + b"(" * 5_000 + b"1" + b")" * 5_000),
    "empty.py": ("python", b""),
    "latin.py": ("python", b"# \xe9\xff\nx = eval('\xe9')\n"),
    "nul.py": ("python", b"x = 1\n\0\ny = 2\n"),
    "wide.py": ("python", 'def größe():\n    return "😀", eval("é")\n'.encode()),
    "long.py": ("python", b"x = '" + b"y" * 100_000 + b"'; eval(x)\n"),
    "a.js": ("javascript", b"function f(x) {\n  if (x) {\n    eval(x)\n  }\n}\n"),
    "a.tf": ("terraform", b'resource "a" "b" {\n  acl = "c"\n}\n'),
    "a.yaml": ("yaml", b"a:\n  - b: 1\n    c: 2\n"),
    "a.txt": ("text", b"one\n  two\n"),
}


class Answering:
    """A runner whose children are `answer` itself, or whatever else they give."""

    def __init__(self, reply: Callable[[bytes], bytes] = answer, **more: object) -> None:
        self._reply, self._more = reply, more
        self.asked = 0

    def run(
        self,
        argv: Sequence[str],
        *,
        cwd: str,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        limits: Limits | None = None,
        network: bool = False,
    ) -> Output:
        """Answer at once."""
        assert argv[1:] == ["-I", "-m", "secgate.places.child"]
        assert limits is not None
        assert limits.memory_bytes
        assert cwd
        assert not network
        assert not env
        self.asked += 1
        given = {"exit_code": 0, "stdout": self._reply(stdin), "stderr": b""} | self._more
        return Output(**given)  # type: ignore[arg-type] # a test's own fields


def _apart(runner: Answering, *, large: int = 0) -> Apart:
    return Apart(runner=runner, python="python", directory="/", large=large)


def _pointed(line: int, column: int, end_line: int, end_column: int, *, is_node: bool = False) -> Pointed:
    region = Region(start_line=line, start_column=column, end_line=end_line, end_column=end_column)
    return Pointed(region, "utf-8", is_node)


def _asked(texts: Mapping[str, tuple[str, bytes]], pointed: Sequence[Pointed]) -> list[Asked]:
    return [Asked(path, FileIndex(kind, data), pointed) for path, (kind, data) in texts.items()]


def _here(texts: Mapping[str, tuple[str, bytes]], pointed: Sequence[Pointed]) -> dict[str, list[Spot]]:
    return {path: [_spot(FileIndex(kind, data), one) for one in pointed] for path, (kind, data) in texts.items()}


def _spot(index: FileIndex, pointed: Pointed) -> Spot:
    found = spot(index, pointed)
    if found.unit is None:
        return found
    text = index.source.text[found.unit.start : found.unit.end]
    return msgspec.structs.replace(found, wording=worded(index.kind, text, Words()))


_NUMBERS = st.integers(min_value=0, max_value=12)


@settings(max_examples=40)
@given(st.lists(st.builds(_pointed, _NUMBERS, _NUMBERS, _NUMBERS, _NUMBERS, is_node=st.booleans()), max_size=4))
def test_a_child_finds_what_is_found_here(pointed: list[Pointed]) -> None:
    texts = {path: told for path, told in _TEXTS.items() if path not in ("deep.py", "long.py")}
    told = dict(_apart(Answering()).each(_asked(texts, pointed)))
    assert told.pop("a.txt") is None  # nothing is parsed there
    assert told == {path: spots for path, spots in _here(texts, pointed).items() if path != "a.txt"}


def test_a_real_child_finds_it_in_hostile_text_too(tmp_path: Path) -> None:
    pointed = [_pointed(1, 1, 1, 3), _pointed(2, 5, 9, 0), _pointed(0, 0, 0, 0), _pointed(10**6, 10**6, 1, 1)]
    runner = LocalExecutor(environment=os.environ, python=sys.executable, parallel=1, scratch=str(tmp_path))
    apart = Apart(runner=runner, python=sys.executable, directory=str(tmp_path), large=0)
    told = dict(apart.each(_asked(_TEXTS, pointed)))
    assert [path for path, spots in told.items() if spots is None] == ["a.txt"]
    assert told | {"a.txt": _here(_TEXTS, pointed)["a.txt"]} == _here(_TEXTS, pointed)


def _without_last_spot(question: bytes) -> bytes:
    told = msgspec.msgpack.decode(answer(question))
    told[0][2].pop()
    return msgspec.msgpack.encode(told)


def _of_other_units(question: bytes) -> bytes:
    told = msgspec.msgpack.decode(answer(question))
    told[0][2][0][3] = 7
    return msgspec.msgpack.encode(told)


def _without_a_wording(question: bytes) -> bytes:
    told = msgspec.msgpack.decode(answer(question))
    told[0][1].pop()
    return msgspec.msgpack.encode(told)


_LARGE = {f"{at}.py": ("python", b"x = eval(y)\n" + b"#" * 1_048_576) for at in range(6)}


@pytest.mark.parametrize(
    "more",
    [
        {"exit_code": -9},
        {"exit_code": -11, "stdout": b""},
        {"timed_out": True},
        {"truncated": True},
        {"problem": "cannot start python"},
    ],
)
def test_where_a_child_ends_early_its_files_are_left_to_us_and_no_other_is_asked(more: dict[str, object]) -> None:
    runner = Answering(answer, **more)
    told = [*_apart(runner).each(_asked(_LARGE, [_pointed(1, 5, 1, 12)]))]
    assert sorted(told) == [(path, None) for path in _LARGE]
    assert 1 <= runner.asked <= 2  # two at a time


@pytest.mark.parametrize(
    "reply",
    [lambda _: b"", lambda _: b"\xc1", lambda _: b"\x90", _without_last_spot, _without_a_wording, _of_other_units],
)
def test_an_answer_that_does_not_fit_counts_for_nothing(reply: Callable[[bytes], bytes]) -> None:
    told = [*_apart(Answering(reply)).each(_asked(_LARGE, [_pointed(1, 5, 1, 12)]))]
    assert sorted(told) == [(path, None) for path in _LARGE]


def test_what_no_child_has_begun_is_left_to_us() -> None:
    begun, go_on = threading.Semaphore(0), threading.Event()

    def reply(question: bytes) -> bytes:
        begun.release()
        assert go_on.wait(30)
        return answer(question)

    texts = {f"{at}.py": ("python", b"x = eval(y)\n" + b"#" * 1_048_576) for at in range(5)}
    pointed = [_pointed(1, 5, 1, 12)]
    each = _apart(Answering(reply)).each(_asked(texts, pointed))
    assert next(each) == ("4.py", None)
    assert begun.acquire(timeout=30)
    assert begun.acquire(timeout=30)
    assert [next(each), next(each)] == [("2.py", None), ("3.py", None)]
    go_on.set()
    assert dict(each) == {path: spots for path, spots in _here(texts, pointed).items() if path in ("0.py", "1.py")}


def test_children_begin_while_files_are_taken_and_all_have_something_to_do() -> None:
    runner, taken = Answering(), []
    texts = {f"{at}.py": ("python", b"x = eval(y)\n" + b"#" * 131_072) for at in range(60)}

    def files() -> Iterator[Asked]:
        for one in _asked(texts, [_pointed(1, 5, 1, 12)]):
            taken.append(runner.asked)
            yield one

    told = dict(_apart(runner, large=2 << 20).each(files()))
    assert taken[:16] == [0] * 16  # not yet large
    assert taken[-1] >= 1
    assert sorted(told) == sorted(texts)
    assert runner.asked <= 12


def test_no_child_is_started_for_little_text_nor_for_what_is_not_parsed() -> None:
    runner = Answering()
    texts = {
        "large.py": ("python", b"#" * (MOST_BYTES + 1)),
        "odd.py": ("python", b"#\xff" + b"#" * (MOST_BYTES - 4)),  # small enough, but not once U+FFFD stands in it
        "large.txt": ("text", b"#" * MOST_BYTES),
        "small.py": ("python", b"x = 1\n"),
    }
    told = [*_apart(runner, large=1000).each(_asked(texts, [_pointed(1, 1, 1, 1)]))]
    assert sorted(told) == [(path, None) for path in sorted(texts)]
    assert runner.asked == 0


def test_results_are_the_same_with_children_and_without() -> None:
    # Put together here, so that the gate of this repository finds no secret in it.
    word = "hunter2"
    files = {f"m{at}.py": f"def f{at}(x):\n    password = {f'{word}-{at}'!r}\n    return eval(x)\n" for at in range(5)}
    places = [(2, 5, 25), (3, 12, 19), (3, 12, 19)]
    raw = [
        RawResult(
            rule="r",
            message=f"result {number}",
            path=path,
            region=Region(start_line=line, start_column=start, end_line=line, end_column=end),
            secrets=(f"{word}-0",) if path == "m0.py" and line == 2 else (),
        )
        for path in files
        for number, (line, start, end) in enumerate(places)
    ]
    scans = [scan_of("alpha", raw), scan_of("bandit", raw, Lane.SAST)]
    runner = Answering()
    apart = normalised(files, scans, apart=_apart(runner))
    assert runner.asked == 1
    assert apart.located == normalised(files, scans).located
    assert "hunter2-0" not in str(apart.results)
