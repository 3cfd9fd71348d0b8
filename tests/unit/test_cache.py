"""What is kept of jobs, and under what."""

from __future__ import annotations

import msgspec
import pytest

from secgate.cache import MOST_BYTES, MOST_OUTPUT_BYTES, Outputs, output_key
from secgate.model import Job, Limits, Output, Source, Tool, View

JOB = Job(scanner="own", name="own:1", argv=("own", "a.py"), files=("a.py",), grain="file")
TOOL = Tool(name="own", path="/x", version="1", digest="0" * 64, environment="path")
OUTPUT = Output(exit_code=0, stdout=b"found", stderr=b"words", duration_s=1.0)


def view(**digests: str) -> View:
    return View(root="/v", source=Source.WORK_TREE, digests={"a.py": "1" * 64, "b.py": "2" * 64, **digests})


def key(
    job: Job = JOB, tool: Tool | None = TOOL, *, seen: View | None = None, rules: str = "/r", pack: str = ""
) -> bytes:
    return output_key(job, tool, view=seen or view(), rules_root=rules, inputs=(pack,))


def test_the_key_is_all_that_the_output_depends_on() -> None:
    def changed(**fields: object) -> bytes:
        return key(msgspec.structs.replace(JOB, **fields))

    keys = [
        key(),
        changed(argv=("own", "-x", "a.py")),
        changed(blobs={"a": b"1"}),
        changed(env={"A": "1"}),
        changed(limits=Limits(time_s=1.0)),
        changed(cache_inputs=("x",)),
        changed(cwd="work"),
        key(tool=msgspec.structs.replace(TOOL, version="2")),
        key(tool=msgspec.structs.replace(TOOL, digest="1" * 64)),
        key(tool=msgspec.structs.replace(TOOL, path="/y")),
        key(tool=msgspec.structs.replace(TOOL, interpreter="/z")),
        key(tool=None),
        key(rules="/s"),
        key(pack="f" * 64),
        key(seen=view(**{"a.py": "3" * 64})),
    ]
    assert len(set(keys)) == len(keys)
    assert all(keys)
    assert key(seen=view(**{"b.py": "3" * 64})) == key(), "a file that it was not shown"
    tree = msgspec.structs.replace(JOB, grain="tree")
    assert key(tree, seen=view(**{"b.py": "3" * 64})) != key(tree)


@pytest.mark.parametrize("fields", [{"service": "osv"}, {"network": True}, {"files": ("a.py", "gone.py")}])
def test_what_depends_on_more_has_no_key(fields: dict[str, object]) -> None:
    assert key(msgspec.structs.replace(JOB, **fields)) == b""


def test_names_need_not_be_utf_8() -> None:
    name = b"\xff.py".decode("utf-8", "surrogateescape")
    assert key(msgspec.structs.replace(JOB, files=(name,)), seen=view(**{name: "4" * 64}))


def test_what_was_kept_says_so() -> None:
    kept = Outputs()
    assert kept.find(key()) is None
    kept.keep(key(), OUTPUT)
    found = kept.find(key())
    assert found == Output(exit_code=0, stdout=b"found", stderr=b"", is_kept=True)
    kept.keep(b"", OUTPUT)
    assert kept.find(b"") is None
    kept.keep(b"other", msgspec.structs.replace(OUTPUT, is_kept=True))
    assert kept.find(b"other") is None, "a copy of a copy"


def test_little_is_kept_and_the_oldest_goes_first() -> None:
    kept = Outputs()
    kept.keep(b"huge", msgspec.structs.replace(OUTPUT, stdout=b"x" * (MOST_OUTPUT_BYTES + 1)))
    assert kept.find(b"huge") is None
    half = b"x" * (MOST_OUTPUT_BYTES // 2)
    large = msgspec.structs.replace(OUTPUT, stdout=half, files={"a": half})
    count = MOST_BYTES // MOST_OUTPUT_BYTES
    for number in range(count):
        kept.keep(b"%d" % number, large)
    assert kept.find(b"0") is not None
    kept.keep(b"one more", large)
    assert (kept.find(b"0") is not None, kept.find(b"1")) == (True, None)
