"""CODEOWNERS as each forge reads it, and as somebody writes it who means harm."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secgate.owners import MAX_OWNERS, MAX_PATTERN, MAX_RULES, Forge, Owners, forge_of, opaque
from secgate.people import People, Person


def owners(text: str, forge: Forge = "github") -> Owners:
    return Owners(file="CODEOWNERS", forge=forge, text=text)


def names(text: str, path: str, forge: Forge = "github") -> tuple[str, ...]:
    return tuple(name for claim in owners(text, forge).of(path) for name in claim.names)


@pytest.mark.parametrize(
    ("pattern", "fits", "does_not"),
    [
        ("*", ["a.py", "a/b/c.py"], []),
        ("*.js", ["a.js", "a/b.js"], ["a.ts", "a.js.map"]),
        ("/build/logs/", ["build/logs/x", "build/logs/a/b"], ["a/build/logs/x", "build/logs"]),
        ("docs/*", ["docs/a.md"], ["docs/build/a.md", "x/docs/a.md"]),
        ("apps/", ["apps/a", "x/apps/a/b"], ["apps", "apps.py"]),
        ("/docs", ["docs", "docs/a/b.md"], ["x/docs", "docs.md"]),
        ("**/logs", ["logs", "a/logs", "a/b/logs/c.txt"], ["a/logs.txt"]),
        ("/scripts/**", ["scripts/a", "scripts/a/b"], ["scripts"]),
        ("a/**/z.py", ["a/z.py", "a/b/c/z.py"], ["z.py", "x/a/z.py"]),
        ("internal/README.md", ["internal/README.md"], ["a/internal/README.md"]),
        ("/a?c/*.t*t", ["abc/x.txt", "abc/x.test"], ["ac/x.txt", "abc/d/x.txt"]),
        (r"/with\ space/", ["with space/a"], ["with/a"]),
        (r"/a\*b", ["a*b"], ["axb"]),
    ],
)
def test_github(pattern: str, fits: list[str], does_not: list[str]) -> None:
    text = f"{pattern} @acme/team"
    assert [path for path in fits if names(text, path) != ("@acme/team",)] == []
    assert [path for path in does_not if names(text, path)] == []


@pytest.mark.parametrize(
    ("pattern", "fits", "does_not"),
    [
        ("*", ["a.py", "a/b/c.py"], []),
        ("README.md", ["README.md", "a/README.md"], ["README.md/a"]),
        ("internal/README.md", ["internal/README.md", "a/internal/README.md"], []),
        ("/docs/", ["docs/a", "docs/a/b"], ["docs", "x/docs/a"]),
        ("/docs", ["docs"], ["docs/a"]),
        ("/docs/*", ["docs/a"], ["docs/a/b"]),
        ("/docs/**/*.md", ["docs/a.md", "docs/a/b.md"], ["docs/a.py"]),
        ("/v[0-9!].txt", ["v1.txt", "v!.txt"], ["va.txt"]),
        ("/v[!0-9].txt", ["va.txt"], ["v1.txt"]),
        (r"\#file", ["#file", "a/#file"], ["file"]),
    ],
)
def test_gitlab(pattern: str, fits: list[str], does_not: list[str]) -> None:
    text = f"{pattern} @acme/team"
    assert [path for path in fits if names(text, path, "gitlab") != ("@acme/team",)] == []
    assert [path for path in does_not if names(text, path, "gitlab")] == []


def test_the_last_that_fits_counts_and_may_say_nobody() -> None:
    text = "* @acme/all\n/apps/ @acme/apps\n/apps/free\n*.py @acme/python ada@example.org  # the snakes\n"
    assert names(text, "apps/a.js") == ("@acme/apps",)
    assert names(text, "apps/free/a.js") == ()
    assert names(text, "apps/free/a.py") == ("@acme/python", "ada@example.org")
    assert names(text, "README") == ("@acme/all",)


def test_a_line_of_github_that_is_not_understood_owns_nothing_and_is_named() -> None:
    read = owners("* @acme/all\n!*.py @acme/no\n[a-z] @acme/no\n*.js somebody\n\\#a @acme/no\n/\n")
    assert [claim.names for claim in read.of("a.js")] == [("@acme/all",)]
    assert read.skipped == [2, 3, 4, 5, 6]


def test_sections_each_have_an_owner_and_defaults() -> None:
    text = (
        "* @acme/all\n[Database][2] @acme/data\n*.sql\n/model/ @acme/model nobody\n"
        "^[Docs] @acme/docs\n*.md\n!/docs/old/\n[DATABASE]\n/special.sql @acme/special\n"
    )
    assert names(text, "a.sql", "gitlab") == ("@acme/all", "@acme/data")
    assert names(text, "model/a.sql", "gitlab") == ("@acme/all", "@acme/model")
    assert names(text, "special.sql", "gitlab") == ("@acme/all", "@acme/special")
    assert names(text, "a.md", "gitlab") == ("@acme/all", "@acme/docs")
    assert names(text, "docs/old/a.md", "gitlab") == ("@acme/all",)


@pytest.mark.parametrize(
    ("file", "text", "provider", "repository", "forge"),
    [
        (".github/CODEOWNERS", "[a]\n", "gitlab", "gitlab.com/a/b", "github"),
        (".gitlab/CODEOWNERS", "", "github", "", "gitlab"),
        ("CODEOWNERS", "[a]\n", "github", "gitlab.com/a/b", "github"),
        ("CODEOWNERS", "", "gitlab", "", "gitlab"),
        ("docs/CODEOWNERS", "", "", "gitlab.example.org/a/b", "gitlab"),
        ("CODEOWNERS", "^[Docs] @a/b\n", "", "git.example.org/a/b", "gitlab"),
        ("CODEOWNERS", "* @a/b\n", "", "git.example.org/gitlab/b", "github"),
    ],
)
def test_whose_syntax_it_is(file: str, text: str, provider: str, repository: str, forge: str) -> None:
    assert forge_of(file, text, provider=provider, repository=repository) == forge


def test_names_of_people_are_never_in_what_is_kept() -> None:
    people = People(persons=(Person(id="p-1", emails=("ada@example.org",), handles={"github": ("Ada",)}),))
    read = owners("* @ada @bob @acme/all eve@example.org @bob\n*.py ada@example.org @@maintainer\n")
    assert opaque(read.of("a"), read, people) == "p-1 CODEOWNERS:1 @acme/all"
    assert opaque(read.of("a.py"), read, people) == "p-1 @@maintainer"


def test_too_much_of_anything_is_cut() -> None:
    read = owners("\n".join(["* @a/b"] * (MAX_RULES + 5)))
    assert len(read.skipped) == 5
    assert owners(f"/{'a' * MAX_PATTERN} @a/b").skipped == [1]
    many = names(f"* {' '.join(f'@a/b{number}' for number in range(MAX_OWNERS + 9))}", "x")
    assert len(many) == MAX_OWNERS


@pytest.mark.parametrize("forge", ["github", "gitlab"])
def test_threat_13_no_pattern_takes_long(forge: Forge) -> None:
    worst = "\n".join([f"{'*a' * 500}b @a/b", f"{'**/a/' * 200}b @a/b", f"{'[a-z]*' * 150}Z @a/b"] * 1000)
    read = owners(worst, forge)
    start = time.process_time()
    for number in range(2000):
        read.of(f"{number}/" + "a/" * 60 + "a" * 250)
    assert read.is_exhausted
    assert time.process_time() - start < 5
    assert read.of("a/b") == ()


def test_a_large_file_of_plain_folders_is_quick() -> None:
    read = owners("\n".join(f"/apps/team{number}/src/ @acme/team{number}" for number in range(MAX_RULES)))
    for number in range(0, MAX_RULES, 2):
        assert read.of(f"apps/team{number}/src/a/b.py")[0].line == number + 1
    assert not read.is_exhausted


@given(st.text(max_size=400), st.text(min_size=1, max_size=80), st.sampled_from(["github", "gitlab"]))
def test_any_text_can_be_read(text: str, path: str, forge: Forge) -> None:
    claims = owners(text, forge).of(path)
    assert all(1 <= claim.line <= text.count("\n") + 1 for claim in claims)


def _regular(pattern: str, path: str) -> bool:
    """The plain definition of one name's pattern, which may look back as often as it likes."""
    if not pattern or not path:
        return not path and not pattern.strip("*")
    if pattern[0] == "*":
        return _regular(pattern[1:], path) or _regular(pattern, path[1:])
    return pattern[0] in ("?", path[0]) and _regular(pattern[1:], path[1:])


@given(st.text("ab*?", min_size=1, max_size=8), st.text("ab", min_size=1, max_size=8))
def test_one_look_back_gives_what_all_would(pattern: str, name: str) -> None:
    if set(pattern) != {"*"}:
        assert bool(names(f"/{pattern} @a/b", name)) == _regular(pattern, name)
