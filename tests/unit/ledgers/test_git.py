"""What only this ledger can suffer: a ref that goes back or away, a remote that says no, what git would run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from secgate.errors import HeadMovedError, InternalError, LedgerError
from secgate.ledgers.git import GitLedger, _head_file
from secgate.ledgers.ref import RemoteRef
from secgate.merkle import leaf_hash, tree_of
from secgate.model import Limits, Output
from tests.ledger_support import EPOCH_S, GIT, Runner, at, events, git, git_at
from tests.runs.kept_ledger import chained

pytestmark = pytest.mark.skipif(not GIT, reason="git is not installed")


def made(folder: Path, *names: str) -> GitLedger:
    ledger = git_at(folder)
    ledger.create()
    if names:
        ledger.append(ledger.head(), events(*names), now=at(0), blobs={})
    return ledger


def remote(folder: Path) -> Path:
    return folder / "remote.git"


def at_ref(folder: Path, ref: str, **given: object) -> GitLedger:
    runner = given.pop("runner", None) or Runner()
    return GitLedger(str(remote(folder)), ref, runner=runner, cache=str(folder / "c"), git=GIT, **given)  # type: ignore[arg-type]


def test_the_layout_is_that_of_the_docs(tmp_path: Path) -> None:
    ledger = made(tmp_path, *(str(number) for number in range(1001)))
    listed = git("ls-tree", "-r", "--name-only", "ledger", cwd=remote(tmp_path)).split()
    assert listed == ["entries/000000.jsonl", "entries/000001.jsonl", "head.json"]
    head = json.loads(git("show", "ledger:head.json", cwd=remote(tmp_path)))
    assert (head["size"], head["root"], head["version"]) == (1001, ledger.head().root, 1)
    lines = git("show", "ledger:entries/000001.jsonl", cwd=remote(tmp_path))
    assert lines.encode() == next(iter(ledger.read(1000))).data + b"\n"


def test_commits_have_a_fixed_author_and_the_ledgers_time(tmp_path: Path) -> None:
    made(tmp_path, "one")
    said = git("log", "-1", "--format=%an <%ae> %ct %cn %s", "ledger", cwd=remote(tmp_path)).strip()
    assert said == f"secgate <secgate@localhost> {EPOCH_S} secgate secgate: entries 0 to 0"


def test_the_same_appends_give_the_same_commit(tmp_path: Path) -> None:
    made(tmp_path / "x", "one")
    made(tmp_path / "y", "one")
    tips = {git("rev-parse", "ledger", cwd=remote(tmp_path / name)) for name in "xy"}
    assert len(tips) == 1


Rows = list[bytes]
TAMPERS: dict[str, tuple[Callable[[Rows], Rows], bool, int]] = {
    "edit": (lambda rows: [*rows[:2], rows[2].replace(b"c", b"x"), *rows[3:]], True, 2),
    "delete": (lambda rows: rows[:2] + rows[3:], True, 2),
    "insert": (lambda rows: rows[:3] + chained(rows[:3])[2:] + rows[3:], True, 3),
    "reorder": (lambda rows: [*rows[:2], rows[3], rows[2], *rows[4:]], True, 2),
    "rewrite the end": (lambda rows: chained([*rows[:5], rows[5].replace(b'"f"', b'"x"')]), False, 5),
    "cut the tail": (lambda rows: rows[:4], False, 4),
    "add to the tail": (lambda rows: chained([*rows, rows[0]]), False, 6),
}
"""What a holder makes of the entries, whether the head is made to fit, and the first bad entry."""


@pytest.mark.parametrize(("tamper", "fits", "entry"), TAMPERS.values(), ids=TAMPERS)
def test_what_a_holder_moved_forward_to_is_named(
    tmp_path: Path, tamper: Callable[[Rows], Rows], fits: bool, entry: int
) -> None:
    ledger = made(tmp_path, *"abcdef")
    rows = tamper([one.data for one in ledger.read()])
    files = {"entries/000000.jsonl": b"".join(row + b"\n" for row in rows)}
    if fits:
        files["head.json"] = _head_file(tree_of(map(leaf_hash, rows)))
    holder = RemoteRef(
        str(remote(tmp_path)), "ledger", noun="ledger", runner=Runner(), cache=str(tmp_path / "holder"), git=GIT
    )
    with holder.locked():
        holder.push(holder.commit(holder.fetch(), files, said="made to fit", at_epoch_s=0))
    with pytest.raises(LedgerError, match=f"does not verify at entry {entry}: "):
        list(git_at(tmp_path, "auditor").read())


def test_a_ref_outside_the_branches_will_do(tmp_path: Path) -> None:
    made(tmp_path)
    ledger = at_ref(tmp_path, "refs/secgate/records")
    ledger.create()
    ledger.append(ledger.head(), events("one"), now=at(0), blobs={})
    assert "refs/secgate/records" in git("for-each-ref", "--format=%(refname)", cwd=remote(tmp_path))
    assert len(list(ledger.read())) == 1


def test_a_file_address_will_do(tmp_path: Path) -> None:
    made(tmp_path, "one")
    ledger = GitLedger(f"file://{remote(tmp_path)}", "ledger", runner=Runner(), cache=str(tmp_path / "c"), git=GIT)
    ledger.append(ledger.head(), events("two"), now=at(0), blobs={})
    assert ledger.head().size == 2


def test_a_sha256_repository_will_do(tmp_path: Path) -> None:
    git("init", "-q", "--bare", "--object-format=sha256", str(remote(tmp_path)), cwd=tmp_path)
    tree = git("mktree", cwd=remote(tmp_path)).strip()
    commit = git("commit-tree", "-m", "first", tree, cwd=remote(tmp_path)).strip()
    git("update-ref", "refs/heads/main", commit, cwd=remote(tmp_path))
    assert made(tmp_path, "one").head().size == 1


def test_a_machine_that_saw_more_notices_a_ref_that_went_back(tmp_path: Path) -> None:
    ledger = made(tmp_path, "one")
    git("update-ref", "refs/heads/ledger", "ledger~1", cwd=remote(tmp_path))
    with pytest.raises(LedgerError, match="rewritten since this machine last saw it"):
        ledger.head()


def test_a_machine_that_saw_it_notices_that_it_is_gone(tmp_path: Path) -> None:
    ledger = made(tmp_path, "one")
    git("update-ref", "-d", "refs/heads/ledger", cwd=remote(tmp_path))
    with pytest.raises(LedgerError, match="was there before and is gone"):
        ledger.exists()
    assert not git_at(tmp_path, "b").exists()


def test_a_ref_with_something_else_is_refused(tmp_path: Path) -> None:
    made(tmp_path)
    tree = git("mktree", cwd=remote(tmp_path)).strip()
    git(
        "update-ref",
        "refs/heads/main",
        git("commit-tree", "-m", "x", tree, cwd=remote(tmp_path)).strip(),
        cwd=remote(tmp_path),
    )
    with pytest.raises(LedgerError, match="something else than a ledger"):
        at_ref(tmp_path, "main").exists()


@pytest.mark.parametrize(
    "head",
    [
        b"{}",
        b"\xff",
        b'{"frontier":[],"root":"' + b"0" * 64 + b'","size":0,"version":1}',
        b'{"frontier":[],"root":"' + b"0" * 64 + b'","size":-1,"version":1}',
        b'{"frontier":[],"root":"' + b"0" * 64 + b'","size":0,"version":2}',
    ],
)
def test_a_head_that_makes_no_sense_is_refused(tmp_path: Path, head: bytes) -> None:
    made(tmp_path)
    blob = git("hash-object", "-w", "--stdin", cwd=remote(tmp_path), stdin=head).strip()
    tree = git("mktree", cwd=remote(tmp_path), stdin=f"100644 blob {blob}\thead.json\n".encode()).strip()
    git(
        "update-ref",
        "refs/heads/bad",
        git("commit-tree", "-m", "x", tree, cwd=remote(tmp_path)).strip(),
        cwd=remote(tmp_path),
    )
    with pytest.raises(LedgerError):
        at_ref(tmp_path, "bad").head()


@pytest.mark.parametrize(
    "address",
    ["--upload-pack=touch /tmp/x", "ext::sh -c touch% /tmp/x", "relative/path", "", "../up", "fd::7"],
)
def test_an_address_that_git_could_misread_is_refused(tmp_path: Path, address: str) -> None:
    with pytest.raises(LedgerError, match="no address of a repository"):
        GitLedger(address, "ledger", runner=Runner(), cache=str(tmp_path), git=GIT)


@pytest.mark.parametrize("ref", ["", "-f", "+main", "a:b", "a..b", "a b", "a.lock", "a/", "a//b", "*"])
def test_a_name_that_is_no_ref_is_refused(tmp_path: Path, ref: str) -> None:
    with pytest.raises(LedgerError, match="no name of a ref"):
        GitLedger("/there", ref, runner=Runner(), cache=str(tmp_path), git=GIT)


def test_credentials_are_not_shown(tmp_path: Path) -> None:
    address = "https://bot:hunter2@127.0.0.1:9/x.git"
    ledger = GitLedger(address, "ledger", runner=Runner(), cache=str(tmp_path / "c"), git=GIT)
    assert ledger.address == "https://127.0.0.1:9/x.git#ledger"
    with pytest.raises(LedgerError) as caught:
        ledger.exists()
    assert "hunter2" not in str(caught.value)


def test_hooks_of_a_local_repository_do_not_run(tmp_path: Path) -> None:
    ledger = made(tmp_path)
    for name in ("pre-receive", "update", "post-receive", "reference-transaction"):
        hook = remote(tmp_path) / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
        hook.chmod(0o755)
    ledger.append(ledger.head(), events("one"), now=at(0), blobs={})
    assert not (tmp_path / "ran").exists()


def test_configuration_of_the_user_is_not_read(tmp_path: Path) -> None:
    runner = Runner()
    made(tmp_path)
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / ".gitconfig").write_text('[core]\n\tbroken = [\n[url "ext::"]\n\tinsteadOf = /\n')
    assert at_ref(tmp_path, "ledger", runner=runner).exists()
    assert all(call[0] == GIT for call in runner.calls)


def test_a_remote_that_may_not_be_written_is_said(tmp_path: Path) -> None:
    ledger = made(tmp_path)
    git("config", "receive.denyDeletes", "true", cwd=remote(tmp_path))
    git("config", "transfer.hideRefs", "refs/heads/ledger", cwd=remote(tmp_path))
    with pytest.raises(LedgerError) as caught:
        ledger.append(ledger.head(), events("one"), now=at(0), blobs={})
    assert not isinstance(caught.value, HeadMovedError)


class Silent(Runner):
    """A runner under which git never answers in time."""

    def run(self, argv, **given):  # type: ignore[no-untyped-def]
        given["limits"] = Limits(time_s=0.0001)
        return super().run(argv, **given)


def test_no_answer_in_time_is_an_error(tmp_path: Path) -> None:
    made(tmp_path)
    with pytest.raises(LedgerError, match="no answer in time"):
        at_ref(tmp_path, "ledger", runner=Silent()).exists()


class Absent:
    """A machine without git."""

    def run(self, argv: object, **given: object) -> Output:
        del argv, given
        return Output(exit_code=127, stdout=b"", stderr=b"", problem="git was not found")


def test_a_machine_without_git_is_said(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="git was not found"):
        at_ref(tmp_path, "ledger", runner=Absent()).exists()


def test_what_a_killed_git_left_locked_is_cleared(tmp_path: Path) -> None:
    ledger = made(tmp_path)
    cache = tmp_path / "cache-a"
    for name in ("refs/secgate/ledger.lock", "packed-refs.lock", "config.lock"):
        (cache / name).touch()
    ledger.append(ledger.head(), events("one"), now=at(0), blobs={})
    assert ledger.head().size == 1


def test_a_half_made_cache_is_made_again(tmp_path: Path) -> None:
    made(tmp_path, "one")
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "HEAD").write_text("ref: refs/heads/x\n")
    assert at_ref(tmp_path, "ledger").head().size == 1


def test_a_reader_never_writes(tmp_path: Path) -> None:
    made(tmp_path)
    reader = at_ref(tmp_path, "ledger", read_only=True)
    with pytest.raises(InternalError):
        reader.append(reader.head(), events("x"), now=at(0), blobs={})
    with pytest.raises(InternalError):
        reader.create()


def test_a_digest_that_is_none_never_reaches_git(tmp_path: Path) -> None:
    ledger = made(tmp_path)
    with pytest.raises(InternalError, match="no digest"):
        ledger.blob("ab\nHEAD:head.json")
