"""Requirements files: lines as pip reads them, references inside the view, hostile text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secgate import manifests
from secgate.manifests import Manifest


def read(text: str | bytes, files: dict[str, bytes] | None = None, kind: str = "pip-requirements") -> Manifest:
    data = text.encode() if isinstance(text, str) else text
    return manifests.read("deps/requirements.txt", kind, data, reader=(files or {}).__getitem__)


def pins(manifest: Manifest) -> list[tuple[str, str, int]]:
    return [(e.name, e.version, e.line) for e in manifest.pinned]


def reasons(manifest: Manifest) -> list[str]:
    return [p.reason for p in manifest.problems]


def test_pins_have_their_first_physical_line() -> None:
    text = "# head\n\nFlask==0.12 \\\n  --hash=sha256:aa \\\n  --hash=sha256:bb\nJinja2 == 2.10  # why\n"
    manifest = read(text)
    assert pins(manifest) == [("flask", "0.12", 3), ("jinja2", "2.10", 6)]
    assert [e.hashed for e in manifest.entries] == [True, False]


def test_line_ends_that_pip_splits_at_hide_nothing() -> None:
    assert pins(read("# a comment\x0cflask==0.12\njinja2==2.10\n")) == [("flask", "0.12", 1), ("jinja2", "2.10", 2)]


def test_a_comment_ends_a_continued_line() -> None:
    assert pins(read("flask==0.12 \\\n# note \\\njinja2==2.10\n")) == [("flask", "0.12", 1), ("jinja2", "2.10", 3)]


@pytest.mark.parametrize(
    ("line", "problem", "name"),
    [
        ("flask>=0.12", "range", "flask"),
        ("flask==0.*", "range", "flask"),
        ("flask==0.12,==0.13", "range", "flask"),
        ("flask", "range", "flask"),
        ("-e .", "editable", ""),
        ("--editable=git+https://h/x#egg=Foo_Bar", "editable", "foo-bar"),
        ("git+ssh://h/x@v1#egg=foo", "vcs", "foo"),
        ("https://h/foo-1.0-py3-none-any.whl", "url", ""),
        ("foo @ https://h/foo-1.0.tar.gz", "url", "foo"),
        ("foo @ git+https://h/foo", "vcs", "foo"),
        ("./lib", "local-path", ""),
        ("foo-1.0.whl", "local-path", ""),
        ("file:///etc/x", "local-path", ""),
        ("flask==${VERSION}", "variable", ""),
        ("not a requirement", "invalid", ""),
        ("flask===wat", "invalid-version", "flask"),
    ],
)
def test_what_names_no_version_says_why(line: str, problem: str, name: str) -> None:
    (entry,) = read(line).entries
    assert (entry.problem, entry.name, entry.version) == (problem, name, "")


def test_markers_are_evaluated_for_no_environment() -> None:
    manifest = read('a==1 ; python_version < "3"\na==2 ; python_version >= "3"\n')
    assert [(e.version, e.marker) for e in manifest.pinned] == [
        ("1", 'python_version < "3"'),
        ("2", 'python_version >= "3"'),
    ]


def test_references_are_followed_and_keep_their_own_lines() -> None:
    files = {"base.txt": b"\nrequests==2.19.0\n", "deps/more.txt": b"six==1.0\n"}
    manifest = read("-r ../base.txt\n--requirement=more.txt\n", files)
    assert [(e.name, e.path, e.line) for e in manifest.entries] == [
        ("requests", "base.txt", 2),
        ("six", "deps/more.txt", 1),
    ]
    assert manifest.references == ("base.txt", "deps/more.txt")


def test_constraints_pin_ranges_and_ask_for_nothing() -> None:
    manifest = read("flask\n-c c.txt\n", {"deps/c.txt": b"Flask==0.12\nother==1\n"})
    assert pins(manifest) == [("flask", "0.12", 1)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("-r ../../etc/passwd", "reference-outside"),
        ("-r /etc/passwd", "reference-outside"),
        ("-r ~/x", "reference-outside"),
        ("-r https://h/x.txt", "reference-remote"),
        ("-r gone.txt", "reference-missing"),
        ("-r requirements.txt", "reference-cycle"),
        ("--frobnicate", "unknown-option"),
        ("-r 'x", "syntax"),
    ],
)
def test_what_cannot_be_followed_is_a_problem(line: str, reason: str) -> None:
    assert reasons(read(f"a==1\n{line}\n")) == [reason]


def test_a_cycle_through_two_files_ends() -> None:
    files = {"deps/b.txt": b"-r requirements.txt\nb==1\n"}
    manifest = read("-r b.txt\na==1\n", files)
    assert [e.name for e in manifest.entries] == ["b", "a"]
    assert reasons(manifest) == ["reference-cycle"]


def test_a_diamond_is_no_cycle() -> None:
    files = {"deps/b.txt": b"-r d.txt\n", "deps/c.txt": b"-r d.txt\n", "deps/d.txt": b"d==1\n"}
    manifest = read("-r b.txt\n-r c.txt\n", files)
    assert (pins(manifest), manifest.problems) == ([("d", "1", 1)], ())


def test_indexes_are_reported_without_credentials() -> None:
    manifest = read("-i https://me:secret@h/simple?t=1\n--extra-index-url http://x/\n-f ./wheels\n--trusted-host x\n")
    assert [(i.option, i.address) for i in manifest.indexes] == [
        ("--index-url", "https://h/simple"),
        ("--extra-index-url", "http://x/"),
        ("--find-links", "./wheels"),
        ("--trusted-host", "x"),
    ]


def test_credentials_are_in_no_text() -> None:
    text = "x @ https://me:secret@h/x.whl\ngit+https://me:secret@h/y\n-r https://me:secret@h/z"
    assert "secret" not in repr(read(text))


def test_shortened_options_count_as_pip_counts_them() -> None:
    manifest = read("--constrain c.txt\n--requir x\n", {"deps/c.txt": b""})
    assert manifest.references == ("deps/c.txt",)
    assert reasons(manifest) == ["unknown-option"]  # pip cannot tell it from --require-hashes either


@pytest.mark.parametrize(
    "data", ["\ufeffflask==1".encode("utf-16-le"), b"\xef\xbb\xbfflask==1", b"# coding: latin-1\nflask==1"]
)
def test_encodings_that_pip_knows(data: bytes) -> None:
    assert [(e.name, e.version) for e in read(data).entries] == [("flask", "1")]


@pytest.mark.parametrize("data", [b"flask==1 \xff", b"# coding: punycode\nflask==1", b"# coding: nothing\n"])
def test_other_encodings_are_a_problem(data: bytes) -> None:
    assert reasons(read(data)) == ["not-utf8"]


def test_a_huge_list_is_cut_off_and_said() -> None:
    manifest = read("".join(f"p{i}==1\n" for i in range(20_100)))
    assert reasons(manifest) == ["too-many"]


def test_a_long_line_costs_little() -> None:
    assert reasons(read("a==1 " + " " * 3_000_000 + "x")) == ["too-large"]


def test_all_pinned_with_hashes_is_a_lock() -> None:
    assert read("a==1 --hash=sha256:x\n").lock
    assert not read("a==1 --hash=sha256:x\nb==1\n").lock


@given(st.text(max_size=300))
def test_no_text_raises(text: str) -> None:
    read(text)


@given(st.binary(max_size=200))
def test_no_bytes_raise(data: bytes) -> None:
    for kind in manifests.KINDS:
        read(data, kind=kind)


@pytest.mark.parametrize(
    ("line", "project"),
    [
        ("-e .", "pyproject.toml"),
        ("-e .[cli,http2]", "pyproject.toml"),
        ("-e ..", "pyproject.toml"),
        ("-e ./part", "deps/part/pyproject.toml"),
        (".", "pyproject.toml"),
        (".[dev] ; python_version > '3'  # ours", "pyproject.toml"),
        ("./part", "deps/part/pyproject.toml"),
    ],
)
def test_project_of_the_tree_is_looked_at_in_its_own_manifest(line: str, project: str) -> None:
    manifest = read(f"{line}\nflask==1.0\n", {project: b"[project]\nname = 'x'\n"})
    assert [(e.name, e.problem) for e in manifest.entries] == [("flask", "")]


@pytest.mark.parametrize("line", ["-e ../..", "-e /abs", "-e git+https://h/x#egg=x", "-e other"])
def test_other_projects_stay_a_gap(line: str) -> None:
    manifest = read(f"{line}\n{line.removeprefix('-e ')}\n", {"pyproject.toml": b"[project]\nname = 'x'\n"})
    assert [e.problem for e in manifest.entries][:1] == ["editable"]
    assert len(manifest.entries) == 2
